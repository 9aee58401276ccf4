//! As much of YAML as workflows need: maps, lists and texts. What is written otherwise is left out.

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Yaml {
    /// A text with its line, counted from 1.
    Text(usize, String),
    /// A text of several lines, each with its number.
    Lines(Vec<(usize, String)>),
    /// A list.
    List(Vec<Yaml>),
    /// A map, in order.
    Map(Vec<(String, Yaml)>),
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
        entries.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The items of a list.
    pub(super) fn items(&self) -> impl Iterator<Item = &Self> {
        let items = match self {
            Self::List(items) => items.as_slice(),
            _ => &[],
        };
        items.iter()
    }

    /// A text of one line.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(_, text) => Some(text),
            _ => None,
        }
    }

    /// The lines of a text, each with its number.
    pub(super) fn lines(&self) -> Vec<(usize, String)> {
        match self {
            Self::Text(line, text) => vec![(*line, text.clone())],
            Self::Lines(lines) => lines.clone(),
            _ => Vec::new(),
        }
    }
}

/// Reads a document; a part that is not understood is left out.
pub(super) fn read(text: &str) -> Yaml {
    let lines = (1..).zip(text.lines()).map(|(number, line)| {
        let content = line.trim_start_matches(' ');
        Line {
            number,
            indent: line.len() - content.len(),
            content: content.trim_end().to_owned(),
        }
    });
    let mut reader = Reader {
        lines: lines.collect(),
        at: 0,
    };
    reader.block(0)
}

#[derive(Debug, Clone)]
struct Line {
    number: usize,
    indent: usize,
    content: String,
}

struct Reader {
    lines: Vec<Line>,
    at: usize,
}

impl Reader {
    /// The next line with content.
    fn peek(&mut self) -> Option<Line> {
        let is_blank = |line: &Line| {
            line.content.is_empty() || line.content.starts_with('#') || line.content == "---"
        };
        while self.lines.get(self.at).is_some_and(is_blank) {
            self.at += 1;
        }
        self.lines.get(self.at).cloned()
    }

    /// The list or map whose lines have at least this indent.
    fn block(&mut self, least: usize) -> Yaml {
        match self.peek() {
            Some(line) if line.indent >= least && is_item(&line.content) => self.list(line.indent),
            Some(line) if line.indent >= least => self.map(line.indent),
            _ => Yaml::Map(Vec::new()),
        }
    }

    fn list(&mut self, indent: usize) -> Yaml {
        let mut items = Vec::new();
        while let Some(line) = self.peek() {
            if line.indent != indent || !is_item(&line.content) {
                break;
            }
            let rest = line.content[1..].trim_start();
            let inside = indent + line.content.len() - rest.len();
            if rest.is_empty() {
                self.at += 1;
                items.push(self.block(indent + 1));
            } else if key(rest).is_some() || is_item(rest) {
                rest.clone_into(&mut self.lines[self.at].content);
                self.lines[self.at].indent = inside;
                items.push(self.block(inside));
            } else {
                let rest = rest.to_owned();
                self.at += 1;
                items.push(self.value(&rest, line.number, indent));
            }
        }
        Yaml::List(items)
    }

    fn map(&mut self, indent: usize) -> Yaml {
        let mut entries = Vec::new();
        while let Some(line) = self.peek() {
            if line.indent < indent || line.indent == indent && is_item(&line.content) {
                break;
            }
            self.at += 1;
            let Some((name, rest)) = key(&line.content).filter(|_| line.indent == indent) else {
                continue;
            };
            let value = if rest.is_empty() {
                match self.peek() {
                    Some(next) if next.indent == indent && is_item(&next.content) => {
                        self.list(indent)
                    }
                    Some(next) if next.indent > indent && next.content.starts_with(['[', '{']) => {
                        self.at += 1;
                        self.value(&next.content, next.number, indent)
                    }
                    _ => self.block(indent + 1),
                }
            } else {
                self.value(rest, line.number, indent)
            };
            entries.push((name.to_owned(), value));
        }
        Yaml::Map(entries)
    }

    /// A value that begins on a line whose key has this indent.
    fn value(&mut self, start: &str, number: usize, indent: usize) -> Yaml {
        if start.starts_with(['|', '>']) {
            return self.block_text(start.starts_with('>'), indent);
        }
        let mut text = without_comment(start).to_owned();
        let closes = |text: &str| match text.chars().next() {
            Some('[') => text.ends_with(']'),
            Some('{') => text.ends_with('}'),
            Some(quote @ ('"' | '\'')) => text.len() > 1 && text.ends_with(quote),
            _ => true,
        };
        let is_plain = !text.starts_with(['[', '{', '"', '\'']);
        while let Some(next) = self.lines.get(self.at) {
            let goes_on = next.indent > indent && !next.content.is_empty();
            if is_plain && !goes_on || !is_plain && closes(&text) {
                break;
            }
            text.push(' ');
            text.push_str(without_comment(&next.content));
            self.at += 1;
        }
        flow(&text, number)
    }

    fn block_text(&mut self, folded: bool, indent: usize) -> Yaml {
        let mut lines = Vec::new();
        while let Some(line) = self.lines.get(self.at) {
            if !line.content.is_empty() && line.indent <= indent {
                break;
            }
            if !line.content.is_empty() {
                lines.push((line.number, line.content.clone()));
            }
            self.at += 1;
        }
        match lines.first() {
            Some((first, _)) if folded => {
                let texts: Vec<&str> = lines.iter().map(|(_, text)| text.as_str()).collect();
                Yaml::Text(*first, texts.join(" "))
            }
            _ => Yaml::Lines(lines),
        }
    }
}

fn is_item(content: &str) -> bool {
    content == "-" || content.starts_with("- ")
}

/// The key of a line and what follows it.
fn key(content: &str) -> Option<(&str, &str)> {
    if content.starts_with(['[', '{']) {
        return None;
    }
    let (key, rest) = match content.chars().next()? {
        quote @ ('"' | '\'') => {
            let (key, rest) = content[1..].split_once(quote)?;
            (key, rest.strip_prefix(':')?)
        }
        _ => match content.split_once(": ") {
            Some(parts) => parts,
            None => (content.strip_suffix(':')?, ""),
        },
    };
    let rest = rest.trim();
    let rest = if rest.starts_with('#') { "" } else { rest };
    Some((key, rest))
}

/// The text up to a comment that is not inside quotes.
fn without_comment(text: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (None, '#') if before == ' ' => return text[..at].trim_end(),
            (None, '"' | '\'') if " [{,:".contains(before) => quote = Some(letter),
            (Some(open), letter) if letter == open => quote = None,
            _ => {}
        }
        before = letter;
    }
    text.trim_end()
}

/// A list in brackets, a map in braces, or a text with its quotes taken away.
fn flow(text: &str, line: usize) -> Yaml {
    let text = text.trim();
    let within = |open: char, close: char| text.strip_prefix(open)?.strip_suffix(close);
    if let Some(inside) = within('[', ']') {
        let items = parts(inside);
        return Yaml::List(items.into_iter().map(|item| flow(item, line)).collect());
    }
    // An expression is no map.
    if let Some(inside) = within('{', '}').filter(|_| !text.starts_with("{{")) {
        let entries = parts(inside).into_iter().filter_map(|entry| {
            let (key, value) = key(entry)?;
            Some((key.to_owned(), flow(value, line)))
        });
        return Yaml::Map(entries.collect());
    }
    let text = match (within('"', '"'), within('\'', '\'')) {
        (Some(text), _) => text.replace("\\\"", "\"").replace("\\\\", "\\"),
        (_, Some(text)) => text.replace("''", "'"),
        _ => text.to_owned(),
    };
    Yaml::Text(line, text)
}

/// Splits at commas outside quotes and brackets.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_usize, None);
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}
