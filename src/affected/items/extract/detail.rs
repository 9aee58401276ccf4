//! Flags, headers and macro bodies of items.

use std::ops::Range;

use super::{
    Assertions, Attribute, Build, Collector, Compiled, Detail, GLOBAL, Item, ItemKind, Kind,
    RawItem, Reader, Symbol, Syntax, TOP, TestKind, Written, compiled, digest, flag, holds_test,
    is_foreign, is_made_a_test, test_kind, tokens_into,
};
use crate::affected::items::known_macros::{
    Expansion, attribute_crates, attribute_expansion, names_a_test,
};
use crate::workspace::source::modules::included_path;

impl<'t> Reader<'_, 't> {
    pub(super) fn flags(&self, raw: &RawItem, own: &[Attribute]) -> u32 {
        let mut flags = 0;
        if self.syntax.ident(raw.tokens.start) == Some("pub") {
            flags |= flag::PUBLIC;
        }
        let inside_function = raw.parent != TOP
            && matches!(
                self.syntax.items[raw.parent as usize].kind,
                ItemKind::Fn | ItemKind::Impl | ItemKind::Trait
            );
        if raw.kind == ItemKind::Fn && !inside_function {
            flags |= match test_kind(own) {
                _ if is_made_a_test(self.syntax, raw) => flag::TEST,
                Some(TestKind::Exact) => flag::TEST,
                Some(TestKind::Prefix) if is_surely_test(own, flags & flag::PUBLIC != 0) => {
                    flag::TEST_PREFIX
                }
                Some(TestKind::Prefix) => flag::TEST_PREFIX | flag::PERHAPS_TEST,
                None => 0,
            };
        }
        let is_test = flags & (flag::TEST | flag::TEST_PREFIX) != 0;
        if is_test && flags & flag::PERHAPS_TEST == 0
            || compiled(self.syntax, own, Build::Plain) == Compiled::No
                && compiled(self.syntax, own, Build::Test) != Compiled::No
        {
            flags |= flag::TEST_ONLY;
        }
        if flags & flag::TEST != 0 && !self.can_fail(raw, own) {
            flags |= flag::CANNOT_FAIL;
        }
        flags |= self.function_flags(raw);
        for attribute in own {
            flags |= match attribute.name() {
                "ignore" => flag::IGNORED,
                "cfg" => flag::CONDITIONAL,
                "track_caller" => flag::TRACK_CALLER,
                "ctor"
                | "dtor"
                | "no_mangle"
                | "export_name"
                | "link_section"
                | "used"
                | "global_allocator"
                | "panic_handler"
                | "distributed_slice"
                | "alloc_error_handler"
                | "typetag" => flag::ROOT,
                _ => 0,
            };
            // Attributes such as `#[typetag::serde]` register code at start-up.
            if attribute.path.len() > 1
                && matches!(
                    attribute.path[0],
                    "typetag" | "linkme" | "inventory" | "ctor"
                )
            {
                flags |= flag::ROOT;
            }
            if !attribute.conditions.is_empty() || attribute.path.first() == Some(&"rustversion") {
                flags |= flag::CONDITIONAL;
            }
        }
        let made = |attribute: &Attribute| {
            is_foreign(self.syntax, attribute)
                || attribute.is("derive")
                    && attribute
                        .rest
                        .clone()
                        .any(|at| self.syntax.ident(at) == Some("Default"))
        };
        if matches!(
            raw.kind,
            ItemKind::Struct | ItemKind::Enum | ItemKind::Union
        ) && (self.in_foreign(raw.parent) || own.iter().any(made))
        {
            flags |= flag::MADE;
        }
        if raw.kind == ItemKind::Fn
            && self
                .signature(raw)
                .is_some_and(|signature| signature.takes_self)
        {
            flags |= flag::METHOD;
        }
        if raw.kind == ItemKind::Impl && self.is_unsafe_impl(raw) {
            flags |= flag::UNSAFE;
        }
        if raw.kind == ItemKind::Macro
            && raw.body.clone().is_some_and(|body| {
                body.clone()
                    .any(|at| self.syntax.opens(at, b'[') && self.syntax.is(at + 1, b'<'))
            })
        {
            flags |= flag::DEFINES_ANY;
        }
        flags
    }

    fn can_fail(&self, test: &RawItem, own: &[Attribute]) -> bool {
        let syntax = self.syntax;
        own.iter().any(|attribute| attribute.is("should_panic"))
            || self
                .assertions
                .get_or_init(|| Assertions::of(syntax))
                .are_in(syntax, test)
    }

    /// Whether an `unsafe impl` lets external code create values of the type, as an `impl` of `Pod` does.
    fn is_unsafe_impl(&self, raw: &RawItem) -> bool {
        let head = Self::head(raw);
        let words = head.filter_map(|at| self.syntax.ident(at));
        let words: Vec<&str> = words.collect();
        let marks = ["Send", "Sync", "GlobalAlloc"];
        words.first() == Some(&"unsafe") && !marks.iter().any(|mark| words.contains(mark))
    }

    /// The flags of a function from its signature.
    fn function_flags(&self, raw: &RawItem) -> u32 {
        let Some(name) = raw.name.filter(|_| raw.kind == ItemKind::Fn) else {
            return 0;
        };
        let syntax = self.syntax;
        let mut flags = 0;
        let foreign =
            raw.parent != TOP && syntax.items[raw.parent as usize].kind == ItemKind::Foreign;
        if foreign || self.is_extern(raw) {
            // Unknown code creates its arguments.
            flags |= flag::UNSAFE;
        }
        if syntax.is(name + 1, b'<') {
            let past = syntax.after_angles(name + 1, raw.tokens.end);
            let own = parameters(syntax, name + 2..past.saturating_sub(1));
            let is_own = |at: u32| syntax.ident(at).is_some_and(|word| own.contains(&word));
            let returns = self.signature(raw).map(|signature| signature.returns);
            let makes = returns.unwrap_or(0..0).any(is_own);
            let mut tokens = raw.tokens.clone();
            if !own.is_empty() {
                flags |= flag::GENERIC;
            }
            if makes && tokens.any(|at| syntax.ident(at) == Some("unsafe")) {
                flags |= flag::MAKES_ANY;
            }
        }
        flags
    }

    pub(super) fn detail(&mut self, raw: &RawItem, own: &[Attribute<'t>]) -> Detail {
        let syntax = self.syntax;
        match raw.kind {
            ItemKind::Enum => {
                let Some(body) = raw.body.clone() else {
                    return Detail::None;
                };
                let mut variants = Vec::new();
                let mut at = body.start;
                let mut fresh = true;
                while at < body.end {
                    if fresh && syntax.is(at, b'#') && syntax.opens(at + 1, b'[') {
                        at = syntax.after(at + 1);
                        continue;
                    }
                    if matches!(syntax.token(at), Some(token) if token.kind == Kind::OuterDoc) {
                        at += 1;
                        continue;
                    }
                    if fresh && let Some(name) = syntax.ident(at) {
                        variants.push(self.table.symbol(name));
                    }
                    fresh = syntax.is(at, b',');
                    at = syntax.after(at);
                }
                Detail::Enum(variants)
            }
            ItemKind::Impl => self.implementation(raw),
            ItemKind::Call => Detail::Call(self.body_text(raw)),
            ItemKind::Macro => {
                let mut defines = Vec::new();
                for at in raw.body.clone().unwrap_or(0..0) {
                    let defining = matches!(
                        syntax.ident(at),
                        Some(
                            "fn" | "struct"
                                | "enum"
                                | "union"
                                | "trait"
                                | "type"
                                | "const"
                                | "static"
                                | "mod"
                        )
                    );
                    if defining && let Some(name) = syntax.ident(at + 1) {
                        defines.push(self.table.symbol(name));
                    } else if syntax.ident(at) == Some("macro_rules")
                        && let Some(name) = syntax.ident(at + 2)
                    {
                        defines.push(self.table.symbol(name));
                    }
                }
                let body = raw.body.clone().unwrap_or(0..0);
                let tests = holds_test(syntax, body.clone());
                let rewrites_attributes = body.into_iter().any(|at| {
                    syntax.is(at, b'#') && syntax.opens(at + 1, b'[') && syntax.is(at + 2, b'$')
                });
                Detail::Macro {
                    text: self.body_text(raw),
                    defines,
                    tests,
                    rewrites_attributes,
                }
            }
            ItemKind::Fn => {
                let derive = own
                    .iter()
                    .find(|attribute| attribute.is("proc_macro_derive"));
                let named = derive.and_then(|attribute| syntax.ident(attribute.rest.start + 1));
                let plain = own.iter().any(|attribute| {
                    attribute.is("proc_macro") || attribute.is("proc_macro_attribute")
                });
                let name =
                    named.or_else(|| raw.name.filter(|_| plain).map(|name| syntax.word(name)));
                name.map_or(Detail::None, |name| {
                    Detail::ProcMacro(self.table.symbol(name))
                })
            }
            _ => Detail::None,
        }
    }

    pub(super) fn body_text(&self, raw: &RawItem) -> String {
        let Some(body) = raw.body.clone().filter(|body| !body.is_empty()) else {
            return String::new();
        };
        let ends = (
            self.syntax.token(body.start),
            self.syntax.token(body.end - 1),
        );
        let (Some(first), Some(last)) = ends else {
            return String::new();
        };
        // The token of `r#name` has no prefix.
        let start = if self.syntax.text[..first.start as usize].ends_with("r#") {
            first.start - 2
        } else {
            first.start
        };
        self.syntax.text[start as usize..last.end as usize].to_owned()
    }

    /// `impl<…> Trait for Type`: the paths of the trait and the type.
    pub(super) fn implementation(&mut self, raw: &RawItem) -> Detail {
        let syntax = self.syntax;
        let end = raw
            .body
            .as_ref()
            .map_or(raw.tokens.end, |body| body.start - 1);
        let mut at = raw.tokens.start;
        while at < end && syntax.ident(at) != Some("impl") {
            at += 1;
        }
        at += 1;
        let mut generics = Vec::new();
        if syntax.is(at, b'<') {
            let past = syntax.after_angles(at, end);
            generics = parameters(syntax, at + 1..past - 1);
            at = past;
        }
        let mut split = None;
        let mut stop = end;
        let mut next = at;
        while next < end {
            if syntax.is(next, b'<') {
                next = syntax.after_angles(next, end);
                continue;
            }
            match syntax.ident(next) {
                Some("for") if split.is_none() && !syntax.is(next + 1, b'<') => split = Some(next),
                Some("where") => {
                    stop = next;
                    break;
                }
                _ => {}
            }
            next = syntax.after(next);
        }
        let of_trait = split.map(|split| self.path(at, split).0.unwrap_or_default());
        let (head, arguments) = self.path(split.map_or(at, |split| split + 1), stop);
        let generic = head.as_ref().is_some_and(|head| {
            head.len() == 1 && generics.contains(&self.table.symbols.get(head[0]))
        });
        let special = arguments.clone().any(|at| {
            syntax.ident(at).is_some_and(|word| !generics.contains(&word))
                || matches!(syntax.token(at), Some(token) if matches!(token.kind, Kind::Literal | Kind::Str | Kind::Open(_)))
        });
        // The same parameter twice (`Pair<T, T>`) is a specialization too.
        let mut names: Vec<&str> = arguments.filter_map(|at| syntax.ident(at)).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        let bounded = (at..at).len() + generics_bounded(syntax, raw, end);
        Detail::Impl {
            head: head.filter(|_| !generic),
            of_trait,
            is_specialized: special || names.len() != count || bounded > 0,
        }
    }

    /// The first path of a type, after `&`, lifetimes, `mut`, `dyn`, `!`, and the range of its generic arguments.
    pub(super) fn path(&mut self, mut at: u32, end: u32) -> (Option<Box<[Symbol]>>, Range<u32>) {
        let syntax = self.syntax;
        loop {
            let skipped = syntax.is(at, b'&')
                || syntax.is(at, b'!')
                || syntax.is(at, b'?')
                || matches!(syntax.token(at), Some(token) if token.kind == Kind::Lifetime)
                || matches!(syntax.ident(at), Some("mut" | "dyn" | "const"));
            if !skipped || at >= end {
                break;
            }
            at += 1;
        }
        let mut path = Vec::new();
        if syntax.colons(at) {
            path.push(self.table.intern(GLOBAL));
            at += 2;
        }
        while at < end
            && let Some(segment) = syntax.ident(at)
        {
            path.push(self.table.symbol(segment));
            at += 1;
            if syntax.colons(at) && syntax.ident(at + 2).is_some() {
                at += 2;
            } else {
                break;
            }
        }
        let arguments = if syntax.is(at, b'<') {
            at + 1..syntax.after_angles(at, end).saturating_sub(1)
        } else {
            at..at
        };
        ((!path.is_empty()).then(|| path.into()), arguments)
    }

    /// A macro call: items in its input become items, the rest belongs to the call.
    pub(super) fn call(&mut self, raw: &RawItem, item: &mut Item) {
        let syntax = self.syntax;
        let body = raw.body.clone().unwrap_or(0..0);
        let index = self.index.len() - 1;
        let mut rest: Vec<Range<u32>> = Vec::new();
        let mut at = body.start;
        for child in self.inside(raw) {
            if child.parent as usize != index {
                continue;
            }
            let start = child.attributes.start;
            if at < start {
                rest.push(at..start);
            }
            at = at.max(child.tokens.end);
        }
        if at < body.end {
            rest.push(at..body.end);
        }
        let only_items = rest
            .iter()
            .all(|range| range.clone().all(|at| syntax.is(at, b';')));
        if only_items && !body.is_empty() {
            item.flags |= flag::TRANSPARENT;
        } else if holds_test(syntax, body.clone()) {
            item.flags |= flag::HOLDS_TEST;
        }
        let path = raw.tokens.start..body.start;
        // The first `::` may start a global path, and the second may follow a crate.
        if path.clone().skip(1).filter(|at| syntax.colons(*at)).count() > 1 {
            item.flags |= flag::THROUGH_MODULE;
        }
        let mut bytes = Vec::new();
        let written = Written {
            docs: true,
            spaces: true,
        };
        tokens_into(syntax, path, Written::default(), &mut bytes);
        for range in &rest {
            tokens_into(syntax, range.clone(), written, &mut bytes);
        }
        item.hash = digest([bytes.as_slice()]);
        let mut collector = Collector::new(syntax, &mut self.table, self.writes_code);
        collector.ordinary(raw.tokens.start..body.start.saturating_sub(1));
        if let Some(name) = raw.name {
            collector.macro_name(name);
            collector.embedding(syntax.word(name), body.start);
            collector.macro_call(name, body.clone());
            let included = syntax.word(name) == "include";
            if included && included_path(syntax, body.clone()).is_none() {
                item.flags |= flag::UNREADABLE_INCLUDE;
            }
        }
        for range in rest {
            collector.unresolved(range);
        }
        let owner = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        let named = collector.names_in_text.iter();
        self.names_in_text.extend(named.map(|name| (owner, *name)));
        item.references = collector.finish(&mut item.flags, &mut self.texts, owner);
    }
}

/// Names of the type and const parameters in `<…>`.
pub(super) fn parameters<'t>(syntax: &Syntax<'t>, range: Range<u32>) -> Vec<&'t str> {
    let mut names = Vec::new();
    let mut at = range.start;
    let mut fresh = true;
    while at < range.end {
        if fresh {
            let at = if syntax.ident(at) == Some("const") {
                at + 1
            } else {
                at
            };
            names.extend(syntax.ident(at));
        }
        fresh = syntax.is(at, b',');
        at = if syntax.is(at, b'<') {
            syntax.after_angles(at, range.end)
        } else {
            syntax.after(at)
        };
    }
    names
}

/// Bounds on the parameters of an inherent `impl`, because of which it may not apply to every instance of its type.
pub(super) fn generics_bounded(syntax: &Syntax, raw: &RawItem, end: u32) -> usize {
    let range = raw.tokens.start..end;
    range
        .filter(|at| {
            syntax.is(*at, b':') && !syntax.colons(*at) && !syntax.colons(at.saturating_sub(1))
                || syntax.ident(*at) == Some("where")
        })
        .count()
}

/// Whether an attribute with a name like `test` can only mark a test: it is a known one, or is on a private function.
fn is_surely_test(own: &[Attribute], public: bool) -> bool {
    own.iter().any(|attribute| {
        let name = attribute.name();
        let path = &attribute.path[..attribute.path.len().saturating_sub(1)];
        let is_known = attribute_expansion(name) == Expansion::Named
            && path
                .first()
                .is_none_or(|first| attribute_crates(name).contains(first));
        let named = names_a_test(name);
        let usual = named || matches!(name, "case" | "quickcheck" | "proptest");
        is_known && usual || named && !public
    })
}
