//! The command line of `cargo poc report`.

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use super::workset::{self, Workset};
use crate::cli::{self, Global};
use crate::exit::{Exit, usage};
use crate::report::page::{self, Setting, Subject};
use crate::sys::files;
use crate::sys::terminal::Terminal;
use crate::sys::{self, cargo::own_folder};

/// Writes the page about the named PoCs and prints its path.
///
/// # Errors
/// As for `status`, and when the page cannot be written.
pub fn run(global: &Global, arguments: &cli::Report, terminal: &mut Terminal) -> Result<Exit> {
    // The page contains whole documents.
    let workset = &workset::load(global, &arguments.which, |_| Ok(()))?;
    let printed = arguments.output.as_deref() == Some(Utf8Path::new("-"));
    if printed && arguments.open {
        return Err(usage("--open needs a file, but `-o -` prints the page"));
    }
    let target = match &arguments.output {
        Some(_) if printed => workset::located(Utf8Path::new("page.html"))?,
        Some(file) => workset::located(file)?,
        None => default(workset),
    };
    let page = page(workset, &target)?;
    if printed {
        terminal.out().write_all(page.as_bytes())?;
    } else {
        files::write_report(&target, page.as_bytes())?;
        let shown = arguments.output.as_ref().unwrap_or(&target);
        writeln!(terminal.out(), "{shown}")?;
        if arguments.open {
            sys::browse(&target)?;
        }
    }
    for note in &workset.notes {
        terminal.warn(note)?;
    }
    // The page lists unreadable documents as well.
    workset.report_unreadable(terminal)
}

/// A file in the target folder, which git ignores; beside a plan that is outside a workspace.
fn default(workset: &Workset) -> Utf8PathBuf {
    match &workset.project {
        Some(project) => own_folder(&project.workspace.target_directory).join("report.html"),
        None => workset.root.join("report.html"),
    }
}

fn page(workset: &Workset, target: &Utf8Path) -> Result<String> {
    let repository = workset
        .project
        .as_ref()
        .and_then(|project| project.repository().ok());
    let documents = workset.pocs.iter().zip(&workset.evidence);
    let subjects = documents.zip(&workset.statuses);
    let subjects: Vec<Subject<'_>> = subjects
        .map(|((poc, evidence), status)| Subject {
            poc,
            evidence,
            status,
        })
        .collect();
    page::page(
        &subjects,
        &Setting {
            workspace: workset.project.as_ref().map(|project| &project.workspace),
            root: &workset.root,
            folder: target.parent().unwrap_or(&workset.root),
            commit: repository
                .as_ref()
                .and_then(|repository| repository.opened_at())
                .map(str::to_owned),
            unreadable: &workset.unreadable,
        },
    )
}
