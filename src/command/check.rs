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

/// As often as one fix may make room for another.
const ROUNDS: usize = 8;

/// Reports every finding on the PoCs asked for; with `--fix`, mends what can be mended first.
///
/// # Errors
/// Bad usage, a document that cannot be read, or a file that cannot be written.
pub fn run(global: &Global, arguments: &cli::Check, terminal: &mut Terminal) -> Result<Exit> {
    if let Some(code) = &arguments.explain {
        return explain(code, terminal);
    }
    let mut workset = take(global, arguments)?;
    if arguments.fix && arguments.dry_run {
        return preview(&workset, terminal);
    }
    if arguments.fix {
        workset = mend(global, arguments, workset, terminal)?;
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
            report::human::check::findings(terminal, &fresh, &|path| texts.get(path))?;
        }
    }
    if arguments.format != StatusFormat::Json {
        for error in &workset.unreadable {
            terminal.error(error)?;
        }
    }
    if unused > 0 {
        terminal.warn(format!(
            "{} of the baseline gone; `--write-baseline` takes what is gone out",
            counted(unused, "finding")
        ))?;
    }
    summary(&workset, &fresh, findings.len() - fresh.len(), terminal)?;
    Ok(exit(&workset, &fresh))
}

/// The PoCs asked for, at the levels asked for.
fn take(global: &Global, arguments: &cli::Check) -> Result<Workset> {
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

/// Unreadable before errors.
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
        Exit::Fine
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
            "{fixable} can be mended with `cargo poc check --fix`"
        ));
    }
    let pocs = match workset.statuses.len() {
        1 => workset.statuses[0].assessment.name.clone(),
        many => format!("{many} PoCs"),
    };
    terminal.status("Checked", format!("{pocs}: {}", parts.join(", ")))
}

/// The documentation of a code; without one, all codes.
fn explain(code: &str, terminal: &mut Terminal) -> Result<Exit> {
    if code.is_empty() {
        report::human::check::codes(terminal)?;
        return Ok(Exit::Fine);
    }
    let code = rule(code).or_exit(Exit::Usage)?;
    report::human::check::explanation(terminal, code)?;
    Ok(Exit::Fine)
}

/// A file to be, with how many findings that mends.
struct Mended {
    old: String,
    new: String,
    findings: usize,
}

/// Bytes of a file and what stands there instead.
type Edit = (Span, String);

/// The fixes that can be made at once, by file: where two touch the same bytes, the first is made.
fn fixes(workset: &Workset, texts: &Texts<'_>) -> BTreeMap<String, Mended> {
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
    let mended = edits
        .into_iter()
        .filter_map(|(path, (mut edits, findings))| {
            edits.sort_by_key(|(span, _)| span.start);
            let old = texts.get(path)?;
            let ends = if old.contains("\r\n") { "\r\n" } else { "\n" };
            let mut new = old.clone();
            for (span, text) in edits.into_iter().rev() {
                new.replace_range(span.clone(), &text.replace('\n', ends));
            }
            Some((path.to_owned(), Mended { old, new, findings }))
        });
    mended.collect()
}

/// What `--fix` would change, as a diff.
fn preview(workset: &Workset, terminal: &mut Terminal) -> Result<Exit> {
    let fixes = fixes(workset, &Texts::new(workset));
    if fixes.is_empty() {
        terminal.status(
            "Unchanged",
            "there is nothing that can be mended without a person",
        )?;
    }
    for (path, mended) in fixes {
        diff::print(&unified(&path, &mended.old, &mended.new), terminal)?;
    }
    Ok(Exit::Fine)
}

/// Mends what can be mended, and looks again.
fn mend(
    global: &Global,
    arguments: &cli::Check,
    mut workset: Workset,
    terminal: &mut Terminal,
) -> Result<Workset> {
    if adopt(&workset, terminal)? {
        workset = take(global, arguments)?;
    }
    for _ in 0..ROUNDS {
        let fixes = fixes(&workset, &Texts::new(&workset));
        if fixes.is_empty() {
            break;
        }
        for (path, mended) in fixes {
            replace(&workset, &path, &mended, terminal)
                .with_context(|| format!("failed to mend {path}"))?;
            terminal.status(
                "Fixed",
                format!("{} in {path}", counted(mended.findings, "finding")),
            )?;
        }
        workset = take(global, arguments)?;
    }
    Ok(workset)
}

/// Writes the results documents that plans lack; tells whether there was one.
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

/// Writes a mended document, unless someone else has written it meanwhile.
fn replace(workset: &Workset, shown: &str, mended: &Mended, terminal: &mut Terminal) -> Result<()> {
    let path = workset.root.join(shown);
    let assessments = workset.statuses.iter().map(|status| &status.assessment);
    let owner = { assessments }
        .find(|status| status.plan == shown || status.results.as_deref() == Some(shown));
    let lock = workset.project.as_ref().zip(owner);
    let _lock = lock
        .map(|(project, _)| document_update::lock(project, &path, terminal))
        .transpose()?;
    if files::read(&path)? != mended.old.as_bytes() {
        bail!("it changed while this ran; run this again");
    }
    files::write_atomic(&path, mended.new.as_bytes())
}

/// The texts of the files that findings are in: documents as they were read, others when they are asked for.
struct Texts<'a> {
    workset: &'a Workset,
    read: RefCell<BTreeMap<String, Option<String>>>,
}

impl<'a> Texts<'a> {
    fn new(workset: &'a Workset) -> Self {
        Self {
            workset,
            read: RefCell::default(),
        }
    }

    fn get(&self, path: &str) -> Option<String> {
        let mut read = self.read.borrow_mut();
        let text = read.entry(path.to_owned()).or_insert_with(|| {
            let full: Utf8PathBuf = self.workset.root.join(path);
            let documents = self.workset.pocs.iter().flat_map(|poc| {
                let results = poc.results.as_ref().map(|(document, _)| document);
                std::iter::once(&poc.plan_document).chain(results)
            });
            let mut documents = documents.filter(|document| *document.path() == full);
            match documents.next() {
                Some(document) => Some(document.text().to_owned()),
                None => String::from_utf8(files::read(&full).ok()?).ok(),
            }
        });
        text.clone()
    }

    /// The line of a finding, without the blanks around it.
    fn line(&self, finding: &Finding) -> String {
        let text = self.get(&finding.path).unwrap_or_default();
        let line = text.lines().nth(finding.line.saturating_sub(1));
        line.unwrap_or_default()
            .trim()
            .trim_start_matches('\u{feff}')
            .to_owned()
    }
}
