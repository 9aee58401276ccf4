//! The change since a base, in every state that git can have a file in.

use camino::Utf8Path;
use cargo_poc::sys::git::{ChangeKind, Repository};

use crate::kit::Sandbox;

#[test]
fn every_state_of_a_file_counts_once() {
    let sandbox = Sandbox::workspace("store");
    for name in [
        "kept", "edited", "staged", "gone", "dropped", "left", "put-back",
    ] {
        sandbox.write(&format!("store/{name}.txt"), "before\n");
    }
    sandbox.git();
    let base = sandbox.run_git(&["rev-parse", "HEAD"]);
    sandbox.write("store/committed.txt", "new\n");
    sandbox.run_git(&["add", "."]);
    sandbox.run_git(&["commit", "-qm", "more"]);
    sandbox.write("store/edited.txt", "after\n");
    for name in ["staged", "added", "fleeting", "put-back"] {
        sandbox.write(&format!("store/{name}.txt"), "after\n");
        sandbox.run_git(&["add", &format!("store/{name}.txt")]);
    }
    sandbox.remove("store/fleeting.txt");
    sandbox.remove("store/gone.txt");
    sandbox.run_git(&["rm", "-q", "store/dropped.txt"]);
    sandbox.run_git(&["rm", "-q", "--cached", "store/left.txt"]);
    sandbox.write("store/untracked é.txt", "new\n");
    sandbox.write("store/put-back.txt", "before\n");

    let repository = Repository::open(&sandbox.root).unwrap();
    let changes = repository.changes_since(&base).unwrap();

    let seen: Vec<(&Utf8Path, ChangeKind)> = changes
        .iter()
        .map(|change| (change.path.as_path(), change.kind))
        .collect();
    let expected = [
        ("store/added.txt", ChangeKind::Added),
        ("store/committed.txt", ChangeKind::Added),
        ("store/dropped.txt", ChangeKind::Deleted),
        ("store/edited.txt", ChangeKind::Modified),
        ("store/gone.txt", ChangeKind::Deleted),
        ("store/left.txt", ChangeKind::Modified),
        // As at the base again, but staged otherwise: more than enough is no fault.
        ("store/put-back.txt", ChangeKind::Modified),
        ("store/staged.txt", ChangeKind::Modified),
        ("store/untracked é.txt", ChangeKind::Added),
    ];
    assert_eq!(
        seen,
        expected.map(|(path, kind)| (Utf8Path::new(path), kind))
    );
}
