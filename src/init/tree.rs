//! The File Structure: the tree of the touched packages with the planned changes marked.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use super::draft::File;
use super::request::Request;
use crate::project::Project;
use crate::sys::files;
use crate::sys::text::counted;

/// The maximum number of drawn entries per folder.
const SHOWN: usize = 16;

#[derive(Default)]
struct Node {
    folders: BTreeMap<String, Node>,
    files: BTreeMap<String, Option<String>>,
    /// Whether the plan contains a file in the folder, so that it is drawn open.
    planned: bool,
}

/// Draws the folders of the touched packages: planned files and their siblings in full, other folders as a count.
///
/// # Errors
/// When a folder cannot be read.
pub fn draw(project: &Project, request: &Request, planned: &[File]) -> Result<String> {
    let workspace = &project.workspace;
    let mut root = Node::default();
    for &package in &request.packages {
        let folder = workspace.folder(package);
        for path in files::walk(folder)? {
            if workspace.owner(&path) == Some(package) && !workspace.is_built(&path) {
                root.insert(workspace.relative(&path), None);
            }
        }
        root.open(workspace.relative(folder));
        root.open(&workspace.relative(folder).join("src"));
    }
    for file in planned {
        let purpose = file
            .purpose
            .as_deref()
            .map_or(String::new(), |purpose| format!(": {purpose}"));
        let mark = match file.action {
            "Create" => "New",
            "Delete" => "Goes",
            _ => "Changes",
        };
        let path = Utf8PathBuf::from(&file.path);
        root.insert(&path, Some(format!("{mark}{purpose}")));
        root.open(path.parent().unwrap_or(Utf8Path::new("")));
    }
    let mut lines = Vec::new();
    root.draw("", &mut lines);
    let width = lines
        .iter()
        .filter(|(_, note)| note.is_some())
        .map(|(line, _)| line.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = "./".to_owned();
    for (line, note) in lines {
        match note {
            Some(note) => {
                let pad = width.saturating_sub(line.chars().count());
                let _ = write!(text, "\n{line}{} # {note}", " ".repeat(pad));
            }
            None => {
                let _ = write!(text, "\n{line}");
            }
        }
    }
    Ok(text)
}

impl Node {
    fn insert(&mut self, path: &Utf8Path, note: Option<String>) {
        let Some(name) = path.file_name() else {
            return;
        };
        let mut at = self;
        for folder in path.parent().into_iter().flat_map(Utf8Path::components) {
            at = at.folders.entry(folder.as_str().to_owned()).or_default();
        }
        let entry = at.files.entry(name.to_owned()).or_default();
        if note.is_some() {
            *entry = note;
        }
    }

    fn open(&mut self, folder: &Utf8Path) {
        self.planned = true;
        let mut at = self;
        for name in folder.components() {
            let Some(below) = at.folders.get_mut(name.as_str()) else {
                return;
            };
            below.planned = true;
            at = below;
        }
    }

    fn files_below(&self) -> usize {
        self.files.len() + self.folders.values().map(Self::files_below).sum::<usize>()
    }

    fn draw(&self, lead: &str, lines: &mut Vec<(String, Option<String>)>) {
        let plain: Vec<&String> = self
            .files
            .iter()
            .filter(|(_, note)| note.is_none())
            .map(|(name, _)| name)
            .collect();
        let hidden = if plain.len() > SHOWN {
            &plain[SHOWN..]
        } else {
            &[]
        };
        let files = self.files.iter().filter(|(name, _)| !hidden.contains(name));
        let mut entries: Vec<(String, Option<&Node>, Option<String>)> = self
            .folders
            .iter()
            .map(|(name, node)| {
                let note = (!node.planned).then(|| counted(node.files_below(), "file"));
                (format!("{name}/"), node.planned.then_some(node), note)
            })
            .chain(files.map(|(name, note)| (name.clone(), None, note.clone())))
            .collect();
        if !hidden.is_empty() {
            entries.push((format!("… {} more", hidden.len()), None, None));
        }
        let last = entries.len().saturating_sub(1);
        for (index, (name, node, note)) in entries.into_iter().enumerate() {
            let (branch, below) = if index == last {
                ("└── ", "    ")
            } else {
                ("├── ", "│   ")
            };
            lines.push((format!("{lead}{branch}{name}"), note));
            if let Some(node) = node {
                node.draw(&format!("{lead}{below}"), lines);
            }
        }
    }
}
