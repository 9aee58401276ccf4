//! Runs the workspace's suite once with instrumentation, and collects the functions that each test executed.
//!
//! The build uses a separate target folder. rustc is called through this program ([`super::run::rustc`]), which adds the instrumentation
//! flags for the workspace's packages: configured flags are kept, and dependencies are built without instrumentation. Tests run through
//! this program too ([`super::run::test`]).

use std::collections::BTreeSet;
use std::fs;
use std::time::UNIX_EPOCH;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashSet;

use super::arguments::{for_listing, of_configuration};
use super::build_reads::{BuildReads, PathNumbers};
use super::environment::{self, AllVariables};
use super::functions::Functions;
use super::kept_tests::{KeptTests, numbers_of};
use super::recorded::{FunctionLists, RecordFolder};
use super::run;
use super::store::{State, Store, Test};
use super::trace;
use crate::affected::arguments::nextest_packages;
use crate::affected::nextest_list::NextestList;
use crate::affected::selector::buildable_groups_in;
use crate::change;
use crate::exit::{self, Exit};
use crate::project::Project;
use crate::sys::cargo::{Cargo, own_folder};
use crate::sys::exec::{self, ExitReason, OutputChunk, ProcessCommand};
use crate::sys::files;
use crate::workspace::PackageId;

/// How to install cargo-nextest.
const INSTALL: &str = "install it with `cargo install cargo-nextest --locked`";
/// The exit status of nextest for failed tests.
const TESTS_FAILED: i32 = 100;

/// A prepared collect run.
#[derive(Debug)]
pub struct Collect<'p> {
    project: &'p Project,
    /// The user's arguments for nextest.
    arguments: &'p [String],
    toolchain: String,
    /// The path of this program.
    program: Utf8PathBuf,
    /// The cargo target folder of the instrumented build.
    target: Utf8PathBuf,
    folder: Utf8PathBuf,
    /// The root of the repository, if a tracer can record the files that tests and the build touch.
    traced: Result<Utf8PathBuf, String>,
    /// Tests of an earlier run that do not run again.
    kept: Option<KeptTests>,
}

/// The result of a collect run.
#[derive(Debug)]
pub struct Collected {
    /// The saved coverage.
    pub store: Store,
    /// The number of tests from an interrupted run on the same files.
    pub before: usize,
    /// The number of tests from an earlier collection.
    pub kept: usize,
    /// The maximum size of one test's raw profiles, in bytes.
    pub largest: u64,
    /// Why the files that tests touch are not known.
    pub untraced: Option<String>,
}

impl<'p> Collect<'p> {
    /// Prepares a run; `arguments` are the user's for nextest.
    ///
    /// # Errors
    /// When nextest is not installed, or rustc cannot be run.
    pub fn new(project: &'p Project, arguments: &'p [String]) -> Result<Self> {
        if !crate::sys::cargo::is_nextest_installed() {
            bail!("collecting needs cargo-nextest, which is not installed; {INSTALL}");
        }
        let program = std::env::current_exe().context("failed to find the path of this program")?;
        let program = Utf8PathBuf::try_from(program).context("this program's path is not UTF-8")?;
        let own = own_folder(&project.workspace.target_directory);
        let workspace = &project.workspace;
        workspace.build_in_groups(buildable_groups_in(project));
        Ok(Self {
            project,
            arguments,
            toolchain: compiler(&project.folder)?,
            program,
            target: own.join(target_folder(
                workspace.rustc_workspace_wrapper(&project.folder),
            )),
            folder: own.join("collect"),
            traced: traced_root(project),
            kept: None,
        })
    }

    /// Runs only other tests than these of an earlier store, given as indexes.
    pub fn keep(&mut self, store: Store, tests: &FxHashSet<usize>) {
        self.kept = Some(KeptTests::new(store, tests));
    }

    /// The conditions of the run besides the files: the toolchain, and arguments that affect the build.
    #[must_use]
    pub fn conditions(&self) -> (String, Vec<String>) {
        let built_with = of_configuration(&self.project.workspace, self.arguments);
        (self.toolchain.clone(), built_with)
    }

    /// The target folder of the instrumented build.
    #[must_use]
    pub fn target(&self) -> &Utf8Path {
        &self.target
    }

    /// Builds, runs the tests and joins the results. Forwards each line of nextest's and cargo's output.
    ///
    /// # Errors
    /// When the workspace does not build, nextest cannot list its tests, or the coverage maps have an unknown format.
    pub fn run(&self, say: &mut dyn FnMut(OutputChunk<'_>) -> Result<()>) -> Result<Collected> {
        let lockfile = self.project.workspace.root.join("Cargo.lock");
        let mut state = match self.project.repository() {
            Ok(repository) => State::of(&repository, &lockfile)?,
            Err(_) => State::default(),
        };
        let build = format!(
            "{}\n{:?} {:?}\n{:?} {}",
            self.toolchain,
            self.conditions().1,
            self.arguments,
            self.traced,
            self.kept.is_some()
        );
        let records = RecordFolder::new(&self.folder);
        records.clear_unlisted()?;
        let mut build_reads = BuildReads::new(&self.target, self.traced.is_ok())?;
        let groups = self.project.workspace.groups();
        let (mut listing, mut untraced) = (NextestList::default(), None);
        for group in &groups {
            let (of_group, why) = self.list(group, &mut build_reads, say)?;
            listing.add(of_group);
            untraced = untraced.or(why);
        }
        let untraced = self.traced.as_ref().err().cloned().or(untraced);
        let touched = match untraced {
            None => Some(build_reads.finish()?),
            Some(_) => None,
        };
        self.begin(&state, &build, &listing.executables()?)?;
        let before = listing.known(&records)?;
        let kept = match &self.kept {
            Some(kept) => kept.record(&listing, &records)?,
            None => 0,
        };
        for group in &groups {
            self.tests(group, say)?;
        }
        if let Ok(repository) = change::repository_of(&self.project.workspace) {
            let mut end = State::of(&repository, &lockfile)?;
            for stray in end.take_strays(&state) {
                files::remove(&repository.root.join(stray))?;
            }
            state.keep_what_stayed(end);
        }
        let mut collected = Collected {
            store: Store {
                state,
                toolchain: self.toolchain.clone(),
                built_with: self.conditions().1,
                ..Store::default()
            },
            before,
            kept,
            largest: 0,
            untraced,
        };
        self.join(&listing, &records, touched, &mut collected)?;
        files::remove_folder(&self.folder.join("raw"))?;
        collected
            .store
            .save(&self.project.workspace.target_directory)?;
        Ok(collected)
    }

    /// Keeps the results of an interrupted run if it used the same executables and files. Without git the files are unknown.
    fn begin(&self, state: &State, build: &str, executables: &BTreeSet<Utf8PathBuf>) -> Result<()> {
        let mut name = format!("{}\n{build}", state.name());
        for path in executables {
            let about = fs::metadata(path).with_context(|| format!("failed to read {path}"))?;
            let changed = about
                .modified()
                .ok()
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let changed = changed.map_or(0, |time| time.as_nanos());
            name.extend(["\n", path.as_str(), &format!(" {} {changed}", about.len())]);
        }
        let place = self.folder.join("state");
        let same = files::read_if_exists(&place)?.is_some_and(|known| known == name.as_bytes());
        if !same || state.files.is_empty() {
            for folder in ["tests", "functions"] {
                files::remove_folder(&self.folder.join(folder))?;
            }
            files::create_folder(&self.folder)?;
            files::write_atomic(&place, name.as_bytes())?;
        }
        files::remove_folder(&self.folder.join("raw"))
    }

    /// nextest for a group of packages, with the common arguments of its commands.
    fn nextest(
        &self,
        command: &str,
        group: &BTreeSet<PackageId>,
        arguments: &[String],
        trace: Option<&Utf8Path>,
    ) -> Result<ProcessCommand> {
        let workspace = &self.project.workspace;
        let folder = &self.project.folder;
        let words = [self.program.as_str(), run::SUBCOMMAND];
        let runner = workspace.runner_setting(&self.toolchain, folder, &words)?;
        let cargo = match trace {
            Some(trace) => ProcessCommand::new(trace::PROGRAM)
                .args(trace::ARGUMENTS)
                .args(["-o", trace.as_str(), "--"])
                .arg(Cargo::program()),
            None => ProcessCommand::new(Cargo::program()),
        };
        let mut whole = cargo.args(["nextest", command]);
        whole = whole.args(nextest_packages(workspace, group));
        for (name, value) in &workspace.configuration.environment {
            whole = whole.env(name, value);
        }
        if let Some(path) = &self.project.cargo.manifest_path {
            whole = whole.arg("--manifest-path").arg(path);
        }
        whole = whole
            .args(&self.project.cargo.flags)
            .args(["--target-dir", self.target.as_str()])
            .args(["--config", &runner.setting])
            .args(arguments)
            .directory(folder)
            .env_remove(&runner.variable)
            .env(run::INSTRUMENTS, "1")
            .env(run::FOLDER, &self.folder)
            .env(run::PROFILE_FILE, run::NOWHERE)
            .env("CARGO_INCREMENTAL", "0")
            // Stripping would remove the sections of the coverage maps. Debug information is not needed.
            .env("CARGO_PROFILE_DEV_STRIP", "none")
            .env("CARGO_PROFILE_TEST_STRIP", "none")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_TEST_DEBUG", "0");
        if let Some(user) = workspace.rustc_workspace_wrapper(folder) {
            whole = whole.env(run::INNER_WRAPPER, user);
        }
        Ok(whole.env(run::WORKSPACE_WRAPPER, &self.program))
    }

    /// Builds a group of packages, and lists its tests. Also returns why the files that the build touched are not known.
    fn list(
        &self,
        group: &BTreeSet<PackageId>,
        reads: &mut BuildReads,
        say: &mut dyn FnMut(OutputChunk<'_>) -> Result<()>,
    ) -> Result<(NextestList, Option<String>)> {
        let mut arguments = vec!["--message-format".to_owned(), "json".to_owned()];
        arguments.extend(for_listing(self.arguments));
        files::create_folder(&self.folder)?;
        let trace = self.traced.is_ok().then(|| self.folder.join("trace"));
        let command = self.nextest("list", group, &arguments, trace.as_deref())?;
        let captured = exec::capture_output(&command, say)?;
        interrupted(captured.ended)?;
        let mut untraced = None;
        if let (Some(trace), Ok(root)) = (&trace, &self.traced) {
            let built = &self.project.workspace.target_directory;
            let touched = files::read(trace)
                .and_then(|text| trace::parse(&text, &self.project.folder))
                .and_then(|touched| touched.inside(root, built));
            match touched {
                Ok(touched) => reads.add(touched),
                Err(error) => untraced = Some(format!("the build: {error:#}")),
            }
            if trace.is_file() {
                files::remove(trace)?;
            }
        }
        if !captured.ended.success() {
            bail!(
                "nextest could not build and list the tests ({})",
                captured.ended
            );
        }
        Ok((NextestList::parse(&captured.stdout)?, untraced))
    }

    /// Runs the tests of a group that have no results.
    fn tests(
        &self,
        group: &BTreeSet<PackageId>,
        say: &mut dyn FnMut(OutputChunk<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut arguments: Vec<String> = [
            "--no-fail-fast",
            "--retries=0",
            "--status-level=pass",
            "--final-status-level=fail",
            "--no-tests=pass",
        ]
        .map(str::to_owned)
        .to_vec();
        arguments.extend_from_slice(self.arguments);
        let mut command = self.nextest("run", group, &arguments, None)?;
        if let Ok(root) = &self.traced {
            command = command.env(run::TRACED, root);
        }
        let outcome = exec::stream(&command, say)?;
        interrupted(outcome.ended)?;
        match outcome.ended {
            ExitReason::Exited(0 | TESTS_FAILED) => Ok(()),
            ended => bail!("nextest could not run the tests ({ended})"),
        }
    }

    /// All variables; none if kept tests ran with others.
    fn all_variables(&self) -> AllVariables {
        let now = AllVariables::now();
        let kept = self.kept.as_ref();
        let is_same = kept.is_none_or(|kept| *kept.all_variables() == now);
        if is_same {
            now
        } else {
            AllVariables::default()
        }
    }

    /// The variables that any source of the repository may name.
    fn environment(&self, store: &Store) -> environment::Environment {
        let Ok(repository) = self.project.repository() else {
            return environment::of_files(&self.project.workspace.root, &store.files);
        };
        let files = store.state.files.keys();
        let sources = files.filter(|path| Utf8Path::new(path).extension() == Some("rs"));
        environment::of_files(&repository.root, &sources.cloned().collect::<Vec<_>>())
    }

    fn join(
        &self,
        listing: &NextestList,
        records: &RecordFolder,
        build: Option<BTreeSet<String>>,
        collected: &mut Collected,
    ) -> Result<()> {
        let root = &self.project.workspace.root;
        let functions = Functions::of(
            &listing.executables()?,
            root,
            &self.project.workspace.target_directory,
        )?;
        let store = &mut collected.store;
        store.files.clone_from(&functions.files);
        store.items.clone_from(&functions.items);
        store.environment = self.environment(store);
        store.all_variables = self.all_variables();
        let unlisted = records.get_unlisted()?;
        let mut paths = PathNumbers::default();
        store.build = build.map(|touched| paths.of(touched));
        let mut lists = FunctionLists::default();
        let items = self.kept.as_ref().map(|_| numbers_of(store));
        for (binary, suite) in &listing.rust_suites {
            if unlisted.contains(suite.binary_path.as_str()) {
                store.unlisted.push(binary.clone());
            }
            for (name, case) in &suite.testcases {
                let mut touched = None;
                let ran = if let Some(seen) = records.get(binary, name)?.filter(|seen| seen.kept) {
                    let kept = self.kept.as_ref().zip(items.as_ref());
                    match kept.and_then(|(kept, items)| kept.get(&seen, items)) {
                        Some((ran, paths_of)) => {
                            touched = paths_of.map(|touched| paths.of(touched));
                            Ok(ran)
                        }
                        None => Err("its earlier coverage is out of date".to_owned()),
                    }
                } else if let Some(seen) = records.get(binary, name)? {
                    touched = seen.touched.map(|touched| paths.of(touched));
                    collected.largest = collected.largest.max(seen.bytes);
                    match seen.why_not {
                        None => functions.items_of(records, &mut lists, &seen.parts)?,
                        Some(why) => Err(why),
                    }
                } else if case.ignored {
                    Err("it is ignored".to_owned())
                } else if case.filter_match.is_selected() {
                    Err("it did not run through this program".to_owned())
                } else {
                    Err("a filter excludes it".to_owned())
                };
                store.tests.push(Test {
                    binary: binary.clone(),
                    name: name.clone(),
                    ran,
                    touched,
                });
            }
        }
        store.paths = paths.into_paths();
        let runs_here = |test: &&Test| {
            test.ran
                .as_ref()
                .err()
                .is_none_or(|why| !why.starts_with("it did not run through"))
        };
        if !store.tests.is_empty() && store.tests.iter().filter(runs_here).count() == 0 {
            bail!(
                "nextest did not run its tests through this program; is another target runner configured for cargo?"
            );
        }
        Ok(())
    }
}

/// The root of the project's repository, if the tracer is installed and works; otherwise why files are not traced.
fn traced_root(project: &Project) -> Result<Utf8PathBuf, String> {
    let probe = ProcessCommand::new(trace::PROGRAM)
        .args(trace::ARGUMENTS)
        .args(["-o", "/dev/null", "--", "true"]);
    let repository = project.repository();
    let repository = repository.map_err(|_| "there is no git repository".to_owned())?;
    match exec::capture(&probe) {
        Ok(ran) if ran.ended.success() => {}
        Ok(ran) => {
            let why = String::from_utf8_lossy(&ran.stderr);
            let why = why.lines().next().unwrap_or_default();
            return Err(format!("{} does not work here: {why}", trace::PROGRAM));
        }
        Err(_) => return Err(format!("{} is not installed", trace::PROGRAM)),
    }
    // Traces contain paths without links.
    if files::resolved(&repository.root).is_ok_and(|root| root == repository.root) {
        Ok(repository.root)
    } else {
        Err("the path of the repository contains a symbolic link".to_owned())
    }
}

/// The target folder of a build through the user's wrapper of rustc: cargo sees only this program, so that it would use the build of
/// another wrapper.
fn target_folder(wrapper: Option<String>) -> String {
    wrapper.map_or_else(
        || "coverage".to_owned(),
        |wrapper| {
            format!(
                "coverage-{}",
                &blake3::hash(wrapper.as_bytes()).to_hex()[..16]
            )
        },
    )
}

fn interrupted(ended: ExitReason) -> Result<()> {
    if ended == ExitReason::Interrupted {
        let why = anyhow::anyhow!(
            "interrupted; `cargo poc affected --collect` continues if no file changes"
        );
        return Err(exit::with_exit(Exit::CouldNotRun, why));
    }
    Ok(())
}

/// The output of `rustc -vV`, and compiler flags from the environment.
///
/// # Errors
/// When rustc cannot be run.
pub fn compiler(folder: &Utf8Path) -> Result<String> {
    let mut compiler = crate::sys::cargo::toolchain(folder)?.trim().to_owned();
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
        if let Some(value) = std::env::var_os(name) {
            compiler.extend(["\n", name, "=", &*value.to_string_lossy()]);
        }
    }
    Ok(compiler)
}
