//! Mutants that are switched at run time, so that one build serves them all.
//!
//! The body of a function becomes a `match` with the original body and one arm for each mutant. Every process of a test reads the number of
//! its mutant from a file, because a test may start programs without the environment. In the same way a run without a mutant records
//! which functions are executed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::diagnostic::DiagnosticSpan;

use super::list::Mutant;
use crate::sys::files;
use crate::workspace::source::lex::{Kind, lex};

/// The content of the file of numbers in a run that records executed functions.
const TRACE: &str = "trace";

/// The files with the number of the active mutant, and with the executed functions.
#[derive(Debug)]
pub(super) struct Switch {
    file: Utf8PathBuf,
    traces: Utf8PathBuf,
}

/// A source file with switched mutants.
#[derive(Debug, Default)]
pub(super) struct SwitchedFile {
    pub(super) text: String,
    /// The bytes of each mutant, with its index.
    arms: Vec<(usize, Range<usize>)>,
    /// The bytes of each function with the indexes of its mutants.
    functions: Vec<(Range<usize>, Vec<usize>)>,
}

/// The bytes of a function's body, between its braces, and its mutants.
struct Body<'m> {
    bytes: Range<usize>,
    mutants: Vec<(usize, &'m Mutant)>,
}

impl Switch {
    pub(super) fn new(folder: &Utf8Path) -> Self {
        Self {
            file: folder.join("mutant"),
            traces: folder.join("traces"),
        }
    }

    /// Activates the mutant with this index in processes that start from now on; `None` for the original code.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn set(&self, mutant: Option<usize>) -> Result<()> {
        let number = mutant.map_or(0, number);
        files::keep(&self.file, number.to_string().as_bytes())
    }

    /// From now on, processes record which functions they execute.
    ///
    /// # Errors
    /// When the folder of the records cannot be emptied.
    pub(super) fn trace(&self) -> Result<()> {
        files::remove_folder(&self.traces)?;
        files::create_folder(&self.traces)?;
        files::keep(&self.file, TRACE.as_bytes())
    }

    /// The first mutant of each function that was executed since [`Self::trace`].
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(super) fn executed(&self) -> Result<BTreeSet<usize>> {
        let names = files::list(&self.traces)?.into_iter();
        let index = |name: String| {
            let number: usize = name
                .parse()
                .with_context(|| format!("`{name}` is no number"))?;
            Ok(number - 1)
        };
        names.map(index).collect()
    }

    /// The start of a body up to that of the original one.
    fn head(&self, body: &Body<'_>) -> String {
        let indexes = || body.mutants.iter().map(|(index, _)| *index);
        let first = number(indexes().min().unwrap_or_default());
        let last = number(indexes().max().unwrap_or_default());
        let (file, traces) = (&self.file, &self.traces);
        format!(
            " match {{ fn cargo_poc(first: u32, last: u32) -> u32 {{ \
             static ACTIVE: ::std::sync::OnceLock<u32> = ::std::sync::OnceLock::new(); \
             let active = *ACTIVE.get_or_init(|| {{ \
             let text = ::std::fs::read_to_string(r####\"{file}\"####).unwrap_or_default(); \
             if text == \"{TRACE}\" {{ drop(::std::fs::File::create(r####\"{traces}/{first}\"####)); }} \
             text.parse().unwrap_or(0) }}); \
             if first <= active && active <= last {{ active }} else {{ 0 }} }} \
             cargo_poc({first}, {last}) }} {{ 0 => {{"
        )
    }

    /// The text of a file with these mutants, given with their indexes; those that cannot be switched are left out.
    pub(super) fn file(&self, text: &str, mutants: &[(usize, &Mutant)]) -> SwitchedFile {
        let bodies = bodies(text, mutants);
        // The mutants of a function inside another one are switched in the original body of the outer one.
        let mut inserted: BTreeMap<usize, Inserted> = BTreeMap::new();
        for body in &bodies {
            let head = self.head(body);
            let start = inserted.entry(body.bytes.start).or_default();
            start.text.push_str(&head);
            let end = inserted.entry(body.bytes.end).or_default();
            end.add_arms(text, body);
        }
        let mut written = SwitchedFile::default();
        let mut starts: BTreeMap<usize, usize> = BTreeMap::new();
        let mut at = 0;
        for (place, Inserted { text: more, arms }) in inserted {
            written.text.push_str(&text[at..place]);
            at = place;
            let start = written.text.len();
            starts.insert(place, start);
            let arms = arms.into_iter();
            let arms = arms.map(|(index, arm)| (index, start + arm.start..start + arm.end));
            written.arms.extend(arms);
            written.text.push_str(&more);
        }
        written.text.push_str(&text[at..]);
        for body in bodies {
            let mutants = body.mutants.iter().map(|(index, _)| *index);
            let mutants: Vec<usize> = mutants.collect();
            let own = written.arms.iter();
            let own = own.filter(|(index, _)| mutants.contains(index));
            let end = own.map(|(_, arm)| arm.end).max().unwrap_or_default();
            let bytes = starts[&body.bytes.start]..end;
            written.functions.push((bytes, mutants));
        }
        written
    }
}

/// Text to insert at one place.
#[derive(Default)]
struct Inserted {
    text: String,
    /// The bytes of each mutant in it, by index.
    arms: Vec<(usize, Range<usize>)>,
}

impl Inserted {
    /// Ends the original body, and adds an arm for each mutant.
    fn add_arms(&mut self, text: &str, body: &Body<'_>) {
        self.text.push('}');
        for (index, mutant) in &body.mutants {
            let from = self.text.len();
            let mutated = mutant.apply(text);
            let end = mutated.len() + body.bytes.end - text.len();
            let mutated = &mutated[body.bytes.start..end];
            // Writing to a text cannot fail.
            let _ = write!(self.text, " {} => {{{mutated}}}", number(*index));
            self.arms.push((*index, from..self.text.len()));
        }
        self.text.push_str(" _ => ::std::unreachable!() }");
    }
}

/// The number of a mutant in the switched code.
fn number(index: usize) -> usize {
    index + 1
}

impl SwitchedFile {
    /// The mutants that are switched in it.
    pub(super) fn mutants(&self) -> impl Iterator<Item = usize> {
        self.arms.iter().map(|(index, _)| *index)
    }

    /// The mutants to leave out because of a compile error with these spans of the file: those that contain one, or all of the
    /// innermost function that does. Empty if the error is elsewhere.
    pub(super) fn at_fault(&self, spans: &[&DiagnosticSpan]) -> Vec<usize> {
        let holds = |range: &Range<usize>, span: &DiagnosticSpan| {
            range.contains(&(span.byte_start as usize))
        };
        for is_primary in [true, false] {
            let spans = spans.iter().filter(|span| span.is_primary == is_primary);
            let arms = self.arms.iter();
            let arms = arms.filter(|(_, arm)| spans.clone().any(|span| holds(arm, span)));
            let arms: Vec<usize> = arms.map(|(index, _)| *index).collect();
            if !arms.is_empty() {
                return arms;
            }
        }
        let functions = self.functions.iter();
        let functions = functions.filter(|(bytes, _)| spans.iter().any(|span| holds(bytes, span)));
        let innermost = functions.min_by_key(|(bytes, _)| bytes.len());
        innermost.map_or_else(Vec::new, |(_, mutants)| mutants.clone())
    }
}

/// The bodies of functions with mutants.
fn bodies<'m>(text: &str, mutants: &[(usize, &'m Mutant)]) -> Vec<Body<'m>> {
    let Ok(tokens) = lex(text) else {
        return Vec::new();
    };
    let mut functions: BTreeMap<(usize, usize), Vec<(usize, &Mutant)>> = BTreeMap::new();
    for (index, mutant) in mutants {
        let bytes = &mutant.function_bytes;
        let of_function = functions.entry((bytes.start, bytes.end)).or_default();
        of_function.push((*index, *mutant));
    }
    let mut bodies = Vec::new();
    for ((_, end), mut mutants) in functions {
        let close = tokens.iter().find(|token| token.end as usize == end);
        let Some(close) = close.filter(|token| token.kind == Kind::Close(b'}')) else {
            continue;
        };
        let Some(open) = tokens.get(close.partner as usize) else {
            continue;
        };
        let bytes = open.end as usize..close.start as usize;
        mutants.retain(|(_, mutant)| {
            bytes.start <= mutant.bytes.start && mutant.bytes.end <= bytes.end
        });
        if !mutants.is_empty() {
            bodies.push(Body { bytes, mutants });
        }
    }
    bodies
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutant(text: &str, function: &str, old: &str, new: &str) -> Mutant {
        let start = text.find(function).unwrap();
        let at = text.find(old).unwrap();
        Mutant {
            file: "src/lib.rs".into(),
            package: "a".to_owned(),
            function: "f".to_owned(),
            function_bytes: start..start + function.len(),
            line: 1,
            column: 1,
            byte_column: 1,
            bytes: at..at + old.len(),
            replacement: new.to_owned(),
            name: String::new(),
            diff: String::new(),
        }
    }

    #[test]
    fn inner_function_is_switched_in_the_original_outer_one() {
        let inner = "fn g() -> u8 { 1 }";
        let text = format!("fn f() -> u8 {{ {inner} g() + 2 }}\nfn h() {{}}\n");
        let outer = text.split('\n').next().unwrap();
        let mutants = [
            mutant(&text, outer, "+", "-"),
            mutant(&text, outer, "g() + 2", "9"),
            mutant(&text, inner, " 1 ", " 0 "),
        ];
        let mutants: Vec<(usize, &Mutant)> = mutants.iter().enumerate().collect();
        let switched = Switch::new("t".into()).file(&text, &mutants);
        let arms: Vec<&str> = switched
            .arms
            .iter()
            .map(|(_, arm)| switched.text[arm.clone()].trim())
            .collect();
        let in_outer = format!("1 => {{ {inner} g() - 2 }}");
        let second = format!("2 => {{ {inner} 9 }}");
        assert_eq!(arms, ["3 => { 0 }", &in_outer, &second]);
        assert!(switched.text.contains("cargo_poc(1, 2) } { 0 => { fn g()"));
        assert!(
            switched
                .text
                .contains("cargo_poc(3, 3) } { 0 => { 1 } 3 => { 0 } _")
        );
        assert!(
            switched
                .text
                .ends_with("_ => ::std::unreachable!() }}\nfn h() {}\n")
        );
        let [(first, of_first), (second, of_second)] = &switched.functions[..] else {
            panic!("{switched:?}");
        };
        assert_eq!((&of_first[..], &of_second[..]), (&[0, 1][..], &[2][..]));
        assert!(first.start < second.start && second.end < first.end);
    }
}
