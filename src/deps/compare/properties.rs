//! Compares single properties of two dependency entries: package, version, default features, features.

use semver::VersionReq;
use toml_edit::TableLike;

use crate::deps::defaults;
use crate::deps::requirement::{Relation, relation};
use crate::deps::specification::{Specification, quoted_value};
use crate::workspace::manifest::{Entry, Manifest};

pub(super) fn version_change(
    has: &Specification,
    wanted: &Specification,
) -> Result<Option<Change>, String> {
    let Some(version) = &wanted.version else {
        return Ok(None);
    };
    match (&has.version, versions(has, wanted)) {
        (None, _) if has.has_own_source() && !wanted.has_own_source() => {
            Err("the manifest uses a folder or repository, but the plan a registry".to_owned())
        }
        (None, _) => Ok(Some(Change::Field(
            "version".to_owned(),
            quoted_value(version),
        ))),
        (Some(_), Some(Relation::Satisfied)) => Ok(None),
        (Some(_), Some(Relation::Narrower)) => Ok(Some(Change::Requirement(version.clone()))),
        (Some(has), _) => Err(format!(
            "requirement `{has}` in the manifest and `{version}` in the plan: neither includes the other"
        )),
    }
}

/// Another entry of the table for the same package: cargo rejects two with compatible versions.
pub(super) fn same_package<'a>(
    manifest: &'a Manifest,
    table: &[&str],
    entries: &'a dyn TableLike,
    name: &str,
    wanted: &Specification,
) -> Option<(&'a str, Entry<'a>)> {
    let folded = |name: &str| name.replace('-', "_");
    entries.iter().find_map(|(other, item)| {
        let entry = || manifest.entry(&[table, &[other]].concat());
        let has = Specification::read(item, manifest.text()).ok()?;
        if folded(other) == folded(name) {
            return Some((other, entry()?));
        }
        let same = !has.workspace
            && !wanted.workspace
            && has.package_name(other) == wanted.package_name(name);
        let apart = matches!(versions(&has, wanted), Some(Relation::Conflicting))
            || has.has_own_source() != wanted.has_own_source();
        (same && !apart).then(|| Some((other, entry()?)))?
    })
}

fn versions(has: &Specification, wanted: &Specification) -> Option<Relation> {
    let requirement = |text: &Option<String>| VersionReq::parse(text.as_deref()?).ok();
    Some(relation(
        &requirement(&has.version)?,
        &requirement(&wanted.version)?,
    ))
}

/// Flags in the plan must equal those in the manifest, because changing one breaks code that relies on it. Flags that cargo ignores
/// do not matter.
pub(super) fn flags_agree(
    has: &Specification,
    from: Option<&Specification>,
    wanted: &Specification,
) -> Result<(), String> {
    let is = |key: &str, has: bool, wanted: Option<bool>| match wanted {
        Some(wanted) if wanted != has => Err(format!(
            "`{key}` is {has} in the manifest, but {wanted} in the plan"
        )),
        _ => Ok(()),
    };
    if !defaults::is_ignored(wanted, from) {
        let has = defaults::has_defaults(has, from);
        is("default-features", has, wanted.default_features)?;
    }
    is("optional", has.optional.unwrap_or(false), wanted.optional)
}

pub(super) fn features_lacking(
    has: &[String],
    inherited: &[String],
    wanted: &[String],
) -> Option<Change> {
    let mut lacking: Vec<String> = Vec::new();
    for feature in wanted {
        if ![has, inherited, &lacking]
            .iter()
            .any(|features| features.contains(feature))
        {
            lacking.push(feature.clone());
        }
    }
    (!lacking.is_empty()).then_some(Change::Features(lacking))
}

/// Describes a change as what the manifest lacks.
pub(super) fn lacks(change: &Change) -> String {
    match change {
        Change::Requirement(version) => format!("it has a lower requirement than `{version}`"),
        Change::Features(features) => format!(
            "it lacks {}",
            features
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        Change::Field(key, value) => format!("it lacks `{key} = {value}`"),
    }
}

/// A change of an existing entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Replace the version requirement.
    Requirement(String),
    /// Append features of a dependency, or values of a feature.
    Features(Vec<String>),
    /// Add this field: key, and value as TOML text.
    Field(String, String),
}
