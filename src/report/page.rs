//! One self-contained HTML page about every PoC.
//!
//! Input: the status of each PoC in the form of `status --format json`, and from the documents the criteria, the recorded runs
//! and the plan's text. Output: HTML that loads nothing and works without scripts. All text from documents is escaped, and a
//! Content-Security-Policy forbids everything else.

mod chart;
mod graph;
mod markdown;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value, value};
use percent_encoding::utf8_percent_encode;
use serde::Serialize;

use self::chart::{Chart, Given};
use self::graph::Graph;
use self::markdown::Place;
use super::json::VERSION;
use super::json::error::{ErrorReport, error_reports};
use super::json::status::{self, PocReport};
use super::poc_status::PocStatus;
use super::sarif::PATH;
use crate::evidence::{self, Evidence, Measured, Record, Scope, TestCounts};
use crate::finding::Severity;
use crate::project::Poc;
use crate::script::measure;
use crate::sys::text::for_markup;
use crate::workspace::Workspace;
use crate::workspace::graph::relative_text;

const TEMPLATE: &str = include_str!("../../template/page.html");
const STYLE: &str = include_str!("../../template/page.css");
const SCRIPT: &str = include_str!("../../template/page.js");

/// The maximum number of rows of a table; a branch may have changed thousands of files.
const ROWS: usize = 200;
/// The maximum number of runs in a chart: the last ones.
const RUNS: usize = 60;
/// The size in bytes from which a page of several PoCs omits plans, so that it can be sent by mail and opened on a phone.
const SIZE: usize = 500_000;

/// One PoC with its status and evidence.
pub struct Subject<'a> {
    /// Its documents.
    pub poc: &'a Poc,
    /// Its evidence.
    pub evidence: &'a Evidence,
    /// Its status.
    pub status: &'a PocStatus,
}

/// The environment of the page.
pub struct Setting<'a> {
    /// The workspace; `None` for a document outside a workspace.
    pub workspace: Option<&'a Workspace>,
    /// The base of shown paths.
    pub root: &'a Utf8Path,
    /// The folder of the page, where relative links start.
    pub folder: &'a Utf8Path,
    /// The commit at HEAD, if known.
    pub commit: Option<String>,
    /// Documents that cannot be read.
    pub unreadable: &'a [anyhow::Error],
}

#[derive(Serialize)]
struct Page<'a> {
    version: u32,
    tool: &'static str,
    made: String,
    workspace: &'a str,
    commit: Option<String>,
    pocs: Vec<Part<'a>>,
    unreadable: Vec<ErrorReport>,
    rows: usize,
}

/// One PoC with its status and documents.
#[derive(Serialize)]
struct Part<'a> {
    status: PocReport<'a>,
    proven: usize,
    live: usize,
    errors: usize,
    warnings: usize,
    criteria: Vec<Criteria<'a>>,
    /// The last run of each step, in the order of the steps.
    last: Vec<Option<Run<'a>>>,
    runs: Vec<Run<'a>>,
    /// The number of runs that are not in the charts.
    earlier: usize,
    tests: Option<Chart>,
    durations: Option<Chart>,
    measured: Vec<Values>,
    graph: Option<Graph>,
    /// `None` if the page would become too large.
    plan: Option<String>,
    /// The path from the page to the plan's file.
    link: String,
}

/// A measured value in each run that has it.
#[derive(Serialize)]
struct Values {
    name: String,
    unit: String,
    chart: Chart,
}

#[derive(Serialize)]
struct Criteria<'a> {
    document: &'static str,
    items: Vec<Criterion<'a>>,
}

#[derive(Serialize)]
struct Criterion<'a> {
    text: &'a str,
    checked: bool,
    depth: usize,
}

/// A recorded run.
#[derive(Serialize)]
struct Run<'a> {
    scope: String,
    time: String,
    outcome: String,
    good: bool,
    /// The number of regressions.
    worse: usize,
    tests: Option<Counts>,
    commands: Vec<&'a str>,
    commit: Option<&'a str>,
    dirty: Option<bool>,
    took: String,
    measured: Vec<String>,
}

#[derive(Serialize)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
    /// Tests that did not run.
    left: u64,
    all: u64,
}

/// Renders the page. Of several PoCs, the longest plans are omitted if the page would exceed half a megabyte.
///
/// # Errors
/// When the template cannot be rendered, which is a bug.
pub fn page(subjects: &[Subject<'_>], setting: &Setting<'_>) -> Result<String> {
    let mut page = Page {
        version: VERSION,
        tool: concat!("cargo-poc ", env!("CARGO_PKG_VERSION")),
        made: moment(&evidence::now()),
        workspace: setting.root.file_name().unwrap_or("workspace"),
        commit: setting.commit.clone(),
        pocs: subjects
            .iter()
            .map(|subject| part(subject, setting))
            .collect(),
        unreadable: error_reports(setting.unreadable, "report"),
        rows: ROWS,
    };
    loop {
        let text = for_markup(render(&page)?);
        let over = text.len().saturating_sub(SIZE);
        if page.pocs.len() < 2 || !omit_plans(&mut page.pocs, over) {
            return Ok(text);
        }
    }
}

/// Removes the longest plans, of at least `over` bytes together. Returns whether there were any.
fn omit_plans(pocs: &mut [Part<'_>], mut over: usize) -> bool {
    let mut plans: Vec<&mut Option<String>> = pocs.iter_mut().map(|poc| &mut poc.plan).collect();
    plans.sort_by_key(|plan| plan.as_ref().map(String::len));
    let mut any = false;
    while over > 0
        && let Some(longest) = plans.pop().and_then(Option::take)
    {
        over = over.saturating_sub(longest.len());
        any = true;
    }
    any
}

fn render(page: &Page<'_>) -> Result<String> {
    let data = serde_json::to_vec(page).context("failed to write the page's data")?;
    // The author of a plan cannot know the nonce, so a script in a plan cannot use it.
    let nonce = blake3::hash(&data).to_hex()[..32].to_owned();
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let mut syntax = SyntaxConfig::builder();
    environment.set_syntax(syntax.trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_global("style", Value::from_safe_string(STYLE.to_owned()));
    environment.add_global("script", Value::from_safe_string(SCRIPT.to_owned()));
    environment.add_global("nonce", nonce);
    environment.add_filter("moment", moment);
    // The extension of the name enables escaping.
    environment
        .add_template("page.html", TEMPLATE)
        .and_then(|()| {
            environment
                .get_template("page.html")?
                .render(value::Serde(page))
        })
        .context("failed to render the page")
}

fn part<'a>(subject: &Subject<'a>, setting: &Setting<'_>) -> Part<'a> {
    let Subject {
        poc,
        evidence,
        status,
    } = *subject;
    let report = status::poc(status);
    let records = evidence.records.iter();
    let records: Vec<&Record> = records.map(|located| &located.record).collect();
    let earlier = records.len().saturating_sub(RUNS);
    let shown = &records[earlier..];
    let folder = poc.paths.plan.parent().unwrap_or(setting.root);
    let place = Place {
        name: &status.assessment.name,
        folder: &relative_text(setting.folder, folder),
    };
    let (proven, live) = status.assessment.proven();
    let last = status.assessment.steps.iter().map(|step| {
        let record = evidence.last(&Scope::Step(step.id.clone()));
        record.map(run)
    });
    Part {
        proven,
        live,
        errors: count(status, Severity::Error),
        warnings: count(status, Severity::Warning),
        criteria: criteria(poc),
        last: last.collect(),
        tests: tests(shown),
        durations: durations(shown),
        measured: measured(shown),
        runs: shown.iter().rev().map(|record| run(record)).collect(),
        earlier,
        graph: setting
            .workspace
            .and_then(|workspace| graph::drawn(workspace, &status.assessment)),
        plan: Some(markdown::rendered(poc.plan_document.text(), &place)),
        link: utf8_percent_encode(&relative_text(setting.folder, &poc.paths.plan), PATH)
            .to_string(),
        status: report,
    }
}

fn count(status: &PocStatus, severity: Severity) -> usize {
    let findings = status.findings.iter();
    findings
        .filter(|finding| finding.severity == severity)
        .count()
}

fn criteria(poc: &Poc) -> Vec<Criteria<'_>> {
    let results = poc.results.as_ref().map(|(_, results)| &results.criteria);
    let lists = [("plan", Some(&poc.plan.criteria)), ("results", results)];
    let lists = lists.into_iter().filter_map(|(document, items)| {
        let items = items?.iter().map(|item| Criterion {
            text: &item.text,
            checked: item.checked,
            depth: item.depth,
        });
        Some(Criteria {
            document,
            items: items.collect(),
        })
    });
    lists.filter(|list| !list.items.is_empty()).collect()
}

fn run(record: &Record) -> Run<'_> {
    let named = |names: &BTreeMap<String, Vec<String>>| names.values().map(Vec::len).sum::<usize>();
    Run {
        scope: record.scope.to_string(),
        time: moment(&record.time),
        outcome: record.outcome.to_string(),
        good: record.proves(),
        worse: named(&record.regressions) + named(&record.missing),
        tests: counts(record),
        commands: record
            .checks
            .iter()
            .map(|check| check.command.as_str())
            .collect(),
        commit: record.source.commit.as_deref(),
        dirty: record.source.dirty,
        took: evidence::format_duration(record.milliseconds),
        measured: values(record).map(measure::shown).collect(),
    }
}

fn values(record: &Record) -> impl Iterator<Item = &Measured> {
    record.checks.iter().flat_map(|check| &check.measured)
}

/// The test counts of a run, and the total: with the tests that its filters excluded, or all tests in the sources for a run
/// selected by a change.
fn counts(record: &Record) -> Option<Counts> {
    let TestCounts {
        passed,
        failed,
        ignored,
        filtered,
    } = record.tests?;
    let ran = passed + failed + ignored;
    let total = record.selection.map_or(0, |selection| selection.total);
    let all = total.max(ran + filtered);
    Some(Counts {
        passed,
        failed,
        ignored,
        left: all - ran,
        all,
    })
}

/// A bar for each run with tests: passed, failed, ignored, and not selected.
fn tests(records: &[&Record]) -> Option<Chart> {
    let bars: Vec<Given> = records
        .iter()
        .filter_map(|record| {
            let Counts {
                passed,
                failed,
                ignored,
                left,
                all,
            } = counts(record)?;
            let title = format!(
                "{}, {}: {passed} passed, {failed} failed, {ignored} ignored; {} of {all} selected",
                record.scope,
                moment(&record.time),
                all - left
            );
            let parts = [
                ("passed", passed),
                ("failed", failed),
                ("ignored", ignored),
                ("left", left),
            ];
            Some(Given {
                label: short(&record.scope),
                title,
                parts: parts.map(|(class, tests)| (class, number(tests))).to_vec(),
            })
        })
        .collect();
    (!bars.is_empty()).then(|| chart::bars(bars, true))
}

/// A bar with the duration of each run.
fn durations(records: &[&Record]) -> Option<Chart> {
    let bars = records.iter().map(|record| Given {
        label: short(&record.scope),
        title: format!(
            "{}, {}: {}",
            record.scope,
            moment(&record.time),
            evidence::format_duration(record.milliseconds)
        ),
        parts: vec![("took", number(record.milliseconds) / 1000.0)],
    });
    let bars: Vec<Given> = bars.collect();
    (!bars.is_empty()).then(|| chart::bars(bars, false))
}

/// For each measured value a bar with its median in each run.
fn measured(records: &[&Record]) -> Vec<Values> {
    let all = || {
        records
            .iter()
            .flat_map(|record| values(record).map(move |value| (record, value)))
    };
    let keys: BTreeSet<(&str, &str)> = all()
        .map(|(_, value)| (&*value.name, &*value.unit))
        .collect();
    let charts = keys.into_iter().map(|(name, unit)| {
        let same = || all().filter(|(_, value)| (&*value.name, &*value.unit) == (name, unit));
        let highest = same().map(|(_, value)| value.value).fold(0.0, f64::max);
        let (size, factor) = measure::size(unit, highest);
        let bars = same().map(|(record, value)| Given {
            label: short(&record.scope),
            title: format!(
                "{}, {}: {}",
                record.scope,
                moment(&record.time),
                measure::shown(value)
            ),
            parts: vec![("took", value.value / factor)],
        });
        Values {
            name: name.to_owned(),
            unit: size,
            chart: chart::bars(bars.collect(), false),
        }
    });
    charts.collect()
}

/// The scope, short enough for a label.
fn short(scope: &Scope) -> String {
    match scope {
        Scope::Baseline => "base".to_owned(),
        Scope::Prerequisites => "pre".to_owned(),
        Scope::Step(id) => id.chars().take(4).collect(),
        Scope::Done => "done".to_owned(),
        Scope::Affected => "aff".to_owned(),
        Scope::Full => "full".to_owned(),
    }
}

/// Converts a count for a chart, where values above `u32::MAX` are not distinguishable.
fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Formats a time: `2026-01-03 10:04 -08:00`.
fn moment(time: &str) -> String {
    match (time.get(..10), time.get(11..16), time.get(19..)) {
        (Some(day), Some(minute), Some(offset)) => format!("{day} {minute} {offset}"),
        _ => time.to_owned(),
    }
}
