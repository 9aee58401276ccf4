//! Comments in TOML blocks that mark entries as new or existing, and text that makes a block a description.

use std::ops::Range;

/// The mark in a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// `# Add for …`
    New,
    /// `# existing`
    Context,
}

/// The lines of a block, to search for marks.
#[derive(Debug)]
pub(super) struct Marks<'a> {
    /// Each line with its byte offset.
    lines: Vec<(usize, &'a str)>,
}

impl<'a> Marks<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut start = 0;
        let lines = text.split_inclusive('\n').map(|line| {
            start += line.len();
            (start - line.len(), line.trim())
        });
        Self {
            lines: lines.collect(),
        }
    }

    /// The mark of the entry at `span`: on its lines, or in the comments above.
    pub(super) fn of(&self, span: &Range<usize>) -> Option<Mark> {
        let first = self.index(span.start);
        let last = self.index(span.end.saturating_sub(1).max(span.start));
        let own = self.lines[first..=last]
            .iter()
            .filter_map(|(_, line)| mark_of(comment_in(line)?));
        strongest(own).or_else(|| self.above(first))
    }

    fn above(&self, first: usize) -> Option<Mark> {
        let above: Vec<&str> = self.lines[..first]
            .iter()
            .rev()
            .map(|(_, line)| *line)
            .collect();
        let comment_lines = |lines: &[&'a str]| {
            let count = lines
                .iter()
                .take_while(|line| line.starts_with('#'))
                .count();
            strongest(lines[..count].iter().filter_map(|line| mark_of(line)))
        };
        // Directly above, both marks count; farther above only "context", because a missed new entry does no harm.
        comment_lines(&above).or_else(|| {
            let entry = |line: &&&str| !line.is_empty() && !line.starts_with(['#', '[']);
            let entries = above.iter().take_while(entry).count();
            comment_lines(&above[entries..]).filter(|mark| *mark == Mark::Context)
        })
    }

    fn index(&self, offset: usize) -> usize {
        self.lines
            .partition_point(|(start, _)| *start <= offset)
            .saturating_sub(1)
    }
}

fn strongest(marks: impl Iterator<Item = Mark>) -> Option<Mark> {
    marks.fold(None, |strongest, mark| match (strongest, mark) {
        (Some(Mark::New), _) | (_, Mark::New) => Some(Mark::New),
        _ => Some(Mark::Context),
    })
}

/// The mark in a comment, by its first word.
fn mark_of(comment: &str) -> Option<Mark> {
    let text = comment.trim_start_matches(['#', ' ', '\t']);
    let word = text
        .split(|c: char| !c.is_alphanumeric())
        .next()?
        .to_lowercase();
    match word.as_str() {
        "add" | "new" => Some(Mark::New),
        "existing" | "already" | "current" | "currently" | "unchanged" | "present" | "context" => {
            Some(Mark::Context)
        }
        _ => None,
    }
}

/// The comment on a line, from its `#`, ignoring `#` in strings.
fn comment_in(line: &str) -> Option<&str> {
    let mut quote = None;
    let mut escaped = false;
    for (offset, c) in line.char_indices() {
        match (quote, c) {
            (Some('"'), _) if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(open), _) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '#') => return Some(&line[offset..]),
            _ => {}
        }
    }
    None
}

/// Blanks out lines that mark an omission, and keeps line numbers.
pub(super) fn blank_elisions(toml: &str) -> String {
    toml.split_inclusive('\n')
        .map(|line| match line.trim().trim_end_matches(',') {
            "..." | "…" => line
                .chars()
                .map(|c| if matches!(c, '\r' | '\n') { c } else { ' ' })
                .collect(),
            _ => line.to_owned(),
        })
        .collect()
}

/// Whether the paragraph above a block makes it a description.
pub(super) fn describes(lead: &str) -> bool {
    let lead = lead.to_lowercase();
    let words: Vec<&str> = lead
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let nothing_new = words.windows(2).any(|pair| {
        matches!(
            pair,
            [
                "no",
                "new"
                    | "change"
                    | "changes"
                    | "additional"
                    | "further"
                    | "added"
                    | "dependencies"
                    | "dependency"
            ]
        )
    });
    let any = |of: &[&str]| words.iter().any(|word| of.contains(word));
    nothing_new
        || (any(&[
            "current",
            "currently",
            "existing",
            "already",
            "reference",
            "unchanged",
            "present",
        ]) && !any(&[
            "add", "adds", "added", "adding", "update", "append", "insert", "extend", "new",
        ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_word_of_a_comment_is_the_mark() {
        for (comment, mark) in [
            ("# Add for caching", Some(Mark::New)),
            ("# add: caching", Some(Mark::New)),
            ("# NEW", Some(Mark::New)),
            ("# Added in 2021", None),
            ("# Adds retries", None),
            ("# existing", Some(Mark::Context)),
            ("#already there", Some(Mark::Context)),
            ("# Current, see above", Some(Mark::Context)),
            ("# the newest", None),
        ] {
            assert_eq!(mark_of(comment), mark, "{comment}");
        }
    }

    #[test]
    fn hash_in_a_string_is_not_a_comment() {
        assert_eq!(comment_in(r##"a = "#x" # Add for y"##), Some("# Add for y"));
        assert_eq!(comment_in(r##"a = "\"#" "##), None);
        assert_eq!(comment_in("a = '#\\' # z"), Some("# z"));
    }

    #[test]
    fn omissions_are_blanked_out() {
        assert_eq!(
            blank_elisions("a = 1\r\n  ...,\r\n# ...\n…"),
            "a = 1\r\n      \r\n# ...\n "
        );
    }

    #[test]
    fn describing_text_is_recognized() {
        for lead in [
            "Current dependencies:",
            "No new dependencies required.",
            "Already in `Cargo.toml`:",
            "No changes; for reference:",
        ] {
            assert!(describes(lead), "{lead}");
        }
        for lead in [
            "Update `Cargo.toml`:",
            "Add to the existing table:",
            "",
            "`crates/store/Cargo.toml`",
        ] {
            assert!(!describes(lead), "{lead}");
        }
    }
}
