//! What the command line gives: files, dependencies, criteria and steps.

use cargo_poc::internals::document::plan::Action;

use super::{files, new_dependencies, plan, workspace};

#[test]
fn the_forms_of_a_file() {
    let sandbox = workspace();
    sandbox.write("store/src/old.rs", "").commit("old");
    sandbox
        .poc("init cache -p store --file=-store/src/old.rs='no longer used' --file -store/src/lib.rs --file store/src/a/b.rs=new")
        .exits(0);
    let plan = plan(&sandbox, "docs/cache-plan.md");
    assert_eq!(
        files(&plan)[..3],
        [
            ("store/src/old.rs", &Action::Delete),
            ("store/src/lib.rs", &Action::Delete),
            ("store/src/a/b.rs", &Action::Create),
        ]
    );
    assert_eq!(plan.files[0].note, "Pending: no longer used");
}

#[test]
fn file_paths_are_relative_to_the_folder_or_the_package() {
    let sandbox = workspace();
    for (folder, file) in [
        ("", "store/src/x.rs"),
        ("", "src/x.rs"),
        ("app", "../store/src/x.rs"),
        ("store/src", "x.rs"),
    ] {
        let name = format!(
            "from-{}",
            folder.replace('/', "-") + &file.replace(['/', '.'], "-")
        );
        sandbox
            .poc_in(
                folder,
                &format!("init {name} -p store --file {file} --docs plans"),
            )
            .exits(0);
        let plan = plan(&sandbox, &format!("plans/{name}-plan.md"));
        assert_eq!(
            files(&plan)[0],
            ("store/src/x.rs", &Action::Create),
            "{folder} {file}"
        );
    }
}

#[test]
fn files_from_the_diff_of_the_work_tree() {
    let sandbox = workspace();
    sandbox
        .append("app/src/lib.rs", "pub fn more() {}\n")
        .write("app/src/new.rs", "")
        .remove("store/tests/it.rs");
    sandbox.poc("init cache --from-diff").exits(0);
    let plan = plan(&sandbox, "docs/cache-plan.md");
    assert_eq!(
        files(&plan)[..3],
        [
            ("app/src/lib.rs", &Action::Modify),
            ("app/src/new.rs", &Action::Create),
            ("store/tests/it.rs", &Action::Delete),
        ]
    );
    assert_eq!(plan.packages, ["store", "app"]);
}

#[test]
fn the_forms_of_a_dependency() {
    let sandbox = workspace();
    sandbox.append(
        "app/Cargo.toml",
        "\n[dependencies.present]\nversion = \"1.2\"\noptional = true\n",
    );
    let cases = [
        ("--dep one@1.0", "[dependencies]\none = \"1.0\""),
        (
            "--dep one@1.0[a,b]",
            "[dependencies]\none = { version = \"1.0\", features = [\"a\", \"b\"] }",
        ),
        ("--dep 'one@>=1, <3'", "[dependencies]\none = \">=1, <3\""),
        ("--dep one@1 --dev", "[dev-dependencies]\none = \"1\""),
        ("--dep one@1 --build", "[build-dependencies]\none = \"1\""),
        (
            "--dep one --git https://example.com/one --tag v1",
            "[dependencies]\none = { git = \"https://example.com/one\", tag = \"v1\" }",
        ),
        (
            "--dep one --path elsewhere/one",
            "[dependencies]\none = { path = \"../elsewhere/one\" }",
        ),
        (
            "--dep one@1 --path ./app/../one",
            "[dependencies]\none = { path = \"../one\", version = \"1\" }",
        ),
        // A member is meant by its name, as `cargo add` takes it.
        (
            "--dep free",
            "[dependencies]\nfree = { path = \"../free\" }",
        ),
        // An existing dependency keeps its requirement.
        (
            "--dep present[x]",
            "[dependencies]\npresent = { version = \"1.2\", features = [\"x\"] }",
        ),
    ];
    for (index, (arguments, expected)) in cases.into_iter().enumerate() {
        let name = format!("case-{index}");
        sandbox
            .poc(&format!("init {name} -p app {arguments}"))
            .exits(0);
        let plan = plan(&sandbox, &format!("docs/{name}-plan.md"));
        let text = new_dependencies(&plan);
        let new: Vec<&str> = text
            .lines()
            .map(|line| line.split(" # Add for").next().unwrap())
            .collect();
        assert_eq!(new.join("\n"), expected, "{arguments}");
    }
    // A path is meant from the current folder and written from the manifest's.
    sandbox
        .poc_in(
            "app/src",
            "init below -p app --dep one --path ../vendor/one",
        )
        .exits(0);
    let plan = plan(&sandbox, "docs/below-plan.md");
    assert!(new_dependencies(&plan).contains("{ path = \"vendor/one\" }"));
}

#[test]
fn version_comes_from_the_first_source_that_has_one() {
    let sandbox = workspace();
    sandbox.append("Cargo.toml", "\n[workspace.dependencies]\nshared = \"3\"\n");
    let package = "\n[[package]]\nname = \"locked\"\nversion = \"1.4.2\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    sandbox.append("Cargo.lock", package);
    sandbox
        .poc("init cache -p app --dep shared[x] --dep locked --dep unknown --dep given@0.3 --offline")
        .exits(0);
    let plan = plan(&sandbox, "docs/cache-plan.md");
    let text = new_dependencies(&plan);
    let new: Vec<&str> = text
        .lines()
        .map(|line| line.split(" # Add for").next().unwrap())
        .collect();
    assert_eq!(
        new,
        [
            "[dependencies]",
            "shared = { workspace = true, features = [\"x\"] }",
            "locked = \"1.4.2\"",
            "unknown = \"[fill in: version]\"",
            "given = \"0.3\"",
        ]
    );
    let deps = sandbox.poc("deps cache --check");
    assert_ne!(deps.code, 0, "{deps}");
}

#[test]
fn dependencies_of_a_plan_apply() {
    let sandbox = workspace();
    sandbox
        .poc("init cache -p app --dep free --offline")
        .exits(0);
    sandbox.poc("deps cache --offline").exits(0);
    let manifest = sandbox.read("app/Cargo.toml");
    assert!(
        manifest.contains("free = { path = \"../free\" }"),
        "{manifest}"
    );
    sandbox.poc("deps cache --check --offline").exits(0);
}

#[test]
fn criteria_from_another_document() {
    let sandbox = workspace();
    sandbox.write(
        "docs/spec.md",
        "# Spec\n\n- [ ] everywhere\n\n## Speed\n\n- [ ] fast\n  - [ ] detail\n- [x] small\n\n## Other\n\n- [ ] odd\n",
    );
    let criteria = |name: &str| -> Vec<String> {
        let plan = plan(&sandbox, &format!("docs/{name}-plan.md"));
        plan.criteria.into_iter().map(|item| item.text).collect()
    };
    sandbox
        .poc("init all -p app --criteria-from docs/spec.md")
        .exits(0);
    assert_eq!(criteria("all")[..4], ["everywhere", "fast", "small", "odd"]);
    sandbox
        .poc("init some -p app --criteria-from docs/spec.md#Speed --criterion mine")
        .exits(0);
    assert_eq!(criteria("some")[..3], ["mine", "fast", "small"]);
    assert!(
        sandbox
            .read("docs/some-plan.md")
            .contains("From `docs/spec.md`")
    );
    sandbox
        .poc("init none -p app --criteria-from docs/spec.md#Nowhere")
        .exits(2)
        .says("no checklist")
        .says("Nowhere");
    sandbox
        .poc("init none -p app --criteria-from docs/gone.md")
        .exits(2)
        .says("docs/gone.md");
    assert!(!sandbox.exists("docs/none-plan.md"));
}

#[test]
fn named_steps() {
    let sandbox = workspace();
    sandbox
        .poc("init cache -p store -p app --step 'Keep answers' --step 'Drop | old ones' --step Third --file app/src/x.rs")
        .exits(0);
    let plan = plan(&sandbox, "docs/cache-plan.md");
    let titles: Vec<&str> = plan.steps.iter().map(|step| step.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "Set-up",
            "Keep answers",
            "Drop | old ones",
            "Third",
            "Integration"
        ]
    );
    let commands: Vec<&str> = plan.steps[1..4]
        .iter()
        .map(|step| step.verification[0].code.lines().next().unwrap())
        .collect();
    assert_eq!(
        commands,
        [
            "cargo test -p store --test cache cache_step_1_",
            "cargo test -p app --test cache cache_step_2_",
            "cargo test -p app --test cache cache_step_3_",
        ]
    );
    assert!(
        plan.steps[2]
            .tasks
            .iter()
            .any(|task| task.text.contains("app/src/x.rs"))
    );
}

#[test]
fn files_are_assigned_to_the_step_that_names_them() {
    let sandbox = workspace();
    sandbox
        .poc(
            "init cache -p store --step 'Evict old answers' --step 'Keep answers' --step 'Report' --file store/src/keep.rs \
             --file store/src/evict.rs --file store/src/lib.rs --file store/src/a.rs --file store/src/b.rs",
        )
        .exits(0);
    let plan = plan(&sandbox, "docs/cache-plan.md");
    let tasks = |step: usize| -> String {
        let tasks = plan.steps[step].tasks.iter();
        tasks
            .map(|task| task.text.as_str())
            .collect::<Vec<_>>()
            .join("; ")
    };
    for (step, file) in [
        (1, "evict.rs"),
        (2, "keep.rs"),
        (1, "lib.rs"),
        (2, "a.rs"),
        (3, "b.rs"),
    ] {
        let name = format!("store/src/{file}");
        assert!(
            tasks(step).contains(&name),
            "{file} is not in step {step}: {}",
            tasks(step)
        );
    }
}
