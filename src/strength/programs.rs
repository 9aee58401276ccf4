//! Test binaries, started as cargo starts them.
//!
//! `cargo test` runs with this program as the runner of the target, which records how cargo starts each binary: words, folder and
//! environment. With these, single tests of a binary run many times without cargo.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::affected::TestTarget;
use crate::affected::coverage::run::{CAPS_LINTS, INNER_WRAPPER, WORKSPACE_WRAPPER};
use crate::exit::Exit;
use crate::script::shell::Settings;
use crate::sys::exec::{self, ExitReason, ProcessCommand, Stop};
use crate::sys::files;

/// The first argument of this program as the runner that records.
pub(super) const RECORD: &str = "__record_start";
/// The folder of the records.
pub(super) const FOLDER: &str = "CARGO_POC_STARTS";
/// The maximum number of tests that one process of a binary runs, so that their names fit on the command line.
const MOST: usize = 500;
/// The time limit for listing the tests of a binary.
const LISTING_LIMIT: Duration = Duration::from_secs(60);

/// How cargo starts a test binary.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Start {
    words: Vec<String>,
    directory: Utf8PathBuf,
    environment: Vec<(String, String)>,
}

/// Records how cargo started this program as the runner of a test binary, if the arguments request that.
#[must_use]
pub fn record(arguments: &[OsString]) -> Option<Result<Exit>> {
    match arguments {
        [_, word, words @ ..] if word == RECORD => Some(write(words)),
        _ => None,
    }
}

fn write(words: &[OsString]) -> Result<Exit> {
    let folder = std::env::var(FOLDER)
        .context("only `cargo poc verify --strength` records the start of tests")?;
    let text = |word: &OsString| {
        let word = word.clone().into_string();
        word.map_err(|word| anyhow!("{} is not UTF-8", word.to_string_lossy()))
    };
    // Tests that run cargo must not get the settings of this build.
    let own = [FOLDER, CAPS_LINTS, INNER_WRAPPER, WORKSPACE_WRAPPER];
    let wrapper = std::env::var_os(INNER_WRAPPER).map(|user| (WORKSPACE_WRAPPER.into(), user));
    let is_own = |name: &OsString| own.iter().any(|own| name == own);
    let variables = std::env::vars_os().filter(|(name, _)| !is_own(name));
    let variables = variables.chain(wrapper);
    let start = Start {
        words: words.iter().map(text).collect::<Result<_>>()?,
        directory: Utf8PathBuf::try_from(std::env::current_dir()?)?,
        // Other variables are inherited.
        environment: variables
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
    };
    let file = Utf8Path::new(&folder).join(format!("{}.json", std::process::id()));
    files::write_atomic(&file, &serde_json::to_vec(&start)?)?;
    Ok(Exit::Success)
}

impl Start {
    pub(super) fn read(path: &Utf8Path) -> Result<Self> {
        let start = serde_json::from_slice(&files::read(path)?);
        start.with_context(|| format!("failed to parse {path}"))
    }

    /// Whether it starts this executable.
    pub(super) fn starts(&self, executable: &Utf8Path) -> bool {
        self.words.iter().any(|word| {
            let path = Utf8Path::new(word);
            path == executable || path.file_name() == executable.file_name()
        })
    }
}

/// A test binary.
#[derive(Debug)]
pub(super) struct TestProgram {
    pub(super) target: TestTarget,
    /// Its id in nextest's form.
    pub(super) id: String,
    /// Its tests without ignored ones; `None` for a custom harness, which runs as a whole.
    pub(super) tests: Option<BTreeSet<String>>,
    start: Start,
}

/// How a run of tests ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    Passed,
    /// With the name of the first failed test, if the output has it.
    Failed(Option<String>),
    TimedOut,
}

impl TestProgram {
    /// Lists the tests of a binary.
    ///
    /// # Errors
    /// When the binary cannot be started, or it was interrupted.
    pub(super) fn new(
        target: TestTarget,
        id: String,
        start: Start,
        settings: &Settings,
    ) -> Result<Self> {
        let mut program = Self {
            target,
            id,
            tests: None,
            start,
        };
        let all = program.listed(&[], settings)?;
        let ignored = program.listed(&["--ignored"], settings)?;
        if let (Some(mut all), Some(ignored)) = (all, ignored) {
            all.retain(|test| !ignored.contains(test));
            program.tests = Some(all);
        }
        Ok(program)
    }

    /// `None` if the output is not that of libtest.
    fn listed(&self, more: &[&str], settings: &Settings) -> Result<Option<BTreeSet<String>>> {
        let command = self
            .command(settings)
            .args(["--list", "--format", "terse"])
            .args(more)
            .timeout(Some(LISTING_LIMIT));
        let listed = exec::capture(&command)?;
        not_interrupted(listed.ended)?;
        if !listed.ended.success() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&listed.stdout);
        let mut names = BTreeSet::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            match (
                line.strip_suffix(": test"),
                line.strip_suffix(": benchmark"),
            ) {
                (Some(name), _) => {
                    names.insert(name.to_owned());
                }
                (None, Some(_)) => {}
                (None, None) => return Ok(None),
            }
        }
        Ok(Some(names))
    }

    fn command(&self, settings: &Settings) -> ProcessCommand {
        let command = ProcessCommand::new(&self.start.words[0]).args(&self.start.words[1..]);
        let mut command = settings.prepare(command, &self.start.directory);
        for (name, value) in &self.start.environment {
            command = command.env(name, value);
        }
        command
    }

    /// Runs these of its tests, until one fails or the time is over. With `apart`, each test has its own process.
    ///
    /// # Errors
    /// When the binary cannot be started, or it was interrupted.
    pub(super) fn run(
        &self,
        names: &BTreeSet<String>,
        apart: bool,
        deadline: Option<Instant>,
        settings: &Settings,
    ) -> Result<Ended> {
        let Some(all) = &self.tests else {
            return self.run_part(&[], deadline, settings);
        };
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        if names.len() == all.len() && !apart {
            return self.run_part(&[], deadline, settings);
        }
        for part in names.chunks(if apart { 1 } else { MOST }) {
            let ended = self.run_part(part, deadline, settings)?;
            if ended != Ended::Passed {
                return Ok(ended);
            }
        }
        Ok(Ended::Passed)
    }

    fn run_part(
        &self,
        names: &[&str],
        deadline: Option<Instant>,
        settings: &Settings,
    ) -> Result<Ended> {
        let now = Instant::now();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(now));
        // The other tests need not run after the first failed one.
        let stop = Stop::default();
        let mut command = self.command(settings).timeout(left).stop(stop.clone());
        if !names.is_empty() {
            command = command.arg("--exact").args(names);
        }
        let mut failed = None;
        let outcome = exec::stream(&command, &mut |part| {
            let line = String::from_utf8_lossy(part.bytes);
            let known = self.tests.as_ref();
            let name = failed_test(&line);
            // A test may print such a line of other tests.
            let name = name.filter(|name| known.is_some_and(|known| known.contains(name)));
            if let Some(name) = name {
                failed.get_or_insert(name);
                stop.ask();
            }
            Ok(())
        })?;
        if failed.is_some() && !exec::interrupted() {
            return Ok(Ended::Failed(failed));
        }
        not_interrupted(outcome.ended)?;
        Ok(match outcome.ended {
            ExitReason::TimedOut => Ended::TimedOut,
            ended if ended.success() => Ended::Passed,
            _ => Ended::Failed(None),
        })
    }
}

/// `test a::b ... FAILED` → `a::b`.
fn failed_test(line: &str) -> Option<String> {
    let line = line.trim_end();
    let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
    let name = name.strip_suffix(" - should panic").unwrap_or(name);
    Some(name.to_owned())
}

/// # Errors
/// After Ctrl-C.
pub(super) fn not_interrupted(ended: ExitReason) -> Result<()> {
    if ended == ExitReason::Interrupted || exec::interrupted() {
        bail!("interrupted");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_test_is_named() {
        let name = |line: &str| failed_test(line);
        assert_eq!(name("test a::b ... FAILED\n").as_deref(), Some("a::b"));
        let panics = name("test a - should panic ... FAILED");
        assert_eq!(panics.as_deref(), Some("a"));
        assert_eq!(name("test a ... ok"), None);
        assert_eq!(name("test result: FAILED. 1 passed"), None);
    }
}
