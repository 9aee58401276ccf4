//! `affected`: what reaches a test by no name in the sources. Packages and features, programs and libraries that run
//! beside it, files that it reads.

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

/// Two members, of which the first has these tests, and files.
fn reading(source: &str, files: &[&str]) -> Sandbox {
    let other = test("other", "");
    let sandbox = workspace(&[("a", "", source), ("b", "", &other)], "");
    for file in files {
        sandbox.write(file, "1");
    }
    sandbox.git();
    sandbox
}

#[test]
fn manifests_and_the_lockfile_are_files_too() {
    let source = format!(
        "{}{}{}",
        test("embeds", "include_str!(\"../Cargo.toml\");"),
        test("reads", "std::fs::read_to_string(\"Cargo.toml\");"),
        test("neither", ""),
    );
    let sandbox = reading(&source, &[]);
    sandbox.edit("a/Cargo.toml", "edition", "keywords = [\"x\"]\nedition");
    assert_eq!(selected(&sandbox), ["a embeds", "a reads"]);
}

#[test]
fn embedded_file_may_be_read_by_other_items() {
    let source = format!(
        "const A: &str = include_str!(\"../data/a.json\");\nconst DIR: &str = \"data\";\n{}{}{}",
        test("embeds", "A;"),
        test("walks", "std::fs::read_dir(DIR);"),
        test("neither", ""),
    );
    let sandbox = reading(&source, &["a/data/a.json"]);
    sandbox.write("a/data/a.json", "2");
    assert_eq!(selected(&sandbox), ["a embeds", "a walks"]);
}

#[test]
fn path_that_leaves_its_package_may_refer_to_any_file() {
    let source = format!(
        "const D: &str = \"corpus\";\n{}{}",
        test("walks", "std::fs::read_dir(format!(\"../b/tests/{D}\"));"),
        test("stays", "std::fs::read_dir(\"data\");"),
    );
    let sandbox = reading(&source, &["b/tests/corpus/x.txt", "b/tests/it.rs"]);
    sandbox.write("b/tests/corpus/x.txt", "2");
    let selected = selected(&sandbox);
    assert!(selected.contains(&"a walks".to_owned()), "{selected:?}");
}

#[test]
fn test_that_requests_its_own_file_depends_on_its_comments() {
    let source = format!(
        "// golden\n{}{}",
        test("reads", "std::fs::read_to_string(file!());"),
        test("other", ""),
    );
    let sandbox = reading(&source, &[]);
    sandbox.edit("a/src/lib.rs", "// golden", "// silver");
    assert_eq!(selected(&sandbox), ["a reads"]);
}

#[test]
fn files_for_people_and_other_tools_select_nothing_unless_code_reads_them() {
    let files = [
        "README.md",
        "LICENSE-MIT",
        "CHANGELOG.md",
        "rustfmt.toml",
        "clippy.toml",
        "deny.toml",
        ".github/workflows/ci.yml",
        "a/README.md",
        "a/src/snapshots/a__t.snap",
        ".cargo/config.toml",
    ];
    let sandbox = reading(&test("t", ""), &files[..9]);
    sandbox.write(".cargo/config.toml", "[alias]\nx = \"build\"\n");
    sandbox.commit("config");
    for file in files {
        let before = sandbox.read(file);
        sandbox.write(file, format!("{before}# 2\n"));
        if file.ends_with("config.toml") {
            sandbox.edit(file, "build", "check");
        }
        assert_eq!(selected(&sandbox), [""; 0], "{file}");
        sandbox.write(file, before);
    }
    // The same names elsewhere are data.
    sandbox.write("a/src/README.md", "1");
    assert_eq!(selected(&sandbox), ["a *"]);

    for (code, file) in [
        ("include_str!(\"../README.md\");", "a/README.md"),
        ("std::fs::read_to_string(\"README.md\");", "a/README.md"),
        ("check(\"README.md\");", "a/README.md"),
        ("for e in std::fs::read_dir(\".\") {}", "a/README.md"),
        (
            "fn root() -> &'static str { env!(\"CARGO_MANIFEST_DIR\") } for e in walk(root()) { std::fs::read_dir(e); }",
            "a/README.md",
        ),
        (
            "insta::assert_snapshot!(\"a/b\");",
            "a/src/snapshots/a__t.snap",
        ),
        (
            "read(format!(\"{}/../LICENSE\", env!(\"CARGO_MANIFEST_DIR\")));",
            "LICENSE",
        ),
    ] {
        let source = format!("{}{}", test("reads", code), test("other", ""));
        let sandbox = reading(&source, &[file]);
        sandbox.write(file, "2");
        assert_eq!(selected(&sandbox), ["a reads"], "{code}");
    }
}

#[test]
fn documentation_embeds_the_readme() {
    let source = "#![doc = include_str!(\"../README.md\")]\npub fn f() {}\n#[test] fn t() {}\n";
    let sandbox = reading(source, &[]);
    sandbox.write("a/README.md", "# a\n```\na::f();\n```\n");
    sandbox.commit("readme");
    sandbox.edit("a/README.md", "a::f", "let _ = a::f");
    assert_eq!(selected(&sandbox), ["a *"]);
}

#[test]
fn lints_of_other_tools_select_nothing() {
    let sandbox = reading(&test("t", ""), &[]);
    sandbox.append(
        "Cargo.toml",
        "[workspace.lints.clippy]\npedantic = \"warn\"\n",
    );
    sandbox.commit("lints");
    sandbox.edit("Cargo.toml", "\"warn\"", "\"allow\"");
    assert_eq!(selected(&sandbox), [""; 0]);
    sandbox.append("Cargo.toml", "[workspace.lints.rust]\nunused = \"deny\"\n");
    assert_eq!(selected(&sandbox), ["ALL"]);
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

#[test]
fn a_variable_may_hold_the_path_of_any_file() {
    for (code, reads) in [
        ("std::fs::read_dir(std::env::var(\"SAMPLES\"));", true),
        ("std::fs::read_dir(std::env::var(\"TEST_DATA_DIR\"));", true),
        ("std::fs::read_dir(std::env::var(\"OTHER\"));", false),
    ] {
        let source = format!("{}{}", test("walks", code), test("other", ""));
        let sandbox = reading(&source, &["b/data/x.txt"]);
        sandbox.write(
            ".cargo/config.toml",
            "[env]\nSAMPLES = { value = \"b/data\", relative = true }\nOTHER = \"1\"\n",
        );
        sandbox.commit("configuration");
        sandbox.write("b/data/x.txt", "2");
        let selected = selected(&sandbox);
        assert_eq!(selected.contains(&"a walks".to_owned()), reads, "{code}");
        assert!(!selected.contains(&"a other".to_owned()), "{code}");
    }
}

#[test]
fn quiet_files_are_read_by_tests_that_compose_their_names() {
    let source = format!(
        "const FILES: [&str; 1] = [\"CHANGELOG\"];\nfn walk(d: &Path) {{ std::fs::read_dir(d); }}\n{}{}{}",
        test(
            "named",
            "for f in FILES { std::fs::read(format!(\"{f}.md\")); }"
        ),
        test("walked", "walk(&std::env::current_dir());"),
        test("other", ""),
    );
    let sandbox = reading(&source, &["a/CHANGELOG.md", "a/LICENSE"]);
    sandbox.write("a/CHANGELOG.md", "2");
    assert_eq!(selected(&sandbox), ["a named", "a walked"]);
    sandbox.write("a/CHANGELOG.md", "1");
    sandbox.write("a/LICENSE", "2");
    assert_eq!(selected(&sandbox), ["a walked"]);
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
