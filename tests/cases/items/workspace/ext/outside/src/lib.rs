//! Procedural macros that are no member of the workspace: their expansion is not known.

use proc_macro::TokenStream;

/// The word that follows another one.
fn after(text: &str, word: &str) -> String {
    let rest = text.split(word).nth(1).unwrap_or_default().trim_start();
    let is_part = |c: char| c == '_' || c.is_alphanumeric();
    rest.chars().take_while(|c| is_part(*c)).collect()
}

/// Adds a function of a composed name that calls the one it stands on.
#[proc_macro_attribute]
pub fn wrap(_: TokenStream, item: TokenStream) -> TokenStream {
    let text = item.to_string();
    let name = after(&text, "fn ");
    format!("{text} pub fn {name}_blocking() -> u32 {{ {name}() }}")
        .parse()
        .unwrap()
}

/// Adds a method that calls the first method of the `impl`.
#[proc_macro_attribute]
pub fn object(_: TokenStream, item: TokenStream) -> TokenStream {
    let text = item.to_string();
    let (of, method) = (after(&text, "impl "), after(&text, "fn "));
    format!("{text} impl {of} {{ pub fn resolve(&self) -> u32 {{ self.{method}() }} }}")
        .parse()
        .unwrap()
}

/// Adds a builder that calls `from_builder` of the type.
#[proc_macro_derive(Builder)]
pub fn builder(item: TokenStream) -> TokenStream {
    let name = after(&item.to_string(), "struct ");
    format!("pub struct {name}Builder; impl {name}Builder {{ pub fn build(self) -> {name} {{ {name}::from_builder() }} }}")
        .parse()
        .unwrap()
}

/// Calls the function whose name it composes.
#[proc_macro]
pub fn call(input: TokenStream) -> TokenStream {
    format!("{input}_impl()").parse().unwrap()
}

/// Changes nothing.
#[proc_macro_attribute]
pub fn latest(_: TokenStream, item: TokenStream) -> TokenStream {
    item
}

/// Adds a function that calls one around the module.
#[proc_macro]
pub fn total(_: TokenStream) -> TokenStream {
    "pub fn total() -> u32 { super::base() }".parse().unwrap()
}

/// Returns what a function of the crate returns.
#[proc_macro_attribute]
pub fn hooked(_: TokenStream, item: TokenStream) -> TokenStream {
    let name = after(&item.to_string(), "fn ");
    format!("pub fn {name}() -> u32 {{ crate::nameless::hooks::before() }}")
        .parse()
        .unwrap()
}

/// Has the name of a macro of the standard library.
#[proc_macro]
pub fn concat(_: TokenStream) -> TokenStream {
    "formatted()".parse().unwrap()
}

/// Has the name of a derive of a known crate.
#[proc_macro_derive(Display)]
pub fn display(item: TokenStream) -> TokenStream {
    let name = after(&item.to_string(), "struct ");
    format!("impl {name} {{ pub fn show(&self) -> u32 {{ self.secret() }} }}")
        .parse()
        .unwrap()
}

/// Registers a function, so that it runs before the tests.
#[proc_macro]
pub fn register(input: TokenStream) -> TokenStream {
    format!(
        "#[used] #[unsafe(link_section = \".init_array\")] static START: extern \"C\" fn() = {{ extern \"C\" fn start() {{ crate::registered::add({input}); }} start }};"
    )
    .parse()
    .unwrap()
}
