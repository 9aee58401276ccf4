//! Default features as cargo resolves them, and keys that cargo ignores.

use toml_edit::Item;

use super::declared::{Declared, Intent, Table, Wanted};
use super::specification::Specification;
use crate::workspace::manifest::Manifest;

/// Whether an entry has default features. For an inherited entry, `from` is the workspace's entry: a member can enable default
/// features but not disable them.
pub(super) fn has_defaults(entry: &Specification, from: Option<&Specification>) -> bool {
    let Some(from) = from.filter(|_| entry.workspace) else {
        return entry.default_features.unwrap_or(true);
    };
    entry.default_features == Some(true) || from.default_features.unwrap_or(true)
}

/// Whether an entry has a `default-features = false` that cargo ignores.
pub(super) fn is_ignored(entry: &Specification, from: Option<&Specification>) -> bool {
    entry.workspace && entry.default_features == Some(false) && has_defaults(entry, from)
}

/// Whether cargo rejects what it only ignored before edition 2024.
pub(super) fn is_refused(manifest: &Manifest, root: &Manifest) -> bool {
    let edition = match manifest.get(&["package", "edition"]) {
        Some(item) if item.is_str() => item.as_str(),
        Some(_) => root
            .get(&["workspace", "package", "edition"])
            .and_then(Item::as_str),
        None => None,
    };
    edition.is_some_and(|edition| edition >= "2024")
}

/// Warnings about settings that cargo ignores or overrides; empty for a described entry.
///
/// `has` is the manifest's entry after the edit, `from` the entry of `[workspace.dependencies]` with its name.
pub(super) fn warnings(
    declared: &Declared,
    has: &Specification,
    from: Option<&Specification>,
) -> Vec<String> {
    let Wanted::Dependency(wanted) = &declared.wanted else {
        return Vec::new();
    };
    if declared.intent == Intent::Describe || declared.table == Table::Workspace {
        return Vec::new();
    }
    let name = &declared.name;
    let manifest = &declared.manifest;
    let mut warnings = Vec::new();
    if wanted.workspace {
        let ignored: Vec<&str> = [
            "version", "package", "path", "git", "branch", "tag", "rev", "registry",
        ]
        .into_iter()
        .filter(|key| wanted.written(key).is_some())
        .collect();
        if !ignored.is_empty() {
            warnings.push(format!(
                "cargo ignores `{}` of `{name}` beside `workspace = true`; set it in `[workspace.dependencies]`",
                ignored.join("`, `")
            ));
        }
    }
    if is_ignored(wanted, from) {
        warnings.push(format!(
            "cargo ignores `default-features = false` of `{name}`, because `[workspace.dependencies]` has its default \
             features on; state it there"
        ));
    } else if !has_defaults(has, from) && wanted.default_features.is_none() {
        let place = if has.workspace {
            "`[workspace.dependencies]` disables them".to_owned()
        } else {
            format!("{manifest} disables them")
        };
        warnings.push(format!(
            "`{name}` comes without its default features, because {place}; if that is intended, write \
             `default-features = false` in the plan, else `default-features = true`"
        ));
    }
    warnings
}
