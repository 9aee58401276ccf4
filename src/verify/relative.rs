//! Compares a command in the work tree with the same command in the files of the base commit.
//!
//! Both are built in copies, and run alternately, so that what slows the machine slows both. The run ends as soon as the confidence
//! interval of the ratio decides each expectation.

mod ratio;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::project::tree::Tree;
use anyhow::Result;
use camino::Utf8PathBuf;

use super::invocation::{InvocationResult, Program};
use super::options::Options;
use super::report::Report;
use crate::evidence::Outcome;
use crate::script::commands::ScriptCommand;
use crate::script::expectation::Assertion;
use crate::script::measure::{Quantity, Sample};
use crate::script::relative::{RelativeLimit, Worse};
use crate::sys::exec::{self, ExitReason};
use crate::sys::terminal::Terminal;
use ratio::{LOOKS, Ratio};

/// No further pair begins after this time.
const LONGEST: Duration = Duration::from_secs(600);

/// A copy of the repository.
#[derive(Debug)]
pub(crate) struct Side {
    /// The name of its files in messages: `the base commit 1a2b3c`.
    pub(crate) title: String,
    /// Its folders.
    pub(crate) tree: Tree,
}

/// The copies of a repository.
#[derive(Debug)]
pub(crate) struct Sides {
    /// With the files of the base commit, and of the work tree.
    pub(crate) copies: [Side; 2],
    /// The top folder of the original.
    pub(crate) original: Utf8PathBuf,
}

impl Sides {
    /// Whether a script names the original by its absolute path, and so is the same command in both copies.
    fn are_ignored_by(&self, script: &str) -> bool {
        let home = std::env::home_dir().and_then(|home| Utf8PathBuf::from_path_buf(home).ok());
        let in_home = home.and_then(|home| Some(self.original.strip_prefix(home).ok()?.to_owned()));
        let below = in_home.filter(|path| !path.as_str().is_empty());
        let homes = ["~", "$HOME", "${HOME}"].into_iter();
        let short = below.iter().flat_map(|path| {
            let homes = homes.clone();
            homes.map(move |home| format!("{home}/{path}"))
        });
        let real = self.original.canonicalize_utf8().ok();
        let long = real
            .iter()
            .chain([&self.original])
            .map(Utf8PathBuf::to_string);
        long.chain(short).any(|path| names_path(script, &path))
    }
}

/// Whether a text contains a path, and not only a longer name that begins with it.
fn names_path(text: &str, path: &str) -> bool {
    text.match_indices(path).any(|(at, _)| {
        let next = text[at + path.len()..].chars().next();
        !next.is_some_and(|next| next.is_alphanumeric() || matches!(next, '-' | '_' | '.'))
    })
}

/// Whether a command must be compared: it passed, and has an expectation relative to the baseline.
pub(crate) fn is_needed(report: &Report) -> bool {
    report
        .checked
        .iter()
        .any(|checked| !limits(checked).is_empty())
}

/// Runs these commands alternately in the base commit and in the work tree, and judges their expectations. Without `sides`, it is known
/// why there are none.
///
/// # Errors
/// When a program cannot be started.
pub(crate) fn compare_with_base(
    report: &mut Report,
    options: &Options<'_>,
    terminal: &mut Terminal,
    sides: &Result<Sides, String>,
) -> Result<()> {
    let started = Instant::now();
    for checked in &mut report.checked {
        let Program::Command(command) = &checked.check.program else {
            continue;
        };
        let limits = limits(checked);
        if limits.is_empty() {
            continue;
        }
        let mut comparison = Comparison::new(command.clone(), limits, options);
        let ended = match sides {
            Ok(sides) if sides.are_ignored_by(&command.script) => Ended::Unknown(
                "the command names the work tree by its absolute path, so it would run the same files for both; use a relative path"
                    .to_owned(),
            ),
            Ok(sides) => comparison.run(&sides.copies, terminal)?,
            Err(why) => Ended::Unknown(why.clone()),
        };
        comparison.finish(&ended, checked, terminal)?;
    }
    report.duration += started.elapsed();
    Ok(())
}

/// The expectations of a command relative to the baseline; none unless the command passed.
fn limits(checked: &InvocationResult) -> Vec<RelativeLimit> {
    let may_pass = matches!(checked.outcome(), Outcome::Passed | Outcome::Unconfirmed);
    let assertions = checked.check.assertions().filter(|_| may_pass);
    let limits = assertions.filter_map(|assertion| match assertion {
        Assertion::Relative(limit) => Some((**limit).clone()),
        _ => None,
    });
    limits.collect()
}

/// What ended a comparison.
enum Ended {
    /// All expectations are decided, or enough pairs were measured.
    Measured,
    /// Ctrl-C.
    Interrupted,
    /// A value is missing, with the reason.
    Unknown(String),
}

struct Comparison<'c> {
    command: ScriptCommand,
    limits: Vec<Compared>,
    options: &'c Options<'c>,
}

/// A limit with the values measured for it.
struct Compared {
    limit: RelativeLimit,
    /// By the place of the value in the output: a name may have several values, and each must meet the limit.
    series: Vec<Series>,
    verdict: Option<Verdict>,
}

/// The values at one place.
#[derive(Default)]
struct Series {
    unit: String,
    /// Of the base commit, and of the work tree.
    pairs: Vec<(f64, f64)>,
}

#[derive(Clone, Copy)]
struct Verdict {
    ratio: Ratio,
    /// `None` if only a part of the interval meets the limit.
    meets: Option<bool>,
}

impl<'c> Comparison<'c> {
    fn new(command: ScriptCommand, limits: Vec<RelativeLimit>, options: &'c Options<'c>) -> Self {
        let limits = limits.into_iter().map(|limit| Compared {
            limit,
            series: Vec::new(),
            verdict: None,
        });
        Self {
            command,
            limits: limits.collect(),
            options,
        }
    }

    fn run(&mut self, sides: &[Side; 2], terminal: &mut Terminal) -> Result<Ended> {
        let line = self
            .command
            .script
            .trim()
            .lines()
            .next()
            .unwrap_or_default();
        terminal.status("Comparing", format!("`{line}` with {}", sides[0].title))?;
        // The first run builds, and fills caches.
        for side in sides {
            match self.values(side)? {
                Ok(_) => {}
                Err(ended) => return Ok(ended),
            }
        }
        let started = Instant::now();
        let last = LOOKS[LOOKS.len() - 1];
        for index in 0..last {
            // The second of two runs may profit from the first.
            let order = if index % 2 == 0 { [0, 1] } else { [1, 0] };
            let mut pair = BTreeMap::new();
            for side in order {
                match self.values(&sides[side])? {
                    Ok(values) => pair.insert(side, values),
                    Err(ended) => return Ok(ended),
                };
            }
            let is_last = index + 1 == last || started.elapsed() > LONGEST;
            if let Err(why) = self.add(&pair[&0], &pair[&1]) {
                return Ok(Ended::Unknown(why));
            }
            let decided = (is_last || LOOKS.contains(&(index + 1))) && self.decide();
            if is_last || decided {
                break;
            }
        }
        Ok(Ended::Measured)
    }

    /// The values of each limit in one run.
    fn values(&self, side: &Side) -> Result<Result<Vec<Vec<Quantity>>, Ended>> {
        let settings = &self.options.settings;
        let command = settings
            .block(&self.command.script, &side.tree.root)?
            .env("CARGO_TARGET_DIR", &side.tree.target);
        let ran = exec::capture(&command)?;
        if ran.ended == ExitReason::Interrupted {
            return Ok(Err(Ended::Interrupted));
        }
        let output = [ran.stdout, ran.stderr].concat();
        let output = String::from_utf8_lossy(&output);
        let output = anstream::adapter::strip_str(&output).to_string();
        if !ran.ended.success() {
            let last = output.lines().rfind(|line| !line.trim().is_empty());
            let why = format!(
                "it ended with {} in {}: {}",
                ran.ended,
                side.title,
                last.unwrap_or_default().trim()
            );
            return Ok(Err(Ended::Unknown(why)));
        }
        let values = self.limits.iter().map(|compared| {
            let missing = |why: String| Ended::Unknown(format!("{why}, in {}", side.title));
            if compared.limit.name.is_none() {
                let value = ran.duration.as_secs_f64();
                let unit = "s".to_owned();
                return Ok(vec![Quantity { value, unit }]);
            }
            let samples = compared.limit.samples(&output).map_err(missing)?;
            Ok(samples.into_iter().map(|sample| sample.value).collect())
        });
        Ok(values.collect())
    }

    /// Adds the values of a pair of runs for each limit.
    fn add(&mut self, base: &[Vec<Quantity>], now: &[Vec<Quantity>]) -> Result<(), String> {
        for (compared, (base, now)) in self.limits.iter_mut().zip(base.iter().zip(now)) {
            let subject = compared.limit.subject();
            if compared.series.is_empty() {
                compared.series.resize_with(base.len(), Series::default);
            }
            if [base.len(), now.len()] != [compared.series.len(); 2] {
                return Err(format!(
                    "`{subject}` has another number of values in each run"
                ));
            }
            for (series, (base, now)) in compared.series.iter_mut().zip(base.iter().zip(now)) {
                if base.unit != now.unit {
                    return Err(format!("`{subject}` has different units"));
                }
                series.unit.clone_from(&base.unit);
                series.pairs.push((base.value, now.value));
            }
        }
        Ok(())
    }

    /// Computes the ratios so far, and returns whether all limits are decided.
    fn decide(&mut self) -> bool {
        for compared in &mut self.limits {
            compared.verdict = compared.worst();
        }
        let mut verdicts = self.limits.iter().map(|compared| compared.verdict);
        verdicts.all(|verdict| verdict.is_some_and(|verdict| verdict.meets.is_some()))
    }

    /// Adds the ratios and what they say to the result of the command.
    fn finish(
        self,
        ended: &Ended,
        checked: &mut InvocationResult,
        terminal: &mut Terminal,
    ) -> Result<()> {
        for compared in self.limits {
            let limit = &compared.limit;
            let pairs = compared
                .series
                .first()
                .map_or(0, |series| series.pairs.len());
            let Some(Verdict { ratio, meets }) = compared.verdict else {
                checked.undecided = true;
                let why = match ended {
                    Ended::Unknown(why) => why.clone(),
                    Ended::Interrupted => "the comparison was interrupted".to_owned(),
                    Ended::Measured => "a value is zero or negative".to_owned(),
                };
                checked.unmet.push(format!("{limit} expected, but {why}"));
                continue;
            };
            terminal.status(
                "Compared",
                format!("{}: ratio {ratio} in {pairs} pairs", limit.subject()),
            )?;
            let sample = Sample {
                value: Quantity {
                    value: ratio.value,
                    unit: String::new(),
                },
                low: ratio.low,
                high: ratio.high,
            };
            checked
                .samples
                .push((format!("{} relative to baseline", limit.subject()), sample));
            match meets {
                Some(true) => {}
                Some(false) => {
                    checked
                        .unmet
                        .push(format!("{limit} expected, but the ratio is {ratio}"));
                }
                None => {
                    checked.undecided = true;
                    checked.unmet.push(format!(
                        "{limit} expected; the ratio {ratio} after {pairs} pairs does not decide it: use a machine with less other load, or \
                         a longer benchmark"
                    ));
                }
            }
        }
        if matches!(ended, Ended::Interrupted) {
            checked.ended = ExitReason::Interrupted;
        }
        Ok(())
    }
}

impl Compared {
    /// The verdict on the values that meet the limit least; `None` if a ratio cannot be computed.
    fn worst(&self) -> Option<Verdict> {
        let verdicts = self.series.iter().map(|series| {
            let ratio = Ratio::of(&series.pairs)?;
            let meets = meets(&self.limit, &series.unit, ratio);
            Some(Verdict { ratio, meets })
        });
        let verdicts: Vec<Verdict> = verdicts.collect::<Option<_>>()?;
        let badness = |verdict: &Verdict| match verdict.meets {
            Some(true) => 0,
            None => 1,
            Some(false) => 2,
        };
        let distance = |verdict: &Verdict| verdict.ratio.value.ln().abs();
        verdicts.into_iter().max_by(|one, other| {
            let by_distance = distance(one).total_cmp(&distance(other));
            badness(one).cmp(&badness(other)).then(by_distance)
        })
    }
}

/// Whether the whole interval meets a limit; `None` if only a part does.
fn meets(limit: &RelativeLimit, unit: &str, ratio: Ratio) -> Option<bool> {
    let part = limit.percent / 100.0;
    let upper = side(ratio.low, ratio.high, 1.0 + part);
    let lower = side(-ratio.high, -ratio.low, part - 1.0);
    match limit.worse.unwrap_or_else(|| Worse::of(unit)) {
        Worse::Larger => upper,
        Worse::Smaller => lower,
        Worse::Either => match (upper, lower) {
            (Some(true), Some(true)) => Some(true),
            (Some(false), _) | (_, Some(false)) => Some(false),
            _ => None,
        },
    }
}

/// Whether an interval is on the lower side of a limit.
fn side(low: f64, high: f64, limit: f64) -> Option<bool> {
    if high <= limit {
        Some(true)
    } else if low > limit {
        Some(false)
    } else {
        None
    }
}
