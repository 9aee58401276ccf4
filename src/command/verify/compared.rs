//! Runs the commands of a plan that are compared with its base.

use anyhow::Result;

use super::super::base;
use crate::project::tree::Tree;
use crate::project::{Poc, Project};
use crate::sys::terminal::Terminal;
use crate::verify::relative::{self, Side};
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
    let base = base::of_poc(&project.repository()?, poc)?;
    let sides = match base {
        None => None,
        Some(base) => {
            // Paths of one length, which the environment of a program contains.
            let before = Tree::open(project, "compared-base", Some(&base.commit), terminal)?;
            let now = Tree::open(project, "compared-work", None, terminal)?;
            let short = base.commit.get(..12).unwrap_or(&base.commit);
            Some([
                Side {
                    title: format!("the base commit {short}"),
                    tree: before,
                },
                Side {
                    title: "the copy of the work tree".to_owned(),
                    tree: now,
                },
            ])
        }
    };
    relative::compare_with_base(report, options, terminal, sides.as_ref())
}
