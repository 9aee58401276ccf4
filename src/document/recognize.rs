//! Recognizes plans by their content, because other documents may have a name that ends in `-plan.md`.

use super::parts::SectionKind;
use super::{step_heading, vocabulary};

/// Whether a text has the sections of a plan: a step and one other section, two other sections, or any of them below the title of
/// an implementation plan. Headings suffice, so that an incomplete plan is recognized.
#[must_use]
pub fn is_plan(text: &str) -> bool {
    let mut has_step = false;
    let mut kinds = Vec::new();
    let mut labelled = false;
    let mut titled = false;
    for line in text.lines() {
        labelled |= line.starts_with("**Verification**") || line.starts_with("**Tasks**");
        let line = line.trim_start();
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let title = title.trim().trim_start_matches(['~', '*']);
        has_step |= step_heading::looks_like_one(title);
        let kind = vocabulary::section(title);
        titled |= vocabulary::words(title).ends_with("implementation plan");
        let counts = is_characteristic(kind, title) || titled && kind != SectionKind::Other;
        if counts && !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let enough = if titled { 1 } else { 2 };
    has_step && (labelled || titled || !kinds.is_empty()) || kinds.len() >= enough
}

/// Whether a section is specific to plans.
fn is_characteristic(kind: SectionKind, title: &str) -> bool {
    match kind {
        SectionKind::Steps => vocabulary::words(title).contains("implementation"),
        SectionKind::Checklist => vocabulary::words(title).contains("production"),
        SectionKind::SuccessCriteria | SectionKind::TestSummary | SectionKind::Done => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_plan;

    #[test]
    fn plans_have_steps_and_sections() {
        for text in [
            "# A\n\n## Success Criteria\n\n## Implementation Steps\n",
            "# A\n\n### Step 1: Do\n\n**Verification**:\n",
            "# A\n\n## Success Criteria\n\n### Step 1: Do\n",
            "# A - Implementation Plan\n\n## Dependencies\n",
            "# A\r\n\r\n## Test Summary\r\n\r\n## What \"Done\" Looks Like\r\n",
        ] {
            assert!(is_plan(text), "{text}");
        }
    }

    #[test]
    fn other_documents_do_not() {
        for text in [
            "",
            "# Release plan\n\n## Overview\n\n## Dates\n\n- tag\n- publish\n",
            "# Raft implementation\n\n## Overview\n\n## Dependencies\n\n## Risks\n",
            "# Release\n\n## Step 1: tag\n\n## Step 2: publish\n",
            "Success Criteria\n",
        ] {
            assert!(!is_plan(text), "{text}");
        }
    }
}
