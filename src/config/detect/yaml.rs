//! YAML documents as values with their lines.

use std::collections::BTreeMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, Span, StrInput};

/// A value.
#[derive(Debug)]
pub(super) enum Yaml {
    /// A text with the number of its first line.
    Text(usize, String),
    /// A list.
    List(Vec<Rc<Yaml>>),
    /// A map, in order.
    Map(Vec<(String, Rc<Yaml>)>),
}

impl Yaml {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries()
            .find(|(own, _)| *own == key)
            .map(|(_, value)| value)
    }

    /// The entries of a map.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &Self)> {
        let entries = match self {
            Self::Map(entries) => entries.as_slice(),
            _ => &[],
        };
        entries.iter().map(|(key, value)| (key.as_str(), &**value))
    }

    /// The items of a list.
    pub(super) fn items(&self) -> impl Iterator<Item = &Self> {
        let items = match self {
            Self::List(items) => items.as_slice(),
            _ => &[],
        };
        items.iter().map(|item| &**item)
    }

    /// A text.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(_, text) => Some(text),
            _ => None,
        }
    }

    /// The lines of a text, each with its number.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, String)> {
        let (first, text) = match self {
            Self::Text(line, text) => (*line, text.as_str()),
            _ => (1, ""),
        };
        (first..).zip(text.lines().map(str::to_owned))
    }
}

/// Reads the first document of a text; `None` if the text is not YAML.
pub(super) fn read(text: &str) -> Option<Rc<Yaml>> {
    let mut reader = Reader {
        events: Parser::new_from_str(text),
        anchors: BTreeMap::new(),
    };
    loop {
        match reader.next()? {
            (Event::StreamStart | Event::DocumentStart(_), _) => {}
            (first, span) => return reader.value(first, span, MOST_LEVELS),
        }
    }
}

/// A value with more levels is not read.
const MOST_LEVELS: usize = 64;

struct Reader<'t> {
    events: Parser<'t, StrInput<'t>>,
    anchors: BTreeMap<usize, Rc<Yaml>>,
}

impl<'t> Reader<'t> {
    /// The next event; `None` at the end and after an error.
    fn next(&mut self) -> Option<(Event<'t>, Span)> {
        self.events.next()?.ok()
    }

    /// The value that begins with an event.
    fn value(&mut self, first: Event<'t>, span: Span, levels: usize) -> Option<Rc<Yaml>> {
        let inside = levels.checked_sub(1)?;
        let (anchor, value) = match first {
            Event::Alias(anchor) => return self.anchors.get(&anchor).cloned(),
            Event::Scalar(text, _, anchor, _) => {
                // The span of a block begins at its first line that is not blank.
                let text = text.trim_start_matches('\n').to_owned();
                (anchor, Yaml::Text(span.start.line(), text))
            }
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break (anchor, Yaml::List(items)),
                        (first, span) => items.push(self.value(first, span, inside)?),
                    }
                }
            }
            Event::MappingStart(anchor, _) => {
                let mut entries = Vec::new();
                loop {
                    let (first, span) = self.next()?;
                    if first == Event::MappingEnd {
                        break (anchor, Yaml::Map(entries));
                    }
                    let key = self.value(first, span, inside)?;
                    let (first, span) = self.next()?;
                    let value = self.value(first, span, inside)?;
                    if let Some(key) = key.text() {
                        entries.push((key.to_owned(), value));
                    }
                }
            }
            _ => return None,
        };
        let value = Rc::new(value);
        self.anchors.insert(anchor, Rc::clone(&value));
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(usize, String)> {
        read(text).unwrap().get("run").unwrap().lines().collect()
    }

    #[test]
    fn lines_have_their_numbers() {
        let of = |line: usize, text: &str| (line, text.to_owned());
        assert_eq!(lines("a: 1\nrun: b # c\n"), [of(2, "b")]);
        assert_eq!(lines("run:\n  'b'\n"), [of(2, "b")]);
        assert_eq!(
            lines("run: |2 # c\n\n  b\n\n   # d\n"),
            [of(3, "b"), of(4, ""), of(5, " # d")]
        );
        assert_eq!(lines("run: >\n  b\n  c\n"), [of(2, "b c")]);
        assert_eq!(
            lines("env: &env\n  - x\nrun: \"b \\\"c\\\" \\x41\"\nmore: *env\n"),
            [of(3, "b \"c\" A")]
        );
    }

    #[test]
    fn damaged_and_deep_documents_have_no_value() {
        for text in ["a: [b", "a: *unknown", "", "\t- a: 'b"] {
            assert!(read(text).is_none(), "{text}");
        }
        assert!(read(&"[".repeat(100_000)).is_none());
        let nested = "[".repeat(65) + &"]".repeat(65);
        assert!(read(&nested).is_none());
        assert!(read(&nested[1..129]).is_some());
        // Each alias is one reference, so that aliases of aliases do not multiply.
        let mut aliases = "a0: &a0 x\n".to_owned();
        for level in 1..60 {
            let line = format!("a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1);
            aliases.push_str(&line);
        }
        assert!(read(&aliases).is_some());
    }
}
