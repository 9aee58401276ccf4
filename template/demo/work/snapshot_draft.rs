//! Saves a store as text and loads it.

use crate::Store;

impl Store {
    /// Returns the store as one text.
    pub fn save(&self) -> String {
        self.iter()
            .map(|(key, value)| format!("{key}={value}\n"))
            .collect()
    }

    /// Loads a store from a text that [`Store::save`] returned; `None` if the text is invalid.
    pub fn load(text: &str) -> Option<Self> {
        let mut store = Self::default();
        for line in text.lines() {
            let (key, value) = line.split_once('=')?;
            store.set(key, value);
        }
        Some(store)
    }
}
