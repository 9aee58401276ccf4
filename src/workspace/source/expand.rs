//! What a `macro_rules!` macro binds: the patterns of its arms matched against the input of a call.
//!
//! Enough to know which names a call defines (`$name:ident` bound to `feature_x`); nothing is expanded.

use super::lex::Kind;
use super::syntax::Syntax;
use std::ops::Range;

/// One `(pattern) => { body }` of a macro, as token ranges of the file that defines it.
#[derive(Debug, Clone)]
pub struct Arm {
    /// What the input must look like.
    pub pattern: Vec<Pattern>,
    /// Tokens of the body.
    pub body: Range<u32>,
}

/// A part of a pattern.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// This very token.
    Token(String),
    /// A bracketed group that opens with this byte.
    Group(u8, Vec<Pattern>),
    /// `$name:fragment`.
    Variable(String, String),
    /// `$( … ) separator *`.
    Repeat {
        /// What is repeated.
        parts: Vec<Pattern>,
        /// Tokens between repetitions.
        separator: Vec<String>,
    },
}

/// Reads the arms in the body of a `macro_rules!` item.
pub fn arms(syntax: &Syntax, body: Range<u32>) -> Vec<Arm> {
    let mut found = Vec::new();
    let mut at = body.start;
    while at < body.end {
        let past = syntax.after(at);
        if !(syntax.is(past, b'=') && syntax.is(past + 1, b'>')) {
            break;
        }
        let end = syntax.after(past + 2);
        found.push(Arm {
            pattern: patterns(syntax, at + 1..past - 1),
            body: past + 3..end - 1,
        });
        at = end + u32::from(syntax.is(end, b';'));
    }
    found
}

fn patterns(syntax: &Syntax, range: Range<u32>) -> Vec<Pattern> {
    let mut found = Vec::new();
    let mut at = range.start;
    while at < range.end {
        if syntax.is(at, b'$') && syntax.opens(at + 1, b'(') {
            let past = syntax.after(at + 1);
            let parts = patterns(syntax, at + 2..past - 1);
            let mut separator = Vec::new();
            at = past;
            while at < range.end
                && !(syntax.is(at, b'*') || syntax.is(at, b'+') || syntax.is(at, b'?'))
            {
                separator.push(syntax.word(at).to_owned());
                at += 1;
            }
            at += 1;
            found.push(Pattern::Repeat { parts, separator });
        } else if syntax.is(at, b'$') && syntax.is(at + 2, b':') && syntax.ident(at + 3).is_some() {
            found.push(Pattern::Variable(
                syntax.word(at + 1).to_owned(),
                syntax.word(at + 3).to_owned(),
            ));
            at += 4;
        } else if let Some(token) = syntax.token(at)
            && let Kind::Open(open) = token.kind
        {
            found.push(Pattern::Group(
                open,
                patterns(syntax, at + 1..token.partner),
            ));
            at = token.partner + 1;
        } else {
            found.push(Pattern::Token(syntax.word(at).to_owned()));
            at += 1;
        }
    }
    found
}

/// A variable and the tokens bound to it, once per repetition.
pub type Bound = Vec<(String, Range<u32>)>;

/// Matches the input of a call (tokens of `syntax`) with an arm's pattern.
pub fn matches(pattern: &[Pattern], syntax: &Syntax, input: Range<u32>) -> Option<Bound> {
    let mut bound = Vec::new();
    let end = sequence(pattern, syntax, input.start, input.end, &mut bound)?;
    (end == input.end).then_some(bound)
}

fn sequence(
    pattern: &[Pattern],
    syntax: &Syntax,
    mut at: u32,
    end: u32,
    bound: &mut Bound,
) -> Option<u32> {
    for part in pattern {
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
                bound.push((name.clone(), at..past));
                past
            }
            Pattern::Repeat { parts, separator } => {
                repeat(parts, separator, syntax, at, end, bound)
            }
        };
    }
    Some(at)
}

fn repeat(
    parts: &[Pattern],
    separator: &[String],
    syntax: &Syntax,
    mut at: u32,
    end: u32,
    bound: &mut Bound,
) -> u32 {
    let mut after_separator = at;
    loop {
        let kept = bound.len();
        match sequence(parts, syntax, after_separator, end, bound) {
            Some(next) if next > after_separator => at = next,
            _ => {
                bound.truncate(kept);
                return at;
            }
        }
        after_separator = at;
        for text in separator {
            if after_separator >= end || syntax.word(after_separator) != text {
                return at;
            }
            after_separator += 1;
        }
    }
}

/// Where a fragment that starts at `at` ends; none when nothing there can be one.
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
        "meta" => stop(syntax, at, end, &[b',', b';']),
        "expr" | "expr_2021" | "stmt" => stop(syntax, at, end, &[b',', b';']),
        _ => stop(syntax, at, end, &[b',', b';', b'=', b'|', b':', b'{', b'>']),
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
                at = angles(syntax, at, end);
            }
        } else if syntax.is(at, b'<') && at_any.len() > 2 {
            at = angles(syntax, at, end);
        } else if syntax.is(at, b'|')
            && (at == start || syntax.ident(at - 1) == Some("move") || syntax.is(at - 1, b'='))
        {
            // A closure's parameters hold commas that separate nothing here.
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

fn angles(syntax: &Syntax, mut at: u32, end: u32) -> u32 {
    let mut depth = 0_u32;
    while at < end {
        if syntax.is(at, b'<') {
            depth += 1;
        } else if syntax.is(at, b'>') && !syntax.is(at - 1, b'-') && !syntax.is(at - 1, b'=') {
            depth -= 1;
        }
        at = syntax.after(at);
        if depth == 0 {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(definition: &str, input: &str) -> Option<Vec<String>> {
        let defined = Syntax::read(definition).unwrap();
        let call = Syntax::read(input).unwrap();
        let arms = arms(&defined, defined.items[0].body.clone().unwrap());
        let all = 0..u32::try_from(call.tokens.len()).unwrap();
        arms.iter()
            .find_map(|arm| matches(&arm.pattern, &call, all.clone()))
            .map(|bound| {
                let text = |range: &Range<u32>| {
                    (range.start..range.end)
                        .map(|at| call.word(at))
                        .collect::<Vec<_>>()
                        .join(" ")
                };
                bound
                    .iter()
                    .map(|(name, range)| format!("{name}={}", text(range)))
                    .collect()
            })
    }

    #[test]
    fn variables_are_bound_through_repetitions_groups_and_closures() {
        let test = "macro_rules! t { ($n:ident, $f:expr) => { #[test] fn $n() {} }; ($($n:ident: $a:expr => [$($t:ty),*];)*) => {} }";
        assert_eq!(
            bound(test, "a, |x, y| { x.y(1, 2) }").unwrap(),
            ["n=a", "f=| x , y | { x . y ( 1 , 2 ) }"]
        );
        assert_eq!(
            bound(test, "a: f::<u8, u8>(1) => [A<B, C>, D]; b: 2 => [];").unwrap(),
            [
                "n=a",
                "a=f : : < u8 , u8 > ( 1 )",
                "t=A < B , C >",
                "t=D",
                "n=b",
                "a=2"
            ]
        );
        assert_eq!(bound(test, "1 + 2 => x"), None);
    }
}
