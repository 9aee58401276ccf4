//! The arms of a macro and the patterns of their input.

use std::ops::Range;

use crate::workspace::source::lex::Kind;
use crate::workspace::source::syntax::Syntax;

/// One `(pattern) => { body }` of a macro, as token ranges of the file that defines it.
#[derive(Debug, Clone)]
pub struct Arm {
    /// The pattern of the input.
    pub pattern: Vec<Pattern>,
    /// Tokens of the body.
    pub body: Range<u32>,
}

/// A part of a pattern.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// This token.
    Token(String),
    /// A bracketed group that opens with this byte.
    Group(u8, Vec<Pattern>),
    /// `$name:fragment`.
    Variable(String, String),
    /// `$( … ) separator *`.
    Repeat {
        /// The repeated part.
        parts: Vec<Pattern>,
        /// Tokens between repetitions.
        separator: Vec<String>,
    },
}

/// Parses the arms in the body of a `macro_rules!` item.
pub(super) fn arms(syntax: &Syntax, body: Range<u32>) -> Vec<Arm> {
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

/// A token's text, including `r#` of a raw identifier; doc comments end their line.
pub(super) fn spelled(syntax: &Syntax, at: u32) -> String {
    let Some(token) = syntax.token(at) else {
        return String::new();
    };
    let word = syntax.word(at);
    match token.kind {
        Kind::Ident if syntax.text[..token.start as usize].ends_with("r#") => format!("r#{word}"),
        Kind::OuterDoc | Kind::InnerDoc => format!("{word}\n"),
        _ => word.to_owned(),
    }
}

pub(super) fn spelled_range(syntax: &Syntax, range: Range<u32>) -> String {
    let words: Vec<String> = range.map(|at| spelled(syntax, at)).collect();
    words.join(" ")
}
