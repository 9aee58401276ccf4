//! Splits shell text into simple commands, and finds the lines that may end a compound command.
//!
//! Only bash knows where a command ends, but each question starts a process that parses the text. The lexer skips lines inside
//! quotes, here-documents and compound commands. It may be wrong in both directions; the caller lets bash confirm the end.

/// Operators, with longer ones first.
const OPERATORS: [&str; 7] = ["||", "&&", ";;", "|&", "|", ";", "&"];
/// Words before a command that are not part of it.
const PREFIXES: [&str; 10] = ["(", ")", "{", "}", "!", "then", "do", "else", "time", "env"];

/// One simple command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Command {
    /// Its words without quotes, assignments and redirections.
    pub(crate) words: Vec<String>,
    /// The variables that are assigned before it, with their values.
    pub(crate) assigned: Vec<(String, String)>,
    /// The operator before the next command: `|`, `||`, `&&`, `;` or nothing.
    pub(crate) then: &'static str,
    /// Its first line in the document, from 1.
    pub(crate) line: usize,
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    rest: &'a str,
    line: usize,
    first_line: usize,
    commands: Vec<Command>,
    command: Command,
    word: Option<String>,
    /// Delimiters of the here-documents that start on the next line, and whether tabs may precede them.
    documents: Vec<(String, bool)>,
    /// Open parentheses and compound commands.
    depth: i32,
    /// Whether the text ends in a quote, a here-document or a continued line.
    is_cut: bool,
    is_finished: bool,
}

impl<'a> Lexer<'a> {
    /// A lexer for a text whose first line has this number.
    pub(super) fn new(text: &'a str, first_line: usize) -> Self {
        Self {
            text,
            rest: text,
            line: first_line,
            first_line,
            commands: Vec::new(),
            command: Command::default(),
            word: None,
            documents: Vec::new(),
            depth: 0,
            is_cut: false,
            is_finished: false,
        }
    }

    /// The simple commands up to the last end.
    pub(super) fn commands(self) -> Vec<Command> {
        self.commands
    }

    /// Reads up to the next line end with nothing open; returns the number of lines up to there. `None` after the last one.
    pub(super) fn next_end(&mut self) -> Option<usize> {
        while let Some(character) = self.rest.chars().next() {
            match character {
                '\n' => {
                    self.end_command("");
                    self.advance(1);
                    self.skip_documents();
                    if self.depth <= 0 && !self.is_cut && self.read().ends_with('\n') {
                        return Some(self.line - self.first_line);
                    }
                }
                ' ' | '\t' | '\r' => {
                    self.end_word();
                    self.advance(1);
                }
                '#' if self.word.is_none() => {
                    let end = self.rest.find('\n').unwrap_or(self.rest.len());
                    self.advance(end);
                }
                '\\' => self.escape(),
                '\'' | '"' => self.quoted(character),
                '<' | '>' => self.redirection(),
                '|' | '&' | ';' => {
                    let mut operators = OPERATORS.iter();
                    let operator = operators.find(|operator| self.rest.starts_with(**operator));
                    let operator = operator.copied().unwrap_or_default();
                    self.end_command(if operator == "|&" { "|" } else { operator });
                    self.advance(operator.len().max(1));
                }
                _ => self.plain(),
            }
        }
        self.end_command("");
        let is_open = self.depth > 0 || self.is_cut || !self.documents.is_empty();
        let is_first = !std::mem::replace(&mut self.is_finished, true);
        (is_first && !is_open).then_some(self.line - self.first_line + 1)
    }

    /// The text that is already read.
    fn read(&self) -> &'a str {
        &self.text[..self.text.len() - self.rest.len()]
    }

    fn advance(&mut self, bytes: usize) {
        self.line += self.rest[..bytes].matches('\n').count();
        self.rest = &self.rest[bytes..];
    }

    /// The current word, which is empty if it starts here.
    fn word(&mut self) -> &mut String {
        if self.word.is_none() && self.command.words.is_empty() {
            self.command.line = self.line;
        }
        self.word.get_or_insert_default()
    }

    /// Characters of a word without special meaning.
    fn plain(&mut self) {
        let special = |character| " \t\r\n\\'\"<>|&;".contains(character);
        let end = self.rest.find(special).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.word().push_str(text);
        self.parentheses(text);
        self.rest = rest;
    }

    fn parentheses(&mut self, text: &str) {
        for character in text.chars() {
            self.depth += match character {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
        }
    }

    fn escape(&mut self) {
        let mut after = self.rest.chars().skip(1);
        match after.next() {
            // a continued line
            Some('\n') => self.advance(2),
            Some(next) => {
                self.word().push(next);
                self.advance(1 + next.len_utf8());
            }
            None => {
                self.is_cut = true;
                self.advance(1);
            }
        }
    }

    fn quoted(&mut self, quote: char) {
        self.word();
        self.advance(1);
        while let Some(character) = self.rest.chars().next() {
            self.advance(character.len_utf8());
            match (character, self.rest.chars().next()) {
                (end, _) if end == quote => return,
                ('\\', Some(next)) if quote == '"' => {
                    self.word().push(next);
                    self.advance(next.len_utf8());
                }
                ('$', Some('(')) if quote == '"' => {
                    self.word().push('$');
                    self.substitution();
                }
                _ => self.word().push(character),
            }
        }
        self.is_cut = true;
    }

    /// `(…)` after a `$` in double quotes: quotes in it do not end those around it.
    fn substitution(&mut self) {
        let mut depth = 0;
        let mut quote = None;
        while let Some(character) = self.rest.chars().next() {
            self.word().push(character);
            self.advance(character.len_utf8());
            match (quote, character) {
                (Some(open), _) if open == character => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(character),
                (None, '(') => depth += 1,
                (None, ')') => depth -= 1,
                (None, _) => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// `2>&1`, `> file`, `<<EOF`: not a word of the command.
    fn redirection(&mut self) {
        let is_number = |word: &String| word.chars().all(|digit| digit.is_ascii_digit());
        if self.word.as_ref().is_some_and(is_number) {
            self.word = None;
        }
        self.end_word();
        let here =
            self.rest.starts_with("<<") && !self.rest.starts_with("<<<") && !self.is_arithmetic();
        let tabs = here && self.rest.starts_with("<<-");
        let signs = self.rest.trim_start_matches(['<', '>', '&', '|', '-']);
        self.advance(self.rest.len() - signs.len());
        let target = self.rest.trim_start_matches([' ', '\t']);
        self.advance(self.rest.len() - target.len());
        let ends = |character| " \t\n;|&)".contains(character);
        let (target, _) = target.split_at(target.find(ends).unwrap_or(target.len()));
        if here {
            let end = target.trim_end_matches('\r').replace(['\'', '"', '\\'], "");
            self.documents.push((end, tabs));
        }
        self.parentheses(target);
        self.advance(target.len());
    }

    /// Whether the current line contains `((`, where `<<` shifts a number.
    fn is_arithmetic(&self) -> bool {
        let start = self.read().rfind('\n').map_or(0, |at| at + 1);
        let line = self.text[start..].lines().next();
        line.is_some_and(|line| line.contains("(("))
    }

    fn skip_documents(&mut self) {
        for (end, tabs) in std::mem::take(&mut self.documents) {
            self.is_cut = true;
            while self.is_cut && !self.rest.is_empty() {
                let length = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
                let line = self.rest[..length].trim_end_matches(['\n', '\r']);
                let line = if tabs {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                self.is_cut = line != end;
                self.advance(length);
            }
        }
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        self.compound(&word);
        let assigns = |word: &str| {
            word.split_once('=').is_some_and(|(name, _)| {
                !name.is_empty()
                    && name
                        .chars()
                        .all(|each| each.is_ascii_alphanumeric() || each == '_')
            })
        };
        let opens = self.command.words.is_empty();
        if opens && assigns(&word) {
            let (name, value) = word.split_once('=').unwrap_or((&word, ""));
            let assigned = (name.to_owned(), value.to_owned());
            self.command.assigned.push(assigned);
            return;
        }
        if opens && PREFIXES.contains(&word.as_str()) {
            return;
        }
        self.command.words.push(word);
    }

    /// Counts a keyword that opens or closes a compound command, where a command begins.
    fn compound(&mut self, word: &str) {
        let begins = match self.command.words.as_slice() {
            [] => true,
            [only] if matches!(only.as_str(), "if" | "elif" | "while" | "until") => true,
            [.., last] => word.contains('(') || last.ends_with("()"),
        };
        let keyword = word.rsplit('(').next().unwrap_or(word);
        match keyword.trim_end_matches(')') {
            "if" | "case" | "do" | "{" if begins => self.depth += 1,
            "fi" | "esac" | "done" | "}" if begins => self.depth -= 1,
            _ => {}
        }
    }

    fn end_command(&mut self, then: &'static str) {
        self.end_word();
        let mut command = std::mem::take(&mut self.command);
        if !command.words.is_empty() {
            command.then = then;
            self.commands.push(command);
        } else if let Some(last) = self.commands.last_mut()
            && !then.is_empty()
        {
            // The operator after `}` is that of the last command of the group.
            last.then = then;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of lines after which nothing is open.
    fn ends(text: &str) -> Vec<usize> {
        let mut lexer = Lexer::new(text, 1);
        std::iter::from_fn(|| lexer.next_end()).collect()
    }

    #[test]
    fn quotes_documents_and_compound_commands_are_open_until_they_end() {
        assert_eq!(ends("echo 'a\n# b\nc'"), [3]);
        assert_eq!(ends("cat <<'END' | wc\nif (\n\tEND\nEND"), [4]);
        assert_eq!(ends("cat <<-END\n\tEND"), [2]);
        assert_eq!(ends("if a; then\n  b\nfi"), [3]);
        assert_eq!(ends("f() {\n  echo }\n}"), [3]);
        assert_eq!(ends("for a in b; do\n echo do\ndone"), [3]);
        assert_eq!(ends("echo a \\\n b"), [2]);
        assert_eq!(ends("echo $((1 << 2)) # 'it\ntrue"), [1, 2]);
        assert_eq!(ends("cat <<<'if'"), [1]);
        assert_eq!(
            ends("echo \"$(if a; then\n b; fi)\"\n(cd x\n true)"),
            [2, 4]
        );
    }
}
