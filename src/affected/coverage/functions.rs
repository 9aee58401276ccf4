//! Maps the function hashes in profiles to items of the workspace.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::coverage_map::{CoverageMap, Entry};
use super::recorded::{ExecutedFunctions, FunctionLists, RecordFolder};
use super::source_map::{self, Places};
use super::store::Item;
use crate::sys::files;

/// The functions of all executables.
pub(super) struct Functions {
    /// Relative to the workspace's root.
    pub(super) files: Vec<String>,
    /// Their items.
    pub(super) items: Vec<Item>,
    /// The item by the hash of the function's name; `None` for code that is not an item of the workspace.
    by_name: FxHashMap<u64, Option<u32>>,
    /// Why a test that executes an item has no coverage.
    doubts: FxHashMap<u32, &'static str>,
}

/// The file, line and column at which a function starts, and whether its entry is counted.
type Begins = (usize, u32, u32, bool);

impl Functions {
    /// Reads the coverage maps of `executables`; only sources inside `root` and outside `built` have items.
    ///
    /// # Errors
    /// When an executable cannot be read, or none has a coverage map.
    pub(super) fn of(
        executables: &BTreeSet<Utf8PathBuf>,
        root: &Utf8Path,
        built: &Utf8Path,
    ) -> Result<Self> {
        let maps: Vec<Option<CoverageMap>> = executables
            .par_iter()
            .map(|path| CoverageMap::read(path))
            .collect::<Result<_>>()?;
        let mut paths: FxHashMap<Utf8PathBuf, usize> = FxHashMap::default();
        let mut begins: FxHashMap<u64, Begins> = FxHashMap::default();
        for map in maps.into_iter().flatten() {
            let files: Vec<usize> = map
                .files
                .into_iter()
                .map(|path| {
                    let next = paths.len();
                    *paths.entry(path).or_insert(next)
                })
                .collect();
            for function in map.functions {
                let counted = function.entry != Entry::Derived;
                let place = (
                    files[function.file],
                    function.line,
                    function.column,
                    counted,
                );
                let known = begins.entry(function.name).or_insert(place);
                known.3 &= counted;
            }
        }
        if begins.is_empty() {
            bail!("the executables have no coverage map; was the workspace built with coverage?");
        }
        let mut by_index: Vec<(&Utf8PathBuf, usize)> =
            paths.iter().map(|(path, index)| (path, *index)).collect();
        by_index.sort_by_key(|(_, index)| *index);
        let places: Vec<Option<Places>> = by_index
            .par_iter()
            .map(|(path, _)| {
                let ours = path.starts_with(root) && !path.starts_with(built);
                if ours { source_map::read(path) } else { None }
            })
            .collect();
        let mut functions = Self {
            files: Vec::new(),
            items: Vec::new(),
            by_name: FxHashMap::default(),
            doubts: FxHashMap::default(),
        };
        let mut numbers: FxHashMap<(usize, usize), u32> = FxHashMap::default();
        let mut files: FxHashMap<usize, u32> = FxHashMap::default();
        let mut names: Vec<u64> = begins.keys().copied().collect();
        names.sort_unstable_by_key(|name| (begins[name], *name));
        for name in names {
            let (file, line, column, counted) = begins[&name];
            let found = places[file]
                .as_ref()
                .and_then(|places| places.item(line, column));
            let Some(found) = found else {
                functions.by_name.insert(name, None);
                continue;
            };
            let number = *numbers.entry((file, found.index)).or_insert_with(|| {
                let in_store = *files.entry(file).or_insert_with(|| {
                    let path = by_index[file]
                        .0
                        .strip_prefix(root)
                        .unwrap_or(by_index[file].0);
                    functions.files.push(files::slashed(path));
                    to_u32(functions.files.len() - 1)
                });
                functions.items.push(Item {
                    file: in_store,
                    key: found.key,
                    hash: found.hash,
                    blind: false,
                });
                to_u32(functions.items.len() - 1)
            });
            functions.items[number as usize].blind |= !counted;
            if let Some(doubt) = found.doubt {
                functions.doubts.insert(number, doubt);
            }
            functions.by_name.insert(name, Some(number));
        }
        Ok(functions)
    }

    /// The items that the parts of a test executed, ascending; or why the test has no coverage.
    pub(super) fn items_of(
        &self,
        records: &RecordFolder,
        lists: &mut FunctionLists,
        parts: &[ExecutedFunctions],
    ) -> Result<Result<Vec<u32>, String>> {
        let mut items = Vec::new();
        let mut unknown = 0;
        for part in parts {
            for name in lists.names(records, part)? {
                match self.by_name.get(&name) {
                    Some(item) => items.extend(item),
                    None => unknown += 1,
                }
            }
        }
        items.sort_unstable();
        items.dedup();
        if unknown > 0 {
            return Ok(Err(format!(
                "it executed {unknown} functions that are not in a coverage map"
            )));
        }
        if items.is_empty() {
            return Ok(Err(
                "its profile contains no function of the workspace".to_owned()
            ));
        }
        let doubt = items.iter().find_map(|item| self.doubts.get(item));
        Ok(match doubt {
            Some(doubt) => Err((*doubt).to_owned()),
            None => Ok(items),
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "fewer items than bytes of source"
)]
fn to_u32(index: usize) -> u32 {
    index as u32
}
