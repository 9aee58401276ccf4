//! Compares TOML by value, ignoring comments, layout and the order of keys.

use std::collections::{BTreeMap, BTreeSet};

use toml_edit::{DocumentMut, Item};

/// Parses a document; `None` if it is invalid.
pub(super) fn parse(bytes: &[u8]) -> Option<DocumentMut> {
    std::str::from_utf8(bytes)
        .ok()?
        .trim_start_matches('\u{feff}')
        .parse()
        .ok()
}

/// The keys whose values differ between two tables, ignoring comments and layout.
pub(super) fn changed_keys(before: &Item, after: &Item) -> BTreeSet<String> {
    let (before, after) = (entries(before), entries(after));
    before
        .keys()
        .chain(after.keys())
        .filter(|key| before.get(*key) != after.get(*key))
        .cloned()
        .collect()
}

fn entries(item: &Item) -> BTreeMap<String, String> {
    let table = item.as_table_like();
    table
        .into_iter()
        .flat_map(|table| table.iter())
        .map(|(key, value)| (key.to_owned(), canonical(value)))
        .collect()
}

/// A value's canonical text with sorted keys: equal exactly for equal values.
pub(super) fn canonical(item: &Item) -> String {
    if item.as_table_like().is_some() {
        let inside: Vec<String> = entries(item)
            .into_iter()
            .map(|(key, value)| format!("{key:?}={value}"))
            .collect();
        return format!("{{{}}}", inside.join(","));
    }
    if let Some(array) = item.as_array() {
        let inside: Vec<String> = array
            .iter()
            .map(|value| canonical(&Item::Value(value.clone())))
            .collect();
        return format!("[{}]", inside.join(","));
    }
    if let Some(tables) = item.as_array_of_tables() {
        let inside: Vec<String> = tables
            .iter()
            .map(|table| canonical(&Item::Table(table.clone())))
            .collect();
        return format!("[{}]", inside.join(","));
    }
    match item.as_str() {
        Some(text) => format!("{text:?}"),
        None => item
            .to_string()
            .split('#')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned(),
    }
}
