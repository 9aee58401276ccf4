//! `affected`: which test targets a change reaches, and which it does not.

mod base;
mod benches;
mod manifests;
mod output;

use crate::kit::{Run, Sandbox};

/// `app` uses `store`, `made` uses it at build time, `tool` only in its tests; `free` is independent.
const WORKSPACE: &str =
    "store; app: store; top: app; made: store(build); tool: store(dev); user: tool; free";

fn workspace() -> Sandbox {
    let sandbox = Sandbox::workspace(WORKSPACE);
    sandbox.git();
    sandbox
}

/// The binary ids that are selected.
#[track_caller]
fn selected(run: &Run) -> Vec<String> {
    run.exits(0);
    run.stdout
        .lines()
        .map(|line| line.split('\t').nth(1).unwrap_or(line).to_owned())
        .collect()
}

#[track_caller]
fn affected(sandbox: &Sandbox) -> Vec<String> {
    selected(&sandbox.poc("affected --format names"))
}

/// The library, documentation and integration tests of these packages, as they are listed.
fn whole(packages: &[&str]) -> Vec<String> {
    packages
        .iter()
        .flat_map(|name| {
            [
                (*name).to_owned(),
                format!("{name}::it"),
                format!("{name}::doc"),
            ]
        })
        .collect()
}

/// A change that no item tells, so that it reaches every test that links the library.
fn rule_the_library(sandbox: &Sandbox, path: &str) {
    sandbox.edit(path, "//! The", "#![allow(dead_code)]\n//! The");
}

/// Changes what the integration test of a package does.
fn change_the_test(sandbox: &Sandbox, package: &str) {
    sandbox.edit(&format!("{package}/tests/it.rs"), "42", "40 + 2");
}

/// The binary ids of everything that is selected, where nothing is left out.
const EVERYTHING: [&str; 1] = ["ALL"];

#[test]
fn empty_change_selects_nothing() {
    let sandbox = workspace();
    assert_eq!(affected(&sandbox), [""; 0]);
    sandbox
        .poc("affected")
        .exits(0)
        .prints("0 of 21 tests, in 0 of 21 test targets can be affected: no file changed since ");
}

#[test]
fn a_library_reaches_dependents_by_the_kind_of_their_dependency() {
    let sandbox = workspace();
    rule_the_library(&sandbox, "store/src/lib.rs");
    // `tool` uses store in its own tests, so that `user`, which uses tool, links nothing of store.
    assert_eq!(
        affected(&sandbox),
        whole(&["app", "made", "store", "tool", "top"])
    );
}

#[test]
fn module_affects_the_same_tests_as_its_library() {
    let sandbox = workspace();
    sandbox.write("app/src/part.rs", "");
    assert_eq!(affected(&sandbox), whole(&["app", "top"]));
}

#[test]
fn committed_staged_unstaged_and_untracked_changes_count() {
    let sandbox = workspace();
    rule_the_library(&sandbox, "free/src/lib.rs");
    sandbox.commit("on a branch");
    sandbox.run_git(&["branch", "work"]);
    let base = sandbox.run_git(&["rev-parse", "HEAD~1"]);
    change_the_test(&sandbox, "app");
    sandbox.run_git(&["add", "app"]);
    change_the_test(&sandbox, "tool");
    sandbox.write("user/tests/new.rs", "#[test]\nfn new() {}\n");
    let run = sandbox.poc(&format!("affected --base {base} --format names"));
    let mut expected = vec!["app::it".to_owned()];
    expected.extend(whole(&["free"]));
    expected.extend(["tool::it".to_owned(), "user::new".to_owned()]);
    assert_eq!(selected(&run), expected);
}

#[test]
fn integration_test_affects_itself() {
    let sandbox = workspace();
    change_the_test(&sandbox, "store");
    assert_eq!(affected(&sandbox), ["store::it"]);
}

#[test]
fn module_of_integration_tests_affects_all_tests_of_its_package() {
    let sandbox = workspace();
    sandbox.write("store/tests/common/mod.rs", "");
    assert_eq!(affected(&sandbox), whole(&["store"]));
}

#[test]
fn test_target_that_others_include_as_a_module_affects_them() {
    let sandbox = Sandbox::workspace("store");
    sandbox.write(
        "store/tests/util.rs",
        "pub fn help() {}\n#[test]\nfn helps() { help() }\n",
    );
    sandbox.write(
        "store/tests/other.rs",
        "mod util;\n#[test]\nfn other() { util::help() }\n",
    );
    sandbox.git();
    sandbox.edit("store/tests/util.rs", "help() {}", "help() { drop(1) }");
    let run = sandbox.poc("affected --format names");
    assert_eq!(
        run.stdout,
        "store\tstore::other\tother\nstore\tstore::other\tutil::helps\nstore\tstore::util\thelps\n"
    );
}

#[test]
fn removed_test_affects_its_package() {
    let sandbox = workspace();
    sandbox.remove("store/tests/it.rs");
    assert_eq!(affected(&sandbox), ["store", "store::doc"]);
}

#[test]
fn program_affects_the_tests_that_may_start_it() {
    let sandbox = Sandbox::workspace("store; app: store");
    let starts = "#[test]\nfn starts() {\n    std::process::Command::new(\"store\");\n}\n";
    sandbox.write("store/src/main.rs", "fn main() {}\n");
    sandbox.write("store/tests/starts.rs", starts);
    sandbox.write("app/tests/starts.rs", starts);
    sandbox.git();
    sandbox.edit("store/src/main.rs", "main() {}", "main() { drop(1) }");
    // A package that depends on this one may run the program in its tests.
    assert_eq!(affected(&sandbox), ["app::starts", "store::starts"]);
}

#[test]
fn build_script_affects_its_package_and_dependents() {
    let sandbox = workspace();
    sandbox.edit("made/build.rs", "main() {", "main() { drop(1);");
    assert_eq!(affected(&sandbox), whole(&["made"]));
    sandbox.write("app/build.rs", "fn main() {}\n");
    assert_eq!(affected(&sandbox), whole(&["app", "made", "top"]));
}

#[test]
fn unknown_file_affects_its_package_and_dependents() {
    let sandbox = workspace();
    sandbox.write("app/data/words.txt", "x");
    assert_eq!(affected(&sandbox), whole(&["app", "top"]));
    sandbox
        .poc("affected --explain top")
        .prints("app/data/words.txt (in the package's folder) → app → top")
        .hides("free");
}

#[test]
fn file_outside_packages_affects_everything_without_a_rule() {
    let sandbox = workspace();
    sandbox.write("schema/answer.json", "{}");
    assert_eq!(affected(&sandbox), EVERYTHING);
    sandbox
        .poc("affected --explain")
        .prints("a rule in [workspace.metadata.poc] can restrict this");
    sandbox.append(
        "Cargo.toml",
        "\n[[workspace.metadata.poc.rules]]\nfiles = [\"schema/**\"]\npackages = [\"free\"]\n",
    );
    assert_eq!(affected(&sandbox), whole(&["free"]));
}

#[test]
fn file_outside_packages_affects_the_tests_that_name_it() {
    let sandbox = workspace();
    sandbox.append(
        "free/tests/it.rs",
        "\n#[test]\nfn schema() {\n    std::fs::read_to_string(\"../schema/answer.json\").unwrap();\n}\n",
    );
    sandbox.write("schema/answer.json", "{}").commit("read");
    sandbox.write("schema/answer.json", "{ }");
    sandbox
        .poc("affected --format names")
        .prints("free\tfree::it\tschema\n")
        .hides("integration")
        .hides("store");
    sandbox
        .poc("affected --explain")
        .prints("it::schema, which may read schema/answer.json");
    // One that nothing names may still be read by anything.
    sandbox.write("schema/other.json", "{}");
    assert_eq!(affected(&sandbox), EVERYTHING);
}

#[test]
fn comment_affects_only_tests_that_read_sources() {
    let sandbox = workspace();
    let test = |name: &str, body: &str| format!("\n#[test]\nfn {name}() {{\n    {body}\n}}\n");
    let builds = "std::process::Command::new(\"cargo\").status().unwrap();";
    sandbox.append("store/tests/it.rs", &test("builds", builds));
    let reads = "std::fs::read_to_string(\"../store/src/lib.rs\").unwrap();";
    sandbox.append("free/tests/it.rs", &test("reads", reads));
    sandbox.commit("who reads, who builds");
    sandbox.append("store/src/lib.rs", "// changed\n");
    let names = sandbox.poc("affected --format names");
    assert_eq!(names.stdout, "free\tfree::it\treads\n");
    sandbox.edit("store/src/lib.rs", "    42\n", "    40 + 2\n");
    let names = sandbox.poc("affected --format names");
    names
        .prints("free::it\treads\n")
        .prints("store::it\tbuilds\n");
}

#[test]
fn plans_and_results_affect_nothing() {
    let sandbox = workspace();
    sandbox.poc("init cache -p store").exits(0);
    assert_eq!(affected(&sandbox), [""; 0]);
    sandbox
        .poc("affected --explain")
        .prints("docs/cache-plan.md: no test (a document of cargo poc)");
}

#[test]
fn build_outputs_are_not_a_change_even_if_git_does_not_ignore_them() {
    let sandbox = workspace();
    sandbox.write(".gitignore", "").commit("nothing ignored");
    sandbox.write("target/debug/app", "built");
    assert_eq!(affected(&sandbox), [""; 0]);
}

#[test]
fn examples_and_benches_affect_the_tests_that_run_them() {
    let sandbox = workspace();
    sandbox.write("store/examples/show.rs", "fn main() {}\n");
    sandbox.write("store/benches/speed.rs", "fn main() {}\n");
    sandbox.commit("more targets");
    sandbox.append("store/benches/speed.rs", "// changed\n");
    // cargo test does not build benches, so that no test can see this one.
    assert_eq!(affected(&sandbox), [""; 0]);
}

#[test]
fn target_with_disabled_features_is_reported_and_not_passed_to_cargo() {
    let sandbox = Sandbox::workspace("store");
    sandbox.append(
        "store/Cargo.toml",
        "\n[features]\nslow = []\n\n[[test]]\nname = \"long\"\nrequired-features = [\"slow\"]\n",
    );
    sandbox.write("store/tests/long.rs", "");
    sandbox.git();
    sandbox.append("store/tests/long.rs", "#[test]\nfn long() {}\n");
    assert_eq!(affected(&sandbox), [""; 0]);
    sandbox
        .poc("affected")
        .prints("store test long: no test (its required-features are off)");
}

#[test]
fn fixture_with_a_manifest_is_an_ordinary_file() {
    let sandbox = workspace();
    sandbox.write(
        "store/tests/fixture/Cargo.toml",
        "[package]\nname = \"fixture\"\n",
    );
    assert_eq!(affected(&sandbox), whole(&["store"]));
}

#[test]
fn files_option_needs_no_git() {
    let sandbox = Sandbox::workspace("store; app: store; free");
    let run = sandbox.poc("affected --files app/src/lib.rs --format names");
    assert_eq!(selected(&run), whole(&["app"]));
    // From a folder below, paths are meant from there.
    let run = sandbox.poc_in("app", "affected --files src/lib.rs --format names");
    assert_eq!(selected(&run), whole(&["app"]));
    sandbox
        .poc("affected")
        .exits(4)
        .says("without git, name the files");
}

#[test]
fn a_workspace_below_the_repositorys_root() {
    let sandbox = Sandbox::empty();
    sandbox.members("rust/store; rust/app");
    sandbox.edit(
        "rust/store/Cargo.toml",
        "name = \"rust/store\"",
        "name = \"store\"",
    );
    sandbox.edit(
        "rust/app/Cargo.toml",
        "name = \"rust/app\"",
        "name = \"app\"",
    );
    sandbox.write(
        "rust/Cargo.toml",
        "[workspace]\nmembers = [\"store\", \"app\"]\nresolver = \"2\"\n",
    );
    sandbox
        .shell("cd rust && cargo generate-lockfile --offline")
        .exits(0);
    sandbox.git();
    rule_the_library(&sandbox, "rust/store/src/lib.rs");
    let run = sandbox.poc_in("rust/app", "affected --format names");
    assert_eq!(selected(&run), whole(&["store"]));
    sandbox
        .poc("affected --manifest-path rust/Cargo.toml --explain")
        .prints("store/src/lib.rs: attributes of the crate or module changed");
    // What lies beside the workspace may be read by any test, unless a rule says otherwise.
    sandbox.write("web/index.js", "");
    let run = sandbox.poc_in("rust", "affected --explain");
    run.exits(0)
        .prints("../web/index.js")
        .prints("6 of 6 test targets");
    sandbox.append(
        "rust/Cargo.toml",
        "\n[[workspace.metadata.poc.rules]]\nfiles = [\"../web/**\"]\npackages = []\n",
    );
    let run = sandbox.poc_in("rust", "affected --format names");
    assert_eq!(selected(&run), whole(&["store"]));
}

#[test]
fn paths_with_blanks_and_other_scripts() {
    let sandbox = Sandbox::workspace("store; free");
    sandbox.write("store/tests/données de test/größe ü.txt", "1");
    sandbox.git();
    sandbox.write("store/tests/données de test/größe ü.txt", "2");
    let run = sandbox.poc("affected --explain");
    run.exits(0)
        .prints("store/tests/données de test/größe ü.txt");
    assert_eq!(affected(&sandbox), whole(&["store"]));
}
