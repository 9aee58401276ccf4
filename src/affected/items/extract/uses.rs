//! `use` and `extern crate`, with one item for each imported name.

use super::flag;
use super::{
    Detail, GLOBAL, Item, ItemKind, RawItem, Reader, Symbol, Written, digest, tokens_into,
};
use crate::affected::items::outside_effects;

impl Reader<'_, '_> {
    /// One item for each name that a `use` imports.
    pub(super) fn uses(&mut self, raw: &RawItem, template: &Item) {
        let syntax = self.syntax;
        let mut at = raw.tokens.start;
        while at < raw.tokens.end && !matches!(syntax.ident(at), Some("use" | "crate")) {
            at = syntax.after(at);
        }
        // `pub(crate) use`: the group was skipped above.
        let mut bytes = Vec::new();
        let attributes = raw.attributes.start..at;
        tokens_into(syntax, attributes, Written::default(), &mut bytes);
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
                text.extend_from_slice(self.table.symbols.get(*symbol).as_bytes());
                text.push(0);
            }
            text.push(u8::from(leaf.glob));
            let alias = leaf.alias.map_or("", |alias| self.table.symbols.get(alias));
            let hash = digest([text.as_slice(), alias.as_bytes()]);
            // After a rename, only the `use` shows that the name starts processes.
            let last = leaf.path.last().map(|last| self.table.symbols.get(*last));
            let effects = if last == Some(alias) {
                0
            } else {
                let segments = leaf.path.iter();
                let segments = segments.map(|symbol| self.table.symbols.get(*symbol));
                segments.fold(0, |flags, word| flags | outside_effects::of_word(word))
                    & (flag::SPAWNS | flag::RUNS_CARGO)
            };
            let path = leaf.path.into_boxed_slice();
            let mut item = Item {
                flags: template.flags | effects,
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

    pub(super) fn tree(
        &mut self,
        mut at: u32,
        end: u32,
        prefix: &[Symbol],
        leaves: &mut Vec<Leaf>,
    ) {
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

pub(super) struct Leaf {
    pub(super) path: Vec<Symbol>,
    pub(super) alias: Option<Symbol>,
    pub(super) glob: bool,
    pub(super) line: u32,
}
