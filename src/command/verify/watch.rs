//! `cargo poc verify --watch`.
//!
//! The first run is that of the affected tests. After it, what is run on a save are the tests that the files can affect
//! which have changed since the last run that passed: a test that failed runs again with the next save. Contents are
//! compared, not times, so that saving a file as it was runs nothing. A save that can affect tests while they run ends
//! that run, and the next begins once it is gone.
//!
//! Tests write files too. What git does not ignore of them looks like a save; [`written`] tells how it is told apart.

mod files;
mod written;

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, anyhow};
use camino::Utf8PathBuf;

use self::files::Files;
use self::written::Written;
use super::job::Job;
use super::request::{pocs, selection};
use crate::affected::{self, failed::FailedTests};
use crate::cli::{self, Global};
use crate::evidence::Scope;
use crate::exit::Exit;
use crate::project::{Poc, Project};
use crate::sys::exec::{self, Running, Stop};
use crate::sys::terminal::Terminal;
use crate::sys::watch::Watcher;

/// Runs the affected tests on every save, until Ctrl-C. Nothing is recorded.
///
/// # Errors
/// As for `verify`, at the start. Later errors are printed, and the next save is tried.
pub(crate) fn run(
    global: &Global,
    arguments: &cli::Verify,
    terminal: &mut Terminal,
) -> Result<Exit> {
    exec::install_interrupt_handler()?;
    let _ended_by_ctrl_c = Running::enter();
    let project = Project::load(global)?;
    let mut watch = Watch {
        global,
        arguments: cli::Verify {
            no_record: true,
            ..arguments.clone()
        },
        watcher: Watcher::new(&roots(&project), &apart(&project))?,
        seen: Files::default(),
        passed: None,
        written: Written::default(),
        ended: false,
    };
    watch.turn(&project, terminal)?;
    let mut said = true;
    loop {
        // Files saved while the tests ran come before later saves.
        let turn = Project::load(global).and_then(|project| watch.turn(&project, terminal));
        match turn {
            Ok(true) => {
                said = true;
                continue;
            }
            Ok(false) => {}
            Err(error) => {
                // A manifest that is being edited, say.
                terminal.error(&error)?;
                said = true;
            }
        }
        if said && !exec::interrupted() {
            terminal.status("Watching", "for changes; Ctrl-C ends it")?;
        }
        said = false;
        terminal.flush()?;
        if !watch.watcher.wait(&|| false)? {
            return Ok(Exit::Fine);
        }
    }
}

/// The workspace, and members beside it.
fn roots(project: &Project) -> Vec<Utf8PathBuf> {
    let workspace = &project.workspace;
    let members = (0..workspace.packages.len()).map(|package| workspace.folder(package).to_owned());
    let beside = members.filter(|folder| !folder.starts_with(&workspace.root));
    std::iter::once(workspace.root.clone())
        .chain(beside)
        .collect()
}

/// What changes while tests run.
fn apart(project: &Project) -> Vec<Utf8PathBuf> {
    let workspace = &project.workspace;
    vec![
        workspace.target_directory.clone(),
        workspace.root.join(".git"),
    ]
}

struct Watch<'g> {
    global: &'g Global,
    arguments: cli::Verify,
    watcher: Watcher,
    /// The files at the last check.
    seen: Files,
    /// The files when tests last passed; none before that.
    passed: Option<Files>,
    /// What the tests themselves seem to write.
    written: Written,
    /// Whether a save has ended the last run.
    ended: bool,
}

impl Watch<'_> {
    /// Compares the files and runs the tests that changed files can affect. Returns whether anything was printed.
    fn turn(&mut self, project: &Project, terminal: &mut Terminal) -> Result<bool> {
        if exec::interrupted() {
            return Ok(false);
        }
        let files = Files::of(project)?;
        let first = self.seen.is_empty();
        let changed = files.difference(&self.seen);
        if changed.is_empty() && !first {
            return Ok(false);
        }
        self.seen = files.clone();
        let (pocs, unreadable) = pocs(project, self.arguments.name.as_deref(), &Scope::Affected)?;
        for error in unreadable.iter().filter(|_| first) {
            terminal.error(error)?;
        }
        let selected = match &self.passed {
            None => {
                let failed = FailedTests::load(&project.workspace)?;
                selection(project, &pocs, &[], self.arguments.base.as_deref(), &failed)?
            }
            Some(passed) => affected::select_in(project, &files.since(passed), true)?,
        };
        if selected.is_empty() {
            self.passed = Some(files);
            for path in changed.iter().filter(|_| !first) {
                let path = project.workspace.slashed(path);
                terminal.detail(format!("no test can be affected by {path}"))?;
            }
            return Ok(false);
        }
        if !first {
            let named = project.workspace.slashed(&changed[0]);
            let more = match changed.len() {
                1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            let anew = if self.ended { "; starting again" } else { "" };
            terminal.status("Changed", format!("{named}{more}{anew}"))?;
        }
        let job = Job::affected(project, &self.arguments, selected)?;
        let passed =
            job.commands.is_empty() || self.verify(project, &pocs, job, &files, terminal)?;
        if passed {
            self.passed = Some(files.clone());
        }
        self.look_back(project, &files, terminal)?;
        Ok(true)
    }

    /// Runs the tests, and ends them when a file is saved that can affect tests; whether they passed.
    fn verify(
        &mut self,
        project: &Project,
        pocs: &[Poc],
        mut job: Job,
        files: &Files,
        terminal: &mut Terminal,
    ) -> Result<bool> {
        let over = AtomicBool::new(false);
        let stop = Stop::default();
        job.stop = stop.clone();
        let (global, arguments, written) = (self.global, &self.arguments, &self.written);
        let saves = &mut self.watcher;
        let (ran, looked) = std::thread::scope(|scope| {
            let looking = scope.spawn(|| {
                while saves.wait(&|| over.load(Ordering::SeqCst))? {
                    if can_affect(global, written, files)? {
                        stop.ask();
                        break;
                    }
                }
                Ok(())
            });
            let ran = {
                let _over = Over(&over);
                job.run(project, arguments, pocs, terminal)
            };
            let looked = looking.join();
            (
                ran,
                looked.unwrap_or_else(|_| Err(anyhow!("watching files panicked"))),
            )
        });
        looked.context("failed to watch files while the tests ran")?;
        self.ended = stop.is_asked();
        Ok(ran? == Exit::Fine)
    }

    /// Records the files that changed while the tests ran. Files that tests write are no reason to run again.
    fn look_back(
        &mut self,
        project: &Project,
        files: &Files,
        terminal: &mut Terminal,
    ) -> Result<()> {
        let after = Files::anew(project)?;
        let theirs = self.written.look_back(files, &after, !self.ended);
        for one in theirs {
            self.seen.take(&one.path, &after);
            if one.is_new {
                let path = project.workspace.slashed(&one.path);
                terminal.warn(format!(
                    "{path} changed while the tests ran, and is taken for what they write: nothing is run for it before the next save. Let git ignore it where that is so"
                ))?;
            }
        }
        Ok(())
    }
}

/// Says when it is dropped that a run is over, also when that panics: who watches for it must not watch for ever.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Whether files saved since a run began, except those that tests write, can affect tests.
fn can_affect(global: &Global, written: &Written, begun: &Files) -> Result<bool> {
    // An error in a manifest that is being edited is reported after the run.
    let Ok(project) = Project::load(global) else {
        return Ok(false);
    };
    let files = Files::of(&project)?;
    let mut change = files.since(begun);
    change
        .files
        .retain(|file| written.is_save(&file.path, begun));
    if change.files.is_empty() {
        return Ok(false);
    }
    Ok(!affected::select_in(&project, &change, true)?.is_empty())
}
