//! The reference of commands in the book is generated from the help of the program.

use std::fmt::Write as _;

use camino::Utf8Path;
use snapbox::Data;
use snapbox::assert::{Assert, DEFAULT_ACTION_ENV};

use crate::kit::{PROGRAM, Sandbox, finish};

/// The help of a command, as wide as the lines of the book.
fn help(sandbox: &Sandbox, command: &str) -> String {
    let mut process = sandbox.command(PROGRAM);
    process.args(command.split_whitespace()).arg("--help");
    process.env("COLUMNS", "110").env_remove("CARGO_POC_DOCS");
    let run = finish(process, command);
    let lines = run.exits(0).stdout.lines().map(str::trim_end);
    lines.collect::<Vec<_>>().join("\n")
}

/// The names in the list of commands in a help text.
fn commands(help: &str) -> Vec<&str> {
    let list = help
        .split_once("\nCommands:\n")
        .map_or("", |(_, list)| list);
    let lines = list.lines().take_while(|line| !line.is_empty());
    // The text of a command continues below it, further to the right.
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names
        .filter(|name| !name.is_empty() && *name != "help")
        .collect()
}

fn section(sandbox: &Sandbox, command: &str, page: &mut String) {
    let text = help(sandbox, command);
    let title = format!("cargo poc {command}");
    let level = if command.contains(' ') { "###" } else { "##" };
    let _ = write!(
        page,
        "\n{level} `{}`\n\n```text\n{text}\n```\n",
        title.trim_end()
    );
    for name in commands(&text) {
        section(sandbox, format!("{command} {name}").trim_start(), page);
    }
}

#[test]
fn reference_page_is_generated_from_the_help() {
    let sandbox = Sandbox::empty();
    let mut page = "# Reference of commands\n\nThe help of every command, generated from the program. [Commands](commands.md) is an \
                    overview.\n"
        .to_owned();
    section(&sandbox, "", &mut page);
    let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md");
    let assert = Assert::new().action_env(DEFAULT_ACTION_ENV);
    assert.eq(
        Data::text(page).raw(),
        Data::read_from(path.as_std_path(), None).raw(),
    );
}
