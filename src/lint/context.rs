//! The input of lint rules, and constructors for findings and fixes.

use std::cell::Cell;
use std::collections::HashMap;

use crate::document::edit::Edits;
use crate::document::plan::Step;
use crate::document::results::{ResultStep, Results};
use crate::document::{
    Block, Document, Plan, SectionKind, Span, Status as ClaimedStatus, StepId, read_plan,
    read_results,
};
use crate::finding::{Code, Finding, Fix};
use crate::project::Poc;
use crate::script::simple_commands::{self, Command};
use crate::status::{Assessment, Context, State};

/// The input of lint rules.
pub(crate) struct LintContext<'a> {
    /// The documents.
    pub(crate) poc: &'a Poc,
    /// The plan.
    pub(crate) plan: &'a Plan,
    /// The results; `None` without the file.
    pub(crate) results: Option<&'a Results>,
    /// States, computed from evidence.
    pub(crate) status: &'a Assessment,
    /// The workspace, the change and the evidence.
    pub(crate) context: &'a Context<'a>,
    /// Path of the results relative to the workspace root, even if the file is missing.
    pub(crate) results_path: String,
    /// The first step with each id in the results.
    recorded: HashMap<&'a str, &'a ResultStep>,
    /// Steps of the plan with their results; steps that share an id are omitted.
    pub(crate) pairs: Vec<(&'a Step, &'a ResultStep)>,
    /// The commands of the plan's verification blocks, by the start of the block.
    commands: HashMap<usize, Vec<Command>>,
    /// Bytes that may still be parsed to check fixes.
    fix_bytes: Cell<usize>,
}

/// Limit of bytes to parse for checking fixes, so that a large document with many findings takes no quadratic time. Findings
/// beyond the limit have no fix until the earlier ones are fixed.
const FIX_BYTES: usize = 32 * 1024 * 1024;

/// A function that adds findings, and its rules.
pub(crate) type Check = (&'static [Code], fn(&LintContext<'_>, &mut Vec<Finding>));

/// Steps with a unique id, each with its results. Duplicate ids are reported by another rule.
fn pairs<'a>(
    plan: &'a Plan,
    recorded: &HashMap<&str, &'a ResultStep>,
) -> Vec<(&'a Step, &'a ResultStep)> {
    let mut times: HashMap<&str, usize> = HashMap::new();
    for step in &plan.steps {
        *times.entry(step.id.as_str()).or_default() += 1;
    }
    let single = plan
        .steps
        .iter()
        .filter(|step| times[step.id.as_str()] == 1);
    single
        .filter_map(|step| Some((step, *recorded.get(step.id.as_str())?)))
        .collect()
}

impl<'a> LintContext<'a> {
    pub(crate) fn new(poc: &'a Poc, status: &'a Assessment, context: &'a Context<'a>) -> Self {
        let results = poc.results.as_ref().map(|(_, results)| results);
        let recorded = results.iter().flat_map(|results| &results.steps).rev();
        let recorded: HashMap<_, _> = recorded.map(|step| (step.id.as_str(), step)).collect();
        let blocks = simple_commands::proving(&poc.plan);
        Self {
            poc,
            plan: &poc.plan,
            results,
            status,
            context,
            results_path: context.shown(&poc.paths.results),
            pairs: pairs(&poc.plan, &recorded),
            recorded,
            commands: blocks
                .map(|block| (block.span.start, simple_commands::commands(block)))
                .collect(),
            fix_bytes: Cell::new(FIX_BYTES),
        }
    }
}

impl LintContext<'_> {
    /// A finding on bytes of the plan.
    pub(crate) fn in_plan(&self, code: Code, span: &Span, message: impl Into<String>) -> Finding {
        at(
            code,
            &self.status.plan,
            &self.poc.plan_document,
            span,
            message,
        )
    }

    /// A finding on a line of the plan, from 1.
    pub(crate) fn in_plan_line(
        &self,
        code: Code,
        line: usize,
        message: impl Into<String>,
    ) -> Finding {
        Finding::new(code, &self.status.plan, line, message)
    }

    /// A finding on bytes of the results, or on the first line of the plan if there are no results.
    pub(crate) fn in_results(
        &self,
        code: Code,
        span: &Span,
        message: impl Into<String>,
    ) -> Finding {
        match &self.poc.results {
            Some((document, _)) => at(code, &self.results_path, document, span, message),
            None => self.in_plan_line(code, 1, message),
        }
    }

    /// A finding on a line of the results, from 1.
    pub(crate) fn in_results_line(
        &self,
        code: Code,
        line: usize,
        message: impl Into<String>,
    ) -> Finding {
        Finding::new(code, &self.results_path, line, message)
    }

    /// Whether the Summary of the results claims that the work is complete.
    pub(crate) fn claims_complete(&self) -> bool {
        let status = self.results.and_then(|results| results.status.as_ref());
        status.is_some_and(|status| status.status == Some(ClaimedStatus::Complete))
    }

    /// The plan's steps that neither document has withdrawn.
    pub(crate) fn live_steps(&self) -> impl Iterator<Item = &Step> {
        let states = self.status.steps.iter();
        let live = states.map(|step| step.state != State::Withdrawn);
        self.plan
            .steps
            .iter()
            .zip(live)
            .filter(|(_, live)| *live)
            .map(|(step, _)| step)
    }

    /// The results of a step.
    pub(crate) fn recorded(&self, id: &StepId) -> Option<&ResultStep> {
        self.recorded.get(id.as_str()).copied()
    }

    /// The commands of a verification block.
    pub(crate) fn commands_of(&self, block: &Block) -> &[Command] {
        self.commands
            .get(&block.span.start)
            .map_or(&[], Vec::as_slice)
    }

    /// The heading of the plan's first section of a kind.
    pub(crate) fn section(&self, kind: SectionKind) -> Option<Span> {
        let section = self
            .plan
            .sections
            .iter()
            .find(|section| section.kind == kind);
        section.map(|section| section.heading.clone())
    }

    /// A finding on a command of the plan.
    pub(crate) fn command(
        &self,
        code: Code,
        command: &Command,
        message: impl Into<String>,
    ) -> Finding {
        let document = &self.poc.plan_document;
        let line = document.line_span(command.line);
        let text = &document.text()[line.clone()];
        let start = text.len() - text.trim_start_matches([' ', '\t', '>']).len();
        self.in_plan(code, &(line.start + start..line.end), message)
    }

    /// The first line of the plan that contains this lower-case text.
    pub(crate) fn line_with(&self, text: &str) -> Option<usize> {
        let lines = self.poc.plan_document.text().lines();
        let text = text.to_lowercase();
        let mut lines = lines.map(|line| line.to_lowercase().contains(&text));
        lines.position(|holds| holds).map(|index| index + 1)
    }

    /// Whether fixes are requested, and this document may be parsed again to check one.
    fn may_fix(&self, document: &Document) -> bool {
        let left = self.fix_bytes.get();
        if !self.context.fixes || left == 0 {
            return false;
        }
        self.fix_bytes
            .set(left.saturating_sub(document.text().len().max(1)));
        true
    }

    /// Edits of the plan; `None` if they do not resolve the finding, for example because of an unclosed code fence.
    pub(crate) fn fix_plan(
        &self,
        what: &str,
        edits: Vec<(Span, String)>,
        is_fixed: impl Fn(&Plan) -> bool,
    ) -> Option<Fix> {
        if !self.may_fix(&self.poc.plan_document) {
            return None;
        }
        let document = edited(&self.poc.plan_document, &edits)?;
        is_fixed(&read_plan(&document)).then(|| Fix {
            path: self.status.plan.clone(),
            what: what.to_owned(),
            edits,
        })
    }

    /// Edits of the results; `None` if they do not resolve the finding.
    pub(crate) fn fix_results(
        &self,
        what: &str,
        edits: Vec<(Span, String)>,
        is_fixed: impl Fn(&Results) -> bool,
    ) -> Option<Fix> {
        let (document, _) = self.poc.results.as_ref()?;
        if !self.may_fix(document) {
            return None;
        }
        let document = edited(document, &edits)?;
        is_fixed(&read_results(&document)).then(|| Fix {
            path: self.results_path.clone(),
            what: what.to_owned(),
            edits,
        })
    }
}

/// Applies edits that do not overlap to a document.
fn edited(document: &Document, edits: &[(Span, String)]) -> Option<Document> {
    let mut changes = Edits::new(document);
    for (span, text) in edits {
        changes.replace(span.clone(), text);
    }
    Some(Document::from_text(document.path(), changes.apply().ok()?))
}

/// A finding on the first line of `span`.
fn at(
    code: Code,
    path: &str,
    document: &Document,
    span: &Span,
    message: impl Into<String>,
) -> Finding {
    let line = document.line_of(span.start);
    let end = span.end.min(document.line_span(line).end).max(span.start);
    let mut finding = Finding::new(code, path, line, message);
    finding.column = document.column_of(span.start);
    finding.span = Some(span.start..end).filter(|span| !span.is_empty());
    finding
}
