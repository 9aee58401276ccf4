//! Judges mutants: which of them make a test fail.

mod switched;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use camino::Utf8PathBuf;

use super::build::{Builder, Built};
use super::list::Mutant;
use super::programs::{Ended, TestProgram};
use super::reach::{self, Narrow, Tests};
use super::report::{Judged, Verdict, show};
use super::switch::Switch;
use crate::affected::{Selection, TestTarget, TestTargetKind, all_targets};
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
/// all other tests follow.
///
/// # Errors
/// When the copy cannot be made or built, a test fails without a mutant, or the run was interrupted.
pub(super) fn judge(
    (tree, copy): (&Tree, &mut Project),
    mutants: Vec<Mutant>,
    tools: &Tools<'_>,
    terminal: &mut Terminal,
) -> Result<Vec<Judged>> {
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
    let judged = mutants.into_iter().zip(verdicts).zip(escapes);
    Ok(judged
        .map(|((mutant, (verdict, tests)), escapes)| Judged {
            mutant,
            verdict,
            tests,
            escapes,
        })
        .collect())
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
        let packages = functions.iter().map(|function| self.packages(function));
        let packages = packages
            .reduce(|all, more| &all | &more)
            .unwrap_or_default();
        self.build(&packages)?;
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
        for function in functions.iter() {
            let packages = self.packages(function);
            for index in function.mutants.iter().filter(|index| part.contains(index)) {
                let verdict = self.verdict(*index, &function.tests, &packages)?;
                show(&self.mutants[*index], verdict, terminal)?;
                verdicts[*index] = (verdict, function.tests.count());
            }
        }
        let is_missed = |index: &usize| verdicts[*index].0 == Verdict::Missed;
        let missed: BTreeSet<usize> = part.iter().copied().filter(is_missed).collect();
        if missed.is_empty() {
            return Ok(());
        }
        self.escapes(&missed, functions, escapes, terminal)
    }

    /// The outcome of a mutant with the selected tests.
    fn verdict(
        &self,
        index: usize,
        tests: &Tests,
        packages: &BTreeSet<PackageId>,
    ) -> Result<Verdict> {
        let failure = self.with(index, packages, || self.run(tests, true))?;
        Ok(match failure {
            None => Verdict::Unviable,
            Some(None) => Verdict::Missed,
            Some(Some((Ended::TimedOut, _))) => Verdict::Timeout,
            Some(Some(_)) => Verdict::Caught,
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
                    Ok(Built::Failed(..)) => Ok(None),
                    Err(error) => Err(error),
                };
                self.tree.write(&mutant.file, text.as_bytes())?;
                done
            }
        }
    }

    /// Runs other tests with the mutants that the selected tests missed.
    fn escapes(
        &mut self,
        missed: &BTreeSet<usize>,
        functions: &[Function],
        escapes: &mut [Vec<Escape>],
        terminal: &mut Terminal,
    ) -> Result<()> {
        let workspace = &self.copy.workspace;
        let all = workspace.configured_packages();
        let docs = all_targets(workspace).into_iter();
        let docs = docs.filter(|target| target.kind == TestTargetKind::Doc);
        let docs: BTreeSet<PackageId> = docs.map(|target| target.package).collect();
        self.build(&all)?;
        for function in functions {
            let own = function.mutants.iter().copied();
            let own: Vec<usize> = own.filter(|index| missed.contains(index)).collect();
            if own.is_empty() {
                continue;
            }
            let mut others = Tests::others(&function.selected, &self.programs, &docs);
            // Tests may leave files that others read. Documentation tests rarely do, and are slow.
            let before = Tests {
                docs: BTreeSet::new(),
                ..function.selected.clone()
            };
            self.run_unmutated(&before, |_, _| Ok(()))?;
            let mut executing = Tests::default();
            let failures = self.run_unmutated(&others, |part, executed| {
                if function.is_executed(executed) {
                    executing.extend(part);
                }
                Ok(())
            })?;
            others = executing;
            for failure in failures {
                let name = failure.name();
                let so = "so it is not known whether the selection lacks tests of its binary";
                terminal.warn(format!("{name} fails without a mutant, {so}"))?;
                others.remove(&failure.target);
            }
            if others.is_empty() {
                continue;
            }
            for index in own {
                let found = self.with(index, &all, || {
                    self.run(&before, true)?;
                    self.failing(&others, &self.mutants[index])
                })?;
                escapes[index] = found.unwrap_or_default();
            }
        }
        Ok(())
    }

    /// The first failed test of each target.
    fn failing(&self, tests: &Tests, mutant: &Mutant) -> Result<Vec<Escape>> {
        let mut escapes = Vec::new();
        for part in tests.parts() {
            if let Some((_, failure)) = self.run(&part, true)? {
                escapes.push(Escape {
                    test: failure
                        .test
                        .clone()
                        .unwrap_or_else(|| failure.binary.clone()),
                    binary: failure.binary,
                    place: mutant.place(),
                });
            }
        }
        Ok(escapes)
    }

    /// The packages with a selected test, and that of the function.
    fn packages(&self, function: &Function) -> BTreeSet<PackageId> {
        let workspace = &self.copy.workspace;
        let mut packages = function.selection.packages();
        let file = self.tree.root.join(&self.mutants[function.mutants[0]].file);
        packages.extend(workspace.owner(&file));
        packages
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
