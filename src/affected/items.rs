//! Which tests can reach a changed item: a graph of items over names, built from sources alone.
//!
//! In: a [`Layout`] (units and what they link), the old text of changed files, and a [`Reader`] of files.
//! Out: [`Selection`], the tests that reach a changed item, each with a chain of items that leads there. Where a rule
//! cannot decide, the selection widens and [`Selection::widened`] says so.
//!
//! ```text
//! files ─extract→ items with references ─mount→ nodes in modules ─resolve→ names ─edges→ graph ─reach→ tests per item
//! ```

pub mod edges;
pub mod expansion;
pub mod extract;
pub mod layout;
pub mod mount;
pub mod nodes;
pub mod reach;
pub mod references;
pub mod resolve;

use std::collections::VecDeque;

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

pub use layout::{Layout, Unit, UnitId, UnitKind};
pub use mount::{Changed, Reader, Sources, Uncached};

use crate::workspace::source::doc;
use crate::workspace::source::modules::normal;
use crate::workspace::source::syntax::{ItemKind, Syntax, TOP};
use edges::{Builder, Edges, Hub};
use extract::{Detail, flag};
use nodes::{ModuleId, NONE, Name, NodeId, Nodes, small};
use reach::{Allowed, Reached, Seeds, WIDTH, backward};
use resolve::Scopes;

/// The items of a workspace and the tests that start from them.
#[derive(Debug)]
pub struct Graph {
    /// Units and links.
    pub layout: Layout,
    /// Files and where they stand.
    pub sources: Sources,
    /// Items where they stand.
    pub nodes: Nodes,
    /// Who reaches whom.
    pub edges: Edges,
    /// Every test.
    pub tests: Vec<Test>,
    /// `use` items that may act without being named: traits, globs, names from outside.
    open_uses: FxHashSet<NodeId>,
    /// Modules and the modules that bring in their names by `*`.
    globs: Vec<(ModuleId, ModuleId)>,
    /// Per node: its unit, and whether only the unit's own tests see it.
    units: Vec<(u32, bool)>,
    order: Vec<u32>,
    /// Tests that reach the same, but for themselves.
    pub classes: Vec<Class>,
}

/// Tests of one unit that begin with the same references: they reach the same items, their own apart.
#[derive(Debug)]
pub struct Class {
    /// Their unit.
    unit: UnitId,
    /// They are documentation tests, which see the library from outside.
    documentation: bool,
    /// What they refer to.
    starts: Vec<NodeId>,
    /// The tests, as indexes into [`Graph::tests`].
    pub tests: Vec<usize>,
}

/// A test, and where its reach begins.
#[derive(Debug, Clone)]
pub struct Test {
    /// The unit whose test binary (or documentation) holds it.
    pub unit: UnitId,
    /// Its name.
    pub name: TestName,
    /// `#[ignore]`.
    pub ignored: bool,
    /// The file it stands in.
    pub file: Utf8PathBuf,
    /// Its line, counted from 1.
    pub line: u32,
    /// Nodes it runs.
    pub seeds: Vec<NodeId>,
}

/// What is known of a test's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TestName {
    /// The harness lists this name.
    Exact(String),
    /// The harness lists names that begin so; an empty one means any.
    Prefix(String),
    /// A harness of its own: the whole binary.
    All,
    /// A documentation test, by its file and line.
    Doc,
}

/// The tests that a change selects.
#[derive(Debug, Default)]
pub struct Selection {
    /// Selected tests.
    pub tests: Vec<Selected>,
    /// Why more than the items themselves decided, in words.
    pub widened: Vec<String>,
    /// Changed Rust files that no unit mounts: to be judged by the package.
    pub unmounted: Vec<Utf8PathBuf>,
    /// Other changed files that no item embeds: to be judged by the package.
    pub not_embedded: Vec<Utf8PathBuf>,
    /// How many items differ.
    pub changed_items: usize,
}

/// A selected test and why.
#[derive(Debug, Clone)]
pub struct Selected {
    /// Index into [`Graph::tests`].
    pub test: usize,
    /// From the test to the changed item; where a rule widened, its words alone.
    pub reason: Reason,
}

/// Why a test is selected.
#[derive(Debug, Clone)]
pub enum Reason {
    /// Items from the test to the changed one, each reaching the next.
    Chain(Vec<NodeId>),
    /// A rule that widens, as its index into [`Selection::widened`].
    Widened(usize),
}

impl Graph {
    /// Reads the sources and builds the graph, both versions of changed files in it.
    #[must_use]
    pub fn build(layout: Layout, changed: &Changed, reader: &dyn Reader) -> Self {
        let sources = Sources::read(&layout, changed, reader);
        let nodes = Nodes::new(&sources, layout.units.len());
        let scopes = Scopes::new(&nodes, &layout, &sources);
        let builder = Builder::new(&nodes, &scopes, &sources, &layout);
        let docs = documentation(&layout, &sources, &nodes);
        let starts: Vec<_> = docs
            .iter()
            .map(|doc| (doc.names.clone(), doc.item))
            .collect();
        let (edges, doc_nodes) = builder.build(&starts);
        let mut tests = tests(&layout, &sources, &nodes, &edges);
        tests.extend(docs.into_iter().zip(doc_nodes).map(|(doc, node)| Test {
            unit: doc.unit,
            name: TestName::Doc,
            ignored: doc.ignored,
            file: doc.file,
            line: doc.line,
            seeds: vec![node],
        }));
        let open_uses = scopes.open_uses.iter().copied().collect();
        let globs = scopes.globs.clone();
        drop(builder);
        let units = nodes
            .nodes
            .iter()
            .map(|node| (node.unit, node.flags & flag::TEST_ONLY != 0))
            .collect();
        let order = edges.order();
        {
            let classes = classes(&layout, &edges, &tests);
            Self {
                layout,
                sources,
                nodes,
                edges,
                tests,
                open_uses,
                globs,
                units,
                order,
                classes,
            }
        }
    }

    /// The tests that the change can affect.
    #[must_use]
    pub fn select(&self, changed: &Changed) -> Selection {
        let mut selection = Selection::default();
        let mut goals = self.changed_nodes();
        selection.changed_items = goals.len();
        let mut whole: Vec<(UnitId, String)> = Vec::new();
        self.widen(changed, &mut whole);
        self.files(changed, &mut goals, &mut selection);
        let any = !goals.is_empty()
            || !whole.is_empty()
            || !selection.not_embedded.is_empty()
            || !selection.unmounted.is_empty();
        if any {
            goals.push(self.edges.everything);
        }
        let mut by_unit: FxHashMap<UnitId, usize> = FxHashMap::default();
        for (unit, why) in whole {
            let index = selection
                .widened
                .iter()
                .position(|known| *known == why)
                .unwrap_or_else(|| {
                    selection.widened.push(why);
                    selection.widened.len() - 1
                });
            for (id, links) in self.layout.links.iter().enumerate() {
                if links.contains(&unit) {
                    by_unit.entry(id).or_insert(index);
                }
            }
        }
        goals.sort_unstable();
        goals.dedup();
        let distance = backward(&self.edges, &goals);
        let wanted = distance
            .iter()
            .map(|distance| *distance != u32::MAX)
            .collect();
        let goals = Goals {
            nodes: goals,
            distance,
            wanted,
            whole: by_unit,
            documentation: self.changed_documentation(),
        };
        let parts: Vec<Vec<Selected>> = self
            .passes()
            .par_iter()
            .map(|pass| self.pass(pass, &goals))
            .collect();
        selection.tests = parts.into_iter().flatten().collect();
        selection.tests.sort_by_key(|selected| selected.test);
        selection
    }

    fn pass(&self, pass: &[usize], goals: &Goals) -> Vec<Selected> {
        let mut found = Vec::new();
        let begins = |seeds: &[NodeId]| seeds.iter().any(|seed| goals.wanted[*seed as usize]);
        let roots = begins(&self.edges.roots);
        let open = |class: &Class| {
            !goals.whole.contains_key(&class.unit) && (roots || begins(&class.starts))
        };
        let starts = pass.iter().any(|class| open(&self.classes[*class]));
        let reached = starts.then(|| self.reached(pass, Some(&goals.wanted)));
        for (bit, class) in pass.iter().enumerate() {
            let class = &self.classes[*class];
            let reached = reached
                .as_ref()
                .filter(|reached| goals.nodes.iter().any(|goal| reached.reaches(bit, *goal)));
            let mut shared = None;
            for test in &class.tests {
                let reason = if let Some(widened) = goals.whole.get(&class.unit) {
                    Reason::Widened(*widened)
                } else if let Some(seed) = self.tests[*test]
                    .seeds
                    .iter()
                    .find(|seed| goals.distance[**seed as usize] == 0)
                {
                    Reason::Chain(vec![*seed])
                } else if let Some(reached) = reached {
                    let chain = shared.get_or_insert_with(|| {
                        self.near_chain(class, bit, reached, goals)
                            .unwrap_or_else(|| self.chain(class, bit, reached, &goals.nodes))
                    });
                    Reason::Chain([self.tests[*test].seeds.as_slice(), chain.as_slice()].concat())
                } else if class.documentation
                    && goals
                        .documentation
                        .contains(&(self.tests[*test].file.clone(), self.tests[*test].line))
                {
                    Reason::Chain(Vec::new())
                } else {
                    continue;
                };
                found.push(Selected {
                    test: *test,
                    reason,
                });
            }
        }
        found
    }

    /// Classes of tests in groups that one pass follows together: those of one package belong together, as they link the same.
    #[must_use]
    pub fn passes(&self) -> Vec<Vec<usize>> {
        let all: Vec<usize> = (0..self.classes.len()).collect();
        all.chunks(WIDTH).map(<[usize]>::to_vec).collect()
    }

    /// Everything that a group of classes reaches; only nodes that are `wanted`, if that is given.
    #[must_use]
    pub fn reached(&self, pass: &[usize], wanted: Option<&[bool]>) -> Reached {
        let mut allowed = Allowed::default();
        let mut seeds: Seeds = Vec::new();
        for (bit, class) in pass.iter().enumerate() {
            let class = &self.classes[*class];
            for unit in &self.layout.links[class.unit] {
                let (linking, inside) = allowed.units.entry(small(*unit)).or_default();
                linking[bit / 64] |= 1 << (bit % 64);
                if *unit == class.unit && !class.documentation {
                    inside[bit / 64] |= 1 << (bit % 64);
                }
            }
            seeds.extend(
                class
                    .starts
                    .iter()
                    .chain(&self.edges.roots)
                    .map(|start| (*start, bit)),
            );
        }
        Reached::new(
            &self.edges,
            &seeds,
            &allowed,
            &self.units,
            &self.order,
            wanted,
        )
    }

    /// A shortest chain of items from a test to any of `goals`; none when it reaches none of them.
    #[must_use]
    pub fn explain(&self, test: usize, goals: &[NodeId]) -> Option<Vec<NodeId>> {
        let class = self
            .classes
            .iter()
            .position(|class| class.tests.contains(&test))?;
        let reached = self.reached(&[class], None);
        let reaches = goals.iter().any(|goal| reached.reaches(0, *goal));
        reaches.then(|| {
            [
                self.tests[test].seeds.clone(),
                self.chain(&self.classes[class], 0, &reached, goals),
            ]
            .concat()
        })
    }

    /// A chain from a class to a changed item through what it reaches, by how far nodes are from the change; where that leads
    /// nowhere for this class, because a condition is met on another way only, the search goes forward.
    fn near_chain(
        &self,
        class: &Class,
        bit: usize,
        reached: &Reached,
        goals: &Goals,
    ) -> Option<Vec<NodeId>> {
        let distance = &goals.distance;
        let near = |node: &NodeId| {
            if reached.reaches(bit, *node) {
                distance[*node as usize]
            } else {
                u32::MAX
            }
        };
        let mut at = class
            .starts
            .iter()
            .chain(&self.edges.roots)
            .copied()
            .min_by_key(near)?;
        let mut chain = vec![at];
        while distance[at as usize] > 0 {
            let conditional = self
                .edges
                .triggers
                .get(&at)
                .into_iter()
                .flatten()
                .map(|index| &self.edges.both[*index as usize].member);
            let next = self
                .edges
                .of(at)
                .iter()
                .chain(conditional)
                .min_by_key(|node| near(node))?;
            if near(next) >= distance[at as usize] {
                return None;
            }
            at = *next;
            chain.push(at);
        }
        Some(chain)
    }

    /// A shortest chain from a class to any of `goals` through what it reaches.
    fn chain(&self, class: &Class, bit: usize, reached: &Reached, goals: &[NodeId]) -> Vec<NodeId> {
        let goals: FxHashSet<NodeId> = goals.iter().copied().collect();
        let mut came: FxHashMap<NodeId, NodeId> = FxHashMap::default();
        let mut queue: VecDeque<NodeId> = VecDeque::new();
        for start in class.starts.iter().chain(&self.edges.roots) {
            if reached.reaches(bit, *start) && came.insert(*start, NONE).is_none() {
                queue.push_back(*start);
            }
        }
        while let Some(node) = queue.pop_front() {
            if goals.contains(&node) {
                let mut chain = vec![node];
                while let Some(from) = came
                    .get(&chain[chain.len() - 1])
                    .filter(|from| **from != NONE)
                {
                    chain.push(*from);
                }
                chain.reverse();
                return chain;
            }
            for next in self.edges.of(node) {
                if reached.reaches(bit, *next) && !came.contains_key(next) {
                    came.insert(*next, node);
                    queue.push_back(*next);
                }
            }
            for index in self.edges.triggers.get(&node).into_iter().flatten() {
                let both = &self.edges.both[*index as usize];
                let met = came.contains_key(&both.named)
                    && both.types.iter().any(|of| came.contains_key(of));
                if met && reached.reaches(bit, both.member) && !came.contains_key(&both.member) {
                    came.insert(both.member, both.named);
                    queue.push_back(both.member);
                }
            }
        }
        Vec::new()
    }

    /// A selected test's reason in words.
    #[must_use]
    pub fn reason(&self, selection: &Selection, selected: &Selected) -> String {
        match &selected.reason {
            Reason::Widened(index) => selection.widened[*index].clone(),
            Reason::Chain(chain) => {
                let steps: Vec<String> = chain.iter().map(|node| self.describe(*node)).collect();
                steps.join(" → ")
            }
        }
    }

    /// What a node is called, for reasons: `a::b::name`, `name in impl …`, `.name`.
    #[must_use]
    pub fn describe(&self, id: NodeId) -> String {
        let Some(node) = self.nodes.nodes.get(id as usize) else {
            return self
                .edges
                .hubs
                .get(&id)
                .map_or_else(String::new, |hub| self.describe_hub(hub));
        };
        let module = self.nodes.module_path(node.module);
        let unit = &self.layout.units[node.unit as usize];
        let own = match node.kind {
            ItemKind::Impl => "impl".to_owned(),
            ItemKind::Call => format!("{}!", self.nodes.names.text(node.name)),
            ItemKind::Use => format!(
                "use {}",
                if node.name == NONE {
                    "*"
                } else {
                    self.nodes.names.text(node.name)
                }
            ),
            _ => self.nodes.names.text(node.name).to_owned(),
        };
        let holder = self.nodes.nodes.get(node.owner as usize).map(|owner| {
            match &self.nodes.item(&self.sources, node.owner).detail {
                Detail::Impl { head, .. } => {
                    let symbols = self.nodes.symbols(node.owner);
                    head.as_ref()
                        .and_then(|head| head.last())
                        .map_or("_".to_owned(), |last| {
                            self.nodes.names.text(symbols[*last as usize]).to_owned()
                        })
                }
                _ if owner.kind == ItemKind::Trait => self.nodes.names.text(owner.name).to_owned(),
                _ => String::new(),
            }
        });
        let parts = [
            unit.name.replace('-', "_"),
            module,
            holder.unwrap_or_default(),
            own,
        ];
        let parts: Vec<&str> = parts
            .iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        parts.join("::")
    }

    fn describe_hub(&self, hub: &Hub) -> String {
        match hub {
            Hub::Named(name) => format!(".{}", self.nodes.names.text(*name)),
            Hub::Wild(name) => format!("`{}` in a macro", self.nodes.names.text(*name)),
            Hub::Made(node) => format!("a value of {}", self.describe(*node)),
            Hub::Body(node) => format!("the body of {}", self.describe(*node)),
            Hub::Documentation => "documentation".to_owned(),
            Hub::Process => "a process".to_owned(),
            Hub::Everything => "cargo or rustc".to_owned(),
        }
    }

    /// The file and line of a node.
    #[must_use]
    pub fn place(&self, id: NodeId) -> Option<(&Utf8Path, u32)> {
        let node = self.nodes.nodes.get(id as usize)?;
        let file = &self.sources.files[node.file as usize];
        Some((
            &file.path,
            file.expansion
                .unwrap_or_else(|| self.nodes.item(&self.sources, id).line),
        ))
    }

    /// Changed items, with what a change of them changes besides.
    fn changed_nodes(&self) -> Vec<NodeId> {
        let mut goals: Vec<NodeId> = Vec::new();
        let mut modules: FxHashSet<ModuleId> = FxHashSet::default();
        for (id, node) in (0_u32..).zip(&self.nodes.nodes) {
            if !node.changed {
                continue;
            }
            goals.push(id);
            if node.kind == ItemKind::Mod {
                modules.extend(
                    (0_u32..)
                        .zip(&self.nodes.modules)
                        .filter(|(_, module)| module.node == id)
                        .map(|(module, _)| module),
                );
            }
            if self.open_uses.contains(&id) {
                // A trait in scope, or names behind `*`, count for the whole module and for whoever takes all its names.
                self.seen_from(node.module, &mut modules);
            }
        }
        if !modules.is_empty() {
            let inside: Vec<bool> = (0..self.nodes.modules.len())
                .map(|module| self.is_inside(small(module), &modules))
                .collect();
            for (id, node) in (0_u32..).zip(&self.nodes.nodes) {
                if node.module != NONE && inside[node.module as usize] {
                    goals.push(id);
                }
            }
        }
        goals
    }

    fn seen_from(&self, module: ModuleId, modules: &mut FxHashSet<ModuleId>) {
        let mut next = vec![module];
        while let Some(module) = next.pop() {
            if modules.insert(module) {
                next.extend(
                    self.globs
                        .iter()
                        .filter(|(_, from)| *from == module)
                        .map(|(into, _)| *into),
                );
            }
        }
    }

    fn is_inside(&self, mut module: ModuleId, modules: &FxHashSet<ModuleId>) -> bool {
        while module != NONE {
            if modules.contains(&module) {
                return true;
            }
            module = self.nodes.modules[module as usize].parent;
        }
        false
    }

    /// Changes that no single item tells: for each the unit and why.
    fn widen(&self, changed: &Changed, whole: &mut Vec<(UnitId, String)>) {
        let path = |file: usize| &self.sources.files[file].path;
        for (file, unit, is_changed) in &self.nodes.unread {
            if *is_changed {
                whole.push((
                    *unit,
                    format!("{} cannot be read as Rust items", path(*file)),
                ));
            }
        }
        for (file, unit) in &self.nodes.whole_units {
            whole.push((
                *unit,
                format!(
                    "attributes of the crate or module changed in {}",
                    path(*file)
                ),
            ));
        }
        for (id, node) in (0_u32..)
            .zip(&self.nodes.nodes)
            .filter(|(_, node)| node.changed)
        {
            let opaque = node.kind == ItemKind::Call && node.flags & flag::TRANSPARENT == 0;
            if opaque || node.kind == ItemKind::ExternCrate {
                let what = if opaque {
                    format!("the macro call `{}`", self.describe(id))
                } else {
                    "an `extern crate`".to_owned()
                };
                whole.push((
                    node.unit as usize,
                    format!("{what} changed in {}", path(node.file as usize)),
                ));
            }
        }
        if changed.whole {
            for (file, unit) in self
                .sources
                .mounts
                .iter()
                .map(|mount| (mount.file, mount.unit))
            {
                if self.sources.files[file].changed && self.sources.files[file].now.is_none() {
                    whole.push((unit, format!("{} is gone", path(file))));
                }
            }
        }
    }

    /// Changed files that are no module: what embeds them changes.
    fn files(&self, changed: &Changed, goals: &mut Vec<NodeId>, selection: &mut Selection) {
        let mounted: FxHashSet<&Utf8Path> = self
            .sources
            .files
            .iter()
            .map(|file| file.path.as_path())
            .collect();
        let unmounted = changed
            .rust
            .keys()
            .filter(|path| !mounted.contains(path.as_path()));
        for path in changed.others.iter().chain(unmounted) {
            let before = goals.len();
            goals.extend(self.embedding(path));
            if goals.len() > before {
                continue;
            }
            if changed.rust.contains_key(path) {
                selection.unmounted.push(path.clone());
            } else {
                selection.not_embedded.push(path.clone());
            }
        }
    }

    /// The items that embed a file with `include_str!` and its like.
    pub fn embedding(&self, path: &Utf8Path) -> impl Iterator<Item = NodeId> {
        self.edges
            .embedded
            .iter()
            .filter(move |(written, node)| {
                let file = self.sources.files[self.nodes.nodes[*node as usize].file as usize]
                    .path
                    .as_path();
                let beside = normal(&file.parent().unwrap_or(file).join(written));
                // `concat!(env!("CARGO_MANIFEST_DIR"), "/data.txt")`
                let below = written.trim_start_matches('/');
                beside == path
                    || (!below.is_empty() && path.as_str().ends_with(&format!("/{below}")))
            })
            .map(|(_, node)| *node)
    }

    /// Documentation tests whose code is new.
    fn changed_documentation(&self) -> FxHashSet<(Utf8PathBuf, u32)> {
        let mut found = FxHashSet::default();
        for file in self.sources.files.iter().filter(|file| file.changed) {
            let before: Vec<_> = file
                .before
                .iter()
                .flat_map(|items| &items.doctests)
                .map(|test| test.hash)
                .collect();
            for test in file.now.iter().flat_map(|items| &items.doctests) {
                if !before.contains(&test.hash) {
                    found.insert((file.path.clone(), test.line));
                }
            }
        }
        found
    }
}

/// What a selection looks for.
struct Goals {
    nodes: Vec<NodeId>,
    /// Steps from every node to the nearest goal.
    distance: Vec<u32>,
    wanted: Vec<bool>,
    /// Units whose tests are all selected, with the reason.
    whole: FxHashMap<UnitId, usize>,
    /// Documentation tests whose own text changed.
    documentation: FxHashSet<(Utf8PathBuf, u32)>,
}

/// Groups tests by unit and what they refer to.
fn classes(layout: &Layout, edges: &Edges, tests: &[Test]) -> Vec<Class> {
    let mut by_start: FxHashMap<(UnitId, bool, Vec<NodeId>), usize> = FxHashMap::default();
    let mut classes: Vec<Class> = Vec::new();
    let mut order: Vec<usize> = (0..tests.len()).collect();
    order.sort_by_key(|test| (layout.units[tests[*test].unit].package, tests[*test].unit));
    for test in order {
        let (unit, documentation) = (tests[test].unit, tests[test].name == TestName::Doc);
        let mut starts: Vec<NodeId> = tests[test]
            .seeds
            .iter()
            .flat_map(|seed| edges.of(*seed))
            .copied()
            .collect();
        starts.sort_unstable();
        starts.dedup();
        let class = *by_start
            .entry((unit, documentation, starts.clone()))
            .or_insert_with(|| {
                classes.push(Class {
                    unit,
                    documentation,
                    starts,
                    tests: Vec::new(),
                });
                classes.len() - 1
            });
        classes[class].tests.push(test);
    }
    classes
}

struct Documentation {
    unit: UnitId,
    file: Utf8PathBuf,
    line: u32,
    ignored: bool,
    names: Vec<Name>,
    item: NodeId,
}

/// The documentation tests of every library.
fn documentation(layout: &Layout, sources: &Sources, nodes: &Nodes) -> Vec<Documentation> {
    let mut found = Vec::new();
    for (mount, placed) in sources.mounts.iter().zip(&nodes.mounted) {
        let file = &sources.files[mount.file];
        if !layout.units[mount.unit].doctest || file.expansion.is_some() {
            continue;
        }
        for test in file.now.iter().flat_map(|items| &items.doctests) {
            let item = if test.item == TOP {
                NONE
            } else {
                placed[test.item as usize]
            };
            let make =
                |path: &Utf8Path, line: u32, ignored: bool, names: Vec<Name>| Documentation {
                    unit: mount.unit,
                    file: path.to_owned(),
                    line,
                    ignored,
                    names,
                    item,
                };
            match &test.embedded {
                None => {
                    let symbols = nodes.file_symbols(mount.file);
                    let names = test
                        .names
                        .iter()
                        .map(|symbol| symbols[*symbol as usize])
                        .collect();
                    found.push(make(&file.path, test.line, test.ignored, names));
                }
                Some(written) => {
                    let path = normal(&file.path.parent().unwrap_or(&file.path).join(written));
                    let text = std::fs::read_to_string(&path).unwrap_or_default();
                    for (line, ignored, code) in doc::blocks(&text, &[]) {
                        let names = Syntax::read(&code).map_or(Vec::new(), |code| {
                            (0_u32..)
                                .zip(&code.tokens)
                                .filter_map(|(at, _)| code.ident(at))
                                .filter_map(|name| nodes.names.get(name))
                                .collect()
                        });
                        found.push(make(&path, line, ignored, names));
                    }
                }
            }
        }
    }
    found
}

/// Tests that stand in the sources as functions or macro calls.
fn tests(layout: &Layout, sources: &Sources, nodes: &Nodes, edges: &Edges) -> Vec<Test> {
    let mut found = Vec::new();
    for (id, node) in (0_u32..).zip(&nodes.nodes) {
        let unit = &layout.units[node.unit as usize];
        if node.before || !unit.test || node.module == NONE {
            continue;
        }
        let file = &sources.files[node.file as usize];
        let item = nodes.item(sources, id);
        let path = |name: &str| {
            let module = nodes.module_path(node.module);
            if module.is_empty() {
                name.to_owned()
            } else {
                format!("{module}::{name}")
            }
        };
        let is_root = node.kind == ItemKind::Fn
            && node.owner == NONE
            && nodes.modules[node.module as usize].parent == NONE;
        let name = if node.flags & flag::TEST != 0 {
            TestName::Exact(path(nodes.names.text(node.name)))
        } else if node.flags & flag::TEST_PREFIX != 0 {
            TestName::Prefix(path(nodes.names.text(node.name)))
        } else if is_root && unit.kind == UnitKind::Test && nodes.names.text(node.name) == "main" {
            TestName::All
        } else if edges.test_calls.contains(&id) {
            TestName::Prefix(path(""))
        } else {
            continue;
        };
        let line = file.expansion.unwrap_or(item.line);
        found.push(Test {
            unit: node.unit as usize,
            name,
            ignored: node.flags & flag::IGNORED != 0,
            file: file.path.clone(),
            line,
            seeds: vec![id],
        });
    }
    for (file, unit, _) in &nodes.unread {
        let known = found
            .iter()
            .any(|test: &Test| test.unit == *unit && test.name == TestName::Prefix(String::new()));
        if layout.units[*unit].test && !known {
            // Tests of a file that cannot be read have no names.
            let file = sources.files[*file].path.clone();
            found.push(Test {
                unit: *unit,
                name: TestName::Prefix(String::new()),
                ignored: false,
                file,
                line: 0,
                seeds: vec![edges.everything],
            });
        }
    }
    found
}
