//! The Files table against what changed since the base.

use camino::{Utf8Path, Utf8PathBuf};

use super::plan::leaves;
use super::{Rule, Subject};
use crate::change::Change;
use crate::diff::likeness_by_lines;
use crate::document::SectionKind;
use crate::document::plan::{Action, FileRow};
use crate::finding::{Code, Finding};
use crate::status::{FileState, FileStatus};
use crate::sys::files;
use crate::sys::git::ChangeKind;

pub(super) const RULES: &[Rule] = &[
    unknown_change,
    created_before,
    not_there_to_modify,
    left_undone,
    unplanned,
];

/// Unplanned files that are each a finding; more are one together.
const EACH: usize = 10;

/// How much of a file's lines must be the same for it to be one that moved.
const MOVED: f64 = 0.5;

/// Rows of the Files table with how each stands; none without a workspace. The rows come first in a status, in order.
fn rows<'a>(on: &'a Subject<'_>) -> impl Iterator<Item = (&'a FileRow, &'a FileStatus)> {
    let known = on.facts.workspace.is_some();
    let rows = on.plan.files.iter().zip(&on.status.files);
    rows.filter(move |(row, _)| known && !row.path.contains(['*', '?', '{', '[', '<']))
        .filter(|(row, _)| !leaves(&row.path))
}

fn path_of(on: &Subject<'_>, row: &FileRow) -> Utf8PathBuf {
    crate::sys::files::normalize(&on.facts.root.join(&row.path))
}

fn change<'a>(on: &'a Subject<'_>) -> Option<&'a Change> {
    on.facts.change.as_ref().ok().copied()
}

/// A change that nobody knows.
fn unknown_change(on: &Subject<'_>, found: &mut Vec<Finding>) {
    if let (Some(_), Err(error)) = (on.facts.workspace, &on.facts.change) {
        let mut rows = on.plan.overview.iter();
        let base = rows.find(|row| row.key.eq_ignore_ascii_case("base"));
        found.push(match base {
            Some(row) => on.in_plan(Code::UnknownChange, &row.value_span, error),
            None => on.in_plan_line(Code::UnknownChange, 1, error),
        });
    }
}

/// `Create`, and it was there.
fn created_before(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(change) = change(on) else { return };
    let deleted = change.files.iter();
    let deleted: Vec<&Utf8PathBuf> = deleted
        .filter(|file| file.kind == ChangeKind::Deleted)
        .map(|file| &file.path)
        .collect();
    let was_there = |row: &FileRow, file: &FileStatus| {
        // What is not there now was deleted, or never was.
        if file.state == Some(FileState::Pending) {
            !deleted.is_empty() && deleted.contains(&&path_of(on, row))
        } else {
            change.was_there(&path_of(on, row)) == Some(true)
        }
    };
    for (row, file) in rows(on).filter(|(row, _)| row.action == Action::Create) {
        if was_there(row, file) {
            let message = format!(
                "`{}` is to be created, and it existed at the base",
                row.path
            );
            let help = "plan it as Modify, or choose another name";
            found.push(
                on.in_plan(Code::CreatedBefore, &row.path_span, message)
                    .help(help),
            );
        }
    }
}

/// `Modify`, and there was nothing to modify.
fn not_there_to_modify(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(change) = change(on) else { return };
    for (row, file) in rows(on).filter(|(row, _)| row.action == Action::Modify) {
        let path = path_of(on, row);
        let was_there = change.was_there(&path);
        let missing = file.state == Some(FileState::Missing);
        let (code, message, help) = match moved_to(on, change, row, &path) {
            Some(to) if missing => (
                Code::Renamed,
                format!(
                    "`{}` is gone; it looks as if it had become `{to}`",
                    row.path
                ),
                format!("plan it as `Rename to {to}`"),
            ),
            _ if missing && was_there == Some(true) => (
                Code::NotThereToModify,
                format!("`{}` is to be modified, and it was deleted", row.path),
                "plan it as Delete, or restore it".to_owned(),
            ),
            _ if missing => (
                Code::NotThereToModify,
                format!(
                    "`{}` is to be modified, and there is no such file",
                    row.path
                ),
                "plan it as Create, or correct the path".to_owned(),
            ),
            _ if was_there == Some(false) => (
                Code::NotThereToModify,
                format!(
                    "`{}` is to be modified, and it did not exist at the base",
                    row.path
                ),
                "plan it as Create".to_owned(),
            ),
            _ => continue,
        };
        let to = moved_to(on, change, row, &path).unwrap_or_default();
        let finding = on.in_plan(code, &row.path_span, message);
        found.push(finding.help(help).about(to));
    }
}

/// The new file, in no plan, that a planned one which is gone has become: it has the same name, or most of its lines.
fn moved_to(on: &Subject<'_>, change: &Change, row: &FileRow, path: &Utf8Path) -> Option<String> {
    if path.exists() {
        return None;
    }
    let unplanned = on
        .status
        .files
        .iter()
        .filter(|file| file.state == Some(FileState::Unplanned));
    let added: Vec<&str> = unplanned
        .map(|file| file.path.as_str())
        .filter(|added| change.was_there(&on.facts.root.join(added)) == Some(false))
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
        let now = files::read(&on.facts.root.join(added)).unwrap_or_default();
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

/// Complete as a whole, and a row is not done.
fn left_undone(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(change) = change(on).filter(|_| on.is_said_complete()) else {
        return;
    };
    let pending = |file: &FileStatus| file.state == Some(FileState::Pending);
    for (row, _) in rows(on).filter(|(_, file)| pending(file)) {
        let moved = moved_to(on, change, row, &path_of(on, row));
        let subject = moved.clone().unwrap_or_default();
        let (code, message) = match (&row.action, moved) {
            (Action::Create, Some(to)) => (
                Code::Renamed,
                format!("`{}` was to be created; `{to}` was instead", row.path),
            ),
            (Action::Create, None) => (
                Code::LeftUndone,
                format!("`{}` was to be created, and is not there", row.path),
            ),
            (Action::Delete, _) => (
                Code::LeftUndone,
                format!("`{}` was to be deleted, and is still there", row.path),
            ),
            (Action::Rename(to), _) => (
                Code::LeftUndone,
                format!("`{}` was to become `{to}`, and has not", row.path),
            ),
            _ => (
                Code::LeftUndone,
                format!(
                    "`{}` was to be modified, and is as it was at the base",
                    row.path
                ),
            ),
        };
        let help = "do it, or take the row out of the plan";
        let finding = on.in_plan(code, &row.path_span, message);
        found.push(finding.help(help).about(subject));
    }
}

/// Changed files that no row names; documents of ours, lockfiles, and manifests that the Dependencies name aside.
fn unplanned(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let named = |file: &&FileStatus| {
        let manifest = Utf8Path::new(&file.path);
        let mut blocks = on.plan.dependencies.iter();
        let declared = blocks.any(|block| {
            let named = block.manifest.as_deref();
            named.is_some_and(|named| Utf8Path::new(named.trim_start_matches("./")) == manifest)
        });
        !declared && !on.facts.other_plans.names(&on.status.name, &file.path)
    };
    let unplanned = on.status.files.iter();
    let unplanned = unplanned.filter(|file| file.state == Some(FileState::Unplanned));
    let table = on.section(SectionKind::Files);
    let renamed = |file: &&FileStatus, found: &[Finding]| {
        let mut found = found.iter().filter(|finding| finding.code == Code::Renamed);
        found.any(|finding| finding.subject == file.path)
    };
    let unplanned: Vec<&FileStatus> = unplanned
        .filter(named)
        .filter(|file| !renamed(file, found))
        .collect();
    let at = |message: String| match &table {
        Some(heading) => on.in_plan(Code::Unplanned, heading, message),
        None => on.in_plan_line(Code::Unplanned, 1, message),
    };
    let help = "add it to the Files table, or leave it as it was";
    if unplanned.len() > EACH {
        // The base is far away, or the plan is of something else: each by itself would bury all other findings.
        let few: Vec<String> = unplanned
            .iter()
            .take(3)
            .map(|file| format!("`{}`", file.path))
            .collect();
        let message = format!(
            "{} and {} more were changed, and the plan does not name them",
            few.join(", "),
            unplanned.len() - few.len()
        );
        found.push(
            at(message).help("add them to the Files table, a glob for many, or correct the Base"),
        );
        return;
    }
    for file in unplanned {
        let kind = change(on).and_then(|change| change.file(&on.facts.root.join(&file.path)));
        let verb = match kind.map(|changed| changed.kind) {
            Some(ChangeKind::Added) => "is new",
            Some(ChangeKind::Deleted) => "was deleted",
            _ => "was changed",
        };
        let message = format!("`{}` {verb}, and the plan does not name it", file.path);
        found.push(at(message).about(&file.path).help(help));
    }
}
