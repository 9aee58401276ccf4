//! Maps a position in a source file to the item that contains it.

use camino::Utf8Path;
use rustc_hash::FxHashSet;

use super::run::CONTINUOUS;
use crate::affected::items::SCRIPT;
use crate::affected::items::extract::{self, Digest, FileItems, Item, flag};
use crate::affected::items::heads::numbered;
use crate::workspace::source::syntax::Syntax;

/// Names that start programs without their environment, or can do so by a setting in a file (trycmd's `inherit = false`).
const CLEARS: [&str; 2] = ["env_clear", "trycmd"];
/// Names of random number sources in tests.
const DRAWS: [&str; 9] = [
    "arbtest",
    "bolero",
    "fastrand",
    "getrandom",
    "oorandom",
    "proptest",
    "quickcheck",
    "rand",
    "thread_rng",
];

/// An item that contains a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its index in the file.
    pub index: usize,
    /// The key of the item in the file.
    pub key: Digest,
    /// The digest of its tokens.
    pub hash: Digest,
    /// Why a test that executes it has no coverage.
    pub doubt: Option<&'static str>,
}

/// The items of one file with their bytes.
#[derive(Debug)]
pub struct Places {
    lines: Vec<usize>,
    /// First byte, the byte after the last, and the item's index; an item precedes its children.
    spans: Vec<(usize, usize, usize)>,
    items: FileItems,
}

impl Places {
    /// Parses a Rust file; `None` if it cannot be parsed.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let syntax = Syntax::read(text).ok()?;
        let items = extract::read(text);
        let mut spans = Vec::new();
        for (raw, index) in numbered(&syntax, &items)? {
            let raw = &syntax.items[raw];
            let first = raw.attributes.start.min(raw.tokens.start);
            let start = syntax.token(first)?.start as usize;
            let end = syntax.token(raw.tokens.end.checked_sub(1)?)?.end as usize;
            spans.push((start, end, index));
        }
        let lines = std::iter::once(0)
            .chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1))
            .collect();
        Some(Self {
            lines,
            spans,
            items,
        })
    }

    /// The innermost item at a line and a column, both from 1.
    #[must_use]
    pub fn item(&self, line: u32, column: u32) -> Option<Found> {
        let line = self.lines.get((line as usize).checked_sub(1)?)?;
        let at = line + (column as usize).saturating_sub(1);
        let holds = |span: &&(usize, usize, usize)| span.0 <= at && at < span.1;
        let (_, _, index) = self.spans.iter().filter(holds).max_by_key(|span| span.0)?;
        let item = &self.items.items[*index];
        Some(Found {
            index: *index,
            key: item.key,
            hash: item.hash,
            doubt: self.doubt(item),
        })
    }

    /// Why coverage of a single run is not reliable for a test that executes the item.
    fn doubt(&self, item: &Item) -> Option<&'static str> {
        let names = &item.references;
        let single = [
            names.methods(),
            names.members(),
            names.trait_members(),
            names.macros(),
            names.unresolved(),
        ];
        let paths = names.paths().flat_map(|path| path.iter());
        let symbols: FxHashSet<&str> = single
            .into_iter()
            .flatten()
            .chain(paths)
            .map(|name| self.items.symbols.get(*name))
            .collect();
        let any = |of: &[&str]| of.iter().any(|name| symbols.contains(name));
        if any(&CLEARS) {
            return Some("it may start a program without its environment");
        }
        if any(&DRAWS) {
            return Some("it may use random values, and execute other functions in the next run");
        }
        if any(&["size_of_val"]) {
            // The size of a future depends on a body that need not be executed.
            return Some("it measures the size of a value");
        }
        if item.flags & (flag::RUNS_CARGO | flag::RUNS_RUSTC) != 0 {
            return Some("it may run cargo or rustc, which read the sources");
        }
        if item.flags & flag::SPAWNS != 0 && names.reads.iter().any(|path| path == SCRIPT) {
            return Some("it may run a script, which may run cargo");
        }
        (!CONTINUOUS && item.flags & flag::SPAWNS != 0)
            .then_some("it may start a program that is killed before it writes its profile")
    }
}

/// Parses the file at `path`; `None` if it cannot be read or parsed.
#[must_use]
pub fn read(path: &Utf8Path) -> Option<Places> {
    let bytes = crate::sys::files::read(path).ok()?;
    Places::of(std::str::from_utf8(&bytes).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_belongs_to_the_innermost_item() {
        let text = "use a::{b, c};\nuse d;\n\nmod m {\n    impl S {\n        fn f() {\n            fn g() {}\n            || 1\n        }\n    }\n}\nq! { fn h() {} }\n";
        let places = Places::of(text).unwrap();
        let name = |line, column| {
            let item = &places.items.items[places.item(line, column)?.index];
            Some(places.items.symbols.get(item.name?).to_owned())
        };
        assert_eq!(name(7, 16).as_deref(), Some("g"));
        assert_eq!(name(8, 13).as_deref(), Some("f"));
        assert_eq!(name(12, 6).as_deref(), Some("h"));
        assert_eq!(name(3, 1), None);
        assert_eq!(name(40, 1), None);
    }
}
