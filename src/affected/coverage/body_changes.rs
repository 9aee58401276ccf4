//! Finds changed functions whose body alone changed, so that only tests that execute them are affected.
//!
//! Any other change (a signature, an attribute, a new item, a constant, a macro, a type) has effects without being executed. The same
//! applies to the body of a `const fn`, of a function that build scripts or procedural macros call, and of a function whose text is the
//! input of a macro.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, TargetKind};
use rustc_hash::{FxHashMap, FxHashSet};

use super::source_map::numbered;
use super::store::Store;
use crate::affected::items::builtins::is_builtin_attribute;
use crate::affected::items::extract::{self, Digest, digest, flag};
use crate::affected::items::nodes::{NONE, NodeId};
use crate::affected::items::{Graph, UnitKind};
use crate::workspace::graph::is_kind;
use crate::workspace::source::attribute::attributes;
use crate::workspace::source::lex::Kind;
use crate::workspace::source::syntax::{ItemKind, RawItem, Syntax, TOP};
use crate::workspace::{PackageId, Workspace};

/// Functions whose body alone changed.
#[derive(Debug, Default)]
pub struct BodyChanges {
    /// The nodes of both versions.
    pub nodes: Vec<NodeId>,
    /// Their items in the store.
    pub items: FxHashSet<u32>,
}

/// Both versions of a file.
#[derive(Debug)]
pub struct Texts {
    /// The text at the collection.
    pub before: String,
    /// The current text.
    pub now: String,
}

/// One version of a function: its index in the file, and all its nodes.
#[derive(Debug, Default)]
struct Version {
    item: Option<u32>,
    nodes: Vec<NodeId>,
    /// Several functions have the same name.
    several: bool,
}

impl BodyChanges {
    /// Finds them among the changed functions of `graph`, which contains the state of `store` and the current one. `texts` are indexed by
    /// path relative to the workspace root, with `/`.
    #[must_use]
    pub fn of(
        workspace: &Workspace,
        graph: &Graph,
        store: &Store,
        texts: &FxHashMap<String, Texts>,
    ) -> Self {
        let mut by_key: FxHashMap<(u32, Digest), [Version; 2]> = FxHashMap::default();
        for (id, node) in (0..).zip(&graph.nodes.nodes) {
            if node.kind == ItemKind::Fn && node.changed {
                let key = graph.nodes.item(&graph.sources, id).key;
                let version =
                    &mut by_key.entry((node.file, key)).or_default()[usize::from(node.before)];
                version.several |= version.item.is_some_and(|item| item != node.item);
                version.item = Some(node.item);
                version.nodes.push(id);
            }
        }
        let at_build = at_build(workspace);
        let covered: FxHashMap<(&str, Digest, Digest), u32> = (0..)
            .zip(&store.items)
            .filter(|(_, item)| !item.blind)
            .map(|(index, item)| {
                (
                    (
                        store.files[item.file as usize].as_str(),
                        item.key,
                        item.hash,
                    ),
                    index,
                )
            })
            .collect();
        let mut heads: FxHashMap<u32, Option<[FxHashMap<u32, Digest>; 2]>> = FxHashMap::default();
        let mut bodies = Self::default();
        for ((file, key), [now, before]) in by_key {
            let (Some(item_now), Some(item_before)) = (now.item, before.item) else {
                continue;
            };
            let plain = |id: &NodeId| is_plain(graph, *id, &at_build);
            if now.several || before.several || !now.nodes.iter().chain(&before.nodes).all(plain) {
                continue;
            }
            let source = &graph.sources.files[file as usize];
            let path = workspace.slashed(&source.path);
            let heads = heads.entry(file).or_insert_with(|| {
                let texts = texts.get(&path).filter(|_| source.expansion.is_none())?;
                Some([heads_of(&texts.now)?, heads_of(&texts.before)?])
            });
            let Some([heads_now, heads_before]) = heads else {
                continue;
            };
            let head = heads_before.get(&item_before);
            if head.is_none() || head != heads_now.get(&item_now) {
                continue;
            }
            let hash = graph.nodes.item(&graph.sources, before.nodes[0]).hash;
            if let Some(index) = covered.get(&(path.as_str(), key, hash)) {
                bodies.items.insert(*index);
                bodies.nodes.extend(now.nodes);
                bodies.nodes.extend(before.nodes);
            }
        }
        bodies
    }
}

/// Whether the function has effects only when it is called.
fn is_plain(graph: &Graph, id: NodeId, at_build: &BTreeSet<PackageId>) -> bool {
    let node = &graph.nodes.nodes[id as usize];
    let unit = &graph.crates.units[node.unit as usize];
    node.call == NONE
        && node.flags & flag::ROOT == 0
        && unit.kind != UnitKind::BuildScript
        && !at_build.contains(&unit.package)
}

/// Members whose code runs during the build: procedural macros, dependencies of build scripts, and all members that these link.
fn at_build(workspace: &Workspace) -> BTreeSet<PackageId> {
    let expands = |id: &PackageId| {
        let targets = &workspace.packages[*id].targets;
        targets
            .iter()
            .any(|target| is_kind(target, &[TargetKind::ProcMacro]))
    };
    let mut packages: BTreeSet<PackageId> = (0..workspace.packages.len()).filter(expands).collect();
    let for_builds = workspace
        .edges()
        .iter()
        .filter(|edge| edge.kind == DependencyKind::Build);
    packages.extend(for_builds.map(|edge| edge.to));
    workspace.links(&packages)
}

/// The tokens before the body of each function whose text only callers see, by its index among the file's items.
fn heads_of(text: &str) -> Option<FxHashMap<u32, Digest>> {
    let syntax = Syntax::read(text).ok()?;
    let items = extract::read(text);
    let mut heads = FxHashMap::default();
    for (raw, index) in numbered(&syntax, &items)? {
        let raw = &syntax.items[raw];
        let Some(body) = raw.body.clone().filter(|_| raw.kind == ItemKind::Fn) else {
            continue;
        };
        let named = raw.name.unwrap_or(raw.tokens.start);
        let is_const = (raw.tokens.start..named).any(|at| syntax.ident(at) == Some("const"));
        if is_const || !is_plain_text(&syntax, raw) {
            continue;
        }
        let mut bytes = Vec::new();
        for at in raw.attributes.start.min(raw.tokens.start)..body.start {
            let token = syntax.token(at)?;
            if token.kind != Kind::OuterDoc {
                bytes.extend_from_slice(syntax.word(at).as_bytes());
                bytes.push(0);
            }
        }
        heads.insert(u32::try_from(index).ok()?, digest([bytes.as_slice()]));
    }
    Some(heads)
}

/// Whether no macro sees the text of an item: neither the item nor its parents are in the input of a macro, or have an attribute that
/// rustc does not define.
fn is_plain_text(syntax: &Syntax, raw: &RawItem) -> bool {
    let mut raw = raw;
    loop {
        let own = attributes(syntax, raw.attributes.clone());
        let input = matches!(
            raw.kind,
            ItemKind::Call | ItemKind::Macro | ItemKind::Foreign
        );
        if input || !own.iter().all(is_builtin_attribute) {
            return false;
        }
        if raw.parent == TOP {
            return true;
        }
        raw = &syntax.items[raw.parent as usize];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same_head(before: &str, now: &str) -> bool {
        let (before, now) = (heads_of(before).unwrap(), heads_of(now).unwrap());
        !before.is_empty() && before == now
    }

    #[test]
    fn body_comments_and_docs_may_change() {
        assert!(same_head(
            "fn f(a: u8) -> u8 { a }",
            "fn f(a: u8) -> u8 { a + 1 }"
        ));
        assert!(same_head(
            "/// doc\nfn f() {}",
            "/// other\nfn f( /* why */ ) { g() }"
        ));
        assert!(same_head(
            "impl S { #[inline] fn f(&self) {} }",
            "impl S { #[inline] fn f(&self) { 1; } }"
        ));
        assert!(same_head(
            "mod m { fn f() {} }",
            "mod m { fn f() { || 1; } }"
        ));
    }

    #[test]
    fn nothing_else_may_change() {
        assert!(!same_head("fn f() {}", "fn f(a: u8) {}"));
        assert!(!same_head("fn f() {}", "unsafe fn f() {}"));
        assert!(!same_head("fn f() {}", "#[cold] fn f() {}"));
        assert!(!same_head("fn f() {}", "fn f() -> u8 { 1 }"));
        assert!(!same_head("fn f() {}", "pub fn f() {}"));
    }

    #[test]
    fn functions_visible_to_macros_or_the_compiler_are_excluded() {
        for text in [
            "const fn f() {}",
            "#[instrument] fn f() {}",
            "#[async_trait] impl A for S { fn f() {} }",
            "q! { fn f() {} }",
            "mod m { q! { mod n { fn f() {} } } }",
            "trait T { fn f(); }",
        ] {
            assert_eq!(heads_of(text).unwrap(), FxHashMap::default(), "{text}");
        }
    }
}
