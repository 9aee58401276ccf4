//! Splits output into lines, and keeps the end of it, in bounded memory.

use std::collections::VecDeque;

use anyhow::Result;

/// The maximum size of a chunk in bytes, so that memory stays bounded.
const PART: usize = 64 * 1024;
/// The size of the end of the output in an [`Outcome`](super::Outcome), in bytes.
const TAIL: usize = 64 * 1024;

/// A piece of output: a line with its line end, or a part of a long or incomplete line.
#[derive(Debug, Clone, Copy)]
pub struct OutputChunk<'a> {
    /// The printed bytes, including the line end.
    pub bytes: &'a [u8],
    /// Whether the line ends here.
    pub ends_line: bool,
}

/// Splits a stream of bytes into [`OutputChunk`]s.
#[derive(Default)]
pub(super) struct Lines {
    pending: Vec<u8>,
}

impl Lines {
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        on_output: &mut dyn FnMut(OutputChunk<'_>) -> Result<()>,
    ) -> Result<()> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.pending.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.pending.len() >= PART {
                self.flush(on_output)?;
            }
        }
        Ok(())
    }

    pub(super) fn flush(
        &mut self,
        on_output: &mut dyn FnMut(OutputChunk<'_>) -> Result<()>,
    ) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let part = OutputChunk {
            bytes: &self.pending,
            ends_line: self.pending.ends_with(b"\n"),
        };
        let result = on_output(part);
        self.pending.clear();
        result
    }
}

/// The last [`TAIL`] bytes of a stream.
#[derive(Default)]
pub(super) struct Tail {
    bytes: VecDeque<u8>,
}

impl Tail {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(TAIL)..];
        let surplus = (self.bytes.len() + bytes.len()).saturating_sub(TAIL);
        self.bytes.drain(..surplus);
        self.bytes.extend(bytes);
    }

    pub(super) fn into_text(self) -> String {
        let bytes: Vec<u8> = self.bytes.into();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
