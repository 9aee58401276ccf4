//! What a run of `verify` came to, after its output.

use std::collections::BTreeMap;

use anyhow::Result;

use super::harmless;
use crate::evidence::{Outcome, Record};
use crate::terminal::{BAD, BOLD, GOOD, Terminal, WARN};

/// Names of one kind that are shown; the evidence holds them all.
const SHOWN: usize = 12;

/// One line for the outcome and its counts, then what became worse, by name.
///
/// # Errors
/// When the output cannot be written.
pub fn outcome(terminal: &mut Terminal, record: &Record) -> Result<()> {
    let style = match record.outcome {
        Outcome::Passed if record.proves() => GOOD.bold(),
        Outcome::Passed | Outcome::Failed => BAD,
        _ => WARN.bold(),
    };
    let out = terminal.out();
    let tests = record
        .tests
        .map_or(String::new(), |tests| format!(", {tests}"));
    let poc = if record.poc.is_empty() {
        String::new()
    } else {
        format!("{} ", record.poc)
    };
    writeln!(
        out,
        "\n{BOLD}{poc}{}{BOLD:#}: {style}{}{style:#}{tests}",
        record.scope, record.outcome
    )?;
    for (names, what) in [
        (&record.regressions, "regression: the baseline passed"),
        (&record.vanished, "vanished: the baseline passed"),
    ] {
        list(terminal, names, what)?;
    }
    if record.outcome == Outcome::NoTests {
        terminal.warn("no test matched; zero tests prove nothing. Is the test written, and its name spelled as in the command?")?;
    }
    for note in &record.notes {
        terminal.warn(harmless(note))?;
    }
    Ok(())
}

fn list(terminal: &mut Terminal, names: &BTreeMap<String, Vec<String>>, what: &str) -> Result<()> {
    let all = names
        .iter()
        .flat_map(|(binary, tests)| tests.iter().map(move |test| (binary, test)));
    let count = all.clone().count();
    for (binary, test) in all.take(SHOWN) {
        writeln!(
            terminal.out(),
            "  {BAD}{what}{BAD:#} {} {}",
            harmless(binary),
            harmless(test)
        )?;
    }
    if count > SHOWN {
        writeln!(terminal.out(), "  and {} more", count - SHOWN)?;
    }
    Ok(())
}
