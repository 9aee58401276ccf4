//! What one changed file can reach, by cargo's own layout.

use anyhow::Result;
use camino::Utf8Path;
use cargo_metadata::TargetKind;

use super::file_effect::FileEffect;
use super::{TestTarget, kinds, manifests};
use crate::change::Change;
use crate::config::Config;
use crate::sys::git::FileChange;
use crate::workspace::graph::{is_kind, is_library};
use crate::workspace::{PackageId, Workspace};

/// What `file` reaches by a user's rule or by what cargo calls it; none where its content decides.
///
/// # Errors
/// When the file's content before the change cannot be asked of git.
pub fn by_name(
    workspace: &Workspace,
    config: &Config,
    change: &Change,
    file: &FileChange,
) -> Result<Option<FileEffect>> {
    let relative = workspace.relative(&file.path);
    if let Some(rule) = config.rule(&workspace.slashed(&file.path)) {
        return Ok(Some(if rule.packages.is_empty() {
            FileEffect::Nothing("a rule of the poc configuration says so".into())
        } else {
            FileEffect::Packages(
                rule.packages.clone(),
                "named by a rule of the poc configuration".into(),
            )
        }));
    }
    if config.is_document(relative) {
        return Ok(Some(FileEffect::Nothing("a document of cargo poc".into())));
    }
    let folder = relative.parent().map_or("", Utf8Path::as_str);
    Ok(match relative.file_name().unwrap_or_default() {
        "Cargo.toml" if manifests::rules_a_build(workspace, file) => {
            Some(manifests::manifest(workspace, change, file)?)
        }
        "Cargo.lock" if folder.is_empty() => Some(manifests::lockfile(workspace, change, file)?),
        "rust-toolchain" | "rust-toolchain.toml" => {
            Some(FileEffect::everything(workspace, "the toolchain"))
        }
        "config" | "config.toml"
            if relative
                .parent()
                .is_some_and(|folder| folder.ends_with(".cargo")) =>
        {
            Some(FileEffect::everything(workspace, "cargo's configuration"))
        }
        _ => None,
    })
}

/// What a file reaches that no source is known to take in: everything that could read it.
#[must_use]
pub fn by_place(workspace: &Workspace, path: &Utf8Path) -> FileEffect {
    match workspace.owner(path) {
        Some(package) => of_package(workspace, package, path),
        None => of_no_package(workspace, path),
    }
}

/// A file below a member's folder: one that only tests can mean, or one that the package's code may read.
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

/// Whether code that others link has its root below `folder`, as `[lib] path = "tests/lib.rs"` can arrange.
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

/// A file of no member: of a path dependency outside the workspace, or of nobody cargo knows.
fn of_no_package(workspace: &Workspace, path: &Utf8Path) -> FileEffect {
    let owner = workspace
        .outside
        .iter()
        .find(|(folder, _)| path.starts_with(folder));
    match owner {
        Some((folder, packages)) => {
            let name = folder.file_name().unwrap_or_default();
            FileEffect::Packages(
                packages.clone(),
                format!("in `{name}`, a path dependency outside the workspace"),
            )
        }
        None => FileEffect::everything(
            workspace,
            "in no package, so any test may read it; a rule in [workspace.metadata.poc] can say which do",
        ),
    }
}
