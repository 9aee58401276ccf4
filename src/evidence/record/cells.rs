//! The row of a record in the table that people read.

use std::collections::BTreeSet;

use super::{CHANGED, Record, escape, format_duration};

impl Record {
    /// Its row of the table, without line end.
    pub(super) fn row(&self) -> String {
        let cells = [
            self.time.replacen('T', " ", 1),
            self.scope.to_string(),
            self.command_cell(),
            self.outcome_cell(),
            self.tests
                .map_or_else(|| "—".to_owned(), |tests| tests.to_string()),
            self.commit_cell(),
            format_duration(self.milliseconds),
        ];
        let cells: Vec<_> = cells.iter().map(|cell| escape(cell)).collect();
        format!("| {} |", cells.join(" | "))
    }

    fn command_cell(&self) -> String {
        let is_command = |line: &&str| !line.is_empty() && !line.starts_with('#');
        let lines = self.checks.iter().flat_map(|check| check.command.lines());
        let mut commands = lines.map(str::trim).filter(is_command);
        let Some(first) = commands.next() else {
            return "—".to_owned();
        };
        let mut shown: String = first.chars().take(80).collect();
        if shown.len() < first.len() {
            shown.push('…');
        }
        let more = match commands.count() {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        // A code span ends at as many backticks as it began with.
        let fence = if shown.contains('`') { "`` " } else { "`" };
        let close: String = fence.chars().rev().collect();
        format!("{fence}{shown}{close}{more}")
    }

    pub(crate) fn outcome_cell(&self) -> String {
        let mut cell = self.outcome.to_string();
        for (names, what) in [
            (&self.regressions, "regression"),
            (&self.missing, "vanished"),
        ] {
            let count: usize = names.values().map(Vec::len).sum();
            let plural = if count > 1 && what == "regression" {
                "s"
            } else {
                ""
            };
            if count > 0 {
                cell = format!("{cell}, {count} {what}{plural}");
            }
        }
        if let Some(strength) = &self.strength {
            cell = format!("{cell}, {strength}");
        }
        if self.inputs.values().any(|hash| hash == CHANGED) {
            cell.push_str(", sources changed while it ran");
        }
        let by: BTreeSet<&str> = self
            .checks
            .iter()
            .filter_map(|check| Some(check.confirmed.as_ref()?.by.as_str()))
            .collect();
        for by in by {
            cell = format!("{cell}, confirmed by {by}");
        }
        cell
    }

    fn commit_cell(&self) -> String {
        let Some(commit) = &self.source.commit else {
            return "—".to_owned();
        };
        let short = commit.get(..12).unwrap_or(commit);
        let changes = if self.source.dirty == Some(false) {
            ""
        } else {
            " + changes"
        };
        format!("`{short}`{changes}")
    }
}
