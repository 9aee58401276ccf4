//! `cargo poc`: plans, evidence and affected tests for proof-of-concept work in a Rust workspace.
//!
//! Data flows one way:
//!
//! ```text
//! arguments → facts (`project`: workspace, settings, documents; `change`)
//!           → derived values (`affected`, `status`, `lint`)
//!           → actions (`command`) → reports (`report`)
//! ```
//!
//! Only `sys` starts processes and accesses files.

mod affected;
mod change;
mod cli;
mod command;
mod config;
mod contract;
mod demo;
mod deps;
mod diff;
mod document;
mod document_update;
mod evidence;
mod exit;
mod finding;
mod freshness;
mod init;
#[doc(hidden)]
pub mod internals;
mod lint;
mod next;
mod project;
mod report;
mod script;
mod status;
mod strength;
mod sys;
mod verify;
mod workspace;

use std::ffi::OsString;
use std::io;
use std::mem::ManuallyDrop;

use anyhow::Result;
use clap::{CommandFactory as _, FromArgMatches as _};

use crate::cli::{Cli, Command};
use crate::command::workset;
pub use crate::exit::Exit;
use crate::project::Project;
use crate::sys::terminal::{Terminal, Verbosity};

/// Runs the program with the arguments of a process. Never panics on bad input.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(outcome) = sys::cargo_log::run_as_cargo(&arguments) {
        return end_with_status(outcome);
    }
    #[cfg(target_os = "linux")]
    if let Some(outcome) = sys::exec::run_as_supervisor(&arguments) {
        return end_with_status(outcome);
    }
    if let Some(outcome) = affected::coverage::run::rustc(&arguments) {
        return outcome.unwrap_or_else(|error| could_not_run(&error));
    }
    if let Some(outcome) = strength::programs::record(&arguments) {
        return outcome.unwrap_or_else(|error| could_not_run(&error));
    }
    if command::complete::is_requested() {
        return command::completions::answer(arguments)
            .unwrap_or_else(|error| could_not_run(&error));
    }
    let cli = match parse(arguments.clone()) {
        Ok(mut cli) => {
            cli.global.build = cli.command.build().cloned().unwrap_or_default();
            cli.global.configuration = cli.command.configuration().cloned();
            cli
        }
        Err(error) => return report_usage_error(&error, &arguments),
    };
    let mut terminal = Terminal::new(cli.global.verbosity());
    let json = cli.wants_json().then(|| command_name(&arguments));
    let outcome = dispatch(cli, &mut terminal).and_then(|exit| terminal.flush().map(|()| exit));
    match outcome {
        Ok(exit) => exit,
        Err(error) if is_broken_pipe(&error) => Exit::Success,
        Err(error) => match fail(&mut terminal, &error, json.as_deref()) {
            Ok(()) => exit::code_of(&error),
            // The error may be a failure to write standard output.
            Err(_) => could_not_run(&error),
        },
    }
}

/// Exits with the status of a program that ran instead of this one.
#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "the exit status of another program is not an `Exit`"
)]
fn end_with_status(outcome: Result<i32>) -> Exit {
    match outcome {
        Ok(code) => std::process::exit(code),
        Err(error) => could_not_run(&error),
    }
}

/// Reports an error of a run as rustc wrapper, whose output cargo shows.
fn could_not_run(error: &anyhow::Error) -> Exit {
    // Do not touch standard output: writing to it may be what failed.
    let mut terminal = Terminal::to(Box::new(io::sink()), Box::new(io::stderr()));
    // If stderr cannot be written either, the exit code remains.
    terminal
        .error(error)
        .map_or(Exit::CouldNotRun, |()| Exit::CouldNotRun)
}

/// Reports an error as text, or as JSON for the command `json`.
fn fail(terminal: &mut Terminal, error: &anyhow::Error, json: Option<&str>) -> Result<()> {
    match json {
        None => terminal.error(error),
        Some(command) => {
            report::json::error(terminal, error, command)?;
            terminal.flush()
        }
    }
}

/// The name of the subcommand in the arguments; empty if there is none.
fn command_name(arguments: &[OsString]) -> String {
    let cli = Cli::command();
    let named = arguments.iter().find_map(|argument| {
        let mut names = cli.get_subcommands().map(clap::Command::get_name);
        names.find(|name| argument == name)
    });
    named.unwrap_or_default().to_owned()
}

/// Reports invalid arguments and requests for help, which clap returns as errors.
fn report_usage_error(error: &clap::Error, arguments: &[OsString]) -> Exit {
    let json = arguments.iter().any(|argument| argument == "--format=json")
        || arguments
            .windows(2)
            .any(|pair| pair[0] == "--format" && pair[1] == "json");
    let (written, exit) = match (error.use_stderr(), json) {
        // Ignore a closed pipe while printing help.
        (false, _) => (error.print().map_err(Into::into), Exit::Success),
        (true, false) => (error.print().map_err(Into::into), Exit::Usage),
        (true, true) => {
            let text = error.render().to_string();
            let message = text.trim().trim_start_matches("error: ");
            let mut terminal = Terminal::new(Verbosity::default());
            let error = exit::usage(message);
            let command = command_name(arguments);
            (fail(&mut terminal, &error, Some(&command)), Exit::Usage)
        }
    };
    written.map_or(Exit::CouldNotRun, |()| exit)
}

/// Parses the arguments of `cargo-poc …` and of `cargo-poc poc …`, as cargo calls it. Help shows the form in use.
fn parse(mut arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    let through_cargo = arguments.get(1).is_some_and(|first| first == "poc");
    if through_cargo {
        arguments.remove(1);
    }
    let name = if through_cargo {
        "cargo poc"
    } else {
        "cargo-poc"
    };
    let mut matches = Cli::command()
        .bin_name(name)
        .color(coloured(&arguments))
        .try_get_matches_from(arguments)?;
    Cli::from_arg_matches_mut(&mut matches)
}

/// The color setting for help and for errors of clap, before the arguments are parsed.
fn coloured(arguments: &[OsString]) -> clap::ColorChoice {
    let words = || arguments.iter().filter_map(|word| word.to_str());
    let given = words()
        .zip(words().skip(1))
        .find(|(word, _)| *word == "--color")
        .map(|(_, when)| when.to_owned());
    let joined = || words().find_map(|word| Some(word.strip_prefix("--color=")?.to_owned()));
    let said = given
        .or_else(joined)
        .or_else(|| std::env::var("CARGO_TERM_COLOR").ok());
    match said.as_deref() {
        Some("always") => clap::ColorChoice::Always,
        Some("never") => clap::ColorChoice::Never,
        _ => clap::ColorChoice::Auto,
    }
}

fn dispatch(cli: Cli, terminal: &mut Terminal) -> Result<Exit> {
    match cli.command {
        Command::Step(arguments) => command::step::run(&cli.global, &arguments, terminal),
        Command::Update(arguments) => command::update::run(&cli.global, &arguments, terminal),
        Command::Amend(arguments) => {
            command::amend::run(&Project::load(&cli.global)?, &arguments, terminal)
        }
        Command::Affected(arguments) => command::affected::run(&cli.global, &arguments, terminal),
        Command::Check(arguments) => command::check::run(&cli.global, &arguments, terminal),
        Command::Completions(arguments) => command::completions::run(&arguments, terminal),
        Command::Man(arguments) => command::completions::man(&arguments, terminal),
        Command::Demo(arguments) => command::demo::run(&arguments, terminal),
        Command::Deps(arguments) => {
            let project = Project::load_without_git(&cli.global)?;
            command::deps::run(&project, &arguments, terminal)
        }
        Command::Init(arguments) if arguments.agents => command::init::agents(terminal),
        Command::Init(arguments) => command::init::run(&cli.global, &arguments, terminal),
        Command::RunCoveredTest(arguments) => command::coverage::run_test(&arguments),
        Command::Report(arguments) => command::report::run(&cli.global, &arguments, terminal),
        Command::Status(arguments) => {
            // The process ends here, and freeing many documents takes longer than writing the list.
            let workset = workset::load_for_report(&cli.global, &arguments.which)?;
            let workset = ManuallyDrop::new(workset);
            command::status::run(&workset, &arguments, terminal)
        }
        Command::Verify(arguments) if arguments.watch => {
            command::verify::watch::run(&cli.global, &arguments, terminal)
        }
        Command::Verify(arguments) => command::verify::run(&cli.global, &arguments, terminal),
    }
}

/// Whether the output was a pipe that the reader closed, as in `cargo poc status | head`.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    error.chain().any(broken)
}
