//! On a terminal, and not on one: progress, colours, and text that would drive a terminal.

use std::process::Command;

use crate::kit::{PROGRAM, Run, Sandbox, finish, nextest_for};

/// Tests of which one fails, one prints what drives a terminal, and one is slow enough to be seen running.
const TESTS: &str = "#[test]\nfn one() {}\n#[test]\nfn two() {}\n#[test]\nfn wrong() {\n    println!(\"\\x1b]0;title\\x07\\x1b[2Jhere \
                     \\x1b[32mgreen\\x1b[0m \\u{202e}turned\");\n    panic!(\"on purpose\")\n}\n";

fn failing() -> Sandbox {
    let sandbox = Sandbox::package();
    sandbox.write("tests/it.rs", TESTS);
    sandbox.git();
    sandbox
}

#[test]
fn terminal_shows_progress_and_failures_without_passed_tests() {
    let sandbox = failing();
    let ended = sandbox.on_terminal("verify --full --runner cargo").ends();
    assert_eq!(ended.code, 1, "{}", ended.screen);
    let printed = &ended.printed;
    for seen in ["building ", "tests", "1 failed"] {
        assert!(printed.contains(seen), "no {seen:?} in {printed:?}");
    }
    let screen = &ended.screen;
    assert!(screen.contains("test wrong ... FAILED"), "{screen}");
    assert!(screen.contains("on purpose"), "{screen}");
    assert!(!screen.contains("... ok"), "{screen}");
    assert!(
        !screen.contains("Building ["),
        "cargo's own progress\n{screen}"
    );
    assert!(
        !screen.contains("building "),
        "the progress line stays\n{screen}"
    );
    assert!(
        screen
            .trim_end()
            .ends_with("full: failed, 4 passed, 1 failed"),
        "{screen}"
    );
    // Those who want to see each can.
    let ended = sandbox
        .on_terminal("verify --full --runner cargo -v")
        .ends();
    assert!(ended.screen.contains("test one ... ok"), "{}", ended.screen);
    // The remaining time is based on an earlier run that took long enough.
    let ended = sandbox
        .on_terminal("verify --full --runner cargo -q")
        .ends();
    assert!(!ended.printed.contains("building "), "{}", ended.printed);
}

#[test]
fn nextest_has_the_same_progress() {
    if !nextest_for("progress of nextest") {
        return;
    }
    let sandbox = failing();
    let ended = sandbox.on_terminal("verify --full --runner nextest").ends();
    assert_eq!(ended.code, 1, "{}", ended.screen);
    assert!(ended.printed.contains("building "), "{:?}", ended.printed);
    assert!(ended.printed.contains("/4 tests"), "{:?}", ended.printed);
    assert!(!ended.screen.contains("PASS ["), "{}", ended.screen);
    assert!(ended.screen.contains("FAIL ["), "{}", ended.screen);
}

#[test]
fn pipe_gets_unchanged_output_without_progress() {
    let sandbox = failing();
    let run = sandbox.poc("verify --full --runner cargo");
    run.exits(1)
        .prints("test one ... ok")
        .prints("test wrong ... FAILED");
    run.hides("\u{1b}")
        .hides("building ")
        .hides("Building [")
        .hides("\r");
}

#[test]
fn remaining_time_is_based_on_the_last_run() {
    let sandbox = Sandbox::package();
    sandbox.git();
    sandbox
        .poc("init cache -p app --file src/cache.rs")
        .exits(0);
    sandbox.edit("src/lib.rs", "    42\n", "    40 + 2\n");
    sandbox.poc("verify cache --affected -q").exits(0);
    let results = sandbox.read("docs/cache-results.md");
    let mut last = cargo_poc::internals::evidence::read(&results)
        .records
        .pop()
        .unwrap()
        .record;
    last.milliseconds = 3_600_000;
    sandbox.write(
        "docs/cache-results.md",
        cargo_poc::internals::evidence::append(&results, &last).unwrap(),
    );
    sandbox.edit("src/lib.rs", "40 + 2", "41 + 1");
    let ended = sandbox.on_terminal("verify cache --affected").ends();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    assert!(
        ended.printed.contains(", about 59 min left"),
        "{:?}",
        ended.printed
    );
}

#[test]
fn output_of_tests_cannot_control_the_terminal() {
    let sandbox = failing();
    let ended = sandbox.on_terminal("verify --full --runner cargo").ends();
    for sent in ["\u{1b}]0;", "\u{1b}[2J", "\u{7}", "\u{202e}"] {
        assert!(
            !ended.printed.contains(sent),
            "{sent:?} in {:?}",
            ended.printed
        );
    }
    assert!(ended.printed.contains("\u{1b}[32mgreen"), "colours stay");
    let shown = "here \u{1b}[32mgreen\u{1b}[0m \u{fffd}turned";
    assert!(ended.printed.contains(shown), "{:?}", ended.printed);
    // Neither through a pipe, on the way to someone's terminal.
    let run = sandbox.poc("verify --full --runner cargo --color always");
    run.exits(1)
        .prints("\u{1b}[32mgreen")
        .hides("\u{1b}]0;")
        .hides("\u{1b}[2J")
        .hides("\u{202e}");
}

#[test]
fn text_of_a_plan_cannot_control_the_terminal() {
    let sandbox = Sandbox::package();
    sandbox.git();
    sandbox
        .poc("init cache -p app --file src/cache.rs --criterion fast")
        .exits(0);
    let evil = "\u{1b}]0;title\u{7}\u{1b}[2J\u{202e}";
    sandbox.edit(
        "docs/cache-plan.md",
        "- [ ] fast",
        &format!("- [x] fast{evil}"),
    );
    sandbox.edit(
        "docs/cache-plan.md",
        "### Step 1: ",
        &format!("### Step 1: {evil}"),
    );
    sandbox.edit(
        "docs/cache-plan.md",
        "cargo test",
        &format!("echo '{evil}' && cargo test"),
    );
    for line in [
        "status cache",
        "check cache",
        "check cache --fix --dry-run",
        "update cache --dry-run",
        "verify cache --baseline --list",
        "verify cache --baseline --no-record",
        "verify cache --step nowhere",
        "step start cache 1 --dry-run",
        "affected",
    ] {
        let ended = sandbox.on_terminal(line).ends();
        for sent in ["\u{1b}]0;", "\u{1b}[2J", "\u{7}", "\u{202e}"] {
            assert!(
                !ended.printed.contains(sent),
                "{line}: {sent:?} in {:?}",
                ended.printed
            );
        }
    }
}

/// `status` and a misspelt command, through a pipe, with these environment variables and arguments.
fn coloured(sandbox: &Sandbox, environment: &[(&str, &str)], arguments: &str) -> [bool; 3] {
    let run = |line: &str| -> Run {
        let mut command: Command = sandbox.command(PROGRAM);
        command
            .env_remove("NO_COLOR")
            .env_remove("CARGO_TERM_COLOR");
        command.envs(environment.iter().copied());
        let line = format!("{line} {arguments}");
        command.args(shlex::split(&line).unwrap());
        finish(command, &line)
    };
    let status = run("check --explain POC001");
    let wrong = run("statsu");
    let help = run("status --help");
    [
        status.stdout.contains('\u{1b}'),
        wrong.stderr.contains('\u{1b}'),
        help.stdout.contains('\u{1b}'),
    ]
}

#[test]
fn colors_follow_cargo_and_the_environment() {
    let sandbox = Sandbox::package();
    sandbox.git();
    let (all, none) = ([true; 3], [false; 3]);
    for (environment, arguments, expected) in [
        (&[][..], "", none),
        (&[("CLICOLOR_FORCE", "1")], "", all),
        (&[("CARGO_TERM_COLOR", "always")], "", all),
        (
            &[("CARGO_TERM_COLOR", "never"), ("CLICOLOR_FORCE", "1")],
            "",
            none,
        ),
        (&[("NO_COLOR", "1")], "", none),
        (
            &[("CARGO_TERM_COLOR", "always"), ("NO_COLOR", "1")],
            "",
            all,
        ),
        (&[("CARGO_TERM_COLOR", "always")], "--color never", none),
        (&[("NO_COLOR", "1")], "--color=always", all),
    ] {
        let seen = coloured(&sandbox, environment, arguments);
        assert_eq!(seen, expected, "{environment:?} {arguments}");
    }
    // On a terminal colours come by themselves, unless NO_COLOR or a dumb terminal says otherwise.
    assert!(
        sandbox
            .on_terminal("check --explain POC001")
            .ends()
            .printed
            .contains('\u{1b}')
    );
    let mut command = sandbox.command("bash");
    command.args([
        "-c",
        "NO_COLOR=1 cargo-poc check --explain POC001; TERM=dumb cargo-poc check --explain POC001",
    ]);
    let plain = crate::pty::Session::start(&command).ends();
    assert!(
        plain.printed.contains("POC001") && !plain.printed.contains('\u{1b}'),
        "{:?}",
        plain.printed
    );
}

/// A PoC whose step has a title of wide characters, longer than a line, and which has findings.
fn wide() -> Sandbox {
    let sandbox = Sandbox::package();
    sandbox.git();
    sandbox
        .poc("init cache -p app --file src/cache.rs --criterion fast")
        .exits(0);
    let title = "日本語の題".repeat(12);
    // Files that no plan names are findings.
    sandbox
        .write("src/not_in_the_plan.rs", "")
        .write("src/nor_in_any_other.rs", "");
    sandbox.edit(
        "docs/cache-plan.md",
        "### Step 1: ",
        &format!("### Step 1: {title} "),
    );
    sandbox
}

#[test]
fn tables_fit_the_terminal_and_wide_characters_take_two_columns() {
    let sandbox = wide();
    for columns in [60, 100] {
        let mut command = sandbox.command(PROGRAM);
        command.args(["status", "cache"]);
        let ended = crate::pty::Session::start_in(&command, columns).ends();
        let lines: Vec<&str> = ended.screen.lines().collect();
        let steps: Vec<&&str> = lines
            .iter()
            .filter(|line| line.contains(" tasks"))
            .collect();
        assert_eq!(steps.len(), 3, "{}", ended.screen);
        let long = steps.iter().find(|line| line.contains("日本語")).unwrap();
        assert!(
            long.contains('…') && long.ends_with("tasks"),
            "{columns}: {long}"
        );
        // A wide character takes two cells on the screen; tasks start in one column.
        let at =
            |line: &str| unicode_width::UnicodeWidthStr::width(line.split("  0/").next().unwrap());
        assert!(
            steps.iter().all(|line| at(line) <= at(long)),
            "{}",
            ended.screen
        );
        for line in &lines {
            let width = unicode_width::UnicodeWidthStr::width(*line);
            assert!(width <= usize::from(columns), "{columns}: {line}");
        }
    }
    // In a pipe a title is whole.
    sandbox.poc("status cache").prints(&"日本語の題".repeat(12));
}

#[test]
fn positions_are_links_if_the_terminal_supports_them() {
    let sandbox = wide();
    sandbox.edit("docs/cache-plan.md", "- [ ] fast", "- [x] fast");
    let with_links = |line: &str| {
        let mut command = sandbox.command(PROGRAM);
        command
            .args(shlex::split(line).unwrap())
            .env("FORCE_HYPERLINK", "1");
        crate::pty::Session::start(&command).ends().printed
    };
    let link = format!("\u{1b}]8;;file://{}/docs/cache-plan.md#", sandbox.root);
    for line in ["status cache", "check cache"] {
        let printed = with_links(line);
        assert!(printed.contains(&link), "{line}: {printed:?}");
        assert!(
            printed.contains("\u{1b}]8;;\u{1b}\\"),
            "it ends: {printed:?}"
        );
    }
    sandbox.edit("src/lib.rs", "    42\n", "    40 + 2\n");
    assert!(with_links("affected --explain").contains("/src/lib.rs#"));
    // No links without support, without colors, or in a pipe.
    let plain = sandbox.on_terminal("status cache").ends().printed;
    assert!(!plain.contains("\u{1b}]8"), "{plain:?}");
    assert!(!with_links("status cache --color never").contains("\u{1b}]8"));
    let mut command = sandbox.command(PROGRAM);
    command
        .args(["status", "cache"])
        .env("FORCE_HYPERLINK", "1");
    finish(command, "status cache").hides("\u{1b}");
}
