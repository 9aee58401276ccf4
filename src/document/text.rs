//! The text of a document with its path, lines and line ends.

use std::ops::Range;
use std::sync::OnceLock;

use anyhow::{Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf};

/// A range of bytes in [`Document::text`]; always on character boundaries.
pub type Span = Range<usize>;

/// The exact text of a document, including byte order mark, line ends and trailing blanks.
#[derive(Debug, Clone)]
pub struct Document {
    path: Utf8PathBuf,
    text: String,
    /// Computed on first use, because comparing documents does not need it.
    lines: OnceLock<Lines>,
    /// Computed on first use.
    characters: OnceLock<Characters>,
}

/// An index of character counts, so that computing a column takes no time proportional to the line.
#[derive(Debug, Clone)]
struct Characters {
    /// for each stretch of about [`STRETCH`] bytes, its start and the characters before it
    stretches: Vec<(usize, usize)>,
}

const STRETCH: usize = 1024;

impl Characters {
    fn of(text: &str) -> Self {
        let mut stretches = vec![(0, 0)];
        let (mut start, mut count) = (0, 0);
        for (at, character) in text.char_indices() {
            if at >= start + STRETCH {
                start = at;
                stretches.push((at, count));
            }
            count += usize::from(has_width(character));
        }
        Self { stretches }
    }

    /// The number of characters before a byte.
    fn before(&self, text: &str, at: usize) -> usize {
        let next = self.stretches.partition_point(|(start, _)| *start <= at);
        let (start, count) = self.stretches[next - 1];
        let rest = text.get(start..at).unwrap_or_default();
        count
            + rest
                .chars()
                .filter(|character| has_width(*character))
                .count()
    }
}

/// A byte order mark has no width.
fn has_width(character: char) -> bool {
    character != '\u{feff}'
}

#[derive(Debug, Clone)]
struct Lines {
    starts: Vec<usize>,
    ending: LineEnding,
}

/// The line ending of a document, also used for new text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineEnding {
    /// `\n`, also for a document without a line end
    #[default]
    Lf,
    /// `\r\n`, if most lines end with it
    CrLf,
}

impl LineEnding {
    /// The bytes that end a line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
        }
    }
}

impl Lines {
    fn of(text: &str) -> Self {
        let ends = || memchr::memchr_iter(b'\n', text.as_bytes());
        let mut starts = Vec::with_capacity(ends().count() + 1);
        starts.push(0);
        starts.extend(ends().map(|at| at + 1));
        let ends = starts.len() - 1;
        let carriage_returns = starts[1..]
            .iter()
            .filter(|start| **start >= 2 && text.as_bytes()[**start - 2] == b'\r')
            .count();
        let ending = if carriage_returns * 2 > ends {
            LineEnding::CrLf
        } else {
            LineEnding::Lf
        };
        Self { starts, ending }
    }
}

impl Document {
    /// Creates a document from the bytes of a file. `path` is only used in messages.
    ///
    /// Fails if the bytes are not UTF-8; the message contains the line and the byte.
    pub fn from_bytes(path: impl Into<Utf8PathBuf>, bytes: Vec<u8>) -> Result<Self> {
        let path = path.into();
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self::from_text(path, text)),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let bytes = error.as_bytes();
                if bytes.contains(&0) {
                    return Err(anyhow!(
                        "failed to read {path}: it is a binary file, not text"
                    ));
                }
                let line = bytes[..at].split(|byte| *byte == b'\n').count();
                let found = bytes.get(at).copied().unwrap_or_default();
                Err(anyhow!(
                    "failed to read {path}:{line}: the document is not UTF-8 (byte 0x{found:02x} at offset {at}); \
                     save it as UTF-8 and try again"
                ))
            }
        }
    }

    /// Creates a document from text. `path` is only used in messages.
    #[must_use]
    pub fn from_text(path: impl Into<Utf8PathBuf>, text: String) -> Self {
        Self {
            path: path.into(),
            text,
            lines: OnceLock::new(),
            characters: OnceLock::new(),
        }
    }

    fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| Lines::of(&self.text))
    }

    /// The path given at creation.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The unchanged text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The ending of most lines.
    #[must_use]
    pub fn line_ending(&self) -> LineEnding {
        self.lines().ending
    }

    /// The line that contains a byte, from 1. Offsets beyond the end belong to the last line.
    #[must_use]
    pub fn line_of(&self, byte: usize) -> usize {
        self.lines().starts.partition_point(|start| *start <= byte)
    }

    /// The column of a byte in its line, counted in characters from 1; a byte order mark has no width.
    #[must_use]
    pub fn column_of(&self, byte: usize) -> usize {
        let start = self.lines().starts[self.line_of(byte) - 1];
        let end = byte.min(self.text.len());
        let characters = self.characters.get_or_init(|| Characters::of(&self.text));
        let before = |at| characters.before(&self.text, at);
        before(end.max(start)) - before(start) + 1
    }

    /// The bytes of a line (counted from 1), without its line end; empty beyond the last line.
    #[must_use]
    pub fn line_span(&self, line: usize) -> Span {
        let starts = &self.lines().starts;
        let Some(start) = line
            .checked_sub(1)
            .and_then(|index| starts.get(index))
            .copied()
        else {
            return self.text.len()..self.text.len();
        };
        let end = starts.get(line).copied().unwrap_or(self.text.len());
        let line = self.text[start..end].trim_end_matches(['\n', '\r']);
        start..start + line.len()
    }
}
