//! `affected --culprit`: the commits that can have broken a test, and the first one that did.

use crate::kit::{Run, Sandbox};

const SOURCE: &str = "store/src/lib.rs";

/// Two packages that do not depend on each other, each with a test `tests::works`. `store` has a function for it, and another one.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::workspace("store; other");
    for member in ["store", "other"] {
        sandbox.remove(&format!("{member}/tests/it.rs")).write(
            &format!("{member}/src/lib.rs"),
            "pub fn limit() -> u32 {\n    10\n}\npub fn aside() -> u32 {\n    20\n}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn works() \
             {\n        assert_eq!(super::limit(), 10);\n    }\n}\n",
        );
    }
    sandbox.git();
    sandbox.shell("git tag good").exits(0);
    sandbox
}

/// Commits an edit of a source.
fn change(sandbox: &Sandbox, file: &str, (old, new): (&str, &str), message: &str) {
    sandbox.edit(file, old, new);
    sandbox.commit(message);
}

fn culprit(sandbox: &Sandbox, more: &str) -> Run {
    sandbox.poc(&format!(
        "affected --culprit 'store tests::works' --good good --runner cargo {more}"
    ))
}

/// The subjects of the listed commits.
fn listed(run: &Run) -> Vec<&str> {
    let lines = run
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("  "));
    lines
        .filter_map(|line| Some(line.split_once(' ')?.1))
        .collect()
}

#[test]
fn only_commits_that_can_reach_the_test_are_run() {
    let sandbox = sandbox();
    change(
        &sandbox,
        "other/src/lib.rs",
        ("    10", "    5 + 5"),
        "other package",
    );
    change(&sandbox, SOURCE, ("    10", "    4 + 6"), "harmless");
    sandbox.write("LICENSE", "text\n").commit("licence");
    change(&sandbox, SOURCE, ("4 + 6", "4 + 7"), "wrong sum");
    change(&sandbox, SOURCE, ("    20", "    21"), "other function");
    change(
        &sandbox,
        SOURCE,
        ("    4 + 7", "    // Text.\n    4 + 7"),
        "comment",
    );
    change(&sandbox, SOURCE, ("4 + 7", "7 + 4"), "order");
    let list = culprit(&sandbox, "");
    list.exits(0).prints(
        "3 of 7 commits can have broken store tests::works: at most 3 runs to find it, in place of 4",
    );
    assert_eq!(listed(&list), ["harmless", "wrong sum", "order"]);
    let run = culprit(&sandbox, "--run");
    run.exits(0).says("Failed");
    let found: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.starts_with("culprit "))
        .collect();
    assert_eq!(found.len(), 1, "{run:?}");
    assert!(found[0].ends_with(" wrong sum"), "{run:?}");
    // The work tree is as before, and nothing remains of the copy.
    sandbox
        .shell("test -z \"$(git status --porcelain)\"")
        .exits(0);
    sandbox.shell("test ! -e target/cargo-poc/culprit").exits(0);
}

#[test]
fn commits_in_which_the_test_does_not_run_stay_candidates() {
    let sandbox = sandbox();
    change(&sandbox, SOURCE, ("    10", "    11 // ;"), "wrong");
    change(&sandbox, SOURCE, ("11 // ;", "11 +"), "does not compile");
    change(&sandbox, SOURCE, ("11 +", "11"), "compiles");
    change(&sandbox, SOURCE, ("    11", "    12"), "wrong too");
    let run = culprit(&sandbox, "--run");
    run.exits(0).prints("culprit ");
    assert!(run.stdout.trim_end().ends_with(" wrong"), "{run:?}");
    // Without a run of the commit before, the culprit is not known.
    sandbox
        .shell("git tag -f good HEAD~3 && git reset -q --hard HEAD~1")
        .exits(0);
    let sandbox = self::sandbox();
    change(&sandbox, SOURCE, ("    10", "    11 +"), "does not compile");
    change(&sandbox, SOURCE, ("11 +", "11"), "compiles");
    let run = culprit(&sandbox, "--run");
    run.exits(4)
        .prints(" does not compile")
        .prints(" compiles")
        .says("one of 2 is the culprit");
}

#[test]
fn a_commit_about_which_nothing_is_known_is_a_candidate() {
    let sandbox = sandbox();
    let manifest = "other/Cargo.toml";
    change(
        &sandbox,
        manifest,
        ("[package]", "[package"),
        "broken manifest",
    );
    change(&sandbox, manifest, ("[package", "[package]"), "repaired");
    change(&sandbox, SOURCE, ("    10", "    11"), "wrong");
    let list = culprit(&sandbox, "");
    list.exits(0).prints("broken manifest (not known: ");
    culprit(&sandbox, "--run").exits(0).prints(" wrong\n");
}

#[test]
fn a_question_without_an_answer_is_an_error() {
    let sandbox = sandbox();
    let ask =
        |test: &str, good: &str| sandbox.poc(&format!("affected --culprit '{test}' --good {good}"));
    ask("store tests::works", "good")
        .exits(2)
        .says("no commit follows");
    change(
        &sandbox,
        "other/src/lib.rs",
        ("    10", "    5 + 5"),
        "other package",
    );
    ask("tests::works", "good")
        .exits(2)
        .says("several binaries have a test `tests::works`; write `other tests::works` or `store tests::works`");
    ask("tests::typo", "good")
        .exits(2)
        .says("no test of the work tree is named `tests::typo`");
    ask("store tests::works", "nowhere").exits(2);
    sandbox
        .append("store/src/lib.rs", "#[test]\nfn later() {}\n")
        .commit("later");
    ask("later", "good")
        .exits(2)
        .says("good has no test store later");
    sandbox.shell("git reset -q --hard HEAD~1").exits(0);
    ask("store tests::works", "good")
        .exits(4)
        .says("no commit since good can affect tests::works");
    sandbox.shell("git checkout -q -b aside good && git commit -q --allow-empty -m aside && git checkout -q -").exits(0);
    ask("store tests::works", "aside")
        .exits(2)
        .says("does not contain");
    sandbox
        .poc("affected --culprit 'store tests::works'")
        .exits(2)
        .says("--good");
}

#[test]
fn a_harness_whose_tests_are_unknown_does_not_make_a_name_ambiguous() {
    let sandbox = sandbox();
    sandbox
        .append(
            "other/Cargo.toml",
            "\n[[test]]\nname = \"own\"\nharness = false\n",
        )
        .write("other/tests/own.rs", "fn main() {}\n")
        .edit("store/src/lib.rs", "fn works()", "fn stores()")
        .commit("a harness");
    sandbox.shell("git tag --force good").exits(0);
    change(&sandbox, SOURCE, ("    10", "    11"), "wrong");
    sandbox
        .poc("affected --culprit tests::stores --good good")
        .exits(0)
        .prints("store tests::stores");
}

#[test]
fn test_that_passes_at_the_end_or_fails_at_the_start_has_no_culprit() {
    let sandbox = sandbox();
    change(&sandbox, SOURCE, ("    10", "    4 + 6"), "harmless");
    culprit(&sandbox, "--run")
        .exits(4)
        .says("the test passes in ")
        .hides("culprit ");
    change(&sandbox, SOURCE, ("4 + 6", "6 + 4"), "harmless too");
    culprit(&sandbox, "--run").exits(4).hides("culprit ");
    change(&sandbox, SOURCE, ("6 + 4", "6 + 5"), "wrong");
    sandbox.shell("git tag -f good").exits(0);
    change(&sandbox, SOURCE, ("6 + 5", "5 + 6"), "wrong as well");
    culprit(&sandbox, "--run")
        .exits(4)
        .says("the test fails in good")
        .hides("culprit ");
}
