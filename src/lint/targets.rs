//! Packages and test targets that a plan names, and test counts that a run contradicts.

use camino::Utf8Path;
use cargo_metadata::TargetKind;

use super::context::{Check, LintContext};
use super::plan::agree;
use crate::document::plan::Action;
use crate::evidence::{Scope, TestCounts};
use crate::finding::{Code, Finding, Gate, Rule, Severity};
use crate::script::calls::Call;
use crate::script::simple_commands::{Command, proving};
use crate::workspace::graph::{folder_of, is_kind, nearest};
use crate::workspace::{PackageId, Workspace};

pub(super) const CHECKS: &[Check] = &[
    (&[UNKNOWN_TARGET], unknown_targets),
    (&[UNKNOWN_TARGET], unknown_rows),
    (&[UNTESTED_CONFIGURATION], untested_configurations),
    (&[CONTRADICTED_COUNT], baseline_count),
    (&[CONTRADICTED_COUNT], final_count),
];

/// The flags that select a target, with its kind and its folder.
const FLAGS: [(&str, TargetKind, &str); 4] = [
    ("--test", TargetKind::Test, "tests"),
    ("--bin", TargetKind::Bin, "src/bin"),
    ("--example", TargetKind::Example, "examples"),
    ("--bench", TargetKind::Bench, "benches"),
];

pub(crate) const UNKNOWN_TARGET: Code = Code::new(&Rule {
    code: "POC081",
    name: "unknown-target",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a package or test target does not exist",
    page: r"
A command names a package or test target that neither exists nor is created by a row of the Files table. `cargo test` fails with
a wrong `--test`; with a wrong filter it runs nothing and passes.

```bash
cargo test -p store --test round_trip
```
",
});

const UNTESTED_CONFIGURATION: Code = Code::new(&Rule {
    code: "POC090",
    name: "untested-configuration",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "a required configuration does not exist, or no command tests in it",
    page: r"
The row Configurations of the Overview names builds that every step with tests, and the done block, have to be proven in:
configurations of `[workspace.metadata.poc.configurations]`, and `default` for a build without options. A command tests in the
configuration whose features, target, profile and variables it has. Commands of one configuration prove nothing of another, so
each block needs a command for each.

```markdown
| **Configurations** | default, every |
```
",
});

/// Required configurations that no run can prove.
fn untested_configurations(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    if cx.context.workspace.is_none() {
        return;
    }
    let config = cx.context.config;
    let names = cx.plan.configurations.iter();
    for name in names.filter(|name| config.named(name).is_none()) {
        let known: Vec<&str> = config.configurations.keys().map(String::as_str).collect();
        let message = format!(
            "the workspace has no configuration `{name}`{}",
            nearest(name, &known)
        );
        let line = cx.line_with("configuration").unwrap_or(1);
        let finding = cx.in_plan_line(UNTESTED_CONFIGURATION, line, message);
        found.push(finding.about(name.as_str()));
    }
    let line = cx.plan.done.first().map_or(1, |block| block.line);
    let done = (line, &cx.status.runs.done_in);
    let steps = cx.status.steps.iter();
    let steps = steps.map(|step| (step.line, &step.configurations));
    for (line, configurations) in steps.chain([done]) {
        for one in configurations {
            let Some(why) = &one.why else { continue };
            if config.named(&one.name).is_none() {
                continue;
            }
            let message = format!("the configuration `{}` is required, and {why}", one.name);
            let finding = cx.in_plan_line(UNTESTED_CONFIGURATION, line, message);
            found.push(
                finding.help("add a command for tests with the options of the configuration"),
            );
        }
    }
}

/// Commands with a package or target that neither exists nor is planned.
fn unknown_targets(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let Some(workspace) = cx.context.workspace else {
        return;
    };
    for command in proving(cx.plan).flat_map(|block| cx.commands_of(block)) {
        let Some(arguments) = command.test_arguments() else {
            continue;
        };
        let call = Call::parse(arguments, false);
        let packages = &call.packages;
        let mut members: Vec<PackageId> = Vec::new();
        for name in packages {
            match workspace.find(name) {
                Ok(package) => members.push(package),
                Err(_) if is_pattern(name) || is_planned(cx, &format!("{name}/Cargo.toml")) => {
                    return;
                }
                Err(_) => {
                    let names: Vec<&str> = workspace
                        .packages
                        .iter()
                        .map(|package| package.name.as_str())
                        .collect();
                    let message =
                        format!("package `{name}` does not exist{}", nearest(name, &names));
                    found.push(cx.command(UNKNOWN_TARGET, command, message).about(*name));
                }
            }
        }
        if packages.len() == members.len() {
            if members.is_empty() {
                members = (0..workspace.packages.len()).collect();
            }
            found.extend(targets(cx, workspace, command, &call, &members));
        }
    }
}

fn targets(
    cx: &LintContext<'_>,
    workspace: &Workspace,
    command: &Command,
    call: &Call<'_>,
    members: &[PackageId],
) -> Vec<Finding> {
    let mut found = Vec::new();
    for (flag, kind, folder) in FLAGS {
        let options = call.targets.iter().filter(|(option, _)| *option == flag);
        for name in options.filter_map(|(_, name)| *name) {
            let targets = || {
                let targets = members
                    .iter()
                    .flat_map(|&member| &workspace.packages[member].targets);
                targets.filter(|target| is_kind(target, std::slice::from_ref(&kind)))
            };
            if is_pattern(name) || targets().any(|target| target.name == name) {
                continue;
            }
            let planned = members.iter().any(|&member| {
                let package = folder_of(&workspace.packages[member]).join(folder);
                let package = cx.context.shown(&package);
                is_planned(cx, &format!("{package}/{name}.rs"))
                    || is_planned(cx, &format!("{package}/{name}/main.rs"))
            });
            if planned {
                continue;
            }
            let names: Vec<&str> = targets().map(|target| target.name.as_str()).collect();
            let message = format!(
                "no selected package has `{flag} {name}`{}",
                nearest(name, &names)
            );
            let help = "correct the name, or add its file to the Files table";
            let finding = cx.command(UNKNOWN_TARGET, command, message);
            found.push(finding.about(name).help(help));
        }
    }
    found
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '[', '$', '{', '<'])
}

/// Whether a row of the Files table creates this file.
fn is_planned(cx: &LintContext<'_>, path: &str) -> bool {
    cx.context.root.join(path).exists()
        || cx.plan.files.iter().any(|row| {
            matches!(
                row.action,
                Action::Create | Action::Rename(_) | Action::Unknown(_)
            ) && (row.path.ends_with(path)
                || matches!(&row.action, Action::Rename(to) if to.ends_with(path)))
        })
}

/// Rows of the Test Summary about files that neither exist nor are planned.
fn unknown_rows(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    if cx.context.workspace.is_none() {
        return;
    }
    for row in &cx.plan.tests {
        let Some(word) = row.target.split_whitespace().next() else {
            continue;
        };
        let is_file = Utf8Path::new(word).extension() == Some("rs") && word.contains('/');
        if is_file && !is_pattern(word) && !is_planned(cx, word) {
            let message =
                format!("`{word}` does not exist, and no row of the Files table creates it");
            let finding = cx.in_plan_line(UNKNOWN_TARGET, row.line, message);
            found.push(finding.about(word));
        }
    }
}

pub(crate) const CONTRADICTED_COUNT: Code = Code::new(&Rule {
    code: "POC082",
    name: "contradicted-count",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a run contradicts a test count",
    page: r"
A test count differs from the recorded run: the plan's affected tests from its baseline, or the results' total from the last run
of the done block or the full suite.

```markdown
**Total**: 7 tests
```
",
});

/// Compares the plan's count of affected tests with the baseline.
fn baseline_count(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let baseline = cx
        .context
        .evidence
        .baseline()
        .and_then(|record| record.tests);
    let (Some(total), Some(tests)) = (cx.plan.affected_total, baseline) else {
        return;
    };
    // Approximate counts come from the sources, without macros and doctests.
    let ran = tests.passed + tests.failed;
    // A test counts once in the plan, and runs in each required configuration that has it.
    let configurations = cx.plan.configurations.len().max(1) as u64;
    let possible = total.value..=total.value * configurations;
    let off = ran.abs_diff(ran.clamp(*possible.start(), *possible.end()));
    let wrong = if total.approximate {
        off > 5 && off * 4 > total.value.max(ran)
    } else {
        !possible.contains(&ran) && !possible.contains(&(ran + tests.ignored))
    };
    if wrong {
        let message = format!(
            "the plan names {} affected tests, but the baseline ran {ran}",
            total.value
        );
        let line = cx.line_with("affected tests:").unwrap_or(1);
        found.push(cx.in_plan_line(CONTRADICTED_COUNT, line, message));
    }
}

/// Compares the total of the results with the last run of the done block or the full suite.
fn final_count(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let Some(validation) = cx.results.map(|results| &results.validation) else {
        return;
    };
    let runs: Vec<TestCounts> = [Scope::Done, Scope::Full]
        .iter()
        .filter_map(|scope| cx.context.evidence.last(scope)?.tests)
        .collect();
    let (Some(total), Some(last)) = (validation.total(), runs.first()) else {
        return;
    };
    let same = |tests: &TestCounts| {
        let ran = tests.passed + tests.failed;
        [tests.passed, ran, ran + tests.ignored]
            .iter()
            .any(|count| agree(*count, total.value, total.approximate))
    };
    if !runs.iter().any(same) {
        let message = format!(
            "the total is {} tests, but the last run had {last}",
            total.value
        );
        let field = validation
            .fields
            .iter()
            .find(|field| field.name.to_lowercase().starts_with("total"));
        let line = field.map_or(validation.line, |field| field.line);
        found.push(cx.in_results_line(CONTRADICTED_COUNT, line, message));
    }
}
