//! Plans and results written from templates: the built-in ones, or those of a folder.
//!
//! Two filters keep a user's text from breaking the document: `inline` (one line, no comment opened) and `cell` (that,
//! and `|` escaped, since a table cell ends at one even within backticks: GitHub's tables extension).

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

/// Renders the template `name` (`plan.md`, `plan-full.md`, `plan-tiny.md` or `results.md`) with `context`; a file of that name in
/// `folder` wins over the built-in one.
///
/// # Errors
/// Bad usage: the folder is not there or a template of it is wrong, with its line.
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
                "there is no template folder {folder}"
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
    let (_, text) = built_in.with_context(|| format!("there is no template {name}"))?;
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
    fn a_cell_stays_one_cell() {
        assert_eq!(cell("a | `b|c`\n<!-- d"), "a \\| `b\\|c` &lt;!-- d");
    }
}
