//! The aliases of cargo's configuration: `[alias]` of the files that cargo reads in a folder, and `CARGO_ALIAS_NAME`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The names of the configuration file; where a folder has both, cargo reads the first.
const FILES: [&str; 2] = ["config", "config.toml"];
/// An alias may name another one; cargo refuses a circle.
const DEEPEST: usize = 8;

/// The aliases that hold in `folder`, as words. The innermost folder's wins, then that of cargo's home.
#[must_use]
pub(crate) fn aliases(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let folders = folder.ancestors().map(|folder| folder.join(".cargo"));
    let mut all = BTreeMap::new();
    for folder in folders.chain(home) {
        let texts = FILES.map(|file| std::fs::read_to_string(folder.join(file)));
        for (name, words) in texts
            .into_iter()
            .flatten()
            .take(1)
            .flat_map(|text| of_text(&text))
        {
            all.entry(name).or_insert(words);
        }
    }
    for (name, value) in std::env::vars_os() {
        if let (Some(name), Some(value)) = (name.to_str(), value.to_str())
            && let Some(name) = name.strip_prefix("CARGO_ALIAS_")
        {
            all.insert(name.to_lowercase().replace('_', "-"), words(value));
        }
    }
    all
}

/// The aliases in the text of a configuration file.
fn of_text(text: &str) -> Vec<(String, Vec<String>)> {
    let Ok(document) = toml_edit::Document::parse(text.to_owned()) else {
        return Vec::new();
    };
    let Some(table) = document.get("alias").and_then(|item| item.as_table_like()) else {
        return Vec::new();
    };
    let words = |item: &toml_edit::Item| match item.as_str() {
        Some(text) => Some(words(text)),
        None => {
            let words = item.as_array()?.iter();
            words.map(|word| Some(word.as_str()?.to_owned())).collect()
        }
    };
    table
        .iter()
        .filter_map(|(name, item)| Some((name.to_owned(), words(item)?)))
        .collect()
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// The words behind `cargo` with the aliases in them replaced by what they stand for. Options before the subcommand stay.
#[must_use]
pub(crate) fn resolve(
    mut words: Vec<String>,
    aliases: &BTreeMap<String, Vec<String>>,
) -> Vec<String> {
    for _ in 0..DEEPEST {
        let at = words.iter().position(|word| !word.starts_with(['+', '-']));
        let Some((at, alias)) = at.and_then(|at| Some((at, aliases.get(&words[at])?))) else {
            break;
        };
        words.splice(at..=at, alias.iter().cloned());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_name_aliases_and_a_circle_ends() {
        let text =
            "[alias]\nci = \"unit --locked\"\nunit = [\"test\", \"--lib\"]\na = \"b\"\nb = \"a\"\n";
        let aliases: BTreeMap<_, _> = of_text(text).into_iter().collect();
        let resolved = |text: &str| resolve(words(text), &aliases).join(" ");
        assert_eq!(resolved("-q ci one"), "-q test --lib --locked one");
        assert_eq!(resolved("test ci"), "test ci");
        assert!(["a", "b"].contains(&resolved("a").as_str()));
    }
}
