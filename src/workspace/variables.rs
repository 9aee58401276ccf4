//! Environment variables: those that control a build, and those that sources may read.
//!
//! A variable that a source names where it reads one is an input, also if it is not set. Of the other variables that are set, those are
//! inputs whose names a source contains, or whose names its strings can compose: the name may be computed, or a process that the source
//! starts may read it. Variables that cargo sets, and those that contain paths of a machine or describe its terminal, are excluded: they
//! differ between machines that run the same tests.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::sync::LazyLock;

use regex::Regex;

use super::source::lex::{Kind, lex};

mod unknown;

pub(crate) use unknown::{reads_unknown_name, script_reads_unknown_name};

/// Variables that change a build.
const BUILD_VARIABLES: [&str; 9] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTDOCFLAGS",
    "CARGO_ENCODED_RUSTDOCFLAGS",
    "RUSTC",
    "RUSTDOC",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_BOOTSTRAP",
];

/// Prefixes of such variables.
const BUILD_PREFIXES: [&str; 6] = [
    "CARGO_BUILD_",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "CARGO_UNSTABLE_",
    "CARGO_RESOLVER_",
    "CARGO_FEATURE_",
];

/// Exceptions, which only control where and how fast cargo builds.
const NO_BUILD_VARIABLES: [&str; 6] = [
    "CARGO_BUILD_JOBS",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_BUILD_BUILD_DIR",
    "CARGO_BUILD_INCREMENTAL",
    "CARGO_TARGET_DIR",
    "CARGO_TARGET_TMPDIR",
];

/// Compiler caches, which do not change a build.
const CACHES: [&str; 3] = ["sccache", "ccache", "cachepot"];

/// Variables that cargo sets, or that code may read without an effect on tests.
const PLACES: [&str; 49] = [
    "CARGO",
    "CARGO_HOME",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_CRATE_NAME",
    "CARGO_BIN_NAME",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_DIR",
    "CARGO_TARGET_TMPDIR",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "OUT_DIR",
    "TARGET",
    "HOST",
    "NUM_JOBS",
    "OPT_LEVEL",
    "DEBUG",
    "PROFILE",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "HOME",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "PATH",
    "PWD",
    "USER",
    "USERNAME",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "TEMP",
    "TMP",
    "TERM",
    "COLORTERM",
    "COLUMNS",
    "LINES",
    "HOSTNAME",
    "RUST_BACKTRACE",
    "RUST_TEST_THREADS",
    "NEXTEST",
    "_",
    "OLDPWD",
    "SHLVL",
    "LS_COLORS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "WINDOWID",
    "TMUX",
];

/// Prefixes of such variables.
const PLACE_PREFIXES: [&str; 13] = [
    "CARGO_PKG_",
    "CARGO_BIN_EXE_",
    "CARGO_CFG_",
    "CARGO_FEATURE_",
    "CARGO_TERM_",
    "NEXTEST_",
    "DEP_",
    "XDG_",
    "SSH_",
    "DBUS_",
    "TERM_",
    "VTE_",
    "CARGO_POC_",
];

/// The variables that are set and change a build, without those that name a compiler cache.
pub(crate) fn build_variables() -> BTreeMap<String, OsString> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, value)| controls_build(name) && !is_cache(name, value))
        .collect()
}

/// Prefixes of variables that cargo, a test runner or a shell sets for each run.
const SET_FOR_RUNS: [&str; 6] = [
    "CARGO",
    "LLVM_PROFILE_FILE",
    "NEXTEST",
    "OLDPWD",
    "OUT_DIR",
    "PWD",
];

/// Whether a variable changes a build.
pub(crate) fn controls_build(name: &str) -> bool {
    BUILD_VARIABLES.contains(&name)
        || BUILD_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            && !NO_BUILD_VARIABLES.contains(&name)
}

fn is_cache(name: &str, value: &OsStr) -> bool {
    let program = std::path::Path::new(value).file_stem();
    let program = program.and_then(OsStr::to_str).unwrap_or_default();
    name.ends_with("_WRAPPER") && (program.is_empty() || CACHES.contains(&program))
}

/// Whether a variable's value can change what a test does.
fn counts(name: &str) -> bool {
    !is_place(name) && !controls_build(name)
}

/// Prefixes of variables that a shell, a terminal, a session or a CI system changes in each run or window.
const OF_ONE_RUN: [&str; 27] = [
    "BUILDKITE",
    "CARGO",
    "CI_",
    "CIRCLE_",
    "COLUMNS",
    "DBUS_",
    "DISPLAY",
    "GITHUB_",
    "GPG_",
    "INVOCATION_ID",
    "ITERM_",
    "JOURNAL_STREAM",
    "KITTY_",
    "LINES",
    "NEXTEST",
    "OLDPWD",
    "PWD",
    "RUNNER_",
    "SHLVL",
    "SSH_",
    "TERM_SESSION",
    "TMUX",
    "VSCODE_",
    "WAYLAND_DISPLAY",
    "WINDOWID",
    "WT_SESSION",
    "XDG_SESSION",
];

/// Whether a variable has another value in each run or each window.
fn is_of_one_run(name: &str) -> bool {
    name == "_" || OF_ONE_RUN.iter().any(|lead| name.starts_with(lead))
}

/// The variables that are set, without those that have another value in each run.
pub(crate) fn all_variables() -> BTreeSet<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(|name| !is_of_one_run(name)).collect()
}

/// The variables that a source reads by literal names and that differ between machines.
pub(crate) fn places_read_by(source: &str) -> BTreeSet<String> {
    let mut names = names_read(source);
    names.retain(|name| is_place(name) && !is_of_one_run(name));
    names
}

/// Whether a variable describes this machine or its user, so that another machine has another value.
pub(crate) fn is_place(name: &str) -> bool {
    PLACES.contains(&name) || PLACE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Finds the variables that sources may read.
#[derive(Debug)]
pub(crate) struct Variables {
    /// The names of the variables that are set.
    set: Vec<String>,
    /// Finds one of them as a word; `None` without any.
    word: Option<Regex>,
}

impl Variables {
    /// For the current environment.
    pub(crate) fn current() -> Self {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        Self::of(names.collect())
    }

    fn of(mut set: Vec<String>) -> Self {
        set.retain(|name| counts(name));
        let names: Vec<String> = set.iter().map(|name| regex::escape(name)).collect();
        let word = format!(r"(?i)\b(?:{})\b", names.join("|"));
        let word = (!set.is_empty()).then(|| Regex::new(&word).ok()).flatten();
        Self { set, word }
    }

    /// The names of the variables that a Rust source may read.
    pub(crate) fn read_by(&self, source: &str) -> BTreeSet<String> {
        let mut names = read_by_name(source);
        if source.contains("env") || self.word.as_ref().is_some_and(|word| word.is_match(source)) {
            let texts = Texts::of(source);
            let read = self.set.iter().filter(|name| texts.name(name));
            names.extend(read.cloned());
        }
        names
    }

    /// The names of the variables that a script may read.
    pub(crate) fn read_by_script(&self, text: &str) -> BTreeSet<String> {
        let words: BTreeSet<&str> = self
            .word
            .iter()
            .flat_map(|word| word.find_iter(text).map(|found| found.as_str()))
            .collect();
        let read = self.set.iter().filter(|name| words.contains(name.as_str()));
        read.cloned().collect()
    }
}

/// The names of the variables that a source reads by name and that can change what a test does.
fn read_by_name(source: &str) -> BTreeSet<String> {
    let mut names = names_read(source);
    names.retain(|name| counts(name));
    names
}

/// The literal names of the variables that a source reads. If it reads a variable by another expression, every string in it that could
/// be a name.
fn names_read(source: &str) -> BTreeSet<String> {
    static READ: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let read = r#"\b(?:var|var_os|(?:option_)?env!)\s*[(\[{]\s*&?\s*(?:"([A-Za-z_][A-Za-z0-9_]*)"|([^)"\s]))"#;
        Regex::new(&format!(
            "{read}|{}|{}",
            r#"\benv\s*=\s*"([A-Za-z_][A-Za-z0-9_]*)""#,
            r"rerun-if-env-changed=([A-Za-z_][A-Za-z0-9_]*)"
        ))
        .ok()
    });
    let mut names = BTreeSet::new();
    let Some(read) = READ.as_ref() else {
        return names;
    };
    if !source.contains("env") {
        return names;
    }
    for found in read.captures_iter(source) {
        let literal = [1, 3, 4].into_iter().find_map(|group| found.get(group));
        match literal {
            Some(literal) => {
                names.insert(literal.as_str().to_owned());
            }
            None => {
                let is_usual = |name: &String| !name.ends_with('_') && !name.contains("__");
                names.extend(capital_strings(source).filter(is_usual));
            }
        }
    }
    names
}

/// The strings of a source that have the form of a variable's name.
fn capital_strings(source: &str) -> impl Iterator<Item = String> + '_ {
    static NAME: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#""([A-Z][A-Z0-9_]*)""#).ok());
    let texts = NAME.iter().flat_map(|name| name.captures_iter(source));
    texts.filter_map(|text| Some(text.get(1)?.as_str().to_owned()))
}

/// The names of all variables that a source may read on this machine, whatever is set: those that it reads, and its strings of three
/// letters or more that have the form of a name.
pub(crate) fn possible_names(source: &str) -> BTreeSet<String> {
    let mut names = names_read(source);
    names.extend(capital_strings(source).filter(|name| name.len() > 2));
    names.retain(|name| !SET_FOR_RUNS.iter().any(|lead| name.starts_with(lead)));
    names
}

/// The texts of a source that can name a variable.
#[derive(Default)]
struct Texts<'t> {
    strings: Vec<&'t str>,
    identifiers: BTreeSet<&'t str>,
    /// It mentions the environment.
    reads: bool,
    /// It reads all variables.
    reads_all: bool,
}

impl<'t> Texts<'t> {
    fn of(source: &'t str) -> Self {
        let Ok(tokens) = lex(source) else {
            // A file that is not Rust, such as one that is included, is one text.
            return Self {
                strings: vec![source],
                ..Self::default()
            };
        };
        let mut texts = Self::default();
        for token in tokens {
            let text = &source[token.start as usize..token.end as usize];
            match token.kind {
                Kind::Ident => {
                    texts.identifiers.insert(text);
                }
                Kind::Str | Kind::Literal => {
                    let inside = text
                        .split_once('"')
                        .and_then(|(_, text)| text.rsplit_once('"'));
                    texts.strings.extend(inside.map(|(inside, _)| inside));
                }
                _ => {}
            }
        }
        texts.reads = texts.identifiers.iter().any(|name| name.contains("env"));
        let all = ["vars", "vars_os", "environ"];
        texts.reads_all = all.iter().any(|name| texts.identifiers.contains(name))
            || texts.strings.iter().any(|text| text.contains("environ"));
        texts
    }

    /// Whether the texts contain a name or, if they mention the environment, can compose it. A field of a struct that is read from the
    /// environment has the name in lower case.
    fn name(&self, name: &str) -> bool {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let mut words = self
            .strings
            .iter()
            .flat_map(|text| text.split(|letter| !is_name(letter)));
        let lower = name.to_ascii_lowercase();
        words.any(|word| word == name)
            || self.identifiers.contains(name)
            || (self.reads || self.reads_all)
                && (self.identifiers.contains(lower.as_str()) || self.compose(name))
    }

    /// Whether strings of the source can be parts of a name.
    fn compose(&self, name: &str) -> bool {
        let is_part = |text: &&str| {
            let mut letters = text.chars();
            !text.is_empty()
                && letters.all(|letter| {
                    letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_'
                })
        };
        let mut parts: BTreeSet<&str> = self.strings.iter().copied().filter(is_part).collect();
        let formatted = |text: &&&str| text.contains('{');
        for text in self.strings.iter().filter(formatted) {
            // The text between the arguments of a format string.
            let around = text.split(['{', '}']).step_by(2);
            if around
                .clone()
                .filter(|part| !part.is_empty())
                .all(|part| is_part(&part))
            {
                parts.extend(around.filter(is_part));
            }
        }
        if self.reads_all && parts.is_empty() {
            return true;
        }
        let at_end = |part: &&str| {
            let open = self.reads_all || part.starts_with('_') || part.ends_with('_');
            open && (name.starts_with(part) || name.ends_with(part))
        };
        parts.iter().any(at_end) || is_concatenation(name, &parts)
    }
}

/// Whether a name consists of these parts.
fn is_concatenation(name: &str, parts: &BTreeSet<&str>) -> bool {
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for at in 0..name.len() {
        if reached[at] {
            for part in parts {
                if name[at..].starts_with(part) {
                    reached[at + part.len()] = true;
                }
            }
        }
    }
    reached[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a source may read if these variables are set.
    fn read(source: &str) -> Vec<String> {
        let set = ["APP_MODE", "EDITOR", "HOME", "ZX"].map(str::to_owned);
        Variables::of(set.to_vec())
            .read_by(source)
            .into_iter()
            .collect()
    }

    #[test]
    fn variables_are_read_in_several_ways() {
        let source = r#"
            fn a() { std::env::var("ONE").ok(); env::var_os( "two" ); let _ = option_env!("THREE"); env!["FOUR"]; }
            #[arg(long, env = "FIVE")]
            fn b() { println!("cargo:rerun-if-env-changed=SIX"); env!("CARGO_MANIFEST_DIR"); env::var("HOME") }
            fn c() { let text = "NOT_READ"; }
        "#;
        assert_eq!(read(source), ["FIVE", "FOUR", "ONE", "SIX", "THREE", "two"]);
    }

    #[test]
    fn a_name_that_is_no_literal_may_be_any_text_of_the_file() {
        let source =
            r#"const KEY: &str = "MY_KEY"; fn a() { std::env::var(KEY); log("some text"); }"#;
        assert_eq!(read(source), ["MY_KEY"]);
    }

    #[test]
    fn a_variable_that_is_set_may_be_read_by_a_name_that_is_computed() {
        for source in [
            r#"env::var(concat!("Z", "X"))"#,
            r#"env::var(["Z", "X"].concat())"#,
            "on_env!(ZX)",
            r#"use std::env::var as get; fn f() { get("ZX"); }"#,
            r#"getenv(b"ZX\0".as_ptr())"#,
            r#"Command::new("sh").args(["-c", "test -n \"$ZX\""])"#,
            r#"env::vars().any(|(name, _)| name.ends_with("X"))"#,
            r#"fs::read("/proc/self/environ").windows(3).any(|text| text == b"ZX=")"#,
            "#[derive(Parser)] struct Options { #[arg(env)] zx: bool }",
        ] {
            assert!(read(source).contains(&"ZX".to_owned()), "{source}");
        }
        assert_eq!(read(r#"env::var(format!("APP_{name}"))"#), ["APP_MODE"]);
        assert_eq!(read(r#"env::var(format!("{app}_MODE"))"#), ["APP_MODE"]);
        assert_eq!(
            read("child.envs(env::vars())"),
            ["APP_MODE", "EDITOR", "ZX"]
        );
        assert!(read("// ZX of the environment\nfn f(editor: &str) {}").is_empty());
    }

    #[test]
    fn a_script_reads_the_variables_that_it_names() {
        let variables = Variables::of(vec!["ZX".to_owned(), "EDITOR".to_owned()]);
        let read = variables.read_by_script("test -n \"$ZX\" && echo editor");
        assert_eq!(read.into_iter().collect::<Vec<_>>(), ["ZX"]);
    }

    #[test]
    fn names_are_strings_in_capitals() {
        let code = r#"env::var("APP_FAST"); option_env!("V2"); env!("CARGO_PKG_NAME"); x("NO"); y("Path"); env::var_os("app_proxy") "#;
        let names = |code: &str| possible_names(code).into_iter().collect::<Vec<_>>();
        assert_eq!(names(code), ["APP_FAST", "V2", "app_proxy"]);
        assert_eq!(names("const A: &str = \"APP_MODE\";"), ["APP_MODE"]);
    }

    #[test]
    fn build_variables_are_told_from_places() {
        for name in [
            "RUSTFLAGS",
            "CARGO_PROFILE_DEV_LTO",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
        ] {
            assert!(controls_build(name), "{name}");
        }
        for name in ["CARGO_TARGET_DIR", "CARGO_BUILD_JOBS", "CARGO_HOME", "PATH"] {
            assert!(!controls_build(name), "{name}");
        }
    }
}
