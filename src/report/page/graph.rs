//! The packages that a PoC affects, in columns from those it changes to those that depend on them.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use cargo_metadata::DependencyKind;
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::chart::rounded;
use crate::status::{Assessment, FileAction, FileState};
use crate::workspace::{PackageId, Workspace};

/// Packages that are drawn; more would be a hairball.
const DRAWN: usize = 40;
/// Height of a box.
const BOX: f64 = 28.0;
/// From one box to the one below.
const PITCH: f64 = 42.0;
/// Between columns, for the lines.
const GAP: f64 = 56.0;
/// Width of a letter of 13 px, at most, in the fonts that the page asks for.
const LETTER: f64 = 8.0;

/// A drawing, and the same in words.
#[derive(Debug, Serialize)]
pub(super) struct Graph {
    width: f64,
    height: f64,
    boxes: Vec<Drawn>,
    lines: Vec<Line>,
    /// Packages that are affected and not drawn.
    more: usize,
}

/// A package.
#[derive(Debug, Serialize)]
struct Drawn {
    name: String,
    changed: bool,
    /// The affected packages that it depends on.
    through: Vec<String>,
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    text_y: f64,
}

/// From a package to one that depends on it.
#[derive(Debug, Serialize)]
struct Line {
    path: String,
    dev: bool,
}

/// The packages whose files are changed or planned, and those whose tests can link them. `None` where there are none.
pub(super) fn drawn(workspace: &Workspace, status: &Assessment) -> Option<Graph> {
    let changed = changed(workspace, status);
    let chains = workspace.chains(&changed);
    let all = chains.len();
    let mut nearest: Vec<(usize, PackageId)> = chains
        .iter()
        .map(|(package, chain)| (chain.len(), *package))
        .collect();
    nearest.sort_unstable();
    let shown: BTreeSet<PackageId> = nearest
        .into_iter()
        .take(DRAWN)
        .map(|(_, package)| package)
        .collect();
    if shown.is_empty() {
        return None;
    }
    let edges = edges(workspace, &shown);
    let columns = columns(&shown, &edges);
    let boxes = placed(workspace, &columns, &changed, &edges);
    let at = |package: PackageId| {
        let place = columns.iter().flatten().position(|one| *one == package);
        place.map(|place| &boxes[place])
    };
    let lines = edges
        .iter()
        .filter(|(pair, dev)| **dev || !implied(**pair, &edges));
    let lines = lines.filter_map(|((from, to), dev)| {
        Some(Line {
            path: curve(at(*to)?, at(*from)?),
            dev: *dev,
        })
    });
    let lines = lines.collect();
    let right = boxes
        .iter()
        .map(|one| one.x + one.width)
        .fold(0.0, f64::max);
    let bottom = boxes
        .iter()
        .map(|one| one.y + one.height)
        .fold(0.0, f64::max);
    Some(Graph {
        width: rounded(right + 2.0),
        height: rounded(bottom + 2.0),
        more: all - shown.len(),
        lines,
        boxes,
    })
}

/// The members with a file that is planned or changed.
fn changed(workspace: &Workspace, status: &Assessment) -> BTreeSet<PackageId> {
    let counts = |action: FileAction, state: Option<FileState>| {
        action != FileAction::None || state == Some(FileState::Unplanned)
    };
    let files = status
        .files
        .iter()
        .filter(|file| counts(file.action, file.state));
    let owner = |path: &str| {
        // What a glob can match lies below the folders before it.
        let literal = path.split(['*', '?', '{', '[']).next().unwrap_or_default();
        workspace.owner(&workspace.root.join(Utf8Path::new(literal)))
    };
    files.filter_map(|file| owner(&file.path)).collect()
}

/// Pairs of a package and one it depends on, with whether only its tests do.
type Edges = BTreeMap<(PackageId, PackageId), bool>;

fn edges(workspace: &Workspace, shown: &BTreeSet<PackageId>) -> Edges {
    let mut edges = Edges::new();
    for edge in workspace.edges() {
        if edge.from != edge.to && shown.contains(&edge.from) && shown.contains(&edge.to) {
            let dev = edge.kind == DependencyKind::Development;
            *edges.entry((edge.from, edge.to)).or_insert(dev) &= dev;
        }
    }
    edges
}

/// Whether another way leads from one package to the other, so that its own line would only be in the way.
fn implied((from, to): (PackageId, PackageId), edges: &Edges) -> bool {
    let next = |package: PackageId| {
        let own = edges.range((package, 0)..=(package, PackageId::MAX));
        own.filter(|(_, dev)| !**dev).map(|((_, to), _)| *to)
    };
    let mut seen = BTreeSet::new();
    let mut open: Vec<PackageId> = next(from).filter(|one| *one != to).collect();
    while let Some(package) = open.pop() {
        if package == to {
            return true;
        }
        if seen.insert(package) {
            open.extend(next(package));
        }
    }
    false
}

/// The packages by how far they are from those that depend on none of them, the longest way counting; within a column
/// near to what they depend on.
fn columns(shown: &BTreeSet<PackageId>, edges: &Edges) -> Vec<Vec<PackageId>> {
    let mut column: BTreeMap<PackageId, usize> =
        shown.iter().map(|package| (*package, 0)).collect();
    let carries = |from: PackageId, dev: bool| {
        // Dev-dependencies may go in circles; they place only a package that nothing else does.
        !dev || !edges
            .range((from, 0)..=(from, PackageId::MAX))
            .any(|(_, dev)| !dev)
    };
    // The longest way has no package twice.
    for _ in 0..shown.len() {
        let mut moved = false;
        for ((from, to), dev) in edges {
            let behind = (column[to] + 1).min(shown.len() - 1);
            if carries(*from, *dev) && column[from] < behind {
                column.insert(*from, behind);
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    let mut columns: Vec<Vec<PackageId>> = vec![Vec::new(); shown.len()];
    for (package, place) in column {
        columns[place].push(package);
    }
    columns.retain(|column| !column.is_empty());
    for place in 1..columns.len() {
        let (before, after) = columns.split_at_mut(place);
        let row = |package: PackageId| {
            before
                .iter()
                .find_map(|column| column.iter().position(|one| *one == package))
        };
        after[0].sort_by_cached_key(|package| {
            let own = edges.range((*package, 0)..=(*package, PackageId::MAX));
            let rows: Vec<usize> = own.filter_map(|((_, to), _)| row(*to)).collect();
            (
                rows.iter().sum::<usize>() * 100 / rows.len().max(1),
                *package,
            )
        });
    }
    columns
}

fn placed(
    workspace: &Workspace,
    columns: &[Vec<PackageId>],
    changed: &BTreeSet<PackageId>,
    edges: &Edges,
) -> Vec<Drawn> {
    let name = |package: PackageId| workspace.packages[package].name.to_string();
    let tallest = columns.iter().map(Vec::len).max().unwrap_or_default();
    let mut x = 2.0;
    let mut boxes = Vec::new();
    for column in columns {
        let letters = column.iter().map(|package| name(*package).width()).max();
        let width = units(letters.unwrap_or_default()) * LETTER + 24.0;
        let mut y = 2.0 + units(tallest - column.len()) * PITCH / 2.0;
        for &package in column {
            let own = edges.range((package, 0)..=(package, PackageId::MAX));
            boxes.push(Drawn {
                name: name(package),
                changed: changed.contains(&package),
                through: own.map(|((_, to), _)| name(*to)).collect(),
                x: rounded(x),
                y: rounded(y),
                width: rounded(width),
                height: BOX,
                text_y: rounded(y + BOX / 2.0 + 4.5),
            });
            y += PITCH;
        }
        x += width + GAP;
    }
    boxes
}

/// Widths and rows are small.
fn units(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

/// From the right side of a box to the left side of one in a later column; one in the same column or before it is
/// reached around.
fn curve(from: &Drawn, to: &Drawn) -> String {
    let (x1, y1) = (from.x + from.width, from.y + from.height / 2.0);
    let (x2, y2) = (to.x, to.y + to.height / 2.0);
    let bend = if x2 > x1 { (x2 - x1) / 2.0 } else { GAP / 2.0 };
    let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(rounded);
    let (out, back) = (rounded(x1 + bend), rounded(x2 - bend));
    format!("M{x1} {y1}C{out} {y1} {back} {y2} {x2} {y2}")
}
