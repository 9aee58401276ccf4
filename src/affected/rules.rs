//! What one changed file can reach, by cargo's own layout.

use anyhow::Result;
use camino::Utf8Path;
use cargo_metadata::{Target, TargetKind};

use super::reach::Reach;
use super::{TestKind, TestTarget, kinds, manifests};
use crate::change::Change;
use crate::config::Config;
use crate::sys::git::FileChange;
use crate::workspace::graph::{is_kind, is_library};
use crate::workspace::source::read_unit;
use crate::workspace::{PackageId, Workspace};

/// What `file` reaches: the user's rules first, then what cargo's layout says, then everything that could read it.
///
/// # Errors
/// When the file's content before the change cannot be asked of git.
pub fn reach(
    workspace: &Workspace,
    config: &Config,
    change: &Change,
    file: &FileChange,
) -> Result<Reach> {
    let relative = workspace.relative(&file.path);
    if let Some(rule) = config.rule(&workspace.slashed(&file.path)) {
        return Ok(if rule.packages.is_empty() {
            Reach::Nothing("a rule of the poc configuration says so".into())
        } else {
            Reach::Packages(
                rule.packages.clone(),
                "named by a rule of the poc configuration".into(),
            )
        });
    }
    if config.is_document(relative) {
        return Ok(Reach::Nothing("a document of cargo poc".into()));
    }
    let folder = relative.parent().map_or("", Utf8Path::as_str);
    match relative.file_name().unwrap_or_default() {
        "Cargo.toml" if manifests::rules_a_build(workspace, file) => {
            return manifests::manifest(workspace, change, file);
        }
        "Cargo.lock" if folder.is_empty() => return manifests::lockfile(workspace, change, file),
        "rust-toolchain" | "rust-toolchain.toml" => {
            return Ok(Reach::everything(workspace, "the toolchain"));
        }
        "config" | "config.toml"
            if relative
                .parent()
                .is_some_and(|folder| folder.ends_with(".cargo")) =>
        {
            return Ok(Reach::everything(workspace, "cargo's configuration"));
        }
        _ => {}
    }
    Ok(match workspace.owner(&file.path) {
        Some(package) => of_package(workspace, package, &file.path),
        None => of_no_package(workspace, &file.path),
    })
}

/// A file below a member's folder: the root file of a target that nothing links reaches that target's tests; any other
/// could be read by the package's code.
fn of_package(workspace: &Workspace, package: PackageId, path: &Utf8Path) -> Reach {
    let member = &workspace.packages[package];
    if let Some(target) = member.targets.iter().find(|target| target.src_path == path) {
        return of_root_file(workspace, package, target);
    }
    let folder = workspace.folder(package);
    let inside = path.strip_prefix(folder).unwrap_or(path);
    for name in ["tests", "benches", "examples"] {
        if inside.starts_with(name) && !holds_linked_code(workspace, package, &folder.join(name)) {
            return Reach::Targets(
                all_of(workspace, package),
                format!("in {name}/, which only the package's own tests read"),
            );
        }
    }
    Reach::package(
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

fn of_root_file(workspace: &Workspace, package: PackageId, target: &Target) -> Reach {
    let own = || kinds(target).map(|kind| TestTarget { package, kind });
    if is_kind(target, &[TargetKind::Test, TargetKind::Bench]) {
        let mut targets: Vec<TestTarget> = own().collect();
        targets.extend(taking_in(workspace, package, &target.src_path));
        return Reach::Targets(
            targets,
            format!("the root of {} `{}`", target.kind[0], target.name),
        );
    }
    if is_kind(target, &[TargetKind::Bin, TargetKind::Example]) {
        let what = format!("the root of {} `{}`", target.kind[0], target.name);
        if has_dependents(workspace, package) {
            return Reach::package(
                package,
                format!("{what}, which tests of dependents may run"),
            );
        }
        // Integration tests may run what cargo built beside them.
        let mut targets = all_of(workspace, package);
        targets.retain(|target| matches!(target.kind, TestKind::Test(_) | TestKind::Bench(_)));
        targets.extend(own());
        return Reach::Targets(targets, what);
    }
    let what = if is_kind(target, &[TargetKind::CustomBuild]) {
        "the build script"
    } else {
        "the root of the library"
    };
    Reach::package(package, what)
}

/// The package's other test targets that have `path` for a module: `tests/util.rs` is a target of its own, and
/// `mod util;` in its neighbours. A target whose source cannot be followed may be one.
fn taking_in(workspace: &Workspace, package: PackageId, path: &Utf8Path) -> Vec<TestTarget> {
    let targets = workspace.packages[package].targets.iter();
    targets
        .filter(|target| {
            target.src_path != path
                && !is_library(target)
                && read_unit(&target.src_path)
                    .map_or(true, |unit| unit.files.iter().any(|file| file == path))
        })
        .flat_map(kinds)
        .map(|kind| TestTarget { package, kind })
        .collect()
}

/// Tests of another package that run this one's binary have it built by depending on the package in some way.
fn has_dependents(workspace: &Workspace, package: PackageId) -> bool {
    workspace
        .edges()
        .iter()
        .any(|edge| edge.to == package && edge.from != package)
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
fn of_no_package(workspace: &Workspace, path: &Utf8Path) -> Reach {
    let owner = workspace
        .outside
        .iter()
        .find(|(folder, _)| path.starts_with(folder));
    match owner {
        Some((folder, packages)) => {
            let name = folder.file_name().unwrap_or_default();
            Reach::Packages(
                packages.clone(),
                format!("in `{name}`, a path dependency outside the workspace"),
            )
        }
        None => Reach::everything(
            workspace,
            "in no package, so any test may read it; a rule in [workspace.metadata.poc] can say which do",
        ),
    }
}
