//! Files and dependencies of the plan, compared with the workspace.

use super::*;

#[test]
fn files_are_compared_with_the_change_since_the_base() {
    let sandbox = sandbox();
    let files = || cache(&sandbox.poc("status cache --format json"))["files"].clone();
    let row = |path: &str, action: &str, state: Value| json!({"path": path, "action": action, "state": state});
    let (lib, cache_file) = ("store/src/lib.rs", "store/src/cache.rs");
    assert_eq!(
        files(),
        json!([
            row(lib, "modify", json!("pending")),
            row(cache_file, "create", json!("pending"))
        ])
    );
    sandbox
        .append(lib, "// work\n")
        .write(cache_file, "")
        .append("free/src/lib.rs", "// more\n");
    sandbox
        .append("Cargo.lock", "\n")
        .append("docs/cache-plan.md", "\n");
    assert_eq!(
        files(),
        json!([
            row(lib, "modify", json!("done")),
            row(cache_file, "create", json!("done")),
            row("free/src/lib.rs", "none", json!("unplanned")),
        ])
    );
    sandbox
        .poc("status cache")
        .prints("2 done, 0 pending, 1 unplanned")
        .prints("unplanned free/src/lib.rs");
    sandbox.remove(lib);
    assert_eq!(files()[0], row(lib, "modify", json!("missing")));
    sandbox.write(lib, "");
    // Without a base it is not known whether a file that was there has been changed.
    sandbox.edit("docs/cache-plan.md", "| **Base** | `main` |\n", "");
    assert_eq!(files()[0], row(lib, "modify", Value::Null));
    assert_eq!(codes(&sandbox), ["POC031"]);
    sandbox.poc("status cache").exits(0).prints("has no Base");
}

#[test]
fn dependencies_are_compared_with_the_manifests() {
    let sandbox = sandbox();
    passed(&sandbox, Scope::Baseline, 0);
    sandbox.append(
        "docs/cache-plan.md",
        "\n## Dependencies\n\nUpdate `store/Cargo.toml`:\n\n```toml\n[dependencies]\nfree = { path = \"../free\" } # Add for x\n```\n",
    );
    let dependencies = || cache(&sandbox.poc("status cache --format json"))["dependencies"].clone();
    let entry = |state: &str| json!([{"manifest": "store/Cargo.toml", "name": "free", "kind": "normal", "state": state}]);
    assert_eq!(dependencies(), entry("missing"));
    assert_eq!(states(&sandbox).2, "cargo poc deps cache");
    sandbox.poc("deps cache --offline").exits(0);
    assert_eq!(dependencies(), entry("present"));
}
