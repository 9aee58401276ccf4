//! What sources contradict of the Production-Grade Checklist. Read are the Rust files that changed since the base; places that
//! the base had already do not count.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::assessment::{ChecklistClaim, Contradiction};
use super::context::Context;
use crate::document::Plan;
use crate::document::plan::Action;
use crate::sys::files;
use crate::sys::git::ChangeKind;
use crate::workspace::source::attribute::attributes;
use crate::workspace::source::cfg::{Build, Compiled};
use crate::workspace::source::lex::Kind;
use crate::workspace::source::listing::{has_test, item_compiled, test_kind};
use crate::workspace::source::syntax::{ItemKind, RawItem, Syntax, TOP};

/// Returns the places in one source that contradict an item.
type Look = fn(&Syntax<'_>) -> Vec<Place>;

/// A range of bytes in a source.
struct Place {
    /// The first byte.
    at: u32,
    /// The byte after the last.
    end: u32,
    /// A description for the message.
    what: String,
}

fn look(claim: ChecklistClaim) -> Option<Look> {
    Some(match claim {
        ChecklistClaim::NoStubs => stubs,
        ChecklistClaim::NoUnwraps => unwraps,
        ChecklistClaim::NoIgnoredTests => ignored,
        ChecklistClaim::Documented => undocumented,
        ChecklistClaim::NoSecrets => secrets,
        ChecklistClaim::TestsExist => return None,
    })
}

/// The places that contradict each of these claims, in their order.
pub(super) fn contradictions(
    plan: &Plan,
    cx: &Context<'_>,
    claims: &[ChecklistClaim],
) -> Vec<Vec<Contradiction>> {
    let mut found: Vec<Vec<Contradiction>> = claims.iter().map(|_| Vec::new()).collect();
    if claims.iter().any(|claim| look(*claim).is_some()) {
        for (path, now, before) in changed(cx) {
            let Ok(syntax) = Syntax::read(&now) else {
                // The file does not parse as Rust, which the compiler reports.
                continue;
            };
            let old = before
                .as_deref()
                .and_then(|before| Syntax::read(before).ok());
            for (claim, found) in claims.iter().zip(&mut found) {
                let Some(look) = look(*claim) else {
                    continue;
                };
                let places = new_places(&syntax, old.as_ref(), look);
                found.extend(
                    places
                        .into_iter()
                        .map(|place| at(&syntax, &path, place, *claim)),
                );
            }
        }
    }
    for (claim, found) in claims.iter().zip(&mut found) {
        if *claim == ChecklistClaim::TestsExist {
            *found = without_tests(plan, cx);
        }
    }
    found
}

fn at(syntax: &Syntax<'_>, path: &str, place: Place, claim: ChecklistClaim) -> Contradiction {
    let (start, end) = (place.at as usize, place.end as usize);
    let begin = syntax.text[..start].rfind('\n').map_or(0, |at| at + 1);
    Contradiction {
        claim,
        path: path.to_owned(),
        line: syntax.line(place.at) as usize,
        column: syntax.text[begin..start].chars().count() + 1,
        span: Some(start..end),
        what: place.what,
    }
}

/// The changed Rust files that exist: path, text, and text at the base.
fn changed(cx: &Context<'_>) -> Vec<(String, String, Option<String>)> {
    let (Some(_), Ok(change)) = (cx.workspace, &cx.change) else {
        return Vec::new();
    };
    let sources = change.files.iter().filter(|file| {
        file.kind != ChangeKind::Deleted
            && file.path.extension() == Some("rs")
            && file.path.starts_with(cx.root)
    });
    sources
        .filter_map(|file| {
            let now = String::from_utf8(files::read(&file.path).ok()?).ok()?;
            let before = match file.kind {
                ChangeKind::Added => None,
                _ => change
                    .before(file)
                    .ok()?
                    .and_then(|text| String::from_utf8(text).ok()),
            };
            Some((cx.shown(&file.path), now, before))
        })
        .collect()
}

/// Places on lines that the old text lacks. Equal lines are counted, so an additional copy is new.
fn new_places(now: &Syntax<'_>, old: Option<&Syntax<'_>>, look: Look) -> Vec<Place> {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    if let Some(old) = old {
        for place in look(old) {
            *known.entry(line_text(old, place.at)).or_default() += 1;
        }
    }
    let mut places = look(now);
    places.retain(|place| match known.get_mut(&line_text(now, place.at)) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    });
    places
}

fn line_text(syntax: &Syntax<'_>, byte: u32) -> String {
    let line = syntax.line(byte) as usize;
    let text = syntax.text.lines().nth(line.saturating_sub(1));
    text.unwrap_or_default().trim().to_owned()
}

fn place(syntax: &Syntax<'_>, first: u32, last: u32, what: String) -> Option<Place> {
    Some(Place {
        at: syntax.token(first)?.start,
        end: syntax.token(last)?.end,
        what,
    })
}

fn count(syntax: &Syntax<'_>) -> u32 {
    u32::try_from(syntax.tokens.len()).unwrap_or(u32::MAX)
}

/// `todo!`, `unimplemented!` and `dbg!`.
fn stubs(syntax: &Syntax<'_>) -> Vec<Place> {
    let calls = (0..count(syntax)).filter_map(|at| {
        let name = syntax.ident(at)?;
        let stub = matches!(name, "todo" | "unimplemented" | "dbg");
        let called = syntax.is(at + 1, b'!') && !syntax.is(at + 2, b'=');
        (stub && called).then(|| place(syntax, at, at + 1, format!("`{name}!` is left")))?
    });
    calls.collect()
}

/// `.unwrap()` outside of tests.
fn unwraps(syntax: &Syntax<'_>) -> Vec<Place> {
    let tests = test_code(syntax);
    let calls = (1..count(syntax)).filter_map(|at| {
        let called = syntax.ident(at) == Some("unwrap")
            && syntax.is(at - 1, b'.')
            && syntax.opens(at + 1, b'(');
        let within = tests.iter().any(|range| range.contains(&at));
        (called && !within).then(|| place(syntax, at, at + 2, "`unwrap` was added".to_owned()))?
    });
    calls.collect()
}

/// The tokens of items that are only compiled for tests.
fn test_code(syntax: &Syntax<'_>) -> Vec<std::ops::Range<u32>> {
    let items = (0_u32..).zip(&syntax.items);
    let tests = items.filter(|(index, item)| {
        let own = attributes(syntax, item.attributes.clone());
        item.kind == ItemKind::Fn && test_kind(&own).is_some()
            || item_compiled(syntax, *index, Build::Doctest) == Compiled::No
    });
    tests.map(|(_, item)| item.tokens.clone()).collect()
}

/// `#[ignore]`.
fn ignored(syntax: &Syntax<'_>) -> Vec<Place> {
    let mut places = Vec::new();
    for item in &syntax.items {
        let own = attributes(syntax, item.attributes.clone());
        if item.kind == ItemKind::Fn && own.iter().any(|attribute| attribute.is("ignore")) {
            let name = item.name.map_or("it", |name| syntax.word(name));
            let what = format!("the test `{name}` is ignored");
            let mut range = item.attributes.clone();
            let at = range.find(|at| syntax.ident(*at) == Some("ignore"));
            places.extend(at.and_then(|at| place(syntax, at, at, what)));
        }
    }
    places
}

/// Public items without documentation.
fn undocumented(syntax: &Syntax<'_>) -> Vec<Place> {
    let tests = test_code(syntax);
    let items = syntax.items.iter().filter_map(|item| {
        let name = item.name?;
        let shown = matches!(
            item.kind,
            ItemKind::Fn
                | ItemKind::Const
                | ItemKind::Static
                | ItemKind::Struct
                | ItemKind::Enum
                | ItemKind::Union
                | ItemKind::Trait
                | ItemKind::Type
        );
        let bare = shown
            && is_public(syntax, item)
            && !is_documented(syntax, item)
            && !tests.iter().any(|range| range.contains(&name));
        let what = format!("`{}` is public and undocumented", syntax.word(name));
        bare.then(|| place(syntax, name, name, what))?
    });
    items.collect()
}

/// Whether the item and its enclosing modules in this file are `pub`. The type of an `impl` is not considered.
fn is_public(syntax: &Syntax<'_>, item: &RawItem) -> bool {
    let public = |item: &RawItem| {
        let first = item.tokens.start;
        syntax.ident(first) == Some("pub") && !syntax.opens(first + 1, b'(')
    };
    let mut parent = item.parent;
    while parent != TOP {
        let holder = &syntax.items[parent as usize];
        match holder.kind {
            ItemKind::Mod if !public(holder) => return false,
            ItemKind::Mod | ItemKind::Impl => {}
            _ => return false,
        }
        parent = holder.parent;
    }
    public(item)
}

fn is_documented(syntax: &Syntax<'_>, item: &RawItem) -> bool {
    let mut tokens = item.attributes.clone();
    let comment = |at: u32| {
        syntax
            .token(at)
            .is_some_and(|token| token.kind == Kind::OuterDoc)
    };
    tokens.any(comment)
        || attributes(syntax, item.attributes.clone())
            .iter()
            .any(|attribute| attribute.is("doc"))
}

/// String literals that look like keys, and long ones assigned to a name such as `password` or `token`.
fn secrets(syntax: &Syntax<'_>) -> Vec<Place> {
    let tests = test_code(syntax);
    let strings = (0..count(syntax)).filter_map(|at| {
        let token = syntax.token(at).filter(|token| token.kind == Kind::Str)?;
        let text = &syntax.text[token.start as usize..token.end as usize];
        let text = text.trim_start_matches(['r', '#']).trim_matches(['"', '#']);
        let given = || {
            !tests.iter().any(|range| range.contains(&at)) && is_given_to_a_secret(syntax, at, text)
        };
        (is_key(text) || given())
            .then(|| place(syntax, at, at, "this looks like a secret".to_owned()))?
    });
    strings.collect()
}

/// Prefixes and forms of keys of AWS, GitHub, Slack, Google, Stripe, and PEM.
fn is_key(text: &str) -> bool {
    let body = |prefix: &str, length: usize| {
        text.match_indices(prefix).any(|(at, _)| {
            let rest = &text[at + prefix.len()..];
            let key = rest
                .bytes()
                .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
            key.count() >= length
        })
    };
    body("AKIA", 16)
        || ["ghp_", "gho_", "ghs_", "github_pat_"]
            .iter()
            .any(|prefix| body(prefix, 20))
        || ["xoxb-", "xoxp-", "sk_live_", "rk_live_"]
            .iter()
            .any(|prefix| body(prefix, 12))
        || body("AIza", 30)
        || text.contains("-----BEGIN") && text.contains("PRIVATE KEY-----")
}

/// `password = "…"`, `api_key: "…"`, `const TOKEN: &str = "…"`: long, of letters and digits, and not an example.
fn is_given_to_a_secret(syntax: &Syntax<'_>, at: u32, text: &str) -> bool {
    const NAMES: &[&str] = &[
        "password",
        "passwd",
        "secret",
        "token",
        "api_key",
        "apikey",
        "private_key",
    ];
    const EXAMPLES: &[&str] = &[
        "example", "test", "dummy", "fake", "xxxx", "changeme", "your",
    ];
    let lower = text.to_lowercase();
    let mixed =
        text.chars().any(|each| each.is_ascii_digit()) && text.chars().any(char::is_alphabetic);
    let plain = text
        .chars()
        .all(|each| each.is_ascii_alphanumeric() || "+/=_-.!@#$%^&*".contains(each));
    if text.len() < 12 || !mixed || !plain || EXAMPLES.iter().any(|word| lower.contains(word)) {
        return false;
    }
    let assigned = syntax.is(at.wrapping_sub(1), b'=') || syntax.is(at.wrapping_sub(1), b':');
    let before = at.saturating_sub(8)..at.saturating_sub(1);
    let named = before.filter_map(|at| syntax.ident(at)).any(|name| {
        let name = name.to_lowercase();
        NAMES
            .iter()
            .any(|secret| name == *secret || name.ends_with(&format!("_{secret}")))
    });
    assigned && named
}

/// Created files that contain no test and that no test of their package names.
fn without_tests(plan: &Plan, cx: &Context<'_>) -> Vec<Contradiction> {
    let mut found = Vec::new();
    let Some(workspace) = cx.workspace else {
        return found;
    };
    for row in plan.files.iter().filter(|row| row.action == Action::Create) {
        let path = cx.root.join(&row.path);
        let source = path.extension() == Some("rs") && row.path.contains("src/");
        let stem = path.file_stem().unwrap_or_default();
        let named = if matches!(stem, "mod" | "lib" | "main") {
            path.parent()
                .and_then(Utf8Path::file_name)
                .unwrap_or_default()
        } else {
            stem
        };
        let (true, Some(text), Some(owner)) = (source, files::text(&path), workspace.owner(&path))
        else {
            continue;
        };
        let Ok(syntax) = Syntax::read(&text) else {
            continue;
        };
        let defined: Vec<&str> = syntax
            .items
            .iter()
            .filter(|item| item.kind != ItemKind::Impl && item.parent == TOP)
            .filter_map(|item| item.name)
            .map(|name| syntax.word(name))
            .chain([named])
            .collect();
        let tested = has_test(&syntax)
            || defined.is_empty()
            || tests_of(workspace.folder(owner)).iter().any(|test| {
                let words = test.split(|sign: char| !sign.is_alphanumeric() && sign != '_');
                words.into_iter().any(|word| defined.contains(&word))
            });
        if !tested {
            found.push(Contradiction {
                claim: ChecklistClaim::TestsExist,
                path: row.path.clone(),
                line: 1,
                column: 1,
                span: Some(row.path_span.clone()),
                what: format!("`{}` has no test", row.path),
            });
        }
    }
    found
}

/// The texts of a package's integration tests and test modules.
fn tests_of(folder: &Utf8Path) -> Vec<String> {
    let walk = |below: &str| files::walk(&folder.join(below)).unwrap_or_default();
    let integration = walk("tests").into_iter();
    let is_module = |path: &Utf8PathBuf| {
        let stem = path.file_stem().unwrap_or_default();
        stem == "tests"
            || stem == "test"
            || stem.ends_with("_tests")
            || stem.ends_with("_test")
            || path.components().any(|part| part.as_str() == "tests")
    };
    let modules = walk("src").into_iter().filter(is_module);
    let sources = integration
        .chain(modules)
        .filter(|path| path.extension() == Some("rs"));
    sources.filter_map(|path| files::text(&path)).collect()
}
