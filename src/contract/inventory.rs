//! The tests of the packages that a plan affects.

use crate::evidence::Names;
use crate::freshness::Inputs;

/// The current tests of a plan's packages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tests {
    /// Tests that run, by binary id.
    pub active: Names,
    /// Tests marked `#[ignore]`.
    pub ignored: Names,
    /// Those that run and whose bodies cannot fail.
    pub idle: Names,
    /// Hashes of the packages that contain them.
    pub inputs: Inputs,
}
