//! Any two texts as plan and results, separated by the first line `---results---`: the linter never panics, and every
//! finding is on a line of one of them.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use cargo_poc::internals::config::Config;
use cargo_poc::internals::contract::ContractState;
use cargo_poc::internals::document::{Document, read_plan, read_results};
use cargo_poc::internals::evidence;
use cargo_poc::internals::lint::{self, levels::Levels};
use cargo_poc::internals::project::{Paths, Poc};
use cargo_poc::internals::status::{self, Context, OtherPlans};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (plan, results) = text.split_once("\n---results---\n").unwrap_or((text, ""));
    let paths = Paths {
        name: "a".to_owned(),
        plan: "/w/a-plan.md".into(),
        results: "/w/a-results.md".into(),
    };
    let plan = Document::from_text(&paths.plan, plan.to_owned());
    let results = Document::from_text(&paths.results, results.to_owned());
    let lines = |document: &Document| document.text().lines().count() + 1;
    let most = lines(&plan).max(lines(&results));
    let evidence = evidence::read(results.text());
    let poc = Poc {
        paths,
        plan: read_plan(&plan),
        plan_document: plan,
        results: Some((results.clone(), read_results(&results))),
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
        config: &Config::outside(),
        other_plans: &OtherPlans::default(),
        contract: &ContractState::default(),
        is_committed: false,
    };
    let assessment = status::assess(&poc, &cx);
    for finding in lint::lint(&poc, &assessment, &cx, &Levels::default()) {
        assert!(finding.line <= most, "{finding:?}");
    }
});
