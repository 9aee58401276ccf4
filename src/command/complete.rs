//! Shell completion with values from the workspace.
//!
//! The completion scripts call this program with `CARGO_POC_COMPLETE` set. PoCs, packages, steps and codes come from the
//! workspace that `--manifest-path` and `--docs` of the line select. Errors result in no candidates, because a completion
//! cannot show them.

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::CompletionCandidate;
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, PathCompleter};

use crate::affected::arguments::spec;
use crate::cli::Cli;
use crate::config::Options;
use crate::lint::rules;
use crate::project::{Poc, Project};

/// The environment variable that requests a completion.
pub const VARIABLE: &str = "CARGO_POC_COMPLETE";

/// The command line, with completers for its arguments.
#[must_use]
pub fn command() -> Command {
    Cli::command()
        .mut_args(with_values)
        .mut_subcommands(|command| {
            let writes_new = command.get_name() == "init";
            let command = command.mut_args(move |arg| {
                if writes_new && arg.get_id() == "name" {
                    arg
                } else {
                    with_values(arg)
                }
            });
            command.mut_subcommands(|command| command.mut_args(with_values))
        })
}

fn with_values(arg: Arg) -> Arg {
    let value = arg
        .get_value_names()
        .and_then(|names| names.first())
        .map(ToString::to_string)
        .unwrap_or_default();
    let takes_value = arg.get_action().takes_values();
    match (arg.get_id().as_str(), value.as_str()) {
        _ if !takes_value || !arg.get_possible_values().is_empty() => arg,
        ("name", _) => arg.add(ArgValueCandidates::new(pocs)),
        ("config", _) => arg.add(ArgValueCandidates::new(configurations)),
        ("package", _) => arg.add(ArgValueCandidates::new(packages)),
        ("step" | "after", "ID" | "STEP") => arg.add(ArgValueCandidates::new(steps)),
        ("words", "[NAME] STEP") => arg.add(ArgValueCandidates::new(pocs_and_steps)),
        (_, "CODE") => arg.add(ArgValueCandidates::new(codes)),
        (_, "DIR") => arg.add(ArgValueCompleter::new(PathCompleter::dir())),
        (_, "PATH" | "FILE" | "REPORT" | "[-]PATH[=PURPOSE]") => {
            arg.add(ArgValueCompleter::new(PathCompleter::any()))
        }
        _ => arg,
    }
}

fn pocs() -> Vec<CompletionCandidate> {
    let paths = project().and_then(|project| project.list().ok());
    let paths = paths.unwrap_or_default().into_iter();
    paths
        .map(|paths| CompletionCandidate::new(paths.name))
        .collect()
}

fn packages() -> Vec<CompletionCandidate> {
    let Some(project) = project() else {
        return Vec::new();
    };
    let workspace = &project.workspace;
    let packages = workspace.packages.iter().enumerate();
    let candidate = |(id, package): (usize, &cargo_metadata::Package)| {
        let help = package
            .description
            .as_ref()
            .map(|text| text.trim().to_owned().into());
        CompletionCandidate::new(spec(workspace, id)).help(help)
    };
    packages.map(candidate).collect()
}

fn configurations() -> Vec<CompletionCandidate> {
    let configurations = project().map(|project| project.config.configurations);
    let configurations = configurations.unwrap_or_default().into_iter();
    configurations
        .map(|(name, configuration)| {
            CompletionCandidate::new(name).help(Some(configuration.to_string().into()))
        })
        .collect()
}

/// The steps of the PoCs on the line, or of all open PoCs.
fn steps() -> Vec<CompletionCandidate> {
    let Some(project) = project() else {
        return Vec::new();
    };
    let words = line();
    let listed = project.list().unwrap_or_default();
    let named = |name: &str| words.iter().any(|word| word == name);
    let named: Vec<Poc> = listed
        .into_iter()
        .filter(|paths| named(&paths.name))
        .filter_map(|paths| project.read(paths).ok())
        .collect();
    let pocs = if named.is_empty() {
        project.open().unwrap_or_default().0
    } else {
        named
    };
    let steps = pocs.iter().flat_map(|poc| &poc.plan.steps);
    steps
        .map(|step| {
            let title = step.title.clone();
            CompletionCandidate::new(step.id.as_str()).help(Some(title.into()))
        })
        .collect()
}

fn pocs_and_steps() -> Vec<CompletionCandidate> {
    let mut both = pocs();
    both.extend(steps());
    both
}

/// Rules by code, then by name.
fn codes() -> Vec<CompletionCandidate> {
    let rules = rules::all();
    let with_help = |text: &'static str, help: &'static str| {
        CompletionCandidate::new(text).help(Some(help.into()))
    };
    let codes = rules
        .iter()
        .map(|code| with_help(code.as_str(), code.title()));
    let names = rules
        .iter()
        .map(|code| with_help(code.name(), code.title()));
    codes.chain(names).collect()
}

/// The line to complete, without the program's name.
fn line() -> Vec<String> {
    let words = std::env::args_os().skip_while(|word| word != "--").skip(2);
    words
        .filter_map(|word: OsString| word.into_string().ok())
        .collect()
}

fn project() -> Option<Project> {
    let words = line();
    let value = |option: &str| {
        let mut following = words.iter().zip(words.iter().skip(1));
        let joined = words
            .iter()
            .find_map(|word| word.strip_prefix(option)?.strip_prefix('='));
        let apart = following
            .find(|(word, _)| *word == option)
            .map(|(_, value)| value.as_str());
        joined
            .or(apart)
            .filter(|value| !value.is_empty())
            .map(Into::into)
    };
    let options = Options {
        manifest_path: value("--manifest-path"),
        docs: value("--docs"),
        ..Options::default()
    };
    Project::load_without_git(options).ok()
}

/// Whether this process was started for a completion.
#[must_use]
pub fn is_requested() -> bool {
    std::env::var_os(VARIABLE).is_some_and(|shell| shell != OsStr::new(""))
}
