//! Units and the units they link: the workspace data for the item graph.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use camino::Utf8PathBuf;
use cargo_metadata::{CrateType, Target, TargetKind};

use super::extract::FileItems;
use crate::affected::outside::Outside;
use crate::affected::targets::{TestTarget, TestTargetKind};
use crate::workspace::graph::{is_kind, is_library};
use crate::workspace::harness::without_harness;
use crate::workspace::source::cfg::CfgOptions;
use crate::workspace::source::modules::Child;
use crate::workspace::{PackageId, Workspace};

/// A target, as its index into [`CrateGraph::units`].
pub type UnitId = usize;

/// A target of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of a target as manifests have them"
)]
pub struct Unit {
    /// Its package.
    pub package: PackageId,
    /// Its kind; documentation tests belong to the library.
    pub kind: UnitKind,
    /// Its name.
    pub name: String,
    /// Its root file, absolute.
    pub root: Utf8PathBuf,
    /// Whether it is built as a test binary.
    pub test: bool,
    /// Whether libtest runs its tests; otherwise its `main` does.
    pub harness: bool,
    /// Whether its documentation is tested.
    pub doctest: bool,
    /// Whether it is a library that programs load at run time.
    pub dynamic: bool,
}

/// The kind of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitKind {
    /// A library or procedural macro.
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

impl UnitKind {
    /// The table of such targets in a manifest.
    fn table(self) -> &'static str {
        match self {
            Self::Library => "lib",
            Self::Binary => "bin",
            Self::Test => "test",
            Self::Example => "example",
            Self::Bench => "bench",
            Self::BuildScript => "build",
        }
    }
}

/// The targets of a workspace and their dependencies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CrateGraph {
    /// The workspace's root, absolute.
    pub root: Utf8PathBuf,
    /// Every target.
    pub units: Vec<Unit>,
    /// The absolute folder of each package.
    pub folders: Vec<Utf8PathBuf>,
    /// The crate names in code of each package, with their libraries; `None` for an external crate.
    pub externs: Vec<Vec<(String, Option<UnitId>)>>,
    /// For each unit, every unit that its test binary links, runs, or was built by, including itself.
    pub links: Vec<BTreeSet<UnitId>>,
    /// The crates outside the workspace whose sources are known.
    pub(crate) outside: Arc<Outside>,
    /// Per package: crates outside the workspace that its manifest renames, with their packages.
    renamed: Vec<Vec<(String, String)>>,
    /// Per package: those that its library is made of, itself included.
    made_of: Vec<BTreeSet<PackageId>>,
    /// For each unit, whether name lookup is limited to visible units.
    restricts_visibility: Vec<bool>,
    /// The distinct builds with their `cfg` options; empty if everything counts as compiled.
    builds: Vec<CfgOptions>,
    /// The build of each unit, as an index into `builds`.
    build_of: Vec<usize>,
    /// The options of the tests of a library, where other builds of it have other options.
    test_options: BTreeMap<UnitId, CfgOptions>,
}

/// Reads a file for the options of a build, with the decisions about the code inside items.
pub type ReadFor<'a> = dyn Fn(&CfgOptions, &[u8]) -> Option<Arc<FileItems>> + 'a;

impl Unit {
    /// The test target of this unit.
    #[must_use]
    pub fn target(&self) -> TestTarget {
        let kind = match self.kind {
            UnitKind::Library | UnitKind::BuildScript => TestTargetKind::Library,
            UnitKind::Binary => TestTargetKind::Binary(self.name.clone()),
            UnitKind::Test => TestTargetKind::Test(self.name.clone()),
            UnitKind::Example => TestTargetKind::Example(self.name.clone()),
            UnitKind::Bench => TestTargetKind::Bench(self.name.clone()),
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
            kind: TestTargetKind::Doc,
        })
    }
}

impl CrateGraph {
    /// Builds the graph of a workspace.
    #[must_use]
    pub fn of(workspace: &Workspace) -> Self {
        Self::with_outside(workspace, Arc::new(Outside::read(workspace)))
    }

    /// Builds the graph of a workspace from the packages outside it.
    pub(crate) fn with_outside(workspace: &Workspace, outside: Arc<Outside>) -> Self {
        let mut crates = Self {
            root: workspace.root.clone(),
            outside,
            ..Self::default()
        };
        let mut by_package: Vec<Range<UnitId>> = Vec::new();
        for (package, member) in workspace.packages.iter().enumerate() {
            let folder = member.manifest_path.parent().unwrap_or(&workspace.root);
            crates.folders.push(folder.to_owned());
            let first = crates.units.len();
            let own_harness = without_harness(&member.manifest_path);
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
                crates.units.push(Unit {
                    package,
                    kind,
                    name: target.name.clone(),
                    root: target.src_path.clone(),
                    test: target.test && kind != UnitKind::BuildScript,
                    harness: !own_harness.contains(&(kind.table(), target.name.clone())),
                    doctest: target.doctest && kind == UnitKind::Library,
                    dynamic: kind == UnitKind::Library && is_dynamic(target),
                });
            }
            by_package.push(first..crates.units.len());
        }
        crates.name_crates(workspace, &by_package);
        crates.link(workspace, &by_package);
        let made_of = (0..workspace.packages.len()).map(|package| workspace.made_of(package));
        crates.made_of = made_of.collect();
        let generators = workspace.generators();
        let restricts_visibility = crates.units.iter().map(|unit| match unit.kind {
            UnitKind::Library | UnitKind::Binary => !generators.contains(&unit.package),
            _ => false,
        });
        crates.restricts_visibility = restricts_visibility.collect();
        crates
    }

    /// Limits name lookup to the units that this unit [links](Self::links). `None` for tests and code generators: generated code names what
    /// its users see, and only the runner of a test, bench or example links it.
    #[must_use]
    pub fn visible_units(&self, unit: UnitId) -> Option<UnitId> {
        Some(unit).filter(|unit| self.restricts_visibility[*unit])
    }

    /// The package behind a crate's name in the code of a package, where the manifest renames it.
    #[must_use]
    pub fn package_of(&self, package: PackageId, name: &str) -> Option<&str> {
        let mut renamed = self.renamed.get(package)?.iter();
        let (_, of) = renamed.find(|(rename, _)| rename == name)?;
        Some(of)
    }

    /// The names in the code of a package for a crate outside the workspace.
    pub(super) fn names_of<'c>(
        &'c self,
        package: PackageId,
        name: &'c str,
    ) -> impl Iterator<Item = &'c str> {
        let is_it = move |known: &str| {
            self.package_of(package, known).unwrap_or(known) == name.replace('-', "_")
        };
        let externs = self.externs[package].iter();
        let outside = externs.filter(|(_, unit)| unit.is_none());
        let names = outside.map(|(known, _)| known.as_str());
        names.filter(move |known| is_it(known))
    }

    /// Whether a crate's name means a library of the workspace in the code of a package.
    #[must_use]
    pub fn is_own_crate(&self, package: PackageId, name: &str) -> bool {
        let mut externs = self.externs[package].iter();
        externs.any(|(known, unit)| known == name && unit.is_some())
    }

    /// Whether a package depends on a crate outside the workspace, by this name in its code.
    #[must_use]
    pub fn is_extern(&self, package: PackageId, name: &str) -> bool {
        let mut externs = self.externs[package].iter();
        externs.any(|(known, unit)| known == name && unit.is_none())
    }

    /// The libraries that a library is made of, itself included.
    pub fn made_of(&self, unit: UnitId) -> impl Iterator<Item = UnitId> {
        let packages = self.made_of.get(self.units[unit].package);
        let is_part = move |other: &UnitId| {
            let about = &self.units[*other];
            let made = packages.is_some_and(|packages| packages.contains(&about.package));
            *other == unit || made && about.kind == UnitKind::Library
        };
        (0..self.units.len()).filter(is_part)
    }

    /// Excludes items that the workspace's configuration does not compile.
    pub fn configure(&mut self, workspace: &Workspace) {
        let packages = 0..workspace.packages.len();
        let of_tests: Vec<CfgOptions> = packages
            .map(|package| workspace.test_cfg_options(package))
            .collect();
        self.configure_by(|unit| match unit.kind {
            UnitKind::Library => workspace.cfg_options(unit.package),
            UnitKind::BuildScript => workspace.script_cfg_options(unit.package),
            _ => of_tests[unit.package].clone(),
        });
        for (id, unit) in self.units.iter().enumerate() {
            if unit.kind == UnitKind::Library {
                let of_tests = workspace.unit_test_cfg_options(unit.package);
                if self.builds[self.build_of[id]] != of_tests {
                    self.test_options.insert(id, of_tests);
                }
            }
        }
    }

    /// Excludes items that no choice of features compiles on the workspace's platform.
    pub fn configure_platform(&mut self, workspace: &Workspace) {
        self.configure_by(|unit| CfgOptions {
            features: None,
            ..workspace.cfg_options(unit.package)
        });
    }

    /// Excludes items that no choice of features and flags compiles on this machine's platform.
    pub fn configure_host(&mut self) {
        self.configure_by(|_| CfgOptions::host());
    }

    fn configure_by(&mut self, options: impl Fn(&Unit) -> CfgOptions) {
        self.builds.clear();
        self.build_of.clear();
        self.test_options.clear();
        let mut known: BTreeMap<CfgOptions, usize> = BTreeMap::new();
        for unit in &self.units {
            let options = options(unit);
            let next = known.len();
            let build = *known.entry(options.clone()).or_insert(next);
            if build == next {
                self.builds.push(options);
            }
            self.build_of.push(build);
        }
    }

    /// The index of a unit's build: files are equal in all units of one build.
    #[must_use]
    pub fn build_of(&self, unit: UnitId) -> usize {
        self.build_of.get(unit).copied().unwrap_or(0)
    }

    /// The options of a library's tests, if the library is also built with other options.
    pub(super) fn test_options(&self, unit: UnitId) -> Option<&CfgOptions> {
        self.test_options.get(&unit)
    }

    /// The number of builds.
    #[must_use]
    pub fn build_count(&self) -> usize {
        self.builds.len().max(1)
    }

    /// The items of a file in a build; `left_out` gets declarations of files that the build does not compile. `read` reads the
    /// file again.
    #[must_use]
    pub fn configured(
        &self,
        build: usize,
        items: Arc<FileItems>,
        left_out: &mut Vec<Child>,
        read: &ReadFor<'_>,
    ) -> Arc<FileItems> {
        let Some(options) = self.builds.get(build) else {
            return items;
        };
        let decisions = items.decisions(options);
        let resolved = decisions.and_then(|decisions| read(options, &decisions));
        if let Some(resolved) = &resolved {
            left_out.extend(without_paths_of(&items.children, &resolved.children));
        }
        let items = resolved.unwrap_or(items);
        match items.configured(options) {
            Some(mut configured) => {
                left_out.append(&mut configured.left_out);
                Arc::new(configured.items)
            }
            None => items,
        }
    }

    /// Removes the tests of other targets.
    pub fn keep_tests(&mut self, wanted: &dyn Fn(&TestTarget) -> bool) {
        for unit in &mut self.units {
            unit.test &= wanted(&unit.target());
            unit.doctest &= unit.documentation().is_some_and(|target| wanted(&target));
        }
    }

    /// The units among `all` with one of these kinds.
    fn of_kinds(&self, all: &Range<UnitId>, kinds: &[UnitKind]) -> impl Iterator<Item = UnitId> {
        all.clone()
            .filter(move |unit| kinds.contains(&self.units[*unit].kind))
    }

    fn name_crates(&mut self, workspace: &Workspace, by_package: &[Range<UnitId>]) {
        let library = |package: PackageId| {
            self.of_kinds(&by_package[package], &[UnitKind::Library])
                .next()
        };
        let mut all = Vec::new();
        let mut all_renamed = Vec::new();
        for (package, member) in workspace.packages.iter().enumerate() {
            let mut externs: Vec<(String, Option<UnitId>)> = Vec::new();
            let mut renamed: Vec<(String, String)> = Vec::new();
            for dependency in &member.dependencies {
                let library = workspace.member_of(dependency).and_then(library);
                let name = match (&dependency.rename, library) {
                    (Some(rename), _) => rename,
                    (None, Some(library)) => &self.units[library].name,
                    (None, None) => &dependency.name,
                };
                if library.is_none() && dependency.rename.is_some() {
                    let package = dependency.name.replace('-', "_");
                    renamed.push((name.replace('-', "_"), package));
                }
                externs.push((name.replace('-', "_"), library));
            }
            all_renamed.push(renamed);
            if let Some(own) = library(package) {
                externs.push((self.units[own].name.replace('-', "_"), Some(own)));
            }
            all.push(externs);
        }
        self.externs = all;
        self.renamed = all_renamed;
    }

    fn link(&mut self, workspace: &Workspace, by_package: &[Range<UnitId>]) {
        let mut all = Vec::with_capacity(self.units.len());
        for (package, own) in by_package.iter().enumerate() {
            // A test can run a program of any package that it depends on.
            let kinds = [UnitKind::Library, UnitKind::BuildScript, UnitKind::Binary];
            let packages = workspace.links(&BTreeSet::from([package]));
            let mut linked: BTreeSet<UnitId> = packages
                .into_iter()
                .flat_map(|package| self.of_kinds(&by_package[package], &kinds))
                .collect();
            // It can also run the examples that cargo builds with it.
            linked.extend(self.of_kinds(own, &[UnitKind::Example]));
            for unit in own.clone() {
                let mut linked = linked.clone();
                linked.insert(unit);
                all.push(linked);
            }
        }
        self.links = all;
    }
}

/// The declarations with the paths that only they have: those of a `cfg_attr` that does not hold.
fn without_paths_of(all: &[Child], resolved: &[Child]) -> Vec<Child> {
    let others = all.iter().filter_map(|child| {
        let mut child = child.clone();
        let same = resolved
            .iter()
            .find(|other| (other.line, &other.name) == (child.line, &child.name));
        if let Some(same) = same {
            child.usual_too = false;
            child.paths.retain(|path| !same.paths.contains(path));
        }
        (same.is_none() || !child.paths.is_empty()).then_some(child)
    });
    others.collect()
}

/// Whether a library is loaded at run time.
fn is_dynamic(target: &Target) -> bool {
    let mut types = target.crate_types.iter();
    types.any(|of| matches!(of, CrateType::CDyLib | CrateType::DyLib))
}
