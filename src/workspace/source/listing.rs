//! Finds the tests in a file, with the names in the harness's list.

use super::attribute::{Attribute, attributes, inner_attributes};
use super::cfg::{Build, Compiled, compiled};
use super::syntax::{ItemKind, RawItem, Syntax, TOP};
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

/// Whether a function in the file is a test.
#[must_use]
pub fn has_test(syntax: &Syntax) -> bool {
    syntax.items.iter().any(|item| {
        item.kind == ItemKind::Fn
            && (is_made_a_test(syntax, item)
                || test_kind(&attributes(syntax, item.attributes.clone())).is_some())
    })
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
