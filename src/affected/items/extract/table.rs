//! The symbol table of a file during parsing.

use rustc_hash::FxHashMap;

use super::compact::{Symbol, Texts};
use crate::workspace::source::keywords::plain_name;

/// The symbol table of one file.
#[derive(Debug, Default)]
pub struct Table<'t> {
    by_text: FxHashMap<&'t str, Symbol>,
    owned: FxHashMap<String, Symbol>,
    /// The names, by symbol.
    pub symbols: Texts,
}

impl<'t> Table<'t> {
    /// The symbol of a name in the text.
    pub fn symbol(&mut self, text: &'t str) -> Symbol {
        let text = plain_name(text);
        if let Some(symbol) = self.by_text.get(text) {
            return *symbol;
        }
        let symbol = self.intern(text);
        self.by_text.insert(text, symbol);
        symbol
    }

    /// The symbol of a name that is not in the text.
    pub fn intern(&mut self, text: &str) -> Symbol {
        let text = plain_name(text);
        if let Some(symbol) = self.owned.get(text) {
            return *symbol;
        }
        let symbol = self.symbols.push(text);
        self.owned.insert(text.to_owned(), symbol);
        symbol
    }
}
