//! Calls of cargo that run tests, and the configurations that they build in.

use std::collections::BTreeMap;

use crate::config::configurations::check_features;
use crate::script::calls::Call;
use crate::script::simple_commands::{Command, of_text};
use crate::sys::{cargo_alias, files};
use crate::workspace::{Configuration, Workspace};

/// A call of cargo that runs tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CargoCall {
    /// The words after `cargo`, up to `--`.
    pub(super) words: Vec<String>,
    /// The flags of rustc that are assigned before it.
    pub(super) flags: Option<String>,
}

/// The simple commands of a text that may call cargo.
pub(super) fn commands_with_cargo(text: &str) -> Vec<Command> {
    let mut commands = if text.contains("cargo") {
        of_text(text, 1)
    } else {
        Vec::new()
    };
    commands.retain(|command| command.words.iter().any(|word| word == "cargo"));
    commands
}

/// The calls of cargo that run tests.
pub(super) fn cargo_calls(
    commands: &[Command],
    aliases: &BTreeMap<String, Vec<String>>,
) -> Vec<CargoCall> {
    let calls = commands.iter();
    let calls = calls.filter_map(|command| cargo_call(command, aliases));
    calls.collect()
}

/// `cargo` may stand behind other words: a key of a file, `env A=1`.
fn cargo_call(command: &Command, aliases: &BTreeMap<String, Vec<String>>) -> Option<CargoCall> {
    let mut words = command.words.clone();
    let at = words.iter().position(|word| word == "cargo")?;
    let assigned = words[..at].iter().rev();
    let flags = assigned.filter_map(|word| word.strip_prefix("RUSTFLAGS="));
    let mut before = command.assigned.iter().rev();
    let before = before.find(|(name, _)| name == "RUSTFLAGS");
    let flags = flags.map(str::to_owned).next();
    let flags = flags.or_else(|| before.map(|(_, flags)| flags.clone()));
    let is_toolchain = |word: &String| word.starts_with('+');
    words.drain(..=at + usize::from(words.get(at + 1).is_some_and(is_toolchain)));
    words = cargo_alias::resolve(words, aliases);
    let end = words.iter().position(|word| word == "--");
    words.truncate(end.unwrap_or(words.len()));
    let words = CargoCall { words, flags };
    words.arguments().is_some().then_some(words)
}

impl CargoCall {
    /// Whether the test runner is nextest, and its arguments.
    fn arguments(&self) -> Option<(bool, &[String])> {
        match self.words.as_slice() {
            [runner, run, rest @ ..] if runner == "nextest" && (run == "run" || run == "r") => {
                Some((true, rest))
            }
            [runner, rest @ ..] if runner == "test" || runner == "t" => Some((false, rest)),
            _ => None,
        }
    }
}

/// The configuration of a call; `None` if it is unknown, or belongs to another workspace.
pub(super) fn configuration(workspace: &Workspace, call: &CargoCall) -> Option<Configuration> {
    let (is_nextest, arguments) = call.arguments()?;
    let parsed = Call::parse(arguments, is_nextest);
    let may_add_options = |word: &String| word.starts_with('$') || word.contains("$FLAGS");
    if arguments.iter().any(may_add_options) {
        return None;
    }
    let mut found = parsed.configuration;
    if let Some(flags) = &call.flags
        && flags.contains("--cfg")
    {
        found
            .environment
            .insert("RUSTFLAGS".to_owned(), flags.clone());
    }
    for package in parsed.packages {
        found.packages.insert(workspace.find(package).ok()?);
    }
    for option in parsed.others {
        match option.name {
            "--manifest-path" => {
                let path = files::normalize(&workspace.root.join(option.value?));
                let members = workspace.packages.iter();
                let member = members
                    .enumerate()
                    .find(|(_, member)| member.manifest_path == path);
                match member {
                    Some((member, _)) if path != workspace.root.join("Cargo.toml") => {
                        found.packages.insert(member);
                    }
                    _ if path == workspace.root.join("Cargo.toml") => {}
                    _ => return None,
                }
            }
            // A build of the standard library, or settings of this call alone.
            "-Z" | "--config" => return None,
            _ => {}
        }
    }
    found.features.sort();
    found.features.dedup();
    let is_known = {
        let others = [&found.target, &found.profile].into_iter().flatten();
        let others = others.chain(found.environment.values());
        let mut texts = found.features.iter().chain(others);
        texts.all(|text| !text.contains(['$', '{', '}', '%']))
    };
    let is_known = is_known && check_features(workspace, &found).is_ok();
    if found.feature_arguments().is_empty()
        && found.build_arguments().is_empty()
        && found.environment.is_empty()
    {
        // A selection of packages is not a configuration.
        found.packages.clear();
    }
    is_known.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(command: &str) -> Vec<String> {
        let aliases = BTreeMap::from([
            (
                "it".to_owned(),
                vec![
                    "test".to_owned(),
                    "--features".to_owned(),
                    "slow".to_owned(),
                ],
            ),
            ("lint".to_owned(), vec!["clippy".to_owned()]),
        ]);
        let calls = cargo_calls(&commands_with_cargo(command), &aliases).into_iter();
        calls.map(|call| call.words.join(" ")).collect()
    }

    #[test]
    fn test_calls_are_found_in_commands() {
        assert_eq!(
            calls("run: cargo test --all-features -- --nocapture"),
            ["test --all-features"]
        );
        assert_eq!(
            calls("env A=1 cargo +nightly t -p x && cargo nextest run"),
            ["t -p x", "nextest run"]
        );
        assert_eq!(
            calls("cargo it --workspace"),
            ["test --features slow --workspace"]
        );
        assert_eq!(
            calls("cargo +${} test --features ${}"),
            ["test --features ${}"]
        );
        let commands = commands_with_cargo("A=1 RUSTFLAGS='--cfg loom' cargo test --lib");
        let found = cargo_calls(&commands, &BTreeMap::new());
        assert_eq!(found[0].flags.as_deref(), Some("--cfg loom"));
        for other in [
            "cargo lint",
            "cargo build",
            "cargo miri test",
            "cargo hack test",
            "echo test",
        ] {
            assert_eq!(calls(other), Vec::<String>::new(), "{other}");
        }
    }
}
