//! The tests in the sources of a package, with the names that the test harness lists.

use cargo_metadata::MetadataCommand;
use cargo_poc::internals::affected::items::{TestPattern, Uncached};
use cargo_poc::internals::affected::{SourceTest, source_tests};
use cargo_poc::internals::workspace::Workspace;

use crate::kit::Sandbox;

fn package(files: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::empty();
    let manifest =
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[features]\nx = []\n";
    sandbox.write("Cargo.toml", manifest);
    for (path, text) in files {
        sandbox.write(path, text);
    }
    sandbox
}

fn listed(sandbox: &Sandbox) -> anyhow::Result<Vec<SourceTest>> {
    let metadata = MetadataCommand::new()
        .manifest_path(sandbox.root.join("Cargo.toml"))
        .no_deps()
        .exec()?;
    let tests = source_tests(&Workspace::new(metadata), &Uncached, &|_| true)?;
    Ok(tests.into_values().flatten().collect())
}

/// The names of tests, with a mark for each property. Calls of unknown macros may define tests without a name, which are left out.
fn names(files: &[(&str, &str)]) -> Vec<String> {
    let tests = listed(&package(files)).unwrap();
    let known = tests
        .iter()
        .filter(|test| test.name != TestPattern::Unnamed);
    let named = known.map(|test| {
        let name = match &test.name {
            TestPattern::Exact(name) => name.clone(),
            TestPattern::Prefix(start) => format!("{start}*"),
            other => format!("{other:?}"),
        };
        let marks = [(test.ignored, " ignored"), (test.conditional, " cfg")];
        let marks = marks.iter().filter(|(holds, _)| *holds);
        name + &marks.map(|(_, mark)| *mark).collect::<String>()
    });
    named.collect()
}

#[test]
fn tests_are_listed_as_in_the_harness() {
    let text = "#[cfg(test)] mod tests { #[test] fn a() { #[test] fn inner() {} } #[tokio::test] #[ignore] async fn b() {}
        #[cfg(feature = \"x\")] mod m { #[rstest] #[case(1)] fn c() {} } #[test_case(1; \"x\")] fn d() {}
        proptest! { #[test] fn e(x in 0..2) {} } quickcheck! { fn g(x: u8) -> bool { true } /// Doc.
        #[ignore] fn h() -> bool { fn inner() {} true } } struct S; impl S { #[cfg(test)] fn test() {} } }";
    assert_eq!(
        names(&[("src/lib.rs", text)]),
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
fn tests_of_macros_are_named_by_their_calls() {
    let text = "macro_rules! t { ($n:ident, $f:expr) => { #[test] fn $n() { $f } }; }
        macro_rules! many { ($($(#[$m:meta])* $n:ident => $e:expr,)*) => { $( #[test] $(#[$m])* fn $n() { $e } )* #[test] fn fixed() {} } }
        macro_rules! r { ($n:ident) => { r!($n, 1); }; ($n:ident, $e:expr) => { #[test] fn $n() {} } } r!(again);
        t!(one, || 1); mod m { many! { a => 1, b => 2, } } t!(); other!(x);";
    let mut names = names(&[("src/lib.rs", text)]);
    names.sort_unstable();
    assert_eq!(names, ["*", "again", "m::a", "m::b", "m::fixed", "one"]);
}

#[test]
fn all_declarations_of_modules_are_followed() {
    let files = [
        (
            "src/lib.rs",
            "//! Doc.\nmod a; #[path = \"odd/b.rs\"] mod b; mod inline { mod c; #[path = \"d2.rs\"] mod d; }\n#[cfg(windows)] mod gone; m! { mod e; } include!(\"f.inc\"); #[cfg_attr(unix, path = \"unix.rs\")] mod imp; #[cfg(test)] mod tests;",
        ),
        ("src/a.rs", "mod deep; #[test] fn t() {}"),
        ("src/a/deep.rs", "#[test] fn t() {}"),
        ("src/odd/b.rs", "mod beside;"),
        ("src/odd/beside.rs", "#[test] fn t() {}"),
        ("src/inline/c.rs", "#[test] fn t() {}"),
        ("src/inline/d2.rs", "#[test] fn t() {}"),
        ("src/e/mod.rs", "mod x;"),
        ("src/e/x.rs", "#[test] fn t() {}"),
        ("src/f.inc", "#[test] fn included() {} unsafe fn u() {}"),
        ("src/unix.rs", "#[test] fn t() {}"),
        ("src/tests.rs", "#[test] #[ignore] fn t() {}"),
    ];
    let mut names = names(&files);
    names.sort_unstable();
    let expected = [
        "a::deep::t",
        "a::t",
        "b::beside::t",
        "e::x::t",
        "imp::t",
        "included",
        "inline::c::t",
        "inline::d::t",
        "tests::t ignored",
    ];
    assert_eq!(names, expected);
}

/// A file that does not parse may contain any test, and a target without its root file is an error.
#[test]
fn unreadable_files_have_no_known_tests() {
    let files = [("src/lib.rs", "mod bad;"), ("src/bad.rs", "fn a() {\n(")];
    let sandbox = package(&files);
    let tests = listed(&sandbox).unwrap();
    assert_eq!(tests.len(), 1, "{tests:?}");
    assert_eq!(tests[0].name, TestPattern::Prefix(String::new()));
    assert_eq!(tests[0].listed_name(), None);
    let manifest = "\n[lib]\npath = \"src/none.rs\"\n";
    sandbox.append("Cargo.toml", manifest);
    let error = listed(&sandbox).unwrap_err().to_string();
    assert!(error.contains("src/none.rs"), "{error}");
}

/// A bench with `main` has its own harness.
#[test]
fn own_harnesses_are_listed_as_a_whole() {
    let sandbox = package(&[("benches/speed.rs", "fn main() {}")]);
    let bench = "\n[[bench]]\nname = \"speed\"\nharness = false\ntest = true\n";
    sandbox.append("Cargo.toml", bench);
    let tests = listed(&sandbox).unwrap();
    assert_eq!(tests.len(), 1, "{tests:?}");
    assert_eq!(tests[0].name, TestPattern::All);
}
