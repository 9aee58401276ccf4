//! Builds a [`Selection`] from the effects of rules and the reached tests of the item graph.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::affected::failed::TestNames;
use crate::affected::file_effect::FileEffect;
use crate::affected::items::affected_tests::Affected;
use crate::affected::items::nodes::NodeId;
use crate::affected::items::{self, Graph, UnitId};
use crate::affected::selection::{Reason, Selection, Step, TargetSelection, Total};
use crate::affected::targets::{TestTarget, TestTargetKind, all_targets};
use crate::affected::unrun::name_of;
use crate::workspace::Workspace;

/// Builds a selection.
pub(super) struct SelectionBuilder<'a> {
    workspace: &'a Workspace,
    graph: &'a Graph,
    /// Every test target with its tests, as indexes into [`Graph::tests`].
    tests: BTreeMap<TestTarget, Vec<usize>>,
    pub(super) selection: Selection,
}

impl<'a> SelectionBuilder<'a> {
    pub(super) fn new(workspace: &'a Workspace, graph: &'a Graph) -> Self {
        let mut tests: BTreeMap<TestTarget, Vec<usize>> = all_targets(workspace)
            .into_iter()
            .map(|target| (target, Vec::new()))
            .collect();
        let mut by_unit: FxHashMap<(UnitId, bool), Vec<usize>> = FxHashMap::default();
        for (index, test) in graph.tests.iter().enumerate() {
            let documentation = test.name == items::TestPattern::Doc;
            let group = by_unit.entry((test.unit, documentation));
            group.or_default().push(index);
        }
        for mut group in by_unit.into_values() {
            if let Some(tests) = tests.get_mut(&graph.target(&graph.tests[group[0]])) {
                tests.append(&mut group);
            }
        }
        let total = Total {
            targets: tests.len(),
            tests: tests.values().map(|tests| count_names(graph, tests)).sum(),
        };
        Self {
            workspace,
            graph,
            tests,
            selection: Selection {
                total,
                ..Selection::default()
            },
        }
    }

    /// The selected part of a target; `None` if the target is not built.
    fn part(&mut self, target: TestTarget) -> Option<&mut TargetSelection> {
        let tests = self.tests.get(&target)?;
        let (workspace, graph) = (self.workspace, self.graph);
        let known = || {
            let tests = tests.iter().map(|test| &graph.tests[*test]);
            tests.map(|test| name_of(workspace, test)).collect()
        };
        let part = self.selection.targets.entry(target);
        Some(part.or_insert_with(|| TargetSelection {
            known: Arc::new(known()),
            ..TargetSelection::default()
        }))
    }

    pub(super) fn by_rule(&mut self, reach: FileEffect, files: &[String]) {
        let reason = |rule: &str, chain| Reason::File {
            file: files[0].clone(),
            more: files.len() - 1,
            rule: rule.to_owned(),
            chain,
        };
        match reach {
            FileEffect::Nothing(why) => self.without_effect(files, &why),
            FileEffect::Targets(targets, why) => {
                let names: Vec<String> = targets
                    .iter()
                    .map(|target| target.binary_id(self.workspace))
                    .collect();
                let mut any = false;
                for target in targets {
                    let reason = reason(&why, vec![target.package]);
                    if let Some(part) = self.part(target) {
                        part.whole.insert(reason);
                        any = true;
                    }
                }
                if !any && names.is_empty() {
                    self.without_effect(files, &format!("{why}, which `cargo test` does not run"));
                } else if !any {
                    let names = names.join(", ");
                    self.without_effect(
                        files,
                        &format!("the required-features of {names} are off"),
                    );
                }
            }
            FileEffect::Packages(packages, why) => {
                let chains = self.workspace.chains(&packages);
                let targets: Vec<TestTarget> = self.tests.keys().cloned().collect();
                for target in targets {
                    if let Some(chain) = chains.get(&target.package) {
                        let reason = reason(&why, chain.clone());
                        if let Some(part) = self.part(target) {
                            part.whole.insert(reason);
                        }
                    }
                }
            }
        }
    }

    /// Selects the tests that failed in their last run. One that is not in the sources selects its whole target.
    pub(super) fn by_failure(&mut self, failed: &TestNames) {
        if failed.is_empty() {
            return;
        }
        let targets: Vec<TestTarget> = self.tests.keys().cloned().collect();
        for target in targets {
            let Some(names) = failed.get(&target.binary_id(self.workspace)) else {
                continue;
            };
            // The failed tests of a target without tests were removed.
            if self.tests[&target].is_empty() {
                continue;
            }
            let Some(part) = self.part(target) else {
                continue;
            };
            for name in names {
                let known = part.known.iter().filter(|known| known.matches(name)).max();
                match known.cloned() {
                    Some(known) => {
                        part.tests.insert(known, Reason::Failed);
                    }
                    None => {
                        part.whole.insert(Reason::Failed);
                    }
                }
            }
        }
    }

    pub(super) fn without_effect(&mut self, files: &[String], why: &str) {
        let files = files.iter().map(|file| (file.clone(), why.to_owned()));
        self.selection.without_effect.extend(files);
    }

    pub(super) fn by_items(&mut self, found: &Affected) {
        let graph = self.graph;
        for (unit, why) in &found.units {
            let unit = &graph.crates.units[*unit];
            for target in [Some(unit.target()), unit.documentation()]
                .into_iter()
                .flatten()
            {
                let widened = &found.widened[*why];
                let file = self.workspace.slashed(&widened.file);
                let reason = Reason::Widened(format!("{file}: {}", widened.why));
                if let Some(part) = self.part(target) {
                    part.whole.insert(reason);
                }
            }
        }
        let mut ways = ChainTexts {
            workspace: self.workspace,
            graph,
            steps: FxHashMap::default(),
        };
        let mut off = BTreeSet::new();
        for selected in &found.tests {
            let test = &graph.tests[selected.test];
            let reason = Reason::Items(ways.of(&selected.chain));
            let name = name_of(self.workspace, test);
            let target = graph.target(test);
            let Some(part) = self.part(target.clone()) else {
                off.insert(target);
                continue;
            };
            if test.name == items::TestPattern::All {
                part.whole.insert(reason);
            } else {
                part.tests.insert(name, reason);
            }
        }
        for target in off {
            let package = &self.workspace.packages[target.package].name;
            let why = if matches!(
                target.kind,
                TestTargetKind::Bench(_) | TestTargetKind::Example(_)
            ) {
                "`cargo test` does not run it"
            } else {
                "its required-features are off"
            };
            self.without_effect(&[format!("{package} {}", target.kind)], why);
        }
    }
}

/// The texts of chains of nodes, each node computed once.
struct ChainTexts<'a> {
    workspace: &'a Workspace,
    graph: &'a Graph,
    steps: FxHashMap<NodeId, Step>,
}

impl ChainTexts<'_> {
    fn of(&mut self, chain: &[NodeId]) -> Arc<[Step]> {
        let mut steps: Vec<Step> = chain.iter().map(|node| self.step(*node)).collect();
        // A called name and the name of members are two nodes with one text.
        steps.dedup();
        steps.into()
    }

    fn step(&mut self, node: NodeId) -> Step {
        let step = self.steps.entry(node).or_insert_with(|| {
            let place = self.graph.place(node);
            let mut name = self.graph.describe(node);
            if let Some(file) = self.graph.reads(node) {
                name = format!("{name}, which may read {}", self.workspace.slashed(file));
            }
            Step {
                name,
                place: place.map(|(file, line)| (self.workspace.slashed(file), line)),
            }
        });
        step.clone()
    }
}

/// The number of distinct names of these tests according to [`name_of`].
fn count_names(graph: &Graph, tests: &[usize]) -> usize {
    let names = tests.iter().filter_map(|test| {
        let test = &graph.tests[*test];
        Some(match &test.name {
            items::TestPattern::Exact(name) => (true, name.as_str(), 0, None),
            items::TestPattern::Prefix(start) => (false, start.as_str(), 0, None),
            items::TestPattern::All => (false, "", 0, None),
            items::TestPattern::Unnamed => return None,
            items::TestPattern::Doc => {
                let documents = test.documents.as_deref();
                (false, test.file.as_str(), test.line, documents)
            }
        })
    });
    names.collect::<FxHashSet<_>>().len()
}
