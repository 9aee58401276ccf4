//! Compares an entry of a plan with a manifest.

mod properties;

use camino::Utf8Path;
use toml_edit::Item;

use super::declared::{Declared, Intent, Table, Wanted};
use super::defaults;
use super::source;
use super::specification::{Specification, quoted_value, strings};
use crate::workspace::manifest::{Entry, Manifest, line_of};
pub use properties::Change;
use properties::{features_lacking, flags_agree, lacks, same_package, version_change};

/// The state of an entry of a plan in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Present as planned.
    Present,
    /// Missing, and to be added.
    Missing,
    /// Present without a planned part.
    Incomplete(Vec<Change>),
    /// Contradicts the plan: a person decides.
    Conflict(Conflict),
    /// The plan only describes the entry; the difference from the manifest, if any.
    Described(Option<String>),
    /// The plan's entry cannot be applied, with the reason.
    Invalid(String),
}

impl State {
    /// The name in machine formats: `present`, `missing`, `incomplete`, `conflict`, `described` or `invalid`.
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

/// A contradiction between plan and manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The contradiction.
    pub why: String,
    /// 1-based line of the manifest.
    pub manifest_line: usize,
    /// The text of the manifest.
    pub manifest: String,
}

/// The workspace's manifest, which a member inherits from.
#[derive(Debug)]
pub struct Inherited<'a> {
    /// Its folder, relative to the workspace root.
    pub folder: &'a Utf8Path,
    /// Its content.
    pub manifest: &'a Manifest,
}

/// Compares an entry with a manifest. `inherited` is the workspace's manifest, if it is another one.
#[must_use]
pub fn state(manifest: &Manifest, declared: &Declared, inherited: Option<&Inherited<'_>>) -> State {
    if declared.intent != Intent::Describe
        && let Some(problem) = &declared.problem
    {
        return State::Invalid(problem.clone());
    }
    let table = table_path(manifest, &declared.table);
    let mut path: Vec<&str> = table.iter().map(String::as_str).collect();
    path.push(&declared.name);
    let entry = manifest.entry(&path);
    let cx = Comparison::new(manifest, declared, inherited);
    let compared = match &declared.wanted {
        _ if let Some(why) = cx.misplaced(declared) => Err(Refusal::Invalid(why)),
        Wanted::Feature(wanted) => Ok(compare_feature(entry.as_ref(), wanted)),
        Wanted::Dependency(wanted) => match &entry {
            None => cx.absent(&path, wanted),
            Some(entry) => cx.present(entry, wanted),
        },
    };
    match (compared, declared.intent) {
        (Ok(None), Intent::Describe) => State::Described(Some("it is missing".to_owned())),
        (Ok(None), _) => State::Missing,
        (Ok(Some(changes)), _) if changes.is_empty() => State::Present,
        (Ok(Some(changes)), Intent::Apply) => State::Incomplete(changes),
        (Ok(Some(changes)), _) => State::Described(Some(
            changes.iter().map(lacks).collect::<Vec<_>>().join(", "),
        )),
        (Err(refusal), intent) => refused(manifest, refusal, intent),
    }
}

/// Warnings about settings of an entry that cargo ignores or overrides.
pub(super) fn warnings(
    manifest: &Manifest,
    declared: &Declared,
    inherited: Option<&Inherited<'_>>,
) -> Vec<String> {
    let cx = Comparison::new(manifest, declared, inherited);
    let table = table_path(manifest, &declared.table);
    let mut path: Vec<&str> = table.iter().map(String::as_str).collect();
    path.push(&declared.name);
    let item = manifest.get(&path);
    let Some(Ok(has)) = item.map(|item| Specification::read(item, manifest.text())) else {
        return Vec::new();
    };
    defaults::warnings(declared, &has, cx.inherited(&declared.name).as_ref())
}

/// The keys of a table in this manifest, including its older name, or another spelling of the same `cfg(…)`.
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

/// `cfg(unix)` and `cfg( unix )` are the same target.
fn same_target(one: &str, other: &str) -> bool {
    let tokens = |text: &str| {
        text.chars()
            .filter(|c| !c.is_whitespace())
            .collect::<String>()
    };
    tokens(one) == tokens(other)
}

/// Why an entry was refused, with the conflicting entry of the manifest, if any.
enum Refusal {
    Conflict {
        why: String,
        manifest_start: usize,
        manifest: String,
    },
    Invalid(String),
}

/// The required changes; `None` if the whole entry is to be added.
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

/// The manifests for a comparison.
struct Comparison<'a> {
    manifest: &'a Manifest,
    /// The entry's key.
    name: &'a str,
    /// The folder of `manifest`.
    folder: &'a Utf8Path,
    /// The manifest with `[workspace.dependencies]`, and its folder.
    root: &'a Manifest,
    root_folder: &'a Utf8Path,
    is_member: bool,
}

impl<'a> Comparison<'a> {
    fn new(
        manifest: &'a Manifest,
        declared: &'a Declared,
        inherited: Option<&Inherited<'a>>,
    ) -> Self {
        let folder = declared.manifest.parent().unwrap_or(Utf8Path::new(""));
        Self {
            manifest,
            name: &declared.name,
            folder,
            root: inherited.map_or(manifest, |from| from.manifest),
            root_folder: inherited.map_or(folder, |from| from.folder),
            is_member: inherited.is_some(),
        }
    }

    /// Why cargo would reject the table in this manifest.
    fn misplaced(&self, declared: &Declared) -> Option<String> {
        let path = &declared.manifest;
        let points_elsewhere = self.manifest.get(&["package", "workspace"]).is_some();
        match declared.table {
            Table::Workspace if self.is_member || points_elsewhere => Some(format!(
                "{path} is a member of a workspace, and `[workspace.dependencies]` belongs in the workspace's own \
                 manifest; put the entry in a block for that manifest, and inherit it here with `{}.workspace = true`",
                self.name
            )),
            Table::Dependencies { .. } | Table::Features
                if self.manifest.get(&["workspace"]).is_some()
                    && self.manifest.get(&["package"]).is_none() =>
            {
                Some(format!(
                    "{path} declares a workspace and no package, so it cannot have {}; put the entry in a block for \
                     a member, or declare it in `[workspace.dependencies]`",
                    declared.table
                ))
            }
            _ => None,
        }
    }

    fn inherited(&self, name: &str) -> Option<Specification> {
        let item = self.root.get(&["workspace", "dependencies", name])?;
        Specification::read(item, self.root.text()).ok()
    }

    /// A missing entry. The package must not exist under another name.
    fn absent(&self, path: &[&str], wanted: &Specification) -> Compared {
        let Some((name, table)) = path.split_last() else {
            return Ok(None);
        };
        let entries = self.manifest.get(table).and_then(Item::as_table_like);
        if let Some((other, entry)) =
            entries.and_then(|entries| same_package(self.manifest, table, entries, name, wanted))
        {
            return Err(conflict(
                self.manifest,
                &entry,
                format!("the manifest has the package as `{other}`"),
            ));
        }
        let from = self.inherited(name);
        if wanted.workspace && from.is_none() {
            return Err(Refusal::Invalid(format!(
                "`{name}` inherits from the workspace, but `[workspace.dependencies]` has no `{name}`; \
                 declare it there, in a block for the workspace's manifest, or give it a version"
            )));
        }
        self.accepts_defaults(wanted, from.as_ref())
            .map_err(Refusal::Invalid)?;
        Ok(None)
    }

    /// Since edition 2024, cargo rejects what it ignored before.
    fn accepts_defaults(
        &self,
        wanted: &Specification,
        from: Option<&Specification>,
    ) -> Result<(), String> {
        if defaults::is_ignored(wanted, from) && defaults::is_refused(self.manifest, self.root) {
            return Err(format!(
                "cargo refuses `default-features = false` of `{}` in edition 2024, because `[workspace.dependencies]` \
                 has its default features on; state it there",
                self.name
            ));
        }
        Ok(())
    }

    fn present(&self, entry: &Entry<'_>, wanted: &Specification) -> Compared {
        let refuse = |why: String| conflict(self.manifest, entry, why);
        let has = Specification::read(entry.item, self.manifest.text()).map_err(refuse)?;
        let from = if has.workspace {
            let name = self.name;
            let from = self.inherited(name);
            Some(from.ok_or_else(|| {
                refuse(format!(
                    "the manifest inherits `{name}`, but `[workspace.dependencies]` does not contain it"
                ))
            })?)
        } else {
            None
        };
        let mut changes = Vec::new();
        match (&from, wanted.workspace) {
            (None, true) => {
                return Err(refuse(
                    "the plan inherits it from the workspace, but the manifest has a separate requirement"
                        .to_owned(),
                ));
            }
            (Some(_), true) => {}
            (Some(from), false) => {
                let lacking = self
                    .source_changes(from, self.root_folder, wanted)
                    .map_err(&refuse)?;
                if let Some(change) = lacking.first() {
                    return Err(refuse(format!(
                        "the manifest inherits it from `[workspace.dependencies]`, but {} there; make the change there",
                        lacks(change)
                    )));
                }
            }
            (None, false) => {
                changes.extend(
                    self.source_changes(&has, self.folder, wanted)
                        .map_err(&refuse)?,
                );
            }
        }
        self.accepts_defaults(wanted, from.as_ref())
            .map_err(Refusal::Invalid)?;
        flags_agree(&has, from.as_ref(), wanted).map_err(&refuse)?;
        changes.extend(features_lacking(
            &has.features,
            from.as_ref().map_or(&has.features, |from| &from.features),
            &wanted.features,
        ));
        Ok(Some(changes))
    }

    /// Compares package, source and version of `has`, of a manifest in `folder`: missing parts, or the reason of a contradiction.
    fn source_changes(
        &self,
        has: &Specification,
        folder: &Utf8Path,
        wanted: &Specification,
    ) -> Result<Vec<Change>, String> {
        let package = |specification: &Specification| {
            let package = specification.package.clone();
            package.unwrap_or_else(|| "the package of the same name".to_owned())
        };
        if has.package_name(self.name) != wanted.package_name(self.name) {
            return Err(format!(
                "the manifest refers to {}, the plan to {}",
                package(has),
                package(wanted)
            ));
        }
        let mut changes = Vec::new();
        let stated = wanted.others.iter();
        for (key, value) in stated.filter(|(key, value)| !source::is_default(key, value)) {
            let other = has
                .other(key)
                .filter(|other| !source::is_default(key, other));
            match other {
                Some(other) if source::is_same(key, (folder, other), (self.folder, value)) => {}
                Some(other) => {
                    return Err(format!(
                        "`{key}` is `{other}` in the manifest, but `{value}` in the plan"
                    ));
                }
                None if !matches!(key.as_str(), "public" | "artifact" | "lib") => {
                    return Err(format!(
                        "the plan has `{key} = {}`, but the manifest uses another source",
                        quoted_value(value)
                    ));
                }
                None => changes.push(Change::Field(
                    key.clone(),
                    wanted.written(key).unwrap_or_default().to_owned(),
                )),
            }
        }
        if let Some(registry) = has.other("registry")
            && !source::is_default("registry", registry)
            && wanted
                .other("registry")
                .is_some_and(|it| source::is_default("registry", it))
        {
            return Err(format!(
                "`registry` is `{registry}` in the manifest, but `crates-io` in the plan"
            ));
        }
        changes.extend(version_change(has, wanted)?);
        Ok(changes)
    }
}
