//! Changes outside of the contents of files: variables, permissions, the commit at HEAD.

use super::{VERIFY, workspace};
use crate::kit::Sandbox;

/// Runs `verify` with variables and returns the number of tests that ran.
#[track_caller]
fn ran(sandbox: &Sandbox, variables: &str) -> usize {
    let run = sandbox.shell(&format!("{variables} cargo poc {VERIFY}"));
    run.exits(0);
    run.stdout.matches("test tests::").count()
}

#[test]
fn all_variables_count_where_code_reads_one_by_an_unknown_name() {
    let sandbox = workspace();
    assert_eq!(ran(&sandbox, ""), 2);
    assert_eq!(ran(&sandbox, "ANY_MODE=1"), 0);
    let source = "pub fn mode() -> bool {\n    std::env::var(format!(\"{}_MODE\", other())).is_ok()\n}\nfn other() -> &'static str {\n    include_str!(\"prefix\")\n}\n";
    sandbox.write("store/src/prefix", "ANY");
    sandbox.append("store/src/lib.rs", source);
    ran(&sandbox, "");
    assert_eq!(ran(&sandbox, ""), 0);
    assert_eq!(ran(&sandbox, "ANY_MODE=1"), 2);
    assert_eq!(ran(&sandbox, "ANY_MODE=2"), 2);
    assert_eq!(ran(&sandbox, "ANY_MODE=2 SHLVL=7 GITHUB_RUN_ID=3"), 0);
    assert_eq!(ran(&sandbox, ""), 0);
}

#[test]
fn the_search_path_counts_where_code_starts_a_program() {
    let sandbox = workspace();
    let path = "PATH=\"$PWD/tools:$PATH\"";
    assert_eq!(ran(&sandbox, ""), 2);
    assert_eq!(ran(&sandbox, path), 0);
    sandbox.append(
        "store/src/lib.rs",
        "pub fn start() -> bool {\n    std::process::Command::new(\"tool\").status().is_ok()\n}\n",
    );
    ran(&sandbox, "");
    assert_eq!(ran(&sandbox, ""), 0);
    assert_eq!(ran(&sandbox, path), 2);
}

#[test]
fn a_place_counts_where_code_reads_it_by_its_name() {
    let sandbox = workspace();
    sandbox.append(
        "store/src/lib.rs",
        "pub fn zone() -> bool {\n    std::env::var(\"TMPDIR\").is_ok()\n}\n",
    );
    ran(&sandbox, "");
    assert_eq!(ran(&sandbox, ""), 0);
    assert_eq!(ran(&sandbox, "TMPDIR=\"$PWD/target\""), 2);
}

/// `store` with a test that starts a script, and one that does nothing.
fn starting() -> Sandbox {
    let sandbox = Sandbox::workspace("store; far");
    sandbox.remove("store/tests/it.rs");
    sandbox.remove("far/tests/it.rs");
    sandbox.write(
        "far/src/lib.rs",
        "#[cfg(test)]\nmod tests {\n    #[test]\n    fn far() {}\n}\n",
    );
    sandbox.write(
        "store/src/lib.rs",
        "#[cfg(test)]\nmod tests {\n    #[test]\n    fn starts() {\n        assert!(std::process::Command::new(\"./run.sh\").status().is_ok());\n    }\n}\n",
    );
    sandbox.write("store/run.sh", "#!/bin/sh\necho hi\n");
    sandbox.write("store/data.txt", "1");
    sandbox.shell("chmod +x store/run.sh");
    sandbox.git();
    sandbox.edit("far/src/lib.rs", "fn far() {}", "fn far() { () }");
    sandbox.edit("store/src/lib.rs", "is_ok());", "is_ok(), \"it starts\");");
    sandbox
}

#[test]
fn permissions_of_files_count() {
    let sandbox = starting();
    assert_eq!(ran(&sandbox, ""), 2);
    assert_eq!(ran(&sandbox, ""), 0);
    sandbox.shell("chmod -x store/run.sh");
    let run = sandbox.poc(VERIFY);
    run.exits(1).prints("test tests::starts");
    sandbox.shell("chmod +x store/run.sh");
    assert_eq!(ran(&sandbox, ""), 1);
    // git does not have this permission.
    sandbox.shell("chmod a-w store/data.txt");
    assert_eq!(ran(&sandbox, ""), 1);
    assert_eq!(ran(&sandbox, ""), 0);
    // An uncommitted mode that is undone.
    let runs = |change: &str| {
        let run = sandbox.shell(&format!(
            "chmod {change} store/data.txt && cargo poc {VERIFY}"
        ));
        run.stdout.contains("test tests::starts")
    };
    assert!(runs("+x"));
    assert!(!runs("+x"));
    assert!(runs("u+w"));
    assert!(runs("-x"));
}

#[test]
fn a_moved_head_counts_where_code_can_ask_git() {
    for (code, counts) in [
        (
            "std::process::Command::new(\"git\").arg(\"log\").status().unwrap();",
            true,
        ),
        ("std::fs::read_to_string(\"../.git/HEAD\").unwrap();", true),
        (
            "std::process::Command::new(\"sh\").args([\"-c\", \"git rev-parse HEAD\"]).status().unwrap();",
            true,
        ),
        (
            "assert!(std::path::Path::new(\"../.git\").exists());",
            false,
        ),
        (
            "std::process::Command::new(\"ls\").status().unwrap();",
            false,
        ),
    ] {
        let sandbox = workspace();
        sandbox.append(
            "store/src/lib.rs",
            &format!("#[cfg(test)]\nmod more {{\n    #[test]\n    fn asks() {{\n        {code}\n    }}\n}}\n"),
        );
        ran(&sandbox, "");
        assert_eq!(ran(&sandbox, ""), 0, "{code}");
        sandbox.shell("git commit --quiet --allow-empty --message empty");
        let run = sandbox.poc(VERIFY);
        run.exits(0);
        assert_eq!(run.stdout.contains("test more::asks"), counts, "{code}");
        assert!(!run.stdout.contains("test tests::of_one"), "{code}");
        sandbox.poc(VERIFY).says("Reused 3 tests");
    }
}

#[test]
fn a_moved_head_counts_where_a_build_script_asks_git() {
    let sandbox = starting();
    sandbox.write(
        "far/build.rs",
        "fn main() {\n    std::process::Command::new(\"git\").args([\"log\", \"-1\"]).output().unwrap();\n}\n",
    );
    assert_eq!(ran(&sandbox, ""), 2);
    assert_eq!(ran(&sandbox, ""), 0);
    sandbox.shell("git commit --quiet --allow-empty --message empty");
    let run = sandbox.poc(VERIFY);
    run.exits(0).prints("test tests::far");
    assert!(!run.stdout.contains("test tests::starts"), "{run:?}");
}
