//! Finds the change since a recorded run, and whether it can affect a test of that run.
//!
//! Evidence names its inputs by package, but not every change of a package affects a test. This module finds the state of the
//! run ([`Snapshots`], or a commit), selects the affected tests as [`affected`] does, and treats evidence as stale only if its
//! commands run one of them. Anything unknown makes it stale. Verdicts are cached until one of their inputs changes (`verdicts`).

mod calls;
mod verdicts;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;
use serde::Serialize;

use super::hasher::{Hasher, names_of};
use super::inputs::is_in_no_commit;
use crate::affected;
use crate::affected::items::extract::{self, Digest, flag};
use crate::change::Change;
use crate::change::snapshot::{Snapshot, Snapshots};
use crate::config::Config;
use crate::evidence::{Located, Record};
use crate::script::simple_commands::{self, Command};
use crate::sys::files;
use crate::sys::git::{FileChange, Repository};
use crate::workspace::{Configuration, PackageId, Workspace};
use calls::Calls;
use verdicts::Verdicts;

/// Finds the states of runs and the changes since.
#[derive(Debug)]
pub struct Since<'w> {
    workspace: &'w Workspace,
    config: &'w Config,
    repository: Repository,
    snapshots: Snapshots,
    /// `None` until it is needed.
    verdicts: Option<Verdicts<'w>>,
}

/// What a run showed, and a later change may contradict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// Its tests pass in all of its builds.
    Tests,
    /// Its tests pass in a configuration that the plan requires.
    TestsIn(String),
    /// Tests detect the mutants of its change.
    Strength,
}

/// What no change since a run can affect, by the checksum of its record.
pub type Unaffected = BTreeSet<(String, Aspect)>;

/// A run, some of whose inputs have changed.
#[derive(Debug)]
pub struct Stale<'s> {
    /// The run.
    pub located: &'s Located,
    /// What the change may contradict.
    pub aspect: Aspect,
    /// The scripts whose tests matter for it.
    pub scripts: Vec<&'s str>,
    /// The names of the changed inputs.
    pub changed: Vec<String>,
    /// The document with its record.
    pub results: &'s Utf8Path,
}

impl Stale<'_> {
    fn commands(&self) -> Vec<Command> {
        let scripts = self.scripts.iter();
        let commands = scripts.flat_map(|text| simple_commands::of_text(text, 1));
        commands.collect()
    }

    fn key(&self) -> (String, Aspect) {
        (self.located.checksum.clone(), self.aspect.clone())
    }

    /// The packages whose changes can affect the strength of the run; `None` for another aspect.
    fn judged_packages(&self, workspace: &Workspace) -> Option<BTreeSet<PackageId>> {
        let strength = self.located.record.strength.as_ref();
        let strength = strength.filter(|_| self.aspect == Aspect::Strength)?;
        let packages = workspace.packages.iter().enumerate();
        let packages = packages.filter(|(_, package)| {
            strength.packages.is_empty() || strength.packages.contains(&package.name)
        });
        Some(packages.map(|(id, _)| id).collect())
    }
}

/// The verdict on a run without a selection.
enum Verdict<'s> {
    /// It is stale.
    Affected,
    /// It is fresh.
    Unaffected,
    /// That depends on what changed since this state.
    DependsOn(State, Open<'s>),
}

/// A run that waits for a selection in each of its builds.
struct Open<'s> {
    run: &'s Stale<'s>,
    builds: Vec<Calls<'s>>,
    /// The cache key of the verdict.
    question: Vec<u8>,
}

/// Where to find the state of a run.
#[derive(Debug, Serialize)]
enum StateSource {
    /// It is known.
    State(State),
    /// Possibly in the history of `head`, at the commit that added the record with this checksum to the results.
    History {
        head: Option<String>,
        checksum: String,
        results: Utf8PathBuf,
    },
}

/// A state of the work tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
enum State {
    Commit(String),
    Snapshot(Snapshot),
}

impl<'w> Since<'w> {
    /// Reads the snapshots of the workspace; `repository` lists its files.
    #[must_use]
    pub fn new(workspace: &'w Workspace, config: &'w Config, repository: Repository) -> Self {
        Self {
            workspace,
            config,
            repository,
            snapshots: Snapshots::open(&workspace.target_directory),
            verdicts: None,
        }
    }

    /// The change since the run; `None` if its state cannot be found. `results` is the document with the record.
    ///
    /// # Errors
    /// When git fails or a file cannot be read.
    pub fn change(&self, run: &Located, results: &Utf8Path) -> Result<Option<Change>> {
        let state = self.state(self.state_source(run, results), run)?;
        state.map(|state| self.change_since(&state)).transpose()
    }

    /// The runs whose commands would run no test that the change since then can affect. Runs with the same state
    /// share one selection.
    ///
    /// # Errors
    /// When git fails or a file cannot be read.
    pub fn unaffected(&mut self, runs: &[Stale<'_>]) -> Result<Unaffected> {
        let mut unaffected = BTreeSet::new();
        let mut open: BTreeMap<State, Vec<Open<'_>>> = BTreeMap::new();
        let commands: Vec<Vec<Command>> = runs.iter().map(Stale::commands).collect();
        for (run, commands) in runs.iter().zip(&commands) {
            match self.verdict(run, commands)? {
                Verdict::Affected => {}
                Verdict::Unaffected => {
                    unaffected.insert(run.key());
                }
                Verdict::DependsOn(state, run) => open.entry(state).or_default().push(run),
            }
        }
        let followed = open
            .par_iter()
            .map(|(state, open)| self.follow(state, open));
        let followed: Vec<_> = followed.collect::<Result<_>>()?;
        for (open, affected) in followed.into_iter().flatten() {
            if !affected {
                unaffected.insert(open.run.key());
            }
            self.verdicts()?.put(open.question.clone(), affected);
        }
        Ok(unaffected)
    }

    /// The verdict on a run, if it needs no selection.
    fn verdict<'s>(&mut self, run: &'s Stale<'s>, commands: &'s [Command]) -> Result<Verdict<'s>> {
        if run.changed.iter().any(|name| is_in_no_commit(name)) {
            return Ok(Verdict::Affected);
        }
        let environment = &self.workspace.configuration.environment;
        let Some(builds) = Calls::of(self.workspace, environment, commands) else {
            return Ok(Verdict::Affected);
        };
        let seen = self.state_source(run.located, run.results);
        let judged = run.judged_packages(self.workspace);
        let question = (&seen, &run.scripts, &run.changed, environment, judged);
        let question = postcard::to_stdvec(&question)?;
        match self.verdicts()?.get(&question) {
            Some(true) => return Ok(Verdict::Affected),
            Some(false) => return Ok(Verdict::Unaffected),
            None => {}
        }
        let Ok(Some(state)) = self.state(seen, run.located) else {
            return Ok(Verdict::Affected);
        };
        let open = Open {
            run,
            builds,
            question,
        };
        Ok(Verdict::DependsOn(state, open))
    }

    /// Whether the commands of each run with this state would, or may, run a test that the change since then can affect. Empty if
    /// git does not know the change.
    fn follow<'r, 's>(
        &self,
        state: &State,
        open: &'r [Open<'s>],
    ) -> Result<Vec<(&'r Open<'s>, bool)>> {
        // A commit that is gone, as after a rebase, is no state to compare with.
        let Ok(change) = self.change_since(state) else {
            return Ok(Vec::new());
        };
        let (workspace, config) = (self.workspace, self.config);
        let verdicts = self.verdicts.as_ref().context("no verdicts were opened")?;
        let sources = ChangedSource::of(workspace, &change)?;
        let lost = owners(&sources, lacks_tests);
        let strength = open.iter().any(|open| open.run.aspect == Aspect::Strength);
        let edited = strength.then(|| owners(&sources, differ));
        let edited = edited.unwrap_or_default();
        let changed = change.files.iter().map(|file| file.path.as_path());
        let explained = names_of(workspace, config, changed);
        let mut builds: Vec<&Configuration> = Vec::new();
        for calls in open.iter().flat_map(|open| &open.builds) {
            if !builds.contains(&&calls.configuration) {
                builds.push(&calls.configuration);
            }
        }
        let mut moved = Vec::new();
        for build in builds {
            let of_build = |calls: &&Calls<'_>| calls.configuration == *build;
            let wanted = |target: &_| {
                let calls = open.iter().flat_map(|open| &open.builds);
                calls.filter(of_build).any(|calls| calls.name(target))
            };
            let workspace = workspace.configured_as(build.clone());
            let reader = verdicts.reader();
            let selection = affected::select(&workspace, config, &change, reader, &wanted)?;
            moved.push((build, selection));
        }
        let affects = |open: &&Open<'_>| {
            let changed = &open.run.changed;
            changed.iter().any(|name| !explained.contains(name))
                || match open.run.judged_packages(workspace) {
                    Some(judged) => weakens(&judged, &edited, &moved),
                    None => open
                        .builds
                        .iter()
                        .any(|calls| calls.may_have_run_in(&lost) || calls.run_any(&moved)),
                }
        };
        let open = open.iter();
        Ok(open.map(|open| (open, affects(&open))).collect())
    }

    /// Stores the verdicts in the cache.
    ///
    /// # Errors
    /// When git fails, or a file cannot be written; the message contains its path.
    pub fn finish(self) -> Result<()> {
        self.verdicts.map_or(Ok(()), Verdicts::save)
    }

    fn verdicts(&mut self) -> Result<&mut Verdicts<'w>> {
        if self.verdicts.is_none() {
            self.verdicts = Some(Verdicts::open(
                self.workspace,
                self.config,
                &self.repository,
            )?);
        }
        self.verdicts.as_mut().context("no verdicts were opened")
    }

    /// Where to find the state of a run. Plans and results are not part of it, because no test reads them.
    fn state_source(&self, run: &Located, results: &Utf8Path) -> StateSource {
        if let Some(snapshot) = self.snapshots.get(&run.record) {
            let (workspace, config) = (self.workspace, self.config);
            let is_document = |path: &Utf8Path| {
                config.is_document(workspace.relative(&self.repository.root.join(path)))
            };
            return StateSource::State(State::Snapshot(snapshot.without(is_document)));
        }
        let source = &run.record.source;
        if let (Some(commit), Some(false)) = (&source.commit, source.dirty) {
            return StateSource::State(State::Commit(commit.clone()));
        }
        StateSource::History {
            head: self.repository.opened_at().map(str::to_owned),
            checksum: run.checksum.clone(),
            results: results.to_owned(),
        }
    }

    /// The state of the work tree at a run; `None` if it cannot be found.
    fn state(&self, seen: StateSource, run: &Located) -> Result<Option<State>> {
        let (checksum, results) = match seen {
            StateSource::State(state) => return Ok(Some(state)),
            StateSource::History {
                checksum, results, ..
            } => (checksum, results),
        };
        let Ok(path) = results.strip_prefix(&self.repository.root) else {
            return Ok(None);
        };
        let Some(commit) = self.repository.introducing_commit(&checksum, path)? else {
            return Ok(None);
        };
        let mut hasher = Hasher::of_commit(self.workspace, self.config, &self.repository, &commit)?;
        let mut recorded = run.record.inputs.clone();
        recorded.retain(|name, _| !is_in_no_commit(name));
        let then = hasher.current(recorded.keys())?;
        Ok((then == recorded).then_some(State::Commit(commit)))
    }

    fn change_since(&self, state: &State) -> Result<Change> {
        match state {
            State::Commit(commit) => Change::since(&self.repository, commit),
            State::Snapshot(snapshot) => Change::since_snapshot(&self.repository, snapshot),
        }
    }
}

/// The state of the work tree before a run, to be stored with its record; `None` before the first commit.
///
/// # Errors
/// When a file cannot be read.
pub fn before_run(repository: &Repository) -> Result<Option<Snapshot>> {
    Snapshot::of(repository).context("failed to note how the work tree stands")
}

/// Stores the state of the work tree before a run for the records of the run.
///
/// # Errors
/// When git fails, or a file cannot be written; the message contains its path.
pub fn keep<'r>(
    workspace: &Workspace,
    repository: &Repository,
    mut stood: Snapshot,
    records: impl Iterator<Item = &'r Record>,
) -> Result<()> {
    stood.refresh_lockfile(repository, &workspace.root)?;
    Snapshots::open(&workspace.target_directory).keep(records, &stood)
}

/// A changed source file.
struct ChangedSource {
    /// `None` for a source of no member.
    owner: Option<PackageId>,
    /// Empty for a new file.
    before: String,
    now: String,
}

impl ChangedSource {
    fn of(workspace: &Workspace, change: &Change) -> Result<Vec<Self>> {
        let is_source = |file: &&FileChange| file.path.extension() == Some("rs");
        let changed: Vec<_> = change.files.iter().filter(is_source).collect();
        let texts = change.texts_before(&changed)?;
        let sources = changed.iter().zip(texts).map(|(file, before)| {
            let now = files::read_if_exists(&file.path)?.unwrap_or_default();
            Ok(Self {
                owner: workspace.owner(&file.path),
                before: before.unwrap_or_default(),
                now: String::from_utf8_lossy(&now).into_owned(),
            })
        });
        sources.collect()
    }
}

/// The owners of the sources whose earlier and current texts `counts`.
fn owners(
    sources: &[ChangedSource],
    counts: impl Fn(&str, &str) -> bool,
) -> BTreeSet<Option<PackageId>> {
    let counted = sources
        .iter()
        .filter(|source| counts(&source.before, &source.now));
    counted.map(|source| source.owner).collect()
}

/// Whether a test of an earlier text is not in the current one.
fn lacks_tests(before: &str, now: &str) -> bool {
    !tests(before).is_subset(&tests(now))
}

/// The items of a source that a test harness lists.
fn tests(text: &str) -> BTreeSet<Digest> {
    let items = extract::read(text).items.into_iter();
    let listed = items.filter(|item| item.flags & (flag::TEST | flag::TEST_PREFIX) != 0);
    listed.map(|item| item.key).collect()
}

/// Whether two texts differ in more than comments and places.
fn differ(before: &str, now: &str) -> bool {
    let items = |text: &str| -> BTreeSet<(Digest, Digest)> {
        let items = extract::read(text).items.into_iter();
        items.map(|item| (item.key, item.hash)).collect()
    };
    let [before, now] = [before, now].map(|text| (items(text), text));
    before.0 != now.0 || before.0.is_empty() && before.1 != now.1
}

/// Whether a change can affect the mutants of code in these packages, or the tests there: it edits code of theirs, also such that no
/// test reaches, or selects tests of theirs.
fn weakens(
    judged: &BTreeSet<PackageId>,
    edited: &BTreeSet<Option<PackageId>>,
    moved: &[(&Configuration, affected::Selection)],
) -> bool {
    let mut edited = edited.iter();
    edited.any(|owner| owner.is_none_or(|owner| judged.contains(&owner)))
        || moved.iter().any(|(_, selection)| {
            let mut packages = selection.packages().into_iter();
            packages.any(|package| judged.contains(&package))
        })
}
