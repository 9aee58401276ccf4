//! Code that the sources do not show, and names and places that are not plain.

pub mod api;
pub mod builder;
pub mod composed;
mod computed;
pub mod grammar;
pub mod language;
pub mod latest;
pub mod nameless;
pub mod object;
pub mod order;
pub mod position;
pub mod registered;
pub mod replaced;

#[test]
fn idle() {
    assert_eq!(0, 0);
}
