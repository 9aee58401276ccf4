//! A derive that reads a path out of a string.

use proc_macro::TokenStream;

mod parse;

/// Implements `crate::derived::Answer`.
#[proc_macro_derive(Answer, attributes(answer))]
pub fn derive_answer(input: TokenStream) -> TokenStream {
    let (name, with) = parse::name_and_path(&input.to_string());
    let base = base();
    format!("impl crate::derived::Answer for {name} {{ fn answer(&self) -> u32 {{ {with}({base}) }} }}").parse().unwrap()
}

fn base() -> u32 {
    20
}
