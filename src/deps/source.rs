//! Compares the sources of a package like cargo.

use camino::Utf8Path;

use crate::sys::files;

/// Whether two values of a key such as `path` or `git` refer to the same source.
///
/// `has_folder` and `wanted_folder` are the folders of the manifests, relative to the workspace root, where relative paths start.
pub(super) fn is_same(
    key: &str,
    (has_folder, has): (&Utf8Path, &str),
    (wanted_folder, wanted): (&Utf8Path, &str),
) -> bool {
    match key {
        "path" => {
            let place = |folder: &Utf8Path, path: &str| {
                files::normalize(&folder.join(path.replace('\\', "/")))
            };
            place(has_folder, has) == place(wanted_folder, wanted)
        }
        "git" => canonical_git(has) == canonical_git(wanted),
        "registry-index" => canonical_index(has) == canonical_index(wanted),
        _ => has == wanted,
    }
}

/// Whether a key has the value that cargo assumes by default.
pub(super) fn is_default(key: &str, value: &str) -> bool {
    key == "registry" && value == "crates-io"
}

/// A repository's URL as in cargo's `CanonicalUrl`: without a final slash or `.git`, and in lower case on GitHub.
fn canonical_git(url: &str) -> String {
    let url = lower_scheme_and_host(url.trim());
    let url = url.strip_suffix('/').unwrap_or(&url);
    let url = match url.split_once("://") {
        Some((_, rest)) if host(rest) == "github.com" => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            format!("https://{authority}{}", path.to_lowercase())
        }
        _ => url.to_owned(),
    };
    url.strip_suffix(".git").unwrap_or(&url).to_owned()
}

fn canonical_index(url: &str) -> String {
    let url = url.trim();
    let (sparse, url) = match url.strip_prefix("sparse+") {
        Some(url) => ("sparse+", url),
        None => ("", url),
    };
    format!("{sparse}{}", canonical_git(url))
}

/// Scheme and host in lower case, without the default port of the scheme, as in the URL standard.
fn lower_scheme_and_host(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let scheme = scheme.to_lowercase();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (format!("{user}@"), host),
        None => (String::new(), authority),
    };
    let host = host.to_lowercase();
    let port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => "",
    };
    let host = host.strip_suffix(port).unwrap_or(&host);
    format!("{scheme}://{user}{host}{path}")
}

/// The host of a URL without its scheme.
fn host(rest: &str) -> &str {
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(key: &str, one: &str, other: &str) -> bool {
        let folder = Utf8Path::new("m");
        is_same(key, (folder, one), (folder, other))
    }

    #[test]
    fn equal_sources() {
        for (key, one, other) in [
            ("path", "./dep", "dep"),
            ("path", "dep/", "dep"),
            ("path", "a/../dep", "dep"),
            ("path", "../m/dep", "dep"),
            ("path", "..//dep/.", "../dep"),
            (
                "git",
                "https://example.org/o/dep.git",
                "https://example.org/o/dep",
            ),
            (
                "git",
                "https://example.org/o/dep/",
                "https://example.org/o/dep",
            ),
            (
                "git",
                "https://example.org/o/dep.git/",
                "https://example.org/o/dep",
            ),
            (
                "git",
                "HTTPS://Example.org:443/o/dep",
                "https://example.org/o/dep",
            ),
            (
                "git",
                "https://github.com/Rust-Lang/Cargo.git",
                "https://github.com/rust-lang/cargo",
            ),
            ("git", "http://github.com/o/dep", "https://github.com/o/dep"),
            (
                "registry-index",
                "sparse+https://index.example/",
                "sparse+https://index.example",
            ),
        ] {
            assert!(same(key, one, other), "{key}: {one} and {other}");
        }
    }

    #[test]
    fn different_sources() {
        for (key, one, other) in [
            ("path", "dep", "Dep"),
            ("path", "dep", "../dep"),
            (
                "git",
                "https://example.org/O/dep",
                "https://example.org/o/dep",
            ),
            (
                "git",
                "ssh://git@github.com/o/dep",
                "https://github.com/o/dep",
            ),
            (
                "git",
                "https://example.org/o/dep.git.git",
                "https://example.org/o/dep",
            ),
            (
                "git",
                "https://example.org:8443/o/dep",
                "https://example.org/o/dep",
            ),
            (
                "registry-index",
                "sparse+https://index.example/",
                "https://index.example/",
            ),
            ("branch", "main", "Main"),
        ] {
            assert!(!same(key, one, other), "{key}: {one} and {other}");
        }
    }

    #[test]
    fn paths_are_relative_to_their_manifests() {
        let (root, member) = (Utf8Path::new(""), Utf8Path::new("m"));
        assert!(is_same("path", (root, "dep"), (member, "../dep")));
        assert!(!is_same("path", (root, "dep"), (member, "dep")));
    }
}
