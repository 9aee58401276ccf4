//! The questions of `init` on a terminal, for what the command line did not say.
//!
//! In: the arguments as given. Out: the arguments as if they had all been given, which [`command_line`] writes out, so
//! that the next time nobody needs to ask.

use anyhow::Result;
use inquire::list_option::ListOption;
use inquire::ui::RenderConfig;
use inquire::validator::Validation;
use inquire::{InquireError, MultiSelect, Text};

use super::suggest::Suggest;
use crate::affected::arguments::{quoted, spec};
use crate::cli::dependencies::Dependency;
use crate::cli::{Init, Kind, Size};
use crate::exit;
use crate::init::dependencies::check_spec;
use crate::project::Project;
use crate::sys::files::normalize;
use crate::workspace::PackageId;

/// Asks for the name, and for packages, files, dependencies and what is proven where nothing was said of them.
///
/// # Errors
/// Bad usage when the person gives up; a terminal that cannot be used.
pub(super) fn ask(project: &Project, given: &Init, coloured: bool) -> Result<Init> {
    if !coloured {
        inquire::set_global_render_config(RenderConfig::empty());
    }
    let mut init = given.clone();
    init.name = Some(name(project)?);
    if init.package.is_empty() && init.file.is_empty() && !init.from_diff {
        init.package = packages(project)?;
    }
    if init.file.is_empty() && !init.from_diff {
        init.file = files(project)?;
    }
    if init.dependencies.0.is_empty() {
        init.dependencies.0 = dependencies(project)?;
    }
    if init.proves.is_none() {
        let proves = Text::new("What does it prove?")
            .with_help_message(
                "e.g. reads stay under 1 ms at 10k rps; Enter leaves it to be filled in",
            )
            .prompt()
            .map_err(given_up)?;
        init.proves = Some(proves.trim().to_owned()).filter(|proves| !proves.is_empty());
    }
    if init.criterion.is_empty() && init.criteria_from.is_none() {
        let help = "what must hold for it to succeed; Enter alone goes on";
        init.criterion = several("A success criterion:", help, None, |_| Ok(()))?;
    }
    Ok(init)
}

fn name(project: &Project) -> Result<String> {
    let taken: Vec<String> = project
        .list()?
        .into_iter()
        .map(|paths| paths.name)
        .collect();
    let validate = move |name: &str| {
        Ok(if taken.iter().any(|other| other == name) {
            Validation::Invalid("there is a plan of this name already".into())
        } else if !crate::project::is_slug(name) {
            Validation::Invalid("use a-z, 0-9 and `-`, beginning with a letter or digit".into())
        } else {
            Validation::Valid
        })
    };
    Text::new("Name of the work:")
        .with_help_message("a-z, 0-9 and `-`; the documents are NAME-plan.md and NAME-results.md")
        .with_validator(validate)
        .prompt()
        .map_err(given_up)
}

/// The packages to touch; not asked where there is only one.
fn packages(project: &Project) -> Result<Vec<String>> {
    let workspace = &project.workspace;
    if workspace.packages.len() < 2 {
        return Ok(Vec::new());
    }
    let specs: Vec<String> = (0..workspace.packages.len())
        .map(|package| spec(workspace, package))
        .collect();
    let here: Vec<PackageId> = workspace.owner(&project.folder).into_iter().collect();
    MultiSelect::new("Packages it touches:", specs)
        .with_default(&here)
        .with_help_message(
            "type to filter, Space selects, Enter goes on; the first one gets the dependencies",
        )
        .with_validator(|chosen: &[ListOption<&String>]| {
            Ok(if chosen.is_empty() {
                Validation::Invalid("select at least one with Space".into())
            } else {
                Validation::Valid
            })
        })
        .prompt()
        .map_err(given_up)
}

/// What cannot be right is refused at once, not after the last question; the rest is for [`Request::resolve`].
///
/// [`Request::resolve`]: crate::init::request::Request::resolve
fn files(project: &Project) -> Result<Vec<String>> {
    let help = "PATH=PURPOSE; -PATH deletes; Tab completes; Enter alone goes on";
    let (root, folder) = (project.workspace.root.clone(), project.folder.clone());
    let check = move |answer: &str| {
        let path = answer.strip_prefix('-').unwrap_or(answer);
        let path = path.split('=').next().unwrap_or(path);
        let path = normalize(&folder.join(path));
        if path.starts_with(&root) && !path.is_dir() {
            return Ok(());
        }
        Err(exit::usage("name a file below the workspace's root"))
    };
    let offered = Suggest::files(project)?;
    several(
        "A file it creates, changes or deletes:",
        help,
        Some(&offered),
        check,
    )
}

fn dependencies(project: &Project) -> Result<Vec<Dependency>> {
    let help = "name, name@req or name@req[feature,feature]; Tab completes known ones; Enter alone goes on";
    let offered = Suggest::dependencies(project)?;
    let specs = several("A dependency it needs:", help, Some(&offered), check_spec)?;
    let dependency = |spec| Dependency {
        spec,
        ..Dependency::default()
    };
    Ok(specs.into_iter().map(dependency).collect())
}

/// Answers until an empty one.
fn several(
    question: &str,
    help: &str,
    offered: Option<&Suggest>,
    check: impl Fn(&str) -> Result<()> + Clone + 'static,
) -> Result<Vec<String>> {
    let mut answers = Vec::new();
    loop {
        let check = check.clone();
        let mut text = Text::new(question).with_help_message(help);
        if let Some(offered) = offered {
            text = text.with_autocomplete(offered.clone());
        }
        let answer = text
            .with_validator(move |answer: &str| {
                Ok(match check(answer) {
                    Err(error) if !answer.is_empty() => {
                        Validation::Invalid(error.to_string().into())
                    }
                    _ => Validation::Valid,
                })
            })
            .prompt()
            .map_err(given_up)?;
        if answer.trim().is_empty() {
            return Ok(answers);
        }
        answers.push(answer.trim().to_owned());
    }
}

fn given_up(error: InquireError) -> anyhow::Error {
    match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => {
            exit::usage("given up; nothing was written")
        }
        error => anyhow::Error::new(error).context("failed to ask on this terminal"),
    }
}

/// `cargo poc init …` with which the same documents are written without a question.
#[must_use]
pub(super) fn command_line(init: &Init) -> String {
    let mut words: Vec<String> = ["cargo", "poc", "init"].map(str::to_owned).into();
    words.extend(init.name.clone());
    let mut add = |flag: &str, value: &str| {
        // A value that looks like a flag has to be tied to its own.
        if value.starts_with('-') {
            words.push(format!("--{flag}={value}"));
        } else {
            words.extend([format!("--{flag}"), value.to_owned()]);
        }
    };
    for package in &init.package {
        add("package", package);
    }
    for file in &init.file {
        add("file", file);
    }
    for (flag, value) in [
        ("proves", init.proves.as_deref()),
        ("because", init.because.as_deref()),
        ("criteria-from", init.criteria_from.as_deref()),
        ("base", init.base.as_deref()),
        ("template", init.template.as_ref().map(|path| path.as_str())),
    ] {
        if let Some(value) = value {
            add(flag, value);
        }
    }
    for criterion in &init.criterion {
        add("criterion", criterion);
    }
    for step in &init.step {
        add("step", step);
    }
    match init.kind {
        Kind::Poc => {}
        Kind::Feature => add("type", "feature"),
        Kind::Issue => add("type", "issue"),
        Kind::Refactor => add("type", "refactor"),
    }
    if init.size == Size::Tiny {
        add("size", "tiny");
    }
    for dependency in &init.dependencies.0 {
        words.extend(["--dep".to_owned(), dependency.spec.clone()]);
        for (key, value) in &dependency.source {
            words.extend([format!("--{key}"), value.clone()]);
        }
        words.extend(dependency.dev.then(|| "--dev".to_owned()));
        words.extend(dependency.build.then(|| "--build".to_owned()));
    }
    if init.from_diff {
        words.push("--from-diff".to_owned());
    }
    if init.dry_run {
        words.push("--dry-run".to_owned());
    }
    quoted(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_says_all_that_was_asked() {
        let init = Init {
            name: Some("cache".into()),
            package: vec!["store".into()],
            file: vec!["-src/old.rs".into(), "src/cache.rs=the new one".into()],
            dependencies: crate::cli::dependencies::Dependencies(vec![Dependency {
                spec: "moka@0.12[sync]".into(),
                dev: true,
                ..Dependency::default()
            }]),
            proves: Some("reads stay fast".into()),
            size: Size::Tiny,
            from_diff: true,
            ..Init::default()
        };
        assert_eq!(
            command_line(&init),
            "cargo poc init cache --package store '--file=-src/old.rs' --file 'src/cache.rs=the new one' --proves 'reads stay \
             fast' --size tiny --dep 'moka@0.12[sync]' --dev --from-diff"
        );
    }
}
