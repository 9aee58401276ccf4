//! A source file: its modules, tests, documentation and macros.

use camino::{Utf8Path, Utf8PathBuf};

use super::attribute::{Attribute, attributes};
use super::cfg::{self, Build, Compiled};
use super::doc::{self, Doctest};
use super::listing::{self, Found, MacroText};
use super::modules::{self, Child};
use super::syntax::{ItemKind, Syntax, TOP};

/// A file, its module in the target, and its contents.
#[derive(Debug, Clone)]
pub struct Mounted {
    /// The file.
    pub path: Utf8PathBuf,
    /// Its text.
    pub text: String,
    /// Its module, from the crate's root.
    pub module: Vec<String>,
    /// Whether it is compiled for `cargo test`.
    pub compiled: Compiled,
    /// Whether it is compiled for documentation tests.
    pub compiled_for_docs: Compiled,
    /// First sentence of its documentation.
    pub sentence: Option<String>,
    /// Tests in it.
    pub tests: Vec<Found>,
    /// Macros it defines.
    pub macros: Vec<MacroText>,
    /// Names of macros called in item position.
    pub calls: Vec<String>,
    /// Documentation tests in it.
    pub doctests: Vec<Doctest>,
    /// Files its documentation embeds.
    pub embedded: Vec<Utf8PathBuf>,
    /// The number of `unsafe` uses.
    pub unsafe_uses: usize,
    /// Whether it defines `fn main` at the top level.
    pub has_main: bool,
    /// Parts that could not be parsed.
    pub problems: Vec<Problem>,
    /// The files it declares.
    pub children: Vec<Child>,
}

impl Default for Mounted {
    fn default() -> Self {
        Self {
            path: Utf8PathBuf::new(),
            text: String::new(),
            module: Vec::new(),
            compiled: Compiled::Yes,
            compiled_for_docs: Compiled::Yes,
            sentence: None,
            tests: Vec::new(),
            macros: Vec::new(),
            calls: Vec::new(),
            doctests: Vec::new(),
            embedded: Vec::new(),
            unsafe_uses: 0,
            has_main: false,
            problems: Vec::new(),
            children: Vec::new(),
        }
    }
}

/// A part of a source file that cannot be parsed; selections that depend on it widen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: Utf8PathBuf,
    /// The line, from 1; 0 for the whole file.
    pub line: u32,
    /// The error.
    pub message: String,
}

/// Parses a file; the caller sets its module and position in the target.
pub(super) fn facts(text: String, path: &Utf8Path) -> Mounted {
    let mut file = Mounted {
        path: path.to_owned(),
        ..Mounted::default()
    };
    match Syntax::read(&text) {
        Ok(syntax) => {
            let documentation = doc::read(&syntax);
            file.sentence = documentation.sentence;
            file.doctests = documentation.doctests;
            let folder = path.parent().unwrap_or(Utf8Path::new(""));
            file.embedded = documentation
                .embedded
                .iter()
                .map(|(name, _)| folder.join(name))
                .collect();
            file.tests = listing::tests(&syntax);
            file.macros = listing::macros(&syntax);
            file.calls = syntax
                .items
                .iter()
                .filter(|item| item.kind == ItemKind::Call)
                .filter_map(|item| item.name)
                .map(|name| syntax.word(name).to_owned())
                .collect();
            file.unsafe_uses = (0_u32..)
                .zip(&syntax.tokens)
                .filter(|(index, _)| syntax.ident(*index) == Some("unsafe"))
                .count();
            file.has_main = syntax.items.iter().any(|item| {
                item.parent == TOP
                    && item.kind == ItemKind::Fn
                    && item.name.is_some_and(|name| syntax.word(name) == "main")
            });
            if let Some(byte) = syntax.unread {
                file.problems.push(Problem {
                    file: path.to_owned(),
                    line: syntax.line(byte),
                    message: "text that is not an item".to_owned(),
                });
            }
            let inner: Vec<Attribute> = syntax
                .inner
                .iter()
                .flat_map(|range| attributes(&syntax, range.clone()))
                .collect();
            file.compiled = cfg::compiled(&syntax, &inner, Build::Test);
            file.compiled_for_docs = cfg::compiled(&syntax, &inner, Build::Doctest);
            file.children = modules::children(&syntax);
        }
        Err(problem) => {
            let line = doc::line_of(&text, problem.at);
            file.problems.push(Problem {
                file: path.to_owned(),
                line,
                message: problem.message.to_owned(),
            });
        }
    }
    file.text = text;
    file
}
