//! Judges mutants: which of them make a test fail.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use camino::Utf8PathBuf;

use super::build::{Builder, Built};
use super::list::Mutant;
use super::programs::{Ended, TestProgram};
use super::reach::{self, Narrow, Tests};
use crate::affected::{Selection, TestTarget, TestTargetKind, all_targets};
use crate::evidence::{Escape, Strength, Survivor};
use crate::exit::{Exit, OrExit as _};
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
    /// Whether each test runs in its own process, as with nextest.
    pub apart: bool,
}

/// The outcome of a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A test failed.
    Caught,
    /// The tests did not end in time.
    Timeout,
    /// Every test that can reach it passed.
    Missed,
    /// It does not compile.
    Unviable,
}

/// A mutant and its outcome.
#[derive(Debug)]
pub struct Judged {
    /// The mutant.
    pub mutant: Mutant,
    /// Its outcome.
    pub verdict: Verdict,
    /// The number of tests that can reach it.
    pub tests: usize,
    /// Other tests that failed with it, although the selected ones passed.
    pub escapes: Vec<Escape>,
}

/// The mutants of one function, which the same tests reach.
struct Function {
    /// Their indexes.
    mutants: Vec<usize>,
    selection: Selection,
    /// The selected tests; empty before the build.
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
    };
    let verdicts = judge.verdicts(&mut functions, terminal)?;
    let escapes = judge.escapes(&functions, &verdicts, terminal)?;
    let mut counts = vec![0; mutants.len()];
    for function in &functions {
        for mutant in &function.mutants {
            counts[*mutant] = function.tests.count();
        }
    }
    let judged = mutants.into_iter().zip(verdicts).zip(counts).zip(escapes);
    Ok(judged
        .map(|(((mutant, verdict), tests), escapes)| Judged {
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
            tests: Tests::default(),
        });
    }
    copy.refresh_repository();
    Ok(functions)
}

impl Judge<'_> {
    /// The outcome of each mutant with the selected tests.
    fn verdicts(
        &mut self,
        functions: &mut [Function],
        terminal: &mut Terminal,
    ) -> Result<Vec<Verdict>> {
        let packages = functions.iter().map(|function| self.packages(function));
        let packages = packages
            .reduce(|all, more| &all | &more)
            .unwrap_or_default();
        self.build(&packages)?;
        let mut union = Tests::default();
        for function in functions.iter_mut() {
            function.tests = Tests::selected(&function.selection, &self.programs);
            union.extend(&function.tests);
        }
        let failures = self.run_unmutated(&union)?;
        if !failures.is_empty() {
            let names = failures.iter().map(Failure::name);
            let names: Vec<String> = names.collect();
            return Err(anyhow!(
                "without a mutant, {} in the copy of the work tree: {}",
                "a test fails",
                names.join(", ")
            ))
            .or_exit(Exit::Findings);
        }
        let mut verdicts = vec![Verdict::Missed; self.mutants.len()];
        for function in functions.iter() {
            let packages = self.packages(function);
            for index in &function.mutants {
                let verdict = self.ordinary(*index, function, &packages)?;
                show(&self.mutants[*index], verdict, terminal)?;
                verdicts[*index] = verdict;
            }
        }
        Ok(verdicts)
    }

    /// Builds a mutant, and runs the tests.
    fn ordinary(
        &self,
        index: usize,
        function: &Function,
        packages: &BTreeSet<PackageId>,
    ) -> Result<Verdict> {
        let mutant = &self.mutants[index];
        self.applied(mutant, || {
            if let Built::Failed(..) = self.builder().build(packages)? {
                return Ok(Verdict::Unviable);
            }
            Ok(match self.run(&function.tests, true)? {
                None => Verdict::Missed,
                Some((Ended::TimedOut, _)) => Verdict::Timeout,
                Some(_) => Verdict::Caught,
            })
        })
    }

    /// Does something while the copy contains a mutant.
    fn applied<T>(&self, mutant: &Mutant, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let text = &self.texts[&mutant.file];
        let mutated = mutant.apply(text);
        self.tree.write(&mutant.file, mutated.as_bytes())?;
        let done = work();
        self.tree.write(&mutant.file, text.as_bytes())?;
        done
    }

    /// Other tests that fail with a mutant that the selected tests missed.
    fn escapes(
        &mut self,
        functions: &[Function],
        verdicts: &[Verdict],
        terminal: &mut Terminal,
    ) -> Result<Vec<Vec<Escape>>> {
        let mut escapes = vec![Vec::new(); verdicts.len()];
        let is_missed = |index: &&usize| verdicts[**index] == Verdict::Missed;
        if !verdicts.contains(&Verdict::Missed) {
            return Ok(escapes);
        }
        let workspace = &self.copy.workspace;
        let all = workspace.configured_packages();
        let docs = all_targets(workspace).into_iter();
        let docs = docs.filter(|target| target.kind == TestTargetKind::Doc);
        let docs: BTreeSet<PackageId> = docs.map(|target| target.package).collect();
        self.build(&all)?;
        for function in functions {
            let missed: Vec<usize> = function.mutants.iter().filter(is_missed).copied().collect();
            if missed.is_empty() {
                continue;
            }
            let mut others = Tests::others(&function.tests, &self.programs, &docs);
            // Tests may leave files that others read.
            self.run_unmutated(&function.tests)?;
            for failure in self.run_unmutated(&others)? {
                let name = failure.name();
                let so = "so it is not known whether the selection lacks tests of its binary";
                terminal.warn(format!("{name} fails without a mutant, {so}"))?;
                others.remove(&failure.target);
            }
            for index in missed {
                let mutant = &self.mutants[index];
                escapes[index] = self.applied(mutant, || {
                    if let Built::Failed(..) = self.builder().build(&all)? {
                        return Ok(Vec::new());
                    }
                    self.run(&function.tests, true)?;
                    self.failing(&others, mutant)
                })?;
            }
        }
        Ok(escapes)
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

    /// Runs tests without a mutant, and returns the first failed test of each target.
    fn run_unmutated(&mut self, tests: &Tests) -> Result<Vec<Failure>> {
        let mut failures = Vec::new();
        for part in tests.parts() {
            let begun = Instant::now();
            if let Some((_, failure)) = self.run(&part, false)? {
                failures.push(failure);
            }
            for target in part.targets() {
                let known = self.durations.entry(target).or_default();
                *known = begun.elapsed().max(*known);
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

impl Failure {
    fn name(&self) -> String {
        let test = self.test.as_deref().unwrap_or("a test");
        format!("{} {test}", self.binary)
    }
}

fn show(mutant: &Mutant, verdict: Verdict, terminal: &mut Terminal) -> Result<()> {
    let (place, name) = (mutant.place(), &mutant.name);
    match verdict {
        Verdict::Missed => terminal.status("Missed", format!("{place}: {name}")),
        Verdict::Timeout => terminal.status("Timeout", format!("{place}: {name}")),
        Verdict::Caught => terminal.detail(format!("caught {place}: {name}")),
        Verdict::Unviable => terminal.detail(format!("unviable {place}: {name}")),
    }
}

/// The evidence of judged mutants.
#[must_use]
pub fn summary(judged: &[Judged]) -> Strength {
    let mut strength = Strength::default();
    for one in judged {
        match one.verdict {
            Verdict::Caught => strength.caught += 1,
            Verdict::Timeout => strength.timeout += 1,
            Verdict::Unviable => strength.unviable += 1,
            Verdict::Missed => {
                strength.missed += 1;
                strength.survivors.push(Survivor {
                    place: one.mutant.place(),
                    function: one.mutant.function.clone(),
                    tests: one.tests,
                    diff: one.mutant.diff.clone(),
                });
            }
        }
        strength.escapes.extend(one.escapes.iter().cloned());
    }
    strength.escapes.sort();
    strength
}
