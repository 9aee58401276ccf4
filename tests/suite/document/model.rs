//! Plans made from a model, in every style, read back to it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cargo_poc::internals::document::plan::Action;
use cargo_poc::internals::document::{Document, Item, read_plan};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::property::cases;

/// A plan as a person would have it in mind.
#[derive(Debug, Clone)]
struct Model {
    name: String,
    criteria: Vec<(bool, String)>,
    steps: Vec<StepModel>,
    files: Vec<(String, Action, String)>,
    tests: Vec<(String, u64)>,
    toml: Option<String>,
}

#[derive(Debug, Clone)]
struct StepModel {
    letter: Option<char>,
    title: String,
    goal: String,
    tasks: Vec<(bool, String)>,
    code: String,
    verification: String,
    output: String,
}

/// How it is written down.
#[derive(Debug, Clone)]
struct Style {
    ending: &'static str,
    mark: bool,
    /// whether the checkboxes have a label
    labelled: bool,
    heading: &'static str,
    separator: &'static str,
    bullet: &'static str,
    fence: &'static str,
    blank: bool,
}

/// Words that mean nothing to Markdown or to the reader, with one that would split a careless title.
fn words() -> impl Strategy<Value = String> {
    let word = select(
        &[
            "reads", "stay", "fast", "été", "שלום", "🦀", "two", "(note)", "a -- b", "x: y", "824",
            "1.2",
        ][..],
    );
    vec(word, 1..5).prop_map(|words| format!("w {}", words.join(" ")))
}

fn step() -> impl Strategy<Value = StepModel> {
    let boxes = vec((any::<bool>(), words()), 0..4);
    (
        proptest::option::of(select(&['a', 'b'][..])),
        words(),
        words(),
        boxes,
        "(# - \\[ \\] no\n|### no\n|let x = 1;\n){0,3}",
        words(),
    )
        .prop_map(|(letter, title, goal, tasks, code, output)| StepModel {
            letter,
            title,
            goal,
            tasks,
            code,
            verification: "cargo test\n# Expected: All pass\n".to_owned(),
            output,
        })
}

fn model() -> impl Strategy<Value = Model> {
    let action = select(vec![
        Action::Create,
        Action::Modify,
        Action::Delete,
        Action::None,
        Action::Rename("b.rs".to_owned()),
    ]);
    (
        "[a-z][a-z0-9-]{0,9}",
        vec((any::<bool>(), words()), 0..4),
        vec(step(), 1..4),
        vec(("src/[a-z]{1,4}\\.rs", action, words()), 0..4),
        vec(("tests/[a-z]{1,4}\\.rs", 0..2_000_u64), 0..3),
        proptest::option::of("[a-z]{1,5} = \"1\"\n"),
    )
        .prop_map(|(name, mut criteria, steps, files, tests, toml)| Model {
            name,
            // A criterion that stands twice is a problem.
            criteria: {
                let mut seen = BTreeSet::new();
                criteria.retain(|(_, text)| seen.insert(text.to_lowercase()));
                criteria
            },
            steps,
            files,
            tests,
            toml,
        })
}

fn style() -> impl Strategy<Value = Style> {
    (
        select(&["\n", "\r\n"][..]),
        any::<bool>(),
        any::<bool>(),
        select(&["##", "###", "####"][..]),
        select(&[": ", " -- ", " — ", " - "][..]),
        select(&["- ", "* ", "+ ", "-   "][..]),
        select(&["```", "~~~", "`````"][..]),
        any::<bool>(),
    )
        .prop_map(
            |(ending, mark, labelled, heading, separator, bullet, fence, blank)| Style {
                ending,
                mark,
                labelled,
                heading,
                separator,
                bullet,
                fence,
                blank,
            },
        )
}

fn id(index: usize, step: &StepModel) -> String {
    step.letter
        .map_or_else(|| index.to_string(), |letter| format!("{index}{letter}"))
}

fn write(model: &Model, style: &Style) -> String {
    let gap = if style.blank { "\n" } else { "" };
    let Style {
        heading,
        separator,
        bullet,
        fence,
        ..
    } = style;
    let boxes = |items: &[(bool, String)]| -> String {
        let item = |(checked, text): &(bool, String)| {
            format!("{bullet}[{}] {text}\n", if *checked { 'x' } else { ' ' })
        };
        items.iter().map(item).collect()
    };
    let mut text = format!(
        "# Plan\n\n## Overview\n\n| Attribute | Value |\n|---|---|\n| **Name** | {} |\n\n",
        model.name
    );
    write!(
        text,
        "## Success Criteria\n\n{}\n## Implementation Steps\n\n",
        boxes(&model.criteria)
    )
    .unwrap();
    for (index, step) in model.steps.iter().enumerate() {
        write!(
            text,
            "{heading} Step {}{separator}{}\n{gap}**Goal**: {}\n\n",
            id(index, step),
            step.title,
            step.goal
        )
        .unwrap();
        if style.labelled {
            write!(text, "**Tasks**:\n{gap}").unwrap();
        }
        text += &boxes(&step.tasks);
        write!(
            text,
            "{gap}**Code**:\n{gap}{fence}rust\n{}{fence}\n\n",
            step.code
        )
        .unwrap();
        write!(
            text,
            "**Verification**:\n{fence}bash\n{}{fence}\n{gap}**Output**: {}\n\n---\n\n",
            step.verification, step.output
        )
        .unwrap();
    }
    text += "## Test Summary\n\n| Test File | Tests | What It Covers |\n|---|---|---|\n";
    text.extend(
        model
            .tests
            .iter()
            .map(|(target, count)| format!("| `{target}` | {count} | x |\n")),
    );
    text += "\n## Files to Create/Modify\n\n| File | Action | Status |\n|---|---|---|\n";
    for (path, action, note) in &model.files {
        let action = match action {
            Action::Rename(to) => format!("Rename to `{to}`"),
            Action::None => "No change".to_owned(),
            action => format!("{action:?}"),
        };
        writeln!(text, "| `{path}` | {action} | {note} |").unwrap();
    }
    text += "\n## Dependencies\n\n";
    match &model.toml {
        Some(toml) => write!(
            text,
            "Update `a/Cargo.toml`:\n\n{fence}toml\n{toml}{fence}\n"
        )
        .unwrap(),
        None => text += "No new dependencies required.\n",
    }
    let text = text.replace('\n', style.ending);
    if style.mark {
        format!("\u{feff}{text}")
    } else {
        text
    }
}

fn boxes(items: &[Item]) -> Vec<(bool, String)> {
    items
        .iter()
        .map(|item| (item.checked, item.text.clone()))
        .collect()
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn generated_plans_read_back_to_their_model(model in model(), style in style()) {
        let document = Document::from_text("docs/a-plan.md", write(&model, &style));
        let plan = read_plan(&document);
        prop_assert_eq!(plan.name.as_ref(), Some(&model.name));
        prop_assert_eq!(boxes(&plan.criteria), model.criteria);
        prop_assert_eq!(plan.steps.len(), model.steps.len());
        for (index, (read, step)) in plan.steps.iter().zip(&model.steps).enumerate() {
            prop_assert_eq!(read.id.as_str(), id(index, step));
            prop_assert_eq!(&read.title, &step.title);
            prop_assert_eq!(&read.goal, &step.goal);
            prop_assert_eq!(boxes(&read.tasks), step.tasks.clone());
            prop_assert_eq!(&read.code[0].code, &step.code);
            prop_assert_eq!(&read.verification[0].code, &step.verification);
            prop_assert_eq!(&read.output, &step.output);
        }
        let files: Vec<_> =
            plan.files.iter().map(|row| (row.path.clone(), row.action.clone(), row.note.clone())).collect();
        prop_assert_eq!(files, model.files);
        let tests: Vec<_> = plan.tests.iter().map(|row| (row.target.clone(), row.count.unwrap().value)).collect();
        prop_assert_eq!(tests, model.tests);
        let toml: Vec<_> = plan.dependencies.iter().map(|part| (part.manifest.as_deref(), part.block.code.as_str())).collect();
        let expected: Vec<_> = model.toml.iter().map(|toml| (Some("a/Cargo.toml"), toml.as_str())).collect();
        prop_assert_eq!(toml, expected);
        prop_assert_eq!(plan.problems, vec![]);
    }
}
