//! Runs git and reads its output. Paths are always read with `-z`, because git quotes them otherwise.

use std::process::{Command, Output};

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;

pub(super) fn split_nul(bytes: &[u8]) -> Result<Vec<&str>> {
    bytes
        .split(|byte| *byte == 0)
        .filter(|field| !field.is_empty())
        .map(|field| {
            std::str::from_utf8(field).with_context(|| {
                format!(
                    "git printed a path that is not UTF-8: {}",
                    String::from_utf8_lossy(field)
                )
            })
        })
        .collect()
}

pub(super) fn text(folder: &Utf8Path, arguments: &[&str]) -> Result<String> {
    let bytes = successful(folder, arguments)?;
    let text = String::from_utf8(bytes).context("git printed text that is not UTF-8")?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

pub(super) fn successful(folder: &Utf8Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let output = run(folder, arguments)?;
    if !output.status.success() {
        bail!(
            "`git {}` failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(output.stdout)
}

pub(super) fn run(folder: &Utf8Path, arguments: &[&str]) -> Result<Output> {
    crate::sys::output(&mut command(folder, arguments))
}

pub(super) fn command(folder: &Utf8Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(crate::sys::program("GIT", "git"));
    command
        .arg("-C")
        .arg(folder)
        .args(arguments)
        // Reading must not take the index lock while the user runs a git command.
        .env("GIT_OPTIONAL_LOCKS", "0");
    command
}
