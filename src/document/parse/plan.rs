//! Converts blocks to a plan.

use camino::Utf8Path;

use super::super::outline::{NodeKind, Piece};
use super::super::parts::{Block, Field, Label, Section, SectionKind};
use super::super::plan::Plan;
use super::super::plan::{Action, Count, DependencyBlock, FileRow, Prerequisite, Step};
use super::super::{counts, fields, tables, vocabulary};
use super::reading::{Reading, blocks_of, is_manifest, items_outside, manifest_in, text_of};
use super::unread;

pub(super) fn read(mut reading: Reading<'_>) -> Plan {
    let overview = reading.pairs(&[SectionKind::Overview, SectionKind::Summary]);
    let value = |keys: &[&str]| Reading::value(&overview, keys).map(|row| row.value);
    let created = reading.timestamp(
        &overview,
        &["created", "date", "created on", "date created"],
    );
    let prerequisites = prerequisites(&reading);
    let (affected_total, full_suite) = totals(&reading);
    reading.duplicate_rows(&overview);
    let criteria = reading.criteria();
    reading.duplicate_criteria(&criteria);
    unread::in_plan(&mut reading);
    let mut plan = Plan {
        title: reading.title(),
        results_link: results_link(&reading),
        name: value(&["name"]),
        kind: value(&["type", "kind"]),
        proves: value(&["proves"]),
        base: value(&["base", "base commit"]),
        packages: value(&["packages", "package"])
            .map(|text| list(&text))
            .unwrap_or_default(),
        configurations: value(&["configurations", "configuration"])
            .map(|text| list(&text))
            .unwrap_or_default(),
        created,
        baseline: baseline_of(&prerequisites),
        criteria,
        steps: steps(&reading),
        tests: reading
            .bodies(SectionKind::TestSummary)
            .into_iter()
            .flat_map(|(_, body)| tables::tables(reading.outline, body))
            .flat_map(|table| table.tests(reading.document))
            .collect(),
        quarantine: reading
            .bodies(SectionKind::Quarantine)
            .into_iter()
            .flat_map(|(_, body)| tables::tables(reading.outline, body))
            .flat_map(|table| table.quarantined(reading.document))
            .collect(),
        affected_total,
        full_suite,
        checklist: reading.items(SectionKind::Checklist),
        done: done(&reading, &prerequisites),
        files: files(&mut reading),
        dependencies: dependencies(&reading),
        prerequisites,
        overview,
        ..Plan::default()
    };
    (
        plan.sections,
        plan.regions,
        plan.placeholders,
        plan.problems,
    ) = reading.finish();
    plan
}

/// The first `…results.md` above the first section, in code, a link or plain text.
fn results_link(reading: &Reading<'_>) -> Option<String> {
    let nodes = reading.headings.preamble(reading.outline);
    let pieces = reading.outline.nodes[nodes]
        .iter()
        .flat_map(|node| &reading.outline.pieces[node.pieces.clone()]);
    pieces
        .filter_map(|(_, piece)| match piece {
            Piece::Text(text) | Piece::Code(text) | Piece::LinkStart(text) => Some(text),
            _ => None,
        })
        .flat_map(|text| text.split([' ', '(', ')', ',', ';', '"']))
        .map(|word| word.trim_end_matches(['.', ':']))
        .find(|word| Utf8Path::new(word).extension() == Some("md") && word.contains("results"))
        .map(ToOwned::to_owned)
}

/// `store, cache` or `` `store` and `cache` ``.
fn list(text: &str) -> Vec<String> {
    text.split([',', ';', ' '])
        .map(|part| part.trim_matches(['`', '.', '(', ')']))
        .filter(|part| !part.is_empty() && *part != "and" && *part != "—" && *part != "--")
        .map(ToOwned::to_owned)
        .collect()
}

fn shell(blocks: impl Iterator<Item = Block>) -> Vec<Block> {
    blocks.filter(Block::is_shell).collect()
}

/// The sub-headings of Prerequisites, numbered or not.
fn prerequisites(reading: &Reading<'_>) -> Vec<Prerequisite> {
    let mut found = Vec::new();
    for (section, _) in reading.bodies(SectionKind::Prerequisites) {
        let level = reading
            .headings
            .sections
            .iter()
            .filter(|part| is_part(part, &section))
            .map(|part| part.level)
            .min();
        let parts = reading
            .headings
            .sections
            .iter()
            .zip(&reading.headings.bodies);
        for (part, body) in
            parts.filter(|(part, _)| is_part(part, &section) && Some(part.level) == level)
        {
            let (number, title) = numbered(&part.title);
            let fields = reading.fields(body.clone());
            found.push(Prerequisite {
                number: number.unwrap_or(found.len() as u64 + 1),
                title: title.to_owned(),
                commands: blocks_of(&fields, |label| label != Label::Verification),
                verification: blocks_of(&fields, |label| label == Label::Verification),
                fields,
                span: part.span.clone(),
                line: part.line,
            });
        }
    }
    found
}

fn is_part(part: &Section, section: &Section) -> bool {
    part.level > section.level
        && section.span.start < part.heading.start
        && part.heading.start < section.span.end
}

/// `1. title`, `1) title`, `Prerequisite 1: title`.
fn numbered(title: &str) -> (Option<u64>, &str) {
    let rest = title.strip_prefix("Prerequisite ").unwrap_or(title);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let after = &rest[digits..];
    match (rest[..digits].parse(), after.strip_prefix(['.', ')', ':'])) {
        (Ok(number), Some(rest)) => (Some(number), rest.trim()),
        _ => (None, title),
    }
}

/// The blocks of prerequisite 1.
fn baseline_of(prerequisites: &[Prerequisite]) -> Vec<Block> {
    let first = prerequisites.iter().find(|one| one.number == 1);
    first.map(baseline).unwrap_or_default()
}

/// The blocks of the done section. Without this section, the baseline's commands.
fn done(reading: &Reading<'_>, prerequisites: &[Prerequisite]) -> Vec<Block> {
    let bodies = reading.bodies(SectionKind::Done);
    if bodies.is_empty() {
        return baseline_of(prerequisites);
    }
    shell(
        bodies
            .into_iter()
            .flat_map(|(_, body)| reading.blocks(body)),
    )
}

/// The blocks of the baseline: those under Verification, or all if there are none.
fn baseline(prerequisite: &Prerequisite) -> Vec<Block> {
    let verification = shell(prerequisite.verification.iter().cloned());
    if verification.is_empty() {
        shell(prerequisite.commands.iter().cloned())
    } else {
        verification
    }
}

fn steps(reading: &Reading<'_>) -> Vec<Step> {
    let steps = reading.steps();
    steps
        .into_iter()
        .map(|(heading, section, body)| {
            let fields = reading.fields(body);
            Step {
                id: heading.id,
                title: heading.title,
                withdrawn: heading.withdrawn,
                mark: heading.mark,
                goal: text_of(&fields, Label::Goal),
                tasks: items_outside(&fields, Label::AcceptanceCriteria),
                code: blocks_of(&fields, is_code),
                tests: blocks_of(&fields, |label| label == Label::Tests),
                verification: blocks_of(&fields, |label| label == Label::Verification),
                output: text_of(&fields, Label::Output),
                fields,
                body: section.heading.end..section.span.end,
                heading: section.heading,
                line: section.line,
            }
        })
        .collect()
}

fn is_code(label: Label) -> bool {
    !matches!(
        label,
        Label::Tests
            | Label::Verification
            | Label::VerificationResults
            | Label::Output
            | Label::Expected
    )
}

/// `**Affected tests: ~12 tests**` and `**Full suite**: ~300 tests` under Test Summary.
fn totals(reading: &Reading<'_>) -> (Option<Count>, Option<Count>) {
    let labels: Vec<Field> = reading
        .bodies(SectionKind::TestSummary)
        .into_iter()
        .flat_map(|(_, body)| reading.labels(body))
        .collect();
    let total = |first: &str| {
        labels
            .iter()
            .filter(|field| vocabulary::words(&field.name).starts_with(first))
            .find_map(|field| counts::total(&field.value))
    };
    (total("affected tests"), total("full suite"))
}

/// The rows of all tables and the entries of all lists; the heading above may contain the action (`### New files`).
fn files(reading: &mut Reading<'_>) -> Vec<FileRow> {
    let mut files = Vec::new();
    for (_, body) in reading.bodies(SectionKind::Files) {
        let mut fallback = None;
        for index in body {
            let node = &reading.outline.nodes[index];
            match node.kind {
                NodeKind::Heading(_) => {
                    let action = tables::read_action(&reading.outline.plain(node.pieces.clone()));
                    fallback = Some(action).filter(|action| !matches!(action, Action::Unknown(_)));
                }
                NodeKind::Item { depth: 0 } => files.extend(tables::files_in_entry(
                    reading.document,
                    reading.outline,
                    node,
                    fallback.as_ref(),
                )),
                NodeKind::Table { .. } => {
                    for table in tables::tables(reading.outline, index..index + 1) {
                        files.extend(table.files(
                            reading.document,
                            fallback.as_ref(),
                            &mut reading.problems,
                        ));
                    }
                }
                _ => {}
            }
        }
    }
    files
}

/// The TOML blocks, each with the last manifest in the text above it, or the one in its first comment.
fn dependencies(reading: &Reading<'_>) -> Vec<DependencyBlock> {
    let mut found = Vec::new();
    for (_, body) in reading.bodies(SectionKind::Dependencies) {
        let mut above: Option<String> = None;
        for node in &reading.outline.nodes[body] {
            match node.kind {
                NodeKind::Heading(_) | NodeKind::Paragraph | NodeKind::Item { .. } => {
                    above = manifest_in(reading, node).or(above);
                }
                NodeKind::Fence { .. } => {
                    let Some(block) = fields::block(reading.document, reading.outline, node) else {
                        continue;
                    };
                    if block.lang == "toml" {
                        let manifest = manifest_comment(&block.code).or_else(|| above.clone());
                        found.push(DependencyBlock { manifest, block });
                    }
                }
                _ => {}
            }
        }
    }
    found
}

/// `# crates/x/Cargo.toml` on the first line.
fn manifest_comment(code: &str) -> Option<String> {
    let comment = code
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())?
        .strip_prefix('#')?
        .trim();
    let path = comment.trim_matches('`').trim_end_matches(':');
    is_manifest(path).then(|| path.to_owned())
}
