//! A log of the cargo commands that a shell block runs, written out of band.
//!
//! While a block runs, the first `cargo` in its PATH is this program. It runs the next `cargo` in PATH with the same arguments and streams,
//! and writes argv, folder, output and exit status to a folder of the run. So a pipe, a redirection, a discarded exit status or text that
//! looks like test output does not affect the counts. cargo, build scripts and tests get the same environment as without the log.
//!
//! The log needs symbolic links and inherited streams that can be compared, so it exists only on Unix.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::exec::ProcessCommand;

/// The folder of the log, for the `cargo` that a block finds in PATH.
pub(crate) const FOLDER: &str = "CARGO_POC_CARGO_LOG";
/// The variable with the path of cargo, which cargo sets for its subcommands. In a block it has the path of this program.
const CARGO: &str = "CARGO";
/// The value of [`CARGO`] before the block, if it has one.
const CARGO_BEFORE: &str = "CARGO_POC_CARGO";
/// The cargo to run where a block names its path. Without it, the next one in PATH runs.
const PROGRAM: &str = "CARGO_POC_CARGO_PROGRAM";

/// How the folders of logs are called.
const PREFIX: &str = "cargo-poc-log.";
/// The file in it that the writing process has locked: a log whose lock is free was left behind by a killed process.
const LOCK: &str = "lock";

/// The log of one shell block.
#[derive(Debug)]
pub struct CargoLog {
    folder: tempfile::TempDir,
    _lock: File,
    next: AtomicU64,
}

/// A cargo command of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CargoCall {
    /// The arguments of `cargo`; none where they could not be logged.
    pub arguments: Option<Vec<String>>,
    /// Its current folder.
    pub folder: PathBuf,
    /// When it began and ended. An end that was not logged is that of the log.
    pub time: (SystemTime, SystemTime),
    /// Its exit status as in a shell; `None` while it is running, or if it was killed.
    pub exit: Option<i32>,
    /// Standard output and standard error in their order; only standard output if the two go to different files.
    pub output: Vec<u8>,
    /// Standard error, if it goes to another file than standard output.
    pub errors: Option<Vec<u8>>,
}

/// The recorded start of a call.
#[derive(Serialize, Deserialize)]
struct Beginning {
    arguments: Vec<String>,
    folder: PathBuf,
}

impl CargoLog {
    /// Creates an empty log, which `program`, the file of this program, writes; `None` on a platform without a log.
    ///
    /// # Errors
    /// When its folder cannot be created.
    pub fn create(program: &Path) -> Result<Option<Self>> {
        #[cfg(unix)]
        {
            remove_left_behind(&std::env::temp_dir());
            let folder = tempfile::Builder::new()
                .prefix(PREFIX)
                .tempdir()
                .context("failed to create a folder for the log of cargo commands")?;
            let lock = locked(folder.path()).context("failed to lock the log of cargo commands")?;
            let programs = folder.path().join("bin");
            std::fs::create_dir(&programs)
                .and_then(|()| std::os::unix::fs::symlink(program, programs.join("cargo")))
                .context("failed to prepare the log of cargo commands")?;
            Ok(Some(Self {
                folder,
                _lock: lock,
                next: AtomicU64::new(0),
            }))
        }
        #[cfg(not(unix))]
        {
            let _unused = program;
            Ok(None)
        }
    }

    /// Sets a PATH for `command` in which `cargo` writes this log; `path` is the PATH without it.
    #[must_use]
    pub fn attach(&self, command: ProcessCommand, path: &OsString) -> ProcessCommand {
        let programs = std::iter::once(self.folder.path().join("bin"));
        let folders = programs.chain(std::env::split_paths(path));
        // The folder's name has no separator, and those of `path` were joined before.
        let joined = std::env::join_paths(folders).unwrap_or_else(|_| path.clone());
        let command = match std::env::var_os(CARGO) {
            Some(before) => command.env(CARGO_BEFORE, before),
            None => command,
        };
        command
            .env("PATH", joined)
            .env(FOLDER, self.folder.path())
            .env(CARGO, self.program())
    }

    /// This program as the `cargo` of a block.
    fn program(&self) -> PathBuf {
        self.folder.path().join("bin").join("cargo")
    }

    /// Definitions for bash that log cargo also where a block names its path: a function whose name is that path. `path` is the
    /// PATH without the log.
    #[must_use]
    pub fn definitions(&self, path: &OsStr) -> String {
        let is_plain = |path: &&String| {
            let mut letters = path.chars();
            letters.all(|letter| letter.is_ascii_alphanumeric() || "/._+-".contains(letter))
        };
        let program = self.program();
        let found = installed(path);
        let definitions = found.iter().filter(is_plain).map(|path| {
            format!(
                "builtin eval 'function {path} {{ {PROGRAM}={path} \"{}\" \"$@\"; }}' 2>/dev/null || :\n",
                program.display()
            )
        });
        definitions.collect()
    }

    /// The calls that started since the last time, in order.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn take(&self) -> Result<Vec<CargoCall>> {
        let mut calls = Vec::new();
        loop {
            let number = self.next.load(Ordering::Relaxed);
            let Some(call) = read(self.folder.path(), number)? else {
                return Ok(calls);
            };
            self.next.store(number + 1, Ordering::Relaxed);
            calls.push(call);
        }
    }
}

/// The paths of cargo: the first in `path`, that of the cargo that started this program, and those of rustup's toolchains.
fn installed(path: &OsStr) -> Vec<String> {
    let in_path = std::env::split_paths(path).map(|folder| folder.join("cargo"));
    let first = in_path.into_iter().find(|path| path.is_file());
    let started = std::env::var_os(CARGO).map(PathBuf::from);
    let home = std::env::home_dir().map(|home| home.join(".rustup"));
    let rustup = std::env::var_os("RUSTUP_HOME").map(PathBuf::from).or(home);
    let toolchains = rustup.and_then(|rustup| std::fs::read_dir(rustup.join("toolchains")).ok());
    let toolchains = toolchains.into_iter().flatten().flatten();
    let toolchains = toolchains.map(|toolchain| toolchain.path().join("bin").join("cargo"));
    let all = first.into_iter().chain(started).chain(toolchains);
    let absolute = all.filter(|path| path.is_absolute() && path.is_file());
    let texts: std::collections::BTreeSet<String> = absolute
        .filter_map(|path| path.into_os_string().into_string().ok())
        .collect();
    texts.into_iter().collect()
}

/// The folder of the log whose `cargo` this program was started as, also where a block has cleared the environment but PATH.
fn folder_of_this_call() -> Option<PathBuf> {
    let named = std::env::var_os(FOLDER).map(PathBuf::from);
    named.or_else(|| {
        let path = std::env::var_os("PATH")?;
        let mut folders = std::env::split_paths(&path);
        let programs = folders.find(|folder| folder.join("cargo").is_file())?;
        let folder = programs.parent()?;
        let name = folder.file_name()?.to_string_lossy();
        (name.starts_with(PREFIX) && folder.join(LOCK).is_file()).then(|| folder.to_owned())
    })
}

/// The files of one call.
fn file(folder: &Path, number: u64, what: &str) -> PathBuf {
    folder.join(format!("{number}.{what}"))
}

fn read(folder: &Path, number: u64) -> Result<Option<CargoCall>> {
    let content = |what: &str| {
        let path = file(folder, number, what);
        super::files::read_if_exists(
            camino::Utf8Path::from_path(&path).context("the log's path is not UTF-8")?,
        )
    };
    let Some(beginning) = content("call")? else {
        return Ok(None);
    };
    // The call is created before it is written: one that cannot be read has only begun, or the disk was full.
    let beginning: Option<Beginning> = serde_json::from_slice(&beginning).ok();
    let exit = content("exit")?;
    let exit = exit.and_then(|text| String::from_utf8_lossy(&text).trim().parse().ok());
    let written = |what: &str| std::fs::metadata(file(folder, number, what))?.modified();
    let begun = written("call").unwrap_or_else(|_| SystemTime::now());
    let ended = written("exit").unwrap_or_else(|_| SystemTime::now());
    Ok(Some(CargoCall {
        folder: beginning
            .as_ref()
            .map(|beginning| beginning.folder.clone())
            .unwrap_or_default(),
        arguments: beginning.map(|beginning| beginning.arguments),
        time: (begun, ended),
        exit,
        output: content("out")?.unwrap_or_default(),
        errors: content("err")?,
    }))
}

/// The lock file of a log, which has its name only once it is locked.
#[cfg(unix)]
fn locked(folder: &Path) -> std::io::Result<File> {
    let unnamed = folder.join("unlocked");
    let lock = File::create(&unnamed)?;
    lock.lock()?;
    std::fs::rename(unnamed, folder.join(LOCK))?;
    Ok(lock)
}

/// Removes the logs of killed processes from the folder for temporary files.
#[cfg(unix)]
fn remove_left_behind(temporary: &Path) {
    /// The age from which a log without a lock is not being made any more.
    const OLD: std::time::Duration = std::time::Duration::from_secs(3600);
    let Ok(entries) = std::fs::read_dir(temporary) else {
        return;
    };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let is_free = match File::options().write(true).open(entry.path().join(LOCK)) {
            Ok(lock) => lock.try_lock().is_ok(),
            Err(_) => {
                let modified = entry.metadata().and_then(|metadata| metadata.modified());
                let age = modified.ok().and_then(|modified| modified.elapsed().ok());
                age.is_some_and(|age| age > OLD)
            }
        };
        if is_free {
            // A temporary file that cannot be removed does no harm.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Runs cargo and logs it, if this program was started as the `cargo` of a block. Returns the exit status.
#[must_use]
pub fn run_as_cargo(arguments: &[OsString]) -> Option<Result<i32>> {
    let name = Path::new(arguments.first()?).file_name()?;
    if name != "cargo" {
        return None;
    }
    let folder = folder_of_this_call()?;
    #[cfg(unix)]
    {
        Some(shim::run(&folder, &arguments[1..]))
    }
    #[cfg(not(unix))]
    {
        drop(folder);
        None
    }
}

#[cfg(unix)]
mod shim {
    use std::ffi::OsString;
    use std::fs::File;
    use std::io::{PipeReader, Read as _, Write};
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::process::ExitStatusExt as _;
    use std::path::{Path, PathBuf};
    use std::process::{Command, ExitStatus};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread::JoinHandle;
    use std::time::{Duration, Instant};

    use anyhow::{Context as _, Result};

    use super::{Beginning, CARGO, CARGO_BEFORE, FOLDER, PROGRAM, file};

    /// The time that an open pipe may be silent after cargo has ended, because a daemon may keep it open.
    const SILENCE: Duration = Duration::from_millis(500);

    /// A thread that copies one stream to the log and to its destination.
    struct Copying {
        thread: JoinHandle<()>,
        copied: Arc<AtomicU64>,
    }

    pub(super) fn run(folder: &Path, arguments: &[OsString]) -> Result<i32> {
        let Some((program, path)) = next_cargo(&folder.join("bin")) else {
            let message = b"cargo: command not found\n";
            std::io::stderr()
                .write_all(message)
                .context("failed to write to standard error")?;
            return Ok(127);
        };
        let number = begin(folder, arguments)?;
        let log = |what: &str| {
            let path = file(folder, number, what);
            File::create(&path).with_context(|| format!("failed to create {}", path.display()))
        };
        let mut command = Command::new(program);
        command.args(arguments).env("PATH", path);
        for variable in [FOLDER, CARGO_BEFORE, PROGRAM] {
            command.env_remove(variable);
        }
        if std::env::var_os(CARGO).is_some_and(|cargo| cargo == *folder.join("bin").join("cargo")) {
            match std::env::var_os(CARGO_BEFORE) {
                Some(before) => command.env(CARGO, before),
                None => command.env_remove(CARGO),
            };
        }
        let (reader, writer) = std::io::pipe().context("failed to open a pipe")?;
        let mut copies = Vec::new();
        if same_file(std::io::stdout(), std::io::stderr()) {
            let second = writer.try_clone().context("failed to open a pipe")?;
            command.stdout(writer).stderr(second);
            copies.push(copy(reader, log("out")?, std::io::stdout()));
        } else {
            let (error_reader, error_writer) = std::io::pipe().context("failed to open a pipe")?;
            command.stdout(writer).stderr(error_writer);
            copies.push(copy(reader, log("out")?, std::io::stdout()));
            copies.push(copy(error_reader, log("err")?, std::io::stderr()));
        }
        let mut child = command.spawn().context("failed to start cargo")?;
        // The command contains the writing ends of the pipes.
        drop(command);
        end_with_us(child.id())?;
        let status = child.wait().context("failed to wait for cargo")?;
        for copying in copies {
            copying.finish();
        }
        let exit = exit_code(status);
        log("exit")?
            .write_all(exit.to_string().as_bytes())
            .context("failed to write the log of cargo commands")?;
        Ok(exit)
    }

    /// Records the start of a call and returns its number.
    fn begin(folder: &Path, arguments: &[OsString]) -> Result<u64> {
        let lossy = |word: &OsString| word.to_string_lossy().into_owned();
        let beginning = Beginning {
            arguments: arguments.iter().map(lossy).collect(),
            folder: std::env::current_dir().unwrap_or_default(),
        };
        let text = serde_json::to_vec(&beginning).context("failed to log a cargo command")?;
        for number in 0.. {
            match File::create_new(file(folder, number, "call")) {
                Ok(mut call) => {
                    call.write_all(&text)
                        .context("failed to log a cargo command")?;
                    return Ok(number);
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error).context("failed to log a cargo command"),
            }
        }
        unreachable!("a file can be created or the error is returned")
    }

    /// The next cargo in PATH after this program, and PATH without this program's folder.
    fn next_cargo(own: &Path) -> Option<(PathBuf, OsString)> {
        let path = std::env::var_os("PATH")?;
        let folders: Vec<PathBuf> = std::env::split_paths(&path)
            .filter(|folder| folder != own)
            .collect();
        let executable = |path: &PathBuf| {
            let found = std::fs::metadata(path);
            found.is_ok_and(|found| found.is_file() && found.mode() & 0o111 != 0)
        };
        let program = folders
            .iter()
            .map(|folder| folder.join("cargo"))
            .find(executable)?;
        let program = std::env::var_os(PROGRAM).map_or(program, PathBuf::from);
        Some((program, std::env::join_paths(folders).ok()?))
    }

    /// Whether two streams are the same pipe or file, so that the order of their output is kept.
    fn same_file(one: impl AsFd, other: impl AsFd) -> bool {
        let identity = |stream: &dyn AsFd| {
            let owned = stream.as_fd().try_clone_to_owned().ok()?;
            let found = File::from(owned).metadata().ok()?;
            Some((found.dev(), found.ino()))
        };
        let (one, other) = (identity(&one), identity(&other));
        one.is_some() && one == other
    }

    fn copy(mut from: PipeReader, mut log: File, mut to: impl Write + Send + 'static) -> Copying {
        let copied = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&copied);
        let thread = std::thread::spawn(move || {
            let mut buffer = vec![0; 16 * 1024];
            let mut has_reader = true;
            loop {
                let length = match from.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(length) => length,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    Err(_) => return,
                };
                // Output that cannot be logged is missing from the account, which then does not add up.
                if log.write_all(&buffer[..length]).is_err() {
                    return;
                }
                // `| head -1` stops reading, but the log continues.
                has_reader = has_reader
                    && to
                        .write_all(&buffer[..length])
                        .and_then(|()| to.flush())
                        .is_ok();
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Copying { thread, copied }
    }

    impl Copying {
        /// Waits for the end of the stream, or for silence.
        fn finish(self) {
            let mut known = self.copied.load(Ordering::Relaxed);
            let mut since = Instant::now();
            let mut pause = Duration::from_micros(200);
            while !self.thread.is_finished() && since.elapsed() < SILENCE {
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(10));
                let now = self.copied.load(Ordering::Relaxed);
                if now != known {
                    known = now;
                    since = Instant::now();
                }
            }
        }
    }

    /// Ends cargo if a signal ends this program.
    fn end_with_us(child: u32) -> Result<()> {
        use nix::sys::signal::{Signal, kill};
        let child = nix::unistd::Pid::from_raw(child.cast_signed());
        ctrlc::set_handler(move || {
            // Fails only if cargo has just ended.
            let _gone = kill(child, Signal::SIGTERM);
        })
        .context("failed to install a signal handler")
    }

    fn exit_code(status: ExitStatus) -> i32 {
        let signalled = status.signal().map(|signal| 128 + signal);
        status.code().or(signalled).unwrap_or(-1)
    }
}
