//! Renders plans and results from the built-in templates, or those of a folder.
//!
//! Two filters keep user text from breaking the document: `inline` (one line that opens no comment), and `cell`, which also escapes
//! `|`, because it ends a table cell even within backticks (GitHub's tables extension).

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, value};
use serde::Serialize;

use crate::exit::{Exit, OrExit as _};
use crate::sys::files;

const BUILT_IN: [(&str, &str); 4] = [
    ("plan.md", include_str!("../../template/plan.md")),
    ("plan-full.md", include_str!("../../template/plan-full.md")),
    ("plan-tiny.md", include_str!("../../template/plan-tiny.md")),
    ("results.md", include_str!("../../template/results.md")),
];

/// Renders the template `name` (`plan.md`, `plan-full.md`, `plan-tiny.md` or `results.md`) with `context`. A file of that name in
/// `folder` takes precedence over the built-in one.
///
/// # Errors
/// A usage error if the folder does not exist or a template is invalid, with its line.
pub fn render(name: &str, folder: Option<&Utf8Path>, context: &impl Serialize) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let mut syntax = SyntaxConfig::builder();
    environment.set_syntax(syntax.keep_trailing_newline(true).build()?);
    environment.add_filter("inline", inline);
    environment.add_filter("cell", cell);
    let (source, origin) = source(name, folder)?;
    environment
        .add_template_owned(name.to_owned(), source)
        .and_then(|()| {
            environment
                .get_template(name)?
                .render(value::Serde(context))
        })
        .with_context(|| format!("failed to render the template {origin}"))
        .or_exit(Exit::Usage)
}

fn source(name: &str, folder: Option<&Utf8Path>) -> Result<(String, String)> {
    if let Some(folder) = folder {
        if !folder.is_dir() {
            return Err(crate::exit::usage(format!(
                "the template folder {folder} does not exist"
            )));
        }
        let path = folder.join(name);
        if let Some(bytes) = files::read_if_exists(&path)? {
            let text = String::from_utf8(bytes)
                .with_context(|| format!("{path} is not UTF-8"))
                .or_exit(Exit::Usage)?;
            return Ok((text, path.to_string()));
        }
    }
    let built_in = BUILT_IN.iter().find(|(built_in, _)| *built_in == name);
    let (_, text) = built_in.with_context(|| format!("the template {name} does not exist"))?;
    Ok(((*text).to_owned(), name.to_owned()))
}

/// One line that opens no HTML comment.
fn inline(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace("<!--", "&lt;!--")
}

/// One table cell.
fn cell(text: &str) -> String {
    inline(text).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cell_text_stays_in_one_cell() {
        assert_eq!(cell("a | `b|c`\n<!-- d"), "a \\| `b\\|c` &lt;!-- d");
    }
}
