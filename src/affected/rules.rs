//! The effect of a changed file according to cargo's layout.

use std::collections::BTreeSet;

use anyhow::Result;
use camino::Utf8Path;
use cargo_metadata::TargetKind;

use super::file_effect::FileEffect;
use super::manifests;
use super::outside::Outside;
use super::targets::{TestTarget, kinds};
use crate::change::Change;
use crate::config::Config;
use crate::sys::git::FileChange;
use crate::workspace::graph::{is_kind, is_library};
use crate::workspace::{PackageId, Workspace};

/// The effects that follow from the name of a file.
#[derive(Debug, Default)]
pub(super) struct Ruling {
    /// The tests that it reaches.
    pub(super) effects: Vec<FileEffect>,
    /// Crates that members have gained, by their name in code.
    pub(super) gained: BTreeSet<(PackageId, String)>,
    /// Whether code may read the file as well: code that embeds, names or walks to it counts in addition to the effects.
    pub(super) is_data: bool,
    /// Whether cargo behaves differently or prints something else, so that tests that run cargo are affected.
    pub(super) rules_tools: bool,
}

impl Ruling {
    /// A single effect.
    fn only(effect: FileEffect) -> Self {
        Self {
            effects: vec![effect],
            ..Self::default()
        }
    }

    /// The effect of a file that code may read as well.
    fn and_data(effect: FileEffect) -> Self {
        Self {
            is_data: true,
            ..Self::only(effect)
        }
    }
}

/// The effect of `file` by a user's rule or by its name; `None` if its content decides.
///
/// # Errors
/// When git cannot return the file's old content.
pub(super) fn by_name(
    workspace: &Workspace,
    outside: &Outside,
    config: &Config,
    change: &Change,
    file: &FileChange,
) -> Result<Option<Ruling>> {
    let relative = workspace.relative(&file.path);
    if let Some(rule) = config.rule(&workspace.slashed(&file.path)) {
        return Ok(Some(Ruling::only(if rule.packages.is_empty() {
            FileEffect::Nothing("according to a rule of the poc configuration".into())
        } else {
            FileEffect::Packages(
                rule.packages.clone(),
                "according to a rule of the poc configuration".into(),
            )
        })));
    }
    if config.is_document(relative) {
        let why = "a document of cargo poc";
        return Ok(Some(Ruling::only(FileEffect::Nothing(why.into()))));
    }
    let folder = relative.parent().map_or("", Utf8Path::as_str);
    let everything = |why: &str| Ruling::and_data(FileEffect::everything(workspace, why));
    Ok(match relative.file_name().unwrap_or_default() {
        "Cargo.toml" if manifests::rules_a_build(workspace, outside, file) => {
            let manifest = manifests::manifest(workspace, change, file)?;
            Some(Ruling {
                effects: manifest.effects,
                gained: manifest.gained,
                is_data: true,
                rules_tools: manifest.has_changed_keys,
            })
        }
        "Cargo.lock" if folder.is_empty() => {
            let effect = manifests::lockfile(workspace, change, file)?;
            Some(Ruling {
                rules_tools: true,
                ..Ruling::and_data(effect)
            })
        }
        "rust-toolchain" | "rust-toolchain.toml" => Some(everything("the toolchain")),
        "config" | "config.toml"
            if relative
                .parent()
                .is_some_and(|folder| folder.ends_with(".cargo")) =>
        {
            Some(if manifests::only_harmless(change, file)? {
                let why = "only keys that no build uses changed in cargo's configuration";
                Ruling {
                    rules_tools: true,
                    ..Ruling::and_data(FileEffect::Nothing(why.into()))
                }
            } else {
                everything("cargo's configuration")
            })
        }
        ".gitmodules" => Some(everything("the list of submodules")),
        _ if file.path.is_dir() && !file.path.is_symlink() => Some(everything(
            "a nested repository, whose changed files are unknown",
        )),
        _ => None,
    })
}

/// The effect of a file that no known source embeds: every test that could read it.
pub(super) fn by_place(workspace: &Workspace, outside: &Outside, path: &Utf8Path) -> FileEffect {
    let vendored = path.ancestors().skip(1);
    let vendored = vendored.take_while(|folder| folder.starts_with(&workspace.root));
    if vendored
        .into_iter()
        .any(|folder| folder.join(".cargo-checksum.json").exists())
    {
        return FileEffect::everything(workspace, "in a vendored package");
    }
    if let Some((folder, package)) = outside.owner(path) {
        let name = folder.file_name().unwrap_or_default();
        let mut packages = package.used_by.clone();
        packages.extend(workspace.owner(path));
        return FileEffect::Packages(
            packages,
            format!("in `{name}`, a path dependency outside the workspace"),
        );
    }
    match workspace.owner(path) {
        Some(package) => of_package(workspace, package, path),
        None => FileEffect::everything(
            workspace,
            "in no package, so any test may read it; a rule in [workspace.metadata.poc] can restrict this",
        ),
    }
}

/// The effect of a member's file through external packages that link the member.
pub(super) fn through_outside(
    workspace: &Workspace,
    outside: &Outside,
    path: &Utf8Path,
) -> Vec<FileEffect> {
    let Some(owner) = workspace.owner(path) else {
        return Vec::new();
    };
    let name = &workspace.packages[owner].name;
    let effects = outside.linking(owner).map(|(folder, package)| {
        let outside = folder.file_name().unwrap_or_default();
        FileEffect::Packages(
            package.used_by.clone(),
            format!("`{outside}`, a path dependency outside the workspace, links `{name}`"),
        )
    });
    effects.collect()
}

/// The effect of a file in a member's folder: on its tests, or on the package if its code may read the file.
fn of_package(workspace: &Workspace, package: PackageId, path: &Utf8Path) -> FileEffect {
    let folder = workspace.folder(package);
    let inside = path.strip_prefix(folder).unwrap_or(path);
    for name in ["tests", "benches", "examples"] {
        if inside.starts_with(name) && !holds_linked_code(workspace, package, &folder.join(name)) {
            return FileEffect::Targets(
                all_of(workspace, package),
                format!("in {name}/, which only the package's own tests read"),
            );
        }
    }
    FileEffect::package(
        package,
        if inside.extension() == Some("rs") {
            "source of the package"
        } else {
            "in the package's folder"
        },
    )
}

/// Whether linked code has its root in `folder`, as with `[lib] path = "tests/lib.rs"`.
fn holds_linked_code(workspace: &Workspace, package: PackageId, folder: &Utf8Path) -> bool {
    let targets = &workspace.packages[package].targets;
    targets.iter().any(|target| {
        (is_library(target) || is_kind(target, &[TargetKind::CustomBuild, TargetKind::Bin]))
            && target.src_path.starts_with(folder)
    })
}

fn all_of(workspace: &Workspace, package: PackageId) -> Vec<TestTarget> {
    let targets = &workspace.packages[package].targets;
    targets
        .iter()
        .flat_map(kinds)
        .map(|kind| TestTarget { package, kind })
        .collect()
}
