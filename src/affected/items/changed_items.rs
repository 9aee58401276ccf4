//! Finds the changed items, and the units whose tests can reach one of them.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::{FxHashMap, FxHashSet};

use super::crate_graph::{CrateGraph, Unit, UnitId, UnitKind};
use super::def_map::DefMap;
use super::extract::flag;
use super::file_reads::{CURRENT_FOLDER, GIT, GIT_COMMAND, OWN_FOLDER};
use super::nodes::{ModuleId, NONE, Name, NodeId, Nodes, to_u32};
use super::outside_effects;
use super::path_index::PathIndex;
use super::sources::{Changed, Sources};
use crate::workspace::source::modules::normal;
use crate::workspace::source::syntax::ItemKind;

/// Changed files and crates that code may use at run time.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The items that may read a changed file, each with the first such file.
    pub(super) by: BTreeMap<NodeId, Utf8PathBuf>,
    /// Changed files outside packages that an item names.
    pub(super) named: BTreeSet<Utf8PathBuf>,
    /// Items that may read a changed file by a path that is not in the sources, or that name a crate which their package has gained.
    pub(super) besides: Vec<NodeId>,
    /// Quiet files that no code is known to read.
    pub(super) unread: BTreeSet<Utf8PathBuf>,
}

impl Read {
    pub(super) fn of(
        crates: &CrateGraph,
        sources: &Sources,
        nodes: &Nodes,
        changed: &Changed,
    ) -> Self {
        let mut read = Self::default();
        let files: Vec<&Utf8PathBuf> = changed.rust.keys().chain(&changed.others).collect();
        if changed.head_moved {
            read.besides = using_git(sources, nodes);
        }
        if files.is_empty() {
            return read;
        }
        // The last part of a path to a file, or to a parent folder, is part of the file's own path.
        let paths = || files.iter().copied().chain(changed.lists.keys());
        let parts = paths().flat_map(|file| file.components());
        let mut parts: FxHashSet<&str> = parts.map(|part| part.as_str()).collect();
        // `format!("{name}.md")`
        let names = paths().filter_map(|file| file.file_name());
        parts.extend(names.filter_map(|name| name.split('.').next()));
        let leads = |path: &Utf8Path| path.file_name().is_none_or(|name| parts.contains(name));
        let readers = PathIndex::new(crates, sources, nodes, &leads);
        for (list, named) in &changed.lists {
            let by_path = readers.of(list).chain(embedding(sources, nodes, list));
            for node in by_path {
                read.by.entry(node).or_insert_with(|| named.file.clone());
            }
            read.by_unknown_paths(crates, sources, nodes, list, changed, &readers);
        }
        for file in files {
            for node in readers.of(file) {
                read.by.entry(node).or_insert_with(|| file.clone());
            }
            let is_owned = crates.folders.iter().any(|folder| file.starts_with(folder));
            if !is_owned && readers.names(file) {
                read.named.insert(file.clone());
            }
            if changed.others.contains(file) {
                read.by_unknown_paths(crates, sources, nodes, file, changed, &readers);
            }
        }
        read.besides
            .extend(naming_gained(crates, sources, nodes, changed));
        read.besides.sort_unstable();
        read.besides.dedup();
        read
    }

    /// Adds the items that may read a file other than a Rust source by a path that is in no item.
    fn by_unknown_paths(
        &mut self,
        crates: &CrateGraph,
        sources: &Sources,
        nodes: &Nodes,
        file: &Utf8PathBuf,
        changed: &Changed,
        readers: &PathIndex,
    ) {
        let before = self.besides.len();
        let embedded = embedding(sources, nodes, file).next().is_some();
        let documents = documenting(sources, file).next().is_some();
        let known = embedded || documents || readers.of(file).next().is_some();
        let list = changed.lists.get(file);
        let is_data = list.is_some_and(|list| list.is_data);
        let is_quiet = changed.quiet.contains(file) || list.is_some() && !is_data;
        if is_data || is_quiet {
            let name = file.file_name().unwrap_or_default();
            self.besides.extend(readers.of_name(name));
        }
        let mask = if is_quiet {
            flag::WALKS
        } else {
            flag::READS_FILES | flag::SPAWNS
        };
        // A library walks the folders that its callers pass; a test walks its package.
        let only_tests = is_quiet && file.extension() != Some("snap");
        let readers = Readers::of(
            crates,
            sources,
            nodes,
            file,
            embedded || is_quiet || is_data,
        );
        let rooted = rooted(sources, nodes, crates.units.len());
        let in_test = |id: NodeId| {
            let node = &nodes.nodes[id as usize];
            let kind = crates.units[node.unit as usize].kind;
            node.flags & (flag::TEST | flag::TEST_PREFIX | flag::TEST_ONLY) != 0
                || !matches!(kind, UnitKind::Library | UnitKind::Binary)
        };
        let reads = |id: &NodeId| {
            let node = &nodes.nodes[*id as usize];
            let unit = node.unit as usize;
            let counts = !only_tests || in_test(*id) && rooted[unit];
            node.flags & mask != 0 && readers.units[unit] && counts
        };
        self.besides
            .extend((0..to_u32(nodes.nodes.len())).filter(reads));
        if only_tests {
            // A test may give the folder in which it runs to a library that walks through it.
            let walks = walking(crates, nodes);
            let roots = nodes.reading.iter().copied().filter(|id| {
                let unit = nodes.nodes[*id as usize].unit as usize;
                let mut paths = nodes.item(sources, *id).references.reads.iter();
                let here = paths.any(|path| path == OWN_FOLDER || path == CURRENT_FOLDER);
                here && walks[unit] && readers.units[unit] && in_test(*id)
            });
            self.besides.extend(roots);
        }
        if is_quiet && list.is_none() && !known && self.besides.len() == before {
            self.unread.insert(file.clone());
        }
    }
}

/// For each unit, whether tests that the change can affect may link it; true for all if no change is given.
pub(super) fn relevant(
    crates: &CrateGraph,
    sources: &Sources,
    nodes: &Nodes,
    scopes: &DefMap<'_>,
    changed: &Changed,
    read: &Read,
) -> Vec<bool> {
    let everything = changed.rust.is_empty()
        && changed.others.is_empty()
        && changed.gained.is_empty()
        && !changed.head_moved;
    let mut goals = vec![everything; crates.units.len()];
    let open_uses = scopes.open_uses.iter().copied().collect();
    let embedding = sources
        .unmounted(changed)
        .flat_map(|path| embedding(sources, nodes, path));
    for node in changed_nodes(nodes, &open_uses, &scopes.globs)
        .into_iter()
        .chain(embedding)
        .chain(read.by.keys().copied())
        .chain(read.besides.iter().copied())
    {
        goals[nodes.nodes[node as usize].unit as usize] = true;
    }
    let mounted = sources.mounts.iter();
    for mount in mounted.filter(|mount| sources.files[mount.file].changed) {
        goals[mount.unit] = true;
    }
    for file in &changed.others {
        for unit in documenting(sources, file) {
            goals[unit] = true;
        }
    }
    // A test that runs cargo or rustc may depend on any change, and so may one that can do anything.
    for node in &nodes.nodes {
        goals[node.unit as usize] |= node.flags & (flag::RUNS_CARGO | flag::RUNS_RUSTC) != 0;
    }
    for (_, unit, _) in &nodes.unread {
        goals[*unit] = true;
    }
    // The programs that documentation starts are not known.
    for mount in &sources.mounts {
        let now = sources.files[mount.file].now.iter();
        let mut starting = now.flat_map(|items| {
            let names = items.doctests.iter().flat_map(|doctest| &doctest.names);
            names.map(|name| outside_effects::of_word(items.symbols.get(*name)))
        });
        goals[mount.unit] |= starting.any(|effects| effects & flag::SPAWNS != 0);
    }
    // Any test can start a changed program or load a changed library.
    let is_program = |unit: &Unit| unit.kind == UnitKind::Binary || unit.dynamic;
    let mut programs = crates.units.iter().zip(&crates.links);
    let changed_program =
        programs.any(|(unit, links)| is_program(unit) && links.iter().any(|unit| goals[*unit]));
    if changed_program {
        for node in &nodes.nodes {
            let starts = node.flags & flag::SPAWNS != 0 && node.flags & flag::KNOWN_PROGRAM == 0;
            goals[node.unit as usize] |= starts;
        }
    }
    let mut relevant = vec![false; crates.units.len()];
    for (unit, links) in crates.units.iter().zip(&crates.links) {
        let counts = unit.test || unit.doctest || is_program(unit);
        if counts && links.iter().any(|unit| goals[*unit]) {
            for unit in links {
                relevant[*unit] = true;
            }
        }
    }
    relevant
}

/// Changed items, and items that change with them. `open_uses` and `globs` are those of the [`DefMap`].
pub(super) fn changed_nodes(
    nodes: &Nodes,
    open_uses: &FxHashSet<NodeId>,
    globs: &[(ModuleId, ModuleId)],
) -> Vec<NodeId> {
    let mut goals: Vec<NodeId> = Vec::new();
    let mut modules: FxHashSet<ModuleId> = FxHashSet::default();
    let mut globbing: FxHashMap<ModuleId, Vec<ModuleId>> = FxHashMap::default();
    for (into, from) in globs {
        globbing.entry(*from).or_default().push(*into);
    }
    let mut changed_modules: FxHashSet<NodeId> = FxHashSet::default();
    for (id, node) in (0_u32..).zip(&nodes.nodes) {
        if !node.changed {
            continue;
        }
        goals.push(id);
        if node.kind == ItemKind::Mod {
            changed_modules.insert(id);
        }
        if open_uses.contains(&id) {
            // A trait in scope, or names behind `*`, count for the whole module and for modules that import all its names.
            seen_from(node.module, &globbing, &mut modules);
        }
    }
    let changed = (0_u32..).zip(&nodes.modules);
    let changed = changed.filter(|(_, module)| changed_modules.contains(&module.node));
    modules.extend(changed.map(|(module, _)| module));
    if !modules.is_empty() {
        let inside: Vec<bool> = (0..nodes.modules.len())
            .map(|module| {
                let mut around = nodes.around(to_u32(module));
                around.any(|module| modules.contains(&module))
            })
            .collect();
        for (id, node) in (0_u32..).zip(&nodes.nodes) {
            if node.module != NONE && inside[node.module as usize] {
                goals.push(id);
            }
        }
    }
    goals
}

fn seen_from(
    module: ModuleId,
    globbing: &FxHashMap<ModuleId, Vec<ModuleId>>,
    modules: &mut FxHashSet<ModuleId>,
) {
    let mut next = vec![module];
    while let Some(module) = next.pop() {
        if modules.insert(module) {
            next.extend(globbing.get(&module).into_iter().flatten());
        }
    }
}

impl Sources {
    /// Changed files that are not modules.
    pub(super) fn unmounted<'c>(&self, changed: &'c Changed) -> impl Iterator<Item = &'c Utf8Path> {
        let all = changed.others.iter().chain(changed.rust.keys());
        let mut unmounted: Vec<&Utf8Path> = all.map(Utf8PathBuf::as_path).collect();
        if !unmounted.is_empty() {
            let files = self.files.iter();
            let mounted: FxHashSet<&str> = files.map(|file| file.path.as_str()).collect();
            unmounted.retain(|path| !mounted.contains(path.as_str()));
        }
        unmounted.into_iter()
    }
}

/// The items that embed a file with macros such as `include_str!`.
pub(super) fn embedding(
    sources: &Sources,
    nodes: &Nodes,
    path: &Utf8Path,
) -> impl Iterator<Item = NodeId> {
    let embeds = move |node: &NodeId| {
        let written = &nodes.item(sources, *node).references.files;
        let file = &sources.files[nodes.nodes[*node as usize].file as usize].path;
        written.iter().any(|written| {
            let beside = normal(&file.parent().unwrap_or(file).join(written));
            // `concat!(env!("CARGO_MANIFEST_DIR"), "/data.txt")`
            let below = written.trim_start_matches('/');
            beside == path || (!below.is_empty() && path.as_str().ends_with(&format!("/{below}")))
        })
    };
    nodes.embedding.iter().copied().filter(embeds)
}

/// The units whose documentation embeds a file with `#[doc = include_str!("…")]`.
pub(super) fn documenting<'s>(
    sources: &'s Sources,
    path: &'s Utf8Path,
) -> impl Iterator<Item = UnitId> + 's {
    let mounts = sources.mounts.iter();
    let embedding = mounts.filter(move |mount| {
        let file = &sources.files[mount.file];
        let mut tests = file.now.iter().flat_map(|items| &items.doctests);
        tests.any(|test| file.embedded(test).is_some_and(|embedded| embedded == path))
    });
    embedding.map(|mount| mount.unit)
}

/// For each unit, whether its code requests its package's folder without a path below it.
fn rooted(sources: &Sources, nodes: &Nodes, count: usize) -> Vec<bool> {
    let mut rooted = vec![false; count];
    for id in &nodes.reading {
        let mut reads = nodes.item(sources, *id).references.reads.iter();
        if reads.any(|path| path == OWN_FOLDER) {
            rooted[nodes.nodes[*id as usize].unit as usize] = true;
        }
    }
    rooted
}

/// Per unit, whether it links code that walks through folders.
fn walking(crates: &CrateGraph, nodes: &Nodes) -> Vec<bool> {
    let mut walks = vec![false; crates.units.len()];
    for node in &nodes.nodes {
        walks[node.unit as usize] |= node.flags & flag::WALKS != 0;
    }
    let links = crates.links.iter();
    links
        .map(|links| links.iter().any(|unit| walks[*unit]))
        .collect()
}

/// The tests that may read a file by a path composed at run time.
struct Readers {
    /// For each unit, whether a test that links it may.
    units: Vec<bool>,
}

impl Readers {
    /// Tests of packages whose code contains paths that leave the package; with `inside`, also those of the file's own package and of packages
    /// that link it, which are otherwise selected whole. Any test, for a file of no package.
    fn of(
        crates: &CrateGraph,
        sources: &Sources,
        nodes: &Nodes,
        file: &Utf8Path,
        inside: bool,
    ) -> Self {
        let mut escapes = vec![false; crates.units.len()];
        for node in &nodes.nodes {
            escapes[node.unit as usize] |= node.flags & flag::ESCAPES != 0;
        }
        let variables = path_variables(&crates.root);
        if !variables.is_empty() {
            for id in &nodes.reading {
                let mut paths = nodes.item(sources, *id).references.reads.iter();
                let unit = nodes.nodes[*id as usize].unit as usize;
                escapes[unit] |= paths.any(|path| variables.contains(path));
            }
        }
        let owns: Vec<bool> = crates
            .folders
            .iter()
            .map(|folder| file.starts_with(folder))
            .collect();
        let is_owned = owns.contains(&true);
        let mut units = vec![false; crates.units.len()];
        for (unit, links) in crates.units.iter().zip(&crates.links) {
            if !unit.test && !unit.doctest {
                continue;
            }
            let near = || links.iter().any(|unit| owns[crates.units[*unit].package]);
            let far = || links.iter().any(|unit| escapes[*unit]);
            if !is_owned || inside && near() || far() {
                for unit in links {
                    units[*unit] = true;
                }
            }
        }
        Self { units }
    }
}

/// The environment variables to which cargo's configuration gives a path.
fn path_variables(root: &Utf8Path) -> FxHashSet<String> {
    let paths = ["config.toml", "config"].map(|name| root.join(".cargo").join(name));
    let text = paths
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok());
    let document = text.and_then(|text| text.parse::<toml_edit::DocumentMut>().ok());
    let Some(document) = document else {
        return FxHashSet::default();
    };
    let table = document.get("env").and_then(|table| table.as_table_like());
    let entries = table.into_iter().flat_map(|table| table.iter());
    let holds_path = |entry: &toml_edit::Item| {
        let inside = |key: &str| entry.as_table_like().and_then(|table| table.get(key));
        let is_relative = inside("relative").and_then(toml_edit::Item::as_bool) == Some(true);
        let value = inside("value").unwrap_or(entry).as_str();
        is_relative
            || value.is_some_and(|value| value.contains(['/', '.']) || root.join(value).exists())
    };
    let named = entries.filter(|(_, entry)| holds_path(entry));
    named.map(|(name, _)| name.to_owned()).collect()
}

/// The items that may run git or read its files, and those that run cargo or a script, which may run git.
fn using_git(sources: &Sources, nodes: &Nodes) -> Vec<NodeId> {
    let flags = |id: &NodeId| nodes.nodes[*id as usize].flags;
    let runs_cargo = (0..to_u32(nodes.nodes.len())).filter(|id| flags(id) & flag::RUNS_CARGO != 0);
    let names_git = nodes.reading.iter().copied().filter(|id| {
        let mut reads = nodes.item(sources, *id).references.reads.iter();
        reads.any(|path| path == GIT || path == GIT_COMMAND && flags(id) & flag::SPAWNS != 0)
    });
    runs_cargo.chain(names_git).collect()
}

/// The items of members that name a crate which the member has gained.
fn naming_gained(
    crates: &CrateGraph,
    sources: &Sources,
    nodes: &Nodes,
    changed: &Changed,
) -> Vec<NodeId> {
    let gained: Vec<_> = changed
        .gained
        .iter()
        .filter_map(|(package, name)| Some((*package, nodes.names.get(name)?)))
        .collect();
    if gained.is_empty() {
        return Vec::new();
    }
    let names_it = |id: &NodeId| {
        let node = &nodes.nodes[*id as usize];
        let package = crates.units[node.unit as usize].package;
        let own = gained.iter().filter(|(of, _)| *of == package);
        let own: Vec<Name> = own.map(|(_, name)| *name).collect();
        let mut all = nodes.all_names_in(sources, *id);
        !own.is_empty() && all.any(|name| own.contains(&name))
    };
    (0..to_u32(nodes.nodes.len())).filter(names_it).collect()
}
