//! The data model of a file: its items and their references.

use serde::{Deserialize, Serialize};

use super::compact::{References, Symbol, Texts};
use crate::workspace::source::cfg::Predicate;
use crate::workspace::source::modules::Child;
use crate::workspace::source::syntax::ItemKind;

/// A digest of tokens, without comments and layout.
pub type Digest = [u8; 16];

/// The content of one file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct FileItems {
    /// Every name in the file.
    pub symbols: Texts,
    /// Items, parents before children.
    pub items: Vec<Item>,
    /// Files that it declares; `item` of each refers to `items`.
    pub children: Vec<Child>,
    /// Documentation tests; `item` of each refers to `items`.
    pub doctests: Vec<DocItem>,
    /// Strings in short inputs of macro calls, with the call's index in `items`: each may name a folder.
    pub folders: Vec<(u32, String)>,
    /// The `cfg` predicates of items by index, and of the file by [`TOP`](crate::workspace::source::syntax::TOP).
    pub conditions: Vec<(u32, Predicate)>,
    /// The conditions of code inside items and of `cfg_attr`, in order, each with whether it matters that it holds.
    pub code_conditions: Vec<(Predicate, bool)>,
    /// Files whose words count as names in an item, with the item's index in `items`: `include!` in a body, and templates named in the input
    /// of a macro.
    pub texts: Vec<(u32, TextFile)>,
    /// Where it is not known to write code, names in text that may become code, each with the item as its index in `items`.
    pub names_in_text: Vec<(u32, Symbol)>,
    /// Digest of the file's attributes, without docs.
    pub inner: Digest,
    /// Whether the file's attributes contain a `cfg`.
    pub conditional: bool,
    /// Why it cannot be parsed, with the line.
    pub problem: Option<(u32, String)>,
}

/// A file named in code whose text is code, or becomes code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TextFile {
    /// As written.
    pub path: String,
    /// Relative to the folder of the package.
    pub from_package: bool,
    /// Whether it is included: without it the item cannot be parsed.
    pub included: bool,
}

/// A documentation test and the names in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DocItem {
    /// The line in rustdoc's name of it, if no file is embedded above.
    pub line: u32,
    /// How many lines of the documentation stand above it.
    pub above: u32,
    /// Marked `ignore`.
    pub ignored: bool,
    /// The item documented, or [`TOP`](crate::workspace::source::syntax::TOP).
    pub item: u32,
    /// Every name in the code.
    pub names: Vec<Symbol>,
    /// Digest of the code.
    pub hash: Digest,
    /// The file with its text, if documentation is embedded with `include_str!`.
    pub embedded: Option<String>,
}

/// An item and its references.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Item {
    /// Its kind. A `use` has one item per name.
    pub kind: ItemKind,
    /// Its name: the imported name of a `use`, the last path segment of a macro call.
    pub name: Option<Symbol>,
    /// Its parent, or [`TOP`](crate::workspace::source::syntax::TOP).
    pub parent: u32,
    /// Its line, from 1.
    pub line: u32,
    /// Its flags, see [`flag`].
    pub flags: u32,
    /// Its key across versions of the file: kind, name or header, and those of its parents.
    pub key: Digest,
    /// The digest of its tokens.
    pub hash: Digest,
    /// The digest of its position and text, which `line!` and `Location::caller` can see.
    pub position: u64,
    /// Its references.
    pub references: References,
    /// Data of its kind.
    pub detail: Detail,
}

/// First segment of a path that starts with `::`.
pub const GLOBAL: &str = "::";
/// Last segment of a path that refers to modules with all their items.
pub const ALL: &str = "*";
/// First segment of a method call on `self`.
pub const SELF_CALL: &str = "self.";

/// Among the names of a macro call: nothing uses its value.
pub const STATEMENT: &str = ";";

/// Data of some kinds of items.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Detail {
    /// None.
    #[default]
    None,
    /// `use path`, `use path::*`, `extern crate path`.
    Use {
        /// The path, without the `*`.
        path: Box<[Symbol]>,
        /// Ends in `*`.
        glob: bool,
    },
    /// An `impl` block.
    Impl {
        /// Path of the self type, without references and `dyn`; empty if it is not a path or is a generic parameter.
        head: Option<Box<[Symbol]>>,
        /// Path of the trait.
        of_trait: Option<Box<[Symbol]>>,
        /// Whether the self type has arguments other than its own parameters, so that other `impl`s may have the same member.
        is_specialized: bool,
    },
    /// An enum's variants.
    Enum(Vec<Symbol>),
    /// A procedural macro's name as users write it.
    ProcMacro(Symbol),
    /// A macro call's input.
    Call(String),
    /// A `macro_rules!` macro.
    Macro {
        /// Its arms.
        text: String,
        /// Names that its body defines literally.
        defines: Vec<Symbol>,
        /// Whether its body contains a test.
        tests: bool,
        /// Whether it writes attributes that its input names: `#[$attribute]`.
        rewrites_attributes: bool,
    },
}

/// Facts about an item, one bit each.
pub mod flag {
    /// Listed by the test harness under its own name.
    pub const TEST: u32 = 1;
    /// Listed under names that start with its own.
    pub const TEST_PREFIX: u32 = 1 << 1;
    /// `#[ignore]`.
    pub const IGNORED: u32 = 1 << 2;
    /// Live without being named: `ctor`, `no_mangle`, `link_section`, allocators, distributed slices.
    pub const ROOT: u32 = 1 << 3;
    /// May start a process.
    pub const SPAWNS: u32 = 1 << 4;
    /// May run cargo.
    pub const RUNS_CARGO: u32 = 1 << 5;
    /// Contains `use …::*` in a body.
    pub const LOCAL_GLOB: u32 = 1 << 6;
    /// A macro call whose input consists of items.
    pub const TRANSPARENT: u32 = 1 << 7;
    /// Behind `cfg`.
    pub const CONDITIONAL: u32 = 1 << 8;
    /// A macro whose body composes names (`paste!`), so that it may define any.
    pub const DEFINES_ANY: u32 = 1 << 9;
    /// Not compiled without `cfg(test)`.
    pub const TEST_ONLY: u32 = 1 << 11;
    /// May run rustc.
    pub const RUNS_RUSTC: u32 = 1 << 12;
    /// Takes `self`: it runs only if a value of its type exists.
    pub const METHOD: u32 = 1 << 13;
    /// Contains `unsafe`, which can create values of types that it does not name.
    pub const UNSAFE: u32 = 1 << 14;
    /// A type whose values may be created by a derive, or by a macro around it.
    pub const MADE: u32 = 1 << 15;
    /// A macro call by a path through a module: `crate::x::m!`.
    pub const THROUGH_MODULE: u32 = 1 << 16;
    /// Has a `pub` of any scope.
    pub const PUBLIC: u32 = 1 << 17;
    /// Reads files.
    pub const READS_FILES: u32 = 1 << 27;
    /// Walks folders whose paths are not in the code, or reads files by a pattern.
    pub const WALKS: u32 = 1 << 28;
    /// Contains paths that leave its package.
    pub const ESCAPES: u32 = 1 << 29;
    /// Starts only programs of its own package.
    pub const KNOWN_PROGRAM: u32 = 1 << 30;
    /// Reads environment variables when it runs.
    pub const READS_ENVIRONMENT: u32 = 1 << 31;
    /// Sees its own position: `line!`, `column!`, `Location::caller`.
    pub const POSITION: u32 = 1 << 18;
    /// `#[track_caller]`: it can see the position of its callers.
    pub const TRACK_CALLER: u32 = 1 << 19;
    /// Reads the position of its caller.
    pub const READS_CALLER: u32 = 1 << 20;
    /// Includes a file whose path only a build knows.
    pub const UNREADABLE_INCLUDE: u32 = 1 << 21;
    /// Creates a value of any type that its caller names, with `unsafe` code.
    pub const MAKES_ANY: u32 = 1 << 22;
    /// Contains code in strings or quotations that implements something.
    pub const WRITES_IMPL: u32 = 1 << 23;
    /// Contains code in strings or quotations that is live without being named.
    pub const WRITES_ROOT: u32 = 1 << 24;
    /// Has type parameters.
    pub const GENERIC: u32 = 1 << 25;
    /// A test by an attribute that may mean something else: `#[latest]`.
    pub const PERHAPS_TEST: u32 = 1 << 26;
    /// A macro call whose input contains a test. Shares the bit of [`MAKES_ANY`], which only functions have.
    pub const HOLDS_TEST: u32 = MAKES_ANY;
    /// A test function whose body cannot fail, as far as its file shows. Shares the bit of [`DEFINES_ANY`], which only macros have.
    pub const CANNOT_FAIL: u32 = DEFINES_ANY;
    /// A macro call whose expansion is mounted.
    pub const EXPANDED: u32 = 1 << 10;
}

/// A digest of byte strings, including their boundaries.
pub fn digest<'b>(parts: impl IntoIterator<Item = &'b [u8]>) -> Digest {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    short(&hasher.finalize())
}

/// The cache key of a file with this content.
pub fn content_key(content: &[u8]) -> Digest {
    digest([b"content".as_slice(), content])
}

/// The cache key of a file in a build that decides so about the code inside items; `content` is the key of the file.
pub fn decided_key(content: &Digest, decisions: &[u8]) -> Digest {
    digest([b"decided".as_slice(), content, decisions])
}

fn short(hash: &blake3::Hash) -> Digest {
    let mut digest = Digest::default();
    digest.copy_from_slice(&hash.as_bytes()[..16]);
    digest
}
