//! Files that change together: all of them or none, also when the process is killed between two of them.
//!
//! The new contents are written beside the files, then a note of which replaces which, then the files are replaced. The
//! next holder of the folder's lock finishes what the note of a killed process says.

use std::fs;
use std::io;
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::files::{TEMPORARY, builder, read_if_exists, resolve_link, staged, written_by};

/// The age from which the writer of a temporary file has locked it, if it is alive.
const LOCKED: Duration = Duration::from_secs(1);

/// How files are called that only the holder of a folder's lock writes.
const DOCUMENT: &str = ".cargo-poc-document-";
/// The note of which file replaces which.
const NOTE: &str = ".cargo-poc-document-pending";

/// One replacement.
#[derive(Serialize, Deserialize)]
struct Replacement {
    /// The file with the new contents.
    staged: Utf8PathBuf,
    /// The file that it replaces.
    target: Utf8PathBuf,
    /// A hash of what the target had; `None` where it did not exist.
    before: Option<String>,
}

/// Replaces several files that change together, each whole: none is replaced before all of them can be. Only for the
/// holder of the lock of the last one's folder.
///
/// # Errors
/// When a file cannot be written; then all files are unchanged. The message contains its path.
pub fn write_together(files: &[(&Utf8Path, &[u8])]) -> Result<()> {
    let context = |path: &Utf8Path| format!("failed to write {path}; it is unchanged");
    let mut staged = Vec::new();
    for (path, contents) in files {
        let write = staged_beside(path, contents);
        staged.push((*path, write.with_context(|| context(path))?));
    }
    let note = match files {
        [_, .., (last, _)] => {
            let staged = staged.iter().map(|(_, staged)| staged);
            Some(note(last, staged).with_context(|| context(last))?)
        }
        _ => None,
    };
    for (path, (file, target)) in staged {
        let replaced = file.persist(&target).map_err(|failed| failed.error);
        if let (Err(_), Some(note)) = (&replaced, &note) {
            let _ = fs::remove_file(note);
        }
        replaced.with_context(|| context(path))?;
    }
    if let Some(note) = note {
        fs::remove_file(&note).with_context(|| format!("failed to remove {note}"))?;
    }
    Ok(())
}

/// Writes the note of these replacements; its path.
fn note<'s>(
    beside: &Utf8Path,
    staged: impl Iterator<Item = &'s (NamedTempFile, Utf8PathBuf)>,
) -> Result<Utf8PathBuf> {
    let replacements: Vec<Replacement> = staged
        .map(|(file, target)| {
            Ok(Replacement {
                staged: Utf8PathBuf::try_from(file.path().to_owned())?,
                target: target.clone(),
                before: hash(target)?,
            })
        })
        .collect::<Result<_>>()?;
    let note = folder_of(beside).join(NOTE);
    let mut prefix = builder();
    prefix.prefix(DOCUMENT);
    written_by(&prefix, &note, &serde_json::to_vec(&replacements)?)?.persist(&note)?;
    Ok(note)
}

/// Finishes what a killed process has noted: a file that is still as it was gets its new contents. One that was edited
/// since keeps them.
fn finish(note: &Utf8Path) -> Result<()> {
    let Some(text) = read_if_exists(note)? else {
        return Ok(());
    };
    let replacements: Vec<Replacement> = serde_json::from_slice(&text)?;
    for replacement in &replacements {
        let is_own = replacement
            .staged
            .file_name()
            .is_some_and(|name| name.starts_with(DOCUMENT));
        if is_own
            && replacement.staged.is_file()
            && hash(&replacement.target)? == replacement.before
        {
            fs::rename(&replacement.staged, &replacement.target)?;
        }
    }
    fs::remove_file(note)?;
    Ok(())
}

fn hash(path: &Utf8Path) -> Result<Option<String>> {
    let contents = read_if_exists(path)?;
    Ok(contents.map(|contents| blake3::hash(&contents).to_hex().to_string()))
}

/// Finishes and removes what writers of a folder's documents left behind when they were killed. Only for the holder of its
/// lock.
pub fn remove_left_behind(folder: &Utf8Path) {
    // What cannot be finished stays as it is, and its note goes with the other leftovers.
    let _ = finish(&folder.join(NOTE));
    remove_temporary(folder, |name| name.starts_with(DOCUMENT));
}

/// Removes the temporary files of killed writers from a folder.
pub fn remove_without_writer(folder: &Utf8Path) {
    remove_temporary(folder, |_| false);
}

/// Removes the temporary files in a folder that have no writer, and those that are `own`.
fn remove_temporary(folder: &Utf8Path, own: impl Fn(&str) -> bool) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_file = || entry.file_type().is_ok_and(|kind| kind.is_file());
        if name.starts_with(TEMPORARY)
            && is_file()
            && (own(&name) || !name.starts_with(DOCUMENT) && has_no_writer(&entry))
        {
            // A temporary file that cannot be removed does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn has_no_writer(entry: &fs::DirEntry) -> bool {
    let modified = entry.metadata().and_then(|metadata| metadata.modified());
    let age = modified.ok().and_then(|modified| modified.elapsed().ok());
    let file = || fs::File::options().write(true).open(entry.path());
    age.is_some_and(|age| age > LOCKED) && file().is_ok_and(|file| file.try_lock().is_ok())
}

/// A temporary file with the new content of a file, and the file to replace.
fn staged_beside(path: &Utf8Path, contents: &[u8]) -> io::Result<(NamedTempFile, Utf8PathBuf)> {
    let target = resolve_link(path)?;
    Ok((
        staged(builder().prefix(DOCUMENT), &target, contents)?,
        target,
    ))
}

fn folder_of(path: &Utf8Path) -> &Utf8Path {
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty());
    folder.unwrap_or(Utf8Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::super::files::{create, write_atomic};
    use super::*;

    /// Two files, with new contents that a process has noted and not yet put in place.
    fn noted() -> (tempfile::TempDir, Utf8PathBuf, Vec<Utf8PathBuf>) {
        let guard = tempfile::tempdir().unwrap();
        let folder = Utf8PathBuf::from_path_buf(guard.path().to_owned()).unwrap();
        let paths = ["plan.md", "results.md"].map(|name| folder.join(name));
        let staged = paths.each_ref().map(|path| {
            create(path, b"old").unwrap();
            staged_beside(path, b"new").unwrap()
        });
        note(&paths[1], staged.iter()).unwrap();
        let staged = staged.map(|(file, _)| {
            let (_, path) = file.keep().unwrap();
            Utf8PathBuf::from_path_buf(path).unwrap()
        });
        (guard, folder, paths.into_iter().chain(staged).collect())
    }

    fn contents(folder: &Utf8Path) -> Vec<(String, String)> {
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        let mut contents: Vec<_> = entries
            .map(|entry| {
                let text = fs::read_to_string(entry.path()).unwrap();
                (entry.file_name().into_string().unwrap(), text)
            })
            .collect();
        contents.sort();
        contents
    }

    fn of(plan: &str, results: &str) -> Vec<(String, String)> {
        [("plan.md", plan), ("results.md", results)]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .to_vec()
    }

    #[test]
    fn the_next_writer_finishes_what_a_killed_one_began() {
        for replaced in 0..=2 {
            let (_guard, folder, files) = noted();
            for index in 0..replaced {
                fs::rename(&files[index + 2], &files[index]).unwrap();
            }
            remove_left_behind(&folder);
            assert_eq!(contents(&folder), of("new", "new"), "{replaced}");
        }
    }

    #[test]
    fn a_file_that_was_edited_since_keeps_the_edit() {
        let (_guard, folder, files) = noted();
        fs::rename(&files[2], &files[0]).unwrap();
        write_atomic(&files[1], b"mine").unwrap();
        remove_left_behind(&folder);
        assert_eq!(contents(&folder), of("new", "mine"));
    }

    #[test]
    fn files_that_were_not_noted_stay_as_they_were() {
        let (_guard, folder, _) = noted();
        fs::remove_file(folder.join(NOTE)).unwrap();
        remove_left_behind(&folder);
        assert_eq!(contents(&folder), of("old", "old"));
    }

    #[test]
    fn only_files_without_a_writer_are_removed() {
        let guard = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(guard.path()).unwrap();
        let (killed, open, young) = (
            folder.join("a.md"),
            folder.join("b.md"),
            folder.join("c.md"),
        );
        let old = std::time::SystemTime::now() - Duration::from_secs(60);
        let [killed, open, young] =
            [killed, open, young].map(|path| staged(&builder(), &path, b"x").unwrap());
        for file in [&killed, &open] {
            file.as_file().set_modified(old).unwrap();
        }
        let (handle, killed) = killed.keep().unwrap();
        drop(handle);
        let (handle, young) = young.keep().unwrap();
        drop(handle);
        remove_without_writer(folder);
        assert!(!killed.exists() && open.path().exists() && young.exists());
    }

    #[test]
    fn nothing_but_the_files_is_left_in_the_folder() {
        let (_guard, folder, files) = noted();
        remove_left_behind(&folder);
        let new = [
            (files[0].as_path(), &b"a"[..]),
            (files[1].as_path(), &b"b"[..]),
        ];
        write_together(&new).unwrap();
        assert_eq!(contents(&folder), of("a", "b"));
    }
}
