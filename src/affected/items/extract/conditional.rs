//! Code inside items that `cfg` excludes, and `cfg_attr`. Both are resolved by blanking the text that does not count, so that
//! lines and columns stay. Only code whose end is certain is blanked: the rest counts as compiled.

use std::ops::Range;

use crate::affected::items::builtins::is_foreign;
use crate::workspace::source::attribute::{Attribute, attributes, commas};
use crate::workspace::source::cfg::{Build, CfgOptions, Compiled, Predicate};
use crate::workspace::source::lex::Kind;
use crate::workspace::source::syntax::{ItemKind, RawItem, Syntax, TOP};

/// A part of a file that counts only under a condition.
struct Part {
    condition: Predicate,
    /// Blank if the condition does not hold.
    excluded: Range<u32>,
    /// Blank if it holds: `cfg_attr(condition,` and the bracket that closes it.
    resolved: Vec<Range<u32>>,
}

/// The conditions of the parts of a file, each with whether it matters that it holds.
pub(super) fn conditions(syntax: &Syntax) -> Vec<(Predicate, bool)> {
    let parts = parts(syntax).into_iter();
    parts
        .map(|part| (part.condition, !part.resolved.is_empty()))
        .collect()
}

/// Which parts to blank with these options, one byte for each; `None` if there is nothing to blank.
#[must_use]
pub fn decisions(conditions: &[(Predicate, bool)], options: &CfgOptions) -> Option<Vec<u8>> {
    let decide =
        |(condition, resolves): &(Predicate, bool)| match condition.evaluate(options, Build::Any) {
            Compiled::No => 1,
            Compiled::Yes if *resolves => 2,
            _ => 0,
        };
    let decisions: Vec<u8> = conditions.iter().map(decide).collect();
    decisions
        .iter()
        .any(|decision| *decision != 0)
        .then_some(decisions)
}

/// The text without the parts that [`decisions`] blanks.
#[must_use]
pub fn resolve(text: &str, options: &CfgOptions) -> String {
    let Ok(syntax) = Syntax::read(text) else {
        return text.to_owned();
    };
    let mut bytes = text.as_bytes().to_vec();
    let mut blank = |range: &Range<u32>| {
        let tokens = syntax.tokens.get(range.start as usize..range.end as usize);
        let ends = tokens.and_then(|tokens| Some((tokens.first()?, tokens.last()?)));
        let Some((first, last)) = ends else {
            return;
        };
        for byte in &mut bytes[first.start as usize..last.end as usize] {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    };
    for part in parts(&syntax) {
        match part.condition.evaluate(options, Build::Any) {
            Compiled::No => blank(&part.excluded),
            Compiled::Yes => part.resolved.iter().for_each(&mut blank),
            Compiled::Perhaps => {}
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn parts(syntax: &Syntax) -> Vec<Part> {
    let mut finder = Finder {
        syntax,
        found: Vec::new(),
    };
    for range in &syntax.inner {
        finder.attribute_conditions(range.clone());
    }
    // Whether a macro reads the item as written.
    let mut read_by_macro = vec![false; syntax.items.len()];
    for (index, item) in syntax.items.iter().enumerate() {
        let parent = syntax.items.get(item.parent as usize);
        let around_is_read = item.parent != TOP && read_by_macro[item.parent as usize];
        let own = attributes(syntax, item.attributes.clone());
        read_by_macro[index] = around_is_read
            || matches!(item.kind, ItemKind::Call | ItemKind::Macro)
            || own.iter().any(|attribute| rewrites(syntax, attribute));
        if around_is_read {
            continue;
        }
        finder.attribute_conditions(item.attributes.clone());
        let in_code = parent.is_some_and(|parent| {
            matches!(
                parent.kind,
                ItemKind::Fn | ItemKind::Const | ItemKind::Static
            )
        });
        // The declaration of a file is needed to know which files are not compiled.
        let holds_module = item.kind == ItemKind::Mod;
        if in_code && !holds_module {
            let range = item.attributes.start..item.tokens.end;
            finder.exclude(&own, range);
        }
        if !read_by_macro[index] {
            finder.item(item);
        }
    }
    finder.found
}

/// Whether an attribute is a macro that gets the code as written: rustc resolves `cfg` for derives, and test runners repeat
/// the body.
fn rewrites(syntax: &Syntax, attribute: &Attribute) -> bool {
    let is_plain = attribute.is("derive") || attribute.name() == "test";
    !is_plain && is_foreign(syntax, attribute)
}

/// What the elements of a group are.
#[derive(Clone, Copy, PartialEq)]
enum Elements {
    /// Fields and parameters: names with types.
    Types,
    Variants,
    Code,
}

struct Finder<'s, 't> {
    syntax: &'s Syntax<'t>,
    found: Vec<Part>,
}

impl Finder<'_, '_> {
    /// The parts inside an item, except those of the items in it.
    fn item(&mut self, item: &RawItem) {
        let syntax = self.syntax;
        let end = item.tokens.end;
        let Some(mut at) = item.name.map(|name| name + 1) else {
            return;
        };
        match item.kind {
            ItemKind::Struct | ItemKind::Union | ItemKind::Enum => {
                if syntax.is(at, b'<') {
                    at = syntax.after_angles(at, end);
                }
                let elements = match item.kind {
                    ItemKind::Enum => Elements::Variants,
                    _ => Elements::Types,
                };
                self.groups(at..end, elements);
            }
            ItemKind::Fn => {
                if syntax.is(at, b'<') {
                    at = syntax.after_angles(at, end);
                }
                if syntax.opens(at, b'(') {
                    self.group(at + 1..syntax.after(at) - 1, Elements::Types);
                }
                if let Some(body) = item.body.clone() {
                    self.group(body, Elements::Code);
                }
            }
            ItemKind::Const | ItemKind::Static => self.groups(at..end, Elements::Code),
            _ => {}
        }
    }

    /// The parts in the groups of a range.
    fn groups(&mut self, range: Range<u32>, elements: Elements) {
        let mut at = range.start;
        while at < range.end {
            let next = self.syntax.after(at);
            if next > at + 1 {
                self.group(at + 1..next - 1, elements);
            }
            at = next;
        }
    }

    /// The parts in a group, without its brackets.
    fn group(&mut self, range: Range<u32>, elements: Elements) {
        let syntax = self.syntax;
        let nested = match elements {
            Elements::Variants => Elements::Types,
            same => same,
        };
        let mut at = range.start;
        while at < range.end {
            if let Some(next) = self.after_macro_call(at) {
                at = next;
                continue;
            }
            if let Some(item) = self.item_at(at) {
                at = item.tokens.end.max(at + 1);
                continue;
            }
            let run = self.attributes_end(at);
            if run > at {
                let own = attributes(syntax, at..run);
                if let Some(end) = self.element_end(run, &range, elements) {
                    self.exclude(&own, at..end);
                }
                self.attribute_conditions(at..run);
                at = run;
                continue;
            }
            let next = syntax.after(at);
            if next > at + 1 {
                self.group(at + 1..next - 1, nested);
            }
            at = next;
        }
    }

    fn exclude(&mut self, own: &[Attribute], excluded: Range<u32>) {
        if let Some(condition) = Predicate::of(self.syntax, own) {
            self.found.push(Part {
                condition,
                excluded,
                resolved: Vec::new(),
            });
        }
    }

    /// The conditions of each `cfg_attr` whose attributes matter to tests.
    fn attribute_conditions(&mut self, range: Range<u32>) {
        let syntax = self.syntax;
        let mut at = range.start;
        while at < range.end {
            let open = at + 1 + u32::from(syntax.is(at + 1, b'!'));
            if !syntax.is(at, b'#') || !syntax.opens(open, b'[') {
                at += 1;
                continue;
            }
            let end = syntax.after(open);
            if attributes(syntax, at..end)
                .iter()
                .any(|attribute| matters(syntax, attribute))
            {
                self.conditional_attribute(open + 1..end - 1, at..end);
            }
            at = end;
        }
    }

    /// The condition of a `cfg_attr`, and of those in it; `whole` is blank if it does not hold.
    fn conditional_attribute(&mut self, inside: Range<u32>, whole: Range<u32>) {
        let syntax = self.syntax;
        let group = inside.start + 1;
        if syntax.ident(inside.start) != Some("cfg_attr") || !syntax.opens(group, b'(') {
            return;
        }
        let close = syntax.after(group) - 1;
        let parts = commas(syntax, group + 1..close);
        let Some((condition, rest)) = parts.split_first() else {
            return;
        };
        let resolved = match rest {
            [only] => vec![inside.start..only.start, only.end..close + 1],
            _ => Vec::new(),
        };
        self.found.push(Part {
            condition: Predicate::read(syntax, condition.clone()),
            excluded: whole,
            resolved,
        });
        for part in rest {
            self.conditional_attribute(part.clone(), part.clone());
        }
    }

    /// The index after the attributes and documentation that start here.
    fn attributes_end(&self, mut at: u32) -> u32 {
        let syntax = self.syntax;
        loop {
            if matches!(syntax.token(at), Some(token) if token.kind == Kind::OuterDoc) {
                at += 1;
            } else if syntax.is(at, b'#') && syntax.opens(at + 1, b'[') {
                at = syntax.after(at + 1);
            } else {
                return at;
            }
        }
    }

    /// The item whose attributes, or else whose code, start here.
    fn item_at(&self, at: u32) -> Option<&RawItem> {
        let items = &self.syntax.items;
        let start = |item: &RawItem| {
            if item.attributes.is_empty() {
                item.tokens.start
            } else {
                item.attributes.start
            }
        };
        let index = items.partition_point(|item| start(item) < at);
        items.get(index).filter(|item| start(item) == at)
    }

    /// The index after a macro call that starts here.
    fn after_macro_call(&self, at: u32) -> Option<u32> {
        let syntax = self.syntax;
        let is_call = syntax.ident(at).is_some() && syntax.is(at + 1, b'!');
        let group = at + 2 + u32::from(syntax.ident(at + 2).is_some());
        let opens =
            matches!(syntax.token(group), Some(token) if matches!(token.kind, Kind::Open(_)));
        (is_call && opens).then(|| syntax.after(group))
    }

    /// The index after the element of a group that starts here; `None` if that is uncertain.
    fn element_end(&self, at: u32, group: &Range<u32>, elements: Elements) -> Option<u32> {
        let syntax = self.syntax;
        let end = group.end;
        if at >= end {
            return None;
        }
        match elements {
            Elements::Types => {
                let mut at = at;
                while at < end && !syntax.is(at, b',') {
                    at = if syntax.is(at, b'<') {
                        syntax.after_angles(at, end)
                    } else {
                        syntax.after(at)
                    };
                }
                Some((at + 1).min(end))
            }
            Elements::Variants => Some(self.past(b',', at, end)),
            Elements::Code if !syntax.opens(group.start.checked_sub(1)?, b'{') => {
                Some(self.past(b',', at, end))
            }
            Elements::Code => match self.arm_body(at, group) {
                Some(body) => {
                    let next = self.block_end(body, end);
                    let after = next.unwrap_or_else(|| self.past(b',', body, end));
                    Some(after + u32::from(next.is_some() && syntax.is(after, b',')))
                }
                None if self.is_field(at) => Some(self.past(b',', at, end)),
                None => Some(self.statement_end(at, end)),
            },
        }
    }

    /// The index after the next `mark` outside brackets.
    fn past(&self, mark: u8, mut at: u32, end: u32) -> u32 {
        let syntax = self.syntax;
        while at < end && !syntax.is(at, mark) {
            // `::<A, B>`
            at = if syntax.colons(at) && syntax.is(at + 2, b'<') {
                syntax.after_angles(at + 2, end)
            } else {
                syntax.after(at)
            };
        }
        (at + 1).min(end)
    }

    /// The start of the body of the `match` arm that starts here, in a group of arms.
    fn arm_body(&self, at: u32, group: &Range<u32>) -> Option<u32> {
        let syntax = self.syntax;
        let mut at = at;
        while at < group.end && !syntax.is(at, b';') {
            if syntax.is(at, b'=') && syntax.is(at + 1, b'>') {
                return Some(at + 2);
            }
            at = syntax.after(at);
        }
        None
    }

    /// Whether a field of a literal or of a pattern starts here.
    fn is_field(&self, at: u32) -> bool {
        let syntax = self.syntax;
        let mut at = at;
        while matches!(syntax.ident(at), Some("ref" | "mut")) {
            at += 1;
        }
        let is_name = syntax.ident(at).is_some();
        is_name && (syntax.is(at + 1, b',') || syntax.is(at + 1, b':') && !syntax.colons(at + 1))
    }

    fn statement_end(&self, at: u32, end: u32) -> u32 {
        if let Some(next) = self.block_end(at, end) {
            return next;
        }
        let mut path = at;
        while self.syntax.ident(path).is_some() && self.syntax.colons(path + 1) {
            path += 3;
        }
        let call = self.after_macro_call(path);
        match call.filter(|next| matches!(self.syntax.word(next - 1), "}")) {
            Some(next) if !self.continues(next) => next,
            _ => self.past(b';', at, end),
        }
    }

    /// The index after an expression that ends with its block; `None` if another expression starts here.
    fn block_end(&self, at: u32, end: u32) -> Option<u32> {
        let syntax = self.syntax;
        let mut at = at;
        if matches!(syntax.token(at), Some(token) if token.kind == Kind::Lifetime)
            && syntax.is(at + 1, b':')
        {
            at += 2;
        }
        let block = match syntax.word(at) {
            "{" => at,
            "unsafe" | "const" | "loop" if syntax.opens(at + 1, b'{') => at + 1,
            "if" | "match" | "while" | "for" => self.first_block(at, end),
            _ => return None,
        };
        if !syntax.opens(block, b'{') {
            return Some(at);
        }
        let mut next = syntax.after(block).min(end);
        while syntax.ident(next) == Some("else") {
            next = syntax.after(self.first_block(next, end)).min(end);
        }
        (!self.continues(next)).then_some(next)
    }

    /// The first block after a keyword such as `if`, outside patterns.
    fn first_block(&self, keyword: u32, end: u32) -> u32 {
        let syntax = self.syntax;
        let mut in_pattern = syntax.ident(keyword) == Some("for");
        let mut at = keyword + 1;
        while at < end && (in_pattern || !syntax.opens(at, b'{')) {
            let is_assignment = syntax.is(at, b'=')
                && !syntax.is(at - 1, b'.')
                && !syntax.is(at + 1, b'=')
                && !syntax.is(at - 1, b'=');
            in_pattern = match syntax.ident(at) {
                Some("let") => true,
                Some("in") => false,
                _ => in_pattern && !is_assignment,
            };
            at = syntax.after(at);
        }
        at
    }

    /// Whether an expression continues here after a block: `match x { … }.call()`.
    fn continues(&self, at: u32) -> bool {
        self.syntax.is(at, b'.') || self.syntax.is(at, b'?')
    }
}

/// Whether an attribute of a `cfg_attr` decides about tests, files or generated code.
fn matters(syntax: &Syntax, attribute: &Attribute) -> bool {
    !attribute.conditions.is_empty()
        && (is_foreign(syntax, attribute)
            || attribute.is("doc") && syntax.is(attribute.rest.start, b'=')
            || matches!(
                attribute.name(),
                "test" | "path" | "ignore" | "should_panic" | "derive" | "cfg"
            ))
}
