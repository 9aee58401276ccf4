//! `--report FORMAT=FILE`: reports in addition to the printed one.

use camino::Utf8PathBuf;
use clap::ValueEnum;

/// A report and its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile<F> {
    /// Its format.
    pub format: F,
    /// The file to replace.
    pub file: Utf8PathBuf,
}

/// Formats of `status --report`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusReport {
    /// Version 1 of the documented format.
    Json,
    /// JUnit XML: steps and findings.
    Junit,
    /// SARIF 2.1.0: findings.
    Sarif,
    /// Tables in Markdown.
    Markdown,
}

/// Formats of `verify --report`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerifyReport {
    /// Version 1 of the documented format.
    Json,
    /// JUnit XML: the commands and their tests.
    Junit,
    /// SARIF 2.1.0: failures, regressions, and runs that need confirmation.
    Sarif,
    /// Annotations for GitHub Actions, and a summary in `$GITHUB_STEP_SUMMARY`.
    Github,
    /// Tables in Markdown: commands, regressions and other findings.
    Markdown,
    /// The results of one shard, for `verify --merge`.
    Shard,
}

/// Parses an argument such as `junit=target/poc.xml`.
///
/// # Errors
/// A message for clap to show.
pub fn parse<F: ValueEnum>(text: &str) -> Result<ReportFile<F>, String> {
    let names: Vec<String> = F::value_variants()
        .iter()
        .filter_map(ValueEnum::to_possible_value)
        .map(|value| value.get_name().to_owned())
        .collect();
    let formats = names.join(", ");
    let Some((format, file)) = text.split_once('=') else {
        return Err(format!(
            "expected FORMAT=FILE with one of the formats {formats}"
        ));
    };
    if file.is_empty() {
        return Err(format!("the file is missing; write {format}=FILE"));
    }
    let format = F::from_str(format, false)
        .map_err(|_| format!("unknown format `{format}`; the formats are {formats}"))?;
    Ok(ReportFile {
        format,
        file: file.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_have_an_equals_sign_and_must_have_a_name() {
        let read = parse::<StatusReport>("sarif=a=b.sarif").expect("a valid argument");
        assert_eq!(read.format, StatusReport::Sarif);
        assert_eq!(read.file, "a=b.sarif");
        for wrong in ["sarif", "sarif=", "yaml=x"] {
            parse::<StatusReport>(wrong).expect_err(wrong);
        }
    }
}
