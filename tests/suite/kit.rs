//! A workspace in a temporary folder, real git and cargo around it, and the program run in it as a user would.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_cargo-poc");

/// A temporary folder that is removed with the test.
pub(crate) struct Sandbox {
    _folder: tempfile::TempDir,
    /// Where the program is run.
    pub(crate) root: Utf8PathBuf,
}

/// The exit status of the program and its output.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) line: String,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path())
            .unwrap()
            .canonicalize_utf8()
            .unwrap();
        Self {
            _folder: folder,
            root,
        }
    }

    /// A virtual workspace from a description, `core; app: core, gen(build); tool: core(dev)`: each member, then the
    /// members it depends on. Every member has a library with a unit test and a documentation test, and an
    /// integration test `it`.
    pub(crate) fn workspace(description: &str) -> Self {
        let sandbox = Self::empty();
        sandbox.members(description);
        let members: Vec<String> = described(description)
            .map(|(name, _)| format!("\"{name}\""))
            .collect();
        let members = members.join(", ");
        sandbox.write(
            "Cargo.toml",
            format!("[workspace]\nmembers = [{members}]\nresolver = \"2\"\n"),
        );
        sandbox.lock(description);
        sandbox
    }

    /// One package called `app`, not in a workspace.
    pub(crate) fn package() -> Self {
        let sandbox = Self::empty();
        sandbox.member("", "app", &[]);
        sandbox.lock("app");
        sandbox
    }

    /// The members of a description below the root, without a workspace manifest.
    pub(crate) fn members(&self, description: &str) {
        for (name, needs) in described(description) {
            self.member(name, name, &needs);
        }
    }

    /// One member in `folder`; `needs` as in [`Self::workspace`], beside it.
    pub(crate) fn member(&self, folder: &str, name: &str, needs: &[&str]) {
        let mut manifest =
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
        for need in needs {
            let (other, kind) = need.split_once('(').unwrap_or((need, ""));
            let table = match kind.trim_end_matches(')') {
                "dev" => "dev-dependencies",
                "build" => "build-dependencies",
                _ => "dependencies",
            };
            let _ = write!(
                manifest,
                "\n[{table}.{other}]\npath = \"../{other}\"\nversion = \"0.1.0\"\n"
            );
        }
        let folder = Utf8Path::new(folder);
        let at = |path: &str| folder.join(path).into_string();
        let crate_name = name.replace('-', "_");
        self.write(&at("Cargo.toml"), &manifest);
        self.write(
            &at("src/lib.rs"),
            format!(
                "//! The {name} library. It answers.\n\n/// The answer.\n///\n/// ```\n/// assert_eq!({crate_name}::answer(), 42);\n/// \
                 ```\npub fn answer() -> u32 {{\n    42\n}}\n\n#[cfg(test)]\nmod tests {{\n    #[test]\n    fn unit() {{\n        \
                 assert_eq!(super::answer(), 42);\n    }}\n}}\n"
            ),
        );
        self.write(
            &at("tests/it.rs"),
            format!("//! {name} from outside.\n\n#[test]\nfn integration() {{\n    assert_eq!({crate_name}::answer(), 42);\n}}\n"),
        );
        if needs.iter().any(|need| need.ends_with("(build)")) {
            self.write(&at("build.rs"), "fn main() {}\n");
        }
    }

    /// Writes a file and the folders above it.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = fs::File::create(path).unwrap();
        file.write_all(text.as_ref()).unwrap();
        self
    }

    /// Replaces text that must be there.
    pub(crate) fn edit(&self, path: &str, old: &str, new: &str) -> &Self {
        let text = self.read(path);
        assert!(text.contains(old), "{path} has no {old:?}:\n{text}");
        self.write(path, text.replace(old, new))
    }

    /// Adds to a file's end.
    pub(crate) fn append(&self, path: &str, more: &str) -> &Self {
        let text = self.read(path);
        self.write(path, text + more)
    }

    pub(crate) fn remove(&self, path: &str) -> &Self {
        fs::remove_file(self.root.join(path)).unwrap();
        self
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    /// Every file below the root with its bytes; git's own and built ones aside.
    pub(crate) fn files(&self) -> BTreeMap<Utf8PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir_utf8().unwrap() {
                let path = entry.unwrap().into_path();
                if path.is_dir() && !matches!(path.file_name(), Some(".git" | "target")) {
                    folders.push(path);
                } else if path.is_file() {
                    files.insert(path.clone(), fs::read(&path).unwrap());
                }
            }
        }
        files
    }

    /// Puts everything into a new git repository's first commit, on `main`.
    pub(crate) fn git(&self) -> &Self {
        self.write(".gitignore", "target/\n");
        self.run_git(&["init", "--quiet", "--template=", "--initial-branch=main"]);
        self.commit("first")
    }

    /// Commits everything.
    pub(crate) fn commit(&self, message: &str) -> &Self {
        self.run_git(&["add", "--all"]);
        self.run_git(&["commit", "--quiet", "--message", message]);
        self
    }

    /// Runs git, which must succeed; what it printed.
    pub(crate) fn run_git(&self, arguments: &[&str]) -> String {
        // Maintenance would be one more process for each commit.
        let output = self
            .command("git")
            .args(["-c", "maintenance.auto=false"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Writes the lockfile that cargo would, for the members of a description; it has no other packages.
    fn lock(&self, description: &str) {
        let mut packages = BTreeMap::new();
        for (name, needs) in described(description) {
            let needs = needs
                .iter()
                .map(|need| need.split('(').next().unwrap_or(need));
            packages.insert(name, needs.collect::<BTreeSet<_>>());
        }
        let mut lockfile = "# This file is automatically @generated by Cargo.\n# It is not intended for manual editing.\n\
                            version = 4\n"
            .to_owned();
        for (name, needs) in packages {
            let _ = write!(
                lockfile,
                "\n[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\n"
            );
            if !needs.is_empty() {
                lockfile.push_str("dependencies = [\n");
                for need in needs {
                    let _ = writeln!(lockfile, " \"{need}\",");
                }
                lockfile.push_str("]\n");
            }
        }
        self.write("Cargo.lock", lockfile);
    }

    /// Has cargo lock a workspace that was written file by file.
    pub(crate) fn lock_with_cargo(&self) -> &Self {
        let mut command = self.command("cargo");
        command.args(["generate-lockfile", "--offline"]);
        finish(command, "cargo generate-lockfile --offline").exits(0);
        self
    }

    /// Runs the program with a line of arguments, quoted as for a shell.
    pub(crate) fn poc(&self, line: &str) -> Run {
        self.poc_in("", line)
    }

    /// [`Self::poc`] from a folder below the root.
    pub(crate) fn poc_in(&self, folder: &str, line: &str) -> Run {
        let mut command = self.command(PROGRAM);
        command.current_dir(self.root.join(folder));
        command.args(shlex::split(line).unwrap());
        finish(command, line)
    }

    /// Runs the program on a pseudoterminal.
    #[cfg(unix)]
    pub(crate) fn on_terminal(&self, line: &str) -> crate::pty::Session {
        let mut command = self.command(PROGRAM);
        command.args(shlex::split(line).unwrap());
        crate::pty::Session::start(&command)
    }

    /// Runs a line of bash, in which `cargo poc` is the program under test.
    pub(crate) fn shell(&self, line: &str) -> Run {
        let mut command = self.command("bash");
        command.args(["-euo", "pipefail", "-c", line]);
        finish(command, line)
    }

    /// A command in the root with an environment of which nothing depends on where the tests run: no colours, no
    /// network, a git identity, the program under test on PATH.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            let leaks = [
                "BUILDKITE",
                "CARGO",
                "CI",
                "CLICOLOR",
                "GIT",
                "INSTA",
                "NEXTEST",
                "RUSTC",
                "RUSTFLAGS",
                "TF_BUILD",
            ]
            .iter()
            .any(|lead| name.starts_with(lead));
            if leaks {
                command.env_remove(&*name);
            }
        }
        let own = Utf8Path::new(PROGRAM).parent().unwrap().as_std_path();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(own.to_owned()).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(path).unwrap());
        let nowhere = if cfg!(windows) { "NUL" } else { "/dev/null" };
        for (name, value) in [
            ("NO_COLOR", "1"),
            // As `cargo poc` sets it. Otherwise rustup has to find the toolchain for each call of cargo and rustc.
            ("CARGO", env!("CARGO")),
            ("CARGO_NET_OFFLINE", "true"),
            // Half of the time that cargo takes to build a test workspace once.
            ("CARGO_INCREMENTAL", "0"),
            ("CARGO_TERM_COLOR", "never"),
            ("GIT_CONFIG_GLOBAL", nowhere),
            ("GIT_CONFIG_SYSTEM", nowhere),
            ("GIT_AUTHOR_NAME", "A Person"),
            ("GIT_AUTHOR_EMAIL", "person@example.com"),
            ("GIT_COMMITTER_NAME", "A Person"),
            ("GIT_COMMITTER_EMAIL", "person@example.com"),
            ("GIT_AUTHOR_DATE", "2026-01-03T10:00:00Z"),
            ("GIT_COMMITTER_DATE", "2026-01-03T10:00:00Z"),
        ] {
            command.env(name, value);
        }
        command.envs(rustup().iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The toolchain of the tests, for rustup: a test may set HOME, and a workspace may hold a `rust-toolchain.toml`.
fn rustup() -> &'static [(&'static str, OsString)] {
    static VARIABLES: OnceLock<Vec<(&str, OsString)>> = OnceLock::new();
    VARIABLES.get_or_init(|| {
        let mut variables = Vec::new();
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let of_home = || Some(std::env::home_dir()?.join(folder)).filter(|path| path.is_dir());
            let value = std::env::var_os(name).or_else(|| of_home().map(Into::into));
            variables.extend(value.map(|value| (name, value)));
        }
        let active = || {
            let shown = Command::new("rustup")
                .args(["show", "active-toolchain"])
                .current_dir(env!("CARGO_MANIFEST_DIR"))
                .output();
            let shown = shown.ok().filter(|shown| shown.status.success())?;
            let text = String::from_utf8(shown.stdout).ok()?;
            Some(text.split_whitespace().next()?.into())
        };
        let toolchain = std::env::var_os("RUSTUP_TOOLCHAIN").or_else(active);
        variables.extend(toolchain.map(|toolchain| ("RUSTUP_TOOLCHAIN", toolchain)));
        variables
    })
}

/// Runs a command to its end.
pub(crate) fn finish(mut command: Command, line: &str) -> Run {
    let output = command.output().unwrap();
    Run {
        line: line.to_owned(),
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Run {
    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// Standard output holds this.
    #[track_caller]
    pub(crate) fn prints(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text), "no {text:?} in\n{self}");
        self
    }

    /// Standard error holds this.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "no {text:?} in\n{self}");
        self
    }

    /// Neither stream holds this.
    #[track_caller]
    pub(crate) fn hides(&self, text: &str) -> &Self {
        assert!(
            !self.stdout.contains(text) && !self.stderr.contains(text),
            "{text:?} is in\n{self}"
        );
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            line,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            formatter,
            "$ {line}\n{stdout}--- stderr\n{stderr}--- exit {code}"
        )
    }
}

/// The members of a description, and what each depends on.
fn described(description: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    let parts = description.split(';').map(str::trim);
    parts.filter(|part| !part.is_empty()).map(|part| {
        let (name, needs) = part.split_once(':').unwrap_or((part, ""));
        let needs = needs.split(',').map(str::trim);
        (name.trim(), needs.filter(|need| !need.is_empty()).collect())
    })
}

/// Whether cargo-nextest is installed, for a test that needs it; see [`left_out`].
pub(crate) fn nextest_for(test: &str) -> bool {
    let asked = Command::new(env!("CARGO"))
        .args(["nextest", "--version"])
        .output();
    let installed = asked.is_ok_and(|output| output.status.success());
    if !installed {
        left_out(test, "cargo-nextest", "CARGO_POC_REQUIRE_NEXTEST");
    }
    installed
}

/// Whether cargo-mutants is installed, for a test that needs it; see [`left_out`].
pub(crate) fn mutants_for(test: &str) -> bool {
    let asked = Command::new("cargo-mutants")
        .args(["mutants", "--version"])
        .output();
    let installed = asked.is_ok_and(|output| output.status.success());
    if !installed {
        left_out(test, "cargo-mutants", "CARGO_POC_REQUIRE_MUTANTS");
    }
    installed
}

/// Says that a test is left out for what is not installed, past the capture of tests that pass. A machine that must run
/// them all sets `variable`, and there it fails.
pub(crate) fn left_out(test: &str, missing: &str, variable: &str) {
    let why = format!("{test} needs {missing}, which is not installed");
    assert!(std::env::var_os(variable).is_none(), "{why}");
    eprintln!("left out: {why}");
}
