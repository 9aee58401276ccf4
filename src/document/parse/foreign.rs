//! Converts task lists of other tools to plans: `tasks.md` of spec-kit and OpenSpec, and tasks of Backlog.md.
//!
//! Each list entry with a box is one task, unless it is in code or in a comment. A section with tasks is a step; a file of
//! Backlog.md is one step. No command of the file is run: a step is verified by the tests that the files named by its tasks can
//! affect.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use camino::Utf8Path;

use super::super::outline::{NodeKind, Outline};
use super::super::parts::{Block, HeadingMark, Item, ProblemKind, Section, SectionKind, StepId};
use super::super::plan::{Action, FileRow, Plan, Step};
use super::super::text::{Document, Span};
use super::super::{fields, tables, vocabulary};
use super::reading::Reading;

/// Whether a document is a task list of another tool: a file with the front matter of Backlog.md, or a `tasks.md` that has no step of
/// this program.
#[must_use]
pub fn is_foreign(document: &Document) -> bool {
    if FrontMatter::read(document.text()).is_some() {
        return true;
    }
    let mut outline = Outline::read(document.text());
    document.path().file_name() == Some("tasks.md")
        && Reading::new(document, &mut outline)
            .headings
            .steps
            .is_empty()
}

/// Parses a task list of another tool as a plan. Never fails: [`Plan::problems`] contains the lines that cannot be parsed.
#[must_use]
pub fn read_foreign(document: &Document) -> Plan {
    let mut outline = Outline::read(document.text());
    let mut reading = Reading::new(document, &mut outline);
    reading.problems.retain(|problem| {
        matches!(
            problem.kind,
            ProblemKind::Conflict
                | ProblemKind::UnclosedFence
                | ProblemKind::UnclosedComment
                | ProblemKind::UnbalancedRegion
                | ProblemKind::SecondTitle
        )
    });
    let nodes = 0..reading.outline.nodes.len();
    let items = fields::items(document, reading.outline, nodes);
    report_unread(&mut reading, &items);
    let mut plan = match FrontMatter::read(document.text()) {
        Some(front) => backlog_task(&reading, &front, items),
        None => task_list(&reading, items),
    };
    if plan.steps.is_empty() {
        let message = "no task found; a task is a list entry with a box, as in `- [ ] 1.1 title`";
        reading.problem(ProblemKind::NoSteps, 0..0, message);
    }
    (plan.sections, plan.regions, _, plan.problems) = reading.finish();
    plan
}

/// `tasks.md`: a step for each section with tasks.
fn task_list(reading: &Reading<'_>, items: Vec<Item>) -> Plan {
    let sections = &reading.headings.sections;
    let owners = owners(sections);
    let mut groups: Vec<(Option<usize>, Vec<Item>)> = Vec::new();
    let is_spec_kit = items
        .iter()
        .any(|item| task_id(&item.text).is_some_and(|id| id.starts_with('T')));
    for item in items {
        // The last heading before the item is the innermost one around it.
        let after = sections.partition_point(|section| section.heading.start <= item.span.start);
        let owner = after.checked_sub(1).map(|section| owners[section]);
        match groups.iter_mut().find(|(known, _)| *known == owner) {
            Some((_, tasks)) => tasks.push(item),
            None => groups.push((owner, vec![item])),
        }
    }
    let title = reading.title();
    let mut files = Files::default();
    let mut ids = Ids::new(
        groups
            .iter()
            .filter_map(|(owner, _)| numbered(&sections[(*owner)?].title)),
    );
    let steps = groups.into_iter().map(|(owner, tasks)| {
        let section = owner.map(|owner| &sections[owner]);
        let number = section.and_then(|section| numbered(&section.title));
        let paths = files.add(reading.document, &tasks);
        let own = section.map_or(title.as_str(), |section| section.title.as_str());
        step(
            ids.take(number.map(|(number, _)| number)),
            number.map_or(own, |(_, title)| title),
            tasks,
            &paths,
            section.map_or(0..0, |section| section.heading.clone()),
            section.map_or(0, |section| section.span.end),
            section.map_or(1, |section| section.line),
        )
    });
    Plan {
        steps: steps.collect(),
        kind: Some(if is_spec_kit { "spec-kit" } else { "OpenSpec" }.to_owned()),
        files: files.rows(),
        title,
        ..Plan::default()
    }
}

/// A task of Backlog.md: one step, with acceptance criteria and the definition of done.
fn backlog_task(reading: &Reading<'_>, front: &FrontMatter, items: Vec<Item>) -> Plan {
    let document = reading.document;
    let within = |title: &str| {
        let sections = reading.headings.sections.iter();
        let sections =
            sections.filter(|section| vocabulary::words(&section.title).starts_with(title));
        sections
            .map(|section| section.span.clone())
            .collect::<Vec<_>>()
    };
    let (criteria, done) = (within("acceptance criteria"), within("definition of done"));
    let is_in =
        |spans: &[Span], item: &Item| spans.iter().any(|span| span.contains(&item.span.start));
    let (criteria, rest): (Vec<_>, Vec<_>) =
        items.into_iter().partition(|item| is_in(&criteria, item));
    let (checklist, tasks): (Vec<_>, Vec<_>) =
        rest.into_iter().partition(|item| is_in(&done, item));
    let paths: Vec<String> = paths(document.text()).map(str::to_owned).collect();
    let digits = front
        .id
        .trim_start_matches(|sign: char| !sign.is_ascii_digit());
    let id = StepId::new(if digits.is_empty() { &front.id } else { digits });
    let mut step = step(
        id,
        &front.title,
        tasks,
        &paths,
        front.span.clone(),
        document.text().len(),
        1,
    );
    step.mark = vocabulary::status(&front.status).map(|status| HeadingMark {
        status,
        span: front.span.clone(),
    });
    Plan {
        title: front.title.clone(),
        kind: Some("Backlog.md".to_owned()),
        steps: vec![step],
        criteria,
        checklist,
        ..Plan::default()
    }
}

fn step(
    id: StepId,
    title: &str,
    tasks: Vec<Item>,
    paths: &[String],
    heading: Span,
    end: usize,
    line: usize,
) -> Step {
    let at = heading.end..heading.end;
    let quoted = paths.iter().filter_map(|path| shlex::try_quote(path).ok());
    let quoted: Vec<_> = quoted.collect();
    let verification = (!quoted.is_empty()).then(|| Block {
        lang: "bash".to_owned(),
        // The assignment fails if `affected` does; an empty list of arguments would run all tests.
        code: format!(
            "tests=$(cargo poc affected --format args --files {})\ncargo test $tests\n",
            quoted.join(" ")
        ),
        span: at.clone(),
        code_span: at.clone(),
        line,
    });
    Step {
        id,
        title: title.to_owned(),
        withdrawn: false,
        mark: None,
        goal: String::new(),
        tasks,
        code: Vec::new(),
        tests: Vec::new(),
        verification: verification.into_iter().collect(),
        output: String::new(),
        fields: Vec::new(),
        body: at.end..end.max(at.end),
        heading,
        line,
    }
}

/// For each section, the section whose step has its tasks: the outermost with a number, else the outermost below the title.
fn owners(sections: &[Section]) -> Vec<usize> {
    let mut owners: Vec<usize> = Vec::new();
    let mut around: Vec<usize> = Vec::new();
    for (index, section) in sections.iter().enumerate() {
        around.retain(|outer| sections[*outer].level < section.level);
        let outer = around.last().map(|outer| owners[*outer]);
        let outer = outer.filter(|outer| sections[*outer].kind != SectionKind::Title);
        let is_numbered = |section: &Section| numbered(&section.title).is_some();
        owners.push(match outer {
            Some(outer) if is_numbered(&sections[outer]) || !is_numbered(section) => outer,
            _ => index,
        });
        around.push(index);
    }
    owners
}

/// The number and the rest of `Phase 3: title`, `3. title` or `3) title`.
fn numbered(title: &str) -> Option<(&str, &str)> {
    let title = title.trim_start_matches(|sign: char| !sign.is_alphanumeric());
    let word = title
        .find(' ')
        .filter(|end| title[..*end].chars().all(char::is_alphabetic));
    let rest = title[word.unwrap_or(0)..].trim_start();
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits(rest);
    if end == 0 {
        return None;
    }
    while rest[end..].starts_with('.') && digits(&rest[end + 1..]) > 0 {
        end += 1 + digits(&rest[end + 1..]);
    }
    if rest[end..].starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        end += 1;
    }
    let (number, after) = rest.split_at(end);
    let separator = |sign: char| matches!(sign, ':' | '.' | ')' | '-' | '–' | '—');
    let after = after.trim_start();
    let title = after.trim_start_matches(separator).trim();
    (after.is_empty() || after.starts_with(separator)).then_some((number, title))
}

/// Step ids: the numbers of the headings. A heading without a number, or with a number that is taken, gets the next free one.
struct Ids {
    taken: HashSet<StepId>,
    next: u64,
}

impl Ids {
    fn new<'t>(numbers: impl Iterator<Item = (&'t str, &'t str)>) -> Self {
        let whole = |(number, _): (&str, &str)| {
            number
                .split(|sign: char| !sign.is_ascii_digit())
                .next()?
                .parse::<u64>()
                .ok()
        };
        Self {
            taken: HashSet::new(),
            next: numbers.filter_map(whole).max().unwrap_or(0),
        }
    }

    fn take(&mut self, number: Option<&str>) -> StepId {
        if let Some(id) = number
            .map(StepId::new)
            .filter(|id| self.taken.insert(id.clone()))
        {
            return id;
        }
        self.next = self.next.saturating_add(1);
        StepId::new(&self.next.to_string())
    }
}

/// The files that tasks name. The last task that names a file decides whether it has to exist.
#[derive(Default)]
struct Files(BTreeMap<String, FileRow>);

impl Files {
    /// Adds the files of some tasks, and returns their paths.
    fn add(&mut self, document: &Document, tasks: &[Item]) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut end = 0;
        for task in tasks {
            // The text of a task contains the tasks below it.
            if task.span.start < end {
                continue;
            }
            end = task.span.end;
            for path in paths(&document.text()[task.span.clone()]) {
                let action = match tables::read_action(description(&task.text)) {
                    Action::Unknown(_) | Action::None => Action::Modify,
                    // The new path is a part of a sentence.
                    Action::Rename(_) => Action::Unknown(String::new()),
                    action => action,
                };
                let row = FileRow {
                    path: path.to_owned(),
                    action,
                    note: String::new(),
                    path_span: task.span.clone(),
                    note_span: task.span.end..task.span.end,
                    span: task.span.clone(),
                    line: task.line,
                };
                self.0.insert(path.to_owned(), row);
                if !found.iter().any(|known| known == path) {
                    found.push(path.to_owned());
                }
            }
        }
        found
    }

    fn rows(self) -> Vec<FileRow> {
        self.0.into_values().collect()
    }
}

/// The relative paths in a text: words with a slash and a file extension, and `Cargo.toml`.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let ends = |sign: char| sign.is_whitespace() || "`'\"()[]<>,;|*".contains(sign);
    text.split(ends).filter_map(|word| {
        let word = word.trim_end_matches(['.', ':', '!', '?']);
        let path = word.strip_prefix("./").unwrap_or(word);
        let path = path.split_once(':').map_or(path, |(path, _)| path);
        let plain = |sign: char| sign.is_alphanumeric() || "/._-+@".contains(sign);
        let extension = Utf8Path::new(path).extension().unwrap_or_default();
        let is_path = path.contains('/')
            && !path.starts_with(['/', '.'])
            && !word.contains("://")
            && !path.contains("..")
            && path.chars().all(plain)
            && extension.starts_with(char::is_alphabetic);
        (is_path || path == "Cargo.toml").then_some(path)
    })
}

/// The id at the start of a task: `T012`, `1.2`.
fn task_id(text: &str) -> Option<&str> {
    let id = text.split_whitespace().next()?;
    let number = id.strip_prefix('T').unwrap_or(id);
    let is_number = number.starts_with(|sign: char| sign.is_ascii_digit())
        && number
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || sign == '.');
    let is_id =
        id.starts_with('T') && number.len() > 1 || number.trim_end_matches('.').contains('.');
    (is_number && is_id).then_some(id)
}

/// The text of a task without its id and its labels, such as `[P]`.
fn description(text: &str) -> &str {
    let mut rest = text;
    loop {
        let word = rest.split_whitespace().next().unwrap_or_default();
        if word.is_empty()
            || !(task_id(word).is_some() || word.starts_with('[') && word.ends_with(']'))
        {
            return rest;
        }
        rest = rest.trim_start()[word.len()..].trim_start();
    }
}

/// Reports lines that resemble a task and are none.
fn report_unread(reading: &mut Reading<'_>, items: &[Item]) {
    const BOX: &str = "this is not counted: a task is `- [ ] text` or `- [x] text`";
    const NO_BOX: &str = "this is not counted: it has the id of a task and no box";
    let ids: HashSet<&str> = items
        .iter()
        .filter_map(|item| task_id(&item.text))
        .collect();
    let mut found: Vec<(Range<usize>, &str)> = Vec::new();
    let outline = reading.outline;
    for node in &outline.nodes {
        if !matches!(node.kind, NodeKind::Item { .. } | NodeKind::Paragraph) {
            continue;
        }
        let last = outline.pieces[node.pieces.clone()].last();
        let own = node.span.start..last.map_or(node.span.start, |(span, _)| span.end);
        let mut at = own.start;
        for line in outline.source[own.clone()].split_inclusive('\n') {
            let line_start = line.trim_start();
            let leads = ["-[", "*[", "+["];
            if leads.iter().any(|lead| line_start.starts_with(lead)) {
                found.push((at..at + line.trim_end().len(), BOX));
            }
            at += line.len();
        }
        let is_entry = matches!(node.kind, NodeKind::Item { .. });
        if !is_entry || fields::item(reading.document, outline, node).is_some() {
            continue;
        }
        let plain = outline.plain(node.pieces.clone());
        let mark = plain.strip_prefix('[');
        let mark = mark.and_then(|rest| rest.split_once(']'));
        let is_box = mark.is_some_and(|(mark, rest)| {
            mark.chars().count() <= 1 && mark != "P" && !rest.starts_with(['(', ':'])
        });
        let lacks_box = || task_id(&plain).is_some_and(|id| !ids.contains(id)) && !ids.is_empty();
        if is_box {
            found.push((own, BOX));
        } else if lacks_box() {
            found.push((own, NO_BOX));
        }
    }
    for (span, message) in found {
        reading.problem(ProblemKind::Unread, span, message);
    }
}

/// The front matter of a task of Backlog.md.
struct FrontMatter {
    id: String,
    title: String,
    status: String,
    span: Span,
}

impl FrontMatter {
    /// The front matter; `None` without the keys that each task has.
    fn read(text: &str) -> Option<Self> {
        let start = text.len() - text.trim_start_matches('\u{feff}').len();
        let rest = text[start..].strip_prefix("---")?;
        let length = rest.find("\n---")?;
        let lines: Vec<&str> = rest[..length].lines().collect();
        let value = |key: &str| {
            let at = lines.iter().position(|line| {
                line.strip_prefix(key)
                    .is_some_and(|rest| rest.starts_with(':'))
            })?;
            let own = lines[at][key.len() + 1..].trim();
            let below = lines[at + 1..]
                .iter()
                .take_while(|line| line.starts_with([' ', '\t']));
            let folded: Vec<&str> = below.map(|line| line.trim()).collect();
            let own = own.trim_start_matches(['>', '|', '-']);
            let value = [&[own][..], &folded].concat().join(" ");
            let value = value.trim();
            let unquoted = ['\'', '"']
                .iter()
                .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
            Some(unquoted.unwrap_or(value).to_owned()).filter(|value| !value.is_empty())
        };
        Some(Self {
            id: value("id")?,
            title: value("title")?,
            status: value("status")?,
            span: start..start + "---".len() + length,
        })
    }
}
