//! `cargo poc check`.

use std::cell::RefCell;
use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use camino::Utf8PathBuf;

use super::workset::{self, Workset};
use crate::cli::{self, Global, StatusFormat};
use crate::diff::{self, unified};
use crate::document::Span;
use crate::document_update;
use crate::exit::{Exit, OrExit as _};
use crate::finding::level::{Level, Setting};
use crate::finding::{Finding, Severity};
use crate::init;
use crate::lint::documents::UNRELIABLE_DOCUMENT;
use crate::lint::files::UNPLANNED_FILE;
use crate::lint::levels::rule;
use crate::lint::suppressions::{self, Suppressions};
use crate::report;
use crate::sys::files;
use crate::sys::terminal::Terminal;
use crate::sys::text::counted;
use crate::workspace::graph::relative_text;

/// The maximum number of rounds: a fix may allow another one.
const ROUNDS: usize = 8;

/// Reports every finding on the named PoCs, after applying fixes with `--fix`.
///
/// # Errors
/// A usage error, a document that cannot be read, or a file that cannot be written.
pub fn run(global: &Global, arguments: &cli::Check, terminal: &mut Terminal) -> Result<Exit> {
    if let Some(code) = &arguments.explain {
        return explain(code, terminal);
    }
    let mut workset = load_workset(global, arguments)?;
    if workset.pocs.is_empty() && workset.unreadable.is_empty() {
        workset.require_docs()?;
    }
    if arguments.fix && arguments.dry_run {
        return preview(&workset, terminal);
    }
    if arguments.fix {
        workset = apply_fixes(global, arguments, workset, terminal)?;
    }
    let texts = Texts::new(&workset);
    let baseline = arguments
        .baseline
        .as_deref()
        .map(workset::located)
        .transpose()?;
    let of_the_baseline = |finding: &&Finding| {
        let path = baseline
            .as_deref()
            .map(|path| relative_text(&workset.root, path));
        finding.code == UNPLANNED_FILE && Some(&finding.subject) == path.as_ref()
    };
    let findings: Vec<&Finding> = workset
        .statuses
        .iter()
        .flat_map(|status| &status.findings)
        .filter(|finding| !of_the_baseline(finding))
        .collect();
    let line = |finding: &Finding| texts.line(finding);
    let (suppressed, unused) = match &arguments.baseline {
        Some(path) if arguments.write_baseline => {
            suppressions::write(path, &findings, line)?;
            terminal.status(
                "Wrote",
                format!("{} to {path}", counted(findings.len(), "finding")),
            )?;
            (vec![true; findings.len()], 0)
        }
        Some(path) => Suppressions::read(path)?.apply(&findings, line),
        None => (vec![false; findings.len()], 0),
    };
    let fresh: Vec<&Finding> = findings
        .iter()
        .zip(&suppressed)
        .filter_map(|(finding, suppressed)| (!suppressed).then_some(*finding))
        .collect();
    match arguments.format {
        StatusFormat::Json => {
            report::json::check(terminal, &findings, &suppressed, &workset.unreadable)?;
        }
        StatusFormat::Junit => {
            let text = report::junit::check(fresh.iter().copied());
            terminal.out().write_all(text.as_bytes())?;
        }
        StatusFormat::Sarif => {
            let text = report::sarif::log(&workset.prefix(), fresh.iter().copied())?;
            terminal.out().write_all(text.as_bytes())?;
        }
        StatusFormat::Github => {
            let text = report::github::annotations(&workset.prefix(), fresh.iter().copied());
            terminal.out().write_all(text.as_bytes())?;
        }
        StatusFormat::Markdown => {
            let text = report::markdown::findings(&workset.prefix(), fresh.iter().copied());
            terminal.out().write_all(text.as_bytes())?;
        }
        StatusFormat::Human => {
            if let Some(project) = &workset.project {
                terminal.paths_from(&project.workspace.root);
            }
            report::human::check::findings(terminal, &fresh, &|finding| texts.line_of(finding))?;
        }
    }
    if arguments.format != StatusFormat::Json {
        for error in &workset.unreadable {
            terminal.error(error)?;
        }
    }
    if unused > 0 {
        terminal.warn(format!(
            "{} of the baseline no longer occurring; `--write-baseline` removes them",
            counted(unused, "finding")
        ))?;
    }
    summary(&workset, &fresh, findings.len() - fresh.len(), terminal)?;
    Ok(exit(&workset, &fresh))
}

/// Loads the named PoCs, with the levels of the arguments.
fn load_workset(global: &Global, arguments: &cli::Check) -> Result<Workset> {
    workset::load(global, &arguments.which, |config| {
        let levels = [
            (&arguments.allow, Level::Allow),
            (&arguments.warn, Level::Warn),
            (&arguments.deny, Level::Deny),
        ];
        for (lints, level) in levels {
            config.lints.extend(lints.iter().map(|lint| Setting {
                lint: lint.clone(),
                level,
                in_manifest: false,
            }));
        }
        Ok(())
    })
}

/// Unreadable documents take precedence over errors.
fn exit(workset: &Workset, fresh: &[&Finding]) -> Exit {
    let unreliable = fresh
        .iter()
        .any(|finding| finding.code == UNRELIABLE_DOCUMENT);
    if !workset.unreadable.is_empty() || unreliable {
        Exit::Usage
    } else if fresh
        .iter()
        .any(|finding| finding.severity == Severity::Error)
    {
        Exit::Findings
    } else {
        Exit::Success
    }
}

fn summary(
    workset: &Workset,
    fresh: &[&Finding],
    suppressed: usize,
    terminal: &mut Terminal,
) -> Result<()> {
    let count = |severity: Severity| {
        fresh
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let mut parts = vec![
        counted(count(Severity::Error), "error"),
        counted(count(Severity::Warning), "warning"),
    ];
    if suppressed > 0 {
        parts.push(format!("{suppressed} known"));
    }
    let fixable = fresh.iter().filter(|finding| finding.fix.is_some()).count();
    if fixable > 0 {
        parts.push(format!(
            "{fixable} can be fixed with `cargo poc check --fix`"
        ));
    }
    let pocs = match workset.statuses.len() {
        1 => workset.statuses[0].assessment.name.clone(),
        many => format!("{many} PoCs"),
    };
    terminal.status("Checked", format!("{pocs}: {}", parts.join(", ")))
}

/// Prints the documentation of a rule, or the list of all rules.
fn explain(code: &str, terminal: &mut Terminal) -> Result<Exit> {
    if code.is_empty() {
        report::human::check::codes(terminal)?;
        return Ok(Exit::Success);
    }
    let code = rule(code).or_exit(Exit::Usage)?;
    report::human::check::explanation(terminal, code)?;
    Ok(Exit::Success)
}

/// The fixed content of a file, and the number of fixed findings.
struct FixedFile {
    old: String,
    new: String,
    findings: usize,
}

/// Bytes of a file and their replacement.
type Edit = (Span, String);

/// The fixes that can be applied together, by file. Of overlapping fixes, the first is applied.
fn fixes(workset: &Workset, texts: &Texts<'_>) -> BTreeMap<String, FixedFile> {
    let mut edits: BTreeMap<&str, (Vec<&Edit>, usize)> = BTreeMap::new();
    let findings = workset.statuses.iter().flat_map(|status| &status.findings);
    for fix in findings.filter_map(|finding| finding.fix.as_ref()) {
        let (chosen, count) = edits.entry(&fix.path).or_default();
        let apart = |one: &Edit| {
            let mut others = chosen.iter();
            others.all(|other| one.0.end < other.0.start || other.0.end < one.0.start)
        };
        if fix.edits.iter().all(apart) {
            chosen.extend(&fix.edits);
            *count += 1;
        }
    }
    let fixed = edits
        .into_iter()
        .filter_map(|(path, (mut edits, findings))| {
            edits.sort_by_key(|(span, _)| span.start);
            let old = texts.get(path)?;
            let ends = if old.contains("\r\n") { "\r\n" } else { "\n" };
            let mut new = old.clone();
            for (span, text) in edits.into_iter().rev() {
                new.replace_range(span.clone(), &text.replace('\n', ends));
            }
            Some((path.to_owned(), FixedFile { old, new, findings }))
        });
    fixed.collect()
}

/// Shows the changes of `--fix` as a diff.
fn preview(workset: &Workset, terminal: &mut Terminal) -> Result<Exit> {
    let fixes = fixes(workset, &Texts::new(workset));
    if fixes.is_empty() {
        terminal.status("Unchanged", "no finding can be fixed automatically")?;
    }
    for (path, fixed) in fixes {
        diff::print(&unified(&path, &fixed.old, &fixed.new), terminal)?;
    }
    Ok(Exit::Success)
}

/// Applies all fixes and loads the documents again.
fn apply_fixes(
    global: &Global,
    arguments: &cli::Check,
    mut workset: Workset,
    terminal: &mut Terminal,
) -> Result<Workset> {
    if adopt(&workset, terminal)? {
        workset = load_workset(global, arguments)?;
    }
    for _ in 0..ROUNDS {
        let fixes = fixes(&workset, &Texts::new(&workset));
        if fixes.is_empty() {
            break;
        }
        for (path, fixed) in fixes {
            replace(&workset, &path, &fixed, terminal)
                .with_context(|| format!("failed to fix {path}"))?;
            terminal.status(
                "Fixed",
                format!("{} in {path}", counted(fixed.findings, "finding")),
            )?;
        }
        workset = load_workset(global, arguments)?;
    }
    Ok(workset)
}

/// Writes missing results documents. Returns whether there were any.
fn adopt(workset: &Workset, terminal: &mut Terminal) -> Result<bool> {
    let Some(project) = &workset.project else {
        return Ok(false);
    };
    let mut adopted = false;
    for poc in workset.pocs.iter().filter(|poc| poc.results.is_none()) {
        init::adopt::write(project, poc, project.config.template.as_deref())?;
        terminal.status("Created", project.workspace.slashed(&poc.paths.results))?;
        adopted = true;
    }
    Ok(adopted)
}

/// Writes a fixed document, unless another process has changed it.
fn replace(
    workset: &Workset,
    shown: &str,
    fixed: &FixedFile,
    terminal: &mut Terminal,
) -> Result<()> {
    let path = workset.root.join(shown);
    let assessments = workset.statuses.iter().map(|status| &status.assessment);
    let owner = { assessments }
        .find(|status| status.plan == shown || status.results.as_deref() == Some(shown));
    let lock = workset.project.as_ref().zip(owner);
    let _lock = lock
        .map(|(project, _)| document_update::lock(project, &path, terminal))
        .transpose()?;
    if files::read(&path)? != fixed.old.as_bytes() {
        bail!("it was changed by another process; run this again");
    }
    files::write_atomic(&path, fixed.new.as_bytes())
}

/// The texts of files with findings: documents as they were read, other files on demand.
struct Texts<'a> {
    workset: &'a Workset,
    read: RefCell<BTreeMap<String, Option<Lines>>>,
}

/// A text, and where its lines start.
struct Lines {
    text: String,
    starts: Vec<usize>,
}

impl Lines {
    fn new(text: String) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|end| end + 1);
        let starts = std::iter::once(0).chain(ends).collect();
        Self { text, starts }
    }
}

impl<'a> Texts<'a> {
    fn new(workset: &'a Workset) -> Self {
        Self {
            workset,
            read: RefCell::default(),
        }
    }

    /// The value that `of` makes of a file; `None` if there is no such text.
    fn with<T>(&self, path: &str, of: impl FnOnce(&Lines) -> Option<T>) -> Option<T> {
        let mut read = self.read.borrow_mut();
        let lines = read.entry(path.to_owned()).or_insert_with(|| {
            let full: Utf8PathBuf = self.workset.root.join(path);
            let documents = self.workset.pocs.iter().flat_map(|poc| {
                let results = poc.results.as_ref().map(|(document, _)| document);
                std::iter::once(&poc.plan_document).chain(results)
            });
            let mut documents = documents.filter(|document| *document.path() == full);
            let text = match documents.next() {
                Some(document) => document.text().to_owned(),
                None => String::from_utf8(files::read(&full).ok()?).ok()?,
            };
            Some(Lines::new(text))
        });
        of(lines.as_ref()?)
    }

    fn get(&self, path: &str) -> Option<String> {
        self.with(path, |lines| Some(lines.text.clone()))
    }

    /// The line of a finding, and the byte at which it starts.
    fn line_of(&self, finding: &Finding) -> Option<(usize, String)> {
        let number = finding.line.saturating_sub(1);
        self.with(&finding.path, |Lines { text, starts }| {
            let start = *starts.get(number)?;
            let end = starts.get(number + 1).copied().unwrap_or(text.len());
            Some((start, text[start..end].to_owned()))
        })
    }

    /// The line of a finding, without surrounding blanks.
    fn line(&self, finding: &Finding) -> String {
        let (_, line) = self.line_of(finding).unwrap_or_default();
        line.trim().trim_start_matches('\u{feff}').to_owned()
    }
}
