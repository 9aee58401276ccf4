//! Edits of a document by byte spans.
//!
//! Spans come from the parts of a [`Plan`](super::Plan) or [`Results`](super::Results) of the same document. All other bytes
//! stay unchanged, and new text gets the document's line ends. Writing an equal value is no edit, so repeating an operation
//! changes nothing.

use anyhow::{Result, bail};

use super::parts::{Item, Region};
use super::text::{Document, Span};

/// Edits of one document, applied together.
#[derive(Debug, Clone)]
pub struct Edits<'d> {
    document: &'d Document,
    changes: Vec<(Span, String)>,
}

impl<'d> Edits<'d> {
    /// Creates an empty set of edits.
    #[must_use]
    pub fn new(document: &'d Document) -> Self {
        Self {
            document,
            changes: Vec::new(),
        }
    }

    /// The edited document.
    #[must_use]
    pub fn document(&self) -> &'d Document {
        self.document
    }

    /// The new text. Fails if two edits overlap or a span is outside the document; both are bugs of the caller.
    pub fn apply(&self) -> Result<String> {
        let mut changes: Vec<_> = self.changes.iter().collect();
        // stable sort: several insertions at one position keep their order
        changes.sort_by_key(|(span, _)| (span.start, span.end));
        let text = self.document.text();
        let mut result = String::with_capacity(text.len());
        let mut at = 0;
        for (span, replacement) in changes {
            let Some(between) = text
                .get(at..span.start)
                .filter(|_| text.get(span.clone()).is_some())
            else {
                let (path, line) = (self.document.path(), self.document.line_of(span.start));
                bail!(
                    "failed to edit {path}:{line}: two edits overlap, or one is outside the document"
                );
            };
            result.push_str(between);
            result.push_str(replacement);
            at = span.end;
        }
        result.push_str(&text[at..]);
        Ok(result)
    }

    /// Replaces the bytes of `span`; an empty span inserts.
    pub fn replace(&mut self, span: Span, text: &str) {
        let text = self.adopt(text);
        if self.document.text().get(span.clone()) != Some(&text) {
            self.changes.push((span, text));
        }
    }

    /// Ticks a box or removes its tick. An existing tick keeps its character (`X`, `✓`).
    pub fn tick(&mut self, item: &Item, checked: bool) {
        if item.checked != checked {
            self.replace(item.mark.clone(), if checked { "x" } else { " " });
        }
    }

    /// Sets the value of a field, a status or a date to one line, with a blank before it if there was no value.
    pub fn set_value(&mut self, span: &Span, value: &str) {
        let value = one_line(value);
        let glued = span.is_empty()
            && !value.is_empty()
            && self
                .before(span)
                .is_some_and(|before| !before.is_whitespace());
        self.replace(
            span.clone(),
            &if glued { format!(" {value}") } else { value },
        );
    }

    /// Sets the text of a table cell and escapes bars. An empty span at the end of a row adds a cell.
    pub fn set_cell(&mut self, span: &Span, value: &str) {
        let mut value = cell(value);
        if span.is_empty() && value.is_empty() {
            return;
        }
        if span.is_empty() {
            let before = self.before(span);
            let after = self.document.text()[span.end..].chars().next();
            let at_end = matches!(after, None | Some('\n' | '\r'));
            if at_end {
                let bar = if before == Some('|') { "" } else { " |" };
                value = format!("{bar} {value} |");
            } else {
                let blank = |present: bool| if present { " " } else { "" };
                value = format!(
                    "{}{value}{}",
                    blank(before == Some('|')),
                    blank(after == Some('|'))
                );
            }
        }
        self.replace(span.clone(), &value);
    }

    /// Replaces the text between the markers of a region; the markers keep separate lines.
    pub fn set_region(&mut self, region: &Region, text: &str) {
        let own_line = self
            .before(&region.inner)
            .is_none_or(|before| before == '\n');
        let start = if own_line { "" } else { "\n" };
        let end = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        self.replace(region.inner.clone(), &format!("{start}{text}{end}"));
    }

    fn before(&self, span: &Span) -> Option<char> {
        self.document.text()[..span.start].chars().next_back()
    }

    /// Converts line ends to those of the document.
    fn adopt(&self, text: &str) -> String {
        text.replace("\r\n", "\n")
            .replace('\n', self.document.line_ending().as_str())
    }
}

/// The text of a cell on one line, with bars escaped, also in code. Escaped bars are kept.
fn cell(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut backslash = false;
    for character in one_line(text).chars() {
        if character == '|' && !backslash {
            escaped.push('\\');
        }
        backslash = character == '\\' && !backslash;
        escaped.push(character);
    }
    escaped
}

fn one_line(text: &str) -> String {
    let lines: Vec<_> = text
        .split(['\n', '\r'])
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::parse::{read_plan, read_results};
    use super::*;

    fn document(text: &str) -> Document {
        Document::from_text("docs/a-plan.md", text.to_owned())
    }

    #[test]
    fn tick_changes_one_byte() {
        let text = "\u{feff}# Plan  \r\n\r\n## Success Criteria\r\n\r\n-\t[ ] שלום 🦀 \t\r\n- [X] b\r\n- [] c\r\n";
        let document = document(text);
        let plan = read_plan(&document);
        let mut edits = Edits::new(&document);
        for item in &plan.criteria {
            edits.tick(item, true);
        }
        let expected = text
            .replace("-\t[ ]", "-\t[x]")
            .replace("- [] c", "- [x] c");
        assert_eq!(edits.apply().unwrap(), expected);
    }

    #[test]
    fn values_and_cells_are_replaced_in_place() {
        let text = "# R\n\n## Summary\n\n| A | V |\n|---|---|\n| **Status** | Pending |\n| **Started** |  |\n| **Completed** |\n\n\
                    ### Step 1: a\n\n**Status**:\n**Result**: old\n";
        let document = document(text);
        let results = read_results(&document);
        let mut edits = Edits::new(&document);
        edits.set_cell(&results.summary[0].value_span, "In | Progress");
        edits.set_cell(&results.summary[1].value_span, "2026-01-02");
        edits.set_cell(&results.summary[2].value_span, "`a\\|b`");
        edits.set_value(&results.steps[0].fields[0].value_span, "Complete");
        edits.set_value(&results.steps[0].fields[1].value_span, "new\nand more");
        let expected = "# R\n\n## Summary\n\n| A | V |\n|---|---|\n| **Status** | In \\| Progress |\n| **Started** | 2026-01-02 |\n\
                        | **Completed** | `a\\|b` |\n\n### Step 1: a\n\n**Status**: Complete\n**Result**: new and more\n";
        let changed = edits.apply().unwrap();
        assert_eq!(changed, expected);
        let again = Document::from_text("docs/a-plan.md", changed);
        assert_eq!(read_results(&again).summary[0].value, "In | Progress");
    }

    #[test]
    fn region_is_replaced_only_if_it_differs() {
        let text = "a\r\n<!-- cargo-poc:begin t -->\r\nold\r\n<!-- cargo-poc:end t -->\r\nz\r\n";
        let document = document(text);
        let plan = read_plan(&document);
        let mut edits = Edits::new(&document);
        edits.set_region(&plan.regions[0], "old");
        assert_eq!(edits.apply().unwrap(), text);
        edits.set_region(&plan.regions[0], "one\ntwo\n");
        assert_eq!(edits.apply().unwrap(), text.replace("old", "one\r\ntwo"));
    }

    #[test]
    fn region_on_one_line_gets_separate_lines() {
        let document = document("<!-- cargo-poc:begin t --><!-- cargo-poc:end t -->\n");
        let plan = read_plan(&document);
        let mut edits = Edits::new(&document);
        edits.set_region(&plan.regions[0], "x");
        assert_eq!(
            edits.apply().unwrap(),
            "<!-- cargo-poc:begin t -->\nx\n<!-- cargo-poc:end t -->\n"
        );
    }

    #[test]
    fn overlapping_edits_and_foreign_spans_are_errors() {
        let document = document("abcdef");
        let mut edits = Edits::new(&document);
        edits.replace(1..4, "x");
        edits.replace(3..5, "y");
        assert!(edits.apply().unwrap_err().to_string().contains("overlap"));
        let mut edits = Edits::new(&document);
        edits.replace(4..40, "x");
        assert!(edits.apply().is_err());
    }
}
