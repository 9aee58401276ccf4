//! What holds of the linter for any two documents.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use cargo_poc::internals::config::Config;
use cargo_poc::internals::contract::ContractState;
use cargo_poc::internals::document::{Document, read_plan, read_results};
use cargo_poc::internals::evidence;
use cargo_poc::internals::finding::Finding;
use cargo_poc::internals::lint::levels::Levels;
use cargo_poc::internals::project::{Paths, Poc};
use cargo_poc::internals::report::PocStatus;
use cargo_poc::internals::status::{self, Context, OtherPlans};
use cargo_poc::internals::{lint, next};
use proptest::prelude::*;

use crate::document::properties::document;
use crate::property::cases;

/// The findings on two documents that lie in no workspace.
fn findings(plan: &Document, results: &Document) -> Vec<Finding> {
    status(plan, results).findings
}

/// The status of a PoC of two documents that lie in no workspace.
fn status(plan: &Document, results: &Document) -> PocStatus {
    let evidence = evidence::read(results.text());
    let poc = Poc {
        paths: Paths {
            name: "a".to_owned(),
            plan: "/w/a-plan.md".into(),
            results: "/w/a-results.md".into(),
        },
        plan: read_plan(plan),
        plan_document: plan.clone(),
        results: Some((results.clone(), read_results(results))),
    };
    let cx = Context {
        fixes: true,
        workspace: None,
        root: Utf8Path::new("/w"),
        evidence: &evidence,
        change: Err("unknown".to_owned()),
        dependencies: Err("unknown".to_owned()),
        inputs: &BTreeMap::new(),
        unaffected: &BTreeSet::new(),
        is_committed: false,
        config: &Config::outside(),
        other_plans: &OtherPlans::default(),
        contract: &ContractState::default(),
    };
    let assessment = status::assess(&poc, &cx);
    let findings = lint::lint(&poc, &assessment, &cx, &Levels::default());
    PocStatus {
        next: next::next(&assessment, &findings),
        assessment,
        findings,
    }
}

/// The text with a fix made.
fn fixed(document: &Document, finding: &Finding) -> String {
    let mut text = document.text().to_owned();
    let mut edits = finding.fix.as_ref().unwrap().edits.clone();
    edits.sort_by_key(|(span, _)| span.start);
    for (span, new) in edits.into_iter().rev() {
        text.replace_range(span, &new);
    }
    text
}

proptest! {
    #![proptest_config(cases(3_000))]

    #[test]
    fn findings_are_in_their_documents_and_a_fix_resolves_its_finding(plan in document(), results in document()) {
        let found = findings(&plan, &results);
        for finding in &found {
            let document = if finding.path == "a-plan.md" { &plan } else { &results };
            prop_assert!(finding.line >= 1 && finding.column >= 1, "{finding:?}");
            let lines = document.text().matches('\n').count() + 1;
            prop_assert!(finding.line <= lines, "{finding:?} of {lines}");
            if let Some(span) = &finding.span {
                prop_assert!(document.text().get(span.clone()).is_some(), "{finding:?}");
            }
            let Some(fix) = &finding.fix else { continue };
            let document = if fix.path == "a-plan.md" { &plan } else { &results };
            let new = Document::from_text(document.path(), fixed(document, finding));
            let again = if fix.path == "a-plan.md" {
                findings(&new, &results)
            } else {
                findings(&plan, &new)
            };
            let same = |found: &[Finding]| {
                found.iter().filter(|other| other.code == finding.code).count()
            };
            prop_assert!(same(&again) < same(&found), "{finding:?}\n{:?}\n{:?}", document.text(), new.text());
        }
    }
}
