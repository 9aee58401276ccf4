//! The change since a base, in every state that git can have a file in.

use camino::Utf8Path;
use cargo_poc::internals::change::Change;
use cargo_poc::internals::sys::git::{ChangeKind, Repository};

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

#[test]
fn files_that_git_does_not_check_are_compared_by_content() {
    let sandbox = Sandbox::workspace("store");
    for name in ["skipped", "assumed", "same", "gone", "sparse"] {
        sandbox.write(&format!("store/{name}.txt"), "before\n");
    }
    sandbox.git();
    let base = sandbox.run_git(&["rev-parse", "HEAD"]);
    for name in ["skipped", "same", "sparse"] {
        sandbox.run_git(&[
            "update-index",
            "--skip-worktree",
            &format!("store/{name}.txt"),
        ]);
    }
    for name in ["assumed", "gone"] {
        sandbox.run_git(&[
            "update-index",
            "--assume-unchanged",
            &format!("store/{name}.txt"),
        ]);
    }
    sandbox.write("store/skipped.txt", "after\n");
    sandbox.write("store/assumed.txt", "after\n");
    sandbox.remove("store/gone.txt");
    // A sparse checkout leaves files out.
    sandbox.remove("store/sparse.txt");

    let repository = Repository::open(&sandbox.root).unwrap();
    let changes = repository.changes_since(&base).unwrap();
    let seen: Vec<(&str, ChangeKind)> = changes
        .iter()
        .map(|change| (change.path.as_str(), change.kind))
        .collect();
    assert_eq!(
        seen,
        [
            ("store/assumed.txt", ChangeKind::Modified),
            ("store/gone.txt", ChangeKind::Deleted),
            ("store/skipped.txt", ChangeKind::Modified),
        ]
    );
}

#[test]
fn a_submodule_is_compared_file_by_file() {
    let other = Sandbox::workspace("inner");
    other.git();
    let sandbox = Sandbox::workspace("store");
    sandbox.git();
    let from = other.root.to_string();
    sandbox.run_git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        &from,
        "vendor/lib",
    ]);
    sandbox.commit("submodule");
    let base = sandbox.run_git(&["rev-parse", "HEAD"]);
    let before = sandbox.read("vendor/lib/inner/src/lib.rs");
    sandbox.append("vendor/lib/inner/src/lib.rs", "pub fn more() {}\n");
    sandbox.run_git(&["-C", "vendor/lib", "commit", "-qam", "more"]);
    sandbox.write("vendor/lib/new.txt", "new\n");

    let repository = Repository::open(&sandbox.root).unwrap();
    let changes = repository.changes_since(&base).unwrap();
    let seen: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(seen, ["vendor/lib/inner/src/lib.rs", "vendor/lib/new.txt"]);
    let sources = repository.submodule_sources(&base).unwrap();
    assert_eq!(
        sources[Utf8Path::new("vendor/lib/inner/src/lib.rs")],
        before.as_bytes()
    );
}

#[cfg(unix)]
#[test]
fn symbolic_link_changes_with_its_target() {
    use std::os::unix::fs::symlink;

    let sandbox = Sandbox::workspace("store");
    sandbox.write("store/src/shared/one.rs", "pub fn v() {}\n");
    std::fs::create_dir_all(sandbox.root.join("links")).unwrap();
    symlink("../store/src/shared", sandbox.root.join("links/folder")).unwrap();
    symlink("folder/one.rs", sandbox.root.join("links/file.rs")).unwrap();
    sandbox.git();
    sandbox.write("store/src/shared/one.rs", "pub fn w() {}\n");

    let repository = Repository::open(&sandbox.root).unwrap();
    let change = Change::since(&repository, "HEAD").unwrap();
    let seen: Vec<&str> = change
        .files
        .iter()
        .map(|file| file.path.strip_prefix(&sandbox.root).unwrap().as_str())
        .collect();
    assert_eq!(
        seen,
        [
            "links/file.rs",
            "links/folder/one.rs",
            "store/src/shared/one.rs"
        ]
    );
    for file in &change.files {
        let before = change.before(file).unwrap().unwrap();
        assert_eq!(before, b"pub fn v() {}\n", "{}", file.path);
    }
}
