//! Compares the Files table with the change since the base.

use std::collections::HashSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::assessment::{FileAction, FileState, FileStatus};
use super::context::Context;
use crate::change::Change;
use crate::document::plan::{Action, FileRow};
use crate::project::Poc;
use crate::sys::files::{normalize, read_if_exists};
use crate::sys::git::FileChange;
use crate::sys::glob;

/// The rows of the Files table in order, then every changed file that no row names, without plans, results and `Cargo.lock`, which
/// follows the manifests.
pub(super) fn files(poc: &Poc, cx: &Context<'_>) -> Vec<FileStatus> {
    let change = cx.change.as_ref().ok().copied();
    let others: Vec<&Utf8PathBuf> = changed_files(poc, cx).collect();
    let mut named: HashSet<Utf8PathBuf> = HashSet::new();
    let mut files = Vec::new();
    for row in &poc.plan.files {
        let paths = paths_of(row, cx.root, change);
        files.push(FileStatus {
            path: row.path.clone(),
            action: action(&row.action),
            state: cx
                .workspace
                .and_then(|_| state(row, &paths, cx.root, change)),
        });
        if others.is_empty() {
            continue;
        }
        named.extend(paths);
        if let Action::Rename(to) = &row.action {
            named.insert(normalize(&cx.root.join(to)));
        }
    }
    let unplanned = others.into_iter().filter(|path| !named.contains(*path));
    files.extend(unplanned.map(|path| FileStatus {
        path: cx.shown(path),
        action: FileAction::None,
        state: Some(FileState::Unplanned),
    }));
    files
}

/// The changed files that a plan should name.
fn changed_files<'a>(poc: &Poc, cx: &Context<'a>) -> impl Iterator<Item = &'a Utf8PathBuf> {
    let docs = [&poc.paths.plan, &poc.paths.results];
    let change = cx.change.as_ref().ok().copied();
    let changed = change.into_iter().flat_map(|change| &change.files);
    let changed = changed.filter(move |file| {
        let path = &file.path;
        let below = path.strip_prefix(cx.root).unwrap_or(path);
        let ours = cx.config.is_document(below) || docs.contains(&path);
        let settings =
            || below == "Cargo.toml" && change.is_some_and(|change| only_settings(change, file));
        !ours && path.file_name() != Some("Cargo.lock") && !settings()
    });
    changed.map(|file| &file.path)
}

/// Whether a manifest differs only in the settings of this program, which `init` writes.
fn only_settings(change: &Change, file: &FileChange) -> bool {
    let without = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).ok()?;
        let mut document: toml_edit::DocumentMut = text.parse().ok()?;
        for table in ["workspace", "package"] {
            let metadata = document
                .get_mut(table)
                .and_then(|table| table.get_mut("metadata"));
            if let Some(metadata) = metadata.and_then(toml_edit::Item::as_table_like_mut) {
                metadata.remove("poc");
            }
        }
        Some(document.to_string().trim_end().to_owned())
    };
    let now = read_if_exists(&file.path).ok().flatten().and_then(without);
    let before = change.before(file).ok().flatten().and_then(without);
    now.is_some() && now == before
}

fn action(action: &Action) -> FileAction {
    match action {
        Action::Create => FileAction::Create,
        Action::Modify => FileAction::Modify,
        Action::Delete => FileAction::Delete,
        Action::Rename(_) => FileAction::Rename,
        Action::None | Action::Unknown(_) => FileAction::None,
    }
}

/// The files of a row: its path, or the changed files that its glob matches.
fn paths_of(row: &FileRow, root: &Utf8Path, change: Option<&Change>) -> Vec<Utf8PathBuf> {
    let Some(matcher) = glob::matcher(&row.path) else {
        return vec![root.join(&row.path)];
    };
    let changed = change.into_iter().flat_map(|change| &change.files);
    changed
        .filter(|file| {
            file.path
                .strip_prefix(root)
                .is_ok_and(|path| matcher.is_match(path))
        })
        .map(|file| file.path.clone())
        .collect()
}

fn state(
    row: &FileRow,
    paths: &[Utf8PathBuf],
    root: &Utf8Path,
    change: Option<&Change>,
) -> Option<FileState> {
    let done = |done: bool| {
        Some(if done {
            FileState::Done
        } else {
            FileState::Pending
        })
    };
    let exists = !paths.is_empty() && paths.iter().all(|path| path.exists());
    let is_changed = |path: &Utf8PathBuf| Some(change?.file(path).is_some());
    match &row.action {
        Action::Create => done(exists),
        Action::Delete => done(paths.iter().all(|path| !path.exists())),
        Action::Rename(to) => done(!exists && root.join(to).exists()),
        Action::Modify if !exists && !paths.is_empty() => Some(FileState::Missing),
        Action::Modify => {
            let changed: Option<Vec<bool>> = paths.iter().map(is_changed).collect();
            done(changed?.contains(&true))
        }
        Action::None | Action::Unknown(_) => None,
    }
}
