//! Version requirements as ranges, to tell whether one is inside another.
//!
//! Every requirement cargo knows is one range: comparators are joined by "and", and none means "not this version".
//! The bounds follow the table in the Cargo Book, "Specifying Dependencies".

use std::cmp::{max, min};

use semver::{Comparator, Op, Prerelease, Version, VersionReq};

/// How the requirement a manifest has stands to the one a plan asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// Whatever the manifest accepts, the plan accepts: nothing to do.
    Satisfied,
    /// Whatever the plan accepts, the manifest accepts, and more: the manifest can be narrowed without taking in a
    /// version it excluded, as when `1.0` becomes `1.2`.
    Narrower,
    /// One would take in versions that the other excludes: a person decides.
    Conflicting,
}

/// Compares the requirement a manifest has with the one that is wanted.
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

/// Versions from `from`, included, to `to`, excluded.
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
            // `>=` is the last operator there is; the enum is open only for the future.
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

/// The first version after all those a comparator names: `1.2` names every `1.2.x`.
fn after(comparator: &Comparator) -> Option<Version> {
    if let (Some(minor), Some(patch), false) = (
        comparator.minor,
        comparator.patch,
        comparator.pre.is_empty(),
    ) {
        // The pre-release right after `rc.1` is `rc.1.0`.
        let pre = Prerelease::new(&format!("{}.0", comparator.pre)).ok()?;
        return Some(Version {
            pre,
            ..Version::new(comparator.major, minor, patch)
        });
    }
    next(comparator.major, comparator.minor, comparator.patch)
}

/// The version after `major.minor.patch` with the last given number raised; `None` past the largest.
fn next(major: u64, minor: Option<u64>, patch: Option<u64>) -> Option<Version> {
    match (minor, patch) {
        (Some(minor), Some(patch)) => Some(Version::new(major, minor, patch.checked_add(1)?)),
        (Some(minor), None) => Some(Version::new(major, minor.checked_add(1)?, 0)),
        (None, _) => Some(Version::new(major.checked_add(1)?, 0, 0)),
    }
}

/// Caret: up to the next change of the leftmost number that is not zero.
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
    fn what_is_inside_satisfies() {
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
    fn what_holds_it_can_be_narrowed() {
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
    fn other_lines_and_overlaps_conflict() {
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
        /// The ranges agree with semver's own judgement on every version without a pre-release.
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
