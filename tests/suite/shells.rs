//! Completion in real shells: types a line, presses Tab, and checks the candidates.

use std::process::Command;

use crate::completions::sandbox;
use crate::kit::{Sandbox, finish, left_out};
use crate::pty::Session;

/// The typed text, and its only completion.
const COMPLETED: [(&str, &str); 4] = [
    ("sta", "status"),
    ("verify ti", "verify tidy"),
    ("init other -p st", "init other -p store"),
    ("verify --runner ne", "verify --runner nextest"),
];

/// Whether a shell is installed, for a test that needs it; see [`left_out`].
fn shell_for(test: &str, shell: &str) -> bool {
    let installed = Command::new(shell)
        .args(["-c", "true"])
        .status()
        .is_ok_and(|status| status.success());
    if !installed {
        left_out(test, shell, "CARGO_POC_REQUIRE_SHELLS");
    }
    installed
}

/// A shell that nothing of the user's is read by, after `set_up`.
fn shell(sandbox: &Sandbox, shell: &str, arguments: &[&str], set_up: &str) -> Session {
    let mut command = sandbox.command(shell);
    command.args(arguments).env("HOME", sandbox.root.as_str());
    let mut session = Session::start(&command);
    // The shell composes the text, so that the typed text does not count as output.
    session
        .types(&format!("{set_up}; echo it is' 're'ady'\n"))
        .shows("it is ready");
    session
}

/// Types each line, with and without cargo before it, and clears it when it was completed.
fn completes(session: &mut Session) {
    for program in ["cargo-poc", "cargo poc"] {
        for (typed, completed) in COMPLETED {
            session
                .types(&format!("{program} {typed}\t"))
                .shows(&format!("{program} {completed}"))
                .types("\u{15}");
        }
    }
}

#[test]
fn bash_completes_in_addition_to_cargo() {
    let sandbox = sandbox();
    let common = "/usr/share/bash-completion/bash_completion";
    for set_up in [String::new(), format!("[ ! -e {common} ] || . {common}; ")] {
        let set_up = format!("{set_up}source <(cargo-poc completions bash)");
        let mut bash = shell(&sandbox, "bash", &["--norc", "--noprofile", "-i"], &set_up);
        completes(&mut bash);
        bash.types("cargo poc verify cache --step \t\t")
            .shows("0  1  2");
        bash.types("\u{15}exit\n");
        bash.ends();
    }
    // What completed cargo before goes on to, also when the script was read twice.
    let set_up = "_ours() { COMPREPLY=(from-elsewhere); }; complete -F _ours cargo; \
                  source <(cargo-poc completions bash); source <(cargo-poc completions bash)";
    let arguments = ["--norc", "--noprofile", "-i"];
    let mut bash = shell(&sandbox, "bash", &arguments, set_up);
    bash.types("cargo from\t")
        .shows("cargo from-elsewhere")
        .types("\u{15}exit\n");
    bash.ends();
}

#[test]
fn zsh_completes_in_addition_to_cargo() {
    if !shell_for("completion in zsh", "zsh") {
        return;
    }
    let sandbox = sandbox();
    let set_up = "bindkey -e; autoload -U compinit; compinit -u -D; _ours() { compadd from-elsewhere }; compdef _ours cargo; \
                  source <(cargo-poc completions zsh); source <(cargo-poc completions zsh)";
    let mut zsh = shell(&sandbox, "zsh", &["-f", "-i"], set_up);
    completes(&mut zsh);
    zsh.types("cargo poc verify cache --step \t")
        .shows("store + Tests");
    // What completed cargo before goes on to, also when the script was read twice.
    zsh.types("\u{15}cargo from\t")
        .shows("cargo from-elsewhere");
    zsh.types("\u{15}exit\n");
    zsh.ends();
}

#[test]
fn elvish_completes_in_addition_to_cargo() {
    if !shell_for("completion in elvish", "elvish") {
        return;
    }
    let sandbox = sandbox();
    let twice =
        "eval (cargo-poc completions elvish | slurp); eval (cargo-poc completions elvish | slurp)";
    let mut elvish = shell(&sandbox, "elvish", &["-norc"], twice);
    completes(&mut elvish);
    // Files, if nothing completed cargo before.
    elvish
        .types("cargo build --manifest-path Car\t")
        .shows("--manifest-path Cargo.");
    elvish.types("\u{15}exit\n");
    elvish.ends();
    let set_up = format!(
        "set edit:completion:arg-completer[cargo] = {{ |@words| put from-elsewhere }}; {twice}"
    );
    let mut elvish = shell(&sandbox, "elvish", &["-norc"], &set_up);
    elvish
        .types("cargo from\t")
        .shows("cargo from-elsewhere")
        .types("\u{15}exit\n");
    elvish.ends();
}

#[test]
fn fish_offers_the_same_with_and_without_cargo() {
    if !shell_for("completion in fish", "fish") {
        return;
    }
    let sandbox = sandbox();
    let offers = |line: &str| {
        let script = format!("cargo-poc completions fish | source; complete -C '{line}'");
        let mut command = sandbox.command("fish");
        command.args(["--no-config", "-c", &script]);
        command.env("HOME", sandbox.root.as_str());
        let run = finish(command, line);
        run.exits(0);
        let word = |line: &str| line.split('\t').next().unwrap_or_default().to_owned();
        run.stdout.lines().map(word).collect::<Vec<_>>()
    };
    for program in ["cargo-poc", "cargo poc"] {
        for (typed, completed) in COMPLETED {
            let last = completed.rsplit(' ').next().unwrap();
            assert_eq!(offers(&format!("{program} {typed}")), [last], "{typed}");
        }
        assert_eq!(
            offers(&format!("{program} verify cache --step ")),
            ["0", "1", "2"]
        );
    }
    // A word of another command of cargo is not ours.
    let of_test = offers("cargo test poc ");
    assert!(!of_test.contains(&"verify".to_owned()), "{of_test:?}");
}
