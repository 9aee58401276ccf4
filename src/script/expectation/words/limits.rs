//! Limits of measured values.

use super::*;

fn limit(text: &str) -> Limit {
    match Expectation::read(text).assertions() {
        [Assertion::Measured(limit)] => (**limit).clone(),
        other => panic!("{text}: {other:?}"),
    }
}

fn unmet(expected: &str, output: &str) -> Option<String> {
    limit(expected).unmet(output)
}

#[test]
fn values_are_read_by_name_with_their_units() {
    for (expected, output) in [
        ("p99 < 1 ms", "p50: 12 us\np99: 840 us\n"),
        ("p99 < 1ms", "p99=0.84ms"),
        ("p99 latency <= 840 us", "| p99 latency | 840 µs |"),
        ("throughput >= 10000 req/s", "throughput: 12,345 req/s"),
        ("throughput >= 10 MB/s", "throughput  11 MiB/s"),
        ("size <= 12 MB", "size 11.9 MB, 3 files"),
        ("coverage ≥ 80 %", "coverage: 80.0%"),
        ("errors < 1", "errors: 0"),
        ("ratio > 1.5", "ratio: 1.6e0"),
        ("$.latency.p99 < 1 ms", "{\"latency\": {\"p99\": 0.84}}"),
        (
            "$.runs[1].p99 < 1 ms",
            "noise\n{\"runs\": [{}, {\"p99\": \"840 us\"}]}\n",
        ),
        (
            "get < 1 us",
            "get                 time:   [840.12 ns 842.34 ns 1.1 us]",
        ),
        (
            "a long name < 1 us",
            "a long name\n                        time:   [840.12 ns 842.34 ns 1.1 us]",
        ),
        (
            "get < 900 ns",
            "├─ get   840 ns │ 1.2 µs │ 850 ns │ 870 ns │ 100 │ 100",
        ),
        ("size < 12 Mb", "size: 11 Mb"),
        ("p99 < 1 ms", "p99: 0.5 ms p99: 0.84 ms"),
        ("p99 < 1 ms", "p99: 0.84 ms.\r\n"),
        (
            "Instructions <= 1734",
            "  Instructions:                1734|1734 (No change)",
        ),
    ] {
        assert_eq!(unmet(expected, output), None, "{expected}: {output}");
    }
}

#[test]
fn unmet_limits_name_the_value_or_what_is_missing() {
    for (expected, output, why) in [
        (
            "p99 < 1 ms",
            "p99: 1.2 ms",
            "p99 < 1 ms expected, but it was 1.2 ms",
        ),
        (
            "p99 < 1 ms",
            "p99: 1 ms",
            "p99 < 1 ms expected, but it was 1 ms",
        ),
        (
            "p99 < 1 ms",
            "p99: 0.5 ms\np99: 3 ms",
            "p99 < 1 ms expected, but it was 3 ms",
        ),
        (
            "p99 < 1 ms",
            "p99.9: 0.5 ms",
            "p99 < 1 ms expected, but the output has no value of `p99`",
        ),
        (
            "p99 < 1 ms",
            "p99: unknown",
            "p99 < 1 ms expected, but the output has no value of `p99`",
        ),
        (
            "p99 < 1 ms",
            "p99: 840 used",
            "p99 < 1 ms expected, but `p99` has no unit in the output",
        ),
        (
            "p99 < 1 ms",
            "p99: 840",
            "p99 < 1 ms expected, but `p99` has no unit in the output",
        ),
        (
            "p99 < 1 ms",
            "p99: 5 MB",
            "p99 < 1 ms expected, but `p99` has the unit B in the output",
        ),
        (
            "rate >= 5 req/s",
            "rate: 9 op/s",
            "rate >= 5 req/s expected, but `rate` has the unit op/s in the output",
        ),
        (
            "get < 840 ns",
            "get  time: [830 ns 842.34 ns 850 ns]",
            "get < 840 ns expected, but it was 842 ns",
        ),
        (
            "p99 < 1 ms",
            "p99: 0.5 ms p99: 3 ms",
            "p99 < 1 ms expected, but it was 3 ms",
        ),
        (
            "$.p99 < 1 ms",
            "{}",
            "$.p99 < 1 ms expected, but the output has no value of `$.p99`",
        ),
        (
            "$.p99 < 1 ms",
            "{\"p99\": 2}",
            "$.p99 < 1 ms expected, but it was 2 ms",
        ),
    ] {
        assert_eq!(
            unmet(expected, output).as_deref(),
            Some(why),
            "{expected}: {output}"
        );
    }
}

#[test]
fn value_that_cannot_be_read_is_unmet() {
    for (expected, output, why) in [
        (
            "p99 < 1 ms",
            "p99: 0.5 ms\np99: NaN ms",
            "p99 < 1 ms expected, but `p99` has no single value in `p99: NaN ms`",
        ),
        (
            "rate >= 5",
            "rate: inf",
            "rate >= 5 expected, but `rate` has no single value in `rate: inf`",
        ),
        (
            "size <= 12",
            "size: 1 234",
            "size <= 12 expected, but `size` has no single value in `size: 1 234`",
        ),
        (
            "rate >= 5",
            "rate: 1,5",
            "rate >= 5 expected, but `rate` has no single value in `rate: 1,5`",
        ),
        (
            "p99 < 1 ms",
            "p99: 0.5 ms 3 ms",
            "p99 < 1 ms expected, but `p99` has no single value in `p99: 0.5 ms 3 ms`",
        ),
        (
            "size <= 12",
            "size: 12 MB 3",
            "size <= 12 expected, but `size` has no single value in `size: 12 MB 3`",
        ),
        (
            "p99 < 1 ms",
            "p99: 0.5 ms\np99: ~3 ms",
            "p99 < 1 ms expected, but `p99` has no single value in `p99: ~3 ms`",
        ),
        (
            "version < 2",
            "version: 1.2.3",
            "version < 2 expected, but `version` has no single value in `version: 1.2.3`",
        ),
        (
            "rate >= 1 MB/s",
            "rate: 2 Mb/s",
            "rate >= 1 MB/s expected, but `rate` has the unit b/s in the output",
        ),
        (
            "$.p99 < 1 ms",
            "{\"p99\": 0.5}\n{\"p99\": null}",
            "$.p99 < 1 ms expected, but `$.p99` is null in the output",
        ),
    ] {
        assert_eq!(
            unmet(expected, output).as_deref(),
            Some(why),
            "{expected}: {output}"
        );
    }
}

#[test]
fn limits_stand_beside_other_expectations() {
    for (text, meaning) in [
        (
            "All pass and p99 < 1 ms, size <= 12 MB",
            "all pass, p99 < 1 ms, size <= 12 MB",
        ),
        ("p99 < 1 ms, 10 times", "p99 < 1 ms, 10 times"),
        (
            "12 passed; p99 latency < 0.5 s",
            "12 passed, p99 latency < 500 ms",
        ),
        ("< 1 s", "under 1s"),
    ] {
        assert_eq!(Expectation::read(text).to_string(), meaning);
    }
    for text in ["p99 < 1 ms in the table", "p99 < one ms", "p99 < 1 parsec"] {
        assert!(Expectation::read(text).assertions().is_empty(), "{text}");
    }
}
