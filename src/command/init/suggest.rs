//! Suggestions while an answer is typed: files of the workspace and known dependencies.

use std::sync::Arc;

use anyhow::Result;
use inquire::CustomUserError;
use inquire::autocompletion::{Autocomplete, Replacement};
use toml_edit::{Document, Item};

use crate::project::Project;
use crate::sys::files;

/// The maximum number of suggestions.
const OFFERED: usize = 50;

/// Suggests texts that contain the input, with those that start with it first. Tab completes the common prefix of the latter.
#[derive(Debug, Clone)]
pub(super) struct Suggest {
    texts: Arc<[String]>,
    /// A character that may precede a text and belongs to the answer.
    mark: Option<char>,
}

impl Suggest {
    /// Tracked and untracked files, relative to the current folder; also after `-`, which deletes a file.
    pub(super) fn files(project: &Project) -> Result<Self> {
        let workspace = &project.workspace;
        let paths = match project.repository() {
            Ok(repository) => {
                let listing = repository.listing()?;
                let paths = listing.files.keys();
                paths.map(|path| repository.root.join(path)).collect()
            }
            Err(_) => files::walk(&workspace.root)?,
        };
        let ours = paths.into_iter().filter(|path| {
            path.starts_with(&workspace.root)
                && !workspace.is_built(path)
                && !project.config.is_document(workspace.relative(path))
        });
        let below = ours.filter_map(|path| {
            let below = path.strip_prefix(&project.folder).ok()?;
            Some(files::slashed(below))
        });
        Ok(Self::new(below.collect(), Some('-')))
    }

    /// Members, their dependencies with requirements, and other locked packages.
    pub(super) fn dependencies(project: &Project) -> Result<Self> {
        let workspace = &project.workspace;
        let members = workspace
            .packages
            .iter()
            .map(|package| package.name.to_string());
        let required = workspace
            .packages
            .iter()
            .flat_map(|package| &package.dependencies);
        let required = required
            .filter(|dependency| dependency.path.is_none())
            .map(|dependency| {
                let requirement = dependency.req.to_string();
                match requirement.strip_prefix('^').unwrap_or(&requirement) {
                    "*" => dependency.name.clone(),
                    requirement => format!("{}@{requirement}", dependency.name),
                }
            });
        let mut texts: Vec<String> = members.chain(required).collect();
        let is_known = |name: &str, texts: &[String]| {
            texts
                .iter()
                .any(|text| text.split('@').next() == Some(name))
        };
        for name in locked(project)? {
            if !is_known(&name, &texts) {
                texts.push(name);
            }
        }
        Ok(Self::new(texts, None))
    }

    fn new(mut texts: Vec<String>, mark: Option<char>) -> Self {
        texts.sort();
        texts.dedup();
        Self {
            texts: texts.into(),
            mark,
        }
    }

    /// All texts.
    pub(super) fn texts(&self) -> Vec<&str> {
        self.texts.iter().map(String::as_str).collect()
    }

    /// Splits the input into the optional mark and the text.
    fn typed<'t>(&self, input: &'t str) -> (&'t str, &'t str) {
        let marked = self.mark.is_some_and(|mark| input.starts_with(mark));
        input.split_at(usize::from(marked))
    }
}

impl Autocomplete for Suggest {
    fn get_suggestions(&mut self, input: &str) -> Result<Vec<String>, CustomUserError> {
        let (mark, typed) = self.typed(input);
        if typed.is_empty() {
            return Ok(Vec::new());
        }
        let lower = typed.to_lowercase();
        let holding = self
            .texts
            .iter()
            .filter(|text| text.to_lowercase().contains(&lower));
        let (mut first, rest): (Vec<&String>, Vec<&String>) =
            holding.partition(|text| text.starts_with(typed));
        first.extend(rest);
        first.truncate(OFFERED);
        Ok(first
            .into_iter()
            .map(|text| format!("{mark}{text}"))
            .collect())
    }

    fn get_completion(
        &mut self,
        input: &str,
        highlighted: Option<String>,
    ) -> Result<Replacement, CustomUserError> {
        if highlighted.is_some() {
            return Ok(highlighted);
        }
        let (mark, typed) = self.typed(input);
        let mut beginning = self.texts.iter().filter(|text| text.starts_with(typed));
        let Some(first) = beginning.next() else {
            return Ok(None);
        };
        let common = beginning.fold(first.as_str(), |common, text| {
            let same = common.char_indices().zip(text.chars());
            let end = same.take_while(|((_, one), other)| one == other).last();
            &common[..end.map_or(0, |((at, last), _)| at + last.len_utf8())]
        });
        Ok((common.len() > typed.len()).then(|| format!("{mark}{common}")))
    }
}

/// Names in Cargo.lock; none if it is missing or cannot be read.
fn locked(project: &Project) -> Result<Vec<String>> {
    let path = project.workspace.root.join("Cargo.lock");
    let Some(bytes) = files::read_if_exists(&path)? else {
        return Ok(Vec::new());
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let Ok(lock) = Document::parse(text) else {
        return Ok(Vec::new());
    };
    let packages = lock.get("package").and_then(Item::as_array_of_tables);
    let names = packages.into_iter().flatten();
    let names = names.filter_map(|package| package.get("name")?.as_str().map(str::to_owned));
    Ok(names.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggest() -> Suggest {
        let texts = ["store/src/lib.rs", "store/src/cache.rs", "app/src/main.rs"];
        Suggest::new(texts.map(str::to_owned).into(), Some('-'))
    }

    #[test]
    fn prefix_matches_precede_other_matches() {
        let mut suggest = suggest();
        assert_eq!(suggest.get_suggestions("").unwrap(), Vec::<String>::new());
        assert_eq!(
            suggest.get_suggestions("CACHE").unwrap(),
            ["store/src/cache.rs"]
        );
        let offered = suggest.get_suggestions("-s").unwrap();
        assert_eq!(
            offered,
            [
                "-store/src/cache.rs",
                "-store/src/lib.rs",
                "-app/src/main.rs"
            ]
        );
    }

    #[test]
    fn tab_completes_the_common_prefix() {
        let mut suggest = suggest();
        let mut tab = |input: &str| suggest.get_completion(input, None).unwrap();
        assert_eq!(tab("s").as_deref(), Some("store/src/"));
        assert_eq!(tab("-store/src/c").as_deref(), Some("-store/src/cache.rs"));
        assert_eq!(tab("store/src/"), None);
        assert_eq!(tab("x"), None);
    }
}
