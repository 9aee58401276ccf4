//! `cfg` predicates: parsed once from the source, evaluated for each build configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::attribute::{Attribute, commas, string_value};
use super::syntax::Syntax;

/// Whether an item is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compiled {
    /// Never in this build.
    No,
    /// Undecided: it depends on a feature or flag whose value is unknown.
    Perhaps,
    /// Always.
    Yes,
}

impl Compiled {
    /// Both conditions together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Perhaps,
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Perhaps => Self::Perhaps,
            Self::Yes => Self::No,
        }
    }

    fn known(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// Options without a known value that rustc or a tool sets. Source: `rustc --print check-cfg`, cargo-llvm-cov and cargo-fuzz.
const BY_RUSTC: [&str; 16] = [
    "clippy",
    "coverage",
    "coverage_nightly",
    "fmt_debug",
    "fuzzing",
    "overflow_checks",
    "panic",
    "proc_macro",
    "relocation_model",
    "rustfmt",
    "sanitize",
    "sanitizer_cfi_generalize_pointers",
    "sanitizer_cfi_normalize_integers",
    "ub_checks",
    "version",
    "accessible",
];

/// The build that a `cfg` is evaluated for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// `cargo test` of this target.
    Test,
    /// rustdoc collecting documentation tests.
    Doctest,
    /// The target as a dependency of other targets: neither `test` nor `doctest` is set.
    Plain,
    /// Any build of `cargo test`: `test`, `doctest` and `doc` are undecided.
    Any,
}

/// A `cfg` predicate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Predicate {
    /// `all(…)`.
    All(Vec<Self>),
    /// `any(…)`.
    Any(Vec<Self>),
    /// `not(…)`.
    Not(Box<Self>),
    /// `unix`, `test`, `true`.
    Name(String),
    /// `feature = "x"`.
    Value(String, String),
    /// Not a predicate that rustc documents.
    Unknown,
}

/// The values of `cfg` options in the builds of one package.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CfgOptions {
    /// Features by name; `None` if the features of the package are unknown.
    pub features: Option<Features>,
    /// The target's options by key, from `rustc --print cfg`; missing keys are undecided.
    pub target: BTreeMap<String, BTreeSet<String>>,
    /// Names such as `unix` that are set.
    pub names: BTreeSet<String>,
    /// Names that are not set.
    pub unset: BTreeSet<String>,
    /// Other names and keys that flags or the build script may set; `None` if they are unknown.
    pub possible: Option<BTreeSet<String>>,
    /// `debug_assertions`, if the profile determines it.
    pub debug_assertions: Option<bool>,
}

/// The features of one package.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Features {
    /// Enabled in every build of the package.
    pub on: BTreeSet<String>,
    /// Enabled in some of its builds, for the host or the target.
    pub undecided: BTreeSet<String>,
    /// Whether other features may be enabled as well, because an external dependency may request them.
    pub open: bool,
}

impl CfgOptions {
    /// The options of this machine's platform, with every feature undecided.
    #[must_use]
    pub fn host() -> Self {
        use std::env::consts;
        let endian = if cfg!(target_endian = "little") {
            "little"
        } else {
            "big"
        };
        let target = [
            ("target_os", consts::OS),
            ("target_family", consts::FAMILY),
            ("target_arch", consts::ARCH),
            ("target_pointer_width", &usize::BITS.to_string()),
            ("target_endian", endian),
            ("panic", "unwind"),
        ];
        let families = ["unix", "windows"];
        let (names, unset): (Vec<&str>, Vec<&str>) =
            families.iter().partition(|name| **name == consts::FAMILY);
        Self {
            features: None,
            target: target
                .into_iter()
                .map(|(key, value)| (key.to_owned(), BTreeSet::from([value.to_owned()])))
                .collect(),
            names: names.into_iter().map(str::to_owned).collect(),
            unset: unset
                .into_iter()
                .chain(["miri", "loom", "docsrs"])
                .map(str::to_owned)
                .collect(),
            possible: None,
            debug_assertions: Some(true),
        }
    }

    /// Parses the output of `rustc --print cfg --target …`.
    #[must_use]
    pub fn printed(text: &str) -> Self {
        let mut options = Self {
            unset: ["unix", "windows", "miri", "loom", "docsrs"]
                .map(str::to_owned)
                .into(),
            debug_assertions: Some(true),
            ..Self::default()
        };
        for line in text.lines() {
            match line.split_once('=') {
                // The profile and flags may change these.
                Some(("panic" | "target_feature" | "target_has_atomic", _)) => {}
                Some((key, value)) => {
                    let values = options.target.entry(key.to_owned()).or_default();
                    values.insert(value.trim_matches('"').to_owned());
                }
                None => options.set(line),
            }
        }
        options
    }

    /// Sets a name, as `--cfg NAME` does.
    pub fn set(&mut self, name: &str) {
        if name != "debug_assertions" {
            self.unset.remove(name);
            self.names.insert(name.to_owned());
        }
    }

    fn value(&self, key: &str, value: &str) -> Compiled {
        if key == "feature" {
            return match &self.features {
                None => Compiled::Perhaps,
                Some(features) if features.on.contains(value) => Compiled::Yes,
                Some(features) if features.open || features.undecided.contains(value) => {
                    Compiled::Perhaps
                }
                Some(_) => Compiled::No,
            };
        }
        match self.target.get(key) {
            Some(values) => Compiled::known(values.contains(value)),
            None => self.unknown(key),
        }
    }

    /// The value of an option that is neither set nor unset: no flag and no build script sets most of them.
    fn unknown(&self, option: &str) -> Compiled {
        let by_rustc = BY_RUSTC.contains(&option) || option.starts_with("target_");
        match &self.possible {
            Some(possible) if !possible.contains(option) && !by_rustc => Compiled::No,
            _ => Compiled::Perhaps,
        }
    }

    fn name(&self, name: &str, build: Build) -> Compiled {
        match (name, build) {
            ("test" | "doctest" | "doc", Build::Any) => Compiled::Perhaps,
            ("test", _) => Compiled::known(build == Build::Test),
            ("doctest", _) => Compiled::known(build == Build::Doctest),
            ("doc" | "false", _) => Compiled::No,
            ("true", _) => Compiled::Yes,
            ("debug_assertions", _) => self
                .debug_assertions
                .map_or(Compiled::Perhaps, Compiled::known),
            _ if self.names.contains(name) => Compiled::Yes,
            _ if self.unset.contains(name) => Compiled::No,
            _ => self.unknown(name),
        }
    }
}

impl Predicate {
    /// Parses the predicate in a range of tokens.
    #[must_use]
    pub fn read(syntax: &Syntax, range: Range<u32>) -> Self {
        let at = range.start;
        let word = syntax.ident(at).unwrap_or("");
        if syntax.opens(at + 1, b'(') {
            let parts = commas(syntax, at + 2..syntax.after(at + 1) - 1);
            let mut parts: Vec<Self> = parts
                .into_iter()
                .map(|part| Self::read(syntax, part))
                .collect();
            return match (word, parts.len()) {
                ("all", _) => Self::All(parts),
                ("any", _) => Self::Any(parts),
                ("not", 1) => Self::Not(Box::new(parts.remove(0))),
                _ => Self::Unknown,
            };
        }
        if syntax.is(at + 1, b'=') {
            return match string_value(syntax, at + 2) {
                Some(value) => Self::Value(word.to_owned(), value),
                None => Self::Unknown,
            };
        }
        if word.is_empty() {
            Self::Unknown
        } else {
            Self::Name(word.to_owned())
        }
    }

    /// The conjunction of all `cfg` attributes among these; `None` without any.
    #[must_use]
    pub fn of(syntax: &Syntax, attributes: &[Attribute]) -> Option<Self> {
        let mut all = Vec::new();
        for attribute in attributes {
            if !attribute.is("cfg") || !syntax.opens(attribute.rest.start, b'(') {
                continue;
            }
            let range = attribute.rest.start + 1..attribute.rest.end - 1;
            let predicate = Self::read(syntax, range);
            // Each `cfg_attr` around it may not hold.
            let around = attribute.conditions.iter();
            let not = around.map(|outer| Self::Not(Box::new(Self::read(syntax, outer.clone()))));
            let mut any: Vec<Self> = not.chain([predicate]).collect();
            all.extend(if any.len() == 1 {
                any.pop()
            } else {
                Some(Self::Any(any))
            });
        }
        match all.len() {
            0 | 1 => all.pop(),
            _ => Some(Self::All(all)),
        }
    }

    /// The value with these options.
    #[must_use]
    pub fn evaluate(&self, options: &CfgOptions, build: Build) -> Compiled {
        let each = |parts: &[Self]| -> Vec<Compiled> {
            let parts = parts.iter();
            parts.map(|part| part.evaluate(options, build)).collect()
        };
        match self {
            Self::All(parts) => each(parts).into_iter().fold(Compiled::Yes, Compiled::and),
            Self::Any(parts) => each(parts).into_iter().fold(Compiled::No, Compiled::or),
            Self::Not(part) => part.evaluate(options, build).not(),
            Self::Name(name) => options.name(name, build),
            Self::Value(key, value) => options.value(key, value),
            Self::Unknown => Compiled::Perhaps,
        }
    }
}

/// The value of all `cfg` attributes among these on this machine's platform, with undecided features.
#[must_use]
pub fn compiled(syntax: &Syntax, attributes: &[Attribute], build: Build) -> Compiled {
    static HOST: LazyLock<CfgOptions> = LazyLock::new(CfgOptions::host);
    let predicate = Predicate::of(syntax, attributes);
    predicate.map_or(Compiled::Yes, |predicate| predicate.evaluate(&HOST, build))
}

#[cfg(test)]
mod tests {
    use super::super::attribute::attributes;
    use super::*;

    fn predicate(text: &str) -> Predicate {
        let text = format!("#[cfg({text})] fn f() {{}}");
        let syntax = Syntax::read(&text).unwrap();
        let own = attributes(&syntax, syntax.items[0].attributes.clone());
        Predicate::of(&syntax, &own).unwrap()
    }

    fn features(on: &[&str], undecided: &[&str], open: bool) -> CfgOptions {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        CfgOptions {
            features: Some(Features {
                on: set(on),
                undecided: set(undecided),
                open,
            }),
            ..CfgOptions::host()
        }
    }

    #[test]
    fn known_features_are_decided() {
        let options = features(&["a"], &["b"], false);
        let holds = |text: &str| predicate(text).evaluate(&options, Build::Any);
        assert_eq!(holds("feature = \"a\""), Compiled::Yes);
        assert_eq!(holds("feature = \"b\""), Compiled::Perhaps);
        assert_eq!(holds("feature = \"c\""), Compiled::No);
        assert_eq!(
            holds("any(feature = \"c\", not(feature = \"a\"))"),
            Compiled::No
        );
        assert_eq!(holds("all(test, feature = \"c\")"), Compiled::No);
        assert_eq!(holds("all(test, feature = \"a\")"), Compiled::Perhaps);
        assert_eq!(holds("tokio_unstable"), Compiled::Perhaps);
        assert_eq!(holds("accessible(::std::x)"), Compiled::Perhaps);
        let open = features(&["a"], &[], true);
        let open = predicate("feature = \"c\"").evaluate(&open, Build::Any);
        assert_eq!(open, Compiled::Perhaps);
    }

    #[test]
    fn other_target_has_other_options() {
        let wasm = CfgOptions::printed(
            "debug_assertions\npanic=\"abort\"\ntarget_arch=\"wasm32\"\ntarget_family=\"wasm\"\ntarget_os=\"unknown\"\n",
        );
        let holds = |text: &str| predicate(text).evaluate(&wasm, Build::Any);
        assert_eq!(holds("unix"), Compiled::No);
        assert_eq!(holds("target_family = \"wasm\""), Compiled::Yes);
        assert_eq!(
            holds("any(target_os = \"linux\", target_arch = \"arm\")"),
            Compiled::No
        );
        assert_eq!(holds("panic = \"unwind\""), Compiled::Perhaps);
        assert_eq!(holds("target_feature = \"simd128\""), Compiled::Perhaps);
        let mut loom = CfgOptions::host();
        assert_eq!(predicate("loom").evaluate(&loom, Build::Any), Compiled::No);
        loom.set("loom");
        assert_eq!(predicate("loom").evaluate(&loom, Build::Any), Compiled::Yes);
    }

    fn holds(text: &str, build: Build) -> Compiled {
        let text = format!("#[cfg({text})] fn f() {{}}");
        let syntax = Syntax::read(&text).unwrap();
        let attributes = attributes(&syntax, syntax.items[0].attributes.clone());
        compiled(&syntax, &attributes, build)
    }

    #[test]
    fn cfg_is_decided_by_the_source() {
        assert_eq!(holds("test", Build::Test), Compiled::Yes);
        assert_eq!(holds("test", Build::Doctest), Compiled::No);
        assert_eq!(
            holds("all(test, feature = \"a\")", Build::Test),
            Compiled::Perhaps
        );
        assert_eq!(
            holds("all(not(test), feature = \"a\")", Build::Test),
            Compiled::No
        );
        assert_eq!(holds("any(unix, windows)", Build::Test), Compiled::Yes);
        assert_eq!(
            holds(
                "not(any(feature = \"a\", target_os = \"none\"))",
                Build::Test
            ),
            Compiled::Perhaps
        );
    }
}
