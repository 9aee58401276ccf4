//! What to say when the code does not build before the work begins.

use crate::config::detect;
use crate::evidence::Source;
use crate::project::Project;
use crate::verify::Report;
use crate::workspace::Configuration;

/// Says that a baseline did not build, and in which configuration it may; `None` where it built.
pub(super) fn of_baseline(project: &Project, report: &Report, source: &Source) -> Option<String> {
    let errors = |ran: &crate::verify::InvocationResult| !ran.observed.compile_errors.is_empty();
    if !report.checked.iter().any(errors) {
        return None;
    }
    let state = match (&source.commit, source.dirty) {
        (Some(commit), Some(false)) => format!("commit {} does not build", short(commit)),
        _ => "the code does not build before the work".to_owned(),
    };
    let current = &project.workspace.configuration;
    let named = project.config.configurations.values();
    let mut named = named.filter(|other| !other.is_plain() && *other != current);
    let advice = if let Some(other) = named.next() {
        format!("the configuration {other} may; write its options into the plan's commands")
    } else {
        let detected = detect::detect(&project.workspace);
        let mut others = detected.iter().filter(|found| {
            let unnamed = Configuration {
                name: current.name.clone(),
                ..found.configuration.clone()
            };
            found.is_for_here() && unnamed != *current
        });
        match others.next() {
            Some(found) => {
                let flags = found.configuration.feature_arguments().join(" ");
                let reason = found.reason();
                format!(
                    "{reason}: write `{flags}` into the plan's commands, or set it up with `cargo poc init NAME {flags}`"
                )
            }
            None => {
                "a feature may be missing in the plan's commands, where the errors above name one"
                    .to_owned()
            }
        }
    };
    Some(format!("{state} with the plan's commands; {advice}"))
}

fn short(commit: &str) -> &str {
    commit.get(..9).unwrap_or(commit)
}
