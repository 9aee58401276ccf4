//! Rules that read only the plan.

use camino::{Utf8Component, Utf8Path};

use super::context::{Check, LintContext};
use crate::deps;
use crate::document::plan::{Count, FileRow, Step, TestRow};
use crate::document::{Block, Placeholder, Plan, SectionKind};
use crate::finding::{Code, Finding, Fix, Gate, Rule, Severity};
use crate::script::simple_commands::{Command, proving};
use crate::sys::text::counted;

pub(super) const CHECKS: &[Check] = &[
    (&[PLACEHOLDER], placeholders),
    (&[NO_CRITERIA], no_criteria),
    (&[NO_VERIFICATION], no_verification),
    (&[NO_TEST_RUN], no_test_run),
    (&[HIDDEN_FAILURE], hidden_failure),
    (&[OUTSIDE_PATH], outside_path),
    (&[BROKEN_DEPENDENCIES], broken_toml),
    (&[CONTRADICTING_COUNTS], contradicting_counts),
    (&[WRONG_RESULTS_LINK], results_link),
];

pub(crate) const PLACEHOLDER: Code = Code::new(&Rule {
    code: "POC004",
    name: "placeholder",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a placeholder is not filled in",
    page: r"
A `[fill in: …]` or the bracketed text of a template is left in the document. A new plan contains some, so this is a warning.
Each document is reported once, at its first placeholder.

```markdown
**Goal**: [fill in: what works after this step]
```
",
});

/// Placeholders: one finding per document, at the first.
fn placeholders(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let message = |placeholders: &[Placeholder]| {
        let text = placeholders.first().map_or("", |first| first.text.as_str());
        let text = text.replace(['\n', '\r'], " ");
        match placeholders.len() {
            1 => format!("`{text}` is not filled in"),
            many => format!("{many} placeholders are not filled in; the first is `{text}`"),
        }
    };
    if let Some(first) = cx.plan.placeholders.first() {
        found.push(cx.in_plan(PLACEHOLDER, &first.span, message(&cx.plan.placeholders)));
    }
    if let Some(results) = cx.results
        && let Some(first) = results.placeholders.first()
    {
        found.push(cx.in_results(PLACEHOLDER, &first.span, message(&results.placeholders)));
    }
}

pub(crate) const NO_CRITERIA: Code = Code::new(&Rule {
    code: "POC005",
    name: "no-criteria",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a plan has no success criteria",
    page: r"
There is no checkbox under `## Success Criteria`, so completion cannot be judged. Write measurable criteria as checkboxes.

```markdown
## Success Criteria

It is fast.
```
",
});

/// Plans without criteria.
fn no_criteria(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    if cx.plan.criteria.is_empty() {
        let finding = match cx.section(SectionKind::SuccessCriteria) {
            Some(heading) => cx.in_plan(NO_CRITERIA, &heading, "this section has no criterion"),
            None => cx.in_plan_line(NO_CRITERIA, 1, "the plan has no success criteria"),
        };
        let help = "write measurable criteria as `- [ ] …` under `## Success Criteria`";
        found.push(finding.help(help));
    }
}

pub(crate) const NO_VERIFICATION: Code = Code::new(&Rule {
    code: "POC006",
    name: "no-verification",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a step has no verification",
    page: r"
A step without a bash block under `**Verification**` can be claimed but never proven. Withdrawn steps are not checked.

```markdown
### Step 1: Keep answers
```
",
});

/// Steps without a verification.
fn no_verification(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    for step in cx.live_steps() {
        let runs = step
            .verification
            .iter()
            .any(|block| !cx.commands_of(block).is_empty());
        if !runs {
            let message = format!("step {} has no verification command", step.id);
            let help = "add a bash block under `**Verification**:`";
            found.push(
                cx.in_plan(NO_VERIFICATION, &step.heading, message)
                    .help(help),
            );
        }
    }
}

pub(crate) const NO_TEST_RUN: Code = Code::new(&Rule {
    code: "POC007",
    name: "no-test-run",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a verification runs no test although the step writes tests",
    page: r"
The step writes tests, but its verification cannot run one: `cargo check`, `cargo test --no-run` and `echo` run no tests.
Scripts are assumed to run tests.

```bash
cargo check -p store --tests
```
",
});

/// Steps that write tests but do not run any.
fn no_test_run(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let due = |step: &&Step| !step.tests.is_empty();
    for step in cx.live_steps().filter(due) {
        let blocks = step.verification.iter().filter(|block| block.is_shell());
        let commands: Vec<&Command> = blocks.flat_map(|block| cx.commands_of(block)).collect();
        let none = commands
            .iter()
            .all(|command| command.runs_tests() == Some(false));
        if let (true, Some(first)) = (none, commands.first()) {
            let message = format!(
                "step {} writes tests, but its verification runs none",
                step.id
            );
            let help = "run them, as in `cargo test -p PACKAGE`";
            found.push(cx.command(NO_TEST_RUN, first, message).help(help));
        }
    }
}

pub(crate) const HIDDEN_FAILURE: Code = Code::new(&Rule {
    code: "POC008",
    name: "hidden-failure",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a command hides a failure",
    page: r"
In a shell, `cargo test | tail` exits with the status of `tail`, so a failure looks like success. `|| true` always succeeds.
`cargo poc verify` runs blocks with `pipefail` and detects the first form; someone who pastes the line into a shell does not.

```bash
cargo test -p store 2>&1 | tail -5
```
",
});

/// Commands whose failure has no effect.
fn hidden_failure(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    const FILTERS: &[&str] = &[
        "awk", "cat", "cut", "egrep", "grep", "head", "less", "more", "rg", "sed", "sort", "tail",
        "tee", "wc",
    ];
    const IGNORES: &[&str] = &["true", ":", "echo"];
    const RUNNERS: &[&str] = &["cargo", "cross", "just", "make", "npm", "pytest"];
    for block in proving(cx.plan) {
        let commands = cx.commands_of(block);
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
                        "the shell uses the exit status of `{}` and ignores that of `{}`",
                        next.program(),
                        command.program()
                    ),
                    "remove the pipe, or start the block with `set -o pipefail`",
                ),
                "||" if IGNORES.contains(&next.program()) => (
                    format!("`|| {}` hides a failure", next.words.join(" ")),
                    "remove it",
                ),
                _ => continue,
            };
            found.push(cx.command(HIDDEN_FAILURE, command, message).help(help));
        }
    }
}

pub(crate) const OUTSIDE_PATH: Code = Code::new(&Rule {
    code: "POC009",
    name: "outside-path",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "a path leaves the workspace",
    page: r"
Paths in the Files table are relative to the workspace root. An absolute path, or one that leaves the workspace, names a
different file on each machine. `--fix` shortens an absolute path that is inside the workspace.

```markdown
| `../other/src/lib.rs` | Modify | Pending |
```
",
});

/// Rows of the Files table with paths outside the workspace.
fn outside_path(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    for row in &cx.plan.files {
        if leaves(&row.path) {
            let message = format!("`{}` is outside the workspace", row.path);
            let help = "write paths relative to the workspace root";
            let finding = cx.in_plan(OUTSIDE_PATH, &row.path_span, message);
            found.push(finding.help(help).fix(inside(cx, row)));
        }
    }
}

/// Whether a relative path leaves its base folder.
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

/// Converts an absolute path in the workspace to a relative one.
fn inside(cx: &LintContext<'_>, row: &FileRow) -> Option<Fix> {
    cx.context.workspace?;
    let below = Utf8Path::new(&row.path)
        .strip_prefix(cx.context.root)
        .ok()?
        .as_str()
        .replace('\\', "/");
    let document = &cx.poc.plan_document;
    let cell = document.text().get(row.path_span.clone())?;
    let at = cell.find(&row.path)? + row.path_span.start;
    cx.fix_plan(
        "write the path relative to the workspace root",
        vec![(at..at + row.path.len(), below.clone())],
        |new| new.files.iter().any(|row| row.path == below),
    )
}

pub(crate) const BROKEN_DEPENDENCIES: Code = Code::new(&Rule {
    code: "POC011",
    name: "broken-dependencies",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "a dependency block cannot be parsed",
    page: r"
A block under Dependencies is not valid TOML, or has an entry outside a table. It cannot be compared or applied. A line with
only `...` may mark omitted entries.

```toml
[dependencies]
serde = 
```
",
});

/// Blocks under Dependencies that are not TOML, or contain no dependencies.
fn broken_toml(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    for dependency in &cx.plan.dependencies {
        if let Some((line, message)) = toml_problem(&dependency.block) {
            found.push(cx.in_plan_line(BROKEN_DEPENDENCIES, line, message));
        }
    }
}

/// The error of `deps` for a block that cannot be parsed, and its line.
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

/// Splits `plan line 12: message` and `plan line 12 names this: message` into line and message.
pub(super) fn placed(error: &str) -> (Option<usize>, &str) {
    let placed = error.strip_prefix("plan line ").and_then(|rest| {
        let (place, message) = rest.split_once(": ")?;
        let line = place.split(' ').next()?;
        Some((line.parse().ok()?, message))
    });
    placed.map_or((None, error), |(line, message)| (Some(line), message))
}

pub(crate) const CONTRADICTING_COUNTS: Code = Code::new(&Rule {
    code: "POC012",
    name: "contradicting-counts",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "test counts in the plan contradict each other",
    page: r"
The rows of the Test Summary do not add up to their total, or there are more affected tests than tests in the full suite.
Counts with `~` may differ by 5 %.

```markdown
| `store/tests/it.rs` | 12 | answers |
| `app/tests/it.rs` | 3 | more of them |

**Affected tests: 18 tests**
```
",
});

/// Counts of tests that contradict each other.
fn contradicting_counts(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let Some(total) = cx.plan.affected_total else {
        return;
    };
    let at = cx.line_with("affected tests:").unwrap_or(1);
    let rows = rows_above(cx, at);
    // Two tables may list the same tests: the total applies to the nearest table, or to all.
    let nearest = rows.last().map(|row| row.table);
    let nearest: Vec<&TestRow> = { rows.iter() }
        .filter(|row| Some(row.table) == nearest)
        .copied()
        .collect();
    let agrees = |rows: &[&TestRow]| {
        sum(rows).is_none_or(|(sum, guess)| agree(sum, total.value, guess || total.approximate))
    };
    if !agrees(&nearest)
        && !agrees(&rows)
        && let Some((sum, _)) = sum(&nearest)
    {
        let message = format!(
            "{} of the table add up to {sum} tests, but the total is {}",
            counted(nearest.len(), "row"),
            total.value
        );
        found.push(cx.in_plan_line(CONTRADICTING_COUNTS, at, message));
    }
    if let Some(full) = cx.plan.full_suite
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
        let line = cx.line_with("full suite").unwrap_or(at);
        found.push(cx.in_plan_line(CONTRADICTING_COUNTS, line, message));
    }
}

/// The sum of the rows' counts, and whether one of them is approximate; `None` if a row has no count.
fn sum(rows: &[&TestRow]) -> Option<(u64, bool)> {
    let counts: Vec<Count> = rows.iter().map(|row| row.count).collect::<Option<_>>()?;
    let add = |sum: u64, count: &Count| sum.checked_add(count.value);
    let sum = counts.iter().try_fold(0, add)?;
    (!counts.is_empty()).then(|| (sum, counts.iter().any(|count| count.approximate)))
}

/// The rows of the section that contains a total, without the rows that are totals.
fn rows_above<'a>(cx: &'a LintContext<'_>, line: usize) -> Vec<&'a TestRow> {
    let document = &cx.poc.plan_document;
    let start = document.line_span(line).start;
    let sections = cx.plan.sections.iter();
    let around = sections.filter(|section| section.level > 1 && section.span.contains(&start));
    let from = around.map(|section| section.line).max().unwrap_or(0);
    let is_total = |row: &TestRow| {
        let mut words = row.target.split(|sign: char| !sign.is_alphanumeric());
        let first = words.find(|word| !word.is_empty()).unwrap_or_default();
        let first = first.to_lowercase();
        matches!(first.as_str(), "total" | "sum" | "all" | "full" | "overall")
            && !row.target.contains('.')
    };
    let rows = cx.plan.tests.iter();
    rows.filter(|row| (from..line).contains(&row.line) && !is_total(row))
        .collect()
}

/// Whether two counts can refer to the same tests. Approximate counts may differ by 5 % and by one.
pub(super) fn agree(one: u64, other: u64, guess: bool) -> bool {
    one == other || guess && one.abs_diff(other) <= (one.max(other) / 20).max(1)
}

pub(crate) const WRONG_RESULTS_LINK: Code = Code::new(&Rule {
    code: "POC013",
    name: "wrong-results-link",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a plan links to another results document",
    page: r"
The link above the first section does not lead to the plan's own results, which have the same name as the plan. `--fix`
corrects the link if the results exist.

```markdown
> **Track Progress**: see [`docs/cache-results.md`](cache-results.md).
```
",
});

/// Links to the results of another plan.
fn results_link(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let Some(link) = &cx.plan.results_link else {
        return;
    };
    let named = Utf8Path::new(link).file_name();
    if named == cx.poc.paths.results.file_name() {
        return;
    }
    let own = cx.poc.paths.results.file_name().unwrap_or_default();
    let message = format!("the plan links to `{link}`, but its results are `{own}`");
    let document = &cx.poc.plan_document;
    let mut headings = cx.plan.sections.iter().map(|section| section.heading.start);
    let end = headings.nth(1).unwrap_or(document.text().len());
    let fixed = named.filter(|_| cx.results.is_some()).and_then(|named| {
        let places = document.text()[..end].match_indices(named);
        let edits: Vec<_> = places
            .map(|(at, _)| (at..at + named.len(), own.to_owned()))
            .collect();
        let is_fixed = |new: &Plan| {
            let link = new.results_link.as_deref();
            link.and_then(|link| Utf8Path::new(link).file_name()) == Some(own)
        };
        cx.fix_plan("link to the plan's results", edits, is_fixed)
    });
    let at = cx.line_with(link).unwrap_or(1);
    found.push(cx.in_plan_line(WRONG_RESULTS_LINK, at, message).fix(fixed));
}
