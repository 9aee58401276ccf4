//! A dependency entry, parsed from a manifest or from a plan.

use toml_edit::{Item, TableLike, Value};

use crate::workspace::manifest::insert::quoted;

/// The value of a dependency entry: `"1.0"`, `{ version = "1.0", … }`, dotted keys or a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Specification {
    /// The version requirement as written, unchecked.
    pub version: Option<String>,
    /// `workspace = true`: the rest is inherited from `[workspace.dependencies]`.
    pub workspace: bool,
    /// The features, in order.
    pub features: Vec<String>,
    /// `default-features`, if present.
    pub default_features: Option<bool>,
    /// `optional`, if present.
    pub optional: Option<bool>,
    /// `package`: the real name of a renamed dependency.
    pub package: Option<String>,
    /// All other keys (`path`, `git`, `branch`, `tag`, `rev`, `registry`, …) with their values without quotes.
    pub others: Vec<(String, String)>,
    /// Every field as TOML text on one line, in the original order.
    pub(super) fields: Vec<(String, String)>,
}

/// Keys of [`Specification::others`] that select the source of a package.
const SOURCE_KEYS: [&str; 7] = [
    "path",
    "git",
    "branch",
    "tag",
    "rev",
    "registry",
    "registry-index",
];

impl Specification {
    /// Parses the entry's value from the text.
    ///
    /// # Errors
    /// If a key has a value of the wrong type; the message contains the key.
    pub fn read(item: &Item, text: &str) -> Result<Self, String> {
        let mut specification = Self::default();
        if let Some(version) = item.as_str() {
            specification.version = Some(version.to_owned());
            specification
                .fields
                .push(("version".to_owned(), one_line(item, text)));
            return Ok(specification);
        }
        let Some(table) = item.as_table_like() else {
            return Err(format!(
                "a dependency is a version or a table, not {}",
                a(item.type_name())
            ));
        };
        for (key, item) in table.iter() {
            specification.take(key, item, text)?;
        }
        Ok(specification)
    }

    fn take(&mut self, key: &str, item: &Item, text: &str) -> Result<(), String> {
        let wrong =
            |expected: &str| format!("`{key}` must be {expected}, not {}", a(item.type_name()));
        let string = || {
            item.as_str()
                .map(str::to_owned)
                .ok_or_else(|| wrong("a string"))
        };
        let boolean = || item.as_bool().ok_or_else(|| wrong("true or false"));
        match key {
            "version" => self.version = Some(string()?),
            "workspace" => self.workspace = boolean()?,
            "features" => {
                self.features = strings(item).ok_or_else(|| wrong("an array of strings"))?;
            }
            "default-features" | "default_features" => self.default_features = Some(boolean()?),
            "optional" => self.optional = Some(boolean()?),
            "package" => self.package = Some(string()?),
            key if SOURCE_KEYS.contains(&key) => self.others.push((key.to_owned(), string()?)),
            _ => self.others.push((
                key.to_owned(),
                item.as_str()
                    .map_or_else(|| one_line(item, text), str::to_owned),
            )),
        }
        self.fields.push((key.to_owned(), one_line(item, text)));
        Ok(())
    }

    /// The value of a key of [`Self::others`].
    #[must_use]
    pub fn other(&self, key: &str) -> Option<&str> {
        self.others
            .iter()
            .find(|(other, _)| other == key)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the package comes from a folder or a repository.
    #[must_use]
    pub fn has_own_source(&self) -> bool {
        self.other("path").is_some() || self.other("git").is_some()
    }

    /// The package name of the entry called `name`.
    #[must_use]
    pub fn package_name<'a>(&'a self, name: &'a str) -> &'a str {
        self.package.as_deref().unwrap_or(name)
    }

    /// A field as TOML text, as written.
    pub(super) fn written(&self, key: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(other, _)| other == key)
            .map(|(_, text)| text.as_str())
    }

    /// The entry as key and value in TOML text, in the shortest form that cargo writes.
    pub(super) fn assignment(&self, name: &str) -> (String, String) {
        match self.fields.as_slice() {
            [(key, value)] if key == "version" => (name.to_owned(), value.clone()),
            [(key, value)] if key == "workspace" => (format!("{name}.workspace"), value.clone()),
            fields => {
                let fields: Vec<_> = fields
                    .iter()
                    .map(|(key, value)| format!("{key} = {value}"))
                    .collect();
                (name.to_owned(), format!("{{ {} }}", fields.join(", ")))
            }
        }
    }
}

/// The strings of an array; `None` for anything else.
pub(super) fn strings(item: &Item) -> Option<Vec<String>> {
    item.as_array()?
        .iter()
        .map(|value| value.as_str().map(str::to_owned))
        .collect()
}

/// A string as TOML text.
pub(super) fn quoted_value(value: &str) -> String {
    Value::from(value).to_string().trim().to_owned()
}

/// An array of strings as TOML text on one line.
pub(super) fn array(values: &[String]) -> String {
    format!(
        "[{}]",
        values
            .iter()
            .map(|value| quoted_value(value))
            .collect::<Vec<_>>()
            .join(", ")
    )
}

/// A value on one line, without comments.
fn one_line(item: &Item, text: &str) -> String {
    match item {
        Item::Value(value) => one_line_value(value, text),
        _ => item
            .as_table_like()
            .map(|table| fields(table, text))
            .unwrap_or_default(),
    }
}

fn one_line_value(value: &Value, text: &str) -> String {
    match value {
        Value::Array(array) => {
            let values: Vec<_> = array
                .iter()
                .map(|value| one_line_value(value, text))
                .collect();
            format!("[{}]", values.join(", "))
        }
        Value::InlineTable(table) => fields(table, text),
        _ => value
            .span()
            .map(|span| text[span].to_owned())
            .unwrap_or_default(),
    }
}

fn fields(table: &dyn TableLike, text: &str) -> String {
    let fields: Vec<_> = table
        .iter()
        .map(|(key, item)| format!("{} = {}", quoted(key), one_line(item, text)))
        .collect();
    format!("{{ {} }}", fields.join(", "))
}

/// A type name with its article.
pub(super) fn a(type_name: &str) -> String {
    let article = if type_name.starts_with(['a', 'i']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {type_name}")
}
