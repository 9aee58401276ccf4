//! The linter: compares a plan with its results, the workspace and the evidence.
//!
//! Input: a [`Poc`], its [`Assessment`] and its [`Context`]. Output: [`Finding`]s for `status` and `check`. A rule is declared
//! beside the function that checks it, in the module named after the compared data. Rules read git's history and sources only
//! if a document makes it necessary.

mod context;
pub(crate) mod contract;
pub(crate) mod criteria;
pub(crate) mod dates;
pub(crate) mod dependencies;
pub(crate) mod documents;
pub(crate) mod evidence;
pub(crate) mod failures;
pub(crate) mod files;
pub(crate) mod filters;
pub mod levels;
pub(crate) mod plan;
pub(crate) mod proofs;
pub(crate) mod quarantine;
pub(crate) mod results;
pub mod rules;
pub(crate) mod sources;
pub mod suppressions;
pub(crate) mod targets;
pub(crate) mod totals;

use crate::finding::Finding;
use crate::project::Poc;
use crate::status::{Assessment, Context};

use context::LintContext;
use levels::Levels;

/// The findings of one PoC at these levels, sorted by file, line and code.
#[must_use]
pub fn lint(
    poc: &Poc,
    status: &Assessment,
    context: &Context<'_>,
    levels: &Levels,
) -> Vec<Finding> {
    let cx = LintContext::new(poc, status, context);
    let mut found = Vec::new();
    let foreign = poc.paths.is_foreign();
    for (codes, check) in rules::checks(foreign) {
        let before = found.len();
        check(&cx, &mut found);
        let listed = |finding: &Finding| codes.contains(&finding.code);
        debug_assert!(
            found[before..].iter().all(listed),
            "unlisted code: {found:?}"
        );
    }
    let mut found = levels.apply(found);
    if foreign {
        for finding in &mut found {
            finding.fix = None;
        }
    }
    found.sort_by(|left, right| {
        let key = |finding: &Finding| (finding.line, finding.code, finding.column);
        (&left.path, key(left), &left.subject).cmp(&(&right.path, key(right), &right.subject))
    });
    found
}
