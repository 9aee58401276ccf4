//! Estimates a ratio from pairs of measured values, with a confidence interval.
//!
//! The values of a pair were measured one after the other, so that a machine which is slow for a while is slow for both. The estimate is
//! the Hodges-Lehmann estimate of the logarithms, and the interval that of the Wilcoxon signed-rank test: both assume only that a
//! difference and its opposite are equally likely without an effect, and both bear single slow runs (Hollander, Wolfe, Chicken,
//! "Nonparametric Statistical Methods", sections 3.2 and 3.3).

use std::fmt;

/// After these numbers of pairs the interval is computed, and the measurement ends if it decides.
pub(super) const LOOKS: [usize; 6] = [12, 18, 27, 40, 60, 90];

/// The normal quantile of an error of 1 % in both directions together, divided by the number of [`LOOKS`]: looking several times does
/// not make an error more likely.
const QUANTILE: f64 = 3.143;

/// A ratio with its confidence interval of at least 99 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ratio {
    /// The estimate.
    pub(super) value: f64,
    /// The lower end of the interval.
    pub(super) low: f64,
    /// The upper end of the interval.
    pub(super) high: f64,
}

impl Ratio {
    /// The ratio of the second to the first value of pairs. `None` unless there are pairs, and all values are positive.
    pub(super) fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        let logarithms = pairs.iter().map(|(base, now)| (now / base).ln());
        let logarithms: Vec<f64> = logarithms.collect();
        let is_known = |value: &f64| value.is_finite();
        if logarithms.is_empty() || !logarithms.iter().all(is_known) {
            return None;
        }
        let mut averages: Vec<f64> = Vec::new();
        for (index, one) in logarithms.iter().enumerate() {
            averages.extend(logarithms[index..].iter().map(|other| (one + other) / 2.0));
        }
        averages.sort_by(f64::total_cmp);
        let last = averages.len() - 1;
        let outside = averages_outside(logarithms.len()).min(last / 2);
        Some(Self {
            value: f64::midpoint(averages[last / 2], averages[last.div_ceil(2)]).exp(),
            low: averages[outside].exp(),
            high: averages[last - outside].exp(),
        })
    }
}

/// The number of averages of pairs below the interval, and above it.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the numbers are small and positive"
)]
fn averages_outside(pairs: usize) -> usize {
    let count = pairs as f64;
    let mean = count * (count + 1.0) / 4.0;
    let deviation = (count * (count + 1.0) * (2.0 * count + 1.0) / 24.0).sqrt();
    (mean - QUANTILE * deviation).max(0.0) as usize
}

impl fmt::Display for Ratio {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value, low, high } = self;
        write!(out, "{value:.3} ({low:.3} to {high:.3})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values with noise of up to `noise`, and now and then a run that takes twice as long.
    fn pairs(count: usize, slowdown: f64, noise: f64, seed: u64) -> Vec<(f64, f64)> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            f64::from(u32::try_from(state >> 40).unwrap_or_default()) / f64::from(1_u32 << 24)
        };
        let mut time = move || {
            let outlier = if random() < 0.05 { 2.0 } else { 1.0 };
            (1.0 + noise * random()) * outlier
        };
        let pairs = (0..count).map(|_| (time(), time() * slowdown));
        pairs.collect()
    }

    #[test]
    fn equal_programs_rarely_differ_at_any_look() {
        let differs = |seed: &u64| {
            let all = pairs(40, 1.0, 0.2, *seed);
            let mut looks = LOOKS.iter().filter(|count| **count <= all.len());
            looks.any(|count| {
                let ratio = Ratio::of(&all[..*count]).expect("positive values");
                ratio.low > 1.0 || ratio.high < 1.0
            })
        };
        let wrong = (1..=300_u64).filter(differs).count();
        assert!(wrong <= 6, "{wrong} of 300");
    }

    #[test]
    fn a_slowdown_is_found() {
        let found = |seed: &u64| {
            let ratio = Ratio::of(&pairs(40, 1.05, 0.05, *seed)).expect("positive values");
            ratio.low > 1.0 && ratio.low < 1.05 && 1.05 < ratio.high
        };
        let count = (1..=200_u64).filter(found).count();
        assert!(count >= 190, "{count} of 200");
    }

    #[test]
    fn values_without_a_ratio_give_none() {
        assert_eq!(Ratio::of(&[]), None);
        assert_eq!(Ratio::of(&[(0.0, 1.0)]), None);
        assert_eq!(Ratio::of(&[(1.0, -1.0)]), None);
        let one = Ratio::of(&[(1.0, 2.0)]).expect("a ratio");
        assert!((one.value - 2.0).abs() < 1e-9 && one.low <= one.value && one.value <= one.high);
    }
}
