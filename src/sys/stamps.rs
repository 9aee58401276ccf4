//! Sizes and times of files, to notice changes without reading the files.

use std::time::SystemTime;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use super::files;

/// The size of a file and the time of its last change.
pub type Stamp = (u64, SystemTime);

/// Every file in `folder`, absolute, also hidden and ignored ones, in the folders that `enter` accepts; or `folder` itself if it is a
/// file. `None` if there are more than `most`.
///
/// # Errors
/// When a folder cannot be read; the message contains its path.
pub fn of(
    folder: &Utf8Path,
    most: usize,
    enter: &dyn Fn(&Utf8Path) -> bool,
) -> Result<Option<Vec<(Utf8PathBuf, Stamp)>>> {
    let mut stamps = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        match path.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => {
                if enter(&path) {
                    let names = files::list(&path)?.into_iter();
                    open.extend(names.map(|name| path.join(name)));
                }
            }
            metadata => {
                // A file that is removed while it is listed differs from every other state.
                let size = metadata.map_or(0, |metadata| metadata.len());
                let written = files::written(&path).unwrap_or_else(SystemTime::now);
                stamps.push((path, (size, written)));
            }
        }
        if stamps.len() > most {
            return Ok(None);
        }
    }
    Ok(Some(stamps))
}
