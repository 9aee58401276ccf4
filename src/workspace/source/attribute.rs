//! Attributes: their paths and arguments, with `cfg_attr` expanded.

use std::ops::Range;

use super::lex::Kind;
use super::syntax::{ItemKind, RawItem, Syntax};

/// An attribute, with `cfg_attr` expanded.
#[derive(Debug, Clone)]
pub struct Attribute<'t> {
    /// Its path, `tokio::test` as two segments.
    pub path: Vec<&'t str>,
    /// Tokens after the path: a bracketed group, or `= value`, or nothing.
    pub rest: Range<u32>,
    /// Tokens of the conditions of each `cfg_attr` around it.
    pub conditions: Vec<Range<u32>>,
}

impl<'t> Attribute<'t> {
    /// The last segment of the path.
    #[must_use]
    pub fn name(&self) -> &'t str {
        self.path.last().copied().unwrap_or("")
    }

    /// Whether the path is this one segment.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.path.len() == 1 && self.path[0] == name
    }

    /// The text in `name = "text"`.
    #[must_use]
    pub fn value(&self, syntax: &Syntax<'t>) -> Option<String> {
        if !syntax.is(self.rest.start, b'=') || self.rest.len() != 2 {
            return None;
        }
        string_value(syntax, self.rest.start + 1)
    }
}

/// The content of the string literal at a token, with the escapes that occur in paths and docs resolved.
#[must_use]
pub fn string_value(syntax: &Syntax, index: u32) -> Option<String> {
    if syntax.token(index)?.kind != Kind::Str {
        return None;
    }
    Some(unquote(syntax.word(index)))
}

/// The content of a string literal.
#[must_use]
pub fn unquote(literal: &str) -> String {
    let start = literal.find('"').map_or(0, |quote| quote + 1);
    let end = literal.rfind('"').unwrap_or(literal.len()).max(start);
    let content = &literal[start..end];
    if literal.starts_with('r') || !content.contains('\\') {
        return content.to_owned();
    }
    let mut text = String::with_capacity(content.len());
    let mut letters = content.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('0') => text.push('\0'),
            Some('\n') => while letters.next_if(|letter| letter.is_whitespace()).is_some() {},
            Some(other) => text.push(other),
            None => {}
        }
    }
    text
}

/// The attributes in a range of tokens, without docs.
#[must_use]
pub fn attributes<'t>(syntax: &Syntax<'t>, range: Range<u32>) -> Vec<Attribute<'t>> {
    let mut found = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let open = if syntax.is(at + 1, b'!') {
            at + 2
        } else {
            at + 1
        };
        if syntax.is(at, b'#') && syntax.opens(open, b'[') {
            let end = syntax.after(open);
            one(syntax, open + 1..end - 1, &[], &mut found);
            at = end;
        } else {
            at += 1;
        }
    }
    found
}

/// The inner attributes at the start of an item's body: `mod m { #![cfg(test)] … }`.
#[must_use]
pub fn inner_attributes<'t>(syntax: &Syntax<'t>, item: &RawItem) -> Vec<Attribute<'t>> {
    attributes(syntax, inner_range(syntax, item))
}

/// The tokens of the inner attributes and documentation at the start of an item's body.
#[must_use]
pub fn inner_range(syntax: &Syntax, item: &RawItem) -> Range<u32> {
    let Some(body) = item.body.clone().filter(|_| item.kind != ItemKind::Call) else {
        return 0..0;
    };
    let mut at = body.start;
    while at < body.end {
        if syntax.is(at, b'#') && syntax.is(at + 1, b'!') && syntax.opens(at + 2, b'[') {
            at = syntax.after(at + 2);
        } else if matches!(syntax.token(at), Some(token) if token.kind == Kind::InnerDoc) {
            at += 1;
        } else {
            break;
        }
    }
    body.start..at
}

fn one<'t>(
    syntax: &Syntax<'t>,
    range: Range<u32>,
    conditions: &[Range<u32>],
    found: &mut Vec<Attribute<'t>>,
) {
    let mut at = range.start;
    if syntax.ident(at) == Some("unsafe") && syntax.opens(at + 1, b'(') {
        return one(syntax, at + 2..syntax.after(at + 1) - 1, conditions, found);
    }
    if syntax.colons(at) {
        at += 2;
    }
    let mut path = Vec::new();
    while let Some(segment) = syntax.ident(at).filter(|_| at < range.end) {
        path.push(segment);
        at += 1;
        if !syntax.colons(at) {
            break;
        }
        at += 2;
    }
    if path == ["cfg_attr"] && syntax.opens(at, b'(') {
        let mut parts = commas(syntax, at + 1..syntax.after(at) - 1).into_iter();
        let own = parts.next().into_iter();
        let all: Vec<Range<u32>> = conditions.iter().cloned().chain(own).collect();
        for part in parts {
            one(syntax, part, &all, found);
        }
    } else if !path.is_empty() {
        found.push(Attribute {
            path,
            rest: at..range.end,
            conditions: conditions.to_vec(),
        });
    }
}

/// Splits a range at its commas outside brackets; a trailing comma adds nothing.
#[must_use]
pub fn commas(syntax: &Syntax, range: Range<u32>) -> Vec<Range<u32>> {
    let mut parts = Vec::new();
    let mut start = range.start;
    let mut at = start;
    while at < range.end {
        if syntax.is(at, b',') {
            parts.push(start..at);
            start = at + 1;
        }
        at = syntax.after(at);
    }
    if start < range.end {
        parts.push(start..range.end);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cfg_attr_is_expanded() {
        let syntax = Syntax::read(
            "#[cfg_attr(unix, path = \"u.rs\", a::b(c))] #[unsafe(no_mangle)] fn f() {}",
        )
        .unwrap();
        let found = attributes(&syntax, syntax.items[0].attributes.clone());
        let names: Vec<String> = found
            .iter()
            .map(|attribute| attribute.path.join("::"))
            .collect();
        assert_eq!(names, ["path", "a::b", "no_mangle"]);
        assert_eq!(found[0].value(&syntax).as_deref(), Some("u.rs"));
    }

    #[test]
    fn strings_are_unquoted_and_unescaped() {
        assert_eq!(unquote("\"a\\n\\\"b\\\\\""), "a\n\"b\\");
        assert_eq!(unquote("r#\"a\\n\"b\"#"), "a\\n\"b");
    }
}
