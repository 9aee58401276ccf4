//! Files that tests read or embed.

use super::*;

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

#[test]
fn a_file_that_a_list_names_affects_the_tests_that_read_the_list() {
    let reads = "fs::read_to_string(\"list.txt\");";
    let name = "list.txt";
    for (code, list, text, selects) in [
        (reads, name, "../b/data/x.txt\n", true),
        (reads, name, "{\"file\": \"b/data/x.txt\"}\n", true),
        (reads, name, "dir = ../b/data/\n", true),
        (reads, name, "root = ..\n", true),
        (
            "include_str!(\"../list.txt\");",
            name,
            "../b/data/x.txt\n",
            true,
        ),
        (
            "fs::read_to_string(format!(\"{}.txt\", \"list\"));",
            name,
            "../b/data/x.txt\n",
            true,
        ),
        (
            "for e in fs::read_dir(dir()) {}",
            "lists/a.json",
            "[\"../b/data/x.txt\"]\n",
            true,
        ),
        (reads, name, "index.txt\n", true),
        (reads, name, "../b/data/y.txt and/or b\n", false),
        ("calculate();", name, "../b/data/x.txt\n", false),
    ] {
        let source = format!("{}{}", test("t", code), test("other", ""));
        let sandbox = reading(&source, &["b/data/x.txt"]);
        if text.contains("index") {
            sandbox.write("a/index.txt", "../b/data/x.txt\n");
        }
        sandbox.write(&format!("a/{list}"), text);
        sandbox.commit("lists");
        sandbox.write("b/data/x.txt", "2");
        let mut tests = selected(&sandbox);
        tests.retain(|test| test.starts_with('a'));
        let expected: &[&str] = if selects { &["a t"] } else { &[] };
        assert_eq!(tests, expected, "{code} {text}");
    }
}

#[test]
fn a_changed_mode_is_a_change_of_the_file() {
    let sandbox = reading(&test("t", ""), &["a/run.sh"]);
    sandbox.shell("chmod +x a/run.sh");
    assert_eq!(selected(&sandbox), ["a *"]);
    sandbox.commit("mode");
    assert_eq!(selected(&sandbox), [""; 0]);
}
