//! Files that no build and no test reads unless code embeds, names or walks to them. They select nothing by themselves.

use camino::Utf8Path;

use crate::workspace::Workspace;

/// The description of such a file; `None` for any other. Names count only in the root of the workspace or of a package: a README in
/// `tests/` may be data.
pub(super) fn kind_of(workspace: &Workspace, path: &Utf8Path) -> Option<&'static str> {
    if is_snapshot(path) {
        return Some("a snapshot");
    }
    let inside = inside_root(workspace, path)?;
    let mut parts = inside.components();
    let first = parts.next()?.as_str();
    if parts.next().is_some() {
        let is_task_list =
            matches!(first, "specs" | "openspec" | "backlog") && inside.extension() == Some("md");
        return of_folder(first).or_else(|| is_task_list.then_some("a document of another tool"));
    }
    of_name(first)
}

/// The path of a file relative to the innermost root, of a package or of the workspace.
fn inside_root<'p>(workspace: &Workspace, path: &'p Utf8Path) -> Option<&'p Utf8Path> {
    match workspace.owner(path) {
        Some(package) => path.strip_prefix(workspace.folder(package)).ok(),
        None => path.strip_prefix(&workspace.root).ok(),
    }
}

/// A snapshot of insta: `snapshots/NAME.snap` beside the source.
fn is_snapshot(path: &Utf8Path) -> bool {
    path.extension() == Some("snap")
        && path.parent().and_then(Utf8Path::file_name) == Some("snapshots")
}

fn of_folder(name: &str) -> Option<&'static str> {
    match name {
        ".github" | ".gitlab" | ".circleci" | ".buildkite" | ".forgejo" | ".gitea" => {
            Some("the configuration of a CI system")
        }
        ".vscode" | ".idea" | ".zed" | ".helix" | ".devcontainer" => {
            Some("the configuration of an editor")
        }
        _ => None,
    }
}

fn of_name(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let stem = lower.split(['.', '-', '_']).next().unwrap_or_default();
    match lower.as_str() {
        "rustfmt.toml"
        | ".rustfmt.toml"
        | "clippy.toml"
        | ".clippy.toml"
        | "deny.toml"
        | "taplo.toml"
        | ".taplo.toml"
        | "typos.toml"
        | ".typos.toml"
        | "_typos.toml"
        | "cliff.toml"
        | "release.toml"
        | ".editorconfig"
        | ".prettierrc"
        | ".pre-commit-config.yaml"
        | ".markdownlint.json"
        | ".markdownlint.yaml" => {
            return Some("the configuration of a tool that builds nothing");
        }
        ".gitignore"
        | ".gitattributes"
        | ".mailmap"
        | ".git-blame-ignore-revs"
        | ".dockerignore"
        | ".ignore" => {
            return Some("a list of files for other tools");
        }
        ".gitlab-ci.yml"
        | ".travis.yml"
        | "appveyor.yml"
        | ".appveyor.yml"
        | "azure-pipelines.yml"
        | "codecov.yml"
        | ".codecov.yml"
        | "renovate.json"
        | "codeowners" => {
            return Some("the configuration of a CI system");
        }
        _ => {}
    }
    // `LICENSE-MIT`, `README.de.md`: text for people, not code.
    let extension = Utf8Path::new(&lower).extension();
    let is_text = matches!(
        extension,
        None | Some("md" | "txt" | "rst" | "adoc" | "html")
    );
    let is_known = matches!(
        stem,
        "readme"
            | "license"
            | "licence"
            | "licenses"
            | "copying"
            | "copyright"
            | "unlicense"
            | "notice"
            | "patents"
            | "changelog"
            | "changes"
            | "history"
            | "releases"
            | "news"
            | "contributing"
            | "contributors"
            | "authors"
            | "security"
            | "support"
            | "governance"
            | "maintainers"
            | "code"
    );
    let is_known = is_known && (stem != "code" || lower.starts_with("code_of_conduct"));
    (is_known && is_text).then_some("text for people")
}
