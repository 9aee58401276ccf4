//! What makes evidence stale: content that a run depended on, and nothing else.

use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_poc::internals::change::repository_of;
use cargo_poc::internals::cli::Cli;
use cargo_poc::internals::freshness::{Hasher, Inputs, changed};
use cargo_poc::internals::project::Project;
use clap::Parser as _;
use tempfile::TempDir;

struct Sample {
    _folder: TempDir,
    root: Utf8PathBuf,
}

impl Sample {
    /// One package with a tracked library, in a repository of one commit.
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let root = root.canonicalize_utf8().unwrap();
        let sample = Self {
            _folder: folder,
            root,
        };
        sample.write(
            "Cargo.toml",
            "[package]\nname = \"one\"\nedition = \"2021\"\n",
        );
        sample.write("src/lib.rs", "pub fn one() {}\n");
        sample.git("init --quiet");
        sample.commit();
        sample
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test's own file")]
        fs::write(path, content).unwrap();
    }

    fn git(&self, arguments: &str) {
        let status = Command::new("git")
            .current_dir(&self.root)
            .args(["-c", "user.name=x", "-c", "user.email=x@example.invalid"])
            .args(arguments.split(' '))
            .status();
        assert!(status.unwrap().success(), "git {arguments}");
    }

    fn commit(&self) {
        self.git("add --all");
        self.git("commit --quiet --message=next");
    }

    fn inputs(&self) -> Inputs {
        let manifest = self.root.join("Cargo.toml");
        let arguments = ["cargo-poc", "status", "--offline", "--manifest-path"];
        let cli = Cli::parse_from(arguments.into_iter().chain([manifest.as_str()]));
        let project = Project::load(&cli.global).unwrap();
        let repository = repository_of(&project.workspace).ok();
        let mut hasher =
            Hasher::new(&project.workspace, &project.config, repository, "rustc").unwrap();
        hasher.inputs(&[0].into()).unwrap()
    }
}

#[test]
fn edit_and_its_reversal_are_detected() {
    let sample = Sample::new();
    let before = sample.inputs();
    sample.write("src/lib.rs", "pub fn two() {}\n");
    assert_eq!(changed(&before, &sample.inputs()), ["one"]);
    sample.write("src/lib.rs", "pub fn one() {}\n");
    assert_eq!(sample.inputs(), before);
}

#[test]
fn commit_of_proven_sources_keeps_evidence_fresh() {
    let sample = Sample::new();
    let old = sample.inputs();
    sample.write("src/lib.rs", "mod new;\n");
    sample.write("src/new.rs", "// Not tracked yet.\n");
    let before = sample.inputs();
    assert_eq!(changed(&old, &before), ["one"]);
    sample.git("add src/new.rs");
    assert_eq!(sample.inputs(), before);
    sample.commit();
    assert_eq!(sample.inputs(), before);
}

#[test]
fn line_ends_converted_by_git_are_not_a_change() {
    let sample = Sample::new();
    sample.write(".gitattributes", "*.rs text\n");
    sample.write("src/lib.rs", "// One.\r\npub fn one() {}\r\n");
    let before = sample.inputs();
    sample.commit();
    assert_eq!(sample.inputs(), before);
    let lockfile = "version = 4\n\n[[package]]\nname = \"one\"\nversion = \"0.0.0\"\n";
    sample.write("Cargo.lock", lockfile);
    sample.commit();
    let before = sample.inputs();
    sample.write("Cargo.lock", &lockfile.replace('\n', "\r\n"));
    assert_eq!(sample.inputs(), before);
}

#[test]
fn files_hidden_from_git_are_hashed() {
    let sample = Sample::new();
    for flag in ["assume-unchanged", "skip-worktree"] {
        sample.git(&format!("update-index --{flag} src/lib.rs"));
        let before = sample.inputs();
        sample.write(
            "src/lib.rs",
            &format!("pub fn {}() {{}}\n", flag.replace('-', "_")),
        );
        assert_eq!(changed(&before, &sample.inputs()), ["one"], "{flag}");
    }
}

#[test]
fn deleted_file_is_a_change() {
    let sample = Sample::new();
    sample.write("src/data.txt", "1");
    sample.commit();
    let before = sample.inputs();
    fs::remove_file(sample.root.join("src/data.txt")).unwrap();
    let gone = sample.inputs();
    assert_eq!(changed(&before, &gone), ["one"]);
    sample.commit();
    assert_eq!(sample.inputs(), gone);
}

#[cfg(unix)]
#[test]
fn target_of_a_link_counts() {
    let sample = Sample::new();
    let elsewhere = TempDir::new().unwrap();
    let target = Utf8Path::from_path(elsewhere.path())
        .unwrap()
        .join("data.txt");
    #[expect(clippy::disallowed_methods, reason = "a test's own file")]
    fs::write(&target, "1").unwrap();
    std::os::unix::fs::symlink(&target, sample.root.join("src/data.txt")).unwrap();
    let before = sample.inputs();
    sample.commit();
    assert_eq!(sample.inputs(), before);
    #[expect(clippy::disallowed_methods, reason = "a test's own file")]
    fs::write(&target, "2").unwrap();
    assert_eq!(changed(&before, &sample.inputs()), ["one"]);
}

#[test]
fn names_with_line_breaks_are_hashed() {
    let sample = Sample::new();
    sample.write("src/say \"hello\".txt", "1");
    let before = sample.inputs();
    sample.write("src/say \"hello\".txt", "2");
    assert_eq!(changed(&before, &sample.inputs()), ["one"]);
}

#[cfg(unix)]
#[test]
fn a_permission_to_execute_is_detected_and_kept_by_a_commit() {
    use std::os::unix::fs::PermissionsExt as _;
    let sample = Sample::new();
    sample.write("run.sh", "#!/bin/sh\n");
    sample.commit();
    let before = sample.inputs();
    let allow = |mode: u32| {
        let path = sample.root.join("run.sh");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    allow(0o755);
    let allowed = sample.inputs();
    assert_eq!(changed(&before, &allowed), ["one"]);
    sample.commit();
    assert_eq!(sample.inputs(), allowed);
    allow(0o644);
    assert_eq!(sample.inputs(), before);
}
