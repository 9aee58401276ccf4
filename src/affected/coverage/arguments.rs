//! The user's arguments for nextest.

use crate::script::cargo_arguments::{Effect, cargo_arguments};

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

/// The user's arguments that affect the build, each option with its value.
#[must_use]
pub fn of_build(arguments: &[String]) -> Vec<String> {
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
