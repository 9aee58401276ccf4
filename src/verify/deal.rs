//! Partitions a verification for several machines. Pure functions.
//!
//! Input: a selection, the work of each target, and the number of shards. Output: the targets of each shard, equal on every machine.
//! nextest partitions its tests itself (`--partition slice:M/N`). For `cargo test`, a shard gets whole packages, because the
//! dependencies of a package's targets are built once; only a package larger than an even share is split.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::partition::Partition;
use super::runner::Runner;
use crate::affected::{Selection, TestTarget, TestTargetKind};
use crate::workspace::Workspace;

/// The recorded duration of each binary's tests, in milliseconds, by binary id.
pub type Recorded = BTreeMap<String, u64>;

/// The work of each selected target: milliseconds if any are recorded, where a target without a record gets the mean of the others per
/// test; otherwise the number of tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// The work by target. It is never zero, because each target has to be built and started.
    pub targets: BTreeMap<TestTarget, u64>,
    /// Whether the unit is milliseconds.
    pub is_time: bool,
}

impl Work {
    /// The work of a selection.
    #[must_use]
    pub fn of(workspace: &Workspace, selection: &Selection, recorded: &Recorded) -> Self {
        let known = |target: &TestTarget| recorded.get(&target.binary_id(workspace)).copied();
        let size = |target: &TestTarget| (selection.targets[target].known.len() as u64).max(1);
        let timed = || {
            selection
                .targets
                .keys()
                .filter(|target| known(target).is_some())
        };
        let time: u64 = timed().filter_map(known).sum();
        let tests: u64 = timed().map(size).sum();
        let targets = selection.targets.iter().map(|(target, part)| {
            let selected = (part.count() as u64).clamp(1, size(target));
            let work = match known(target) {
                Some(whole) => whole * selected / size(target),
                None if tests > 0 => time * selected / tests,
                None => selected,
            };
            (target.clone(), work.max(1))
        });
        Self {
            targets: targets.collect(),
            is_time: tests > 0,
        }
    }

    fn sum<'t>(&self, targets: impl IntoIterator<Item = &'t TestTarget>) -> u64 {
        targets.into_iter().map(|target| self.targets[target]).sum()
    }
}

/// The targets of every shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deal {
    /// The targets that `cargo test` runs, for each shard.
    pub cargo: Vec<BTreeSet<TestTarget>>,
    /// The targets that nextest runs; every shard runs a slice of their tests.
    pub nextest: BTreeSet<TestTarget>,
}

impl Deal {
    /// Distributes a selection over `count` shards. `built` means that nextest's tests are already built: then documentation tests, which
    /// need a separate build, stay together.
    #[must_use]
    pub fn new(
        selection: &Selection,
        runner: Runner,
        work: &Work,
        count: usize,
        built: bool,
    ) -> Self {
        let by_nextest =
            |target: &&TestTarget| runner == Runner::Nextest && target.kind != TestTargetKind::Doc;
        let (nextest, cargo): (BTreeSet<&TestTarget>, BTreeSet<&TestTarget>) =
            selection.targets.keys().partition(by_nextest);
        let even = work.sum(cargo.iter().copied()) / count.max(1) as u64;
        let mut packages: BTreeMap<usize, BTreeSet<&TestTarget>> = BTreeMap::new();
        for target in cargo {
            let together = if built { 0 } else { target.package };
            packages.entry(together).or_default().insert(target);
        }
        let mut groups: Vec<BTreeSet<&TestTarget>> = Vec::new();
        for group in packages.into_values() {
            if built || work.sum(group.iter().copied()) <= even.max(1) {
                groups.push(group);
            } else {
                groups.extend(group.into_iter().map(|target| BTreeSet::from([target])));
            }
        }
        // Largest first, each to the least loaded shard: at most a third above the optimum.
        groups.sort_by_key(|group| Reverse(work.sum(group.iter().copied())));
        let mut shards = vec![(0, BTreeSet::new()); count.max(1)];
        for group in groups {
            if let Some((load, targets)) = shards.iter_mut().min_by_key(|(load, _)| *load) {
                *load += work.sum(group.iter().copied());
                targets.extend(group.into_iter().cloned());
            }
        }
        Self {
            cargo: shards.into_iter().map(|(_, targets)| targets).collect(),
            nextest: nextest.into_iter().cloned().collect(),
        }
    }

    /// The number of shards with something to run, at most `wanted` and at least one.
    #[must_use]
    pub fn worthwhile(selection: &Selection, runner: Runner, wanted: usize) -> usize {
        let parts = selection.targets.iter().map(|(target, part)| {
            if runner == Runner::Nextest && target.kind != TestTargetKind::Doc {
                part.count().max(1)
            } else {
                1
            }
        });
        parts.sum::<usize>().min(wanted).max(1)
    }

    /// The selection of one shard, with a slice of the nextest targets.
    #[must_use]
    pub fn share(&self, selection: &Selection, shard: Partition) -> Selection {
        let own = &self.cargo[shard.index - 1];
        selection.only(|target| own.contains(target) || self.nextest.contains(target))
    }

    /// The work of one shard, in the unit of [`Work`].
    #[must_use]
    pub fn work(&self, work: &Work, shard: Partition) -> u64 {
        let sliced = work.sum(&self.nextest) / shard.count as u64;
        work.sum(&self.cargo[shard.index - 1]) + sliced
    }

    /// The shard that runs each target of `cargo test`, by binary id.
    #[must_use]
    pub fn assigned(&self, workspace: &Workspace) -> BTreeMap<String, usize> {
        let shards = self.cargo.iter().enumerate();
        shards
            .flat_map(|(index, targets)| {
                let ids = targets.iter().map(|target| target.binary_id(workspace));
                ids.map(move |id| (id, index + 1))
            })
            .collect()
    }
}

/// A digest of the selected tests, equal on every machine: 16 hexadecimal digits.
#[must_use]
pub fn digest(workspace: &Workspace, selection: &Selection) -> String {
    let targets = selection.targets.iter();
    let mut targets: Vec<String> = targets
        .map(|(target, part)| {
            let names: Vec<String> = if part.is_whole() {
                vec!["*".to_owned()]
            } else {
                part.tests.keys().map(|name| format!("{name:?}")).collect()
            };
            format!("{}\0{}", target.binary_id(workspace), names.join("\0"))
        })
        .collect();
    targets.sort();
    blake3::hash(targets.join("\n").as_bytes()).to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::affected::TargetSelection;

    fn target(package: usize, name: &str) -> TestTarget {
        TestTarget {
            package,
            kind: TestTargetKind::Test(name.to_owned()),
        }
    }

    fn selected(work: &[(usize, &str, u64)]) -> (Selection, Work) {
        let targets = || {
            work.iter()
                .map(|(package, name, work)| (target(*package, name), *work))
        };
        let selection = Selection {
            targets: targets()
                .map(|(target, _)| (target, TargetSelection::default()))
                .collect(),
            ..Selection::default()
        };
        let work = Work {
            targets: targets().collect(),
            is_time: true,
        };
        (selection, work)
    }

    fn loads(selection: &Selection, work: &Work, count: usize) -> Vec<u64> {
        let deal = Deal::new(selection, Runner::Cargo, work, count, false);
        let dealt: usize = deal.cargo.iter().map(BTreeSet::len).sum();
        assert_eq!(dealt, selection.targets.len(), "each once");
        let shards = (1..=count).map(|index| Partition { index, count });
        shards.map(|shard| deal.work(work, shard)).collect()
    }

    #[test]
    fn packages_are_split_only_if_too_large() {
        let (selection, work) = selected(&[(0, "a", 40), (0, "b", 40), (1, "c", 10), (1, "d", 10)]);
        assert_eq!(loads(&selection, &work, 2), [40 + 20, 40]);
        let deal = Deal::new(&selection, Runner::Cargo, &work, 2, false);
        let packages = |shard: usize| {
            let targets = deal.cargo[shard].iter();
            targets.map(|target| target.package).collect::<Vec<_>>()
        };
        assert_eq!((packages(0), packages(1)), (vec![0, 1, 1], vec![0]));
    }

    #[test]
    fn additional_shards_have_no_work() {
        let (selection, work) = selected(&[(0, "a", 5), (1, "b", 3)]);
        assert_eq!(loads(&selection, &work, 4), [5, 3, 0, 0]);
        assert_eq!(Deal::worthwhile(&selection, Runner::Cargo, 4), 2);
    }

    #[test]
    fn every_shard_has_an_even_slice_of_nextest_tests() {
        let (selection, work) = selected(&[(0, "a", 30), (1, "b", 10)]);
        let deal = Deal::new(&selection, Runner::Nextest, &work, 2, false);
        for index in 1..=2 {
            let shard = Partition { index, count: 2 };
            assert_eq!(deal.work(&work, shard), 20);
            assert_eq!(deal.share(&selection, shard).targets.len(), 2);
        }
    }
}
