//! The modules of `src` depend on each other in one direction.
//!
//! Reads every path in every file with rustc's lexer: the trees of `use` items, and in code `crate::…`, `super::…`,
//! `self::…` and paths that begin with a child module. Code under `#[cfg(test)]` counts as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use ra_ap_rustc_lexer::{FrontmatterAllowed, TokenKind, tokenize};

/// A module by its path from the crate root, which is empty.
type Module = Vec<String>;
/// The modules that each module names, with the path that names it.
type Graph = BTreeMap<Module, BTreeMap<Module, String>>;

fn source_files(folder: &Utf8Path, found: &mut Vec<Utf8PathBuf>) {
    for entry in folder.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        if path.is_dir() {
            source_files(&path, found);
        } else if path.extension() == Some("rs") {
            found.push(path);
        }
    }
}

/// The words and punctuation of a source file, without comments and blanks.
fn tokens(text: &str) -> Vec<&str> {
    let mut at = 0;
    let mut words = Vec::new();
    for token in tokenize(text, FrontmatterAllowed::No) {
        let word = &text[at..at + token.len as usize];
        at += token.len as usize;
        match token.kind {
            TokenKind::Whitespace
            | TokenKind::LineComment { .. }
            | TokenKind::BlockComment { .. } => {}
            TokenKind::Colon if words.last() == Some(&":") => {
                words.pop();
                words.push("::");
            }
            _ => words.push(word),
        }
    }
    words
}

fn is_name(word: &str) -> bool {
    word.starts_with(|letter: char| letter == '_' || letter.is_alphabetic())
}

/// Reads the tree of a `use` item from `at`; returns where it ends.
fn use_tree(
    words: &[&str],
    mut at: usize,
    prefix: &[String],
    paths: &mut Vec<Vec<String>>,
) -> usize {
    let mut path = prefix.to_vec();
    loop {
        match words.get(at) {
            Some(&"{") => {
                at += 1;
                while words.get(at).is_some_and(|word| *word != "}") {
                    at = use_tree(words, at, &path, paths);
                    if words.get(at) == Some(&",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            Some(&"as") => at += 2,
            Some(&("*" | "::")) => at += 1,
            Some(word) if is_name(word) => {
                // `a::{self}` names `a`.
                if *word != "self" || path.is_empty() {
                    path.push((*word).to_owned());
                }
                at += 1;
            }
            _ => {
                paths.push(path);
                return at;
            }
        }
    }
}

/// Every path of a file: of its `use` items, and in its code those that begin with `crate`, `super`, `self` or one of its
/// `children`.
fn paths(words: &[&str], children: &BTreeSet<&str>) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let follows_path = at > 0 && words[at - 1] == "::";
        match words[at] {
            "use" => at = use_tree(words, at + 1, &[], &mut paths),
            word if !follows_path
                && words.get(at + 1) == Some(&"::")
                && (matches!(word, "crate" | "super" | "self") || children.contains(word)) =>
            {
                let mut path = vec![words[at].to_owned()];
                at += 1;
                while words.get(at) == Some(&"::")
                    && words.get(at + 1).is_some_and(|word| is_name(word))
                {
                    path.push(words[at + 1].to_owned());
                    at += 2;
                }
                paths.push(path);
            }
            _ => at += 1,
        }
    }
    paths
}

/// The module that `path`, found in `module`, is in; `None` for another crate's, and for the module itself.
fn target(module: &Module, path: &[String], modules: &BTreeSet<Module>) -> Option<Module> {
    let mut from = match path.first()?.as_str() {
        "crate" => Module::new(),
        "super" | "self" => module.clone(),
        child => {
            let mut inner = module.clone();
            inner.push(child.to_owned());
            modules.contains(&inner).then(|| module.clone())?
        }
    };
    for part in path {
        match part.as_str() {
            "crate" | "self" => {}
            "super" => {
                from.pop();
            }
            name => {
                let mut inner = from.clone();
                inner.push(name.to_owned());
                if !modules.contains(&inner) {
                    break;
                }
                from = inner;
            }
        }
    }
    (from != *module && !from.is_empty()).then_some(from)
}

/// Which files name which; inline modules belong to their file.
fn file_graph() -> Graph {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    source_files(&root, &mut files);
    let of_file = |path: &Utf8PathBuf| {
        let relative = path.strip_prefix(&root).unwrap().with_extension("");
        let parts = relative.components().map(|part| part.as_str().to_owned());
        let mut module: Module = parts.collect();
        if module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        (module, path.clone())
    };
    let mut files: BTreeMap<Module, Utf8PathBuf> = files.iter().map(of_file).collect();
    // What the crate root and the binary name is above every module.
    for root in ["lib", "main"] {
        assert!(files.remove(&vec![root.to_owned()]).is_some());
    }
    let modules: BTreeSet<Module> = files.keys().cloned().collect();
    let mut graph = Graph::new();
    for (module, path) in &files {
        let text = fs::read_to_string(path).unwrap();
        let named = graph.entry(module.clone()).or_default();
        let mut words = tokens(&text);
        flatten_inline_modules(&mut words);
        let is_child = |other: &&Module| {
            other
                .split_last()
                .is_some_and(|(_, parent)| parent == module)
        };
        let children = modules
            .iter()
            .filter(is_child)
            .filter_map(|child| child.last());
        let children = children.map(String::as_str).collect();
        for path in paths(&words, &children) {
            if let Some(target) = target(module, &path, &modules) {
                named.entry(target).or_insert_with(|| path.join("::"));
            }
        }
    }
    graph
}

/// Within an inline `mod name { … }`, `super` leads to the file's own module: there it becomes `self`.
fn flatten_inline_modules(words: &mut [&str]) {
    // The braces that are open, and whether each is that of an inline module.
    let mut open: Vec<bool> = Vec::new();
    for at in 0..words.len() {
        match words[at] {
            "{" => open.push(at >= 2 && words[at - 2] == "mod"),
            "}" => {
                open.pop();
            }
            "super" if at == 0 || words[at - 1] != "::" => {
                let depth = open.iter().filter(|inline| **inline).count();
                let path = words[at..].iter_mut().step_by(2);
                let supers = path.take_while(|word| **word == "super").take(depth);
                supers.for_each(|word| *word = "self");
            }
            _ => {}
        }
    }
}

/// The shortest cycle through `start`, if there is one.
fn cycle(graph: &Graph, start: &Module) -> Option<Vec<Module>> {
    let mut came_from: BTreeMap<&Module, &Module> = BTreeMap::new();
    let mut waiting = std::collections::VecDeque::from([start]);
    while let Some(module) = waiting.pop_front() {
        for next in graph.get(module).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let mut path = vec![start.clone(), module.clone()];
                let mut at = module;
                while at != start {
                    at = came_from[at];
                    path.push(at.clone());
                }
                path.reverse();
                return Some(path);
            }
            if !came_from.contains_key(next) {
                came_from.insert(next, module);
                waiting.push_back(next);
            }
        }
    }
    None
}

#[track_caller]
fn assert_has_no_cycle(graph: &Graph) {
    let mut report = String::new();
    let mut reported: BTreeSet<Module> = BTreeSet::new();
    for module in graph.keys() {
        if reported.contains(module) {
            continue;
        }
        let Some(path) = cycle(graph, module) else {
            continue;
        };
        writeln!(report, "cycle:").unwrap();
        for pair in path.windows(2) {
            let by = &graph[&pair[0]][&pair[1]];
            let (from, to) = (pair[0].join("/"), pair[1].join("/"));
            writeln!(report, "  {from} names {to} ({by})").unwrap();
        }
        reported.extend(path);
    }
    assert!(report.is_empty(), "{report}");
}

#[test]
fn files_depend_on_each_other_without_cycles() {
    let graph = file_graph();
    assert!(graph.len() > 100, "only {} files were read", graph.len());
    assert_has_no_cycle(&graph);
}

/// Which top-level modules name which.
fn top_level_graph() -> Graph {
    let mut top = Graph::new();
    for (module, named) in file_graph() {
        let from = vec![module[0].clone()];
        let entry = top.entry(from.clone()).or_default();
        for (target, path) in named {
            let to = vec![target[0].clone()];
            if to != from {
                let by = format!("{path} in {}", module.join("/"));
                entry.entry(to).or_insert(by);
            }
        }
    }
    top
}

#[test]
fn top_level_modules_depend_on_each_other_without_cycles() {
    assert_has_no_cycle(&top_level_graph());
}

#[test]
fn the_architecture_lists_each_module_below_those_it_uses() {
    let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let first_cells = rows.filter_map(|row| row.split(" |").next());
    let listed: Vec<&str> = first_cells
        .flat_map(|cell| cell.split(|letter: char| !letter.is_alphanumeric() && letter != '_'))
        .filter(|name| !name.is_empty())
        .collect();
    let graph = top_level_graph();
    let modules: BTreeSet<&str> = graph.keys().map(|module| module[0].as_str()).collect();
    assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), modules);
    let place = |module: &Module| listed.iter().position(|name| *name == module[0]);
    for (module, named) in &graph {
        for (used, by) in named {
            assert!(
                place(used) < place(module),
                "{} uses {} ({by})",
                module[0],
                used[0]
            );
        }
    }
}

#[test]
fn a_cycle_is_found_and_named() {
    let edge = |to: &str| (vec![to.to_owned()], format!("crate::{to}"));
    let node = |from: &str, to: &[&str]| {
        let named = to.iter().map(|to| edge(to)).collect();
        (vec![from.to_owned()], named)
    };
    let graph: Graph = [node("a", &["b"]), node("b", &["c"]), node("c", &["b"])].into();
    assert_eq!(cycle(&graph, &vec!["a".to_owned()]), None);
    let found = cycle(&graph, &vec!["b".to_owned()]).unwrap();
    assert_eq!(
        found
            .iter()
            .map(|module| module.join("/"))
            .collect::<Vec<_>>(),
        ["b", "c", "b"]
    );

    let words = tokens(
        "use super::{a::{self, B as C}, d}; // use x;\nfn f() { crate::e::f(); \"crate::g\"; self.h; i::j(); k::i::l() }",
    );
    let found: Vec<String> = paths(&words, &BTreeSet::from(["i"]))
        .iter()
        .map(|path| path.join("::"))
        .collect();
    assert_eq!(
        found,
        ["super::a", "super::a::B", "super::d", "crate::e::f", "i::j"]
    );
}
