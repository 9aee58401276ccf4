//! Which tests reach which nodes: edges followed for many tests at once, one bit each, conditions included.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use rustc_hash::FxHashMap;

use super::edges::Edges;
use super::nodes::{NodeId, small};

/// Tests per pass: 8 words of 64 bits.
pub const WIDTH: usize = 512;

/// One bit per test of a pass.
pub type Row = [u64; WIDTH / 64];

/// What a set of at most [`WIDTH`] tests reaches.
#[derive(Debug)]
pub struct Reached {
    rows: Vec<Row>,
}

/// Starting points: a node, and the test (by index within the pass) that begins there.
pub type Seeds = Vec<(NodeId, usize)>;

/// Which tests of a pass may reach a node at all.
#[derive(Debug, Default)]
pub struct Allowed {
    /// Per unit: the tests that link it, and the tests of its own.
    pub units: FxHashMap<u32, (Row, Row)>,
}

struct Walk<'e> {
    edges: &'e Edges,
    allowed: &'e Allowed,
    /// Per real node: its unit, and whether only the unit's own tests see it.
    units: &'e [(u32, bool)],
    wanted: Option<&'e [bool]>,
    /// Places of nodes in the order to follow.
    order: &'e [u32],
    rows: Vec<Row>,
    waiting: BinaryHeap<Reverse<(u32, NodeId)>>,
    queued: Vec<bool>,
}

impl Walk<'_> {
    fn add(&mut self, node: NodeId, row: &Row) {
        let index = node as usize;
        if self.wanted.is_some_and(|wanted| !wanted[index]) {
            return;
        }
        let own = &mut self.rows[index];
        let mut grew = false;
        match self.units.get(index) {
            Some((unit, own_only)) => {
                let Some((linking, inside)) = self.allowed.units.get(unit) else {
                    return;
                };
                let allowed = if *own_only { inside } else { linking };
                for ((word, more), allowed) in own.iter_mut().zip(row).zip(allowed) {
                    grew |= more & allowed & !*word != 0;
                    *word |= more & allowed;
                }
            }
            None => {
                for (word, more) in own.iter_mut().zip(row) {
                    grew |= more & !*word != 0;
                    *word |= more;
                }
            }
        }
        if grew && !self.queued[index] {
            self.queued[index] = true;
            self.waiting.push(Reverse((self.order[index], node)));
        }
    }

    fn run(&mut self) {
        let edges = self.edges;
        while let Some(Reverse((_, node))) = self.waiting.pop() {
            self.queued[node as usize] = false;
            let row = self.rows[node as usize];
            for next in edges.of(node) {
                self.add(*next, &row);
            }
            for index in edges.triggers.get(&node).into_iter().flatten() {
                let both = &edges.both[*index as usize];
                let mut types = Row::default();
                for of in &both.types {
                    for (word, more) in types.iter_mut().zip(self.rows[*of as usize]) {
                        *word |= more;
                    }
                }
                for (word, named) in types.iter_mut().zip(self.rows[both.named as usize]) {
                    *word &= named;
                }
                self.add(both.member, &types);
            }
        }
    }
}

impl Reached {
    /// Follows the edges from the seeds until nothing new is reached; only nodes that are `wanted`, if that is given.
    #[must_use]
    pub fn new(
        edges: &Edges,
        seeds: &Seeds,
        allowed: &Allowed,
        units: &[(u32, bool)],
        order: &[u32],
        wanted: Option<&[bool]>,
    ) -> Self {
        let mut walk = Walk {
            edges,
            allowed,
            units,
            wanted,
            order,
            rows: vec![Row::default(); edges.count],
            waiting: BinaryHeap::new(),
            queued: vec![false; edges.count],
        };
        for (node, test) in seeds {
            let mut row = Row::default();
            row[test / 64] |= 1 << (test % 64);
            walk.add(*node, &row);
        }
        walk.run();
        Self { rows: walk.rows }
    }

    /// The tests that reach a node, as bits.
    #[must_use]
    pub fn row(&self, node: NodeId) -> &Row {
        &self.rows[node as usize]
    }

    /// Whether a test reaches a node.
    #[must_use]
    pub fn reaches(&self, test: usize, node: NodeId) -> bool {
        self.rows[node as usize][test / 64] >> (test % 64) & 1 == 1
    }
}

/// How many steps each node is from any of `goals`, conditions taken as met; [`u32::MAX`] where there is no way.
#[must_use]
pub fn backward(edges: &Edges, goals: &[NodeId]) -> Vec<u32> {
    let mut starts = vec![0_u32; edges.count + 1];
    let mut pairs: Vec<(NodeId, NodeId)> = Vec::new();
    for node in 0..small(edges.count) {
        pairs.extend(edges.of(node).iter().map(|to| (*to, node)));
    }
    for both in &edges.both {
        pairs.push((both.member, both.named));
        pairs.extend(both.types.iter().map(|of| (both.member, *of)));
    }
    for (to, _) in &pairs {
        starts[*to as usize + 1] += 1;
    }
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    let mut fill = starts.clone();
    let mut sources = vec![0; pairs.len()];
    for (to, from) in pairs {
        sources[fill[to as usize] as usize] = from;
        fill[to as usize] += 1;
    }
    let mut distance = vec![u32::MAX; edges.count];
    let mut waiting: VecDeque<NodeId> = VecDeque::new();
    for goal in goals {
        if std::mem::replace(&mut distance[*goal as usize], 0) != 0 {
            waiting.push_back(*goal);
        }
    }
    while let Some(node) = waiting.pop_front() {
        let next = distance[node as usize] + 1;
        for from in &sources[starts[node as usize] as usize..starts[node as usize + 1] as usize] {
            if distance[*from as usize] == u32::MAX {
                distance[*from as usize] = next;
                waiting.push_back(*from);
            }
        }
    }
    distance
}
