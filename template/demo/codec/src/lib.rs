//! Fields of text as one text and back, whatever the fields hold: each stands behind its length, `5:apple`.

use std::fmt;

/// A text that [`decode`] cannot read, and where it stopped.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Bytes read so far.
    pub at: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "no field starts at byte {}", self.at)
    }
}

impl std::error::Error for Malformed {}

/// Joins fields into one text.
///
/// ```
/// assert_eq!(codec::encode(["apple", "3"]), "5:apple1:3");
/// ```
pub fn encode<'a>(fields: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for field in fields {
        text.push_str(&format!("{}:{field}", field.len()));
    }
    text
}

/// Takes apart what [`encode`] joined.
///
/// ```
/// assert_eq!(codec::decode("5:apple1:3").unwrap(), ["apple", "3"]);
/// ```
pub fn decode(text: &str) -> Result<Vec<String>, Malformed> {
    let mut fields = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let malformed = || Malformed {
            at: text.len() - rest.len(),
        };
        let (length, tail) = rest.split_once(':').ok_or_else(malformed)?;
        let length: usize = length.parse().map_err(|_| malformed())?;
        let (field, tail) = tail.split_at_checked(length).ok_or_else(malformed)?;
        fields.push(field.to_owned());
        rest = tail;
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_may_hold_anything() {
        let fields = ["", "5:apple", "line\nbreak", "crème"];
        assert_eq!(decode(&encode(fields)).unwrap(), fields);
    }

    #[test]
    fn a_broken_text_says_where() {
        assert_eq!(decode("1:a9:b"), Err(Malformed { at: 3 }));
    }
}
