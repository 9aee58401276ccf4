fn main() {
    let folder = std::env::var("OUT_DIR").unwrap();
    std::fs::write(
        format!("{folder}/grammar.rs"),
        "pub fn parse() -> u32 { crate::grammar::leaf() }",
    )
    .unwrap();
}
