//! Every list, table and code block in a known section is read or reported.

use cargo_poc::internals::document::{
    Document, ParseProblem, ProblemKind, read_plan, read_results,
};

/// A form of Markdown, with the word that must not get lost.
const FORMS: &[(&str, &str)] = &[
    ("bullets", "- sentinel one\n- sentinel two\n"),
    ("numbers", "1. sentinel one\n2. sentinel two\n"),
    ("boxes", "- [ ] sentinel one\n- [x] sentinel two\n"),
    ("labels", "- **Sentinel**: value\n- sentinel\n"),
    (
        "a table",
        "| Key | sentinel |\n|---|---|\n| sentinel | sentinel |\n",
    ),
    (
        "a wide table",
        "| A | B | C | D |\n|---|---|---|---|\n| a | b | c | sentinel |\n",
    ),
    ("a table of one column", "| A |\n|---|\n| sentinel |\n"),
    ("bash", "```bash\nsentinel\n```\n"),
    ("toml", "```toml\nsentinel = 1\n```\n"),
    ("a diff", "```diff\n+sentinel\n```\n"),
    ("a block without a language", "```\nsentinel\n```\n"),
    ("tildes", "~~~text\nsentinel\n~~~\n"),
    ("indented code", "    sentinel\n"),
    (
        "a table in HTML",
        "<table><tr><td>sentinel</td></tr></table>\n",
    ),
    ("a list in HTML", "<ul>\n<li>sentinel</li>\n</ul>\n"),
    ("a quoted list", "> - sentinel\n"),
];

/// The sections of a plan that hold data: the heading, and what is read of a form besides the typed fields. Architecture,
/// Risks, Error Codes and Next Steps are text for people.
const PLAN: &[&str] = &[
    "## Overview",
    "## Prerequisites",
    "## Prerequisites\n\n### 2. Set up",
    "## Success Criteria",
    "## Implementation Steps\n\n### Step 1: Do",
    "## Implementation Steps\n\n### Step 1: Do\n\n**Goal**: work",
    "## Implementation Steps\n\n### Step 1: Do\n\n**Tasks**:",
    "## Implementation Steps\n\n### Step 1: Do\n\n**Code**:",
    "## Implementation Steps\n\n### Step 1: Do\n\n**Tests**:",
    "## Implementation Steps\n\n### Step 1: Do\n\n**Verification**:",
    "## Implementation Steps\n\n### Step 1: Do\n\nVerification:",
    "## Implementation Steps\n\n### Step 1: Do\n\n**Output**: it works",
    "## Test Summary",
    "## Production-Grade Checklist",
    "## What \"Done\" Looks Like",
    "## Files to Create/Modify",
    "## Files to Create/Modify\n\n### New files",
    "## Dependencies",
];

const RESULTS: &[&str] = &[
    "## Summary",
    "## Success Criteria",
    "## Prerequisites Completed",
    "## Implementation Progress\n\n### Step 1: Do",
    "## Implementation Progress\n\n### Step 1: Do\n\n**Status**: Pending",
    "## Implementation Progress\n\n### Step 1: Do\n\n**Expected**: it works",
    "## Implementation Progress\n\n### Step 1: Do\n\n**Test Results**: none",
    "## Implementation Progress\n\n### Step 1: Do\n\n**Tasks Completed**:",
    "## Final Validation",
];

fn document(section: &str, form: &str) -> Document {
    let text = format!("# Cache\n\n{section}\n\n{form}\nA line of text.\n");
    Document::from_text("docs/cache-plan.md", text)
}

/// Whether a problem is about the form, which begins behind the section's heading.
fn reported(document: &Document, form: &str, problems: &[ParseProblem]) -> bool {
    let start = document.text().find(form).unwrap();
    problems
        .iter()
        .any(|problem| (start..start + form.len()).contains(&problem.span.start))
}

#[test]
fn every_form_in_every_section_of_a_plan_is_read_or_reported() {
    let mut lost = Vec::new();
    for section in PLAN {
        for (name, form) in FORMS {
            let document = document(section, form);
            let plan = read_plan(&document);
            let data = format!(
                "{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}",
                plan.overview,
                plan.prerequisites,
                plan.criteria,
                plan.steps,
                plan.tests,
                plan.checklist,
                plan.done,
                plan.files,
                plan.dependencies
            );
            let shell_beside = *name == "bash" && *section == "## Dependencies";
            let read = data.to_lowercase().contains("sentinel") || shell_beside;
            if !read && !reported(&document, form, &plan.problems) {
                lost.push(format!("{name} below {section}"));
            }
        }
    }
    assert!(
        lost.is_empty(),
        "neither read nor reported:\n{}",
        lost.join("\n")
    );
}

#[test]
fn every_form_in_every_section_of_results_is_read_or_reported() {
    let mut lost = Vec::new();
    for section in RESULTS {
        for (name, form) in FORMS {
            let document = document(section, form);
            let results = read_results(&document);
            let data = format!(
                "{:?}{:?}{:?}{:?}{:?}",
                results.summary,
                results.criteria,
                results.prerequisites,
                results.steps,
                results.validation
            );
            let read = data.to_lowercase().contains("sentinel");
            if !read && !reported(&document, form, &results.problems) {
                lost.push(format!("{name} below {section}"));
            }
        }
    }
    assert!(
        lost.is_empty(),
        "neither read nor reported:\n{}",
        lost.join("\n")
    );
}

/// What counts is not only kept as text: a task without a box, a criterion without one, a command outside a bash block.
#[test]
fn text_that_looks_like_data_is_reported() {
    for (section, form) in [
        ("## Success Criteria", "- it works\n"),
        ("## Production-Grade Checklist", "1. No stub\n"),
        ("## What \"Done\" Looks Like", "- [ ] `cargo test` passes\n"),
        (
            "## Implementation Steps\n\n### Step 1: Do\n\n**Tasks**:",
            "- write it\n",
        ),
        (
            "## Implementation Steps\n\n### Step 1: Do\n\n**Verification**:",
            "- `cargo test`\n",
        ),
        (
            "## Implementation Steps\n\n### Step 1: Do\n\n**Verification**:",
            "```\ncargo test\n```\n",
        ),
        ("## Dependencies", "- `moka = \"0.12\"`\n"),
        (
            "## Dependencies",
            "| Crate | Version |\n|---|---|\n| moka | 0.12 |\n",
        ),
        ("## Dependencies", "```diff\n+moka = \"0.12\"\n```\n"),
    ] {
        let document = document(section, form);
        let plan = read_plan(&document);
        let unread = |problem: &&ParseProblem| problem.kind == ProblemKind::Unread;
        assert_eq!(
            plan.problems.iter().filter(unread).count(),
            1,
            "{section}: {form}"
        );
    }
}

#[test]
fn a_list_is_reported_once() {
    let document = document("## Success Criteria", "- one\n- two\n- three\n");
    let plan = read_plan(&document);
    let unread = |problem: &&ParseProblem| problem.kind == ProblemKind::Unread;
    assert_eq!(plan.problems.iter().filter(unread).count(), 1);
}

fn paths(section: &str, form: &str) -> Vec<String> {
    let plan = read_plan(&document(section, form));
    let files = plan.files.iter();
    files
        .map(|row| format!("{:?} {}", row.action, row.path))
        .collect()
}

#[test]
fn files_are_read_in_every_form_that_names_them() {
    let files = "## Files to Create/Modify";
    for (form, expected) in [
        (
            "| File | Action | Purpose |\n|---|---|---|\n| `src/f.rs`, `src/g.rs` | Create | two |\n",
            &["Create src/f.rs", "Create src/g.rs"][..],
        ),
        (
            "| File | Action |\n|---|---|\n| src/f.rs, src/g.rs | Create |\n",
            &["Create src/f.rs", "Create src/g.rs"],
        ),
        (
            "| File | Action |\n|---|---|\n| `src/f.rs`<br>`src/g.rs` | Modify |\n",
            &["Modify src/f.rs", "Modify src/g.rs"],
        ),
        (
            "| File | Action |\n|---|---|\n| `src/{f,g}.rs` | Modify |\n",
            &["Modify src/{f,g}.rs"],
        ),
        (
            "| File | Action |\n|---|---|\n| `src/f.rs` (calls `go`) | Modify |\n",
            &["Modify src/f.rs"],
        ),
        (
            "| File | Action |\n|---|---|\n| `src/f.rs` → `src/g.rs` | Rename |\n",
            &["Rename(\"src/g.rs\") src/f.rs"],
        ),
        (
            "| File | Action |\n|---|---|\n| [cache](../store/src/cache.rs#L3) | Create |\n",
            &["Create store/src/cache.rs"],
        ),
        (
            "| File | Action |\n|---|---|\n| [`src/f.rs`](../src/f.rs) | Create |\n",
            &["Create src/f.rs"],
        ),
        (
            "| Datei | Aktion |\n|---|---|\n| `src/f.rs` | Create |\n| src/g.rs | Modify |\n",
            &["Create src/f.rs", "Modify src/g.rs"],
        ),
        (
            "- `src/f.rs`: create, the cache\n- Modify `src/g.rs`\n",
            &["Create src/f.rs", "Modify src/g.rs"],
        ),
    ] {
        assert_eq!(paths(files, form), expected, "{form}");
    }
    assert_eq!(
        paths(
            &format!("{files}\n\n### New files"),
            "- `src/f.rs`: the cache\n"
        ),
        ["Create src/f.rs"]
    );
}

#[test]
fn an_action_in_other_words_is_reported_with_its_file() {
    let form = "| Datei | Aktion |\n|---|---|\n| `src/f.rs` | Neu |\n";
    let plan = read_plan(&document("## Files to Create/Modify", form));
    let problem = &plan
        .problems
        .iter()
        .find(|it| it.kind == ProblemKind::UnreadableAction);
    assert!(
        problem
            .unwrap()
            .message
            .contains("the action `Neu` of src/f.rs")
    );
}

#[test]
fn heading_that_resembles_a_step_gets_a_suggestion_with_its_id() {
    for (heading, expected) in [
        ("### 🚀 Step 1: rocket", "### Step 1: rocket"),
        ("### Step two: words", "### Step 2: words"),
        ("### Steps 3: many", "### Step 3: many"),
    ] {
        let text = format!("# Cache\n\n## Implementation Steps\n\n{heading}\n\ntext\n");
        let plan = read_plan(&Document::from_text("docs/cache-plan.md", text));
        let problem = plan
            .problems
            .iter()
            .find(|it| it.kind == ProblemKind::AmbiguousStep);
        if let Some(problem) = problem {
            assert!(
                problem.message.contains(&format!("`{expected}`")),
                "{}",
                problem.message
            );
        } else {
            let title = expected.split_once(": ").unwrap().1;
            assert_eq!(plan.steps[0].title, title, "{heading}");
        }
    }
}

#[test]
fn note_between_id_and_colon_is_not_part_of_the_title() {
    for (heading, title) in [
        ("### Step 3 (optional): paren", "paren"),
        ("### Step 3 (optional) - paren", "paren"),
        ("### Step 3: paren (optional)", "paren (optional)"),
    ] {
        let text = format!("# Cache\n\n{heading}\n\ntext\n");
        let plan = read_plan(&Document::from_text("docs/cache-plan.md", text));
        assert_eq!(plan.steps[0].title, title, "{heading}");
    }
}

#[test]
fn plain_labels_are_read() {
    let text = "# Cache\n\n### Step 1: Do\n\nTasks:\n\n- [ ] write it\nVerification:\n```bash\ncargo test\n```\n";
    let plan = read_plan(&Document::from_text("docs/cache-plan.md", text.to_owned()));
    let step = &plan.steps[0];
    assert_eq!(step.tasks.len(), 1);
    assert_eq!(step.verification.len(), 1, "{step:?}");
}

#[test]
fn duplicates_in_a_document_are_reported() {
    let text = "# Cache\n\n## Summary\n\n| Attribute | Value |\n|---|---|\n| **Status** | Complete |\n| **Status** | Pending |\n\n\
                ## Success Criteria\n\n- [ ] it works\n- [x] it works\n- [ ] [fill in: a]\n- [ ] [fill in: a]\n";
    let results = read_results(&Document::from_text(
        "docs/cache-results.md",
        text.to_owned(),
    ));
    let found = |kind: ProblemKind| {
        let problems = results.problems.iter();
        let lines: Vec<_> = problems
            .filter(|problem| problem.kind == kind)
            .map(|problem| problem.line)
            .collect();
        lines
    };
    assert_eq!(found(ProblemKind::DuplicateRow), [8]);
    assert_eq!(found(ProblemKind::DuplicateCriterion), [13]);
}
