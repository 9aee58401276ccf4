//! Identifies the target of a test binary, so that runs by different runners can be compared.

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::Target;
use toml_edit::{Item, TableLike};

use super::test_output::Header;
use crate::affected::{TestTarget, TestTargetKind, every_target};
use crate::sys::files;
use crate::workspace::manifest::Manifest;
use crate::workspace::{Workspace, dep_info};

/// The test targets of a workspace, to identify test binaries.
#[derive(Debug)]
pub struct Binaries<'w> {
    workspace: &'w Workspace,
    targets: Vec<TestTarget>,
}

impl<'w> Binaries<'w> {
    /// The targets that `workspace` has now, whatever its configuration builds: a command may build another one.
    #[must_use]
    pub fn of(workspace: &'w Workspace) -> Self {
        let targets = every_target(workspace);
        Self { workspace, targets }
    }

    /// Whether a target of the workspace has this id.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.target(id).is_some()
    }

    /// The binary's id in nextest's form (`package`, `package::test`, `package::bin/name`, doctests as `package::doc`). For a binary that
    /// matches no target, or several, a question mark and its crate's name.
    #[must_use]
    pub fn identify(&self, header: &Header) -> String {
        match header {
            Header::Nextest(id) => id.clone(),
            Header::Unnamed => "?".to_owned(),
            Header::Doctests(name) => {
                let is_it = |target: &TestTarget| {
                    target.kind == TestTargetKind::Doc
                        && library_name(self.workspace, target) == *name
                };
                self.only(is_it).unwrap_or_else(|| format!("?{name}::doc"))
            }
            Header::Cargo {
                source, executable, ..
            } => {
                let name = header.crate_name().unwrap_or_default();
                self.built(name, source, Utf8Path::new(executable))
                    .unwrap_or_else(|| format!("?{name}"))
            }
        }
    }

    /// The target with this id.
    pub(super) fn target(&self, id: &str) -> Option<&TestTarget> {
        let mut targets = self.targets.iter();
        targets.find(|target| target.binary_id(self.workspace) == id)
    }

    /// The workspace.
    pub(super) fn workspace(&self) -> &'w Workspace {
        self.workspace
    }

    /// Whether a target of the workspace is this binary.
    pub(super) fn knows(&self, header: &Header) -> bool {
        !self.identify(header).starts_with('?')
    }

    /// Whether the manifest gives the binary a harness of its own, so that it need not print a summary. Also of targets
    /// that `cargo test` runs only by name.
    pub(super) fn has_custom_harness(&self, header: &Header) -> bool {
        let Header::Cargo { source, .. } = header else {
            return false;
        };
        let name = header.crate_name().unwrap_or_default();
        let workspace = self.workspace;
        let packages = workspace.packages.iter().enumerate();
        let mut targets = packages.flat_map(|(id, package)| {
            let folder = workspace.folder(id);
            package
                .targets
                .iter()
                .filter(move |target| {
                    let own = target.src_path.strip_prefix(folder);
                    let own = own.unwrap_or(&target.src_path).as_str().replace('\\', "/");
                    crate_name(target) == name
                        && (source.is_empty() || own == source.replace('\\', "/"))
                })
                .map(move |target| (package, target))
        });
        targets.any(|(package, target)| {
            has_custom_harness(&package.manifest_path, target).unwrap_or(false)
        })
    }

    /// The target built into `executable`: the one with its crate name and root file; of several, the one in the dep-info file.
    fn built(&self, name: &str, source: &str, executable: &Utf8Path) -> Option<String> {
        let workspace = self.workspace;
        let fits = |target: &TestTarget| {
            root_file(workspace, target).is_some_and(|(crate_name, path)| {
                let own = path.strip_prefix(workspace.folder(target.package));
                let own = own.unwrap_or(path).as_str().replace('\\', "/");
                crate_name == name && (source.is_empty() || own == source.replace('\\', "/"))
            })
        };
        self.only(fits).or_else(|| {
            let root = built_from(workspace, executable)?;
            let is_root = |target: &TestTarget| {
                root_file(workspace, target).is_some_and(|(_, path)| *path == root)
            };
            self.only(|target| fits(target) && is_root(target))
        })
    }

    /// The id of the only matching target.
    fn only(&self, fits: impl Fn(&TestTarget) -> bool) -> Option<String> {
        let mut fitting = self.targets.iter().filter(|target| fits(target));
        let first = fitting.next()?;
        fitting
            .next()
            .is_none()
            .then(|| first.binary_id(self.workspace))
    }
}

/// The crate name and the root file of a target with a binary.
fn root_file<'w>(workspace: &'w Workspace, target: &TestTarget) -> Option<(String, &'w Utf8Path)> {
    let described = target
        .described(workspace)
        .filter(|_| target.kind != TestTargetKind::Doc)?;
    Some((crate_name(described), &described.src_path))
}

/// Whether the manifest of a target has `harness = false` for it; `None` where the manifest does not describe it.
fn has_custom_harness(manifest: &Utf8Path, target: &Target) -> Option<bool> {
    let manifest = Manifest::parse(&files::text(manifest)?).ok()?;
    let is_false =
        |table: &dyn TableLike| table.get("harness").and_then(Item::as_bool) == Some(false);
    let is_named =
        |table: &dyn TableLike| table.get("name").and_then(Item::as_str) == Some(&target.name);
    let tables = ["bin", "test", "example", "bench"]
        .into_iter()
        .filter(|table| target.kind.iter().any(|kind| kind.to_string() == *table));
    for table in tables {
        let mut entries = manifest.get(&[table])?.as_array_of_tables()?.iter();
        if let Some(entry) = entries.find(|entry| is_named(*entry)) {
            return Some(is_false(entry));
        }
    }
    manifest.get(&["lib"])?.as_table_like().map(is_false)
}

fn library_name(workspace: &Workspace, target: &TestTarget) -> String {
    target
        .described(workspace)
        .map_or_else(String::new, crate_name)
}

fn crate_name(target: &Target) -> String {
    target.name.replace('-', "_")
}

/// The root file of an executable, as the dep-info file beside it says. cargo prints the executable's path relative to its
/// folder, which a script may have changed.
fn built_from(workspace: &Workspace, executable: &Utf8Path) -> Option<Utf8PathBuf> {
    let shown = workspace.root.join(executable);
    let profile: Utf8PathBuf = executable.components().rev().take(3).collect();
    let profile: Utf8PathBuf = profile.components().rev().collect();
    let places = [shown, workspace.target_directory.join(profile)];
    let mut texts = places
        .iter()
        .filter_map(|place| files::text(&place.with_extension("d")));
    dep_info::sources(&workspace.root, &texts.next()?)
        .into_iter()
        .next()
}
