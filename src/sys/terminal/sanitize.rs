//! Removes text that could control a terminal from the output of programs and from documents.
//!
//! Input: bytes as they arrive. Output: the same text with colors, but without any other control of the terminal (the cursor, its title, its
//! clipboard, its keyboard). A control character, or one that reverses the direction of text so that it reads differently, becomes U+FFFD.
//! Links may only point to files.

use std::io::{self, Write};

use anstyle_parse::{Params, Parser, Perform, Utf8Parser};

/// Whether a character only shows itself: it is neither a control character nor one of those that rustc's
/// `text_direction_codepoint_in_comment` warns about.
#[must_use]
pub fn is_harmless(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text with other characters replaced.
#[must_use]
pub fn sanitize(text: &str) -> String {
    text.chars().map(shown).collect()
}

fn shown(character: char) -> char {
    if is_harmless(character) {
        character
    } else {
        char::REPLACEMENT_CHARACTER
    }
}

/// Filters a stream of bytes; an escape sequence may be split.
#[derive(Default)]
pub struct Sanitizer {
    parser: Parser<Utf8Parser>,
}

impl Sanitizer {
    /// The harmless part of `bytes` and of an unfinished sequence before them.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut kept = Kept(Vec::with_capacity(bytes.len()));
        for byte in bytes {
            self.parser.advance(&mut kept, *byte);
        }
        kept.0
    }
}

struct Kept(Vec<u8>);

impl Kept {
    fn push(&mut self, character: char) {
        let mut buffer = [0; 4];
        self.0
            .extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
    }
}

impl Perform for Kept {
    fn print(&mut self, character: char) {
        self.push(shown(character));
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\n' | b'\r' | b'\t' => self.0.push(byte),
            _ => self.push(char::REPLACEMENT_CHARACTER),
        }
    }

    fn csi_dispatch(&mut self, parameters: &Params, between: &[u8], ignore: bool, action: u8) {
        if action != b'm' || !between.is_empty() || ignore {
            return;
        }
        let parameters: Vec<String> = parameters
            .iter()
            .map(|group| {
                let numbers: Vec<String> = group.iter().map(ToString::to_string).collect();
                numbers.join(":")
            })
            .collect();
        self.0
            .extend_from_slice(format!("\x1b[{}m", parameters.join(";")).as_bytes());
    }

    fn osc_dispatch(&mut self, parameters: &[&[u8]], _bell_terminated: bool) {
        if let [b"8", attributes, target] = parameters
            && (target.is_empty() || target.starts_with(b"file://"))
        {
            let parts: [&[u8]; 5] = [b"\x1b]8;", attributes, b";", target, b"\x1b\\"];
            self.0.extend(parts.concat());
        }
    }
}

/// A stream that forwards only harmless output.
pub struct HarmlessStream<W> {
    inner: W,
    sanitizer: Sanitizer,
}

impl<W: Write> HarmlessStream<W> {
    /// Wraps `inner`.
    pub fn new(inner: W) -> Self {
        let sanitizer = Sanitizer::default();
        Self { inner, sanitizer }
    }
}

impl<W: Write> Write for HarmlessStream<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write_all(&self.sanitizer.take(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_of(text: &str) -> String {
        String::from_utf8(Sanitizer::default().take(text.as_bytes())).unwrap()
    }

    #[test]
    fn text_and_colors_are_kept() {
        for text in [
            "plain\ttext\r\nand more\n",
            "\u{1b}[1;38;5;12mbold\u{1b}[0m",
            "\u{1b}[4:3munder\u{1b}[m",
            "日本語 👩‍👩‍👧 עברית",
        ] {
            assert_eq!(
                left_of(text).replace("\u{1b}[0m", "\u{1b}[m"),
                text.replace("\u{1b}[0m", "\u{1b}[m")
            );
        }
    }

    #[test]
    fn terminal_controls_are_removed() {
        for (text, left) in [
            ("\u{1b}]0;title\u{7}a", "a"),
            ("\u{1b}]52;c;aGVsbG8=\u{1b}\\a", "a"),
            ("\u{1b}[2J\u{1b}[1;1Ha", "a"),
            ("\u{1b}[?1049ha", "a"),
            ("\u{1b}P$q\u{1b}\\a", "a"),
            ("\u{1b}ca", "a"),
            ("a\u{8}\u{7}b", "a\u{fffd}\u{fffd}b"),
            ("a\u{9b}31mb\u{7f}", "a\u{fffd}31mb\u{fffd}"),
            ("a\u{202e}b\u{2066}", "a\u{fffd}b\u{fffd}"),
            (
                "\u{1b}]8;;https://example.org\u{1b}\\a\u{1b}]8;;\u{1b}\\",
                "a\u{1b}]8;;\u{1b}\\",
            ),
        ] {
            assert_eq!(left_of(text), left, "{text:?}");
        }
    }

    #[test]
    fn links_to_files_are_kept() {
        let link = "\u{1b}]8;;file:///a/b.md\u{1b}\\b.md:3\u{1b}]8;;\u{1b}\\";
        assert_eq!(left_of(link), link);
    }

    #[test]
    fn sequences_may_be_split() {
        let mut sanitizer = Sanitizer::default();
        let text = "é\u{1b}[31mred\u{1b}]0;title\u{7}!";
        let whole: Vec<u8> = text
            .as_bytes()
            .iter()
            .flat_map(|byte| sanitizer.take(&[*byte]))
            .collect();
        assert_eq!(String::from_utf8(whole).unwrap(), "é\u{1b}[31mred!");
    }
}
