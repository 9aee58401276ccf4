//! Finds the files of a target by following `mod x;` from its root, by the rules of the Rust reference on module source files.

use super::attribute::{attributes, commas, string_value};
use super::keywords::plain_name;
use super::syntax::{ItemKind, Syntax, TOP};
use camino::{Utf8Path, Utf8PathBuf};
use std::ops::Range;

pub use crate::sys::files::normalize as normal;

/// A `mod x;` or `include!("x.rs")` in a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Child {
    /// Inline modules around it, each with its `#[path]`, if any.
    pub within: Vec<(String, Option<String>)>,
    /// The module's name; `None` for an `include!`.
    pub name: Option<String>,
    /// Paths from `#[path]`, including those in `cfg_attr`, or from `include!`.
    pub paths: Vec<String>,
    /// Whether a `path` is conditional, so that the default file counts too.
    pub usual_too: bool,
    /// Whether `paths` are relative to the folder of the package: `concat!(env!("CARGO_MANIFEST_DIR"), "/x.rs")`.
    pub from_package: bool,
    /// Its line, from 1.
    pub line: u32,
    /// Index of the declaring item.
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
            usual_too: paths
                .clone()
                .all(|attribute| !attribute.conditions.is_empty()),
            from_package: false,
            line: item.name.map_or(0, |name| syntax.line_of(name)),
            item: index,
        };
        if is_include {
            let Some(path) = item
                .body
                .clone()
                .and_then(|body| included_path(syntax, body))
            else {
                continue;
            };
            child.from_package = path.from_package;
            child.paths = vec![path.path];
            child.usual_too = false;
        }
        let mut at = index;
        while at != TOP {
            let holder = &syntax.items[at as usize];
            let attributes = attributes(syntax, holder.attributes.clone());
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

/// The path in an `include!`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncludedPath {
    /// As written.
    pub path: String,
    /// Whether it is relative to the folder of the package; otherwise to that of the file.
    pub from_package: bool,
}

/// The path in the input of an `include!`; `None` if only a build knows it, as with `OUT_DIR`.
#[must_use]
pub fn included_path(syntax: &Syntax, input: Range<u32>) -> Option<IncludedPath> {
    let macro_input = |at: u32, name: &str| {
        let is_call = syntax.ident(at) == Some(name) && syntax.is(at + 1, b'!');
        is_call.then(|| at + 3..syntax.after(at + 2).saturating_sub(1))
    };
    if let Some(path) = string_value(syntax, input.start) {
        return Some(IncludedPath {
            path,
            from_package: false,
        });
    }
    let mut path = String::new();
    let mut from_package = false;
    for part in commas(syntax, macro_input(input.start, "concat")?) {
        if let Some(text) = string_value(syntax, part.start) {
            path.push_str(&text);
            continue;
        }
        let variable = string_value(syntax, macro_input(part.start, "env")?.start)?;
        if variable != "CARGO_MANIFEST_DIR" || !path.is_empty() {
            return None;
        }
        from_package = true;
    }
    if from_package {
        let root = path.len() - path.trim_start_matches('/').len();
        path.drain(..root);
    }
    (!path.is_empty()).then_some(IncludedPath { path, from_package })
}

/// The position of a file's modules.
#[derive(Debug, Clone)]
pub struct Place {
    /// The file.
    pub path: Utf8PathBuf,
    /// The folder for a top-level `mod x;`.
    pub folder: Utf8PathBuf,
}

impl Place {
    /// A target's root, or a file of a `#[path]` or `include!`: its modules are beside it.
    #[must_use]
    pub fn root(path: Utf8PathBuf) -> Self {
        let folder = path.parent().unwrap_or(Utf8Path::new("")).to_owned();
        Self { path, folder }
    }

    /// [`candidates`](Self::candidates), including those relative to the folder of the package.
    #[must_use]
    pub fn candidates_in(&self, package: &Utf8Path, child: &Child) -> Vec<Self> {
        if !child.from_package {
            return self.candidates(child);
        }
        let paths = child.paths.iter();
        paths
            .map(|path| Self::root(normal(&package.join(path))))
            .collect()
    }

    /// Files that a declaration in this file may refer to; usually one, and all that exist count. Empty if the path is relative to the folder of
    /// the package.
    #[must_use]
    pub fn candidates(&self, child: &Child) -> Vec<Self> {
        if child.from_package {
            return Vec::new();
        }
        let beside = self.path.parent().unwrap_or(Utf8Path::new(""));
        let mut folder = self.folder.clone();
        for (name, path) in &child.within {
            folder = match path {
                Some(path) => folder.join(path),
                None => folder.join(plain_name(name)),
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
            let name = plain_name(name);
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
