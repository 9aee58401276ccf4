//! Documents that cannot be parsed as intended.

use super::context::{Check, LintContext};
use crate::document::{self, ProblemKind};
use crate::finding::{Code, Finding, Gate, Rule, Severity};

pub(super) const CHECKS: &[Check] = &[
    (
        &[UNCLEAR_TEXT, UNRELIABLE_DOCUMENT, CONFLICT_MARKERS],
        problems,
    ),
    (&[MISSING_RESULTS], no_results),
];

pub(crate) const UNCLEAR_TEXT: Code = Code::new(&Rule {
    code: "POC001",
    name: "unclear-text",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "part of a document could not be read as intended",
    page: r"
The reader did not understand a date, a status or an action, found a heading that resembles a step, a code fence inside a
code fence, something written twice, or a list, table or code block that it does not read in this section. It continued with
its best interpretation, which may be wrong. Write the part in a supported form, or
set the level to `allow` for an old document.

```markdown
| **Completed** | some day |
```
",
});

pub(crate) const UNRELIABLE_DOCUMENT: Code = Code::new(&Rule {
    code: "POC002",
    name: "unreliable-document",
    severity: Severity::Error,
    gate: Gate::Required,
    title: "a document is ambiguous or incomplete",
    page: r"
The plan has no step, two steps share an id, or a comment or generated region is not closed. The structure of the document is
then ambiguous. Give each step an id of its own (`4b` is valid), and close the comment or region.

```markdown
### Step 1: Keep answers
```

```markdown
### Step 1: Forget them
```
",
});

pub(crate) const CONFLICT_MARKERS: Code = Code::new(&Rule {
    code: "POC014",
    name: "conflict-markers",
    severity: Severity::Error,
    gate: Gate::Required,
    title: "a merge left conflict markers in a document",
    page: r"
git could not merge the document and left both sides in it. Nothing is run or recorded until the markers are gone. Of two
evidence records, keep both: their order follows from the records. With `*-results.md merge=union` in `docs/.gitattributes`,
git merges results without a conflict.

```bash
<<<<<<< HEAD
cargo test -p store
=======
cargo test -p app
>>>>>>> other
```
",
});

/// Problems that the parser reported.
fn problems(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let code = |kind: ProblemKind| match kind.severity() {
        _ if kind == ProblemKind::Conflict => CONFLICT_MARKERS,
        document::Severity::Warning => UNCLEAR_TEXT,
        document::Severity::Error => UNRELIABLE_DOCUMENT,
    };
    for problem in &cx.plan.problems {
        let code = code(problem.kind);
        let mut finding = cx.in_plan(code, &problem.span, &problem.message);
        (finding.line, finding.column) = (problem.line, problem.column);
        found.push(finding);
    }
    for problem in cx.results.iter().flat_map(|results| &results.problems) {
        let code = code(problem.kind);
        let mut finding = cx.in_results(code, &problem.span, &problem.message);
        (finding.line, finding.column) = (problem.line, problem.column);
        found.push(finding);
    }
}

pub(crate) const MISSING_RESULTS: Code = Code::new(&Rule {
    code: "POC003",
    name: "missing-results",
    severity: Severity::Error,
    gate: Gate::Required,
    title: "a plan has no results document",
    page: r"
The plan exists, but `docs/NAME-results.md` beside it does not, so evidence cannot be recorded. Restore the file from git, or
write it from the plan with `cargo poc init NAME --adopt` (`check --fix` does the same).

```markdown
# Fires Implementation Plan
```
",
});

/// A plan without results.
fn no_results(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    if cx.results.is_none() {
        let message = format!("{} does not exist", cx.results_path);
        let name = &cx.poc.paths.name;
        let help = format!(
            "restore it from git, or create it from the plan with `cargo poc init {name} --adopt`"
        );
        found.push(cx.in_plan_line(MISSING_RESULTS, 1, message).help(help));
    }
}
