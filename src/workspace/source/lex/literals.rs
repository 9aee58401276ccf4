//! Literals and lifetimes.

use super::{Kind, LexProblem, Lexer, ident_length};
use crate::workspace::source::keywords::is_keyword;

impl Lexer<'_> {
    /// The rest of a literal after its opening quote: escapes, closing quote, suffix.
    pub(super) fn quoted(&mut self, start: usize, quote: u8, kind: Kind) -> Result<(), LexProblem> {
        loop {
            match self.peek(0) {
                b'\\' => self.at += 2,
                byte if byte == quote => break,
                _ if self.at >= self.bytes.len() => {
                    return Err(self.problem("unterminated literal"));
                }
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.suffix();
        self.push(kind, start, self.at);
        Ok(())
    }

    pub(super) fn suffix(&mut self) {
        let rest = &self.text[self.at..];
        if rest.starts_with(|c: char| c == '_' || c.is_alphabetic()) {
            self.at += ident_length(rest);
        }
    }

    /// A lifetime or a character.
    pub(super) fn quote(&mut self, start: usize) -> Result<(), LexProblem> {
        let mut rest = self.text[start + 1..].chars();
        let first = rest.next().unwrap_or('\0');
        let second = rest.next().unwrap_or('\0');
        if first != '\\' && second != '\'' && (first == '_' || first.is_alphabetic()) {
            self.at += 1;
            if self.bytes[self.at..].starts_with(b"r#") {
                self.at += 2;
            }
            self.at += ident_length(&self.text[self.at..]);
            self.push(Kind::Lifetime, start, self.at);
            return Ok(());
        }
        self.at += 1;
        if first == '\'' {
            return Err(self.problem("empty character literal"));
        }
        self.quoted(start, b'\'', Kind::Literal)
    }

    pub(super) fn number(&mut self, start: usize) {
        let radix = matches!(
            self.bytes.get(start..start + 2),
            Some(b"0x" | b"0b" | b"0o")
        );
        self.digits(radix);
        let mut so_far = self.bytes[start..self.at].iter();
        let has_suffix = so_far.any(u8::is_ascii_alphabetic);
        if !radix && !has_suffix && self.peek(0) == b'.' {
            let next = self.text[self.at + 1..].chars().next().unwrap_or(' ');
            if next.is_ascii_digit() {
                self.at += 1;
                self.digits(false);
            } else if next != '.' && next != '_' && !next.is_alphabetic() {
                self.at += 1;
            }
        }
        // A suffix may contain characters outside ASCII.
        if self.peek(0) >= 0x80 {
            self.suffix();
        }
        self.push(Kind::Literal, start, self.at);
    }

    pub(super) fn digits(&mut self, radix: bool) {
        loop {
            let byte = self.peek(0);
            if byte == b'_' || byte.is_ascii_alphanumeric() {
                self.at += 1;
                let exponent = matches!(byte, b'e' | b'E') && !radix;
                if exponent && matches!(self.peek(0), b'+' | b'-') && self.peek(1).is_ascii_digit()
                {
                    self.at += 1;
                }
            } else {
                return;
            }
        }
    }

    /// Literals and identifiers that start with `r`, `b` or `c`; false for a plain identifier.
    pub(super) fn prefixed(&mut self, start: usize) -> Result<bool, LexProblem> {
        let rest = &self.bytes[start..];
        let letters = if rest.starts_with(b"br") || rest.starts_with(b"cr") {
            2
        } else {
            1
        };
        let raw = rest[letters - 1] == b'r';
        let kind = if rest[0] == b'r' {
            Kind::Str
        } else {
            Kind::Literal
        };
        if raw {
            let hashes = rest[letters..]
                .iter()
                .take_while(|byte| **byte == b'#')
                .count();
            if rest.get(letters + hashes) == Some(&b'"') {
                return self
                    .raw(start, letters + hashes + 1, hashes, kind)
                    .map(|()| true);
            }
            if letters == 1 && hashes == 1 {
                let name = &self.text[start + 2..];
                if name.starts_with(|c: char| c == '_' || c.is_alphabetic()) {
                    self.at = start + 2 + ident_length(name);
                    let name = &self.text[start + 2..self.at];
                    let from = if is_keyword(name) { start } else { start + 2 };
                    self.push(Kind::Ident, from, self.at);
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        match rest.get(1) {
            Some(b'"') => {
                self.at += 2;
                self.quoted(start, b'"', kind)?;
                Ok(true)
            }
            Some(b'\'') if rest[0] == b'b' => {
                self.at += 2;
                self.quoted(start, b'\'', kind)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    pub(super) fn raw(
        &mut self,
        start: usize,
        opening: usize,
        hashes: usize,
        kind: Kind,
    ) -> Result<(), LexProblem> {
        self.at = start + opening;
        loop {
            let Some(quote) = memchr::memchr(b'"', &self.bytes[self.at..]) else {
                return Err(self.problem("unterminated raw string"));
            };
            self.at += quote + 1;
            let closing = self.bytes[self.at..]
                .iter()
                .take_while(|byte| **byte == b'#')
                .take(hashes)
                .count();
            if closing == hashes {
                self.at += hashes;
                self.suffix();
                self.push(kind, start, self.at);
                return Ok(());
            }
        }
    }
}
