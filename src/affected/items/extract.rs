//! One file's text → its items with what they refer to, independent of where the file is mounted. This is what the cache keeps.

use std::ops::Range;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::references::{Collector, is_builtin_attribute, is_known_macro};
use crate::workspace::source::attribute::{Attribute, Build, Compiled, attributes, compiled};
use crate::workspace::source::doc;
use crate::workspace::source::lex::Kind;
use crate::workspace::source::listing::{TestKind, holds_test, test_kind};
use crate::workspace::source::modules::{Child, children};
use crate::workspace::source::syntax::{ItemKind, RawItem, Syntax, TOP};

/// A name, as its index into [`FileItems::symbols`].
pub type Symbol = u32;

/// A digest of tokens: comments and layout do not count.
pub type Digest = [u8; 16];

/// What one file holds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct FileItems {
    /// Every name that occurs.
    pub symbols: Vec<String>,
    /// Items, parents before children.
    pub items: Vec<Item>,
    /// Files it leads to; `item` of each refers to `items`.
    pub children: Vec<Child>,
    /// Documentation tests; `item` of each refers to `items`.
    pub doctests: Vec<DocItem>,
    /// Digest of the file's own attributes, docs apart.
    pub inner: Digest,
    /// Why it could not be understood, with the line.
    pub problem: Option<(u32, String)>,
}

/// A documentation test and the names in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DocItem {
    /// Line of its opening.
    pub line: u32,
    /// Marked `ignore`.
    pub ignored: bool,
    /// The item documented, or [`TOP`].
    pub item: u32,
    /// Every name in the code.
    pub names: Vec<Symbol>,
    /// Digest of the code.
    pub hash: Digest,
    /// The file whose text it is, when documentation is embedded with `include_str!`.
    pub embedded: Option<String>,
}

/// One item and what it refers to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Item {
    /// What it is. `use` has one item per name it brings in.
    pub kind: ItemKind,
    /// Its name; for `use` the name brought in, for a macro call the macro's last segment.
    pub name: Option<Symbol>,
    /// The item it stands in, or [`TOP`].
    pub parent: u32,
    /// Its line, counted from 1.
    pub line: u32,
    /// Facts about it, see [`flag`].
    pub flags: u32,
    /// Which item it is, across versions of the file: kind, name or header, and the same of its parents.
    pub key: Digest,
    /// Its tokens.
    pub hash: Digest,
    /// What it refers to.
    pub references: References,
    /// What its kind tells besides.
    pub detail: Detail,
}

/// What an item refers to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct References {
    /// Paths of one segment or more in code that runs; first segments [`GLOBAL`] and [`SELF_CALL`] have a meaning of their own.
    pub paths: Vec<Box<[Symbol]>>,
    /// Paths in fields, parameters, bounds and headers: what they name need not exist as a value.
    pub mentions: Vec<Box<[Symbol]>>,
    /// Names of methods called with a dot.
    pub methods: Vec<Symbol>,
    /// Names of members of a type that is not known.
    pub members: Vec<Symbol>,
    /// Names of members of a trait or a type parameter.
    pub trait_members: Vec<Symbol>,
    /// Names of macros called, derived or used as attributes.
    pub macros: Vec<Symbol>,
    /// Names whose scope cannot be known.
    pub wild: Vec<Symbol>,
    /// Files embedded, as written.
    pub files: Vec<String>,
}

/// First segment of a path that starts with `::`.
pub const GLOBAL: &str = "::";
/// First segment of a method call on `self`.
pub const SELF_CALL: &str = "self.";

/// What only some kinds of item have.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Detail {
    /// Nothing more.
    #[default]
    None,
    /// `use path`, `use path::*`, `extern crate path`.
    Use {
        /// The path, without the `*`.
        path: Box<[Symbol]>,
        /// Ends in `*`.
        glob: bool,
    },
    /// An `impl` block.
    Impl {
        /// Path of the self type, references and `dyn` taken off; none where it is no path or a generic parameter.
        head: Option<Box<[Symbol]>>,
        /// Path of the trait.
        of_trait: Option<Box<[Symbol]>>,
        /// Has self type arguments other than its own parameters, so that it may not be the only `impl` with a member.
        special: bool,
    },
    /// An enum's variants.
    Enum(Vec<Symbol>),
    /// A procedural macro's name as users write it.
    ProcMacro(Symbol),
    /// A macro call's input.
    Call(String),
    /// A `macro_rules!` macro.
    Macro {
        /// Its arms.
        text: String,
        /// Names that its body defines as they stand.
        defines: Vec<Symbol>,
        /// Its body holds a test.
        tests: bool,
    },
}

/// Facts about an item, one bit each.
pub mod flag {
    /// Listed by the test harness under its own name.
    pub const TEST: u32 = 1;
    /// Listed under names that begin with its own.
    pub const TEST_PREFIX: u32 = 1 << 1;
    /// `#[ignore]`.
    pub const IGNORED: u32 = 1 << 2;
    /// Runs or counts without being named: `ctor`, `no_mangle`, `link_section`, allocators, distributed slices.
    pub const ROOT: u32 = 1 << 3;
    /// May start a process.
    pub const SPAWNS: u32 = 1 << 4;
    /// May run cargo.
    pub const RUNS_CARGO: u32 = 1 << 5;
    /// Holds `use …::*` in a body.
    pub const LOCAL_GLOB: u32 = 1 << 6;
    /// A macro call whose input is nothing but items.
    pub const TRANSPARENT: u32 = 1 << 7;
    /// Behind `cfg`.
    pub const CONDITIONAL: u32 = 1 << 8;
    /// A macro whose body composes names (`paste!`), so that it may define any.
    pub const DEFINES_ANY: u32 = 1 << 9;
    /// Not compiled without `cfg(test)`.
    pub const TEST_ONLY: u32 = 1 << 11;
    /// May run rustc.
    pub const RUNS_RUSTC: u32 = 1 << 12;
    /// Takes `self`: it runs only where a value of its type exists.
    pub const METHOD: u32 = 1 << 13;
    /// Holds `unsafe`, which can make values of types that it does not name.
    pub const UNSAFE: u32 = 1 << 14;
    /// A type whose values may come from a derive, or from a macro around it.
    pub const MADE: u32 = 1 << 15;
    /// A macro call that was expanded: what it defines stands beside it. Set where it is mounted.
    pub const EXPANDED: u32 = 1 << 10;
}

/// Names → symbols of one file.
#[derive(Debug, Default)]
pub struct Table<'t> {
    by_text: FxHashMap<&'t str, Symbol>,
    owned: FxHashMap<String, Symbol>,
    /// The names, by symbol.
    pub symbols: Vec<String>,
}

impl<'t> Table<'t> {
    /// The symbol of a name in the text.
    pub fn symbol(&mut self, text: &'t str) -> Symbol {
        if let Some(symbol) = self.by_text.get(text) {
            return *symbol;
        }
        let symbol = self.intern(text);
        self.by_text.insert(text, symbol);
        symbol
    }

    /// The symbol of a name that is not in the text.
    pub fn intern(&mut self, text: &str) -> Symbol {
        if let Some(symbol) = self.owned.get(text) {
            return *symbol;
        }
        let symbol = u32::try_from(self.symbols.len()).unwrap_or(u32::MAX);
        self.symbols.push(text.to_owned());
        self.owned.insert(text.to_owned(), symbol);
        symbol
    }
}

/// Reads a file's content; what is no UTF-8 is a problem of it.
#[must_use]
pub fn read_bytes(bytes: Vec<u8>) -> FileItems {
    match String::from_utf8(bytes) {
        Ok(text) => read(&text),
        Err(_) => FileItems {
            problem: Some((0, "not UTF-8".to_owned())),
            ..FileItems::default()
        },
    }
}

/// Reads a file. Total: what is not understood is [`FileItems::problem`].
#[must_use]
pub fn read(text: &str) -> FileItems {
    let syntax = match Syntax::read(text) {
        Ok(syntax) => syntax,
        Err(problem) => {
            return FileItems {
                problem: Some((doc::line_of(text, problem.at), problem.message.to_owned())),
                ..FileItems::default()
            };
        }
    };
    let mut reader = Reader {
        syntax: &syntax,
        table: Table::default(),
        items: Vec::new(),
        index: Vec::new(),
    };
    for raw in &syntax.items {
        let index = u32::try_from(reader.items.len()).unwrap_or(u32::MAX);
        reader.index.push(index);
        reader.item(raw);
    }
    let mut doctests = Vec::new();
    let map = |item: u32| {
        if item == TOP {
            TOP
        } else {
            reader.index[item as usize]
        }
    };
    let mut children = children(&syntax);
    for child in &mut children {
        child.item = map(child.item);
    }
    let documentation = doc::read(&syntax);
    for test in &documentation.doctests {
        let code = Syntax::read(&test.code).ok();
        let mut names: Vec<Symbol> = Vec::new();
        if let Some(code) = &code {
            names.extend(
                (0_u32..)
                    .zip(&code.tokens)
                    .filter_map(|(at, _)| code.ident(at))
                    .map(|name| reader.table.intern(name)),
            );
        }
        names.sort_unstable();
        names.dedup();
        let hash = digest([test.code.as_bytes()]);
        doctests.push(DocItem {
            line: test.line,
            ignored: test.ignored,
            item: map(test.item),
            names,
            hash,
            embedded: None,
        });
    }
    for (path, item) in &documentation.embedded {
        let hash = digest([path.as_bytes()]);
        doctests.push(DocItem {
            line: 1,
            ignored: false,
            item: map(*item),
            names: Vec::new(),
            hash,
            embedded: Some(path.clone()),
        });
    }
    let inner = inner_digest(&syntax);
    FileItems {
        symbols: reader.table.symbols,
        items: reader.items,
        children,
        doctests,
        inner,
        problem: syntax
            .unread
            .map(|byte| (syntax.line(byte), "text that is no item".to_owned())),
    }
}

/// A digest of byte strings, each told apart from the next.
pub fn digest<'b>(parts: impl IntoIterator<Item = &'b [u8]>) -> Digest {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    short(&hasher.finalize())
}

fn short(hash: &blake3::Hash) -> Digest {
    let mut digest = Digest::default();
    digest.copy_from_slice(&hash.as_bytes()[..16]);
    digest
}

fn inner_digest(syntax: &Syntax) -> Digest {
    let mut bytes = Vec::new();
    for range in &syntax.inner {
        let documents = attributes(syntax, range.clone())
            .first()
            .is_none_or(|attribute| attribute.is("doc"));
        if !documents {
            tokens_into(syntax, range.clone(), false, &mut bytes);
        }
    }
    digest([bytes.as_slice()])
}

/// Writes the tokens of a range, punctuation with whether it is joined to the next: other layout does not count.
fn tokens_into(syntax: &Syntax, range: Range<u32>, docs: bool, bytes: &mut Vec<u8>) {
    let mut in_macro = range.start;
    for at in range {
        let Some(token) = syntax.token(at) else {
            return;
        };
        match token.kind {
            Kind::OuterDoc | Kind::InnerDoc if !docs && at >= in_macro => continue,
            Kind::Punct(b'!') if at >= in_macro => {
                let group = if syntax.ident(at + 1).is_some() {
                    at + 2
                } else {
                    at + 1
                };
                let opens =
                    matches!(syntax.token(group), Some(open) if matches!(open.kind, Kind::Open(_)));
                let named = at.checked_sub(1).and_then(|name| syntax.ident(name));
                if opens && named.is_some_and(|name| !is_known_macro(name)) {
                    in_macro = syntax.after(group);
                }
            }
            _ => {}
        }
        bytes.extend_from_slice(syntax.word(at).as_bytes());
        let touches = matches!(token.kind, Kind::Punct(_))
            && matches!(syntax.token(at + 1), Some(next) if next.start == token.end && matches!(next.kind, Kind::Punct(_)));
        bytes.push(u8::from(touches));
        bytes.push(0);
    }
}

struct Reader<'s, 't> {
    syntax: &'s Syntax<'t>,
    table: Table<'t>,
    items: Vec<Item>,
    /// From items of the syntax to ours.
    index: Vec<u32>,
}

impl<'t> Reader<'_, 't> {
    fn item(&mut self, raw: &RawItem) {
        let syntax = self.syntax;
        let own = attributes(syntax, raw.attributes.clone());
        let parent = if raw.parent == TOP {
            TOP
        } else {
            self.index[raw.parent as usize]
        };
        let foreign = own.iter().any(|attribute| is_foreign(syntax, attribute))
            || self.in_foreign(raw.parent);
        let head = Self::head(raw);
        let mut bytes = Vec::new();
        for attribute in attribute_ranges(syntax, raw.attributes.clone()) {
            let documents = attributes(syntax, attribute.clone())
                .iter()
                .all(|attribute| attribute.is("doc"));
            if foreign || !documents {
                tokens_into(syntax, attribute, foreign, &mut bytes);
            }
        }
        tokens_into(syntax, head.clone(), foreign, &mut bytes);
        let hash = digest([bytes.as_slice()]);
        let name = raw
            .name
            .filter(|_| raw.kind != ItemKind::ExternCrate)
            .map(|name| syntax.word(name));
        let mut item = Item {
            kind: raw.kind,
            name: name.map(|name| self.table.symbol(name)),
            parent,
            line: raw.name.map_or_else(
                || syntax.line_of(raw.tokens.start),
                |name| syntax.line_of(name),
            ),
            flags: self.flags(raw, &own),
            key: Digest::default(),
            hash,
            references: References::default(),
            detail: self.detail(raw, &own),
        };
        if matches!(raw.kind, ItemKind::Use | ItemKind::ExternCrate) {
            return self.uses(raw, &item);
        }
        let (generics, parts) = (self.generics(raw), self.parts(raw, head.clone()));
        let mut collector = Collector::new(syntax, &mut self.table);
        for attribute in &own {
            collector.attribute(attribute);
        }
        match raw.kind {
            ItemKind::Call => self.call(raw, &mut item),
            ItemKind::Macro => {
                collector.wild(head);
                item.references = collector.finish(&mut item.flags);
            }
            _ => {
                let nested = syntax.items.iter().any(|other| {
                    other.kind == ItemKind::Impl && within(&other.tokens, &raw.tokens)
                }) && raw.kind == ItemKind::Fn;
                collector.plain_self = nested;
                collector.generics = generics;
                for (range, runs) in parts {
                    collector.mentioning = !runs;
                    collector.ordinary(range);
                }
                item.references = collector.finish(&mut item.flags);
            }
        }
        item.key = self.key(&item);
        self.items.push(item);
    }

    /// The type parameters that an item can name: its own, and those of the `impl` or trait around it.
    fn generics(&self, raw: &RawItem) -> Vec<&'t str> {
        let syntax = self.syntax;
        let own = |raw: &RawItem| {
            let start = match raw.kind {
                ItemKind::Impl => (raw.tokens.start..raw.tokens.end)
                    .find(|at| syntax.ident(*at) == Some("impl"))
                    .map(|at| at + 1),
                ItemKind::Fn
                | ItemKind::Struct
                | ItemKind::Enum
                | ItemKind::Union
                | ItemKind::Trait
                | ItemKind::Type => raw.name.map(|name| name + 1),
                _ => None,
            };
            match start.filter(|start| syntax.is(*start, b'<')) {
                Some(start) => parameters(
                    syntax,
                    start + 1..angles(syntax, start, raw.tokens.end).saturating_sub(1),
                ),
                None => Vec::new(),
            }
        };
        let mut names = own(raw);
        if raw.parent != TOP {
            let holder = &syntax.items[raw.parent as usize];
            if matches!(holder.kind, ItemKind::Impl | ItemKind::Trait) {
                names.extend(own(holder));
            }
        }
        names
    }

    /// An item's tokens in parts, each with whether it runs, or gives what running it makes.
    fn parts(&self, raw: &RawItem, head: Range<u32>) -> Vec<(Range<u32>, bool)> {
        let foreign =
            raw.parent != TOP && self.syntax.items[raw.parent as usize].kind == ItemKind::Foreign;
        match raw.kind {
            ItemKind::Struct
            | ItemKind::Enum
            | ItemKind::Union
            | ItemKind::Trait
            | ItemKind::Impl => vec![(head, false)],
            // Code in another language may fill what it is given.
            ItemKind::Fn if !foreign => match self.signature(raw) {
                Some(signature) => vec![
                    (head.start..signature.returns.start, false),
                    (signature.returns.clone(), true),
                    (signature.returns.end..signature.body, false),
                    (signature.body..head.end, true),
                ],
                None => vec![(head, true)],
            },
            _ => vec![(head, true)],
        }
    }

    fn signature(&self, raw: &RawItem) -> Option<Signature> {
        let syntax = self.syntax;
        let mut at = raw.name? + 1;
        let end = raw
            .body
            .as_ref()
            .map_or(raw.tokens.end, |body| body.start - 1);
        if syntax.is(at, b'<') {
            at = angles(syntax, at, end);
        }
        if !syntax.opens(at, b'(') {
            return None;
        }
        let mut first = at + 1;
        while syntax.is(first, b'&')
            || syntax.ident(first) == Some("mut")
            || matches!(syntax.token(first), Some(token) if token.kind == Kind::Lifetime)
            || syntax.is(first, b'#')
        {
            first = if syntax.is(first, b'#') {
                syntax.after(first + 1)
            } else {
                first + 1
            };
        }
        let takes_self = syntax.ident(first) == Some("self");
        at = syntax.after(at);
        let start = at;
        while at < end && syntax.ident(at) != Some("where") {
            at = syntax.after(at);
        }
        Some(Signature {
            takes_self,
            returns: start..at.min(end),
            body: end,
        })
    }

    /// Tokens that belong to the item itself: containers end where their body begins.
    fn head(raw: &RawItem) -> Range<u32> {
        match (raw.kind, &raw.body) {
            (ItemKind::Mod | ItemKind::Trait | ItemKind::Impl | ItemKind::Foreign, Some(body)) => {
                raw.tokens.start..body.start
            }
            _ => raw.tokens.clone(),
        }
    }

    /// Whether a container around the item lets something else read its docs.
    fn in_foreign(&self, mut parent: u32) -> bool {
        while parent != TOP {
            let holder = &self.syntax.items[parent as usize];
            if holder.kind == ItemKind::Call
                || attributes(self.syntax, holder.attributes.clone())
                    .iter()
                    .any(|attribute| is_foreign(self.syntax, attribute))
            {
                return true;
            }
            parent = holder.parent;
        }
        false
    }

    fn key(&self, item: &Item) -> Digest {
        let parent = if item.parent == TOP {
            Digest::default()
        } else {
            self.items[item.parent as usize].key
        };
        let kind = [item.kind as u8];
        let name = item
            .name
            .map_or("", |name| self.table.symbols[name as usize].as_str());
        let by_content = matches!(
            item.kind,
            ItemKind::Impl
                | ItemKind::Use
                | ItemKind::ExternCrate
                | ItemKind::Foreign
                | ItemKind::Call
        );
        let content: &[u8] = if by_content { &item.hash } else { &[] };
        digest([parent.as_slice(), kind.as_slice(), name.as_bytes(), content])
    }

    fn flags(&self, raw: &RawItem, own: &[Attribute]) -> u32 {
        let mut flags = 0;
        let inside_function = raw.parent != TOP
            && matches!(
                self.syntax.items[raw.parent as usize].kind,
                ItemKind::Fn | ItemKind::Impl | ItemKind::Trait
            );
        if raw.kind == ItemKind::Fn && !inside_function {
            flags |= match test_kind(own) {
                Some(TestKind::Exact) => flag::TEST,
                Some(TestKind::Prefix) => flag::TEST_PREFIX,
                None => 0,
            };
        }
        if flags & (flag::TEST | flag::TEST_PREFIX) != 0
            || compiled(self.syntax, own, Build::Doctest) == Compiled::No
                && compiled(self.syntax, own, Build::Test) != Compiled::No
        {
            flags |= flag::TEST_ONLY;
        }
        for attribute in own {
            flags |= match attribute.name() {
                "ignore" => flag::IGNORED,
                "cfg" => flag::CONDITIONAL,
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
            // `#[typetag::serde]` and its like register at start-up.
            if attribute.path.len() > 1
                && matches!(
                    attribute.path[0],
                    "typetag" | "linkme" | "inventory" | "ctor"
                )
            {
                flags |= flag::ROOT;
            }
            if attribute.condition.is_some() {
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

    fn detail(&mut self, raw: &RawItem, own: &[Attribute<'t>]) -> Detail {
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
                let tests = raw
                    .body
                    .clone()
                    .is_some_and(|body| holds_test(syntax, body));
                Detail::Macro {
                    text: self.body_text(raw),
                    defines,
                    tests,
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

    fn body_text(&self, raw: &RawItem) -> String {
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
        // `r#name` lost its mark in the token.
        let start = if self.syntax.text[..first.start as usize].ends_with("r#") {
            first.start - 2
        } else {
            first.start
        };
        self.syntax.text[start as usize..last.end as usize].to_owned()
    }

    /// `impl<…> Trait for Type`: the paths at its heart.
    fn implementation(&mut self, raw: &RawItem) -> Detail {
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
            let past = angles(syntax, at, end);
            generics = parameters(syntax, at + 1..past - 1);
            at = past;
        }
        let mut split = None;
        let mut stop = end;
        let mut next = at;
        while next < end {
            if syntax.is(next, b'<') {
                next = angles(syntax, next, end);
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
            head.len() == 1 && generics.contains(&self.table.symbols[head[0] as usize].as_str())
        });
        let special = arguments.clone().any(|at| {
            syntax.ident(at).is_some_and(|word| !generics.contains(&word))
                || matches!(syntax.token(at), Some(token) if matches!(token.kind, Kind::Literal | Kind::Str | Kind::Open(_)))
        });
        // The same parameter twice (`Pair<T, T>`) is special too.
        let mut names: Vec<&str> = arguments.filter_map(|at| syntax.ident(at)).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        let bounded = (at..at).len() + generics_bounded(syntax, raw, end);
        Detail::Impl {
            head: head.filter(|_| !generic),
            of_trait,
            special: special || names.len() != count || bounded > 0,
        }
    }

    /// The path a type begins with, after `&`, lifetimes, `mut`, `dyn`, `!`; and the range of its generic arguments.
    fn path(&mut self, mut at: u32, end: u32) -> (Option<Box<[Symbol]>>, Range<u32>) {
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
            at + 1..angles(syntax, at, end).saturating_sub(1)
        } else {
            at..at
        };
        ((!path.is_empty()).then(|| path.into()), arguments)
    }

    /// A macro call: what is items in its input stands for itself, the rest belongs to the call.
    fn call(&mut self, raw: &RawItem, item: &mut Item) {
        let syntax = self.syntax;
        let body = raw.body.clone().unwrap_or(0..0);
        let index = self.index.len() - 1;
        let mut rest: Vec<Range<u32>> = Vec::new();
        let mut at = body.start;
        for child in syntax
            .items
            .iter()
            .filter(|child| child.parent as usize == index && within(&child.tokens, &body))
        {
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
        }
        let mut bytes = Vec::new();
        tokens_into(syntax, raw.tokens.start..body.start, true, &mut bytes);
        for range in &rest {
            tokens_into(syntax, range.clone(), true, &mut bytes);
        }
        item.hash = digest([bytes.as_slice()]);
        let mut collector = Collector::new(syntax, &mut self.table);
        collector.ordinary(raw.tokens.start..body.start.saturating_sub(1));
        if let Some(name) = raw.name {
            collector.macro_name(name);
        }
        for range in rest {
            collector.wild(range);
        }
        item.references = collector.finish(&mut item.flags);
    }

    /// One item per name that a `use` brings in.
    fn uses(&mut self, raw: &RawItem, template: &Item) {
        let syntax = self.syntax;
        let mut at = raw.tokens.start;
        while at < raw.tokens.end && !matches!(syntax.ident(at), Some("use" | "crate")) {
            at = syntax.after(at);
        }
        // `pub(crate) use`: the group was stepped over above.
        let mut bytes = Vec::new();
        tokens_into(syntax, raw.attributes.start..at, false, &mut bytes);
        let mut leaves = Vec::new();
        if raw.kind == ItemKind::ExternCrate {
            let path = vec![
                self.table.intern(GLOBAL),
                self.table.symbol(syntax.word(at + 1)),
            ];
            let alias = if syntax.ident(at + 2) == Some("as") {
                syntax.word(at + 3)
            } else {
                syntax.word(at + 1)
            };
            leaves.push(Leaf {
                path,
                alias: Some(self.table.symbol(alias)),
                glob: false,
                line: syntax.line_of(at),
            });
        } else {
            self.tree(at + 1, raw.tokens.end, &[], &mut leaves);
        }
        for leaf in leaves {
            let mut text = bytes.clone();
            for symbol in &leaf.path {
                text.extend_from_slice(self.table.symbols[*symbol as usize].as_bytes());
                text.push(0);
            }
            text.push(u8::from(leaf.glob));
            let alias = leaf
                .alias
                .map_or("", |alias| self.table.symbols[alias as usize].as_str());
            let hash = digest([text.as_slice(), alias.as_bytes()]);
            let path = leaf.path.into_boxed_slice();
            let mut item = Item {
                name: leaf.alias,
                line: leaf.line,
                hash,
                detail: Detail::Use {
                    path,
                    glob: leaf.glob,
                },
                ..template.clone()
            };
            item.key = self.key(&item);
            self.items.push(item);
        }
    }

    fn tree(&mut self, mut at: u32, end: u32, prefix: &[Symbol], leaves: &mut Vec<Leaf>) {
        let syntax = self.syntax;
        let mut path = prefix.to_vec();
        let line = syntax.line_of(at);
        if syntax.colons(at) {
            if path.is_empty() {
                path.push(self.table.intern(GLOBAL));
            }
            at += 2;
        }
        while at < end {
            if syntax.is(at, b'*') {
                leaves.push(Leaf {
                    path,
                    alias: None,
                    glob: true,
                    line,
                });
                return;
            }
            if syntax.opens(at, b'{') {
                let past = syntax.after(at);
                for part in crate::workspace::source::attribute::commas(syntax, at + 1..past - 1) {
                    self.tree(part.start, part.end, &path, leaves);
                }
                return;
            }
            let Some(word) = syntax.ident(at) else { return };
            if word != "self" || path.is_empty() {
                path.push(self.table.symbol(word));
            }
            at += 1;
            if syntax.colons(at) {
                at += 2;
                continue;
            }
            let alias = if syntax.ident(at) == Some("as") {
                Some(syntax.word(at + 1))
            } else {
                None
            };
            let alias = match alias {
                Some(alias) => Some(self.table.symbol(alias)),
                None => path.last().copied(),
            };
            leaves.push(Leaf {
                path,
                alias,
                glob: false,
                line,
            });
            return;
        }
    }
}

struct Signature {
    takes_self: bool,
    /// `-> Type`.
    returns: Range<u32>,
    /// Where the body begins.
    body: u32,
}

struct Leaf {
    path: Vec<Symbol>,
    alias: Option<Symbol>,
    glob: bool,
    line: u32,
}

fn within(inner: &Range<u32>, outer: &Range<u32>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

fn attribute_ranges(syntax: &Syntax, range: Range<u32>) -> Vec<Range<u32>> {
    let mut ranges = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let next = if syntax.is(at, b'#') && syntax.opens(at + 1, b'[') {
            syntax.after(at + 1)
        } else {
            at + 1
        };
        ranges.push(at..next);
        at = next;
    }
    ranges
}

/// Whether an attribute is, or derives by, a macro that may read what rustc does not.
fn is_foreign(syntax: &Syntax, attribute: &Attribute) -> bool {
    if attribute.is("derive") {
        const STANDARD: [&str; 9] = [
            "Debug",
            "Clone",
            "Copy",
            "PartialEq",
            "Eq",
            "PartialOrd",
            "Ord",
            "Hash",
            "Default",
        ];
        return attribute
            .rest
            .clone()
            .filter_map(|at| syntax.ident(at))
            .any(|name| !STANDARD.contains(&name));
    }
    !is_builtin_attribute(attribute)
}

/// Index past the `<…>` that opens at `at`.
fn angles(syntax: &Syntax, mut at: u32, end: u32) -> u32 {
    let mut depth = 0_u32;
    while at < end {
        if syntax.is(at, b'<') {
            depth += 1;
        } else if syntax.is(at, b'>') && !syntax.is(at - 1, b'-') && !syntax.is(at - 1, b'=') {
            depth = depth.saturating_sub(1);
        }
        at = syntax.after(at);
        if depth == 0 {
            break;
        }
    }
    at
}

/// Names of the type and const parameters in `<…>`.
fn parameters<'t>(syntax: &Syntax<'t>, range: Range<u32>) -> Vec<&'t str> {
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
            angles(syntax, at, range.end)
        } else {
            syntax.after(at)
        };
    }
    names
}

/// Bounds on the parameters of an inherent `impl`: it may then not apply to every instance of its type.
fn generics_bounded(syntax: &Syntax, raw: &RawItem, end: u32) -> usize {
    let range = raw.tokens.start..end;
    range
        .filter(|at| {
            syntax.is(*at, b':') && !syntax.colons(*at) && !syntax.colons(at.saturating_sub(1))
                || syntax.ident(*at) == Some("where")
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(text: &str) -> Vec<Digest> {
        read(text).items.iter().map(|item| item.hash).collect()
    }

    #[test]
    fn comments_layout_and_docs_do_not_count_unless_something_reads_them() {
        let plain = hashes("fn f() { a + b }\n/// doc\nstruct S { x: u8 }");
        assert_eq!(
            plain,
            hashes("fn f(  ) {\n // why\n a+b }\nstruct S { /// other\n x: u8 }")
        );
        assert_ne!(plain, hashes("fn f() { a - b }\nstruct S { x: u8 }"));
        let derived = "#[derive(Parser)]\nstruct S { /// help\n x: u8 }";
        assert_ne!(
            hashes(derived),
            hashes(&derived.replace("help", "other help"))
        );
        let input = "fn f() { q! { /// help\n x } }";
        assert_ne!(hashes(input), hashes(&input.replace("help", "other help")));
    }

    #[test]
    fn a_use_is_one_item_per_name() {
        let file =
            read("pub(crate) use a::{b, c::{self, d as e, *}}; extern crate x as y; use ::z;");
        let found: Vec<String> = file
            .items
            .iter()
            .map(|item| {
                let Detail::Use { path, glob } = &item.detail else {
                    panic!("{item:?}")
                };
                let path: Vec<&str> = path
                    .iter()
                    .map(|symbol| file.symbols[*symbol as usize].as_str())
                    .collect();
                let name = item
                    .name
                    .map_or("", |name| file.symbols[name as usize].as_str());
                format!(
                    "{}{} as {name}",
                    path.join("."),
                    if *glob { ".*" } else { "" }
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                "a.b as b",
                "a.c as c",
                "a.c.d as e",
                "a.c.* as ",
                ":: .x as y"
                    .replace(' ', "")
                    .replace("asy", " as y")
                    .as_str(),
                "::.z as z"
            ]
        );
    }

    #[test]
    fn impl_headers_are_read() {
        let file = read(
            "impl<T: A> B<T> for &'a mut c::D<T> where T: X {} impl<T> T2 for T {} impl E { } impl F<u8> {} impl<T> From<T> for [u8; 2] {}",
        );
        let found: Vec<String> = file
            .items
            .iter()
            .map(|item| {
                let Detail::Impl {
                    head,
                    of_trait,
                    special,
                } = &item.detail
                else {
                    panic!("{item:?}")
                };
                let text = |path: &Option<Box<[Symbol]>>| {
                    path.as_ref().map_or("-".to_owned(), |path| {
                        path.iter()
                            .map(|symbol| file.symbols[*symbol as usize].as_str())
                            .collect::<Vec<_>>()
                            .join(".")
                    })
                };
                format!("{} {} {special}", text(head), text(of_trait))
            })
            .collect();
        assert_eq!(
            found,
            [
                "c.D B true",
                "- T2 false",
                "E - false",
                "F - true",
                "- From false"
            ]
        );
    }
}
