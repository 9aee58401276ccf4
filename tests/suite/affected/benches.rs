//! `affected --benches`: the benches that a change can reach.

use crate::kit::Sandbox;

/// Two packages, each with two functions and a bench for each that is its own harness.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::workspace("store; other");
    for member in ["store", "other"] {
        let manifest = sandbox.read(&format!("{member}/Cargo.toml"));
        let bench = |name: &str| format!("\n[[bench]]\nname = \"{name}\"\nharness = false\n");
        sandbox
            .write(
                &format!("{member}/Cargo.toml"),
                manifest + &bench("get") + &bench("put"),
            )
            .write(
                &format!("{member}/src/lib.rs"),
                "pub fn get() -> u32 {\n    10\n}\npub fn put() -> u32 {\n    20\n}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn \
                 works() {\n        assert_eq!(super::get(), 10);\n    }\n}\n",
            );
        for name in ["get", "put"] {
            sandbox.write(
                &format!("{member}/benches/{name}.rs"),
                format!(
                    "fn main() {{\n    println!(\"{name}: {{}} ns\", {member}::{name}());\n}}\n"
                ),
            );
        }
    }
    sandbox.git();
    sandbox
}

#[test]
fn only_benches_that_the_change_reaches_are_selected() {
    let sandbox = sandbox();
    sandbox.poc("affected --benches").prints("0 of 4 benches");
    sandbox.edit("store/src/lib.rs", "    10", "    11");
    sandbox
        .poc("affected --benches")
        .prints("1 of 4 benches can be affected by 1 changed file")
        .prints("store  bench get")
        .hides("put")
        .hides("other");
    let names = sandbox.poc("affected --benches --format names");
    assert_eq!(names.stdout, "store\tstore::bench/get\t*\n");
    let arguments = sandbox.poc("affected --benches --format args");
    assert_eq!(arguments.stdout.trim(), "-p store --bench get");
    sandbox
        .shell(&format!("cargo bench --offline {}", arguments.stdout))
        .exits(0)
        .prints("get: 11 ns")
        .hides("put: ");
    // The tests are not concerned, nor the benches by failed tests.
    sandbox.poc("affected").hides("bench");
    sandbox.poc("verify").exits(1);
    sandbox.poc("affected --benches").prints("1 of 4 benches");
}

#[test]
fn bench_with_libtest_is_selected_with_its_changed_function() {
    let sandbox = sandbox();
    sandbox.write(
        "store/benches/all.rs",
        "#![feature(test)]\nextern crate test;\n\n#[bench]\nfn puts(bencher: &mut test::Bencher) {\n    bencher.iter(|| \
         store::put());\n}\n",
    );
    sandbox.commit("a bench of a nightly toolchain");
    sandbox.edit("store/src/lib.rs", "    20", "    21");
    let names = sandbox.poc("affected --base HEAD --benches --format names");
    names
        .prints("store::bench/all")
        .prints("store::bench/put")
        .hides("get");
}

#[test]
fn no_bench_runs_if_none_is_affected() {
    let sandbox = sandbox();
    sandbox.write("LICENSE", "text\n");
    let run = sandbox.poc("affected --benches --format args");
    run.exits(0)
        .says("no bench is affected; `cargo bench` without arguments would run all benches");
    assert_eq!(
        run.stdout.trim(),
        "-p other --benches cargo-poc-no-test-is-affected"
    );
}

#[test]
fn other_formats_are_a_usage_error() {
    let sandbox = sandbox();
    for format in ["nextest", "packages"] {
        let run = sandbox.poc(&format!("affected --benches --format {format}"));
        run.exits(2)
            .says("--benches supports the formats human, args, names and json");
    }
}
