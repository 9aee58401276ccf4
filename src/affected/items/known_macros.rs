//! A table of external macros whose expansion is known, with sources.
//!
//! A macro that is not listed here may define any name, call any function in scope, and register code that is live without being named.
//! Each entry was checked in the documentation of its crate on docs.rs: attributes and derives listed here change only their item and
//! implement only traits of their own crate for it; macros listed here define and call only names in their input. Deliberately not listed:
//! `derive_builder`, `askama`, `async_graphql`, `pyo3`, `cucumber`, `mockall`, `inventory`, `linkme`, `ctor`, `wasm_bindgen`, `cached`,
//! `enum_dispatch`, `getset`, `diesel` and `tonic`, all of which generate names or callers.

mod table;

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use table::{COMPOSING, KNOWN, Known};

/// The content of a macro's expansion besides the names in its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expansion {
    /// Nothing: it calls and defines names in the input.
    Named,
    /// Names composed of those in the input.
    Composed,
    /// The output of a procedural macro of the workspace: composed names, and names in its source.
    Workspace,
    /// What a procedural macro of the workspace writes that takes names from elsewhere: any name.
    Opaque,
    /// Anything.
    Unknown,
}

impl Expansion {
    /// Whether it may hold names that stand neither in the input nor in a source that is read.
    pub(super) fn names_anything(self) -> bool {
        matches!(self, Self::Opaque | Self::Unknown)
    }
}

/// What is known of macros of a name, from whichever crate.
pub(super) fn macro_expansion(name: &str) -> Expansion {
    if COMPOSING.iter().any(|(_, known)| *known == name) {
        return Expansion::Composed;
    }
    named_if(MACROS.contains_key(name))
}

/// The crates that export a known macro of this name.
pub(super) fn macro_crates(name: &str) -> &'static [&'static str] {
    MACROS.get(name).map_or(&[], Vec::as_slice)
}

/// What is known of attributes and derives of a name, from whichever crate.
pub(super) fn attribute_expansion(name: &str) -> Expansion {
    named_if(ATTRIBUTES.contains_key(name))
}

/// The crates that export a known attribute or derive of this name.
pub(super) fn attribute_crates(name: &str) -> &'static [&'static str] {
    ATTRIBUTES.get(name).map_or(&[], Vec::as_slice)
}

/// The crates of the standard library.
pub(super) fn is_standard_crate(name: &str) -> bool {
    matches!(name, "std" | "core" | "alloc")
}

fn named_if(known: bool) -> Expansion {
    if known {
        Expansion::Named
    } else {
        Expansion::Unknown
    }
}

/// The crates that export a name.
type ByName = FxHashMap<&'static str, Vec<&'static str>>;

static ATTRIBUTES: LazyLock<ByName> = LazyLock::new(|| by_name(|known| known.attributes));
static MACROS: LazyLock<ByName> = LazyLock::new(|| {
    let mut found = by_name(|known| known.macros);
    for (of, name) in COMPOSING {
        found.entry(name).or_default().push(of);
    }
    found
});

fn by_name(list: fn(&Known) -> &'static [&'static str]) -> ByName {
    let mut found = ByName::default();
    for known in KNOWN {
        for name in list(known) {
            found.entry(name).or_default().extend(known.crates);
        }
    }
    found
}

/// Derives of the standard library.
pub(super) fn is_standard_derive(name: &str) -> bool {
    matches!(
        name,
        "Debug" | "Clone" | "Copy" | "PartialEq" | "Eq" | "PartialOrd" | "Ord" | "Hash" | "Default"
    )
}

/// Whether a name contains `test` as a word, as test attributes do: `db_test`, but not `latest`.
pub(super) fn names_a_test(name: &str) -> bool {
    name.split('_')
        .any(|word| matches!(word, "test" | "tests" | "testcase" | "rstest" | "gtest"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_known_only_from_its_crate() {
        assert_eq!(macro_expansion("info"), Expansion::Named);
        assert_eq!(macro_expansion("paste"), Expansion::Composed);
        assert_eq!(macro_expansion("other"), Expansion::Unknown);
        assert!(macro_crates("info").contains(&"log") && !macro_crates("info").contains(&"other"));
        assert!(
            macro_crates("paste").contains(&"paste") && !macro_crates("paste").contains(&"log")
        );
        assert_eq!(attribute_expansion("Serialize"), Expansion::Named);
        assert_eq!(attribute_expansion("Object"), Expansion::Unknown);
        assert!(!attribute_crates("Serialize").contains(&"other"));
    }

    #[test]
    fn test_attribute_contains_the_word_test() {
        assert!(names_a_test("test") && names_a_test("__private_axum_test"));
        assert!(!names_a_test("latest") && !names_a_test("attest"));
    }
}
