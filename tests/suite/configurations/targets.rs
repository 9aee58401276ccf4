//! Builds for other targets.

use super::synthetic;
use crate::kit::{PROGRAM, Sandbox, finish};

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
fn a_firmware_workspace_is_read_for_its_target() {
    let sandbox = Sandbox::empty();
    sandbox
        .write(
            "Cargo.toml",
            "[workspace]\nmembers = [\"driver\", \"firmware\"]\nresolver = \"2\"\n",
        )
        .write(
            ".cargo/config.toml",
            "[build]\ntarget = \"thumbv7em-none-eabihf\"\n\n[target.thumbv7em-none-eabihf]\nrunner = \"probe-rs run\"\n",
        )
        .write(
            "driver/Cargo.toml",
            "[package]\nname = \"driver\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        )
        .write(
            "driver/src/lib.rs",
            "#![no_std]\n\n#[cfg(target_os = \"none\")]\npub fn register() -> u32 {\n    1\n}\n\n#[cfg(unix)]\npub fn simulated() -> u32 {\n    2\n}\n\n\
             #[cfg(test)]\nmod tests {\n    #[cfg(target_os = \"none\")]\n    #[test]\n    fn registers() {\n        super::register();\n    }\n\n    \
             #[cfg(unix)]\n    #[test]\n    fn simulates() {\n        super::simulated();\n    }\n}\n",
        )
        .write(
            "firmware/Cargo.toml",
            "[package]\nname = \"firmware\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\ndriver = { path = \"../driver\" }\n\n\
             [[bin]]\nname = \"firmware\"\ntest = false\n\n[[test]]\nname = \"on_chip\"\nharness = false\n",
        )
        .write(
            "firmware/src/main.rs",
            "#![no_std]\n#![no_main]\n\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! {\n    loop {}\n}\n",
        )
        .write(
            "firmware/tests/on_chip.rs",
            "#![no_std]\n#![no_main]\n\n#[unsafe(no_mangle)]\nfn main() -> ! {\n    driver::register();\n    loop {}\n}\n",
        );
    sandbox.shell("cargo generate-lockfile --offline").exits(0);
    sandbox.git();
    sandbox
        .poc("init chip -p driver --file driver/src/lib.rs")
        .exits(0);
    sandbox.poc("status chip").exits(0);
    sandbox.commit("a plan");
    sandbox.edit("driver/src/lib.rs", "    1\n", "    1 + 0\n");
    let run = sandbox.poc("affected --format names");
    run.exits(0)
        .prints("registers")
        .prints("firmware::on_chip")
        .hides("simulates");
    sandbox.run_git(&["checkout", "--quiet", "driver/src/lib.rs"]);
    sandbox.edit("driver/src/lib.rs", "    2\n", "    2 + 0\n");
    sandbox
        .poc("affected --format names")
        .exits(0)
        .hides("simulates")
        .hides("registers");
    let host = host();
    sandbox
        .poc(&format!("affected --target {host} --format args"))
        .exits(0)
        .prints(&format!("-p driver --target {host} --lib"));
}

/// The triple of this machine.
pub(super) fn host() -> String {
    let version = std::process::Command::new("rustc")
        .arg("-vV")
        .output()
        .unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.unwrap().to_owned()
}

#[cfg(unix)]
#[test]
fn tests_for_a_target_go_through_its_runner() {
    let sandbox = synthetic();
    let host = host();
    sandbox
        .write(
            "runner",
            "#!/bin/sh\necho called >> \"$RUNNER_LOG\"\nexec \"$@\"\n",
        )
        .write(
            ".cargo/config.toml",
            format!("[target.{host}]\nrunner = \"./runner\"\n"),
        );
    sandbox.shell("chmod +x runner").exits(0);
    sandbox.commit("a runner");
    sandbox.edit("base/src/lib.rs", "mutant(1)", "mutant(1 + 0)");
    let log = sandbox.root.join("target/runner.log");
    let mut command = sandbox.command(PROGRAM);
    command
        .args([
            "verify",
            "--no-record",
            "--runner",
            "cargo",
            "--target",
            &host,
        ])
        .env("RUNNER_LOG", &log);
    finish(command, "verify").exits(0).prints("1 passed");
    assert!(std::fs::read_to_string(log).unwrap().contains("called"));
}
