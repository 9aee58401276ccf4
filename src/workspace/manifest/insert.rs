//! Adds a key to a table of a manifest, in any of the TOML forms of a table.

use anyhow::{Result, bail};
use toml_edit::{Item, Table, TableLike, Value};

use super::list::{self, Splice, indent_of, line_break_after, line_start};
use super::{Entry, Manifest, entry_of, in_body};

/// The position of a new key among existing ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// After the last one.
    Last,
    /// In alphabetical order if the keys are sorted, as `cargo add` does; otherwise after the last one.
    SortedIfSorted,
}

/// The form of the table at a path.
enum Place<'a> {
    /// Under a header, `[dependencies]`.
    Header(&'a Table),
    /// Between braces, `dependencies = { … }`.
    Inline(&'a toml_edit::InlineTable),
    /// By dotted keys, `dependencies.foo = …`: the part of the path that each line repeats, and the table.
    Dotted(usize, &'a Table),
    /// Not present, but tables inside it have headers, `[dependencies.foo]`.
    Implied,
    /// Not present; its deepest existing parent is between braces, at this depth.
    InlineAbove(usize, &'a toml_edit::InlineTable),
    /// Not present; its deepest existing parent is written by dotted keys.
    DottedAbove(usize, &'a Table),
    /// Not present.
    Missing,
}

impl Manifest {
    /// Adds `key = value` to the table at `path`, which is created if it is missing.
    ///
    /// `key` and `value` are TOML text; `key` may be dotted. All other text is kept.
    ///
    /// # Errors
    /// When the path contains a value that is not a table, or a layout that cannot be edited as text.
    pub fn insert(&self, path: &[&str], key: &str, value: &str, order: Order) -> Result<Self> {
        let (range, with) = match self.place(path)? {
            Place::Header(table) => self.under_header(table, key, value, order),
            Place::Inline(inline) => self.between_braces(inline, format!("{key} = {value}")),
            Place::Dotted(depth, table) | Place::DottedAbove(depth, table) => {
                let prefix = dotted(&path[depth..]);
                self.after_dotted(table, &format!("{prefix}.{key} = {value}"))
            }
            Place::InlineAbove(depth, inline) => {
                let (first, rest) = (quoted(path[depth]), &path[depth + 1..]);
                let inner = rest
                    .iter()
                    .rev()
                    .fold(format!("{key} = {value}"), |inner, name| {
                        format!("{} = {{ {inner} }}", quoted(name))
                    });
                self.between_braces(inline, format!("{first} = {{ {inner} }}"))
            }
            Place::Implied | Place::Missing => self.new_section(path, &format!("{key} = {value}")),
        };
        self.splice(range, &with)
    }

    /// Appends values, as TOML text, to the array at `path`.
    ///
    /// # Errors
    /// When there is no array at `path`.
    pub fn append(&self, path: &[&str], values: &[String]) -> Result<Self> {
        let Some(array) = self.get(path).and_then(Item::as_array) else {
            bail!("`{}` is not an array", dotted(path));
        };
        let elements: Vec<_> = array.iter().filter_map(Value::span).collect();
        let (range, with) = list::append(
            self.text(),
            &array.span().unwrap_or_default(),
            &elements,
            values,
        );
        self.splice(range, &with)
    }

    fn place(&self, path: &[&str]) -> Result<Place<'_>> {
        let mut table: &dyn TableLike = self.root();
        // The innermost table with a header, by depth: dotted keys in its body are relative to it.
        let mut body = 0;
        let mut found = Place::Missing;
        for (depth, key) in path.iter().enumerate() {
            let Some(item) = table.get(key) else {
                return Ok(match found {
                    Place::Inline(inline) => Place::InlineAbove(depth, inline),
                    Place::Dotted(from, table) => Place::DottedAbove(from, table),
                    _ => Place::Missing,
                });
            };
            found = match item {
                Item::Value(Value::InlineTable(inline)) if !inline.is_dotted() => {
                    Place::Inline(inline)
                }
                Item::Table(table) if table.is_dotted() => Place::Dotted(body, table),
                Item::Table(table) if table.is_implicit() => Place::Implied,
                Item::Table(table) => {
                    body = depth + 1;
                    Place::Header(table)
                }
                _ => bail!(
                    "the layout of `{}` cannot be edited automatically; edit it manually",
                    dotted(&path[..=depth])
                ),
            };
            let Some(next) = item.as_table_like() else {
                bail!("`{}` is not a table", dotted(&path[..=depth]));
            };
            table = next;
        }
        Ok(found)
    }

    fn under_header(&self, table: &Table, key: &str, value: &str, order: Order) -> Splice {
        let name = key.split('.').next().unwrap_or(key);
        let entries = body_entries(table);
        let names: Vec<&str> = entries.iter().map(|(name, _)| *name).collect();
        let before = match order {
            Order::SortedIfSorted if names.is_sorted() => {
                entries.iter().take_while(|(other, _)| *other < name).last()
            }
            _ => entries.last(),
        };
        let anchor = before.map_or_else(
            || table.span().unwrap_or_default().end,
            |(_, entry)| entry.span.end,
        );
        let indent = before
            .or(entries.first())
            .map_or("", |(_, entry)| indent_of(self.text(), entry.span.start));
        self.line_after(anchor, &format!("{indent}{key} = {value}"))
    }

    fn between_braces(&self, inline: &toml_edit::InlineTable, item: String) -> Splice {
        let elements: Vec<_> = inline
            .iter()
            .filter_map(|(name, _)| inline.get_key_value(name))
            .map(|(key, item)| entry_of(key, item).span)
            .collect();
        list::append(
            self.text(),
            &inline.span().unwrap_or_default(),
            &elements,
            &[item],
        )
    }

    fn after_dotted(&self, table: &Table, line: &str) -> Splice {
        let ends = body_entries(table).into_iter().map(|(_, entry)| entry.span);
        let last = ends.max_by_key(|span| span.end).unwrap_or_default();
        let indent = indent_of(self.text(), last.start);
        self.line_after(last.end, &format!("{indent}{line}"))
    }

    /// Inserts a line after the line that contains `anchor`. A missing line end at the end of the text stays missing.
    fn line_after(&self, anchor: usize, line: &str) -> Splice {
        let text = self.text();
        let eol = line_break_after(text, anchor);
        match text[anchor..].find('\n') {
            Some(offset) => {
                let at = anchor + offset + 1;
                (at..at, format!("{line}{eol}"))
            }
            None => (text.len()..text.len(), format!("{eol}{line}")),
        }
    }

    /// Adds a new `[table]` with one line: before the tables inside it, after the last table with the same parent, or at the end, as in `cargo add`.
    fn new_section(&self, path: &[&str], line: &str) -> Splice {
        let text = self.text();
        let mut headers = Vec::new();
        collect_headers(self.root(), &mut Vec::new(), &mut headers);
        headers.sort_by_key(|(start, _)| *start);
        let next = headers
            .iter()
            .position(|(_, other)| other.starts_with(path))
            .or_else(|| {
                let common =
                    |other: &[&str]| other.iter().zip(path).take_while(|(a, b)| a == b).count();
                let most = headers
                    .iter()
                    .map(|(_, other)| common(other))
                    .max()
                    .filter(|most| *most > 0)?;
                Some(
                    headers
                        .iter()
                        .rposition(|(_, other)| common(other) == most)?
                        + 1,
                )
            });
        let at = next
            .and_then(|next| headers.get(next))
            .map_or(text.len(), |(start, _)| above_comments(text, *start));

        let eol = line_break_after(text, 0);
        let before = text[..at].trim_start_matches('\u{feff}');
        let blank_above =
            before.is_empty() || before.ends_with("\n\n") || before.ends_with("\n\r\n");
        let unfinished = !before.is_empty() && !before.ends_with('\n');
        let above = eol.repeat(usize::from(unfinished) + usize::from(!blank_above));
        let below = if at < text.len() {
            eol.repeat(2)
        } else {
            eol.repeat(usize::from(!unfinished))
        };
        let header = dotted(path);
        (at..at, format!("{above}[{header}]{eol}{line}{below}"))
    }
}

/// The keys in a table's own body with their bytes, in the order of the text.
fn body_entries(table: &Table) -> Vec<(&str, Entry<'_>)> {
    let mut entries: Vec<_> = table
        .iter()
        .filter(|(_, item)| in_body(item))
        .filter_map(|(name, _)| Some((name, table.get_key_value(name)?)))
        .map(|(name, (key, item))| (name, entry_of(key, item)))
        .collect();
    entries.sort_by_key(|(_, entry)| entry.span.start);
    entries
}

fn collect_headers<'a>(
    table: &'a Table,
    path: &mut Vec<&'a str>,
    headers: &mut Vec<(usize, Vec<&'a str>)>,
) {
    for (name, item) in table {
        path.push(name);
        match item {
            Item::Table(inner) => {
                if !inner.is_dotted() && !inner.is_implicit() {
                    headers.push((inner.span().unwrap_or_default().start, path.clone()));
                }
                collect_headers(inner, path, headers);
            }
            Item::ArrayOfTables(tables) => {
                for inner in tables {
                    headers.push((inner.span().unwrap_or_default().start, path.clone()));
                    collect_headers(inner, path, headers);
                }
            }
            Item::None | Item::Value(_) => {}
        }
        path.pop();
    }
}

/// The start of the comment lines directly above the line that contains `offset`: they belong to it.
fn above_comments(text: &str, offset: usize) -> usize {
    let mut start = line_start(text, offset);
    while start > 0 {
        let above = line_start(text, start - 1);
        if !text[above..start].trim_start().starts_with('#') {
            break;
        }
        start = above;
    }
    start
}

/// A path of keys as TOML text.
fn dotted(path: &[&str]) -> String {
    path.iter()
        .map(|key| quoted(key))
        .collect::<Vec<_>>()
        .join(".")
}

/// A key as TOML text: bare, literal as in the Cargo Book's `[target.'cfg(unix)'.dependencies]`, or escaped.
pub(crate) fn quoted(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(bare) {
        key.to_owned()
    } else if key.chars().all(|c| c != '\'' && !c.is_control()) {
        format!("'{key}'")
    } else {
        toml_edit::Key::new(key)
            .default_repr()
            .as_raw()
            .as_str()
            .unwrap_or(key)
            .to_owned()
    }
}
