//! The arguments of `cargo test`, `cargo nextest run` and similar commands: options with their values, and other words.

/// What an argument determines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// A package whose tests run.
    Package,
    /// A kind of targets, or a target by its name.
    Target,
    /// The features, the target platform or the profile.
    Build,
    /// The build, or which tests run, in another way.
    Other,
    /// Neither the build nor which tests run.
    Nothing,
    /// A word that is no option.
    Word,
    /// An option that is not known here.
    Unknown,
}

/// An option with its value, or another word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Argument<'w> {
    /// The long name of an option; another word as written.
    pub(crate) name: &'w str,
    /// The value of an option, if it takes one and has one.
    pub(crate) value: Option<&'w str>,
    /// The part of the command that it changes.
    pub(crate) effect: Effect,
    /// The words that it consists of.
    pub(crate) words: &'w [String],
}

struct CargoOption {
    name: &'static str,
    short: &'static str,
    has_value: bool,
    effect: Effect,
}

const fn valued(name: &'static str, short: &'static str, effect: Effect) -> CargoOption {
    CargoOption {
        name,
        short,
        has_value: true,
        effect,
    }
}

const fn flag(name: &'static str, short: &'static str, effect: Effect) -> CargoOption {
    CargoOption {
        name,
        short,
        has_value: false,
        effect,
    }
}

/// The options of `cargo test` and `cargo nextest run`.
const OPTIONS: &[CargoOption] = &[
    valued("--package", "-p", Effect::Package),
    valued("--test", "", Effect::Target),
    valued("--bin", "", Effect::Target),
    valued("--example", "", Effect::Target),
    valued("--bench", "", Effect::Target),
    flag("--lib", "", Effect::Target),
    flag("--bins", "", Effect::Target),
    flag("--tests", "", Effect::Target),
    flag("--examples", "", Effect::Target),
    flag("--benches", "", Effect::Target),
    flag("--all-targets", "", Effect::Target),
    flag("--doc", "", Effect::Target),
    valued("--features", "-F", Effect::Build),
    flag("--all-features", "", Effect::Build),
    flag("--no-default-features", "", Effect::Build),
    valued("--target", "", Effect::Build),
    // The profile of the build for cargo, and of the run for nextest.
    valued("--profile", "-P", Effect::Build),
    valued("--cargo-profile", "", Effect::Build),
    flag("--release", "-r", Effect::Build),
    valued("--exclude", "", Effect::Other),
    valued("--target-dir", "", Effect::Other),
    valued("--config", "", Effect::Other),
    valued("-Z", "-Z", Effect::Other),
    valued("--manifest-path", "", Effect::Other),
    valued("-C", "-C", Effect::Other),
    valued("--partition", "", Effect::Other),
    valued("--run-ignored", "", Effect::Other),
    valued("--archive-file", "", Effect::Other),
    valued("--workspace-remap", "", Effect::Other),
    valued("--config-file", "", Effect::Other),
    valued("--tool-config-file", "", Effect::Other),
    valued("--user-config-file", "", Effect::Other),
    // Of test binaries, and of nextest after `--`.
    valued("--skip", "", Effect::Other),
    // Of rustc and clippy, after `--`.
    valued("--deny", "-D", Effect::Other),
    valued("--jobs", "-j", Effect::Nothing),
    valued("--color", "", Effect::Nothing),
    valued("--message-format", "", Effect::Nothing),
    valued("--build-jobs", "", Effect::Nothing),
    valued("--test-threads", "", Effect::Nothing),
    valued("--retries", "", Effect::Nothing),
    valued("--status-level", "", Effect::Nothing),
    valued("--final-status-level", "", Effect::Nothing),
    valued("--no-tests", "", Effect::Nothing),
    valued("--max-fail", "", Effect::Nothing),
    valued("--success-output", "", Effect::Nothing),
    valued("--failure-output", "", Effect::Nothing),
    valued("--show-progress", "", Effect::Nothing),
    // A filterset only excludes tests.
    valued("--filterset", "-E", Effect::Nothing),
    valued("--filter-expr", "", Effect::Nothing),
    flag("--workspace", "", Effect::Nothing),
    flag("--all", "", Effect::Nothing),
    flag("--locked", "", Effect::Nothing),
    flag("--offline", "", Effect::Nothing),
    flag("--frozen", "", Effect::Nothing),
    flag("--no-fail-fast", "", Effect::Nothing),
    flag("--fail-fast", "", Effect::Nothing),
    flag("--keep-going", "", Effect::Nothing),
    flag("--verbose", "-v", Effect::Nothing),
    flag("-vv", "-vv", Effect::Nothing),
    flag("--quiet", "-q", Effect::Nothing),
    flag("--no-capture", "", Effect::Nothing),
];

/// The arguments in `words` before `--`, and the words from `--` on.
pub(crate) fn cargo_arguments(words: &[String]) -> (Vec<Argument<'_>>, &[String]) {
    let mut found = Vec::new();
    let mut rest = words;
    while let Some(word) = rest.first().filter(|word| *word != "--") {
        let (option, joined) = option(word);
        let takes_next = option.is_some_and(|option| option.has_value)
            && joined.is_none()
            && rest.get(1).is_some_and(|next| next != "--");
        let length = if takes_next { 2 } else { 1 };
        let (own, after) = rest.split_at(length);
        found.push(Argument {
            name: option.map_or(word, |option| option.name),
            value: joined.or_else(|| own.get(1).map(String::as_str)),
            effect: match option {
                Some(option) => option.effect,
                None if word.starts_with('-') => Effect::Unknown,
                None => Effect::Word,
            },
            words: own,
        });
        rest = after;
    }
    (found, rest)
}

/// The option that a word names, and its value if the word contains it: `--features=x`, `-pstore`.
fn option(word: &str) -> (Option<&'static CargoOption>, Option<&str>) {
    let named = |name: &str| {
        let mut options = OPTIONS.iter();
        options.find(|option| option.name == name || option.short == name)
    };
    if let Some(option) = named(word).filter(|_| !word.is_empty()) {
        return (Some(option), None);
    }
    let (name, value) = match word.split_once('=') {
        Some(parts) if word.starts_with("--") => parts,
        _ => match word.split_at_checked(2) {
            Some((name, value)) if name != "--" => (name, value.trim_start_matches('=')),
            _ => return (None, None),
        },
    };
    match named(name).filter(|option| option.has_value) {
        Some(option) => (Some(option), Some(value)),
        None => (None, None),
    }
}

impl Argument<'_> {
    /// Whether it is an option whose value is missing.
    pub(crate) fn lacks_value(&self) -> bool {
        let mut options = OPTIONS.iter();
        self.value.is_none() && options.any(|option| option.name == self.name && option.has_value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_joined_or_in_the_next_word() {
        let words = "-p a -pb --package=c -F=x,y --release -r name --strange --test -- --test d";
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let (found, rest) = cargo_arguments(&words);
        let found: Vec<_> = found
            .iter()
            .map(|argument| (argument.name, argument.value, argument.words.len()))
            .collect();
        assert_eq!(
            found,
            [
                ("--package", Some("a"), 2),
                ("--package", Some("b"), 1),
                ("--package", Some("c"), 1),
                ("--features", Some("x,y"), 1),
                ("--release", None, 1),
                ("--release", None, 1),
                ("name", None, 1),
                ("--strange", None, 1),
                ("--test", None, 1),
            ]
        );
        assert_eq!(rest, ["--", "--test", "d"]);
    }
}
