//! A derive that reads a path out of a string.

use proc_macro::TokenStream;

mod parse;

/// Implements `crate::derived::Answer`.
#[proc_macro_derive(Answer, attributes(answer))]
pub fn derive_answer(input: TokenStream) -> TokenStream {
    let text = input.to_string();
    let (name, path) = parse::name_and_path(&text);
    let with = if text.contains(&format!("module = {path:?}")) { path + "::of" } else { path };
    let base = base();
    format!("impl crate::derived::Answer for {name} {{ fn answer(&self) -> u32 {{ {with}({base}) }} }}").parse().unwrap()
}

fn base() -> u32 {
    20
}

/// Declares a module for every file of a folder of the package.
#[proc_macro]
pub fn modules_in(input: TokenStream) -> TokenStream {
    let folder = input.to_string();
    let folder = std::path::Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join(folder.trim_matches('"'));
    let mut modules = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        modules.push(format!("#[path = {path:?}] mod {name};"));
    }
    modules.concat().parse().unwrap()
}

/// What it is given.
#[proc_macro]
pub fn same(input: TokenStream) -> TokenStream {
    input
}

macro_rules! code {
    ($($code:tt)*) => {
        stringify!($($code)*).parse().unwrap()
    };
}

/// Calls a function of whoever calls it.
#[proc_macro]
pub fn ninth(_: TokenStream) -> TokenStream {
    code!(ninth_of_mine())
}

/// `name => called`: a macro of that name that calls the function.
#[proc_macro]
pub fn define_macro(input: TokenStream) -> TokenStream {
    let (name, called) = parse::arrow(&input.to_string());
    format!("#[macro_export] macro_rules! {name} {{ () => {{ {called}() }} }}").parse().unwrap()
}

/// `name => called`: a method of that name that calls the function.
#[proc_macro]
pub fn method(input: TokenStream) -> TokenStream {
    let (name, called) = parse::arrow(&input.to_string());
    format!("pub fn {name}(&self) -> u32 {{ {called}() }}").parse().unwrap()
}

/// `name => called`: a function of that name that calls the other.
#[proc_macro]
pub fn function(input: TokenStream) -> TokenStream {
    let (name, called) = parse::arrow(&input.to_string());
    format!("pub fn {name}() -> u32 {{ {called}() }}").parse().unwrap()
}

/// A type of that name.
#[proc_macro]
pub fn unit_struct(input: TokenStream) -> TokenStream {
    format!("pub struct {input};").parse().unwrap()
}

/// Calls the function whose name is the input without its first word.
#[proc_macro]
pub fn without_call(input: TokenStream) -> TokenStream {
    let name = input.to_string();
    format!("{}()", name.strip_prefix("call_").unwrap()).parse().unwrap()
}

/// Calls the function whose name is the input, read from its end.
#[proc_macro]
pub fn backwards(input: TokenStream) -> TokenStream {
    let name: String = input.to_string().chars().rev().collect();
    format!("{name}()").parse().unwrap()
}
