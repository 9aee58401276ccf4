//! `init`: what it writes, in workspaces of every shape, and that what it writes is true.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use cargo_poc::document::plan::Action;
use cargo_poc::document::{Document, Plan, read_plan, read_results};

use crate::kit::Sandbox;

const WORKSPACE: &str = "store; app: store; tool: store(dev); free";

fn workspace() -> Sandbox {
    let sandbox = Sandbox::workspace(WORKSPACE);
    sandbox.git();
    sandbox
}

/// The plan as the program reads it back.
#[track_caller]
fn plan(sandbox: &Sandbox, path: &str) -> Plan {
    let plan = read_plan(&Document::from_text(path, sandbox.read(path)));
    assert_eq!(plan.problems, [], "{}", sandbox.read(path));
    plan
}

/// Path and action of each row of the Files table.
fn files(plan: &Plan) -> Vec<(&str, &Action)> {
    let rows = plan.files.iter();
    rows.map(|row| (row.path.as_str(), &row.action)).collect()
}

fn ids(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| step.id.to_string()).collect()
}

/// The toml of the only Dependencies block, without what the manifest has already.
#[track_caller]
fn new_dependencies(plan: &Plan) -> String {
    let [block] = &plan.dependencies[..] else {
        panic!("not one block: {:?}", plan.dependencies);
    };
    let lines = block.block.code.lines();
    let new: Vec<&str> = lines.filter(|line| !line.ends_with("# existing")).collect();
    new.join("\n")
}

#[test]
fn a_plan_says_what_was_asked_and_reads_back() {
    let sandbox = workspace();
    let run = sandbox.poc(
        "init lru-cache -p store --file store/src/cache.rs='keeps answers' --file store/src/lib.rs --dep moka@0.12[sync,future] \
         --proves 'reads stay | under 1 ms' --because 'real load' --criterion 'p99 < 1 ms' --criterion 'no *stale* reads' \
         --type feature",
    );
    run.exits(0)
        .says("docs/lru-cache-plan.md")
        .says("docs/lru-cache-results.md")
        .says("cargo poc verify lru-cache --baseline");
    let plan = plan(&sandbox, "docs/lru-cache-plan.md");
    assert_eq!(plan.name.as_deref(), Some("Lru cache"));
    assert_eq!(plan.kind.as_deref(), Some("Feature"));
    assert_eq!(plan.proves.as_deref(), Some("reads stay | under 1 ms"));
    assert_eq!(plan.base, Some(sandbox.run_git(&["rev-parse", "HEAD"])));
    assert_eq!(plan.packages, ["store"]);
    assert_eq!(plan.results_link.as_deref(), Some("lru-cache-results.md"));
    let criteria: Vec<&str> = plan
        .criteria
        .iter()
        .map(|item| item.text.as_str())
        .collect();
    assert_eq!(
        criteria,
        [
            "p99 < 1 ms",
            "no stale reads",
            "Every test that passed at the baseline passes still"
        ]
    );
    assert_eq!(
        files(&plan),
        [
            ("store/src/cache.rs", &Action::Create),
            ("store/src/lib.rs", &Action::Modify),
            ("store/tests/lru_cache.rs", &Action::Create),
            ("store/Cargo.toml", &Action::Modify),
        ]
    );
    assert_eq!(ids(&plan), ["0", "1", "2"]);
    assert_eq!(
        plan.dependencies[0].manifest.as_deref(),
        Some("store/Cargo.toml")
    );
    assert_eq!(
        new_dependencies(&plan),
        "[dependencies]\nmoka = { version = \"0.12\", features = [\"sync\", \"future\"] } # Add for reads stay | under 1 ms"
    );
    for step in &plan.steps {
        assert!(!step.verification.is_empty(), "step {}", step.id);
        assert!(!step.tasks.is_empty(), "step {}", step.id);
    }
    // Three packages use the store in some way, and each has three tests.
    assert_eq!(plan.affected_total.map(|count| count.value), Some(9));
    assert_eq!(plan.full_suite.map(|count| count.value), Some(12));
    let text = sandbox.read("docs/lru-cache-plan.md");
    for said in [
        "[\"store\"]:::touched",
        "├── src/\n    │   ├── cache.rs     # New: keeps answers",
        "- `app/tests/it.rs` - app from outside.",
        "2 of 4 packages depend on `store`",
        "mod cache;",
    ] {
        assert!(text.contains(said), "no {said:?} in\n{text}");
    }
    let results = sandbox.read("docs/lru-cache-results.md");
    let results = read_results(&Document::from_text("r", results));
    assert_eq!(results.problems, []);
    let steps: Vec<String> = results
        .steps
        .iter()
        .map(|step| step.id.to_string())
        .collect();
    assert_eq!(steps, ["0", "1", "2"]);
    assert_eq!(results.criteria.len(), 3);
}

#[test]
fn only_what_a_person_must_say_is_left_open() {
    let sandbox = workspace();
    sandbox.poc("init cache -p store").exits(0);
    let plan = plan(&sandbox, "docs/cache-plan.md");
    let open: Vec<&str> = plan
        .placeholders
        .iter()
        .map(|one| one.text.as_str())
        .collect();
    assert!(open.len() >= 5, "{open:?}");
    let json = sandbox.poc("status cache --format json").json();
    let counted = usize::try_from(json["pocs"][0]["placeholders"].as_u64().unwrap()).unwrap();
    let results = sandbox.read("docs/cache-results.md");
    assert_eq!(counted, open.len() + results.matches("[fill in:").count());
}

#[test]
fn steps_follow_the_dependencies_leaves_first() {
    let sandbox = workspace();
    sandbox
        .poc("init cache -p tool -p app -p store --dep moka@0.12")
        .exits(0);
    let plan = plan(&sandbox, "docs/cache-plan.md");
    let titles: Vec<&str> = plan.steps.iter().map(|step| step.title.as_str()).collect();
    assert_eq!(titles[0], "Set-up");
    assert_eq!(titles[titles.len() - 1], "Integration");
    let at = |name: &str| {
        titles
            .iter()
            .position(|title| title.contains(name))
            .unwrap()
    };
    assert!(at("store") < at("app"), "{titles:?}");
    // The first package named gets the dependencies.
    assert_eq!(
        plan.dependencies[0].manifest.as_deref(),
        Some("tool/Cargo.toml")
    );
}

#[test]
fn every_command_of_a_plan_runs_once_its_tests_are_written() {
    let sandbox = workspace();
    sandbox
        .poc("init 3d-cache -p store -p app --file store/src/cache.rs --file store/src/cache/part.rs")
        .exits(0);
    let plan = plan(&sandbox, "docs/3d-cache-plan.md");
    let skeletons: Vec<(String, &str)> = plan
        .steps
        .iter()
        .flat_map(|step| step.tests.iter().chain(&step.code))
        .filter(|block| block.lang == "rust")
        .map(|block| {
            (
                target_of(&sandbox.read("docs/3d-cache-plan.md"), &block.code),
                block.code.as_str(),
            )
        })
        .collect();
    assert_eq!(skeletons.len(), 4, "{skeletons:?}");
    sandbox
        .write("store/src/cache.rs", "mod part;\n")
        .write("store/src/cache/part.rs", "");
    for (path, code) in &skeletons {
        let before = if sandbox.exists(path) {
            sandbox.read(path)
        } else {
            String::new()
        };
        sandbox.write(path, format!("{before}\n{code}\n"));
    }
    // A skeleton compiles, and fails until it is written.
    sandbox
        .shell("cargo test --offline --workspace --no-run")
        .exits(0);
    let step = &plan.steps[1].verification[0].code;
    sandbox.shell(step).exits(101).prints("not written yet");
    for (path, _) in &skeletons {
        let text = sandbox.read(path);
        sandbox.write(
            path,
            text.replace("panic!(\"this test is not written yet\");", ""),
        );
    }
    let blocks = plan.baseline.iter().chain(&plan.done);
    let blocks = blocks.chain(
        plan.prerequisites
            .iter()
            .flat_map(|one| one.commands.iter().chain(&one.verification)),
    );
    let blocks = blocks.chain(plan.steps.iter().flat_map(|step| &step.verification));
    let commands: BTreeSet<&str> = blocks
        .filter(|block| block.is_shell())
        .map(|block| block.code.as_str())
        .collect();
    assert!(commands.len() >= 4, "{commands:?}");
    for command in commands {
        let run = sandbox.shell(command);
        run.exits(0);
        if command.contains("cargo test") {
            run.prints(" passed").prints("test ");
        }
    }
}

/// The file named above a code block.
fn target_of(plan: &str, code: &str) -> String {
    let before = &plan[..plan.find(code).unwrap()];
    let label = before
        .lines()
        .rev()
        .find(|line| line.starts_with("**"))
        .unwrap();
    label.split('`').nth(1).unwrap().to_owned()
}

#[test]
fn a_tiny_plan_leaves_nothing_open_and_its_commands_run() {
    for arguments in ["-p store --file store/src/lib.rs", "-p store --from-diff"] {
        let sandbox = workspace();
        sandbox.append("store/src/lib.rs", "pub fn more() {}\n");
        sandbox
            .poc(&format!("init tidy --size tiny {arguments}"))
            .exits(0);
        let plan = plan(&sandbox, "docs/tidy-plan.md");
        assert_eq!(files(&plan), [("store/src/lib.rs", &Action::Modify)]);
        assert_eq!(plan.placeholders, []);
        assert!(sandbox.read("docs/tidy-plan.md").lines().count() < 80);
        let results = read_results(&Document::from_text(
            "r",
            sandbox.read("docs/tidy-results.md"),
        ));
        assert_eq!((results.placeholders, results.problems), (vec![], vec![]));
        assert_eq!(ids(&plan), ["0", "1"]);
        for step in &plan.steps {
            let [block] = &step.verification[..] else {
                panic!("step {} has {:?}", step.id, step.verification);
            };
            sandbox.shell(&block.code).exits(0);
        }
    }
}

#[test]
fn a_tiny_plan_for_a_package_without_tests_names_the_test_to_write() {
    let sandbox = Sandbox::empty();
    sandbox.write(
        "Cargo.toml",
        "[package]\nname = \"bare\"\nedition = \"2021\"\n",
    );
    sandbox.write("src/main.rs", "fn main() {}\n");
    sandbox.git();
    sandbox.poc("init fix --size tiny").exits(0);
    let plan = plan(&sandbox, "docs/fix-plan.md");
    assert_eq!(
        plan.steps[1].verification[0].code.lines().next(),
        Some("cargo test -p bare --test fix fix_step_1_")
    );
    assert_eq!(files(&plan), [("tests/fix.rs", &Action::Create)]);
}

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
fn files_are_meant_from_here_or_from_the_package() {
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
fn files_of_the_working_trees_change() {
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
        // What is there keeps its requirement.
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
fn the_version_comes_from_the_nearest_place_that_knows() {
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
fn steps_of_ones_own() {
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
fn templates_of_ones_own() {
    let sandbox = workspace();
    sandbox.write("mine/plan.md", "# {{ title }} for {{ packages[0].name }}\n");
    sandbox.poc("init cache -p app --template mine").exits(0);
    assert_eq!(sandbox.read("docs/cache-plan.md"), "# Cache for app\n");
    // A template that is not there is the built-in one.
    assert!(
        sandbox
            .read("docs/cache-results.md")
            .contains("## Implementation Progress")
    );
    sandbox.write("mine/plan.md", "# {{ nothing }}\n\n{{ x\n");
    sandbox
        .poc("init other -p app --template mine")
        .exits(2)
        .says("mine/plan.md")
        .says("plan.md:3");
    sandbox
        .poc("init other -p app --template gone")
        .exits(2)
        .says("no template folder");
    assert!(!sandbox.exists("docs/other-plan.md") && !sandbox.exists("docs/other-results.md"));
}

#[test]
fn a_dry_run_prints_what_would_be_written() {
    let sandbox = workspace();
    let before = sandbox.files();
    let run = sandbox.poc("init cache -p app --dry-run");
    run.exits(0);
    assert_eq!(sandbox.files(), before);
    sandbox.poc("init cache -p app").exits(0);
    assert_eq!(run.stdout, sandbox.read("docs/cache-plan.md"));
}

#[test]
fn nothing_is_ever_overwritten() {
    for there in ["docs/cache-plan.md", "docs/cache-results.md"] {
        let sandbox = workspace();
        sandbox.write(there, "mine");
        let before = sandbox.files();
        sandbox
            .poc("init cache -p app")
            .exits(2)
            .says(there)
            .says("not overwritten");
        assert_eq!(sandbox.files(), before);
    }
}

#[test]
fn in_a_pipe_it_never_asks() {
    let sandbox = workspace();
    let before = sandbox.files();
    sandbox.poc("init").exits(2).says("which name?");
    sandbox
        .poc("init -p app --proves x")
        .exits(2)
        .says("which name?");
    assert_eq!(sandbox.files(), before);
}

#[cfg(unix)]
#[test]
fn on_a_terminal_it_asks_and_says_how_to_do_without() {
    const DOWN: &str = "\u{1b}[B";
    let sandbox = workspace();
    sandbox.append(
        "app/Cargo.toml",
        "\n[build-dependencies]\nthree = \"3.0\"\n",
    );
    let mut terminal = sandbox.on_terminal("init");
    // A name that is refused, and mended.
    terminal
        .shows("Name of the work:")
        .types("Cache\r")
        .shows("use a-z, 0-9 and `-`");
    terminal.types("\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}cache\r");
    // The second package of the graph.
    terminal
        .shows("Packages it touches:")
        .types(&format!("{DOWN} \r"));
    // A file that is new, one that Tab completes, and no third.
    terminal
        .shows("A file it creates")
        .types("free/src/x.rs=new\r");
    terminal.shows("> A file it creates, changes or deletes: free/src/x.rs=new");
    terminal.types("free/src/li").shows("\n  free/src/lib.rs");
    terminal
        .types("\t=changed\r")
        .shows("deletes: free/src/lib.rs=changed")
        .types("\r");
    // A dependency with the requirement that a member has.
    terminal
        .shows("A dependency it needs:")
        .types("thr")
        .shows("three@");
    terminal
        .types("\t\r")
        .shows("> A dependency it needs: three@3.0")
        .types("\r");
    terminal.shows("What does it prove?").types("it works\r");
    terminal.shows("A success criterion:").types("p99 < 1 ms\r");
    terminal
        .shows("> A success criterion: p99 < 1 ms")
        .types("\r");
    let ended = terminal.ends();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    let same = "cargo poc init cache --package free --file 'free/src/x.rs=new' --file 'free/src/lib.rs=changed' --proves 'it works' \
                --criterion 'p99 < 1 ms' --dep three@3.0";
    assert!(
        ended.screen.replace('\n', "").contains(same),
        "{}",
        ended.screen
    );
    let asked = sandbox.read("docs/cache-plan.md");
    sandbox
        .remove("docs/cache-plan.md")
        .remove("docs/cache-results.md");
    sandbox.shell(same).exits(0);
    assert_eq!(sandbox.read("docs/cache-plan.md"), asked);
}

#[cfg(unix)]
#[test]
fn who_gives_up_writes_nothing_and_what_was_said_is_not_asked() {
    let sandbox = workspace();
    let before = sandbox.files();
    let mut terminal =
        sandbox.on_terminal("init -p app --file app/src/x.rs --dep one@1 --proves x");
    terminal.shows("Name of the work:").types("cache\r");
    terminal.shows("A success criterion:");
    assert!(
        !terminal.screen().contains("Packages it touches"),
        "{}",
        terminal.screen()
    );
    terminal.types("\u{1b}");
    let ended = terminal.ends();
    assert_eq!(ended.code, 2, "{}", ended.screen);
    assert!(
        ended.screen.contains("nothing was written"),
        "{}",
        ended.screen
    );
    assert_eq!(sandbox.files(), before);
    // Ctrl-C at a question is giving up too.
    let mut terminal = sandbox.on_terminal("init --color never");
    terminal.shows("Name of the work:").types("\u{3}");
    let ended = terminal.ends();
    assert_eq!(ended.code, 2, "{}", ended.screen);
    assert!(
        !ended.printed.contains("\u{1b}[3"),
        "no colours: {:?}",
        ended.printed
    );
    assert_eq!(sandbox.files(), before);
}

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
    sandbox.shell("cargo generate-lockfile --offline").exits(0);
    sandbox.git();
    sandbox.poc("init root").exits(0);
    assert_eq!(plan(&sandbox, "docs/root-plan.md").packages, ["app"]);
    sandbox
        .poc_in("crates/inner", "init inner --file src/x.rs")
        .exits(0);
    let inner = plan(&sandbox, "docs/inner-plan.md");
    assert_eq!(inner.packages, ["inner"]);
    assert_eq!(files(&inner)[0].0, "crates/inner/src/x.rs");
    // The excluded package is a workspace of its own.
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
    sandbox.shell("cargo generate-lockfile --offline").exits(0);
    sandbox.git();
    sandbox
        .poc("init cache -p store -p app --file app/lib/part.rs")
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
    assert!(
        rows.contains(&("app/src/one.rs", "app bin one")),
        "{rows:?}"
    );
    sandbox.shell(&plan.baseline[0].code).exits(0);
    // `store` reaches `app` through the renamed dependency of the target table.
    assert!(sandbox.read("docs/cache-plan.md").contains("p0 --> p1"));
}

#[test]
fn tests_that_cargo_does_not_find_by_itself_go_into_the_library() {
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
fn without_git_it_says_what_is_lost() {
    let sandbox = Sandbox::workspace(WORKSPACE);
    sandbox
        .poc("init cache -p app")
        .exits(0)
        .says("no git repository")
        .says("records no base");
    assert_eq!(plan(&sandbox, "docs/cache-plan.md").base, None);
    sandbox
        .poc("init other -p app --from-diff")
        .exits(4)
        .says("--from-diff need git");
    sandbox.run_git(&["init", "--quiet"]);
    sandbox
        .poc("init third -p app")
        .exits(0)
        .says("no commit yet");
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
fn features_that_the_workspace_turns_on_go_with_the_commands() {
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
    sandbox.shell("cargo generate-lockfile --offline").exits(0);
    sandbox.git();
    sandbox.poc("init cache -p store").exits(0);
    let plan = plan(&sandbox, "docs/cache-plan.md");
    assert_eq!(
        plan.steps[1].verification[0].code.lines().next(),
        Some("cargo test -p store --features store/extra --test cache cache_step_1_")
    );
    // Tests that no plain run builds are said beforehand.
    let features = plan
        .prerequisites
        .iter()
        .find(|one| one.title.contains("need features"))
        .unwrap();
    sandbox.shell(&features.verification[0].code).exits(0);
}

#[test]
fn what_the_graph_shows_as_a_risk() {
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
        "`store` promises to build with Rust 1.70.0",
        "`old` 1.4.2 is in the build already",
    ] {
        assert!(text.contains(said), "no {said:?} in\n{text}");
    }
}

#[test]
fn settings_of_the_workspace_hold() {
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
