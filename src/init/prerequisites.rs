//! Conditions for the first step that follow from the crate graph.

use std::collections::BTreeSet;

use cargo_metadata::TargetKind;

use super::dependencies::Block;
use super::draft::Prerequisite;
use super::request::Request;
use crate::affected::arguments::{self, quoted, spec};
use crate::cli::Size;
use crate::project::Project;
use crate::workspace::graph::is_kind;
use crate::workspace::{PackageId, Workspace};

/// The prerequisites after the first, which runs the affected tests: one for each manifest with new dependencies, each build script
/// of a touched package, and each touched package with tests that a plain run skips because a feature is off. Step 0 applies the
/// dependencies, so only a full plan repeats them here.
#[must_use]
pub fn prerequisites(project: &Project, request: &Request, blocks: &[Block]) -> Vec<Prerequisite> {
    let mut found: Vec<Prerequisite> = blocks
        .iter()
        .filter(|block| block.is_new() && request.size == Size::Full)
        .map(|block| dependencies(project, request, block))
        .collect();
    if request.size != Size::Tiny {
        for &package in &request.packages {
            found.extend(build_script(project, package));
            found.extend(features_off(project, package));
        }
    }
    for (index, prerequisite) in found.iter_mut().enumerate() {
        prerequisite.number = index + 2;
    }
    found
}

fn dependencies(project: &Project, request: &Request, block: &Block) -> Prerequisite {
    let name = &request.paths.name;
    Prerequisite {
        number: 0,
        title: format!("Dependencies in `{}`", block.manifest),
        why: format!("The steps use {}.", block.new_names.join(", ")),
        commands: vec![format!("cargo poc deps {name}")],
        verification: vec![
            format!("cargo poc deps {name} --check"),
            check(&project.workspace, request.dependent),
        ],
    }
}

fn build_script(project: &Project, package: PackageId) -> Option<Prerequisite> {
    let member = &project.workspace.packages[package];
    let script = member
        .targets
        .iter()
        .find(|target| is_kind(target, &[TargetKind::CustomBuild]))?;
    Some(Prerequisite {
        number: 0,
        title: format!("The build script of `{}` runs here", member.name),
        why: format!(
            "`{}` may need tools or libraries that must be installed.",
            project.workspace.slashed(&script.src_path)
        ),
        commands: Vec::new(),
        verification: vec![check(&project.workspace, package)],
    })
}

/// The command that builds a package with its tests in the workspace's configuration.
fn check(workspace: &Workspace, package: PackageId) -> String {
    let arguments = arguments::named_packages(workspace, &BTreeSet::from([package]));
    format!("cargo check --tests {}", quoted(&arguments))
}

fn features_off(project: &Project, package: PackageId) -> Option<Prerequisite> {
    let workspace = &project.workspace;
    let member = &workspace.packages[package];
    let on = workspace.features().of(package);
    let mut names = Vec::new();
    let mut wanted: Vec<&String> = Vec::new();
    for target in member.targets.iter().filter(|target| target.test) {
        let off = target
            .required_features
            .iter()
            .filter(|feature| !on.contains(*feature));
        let before = wanted.len();
        wanted.extend(off);
        if wanted.len() > before {
            names.push(format!("`{}`", target.name));
        }
    }
    wanted.sort();
    wanted.dedup();
    if wanted.is_empty() {
        return None;
    }
    let wanted: Vec<&str> = wanted.into_iter().map(String::as_str).collect();
    let package = spec(workspace, package);
    Some(Prerequisite {
        number: 0,
        title: format!("Tests of `{}` that need features", member.name),
        why: format!(
            "A plain run silently omits {}, which need {}.",
            names.join(", "),
            wanted.join(", ")
        ),
        commands: Vec::new(),
        verification: vec![format!(
            "cargo test -p {package} --features {} --no-run",
            wanted.join(",")
        )],
    })
}
