//! Parses the entries of a plan's TOML block, and whether each is new or a description.

use std::fmt;
use std::ops::Range;

use anyhow::Result;
use camino::Utf8PathBuf;
use semver::VersionReq;
use toml_edit::{Item, TableLike};

use super::mark::{Mark, Marks, blank_elisions, describes};
use super::specification::{Specification, a, strings};
use crate::exit::usage;
use crate::workspace::manifest::insert::quoted;
use crate::workspace::manifest::{Manifest, entry_of, line_of};

/// A TOML code block of a plan's Dependencies section.
#[derive(Debug, Clone)]
pub struct Block<'a> {
    /// Its manifest, relative to the workspace root, with `/`.
    pub manifest: Utf8PathBuf,
    /// The text between the fences.
    pub toml: &'a str,
    /// The 1-based line of the plan at which `toml` starts.
    pub line: usize,
    /// The paragraph directly above the fence; empty if there is none.
    pub lead: &'a str,
}

/// The content of a block.
#[derive(Debug, Clone, Default)]
pub struct Declarations {
    /// Dependencies and features, in the order of the block.
    pub entries: Vec<Declared>,
    /// Other content of the block, which is ignored.
    pub notes: Vec<Note>,
}

/// Something that was ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// 1-based line of the plan.
    pub line: usize,
    /// Its description, with a remedy.
    pub message: String,
}

/// An entry in a plan.
#[derive(Debug, Clone)]
pub struct Declared {
    /// Its manifest, relative to the workspace root, with `/`.
    pub manifest: Utf8PathBuf,
    /// Its table.
    pub table: Table,
    /// Its key: the dependency's or the feature's name.
    pub name: String,
    /// Its value.
    pub wanted: Wanted,
    /// Whether it is to be added.
    pub intent: Intent,
    /// 1-based line of the plan.
    pub line: usize,
    /// The text of the plan, for messages; may have several lines.
    pub text: String,
    /// Why it cannot be applied: a placeholder, or no version requirement.
    pub problem: Option<String>,
}

/// The value of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A dependency.
    Dependency(Specification),
    /// A feature with its values.
    Feature(Vec<String>),
}

/// Whether an entry is to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Marked as new: the manifest is changed to contain it.
    Apply,
    /// Not marked, in a block without entries marked as new: it is added if the manifest lacks it, otherwise ignored.
    AddIfAbsent,
    /// It describes the manifest and is never applied.
    Describe,
}

/// A table of a manifest with dependencies or features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Table {
    /// `[dependencies]` and its variants, optionally for a target.
    Dependencies {
        /// Normal, development or build dependencies.
        kind: Kind,
        /// The target's name or `cfg(…)`, as in the plan.
        target: Option<String>,
    },
    /// `[workspace.dependencies]`
    Workspace,
    /// `[features]`
    Features,
}

/// The kinds of dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `[dependencies]`
    Normal,
    /// `[dev-dependencies]`
    Dev,
    /// `[build-dependencies]`
    Build,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Normal, Self::Dev, Self::Build];

    /// The names of the table: the one that cargo writes, then the older one.
    pub(super) fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Normal => &["dependencies"],
            Self::Dev => &["dev-dependencies", "dev_dependencies"],
            Self::Build => &["build-dependencies", "build_dependencies"],
        }
    }

    fn of(table: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.tables().contains(&table))
    }
}

impl Table {
    /// The name in machine formats: `normal`, `dev`, `build`, `workspace` or `feature`.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Dependencies {
                kind: Kind::Normal, ..
            } => "normal",
            Self::Dependencies {
                kind: Kind::Dev, ..
            } => "dev",
            Self::Dependencies {
                kind: Kind::Build, ..
            } => "build",
            Self::Workspace => "workspace",
            Self::Features => "feature",
        }
    }
}

/// The table's header, as cargo writes it.
impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dependencies { kind, target: None } => {
                write!(formatter, "[{}]", kind.tables()[0])
            }
            Self::Dependencies {
                kind,
                target: Some(target),
            } => {
                write!(
                    formatter,
                    "[target.{}.{}]",
                    quoted(target),
                    kind.tables()[0]
                )
            }
            Self::Workspace => formatter.write_str("[workspace.dependencies]"),
            Self::Features => formatter.write_str("[features]"),
        }
    }
}

/// Parses a block.
///
/// An entry is marked as new by a comment whose first word is "Add" or "New" (`# Add for caching`), and as context by one that
/// starts with "existing", "already", "current", "unchanged", "present" or "context": at the end of one of the entry's lines, in the
/// comment lines directly above it, or on the table's header for all entries without a mark. A context comment on a separate line
/// applies to the entries below it, up to a blank line or the next comment. See [`Intent`] for the meaning of the marks. A block whose
/// lead contains "current dependencies" or "no new dependencies" describes every entry that is not marked as new. Lines that consist
/// of `...` are skipped.
///
/// # Errors
/// If the block is not TOML, or an entry is outside a table. The message contains the line of the plan.
pub fn declared(block: &Block<'_>) -> Result<Declarations> {
    let text = blank_elisions(block.toml);
    let manifest = Manifest::read(&text).map_err(|error| not_toml(block, &text, &error))?;
    let mut reader = Reader {
        block,
        text: &text,
        marks: Marks::new(&text),
        found: Declarations::default(),
        seen: Vec::new(),
    };
    reader.root(&manifest)?;
    Ok(reader.finish())
}

struct Reader<'a> {
    block: &'a Block<'a>,
    text: &'a str,
    marks: Marks<'a>,
    found: Declarations,
    /// The mark of each entry.
    seen: Vec<Option<Mark>>,
}

impl Reader<'_> {
    fn root(&mut self, manifest: &Manifest) -> Result<()> {
        let root = manifest.root();
        for (name, item) in root {
            let line = self.line(root.get_key_value(name).and_then(|(key, _)| key.span()));
            if let (Some(kind), Some(table)) = (Kind::of(name), item.as_table_like()) {
                self.table(&Table::Dependencies { kind, target: None }, item, table)?;
                continue;
            }
            match (name, item.as_table_like()) {
                ("features", Some(table)) => self.table(&Table::Features, item, table)?,
                ("target", Some(targets)) => self.targets(targets)?,
                ("workspace", Some(workspace)) => self.workspace(workspace)?,
                (_, Some(_)) if item.is_table() => self.left_alone(line, &format!("[{name}]")),
                (_, None) if item.is_array_of_tables() => {
                    self.left_alone(line, &format!("[[{name}]]"));
                }
                _ if name == "cargo-features" => self.left_alone(line, name),
                _ if Kind::of(name).is_some()
                    || ["features", "target", "workspace"].contains(&name) =>
                {
                    let what = a(item.type_name());
                    return Err(usage(format!(
                        "plan line {line}: `{name}` is a table in a Cargo.toml, not {what}"
                    )));
                }
                _ => {
                    return Err(usage(format!(
                        "plan line {line}: `{name}` is not in a table; put it under `[dependencies]` or the table it belongs in"
                    )));
                }
            }
        }
        Ok(())
    }

    fn targets(&mut self, targets: &dyn TableLike) -> Result<()> {
        for (target, tables) in targets.iter() {
            let Some(tables) = tables.as_table_like() else {
                continue;
            };
            for (name, item) in tables.iter() {
                if let (Some(kind), Some(table)) = (Kind::of(name), item.as_table_like()) {
                    self.table(
                        &Table::Dependencies {
                            kind,
                            target: Some(target.to_owned()),
                        },
                        item,
                        table,
                    )?;
                } else {
                    let line = self.line(item.span());
                    self.left_alone(line, &format!("[target.{}.{name}]", quoted(target)));
                }
            }
        }
        Ok(())
    }

    fn workspace(&mut self, workspace: &dyn TableLike) -> Result<()> {
        for (name, item) in workspace.iter() {
            match item.as_table_like() {
                Some(table) if name == "dependencies" => {
                    self.table(&Table::Workspace, item, table)?;
                }
                _ => {
                    let line = self.line(item.span());
                    self.left_alone(line, &format!("workspace.{name}"));
                }
            }
        }
        Ok(())
    }

    fn table(&mut self, table: &Table, item: &Item, entries: &dyn TableLike) -> Result<()> {
        let header = item
            .as_table()
            .filter(|table| !table.is_implicit() && !table.is_dotted());
        let inherited = header.and_then(|table| self.marks.of(&table.span().unwrap_or_default()));
        for (name, _) in entries.iter() {
            let Some((key, value)) = entries.get_key_value(name) else {
                continue;
            };
            let entry = entry_of(key, value);
            let line = self.line(Some(entry.span.clone()));
            let wanted = match table {
                Table::Features => strings(value)
                    .map(Wanted::Feature)
                    .ok_or_else(|| "a feature is an array of strings".to_owned()),
                _ => Specification::read(value, self.text).map(Wanted::Dependency),
            };
            let wanted =
                wanted.map_err(|why| usage(format!("plan line {line}: `{name}`: {why}")))?;
            self.seen.push(self.marks.of(&entry.span).or(inherited));
            self.found.entries.push(Declared {
                manifest: self.block.manifest.clone(),
                table: table.clone(),
                problem: problem(name, &wanted),
                name: name.to_owned(),
                wanted,
                intent: Intent::Describe,
                line,
                text: self.text[entry.span].to_owned(),
            });
        }
        Ok(())
    }

    /// Derives intents once all marks are known.
    fn finish(mut self) -> Declarations {
        let selective = self.seen.contains(&Some(Mark::New)) || describes(self.block.lead);
        for (entry, mark) in self.found.entries.iter_mut().zip(&self.seen) {
            entry.intent = match mark {
                Some(Mark::New) => Intent::Apply,
                Some(Mark::Context) => Intent::Describe,
                None if selective => Intent::Describe,
                None => Intent::AddIfAbsent,
            };
        }
        self.found.entries.sort_by_key(|entry| entry.line);
        self.found
    }

    fn left_alone(&mut self, line: usize, what: &str) {
        let message = format!("`{what}` is not a table of dependencies or features; it is ignored");
        self.found.notes.push(Note { line, message });
    }

    fn line(&self, span: Option<Range<usize>>) -> usize {
        self.block.line + line_of(self.text, span.unwrap_or_default().start) - 1
    }
}

fn not_toml(block: &Block<'_>, text: &str, error: &toml_edit::TomlError) -> anyhow::Error {
    let line = line_of(text, error.span().unwrap_or_default().start);
    let source = text.lines().nth(line - 1).unwrap_or_default().trim();
    let hint = if source.contains("...") || source.contains('…') {
        "; write the whole entry, or put `...` on a separate line"
    } else {
        ""
    };
    let message = error.message().trim().replace('\n', ", ");
    usage(format!(
        "plan line {}: this block is not TOML: {message}{hint}\n  {source}",
        block.line + line - 1
    ))
}

/// Why an entry cannot be written to a manifest.
fn problem(name: &str, wanted: &Wanted) -> Option<String> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || "-_+.".contains(c))
    };
    if !is_name(name) {
        return Some(format!(
            "`{name}` is not a valid name of a package or feature; fill it in"
        ));
    }
    let Wanted::Dependency(specification) = wanted else {
        return None;
    };
    if let Some(version) = &specification.version
        && let Err(error) = VersionReq::parse(version)
    {
        return Some(format!(
            "`{version}` is not a version requirement ({error}); fill it in, as in `{name} = \"1.2\"`"
        ));
    }
    let texts = specification
        .others
        .iter()
        .map(|(_, value)| value)
        .chain(&specification.package)
        .chain(&specification.features);
    if let Some(text) = texts.into_iter().find(|text| placeholder(text)) {
        return Some(format!("`{text}` is a placeholder; fill it in"));
    }
    let nothing = specification.version.is_none()
        && !specification.workspace
        && !specification.has_own_source();
    nothing.then(|| {
        format!("it has no version, path or repository; fill it in, as in `{name} = \"1.2\"`")
    })
}

/// A placeholder of a template: `[fill in: …]`, `[path]`, `<url>`. A TOML array in brackets is not one.
fn placeholder(text: &str) -> bool {
    (text.starts_with('[') && text.ends_with(']') && !text.contains('"'))
        || (text.starts_with('<') && text.ends_with('>'))
}
