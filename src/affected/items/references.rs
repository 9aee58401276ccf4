//! Collects the references in tokens: paths, members, macros, and names with an unknown scope.

use std::ops::Range;

use rustc_hash::FxHashSet;

use super::builtins::{is_builtin_attribute, is_keyword, is_known_macro};
use super::extract::compact::{Lists, References, Symbol};
use super::extract::model::{ALL, GLOBAL, SELF_CALL, STATEMENT, TextFile, flag};
use super::extract::table::Table;
use super::file_reads::{FileAccessHints, is_compared};
use super::known_macros::is_standard_derive;
use super::outside_effects;
use crate::workspace::source::attribute::{Attribute, attributes, commas, unquote};
use crate::workspace::source::lex::Kind;
use crate::workspace::source::modules::included_path;
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

    /// An attribute outside or inside an item's body.
    pub fn attribute(&mut self, attribute: &Attribute<'t>, of_item: bool) {
        if attribute.is("derive") {
            // Derives are macros, and a `use` may rename them.
            self.ordinary(attribute.rest.clone());
            let list = attribute.rest.start + 1..attribute.rest.end.saturating_sub(1);
            for derive in commas(self.syntax, list) {
                let names = derive.filter(|at| self.syntax.ident(*at).is_some());
                let path: Vec<u32> = names.collect();
                for at in &path {
                    self.macro_name(*at);
                }
                let words: Vec<&str> = path.iter().map(|at| self.syntax.word(*at)).collect();
                let standard = words.last().is_none_or(|name| is_standard_derive(name));
                if of_item && !standard {
                    let mut derive = self.macro_path(&words);
                    derive.push(self.table.intern("derive"));
                    self.attributes.insert(derive);
                }
            }
            return;
        }
        if is_builtin_attribute(attribute) {
            return;
        }
        let path: Vec<Symbol> = attribute
            .path
            .iter()
            .map(|segment| self.table.symbol(segment))
            .collect();
        self.macros.extend(path.last());
        if of_item && !path.is_empty() {
            let mut attribute_of_item = self.macro_path(&attribute.path);
            self.input_names(attribute.rest.clone(), &mut attribute_of_item);
            self.attributes.insert(attribute_of_item);
            self.template_files(attribute.rest.clone());
        }
        self.paths.insert(path);
        self.unresolved(attribute.rest.clone());
        self.modules_in(self.syntax, attribute.rest.clone());
        for at in attribute.rest.clone() {
            if matches!(self.syntax.token(at), Some(token) if token.kind == Kind::Str) {
                self.names_in(&unquote(self.syntax.word(at)));
            }
        }
    }

    /// Adds the names in the input of a macro, including those in strings.
    fn input_names(&mut self, range: Range<u32>, into: &mut Vec<Symbol>) {
        let syntax = self.syntax;
        let from = into.len();
        for at in range {
            let Some(token) = syntax.token(at) else { break };
            let word = syntax.word(at);
            match token.kind {
                // `$name` is replaced by names of the call.
                Kind::Ident if !is_keyword(word) && !syntax.is(at.wrapping_sub(1), b'$') => {
                    into.push(self.table.symbol(word));
                }
                Kind::Str => {
                    let text = unquote(word);
                    if text.len() > LONGEST_NAME || text.contains(char::is_whitespace) {
                        continue;
                    }
                    into.extend(names_of(&text).map(|name| self.table.intern(name)));
                }
                _ => {}
            }
        }
        into[from..].sort_unstable();
        let mut names = into.split_off(from);
        names.dedup();
        into.append(&mut names);
    }

    /// The name of a macro, the first segment of its path, and the last before the name.
    fn macro_path(&mut self, path: &[&str]) -> Vec<Symbol> {
        let last = path.len().saturating_sub(1);
        let segments = [last, 0, last.saturating_sub(1)].into_iter();
        let words = segments.filter_map(|at| path.get(at));
        words.map(|word| self.table.intern(word)).collect()
    }

    /// Adds a macro call with its name at a token, and its input.
    pub fn macro_call(&mut self, name: u32, input: Range<u32>) {
        let syntax = self.syntax;
        let mut first = name;
        let mut words = vec![syntax.word(name)];
        while first >= 3 && syntax.colons(first - 2) && syntax.ident(first - 3).is_some() {
            first -= 3;
            words.insert(0, syntax.word(first));
        }
        if words.len() == 1 && first > 0 && syntax.is(first - 1, b'$') {
            // A macro whose name the call passes: the outer call is already added.
            return;
        }
        self.template_files(input.clone());
        let mut call = self.macro_path(&words);
        if self.is_statement(first, &input) {
            call.push(self.table.intern(STATEMENT));
        }
        self.input_names(input, &mut call);
        self.macro_calls.insert(call);
    }

    /// Whether a macro call with this input, whose path begins at a token, is a statement by itself: nothing uses its value.
    fn is_statement(&self, first: u32, input: &Range<u32>) -> bool {
        let syntax = self.syntax;
        let Some(before) = first.checked_sub(1) else {
            return false;
        };
        let begins = syntax.is(before, b';')
            || matches!(
                syntax.token(before).map(|token| token.kind),
                Some(Kind::Open(b'{') | Kind::Close(b'}' | b']'))
            );
        let close = input.end;
        let in_braces = syntax.opens(input.start - 1, b'{');
        let is_last = matches!(
            syntax.token(close + 1).map(|token| token.kind),
            None | Some(Kind::Close(_))
        );
        begins && (in_braces || syntax.is(close + 1, b';') || is_last && !self.returns)
    }

    /// Files named in the input of a macro, whose text may become code.
    fn template_files(&mut self, range: Range<u32>) {
        for at in range {
            if matches!(self.syntax.token(at), Some(token) if token.kind == Kind::Str) {
                let path = unquote(self.syntax.word(at));
                if is_file_name(&path) {
                    self.texts.push(TextFile {
                        path,
                        from_package: false,
                        included: false,
                    });
                }
            }
        }
    }

    /// Generated code in a string: the names in it, and those that it composes.
    fn written_code(&mut self, text: &str) {
        if text.contains("impl") {
            self.flags |= flag::WRITES_IMPL;
        }
        let registers = REGISTERING.iter().any(|word| text.contains(word));
        if registers || self.writes_code == WritesCode::Included && calls_unknown_macro(text) {
            self.flags |= flag::WRITES_ROOT;
        }
        if !is_code(text) || self.writes_code != WritesCode::Names {
            return;
        }
        let mut composed = vec![self.table.intern("{"); 3];
        for name in names_of(text) {
            let start = name.as_ptr() as usize - text.as_ptr() as usize;
            let (before, after) = (&text[..start], &text[start + name.len()..]);
            let symbol = self.table.intern(name);
            if before.ends_with('}') || after.starts_with('{') && !after.starts_with("{{") {
                composed.push(symbol);
            } else {
                self.unresolved.insert(symbol);
            }
        }
        if composed.len() > 3 {
            self.macro_calls.insert(composed);
        }
    }

    /// A name by itself in a string of a procedural macro, which does not compare it with another: it may be a name in code,
    /// or a part of one.
    fn written_name(&mut self, at: u32) {
        let syntax = self.syntax;
        let name = unquote(syntax.word(at));
        let is_name = names_of(&name).next() == Some(name.as_str());
        if !is_name || self.writes_code != WritesCode::Names || is_compared(syntax, at) {
            return;
        }
        let before = at.saturating_sub(2);
        let asked = syntax
            .ident(before)
            .is_some_and(|word| word.starts_with("is_"));
        let equals = |at: u32| {
            let compares = syntax.is(at, b'=') || syntax.is(at, b'!');
            compares && syntax.is(at + 1, b'=') || syntax.is(at, b'=') && syntax.is(at + 1, b'>')
        };
        // `Some("a" | "b") =>`
        let is_close = |at: u32| {
            let kind = syntax.token(at).map(|token| token.kind);
            matches!(kind, Some(Kind::Close(_)))
        };
        let matched = equals(at + 1)
            || is_close(at + 1) && equals(at + 2)
            || syntax.is(at + 1, b'|')
            || at > 1 && (equals(before) || syntax.is(at - 1, b'|'));
        if asked || matched {
            return;
        }
        let symbol = self.table.intern(&name);
        self.unresolved.insert(symbol);
        // `name + "Builder"`, `name.push_str("Builder")`
        let joined = at > 1
            && (syntax.is(at - 1, b'+')
                || matches!(syntax.ident(before), Some("push_str" | "insert_str")));
        if !joined && !name.starts_with('_') && !name.ends_with('_') {
            return;
        }
        let composed = vec![self.table.intern("{"); 3];
        self.macro_calls.insert([composed, vec![symbol]].concat());
    }

    fn names_in(&mut self, text: &str) {
        let Ok(code) = Syntax::read(text) else { return };
        let end = u32::try_from(code.tokens.len()).unwrap_or(u32::MAX);
        for at in 0..end {
            if let Some(name) = code.ident(at) {
                let symbol = self.table.intern(name);
                self.unresolved.insert(symbol);
            }
        }
        self.modules_in(&code, 0..end);
    }

    /// Paths in the input of an attribute may name modules, whose functions its macro calls by its own names, as in `#[serde(with = "path")]`.
    fn modules_in(&mut self, code: &Syntax<'_>, range: Range<u32>) {
        let mut path = Vec::new();
        for at in range {
            let Some(name) = code.ident(at) else { continue };
            path.push(self.table.intern(name));
            if !code.colons(at + 1) {
                path.push(self.table.intern(ALL));
                self.paths.insert(std::mem::take(&mut path));
            }
        }
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

    fn position_macro(&mut self, name: &str) {
        if matches!(name, "line" | "column") {
            self.flags |= flag::POSITION;
        }
    }

    /// An `include!` of an expression: the names in the file count.
    fn included(&mut self, input: Range<u32>) {
        match included_path(self.syntax, input) {
            Some(file) => self.texts.push(TextFile {
                path: file.path,
                from_package: file.from_package,
                included: true,
            }),
            None => self.flags |= flag::UNREADABLE_INCLUDE,
        }
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

    /// Names captured by format strings directly in a known macro's input.
    fn formats(&mut self, range: Range<u32>) {
        let syntax = self.syntax;
        let mut at = range.start;
        while at < range.end {
            if matches!(syntax.token(at), Some(token) if token.kind == Kind::Str) {
                self.captured(syntax.word(at), false);
            }
            at = syntax.after(at);
        }
    }

    /// `{name}` and `{0:width$}` in a string.
    fn captured(&mut self, text: &str, unresolved: bool) {
        if !text.contains('{') {
            return;
        }
        for part in text.split('{').skip(1) {
            let inside = part.split('}').next().unwrap_or("");
            for name in inside.split(|c: char| c != '_' && !c.is_alphanumeric()) {
                if name.starts_with(|c: char| c == '_' || c.is_alphabetic()) {
                    let symbol = self.table.intern(name);
                    if unresolved {
                        self.unresolved.insert(symbol);
                    } else {
                        self.paths.insert(vec![symbol]);
                    }
                }
            }
        }
    }

    /// Macros such as `include_str!`: the strings in their input are files.
    pub(super) fn embedding(&mut self, name: &str, at: u32) {
        if !matches!(
            name,
            "include_str" | "include_bytes" | "include" | "include_dir"
        ) {
            return;
        }
        let end = self.syntax.token(at - 1).map_or(at, |open| open.partner);
        for at in at..end {
            if matches!(self.syntax.token(at), Some(token) if token.kind == Kind::Str) {
                let file = unquote(self.syntax.word(at));
                if name == "include" {
                    self.hints.included(&file);
                } else {
                    self.hints.embedded(&file);
                }
                self.files.push(file);
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

    fn note_text(&mut self, at: u32) {
        self.hints.text(self.syntax, at);
        let text = self.syntax.word(at);
        self.flags |= outside_effects::of_text(text);
        self.runs_tools |= outside_effects::holds_tool_command(text);
        if self.writes_code == WritesCode::No {
            let text = unquote(text);
            if may_be_code(&text) && !is_compared(self.syntax, at) {
                let names = names_of(&text).map(|name| self.table.intern(name));
                self.names_in_text.extend(names);
            }
        } else {
            self.written_code(&unquote(text));
            self.written_name(at);
        }
        if text.contains("CARGO_BIN_EXE") {
            self.flags |= flag::SPAWNS;
        }
        if matches!(
            text,
            "\"cargo\"" | "\"rustc\"" | "\"CARGO\"" | "\"RUSTC\"" | "\"rustdoc\""
        ) {
            self.flags |= flag::RUNS_CARGO;
        }
    }
}

fn is_code(text: &str) -> bool {
    text.contains(['(', '{']) || text.contains("::") || text.contains("fn ")
}

/// Whether a text is code, or a name by itself.
pub(super) fn may_be_code(text: &str) -> bool {
    is_code(text) || names_of(text).next() == Some(text)
}

/// The words of a text that may be names.
fn names_of(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c != '_' && !c.is_alphanumeric());
    words.filter(|word| {
        word.starts_with(|c: char| c == '_' || c.is_alphabetic()) && !is_keyword(word)
    })
}

/// Whether code in a text calls a macro that may register something.
fn calls_unknown_macro(text: &str) -> bool {
    let calls = text.match_indices('!').filter(|(at, _)| {
        let rest = text[at + 1..].trim_start();
        rest.starts_with(['(', '{', '['])
    });
    let mut names = calls.map(|(at, _)| {
        let before = &text[..at];
        let is_part = |c: char| c == '_' || c.is_alphanumeric();
        &before[before.trim_end_matches(is_part).len()..]
    });
    names.any(|name| !name.is_empty() && !is_known_macro(name))
}

/// Whether a text is the name of a file: `page.html`.
fn is_file_name(text: &str) -> bool {
    let usual = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    let extension = text.rsplit_once('.').map_or("", |(_, extension)| extension);
    text.len() < 160
        && text.chars().all(usual)
        && (1..=12).contains(&extension.len())
        && extension.starts_with(|c: char| c.is_alphabetic())
}
