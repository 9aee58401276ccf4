//! `affected --format packages`: packages whose lints, documentation or build a change can affect.

use crate::kit::Sandbox;

/// Members with and without tests: `bare` has none.
fn workspace() -> Sandbox {
    let sandbox = Sandbox::workspace("base; mid: base; top: mid; bare: base; alone");
    sandbox.remove("bare/tests/it.rs");
    sandbox.write("bare/src/lib.rs", "pub use base::answer;\n");
    sandbox.append("bare/Cargo.toml", "[lib]\ntest = false\ndoctest = false\n");
    sandbox.write("README.md", "# All\n");
    sandbox.write("shared.rs", "pub fn shared() {}\n");
    sandbox.write("docs/notes.md", "text\n");
    sandbox.git();
    sandbox
}

fn packages(sandbox: &Sandbox) -> String {
    let run = sandbox.poc("affected --format packages");
    run.exits(0);
    run.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_change_affects_its_package_and_those_that_depend_on_it() {
    let sandbox = workspace();
    assert_eq!(packages(&sandbox), "");
    sandbox.edit("top/src/lib.rs", "The answer.", "The best answer.");
    assert_eq!(packages(&sandbox), "top");
    sandbox.append("base/src/lib.rs", "// a comment\n");
    assert_eq!(packages(&sandbox), "bare base mid top");
    let recipe = "cargo poc affected --format packages | sed 's/^/--package=/' | xargs -r cargo check --all-targets";
    let run = sandbox.shell(recipe);
    run.exits(0).says("Checking bare").says("Checking top");
    assert!(!run.stderr.contains("Checking alone"), "{run}");
}

#[test]
fn settings_of_clippy_affect_the_packages_in_their_folder() {
    let sandbox = workspace();
    sandbox.write("alone/clippy.toml", "msrv = \"1.70\"\n");
    assert_eq!(packages(&sandbox), "alone");
    sandbox.write("clippy.toml", "msrv = \"1.70\"\n");
    assert_eq!(packages(&sandbox), "alone bare base mid top");
}

#[test]
fn lints_of_the_workspace_affect_every_package() {
    let sandbox = workspace();
    sandbox.append("Cargo.toml", "[workspace.metadata.other]\na = 1\n");
    assert_eq!(packages(&sandbox), "");
    sandbox.append(
        "Cargo.toml",
        "[workspace.lints.clippy]\npedantic = \"warn\"\n",
    );
    assert_eq!(packages(&sandbox), "alone bare base mid top");
}

#[test]
fn files_outside_of_packages_affect_those_that_use_them() {
    let sandbox = workspace();
    sandbox.append("README.md", "more\n");
    sandbox.write("docs/work-plan.md", "# Work Plan\n");
    assert_eq!(packages(&sandbox), "");
    sandbox.append(
        "bare/src/lib.rs",
        "#[path = \"../../shared.rs\"]\npub mod shared;\n",
    );
    sandbox.append(
        "alone/src/lib.rs",
        "#[doc = include_str!(\"../../README.md\")]\npub mod readme {}\n",
    );
    sandbox.commit("use them");
    sandbox.run_git(&["checkout", "--quiet", "-b", "work"]);
    sandbox.append("shared.rs", "pub fn more() {}\n");
    assert_eq!(packages(&sandbox), "bare");
    sandbox.run_git(&["checkout", "--quiet", "shared.rs"]);
    sandbox.append("README.md", "again\n");
    assert_eq!(packages(&sandbox), "alone");
    sandbox.run_git(&["checkout", "--quiet", "README.md"]);
    // Who reads this file is not known.
    sandbox.append("docs/notes.md", "again\n");
    assert_eq!(packages(&sandbox), "alone bare base mid top");
}
