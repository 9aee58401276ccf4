//! Traits, imports, macros, blocks.

pub mod blocks;
pub mod given;
pub mod handed;
pub mod imports;
pub mod made;
pub mod quoted;
pub mod rooted;
pub mod seen;
pub mod shapes;

modules! {
    mod hidden;
}

include!("part.rs");

#[test]
fn included() {
    assert_eq!(part(), 9);
}

#[test]
fn hidden_module() {
    assert_eq!(hidden::value(), 8);
}
