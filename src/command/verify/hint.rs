//! Advice if the code does not build before the work.

use crate::config::detect;
use crate::evidence::Source;
use crate::project::Project;
use crate::verify::Report;
use crate::workspace::Configuration;

/// A message that a baseline did not build, and which configuration may work; `None` if it built.
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
    let named: Vec<&Configuration> = named
        .filter(|other| !other.is_plain() && *other != current)
        .collect();
    let output: String = report.checked.iter().map(|ran| ran.tail.as_str()).collect();
    let helps = |other: &Configuration| enables_named(other, &output);
    let best = named.iter().find(|other| helps(other)).or(named.first());
    let advice = if let Some(other) = best {
        format!("the configuration {other} may work; add its options to the plan's commands")
    } else {
        let detected = detect::detect(&project.workspace);
        let others = detected.found.iter().filter(|found| {
            let unnamed = Configuration {
                name: current.name.clone(),
                ..found.configuration.clone()
            };
            let flags = found.configuration.feature_arguments();
            found.is_for_here(&detected.found) && unnamed != *current && !flags.is_empty()
        });
        let others: Vec<_> = others.collect();
        let mut helping = others.iter().filter(|found| helps(&found.configuration));
        match helping.next().or(others.first()) {
            Some(found) => {
                let flags = found.configuration.feature_arguments().join(" ");
                let reason = found.reason();
                format!(
                    "{reason}: add `{flags}` to the plan's commands, or run `cargo poc init NAME {flags}`"
                )
            }
            None => "the plan's commands may lack a feature that the errors above name".to_owned(),
        }
    };
    Some(format!("{state} with the plan's commands; {advice}"))
}

/// Whether a configuration enables a feature that errors of the compiler name.
fn enables_named(configuration: &Configuration, errors: &str) -> bool {
    let mut features = configuration.features.iter();
    features.any(|feature| {
        let name = feature.rsplit('/').next().unwrap_or(feature);
        [format!("`{name}`"), format!("\"{name}\"")]
            .iter()
            .any(|quoted| errors.contains(quoted.as_str()))
    })
}

fn short(commit: &str) -> &str {
    commit.get(..9).unwrap_or(commit)
}
