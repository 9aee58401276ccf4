//! Computes which tests reach which nodes, for many tests at once with one bit each, including conditions.

use std::collections::VecDeque;

use super::edges::{ConditionalEdge, Edges, ReversePostorder};
use super::nodes::{NodeId, to_u32};

/// Tests per pass: 8 words of 64 bits.
pub const WIDTH: usize = 512;

/// One bit per test of a pass.
pub type Row = [u64; WIDTH / 64];

/// The nodes that a set of at most [`WIDTH`] tests reaches.
#[derive(Debug)]
pub struct Reached {
    rows: Vec<Row>,
}

/// Starting points: a node, and the tests of the pass that start there.
pub type Seeds = Vec<(NodeId, Row)>;

/// The row with one test, by its index within the pass.
#[must_use]
pub fn row_of(test: usize) -> Row {
    let mut row = Row::default();
    row[test / 64] |= 1 << (test % 64);
    row
}

/// The tests of a pass that may reach a node.
#[derive(Debug)]
pub struct Allowed {
    /// For each unit, the tests that link it, and the unit's own tests. The last entry has all tests, for nodes of no unit.
    pub units: Vec<(Row, Row)>,
}

struct Worklist<'e> {
    edges: &'e Edges,
    allowed: &'e Allowed,
    /// For each node, the index of its unit, and whether only the unit's own tests see it.
    units: &'e [(u32, bool)],
    wanted: Option<&'e [bool]>,
    order: &'e ReversePostorder,
    rows: Vec<Row>,
    /// Per node, what is reached already, and counts in conditions.
    given: &'e [Row],
    /// One bit per node: it is not followed.
    closed: Vec<u64>,
    /// One bit per position in the order: whether its node has tests that were not propagated.
    dirty: Vec<u64>,
}

impl Worklist<'_> {
    fn add(&mut self, node: NodeId, row: &Row) {
        let index = node as usize;
        if self.wanted.is_some_and(|wanted| !wanted[index]) || self.is_closed(index) {
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

    fn is_closed(&self, index: usize) -> bool {
        let word = self.closed.get(index / 64);
        word.is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// Sweeps in reverse postorder to a fixpoint. Back edges are taken on the next sweep, because following them at once would repeat the whole
    /// sweep for every test that arrives late.
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
            let row = both.fulfilled(&self.rows, self.given);
            self.add(both.member, &row);
        }
    }
}

impl ConditionalEdge {
    /// The tests that reach its name and one of its types, of which not both are `given`.
    fn fulfilled(&self, rows: &[Row], given: &[Row]) -> Row {
        let of_types = |rows: &[Row]| {
            let mut all = Row::default();
            for row in self.types.iter().filter_map(|of| rows.get(*of as usize)) {
                join(&mut all, row);
            }
            all
        };
        let (types, named) = (of_types(rows), rows[self.named as usize]);
        let Some(named_before) = given.get(self.named as usize) else {
            return std::array::from_fn(|word| types[word] & named[word]);
        };
        let types_before = of_types(given);
        std::array::from_fn(|word| {
            types[word] & (named[word] | named_before[word]) | types_before[word] & named[word]
        })
    }
}

/// Adds the bits of a row to another.
pub fn join(row: &mut Row, more: &Row) {
    for (word, more) in row.iter_mut().zip(more) {
        *word |= more;
    }
}

/// Where tests begin.
#[derive(Debug, Default)]
pub struct Starts {
    /// What tests name.
    pub seeds: Seeds,
    /// What is live without being named.
    pub roots: Seeds,
}

/// What the edges are followed through.
#[derive(Debug, Clone, Copy)]
pub struct Ways<'e> {
    /// The edges.
    pub edges: &'e Edges,
    /// Which tests may reach which nodes.
    pub allowed: &'e Allowed,
    /// For each node, the index of its unit, and whether only the unit's own tests see it.
    pub units: &'e [(u32, bool)],
    /// In which order nodes are followed.
    pub order: &'e ReversePostorder,
    /// Only these nodes, if given.
    pub wanted: Option<&'e [bool]>,
}

impl Ways<'_> {
    fn follow(&self, seeds: &Seeds, given: &[Row], closed: &[NodeId]) -> Vec<Row> {
        let mut bits = Vec::new();
        for node in closed {
            let index = *node as usize;
            bits.resize(bits.len().max(index / 64 + 1), 0);
            bits[index / 64] |= 1 << (index % 64);
        }
        let mut walk = Worklist {
            edges: self.edges,
            allowed: self.allowed,
            units: self.units,
            wanted: self.wanted,
            order: self.order,
            rows: vec![Row::default(); self.edges.count],
            given,
            closed: bits,
            dirty: vec![0; self.edges.count.div_ceil(64)],
        };
        for (node, row) in seeds {
            walk.add(*node, row);
        }
        walk.run();
        walk.rows
    }
}

impl Reached {
    /// Follows the edges from the starts until nothing new is reached. What generated code may name by names of its own is
    /// followed from the seeds alone.
    #[must_use]
    pub fn new(ways: &Ways<'_>, mut starts: Starts) -> Self {
        let anything = &ways.edges.anything;
        if anything.is_empty() || starts.roots.is_empty() {
            starts.seeds.append(&mut starts.roots);
            let rows = ways.follow(&starts.seeds, &[], &[]);
            return Self { rows };
        }
        let live = ways.follow(&starts.roots, &[], anything);
        let mut rows = ways.follow(&starts.seeds, &live, &[]);
        for (row, more) in rows.iter_mut().zip(&live) {
            join(row, more);
        }
        Self { rows }
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

/// The edges in the other direction, as if conditions were met.
#[derive(Debug)]
pub struct Predecessors {
    /// The nodes with an edge to each node, one list after the other.
    nodes: Vec<NodeId>,
    /// Where the list of each node starts.
    starts: Vec<u32>,
}

impl Predecessors {
    /// Reverses the edges.
    #[must_use]
    pub fn of(edges: &Edges) -> Self {
        let each = |add: &mut dyn FnMut(NodeId, NodeId)| {
            for node in 0..to_u32(edges.count) {
                edges.of(node).iter().for_each(|to| add(*to, node));
            }
            for both in &edges.conditional {
                add(both.member, both.named);
                both.types.iter().for_each(|of| add(both.member, *of));
            }
        };
        let mut starts = vec![0_u32; edges.count + 1];
        each(&mut |to, _| starts[to as usize + 1] += 1);
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut fill = starts.clone();
        let mut nodes = vec![0; starts[edges.count] as usize];
        each(&mut |to, from| {
            nodes[fill[to as usize] as usize] = from;
            fill[to as usize] += 1;
        });
        Self { nodes, starts }
    }

    /// The distance of each node to the nearest of `goals`; [`u32::MAX`] without a path.
    #[must_use]
    pub fn distances(&self, goals: &[NodeId]) -> Vec<u32> {
        let mut distances = vec![u32::MAX; self.starts.len() - 1];
        self.add(goals, &mut distances);
        distances
    }

    /// Adds goals to those of the distances.
    pub fn add(&self, goals: &[NodeId], distances: &mut [u32]) {
        let mut waiting: VecDeque<NodeId> = VecDeque::new();
        for goal in goals {
            if std::mem::replace(&mut distances[*goal as usize], 0) != 0 {
                waiting.push_back(*goal);
            }
        }
        while let Some(node) = waiting.pop_front() {
            let next = distances[node as usize] + 1;
            let own = self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize;
            for from in &self.nodes[own] {
                let known = &mut distances[*from as usize];
                if *known > next {
                    *known = next;
                    waiting.push_back(*from);
                }
            }
        }
    }
}
