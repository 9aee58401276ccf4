//! Runs the commands of a plan that are compared with its base.

use anyhow::Result;

use super::super::base;
use crate::change::base_moves;
use crate::project::tree::Tree;
use crate::project::{Poc, Project};
use crate::sys::terminal::Terminal;
use crate::verify::relative::{self, Side, Sides};
use crate::verify::{Options, Report};

/// Judges the expectations relative to the baseline in a report.
///
/// # Errors
/// When a copy of the repository cannot be made, or a program cannot be started.
pub(super) fn judge(
    report: &mut Report,
    project: &Project,
    poc: &Poc,
    options: &Options<'_>,
    terminal: &mut Terminal,
) -> Result<()> {
    if !relative::is_needed(report) {
        return Ok(());
    }
    let repository = project.repository()?;
    let moving = poc.plan.base.as_ref().filter(|base| base_moves(base));
    let sides = match (base::of_poc(&repository, poc)?, moving) {
        (None, _) => Err("the plan has no Base in its Overview".to_owned()),
        (_, Some(name)) => Err(format!(
            "the Base `{name}` of the plan moves with each commit"
        )),
        (Some(base), None) => {
            // Paths of one length, which the environment of a program contains.
            let before = Tree::open(project, "compared-base", Some(&base.commit), terminal)?;
            let now = Tree::open(project, "compared-work", None, terminal)?;
            let short = base.commit.get(..12).unwrap_or(&base.commit);
            let copies = [
                Side {
                    title: format!("the base commit {short}"),
                    tree: before,
                },
                Side {
                    title: "the copy of the work tree".to_owned(),
                    tree: now,
                },
            ];
            Ok(Sides {
                copies,
                original: repository.root.clone(),
            })
        }
    };
    relative::compare_with_base(report, options, terminal, &sides)
}
