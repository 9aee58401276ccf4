//! What is kept of a file: its items, and what they refer to.

use serde::{Deserialize, Serialize};

use super::compact::{References, Symbol, Texts};
use crate::workspace::source::cfg::Predicate;
use crate::workspace::source::modules::Child;
use crate::workspace::source::syntax::ItemKind;

/// A digest of tokens: comments and layout do not count.
pub type Digest = [u8; 16];

/// What one file holds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct FileItems {
    /// Every name that occurs.
    pub symbols: Texts,
    /// Items, parents before children.
    pub items: Vec<Item>,
    /// Files it leads to; `item` of each refers to `items`.
    pub children: Vec<Child>,
    /// Documentation tests; `item` of each refers to `items`.
    pub doctests: Vec<DocItem>,
    /// Strings in short inputs of macro calls, with the call as its index in `items`: each may name a folder.
    pub folders: Vec<(u32, String)>,
    /// The `cfg` predicates of items, by their index; of the file itself by [`TOP`](crate::workspace::source::syntax::TOP).
    pub conditions: Vec<(u32, Predicate)>,
    /// Files whose words count as names in an item, with the item as its index in `items`: `include!` in a body, and the templates
    /// that a macro is given.
    pub texts: Vec<(u32, TextFile)>,
    /// Where it is not known to write code, names in text that may become code, each with the item as its index in `items`.
    pub names_in_text: Vec<(u32, Symbol)>,
    /// Digest of the file's own attributes, docs apart.
    pub inner: Digest,
    /// The file's own attributes hold a `cfg`.
    pub conditional: bool,
    /// Why it could not be understood, with the line.
    pub problem: Option<(u32, String)>,
}

/// A file that is named in code and whose text is code, or becomes code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextFile {
    /// As written.
    pub path: String,
    /// Relative to the folder of the package.
    pub from_package: bool,
    /// It is included: without it the item cannot be read.
    pub included: bool,
}

/// A documentation test and the names in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DocItem {
    /// Line of its opening.
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
    /// The file whose text it is, when documentation is embedded with `include_str!`.
    pub embedded: Option<String>,
}

/// One item and what it refers to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Item {
    /// What it is. `use` has one item per name it brings in.
    pub kind: ItemKind,
    /// Its name; for `use` the name brought in, for a macro call the macro's last segment.
    pub name: Option<Symbol>,
    /// The item it stands in, or [`TOP`](crate::workspace::source::syntax::TOP).
    pub parent: u32,
    /// Its line, counted from 1.
    pub line: u32,
    /// Facts about it, see [`flag`].
    pub flags: u32,
    /// Which item it is, across versions of the file: kind, name or header, and the same of its parents.
    pub key: Digest,
    /// Its tokens.
    pub hash: Digest,
    /// Its place and its text as written: what `line!` and `Location::caller` can see of it.
    pub position: u64,
    /// What it refers to.
    pub references: References,
    /// What its kind tells besides.
    pub detail: Detail,
}

/// First segment of a path that starts with `::`.
pub const GLOBAL: &str = "::";
/// Last segment of a path whose modules are meant with all that is in them.
pub const ALL: &str = "*";
/// First segment of a method call on `self`.
pub const SELF_CALL: &str = "self.";

/// Among the names of a macro call: nothing uses its value.
pub const STATEMENT: &str = ";";

/// What only some kinds of item have.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Detail {
    /// Nothing more.
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
        /// Path of the self type, references and `dyn` taken off; none where it is no path or a generic parameter.
        head: Option<Box<[Symbol]>>,
        /// Path of the trait.
        of_trait: Option<Box<[Symbol]>>,
        /// Has self type arguments other than its own parameters, so that it may not be the only `impl` with a member.
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
        /// Names that its body defines as they stand.
        defines: Vec<Symbol>,
        /// Its body holds a test.
        tests: bool,
    },
}

/// Facts about an item, one bit each.
pub mod flag {
    /// Listed by the test harness under its own name.
    pub const TEST: u32 = 1;
    /// Listed under names that begin with its own.
    pub const TEST_PREFIX: u32 = 1 << 1;
    /// `#[ignore]`.
    pub const IGNORED: u32 = 1 << 2;
    /// Runs or counts without being named: `ctor`, `no_mangle`, `link_section`, allocators, distributed slices.
    pub const ROOT: u32 = 1 << 3;
    /// May start a process.
    pub const SPAWNS: u32 = 1 << 4;
    /// May run cargo.
    pub const RUNS_CARGO: u32 = 1 << 5;
    /// Holds `use …::*` in a body.
    pub const LOCAL_GLOB: u32 = 1 << 6;
    /// A macro call whose input is nothing but items.
    pub const TRANSPARENT: u32 = 1 << 7;
    /// Behind `cfg`.
    pub const CONDITIONAL: u32 = 1 << 8;
    /// A macro whose body composes names (`paste!`), so that it may define any.
    pub const DEFINES_ANY: u32 = 1 << 9;
    /// Not compiled without `cfg(test)`.
    pub const TEST_ONLY: u32 = 1 << 11;
    /// May run rustc.
    pub const RUNS_RUSTC: u32 = 1 << 12;
    /// Takes `self`: it runs only where a value of its type exists.
    pub const METHOD: u32 = 1 << 13;
    /// Holds `unsafe`, which can make values of types that it does not name.
    pub const UNSAFE: u32 = 1 << 14;
    /// A type whose values may come from a derive, or from a macro around it.
    pub const MADE: u32 = 1 << 15;
    /// A macro call by a path through a module: `crate::x::m!`.
    pub const THROUGH_MODULE: u32 = 1 << 16;
    /// Written with `pub` of any extent.
    pub const PUBLIC: u32 = 1 << 17;
    /// Reads files.
    pub const READS_FILES: u32 = 1 << 27;
    /// Walks through folders whose paths it does not write down, or reads files by a pattern.
    pub const WALKS: u32 = 1 << 28;
    /// Writes down paths that lead out of its package.
    pub const ESCAPES: u32 = 1 << 29;
    /// Every program that it starts is one of its own package.
    pub const KNOWN_PROGRAM: u32 = 1 << 30;
    /// Reads environment variables when it runs.
    pub const READS_ENVIRONMENT: u32 = 1 << 31;
    /// Sees its own position: `line!`, `column!`, `Location::caller`.
    pub const POSITION: u32 = 1 << 18;
    /// `#[track_caller]`: it can see the position of its callers.
    pub const TRACK_CALLER: u32 = 1 << 19;
    /// Asks for the position of its caller.
    pub const READS_CALLER: u32 = 1 << 20;
    /// Includes a file that only a build tells.
    pub const UNREADABLE_INCLUDE: u32 = 1 << 21;
    /// Makes a value of any type that its caller names, by `unsafe` code.
    pub const MAKES_ANY: u32 = 1 << 22;
    /// Holds code in strings or quotations that implements something.
    pub const WRITES_IMPL: u32 = 1 << 23;
    /// Holds code in strings or quotations that runs without being named.
    pub const WRITES_ROOT: u32 = 1 << 24;
    /// Has type parameters of its own.
    pub const GENERIC: u32 = 1 << 25;
    /// A test by an attribute that may as well mean something else: `#[latest]`.
    pub const PERHAPS_TEST: u32 = 1 << 26;
    /// A macro call whose input holds a test; only functions are [`MAKES_ANY`], so that one bit will do.
    pub const HOLDS_TEST: u32 = MAKES_ANY;
    /// A macro call that was expanded: what it defines stands beside it. Set where it is mounted.
    pub const EXPANDED: u32 = 1 << 10;
}

/// A digest of byte strings, each told apart from the next.
pub fn digest<'b>(parts: impl IntoIterator<Item = &'b [u8]>) -> Digest {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    short(&hasher.finalize())
}

fn short(hash: &blake3::Hash) -> Digest {
    let mut digest = Digest::default();
    digest.copy_from_slice(&hash.as_bytes()[..16]);
    digest
}
