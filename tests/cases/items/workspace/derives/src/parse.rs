//! Text of a struct → its name and the path in its attribute.

pub(crate) fn name_and_path(text: &str) -> (String, String) {
    let after = text.split("struct").nth(1).unwrap_or("");
    let name = after.trim().trim_end_matches(';').trim().to_owned();
    let path = text.split('"').nth(1).unwrap_or("core::convert::identity").to_owned();
    (name, path)
}

/// The names on both sides of an arrow.
pub fn arrow(text: &str) -> (String, String) {
    let (name, called) = text.split_once("=>").unwrap();
    (name.trim().to_owned(), called.trim().to_owned())
}
