//! Converts the Markdown of a plan to safe HTML.
//!
//! Raw HTML is shown as text, and comments are omitted. Links may point to http, https, mailto, a file beside the plan, or a
//! heading of the plan; other links become plain text. Images become links, so the page loads nothing.

use std::collections::BTreeMap;

use percent_encoding::utf8_percent_encode;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use crate::report::sarif::PATH;

/// The context of links.
pub(super) struct Place<'a> {
    /// The prefix of heading ids in this plan.
    pub(super) name: &'a str,
    /// The path from the page to the plan's folder, with `/`; empty if it is the same folder.
    pub(super) folder: &'a str,
}

/// Renders `text`. Headings start at level four, because the page has three levels above them.
pub(super) fn rendered(text: &str, place: &Place<'_>) -> String {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    // Skip a byte order mark.
    let text = text.trim_start_matches('\u{feff}');
    let events: Vec<Event<'_>> = Parser::new_ext(text, options).collect();
    let mut slugs = slugs(&events, place.name).into_iter();
    let mut raw = String::new();
    let mut links = Vec::new();
    let events = events.into_iter().filter_map(|event| match event {
        Event::Start(Tag::HtmlBlock) => {
            raw.clear();
            None
        }
        Event::Html(html) => {
            raw.push_str(&html);
            None
        }
        Event::End(TagEnd::HtmlBlock) => {
            shown_html(&raw).map(|text| Event::Html(paragraph(&text).into()))
        }
        Event::InlineHtml(html) => shown_html(&html).map(|text| Event::Text(text.into())),
        Event::Start(Tag::Heading { level, classes, .. }) => Some(Event::Start(Tag::Heading {
            level: lowered(level),
            id: slugs.next().map(CowStr::from),
            classes,
            attrs: Vec::new(),
        })),
        Event::End(TagEnd::Heading(level)) => Some(Event::End(TagEnd::Heading(lowered(level)))),
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            let target = target(&dest_url, place);
            links.push(target.is_some());
            Some(opened(&target?))
        }
        Event::End(TagEnd::Link | TagEnd::Image) => {
            links.pop()?.then(|| Event::InlineHtml("</a>".into()))
        }
        Event::TaskListMarker(ticked) => Some(Event::InlineHtml(
            if ticked {
                "<span role=\"img\" aria-label=\"ticked\">☑</span> "
            } else {
                "<span role=\"img\" aria-label=\"open\">☐</span> "
            }
            .into(),
        )),
        other => Some(other),
    });
    let mut page = String::with_capacity(text.len() * 3 / 2);
    html::push_html(&mut page, events);
    page
}

/// Raw HTML without its comments; `None` if nothing remains.
fn shown_html(html: &str) -> Option<String> {
    let mut shown = String::new();
    let mut rest = html;
    while let Some(start) = rest.find("<!--") {
        let Some(length) = rest[start..].find("-->") else {
            break;
        };
        shown.push_str(&rest[..start]);
        rest = &rest[start + length + 3..];
    }
    shown.push_str(rest);
    Some(shown).filter(|shown| !shown.trim().is_empty())
}

fn paragraph(text: &str) -> String {
    format!("<pre>{}</pre>\n", escaped(text.trim_end()))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn opened(target: &str) -> Event<'static> {
    let target = escaped(target);
    Event::InlineHtml(format!("<a href=\"{target}\" rel=\"noreferrer\">").into())
}

fn lowered(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H4,
        HeadingLevel::H2 => HeadingLevel::H5,
        _ => HeadingLevel::H6,
    }
}

/// The target of a link on the page; `None` if the link is not allowed. Browsers skip control characters and blanks before a
/// scheme (the URL standard of WHATWG, section 4.4), so links with such characters are rejected.
fn target(url: &str, place: &Place<'_>) -> Option<String> {
    let url = url.trim();
    if url.is_empty()
        || url.contains(|letter: char| letter.is_control())
        || url.starts_with(['/', '\\'])
    {
        return None;
    }
    if let Some(fragment) = url.strip_prefix('#') {
        return Some(format!("#{}-{fragment}", place.name));
    }
    let scheme = url
        .find([':', '/', '?', '#'])
        .filter(|at| url[*at..].starts_with(':'))
        .map(|at| url[..at].to_ascii_lowercase());
    match scheme.as_deref() {
        Some("http" | "https" | "mailto") => Some(url.to_owned()),
        Some(_) => None,
        None => {
            let folder = utf8_percent_encode(place.folder, PATH);
            let slash = if place.folder.is_empty() { "./" } else { "/" };
            Some(format!("{folder}{slash}{url}"))
        }
    }
}

/// The ids of the headings in order, as on GitHub, prefixed with the PoC's name: lower-case letters and digits, `-` for a blank,
/// no other characters, and a number after duplicates.
fn slugs(events: &[Event<'_>], name: &str) -> Vec<String> {
    let mut slugs = Vec::new();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut heading: Option<String> = None;
    for event in events {
        match (event, &mut heading) {
            (Event::Start(Tag::Heading { .. }), _) => heading = Some(String::new()),
            (Event::Text(text) | Event::Code(text), Some(heading)) => heading.push_str(text),
            (Event::End(TagEnd::Heading(_)), Some(text)) => {
                let slug = slug(text);
                let before = taken.entry(slug.clone()).or_insert(0);
                slugs.push(match *before {
                    0 => format!("{name}-{slug}"),
                    before => format!("{name}-{slug}-{before}"),
                });
                *before += 1;
                heading = None;
            }
            _ => {}
        }
    }
    slugs
}

fn slug(text: &str) -> String {
    let kept = text.trim().chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        letter if letter.is_alphanumeric() => Some(letter),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> String {
        let place = Place {
            name: "cache",
            folder: "../my docs",
        };
        rendered(text, &place)
    }

    #[test]
    fn raw_html_is_escaped_and_comments_are_omitted() {
        let html = page(
            "# A </title>\n\n<script>alert(1)</script>\n\n<!-- hidden -->\n\nx <img src=x onerror=y> z <!-- w -->\n",
        );
        assert!(
            html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
            "{html}"
        );
        assert!(html.contains("x &lt;img src=x onerror=y&gt; z"), "{html}");
        for wrong in ["<script", "<img", "</title", "hidden", "-- w"] {
            assert!(!html.contains(wrong), "{wrong} in {html}");
        }
    }

    #[test]
    fn unsafe_links_become_text() {
        for (link, leads) in [
            (
                "https://example.com/?a=1&b",
                Some("https://example.com/?a=1&amp;b"),
            ),
            ("MAILTO:a@b.example", Some("MAILTO:a@b.example")),
            ("notes.md#top", Some("../my%20docs/notes.md#top")),
            ("../src/a.rs?x:y", Some("../my%20docs/../src/a.rs?x:y")),
            ("#step-1", Some("#cache-step-1")),
            ("javascript:alert(1)", None),
            ("JaVaScRiPt:alert(1)", None),
            ("<java\tscript:alert(1)>", None),
            ("<\u{1}javascript:alert(1)>", None),
            ("&#106;avascript:alert(1)", None),
            ("data:text/html,x", None),
            ("file:///etc/passwd", None),
            ("//example.com", None),
            ("<\\\\\\\\example.com\\\\x>", None),
        ] {
            let html = page(&format!("[text]({link}) ![picture]({link})\n"));
            assert!(html.contains("text"), "{link}: {html}");
            assert!(html.contains("picture"), "{link}: {html}");
            let hrefs: Vec<_> = html
                .split("href=\"")
                .skip(1)
                .map(|rest| rest.split('"').next())
                .collect();
            assert_eq!(
                hrefs,
                leads.map_or(vec![], |leads| vec![Some(leads); 2]),
                "{link}: {html}"
            );
            assert!(!html.contains("src="), "{link}: {html}");
        }
        assert!(!page("<javascript:alert(1)>").contains("href"));
    }

    #[test]
    fn heading_ids_are_as_on_github() {
        let html = page("# Plan: A_b `c`!\n\n## Tests\n\n### Tests\n");
        for id in [
            "h4 id=\"cache-plan-a_b-c\"",
            "h5 id=\"cache-tests\"",
            "h6 id=\"cache-tests-1\"",
        ] {
            assert!(html.contains(id), "{id} in {html}");
        }
    }

    #[test]
    fn checkboxes_have_labels() {
        let html = page("- [x] done\n- [ ] not\n");
        assert!(
            html.contains("aria-label=\"ticked\">☑</span> done"),
            "{html}"
        );
        assert!(html.contains("aria-label=\"open\">☐</span> not"), "{html}");
    }
}
