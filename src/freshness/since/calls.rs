//! The calls of test runners in the commands of a run, by the build that they ask for.

use std::collections::{BTreeMap, BTreeSet};

use crate::affected::{Selection, TargetSelection, TestSelector, TestTarget, TestTargetKind};
use crate::freshness::build::{self, TestCall};
use crate::script::calls::Call;
use crate::script::simple_commands::Command;
use crate::workspace::{Configuration, PackageId, Workspace};

/// Calls of one build, which run tests and nothing else: each with the members that it names, all where it names none.
pub(super) struct Calls<'c> {
    /// The build.
    pub(super) configuration: Configuration,
    calls: Vec<(Call<'c>, BTreeSet<PackageId>)>,
}

impl<'c> Calls<'c> {
    /// What commands run, by build; `environment` are the variables of all. `None` if that is unknown, or depends on more than
    /// tests.
    pub(super) fn of(
        workspace: &Workspace,
        environment: &BTreeMap<String, String>,
        commands: &'c [Command],
    ) -> Option<Vec<Self>> {
        let mut builds: Vec<Self> = Vec::new();
        for command in commands {
            if !matches!(command.then, "" | "&&" | ";") {
                return None;
            }
            let TestCall {
                call,
                packages,
                configuration,
            } = build::of(workspace, environment, command)?;
            let known = builds
                .iter_mut()
                .find(|build| build.configuration == configuration);
            match known {
                Some(build) => build.calls.push((call, packages)),
                None => builds.push(Self {
                    configuration,
                    calls: vec![(call, packages)],
                }),
            }
        }
        (!builds.is_empty()).then_some(builds)
    }

    /// Whether any call may have run a test of these members; a source of no member may belong to any of them.
    pub(super) fn may_have_run_in(&self, members: &BTreeSet<Option<PackageId>>) -> bool {
        let mut members = members.iter();
        members.any(|member| {
            member.is_none_or(|member| self.calls.iter().any(|(_, named)| named.contains(&member)))
        })
    }

    /// Whether any call may run a test of the selections for its build.
    pub(super) fn run_any(&self, moved: &[(&Configuration, Selection)]) -> bool {
        let mut selections = moved
            .iter()
            .filter(|(build, _)| **build == self.configuration);
        selections.any(|(_, selection)| {
            let mut parts = selection.targets.iter();
            parts.any(|(target, part)| self.may_run(target, part))
        })
    }

    /// Whether any call may run tests of this target.
    pub(super) fn name(&self, target: &TestTarget) -> bool {
        self.that_name(target).next().is_some()
    }

    /// Whether any call may run a selected test of this target.
    pub(super) fn may_run(&self, target: &TestTarget, part: &TargetSelection) -> bool {
        self.that_name(target).any(|call| runs_any(call, part))
    }

    /// The calls that may run tests of this target.
    fn that_name(&self, target: &TestTarget) -> impl Iterator<Item = &Call<'c>> {
        let calls = self.calls.iter();
        let named = calls.filter(|(call, packages)| {
            packages.contains(&target.package) && runs_kind(call, &target.kind)
        });
        named.map(|(call, _)| call)
    }
}

fn runs_kind(call: &Call<'_>, kind: &TestTargetKind) -> bool {
    let named = |wanted: Option<&str>, name: &str| {
        wanted.is_none_or(|wanted| wanted == name || wanted.contains(['*', '?', '[']))
    };
    call.targets.is_empty()
        || call
            .targets
            .iter()
            .any(|(option, wanted)| match (*option, kind) {
                ("--lib", TestTargetKind::Library) | ("--doc", TestTargetKind::Doc) => true,
                ("--tests" | "--all-targets", kind) => *kind != TestTargetKind::Doc,
                ("--bin" | "--bins", TestTargetKind::Binary(name))
                | ("--test", TestTargetKind::Test(name))
                | ("--example" | "--examples", TestTargetKind::Example(name))
                | ("--bench" | "--benches", TestTargetKind::Bench(name)) => named(*wanted, name),
                _ => false,
            })
}

fn runs_any(call: &Call<'_>, part: &TargetSelection) -> bool {
    let passes = |name: &str| call.filters.iter().any(|filter| name.contains(filter));
    call.filters.is_empty()
        || !part.whole.is_empty()
        || part.tests.keys().any(|name| match name {
            TestSelector::Exact(name) => passes(name),
            TestSelector::Prefix(_) | TestSelector::Doc(_) | TestSelector::Unnamed => true,
        })
}
