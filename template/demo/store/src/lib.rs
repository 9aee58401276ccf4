//! A store of values, sorted by key.

use std::collections::BTreeMap;

/// A map from keys to values.
///
/// ```
/// let mut store = store::Store::default();
/// store.set("apple", "3");
/// assert_eq!(store.get("apple"), Some("3"));
/// ```
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Store {
    values: BTreeMap<String, String>,
}

impl Store {
    /// Sets the value of `key` and replaces an earlier value.
    pub fn set(&mut self, key: &str, value: &str) {
        self.values.insert(key.to_owned(), value.to_owned());
    }

    /// Returns the value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// Iterates over keys and values, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_replaces_a_value() {
        let mut store = Store::default();
        store.set("apple", "3");
        store.set("apple", "4");
        assert_eq!(store.get("apple"), Some("4"));
    }

    #[test]
    fn unknown_key_has_no_value() {
        assert_eq!(Store::default().get("apple"), None);
    }
}
