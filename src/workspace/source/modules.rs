//! Which files make up a target: `mod x;` followed from its root, by the rules of the Rust reference on module source files.

use super::attribute::{attributes, string_value};
use super::cfg::{Build, Compiled};
use super::listing::item_compiled;
use super::syntax::{ItemKind, Syntax, TOP};
use camino::{Utf8Path, Utf8PathBuf};

pub use crate::sys::files::normalize as normal;

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
    /// Its file may be missing: it is behind `cfg`, or in the input of a macro.
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

    /// Candidate files of a declaration in this file; every one that exists counts.
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
