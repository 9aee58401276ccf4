//! Units and who links whom: what the item graph needs to know of a workspace, as plain data.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use cargo_metadata::TargetKind;

use crate::affected::{TestKind, TestTarget};
use crate::workspace::graph::{is_kind, is_library};
use crate::workspace::{PackageId, Workspace};

/// A target, as its index into [`Layout::units`].
pub type UnitId = usize;

/// A target of a package.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Its package.
    pub package: PackageId,
    /// What it is; documentation tests belong to the library.
    pub kind: UnitKind,
    /// Its name.
    pub name: String,
    /// Its root file, absolute.
    pub root: Utf8PathBuf,
    /// Built as a test binary.
    pub test: bool,
    /// Its documentation is tested.
    pub doctest: bool,
}

/// What a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitKind {
    /// The library, a procedural macro's too.
    Library,
    /// A program.
    Binary,
    /// An integration test.
    Test,
    /// An example.
    Example,
    /// A bench.
    Bench,
    /// The build script.
    BuildScript,
}

/// The targets of a workspace and their dependencies.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// Every target.
    pub units: Vec<Unit>,
    /// Per package: its folder, absolute.
    pub folders: Vec<Utf8PathBuf>,
    /// Per package: crate names its code can write, with the library each means; none for a crate outside the workspace.
    pub externs: Vec<Vec<(String, Option<UnitId>)>>,
    /// Per unit: every unit that its test binary links, runs, or was built by; itself included.
    pub links: Vec<BTreeSet<UnitId>>,
}

impl Unit {
    /// The test target this unit is built as.
    #[must_use]
    pub fn target(&self) -> TestTarget {
        let kind = match self.kind {
            UnitKind::Library | UnitKind::BuildScript => TestKind::Library,
            UnitKind::Binary => TestKind::Binary(self.name.clone()),
            UnitKind::Test => TestKind::Test(self.name.clone()),
            UnitKind::Example => TestKind::Example(self.name.clone()),
            UnitKind::Bench => TestKind::Bench(self.name.clone()),
        };
        TestTarget {
            package: self.package,
            kind,
        }
    }
}

impl Unit {
    /// The documentation tests of a library that has some.
    #[must_use]
    pub fn documentation(&self) -> Option<TestTarget> {
        self.doctest.then_some(TestTarget {
            package: self.package,
            kind: TestKind::Doc,
        })
    }
}

impl Layout {
    /// Arranges the targets of a workspace.
    #[must_use]
    pub fn of(workspace: &Workspace) -> Self {
        let mut layout = Self::default();
        for (package, member) in workspace.packages.iter().enumerate() {
            let folder = member.manifest_path.parent().unwrap_or(&workspace.root);
            layout.folders.push(folder.to_owned());
            for target in &member.targets {
                let kind = if is_library(target) {
                    UnitKind::Library
                } else if is_kind(target, &[TargetKind::Bin]) {
                    UnitKind::Binary
                } else if is_kind(target, &[TargetKind::Test]) {
                    UnitKind::Test
                } else if is_kind(target, &[TargetKind::Example]) {
                    UnitKind::Example
                } else if is_kind(target, &[TargetKind::Bench]) {
                    UnitKind::Bench
                } else {
                    UnitKind::BuildScript
                };
                layout.units.push(Unit {
                    package,
                    kind,
                    name: target.name.clone(),
                    root: target.src_path.clone(),
                    test: target.test && kind != UnitKind::BuildScript,
                    doctest: target.doctest && kind == UnitKind::Library,
                });
            }
        }
        layout.name_crates(workspace);
        layout.link(workspace);
        layout
    }

    fn of_package(&self, package: PackageId, kinds: &[UnitKind]) -> impl Iterator<Item = UnitId> {
        let wanted = self
            .units
            .iter()
            .enumerate()
            .filter(move |(_, unit)| unit.package == package && kinds.contains(&unit.kind));
        wanted.map(|(id, _)| id)
    }

    fn name_crates(&mut self, workspace: &Workspace) {
        for (package, member) in workspace.packages.iter().enumerate() {
            let mut externs: Vec<(String, Option<UnitId>)> = Vec::new();
            for dependency in &member.dependencies {
                let to = match &dependency.path {
                    Some(path) => {
                        (0..workspace.packages.len()).find(|id| workspace.folder(*id) == path)
                    }
                    None => workspace
                        .packages
                        .iter()
                        .position(|other| other.name == dependency.name),
                };
                let library = to.and_then(|to| self.of_package(to, &[UnitKind::Library]).next());
                let name = match (&dependency.rename, library) {
                    (Some(rename), _) => rename.clone(),
                    (None, Some(library)) => self.units[library].name.clone(),
                    (None, None) => dependency.name.clone(),
                };
                externs.push((name.replace('-', "_"), library));
            }
            if let Some(own) = self.of_package(package, &[UnitKind::Library]).next() {
                externs.push((self.units[own].name.replace('-', "_"), Some(own)));
            }
            self.externs.push(externs);
        }
    }

    fn link(&mut self, workspace: &Workspace) {
        let mut all = Vec::new();
        for (id, unit) in self.units.iter().enumerate() {
            let packages = workspace.links(&BTreeSet::from([unit.package]));
            let mut linked = BTreeSet::from([id]);
            for package in packages {
                // A test can run a program of any package that it depends on, as a process.
                let kinds = [UnitKind::Library, UnitKind::BuildScript, UnitKind::Binary];
                linked.extend(self.of_package(package, &kinds));
            }
            // And the examples that cargo builds along with it.
            linked.extend(self.of_package(unit.package, &[UnitKind::Example]));
            all.push(linked);
        }
        self.links = all;
    }
}
