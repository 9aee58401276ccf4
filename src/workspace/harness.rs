//! Targets whose tests libtest does not run.

use camino::Utf8Path;
use toml_edit::{Item, TableLike, Value};

use super::manifest::Manifest;
use crate::sys::files;

/// The targets with `harness = false` in a manifest, each with its table: `bin`, `test`, `example`, `bench` or `lib`.
#[must_use]
pub fn without_harness(manifest: &Utf8Path) -> Vec<(&'static str, String)> {
    let text = files::text(manifest).filter(|text| text.contains("harness"));
    let Some(manifest) = text.and_then(|text| Manifest::parse(&text).ok()) else {
        return Vec::new();
    };
    let is_off = |table: &&dyn TableLike| {
        let harness = table.get("harness").and_then(Item::as_bool);
        harness == Some(false)
    };
    let name = |table: &dyn TableLike| Some(table.get("name")?.as_str()?.to_owned());
    let mut found = Vec::new();
    for key in ["bin", "test", "example", "bench"] {
        let tables = manifest.get(&[key]).map(tables).unwrap_or_default();
        let names = tables.into_iter().filter(is_off).filter_map(name);
        found.extend(names.map(|name| (key, name)));
    }
    let library = manifest.get(&["lib"]).and_then(Item::as_table_like);
    if let Some(library) = library.filter(is_off) {
        let package = manifest.get(&["package", "name"]);
        let package = package.and_then(Item::as_str).unwrap_or_default();
        let name = name(library).unwrap_or_else(|| package.replace('-', "_"));
        found.push(("lib", name));
    }
    found
}

/// The tables of `[[key]]` or `key = [{ … }]`.
fn tables(item: &Item) -> Vec<&dyn TableLike> {
    match item {
        Item::ArrayOfTables(tables) => tables.iter().map(|table| table as &dyn TableLike).collect(),
        Item::Value(Value::Array(tables)) => {
            let tables = tables.iter().filter_map(Value::as_inline_table);
            tables.map(|table| table as &dyn TableLike).collect()
        }
        _ => Vec::new(),
    }
}
