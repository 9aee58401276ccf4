//! Build configurations: which tests there are, what selects them, and what the commands say, held against real cargo.

mod compiled;
mod crossings;
mod detected;
mod groups;
mod proof;
mod settings;
mod targets;
mod workspace;

use std::collections::BTreeSet;

use cargo_poc::internals::affected::{TestSelector, select_in};
use cargo_poc::internals::change::{Change, repository_of};
use cargo_poc::internals::config::Options;
use cargo_poc::internals::project::Project;
use cargo_poc::internals::workspace::Configuration;

use self::workspace::synthetic;
use crate::kit::{PROGRAM, Sandbox, finish};

const MACROS: &str = r##"
#[cfg(test)]
mod properties {
    use quickcheck::quickcheck;

    quickcheck! {
        fn holds() -> bool {
            fn inner() -> bool { true }
            inner()
        }

        /// With documentation.
        #[ignore]
        fn holds_slowly() -> bool {
            true
        }
    }

    #[cfg(feature = "extra")]
    quickcheck! {
        fn holds_with_extra() -> bool {
            true
        }
    }
}

macro_rules! numbers {
    ($($(#[$attribute:meta])* $name:ident = $value:literal, $example:literal;)*) => {
        $(
            $(#[$attribute])*
            ///
            /// ```
            #[doc = $example]
            /// assert_eq!(base::one(), 1);
            /// ```
            pub fn $name() -> u32 {
                $value
            }
        )*

        /// ```
        /// assert_eq!(base::three(), 3);
        /// ```
        pub fn three() -> u32 {
            3
        }

        /// ```
        /// assert_eq!(base::four(), 4);
        /// ```
        pub fn four() -> u32 {
            4
        }
    };
}

numbers! {
    /// The number one.
    one = 1, "let example = 1;";
    /// The number two.
    ///
    /// With "quotes"# in its text.
    two = 2, "let example = 2;";
}

when_extra! {
    /// Handed on.
    ///
    /// ```
    /// assert_eq!(base::handed_on(), 1);
    /// ```
    pub fn handed_on() -> u32 {
        1
    }
}

macro_rules! documented_tests {
    ($($(#[$attribute:meta])* $name:ident;)*) => {
        $(
            $(#[$attribute])*
            #[test]
            fn $name() {}
        )*
    };
}

#[cfg(test)]
mod documented {
    documented_tests! {
        /// The first.
        first_documented;
        #[ignore = "slow"]
        /** The second. */
        second_documented;
    }
}
"##;

const CONFIGURATIONS: [&[&str]; 3] = [
    &[],
    &["--all-features"],
    &["--no-default-features", "--features", "wide"],
];

fn choice(flags: &[&str]) -> Configuration {
    let features = flags.iter().skip_while(|flag| **flag != "--features");
    Configuration {
        all_features: flags.contains(&"--all-features"),
        no_default_features: flags.contains(&"--no-default-features"),
        features: features.skip(1).map(ToString::to_string).collect(),
        ..Configuration::default()
    }
}

fn project(sandbox: &Sandbox, flags: &[&str]) -> Project {
    Project::load(Options {
        manifest_path: Some(sandbox.root.join("Cargo.toml")),
        cargo_flags: vec!["--offline".to_owned()],
        build: choice(flags),
        ..Options::default()
    })
    .unwrap()
}

/// The tests in the sources, and the doctests.
fn told(sandbox: &Sandbox, flags: &[&str]) -> (BTreeSet<String>, Vec<String>) {
    let project = project(sandbox, flags);
    let manifests = project.workspace.packages.iter();
    let change = Change::of_files(
        manifests
            .map(|package| package.manifest_path.clone())
            .collect(),
    );
    let selection = select_in(&project, &change, false).unwrap();
    let mut names = BTreeSet::new();
    let mut doctests = Vec::new();
    for (target, part) in &selection.targets {
        for test in part.known.iter() {
            match test {
                TestSelector::Exact(name) => drop(names.insert(name.clone())),
                TestSelector::Doc(name) => {
                    let place = name.split(' ').next().unwrap_or_default();
                    doctests.push(place.to_owned());
                }
                TestSelector::Prefix(_) | TestSelector::Unnamed => {
                    panic!("{test:?} of {target:?} is no name")
                }
            }
        }
    }
    doctests.sort_unstable();
    (names, doctests)
}

/// What `cargo test` lists, and the doctests as `file:line`.
fn listed(sandbox: &Sandbox, flags: &[&str]) -> (BTreeSet<String>, Vec<String>) {
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
    let place = |name: &String| {
        let (file, rest) = name.split_once(" - ").unwrap();
        let line = rest.rsplit_once("(line ").unwrap().1.trim_end_matches(')');
        format!("{file}:{line}")
    };
    let mut doctests: Vec<String> = list("--doc").iter().map(place).collect();
    doctests.sort_unstable();
    (list("--lib --bins --tests"), doctests)
}

/// The tests that fail where `MUTANT` is this number.
fn failing(sandbox: &Sandbox, line: &str, mutant: u32) -> BTreeSet<String> {
    failing_in(sandbox, &test_binaries(sandbox, line), mutant)
}

/// The test binaries that `cargo test` builds.
fn test_binaries(sandbox: &Sandbox, line: &str) -> Vec<String> {
    let run = sandbox.shell(&format!(
        "cargo test --offline --no-run --message-format json {line}"
    ));
    let messages = run.exits(0).stdout.lines();
    let messages = messages.filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let binaries = messages.filter(|message| message["profile"]["test"] == true);
    binaries
        .filter_map(|message| message["executable"].as_str().map(str::to_owned))
        .collect()
}

fn failing_in(sandbox: &Sandbox, binaries: &[String], mutant: u32) -> BTreeSet<String> {
    let mut failed = BTreeSet::new();
    for binary in binaries {
        let mut command = sandbox.command(binary);
        command.env("MUTANT", mutant.to_string());
        let run = finish(command, binary);
        let lines = run.stdout.lines();
        let names =
            lines.filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
        failed.extend(names.map(str::to_owned));
    }
    failed
}

/// The names of the tests that the edits since the commit affect; doctests aside.
fn selected(project: &Project) -> BTreeSet<String> {
    let repository = repository_of(&project.workspace).unwrap();
    let change = Change::since(&repository, "HEAD").unwrap();
    let selection = select_in(project, &change, false).unwrap();
    let targets = selection.targets.iter();
    let targets =
        targets.filter(|(target, _)| !target.binary_id(&project.workspace).ends_with("::doc"));
    let mut names = BTreeSet::new();
    for (target, part) in targets {
        assert!(part.whole.is_empty(), "{target:?} is selected as a whole");
        names.extend(part.tests.keys().map(|test| match test {
            TestSelector::Exact(name) => name.clone(),
            other => panic!("{other:?} of {target:?} is no name"),
        }));
    }
    names
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
fn tests_that_macros_write_are_those_that_cargo_lists() {
    let sandbox = synthetic();
    sandbox
        .edit("Cargo.toml", "resolver", "exclude = [\"quickcheck\"]\nresolver")
        .write(
            "quickcheck/Cargo.toml",
            "[package]\nname = \"quickcheck\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
        )
        .write(
            "quickcheck/src/lib.rs",
            "#[macro_export]\nmacro_rules! quickcheck {\n    ($($(#[$m:meta])* fn $name:ident() -> $result:ty { $($code:tt)* })*) => {\n        \
             $(#[test] $(#[$m])* fn $name() { fn property() -> $result { $($code)* } assert!(property()); })*\n    };\n}\n",
        )
        .append("base/Cargo.toml", "\n[dev-dependencies]\nquickcheck = { path = \"../quickcheck\" }\n")
        .append("base/src/lib.rs", MACROS);
    sandbox.shell("cargo generate-lockfile --offline").exits(0);
    sandbox.commit("macros");
    for flags in CONFIGURATIONS {
        assert_eq!(told(&sandbox, flags), listed(&sandbox, flags), "{flags:?}");
    }
    // Documentation that a macro writes is tested where the macro is called.
    sandbox.edit(
        "base/src/lib.rs",
        "assert_eq!(base::one(), 1)",
        "assert_eq!(base::one(), 1 + 0)",
    );
    sandbox
        .poc("affected --format names")
        .exits(0)
        .prints("base::doc");
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
        ("base/src/lib.rs", 14..=19),
        ("app/tests/it.rs", 20..=20),
        ("base/src/lib.rs", 21..=28),
        ("base/src/with_extra.rs", 29..=29),
        ("base/src/without_extra.rs", 30..=30),
    ];
    for flags in CONFIGURATIONS {
        let project = project(&sandbox, flags);
        let flags = flags.join(" ");
        let mutants: Vec<(&str, u32)> = edits
            .iter()
            .flat_map(|(path, mutants)| mutants.clone().map(|mutant| (*path, mutant)))
            .collect();
        // Before the first edit, so that cargo builds the tests once.
        let binaries = test_binaries(&sandbox, &format!("--workspace {flags} --tests"));
        let failing: Vec<BTreeSet<String>> = mutants
            .iter()
            .map(|(_, mutant)| failing_in(&sandbox, &binaries, *mutant))
            .collect();
        let mut compiled = 0;
        for ((path, mutant), failing) in mutants.into_iter().zip(failing) {
            let text = sandbox.read(path);
            let call = format!("mutant({mutant})");
            sandbox.edit(path, &call, &format!("mutant({mutant} + 0)"));
            let selected = selected(&project);
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
        assert!((12..25).contains(&compiled), "{compiled} with {flags:?}");
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
fn named_configuration_applies_to_every_command() {
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
    // Its environment variables are set for the tests, and only its packages run.
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
fn invalid_configuration_is_an_error_with_its_line() {
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
            "[workspace.metadata.poc.configurations.all]\narguments = [\"-Fextra\"]",
            "write `features = …`",
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
                .says("is a build option")
                .says("write it before the `--`");
        }
    }
    // What libtest knows reaches it.
    sandbox
        .poc("verify --full --no-record --runner cargo -- --test-threads=1")
        .exits(0);
}
