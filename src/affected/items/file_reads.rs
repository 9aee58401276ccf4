//! Files that code reads at run time. A test that reads source files depends on every byte of them.
//!
//! Paths are only known at run time, so text that may be a path is treated as one: its item may read the file with that name, or anything
//! in the folder. Paths are relative to the package's folder, where cargo runs tests, to the workspace's root, or to the folder of the
//! source.

use std::collections::BTreeSet;

use camino::Utf8Path;

use crate::workspace::source::attribute::unquote;
use crate::workspace::source::syntax::Syntax;

/// The maximum length of a path.
const LONGEST: usize = 160;
/// The whole workspace.
pub(super) const ANYTHING: &str = ".";
/// The file that contains the item.
pub(super) const OWN_FILE: &str = "file!()";

/// A script or a makefile that the item may run, by whatever path.
pub(crate) const SCRIPT: &str = "#!";
/// The program git, a library like it, or a file of git that a commit changes.
pub(super) const GIT: &str = "git";
/// A command that runs git, if the item starts processes.
pub(super) const GIT_COMMAND: &str = "git …";
/// A command of git that compares or lists the files of the work tree, if the item starts processes.
pub(super) const GIT_FILES: &str = "git diff";
/// The folder in which the process runs.
pub(super) const CURRENT_FOLDER: &str = "current_dir()";

/// The folder of the package, which the item requests without a path below it.
pub(super) const OWN_FOLDER: &str = "CARGO_MANIFEST_DIR";

/// Whether an item with these paths walks folders at run time, and names no path.
pub(super) fn walks_only(reads: &[String]) -> bool {
    let marks = [ANYTHING, OWN_FOLDER, CURRENT_FOLDER, SCRIPT];
    let mut reads = reads.iter().map(String::as_str);
    reads.clone().any(|path| path == ANYTHING) && reads.all(|path| marks.contains(&path))
}

/// Hints about the files that an item may read.
#[derive(Default)]
pub(super) struct FileAccessHints {
    /// Text that may be a path.
    written: Vec<String>,
    /// Text that is the path of an included source file.
    included: Vec<String>,
    /// Hints from its words.
    told: BTreeSet<Hint>,
}

/// A hint from the words of an item.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Hint {
    /// It uses paths: a single word may be one.
    Paths,
    /// It walks a folder.
    Walks,
    /// It requests the folder of its package.
    Where,
    /// It recognizes Rust sources by their extension.
    Rust,
    /// It requests a parent folder.
    Up,
    /// It asks where the process runs.
    Here,
    /// It names a script, or a tool that runs what a file of the workspace tells.
    Script,
    /// It names a program that runs scripts.
    Interpreter,
    /// It hands code to such a program.
    Inline,
    /// It runs git, or reads what git stores.
    Git,
    /// It contains a command of git.
    GitCommand,
    /// It names a subcommand that compares or lists the files of the work tree.
    Subcommand,
    /// It names a folder of git.
    GitFolder,
    /// It names a file in which git stores commits.
    Commits,
}

impl FileAccessHints {
    /// Adds a word of the code.
    pub(super) fn word(&mut self, word: &str) {
        match word {
            "read_dir" | "read_dir_utf8" | "WalkDir" | "WalkBuilder" | "walkdir" => {
                self.told.extend([Hint::Walks, Hint::Paths]);
            }
            "parent" | "pop" => {
                self.told.insert(Hint::Up);
            }
            "current_dir" => {
                self.told.insert(Hint::Here);
            }
            _ if is_git_library(word) => {
                self.told.insert(Hint::Git);
            }
            _ if word.contains("git") || word.contains("GIT") => {
                self.told.insert(Hint::GitFolder);
            }
            "Path" | "PathBuf" | "Utf8Path" | "Utf8PathBuf" | "File" | "fs" | "join"
            | "read_to_string" | "canonicalize" => {
                self.told.insert(Hint::Paths);
            }
            _ => {}
        }
    }

    /// Adds a string literal at a token.
    pub(super) fn text(&mut self, syntax: &Syntax<'_>, at: u32) {
        let written = syntax.word(at);
        if written.len() > LONGEST {
            return;
        }
        match unquote(written).as_str() {
            "CARGO_MANIFEST_DIR" => {
                self.told.insert(Hint::Where);
            }
            "rs" | ".rs" | "*.rs" => {
                self.told.insert(Hint::Rust);
            }
            "**/*.rs" => self.told.extend([Hint::Walks, Hint::Rust]),
            text => {
                self.told.extend(scripting(text));
                self.told.extend(of_git(text));
                if text.split(' ').any(lists_files) {
                    self.told.insert(Hint::Subcommand);
                }
                let Some(path) = path(text).filter(|_| !is_compared(syntax, at)) else {
                    return;
                };
                let before = self.written.last_mut();
                if let Some(before) = before.filter(|_| goes_on(syntax, at)) {
                    before.push('/');
                    before.push_str(path);
                } else {
                    self.written.push(path.to_owned());
                }
            }
        }
    }

    /// Adds a file that is embedded in the program.
    pub(super) fn embedded(&mut self, text: &str) {
        let path = text.trim_start_matches('/');
        self.written.push(format!("./{path}"));
    }

    /// Adds a file that is included as code.
    pub(super) fn included(&mut self, text: &str) {
        self.included.push(text.trim_start_matches('/').to_owned());
    }

    /// The item requests the path of its own source, perhaps to read it.
    pub(super) fn own_file(&mut self) {
        self.written.push(OWN_FILE.to_owned());
    }

    /// The paths that the item may read, whether it may walk any folder, and whether its paths may leave the package.
    pub(super) fn finish(mut self) -> (Vec<String>, bool, bool) {
        self.written.retain(|path| !self.included.contains(path));
        let paths = self.told.contains(&Hint::Paths);
        let long = |path: &String| path.contains('/') || is_file_name(path);
        let above = |path: &String| path.trim_matches(['.', '/']).is_empty();
        let written = self.written.iter().any(long);
        let rooted = self.told.contains(&Hint::Where);
        let somewhere = rooted && !self.written.iter().any(|path| names_source(path));
        let anywhere = self.told.contains(&Hint::Walks)
            && (somewhere || self.told.contains(&Hint::Rust) || self.written.iter().any(above));
        let any_folder = !written || self.written.iter().any(above);
        let escapes = rooted && self.told.contains(&Hint::Up);
        self.written
            .retain(|path| !above(path) && (paths || long(path)));
        if anywhere {
            self.written.push(ANYTHING.to_owned());
        }
        if rooted && !written {
            self.written.push(OWN_FOLDER.to_owned());
        }
        if self.told.contains(&Hint::Here) {
            self.written.push(CURRENT_FOLDER.to_owned());
        }
        let interprets = self.told.contains(&Hint::Interpreter);
        if self.told.contains(&Hint::Script) || interprets && !self.told.contains(&Hint::Inline) {
            self.written.push(SCRIPT.to_owned());
        }
        let folder = self.told.contains(&Hint::GitFolder) && self.told.contains(&Hint::Commits);
        if folder || self.told.contains(&Hint::Git) {
            self.written.push(GIT.to_owned());
        }
        let command = self.told.contains(&Hint::GitCommand);
        if command {
            self.written.push(GIT_COMMAND.to_owned());
        }
        if (command || self.told.contains(&Hint::Git)) && self.told.contains(&Hint::Subcommand) {
            self.written.push(GIT_FILES.to_owned());
        }
        self.written.sort();
        self.written.dedup();
        (self.written, any_folder, escapes)
    }
}

/// What a text tells of scripts.
fn scripting(text: &str) -> Option<Hint> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    if text.split(|c| !is_part(c)).any(is_script) {
        return Some(Hint::Script);
    }
    match text {
        "make" | "gmake" | "just" | "ninja" => Some(Hint::Script),
        "sh" | "bash" | "dash" | "zsh" | "fish" | "ksh" | "pwsh" | "powershell" | "python"
        | "python3" | "perl" | "ruby" | "/bin/sh" | "/bin/bash" | "/usr/bin/env" => {
            Some(Hint::Interpreter)
        }
        "-c" | "-e" | "-Command" => Some(Hint::Inline),
        _ => None,
    }
}

/// Whether a word is a crate that runs git or reads its files.
fn is_git_library(word: &str) -> bool {
    matches!(
        word,
        "git2"
            | "gix"
            | "git_version"
            | "git_testament"
            | "git_describe"
            | "shadow_rs"
            | "write_built_file"
    ) || word.starts_with("vergen")
}

/// Whether a word is a subcommand of git that compares or lists the files of the work tree, or an option for that.
fn lists_files(word: &str) -> bool {
    matches!(
        word,
        "diff" | "diff-files" | "diff-index" | "grep" | "ls-files" | "stash" | "status" | "--dirty"
    )
}

/// The hint about git in a string literal.
fn of_git(text: &str) -> Option<Hint> {
    let is_program = matches!(text, "git" | "git.exe") || text.ends_with("/git");
    if is_program || text.starts_with("git ") {
        return Some(Hint::Git);
    }
    if let Some((_, file)) = text.rsplit_once(".git/") {
        // A commit changes no other file of git.
        let kept = [
            "config",
            "description",
            "hooks",
            "info",
            "modules",
            "worktrees",
        ];
        let is_kept = kept.iter().any(|name| file.starts_with(name));
        return (!is_kept).then_some(Hint::Git);
    }
    let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '.'));
    if words.clone().any(|word| word == ".git") {
        return Some(Hint::GitFolder);
    }
    if matches!(text, "HEAD" | "refs" | "logs" | "packed-refs") || text.starts_with("refs/") {
        return Some(Hint::Commits);
    }
    let is_command = text.contains("git ") && words.any(|word| word == "git");
    is_command.then_some(Hint::GitCommand)
}

/// Whether a path is that of a script.
pub(crate) fn is_script(path: &str) -> bool {
    let (stem, extension) = path.rsplit_once('.').unwrap_or((path, ""));
    let name = stem.rsplit('/').next().unwrap_or(stem);
    matches!(
        name,
        "Makefile" | "GNUmakefile" | "makefile" | "justfile" | "Justfile"
    ) || matches!(
        extension,
        "sh" | "bash" | "zsh" | "fish" | "nu" | "py" | "pl" | "rb" | "ps1" | "bat" | "mjs" | "mk"
    )
}

/// Whether a text that may be a path has several parts, or is the name of a Rust file.
fn names_source(path: &str) -> bool {
    path.contains('/') || Utf8Path::new(path).extension() == Some("rs")
}

/// Whether a word is the name of a file: `data.json`, `LICENSE`.
fn is_file_name(word: &str) -> bool {
    let path = Utf8Path::new(word);
    let extension = path.extension().unwrap_or_default();
    // `LICENSE`; or a variable that holds a path.
    let usual = |c: char| c.is_ascii_uppercase() || matches!(c, '-' | '_');
    let upper = word.len() > 3 && word.chars().all(usual);
    upper
        || word == OWN_FILE
        || extension.len() <= 8
            && extension.starts_with(|c: char| c.is_ascii_alphabetic())
            && extension.chars().all(|c| c.is_ascii_alphanumeric())
            && path.file_stem().is_some_and(|stem| !stem.is_empty())
}

/// The part of a text that may be a path: without the placeholders before it, and up to the first wildcard.
fn path(text: &str) -> Option<&str> {
    let text = text.rsplit_once('}').map_or(text, |(_, rest)| rest);
    let text = text.trim_start_matches('/');
    let text = match text.find('*') {
        Some(unresolved) => &text[..=text[..unresolved].rfind('/')?],
        None => text,
    };
    let usual = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    (!text.is_empty() && text.chars().all(usual)).then_some(text)
}

/// Whether other text is compared with the literal at a token: `line.contains("src/")`.
pub(super) fn is_compared(syntax: &Syntax<'_>, at: u32) -> bool {
    let method = at.checked_sub(2).map(|at| syntax.word(at));
    let called = at > 0 && syntax.opens(at - 1, b'(');
    called
        && matches!(
            method,
            Some(
                "contains"
                    | "starts_with"
                    | "ends_with"
                    | "strip_prefix"
                    | "strip_suffix"
                    | "trim_start_matches"
                    | "trim_end_matches"
                    | "find"
                    | "rfind"
                    | "split"
                    | "split_once"
                    | "rsplit_once"
                    | "replace"
            )
        )
}

/// Whether the literal at a token continues the previous one: `Path::new("a").join("b")`.
fn goes_on(syntax: &Syntax<'_>, at: u32) -> bool {
    let is = |back: u32, words: &[&str]| {
        at.checked_sub(back)
            .is_some_and(|at| words.contains(&syntax.word(at)))
    };
    is(2, &["join"]) && is(4, &[")"]) && is(7, &["join", "new", "from"])
}
