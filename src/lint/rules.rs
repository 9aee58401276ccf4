//! All rules, and the page that documents them.
//!
//! To add a rule, declare its [`Code`] beside its function in one of the modules below and add both to the `CHECKS` of
//! that module. Codes, `--explain`, SARIF, completions and `docs/findings.md` derive from these lists.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::context::Check;
use super::{
    contract, criteria, dates, dependencies, documents, evidence, files, filters, plan, proofs,
    quarantine, results, sources, targets, totals,
};
use crate::finding::Code;

/// All checks, by module.
const CHECKS: &[&[Check]] = &[
    documents::CHECKS,
    plan::CHECKS,
    results::CHECKS,
    totals::CHECKS,
    criteria::CHECKS,
    proofs::CHECKS,
    quarantine::CHECKS,
    dates::CHECKS,
    files::CHECKS,
    dependencies::CHECKS,
    targets::CHECKS,
    filters::CHECKS,
    sources::CHECKS,
    evidence::CHECKS,
    contract::CHECKS,
];

/// The checks of a task list of another tool. Other rules compare the parts of a plan of this program.
const FOREIGN: &[&[Check]] = &[documents::CHECKS, evidence::CHECKS, proofs::CHECKS];

/// All checks in the order in which they run, of a plan or of a task list of another tool.
pub(super) fn checks(foreign: bool) -> impl Iterator<Item = Check> {
    let checks = if foreign { FOREIGN } else { CHECKS };
    checks.iter().copied().flatten().copied()
}

/// Every rule, in the order of their codes.
#[must_use]
pub fn all() -> Vec<Code> {
    let codes: BTreeSet<Code> = checks(false)
        .flat_map(|(codes, _)| codes)
        .copied()
        .collect();
    codes.into_iter().collect()
}

/// The rule with this code, in any case, or this name.
#[must_use]
pub fn find(text: &str) -> Option<Code> {
    let is_it = |code: &Code| code.as_str().eq_ignore_ascii_case(text) || code.name() == text;
    all().into_iter().find(is_it)
}

const INTRODUCTION: &str = r#"# Findings

<!-- Generated from the rules in src/lint; `SNAPSHOTS=overwrite cargo test --test suite findings_page` updates it. -->

The rules of `cargo poc check` and `cargo poc status`, by code. Codes and names are stable: neither is ever used for another
rule. `cargo poc check --explain POC045` prints a section of this page; `--explain reworded-criterion` prints the same section.

An error means that a claim is wrong or that a document cannot be relied on: `check` and `status --check` exit with 1 (with 2 for
POC002). A warning does not affect the exit code. Levels are set like the compiler's lint levels, in `Cargo.toml` or for one run
with `-A`, `-W` and `-D`; `warnings` stands for all warnings:

```toml
[workspace.metadata.poc.lints]
POC012 = "allow"
falling-count = "deny"
```

"#;

const GATE: &str = "The gate depends on some rules, which cannot be lowered:";

const SUPPRESSIONS: &str = "\
For old documents, `check --baseline FILE --write-baseline` writes the current findings to a file and later runs suppress them. A
finding is identified by its code, its file and the text of its line, so it stays suppressed when lines move.
";

/// `docs/findings.md`.
#[must_use]
pub fn page() -> String {
    let rules = all();
    let gate: Vec<&str> = rules
        .iter()
        .filter(|code| code.is_gate())
        .map(|code| code.as_str())
        .collect();
    let mut page = format!(
        "{INTRODUCTION}{GATE} {}.\n\n{SUPPRESSIONS}",
        gate.join(", ")
    );
    for code in rules {
        // Writing to a string cannot fail.
        let _ = write!(
            page,
            "\n## {code}: {}\n\n{}\n",
            code.title(),
            code.explain()
        );
    }
    page
}
