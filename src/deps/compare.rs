//! An entry of a plan against a manifest: is it there, what is missing, where do the two disagree.

use semver::VersionReq;
use toml_edit::{Item, TableLike};

use super::declared::{Declared, Intent, Table, Wanted};
use super::requirement::{Relation, relation};
use super::specification::{Specification, quoted_value, strings};
use crate::workspace::manifest::{Entry, Manifest, line_of};

/// How a manifest stands to an entry of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It has what the plan wants.
    Present,
    /// It lacks the entry, and the plan wants it added.
    Missing,
    /// It has the entry, and the plan wants more of it.
    Incomplete(Vec<Change>),
    /// The two exclude each other: a person decides.
    Conflict(Conflict),
    /// The plan only describes the entry; what the manifest has otherwise, when it does.
    Described(Option<String>),
    /// The plan's entry cannot be applied as written, and why.
    Invalid(String),
}

impl State {
    /// One word for machines: `present`, `missing`, `incomplete`, `conflict`, `described` or `invalid`.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Missing => "missing",
            Self::Incomplete(_) => "incomplete",
            Self::Conflict(_) => "conflict",
            Self::Described(_) => "described",
            Self::Invalid(_) => "invalid",
        }
    }
}

/// One change to an entry that a manifest has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Put this version requirement in place of the one that is there.
    Requirement(String),
    /// Append these: features of a dependency, or what a feature turns on.
    Features(Vec<String>),
    /// Add this field: key, and value as TOML text.
    Field(String, String),
}

/// Two sides that exclude each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What they disagree about.
    pub why: String,
    /// 1-based line of the manifest.
    pub manifest_line: usize,
    /// What the manifest has there.
    pub manifest: String,
}

/// Compares an entry with a manifest. `root` is the manifest with `[workspace.dependencies]`, where it is another one.
#[must_use]
pub fn state(manifest: &Manifest, declared: &Declared, root: Option<&Manifest>) -> State {
    if declared.intent != Intent::Describe
        && let Some(problem) = &declared.problem
    {
        return State::Invalid(problem.clone());
    }
    let table = table_path(manifest, &declared.table);
    let mut path: Vec<&str> = table.iter().map(String::as_str).collect();
    path.push(&declared.name);
    let entry = manifest.entry(&path);
    let compared = match &declared.wanted {
        Wanted::Feature(wanted) => Ok(compare_feature(entry.as_ref(), wanted)),
        Wanted::Dependency(wanted) => {
            let root = root.unwrap_or(manifest);
            match &entry {
                None => absent(manifest, &path, wanted, root),
                Some(entry) => compare_dependency(manifest, entry, &declared.name, wanted, root),
            }
        }
    };
    match (compared, declared.intent) {
        (Ok(None), Intent::Describe) => State::Described(Some("it is not there".to_owned())),
        (Ok(None), _) => State::Missing,
        (Ok(Some(changes)), _) if changes.is_empty() => State::Present,
        (Ok(Some(changes)), Intent::Apply) => State::Incomplete(changes),
        (Ok(Some(changes)), _) => State::Described(Some(
            changes.iter().map(lacks).collect::<Vec<_>>().join(", "),
        )),
        (Err(refusal), intent) => refused(manifest, refusal, intent),
    }
}

/// The keys of a table in this manifest: its older name, or another spelling of the same `cfg(…)`, if that is what it has.
pub(super) fn table_path(manifest: &Manifest, table: &Table) -> Vec<String> {
    let own = |path: &[&str]| path.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    let (kind, target) = match table {
        Table::Workspace => return own(&["workspace", "dependencies"]),
        Table::Features => return own(&["features"]),
        Table::Dependencies { kind, target } => (kind, target),
    };
    let mut path = Vec::new();
    if let Some(target) = target {
        let targets = manifest.get(&["target"]).and_then(Item::as_table_like);
        let mut spellings = targets
            .into_iter()
            .flat_map(|targets| targets.iter().map(|(name, _)| name));
        let same = spellings.find(|name| same_target(name, target));
        path = own(&["target", same.unwrap_or(target)]);
    }
    let names = kind.tables();
    let has = |name: &&&str| {
        manifest
            .get(
                &path
                    .iter()
                    .map(String::as_str)
                    .chain([**name])
                    .collect::<Vec<_>>(),
            )
            .is_some()
    };
    let name = names.iter().find(has).unwrap_or(&names[0]);
    path.push((*name).to_owned());
    path
}

/// `cfg(unix)` and `cfg( unix )` are one target.
fn same_target(one: &str, other: &str) -> bool {
    let tokens = |text: &str| {
        text.chars()
            .filter(|c| !c.is_whitespace())
            .collect::<String>()
    };
    tokens(one) == tokens(other)
}

/// Why an entry was refused, and the manifest's entry if one stands against it.
enum Refusal {
    Conflict {
        why: String,
        manifest_start: usize,
        manifest: String,
    },
    Invalid(String),
}

/// What has to change, `None` when the entry is to be added whole.
type Compared = Result<Option<Vec<Change>>, Refusal>;

fn refused(manifest: &Manifest, refusal: Refusal, intent: Intent) -> State {
    match (refusal, intent) {
        (Refusal::Invalid(why), Intent::Apply | Intent::AddIfAbsent) => State::Invalid(why),
        (
            Refusal::Conflict {
                why,
                manifest_start,
                manifest: text,
            },
            Intent::Apply,
        ) => State::Conflict(Conflict {
            why,
            manifest_line: line_of(manifest.text(), manifest_start),
            manifest: text,
        }),
        (Refusal::Conflict { why, .. } | Refusal::Invalid(why), _) => State::Described(Some(why)),
    }
}

fn conflict(manifest: &Manifest, entry: &Entry<'_>, why: String) -> Refusal {
    Refusal::Conflict {
        why,
        manifest_start: entry.span.start,
        manifest: manifest.text()[entry.span.clone()].to_owned(),
    }
}

fn compare_feature(entry: Option<&Entry<'_>>, wanted: &[String]) -> Option<Vec<Change>> {
    let has = strings(entry?.item).unwrap_or_default();
    Some(features_lacking(&has, &[], wanted).into_iter().collect())
}

/// An entry that is not there: nothing may stand in for it under another name.
fn absent(manifest: &Manifest, path: &[&str], wanted: &Specification, root: &Manifest) -> Compared {
    let Some((name, table)) = path.split_last() else {
        return Ok(None);
    };
    let entries = manifest.get(table).and_then(Item::as_table_like);
    if let Some((other, entry)) =
        entries.and_then(|entries| same_package(manifest, table, entries, name, wanted))
    {
        return Err(conflict(
            manifest,
            &entry,
            format!("the manifest has the package as `{other}`"),
        ));
    }
    if wanted.workspace && inherited(root, name).is_none() {
        return Err(Refusal::Invalid(format!(
            "`{name}` inherits from the workspace, but `[workspace.dependencies]` has no `{name}`; \
             declare it there, in a block for the workspace's manifest, or give it a version"
        )));
    }
    Ok(None)
}

/// Another entry of the table for the same package: cargo refuses two with compatible versions.
fn same_package<'a>(
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

fn inherited(root: &Manifest, name: &str) -> Option<Specification> {
    let item = root.get(&["workspace", "dependencies", name])?;
    Specification::read(item, root.text()).ok()
}

fn versions(has: &Specification, wanted: &Specification) -> Option<Relation> {
    let requirement = |text: &Option<String>| VersionReq::parse(text.as_deref()?).ok();
    Some(relation(
        &requirement(&has.version)?,
        &requirement(&wanted.version)?,
    ))
}

fn compare_dependency(
    manifest: &Manifest,
    entry: &Entry<'_>,
    name: &str,
    wanted: &Specification,
    root: &Manifest,
) -> Compared {
    let refuse = |why: String| conflict(manifest, entry, why);
    let has = Specification::read(entry.item, manifest.text()).map_err(refuse)?;
    let workspace = if has.workspace {
        let from = inherited(root, name);
        Some(from.ok_or_else(|| {
            refuse(format!(
                "the manifest inherits `{name}`, but `[workspace.dependencies]` has none"
            ))
        })?)
    } else {
        None
    };
    let mut changes = Vec::new();
    match (&workspace, wanted.workspace) {
        (None, true) => {
            return Err(refuse(
                "the plan inherits it from the workspace, the manifest has its own requirement"
                    .to_owned(),
            ));
        }
        (Some(_), true) => {}
        (Some(workspace), false) => {
            changes.extend(source_changes(workspace, wanted).map_err(&refuse)?);
            if let Some(change) = changes.first() {
                return Err(refuse(format!(
                    "the manifest inherits it from `[workspace.dependencies]`, and {} there; put the change there",
                    lacks(change)
                )));
            }
        }
        (None, false) => changes.extend(source_changes(&has, wanted).map_err(&refuse)?),
    }
    let effective = workspace.as_ref().unwrap_or(&has);
    flags_agree(&has, effective, wanted).map_err(&refuse)?;
    changes.extend(features_lacking(
        &has.features,
        &effective.features,
        &wanted.features,
    ));
    Ok(Some(changes))
}

/// Package, source and version: what the manifest lacks of them, or why the two exclude each other.
fn source_changes(has: &Specification, wanted: &Specification) -> Result<Vec<Change>, String> {
    let name = |specification: &Specification| {
        specification
            .package
            .clone()
            .unwrap_or_else(|| "the package of its own name".to_owned())
    };
    if has.package != wanted.package {
        return Err(format!(
            "the manifest means {}, the plan {}",
            name(has),
            name(wanted)
        ));
    }
    let mut changes = Vec::new();
    for (key, value) in &wanted.others {
        match has.other(key) {
            Some(other) if other == value => {}
            Some(other) => {
                return Err(format!(
                    "`{key}` is `{other}` in the manifest and `{value}` in the plan"
                ));
            }
            None if !matches!(key.as_str(), "public" | "artifact" | "lib") => {
                return Err(format!(
                    "the plan has `{key} = {}`, the manifest takes the package from elsewhere",
                    quoted_value(value)
                ));
            }
            None => changes.push(Change::Field(
                key.clone(),
                wanted.written(key).unwrap_or_default().to_owned(),
            )),
        }
    }
    let Some(version) = &wanted.version else {
        return Ok(changes);
    };
    match (&has.version, versions(has, wanted)) {
        (None, _) if has.has_own_source() && !wanted.has_own_source() => {
            return Err("the manifest takes the package from a folder or repository, the plan from a registry".to_owned());
        }
        (None, _) => changes.push(Change::Field("version".to_owned(), quoted_value(version))),
        (Some(_), Some(Relation::Satisfied)) => {}
        (Some(_), Some(Relation::Narrower)) => changes.push(Change::Requirement(version.clone())),
        (Some(has), _) => {
            return Err(format!(
                "requirement `{has}` in the manifest and `{version}` in the plan: neither is inside the other"
            ));
        }
    }
    Ok(changes)
}

/// Flags the plan states must be as the manifest has them: turning one breaks code that relies on it.
fn flags_agree(
    has: &Specification,
    effective: &Specification,
    wanted: &Specification,
) -> Result<(), String> {
    let default_features = has
        .default_features
        .or(effective.default_features)
        .unwrap_or(true);
    for (key, has, wanted) in [
        (
            "default-features",
            default_features,
            wanted.default_features,
        ),
        ("optional", has.optional.unwrap_or(false), wanted.optional),
    ] {
        if let Some(wanted) = wanted
            && wanted != has
        {
            return Err(format!(
                "`{key}` is {has} in the manifest and {wanted} in the plan"
            ));
        }
    }
    Ok(())
}

fn features_lacking(has: &[String], inherited: &[String], wanted: &[String]) -> Option<Change> {
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

/// A change, told as what the manifest lacks.
fn lacks(change: &Change) -> String {
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
