//! Build configurations: which tests there are, what selects them, and what the commands say, held against real cargo.

use std::collections::BTreeSet;

use cargo_poc::affected::{TestSelector, TestTargetKind, select_in};
use cargo_poc::change::Change;
use cargo_poc::config::Options;
use cargo_poc::project::Project;
use cargo_poc::workspace::Configuration;

use crate::kit::{PROGRAM, Sandbox, finish};

const BASE: &str = r#"//! The base.

/// Fails where `MUTANT` is this number.
pub fn mutant(number: u32) -> u32 {
    assert_ne!(std::env::var("MUTANT").ok(), Some(number.to_string()));
    number
}

pub fn always() -> u32 {
    mutant(1)
}

/// Only with `extra`.
///
/// ```
/// assert_eq!(base::extra(), 2);
/// ```
#[cfg(feature = "extra")]
pub fn extra() -> u32 {
    mutant(2)
}

#[cfg(not(feature = "extra"))]
pub fn plain() -> u32 {
    mutant(3)
}

#[cfg(unix)]
pub fn on_unix() -> u32 {
    mutant(4)
}

#[cfg(windows)]
pub fn on_windows() -> u32 {
    mutant(5)
}

#[cfg(feature = "extra")]
pub mod gated;

pub mod outer {
    #[cfg(feature = "std")]
    pub fn std_only() -> u32 {
        crate::mutant(7)
    }
}

macro_rules! when_extra {
    ($($item:item)*) => { $( #[cfg(feature = "extra")] $item )* };
}

when_extra! {
    pub fn by_macro() -> u32 {
        mutant(8)
    }
}

pub struct Thing;

#[cfg(any(feature = "extra", all(unix, feature = "never")))]
impl Thing {
    pub fn method(&self) -> u32 {
        mutant(9)
    }
}

#[cfg(not(any(feature = "extra", all(unix, feature = "never"))))]
impl Thing {
    pub fn method(&self) -> u32 {
        mutant(10)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn base_always() {
        super::always();
    }

    #[test]
    #[cfg(feature = "extra")]
    fn base_extra() {
        super::extra();
    }

    #[cfg(not(feature = "extra"))]
    #[test]
    fn base_plain() {
        super::plain();
    }

    #[cfg(unix)]
    #[test]
    fn base_unix() {
        super::on_unix();
    }

    #[cfg(windows)]
    #[test]
    fn base_windows() {
        super::on_windows();
    }

    #[cfg(feature = "std")]
    mod with_std {
        #[test]
        fn base_std() {
            crate::outer::std_only();
        }
    }

    #[cfg(feature = "extra")]
    #[test]
    fn base_macro() {
        crate::by_macro();
    }

    #[test]
    fn base_method() {
        crate::Thing.method();
    }
}
"#;

const CONFIGURATIONS: [&[&str]; 3] = [
    &[],
    &["--all-features"],
    &["--no-default-features", "--features", "wide"],
];

fn synthetic() -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox
        .write(
            "Cargo.toml",
            "[workspace]\nmembers = [\"base\", \"app\"]\nresolver = \"2\"\n",
        )
        .write(
            "base/Cargo.toml",
            "[package]\nname = \"base\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[features]\ndefault = [\"std\"]\nstd = []\n\
             extra = []\nwide = [\"extra\"]\nnever = []\n\n[[test]]\nname = \"wide\"\nrequired-features = [\"wide\"]\n",
        )
        .write("base/src/lib.rs", BASE)
        .write(
            "base/src/gated.rs",
            "pub fn deep() -> u32 {\n    crate::mutant(6)\n}\n\n#[test]\nfn gated_deep() {\n    deep();\n}\n",
        )
        .write(
            "base/tests/gated.rs",
            "#![cfg(feature = \"extra\")]\n\n#[test]\nfn whole_file() {\n    base::gated::deep();\n}\n",
        )
        .write(
            "base/tests/wide.rs",
            "#[test]\nfn required() {\n    base::extra();\n    base::mutant(11);\n}\n",
        )
        .write(
            "app/Cargo.toml",
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[features]\nmore = [\"base/extra\"]\n\n\
             [dependencies]\nbase = { path = \"../base\", default-features = false }\n",
        )
        .write(
            "app/src/lib.rs",
            "//! The app.\n\n#[cfg(feature = \"more\")]\npub fn more() -> u32 {\n    base::mutant(12) + base::extra()\n}\n\n\
             pub fn less() -> u32 {\n    base::mutant(13)\n}\n",
        )
        .write(
            "app/tests/it.rs",
            "#[test]\nfn app_less() {\n    app::less();\n}\n\n#[cfg(feature = \"more\")]\n#[test]\nfn app_more() {\n    app::more();\n}\n",
        );
    sandbox.lock_with_cargo();
    sandbox.git();
    sandbox
}

fn choice(flags: &[&str]) -> Configuration {
    let features = flags.iter().skip_while(|flag| **flag != "--features");
    Configuration {
        all_features: flags.contains(&"--all-features"),
        no_default_features: flags.contains(&"--no-default-features"),
        features: features.skip(1).map(ToString::to_string).collect(),
        ..Configuration::default()
    }
}

/// The tests that the sources tell of, and how many doctests.
fn told(sandbox: &Sandbox, flags: &[&str]) -> (BTreeSet<String>, usize) {
    let project = Project::load(Options {
        manifest_path: Some(sandbox.root.join("Cargo.toml")),
        cargo_flags: vec!["--offline".to_owned()],
        build: choice(flags),
        ..Options::default()
    })
    .unwrap();
    let manifests = project.workspace.packages.iter();
    let change = Change::of_files(
        manifests
            .map(|package| package.manifest_path.clone())
            .collect(),
    );
    let selection = select_in(&project, &change, false).unwrap();
    let mut names = BTreeSet::new();
    let mut doctests = 0;
    for (target, part) in &selection.targets {
        if target.kind == TestTargetKind::Doc {
            doctests += part.known.len();
            continue;
        }
        for test in part.known.iter() {
            let TestSelector::Exact(name) = test else {
                panic!("{test:?} is no name");
            };
            names.insert(name.clone());
        }
    }
    (names, doctests)
}

/// What `cargo test` lists, and how many doctests.
fn listed(sandbox: &Sandbox, flags: &[&str]) -> (BTreeSet<String>, usize) {
    let flags = flags.join(" ");
    let list = |what: &str| {
        let run = sandbox.shell(&format!(
            "cargo test --offline --quiet --workspace {flags} {what} -- --list --format terse"
        ));
        run.exits(0);
        let names = run
            .stdout
            .lines()
            .filter_map(|line| line.strip_suffix(": test"));
        names.map(str::to_owned).collect::<BTreeSet<String>>()
    };
    (list("--lib --bins --tests"), list("--doc").len())
}

/// The tests that fail where `MUTANT` is this number.
fn failing(sandbox: &Sandbox, line: &str, mutant: u32) -> BTreeSet<String> {
    let run = sandbox.shell(&format!(
        "MUTANT={mutant} cargo test --offline --no-fail-fast {line} || true"
    ));
    let lines = run.stdout.lines();
    let failed = lines.filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
    failed.map(str::to_owned).collect()
}

/// The names that `affected` selects; doctests aside.
fn selected(sandbox: &Sandbox, flags: &str) -> BTreeSet<String> {
    let run = sandbox.poc(&format!("affected --no-cache --format names {flags}"));
    run.exits(0);
    let lines = run.stdout.lines().map(|line| line.split('\t').collect());
    let lines = lines.filter(|line: &Vec<&str>| !line[1].ends_with("::doc"));
    lines.map(|line| line[2].to_owned()).collect()
}

#[test]
fn each_configuration_has_the_tests_that_cargo_lists() {
    let sandbox = synthetic();
    let mut counts = BTreeSet::new();
    for flags in CONFIGURATIONS {
        let told = told(&sandbox, flags);
        assert_eq!(told, listed(&sandbox, flags), "{flags:?}");
        counts.insert(told.0.len());
    }
    assert_eq!(counts.len(), 3, "the configurations differ: {counts:?}");
}

#[test]
fn an_edit_selects_tests_only_where_it_is_compiled() {
    let sandbox = synthetic();
    let edits = [
        ("base/src/lib.rs", 1..=5),
        ("base/src/gated.rs", 6..=6),
        ("base/src/lib.rs", 7..=10),
        ("base/tests/wide.rs", 11..=11),
        ("app/src/lib.rs", 12..=13),
    ];
    for flags in CONFIGURATIONS {
        let flags = flags.join(" ");
        let mutants: Vec<(&str, u32)> = edits
            .iter()
            .flat_map(|(path, mutants)| mutants.clone().map(|mutant| (*path, mutant)))
            .collect();
        // Before the first edit, so that cargo builds the tests once.
        let line = format!("--workspace {flags} --tests");
        let failing: Vec<BTreeSet<String>> = mutants
            .iter()
            .map(|(_, mutant)| failing(&sandbox, &line, *mutant))
            .collect();
        let mut compiled = 0;
        for ((path, mutant), failing) in mutants.into_iter().zip(failing) {
            let text = sandbox.read(path);
            let call = format!("mutant({mutant})");
            sandbox.edit(path, &call, &format!("mutant({mutant} + 0)"));
            let selected = selected(&sandbox, &flags);
            sandbox.write(path, text);
            assert!(
                failing.is_subset(&selected),
                "mutant {mutant} with {flags:?}: {failing:?} fail, {selected:?} are selected"
            );
            assert_eq!(
                failing.is_empty(),
                selected.is_empty(),
                "mutant {mutant} with {flags:?}: {selected:?} are selected"
            );
            compiled += usize::from(!failing.is_empty());
        }
        assert!((6..13).contains(&compiled), "{compiled} with {flags:?}");
    }
}

#[test]
fn the_commands_build_what_was_selected() {
    let sandbox = synthetic();
    sandbox.edit("base/src/gated.rs", "mutant(6)", "mutant(6 + 0)");
    sandbox
        .poc("affected --format names")
        .exits(0)
        .hides("gated");
    sandbox
        .poc("affected")
        .exits(0)
        .prints("this configuration does not compile it");
    let run = sandbox.poc("affected --all-features --format args");
    run.exits(0).prints("--all-features");
    let failed = failing(&sandbox, run.stdout.trim(), 6);
    let expected = ["gated::gated_deep", "whole_file"].map(str::to_owned);
    assert_eq!(failed, expected.into());
    let run = sandbox.poc("affected -F base/wide --no-default-features --format args");
    run.exits(0).prints("--no-default-features");
    assert_eq!(failing(&sandbox, run.stdout.trim(), 6).len(), 2);
    sandbox
        .poc("verify --no-record --all-features")
        .exits(0)
        .prints("2 passed");
}

#[test]
fn a_named_configuration_holds_for_every_command() {
    let sandbox = synthetic();
    sandbox.append(
        "Cargo.toml",
        "\n[workspace.metadata.poc]\ndefault-configuration = \"all\"\n\n[workspace.metadata.poc.configurations.all]\n\
         all-features = true\n\n[workspace.metadata.poc.configurations.bare]\nno-default-features = true\npackages = [\"base\"]\n\
         environment = { MUTANT = \"1\" }\n",
    );
    sandbox.commit("configurations");
    sandbox.edit("base/src/gated.rs", "mutant(6)", "mutant(6 + 0)");
    sandbox
        .poc("affected --format args")
        .exits(0)
        .prints("--all-features");
    sandbox
        .poc("affected --config bare --format names")
        .exits(0)
        .hides("gated");
    // Its environment reaches the tests, and its packages are all that is run.
    let run = sandbox.poc("verify --full --no-record --config bare");
    run.exits(1).hides("app_less");
    assert!(
        run.stdout.contains("base_always") || run.stderr.contains("base_always"),
        "{run}"
    );
    // Flags replace the features of the configuration.
    let run = sandbox.poc("affected --no-default-features --format names");
    run.exits(0).hides("gated");
    let mut command = sandbox.command(PROGRAM);
    command
        .args(["affected", "--format", "names"])
        .env("CARGO_POC_CONFIG", "bare");
    finish(command, "affected").exits(0).hides("gated");
    sandbox.poc("init one -p base").exits(0);
    let plan = sandbox.read("docs/one-plan.md");
    assert!(
        plan.contains("cargo check --tests -p base --all-features"),
        "{plan}"
    );
}

#[test]
fn a_wrong_configuration_is_said_with_its_place() {
    for (settings, says) in [
        (
            "default-configuration = \"al\"\n[workspace.metadata.poc.configurations.all]",
            "did you mean `all`?",
        ),
        (
            "[workspace.metadata.poc.configurations.all]\nfeatures = [\"extr\"]",
            "did you mean `extra`?",
        ),
        (
            "[workspace.metadata.poc.configurations.all]\nfeatures = [\"app/mor\"]",
            "`app` has no feature `mor`; did you mean `more`?",
        ),
        (
            "[workspace.metadata.poc.configurations.all]\narguments = [\"--release\"]",
            "write `profile = …`",
        ),
        (
            "[workspace.metadata.poc.configurations.all]\npackages = [\"bas\"]",
            "did you mean `base`?",
        ),
        (
            "[workspace.metadata.poc.configurations.all]\nfeature = [\"extra\"]",
            "unknown field `feature`",
        ),
    ] {
        let sandbox = synthetic();
        sandbox.append(
            "Cargo.toml",
            &format!("\n[workspace.metadata.poc]\n{settings}\n"),
        );
        sandbox
            .poc("affected")
            .exits(2)
            .says(says)
            .says("Cargo.toml:");
    }
    let sandbox = synthetic();
    sandbox
        .poc("affected --config all")
        .exits(2)
        .says("no configuration `all`: the workspace has none");
    sandbox
        .poc("affected --config net.offline=true")
        .exits(2)
        .says("cargo's own `--config` goes into");
    sandbox
        .poc("status -F nothing")
        .exits(2)
        .says("no package has a feature `nothing`");
}

#[test]
fn build_options_after_the_dashes_are_refused() {
    let sandbox = synthetic();
    for option in [
        "--all-features",
        "--features=wide",
        "--release",
        "--target=x",
    ] {
        for scope in ["--full", "--affected"] {
            sandbox
                .poc(&format!(
                    "verify {scope} --no-record --runner cargo -- {option}"
                ))
                .exits(2)
                .says("is an option of the build")
                .says("write it before the `--`");
        }
    }
    // What libtest knows reaches it.
    sandbox
        .poc("verify --full --no-record --runner cargo -- --test-threads=1")
        .exits(0);
}

#[test]
fn a_plan_is_not_run_in_a_configuration_that_its_commands_lack() {
    let sandbox = synthetic();
    sandbox.poc("init plain -p base").exits(0);
    sandbox
        .poc("verify plain --baseline --all-features")
        .exits(2)
        .says("a plan's commands are run as written")
        .says("does not have `--all-features`");
    sandbox.poc("init every -p base --all-features").exits(0);
    sandbox
        .poc("verify every --baseline --all-features")
        .exits(0)
        .prints("12 passed");
}

const WORKFLOW: &str = "jobs:\n  test:\n    steps:\n      - run: cargo build\n      - run: |\n          cargo test --workspace \\\n            --all-features -- --nocapture\n";

#[test]
fn init_takes_the_configuration_that_ci_tests() {
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
        .prints("12 passed");
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
        .hides("BACKEND")
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
fn a_test_that_no_configuration_runs_is_said_with_its_line() {
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
        .says("write `--all-features` into the plan's commands");
}

#[test]
fn another_target_has_other_tests() {
    let sandbox = synthetic();
    sandbox.edit("base/src/lib.rs", "mutant(4)", "mutant(4 + 0)");
    sandbox
        .poc("affected --format names")
        .exits(0)
        .prints("base_unix");
    sandbox
        .poc("affected --target wasm32-unknown-unknown --format names")
        .exits(0)
        .hides("base_unix");
    sandbox.run_git(&["checkout", "--quiet", "base/src/lib.rs"]);
    sandbox.edit("base/src/lib.rs", "mutant(5)", "mutant(5 + 0)");
    sandbox
        .poc("affected --target x86_64-pc-windows-msvc --format args")
        .exits(0)
        .prints("--target x86_64-pc-windows-msvc")
        .prints("base_windows");
}

#[test]
fn settings_of_the_terminal_change_no_result() {
    let sandbox = synthetic();
    sandbox
        .write(".cargo/config.toml", "[alias]\ntest-all = \"test --all-features\"\n[term]\nquiet = false\nprogress = { when = \"always\", width = 80 }\n")
        .commit("settings");
    sandbox.edit("base/src/lib.rs", "mutant(1)", "mutant(1 + 0)");
    for (name, value) in [
        ("CARGO_TERM_COLOR", "always"),
        ("CARGO_TERM_QUIET", "true"),
        ("CARGO_TERM_VERBOSE", "true"),
        ("CARGO_TERM_PROGRESS_WHEN", "never"),
    ] {
        let mut command = sandbox.command(PROGRAM);
        command
            .args([
                "verify",
                "--no-record",
                "--runner",
                "cargo",
                "--format",
                "json",
            ])
            .env(name, value);
        let run = finish(command, name);
        run.exits(0);
        let report = run.json();
        assert_eq!(report["tests"]["passed"], 1, "{name}={value}: {run}");
        assert_eq!(
            report["notes"],
            serde_json::json!([]),
            "{name}={value}: {run}"
        );
    }
}
