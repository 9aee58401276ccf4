//! Runs the program.

use std::process::Command;

fn run() -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tool")).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn prints() {
    assert_eq!(run().trim(), "answer 42");
}

#[test]
fn needs_no_process() {
    assert_eq!("a".len(), 1);
}
