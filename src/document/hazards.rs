//! Fences and comments whose meaning in Markdown differs from the author's intention, and generated regions, which are comments.

use std::collections::HashMap;

use super::outline::{Node, NodeKind, Outline, Piece};
use super::parts::{ParseProblem, ProblemKind, Region};
use super::text::{Document, Span};
use super::vocabulary;

/// Reports the first line of each conflict that git left: `<<<<<<< `, `=======` and `>>>>>>> ` at the start of lines, also inside
/// fences, because a conflict may be inside a command.
pub(crate) fn conflicts(document: &Document, source: &str, problems: &mut Vec<ParseProblem>) {
    let (mut at, mut begin, mut divided) = (0, None, false);
    for line in source.split_inclusive('\n') {
        let start = at;
        at += line.len();
        if !line.starts_with(['<', '=', '>']) {
            continue;
        }
        let line = line.trim_end();
        let is_marker = |marker: &str| {
            line.strip_prefix(marker)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        if is_marker("<<<<<<<") {
            (begin, divided) = (Some(start..start + line.len()), false);
        } else if is_marker("=======") {
            divided = begin.is_some();
        } else if is_marker(">>>>>>>")
            && divided
            && let Some(span) = begin.take()
        {
            problems.push(document.problem(
                ProblemKind::Conflict,
                span,
                "a merge left conflict markers here; keep the valid text (both of two evidence records), and remove the markers",
            ));
        }
    }
}

/// Reports fences that are not closed, that contain an opening fence, or that contain a step's heading.
pub(crate) fn fences(document: &Document, outline: &Outline<'_>, problems: &mut Vec<ParseProblem>) {
    for node in &outline.nodes {
        let NodeKind::Fence { fenced: true, .. } = node.kind else {
            continue;
        };
        let raw = &outline.source[node.span.clone()];
        let marker = if raw.starts_with('~') { '~' } else { '`' };
        let length = raw
            .chars()
            .take_while(|character| *character == marker)
            .count();
        let mut nested = false;
        let mut closed = false;
        let mut at = node.span.start;
        for (index, line) in raw.split_inclusive('\n').enumerate() {
            // Skip lines that are neither a fence nor a heading, which are nearly all.
            if !line.contains([marker, '#']) {
                at += line.len();
                closed = false;
                continue;
            }
            let content = line.trim_start_matches([' ', '\t', '>']).trim_end();
            let span = at..at + line.trim_end().len();
            at += line.len();
            if index == 0 {
                continue;
            }
            let run = content
                .chars()
                .take_while(|character| *character == marker)
                .count();
            closed = run >= length && content.len() == run;
            if run >= length && content.len() > run && !nested {
                nested = true;
                problems.push(document.problem(
                    ProblemKind::NestedFence,
                    span,
                    "a code fence opens inside another of the same length, which its end will close; \
                     make the outer fence longer",
                ));
            } else if content.starts_with("##") && is_step(content) {
                problems.push(document.problem(
                    ProblemKind::StepInFence,
                    span,
                    "a step heading inside a code fence does not count; close the fence before it if it is a step",
                ));
            }
        }
        if !closed {
            problems.push(document.problem(
                ProblemKind::UnclosedFence,
                first_line(outline, node),
                "a code fence is not closed; everything up to the end of the document or of its list is code",
            ));
        }
    }
}

fn is_step(heading: &str) -> bool {
    let words = vocabulary::words(heading);
    words
        .strip_prefix("step ")
        .is_some_and(|rest| rest.starts_with(|character: char| character.is_ascii_digit()))
}

fn first_line(outline: &Outline<'_>, node: &Node) -> Span {
    let raw = &outline.source[node.span.clone()];
    node.span.start..node.span.start + raw.lines().next().unwrap_or_default().len()
}

/// Finds the generated regions, and comments that are not closed.
pub(crate) fn regions(
    document: &Document,
    outline: &Outline<'_>,
    problems: &mut Vec<ParseProblem>,
) -> Vec<Region> {
    let mut markers = Vec::new();
    for node in &outline.nodes {
        if matches!(node.kind, NodeKind::Html) {
            comments(document, outline, &node.span, &mut markers, problems);
        }
    }
    for (span, piece) in &outline.pieces {
        if *piece == Piece::Html {
            comments(document, outline, span, &mut markers, problems);
        }
    }
    markers.sort_by_key(|marker| marker.span.start);
    pair(document, markers, problems)
}

struct Marker {
    begins: bool,
    name: String,
    /// the comment
    span: Span,
}

fn comments(
    document: &Document,
    outline: &Outline<'_>,
    within: &Span,
    markers: &mut Vec<Marker>,
    problems: &mut Vec<ParseProblem>,
) {
    let mut at = within.start;
    while let Some(start) = outline.source[at..within.end]
        .find("<!--")
        .map(|found| at + found)
    {
        // `<!-->` is a whole comment, so the end may share its dashes with the start
        let body = start + "<!--".len();
        let Some(end) = outline.source[body - 2..within.end]
            .find("-->")
            .map(|found| body - 2 + found)
        else {
            problems.push(document.problem(
                ProblemKind::UnclosedComment,
                start..body,
                "a comment is not closed with `-->`; everything after it is hidden and ignored",
            ));
            return;
        };
        at = end + "-->".len();
        let Some(text) = outline.source[body.min(end)..end]
            .trim()
            .strip_prefix("cargo-poc:")
        else {
            continue;
        };
        let mut words = text.split_whitespace();
        let begins = match words.next() {
            Some("begin") => true,
            Some("end") => false,
            _ => continue,
        };
        let name = words.next().unwrap_or_default().to_owned();
        markers.push(Marker {
            begins,
            name,
            span: start..at,
        });
    }
}

/// Pairs each `end` with the nearest open `begin` of its name; a `begin` of another name in between has no end.
fn pair(
    document: &Document,
    markers: Vec<Marker>,
    problems: &mut Vec<ParseProblem>,
) -> Vec<Region> {
    let mut open: Vec<Marker> = Vec::new();
    let mut waiting: HashMap<String, usize> = HashMap::new();
    let mut regions = Vec::new();
    for marker in markers {
        if marker.begins {
            *waiting.entry(marker.name.clone()).or_default() += 1;
            open.push(marker);
            continue;
        }
        if waiting.get(&marker.name).is_none_or(|count| *count == 0) {
            unbalanced(document, &marker, problems);
            continue;
        }
        while let Some(begin) = open.pop() {
            if let Some(count) = waiting.get_mut(&begin.name) {
                *count -= 1;
            }
            if begin.name == marker.name {
                regions.push(region(document, &begin, &marker));
                break;
            }
            unbalanced(document, &begin, problems);
        }
    }
    for marker in &open {
        unbalanced(document, marker, problems);
    }
    regions.sort_by_key(|region| region.outer.start);
    regions
}

/// The content starts on the line after the first marker, unless the marker's line contains other text.
fn region(document: &Document, begin: &Marker, end: &Marker) -> Region {
    let line = document.line_of(begin.span.start);
    let next = document
        .line_span(document.line_of(begin.span.end) + 1)
        .start;
    let own_line =
        next <= end.span.start && document.text()[begin.span.end..next].trim().is_empty();
    let start = if own_line { next } else { begin.span.end };
    Region {
        name: begin.name.clone(),
        inner: start..end.span.start,
        outer: begin.span.start..end.span.end,
        line,
    }
}

fn unbalanced(document: &Document, marker: &Marker, problems: &mut Vec<ParseProblem>) {
    let (found, missing) = if marker.begins {
        ("begin", "end")
    } else {
        ("end", "begin")
    };
    let name = &marker.name;
    problems.push(document.problem(
        ProblemKind::UnbalancedRegion,
        marker.span.clone(),
        &format!("`cargo-poc:{found} {name}` has no `cargo-poc:{missing} {name}`; restore the missing marker, or remove this one"),
    ));
}
