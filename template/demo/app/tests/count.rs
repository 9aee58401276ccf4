//! The program as its users see it.

use std::process::Command;

#[test]
fn words_are_counted() {
    let app = Command::new(env!("CARGO_BIN_EXE_app"))
        .args(["pear", "apple", "pear"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(app.stdout).unwrap(), "apple |\npear ||\n");
}
