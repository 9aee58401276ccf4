//! `cargo poc completions` and `cargo poc man`.

use std::ffi::OsString;

use anyhow::{Context as _, Result, bail};
use clap::CommandFactory as _;
use clap_complete::env::{CompleteEnv, Shells};

use super::complete::{self, VARIABLE};
use crate::cli::{Cli, Completions, Man};
use crate::exit::Exit;
use crate::sys::files;
use crate::sys::terminal::Terminal;

/// Completion of `cargo poc …` in bash. All other commands use cargo's completion.
const BESIDE_CARGO_BASH: &str = r#"
if declare -F _comp_load >/dev/null; then _comp_load cargo
elif declare -F _completion_loader >/dev/null; then _completion_loader cargo; fi 2>/dev/null
_cargo_poc_found=$(complete -p cargo 2>/dev/null | sed -n 's/.* -F \([^ ]*\) .*/\1/p')
[[ $_cargo_poc_found == _cargo_poc_beside_cargo ]] || _cargo_poc_cargo=$_cargo_poc_found
_cargo_poc_beside_cargo() {
    if [[ ${COMP_WORDS[1]-} == poc && $COMP_CWORD -gt 1 ]]; then
        COMP_WORDS=(cargo-poc "${COMP_WORDS[@]:2}")
        COMP_CWORD=$((COMP_CWORD - 1))
        _clap_complete_cargo_poc cargo-poc "$2" "$3"
    elif [[ -n ${_cargo_poc_cargo-} ]]; then
        "$_cargo_poc_cargo" "$@"
    fi
}
complete -o bashdefault -o default -F _cargo_poc_beside_cargo cargo
"#;

/// The same for zsh, whose completion of cargo supports no external commands.
const BESIDE_CARGO_ZSH: &str = r#"
[[ ${_comps[cargo]-} == _cargo_poc_beside_cargo ]] || typeset -g _cargo_poc_cargo=${_comps[cargo]-}
function _cargo_poc_beside_cargo() {
    if [[ ${words[2]-} == poc ]] && (( CURRENT > 2 )); then
        words=(cargo-poc "${(@)words[3,-1]}")
        (( CURRENT -= 1 ))
        _clap_dynamic_completer_cargo_poc
    elif [[ -n $_cargo_poc_cargo ]]; then
        ${=_cargo_poc_cargo} "$@"
    else
        _default
    fi
}
compdef _cargo_poc_beside_cargo cargo
"#;

/// The same for fish, which applies every matching rule.
const BESIDE_CARGO_FISH: &str = r"
function __cargo_poc_follows
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    test (count $words) -gt 1; and test $words[2] = poc
end
function __cargo_poc_line
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -e words[1..2]
    CARGO_POC_COMPLETE=fish cargo-poc -- cargo-poc $words (commandline --current-token)
end
complete --command cargo --condition __cargo_poc_follows --no-files --arguments '(__cargo_poc_line)'
";

/// The same for elvish, which by default completes files.
const BESIDE_CARGO_ELVISH: &str = r"
var cargo-poc-else~ = $edit:complete-filename~
if (has-key $edit:completion:arg-completer cargo) {
    set cargo-poc-else~ = $edit:completion:arg-completer[cargo]
}
set edit:completion:arg-completer[cargo] = { |@words|
    if (and (> (count $words) 2) (eq $words[1] poc)) {
        $edit:completion:arg-completer[cargo-poc] cargo-poc (all $words[2..])
    } else {
        cargo-poc-else $@words
    }
}
";

/// Prints the completion script of a shell.
///
/// # Errors
/// When the output cannot be written.
pub fn run(arguments: &Completions, terminal: &mut Terminal) -> Result<Exit> {
    let name = arguments.shell.to_string();
    let shells = Shells::builtins();
    let shell = shells
        .completer(&name)
        .with_context(|| format!("{name} is not supported"))?;
    let mut script = Vec::new();
    shell.write_registration(VARIABLE, "cargo-poc", "cargo-poc", "cargo-poc", &mut script)?;
    let out = terminal.out();
    out.write_all(&script)?;
    match name.as_str() {
        "bash" => out.write_all(BESIDE_CARGO_BASH.as_bytes())?,
        "zsh" => out.write_all(BESIDE_CARGO_ZSH.as_bytes())?,
        "fish" => out.write_all(BESIDE_CARGO_FISH.as_bytes())?,
        "elvish" => out.write_all(BESIDE_CARGO_ELVISH.as_bytes())?,
        _ => {}
    }
    Ok(Exit::Success)
}

/// Prints the candidates for a completion.
///
/// # Errors
/// When the shell is unknown, or the output cannot be written.
pub fn answer(arguments: Vec<OsString>) -> Result<Exit> {
    let folder = std::env::current_dir().ok();
    let answered = CompleteEnv::with_factory(complete::command)
        .var(VARIABLE)
        .bin("cargo-poc")
        .try_complete(arguments, folder.as_deref())?;
    if !answered {
        bail!("{VARIABLE} is for the script that `cargo poc completions` prints");
    }
    Ok(Exit::Success)
}

/// Prints the man page of the program, or writes all man pages to a folder.
///
/// # Errors
/// When a page cannot be written.
pub fn man(arguments: &Man, terminal: &mut Terminal) -> Result<Exit> {
    let mut command = Cli::command();
    command.build();
    let Some(folder) = &arguments.out else {
        terminal.out().write_all(&page(&command)?)?;
        return Ok(Exit::Success);
    };
    let pages = pages(command);
    for command in &pages {
        let name = command.get_display_name().unwrap_or(command.get_name());
        files::write_report(&folder.join(format!("{name}.1")), &page(command)?)?;
    }
    terminal.status("Wrote", format!("{} man pages to {folder}", pages.len()))?;
    Ok(Exit::Success)
}

/// A command and its visible subcommands.
fn pages(command: clap::Command) -> Vec<clap::Command> {
    let below: Vec<clap::Command> = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help")
        .cloned()
        .flat_map(pages)
        .collect();
    std::iter::once(command).chain(below).collect()
}

fn page(command: &clap::Command) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .render(&mut page)
        .context("failed to write a man page")?;
    Ok(page)
}
