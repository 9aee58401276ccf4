//! A document without its prose: what is needed to say where the work stands, and no more. It is kept by content, so that
//! a list of many PoCs need not read all of their documents again.
//!
//! Left out is what only those need who change a document or show its text: labelled parts, code, tests and what was
//! written about a step. Spans and lines stay, and are those of the document.

use std::sync::atomic::{AtomicUsize, Ordering};

use camino::Utf8Path;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Document, Field, Item, Plan, Results, Section, read_plan, read_results};
use crate::sys::cache::{self, Cache};

/// Counts up whenever what is read of a document, or how it is kept, changes.
const FORMAT: &str = concat!("cargo-poc documents 3 ", env!("CARGO_PKG_VERSION"), "\n");

/// Bytes of documents to read anew below which that is quicker than to write the file.
const WORTH_KEEPING: usize = 512 * 1024;

/// Reads documents, each content once.
#[derive(Debug)]
pub struct Reader {
    cache: Cache,
    /// Bytes of the documents that were read anew.
    anew: AtomicUsize,
}

impl Reader {
    /// Reads through the file `documents` in `folder`, which may not be there.
    #[must_use]
    pub fn new(folder: &Utf8Path) -> Self {
        Self {
            cache: Cache::open(folder.join("documents"), FORMAT),
            anew: AtomicUsize::new(0),
        }
    }

    /// [`read_plan`], condensed.
    #[must_use]
    pub fn plan(&self, document: &Document) -> Plan {
        self.read("plan", document, |document| plan(read_plan(document)))
    }

    /// [`read_results`], condensed.
    #[must_use]
    pub fn results(&self, document: &Document) -> Results {
        self.read("results", document, |document| {
            results(read_results(document))
        })
    }

    fn read<T: Serialize + DeserializeOwned>(
        &self,
        kind: &str,
        document: &Document,
        read: impl FnOnce(&Document) -> T,
    ) -> T {
        let bytes = document.text().as_bytes();
        let key = cache::key(kind, bytes);
        self.cache.get(&key).unwrap_or_else(|| {
            let value = read(document);
            self.anew.fetch_add(bytes.len(), Ordering::Relaxed);
            self.cache.put(key, &value);
            value
        })
    }

    /// Keeps what was read, where that is worth a file; says so where the next run will have to read it again. What was kept
    /// of documents that nobody asked for stays: some ask for plans alone.
    #[must_use]
    pub fn save(self) -> Option<String> {
        if self.anew.into_inner() < WORTH_KEEPING {
            return None;
        }
        let error = self.cache.save(2).err()?;
        Some(format!("{error:#}; the next run reads all documents again"))
    }
}

/// The plan, condensed.
#[must_use]
pub fn plan(mut plan: Plan) -> Plan {
    plan.regions.clear();
    for need in &mut plan.prerequisites {
        need.fields.clear();
        need.commands.clear();
    }
    for step in &mut plan.steps {
        step.goal.clear();
        step.output.clear();
        step.fields.clear();
        step.code.clear();
        // That there are tests counts, not what they are.
        for block in &mut step.tests {
            block.lang.clear();
            block.code.clear();
        }
        step.tasks.iter_mut().for_each(mere_box);
    }
    for row in &mut plan.files {
        row.note.clear();
    }
    plan.sections.iter_mut().for_each(untitled);
    plan.criteria.iter_mut().for_each(without_detail);
    plan.checklist.iter_mut().for_each(without_detail);
    plan
}

/// The results, condensed.
#[must_use]
pub fn results(mut results: Results) -> Results {
    results.regions.clear();
    results.goal.clear();
    results.validation.fields.retain(is_a_total);
    results.validation.items.clear();
    results.validation.blocks.clear();
    for step in &mut results.steps {
        step.expected.clear();
        step.implementation.clear();
        step.issues.clear();
        step.lessons.clear();
        step.result.clear();
        step.blocks.clear();
        step.fields.clear();
        step.tasks.iter_mut().for_each(mere_box);
    }
    results.sections.iter_mut().for_each(untitled);
    results.criteria.iter_mut().for_each(without_detail);
    results.prerequisites.clear();
    results
}

/// Findings on totals stand on its line.
fn is_a_total(field: &Field) -> bool {
    field.name.to_lowercase().starts_with("total")
}

/// Of a section it counts what it is, and where.
fn untitled(section: &mut Section) {
    section.title.clear();
}

/// Of a task it counts whether it is ticked.
fn mere_box(task: &mut Item) {
    task.text.clear();
    task.detail.clear();
}

fn without_detail(item: &mut Item) {
    item.detail.clear();
}
