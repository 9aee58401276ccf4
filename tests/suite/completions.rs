//! Shell completion, man pages, and suggestions for misspelt names.

use cargo_poc::internals::cli::Cli;
use clap::CommandFactory as _;

use crate::kit::{PROGRAM, Sandbox, finish};

/// A workspace with two PoCs, one of them with three steps.
pub(crate) fn sandbox() -> Sandbox {
    let sandbox = Sandbox::workspace("store; app: store");
    sandbox.git();
    sandbox
        .poc("init cache -p store --file store/src/cache.rs")
        .exits(0);
    sandbox
        .poc("init tidy --size tiny -p app --file app/src/tidy.rs")
        .exits(0);
    sandbox
}

/// What bash offers for the last word of a line, by the script that it is given.
fn offers(sandbox: &Sandbox, line: &[&str]) -> Vec<String> {
    let words: Vec<String> = line
        .iter()
        .map(|word| shlex::try_quote(word).unwrap().into_owned())
        .collect();
    let script = format!(
        "set +eu +o pipefail\nsource <(cargo-poc completions bash)\nCOMP_WORDS=({})\nCOMP_CWORD={}\nCOMP_TYPE=9\n{} {} {} {}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        line.len() - 1,
        if line[0] == "cargo" {
            "_cargo_poc_beside_cargo"
        } else {
            "_clap_complete_cargo_poc"
        },
        line[0],
        words.last().unwrap(),
        words[words.len() - 2],
    );
    let run = sandbox.shell(&script);
    run.exits(0);
    run.stdout
        .lines()
        .map(|word| word.trim().to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

#[test]
fn commands_pocs_packages_steps_and_codes_are_offered() {
    let sandbox = sandbox();
    for (line, expected) in [
        (&["cargo-poc", "sta"][..], &["status"][..]),
        (&["cargo-poc", "status", ""], &["cache", "tidy"]),
        (&["cargo-poc", "status", "ti"], &["tidy"]),
        (&["cargo", "poc", "status", "ca"], &["cache"]),
        (
            &["cargo", "poc", "verify", "cache", "--step", ""],
            &["0", "1", "2"],
        ),
        (&["cargo-poc", "init", "new", "-p", ""], &["app", "store"]),
        (
            &["cargo-poc", "check", "--explain", "POC00"],
            &["POC001", "POC002", "POC003"],
        ),
        (
            &["cargo-poc", "verify", "--runner", ""],
            &["auto", "cargo", "nextest"],
        ),
    ] {
        let offered = offers(&sandbox, line);
        for word in expected {
            assert!(
                offered.iter().any(|offer| offer == word),
                "{line:?}: {offered:?}"
            );
        }
    }
    let steps = offers(&sandbox, &["cargo-poc", "step", "start", "tidy", ""]);
    assert!(steps.contains(&"1".to_owned()), "{steps:?}");
    assert!(
        !steps.contains(&"2".to_owned()),
        "the other PoC's: {steps:?}"
    );
    // Not names that are to be new, nor anything where there is no workspace.
    assert!(!offers(&sandbox, &["cargo-poc", "init", ""]).contains(&"cache".to_owned()));
    assert_eq!(
        offers(
            &Sandbox::empty(),
            &["cargo-poc", "verify", "x", "--step", ""]
        ),
        Vec::<String>::new()
    );
    // Another workspace than the one around.
    let manifest = sandbox.root.join("Cargo.toml");
    let line = [
        "cargo-poc",
        "--manifest-path",
        manifest.as_str(),
        "status",
        "ti",
    ];
    assert_eq!(offers(&Sandbox::empty(), &line), ["tidy"]);
}

#[test]
fn completion_script_of_every_shell_is_valid() {
    let sandbox = Sandbox::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = sandbox.poc(&format!("completions {shell}"));
        run.exits(0)
            .prints("cargo-poc")
            .prints("CARGO_POC_COMPLETE");
        sandbox.write(shell, &run.stdout);
    }
    sandbox.shell("bash -n bash").exits(0);
    // The other shells where they are installed.
    sandbox.shell("! command -v zsh || zsh -n zsh").exits(0);
    sandbox.shell("! command -v fish || fish -n fish").exits(0);
    sandbox.poc("completions tcsh").exits(2);
    let mut command = sandbox.command(PROGRAM);
    command.env("CARGO_POC_COMPLETE", "tcsh");
    finish(command, "completion for tcsh").exits(4).says("tcsh");
}

#[test]
fn there_is_a_man_page_for_each_command() {
    let sandbox = Sandbox::empty();
    sandbox
        .poc("man")
        .exits(0)
        .prints(".TH")
        .prints("cargo\\-poc")
        .prints("Exit codes");
    sandbox
        .poc("man --out pages/man1")
        .exits(0)
        .says("man pages to pages/man1");
    for command in Cli::command()
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
    {
        let page = sandbox.read(&format!("pages/man1/cargo-poc-{}.1", command.get_name()));
        assert!(page.contains(".SH SYNOPSIS"), "{page}");
        assert!(page.contains("Example"), "{}", command.get_name());
    }
    assert!(sandbox.exists("pages/man1/cargo-poc-step-done.1"));
    assert!(!sandbox.exists("pages/man1/cargo-poc-run-observed-test.1"));
}

#[test]
fn help_contains_examples() {
    let commands = Cli::command();
    let sandbox = Sandbox::empty();
    for command in commands
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
    {
        let name = command.get_name();
        let help = sandbox.poc(&format!("{name} --help"));
        help.exits(0)
            .prints("Example")
            .prints(&format!("cargo poc {name}"));
    }
}

#[test]
fn misspelt_names_get_a_suggestion() {
    let sandbox = sandbox();
    for (line, told) in [
        ("statsu", "'status'"),
        ("verify --bsaeline", "'--baseline'"),
        ("status cahce", "did you mean `cache`?"),
        ("verify cahce --step 1", "did you mean `cache`?"),
        (
            "verify cache --step 11",
            "its steps are 0, 1, 2; did you mean `1`?",
        ),
        ("step start cache 1b", "did you mean `1`?"),
        ("init more -p sotre", "did you mean `store`?"),
        ("check --explain POC0001", "POC001"),
        ("verify --runner nextets", "'nextest'"),
    ] {
        sandbox.poc(line).exits(2).says(told);
    }
}
