//! Links from output to files with OSC 8, in terminals that support it.

use anstream::ColorChoice;
use camino::{Utf8Path, Utf8PathBuf};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use supports_hyperlinks::Stream;

use crate::sys::files;

/// Characters that need no escape in the path of a URL.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Creates links, or returns text unchanged.
#[derive(Debug, Clone, Default)]
pub struct Links {
    supported: bool,
    root: Option<Utf8PathBuf>,
}

impl Links {
    /// Links on standard output, if it also uses colors.
    pub(super) fn new(choice: ColorChoice) -> Self {
        Self {
            supported: choice != ColorChoice::Never && supports_hyperlinks::on(Stream::Stdout),
            root: None,
        }
    }

    /// Sets the folder that paths are relative to.
    pub(super) fn relative_to(&mut self, root: &Utf8Path) {
        self.root = Some(root.to_owned());
    }

    /// `text` as a link to this line of a file, relative to the workspace root. The line follows a `#`, as kitty and compatible terminals expect;
    /// others open the file.
    #[must_use]
    pub fn to(&self, text: &str, file: &str, line: usize) -> String {
        let Some(root) = self.root.as_ref().filter(|_| self.supported) else {
            return text.to_owned();
        };
        let path = files::slashed(&root.join(file));
        let slash = if path.starts_with('/') { "" } else { "/" };
        let path = utf8_percent_encode(&path, PATH);
        format!("\x1b]8;;file://{slash}{path}#{line}\x1b\\{text}\x1b]8;;\x1b\\")
    }

    /// `output` with its first `file:line` or `file:line:column` as a link.
    #[must_use]
    pub fn in_output(&self, output: &str, file: &str, line: usize) -> String {
        let place = format!("{file}:{line}");
        let Some(at) = output.find(&place) else {
            return output.to_owned();
        };
        let rest = &output[at + place.len()..];
        let column = rest.find(|letter: char| letter != ':' && !letter.is_ascii_digit());
        let end = at + place.len() + column.unwrap_or(rest.len());
        let linked = self.to(&output[at..end], file, line);
        format!("{}{linked}{}", &output[..at], &output[end..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_with_line_and_escaped_path() {
        let links = Links {
            supported: true,
            root: Some("/a b".into()),
        };
        assert_eq!(
            links.to("x", "docs/é#1.md", 3),
            "\x1b]8;;file:///a%20b/docs/%C3%A9%231.md#3\x1b\\x\x1b]8;;\x1b\\"
        );
        assert_eq!(
            links.in_output(" --> docs/x.md:29:1\n   |", "docs/x.md", 29),
            " --> \x1b]8;;file:///a%20b/docs/x.md#29\x1b\\docs/x.md:29:1\x1b]8;;\x1b\\\n   |"
        );
        assert_eq!(links.in_output("nothing", "docs/x.md", 29), "nothing");
        assert_eq!(Links::default().to("x", "y", 1), "x");
    }
}
