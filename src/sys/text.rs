//! Helpers for the text of messages.

/// `1 file`, `2 files`.
#[must_use]
pub fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// `text` with U+FFFD for each character that XML or HTML forbids: control characters except tabs and line ends, and noncharacters.
#[must_use]
pub fn for_markup(text: String) -> String {
    let is_forbidden = |character: char| {
        let code = u32::from(character);
        let is_control = character.is_control() && !matches!(character, '\t' | '\n' | '\r');
        is_control || (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
    };
    if !text.contains(is_forbidden) {
        return text;
    }
    text.replace(is_forbidden, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_characters_are_replaced() {
        let text = "a\t\r\n\u{85}\u{7f}\u{1}\u{fffe}\u{ffff}\u{1fffe}\u{fdd0}é\u{1f600}";
        let expected = format!("a\t\r\n{}é\u{1f600}", "\u{fffd}".repeat(7));
        assert_eq!(for_markup(text.to_owned()), expected);
    }
}
