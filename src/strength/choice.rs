//! Chooses the mutants of a change: those to judge, those that are excluded, and changed code without any.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::Result;
use camino::Utf8PathBuf;

use super::list::{self, Mutant, SETTINGS, WITHOUT_SETTINGS};
use crate::affected::{TouchedItems, source_files_in};
use crate::change::Change;
use crate::diff;
use crate::evidence::{Excluded, Exclusion};
use crate::project::Project;
use crate::project::tree::Tree;
use crate::script::shell::Settings;
use crate::sys::files;
use crate::workspace::source::lex::{Kind, Token, lex};

/// The mutants of a change.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// Those to judge; the mutants of a function are consecutive.
    pub(super) mutants: Vec<Mutant>,
    /// Those that are not judged.
    pub(super) excluded: Vec<Excluded>,
    /// Changed files with functions, and `file:line` of changed macros, that cargo-mutants does not read.
    pub(super) unread: Vec<String>,
}

/// A changed Rust source.
struct Source {
    /// Relative to the workspace root.
    path: Utf8PathBuf,
    before: String,
    now: String,
}

/// The mutants of a change, of which `tree` is a copy.
///
/// # Errors
/// As for [`list::mutants`].
pub(super) fn of_change(
    project: &Project,
    change: &Change,
    tree: &Tree,
    settings: &Settings,
) -> Result<Choice> {
    let workspace = &project.workspace;
    let sources = sources(project, change)?;
    let touched = TouchedItems::of(project, change)?;
    let configured = workspace.configured_packages();
    let names = configured
        .iter()
        .map(|package| workspace.packages[*package].name.as_str());
    let names: BTreeSet<&str> = names.collect();
    let mut choice = Choice::default();
    let mut excluded: BTreeMap<_, Excluded> = BTreeMap::new();
    let mut listed = BTreeSet::new();
    for (mutant, is_allowed) in listed_mutants(tree, sources, settings)? {
        let path = workspace.root.join(&mutant.file);
        listed.insert(path.clone());
        if !touched.contains(&path, mutant.line, mutant.byte_column) {
            continue;
        }
        let why = match (names.contains(mutant.package.as_str()), is_allowed) {
            (false, _) => Exclusion::Configuration,
            (true, false) => Exclusion::Settings,
            (true, true) => {
                choice.mutants.push(mutant);
                continue;
            }
        };
        let bytes = &mutant.function_bytes;
        let key = (mutant.file.clone(), bytes.start, bytes.end, why);
        let of_function = excluded.entry(key).or_insert_with(|| Excluded {
            place: mutant.place(),
            function: mutant.function,
            mutants: 0,
            why,
        });
        of_function.mutants += 1;
    }
    choice.excluded = excluded.into_values().collect();
    choice.mutants.sort_by_key(|mutant| {
        let bytes = &mutant.function_bytes;
        (mutant.file.clone(), bytes.start, bytes.end)
    });
    choice.unread = unread(project, change, touched, &listed, (tree, settings))?;
    Ok(choice)
}

/// The changed code that cargo-mutants does not read; `listed` are files with a mutant.
fn unread(
    project: &Project,
    change: &Change,
    touched: TouchedItems,
    listed: &BTreeSet<Utf8PathBuf>,
    (tree, settings): (&Tree, &Settings),
) -> Result<Vec<String>> {
    let workspace = &project.workspace;
    let configured = workspace.configured_packages();
    let mut unread = touched.code;
    for file in change.files.iter().map(|file| &file.path) {
        // The items of other packages are not known.
        let owner = workspace.owner(file);
        let other = owner.filter(|owner| !configured.contains(owner));
        if other.is_some_and(|other| source_files_in(project, other).contains(file)) {
            unread.insert(file.clone());
        }
    }
    unread.retain(|file| !listed.contains(file));
    if !unread.is_empty() {
        // A file without a mutant may still have been read.
        let read = list::files(&tree.root, settings)?;
        unread.retain(|file| {
            let inside = file.strip_prefix(&workspace.root);
            inside.map_or(true, |file| !read.contains(file))
        });
    }
    let macros = touched
        .macros
        .iter()
        .filter(|(file, _)| !unread.contains(file));
    let macros = macros.map(|(file, line)| format!("{}:{line}", workspace.slashed(file)));
    let files = unread.iter().map(|file| workspace.slashed(file));
    Ok(files.chain(macros).collect())
}

/// All mutants in the changed lines, and whether the settings of cargo-mutants allow each.
fn listed_mutants(
    tree: &Tree,
    sources: Vec<Source>,
    settings: &Settings,
) -> Result<Vec<(Mutant, bool)>> {
    let list = |sources: &[Source], more: &[&str]| {
        let diff = tree.folder.join("change.diff");
        files::keep(&diff, diff_of(sources).as_bytes())?;
        list::mutants(&tree.root, &diff, more, settings)
    };
    let allowed = list(&sources, &[])?;
    let mut changed = Vec::new();
    let mut without_skip = Vec::new();
    for source in sources {
        let now = without_skips(&source.now);
        if now != source.now {
            changed.push((source.path.clone(), source.now));
        }
        without_skip.push(Source {
            before: without_skips(&source.before),
            now,
            ..source
        });
    }
    if changed.is_empty() && !tree.root.join(SETTINGS).exists() {
        return Ok(allowed.into_iter().map(|mutant| (mutant, true)).collect());
    }
    for source in &without_skip {
        tree.write(&source.path, source.now.as_bytes())?;
    }
    let all = list(&without_skip, &[WITHOUT_SETTINGS]);
    for (path, now) in &changed {
        tree.write(path, now.as_bytes())?;
    }
    let key = |mutant: &Mutant| {
        let Range { start, end } = mutant.bytes;
        (mutant.file.clone(), start, end, mutant.replacement.clone())
    };
    let known: BTreeSet<_> = allowed.iter().map(key).collect();
    let mut mutants: Vec<(Mutant, bool)> = allowed.into_iter().map(|one| (one, true)).collect();
    let others = all?
        .into_iter()
        .filter(|mutant| !known.contains(&key(mutant)));
    mutants.extend(others.map(|mutant| (mutant, false)));
    Ok(mutants)
}

/// The text in which no attribute is `mutants::skip`. No byte moves.
fn without_skips(text: &str) -> String {
    let mut changed = text.to_owned();
    let Ok(tokens) = lex(text) else {
        return changed;
    };
    for path in tokens.windows(4) {
        let [first, colon, second, last] = path else {
            continue;
        };
        let is = |token: &Token, word: &str| {
            token.kind == Kind::Ident && &text[token.start as usize..token.end as usize] == word
        };
        let colons = [colon, second]
            .iter()
            .all(|token| token.kind == Kind::Punct(b':'));
        if is(first, "mutants") && colons && is(last, "skip") {
            changed.replace_range(last.start as usize..last.end as usize, "kept");
        }
    }
    changed
}

/// The changed Rust sources that cargo-mutants can read.
fn sources(project: &Project, change: &Change) -> Result<Vec<Source>> {
    let workspace = &project.workspace;
    let changed: Vec<_> = change
        .files
        .iter()
        .filter(|file| file.path.extension() == Some("rs") && file.path.is_file())
        .filter(|file| file.path.starts_with(&workspace.root))
        .collect();
    let texts = change.texts_before(&changed)?;
    let sources = changed.iter().zip(texts).filter_map(|(file, before)| {
        Some(Source {
            path: workspace.slashed(&file.path).into(),
            before: before.unwrap_or_default(),
            now: files::text(&file.path)?,
        })
    });
    Ok(sources.collect())
}

fn diff_of(sources: &[Source]) -> String {
    let diffs = sources
        .iter()
        .map(|source| diff::unified(source.path.as_str(), &source.before, &source.now));
    diffs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_attributes_of_cargo_mutants_change() {
        let text = "#[mutants::skip]\n#[cfg_attr(test, ::mutants :: skip)]\nfn skip() { mutants(\"mutants::skip\") }\n";
        let now = "#[mutants::kept]\n#[cfg_attr(test, ::mutants :: kept)]\nfn skip() { mutants(\"mutants::skip\") }\n";
        assert_eq!(without_skips(text), now);
    }
}
