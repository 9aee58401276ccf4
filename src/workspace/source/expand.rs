//! Expands `macro_rules!` macros as text: matches the patterns of the arms against the input of a call, and writes the body.
//!
//! A call in item position can define anything: the harness lists tests, and the crate uses items, that exist only after expansion. Hygiene
//! does not matter for items, and fragments end where their follow sets allow, so text suffices. A call that does not match, or grows without
//! limit, is not expanded, and the caller widens.

mod matching;
mod pattern;

use std::ops::Range;

use super::lex::Kind;
use super::syntax::Syntax;
use matching::{Binding, Bindings, sequence};
use pattern::{Arm, arms, spelled};

/// A `macro_rules!` macro for expanding calls.
#[derive(Debug)]
pub struct Definition<'t> {
    syntax: &'t Syntax<'t>,
    arms: Vec<Arm>,
}

impl<'t> Definition<'t> {
    /// Parses the body of a `macro_rules!` item.
    #[must_use]
    pub fn new(syntax: &'t Syntax<'t>, body: Range<u32>) -> Self {
        Self {
            syntax,
            arms: arms(syntax, body),
        }
    }

    /// The expansion of a call with these tokens; `$crate` becomes `dollar_crate`. `None` if no arm matches.
    #[must_use]
    pub fn expand(&self, call: &Syntax, input: Range<u32>, dollar_crate: &str) -> Option<String> {
        let is_doc = |at: u32| {
            call.token(at)
                .is_some_and(|token| token.kind == Kind::OuterDoc)
        };
        if !input.clone().any(is_doc) {
            return self.expand_tokens(call, input, dollar_crate);
        }
        // Macros see documentation as attributes.
        let words = input.map(|at| match call.token(at) {
            Some(token) if token.kind == Kind::OuterDoc => doc_attribute(call.word(at)),
            _ => spelled(call, at),
        });
        let text = words.collect::<Vec<_>>().join(" ");
        let call = Syntax::read(&text).ok()?;
        let all = 0..u32::try_from(call.tokens.len()).ok()?;
        self.expand_tokens(&call, all, dollar_crate)
    }

    fn expand_tokens(
        &self,
        call: &Syntax,
        input: Range<u32>,
        dollar_crate: &str,
    ) -> Option<String> {
        self.arms.iter().find_map(|arm| {
            let mut bindings = Vec::new();
            let end = sequence(&arm.pattern, call, input.start, input.end, &mut bindings)?;
            if end != input.end {
                return None;
            }
            let mut text = String::new();
            transcribe(
                self.syntax,
                arm.body.clone(),
                &[&bindings],
                dollar_crate,
                &mut text,
            )?;
            Some(text)
        })
    }
}

/// A doc comment as the attribute that rustc makes of it for macros.
fn doc_attribute(comment: &str) -> String {
    let text = match comment.strip_prefix("/**") {
        Some(text) => text.strip_suffix("*/").unwrap_or(text),
        None => comment.strip_prefix("///").unwrap_or(comment),
    };
    let text = text.trim_end_matches(['\r', '\n']);
    // As many as no text of the comment ends a raw string with.
    let longest = text.split('"').skip(1).map(|rest| {
        let marks = rest.bytes().take_while(|byte| *byte == b'#');
        marks.count() + 1
    });
    let marks = "#".repeat(longest.max().unwrap_or(0));
    format!("#[doc = r{marks}\"{text}\"{marks}]")
}

/// The size limit of an expansion; a larger one grows without limit.
const LONGEST: usize = 1 << 20;

fn transcribe(
    syntax: &Syntax,
    body: Range<u32>,
    scopes: &[&Bindings],
    dollar_crate: &str,
    text: &mut String,
) -> Option<()> {
    let mut at = body.start;
    while at < body.end {
        if text.len() > LONGEST {
            return None;
        }
        if syntax.is(at, b'$') && syntax.opens(at + 1, b'(') {
            let past = syntax.after(at + 1);
            let inner = at + 2..past - 1;
            at = past;
            let mut separator = String::new();
            while at < body.end
                && !(syntax.is(at, b'*') || syntax.is(at, b'+') || syntax.is(at, b'?'))
            {
                separator.push_str(syntax.word(at));
                at += 1;
            }
            at += 1;
            repetition(syntax, &inner, scopes, dollar_crate, &separator, text)?;
            continue;
        }
        if syntax.is(at, b'$')
            && let Some(name) = syntax.ident(at + 1)
        {
            match lookup(scopes, name) {
                Some(Binding::Text(bound)) => text.push_str(bound),
                Some(Binding::Many(_)) => return None,
                None if name == "crate" => text.push_str(dollar_crate),
                None => {
                    text.push('$');
                    text.push_str(name);
                }
            }
            at += 2;
        } else if let Some(token) = syntax.token(at)
            && let Kind::Open(_) = token.kind
        {
            text.push_str(syntax.word(at));
            transcribe(syntax, at + 1..token.partner, scopes, dollar_crate, text)?;
            text.push_str(syntax.word(token.partner));
            at = token.partner + 1;
        } else {
            text.push_str(&spelled(syntax, at));
            at += 1;
        }
        text.push(' ');
    }
    Some(())
}

fn lookup<'b>(scopes: &[&'b Bindings], name: &str) -> Option<&'b Binding> {
    scopes.iter().rev().find_map(|scope| {
        scope
            .iter()
            .rev()
            .find(|(bound, _)| bound == name)
            .map(|(_, binding)| binding)
    })
}

fn repetition(
    syntax: &Syntax,
    inner: &Range<u32>,
    scopes: &[&Bindings],
    dollar_crate: &str,
    separator: &str,
    text: &mut String,
) -> Option<()> {
    let used = (inner.start..inner.end)
        .filter(|at| syntax.is(*at, b'$'))
        .filter_map(|at| syntax.ident(at + 1));
    let rows: Vec<&Vec<Bindings>> = used
        .filter_map(|name| match lookup(scopes, name) {
            Some(Binding::Many(rows)) => Some(rows),
            _ => None,
        })
        .collect();
    let count = rows.iter().map(|rows| rows.len()).min()?;
    for row in 0..count {
        if row > 0 {
            text.push_str(separator);
            text.push(' ');
        }
        let mut inside = scopes.to_vec();
        inside.extend(rows.iter().map(|rows| &rows[row]));
        transcribe(syntax, inner.clone(), &inside, dollar_crate, text)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(definition: &str, input: &str) -> Option<String> {
        let defined = Syntax::read(definition).unwrap();
        let call = Syntax::read(input).unwrap();
        let definition = Definition::new(&defined, defined.items[0].body.clone().unwrap());
        let all = 0..u32::try_from(call.tokens.len()).unwrap();
        definition
            .expand(&call, all, "crate")
            .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn variables_are_bound_in_repetitions_groups_and_closures() {
        let test = "macro_rules! t { ($n:ident, $f:expr) => { fn $n() { $f } }; ($($n:ident: $a:expr => [$($t:ty),*];)*) => { $( $crate::x!($n $($t)|* ); )* } }";
        assert_eq!(
            expanded(test, "a, |x, y| { x.y(1, 2) }").unwrap(),
            "fn a () {| x , y | { x . y ( 1 , 2 ) } }"
        );
        assert_eq!(
            expanded(test, "a: f::<u8, u8>(1) => [A<B, C>, D]; b: 2 => [];").unwrap(),
            "crate : : x ! (a A < B , C > | D ) ; crate : : x ! (b ) ;"
        );
        assert_eq!(expanded(test, "1 + 2 => x"), None);
    }

    #[test]
    fn optional_parts_attributes_and_raw_names_are_kept() {
        let test = "macro_rules! t { ($(#[$m:meta])* $v:vis $n:ident $(= $e:expr)? ; $($rest:tt)*) => { $(#[$m])* $v static $n: u8 = 0 $(+ $e)?; t! { $($rest)* } }; () => {} }";
        assert_eq!(
            expanded(test, "#[a(b)] pub(crate) r#type = 1; other;").unwrap(),
            "# [a ( b ) ] pub ( crate ) static r#type : u8 = 0 + 1 ; t ! {other ; }"
        );
        assert_eq!(expanded(test, "").unwrap(), "");
    }
}
