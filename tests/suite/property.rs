//! How properties are tested, so that an unoptimised build goes through many cases.

use proptest::prelude::*;
use proptest::test_runner::RngAlgorithm;

/// A property of so many cases. A failure is shown and not stored. The default generator of random numbers takes a tenth
/// of the time.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::XorShift,
        ..ProptestConfig::default()
    }
}

/// Texts that match a pattern. A pattern that stands where a strategy is wanted would be parsed for every text.
pub(crate) fn text(pattern: &str) -> impl Strategy<Value = String> + use<> {
    proptest::string::string_regex(pattern).unwrap()
}
