//! Version 1 of the JSON formats in `docs/json.md`. The structs in these modules are the public contract; internal types
//! are converted, never serialized.

mod affected;
mod check;
pub(super) mod error;
mod output;
mod run;
pub(super) mod status;
mod values;

pub use self::affected::affected;
pub use self::check::check;
pub use self::error::error;
pub use self::output::VERSION;
pub use self::run::run;
pub use self::status::status;
