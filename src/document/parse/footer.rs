//! The summary line under the criteria of a results document.

use std::ops::Range;

use super::super::outline::{NodeKind, Outline};
use super::super::parts::{Footer, SectionKind, Status};
use super::super::{counts, fields, vocabulary};
use super::reading::Reading;

/// Whether all criteria are met, and the numbers of met and of all criteria.
type Verdict = (Option<bool>, Option<(u64, u64)>);

/// Finds the last such line. It may be bold, and may follow the list directly.
pub(super) fn read(reading: &Reading<'_>) -> Option<Footer> {
    let mut found = None;
    for (_, body) in reading.bodies(SectionKind::SuccessCriteria) {
        for node in &reading.outline.nodes[body] {
            let pieces = match node.kind {
                NodeKind::Paragraph => node.pieces.clone(),
                // Markdown treats a line directly under the list as part of its last entry
                NodeKind::Item { .. } => after_first_line(reading.outline, node.pieces.clone()),
                _ => continue,
            };
            for line in fields::lines(reading.outline, pieces) {
                let text = reading.outline.plain(line.clone());
                let start = reading.outline.pieces[line.start].0.start;
                let end = reading.outline.pieces[line]
                    .iter()
                    .map(|(span, _)| span.end)
                    .max()
                    .unwrap_or(start);
                if let Some((met, counts)) = verdict(&text) {
                    let line = reading.document.line_of(start);
                    found = Some(Footer {
                        text,
                        met,
                        counts,
                        span: start..end,
                        line,
                    });
                }
            }
        }
    }
    found
}

fn after_first_line(outline: &Outline<'_>, pieces: Range<usize>) -> Range<usize> {
    let first = fields::lines(outline, pieces.clone())
        .next()
        .map_or(pieces.end, |line| line.end + 1);
    first.min(pieces.end)..pieces.end
}

/// `ALL SUCCESS CRITERIA MET: YES ✅`, `COMPLETE (10/10 criteria met)`, `5 of 6 criteria met`, `Not all criteria met`,
/// `STATUS: ✅ Complete`, `IN PROGRESS 🔄`. A note in parentheses does not change the meaning of the text before it.
fn verdict(text: &str) -> Option<Verdict> {
    const DENIALS: &[&str] = &[
        "not",
        "no",
        "pending",
        "incomplete",
        "partial",
        "partially",
        "unmet",
        "remaining",
        "progress",
    ];
    const VERDICTS: &[&str] = &[
        "met",
        "complete",
        "completed",
        "yes",
        "no",
        "pending",
        "progress",
    ];
    let counts = counts::fraction(text);
    let all = vocabulary::words(text);
    let (claim, _) = text.split_once('(').unwrap_or((text, ""));
    let words = vocabulary::words(claim);
    let has = |listed: &[&str]| words.split(' ').any(|word| listed.contains(&word));
    if !all.contains("criteria") {
        let state = words.strip_prefix("status").unwrap_or(&words).trim_start();
        let alone = state.split(' ').count() <= 2 && text.len() <= 60;
        let status = vocabulary::status(claim)
            .filter(|_| alone && has(&["complete", "completed", "progress", "pending"]))?;
        return Some((Some(status == Status::Complete), counts));
    }
    if !has(VERDICTS) && !all.contains("met") && counts.is_none() {
        return None;
    }
    let denied = has(DENIALS) || claim.contains(['❌', '⬜', '⏳', '🔄']);
    let met = match counts {
        Some((met, total)) if met < total => Some(false),
        // a template with both alternatives
        _ if denied && words.contains("criteria met") && claim.contains('/') => None,
        _ if denied => Some(false),
        _ if has(&["all", "complete", "completed"]) || counts.is_some() => Some(true),
        _ => None,
    };
    Some((met, counts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_forms() {
        for (text, expected) in [
            ("ALL SUCCESS CRITERIA MET ✅", Some((Some(true), None))),
            ("ALL SUCCESS CRITERIA MET: YES", Some((Some(true), None))),
            ("ALL CRITERIA MET", Some((Some(true), None))),
            (
                "ALL SUCCESS CRITERIA MET ✅ (pending a push)",
                Some((Some(true), None)),
            ),
            (
                "COMPLETE (10/10 criteria met)",
                Some((Some(true), Some((10, 10)))),
            ),
            ("5 of 6 criteria met", Some((Some(false), Some((5, 6))))),
            ("ALL SUCCESS CRITERIA MET: NO", Some((Some(false), None))),
            ("Not all criteria met yet", Some((Some(false), None))),
            ("STATUS: ✅ Complete", Some((Some(true), None))),
            ("IN PROGRESS 🔄", Some((Some(false), None))),
            (
                "ALL SUCCESS CRITERIA MET ✅ / IN PROGRESS 🔄",
                Some((None, None)),
            ),
            ("The criteria come from the design.", None),
            ("All of this is done in one pass.", None),
        ] {
            assert_eq!(verdict(text), expected, "{text}");
        }
    }
}
