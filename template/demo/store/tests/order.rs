//! Keys are sorted, whatever the order of insertion.

use store::Store;

#[test]
fn keys_are_sorted() {
    let mut store = Store::default();
    for key in ["pear", "apple", "fig"] {
        store.set(key, "1");
    }
    let keys: Vec<_> = store.iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["apple", "fig", "pear"]);
}
