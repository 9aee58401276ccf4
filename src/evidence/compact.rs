//! The shortest written form of record fields. Empty values are omitted, and long lists of tests are packed.

use std::collections::BTreeMap;

use serde::ser::Error as _;
use serde::{Deserializer, Serialize, Serializer};

use super::packed::{Names, Packed};

/// The maximum number of names that are written as text, which is easier to read in a diff.
const LONGEST_LIST: usize = 8;

/// Whether a value is the default of its type, which is omitted.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Test names by binary id: an object, or packed text for long lists.
pub(crate) mod names {
    use super::{BTreeMap, Deserializer, LONGEST_LIST, Names, Packed, Serializer, unpacked};
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Serialize as _};

    type Lists = BTreeMap<String, Vec<String>>;

    pub(crate) fn serialize<S: Serializer>(lists: &Lists, to: S) -> Result<S::Ok, S::Error> {
        if lists.values().map(Vec::len).sum::<usize>() <= LONGEST_LIST {
            return lists.serialize(to);
        }
        let names: Names = lists
            .iter()
            .map(|(binary, tests)| (binary.clone(), tests.iter().cloned().collect()))
            .collect();
        Packed::new(&names).map_err(S::Error::custom)?.serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Lists, D::Error> {
        match Option::<serde_json::Value>::deserialize(from)? {
            None => Ok(Lists::new()),
            Some(serde_json::Value::String(text)) => unpacked(text).map_err(D::Error::custom),
            Some(value) => serde_json::from_value(value).map_err(D::Error::custom),
        }
    }
}

fn unpacked(text: String) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let packed: Packed = serde_json::from_value(serde_json::Value::String(text))?;
    let names = packed.names()?.into_iter();
    Ok(names
        .map(|(binary, tests)| (binary, tests.into_iter().collect()))
        .collect())
}

/// Checksums of earlier records: `null` or omitted for none, text for one, a list after a merge.
pub(crate) mod previous {
    use super::{Deserializer, Serializer};
    use serde::de::Error as _;
    use serde::{Deserialize, Serialize as _};

    pub(crate) fn serialize<S: Serializer>(names: &[String], to: S) -> Result<S::Ok, S::Error> {
        match names {
            [one] => one.serialize(to),
            names => names.serialize(to),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
        match Option::<serde_json::Value>::deserialize(from)? {
            None => Ok(Vec::new()),
            Some(serde_json::Value::String(one)) => Ok(vec![one]),
            Some(value) => serde_json::from_value(value).map_err(D::Error::custom),
        }
    }
}

/// Writes an object of counts without those that are zero.
pub(crate) fn without_zeros<T: Serialize, S: Serializer>(
    counts: &T,
    to: S,
) -> Result<S::Ok, S::Error> {
    let mut value = serde_json::to_value(counts).map_err(S::Error::custom)?;
    if let Some(counts) = value.as_object_mut() {
        counts.retain(|_, count| count.as_u64() != Some(0));
    }
    value.serialize(to)
}
