//! `status --format json`.

use anyhow::Result;
use serde::Serialize;

use super::error::{ErrorReport, error_reports};
use super::output::{VERSION, text};
use super::values::{CountsReport, FindingReport, NextReport, StrengthReport, TicksReport, state};
use crate::contract::{ContractState, Difference, How, Kind};
use crate::report::poc_status::PocStatus;
use crate::status::{
    ChecklistStatus, ConfigurationStatus, CriterionStatus, DependencyState, DependencyStatus,
    FileAction, FileState, FileStatus, ProofStatus, QuarantineStatus, State,
};

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    pocs: Vec<PocReport<'a>>,
    unreadable: Vec<ErrorReport>,
}

#[derive(Serialize)]
pub(in crate::report) struct PocReport<'a> {
    name: &'a str,
    plan: &'a str,
    results: Option<&'a str>,
    #[serde(rename = "type")]
    kind: Option<&'a str>,
    state: Option<&'static str>,
    base: Option<&'a str>,
    configurations: &'a [String],
    summary: SummaryReport<'a>,
    steps: Vec<StepReport<'a>>,
    criteria: CriteriaReport<'a>,
    checklist: ChecklistReport<'a>,
    files: Vec<FileReport<'a>>,
    dependencies: Vec<DependencyReport<'a>>,
    quarantine: Vec<QuarantineReport<'a>>,
    tests: TestsReport,
    contract: Option<ContractReport<'a>>,
    placeholders: usize,
    findings: Vec<FindingReport<'a>>,
    next: Option<NextReport<'a>>,
}

#[derive(Serialize)]
struct SummaryReport<'a> {
    status: Option<&'a str>,
    started: Option<&'a str>,
    completed: Option<&'a str>,
}

#[derive(Serialize)]
struct FileReport<'a> {
    path: &'a str,
    action: &'static str,
    state: Option<&'static str>,
}

#[derive(Serialize)]
struct DependencyReport<'a> {
    manifest: &'a str,
    name: &'a str,
    kind: &'static str,
    state: Option<&'static str>,
}

#[derive(Serialize)]
struct StepReport<'a> {
    id: &'a str,
    title: &'a str,
    state: Option<&'static str>,
    why: Option<&'a str>,
    line: usize,
    configurations: Vec<ConfigurationReport<'a>>,
    strength: Option<StrengthReport<'a>>,
    tasks: TicksReport,
}

#[derive(Serialize)]
struct ConfigurationReport<'a> {
    name: &'a str,
    state: Option<&'static str>,
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct CriteriaReport<'a> {
    plan: TicksReport,
    results: TicksReport,
    proven: usize,
    items: Vec<CriterionReport<'a>>,
}

#[derive(Serialize)]
struct CriterionReport<'a> {
    number: usize,
    text: &'a str,
    line: usize,
    checked: bool,
    state: Option<&'static str>,
    why: Option<&'a str>,
    proven_by: Vec<ProofReport<'a>>,
}

#[derive(Serialize)]
struct ChecklistReport<'a> {
    checked: usize,
    total: usize,
    proven: usize,
    items: Vec<ChecklistItemReport<'a>>,
}

#[derive(Serialize)]
struct ChecklistItemReport<'a> {
    number: usize,
    text: &'a str,
    line: usize,
    checked: bool,
    computed: bool,
    state: Option<&'static str>,
    why: Option<&'a str>,
    by: Option<&'a str>,
    time: Option<&'a str>,
    commit: Option<&'a str>,
}

fn checklist(items: &[ChecklistStatus]) -> ChecklistReport<'_> {
    let count =
        |wanted: fn(&ChecklistStatus) -> bool| items.iter().filter(|item| wanted(item)).count();
    ChecklistReport {
        checked: count(|item| item.checked),
        total: items.len(),
        proven: count(|item| item.state == State::Proven),
        items: items.iter().map(checklist_item).collect(),
    }
}

fn checklist_item(item: &ChecklistStatus) -> ChecklistItemReport<'_> {
    let confirmation = item.confirmation.as_ref();
    ChecklistItemReport {
        number: item.number,
        text: &item.text,
        line: item.line,
        checked: item.checked,
        computed: !item.claims.is_empty(),
        state: state(item.state),
        why: item.why.as_deref(),
        by: confirmation.map(|one| one.by.as_str()),
        time: confirmation.map(|one| one.time.as_str()),
        commit: confirmation.and_then(|one| one.commit.as_deref()),
    }
}

#[derive(Serialize)]
struct ProofReport<'a> {
    proof: String,
    state: Option<&'static str>,
    why: Option<&'a str>,
    by: Option<&'a str>,
    time: Option<&'a str>,
    commit: Option<&'a str>,
}

#[derive(Serialize)]
struct QuarantineReport<'a> {
    test: &'a str,
    owner: &'a str,
    reason: &'a str,
    until: Option<&'a str>,
    excuses: bool,
    why: Option<&'a str>,
    line: usize,
}

fn quarantined(status: &QuarantineStatus) -> QuarantineReport<'_> {
    let row = &status.row;
    QuarantineReport {
        test: &row.test,
        owner: &row.owner,
        reason: &row.reason,
        until: row.until.as_ref().map(|until| until.text.as_str()),
        excuses: status.objection.is_none(),
        why: status.objection.as_deref(),
        line: row.line,
    }
}

#[derive(Serialize)]
struct TestsReport {
    baseline: Option<CountsReport>,
    latest: Option<CountsReport>,
    claimed: Option<u64>,
}

#[derive(Serialize)]
struct ContractReport<'a> {
    hash: String,
    time: &'a str,
    by: Option<&'a str>,
    amendments: Vec<AmendmentReport<'a>>,
    overrides: Vec<OverrideReport<'a>>,
    changes: Vec<ChangeReport<'a>>,
}

#[derive(Serialize)]
struct AmendmentReport<'a> {
    time: &'a str,
    by: Option<&'a str>,
    reason: Option<&'a str>,
    weakens: bool,
    changes: Vec<ChangeReport<'a>>,
}

#[derive(Serialize)]
struct OverrideReport<'a> {
    step: Option<&'a str>,
    time: &'a str,
    by: Option<&'a str>,
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct ChangeReport<'a> {
    what: &'a str,
    how: &'static str,
    weakens: bool,
    was: Option<&'a str>,
    is: Option<&'a str>,
}

/// `status --format json`; `unreadable` are documents that have no status.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn status(statuses: &[PocStatus], unreadable: &[anyhow::Error]) -> Result<String> {
    text(&Report {
        version: VERSION,
        pocs: statuses.iter().map(poc).collect(),
        unreadable: error_reports(unreadable, "status"),
    })
}

fn configuration(status: &ConfigurationStatus) -> ConfigurationReport<'_> {
    ConfigurationReport {
        name: &status.name,
        state: state(status.state),
        why: status.why.as_deref(),
    }
}

fn contract(state: &ContractState) -> Option<ContractReport<'_>> {
    let lock = state.lock()?;
    let amendments = state.of(Kind::Amend).map(|entry| AmendmentReport {
        time: &entry.time,
        by: entry.by.as_deref(),
        reason: entry.reason.as_deref(),
        weakens: entry.changes.iter().any(|change| change.how.weakens()),
        changes: changes(&entry.changes),
    });
    let overrides = state.of(Kind::Override).map(|entry| OverrideReport {
        step: entry.step.as_deref(),
        time: &entry.time,
        by: entry.by.as_deref(),
        reason: entry.reason.as_deref(),
    });
    Some(ContractReport {
        hash: state.agreed()?.hash(),
        time: &lock.time,
        by: lock.by.as_deref(),
        amendments: amendments.collect(),
        overrides: overrides.collect(),
        changes: changes(&state.changes),
    })
}

fn changes(changes: &[Difference]) -> Vec<ChangeReport<'_>> {
    let changes = changes.iter();
    changes
        .map(|Difference { what, how, was, is }| ChangeReport {
            what,
            how: change(*how),
            weakens: how.weakens(),
            was: was.as_deref(),
            is: is.as_deref(),
        })
        .collect()
}

fn change(how: How) -> &'static str {
    match how {
        How::Added => "added",
        How::Tightened => "tightened",
        How::Changed => "changed",
        How::Removed => "removed",
        How::Relaxed => "relaxed",
        How::Narrowed => "narrowed",
        How::Ignored => "ignored",
        How::Emptied => "emptied",
    }
}

fn criterion(criterion: &CriterionStatus) -> CriterionReport<'_> {
    CriterionReport {
        number: criterion.number,
        text: &criterion.text,
        line: criterion.line,
        checked: criterion.checked,
        state: state(criterion.state),
        why: criterion.why.as_deref(),
        proven_by: criterion.proven_by.iter().map(proof).collect(),
    }
}

fn proof(proof: &ProofStatus) -> ProofReport<'_> {
    let confirmation = proof.confirmation.as_ref();
    ProofReport {
        proof: proof.proof.to_string(),
        state: state(proof.state),
        why: proof.why.as_deref(),
        by: confirmation.map(|confirmation| confirmation.by.as_str()),
        time: confirmation.map(|confirmation| confirmation.time.as_str()),
        commit: confirmation.and_then(|confirmation| confirmation.commit.as_deref()),
    }
}

fn file(file: &FileStatus) -> FileReport<'_> {
    FileReport {
        path: &file.path,
        action: match file.action {
            FileAction::Create => "create",
            FileAction::Modify => "modify",
            FileAction::Delete => "delete",
            FileAction::Rename => "rename",
            FileAction::None => "none",
        },
        state: file.state.map(|state| match state {
            FileState::Pending => "pending",
            FileState::Done => "done",
            FileState::Missing => "missing",
            FileState::Unplanned => "unplanned",
        }),
    }
}

fn dependency(dependency: &DependencyStatus) -> DependencyReport<'_> {
    DependencyReport {
        manifest: &dependency.manifest,
        name: &dependency.name,
        kind: dependency.kind,
        state: dependency.state.map(DependencyState::word),
    }
}

pub(in crate::report) fn poc(status: &PocStatus) -> PocReport<'_> {
    let PocStatus {
        assessment,
        findings,
        next,
    } = status;
    let steps = assessment.steps.iter().map(|step| StepReport {
        id: &step.id,
        title: &step.title,
        state: state(step.state),
        why: step.why.as_deref(),
        line: step.line,
        configurations: step.configurations.iter().map(configuration).collect(),
        strength: step.strength.as_ref().map(Into::into),
        tasks: step.tasks.into(),
    });
    let summary = &assessment.summary;
    PocReport {
        name: &assessment.name,
        plan: &assessment.plan,
        results: assessment.results.as_deref(),
        kind: assessment.kind.as_deref(),
        state: state(assessment.state),
        base: assessment.base.as_deref(),
        configurations: &assessment.configurations,
        summary: SummaryReport {
            status: summary.status.as_deref(),
            started: summary.started.as_deref(),
            completed: summary.completed.as_deref(),
        },
        steps: steps.collect(),
        criteria: CriteriaReport {
            plan: assessment.plan_criteria.into(),
            results: assessment.results_criteria.into(),
            proven: assessment.proven_criteria(),
            items: assessment.criteria.iter().map(criterion).collect(),
        },
        checklist: checklist(&assessment.checklist),
        files: assessment.files.iter().map(file).collect(),
        dependencies: assessment.dependencies.iter().map(dependency).collect(),
        quarantine: assessment.quarantine.iter().map(quarantined).collect(),
        tests: TestsReport {
            baseline: assessment.tests.baseline.map(Into::into),
            latest: assessment.tests.latest.map(Into::into),
            claimed: assessment.tests.claimed,
        },
        contract: contract(&assessment.contract),
        placeholders: assessment.placeholders,
        findings: findings.iter().map(Into::into).collect(),
        next: next.as_ref().map(Into::into),
    }
}
