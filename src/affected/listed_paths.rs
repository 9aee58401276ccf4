//! Data files whose text names a changed file. A test that reads such a list may also read the changed file.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

use super::items::NamingList;
use super::quiet_files;
use crate::change::Change;
use crate::config::Config;
use crate::sys::files;
use crate::workspace::Workspace;
use crate::workspace::source::modules::normal;

/// The maximum size of a list, in bytes.
const LARGEST: u64 = 1 << 20;
/// The maximum number of lists in a row that name each other.
const DEEPEST: usize = 4;

/// The files, absolute, that name one of `changed`, or another such list.
///
/// # Errors
/// When git cannot list the files.
pub(super) fn naming(
    workspace: &Workspace,
    config: &Config,
    change: &Change,
    changed: &BTreeSet<Utf8PathBuf>,
) -> Result<BTreeMap<Utf8PathBuf, NamingList>> {
    let mut found = BTreeMap::new();
    if changed.is_empty() {
        return Ok(found);
    }
    let mut paths = change.data_files(workspace)?;
    paths.retain(|path| !config.is_document(workspace.relative(path)) && !changed.contains(path));
    let lists: Vec<(Utf8PathBuf, String)> = paths
        .into_par_iter()
        .filter_map(|path| {
            let about = std::fs::metadata(&path).ok()?;
            let text = files::text(&path).filter(|_| about.len() <= LARGEST)?;
            Some((path, text))
        })
        .collect();
    // Each file to look for, with the changed file that it leads to.
    let mut wanted: BTreeMap<&Utf8Path, &Utf8Path> =
        changed.iter().map(|path| (&**path, &**path)).collect();
    for _ in 0..DEEPEST {
        let names = Names::new(workspace, wanted.keys().copied());
        let naming: Vec<(&Utf8Path, &Utf8Path)> = lists
            .par_iter()
            .filter(|(list, _)| !found.contains_key(list))
            .filter_map(|(list, text)| Some((&**list, names.first_in(workspace, list, text)?)))
            .collect();
        let next = naming.iter().map(|(list, path)| (*list, wanted[path]));
        let next: BTreeMap<&Utf8Path, &Utf8Path> = next.collect();
        for (list, file) in &next {
            let is_data = quiet_files::kind_of(workspace, list).is_none()
                && !matches!(list.extension(), Some("md" | "rst" | "adoc" | "html"))
                && list.file_name() != Some("Cargo.toml");
            let (owner, of_file) = (workspace.owner(list), workspace.owner(file));
            let list_names = NamingList {
                file: (*file).to_owned(),
                is_data: is_data && owner.is_some() && owner != of_file,
            };
            found.insert((*list).to_owned(), list_names);
        }
        if next.is_empty() {
            break;
        }
        wanted = next;
    }
    Ok(found)
}

/// Files to look for in texts.
struct Names<'n> {
    files: Vec<&'n Utf8Path>,
    /// The names of these files and of the folders around them.
    parts: BTreeSet<&'n str>,
}

impl<'n> Names<'n> {
    fn new(workspace: &Workspace, files: impl Iterator<Item = &'n Utf8Path>) -> Self {
        let files: Vec<&Utf8Path> = files.collect();
        let inside = files.iter().map(|file| {
            let inside = file.strip_prefix(&workspace.root);
            inside.unwrap_or(file)
        });
        let parts = inside.flat_map(|path| path.components().map(|part| part.as_str()));
        Self {
            parts: parts.collect(),
            files,
        }
    }

    /// The first of the files that the text of a list names: by a path from the folder of the list, of its package or of the workspace,
    /// by a folder around it, or by the last parts of its path.
    fn first_in(&self, workspace: &Workspace, list: &Utf8Path, text: &str) -> Option<&'n Utf8Path> {
        let lines = text.lines().map(str::trim);
        let words: BTreeSet<&str> = lines
            .flat_map(|line| line.split(ends_path).chain([line]))
            .filter(|word| self.may_name(word))
            .collect();
        let beside = list.parent().unwrap_or(list);
        let package = workspace
            .owner(list)
            .map(|package| workspace.folder(package));
        let folders = [Some(beside), package, Some(workspace.root.as_path())];
        words.into_iter().find_map(|word| {
            let parts = Utf8Path::new(word.trim_start_matches(['.', '/']));
            let several = parts.components().count() > 1;
            let paths = folders
                .iter()
                .flatten()
                .map(|folder| normal(&folder.join(word)));
            let paths: Vec<Utf8PathBuf> = paths.collect();
            let mut files = self.files.iter().copied();
            files.find(|file| {
                let around = |path: &Utf8PathBuf| {
                    let leads_up = is_above(word) && !file.starts_with(beside);
                    file.starts_with(path)
                        && (leads_up || word.contains('/') && !list.starts_with(path))
                };
                paths.iter().any(|path| *file == *path || around(path))
                    || several && file.ends_with(parts)
            })
        })
    }

    fn may_name(&self, word: &str) -> bool {
        let word = word.trim_end_matches('/');
        let last = word.rsplit('/').next().unwrap_or(word);
        self.parts.contains(last) || is_above(word)
    }
}

/// Whether a path only has parent folders.
fn is_above(path: &str) -> bool {
    path.contains("..") && path.split('/').all(|part| part == ".." || part.is_empty())
}

/// Whether a character is in no usual path.
fn ends_path(c: char) -> bool {
    c.is_whitespace() || "\"'`,;:()[]{}<>|=#!?*&\\".contains(c)
}
