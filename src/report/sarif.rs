//! Findings as SARIF 2.1.0, for code scanning and editors.
//!
//! Format: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0". Paths are relative to the repository's root
//! and percent-encoded, as section 3.4.3 requires for a URI.

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::github::below;
use crate::finding::{Code, Finding, Severity};
use crate::lint::rules;

/// Characters of a path that are percent-encoded: all but the slash and the "unreserved" characters of RFC 3986.
pub(super) const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A SARIF log of one run. `prefix` is the workspace's folder within the repository.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn log<'a>(
    prefix: &Utf8Path,
    findings: impl IntoIterator<Item = &'a Finding>,
) -> Result<String> {
    let codes = rules::all();
    let results: Vec<Value> = findings
        .into_iter()
        .map(|finding| result(prefix, finding, &codes))
        .collect();
    let rules: Vec<Value> = codes.iter().copied().map(rule).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "cargo-poc",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&log).context("failed to write SARIF")?;
    text.push('\n');
    Ok(text)
}

fn rule(code: Code) -> Value {
    let explanation = code.explain();
    json!({
        "id": code.as_str(),
        "name": code.name(),
        "shortDescription": {"text": code.title()},
        "defaultConfiguration": {"level": level(code.severity())},
        "fullDescription": {"text": explanation},
        "help": {"text": explanation, "markdown": explanation},
    })
}

fn result(prefix: &Utf8Path, finding: &Finding, codes: &[Code]) -> Value {
    let uri = utf8_percent_encode(&below(prefix, &finding.path), PATH).to_string();
    let index = codes.iter().position(|code| *code == finding.code);
    // The identity does not depend on line numbers, so that a moved finding is not reported as new.
    let identity = [
        finding.code.as_str(),
        &finding.path,
        &finding.subject,
        &finding.message,
    ];
    let fingerprint = blake3::hash(identity.join("\0").as_bytes()).to_hex();
    json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": {"text": finding.text()},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": finding.line, "startColumn": finding.column},
        }}],
        "partialFingerprints": {"cargoPoc/v1": &fingerprint[..16]},
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
