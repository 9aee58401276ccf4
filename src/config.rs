//! Settings: `[workspace.metadata.poc]` (or `[package.metadata.poc]` without a workspace table). Environment variables override
//! them, and flags override both; clap reads variables and flags.

pub mod configurations;
pub mod detect;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf};
use clap::ValueEnum;
use globset::{Glob, GlobSet, GlobSetBuilder};
use serde::Deserialize;

use crate::exit::{Exit, OrExit as _};
use crate::finding::level::{Level, Setting};
use crate::sys::cargo::Cargo;
use crate::sys::files;
use crate::workspace::manifest::{Manifest, line_of};
use crate::workspace::{Configuration, PackageId, Workspace};

use configurations::WrittenConfiguration;

/// The start of the file name of the results of another tool's task list. Backlog.md does not read files with this name.
pub const FOREIGN_RESULTS: &str = "poc-results-";

/// Command-line options that select the workspace and its build.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--manifest-path`.
    pub manifest_path: Option<Utf8PathBuf>,
    /// `--locked`, `--offline` and `--frozen`, as given.
    pub cargo_flags: Vec<String>,
    /// `--docs`.
    pub docs: Option<Utf8PathBuf>,
    /// `--config` as the name, and cargo's build options.
    pub build: Configuration,
    /// A configuration in place of those that the workspace has, and of the build options.
    pub configuration: Option<WrittenConfiguration>,
}

impl Options {
    /// The folder in which cargo runs: the current one, or that of `--manifest-path`.
    ///
    /// # Errors
    /// When the current folder no longer exists or its path is not UTF-8.
    pub fn folder(&self) -> Result<Utf8PathBuf> {
        let current = current_folder()?;
        let manifest = self.manifest_path.as_deref().and_then(Utf8Path::parent);
        Ok(manifest.map_or_else(|| current.clone(), |folder| current.join(folder)))
    }

    /// Converts the options for cargo.
    #[must_use]
    pub fn cargo(&self) -> Cargo {
        Cargo {
            manifest_path: self.manifest_path.clone(),
            flags: self.cargo_flags.clone(),
        }
    }
}

/// The current folder, absolute.
///
/// # Errors
/// When the current folder no longer exists or its path is not UTF-8.
pub fn current_folder() -> Result<Utf8PathBuf> {
    let current = std::env::current_dir().context("failed to find the current folder")?;
    Utf8PathBuf::try_from(current)
        .context("the current folder's path is not UTF-8")
        .or_exit(Exit::Usage)
}

/// The test runner in flags and settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunnerChoice {
    /// nextest if the workspace configures it and it is installed, else cargo test.
    #[default]
    Auto,
    /// cargo test.
    Cargo,
    /// cargo-nextest, and cargo test for doctests.
    Nextest,
}

/// The settings of this run.
#[derive(Debug)]
pub struct Config {
    /// The folder of plans and results, relative to the workspace root.
    pub docs: Utf8PathBuf,
    /// A folder whose `plan.md` and `results.md` replace the built-in templates, absolute.
    pub template: Option<Utf8PathBuf>,
    /// The test runner.
    pub runner: RunnerChoice,
    /// The time limit of one command.
    pub timeout: Duration,
    /// Whether tests that passed before and can reach nothing that has changed need not run.
    pub reuse: bool,
    /// Rules about the readers of files that cargo's layout does not determine.
    pub rules: Vec<Rule>,
    /// The levels of lint rules, in the order in which they are set.
    pub lints: Vec<Setting>,
    /// Named configurations.
    pub configurations: BTreeMap<String, Configuration>,
    /// The name of the default configuration.
    pub default_configuration: Option<String>,
    /// The configuration of this run.
    pub configuration: Configuration,
}

/// Files whose readers the user declares.
#[derive(Debug)]
pub struct Rule {
    /// Paths relative to the workspace root, with `../` for files outside it.
    pub files: GlobSet,
    /// The packages that read them; empty if no test does.
    pub packages: BTreeSet<PackageId>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    docs: Option<Utf8PathBuf>,
    template: Option<Utf8PathBuf>,
    runner: Option<RunnerChoice>,
    timeout: Option<u64>,
    reuse: Option<bool>,
    #[serde(default)]
    rules: Vec<WrittenRule>,
    #[serde(default)]
    lints: BTreeMap<String, String>,
    #[serde(default)]
    configurations: BTreeMap<String, WrittenConfiguration>,
    default_configuration: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    files: Vec<String>,
    packages: Vec<String>,
}

/// Half an hour: enough for the full suite of a large workspace, but a hanging command ends.
const TIMEOUT: Duration = Duration::from_secs(30 * 60);

impl Config {
    /// Reads the workspace's settings and applies the flags of this run.
    ///
    /// # Errors
    /// A usage error for an unknown key or a wrong value, with the manifest and the line.
    pub fn load(workspace: &Workspace, options: &Options) -> Result<Self> {
        let written = written(workspace)?;
        let rules = written
            .rules
            .iter()
            .map(|rule| rule.resolve(workspace))
            .collect::<Result<_>>();
        let configurations = configurations(workspace, &written)?;
        let docs = options
            .docs
            .clone()
            .or(written.docs)
            .unwrap_or_else(|| "docs".into());
        Ok(Self {
            docs: below(workspace, &docs)?,
            template: written.template.map(|folder| workspace.root.join(folder)),
            runner: written.runner.unwrap_or_default(),
            timeout: written.timeout.map_or(TIMEOUT, Duration::from_secs),
            reuse: written.reuse.unwrap_or(true),
            rules: rules
                .context("in the poc configuration of the workspace")
                .or_exit(Exit::Usage)?,
            lints: levels(workspace, &written.lints)?,
            configuration: match &options.configuration {
                Some(given) => given.resolve(workspace, None),
                None => configurations::choose(
                    &options.build,
                    workspace,
                    &configurations,
                    written.default_configuration.as_deref(),
                ),
            }
            .or_exit(Exit::Usage)?,
            configurations,
            default_configuration: written.default_configuration,
        })
    }

    /// The configuration of this name; `default` is a build without options where no configuration has the name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Configuration> {
        let plain = || (name == "default").then(Configuration::default);
        self.configurations.get(name).cloned().or_else(plain)
    }

    /// The variables of the default configuration, with which the commands of a plan run unless they assign others.
    #[must_use]
    pub fn default_environment(&self) -> BTreeMap<String, String> {
        let default = self.default_configuration.as_ref();
        let default = default.and_then(|name| self.configurations.get(name));
        default.map_or_else(BTreeMap::new, |default| default.environment.clone())
    }

    /// The settings without a workspace.
    #[must_use]
    pub fn outside() -> Self {
        Self {
            docs: "docs".into(),
            template: None,
            runner: RunnerChoice::default(),
            timeout: TIMEOUT,
            reuse: true,
            rules: Vec::new(),
            lints: Vec::new(),
            configurations: BTreeMap::new(),
            default_configuration: None,
            configuration: Configuration::default(),
        }
    }

    /// The first rule that matches `relative`, a path relative to the workspace root.
    #[must_use]
    pub fn rule(&self, relative: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.files.is_match(relative))
    }

    /// Whether a rule declares that no test reads `relative`, a path relative to the workspace root.
    #[must_use]
    pub fn is_unread(&self, relative: &Utf8Path) -> bool {
        let rule = self.rule(relative.as_str());
        rule.is_some_and(|rule| rule.packages.is_empty())
    }

    /// Whether `relative`, relative to the workspace root, is a plan, results, or the file with their merge attributes for git.
    #[must_use]
    pub fn is_document(&self, relative: &Utf8Path) -> bool {
        let name = relative.file_name().unwrap_or_default();
        if name.starts_with(FOREIGN_RESULTS) && relative.extension() == Some("md") {
            return true;
        }
        ["-plan.md", "-implementation.md", "-results.md"]
            .iter()
            .any(|ending| name.ends_with(ending) || name == ".gitattributes")
            && relative.parent() == Some(&self.docs)
    }
}

impl WrittenRule {
    fn resolve(&self, workspace: &Workspace) -> Result<Rule> {
        let mut files = GlobSetBuilder::new();
        for glob in &self.files {
            files.add(Glob::new(glob)?);
        }
        let packages = self
            .packages
            .iter()
            .map(|name| workspace.find(name))
            .collect::<Result<_>>()?;
        Ok(Rule {
            files: files.build()?,
            packages,
        })
    }
}

/// The named configurations, including the default one.
fn configurations(
    workspace: &Workspace,
    written: &Written,
) -> Result<BTreeMap<String, Configuration>> {
    let mut named = BTreeMap::new();
    for (name, configuration) in &written.configurations {
        let resolved = configuration
            .resolve(workspace, Some(name))
            .with_context(|| {
                let place = place_of(&workspace.root, &["configurations", name]);
                format!("the configuration `{name}` in {place}")
            })
            .or_exit(Exit::Usage)?;
        named.insert(name.clone(), resolved);
    }
    match &written.default_configuration {
        Some(name) if !named.contains_key(name) => {
            Err(anyhow!(configurations::unknown(name, &named)))
                .with_context(|| {
                    let place = place_of(&workspace.root, &["default-configuration"]);
                    format!("the default configuration in {place}")
                })
                .or_exit(Exit::Usage)
        }
        _ => Ok(named),
    }
}

/// The docs folder relative to the workspace root, without `.` and `..`.
fn below(workspace: &Workspace, docs: &Utf8Path) -> Result<Utf8PathBuf> {
    let located = workspace
        .locate(&workspace.root, docs)
        .context("the docs folder")?;
    Ok(workspace.relative(&located).to_owned())
}

/// `[workspace.metadata.poc.lints]`: codes or names of rules, and their levels.
fn levels(workspace: &Workspace, written: &BTreeMap<String, String>) -> Result<Vec<Setting>> {
    let setting = |(lint, level): (&String, &String)| {
        let level = Level::from_str(level, false)
            .map_err(|_| anyhow!("`{level}` is not a level; use allow, warn or deny"))
            .with_context(|| {
                format!(
                    "the lint levels in {}",
                    place_of_lint(&workspace.root, lint)
                )
            })
            .or_exit(Exit::Usage)?;
        Ok(Setting {
            lint: lint.clone(),
            level,
            in_manifest: true,
        })
    };
    written.iter().map(setting).collect()
}

/// The manifest in `root` with the line that sets the level of `lint`.
#[must_use]
pub fn place_of_lint(root: &Utf8Path, lint: &str) -> String {
    place_of(root, &["lints", lint])
}

/// The root manifest with the line of a settings key; without the line if the key has another syntax.
fn place_of(root: &Utf8Path, keys: &[&str]) -> String {
    let path = root.join("Cargo.toml");
    let text = files::read(&path).unwrap_or_default();
    let manifest = Manifest::parse(&String::from_utf8_lossy(&text));
    let line = manifest.ok().and_then(|manifest| {
        let entry = ["workspace", "package"].iter().find_map(|table| {
            let all: Vec<&str> = [*table, "metadata", "poc"]
                .into_iter()
                .chain(keys.iter().copied())
                .collect();
            manifest.entry(&all)
        })?;
        Some(line_of(manifest.text(), entry.span.start))
    });
    line.map_or_else(|| place(root), |line| format!("{path}:{line}"))
}

fn written(workspace: &Workspace) -> Result<Written> {
    let root = workspace
        .packages
        .iter()
        .find(|package| package.manifest_path == workspace.root.join("Cargo.toml"));
    let package = root.map(|package| &package.metadata);
    let Some(poc) = workspace
        .metadata
        .get("poc")
        .or_else(|| package?.get("poc"))
    else {
        return Ok(Written::default());
    };
    serde_json::from_value(poc.clone())
        .with_context(|| {
            format!(
                "the poc configuration in {} is invalid",
                place(&workspace.root)
            )
        })
        .or_exit(Exit::Usage)
}

/// The manifest with the line of the table's header; only the manifest if the header has another syntax.
fn place(root: &Utf8Path) -> String {
    let path = root.join("Cargo.toml");
    let text = files::read(&path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let line = text
        .lines()
        .position(|line| line.trim_start().starts_with('[') && line.contains("metadata.poc"));
    line.map_or_else(|| path.to_string(), |line| format!("{path}:{}", line + 1))
}
