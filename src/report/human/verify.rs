//! The outcome of `verify`, printed after its output.

use std::collections::BTreeMap;

use anyhow::Result;

use super::sanitize;
use crate::diff;
use crate::evidence::{Outcome, Record, Scope, Strength};
use crate::script::expectation::Expectation;
use crate::sys::terminal::{BAD, BOLD, DIM, GOOD, LITERAL, Terminal, WARN};
use crate::sys::text::counted;
use crate::verify::{Invocation, confirmation_id};

/// The maximum number of names of one kind; the evidence contains all.
const SHOWN: usize = 12;

/// Prints one line with the outcome and its counts, then the names of regressions.
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
        (&record.missing, "vanished: the baseline passed"),
    ] {
        self::names(terminal, names, what)?;
    }
    if let Some(strength) = &record.strength {
        self::strength(terminal, strength)?;
    }
    to_confirm(terminal, record)?;
    if record.outcome == Outcome::NoTests {
        terminal.warn("no test matched; a run without tests proves nothing. Check that the test exists and has the name in the command")?;
    }
    for note in &record.notes {
        terminal.warn(sanitize(note))?;
    }
    Ok(())
}

/// Prints the outcomes of mutants, with the place and the lines of each that survived.
///
/// # Errors
/// When the output cannot be written.
pub fn strength(terminal: &mut Terminal, strength: &Strength) -> Result<()> {
    writeln!(terminal.out(), "{strength}")?;
    for survivor in &strength.survivors {
        let tests = match survivor.tests {
            0 => "no test reaches it".to_owned(),
            tests => format!("{} passed", counted(tests, "test")),
        };
        writeln!(
            terminal.out(),
            "  {BAD}missed{BAD:#} {} in {}: {tests}",
            sanitize(&survivor.place),
            sanitize(&survivor.function),
        )?;
        for line in survivor.diff.lines() {
            diff::print(&format!("{}\n", sanitize(line)), terminal)?;
        }
    }
    for excluded in &strength.excluded {
        let excluded = excluded.to_string();
        writeln!(
            terminal.out(),
            "  {WARN}excluded{WARN:#} {}",
            sanitize(&excluded)
        )?;
    }
    for escape in &strength.escapes {
        writeln!(
            terminal.out(),
            "  {BAD}escaped{BAD:#} {} {}: it fails with the mutant at {}, and is not selected",
            sanitize(&escape.binary),
            sanitize(&escape.test),
            sanitize(&escape.place),
        )?;
    }
    Ok(())
}

/// Prints the pending confirmations with their commands.
fn to_confirm(terminal: &mut Terminal, record: &Record) -> Result<()> {
    if record.outcome != Outcome::Unconfirmed {
        return Ok(());
    }
    for (index, check) in record.checks.iter().enumerate() {
        if !check.manual || check.confirmed.is_some() {
            continue;
        }
        let command = check.command.lines().next().unwrap_or_default();
        let expected = check.expected.join("; ").replace('\n', " ");
        let id = confirmation_id(&record.scope, index);
        writeln!(
            terminal.out(),
            "  {WARN}check{WARN:#}    {}\n  {WARN}expected{WARN:#} {}\n  {WARN}then{WARN:#}     {LITERAL}cargo poc verify {} --confirm {id}{LITERAL:#}",
            sanitize(command),
            sanitize(&expected),
            record.poc,
        )?;
    }
    Ok(())
}

/// Prints the commands of a scope, each with its parsed expectations.
///
/// # Errors
/// When the output cannot be written.
pub fn list(terminal: &mut Terminal, scope: &Scope, commands: &[Invocation]) -> Result<()> {
    for (index, check) in commands.iter().enumerate() {
        let out = terminal.out();
        writeln!(out, "{}", check.command())?;
        for expected in check.expected() {
            let written = sanitize(&expected.text.replace('\n', " "));
            match &expected.meaning {
                Expectation::Understood(_) => {
                    writeln!(
                        out,
                        "{DIM}  # expected: {}{DIM:#}",
                        sanitize(&expected.meaning.to_string())
                    )?;
                }
                _ => writeln!(
                    out,
                    "{WARN}  # expected, to be confirmed by a person as {}: {written}{WARN:#}",
                    confirmation_id(scope, index)
                )?,
            }
        }
    }
    Ok(())
}

fn names(terminal: &mut Terminal, names: &BTreeMap<String, Vec<String>>, what: &str) -> Result<()> {
    let all = names
        .iter()
        .flat_map(|(binary, tests)| tests.iter().map(move |test| (binary, test)));
    let count = all.clone().count();
    for (binary, test) in all.take(SHOWN) {
        writeln!(
            terminal.out(),
            "  {BAD}{what}{BAD:#} {} {}",
            sanitize(binary),
            sanitize(test)
        )?;
    }
    if count > SHOWN {
        writeln!(terminal.out(), "  and {} more", count - SHOWN)?;
    }
    Ok(())
}
