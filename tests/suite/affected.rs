//! `affected`: which test targets a change reaches, and which it does not.

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
        .prints("0 of 21 tests, in 0 of 21 test targets can be affected by 0 changed files");
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
fn toolchain_and_cargo_configuration_rule_everything() {
    for path in [
        "rust-toolchain.toml",
        "rust-toolchain",
        ".cargo/config.toml",
        ".cargo/config",
    ] {
        let sandbox = workspace();
        sandbox.write(path, "");
        let run = sandbox.poc(&format!("affected --files {path} --format names"));
        assert_eq!(selected(&run), EVERYTHING, "{path}");
    }
}

#[test]
fn comments_and_layout_of_a_manifest_affect_nothing() {
    let sandbox = workspace();
    sandbox.append("store/Cargo.toml", "\n# a comment\n");
    sandbox.edit(
        "Cargo.toml",
        "resolver = \"2\"",
        "resolver   =   \"2\" # why",
    );
    assert_eq!(affected(&sandbox), [""; 0]);
    sandbox
        .poc("affected")
        .prints("Cargo.toml")
        .prints("only comments or layout of the manifest changed");
}

#[test]
fn manifest_affects_its_package_and_dependents() {
    let sandbox = workspace();
    sandbox.edit(
        "store/Cargo.toml",
        "version = \"0.1.0\"",
        "version = \"0.1.1\"",
    );
    let ids = affected(&sandbox);
    assert_eq!(ids, whole(&["app", "made", "store", "tool", "top"]));
}

#[test]
fn dev_dependencies_affect_only_the_tests_of_their_package() {
    let sandbox = workspace();
    sandbox.append(
        "store/Cargo.toml",
        "\n[dev-dependencies.free]\npath = \"../free\"\n",
    );
    // No code names it.
    assert_eq!(affected(&sandbox), [""; 0]);
    sandbox.commit("more");
    sandbox.edit(
        "store/Cargo.toml",
        "\n[dev-dependencies.free]\npath = \"../free\"\n",
        "",
    );
    let gone = sandbox.poc("affected --format names --base HEAD");
    assert_eq!(selected(&gone), whole(&["store"]));
}

#[test]
fn registry_keys_of_a_manifest_affect_nothing() {
    let sandbox = workspace();
    sandbox.edit(
        "store/Cargo.toml",
        "edition = \"2021\"",
        "edition = \"2021\"\nkeywords = [\"answers\"]\ncategories = [\"science\"]",
    );
    assert_eq!(affected(&sandbox), [""; 0]);
    // The description is compiled in by env!("CARGO_PKG_DESCRIPTION"), and by clap without a word.
    sandbox.append("store/Cargo.toml", "description = \"It answers\"\n");
    assert_eq!(affected(&sandbox).len(), 15);
}

#[test]
fn inherited_dependency_affects_the_members_that_inherit_it() {
    let sandbox = Sandbox::workspace("store; app; free");
    sandbox.append(
        "Cargo.toml",
        "\n[workspace.dependencies]\nstore = { path = \"store\" }\n",
    );
    sandbox.append(
        "app/Cargo.toml",
        "\n[dependencies]\nstore.workspace = true\n",
    );
    sandbox.lock_with_cargo();
    sandbox.git();
    sandbox.edit(
        "Cargo.toml",
        "path = \"store\"",
        "path = \"store\", version = \"0.1\"",
    );
    assert_eq!(affected(&sandbox), whole(&["app"]));
}

#[test]
fn profile_affects_everything() {
    let sandbox = workspace();
    sandbox.append("Cargo.toml", "\n[profile.test]\nopt-level = 1\n");
    assert_eq!(affected(&sandbox), EVERYTHING);
}

#[test]
fn lockfile_affects_the_members_that_depend_on_a_changed_package() {
    let sandbox = Sandbox::workspace("store; app: store; free");
    let lock = sandbox.read("Cargo.lock");
    let external = "\n[[package]]\nname = \"outer\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    let with = lock.replace(
        "name = \"store\"\nversion = \"0.1.0\"\n",
        "name = \"store\"\nversion = \"0.1.0\"\ndependencies = [\n \"outer\",\n]\n",
    ) + external;
    sandbox.write("Cargo.lock", &with);
    sandbox.git();
    sandbox.write("Cargo.lock", with.replace("1.0.0", "1.0.1"));
    assert_eq!(affected(&sandbox), whole(&["app", "store"]));
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
fn summary_names_the_rules() {
    let sandbox = workspace();
    sandbox.edit("store/src/lib.rs", "    42\n", "    40 + 2\n");
    sandbox.poc("affected").prints(", by 1 changed item, 0.");
    sandbox.write("app/data/words.txt", "x");
    let prints = ", by 1 changed item, in the package's folder, 0.";
    sandbox.poc("affected").prints(prints);
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

#[test]
fn base_of_the_only_open_plan_is_used() {
    let sandbox = workspace();
    change_the_test(&sandbox, "free");
    sandbox.commit("second");
    sandbox.poc("init cache -p store").exits(0);
    change_the_test(&sandbox, "store");
    sandbox.commit("work on main");
    // On the default branch the merge base is HEAD; the plan knows better.
    assert_eq!(affected(&sandbox), ["store::it"]);
    let run = sandbox.poc("affected cache --format names");
    assert_eq!(selected(&run), ["store::it"]);
}

#[test]
fn json_is_the_documented_format() {
    let sandbox = workspace();
    change_the_test(&sandbox, "store");
    let json = sandbox.poc("affected --format json").exits(0).json();
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "base", "doctests", "seconds", "selected", "tests", "total", "version"
        ]
    );
    assert_eq!(json["version"], 1);
    assert_eq!(json["base"], sandbox.run_git(&["rev-parse", "HEAD"]));
    assert_eq!((&json["total"], &json["selected"]), (&21.into(), &1.into()));
    assert_eq!(
        json["tests"],
        serde_json::json!([{
            "package": "store", "binary": "store::it", "test": "integration",
            "reasons": ["it::integration"],
        }])
    );
    assert_eq!(json["doctests"], serde_json::json!([]));
    let given = sandbox
        .poc("affected --files store/src/lib.rs --format json")
        .json();
    assert!(given["base"].is_null(), "{given}");
    assert_eq!(given["doctests"].as_array().unwrap().len(), 5);
}

#[test]
fn arguments_run_exactly_the_selection() {
    let sandbox = workspace();
    change_the_test(&sandbox, "store");
    let run = sandbox.shell("cargo test --offline $(cargo poc affected --format args)");
    run.exits(0).prints("test integration ... ok").hides("unit");
    assert_eq!(run.stdout.matches("running ").count(), 1, "{run}");
    rule_the_library(&sandbox, "user/src/lib.rs");
    sandbox.run_git(&["checkout", "--quiet", "store"]);
    let run = sandbox.shell("cargo test --offline $(cargo poc affected --format args)");
    run.exits(0)
        .prints("test tests::unit ... ok")
        .prints("test integration ... ok")
        .prints("user/src/lib.rs - answer (line 6) ... ok");
    assert_eq!(run.stdout.matches("running ").count(), 3, "{run}");
}

#[test]
fn arguments_for_test_targets_in_several_packages_run_nothing_else() {
    let sandbox = workspace();
    sandbox
        .write("user/tests/only.rs", "#[test]\nfn only() {}\n")
        .commit("one more");
    sandbox.edit("user/tests/only.rs", "only() {}", "only() { drop(1) }");
    change_the_test(&sandbox, "store");
    let run = sandbox.poc("affected --format args");
    run.exits(0);
    // cargo takes a target's name for every package named, so that `user`'s `it` comes along, and that is said.
    assert_eq!(
        run.stdout,
        "-p store -p user --test it --test only -- --exact integration only\n"
    );
    run.says("1 test target more");
}

#[test]
fn nothing_affected_runs_nothing() {
    let sandbox = workspace();
    let run = sandbox.shell("cargo test --offline $(cargo poc affected --format args)");
    run.exits(0).says("no test is affected").hides("... ok");
    let filterset = sandbox.poc("affected --format nextest");
    assert_eq!(filterset.stdout, "none()\n");
}

#[test]
fn named_packages_run_as_many_tests_as_the_workspace() {
    let sandbox = Sandbox::workspace("store; app: store; free");
    sandbox.append("store/Cargo.toml", "\n[features]\nextra = []\n");
    sandbox.append(
        "store/src/lib.rs",
        "#[cfg(all(test, feature = \"extra\"))]\n#[test]\nfn extra() {}\n",
    );
    sandbox.edit(
        "app/Cargo.toml",
        "path = \"../store\"",
        "path = \"../store\"\nfeatures = [\"extra\"]",
    );
    sandbox.git();
    // Only store is selected, but app asks for a feature of it that a run of the workspace has.
    let run = sandbox.poc("affected --files store/tests/it.rs store/tests/data --format args");
    assert_eq!(run.stdout, "-p store --features store/extra\n");
    let run = sandbox.shell("cargo test --offline --lib -p store --features store/extra");
    run.exits(0).prints("test extra ... ok");
}

#[test]
fn nextest_filterset_names_binaries_and_a_warning_names_doctests() {
    let sandbox = workspace();
    rule_the_library(&sandbox, "user/src/lib.rs");
    let run = sandbox.poc("affected --format nextest");
    run.exits(0).says("cargo test --doc");
    assert_eq!(run.stdout, "package(=user)\n");
    let installed = sandbox.shell("cargo nextest --version");
    assert!(
        installed.code == 0 || std::env::var_os("CI").is_none(),
        "CI must have cargo-nextest"
    );
    if installed.code != 0 {
        eprintln!("left out: cargo-nextest is not installed");
        return;
    }
    let run = sandbox.shell(
        "cargo nextest run --offline -E \"$(cargo poc affected --format nextest 2>/dev/null)\"",
    );
    run.exits(0).says("2 tests run: 2 passed");
}

/// A checkout as CI makes it: detached, on a branch that no remote names as its default.
fn detached() -> (Sandbox, String) {
    let sandbox = workspace();
    sandbox.run_git(&["branch", "-m", "trunk"]);
    let base = sandbox.run_git(&["rev-parse", "HEAD"]);
    change_the_test(&sandbox, "free");
    sandbox.commit("change");
    sandbox.run_git(&["checkout", "-q", "--detach"]);
    sandbox.run_git(&["branch", "-qD", "trunk"]);
    (sandbox, base)
}

#[test]
fn an_unknown_base_on_a_detached_checkout_is_an_error() {
    let (sandbox, base) = detached();
    sandbox
        .poc("affected --format names")
        .exits(4)
        .says("the base is unknown");
    sandbox
        .poc("verify --no-record")
        .exits(4)
        .says("--base COMMIT");
    assert_eq!(
        selected(&sandbox.poc(&format!("affected --format names --base {base}"))),
        ["free::it"]
    );
}

#[test]
fn base_of_the_ci_system_is_used() {
    let (sandbox, base) = detached();
    sandbox.run_git(&["update-ref", "refs/remotes/origin/trunk", &base]);
    let with = |variables: &[(&str, &str)]| {
        let mut command = sandbox.command(crate::kit::PROGRAM);
        command.args(["poc", "affected", "--format", "names"]);
        command.envs(variables.iter().copied());
        crate::kit::finish(command, "affected")
    };
    for variables in [
        [("GITHUB_ACTIONS", "true"), ("GITHUB_BASE_REF", "trunk")],
        [
            ("GITLAB_CI", "true"),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base),
        ],
        [
            ("BUILDKITE", "true"),
            ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "trunk"),
        ],
        [
            ("TF_BUILD", "True"),
            ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/trunk"),
        ],
    ] {
        assert_eq!(selected(&with(&variables)), ["free::it"], "{variables:?}");
    }
    with(&[("GITHUB_ACTIONS", "true"), ("GITHUB_BASE_REF", "gone")])
        .exits(4)
        .says("git fetch origin gone:refs/remotes/origin/gone");
}

#[test]
fn rebased_branch_excludes_changes_of_the_default_branch() {
    let sandbox = workspace();
    sandbox.run_git(&["branch", "-M", "main"]);
    sandbox.run_git(&["checkout", "-qb", "topic"]);
    sandbox.poc("init cache -p store").exits(0);
    change_the_test(&sandbox, "store");
    sandbox.commit("work");
    sandbox.run_git(&["checkout", "-q", "main"]);
    change_the_test(&sandbox, "free");
    sandbox.commit("other work");
    sandbox.run_git(&["checkout", "-q", "topic"]);
    assert_eq!(affected(&sandbox), ["store::it"]);

    sandbox.run_git(&["rebase", "-q", "main"]);
    let run = sandbox.poc("affected --format names");
    run.says("the base of cache is now");
    assert_eq!(selected(&run), ["store::it"]);
    sandbox
        .poc("verify --list")
        .exits(0)
        .says("the base of cache is now")
        .prints("-p store --test it");
    sandbox
        .poc("status --check")
        .says("the base of cache is now");
}

#[test]
fn verify_compares_with_the_given_base() {
    let sandbox = workspace();
    change_the_test(&sandbox, "free");
    sandbox.commit("one");
    change_the_test_back(&sandbox);
    sandbox.commit("two");
    sandbox
        .poc("verify --list --base HEAD~1")
        .exits(0)
        .prints("-p free --test it");
    sandbox
        .poc("affected --format matrix --shards 2 --base HEAD~1")
        .exits(0)
        .prints("\"partition\":\"1/1\"");
}

fn change_the_test_back(sandbox: &Sandbox) {
    sandbox.edit("free/tests/it.rs", "40 + 2", "42");
}
