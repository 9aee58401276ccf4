//! Extracts the blocks of the Dependencies section from a plan.

use anyhow::Result;
use camino::Utf8PathBuf;

use super::declared::{Block, Intent, Note, declared};
use crate::document::plan::DependencyBlock;
use crate::document::{Document, Plan};
use crate::exit::usage;

/// The blocks of a plan. A block without a manifest belongs to `only_package`, the manifest of a workspace with one package; if that is
/// `None`, the block is ignored with a note.
///
/// # Errors
/// If a block without a manifest has entries to apply.
pub fn blocks<'a>(
    plan: &'a Plan,
    document: &'a Document,
    only_package: Option<&str>,
) -> Result<(Vec<Block<'a>>, Vec<Note>)> {
    let (mut blocks, mut notes) = (Vec::new(), Vec::new());
    for DependencyBlock { manifest, block } in &plan.dependencies {
        let named = manifest.as_deref().or(only_package);
        let read = Block {
            manifest: Utf8PathBuf::from(named.unwrap_or_default().replace('\\', "/")),
            toml: &block.code,
            line: block.line + 1,
            lead: paragraph_before(document.text(), block.span.start),
        };
        if named.is_some() {
            blocks.push(read);
            continue;
        }
        if declared(&read)?
            .entries
            .iter()
            .any(|entry| entry.intent != Intent::Describe)
        {
            return Err(usage(format!(
                "plan line {}: which manifest is this block for? Name it above the block, as in: Update `crates/store/Cargo.toml`:",
                block.line
            )));
        }
        let message = "this block has no Cargo.toml; it is ignored".to_owned();
        notes.push(Note {
            line: block.line,
            message,
        });
    }
    Ok((blocks, notes))
}

/// The paragraph, list item or heading directly above `offset`, ignoring blank lines; empty below another block.
fn paragraph_before(text: &str, offset: usize) -> &str {
    let above = text[..offset].trim_end_matches([' ', '\t', '>']).trim_end();
    let mut start = above.len();
    for line in above.split_inclusive('\n').rev() {
        let content = line.trim();
        if content.is_empty() || content.starts_with("```") || content.starts_with("~~~") {
            break;
        }
        start -= line.len();
    }
    &above[start..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::read_plan;

    fn read(text: &str) -> (Document, Plan) {
        let document = Document::from_text("docs/x-plan.md", text.to_owned());
        let plan = read_plan(&document);
        (document, plan)
    }

    #[test]
    fn lead_is_the_paragraph_above() {
        let text = "x\n\nCurrent dependencies\nof `Cargo.toml`:\n\n```toml\n# a\n```\n```toml\n";
        assert_eq!(
            paragraph_before(text, text.find("```").unwrap_or(0)),
            "Current dependencies\nof `Cargo.toml`:"
        );
        assert_eq!(paragraph_before(text, text.len() - 8), "");
        assert_eq!(paragraph_before("", 0), "");
    }

    #[test]
    fn block_has_its_manifest_and_line() {
        let (document, plan) = read(
            "# X\n\n## Dependencies\n\nUpdate `a\\Cargo.toml`:\r\n\r\n```toml\r\n[dependencies]\r\n```\r\n",
        );
        let (blocks, notes) = blocks(&plan, &document, None).unwrap();
        assert_eq!(
            (blocks[0].manifest.as_str(), blocks[0].line),
            ("a/Cargo.toml", 8)
        );
        assert_eq!(notes, []);
    }

    #[test]
    fn block_without_a_manifest_belongs_to_the_only_package() {
        let (document, plan) =
            read("# X\n\n## Dependencies\n\n```toml\n[dependencies]\nmoka = \"1\"\n```\n");
        let (found, _) = blocks(&plan, &document, Some("Cargo.toml")).unwrap();
        assert_eq!(found[0].manifest, "Cargo.toml");
        let error = blocks(&plan, &document, None).unwrap_err();
        assert!(
            error.to_string().starts_with("plan line 5: which manifest"),
            "{error}"
        );

        let (document, plan) = read(
            "# X\n\n## Dependencies\n\nFor reference:\n\n```toml\n[dependencies]\nmoka = \"1\"\n```\n",
        );
        let (found, notes) = blocks(&plan, &document, None).unwrap();
        assert_eq!((found.len(), notes[0].line), (0, 7));
    }
}
