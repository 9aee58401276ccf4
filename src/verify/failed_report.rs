//! The failed tests in a report of another run: JUnit XML, or the output of `verify --format json`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, anyhow, bail};

use super::binaries::Binaries;
use crate::affected::failed::TestNames;
use crate::affected::{TestSelector, tests_of_build};
use crate::workspace::Workspace;

/// The class of entries that `verify --report junit=FILE` writes for commands.
const OF_COMMANDS: &str = "cargo-poc";

/// A failed test, as a report names it.
#[derive(Debug, PartialEq, Eq)]
struct FailedCase {
    /// The possible ids of its binary.
    binaries: Vec<String>,
    name: String,
}

/// The failed tests of a report by binary id. A report may name binaries in another way; then every binary with such a test counts.
///
/// # Errors
/// When the text is no report, or no test of this build has the name.
pub fn failed_tests(workspace: &Workspace, text: &str) -> Result<TestNames> {
    let cases = if text.trim_start().starts_with('{') {
        of_json(text)?
    } else {
        of_junit(text)?
    };
    let binaries = Binaries::of(workspace);
    let known = tests_of_build(workspace);
    let mut failed = TestNames::new();
    let mut unknown = Vec::new();
    for FailedCase {
        binaries: ids,
        name,
    } in cases
    {
        if let Some(id) = ids.iter().find(|id| binaries.has(id)) {
            failed.entry(id.clone()).or_default().insert(name);
            continue;
        }
        // The reporter of libtest writes modules as the class.
        let paths = ids.iter().map(|id| format!("{id}::{name}"));
        let found = named(
            &known,
            &std::iter::once(name.clone()).chain(paths).collect(),
        );
        if found.is_empty() {
            unknown.push(name);
        }
        for (id, names) in found {
            failed.entry(id).or_default().extend(names);
        }
    }
    if !unknown.is_empty() {
        bail!(
            "no test of this build has the name of a failed test in the report: {}; select the build of the report, for example with `--all-features`",
            unknown.join(", ")
        );
    }
    Ok(failed)
}

/// The binaries with a test of one of these names.
fn named(known: &BTreeMap<String, BTreeSet<TestSelector>>, names: &BTreeSet<String>) -> TestNames {
    let mut found = TestNames::new();
    for (id, selectors) in known {
        let has = |name: &&String| selectors.contains(&TestSelector::Exact((*name).clone()));
        let own: BTreeSet<String> = names.iter().filter(has).cloned().collect();
        if !own.is_empty() {
            found.insert(id.clone(), own);
        }
    }
    found
}

fn of_json(text: &str) -> Result<Vec<FailedCase>> {
    let report: serde_json::Value = serde_json::from_str(text).context("the report is no JSON")?;
    let failing = report.get("failing").and_then(serde_json::Value::as_array);
    let failing = failing.context("the report has no `failing`, as `verify --format json` has")?;
    let cases = failing.iter().map(|test| {
        let text = |key: &str| Some(test.get(key)?.as_str()?.to_owned());
        let case = text("binary").zip(text("test"));
        let (binary, name) = case.context("a test in `failing` has no `binary` and `test`")?;
        Ok(FailedCase {
            binaries: vec![binary],
            name,
        })
    });
    cases.collect()
}

fn of_junit(text: &str) -> Result<Vec<FailedCase>> {
    let mut cases = Vec::new();
    let mut suite = String::new();
    let mut current: Option<(FailedCase, bool)> = None;
    let mut is_report = false;
    for tag in tags(text)? {
        let attribute = |name: &str| tag.attributes.get(name).cloned().unwrap_or_default();
        match (tag.name, tag.closes) {
            ("testsuite" | "testsuites", false) => {
                is_report = true;
                suite = attribute("name");
            }
            ("testcase", false) => {
                let binaries = vec![attribute("classname"), suite.clone()];
                current = Some((
                    FailedCase {
                        binaries,
                        name: attribute("name"),
                    },
                    false,
                ));
            }
            // nextest writes failed attempts of a test that passed as `flakyFailure`.
            ("failure" | "error", false) => {
                if let Some((_, failed)) = &mut current {
                    *failed = true;
                }
            }
            ("testcase", true) => {
                let ended = current.take();
                let failed = ended.filter(|(case, failed)| {
                    *failed
                        && case
                            .binaries
                            .first()
                            .is_none_or(|class| class != OF_COMMANDS)
                });
                cases.extend(failed.map(|(case, _)| case));
            }
            _ => {}
        }
    }
    if !is_report {
        bail!("the report is neither JUnit XML nor the output of `verify --format json`");
    }
    Ok(cases)
}

/// A tag of XML.
struct Tag<'t> {
    name: &'t str,
    attributes: BTreeMap<&'t str, String>,
    closes: bool,
}

/// The tags of an XML document in order; a tag `<a/>` opens and closes.
fn tags(text: &str) -> Result<Vec<Tag<'_>>> {
    let mut tags = Vec::new();
    let mut rest = text;
    let unclosed =
        |what: &str| anyhow!("the report is no complete XML document: `{what}` has no end");
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let skipped = [("!--", "-->"), ("![CDATA[", "]]>"), ("?", "?>"), ("!", ">")];
        if let Some((begin, end)) = skipped.iter().find(|(begin, _)| rest.starts_with(begin)) {
            let at = rest.find(end).ok_or_else(|| unclosed(begin))?;
            rest = &rest[at + end.len()..];
            continue;
        }
        let length = length(rest).ok_or_else(|| unclosed("<"))?;
        let (inside, after) = rest.split_at(length);
        rest = &after[1..];
        if let Some(name) = inside.strip_prefix('/') {
            tags.push(Tag {
                name: name.trim(),
                attributes: BTreeMap::new(),
                closes: true,
            });
            continue;
        }
        let (inside, is_empty) = match inside.strip_suffix('/') {
            Some(inside) => (inside, true),
            None => (inside, false),
        };
        let end = inside.find(char::is_whitespace).unwrap_or(inside.len());
        let name = &inside[..end];
        let attributes = attributes(&inside[end..]);
        tags.push(Tag {
            name,
            attributes,
            closes: false,
        });
        if is_empty {
            tags.push(Tag {
                name,
                attributes: BTreeMap::new(),
                closes: true,
            });
        }
    }
    Ok(tags)
}

/// The length of a tag up to its `>`, which attributes may contain.
fn length(text: &str) -> Option<usize> {
    let mut quote = None;
    text.char_indices().find_map(|(at, letter)| {
        match (quote, letter) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            _ => {}
        }
        None
    })
}

fn attributes(mut text: &str) -> BTreeMap<&str, String> {
    let mut attributes = BTreeMap::new();
    while let Some((name, rest)) = text.split_once('=') {
        let rest = rest.trim_start();
        let Some(quote) = rest
            .chars()
            .next()
            .filter(|quote| matches!(quote, '"' | '\''))
        else {
            break;
        };
        let Some((value, rest)) = rest[1..].split_once(quote) else {
            break;
        };
        attributes.insert(name.trim(), unescaped(value));
        text = rest;
    }
    attributes
}

fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let reference = after.split_once(';').and_then(|(name, after)| {
            let number = |text: &str, base| char::from_u32(u32::from_str_radix(text, base).ok()?);
            let letter = match name {
                "lt" => '<',
                "gt" => '>',
                "amp" => '&',
                "quot" => '"',
                "apos" => '\'',
                _ => match name.strip_prefix("#x") {
                    Some(digits) => number(digits, 16)?,
                    None => number(name.strip_prefix('#')?, 10)?,
                },
            };
            Some((letter, after))
        });
        let (letter, after) = reference.unwrap_or(('&', after));
        plain.push(letter);
        rest = after;
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_cases_of_junit_are_read() {
        let report = r#"<?xml version="1.0"?>
            <!-- <testcase name="no"><failure/></testcase> -->
            <testsuites name="nextest-run">
              <testsuite name="store" failures="2">
                <testcase name="a::one" classname="store"><failure message="a &gt; b">x &lt;b&gt;</failure></testcase>
                <testcase name="two" classname="store"><flakyFailure/></testcase>
                <testcase name='three &#34;q&#34;' classname="store"><error><![CDATA[</testcase>]]></error></testcase>
                <testcase name="four" classname="store"/>
              </testsuite>
              <testsuite name="cargo poc verify: full"><testcase name="cargo test" classname="cargo-poc"><failure/></testcase></testsuite>
            </testsuites>"#;
        let cases = of_junit(report).expect("a report");
        let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, ["a::one", "three \"q\""]);
        assert_eq!(cases[0].binaries, ["store", "store"]);
    }

    #[test]
    fn other_text_is_no_report() {
        for text in [
            "",
            "<html></html>",
            "<testsuite name='a",
            "<testsuite><!-- ",
        ] {
            assert!(of_junit(text).is_err(), "{text}");
        }
        assert!(of_json("{}").is_err());
        assert!(of_json("{").is_err());
        assert!(of_json(r#"{"failing":[]}"#).expect("a report").is_empty());
    }
}
