//! Documentation in source: its first sentence, and the code blocks that rustdoc runs as tests.

use super::attribute::{attributes, inner_attributes, string_value};
use super::cfg::{Build, Compiled, compiled};
use super::lex::Kind;
use super::syntax::{ItemKind, Syntax, TOP};
use camino::Utf8Path;
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// A code block in documentation that rustdoc runs as a test.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Doctest {
    /// The line in rustdoc's name of the test, from 1: the line where the documentation begins, and the lines above the block.
    pub line: u32,
    /// How many lines of the documentation stand above it.
    pub above: u32,
    /// Whether it is marked `ignore` for every target.
    pub ignored: bool,
    /// Index of the item that it documents or that contains it; [`TOP`] for the file.
    pub item: u32,
    /// The code.
    pub code: String,
}

/// The documentation in a file.
#[derive(Debug, Default)]
pub struct Documentation {
    /// First sentence of the file's own documentation.
    pub sentence: Option<String>,
    /// Its code blocks that are tests.
    pub doctests: Vec<Doctest>,
    /// The files that it embeds.
    pub embedded: Vec<Embedded>,
}

/// A file in `doc = include_str!("…")`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedded {
    /// Its path as written.
    pub path: String,
    /// As in [`Doctest::line`], for the first line of the file.
    pub line: u32,
    /// How many lines of the documentation stand above it.
    pub above: u32,
    /// Index of the item that it documents; [`TOP`] for the file.
    pub item: u32,
}

/// First sentence of a file's documentation, as plain text; `None` if there is none, or the file cannot be read.
#[must_use]
pub fn sentence(path: &Utf8Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    read(&Syntax::read(&text).ok()?).sentence
}

/// Collects the documentation of a file.
#[must_use]
pub fn read(syntax: &Syntax) -> Documentation {
    let mut documentation = Documentation::default();
    let hidden = hidden(syntax);
    let mut hidden = hidden.iter().peekable();
    let mut own = Text::default();
    // rustdoc joins the documentation before an item and inside it.
    let mut outer: FxHashMap<u32, (u32, u32)> = FxHashMap::default();
    let mut at = 0;
    let end = u32::try_from(syntax.tokens.len()).unwrap_or(u32::MAX);
    while at < end {
        while hidden.peek().is_some_and(|range| range.end <= at) {
            hidden.next();
        }
        if let Some(range) = hidden.peek()
            && range.start <= at
        {
            at = range.end;
            continue;
        }
        let starts = matches!(syntax.token(at), Some(token) if matches!(token.kind, Kind::OuterDoc | Kind::InnerDoc));
        if !starts && !syntax.is(at, b'#') {
            at += 1;
            continue;
        }
        let start = at;
        let (text, inner, next) = run(syntax, at, end);
        at = next.max(at + 1);
        let item = owner(syntax, start, next);
        let begin = (text.first.unwrap_or(1), 0);
        let (first, before) = match outer.get(&item) {
            Some(known) if inner => *known,
            _ => begin,
        };
        if !inner && item != TOP && text.first.is_some() {
            let lines = u32::try_from(text.lines.len()).unwrap_or(u32::MAX);
            outer.entry(item).or_insert((first, lines));
        }
        for (path, above) in &text.embedded {
            let above = before + above;
            documentation.embedded.push(Embedded {
                path: path.clone(),
                line: first + above,
                above,
                item,
            });
        }
        if inner && item == TOP {
            own.lines.extend(text.lines.iter().cloned());
        }
        for (above, ignored, code) in blocks(&text.join()) {
            let above = before + above;
            documentation.doctests.push(Doctest {
                line: first + above,
                above,
                ignored,
                item,
                code,
            });
        }
    }
    documentation.sentence = first_sentence(&own.join());
    documentation
}

/// Code blocks of a Markdown text that are tests: how many lines stand above, ignored, code.
#[must_use]
pub fn blocks(markdown: &str) -> Vec<(u32, bool, String)> {
    let mut found = Vec::new();
    let mut current: Option<(u32, bool, String)> = None;
    for (event, range) in Parser::new(markdown).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                let ignored = match kind {
                    CodeBlockKind::Indented => Some(false),
                    CodeBlockKind::Fenced(info) => runs(&info),
                };
                let above = markdown[..range.start].matches('\n').count();
                let above = u32::try_from(above).unwrap_or(u32::MAX);
                current = ignored.map(|ignored| (above, ignored, String::new()));
            }
            Event::Text(text) => {
                if let Some((.., code)) = &mut current {
                    code.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => found.extend(current.take()),
            _ => {}
        }
    }
    found
}

/// Whether rustdoc treats a block with these words as a test, and if so whether it is ignored. Follows `LangString::parse` in rustdoc's
/// `html/markdown.rs`.
fn runs(info: &str) -> Option<bool> {
    let (mut rust, mut other, mut ignored) = (false, false, false);
    let words = info
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|word| !word.is_empty());
    for word in words {
        match word {
            "rust" => rust = true,
            "should_panic" | "no_run" => rust = !other,
            "ignore" => {
                rust = !other;
                ignored = true;
            }
            "test_harness" | "compile_fail" | "standalone_crate" => rust = rust || !other,
            _ if word.starts_with("ignore-") => rust = !other,
            _ if word.starts_with("edition") => {}
            _ if word.len() == 5
                && word.starts_with('E')
                && word[1..].bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                rust = rust || !other;
            }
            _ => other = true,
        }
    }
    (rust || !other).then_some(ignored)
}

/// Ranges whose documentation rustdoc does not see: code that is not compiled for it, macro definitions, and the input of macros in
/// expressions. Sorted by start.
fn hidden(syntax: &Syntax) -> Vec<Range<u32>> {
    let mut ranges = Vec::new();
    let mut item_calls = Vec::new();
    for item in &syntax.items {
        let mut found = attributes(syntax, item.attributes.clone());
        found.extend(inner_attributes(syntax, item));
        let whole = item.attributes.start..item.tokens.end;
        if compiled(syntax, &found, Build::Doctest) == Compiled::No {
            ranges.push(whole);
        } else if item.kind == ItemKind::Macro {
            ranges.extend(item.body.clone());
        } else if item.kind == ItemKind::Call {
            item_calls.extend(item.body.as_ref().map(|body| body.start));
        }
    }
    item_calls.sort_unstable();
    for (index, token) in (0_u32..).zip(&syntax.tokens) {
        let group = index + 2;
        if token.kind == Kind::Ident
            && syntax.is(index + 1, b'!')
            && matches!(syntax.token(group), Some(open) if matches!(open.kind, Kind::Open(_)))
            && syntax.word(index) != "macro_rules"
            && item_calls.binary_search(&(group + 1)).is_err()
        {
            ranges.push(group..syntax.after(group));
        }
    }
    ranges.sort_unstable_by_key(|range| range.start);
    ranges
}

#[derive(Default)]
struct Text {
    /// The line in the file where it begins.
    first: Option<u32>,
    lines: Vec<String>,
    /// The embedded files, and how many lines stand above each.
    embedded: Vec<(String, u32)>,
}

impl Text {
    /// The text without the common indentation of its lines, as in rustdoc.
    fn join(&self) -> String {
        let indent = |line: &str| line.len() - line.trim_start().len();
        let shared = self
            .lines
            .iter()
            .filter(|line| !line.trim().is_empty())
            .map(|line| indent(line))
            .min()
            .unwrap_or(0);
        let mut text = String::new();
        for line in &self.lines {
            text.push_str(line.get(shared..).unwrap_or(""));
            text.push('\n');
        }
        text
    }

    fn add(&mut self, line: u32, text: &str) {
        self.first.get_or_insert(line);
        self.lines.extend(text.lines().map(str::to_owned));
        if text.is_empty() {
            self.lines.push(String::new());
        }
    }
}

/// Parses consecutive docs and attributes; returns the text, whether it is inner, and the index after it.
fn run(syntax: &Syntax, start: u32, end: u32) -> (Text, bool, u32) {
    let mut text = Text::default();
    let mut inner = None;
    let mut at = start;
    while at < end {
        let Some(token) = syntax.token(at) else { break };
        let is_inner = match token.kind {
            Kind::InnerDoc => true,
            Kind::OuterDoc => false,
            Kind::Punct(b'#') => syntax.is(at + 1, b'!'),
            _ => break,
        };
        if *inner.get_or_insert(is_inner) != is_inner {
            break;
        }
        if token.kind == Kind::Punct(b'#') {
            let open = at + 1 + u32::from(is_inner);
            if !syntax.opens(open, b'[') {
                break;
            }
            let next = syntax.after(open);
            for attribute in attributes(syntax, at..next) {
                if attribute.is("doc") {
                    attribute_text(syntax, &attribute.rest, &mut text);
                }
            }
            at = next;
        } else {
            let line = syntax.line(token.start);
            let comment = syntax.word(at);
            if comment.starts_with("/*") {
                text.add(line, &block_text(&comment[3..comment.len() - 2]));
            } else {
                text.add(line, comment[3..].trim_end_matches('\r'));
            }
            at += 1;
        }
    }
    (text, inner.unwrap_or(false), at)
}

fn attribute_text(syntax: &Syntax, rest: &Range<u32>, text: &mut Text) {
    let at = rest.start + 1;
    if !syntax.is(rest.start, b'=') {
        return;
    }
    let line = syntax.line_of(at);
    if let Some(value) = string_value(syntax, at) {
        text.add(line, &value);
    } else if syntax.ident(at) == Some("include_str")
        && let Some(path) = string_value(syntax, at + 3)
    {
        text.first.get_or_insert(line);
        let above = u32::try_from(text.lines.len()).unwrap_or(u32::MAX);
        text.embedded.push((path, above));
    } else {
        // Text that is computed counts as one line.
        text.add(line, "");
    }
}

/// A block comment's text without a first line of stars, and without the column of stars. Follows `beautify_doc_string` of rustc.
fn block_text(comment: &str) -> String {
    let comment = match comment.split_once('\n') {
        Some((first, rest)) if first.bytes().all(|byte| byte == b'*') => rest,
        _ => comment,
    };
    let starred = comment
        .lines()
        .skip(1)
        .all(|line| line.trim_start().starts_with('*') || line.trim().is_empty());
    if !starred {
        return comment.to_owned();
    }
    let lines: Vec<&str> = comment
        .lines()
        .map(|line| line.trim_start().strip_prefix('*').unwrap_or(line))
        .collect();
    lines.join("\n")
}

/// The line of a byte in a text, from 1.
#[must_use]
pub fn line_of(text: &str, byte: u32) -> u32 {
    let before = &text.as_bytes()[..(byte as usize).min(text.len())];
    u32::try_from(memchr::memchr_iter(b'\n', before).count()).map_or(u32::MAX, |lines| lines + 1)
}

/// The innermost item that the docs from `start` to `end` document, or that contains them.
fn owner(syntax: &Syntax, start: u32, end: u32) -> u32 {
    let holds = |range: &Range<u32>| range.start <= start && end <= range.end;
    let found = syntax
        .items
        .iter()
        .rposition(|item| holds(&item.attributes) || holds(&item.tokens));
    found
        .and_then(|index| u32::try_from(index).ok())
        .unwrap_or(TOP)
}

/// The first sentence of a Markdown text's first paragraph, as plain text.
#[must_use]
pub fn first_sentence(markdown: &str) -> Option<String> {
    let mut paragraph = String::new();
    let mut inside = false;
    for event in Parser::new(markdown) {
        match event {
            Event::Start(Tag::Paragraph) => inside = true,
            Event::End(TagEnd::Paragraph) if !paragraph.trim().is_empty() => break,
            Event::Text(text) | Event::Code(text) if inside => paragraph.push_str(&text),
            Event::SoftBreak | Event::HardBreak if inside => paragraph.push(' '),
            _ => {}
        }
    }
    let paragraph = paragraph.trim();
    let end = paragraph
        .match_indices(['.', '!', '?'])
        .find_map(|(at, _)| {
            let rest = &paragraph[at + 1..];
            let abbreviated = paragraph[..at].ends_with("e.g") || paragraph[..at].ends_with("i.e");
            (!abbreviated
                && rest.starts_with(' ')
                && !rest.trim_start().starts_with(char::is_lowercase))
            .then_some(at + 1)
        });
    let sentence = &paragraph[..end.unwrap_or(paragraph.len())];
    (!sentence.is_empty()).then(|| sentence.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blocks_that_rustdoc_runs_are_tests() {
        for (info, expected) in [
            ("", Some(false)),
            ("rust", Some(false)),
            ("text", None),
            ("ignore", Some(true)),
            ("rust,ignore (why)", Some(true)),
            ("no_run", Some(false)),
            ("should_panic,edition2021", Some(false)),
            ("compile_fail,E0277", Some(false)),
            ("toml", None),
            ("console", None),
        ] {
            assert_eq!(runs(info), expected, "{info}");
        }
    }

    #[test]
    fn blocks_are_found_in_all_forms_of_documentation() {
        let text = "//! The file. More.\n//!\n//! ```\n//! a();\n//! ```\n\n/// ```text\n/// no\n/// ```\n///\n///     indented();\n#[doc = \"x\"]\npub struct S {\n    /** field\n     * ```no_run\n     * b()\n     * ```\n     */\n    a: u8,\n}\n#[cfg(test)]\nmod tests {\n /// ```\n /// hidden\n /// ```\n fn f() {} }\nfn g() { q! { /// ```\n /// in a macro\n /// ```\n } }";
        let syntax = Syntax::read(text).unwrap();
        let documentation = read(&syntax);
        assert_eq!(documentation.sentence.as_deref(), Some("The file."));
        let found: Vec<(u32, u32, &str)> = documentation
            .doctests
            .iter()
            .map(|test| (test.line, test.item, test.code.trim()))
            .collect();
        assert_eq!(
            found,
            [(3, TOP, "a();"), (11, 0, "indented();"), (15, 0, "b()")]
        );
    }

    #[test]
    fn first_sentence_of_the_first_paragraph() {
        let sentence = |text| first_sentence(text);
        assert_eq!(
            sentence("# Title\n\nReads `x.y`, e.g. this. Then\nmore.").as_deref(),
            Some("Reads x.y, e.g. this.")
        );
        assert_eq!(
            sentence("No stop\nat all").as_deref(),
            Some("No stop at all")
        );
        assert_eq!(sentence("```\ncode\n```"), None);
    }
}
