//! Any bytes: reading never panics, and an edit of one box leaves all other bytes as they were.
#![no_main]

use cargo_poc::internals::document::edit::Edits;
use cargo_poc::internals::document::{Document, read_plan, read_results};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = Document::from_bytes("fuzz.md", bytes.to_vec()) else {
        return;
    };
    let plan = read_plan(&document);
    let _ = read_results(&document);
    for item in plan.steps.iter().flat_map(|step| &step.tasks) {
        let mut edits = Edits::new(&document);
        edits.tick(item, !item.checked);
        let changed = edits.apply().expect("a box lies in its document");
        let text = document.text();
        assert_eq!(changed[..item.mark.start], text[..item.mark.start]);
        assert!(changed.ends_with(&text[item.mark.end..]));
    }
});
