//! The sources of one target: its files, tests and documentation.

use std::collections::HashSet;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

use super::cfg::Compiled;
use super::file::{Mounted, Problem, facts};
use super::modules::{Place, normal};
use super::syntax::Syntax;
use super::{doc, listing};

/// The contents of one target's sources.
#[derive(Debug, Clone, Default)]
pub struct Unit {
    /// Every source file, the root first, without duplicates.
    pub files: Vec<Utf8PathBuf>,
    /// First sentence of the root's module documentation, as plain text.
    pub doc: Option<String>,
    /// Tests in the sources, without those that cannot be compiled on this platform.
    pub tests: Vec<Test>,
    /// Code blocks in documentation; they run as tests only in a library.
    pub doctests: Vec<UnitDoctest>,
    /// The number of `unsafe` uses.
    pub unsafe_uses: usize,
    /// Whether the root defines `fn main`: in a test target, a custom harness.
    pub has_main: bool,
    /// Files and parts that cannot be read or parsed.
    pub problems: Vec<Problem>,
}

/// A test in the sources.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about the test"
)]
pub struct Test {
    /// The path in the test binary, `a::b::name`.
    pub name: String,
    /// Whether the harness lists this name; otherwise names that start with it (`name::case_1`).
    pub exact: bool,
    /// `#[ignore]`.
    pub ignored: bool,
    /// Whether it depends on a feature or flag that the source does not decide.
    pub conditional: bool,
    /// Its file.
    pub file: Utf8PathBuf,
    /// Its line, from 1.
    pub line: u32,
    /// Whether its body can fail, as far as its file shows.
    pub asserts: bool,
}

/// A documentation test in the sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitDoctest {
    /// The file of the code block.
    pub file: Utf8PathBuf,
    /// The line of the block's opening fence, from 1.
    pub line: u32,
    /// Marked `ignore`.
    pub ignored: bool,
    /// Whether it depends on a feature or flag that the source does not decide.
    pub conditional: bool,
}

/// Parses the target whose root file is `root`.
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

/// First sentence of a file's documentation, as plain text; empty if there is none, or the file does not exist.
#[must_use]
pub fn sentence(path: &Utf8Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    doc::read(&Syntax::read(&text).ok()?).sentence
}

/// Parses several targets in parallel and returns them in the same order.
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
        asserts: found.asserts,
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
        doc::blocks(&text)
            .into_iter()
            .map(|(above, ignored, _)| (path.clone(), above + 1, ignored))
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

/// Parses a target's files from its root, level by level, each level in parallel.
fn follow(root: &Utf8Path) -> Vec<Mounted> {
    let start = Step {
        place: Place::root(normal(root)),
        module: Vec::new(),
        compiled: Compiled::Yes,
        compiled_for_docs: Compiled::Yes,
    };
    let mut level = vec![start];
    let mut all: Vec<Mounted> = Vec::new();
    let mut seen = HashSet::new();
    while !level.is_empty() {
        level.retain(|step| seen.insert((step.place.path.clone(), step.module.clone())));
        let read: Vec<(Mounted, Vec<Step>)> = level.into_par_iter().map(Step::take).collect();
        level = Vec::new();
        for (file, steps) in read {
            all.push(file);
            level.extend(steps);
        }
    }
    all
}

struct Step {
    place: Place,
    module: Vec<String>,
    compiled: Compiled,
    compiled_for_docs: Compiled,
}

impl Step {
    fn take(self) -> (Mounted, Vec<Self>) {
        let mut file = match std::fs::read(&self.place.path) {
            Ok(bytes) => facts(
                String::from_utf8_lossy(&bytes).into_owned(),
                &self.place.path,
            ),
            Err(error) => Mounted {
                path: self.place.path.clone(),
                problems: vec![Problem {
                    file: self.place.path.clone(),
                    line: 0,
                    message: format!("failed to read: {error}"),
                }],
                ..Mounted::default()
            },
        };
        file.compiled = file.compiled.and(self.compiled);
        file.compiled_for_docs = file.compiled_for_docs.and(self.compiled_for_docs);
        file.module.clone_from(&self.module);
        let mut steps = Vec::new();
        let mut lost = Vec::new();
        for child in &file.children {
            let mut module = self.module.clone();
            module.extend(child.within.iter().map(|(name, _)| name.clone()));
            module.extend(child.name.clone());
            let mut found = false;
            for place in self
                .place
                .candidates(child)
                .into_iter()
                .filter(|place| place.path.is_file())
            {
                found = true;
                steps.push(Self {
                    place,
                    module: module.clone(),
                    compiled: file.compiled.and(child.compiled),
                    compiled_for_docs: file.compiled_for_docs.and(child.compiled_for_docs),
                });
            }
            if !found && !child.optional {
                let name = child
                    .name
                    .as_ref()
                    .or(child.paths.first())
                    .cloned()
                    .unwrap_or_default();
                lost.push(Problem {
                    file: file.path.clone(),
                    line: child.line,
                    message: format!("module `{name}` has no file"),
                });
            }
        }
        file.problems.extend(lost);
        (file, steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        for (path, text) in files {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs_write(&path, text);
        }
        (folder, root)
    }

    #[expect(clippy::disallowed_methods, reason = "a fixture in a temporary folder")]
    fn fs_write(path: &Utf8Path, text: &str) {
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn every_way_to_declare_a_module_is_followed() {
        let (_folder, root) = tree(&[
            (
                "src/lib.rs",
                "//! Doc.\nmod a; #[path = \"odd/b.rs\"] mod b; mod inline { mod c; #[path = \"d2.rs\"] mod d; }\n#[cfg(windows)] mod gone; m! { mod e; } include!(\"f.inc\"); #[cfg_attr(unix, path = \"unix.rs\")] mod imp; #[cfg(test)] mod tests;",
            ),
            ("src/a.rs", "mod deep; #[test] fn t() {}"),
            ("src/a/deep.rs", "#[test] fn t() {}"),
            ("src/odd/b.rs", "mod beside;"),
            ("src/odd/beside.rs", "#[test] fn t() {}"),
            ("src/inline/c.rs", "#[test] fn t() {}"),
            ("src/inline/d2.rs", "#[test] fn t() {}"),
            ("src/e/mod.rs", "mod x;"),
            ("src/e/x.rs", "#[test] fn t() {}"),
            ("src/f.inc", "#[test] fn included() {} unsafe fn u() {}"),
            ("src/unix.rs", "#[test] fn t() {}"),
            (
                "src/tests.rs",
                "#[test] #[ignore] fn t() {}\n/// ```\n/// x\n/// ```\nfn y() {}",
            ),
        ]);
        let unit = read_unit(&root.join("src/lib.rs")).unwrap();
        let mut names: Vec<&str> = unit.tests.iter().map(|test| test.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "a::deep::t",
                "a::t",
                "b::beside::t",
                "e::x::t",
                "imp::t",
                "included",
                "inline::c::t",
                "inline::d::t",
                "tests::t"
            ]
        );
        assert_eq!(unit.problems, []);
        assert_eq!(unit.doc.as_deref(), Some("Doc."));
        assert_eq!(unit.unsafe_uses, 1);
        assert_eq!(
            unit.doctests,
            [],
            "a module for tests only has no documentation tests"
        );
        assert_eq!(unit.files.len(), 12);
    }

    #[test]
    fn unreadable_files_are_problems_with_positions() {
        let (_folder, root) = tree(&[
            ("lib.rs", "\nmod lost;\nmod bad;"),
            ("bad.rs", "fn a() {\n("),
        ]);
        let unit = read_unit(&root.join("lib.rs")).unwrap();
        let problems: Vec<String> = unit
            .problems
            .iter()
            .map(|problem| {
                format!(
                    "{}:{} {}",
                    problem.file.file_name().unwrap(),
                    problem.line,
                    problem.message
                )
            })
            .collect();
        assert_eq!(
            problems,
            [
                "lib.rs:2 module `lost` has no file",
                "bad.rs:2 unclosed bracket"
            ]
        );
        assert!(read_unit(&root.join("none.rs")).is_err());
    }
}
