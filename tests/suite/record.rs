//! What the program records, and when it refuses to: changes during a run, the environment, locks, conflicts, branches.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::process::Stdio;

use crate::kit::{PROGRAM, Run, Sandbox, finish};

const LIBRARY: &str = "\
pub fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[cfg(test)]
mod tests {
    #[test]
    fn adds() {
        assert!(std::env::var(\"ADDS_WRONG\").is_err());
        assert_eq!(super::add(1, 2), 3);
    }
}
";

fn plan(block: &str) -> String {
    format!(
        "# Cache Plan\n\n## Overview\n\n| Attribute | Value |\n|---|---|\n| **Name** | Cache |\n| **Base** | `HEAD` |\n| **Packages** | `app` |\n\n\
         ## Success Criteria\n\n- [ ] it works\n\n## Implementation Steps\n\n### Step 1: Add\n\n**Tasks**:\n- [ ] do\n\n\
         **Verification**:\n```bash\n{block}\n```\n"
    )
}

const RESULTS: &str = "# Cache: results\n\n## Summary\n\n| Attribute | Value |\n|---|---|\n| **Status** | In Progress |\n\n\
                       ## Implementation Progress\n\n### Step 1: Add\n\n**Status**: In Progress\n";
const TEST: &str = "cargo test --offline -p app --lib";

/// A package with one test, and a plan with one step that runs `block`.
fn sandbox(block: &str) -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox
        .write(
            "Cargo.toml",
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        )
        .write("src/lib.rs", LIBRARY)
        .write("docs/cache-plan.md", plan(block))
        .write("docs/cache-results.md", RESULTS);
    sandbox.lock_with_cargo();
    sandbox.git();
    sandbox
}

fn verify(sandbox: &Sandbox) -> Run {
    sandbox.poc("verify cache --step 1 --runner cargo")
}

fn with_variable(sandbox: &Sandbox, line: &str, name: &str, value: &str) -> Run {
    let mut command = sandbox.command(PROGRAM);
    command.args(line.split(' ')).env(name, value);
    finish(command, line)
}

fn state(sandbox: &Sandbox) -> String {
    let status = sandbox.poc("status cache --format json").json();
    let state = &status["pocs"][0]["steps"][0]["state"];
    state.as_str().unwrap().to_owned()
}

/// How many different records the results hold: a union merge may double one.
fn records(sandbox: &Sandbox) -> usize {
    let results = sandbox.read("docs/cache-results.md");
    let records = results.lines();
    let records = records.filter(|line| line.starts_with("<!-- cargo-poc:evidence v1 "));
    records.collect::<BTreeSet<_>>().len()
}

#[test]
fn run_with_changing_sources_proves_nothing() {
    let sandbox = sandbox(&format!("echo '// edited' >> src/lib.rs\n{TEST}"));
    let run = verify(&sandbox);
    run.exits(4)
        .says("changed while the commands ran: src/lib.rs");
    assert_eq!(records(&sandbox), 1);
    assert_eq!(state(&sandbox), "stale");
    sandbox.commit("edited");
    assert_eq!(state(&sandbox), "stale", "also once it is committed");
}

#[test]
fn a_file_that_appears_during_a_run_is_a_change() {
    let sandbox = sandbox(&format!("echo 'pub fn new() {{}}' > src/new.rs\n{TEST}"));
    verify(&sandbox)
        .exits(4)
        .says("changed while the commands ran: src/new.rs");
    assert_eq!(state(&sandbox), "stale");
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_the_program_prints_into_is_no_change() {
    let sandbox = sandbox(TEST);
    sandbox
        .shell("cargo poc verify cache --step 1 --no-close >out.txt 2>errors.txt")
        .exits(0);
    assert!(!sandbox.read("errors.txt").contains("changed while"));
    sandbox.remove("out.txt").remove("errors.txt");
    assert_eq!(state(&sandbox), "proven");
    let run = sandbox.shell("cargo poc affected --base HEAD >out.txt && cat out.txt");
    run.exits(0).hides("out.txt");
}

#[test]
fn variables_that_control_the_build_are_inputs() {
    let sandbox = sandbox(TEST);
    for (name, value) in [
        ("RUSTFLAGS", "--cfg other"),
        ("CARGO_PROFILE_TEST_DEBUG_ASSERTIONS", "false"),
        ("CARGO_BUILD_RUSTFLAGS", "--cfg other"),
    ] {
        let line = "verify cache --step 1 --runner cargo";
        with_variable(&sandbox, line, name, value).exits(0);
        assert_eq!(state(&sandbox), "stale", "{name}");
        let gate = "status cache --format json";
        let status = with_variable(&sandbox, gate, name, value).json();
        assert_eq!(status["pocs"][0]["steps"][0]["state"], "proven", "{name}");
    }
    assert!(
        !sandbox
            .read("docs/cache-results.md")
            .contains("--cfg other")
    );
}

#[test]
fn variables_that_the_code_reads_are_inputs() {
    let sandbox = sandbox(TEST);
    verify(&sandbox).exits(0);
    assert_eq!(state(&sandbox), "proven");
    let gate = "status cache --format json";
    let status = with_variable(&sandbox, gate, "ADDS_WRONG", "1").json();
    let step = &status["pocs"][0]["steps"][0];
    assert_eq!(step["state"], "stale", "{step}");
    let status = with_variable(&sandbox, gate, "NOBODY_READS_THIS", "1").json();
    assert_eq!(status["pocs"][0]["steps"][0]["state"], "proven");
}

#[cfg(unix)]
#[test]
fn variables_that_a_name_is_computed_for_or_a_child_reads_are_inputs() {
    let sandbox = sandbox(TEST);
    sandbox.append(
        "src/lib.rs",
        "#[test]\nfn computed() {\n    assert!(std::env::var(format!(\"{}_QUICK\", module_path!())).is_err());\n}\n\
         #[test]\nfn child() {\n    std::process::Command::new(\"sh\").arg(\"run.sh\").status().unwrap();\n}\n",
    );
    sandbox.write("run.sh", "echo \"$LOUD\"\n");
    let line = "verify cache --step 1 --runner cargo";
    for name in ["APP_QUICK", "LOUD"] {
        with_variable(&sandbox, line, name, "1").exits(0);
        assert_eq!(state(&sandbox), "stale", "{name}");
    }
    with_variable(&sandbox, line, "NOBODY_READS_THIS", "1").exits(0);
    assert_eq!(state(&sandbox), "proven");
}

#[cfg(unix)]
#[test]
fn process_waiting_for_a_lock_names_the_documents() {
    let sandbox = sandbox("echo fine");
    let folder = File::open(sandbox.root.join("docs")).unwrap();
    folder.lock().unwrap();
    let mut waiting = sandbox
        .command(PROGRAM)
        .args(["verify", "cache", "--step", "1"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut stderr = waiting.stderr.take().unwrap();
    while !said.contains("Blocking waiting for file lock on docs/cache-results.md") {
        let mut bytes = [0; 256];
        let read = stderr.read(&mut bytes).unwrap();
        assert!(read > 0, "it did not wait: {said}");
        said.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    assert_eq!(records(&sandbox), 0);
    folder.unlock().unwrap();
    assert!(waiting.wait().unwrap().success());
    assert_eq!(records(&sandbox), 1);
}

#[cfg(unix)]
#[test]
fn writers_with_separate_target_folders_lose_no_record() {
    let sandbox = sandbox("echo fine");
    let children: Vec<_> = (0..8)
        .map(|number| {
            let mut command = sandbox.command(PROGRAM);
            command
                .args(["verify", "cache", "--step", "1", "-q"])
                .env(
                    "CARGO_TARGET_DIR",
                    sandbox.root.join(format!("target/{number}")),
                )
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command.spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(records(&sandbox), 8);
    assert_eq!(
        sandbox.run_git(&["status", "--porcelain"]),
        "M docs/cache-results.md"
    );
}

#[cfg(unix)]
#[test]
fn two_files_change_together_or_not_at_all() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = sandbox(TEST);
    let before = sandbox.read("docs/cache-plan.md");
    let results = sandbox.root.join("docs/cache-results.md");
    std::fs::set_permissions(&results, std::fs::Permissions::from_mode(0o444)).unwrap();
    sandbox.poc("step add cache new").exits(4).says("read-only");
    assert_eq!(sandbox.read("docs/cache-plan.md"), before);
    verify(&sandbox).exits(4).says("read-only");
    sandbox
        .poc("verify cache --full --runner cargo")
        .exits(4)
        .says("nothing was run, because the run could not be recorded");
}

#[cfg(unix)]
#[test]
fn documents_are_regular_files_of_the_repository() {
    let sandbox = sandbox(TEST);
    let path = sandbox.root.join("docs/pipe-plan.md");
    sandbox.shell(&format!("mkfifo {path}")).exits(0);
    sandbox.poc("status").exits(2).says("is not a regular file");
    sandbox.poc("status cache").exits(0);
    sandbox.remove("docs/pipe-plan.md");
    std::os::unix::fs::symlink("/etc/passwd", sandbox.root.join("docs/far-plan.md")).unwrap();
    sandbox.poc("status").exits(2).says("is outside");
    sandbox.poc("status cache").exits(0);
    sandbox.remove("docs/far-plan.md");
    sandbox.run_git(&["mv", "docs/cache-plan.md", "plan.md"]);
    std::os::unix::fs::symlink("../plan.md", sandbox.root.join("docs/cache-plan.md")).unwrap();
    sandbox.poc("status cache").exits(0);
}

#[test]
fn conflict_markers_stop_runs_and_records() {
    for (path, old) in [
        ("docs/cache-results.md", "**Status**: In Progress"),
        ("docs/cache-plan.md", TEST),
    ] {
        let sandbox = sandbox(TEST);
        let both = format!("<<<<<<< HEAD\n{old}\n=======\n{old}\n>>>>>>> other");
        sandbox.edit(path, old, &both);
        let before = sandbox.read("docs/cache-results.md");
        for line in [
            "verify cache --step 1",
            "verify cache --affected",
            "step start cache 1",
        ] {
            sandbox.poc(line).exits(2).says("conflict markers");
        }
        assert_eq!(sandbox.read("docs/cache-results.md"), before);
        let checked = sandbox.poc("check cache");
        checked.prints("POC014");
        assert_ne!(checked.code, 0);
        assert_ne!(sandbox.poc("status cache --check").code, 0);
    }
}

/// Two branches, each with a recorded and committed run.
fn branches() -> Sandbox {
    let sandbox = sandbox(TEST);
    sandbox.write("docs/.gitattributes", "*-results.md merge=union\n");
    sandbox.commit("union");
    verify(&sandbox).exits(0);
    sandbox.commit("before");
    sandbox.run_git(&["checkout", "--quiet", "-b", "other"]);
    sandbox.append("src/lib.rs", "// theirs\n");
    verify(&sandbox).exits(0);
    sandbox.commit("theirs");
    sandbox.run_git(&["checkout", "--quiet", "main"]);
    sandbox.write("README.md", "ours\n");
    verify(&sandbox).exits(0);
    sandbox.commit("ours");
    sandbox
}

/// All records are there and readable, and the next one follows all of them.
fn all_there(sandbox: &Sandbox, count: usize) {
    assert_eq!(
        records(sandbox),
        count,
        "{}",
        sandbox.read("docs/cache-results.md")
    );
    let damaged = |sandbox: &Sandbox| {
        let checked = sandbox.poc("check cache");
        let damaged = checked.stdout.contains("POC010") || checked.stdout.contains("POC014");
        assert!(!damaged, "{checked}");
    };
    damaged(sandbox);
    verify(sandbox).exits(0);
    assert_eq!(records(sandbox), count + 1);
    damaged(sandbox);
    let results = sandbox.read("docs/cache-results.md");
    assert_eq!(
        results.matches("<!-- cargo-poc:evidence v1 ").count(),
        count + 1,
        "{results}"
    );
    assert_eq!(state(sandbox), "proven");
}

#[test]
fn branches_that_record_the_same_poc_are_merged() {
    let sandbox = branches();
    sandbox.run_git(&["merge", "--quiet", "--no-edit", "other"]);
    all_there(&sandbox, 3);
}

#[test]
fn branches_that_record_the_same_poc_are_rebased() {
    let sandbox = branches();
    sandbox.run_git(&["rebase", "--quiet", "other"]);
    all_there(&sandbox, 3);
}

#[test]
fn branches_that_record_the_same_poc_are_squashed() {
    let sandbox = branches();
    sandbox.run_git(&["merge", "--quiet", "--squash", "other"]);
    sandbox.commit("squashed");
    all_there(&sandbox, 3);
}

#[test]
fn branches_that_record_the_same_poc_are_cherry_picked() {
    let sandbox = branches();
    sandbox.run_git(&["cherry-pick", "other"]);
    all_there(&sandbox, 3);
    // Picked again after a merge, a record is there twice and counts once.
    sandbox.commit("after");
    sandbox.run_git(&["merge", "--quiet", "--no-edit", "other"]);
    all_there(&sandbox, 4);
}

#[test]
fn a_first_record_on_each_of_two_branches_is_merged() {
    let sandbox = sandbox(TEST);
    sandbox.write("docs/.gitattributes", "*-results.md merge=union\n");
    sandbox.commit("union");
    sandbox.run_git(&["checkout", "--quiet", "-b", "other"]);
    sandbox.append("src/lib.rs", "// theirs\n");
    verify(&sandbox).exits(0);
    sandbox.commit("theirs");
    sandbox.run_git(&["checkout", "--quiet", "main"]);
    sandbox.write("README.md", "ours\n");
    verify(&sandbox).exits(0);
    sandbox.commit("ours");
    sandbox.run_git(&["merge", "--quiet", "--no-edit", "other"]);
    all_there(&sandbox, 2);
}

#[test]
fn a_clone_without_the_lockfile_that_git_ignores_is_compared() {
    let sandbox = sandbox(TEST);
    sandbox.run_git(&["rm", "--quiet", "--cached", "Cargo.lock"]);
    sandbox.append(".gitignore", "Cargo.lock\n");
    sandbox.commit("a library");
    verify(&sandbox).exits(0);
    sandbox.commit("verified");
    assert_eq!(state(&sandbox), "proven");
    sandbox.run_git(&["clone", "--quiet", ".", "target/clone"]);
    let clone = "target/clone";
    let status = sandbox.poc_in(clone, "status cache --format json");
    assert_eq!(status.json()["pocs"][0]["steps"][0]["state"], "proven");
    sandbox
        .poc_in(clone, "status cache")
        .says("git ignores Cargo.lock");
    // Where there is a lockfile, it is compared.
    sandbox.write("target/clone/Cargo.lock", "version = 4\n# other\n");
    let status = sandbox.poc_in(clone, "status cache --format json");
    assert_eq!(status.json()["pocs"][0]["steps"][0]["state"], "stale");
}

#[test]
fn lock_does_not_contain_the_email_address() {
    let sandbox = sandbox(TEST);
    sandbox.run_git(&["config", "user.name", "A Person"]);
    sandbox.run_git(&["config", "user.email", "person@example.invalid"]);
    sandbox.poc("step start cache 1").exits(0);
    let results = sandbox.read("docs/cache-results.md");
    assert!(results.contains("| A Person |"), "{results}");
    assert!(!results.contains("person@example.invalid"), "{results}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let sandbox = sandbox(TEST);
    let run = sandbox.shell("cargo poc status >/dev/full");
    run.exits(4).says("error:");
}

#[test]
fn files_from_outside_of_the_workspace_are_inputs() {
    let sandbox = sandbox(TEST);
    let beside = Sandbox::empty();
    beside.write("beside.txt", "1");
    let outside = beside.root.join("beside.txt");
    let test = format!(
        "#[test]\nfn includes() {{\n    assert_eq!(include_str!({outside:?}).len() + include_str!(\"ignored.txt\").len(), 2);\n}}\n"
    );
    sandbox
        .write(".gitignore", "target/\nignored.txt\n")
        .write("src/ignored.txt", "2")
        .append("src/lib.rs", &test);
    verify(&sandbox).exits(0);
    assert_eq!(state(&sandbox), "proven");
    beside.write("beside.txt", "3");
    assert_eq!(state(&sandbox), "stale");
    beside.write("beside.txt", "1");
    assert_eq!(state(&sandbox), "proven");
    sandbox.write("src/ignored.txt", "4");
    assert_eq!(state(&sandbox), "stale");
}

/// Packages `near` and `far` beside a workspace, which has a dependency on `near`; `needs` is how `near` depends on `far`.
fn with_packages_beside(needs: &str) -> (Sandbox, Sandbox) {
    let sandbox = sandbox(TEST);
    let beside = Sandbox::empty();
    for (name, needs) in [("near", needs), ("far", "")] {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{needs}"
        );
        beside.write(&format!("{name}/Cargo.toml"), manifest);
        beside.write(&format!("{name}/src/lib.rs"), "");
    }
    let near = beside.root.join("near");
    sandbox
        .append(
            "Cargo.toml",
            &format!("\n[dependencies]\nnear = {{ path = {near:?} }}\n"),
        )
        .shell("cargo generate-lockfile --offline")
        .exits(0);
    (sandbox, beside)
}

#[test]
fn packages_beside_the_workspace_are_inputs() {
    for needs in [
        "\n[dependencies]\nfar = { path = \"../far\" }\n",
        "\n[target.'cfg(any(unix, windows))'.dependencies]\nfar = { path = \"../far\" }\n",
    ] {
        let (sandbox, beside) = with_packages_beside(needs);
        verify(&sandbox).exits(0);
        assert_eq!(state(&sandbox), "proven");
        for name in ["near", "far"] {
            let source = format!("{name}/src/lib.rs");
            beside.write(&source, "pub fn new() {}\n");
            assert_eq!(state(&sandbox), "stale", "{name} of {needs}");
            beside.write(&source, "");
            assert_eq!(state(&sandbox), "proven", "{name} of {needs}");
        }
    }
}
