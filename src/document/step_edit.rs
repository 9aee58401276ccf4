//! Edits of one step in a plan and in its results: start, complete, withdraw, add, note. Each edit is a set of spans. An edit that
//! would change nothing is empty.

use std::fmt::Write as _;

use super::edit::Edits;
use super::parts::{Field, HeadingMark, Label, Section, SectionKind, Status, StepId};
use super::plan::{Plan, Step};
use super::results::{ResultStep, Results};
use super::text::{Document, Span};
use super::vocabulary;

/// The content of a new step.
#[derive(Debug, Clone, Default)]
pub struct NewStep {
    /// Its heading, without the id.
    pub title: String,
    /// Its goal.
    pub goal: Option<String>,
    /// The texts of its tasks.
    pub tasks: Vec<String>,
    /// Tasks moved from another step, as written there.
    pub moved: Vec<String>,
    /// Its verification commands.
    pub verification: Vec<String>,
}

/// A note about a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// A problem.
    Issue,
    /// A lesson.
    Lesson,
    /// A decision; it is added to those of the whole work.
    Decision,
    /// A deviation from the plan.
    Deviation,
}

/// A free id for a step after `after`, or for one at the end: `4b`, `4c`, `7`.
#[must_use]
pub fn free_id(plan: &Plan, after: Option<&StepId>) -> StepId {
    let ids: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
    let number = |id: &str| -> String { id.chars().take_while(char::is_ascii_digit).collect() };
    if let Some(after) = after {
        let number = number(after.as_str());
        let letters = ('b'..='z').map(|letter| format!("{number}{letter}"));
        if let Some(free) = letters.into_iter().find(|id| !ids.contains(&id.as_str())) {
            return StepId::new(&free);
        }
    }
    let last = ids
        .iter()
        .filter_map(|id| number(id).parse::<u64>().ok())
        .max();
    StepId::new(&last.map_or(1, |last| last + 1).to_string())
}

/// The step after which to insert a new one with the number of `after`: the last with this number.
#[must_use]
pub fn last_of_number<'p>(plan: &'p Plan, after: &StepId) -> Option<&'p Step> {
    let number = |id: &StepId| {
        id.as_str()
            .chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
    };
    let wanted = number(after);
    let mut steps = plan.steps.iter().rev();
    let same = steps.find(|step| !wanted.is_empty() && number(&step.id) == wanted);
    same.or_else(|| plan.steps.iter().find(|step| step.id == *after))
}

/// Sets the status of a step in the results, with the time in parentheses, unless it is already set.
pub fn set_status(edits: &mut Edits<'_>, step: &ResultStep, status: Status, text: &str) {
    mark(edits, step.mark.as_ref(), &step.heading, status);
    match &step.status {
        Some(now) if now.status == Some(status) => {}
        Some(now) => edits.set_value(&now.span, text),
        None => {
            let end = step.heading.start + trimmed_len(edits.document(), &step.heading);
            edits.replace(end..end, &format!("\n\n**Status**: {text}"));
        }
    }
}

/// Updates the mark of a heading in its style: a symbol by a symbol, a word by a word.
pub fn mark(edits: &mut Edits<'_>, mark: Option<&HeadingMark>, heading: &Span, status: Status) {
    let Some(mark) = mark.filter(|mark| mark.status != status && mark.span != *heading) else {
        return;
    };
    let now = &edits.document().text()[mark.span.clone()];
    let (sign, word) = match status {
        Status::Complete => ("✅", "Complete"),
        Status::InProgress => ("🔄", "In Progress"),
        _ => return,
    };
    let new = if !now.contains(char::is_alphabetic) {
        sign.to_owned()
    } else if now.contains(char::is_lowercase) {
        word.to_owned()
    } else {
        word.to_uppercase()
    };
    edits.replace(mark.span.clone(), &new);
}

/// Strikes out the id in a step's heading.
pub fn strike(edits: &mut Edits<'_>, heading: &Span, id: &StepId) {
    let raw = &edits.document().text()[heading.clone()];
    let lower = raw.to_ascii_lowercase();
    let Some(at) = lower.find("step") else {
        return;
    };
    let Some(id_at) = raw[at..]
        .to_ascii_lowercase()
        .find(id.as_str())
        .or_else(|| raw[at..].find(id.as_str()))
    else {
        return;
    };
    let end = at + id_at + id.as_str().len();
    edits.replace(heading.start + at..heading.start + at, "~~");
    edits.replace(heading.start + end..heading.start + end, "~~");
}

/// Adds a step to the plan after `after`, or after the last step.
pub fn add_to_plan(edits: &mut Edits<'_>, plan: &Plan, after: &Step, id: &StepId, new: &NewStep) {
    let hashes = hashes(level_of(&plan.sections, &after.heading));
    let fill = |what: &str| format!("[fill in: {what}]");
    let goal = new
        .goal
        .clone()
        .unwrap_or_else(|| fill("the behaviour that this step adds"));
    let mut block = format!(
        "{hashes} Step {id}: {}\n\n**Goal**: {goal}\n\n**Tasks**:\n",
        new.title
    );
    for task in &new.moved {
        let _ = writeln!(block, "{}", task.trim_end());
    }
    for task in &new.tasks {
        let _ = writeln!(block, "- [ ] {task}");
    }
    if new.tasks.is_empty() && new.moved.is_empty() {
        let _ = writeln!(block, "- [ ] {}", fill("a task"));
    }
    block.push_str("\n**Verification**:\n```bash\n");
    if new.verification.is_empty() {
        let _ = writeln!(
            block,
            "# {}",
            fill("the verification command, and below it the expectation")
        );
    }
    for command in &new.verification {
        let _ = writeln!(block, "{command}");
    }
    block.push_str("```");
    let text = edits.document().text();
    let ruled = ends_in_rule(&text[after.body.clone()]);
    if ruled {
        block.push_str("\n\n---");
    }
    insert(edits, after.body.end, &block);
}

/// Adds a step to the results, in the order of the plan.
pub fn add_to_results(
    edits: &mut Edits<'_>,
    plan: &Plan,
    results: &Results,
    id: &StepId,
    title: &str,
    status: &str,
) {
    let place = plan
        .steps
        .iter()
        .position(|step| step.id == *id)
        .unwrap_or(plan.steps.len());
    let before = plan.steps[..place].iter().rev();
    let before = before.filter_map(|step| results.steps.iter().find(|result| result.id == step.id));
    let neighbour = before.into_iter().next();
    let steps = results
        .sections
        .iter()
        .find(|section| section.kind == SectionKind::Steps);
    let kept = results.sections.iter().find(|section| is_kept(section));
    let (at, level) = match (neighbour, results.steps.first(), steps) {
        (Some(step), ..) => (step.body.end, level_of(&results.sections, &step.heading)),
        (None, Some(first), _) => (
            first.heading.start,
            level_of(&results.sections, &first.heading),
        ),
        (None, None, Some(section)) => (section.span.end, section.level + 1),
        (None, None, None) => {
            let end = edits.document().text().len();
            (kept.map_or(end, |section| section.heading.start), 3)
        }
    };
    let block = format!(
        "{} Step {id}: {title}\n\n**Status**: {status}\n\n**Implementation**: --\n\n**Test Results**: --\n\n**Issues**: None\n\n**Lessons \
         Learned**: None\n\n**Result**: --",
        hashes(level)
    );
    insert(edits, at, &block);
}

/// Removes tasks from a step and returns them with their nested entries.
pub fn take_tasks(edits: &mut Edits<'_>, step: &Step, numbers: &[usize]) -> Vec<String> {
    let text = edits.document().text();
    let outer: Vec<_> = step.tasks.iter().filter(|task| task.depth == 0).collect();
    let mut taken = Vec::new();
    for number in numbers {
        let Some(task) = number.checked_sub(1).and_then(|index| outer.get(index)) else {
            continue;
        };
        let start = text[..task.span.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[task.span.end..]
            .find('\n')
            .map_or(text.len(), |at| task.span.end + at + 1);
        taken.push(text[start..end].trim_end().replace("\r\n", "\n"));
        edits.replace(start..end, "");
    }
    taken
}

/// Adds a note as a list entry, unless it exists already.
pub fn add_note(
    edits: &mut Edits<'_>,
    results: &Results,
    step: &ResultStep,
    note: Note,
    text: &str,
) {
    let (label, name, known): (_, _, &[String]) = match note {
        Note::Issue => (Label::Issues, "Issues", &step.issues),
        Note::Lesson => (Label::LessonsLearned, "Lessons Learned", &step.lessons),
        Note::Deviation => (Label::Deviation, "Deviation from Plan", &[]),
        Note::Decision => {
            decide(edits, results, &format!("**Step {}**: {text}", step.id));
            return;
        }
    };
    let document = edits.document();
    let Some(field) = step.field(label) else {
        let end = step
            .fields
            .last()
            .map_or(step.heading.end, |field| field.span.end);
        let end = content_end(document, step.heading.start..end);
        edits.replace(end..end, &format!("\n\n**{name}**:\n- {text}"));
        return;
    };
    if field.value == text
        || field.entries.iter().any(|entry| entry == text)
        || known.iter().any(|entry| entry == text)
    {
        return;
    }
    let end = content_end(document, field.span.clone()).max(field.value_span.end);
    if is_nothing(field) {
        let raw = &document.text()[..field.value_span.start];
        let start = raw.trim_end_matches([' ', '\t']).len();
        edits.replace(start..end, &format!("\n- {text}"));
    } else {
        edits.replace(end..end, &format!("\n- {text}"));
    }
}

/// Whether a field is empty or means "none".
fn is_nothing(field: &Field) -> bool {
    let nothing = |text: &str| {
        let words = vocabulary::words(text);
        matches!(
            words.as_str(),
            "" | "none" | "n a" | "none yet" | "nothing" | "no issues"
        )
    };
    nothing(&field.value)
        && field.entries.iter().all(|entry| nothing(entry))
        && field.items.is_empty()
        && field.blocks.is_empty()
}

/// Adds a decision to those of the whole work.
fn decide(edits: &mut Edits<'_>, results: &Results, text: &str) {
    let document = edits.document();
    let section = results
        .sections
        .iter()
        .find(|section| section.kind == SectionKind::Decisions);
    let Some(section) = section else {
        let before = [SectionKind::Unlocks, SectionKind::NextSteps];
        let place = results
            .sections
            .iter()
            .find(|section| before.contains(&section.kind) || is_kept(section));
        let at = place.map_or(document.text().len(), |section| section.heading.start);
        insert(edits, at, &format!("## Key Decisions Made\n\n- {text}"));
        return;
    };
    let end =
        content_end(document, section.heading.start..section.span.end).max(section.heading.end);
    let heading_end = section.heading.start + trimmed_len(document, &section.heading);
    let end = end.max(heading_end);
    let body = document.text()[heading_end..end].trim();
    if body.contains(text) {
        return;
    }
    let words = vocabulary::words(body);
    if body.is_empty() {
        edits.replace(end..end, &format!("\n\n- {text}"));
        return;
    }
    if matches!(words.as_str(), "none" | "none yet" | "n a") {
        edits.replace(end - body.len()..end, &format!("- {text}"));
        return;
    }
    let last = body
        .lines()
        .rev()
        .find(|line| !line.starts_with([' ', '\t']));
    let number = last.and_then(|line| line.split_once(". ")?.0.parse::<u64>().ok());
    let lead = number.map_or_else(|| "- ".to_owned(), |number| format!("{}. ", number + 1));
    let listed = last.is_some_and(|line| number.is_some() || line.starts_with(['-', '*', '+']));
    let gap = if listed { "\n" } else { "\n\n" };
    edits.replace(end..end, &format!("{gap}{lead}{text}"));
}

/// Sets a value of a step's field if it is empty.
pub fn fill(edits: &mut Edits<'_>, step: &ResultStep, label: Label, value: &str) {
    if let Some(field) = step.field(label)
        && matches!(field.value.as_str(), "" | "--" | "—" | "-")
        && field.entries.is_empty()
        && field.blocks.is_empty()
    {
        edits.set_value(&field.value_span, value);
    }
}

/// Whether the program keeps this section at the end of the results.
fn is_kept(section: &Section) -> bool {
    section.level == 2 && matches!(section.title.as_str(), "Contract" | "Evidence")
}

fn level_of(sections: &[Section], heading: &Span) -> u8 {
    let section = sections.iter().find(|section| section.heading == *heading);
    section.map_or(3, |section| section.level)
}

fn hashes(level: u8) -> String {
    "#".repeat(usize::from(level))
}

/// Inserts a block at the start of a line, or at the end of the document, with a blank line on both sides.
fn insert(edits: &mut Edits<'_>, at: usize, block: &str) {
    let text = edits.document().text();
    let before = &text[..at];
    let last = before
        .strip_suffix('\n')
        .map(|before| before.rsplit('\n').next());
    let gap = match last {
        _ if before.trim_start_matches('\u{feff}').is_empty() => "",
        Some(Some(last)) if last.trim().is_empty() => "",
        Some(_) => "\n",
        None => "\n\n",
    };
    let end = if at == text.len() { "\n" } else { "\n\n" };
    edits.replace(at..at, &format!("{gap}{block}{end}"));
}

/// The end of a span's content: before trailing blanks and the separating rule.
fn content_end(document: &Document, span: Span) -> usize {
    let text = document.text()[span.clone()].trim_end();
    let text = text
        .strip_suffix("---")
        .filter(|rest| rest.ends_with('\n'))
        .map_or(text, str::trim_end);
    span.start + text.len()
}

fn ends_in_rule(text: &str) -> bool {
    let text = text.trim_end();
    text.strip_suffix("---")
        .is_some_and(|rest| rest.ends_with('\n'))
}

fn trimmed_len(document: &Document, span: &Span) -> usize {
    document.text()[span.clone()].trim_end().len()
}
