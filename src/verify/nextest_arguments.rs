//! The user's arguments for nextest: which of them are options, filters of tests as libtest has them, or meant for cargo as well.

use crate::script::cargo_arguments::{Argument, Effect, cargo_arguments};

/// Options with a value that a listing supports.
const LISTED: [&str; 7] = [
    "--profile",
    "--cargo-profile",
    "--partition",
    "--run-ignored",
    "--features",
    "--archive-file",
    "--workspace-remap",
];

/// Options of cargo that select the build.
const BUILD_FLAGS: [&str; 3] = ["--release", "--all-features", "--no-default-features"];

/// Filters of libtest, which nextest accepts after `--`.
const FILTERS: [&str; 4] = ["--skip", "--exact", "--ignored", "--include-ignored"];

/// Options of test binaries that nextest has as well.
const OF_TESTS: [&str; 3] = ["--test-threads", "--nocapture", "--no-capture"];

/// The options that a listing supports; any other option would make it fail.
pub(super) fn for_listing(extra: &[String]) -> Vec<String> {
    let (arguments, _) = cargo_arguments(extra);
    let listed = arguments
        .iter()
        .filter(|argument| LISTED.contains(&argument.name) || BUILD_FLAGS.contains(&argument.name));
    listed
        .flat_map(|argument| argument.words)
        .cloned()
        .collect()
}

/// The words among options: parts of names of tests.
pub(super) fn words_of(options: &[String]) -> Vec<String> {
    let (arguments, _) = cargo_arguments(options);
    let words = arguments.iter();
    let words = words.filter(|argument| argument.effect == Effect::Word);
    words.flat_map(|argument| argument.words).cloned().collect()
}

/// Splits the arguments into options of nextest and filters for `--`. Without a filter of libtest all are options, and nextest
/// takes other words as parts of names.
pub(super) fn filters_apart(extra: &[String]) -> (Vec<String>, Vec<String>) {
    let (arguments, after) = cargo_arguments(extra);
    let is_filter = |argument: &Argument| FILTERS.contains(&argument.name);
    if !arguments.iter().any(is_filter) {
        return (extra.to_vec(), Vec::new());
    }
    let (mut options, mut filters) = (Vec::new(), Vec::new());
    for argument in &arguments {
        let into = if is_filter(argument) || argument.effect == Effect::Word {
            &mut filters
        } else {
            &mut options
        };
        into.extend_from_slice(argument.words);
    }
    filters.extend(after.iter().skip(1).cloned());
    (options, filters)
}

/// The arguments for nextest that also apply to `cargo test`: build options, and arguments for test binaries that are not specific
/// to nextest.
pub(super) fn not_only_nextest(extra: &[String]) -> (Vec<String>, Vec<String>) {
    let (mut build, mut rest) = (Vec::new(), Vec::new());
    let (arguments, after) = cargo_arguments(extra);
    for argument in arguments {
        let name = &argument.name;
        if *name == "--features" || BUILD_FLAGS.contains(name) {
            build.extend_from_slice(argument.words);
        } else if argument.effect == Effect::Word
            || FILTERS.contains(name)
            || OF_TESTS.contains(name)
        {
            rest.extend_from_slice(argument.words);
        }
    }
    rest.extend(after.iter().skip(1).cloned());
    (build, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    fn joined((first, second): (Vec<String>, Vec<String>)) -> [String; 2] {
        [first.join(" "), second.join(" ")]
    }

    #[test]
    fn filters_of_libtest_are_found() {
        for (line, options, filters) in [
            ("one --retries 2", "one --retries 2", ""),
            ("--skip one", "", "--skip one"),
            ("--retries 2 --exact one", "--retries 2", "--exact one"),
            (
                "--test-threads 1 --ignored",
                "--test-threads 1",
                "--ignored",
            ),
            (
                "--no-fail-fast two --skip=x",
                "--no-fail-fast",
                "two --skip=x",
            ),
        ] {
            assert_eq!(
                joined(filters_apart(&words(line))),
                [options, filters],
                "{line}"
            );
        }
    }

    #[test]
    fn documentation_tests_get_what_rustdoc_has() {
        for (line, build, rest) in [
            ("--retries 2 one", "", "one"),
            ("-E test(one) --no-fail-fast --release", "--release", ""),
            (
                "--skip one --test-threads=1 --ignored",
                "",
                "--skip one --test-threads=1 --ignored",
            ),
            (
                "--features a --run-ignored all --nocapture",
                "--features a",
                "--nocapture",
            ),
        ] {
            assert_eq!(
                joined(not_only_nextest(&words(line))),
                [build, rest],
                "{line}"
            );
        }
    }
}
