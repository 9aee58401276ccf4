//! Files whose text is code of an item: included expressions and templates.

use std::collections::BTreeSet;
use std::rc::Rc;

use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::{FxHashMap, FxHashSet};

use super::crate_graph::CrateGraph;
use super::extract::TextFile;
use super::sources::{FileId, Reader, Sources};
use crate::workspace::source::modules::normal;

impl Sources {
    /// Reads the files whose text is code of an item: included expressions and templates.
    pub(super) fn read_texts(&mut self, crates: &CrateGraph, reader: &dyn Reader) {
        let mut done: FxHashSet<FileId> = FxHashSet::default();
        let mut folders = Folders {
            reader,
            known: FxHashMap::default(),
        };
        for mount in &self.mounts {
            let file = &self.files[mount.file];
            let Some(items) = file.now.clone().filter(|items| !items.texts.is_empty()) else {
                continue;
            };
            if !done.insert(mount.file) {
                continue;
            }
            let package = &crates.folders[crates.units[mount.unit].package];
            let beside = file.path.parent().unwrap_or(package).to_owned();
            let mut texts: FxHashMap<u32, Option<Vec<String>>> = FxHashMap::default();
            let mut read: FxHashMap<&TextFile, Option<Vec<String>>> = FxHashMap::default();
            for (item, text) in &items.texts {
                let words = read
                    .entry(text)
                    .or_insert_with(|| text_words(text, package, &beside, &mut folders))
                    .clone();
                if words.is_none() && !text.included {
                    continue;
                }
                let known = texts.entry(*item).or_insert_with(|| Some(Vec::new()));
                *known = known.take().zip(words).map(|(mut known, words)| {
                    known.extend(words);
                    known
                });
            }
            self.files[mount.file].texts = texts;
        }
    }
}

/// The maximum depth of files that name each other.
const DEEPEST_TEXT: usize = 8;

/// The names in a folder in lower case; `None` if it does not exist.
type Names = Option<Rc<FxHashSet<String>>>;

/// The names in folders, to look for files without opening each.
struct Folders<'r> {
    reader: &'r dyn Reader,
    /// By path.
    known: FxHashMap<String, Names>,
}

impl Folders<'_> {
    fn names(&mut self, folder: &Utf8Path) -> Names {
        if let Some(names) = self.known.get(folder.as_str()) {
            return names.clone();
        }
        let names = self.reader.folder(folder);
        let names = names.map(|names| names.iter().map(|name| name.to_lowercase()).collect());
        let names = names.map(Rc::new);
        self.known.insert(folder.to_string(), names.clone());
        names
    }

    /// The path and the text of a file that is named relative to a folder with these names.
    fn find(&self, folder: &Utf8Path, names: &Names, name: &str) -> Option<(Utf8PathBuf, String)> {
        let is_below = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if is_below && !may_contain(names.as_deref()?, name) {
            return None;
        }
        let mut path = folder.join(name);
        if !is_below || name.contains("/.") {
            path = normal(&path);
        }
        let text = self.reader.text(&path)?;
        Some((path, text))
    }
}

fn may_contain(names: &FxHashSet<String>, name: &str) -> bool {
    let first = name.split(['/', '\\']).next().unwrap_or(name);
    // A folder that cannot be listed has no names.
    if names.is_empty() || !first.is_ascii() {
        return true;
    }
    if first.bytes().any(|byte| byte.is_ascii_uppercase()) {
        names.contains(&first.to_ascii_lowercase())
    } else {
        names.contains(first)
    }
}

/// The words of a file that an item names, and of the files that it names in turn; `None` if the file does not exist.
fn text_words(
    file: &TextFile,
    package: &Utf8Path,
    beside: &Utf8Path,
    known: &mut Folders<'_>,
) -> Option<Vec<String>> {
    let templates = package.join("templates");
    let folders: &[&Utf8Path] = match (file.included, file.from_package) {
        (true, true) => &[package],
        (true, false) => &[beside],
        (false, _) => &[&templates, package, beside],
    };
    let folders: Vec<(&Utf8Path, Names)> = folders
        .iter()
        .map(|folder| (*folder, known.names(folder)))
        .collect();
    let mut next = vec![file.path.clone()];
    let mut words: BTreeSet<String> = BTreeSet::new();
    let mut read: Vec<Utf8PathBuf> = Vec::new();
    while let Some(name) = next.pop() {
        let mut folders = folders.iter();
        let found = folders.find_map(|(folder, names)| known.find(folder, names, &name));
        let Some((path, text)) = found.filter(|(path, _)| !read.contains(path)) else {
            continue;
        };
        read.push(path);
        words.extend(words_of(&text));
        if read.len() < DEEPEST_TEXT {
            let quoted = text.split(['"', '\'']).skip(1).step_by(2);
            let names = quoted.filter(|name| name.len() < 160 && name.contains('.'));
            next.extend(names.map(str::to_owned));
        }
    }
    (!read.is_empty()).then(|| words.into_iter().collect())
}

/// The different words of a text that can be names.
fn words_of(text: &str) -> impl Iterator<Item = String> {
    let words: FxHashSet<&str> = text
        .split(|c: char| c != '_' && !c.is_alphanumeric())
        .filter(|word| word.starts_with(|c: char| c == '_' || c.is_alphabetic()))
        .collect();
    words.into_iter().map(str::to_owned)
}
