//! `--report FORMAT=FILE`: reports beside the one that is printed.

use camino::Utf8PathBuf;
use clap::ValueEnum;

/// One report and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile<F> {
    /// Its form.
    pub format: F,
    /// The file, which is replaced.
    pub file: Utf8PathBuf,
}

/// Formats that `status --report` writes.
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

/// Formats that `verify --report` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerifyReport {
    /// Version 1 of the documented format.
    Json,
    /// JUnit XML: the commands and every test that they ran.
    Junit,
    /// SARIF 2.1.0: failures, regressions, and runs that need confirmation.
    Sarif,
    /// The same as annotations for GitHub Actions, and a summary in `$GITHUB_STEP_SUMMARY`.
    Github,
    /// Tables in Markdown: commands, regressions and other findings.
    Markdown,
    /// What one shard ran, for `verify --merge`.
    Shard,
}

/// Reads `junit=target/poc.xml`.
///
/// # Errors
/// What is wrong with it, for clap to show.
pub fn parse<F: ValueEnum>(text: &str) -> Result<ReportFile<F>, String> {
    let names: Vec<String> = F::value_variants()
        .iter()
        .filter_map(ValueEnum::to_possible_value)
        .map(|value| value.get_name().to_owned())
        .collect();
    let formats = names.join(", ");
    let Some((format, file)) = text.split_once('=') else {
        return Err(format!("write FORMAT=FILE; the formats are {formats}"));
    };
    if file.is_empty() {
        return Err(format!("no file is named; write {format}=FILE"));
    }
    let format = F::from_str(format, false)
        .map_err(|_| format!("no format `{format}`; the formats are {formats}"))?;
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
        let read = parse::<StatusReport>("sarif=a=b.sarif").expect("it is one");
        assert_eq!(read.format, StatusReport::Sarif);
        assert_eq!(read.file, "a=b.sarif");
        for wrong in ["sarif", "sarif=", "yaml=x"] {
            parse::<StatusReport>(wrong).expect_err(wrong);
        }
    }
}
