//! The files that rustc writes beside what it builds, with the sources that it read.

use camino::{Utf8Path, Utf8PathBuf};

use crate::sys::files;

/// The sources that the first rule of a dep-info file names, the root file first, absolute. Relative ones are from `root`, in
/// which cargo calls rustc. A blank in a path is escaped.
pub(crate) fn sources(root: &Utf8Path, text: &str) -> Vec<Utf8PathBuf> {
    let first = text.lines().next().unwrap_or_default();
    let Some((_, list)) = first.split_once(": ") else {
        return Vec::new();
    };
    let list = list.replace("\\ ", "\0");
    let paths = list.split(' ').filter(|path| !path.is_empty());
    paths
        .map(|path| files::normalize(&root.join(path.replace('\0', " "))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_from_the_first_rule() {
        let text = "/t/debug/deps/a-1.d: src/lib.rs src/../data/a\\ b.txt /else/where.rs\n\n/t/debug/deps/a-1: src/lib.rs\n\nsrc/lib.rs:\n";
        assert_eq!(
            sources(Utf8Path::new("/w"), text),
            ["/w/src/lib.rs", "/w/data/a b.txt", "/else/where.rs"]
        );
    }
}
