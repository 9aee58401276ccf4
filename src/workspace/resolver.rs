//! The rules of cargo's feature resolver for a workspace.
//!
//! Source: the Cargo Book, "Dependency resolution: resolver versions" and "Feature resolver version 2".

use super::id::PackageId;
use super::manifest::Manifest;

/// How features of a package are unified, and which packages command-line flags apply to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolver {
    /// Whether build dependencies and procedural macros share the features of the target (resolver 1).
    pub unifies_host: bool,
    /// Whether dependencies of other platforms enable features as well (resolver 1).
    pub unifies_platforms: bool,
    /// With resolver 1 and a root package, the package that feature flags apply to.
    pub root_alone: Option<PackageId>,
    /// Whether the manifest has `[patch]`: an external package may enable features of a member.
    pub is_patched: bool,
}

impl Resolver {
    /// The rules of the root manifest; `root` is its package, with the edition.
    #[must_use]
    pub fn of(manifest: &str, root: Option<PackageId>, edition: Option<&str>) -> Self {
        let manifest = Manifest::parse(manifest).ok();
        let text = |path: &[&str]| manifest.as_ref()?.get(path)?.as_str();
        let written = text(&["workspace", "resolver"]).or_else(|| text(&["package", "resolver"]));
        let is_first = match (written, edition) {
            (Some(version), _) => version == "1",
            // A virtual workspace has resolver 1 by default.
            (None, edition) => matches!(edition, None | Some("2015" | "2018")),
        };
        let patched = |manifest: &Manifest| manifest.get(&["patch"]).is_some();
        Self {
            unifies_host: is_first,
            unifies_platforms: is_first,
            root_alone: root.filter(|_| is_first),
            is_patched: manifest.as_ref().is_none_or(patched),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolver_follows_from_the_manifest_or_the_edition() {
        let first =
            |manifest: &str, root, edition| Resolver::of(manifest, root, edition).unifies_host;
        assert!(first("[workspace]\n", None, None));
        assert!(!first("[workspace]\nresolver = \"2\"\n", None, None));
        assert!(first("[package]\n", Some(0), Some("2018")));
        assert!(!first("[package]\n", Some(0), Some("2021")));
        assert!(!first("[package]\n", Some(0), Some("2024")));
        let alone = Resolver::of("[package]\nresolver = \"1\"\n", Some(3), Some("2021"));
        assert_eq!(alone.root_alone, Some(3));
        assert!(Resolver::of("[patch.crates-io]\na = { path = \"a\" }\n", None, None).is_patched);
    }
}
