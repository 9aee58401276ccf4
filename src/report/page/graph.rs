//! The graph of a PoC's affected packages, in columns from changed packages to their dependents.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use cargo_metadata::DependencyKind;
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::chart::rounded;
use crate::status::{Assessment, FileAction, FileState};
use crate::workspace::{PackageId, Workspace};

/// The maximum number of drawn packages; more would be unreadable.
const DRAWN: usize = 40;
/// Height of a box.
const BOX: f64 = 28.0;
/// Vertical distance between boxes.
const PITCH: f64 = 42.0;
/// Horizontal distance between columns.
const GAP: f64 = 56.0;
/// Maximum width of a 13 px letter in the fonts of the page.
const LETTER: f64 = 8.0;

/// The drawing, and its content as text.
#[derive(Debug, Serialize)]
pub(super) struct Graph {
    width: f64,
    height: f64,
    boxes: Vec<Drawn>,
    lines: Vec<Line>,
    /// The number of affected packages that are not drawn.
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

/// A line from a package to a dependent.
#[derive(Debug, Serialize)]
struct Line {
    path: String,
    dev: bool,
}

/// The packages with changed or planned files, and the packages whose tests can link them; `None` if there are none.
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

/// The members with a planned or changed file.
fn changed(workspace: &Workspace, status: &Assessment) -> BTreeSet<PackageId> {
    let counts = |action: FileAction, state: Option<FileState>| {
        action != FileAction::None || state == Some(FileState::Unplanned)
    };
    let files = status
        .files
        .iter()
        .filter(|file| counts(file.action, file.state));
    let owner = |path: &str| {
        // The files that a glob matches are below its literal folders.
        let literal = path.split(['*', '?', '{', '[']).next().unwrap_or_default();
        workspace.owner(&workspace.root.join(Utf8Path::new(literal)))
    };
    files.filter_map(|file| owner(&file.path)).collect()
}

/// Pairs of a package and its dependency; `true` for dev-dependencies.
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

/// Whether another path connects the two packages, so that the direct line is redundant.
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

/// The columns of packages: the column is the length of the longest path from a package without dependencies. Within a
/// column, packages are near their dependencies.
fn columns(shown: &BTreeSet<PackageId>, edges: &Edges) -> Vec<Vec<PackageId>> {
    let mut column: BTreeMap<PackageId, usize> =
        shown.iter().map(|package| (*package, 0)).collect();
    let carries = |from: PackageId, dev: bool| {
        // Dev-dependencies may form cycles; they count only for packages without other edges.
        !dev || !edges
            .range((from, 0)..=(from, PackageId::MAX))
            .any(|(_, dev)| !dev)
    };
    // The longest path contains no package twice.
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

/// Converts a small number.
fn units(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

/// A curve from the right side of a box to the left side of another. If the other is not in a later column, the curve goes
/// around.
fn curve(from: &Drawn, to: &Drawn) -> String {
    let (x1, y1) = (from.x + from.width, from.y + from.height / 2.0);
    let (x2, y2) = (to.x, to.y + to.height / 2.0);
    let bend = if x2 > x1 { (x2 - x1) / 2.0 } else { GAP / 2.0 };
    let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(rounded);
    let (out, back) = (rounded(x1 + bend), rounded(x2 - bend));
    format!("M{x1} {y1}C{out} {y1} {back} {y2} {x2} {y2}")
}
