//! The state of the work tree's files, for comparison with a later state.

use std::fs;

use anyhow::{Context as _, Result};
use camino::Utf8Path;

use super::store::State;
use crate::sys::files;
use crate::sys::git::{Listed, Repository};

impl State {
    /// The current state of the work tree. `lockfile`, absolute, is included even if git ignores it.
    ///
    /// # Errors
    /// When git fails or a file cannot be read.
    pub fn of(repository: &Repository, lockfile: &Utf8Path) -> Result<Self> {
        let mut state = Self::default();
        let mut asked = Vec::new();
        let listing = repository.listing()?;
        for (path, listed) in &listing.files {
            let absolute = repository.root.join(path);
            if listing.is_executable(&repository.root, path) {
                state.executable.insert(path.to_string());
            }
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
                // A submodule, whose files are not listed. Missing files have no entry.
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

    /// Removes and returns the profiles that were not in the earlier state. A program that a test starts without its environment writes one to
    /// its current folder, under rustc's default name.
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

    /// Keeps the entries of this state, from before a build, that are equal in `end`, from after it. If a file changed during the
    /// build, the compiled text is unknown. `Cargo.lock` is taken from `end`.
    pub fn keep_what_stayed(&mut self, end: Self) {
        for (path, id) in &mut self.files {
            let same_mode = self.executable.contains(path) == end.executable.contains(path);
            let locked = path == "Cargo.lock" || path.ends_with("/Cargo.lock");
            match end.files.get(path) {
                Some(now) if now == id && same_mode => {}
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

    /// A short name: two states have the same name only if all their files are equal.
    #[must_use]
    pub fn name(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (path, id) in &self.files {
            hasher.update(path.as_bytes());
            hasher.update(&[0]);
            hasher.update(id.as_bytes());
            hasher.update(&[0, u8::from(self.executable.contains(path))]);
        }
        hasher.finalize().to_hex()[..32].to_owned()
    }
}
