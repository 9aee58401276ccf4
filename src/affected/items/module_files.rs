//! The position of each file in units, and its content before and after the change.

use std::collections::BTreeSet;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::crate_graph::{CrateGraph, ReadFor, UnitId};
use super::expansion::{Expansions, name};
use super::extract::{self, DocItem, FileItems, content_key, decided_key};
use super::module_folders;
use super::sources::{Changed, Declared, FileId, ModuleFile, Reader, SourceFile, Sources};
use crate::workspace::source::modules::{Place, normal};
use crate::workspace::source::syntax::{ItemKind, TOP};

/// A file in a unit, with the declaring mount and whether it is included: each occurs once.
type Standing = (UnitId, FileId, Option<(usize, bool)>);

struct Step {
    unit: UnitId,
    place: Place,
    declared: Option<Declared>,
}

/// The intermediate state while sources are read.
#[derive(Default)]
struct Reading {
    /// By build, see [`CrateGraph::build_of`].
    by_path: Vec<FxHashMap<Utf8PathBuf, Option<FileId>>>,
    seen: FxHashSet<Standing>,
    /// The folder of each mount's modules.
    places: Vec<Place>,
}

impl Sources {
    /// Reads the files of every unit from its root, each file once.
    pub fn read(crates: &CrateGraph, changed: &Changed, reader: &dyn Reader) -> Self {
        let mut sources = Self::default();
        let mut reading = Reading {
            by_path: vec![FxHashMap::default(); crates.build_count()],
            ..Reading::default()
        };
        let mut expansions = Expansions::default();
        let mut next: Vec<Step> = crates
            .units
            .iter()
            .enumerate()
            .map(|(unit, target)| Step {
                unit,
                place: Place::root(normal(&target.root)),
                declared: None,
            })
            .collect();
        while !next.is_empty() {
            sources.follow(next, crates, changed, reader, &mut reading);
            next = Vec::new();
            for mount in expansions.expand(&mut sources, crates, reader) {
                let place = sources.place(mount, &reading.places);
                let mut declared = Vec::new();
                sources.children(&place, mount, crates, &mut declared);
                declared.retain(|step| {
                    let build = crates.build_of(step.unit);
                    !sources.is_declared_around(step, build, mount, &reading)
                });
                next.append(&mut declared);
                reading.places.push(place);
            }
        }
        sources.not_compiled = sources.left_out(changed, reader, &reading);
        sources.read_texts(crates, reader);
        sources.count_embedded_lines(reader);
        sources
    }

    /// The changed files whose only declarations are not compiled.
    fn left_out(
        &self,
        changed: &Changed,
        reader: &dyn Reader,
        reading: &Reading,
    ) -> BTreeSet<Utf8PathBuf> {
        let mut wanted: BTreeSet<&Utf8PathBuf> = changed.rust.keys().collect();
        for file in &self.files {
            wanted.remove(&file.path);
        }
        let mut found = BTreeSet::new();
        if wanted.is_empty() {
            return found;
        }
        let mut next: Vec<Place> = Vec::new();
        for (mount, at) in self.mounts.iter().zip(&reading.places) {
            let left_out = &self.files[mount.file].left_out;
            next.extend(left_out.iter().flat_map(|child| at.candidates(child)));
        }
        let mut seen = BTreeSet::new();
        while let Some(place) = next.pop() {
            if !seen.insert(place.path.clone()) {
                continue;
            }
            if wanted.contains(&place.path) {
                found.insert(place.path.clone());
            }
            if let Some(items) = reader.read(&place.path) {
                let children = items.children.iter();
                next.extend(children.flat_map(|child| place.candidates(child)));
            }
        }
        found
    }

    /// Counts the lines of the files that documentation embeds.
    fn count_embedded_lines(&mut self, reader: &dyn Reader) {
        let mut lines = FxHashMap::default();
        for file in &self.files {
            let tests = file.now.iter().flat_map(|items| &items.doctests);
            for path in tests.filter_map(|test| file.embedded(test)) {
                lines.entry(path).or_insert_with_key(|path| {
                    let text = reader.text(path).unwrap_or_default();
                    u32::try_from(text.lines().count()).unwrap_or(u32::MAX)
                });
            }
        }
        self.embedded_lines = lines;
    }

    /// Reads declared files level by level.
    fn follow(
        &mut self,
        mut level: Vec<Step>,
        crates: &CrateGraph,
        changed: &Changed,
        reader: &dyn Reader,
        reading: &mut Reading,
    ) {
        while !level.is_empty() {
            let mut wanted: Vec<(usize, &Utf8Path)> = level
                .iter()
                .map(|step| (crates.build_of(step.unit), step.place.path.as_path()))
                .filter(|(build, path)| !reading.by_path[*build].contains_key(*path))
                .collect();
            wanted.sort_unstable();
            wanted.dedup();
            let read: Vec<Option<SourceFile>> = wanted
                .par_iter()
                .map(|(build, path)| SourceFile::read(path, *build, crates, changed, reader))
                .collect();
            let found: Vec<((usize, Utf8PathBuf), Option<SourceFile>)> = wanted
                .into_iter()
                .map(|(build, path)| (build, path.to_owned()))
                .zip(read)
                .collect();
            for ((build, path), file) in found {
                let id = file.map(|file| {
                    self.files.push(file);
                    self.files.len() - 1
                });
                reading.by_path[build].insert(path, id);
            }
            let mut next = Vec::new();
            for step in level {
                let by_path = &reading.by_path[crates.build_of(step.unit)];
                let Some(file) = by_path.get(&step.place.path).copied().flatten() else {
                    continue;
                };
                // A file that declares itself, by `#[path]` or `include!`, would never end.
                let circle = self.ancestors(step.declared).any(|mount| mount == file);
                let include = step
                    .declared
                    .map(|declared| (declared.mount, declared.include));
                if circle || !reading.seen.insert((step.unit, file, include)) {
                    continue;
                }
                self.mounts.push(ModuleFile {
                    unit: step.unit,
                    file,
                    declared: step.declared,
                });
                let mount = self.mounts.len() - 1;
                self.children(&step.place, mount, crates, &mut next);
                reading.places.push(step.place);
                self.folders(mount, crates, reader, reading, &mut next);
            }
            level = next;
        }
    }

    /// Whether the file around an expansion declares this file as well: a `mod` in the input of a macro is in both.
    fn is_declared_around(
        &self,
        step: &Step,
        build: usize,
        expansion: usize,
        reading: &Reading,
    ) -> bool {
        let by_path = &reading.by_path[build];
        let file = by_path.get(&step.place.path).copied().flatten();
        let around = std::iter::successors(Some(expansion), |mount| {
            let declared = self.mounts[*mount].declared?;
            let is_expansion = self.files[self.mounts[*mount].file].expansion.is_some();
            is_expansion.then_some(declared.mount)
        });
        let mut around = around.skip(1);
        file.is_some_and(|file| {
            around.any(|mount| {
                let standing = (step.unit, file, Some((mount, false)));
                reading.seen.contains(&standing)
            })
        })
    }

    /// Whether a mount is what a call expanded to before the change.
    pub(super) fn is_before(&self, mount: usize) -> bool {
        let mut around = std::iter::successors(Some(&self.mounts[mount]), |place| {
            let declared = place.declared.as_ref()?;
            let is_expansion = self.files[place.file].expansion.is_some();
            is_expansion.then(|| &self.mounts[declared.mount])
        });
        around.any(|place| {
            let declared = place.declared.as_ref();
            self.files[place.file].expansion.is_some()
                && declared.is_some_and(|declared| declared.before)
        })
    }

    /// The line that rustdoc names a documentation test by. What a macro writes stands at its call, with as many lines
    /// below it as in the documentation. What a macro only hands on keeps its line.
    pub(super) fn line_of_documentation(&self, mount: usize, test: &DocItem) -> u32 {
        let mut at = mount;
        let mut rewrites = false;
        let mut line = None;
        while let (Some(call), Some(declared)) = (
            self.files[self.mounts[at].file].expansion,
            &self.mounts[at].declared,
        ) {
            rewrites |= self.files[self.mounts[at].file].rewrites_attributes;
            line = Some(call);
            at = declared.mount;
        }
        let shift = self.lines_embedded_above(mount, test);
        let Some(call) = line else {
            return test.line + shift;
        };
        let outer = self.files[self.mounts[at].file].now.as_deref();
        let mut written = outer.into_iter().flat_map(|items| &items.doctests);
        match written.find(|outer| outer.hash == test.hash && outer.line >= call) {
            Some(outer) if !rewrites => outer.line + shift,
            _ => call + test.above + shift,
        }
    }

    /// How many lines of embedded files stand above a test in its documentation.
    fn lines_embedded_above(&self, mount: usize, test: &DocItem) -> u32 {
        let file = &self.files[self.mounts[mount].file];
        let begin = |test: &DocItem| (test.item, test.line - test.above);
        let all = file.now.iter().flat_map(|items| &items.doctests);
        let embedding = all.filter(|other| other.embedded.is_some());
        let above = embedding.take_while(|other| !std::ptr::eq(*other, test));
        let above = above.filter(|other| begin(other) == begin(test) && other.above <= test.above);
        let paths = above.filter_map(|other| file.embedded(other));
        paths
            .filter_map(|path| self.embedded_lines.get(&path))
            .sum()
    }

    /// The folder of modules in a call's expansion, as if it replaced the call.
    fn place(&self, expansion: usize, places: &[Place]) -> Place {
        let ModuleFile { file, declared, .. } = &self.mounts[expansion];
        let Some(declared) = declared else {
            return Place::root(self.files[*file].path.clone());
        };
        let mut place = places[declared.mount].clone();
        let holder = &self.files[self.mounts[declared.mount].file];
        let mut inside = Vec::new();
        if let Some(items) = holder.items(declared.before) {
            let mut at = items.items[declared.item as usize].parent;
            while at != TOP {
                let item = &items.items[at as usize];
                if item.kind == ItemKind::Mod {
                    inside.push(name(items, item.name));
                }
                at = item.parent;
            }
        }
        place.folder.extend(inside.into_iter().rev());
        place
    }

    fn ancestors(&self, from: Option<Declared>) -> impl Iterator<Item = FileId> {
        let mut next = from;
        std::iter::from_fn(move || {
            let mount = &self.mounts[next?.mount];
            next = mount.declared;
            Some(mount.file)
        })
    }

    /// The files of folders that macro calls name, as modules at the call.
    fn folders(
        &mut self,
        mount: usize,
        crates: &CrateGraph,
        reader: &dyn Reader,
        reading: &mut Reading,
        next: &mut Vec<Step>,
    ) {
        let ModuleFile { unit, file, .. } = self.mounts[mount];
        let package = &crates.folders[crates.units[unit].package];
        for named in module_folders::named(&self.files[file], package, reader) {
            let path = self.files[file].path.clone();
            let declared = Declared {
                mount,
                item: named.item,
                before: false,
                include: true,
            };
            self.files.push(SourceFile {
                path: path.clone(),
                now: Some(Arc::new(named.declares)),
                before: None,
                changed: false,
                expansion: Some(named.line),
                rewrites_attributes: false,
                left_out: Vec::new(),
                partial: false,
                texts: FxHashMap::default(),
            });
            self.mounts.push(ModuleFile {
                unit,
                file: self.files.len() - 1,
                declared: Some(declared),
            });
            let place = Place {
                path,
                folder: named.folder,
            };
            self.children(&place, self.mounts.len() - 1, crates, next);
            reading.places.push(place);
        }
    }

    /// The files that those of a mount may declare.
    fn children(&self, at: &Place, mount: usize, crates: &CrateGraph, next: &mut Vec<Step>) {
        let ModuleFile { unit, file, .. } = self.mounts[mount];
        let package = &crates.folders[crates.units[unit].package];
        let file = &self.files[file];
        for (items, before) in [(&file.now, false), (&file.before, true)] {
            for child in items.iter().flat_map(|items| &items.children) {
                for place in at.candidates_in(package, child) {
                    let declared = Declared {
                        mount,
                        item: child.item,
                        before,
                        include: child.name.is_none(),
                    };
                    next.push(Step {
                        unit,
                        place,
                        declared: Some(declared),
                    });
                }
            }
        }
    }
}

impl SourceFile {
    fn read(
        path: &Utf8Path,
        build: usize,
        crates: &CrateGraph,
        changed: &Changed,
        reader: &dyn Reader,
    ) -> Option<Self> {
        let mut left_out = Vec::new();
        let mut partial = false;
        let mut configured = |items: Arc<FileItems>, read: &ReadFor| {
            let configured = crates.configured(build, Arc::clone(&items), &mut left_out, read);
            partial |= !Arc::ptr_eq(&items, &configured);
            configured
        };
        let now = reader.read(path);
        let now = now.map(|items| {
            configured(items, &|options, decisions| {
                reader.read_for(path, options, decisions)
            })
        });
        let old = changed.rust.get(path).or_else(|| changed.texts.get(path));
        let before = old.and_then(|text| text.as_deref());
        let before = before.map(|text| {
            let key = content_key(text.as_bytes());
            let items = reader.made(key, &|| extract::read(text));
            configured(items, &|options, decisions| {
                let key = decided_key(&key, decisions);
                Some(reader.made(key, &|| extract::read_for(text, options)))
            })
        });
        (now.is_some() || before.is_some()).then(|| Self {
            path: path.to_owned(),
            now,
            before,
            changed: old.is_some(),
            expansion: None,
            rewrites_attributes: false,
            left_out,
            partial,
            texts: FxHashMap::default(),
        })
    }
}
