//! The user's arguments for nextest, and everything that determines a build.

use crate::affected::arguments::nextest_packages;
use crate::script::cargo_arguments::{Effect, cargo_arguments};
use crate::workspace::Workspace;

/// The user's arguments without those that `nextest list` rejects.
pub(super) fn for_listing(arguments: &[String]) -> Vec<String> {
    const OF_RUNS: [&str; 10] = [
        "--jobs",
        "--test-threads",
        "--retries",
        "--max-fail",
        "--failure-output",
        "--success-output",
        "--no-fail-fast",
        "--fail-fast",
        "--no-capture",
        "--nocapture",
    ];
    let (options, rest) = cargo_arguments(arguments);
    let options = options.into_iter();
    let options = options.filter(|option| !OF_RUNS.contains(&option.name));
    let words = options.flat_map(|option| option.words).chain(rest);
    words.cloned().collect()
}

/// Everything that determines the build of the tests: the configuration of the workspace, and the user's `arguments` for nextest.
#[must_use]
pub fn of_configuration(workspace: &Workspace, arguments: &[String]) -> Vec<String> {
    let configuration = &workspace.configuration;
    let packages = nextest_packages(workspace, &workspace.configured_packages());
    let mut taken = of_build(&[&packages, arguments].concat());
    let environment = configuration.environment.iter();
    taken.extend(environment.map(|(name, value)| format!("{name}={value}")));
    taken.extend(configuration.arguments.iter().cloned());
    let packages = configuration.packages.iter();
    taken
        .extend(packages.map(|package| format!("--package={}", workspace.packages[*package].name)));
    taken.sort();
    taken
}

/// The arguments that affect the build, each option with its value.
fn of_build(arguments: &[String]) -> Vec<String> {
    let (arguments, _) = cargo_arguments(arguments);
    let options = arguments.iter();
    let options = options.filter(|argument| argument.effect == Effect::Build);
    let mut taken: Vec<String> = options
        .map(|argument| match argument.value {
            Some(value) => format!("{}={value}", argument.name),
            None => argument.name.to_owned(),
        })
        .collect();
    taken.sort();
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listing_has_no_arguments_about_running() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let given =
            words("--all-features -j 2 -j1 --retries=3 --exclude a --no-fail-fast -E all()");
        let built = of_build(&words("--release -j 2 --features a --exclude b"));
        assert_eq!(built, ["--features=a", "--release"]);
        assert_eq!(
            for_listing(&given),
            words("--all-features --exclude a -E all()")
        );
    }
}
