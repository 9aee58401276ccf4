//! The sample workspace and the story that `cargo poc demo` tells on it: data, no processes and no files.
//!
//! Three packages: `app`, a program, stands on `store`; `codec` stands by itself. The work lets a store be saved as text;
//! its first draft has a fault, its fix takes `codec`, and then `codec` changes under what was proven.

use crate::exit::Exit;

/// A file of the sample workspace: its path below the root, with `/`, and its content.
pub type File = (&'static str, &'static str);

/// The workspace as it is before the work. Manifests have another name in the program's own package, since cargo packs no
/// folder that holds a `Cargo.toml` of its own.
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
    /// A line about the next command.
    Say(&'static str),
    /// `cargo poc` with these arguments, in this folder below the root (empty: the root itself), and how it must end.
    Run {
        /// Where.
        folder: &'static str,
        /// With what.
        arguments: &'static [&'static str],
        /// How it must end.
        exit: Exit,
    },
    /// A file is written whole.
    Write(File),
    /// In a file, the first text becomes the second.
    Edit {
        /// Which file.
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

/// The story, in order.
pub const STORY: [Scene; 32] = [
    Scene::Say("Three packages: app stands on store; codec stands by itself."),
    Scene::Say("A store shall be saved as text. That is risky enough for a plan:"),
    Scene::Run {
        folder: "store",
        arguments: &[
            "init",
            "snapshot",
            "-p",
            "store",
            "--file",
            "src/snapshot.rs=a store as text and back",
            "--file",
            "src/lib.rs=the new module",
            "--dep",
            "codec",
            "--path",
            "../codec",
            "--proves",
            "a saved store loads back whole",
        ],
        exit: Exit::Fine,
    },
    Scene::Say("First, what passes before anything changes:"),
    run(&["verify", "snapshot", "--baseline", "-q"], Exit::Fine),
    Scene::Say("The plan's dependency goes into store/Cargo.toml:"),
    run(&["deps", "snapshot", "--dry-run"], Exit::Fine),
    run(&["deps", "snapshot"], Exit::Fine),
    Scene::Say(
        "The work: store/src/snapshot.rs, a first draft with one line per value, and its tests.",
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
    Scene::Say("Which tests can that reach, of the whole workspace?"),
    run(&["affected"], Exit::Fine),
    Scene::Say("Does step 1 hold? A value of two lines does not survive:"),
    run(&["verify", "snapshot", "--step", "1", "-q"], Exit::Findings),
    Scene::Say("The fix: snapshot.rs hands the values to codec, which was made for that."),
    Scene::Write((
        SNAPSHOT,
        include_str!("../template/demo/work/snapshot_fixed.rs"),
    )),
    run(&["verify", "snapshot", "--step", "1", "-q"], Exit::Fine),
    Scene::Say("And the rest of the plan:"),
    run(&["verify", "snapshot", "--step", "0", "-q"], Exit::Fine),
    run(&["verify", "snapshot", "--step", "2", "-q"], Exit::Fine),
    run(&["status", "snapshot"], Exit::Fine),
    Scene::Say(
        "Later, someone makes codec faster. Is what was proven still true? Nobody has looked:",
    ),
    Scene::Edit {
        path: CODEC,
        from: "let mut text = String::new();",
        to: "let mut text = String::with_capacity(64);",
    },
    run(&["status", "--check"], Exit::Stale),
    Scene::Say("So look again:"),
    run(&["verify", "snapshot", "--step", "1", "-q"], Exit::Fine),
    run(&["verify", "snapshot", "--step", "2", "-q"], Exit::Fine),
    run(&["status", "--check"], Exit::Fine),
    Scene::Say("The plan and its evidence are plain files in docs/, for git and for people."),
    Scene::Say("On a workspace of your own: cargo poc init NAME -p PACKAGE"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_edit_finds_its_text_once_and_every_file_is_written_once_or_changed() {
        let mut files: BTreeMap<&str, String> = WORKSPACE
            .iter()
            .map(|(path, content)| (*path, (*content).to_owned()))
            .collect();
        for scene in &STORY {
            match scene {
                Scene::Edit { path, from, to } => {
                    let text = files
                        .get_mut(path)
                        .expect("an edit of a file that is there");
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
    fn the_story_shows_a_failure_and_a_stale_proof_and_ends_well() {
        let exits: Vec<Exit> = STORY
            .iter()
            .filter_map(|scene| match scene {
                Scene::Run { exit, .. } => Some(*exit),
                _ => None,
            })
            .collect();
        assert!(exits.contains(&Exit::Findings));
        assert!(exits.contains(&Exit::Stale));
        assert_eq!(exits.last(), Some(&Exit::Fine));
    }
}
