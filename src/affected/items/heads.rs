//! The heads of functions: their text without the body. Finds the changed functions whose head is unchanged.

use rustc_hash::FxHashMap;

use super::Graph;
use super::builtins::is_builtin_attribute;
use super::extract::{self, Digest, FileItems, digest};
use super::nodes::{NONE, NodeId};
use super::sources::SourceFile;
use crate::workspace::source::attribute::attributes;
use crate::workspace::source::lex::Kind;
use crate::workspace::source::syntax::{ItemKind, RawItem, Syntax, TOP};

/// The head of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// A digest of its tokens.
    pub(crate) hash: Digest,
    /// Whether the compiler derives properties of the returned type from the body: the function is `async`, or names an `impl`.
    pub(crate) is_opaque: bool,
}

/// A function of which only the body changed.
#[derive(Debug)]
pub(crate) struct ChangedBody {
    /// Its key across versions of its file.
    pub(crate) key: Digest,
    /// Its head, in both versions.
    pub(crate) head: Head,
    /// Its current nodes.
    pub(crate) now: Vec<NodeId>,
    /// Its nodes before the change.
    pub(crate) before: Vec<NodeId>,
}

/// The changed functions whose body alone changed, without those that a macro writes. `texts` returns the current text of a file
/// and the text before the change.
pub(crate) fn changed_bodies(
    graph: &Graph,
    texts: &dyn Fn(&SourceFile) -> Option<[String; 2]>,
) -> Vec<ChangedBody> {
    let mut by_key: FxHashMap<(u32, Digest), [Vec<NodeId>; 2]> = FxHashMap::default();
    for (id, node) in (0..).zip(&graph.nodes.nodes) {
        if node.changed && node.kind == ItemKind::Fn && node.call == NONE {
            let key = graph.nodes.item(&graph.sources, id).key;
            by_key.entry((node.file, key)).or_default()[usize::from(node.before)].push(id);
        }
    }
    let mut files: FxHashMap<u32, Option<[FxHashMap<u32, Head>; 2]>> = FxHashMap::default();
    let mut found = Vec::new();
    for ((file, key), [now, before]) in by_key {
        let heads = files.entry(file).or_insert_with(|| {
            let [now, before] = texts(&graph.sources.files[file as usize])?;
            Some([heads_of(&now)?, heads_of(&before)?])
        });
        let Some([heads_now, heads_before]) = heads else {
            continue;
        };
        let common = |heads: &FxHashMap<u32, Head>, ids: &[NodeId]| -> Option<Head> {
            let items = ids.iter().map(|id| graph.nodes.nodes[*id as usize].item);
            let mut heads = items.map(|item| heads.get(&item).copied());
            let first = heads.next()??;
            heads.all(|head| head == Some(first)).then_some(first)
        };
        if let Some(head) = common(heads_now, &now)
            && common(heads_before, &before) == Some(head)
        {
            found.push(ChangedBody {
                key,
                head,
                now,
                before,
            });
        }
    }
    found
}

/// The heads of the functions that are not `const` and whose text no macro sees, by index among the file's items.
fn heads_of(text: &str) -> Option<FxHashMap<u32, Head>> {
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
        let mut is_opaque = false;
        for at in raw.attributes.start.min(raw.tokens.start)..body.start {
            let token = syntax.token(at)?;
            if token.kind != Kind::OuterDoc {
                is_opaque |= matches!(syntax.ident(at), Some("async" | "impl"));
                bytes.extend_from_slice(syntax.word(at).as_bytes());
                bytes.push(0);
            }
        }
        let hash = digest([bytes.as_slice()]);
        heads.insert(u32::try_from(index).ok()?, Head { hash, is_opaque });
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

/// Maps items of the syntax to the items they became, as indexes, without `use`s, which become one item per name. `None` if the two do
/// not match.
#[must_use]
pub(crate) fn numbered(syntax: &Syntax, items: &FileItems) -> Option<Vec<(usize, usize)>> {
    let is_use = |kind: ItemKind| matches!(kind, ItemKind::Use | ItemKind::ExternCrate);
    let mut found = Vec::with_capacity(syntax.items.len());
    let mut next = 0;
    for (index, raw) in syntax.items.iter().enumerate() {
        if is_use(raw.kind) {
            while items.items.get(next).is_some_and(|item| is_use(item.kind)) {
                next += 1;
            }
            continue;
        }
        if items.items.get(next)?.kind != raw.kind {
            return None;
        }
        found.push((index, next));
        next += 1;
    }
    Some(found)
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
