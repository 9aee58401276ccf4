//! Commands that other commands of a shell text run: behind `timeout 60`, in `bash -c '…'`, after `if`.

use super::simple_commands::{Command, is_cargo, of_text};

/// Programs and keywords that run the command in their arguments.
const WRAPPERS: [&str; 22] = [
    "builtin", "chrt", "command", "elif", "env", "exec", "if", "ionice", "nice", "nohup", "rustup",
    "setsid", "stdbuf", "strace", "sudo", "taskset", "time", "timeout", "unbuffer", "until",
    "while", "xargs",
];
/// Programs that run a text as commands.
const SHELLS: [&str; 6] = ["ash", "bash", "dash", "ksh", "sh", "zsh"];
/// How deep texts within texts are read.
const DEEPEST: usize = 4;

/// Commands, each followed by those that it runs.
pub(crate) fn with_inner(commands: &[Command]) -> Vec<Command> {
    let mut all = Vec::new();
    add(commands, 0, &mut all);
    all
}

fn add(commands: &[Command], depth: usize, all: &mut Vec<Command>) {
    for command in commands {
        all.push(command.clone());
        all.extend(wrapped(command));
        if let Some(inner) = inner_text(command).filter(|_| depth < DEEPEST) {
            add(&of_text(&inner, 1), depth + 1, all);
        }
    }
}

/// The cargo command in the arguments of a wrapper. A word that begins with `-` is an option of `env` or `time`, which the
/// words of a command leave out.
fn wrapped(command: &Command) -> Option<Command> {
    let program = name(command);
    let wraps = WRAPPERS.contains(&program) || program.starts_with('-');
    let at = command
        .words
        .iter()
        .skip(1)
        .position(|word| is_cargo(word))
        .filter(|_| wraps)?;
    Some(Command {
        words: command.words[at + 1..].to_vec(),
        ..command.clone()
    })
}

/// The text that `eval` or a shell with `-c` runs.
fn inner_text(command: &Command) -> Option<String> {
    let words = &command.words;
    let runs = |word: &String| SHELLS.contains(&file_name(word));
    if name(command) == "eval" {
        return Some(words[1..].join(" "));
    }
    let shell = words.iter().position(runs)?;
    let wraps = shell == 0 || WRAPPERS.contains(&name(command));
    let is_text = |word: &String| {
        word.strip_prefix('-')
            .is_some_and(|letters| !letters.starts_with('-') && letters.ends_with('c'))
    };
    let option = words[shell..].iter().position(is_text).filter(|_| wraps)?;
    words.get(shell + option + 1).cloned()
}

fn name(command: &Command) -> &str {
    file_name(command.program())
}

fn file_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_within_commands_are_found() {
        for (text, expected) in [
            ("cargo test", true),
            ("/opt/rust/bin/cargo test -p a", true),
            ("timeout 60 cargo test", true),
            ("env -i PATH=/bin cargo test", true),
            ("if ! cargo test; then true; fi", true),
            ("while ! cargo test --test a; do :; done", true),
            ("bash -c 'cd x && cargo test || true'", true),
            ("nice sh -ec \"exec cargo test\"", true),
            ("eval \"cargo test || :\"", true),
            ("rustup run stable cargo nextest run", true),
            ("echo cargo test", false),
            ("bash cargo test", false),
            ("grep -c 'cargo test' README.md", false),
            ("timeout 60 cargo build", false),
        ] {
            let found = with_inner(&of_text(text, 1))
                .iter()
                .any(|command| command.test_arguments().is_some());
            assert_eq!(found, expected, "{text}");
        }
    }
}
