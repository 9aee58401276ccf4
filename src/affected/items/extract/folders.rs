//! Strings in short macro calls, which may name folders of modules.

use super::model::{Detail, Item};
use crate::workspace::source::attribute::string_value;
use crate::workspace::source::syntax::Syntax;

/// The maximum number of tokens of a call that names a folder.
const LONGEST_INPUT: usize = 8;

/// Strings in short inputs of macro calls, with the index of the call.
pub(super) fn folder_names(items: &[Item]) -> Vec<(u32, String)> {
    let inputs = (0_u32..)
        .zip(items)
        .filter_map(|(index, item)| match &item.detail {
            Detail::Call(input) => Some((index, input)),
            _ => None,
        });
    inputs
        .flat_map(|(index, input)| strings(input).into_iter().map(move |text| (index, text)))
        .collect()
}

/// The string literals of a macro call's input, if it is short.
fn strings(input: &str) -> Vec<String> {
    let Some(syntax) = input
        .contains('"')
        .then(|| Syntax::read(input).ok())
        .flatten()
    else {
        return Vec::new();
    };
    if syntax.tokens.len() > LONGEST_INPUT {
        return Vec::new();
    }
    let tokens = (0_u32..).zip(&syntax.tokens);
    tokens
        .filter_map(|(at, _)| string_value(&syntax, at))
        .collect()
}
