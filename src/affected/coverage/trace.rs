//! The files that the processes of a test or of a build touched, from the output of strace.
//!
//! Unknown lines and calls, and processes whose end is missing, are errors: then the trace proves nothing.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};

use crate::sys::files::{self, normalize as normal};

/// The tracer.
pub const PROGRAM: &str = "strace";

/// Its arguments, before `-o FILE -- COMMAND`. Paths of file descriptors are printed; a `?` accepts calls that the platform does not have.
pub const ARGUMENTS: [&str; 8] = [
    "--seccomp-bpf",
    "-f",
    "-q",
    "-y",
    "-s",
    "0",
    "-e",
    "trace=%file,?fchdir,?open_by_handle_at,?io_uring_setup",
];

/// Calls after which paths in the trace have another meaning, or which open files without one.
const OPAQUE: [&str; 6] = [
    "chroot",
    "io_uring_setup",
    "mount",
    "move_mount",
    "open_by_handle_at",
    "pivot_root",
];

/// The files that processes touched: opened, executed, or looked up, whether they exist or not.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Absolute paths.
    pub paths: BTreeSet<Utf8PathBuf>,
    /// Folders that were opened, so that their entries may have been read.
    pub listed: BTreeSet<Utf8PathBuf>,
    /// The targets of symbolic links that were created.
    linked: BTreeSet<Utf8PathBuf>,
    /// The exit status of the first process.
    pub status: Option<i32>,
}

/// Reads a trace of processes that started in `folder`.
///
/// # Errors
/// When the trace is truncated, contains an unknown line, or proves nothing.
pub fn parse(trace: &[u8], folder: &Utf8Path) -> Result<Touched> {
    let mut reading = Reading {
        folders: BTreeSet::from([folder.to_owned()]),
        touched: Touched::default(),
    };
    ensure!(trace.ends_with(b"\n"), "its trace is truncated");
    let (mut running, mut first) = (BTreeSet::new(), None);
    for line in String::from_utf8_lossy(trace).lines() {
        let unknown = || format!("its trace contains an unknown line: {line}");
        let (process, rest) = line.split_once(' ').with_context(unknown)?;
        let process: u32 = process.parse().ok().with_context(unknown)?;
        let rest = rest.trim_start();
        let first = *first.get_or_insert(process);
        running.insert(process);
        if let Some(end) = rest.strip_prefix("+++ exited with ") {
            running.remove(&process);
            if process == first {
                reading.touched.status = end.split(' ').next().and_then(|code| code.parse().ok());
            }
        } else if rest.starts_with("+++ killed by ") {
            running.remove(&process);
        } else if rest.starts_with("--- ") && rest.ends_with(" ---") {
            // A signal.
        } else if let Some(by) = rest.strip_prefix("+++ superseded by execve in pid ") {
            let by = by.trim_end_matches(" +++").parse();
            running.remove(&by.ok().with_context(unknown)?);
        } else if let Some(rest) = rest.strip_prefix("<... ") {
            let (name, rest) = rest.split_once(" resumed>").with_context(unknown)?;
            reading.call(name, rest).with_context(unknown)?;
        } else {
            let (name, rest) = rest.split_once('(').with_context(unknown)?;
            reading.call(name, rest).with_context(unknown)?;
        }
    }
    ensure!(
        first.is_some() && running.is_empty(),
        "its trace is truncated"
    );
    Ok(reading.touched)
}

struct Reading {
    /// Every folder that was the current one of a process.
    folders: BTreeSet<Utf8PathBuf>,
    touched: Touched,
}

impl Reading {
    /// The arguments and the result of a call, or a part of them.
    fn call(&mut self, name: &str, rest: &str) -> Result<()> {
        // The process was killed before strace could read which call it makes, so the kernel did not make it.
        if name == "???" && (rest == " <unfinished ...>" || rest.ends_with(" = ?")) {
            return Ok(());
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        ensure!(!name.is_empty() && name.bytes().all(is_name), "no call");
        ensure!(
            rest.ends_with("<unfinished ...>") || rest.contains(" = "),
            "a call without a result"
        );
        ensure!(!OPAQUE.contains(&name), "it calls {name}");
        let mut paths: Vec<Utf8PathBuf> = Vec::new();
        let mut texts: Vec<String> = Vec::new();
        let mut base: Option<Utf8PathBuf> = None;
        let mut left = rest;
        while let Some(at) = left.find(['"', '<']) {
            let (before, after) = left.split_at(at);
            let closing = if after.starts_with('"') { '"' } else { '>' };
            let (text, end) = unescaped(&after[1..], closing)?;
            left = &after[1 + end..];
            if closing == '"' {
                if text.is_empty() && left.starts_with("...") {
                    // Data that is not a path.
                    continue;
                }
                ensure!(!left.starts_with("..."), "a path is cut off");
                let text = String::from_utf8(text);
                // git does not list such files.
                let Ok(text) = text else { continue };
                let from = base.take();
                let folders = from
                    .iter()
                    .chain(self.folders.iter().filter(|_| from.is_none()));
                paths.extend(folders.map(|folder| normal(&folder.join(&text))));
                texts.push(text);
            } else if before.ends_with("AT_FDCWD") || before.ends_with(|c: char| c.is_ascii_digit())
            {
                let Ok(text) = String::from_utf8(text) else {
                    continue;
                };
                if !text.starts_with('/') {
                    continue;
                }
                let path = Utf8PathBuf::from(text.trim_end_matches(" (deleted)"));
                if before.ends_with("AT_FDCWD") || name == "fchdir" {
                    self.folders.insert(path.clone());
                }
                paths.push(path.clone());
                base = Some(path);
            }
        }
        if name.starts_with("symlink")
            && let (Some(target), Some(link)) = (texts.first(), paths.last())
        {
            let beside = link.parent().unwrap_or(link);
            self.touched.linked.insert(normal(&beside.join(target)));
        }
        if name == "chdir" {
            self.folders.extend(paths.iter().cloned());
        }
        if rest.contains("O_DIRECTORY") {
            self.touched.listed.extend(paths.iter().cloned());
        }
        self.touched.paths.extend(paths);
        Ok(())
    }
}

/// The bytes up to the character `closing`, and the position after it. strace escapes bytes as in C.
fn unescaped(text: &str, closing: char) -> Result<(Vec<u8>, usize)> {
    let mut bytes = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if character == closing {
            return Ok((bytes, at + 1));
        }
        if character != '\\' {
            bytes.extend(character.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let (_, escaped) = characters.next().context("a path is cut off")?;
        bytes.push(match escaped {
            'n' => b'\n',
            't' => b'\t',
            'r' => b'\r',
            'v' => 0x0b,
            'f' => 0x0c,
            '0'..='7' => {
                let mut value = escaped.to_digit(8).unwrap_or_default();
                for _ in 0..2 {
                    let next = characters.peek().and_then(|(_, next)| next.to_digit(8));
                    let Some(digit) = next else { break };
                    value = value * 8 + digit;
                    characters.next();
                }
                u8::try_from(value).context("no byte")?
            }
            '"' | '\\' | '<' | '>' => u8::try_from(escaped)?,
            _ => bail!("an unknown escape"),
        });
    }
    bail!("a path is cut off")
}

impl Touched {
    /// The touched paths inside of `root` and outside of `built`, relative to `root`; a listed folder ends with `/`.
    ///
    /// # Errors
    /// When links to files in `root` were created, because paths through such links are not in `root`.
    pub fn inside(&self, root: &Utf8Path, built: &Utf8Path) -> Result<BTreeSet<String>> {
        let is_ours = |path: &Utf8Path| path.starts_with(root) && !path.starts_with(built);
        if let Some(link) = self.linked.iter().find(|path| is_ours(path)) {
            bail!("it creates a symbolic link to {link}");
        }
        let relative = |path: &Utf8PathBuf| {
            let path = path.strip_prefix(root).unwrap_or(path);
            files::slashed(path)
        };
        let paths = self.paths.iter().filter(|path| is_ours(path));
        let listed = self.listed.iter().filter(|path| is_ours(path));
        let listed = listed.map(|path| relative(path) + "/");
        Ok(paths.map(relative).chain(listed).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touched(trace: &str) -> Result<BTreeSet<String>> {
        let touched = parse(trace.as_bytes(), Utf8Path::new("/ws/app"))?;
        touched.inside(Utf8Path::new("/ws"), Utf8Path::new("/ws/target"))
    }

    #[test]
    fn paths_are_resolved() {
        let trace = "7 execve(\"/ws/target/a\", [...], 0x7 /* 3 vars */) = 0\n\
                     7 openat(AT_FDCWD</ws/app>, \"data/\\303\\244 \\\"b\\\".txt\", O_RDONLY|O_CLOEXEC) = 3</ws/app/data/\\303\\244 \"b\".txt>\n\
                     7 openat(AT_FDCWD</ws/app>, \"..\", O_RDONLY|O_DIRECTORY <unfinished ...>\n\
                     8 chdir(\"/ws/other\")                     = 0\n\
                     8 readlink(\"/proc/self/exe\", \"\"..., 256) = 23\n\
                     8 access(\"x\", F_OK)               = -1 ENOENT (No such file or directory)\n\
                     7 <... openat resumed>)             = 4</ws>\n\
                     7 newfstatat(4</ws>, \"y\", {st_mode=S_IFREG|0644, ...}, 0) = 0\n\
                     9 +++ superseded by execve in pid 10 +++\n\
                     9 +++ exited with 0 +++\n7 --- SIGCHLD {si_signo=SIGCHLD, si_pid=8} ---\n8 +++ killed by SIGKILL +++\n7 +++ exited with 3 +++\n";
        let touched = touched(trace).unwrap();
        for path in ["app/data/ä \"b\".txt", "app/x", "other/x", "y", "/"] {
            assert!(touched.contains(path), "{path}: {touched:?}");
        }
        assert!(!touched.contains("target/a"));
    }

    #[test]
    fn a_call_of_a_killed_process_was_not_made() {
        let ended = |call: &str| {
            touched(&format!(
                "7 access(\"x\", F_OK) = 0\n8 {call}\n8 +++ exited with 0 +++\n7 +++ exited with 0 +++\n"
            ))
        };
        assert!(ended("???( <unfinished ...>").is_ok());
        assert!(ended("???()                                   = ?").is_ok());
        assert!(ended("???() = 0").is_err());
    }

    #[test]
    fn damage_is_an_error() {
        let whole = "7 access(\"x\", F_OK) = 0\n7 +++ exited with 0 +++\n";
        assert!(touched(whole).is_ok());
        for length in 0..whole.len() {
            assert!(touched(&whole[..length]).is_err(), "{length}");
        }
        for other in [
            "garbage\n",
            "7 access(\"x\n7 +++ exited with 0 +++\n",
            "7 chroot(\"/ws\") = 0\n7 +++ exited with 0 +++\n",
            "7 symlink(\"/ws/app\", \"/tmp/a\") = 0\n7 +++ exited with 0 +++\n",
            "7 access(\"x\"..., F_OK) = 0\n7 +++ exited with 0 +++\n",
        ] {
            assert!(touched(other).is_err(), "{other}");
        }
    }
}
