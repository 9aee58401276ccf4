//! Compares version requirements as ranges.
//!
//! Every requirement of cargo is one range: comparators are joined by "and", and there is no "not this version".
//! The bounds follow the table in the Cargo Book, "Specifying Dependencies".

use std::cmp::{max, min};

use semver::{Comparator, Op, Prerelease, Version, VersionReq};

/// The relation between a manifest's requirement and the planned one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// The plan accepts every version that the manifest accepts: nothing to do.
    Satisfied,
    /// The manifest accepts every version that the plan accepts, and more: it can be narrowed without adding a version, for example from
    /// `1.0` to `1.2`.
    Narrower,
    /// Each accepts a version that the other excludes: a person decides.
    Conflicting,
}

/// Compares a manifest's requirement with the planned one.
#[must_use]
pub(super) fn relation(has: &VersionReq, wanted: &VersionReq) -> Relation {
    let (has, wanted) = (Bounds::of(has), Bounds::of(wanted));
    if has.inside(&wanted) {
        Relation::Satisfied
    } else if wanted.inside(&has) {
        Relation::Narrower
    } else {
        Relation::Conflicting
    }
}

/// Versions from `from` (inclusive) to `to` (exclusive).
#[derive(Debug, PartialEq, Eq)]
struct Bounds {
    from: Version,
    to: Option<Version>,
}

impl Bounds {
    fn of(requirement: &VersionReq) -> Self {
        let all = Self {
            from: Version::new(0, 0, 0),
            to: None,
        };
        requirement
            .comparators
            .iter()
            .map(Self::of_one)
            .fold(all, |range, next| Self {
                from: max(range.from, next.from),
                to: match (range.to, next.to) {
                    (Some(one), Some(other)) => Some(min(one, other)),
                    (one, other) => one.or(other),
                },
            })
    }

    fn of_one(comparator: &Comparator) -> Self {
        let from = Version {
            pre: comparator.pre.clone(),
            ..Version::new(
                comparator.major,
                comparator.minor.unwrap_or(0),
                comparator.patch.unwrap_or(0),
            )
        };
        let zero = Version::new(0, 0, 0);
        let (from, to) = match comparator.op {
            Op::Exact | Op::Wildcard => (from, after(comparator)),
            Op::Greater => (after(comparator).unwrap_or(from), None),
            Op::Less => (zero, Some(from)),
            Op::LessEq => (zero, after(comparator)),
            Op::Tilde => (from, next(comparator.major, comparator.minor, None)),
            Op::Caret => (from, caret_end(comparator)),
            // `>=` is the last operator; the enum is non-exhaustive.
            _ => (from, None),
        };
        Self { from, to }
    }

    fn inside(&self, other: &Self) -> bool {
        self.from >= other.from
            && match (&self.to, &other.to) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(to), Some(limit)) => to <= limit,
            }
    }
}

/// The first version after all those of a comparator: `1.2` matches every `1.2.x`.
fn after(comparator: &Comparator) -> Option<Version> {
    if let (Some(minor), Some(patch), false) = (
        comparator.minor,
        comparator.patch,
        comparator.pre.is_empty(),
    ) {
        // The next pre-release after `rc.1` is `rc.1.0`.
        let pre = Prerelease::new(&format!("{}.0", comparator.pre)).ok()?;
        return Some(Version {
            pre,
            ..Version::new(comparator.major, minor, patch)
        });
    }
    next(comparator.major, comparator.minor, comparator.patch)
}

/// The version after `major.minor.patch` with the last given number incremented; `None` on overflow.
fn next(major: u64, minor: Option<u64>, patch: Option<u64>) -> Option<Version> {
    match (minor, patch) {
        (Some(minor), Some(patch)) => Some(Version::new(major, minor, patch.checked_add(1)?)),
        (Some(minor), None) => Some(Version::new(major, minor.checked_add(1)?, 0)),
        (None, _) => Some(Version::new(major.checked_add(1)?, 0, 0)),
    }
}

/// Caret: up to the next change of the leftmost non-zero number.
fn caret_end(comparator: &Comparator) -> Option<Version> {
    match (comparator.major, comparator.minor, comparator.patch) {
        (0, Some(0), Some(patch)) => next(0, Some(0), Some(patch)),
        (0, Some(minor), _) => next(0, Some(minor), None),
        (major, ..) => next(major, None, None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn relation_of(has: &str, wanted: &str) -> Relation {
        relation(&has.parse().unwrap(), &wanted.parse().unwrap())
    }

    #[test]
    fn narrower_requirements_satisfy() {
        for (has, wanted) in [
            ("1", "1"),
            ("1.2", "1"),
            ("1.2.3", "1.2"),
            ("=1.2.3", "1.2"),
            ("0.3.1", "0.3"),
            ("~1.2", "1"),
            ("1", "*"),
            ("1.2.*", "1"),
            (">=1.2, <1.5", "1"),
            ("1.0.0-rc.1", "1.0.0-alpha"),
            ("^0.0.3", "=0.0.3"),
            ("0.0", "0"),
        ] {
            assert_eq!(
                relation_of(has, wanted),
                Relation::Satisfied,
                "{has} in {wanted}"
            );
        }
    }

    #[test]
    fn wider_requirements_can_be_narrowed() {
        for (has, wanted) in [
            ("1", "1.2"),
            ("*", "1"),
            ("1.2", "=1.2.3"),
            (">=1", "1.4"),
            ("1", "1.2.3-rc.1"),
        ] {
            assert_eq!(
                relation_of(has, wanted),
                Relation::Narrower,
                "{has} to {wanted}"
            );
        }
    }

    #[test]
    fn disjoint_and_overlapping_requirements_conflict() {
        for (has, wanted) in [
            ("1", "2"),
            ("0.3", "0.4"),
            ("0.0.3", "0.0.4"),
            (">=1, <1.5", "1.4"),
            ("=1.2.3", "1.3"),
            ("1.5", ">=1.6, <3"),
        ] {
            assert_eq!(
                relation_of(has, wanted),
                Relation::Conflicting,
                "{has} against {wanted}"
            );
        }
    }

    proptest! {
        /// The ranges agree with semver on every version without a pre-release.
        #[test]
        fn bounds_accept_what_semver_accepts(
            operator in prop::sample::select(vec!["", "=", "^", "~", ">", ">=", "<", "<="]),
            numbers in prop::collection::vec(0u64..4, 1..=3),
            major in 0u64..6, minor in 0u64..6, patch in 0u64..6,
        ) {
            let numbers: Vec<_> = numbers.iter().map(u64::to_string).collect();
            let requirement: VersionReq = format!("{operator}{}", numbers.join(".")).parse().unwrap();
            let bounds = Bounds::of(&requirement);
            let version = Version::new(major, minor, patch);
            let inside = version >= bounds.from && bounds.to.is_none_or(|to| version < to);
            prop_assert_eq!(inside, requirement.matches(&version));
        }
    }
}
