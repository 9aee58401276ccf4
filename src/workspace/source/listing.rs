//! Finds the tests in a file, with the names in the harness's list.

use super::assertion::Assertions;
use super::attribute::{Attribute, attributes, inner_attributes};
use super::cfg::{Build, Compiled, compiled};
use super::expand::Definition;
use super::syntax::{ItemKind, RawItem, Syntax, TOP};
use std::collections::HashSet;
use std::ops::Range;

/// How the harness lists a test function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestKind {
    /// `#[test]`, `#[tokio::test]`: listed under the function's name.
    Exact,
    /// `#[rstest]`, `#[test_case(…)]`: listed under names that start with the function's name.
    Prefix,
}

/// The test kind of a function with these attributes, if it is a test.
pub fn test_kind(attributes: &[Attribute]) -> Option<TestKind> {
    let names: Vec<&str> = attributes.iter().map(Attribute::name).collect();
    // An attribute of the workspace can generate several tests from one function.
    let own = attributes.iter().any(|attribute| {
        attribute.path.len() > 1 && matches!(attribute.path[0], "crate" | "self" | "super")
    });
    let cases = names
        .iter()
        .any(|name| matches!(*name, "case" | "values" | "template" | "apply"));
    if names.contains(&"test")
        && !own
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

/// Macros that make a test of every function in their input.
const MAKE_TESTS: [&str; 1] = ["quickcheck"];

/// Whether an item is a function in the input of a macro that makes a test of it: `quickcheck! { fn name() … }`.
#[must_use]
pub fn is_made_a_test(syntax: &Syntax, item: &RawItem) -> bool {
    let holder = syntax.items.get(item.parent as usize);
    item.kind == ItemKind::Fn
        && holder.is_some_and(|holder| {
            let named = |name| MAKE_TESTS.contains(&syntax.word(name));
            holder.kind == ItemKind::Call && holder.name.is_some_and(named)
        })
}

/// A test in a file, with its path relative to the file's module.
#[derive(Debug, Clone)]
pub struct Found {
    /// The inline modules around it, and its name.
    pub path: Vec<String>,
    /// Whether the harness lists this name, or names that start with it.
    pub exact: bool,
    /// `#[ignore]`.
    pub ignored: bool,
    /// Whether its `cfg` attributes hold, including those around it in this file.
    pub compiled: Compiled,
    /// Its line, from 1.
    pub line: u32,
    /// Whether its body can fail, as far as its file shows.
    pub asserts: bool,
}

/// The inline modules around an item, outermost first.
#[must_use]
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

/// Whether an item is compiled, by its `cfg` attributes and those around it in the file.
#[must_use]
pub fn item_compiled(syntax: &Syntax, index: u32, build: Build) -> Compiled {
    let mut all = Compiled::Yes;
    let mut at = index;
    while at != TOP {
        let item = &syntax.items[at as usize];
        let mut own = attributes(syntax, item.attributes.clone());
        own.extend(inner_attributes(syntax, item));
        all = all.and(compiled(syntax, &own, build));
        at = item.parent;
    }
    for range in &syntax.inner {
        all = all.and(compiled(syntax, &attributes(syntax, range.clone()), build));
    }
    all
}

/// The functions with a test attribute in a file.
#[must_use]
pub fn tests(syntax: &Syntax) -> Vec<Found> {
    let mut found = Vec::new();
    let mut assertions = None;
    for (index, item) in (0_u32..).zip(&syntax.items) {
        let made = is_made_a_test(syntax, item);
        let Some(name) = item
            .name
            .filter(|_| item.kind == ItemKind::Fn && (made || !item.attributes.is_empty()))
        else {
            continue;
        };
        let own = attributes(syntax, item.attributes.clone());
        let Some(kind) = test_kind(&own).or(made.then_some(TestKind::Exact)) else {
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
            asserts: kind == TestKind::Prefix
                || own.iter().any(|attribute| attribute.is("should_panic"))
                || assertions
                    .get_or_insert_with(|| Assertions::of(syntax))
                    .are_in(syntax, item),
        });
    }
    found
}

/// The harness does not list tests inside functions, nor members.
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

/// A `macro_rules!` macro of a unit, and its position.
#[derive(Debug, Clone)]
pub struct MacroText {
    /// Its name.
    pub name: String,
    /// Its arms, as text.
    pub text: String,
    /// Whether its body contains a test attribute.
    pub tests: bool,
    /// Names in its body.
    pub names: Vec<String>,
}

/// The macros that a file defines.
#[must_use]
pub fn macros(syntax: &Syntax) -> Vec<MacroText> {
    let macros = syntax
        .items
        .iter()
        .filter(|item| item.kind == ItemKind::Macro);
    macros
        .filter_map(|item| {
            let body = item.body.clone()?;
            let (first, last) = (syntax.token(body.start)?, syntax.token(body.end - 1)?);
            let text = syntax.text[first.start as usize..last.end as usize].to_owned();
            let mut names: Vec<String> = body
                .clone()
                .filter_map(|at| syntax.ident(at))
                .map(str::to_owned)
                .collect();
            names.sort_unstable();
            names.dedup();
            Some(MacroText {
                name: syntax.word(item.name?).to_owned(),
                text,
                tests: holds_test(syntax, body),
                names,
            })
        })
        .collect()
}

/// Whether the range contains a test attribute.
#[must_use]
pub fn holds_test(syntax: &Syntax, range: Range<u32>) -> bool {
    range.clone().any(|at| {
        syntax.is(at, b'#')
            && syntax.opens(at + 1, b'[')
            && test_kind(&attributes(syntax, at..syntax.after(at + 1))).is_some()
    })
}

/// The macros that generate tests, directly or through others.
#[must_use]
pub fn leading_to_tests(mut macros: Vec<MacroText>) -> Vec<MacroText> {
    let mut leading: HashSet<String> = macros
        .iter()
        .filter(|text| text.tests)
        .map(|text| text.name.clone())
        .collect();
    loop {
        let before = leading.len();
        leading.extend(
            macros
                .iter()
                .filter(|text| text.names.iter().any(|name| leading.contains(name)))
                .map(|text| text.name.clone())
                .collect::<Vec<_>>(),
        );
        if leading.len() == before {
            break;
        }
    }
    macros.retain(|text| leading.contains(&text.name));
    macros
}

/// The maximum depth of nested expansions.
const DEEPEST: usize = 64;

/// The tests that calls of `macros` in this file define; `own` are the macros of this file, which take precedence.
#[must_use]
pub fn macro_tests(syntax: &Syntax, macros: &[MacroText]) -> Vec<Found> {
    let own: Vec<String> = self::macros(syntax)
        .into_iter()
        .map(|own| own.text)
        .collect();
    let (mut ordered, others): (Vec<&MacroText>, Vec<&MacroText>) =
        macros.iter().partition(|text| own.contains(&text.text));
    ordered.extend(others);
    let mut found = Vec::new();
    for (index, item) in (0_u32..).zip(&syntax.items) {
        let (Some(name), Some(input)) = (item.name, item.body.clone()) else {
            continue;
        };
        if item.kind != ItemKind::Call
            || !listed(syntax, item)
            || !ordered.iter().any(|text| text.name == syntax.word(name))
        {
            continue;
        }
        let around = Around {
            modules: modules(syntax, item),
            compiled: item_compiled(syntax, index, Build::Test),
            line: syntax.line_of(name),
        };
        around.expand(syntax, syntax.word(name), input, &ordered, 0, &mut found);
    }
    found
}

struct Around {
    modules: Vec<String>,
    compiled: Compiled,
    line: u32,
}

impl Around {
    fn expand(
        &self,
        syntax: &Syntax,
        name: &str,
        input: Range<u32>,
        macros: &[&MacroText],
        depth: usize,
        found: &mut Vec<Found>,
    ) {
        let expansion = macros
            .iter()
            .filter(|text| text.name == name)
            .find_map(|text| {
                let defined = Syntax::read(&text.text).ok()?;
                let all = 0..u32::try_from(defined.tokens.len()).ok()?;
                Definition::new(&defined, all).expand(syntax, input.clone(), "crate")
            });
        let read = expansion.as_deref().map(Syntax::read);
        let (Some(Ok(expanded)), true) = (read, depth < DEEPEST) else {
            return found.push(self.any());
        };
        let mut tests = tests(&expanded);
        if tests.is_empty()
            && expanded.unread.is_some()
            && holds_test(
                &expanded,
                0..u32::try_from(expanded.tokens.len()).unwrap_or(0),
            )
        {
            tests.push(Found {
                path: vec![String::new()],
                ..self.any()
            });
        }
        for test in tests {
            let path = [self.modules.clone(), test.path].concat();
            found.push(Found {
                path,
                compiled: test.compiled.and(self.compiled),
                line: self.line,
                // What the expansion calls may be defined anywhere.
                asserts: true,
                ..test
            });
        }
        for (index, item) in (0_u32..).zip(&expanded.items) {
            let (Some(name), Some(input)) = (item.name, item.body.clone()) else {
                continue;
            };
            let name = expanded.word(name);
            if item.kind == ItemKind::Call && macros.iter().any(|text| text.name == name) {
                let modules = [self.modules.clone(), modules(&expanded, item)].concat();
                let compiled = self
                    .compiled
                    .and(item_compiled(&expanded, index, Build::Test));
                Self {
                    modules,
                    compiled,
                    line: self.line,
                }
                .expand(&expanded, name, input, macros, depth + 1, found);
            }
        }
    }

    /// Tests whose names are unknown: any name in the module.
    fn any(&self) -> Found {
        let mut path = self.modules.clone();
        path.push(String::new());
        Found {
            path,
            exact: false,
            ignored: false,
            asserts: true,
            compiled: self.compiled,
            line: self.line,
        }
    }
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
    fn tests_are_listed_as_in_the_harness() {
        let text = "#[cfg(test)] mod tests { #[test] fn a() { #[test] fn inner() {} } #[tokio::test] #[ignore] async fn b() {}
            #[cfg(feature = \"x\")] mod m { #[rstest] #[case(1)] fn c() {} } #[test_case(1; \"x\")] fn d() {}
            proptest! { #[test] fn e(x in 0..2) {} } quickcheck! { fn g(x: u8) -> bool { true } /// Doc.
            #[ignore] fn h() -> bool { fn inner() {} true } } struct S; impl S { #[cfg(test)] fn test() {} } }";
        let syntax = Syntax::read(text).unwrap();
        assert_eq!(
            names(&tests(&syntax)),
            [
                "tests::a",
                "tests::b ignored",
                "tests::m::c* cfg",
                "tests::d*",
                "tests::e",
                "tests::g",
                "tests::h ignored"
            ]
        );
    }

    #[test]
    fn macro_tests_are_named_by_their_calls() {
        let text = "macro_rules! t { ($n:ident, $f:expr) => { #[test] fn $n() { $f } }; }
            macro_rules! many { ($($(#[$m:meta])* $n:ident => $e:expr,)*) => { $( #[test] $(#[$m])* fn $n() { $e } )* #[test] fn fixed() {} } }
            macro_rules! r { ($n:ident) => { r!($n, 1); }; ($n:ident, $e:expr) => { #[test] fn $n() {} } } r!(again);
            t!(one, || 1); mod m { many! { a => 1, b => 2, } } t!(); other!(x);";
        let syntax = Syntax::read(text).unwrap();
        let macros = leading_to_tests(macros(&syntax));
        assert_eq!(
            names(&macro_tests(&syntax, &macros)),
            ["again", "one", "m::a", "m::b", "m::fixed", "*"]
        );
    }

    /// Whether the one test of a text asserts.
    fn asserts(text: &str) -> bool {
        let text = text.replace("T(", "#[test]\nfn t(");
        let syntax = Syntax::read(&text).unwrap_or_else(|_| panic!("{text}"));
        let tests = tests(&syntax);
        assert_eq!(tests.len(), 1, "{text}");
        tests[0].asserts
    }

    #[test]
    fn a_body_that_can_fail_is_told_from_one_that_cannot() {
        for body in [
            "T() { assert_eq!(add(1, 2), 3); }",
            "T() { assert!(true == add(1)); }",
            "T() { add(1).unwrap(); }",
            "T() { panic!(\"no\") }",
            "T() -> Result<(), E> { add(1)?; Ok(()) }",
            "T() { common::check_all(); }",
            "T() { holds(1); }\nfn holds(n: u32) { same!(n); }\nmacro_rules! same { ($n:expr) => { assert_eq!($n, 1) } }",
            "#[should_panic]\nT() { add(1); }",
            "#[test_case(1 => 2)]\nfn t(n: u32) -> u32 { n + 1 }",
            "T() { insta::assert_snapshot!(add(1)); }",
        ] {
            assert!(asserts(body), "{body}");
        }
        for body in [
            "T() {}",
            "T() { let _ = add(1, 2); }",
            "T() { assert!(true); }",
            "T() { assert!(true, \"fine\"); }",
            "T() { println!(\"{}\", 1 != 2); }",
            "T() { quiet(); }\nfn quiet() { let _ = 1; }\nfn other() { assert!(false); }",
            "T() -> Result<(), E> { Ok(()) }",
        ] {
            assert!(!asserts(body), "{body}");
        }
    }
}
