//! Runs cargo and rustc for data about a workspace.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, anyhow, bail};
use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Metadata, MetadataCommand};

use crate::exit::{Exit, OrExit as _};

/// The name of the lockfile at the workspace root.
pub const LOCKFILE: &str = "Cargo.lock";

/// The options that every command passes to cargo.
#[derive(Debug, Clone, Default)]
pub struct Cargo {
    /// `--manifest-path`: the manifest to use instead of the current folder's.
    pub manifest_path: Option<Utf8PathBuf>,
    /// `--locked`, `--offline` and `--frozen`, as given.
    pub flags: Vec<String>,
}

/// cargo's metadata of a workspace, as printed.
#[derive(Debug, PartialEq, Eq)]
pub struct Members(Vec<u8>);

impl Members {
    /// Metadata that was printed earlier.
    #[must_use]
    pub fn printed(text: Vec<u8>) -> Self {
        Self(text)
    }

    /// The printed text.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.0
    }

    /// Parses the metadata.
    ///
    /// # Errors
    /// When it does not have cargo's format.
    pub fn read(&self) -> Result<Metadata> {
        let text =
            str::from_utf8(&self.0).context("`cargo metadata` printed text that is not UTF-8")?;
        // A wrapper around cargo may have printed other lines before.
        let answer = text.lines().find(|line| line.starts_with('{'));
        let answer = answer.context("`cargo metadata` printed no JSON")?;
        MetadataCommand::parse(answer).context("failed to parse the output of `cargo metadata`")
    }
}

impl Cargo {
    /// The cargo that runs this program, or the one in PATH.
    #[must_use]
    pub fn program() -> OsString {
        super::program("CARGO", "cargo")
    }

    /// Runs `cargo metadata --no-deps`: members and targets, without a resolve, writes, or the network.
    ///
    /// # Errors
    /// cargo's own message: no workspace, a manifest that does not parse (with its line), or no cargo.
    pub fn members(&self) -> Result<Members> {
        let mut command = MetadataCommand::new();
        command.cargo_path(Self::program()).no_deps();
        if let Some(path) = &self.manifest_path {
            command.manifest_path(path);
        }
        command.other_options(self.flags.clone());
        let output = super::output(&mut command.cargo_command())?;
        if output.status.success() {
            return Ok(Members(output.stdout));
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().trim_start_matches("error: ").to_owned();
        Err(anyhow!(said))
            .context("cargo could not read the workspace")
            .or_exit(Exit::Usage)
    }

    /// The newest version of `name` that cargo reports for a package with this `rust-version`; `None` if the registry does not have it or
    /// cannot be reached.
    ///
    /// # Errors
    /// When cargo cannot be started.
    pub fn newest(&self, name: &str, folder: &Utf8Path) -> Result<Option<String>> {
        let mut command = Command::new(Self::program());
        command.args(["info", name, "--color=never", "--quiet"]);
        command.args(&self.flags).current_dir(folder);
        let output = super::output(&mut command)?;
        if !output.status.success() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().find_map(version_line))
    }
}

/// `version: 1.2.3 (latest 1.4.0)`, cargo's line for the newest version the workspace's `rust-version` allows.
fn version_line(line: &str) -> Option<String> {
    let version = line.strip_prefix("version:")?.split_whitespace().next()?;
    Some(version.to_owned())
}

/// Possible target folders of the workspace around `folder`, innermost first: `CARGO_TARGET_DIR`, or a `target` in it or above it. Only
/// cargo knows the actual one.
#[must_use]
pub fn target_folders(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let named = std::env::var("CARGO_TARGET_DIR").ok();
    match named.filter(|named| !named.is_empty()) {
        Some(named) => vec![folder.join(named)],
        None => folder
            .ancestors()
            .map(|folder| folder.join("target"))
            .collect(),
    }
}

/// This program's folder in the target folder.
#[must_use]
pub fn own_folder(target_directory: &Utf8Path) -> Utf8PathBuf {
    target_directory.join("cargo-poc")
}

/// The output of `rustc -vV` for the current toolchain: release, commit and host.
///
/// # Errors
/// When rustc cannot be run.
pub fn toolchain(folder: &Utf8Path) -> Result<String> {
    let mut command = Command::new(rustc());
    command.arg("-vV").current_dir(folder);
    let output = super::output(&mut command)?;
    if !output.status.success() {
        bail!(
            "`rustc -vV` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8(output.stdout).context("`rustc -vV` printed text that is not UTF-8")
}

/// The output of `rustc --print cfg` for a target; `None` if rustc does not know it or cannot be run.
#[must_use]
pub fn target_cfg(triple: &str, folder: &Utf8Path) -> Option<String> {
    let mut command = Command::new(rustc());
    command.args(["--print", "cfg", "--target", triple]);
    let output = super::output(command.current_dir(folder)).ok()?;
    let printed = output.status.success().then_some(output.stdout)?;
    String::from_utf8(printed).ok()
}

/// The rustc of `RUSTC`, the one beside the cargo that runs this program, or the one in PATH. rustup's proxy takes as long to find the one
/// beside cargo as that takes to run; if rustup has chosen the toolchain, it is the same.
fn rustc() -> OsString {
    let beside = || {
        let chosen = std::env::var_os("RUSTUP_TOOLCHAIN")?;
        let cargo = PathBuf::from(std::env::var_os("CARGO")?);
        let bin = cargo.parent()?;
        let toolchain = bin.parent()?.file_name()?;
        let rustc = bin.join(format!("rustc{}", std::env::consts::EXE_SUFFIX));
        (toolchain == chosen && rustc.is_file()).then(|| rustc.into_os_string())
    };
    super::program("RUSTC", beside().unwrap_or_else(|| "rustc".into()))
}

/// Whether cargo-nextest is installed.
pub(crate) fn is_nextest_installed() -> bool {
    let name = format!("cargo-nextest{}", std::env::consts::EXE_SUFFIX);
    let cargo_home = std::env::var_os("CARGO_HOME").map(std::path::PathBuf::from);
    let home = std::env::home_dir().map(|home| home.join(".cargo"));
    let own = cargo_home.or(home).map(|home| home.join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    own.into_iter()
        .chain(std::env::split_paths(&path))
        .any(|folder| folder.join(&name).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_line_of_cargo_info_is_parsed() {
        let line = "version: 0.14.1 (latest 0.14.3)";
        assert_eq!(version_line(line).as_deref(), Some("0.14.1"));
        assert_eq!(version_line("rust-version: 1.70"), None);
    }
}
