//! The result of a collect run, saved in the target folder: the items that each test executed, and the state of the files.
//!
//! Items are identified by file, key and token hash, not by line, so that edits elsewhere do not shift them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::environment::{AllVariables, Environment};
use crate::affected::items::extract::Digest;
use crate::sys::cargo::own_folder;
use crate::sys::{files, packed};

/// First line of the file, with the version of the format.
const HEADING: &[u8] = b"cargo-poc observed 5\n";

/// The coverage of a workspace.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// The files during the run.
    pub state: State,
    /// The output of `rustc -vV`, and compiler flags from the environment.
    pub toolchain: String,
    /// Environment variables of tests and of the build.
    pub environment: Environment,
    /// All variables; none if not all tests ran with the same ones.
    pub all_variables: AllVariables,
    /// Everything that determines the build: features, profile, target, variables, packages.
    pub built_with: Vec<String>,
    /// Source files with instrumented functions, relative to the workspace root, with `/`.
    pub files: Vec<String>,
    /// Every item with an instrumented function.
    pub items: Vec<Item>,
    /// Files that tests or the build touched, relative to the repository's root, from [`Touched::inside`](super::trace::Touched::inside).
    pub paths: Vec<String>,
    /// Indexes into [`Store::paths`] of files that the build touched; `None` without a tracer.
    pub build: Option<Vec<u32>>,
    /// Every test that nextest listed.
    pub tests: Vec<Test>,
    /// nextest's ids of test binaries whose custom harness does not list their tests.
    pub unlisted: Vec<String>,
}

/// The files of the work tree at one time.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// git's id of the content, by path relative to the repository's root; empty without an id, or if the file changed during the run.
    pub files: BTreeMap<String, String>,
    /// The files that may be executed.
    pub executable: BTreeSet<String>,
    /// The content of sources and manifests that git may not have.
    pub texts: BTreeMap<String, Vec<u8>>,
}

/// An item with an instrumented function, or several (closures).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Index into [`Store::files`].
    pub file: u32,
    /// The key of the item in the file.
    pub key: Digest,
    /// The digest of its tokens.
    pub hash: Digest,
    /// Whether it may be executed without a count.
    pub blind: bool,
}

/// A test and the items that it executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// nextest's id of its binary.
    pub binary: String,
    /// Its name.
    pub name: String,
    /// Indexes into [`Store::items`], ascending; or why it has no coverage.
    pub ran: Result<Vec<u32>, String>,
    /// Indexes into [`Store::paths`], ascending, of the files that it touched; `None` without a tracer.
    pub touched: Option<Vec<u32>>,
}

/// The written form of [`Test`]: each index as the difference from the previous one.
#[derive(Serialize, Deserialize)]
struct Written {
    binary: String,
    name: String,
    ran: Result<Vec<u32>, String>,
    touched: Option<Vec<u32>>,
}

impl Serialize for Test {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let distances = |ran: &Vec<u32>| {
            let before = std::iter::once(0).chain(ran.iter().copied());
            ran.iter()
                .zip(before)
                .map(|(index, last)| index - last)
                .collect::<Vec<u32>>()
        };
        Written {
            binary: self.binary.clone(),
            name: self.name.clone(),
            ran: self.ran.as_ref().map(distances).map_err(Clone::clone),
            touched: self.touched.as_ref().map(distances),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Test {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let indexes = |mut ran: Vec<u32>| {
            let mut last = 0_u32;
            for index in &mut ran {
                last = last.saturating_add(*index);
                *index = last;
            }
            ran
        };
        Ok(Self {
            binary: written.binary,
            name: written.name,
            ran: written.ran.map(indexes),
            touched: written.touched.map(indexes),
        })
    }
}

impl Store {
    /// The path of the file for a build with these arguments.
    #[must_use]
    pub fn path(target_directory: &Utf8Path, built_with: &[String]) -> Utf8PathBuf {
        let folder = own_folder(target_directory);
        if built_with.is_empty() {
            return folder.join("observed");
        }
        let name = blake3::hash(built_with.join("\n").as_bytes()).to_hex();
        folder.join(format!("observed-{}", &name[..16]))
    }

    /// Whether coverage of any build is saved.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn exists_for_other_builds(target_directory: &Utf8Path) -> Result<bool> {
        let names = files::list(&own_folder(target_directory))?;
        Ok(names.iter().any(|name| name.starts_with("observed")))
    }

    /// Loads the saved coverage of a build with these arguments; `None` if there is none.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or has another version; the message contains the remedy.
    pub fn load(target_directory: &Utf8Path, built_with: &[String]) -> Result<Option<Self>> {
        let path = Self::path(target_directory, built_with);
        let Some(bytes) = files::read_if_exists(&path)? else {
            return Ok(None);
        };
        Self::parse(&bytes)
            .with_context(|| {
                format!(
                    "cannot use the coverage in {path}; run `cargo poc affected --collect` again"
                )
            })
            .map(Some)
    }

    /// Parses the written form.
    ///
    /// # Errors
    /// When it is damaged, or has another version.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let store: Self = packed::unpack(HEADING, bytes)?;
        let fits = |indexes: &Vec<u32>, length: usize| {
            indexes.last().is_none_or(|last| (*last as usize) < length)
        };
        let (items, paths) = (store.items.len(), store.paths.len());
        let traces = store.tests.iter().map(|test| &test.touched);
        let fit = traces
            .chain([&store.build])
            .flatten()
            .all(|touched| fits(touched, paths));
        let whole = store
            .tests
            .iter()
            .all(|test| test.ran.as_ref().map_or(true, |ran| fits(ran, items)))
            && fit
            && store
                .items
                .iter()
                .all(|item| (item.file as usize) < store.files.len());
        ensure!(whole, "it is damaged");
        Ok(store)
    }

    /// The written form.
    ///
    /// # Errors
    /// Never in practice: packing into memory does not fail.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        packed::pack(HEADING, self)
    }

    /// Saves it, replacing an earlier one of the same build.
    ///
    /// # Errors
    /// When the file cannot be written; the message contains its path.
    pub fn save(&self, target_directory: &Utf8Path) -> Result<()> {
        files::keep(
            &Self::path(target_directory, &self.built_with),
            &self.bytes()?,
        )
    }

    /// The paths with these indexes.
    #[must_use]
    pub fn paths_of(&self, indexes: &[u32]) -> BTreeSet<&str> {
        let paths = indexes.iter();
        paths
            .map(|index| self.paths[*index as usize].as_str())
            .collect()
    }

    /// Tests with coverage, and their executed items.
    pub fn with_coverage(&self) -> impl Iterator<Item = (usize, &[u32])> {
        let tests = self.tests.iter().enumerate();
        tests.filter_map(|(index, test)| Some((index, test.ran.as_deref().ok()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        let item = |file, key| Item {
            file,
            key: [key; 16],
            hash: [7; 16],
            blind: false,
        };
        let test = |name: &str, ran| Test {
            binary: "a::it".to_owned(),
            name: name.to_owned(),
            ran,
            touched: Some(vec![0, 1]),
        };
        Store {
            state: State {
                files: BTreeMap::from([("src/lib.rs".to_owned(), "aa".to_owned())]),
                executable: BTreeSet::new(),
                texts: BTreeMap::new(),
            },
            toolchain: "rustc".to_owned(),
            environment: Environment::from([("APP_FAST".to_owned(), String::new())]),
            all_variables: AllVariables::now(),
            built_with: vec!["--all-features".to_owned()],
            files: vec!["src/lib.rs".to_owned()],
            items: vec![item(0, 1), item(0, 2), item(0, 3)],
            paths: vec!["data.txt".to_owned(), "tests/".to_owned()],
            build: Some(vec![1]),
            tests: vec![
                test("one", Ok(vec![0, 2])),
                test("two", Err("it failed".to_owned())),
                test("three", Ok(vec![1])),
            ],
            unlisted: vec!["a::own".to_owned()],
        }
    }

    #[test]
    fn store_is_read_as_written() {
        assert_eq!(Store::parse(&store().bytes().unwrap()).unwrap(), store());
    }

    #[test]
    fn damage_is_an_error() {
        let whole = store().bytes().unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            assert!(Store::parse(&damaged).is_err(), "{at}");
            assert!(Store::parse(&whole[..at]).is_err(), "{at}");
        }
    }

    #[test]
    fn other_version_is_an_error() {
        let mut other = store().bytes().unwrap();
        other[HEADING.len() - 2] = b'9';
        let message = format!("{:#}", Store::parse(&other).unwrap_err());
        assert!(message.contains("another version"), "{message}");
    }
}
