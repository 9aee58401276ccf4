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
fn features_of_macros_and_of_dependencies_for_other_platforms_are_those_of_cargo() {
    let user = "[features]\ndefault = [\"with-base\"]\nwith-base = [\"base/x\"]\n[dependencies]\n\
                derive = { path = \"../derive\", features = [\"x\"] }\n[target.'cfg(windows)'.dependencies]\n\
                base = { path = \"../base\", optional = true }\n";
    let library = "#[cfg(feature = \"base\")]\n#[test]\nfn with_base() {}\n";
    for resolver in ["1", "2", "3"] {
        let sandbox = packages(
            resolver,
            &[
                ("base", "[features]\nx = []\n", FEATURED),
                (
                    "derive",
                    "[lib]\nproc-macro = true\n[features]\nx = []\n",
                    FEATURED,
                ),
                ("user", user, library),
            ],
        );
        sandbox.write(
            "derive/tests/it.rs",
            FEATURED.replace("fn with", "fn it_with"),
        );
        sandbox.lock_with_cargo();
        sandbox.git();
        for flags in [
            &[][..],
            &["--features", "base/x"],
            &["--no-default-features"],
        ] {
            let context = format!("resolver {resolver}: {flags:?}");
            assert_eq!(told(&sandbox, flags), listed(&sandbox, flags), "{context}");
        }
        // The package alone is built with the same features.
        sandbox.edit(
            "derive/src/lib.rs",
            "fn with_x() {}",
            "fn with_x() { assert!(true); }",
        );
        sandbox
            .poc("affected --format args")
            .exits(0)
            .prints("-p derive --features derive/x --lib");
    }
}

/// `base` has another value with the feature `x`, which `top` enables.
const TOLD_APART: &str = "pub fn value() -> u32 {\n    if cfg!(feature = \"x\") { 2 } else { 1 }\n}\n\n#[cfg(feature = \"x\")]\npub fn extra() -> u32 {\n    2\n}\n\n#[test]\nfn own() {}\n";

fn depends_on(names: &str) -> String {
    let mut manifest = "[dependencies]\n".to_owned();
    for name in names.split(' ') {
        let (name, features) = name.split_once('/').unwrap_or((name, ""));
        let _ = writeln!(
            manifest,
            "{name} = {{ path = \"../{name}\", features = [{features}] }}"
        );
    }
    manifest
}

#[test]
fn dependencies_of_a_selected_package_have_the_features_of_the_whole_workspace() {
    // The tests need a feature of `base` that only another package enables.
    let direct = "#[test]\nfn two() {\n    assert_eq!(base::extra(), 2);\n}\n";
    let indirect = "#[test]\nfn two() {\n    assert_eq!(middle::value(), 2);\n}\n";
    let middle = "pub fn value() -> u32 {\n    base::value()\n}\n";
    for resolver in ["1", "2"] {
        let sandbox = packages(
            resolver,
            &[
                ("base", "[features]\nx = []\n", TOLD_APART),
                ("middle", &depends_on("base"), middle),
                ("top", &depends_on("base/\"x\""), ""),
                ("near", &depends_on("base"), direct),
                ("far", &depends_on("middle"), indirect),
            ],
        );
        sandbox.lock_with_cargo();
        sandbox.git();
        for (package, arguments) in [
            ("near", "-p near --features base/x"),
            ("far", "-p base -p far"),
        ] {
            let file = format!("{package}/src/lib.rs");
            sandbox.edit(&file, ", 2)", ", 1 + 1)");
            sandbox
                .poc("affected --format args")
                .exits(0)
                .prints(arguments);
            sandbox.poc("verify --runner cargo").exits(0);
            let run = sandbox.poc("verify --runner nextest --no-reuse");
            run.exits(0).prints("passed, 1 passed");
            sandbox.shell("git checkout --quiet -- .").exits(0);
        }
        // Without the feature, the changed code would not run.
        sandbox.edit("base/src/lib.rs", "{ 2 }", "{ 3 }");
        for runner in ["cargo", "nextest"] {
            sandbox.poc(&format!("verify --runner {runner}")).exits(1);
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

const DOCUMENTED: &str = r#"//! The library.
//!
#![doc = include_str!("text.md")]
//!
//! ```
//! let after = 1;
//! ```

/// One
#[inline]
// A comment.

/// ```
/// let gap = 1;
/// ```
pub fn with_gap() {}

#[doc = "a\nb\n\nc"]
#[doc = concat!("d", "e")]
#[doc = ""]
/// ```
/// let several = 1;
/// ```
pub fn with_several_lines() {}

#[doc = include_str!("text.md")]
pub fn embedded() {}

/// Before
///
#[doc = include_str!("text.md")]
#[inline]
/// ```
/// let x = 1;
/// ```
pub fn embedded_between() {}

/** A block

```
let b = 1;
```
*/
pub fn block() {}

/**
 * Stars
 *
 * ```
 * let b = 1;
 * ```
 */
pub fn stars() {}

#[cfg_attr(all(), doc = "first")]
/// ```
/// let z = 1;
/// ```
pub fn conditional() {}

/// Outside
///
/// ```
/// let outer = 1;
/// ```
pub mod inside {
    //! Inside
    //!
    //! ```
    //! let inner = 1;
    //! ```
}

pub mod embeds {
    #![doc = include_str!("text.md")]
}
"#;

#[test]
fn documentation_tests_have_the_names_of_rustdoc() {
    let sandbox = packages("2", &[("a", "", DOCUMENTED)]);
    let text = "Embedded.\n\n```\nassert!(true);\n```\n\n```\nassert!(1 == 1);\n```\n";
    sandbox.write("a/src/text.md", text).lock_with_cargo();
    sandbox.git();
    let (_, names) = told(&sandbox, &[]);
    assert_eq!(names, listed(&sandbox, &[]).1);
    assert_eq!(names.len(), 17, "{names:?}");
    // Another file with the same text changes the tests of what embeds it.
    sandbox.write("a/src/other.md", text).commit("another file");
    let embeds = "    #![doc = include_str!(\"text.md\")]";
    sandbox.edit("a/src/lib.rs", embeds, &embeds.replace("text", "other"));
    sandbox.poc("affected").exits(0).prints("2 of 17 tests");
}
