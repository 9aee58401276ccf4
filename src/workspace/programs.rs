//! Programs that the settings of cargo put before tests and before rustc.

use anyhow::{Context as _, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use toml_edit::Item;

use super::Workspace;
use super::manifest::Manifest;

/// The program that runs the test binaries of a target.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TargetRunner {
    /// The program and its arguments; empty without a runner.
    pub(crate) words: Vec<String>,
    /// Whether a configuration file of cargo has it as one text. cargo does not merge a text with a list.
    is_text: bool,
}

impl TargetRunner {
    /// A value for `--config target.TRIPLE.runner=VALUE`, which puts these words before those of the runner.
    ///
    /// # Errors
    /// When the value must be a text, and a word contains white space.
    pub(crate) fn after(&self, words: &[&str]) -> Result<toml_edit::Value> {
        let own = self.words.iter().map(String::as_str);
        let words: Vec<&str> = words.iter().copied().chain(own).collect();
        if !self.is_text {
            let words = words.into_iter().map(toml_edit::Value::from);
            return Ok(words.collect::<toml_edit::Array>().into());
        }
        let spaced = words.iter().find(|word| word.contains(char::is_whitespace));
        ensure!(
            spaced.is_none(),
            "a path with white space (`{}`) cannot be a target runner; write the `runner` in cargo's configuration as a list",
            spaced.unwrap_or(&"")
        );
        Ok(words.join(" ").into())
    }
}

/// Makes a program the runner of the target, which gets the words of the configured runner.
#[derive(Debug)]
pub(crate) struct RunnerSetting {
    /// The value for `--config`.
    pub(crate) setting: String,
    /// The variable of the runner, which would replace the setting.
    pub(crate) variable: String,
}

impl Workspace {
    /// Puts these words before those of the runner. `toolchain` is the output of `rustc -vV`, `folder` the folder in which cargo runs.
    ///
    /// # Errors
    /// When the host is not known, or as [`TargetRunner::after`].
    pub(crate) fn runner_setting(
        &self,
        toolchain: &str,
        folder: &Utf8Path,
        words: &[&str],
    ) -> Result<RunnerSetting> {
        let host = toolchain
            .lines()
            .find_map(|line| line.strip_prefix("host: "));
        let target = self.target_triple().or(host);
        let target = target.context("`rustc -vV` names no host")?;
        let variable = format!(
            "CARGO_TARGET_{}_RUNNER",
            target.to_uppercase().replace('-', "_")
        );
        let runner = self.target_runner(target, &variable, folder);
        let runner = runner.after(words)?;
        Ok(RunnerSetting {
            setting: format!("target.{target}.runner={runner}"),
            variable,
        })
    }

    /// The triple of the target that tests are built for, if it is not the host.
    pub(crate) fn target_triple(&self) -> Option<&str> {
        let triple = self.platforms().triple.as_deref()?;
        let file = Utf8Path::new(triple);
        let stem = file
            .file_stem()
            .filter(|_| file.extension() == Some("json"));
        Some(stem.unwrap_or(triple))
    }

    /// The runner of a target, as nextest finds it: the variable, else the first configuration file that has one.
    /// `folder` is the folder in which cargo runs.
    pub(crate) fn target_runner(
        &self,
        triple: &str,
        variable: &str,
        folder: &Utf8Path,
    ) -> TargetRunner {
        let files = self.cargo_config_files();
        let parsed = files.iter().filter_map(|(path, text)| {
            let root = path.parent()?.parent()?.to_owned();
            Some((root, Manifest::parse(text).ok()?))
        });
        let parsed: Vec<(Utf8PathBuf, Manifest)> = parsed.collect();
        let of_triple = |file: &Manifest| file.get(&["target", triple, "runner"]).cloned();
        let is_text = parsed
            .iter()
            .any(|(_, file)| of_triple(file).is_some_and(|runner| runner.is_str()));
        if let Some(text) = self.variable(variable) {
            let words = text.split_whitespace().map(str::to_owned).collect();
            return TargetRunner {
                words: located(words, folder),
                is_text,
            };
        }
        let of_platform = |file: &Manifest| {
            let targets = file.get(&["target"])?.as_table_like()?;
            let mut applying = targets.iter().filter(|(platform, _)| {
                platform.starts_with("cfg(") && self.is_platform(platform, false)
            });
            applying.find_map(|(_, target)| target.as_table_like()?.get("runner").cloned())
        };
        let mut found = parsed.iter().filter_map(|(root, file)| {
            let runner = of_triple(file).or_else(|| of_platform(file))?;
            Some(located(words(&runner), root))
        });
        TargetRunner {
            words: found.next().unwrap_or_default(),
            is_text,
        }
    }

    /// The wrapper of rustc for the workspace's packages.
    pub(crate) fn rustc_workspace_wrapper(&self, folder: &Utf8Path) -> Option<String> {
        let mut variables = [
            "RUSTC_WORKSPACE_WRAPPER",
            "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
        ]
        .iter()
        .filter(|name| self.is_set(name));
        if let Some(name) = variables.next() {
            // An empty variable means no wrapper.
            let words = self.variable(name).into_iter().collect();
            return located(words, folder).pop();
        }
        let files = self.cargo_config_files();
        files.iter().find_map(|(path, text)| {
            let file = Manifest::parse(text).ok()?;
            let wrapper = file.get(&["build", "rustc-workspace-wrapper"])?;
            located(words(wrapper), path.parent()?.parent()?).pop()
        })
    }
}

/// The words of a program in a configuration file: a list, or a text with white space between them.
fn words(program: &Item) -> Vec<String> {
    if let Some(text) = program.as_str() {
        return text.split_whitespace().map(str::to_owned).collect();
    }
    let words = program.as_array().into_iter().flatten();
    words
        .filter_map(|word| Some(word.as_str()?.to_owned()))
        .collect()
}

/// The words with the path of the program below `folder`; a name without a separator is looked up in PATH.
fn located(mut words: Vec<String>, folder: &Utf8Path) -> Vec<String> {
    if let Some(program) = words.first_mut()
        && program.contains(['/', '\\'])
    {
        *program = folder.join(&*program).into_string();
    }
    words
}
