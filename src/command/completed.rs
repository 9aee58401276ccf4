//! The documents of a PoC with a complete Summary.

use anyhow::{Result, anyhow};

use crate::document::edit::Edits;
use crate::document::results::Results;
use crate::document::{Document, read_plan, read_results, vocabulary};
use crate::document_update::Texts;
use crate::evidence::now;
use crate::project::Poc;
use crate::status::{self, Assessment, State, summary_row};

/// The PoC with a Summary that is Complete.
///
/// # Errors
/// When a document cannot be edited.
pub(super) fn completed(poc: &Poc, assessment: &Assessment) -> Result<Poc> {
    let texts = texts(poc, assessment)?;
    let plan_document = match texts.plan {
        Some(text) => Document::from_text(&poc.paths.plan, text),
        None => poc.plan_document.clone(),
    };
    let results = texts.results.map(|text| {
        let document = Document::from_text(&poc.paths.results, text);
        let results = read_results(&document);
        (document, results)
    });
    Ok(Poc {
        paths: poc.paths.clone(),
        plan: read_plan(&plan_document),
        plan_document,
        results,
    })
}

/// Both documents with every proven criterion ticked, and a Summary that is Complete with its date.
pub(super) fn texts(poc: &Poc, assessment: &Assessment) -> Result<Texts> {
    let Some((document, results)) = &poc.results else {
        return Err(anyhow!("the results document is missing"));
    };
    let (mut edits, mut in_plan) = (Edits::new(document), Edits::new(&poc.plan_document));
    for (criterion, item) in assessment.criteria.iter().zip(&poc.plan.criteria) {
        if criterion.state == State::Proven {
            in_plan.tick(item, true);
            let same = results.criteria.iter();
            same.filter(|result| status::is_same_criterion(&item.text, &result.text))
                .for_each(|result| edits.tick(result, true));
        }
    }
    if let Some(row) = summary_row(results, "status") {
        let mut signs = row.value.chars();
        let sign = signs.any(|sign| vocabulary::sign(sign).is_some());
        let complete = if sign { "✅ Complete" } else { "Complete" };
        edits.set_cell(&row.value_span, complete);
    }
    date(&mut edits, results, "completed");
    Ok(Texts {
        plan: Some(in_plan.apply()?),
        results: Some(edits.apply()?),
    })
}

/// Sets the date of a row without one.
pub(super) fn date(edits: &mut Edits<'_>, results: &Results, key: &str) {
    if let Some(row) = summary_row(results, key)
        && matches!(row.value.as_str(), "" | "--" | "—" | "-")
    {
        edits.set_cell(&row.value_span, &now());
    }
}
