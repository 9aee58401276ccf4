//! Collects the references in tokens: paths, members, macros, and names with an unknown scope.

mod macro_calls;
mod text;

use std::ops::Range;

use rustc_hash::FxHashSet;

use super::builtins::{is_keyword, is_known_macro};
use super::extract::compact::{Lists, References, Symbol};
use super::extract::model::{GLOBAL, SELF_CALL, TextFile, flag};
use super::extract::table::Table;
use super::file_reads::FileAccessHints;
use super::outside_effects;
use crate::workspace::source::attribute::{attributes, commas};
use crate::workspace::source::lex::Kind;
use crate::workspace::source::syntax::Syntax;

/// Whether a file belongs to a program that generates code, and whether the names in that code count as the program's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WritesCode {
    /// It generates none.
    No,
    /// A build script: code that includes its output depends on everything visible there.
    Included,
    /// A procedural macro: code that calls it depends on the names in it.
    Names,
}

/// Names in code that registers other code, which is then live without being named.
const REGISTERING: [&str; 6] = [
    "link_section",
    "ctor",
    "inventory",
    "linkme",
    "distributed_slice",
    "no_mangle",
];
/// The maximum length of a string that may be part of a name.
const LONGEST_NAME: usize = 64;

/// Collects the references of one item.
#[expect(clippy::struct_excessive_bools, reason = "facts about one item")]
pub struct Collector<'s, 't, 'b> {
    syntax: &'s Syntax<'t>,
    table: &'b mut Table<'t>,
    paths: FxHashSet<Vec<Symbol>>,
    type_refs: FxHashSet<Vec<Symbol>>,
    methods: FxHashSet<Symbol>,
    members: FxHashSet<Symbol>,
    trait_members: FxHashSet<Symbol>,
    macros: FxHashSet<Symbol>,
    unresolved: FxHashSet<Symbol>,
    macro_calls: FxHashSet<Vec<Symbol>>,
    attributes: FxHashSet<Vec<Symbol>>,
    files: Vec<String>,
    texts: Vec<TextFile>,
    writes_code: WritesCode,
    hints: FileAccessHints,
    flags: u32,
    /// Whether a string contains a command line that runs cargo or rustc.
    runs_tools: bool,
    /// Whether it compares with a file whose path is not in the code.
    reads_golden: bool,
    /// Whether `self` may differ from the self type of the enclosing `impl`.
    pub plain_self: bool,
    /// Type parameters in scope.
    pub generics: Vec<&'t str>,
    /// Whether the current tokens name types without running.
    pub mentioning: bool,
    /// The item is a function that returns something.
    pub returns: bool,
    /// Where it is not known to write code, the names in text that may become code.
    pub names_in_text: Vec<Symbol>,
    /// The item is a macro: what it holds is code of its callers.
    pub defines_macro: bool,
}

impl<'s, 't, 'b> Collector<'s, 't, 'b> {
    /// Starts with nothing.
    pub fn new(syntax: &'s Syntax<'t>, table: &'b mut Table<'t>, writes_code: WritesCode) -> Self {
        Self {
            syntax,
            table,
            paths: FxHashSet::default(),
            type_refs: FxHashSet::default(),
            methods: FxHashSet::default(),
            members: FxHashSet::default(),
            trait_members: FxHashSet::default(),
            macros: FxHashSet::default(),
            unresolved: FxHashSet::default(),
            macro_calls: FxHashSet::default(),
            attributes: FxHashSet::default(),
            files: Vec::new(),
            texts: Vec::new(),
            writes_code,
            hints: FileAccessHints::default(),
            flags: 0,
            runs_tools: false,
            reads_golden: false,
            plain_self: false,
            generics: Vec::new(),
            mentioning: false,
            returns: false,
            names_in_text: Vec::new(),
            defines_macro: false,
        }
    }

    /// The references without duplicates; flags are added to those of the item.
    pub fn finish(
        self,
        flags: &mut u32,
        texts: &mut Vec<(u32, TextFile)>,
        item: u32,
    ) -> References {
        let (reads, any_folder, escapes) = self.hints.finish();
        let mut own = self.flags;
        if self.runs_tools && own & flag::SPAWNS != 0 {
            own |= flag::RUNS_CARGO;
        }
        if !any_folder && !self.reads_golden {
            own &= !flag::WALKS;
        }
        if escapes {
            own |= flag::ESCAPES;
        }
        *flags |= own;
        texts.extend(self.texts.into_iter().map(|text| (item, text)));
        let sorted = |set: FxHashSet<Symbol>| {
            let mut list: Vec<Symbol> = set.into_iter().collect();
            list.sort_unstable();
            list
        };
        let sorted_paths = |set: FxHashSet<Vec<Symbol>>| {
            let mut list: Vec<Vec<Symbol>> = set.into_iter().collect();
            list.sort_unstable();
            list
        };
        let lists = Lists {
            paths: sorted_paths(self.paths),
            type_refs: sorted_paths(self.type_refs),
            methods: sorted(self.methods),
            members: sorted(self.members),
            trait_members: sorted(self.trait_members),
            macros: sorted(self.macros),
            unresolved: sorted(self.unresolved),
            macro_calls: sorted_paths(self.macro_calls),
            attributes: sorted_paths(self.attributes),
        };
        References::new(&lists, self.files, reads)
    }

    /// Adds a path according to its context; one that starts with a type parameter names members of the parameter's traits.
    fn keep(&mut self, path: Vec<Symbol>) {
        let generic = path
            .first()
            .is_some_and(|first| self.generics.contains(&self.table.symbols.get(*first)));
        if generic {
            self.trait_members.extend(&path[1..]);
        } else if !self.mentioning {
            self.paths.insert(path);
        } else if !self.paths.contains(&path) {
            self.type_refs.insert(path);
        }
    }

    /// A macro's name at a token.
    pub fn macro_name(&mut self, at: u32) {
        let symbol = self.table.symbol(self.syntax.word(at));
        self.macros.insert(symbol);
    }

    /// The input of an unknown macro: every name counts.
    pub fn unresolved(&mut self, range: Range<u32>) {
        let syntax = self.syntax;
        for at in range {
            let Some(token) = syntax.token(at) else {
                return;
            };
            match token.kind {
                Kind::Ident => {
                    let word = syntax.word(at);
                    if word == "impl" && self.writes_code != WritesCode::No {
                        self.flags |= flag::WRITES_IMPL;
                    }
                    if (self.writes_code != WritesCode::No || self.defines_macro)
                        && REGISTERING.contains(&word)
                    {
                        self.flags |= flag::WRITES_ROOT;
                    }
                    if !is_keyword(word) {
                        self.note_word(word);
                        if word == "caller" && at > 1 && syntax.colons(at - 2) {
                            self.flags |= flag::POSITION | flag::READS_CALLER;
                        }
                        let symbol = self.table.symbol(word);
                        self.unresolved.insert(symbol);
                        if syntax.is(at + 1, b'!')
                            && matches!(syntax.token(at + 2), Some(open) if matches!(open.kind, Kind::Open(_)))
                        {
                            self.embedding(word, at + 3);
                            self.position_macro(word);
                            if !is_known_macro(word) {
                                let past = syntax.after(at + 2);
                                self.macro_call(at, at + 3..past.saturating_sub(1));
                            }
                        }
                    }
                }
                Kind::Str => {
                    let text = syntax.word(at);
                    self.note_text(at);
                    self.captured(text, true);
                }
                _ => {}
            }
        }
    }

    /// Adds ordinary code, including types.
    pub fn ordinary(&mut self, range: Range<u32>) {
        let syntax = self.syntax;
        let mut at = range.start;
        while at < range.end {
            let Some(token) = syntax.token(at) else {
                return;
            };
            at = match token.kind {
                Kind::Ident => self.word(at, range.end),
                Kind::Str => {
                    self.note_text(at);
                    at + 1
                }
                Kind::Punct(b'#')
                    if syntax.opens(at + 1, b'[')
                        || (syntax.is(at + 1, b'!') && syntax.opens(at + 2, b'[')) =>
                {
                    let open = if syntax.opens(at + 1, b'[') {
                        at + 1
                    } else {
                        at + 2
                    };
                    let past = syntax.after(open);
                    for attribute in attributes(syntax, at..past) {
                        self.attribute(&attribute, false);
                    }
                    past
                }
                // `<T as Trait>::member`, `Vec<T>::member`.
                Kind::Punct(b'>') if syntax.colons(at + 1) => self.tail(at, range.start),
                Kind::Punct(b':') if syntax.colons(at) && syntax.ident(at + 2).is_some() => {
                    self.path(&[GLOBAL], at + 2, range.end)
                }
                _ => at + 1,
            };
        }
    }

    /// `::a::b` after the `>` at `close`: members of a trait after `<T as Trait>`, otherwise of an unknown type.
    fn tail(&mut self, close: u32, start: u32) -> u32 {
        let syntax = self.syntax;
        let (mut depth, mut open) = (0_u32, close);
        let mut of_trait = false;
        loop {
            if syntax.is(open, b'>')
                && !syntax.is(open.saturating_sub(1), b'-')
                && !syntax.is(open.saturating_sub(1), b'=')
            {
                depth += 1;
            } else if syntax.is(open, b'<') {
                depth -= 1;
            } else if depth == 1 && syntax.ident(open) == Some("as") {
                of_trait = true;
            }
            if depth == 0 || open <= start {
                break;
            }
            open -= 1;
        }
        let mut at = close + 1;
        while syntax.colons(at) {
            let Some(name) = syntax.ident(at + 2) else {
                return at + 2;
            };
            let symbol = self.table.symbol(name);
            // The segment after an associated type may be an inherent member of its type.
            if of_trait && depth == 0 && at == close + 1 {
                self.trait_members.insert(symbol);
            } else {
                self.members.insert(symbol);
            }
            at += 3;
        }
        at
    }

    fn word(&mut self, at: u32, end: u32) -> u32 {
        let syntax = self.syntax;
        let word = syntax.word(at);
        // In edition 2015 these are names.
        let called = matches!(word, "async" | "await" | "dyn") && syntax.opens(at + 1, b'(');
        if is_keyword(word) && !called {
            if word == "unsafe" {
                self.flags |= flag::UNSAFE;
            }
            // The name after keywords such as `fn` is a definition.
            let defines = matches!(
                word,
                "fn" | "struct" | "enum" | "trait" | "mod" | "type" | "union"
            );
            return at
                + if defines && syntax.ident(at + 1).is_some() {
                    2
                } else {
                    1
                };
        }
        let dotted = at > 0 && syntax.is(at - 1, b'.') && !(at > 1 && syntax.is(at - 2, b'.'));
        if dotted {
            self.note_member(word);
            let called = syntax.opens(at + 1, b'(') || syntax.colons(at + 1);
            if called {
                let symbol = self.table.symbol(word);
                let on_self = at > 1
                    && syntax.ident(at - 2) == Some("self")
                    && !(at > 2 && syntax.is(at - 3, b'.'));
                if on_self && !self.plain_self {
                    let marker = self.table.intern(SELF_CALL);
                    self.paths.insert(vec![marker, symbol]);
                } else {
                    self.methods.insert(symbol);
                }
            }
            return at + 1;
        }
        self.path(&[], at, end)
    }

    /// Parses a path at `at` and returns the index after it.
    fn path(&mut self, start: &[&'static str], mut at: u32, end: u32) -> u32 {
        let syntax = self.syntax;
        let mut path: Vec<Symbol> = start
            .iter()
            .map(|segment| self.table.intern(segment))
            .collect();
        let mut last = at;
        while at < end
            && let Some(segment) = syntax.ident(at)
        {
            self.note_word(segment);
            if syntax.opens(at + 1, b'(') || syntax.is(at + 1, b'!') {
                self.flags |= outside_effects::of_call(segment);
            }
            path.push(self.table.symbol(segment));
            last = at;
            at += 1;
            if !syntax.colons(at) {
                break;
            }
            if syntax.is(at + 2, b'<') {
                let past = self.turbofish(at + 2, end);
                if syntax.colons(past) && syntax.ident(past + 2).is_some() {
                    at = past + 2;
                    continue;
                }
                at = past;
                break;
            }
            if syntax.opens(at + 2, b'{') || syntax.is(at + 2, b'*') {
                self.group(&path, at + 2);
                return syntax.after(at + 2);
            }
            at += 2;
        }
        let bang = at + 1 < end
            && syntax.is(at, b'!')
            && matches!(syntax.token(at + 1), Some(open) if matches!(open.kind, Kind::Open(_)));
        let definition = syntax.word(last) == "macro_rules" && syntax.is(at, b'!');
        if path.len() > 1 && syntax.word(last) == "caller" {
            self.flags |= flag::POSITION | flag::READS_CALLER;
        }
        if bang {
            let name = syntax.word(last);
            if name == "file" {
                self.hints.own_file();
            }
            self.macro_name(last);
            self.embedding(name, at + 2);
            self.position_macro(name);
            if name == "include" {
                self.included(at + 2..syntax.after(at + 1).saturating_sub(1));
            }
            if path.len() > 1 || !is_known_macro(name) {
                self.keep(path.clone());
            }
            let known = is_known_macro(name)
                && (path.len() == 1
                    || matches!(
                        syntax.word(last.saturating_sub(3)),
                        "std" | "core" | "alloc"
                    ));
            let input = at + 2..syntax.after(at + 1).saturating_sub(1);
            if known {
                self.formats(input.clone());
                self.ordinary(input);
            } else {
                self.macro_call(last, input.clone());
                self.unresolved(input);
            }
            return syntax.after(at + 1);
        }
        if definition {
            // A macro defined in a body: its body is parsed as unresolved names.
            let past = syntax.after(at + 2);
            self.unresolved(at + 2..past);
            return past;
        }
        self.keep(path);
        at
    }

    /// Reads the content of `<…>`; returns the index after it.
    fn turbofish(&mut self, open: u32, end: u32) -> u32 {
        let syntax = self.syntax;
        let at = syntax.after_angles(open, end);
        self.ordinary(open + 1..at.saturating_sub(1));
        at
    }

    /// `use a::{b, c::*}` in a body: every path in it; a `*` may import any name.
    fn group(&mut self, prefix: &[Symbol], at: u32) {
        let syntax = self.syntax;
        if syntax.is(at, b'*') {
            self.flags |= flag::LOCAL_GLOB;
            self.keep(prefix.to_vec());
            return;
        }
        let past = syntax.after(at);
        for part in commas(syntax, at + 1..past.saturating_sub(1)) {
            let mut path = prefix.to_vec();
            let mut at = part.start;
            while at < part.end {
                if syntax.is(at, b'*') || syntax.opens(at, b'{') {
                    self.group(&path, at);
                    break;
                }
                let Some(segment) = syntax.ident(at) else {
                    break;
                };
                if segment != "self" {
                    path.push(self.table.symbol(segment));
                }
                at += 1;
                if !syntax.colons(at) {
                    self.keep(path);
                    break;
                }
                at += 2;
            }
        }
    }

    /// Words that indicate processes and files.
    fn note_word(&mut self, word: &str) {
        self.hints.word(word);
        self.flags |= outside_effects::of_word(word);
        self.reads_golden |= outside_effects::is_golden(word);
    }

    /// A member that reads files. Members that start a process are recognized by the type of their value.
    fn note_member(&mut self, word: &str) {
        self.hints.word(word);
        let reads = flag::READS_FILES | flag::WALKS | flag::ESCAPES;
        self.flags |= outside_effects::of_word(word) & reads;
    }
}
