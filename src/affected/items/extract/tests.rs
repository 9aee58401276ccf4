//! Tests of the extraction of items.

use super::*;
use crate::workspace::source::cfg::Features;

fn hashes(text: &str) -> Vec<Digest> {
    read(text).items.iter().map(|item| item.hash).collect()
}

#[test]
fn comments_layout_and_docs_count_only_for_macros() {
    let plain = hashes("fn f() { a + b }\n/// doc\nstruct S { x: u8 }");
    assert_eq!(
        plain,
        hashes("fn f(  ) {\n // why\n a+b }\nstruct S { /// other\n x: u8 }")
    );
    assert_ne!(plain, hashes("fn f() { a - b }\nstruct S { x: u8 }"));
    let derived = "#[derive(Parser)]\nstruct S { /// help\n x: u8 }";
    assert_ne!(
        hashes(derived),
        hashes(&derived.replace("help", "other help"))
    );
    let input = "fn f() { q! { /// help\n x } }";
    assert_ne!(hashes(input), hashes(&input.replace("help", "other help")));
}

#[test]
fn use_is_one_item_per_name() {
    let file = read("pub(crate) use a::{b, c::{self, d as e, *}}; extern crate x as y; use ::z;");
    let found: Vec<String> = file
        .items
        .iter()
        .map(|item| {
            let Detail::Use { path, glob } = &item.detail else {
                panic!("{item:?}")
            };
            let path: Vec<&str> = path
                .iter()
                .map(|symbol| file.symbols.get(*symbol))
                .collect();
            let name = item.name.map_or("", |name| file.symbols.get(name));
            format!(
                "{}{} as {name}",
                path.join("."),
                if *glob { ".*" } else { "" }
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "a.b as b",
            "a.c as c",
            "a.c.d as e",
            "a.c.* as ",
            ":: .x as y"
                .replace(' ', "")
                .replace("asy", " as y")
                .as_str(),
            "::.z as z"
        ]
    );
}

#[test]
fn impl_headers_are_parsed() {
    let file = read(
        "impl<T: A> B<T> for &'a mut c::D<T> where T: X {} impl<T> T2 for T {} impl E { } impl F<u8> {} impl<T> From<T> for [u8; 2] {}",
    );
    let found: Vec<String> = file
        .items
        .iter()
        .map(|item| {
            let Detail::Impl {
                head,
                of_trait,
                is_specialized,
            } = &item.detail
            else {
                panic!("{item:?}")
            };
            let text = |path: &Option<Box<[Symbol]>>| {
                path.as_ref().map_or("-".to_owned(), |path| {
                    path.iter()
                        .map(|symbol| file.symbols.get(*symbol))
                        .collect::<Vec<_>>()
                        .join(".")
                })
            };
            format!("{} {} {is_specialized}", text(head), text(of_trait))
        })
        .collect();
    assert_eq!(
        found,
        [
            "c.D B true",
            "- T2 false",
            "E - false",
            "F - true",
            "- From false"
        ]
    );
}

fn names(text: &str, on: &[&str]) -> Vec<String> {
    let options = CfgOptions {
        features: Some(Features {
            on: on.iter().map(|name| (*name).to_owned()).collect(),
            ..Features::default()
        }),
        ..CfgOptions::host()
    };
    let items = read(text);
    let items = items
        .configured(&options)
        .map_or(items, |configured| configured.items);
    let names = items.items.iter().filter_map(|item| item.name);
    names
        .map(|name| items.symbols.get(name).to_owned())
        .collect()
}

#[test]
fn excluded_items_are_removed_with_their_children() {
    let text = "fn a() {} #[cfg(feature = \"x\")] mod m { fn b() {} } #[cfg(not(feature = \"x\"))] fn c() {}
        #[cfg(test)] fn d() {} #[cfg(feature = \"x\")] use e::{f, g}; #[cfg(all(feature = \"x\", unknown))] fn h() {}";
    assert_eq!(names(text, &["x"]), ["a", "m", "b", "d", "f", "g", "h"]);
    assert_eq!(names(text, &[]), ["a", "c", "d"]);
}

#[test]
fn whole_file_may_be_excluded() {
    let text = "#![cfg(feature = \"x\")] fn a() {}";
    assert_eq!(names(text, &["x"]), ["a"]);
    assert_eq!(names(text, &[]), Vec::<String>::new());
}

/// Whether the one test of a text asserts.
fn asserts(text: &str) -> bool {
    let text = text.replace("T(", "#[test]\nfn t(");
    let items = read(&text);
    assert_eq!(items.problem, None, "{text}");
    let is_test = |item: &&Item| item.flags & (flag::TEST | flag::TEST_PREFIX) != 0;
    let mut tests = items.items.iter().filter(is_test);
    let (Some(only), None) = (tests.next(), tests.next()) else {
        panic!("one test is in {text}")
    };
    only.flags & flag::CANNOT_FAIL == 0
}

#[test]
fn tests_that_can_fail_differ_from_those_that_cannot() {
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
