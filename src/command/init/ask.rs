//! The questions of `init` on a terminal, for missing arguments.
//!
//! Input: the given arguments. Output: complete arguments, which [`command_line`] prints as a command that asks no questions.

use std::io::ErrorKind;

use anyhow::Result;
use inquire::list_option::ListOption;
use inquire::ui::RenderConfig;
use inquire::validator::Validation;
use inquire::{Confirm, InquireError, MultiSelect, Select, Text};

use super::suggest::Suggest;
use crate::affected::arguments::{quoted, spec};
use crate::cli::dependencies::Dependency;
use crate::cli::{Init, Kind, Size};
use crate::exit;
use crate::init::dependencies::check_spec;
use crate::project::Project;
use crate::sys::files::normalize;
use crate::sys::raw_mode::RawMode;
use crate::workspace::PackageId;

/// A question for a missing argument.
#[derive(Clone, Copy)]
enum Question {
    Name,
    Packages,
    Files,
    Dependencies,
    Proves,
    Criteria,
}

/// Asks for the name, and for missing packages, files, dependencies and the statement to prove. Esc returns to the previous
/// question.
///
/// # Errors
/// A usage error if the person cancels; an error of the terminal.
pub(super) fn ask(project: &Project, given: &Init, coloured: bool) -> Result<Init> {
    if !coloured {
        inquire::set_global_render_config(RenderConfig::empty());
    }
    let _raw_mode = RawMode::enter()?;
    let mut init = given.clone();
    let questions = questions(project, given);
    let mut at = 0;
    while let Some(question) = questions.get(at) {
        match one(project, *question, &mut init)? {
            Some(()) => at += 1,
            None if at == 0 => return Err(exit::usage("cancelled; nothing was written")),
            None => at -= 1,
        }
    }
    Ok(init)
}

fn questions(project: &Project, given: &Init) -> Vec<Question> {
    let no_files = given.file.is_empty() && !given.from_diff;
    let one_package = project.workspace.packages.len() < 2;
    let asked = [
        (Question::Name, true),
        (
            Question::Packages,
            given.package.is_empty() && no_files && !one_package,
        ),
        (Question::Files, no_files),
        (Question::Dependencies, given.dependencies.0.is_empty()),
        (Question::Proves, given.proves.is_none()),
        (
            Question::Criteria,
            given.criterion.is_empty() && given.criteria_from.is_none(),
        ),
    ];
    let asked = asked.into_iter().filter(|(_, asked)| *asked);
    asked.map(|(question, _)| question).collect()
}

/// Asks one question; `None` for going back.
fn one(project: &Project, question: Question, init: &mut Init) -> Result<Option<()>> {
    let answered = match question {
        Question::Name => name(project)?.map(|name| init.name = Some(name)),
        Question::Packages => packages(project)?.map(|packages| init.package = packages),
        Question::Files => files(project, init)?.map(|files| init.file = files),
        Question::Dependencies => dependencies(project)?.map(|found| init.dependencies.0 = found),
        Question::Proves => {
            let help = "e.g. reads stay under 1 ms at 10k rps; Enter skips, Esc goes back";
            let text = Text::new("What does it prove?").with_help_message(help);
            answer(text.prompt())?.map(|proves| {
                init.proves = Some(proves.trim().to_owned()).filter(|proves| !proves.is_empty());
            })
        }
        Question::Criteria => {
            let help = "a condition for success; an empty line continues, Esc goes back";
            several("A success criterion:", help, None, |_| Ok(()), true)?
                .map(|criteria| init.criterion = criteria)
        }
    };
    Ok(answered)
}

/// Asks for the name. A text that is no slug is converted to one.
fn name(project: &Project) -> Result<Option<String>> {
    let taken: Vec<String> = project
        .list()?
        .into_iter()
        .map(|paths| paths.name)
        .collect();
    let mut offered = String::new();
    loop {
        let taken = taken.clone();
        let validate = move |name: &str| {
            let slug = slug(name);
            Ok(if slug.is_empty() {
                Validation::Invalid("use a-z, 0-9 and `-`, beginning with a letter or digit".into())
            } else if taken.contains(&slug) {
                Validation::Invalid(format!("a plan `{slug}` exists already").into())
            } else {
                Validation::Valid
            })
        };
        let help = if offered.is_empty() {
            "a-z, 0-9 and `-`; the documents are NAME-plan.md and NAME-results.md".to_owned()
        } else {
            format!("a name consists of a-z, 0-9 and `-`; Enter accepts `{offered}`")
        };
        let text = Text::new("Name of the work:")
            .with_help_message(&help)
            .with_initial_value(&offered)
            .with_validator(validate);
        let Some(name) = answer(text.prompt())? else {
            return Ok(None);
        };
        if crate::project::is_slug(&name) {
            return Ok(Some(name));
        }
        offered = slug(&name);
    }
}

/// Converts a text to a name: `Rate Burst` → `rate-burst`; empty if it has no letter or digit.
fn slug(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower
        .split(|sign: char| !sign.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let mut slug = words.collect::<Vec<_>>().join("-");
    slug.truncate(100);
    slug.trim_end_matches('-').to_owned()
}

/// Asks for the packages that the work changes.
fn packages(project: &Project) -> Result<Option<Vec<String>>> {
    let workspace = &project.workspace;
    let specs: Vec<String> = (0..workspace.packages.len())
        .map(|package| spec(workspace, package))
        .collect();
    let here: Vec<PackageId> = workspace.owner(&project.folder).into_iter().collect();
    let chosen = MultiSelect::new("Packages to change:", specs)
        .with_default(&here)
        .with_help_message(
            "type to filter, Space selects, Enter continues; the first one gets the dependencies",
        )
        .with_validator(|chosen: &[ListOption<&String>]| {
            Ok(if chosen.is_empty() {
                Validation::Invalid("select at least one with Space".into())
            } else {
                Validation::Valid
            })
        });
    answer(chosen.prompt())
}

/// Asks for files. Invalid answers are rejected; a file that does not exist needs a confirmation.
fn files(project: &Project, init: &Init) -> Result<Option<Vec<String>>> {
    let help = "PATH=PURPOSE; -PATH deletes; Tab completes; an empty line continues, Esc goes back";
    let (root, folder) = (project.workspace.root.clone(), project.folder.clone());
    let path_of = |answer: &str| {
        let path = answer.strip_prefix('-').unwrap_or(answer);
        path.split('=').next().unwrap_or(path).trim().to_owned()
    };
    let check = {
        let folder = folder.clone();
        move |answer: &str| {
            let path = normalize(&folder.join(path_of(answer)));
            if path.starts_with(&root) && !path.is_dir() {
                return Ok(());
            }
            Err(exit::usage("the file must be inside the workspace"))
        }
    };
    let offered = Suggest::files(project)?;
    // A path may also be relative to the package's folder.
    let mut folders = vec![folder];
    let named = init
        .package
        .iter()
        .filter_map(|spec| project.workspace.find(spec).ok());
    folders.extend(named.map(|package| project.workspace.folder(package).to_owned()));
    let exists = |path: &str| folders.iter().any(|folder| folder.join(path).exists());
    let mut answers = Vec::new();
    let question = "A file to create, modify or delete:";
    loop {
        let found = several(question, help, Some(&offered), check.clone(), false)?;
        let Some(mut found) = found else {
            return Ok(None);
        };
        let Some(answer) = found.pop() else {
            return Ok(Some(answers));
        };
        let path = path_of(&answer);
        if exists(&path) {
            answers.push(answer);
            continue;
        }
        let slip = slip(&path, &offered.texts());
        let question = format!("`{path}` does not exist{slip} Create it?");
        if confirm(&question, slip == ".")? {
            answers.push(answer);
        }
    }
}

/// Suggests the known text that is similar to an unknown one, as the end of a sentence; a full stop if there is none.
fn slip(text: &str, known: &[&str]) -> String {
    let distance = |other: &&&str| strsim::damerau_levenshtein(text, other);
    let nearest = known.iter().min_by_key(distance);
    match nearest.filter(|other| text.len() > 3 && distance(other) <= 2) {
        Some(other) => format!("; did you mean `{other}`?"),
        None => ".".to_owned(),
    }
}

/// Asks for dependencies and their kinds. A crate that is unknown in the workspace needs a confirmation.
fn dependencies(project: &Project) -> Result<Option<Vec<Dependency>>> {
    let help = "name, name@req or name@req[feature,feature]; Tab completes known ones; an empty line continues, Esc goes back";
    let offered = Suggest::dependencies(project)?;
    let mut found = Vec::new();
    loop {
        let question = "A dependency to add:";
        let answers = several(question, help, Some(&offered), check_spec, false)?;
        let Some(mut answers) = answers else {
            return Ok(None);
        };
        let Some(spec) = answers.pop() else {
            return Ok(Some(found));
        };
        let name = spec.split(['@', '[']).next().unwrap_or_default().trim();
        let texts = offered.texts();
        let names: Vec<&str> = texts
            .iter()
            .map(|text| text.split('@').next().unwrap_or_default())
            .collect();
        if !names.contains(&name) {
            let slip = slip(name, &names);
            let question = format!("`{name}` is not used in this workspace{slip} Add it?");
            if !confirm(&question, slip == ".")? {
                continue;
            }
        }
        let kinds = vec!["normal", "dev: for tests", "build: for the build script"];
        let kind = Select::new("Kind of dependency:", kinds);
        let Some(kind) = answer(kind.raw_prompt())? else {
            continue;
        };
        found.push(Dependency {
            spec,
            dev: kind.index == 1,
            build: kind.index == 2,
            ..Dependency::default()
        });
    }
}

/// Asks yes or no; Esc means no.
fn confirm(question: &str, default: bool) -> Result<bool> {
    let confirm = Confirm::new(question).with_default(default);
    Ok(answer(confirm.prompt())?.unwrap_or(false))
}

/// Asks until the answer is empty, or only once unless `many`; `None` for going back.
fn several(
    question: &str,
    help: &str,
    offered: Option<&Suggest>,
    check: impl Fn(&str) -> Result<()> + Clone + 'static,
    many: bool,
) -> Result<Option<Vec<String>>> {
    let mut answers = Vec::new();
    loop {
        let check = check.clone();
        let mut text = Text::new(question).with_help_message(help);
        if let Some(offered) = offered {
            text = text.with_autocomplete(offered.clone());
        }
        let text = text.with_validator(move |answer: &str| {
            Ok(match check(answer) {
                Err(error) if !answer.is_empty() => Validation::Invalid(error.to_string().into()),
                _ => Validation::Valid,
            })
        });
        let Some(text) = answer(text.prompt())? else {
            return Ok(None);
        };
        let text = text.trim().to_owned();
        if text.is_empty() {
            return Ok(Some(answers));
        }
        answers.push(text);
        if !many {
            return Ok(Some(answers));
        }
    }
}

/// An answer; `None` for Esc.
fn answer<T>(answered: Result<T, InquireError>) -> Result<Option<T>> {
    match answered {
        Ok(answer) => Ok(Some(answer)),
        Err(InquireError::OperationCanceled) => Ok(None),
        Err(InquireError::IO(error)) if error.kind() == ErrorKind::Interrupted => {
            Err(exit::usage("cancelled; nothing was written"))
        }
        Err(error) => Err(anyhow::Error::new(error).context("failed to read from the terminal")),
    }
}

/// The `cargo poc init …` command that writes the same documents without questions.
#[must_use]
pub(super) fn command_line(init: &Init) -> String {
    let mut words: Vec<String> = ["cargo", "poc", "init"].map(str::to_owned).into();
    words.extend(init.name.clone());
    let mut add = |flag: &str, value: &str| {
        // A value that looks like a flag needs `=`.
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
    match init.size {
        Size::Tiny => add("size", "tiny"),
        Size::Standard => {}
        Size::Full => add("size", "full"),
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
    fn text_becomes_a_slug() {
        for (text, expected) in [
            ("Rate Burst", "rate-burst"),
            ("  LRU cache (v2) ", "lru-cache-v2"),
            ("größe", "gr-e"),
            ("--", ""),
        ] {
            assert_eq!(slug(text), expected, "{text}");
        }
    }

    #[test]
    fn command_line_contains_all_answers() {
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
