//! Finds the items that may read a file.

use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashMap;

use super::crate_graph::CrateGraph;
use super::file_reads::OWN_FILE;
use super::nodes::{NodeId, Nodes};
use super::sources::Sources;
use crate::workspace::source::modules::normal;

/// The items that may read each file and folder.
#[derive(Debug, Default)]
pub struct PathIndex(FxHashMap<Utf8PathBuf, Vec<NodeId>>);

impl PathIndex {
    /// The paths of all items that `wanted` accepts.
    #[must_use]
    pub fn new(
        crates: &CrateGraph,
        sources: &Sources,
        nodes: &Nodes,
        wanted: &dyn Fn(&Utf8Path) -> bool,
    ) -> Self {
        let mut readers: FxHashMap<Utf8PathBuf, Vec<NodeId>> = FxHashMap::default();
        for id in &nodes.reading {
            let node = &nodes.nodes[*id as usize];
            let file = &sources.files[node.file as usize].path;
            let package = &crates.folders[crates.units[node.unit as usize].package];
            let beside = file.parent().unwrap_or(package);
            let written = nodes.item(sources, *id).references.reads.iter();
            let is_own = |written: &String| written == OWN_FILE;
            for written in written.filter(|path| is_own(path) || wanted(Utf8Path::new(path))) {
                if is_own(written) {
                    readers.entry(file.clone()).or_default().push(*id);
                    continue;
                }
                for from in [package, crates.root.as_path(), beside] {
                    readers
                        .entry(normal(&from.join(written)))
                        .or_default()
                        .push(*id);
                }
            }
        }
        Self(readers)
    }

    /// Whether an item names the file itself.
    pub(super) fn names(&self, file: &Utf8Path) -> bool {
        self.0.contains_key(file)
    }

    /// The items that name a file of this name, with its extension or without, in whatever folder.
    pub(super) fn of_name<'r>(&'r self, name: &'r str) -> impl Iterator<Item = NodeId> + 'r {
        let stem = name.split('.').next();
        let named = self.0.iter();
        let named = named.filter(move |(path, _)| {
            let written = path.file_name();
            written == Some(name) || written == stem
        });
        named.flat_map(|(_, nodes)| nodes).copied()
    }

    /// The items that may read a file, given by its absolute path.
    pub fn of<'r>(&'r self, file: &'r Utf8Path) -> impl Iterator<Item = NodeId> + 'r {
        let holding = file.ancestors().filter_map(|path| self.0.get(path));
        holding.flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::extract::read;
    use super::super::file_reads::{ANYTHING, OWN_FOLDER};

    fn reads(code: &str) -> Vec<String> {
        let items = read(code);
        items
            .items
            .iter()
            .flat_map(|item| item.references.reads.clone())
            .collect()
    }

    #[test]
    fn paths_are_recognized() {
        let code = |text: &str| format!("fn f() {{ use_it(\"{text}\"); }}");
        assert_eq!(reads(&code("src/lib.rs")), ["src/lib.rs"]);
        assert_eq!(reads(&code("{}/src/lib.rs")), ["src/lib.rs"]);
        assert_eq!(reads(&code("src/**/*.rs")), ["src/"]);
        assert_eq!(reads(&code("../other/")), ["../other/"]);
        assert!(reads("fn f(a: &str) { a.contains(\"./src\"); }").is_empty());
        for text in ["two words", "src", "", "/", "a: b/c", "https://host/path?"] {
            assert!(reads(&code(text)).is_empty(), "{text}");
        }
    }

    #[test]
    fn word_is_a_path_if_the_item_uses_paths() {
        let code =
            "fn f() { let a = root().join(\"src\").join(\"odd\"); let b = Path::new(\"tests\"); }";
        assert_eq!(reads(code), ["src/odd", "tests"]);
        assert!(reads("fn f() { name(\"src\") }").is_empty());
    }

    #[test]
    fn walking_the_package_reads_everything() {
        let walk = "fn f() { for e in WalkDir::new(env!(\"CARGO_MANIFEST_DIR\")) {} }";
        assert_eq!(reads(walk), [ANYTHING, OWN_FOLDER]);
        let rust = "fn f(p: &Path) { for e in fs::read_dir(p) { e.extension() == \"rs\" } }";
        assert_eq!(reads(rust), [ANYTHING]);
        let above = "fn f() { read_dir(\"..\") }";
        assert_eq!(reads(above), [ANYTHING]);
        let wildcard = "fn f() { visit(\"**/*.rs\") }";
        assert_eq!(reads(wildcard), [ANYTHING]);
        assert!(reads("fn f(glob: &str) { glob == \"*\" }").is_empty());
        let data = "fn f() { read_dir(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/tests/data\")) }";
        assert_eq!(reads(data), ["tests/data"]);
        let asked = "fn f() { Path::new(env!(\"CARGO_MANIFEST_DIR\")) }";
        assert_eq!(reads(asked), [OWN_FOLDER]);
    }

    #[test]
    fn embedded_files_are_read() {
        assert_eq!(
            reads("const A: &str = include_str!(\"a file.rs\");"),
            ["./a file.rs"]
        );
        assert!(reads("include!(\"part.rs\");").is_empty());
    }
}
