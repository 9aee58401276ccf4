//! Splits Rust source text into flat tokens with matched brackets.
//!
//! This is a separate lexer, because callers need one linear pass over tokens with byte positions, on every file of a workspace, in the time of
//! `cargo metadata`; and because a lexer accepts any syntax, including that of macros and newer editions, which a parser rejects.
//! `tests/suite/lexer.rs` compares it with rustc's, token by token.

mod literals;

/// The kind of a token. Punctuation is one byte each (`::` is two adjacent tokens).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An identifier or keyword; for `r#name` the range is that of `name`, unless that is a keyword: `r#type` is a name.
    Ident,
    /// `'a`, including the quote.
    Lifetime,
    /// `"…"` and `r"…"`.
    Str,
    /// Byte and C strings, characters, bytes, numbers.
    Literal,
    /// One byte of punctuation.
    Punct(u8),
    /// `(`, `[` or `{`.
    Open(u8),
    /// `)`, `]` or `}`.
    Close(u8),
    /// `///` or `/** */`: documents the next item.
    OuterDoc,
    /// `//!` or `/*! */`: documents the enclosing item.
    InnerDoc,
}

/// A token: its kind, its byte range, and for a bracket the index of its partner (otherwise its own).
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// The kind of token.
    pub kind: Kind,
    /// First byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
    /// Index of the matching bracket.
    pub partner: u32,
}

/// Why a text cannot be split into Rust tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LexProblem {
    /// The byte at which lexing stopped.
    pub at: u32,
    /// The error.
    pub message: &'static str,
}

/// Splits `text` into tokens, without comments but with doc comments.
///
/// Fails on an unterminated literal or comment, on unbalanced brackets, and on a file of 4 GiB or more.
pub fn lex(text: &str) -> Result<Vec<Token>, LexProblem> {
    if u32::try_from(text.len()).is_err() {
        return Err(LexProblem {
            at: 0,
            message: "the file is too large",
        });
    }
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        at: 0,
        tokens: Vec::with_capacity(text.len() / 5),
        open: Vec::new(),
    };
    lexer.skip_preamble();
    while lexer.at < lexer.bytes.len() {
        lexer.step()?;
    }
    match lexer.open.pop() {
        None => Ok(lexer.tokens),
        Some(index) => Err(LexProblem {
            at: lexer.tokens[index as usize].start,
            message: "unclosed bracket",
        }),
    }
}

struct Lexer<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    tokens: Vec<Token>,
    open: Vec<u32>,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn problem(&self, message: &'static str) -> LexProblem {
        LexProblem {
            at: narrow(self.at.min(self.bytes.len())),
            message,
        }
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let partner = narrow(self.tokens.len());
        self.tokens.push(Token {
            kind,
            start: narrow(start),
            end: narrow(end),
            partner,
        });
    }

    /// Byte order mark, `#!` line (unless it starts an attribute), and `---` frontmatter of a script.
    fn skip_preamble(&mut self) {
        if self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
        }
        let rest = &self.text[self.at..];
        if rest.starts_with("#!") && !rest[2..].trim_start().starts_with('[') {
            self.at += rest.find('\n').unwrap_or(rest.len());
        }
        let rest = &self.text[self.at..];
        let trimmed = rest.trim_start();
        if trimmed.starts_with("---") {
            let start = self.at + (rest.len() - trimmed.len()) + 3;
            if let Some(end) = self.text[start..].find("\n---") {
                let end = start + end + 4;
                self.at = self.text[end..]
                    .find('\n')
                    .map_or(self.text.len(), |line| end + line);
            }
        }
    }

    fn step(&mut self) -> Result<(), LexProblem> {
        let start = self.at;
        let byte = self.bytes[start];
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => self.at += 1,
            b'/' if self.peek(1) == b'/' => self.line_comment(),
            b'/' if self.peek(1) == b'*' => self.block_comment()?,
            b'(' | b'[' | b'{' => {
                self.open.push(narrow(self.tokens.len()));
                self.at += 1;
                self.push(Kind::Open(byte), start, self.at);
            }
            b')' | b']' | b'}' => self.close(byte)?,
            b'"' => {
                self.at += 1;
                self.quoted(start, b'"', Kind::Str)?;
            }
            b'\'' => self.quote(start)?,
            b'0'..=b'9' => self.number(start),
            b'r' | b'b' | b'c' if self.prefixed(start)? => {}
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.ident(start),
            _ if byte >= 0x80 => self.beyond_ascii(start),
            _ => {
                self.at += 1;
                self.push(Kind::Punct(byte), start, self.at);
            }
        }
        Ok(())
    }

    fn close(&mut self, byte: u8) -> Result<(), LexProblem> {
        let index = narrow(self.tokens.len());
        let Some(open) = self.open.pop() else {
            return Err(self.problem("unexpected closing bracket"));
        };
        let opening = &mut self.tokens[open as usize];
        let expected = match opening.kind {
            Kind::Open(b'(') => b')',
            Kind::Open(b'[') => b']',
            _ => b'}',
        };
        if byte != expected {
            return Err(self.problem("mismatched closing bracket"));
        }
        opening.partner = index;
        self.push(Kind::Close(byte), self.at, self.at + 1);
        self.tokens[index as usize].partner = open;
        self.at += 1;
        Ok(())
    }

    fn line_comment(&mut self) {
        let start = self.at;
        let rest = &self.bytes[start..];
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let comment = &rest[..length];
        self.at += length;
        if comment.starts_with(b"//!") {
            self.push(Kind::InnerDoc, start, self.at);
        } else if comment.starts_with(b"///") && !comment.starts_with(b"////") {
            self.push(Kind::OuterDoc, start, self.at);
        }
    }

    fn block_comment(&mut self) -> Result<(), LexProblem> {
        let start = self.at;
        self.at += 2;
        let mut depth = 1;
        while depth > 0 {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                }
                _ if self.at >= self.bytes.len() => {
                    return Err(self.problem("unterminated comment"));
                }
                _ => self.at += 1,
            }
        }
        let comment = &self.bytes[start..self.at];
        if comment.starts_with(b"/*!") {
            self.push(Kind::InnerDoc, start, self.at);
        } else if comment.starts_with(b"/**") && !comment.starts_with(b"/***") && comment.len() > 4
        {
            self.push(Kind::OuterDoc, start, self.at);
        }
        Ok(())
    }

    fn ident(&mut self, start: usize) {
        self.at += ident_length(&self.text[start..]);
        self.push(Kind::Ident, start, self.at);
    }

    /// Whitespace and identifiers outside ASCII; other characters become punctuation, so that they count.
    fn beyond_ascii(&mut self, start: usize) {
        let rest = &self.text[start..];
        let first = rest.chars().next().unwrap_or(' ');
        if first.is_alphabetic() {
            self.ident(start);
        } else {
            self.at += first.len_utf8();
            if !first.is_whitespace() && !matches!(first, '\u{200e}' | '\u{200f}') {
                self.push(Kind::Punct(0), start, self.at);
            }
        }
    }
}

fn ident_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let ascii = bytes
        .iter()
        .take_while(|byte| **byte == b'_' || byte.is_ascii_alphanumeric())
        .count();
    if bytes.get(ascii).is_none_or(u8::is_ascii) {
        return ascii;
    }
    text.find(|c: char| c != '_' && !c.is_alphanumeric())
        .unwrap_or(text.len())
}

/// Converts a position; lengths were checked against 4 GiB before lexing.
#[expect(
    clippy::cast_possible_truncation,
    reason = "lex rejects texts of 4 GiB or more"
)]
fn narrow(length: usize) -> u32 {
    length as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        lex(text)
            .unwrap()
            .iter()
            .map(|token| &text[token.start as usize..token.end as usize])
            .collect()
    }

    #[test]
    fn literals_lifetimes_and_raw_identifiers() {
        assert_eq!(
            texts("'a' 'a b'\\'' '\\u{1F600}' 'x: loop"),
            ["'a'", "'a", "b'\\''", "'\\u{1F600}'", "'x", ":", "loop"]
        );
        assert_eq!(
            texts("r#type r#\"a\"b\"# br##\"\"#\"## c\"x\" b\"\\\"\""),
            [
                "r#type",
                "r#\"a\"b\"#",
                "br##\"\"#\"##",
                "c\"x\"",
                "b\"\\\"\""
            ]
        );
        assert_eq!(
            texts("1..2 1.0e-5f32 0xE+1 t.0.1 1.max(2) 1."),
            [
                "1",
                ".",
                ".",
                "2",
                "1.0e-5f32",
                "0xE",
                "+",
                "1",
                "t",
                ".",
                "0.1",
                "1",
                ".",
                "max",
                "(",
                "2",
                ")",
                "1."
            ]
        );
    }

    #[test]
    fn comments_are_removed_and_docs_are_kept() {
        assert_eq!(
            texts("a // b\n/* c /* d */ */ //// e\n/// f\n//! g\n/** h */ /*** i */ /**/"),
            ["a", "/// f", "//! g", "/** h */"]
        );
        assert_eq!(
            texts("#!/usr/bin/env run\n#![a]"),
            ["#", "!", "[", "a", "]"]
        );
    }

    #[test]
    fn errors_have_positions() {
        for (text, at) in [
            ("fn a() {", 7),
            ("a ) b", 2),
            ("( ]", 2),
            ("\"abc", 4),
            ("/* x", 4),
            ("r#\"a\"", 5),
            ("b'\\", 3),
        ] {
            assert_eq!(lex(text).unwrap_err().at, at, "{text}");
        }
    }

    #[test]
    fn brackets_are_matched() {
        let tokens = lex("a(b[c]{})").unwrap();
        let partners: Vec<u32> = tokens.iter().map(|token| token.partner).collect();
        assert_eq!(partners, [0, 8, 2, 5, 4, 3, 7, 6, 1]);
    }
}
