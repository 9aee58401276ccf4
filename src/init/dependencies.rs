//! The Dependencies section: for each manifest, what stands there now and what the work adds.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use semver::Version;
use serde::Serialize;
use toml_edit::{DocumentMut, InlineTable, Item, Value};

use super::Prerequisite;
use super::request::Request;
use crate::affected::arguments::spec;
use crate::cli::dependencies::Dependency;
use crate::exit::{self, Exit, OrExit as _};
use crate::project::Project;
use crate::sys::files;

/// The toml block of one manifest.
#[derive(Debug, Serialize)]
pub struct Block {
    /// The manifest below the workspace root.
    pub manifest: String,
    /// The block's content.
    pub toml: String,
    /// The names it adds, in the order asked for.
    pub new_names: Vec<String>,
}

impl Block {
    /// Whether it adds anything.
    #[must_use]
    pub fn is_new(&self) -> bool {
        !self.new_names.is_empty()
    }
}

/// Existing entries shown beside new ones, per table; a longer list says how many it leaves out.
const CONTEXT: usize = 12;

/// One block for the manifest that gets the dependencies; none when there are none to add.
///
/// # Errors
/// Bad usage: a specification that cannot be read. A manifest that cannot be read.
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
        let value = value(project, request, &wanted, declared.is_some(), &locked)?;
        let reason = request
            .proves
            .as_deref()
            .map_or_else(|| request.paths.name.clone(), one_line);
        tables
            .entry(wanted.table)
            .or_default()
            .push(format!("{} = {value} # Add for {reason}", wanted.name));
        new_names.push(wanted.name);
    }
    let toml: Vec<String> = tables
        .into_iter()
        .map(|(table, new)| {
            let mut lines = vec![format!("[{table}]")];
            lines.extend(context(&manifest, table, &new_names));
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

/// One prerequisite per new dependency: it is in the manifest and it builds.
#[must_use]
pub fn prerequisites(project: &Project, request: &Request, blocks: &[Block]) -> Vec<Prerequisite> {
    let name = &request.paths.name;
    let package = spec(&project.workspace, request.dependent);
    let new = blocks.iter().filter(|block| block.is_new());
    new.enumerate()
        .map(|(index, block)| Prerequisite {
            number: index + 2,
            title: format!("Dependencies in {}", block.manifest),
            why: format!("The steps use {}.", block.new_names.join(", ")),
            commands: vec![format!("cargo poc deps {name}")],
            verification: vec![
                format!("cargo poc deps {name} --check"),
                format!("cargo check -p {package}"),
            ],
        })
        .collect()
}

/// `name@req[feature,feature]`, taken apart.
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
            return Err(wrong("names no package"));
        }
        if let Some(requirement) = &requirement {
            semver::VersionReq::parse(requirement)
                .map_err(|error| wrong(&format!("has no version requirement ({error})")))?;
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

/// The entry's value: what was asked for; else the workspace's own; else the version in `Cargo.lock`; else the newest
/// that cargo reports for the package's `rust-version`; else a placeholder.
fn value(
    project: &Project,
    request: &Request,
    wanted: &Wanted<'_>,
    inherited: bool,
    locked: &BTreeMap<String, Version>,
) -> Result<String> {
    let mut table = InlineTable::new();
    if !wanted.source.is_empty() {
        for (key, value) in wanted.source {
            table.insert(*key, value.as_str().into());
        }
        if let Some(requirement) = &wanted.requirement {
            table.insert("version", requirement.as_str().into());
        }
    } else if inherited && wanted.requirement.is_none() {
        table.insert("workspace", true.into());
    } else {
        let version = match (&wanted.requirement, locked.get(&wanted.name)) {
            (Some(requirement), _) => requirement.clone(),
            (None, Some(locked)) => format!("{}.{}.{}", locked.major, locked.minor, locked.patch),
            (None, None) => {
                let folder = project.workspace.folder(request.dependent);
                let newest = project.cargo.newest(&wanted.name, folder)?;
                newest.map_or_else(
                    || "[fill in: version]".to_owned(),
                    |version| without_metadata(&version),
                )
            }
        };
        table.insert("version", version.into());
    }
    if !wanted.features.is_empty() {
        table.insert(
            "features",
            Value::from_iter(wanted.features.iter().map(String::as_str)),
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

/// A requirement ignores build metadata, and cargo warns of it.
fn without_metadata(version: &str) -> String {
    version.split('+').next().unwrap_or(version).to_owned()
}

/// What the table holds now, each entry marked as existing so that nobody adds it again.
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
        lines.push(format!("# and {more} more that are there already"));
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

/// The newest locked version of every package; none where there is no lockfile.
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
