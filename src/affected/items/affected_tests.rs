//! Selects the tests that a change can affect.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::Graph;
use super::changed_items::{changed_nodes, documenting, embedding};
use super::crate_graph::UnitId;
use super::extract::{Digest, flag};
use super::nodes::NodeId;
use super::reachability::WIDTH;
use super::sources::{Changed, FileId};
use super::test_items::{TestGroup, TestPattern};
use crate::workspace::source::syntax::ItemKind;

/// The tests that a change selects.
#[derive(Debug, Default)]
pub struct Affected {
    /// Tests that reach a changed item.
    pub tests: Vec<Selected>,
    /// Units whose tests are all selected, with the reason as an index into `widened`.
    pub units: BTreeMap<UnitId, usize>,
    /// Reasons for selecting whole units.
    pub widened: Vec<Widened>,
    /// Changed Rust files that no unit mounts: the rules for packages apply.
    pub unmounted: Vec<Utf8PathBuf>,
    /// Changed Rust files that the configuration does not compile.
    pub not_compiled: Vec<Utf8PathBuf>,
    /// Other changed files that no item embeds: the rules for packages apply.
    pub not_embedded: Vec<Utf8PathBuf>,
    /// Quiet files that no code is known to read.
    pub unread: BTreeSet<Utf8PathBuf>,
    /// The number of changed items.
    pub changed_items: usize,
}

/// A change that cannot be attributed to an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widened {
    /// The changed file, absolute.
    pub file: Utf8PathBuf,
    /// Its description.
    pub why: String,
}

/// A selected test and its reason.
#[derive(Debug, Clone)]
pub struct Selected {
    /// Index into [`Graph::tests`].
    pub test: usize,
    /// Items from the test to the changed one, each reaching the next.
    pub chain: Vec<NodeId>,
}

/// The targets of a search.
struct ChangedItems {
    nodes: Vec<NodeId>,
    /// The distance of every node to the nearest changed one.
    distance: Vec<u32>,
    wanted: Vec<bool>,
    /// Documentation tests whose own text changed.
    documentation: FxHashSet<(Utf8PathBuf, u32)>,
}

impl Graph {
    /// The tests that the change can affect.
    #[must_use]
    pub fn select(&self, changed: &Changed) -> Affected {
        let mut affected = Affected::default();
        let mut goals = changed_nodes(&self.nodes, &self.open_uses, &self.globs);
        affected.changed_items = self.items_of(&goals);
        self.widen(changed, &mut affected);
        self.files(changed, &mut goals, &mut affected);
        let mut documentation = self.changed_documentation();
        for test in &self.tests {
            if let Some((text, line)) = &test.embedded
                && changed.others.contains(text)
            {
                documentation.insert((test.file.clone(), *line));
            }
        }
        // A test that runs cargo may build what this configuration excludes.
        let left_out = self.sources.files.iter();
        let left_out = left_out
            .filter(|file| file.changed)
            .any(|file| file.partial);
        let same_build = !changed.besides
            && !left_out
            && affected.not_compiled.is_empty()
            && self.read.named.is_empty()
            && goals.is_empty()
            && documentation.is_empty()
            && affected.units.is_empty()
            && affected.not_embedded.is_empty()
            && affected.unmounted.is_empty();
        affected.unread.clone_from(&self.read.unread);
        if same_build && self.read.by.is_empty() && self.read.besides.is_empty() {
            return affected;
        }
        goals.extend(self.read.by.keys());
        goals.extend(&self.read.besides);
        if !same_build {
            goals.push(self.edges.everything);
        }
        goals.sort_unstable();
        goals.dedup();
        let mut distance = self.predecessors().distances(&goals);
        if self.changes_a_program(&goals, &distance, &affected.units) {
            goals.push(self.edges.any_program);
            self.predecessors()
                .add(&[self.edges.any_program], &mut distance);
        }
        let goals = ChangedItems {
            wanted: distance
                .iter()
                .map(|distance| *distance != u32::MAX)
                .collect(),
            nodes: goals,
            distance,
            documentation,
        };
        let group_by_seeds = self.group_by_seeds(&goals, &affected.units);
        let parts: Vec<Vec<Selected>> = group_by_seeds
            .par_chunks(WIDTH)
            .map(|pass| self.pass(pass, &goals))
            .collect();
        affected.tests = parts.into_iter().flatten().collect();
        affected.tests.sort_by_key(|selected| selected.test);
        affected
    }

    /// Whether a program or a dynamic library of the workspace reaches a changed node.
    fn changes_a_program(
        &self,
        goals: &[NodeId],
        distance: &[u32],
        whole: &BTreeMap<UnitId, usize>,
    ) -> bool {
        let of_whole = |program: &TestGroup| whole.contains_key(&program.unit);
        if self.programs.iter().any(of_whole) {
            return true;
        }
        let wanted: Vec<bool> = distance.iter().map(|steps| *steps != u32::MAX).collect();
        let changed = goals.iter().filter(|goal| **goal != self.edges.everything);
        let changed: Vec<NodeId> = changed.copied().collect();
        self.programs.par_chunks(WIDTH).any(|pass| {
            let groups: Vec<&TestGroup> = pass.iter().collect();
            let reached = self.reached_by(&groups, Some(&wanted));
            (0..groups.len()).any(|bit| changed.iter().any(|goal| reached.reaches(bit, *goal)))
        })
    }

    /// The number of items of nodes. An item is the same before and after a change, and in every unit.
    fn items_of(&self, nodes: &[NodeId]) -> usize {
        let item = |id: &NodeId| {
            let file = self.nodes.nodes[*id as usize].file;
            (file, self.nodes.item(&self.sources, *id).key)
        };
        nodes.iter().map(item).collect::<FxHashSet<_>>().len()
    }

    /// Groups classes with the same starting points, as far as the change matters: one of a group answers for all. Classes of units that are
    /// selected whole are excluded.
    fn group_by_seeds(
        &self,
        goals: &ChangedItems,
        whole: &BTreeMap<UnitId, usize>,
    ) -> Vec<Vec<usize>> {
        let mut groups: BTreeMap<(UnitId, bool, Vec<NodeId>), Vec<usize>> = BTreeMap::new();
        for (index, class) in self.test_groups.iter().enumerate() {
            if whole.contains_key(&class.unit) {
                continue;
            }
            let starts = class.starts.iter().copied();
            let starts = starts
                .filter(|start| goals.wanted[*start as usize])
                .collect();
            let group = groups.entry((class.unit, class.documentation, starts));
            group.or_default().push(index);
        }
        groups.into_values().collect()
    }

    fn pass(&self, pass: &[Vec<usize>], goals: &ChangedItems) -> Vec<Selected> {
        let mut found = Vec::new();
        let begins = |seeds: &[NodeId]| seeds.iter().any(|seed| goals.wanted[*seed as usize]);
        let roots = begins(&self.edges.roots);
        let firsts: Vec<usize> = pass.iter().map(|group| group[0]).collect();
        let starts = firsts
            .iter()
            .any(|class| roots || begins(&self.test_groups[*class].starts));
        let reached = starts.then(|| self.reached(&firsts, Some(&goals.wanted)));
        for (bit, group) in pass.iter().enumerate() {
            let first = &self.test_groups[group[0]];
            let reached = reached
                .as_ref()
                .filter(|reached| goals.nodes.iter().any(|goal| reached.reaches(bit, *goal)));
            let shared = reached.map(|reached| self.chain(first, bit, reached, &goals.distance));
            let tests = group
                .iter()
                .flat_map(|class| &self.test_groups[*class].tests);
            found.extend(tests.filter_map(|test| {
                let chain = self.way(*test, shared.as_deref(), goals)?;
                Some(Selected { test: *test, chain })
            }));
        }
        found
    }

    /// The path from a test to a changed item: itself, a node of its group, or the text of a documentation test; `None` if it reaches no
    /// changed item.
    fn way(
        &self,
        test: usize,
        shared: Option<&[NodeId]>,
        goals: &ChangedItems,
    ) -> Option<Vec<NodeId>> {
        let about = &self.tests[test];
        let mut seeds = about.seeds.iter();
        if let Some(seed) = seeds.find(|seed| goals.distance[**seed as usize] == 0) {
            return Some(vec![*seed]);
        }
        if let Some(chain) = shared {
            return Some([about.seeds.as_slice(), chain].concat());
        }
        let embedded = about.embedded.as_ref().map(|(_, line)| *line);
        let mut lines = embedded.into_iter().chain([about.line]);
        let is_changed = lines.any(|line| {
            let place = (about.file.clone(), line);
            goals.documentation.contains(&place)
        });
        (about.name == TestPattern::Doc && is_changed).then(Vec::new)
    }

    /// Selects all tests that link a unit, for changes that cannot be attributed to an item.
    fn widen(&self, changed: &Changed, affected: &mut Affected) {
        let mut whole: Vec<(UnitId, Widened)> = Vec::new();
        let mut add = |unit: UnitId, file: FileId, why: String| {
            let file = self.sources.files[file].path.clone();
            whole.push((unit, Widened { file, why }));
        };
        for (file, unit, is_changed) in &self.nodes.unread {
            if *is_changed {
                add(*unit, *file, "it cannot be parsed as Rust items".to_owned());
            }
        }
        for (file, unit) in &self.nodes.whole_units {
            let why = "attributes of the crate or module changed";
            add(*unit, *file, why.to_owned());
        }
        for (id, node) in (0_u32..)
            .zip(&self.nodes.nodes)
            .filter(|(_, node)| node.changed)
        {
            let opaque = node.kind == ItemKind::Call && node.flags & flag::TRANSPARENT == 0;
            let what = if opaque {
                format!("the macro call `{}` changed", self.describe(id))
            } else if node.kind == ItemKind::ExternCrate {
                "an `extern crate` changed".to_owned()
            } else {
                continue;
            };
            add(node.unit as usize, node.file as usize, what);
        }
        if changed.whole {
            for mount in &self.sources.mounts {
                let file = &self.sources.files[mount.file];
                if file.changed && file.now.is_none() {
                    add(mount.unit, mount.file, "it was deleted".to_owned());
                }
            }
        }
        for (unit, why) in whole {
            let known = affected.widened.iter().position(|known| *known == why);
            let index = known.unwrap_or_else(|| {
                affected.widened.push(why);
                affected.widened.len() - 1
            });
            for (id, links) in self.crates.links.iter().enumerate() {
                if links.contains(&unit) {
                    affected.units.entry(id).or_insert(index);
                }
            }
        }
    }

    /// Changed files that are not modules: the items that embed them count as changed.
    fn files(&self, changed: &Changed, goals: &mut Vec<NodeId>, affected: &mut Affected) {
        for path in self.sources.unmounted(changed) {
            let before = goals.len();
            goals.extend(self.embedding(path));
            let known = goals.len() > before || self.read.named.contains(path);
            if known || changed.quiet.contains(path) {
                continue;
            }
            if self.sources.not_compiled.contains(path) {
                affected.not_compiled.push(path.to_owned());
            } else if changed.rust.contains_key(path) {
                affected.unmounted.push(path.to_owned());
            } else {
                affected.not_embedded.push(path.to_owned());
            }
        }
    }

    /// The items that embed a file with macros such as `include_str!`.
    pub fn embedding(&self, path: &Utf8Path) -> impl Iterator<Item = NodeId> {
        embedding(&self.sources, &self.nodes, path)
    }

    /// The units whose documentation embeds a file.
    pub fn documenting<'g>(&'g self, path: &'g Utf8Path) -> impl Iterator<Item = UnitId> + 'g {
        documenting(&self.sources, path)
    }

    /// Documentation tests with changed code.
    fn changed_documentation(&self) -> FxHashSet<(Utf8PathBuf, u32)> {
        let sources = &self.sources;
        let mounts = sources.mounts.iter().enumerate();
        let changed = mounts.filter(|(_, mount)| sources.files[mount.file].changed);
        let (before, now): (Vec<_>, Vec<_>) = changed.partition(|(id, _)| sources.is_before(*id));
        let mut known: FxHashSet<(&Utf8Path, Digest)> = FxHashSet::default();
        for (_, mount) in &before {
            let file = &sources.files[mount.file];
            let tests = file.now.iter().flat_map(|items| &items.doctests);
            known.extend(tests.map(|test| (file.path.as_path(), test.hash)));
        }
        for (_, mount) in &now {
            let file = &sources.files[mount.file];
            let tests = file.before.iter().flat_map(|items| &items.doctests);
            known.extend(tests.map(|test| (file.path.as_path(), test.hash)));
        }
        let mut found = FxHashSet::default();
        for (id, mount) in now {
            let file = &sources.files[mount.file];
            for test in file.now.iter().flat_map(|items| &items.doctests) {
                if !known.contains(&(file.path.as_path(), test.hash)) {
                    let line = sources.line_of_documentation(id, test);
                    found.insert((file.path.clone(), line));
                }
            }
        }
        found
    }
}
