//! The state of the work tree's files, to compare with a later state.

use std::fs;

use anyhow::{Context as _, Result};
use camino::Utf8Path;

use super::store::State;
use crate::sys::files;
use crate::sys::git::{Listed, Repository};

impl State {
    /// The state of the work tree now. `lockfile`, absolute, belongs to it even where git ignores it.
    ///
    /// # Errors
    /// When git fails or a file cannot be read.
    pub fn of(repository: &Repository, lockfile: &Utf8Path) -> Result<Self> {
        let mut state = Self::default();
        let mut asked = Vec::new();
        for (path, listed) in &repository.listing()?.files {
            let absolute = repository.root.join(path);
            if repository
                .built
                .as_ref()
                .is_some_and(|built| absolute.starts_with(built))
            {
                continue;
            }
            if let Listed::Clean(id) = listed {
                state.files.insert(path.to_string(), id.clone());
                continue;
            }
            match fs::symlink_metadata(&absolute) {
                Ok(metadata) if metadata.is_file() => asked.push(path.as_path()),
                Ok(metadata) if metadata.is_symlink() => {
                    let to = fs::read_link(&absolute)
                        .with_context(|| format!("failed to read {absolute}"))?;
                    state
                        .files
                        .insert(path.to_string(), format!("link {}", to.display()));
                }
                // A submodule, whose own files are not listed; what is gone has no entry.
                Ok(_) => {
                    state.files.insert(path.to_string(), String::new());
                }
                Err(_) => {}
            }
        }
        if let Ok(path) = lockfile.strip_prefix(&repository.root)
            && !repository.listing()?.files.contains_key(path)
            && lockfile.is_file()
        {
            asked.push(path);
        }
        for (path, id) in asked.iter().zip(repository.content_ids(&asked)?) {
            state.files.insert(path.to_string(), id);
            if matches!(path.extension(), Some("rs" | "toml" | "lock")) {
                let text = files::read(&repository.root.join(path))?;
                state.texts.insert(path.to_string(), text);
            }
        }
        Ok(state)
    }

    /// Takes out, and gives, the profiles that are here and were not in the state before. A program that a test starts
    /// without its environment writes one to the folder it runs in, under the name that rustc gives it.
    pub fn take_strays(&mut self, before: &Self) -> Vec<String> {
        let is_stray = |path: &&String| {
            let name = path.rsplit('/').next().unwrap_or(path);
            let ours = name.starts_with("default_") && name.ends_with(".profraw");
            ours && !before.files.contains_key(*path)
        };
        let strays: Vec<String> = self.files.keys().filter(is_stray).cloned().collect();
        for stray in &strays {
            self.files.remove(stray);
        }
        strays
    }

    /// What this state, from before a build, is known to have stayed until `end`: of a file that changed meanwhile is not
    /// known what ran. `Cargo.lock` is as the build left it.
    pub fn keep_what_stayed(&mut self, end: Self) {
        for (path, id) in &mut self.files {
            let locked = path == "Cargo.lock" || path.ends_with("/Cargo.lock");
            match end.files.get(path) {
                Some(now) if now == id => {}
                Some(now) if locked => id.clone_from(now),
                _ => id.clear(),
            }
        }
        for (path, id) in end.files {
            let locked = path == "Cargo.lock" || path.ends_with("/Cargo.lock");
            let new = || if locked { id } else { String::new() };
            self.files.entry(path).or_insert_with(new);
        }
    }

    /// A short name for it: two states have the same name only when all their files are the same.
    #[must_use]
    pub fn name(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (path, id) in &self.files {
            hasher.update(path.as_bytes());
            hasher.update(&[0]);
            hasher.update(id.as_bytes());
            hasher.update(&[0]);
        }
        hasher.finalize().to_hex()[..32].to_owned()
    }
}
