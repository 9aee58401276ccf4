//! Wrappers for a collect run: of rustc, to instrument the workspace's code, and of each test, to record the executed functions.
//!
//! Both are this program, selected by environment variables and a hidden subcommand. nextest starts a process per test; [`test()`] gives
//! it a folder for profiles that its children inherit, waits for it, reads the profiles and removes them. So only the profiles of
//! running tests exist at any time.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};

use super::profile::Profile;
use super::recorded::{ExecutedFunctions, RecordFolder, RecordedTest};
use super::trace;
use crate::exit::Exit;
use crate::sys::files;
use crate::sys::inherit::{self, Program};

/// The hidden subcommand that runs a test for nextest.
pub const SUBCOMMAND: &str = "run-observed-test";
/// Set during an instrumented build, in which this program wraps rustc.
pub const INSTRUMENTS: &str = "CARGO_POC_INSTRUMENT";
/// Set during a build of mutants, in which this program wraps rustc: a lint must not stop it.
pub const CAPS_LINTS: &str = "CARGO_POC_CAP_LINTS";
/// The user's rustc wrapper, which this program calls.
pub const INNER_WRAPPER: &str = "CARGO_POC_INNER_WRAPPER";
/// The folder of the current collect run.
pub const FOLDER: &str = "CARGO_POC_COLLECT_FOLDER";
/// The root of the repository; set if tests run under the tracer.
pub const TRACED: &str = "CARGO_POC_TRACED_ROOT";
/// The path to which the profiling runtime writes.
pub const PROFILE_FILE: &str = "LLVM_PROFILE_FILE";
/// cargo's variable for a rustc wrapper for workspace members.
pub const WORKSPACE_WRAPPER: &str = "RUSTC_WORKSPACE_WRAPPER";
/// Discards profiles.
pub const NOWHERE: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

/// Runs rustc if cargo called this program as a wrapper: `cargo-poc /path/to/rustc …` in an instrumented build, or in one of mutants.
#[must_use]
pub fn rustc(arguments: &[OsString]) -> Option<Result<Exit>> {
    let compiler = arguments.get(1)?;
    let stem = std::path::Path::new(compiler).file_stem()?;
    let instruments = std::env::var_os(INSTRUMENTS).is_some();
    let caps_lints = std::env::var_os(CAPS_LINTS).is_some();
    if !(instruments || caps_lints) || !stem.to_string_lossy().ends_with("rustc") {
        return None;
    }
    let mut words: Vec<OsString> = std::env::var_os(INNER_WRAPPER).into_iter().collect();
    words.extend_from_slice(&arguments[1..]);
    if caps_lints && names_crate(&arguments[2..]) {
        words.push("--cap-lints=allow".into());
    }
    if instruments && is_instrumented(&arguments[2..]) {
        words.push("-Cinstrument-coverage".into());
        if CONTINUOUS {
            words.push("-Cllvm-args=--runtime-counter-relocation".into());
        }
    }
    let program = Program {
        words,
        environment: Vec::new(),
    };
    Some(inherit::run(&program).map(|status| {
        if status.success() {
            Exit::Success
        } else {
            Exit::Findings
        }
    }))
}

/// Whether counters can be in the profile's file itself, so that a killed process loses none of them. The profiling runtime supports this
/// on Linux.
pub const CONTINUOUS: bool = cfg!(target_os = "linux");

/// Whether a crate is compiled; cargo also asks rustc for its version.
fn names_crate(arguments: &[OsString]) -> bool {
    arguments.iter().any(|argument| argument == "--crate-name")
}

/// Whether a crate is instrumented. Build scripts and procedural macros run during the build, not in tests.
fn is_instrumented(arguments: &[OsString]) -> bool {
    let is = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    let after = |option: &str, lead: &str| {
        let at = arguments.iter().position(|argument| argument == option);
        let value = at.and_then(|at| arguments.get(at + 1));
        value.is_some_and(|value| value.to_string_lossy().starts_with(lead))
    };
    let builds = after("--crate-name", "build_script_");
    let expands = after("--crate-type", "proc-macro") && !is("--test");
    names_crate(arguments) && !builds && !expands
}

/// Runs a test binary for nextest: a test, whose executed functions are recorded, or a listing.
///
/// # Errors
/// When the binary cannot be started, or its coverage cannot be stored.
pub fn test(words: &[OsString]) -> Result<Exit> {
    let mut program = Program {
        words: words.to_vec(),
        environment: [
            INSTRUMENTS,
            INNER_WRAPPER,
            FOLDER,
            TRACED,
            WORKSPACE_WRAPPER,
        ]
        .iter()
        .map(|name| (OsString::from(name), None))
        .collect(),
    };
    if let Some(user) = std::env::var_os(INNER_WRAPPER) {
        program
            .environment
            .push((WORKSPACE_WRAPPER.into(), Some(user)));
    }
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some(folder) = variable(FOLDER) else {
        bail!("`{SUBCOMMAND}` is for `cargo poc affected --collect` to call");
    };
    let records = RecordFolder::new(Utf8Path::new(&folder));
    let (binary, name) = (variable("NEXTEST_BINARY_ID"), variable("NEXTEST_TEST_NAME"));
    let listing = words.iter().any(|word| word == "--list");
    let (Some(binary), Some(name), false) = (binary, name, listing) else {
        let nowhere = (PROFILE_FILE.into(), Some(NOWHERE.into()));
        program.environment.push(nowhere);
        return if listing {
            list(&records, &program)
        } else {
            Ok(exit(inherit::run(&program)?.success()))
        };
    };
    if records
        .get(&binary, &name)?
        .is_some_and(|seen| seen.why_not.is_none())
    {
        return Ok(Exit::Success);
    }
    let raw = records.raw(&binary, &name)?;
    let file = raw.path.join(if CONTINUOUS {
        "%c%m.profraw"
    } else {
        "%p-%m.profraw"
    });
    program
        .environment
        .push((PROFILE_FILE.into(), Some(file.as_str().into())));
    let (passed, touched) = match variable(TRACED) {
        Some(root) => traced(program, &raw.path.join(TRACE), &root, &folder)?,
        None => (inherit::run(&program)?.success(), Ok(None)),
    };
    let mut seen = RecordedTest {
        binary,
        name,
        parts: Vec::new(),
        bytes: 0,
        touched: None,
        kept: false,
        why_not: None,
    };
    if passed {
        match parts(&records, &raw.path).and_then(|parts| Ok((parts, touched?))) {
            Ok(((parts, bytes), touched)) => {
                (seen.parts, seen.bytes, seen.touched) = (parts, bytes, touched);
            }
            Err(error) => seen.why_not = Some(format!("{error:#}")),
        }
    } else {
        seen.why_not = Some("it failed".to_owned());
    }
    records.put(&seen)?;
    drop(raw);
    Ok(exit(passed))
}

/// The name of a trace in the folder of a test's profiles.
const TRACE: &str = "trace";
/// How long to wait for processes that a test leaves behind.
const GRACE: Duration = Duration::from_secs(5);

/// The files that a test touched, or why they are not known.
type Touch = Result<Option<BTreeSet<String>>>;

/// Runs a test under the tracer, which writes to `trace`; also returns whether it passed.
fn traced(
    mut program: Program,
    trace: &Utf8Path,
    root: &str,
    folder: &str,
) -> Result<(bool, Touch)> {
    let here = std::env::current_dir().context("failed to find the current folder")?;
    let here = Utf8PathBuf::try_from(here).context("the current folder is not UTF-8")?;
    let tracer = std::iter::once(trace::PROGRAM).chain(trace::ARGUMENTS);
    let tracer = tracer
        .chain(["-o", trace.as_str(), "--"])
        .map(OsString::from);
    program.words = tracer.chain(program.words).collect();
    // The tracer waits for processes that the test leaves behind.
    let mut ended: Option<Instant> = None;
    let status = inherit::run_until(&program, &mut |tracer| {
        let children = format!("/proc/{tracer}/task/{tracer}/children");
        let children = files::text(Utf8Path::new(&children));
        let is_alone = children.is_some_and(|children| children.trim().is_empty());
        ended = ended
            .filter(|_| is_alone)
            .or_else(|| is_alone.then(Instant::now));
        ended.is_some_and(|ended| ended.elapsed() > GRACE)
    })?;
    let Some(status) = status else {
        return Ok((true, Err(anyhow!("a process that it started did not end"))));
    };
    let built = Utf8Path::new(folder).ancestors().nth(2);
    let built = built.context("the folder of the run has no parent")?;
    let touched = files::read(trace)
        .and_then(|trace| trace::parse(&trace, &here))
        .and_then(|touched| touched.inside(Utf8Path::new(root), built));
    Ok((status.success(), touched.map(Some)))
}

/// Lists the tests of a binary for nextest. A custom harness that does not list its tests is recorded, and listed without tests, so that the
/// others can run.
fn list(records: &RecordFolder, program: &Program) -> Result<Exit> {
    let (status, tests) = inherit::output(program)?;
    if status.success() && is_listing(&tests) {
        let mut out = std::io::stdout();
        out.write_all(&tests)
            .and_then(|()| out.flush())
            .context("failed to write the list of tests for nextest")?;
    } else if let Some(binary) = program.words.first() {
        records.put_unlisted(&binary.to_string_lossy())?;
    }
    Ok(Exit::Success)
}

/// Whether this is the output of `--list --format terse`: `name: test` or `name: benchmark` on each line.
fn is_listing(output: &[u8]) -> bool {
    std::str::from_utf8(output).is_ok_and(|text| {
        let mut lines = text.lines();
        lines.all(|line| {
            line.trim().is_empty() || line.ends_with(": test") || line.ends_with(": benchmark")
        })
    })
}

fn exit(passed: bool) -> Exit {
    if passed {
        Exit::Success
    } else {
        Exit::Findings
    }
}

/// Reads the profiles of a test and its children.
fn parts(records: &RecordFolder, folder: &Utf8Path) -> Result<(Vec<ExecutedFunctions>, u64)> {
    let mut names = files::list(folder)?;
    names.retain(|name| name != TRACE);
    names.sort();
    ensure!(!names.is_empty(), "it left no profile");
    let mut parts = Vec::new();
    let mut length = 0;
    for name in names {
        let path: Utf8PathBuf = folder.join(&name);
        let bytes = files::read(&path)?;
        length += bytes.len() as u64;
        let profile = Profile::read(&bytes).with_context(|| format!("its profile {name}"))?;
        ensure!(
            !profile.functions.is_empty(),
            "its profile {name} contains no function"
        );
        parts.push(records.part(&profile)?);
    }
    Ok((parts, length))
}
