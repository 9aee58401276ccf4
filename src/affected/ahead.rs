//! The item graph that the last run needed, built anew while cargo is asked.
//!
//! A run mostly asks about the same targets as the one before, and compares with the same base. So both are kept, and the
//! graph is built from them beside cargo. It is used only where what cargo and git answer comes to the very same input.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use super::items::{Affected, Cache, Changed, Graph, Layout};
use crate::cache::{self, Key};
use crate::change::Change;
use crate::sys::cargo;
use crate::sys::git::Repository;
use crate::workspace::Workspace;

/// Counts up whenever [`Expected`] is written in another way.
const FORMAT: &str = concat!("cargo-poc layout 2 ", env!("CARGO_PKG_VERSION"), "\n");

/// What a run is expected to ask for: the id of the commit to compare with, and the targets.
type Expected = (String, Layout);

/// A graph in the making, if one is.
#[derive(Debug, Default)]
pub struct Ahead {
    building: Mutex<Option<Building>>,
    /// Whether the next run is to begin with what this one needs.
    kept: bool,
}

#[derive(Debug)]
struct Building {
    /// What the graph is built from.
    input: Receiver<(Arc<Layout>, Changed)>,
    built: JoinHandle<Option<Built>>,
}

/// A graph that was built ahead.
#[derive(Debug)]
pub struct Built {
    /// The graph.
    pub graph: Graph,
    /// The cache that its sources were read through.
    pub cache: Cache,
    /// What the change selects in it.
    pub affected: Affected,
}

impl Ahead {
    /// Begins to build what the last run in the workspace around `folder` needed, in a thread of its own; `repository` tells
    /// what changed, once that is known.
    pub fn start(
        folder: Utf8PathBuf,
        repository: impl FnOnce() -> Option<Repository> + Send + 'static,
    ) -> Self {
        let (sender, input) = channel();
        let built = std::thread::spawn(move || {
            let (target, (base, layout)) = expected(&folder)?;
            let repository = repository()?;
            // Whatever fails here is done again by whoever needs it, and reported there.
            let change = Change::since_commit(&repository, base).ok()?;
            let files = change.files.iter();
            let (sources, others): (Vec<_>, Vec<_>) =
                files.partition(|file| file.path.extension() == Some("rs"));
            let texts = change.texts_before(&sources).ok()?;
            let paths = sources.iter().map(|file| file.path.clone());
            let changed = Changed {
                rust: paths.zip(texts).collect(),
                others: others.iter().map(|file| file.path.clone()).collect(),
                ..Changed::default()
            };
            let layout = Arc::new(layout);
            sender.send((Arc::clone(&layout), changed.clone())).ok()?;
            let cache = Cache::open(&target, Some(&repository));
            let graph = Graph::build(layout, &changed, &cache);
            let affected = graph.select(&changed);
            Some(Built {
                graph,
                cache,
                affected,
            })
        });
        Self {
            building: Mutex::new(Some(Building { input, built })),
            kept: true,
        }
    }

    /// The graph of this layout and change; none where none was begun, or of something else.
    pub fn take(&self, layout: &Layout, changed: &Changed) -> Option<Built> {
        let building = self
            .building
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()?;
        let (expected, change) = building.input.recv().ok()?;
        if *expected != *layout
            || change.rust != changed.rust
            || !change.others.is_superset(&changed.others)
        {
            return None;
        }
        let mut built = building.built.join().ok()??;
        if change != *changed {
            // Not all that was expected to be judged by items is.
            built.affected = built.graph.select(changed);
        }
        Some(built)
    }

    /// Keeps what this run asked for, as what the next one is expected to; only where this one began with such an
    /// expectation.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, workspace: &Workspace, change: &Change, layout: &Layout) -> Result<()> {
        let Some(base) = change.base.as_ref().filter(|_| self.kept) else {
            return Ok(());
        };
        let kept = kept(&workspace.target_directory);
        kept.put(Key::default(), &(base, layout));
        kept.save(1)
    }
}

/// What the last run in the workspace around `folder` asked for, and where that workspace is built.
fn expected(folder: &Utf8Path) -> Option<(Utf8PathBuf, Expected)> {
    let mut targets = cargo::target_folders(folder).into_iter();
    targets.find_map(|target| {
        let expected = kept(&target).get(&Key::default())?;
        Some((target, expected))
    })
}

fn kept(target: &Utf8Path) -> cache::Cache {
    cache::Cache::open(target.join("cargo-poc").join("layout"), FORMAT)
}
