//! Task lists of other tools: `tasks.md` of spec-kit and OpenSpec, and tasks of Backlog.md. The files are read, verified and not changed.

use serde_json::{Value, json};

use crate::kit::Sandbox;

const SPEC_KIT: &str = "specs/001-answer/tasks.md";
const OPEN_SPEC: &str = "openspec/changes/quicker/tasks.md";
const BACKLOG: &str = "backlog/tasks/task-7.2 - Answer-twice.md";

/// Two members and one task list of each tool, committed.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::workspace("store; app: store; tool");
    sandbox
        .write(
            SPEC_KIT,
            "# Tasks: the answer\n\n**Input**: `/specs/001-answer/`\n\n## Phase 1: Setup\n\n- [x] T001 Read the specification\n\n\
             ## Phase 2: User Story 1 - The answer (Priority: P1)\n\n**Goal**: an answer\n\n### Tests\n\n\
             - [ ] T002 [P] [US1] Extend store/tests/it.rs\n\n### Implementation\n\n\
             - [ ] T003 [US1] Return it from `store/src/lib.rs`\n  - [ ] T003a without a branch\n\
             \n```text\n- [ ] T900 an example\n```\n\n## Phase N: Polish\n\n- [X] T004 Delete app/src/old.rs\n- T005 Measure\n-[ ] T006 Publish\n\n\
             ## Dependencies\n\n- T003 after T002\n\n## Notes\n\n- [P] tasks: different files\n- [y] T007 Announce\n",
        )
        .write(
            OPEN_SPEC,
            "## 1. Store\n\n- [x] 1.1 Change `store/src/lib.rs`\n- [ ] 1.2 Create store/src/fast.rs\n\n\
             ## 1. App\n- [ ] 2.1 Use it\n  - in ./app/src/lib.rs:3.\n\n## Validation\n\n* [ ] Run it\n",
        )
        .write(
            BACKLOG,
            "---\nid: TASK-7.2\ntitle: >-\n  Answer twice,\n  at once\nstatus: Done\nlabels: [cli]\n---\n\n## Description\n\n`tool/src/lib.rs` \
             answers once. See https://example.com/a/b.html and 1/2.\n\n## Acceptance Criteria\n<!-- AC:BEGIN -->\n\
             - [x] #1 It answers twice\n- [ ] #2 It is quick\n<!-- AC:END -->\n\n## Implementation Plan\n\n- [x] write it\n\n\
             ## Definition of Done\n- [ ] #1 Reviewed\n",
        )
        .git();
    sandbox
}

/// The status of a task list.
fn status(sandbox: &Sandbox, file: &str) -> Value {
    let run = sandbox.poc(&format!("status --format json --plan '{file}'"));
    run.json()["pocs"][0].clone()
}

/// Each step as `id title checked/total state`.
fn steps(poc: &Value) -> Vec<String> {
    let steps = poc["steps"].as_array().unwrap().iter();
    let line = |step: &Value| {
        let text = |key: &str| step[key].as_str().unwrap().to_owned();
        let tasks = &step["tasks"];
        let (id, title, state) = (text("id"), text("title"), text("state"));
        format!(
            "{id} {title} {}/{} {state}",
            tasks["checked"], tasks["total"]
        )
    };
    steps.map(line).collect()
}

/// Each finding as `code line`.
fn findings(poc: &Value) -> Vec<String> {
    let findings = poc["findings"].as_array().unwrap().iter();
    let line =
        |finding: &Value| format!("{} {}", finding["code"].as_str().unwrap(), finding["line"]);
    findings.map(line).collect()
}

#[test]
fn phases_of_spec_kit_are_steps_and_lines_that_resemble_a_task_are_findings() {
    let poc = status(&sandbox(), SPEC_KIT);
    assert_eq!(poc["name"], SPEC_KIT);
    assert_eq!(poc["type"], "spec-kit");
    assert_eq!(
        steps(&poc),
        [
            "1 Setup 1/1 claimed",
            "2 User Story 1 - The answer (Priority: P1) 0/3 pending",
            "3 Phase N: Polish 1/1 claimed",
        ]
    );
    let files = json!([
        {"path": "app/src/old.rs", "action": "delete", "state": "done"},
        {"path": "store/src/lib.rs", "action": "modify", "state": null},
        {"path": "store/tests/it.rs", "action": "modify", "state": null},
    ]);
    assert_eq!(poc["files"], files);
    assert_eq!(
        findings(&poc),
        [
            "POC020 5",
            "POC020 26",
            "POC001 29",
            "POC001 30",
            "POC001 39"
        ]
    );
}

#[test]
fn sections_of_openspec_are_steps_with_unique_numbers() {
    let poc = status(&sandbox(), OPEN_SPEC);
    assert_eq!(
        steps(&poc),
        [
            "1 Store 1/2 in progress",
            "2 App 0/1 pending",
            "3 Validation 0/1 pending",
        ]
    );
    let paths = poc["files"].as_array().unwrap().iter();
    let paths: Vec<&str> = paths.map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(
        paths,
        ["app/src/lib.rs", "store/src/fast.rs", "store/src/lib.rs"]
    );
    assert_eq!(findings(&poc), [""; 0]);
}

#[test]
fn a_task_of_backlog_is_one_step_with_criteria_and_a_checklist() {
    let poc = status(&sandbox(), BACKLOG);
    assert_eq!(poc["name"], "backlog/tasks/task-7.2");
    assert_eq!(steps(&poc), ["7.2 Answer twice, at once 1/1 claimed"]);
    assert_eq!(poc["criteria"]["plan"], json!({"checked": 1, "total": 2}));
    assert_eq!(poc["checklist"]["total"], 1);
    assert_eq!(findings(&poc), ["POC020 1", "POC020 16"]);
}

#[test]
fn verification_runs_the_tests_of_the_named_files_and_changes_only_the_results() {
    let sandbox = sandbox();
    let before = sandbox.files();
    let list = sandbox.poc(&format!("verify --plan {SPEC_KIT} --list"));
    list.exits(0)
        .prints("cargo poc affected --format args --files store/tests/it.rs store/src/lib.rs");
    let verify = || sandbox.poc(&format!("verify --plan {SPEC_KIT} --step 2 -q"));
    verify()
        .exits(0)
        .prints("step 2: passed, 6 passed")
        .says("step 2 is in progress: its run passed, but its file does not mark it as done");
    let results = "specs/001-answer/poc-results-tasks.md";
    let mut after = sandbox.files();
    assert!(after.remove(&sandbox.root.join(results)).is_some());
    assert_eq!(after, before);

    // A run without a tick proves nothing, and neither does a tick without a run.
    let state = || steps(&status(&sandbox, SPEC_KIT));
    assert_eq!(
        state()[1],
        "2 User Story 1 - The answer (Priority: P1) 0/3 in progress"
    );
    sandbox.edit(SPEC_KIT, "- [ ] T00", "- [x] T00");
    assert_eq!(
        state()[1],
        "2 User Story 1 - The answer (Priority: P1) 3/3 proven"
    );
    let check = || sandbox.poc(&format!("status --check {SPEC_KIT}"));
    check()
        .exits(1)
        .prints("step 1 is marked as done, but no run proves it (its tasks name no file, so no test can prove it)\n");
    // The results are no input, and neither is the task list.
    sandbox.commit("ticks");
    assert!(state()[1].ends_with("proven"));
    sandbox.edit("store/src/lib.rs", "    42\n", "    41\n");
    assert!(state()[1].ends_with("stale"));
    verify().exits(1);
    assert!(state()[1].ends_with("failed"));
}

#[test]
fn the_next_step_is_one_that_a_run_can_prove() {
    let sandbox = sandbox();
    sandbox
        .poc(&format!("verify --plan {SPEC_KIT} -q"))
        .exits(0)
        .prints("step 2: passed");
    sandbox
        .poc(&format!("verify --plan {SPEC_KIT} --step 1"))
        .exits(2)
        .says("nothing to run for step 1");
}

#[test]
fn a_person_confirms_the_criteria_of_a_backlog_task() {
    let sandbox = sandbox();
    let before = sandbox.read(BACKLOG);
    let verify = |arguments: &str| {
        sandbox.poc_in(
            "backlog",
            &format!("verify --plan 'tasks/task-7.2 - Answer-twice.md' {arguments}"),
        )
    };
    verify("-q").exits(0).prints("step 7.2: passed, 3 passed");
    assert_eq!(
        steps(&status(&sandbox, BACKLOG)),
        ["7.2 Answer twice, at once 1/1 proven"]
    );
    for id in ["criterion.1", "criterion.2", "checklist"] {
        verify(&format!("--confirm {id} --reason measured")).exits(0);
    }
    let poc = status(&sandbox, BACKLOG);
    assert_eq!(poc["state"], "proven");
    assert_eq!(sandbox.read(BACKLOG), before);
    assert_eq!(sandbox.poc("status backlog/tasks/task-7.2 --check").code, 0);
    // Commands that edit a plan refuse.
    let files = sandbox.files();
    for command in ["step start", "step done", "update"] {
        let id = if command == "update" { "" } else { "7.2" };
        sandbox
            .poc(&format!("{command} backlog/tasks/task-7.2 {id}"))
            .exits(2)
            .says("belongs to another tool");
    }
    assert_eq!(sandbox.files(), files);
    sandbox
        .poc("verify --plan missing.md")
        .exits(2)
        .says("missing.md does not exist");
    sandbox.poc(&format!("check --fix --plan '{BACKLOG}'"));
    assert_eq!(sandbox.read(BACKLOG), before);
}

#[test]
fn a_task_list_without_a_task_and_one_outside_a_workspace() {
    let sandbox = Sandbox::empty();
    sandbox.write("tasks.md", "# Tasks\n\n## 1. Nothing\n\n- 1.1 no box\n");
    sandbox
        .poc("status --plan tasks.md")
        .exits(2)
        .prints("no task found");
    sandbox.write("tasks.md", "- [x] one\n- [ ] two\n");
    assert_eq!(steps(&status(&sandbox, "tasks.md")), ["1  1/2 in progress"]);
}
