//! A saved store loads without loss.

use store::Store;

fn assert_round_trip(store: &Store) {
    assert_eq!(Store::load(&store.save()).as_ref(), Some(store));
}

#[test]
fn snapshot_step_1_plain_values() {
    let mut store = Store::default();
    store.set("apple", "3");
    store.set("pear", "");
    assert_round_trip(&store);
}

#[test]
fn snapshot_step_1_a_value_of_two_lines() {
    let mut store = Store::default();
    store.set("note", "buy milk\nand eggs");
    assert_round_trip(&store);
}

#[test]
fn snapshot_step_2_end_to_end() {
    let mut store = Store::default();
    for number in 0..1000 {
        store.set(&format!("key {number}"), &"=\n:".repeat(number % 7));
    }
    let text = store.save();
    let loaded = Store::load(&text).expect("a saved store can be loaded");
    assert_eq!(loaded.iter().count(), 1000);
    assert_eq!(loaded.save(), text);
}
