//! The checkboxes of any document, as a source of success criteria.

use super::outline::Outline;
use super::parts::Section;
use super::text::Document;
use super::{fields, headings::Headings, normalize};

/// The texts of the outermost checkboxes below the headings that contain `heading` (ignoring case), or of the whole document.
#[must_use]
pub fn checklist(document: &Document, heading: Option<&str>) -> Vec<String> {
    let mut outline = Outline::read(document.text());
    // Problems of other documents are not reported.
    normalize::normalize(&mut outline);
    let headings = Headings::read(document, &mut outline, &mut Vec::new());
    let wanted = heading.map(str::to_lowercase);
    let chosen: Vec<&Section> = headings
        .sections
        .iter()
        .filter(|section| {
            wanted
                .as_ref()
                .is_some_and(|wanted| section.title.to_lowercase().contains(wanted))
        })
        .collect();
    let items = fields::items(document, &outline, 0..outline.nodes.len());
    items
        .into_iter()
        .filter(|item| item.depth == 0)
        .filter(|item| {
            wanted.is_none()
                || chosen
                    .iter()
                    .any(|section| section.span.contains(&item.span.start))
        })
        .map(|item| item.text)
        .collect()
}
