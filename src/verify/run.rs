//! Runs invocations one after the other.

use anyhow::Result;

use super::invocation::{Invocation, InvocationResult, Program};
use super::listing::Listing;
use super::options::{Options, stops};
use super::progress::Progress;
use super::report::Report;
use super::test_output::Observer;
use super::{harness, quarantine, runner, session, test_filter};
use crate::exit;
use crate::script::commands::Script;
use crate::script::{commands, expectation};
use crate::sys::cargo::Cargo;
use crate::sys::exec::{self, OutputChunk, ProcessCommand};
use crate::sys::terminal::Terminal;

/// Runs invocations one after the other. After one that did not pass, the others are skipped unless `keep_going`.
///
/// # Errors
/// When a program cannot be started (with its name and a remedy), or the output cannot be written.
pub fn run(
    checks: &[Invocation],
    options: &Options<'_>,
    terminal: &mut Terminal,
) -> Result<Report> {
    let started = std::time::Instant::now();
    let parts = checks.iter().enumerate();
    let parts: Vec<Part> = parts
        .map(|(index, check)| Part::of(index, check))
        .collect::<Result<_>>()?;
    let total: usize = parts.iter().map(Part::len).sum();
    let mut report = Report {
        planned: checks.to_vec(),
        ..Report::default()
    };
    let mut watch = Progress::new(terminal, &options.title, options.expected, options.usual);
    let mut parts = parts.into_iter();
    for part in parts.by_ref() {
        let place = (report.checked.len() + 1, total);
        let stop = match part {
            Part::Whole(check) => {
                let before = report.counts().ran();
                watch.begin(&check.command(), (total > 1).then_some(place), before)?;
                let checked = run_one(&check, options, &mut watch)?;
                watch.end(&checked)?;
                let outcome = checked.outcome();
                report.checked.push(checked);
                stops(outcome, options)
            }
            Part::Commands(commands) => {
                let ran = session::run(&commands.list, options, &mut watch, place)?;
                let outcome = ran.checked.iter().map(InvocationResult::outcome).max();
                report.checked.extend(ran.checked);
                report.left.extend(ran.left);
                report.times.extend(ran.times);
                outcome.is_some_and(|outcome| stops(outcome, options))
            }
        };
        if stop {
            break;
        }
    }
    report.left.extend(parts.flat_map(Part::into_checks));
    report.duration = started.elapsed();
    Ok(report)
}

/// A prepared invocation; a block is split into commands.
enum Part {
    Whole(Invocation),
    Commands(Script),
}

impl Part {
    fn of(index: usize, check: &Invocation) -> Result<Self> {
        Ok(match &check.program {
            Program::Block(script) => Self::Commands(Script::of(index, script)?),
            Program::Cargo { .. } | Program::Command(_) => Self::Whole(check.clone()),
        })
    }

    fn len(&self) -> usize {
        match self {
            Self::Whole(_) => 1,
            Self::Commands(commands) => commands.list.len(),
        }
    }

    fn into_checks(self) -> Vec<Invocation> {
        match self {
            Self::Whole(check) => vec![check],
            Self::Commands(commands) => commands
                .list
                .into_iter()
                .map(Invocation::of_block)
                .collect(),
        }
    }
}

/// Invocations with blocks split into commands, and expectations without a command, for listing.
///
/// # Errors
/// When bash cannot be started.
pub fn commands_of(checks: &[Invocation]) -> Result<(Vec<Invocation>, Vec<expectation::Expected>)> {
    let (mut all, mut optional) = (Vec::new(), Vec::new());
    for (index, check) in checks.iter().enumerate() {
        let mut part = Part::of(index, check)?;
        if let Part::Commands(commands) = &mut part {
            optional.append(&mut commands.optional);
        }
        all.extend(part.into_checks());
    }
    Ok((all, optional))
}

fn run_one(
    check: &Invocation,
    options: &Options<'_>,
    watch: &mut Progress<'_>,
) -> Result<InvocationResult> {
    let mut listed = None;
    let mut notes = Vec::new();
    let command = match &check.program {
        Program::Block(script) | Program::Command(commands::ScriptCommand { script, .. }) => {
            options.settings.block(script, &options.root)?
        }
        Program::Cargo {
            argv,
            listing: None,
            ..
        } => options.cargo(argv),
        Program::Cargo {
            argv,
            listing: Some(listing),
            picks,
            flags,
        } => {
            let captured = exec::capture_output(&options.cargo(listing), &mut |part| {
                if repeats(part) {
                    Ok(())
                } else {
                    watch.show(part)
                }
            })?;
            if !captured.ended.success() {
                return Ok(InvocationResult::unlisted(check, &captured));
            }
            let argv = if listing.first().is_some_and(|word| word == "nextest") {
                let (list, more) = options.listed(check, listing, &captured, &mut notes)?;
                watch.expect(list.expected());
                if list.expected() == 0 && !list.elsewhere.is_empty() {
                    return Ok(InvocationResult::left_to_others(check, &captured, list));
                }
                listed = Some(list);
                argv.iter().cloned().chain(more).collect()
            } else {
                let (argv, unknown) =
                    test_filter::resolve(argv, picks, flags, &captured, options.binaries);
                notes.extend(unknown);
                argv
            };
            options.cargo(&argv)
        }
    };
    let mut observer = Observer::default();
    let outcome = exec::stream(&command, &mut |part| {
        observer.push(part);
        watch.show(part)?;
        watch.see(&observer);
        Ok(())
    })?;
    let mut seen = observer.finish();
    if let Some(listing) = &listed {
        listing.complete(&mut seen);
    }
    seen.settle_silent(options.binaries);
    seen.reconcile(true, &mut |header| {
        harness::list(header, options.root.as_std_path())
    });
    seen.notes.extend(notes);
    let disagreements = seen.disagreements();
    let excused = quarantine::excused(&options.quarantine, &seen, check, options.binaries);
    Ok(InvocationResult {
        check: check.clone(),
        excused,
        ended: outcome.ended,
        duration: outcome.duration,
        observed: seen,
        tail: outcome.tail,
        unmet: disagreements,
        undecided: false,
        empty: Vec::new(),
        runs: None,
        samples: Vec::new(),
        confirmed: None,
        listing: listed,
    })
}

/// Whether the run after a listing prints this line too.
fn repeats(part: OutputChunk<'_>) -> bool {
    let line = anstream::adapter::strip_bytes(part.bytes).into_vec();
    let line = line.trim_ascii_start();
    ["Finished", "Running", "Executable"]
        .iter()
        .any(|word| line.starts_with(word.as_bytes()))
}

impl Options<'_> {
    /// The tests that nextest lists, including tests that only `picks` selects, and the arguments that run them.
    fn listed(
        &self,
        check: &Invocation,
        listing: &[String],
        captured: &exec::Captured,
        notes: &mut Vec<String>,
    ) -> Result<(Listing, Vec<String>)> {
        let Program::Cargo { picks, .. } = &check.program else {
            return Ok((Listing::default(), Vec::new()));
        };
        let mut list = Listing::parse(&captured.stdout)?;
        let lacks = list.lacks(picks);
        if let (Some(archive), [_, ..]) = (runner::archive(listing), &lacks[..]) {
            return Err(exit::usage(format!(
                "{archive} lacks {}, whose tests are selected; create it with `cargo nextest archive --workspace --archive-file {archive}`; packages whose features exclude each other need an archive and a `--config` with `packages` for each",
                lacks.join(", ")
            )));
        }
        let more = list.pick(picks);
        notes.extend(test_filter::note(more.len()));
        let more: Vec<String> = more
            .into_iter()
            .flat_map(|filter| ["-E".to_owned(), filter])
            .collect();
        let parted = listing.iter().any(|word| word.starts_with("--partition"));
        if parted && !more.is_empty() {
            // The partition of each test depends on all tests that run.
            let again = listing.iter().chain(&more).cloned().collect::<Vec<_>>();
            let captured = exec::capture(&self.cargo(&again))?;
            list = Listing::parse(&captured.stdout)?;
        }
        Ok((list, more))
    }

    fn cargo(&self, argv: &[String]) -> ProcessCommand {
        let command = ProcessCommand::new(Cargo::program())
            .args(if self.progress {
                runner::telling(argv)
            } else {
                argv.to_vec()
            })
            .remedy("install Rust from https://rustup.rs, or set CARGO to the cargo to use");
        self.settings.prepare(command, &self.root)
    }
}
