//! Judges mutants: which of them make a test fail.

mod checks;
mod switched;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use camino::Utf8PathBuf;

use super::build::{Builder, Built, FailedBuild};
use super::list::Mutant;
use super::programs::{Ended, TestProgram};
use super::reach::{self, Narrow, Tests};
use super::report::{Judged, Verdict, show};
use super::switch::Switch;
use crate::affected::{Selection, TestTarget, TestTargetKind, at_build};
use crate::evidence::Escape;
use crate::exit::{self, Exit};
use crate::project::Project;
use crate::project::tree::Tree;
use crate::script::shell::Settings;
use crate::sys::files;
use crate::sys::terminal::Terminal;
use crate::workspace::PackageId;

/// The shortest time limit of the tests of a mutant, as in cargo-mutants.
const SHORTEST_LIMIT: Duration = Duration::from_secs(20);
/// The time limit of the tests of a mutant, as a multiple of the time that they need without it, as in cargo-mutants.
const TIMES: u32 = 5;

/// What runs the tests.
pub struct Tools<'a> {
    /// Settings for programs.
    pub settings: &'a Settings,
    /// The output of `rustc -vV`.
    pub toolchain: &'a str,
    /// Narrows a selection by coverage.
    pub narrow: &'a Narrow<'a>,
    /// Whether each mutant is built by itself.
    pub separate_builds: bool,
    /// Whether each test runs in its own process, as with nextest.
    pub apart: bool,
}

/// The mutants of one function, which the same tests reach.
struct Function {
    /// Their indexes.
    mutants: Vec<usize>,
    selection: Selection,
    /// The selected tests; empty before the build.
    selected: Tests,
    /// Those of [`Self::selected`] in binaries that execute the function, as far as that is known.
    tests: Tests,
}

/// The tests that detected mutants, with the number of these; without a name if the binary did not print it.
type Kills = BTreeMap<(TestTarget, Option<String>), usize>;

/// A failed test.
struct Failure {
    target: TestTarget,
    binary: String,
    test: Option<String>,
}

/// Judges the mutants of one change in a copy of the work tree.
struct Judge<'a> {
    tools: &'a Tools<'a>,
    tree: &'a Tree,
    copy: &'a Project,
    mutants: &'a [Mutant],
    /// The text of each file with a mutant.
    texts: BTreeMap<Utf8PathBuf, String>,
    /// The built test binaries.
    programs: Vec<TestProgram>,
    /// The duration of the tests of each target without a mutant.
    durations: BTreeMap<TestTarget, Duration>,
    /// How mutants get into the build.
    way: Way,
}

/// How a mutant gets into the build.
enum Way {
    /// Its source file is changed, and built.
    Build,
    /// It is already built, and is switched on.
    Switch(Switch),
}

/// Judges `mutants` in a copy of the work tree of `project`. For each, the tests run that can reach its function; if all of them pass,
/// all other tests follow. Also returns the packages of these functions and tests.
///
/// # Errors
/// When the copy cannot be made or built, a test fails without a mutant, or the run was interrupted.
pub(super) fn judge(
    (tree, copy): (&Tree, &mut Project),
    mutants: Vec<Mutant>,
    tools: &Tools<'_>,
    terminal: &mut Terminal,
) -> Result<(Vec<Judged>, BTreeSet<PackageId>)> {
    let mut texts = BTreeMap::new();
    for mutant in &mutants {
        if !texts.contains_key(&mutant.file) {
            let path = tree.root.join(&mutant.file);
            let text = String::from_utf8(files::read(&path)?);
            let text = text.with_context(|| format!("{path} is not UTF-8"))?;
            texts.insert(mutant.file.clone(), text);
        }
    }
    let mut functions = functions((tree, copy), &mutants, &texts, tools)?;
    let mut judge = Judge {
        tools,
        tree,
        copy,
        mutants: &mutants,
        texts,
        programs: Vec::new(),
        durations: BTreeMap::new(),
        way: Way::Build,
    };
    let mut verdicts = vec![(Verdict::Missed, 0); mutants.len()];
    let mut escapes = vec![Vec::new(); mutants.len()];
    let switched = judge.switch_on(&mut functions)?;
    let all = mutants.len();
    terminal.detail(format!(
        "{} of {all} mutants share one build",
        switched.len()
    ))?;
    if !switched.is_empty() {
        judge.part(
            &switched,
            (&mut functions, &mut verdicts, &mut escapes),
            terminal,
        )?;
        judge.switch_off()?;
    }
    let rest: BTreeSet<usize> = (0..mutants.len())
        .filter(|index| !switched.contains(index))
        .collect();
    if !rest.is_empty() {
        judge.prepare(&mut functions, switched.is_empty())?;
        judge.part(
            &rest,
            (&mut functions, &mut verdicts, &mut escapes),
            terminal,
        )?;
    }
    let packages = judge.all_packages(&functions);
    let judged = mutants.into_iter().zip(verdicts).zip(escapes);
    let judged = judged.map(|((mutant, (verdict, tests)), escapes)| Judged {
        mutant,
        verdict,
        tests,
        escapes,
    });
    Ok((judged.collect(), packages))
}

/// Groups mutants by function, and selects the tests of each.
fn functions(
    (tree, copy): (&Tree, &mut Project),
    mutants: &[Mutant],
    texts: &BTreeMap<Utf8PathBuf, String>,
    tools: &Tools<'_>,
) -> Result<Vec<Function>> {
    let mut grouped: BTreeMap<(&Utf8PathBuf, usize, usize), Vec<usize>> = BTreeMap::new();
    for (index, mutant) in mutants.iter().enumerate() {
        let bytes = &mutant.function_bytes;
        let key = (&mutant.file, bytes.start, bytes.end);
        grouped.entry(key).or_default().push(index);
    }
    let mut functions = Vec::new();
    for ((file, ..), of_function) in grouped {
        let text = &texts[file];
        let mutated = mutants[of_function[0]].apply(text);
        tree.write(file, mutated.as_bytes())?;
        copy.refresh_repository();
        let selection = reach::selection(copy, file, text, tools.narrow);
        tree.write(file, text.as_bytes())?;
        functions.push(Function {
            mutants: of_function,
            selection: selection?,
            selected: Tests::default(),
            tests: Tests::default(),
        });
    }
    copy.refresh_repository();
    Ok(functions)
}

/// The functions, and by mutant its outcome with the number of its tests, and its escapes.
type Outcomes<'o> = (
    &'o mut [Function],
    &'o mut [(Verdict, usize)],
    &'o mut [Vec<Escape>],
);

impl Judge<'_> {
    /// Builds the selected tests of all functions without a mutant. With `checks`, they must pass.
    fn prepare(&mut self, functions: &mut [Function], checks: bool) -> Result<()> {
        self.build(&self.all_packages(functions))?;
        let mut union = Tests::default();
        for function in functions.iter_mut() {
            function.selected = Tests::selected(&function.selection, &self.programs);
            function.tests = function.selected.clone();
            union.extend(&function.selected);
        }
        if !checks {
            return Ok(());
        }
        let failures = self.run_unmutated(&union, |_, _| Ok(()))?;
        match failures.as_slice() {
            [] => Ok(()),
            failures => Err(fails_unmutated(failures)),
        }
    }

    /// Judges some mutants, all of which get into the build in the same way.
    fn part(
        &mut self,
        part: &BTreeSet<usize>,
        (functions, verdicts, escapes): Outcomes<'_>,
        terminal: &mut Terminal,
    ) -> Result<()> {
        let mut kills = Kills::new();
        for function in functions.iter() {
            let packages = self.packages(function);
            for index in function.mutants.iter().filter(|index| part.contains(index)) {
                let (verdict, failure) = self.verdict(*index, &function.tests, &packages)?;
                show(&self.mutants[*index], verdict, terminal)?;
                verdicts[*index] = (verdict, function.tests.count());
                if let Some(failure) = failure {
                    *kills.entry((failure.target, failure.test)).or_default() += 1;
                }
            }
        }
        self.confirm(&kills, functions)?;
        let is_missed = |index: &usize| verdicts[*index].0 == Verdict::Missed;
        let missed: BTreeSet<usize> = part.iter().copied().filter(is_missed).collect();
        if missed.is_empty() {
            return Ok(());
        }
        self.escapes(&missed, functions, escapes, terminal)
    }

    /// The outcome of a mutant with the selected tests, and the test that failed.
    fn verdict(
        &self,
        index: usize,
        tests: &Tests,
        packages: &BTreeSet<PackageId>,
    ) -> Result<(Verdict, Option<Failure>)> {
        let failure = self.with(index, packages, || self.run(tests, true))?;
        Ok(match failure {
            None => (Verdict::Unviable, None),
            Some(None) => (Verdict::Missed, None),
            Some(Some((Ended::TimedOut, _))) => (Verdict::Timeout, None),
            Some(Some((_, failure))) => (Verdict::Caught, Some(failure)),
        })
    }

    /// Does something while the build contains a mutant; `None` if it does not compile.
    fn with<T>(
        &self,
        index: usize,
        packages: &BTreeSet<PackageId>,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<Option<T>> {
        let mutant = &self.mutants[index];
        match &self.way {
            Way::Switch(switch) => {
                switch.set(Some(index))?;
                let done = work();
                switch.set(None)?;
                done.map(Some)
            }
            Way::Build => {
                let text = &self.texts[&mutant.file];
                let mutated = mutant.apply(text);
                self.tree.write(&mutant.file, mutated.as_bytes())?;
                let done = match self.builder().build(packages) {
                    Ok(Built::Done(_)) => work().map(Some),
                    Ok(Built::Failed(failed)) if self.is_unviable(mutant, &failed) => Ok(None),
                    Ok(Built::Failed(failed)) => {
                        let place = mutant.place();
                        Err(failed.error(format!(
                            "the build with the mutant at {place} failed, but not by a compile error, so its outcome is not known"
                        )))
                    }
                    Err(error) => Err(error),
                };
                self.tree.write(&mutant.file, text.as_bytes())?;
                done
            }
        }
    }

    /// Whether a mutant is the reason of a failed build: it does not compile, or a build script that may run it fails.
    fn is_unviable(&self, mutant: &Mutant, failed: &FailedBuild) -> bool {
        let workspace = &self.copy.workspace;
        let runs_at_build = || {
            let owner = workspace.owner(&self.tree.root.join(&mutant.file));
            owner.is_none_or(|owner| at_build(workspace).contains(&owner))
        };
        failed.is_compile_error || failed.is_of_build_script() && runs_at_build()
    }

    /// The packages with a selected test, and that of the function.
    fn packages(&self, function: &Function) -> BTreeSet<PackageId> {
        let workspace = &self.copy.workspace;
        let mut packages = function.selection.packages();
        let file = self.tree.root.join(&self.mutants[function.mutants[0]].file);
        packages.extend(workspace.owner(&file));
        packages
    }

    /// [`Self::packages`] of all functions.
    fn all_packages(&self, functions: &[Function]) -> BTreeSet<PackageId> {
        let packages = functions.iter().map(|function| self.packages(function));
        packages.flatten().collect()
    }

    fn builder(&self) -> Builder<'_> {
        Builder {
            project: self.copy,
            tree: self.tree,
            settings: self.tools.settings,
            toolchain: self.tools.toolchain,
        }
    }

    /// Builds packages without a mutant, and adds their test binaries.
    fn build(&mut self, packages: &BTreeSet<PackageId>) -> Result<()> {
        let mut executables = self.builder().build(packages)?.done()?;
        let is_known = |target: &TestTarget| {
            let mut programs = self.programs.iter();
            programs.any(|program| program.target == *target)
        };
        executables.retain(|(target, _)| !is_known(target));
        if !executables.is_empty() {
            let programs = self.builder().programs(packages, executables)?;
            self.programs.extend(programs);
        }
        Ok(())
    }

    /// Runs tests without a mutant, and returns the first failed test of each target. `ran` gets the tests of each target, and the executed
    /// functions by one of their mutants if they are known.
    fn run_unmutated(
        &mut self,
        tests: &Tests,
        mut ran: impl FnMut(&Tests, Option<&BTreeSet<usize>>) -> Result<()>,
    ) -> Result<Vec<Failure>> {
        let mut failures = Vec::new();
        for part in tests.parts() {
            let begun = Instant::now();
            if let Way::Switch(switch) = &self.way {
                switch.trace()?;
            }
            if let Some((_, failure)) = self.run(&part, false)? {
                failures.push(failure);
            }
            for target in part.targets() {
                let known = self.durations.entry(target).or_default();
                *known = begun.elapsed().max(*known);
            }
            if let Way::Switch(switch) = &self.way {
                ran(&part, Some(&switch.executed()?))?;
                switch.set(None)?;
            } else {
                ran(&part, None)?;
            }
        }
        Ok(failures)
    }

    /// Runs tests until one fails, those of fast binaries first. With `limited`, they have a time limit.
    fn run(&self, tests: &Tests, limited: bool) -> Result<Option<(Ended, Failure)>> {
        let mut parts = tests.parts();
        let duration = |part: &Tests| {
            let known = part
                .targets()
                .filter_map(|target| self.durations.get(&target));
            known.sum::<Duration>()
        };
        parts.sort_by_cached_key(duration);
        let needed: Duration = parts.iter().map(duration).sum();
        let longest = self.tools.settings.timeout.unwrap_or(Duration::MAX);
        let limit = if limited {
            SHORTEST_LIMIT.max(needed * TIMES).min(longest)
        } else {
            longest
        };
        let deadline = Instant::now().checked_add(limit);
        for part in parts {
            for (target, names) in &part.programs {
                let mut programs = self.programs.iter();
                let program = programs.find(|program| program.target == *target);
                let program = program.context("a selected test binary is not built")?;
                let ended = program.run(names, self.tools.apart, deadline, self.tools.settings)?;
                let test = match &ended {
                    Ended::Passed => continue,
                    Ended::Failed(test) => test.clone(),
                    Ended::TimedOut => None,
                };
                let failure = Failure {
                    target: target.clone(),
                    binary: program.id.clone(),
                    test,
                };
                return Ok(Some((ended, failure)));
            }
            for package in &part.docs {
                let left =
                    deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
                let ended = self.builder().doctests(*package, left)?;
                if ended != Ended::Passed {
                    let target = TestTarget {
                        package: *package,
                        kind: TestTargetKind::Doc,
                    };
                    let failure = Failure {
                        binary: target.binary_id(&self.copy.workspace),
                        target,
                        test: None,
                    };
                    return Ok(Some((ended, failure)));
                }
            }
        }
        Ok(None)
    }
}

impl Function {
    /// Whether one of its mutants is among those of executed functions, or these are not known.
    fn is_executed(&self, executed: Option<&BTreeSet<usize>>) -> bool {
        let has = |executed: &BTreeSet<usize>| {
            let mut mutants = self.mutants.iter();
            mutants.any(|index| executed.contains(index))
        };
        executed.is_none_or(has)
    }
}

fn fails_unmutated(failures: &[Failure]) -> anyhow::Error {
    let names: Vec<String> = failures.iter().map(Failure::name).collect();
    let message = format!(
        "without a mutant, a test fails in the copy of the work tree: {}",
        names.join(", ")
    );
    exit::with_exit(Exit::Findings, anyhow!(message))
}

impl Failure {
    fn name(&self) -> String {
        let test = self.test.as_deref().unwrap_or("a test");
        format!("{} {test}", self.binary)
    }
}
