//! The comments of a shell block: expectations, numbers of commands, and commands that are commented out.

use std::sync::LazyLock;

use regex::Regex;

/// The text after `# Expected:`, `# Expected output:` and similar.
pub(super) fn expectation(comment: &str) -> Option<&str> {
    static LEAD: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?i)^#+[ \t]*(?:→|=>|->)?[ \t]*expect(?:ed|s)?(?: (?:output|results?))?[ \t]*:",
        )
        .ok()
    });
    let lead = LEAD.as_ref()?.find(comment)?;
    Some(comment[lead.end()..].trim())
}

/// A comment that continues the expectation above it.
pub(super) fn continuation(line: &str) -> Option<&str> {
    let text = line.trim().strip_prefix('#')?;
    let own = expectation(line.trim()).is_some() || is_numbered(line) || is_commented_out(line);
    let text = text.trim();
    (!own && !text.is_empty()).then_some(text)
}

/// `# 2. Full suite`
pub(super) fn is_numbered(line: &str) -> bool {
    let text = line.trim().trim_start_matches(['#', ' ', '\t']);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    digits > 0 && text[digits..].starts_with(['.', ')', ':'])
}

/// `# cargo test --workspace`: an optional command.
pub(super) fn is_commented_out(line: &str) -> bool {
    const PROGRAMS: [&str; 22] = [
        "cargo",
        "git",
        "bash",
        "sh",
        "cd",
        "export",
        "curl",
        "grep",
        "rg",
        "docker",
        "npm",
        "npx",
        "python",
        "python3",
        "pytest",
        "rustc",
        "rustup",
        "sed",
        "awk",
        "jq",
        "timeout",
        "RUSTFLAGS",
    ];
    let Some(text) = line.trim().strip_prefix('#') else {
        return false;
    };
    let text = text.trim_start_matches(['#', ' ', '\t', '$']);
    let word = text.split([' ', '\t']).next().unwrap_or_default();
    let word = word.split('=').next().unwrap_or_default();
    PROGRAMS.contains(&word) || word.starts_with("./") || word.starts_with("target/")
}
