//! The mutants of a change, from cargo-mutants.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use anyhow::{Context as _, Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::programs::not_interrupted;
use crate::diff;
use crate::exit::{Exit, OrExit as _};
use crate::script::shell::Settings;
use crate::sys::exec::{self, ProcessCommand};
use crate::sys::files;

/// How to install cargo-mutants.
const INSTALL: &str =
    "mutants come from cargo-mutants; install it with `cargo install cargo-mutants`";
/// The option of cargo-mutants that ignores [`SETTINGS`].
pub(super) const WITHOUT_SETTINGS: &str = "--no-config";
/// The file of its settings, relative to the workspace root.
pub(super) const SETTINGS: &str = ".cargo/mutants.toml";
/// The comment that cargo-mutants adds to each mutation.
const MARK: &str = "/* ~ changed by cargo-mutants ~ */";

/// The function of a mutant that is in none.
const OUTSIDE: &str = "an item outside of functions";

/// A change of code that a test should detect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// Its file, relative to the workspace root.
    pub file: Utf8PathBuf,
    /// The name of its package.
    pub package: String,
    /// Its function, or [`OUTSIDE`].
    pub function: String,
    /// The bytes of its function; its own bytes if it is in none.
    pub function_bytes: Range<usize>,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The column in bytes, from 1.
    pub byte_column: u32,
    /// The bytes that the replacement replaces.
    pub bytes: Range<usize>,
    /// The text in their place.
    pub replacement: String,
    /// The mutation: `replace > with == in add`.
    pub name: String,
    /// The removed and added lines.
    pub diff: String,
}

impl Mutant {
    /// `src/lib.rs:3:10`
    #[must_use]
    pub fn place(&self) -> String {
        let file = files::slashed(&self.file);
        format!("{file}:{}:{}", self.line, self.column)
    }

    /// The text of its file with the mutation.
    #[must_use]
    pub fn apply(&self, text: &str) -> String {
        let mut mutated = text.to_owned();
        mutated.replace_range(self.bytes.clone(), &self.replacement);
        mutated
    }
}

/// The part of cargo-mutants' list that is used.
#[derive(Deserialize)]
struct Listed {
    file: Utf8PathBuf,
    package: String,
    function: Option<Function>,
    name: String,
    replacement: String,
    span: Span,
}

/// A file that cargo-mutants reads.
#[derive(Deserialize)]
struct ReadFile {
    path: Utf8PathBuf,
}

#[derive(Deserialize)]
struct Function {
    function_name: String,
    span: Span,
}

#[derive(Deserialize)]
struct Span {
    start: Place,
    end: Place,
}

#[derive(Deserialize)]
struct Place {
    line: u32,
    column: u32,
}

/// The mutants in the lines of a diff; `more` are other arguments. `root` is the workspace root.
///
/// # Errors
/// When cargo-mutants is not installed, fails, or prints another format.
pub(super) fn mutants(
    root: &Utf8Path,
    diff: &Utf8Path,
    more: &[&str],
    settings: &Settings,
) -> Result<Vec<Mutant>> {
    let more = [&["--list", "--in-diff", diff.as_str()], more].concat();
    let listed: Vec<Listed> = said(root, &more, settings)?;
    let mut mutants = Vec::new();
    for one in listed {
        let path = root.join(&one.file);
        let text = String::from_utf8(files::read(&path)?)
            .with_context(|| format!("{path} is not UTF-8"))?;
        let mutant = read(one, &text);
        mutants.push(
            mutant.with_context(|| {
                format!("cargo-mutants named a place that {path} does not have")
            })?,
        );
    }
    Ok(mutants)
}

/// The files that cargo-mutants reads without its settings, relative to the workspace root.
///
/// # Errors
/// As for [`mutants`].
pub(super) fn files(root: &Utf8Path, settings: &Settings) -> Result<BTreeSet<Utf8PathBuf>> {
    let read: Vec<ReadFile> = said(root, &["--list-files", WITHOUT_SETTINGS], settings)?;
    Ok(read.into_iter().map(|file| file.path).collect())
}

/// The list that cargo-mutants prints with these arguments.
fn said<T: DeserializeOwned>(
    root: &Utf8Path,
    more: &[&str],
    settings: &Settings,
) -> Result<Vec<T>> {
    let command = ProcessCommand::new("cargo-mutants")
        .remedy(INSTALL)
        .args(["mutants", "--json", "--workspace", "--dir"])
        .arg(root)
        .args(more);
    let command = settings.prepare(command, root);
    let captured = exec::capture(&command).or_exit(Exit::CouldNotRun)?;
    not_interrupted(captured.ended)?;
    let said = || {
        let text = String::from_utf8_lossy(&captured.stderr);
        text.trim().to_owned()
    };
    if !captured.ended.success() {
        return Err(anyhow!("{}", said())).with_context(|| {
            format!(
                "cargo-mutants could not list the mutants ({})",
                captured.ended
            )
        });
    }
    // Without a mutant, cargo-mutants prints nothing or an empty list.
    if captured.stdout.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_slice(&captured.stdout)
        .context("cargo-mutants printed a list in another format; version 27 has the known one")
}

fn read(listed: Listed, text: &str) -> Option<Mutant> {
    let lines = Lines::of(text);
    let bytes = lines.range(&listed.span)?;
    let (function, function_bytes) = match listed.function {
        Some(function) => (function.function_name, lines.range(&function.span)?),
        // Of a constant, for example.
        None => (OUTSIDE.to_owned(), bytes.clone()),
    };
    if !(function_bytes.start <= bytes.start && bytes.end <= function_bytes.end) {
        return None;
    }
    let at = listed.span.start;
    let line = lines.starts.get((at.line as usize).checked_sub(1)?)?;
    let byte_column = u32::try_from(bytes.start - line + 1).ok()?;
    // `src/lib.rs:3:10: replace > with == in add`
    let lead = format!("{}:{}:{}: ", listed.file, at.line, at.column);
    let name = listed.name.strip_prefix(&lead).unwrap_or(&listed.name);
    let mut mutant = Mutant {
        function,
        function_bytes,
        line: at.line,
        column: at.column,
        byte_column,
        replacement: format!("{} {MARK}", listed.replacement),
        name: name.to_owned(),
        diff: String::new(),
        file: listed.file,
        package: listed.package,
        bytes,
    };
    let shown = Mutant {
        replacement: listed.replacement,
        ..mutant.clone()
    };
    mutant.diff = changed_lines(text, &shown.apply(text));
    Some(mutant)
}

/// The removed and added lines of a change.
fn changed_lines(before: &str, after: &str) -> String {
    let unified = diff::unified("", before, after);
    let lines = unified.lines().skip(2);
    let changed = lines.filter(|line| line.starts_with(['-', '+']));
    let mut text = String::new();
    for line in changed {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// The starts of the lines of a text.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes());
        Self {
            text,
            starts: std::iter::once(0).chain(ends.map(|at| at + 1)).collect(),
        }
    }

    fn range(&self, span: &Span) -> Option<Range<usize>> {
        let (start, end) = (self.byte(&span.start)?, self.byte(&span.end)?);
        (start <= end).then_some(start..end)
    }

    fn byte(&self, place: &Place) -> Option<usize> {
        let start = *self.starts.get((place.line as usize).checked_sub(1)?)?;
        let characters = (place.column as usize).checked_sub(1)?;
        let rest = &self.text[start..];
        let mut places = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
        Some(start + places.nth(characters)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "fn a() -> bool {\n    \"é\" > \"b\"\n}\n";
        let place = |line, column| Place { line, column };
        let listed = Listed {
            file: "src/lib.rs".into(),
            package: "a".to_owned(),
            function: Some(Function {
                function_name: "a".to_owned(),
                span: Span {
                    start: place(1, 1),
                    end: place(3, 2),
                },
            }),
            name: "src/lib.rs:2:9: replace > with < in a".to_owned(),
            replacement: "<".to_owned(),
            span: Span {
                start: place(2, 9),
                end: place(2, 10),
            },
        };
        let mutant = read(listed, text).unwrap();
        assert_eq!(mutant.name, "replace > with < in a");
        assert_eq!(mutant.diff, "-    \"é\" > \"b\"\n+    \"é\" < \"b\"\n");
        assert_eq!(
            mutant.apply(text),
            format!("fn a() -> bool {{\n    \"é\" < {MARK} \"b\"\n}}\n")
        );
        assert_eq!((mutant.column, mutant.byte_column), (9, 10));
    }
}
