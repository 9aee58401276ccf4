//! Compares a plan's Dependencies section with the manifests, and computes the edits that add missing entries.
//!
//! Input: the TOML blocks of the section ([`Block`]) and the manifests on disk. Output: a [`State`] for each entry, and an [`Edit`] for
//! each manifest to change. The same edits are shown, checked or written.
//!
//! An entry is applied if the plan marks it as new, or if nothing in its block is marked as new, the manifest lacks it, and neither a
//! comment nor the text above the block makes it a description. Described entries are never added; if one differs from the
//! manifest, a [`Note`] reports it.
//!
//! If a manifest's requirement is inside the plan's, it is kept (`1.2` for `1`). If it includes the plan's, it is narrowed (`1` becomes
//! `1.2`). Anything else is a conflict: nothing is written and both sides are shown. Features are combined. Different flags,
//! sources or renames are conflicts too.

mod apply;
mod blocks;
mod compare;
mod declared;
mod defaults;
mod edit;
mod mark;
mod requirement;
mod source;
mod specification;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

pub use apply::{align, commit};
pub use blocks::blocks;
pub use compare::Inherited;
pub use compare::{Change, State, state};
pub use declared::{Block, Declared, Intent, Note, Wanted, declared};
pub use edit::Edit;

use crate::exit::usage;
use crate::sys::files;
use crate::workspace::manifest::Manifest;

/// The result of comparing a plan's Dependencies section with a workspace.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The manifests to write; empty if any entry is refused, because a plan is applied completely or not at all.
    pub edits: Vec<Edit>,
    /// The state of every entry, in the order of the plan.
    pub entries: Vec<(Declared, State)>,
    /// Entries that were ignored, with the reason.
    pub notes: Vec<Note>,
}

impl Outcome {
    /// The refused entries, each with both sides; empty if there are none.
    #[must_use]
    pub fn refusals(&self) -> Vec<String> {
        self.entries
            .iter()
            .filter_map(|(declared, state)| refusal(declared, state))
            .collect()
    }
}

fn refusal(declared: &Declared, state: &State) -> Option<String> {
    let Declared {
        manifest,
        table,
        name,
        line,
        ..
    } = declared;
    match state {
        State::Conflict(conflict) => {
            let place = format!("{manifest}:{}", conflict.manifest_line);
            let plan = format!("plan line {line}");
            let width = place.len().max(plan.len());
            let margin = format!("\n  {:width$}  ", "");
            let side = |text: &str| text.lines().collect::<Vec<_>>().join(&margin);
            Some(format!(
                "`{name}` in {table}: {}\n  {place:width$}  {}\n  {plan:width$}  {}\n  make them agree, then run this again",
                conflict.why,
                side(&conflict.manifest),
                side(&declared.text),
            ))
        }
        State::Invalid(why) => Some(format!("plan line {line}: {why}")),
        State::Present | State::Missing | State::Incomplete(_) | State::Described(_) => None,
    }
}

/// Compares the blocks with the manifests of `root` and computes the edits. Writes nothing.
///
/// `only` selects blocks by their manifests, relative to the workspace root; an empty list selects all.
///
/// # Errors
/// A block that cannot be parsed; a manifest that is missing, not TOML or outside the workspace; or an element of `only` without a
/// block. The message contains the position.
pub fn plan_edits(root: &Utf8Path, blocks: &[Block<'_>], only: &[Utf8PathBuf]) -> Result<Outcome> {
    let blocks = chosen(blocks, only)?;
    let mut outcome = Outcome::default();
    let mut wanted: BTreeMap<(usize, Utf8PathBuf), Vec<Declared>> = BTreeMap::new();
    for block in blocks {
        let Some(manifest) = inside(block)? else {
            let message = format!(
                "`{}` is not a Cargo.toml; the block is ignored",
                block.manifest
            );
            outcome.notes.push(Note {
                line: block.line,
                message,
            });
            continue;
        };
        let declarations = declared(&Block {
            manifest: manifest.clone(),
            ..block.clone()
        })?;
        outcome.notes.extend(declarations.notes);
        // Parent manifests come first: members inherit what they declare for the workspace.
        wanted
            .entry((manifest.components().count(), manifest))
            .or_default()
            .extend(declarations.entries);
    }
    let mut manifests = Manifests {
        root,
        read: BTreeMap::new(),
    };
    for ((_, path), entries) in wanted {
        let line = entries.first().map_or(0, |entry| entry.line);
        let old = manifests
            .get(&path)
            .with_context(|| format!("plan line {line} names {path}"))?
            .clone();
        let workspace = manifests.workspace_of(&path)?;
        let inherited = workspace
            .as_ref()
            .map(|(folder, manifest)| Inherited { folder, manifest });
        let (new, states) = align(&old, &entries, inherited.as_ref())
            .with_context(|| format!("failed to edit {path}"))?;
        outcome
            .notes
            .extend(warnings(&new, &entries, &states, inherited.as_ref()));
        if new.text() != old.text() {
            outcome.edits.push(Edit {
                path: path.clone(),
                old: old.text().to_owned(),
                new: new.text().to_owned(),
            });
        }
        manifests.read.insert(path, new);
        outcome.entries.extend(entries.into_iter().zip(states));
    }
    outcome.entries.sort_by_key(|(entry, _)| entry.line);
    outcome.notes.extend(
        outcome
            .entries
            .iter()
            .filter_map(|(declared, state)| described(declared, state)),
    );
    outcome.notes.sort_by_key(|note| note.line);
    if !outcome.refusals().is_empty() {
        outcome.edits.clear();
    }
    Ok(outcome)
}

/// Warnings about settings of entries that cargo ignores or overrides.
fn warnings(
    manifest: &Manifest,
    entries: &[Declared],
    states: &[State],
    inherited: Option<&Inherited<'_>>,
) -> Vec<Note> {
    let pairs = entries.iter().zip(states);
    let valid = pairs.filter(|(_, state)| !matches!(state, State::Conflict(_) | State::Invalid(_)));
    let notes = valid.flat_map(|(declared, _)| {
        let messages = compare::warnings(manifest, declared, inherited);
        messages.into_iter().map(|message| Note {
            line: declared.line,
            message,
        })
    });
    notes.collect()
}

fn described(declared: &Declared, state: &State) -> Option<Note> {
    let State::Described(Some(difference)) = state else {
        return None;
    };
    let Declared {
        manifest,
        table,
        name,
        line,
        ..
    } = declared;
    let message = format!(
        "`{name}` in {table} is only described, but {manifest} differs: {difference}; to apply it, mark it `# Add for` and a reason"
    );
    Some(Note {
        line: *line,
        message,
    })
}

fn chosen<'a, 'b>(blocks: &'b [Block<'a>], only: &[Utf8PathBuf]) -> Result<Vec<&'b Block<'a>>> {
    let is_for = |block: &Block<'_>, path: &Utf8Path| normal(&block.manifest) == normal(path);
    if let Some(unknown) = only
        .iter()
        .find(|path| !blocks.iter().any(|block| is_for(block, path)))
    {
        let names: BTreeSet<_> = blocks.iter().map(|block| block.manifest.as_str()).collect();
        let names = if names.is_empty() {
            "none".to_owned()
        } else {
            names.into_iter().collect::<Vec<_>>().join(", ")
        };
        return Err(usage(format!(
            "the plan's Dependencies have no block for {unknown}; there are blocks for: {names}"
        )));
    }
    let chosen = blocks
        .iter()
        .filter(|block| only.is_empty() || only.iter().any(|path| is_for(block, path)));
    Ok(chosen.collect())
}

/// The manifest of a block, without `.`; `None` for a file of another kind.
fn inside(block: &Block<'_>) -> Result<Option<Utf8PathBuf>> {
    let path = normal(&block.manifest);
    let leads_out = |component: Utf8Component<'_>| !matches!(component, Utf8Component::Normal(_));
    if path.components().any(leads_out) {
        return Err(usage(format!(
            "plan line {}: `{path}` is outside the workspace",
            block.line
        )));
    }
    Ok((path.file_name() == Some("Cargo.toml")).then_some(path))
}

fn normal(path: &Utf8Path) -> Utf8PathBuf {
    let kept = path.components();
    let kept = kept.filter(|component| *component != Utf8Component::CurDir);
    files::slashed(&kept.collect::<Utf8PathBuf>()).into()
}

/// The manifests that have been read, with the edits so far.
struct Manifests<'a> {
    root: &'a Utf8Path,
    read: BTreeMap<Utf8PathBuf, Manifest>,
}

impl Manifests<'_> {
    fn get(&mut self, path: &Utf8Path) -> Result<&Manifest> {
        if !self.read.contains_key(path) {
            let bytes = files::read_if_exists(&self.root.join(path))?
                .ok_or_else(|| usage(format!("{path} does not exist; create the package first")))?;
            let text =
                String::from_utf8(bytes).map_err(|_| usage(format!("{path} is not UTF-8")))?;
            let manifest =
                Manifest::parse(&text).with_context(|| format!("failed to read {path}"))?;
            self.read.insert(path.to_owned(), manifest);
        }
        Ok(&self.read[path])
    }

    /// The folder and the manifest with `[workspace]` above `path`; `None` if it is the manifest itself or there is none.
    fn workspace_of(&mut self, path: &Utf8Path) -> Result<Option<(Utf8PathBuf, Manifest)>> {
        if self.get(path)?.get(&["workspace"]).is_some() {
            return Ok(None);
        }
        for folder in path.ancestors().skip(2) {
            let above = folder.join("Cargo.toml");
            if !self.root.join(&above).is_file() {
                continue;
            }
            let manifest = self.get(&above)?;
            if manifest.get(&["workspace"]).is_some() {
                return Ok(Some((folder.to_owned(), manifest.clone())));
            }
        }
        Ok(None)
    }
}
