//! Whether the body of a function can fail a test: it asserts, panics, unwraps, or calls something in its file that does.

use std::collections::HashSet;
use std::ops::Range;

use super::syntax::{ItemKind, RawItem, Syntax};

/// Macros that end a test.
const MACROS: [&str; 6] = [
    "bail",
    "ensure",
    "panic",
    "todo",
    "unimplemented",
    "unreachable",
];
/// Methods that panic.
const METHODS: [&str; 4] = ["expect", "expect_err", "unwrap", "unwrap_err"];
/// Parts of the names of functions and macros that check something, wherever they are defined.
const WORDS: [&str; 9] = [
    "assert", "check", "compare", "expect", "must", "prove", "should", "snapshot", "verify",
];

/// The functions and macros of a file whose bodies can fail a test.
pub struct Assertions<'s>(HashSet<&'s str>);

impl<'s> Assertions<'s> {
    /// Collects them.
    #[must_use]
    pub fn of(syntax: &'s Syntax<'_>) -> Self {
        let callables: Vec<(&str, Range<u32>)> = syntax
            .items
            .iter()
            .filter(|item| matches!(item.kind, ItemKind::Fn | ItemKind::Macro))
            .filter_map(|item| Some((syntax.word(item.name?), item.body.clone()?)))
            .collect();
        let mut known = Self(HashSet::new());
        loop {
            let before = known.0.len();
            for (name, body) in &callables {
                if !known.0.contains(name) && known.is_in(syntax, body.clone()) {
                    known.0.insert(name);
                }
            }
            if known.0.len() == before {
                return known;
            }
        }
    }

    /// Whether the body of an item can fail a test.
    #[must_use]
    pub fn are_in(&self, syntax: &Syntax<'_>, item: &RawItem) -> bool {
        let body = item.body.clone();
        body.is_some_and(|body| self.is_in(syntax, body))
    }

    fn is_in(&self, syntax: &Syntax<'_>, mut body: Range<u32>) -> bool {
        body.any(|at| {
            if syntax.is(at, b'?') {
                return true;
            }
            let Some(name) = syntax.ident(at) else {
                return false;
            };
            let is_macro = syntax.is(at + 1, b'!') && !syntax.is(at + 2, b'=');
            let opening = if is_macro { at + 2 } else { at + 1 };
            let is_method = at > 0 && syntax.is(at - 1, b'.');
            if is_macro && is_always_met(syntax, name, opening) {
                return false;
            }
            let called = is_macro || syntax.opens(opening, b'(');
            called
                && (is_macro && MACROS.contains(&name)
                    || is_method && METHODS.contains(&name)
                    || !is_method && self.0.contains(name)
                    || WORDS.iter().any(|word| name.to_lowercase().contains(word)))
        })
    }
}

/// `assert!(true)`, which can never fail.
fn is_always_met(syntax: &Syntax<'_>, name: &str, opening: u32) -> bool {
    matches!(name, "assert" | "debug_assert")
        && syntax.ident(opening + 1) == Some("true")
        && (syntax.is(opening + 2, b',') || syntax.after(opening) == opening + 3)
}
