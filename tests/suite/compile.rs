//! Changes that stop a target from compiling which no affected test builds.

use crate::kit::Sandbox;

fn package(name: &str, more: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}")
}

/// A library with a test, a program beside it, and a package that uses the library outside of its tests.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox
        .write(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"base\", \"user\"]\n",
        )
        .write("base/Cargo.toml", package("base", ""))
        .write(
            "base/src/lib.rs",
            "pub fn tested() -> u8 {\n    1\n}\npub fn other() -> u8 {\n    2\n}\n\
             #[test]\nfn tests() {\n    assert_eq!(tested(), 1);\n}\n",
        )
        .write("base/src/main.rs", "fn main() {\n    base::other();\n}\n")
        .write(
            "user/Cargo.toml",
            package("user", "\n[dependencies]\nbase = { path = \"../base\" }\n"),
        )
        .write(
            "user/src/lib.rs",
            "pub fn uses() -> u8 {\n    base::other()\n}\n#[test]\nfn unrelated() {}\n",
        );
    sandbox.lock_with_cargo();
    sandbox.git();
    sandbox
}

/// `verify` after a change of the library, with its exit code and a line that it prints.
#[track_caller]
fn verify(sandbox: &Sandbox, before: &str, after: &str, code: i32) -> String {
    let path = "base/src/lib.rs";
    let library = sandbox.read(path);
    sandbox.edit(path, before, after);
    let run = sandbox.poc("verify --runner cargo --no-reuse");
    sandbox.write(path, library);
    assert_eq!(run.code, code, "{run}");
    run.stdout + &run.stderr
}

#[test]
fn a_dependent_that_no_test_reaches_must_compile() {
    let sandbox = sandbox();
    // cargo stops at the first package with an error.
    sandbox.remove("base/src/main.rs").commit("no program");
    let said = verify(&sandbox, "fn other()", "fn renamed()", 1);
    assert!(said.contains("cannot find function `other`"), "{said}");
    let said = verify(&sandbox, "fn other() -> u8 {", "fn other(_: u8) -> u8 {", 1);
    assert!(said.contains("user"), "{said}");
}

#[test]
fn a_target_that_no_selected_test_builds_must_compile() {
    let sandbox = sandbox();
    // The test of the library is affected and passes; the program and the other package do not compile.
    let library = sandbox.read("base/src/lib.rs");
    sandbox.write("base/src/lib.rs", library.replace("    1\n", "    0 + 1\n"));
    let said = verify(&sandbox, "fn other()", "fn renamed()", 1);
    assert!(said.contains("1 passed"), "{said}");
    assert!(said.contains("cargo check --tests"), "{said}");
}

#[test]
fn the_body_of_an_async_function_can_break_a_dependent() {
    let sandbox = sandbox();
    sandbox.edit(
        "base/src/lib.rs",
        "pub fn other() -> u8 {\n    2",
        "pub async fn other() -> u8 {\n    2",
    );
    sandbox.edit(
        "user/src/lib.rs",
        "pub fn uses() -> u8 {\n    base::other()",
        "pub fn uses() -> impl Future<Output = u8> + Send {\n    base::other()",
    );
    sandbox
        .write("base/src/main.rs", "fn main() {}\n")
        .commit("async");
    let waits =
        "    let kept = std::rc::Rc::new(2);\n    std::future::ready(()).await;\n    *kept\n";
    let said = verify(&sandbox, "    2\n", waits, 1);
    assert!(said.contains("cannot be sent between threads"), "{said}");
}

#[test]
fn a_changed_body_checks_no_other_package() {
    let sandbox = sandbox();
    let said = verify(&sandbox, "    1\n", "    0 + 1\n", 0);
    assert!(said.contains("1 passed"), "{said}");
    assert!(!said.contains("cargo check"), "{said}");
    let said = verify(&sandbox, "    2\n", "    1 + 1\n", 0);
    assert!(!said.contains("-p user"), "{said}");
}
