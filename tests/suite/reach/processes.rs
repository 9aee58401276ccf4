//! Tests that run cargo, or scripts, on files of other packages.

use super::*;

/// `core1`, and `e2e` with the test `t` that has this code.
fn starting(code: &str) -> Sandbox {
    let source = format!(
        "use std::process::Command;\n{}{}",
        test("t", code),
        test("other", "")
    );
    let core1 = "pub fn f() -> u32 { 1 }\n";
    let sandbox = workspace(&[("core1", "", core1), ("e2e", "", &source)], "");
    sandbox.write("core1/data/x.txt", "1");
    sandbox
}

/// The selected tests of `e2e`.
#[track_caller]
fn of_e2e(sandbox: &Sandbox) -> Vec<String> {
    let mut tests = selected(sandbox);
    tests.retain(|test| test.starts_with("e2e"));
    tests
}

#[track_caller]
fn check(sandbox: &Sandbox, selects: bool, what: &str) {
    let expected: &[&str] = if selects { &["e2e t"] } else { &[] };
    assert_eq!(of_e2e(sandbox), expected, "{what}");
}

#[test]
fn a_test_that_runs_cargo_depends_on_every_key_of_a_manifest() {
    let edits = [
        ("core1/Cargo.toml", "name", "description = \"x\"\nname"),
        ("core1/Cargo.toml", "edition", "keywords = [\"x\"]\nedition"),
        (
            "core1/Cargo.toml",
            "[package]",
            "[package.metadata]\nx = 1\n[package]",
        ),
        (
            "Cargo.toml",
            "[workspace]",
            "[workspace.metadata]\nx = 1\n[workspace]",
        ),
    ];
    for (code, selects) in [
        (
            "Command::new(env!(\"CARGO\")).arg(\"metadata\").output();",
            true,
        ),
        (
            "Command::new(\"cargo\").args([\"package\", \"--list\"]).output();",
            true,
        ),
        (
            "Command::new(\"sh\").args([\"-c\", \"cargo tree\"]).output();",
            true,
        ),
        ("Command::new(\"sh\").arg(\"metadata.sh\").output();", true),
        ("cargo_metadata::MetadataCommand::new().exec();", true),
        (
            "fs::read_to_string(\"../core1/Cargo.toml\"); fs::read_to_string(\"../Cargo.toml\");",
            true,
        ),
        ("for entry in fs::read_dir(\"..\") {}", true),
        ("Command::new(\"ls\").output();", false),
        ("fs::read_to_string(\"data.txt\");", false),
    ] {
        let sandbox = starting(code);
        sandbox.write("e2e/metadata.sh", "cargo metadata --no-deps\n");
        sandbox.git();
        for (file, from, to) in edits {
            let before = sandbox.read(file);
            sandbox.edit(file, from, to);
            check(&sandbox, selects, &format!("{code} {to}"));
            sandbox.write(file, before);
        }
    }
}

#[test]
fn a_build_script_that_runs_cargo_depends_on_every_key_of_a_manifest() {
    let tests = test("t", "");
    let packages = [
        ("core1", "", ""),
        ("e2e", "", tests.as_str()),
        ("far", "", &tests),
    ];
    let sandbox = workspace(&packages, "");
    let script =
        "fn main() { std::process::Command::new(\"cargo\").arg(\"metadata\").output(); }\n";
    sandbox.write("e2e/build.rs", script);
    sandbox.git();
    sandbox.edit("core1/Cargo.toml", "edition", "license = \"MIT\"\nedition");
    assert_eq!(of_e2e(&sandbox), ["e2e t"]);
    assert!(!selected(&sandbox).contains(&"far t".to_owned()));
}

#[test]
fn a_test_that_runs_cargo_depends_on_the_names_of_files_for_people() {
    // `cargo package --list` prints them, and `cargo metadata` the name of the README.
    for (code, selects) in [
        ("Command::new(\"cargo\").arg(\"metadata\").output();", true),
        ("Command::new(\"ls\").output();", false),
    ] {
        let sandbox = starting(code);
        sandbox.git();
        sandbox.write("core1/README.md", "1");
        check(&sandbox, selects, code);
        sandbox.commit("readme");
        sandbox.write("core1/README.md", "2");
        check(&sandbox, false, code);
        sandbox.remove("core1/README.md");
        check(&sandbox, selects, code);
    }
}

#[test]
fn a_script_may_read_any_file_unless_its_text_names_all() {
    let scripts = [
        (
            "check.sh",
            "cat \"$(dirname $0)/../core1/data/$1.txt\"\n",
            true,
        ),
        ("check.sh", "cat ../core1/data/x.txt\n", true),
        ("check.sh", "cd `git rev-parse --show-toplevel`; ls\n", true),
        ("check.sh", "git grep 1\n", true),
        ("check.sh", "find / -name x.txt\n", true),
        (
            "check.py",
            "print(open(root() + '/data/x.txt').read())\n",
            true,
        ),
        ("check.sh", "cat data.txt | wc -l\n", false),
        ("check", "#!/bin/sh\ncat \"$ROOT/$1.txt\"\n", true),
        ("check", "#!/bin/sh\ncat data.txt\n", false),
        ("check", "1 2 3 $x\n", false),
    ];
    for (name, text, selects) in scripts {
        let start = match name {
            "check.sh" => "Command::new(\"sh\").args([\"check.sh\", \"x\"]).output();",
            "check.py" => "Command::new(\"python3\").arg(\"check.py\").output();",
            _ => "Command::new(\"./check\").arg(\"x\").output();",
        };
        let sandbox = starting(start);
        sandbox.write(&format!("e2e/{name}"), text);
        sandbox.git();
        sandbox.write("core1/data/x.txt", "2");
        check(&sandbox, selects, text);
        sandbox.write("core1/data/x.txt", "1");
        sandbox.edit("core1/src/lib.rs", "{ 1 }", "{ 2 }");
        check(&sandbox, selects, text);
    }
    // The name of the script is not known, and the makefile is another's.
    let sandbox = starting("Command::new(\"sh\").arg(script()).output();");
    sandbox.write("e2e/Makefile", "all:\n\techo hi\n");
    sandbox.git();
    sandbox.write("core1/data/x.txt", "2");
    check(&sandbox, true, "a script without a name");
}

#[test]
fn a_test_that_lets_git_compare_the_files_depends_on_all() {
    for (code, selects) in [
        (
            "Command::new(\"git\").args([\"diff\", \"--stat\"]).output();",
            true,
        ),
        (
            "Command::new(\"sh\").args([\"-c\", \"git status --porcelain\"]).output();",
            true,
        ),
        ("Command::new(\"git\").arg(\"init\").output();", false),
        (
            "Command::new(\"diff\").args([\"a\", \"b\"]).output();",
            false,
        ),
    ] {
        let sandbox = starting(code);
        sandbox.git();
        sandbox.write("core1/data/x.txt", "2");
        check(&sandbox, selects, code);
        sandbox.write("core1/data/x.txt", "1");
        sandbox.edit("core1/src/lib.rs", "{ 1 }", "{ 2 }");
        check(&sandbox, selects, code);
    }
}
