//! A workspace whose tests are built once, for tests that run them in many copies of it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};

use crate::kit::Sandbox;

/// The files of a workspace, and the target folder that its tests were built in.
pub(crate) struct Built {
    files: BTreeMap<Utf8PathBuf, Vec<u8>>,
    target: Utf8PathBuf,
}

/// Older than what is built from it, so that cargo does not build it again.
fn long_ago() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

impl Built {
    /// Builds the tests of a workspace below cargo's folder for tests, where the next run of the suite finds them. The
    /// folder's name tells the files that it was built from.
    pub(crate) fn new(name: &str, sandbox: &Sandbox) -> Self {
        let relative = |path: &Utf8Path| path.strip_prefix(&sandbox.root).unwrap().to_owned();
        let files: BTreeMap<_, _> = sandbox
            .files()
            .into_iter()
            .map(|(path, bytes)| (relative(&path), bytes))
            .collect();
        let mut hasher = blake3::Hasher::new();
        for (path, bytes) in &files {
            // Documents are no sources, and tell their date.
            if path.extension() != Some("md") {
                hasher.update(path.as_str().as_bytes()).update(bytes);
            }
        }
        let hash = hasher.finalize().to_hex();
        let folder =
            Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", &hash[..16]));
        fs::create_dir_all(&folder).unwrap();
        let lock = File::create(folder.join("lock")).unwrap();
        lock.lock().unwrap();
        let built = Self {
            files,
            target: folder.join("target"),
        };
        built.date(sandbox);
        let mut command = sandbox.command("cargo");
        command.args(["test", "--workspace", "--no-run", "--quiet"]);
        command.env("CARGO_TARGET_DIR", &built.target);
        crate::kit::finish(command, "cargo test --workspace --no-run").exits(0);
        built
    }

    /// Copies what was built into the same workspace elsewhere. A file that differs is built again.
    pub(crate) fn place(&self, sandbox: &Sandbox) {
        self.date(sandbox);
        copy(&self.target, &sandbox.root.join("target"));
    }

    /// Sets the modification times: before the build for files that are equal to the built ones, and after it for the others, which
    /// may have been written before the build ran.
    fn date(&self, sandbox: &Sandbox) {
        for (path, bytes) in &self.files {
            let path = sandbox.root.join(path);
            let Ok(read) = fs::read(&path) else { continue };
            let file = File::options().write(true).open(path).unwrap();
            let date = if read == *bytes {
                long_ago()
            } else {
                SystemTime::now()
            };
            file.set_modified(date).unwrap();
        }
    }
}

fn copy(from: &Utf8Path, to: &Utf8Path) {
    fs::create_dir_all(to).unwrap();
    for entry in from.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
            // Cargo builds again what is older than its dependencies.
            let modified = entry.metadata().unwrap().modified().unwrap();
            let file = File::options().write(true).open(to);
            file.and_then(|file| file.set_modified(modified)).unwrap();
        }
    }
}
