//! Changes of manifests, the lockfile and the configuration of cargo.

use super::*;

#[test]
fn toolchain_and_cargo_configuration_rule_everything() {
    for path in [
        "rust-toolchain.toml",
        "rust-toolchain",
        ".cargo/config.toml",
        ".cargo/config",
    ] {
        let sandbox = workspace();
        sandbox.write(path, "");
        let run = sandbox.poc(&format!("affected --files {path} --format names"));
        assert_eq!(selected(&run), EVERYTHING, "{path}");
    }
}

#[test]
fn comments_and_layout_of_a_manifest_affect_nothing() {
    let sandbox = workspace();
    sandbox.append("store/Cargo.toml", "\n# a comment\n");
    sandbox.edit(
        "Cargo.toml",
        "resolver = \"2\"",
        "resolver   =   \"2\" # why",
    );
    assert_eq!(affected(&sandbox), [""; 0]);
    sandbox
        .poc("affected")
        .prints("Cargo.toml")
        .prints("only comments or layout of the manifest changed");
}

#[test]
fn manifest_affects_its_package_and_dependents() {
    let sandbox = workspace();
    sandbox.edit(
        "store/Cargo.toml",
        "version = \"0.1.0\"",
        "version = \"0.1.1\"",
    );
    let ids = affected(&sandbox);
    assert_eq!(ids, whole(&["app", "made", "store", "tool", "top"]));
}

#[test]
fn dev_dependencies_affect_only_the_tests_of_their_package() {
    let sandbox = workspace();
    sandbox.append(
        "store/Cargo.toml",
        "\n[dev-dependencies.free]\npath = \"../free\"\n",
    );
    // No code names it.
    assert_eq!(affected(&sandbox), [""; 0]);
    sandbox.commit("more");
    sandbox.edit(
        "store/Cargo.toml",
        "\n[dev-dependencies.free]\npath = \"../free\"\n",
        "",
    );
    let gone = sandbox.poc("affected --format names --base HEAD");
    assert_eq!(selected(&gone), whole(&["store"]));
}

#[test]
fn registry_keys_of_a_manifest_affect_nothing() {
    let sandbox = workspace();
    sandbox.edit(
        "store/Cargo.toml",
        "edition = \"2021\"",
        "edition = \"2021\"\nkeywords = [\"answers\"]\ncategories = [\"science\"]",
    );
    assert_eq!(affected(&sandbox), [""; 0]);
    // The description is compiled in by env!("CARGO_PKG_DESCRIPTION"), and by clap without a word.
    sandbox.append("store/Cargo.toml", "description = \"It answers\"\n");
    assert_eq!(affected(&sandbox).len(), 15);
}

#[test]
fn inherited_dependency_affects_the_members_that_inherit_it() {
    let sandbox = Sandbox::workspace("store; app; free");
    sandbox.append(
        "Cargo.toml",
        "\n[workspace.dependencies]\nstore = { path = \"store\" }\n",
    );
    sandbox.append(
        "app/Cargo.toml",
        "\n[dependencies]\nstore.workspace = true\n",
    );
    sandbox.lock_with_cargo();
    sandbox.git();
    sandbox.edit(
        "Cargo.toml",
        "path = \"store\"",
        "path = \"store\", version = \"0.1\"",
    );
    assert_eq!(affected(&sandbox), whole(&["app"]));
}

#[test]
fn profile_affects_everything() {
    let sandbox = workspace();
    sandbox.append("Cargo.toml", "\n[profile.test]\nopt-level = 1\n");
    assert_eq!(affected(&sandbox), EVERYTHING);
}

#[test]
fn lockfile_affects_the_members_that_depend_on_a_changed_package() {
    let sandbox = Sandbox::workspace("store; app: store; free");
    let lock = sandbox.read("Cargo.lock");
    let external = "\n[[package]]\nname = \"outer\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    let with = lock.replace(
        "name = \"store\"\nversion = \"0.1.0\"\n",
        "name = \"store\"\nversion = \"0.1.0\"\ndependencies = [\n \"outer\",\n]\n",
    ) + external;
    sandbox.write("Cargo.lock", &with);
    sandbox.git();
    sandbox.write("Cargo.lock", with.replace("1.0.0", "1.0.1"));
    assert_eq!(affected(&sandbox), whole(&["app", "store"]));
}
