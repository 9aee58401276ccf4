//! Encodes arbitrary text fields as one text. Each field follows its length: `5:apple`.

use std::fmt;

/// The text is not an encoded list of fields.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The number of valid bytes before the error.
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

/// Splits a text that [`encode`] returned into its fields.
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
    fn fields_of_any_content() {
        let fields = ["", "5:apple", "line\nbreak", "crème"];
        assert_eq!(decode(&encode(fields)).unwrap(), fields);
    }

    #[test]
    fn error_has_the_position() {
        assert_eq!(decode("1:a9:b"), Err(Malformed { at: 3 }));
    }
}
