//! The outcomes of mutants.

use anyhow::Result;

use super::list::Mutant;
use crate::evidence::{Escape, Strength, Survivor};
use crate::sys::terminal::Terminal;

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

/// Prints the outcome of a mutant; one that a test detects only under `--verbose`.
///
/// # Errors
/// When standard error cannot be written.
pub(super) fn show(mutant: &Mutant, verdict: Verdict, terminal: &mut Terminal) -> Result<()> {
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
