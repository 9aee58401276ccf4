//! Functions, constants, statics, types.

/// Doubles.
pub fn double(x: u32) -> u32 {
    // comment
    x * factor()
}

fn factor() -> u32 {
    2
}

/// Triples.
///
/// ```
/// assert_eq!(engine::plain::triple(2), 6);
/// ```
pub fn triple(x: u32) -> u32 {
    x * 3
}

pub const LIMIT: u32 = 10;
pub static NAMES: &[&str] = &["a", "b"];
pub type Pair = (u32, u32);
pub const TEXT: &str = include_str!("data.txt");

#[cfg(debug_assertions)]
pub const MODE: &str = "debug";
#[cfg(not(debug_assertions))]
pub const MODE: &str = "release";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles() {
        assert_eq!(double(2), 4);
    }

    #[test]
    fn triples() {
        assert_eq!(triple(2), 6);
    }

    #[test]
    fn limit_in_a_format_string() {
        assert_eq!(format!("{LIMIT}"), "10");
    }

    #[test]
    fn names() {
        assert_eq!(NAMES.len(), 2);
    }

    #[test]
    fn pair() {
        let pair: Pair = Default::default();
        assert_eq!(size_of_val(&pair), 8);
    }

    #[test]
    fn text() {
        assert_eq!(TEXT.trim(), "data");
    }

    #[test]
    fn mode() {
        assert_eq!(MODE, "debug");
    }

    #[test]
    fn number() {
        assert_eq!(env!("BUILD_NUMBER"), "7");
    }

    #[test]
    fn renamed() {
        assert_eq!(crate::twice(3), 6);
    }
}
