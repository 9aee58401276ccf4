//! Detects lines of a shell script that cannot end a command: inside quotes, a here-document or a compound command.
//!
//! Only bash knows where a command ends, but each check starts a process that parses the text. This module counts open quotes,
//! here-documents and compound commands, so that bash does not check every line of a long command. It may be wrong in both
//! directions; the caller lets bash confirm the end of a command.

/// Open constructs at the end of the lines so far.
#[derive(Debug, Default)]
pub(super) struct Outline {
    quote: Option<char>,
    /// Delimiters of open here-documents, and whether leading tabs are allowed.
    documents: Vec<(String, bool)>,
    /// Parentheses and compound commands.
    depth: i32,
    /// Whether the line ends with a backslash.
    goes_on: bool,
    /// Whether the next word starts a command.
    begins: bool,
}

impl Outline {
    /// Adds a line.
    pub(super) fn line(&mut self, line: &str) {
        if let (None, Some((end, tabs))) = (self.quote, self.documents.first()) {
            let line = if *tabs {
                line.trim_start_matches('\t')
            } else {
                line
            };
            if line == end {
                self.documents.remove(0);
            }
            return;
        }
        if self.quote.is_none() && !std::mem::take(&mut self.goes_on) {
            self.begins = true;
        }
        let arithmetic = line.contains("((");
        let mut word = String::new();
        let mut rest = line;
        while let Some(character) = rest.chars().next() {
            rest = &rest[character.len_utf8()..];
            match (self.quote, character) {
                (Some(quote), _) if character == quote => self.quote = None,
                (None | Some('"'), '\\') => {
                    let escaped = rest.chars().next();
                    self.goes_on = escaped.is_none();
                    rest = &rest[escaped.map_or(0, char::len_utf8)..];
                    word.push('\\');
                }
                (Some(_), _) => {}
                (None, '\'' | '"') => {
                    self.quote = Some(character);
                    word.push(character);
                }
                (None, '#') if word.is_empty() => break,
                (None, '<') if rest.starts_with('<') && !rest.starts_with("<<") && !arithmetic => {
                    self.end_word(&mut word);
                    rest = self.document(&rest[1..]);
                }
                (None, '<') if rest.starts_with("<<") => rest = &rest[2..],
                (None, ' ' | '\t' | '<' | '>') => self.end_word(&mut word),
                (None, ';' | '|' | '&' | '(' | ')') => {
                    self.end_word(&mut word);
                    self.begins = true;
                    self.depth += match character {
                        '(' => 1,
                        ')' => -1,
                        _ => 0,
                    };
                }
                (None, _) => word.push(character),
            }
        }
        self.end_word(&mut word);
    }

    /// Whether the lines so far cannot be a complete command.
    pub(super) fn is_open(&self) -> bool {
        self.quote.is_some() || !self.documents.is_empty() || self.depth > 0 || self.goes_on
    }

    fn end_word(&mut self, word: &mut String) {
        let word = std::mem::take(word);
        if word.is_empty() || !self.begins {
            return;
        }
        match word.as_str() {
            "if" | "case" | "do" | "{" => self.depth += 1,
            "fi" | "esac" | "done" | "}" => self.depth -= 1,
            _ => {}
        }
        self.begins = matches!(
            word.as_str(),
            "if" | "then" | "else" | "elif" | "while" | "until" | "do" | "{" | "!" | "time"
        );
    }

    /// Parses the delimiter of a here-document after `<<`; returns the text after it.
    fn document<'l>(&mut self, rest: &'l str) -> &'l str {
        let tabs = rest.starts_with('-');
        let rest = rest.trim_start_matches('-').trim_start_matches([' ', '\t']);
        let ends = |letter: char| letter.is_whitespace() || ";|&()<>".contains(letter);
        let length = rest.find(ends).unwrap_or(rest.len());
        let end = rest[..length].replace(['\'', '"', '\\'], "");
        if !end.is_empty() {
            self.documents.push((end, tabs));
        }
        &rest[length..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the text is open after each of its lines.
    fn open(text: &str) -> Vec<bool> {
        let mut outline = Outline::default();
        let after = |line| {
            outline.line(line);
            outline.is_open()
        };
        text.lines().map(after).collect()
    }

    #[test]
    fn quotes_documents_and_compound_commands_are_open_until_they_end() {
        assert_eq!(open("echo 'a\n# b\nc'"), [true, true, false]);
        assert_eq!(
            open("cat <<'END' | wc\nif (\n\tEND\nEND"),
            [true, true, true, false]
        );
        assert_eq!(open("cat <<-END\n\tEND"), [true, false]);
        assert_eq!(open("if a; then\n  b\nfi"), [true, true, false]);
        assert_eq!(open("f() {\n  echo }\n}"), [true, true, false]);
        assert_eq!(open("for a in b; do\n echo do\ndone"), [true, true, false]);
        assert_eq!(open("echo a \\\n b"), [true, false]);
        assert_eq!(open("echo $((1 << 2)) # 'it"), [false]);
        assert_eq!(open("cat <<<'if'"), [false]);
    }
}
