//! Tests that read sources as text.

use std::fs;
use std::path::{Path, PathBuf};

const MARKER: &str = concat!("TO", "DO");

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn is_clean(path: &Path) -> bool {
    !fs::read_to_string(path).unwrap().contains(MARKER)
}

#[test]
fn a_folder() {
    assert!(rust_files(&root().join("src").join("odd")).iter().all(|path| is_clean(path)));
}

#[test]
fn a_file_of_another_package() {
    assert!(is_clean(Path::new("../derives/src/parse.rs")));
}

#[test]
fn an_embedded_file() {
    assert!(!include_str!("../src/part.rs").contains(MARKER));
}

#[test]
fn nothing() {
    assert_eq!(MARKER.len(), 4);
}
