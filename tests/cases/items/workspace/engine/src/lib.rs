//! One module per feature of the language that can hide who calls whom.
//!
//! ```
//! assert_eq!(engine::plain::double(2), 4);
//! ```

#[macro_use]
mod macros;
pub mod derived;
#[path = "odd/place.rs"]
pub mod elsewhere;
pub mod features;
pub mod listed;
pub mod plain;

pub use plain::double as twice;
