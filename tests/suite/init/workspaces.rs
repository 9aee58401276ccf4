//! Plans in workspaces of every shape.

use camino::Utf8PathBuf;
use cargo_poc::internals::document::plan::Action;

use super::{WORKSPACE, files, plan, workspace};
use crate::kit::Sandbox;

#[test]
fn packages_come_from_files_or_from_the_folder() {
    let sandbox = workspace();
    sandbox.poc_in("app/src", "init here").exits(0);
    assert_eq!(plan(&sandbox, "docs/here-plan.md").packages, ["app"]);
    sandbox.poc("init there --file free/src/x.rs").exits(0);
    assert_eq!(plan(&sandbox, "docs/there-plan.md").packages, ["free"]);
    sandbox
        .poc("init nowhere")
        .exits(2)
        .says("which packages does `nowhere` touch?")
        .says("app, free, store, tool");
}

#[test]
fn a_single_package() {
    let sandbox = Sandbox::package();
    sandbox.git();
    sandbox
        .poc("init cache --file src/cache.rs --dep one@1")
        .exits(0);
    let plan = plan(&sandbox, "docs/cache-plan.md");
    assert_eq!(plan.packages, ["app"]);
    assert_eq!(plan.dependencies[0].manifest.as_deref(), Some("Cargo.toml"));
    assert_eq!(
        files(&plan),
        [
            ("src/cache.rs", &Action::Create),
            ("src/lib.rs", &Action::Modify),
            ("tests/cache.rs", &Action::Create),
            ("Cargo.toml", &Action::Modify),
        ]
    );
    assert_eq!(
        plan.baseline[0].code.lines().next(),
        Some("cargo test --no-fail-fast --workspace")
    );
}

#[test]
fn a_workspace_with_a_root_package_and_nested_excludes() {
    let sandbox = Sandbox::package();
    sandbox.append(
        "Cargo.toml",
        "\n[workspace]\nmembers = [\"crates/*\"]\nexclude = [\"crates/apart\"]\n",
    );
    sandbox.member("crates/inner", "inner", &[]);
    sandbox.member("crates/apart", "apart", &[]);
    sandbox.lock_with_cargo();
    sandbox.git();
    sandbox.poc("init root").exits(0);
    assert_eq!(plan(&sandbox, "docs/root-plan.md").packages, ["app"]);
    sandbox
        .poc_in("crates/inner", "init inner --file src/x.rs")
        .exits(0);
    let inner = plan(&sandbox, "docs/inner-plan.md");
    assert_eq!(inner.packages, ["inner"]);
    assert_eq!(files(&inner)[0].0, "crates/inner/src/x.rs");
    // The excluded package is a separate workspace.
    sandbox.poc_in("crates/apart", "init apart").exits(0);
    assert!(sandbox.exists("crates/apart/docs/apart-plan.md"));
    sandbox
        .poc("init wrong -p apart")
        .exits(2)
        .says("no package `apart`");
}

#[test]
fn several_targets_renamed_dependencies_and_target_tables() {
    let sandbox = Sandbox::workspace("store; app");
    sandbox.write(
        "app/Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\nname = \"engine\"\npath = \"lib/engine.rs\"\n\n\
         [[bin]]\nname = \"one\"\npath = \"src/one.rs\"\n\n[[bin]]\nname = \"two\"\npath = \"src/two.rs\"\n\n\
         [target.'cfg(unix)'.dependencies]\nkept = { package = \"store\", path = \"../store\" }\n",
    );
    sandbox.remove("app/src/lib.rs").remove("app/tests/it.rs");
    sandbox.write(
        "app/lib/engine.rs",
        "//! Runs things. Often.\n#[test]\nfn unit() {}\n",
    );
    sandbox.write("app/src/one.rs", "fn main() {}\n#[test]\nfn unit() {}\n");
    sandbox.write("app/src/two.rs", "fn main() {}\n");
    sandbox.lock_with_cargo();
    sandbox.git();
    sandbox
        .poc("init cache -p store -p app --file app/lib/part.rs --size full")
        .exits(0);
    let plan = plan(&sandbox, "docs/cache-plan.md");
    assert_eq!(plan.packages, ["store", "app"]);
    assert!(files(&plan).contains(&("app/lib/engine.rs", &Action::Modify)));
    let rows: Vec<(&str, &str)> = plan
        .tests
        .iter()
        .map(|row| (row.target.as_str(), row.covers.as_str()))
        .collect();
    assert!(
        rows.contains(&("app/lib/engine.rs", "Runs things.")),
        "{rows:?}"
    );
    assert!(rows.contains(&("app/src/one.rs", "--")), "{rows:?}");
    sandbox.shell(&plan.baseline[0].code).exits(0);
    // `store` reaches `app` through the renamed dependency of the target table.
    assert!(sandbox.read("docs/cache-plan.md").contains("p0 --> p1"));
}

#[test]
fn tests_without_auto_discovery_are_put_in_the_library() {
    let sandbox = Sandbox::package();
    sandbox.edit(
        "Cargo.toml",
        "edition = \"2021\"",
        "edition = \"2021\"\nautotests = false",
    );
    sandbox.git();
    sandbox.poc("init cache").exits(0);
    let found = plan(&sandbox, "docs/cache-plan.md");
    assert_eq!(
        found.steps[1].verification[0].code.lines().next(),
        Some("cargo test -p app --lib cache_step_1_")
    );
    sandbox.edit(
        "Cargo.toml",
        "edition = \"2021\"\nautotests = false",
        "edition = \"2015\"",
    );
    sandbox.append(
        "Cargo.toml",
        "\n[[test]]\nname = \"other-name\"\npath = \"tests/it.rs\"\n",
    );
    sandbox.poc("init older").exits(0);
    assert!(
        sandbox
            .read("docs/older-plan.md")
            .contains("cargo test -p app --lib older_step_1_")
    );
    sandbox.poc("init other-name").exits(0);
    assert!(
        sandbox
            .read("docs/other-name-plan.md")
            .contains("cargo test -p app --test other-name other_name_step_1_")
    );
}

#[test]
fn init_without_git_warns_about_missing_data() {
    let sandbox = Sandbox::workspace(WORKSPACE);
    sandbox
        .poc("init cache -p app")
        .exits(0)
        .says("no git repository")
        .says("has no base");
    assert_eq!(plan(&sandbox, "docs/cache-plan.md").base, None);
    sandbox
        .poc("init other -p app --from-diff")
        .exits(4)
        .says("--from-diff need git");
    sandbox.run_git(&["init", "--quiet"]);
    sandbox
        .poc("init third -p app")
        .exits(0)
        .says("has no commit");
}

#[test]
fn a_workspace_below_the_repositorys_root() {
    let sandbox = Sandbox::empty();
    sandbox.member("rust/app", "app", &[]);
    sandbox.write(
        "rust/Cargo.toml",
        "[workspace]\nmembers = [\"app\"]\nresolver = \"2\"\n",
    );
    sandbox.write("web/index.js", "");
    sandbox.git();
    sandbox
        .append("rust/app/src/lib.rs", "// changed\n")
        .write("web/new.js", "");
    sandbox.poc_in("rust", "init cache --from-diff").exits(0);
    let plan = plan(&sandbox, "rust/docs/cache-plan.md");
    assert_eq!(files(&plan)[0], ("app/src/lib.rs", &Action::Modify));
    assert!(!sandbox.read("rust/docs/cache-plan.md").contains("new.js"));
}

#[test]
fn a_path_with_blanks_and_other_scripts() {
    let sandbox = Sandbox::empty();
    let folder = "Größe und Maß – 測試";
    sandbox.member(folder, "app", &[]);
    sandbox.git();
    sandbox
        .poc_in(
            folder,
            "init cache --file 'src/größer als.rs=mehr | weniger' --dep one@1",
        )
        .exits(0);
    let path = format!("{folder}/docs/cache-plan.md");
    let plan = plan(&sandbox, &path);
    assert_eq!(files(&plan)[0], ("src/größer als.rs", &Action::Create));
    assert_eq!(plan.files[0].note, "Pending: mehr | weniger");
    let in_folder = format!("cd '{folder}' && {}", plan.baseline[0].code);
    sandbox.shell(&in_folder).exits(0);
    sandbox
        .poc_in(folder, "status cache")
        .exits(0)
        .prints("0 done, 4 pending")
        .hides("warning[");
}

#[test]
fn commands_contain_features_that_the_workspace_enables() {
    let sandbox = Sandbox::workspace("store; app: store; free");
    sandbox.append("store/Cargo.toml", "\n[features]\nextra = []\n");
    sandbox.edit(
        "app/Cargo.toml",
        "path = \"../store\"",
        "path = \"../store\"\nfeatures = [\"extra\"]",
    );
    sandbox.append(
        "store/Cargo.toml",
        "rare = []\n\n[[test]]\nname = \"long\"\nrequired-features = [\"rare\"]\n",
    );
    sandbox.write("store/tests/long.rs", "");
    sandbox.lock_with_cargo();
    sandbox.git();
    sandbox.poc("init cache -p store").exits(0);
    let plan = plan(&sandbox, "docs/cache-plan.md");
    assert_eq!(
        plan.steps[1].verification[0].code.lines().next(),
        Some("cargo test -p store --features store/extra --test cache cache_step_1_")
    );
    // Tests that no plain run builds are reported in advance.
    let features = plan
        .prerequisites
        .iter()
        .find(|one| one.title.contains("need features"))
        .unwrap();
    sandbox.shell(&features.verification[0].code).exits(0);
}

#[test]
fn risks_from_the_graph() {
    let sandbox = Sandbox::workspace("store; app: store; gen; made: gen(build)");
    sandbox.append(
        "store/src/lib.rs",
        "pub fn peek(x: *const u8) -> u8 {\n    unsafe { *x }\n}\n",
    );
    sandbox.edit(
        "store/Cargo.toml",
        "edition = \"2021\"",
        "edition = \"2021\"\nrust-version = \"1.70\"",
    );
    sandbox.append("gen/Cargo.toml", "\n[lib]\nproc-macro = true\n");
    let package = "\n[[package]]\nname = \"old\"\nversion = \"1.4.2\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    sandbox.append("Cargo.lock", package);
    sandbox.git();
    sandbox
        .poc("init cache -p store -p gen -p made --dep old@2")
        .exits(0);
    let text = sandbox.read("docs/cache-plan.md");
    for said in [
        "1 of 4 packages depends on `store`",
        "`gen` is a procedural macro",
        "`made` has a build script",
        "`store` uses `unsafe` once",
        "`store` supports Rust 1.70.0",
        "the build already contains `old` 1.4.2",
    ] {
        assert!(text.contains(said), "no {said:?} in\n{text}");
    }
}

#[test]
fn settings_of_the_workspace_apply() {
    let sandbox = workspace();
    sandbox.append(
        "Cargo.toml",
        "\n[workspace.metadata.poc]\ndocs = \"./plans/\"\ntemplate = \"mine\"\n",
    );
    sandbox.write("mine/results.md", "# Mine\n");
    sandbox
        .poc_in("app", "init cache")
        .exits(0)
        .says("plans/cache-plan.md");
    assert_eq!(sandbox.read("plans/cache-results.md"), "# Mine\n");
    // Documents there are documents of ours, however the folder is written.
    sandbox.commit("with plan");
    sandbox.append("plans/cache-plan.md", "\nMore.\n");
    sandbox
        .poc("affected --base HEAD --explain")
        .prints("a document of cargo poc");
    let paths: Vec<Utf8PathBuf> = sandbox.files().into_keys().collect();
    assert!(paths.iter().all(|path| !path.as_str().contains("docs")));
}
