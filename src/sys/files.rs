//! Files: read whole, written whole or not at all, locked while they are changed.

use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};

use anyhow::{Context as _, Result};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use tempfile::NamedTempFile;

/// Reads a file whole, as the bytes it holds.
///
/// # Errors
/// Names the file.
pub fn read(path: &Utf8Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("failed to read {path}"))
}

/// Reads a file whole; `None` when there is none.
///
/// # Errors
/// Names the file; anything but its absence is an error.
pub fn read_if_exists(path: &Utf8Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read {path}")),
    }
}

/// Opens a file to read parts of it.
///
/// # Errors
/// Names the file.
pub fn open(path: &Utf8Path) -> Result<File> {
    File::open(path).with_context(|| format!("failed to read {path}"))
}

/// The names of what a folder holds, unsorted; none where there is no such folder.
///
/// # Errors
/// Names the folder. A name that is not UTF-8 is left out: no file of ours has one.
pub fn list(folder: &Utf8Path) -> Result<Vec<String>> {
    let list = || match fs::read_dir(folder) {
        Ok(entries) => entries
            .map(|entry| Ok(entry?.file_name().into_string().ok()))
            .collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let names: io::Result<Vec<Option<String>>> = list();
    let names = names.with_context(|| format!("failed to list {folder}"))?;
    Ok(names.into_iter().flatten().collect())
}

/// `path` with `/` on every platform, as git and documents write it.
#[must_use]
pub fn slashed(path: &Utf8Path) -> String {
    path.as_str().replace(std::path::MAIN_SEPARATOR, "/")
}

/// `path` without `.` and `..`, worked out without the disk. A leading `..` stays.
#[must_use]
pub fn normalize(path: &Utf8Path) -> Utf8PathBuf {
    let mut normal = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir if normal.file_name().is_some() => {
                normal.pop();
            }
            component => normal.push(component),
        }
    }
    normal
}

/// `path` as it is without links, spelled as cargo and git spell it: they know nothing of the `\\?\` that Windows puts before it.
///
/// # Errors
/// When it leads nowhere, or to a name that is not UTF-8.
pub fn resolved(path: &Utf8Path) -> io::Result<Utf8PathBuf> {
    Utf8PathBuf::try_from(dunce::canonicalize(path)?)
        .map_err(camino::FromPathBufError::into_io_error)
}

/// Every file below `folder` that git would not ignore, absolute and sorted; hidden files are left out as in an
/// editor's file list.
///
/// # Errors
/// Names the folder that cannot be read.
pub fn walk(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let mut paths = Vec::new();
    for entry in ignore::WalkBuilder::new(folder).require_git(false).build() {
        let entry = entry.with_context(|| format!("failed to list {folder}"))?;
        if entry.file_type().is_some_and(|kind| !kind.is_dir()) {
            paths.extend(Utf8PathBuf::from_path_buf(entry.into_path()).ok());
        }
    }
    paths.sort();
    Ok(paths)
}

/// Replaces the contents of `path`, or creates it: readers see the old file or the new one, never a part.
///
/// Keeps the file's permissions and writes through a symbolic link to the file it names.
///
/// # Errors
/// Names the file; it is then as it was.
pub fn write_atomic(path: &Utf8Path, contents: &[u8]) -> Result<()> {
    let target = resolve_link(path).with_context(|| format!("failed to follow the link {path}"))?;
    let existing = fs::metadata(&target).ok();
    let replace = || -> io::Result<()> {
        refuse_read_only(existing.as_ref())?;
        let file = written_beside(&target, contents)?;
        if let Some(existing) = &existing {
            file.as_file().set_permissions(existing.permissions())?;
        }
        file.persist(&target)?;
        Ok(())
    };
    replace().with_context(|| format!("failed to write {path}; it is as it was"))
}

/// Replaces a file that can be made again, and its folder where that is missing: readers see the old file or the new
/// one; after a crash of the machine it may be damaged.
///
/// # Errors
/// Names the file.
pub fn keep(path: &Utf8Path, contents: &[u8]) -> Result<()> {
    let keep = || -> io::Result<()> {
        let folder = path.parent().unwrap_or(Utf8Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = builder().tempfile_in(folder)?;
        file.write_all(contents)?;
        file.persist(path)?;
        Ok(())
    };
    keep().with_context(|| format!("failed to write {path}"))
}

/// Writes a report where a user wants it, in place of what was there; its folder is created where it is missing.
///
/// # Errors
/// Names the file; it is then as it was.
pub fn write_report(path: &Utf8Path, contents: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_str().is_empty()) {
        fs::create_dir_all(folder).with_context(|| format!("failed to create {folder}"))?;
    }
    write_atomic(path, contents)
}

/// Adds to the end of a file that is not ours, such as a CI's summary; creates it where it is missing.
///
/// # Errors
/// Names the file.
pub fn append(path: &Utf8Path, contents: &[u8]) -> Result<()> {
    let append = || {
        File::options()
            .create(true)
            .append(true)
            .open(path)?
            .write_all(contents)
    };
    append().with_context(|| format!("failed to write {path}"))
}

/// Creates `path` with `contents`, and its folder where that is missing; never touches a file that is there.
///
/// # Errors
/// Names the file: it exists already, or it could not be written, and then there is none.
pub fn create(path: &Utf8Path, contents: &[u8]) -> Result<()> {
    let create = || -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        written_beside(path, contents)?.persist_noclobber(path)?;
        Ok(())
    };
    create().with_context(|| format!("failed to create {path}"))
}

/// Removes a file that this run created, when what belongs beside it could not be written.
///
/// # Errors
/// Names the file.
pub fn remove(path: &Utf8Path) -> Result<()> {
    fs::remove_file(path).with_context(|| format!("failed to remove {path}"))
}

/// Creates a folder and those above it; one that is there stays as it is.
///
/// # Errors
/// Names the folder.
pub fn create_folder(path: &Utf8Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("failed to create the folder {path}"))
}

/// Removes a folder of ours with all that is in it; none is fine.
///
/// # Errors
/// Names the folder.
pub fn remove_folder(path: &Utf8Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to remove the folder {path}"))
        }
        _ => Ok(()),
    }
}

/// An exclusive lock between processes, held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Waits for the lock named by the file `path`, which is created where it is missing and stays.
///
/// # Errors
/// Names the lock file.
pub fn lock(path: &Utf8Path) -> Result<Lock> {
    let open = || -> io::Result<File> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = File::options()
            .create(true)
            .write(true)
            .truncate(false)
            .open(path)?;
        file.lock()?;
        Ok(file)
    };
    let file = open().with_context(|| format!("failed to lock {path}"))?;
    Ok(Lock { _file: file })
}

fn written_beside(path: &Utf8Path, contents: &[u8]) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty());
    let mut file = builder().tempfile_in(folder.unwrap_or(Utf8Path::new(".")))?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// A new file gets the mode that the umask allows, as any editor's would; tempfile's own default is 0600.
#[cfg(unix)]
fn builder() -> tempfile::Builder<'static, 'static> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut builder = tempfile::Builder::new();
    builder
        .prefix(".cargo-poc-")
        .permissions(fs::Permissions::from_mode(0o666));
    builder
}

#[cfg(not(unix))]
fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".cargo-poc-");
    builder
}

/// Renaming over a read-only file would succeed; its owner asked for it not to be changed.
fn refuse_read_only(existing: Option<&Metadata>) -> io::Result<()> {
    if existing.is_some_and(|metadata| metadata.permissions().readonly()) {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the file is read-only",
        ));
    }
    Ok(())
}

fn resolve_link(path: &Utf8Path) -> io::Result<Utf8PathBuf> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => path.canonicalize_utf8(),
        _ => Ok(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_keeps_its_root_and_names_when_it_is_slashed() {
        for path in ["a/b", "/a/b", "../a", ""] {
            assert_eq!(
                slashed(Utf8Path::new(
                    &path.replace('/', std::path::MAIN_SEPARATOR_STR)
                )),
                path
            );
        }
    }

    #[test]
    fn dots_are_resolved_without_asking_the_disk() {
        assert_eq!(normalize(Utf8Path::new("/a/./b/../c")), "/a/c");
        assert_eq!(normalize(Utf8Path::new("../a/./b/../../..")), "../..");
    }

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("UTF-8");
        (folder, path)
    }

    #[cfg(unix)]
    #[test]
    fn replacing_keeps_the_mode_and_the_link() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_guard, folder) = folder();
        let (real, link) = (folder.join("real.toml"), folder.join("link.toml"));
        create(&real, b"old").expect("created");
        fs::set_permissions(&real, fs::Permissions::from_mode(0o664)).expect("mode set");
        std::os::unix::fs::symlink("real.toml", &link).expect("linked");

        write_atomic(&link, b"new").expect("written");

        assert_eq!(read(&real).expect("read"), b"new");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        let mode = fs::metadata(&real).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o664);
    }

    #[test]
    fn a_read_only_file_is_refused_and_kept() {
        let (_guard, folder) = folder();
        let path = folder.join("plan.md");
        create(&path, b"old").expect("created");
        let mut permissions = fs::metadata(&path).expect("there").permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).expect("set");

        let error = write_atomic(&path, b"new").expect_err("refused");

        assert!(format!("{error:#}").contains("read-only"), "{error:#}");
        assert_eq!(read(&path).expect("read"), b"old");
    }

    #[test]
    fn creating_never_overwrites_and_leaves_nothing_else_behind() {
        let (_guard, folder) = folder();
        let path = folder.join("docs/plan.md");
        create(&path, b"first").expect("created");
        create(&path, b"second").expect_err("refused");
        assert_eq!(read(&path).expect("read"), b"first");
        let left = fs::read_dir(folder.join("docs")).expect("listed").count();
        assert_eq!(left, 1);
    }
}
