//! The configurations that `[package.metadata.docs.rs]` tables ask for.

use std::collections::BTreeSet;

use super::detected::Detected;
use crate::config::configurations::check_features;
use crate::sys::files;
use crate::workspace::{Configuration, Workspace};

/// One for each set of features, of the packages that ask for it.
pub(super) fn detect(workspace: &Workspace) -> Vec<Detected> {
    let mut found: Vec<Detected> = Vec::new();
    for (id, package) in workspace.packages.iter().enumerate() {
        let table = package.metadata.get("docs").and_then(|docs| docs.get("rs"));
        let Some(table) = table else { continue };
        let is_set = |key: &str| table.get(key).and_then(serde_json::Value::as_bool) == Some(true);
        let features = table.get("features").and_then(serde_json::Value::as_array);
        let features = features.into_iter().flatten();
        let configuration = Configuration {
            features: features
                .filter_map(|feature| Some(feature.as_str()?.to_owned()))
                .collect(),
            all_features: is_set("all-features"),
            no_default_features: is_set("no-default-features"),
            packages: BTreeSet::from([id]),
            ..Configuration::default()
        };
        if configuration.feature_arguments().is_empty()
            || check_features(workspace, &configuration).is_err()
        {
            continue;
        }
        let same = |known: &&mut Detected| {
            let own = Configuration {
                packages: known.configuration.packages.clone(),
                ..configuration.clone()
            };
            own == known.configuration
        };
        if let Some(known) = found.iter_mut().find(same) {
            known.configuration.packages.insert(id);
            continue;
        }
        let text = files::text(&package.manifest_path).unwrap_or_default();
        let mut lines = text.lines();
        let line = lines.position(|line| line.trim() == "[package.metadata.docs.rs]");
        found.push(Detected {
            command: configuration.feature_arguments().join(" "),
            configuration,
            runs_tests: false,
            is_alternative: false,
            file: workspace.slashed(&package.manifest_path),
            line: line.map_or(1, |line| line + 1),
        });
    }
    for one in &mut found {
        if one.configuration.packages.len() == workspace.packages.len() {
            one.configuration.packages.clear();
        }
    }
    found
}
