//! `affected`: what reaches a test by no name in the sources. Packages and features, programs and libraries that run
//! beside it, files that it reads.

mod files;
mod processes;

use crate::kit::Sandbox;

/// A workspace of packages given as folder, more of the manifest, and the library's source.
fn workspace(packages: &[(&str, &str, &str)], more: &str) -> Sandbox {
    let sandbox = Sandbox::empty();
    let members: Vec<String> = packages
        .iter()
        .map(|(name, ..)| format!("{name:?}"))
        .collect();
    sandbox.write(
        "Cargo.toml",
        format!(
            "[workspace]\nresolver = \"2\"\nmembers = [{}]\nexclude = [\"plugin\", \"patched\"]\n{more}",
            members.join(", ")
        ),
    );
    for (name, manifest, source) in packages {
        package(&sandbox, name, manifest, source);
    }
    sandbox.write(".gitignore", "target\nCargo.lock\n");
    sandbox
}

fn package(sandbox: &Sandbox, name: &str, manifest: &str, source: &str) {
    sandbox.write(
        &format!("{name}/Cargo.toml"),
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{manifest}"
        ),
    );
    sandbox.write(&format!("{name}/src/lib.rs"), source);
}

/// The selected tests, as `package test`.
#[track_caller]
fn selected(sandbox: &Sandbox) -> Vec<String> {
    let run = sandbox.poc("affected --format names --base HEAD");
    run.exits(0);
    let lines = run.stdout.lines();
    let mut found: Vec<String> = lines
        .map(|line| {
            let mut fields = line.split('\t');
            let package = fields.next().unwrap_or_default();
            let test = fields.nth(1).unwrap_or_default();
            format!("{package} {test}").trim().to_owned()
        })
        .filter(|line| !line.is_empty())
        .collect();
    found.dedup();
    found
}

fn test(name: &str, body: &str) -> String {
    format!("#[test] fn {name}() {{ {body} }}\n")
}

#[test]
fn features_affect_everything_that_links_the_dependency() {
    let shared = "[dependencies]\nshared = { path = \"../shared\" }\n";
    let (of_a, of_b, of_c) = (
        test("a", "shared::mode();"),
        test("b", "shared::mode();"),
        test("c", ""),
    );
    let packages = [
        ("shared", "[features]\nfast = []\n", "pub fn mode() {}\n"),
        ("a", shared, of_a.as_str()),
        ("b", shared, &of_b),
        ("c", "", &of_c),
    ];
    for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let sandbox = workspace(&packages, "");
        sandbox.git();
        sandbox.append(
            "a/Cargo.toml",
            &format!("[target.'cfg(all())'.{table}]\nshared = {{ path = \"../shared\", features = [\"fast\"] }}\n"),
        );
        assert_eq!(selected(&sandbox), ["a *", "b *", "shared *"], "{table}");
    }
    // A feature of a package's own that turns on one of a dependency.
    let sandbox = workspace(&packages, "");
    sandbox.git();
    sandbox.append("a/Cargo.toml", "[features]\ndefault = [\"shared/fast\"]\n");
    assert_eq!(selected(&sandbox), ["a *", "b *", "shared *"]);
}

#[test]
fn a_new_dependency_reaches_the_code_that_names_it() {
    let source = format!(
        "pub fn plain() {{}}\npub fn random() {{ fastrand::u32(..); }}\n{}{}{}",
        test("one", "plain();"),
        test("two", "random();"),
        test("three", "fastrand::seed(1);"),
    );
    let user = test("far", "k::plain();");
    let dependency = "[dependencies]\nk = { path = \"../k\" }\n";
    let sandbox = workspace(&[("k", "", &source), ("user", dependency, &user)], "");
    sandbox.git();
    sandbox.append("k/Cargo.toml", "[dependencies]\nfastrand = \"2\"\n");
    assert_eq!(selected(&sandbox), ["k three", "k two"]);
    sandbox.poc("affected --base HEAD --explain").exits(0);
    let sandbox = workspace(&[("k", "", &user.replace("k::plain();", ""))], "");
    sandbox.git();
    sandbox.append("k/Cargo.toml", "[dev-dependencies]\nfastrand = \"2\"\n");
    sandbox
        .poc("affected --base HEAD --explain")
        .exits(0)
        .prints("`[dev-dependencies] fastrand` added");
}

#[test]
fn packages_outside_the_workspace_link_and_are_linked() {
    let core = "pub fn f() -> u32 { 1 }\n";
    let app = test("t", "plugin::run();");
    let other = test("o", "");
    let sandbox = workspace(
        &[
            ("core2", "", core),
            (
                "app",
                "[dependencies]\nplugin = { path = \"../plugin\" }\n",
                &app,
            ),
            ("other", "", &other),
        ],
        "",
    );
    let plugin = "[dependencies]\ncore2 = { path = \"../core2\" }\ninner = { path = \"inner\" }\n";
    package(
        &sandbox,
        "plugin",
        plugin,
        "pub fn run() -> u32 { core2::f() }\n",
    );
    package(&sandbox, "plugin/inner", "", "pub fn inner() {}\n");
    sandbox.edit("plugin/inner/Cargo.toml", "plugin/inner", "inner");
    sandbox.git();
    for (file, old, new) in [
        ("core2/src/lib.rs", "{ 1 }", "{ 2 }"),
        ("plugin/src/lib.rs", "u32 {", "u32 { 1 +"),
        ("plugin/inner/src/lib.rs", "{}", "{ () }"),
    ] {
        sandbox.edit(file, old, new);
        let own = (file == "core2/src/lib.rs").then_some("core2 *");
        let selected = selected(&sandbox);
        assert!(
            selected.contains(&"app *".to_owned()),
            "{file}: {selected:?}"
        );
        let known = |line: &String| line == "app *" || Some(line.as_str()) == own;
        assert!(selected.iter().all(known), "{file}: {selected:?}");
        sandbox.edit(file, new, old);
    }
}

#[test]
fn patched_package_affects_all_members_without_a_lockfile() {
    let of_a = test("a", "");
    let sandbox = workspace(
        &[("a", "[dependencies]\nodd = \"1\"\n", &of_a)],
        "[patch.crates-io]\nodd = { path = \"patched\" }\n",
    );
    package(&sandbox, "patched", "", "pub fn f() {}\n");
    sandbox.edit("patched/Cargo.toml", "\"patched\"", "\"odd\"");
    sandbox.git();
    sandbox.edit("patched/src/lib.rs", "{}", "{ () }");
    assert_eq!(selected(&sandbox), ["ALL"]);
}

/// A program and a dynamic library that no other member depends on, and a member with this test.
fn beside(source: &str) -> Sandbox {
    let sandbox = workspace(
        &[
            ("cli", "", ""),
            (
                "plug",
                "[lib]\ncrate-type = [\"cdylib\"]\n",
                "pub extern \"C\" fn plug() -> u32 { 1 }\n",
            ),
            ("e2e", "", source),
        ],
        "",
    );
    sandbox.write(
        "cli/src/main.rs",
        "mod greet;\nfn main() { greet::text() }\n",
    );
    sandbox.write(
        "cli/src/greet.rs",
        "pub fn text() { print!(\"hi\") }\npub fn unused() {}\n",
    );
    sandbox.git();
    sandbox
}

#[test]
fn a_test_that_starts_a_process_reaches_the_programs_of_the_workspace() {
    for code in [
        "use std::process::Command;\n#[test] fn t() { Command::new(path(\"cli\")).output(); }\n",
        "use std::process::Command as Run;\n#[test] fn t() { Run::new(path(\"cli\")).output(); }\n",
        "mod util { pub use std::process::Command as Run; }\n#[test] fn t() { util::Run::new(p()).status(); }\n",
        "use std::process as p;\n#[test] fn t() { p::Command::new(path(\"cli\")).output(); }\n",
        "type Run = std::process::Command;\n#[test] fn t() { Run::new(path(\"cli\")); }\n",
        "use duct::cmd;\n#[test] fn t() { cmd!(\"target/debug/cli\").run(); }\n",
        "use xshell::{Shell, cmd};\n#[test] fn t() { cmd!(sh, \"target/debug/cli\").run(); }\n",
        "use assert_cmd::cargo::cargo_bin;\n#[test] fn t() { run(cargo_bin(\"cli\")); }\n",
        "fn run() { libc::system(c\"target/debug/cli\"); }\n#[test] fn t() { run(); }\n",
    ] {
        let sandbox = beside(&format!("{code}#[test] fn other() {{}}\n"));
        sandbox.edit("cli/src/greet.rs", "hi", "ho");
        assert_eq!(selected(&sandbox), ["e2e t"], "{code}");
        sandbox.edit("cli/src/greet.rs", "ho", "hi");
        sandbox.edit("cli/src/greet.rs", "unused() {}", "unused() { () }");
        assert_eq!(selected(&sandbox), [""; 0], "{code}");
    }
}

#[test]
fn a_test_that_uses_a_crate_outside_the_workspace_may_start_what_that_crate_starts() {
    let plain = "plugin = { path = \"../plugin\" }";
    let renamed = "help = { path = \"../plugin\", package = \"plugin\" }";
    for (dependency, library, name) in [
        (plain, "", "plugin"),
        (renamed, "", "help"),
        (plain, "[lib]\nname = \"other_name\"\n", "other_name"),
    ] {
        let user = format!("{name}::run(\"cli\");");
        let sandbox = beside(&format!("{}{}", test("t", &user), test("other", "")));
        sandbox.append(
            "e2e/Cargo.toml",
            &format!("[dev-dependencies]\n{dependency}\n"),
        );
        let source =
            "pub fn run(name: &str) { std::process::Command::new(path(name)).status(); }\n";
        package(&sandbox, "plugin", library, source);
        sandbox.commit("plugin");
        sandbox.edit("cli/src/greet.rs", "hi", "ho");
        assert_eq!(selected(&sandbox), ["e2e t"], "{name}");
    }
}

#[test]
fn a_test_that_loads_a_library_reaches_the_dynamic_libraries_of_the_workspace() {
    for code in [
        "#[test] fn t() { unsafe { dlopen(path(), 1) } }\n",
        "#[test] fn t() { libloading::Library::new(\"libplug.so\"); }\n",
    ] {
        let sandbox = beside(&format!("{code}#[test] fn other() {{}}\n"));
        sandbox.edit("plug/src/lib.rs", "{ 1 }", "{ 2 }");
        assert_eq!(selected(&sandbox), ["e2e t"], "{code}");
    }
}

#[test]
fn a_program_of_its_own_package_is_known() {
    let code =
        "#[test] fn t() { std::process::Command::new(env!(\"CARGO_BIN_EXE_own\")).output(); }\n";
    let sandbox = beside("");
    sandbox.write("e2e/src/bin/own.rs", "fn main() {}\n");
    sandbox.write("e2e/tests/it.rs", code);
    sandbox.commit("more");
    sandbox.edit("cli/src/greet.rs", "hi", "ho");
    assert_eq!(selected(&sandbox), [""; 0]);
    sandbox.edit("e2e/src/bin/own.rs", "{}", "{ () }");
    assert_eq!(selected(&sandbox), ["e2e t"]);
}

#[test]
fn a_test_that_runs_a_script_may_run_cargo() {
    let library = [("core1", "", "pub fn f() -> u32 { 1 }\n"), ("e2e", "", "")];
    for (code, runs) in [
        ("Command::new(\"sh\").arg(\"run.sh\").output();", true),
        ("Command::new(\"./run.sh\").output();", true),
        (
            "Command::new(\"sh\").arg(format!(\"{name}.sh\")).output();",
            true,
        ),
        ("Command::new(\"make\").output();", true),
        ("Command::new(\"sh\").arg(\"quiet.sh\").output();", false),
        (
            "Command::new(\"sh\").args([\"-c\", \"echo hi\"]).output();",
            false,
        ),
    ] {
        let sandbox = workspace(&library, "");
        let source = format!(
            "use std::process::Command;\n{}{}",
            test("t", code),
            test("other", "")
        );
        sandbox.write("e2e/src/lib.rs", source);
        sandbox.write("e2e/run.sh", "exec cargo run -p core1\n");
        sandbox.write("e2e/quiet.sh", "echo hi\n");
        sandbox.write("e2e/Makefile", "all:\n\tcargo run -p core1\n");
        sandbox.git();
        sandbox.edit("core1/src/lib.rs", "{ 1 }", "{ 2 }");
        let expected: &[&str] = if runs { &["e2e t"] } else { &[] };
        assert_eq!(selected(&sandbox), expected, "{code}");
    }
}

#[test]
fn a_test_that_starts_its_own_binary_reaches_the_tests_in_it() {
    let source = "fn child() -> u32 { 1 }\n\
        #[test] fn helper() { child(); }\n\
        #[test] fn t() { std::process::Command::new(std::env::current_exe()).status(); }\n\
        #[test] fn beside() { std::process::Command::new(std::env::current_exe().parent().join(\"cli\")).status(); }\n\
        #[test] fn other() {}\n";
    let sandbox = beside(source);
    sandbox.edit("e2e/src/lib.rs", "{ 1 }", "{ 2 }");
    assert_eq!(selected(&sandbox), ["e2e helper", "e2e t"]);
}

/// A procedural macro outside the workspace, or a member, with an attribute, a derive and a macro that define a test.
fn defining_tests(folder: &str, code: &str) -> Sandbox {
    let dependency = format!("[dependencies]\nplugin = {{ path = \"../{folder}\" }}\n");
    let source = format!(
        "{code}\npub fn inner() -> u32 {{ 1 }}\n{}",
        test("known", "")
    );
    let sandbox = workspace(
        &[("app", &dependency, &source), ("b", "", &test("other", ""))],
        "",
    );
    let macros = "use proc_macro::TokenStream;
#[proc_macro] pub fn call(_: TokenStream) -> TokenStream { made() }
#[proc_macro_derive(Derive)] pub fn derive(_: TokenStream) -> TokenStream { made() }
#[proc_macro_attribute] pub fn attribute(_: TokenStream, item: TokenStream) -> TokenStream { [item, made()].into_iter().collect() }
fn made() -> TokenStream { \"#[test] fn made() { assert_eq!(inner(), 1) }\".parse().unwrap() }
";
    package(&sandbox, folder, "[lib]\nproc-macro = true\n", macros);
    if folder == "member" {
        sandbox.edit("Cargo.toml", "members = [", "members = [\"member\", ");
    }
    sandbox.edit(
        &format!("{folder}/Cargo.toml"),
        &format!("name = \"{folder}\""),
        "name = \"plugin\"",
    );
    sandbox.git();
    sandbox
}

#[test]
fn tests_that_generated_code_defines_are_selected_and_run() {
    for folder in ["plugin", "member"] {
        for code in [
            "plugin::call!();",
            "#[derive(plugin::Derive)] pub struct X;",
            "#[plugin::attribute] pub fn item() {}",
        ] {
            let sandbox = defining_tests(folder, code);
            sandbox.edit("app/src/lib.rs", "{ 1 }", "{ 2 }");
            let found = selected(&sandbox);
            assert!(
                found.contains(&"app *".to_owned()),
                "{folder} {code}: {found:?}"
            );
            assert!(
                !found.contains(&"b other".to_owned()),
                "{folder} {code}: {found:?}"
            );
            let verify = sandbox.poc("verify --no-record --base HEAD");
            verify.exits(1).prints("made");
        }
    }
}
