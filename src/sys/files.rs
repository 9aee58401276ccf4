//! Files: whole reads, atomic writes, and locks.

use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use tempfile::NamedTempFile;

/// Reads a whole file.
///
/// # Errors
/// When the file cannot be read; the message contains its path.
pub fn read(path: &Utf8Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("failed to read {path}"))
}

/// Reads a whole file; `None` if it does not exist.
///
/// # Errors
/// When an existing file cannot be read; the message contains its path.
pub fn read_if_exists(path: &Utf8Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read {path}")),
    }
}

/// The text of a file; `None` if it cannot be read, or is not UTF-8.
#[must_use]
pub fn text(path: &Utf8Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// The permissions of a file's owner: 4 to read, 2 to write, 1 to execute. [`USUAL_PERMISSIONS`] if it does not exist.
#[must_use]
pub fn permissions(path: &Utf8Path) -> u32 {
    let Ok(metadata) = fs::metadata(path) else {
        return USUAL_PERMISSIONS;
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        metadata.permissions().mode() >> 6 & 7
    }
    #[cfg(not(unix))]
    {
        let is_readonly = metadata.permissions().readonly();
        USUAL_PERMISSIONS & !(u32::from(is_readonly) * 2)
    }
}

/// To read and to write.
pub const USUAL_PERMISSIONS: u32 = 6;

/// Whether the owner of a file may execute it.
#[must_use]
pub fn is_executable(path: &Utf8Path) -> bool {
    permissions(path) & 1 == 1
}

/// When a file, or what is known of it, was last changed. On Unix no program can set this time.
#[must_use]
pub fn written(path: &Utf8Path) -> Option<SystemTime> {
    let metadata = fs::symlink_metadata(path).ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let seconds = Duration::from_secs(u64::try_from(metadata.ctime()).ok()?);
        let rest = Duration::from_nanos(u64::try_from(metadata.ctime_nsec()).ok()?);
        Some(SystemTime::UNIX_EPOCH + seconds + rest)
    }
    #[cfg(not(unix))]
    {
        metadata.modified().ok()
    }
}

/// Opens a file to read parts of it.
///
/// # Errors
/// When the file cannot be opened; the message contains its path.
pub fn open(path: &Utf8Path) -> Result<File> {
    File::open(path).with_context(|| format!("failed to read {path}"))
}

/// The names in a folder, unsorted; empty if the folder does not exist.
///
/// # Errors
/// When the folder cannot be listed; the message contains its path. Names that are not UTF-8 are skipped.
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

/// `path` without `.` and `..`, computed without the disk. A leading `..` is kept.
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

/// `path` with links resolved, in the spelling of cargo and git, without the `\\?\` prefix of Windows.
///
/// # Errors
/// When it does not exist, or its name is not UTF-8.
pub fn resolved(path: &Utf8Path) -> io::Result<Utf8PathBuf> {
    Utf8PathBuf::try_from(dunce::canonicalize(path)?)
        .map_err(camino::FromPathBufError::into_io_error)
}

/// The files that standard output and standard error of this process are redirected to; empty where the system does not tell.
pub fn own_outputs() -> &'static [Utf8PathBuf] {
    static FILES: OnceLock<Vec<Utf8PathBuf>> = OnceLock::new();
    FILES.get_or_init(|| {
        let streams = ["/proc/self/fd/1", "/proc/self/fd/2"].into_iter();
        let paths = streams.filter_map(|stream| resolved(Utf8Path::new(stream)).ok());
        paths.filter(|path| path.is_file()).collect()
    })
}

/// Every file in `folder` that git does not ignore, absolute and sorted, without hidden files.
///
/// # Errors
/// When a folder cannot be read; the message contains its path.
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

/// Replaces the content of `path`, or creates it. Readers see the old file or the new one, never a part.
///
/// Keeps the file's permissions, and follows a symbolic link.
///
/// # Errors
/// When the file cannot be written; then it is unchanged. The message contains its path.
pub fn write_atomic(path: &Utf8Path, contents: &[u8]) -> Result<()> {
    let target = resolve_link(path).with_context(|| format!("failed to follow the link {path}"))?;
    let replace = || -> io::Result<()> {
        staged(&builder(), &target, contents)?.persist(&target)?;
        Ok(())
    };
    replace().with_context(|| format!("failed to write {path}; it is unchanged"))
}

/// Replaces a file that can be generated again, and creates its folder. Readers see the old file or the new one, but a crash of the machine
/// may damage it.
///
/// # Errors
/// When the file cannot be written; the message contains its path.
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

/// Writes or replaces a report at a path given by the user, and creates its folder.
///
/// # Errors
/// When the file cannot be written; then it is unchanged. The message contains its path.
pub fn write_report(path: &Utf8Path, contents: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_str().is_empty()) {
        fs::create_dir_all(folder).with_context(|| format!("failed to create {folder}"))?;
    }
    write_atomic(path, contents)
}

/// Appends to a file of another program, such as a CI summary; creates it if it is missing.
///
/// # Errors
/// When the file cannot be written; the message contains its path.
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

/// Creates `path` with `contents`, and its folder; never changes an existing file.
///
/// # Errors
/// When the file exists, or cannot be written, and then it does not exist. The message contains its path.
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

/// Removes a file that this run created, after a related file could not be written.
///
/// # Errors
/// When the file cannot be removed; the message contains its path.
pub fn remove(path: &Utf8Path) -> Result<()> {
    fs::remove_file(path).with_context(|| format!("failed to remove {path}"))
}

/// Creates a folder and its parents; an existing folder stays unchanged.
///
/// # Errors
/// When the folder cannot be created; the message contains its path.
pub fn create_folder(path: &Utf8Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("failed to create the folder {path}"))
}

/// Removes a folder of this program with its contents, if it exists.
///
/// # Errors
/// When the folder cannot be removed; the message contains its path.
pub fn remove_folder(path: &Utf8Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to remove the folder {path}"))
        }
        _ => Ok(()),
    }
}

/// Checks that a file can be replaced, before work whose result is written to it.
///
/// # Errors
/// When it cannot be replaced; the message contains its path and the reason.
pub fn check_writable(path: &Utf8Path) -> Result<()> {
    let check = || -> io::Result<()> {
        let target = resolve_link(path)?;
        refuse_read_only(fs::metadata(&target).ok().as_ref())?;
        let folder = target.parent().filter(|folder| !folder.as_str().is_empty());
        builder()
            .tempfile_in(folder.unwrap_or(Utf8Path::new(".")))
            .map(drop)
    };
    check().with_context(|| format!("failed to write {path}"))
}

/// Whether a file is a temporary file of this program.
#[must_use]
pub fn is_temporary(path: &Utf8Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.starts_with(TEMPORARY))
}

/// The prefix of temporary files.
pub(super) const TEMPORARY: &str = ".cargo-poc-";

/// The size limit of a document.
const LARGEST_DOCUMENT: u64 = 64 * 1024 * 1024;

/// Reads a regular file of a repository; `None` if it does not exist.
///
/// # Errors
/// A folder, a pipe or a device; a link that leaves the repository; a file that is too large. The message contains the path.
pub fn read_document(path: &Utf8Path) -> Result<Option<Vec<u8>>> {
    let link = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata.with_context(|| format!("failed to read {path}"))?,
    };
    if link.is_symlink() {
        let target = resolved(path).with_context(|| format!("failed to follow the link {path}"))?;
        let root = root_around(path);
        if !target.starts_with(&root) {
            anyhow::bail!("{path} is a link to {target}, which is outside {root}; it is not read");
        }
    }
    let metadata = fs::metadata(path).with_context(|| format!("failed to read {path}"))?;
    if !metadata.is_file() {
        anyhow::bail!("{path} is not a regular file; it is not read");
    }
    if metadata.len() > LARGEST_DOCUMENT {
        let limit = LARGEST_DOCUMENT / (1024 * 1024);
        anyhow::bail!("{path} is larger than {limit} MiB; it is not read");
    }
    read_if_exists(path)
}

/// The folder that links in a document's folder must not leave: the work tree around it, the outermost folder with a manifest, or the folder
/// itself.
fn root_around(path: &Utf8Path) -> Utf8PathBuf {
    let folder = path.parent().unwrap_or(Utf8Path::new("."));
    let folder = resolved(folder).unwrap_or_else(|_| folder.to_owned());
    let work_tree = folder
        .ancestors()
        .find(|folder| folder.join(".git").exists());
    let outermost = || {
        let with_manifest = folder.ancestors();
        with_manifest
            .filter(|folder| folder.join("Cargo.toml").is_file())
            .last()
    };
    let root = work_tree.or_else(outermost).map(Utf8Path::to_owned);
    root.unwrap_or(folder)
}

fn written_beside(path: &Utf8Path, contents: &[u8]) -> io::Result<NamedTempFile> {
    written_by(&builder(), path, contents)
}

/// A temporary file beside `target`, which is no link, with its new contents and its permissions. A read-only target is an
/// error.
pub(super) fn staged(
    builder: &tempfile::Builder<'_, '_>,
    target: &Utf8Path,
    contents: &[u8],
) -> io::Result<NamedTempFile> {
    let existing = fs::metadata(target).ok();
    refuse_read_only(existing.as_ref())?;
    let file = written_by(builder, target, contents)?;
    if let Some(existing) = &existing {
        file.as_file().set_permissions(existing.permissions())?;
    }
    Ok(file)
}

pub(super) fn written_by(
    builder: &tempfile::Builder<'_, '_>,
    path: &Utf8Path,
    contents: &[u8],
) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty());
    let mut file = builder.tempfile_in(folder.unwrap_or(Utf8Path::new(".")))?;
    // Others remove a file whose lock is free. Without locks in the file system none is free, and it stays.
    let _unsupported = file.as_file().lock();
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Gives a new file the mode of the umask; the default of tempfile is 0600.
#[cfg(unix)]
pub(super) fn builder() -> tempfile::Builder<'static, 'static> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut builder = tempfile::Builder::new();
    builder
        .prefix(TEMPORARY)
        .permissions(fs::Permissions::from_mode(0o666));
    builder
}

#[cfg(not(unix))]
pub(super) fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    builder
}

/// Rejects a read-only file, which renaming could replace against the owner's intention.
pub(super) fn refuse_read_only(existing: Option<&Metadata>) -> io::Result<()> {
    if existing.is_some_and(|metadata| metadata.permissions().readonly()) {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the file is read-only",
        ));
    }
    Ok(())
}

pub(super) fn resolve_link(path: &Utf8Path) -> io::Result<Utf8PathBuf> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => path.canonicalize_utf8(),
        _ => Ok(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashed_keeps_root_and_names() {
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
    fn normalize_does_not_access_the_disk() {
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
    fn read_only_file_is_rejected() {
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
    fn creating_never_overwrites_and_leaves_no_temporary_file() {
        let (_guard, folder) = folder();
        let path = folder.join("docs/plan.md");
        create(&path, b"first").expect("created");
        create(&path, b"second").expect_err("refused");
        assert_eq!(read(&path).expect("read"), b"first");
        let left = fs::read_dir(folder.join("docs")).expect("listed").count();
        assert_eq!(left, 1);
    }
}
