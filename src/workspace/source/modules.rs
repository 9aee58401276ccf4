//! Which files make up a target: `mod x;` followed from its root, by the rules of the Rust reference on module source files.

use super::attribute::{Build, Compiled, attributes, string_value};
use super::doc::Doctest;
use super::listing::{Found, MacroText, item_compiled};
use super::syntax::{ItemKind, Syntax, TOP};
use super::{Problem, facts};
use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;
use std::collections::HashSet;

/// A file, where it stands in its target, and what it holds.
#[derive(Debug, Clone)]
pub struct Mounted {
    /// The file.
    pub path: Utf8PathBuf,
    /// Its text.
    pub text: String,
    /// The module it is, from the crate's root.
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
    /// Names of macros called where items stand.
    pub calls: Vec<String>,
    /// Documentation tests in it.
    pub doctests: Vec<Doctest>,
    /// Files its documentation embeds.
    pub embedded: Vec<Utf8PathBuf>,
    /// How often `unsafe` stands in it.
    pub unsafe_uses: usize,
    /// Whether it defines `fn main` at its top.
    pub has_main: bool,
    /// What was not understood.
    pub problems: Vec<Problem>,
    /// The files it leads to.
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

/// A `mod x;` or `include!("x.rs")` in a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Child {
    /// Inline modules around it, each with its `#[path]` if it has one.
    pub within: Vec<(String, Option<String>)>,
    /// The module's name; none for an `include!`.
    pub name: Option<String>,
    /// Paths given by `#[path]`, `cfg_attr`ed ones included, or by `include!`.
    pub paths: Vec<String>,
    /// Some `path` is conditional, so that the usual place counts too.
    pub usual_too: bool,
    /// Whether it is compiled for `cargo test`.
    pub compiled: Compiled,
    /// Whether it is compiled for documentation tests.
    pub compiled_for_docs: Compiled,
    /// It may rightly lead nowhere: behind `cfg`, or in the input of a macro.
    pub optional: bool,
    /// Its line, counted from 1.
    pub line: u32,
    /// Index of the item that declares it.
    pub item: u32,
}

/// The modules and includes that a file declares.
#[must_use]
pub fn children(syntax: &Syntax) -> Vec<Child> {
    let mut found = Vec::new();
    for (index, item) in (0_u32..).zip(&syntax.items) {
        let is_include = item.kind == ItemKind::Call
            && item.name.is_some_and(|name| syntax.word(name) == "include");
        let is_module = item.kind == ItemKind::Mod && item.body.is_none();
        if !is_include && !is_module {
            continue;
        }
        let own = attributes(syntax, item.attributes.clone());
        let paths = own.iter().filter(|attribute| attribute.is("path"));
        let mut child = Child {
            within: Vec::new(),
            name: item
                .name
                .filter(|_| is_module)
                .map(|name| syntax.word(name).to_owned()),
            paths: paths
                .clone()
                .filter_map(|attribute| attribute.value(syntax))
                .collect(),
            usual_too: paths.clone().all(|attribute| attribute.condition.is_some()),
            compiled: item_compiled(syntax, index, Build::Test),
            compiled_for_docs: item_compiled(syntax, index, Build::Doctest),
            optional: false,
            line: item.name.map_or(0, |name| syntax.line_of(name)),
            item: index,
        };
        if is_include {
            let path = item
                .body
                .clone()
                .and_then(|body| string_value(syntax, body.start));
            let Some(path) = path else { continue };
            child.paths = vec![path];
            child.usual_too = false;
        }
        let mut at = index;
        while at != TOP {
            let holder = &syntax.items[at as usize];
            let attributes = attributes(syntax, holder.attributes.clone());
            let foreign = holder.kind == ItemKind::Call || holder.kind == ItemKind::Fn;
            child.optional |= foreign || attributes.iter().any(|attribute| attribute.is("cfg"));
            if holder.kind == ItemKind::Mod && at != index {
                let path = attributes
                    .iter()
                    .find(|attribute| attribute.is("path"))
                    .and_then(|attribute| attribute.value(syntax));
                child.within.push((
                    holder.name.map_or("", |name| syntax.word(name)).to_owned(),
                    path,
                ));
            }
            at = holder.parent;
        }
        child.within.reverse();
        found.push(child);
    }
    found
}

/// Where a file's modules are looked for.
#[derive(Debug, Clone)]
pub struct Place {
    /// The file.
    pub path: Utf8PathBuf,
    /// The folder for `mod x;` at its top.
    pub folder: Utf8PathBuf,
}

impl Place {
    /// A target's root, or a file that a `#[path]` or `include!` names: its modules stand beside it.
    #[must_use]
    pub fn root(path: Utf8PathBuf) -> Self {
        let folder = path.parent().unwrap_or(Utf8Path::new("")).to_owned();
        Self { path, folder }
    }

    /// Files that a declaration in this file may lead to; usually one, and all that exist count.
    #[must_use]
    pub fn candidates(&self, child: &Child) -> Vec<Self> {
        let beside = self.path.parent().unwrap_or(Utf8Path::new(""));
        let mut folder = self.folder.clone();
        for (name, path) in &child.within {
            folder = match path {
                Some(path) => folder.join(path),
                None => folder.join(name),
            };
        }
        let from = if child.within.is_empty() || child.name.is_none() {
            beside
        } else {
            &folder
        };
        let mut found: Vec<Self> = child
            .paths
            .iter()
            .map(|path| Self::root(normal(&from.join(path))))
            .collect();
        if let Some(name) = child
            .name
            .as_ref()
            .filter(|_| child.usual_too || child.paths.is_empty())
        {
            let own = folder.join(name);
            found.push(Self {
                path: folder.join(format!("{name}.rs")),
                folder: own.clone(),
            });
            found.push(Self {
                path: own.join("mod.rs"),
                folder: own,
            });
        }
        found
    }
}

/// The path without `.` and `..`, so that one file has one name.
#[must_use]
pub fn normal(path: &Utf8Path) -> Utf8PathBuf {
    let mut normal = Utf8PathBuf::new();
    for part in path.components() {
        match part {
            camino::Utf8Component::CurDir => {}
            camino::Utf8Component::ParentDir if normal.file_name().is_some() => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

/// Reads a target's files from its root, level by level, each level in parallel.
pub fn follow(root: &Utf8Path) -> Vec<Mounted> {
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
    use crate::workspace::source::read_unit;

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
    fn what_cannot_be_read_is_a_problem_with_its_place() {
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
                "bad.rs:2 bracket never closed"
            ]
        );
        assert!(read_unit(&root.join("none.rs")).is_err());
    }
}
