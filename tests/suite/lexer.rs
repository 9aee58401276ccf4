//! The lexer of `workspace::source` compared with rustc's, token by token.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_poc::internals::workspace::source::lex::{Kind, is_keyword, lex};
use proptest::prelude::*;
use ra_ap_rustc_lexer::{
    Base, DocStyle, FrontmatterAllowed, LiteralKind, TokenKind, strip_shebang, tokenize,
};

/// A token as both lexers have it: its kind, and its first and last byte.
type Token = (Kind, usize, usize);

/// The tokens of rustc's lexer in our terms; `None` for a text that rustc rejects or reserves.
fn rustc_tokens(text: &str) -> Option<Vec<Token>> {
    let mark = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let shebang = strip_shebang(&text[mark..]).unwrap_or(0);
    let mut at = mark + shebang;
    let mut tokens = Vec::new();
    for token in tokenize(&text[at..], FrontmatterAllowed::Yes) {
        let (start, end) = (at, at + token.len as usize);
        at = end;
        let kind = match token.kind {
            TokenKind::Whitespace
            | TokenKind::LineComment { doc_style: None }
            | TokenKind::BlockComment {
                doc_style: None,
                terminated: true,
            }
            | TokenKind::Frontmatter {
                has_invalid_preceding_whitespace: false,
                invalid_infostring: false,
            } => continue,
            TokenKind::LineComment {
                doc_style: Some(style),
            }
            | TokenKind::BlockComment {
                doc_style: Some(style),
                terminated: true,
            } => match style {
                DocStyle::Outer => Kind::OuterDoc,
                DocStyle::Inner => Kind::InnerDoc,
            },
            TokenKind::Ident => Kind::Ident,
            TokenKind::RawIdent => {
                let name = &text[start + 2..end];
                let from = if is_keyword(name) { start } else { start + 2 };
                tokens.push((Kind::Ident, from, end));
                continue;
            }
            TokenKind::RawLifetime
            | TokenKind::Lifetime {
                starts_with_number: false,
            } => Kind::Lifetime,
            TokenKind::Literal {
                kind: LiteralKind::Char { .. } | LiteralKind::Byte { .. },
                suffix_start,
            } if !is_one_character(&text[start..start + suffix_start as usize]) => return None,
            TokenKind::Literal { kind, .. } => match kind {
                LiteralKind::Str { terminated: true }
                | LiteralKind::RawStr { n_hashes: Some(_) } => Kind::Str,
                LiteralKind::Int {
                    empty_int: false, ..
                }
                | LiteralKind::Float {
                    base: Base::Decimal,
                    empty_exponent: false,
                }
                | LiteralKind::Char { terminated: true }
                | LiteralKind::Byte { terminated: true }
                | LiteralKind::ByteStr { terminated: true }
                | LiteralKind::CStr { terminated: true }
                | LiteralKind::RawByteStr { n_hashes: Some(_) }
                | LiteralKind::RawCStr { n_hashes: Some(_) } => Kind::Literal,
                _ => return None,
            },
            TokenKind::OpenParen | TokenKind::OpenBrace | TokenKind::OpenBracket => {
                Kind::Open(text.as_bytes()[start])
            }
            TokenKind::CloseParen | TokenKind::CloseBrace | TokenKind::CloseBracket => {
                Kind::Close(text.as_bytes()[start])
            }
            TokenKind::Semi
            | TokenKind::Comma
            | TokenKind::Dot
            | TokenKind::At
            | TokenKind::Pound
            | TokenKind::Tilde
            | TokenKind::Question
            | TokenKind::Colon
            | TokenKind::Dollar
            | TokenKind::Eq
            | TokenKind::Bang
            | TokenKind::Lt
            | TokenKind::Gt
            | TokenKind::Minus
            | TokenKind::And
            | TokenKind::Or
            | TokenKind::Plus
            | TokenKind::Star
            | TokenKind::Slash
            | TokenKind::Caret
            | TokenKind::Percent => Kind::Punct(text.as_bytes()[start]),
            _ => return None,
        };
        tokens.push((kind, start, end));
    }
    Some(tokens)
}

/// Whether a literal in single quotes holds one character or one escape; otherwise a later phase rejects it.
fn is_one_character(literal: &str) -> bool {
    let inner = literal.trim_start_matches('b').trim_matches('\'');
    inner.starts_with('\\') || inner.chars().count() == 1
}

fn are_brackets_balanced(tokens: &[Token]) -> bool {
    let mut open = Vec::new();
    for (kind, ..) in tokens {
        match kind {
            Kind::Open(byte) => open.push(match byte {
                b'(' => b')',
                b'[' => b']',
                _ => b'}',
            }),
            Kind::Close(byte) if open.pop() != Some(*byte) => return false,
            _ => {}
        }
    }
    open.is_empty()
}

/// Compares the two lexers on a text that rustc accepts; says whether it does.
#[track_caller]
fn compare(name: &str, text: &str) -> bool {
    let Some(expected) = rustc_tokens(text).filter(|tokens| are_brackets_balanced(tokens)) else {
        return false;
    };
    let tokens = lex(text).unwrap_or_else(|problem| panic!("{name}: {problem:?}\n{text}"));
    for (index, token) in tokens.iter().enumerate() {
        let ours = (token.kind, token.start as usize, token.end as usize);
        let theirs = expected.get(index).copied();
        assert_eq!(Some(ours), theirs, "{name}: {:?}", &text[ours.1..ours.2]);
    }
    assert_eq!(tokens.len(), expected.len(), "{name}");
    true
}

fn sources(folder: &Utf8Path, found: &mut Vec<Utf8PathBuf>) {
    for entry in folder.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension() == Some("rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_project_s_own_sources_have_rustc_s_tokens() {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches", "fuzz/fuzz_targets"] {
        sources(&root.join(folder), &mut files);
    }
    let accepted = files.iter().filter(|path| {
        let text = fs::read_to_string(path).unwrap();
        compare(path.as_str(), &text)
    });
    assert_eq!(accepted.count(), files.len());
    assert!(files.len() > 200, "{}", files.len());
}

/// Texts at the edges of the lexical grammar, each of which rustc accepts.
const UNUSUAL: &[&str] = &[
    "",
    "\u{feff}fn main() {}",
    "#!/usr/bin/env run\nfn main() {}",
    "#![allow(unused)]\nfn main() {}",
    "#!\n[allow(unused)]\nfn main() {}",
    "---\npackage.edition = \"2024\"\n---\nfn main() {}",
    "#!/usr/bin/env run\n---cargo\n[dependencies]\n---\nfn main() {}",
    "// line\n/// outer\n//! inner\n//// plain\n//",
    "/* plain */ /** outer */ /*! inner */ /**/ /***/ /*** plain */ /* a /* b */ c */",
    "'a' '\\'' '\\\\' '\\u{1f600}' '\"' 'é' '😀' ' '",
    "'a 'static '_ 'r#match 'é",
    "impl<'a> T<'a> { fn f<'b>(&'b self, c: char) -> bool { c == 'b' } }",
    "\"\" \"\\\"\" \"a\\\\\" \"line\\\n  more\" \"é\" \"//\" \"/*\"",
    "r\"\" r\"\\\" r#\"\"\"# r##\"a\"#b\"## br\"\\\" br#\"\"\"# b\"\\\"\" b'\\'' b'\"' c\"c\" cr#\"\"\"#",
    "\"a\"suffix r\"a\"suffix 'a'suffix 1suffix 1.0suffix",
    "0 1_000 0xff_u8 0b1010 0o17 1e3 1E-3 1e+3 1.5e3 1. 1.0 0xe+1 1u8 1f32",
    "1..2 1..=2 1.max(2) a.0.1 a.0 .. 1.e 1._a",
    "r#fn r#type rust break bytes brr cry r b c br cr",
    "a::b::<c>() => -> <- ..= ... && || << >> <<= >>= ; , @ ~ ? $ ^ % # !",
    "макрос! { имя } é_1 _é _",
    "a\u{2028}c\u{200e}d\u{85}e",
    "a\r\nb\tc\u{b}d\u{c}e",
    "macro_rules! m { ($($t:tt)*) => { $($t)* }; (#) => {}; }",
    "{[()]}([{}])",
];

#[test]
fn unusual_texts_have_rustc_s_tokens() {
    for text in UNUSUAL {
        assert!(compare("unusual", text), "rustc rejects {text:?}");
    }
}

proptest! {
    /// Fragments that start or end a token, in any order: the following fragment decides where a token ends.
    #[test]
    fn any_sequence_of_fragments_has_rustc_s_tokens(
        fragments in prop::collection::vec(prop::sample::select(vec![
            "r", "b", "c", "br", "cr", "#", "\"", "'", "\\", "a", "é", "_", "0", "1", "x", "e", "E", ".", "+", "-", "/",
            "*", "!", "\n", " ", "(", ")", "[", "]", "{", "}", "fn", "r#", "'a", "0x", "1.", "//", "/*", "*/", "::",
        ]), 0..12)
    ) {
        compare("fragments", &fragments.concat());
    }
}
