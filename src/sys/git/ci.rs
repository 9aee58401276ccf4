//! The base that a CI system provides in environment variables.
//!
//! Sources: GitHub "Default environment variables" and "Webhook events and payloads", GitLab "Predefined CI/CD variables", `Buildkite`
//! "Environment variables", Azure "Use predefined variables". `CircleCI` has a base only as the pipeline value
//! `pipeline.git.base_revision`, which a job must pass with `--base`.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

/// The base of a CI run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CiBase {
    /// A commit.
    Commit(String),
    /// A branch of the remote: the merge base with it.
    Branch(String),
    /// The first parent of HEAD, which merges the change into the target branch.
    MergeCommit(String),
}

/// The base that the CI system provides for the checkout around `root`; `None` outside CI, and without a base.
pub(super) fn base(root: &Utf8Path) -> Option<CiBase> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let event = variable("GITHUB_EVENT_PATH");
    let event = event.and_then(|path| std::fs::read(path).ok());
    let event = event.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    read(root, &variable, &event.unwrap_or_default())
}

/// The setting that makes the CI system, if this is one, provide the base.
pub(super) fn how_to_name_it() -> &'static str {
    if std::env::var_os("CIRCLECI").is_some() {
        "--base << pipeline.git.base_revision >>"
    } else {
        "--base COMMIT"
    }
}

/// Whether this runs in a CI system.
pub(super) fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
        || std::env::var_os("TF_BUILD").is_some()
}

fn read(
    root: &Utf8Path,
    variable: &dyn Fn(&str) -> Option<String>,
    event: &Value,
) -> Option<CiBase> {
    // The variables describe one checkout. Other repositories, such as those of tests, have other bases.
    let is_checkout = |name: &str| {
        let Some(folder) = variable(name).map(Utf8PathBuf::from) else {
            return true;
        };
        let real = dunce::canonicalize(&folder).ok();
        let real = real.and_then(|real| Utf8PathBuf::try_from(real).ok());
        root.starts_with(&folder) || real.is_some_and(|real| root.starts_with(real))
    };
    let commit = |name: &str| variable(name).filter(|id| is_commit(id));
    let branch = |name: &str| {
        let name = variable(name)?;
        let name = name.strip_prefix("refs/heads/").unwrap_or(&name);
        Some(CiBase::Branch(name.to_owned()))
    };
    if variable("GITHUB_ACTIONS").is_some() && is_checkout("GITHUB_WORKSPACE") {
        return github(variable, event);
    }
    if variable("GITLAB_CI").is_some() && is_checkout("CI_PROJECT_DIR") {
        let request = commit("CI_MERGE_REQUEST_DIFF_BASE_SHA").map(CiBase::Commit);
        let request = request.or_else(|| branch("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"));
        let on_default = variable("CI_COMMIT_BRANCH")
            .is_some_and(|own| variable("CI_DEFAULT_BRANCH").is_some_and(|default| own == default));
        return request.or_else(|| {
            if on_default {
                commit("CI_COMMIT_BEFORE_SHA").map(CiBase::Commit)
            } else {
                branch("CI_DEFAULT_BRANCH")
            }
        });
    }
    if variable("BUILDKITE").is_some() && is_checkout("BUILDKITE_BUILD_CHECKOUT_PATH") {
        return branch("BUILDKITE_PULL_REQUEST_BASE_BRANCH").or_else(|| {
            let default = variable("BUILDKITE_PIPELINE_DEFAULT_BRANCH")?;
            let own = variable("BUILDKITE_BRANCH");
            (own.as_deref() != Some(default.as_str())).then_some(CiBase::Branch(default))
        });
    }
    if variable("TF_BUILD").is_some() && is_checkout("BUILD_SOURCESDIRECTORY") {
        return branch("SYSTEM_PULLREQUEST_TARGETBRANCH");
    }
    None
}

fn github(variable: &dyn Fn(&str) -> Option<String>, event: &Value) -> Option<CiBase> {
    if let Some(base) = variable("GITHUB_BASE_REF") {
        let merged = variable("GITHUB_REF").is_some_and(|name| name.ends_with("/merge"));
        return Some(if merged {
            CiBase::MergeCommit(base)
        } else {
            CiBase::Branch(base)
        });
    }
    let text = |path: &str| event.pointer(path).and_then(Value::as_str);
    let named = |path: &str| text(path).filter(|id| is_commit(id)).map(str::to_owned);
    if let Some(base) = named("/merge_group/base_sha") {
        return Some(CiBase::Commit(base));
    }
    let default = text("/repository/default_branch");
    match (variable("GITHUB_REF_NAME"), default) {
        // Work on another branch started at the merge base with the default branch, not at the last push.
        (Some(own), Some(default)) if own != default => Some(CiBase::Branch(default.to_owned())),
        _ => named("/before").map(CiBase::Commit),
    }
}

/// Whether this is a full commit id. CI systems use zeros if there is no earlier commit.
fn is_commit(id: &str) -> bool {
    id.len() >= 40
        && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        && id.bytes().any(|byte| byte != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "1111111111111111111111111111111111111111";
    const NONE: &str = "0000000000000000000000000000000000000000";

    fn of(variables: &[(&str, &str)], event: &Value) -> Option<CiBase> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        read(Utf8Path::new("/checkout"), &variable, event)
    }

    #[expect(clippy::unnecessary_wraps, reason = "what `of` is compared with")]
    fn branch(name: &str) -> Option<CiBase> {
        Some(CiBase::Branch(name.to_owned()))
    }

    #[test]
    fn github_provides_the_target_of_a_pull_request_or_the_commit_before_a_push() {
        let github = ("GITHUB_ACTIONS", "true");
        assert_eq!(of(&[], &Value::Null), None);
        assert_eq!(
            of(&[github, ("GITHUB_BASE_REF", "trunk")], &Value::Null),
            branch("trunk")
        );
        let merge = [
            github,
            ("GITHUB_BASE_REF", "trunk"),
            ("GITHUB_REF", "refs/pull/7/merge"),
        ];
        assert_eq!(
            of(&merge, &Value::Null),
            Some(CiBase::MergeCommit("trunk".to_owned()))
        );
        let event = |before: &str| serde_json::json!({"before": before, "repository": {"default_branch": "trunk"}});
        let push = |name| [github, ("GITHUB_REF_NAME", name)];
        assert_eq!(
            of(&push("trunk"), &event(OLD)),
            Some(CiBase::Commit(OLD.to_owned()))
        );
        assert_eq!(of(&push("trunk"), &event(NONE)), None);
        assert_eq!(of(&push("topic"), &event(OLD)), branch("trunk"));
        let elsewhere = [
            github,
            ("GITHUB_BASE_REF", "trunk"),
            ("GITHUB_WORKSPACE", "/other"),
        ];
        assert_eq!(of(&elsewhere, &Value::Null), None);
    }

    #[test]
    fn other_systems_provide_a_commit_or_a_branch() {
        let gitlab = ("GITLAB_CI", "true");
        assert_eq!(
            of(
                &[gitlab, ("CI_MERGE_REQUEST_DIFF_BASE_SHA", OLD)],
                &Value::Null
            ),
            Some(CiBase::Commit(OLD.to_owned()))
        );
        assert_eq!(
            of(
                &[gitlab, ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "trunk")],
                &Value::Null
            ),
            branch("trunk")
        );
        let pushed = [
            gitlab,
            ("CI_COMMIT_BRANCH", "trunk"),
            ("CI_DEFAULT_BRANCH", "trunk"),
            ("CI_COMMIT_BEFORE_SHA", OLD),
        ];
        assert_eq!(
            of(&pushed, &Value::Null),
            Some(CiBase::Commit(OLD.to_owned()))
        );
        let buildkite = [
            ("BUILDKITE", "true"),
            ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "trunk"),
        ];
        assert_eq!(of(&buildkite, &Value::Null), branch("trunk"));
        let azure = [
            ("TF_BUILD", "True"),
            ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/trunk"),
        ];
        assert_eq!(of(&azure, &Value::Null), branch("trunk"));
        assert_eq!(of(&[("CIRCLECI", "true")], &Value::Null), None);
    }
}
