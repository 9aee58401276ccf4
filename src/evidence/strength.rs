//! The strength of a run: what the tests reported about mutants of the changed code.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::compact::is_default;

/// The outcomes of the mutants of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Strength {
    /// Mutants with which a test failed.
    pub caught: u64,
    /// Mutants with which the tests did not end in time.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout: u64,
    /// Mutants with which every test that can reach them passed.
    #[serde(skip_serializing_if = "is_default")]
    pub missed: u64,
    /// Mutants that do not compile, which count for nothing.
    #[serde(skip_serializing_if = "is_default")]
    pub unviable: u64,
    /// The missed mutants.
    #[serde(skip_serializing_if = "is_default")]
    pub survivors: Vec<Survivor>,
    /// Tests that were not selected and failed with a missed mutant.
    #[serde(skip_serializing_if = "is_default")]
    pub escapes: Vec<Escape>,
    /// Mutants of the change that were not judged; they count as not killed.
    #[serde(skip_serializing_if = "is_default")]
    pub excluded: Vec<Excluded>,
    /// Changed files with functions that cargo-mutants does not read, and `file:line` of changed macros, so that nothing is known about their tests.
    #[serde(skip_serializing_if = "is_default")]
    pub unread: Vec<String>,
    /// The packages with the mutants and the tests that can reach them; none if a change of any package counts.
    #[serde(skip_serializing_if = "is_default")]
    pub packages: Vec<String>,
}

/// A mutant that no selected test detected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survivor {
    /// Its file, relative to the workspace root, line and column: `src/lib.rs:3:10`.
    pub place: String,
    /// Its function.
    pub function: String,
    /// The number of selected tests; omitted if no test reaches it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tests: usize,
    /// The removed and added lines.
    pub diff: String,
}

/// Mutants of a function that were not judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    /// The place of the first one.
    pub place: String,
    /// The function.
    pub function: String,
    /// The number of mutants.
    pub mutants: u64,
    /// Why they were not judged.
    pub why: Exclusion,
}

/// Why a mutant is not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exclusion {
    /// By `.cargo/mutants.toml` or `mutants::skip`.
    Settings,
    /// The build configuration does not include its package.
    Configuration,
}

impl fmt::Display for Excluded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if self.mutants == 1 { "" } else { "s" };
        let why = match self.why {
            Exclusion::Settings => "by `.cargo/mutants.toml` or `mutants::skip`",
            Exclusion::Configuration => "since the configuration does not include the package",
        };
        let Self {
            place,
            function,
            mutants,
            ..
        } = self;
        write!(out, "{place} in {function}: {mutants} mutant{s}, {why}")
    }
}

/// A test that the selection lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Escape {
    /// The id of its binary.
    pub binary: String,
    /// Its name; that of the binary if it has a custom harness.
    pub test: String,
    /// The place of the mutant.
    pub place: String,
}

impl Strength {
    /// Mutants that the tests detected: a test failed, or did not end.
    #[must_use]
    pub fn killed(&self) -> u64 {
        self.caught + self.timeout
    }

    /// Mutants that compile.
    #[must_use]
    pub fn viable(&self) -> u64 {
        self.killed() + self.missed
    }

    /// The number of mutants that were not judged.
    #[must_use]
    pub fn excluded(&self) -> u64 {
        self.excluded.iter().map(|excluded| excluded.mutants).sum()
    }

    /// Whether at least this percentage of the mutants is killed, where excluded mutants count as not killed; never without a viable mutant,
    /// or with code without mutants.
    #[must_use]
    pub fn meets(&self, percent: u64) -> bool {
        self.viable() > 0
            && self.unread.is_empty()
            && self.killed() * 100 >= percent * (self.viable() + self.excluded())
    }
}

impl fmt::Display for Strength {
    /// `14 of 15 mutants killed (1 by timeout), 2 unviable, 1 excluded`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if self.viable() == 1 { "" } else { "s" };
        write!(
            out,
            "{} of {} mutant{s} killed",
            self.killed(),
            self.viable()
        )?;
        if self.timeout > 0 {
            write!(out, " ({} by timeout)", self.timeout)?;
        }
        if self.unviable > 0 {
            write!(out, ", {} unviable", self.unviable)?;
        }
        if self.excluded() > 0 {
            write!(out, ", {} excluded", self.excluded())?;
        }
        if !self.unread.is_empty() {
            write!(out, ", no mutants of {}", self.unread.join(", "))?;
        }
        Ok(())
    }
}
