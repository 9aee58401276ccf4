//! `init` in workspaces of every shape: its output, and whether the output is correct.

mod asking;
mod existing;
mod given;
mod workspaces;

use std::collections::BTreeSet;

use cargo_poc::internals::document::plan::Action;
use cargo_poc::internals::document::{Document, Plan, read_plan, read_results};

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
fn plan_contains_the_arguments_and_parses() {
    let sandbox = workspace();
    let run = sandbox.poc(
        "init lru-cache -p store --file store/src/cache.rs='keeps answers' --file store/src/lib.rs --dep moka@0.12[sync,future] \
         --proves 'reads stay | under 1 ms' --because 'real load' --criterion 'p99 < 1 ms' --criterion 'no *stale* reads' \
         --type feature --size full",
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
            "Every test that passed in the baseline still passes"
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
        "[dependencies]\nmoka = { version = \"0.12\", features = [\"sync\", \"future\"] } # Add for lru-cache"
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
fn only_unknown_parts_are_placeholders() {
    let sandbox = workspace();
    sandbox.poc("init cache -p store --size full").exits(0);
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
        .poc("init 3d-cache -p store -p app --size full --file store/src/cache.rs --file store/src/cache/part.rs")
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
fn tiny_plan_has_no_placeholder_and_its_commands_run() {
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
fn custom_templates() {
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
        .says("the template folder");
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

/// The default plan: what a reviewer reads, and nothing twice.
#[test]
fn plan_is_short_without_repetition() {
    let sandbox = workspace();
    sandbox
        .poc(
            "init cache -p store --file store/src/cache.rs='keeps answers' --file store/src/lib.rs --dep moka@0.12 \
             --proves 'reads stay under 1 ms' --criterion 'p99 < 1 ms' --offline",
        )
        .exits(0);
    let text = sandbox.read("docs/cache-plan.md");
    let plan = plan(&sandbox, "docs/cache-plan.md");
    // Nine affected test targets take a row each.
    assert!((70..=135).contains(&text.lines().count()), "{text}");
    assert_eq!(plan.placeholders, [], "{text}");
    let command = plan.baseline[0].code.lines().next().unwrap();
    assert_eq!(text.matches(command).count(), 1, "{text}");
    // Without this section, the work is done when the baseline's commands pass.
    assert_eq!(plan.done, plan.baseline);
    for said in [
        "  - Proof: step 1\n",
        "  - Proof: done\n",
        "moka = \"0.12\" # Add for cache",
    ] {
        assert!(text.contains(said), "no {said:?} in\n{text}");
    }
    let folder = sandbox.root.file_name().unwrap().to_owned();
    for hidden in [
        "[fill in",
        "# existing",
        "mermaid",
        "```bash\n```",
        "`store` lib",
        &folder,
    ] {
        assert!(!text.contains(hidden), "{hidden:?} in\n{text}");
    }
}

/// No sentence and no command is repeated.
#[test]
fn no_paragraph_is_repeated() {
    let sandbox = Sandbox::package();
    sandbox.git();
    sandbox
        .poc("init cache --file src/cache.rs=keeps --file src/lib.rs")
        .exits(0);
    let text = sandbox.read("docs/cache-plan.md");
    assert!(text.lines().count() <= 110, "{text}");
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        let words = line.split_whitespace().count();
        if words > 4 && !line.starts_with(['|', '`']) {
            assert!(seen.insert(line), "{line:?} twice in\n{text}");
        }
    }
}

/// D13: `update` right after `init` has nothing to do, in another clone too.
#[test]
fn an_update_after_init_changes_nothing() {
    let sandbox = workspace();
    for size in ["tiny", "standard", "full"] {
        sandbox
            .poc(&format!(
                "init {size} -p store --file store/src/x.rs --file app/src/lib.rs=more --size {size} --dep one@1"
            ))
            .exits(0);
        let written = sandbox.read(&format!("docs/{size}-plan.md"));
        sandbox.poc(&format!("update {size}")).exits(0);
        assert_eq!(
            sandbox.read(&format!("docs/{size}-plan.md")),
            written,
            "{size}"
        );
    }
    sandbox.commit("plans");
    let clone = sandbox.root.join("another-name");
    let from = sandbox.root.to_string();
    sandbox.run_git(&["clone", "--quiet", &from, clone.as_str()]);
    sandbox.poc_in("another-name", "update full").exits(0);
    assert_eq!(
        sandbox.read("another-name/docs/full-plan.md"),
        sandbox.read("docs/full-plan.md")
    );
}
