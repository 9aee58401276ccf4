//! The environment variables that tests depend on, as hashes of their values.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use crate::workspace::source::lex::{Kind, lex};
use crate::workspace::variables::{build_variables, possible_names};

/// A hash of each variable's value; empty if it is not set.
pub type Environment = BTreeMap<String, String>;

/// The current variables that control builds, and those that these files, relative to `root`, may read.
#[must_use]
pub fn of_files(root: &Utf8Path, files: &[String]) -> Environment {
    let mut names: BTreeSet<String> = build_variables().into_keys().collect();
    for file in files {
        let Ok(bytes) = std::fs::read(root.join(file)) else {
            continue;
        };
        names.extend(possible_names(&String::from_utf8_lossy(&bytes)));
    }
    let value = |name: String| {
        let hash = hash_of(&name);
        (name, hash)
    };
    names.into_iter().map(value).collect()
}

/// The first variable whose value differs.
#[must_use]
pub fn difference(environment: &Environment) -> Option<String> {
    let mut known = environment.iter();
    let changed = known.find(|(name, hash)| hash_of(name) != **hash);
    changed.map(|(name, _)| name.clone()).or_else(|| {
        let now = build_variables();
        now.into_keys().find(|name| !environment.contains_key(name))
    })
}

/// How a source reads environment variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// Only by names whose values [`difference`] compares.
    Compared,
    /// Also the paths of programs that cargo builds for the tests.
    Programs,
    /// In another way.
    Other,
}

/// How a source reads environment variables. `compared` are the variables whose values were stored.
pub(super) fn reads(source: &str, compared: &Environment) -> Reads {
    let Ok(tokens) = lex(source) else {
        return Reads::Other;
    };
    let text = |at: usize| {
        let token = tokens.get(at)?;
        source.get(token.start as usize..token.end as usize)
    };
    let mut reads = Reads::Compared;
    for (at, token) in tokens.iter().enumerate() {
        let after = match text(at).filter(|_| token.kind == Kind::Ident) {
            Some("vars" | "vars_os" | "getenv" | "dotenv" | "dotenvy" | "envy") => {
                return Reads::Other;
            }
            Some("var" | "var_os") => at + 1,
            Some("option_env") => at + 2,
            _ => continue,
        };
        let name = match [text(after), text(after + 1), text(after + 2)] {
            [Some("("), Some(literal), Some(")")] => literal.strip_prefix('"'),
            _ => None,
        };
        match name.and_then(|name| name.strip_suffix('"')) {
            Some(name) if compared.contains_key(name) => {}
            Some(name) if name.starts_with("CARGO_BIN_EXE_") => reads = Reads::Programs,
            _ => return Reads::Other,
        }
    }
    reads
}

fn hash_of(name: &str) -> String {
    std::env::var_os(name).map_or_else(String::new, |value| {
        blake3::hash(value.as_encoded_bytes()).to_hex()[..16].to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_literal_names_of_stored_variables_are_compared() {
        let stored = Environment::from([("APP".to_owned(), String::new())]);
        let of = |source: &str| reads(source, &stored);
        assert_eq!(of("fn f() { std::env::var(\"APP\"); }"), Reads::Compared);
        assert_eq!(
            of("fn f() { var_os(\"APP\"); var(\"CARGO_BIN_EXE_app\") }"),
            Reads::Programs
        );
        for other in [
            "fn f() { env::var(\"OTHER\") }",
            "fn f() { env::var(concat!(\"A\", \"PP\")) }",
            "fn f() { env::var(\"APP\").or(env::var(name)) }",
            "use std::env::var; fn f() { get(var) }",
            "fn f() { env::vars() }",
            "fn f() { option_env!(\"CARGO_PKG_NAME\") }",
            "fn f() { \"",
        ] {
            assert_eq!(of(other), Reads::Other, "{other}");
        }
    }
}
