//! Hashes the inputs of runs from the files of the workspace, or of a commit.

mod variables;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::SystemTime;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

use super::inputs::{self, BUILD, IGNORED_LOCKFILE, Inputs, TOOLCHAIN, WORKSPACE, short, variable};
use super::{environment, outside, reach};
use crate::config::Config;
use crate::evidence::CHANGED;
use crate::sys::cargo::LOCKFILE;
use crate::sys::files;
use crate::sys::git::{Listed, Repository, can_be_hashed};
use crate::workspace::{PackageId, Workspace};

/// The files of the workspace by input, and the hashes computed so far.
#[derive(Debug)]
pub struct Hasher<'w> {
    workspace: &'w Workspace,
    repository: Option<Repository>,
    files: BTreeMap<Option<PackageId>, Vec<File>>,
    /// All files of the workspace, read by tests or not.
    listed: HashSet<Utf8PathBuf>,
    hashes: BTreeMap<Option<PackageId>, Hashed>,
    common: Inputs,
}

/// The hash of an input, and the content of each of its files by path.
#[derive(Debug, Default)]
struct Hashed {
    hash: String,
    contents: Vec<(String, String)>,
    /// When each file of [`Self::contents`] was last written to, where the file system knows it.
    written: BTreeMap<String, SystemTime>,
}

impl<'w> Hasher<'w> {
    /// Lists the workspace's files, through `repository` if there is one. `toolchain` is the result of
    /// [`toolchain`](crate::sys::cargo::toolchain).
    ///
    /// # Errors
    /// When the files cannot be listed or the lockfile cannot be read.
    pub fn new(
        workspace: &'w Workspace,
        config: &'w Config,
        repository: Option<Repository>,
        toolchain: &str,
    ) -> Result<Self> {
        let files = listed(workspace, repository.as_ref())?;
        let mut common = Inputs::from([
            (
                TOOLCHAIN.to_owned(),
                short(blake3::hash(toolchain.as_bytes())),
            ),
            (BUILD.to_owned(), environment::build(&workspace.root)?),
        ]);
        let ignored = lockfile_is_ignored(workspace, repository.as_ref(), &files);
        lockfile(&mut common, workspace, ignored)?;
        Ok(Self::over(workspace, config, repository, files, common))
    }

    /// Hashes the files of a commit, without the toolchain and the environment, which are not in a commit.
    ///
    /// # Errors
    /// When git cannot be run.
    pub fn of_commit(
        workspace: &'w Workspace,
        config: &'w Config,
        repository: &Repository,
        commit: &str,
    ) -> Result<Self> {
        let root = &workspace.root;
        let files = repository.tree(commit)?.into_iter();
        let files = files.map(|(path, id, is_executable)| File {
            path: repository.root.join(path),
            content: Some(id),
            is_executable,
        });
        let files = files.filter(|file| file.path.starts_with(root)).collect();
        let lockfile = root.join(LOCKFILE);
        let lockfile = match lockfile.strip_prefix(&repository.root) {
            Ok(path) => repository.show(commit, path)?,
            Err(_) => None,
        };
        let lockfile = lockfile.map(|bytes| (LOCKFILE.to_owned(), hash_lockfile(&bytes)));
        Ok(Self::over(
            workspace,
            config,
            None,
            files,
            lockfile.into_iter().collect(),
        ))
    }

    fn over(
        workspace: &'w Workspace,
        config: &'w Config,
        repository: Option<Repository>,
        files: Vec<File>,
        mut common: Inputs,
    ) -> Self {
        common.extend(inputs::environment(workspace));
        let mut by_owner: BTreeMap<Option<PackageId>, Vec<File>> = BTreeMap::new();
        let listed = files.iter().map(|file| file.path.clone()).collect();
        for file in files {
            if counts(workspace, config, &file.path) {
                let owner = workspace.owner(&file.path);
                by_owner.entry(owner).or_default().push(file);
            }
        }
        Self {
            workspace,
            repository,
            files: by_owner,
            listed,
            hashes: BTreeMap::new(),
            common,
        }
    }

    /// The inputs of a run of these packages' tests: every member they link, and the global inputs.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn inputs(&mut self, packages: &BTreeSet<PackageId>) -> Result<Inputs> {
        self.inputs_from(&self.workspace.links(packages))
    }

    /// [`Self::inputs`] from these members, as [`Self::reached`] gives them.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn inputs_from(&mut self, members: &BTreeSet<PackageId>) -> Result<Inputs> {
        let members = members.iter().copied();
        let needed: BTreeSet<Option<PackageId>> = members.map(Some).chain([None]).collect();
        let mut inputs = self.common.clone();
        inputs.extend(self.sources(&needed)?);
        inputs.extend(environment::values(self.variables_read(&needed)?.iter()));
        Ok(inputs)
    }

    /// The members that a run of these packages' tests can depend on: those it links, and those its code can start or read.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn reached(&self, packages: &BTreeSet<PackageId>) -> Result<BTreeSet<PackageId>> {
        let mut members = self.workspace.links(packages);
        if members.len() < self.workspace.packages.len() {
            let linked = members.iter().copied().map(Some).collect();
            members.extend(reach::members(self.workspace, &self.sources_of(&linked))?);
        }
        Ok(members)
    }

    /// The inputs that are not among the files of the workspace, as far as what was built shows them.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn outside(&self) -> Result<Inputs> {
        outside::inputs(self.workspace, &self.listed)
    }

    /// The inputs of all members' tests that are no files which git lists: the toolchain, variables and files elsewhere.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn conditions(&self) -> Result<Inputs> {
        let mut inputs = self.common.clone();
        inputs.remove(LOCKFILE);
        inputs.extend(self.variables()?);
        inputs.extend(self.outside()?);
        Ok(inputs)
    }

    /// The hashes of the members that these packages link.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn members(&mut self, packages: &BTreeSet<PackageId>) -> Result<Inputs> {
        let linked = self.workspace.links(packages).into_iter();
        self.sources(&linked.map(Some).collect())
    }

    fn sources(&mut self, keys: &BTreeSet<Option<PackageId>>) -> Result<Inputs> {
        self.hash(keys)?;
        let input = |key| (name(self.workspace, key), self.hashes[&key].hash.clone());
        Ok(keys.iter().copied().map(input).collect())
    }

    /// The Rust sources of these inputs.
    fn sources_of(&self, keys: &BTreeSet<Option<PackageId>>) -> Vec<&Utf8PathBuf> {
        let paths = self.files_of(keys);
        paths
            .filter(|path| path.extension() == Some("rs"))
            .collect()
    }

    fn files_of(&self, keys: &BTreeSet<Option<PackageId>>) -> impl Iterator<Item = &Utf8PathBuf> {
        let files = self.files.iter().filter(|(key, _)| keys.contains(key));
        files.flat_map(|(_, files)| files).map(|file| &file.path)
    }

    /// The files, relative to the workspace, that differ in `later`, for inputs that both have hashed; and other inputs that
    /// differ.
    #[must_use]
    pub fn differences(&self, later: &Self) -> Vec<String> {
        let mut differing = BTreeSet::new();
        for (key, before) in &self.hashes {
            let Some(after) = later
                .hashes
                .get(key)
                .filter(|after| after.hash != before.hash)
            else {
                continue;
            };
            let before: BTreeSet<_> = before.contents.iter().collect();
            let after: BTreeSet<_> = after.contents.iter().collect();
            differing.extend(
                before
                    .symmetric_difference(&after)
                    .map(|(path, _)| path.clone()),
            );
        }
        for name in [TOOLCHAIN, BUILD] {
            if self.common.get(name) != later.common.get(name) {
                differing.insert(name.to_owned());
            }
        }
        differing.into_iter().collect()
    }

    /// The files that have the same content in `later` and were written to after the first of `times`, the calls of cargo,
    /// while no call was at work: the tests may have seen another content. A file that cargo rewrites is one that a build
    /// script makes.
    #[must_use]
    pub fn restored(&self, later: &Self, times: &[(SystemTime, SystemTime)]) -> Vec<String> {
        let Some((_, first)) = times.first() else {
            return Vec::new();
        };
        let at_work = |written: &SystemTime| {
            times
                .iter()
                .any(|(begun, ended)| written >= begun && written < ended)
        };
        let mut restored = Vec::new();
        for (key, before) in &self.hashes {
            let Some(after) = later.hashes.get(key) else {
                continue;
            };
            for (path, written) in &after.written {
                let known = before.written.get(path).is_some_and(|then| then != written);
                if known && written >= first && !at_work(written) {
                    restored.push(path.clone());
                }
            }
        }
        restored
    }

    /// Marks the inputs that hold one of these files, as [`Self::restored`] gives them, as changed.
    pub fn mark_restored(&self, inputs: &mut Inputs, files: &[String]) {
        for (key, hashed) in &self.hashes {
            if files.iter().any(|file| hashed.written.contains_key(file)) {
                inputs.insert(name(self.workspace, *key), CHANGED.to_owned());
            }
        }
    }

    /// The current hashes of the inputs with these names; an unknown name has none.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn current<'name>(&mut self, names: impl Iterator<Item = &'name String>) -> Result<Inputs> {
        let workspace = self.workspace;
        let keys = (0..workspace.packages.len()).map(Some).chain([None]);
        let by_name: BTreeMap<String, Option<PackageId>> =
            keys.map(|key| (name(workspace, key), key)).collect();
        let names: BTreeSet<&String> = names.collect();
        let needed = names
            .iter()
            .filter_map(|name| by_name.get(*name).copied())
            .collect();
        self.hash(&needed)?;
        let mut inputs = self.common.clone();
        for name in names {
            if let Some(key) = by_name.get(name) {
                inputs.insert(name.clone(), self.hashes[key].hash.clone());
            } else if let Some(variable) = variable(name) {
                inputs.extend(environment::values(std::iter::once(&variable.to_owned())));
            } else if let Some(hash) = outside::hash(workspace, name)? {
                inputs.insert(name.clone(), hash);
            }
        }
        Ok(inputs)
    }

    fn hash(&mut self, needed: &BTreeSet<Option<PackageId>>) -> Result<()> {
        let missing: Vec<Option<PackageId>> = needed
            .iter()
            .copied()
            .filter(|key| !self.hashes.contains_key(key))
            .collect();
        self.ask_git(&missing)?;
        let hashed: Vec<(Option<PackageId>, Hashed)> = missing
            .into_par_iter()
            .map(|key| {
                let files = self.files.get(&key).map_or(&[][..], Vec::as_slice);
                Ok((key, hash(self.workspace, files)?))
            })
            .collect::<Result<_>>()?;
        self.hashes.extend(hashed);
        Ok(())
    }

    /// Uses git's ids for the files of these inputs, so that committing a file does not make evidence stale. Computes missing ids.
    fn ask_git(&mut self, keys: &[Option<PackageId>]) -> Result<()> {
        let Some(repository) = &self.repository else {
            return Ok(());
        };
        let mut unknown: Vec<&mut File> = self
            .files
            .iter_mut()
            .filter(|(key, _)| keys.contains(key))
            .flat_map(|(_, files)| files)
            .filter(|file| file.content.is_none() && can_be_hashed(&file.path))
            .collect();
        let paths: Vec<Utf8PathBuf> = unknown
            .iter()
            .map(|file| {
                let below = file.path.strip_prefix(&repository.root);
                below.unwrap_or(&file.path).to_owned()
            })
            .collect();
        let paths: Vec<&Utf8Path> = paths.iter().map(Utf8PathBuf::as_path).collect();
        let ids = repository.content_ids(&paths)?;
        for (file, id) in unknown.iter_mut().zip(ids) {
            file.content = Some(id);
        }
        Ok(())
    }
}

/// Whether a file is an input of its owner: not a plan or results, not the lockfile, not a build output, and not excluded by
/// a rule of the user.
fn counts(workspace: &Workspace, config: &Config, path: &Utf8Path) -> bool {
    let relative = workspace.relative(path);
    relative != LOCKFILE
        && !workspace.is_built(path)
        && !config.is_document(relative)
        && !config.is_unread(relative)
}

/// The names of the inputs that contain these absolute paths.
pub fn names_of<'f>(
    workspace: &Workspace,
    config: &Config,
    files: impl Iterator<Item = &'f Utf8Path>,
) -> BTreeSet<String> {
    let lockfile = workspace.root.join(LOCKFILE);
    files
        .filter_map(|path| {
            if path == lockfile {
                Some(LOCKFILE.to_owned())
            } else {
                counts(workspace, config, path).then(|| name(workspace, workspace.owner(path)))
            }
        })
        .collect()
}

/// A member's name, with its folder if members share the name; [`WORKSPACE`] for files of no member.
fn name(workspace: &Workspace, key: Option<PackageId>) -> String {
    let Some(package) = key else {
        return WORKSPACE.to_owned();
    };
    let own = &workspace.packages[package].name;
    let same = workspace.packages.iter().filter(|other| other.name == *own);
    if same.count() > 1 {
        format!("{own} ({})", workspace.slashed(workspace.folder(package)))
    } else {
        own.to_string()
    }
}

fn lockfile(inputs: &mut Inputs, workspace: &Workspace, ignored: bool) -> Result<()> {
    inputs.remove(LOCKFILE);
    inputs.remove(IGNORED_LOCKFILE);
    if let Some(lockfile) = files::read_if_exists(&workspace.root.join(LOCKFILE))? {
        let name = if ignored { IGNORED_LOCKFILE } else { LOCKFILE };
        inputs.insert(name.to_owned(), hash_lockfile(&lockfile));
    }
    Ok(())
}

/// Hashes a lockfile with the line ends that cargo writes, because git may check it out with others.
fn hash_lockfile(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    short(blake3::hash(text.as_bytes()))
}

/// Whether git ignores the existing lockfile: `listed` are all files that it does not ignore.
fn lockfile_is_ignored(
    workspace: &Workspace,
    repository: Option<&Repository>,
    listed: &[File],
) -> bool {
    let path = workspace.root.join(LOCKFILE);
    repository.is_some() && path.exists() && !listed.iter().any(|file| file.path == path)
}

/// A file of the workspace.
#[derive(Debug)]
struct File {
    /// Absolute.
    path: Utf8PathBuf,
    /// git's id of its content, if known.
    content: Option<String>,
    /// Whether it may be executed.
    is_executable: bool,
}

fn listed(workspace: &Workspace, repository: Option<&Repository>) -> Result<Vec<File>> {
    let Some(repository) = repository else {
        let unknown = |path: Utf8PathBuf| File {
            is_executable: files::is_executable(&path),
            path,
            content: None,
        };
        return Ok(files::walk(&workspace.root)?
            .into_iter()
            .filter(|path| !files::own_outputs().contains(path))
            .map(unknown)
            .collect());
    };
    let listing = repository.listing()?;
    let files = listing.files.iter().map(|(path, listed)| File {
        path: repository.root.join(path),
        content: match listed {
            Listed::Clean(id) => Some(id.clone()),
            Listed::Unknown | Listed::Untracked => None,
        },
        is_executable: listing.is_executable(&repository.root, path),
    });
    Ok(files
        .filter(|file| file.path.starts_with(&workspace.root))
        .collect())
}

/// Hashes each file's path, content, and whether it may be executed. A missing file (deleted, but still in git's index) is skipped.
fn hash(workspace: &Workspace, files: &[File]) -> Result<Hashed> {
    let mut contents: Vec<(String, String)> = files
        .par_iter()
        .filter_map(|file| {
            let content = match &file.content {
                Some(id) => Ok(Some(id.clone())),
                None if file.path.is_dir() => Ok(None),
                None => files::read_if_exists(&file.path)
                    .map(|bytes| bytes.map(|bytes| blake3::hash(&bytes).to_hex().to_string())),
            };
            let named = |mut content: String| {
                if file.is_executable {
                    content.push_str(" executable");
                }
                (workspace.slashed(&file.path), content)
            };
            content.map(|content| content.map(named)).transpose()
        })
        .collect::<Result<_>>()?;
    contents.sort();
    let mut whole = blake3::Hasher::new();
    for (path, content) in &contents {
        whole
            .update(path.as_bytes())
            .update(&[0])
            .update(content.as_bytes())
            .update(&[0]);
    }
    let written = files.iter().filter_map(|file| {
        let written = crate::sys::files::written(&file.path)?;
        Some((workspace.slashed(&file.path), written))
    });
    Ok(Hashed {
        hash: short(whole.finalize()),
        written: written.collect(),
        contents,
    })
}
