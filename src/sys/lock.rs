//! Locks between processes.

use std::fs::{self, File};
use std::io;

use anyhow::{Context as _, Result};
use camino::Utf8Path;

/// An exclusive lock between processes, held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Waits for the lock of a folder; its holder may replace files in it. On file systems without locks, such as some network file systems, no
/// lock is taken. `waiting` is called once before it waits for another process.
///
/// On Unix the folder itself is locked, which needs no file; otherwise the file `beside`.
///
/// # Errors
/// When the folder cannot be locked; or the error of `waiting`.
pub fn lock(
    folder: &Utf8Path,
    beside: &Utf8Path,
    waiting: impl FnOnce() -> Result<()>,
) -> Result<Lock> {
    let context = || format!("failed to lock {folder}");
    let file = open_lock(folder, beside).with_context(context)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            waiting()?;
            file.lock().with_context(context)?;
        }
        Err(fs::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
        Err(fs::TryLockError::Error(error)) => return Err(error).with_context(context),
    }
    Ok(Lock { _file: file })
}

#[cfg(unix)]
fn open_lock(folder: &Utf8Path, _beside: &Utf8Path) -> io::Result<File> {
    File::open(folder)
}

#[cfg(not(unix))]
fn open_lock(_folder: &Utf8Path, beside: &Utf8Path) -> io::Result<File> {
    if let Some(folder) = beside.parent() {
        fs::create_dir_all(folder)?;
    }
    File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(beside)
}
