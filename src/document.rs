//! Plan and results documents, parsed into typed parts that know their byte ranges.
//!
//! Parsing is total: any UTF-8 text results in a [`Plan`] or [`Results`]. Text that is not understood becomes a [`ParseProblem`]
//! with its line. Every part keeps its byte range, so that [`edit`] can change one part and leave all others unchanged.

mod checklist;
mod counts;
pub mod edit;
mod fields;
mod hazards;
mod headings;
mod label;
mod normalize;
mod outline;
mod parse;
mod parts;
mod placeholders;
pub mod plan;
pub mod proof;
pub mod quarantine;
mod recognize;
pub mod render;
pub mod results;
pub mod step_edit;
mod step_heading;
mod tables;
mod text;
mod time;
pub(crate) mod vocabulary;

pub use checklist::checklist;
pub(crate) use counts::count;
pub use counts::printed_counts;
pub use parse::{is_foreign, read_foreign, read_plan, read_results};
pub use parts::{
    Block, Field, HeadingMark, Item, Label, ParseProblem, Placeholder, ProblemKind, Region, Row,
    Section, SectionKind, Severity, Status, StepId,
};
pub use plan::Plan;
pub use recognize::is_plan;
pub use results::Results;
pub use text::{Document, Span};
pub use time::Timestamp;
