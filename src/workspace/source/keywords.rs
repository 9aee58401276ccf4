//! The keywords of Rust.

/// Whether a word is a keyword in some edition, so that it is written `r#word` as a name. Source: the Rust reference, "Keywords".
#[must_use]
pub fn is_keyword(word: &str) -> bool {
    is_strict_keyword(word)
        || matches!(
            word,
            "abstract"
                | "become"
                | "box"
                | "do"
                | "final"
                | "macro"
                | "override"
                | "priv"
                | "try"
                | "typeof"
                | "unsized"
                | "virtual"
                | "yield"
        )
}

/// Whether a word is a keyword of the 2018 edition, except `self`, `super`, `crate` and `Self`, which start paths.
#[must_use]
pub fn is_strict_keyword(word: &str) -> bool {
    matches!(
        word,
        "as" | "async"
            | "await"
            | "break"
            | "const"
            | "continue"
            | "dyn"
            | "else"
            | "enum"
            | "extern"
            | "false"
            | "fn"
            | "for"
            | "if"
            | "impl"
            | "in"
            | "let"
            | "loop"
            | "match"
            | "mod"
            | "move"
            | "mut"
            | "pub"
            | "ref"
            | "return"
            | "static"
            | "struct"
            | "trait"
            | "true"
            | "type"
            | "unsafe"
            | "use"
            | "where"
            | "while"
    )
}

/// A name without `r#`.
#[must_use]
pub fn plain_name(word: &str) -> &str {
    word.strip_prefix("r#").unwrap_or(word)
}
