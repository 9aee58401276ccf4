//! What is wrong within a plan.

use camino::{Utf8Component, Utf8Path};

use super::{Rule, Subject};
use crate::deps;
use crate::document::plan::{Count, FileRow, Step, TestRow};
use crate::document::{Block, Placeholder, Plan, SectionKind};
use crate::finding::{Code, Finding, Fix};
use crate::script::simple_commands::{Command, proving};
use crate::sys::text::counted;

pub(super) const RULES: &[Rule] = &[
    placeholders,
    no_criteria,
    no_verification,
    no_test_where_one_is_due,
    hidden_failure,
    outside_path,
    broken_toml,
    contradicting_counts,
    results_link,
];

/// What is left to fill in, in both documents.
fn placeholders(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let message = |placeholder: &Placeholder| {
        format!(
            "`{}` is left to fill in",
            placeholder.text.replace(['\n', '\r'], " ")
        )
    };
    for placeholder in &on.plan.placeholders {
        found.push(on.in_plan(Code::Placeholder, &placeholder.span, message(placeholder)));
    }
    for placeholder in on.results.iter().flat_map(|results| &results.placeholders) {
        found.push(on.in_results(Code::Placeholder, &placeholder.span, message(placeholder)));
    }
}

/// A plan that nothing can be held against.
fn no_criteria(on: &Subject<'_>, found: &mut Vec<Finding>) {
    if on.plan.criteria.is_empty() {
        let finding = match on.section(SectionKind::SuccessCriteria) {
            Some(heading) => on.in_plan(Code::NoCriteria, &heading, "there is no criterion here"),
            None => on.in_plan_line(Code::NoCriteria, 1, "the plan has no success criteria"),
        };
        let help = "write what can be measured as `- [ ] …` under `## Success Criteria`";
        found.push(finding.help(help));
    }
}

/// Steps that nothing can prove.
fn no_verification(on: &Subject<'_>, found: &mut Vec<Finding>) {
    for step in on.live_steps() {
        let runs = step
            .verification
            .iter()
            .any(|block| !on.commands_of(block).is_empty());
        if !runs {
            let message = format!("step {} has no command that proves it", step.id);
            let help = "add a bash block under `**Verification**:`";
            found.push(
                on.in_plan(Code::NoVerification, &step.heading, message)
                    .help(help),
            );
        }
    }
}

/// Verifications without a test, of steps that write tests.
fn no_test_where_one_is_due(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let due = |step: &&Step| !step.tests.is_empty();
    for step in on.live_steps().filter(due) {
        let blocks = step.verification.iter().filter(|block| block.is_shell());
        let commands: Vec<&Command> = blocks.flat_map(|block| on.commands_of(block)).collect();
        let none = commands
            .iter()
            .all(|command| command.runs_tests() == Some(false));
        if let (true, Some(first)) = (none, commands.first()) {
            let message = format!(
                "step {} writes tests, and its verification runs none",
                step.id
            );
            let help = "run them, as in `cargo test -p PACKAGE`";
            found.push(on.command(Code::NoTestRun, first, message).help(help));
        }
    }
}

/// Commands whose failure is lost on the way.
fn hidden_failure(on: &Subject<'_>, found: &mut Vec<Finding>) {
    const FILTERS: &[&str] = &[
        "awk", "cat", "cut", "egrep", "grep", "head", "less", "more", "rg", "sed", "sort", "tail",
        "tee", "wc",
    ];
    const IGNORES: &[&str] = &["true", ":", "echo"];
    const RUNNERS: &[&str] = &["cargo", "cross", "just", "make", "npm", "pytest"];
    for block in proving(on.plan) {
        let commands = on.commands_of(block);
        let guarded = commands.iter().any(|command| {
            command.program() == "set" && command.words.iter().any(|word| word == "pipefail")
        });
        for (command, next) in commands.iter().zip(commands.iter().skip(1)) {
            if !RUNNERS.contains(&command.program()) {
                continue;
            }
            let (message, help) = match command.then {
                "|" if FILTERS.contains(&next.program()) && !guarded => (
                    format!(
                        "a shell takes the exit status of `{}` for that of `{}`",
                        next.program(),
                        command.program()
                    ),
                    "take the pipe out, or begin the block with `set -o pipefail`",
                ),
                "||" if IGNORES.contains(&next.program()) => (
                    format!("`|| {}` makes a failure pass", next.words.join(" ")),
                    "take it out",
                ),
                _ => continue,
            };
            found.push(on.command(Code::HiddenFailure, command, message).help(help));
        }
    }
}

/// Rows of the Files table that leave the workspace.
fn outside_path(on: &Subject<'_>, found: &mut Vec<Finding>) {
    for row in &on.plan.files {
        if leaves(&row.path) {
            let message = format!("`{}` leaves the workspace", row.path);
            let help = "name files from the workspace root";
            let finding = on.in_plan(Code::OutsidePath, &row.path_span, message);
            found.push(finding.help(help).fix(inside(on, row)));
        }
    }
}

/// Whether a path leads out of the folder it is taken from.
pub(super) fn leaves(path: &str) -> bool {
    let mut depth = 0_i32;
    let mut components = Utf8Path::new(path).components();
    let climbs = components.any(|component| {
        depth += match component {
            Utf8Component::Normal(_) => 1,
            Utf8Component::ParentDir => -1,
            _ => 0,
        };
        depth < 0
    });
    climbs || Utf8Path::new(path).is_absolute() || path.starts_with('~')
}

/// An absolute path below the workspace root, written from there.
fn inside(on: &Subject<'_>, row: &FileRow) -> Option<Fix> {
    on.facts.workspace?;
    let below = Utf8Path::new(&row.path)
        .strip_prefix(on.facts.root)
        .ok()?
        .as_str()
        .replace('\\', "/");
    let document = &on.poc.plan_document;
    let cell = document.text().get(row.path_span.clone())?;
    let at = cell.find(&row.path)? + row.path_span.start;
    on.fix_plan(
        "write the path from the workspace root",
        vec![(at..at + row.path.len(), below.clone())],
        |new| new.files.iter().any(|row| row.path == below),
    )
}

/// Blocks under Dependencies that are not TOML, or no dependencies.
fn broken_toml(on: &Subject<'_>, found: &mut Vec<Finding>) {
    for dependency in &on.plan.dependencies {
        if let Some((line, message)) = toml_problem(&dependency.block) {
            found.push(on.in_plan_line(Code::BrokenToml, line, message));
        }
    }
}

/// What `deps` says of a block it cannot read, and the line it names.
pub(super) fn toml_problem(block: &Block) -> Option<(usize, String)> {
    let block = deps::Block {
        manifest: "Cargo.toml".into(),
        toml: &block.code,
        line: block.line + 1,
        lead: "",
    };
    let error = deps::declared(&block).err()?.to_string();
    let (line, message) = placed(&error);
    let message = message.lines().next().unwrap_or_default().to_owned();
    Some((line.unwrap_or(block.line), message))
}

/// `plan line 12: what` and `plan line 12 names this: what`, as the line and what.
pub(super) fn placed(error: &str) -> (Option<usize>, &str) {
    let placed = error.strip_prefix("plan line ").and_then(|rest| {
        let (place, message) = rest.split_once(": ")?;
        let line = place.split(' ').next()?;
        Some((line.parse().ok()?, message))
    });
    placed.map_or((None, error), |(line, message)| (Some(line), message))
}

/// Counts of tests that contradict each other.
fn contradicting_counts(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(total) = on.plan.affected_total else {
        return;
    };
    let at = on.line_with("affected tests:").unwrap_or(1);
    let rows = rows_above(on, at);
    let counts: Option<Vec<Count>> = rows.iter().map(|row| row.count).collect();
    let sum = counts
        .filter(|counts| !counts.is_empty())
        .and_then(|counts| {
            let add = |sum: u64, count: &Count| sum.checked_add(count.value);
            let approximate = counts.iter().any(|count| count.approximate);
            Some((counts.iter().try_fold(0, add)?, approximate))
        });
    if let Some((sum, approximate)) = sum {
        let guess = approximate || total.approximate;
        if !agree(sum, total.value, guess) {
            let message = format!(
                "the table's {} come to {sum} tests, and the total says {}",
                counted(rows.len(), "row"),
                total.value
            );
            found.push(on.in_plan_line(Code::Counts, at, message));
        }
    }
    if let Some(full) = on.plan.full_suite
        && full.value < total.value
        && !agree(
            full.value,
            total.value,
            full.approximate || total.approximate,
        )
    {
        let message = format!(
            "{} affected tests cannot be more than the {} of the full suite",
            total.value, full.value
        );
        let line = on.line_with("full suite").unwrap_or(at);
        found.push(on.in_plan_line(Code::Counts, line, message));
    }
}

/// The rows of the section that a total stands in; rows that are totals themselves are left out.
fn rows_above<'a>(on: &'a Subject<'_>, line: usize) -> Vec<&'a TestRow> {
    let document = &on.poc.plan_document;
    let start = document.line_span(line).start;
    let sections = on.plan.sections.iter();
    let around = sections.filter(|section| section.level > 1 && section.span.contains(&start));
    let from = around.map(|section| section.line).max().unwrap_or(0);
    let is_total = |row: &TestRow| {
        let mut words = row.target.split(|sign: char| !sign.is_alphanumeric());
        let first = words.find(|word| !word.is_empty()).unwrap_or_default();
        let first = first.to_lowercase();
        matches!(first.as_str(), "total" | "sum" | "all" | "full" | "overall")
            && !row.target.contains('.')
    };
    let rows = on.plan.tests.iter();
    rows.filter(|row| (from..line).contains(&row.line) && !is_total(row))
        .collect()
}

/// Whether two counts can be of the same tests; guesses may be off by a twentieth, and by one.
pub(super) fn agree(one: u64, other: u64, guess: bool) -> bool {
    one == other || guess && one.abs_diff(other) <= (one.max(other) / 20).max(1)
}

/// A link to other results than the plan's own.
fn results_link(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(link) = &on.plan.results_link else {
        return;
    };
    let named = Utf8Path::new(link).file_name();
    if named == on.poc.paths.results.file_name() {
        return;
    }
    let own = on.poc.paths.results.file_name().unwrap_or_default();
    let message = format!("the plan links to `{link}`, and its results are `{own}`");
    let document = &on.poc.plan_document;
    let mut headings = on.plan.sections.iter().map(|section| section.heading.start);
    let end = headings.nth(1).unwrap_or(document.text().len());
    let fixed = named.filter(|_| on.results.is_some()).and_then(|named| {
        let places = document.text()[..end].match_indices(named);
        let edits: Vec<_> = places
            .map(|(at, _)| (at..at + named.len(), own.to_owned()))
            .collect();
        let mended = |new: &Plan| {
            let link = new.results_link.as_deref();
            link.and_then(|link| Utf8Path::new(link).file_name()) == Some(own)
        };
        on.fix_plan("link to the plan's results", edits, mended)
    });
    let at = on.line_with(link).unwrap_or(1);
    found.push(on.in_plan_line(Code::ResultsLink, at, message).fix(fixed));
}
