//! Changes to a document, each limited to its bytes.

use anyhow::{Result, ensure};

use super::{Document, Span};

/// Replacements of spans of one document, applied at once.
#[derive(Debug, Clone, Default)]
pub struct Edits {
    changes: Vec<(Span, String)>,
}

impl Edits {
    /// Replaces the bytes of `span`.
    pub fn replace(&mut self, span: Span, text: impl Into<String>) {
        self.changes.push((span, text.into()));
    }

    /// Whether there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The new text. Fails when two changes overlap or a span is not of this document.
    pub fn apply(&self, document: &Document) -> Result<String> {
        let mut changes: Vec<_> = self.changes.iter().collect();
        changes.sort_by_key(|(span, _)| (span.start, span.end));
        let text = document.text();
        let mut result = String::with_capacity(text.len());
        let mut at = 0;
        for (span, replacement) in changes {
            ensure!(
                span.start >= at,
                "failed to edit {}: two changes overlap",
                document.path()
            );
            ensure!(
                text.get(span.clone()).is_some(),
                "failed to edit {}: a change lies outside",
                document.path()
            );
            result.push_str(&text[at..span.start]);
            result.push_str(replacement);
            at = span.end;
        }
        result.push_str(&text[at..]);
        Ok(result)
    }
}
