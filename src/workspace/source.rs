//! Rust sources read without a compiler: which files make up a target, which tests they hold, what they document.
//!
//! In: the root file of a target. Out: a [`Unit`]. Reading is total: a file that cannot be read or understood is
//! a [`Problem`] of its unit, never an error.

pub mod attribute;
pub mod doc;
pub mod expand;
pub mod lex;
pub mod listing;
pub mod modules;
pub mod syntax;

use anyhow::{Context, Result};
use attribute::{Attribute, Build, Compiled, attributes};
use camino::{Utf8Path, Utf8PathBuf};
use modules::{Mounted, follow};
use rayon::prelude::*;
use syntax::{ItemKind, Syntax, TOP};

/// What the sources of one target say.
#[derive(Debug, Clone, Default)]
pub struct Unit {
    /// Every source file, the root first, without repetition.
    pub files: Vec<Utf8PathBuf>,
    /// First sentence of the root's module documentation, as plain text.
    pub doc: Option<String>,
    /// Tests by source; those that cannot be compiled on this platform are left out.
    pub tests: Vec<Test>,
    /// Code blocks in documentation; they run as tests only in a library.
    pub doctests: Vec<UnitDoctest>,
    /// How often the word `unsafe` stands in the code.
    pub unsafe_uses: usize,
    /// The root defines `fn main`: in a test target, a harness of its own.
    pub has_main: bool,
    /// What could not be read or understood.
    pub problems: Vec<Problem>,
}

/// A test, by source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// Path within the test binary, `a::b::name`.
    pub name: String,
    /// Whether the harness lists this very name; else names that begin with it (`name::case_1`).
    pub exact: bool,
    /// `#[ignore]`.
    pub ignored: bool,
    /// Only compiled under a feature or flag that the source does not decide.
    pub conditional: bool,
    /// The file it stands in.
    pub file: Utf8PathBuf,
    /// Its line, counted from 1.
    pub line: u32,
}

/// A documentation test, by source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitDoctest {
    /// The file the code block stands in.
    pub file: Utf8PathBuf,
    /// The line of the block's opening, counted from 1.
    pub line: u32,
    /// Marked `ignore`.
    pub ignored: bool,
    /// Only compiled under a feature or flag that the source does not decide.
    pub conditional: bool,
}

/// Something in a source file that was not understood; what depends on it widens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: Utf8PathBuf,
    /// The line, counted from 1; 0 for the whole file.
    pub line: u32,
    /// What was wrong.
    pub message: String,
}

/// Reads the target whose root file is `root`.
///
/// # Errors
/// Only when the root file itself cannot be read.
pub fn read_unit(root: &Utf8Path) -> Result<Unit> {
    root.metadata()
        .with_context(|| format!("failed to read the target's root file `{root}`"))?;
    let mounted = follow(root);
    let mut unit = Unit::default();
    let macros = listing::leading_to_tests(
        mounted
            .iter()
            .flat_map(|file| file.macros.iter().cloned())
            .collect(),
    );
    let called: Vec<(Vec<listing::Found>, usize)> = if macros.is_empty() {
        Vec::new()
    } else {
        let calls = mounted.par_iter().enumerate().filter(|(_, file)| {
            file.calls
                .iter()
                .any(|call| macros.iter().any(|name| name.name == *call))
        });
        calls
            .filter_map(|(index, file)| {
                let syntax = Syntax::read(&file.text).ok()?;
                Some((listing::macro_tests(&syntax, &macros), index))
            })
            .collect()
    };
    for (index, file) in mounted.iter().enumerate() {
        if !unit.files.contains(&file.path) {
            unit.files.push(file.path.clone());
            unit.unsafe_uses += file.unsafe_uses;
        }
        let own = file.tests.iter();
        let by_macros = called
            .iter()
            .filter(|(_, at)| *at == index)
            .flat_map(|(found, _)| found);
        unit.tests
            .extend(own.chain(by_macros).filter_map(|found| test(file, found)));
        unit.doctests.extend(doctests(file));
        unit.problems.extend(file.problems.iter().cloned());
    }
    if let Some(root) = mounted.first() {
        unit.doc.clone_from(&root.sentence);
        unit.has_main = root.has_main;
    }
    Ok(unit)
}

/// First sentence of a file's own documentation, as plain text; none where there is none, or no such file.
#[must_use]
pub fn sentence(path: &Utf8Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    doc::read(&Syntax::read(&text).ok()?).sentence
}

/// Reads several targets at once, in their order.
///
/// # Errors
/// As [`read_unit`], for the first that fails.
pub fn read_units(roots: &[Utf8PathBuf]) -> Result<Vec<Unit>> {
    roots.par_iter().map(|root| read_unit(root)).collect()
}

fn test(file: &Mounted, found: &listing::Found) -> Option<Test> {
    let compiled = file.compiled.and(found.compiled);
    let name = [file.module.as_slice(), found.path.as_slice()]
        .concat()
        .join("::");
    (compiled != Compiled::No).then(|| Test {
        name,
        exact: found.exact,
        ignored: found.ignored,
        conditional: compiled == Compiled::Perhaps,
        file: file.path.clone(),
        line: found.line,
    })
}

fn doctests(file: &Mounted) -> Vec<UnitDoctest> {
    let conditional = file.compiled_for_docs == Compiled::Perhaps;
    if file.compiled_for_docs == Compiled::No {
        return Vec::new();
    }
    let own = file
        .doctests
        .iter()
        .map(|test| (file.path.clone(), test.line, test.ignored));
    let embedded = file.embedded.iter().flat_map(|path| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        doc::blocks(&text, &[])
            .into_iter()
            .map(|(line, ignored, _)| (path.clone(), line, ignored))
    });
    own.chain(embedded)
        .map(|(file, line, ignored)| UnitDoctest {
            file,
            line,
            ignored,
            conditional,
        })
        .collect()
}

/// What [`modules::follow`] keeps of a file besides where it is mounted.
fn facts(text: String, path: &Utf8Path) -> Mounted {
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
                    message: "text that is no item".to_owned(),
                });
            }
            let inner: Vec<Attribute> = syntax
                .inner
                .iter()
                .flat_map(|range| attributes(&syntax, range.clone()))
                .collect();
            file.compiled = attribute::compiled(&syntax, &inner, Build::Test);
            file.compiled_for_docs = attribute::compiled(&syntax, &inner, Build::Doctest);
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
