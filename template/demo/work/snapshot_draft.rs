//! A store as text and back.

use crate::Store;

impl Store {
    /// The store as one text.
    pub fn save(&self) -> String {
        self.iter()
            .map(|(key, value)| format!("{key}={value}\n"))
            .collect()
    }

    /// The store that [`Store::save`] wrote; nothing when the text is no such store.
    pub fn load(text: &str) -> Option<Self> {
        let mut store = Self::default();
        for line in text.lines() {
            let (key, value) = line.split_once('=')?;
            store.set(key, value);
        }
        Some(store)
    }
}
