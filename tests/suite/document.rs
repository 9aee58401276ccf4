//! Reading plans and results as people leave them. Each folder of `tests/cases/document` holds a document and what is
//! read from it; `SNAPSHOTS=overwrite` writes the latter anew, to be read before it is committed.

mod model;
pub(crate) mod properties;
mod step_edits;
mod summary;
mod unread;

use std::fs;
use std::path::Path;

use cargo_poc::internals::document::{Document, read_plan, read_results};
use snapbox::{Assert, Data, assert::DEFAULT_ACTION_ENV};

#[test]
fn documents_match_their_cases() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/document");
    let assert = Assert::new().action_env(DEFAULT_ACTION_ENV);
    let mut read = 0;
    let mut folders: Vec<_> = fs::read_dir(cases)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    for folder in folders {
        for (name, expected) in [("plan.md", "plan.json"), ("results.md", "results.json")] {
            let path = folder.join(name);
            let Ok(bytes) = fs::read(&path) else { continue };
            let document = Document::from_bytes(name, bytes).unwrap();
            let summary = if name == "plan.md" {
                summary::plan(&document, &read_plan(&document))
            } else {
                summary::results(&document, &read_results(&document))
            };
            let actual = format!("{}\n", serde_json::to_string_pretty(&summary).unwrap());
            assert.eq(
                Data::text(actual).raw(),
                Data::read_from(&folder.join(expected), None).raw(),
            );
            read += 1;
        }
    }
    assert!(read >= 25, "only {read} cases were found");
}

#[test]
fn a_document_that_is_not_utf8_names_the_line() {
    let error = Document::from_bytes("docs/a-plan.md", b"# Plan\n\n\xff\n".to_vec()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "failed to read docs/a-plan.md:3: the document is not UTF-8 (byte 0xff at offset 8); save it as UTF-8 and try again"
    );
}

#[test]
fn lines_and_columns_count_characters() {
    let document = Document::from_text("a.md", "\u{feff}# é🦀x\r\n\r\nlast".to_owned());
    let at = document.text().find('x').unwrap();
    assert_eq!((document.line_of(at), document.column_of(at)), (1, 5));
    let last = document.text().find("last").unwrap();
    assert_eq!((document.line_of(last), document.column_of(last)), (3, 1));
    assert_eq!(&document.text()[document.line_span(1)], "\u{feff}# é🦀x");
    assert_eq!(document.line_of(9_999), 3);
}

/// Sizes people never reach; each of these was quadratic in some reader.
#[test]
fn huge_documents_are_read_in_time_that_grows_with_their_size() {
    let repeated = |text: &str, bytes: usize| text.repeat(bytes / text.len());
    for text in [
        repeated("### Step 1: a\n\n**Tasks**:\n- [ ] b\n\n", 200_000),
        repeated("#### Notes\n", 200_000),
        repeated("<!-- cargo-poc:begin a -->", 200_000),
        repeated("<!-- cargo-poc:end a -->\n", 200_000),
        repeated("[fill in: ", 200_000),
        repeated("[", 200_000),
        repeated("**a**: 1/2 (", 200_000),
        repeated("- [ ] **a** ", 200_000),
        repeated("  - [ ] a\n", 200_000),
        repeated("> ", 20_000),
        format!(
            "### Step 1: a\n**Test Results**: {}",
            repeated("1/2 tests, ", 200_000)
        ),
        format!(
            "| a | b |\n|---|---|\n{}",
            repeated("| `x` | y |\n", 200_000)
        ),
        format!("```\n{}", repeated("```rust\n", 200_000)),
    ] {
        let document = Document::from_text("a.md", text);
        // In quadratic time, this would take hours.
        let _ = (read_plan(&document), read_results(&document));
    }
}
