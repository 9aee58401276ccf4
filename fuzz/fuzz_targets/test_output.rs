//! Any text as the output of test runners: reading it never panics, and the counts do not depend on how it is split.
#![no_main]

use cargo_poc::internals::verify::test_output::Observer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut observer = Observer::default();
    observer.push_text(text);
    let observed = observer.finish();
    let whole = observed.counts();
    // The output may arrive in any pieces.
    let mut observer = Observer::default();
    for piece in text.split_inclusive(char::is_whitespace) {
        observer.push_text(piece);
    }
    assert_eq!(observer.finish().counts(), whole);
});
