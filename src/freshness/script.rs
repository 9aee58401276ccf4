//! The packages whose tests a shell block runs.

use std::collections::BTreeSet;

use crate::workspace::{PackageId, Workspace};

/// The packages that a plan's shell block tests: those its cargo commands select with `-p`. The whole workspace for
/// `--workspace`, for commands without `-p`, and for other programs, which may depend on anything.
#[must_use]
pub fn packages_of_script(workspace: &Workspace, script: &str) -> BTreeSet<PackageId> {
    let everything = || (0..workspace.packages.len()).collect();
    let mut packages = BTreeSet::new();
    for command in script
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let plain = !command.contains(['|', ';', '&', '$', '`', '<', '>', '\\']);
        match plain
            .then(|| of_cargo_command(workspace, command))
            .flatten()
        {
            Some(named) => packages.extend(named),
            None => return everything(),
        }
    }
    if packages.is_empty() {
        everything()
    } else {
        packages
    }
}

/// The packages that a cargo command selects; none for `cargo poc`, which does not test anything itself.
fn of_cargo_command(workspace: &Workspace, command: &str) -> Option<BTreeSet<PackageId>> {
    let words = shlex::split(command)?;
    let mut words = words
        .iter()
        .map(String::as_str)
        .take_while(|word| *word != "--");
    if words.next() != Some("cargo") {
        return None;
    }
    let mut packages = BTreeSet::new();
    let mut own = false;
    while let Some(word) = words.next() {
        let spec = match word {
            "poc" => {
                own = true;
                continue;
            }
            "-p" | "--package" => words.next()?,
            _ => match word
                .strip_prefix("--package=")
                .or_else(|| word.strip_prefix("-p"))
            {
                Some(spec) => spec,
                None => continue,
            },
        };
        packages.insert(workspace.find(spec).ok()?);
    }
    (own || !packages.is_empty()).then_some(packages)
}
