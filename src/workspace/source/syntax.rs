//! Splits the tokens of a file into nested items with their attributes.
//!
//! It finds the start, the end and the name of items, and keeps bodies as tokens. Items in function bodies and in the input of macros are found
//! too, since both can contain modules, tests and `impl` blocks that the rest of the crate sees.

mod shape;

use super::lex::{Kind, LexProblem, Token, lex};
use std::ops::Range;

/// The kind of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum ItemKind {
    /// `fn`, free or a member.
    Fn,
    /// `const`, including `const _`.
    Const,
    /// `static`.
    Static,
    /// `struct`.
    Struct,
    /// `enum`.
    Enum,
    /// `union`.
    Union,
    /// `trait`, and a trait alias.
    Trait,
    /// `type`, free or associated.
    Type,
    /// `macro_rules!` or `macro`.
    Macro,
    /// `use`.
    Use,
    /// `extern crate`.
    ExternCrate,
    /// `mod`, inline or in a file.
    Mod,
    /// `extern "C" { … }`.
    Foreign,
    /// `impl … { … }`.
    Impl,
    /// A macro call in item position.
    Call,
}

/// No parent: the item is at the top level of the file.
pub const TOP: u32 = u32::MAX;

/// An item, as ranges of the file's tokens.
#[derive(Debug, Clone)]
pub struct RawItem {
    /// The kind of item.
    pub kind: ItemKind,
    /// Token of its name; none for `use`, `impl`, foreign blocks; the last path segment for a macro call.
    pub name: Option<u32>,
    /// Index of its parent (module, trait, `impl`, function, macro call), or [`TOP`].
    pub parent: u32,
    /// Tokens of outer docs and attributes.
    pub attributes: Range<u32>,
    /// Tokens from visibility to the end, without attributes.
    pub tokens: Range<u32>,
    /// Tokens between the brackets of its body, if it has one.
    pub body: Option<Range<u32>>,
}

/// A file as tokens and items.
#[derive(Debug)]
pub struct Syntax<'t> {
    /// The text all ranges refer to.
    pub text: &'t str,
    /// Every token.
    pub tokens: Vec<Token>,
    /// Every item, parents before children.
    pub items: Vec<RawItem>,
    /// Token ranges of the file's inner attributes and docs.
    pub inner: Vec<Range<u32>>,
    /// The start of each line.
    lines: Vec<u32>,
    /// First byte of text that is not an item; the text after it is not parsed.
    pub unread: Option<u32>,
}

impl<'t> Syntax<'t> {
    /// Parses a file. Fails only if it cannot be split into Rust tokens.
    pub fn read(text: &'t str) -> Result<Self, LexProblem> {
        let tokens = lex(text)?;
        let lines = memchr::memchr_iter(b'\n', text.as_bytes())
            .filter_map(|at| u32::try_from(at + 1).ok())
            .collect();
        let mut syntax = Self {
            text,
            tokens,
            items: Vec::new(),
            inner: Vec::new(),
            lines,
            unread: None,
        };
        let end = syntax.count();
        syntax.items_in(0, end, TOP);
        Ok(syntax)
    }

    /// The line of a byte, from 1.
    #[must_use]
    pub fn line(&self, byte: u32) -> u32 {
        let before = self.lines.partition_point(|start| *start <= byte);
        u32::try_from(before).map_or(u32::MAX, |before| before + 1)
    }

    /// The line on which a token starts, from 1.
    #[must_use]
    pub fn line_of(&self, token: u32) -> u32 {
        self.token(token).map_or(0, |token| self.line(token.start))
    }

    fn count(&self) -> u32 {
        u32::try_from(self.tokens.len()).unwrap_or(u32::MAX)
    }

    /// The token at `index`, if there is one.
    #[must_use]
    pub fn token(&self, index: u32) -> Option<&Token> {
        self.tokens.get(index as usize)
    }

    /// The text of the token at `index`; empty beyond the end.
    #[must_use]
    pub fn word(&self, index: u32) -> &'t str {
        self.token(index).map_or("", |token| {
            &self.text[token.start as usize..token.end as usize]
        })
    }

    /// Whether the token at `index` is the punctuation `byte`.
    #[must_use]
    pub fn is(&self, index: u32, byte: u8) -> bool {
        matches!(self.token(index), Some(token) if token.kind == Kind::Punct(byte))
    }

    /// Whether the token at `index` opens with `byte`.
    #[must_use]
    pub fn opens(&self, index: u32, byte: u8) -> bool {
        matches!(self.token(index), Some(token) if token.kind == Kind::Open(byte))
    }

    /// The identifier at `index`, if it is one.
    #[must_use]
    pub fn ident(&self, index: u32) -> Option<&'t str> {
        match self.token(index) {
            Some(token) if token.kind == Kind::Ident => Some(self.word(index)),
            _ => None,
        }
    }

    /// Whether `::` starts at `index`.
    #[must_use]
    pub fn colons(&self, index: u32) -> bool {
        self.is(index, b':') && self.is(index + 1, b':')
    }

    /// The index after the token or bracketed group at `index`.
    #[must_use]
    pub fn after(&self, index: u32) -> u32 {
        match self.token(index) {
            Some(token) if matches!(token.kind, Kind::Open(_)) => token.partner + 1,
            _ => index + 1,
        }
    }

    /// Index past the `<…>` that opens at `at`, or `end` if it does not end before that.
    #[must_use]
    pub fn after_angles(&self, mut at: u32, end: u32) -> u32 {
        let mut depth = 0_u32;
        while at < end {
            if self.is(at, b'<') {
                depth += 1;
            } else if self.is(at, b'>') && !self.is(at - 1, b'-') && !self.is(at - 1, b'=') {
                depth = depth.saturating_sub(1);
            }
            at = self.after(at);
            if depth == 0 {
                break;
            }
        }
        at
    }

    fn inside(&self, open: u32) -> Range<u32> {
        open + 1..self.token(open).map_or(open + 1, |token| token.partner)
    }

    /// Parses the range as items; stops at the first token that is not an item and records its position.
    fn items_in(&mut self, mut at: u32, end: u32, parent: u32) {
        while at < end {
            let inner_attribute = self.is_inner_attribute(at);
            if inner_attribute
                || matches!(self.token(at), Some(token) if token.kind == Kind::InnerDoc)
            {
                let next = if inner_attribute {
                    self.after(at + 2)
                } else {
                    at + 1
                };
                if parent == TOP {
                    self.inner.push(at..next);
                }
                at = next;
            } else if self.is(at, b';') {
                at += 1;
            } else if let Some(next) = self.item(at, end, parent) {
                at = next;
            } else {
                let place = self.token(at).map_or(0, |token| token.start);
                self.unread.get_or_insert(place);
                return;
            }
        }
    }

    fn is_inner_attribute(&self, at: u32) -> bool {
        self.is(at, b'#') && self.is(at + 1, b'!') && self.opens(at + 2, b'[')
    }

    /// Finds items at the start of statements in the range: in blocks, and in the input of macros.
    fn nested(&mut self, range: Range<u32>, parent: u32) {
        let mut at = range.start;
        let mut fresh = true;
        while at < range.end {
            if fresh && self.is_inner_attribute(at) {
                at = self.after(at + 2);
                continue;
            }
            if fresh && self.may_start(at) {
                let kept = self.items.len();
                let unread = self.unread;
                let next = self.item(at, range.end, parent);
                let is_item = self
                    .items
                    .get(kept)
                    .is_some_and(|item| item.kind != ItemKind::Call);
                // The input of a macro may look like an item with other content (`mod m { #( #all )* }`).
                if let Some(next) = next
                    && is_item
                    && self.unread == unread
                {
                    at = next;
                    continue;
                }
                self.unread = unread;
                self.items.truncate(kept);
            }
            let token = self.tokens[at as usize].kind;
            // A statement may start after an attribute; the attribute was tried together with the text after it.
            fresh = matches!(
                token,
                Kind::Punct(b';') | Kind::Open(b'{') | Kind::Close(b'}') | Kind::InnerDoc
            );
            at += 1;
        }
    }

    fn may_start(&self, at: u32) -> bool {
        match self.token(at).map(|token| token.kind) {
            Some(Kind::OuterDoc | Kind::Punct(b'#')) => true,
            Some(Kind::Ident) => matches!(
                self.word(at),
                "pub"
                    | "fn"
                    | "struct"
                    | "enum"
                    | "union"
                    | "trait"
                    | "mod"
                    | "use"
                    | "impl"
                    | "static"
                    | "const"
                    | "type"
                    | "macro_rules"
                    | "macro"
                    | "extern"
                    | "unsafe"
                    | "async"
                    | "default"
                    | "auto"
                    | "safe"
            ),
            _ => false,
        }
    }

    /// Parses an item that starts at `start`; returns the index after it, or `None` if this is not an item.
    fn item(&mut self, start: u32, end: u32, parent: u32) -> Option<u32> {
        let mut at = start;
        loop {
            if matches!(self.token(at), Some(token) if token.kind == Kind::OuterDoc) {
                at += 1;
            } else if self.is(at, b'#') && self.opens(at + 1, b'[') {
                at = self.after(at + 1);
            } else {
                break;
            }
        }
        let attributes = start..at;
        let first = at;
        if at >= end {
            return None;
        }
        if self.ident(at) == Some("pub") {
            at += 1;
            if self.opens(at, b'(')
                && matches!(self.word(at + 1), "crate" | "self" | "super" | "in")
            {
                at = self.after(at);
            }
        }
        let (keyword, at) = self.qualifiers(at, end)?;
        let found = self.shape(keyword, at, end)?;
        let index = u32::try_from(self.items.len()).ok()?;
        let tokens = first..found.end.min(end);
        self.items.push(RawItem {
            kind: found.kind,
            name: found.name,
            parent,
            attributes,
            tokens,
            body: found.body.clone(),
        });
        if let Some(body) = found.body {
            match found.kind {
                ItemKind::Mod | ItemKind::Trait | ItemKind::Impl | ItemKind::Foreign => {
                    self.items_in(body.start, body.end, index);
                }
                ItemKind::Fn | ItemKind::Const | ItemKind::Static | ItemKind::Call => {
                    self.nested(body, index);
                }
                _ => {}
            }
        }
        Some(found.end)
    }

    /// Skips qualifiers such as `default`, `async`, `unsafe`, `extern "C"`; returns the keyword (or first word) and the index after it.
    fn qualifiers(&self, mut at: u32, end: u32) -> Option<(&'t str, u32)> {
        while at < end {
            let word = if self.colons(at) { "" } else { self.ident(at)? };
            let next = self.ident(at + 1);
            let qualifies = match word {
                "async" | "unsafe" | "safe" | "default" | "auto" | "gen" => {
                    next.is_some()
                        || (word == "unsafe"
                            && matches!(self.token(at + 1), Some(token) if token.kind == Kind::Str))
                }
                "const" => matches!(
                    next,
                    Some("fn" | "async" | "unsafe" | "extern" | "trait" | "gen")
                ),
                "extern" => {
                    let string =
                        matches!(self.token(at + 1), Some(token) if token.kind == Kind::Str);
                    let past = at + 1 + u32::from(string);
                    if self.opens(past, b'{') || self.ident(past) == Some("crate") {
                        return Some(("extern", past));
                    }
                    at += u32::from(string);
                    true
                }
                _ => false,
            };
            if !qualifies {
                return Some((word, at + u32::from(!word.is_empty())));
            }
            at += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(text: &str) -> Vec<String> {
        let syntax = Syntax::read(text).unwrap();
        assert_eq!(syntax.unread, None, "{text}");
        let mut lines = Vec::new();
        for item in &syntax.items {
            let mut depth = 0;
            let mut parent = item.parent;
            while parent != TOP {
                depth += 1;
                parent = syntax.items[parent as usize].parent;
            }
            let name = item.name.map_or("", |name| syntax.word(name));
            lines.push(format!("{}{:?} {name}", " ".repeat(depth), item.kind));
        }
        lines
    }

    #[test]
    fn items_of_every_kind() {
        let text = r#"
            #![allow(x)]
            pub(crate) const unsafe extern "C" fn a<const N: usize, T: B<{ 1 }>>() -> [u8; { 2 }] where T: C, { }
            struct S(pub u8) where u8: Copy;
            pub enum E<T = ()> { A { x: u8 }, B }
            union U { a: u8 }
            unsafe auto trait T {}
            pub static mut X: u8 = { 1 };
            const _: () = { impl S { fn m(&self) {} } };
            type A<'a> = &'a dyn Fn() -> u8;
            use a::{b, c};
            extern crate core as k;
            unsafe extern "C" { safe fn f(); static V: u8; }
            macro_rules! r { () => {}; }
            macro d($x:ident) { $x }
            mod m { //! doc
                fn inner() {} }
            mod n;
            r! {}
            ::k::r!();
            impl<F: Fn() -> u8> !Send for G<F> where F: Fn() -> u8 {}
            "#;
        assert_eq!(
            outline(text),
            [
                "Fn a",
                "Struct S",
                "Enum E",
                "Union U",
                "Trait T",
                "Static X",
                "Const _",
                " Impl ",
                "  Fn m",
                "Type A",
                "Use ",
                "ExternCrate core",
                "Foreign ",
                " Fn f",
                " Static V",
                "Macro r",
                "Macro d",
                "Mod m",
                " Fn inner",
                "Mod n",
                "Call r",
                "Call r",
                "Impl "
            ]
        );
    }

    #[test]
    fn items_in_bodies_and_macro_input() {
        let text = "fn f() { let x = impl_me(); if x {} impl A for B { fn m() {} } #[cfg(a)] use c::d; const { 1 }; loop { static Q: u8 = 1; } }
            cfg_if! { if #[cfg(unix)] { mod u; #[test] fn t() {} } else { mod w; } }
            proptest! { #![config(1)] #[test] fn p(x in 0..1) { } }
            feature! { #![all(a, b)] /// D. #[c]
              pub trait T { fn m() {} } }
            rgtest!(name, |d: D| { d.run(); union(d); });
            fn g() { quote! { mod m { #(#all)* fn x() {} } } }";
        assert_eq!(
            outline(text),
            [
                "Fn f",
                " Impl ",
                "  Fn m",
                " Use ",
                " Static Q",
                "Call cfg_if",
                " Mod u",
                " Fn t",
                " Mod w",
                "Call proptest",
                " Fn p",
                "Call feature",
                " Trait T",
                "  Fn m",
                "Call rgtest",
                "Fn g",
            ]
        );
    }

    #[test]
    fn position_of_text_that_is_not_an_item_is_recorded() {
        let syntax = Syntax::read("fn a() {} what is this").unwrap();
        assert_eq!(syntax.unread, Some(10));
    }
}
