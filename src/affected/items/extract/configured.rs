//! The items of a file in one build configuration.

use super::conditional::decisions;
use super::model::FileItems;
use crate::workspace::source::cfg::{Build, CfgOptions, Compiled};
use crate::workspace::source::modules::Child;
use crate::workspace::source::syntax::TOP;

/// The compiled items of a file, and declarations of files that are not compiled.
#[derive(Debug)]
pub struct Configured {
    /// The items that are, or may be, compiled in some build.
    pub items: FileItems,
    /// Declarations of modules and includes that are compiled in none.
    pub left_out: Vec<Child>,
}

impl FileItems {
    /// Which code inside items, and which `cfg_attr`, these options decide about, one byte for each; `None` if there is none:
    /// otherwise the file must be read for these options.
    #[must_use]
    pub fn decisions(&self, options: &CfgOptions) -> Option<Vec<u8>> {
        decisions(&self.code_conditions, options)
    }

    /// Removes items that these options exclude from every build; `None` if there are none.
    #[must_use]
    pub fn configured(&self, options: &CfgOptions) -> Option<Configured> {
        if self.conditions.is_empty() {
            return None;
        }
        let mut out = vec![false; self.items.len()];
        let mut any = false;
        for (item, predicate) in &self.conditions {
            if predicate.evaluate(options, Build::Any) != Compiled::No {
                continue;
            }
            any = true;
            match out.get_mut(*item as usize) {
                Some(out) => *out = true,
                None => out.fill(true),
            }
        }
        if !any {
            return None;
        }
        for index in 0..self.items.len() {
            let parent = self.items[index].parent as usize;
            out[index] |= out.get(parent).copied().unwrap_or(false);
        }
        Some(self.without(&out))
    }

    fn without(&self, out: &[bool]) -> Configured {
        let mut next = 0;
        let places: Vec<Option<u32>> = out
            .iter()
            .map(|out| {
                let place = (!out).then_some(next);
                next += u32::from(!out);
                place
            })
            .collect();
        let whole_file = out.iter().all(|out| *out);
        let place = |item: u32| match places.get(item as usize) {
            Some(place) => *place,
            None => Some(TOP).filter(|_| !whole_file),
        };
        let mut items = Self {
            symbols: self.symbols.clone(),
            inner: self.inner,
            conditional: self.conditional,
            problem: self.problem.clone(),
            ..Self::default()
        };
        for (index, item) in self
            .items
            .iter()
            .enumerate()
            .filter(|(index, _)| !out[*index])
        {
            debug_assert!(!out[index]);
            let mut item = item.clone();
            item.parent = place(item.parent).unwrap_or(TOP);
            items.items.push(item);
        }
        let mut left_out = Vec::new();
        for child in &self.children {
            let mut child = child.clone();
            match place(child.item) {
                Some(item) => {
                    child.item = item;
                    items.children.push(child);
                }
                None => left_out.push(child),
            }
        }
        for test in &self.doctests {
            if let Some(item) = place(test.item) {
                let mut test = test.clone();
                test.item = item;
                items.doctests.push(test);
            }
        }
        for (item, folder) in &self.folders {
            if let Some(item) = place(*item) {
                items.folders.push((item, folder.clone()));
            }
        }
        for (item, text) in &self.texts {
            if let Some(item) = place(*item) {
                items.texts.push((item, text.clone()));
            }
        }
        let named = self.names_in_text.iter();
        let named = named.filter_map(|(item, name)| Some((place(*item)?, *name)));
        items.names_in_text = named.collect();
        for (item, predicate) in &self.conditions {
            if let Some(item) = place(*item) {
                items.conditions.push((item, predicate.clone()));
            }
        }
        Configured { items, left_out }
    }
}
