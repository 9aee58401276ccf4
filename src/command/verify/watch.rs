//! `cargo poc verify --watch`.
//!
//! The first run executes the affected tests. Each later run executes the tests affected by files that changed since the last
//! run that passed, so a failed test runs again after the next save. Files are compared by content, so saving a file without
//! changes runs nothing. A save that can affect tests stops the current run, and the next one starts when it has ended.
//!
//! Files that tests write and that git does not ignore look like saves; [`written`] classifies them.

mod files;
mod written;

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, anyhow};
use camino::Utf8PathBuf;

use self::files::Files;
use self::written::Written;
use super::job::Job;
use super::request::{pocs, selection};
use crate::affected;
use crate::affected::failed::{FailedTests, TestNames};
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
/// As for `verify`, at the start. Later errors are printed, and the watch continues.
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
        // Files saved during the run precede later saves.
        let turn = Project::load(global).and_then(|project| watch.turn(&project, terminal));
        match turn {
            Ok(true) => {
                said = true;
                continue;
            }
            Ok(false) => {}
            Err(error) => {
                // For example, a manifest that is being edited.
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
            return Ok(Exit::Success);
        }
    }
}

/// The workspace and members outside its folder.
fn roots(project: &Project) -> Vec<Utf8PathBuf> {
    let workspace = &project.workspace;
    let members = (0..workspace.packages.len()).map(|package| workspace.folder(package).to_owned());
    let beside = members.filter(|folder| !folder.starts_with(&workspace.root));
    std::iter::once(workspace.root.clone())
        .chain(beside)
        .collect()
}

/// Folders that change while tests run.
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
    /// The files at the last passed run, with its build; none before that.
    passed: Option<(Files, Option<String>)>,
    /// Files that tests seem to write.
    written: Written,
    /// Whether a save has stopped the last run.
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
        let build = project.workspace.build_fingerprint();
        let passed = self.passed.as_ref();
        // Another configuration in the manifest is another build.
        let selected = match passed.filter(|(_, built)| *built == build) {
            None => {
                let failed = FailedTests::load(&project.workspace)?;
                selection(project, &pocs, &[], self.arguments.base.as_deref(), &failed)?
            }
            Some((passed, _)) => {
                let nothing = TestNames::new();
                affected::select_to_run(project, &files.since(passed), &nothing)?
            }
        };
        if selected.is_empty() {
            self.passed = Some((files, build));
            for path in changed.iter().filter(|_| !first) {
                let path = project.workspace.slashed(path);
                terminal.detail(format!("{path} affects no test"))?;
            }
            return Ok(false);
        }
        if !first {
            let named = project.workspace.slashed(&changed[0]);
            let more = match changed.len() {
                1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            let restart = if self.ended { "; starting again" } else { "" };
            terminal.status("Changed", format!("{named}{more}{restart}"))?;
        }
        let job = Job::affected(project, &self.arguments, &pocs, selected)?;
        if job.commands.is_empty() {
            job.reuse.show(&self.arguments, terminal)?;
        }
        let passed =
            job.commands.is_empty() || self.verify(project, &pocs, job, &files, terminal)?;
        if passed {
            self.passed = Some((files.clone(), build));
        }
        self.record_changes(project, &files, terminal)?;
        Ok(true)
    }

    /// Runs the tests, and stops them when a saved file can affect tests. Returns whether they passed.
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
        let (ran, watched) = std::thread::scope(|scope| {
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
                let _over = RunEnd(&over);
                job.run(project, arguments, pocs, terminal)
            };
            let watched = looking.join();
            (
                ran,
                watched.unwrap_or_else(|_| Err(anyhow!("watching files panicked"))),
            )
        });
        watched.context("failed to watch files while the tests ran")?;
        self.ended = stop.is_requested();
        Ok(ran? == Exit::Success)
    }

    /// Records the files that changed while the tests ran. Files that tests write do not trigger a run.
    fn record_changes(
        &mut self,
        project: &Project,
        files: &Files,
        terminal: &mut Terminal,
    ) -> Result<()> {
        let after = Files::current(project)?;
        let written = self.written.classify(files, &after, !self.ended);
        for one in written {
            self.seen.take(&one.path, &after);
            if one.is_new {
                let path = project.workspace.slashed(&one.path);
                terminal.warn(format!(
                    "{path} changed while the tests ran and seems to be written by them, so it does not trigger a run. Add it to .gitignore if tests write it"
                ))?;
            }
        }
        Ok(())
    }
}

/// Signals the end of a run when dropped, also on a panic, so that the watching thread ends.
struct RunEnd<'a>(&'a AtomicBool);

impl Drop for RunEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Whether files saved since the start of a run can affect tests, except files that tests write.
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
