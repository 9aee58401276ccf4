//! The build with mutants that are switched at run time.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use camino::Utf8PathBuf;
use cargo_metadata::diagnostic::DiagnosticSpan;

use super::{Function, Judge, Way};
use crate::affected::at_build;
use crate::strength::build::Built;
use crate::strength::list::Mutant;
use crate::strength::reach::Tests;
use crate::strength::switch::{Switch, SwitchedFile};

/// The maximum number of builds in which mutants that do not compile are found.
const ROUNDS: usize = 10;

impl Judge<'_> {
    /// Builds as many mutants as possible to be switched at run time, and runs the selected tests without one. Returns the indexes of
    /// these mutants; none if the tests do not pass in this build, because they may depend on the text of the sources.
    ///
    /// # Errors
    /// When a file cannot be written, cargo cannot be started, or it was interrupted.
    pub(super) fn switch_on(&mut self, functions: &mut [Function]) -> Result<BTreeSet<usize>> {
        let workspace = &self.copy.workspace;
        if self.tools.separate_builds || workspace.target_triple().is_some() {
            // With another target, tests may run where they cannot read files of this machine.
            return Ok(BTreeSet::new());
        }
        let at_build = at_build(workspace);
        let runs_later = |mutant: &Mutant| {
            let owner = workspace.owner(&self.tree.root.join(&mutant.file));
            owner.is_some_and(|owner| !at_build.contains(&owner))
        };
        let mutants = self.mutants.iter().enumerate();
        let mutants = mutants.filter(|(_, mutant)| runs_later(mutant));
        let mut left: BTreeSet<usize> = mutants.map(|(index, _)| index).collect();
        let switch = Switch::new(&self.tree.folder);
        switch.set(None)?;
        let packages = self.all_packages(functions);
        for _ in 0..ROUNDS {
            let files = self.write_switched(&switch, &left)?;
            left = files.values().flat_map(SwitchedFile::mutants).collect();
            if left.is_empty() {
                break;
            }
            match self.builder().build_despite_errors(&packages)? {
                Built::Done(_) => {
                    self.way = Way::Switch(switch);
                    if self.passes_unmutated(functions)? {
                        return Ok(left);
                    }
                    break;
                }
                Built::Failed(failed) => {
                    let faulty = self.at_fault(&files, &failed.errors);
                    if faulty.is_empty() {
                        break;
                    }
                    left.retain(|index| !faulty.contains(index));
                }
            }
        }
        self.switch_off()?;
        Ok(BTreeSet::new())
    }

    /// Restores the sources without switches. They are not built.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn switch_off(&mut self) -> Result<()> {
        self.way = Way::Build;
        for (file, text) in &self.texts {
            self.tree.write(file, text.as_bytes())?;
        }
        Ok(())
    }

    fn write_switched(
        &self,
        switch: &Switch,
        left: &BTreeSet<usize>,
    ) -> Result<BTreeMap<Utf8PathBuf, SwitchedFile>> {
        let mut files = BTreeMap::new();
        for (file, text) in &self.texts {
            let mutants = left.iter().map(|index| (*index, &self.mutants[*index]));
            let mutants: Vec<(usize, &Mutant)> =
                mutants.filter(|(_, mutant)| mutant.file == *file).collect();
            let switched = switch.file(text, &mutants);
            self.tree.write(file, switched.text.as_bytes())?;
            files.insert(file.clone(), switched);
        }
        Ok(files)
    }

    /// The mutants that caused compile errors.
    fn at_fault(
        &self,
        files: &BTreeMap<Utf8PathBuf, SwitchedFile>,
        errors: &[Vec<DiagnosticSpan>],
    ) -> BTreeSet<usize> {
        let mut faulty = BTreeSet::new();
        for spans in errors {
            for (file, switched) in files {
                let path = self.tree.root.join(file);
                let is_here = |span: &&DiagnosticSpan| self.tree.root.join(&span.file_name) == path;
                let here: Vec<&DiagnosticSpan> = spans.iter().filter(is_here).collect();
                faulty.extend(switched.at_fault(&here));
            }
        }
        faulty
    }

    /// Runs the selected tests without a mutant. Then only those of binaries that execute a function are left for its mutants.
    fn passes_unmutated(&mut self, functions: &mut [Function]) -> Result<bool> {
        self.prepare(functions, false)?;
        let mut union = Tests::default();
        for function in functions.iter_mut() {
            union.extend(&function.selected);
            function.tests = Tests::default();
        }
        let failures = self.run_unmutated(&union, |part, executed| {
            for function in functions.iter_mut() {
                if function.is_executed(executed) {
                    let own = function.selected.intersection(part);
                    function.tests.extend(&own);
                }
            }
            Ok(())
        })?;
        Ok(failures.is_empty())
    }
}
