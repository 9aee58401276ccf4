//! Counts its arguments: `app apple pear apple` prints each word with one stroke per occurrence.

use store::Store;

fn main() {
    let mut store = Store::default();
    for word in std::env::args().skip(1) {
        let count = store.get(&word).map_or(0, str::len);
        store.set(&word, &"|".repeat(count + 1));
    }
    for (word, count) in store.iter() {
        println!("{word} {count}");
    }
}
