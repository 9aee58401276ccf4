//! The Dependencies section: current and new entries of each manifest.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use semver::Version;
use serde::Serialize;
use toml_edit::{DocumentMut, InlineTable, Item, Value};

use super::request::Request;
use crate::cli::Size;
use crate::cli::dependencies::Dependency;
use crate::exit::{self, Exit, OrExit as _};
use crate::project::Project;
use crate::sys::files;
use crate::workspace::graph::{folder_of, relative_text};

/// The TOML block of one manifest.
#[derive(Debug, Serialize)]
pub struct Block {
    /// The path of the manifest relative to the workspace root.
    pub manifest: String,
    /// The block's content.
    pub toml: String,
    /// The names of new entries, in the given order.
    pub new_names: Vec<String>,
}

impl Block {
    /// Whether it has new entries.
    #[must_use]
    pub fn is_new(&self) -> bool {
        !self.new_names.is_empty()
    }
}

/// The maximum number of existing entries to show per table.
const CONTEXT: usize = 12;

/// The block of the manifest that gets the dependencies; empty without dependencies.
///
/// # Errors
/// A usage error for an invalid specification; a manifest that cannot be read.
pub fn blocks(project: &Project, request: &Request) -> Result<Vec<Block>> {
    if request.dependencies.is_empty() {
        return Ok(Vec::new());
    }
    let workspace = &project.workspace;
    let manifest = read_manifest(&workspace.packages[request.dependent].manifest_path)?;
    let inherited = read_manifest(&workspace.root.join("Cargo.toml"))?;
    let locked = locked_versions(&workspace.root.join("Cargo.lock"))?;
    let mut tables: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut new_names = Vec::new();
    for dependency in &request.dependencies {
        let wanted = Wanted::parse(dependency)?;
        let declared = inherited
            .get("workspace")
            .and_then(|table| table.get("dependencies")?.get(&wanted.name));
        let places = Places {
            present: manifest
                .get(wanted.table)
                .and_then(|table| requirement_of(table.get(&wanted.name)?)),
            inherited: declared.is_some(),
            locked: &locked,
        };
        let value = value(project, request, &wanted, &places)?;
        tables.entry(wanted.table).or_default().push(format!(
            "{} = {value} # Add for {}",
            wanted.name, request.paths.name
        ));
        new_names.push(wanted.name);
    }
    let toml: Vec<String> = tables
        .into_iter()
        .map(|(table, new)| {
            let mut lines = vec![format!("[{table}]")];
            if request.size == Size::Full {
                lines.extend(context(&manifest, table, &new_names));
            }
            lines.extend(new);
            lines.join("\n")
        })
        .collect();
    Ok(vec![Block {
        manifest: workspace.slashed(&workspace.packages[request.dependent].manifest_path),
        toml: toml.join("\n\n"),
        new_names,
    }])
}

/// Checks that `spec` has the form `name@req[feature,feature]`.
///
/// # Errors
/// The problem and the correct form.
#[cfg(feature = "interview")]
pub fn check_spec(spec: &str) -> Result<()> {
    let dependency = Dependency {
        spec: spec.to_owned(),
        ..Dependency::default()
    };
    Wanted::parse(&dependency).map(|_| ())
}

/// A parsed `name@req[feature,feature]`.
struct Wanted<'a> {
    name: String,
    requirement: Option<String>,
    features: Vec<String>,
    source: &'a [(&'static str, String)],
    table: &'static str,
}

impl<'a> Wanted<'a> {
    fn parse(dependency: &'a Dependency) -> Result<Self> {
        let spec = dependency.spec.trim();
        let wrong = |what: &str| {
            exit::usage(format!(
                "`--dep {spec}` {what}; write name, name@req or name@req[feature,feature], e.g. serde@1.0[derive]"
            ))
        };
        let (rest, features) = match spec.split_once('[') {
            Some((rest, features)) => {
                let inside = features
                    .strip_suffix(']')
                    .ok_or_else(|| wrong("has no closing `]`"))?;
                (
                    rest,
                    inside
                        .split(',')
                        .map(|feature| feature.trim().to_owned())
                        .filter(|feature| !feature.is_empty())
                        .collect(),
                )
            }
            None => (spec, Vec::new()),
        };
        let (name, requirement) = match rest.split_once('@') {
            Some((name, requirement)) => (name, Some(requirement.to_owned())),
            None => (rest, None),
        };
        let sound = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
        if name.is_empty() || !name.chars().all(sound) {
            return Err(wrong("has no package name"));
        }
        if let Some(requirement) = &requirement {
            semver::VersionReq::parse(requirement)
                .map_err(|error| wrong(&format!("has an invalid version requirement ({error})")))?;
        }
        let table = match (dependency.dev, dependency.build) {
            (true, _) => "dev-dependencies",
            (_, true) => "build-dependencies",
            _ => "dependencies",
        };
        Ok(Self {
            name: name.to_owned(),
            requirement,
            features,
            source: &dependency.source,
            table,
        })
    }
}

/// Sources of a missing version.
struct Places<'a> {
    /// The current requirement in the manifest.
    present: Option<String>,
    /// Whether `[workspace.dependencies]` contains it.
    inherited: bool,
    /// The lockfile.
    locked: &'a BTreeMap<String, Version>,
}

/// The value of an entry, from the first of these sources: the argument; the manifest; the workspace's entry, or the member of that
/// name; the version in `Cargo.lock`; the newest version that cargo reports for the package's `rust-version`; a placeholder.
fn value(
    project: &Project,
    request: &Request,
    wanted: &Wanted<'_>,
    places: &Places<'_>,
) -> Result<String> {
    let workspace = &project.workspace;
    let folder = workspace.folder(request.dependent);
    let member = workspace
        .packages
        .iter()
        .find(|member| member.name.as_str() == wanted.name);
    let mut table = InlineTable::new();
    let given = wanted.requirement.as_ref().or(places.present.as_ref());
    if !wanted.source.is_empty() {
        for (key, value) in wanted.source {
            let value = match *key {
                "path" => relative_text(folder, &files::normalize(&project.folder.join(value))),
                _ => value.clone(),
            };
            table.insert(*key, value.into());
        }
        if let Some(requirement) = given {
            table.insert("version", requirement.as_str().into());
        }
    } else if let Some(requirement) = given {
        table.insert("version", requirement.as_str().into());
    } else if places.inherited {
        table.insert("workspace", true.into());
    } else if let Some(member) = member {
        table.insert("path", relative_text(folder, folder_of(member)).into());
    } else {
        let version = match places.locked.get(&wanted.name) {
            Some(locked) => format!("{}.{}.{}", locked.major, locked.minor, locked.patch),
            None => project.cargo.newest(&wanted.name, folder)?.map_or_else(
                || "[fill in: version]".to_owned(),
                |version| without_metadata(&version),
            ),
        };
        table.insert("version", version.into());
    }
    if !wanted.features.is_empty() {
        table.insert(
            "features",
            wanted
                .features
                .iter()
                .map(String::as_str)
                .collect::<Value>(),
        );
    }
    let only_version = table.len() == 1 && table.contains_key("version");
    let value = if only_version {
        table.remove("version").unwrap_or_else(|| "*".into())
    } else {
        table.into()
    };
    Ok(value.to_string().trim().to_owned())
}

/// The version requirement of a manifest's entry.
fn requirement_of(entry: &Item) -> Option<String> {
    let version = entry
        .as_str()
        .or_else(|| entry.as_table_like()?.get("version")?.as_str());
    version.map(str::to_owned)
}

/// Removes build metadata, which requirements ignore and cargo warns about.
fn without_metadata(version: &str) -> String {
    version.split('+').next().unwrap_or(version).to_owned()
}

/// The current entries of the table, marked as existing so that they are not added again.
fn context(manifest: &DocumentMut, table: &str, new: &[String]) -> Vec<String> {
    let entries = manifest.get(table).and_then(Item::as_table_like);
    let mut lines: Vec<String> = entries
        .into_iter()
        .flat_map(|entries| entries.iter())
        .filter(|(name, _)| !new.iter().any(|new| new == name))
        .filter_map(|(name, item)| {
            let mut value = item.clone().into_value().ok()?;
            value.decor_mut().clear();
            let text = one_line(&value.to_string());
            Some(format!("{name} = {text} # existing"))
        })
        .collect();
    if lines.len() > CONTEXT {
        let more = lines.len() - CONTEXT;
        lines.truncate(CONTEXT);
        lines.push(format!("# and {more} more existing entries"));
    }
    lines
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn read_manifest(path: &Utf8Path) -> Result<DocumentMut> {
    let bytes = files::read(path).or_exit(Exit::Usage)?;
    let text = String::from_utf8(bytes)
        .with_context(|| format!("{path} is not UTF-8"))
        .or_exit(Exit::Usage)?;
    let text = text.trim_start_matches('\u{feff}');
    text.parse()
        .with_context(|| format!("failed to parse {path}"))
        .or_exit(Exit::Usage)
}

/// The newest locked version of every package; empty without a lockfile.
///
/// # Errors
/// When the lockfile cannot be read.
pub fn locked_versions(path: &Utf8Path) -> Result<BTreeMap<String, Version>> {
    let mut versions: BTreeMap<String, Version> = BTreeMap::new();
    let Some(bytes) = files::read_if_exists(path)? else {
        return Ok(versions);
    };
    let text = String::from_utf8_lossy(&bytes);
    let lock: DocumentMut = text
        .parse()
        .with_context(|| format!("failed to parse {path}"))
        .or_exit(Exit::Usage)?;
    let packages = lock.get("package").and_then(Item::as_array_of_tables);
    for package in packages.into_iter().flatten() {
        let field = |key: &str| package.get(key).and_then(Item::as_str);
        if let (Some(name), Some(Ok(version))) =
            (field("name"), field("version").map(Version::parse))
        {
            let newest = versions
                .entry(name.to_owned())
                .or_insert_with(|| version.clone());
            if version > *newest {
                *newest = version;
            }
        }
    }
    Ok(versions)
}
