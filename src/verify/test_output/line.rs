//! Parses single lines of cargo and libtest, without colours.

use std::time::Duration;

use super::observed::{Header, Verdict, without_hash};
use crate::evidence::TestCounts;
use crate::script::simple_commands::of_text;

/// Parses a header. cargo aligns its words at the twelfth column, which a test that prints such a line rarely does.
pub(crate) fn header(line: &str) -> Option<Header> {
    if let Some(name) = line.strip_prefix("   Doc-tests ") {
        return Some(Header::Doctests(name.to_owned()));
    }
    let rest = line.strip_prefix("     Running ")?;
    if let Some(command) = rest.strip_prefix('`') {
        return verbose_header(command.strip_suffix('`')?);
    }
    let (unit_tests, rest) = match rest.strip_prefix("unittests ") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let (source, executable) = rest.strip_suffix(')')?.split_once(" (")?;
    Some(Header::Cargo {
        source: source.to_owned(),
        unit_tests,
        executable: executable.to_owned(),
    })
}

/// `cargo test -v` prints commands instead, also of compilers and build scripts, so only paths of test binaries count.
fn verbose_header(command: &str) -> Option<Header> {
    let commands = of_text(command, 1);
    let executable = commands.first()?.words.first()?;
    let mut folders = executable.rsplit(['/', '\\']);
    let (file, folder) = (folders.next()?, folders.next()?);
    let hashed = without_hash(file.strip_suffix(".exe").unwrap_or(file)).len() < file.len();
    (hashed && matches!(folder, "deps" | "examples")).then(|| Header::Cargo {
        source: String::new(),
        unit_tests: false,
        executable: executable.clone(),
    })
}

/// ``    Finished `test` profile [unoptimized + debuginfo] target(s) in 1.31s``: the build ends and a run starts.
pub(super) fn is_finished(line: &str) -> bool {
    line.strip_prefix("    Finished ")
        .is_some_and(|rest| rest.contains(" target(s) in ") || rest.contains(" targets in "))
}

/// ``error: could not compile `store` (lib test) due to 1 previous error``, or the failure of a build script, without its first word.
pub(super) fn compile_error(line: &str) -> Option<&str> {
    let failures = [
        "could not compile `",
        "failed to run custom build command for `",
    ];
    line.strip_prefix("error: ")
        .filter(|rest| failures.iter().any(|failure| rest.starts_with(failure)))
}

/// ``error: no such command: `nextest` `` → `nextest`.
pub(super) fn missing_command(line: &str) -> Option<&str> {
    line.strip_prefix("error: no such command: `")?
        .strip_suffix('`')
}

/// cargo's message that a test binary failed, printed after the binary has ended.
pub(super) fn is_binary_failed(line: &str) -> bool {
    line.starts_with("error: test failed, to rerun pass")
        || line.starts_with("error: doctest failed, to rerun pass")
        || line.starts_with("error: bench failed, to rerun pass")
}

/// cargo's list of failed targets, at the end of a run.
pub(super) fn is_run_failed(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("error: ") else {
        return false;
    };
    let count = |suffix| rest.strip_suffix(suffix).is_some_and(is_number);
    count(" target failed:") || count(" targets failed:")
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `running 3 tests` → 3.
pub(super) fn announced(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("running ")?;
    let number = rest.strip_suffix(" tests").or(rest.strip_suffix(" test"))?;
    number.parse().ok()
}

/// The summary of libtest at the end of a group of tests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Summary {
    pub counts: TestCounts,
    pub took: Option<Duration>,
}

/// `test result: FAILED. 2 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.14s`.
pub(super) fn summary(line: &str) -> Option<Summary> {
    let rest = line.strip_prefix("test result: ")?;
    let rest = rest
        .strip_prefix("ok. ")
        .or(rest.strip_prefix("FAILED. "))?;
    let mut counts = TestCounts::default();
    let (mut known, mut took) = (0, None);
    for field in rest.split("; ") {
        if let Some(time) = field.strip_prefix("finished in ") {
            took = seconds(time.strip_suffix('s').unwrap_or(time));
        }
        let Some((number, what)) = field.split_once(' ') else {
            continue;
        };
        let Ok(number) = number.parse::<u64>() else {
            continue;
        };
        match what {
            "passed" | "measured" => counts.passed += number,
            "failed" => counts.failed = number,
            "ignored" => counts.ignored = number,
            "filtered out" => counts.filtered = number,
            _ => continue,
        }
        known += 1;
    }
    (known >= 4).then_some(Summary { counts, took })
}

/// Whether a line ends the tests of a binary.
pub(crate) fn is_summary(line: &str) -> bool {
    summary(anstream::adapter::strip_str(line).to_string().trim_end()).is_some()
}

/// `3 tests, 0 benchmarks`: the end of a list of tests that did not run.
pub(super) fn is_list_end(line: &str) -> bool {
    let Some((tests, benches)) = line.split_once(", ") else {
        return false;
    };
    let counts = |text: &str, one: &str| {
        text.split_once(' ')
            .is_some_and(|(number, what)| is_number(number) && what.trim_end_matches('s') == one)
    };
    counts(tests, "test") && counts(benches, "benchmark")
}

/// `0.14` → 140 ms.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.trim().parse().ok()?).ok()
}

/// The output of a quiet run instead of names: `..F.i 5/12`, `tests::bad --- FAILED`.
pub(super) fn is_dots(line: &str) -> bool {
    let dots = line.split(' ').next().unwrap_or(line);
    let is_dot = |byte: u8| matches!(byte, b'.' | b'F' | b'i' | b'a' | b't');
    line.ends_with(" --- FAILED") || !dots.is_empty() && dots.bytes().all(is_dot)
}

/// A line about one test: its name, and its verdict unless other output follows.
pub(super) fn test(line: &str) -> Option<(String, Option<Verdict>)> {
    if let Some(rest) = line.strip_prefix("test ")
        && let Some((name, outcome)) = rest.split_once(" ... ")
        && !name.is_empty()
    {
        return Some((plain_name(name), verdict(outcome)));
    }
    // A child process printed no line end before it: `…test store::reads ... ok`.
    let (before, outcome) = line.rsplit_once(" ... ")?;
    let (_, name) = before.rsplit_once("test ")?;
    let verdict = verdict(outcome)?;
    let one_word = !name.is_empty() && !name.contains(' ');
    one_word.then(|| (name.to_owned(), Some(verdict)))
}

/// Removes the kind of run that libtest adds to a name. libtest-mimic aligns names and their kinds, `[kind]    name`, and lists
/// them as `[kind] name`.
fn plain_name(name: &str) -> String {
    let name = name.trim();
    let kind = name
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "));
    if let Some((kind, name)) = kind {
        return format!("[{kind}] {}", name.trim_start());
    }
    let suffixes = [" - should panic", " - compile fail", " - compile"];
    let mut suffixes = suffixes.iter();
    let plain = suffixes.find_map(|suffix| name.strip_suffix(suffix));
    plain.unwrap_or(name).to_owned()
}

/// Parses the text after `...`: `ok`, `FAILED`, `ignored, reason`, `bench: 12 ns/iter (+/- 1)`, optionally followed by a time in angle
/// brackets or a reason in parentheses.
pub(super) fn verdict(outcome: &str) -> Option<Verdict> {
    let outcome = outcome.trim();
    let word = outcome.split([' ', ',']).next()?;
    let rest = outcome[word.len()..].trim_start();
    let bare = rest.is_empty() || rest.starts_with(['<', '(']);
    match word {
        "ok" if bare => Some(Verdict::Passed),
        "bench:" => Some(Verdict::Passed),
        "FAILED" if bare => Some(Verdict::Failed),
        "ignored" if bare || rest.starts_with(',') => Some(Verdict::Ignored),
        _ => None,
    }
}

/// The verdict at the end of a line that starts with other output.
pub(super) fn trailing_verdict(line: &str) -> Option<Verdict> {
    if line.ends_with("ok") {
        Some(Verdict::Passed)
    } else if line.ends_with("FAILED") {
        Some(Verdict::Failed)
    } else {
        None
    }
}
