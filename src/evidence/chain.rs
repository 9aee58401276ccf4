//! The order of records. Each record names its predecessors, so no clock decides the order; the time orders only records of
//! merged branches.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use jiff::Timestamp;

/// The fields of a record that determine its order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link<'r> {
    pub(crate) checksum: &'r str,
    /// Checksums of its predecessors.
    pub(crate) previous: &'r [String],
    pub(crate) time: Option<Timestamp>,
}

/// The positions of records in order: each after its predecessors, otherwise by time, otherwise by position in the document.
pub(crate) fn order(links: &[Link<'_>]) -> Vec<usize> {
    let positions = links.iter().enumerate();
    let positions: BTreeMap<&str, usize> =
        positions.map(|(at, link)| (link.checksum, at)).collect();
    let mut waits_for = vec![0_usize; links.len()];
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); links.len()];
    for (at, link) in links.iter().enumerate() {
        let known: BTreeSet<usize> = link
            .previous
            .iter()
            .filter_map(|name| positions.get(name.as_str()).copied())
            .collect();
        waits_for[at] = known.len();
        for previous in known {
            followers[previous].push(at);
        }
    }
    let key = |at: usize| Reverse((links[at].time, at));
    let first = (0..links.len()).filter(|at| waits_for[*at] == 0);
    let mut ready: BinaryHeap<_> = first.map(key).collect();
    let mut order = Vec::with_capacity(links.len());
    while let Some(Reverse((_, at))) = ready.pop() {
        order.push(at);
        for follower in &followers[at] {
            waits_for[*follower] -= 1;
            if waits_for[*follower] == 0 {
                ready.push(key(*follower));
            }
        }
    }
    order
}

/// The checksums of records without successor, the predecessors of a new record. There are several after a merge.
pub(crate) fn heads(links: &[Link<'_>]) -> Vec<String> {
    let followed: BTreeSet<&str> = links
        .iter()
        .flat_map(|link| link.previous.iter().map(String::as_str))
        .collect();
    let heads = links.iter().map(|link| link.checksum);
    let heads = heads.filter(|checksum| !followed.contains(checksum));
    heads.map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(records: &[(&str, &[&str], i64)]) -> Vec<String> {
        let previous: Vec<Vec<String>> = records
            .iter()
            .map(|(_, previous, _)| previous.iter().map(ToString::to_string).collect())
            .collect();
        let links: Vec<Link<'_>> = records
            .iter()
            .zip(&previous)
            .map(|((checksum, _, second), previous)| Link {
                checksum,
                previous,
                time: Timestamp::from_second(*second).ok(),
            })
            .collect();
        let order = order(&links).into_iter();
        order.map(|at| records[at].0.to_owned()).collect()
    }

    #[test]
    fn the_chain_decides_and_time_only_orders_branches() {
        assert_eq!(
            ordered(&[("c", &["b"], 1), ("a", &[], 9), ("b", &["a"], 5)]),
            ["a", "b", "c"]
        );
        assert_eq!(
            ordered(&[
                ("a", &[], 0),
                ("late", &["a"], 9),
                ("early", &["a"], 4),
                ("merged", &["late", "early"], 1),
            ]),
            ["a", "early", "late", "merged"]
        );
    }

    #[test]
    fn a_record_whose_predecessor_is_gone_is_ordered_by_its_time() {
        assert_eq!(ordered(&[("b", &["gone"], 2), ("a", &[], 1)]), ["a", "b"]);
    }

    #[test]
    fn heads_are_the_records_that_none_follows() {
        let previous = vec!["a".to_owned()];
        let link = |checksum, previous| Link {
            checksum,
            previous,
            time: None,
        };
        let links = [
            link("a", &[][..]),
            link("b", &previous),
            link("c", &previous),
        ];
        assert_eq!(heads(&links), ["b", "c"]);
    }
}
