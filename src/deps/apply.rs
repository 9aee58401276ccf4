//! Edits manifests so that they contain the entries of a plan, and writes them.

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;
use toml_edit::Item;

use super::compare::{Change, Inherited, State, state, table_path};
use super::declared::{Declared, Wanted};
use super::edit::Edit;
use super::specification::array;
use crate::sys::cargo::Cargo;
use crate::sys::files;
use crate::workspace::manifest::Manifest;
use crate::workspace::manifest::insert::Order;

/// Adds the declared entries to `manifest`. Returns the edited manifest and the state of each entry before the edit.
///
/// `inherited` is the workspace's manifest, if it is another one. Conflicting and invalid entries change nothing. Applying it to its
/// result changes nothing.
///
/// # Errors
/// If an entry has a layout that cannot be edited as text.
pub fn align(
    manifest: &Manifest,
    declared: &[Declared],
    inherited: Option<&Inherited<'_>>,
) -> Result<(Manifest, Vec<State>)> {
    let mut manifest = manifest.clone();
    let mut states = Vec::with_capacity(declared.len());
    for entry in declared {
        let found = state(&manifest, entry, inherited);
        let edited = match &found {
            State::Missing => Some(add(&manifest, entry)),
            State::Incomplete(changes) => Some(change(&manifest, entry, changes)),
            _ => None,
        };
        if let Some(edited) = edited {
            let context = || {
                format!(
                    "`{}` in {}, plan line {}",
                    entry.name, entry.table, entry.line
                )
            };
            manifest = edited.with_context(context)?;
            let now = state(&manifest, entry, inherited);
            if now != State::Present {
                bail!(
                    "{}: it is {} after the edit; edit it manually and report this as a bug",
                    context(),
                    now.label()
                );
            }
        }
        states.push(found);
    }
    Ok((manifest, states))
}

fn add(manifest: &Manifest, declared: &Declared) -> Result<Manifest> {
    let table = table_path(manifest, &declared.table);
    let table: Vec<&str> = table.iter().map(String::as_str).collect();
    let (key, value) = match &declared.wanted {
        Wanted::Dependency(specification) => specification.assignment(&declared.name),
        Wanted::Feature(values) => (declared.name.clone(), array(values)),
    };
    manifest.insert(&table, &key, &value, Order::SortedIfSorted)
}

fn change(manifest: &Manifest, declared: &Declared, changes: &[Change]) -> Result<Manifest> {
    let mut path = table_path(manifest, &declared.table);
    path.push(declared.name.clone());
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let mut manifest = manifest.clone();
    for change in changes {
        manifest = match (change, &declared.wanted) {
            (Change::Requirement(version), _) => set_requirement(&manifest, &path, version)?,
            (Change::Features(values), Wanted::Feature(_)) => append(&manifest, &path, values)?,
            (Change::Features(values), Wanted::Dependency(_)) => {
                let features = [&path[..], &["features"]].concat();
                if manifest.get(&features).is_some() {
                    append(&manifest, &features, values)?
                } else {
                    set_field(&manifest, &path, "features", &array(values))?
                }
            }
            (Change::Field(key, value), _) => set_field(&manifest, &path, key, value)?,
        };
    }
    Ok(manifest)
}

fn append(manifest: &Manifest, path: &[&str], values: &[String]) -> Result<Manifest> {
    let values: Vec<_> = values
        .iter()
        .map(|value| super::specification::quoted_value(value))
        .collect();
    manifest.append(path, &values)
}

/// Replaces the requirement between the existing quotes.
fn set_requirement(manifest: &Manifest, path: &[&str], version: &str) -> Result<Manifest> {
    let field = [path, &["version"]].concat();
    let path = if manifest.get(path).is_some_and(Item::is_str) {
        path
    } else {
        &field
    };
    let span = manifest
        .entry(path)
        .and_then(|entry| entry.item.span())
        .context("the entry has no version to change")?;
    let quote = if manifest.text()[span.clone()].starts_with('\'') {
        '\''
    } else {
        '"'
    };
    manifest.splice(span, &format!("{quote}{version}{quote}"))
}

/// Adds a field to an entry. A bare version, or a single dotted `workspace = true`, becomes an inline table as in `cargo add`; other
/// layouts are kept.
fn set_field(manifest: &Manifest, path: &[&str], key: &str, value: &str) -> Result<Manifest> {
    let entry = manifest.entry(path).context("the entry does not exist")?;
    let text = manifest.text();
    if let Some(span) = entry.item.span().filter(|_| entry.item.is_str()) {
        let version = text[span.clone()].to_owned();
        return manifest.splice(span, &format!("{{ version = {version}, {key} = {value} }}"));
    }
    let dotted = entry
        .item
        .as_table()
        .filter(|table| table.is_dotted() && table.len() == 1);
    if dotted.is_some_and(|table| table.contains_key("workspace")) {
        let name = path.last().copied().unwrap_or_default();
        return manifest.splice(
            entry.span,
            &format!("{name} = {{ workspace = true, {key} = {value} }}"),
        );
    }
    manifest.insert(path, key, value, Order::Last)
}

/// Writes the edits to `root`, then lets cargo read every changed manifest.
///
/// All or nothing: if a file cannot be written or cargo rejects one, all are restored.
///
/// # Errors
/// A manifest changed on disk since it was read; a file cannot be written; or cargo's error, with the note that the old texts are
/// restored.
pub fn commit(root: &Utf8Path, edits: &[Edit], cargo: &Cargo) -> Result<()> {
    for edit in edits {
        if files::read(&root.join(&edit.path))? != edit.old.as_bytes() {
            bail!(
                "{} was changed by another process; nothing was written, run this again",
                edit.path
            );
        }
    }
    let mut written = Vec::new();
    let outcome = edits
        .iter()
        .try_for_each(|edit| {
            files::write_atomic(&root.join(&edit.path), edit.new.as_bytes())?;
            written.push(edit);
            Ok(())
        })
        .and_then(|()| accepted(root, edits, cargo));
    let Err(error) = outcome else { return Ok(()) };
    for edit in written {
        if let Err(failed) = files::write_atomic(&root.join(&edit.path), edit.old.as_bytes()) {
            return Err(failed.context(format!("failed to restore {} after: {error:#}", edit.path)));
        }
    }
    Err(error.context("nothing was changed: every manifest was restored"))
}

/// Lets cargo read each edited manifest; members of a workspace are read together.
fn accepted(root: &Utf8Path, edits: &[Edit], cargo: &Cargo) -> Result<()> {
    let mut seen: Vec<String> = Vec::new();
    for edit in edits {
        let path = root.join(&edit.path);
        if seen.contains(&path.to_string()) {
            continue;
        }
        let cargo = Cargo {
            manifest_path: Some(path.clone()),
            ..cargo.clone()
        };
        let members = cargo.members().and_then(|members| members.read());
        let metadata = members.with_context(|| {
            format!(
                "cargo does not accept {} with the plan's entries",
                edit.path
            )
        })?;
        seen.extend(
            metadata
                .packages
                .iter()
                .map(|package| package.manifest_path.to_string()),
        );
        seen.push(path.to_string());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::declared::{Block, declared};
    use super::*;

    /// Applies the entries of a block under `[dependencies]` to a manifest, and returns their states before.
    fn applied(manifest: &str, entries: &str) -> (String, Vec<&'static str>) {
        let toml = format!("[dependencies]\n{entries}");
        let block = Block {
            manifest: "Cargo.toml".into(),
            toml: &toml,
            line: 1,
            lead: "",
        };
        let declared = declared(&block).unwrap().entries;
        let (manifest, states) =
            align(&Manifest::parse(manifest).unwrap(), &declared, None).unwrap();
        (
            manifest.text().to_owned(),
            states.iter().map(State::label).collect(),
        )
    }

    /// Inline tables over several lines are TOML 1.1, which older versions of cargo reject.
    #[test]
    fn inline_tables_over_several_lines_keep_their_layout() {
        let manifest = "[dependencies]\nserde = {\n    version = \"1\", # wire\n}\nlog = {\n\tversion = \"0.4\"\n}\n";
        let entries = "serde = { version = \"1\", features = [\"rc\"] } # Add for x\nlog = { version = \"0.4\", features = [\"std\"] } # Add for x\n";
        let (text, states) = applied(manifest, entries);
        assert_eq!(
            text,
            "[dependencies]\nserde = {\n    version = \"1\", # wire\n    features = [\"rc\"],\n}\nlog = {\n\tversion = \"0.4\",\n\tfeatures = [\"std\"]\n}\n"
        );
        assert_eq!(states, ["incomplete", "incomplete"]);
    }

    #[test]
    fn entry_that_is_not_a_dependency_is_a_conflict() {
        let manifest = "[dependencies]\nmoka = 12\n";
        assert_eq!(
            applied(manifest, "moka = \"0.12\" # Add for x\n"),
            (manifest.to_owned(), vec!["conflict"])
        );
    }

    #[test]
    fn value_that_is_not_a_table_cannot_be_edited() {
        let manifest = Manifest::parse("dependencies = 1\n").unwrap();
        let error = manifest
            .insert(&["dependencies"], "moka", "\"1\"", Order::Last)
            .unwrap_err();
        assert!(error.to_string().contains("edit it manually"), "{error}");
    }

    #[test]
    fn fields_that_cargo_keeps_for_itself_are_added_or_compared() {
        let manifest =
            "[dependencies]\nserde = \"1\"\nlog = { version = \"0.4\", public = false }\n";
        let (text, states) = applied(
            manifest,
            "serde = { version = \"1\", public = true } # Add for x\nlog = { version = \"0.4\", public = true } # Add for x\n",
        );
        assert_eq!(
            text,
            "[dependencies]\nserde = { version = \"1\", public = true }\nlog = { version = \"0.4\", public = false }\n"
        );
        assert_eq!(states, ["incomplete", "conflict"]);
    }
}
