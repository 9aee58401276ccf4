//! The references in strings: their text may be code, a name, or a command line.

use std::ops::Range;

use super::{Collector, REGISTERING, WritesCode};
use crate::affected::items::builtins::{is_keyword, is_known_macro};
use crate::affected::items::extract::model::{ALL, flag};
use crate::affected::items::file_reads::is_compared;
use crate::affected::items::outside_effects;
use crate::workspace::source::attribute::unquote;
use crate::workspace::source::lex::Kind;
use crate::workspace::source::syntax::Syntax;

impl Collector<'_, '_, '_> {
    pub(super) fn note_text(&mut self, at: u32) {
        self.hints.text(self.syntax, at);
        let text = self.syntax.word(at);
        self.flags |= outside_effects::of_text(text);
        self.runs_tools |= outside_effects::holds_tool_command(text);
        if self.writes_code == WritesCode::No {
            let text = unquote(text);
            if may_be_code(&text) && !is_compared(self.syntax, at) {
                let names = names_of(&text).map(|name| self.table.intern(name));
                self.names_in_text.extend(names);
            }
        } else {
            self.written_code(&unquote(text));
            self.written_name(at);
        }
        if text.contains("CARGO_BIN_EXE") {
            self.flags |= flag::SPAWNS;
        }
        if matches!(
            text,
            "\"cargo\"" | "\"rustc\"" | "\"CARGO\"" | "\"RUSTC\"" | "\"rustdoc\""
        ) {
            self.flags |= flag::RUNS_CARGO;
        }
    }

    /// Generated code in a string: the names in it, and those that it composes.
    pub(super) fn written_code(&mut self, text: &str) {
        if text.contains("impl") {
            self.flags |= flag::WRITES_IMPL;
        }
        let registers = REGISTERING.iter().any(|word| text.contains(word));
        if registers || self.writes_code == WritesCode::Included && calls_unknown_macro(text) {
            self.flags |= flag::WRITES_ROOT;
        }
        if !is_code(text) || self.writes_code != WritesCode::Names {
            return;
        }
        let mut composed = vec![self.table.intern("{"); 3];
        for name in names_of(text) {
            let start = name.as_ptr() as usize - text.as_ptr() as usize;
            let (before, after) = (&text[..start], &text[start + name.len()..]);
            let symbol = self.table.intern(name);
            if before.ends_with('}') || after.starts_with('{') && !after.starts_with("{{") {
                composed.push(symbol);
            } else {
                self.unresolved.insert(symbol);
            }
        }
        if composed.len() > 3 {
            self.macro_calls.insert(composed);
        }
    }

    /// A name by itself in a string of a procedural macro, which does not compare it with another: it may be a name in code,
    /// or a part of one.
    pub(super) fn written_name(&mut self, at: u32) {
        let syntax = self.syntax;
        let name = unquote(syntax.word(at));
        let is_name = names_of(&name).next() == Some(name.as_str());
        if !is_name || self.writes_code != WritesCode::Names || is_compared(syntax, at) {
            return;
        }
        let before = at.saturating_sub(2);
        let asked = syntax
            .ident(before)
            .is_some_and(|word| word.starts_with("is_"));
        let equals = |at: u32| {
            let compares = syntax.is(at, b'=') || syntax.is(at, b'!');
            compares && syntax.is(at + 1, b'=') || syntax.is(at, b'=') && syntax.is(at + 1, b'>')
        };
        // `Some("a" | "b") =>`
        let is_close = |at: u32| {
            let kind = syntax.token(at).map(|token| token.kind);
            matches!(kind, Some(Kind::Close(_)))
        };
        let matched = equals(at + 1)
            || is_close(at + 1) && equals(at + 2)
            || syntax.is(at + 1, b'|')
            || at > 1 && (equals(before) || syntax.is(at - 1, b'|'));
        if asked || matched {
            return;
        }
        let symbol = self.table.intern(&name);
        self.unresolved.insert(symbol);
        // `name + "Builder"`, `name.push_str("Builder")`
        let joined = at > 1
            && (syntax.is(at - 1, b'+')
                || matches!(syntax.ident(before), Some("push_str" | "insert_str")));
        if !joined && !name.starts_with('_') && !name.ends_with('_') {
            return;
        }
        let composed = vec![self.table.intern("{"); 3];
        self.macro_calls.insert([composed, vec![symbol]].concat());
    }

    pub(super) fn names_in(&mut self, text: &str) {
        let Ok(code) = Syntax::read(text) else { return };
        let end = u32::try_from(code.tokens.len()).unwrap_or(u32::MAX);
        for at in 0..end {
            if let Some(name) = code.ident(at) {
                let symbol = self.table.intern(name);
                self.unresolved.insert(symbol);
            }
        }
        self.modules_in(&code, 0..end);
    }

    /// Paths in the input of an attribute may name modules, whose functions its macro calls by its own names, as in `#[serde(with = "path")]`.
    pub(super) fn modules_in(&mut self, code: &Syntax<'_>, range: Range<u32>) {
        let mut path = Vec::new();
        for at in range {
            let Some(name) = code.ident(at) else { continue };
            path.push(self.table.intern(name));
            if !code.colons(at + 1) {
                path.push(self.table.intern(ALL));
                self.paths.insert(std::mem::take(&mut path));
            }
        }
    }
}

fn is_code(text: &str) -> bool {
    text.contains(['(', '{']) || text.contains("::") || text.contains("fn ")
}

/// Whether a text is code, or a name by itself.
fn may_be_code(text: &str) -> bool {
    is_code(text) || names_of(text).next() == Some(text)
}

/// The words of a text that may be names.
pub(super) fn names_of(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c != '_' && !c.is_alphanumeric());
    words.filter(|word| {
        word.starts_with(|c: char| c == '_' || c.is_alphabetic()) && !is_keyword(word)
    })
}

/// Whether code in a text calls a macro that may register something.
fn calls_unknown_macro(text: &str) -> bool {
    let calls = text.match_indices('!').filter(|(at, _)| {
        let rest = text[at + 1..].trim_start();
        rest.starts_with(['(', '{', '['])
    });
    let mut names = calls.map(|(at, _)| {
        let before = &text[..at];
        let is_part = |c: char| c == '_' || c.is_alphanumeric();
        &before[before.trim_end_matches(is_part).len()..]
    });
    names.any(|name| !name.is_empty() && !is_known_macro(name))
}
