//! The environment variables that tests may depend on.

use std::collections::BTreeSet;

use anyhow::Result;
use camino::Utf8Path;
use rayon::prelude::*;

use super::Hasher;
use crate::affected::items::{is_script, outside_effects};
use crate::freshness::environment;
use crate::freshness::inputs::Inputs;
use crate::sys::files;
use crate::workspace::PackageId;
use crate::workspace::variables::{
    Variables, all_variables, places_read_by, reads_unknown_name, script_reads_unknown_name,
};

impl Hasher<'_> {
    /// The variables that tests of all members may depend on: those that their sources read, all if one may read a variable by a name
    /// that is in no source, and `PATH` if one may start a program.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn variables(&self) -> Result<Inputs> {
        let members = 0..self.workspace.packages.len();
        let all = members.map(Some).chain([None]).collect();
        let variables = Variables::current();
        let read: Vec<BTreeSet<String>> = self.by_source(&all, |is_rust, text| {
            let mut names = named_in(&variables, is_rust, text);
            let has_unknown_name = if is_rust {
                names.extend(places_read_by(text));
                if outside_effects::may_start_program(text) {
                    names.insert("PATH".to_owned());
                }
                reads_unknown_name(text)
            } else {
                script_reads_unknown_name(text)
            };
            if has_unknown_name {
                names.extend(all_variables());
            }
            names
        })?;
        let names: BTreeSet<String> = read.into_iter().flatten().collect();
        Ok(environment::values(names.iter()))
    }

    /// The variables that the sources of these inputs read.
    pub(super) fn variables_read(
        &self,
        keys: &BTreeSet<Option<PackageId>>,
    ) -> Result<BTreeSet<String>> {
        let variables = Variables::current();
        let read: Vec<BTreeSet<String>> =
            self.by_source(keys, |is_rust, text| named_in(&variables, is_rust, text))?;
        Ok(read.into_iter().flatten().collect())
    }

    /// What `of` says of each source and script of these inputs, by whether it is Rust.
    fn by_source<T: Send>(
        &self,
        keys: &BTreeSet<Option<PackageId>>,
        of: impl Fn(bool, &str) -> T + Sync,
    ) -> Result<Vec<T>> {
        let is_rust = |path: &Utf8Path| path.extension() == Some("rs");
        self.files_of(keys)
            .par_bridge()
            .filter(|path| is_rust(path) || is_script(path.as_str()))
            .map(|path| {
                let text = files::read_if_exists(path)?.unwrap_or_default();
                Ok(of(is_rust(path), &String::from_utf8_lossy(&text)))
            })
            .collect()
    }
}

/// The variables that a source or a script names.
fn named_in(variables: &Variables, is_rust: bool, text: &str) -> BTreeSet<String> {
    if is_rust {
        variables.read_by(text)
    } else {
        variables.read_by_script(text)
    }
}
