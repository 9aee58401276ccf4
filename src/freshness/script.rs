//! The packages whose tests a shell block runs.

use std::collections::BTreeSet;

use crate::script::cargo_arguments::{Effect, cargo_arguments};
use crate::script::simple_commands::of_text;
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
    let commands = of_text(command, 1);
    let [command] = commands.as_slice() else {
        return None;
    };
    if command.program() != "cargo" || !command.assigned.is_empty() {
        return None;
    }
    let (arguments, _) = cargo_arguments(&command.words[1..]);
    let own = arguments.iter().any(|argument| argument.name == "poc");
    let named = arguments
        .iter()
        .filter(|argument| argument.effect == Effect::Package);
    let named = named.map(|argument| workspace.find(argument.value?).ok());
    let packages: BTreeSet<PackageId> = named.collect::<Option<_>>()?;
    (own || !packages.is_empty()).then_some(packages)
}
