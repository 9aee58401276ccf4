//! The tests of the packages that a plan affects.

use crate::evidence::Names;
use crate::freshness::Inputs;

/// The tests a plan's packages have now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tests {
    /// Those that run, by binary id.
    pub active: Names,
    /// Those marked `#[ignore]`.
    pub ignored: Names,
    /// Those that run and whose bodies cannot fail.
    pub idle: Names,
    /// Hashes of the packages they were read from.
    pub inputs: Inputs,
}
