//! The words for labels, sections and states.

use super::parts::{Label, SectionKind, Status};

/// Labels by their first words. The first matching row wins, so longer rows come first.
const LABELS: &[(&str, Label)] = &[
    ("why needed", Label::WhyNeeded),
    ("goal", Label::Goal),
    ("goals", Label::Goal),
    ("objective", Label::Goal),
    ("tasks completed", Label::TasksCompleted),
    ("completed tasks", Label::TasksCompleted),
    ("tasks", Label::Tasks),
    ("task list", Label::Tasks),
    ("subtasks", Label::Tasks),
    ("sub tasks", Label::Tasks),
    ("code review", Label::Review),
    ("code", Label::Code),
    ("update", Label::Code),
    ("create", Label::Code),
    ("add", Label::Code),
    ("modify", Label::Code),
    ("replace", Label::Code),
    ("edit", Label::Code),
    ("commands", Label::Commands),
    ("command", Label::Commands),
    ("run", Label::Commands),
    ("test results", Label::TestResults),
    ("test result", Label::TestResults),
    ("tests results", Label::TestResults),
    ("tests", Label::Tests),
    ("test code", Label::Tests),
    ("test cases", Label::Tests),
    ("test", Label::Tests),
    ("verification results", Label::VerificationResults),
    ("verification result", Label::VerificationResults),
    ("verification output", Label::VerificationResults),
    ("verification", Label::Verification),
    ("verify", Label::Verification),
    ("baseline verification", Label::Verification),
    ("expected output", Label::Output),
    ("expected outputs", Label::Output),
    ("output", Label::Output),
    ("outputs", Label::Output),
    ("expected", Label::Expected),
    ("status", Label::Status),
    ("implementation", Label::Implementation),
    ("issues", Label::Issues),
    ("issue", Label::Issues),
    ("problems", Label::Issues),
    ("lessons", Label::LessonsLearned),
    ("lesson", Label::LessonsLearned),
    ("result", Label::Result),
    ("results", Label::Result),
    ("outcome", Label::Result),
    ("reviewed", Label::Reviewed),
    ("review", Label::Review),
    ("deviation", Label::Deviation),
    ("deviations", Label::Deviation),
    ("specification", Label::Specification),
    ("spec", Label::Specification),
    ("acceptance criteria", Label::AcceptanceCriteria),
    ("acceptance", Label::AcceptanceCriteria),
    ("trade offs", Label::TradeOffs),
    ("trade off", Label::TradeOffs),
    ("tradeoffs", Label::TradeOffs),
    ("tradeoff", Label::TradeOffs),
    ("started", Label::Started),
    ("completed", Label::Completed),
    ("finished", Label::Completed),
];

/// Headings by their first words. The first matching row wins.
const SECTIONS: &[(&str, SectionKind)] = &[
    ("overview", SectionKind::Overview),
    ("summary", SectionKind::Summary),
    ("results summary", SectionKind::Summary),
    ("prerequisites", SectionKind::Prerequisites),
    ("prerequisite", SectionKind::Prerequisites),
    ("success criteria", SectionKind::SuccessCriteria),
    ("architecture", SectionKind::Architecture),
    ("implementation steps", SectionKind::Steps),
    ("implementation progress", SectionKind::Steps),
    ("steps", SectionKind::Steps),
    ("test summary", SectionKind::TestSummary),
    ("tests summary", SectionKind::TestSummary),
    ("production grade", SectionKind::Checklist),
    ("production checklist", SectionKind::Checklist),
    ("checklist", SectionKind::Checklist),
    ("what done looks like", SectionKind::Done),
    ("definition of done", SectionKind::Done),
    ("files to", SectionKind::Files),
    ("files created", SectionKind::Files),
    ("files modified", SectionKind::Files),
    ("files changed", SectionKind::Files),
    ("file changes", SectionKind::Files),
    ("files", SectionKind::Files),
    ("dependencies", SectionKind::Dependencies),
    ("new dependencies", SectionKind::Dependencies),
    ("quarantine", SectionKind::Quarantine),
    ("quarantined tests", SectionKind::Quarantine),
    ("risks", SectionKind::Risks),
    ("risk", SectionKind::Risks),
    ("error codes", SectionKind::ErrorCodes),
    ("next steps", SectionKind::NextSteps),
    ("deliverables", SectionKind::Deliverables),
    ("final validation", SectionKind::FinalValidation),
    ("key decisions", SectionKind::Decisions),
    ("decisions", SectionKind::Decisions),
    ("what this unlocks", SectionKind::Unlocks),
    ("goal", SectionKind::Goal),
    ("goals", SectionKind::Goal),
];

/// States by word. The first word in a text wins; of two at the same position, the longer one.
const STATES: &[(&str, Status)] = &[
    ("not started", Status::Pending),
    ("not yet", Status::Pending),
    ("not complete", Status::InProgress),
    ("not done", Status::InProgress),
    ("pending", Status::Pending),
    ("planned", Status::Pending),
    ("todo", Status::Pending),
    ("to do", Status::Pending),
    ("in progress", Status::InProgress),
    ("incomplete", Status::InProgress),
    ("started", Status::InProgress),
    ("ongoing", Status::InProgress),
    ("wip", Status::InProgress),
    ("partial", Status::InProgress),
    ("partially", Status::InProgress),
    ("nearly", Status::InProgress),
    ("almost", Status::InProgress),
    ("blocked", Status::Blocked),
    ("on hold", Status::Blocked),
    ("paused", Status::Blocked),
    ("failed", Status::Failed),
    ("failing", Status::Failed),
    ("skipped", Status::Skipped),
    ("deferred", Status::Skipped),
    ("n a", Status::Skipped),
    ("withdrawn", Status::Withdrawn),
    ("moved", Status::Withdrawn),
    ("removed", Status::Withdrawn),
    ("dropped", Status::Withdrawn),
    ("cancelled", Status::Withdrawn),
    ("canceled", Status::Withdrawn),
    ("superseded", Status::Withdrawn),
    ("complete", Status::Complete),
    ("completed", Status::Complete),
    ("done", Status::Complete),
    ("finished", Status::Complete),
    ("passed", Status::Complete),
];

/// The label for a text, by its first words.
pub(crate) fn label(name: &str) -> Label {
    let words = words(name);
    match first_words(&words, LABELS) {
        // `Test Counts by File`, `Test Coverage`: about tests, but not Tests
        Some(Label::Tests)
            if words.starts_with("test ")
                && !matches!(words.as_str(), "test code" | "test cases") =>
        {
            Label::Other
        }
        Some(label) => label,
        None => Label::Other,
    }
}

/// Whether the whole text is a known label, so that it needs no markup.
pub(crate) fn is_label(name: &str) -> bool {
    let begins = name.chars().next().is_some_and(char::is_uppercase);
    let words = words(name);
    begins && LABELS.iter().any(|(label, _)| *label == words)
}

/// The section kind of a heading, by its first words without a number.
pub(crate) fn section(title: &str) -> SectionKind {
    let words = words(title);
    let words =
        words.trim_start_matches(|character: char| character.is_ascii_digit() || character == ' ');
    first_words(words, SECTIONS).unwrap_or(SectionKind::Other)
}

/// The status in a text. Words take precedence over symbols, and text in parentheses counts least. A text with several alternatives,
/// such as `Pending / Complete`, has no status.
pub(crate) fn status(text: &str) -> Option<Status> {
    let (head, _) = text.split_once('(').unwrap_or((text, ""));
    if head.contains(['/', '|'])
        && head
            .split(['/', '|'])
            .filter(|part| state(part).is_some())
            .count()
            > 1
    {
        return None;
    }
    let percent = head.contains('%') && !head.contains("100%") && !head.contains("100 %");
    match state(head) {
        Some(Status::Complete) if percent => Some(Status::InProgress),
        Some(status) => Some(status),
        None => head
            .chars()
            .find_map(sign)
            .or_else(|| state(text))
            .or_else(|| text.chars().find_map(sign)),
    }
}

/// The first state word in a text.
fn state(text: &str) -> Option<Status> {
    let words = words(text);
    STATES
        .iter()
        .filter_map(|(state, status)| Some((find_words(&words, state)?, state.len(), *status)))
        .min_by_key(|(at, length, _)| (*at, usize::MAX - length))
        .map(|(_, _, status)| status)
}

/// The status of a symbol in a heading or a status line.
pub(crate) fn sign(character: char) -> Option<Status> {
    match character {
        '✅' | '☑' | '✔' | '✓' | '🟢' => Some(Status::Complete),
        '🔄' | '🚧' | '🏗' | '🟡' => Some(Status::InProgress),
        '⬜' | '⏳' | '⌛' | '☐' | '🔲' | '⚪' | '📋' => Some(Status::Pending),
        '❌' | '✗' | '✘' | '🔴' => Some(Status::Failed),
        '⛔' | '🛑' | '🚫' | '⏸' => Some(Status::Blocked),
        '⏭' => Some(Status::Skipped),
        _ => None,
    }
}

/// The text in lower case, with every sequence of other characters than letters and digits as one blank, without quotation marks.
pub(crate) fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '"' | '\'' | '“' | '”' | '‘' | '’' | '«' | '»') {
            continue;
        }
        if character.is_ascii_alphanumeric() {
            words.push(character.to_ascii_lowercase());
        } else if character.is_alphanumeric() {
            words.extend(character.to_lowercase());
        } else if !words.is_empty() && !words.ends_with(' ') {
            words.push(' ');
        }
    }
    words.truncate(words.trim_end().len());
    words
}

fn first_words<T: Copy>(words: &str, table: &[(&str, T)]) -> Option<T> {
    table
        .iter()
        .find(|(first, _)| {
            words
                .strip_prefix(first)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })
        .map(|(_, meaning)| *meaning)
}

/// The position of `needle` in `words`, as whole words.
fn find_words(words: &str, needle: &str) -> Option<usize> {
    words
        .match_indices(needle)
        .find(|(at, _)| {
            let before = words[..*at].chars().next_back();
            let after = words[at + needle.len()..].chars().next();
            before.is_none_or(|character| character == ' ')
                && after.is_none_or(|character| character == ' ')
        })
        .map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_forms_of_statuses() {
        for (text, expected) in [
            ("Complete", Some(Status::Complete)),
            ("✅ Complete", Some(Status::Complete)),
            ("✅", Some(Status::Complete)),
            ("COMPLETE (10/10 criteria met)", Some(Status::Complete)),
            ("Complete (Step 5 pending review)", Some(Status::Complete)),
            ("Not Started", Some(Status::Pending)),
            ("⬜ Pending", Some(Status::Pending)),
            ("⏳", Some(Status::Pending)),
            ("🔄 In Progress", Some(Status::InProgress)),
            ("in-progress", Some(Status::InProgress)),
            ("Incomplete", Some(Status::InProgress)),
            ("Partially complete", Some(Status::InProgress)),
            ("80% complete", Some(Status::InProgress)),
            ("Not complete", Some(Status::InProgress)),
            ("Pending / In Progress / Complete", None),
            ("N/A", Some(Status::Skipped)),
            ("Withdrawn, moved to Step 8", Some(Status::Withdrawn)),
            ("Uncompleted thoughts", None),
            ("", None),
        ] {
            assert_eq!(status(text), expected, "{text}");
        }
    }

    #[test]
    fn sections_by_their_first_words() {
        assert_eq!(section("What \"Done\" Looks Like"), SectionKind::Done);
        assert_eq!(section("What “Done” Looks Like"), SectionKind::Done);
        assert_eq!(section("7. 📦 Dependencies"), SectionKind::Dependencies);
        assert_eq!(
            section("Production-Grade Checklist"),
            SectionKind::Checklist
        );
        assert_eq!(section("Files to Create/Modify"), SectionKind::Files);
        assert_eq!(section("File Structure"), SectionKind::Other);
        assert_eq!(section("Dependency Graph"), SectionKind::Other);
        assert_eq!(section("Risks & Mitigations"), SectionKind::Risks);
    }

    #[test]
    fn labels_by_their_first_words() {
        assert_eq!(label("Expected Output"), Label::Output);
        assert_eq!(label("Expected"), Label::Expected);
        assert_eq!(label("Tests"), Label::Tests);
        assert_eq!(label("Test Results"), Label::TestResults);
        assert_eq!(label("Trade-offs"), Label::TradeOffs);
        assert_eq!(label("Updated files"), Label::Other);
    }
}
