//! Missing programs, folders that cannot be written, and full disks.

use super::{refused, workspace};
use crate::kit::{PROGRAM, Run, Sandbox, finish};

/// Runs a line with nothing on PATH but these programs.
#[cfg(unix)]
fn with_only(sandbox: &Sandbox, programs: &[&str], line: &str) -> Run {
    let folder = tempfile::tempdir().unwrap();
    for program in programs {
        let found = sandbox.shell(&format!("command -v {program}"));
        std::os::unix::fs::symlink(found.stdout.trim(), folder.path().join(program)).unwrap();
    }
    let mut command = sandbox.command(PROGRAM);
    command
        .args(shlex::split(line).unwrap())
        .env_remove("CARGO")
        .env("PATH", folder.path());
    finish(command, line)
}

#[cfg(unix)]
#[test]
fn no_git_on_the_path() {
    let sandbox = workspace();
    let before = sandbox.files();
    let programs = ["cargo", "rustc"];
    with_only(&sandbox, &programs, "affected")
        .exits(4)
        .says("failed to run `git`")
        .says("without git, name the files: `cargo poc affected --files");
    with_only(&sandbox, &programs, "affected --files app/src/lib.rs").exits(0);
    with_only(&sandbox, &programs, "status cache")
        .exits(0)
        .prints("0  It");
    assert_eq!(sandbox.files(), before);
    with_only(&sandbox, &programs, "init x -p app")
        .exits(0)
        .says("failed to run `git`")
        .says("has no base");
}

#[cfg(unix)]
#[test]
fn no_cargo_on_the_path() {
    let sandbox = workspace();
    let before = sandbox.files();
    for line in super::EVERY_COMMAND {
        with_only(&sandbox, &["git"], line)
            .exits(4)
            .says("failed to run `cargo`")
            .says("in PATH");
    }
    assert_eq!(sandbox.files(), before);
}

#[test]
fn a_docs_folder_that_cannot_be_written() {
    let sandbox = Sandbox::workspace("store");
    sandbox.write("docs", "a file where the folder should be");
    refused(
        &sandbox,
        "init x -p store",
        2,
        &["docs is a file", "--docs"],
    );
    refused(
        &sandbox,
        "init x -p store --docs docs/below",
        4,
        &["failed to create", "docs/below/x-plan.md"],
    );
    refused(&sandbox, "status", 4, &["failed to list", "docs"]);
}

/// A file size limit is what a full disk looks like to a writer: some bytes go through, then an error.
#[cfg(unix)]
#[test]
fn full_disk_leaves_no_partial_file() {
    let sandbox = workspace();
    let before = sandbox.files();
    let run = sandbox.shell("trap '' XFSZ; ulimit -f 1; cargo poc init x -p app");
    run.exits(4).says("failed to create").says("docs/x-plan.md");
    assert_eq!(sandbox.files(), before);
    // The first document fits and the second does not: then there is neither.
    sandbox
        .write("mine/plan.md", "# small\n")
        .write("mine/results.md", "words\n".repeat(1000));
    let before = sandbox.files();
    let run = sandbox.shell("trap '' XFSZ; ulimit -f 1; cargo poc init x -p app --template mine");
    run.exits(4)
        .says("failed to create")
        .says("docs/x-results.md");
    assert_eq!(sandbox.files(), before);
}

/// A real one: a file system in memory that is full, where it can be mounted.
#[cfg(target_os = "linux")]
#[test]
fn full_file_system_leaves_every_file_unchanged() {
    let sandbox = workspace();
    let mounts = sandbox.command("unshare");
    if !can_mount(mounts) {
        eprintln!("left out: a_full_file_system needs `unshare -rm`, which is not allowed here");
        return;
    }
    for (line, said) in [
        ("init x -p app", "failed to create"),
        ("step note cache 0 --issue 'it is slow'", "it is unchanged"),
        ("step start cache 0", "it is unchanged"),
        ("step add cache 'Another' --goal 'more'", "it is unchanged"),
        ("verify cache --step 0", "it is unchanged"),
    ] {
        // The folder of the documents is full; the earlier content is beside it.
        let script = format!(
            "rm -rf before && cp -r docs before && mount -t tmpfs -o size=64k none docs && cp before/* docs/
             cat /dev/zero >docs/filler 2>/dev/null || true
             code=0; cargo poc {line} || code=$?
             rm docs/filler; diff -r before docs; exit $code"
        );
        let mut command = sandbox.command("unshare");
        command.args(["-rm", "bash", "-euo", "pipefail", "-c", &script]);
        let run = finish(command, line);
        run.exits(4).says(said).says("No space left on device");
    }
}

#[cfg(target_os = "linux")]
fn can_mount(mut unshare: std::process::Command) -> bool {
    unshare.args([
        "-rm", "mount", "-t", "tmpfs", "-o", "size=64k", "none", "docs",
    ]);
    unshare.output().is_ok_and(|output| output.status.success())
}
