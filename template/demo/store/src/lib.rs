//! Values under keys, in the order of the keys.

use std::collections::BTreeMap;

/// Values under keys.
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
    /// Puts `value` under `key`, in place of what was there.
    pub fn set(&mut self, key: &str, value: &str) {
        self.values.insert(key.to_owned(), value.to_owned());
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// Keys and values, in the order of the keys.
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
    fn the_last_value_stands() {
        let mut store = Store::default();
        store.set("apple", "3");
        store.set("apple", "4");
        assert_eq!(store.get("apple"), Some("4"));
    }

    #[test]
    fn a_key_nobody_set_has_no_value() {
        assert_eq!(Store::default().get("apple"), None);
    }
}
