//! Which tests reach which nodes: edges followed for many tests at once, one bit each, conditions included.

use std::collections::VecDeque;

use super::edges::{ConditionalEdge, Edges, ReversePostorder};
use super::nodes::{NodeId, to_u32};

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
#[derive(Debug)]
pub struct Allowed {
    /// Per unit: the tests that link it, and the tests of its own. All tests at the end, for nodes of no unit.
    pub units: Vec<(Row, Row)>,
}

struct Worklist<'e> {
    edges: &'e Edges,
    allowed: &'e Allowed,
    /// Per node: its unit, as an index into what is allowed, and whether only the unit's own tests see it.
    units: &'e [(u32, bool)],
    wanted: Option<&'e [bool]>,
    order: &'e ReversePostorder,
    rows: Vec<Row>,
    /// One bit per place in the order: its node has tests that were not passed on yet.
    dirty: Vec<u64>,
}

impl Worklist<'_> {
    fn add(&mut self, node: NodeId, row: &Row) {
        let index = node as usize;
        if self.wanted.is_some_and(|wanted| !wanted[index]) {
            return;
        }
        let (unit, own_only) = self.units[index];
        let (linking, inside) = &self.allowed.units[unit as usize];
        let allowed = if own_only { inside } else { linking };
        let mut grew = false;
        for ((word, more), allowed) in self.rows[index].iter_mut().zip(row).zip(allowed) {
            grew |= more & allowed & !*word != 0;
            *word |= more & allowed;
        }
        if grew {
            let place = self.order.places[index] as usize;
            self.dirty[place / 64] |= 1 << (place % 64);
        }
    }

    /// Goes through the order again and again, until nothing waits. What leads back waits for the next time: to follow it at
    /// once would go the whole way again for every test that comes late.
    fn run(&mut self) {
        let mut settled = false;
        while !settled {
            settled = true;
            for word in 0..self.dirty.len() {
                while self.dirty[word] != 0 {
                    settled = false;
                    let bit = self.dirty[word].trailing_zeros() as usize;
                    self.dirty[word] &= !(1 << bit);
                    self.pass_on(self.order.nodes[word * 64 + bit]);
                }
            }
        }
    }

    fn pass_on(&mut self, node: NodeId) {
        let edges = self.edges;
        let row = self.rows[node as usize];
        for next in edges.of(node) {
            self.add(*next, &row);
        }
        for both in edges.conditional_from(node) {
            let row = both.fulfilled(&self.rows);
            self.add(both.member, &row);
        }
    }
}

impl ConditionalEdge {
    /// The tests that reach its name and one of its types.
    fn fulfilled(&self, rows: &[Row]) -> Row {
        let mut fulfilled = Row::default();
        for of in &self.types {
            for (word, more) in fulfilled.iter_mut().zip(rows[*of as usize]) {
                *word |= more;
            }
        }
        for (word, named) in fulfilled.iter_mut().zip(rows[self.named as usize]) {
            *word &= named;
        }
        fulfilled
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
        order: &ReversePostorder,
        wanted: Option<&[bool]>,
    ) -> Self {
        let mut walk = Worklist {
            edges,
            allowed,
            units,
            wanted,
            order,
            rows: vec![Row::default(); edges.count],
            dirty: vec![0; edges.count.div_ceil(64)],
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
    for node in 0..to_u32(edges.count) {
        pairs.extend(edges.of(node).iter().map(|to| (*to, node)));
    }
    for both in &edges.conditional {
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
