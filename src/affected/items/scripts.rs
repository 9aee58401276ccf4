//! Scripts of the workspace that code starts. A script may run cargo and read any file, unless its text shows that it does not.

use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashMap;

use super::crate_graph::CrateGraph;
use super::extract::flag;
use super::file_reads::{GIT_FILES, SCRIPT, is_script};
use super::nodes::{NodeId, Nodes};
use super::sources::Sources;

/// Marks the items that start a script which may read any file, as if they ran cargo.
pub(super) fn add_effects(crates: &CrateGraph, sources: &Sources, nodes: &mut Nodes) {
    let mut known = Known::default();
    let starting = nodes.reading.iter().copied().filter(|id| {
        let flags = nodes.nodes[*id as usize].flags;
        flags & flag::SPAWNS != 0 && flags & flag::RUNS_CARGO == 0
    });
    let marked: Vec<NodeId> = starting
        .filter(|id| starts_free_script(crates, sources, nodes, *id, &mut known))
        .collect();
    for id in marked {
        nodes.nodes[id as usize].flags |= flag::RUNS_CARGO;
    }
}

/// Whether an item may start a script, or a command of git, that may read any file. A script that cannot be found may, and so may one
/// without a name.
fn starts_free_script(
    crates: &CrateGraph,
    sources: &Sources,
    nodes: &Nodes,
    id: NodeId,
    known: &mut Known,
) -> bool {
    let node = &nodes.nodes[id as usize];
    let reads = &nodes.item(sources, id).references.reads;
    let file = &sources.files[node.file as usize].path;
    let package = &crates.folders[crates.units[node.unit as usize].package];
    let beside = file.parent().unwrap_or(package);
    let folders = [package, crates.root.as_path(), beside];
    let mut found = |path: &str| {
        let mut scripts = folders.iter().map(|folder| known.read(folder.join(path)));
        scripts.find(|script| *script != Script::None)
    };
    let mut named = false;
    for path in reads {
        let script = found(path);
        named |= is_script(path) || script.is_some();
        if script == Some(Script::Free) || script.is_none() && is_script(path) {
            return true;
        }
    }
    let lists_files = reads.iter().any(|path| path == GIT_FILES);
    lists_files || !named && reads.iter().any(|path| path == SCRIPT)
}

/// The script at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    /// There is no file, or it is no script.
    None,
    /// It only reads files that its text names.
    Confined,
    /// It may read any file.
    Free,
}

/// The scripts by path.
#[derive(Default)]
struct Known(FxHashMap<Utf8PathBuf, Script>);

impl Known {
    fn read(&mut self, path: Utf8PathBuf) -> Script {
        let script = |path: &Utf8PathBuf| {
            let text = path.is_file().then(|| std::fs::read(path).ok()).flatten();
            let text = text.and_then(|text| String::from_utf8(text).ok());
            text.map_or(Script::None, |text| of_text(path, &text))
        };
        *self.0.entry(path).or_insert_with_key(script)
    }
}

fn of_text(path: &Utf8Path, text: &str) -> Script {
    let interpreter = text.strip_prefix("#!");
    if interpreter.is_none() && !is_script(path.as_str()) {
        return Script::None;
    }
    let first = interpreter.and_then(|text| text.lines().next());
    let is_shell = match first {
        Some(line) => line.trim_end().ends_with("sh"),
        None => matches!(path.extension(), Some("sh" | "bash" | "zsh")),
    };
    if is_shell && is_confined(text) {
        Script::Confined
    } else {
        Script::Free
    }
}

/// Commands of a shell that use only the files which their arguments name.
const PLAIN: [&str; 17] = [
    "[", "cat", "cp", "echo", "exit", "false", "head", "mkdir", "mv", "printf", "rm", "set",
    "sleep", "tail", "test", "true", "wc",
];

/// Whether a script of a shell only has plain commands, and composes no text.
fn is_confined(text: &str) -> bool {
    let composes = |c: char| "$`*?~(){}".contains(c);
    let lines = text.lines().map(str::trim);
    let mut commands = lines
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.split(['|', ';', '&']))
        .map(str::trim)
        .filter(|command| !command.is_empty());
    commands.all(|command| {
        let first = command.split_whitespace().next().unwrap_or_default();
        PLAIN.contains(&first) && !command.contains(composes) && !command.contains("..")
    })
}
