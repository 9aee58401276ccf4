//! The files of a PoC.

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use crate::config::FOREIGN_RESULTS;
use crate::document::{Document, is_foreign, is_plan, read_plan};
use crate::exit::{self, Exit, OrExit as _};
use crate::sys::files;

/// File name endings of plans, of both generations of the template.
pub(super) const PLAN_ENDINGS: [&str; 2] = ["-plan.md", "-implementation.md"];
/// The file name ending of results.
pub(super) const RESULTS_ENDING: &str = "-results.md";
/// The start of the comments that this program writes.
pub(super) const MARKER: &str = "<!-- cargo-poc:";

/// The two documents of one PoC, by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Paths {
    /// The slug.
    pub name: String,
    /// `docs/NAME-plan.md`, or the older `docs/NAME-implementation.md`; absolute.
    pub plan: Utf8PathBuf,
    /// `docs/NAME-results.md`, absolute; it may not exist.
    pub results: Utf8PathBuf,
}

impl Paths {
    /// Whether the results have parts that this program has written.
    pub(super) fn have_records(&self) -> bool {
        let text = files::read_document(&self.results).ok().flatten();
        text.is_some_and(|text| String::from_utf8_lossy(&text).contains(MARKER))
    }

    /// What to do about results whose plan is missing; empty without results.
    pub(super) fn left_results(&self) -> String {
        if !self.results.exists() {
            return String::new();
        }
        let results = &self.results;
        format!(", but {results} has its records; restore the plan, or remove the results as well")
    }

    /// Whether these are documents of a PoC: there are results, or the plan has the sections of one. An unreadable plan counts, so that
    /// reading it reports the error.
    pub(super) fn are_of_a_poc(&self) -> bool {
        if self.results.exists() || !self.plan.is_file() {
            return true;
        }
        match files::read_document(&self.plan) {
            Ok(Some(bytes)) => String::from_utf8(bytes).map_or(true, |text| is_plan(&text)),
            _ => true,
        }
    }

    /// The documents of a plan at an absolute path. The results are the file of the same name beside it, or the file that the plan
    /// links to. For a results document, the plan is the file beside it.
    ///
    /// # Errors
    /// A usage error for a results document without a plan beside it.
    pub fn of_file(file: Utf8PathBuf) -> Result<Self> {
        let folder = file.parent().unwrap_or(Utf8Path::new(""));
        let stem = file.file_name().unwrap_or_default();
        if read_document(&file)?.is_some_and(|document| is_foreign(&document)) {
            let name = stem.strip_suffix(".md").unwrap_or(stem);
            let name = name.split_once(" - ").map_or(name, |(name, _)| name);
            return Ok(Self {
                name: name.to_owned(),
                results: folder.join(format!("{FOREIGN_RESULTS}{name}.md")),
                plan: file,
            });
        }
        if let Some(name) = stem.strip_suffix(RESULTS_ENDING) {
            let plans = PLAN_ENDINGS.map(|ending| folder.join(format!("{name}{ending}")));
            let Some(plan) = plans.iter().find(|plan| plan.is_file()) else {
                return Err(exit::usage(format!(
                    "{file} is a results document without a {name}-plan.md beside it; pass the plan"
                )));
            };
            return Ok(Self {
                name: name.to_owned(),
                plan: plan.clone(),
                results: file,
            });
        }
        let by_name = PLAN_ENDINGS
            .iter()
            .find_map(|ending| stem.strip_suffix(ending));
        let name = by_name.or(file.file_stem()).unwrap_or_default().to_owned();
        let beside = folder.join(format!("{name}{RESULTS_ENDING}"));
        let linked = || {
            let text = String::from_utf8(files::read(&file).ok()?).ok()?;
            let plan = read_plan(&Document::from_text(&file, text));
            let link = folder.join(Utf8Path::new(plan.results_link.as_deref()?).file_name()?);
            (link.is_file() && link != file).then_some(link)
        };
        let results = if beside.is_file() {
            beside
        } else {
            linked().unwrap_or(beside)
        };
        Ok(Self {
            name,
            plan: file,
            results,
        })
    }

    /// Rejects a change of a task list of another tool.
    ///
    /// # Errors
    /// A usage error.
    pub fn can_change(&self) -> Result<()> {
        if !self.is_foreign() {
            return Ok(());
        }
        let plan = &self.plan;
        Err(exit::usage(format!(
            "{plan} belongs to another tool and is not changed; `cargo poc verify --plan FILE` records beside it"
        )))
    }

    /// Whether the plan is a task list of another tool, which this program does not change.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        let name = self.results.file_name();
        name.is_some_and(|name| name.starts_with(FOREIGN_RESULTS))
    }
}

/// Reads the document at `path`; `None` if it does not exist.
///
/// # Errors
/// A usage error with the position: not UTF-8, too large, not a regular file, or a link that leaves the folder.
pub(crate) fn read_document(path: &Utf8Path) -> Result<Option<Document>> {
    let bytes = files::read_document(path).or_exit(Exit::Usage)?;
    bytes
        .map(|bytes| Document::from_bytes(path, bytes))
        .transpose()
        .or_exit(Exit::Usage)
}
