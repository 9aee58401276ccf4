//! Saves a store as text and loads it.

use crate::Store;

impl Store {
    /// Returns the store as one text.
    pub fn save(&self) -> String {
        codec::encode(self.iter().flat_map(|(key, value)| [key, value]))
    }

    /// Loads a store from a text that [`Store::save`] returned; `None` if the text is invalid.
    pub fn load(text: &str) -> Option<Self> {
        let fields = codec::decode(text).ok()?;
        let mut store = Self::default();
        for pair in fields.chunks(2) {
            let [key, value] = pair else { return None };
            store.set(key, value);
        }
        Some(store)
    }
}
