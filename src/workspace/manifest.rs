//! A `Cargo.toml` as text: parsed with spans, edited by inserting text.
//!
//! `toml_edit` only parses. Serializing a document would convert CRLF to LF, remove a byte order mark, move comments and reflow arrays. So
//! every edit replaces one range of the text, and every other byte is kept.

pub mod insert;
mod list;

use std::ops::Range;

use anyhow::{Context as _, Result};
use toml_edit::{Document, Item, Key, TableLike, TomlError, Value};

use crate::exit::usage;

/// A parsed manifest with its text.
#[derive(Debug, Clone)]
pub struct Manifest {
    document: Document<String>,
}

/// A key of a table, its value, and their bytes.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// The value, or the table of a header or of dotted keys.
    pub item: &'a Item,
    /// Bytes of the text from the key, or from the header's `[`, to the end of the last value.
    pub span: Range<usize>,
}

impl Manifest {
    /// Parses a manifest; a byte order mark is allowed.
    ///
    /// # Errors
    /// When the text is not TOML: the message contains the line, the source and the expected token.
    pub fn parse(text: &str) -> Result<Self> {
        Self::read(text).map_err(|error| usage(error.to_string().trim_end()))
    }

    /// Like [`Self::parse`], with the parser's own error.
    pub(crate) fn read(text: &str) -> Result<Self, TomlError> {
        let document = Document::parse(text.to_owned())?;
        Ok(Self { document })
    }

    /// The text of the manifest.
    #[must_use]
    pub fn text(&self) -> &str {
        self.document.raw()
    }

    /// The root table.
    #[must_use]
    pub fn root(&self) -> &toml_edit::Table {
        self.document.as_table()
    }

    /// The item at a path of keys; `None` if any of them is missing.
    #[must_use]
    pub fn get(&self, path: &[&str]) -> Option<&Item> {
        let (last, tables) = path.split_last()?;
        let mut table: &dyn TableLike = self.root();
        for key in tables {
            table = table.get(key)?.as_table_like()?;
        }
        table.get(last)
    }

    /// The entry at a path of keys: its value and its bytes.
    #[must_use]
    pub fn entry(&self, path: &[&str]) -> Option<Entry<'_>> {
        let (last, tables) = path.split_last()?;
        let table: &dyn TableLike = match tables {
            [] => self.root(),
            _ => self.get(tables)?.as_table_like()?,
        };
        let (key, item) = table.get_key_value(last)?;
        Some(entry_of(key, item))
    }

    /// Replaces `range` in the text and parses the result.
    ///
    /// # Errors
    /// When the new text is not TOML, because of a layout that cannot be edited. The message contains the position.
    pub fn splice(&self, range: Range<usize>, with: &str) -> Result<Self> {
        let text = self.text();
        let new = format!("{}{with}{}", &text[..range.start], &text[range.end..]);
        Self::parse(&new).context("this layout cannot be edited automatically; edit it manually")
    }
}

/// The 1-based line of `text` that contains the byte at `offset`.
#[must_use]
pub fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())]
        .split(|byte| *byte == b'\n')
        .count()
}

/// The bytes of a key and its value.
pub(crate) fn entry_of<'a>(key: &Key, item: &'a Item) -> Entry<'a> {
    let header = matches!(item, Item::Table(table) if !table.is_dotted() && !table.is_implicit());
    let own = item.span().unwrap_or_default();
    let start = if header {
        own.start
    } else {
        key.span().unwrap_or_default().start
    };
    Entry {
        item,
        span: start..body_end(item).max(own.end).max(start),
    }
}

/// The end of the last value in an item, without nested tables that have headers.
fn body_end(item: &Item) -> usize {
    let Some(table) = item.as_table_like().filter(
        |_| !matches!(item, Item::Value(Value::InlineTable(inline)) if !inline.is_dotted()),
    ) else {
        return item.span().unwrap_or_default().end;
    };
    table
        .iter()
        .map(|(_, child)| if in_body(child) { body_end(child) } else { 0 })
        .max()
        .unwrap_or(0)
}

/// Whether an item is in its table's body and not under another header.
fn in_body(item: &Item) -> bool {
    match item {
        Item::Value(_) => true,
        Item::Table(table) => table.is_dotted(),
        Item::None | Item::ArrayOfTables(_) => false,
    }
}
