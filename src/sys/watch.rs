//! Watches folders. Input: folders. Output: a message when changes have settled, or when the program is asked to stop.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use super::exec::interrupted;

/// The time of silence after which changes have settled: an editor saves in several steps, and several files at once.
const QUIET: Duration = Duration::from_millis(150);
/// The interval for checking Ctrl-C.
const POLL: Duration = Duration::from_millis(50);

/// Watches folders recursively.
pub struct Watcher {
    system: RecommendedWatcher,
    changes: Receiver<notify::Result<notify::Event>>,
    watched: Vec<Utf8PathBuf>,
    apart: Vec<Utf8PathBuf>,
}

impl Watcher {
    /// Watches `roots` except for folders in `apart`, such as the target folder, which use no system watches.
    ///
    /// # Errors
    /// When the system has no watches left, or a folder cannot be read.
    pub fn new(roots: &[Utf8PathBuf], apart: &[Utf8PathBuf]) -> Result<Self> {
        let (sender, changes) = channel();
        let watcher = notify::recommended_watcher(move |event| {
            // The receiver is dropped when the program is about to end.
            let _ = sender.send(event);
        })
        .context("failed to watch files")?;
        let mut watching = Self {
            system: watcher,
            changes,
            watched: Vec::new(),
            apart: apart.to_vec(),
        };
        for root in roots {
            watching.watch(root)?;
        }
        Ok(watching)
    }

    /// Watches a folder that contains an excluded one without recursion, and its other subfolders separately.
    fn watch(&mut self, folder: &Utf8Path) -> Result<()> {
        let is_apart = |folder: &Utf8Path| self.apart.iter().any(|apart| folder == apart);
        if is_apart(folder) || self.watched.iter().any(|known| known == folder) {
            return Ok(());
        }
        let holds = self.apart.iter().any(|apart| apart.starts_with(folder));
        let mode = if holds {
            RecursiveMode::NonRecursive
        } else {
            RecursiveMode::Recursive
        };
        self.system
            .watch(folder.as_std_path(), mode)
            .with_context(|| format!("failed to watch {folder}"))?;
        self.watched.push(folder.to_owned());
        if holds {
            for entry in folder.read_dir_utf8()? {
                let path = entry?.into_path();
                if path.is_dir() {
                    self.watch(&path)?;
                }
            }
        }
        Ok(())
    }

    /// Waits until changes have settled; `false` if this program is asked to end, or `over` returns true.
    ///
    /// # Errors
    /// When watching fails.
    pub fn wait(&mut self, over: &dyn Fn() -> bool) -> Result<bool> {
        let mut changed = false;
        loop {
            if interrupted() || over() {
                return Ok(false);
            }
            match self
                .changes
                .recv_timeout(if changed { QUIET } else { POLL })
            {
                Ok(event) => changed |= self.take(event)?,
                Err(RecvTimeoutError::Timeout) if changed => return Ok(true),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("the system has stopped watching files")
                }
            }
        }
    }

    /// Whether an event means that the content of a file may have changed. Starts watching a new folder.
    fn take(&mut self, event: notify::Result<notify::Event>) -> Result<bool> {
        let event = event.context("failed to watch files")?;
        if event.kind.is_access() {
            return Ok(false);
        }
        let mut concerns_us = event.need_rescan();
        for path in event.paths {
            let Ok(path) = Utf8PathBuf::from_path_buf(path) else {
                continue;
            };
            if self.apart.iter().any(|apart| path.starts_with(apart)) {
                continue;
            }
            concerns_us = true;
            let parent = path.parent();
            let by_itself = self
                .watched
                .iter()
                .any(|known| Some(known.as_path()) == parent)
                && self
                    .apart
                    .iter()
                    .any(|apart| parent.is_some_and(|parent| apart.starts_with(parent)));
            if by_itself && path.is_dir() {
                self.watch(&path)?;
            }
        }
        Ok(concerns_us)
    }
}
