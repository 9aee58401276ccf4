//! Extracts the items of one file with their references, independent of where the file is mounted. The cache stores the result.

pub(super) mod compact;
mod conditional;
mod configured;
mod detail;
mod folders;
pub(super) mod model;
mod parts;
pub(super) mod table;
#[cfg(test)]
mod tests;
mod uses;

use std::cell::OnceCell;
use std::hash::Hasher as _;
use std::ops::Range;

use rustc_hash::FxHasher;

pub use compact::{References, Symbol};
pub use model::{
    ALL, Detail, Digest, DocItem, FileItems, GLOBAL, Item, SELF_CALL, STATEMENT, TextFile,
    content_key, decided_key, digest, flag,
};

use super::builtins::{is_foreign, is_known_macro};
use super::references::{Collector, WritesCode};
use crate::workspace::source::assertion::Assertions;
use crate::workspace::source::attribute::{Attribute, attributes, inner_attributes, inner_range};
use crate::workspace::source::cfg::{Build, CfgOptions, Compiled, Predicate, compiled};
use crate::workspace::source::doc;
use crate::workspace::source::lex::Kind;
use crate::workspace::source::listing::{TestKind, holds_test, is_made_a_test, test_kind};
use crate::workspace::source::modules::children;
use crate::workspace::source::syntax::{ItemKind, RawItem, Syntax, TOP};
use folders::folder_names;
use table::Table;

/// Parses the content of a file; invalid UTF-8 is reported as its problem.
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

/// Parses a file in a build with these options, where [`FileItems::decisions`] excludes code inside items.
#[must_use]
pub fn read_for(text: &str, options: &CfgOptions) -> FileItems {
    read(&conditional::resolve(text, options))
}

/// Parses a file. Total: [`FileItems::problem`] contains the first part that cannot be parsed.
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
        conditions: own_condition(&syntax)
            .map(|predicate| (TOP, predicate))
            .into_iter()
            .collect(),
        texts: Vec::new(),
        names_in_text: Vec::new(),
        writes_code: writes_code(text),
        assertions: OnceCell::new(),
    };
    for raw in &syntax.items {
        let index = u32::try_from(reader.items.len()).unwrap_or(u32::MAX);
        reader.index.push(index);
        let predicate = reader.item(raw);
        // A `use` becomes one item for each name.
        let items = index..u32::try_from(reader.items.len()).unwrap_or(u32::MAX);
        let predicates = predicate.into_iter().flat_map(|predicate| {
            let items = items.clone();
            items.map(move |item| (item, predicate.clone()))
        });
        reader.conditions.extend(predicates);
    }
    let mut children = children(&syntax);
    for child in &mut children {
        child.item = reader.place(child.item);
    }
    let doctests = reader.doctests();
    let inner = inner_digest(&syntax);
    let folders = folder_names(&reader.items);
    FileItems {
        symbols: reader.table.symbols,
        items: reader.items,
        children,
        doctests,
        folders,
        conditions: reader.conditions,
        code_conditions: conditional::conditions(&syntax),
        texts: reader.texts,
        names_in_text: reader.names_in_text,
        inner,
        conditional: is_conditional(&syntax),
        problem: syntax
            .unread
            .map(|byte| (syntax.line(byte), "text that is not an item".to_owned())),
    }
}

/// The `cfg` predicate of the file.
fn own_condition(syntax: &Syntax) -> Option<Predicate> {
    let inner: Vec<Attribute> = syntax
        .inner
        .iter()
        .flat_map(|range| attributes(syntax, range.clone()))
        .collect();
    Predicate::of(syntax, &inner)
}

fn writes_code(text: &str) -> WritesCode {
    if text.contains("OUT_DIR") && text.contains("fn main") {
        WritesCode::Included
    } else if text.contains("proc_macro") || text.contains("TokenStream") {
        WritesCode::Names
    } else {
        WritesCode::No
    }
}

fn is_conditional(syntax: &Syntax) -> bool {
    syntax.inner.iter().any(|range| {
        let attributes = attributes(syntax, range.clone());
        attributes.iter().any(|attribute| attribute.is("cfg"))
    })
}

fn inner_digest(syntax: &Syntax) -> Digest {
    let mut bytes = Vec::new();
    for range in &syntax.inner {
        let documents = attributes(syntax, range.clone())
            .first()
            .is_none_or(|attribute| attribute.is("doc"));
        if !documents {
            tokens_into(syntax, range.clone(), Written::default(), &mut bytes);
        }
    }
    digest([bytes.as_slice()])
}

/// The parts of a range that count besides its tokens.
#[derive(Debug, Clone, Copy, Default)]
struct Written {
    /// Documentation.
    docs: bool,
    /// Whether space between tokens counts.
    spaces: bool,
}

/// Writes the tokens of a range, and for punctuation whether it is joined to the next. Other layout does not count, except in the input of
/// macros that may see it: `stringify!`, and unknown macros.
fn tokens_into(syntax: &Syntax, range: Range<u32>, written: Written, bytes: &mut Vec<u8>) {
    let mut in_macro = range.start;
    let mut spaced = if written.spaces {
        range.end
    } else {
        range.start
    };
    for at in range {
        let Some(token) = syntax.token(at) else {
            return;
        };
        match token.kind {
            Kind::OuterDoc | Kind::InnerDoc if !written.docs && at >= in_macro => continue,
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
                    spaced = spaced.max(in_macro);
                } else if opens && named == Some("stringify") {
                    spaced = spaced.max(syntax.after(group));
                }
            }
            _ => {}
        }
        bytes.extend_from_slice(syntax.word(at).as_bytes());
        let touches = syntax.token(at + 1).is_some_and(|next| {
            let joined =
                matches!(token.kind, Kind::Punct(_)) && matches!(next.kind, Kind::Punct(_));
            next.start == token.end && (joined || at < spaced)
        });
        bytes.push(u8::from(touches));
        bytes.push(0);
    }
}

struct Reader<'s, 't> {
    syntax: &'s Syntax<'t>,
    table: Table<'t>,
    items: Vec<Item>,
    /// Maps items of the syntax to items of the file.
    index: Vec<u32>,
    conditions: Vec<(u32, Predicate)>,
    texts: Vec<(u32, TextFile)>,
    names_in_text: Vec<(u32, Symbol)>,
    writes_code: WritesCode,
    /// Computed for the first test.
    assertions: OnceCell<Assertions<'s>>,
}

impl<'s> Reader<'s, '_> {
    /// Adds an item, for a `use` one for each name; returns its `cfg` predicate.
    fn item(&mut self, raw: &RawItem) -> Option<Predicate> {
        let syntax = self.syntax;
        let mut own = attributes(syntax, raw.attributes.clone());
        own.extend(inner_attributes(syntax, raw));
        let predicate = Predicate::of(syntax, &own);
        let parent = if raw.parent == TOP {
            TOP
        } else {
            self.index[raw.parent as usize]
        };
        let foreign = own.iter().any(|attribute| is_foreign(syntax, attribute))
            || self.in_foreign(raw.parent);
        let head = Self::head(raw);
        let written = Written {
            docs: foreign,
            spaces: false,
        };
        let mut bytes = Vec::new();
        for attribute in attribute_ranges(syntax, raw.attributes.clone()) {
            let documents = attributes(syntax, attribute.clone())
                .iter()
                .all(|attribute| attribute.is("doc"));
            if foreign || !documents {
                tokens_into(syntax, attribute, written, &mut bytes);
            }
        }
        tokens_into(syntax, head.clone(), written, &mut bytes);
        if !head.contains(&raw.body.as_ref().map_or(0, |body| body.start)) {
            tokens_into(syntax, inner_range(syntax, raw), written, &mut bytes);
        }
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
            position: self.position(raw, &head),
            references: References::default(),
            detail: self.detail(raw, &own),
        };
        if matches!(raw.kind, ItemKind::Use | ItemKind::ExternCrate) {
            self.uses(raw, &item);
            return predicate;
        }
        let owner = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        let (generics, parts) = (self.generics(raw), self.parts(raw, head.clone()));
        let nested = raw.kind == ItemKind::Fn
            && self
                .inside(raw)
                .iter()
                .any(|other| other.kind == ItemKind::Impl);
        let signature = self.signature(raw);
        let returns = signature
            .as_ref()
            .is_some_and(|signature| !signature.returns.is_empty());
        let signature = signature.map(|signature| signature.body);
        let mut collector = Collector::new(syntax, &mut self.table, self.writes_code);
        for attribute in &own {
            collector.attribute(attribute, true);
        }
        match raw.kind {
            ItemKind::Call => self.call(raw, &mut item),
            ItemKind::Macro => {
                collector.defines_macro = true;
                collector.unresolved(head);
                let named = collector.names_in_text.iter();
                self.names_in_text.extend(named.map(|name| (owner, *name)));
                item.references = collector.finish(&mut item.flags, &mut self.texts, owner);
            }
            _ => {
                // A macro on a function may use the names of its parameters, as fixtures do.
                let rewritten = raw.kind == ItemKind::Fn
                    && own.iter().any(|attribute| is_foreign(syntax, attribute));
                if let Some(body) = signature.filter(|_| rewritten) {
                    collector.unresolved(head.start..body);
                }
                collector.plain_self = nested;
                collector.returns = returns;
                collector.generics = generics;
                for (range, runs) in parts {
                    collector.mentioning = !runs;
                    collector.ordinary(range);
                }
                let named = collector.names_in_text.iter();
                self.names_in_text.extend(named.map(|name| (owner, *name)));
                item.references = collector.finish(&mut item.flags, &mut self.texts, owner);
            }
        }
        item.key = self.key(&item);
        self.items.push(item);
        predicate
    }

    /// Adds the children of an item, which follow it.
    fn inside(&self, raw: &RawItem) -> &'s [RawItem] {
        let first = self.index.len();
        let rest = self.syntax.items.get(first..).unwrap_or_default();
        let end = rest.partition_point(|other| other.tokens.start < raw.tokens.end);
        &rest[..end]
    }

    /// The position and the written text of the item.
    fn position(&self, raw: &RawItem, head: &Range<u32>) -> u64 {
        let syntax = self.syntax;
        let first = if raw.attributes.is_empty() {
            head.start
        } else {
            raw.attributes.start
        };
        let ends = (
            syntax.token(first),
            syntax.token(head.end.saturating_sub(1)),
        );
        let (Some(first_token), Some(last)) = ends else {
            return 0;
        };
        let start = first_token.start as usize;
        let before = &syntax.text[..start];
        let column = before.rfind('\n').map_or(start, |line| start - line);
        let mut hasher = FxHasher::default();
        hasher.write_u32(syntax.line_of(first));
        hasher.write_usize(column);
        let end = last.end.max(first_token.end) as usize;
        hasher.write(&syntax.text.as_bytes()[start..end]);
        hasher.finish()
    }

    /// Whether a container of the item has a macro that reads its docs.
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

    /// The index of an item of the syntax among the items of the file.
    fn place(&self, item: u32) -> u32 {
        if item == TOP {
            TOP
        } else {
            self.index[item as usize]
        }
    }

    /// The documentation tests, and the files that documentation embeds.
    fn doctests(&mut self) -> Vec<DocItem> {
        let documentation = doc::read(self.syntax);
        let mut found = Vec::new();
        for test in &documentation.doctests {
            let code = Syntax::read(&test.code).ok();
            let mut names: Vec<Symbol> = Vec::new();
            if let Some(code) = &code {
                let words = (0_u32..).zip(&code.tokens);
                let words = words.filter_map(|(at, _)| code.ident(at));
                names.extend(words.map(|name| self.table.intern(name)));
            }
            names.sort_unstable();
            names.dedup();
            found.push(DocItem {
                line: test.line,
                above: test.above,
                ignored: test.ignored,
                item: self.place(test.item),
                names,
                hash: digest([test.code.as_bytes()]),
                embedded: None,
            });
        }
        let embedded = documentation.embedded.into_iter();
        found.extend(embedded.map(|text| DocItem {
            line: text.line,
            above: text.above,
            ignored: false,
            item: self.place(text.item),
            names: Vec::new(),
            hash: digest([text.path.as_bytes()]),
            embedded: Some(text.path),
        }));
        found
    }

    fn key(&self, item: &Item) -> Digest {
        let parent = if item.parent == TOP {
            Digest::default()
        } else {
            self.items[item.parent as usize].key
        };
        let kind = [item.kind as u8];
        let name = item.name.map_or("", |name| self.table.symbols.get(name));
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
