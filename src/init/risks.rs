//! Risks that follow from the crate graph and the sources.

use std::collections::BTreeSet;

use cargo_metadata::TargetKind;

use super::context::Context;
use super::dependencies::Block;
use super::draft::Risk;
use super::request::Request;
use crate::project::Project;
use crate::workspace::PackageId;
use crate::workspace::graph::is_kind;

/// The risks of the touched packages, those with the most dependents first.
#[must_use]
pub fn risks(
    project: &Project,
    request: &Request,
    context: &Context,
    blocks: &[Block],
) -> Vec<Risk> {
    let workspace = &project.workspace;
    let mut risks = Vec::new();
    for &package in &request.packages {
        let name = &workspace.packages[package].name;
        let dependents = workspace.linked_by(&BTreeSet::from([package])).len() - 1;
        if dependents > 0 {
            risks.push(Risk::new(
                format!(
                    "{dependents} of {} packages {} on `{name}`; a change of behaviour affects {}",
                    workspace.packages.len(),
                    if dependents == 1 { "depends" } else { "depend" },
                    if dependents == 1 { "it" } else { "them all" },
                ),
                if dependents * 3 > workspace.packages.len() {
                    "H"
                } else {
                    "M"
                },
                "Keep existing behaviour; `cargo poc verify` runs their tests after every step",
            ));
        }
        risks.extend(of_package(project, context, package));
    }
    for name in blocks.iter().flat_map(|block| &block.new_names) {
        if let Some(version) = context.locked.get(name) {
            let asked = request
                .dependencies
                .iter()
                .find(|dependency| dependency.spec.starts_with(&format!("{name}@")));
            let requirement = asked.and_then(|dependency| dependency.spec.split(['@', '[']).nth(1));
            let fits = requirement
                .and_then(|text| semver::VersionReq::parse(text).ok())
                .is_none_or(|wanted| wanted.matches(version));
            if !fits {
                risks.push(Risk::new(
                    format!("the build already contains `{name}` {version}; the requirement adds a second version"),
                    "M",
                    format!("Use {version} if possible, or inspect `cargo tree --duplicates`"),
                ));
            }
        }
    }
    risks
}

fn of_package(project: &Project, context: &Context, package: PackageId) -> Vec<Risk> {
    let member = &project.workspace.packages[package];
    let name = &member.name;
    let has = |kind: TargetKind| {
        member
            .targets
            .iter()
            .any(|target| is_kind(target, std::slice::from_ref(&kind)))
    };
    let mut risks = Vec::new();
    if has(TargetKind::ProcMacro) {
        risks.push(Risk::new(
            format!("`{name}` is a procedural macro: it changes the code of its users invisibly"),
            "M",
            "Test the expansion and its error messages, and build a package that uses it",
        ));
    }
    if has(TargetKind::CustomBuild) {
        risks.push(Risk::new(
            format!("`{name}` has a build script, whose output depends on the machine"),
            "L",
            "Build once with an empty target folder before completing the work",
        ));
    }
    let blocks = context.unsafe_uses(package);
    if blocks > 0 {
        let times = match blocks {
            1 => "once".to_owned(),
            more => format!("{more} times"),
        };
        risks.push(Risk::new(
            format!(
                "`{name}` uses `unsafe` {times}; safe code around it can break its assumptions"
            ),
            "M",
            "Read the safety comments near every change; run the tests under Miri or a sanitizer",
        ));
    }
    if let Some(version) = &member.rust_version {
        risks.push(Risk::new(
            format!(
                "`{name}` supports Rust {version}; newer language or library features break that"
            ),
            "L",
            format!("Check with Rust {version}, or use clippy's `incompatible_msrv`"),
        ));
    }
    risks
}
