//! The tests that cargo builds: features of builds for the host, and `cfg` options of flags and build scripts.

use std::fmt::Write as _;

use super::{listed, told};
use crate::kit::Sandbox;

/// Packages without dependencies outside the workspace: each with its name, the rest of its manifest, and its library.
fn packages(resolver: &str, packages: &[(&str, &str, &str)]) -> Sandbox {
    let sandbox = Sandbox::empty();
    let members: Vec<String> = packages
        .iter()
        .map(|(name, ..)| format!("\"{name}\""))
        .collect();
    sandbox.write(
        "Cargo.toml",
        format!(
            "[workspace]\nmembers = [{}]\nresolver = \"{resolver}\"\n",
            members.join(", ")
        ),
    );
    for (name, manifest, library) in packages {
        let package = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{manifest}"
        );
        sandbox
            .write(&format!("{name}/Cargo.toml"), package)
            .write(&format!("{name}/src/lib.rs"), library);
    }
    sandbox
}

/// A feature with a test for each of its states.
const FEATURED: &str = "#[cfg(feature = \"x\")]\n#[test]\nfn with_x() {}\n\n#[cfg(not(feature = \"x\"))]\n#[test]\nfn without_x() {}\n";

#[test]
fn tests_are_built_with_the_features_of_the_target() {
    let macros = "[lib]\nproc-macro = true\n[dependencies]\nbase = { path = \"../base\", features = [\"x\"] }\n";
    let script = "[build-dependencies]\nbase = { path = \"../base\", features = [\"x\"] }\n";
    for resolver in ["1", "2"] {
        for user in [macros, script] {
            let sandbox = packages(
                resolver,
                &[
                    ("base", "[features]\nx = []\n", FEATURED),
                    ("user", user, ""),
                ],
            );
            sandbox.write("user/build.rs", "fn main() {}\n");
            sandbox.shell("cargo generate-lockfile --offline").exits(0);
            sandbox.git();
            assert_eq!(
                told(&sandbox, &[]),
                listed(&sandbox, &[]),
                "resolver {resolver}: {user}"
            );
        }
    }
}

#[test]
fn options_that_no_flag_and_no_build_script_sets_are_unset() {
    let mut library = String::new();
    for name in ["custom", "by_script", "by_config"] {
        let _ = write!(
            library,
            "#[cfg({name})]\n#[test]\nfn with_{name}() {{}}\n\n#[cfg(not({name}))]\n#[test]\nfn without_{name}() {{}}\n\n\
             #[cfg(key = \"{name}\")]\n#[test]\nfn with_key_{name}() {{}}\n\n"
        );
    }
    let sandbox = packages("2", &[("base", "", &library), ("scripted", "", &library)]);
    sandbox
        .write(
            "scripted/build.rs",
            "fn main() {\n    println!(\"cargo::rerun-if-changed=build.rs\");\n    if std::env::var(\"UNSET\").is_ok() {\n        \
             println!(\"cargo::rustc-cfg=by_script\");\n    }\n}\n",
        )
        .lock_with_cargo();
    sandbox.git();
    // What a build script may set counts as set and unset.
    let (mut names, doctests) = told(&sandbox, &[]);
    assert!(names.remove("with_by_script"));
    assert_eq!((names, doctests), listed(&sandbox, &[]));
    // So does what the configuration of cargo sets for some builds.
    sandbox.write(
        ".cargo/config.toml",
        "[build]\nrustflags = [\"--cfg\", \"by_config\", \"--cfg\", 'key=\"custom\"']\n",
    );
    let (names, _) = told(&sandbox, &[]);
    let (listed, _) = listed(&sandbox, &[]);
    assert!(listed.contains("with_by_config") && listed.contains("with_key_custom"));
    assert!(listed.is_subset(&names), "{listed:?} {names:?}");
    assert!(!names.contains("with_custom"));
}
