//! The tests that a command of a block ran: compares cargo's output and exit status with the command's.
//!
//! Input: the logged cargo calls of a command. Output: an [`Account`]. Text that the command itself prints is not counted: printing
//! `3 passed` does not run tests.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};

use super::binaries::Binaries;
use super::harness::list;
use super::test_output::{Observed, Observer, header, is_summary};
use crate::document::printed_counts;
use crate::evidence::TestCounts;
use crate::script::cargo_arguments::cargo_arguments;
use crate::script::commands::ScriptCommand;
use crate::script::expectation::Assertion;
use crate::script::simple_commands::Command;
use crate::script::wrappers;
use crate::sys::cargo_alias;
use crate::sys::cargo_log::{self, CargoCall};
use crate::sys::exec::ExitReason;

/// The exit status of nextest when no test matched.
const NEXTEST_NO_TESTS: i32 = 4;
/// The file of a package.
const MANIFEST: &str = "Cargo.toml";

/// The tests that a command ran.
#[derive(Debug, Clone, Default)]
pub(super) struct Account {
    /// The runs in cargo's output.
    pub(super) observed: Observed,
    /// Contradictions, because of which it proves nothing.
    pub(super) disagreements: Vec<String>,
    /// Test commands that ran no test, with the reason.
    pub(super) empty: Vec<String>,
    /// Calls that only build or list tests, behind an alias.
    builds: Vec<String>,
    /// The exit status of its last call that runs tests.
    exit: Option<i32>,
    /// When cargo was at work.
    pub(super) times: Vec<(SystemTime, SystemTime)>,
}

/// Whether a script contains a test command. The definition of a function counts.
pub(super) fn names_tests(command: &ScriptCommand) -> bool {
    test_command(command).is_some()
}

fn test_command(command: &ScriptCommand) -> Option<Command> {
    let defines = command
        .script
        .trim_start()
        .split_once("()")
        .is_some_and(|(name, _)| {
            let name = name.trim().trim_start_matches("function ");
            !name.is_empty()
                && !name
                    .contains(|letter: char| letter.is_whitespace() || ";|&'\"$(`".contains(letter))
        });
    if defines {
        return None;
    }
    let mut commands = wrappers::with_inner(&command.commands).into_iter();
    commands.find(|command| command.test_arguments().is_some())
}

/// The account of a command from the log of its cargo calls.
///
/// `ended` is the command's exit reason; `fails` is whether it is expected to fail.
pub(super) fn of_calls(
    command: &ScriptCommand,
    calls: &[CargoCall],
    ended: ExitReason,
    fails: bool,
    binaries: Option<&Binaries<'_>>,
) -> Account {
    let mut account = Account::default();
    for call in calls {
        account.add(call, ended, fails, binaries);
    }
    if [cargo_log::FOLDER, "__cargo_poc"]
        .iter()
        .any(|name| command.script.contains(name))
    {
        account.disagreements.push(
            "the command names what `cargo poc verify` records cargo's calls with, so their record is not reliable".to_owned(),
        );
    }
    if account.empty.is_empty() && account.observed.counts().ran() == 0 {
        account.empty.append(&mut account.builds);
    }
    let named = test_command(command);
    let builds_only = |named: &Command| named.runs_tests() == Some(false);
    if let Some(named) = named
        && account.observed.counts().ran() == 0
        && account.empty.is_empty()
        && !account.observed.has_unknown()
        && account.observed.compile_errors.is_empty()
        && (!builds_only(&named) || expects_tests(command))
    {
        let why = match account.exit {
            _ if builds_only(&named) => "does not run tests".to_owned(),
            Some(code) => format!("ran no test and ended with exit code {code}"),
            None => "did not run through the logged cargo: it may be a function, an alias, a background job, or another cargo than the one in PATH".to_owned(),
        };
        account
            .empty
            .push(format!("`{}` {why}", named.words.join(" ")));
    }
    if account.empty.is_empty()
        && account.observed.counts().ran() == 0
        && !account.observed.has_unknown()
        && speaks_of_tests(command)
        && !runs_foreign_tests(command)
    {
        let first = command.script.lines().next().unwrap_or_default();
        account
            .empty
            .push(format!("`{first}` ran no test, but tests are expected; if it has none, write `# Expected: exit code 0`"));
    }
    account
}

/// The account of a command from its output, on a platform without a log of cargo calls.
pub(super) fn of_output(
    command: &ScriptCommand,
    mut observed: Observed,
    binaries: Option<&Binaries<'_>>,
) -> Account {
    if !names_tests(command) {
        return Account::default();
    }
    observed.settle_silent(binaries);
    observed.reconcile(true, &mut |header| list(header, Path::new(".")));
    let ran = observed.counts().ran() > 0 || observed.has_unknown();
    let builds = !observed.compile_errors.is_empty();
    let first = command.script.lines().next().unwrap_or_default();
    let empty = (!ran && !builds).then(|| format!("`{first}` ran no test"));
    Account {
        disagreements: observed.disagreements(),
        observed,
        empty: empty.into_iter().collect(),
        ..Account::default()
    }
}

/// Why calls that started after the last command, in a trap or in the background, make the run prove nothing.
pub(super) fn of_late_calls(calls: &[CargoCall], binaries: Option<&Binaries<'_>>) -> Vec<String> {
    let mut account = Account::default();
    for call in calls {
        account.add(call, ExitReason::Exited(0), false, binaries);
    }
    account.disagreements.extend(account.empty);
    account.disagreements
}

/// The tests that a command ran, from cargo's output, or from the output of a test program of another language.
pub(super) fn counts(
    command: &ScriptCommand,
    observed: &Observed,
    output: &str,
) -> Option<TestCounts> {
    if observed.ran_tests() {
        return Some(observed.counts());
    }
    if !runs_foreign_tests(command) {
        return None;
    }
    let (passed, failed) = printed_counts(output)?;
    Some(TestCounts {
        passed,
        failed,
        ..TestCounts::default()
    })
}

/// Whether a command runs a test program of another language.
fn runs_foreign_tests(command: &ScriptCommand) -> bool {
    let mut commands = command.commands.iter();
    commands.any(Command::is_foreign_test_program)
}

/// Whether the expectation can only be met by tests, or by a command that mentions them.
fn expects_tests(command: &ScriptCommand) -> bool {
    let mut assertions = command
        .expected
        .iter()
        .flat_map(|expected| expected.meaning.assertions());
    assertions.any(Assertion::is_about_tests)
}

/// `All tests pass`: requires tests, whatever the command. `All pass` requires them if the command may run tests.
fn speaks_of_tests(command: &ScriptCommand) -> bool {
    let mut commands = command.commands.iter();
    let may_run_tests = commands.any(|command| command.runs_tests() != Some(false));
    command.expected.iter().any(|expected| {
        let all_pass = expected
            .meaning
            .assertions()
            .iter()
            .any(Assertion::is_all_pass);
        all_pass && (may_run_tests || expected.text.to_lowercase().contains("test"))
    })
}

impl Account {
    fn add(
        &mut self,
        call: &CargoCall,
        ended: ExitReason,
        fails: bool,
        binaries: Option<&Binaries<'_>>,
    ) {
        self.times.push(call.time);
        let Some(arguments) = &call.arguments else {
            self.disagreements
                .push("a call of cargo could not be logged, so its result is not known".to_owned());
            return;
        };
        let aliases = cargo_alias::aliases(&call.folder);
        let typed = of_cargo(arguments.clone());
        let meant = of_cargo(cargo_alias::resolve(arguments.clone(), &aliases));
        let line = typed.words.join(" ");
        let is_test = meant.test_arguments().is_some();
        let mut seen = observe(call);
        if is_test && meant.runs_tests() == Some(false) {
            // `--no-run` and `--list` start binaries at most to list tests.
            seen.runs.clear();
            seen.notes.clear();
            self.observed.extend(seen);
            if typed.test_arguments().is_none() {
                // An alias hides it; for a command that is written out, the block shows it.
                self.builds.push(format!("`{line}` does not run tests"));
            }
            return;
        }
        let captures = !meant
            .words
            .iter()
            .any(|word| matches!(word.as_str(), "--nocapture" | "--no-capture"));
        let mut list = |header: &_| list(header, &call.folder);
        if !is_test && meant.runs_tests() != Some(true) {
            // Any program can print what looks like tests.
            seen.keep_existing(binaries, &mut list);
        }
        seen.settle_silent(binaries);
        seen.reconcile(captures, &mut list);
        if seen.ran_tests()
            && let Some(why) = not_covered(&meant, &call.folder, binaries)
        {
            self.disagreements.push(format!("`{line}` {why}"));
        }
        let runs = is_test || seen.ran_tests();
        if runs {
            self.exit = call.exit;
        }
        self.disagreements.extend(seen.disagreements());
        let ran = seen.counts().ran();
        let ended_well = ended.success();
        match call.exit {
            None if runs => self.disagreements.push(format!(
                "`{line}` was still running when the command ended, so its result is unknown"
            )),
            Some(0) if runs && seen.counts().failed > 0 => self.disagreements.push(format!(
                "`{line}` reports failed tests but ended with exit code 0"
            )),
            Some(0 | NEXTEST_NO_TESTS) if runs && ran == 0 && !seen.has_unknown() => {
                self.empty.push(format!("`{line}` ran no test"));
            }
            Some(code) if runs && code != 0 && ended_well && !fails => {
                self.disagreements.push(format!(
                    "`{line}` ended with exit code {code}, but the command ended with 0"
                ));
            }
            _ => {}
        }
        self.observed.extend(seen);
    }
}

fn of_cargo(arguments: Vec<String>) -> Command {
    Command {
        words: std::iter::once("cargo".to_owned())
            .chain(arguments)
            .collect(),
        ..Command::default()
    }
}

/// Why the hashed inputs of a run do not contain the package whose tests a call of cargo ran.
fn not_covered(call: &Command, folder: &Path, binaries: Option<&Binaries<'_>>) -> Option<String> {
    let workspace = binaries?.workspace();
    let (arguments, _) = cargo_arguments(&call.words);
    let named = arguments.iter().rev().find_map(|argument| {
        let path = argument.value.map(PathBuf::from);
        match argument.name {
            "--manifest-path" => path,
            "-C" => path.map(|folder| folder.join(MANIFEST)),
            _ => None,
        }
    });
    let found = || {
        folder
            .ancestors()
            .map(|folder| folder.join(MANIFEST))
            .find(|path| path.is_file())
    };
    let path = named.map(|path| folder.join(path)).or_else(found)?;
    let path = Utf8PathBuf::from_path_buf(path.canonicalize().ok()?).ok()?;
    let root = crate::sys::files::resolved(&workspace.root).ok()?;
    let Ok(relative) = path.strip_prefix(&root) else {
        return Some(format!(
            "tested {path}, which is outside of the workspace, so later changes of it would not be noticed"
        ));
    };
    let is_own = |own: &Utf8Path| own.strip_prefix(&workspace.root).ok() == Some(relative);
    let members = workspace
        .packages
        .iter()
        .map(|package| package.manifest_path.as_path());
    if relative == MANIFEST || members.into_iter().any(is_own) {
        return None;
    }
    let ignored = workspace.is_built(&workspace.root.join(relative))
        || crate::sys::git::is_ignored(&root, relative);
    ignored.then(|| {
        format!("tested {relative}, which git ignores, so later changes of it would not be noticed")
    })
}

/// Parses the output of a call.
fn observe(call: &CargoCall) -> Observed {
    let mut observer = Observer::default();
    let output = String::from_utf8_lossy(&call.output);
    match &call.errors {
        None => observer.push_text(&output),
        Some(errors) => observer.push_text(&merged(&output, &String::from_utf8_lossy(errors))),
    }
    observer.finish()
}

/// Merges standard output and standard error: cargo announces each binary on standard error, and the binary prints up to its summary on
/// standard output. If the two do not match, the binaries have no names.
fn merged(output: &str, errors: &str) -> String {
    let plain = anstream::adapter::strip_str(errors).to_string();
    let count = plain.lines().filter_map(header).count();
    let mut blocks: Vec<String> = vec![String::new()];
    for line in output.split_inclusive('\n') {
        if let Some(block) = blocks.last_mut() {
            block.push_str(line);
        }
        if is_summary(line) {
            blocks.push(String::new());
        }
    }
    // Text after the last summary belongs to no binary.
    let rest = blocks.pop().unwrap_or_default();
    if count == 0 || blocks.len() != count {
        return [plain.as_str(), "\n", output].concat();
    }
    let mut text = String::new();
    let mut blocks = blocks.into_iter();
    for line in plain.split_inclusive('\n') {
        text.push_str(line);
        if header(line.trim_end_matches(['\n', '\r'])).is_some() {
            text.push_str(&blocks.next().unwrap_or_default());
            text.push('\n');
        }
    }
    text + &rest
}

impl Observed {
    /// Adds the account of another command of the same script.
    fn extend(&mut self, other: Self) {
        self.runs.extend(other.runs);
        self.compile_errors.extend(other.compile_errors);
        self.missing_commands.extend(other.missing_commands);
        self.notes.extend(other.notes);
    }

    /// The contradictions as text.
    pub(super) fn disagreements(&self) -> Vec<String> {
        self.binaries()
            .filter_map(|binary| binary.disagreement.clone())
            .collect()
    }
}
