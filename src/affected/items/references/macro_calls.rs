//! The references in attributes and calls of macros: their input, the files that they embed, and the names that format strings capture.

use std::ops::Range;

use super::text::names_of;
use super::{Collector, LONGEST_NAME};
use crate::affected::items::builtins::{is_builtin_attribute, is_keyword};
use crate::affected::items::extract::compact::Symbol;
use crate::affected::items::extract::model::{STATEMENT, TextFile, flag};
use crate::affected::items::known_macros::is_standard_derive;
use crate::workspace::source::attribute::{Attribute, commas, unquote};
use crate::workspace::source::lex::Kind;
use crate::workspace::source::modules::included_path;

impl<'t> Collector<'_, 't, '_> {
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

    /// Adds the names in the input of a macro, including those in strings.
    pub(super) fn input_names(&mut self, range: Range<u32>, into: &mut Vec<Symbol>) {
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
    pub(super) fn macro_path(&mut self, path: &[&str]) -> Vec<Symbol> {
        let last = path.len().saturating_sub(1);
        let segments = [last, 0, last.saturating_sub(1)].into_iter();
        let words = segments.filter_map(|at| path.get(at));
        words.map(|word| self.table.intern(word)).collect()
    }

    /// Whether a macro call with this input, whose path begins at a token, is a statement by itself: nothing uses its value.
    pub(super) fn is_statement(&self, first: u32, input: &Range<u32>) -> bool {
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
    pub(super) fn template_files(&mut self, range: Range<u32>) {
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

    pub(super) fn position_macro(&mut self, name: &str) {
        if matches!(name, "line" | "column") {
            self.flags |= flag::POSITION;
        }
    }

    /// An `include!` of an expression: the names in the file count.
    pub(super) fn included(&mut self, input: Range<u32>) {
        match included_path(self.syntax, input) {
            Some(file) => self.texts.push(TextFile {
                path: file.path,
                from_package: file.from_package,
                included: true,
            }),
            None => self.flags |= flag::UNREADABLE_INCLUDE,
        }
    }

    /// Macros such as `include_str!`: the strings in their input are files.
    pub(in crate::affected::items) fn embedding(&mut self, name: &str, at: u32) {
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

    /// Names captured by format strings directly in a known macro's input.
    pub(super) fn formats(&mut self, range: Range<u32>) {
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
    pub(super) fn captured(&mut self, text: &str, unresolved: bool) {
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
