//! The parts of an item: code that runs, and code that only names types.

use std::ops::Range;

use super::detail::parameters;
use super::{ItemKind, Kind, RawItem, Reader, TOP};

impl<'t> Reader<'_, 't> {
    /// The type parameters that an item can name: its own, and those of its `impl` or trait.
    pub(super) fn generics(&self, raw: &RawItem) -> Vec<&'t str> {
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
                    start + 1..syntax.after_angles(start, raw.tokens.end).saturating_sub(1),
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

    /// An item's tokens in parts, each with whether it runs or is the result of running.
    pub(super) fn parts(&self, raw: &RawItem, head: Range<u32>) -> Vec<(Range<u32>, bool)> {
        let foreign =
            raw.parent != TOP && self.syntax.items[raw.parent as usize].kind == ItemKind::Foreign;
        match raw.kind {
            ItemKind::Struct
            | ItemKind::Enum
            | ItemKind::Union
            | ItemKind::Trait
            | ItemKind::Impl => vec![(head, false)],
            // Code in another language may fill in its arguments.
            ItemKind::Fn if !foreign && !self.is_extern(raw) => match self.signature(raw) {
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

    /// Whether code in another language may call the function.
    pub(super) fn is_extern(&self, raw: &RawItem) -> bool {
        let name = raw.name.unwrap_or(raw.tokens.start);
        (raw.tokens.start..name).any(|at| self.syntax.ident(at) == Some("extern"))
    }

    pub(super) fn signature(&self, raw: &RawItem) -> Option<Signature> {
        let syntax = self.syntax;
        let mut at = raw.name? + 1;
        let end = raw
            .body
            .as_ref()
            .map_or(raw.tokens.end, |body| body.start - 1);
        if syntax.is(at, b'<') {
            at = syntax.after_angles(at, end);
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

    /// Tokens of the item itself; containers end where their body starts.
    pub(super) fn head(raw: &RawItem) -> Range<u32> {
        match (raw.kind, &raw.body) {
            (ItemKind::Mod | ItemKind::Trait | ItemKind::Impl | ItemKind::Foreign, Some(body)) => {
                raw.tokens.start..body.start
            }
            _ => raw.tokens.clone(),
        }
    }
}

pub(super) struct Signature {
    pub(super) takes_self: bool,
    /// `-> Type`.
    pub(super) returns: Range<u32>,
    /// The start of the body.
    pub(super) body: u32,
}
