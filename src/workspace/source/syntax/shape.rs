//! Finds the end and the body of an item, by its keyword.

use std::ops::Range;

use super::{ItemKind, Kind, Syntax};

impl Syntax<'_> {
    pub(super) fn shape(&self, keyword: &str, at: u32, end: u32) -> Option<Shape> {
        let kind = match keyword {
            "fn" => ItemKind::Fn,
            "struct" => ItemKind::Struct,
            "enum" => ItemKind::Enum,
            "union" if self.ident(at).is_some() => ItemKind::Union,
            "trait" => ItemKind::Trait,
            "impl" => {
                return self.header(at, end).and_then(|(body, end)| {
                    Some(Shape {
                        kind: ItemKind::Impl,
                        name: None,
                        body: Some(body?),
                        end,
                    })
                });
            }
            "mod" => {
                self.ident(at)?;
                let (kind, name) = (ItemKind::Mod, Some(at));
                if self.opens(at + 1, b'{') {
                    return Some(Shape {
                        kind,
                        name,
                        body: Some(self.inside(at + 1)),
                        end: self.after(at + 1),
                    });
                }
                return self.is(at + 1, b';').then_some(Shape {
                    kind,
                    name,
                    body: None,
                    end: at + 2,
                });
            }
            "const" | "static" => return self.value(keyword, at, end),
            "type" => {
                self.ident(at)?;
                return Some(Shape {
                    kind: ItemKind::Type,
                    name: Some(at),
                    body: None,
                    end: self.semicolon(at, end)?,
                });
            }
            "use" => {
                return Some(Shape {
                    kind: ItemKind::Use,
                    name: None,
                    body: None,
                    end: self.semicolon(at, end)?,
                });
            }
            "extern" if self.opens(at, b'{') => {
                return Some(Shape {
                    kind: ItemKind::Foreign,
                    name: None,
                    body: Some(self.inside(at)),
                    end: self.after(at),
                });
            }
            "extern" => {
                return Some(Shape {
                    kind: ItemKind::ExternCrate,
                    name: Some(at + 1),
                    body: None,
                    end: self.semicolon(at, end)?,
                });
            }
            "macro_rules" if self.is(at, b'!') && self.ident(at + 1).is_some() => {
                return self.call(ItemKind::Macro, at + 1, at + 2, end);
            }
            "macro" if self.ident(at).is_some() => {
                let body = if self.opens(at + 1, b'(') {
                    self.after(at + 1)
                } else {
                    at + 1
                };
                return self.call(ItemKind::Macro, at, body, end);
            }
            _ => return self.item_call(keyword, at, end),
        };
        self.ident(at)?;
        let (body, end) = self.header(at + 1, end)?;
        Some(Shape {
            kind,
            name: Some(at),
            body,
            end,
        })
    }

    pub(super) fn value(&self, keyword: &str, at: u32, end: u32) -> Option<Shape> {
        let name = if keyword == "static" && self.ident(at) == Some("mut") {
            at + 1
        } else {
            at
        };
        self.ident(name)?;
        if !self.is(name + 1, b':')
            && !self.is(name + 1, b'=')
            && !self.is(name + 1, b'<')
            && !self.is(name + 1, b';')
        {
            return None;
        }
        let kind = if keyword == "static" {
            ItemKind::Static
        } else {
            ItemKind::Const
        };
        let end = self.semicolon(name, end)?;
        Some(Shape {
            kind,
            name: Some(name),
            body: Some(name + 1..end),
            end,
        })
    }

    /// `path::name! { … }` or `path::name!(…);`, with `at` after the first segment.
    pub(super) fn item_call(&self, first: &str, mut at: u32, end: u32) -> Option<Shape> {
        let mut name = at.checked_sub(u32::from(!first.is_empty()))?;
        while self.colons(at) {
            name = at + 2;
            self.ident(name)?;
            at += 3;
        }
        if !self.is(at, b'!') || self.ident(name).is_none() {
            return None;
        }
        let group = if self.ident(at + 1).is_some() {
            at + 2
        } else {
            at + 1
        };
        self.call(ItemKind::Call, name, group, end)
    }

    pub(super) fn call(&self, kind: ItemKind, name: u32, group: u32, end: u32) -> Option<Shape> {
        match self.token(group)?.kind {
            Kind::Open(open) if group < end => {
                let past = self.after(group);
                // At the end of a body, a call with parentheses may be an expression without `;`.
                let closed = open == b'{' || (self.is(past, b';') && past < end);
                let fits = closed || past == end;
                fits.then(|| Shape {
                    kind,
                    name: Some(name),
                    body: Some(self.inside(group)),
                    end: past + u32::from(closed && open != b'{'),
                })
            }
            _ => None,
        }
    }

    pub(super) fn semicolon(&self, mut at: u32, end: u32) -> Option<u32> {
        while at < end {
            if self.is(at, b';') {
                return Some(at + 1);
            }
            at = self.after(at);
        }
        None
    }

    /// From the name to the body or `;`, skipping `<…>`, which may contain braces.
    pub(super) fn header(&self, mut at: u32, end: u32) -> Option<(Option<Range<u32>>, u32)> {
        let mut angles = 0_u32;
        while at < end {
            match self.token(at)?.kind {
                Kind::Punct(b'<') => angles += 1,
                Kind::Punct(b'>') if !self.is(at - 1, b'-') && !self.is(at - 1, b'=') => {
                    angles = angles.saturating_sub(1);
                }
                Kind::Open(b'{') if angles == 0 => {
                    return Some((Some(self.inside(at)), self.after(at)));
                }
                Kind::Punct(b';') => return Some((None, at + 1)),
                _ => {}
            }
            at = self.after(at);
        }
        None
    }
}

pub(super) struct Shape {
    pub(super) kind: ItemKind,
    pub(super) name: Option<u32>,
    pub(super) body: Option<Range<u32>>,
    pub(super) end: u32,
}
