//! Matches the pattern of a macro's arm against the input of a call.

use super::pattern::{Pattern, spelled_range};
use crate::workspace::source::lex::Kind;
use crate::workspace::source::syntax::Syntax;

/// The value of a variable.
#[derive(Debug, Clone)]
pub(super) enum Binding {
    Text(String),
    Many(Vec<Bindings>),
}

pub(super) type Bindings = Vec<(String, Binding)>;

pub(super) fn sequence(
    pattern: &[Pattern],
    syntax: &Syntax,
    mut at: u32,
    end: u32,
    bound: &mut Bindings,
) -> Option<u32> {
    for (index, part) in pattern.iter().enumerate() {
        at = match part {
            Pattern::Token(text) => (at < end && syntax.word(at) == text).then_some(at + 1)?,
            Pattern::Group(open, parts) => {
                if at >= end || !syntax.opens(at, *open) {
                    return None;
                }
                let past = syntax.after(at);
                (sequence(parts, syntax, at + 1, past - 1, bound)? == past - 1).then_some(past)?
            }
            Pattern::Variable(name, fragment) => {
                let past = fragment_end(fragment, syntax, at, end)?;
                bound.push((name.clone(), Binding::Text(spelled_range(syntax, at..past))));
                past
            }
            Pattern::Repeat { parts, separator } => repeat(
                parts,
                separator,
                &pattern[index + 1..],
                syntax,
                at,
                end,
                bound,
            ),
        };
    }
    Some(at)
}

fn repeat(
    parts: &[Pattern],
    separator: &[String],
    rest: &[Pattern],
    syntax: &Syntax,
    mut at: u32,
    end: u32,
    bound: &mut Bindings,
) -> u32 {
    let mut rows = Vec::new();
    let mut start = at;
    // `$($x:tt)* end` does not occur in valid macros: the next token decides first.
    let ends = |at: u32| matches!(rest.first(), Some(Pattern::Token(text)) if !matches!(parts.first(), Some(Pattern::Token(_))) && syntax.word(at) == text);
    loop {
        let mut row = Vec::new();
        match sequence(parts, syntax, start, end, &mut row) {
            Some(next) if next > start && !ends(start) => {
                at = next;
                rows.push(row);
            }
            _ => break,
        }
        start = at;
        let separated = separator.iter().all(|text| {
            let same = start < end && syntax.word(start) == text;
            start += 1;
            same
        });
        if !separated {
            break;
        }
    }
    for name in variables(parts) {
        let rows = rows
            .iter()
            .map(|row| {
                row.iter()
                    .filter(|(bound, _)| *bound == name)
                    .cloned()
                    .collect()
            })
            .collect();
        bound.push((name, Binding::Many(rows)));
    }
    at
}

fn variables(parts: &[Pattern]) -> Vec<String> {
    parts
        .iter()
        .flat_map(|part| match part {
            Pattern::Variable(name, _) => vec![name.clone()],
            Pattern::Group(_, parts) | Pattern::Repeat { parts, .. } => variables(parts),
            Pattern::Token(_) => Vec::new(),
        })
        .collect()
}

/// The end of a fragment that starts at `at`; `None` if there is none.
fn fragment_end(fragment: &str, syntax: &Syntax, at: u32, end: u32) -> Option<u32> {
    if fragment == "vis" {
        let public = at < end && syntax.ident(at) == Some("pub");
        let past = at + u32::from(public);
        return Some(if public && syntax.opens(past, b'(') {
            syntax.after(past)
        } else {
            past
        });
    }
    let token = syntax.token(at).filter(|_| at < end)?;
    match fragment {
        "ident" => (token.kind == Kind::Ident).then_some(at + 1),
        "lifetime" => (token.kind == Kind::Lifetime).then_some(at + 1),
        "tt" => Some(syntax.after(at)),
        "block" => syntax.opens(at, b'{').then(|| syntax.after(at)),
        "literal" => {
            let past = at + 1 + u32::from(syntax.is(at, b'-'));
            Some(past)
        }
        "item" => {
            let mut at = at;
            while at < end {
                let last = syntax.is(at, b';') || syntax.opens(at, b'{');
                at = syntax.after(at);
                if last {
                    return Some(at);
                }
            }
            None
        }
        "meta" | "expr" | "expr_2021" | "stmt" => stop(syntax, at, end, b",;"),
        _ => stop(syntax, at, end, b",;=|:{>"),
    }
}

fn stop(syntax: &Syntax, start: u32, end: u32, at_any: &[u8]) -> Option<u32> {
    let mut at = start;
    while at < end {
        let arrow = syntax.is(at, b'=') && syntax.is(at + 1, b'>');
        if arrow
            || at_any
                .iter()
                .any(|byte| syntax.is(at, *byte) || syntax.opens(at, *byte))
                && !syntax.colons(at)
        {
            break;
        }
        if syntax.colons(at) {
            at += 2;
            if syntax.is(at, b'<') && at_any.len() == 2 {
                at = syntax.after_angles(at, end);
            }
        } else if syntax.is(at, b'<') && at_any.len() > 2 {
            at = syntax.after_angles(at, end);
        } else if syntax.is(at, b'|')
            && (at == start || syntax.ident(at - 1) == Some("move") || syntax.is(at - 1, b'='))
        {
            // A closure's parameters contain commas that are not separators.
            at += 1;
            while at < end && !syntax.is(at, b'|') {
                at = syntax.after(at);
            }
            at += 1;
        } else {
            at = syntax.after(at);
        }
    }
    (at > start).then_some(at)
}
