//! Compares the Files table with the changes since the base.

use camino::{Utf8Path, Utf8PathBuf};

use super::context::{Check, LintContext};
use super::plan::leaves;
use crate::change::{Change, base_moves};
use crate::diff::likeness_by_lines;
use crate::document::SectionKind;
use crate::document::plan::{Action, FileRow};
use crate::finding::{Code, Finding, Gate, Rule, Severity};
use crate::status::{FileState, FileStatus};
use crate::sys::files;
use crate::sys::git::ChangeKind;

pub(super) const CHECKS: &[Check] = &[
    (&[UNKNOWN_CHANGE], unknown_change),
    (&[CREATED_BEFORE], created_before),
    (
        &[NOT_AT_BASE, RENAMED_FILE, UNPLANNED_FILE],
        missing_to_modify,
    ),
    (
        &[UNFINISHED_FILE, RENAMED_FILE, UNPLANNED_FILE],
        unfinished_files,
    ),
    (&[RENAMED_FILE, UNPLANNED_FILE], unplanned),
];

/// The maximum number of unplanned files with separate findings. More files share one finding.
const EACH: usize = 10;

/// The minimum share of equal lines of a moved file.
const MOVED: f64 = 0.5;

/// Rows of the Files table with their states; none without a workspace.
fn rows<'a>(cx: &'a LintContext<'_>) -> impl Iterator<Item = (&'a FileRow, &'a FileStatus)> {
    let known = cx.context.workspace.is_some();
    let rows = cx.plan.files.iter().zip(&cx.status.files);
    rows.filter(move |(row, _)| known && !row.path.contains(['*', '?', '{', '[', '<']))
        .filter(|(row, _)| !leaves(&row.path))
}

fn path_of(cx: &LintContext<'_>, row: &FileRow) -> Utf8PathBuf {
    crate::sys::files::normalize(&cx.context.root.join(&row.path))
}

fn change<'a>(cx: &'a LintContext<'_>) -> Option<&'a Change> {
    cx.context.change.as_ref().ok().copied()
}

pub(crate) const UNKNOWN_CHANGE: Code = Code::new(&Rule {
    code: "POC031",
    name: "unknown-change",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "the change since the base is unknown",
    page: r"
The plan's Overview has no Base, or git does not know it, for example in a shallow clone. Which files changed is then unknown.
A Base that moves with each commit, such as `HEAD`, hides committed changes. Write the id of a commit.

```markdown
| **Base** | `no-such-branch` |
```
",
});

/// Plans whose change since the base is unknown, or does not contain what was committed.
fn unknown_change(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let mut rows = cx.plan.overview.iter();
    let base = rows.find(|row| row.key.eq_ignore_ascii_case("base"));
    let error = match (&cx.context.change, &cx.plan.base) {
        _ if cx.context.workspace.is_none() => return,
        (Err(error), _) => error.clone(),
        (Ok(_), Some(base)) if base_moves(base) => format!(
            "the base `{base}` moves with each commit, so the change does not contain what was committed; write the id of a commit"
        ),
        (Ok(_), _) => return,
    };
    found.push(match base {
        Some(row) => cx.in_plan(UNKNOWN_CHANGE, &row.value_span, error),
        None => cx.in_plan_line(UNKNOWN_CHANGE, 1, error),
    });
}

pub(crate) const CREATED_BEFORE: Code = Code::new(&Rule {
    code: "POC036",
    name: "created-before",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a file to create existed at the base",
    page: r"
The plan creates a file that existed at the base. Either the plan replaces existing work, or the action should be Modify.

```markdown
| `store/src/lib.rs` | Create | Pending |
```
",
});

/// Files with the action `Create` that existed at the base.
fn created_before(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let Some(change) = change(cx) else { return };
    let deleted = change.files.iter();
    let deleted: Vec<&Utf8PathBuf> = deleted
        .filter(|file| file.kind == ChangeKind::Deleted)
        .map(|file| &file.path)
        .collect();
    let was_there = |row: &FileRow, file: &FileStatus| {
        // A missing file was deleted, or never existed.
        if file.state == Some(FileState::Pending) {
            !deleted.is_empty() && deleted.contains(&&path_of(cx, row))
        } else {
            change.was_there(&path_of(cx, row)) == Some(true)
        }
    };
    for (row, file) in rows(cx).filter(|(row, _)| row.action == Action::Create) {
        if was_there(row, file) {
            let message = format!(
                "`{}` is planned as Create, but existed at the base",
                row.path
            );
            let help = "plan it as Modify, or choose another name";
            found.push(
                cx.in_plan(CREATED_BEFORE, &row.path_span, message)
                    .help(help),
            );
        }
    }
}

pub(crate) const NOT_AT_BASE: Code = Code::new(&Rule {
    code: "POC037",
    name: "not-at-base",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a file to modify did not exist at the base",
    page: r"
The plan modifies a file that did not exist at the base. Plan it as Create, or correct the path.

```markdown
| `store/src/library.rs` | Modify | Pending |
```
",
});

pub(crate) const RENAMED_FILE: Code = Code::new(&Rule {
    code: "POC039",
    name: "renamed-file",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a planned file was renamed",
    page: r"
A planned file is missing, and a new file that no plan names has the same name or most of its lines. Update the path in the plan.

```markdown
| `store/src/answers.rs` | Modify | Pending |
```
",
});

/// Files with the action `Modify` that do not exist.
fn missing_to_modify(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let Some(change) = change(cx) else { return };
    for (row, file) in rows(cx).filter(|(row, _)| row.action == Action::Modify) {
        let path = path_of(cx, row);
        let was_there = change.was_there(&path);
        let missing = file.state == Some(FileState::Missing);
        let (code, message, help) = match moved_to(cx, change, row, &path) {
            Some(to) if missing => (
                RENAMED_FILE,
                format!("`{}` is missing; it seems to have become `{to}`", row.path),
                format!("plan it as `Rename to {to}`"),
            ),
            _ if missing && was_there == Some(true) => (
                NOT_AT_BASE,
                format!("`{}` is planned as Modify, but was deleted", row.path),
                "plan it as Delete, or restore it".to_owned(),
            ),
            _ if missing => (
                NOT_AT_BASE,
                format!("`{}` is planned as Modify, but does not exist", row.path),
                "plan it as Create, or correct the path".to_owned(),
            ),
            _ if was_there == Some(false) => (
                NOT_AT_BASE,
                format!(
                    "`{}` is planned as Modify, but did not exist at the base",
                    row.path
                ),
                "plan it as Create".to_owned(),
            ),
            _ => continue,
        };
        let to = moved_to(cx, change, row, &path).unwrap_or_default();
        let finding = cx.in_plan(code, &row.path_span, message);
        found.push(finding.help(help).about(to));
    }
}

/// The new unplanned file that replaces a missing one: it has the same name, or most of its lines.
fn moved_to(
    cx: &LintContext<'_>,
    change: &Change,
    row: &FileRow,
    path: &Utf8Path,
) -> Option<String> {
    if path.exists() {
        return None;
    }
    let unplanned = cx
        .status
        .files
        .iter()
        .filter(|file| file.state == Some(FileState::Unplanned));
    let added: Vec<&str> = unplanned
        .map(|file| file.path.as_str())
        .filter(|added| change.was_there(&cx.context.root.join(added)) == Some(false))
        .collect();
    let name = Utf8Path::new(&row.path).file_name();
    let same_name = added
        .iter()
        .find(|added| Utf8Path::new(added).file_name() == name);
    if let Some(same) = same_name {
        return Some((*same).to_owned());
    }
    let gone = change.file(path)?;
    let before = change.before(gone).ok()??;
    let alike = |added: &&&str| {
        let now = files::read(&cx.context.root.join(added)).unwrap_or_default();
        let (before, now) = (
            String::from_utf8_lossy(&before),
            String::from_utf8_lossy(&now),
        );
        !before.is_empty() && likeness_by_lines(&before, &now) > MOVED
    };
    let same = added
        .iter()
        .filter(|added| Utf8Path::new(added).extension() == path.extension())
        .find(alike);
    same.map(|same| (*same).to_owned())
}

pub(crate) const UNFINISHED_FILE: Code = Code::new(&Rule {
    code: "POC038",
    name: "unfinished-file",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "the work is called complete, but a planned file is not done",
    page: r"
The Summary says Complete, but a row of the Files table is not done: a file to create is missing, a file to delete exists, or a
file to modify is unchanged since the base.

```markdown
| `store/src/cache.rs` | Create | Pending |
```
",
});

/// Unfinished rows of work that is marked as complete.
fn unfinished_files(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let Some(change) = change(cx).filter(|_| cx.claims_complete()) else {
        return;
    };
    let pending = |file: &FileStatus| file.state == Some(FileState::Pending);
    for (row, _) in rows(cx).filter(|(_, file)| pending(file)) {
        let moved = moved_to(cx, change, row, &path_of(cx, row));
        let subject = moved.clone().unwrap_or_default();
        let (code, message) = match (&row.action, moved) {
            (Action::Create, Some(to)) => (
                RENAMED_FILE,
                format!(
                    "`{}` is planned as Create, but `{to}` was created",
                    row.path
                ),
            ),
            (Action::Create, None) => (
                UNFINISHED_FILE,
                format!("`{}` is planned as Create, but does not exist", row.path),
            ),
            (Action::Delete, _) => (
                UNFINISHED_FILE,
                format!("`{}` is planned as Delete, but still exists", row.path),
            ),
            (Action::Rename(to), _) => (
                UNFINISHED_FILE,
                format!(
                    "`{}` is planned as Rename to `{to}`, but was not renamed",
                    row.path
                ),
            ),
            _ => (
                UNFINISHED_FILE,
                format!(
                    "`{}` is planned as Modify, but has not changed since the base",
                    row.path
                ),
            ),
        };
        let help = "do it, or remove the row from the plan";
        let finding = cx.in_plan(code, &row.path_span, message);
        found.push(finding.help(help).about(subject));
    }
}

pub(crate) const UNPLANNED_FILE: Code = Code::new(&Rule {
    code: "POC080",
    name: "unplanned-file",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "the plan does not name a changed file",
    page: r"
A file changed since the base, but no row of a Files table names it. Documents, `Cargo.lock`, manifests that a Dependencies
section names, and files of other plans are not reported.

```markdown
## Files to Create/Modify
```
",
});

/// Changed files that no row names, without plans, results, lockfiles, and manifests that the Dependencies name.
fn unplanned(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let named = |file: &&FileStatus| {
        let manifest = Utf8Path::new(&file.path);
        let mut blocks = cx.plan.dependencies.iter();
        let declared = blocks.any(|block| {
            let named = block.manifest.as_deref();
            named.is_some_and(|named| Utf8Path::new(named.trim_start_matches("./")) == manifest)
        });
        !declared && !cx.context.other_plans.names(&cx.status.name, &file.path)
    };
    let unplanned = cx.status.files.iter();
    let unplanned = unplanned.filter(|file| file.state == Some(FileState::Unplanned));
    let table = cx.section(SectionKind::Files);
    let renamed = |file: &&FileStatus, found: &[Finding]| {
        let mut found = found.iter().filter(|finding| finding.code == RENAMED_FILE);
        found.any(|finding| finding.subject == file.path)
    };
    let unplanned: Vec<&FileStatus> = unplanned
        .filter(named)
        .filter(|file| !renamed(file, found))
        .collect();
    let at = |message: String| match &table {
        Some(heading) => cx.in_plan(UNPLANNED_FILE, heading, message),
        None => cx.in_plan_line(UNPLANNED_FILE, 1, message),
    };
    let help = "add it to the Files table, or revert it";
    if unplanned.len() > EACH {
        // The base is old, or the plan is about other work: separate findings would hide all others.
        let few: Vec<String> = unplanned
            .iter()
            .take(3)
            .map(|file| format!("`{}`", file.path))
            .collect();
        let message = format!(
            "{} and {} more changed files are not in the plan",
            few.join(", "),
            unplanned.len() - few.len()
        );
        found.push(
            at(message).help("add them to the Files table, a glob for many, or correct the Base"),
        );
        return;
    }
    for file in unplanned {
        let kind = change(cx).and_then(|change| change.file(&cx.context.root.join(&file.path)));
        let verb = match kind.map(|changed| changed.kind) {
            Some(ChangeKind::Added) => "is new",
            Some(ChangeKind::Deleted) => "was deleted",
            _ => "was changed",
        };
        let message = format!("`{}` {verb}, but the plan does not name it", file.path);
        found.push(at(message).about(&file.path).help(help));
    }
}
