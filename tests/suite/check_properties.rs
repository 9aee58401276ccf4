//! What holds of the linter for any two documents.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use camino::Utf8Path;
use cargo_poc::config::Config;
use cargo_poc::contract::Standing;
use cargo_poc::document::{Document, condensed, read_plan, read_results};
use cargo_poc::evidence;
use cargo_poc::finding::Finding;
use cargo_poc::project::{Paths, Poc};
use cargo_poc::report;
use cargo_poc::report::PocStatus;
use cargo_poc::status::{self, Context, OtherPlans};
use cargo_poc::{lint, next};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::document::properties::document;

/// The findings on two documents that lie in no workspace.
fn findings(plan: &Document, results: &Document) -> Vec<Finding> {
    status(plan, results, true).findings
}

/// Where a PoC of two documents stands that lies in no workspace, from all of them or condensed.
fn status(plan: &Document, results: &Document, whole: bool) -> PocStatus {
    let evidence = evidence::read(results.text());
    let poc = Poc {
        paths: Paths {
            name: "a".to_owned(),
            plan: "/w/a-plan.md".into(),
            results: "/w/a-results.md".into(),
        },
        plan: if whole {
            read_plan(plan)
        } else {
            kept(&condensed::plan(read_plan(plan)))
        },
        plan_document: plan.clone(),
        results: Some((
            results.clone(),
            if whole {
                read_results(results)
            } else {
                kept(&condensed::results(read_results(results)))
            },
        )),
    };
    let cx = Context {
        fixes: whole,
        workspace: None,
        root: Utf8Path::new("/w"),
        evidence: &evidence,
        change: Err("unknown".to_owned()),
        dependencies: Err("unknown".to_owned()),
        inputs: &BTreeMap::new(),
        unaffected: &BTreeSet::new(),
        config: &Config::outside(),
        other_plans: &OtherPlans::default(),
        contract: &Standing::default(),
    };
    let assessment = status::assess(&poc, &cx);
    let findings = lint::lint(&poc, &assessment, &cx);
    PocStatus {
        next: next::next(&assessment, &findings),
        assessment,
        findings,
    }
}

/// What comes back of a value that was kept: itself.
fn kept<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) -> T {
    let back: T = postcard::from_bytes(&postcard::to_stdvec(value).unwrap()).unwrap();
    assert_eq!(back, *value);
    back
}

fn as_json(status: PocStatus) -> String {
    report::json::status(&[status], &[]).unwrap()
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

/// Every plan and every results document of the cases, and one with the other where a folder has both.
#[test]
fn condensed_documents_stand_where_whole_ones_do() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders = vec![cases];
    let (mut plans, mut results) = (Vec::new(), Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let Ok(text) = fs::read_to_string(&path) else {
                folders.extend(path.is_dir().then_some(path));
                continue;
            };
            let name = path.to_string_lossy().into_owned();
            if name.ends_with("plan.md") || name.ends_with("-implementation.md") {
                plans.push(Document::from_text(name, text));
            } else if name.ends_with("results.md") {
                results.push(Document::from_text(name, text));
            }
        }
    }
    let none = Document::from_text("a-results.md", String::new());
    let mut pairs = Vec::new();
    for plan in &plans {
        let beside = |one: &&Document| one.path().parent() == plan.path().parent();
        pairs.extend(results.iter().filter(beside).map(|one| (plan, one)));
    }
    let alone = plans.iter().map(|plan| (plan, &none));
    let alone = alone.chain(results.iter().map(|one| (&none, one)));
    let mut read = 0;
    for (plan, results) in pairs.into_iter().chain(alone) {
        let whole = as_json(status(plan, results, true));
        assert_eq!(
            whole,
            as_json(status(plan, results, false)),
            "{}",
            plan.path()
        );
        read += 1;
    }
    assert!(read > 300, "only {read} cases were found");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn condensed_documents_stand_where_whole_ones_do_whatever_is_in_them(plan in document(), results in document()) {
        let whole = as_json(status(&plan, &results, true));
        prop_assert_eq!(whole, as_json(status(&plan, &results, false)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn findings_lie_in_their_documents_and_a_fix_mends_its_own(plan in document(), results in document()) {
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
