//! `cargo poc demo`.

use std::ffi::OsString;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use camino::Utf8PathBuf;
use tempfile::TempDir;

use crate::cli::Demo;
use crate::demo::{STORY, Scene, WORKSPACE};
use crate::exit::{Exit, OrExit as _};
use crate::sys::cargo::Cargo;
use crate::sys::exec::{self, ExitReason, ProcessCommand};
use crate::sys::files;
use crate::sys::terminal::{BOLD, DIM, LITERAL, Terminal};

/// The sample builds in seconds; a command that takes this long hangs.
const TIMEOUT: Duration = Duration::from_secs(300);

/// The folder of the workspace within the temporary folder.
const NAME: &str = "pantry";

/// Plays [`STORY`] on the sample workspace with real runs of this program, and removes the folder.
///
/// # Errors
/// When a command has an unexpected exit code, cannot be run, or is interrupted. After a failure the folder is kept, and
/// the message contains its path.
pub fn run(arguments: &Demo, terminal: &mut Terminal) -> Result<Exit> {
    // Ctrl-C ends the running command, but not this program, which has to remove the folder.
    exec::install_interrupt_handler()?;
    let _cleaning_up = exec::Running::enter();
    let folder = tempfile::Builder::new()
        .prefix("cargo-poc-demo-")
        .tempdir()
        .context("failed to create a temporary folder; set TMPDIR to one that can be written")?;
    let outcome = Stage::new(&folder, terminal).and_then(|mut stage| stage.play(arguments.keep));
    if exec::interrupted() {
        remove(folder)?;
        bail!("interrupted; the folder of the demo was removed");
    }
    if let Err(error) = outcome {
        let path = folder.keep();
        return Err(error.context(format!(
            "the demo failed; its folder is kept: {}",
            path.join(NAME).display()
        )));
    }
    if arguments.keep {
        let path = folder.keep().join(NAME);
        terminal.status("Kept", path.display())?;
    } else {
        let path = folder.path().display().to_string();
        remove(folder)?;
        terminal.status("Removed", format!("{path}; `--keep` keeps it"))?;
    }
    Ok(Exit::Success)
}

fn remove(folder: TempDir) -> Result<()> {
    let path = folder.path().display().to_string();
    folder
        .close()
        .with_context(|| format!("failed to remove {path}"))
}

/// The sample workspace and the terminal.
struct Stage<'a> {
    root: Utf8PathBuf,
    program: OsString,
    search_path: OsString,
    terminal: &'a mut Terminal,
    /// Whether the last line introduces the next command, so that no empty line separates them.
    introduced: bool,
}

impl<'a> Stage<'a> {
    fn new(folder: &TempDir, terminal: &'a mut Terminal) -> Result<Self> {
        let folder = Utf8PathBuf::try_from(folder.path().to_owned())
            .context("the temporary folder's path is not UTF-8; set TMPDIR to another")
            .or_exit(Exit::Usage)?;
        // cargo resolves symbolic links, such as /tmp on macOS. Paths have to match.
        let folder =
            files::resolved(&folder).with_context(|| format!("failed to find {folder}"))?;
        let program = std::env::current_exe().context("failed to find the path of this program")?;
        let own = program.parent().map(std::path::Path::to_path_buf);
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let search_path = own.into_iter().chain(std::env::split_paths(&inherited));
        let search_path = std::env::join_paths(search_path).context("failed to extend PATH")?;
        Ok(Self {
            root: folder.join(NAME),
            program: program.into(),
            search_path,
            terminal,
            introduced: false,
        })
    }

    /// Runs the commands of the demo. Stops when the output is closed, except with `whole`.
    fn play(&mut self, whole: bool) -> Result<()> {
        for (path, content) in WORKSPACE {
            files::create(&self.root.join(path), content.as_bytes())?;
        }
        let git = |arguments: &[&str]| ProcessCommand::new("git").args(arguments);
        for command in [
            git(&["init", "--quiet"]),
            ProcessCommand::new(Cargo::program()).arg("generate-lockfile"),
            git(&["add", "."]),
            git(&["commit", "--quiet", "--message", "A pantry"]),
        ] {
            self.prepare(&command)?;
        }
        for scene in &STORY {
            if self.terminal.is_unread() && !whole {
                break;
            }
            self.scene(scene)?;
        }
        Ok(())
    }

    fn scene(&mut self, scene: &Scene) -> Result<()> {
        match scene {
            Scene::Say(text) => self.say(text),
            Scene::Run {
                folder,
                arguments,
                exit,
            } => self.run(folder, arguments, *exit),
            Scene::Write((path, content)) => self.write(path, content),
            Scene::Edit { path, from, to } => {
                let text = files::read(&self.root.join(path))?;
                let text =
                    String::from_utf8(text).with_context(|| format!("{path} has changed"))?;
                self.write(path, &text.replacen(from, to, 1))
            }
        }
    }

    fn say(&mut self, text: &str) -> Result<()> {
        let gap = if self.introduced { "" } else { "\n" };
        writeln!(self.terminal.out(), "{gap}{DIM}# {text}{DIM:#}")?;
        self.introduced = true;
        self.terminal.flush()
    }

    fn write(&self, path: &str, content: &str) -> Result<()> {
        let path = self.root.join(path);
        if path.exists() {
            files::write_atomic(&path, content.as_bytes())
        } else {
            files::create(&path, content.as_bytes())
        }
    }

    /// Runs `cargo poc` and shows the command and its output.
    fn run(&mut self, folder: &str, arguments: &[&str], expected: Exit) -> Result<()> {
        let shown = ProcessCommand::new("cargo")
            .arg("poc")
            .args(arguments)
            .display();
        let place = if folder.is_empty() {
            String::new()
        } else {
            format!("cd {folder} && ")
        };
        let gap = if self.introduced { "" } else { "\n" };
        let out = self.terminal.out();
        writeln!(
            out,
            "{gap}{BOLD}$ {BOLD:#}{LITERAL}{place}{shown}{LITERAL:#}"
        )?;
        self.terminal.flush()?;
        self.introduced = false;
        let command = ProcessCommand::new(&self.program)
            .arg("poc")
            .args(arguments);
        let command = self.isolated(command).directory(self.root.join(folder));
        let outcome = exec::stream(&command, &mut |part| {
            self.terminal.out().write_all(part.bytes)?;
            self.terminal.flush()
        })?;
        if outcome.ended != ExitReason::Exited(expected as i32) {
            bail!(
                "`{shown}` ended with {}; expected exit {}",
                outcome.ended,
                expected as i32
            );
        }
        if expected != Exit::Success {
            let code = expected as i32;
            writeln!(self.terminal.out(), "{DIM}(exit code {code}){DIM:#}")?;
        }
        Ok(())
    }

    /// Runs a command without showing it.
    fn prepare(&self, command: &ProcessCommand) -> Result<()> {
        let command = self.isolated(command.clone()).directory(&self.root);
        let captured = exec::capture(&command)?;
        if !captured.ended.success() {
            bail!(
                "`{}` failed ({}): {}",
                command.display(),
                captured.ended,
                String::from_utf8_lossy(&captured.stderr).trim()
            );
        }
        Ok(())
    }

    /// Isolates a command from the user's settings: target folder, repositories, hooks, identity and network.
    fn isolated(&self, command: ProcessCommand) -> ProcessCommand {
        let coloured = if self.terminal.coloured() {
            "always"
        } else {
            "never"
        };
        let mut command = command
            .timeout(Some(TIMEOUT))
            .env("PATH", &self.search_path)
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_TARGET_DIR", self.root.join("target"))
            .env("CARGO_BUILD_BUILD_DIR", self.root.join("target"))
            .env("CARGO_TERM_COLOR", coloured)
            .env("RUST_BACKTRACE", "0")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.root.join(".no-such-file"))
            .env("GIT_TEMPLATE_DIR", "");
        for person in ["AUTHOR", "COMMITTER"] {
            command = command
                .env(format!("GIT_{person}_NAME"), "cargo poc demo")
                .env(format!("GIT_{person}_EMAIL"), "demo@example.invalid");
        }
        for variable in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_OBJECT_DIRECTORY",
            "GIT_CEILING_DIRECTORIES",
            "CARGO_POC_DOCS",
            "GITHUB_STEP_SUMMARY",
        ] {
            command = command.env_remove(variable);
        }
        command
    }
}
