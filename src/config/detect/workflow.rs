//! The commands of a GitHub workflow, with the values of its matrix.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::text::joined;
use super::yaml::{self, Yaml};

/// A command that a step runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    /// Its line, from 1.
    pub(super) line: usize,
    /// Its text; an expression whose value is not known is [`UNKNOWN`].
    pub(super) command: String,
    /// The variables that the workflow, the job and the step set: those that the command names, and RUSTFLAGS.
    pub(super) environment: BTreeMap<String, String>,
}

/// What stands for an expression whose value is not known.
pub(super) const UNKNOWN: &str = "${}";
/// A matrix with more rows is not expanded.
const MOST_ROWS: usize = 64;

/// The commands of all steps, once for each row of the job's matrix in which they differ; none if the text is not a workflow.
pub(super) fn runs(text: &str) -> Vec<Run> {
    let Some(workflow) = yaml::read(text) else {
        return Vec::new();
    };
    let common = variables(workflow.get("env"));
    let mut found = Vec::new();
    for (_, job) in workflow.get("jobs").into_iter().flat_map(Yaml::entries) {
        let matrix = job
            .get("strategy")
            .and_then(|strategy| strategy.get("matrix"));
        let mut environment = common.clone();
        environment.extend(variables(job.get("env")));
        for step in job.get("steps").into_iter().flat_map(Yaml::items) {
            let mut environment = environment.clone();
            environment.extend(variables(step.get("env")));
            let commands = step.get("run").into_iter().flat_map(Yaml::lines);
            for (line, command) in joined(commands) {
                // Each other variable would repeat the command for each of its values.
                let counts = |name: &String| name == "RUSTFLAGS" || command.contains(name.as_str());
                let mut environment = environment.clone();
                environment.retain(|name, _| counts(name));
                let runs = rows(matrix, &command, &environment).into_iter().map(|row| {
                    let values = environment
                        .iter()
                        .map(|(name, value)| (name.clone(), expand(value, &row, &BTreeMap::new())));
                    let environment: BTreeMap<String, String> = values.collect();
                    let command = expand(&command, &row, &environment);
                    Run {
                        line,
                        command: with_variables(&command, &environment),
                        environment,
                    }
                });
                for run in runs {
                    if !found.contains(&run) {
                        found.push(run);
                    }
                }
            }
        }
    }
    found
}

fn variables(table: Option<&Yaml>) -> BTreeMap<String, String> {
    let entries = table.into_iter().flat_map(Yaml::entries);
    entries
        .filter_map(|(name, value)| Some((name.to_owned(), value.text()?.to_owned())))
        .collect()
}

/// The names after `matrix.` in expressions.
fn keys(text: &str) -> Vec<&str> {
    let expressions = text.split("${{").skip(1);
    let names = expressions.filter_map(|rest| {
        let expression = rest.split("}}").next()?.trim();
        expression.strip_prefix("matrix.").map(str::trim)
    });
    names.collect()
}

/// The values of the matrix that a command uses, one map for each combination; one empty map where it uses none.
fn rows(
    matrix: Option<&Yaml>,
    command: &str,
    environment: &BTreeMap<String, String>,
) -> Vec<BTreeMap<String, String>> {
    let used = std::iter::once(command).chain(environment.values().map(String::as_str));
    let mut used: Vec<&str> = used.flat_map(keys).collect();
    used.sort_unstable();
    used.dedup();
    let Some(matrix) = matrix.filter(|_| !used.is_empty()) else {
        return vec![BTreeMap::new()];
    };
    let mut rows = vec![BTreeMap::new()];
    let mut is_listed = false;
    for key in &used {
        let values = matrix.get(key).into_iter().flat_map(Yaml::items);
        let values: Vec<&str> = values.filter_map(Yaml::text).collect();
        if values.is_empty() {
            continue;
        }
        is_listed = true;
        rows = rows
            .iter()
            .flat_map(|row: &BTreeMap<String, String>| {
                values.iter().map(|value| {
                    let mut row = row.clone();
                    row.insert((*key).to_owned(), (*value).to_owned());
                    row
                })
            })
            .take(MOST_ROWS)
            .collect();
    }
    if !is_listed {
        rows.clear();
    }
    for include in matrix.get("include").into_iter().flat_map(Yaml::items) {
        let values = include.entries().filter(|(key, _)| used.contains(key));
        let own: BTreeMap<String, String> = values
            .filter_map(|(key, value)| Some((key.to_owned(), value.text()?.to_owned())))
            .collect();
        // A key that a row of the matrix lacks is empty there.
        let row = used.iter().map(|key| {
            let value = own.get(*key).cloned().unwrap_or_default();
            ((*key).to_owned(), value)
        });
        if !own.is_empty() || !is_listed {
            rows.push(row.collect());
        }
    }
    if rows.is_empty() {
        rows.push(BTreeMap::new());
    }
    rows
}

/// The text with the values of its expressions.
fn expand(
    text: &str,
    row: &BTreeMap<String, String>,
    environment: &BTreeMap<String, String>,
) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${{") {
        let Some(length) = rest[start..].find("}}") else {
            break;
        };
        expanded.push_str(&rest[..start]);
        let expression = rest[start + 3..start + length].trim();
        let matrix = expression.strip_prefix("matrix.");
        let value = matrix.and_then(|key| row.get(key)).or_else(|| {
            let name = expression.strip_prefix("env.")?;
            environment.get(name)
        });
        expanded.push_str(value.map_or(UNKNOWN, String::as_str));
        rest = &rest[start + length + 2..];
    }
    expanded + rest
}

/// The command with the values of the workflow's variables in place of `$NAME` and `${NAME}`.
fn with_variables(command: &str, environment: &BTreeMap<String, String>) -> String {
    let mut text = command.to_owned();
    // A longer name may begin with a shorter one.
    for (name, value) in environment.iter().rev() {
        text = text.replace(&format!("${{{name}}}"), value);
        text = text.replace(&format!("${name}"), value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(text: &str) -> Vec<(usize, String)> {
        let runs = runs(text).into_iter();
        runs.map(|run| (run.line, run.command)).collect()
    }

    #[test]
    fn a_literal_matrix_is_expanded() {
        let text = "\
on: [push]
env:
  LEVEL: --locked
jobs:
  test:
    strategy:
      matrix:
        features: [\"\", '--all-features'] # two
        os:
          [
            ubuntu-latest,
            windows-latest,
          ]
        rust:
          - stable
        include:
          - features: --no-default-features
            os: ubuntu-latest
    runs-on: ${{ matrix.os }}
    steps:
      - uses: actions/checkout@v4
      - run: \"cargo test ${{ matrix.features }}\"
      - name: Lines
        run: |
          cargo test \\
            $LEVEL
          cargo test --features ${{ inputs.features }}
      - { run: 'cargo test --doc' }
      - run: >-
          cargo test
          --lib
";
        let found = commands(text);
        let texts: Vec<(usize, &str)> = found
            .iter()
            .map(|(line, text)| (*line, text.as_str()))
            .collect();
        assert_eq!(
            texts,
            [
                (22, "cargo test "),
                (22, "cargo test --all-features"),
                (22, "cargo test --no-default-features"),
                (25, "cargo test  --locked"),
                (27, "cargo test --features ${}"),
                (28, "cargo test --doc"),
                (30, "cargo test --lib"),
            ]
        );
    }

    #[test]
    fn variables_are_those_of_workflow_job_and_step() {
        let text = "\
env: { RUSTFLAGS: -D warnings }
jobs:
  loom:
    env:
      RUSTFLAGS: --cfg ${{ matrix.cfg }}
    strategy: { matrix: { cfg: [loom] } }
    steps:
    - run: cargo test
    - run: cargo test
      env:
        RUSTFLAGS: \"\"
";
        let flags: Vec<String> = runs(text)
            .into_iter()
            .map(|run| run.environment["RUSTFLAGS"].clone())
            .collect();
        assert_eq!(flags, ["--cfg loom", ""]);
    }
}
