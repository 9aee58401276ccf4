//! A store as text and back.

use crate::Store;

impl Store {
    /// The store as one text.
    pub fn save(&self) -> String {
        codec::encode(self.iter().flat_map(|(key, value)| [key, value]))
    }

    /// The store that [`Store::save`] wrote; nothing when the text is no such store.
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
