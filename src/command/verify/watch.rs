//! `cargo poc verify --watch`.
//!
//! The first run is that of the affected tests. After it, what is run on a save are the tests that the files can affect
//! which have changed since the last run that passed: a test that failed runs again with the next save. Contents are
//! compared, not times, so that saving a file as it was runs nothing.

use std::collections::BTreeMap;

use anyhow::Result;
use camino::Utf8PathBuf;
use rayon::prelude::*;

use super::{Job, pocs, selection};
use crate::affected;
use crate::change::Change;
use crate::cli::{self, Global};
use crate::evidence::Scope;
use crate::exit::Exit;
use crate::project::{Poc, Project};
use crate::sys::exec::{self, Running};
use crate::sys::files;
use crate::sys::git::{FileChange, Happened};
use crate::sys::watch::Watcher;
use crate::terminal::Terminal;

/// Runs the affected tests on every save, until Ctrl-C. Nothing is recorded.
///
/// # Errors
/// As for `verify`, for what is wrong at the start; what goes wrong later is said, and the next save tried.
pub(crate) fn run(
    global: &Global,
    arguments: &cli::Verify,
    terminal: &mut Terminal,
) -> Result<Exit> {
    exec::install_interrupt_handler()?;
    let _ended_by_ctrl_c = Running::enter();
    let project = Project::load(global)?;
    let mut watcher = Watcher::new(&roots(&project), &apart(&project))?;
    let mut watch = Watch {
        arguments: cli::Verify {
            no_record: true,
            ..arguments.clone()
        },
        seen: Files::default(),
        passed: None,
    };
    watch.turn(&project, terminal)?;
    loop {
        if !exec::interrupted() {
            terminal.status("Watching", "for changes; Ctrl-C ends it")?;
        }
        loop {
            terminal.flush()?;
            if !watcher.wait()? {
                return Ok(Exit::Fine);
            }
            let turn = Project::load(global).and_then(|project| watch.turn(&project, terminal));
            match turn {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => {
                    // A manifest that is being edited, say.
                    terminal.error(&error)?;
                    break;
                }
            }
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

struct Watch {
    arguments: cli::Verify,
    /// The files as they were last looked at.
    seen: Files,
    /// The files as they were when tests last passed; none before.
    passed: Option<Files>,
}

impl Watch {
    /// Looks at the files, and runs what those that differ can affect; whether anything was said.
    fn turn(&mut self, project: &Project, terminal: &mut Terminal) -> Result<bool> {
        let files = Files::of(project)?;
        let first = self.seen.is_empty();
        let changed = files.difference(&self.seen);
        if changed.is_empty() && !first {
            return Ok(false);
        }
        self.seen = files.clone();
        let pocs = pocs(project, self.arguments.name.as_deref(), &Scope::Affected)?;
        let selected = match &self.passed {
            None => selection(project, &pocs, &[])?,
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
            terminal.status("Changed", format!("{named}{more}"))?;
        }
        let passed = self.verify(project, &pocs, selected, terminal)?;
        if passed {
            self.passed = Some(files);
        }
        Ok(true)
    }

    fn verify(
        &self,
        project: &Project,
        pocs: &[Poc],
        selected: affected::Selection,
        terminal: &mut Terminal,
    ) -> Result<bool> {
        let job = Job::affected(project, &self.arguments, selected)?;
        if job.commands.is_empty() {
            return Ok(true);
        }
        Ok(job.run(project, &self.arguments, pocs, terminal)? == Exit::Fine)
    }
}

/// Files of the workspace that tests can depend on: those that git does not ignore, but for plans and results.
#[derive(Debug, Clone, Default)]
struct Files(BTreeMap<Utf8PathBuf, Held>);

/// What a file holds.
#[derive(Debug, Clone)]
struct Held {
    hash: blake3::Hash,
    /// The content, of what is compared by content: sources and manifests.
    content: Option<Vec<u8>>,
}

impl Files {
    fn of(project: &Project) -> Result<Self> {
        let workspace = &project.workspace;
        let listed: Vec<Utf8PathBuf> = match project.repository() {
            Ok(repository) => {
                let listing = repository.listing()?;
                let paths = listing.files.keys();
                paths.map(|path| repository.root.join(path)).collect()
            }
            Err(_) => files::walk(&workspace.root)?,
        };
        let ours = |path: &Utf8PathBuf| {
            !path.starts_with(&workspace.target_directory)
                && !project.config.is_document(workspace.relative(path))
        };
        let held = listed
            .into_par_iter()
            .filter(ours)
            .filter(|path| path.is_file())
            .filter_map(|path| match files::read_if_exists(&path) {
                Ok(content) => content.map(|content| Ok((path, Held::of(content)))),
                Err(error) => Some(Err(error)),
            })
            .map(|read| {
                let (path, held): (Utf8PathBuf, Held) = read?;
                let compared = matches!(path.extension(), Some("rs" | "toml" | "lock"));
                let content = held.content.filter(|_| compared);
                Ok((path, Held { content, ..held }))
            });
        Ok(Self(held.collect::<Result<_>>()?))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Files that are not as `before` has them, sorted.
    fn difference(&self, before: &Self) -> Vec<Utf8PathBuf> {
        let hash = |files: &Self, path: &Utf8PathBuf| files.0.get(path).map(|held| held.hash);
        let mut paths: Vec<&Utf8PathBuf> = self.0.keys().chain(before.0.keys()).collect();
        paths.sort();
        paths.dedup();
        let differ = paths
            .into_iter()
            .filter(|path| hash(self, path) != hash(before, path));
        differ.cloned().collect()
    }

    /// The change from `before` to these files.
    fn since(&self, before: &Self) -> Change {
        let paths = self.difference(before);
        let changes = paths.iter().map(|path| FileChange {
            path: path.clone(),
            happened: match (before.0.contains_key(path), self.0.contains_key(path)) {
                (false, _) => Happened::Added,
                (_, false) => Happened::Deleted,
                _ => Happened::Modified,
            },
        });
        let held = paths.iter().filter_map(|path| {
            let content = before.0.get(path)?.content.clone()?;
            Some((path.clone(), content))
        });
        Change::from_held(
            "the last run that passed".to_owned(),
            changes.collect(),
            held.collect(),
        )
    }
}

impl Held {
    fn of(content: Vec<u8>) -> Self {
        Self {
            hash: blake3::hash(&content),
            content: Some(content),
        }
    }
}
