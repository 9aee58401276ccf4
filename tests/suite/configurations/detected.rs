//! What the files of a project tell of its configurations, and what `init` makes of it.

use super::synthetic;
use crate::kit::{Sandbox, nextest_for};

const WORKFLOW: &str = "jobs:\n  test:\n    steps:\n      - run: cargo build\n      - run: |\n          cargo test --workspace \\\n            --all-features -- --nocapture\n";

#[test]
fn init_uses_the_configuration_of_ci() {
    let sandbox = synthetic();
    sandbox.write(".github/workflows/ci.yml", WORKFLOW);
    let manifest =
        "# kept\r\n[workspace]\r\nmembers = [\"base\", \"app\"] # both\r\nresolver = \"2\"\r\n";
    sandbox.write("Cargo.toml", manifest).commit("workflow");
    let run = sandbox.poc("init one -p base --dry-run");
    run.exits(0)
        .prints("cargo check --tests -p base --all-features");
    assert_eq!(
        sandbox.read("Cargo.toml"),
        manifest,
        "a dry run writes nothing"
    );
    sandbox
        .poc("init one -p base")
        .exits(0)
        .says("all (--all-features), the default, in Cargo.toml")
        .says(".github/workflows/ci.yml:6 runs `cargo test --workspace --all-features`")
        .hides("no configuration compiles");
    let written = sandbox.read("Cargo.toml");
    assert!(written.starts_with(manifest), "{written:?}");
    assert!(
        written.contains("default-configuration = \"all\"\r\n"),
        "{written:?}"
    );
    let plan = sandbox.read("docs/one-plan.md");
    for line in plan
        .lines()
        .filter(|line| line.starts_with("cargo test") || line.starts_with("cargo check"))
    {
        assert!(line.contains("--all-features"), "{line}");
    }
    sandbox.poc("status one").exits(0).hides("unplanned");
    sandbox
        .poc("verify one --baseline")
        .exits(0)
        .prints("24 passed");
    sandbox.commit("plan");
    sandbox.edit("base/src/gated.rs", "mutant(6)", "mutant(6 + 0)");
    sandbox
        .poc("affected --format args")
        .exits(0)
        .prints("--all-features");
    sandbox.poc("init two -p app").exits(0).hides("Configured");
    assert_eq!(sandbox.read("Cargo.toml"), written);
}

#[test]
fn a_selection_names_the_build_of_ci_that_it_does_not_cover() {
    let sandbox = synthetic();
    sandbox
        .write(".github/workflows/ci.yml", WORKFLOW)
        .commit("workflow");
    sandbox.edit("base/src/gated.rs", "mutant(6)", "mutant(6 + 0)");
    let warning = "warning: .github/workflows/ci.yml:6 runs `cargo test --workspace --all-features`, but this command knows only the tests of a build without these options";
    sandbox.poc("affected").exits(0).says(warning);
    sandbox.poc("verify").exits(0).says(warning);
    for options in [
        "--all-features",
        "--features base/extra",
        "--no-default-features",
    ] {
        let run = sandbox.poc(&format!("affected {options}"));
        assert!(!run.stderr.contains(warning), "{options}: {run:?}");
    }
    sandbox.append(
        "Cargo.toml",
        "\n[workspace.metadata.poc.configurations.plain]\n",
    );
    let run = sandbox.poc("affected");
    run.exits(0);
    assert!(!run.stderr.contains(warning), "{run:?}");
}

#[test]
fn an_alias_with_its_own_profile_is_a_configuration() {
    let sandbox = synthetic();
    sandbox
        .append("Cargo.toml", "\n[profile.slow]\ninherits = \"test\"\n")
        .write(
            ".cargo/config.toml",
            "[alias]\nslow-test = \"test --features extra --profile slow --workspace --test gated\"\n",
        )
        .write(
            ".github/workflows/build.yml",
            "jobs:\n  test:\n    steps:\n      - run: cargo test --workspace\n      - run: cargo test --workspace --release\n      \
             - run: cargo slow-test\n",
        )
        .commit("settings");
    let run = sandbox.poc("init one -p base");
    run.exits(0)
        .says("Configured extra-slow (--features extra --profile slow), in Cargo.toml")
        .says(".github/workflows/build.yml:6 runs")
        .hides("release");
    let last = run.stderr.lines().last().unwrap();
    assert!(last.trim().starts_with("Next cargo poc verify"), "{run}");
    let manifest = sandbox.read("Cargo.toml");
    assert!(manifest.contains("profile = \"slow\""), "{manifest}");
    sandbox.edit("base/src/gated.rs", "mutant(6)", "mutant(6 + 0)");
    sandbox
        .poc("affected --config extra-slow --format args")
        .exits(0)
        .prints("--features extra --profile slow")
        .prints("gated");
}

#[test]
fn exclusive_features_are_never_combined() {
    let sandbox = synthetic();
    sandbox.write(
        "justfile",
        "test:\n    cargo test -p base --no-default-features --features wide\n    cargo nextest run -p app --features more\n    cargo test --features ${BACKEND}\n    cargo test --features elsewhere\n",
    );
    sandbox
        .poc("init one -p base")
        .exits(0)
        .says("wide (--no-default-features --features wide)")
        .says("more (--features more)")
        .hides("the default")
        .says("Unknown justfile:4 runs `cargo test --features ${BACKEND}`")
        .hides("elsewhere");
    let plan = sandbox.read("docs/one-plan.md");
    assert!(!plan.contains("--all-features"), "{plan}");
    let both = |line: &&str| line.contains("wide") && line.contains("more");
    assert_eq!(plan.lines().find(both), None);
    sandbox
        .poc("affected --config wide --files base/src/lib.rs --format args")
        .exits(0)
        .prints("--no-default-features --features wide");
}

#[test]
fn test_that_no_configuration_runs_is_reported_with_its_line() {
    let sandbox = synthetic();
    sandbox
        .poc("init one -p base --dry-run")
        .exits(0)
        .says("base/tests/gated.rs:4: 1 test")
        .says("base/tests/wide.rs:2: 1 test")
        .hides("base_windows");
    sandbox.append(
        "Cargo.toml",
        "\n[workspace.metadata.poc.configurations.all]\nall-features = true\n",
    );
    sandbox
        .poc("init one -p base --dry-run")
        .exits(0)
        .hides("no configuration compiles");
}

#[test]
fn a_baseline_that_does_not_build_names_the_configuration_that_ci_tests() {
    let sandbox = synthetic();
    sandbox.write(
        "base/tests/gated.rs",
        "#[test]\nfn whole_file() {\n    base::gated::deep();\n}\n",
    );
    sandbox.commit("a test that needs a feature");
    sandbox.poc("init one -p base").exits(0);
    sandbox.write(".github/workflows/ci.yml", WORKFLOW);
    sandbox
        .poc("verify one --baseline")
        .exits(1)
        .says("does not build")
        .says(".github/workflows/ci.yml:6 runs `cargo test --workspace --all-features`")
        .says("add `--all-features` to the plan's commands");
}

const MATRIX: &str = r#"env: { RUSTFLAGS: -D warnings }
jobs:
  test:
    strategy:
      matrix:
        features:
          ["--no-default-features --features wide", --all-features]
    steps:
      - run: "cargo test ${{ matrix.features }}"
      - run: cargo test --features ${{ inputs.more }}
  loom:
    env:
      RUSTFLAGS: --cfg loom
    steps:
      - run: >-
          cargo test
          --lib
"#;

#[test]
fn a_matrix_variables_documentation_and_nextest_are_detected() {
    let sandbox = synthetic();
    sandbox
        .write(".github/workflows/ci.yml", MATRIX)
        .write(
            ".config/nextest.toml",
            "[profile.default]\ndefault-filter = \"not test(slow)\"\n",
        )
        .append(
            "base/Cargo.toml",
            "\n[package.metadata.docs.rs]\nfeatures = [\"extra\"]\n",
        )
        .commit("a matrix");
    sandbox
        .poc("init one -p base")
        .exits(0)
        .says("wide (--no-default-features --features wide), in Cargo.toml: .github/workflows/ci.yml:9 runs")
        .says("all (--all-features), the default, in Cargo.toml: .github/workflows/ci.yml:9 runs `cargo test --all-features`")
        .says("loom (RUSTFLAGS='--cfg loom'), in Cargo.toml: .github/workflows/ci.yml:16 runs")
        .says("extra (--features extra), in Cargo.toml: base/Cargo.toml:17 builds documentation with `--features extra`")
        .says("Unknown .github/workflows/ci.yml:10 runs `cargo test --features ${}`")
        .says("Assumed .config/nextest.toml:2: the profile `default` of nextest runs only the tests of `not test(slow)`");
    let manifest = sandbox.read("Cargo.toml");
    assert!(
        manifest.contains("environment = { RUSTFLAGS = \"--cfg loom\" }"),
        "{manifest}"
    );
    for name in ["wide", "all", "loom", "extra"] {
        sandbox
            .poc(&format!("affected --config {name} --format names"))
            .exits(0);
    }
}

/// Two packages that need features of a third that exclude each other.
pub(super) fn excluding() -> Sandbox {
    let sandbox = Sandbox::empty();
    let user = |letter: &str| {
        let manifest = format!(
            "[package]\nname = \"app-{letter}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
             base = {{ path = \"../base\", features = [\"{letter}\"] }}\n"
        );
        let source = format!(
            "pub fn own() -> u32 {{\n    base::common()\n}}\n\n#[test]\nfn own_{letter}() {{\n    own();\n    assert_eq!(include_str!(\"../data.txt\"), \"1\");\n}}\n"
        );
        sandbox
            .write(&format!("app-{letter}/data.txt"), "1")
            .write(&format!("app-{letter}/Cargo.toml"), manifest)
            .write(&format!("app-{letter}/src/lib.rs"), source);
    };
    user("a");
    user("b");
    sandbox
        .write(
            "Cargo.toml",
            "[workspace]\nmembers = [\"base\", \"app-a\", \"app-b\"]\nresolver = \"2\"\n",
        )
        .write(
            "base/Cargo.toml",
            "[package]\nname = \"base\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[features]\na = []\nb = []\n",
        )
        .write(
            "base/src/lib.rs",
            "#[cfg(all(feature = \"a\", feature = \"b\"))]\ncompile_error!(\"choose one of a and b\");\n\npub fn common() -> u32 {\n    1\n}\n\n\
             #[test]\nfn own_base() {\n    common();\n}\n",
        );
    sandbox.shell("cargo generate-lockfile --offline").exits(0);
    sandbox.git();
    sandbox
}

#[test]
fn features_that_exclude_each_other_become_several_commands() {
    let sandbox = excluding();
    sandbox
        .shell("cargo test --offline --workspace --no-run")
        .exits(101);
    sandbox
        .poc("init one -p base --file base/src/lib.rs")
        .exits(0);
    let plan = sandbox.read("docs/one-plan.md");
    let commands: Vec<&str> = plan
        .lines()
        .filter(|line| line.starts_with("cargo test"))
        .collect();
    assert!(commands.len() > 1, "{plan}");
    for command in commands {
        assert!(
            !(command.contains("app-a") && command.contains("app-b")),
            "{command}"
        );
        assert!(!command.contains("--workspace"), "{command}");
    }
    sandbox
        .poc("verify one --baseline")
        .exits(0)
        .prints("3 passed");
    sandbox.commit("a plan");
    // So do the affected tests and the whole suite.
    sandbox.edit("base/src/lib.rs", "    1\n", "    1 + 0\n");
    let run = sandbox.poc("affected --format names");
    run.exits(0)
        .prints("own_a")
        .prints("own_b")
        .prints("own_base");
    sandbox
        .poc("affected --format args")
        .exits(4)
        .says("2 builds are needed");
    let mut runners = vec!["cargo"];
    runners.extend(nextest_for("packages that exclude each other").then_some("nextest"));
    for runner in runners {
        for scope in ["--affected", "--full"] {
            sandbox
                .poc(&format!(
                    "verify {scope} --no-record --no-reuse --runner {runner}"
                ))
                .exits(0)
                .prints("3 passed");
        }
    }
    sandbox.run_git(&["checkout", "--quiet", "base/src/lib.rs"]);
    sandbox.edit(
        "app-b/src/lib.rs",
        "base::common()\n",
        "base::common() + 0\n",
    );
    sandbox
        .poc("affected --format args")
        .exits(0)
        .prints("-p app-b --lib")
        .hides("app-a");
}

#[test]
fn coverage_is_collected_from_several_builds() {
    if !nextest_for("coverage_is_collected_from_several_builds") {
        return;
    }
    let sandbox = excluding();
    sandbox
        .poc("affected --collect")
        .exits(0)
        .says("Observed 3 of 3 tests");
    sandbox
        .poc("affected --audit")
        .exits(0)
        .prints("3 of 3 tests observed");
    // The files that each build read.
    for letter in ["a", "b"] {
        let file = format!("app-{letter}/data.txt");
        sandbox.write(&file, "2");
        sandbox
            .poc("affected --format names")
            .exits(0)
            .prints(&format!("own_{letter}"));
        sandbox.write(&file, "1");
    }
}

#[test]
fn init_writes_commands_for_each_required_configuration() {
    let sandbox = synthetic();
    sandbox
        .append(
            "Cargo.toml",
            "\n[workspace.metadata.poc.configurations.all]\nall-features = true\n\n\
             [workspace.metadata.poc.configurations.model]\nenvironment = { RUSTFLAGS = \"--cfg loom\" }\n",
        )
        .commit("configurations");
    sandbox
        .poc("init two -p base --require default --require all --require model --file base/src/lib.rs")
        .exits(0);
    let plan = sandbox.read("docs/two-plan.md");
    assert!(
        plan.contains("| **Configurations** | default, all, model |"),
        "{plan}"
    );
    assert!(plan.contains("RUSTFLAGS='--cfg loom' cargo test"), "{plan}");
    sandbox.poc("check two").hides("POC090");
    sandbox.poc("report --output page.html").exits(0);
    // The generated parts are those of the required configurations.
    sandbox.poc("update two --dry-run").exits(0).hides("tests");
    sandbox.poc("verify two --baseline").exits(0);
    sandbox
        .poc("init three -p base --require al")
        .exits(2)
        .says("no configuration `al`");
}

#[test]
fn a_baseline_that_does_not_build_names_the_configuration_with_the_feature() {
    let sandbox = synthetic();
    sandbox
        .write(
            "base/tests/gated.rs",
            "#[test]\nfn whole_file() {\n    base::gated::deep();\n}\n",
        )
        .append(
            "Cargo.toml",
            "\n[workspace.metadata.poc.configurations.first]\nfeatures = [\"never\"]\n\n\
             [workspace.metadata.poc.configurations.second]\nfeatures = [\"extra\"]\n",
        )
        .commit("a test that needs a feature");
    sandbox.poc("init one -p base").exits(0);
    sandbox
        .poc("verify one --baseline")
        .exits(1)
        .says("does not build")
        .says("the configuration second (--features extra) may");
}

#[test]
fn features_that_ci_tests_one_at_a_time_are_never_combined() {
    let sandbox = Sandbox::empty();
    let example = |name: &str| {
        format!(
            "[package]\nname = \"with-{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
             base = {{ path = \"../base\", features = [\"{name}\"] }}\n"
        )
    };
    let library = |name: &str| format!("#[test]\nfn with_{name}() {{\n    base::common();\n}}\n");
    for name in ["red", "blue"] {
        sandbox
            .write(&format!("with-{name}/Cargo.toml"), example(name))
            .write(&format!("with-{name}/src/lib.rs"), library(name));
    }
    sandbox
        .write(
            "Cargo.toml",
            "[workspace]\nmembers = [\"base\", \"with-red\", \"with-blue\", \"xtask\"]\nresolver = \"2\"\n",
        )
        .write(
            "base/Cargo.toml",
            "[package]\nname = \"base\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[features]\nred = []\nblue = []\n",
        )
        .write(
            "base/src/lib.rs",
            "#[cfg(feature = \"red\")]\npub mod red;\n#[cfg(feature = \"blue\")]\npub mod blue;\n\npub fn common() -> u32 {\n    1\n}\n",
        )
        .write("base/src/red.rs", "#[test]\nfn red() {}\n")
        .write("base/src/blue.rs", "#[test]\nfn blue() {}\n")
        .write(
            "xtask/Cargo.toml",
            "[package]\nname = \"xtask\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        )
        .write("xtask/src/main.rs", "fn main() {}\n")
        .write(".cargo/config.toml", "[alias]\nxtask = \"run --package xtask --\"\n")
        .write(
            ".github/workflows/ci.yml",
            "jobs:\n  test:\n    strategy:\n      matrix:\n        colour: [red, blue]\n    steps:\n      - env:\n          COLOUR: \
             ${{ matrix.colour }}\n        run: cargo xtask run-tests $COLOUR $MORE\n      - run: cargo xtask test-all\n      - run: \
             cargo xtask format red\n",
        )
        .lock_with_cargo();
    sandbox.git();
    sandbox
        .poc("init one -p base --file base/src/lib.rs")
        .exits(0)
        .says("Configured red (--features red), the default, in Cargo.toml: .github/workflows/ci.yml:9 runs `cargo xtask run-tests red $MORE`")
        .says("Configured blue (--features blue), in Cargo.toml")
        .says("Unknown .github/workflows/ci.yml:10 runs `cargo xtask test-all`")
        .hides("format");
    let manifest = sandbox.read("Cargo.toml");
    assert!(
        manifest.contains("packages = [\"base\", \"with-red\", \"xtask\"]"),
        "{manifest}"
    );
    // The configuration that compiles the planned files, if the default one does not.
    sandbox
        .poc("init two -p base --file base/src/blue.rs")
        .exits(0)
        .says("Assumed the configuration blue (--features blue)");
    for (plan, own, other, passed) in [("one", "red", "blue", 2), ("two", "blue", "red", 1)] {
        let text = sandbox.read(&format!("docs/{plan}-plan.md"));
        let commands = text.lines().filter(|line| line.starts_with("cargo "));
        for command in commands {
            assert!(
                command.contains(own) && !command.contains(other),
                "{command}"
            );
        }
        sandbox
            .poc(&format!("verify {plan} --baseline"))
            .exits(0)
            .prints(&format!("baseline: passed, {passed} passed"));
    }
}
