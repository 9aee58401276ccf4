//! The wording of expectations.

use std::sync::LazyLock;
use std::time::Duration;

use globset::GlobBuilder;
use regex::{Captures, Regex};

use super::{Assertion, Expectation, Number};
use crate::script::measure::{Limit, NUMBER as VALUE, Quantity, Relation, UNIT};
use crate::script::relative::{RelativeLimit, Worse};

/// Marks the index of an extracted quoted text.
const QUOTED: char = '\u{1}';

type Build = fn(&Captures<'_>, &[String]) -> Option<Assertion>;

/// A pattern and the assertion it produces.
struct Form {
    pattern: Regex,
    build: Build,
}

/// The maximum number of runs of one command.
const MOST_RUNS: u32 = 1000;

const NUMBER: &str = r"(\d[\d,_]*)";
/// Words between a number and `tests`.
const KIND: &str = r"(?:(?:unit|integration|doc|new|affected|existing|library|e2e|total|the) )*";
const PASS: &str = r"(?:pass(?:es|ed|ing)?|green|succeed(?:s|ed)?|ok)\b";

static FORMS: LazyLock<Vec<Form>> = LazyLock::new(forms);

/// Longer forms precede forms with the same start.
fn forms() -> Vec<Form> {
    let tests = format!(r"(?: {KIND}tests?\b)?(?: (?:are |still )?{PASS})?");
    let all = format!(
        r"(?:all(?: of)?|every) {KIND}(?:(?:tests?|checks?|doctests) )?(?:still )?{PASS}(?: without (?:any )?failures?)?"
    );
    let name = r"[$\p{L}][\w.$\[\]-]*(?: [\w.$\[\]-]+){0,3}";
    let limit = format!(r"({name}) ?(<=|>=|[<>≤≥]) ?({VALUE}) ?({UNIT})?");
    let relative = format!(
        r"(?:({name}) )??(?:within|at most|no more than) ({VALUE}) ?%(?: (of|above|below))(?: the)? baseline\b"
    );
    let table: [(String, Build); 19] = [
        (format!(r"all {NUMBER}{tests}"), |found, _| {
            number(found).map(|count| Assertion::Passed(Number::Exactly(count)))
        }),
        (all, |_, _| Some(Assertion::AllPass)),
        (
            format!(
                r"(?:everything|tests?) (?:still )?{PASS}|pass(?:es|ed)?\b|no (?:test )?failures?\b|success(?:ful|fully)?\b|succeeds\b|ok\b"
            ),
            |_, _| Some(Assertion::AllPass),
        ),
        (format!(r"{NUMBER} ?(?:/|of) ?(\d[\d,_]*){tests}"), |found, _| {
            Some(Assertion::PassedOf(number(found)?, digits(&found[2])?))
        }),
        (format!(r"(?:[~≈] ?|(?:about|around|roughly|approximately) ){NUMBER}{tests}"), |found, _| {
            number(found).map(|count| Assertion::Passed(Number::About(count)))
        }),
        (format!(r"(?:at least |≥ ?|>= ?){NUMBER}{tests}"), |found, _| {
            number(found).map(|count| Assertion::Passed(Number::AtLeast(count)))
        }),
        (format!(r"{NUMBER}\+{tests}"), |found, _| {
            number(found).map(|count| Assertion::Passed(Number::AtLeast(count)))
        }),
        (format!(r"(?:{NUMBER}|none|zero)(?: tests?)? fail(?:ed|ures?|ing|s)?\b"), |found, _| {
            Some(Assertion::Failed(number(found).unwrap_or(0)))
        }),
        (format!(r"(?:{NUMBER}|no|none|zero)(?: tests?)?(?: are)? (?:ignored|skipped)\b"), |found, _| {
            Some(Assertion::Ignored(number(found).unwrap_or(0)))
        }),
        (
            r"(?:no|empty|zero) output\b|(?:prints )?nothing(?: is)?(?: printed| found)?\b|(?:no|zero|0) (?:match(?:es)?|results?|hits?)(?: found)?\b"
                .to_owned(),
            |_, _| Some(Assertion::NoOutput),
        ),
        (format!(r"{NUMBER} (?:{KIND}tests?(?: (?:are |still )?(?:{PASS}|ran\b|run\b))?|{PASS})"), |found, _| {
            number(found).map(|count| Assertion::Passed(Number::Exactly(count)))
        }),
        (
            format!(r"(?:for |in each of |in )?{NUMBER} (?:times|runs)(?: in a row| each)?\b"),
            |found, _| {
                let times = u32::try_from(number(found)?).ok()?;
                (1..=MOST_RUNS).contains(&times).then_some(Assertion::Times(times))
            },
        ),
        (
            r"(?:exit(?:s|ed)?|return(?:s|ed)?)(?: with)?(?: an?)?(?: (?:code|status))?:? ?(?:of )?(\d{1,3})\b".to_owned(),
            |found, _| found[1].parse().ok().map(Assertion::Exit),
        ),
        (
            r"(?:exits?|returns?)(?: with)?(?: an?)? non-?zero(?: exit)?(?: code| status)?\b|(?:an? )?non-?zero exit(?: code| status)?\b"
                .to_owned(),
            |_, _| Some(Assertion::NonZero),
        ),
        (
            r"(?:(?:takes|finishes|completes|runs|takes up|in|within) )?(?:< ?|<= ?|≤ ?|(?:under|below|less than|within|at most|no more than) )(\d+(?:\.\d+)?) ?(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b"
                .to_owned(),
            |found, _| duration(&found[1], &found[2]).map(Assertion::Under),
        ),
        (
            r"(?:(?:at least |≥ ?|>= ?)?(\d{1,3}) ?%|all)(?: of)?(?: (?:the|all))? mutants(?: are)? killed\b"
                .to_owned(),
            |found, _| percentage(found).map(Assertion::Killed),
        ),
        (relative, |found, _| relative_limit(found)),
        (limit, |found, _| limit_of(found)),
        (
            format!(
                r"(?:(?:the )?output )?(?:(?:prints?|printed|contains?|containing|includes?|including|shows?|showing|outputs?|says?|displays?|holds?)(?: the (?:line|text))?:? )?{QUOTED}(\d+){QUOTED}(?: (?:in (?:the )?output|(?:is )?printed|appears))?"
            ),
            |found, quoted| {
                let text = quoted.get(found[1].parse::<usize>().ok()?)?;
                Some(Assertion::Contains(text.clone()))
            },
        ),
    ];
    let form = |(pattern, build): (String, Build)| {
        let pattern = Regex::new(&format!("(?i)^(?:{pattern})")).ok()?;
        Some(Form { pattern, build })
    };
    table.into_iter().filter_map(form).collect()
}

/// `p99 < 1 ms`
fn limit_of(found: &Captures<'_>) -> Option<Assertion> {
    const OTHER: [&str; 6] = ["and", "but", "in", "pass", "passed", "with"];
    let name = &found[1];
    if name
        .split(' ')
        .any(|word| OTHER.contains(&word.to_lowercase().as_str()))
    {
        return None;
    }
    let unit = found.get(4).map(|unit| unit.as_str());
    Some(Assertion::Measured(Box::new(Limit {
        name: name.to_owned(),
        relation: Relation::read(&found[2]),
        quantity: Quantity::read(&found[3], unit)?,
        unit: unit.map(str::to_owned),
    })))
}

/// `p99 within 5 % of baseline`
fn relative_limit(found: &Captures<'_>) -> Option<Assertion> {
    let worse = match &found[3] {
        "above" => Some(Worse::Larger),
        "below" => Some(Worse::Smaller),
        _ => None,
    };
    let is_within = found[0].contains("within");
    // `at most 5 % of baseline` is a twentieth of it.
    (is_within == worse.is_none()).then_some(())?;
    Some(Assertion::Relative(Box::new(RelativeLimit {
        name: found.get(1).map(|name| name.as_str().to_owned()),
        percent: Quantity::read(&found[2], None)?.value,
        worse,
    })))
}

impl Expectation {
    /// Parses the text after `# Expected:`, including continuation lines. Text that is not understood is manual.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let is_pattern = |line: &&&str| line.starts_with("glob:") || line.starts_with("regex:");
        if !lines.iter().any(|line| is_pattern(&line))
            && let Some(assertions) = assertions(&lines.join(" "))
        {
            return Self::Understood(assertions);
        }
        // A list of expectations, one per line.
        let mut all = Vec::new();
        for line in &lines {
            if let Some(read) = pattern(line) {
                match read {
                    Ok(assertion) => all.push(assertion),
                    Err(why) => return Self::Unreadable(why),
                }
            } else if let Some(assertions) = assertions(line.trim_start_matches(['-', '*', ' '])) {
                all.extend(assertions);
            } else {
                return Self::Manual;
            }
        }
        if all.is_empty() {
            Self::Manual
        } else {
            Self::Understood(all)
        }
    }
}

/// `glob: PATTERN` or `regex: PATTERN`.
fn pattern(line: &str) -> Option<Result<Assertion, String>> {
    if let Some(pattern) = line.strip_prefix("glob:") {
        let glob = GlobBuilder::new(pattern.trim()).build();
        return Some(
            glob.map(|glob| Assertion::Glob(Box::new(glob.compile_matcher())))
                .map_err(|error| format!("the glob is invalid: {error}")),
        );
    }
    let pattern = line.strip_prefix("regex:")?.trim();
    // A pattern that matches everything proves nothing.
    if pattern.is_empty() {
        return Some(Err("the regex is empty".to_owned()));
    }
    let regex = Regex::new(&format!("(?m:{pattern})"));
    Some(regex.map(Assertion::Regex).map_err(|error| {
        let error = error.to_string();
        let last = error.lines().last().unwrap_or_default();
        let last = last.trim_start_matches("error: ");
        format!("the regex `{pattern}` is invalid: {last}")
    }))
}

/// The assertions of a text; `None` unless the whole text is understood.
fn assertions(text: &str) -> Option<Vec<Assertion>> {
    static BETWEEN: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i)^(?:[\s,;.&+()✅✓—–-]|(?:and|with|in|but)\b)+").ok());
    let (text, quoted) = take_quotes(text.trim());
    let mut rest = text.as_str();
    let mut assertions = Vec::new();
    loop {
        if let Some(between) = BETWEEN.as_ref()?.find(rest) {
            rest = &rest[between.end()..];
        }
        if rest.is_empty() {
            break;
        }
        let found = FORMS.iter().filter_map(|form| {
            let found = form.pattern.captures(rest)?;
            Some((found[0].len(), (form.build)(&found, &quoted)?))
        });
        let (length, assertion) = found.max_by_key(|(length, _)| *length)?;
        assertions.push(assertion);
        rest = &rest[length..];
        // `12 passedly`, `3 tests/s`: the form ends within a word.
        if rest.starts_with(|next: char| next.is_alphanumeric() || next == '/') {
            return None;
        }
    }
    (!assertions.is_empty()).then_some(assertions)
}

/// Extracts text in quotation marks or backticks: it is text to search for, never an expectation.
fn take_quotes(text: &str) -> (String, Vec<String>) {
    let (mut plain, mut quoted) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some(at) = rest.find(['"', '`', '“', '\'']) {
        let mark = rest[at..].chars().next().unwrap_or('"');
        let close = if mark == '“' { '”' } else { mark };
        let inner = &rest[at + mark.len_utf8()..];
        // An apostrophe is not a quotation mark.
        let glued = mark == '\'' && rest[..at].ends_with(char::is_alphanumeric);
        let Some(end) = inner.find(close).filter(|end| *end > 0 && !glued) else {
            plain.push_str(&rest[..at + mark.len_utf8()]);
            rest = inner;
            continue;
        };
        plain.push_str(&rest[..at]);
        plain.push(QUOTED);
        plain.push_str(&quoted.len().to_string());
        plain.push(QUOTED);
        quoted.push(inner[..end].to_owned());
        rest = &inner[end + close.len_utf8()..];
    }
    plain.push_str(rest);
    (plain, quoted)
}

/// A percentage up to 100; `all` is 100.
fn percentage(found: &Captures<'_>) -> Option<u64> {
    let number = found.get(1);
    let number = number.map_or(Some(100), |number| digits(number.as_str()))?;
    (number <= 100).then_some(number)
}

fn number(found: &Captures<'_>) -> Option<u64> {
    digits(found.get(1)?.as_str())
}

/// `1,204` and `1_204` are numbers.
fn digits(text: &str) -> Option<u64> {
    text.replace([',', '_'], "").parse().ok()
}

fn duration(number: &str, unit: &str) -> Option<Duration> {
    let seconds = match unit.to_ascii_lowercase().as_str() {
        unit if unit == "ms" || unit.starts_with("milli") => 0.001,
        unit if unit.starts_with('s') => 1.0,
        unit if unit.starts_with('m') => 60.0,
        _ => 3600.0,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

#[cfg(test)]
mod limits;

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        Expectation::read(text).to_string()
    }

    #[test]
    fn every_form_compiles() {
        assert_eq!(FORMS.len(), 19);
    }

    #[test]
    fn supported_expectations() {
        for (text, meaning) in [
            ("All pass", "all pass"),
            ("all tests pass", "all pass"),
            ("All unit tests passing ✅", "all pass"),
            ("Every test still passes.", "all pass"),
            ("PASS", "all pass"),
            ("No failures", "all pass"),
            ("All 34 unit tests pass", "34 passed"),
            ("293 passed", "293 passed"),
            (
                "293 passed, 2 ignored, 0 failed",
                "293 passed, 2 ignored, 0 failed",
            ),
            ("293 tests", "293 passed"),
            ("1,204 tests passed", "1204 passed"),
            ("34/34 tests passing", "34 of 34 passed"),
            ("61/61", "61 of 61 passed"),
            ("7 of 9 tests pass", "7 of 9 passed"),
            ("~61 tests", "about 61 passed"),
            ("~61", "about 61 passed"),
            ("about 61 tests pass", "about 61 passed"),
            ("824+ tests pass", "at least 824 passed"),
            ("at least 12 tests", "at least 12 passed"),
            (
                "\"Dependencies OK\"",
                "the output contains `Dependencies OK`",
            ),
            (
                "prints `p99`, \"ok\"",
                "the output contains `p99`, the output contains `ok`",
            ),
            (
                "Output contains 'it works'",
                "the output contains `it works`",
            ),
            ("No output", "no output"),
            ("No output (zero matches)", "no output, no output"),
            ("nothing", "no output"),
            ("exit code 0", "exit code 0"),
            ("Exits with status 2", "exit code 2"),
            ("exit 1", "exit code 1"),
            ("non-zero exit code", "an exit code other than 0"),
            ("<1s", "under 1s"),
            ("under 500 ms", "under 500ms"),
            ("All pass in under 2 minutes", "all pass, under 120s"),
            ("All pass, 20 times", "all pass, 20 times"),
            ("2 passed, in 5 runs", "2 passed, 5 times"),
            ("12 passed in <1.5 s", "12 passed, under 1.5s"),
            ("glob: p99 *ms", "a line matches the glob `p99 *ms`"),
            (
                "regex: ^ok$\n\"done\"",
                "regex `^ok$`, the output contains `done`",
            ),
            (
                "\n- \"one\"\n- \"two\"",
                "the output contains `one`, the output contains `two`",
            ),
            ("90 % of mutants killed", "at least 90 % of mutants killed"),
            (
                "at least 90% of the mutants are killed",
                "at least 90 % of mutants killed",
            ),
            (
                "All pass, all mutants killed",
                "all pass, at least 100 % of mutants killed",
            ),
            ("293 passed,\n2 ignored", "293 passed, 2 ignored"),
        ] {
            assert_eq!(told(text), meaning, "{text}");
        }
    }

    #[test]
    fn expectations_for_a_person() {
        for text in [
            "p99 below 1 ms in the table",
            "All pass, and it feels quick",
            "All pass (and the page looks right)",
            "0 tests collected",
            "12",
            "3 tests/s",
            "101 % of mutants killed",
            "12 passengers",
            "it doesn't hang, and isn't slow",
            "Dependencies OK",
            "0 errors",
            "",
            "no outputs but one",
            "\"\"",
        ] {
            assert_eq!(told(text), "to be confirmed by a person", "{text:?}");
        }
    }
}
