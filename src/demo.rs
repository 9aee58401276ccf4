//! The sample workspace of `cargo poc demo`, and the scenes that are played on it. Data only.
//!
//! Three packages: the program `app` depends on `store`; `codec` has no dependency. The planned work saves a store as
//! text. The first draft has a bug, the fix uses `codec`, and a later change of `codec` makes the evidence stale.

use crate::exit::Exit;

/// A file of the sample workspace: its path relative to the root, with `/`, and its content.
pub type File = (&'static str, &'static str);

/// The workspace before the work. In this package, the manifests have another name, because `cargo package` omits
/// folders that contain a `Cargo.toml`.
pub const WORKSPACE: [File; 11] = [
    (
        "Cargo.toml",
        include_str!("../template/demo/workspace.toml"),
    ),
    (".gitignore", include_str!("../template/demo/gitignore")),
    (
        "app/Cargo.toml",
        include_str!("../template/demo/app/package.toml"),
    ),
    (
        "app/src/main.rs",
        include_str!("../template/demo/app/src/main.rs"),
    ),
    (
        "app/tests/count.rs",
        include_str!("../template/demo/app/tests/count.rs"),
    ),
    (
        "codec/Cargo.toml",
        include_str!("../template/demo/codec/package.toml"),
    ),
    (CODEC, include_str!("../template/demo/codec/src/lib.rs")),
    (
        "codec/tests/round_trip.rs",
        include_str!("../template/demo/codec/tests/round_trip.rs"),
    ),
    (
        "store/Cargo.toml",
        include_str!("../template/demo/store/package.toml"),
    ),
    (STORE, include_str!("../template/demo/store/src/lib.rs")),
    (
        "store/tests/order.rs",
        include_str!("../template/demo/store/tests/order.rs"),
    ),
];

const CODEC: &str = "codec/src/lib.rs";
const STORE: &str = "store/src/lib.rs";
const SNAPSHOT: &str = "store/src/snapshot.rs";

/// One scene of the story.
#[derive(Debug)]
pub enum Scene {
    /// Prints a line about the next command.
    Say(&'static str),
    /// Runs `cargo poc`.
    Run {
        /// The current folder, relative to the root; empty for the root.
        folder: &'static str,
        /// Its arguments.
        arguments: &'static [&'static str],
        /// The expected exit code.
        exit: Exit,
    },
    /// Writes a file.
    Write(File),
    /// Replaces a text in a file.
    Edit {
        /// The file.
        path: &'static str,
        /// The old text, which occurs once.
        from: &'static str,
        /// The new text.
        to: &'static str,
    },
}

const fn run(arguments: &'static [&'static str], exit: Exit) -> Scene {
    Scene::Run {
        folder: "",
        arguments,
        exit,
    }
}

/// All scenes, in order.
pub const STORY: [Scene; 32] = [
    Scene::Say("Three packages: app depends on store; codec has no dependency."),
    Scene::Say("The work is to save a store as text. Start with a plan:"),
    Scene::Run {
        folder: "store",
        arguments: &[
            "init",
            "snapshot",
            "-p",
            "store",
            "--file",
            "src/snapshot.rs=save and load a store as text",
            "--file",
            "src/lib.rs=the new module",
            "--dep",
            "codec",
            "--path",
            "../codec",
            "--proves",
            "a saved store loads without loss",
        ],
        exit: Exit::Success,
    },
    Scene::Say("Record which tests pass before the change:"),
    run(&["verify", "snapshot", "--baseline", "-q"], Exit::Success),
    Scene::Say("Add the planned dependency to store/Cargo.toml:"),
    run(&["deps", "snapshot", "--dry-run"], Exit::Success),
    run(&["deps", "snapshot"], Exit::Success),
    run(&["verify", "snapshot", "--step", "0", "-q"], Exit::Success),
    Scene::Say(
        "Write a first draft of store/src/snapshot.rs, with one line per value, and its tests.",
    ),
    Scene::Edit {
        path: STORE,
        from: "use std::",
        to: "mod snapshot;\n\nuse std::",
    },
    Scene::Write((
        SNAPSHOT,
        include_str!("../template/demo/work/snapshot_draft.rs"),
    )),
    Scene::Write((
        "store/tests/snapshot.rs",
        include_str!("../template/demo/work/snapshot_tests.rs"),
    )),
    Scene::Say("Which tests of the workspace can this change affect?"),
    run(&["affected"], Exit::Success),
    Scene::Say("Verify step 1. A value with two lines fails:"),
    run(&["verify", "snapshot", "--step", "1", "-q"], Exit::Findings),
    Scene::Say("Fix it: snapshot.rs encodes the values with codec."),
    Scene::Write((
        SNAPSHOT,
        include_str!("../template/demo/work/snapshot_fixed.rs"),
    )),
    run(&["verify", "snapshot", "--step", "1", "-q"], Exit::Success),
    Scene::Say("Verify the rest of the plan:"),
    run(&["verify", "snapshot", "--step", "2", "-q"], Exit::Success),
    run(&["status", "snapshot"], Exit::Success),
    Scene::Say("Later, someone makes codec faster. The evidence of steps 1 and 2 is stale:"),
    Scene::Edit {
        path: CODEC,
        from: "let mut text = String::new();",
        to: "let mut text = String::with_capacity(64);",
    },
    run(&["status", "--check"], Exit::Stale),
    Scene::Say("Verify them again:"),
    run(&["verify", "snapshot", "--step", "1", "-q"], Exit::Success),
    run(&["verify", "snapshot", "--step", "2", "-q"], Exit::Success),
    run(&["status", "--check"], Exit::Success),
    Scene::Say("The plan and its evidence are Markdown files in docs/, tracked by git."),
    Scene::Say("In your own workspace: cargo poc init NAME -p PACKAGE"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn edits_match_once_and_writes_change_files() {
        let mut files: BTreeMap<&str, String> = WORKSPACE
            .iter()
            .map(|(path, content)| (*path, (*content).to_owned()))
            .collect();
        for scene in &STORY {
            match scene {
                Scene::Edit { path, from, to } => {
                    let text = files.get_mut(path).expect("the edited file exists");
                    assert_eq!(text.matches(from).count(), 1, "{path}: {from}");
                    *text = text.replacen(from, to, 1);
                }
                Scene::Write((path, content)) => {
                    let before = files.insert(path, (*content).to_owned());
                    assert_ne!(before.as_deref(), Some(*content), "{path}");
                }
                Scene::Say(_) | Scene::Run { .. } => {}
            }
        }
    }

    #[test]
    fn story_contains_a_failure_and_stale_evidence_and_ends_with_success() {
        let exits: Vec<Exit> = STORY
            .iter()
            .filter_map(|scene| match scene {
                Scene::Run { exit, .. } => Some(*exit),
                _ => None,
            })
            .collect();
        assert!(exits.contains(&Exit::Findings));
        assert!(exits.contains(&Exit::Stale));
        assert_eq!(exits.last(), Some(&Exit::Success));
    }
}
