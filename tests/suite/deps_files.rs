//! What applying dependencies does to files beyond their text.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_poc::internals::deps::{self, Block, Edit, State};
use cargo_poc::internals::exit::{Exit, code_of};
use cargo_poc::internals::sys::cargo::Cargo;

const PACKAGE: &str = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";

/// A workspace of two packages, `a` and `b`.
fn workspace() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path())
        .unwrap()
        .canonicalize_utf8()
        .unwrap();
    write(
        &root.join("Cargo.toml"),
        "[workspace]\nmembers = [\"a\", \"b\"]\nresolver = \"2\"\n",
    );
    for name in ["a", "b"] {
        write(
            &root.join(name).join("Cargo.toml"),
            &PACKAGE.replace("app", name),
        );
        write(&root.join(name).join("src/lib.rs"), "");
    }
    (folder, root)
}

fn write(path: &Utf8Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::File::create(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
        .unwrap();
}

fn block<'a>(manifest: &str, toml: &'a str) -> Block<'a> {
    Block {
        manifest: manifest.into(),
        toml,
        line: 10,
        lead: "",
    }
}

fn edits(root: &Utf8Path) -> Vec<Edit> {
    let toml = "[dependencies]\nmoka = \"0.12\" # Add for caching\n";
    deps::plan_edits(
        root,
        &[block("a/Cargo.toml", toml), block("b/Cargo.toml", toml)],
        &[],
    )
    .unwrap()
    .edits
}

#[test]
fn only_the_chosen_manifest_is_edited() {
    let (_folder, root) = workspace();
    let toml = "[dependencies]\nmoka = \"0.12\"\n";
    let blocks = [block("./a/Cargo.toml", toml), block("b/Cargo.toml", toml)];
    let outcome = deps::plan_edits(&root, &blocks, &["a/Cargo.toml".into()]).unwrap();
    assert_eq!(
        outcome
            .edits
            .iter()
            .map(|edit| edit.path.as_str())
            .collect::<Vec<_>>(),
        ["a/Cargo.toml"]
    );
    assert_eq!(outcome.entries.len(), 1);
    assert_eq!(outcome.entries[0].1, State::Missing);

    let error = deps::plan_edits(&root, &blocks, &["c/Cargo.toml".into()]).unwrap_err();
    assert_eq!(code_of(&error), Exit::Usage);
    assert_eq!(
        error.to_string(),
        "the plan's Dependencies have no block for c/Cargo.toml; there are blocks for: ./a/Cargo.toml, b/Cargo.toml"
    );
}

#[cfg(unix)]
#[test]
fn mode_and_symbolic_link_are_kept() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let (_folder, root) = workspace();
    let (link, real) = (root.join("a/Cargo.toml"), root.join("real.toml"));
    fs::rename(&link, &real).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o664)).unwrap();
    symlink("../real.toml", &link).unwrap();

    deps::commit(&root, &edits(&root), &Cargo::default()).unwrap();
    assert!(link.is_symlink());
    assert_eq!(
        fs::metadata(&real).unwrap().permissions().mode() & 0o777,
        0o664
    );
    assert!(
        fs::read_to_string(&real)
            .unwrap()
            .ends_with("[dependencies]\nmoka = \"0.12\"\n")
    );
}

#[test]
fn manifest_changed_by_another_process_is_not_overwritten() {
    let (_folder, root) = workspace();
    let edits = edits(&root);
    let newer = PACKAGE.replace("app", "b") + "\n# mine\n";
    write(&root.join("b/Cargo.toml"), &newer);
    let error = deps::commit(&root, &edits, &Cargo::default()).unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "b/Cargo.toml was changed by another process; nothing was written, run this again"
    );
    assert_eq!(
        fs::read_to_string(root.join("a/Cargo.toml")).unwrap(),
        edits[0].old
    );
    assert_eq!(
        fs::read_to_string(root.join("b/Cargo.toml")).unwrap(),
        newer
    );
}

#[test]
fn manifest_that_cargo_rejects_is_restored_with_the_reason() {
    let (_folder, root) = workspace();
    let toml = "[features]\ncache = [\"dep:mocha\"] # Add for caching\n";
    let blocks = [
        block("a/Cargo.toml", "[dependencies]\nmoka = \"0.12\"\n"),
        block("b/Cargo.toml", toml),
    ];
    let edits = deps::plan_edits(&root, &blocks, &[]).unwrap().edits;
    let error = deps::commit(&root, &edits, &Cargo::default()).unwrap_err();
    assert_eq!(code_of(&error), Exit::Usage);
    assert!(
        format!("{error:#}").contains("`mocha` is not listed as a dependency"),
        "{error:#}"
    );
    for edit in &edits {
        assert_eq!(fs::read_to_string(root.join(&edit.path)).unwrap(), edit.old);
    }
}

#[cfg(unix)]
#[test]
fn unwritable_manifest_restores_the_others() {
    use std::os::unix::fs::PermissionsExt as _;

    let (_folder, root) = workspace();
    let edits = edits(&root);
    fs::set_permissions(root.join("b/Cargo.toml"), fs::Permissions::from_mode(0o444)).unwrap();
    let error = deps::commit(&root, &edits, &Cargo::default()).unwrap_err();
    assert!(
        format!("{error:#}")
            .starts_with("nothing was changed: every manifest was restored: failed to write")
    );
    for edit in &edits {
        assert_eq!(fs::read_to_string(root.join(&edit.path)).unwrap(), edit.old);
    }
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let (_folder, root) = workspace();
    fs::File::create(root.join("a/Cargo.toml"))
        .and_then(|mut file| std::io::Write::write_all(&mut file, b"# \xff\n"))
        .unwrap();
    let error = deps::plan_edits(
        &root,
        &[block("a/Cargo.toml", "[dependencies]\nmoka = \"1\"\n")],
        &[],
    )
    .unwrap_err();
    assert_eq!(code_of(&error), Exit::Usage);
    assert_eq!(
        format!("{error:#}"),
        "plan line 11 names a/Cargo.toml: a/Cargo.toml is not UTF-8"
    );
}

#[test]
fn the_diff_applies_with_git() {
    let (_folder, root) = workspace();
    let edits = edits(&root);
    let patch: String = edits.iter().map(Edit::diff).collect();
    write(&root.join("patch"), &patch);
    let applied = std::process::Command::new("git")
        .args(["apply", "patch"])
        .current_dir(&root)
        .status()
        .unwrap();
    assert!(applied.success(), "{patch}");
    for edit in &edits {
        assert_eq!(fs::read_to_string(root.join(&edit.path)).unwrap(), edit.new);
    }
}

/// Runs `cargo poc deps` from `folder`: standard output, and the exit code.
fn program(folder: &Utf8Path, arguments: &[&str]) -> (String, i32) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_cargo-poc"))
        .args([&["poc", "deps"], arguments].concat())
        .args(["--offline", "--color", "never"])
        .current_dir(folder)
        .output()
        .unwrap();
    (
        String::from_utf8(output.stdout).unwrap(),
        output.status.code().unwrap(),
    )
}

#[test]
fn check_reports_missing_dependencies_until_they_are_applied() {
    let (_folder, root) = workspace();
    let a = PACKAGE.replace("app", "a")
        + "\n[dependencies]\nserde = \"1\"\nlog = \"0.3\"\nuuid = \"1\"\n";
    write(&root.join("a/Cargo.toml"), &a);
    let plan = "# Cache\n\n## Dependencies\n\nUpdate `a/Cargo.toml`:\n\n```toml\n[dependencies]\n\
        moka = \"0.12\" # Add for caching\nserde = { version = \"1\", features = [\"derive\"] } # Add for types\n\
        log = \"0.4\" # Add for logs\nzip = \"[fill in]\" # Add for archives\nuuid = \"1\"\n```\n\n\
        Update `b/Cargo.toml`:\n\n```toml\n[dev-dependencies]\nproptest = \"1\" # Add for tests\n```\n\n\
        ## Success Criteria\n\n## Implementation Steps\n";
    write(&root.join("docs/cache-plan.md"), plan);

    let (out, exit) = program(&root, &["cache", "--check"]);
    snapbox::assert_data_eq!(
        out,
        snapbox::str![[r#"
docs/cache-plan.md:9: moka in [dependencies] of a/Cargo.toml is missing
docs/cache-plan.md:10: serde in [dependencies] of a/Cargo.toml lacks features derive
docs/cache-plan.md:11: log in [dependencies] of a/Cargo.toml contradicts the plan: requirement `0.3` in the manifest and `0.4` in the plan: neither includes the other
docs/cache-plan.md:12: zip in [dependencies] of a/Cargo.toml cannot be applied: `[fill in]` is not a version requirement (unexpected character '[' while parsing major version number); fill it in, as in `zip = "1.2"`
docs/cache-plan.md:20: proptest in [dev-dependencies] of b/Cargo.toml is missing

"#]]
    );
    assert_eq!(exit, 1);
    assert_eq!(fs::read_to_string(root.join("a/Cargo.toml")).unwrap(), a);

    let plan = plan
        .replace("log = \"0.4\"", "log = \"0.3\"")
        .replace("[fill in]", "2");
    write(&root.join("docs/cache-plan.md"), &plan);
    let folder = root.join("a/src");
    assert_eq!(
        program(&folder, &["cache", "--manifest", "../Cargo.toml"]),
        (String::new(), 0)
    );
    assert_eq!(
        program(&root, &["cache", "--check", "--manifest", "a/Cargo.toml"]),
        (String::new(), 0)
    );
    assert_eq!(program(&root, &["cache", "--check"]).1, 1);
    assert_eq!(program(&root, &["cache"]), (String::new(), 0));
    assert_eq!(program(&root, &["--check"]), (String::new(), 0));
}

#[test]
fn manifest_without_a_block_is_a_usage_error() {
    let (_folder, root) = workspace();
    write(
        &root.join("docs/cache-plan.md"),
        "# Cache\n\n## Dependencies\n\nNo new dependencies required.\n",
    );
    assert_eq!(
        program(&root, &["cache", "--manifest", "a/Cargo.toml"]).1,
        2
    );
    assert_eq!(
        program(&root, &["cache", "--manifest", "../Cargo.toml"]).1,
        2
    );
    assert_eq!(program(&root, &["cache", "--check"]), (String::new(), 0));
}
