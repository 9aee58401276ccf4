//! `--dep SPEC` and the flags that follow it: `--dep moka@0.12 --dep tempfile --dev`.
//!
//! A flag belongs to the preceding `--dep`, so one call can name dependencies of every kind. clap keeps the positions; the
//! "find" example of its cookbook works in the same way.

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

/// The dependencies of one call, in order.
#[derive(Debug, Default, Clone)]
pub struct Dependencies(pub Vec<Dependency>);

/// One `--dep` and its flags, in the syntax of `cargo add`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// `name`, `name@req` or `name@req[feature,feature]`.
    pub spec: String,
    /// For `[dev-dependencies]`.
    pub dev: bool,
    /// For `[build-dependencies]`.
    pub build: bool,
    /// `(key, value)` pairs of a source: `path`, or `git` with `branch`, `tag` or `rev`.
    pub source: Vec<(&'static str, String)>,
}

const SOURCES: [(&str, &str, &str); 5] = [
    ("path", "DIR", "Folder of the preceding --dep"),
    ("git", "URL", "Git repository of the preceding --dep"),
    ("branch", "NAME", "Branch of the preceding --git"),
    ("tag", "NAME", "Tag of the preceding --git"),
    ("rev", "SHA", "Revision of the preceding --git"),
];

impl Args for Dependencies {
    fn augment_args(command: Command) -> Command {
        let dep = Arg::new("dep")
            .long("dep")
            .value_name("SPEC")
            .action(ArgAction::Append)
            .help("A dependency to add: name, name@req, name@req[feature,feature] (repeatable)");
        let flag = |name: &'static str, help: &'static str| {
            Arg::new(name)
                .long(name)
                .action(ArgAction::Append)
                .num_args(0)
                .default_missing_value("true")
                .help(help)
        };
        let command = command
            .arg(dep)
            .arg(flag("dev", "Make the preceding --dep a dev-dependency"))
            .arg(flag("build", "Make the preceding --dep a build-dependency"));
        SOURCES
            .iter()
            .fold(command, |command, (name, value, help)| {
                command.arg(
                    Arg::new(*name)
                        .long(*name)
                        .value_name(*value)
                        .action(ArgAction::Append)
                        .help(*help),
                )
            })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Dependencies {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut dependencies: Vec<(usize, Dependency)> = values(matches, "dep")
            .map(|(at, spec)| {
                (
                    at,
                    Dependency {
                        spec,
                        ..Dependency::default()
                    },
                )
            })
            .collect();
        for (flag, kind) in [("dev", true), ("build", false)] {
            for (at, _) in values(matches, flag) {
                let dependency = before(&mut dependencies, at, flag)?;
                dependency.dev |= kind;
                dependency.build |= !kind;
            }
        }
        for (key, _, _) in SOURCES {
            for (at, value) in values(matches, key) {
                before(&mut dependencies, at, key)?
                    .source
                    .push((key, value));
            }
        }
        for (_, dependency) in &dependencies {
            check(dependency)?;
        }
        Ok(Self(
            dependencies
                .into_iter()
                .map(|(_, dependency)| dependency)
                .collect(),
        ))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Returns the values of an argument with their positions on the command line.
fn values<'a>(matches: &'a ArgMatches, name: &str) -> impl Iterator<Item = (usize, String)> + 'a {
    let indices = matches.indices_of(name).into_iter().flatten();
    indices.zip(
        matches
            .get_many::<String>(name)
            .into_iter()
            .flatten()
            .cloned(),
    )
}

fn before<'a>(
    dependencies: &'a mut [(usize, Dependency)],
    at: usize,
    flag: &str,
) -> Result<&'a mut Dependency, Error> {
    let found = dependencies.iter_mut().rev().find(|(index, _)| *index < at);
    found.map(|(_, dependency)| dependency).ok_or_else(|| {
        Error::raw(
            ErrorKind::MissingRequiredArgument,
            format!("--{flag} needs a --dep before it\n"),
        )
    })
}

fn check(dependency: &Dependency) -> Result<(), Error> {
    let keys: Vec<&str> = dependency.source.iter().map(|(key, _)| *key).collect();
    let git = keys.contains(&"git");
    let problem = if dependency.dev && dependency.build {
        "has both --dev and --build"
    } else if git && keys.contains(&"path") {
        "has both --path and --git"
    } else if !git && keys.iter().any(|key| *key != "path") {
        "has --branch, --tag or --rev without --git"
    } else {
        return Ok(());
    };
    Err(Error::raw(
        ErrorKind::ArgumentConflict,
        format!("--dep {} {problem}\n", dependency.spec),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Vec<Dependency>, Error> {
        let command = Dependencies::augment_args(Command::new("init"));
        let matches = command.try_get_matches_from(line.split(' '))?;
        Dependencies::from_arg_matches(&matches).map(|dependencies| dependencies.0)
    }

    #[test]
    fn a_flag_belongs_to_the_dependency_before_it() {
        let parsed =
            parse("init --dep moka@0.12 --dep tempfile --dev --dep cc --build").expect("fine");
        let kinds: Vec<_> = parsed
            .iter()
            .map(|one| (one.spec.as_str(), one.dev, one.build))
            .collect();
        assert_eq!(
            kinds,
            [
                ("moka@0.12", false, false),
                ("tempfile", true, false),
                ("cc", false, true)
            ]
        );
    }

    #[test]
    fn a_source_belongs_to_the_dependency_before_it() {
        let parsed = parse("init --dep a --git u --tag v1 --dep b --path ../b").expect("fine");
        assert_eq!(
            parsed[0].source,
            [("git", "u".to_owned()), ("tag", "v1".to_owned())]
        );
        assert_eq!(parsed[1].source, [("path", "../b".to_owned())]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "init --dev",
            "init --dep a --dev --build",
            "init --dep a --tag v1",
            "init --dep a --git u --path p",
        ] {
            parse(line).expect_err(line);
        }
    }
}
