//! A JUnit XML writer without dependencies: four elements, and text without characters that XML 1.0 forbids.

use std::fmt::{self, Write as _};
use std::time::Duration;

/// A report of suites.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) suites: Vec<Suite>,
    pub(super) time: Option<Duration>,
}

/// A suite of cases.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) cases: Vec<Case>,
}

/// A test, or another entry that a report shows as one.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) classname: String,
    pub(super) result: CaseResult,
    pub(super) time: Option<Duration>,
    pub(super) output: String,
}

/// The kind of a case's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Passed,
    Skipped,
    Failed,
}

/// The result of a case, with the type and message that readers show; empty ones are omitted.
#[derive(Debug)]
pub(super) struct CaseResult {
    pub(super) kind: Kind,
    pub(super) type_: String,
    pub(super) message: String,
}

impl From<Kind> for CaseResult {
    fn from(kind: Kind) -> Self {
        Self {
            kind,
            type_: String::new(),
            message: String::new(),
        }
    }
}

impl Suite {
    fn count(&self, kind: Kind) -> usize {
        let cases = self.cases.iter();
        cases.filter(|case| case.result.kind == kind).count()
    }
}

impl Report {
    pub(super) fn write(&self) -> String {
        let suites = || self.suites.iter();
        let tests: usize = suites().map(|suite| suite.cases.len()).sum();
        let failures: usize = suites().map(|suite| suite.count(Kind::Failed)).sum();
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        put(
            &mut xml,
            format_args!(
                "<testsuites name=\"cargo-poc\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\""
            ),
        );
        xml += &time(self.time);
        xml += ">\n";
        for suite in suites() {
            put(
                &mut xml,
                format_args!(
                    "    <testsuite name=\"{}\" tests=\"{}\" disabled=\"{}\" errors=\"0\" failures=\"{}\">\n",
                    escaped(&suite.name, Place::Attribute),
                    suite.cases.len(),
                    suite.count(Kind::Skipped),
                    suite.count(Kind::Failed)
                ),
            );
            for case in &suite.cases {
                case.write(&mut xml);
            }
            xml += "    </testsuite>\n";
        }
        xml + "</testsuites>\n"
    }
}

impl Case {
    fn write(&self, xml: &mut String) {
        let attributes = [("name", &self.name), ("classname", &self.classname)];
        *xml += "        <testcase";
        write_attributes(xml, &attributes);
        *xml += &time(self.time);
        *xml += ">\n";
        let element = match self.result.kind {
            Kind::Passed => None,
            Kind::Skipped => Some("skipped"),
            Kind::Failed => Some("failure"),
        };
        if let Some(element) = element {
            put(xml, format_args!("            <{element}"));
            let result = &self.result;
            write_attributes(
                xml,
                &[("type", &result.type_), ("message", &result.message)],
            );
            *xml += "/>\n";
        }
        if !self.output.is_empty() {
            put(
                xml,
                format_args!(
                    "            <system-out>{}</system-out>\n",
                    escaped(&self.output, Place::Element)
                ),
            );
        }
        *xml += "        </testcase>\n";
    }
}

/// Appends to a string, which cannot fail.
fn put(xml: &mut String, text: fmt::Arguments<'_>) {
    let _ = xml.write_fmt(text);
}

fn write_attributes(xml: &mut String, attributes: &[(&str, &String)]) {
    for (name, value) in attributes {
        if !value.is_empty() {
            put(
                xml,
                format_args!(" {name}=\"{}\"", escaped(value, Place::Attribute)),
            );
        }
    }
}

fn time(time: Option<Duration>) -> String {
    time.map_or_else(String::new, |time| {
        format!(" time=\"{:.3}\"", time.as_secs_f64())
    })
}

/// The position of text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Element,
    /// In double quotes. Parsers convert line breaks to blanks there, so they are written as references.
    Attribute,
}

/// Removes escape sequences of terminals and characters that XML 1.0 forbids even as references (section 2.2), and escapes
/// the rest.
fn escaped(text: &str, place: Place) -> String {
    let plain = anstream::adapter::strip_str(text).to_string();
    let mut escaped = String::with_capacity(plain.len());
    for letter in plain.chars() {
        match letter {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\n' if place == Place::Attribute => escaped += "&#10;",
            '\n' | '\t' => escaped.push(letter),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_characters_are_removed() {
        let text = "a<b>&\"c\"\u{1b}[31mred\u{1b}[0m\u{0}\u{fffe}\r\n";
        let plain = "a&lt;b&gt;&amp;&quot;c&quot;red";
        assert_eq!(escaped(text, Place::Element), format!("{plain}\n"));
        assert_eq!(escaped(text, Place::Attribute), format!("{plain}&#10;"));
    }
}
