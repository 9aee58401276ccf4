//! Tests in one file, as the test harness will list them.

use super::attribute::{Attribute, Build, Compiled, attributes, compiled};
use super::expand::{arms, matches};
use super::syntax::{ItemKind, RawItem, Syntax, TOP};

/// How a function is a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestKind {
    /// `#[test]`, `#[tokio::test]`: listed under the function's own name.
    Exact,
    /// `#[rstest]`, `#[test_case(…)]`: listed under names that begin with the function's.
    Prefix,
}

/// How these attributes make a function a test, if they do.
pub fn test_kind(attributes: &[Attribute]) -> Option<TestKind> {
    let names: Vec<&str> = attributes.iter().map(Attribute::name).collect();
    let cases = names
        .iter()
        .any(|name| matches!(*name, "case" | "values" | "template" | "apply"));
    if names.contains(&"test")
        && !cases
        && !names
            .iter()
            .any(|name| name.contains("test_case") || *name == "rstest")
    {
        return Some(TestKind::Exact);
    }
    let marks = |name: &&str| {
        *name != "cfg"
            && (name.contains("test")
                || *name == "quickcheck"
                || *name == "proptest"
                || *name == "case")
    };
    names.iter().any(marks).then_some(TestKind::Prefix)
}

/// A test found in a file, its path relative to the module the file is.
#[derive(Debug, Clone)]
pub struct Found {
    /// Inline modules it stands in, then its name.
    pub path: Vec<String>,
    /// Whether the harness lists this very name, or names that begin with it.
    pub exact: bool,
    /// `#[ignore]`.
    pub ignored: bool,
    /// Whether its `cfg` attributes hold, those around it in this file included.
    pub compiled: Compiled,
    /// Its line, counted from 1.
    pub line: u32,
}

/// The inline modules around an item, outermost first.
pub fn modules(syntax: &Syntax, item: &RawItem) -> Vec<String> {
    let mut path = Vec::new();
    let mut parent = item.parent;
    while parent != TOP {
        let holder = &syntax.items[parent as usize];
        if holder.kind == ItemKind::Mod {
            path.extend(holder.name.map(|name| syntax.word(name).to_owned()));
        }
        parent = holder.parent;
    }
    path.reverse();
    path
}

/// Whether an item is compiled, by its own `cfg` attributes and those around it in the file.
pub fn item_compiled(syntax: &Syntax, index: u32, build: Build) -> Compiled {
    let mut all = Compiled::Yes;
    let mut at = index;
    while at != TOP {
        let item = &syntax.items[at as usize];
        all = all.and(compiled(
            syntax,
            &attributes(syntax, item.attributes.clone()),
            build,
        ));
        at = item.parent;
    }
    for range in &syntax.inner {
        all = all.and(compiled(syntax, &attributes(syntax, range.clone()), build));
    }
    all
}

/// The tests that stand in a file as functions with a test attribute.
pub fn tests(syntax: &Syntax) -> Vec<Found> {
    let mut found = Vec::new();
    for (index, item) in (0_u32..).zip(&syntax.items) {
        let Some(name) = item
            .name
            .filter(|_| item.kind == ItemKind::Fn && !item.attributes.is_empty())
        else {
            continue;
        };
        let own = attributes(syntax, item.attributes.clone());
        let Some(kind) = test_kind(&own) else {
            continue;
        };
        if !listed(syntax, item) {
            continue;
        }
        let mut path = modules(syntax, item);
        path.push(syntax.word(name).to_owned());
        found.push(Found {
            path,
            exact: kind == TestKind::Exact,
            ignored: own.iter().any(|attribute| attribute.is("ignore")),
            compiled: item_compiled(syntax, index, Build::Test),
            line: syntax.line_of(name),
        });
    }
    found
}

/// The harness does not see tests inside functions, nor members.
fn listed(syntax: &Syntax, item: &RawItem) -> bool {
    let mut parent = item.parent;
    while parent != TOP {
        let holder = &syntax.items[parent as usize];
        if !matches!(holder.kind, ItemKind::Mod | ItemKind::Call) {
            return false;
        }
        parent = holder.parent;
    }
    true
}

/// A `macro_rules!` macro whose body defines tests.
#[derive(Debug, Clone)]
pub struct TestMacro {
    /// Its name.
    pub name: String,
    /// The tokens of its arms, as text.
    pub text: String,
}

/// The macros in a file whose bodies define tests.
pub fn test_macros(syntax: &Syntax) -> Vec<TestMacro> {
    let is_test = |item: &&RawItem| {
        let body = item.body.clone().unwrap_or(0..0);
        body.clone().any(|at| {
            syntax.is(at, b'#')
                && syntax.opens(at + 1, b'[')
                && defines_test(syntax, at, body.end).is_some()
        })
    };
    let macros = syntax
        .items
        .iter()
        .filter(|item| item.kind == ItemKind::Macro);
    macros
        .filter(is_test)
        .filter_map(|item| {
            let body = item.body.clone()?;
            let (first, last) = (syntax.token(body.start)?, syntax.token(body.end - 1)?);
            let text = syntax.text[first.start as usize..last.end as usize].to_owned();
            Some(TestMacro {
                name: syntax.word(item.name?).to_owned(),
                text,
            })
        })
        .collect()
}

/// When a test attribute stands at `at`: the token of the function's name, whether the test is exact, and whether it is ignored.
fn defines_test(syntax: &Syntax, at: u32, end: u32) -> Option<(u32, bool, bool)> {
    let mut next = at;
    while syntax.is(next, b'#') && syntax.opens(next + 1, b'[') {
        next = syntax.after(next + 1);
    }
    let own = attributes(syntax, at..next);
    let kind = test_kind(&own)?;
    let ignored = own.iter().any(|attribute| attribute.is("ignore"));
    while next < end
        && syntax
            .ident(next)
            .is_some_and(|word| matches!(word, "pub" | "async" | "unsafe" | "const"))
    {
        next += 1;
    }
    // Attributes or visibility that the caller passes: `$(#[$meta])* $vis`.
    while next < end
        && syntax.is(next, b'$')
        && syntax.ident(next + 2) != Some("fn")
        && syntax.ident(next) != Some("fn")
    {
        next = syntax.after(next + 1);
        while next < end && (syntax.is(next, b'*') || syntax.is(next, b'?')) {
            next += 1;
        }
    }
    (syntax.ident(next) == Some("fn")).then_some((next + 1, kind == TestKind::Exact, ignored))
}

/// The tests that calls of `macros` in this file define.
pub fn macro_tests(syntax: &Syntax, macros: &[TestMacro]) -> Vec<Found> {
    let mut found = Vec::new();
    for (index, item) in (0_u32..).zip(&syntax.items) {
        let Some(name) = item
            .name
            .filter(|_| item.kind == ItemKind::Call && listed(syntax, item))
        else {
            continue;
        };
        let Some(input) = item.body.clone() else {
            continue;
        };
        let compiled = item_compiled(syntax, index, Build::Test);
        for definition in macros
            .iter()
            .filter(|definition| definition.name == syntax.word(name))
        {
            let Ok(defined) = Syntax::read(&definition.text) else {
                continue;
            };
            let all = 0..u32::try_from(defined.tokens.len()).unwrap_or(0);
            let bound = arms(&defined, all)
                .into_iter()
                .find_map(|arm| Some((matches(&arm.pattern, syntax, input.clone())?, arm.body)));
            let Some((bound, body)) = bound else {
                let path = [modules(syntax, item), vec![String::new()]].concat();
                found.push(Found {
                    path,
                    exact: false,
                    ignored: false,
                    compiled,
                    line: syntax.line_of(name),
                });
                continue;
            };
            let mut at = body.start;
            while at < body.end {
                if let Some((test, exact, ignored)) = defines_test(&defined, at, body.end) {
                    let variable = defined.is(test, b'$').then(|| defined.word(test + 1));
                    let names: Vec<(String, u32)> = match variable {
                        Some(variable) => bound
                            .iter()
                            .filter(|(name, _)| name == variable)
                            .map(|(_, range)| (syntax.word(range.start).to_owned(), range.start))
                            .collect(),
                        None => vec![(defined.ident(test).unwrap_or("").to_owned(), name)],
                    };
                    for (test, place) in names {
                        let path = [modules(syntax, item), vec![test]].concat();
                        found.push(Found {
                            path,
                            exact,
                            ignored,
                            compiled,
                            line: syntax.line_of(place),
                        });
                    }
                    at = test;
                }
                at += 1;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &[Found]) -> Vec<String> {
        found
            .iter()
            .map(|test| {
                let marks = [
                    (test.exact, ""),
                    (!test.exact, "*"),
                    (test.ignored, " ignored"),
                    (test.compiled != Compiled::Yes, " cfg"),
                ];
                let marks: String = marks
                    .iter()
                    .filter(|(holds, _)| *holds)
                    .map(|(_, mark)| *mark)
                    .collect();
                format!("{}{marks}", test.path.join("::"))
            })
            .collect()
    }

    #[test]
    fn tests_are_listed_as_the_harness_does() {
        let text = "#[cfg(test)] mod tests { #[test] fn a() { #[test] fn inner() {} } #[tokio::test] #[ignore] async fn b() {}
            #[cfg(feature = \"x\")] mod m { #[rstest] #[case(1)] fn c() {} } #[test_case(1; \"x\")] fn d() {}
            proptest! { #[test] fn e(x in 0..2) {} } struct S; impl S { #[cfg(test)] fn test() {} } }";
        let syntax = Syntax::read(text).unwrap();
        assert_eq!(
            names(&tests(&syntax)),
            [
                "tests::a",
                "tests::b ignored",
                "tests::m::c* cfg",
                "tests::d*",
                "tests::e"
            ]
        );
    }

    #[test]
    fn tests_defined_by_macros_are_named_by_their_calls() {
        let text = "macro_rules! t { ($n:ident, $f:expr) => { #[test] fn $n() { $f } }; }
            macro_rules! many { ($($(#[$m:meta])* $n:ident => $e:expr,)*) => { $( #[test] $(#[$m])* fn $n() { $e } )* #[test] fn fixed() {} } }
            t!(one, || 1); mod m { many! { a => 1, b => 2, } } t!(); other!(x);";
        let syntax = Syntax::read(text).unwrap();
        let macros = test_macros(&syntax);
        assert_eq!(
            names(&macro_tests(&syntax, &macros)),
            ["one", "m::a", "m::b", "m::fixed", "*"]
        );
    }
}
