//! Globs of paths, with the same meaning in the whole program.

use globset::{GlobBuilder, GlobMatcher};

/// Whether a path of a plan is a pattern.
#[must_use]
pub(crate) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '{'])
}

/// The matcher of a pattern: `*` and `?` match inside a folder, `**` across folders. `None` for a plain path and for an invalid pattern, which
/// is treated as a path.
#[must_use]
pub(crate) fn matcher(pattern: &str) -> Option<GlobMatcher> {
    if !is_pattern(pattern) {
        return None;
    }
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    Some(glob.ok()?.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::matcher;

    #[test]
    fn star_matches_inside_a_folder() {
        for (pattern, path, matches) in [
            ("src/*.rs", "src/a.rs", true),
            ("src/*.rs", "src/a/b.rs", false),
            ("src/**/*.rs", "src/a/b.rs", true),
            ("src/{a,b}.rs", "src/b.rs", true),
            ("src/?.rs", "src/a.rs", true),
        ] {
            assert_eq!(
                matcher(pattern).unwrap().is_match(path),
                matches,
                "{pattern} {path}"
            );
        }
        assert!(matcher("src/a.rs").is_none() && matcher("src/{a").is_none());
    }
}
