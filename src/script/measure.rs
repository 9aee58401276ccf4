//! Measured values in the output of a command: `p99: 840 us`, a number in JSON, a result of Criterion or divan.
//!
//! Input: the text of an expectation such as `p99 < 1 ms`, and an output. Output: the values of that name, each compared with the limit.

use std::fmt;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::evidence::Measured;

/// A number: `12,345`, `0.84`, `1e-3`. A comma separates thousands.
pub(crate) const NUMBER: &str = r"-?(?:\d{1,3}(?:,\d{3})+|\d[\d_]*)(?:\.\d+)?(?:e[+-]?\d+)?";
/// A unit: one of [`UNITS`], or a rate such as `req/s`.
pub(crate) const UNIT: &str = r"(?:[a-zµμ]+/s(?:ec)?|[kmgt]?i?b|[nuµμm]s|s|min|h|%)";

/// Units, each with its base unit, and a factor and a divisor to convert to it: a factor such as 1e-6 would not be exact. A unit before
/// `/s` that is not here is a count.
const UNITS: [(&str, &str, f64, f64); 18] = [
    ("ns", "s", 1.0, 1e9),
    ("us", "s", 1.0, 1e6),
    ("µs", "s", 1.0, 1e6),
    ("μs", "s", 1.0, 1e6),
    ("ms", "s", 1.0, 1e3),
    ("s", "s", 1.0, 1.0),
    ("min", "s", 60.0, 1.0),
    ("h", "s", 3600.0, 1.0),
    ("b", "B", 1.0, 1.0),
    ("kb", "B", 1e3, 1.0),
    ("mb", "B", 1e6, 1.0),
    ("gb", "B", 1e9, 1.0),
    ("tb", "B", 1e12, 1.0),
    ("kib", "B", 1024.0, 1.0),
    ("mib", "B", 1_048_576.0, 1.0),
    ("gib", "B", 1_073_741_824.0, 1.0),
    ("tib", "B", 1_099_511_627_776.0, 1.0),
    ("%", "%", 1.0, 1.0),
];

/// A value in its base unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// The value.
    pub value: f64,
    /// `s`, `B`, `b` for bits, `%`, a rate such as `req/s` or `B/s`, or nothing.
    pub unit: String,
}

/// The limits in a text: `p99 read latency < 1 ms`.
pub fn limits_in(text: &str) -> Vec<(Relation, Quantity)> {
    static QUANTITY: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(&format!(
            r"(?i)(?:^|[^\w.])({NUMBER})(?:[ \t]*({UNIT})\b{{end-half}})?"
        ))
        .ok()
    });
    let Some(pattern) = QUANTITY.as_ref() else {
        return Vec::new();
    };
    let limits = pattern.captures_iter(text).filter_map(|found| {
        let relation = Relation::at_end(&text[..found.get(1)?.start()])?;
        Some((relation, quantity(&found, 1)?))
    });
    limits.collect()
}

/// How a value must relate to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

/// Words and signs before a limit. A longer one precedes those that it ends with.
const BOUNDS: [(&str, Relation); 31] = [
    ("no more than", Relation::AtMost),
    ("not more than", Relation::AtMost),
    ("no less than", Relation::AtLeast),
    ("not less than", Relation::AtLeast),
    ("no fewer than", Relation::AtLeast),
    ("not fewer than", Relation::AtLeast),
    ("not under", Relation::AtLeast),
    ("not below", Relation::AtLeast),
    ("not over", Relation::AtMost),
    ("not above", Relation::AtMost),
    ("less than", Relation::Below),
    ("fewer than", Relation::Below),
    ("more than", Relation::Above),
    ("at most", Relation::AtMost),
    ("at least", Relation::AtLeast),
    ("up to", Relation::AtMost),
    ("within", Relation::AtMost),
    ("under", Relation::Below),
    ("below", Relation::Below),
    ("over", Relation::Above),
    ("above", Relation::Above),
    ("max", Relation::AtMost),
    ("maximum", Relation::AtMost),
    ("min", Relation::AtLeast),
    ("minimum", Relation::AtLeast),
    ("<=", Relation::AtMost),
    ("≤", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("≥", Relation::AtLeast),
    ("<", Relation::Below),
    (">", Relation::Above),
];

/// An expectation about a measured value: `p99 < 1 ms`.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// The name before the value in the output, or a path in JSON output: `$.latency.p99`.
    pub name: String,
    /// The relation of every value to the limit.
    pub relation: Relation,
    /// The quantity that it is compared with.
    pub quantity: Quantity,
    /// The unit as written, which a number in JSON has too.
    pub unit: Option<String>,
}

/// A measured value with the spread that its tool reports.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The value that is compared: the only one, or the median.
    pub value: Quantity,
    /// The lowest value.
    pub low: f64,
    /// The highest value.
    pub high: f64,
}

impl Quantity {
    /// Reads a number and the unit after it, if there is one.
    pub(super) fn read(number: &str, unit: Option<&str>) -> Option<Self> {
        let value: f64 = number.replace([',', '_'], "").parse().ok()?;
        let unit = unit.unwrap_or_default();
        let (written, per) = match unit.split_once('/') {
            Some((counted, _)) => (counted, "/s"),
            None => (unit, ""),
        };
        let counted = written.to_lowercase();
        let known = UNITS.iter().find(|(name, ..)| *name == counted);
        let (_, base, factor, divisor) = *known.unwrap_or(&("", &counted, 1.0, 1.0));
        // `Mb` are megabits.
        let is_bits = base == "B" && written.ends_with('b');
        let base = if is_bits { "b" } else { base };
        Some(Self {
            value: value * factor / divisor,
            unit: format!("{base}{per}"),
        })
    }
}

/// A recorded value with its spread: `p99 840 us (810 us to 900 us)`.
#[must_use]
pub fn shown(measured: &Measured) -> String {
    let quantity = |value| Quantity {
        value,
        unit: measured.unit.clone(),
    };
    let spread = measured
        .spread
        .map(|(low, high)| format!(" ({} to {})", quantity(low), quantity(high)));
    format!(
        "{} {}{}",
        measured.name,
        quantity(measured.value),
        spread.unwrap_or_default()
    )
}

impl Relation {
    pub(super) fn read(sign: &str) -> Self {
        match sign {
            "<" => Self::Below,
            "<=" | "≤" => Self::AtMost,
            ">" => Self::Above,
            _ => Self::AtLeast,
        }
    }

    /// The relation that the end of a text says of the number after it: `less than`, `>=`.
    #[must_use]
    pub fn at_end(text: &str) -> Option<Self> {
        let text = text.trim_end().to_lowercase();
        let ends = |word: &str| {
            let is_word = word.starts_with(char::is_alphabetic);
            let lead = text.strip_suffix(word);
            lead.is_some_and(|lead| !(is_word && lead.ends_with(char::is_alphanumeric)))
        };
        let found = BOUNDS.iter().find(|(word, _)| ends(word));
        found.map(|(_, relation)| *relation)
    }

    /// Whether a value meets a limit.
    #[must_use]
    pub fn holds(self, value: f64, limit: f64) -> bool {
        let holds = match self {
            Self::Below => value < limit,
            Self::AtMost => value <= limit,
            Self::Above => value > limit,
            Self::AtLeast => value >= limit,
        };
        holds && value.is_finite()
    }

    /// Whether a smaller limit requires more.
    #[must_use]
    pub fn is_upper(self) -> bool {
        matches!(self, Self::Below | Self::AtMost)
    }
}

impl Limit {
    /// The values of this name in the output of a command, in order.
    ///
    /// # Errors
    /// A description if there is none, or if one cannot be read or has another unit than the limit.
    pub fn samples(&self, output: &str) -> Result<Vec<Sample>, String> {
        let samples = samples_of(&self.name, self.unit.as_deref(), output)?;
        let unit = &self.quantity.unit;
        match samples.iter().find(|sample| sample.value.unit != *unit) {
            None => Ok(samples),
            Some(other) => {
                let has = match other.value.unit.as_str() {
                    "" => "no unit".to_owned(),
                    unit => format!("the unit {unit}"),
                };
                Err(format!("`{}` has {has} in the output", self.name))
            }
        }
    }

    /// Why a value of the output does not meet the limit.
    pub(super) fn unmet(&self, output: &str) -> Option<String> {
        let samples = match self.samples(output) {
            Ok(samples) => samples,
            Err(why) => return Some(format!("{self} expected, but {why}")),
        };
        let meets = |sample: &&Sample| self.relation.holds(sample.value.value, self.quantity.value);
        let other = samples.iter().find(|sample| !meets(sample))?;
        Some(format!("{self} expected, but it was {}", other.value))
    }
}

/// The values of a name in the output of a command, in order. `unit` is that of numbers in JSON.
///
/// # Errors
/// A description if there is none, or if one cannot be read.
pub(crate) fn samples_of(
    name: &str,
    unit: Option<&str>,
    output: &str,
) -> Result<Vec<Sample>, String> {
    let samples = match name.strip_prefix("$.") {
        Some(path) => in_json(name, path, unit, output)?,
        None => in_text(name, output)?,
    };
    if samples.is_empty() {
        return Err(format!("the output has no value of `{name}`"));
    }
    Ok(samples)
}

fn in_text(name: &str, output: &str) -> Result<Vec<Sample>, String> {
    let Some([start, whole, unit]) = patterns(name) else {
        return Ok(Vec::new());
    };
    let samples = start.find_iter(output).map(|found| {
        let whole = whole.captures_at(output, found.start());
        let whole = whole.filter(|whole| whole.get_match().start() == found.start());
        // The end of the pattern may have taken the unit for a word.
        let is_cut = |whole: &Captures<'_>| {
            let number = whole.get(13).filter(|_| whole.get(14).is_none());
            number.is_some_and(|number| unit.is_match(&output[number.end()..]))
        };
        let whole = whole.filter(|whole| !is_cut(whole));
        whole.and_then(|whole| sample(&whole)).ok_or_else(|| {
            let line = output[found.start()..].trim_start().lines().next();
            let line = line.unwrap_or_default();
            format!("`{name}` has no single value in `{line}`")
        })
    });
    samples.collect()
}

fn in_json(
    name: &str,
    path: &str,
    unit: Option<&str>,
    output: &str,
) -> Result<Vec<Sample>, String> {
    let parts = path.split(['.', '[', ']']);
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    let pointer = format!("/{}", parts.join("/"));
    let values: Vec<serde_json::Value> = match serde_json::from_str(output.trim()) {
        Ok(whole) => vec![whole],
        Err(_) => output
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect(),
    };
    let found = values.iter().filter_map(|value| value.pointer(&pointer));
    let samples = found.map(|value| {
        let unknown = || format!("`{name}` is {value} in the output");
        of_json(value, unit).ok_or_else(unknown)
    });
    samples.collect()
}

/// A number has this unit.
fn of_json(value: &serde_json::Value, unit: Option<&str>) -> Option<Sample> {
    static QUANTITY: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(&format!(r"(?i)^\s*({NUMBER})\s*({UNIT})?\s*$")).ok());
    let quantity = match value {
        serde_json::Value::Number(number) => Quantity::read(&number.to_string(), unit)?,
        serde_json::Value::String(text) => quantity(&QUANTITY.as_ref()?.captures(text)?, 1)?,
        _ => return None,
    };
    Some(Sample {
        low: quantity.value,
        high: quantity.value,
        value: quantity,
    })
}

/// Patterns for a name with the start of a value, for a name with a value, and for a unit.
fn patterns(name: &str) -> Option<[Regex; 3]> {
    let quantity = format!(r"({NUMBER})[ \t]*({UNIT})?");
    let name = format!(r"(?im)(?:^|[^\w.-]){}", regex::escape(name));
    // Criterion: `NAME time: [low median high]`. divan: `NAME fastest │ slowest │ median │ mean`.
    let criterion = format!(r"\s+time:\s+\[{quantity} {quantity} {quantity}\]");
    let divan = format!(r"[ \t]+{quantity}[ \t]*│[ \t]*{quantity}[ \t]*│[ \t]*{quantity}[ \t]*│");
    let separator = r#"["'`]?[ \t:=|]+"#;
    // Neither a longer number or unit, nor a second number.
    let end = r"[ \t]*(?:\r?$|[^\w/%.,\s]|[.,](?:$|\W)|[ \t][^\d\s])";
    let start = r"[<>≤≥~≈±+-]?[ \t]*(?:\d|nan\b|inf(?:inity)?\b)";
    let patterns = [
        format!(r"{name}(?:\s+time:\s+\[|{separator}{start})"),
        format!("{name}(?:{criterion}|{divan}|{separator}{quantity}{end})"),
        format!(r"(?i)^[ \t]*{UNIT}\b{{end-half}}"),
    ];
    let [start, whole, unit] = patterns.map(|pattern| Regex::new(&pattern).ok());
    Some([start?, whole?, unit?])
}

/// A match of the second of [`patterns`], by the tool whose groups took part.
fn sample(found: &Captures<'_>) -> Option<Sample> {
    let group = |index: usize| quantity(found, index);
    let (low, value, high) = if found.get(1).is_some() {
        (group(1)?, group(3)?, group(5)?)
    } else if found.get(7).is_some() {
        // The fastest, the slowest and the median run.
        (group(7)?, group(11)?, group(9)?)
    } else {
        let value = group(13)?;
        (value.clone(), value.clone(), value)
    };
    Some(Sample {
        value,
        low: low.value,
        high: high.value,
    })
}

/// The number in a group, and the unit in the next.
fn quantity(found: &Captures<'_>, group: usize) -> Option<Quantity> {
    let unit = found.get(group + 1).map(|unit| unit.as_str());
    Quantity::read(found.get(group)?.as_str(), unit)
}

/// The largest unit in which a value of this base unit is not below 1, and its factor.
#[must_use]
pub fn size(unit: &str, value: f64) -> (String, f64) {
    let (base, per) = match unit.strip_suffix("/s") {
        Some(base) => (base, "/s"),
        None => (unit, ""),
    };
    let sizes: &[(&str, f64)] = match base {
        "s" => &[("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)],
        "B" => &[("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 1.0)],
        other => &[(other, 1.0)],
    };
    let fits = |(_, factor): &&(&str, f64)| value.abs() >= *factor;
    let (size, factor) = sizes
        .iter()
        .find(fits)
        .or(sizes.last())
        .copied()
        .unwrap_or((base, 1.0));
    (format!("{size}{per}"), factor)
}

/// A value with its unit, in a size that a person reads: `840 us`.
impl fmt::Display for Quantity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, factor) = size(&self.unit, self.value);
        // Three significant digits, or all of a whole number.
        let value = self.value / factor;
        let digits: usize = match value.abs() {
            value if value.fract() == 0.0 || value >= 100.0 => 0,
            value if value >= 10.0 => 1,
            value if value >= 1.0 => 2,
            _ => 4,
        };
        let text = format!("{value:.digits$}");
        let text = if digits > 0 {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            &text
        };
        let space = if matches!(&*unit, "" | "%") { "" } else { " " };
        write!(out, "{text}{space}{unit}")
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
        })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {}", self.name, self.relation, self.quantity)
    }
}
