//! Expands macro calls in item position if a `macro_rules!` macro of the workspace matches. The items of the expansion then count like
//! written ones.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::builtins::is_known_macro;
use super::crate_graph::{CrateGraph, UnitId};
use super::extract::{self, Detail, Digest, FileItems, Item, decided_key, digest, flag};
use super::sources::{Declared, FileId, ModuleFile, Reader, SourceFile, Sources};
use crate::workspace::source::expand::Definition;
use crate::workspace::source::modules::Child;
use crate::workspace::source::syntax::{ItemKind, Syntax, TOP};

/// The maximum depth of nested expansions.
const DEEPEST: usize = 64;
/// The maximum number of expansions.
const MOST: usize = 200_000;
/// The size limit for all expansions of one call in a file: the bytes of each input, plus [`EACH`] per call.
const BUDGET: usize = 1 << 20;
const EACH: usize = 512;

struct Macro {
    unit: UnitId,
    file: FileId,
    text: String,
    digest: Digest,
    rewrites_attributes: bool,
}

#[derive(Clone)]
struct Call {
    mount: usize,
    item: u32,
    before: bool,
    /// The index of the call whose expansion contains it; `None` for a call in a file.
    within: Option<usize>,
    depth: usize,
    /// Whether its input differs before and after the change.
    changed: bool,
}

/// The macros and calls found so far, and the progress of expansion.
#[derive(Default)]
pub(super) struct Expansions {
    macros: HashMap<String, Vec<Macro>>,
    calls: Vec<Call>,
    /// The number of calls that have been processed.
    done: usize,
    /// Processed calls without a matching macro.
    unanswered: Vec<usize>,
    /// The number of mounts that have been searched.
    gathered: usize,
    /// The expansion size of calls in files, by their index.
    spent: HashMap<usize, usize>,
}

impl Expansions {
    /// Mounts the expansions of calls like included files, and returns the new mounts. Call it again after the files that they declare are
    /// mounted.
    pub(super) fn expand(
        &mut self,
        sources: &mut Sources,
        crates: &CrateGraph,
        reader: &dyn Reader,
    ) -> Range<usize> {
        let first = sources.mounts.len();
        let known: usize = self.macros.values().map(Vec::len).sum();
        for mount in self.gathered..first {
            self.gather(sources, mount, None);
        }
        if self.macros.values().map(Vec::len).sum::<usize>() > known {
            let again = std::mem::take(&mut self.unanswered).into_iter();
            let again: Vec<Call> = again.map(|call| self.calls[call].clone()).collect();
            self.calls.extend(again);
        }
        while self.done < self.calls.len() && self.done < MOST {
            self.done += 1;
            self.next(sources, crates, reader);
        }
        self.gathered = sources.mounts.len();
        first..self.gathered
    }

    /// Mounts the expansion of the last processed call.
    fn next(&mut self, sources: &mut Sources, crates: &CrateGraph, reader: &dyn Reader) {
        let index = self.done - 1;
        let call = &self.calls[index];
        if call.depth >= DEEPEST || !self.is_affordable(sources, index) {
            return;
        }
        let call = &self.calls[index];
        let mut left_out = Vec::new();
        let one = self.one(sources, crates, call, &mut left_out, reader);
        let Some((expanded, partial, line, rewrites_attributes)) = one else {
            self.unanswered.push(index);
            return;
        };
        let declared = Declared {
            mount: call.mount,
            item: call.item,
            before: call.before,
            include: true,
        };
        let parent = &sources.files[sources.mounts[call.mount].file];
        let line = parent.expansion.unwrap_or(line);
        let file = SourceFile {
            path: parent.path.clone(),
            now: Some(expanded),
            before: None,
            changed: call.changed,
            expansion: Some(line),
            rewrites_attributes,
            left_out,
            partial,
            texts: rustc_hash::FxHashMap::default(),
        };
        sources.files.push(file);
        sources.mounts.push(ModuleFile {
            unit: sources.mounts[call.mount].unit,
            file: sources.files.len() - 1,
            declared: Some(declared),
        });
        self.gather(sources, sources.mounts.len() - 1, Some(index));
    }

    /// The expansion of a call, whether the build excludes some of it, the call's line, and whether the macro replaces attributes; `None`
    /// if no macro of the workspace has this name.
    fn one(
        &self,
        sources: &Sources,
        crates: &CrateGraph,
        call: &Call,
        left_out: &mut Vec<Child>,
        reader: &dyn Reader,
    ) -> Option<(Arc<FileItems>, bool, u32, bool)> {
        let mount = &sources.mounts[call.mount];
        let source = &sources.files[mount.file];
        let (items, item) = call.item(sources)?;
        let Detail::Call(input) = &item.detail else {
            return None;
        };
        let known = self.macros.get(name(items, item.name))?;
        if is_known_macro_only(items, item.name) || self.is_handed_on(sources, call) {
            return None;
        }
        let mut candidates: Vec<&Macro> = known
            .iter()
            .filter(|known| crates.links[mount.unit].contains(&known.unit))
            .collect();
        // An expansion has the path of the call's file.
        let nearness = |known: &&Macro| {
            (
                sources.files[known.file].path == source.path,
                known.unit == mount.unit,
            )
        };
        candidates.sort_by_key(|known| std::cmp::Reverse(nearness(known)));
        // Other macros with the same name may be called instead: the expansions of all count.
        let near = candidates.first().map(nearness)?;
        candidates.retain(|known| nearness(known) == near);
        let definitions: Vec<(&str, String)> = candidates
            .iter()
            .map(|known| {
                let dollar_crate = if known.unit == mount.unit {
                    "crate".to_owned()
                } else {
                    format!(":: {}", crates.units[known.unit].name.replace('-', "_"))
                };
                (known.text.as_str(), dollar_crate)
            })
            .collect();
        let parts = definitions
            .iter()
            .zip(&candidates)
            .flat_map(|((_, dollar_crate), known)| [&known.digest, dollar_crate.as_bytes()]);
        let key = digest(
            [b"expansion".as_slice(), input.as_bytes()]
                .into_iter()
                .chain(parts),
        );
        let whole = reader.made(key, &|| match expansion(input, &definitions) {
            Some(text) => extract::read(&text),
            None => FileItems {
                problem: Some((0, "no macro answers the call".to_owned())),
                ..FileItems::default()
            },
        });
        if whole.problem.is_some() {
            return None;
        }
        let build = crates.build_of(mount.unit);
        let expanded = crates.configured(
            build,
            Arc::clone(&whole),
            left_out,
            &|options, decisions| {
                let key = decided_key(&key, decisions);
                Some(reader.made(key, &|| {
                    let text = expansion(input, &definitions).unwrap_or_default();
                    extract::read_for(&text, options)
                }))
            },
        );
        let rewrites = candidates.iter().any(|known| known.rewrites_attributes);
        let partial = !Arc::ptr_eq(&whole, &expanded);
        Some((expanded, partial, item.line, rewrites))
    }

    /// Adds the expansion size of a call. Returns whether its outermost call in a file is within the limit.
    fn is_affordable(&mut self, sources: &Sources, index: usize) -> bool {
        let mut root = index;
        while let Some(within) = self.calls[root].within {
            root = within;
        }
        let call = &self.calls[index];
        let input = call
            .item(sources)
            .map_or(0, |(_, item)| match &item.detail {
                Detail::Call(input) => input.len(),
                _ => 0,
            });
        let spent = self.spent.entry(root).or_default();
        *spent += input + EACH;
        *spent <= BUDGET
    }

    /// Adds the macros and calls of a mount, which is the expansion of the call `within`.
    fn gather(&mut self, sources: &Sources, mount: usize, within: Option<usize>) {
        let ModuleFile { unit, file, .. } = sources.mounts[mount];
        let source = &sources.files[file];
        let (depth, changed) = within.map_or((0, false), |within| {
            let call = &self.calls[within];
            (call.depth + 1, call.changed)
        });
        let both = source.changed && within.is_none();
        let (now, before) = if both {
            (
                inputs(source.now.as_deref()),
                inputs(source.before.as_deref()),
            )
        } else {
            Default::default()
        };
        for (items, other, is_before) in
            [(&source.now, &before, false), (&source.before, &now, true)]
        {
            let Some(items) = items else { continue };
            for (index, item) in (0_u32..).zip(&items.items) {
                match &item.detail {
                    Detail::Macro {
                        text,
                        rewrites_attributes,
                        ..
                    } => {
                        let name = name(items, item.name);
                        self.macros.entry(name.to_owned()).or_default().push(Macro {
                            unit,
                            file,
                            text: text.clone(),
                            digest: digest([text.as_bytes()]),
                            rewrites_attributes: *rewrites_attributes,
                        });
                    }
                    Detail::Call(text) if expandable(items, index) => {
                        let differs = both && !other.contains(text.as_str());
                        if !is_before || differs {
                            self.calls.push(Call {
                                mount,
                                item: index,
                                before: is_before,
                                within,
                                depth,
                                changed: changed || differs,
                            });
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// Whether a call in the expansion of a macro with the same name uses a path through a module: it refers to another macro, which gets the
    /// input.
    fn is_handed_on(&self, sources: &Sources, call: &Call) -> bool {
        let Some((items, item)) = call.item(sources) else {
            return false;
        };
        let called = name(items, item.name);
        let around = std::iter::successors(call.within, |within| self.calls[*within].within);
        let mut names = around.filter_map(|within| {
            let (items, item) = self.calls[within].item(sources)?;
            Some(name(items, item.name))
        });
        item.flags & flag::THROUGH_MODULE != 0 && names.any(|name| name == called)
    }
}

impl Call {
    /// The items of the call's file, and the call's item.
    fn item<'s>(&self, sources: &'s Sources) -> Option<(&'s FileItems, &'s Item)> {
        let source = &sources.files[sources.mounts[self.mount].file];
        let items = source.items(self.before)?;
        Some((items, &items.items[self.item as usize]))
    }
}

/// The inputs of all calls in a file.
fn inputs(items: Option<&FileItems>) -> HashSet<&str> {
    let items = items.into_iter().flat_map(|items| &items.items);
    items
        .filter_map(|item| match &item.detail {
            Detail::Call(input) => Some(input.as_str()),
            _ => None,
        })
        .collect()
}

/// The text of a name; empty if there is none.
pub(super) fn name(items: &FileItems, symbol: Option<u32>) -> &str {
    symbol.map_or("", |symbol| items.symbols.get(symbol))
}

/// A call inside another call is expanded with it.
fn expandable(items: &FileItems, index: u32) -> bool {
    let item = &items.items[index as usize];
    let parent = item.parent;
    let free = parent == TOP
        || !matches!(
            items.items[parent as usize].kind,
            ItemKind::Foreign | ItemKind::Call
        );
    free && !matches!(name(items, item.name), "include" | "thread_local")
}

/// What the definitions make of an input, as text; `None` if they do not match.
fn expansion(input: &str, definitions: &[(&str, String)]) -> Option<String> {
    let input = Syntax::read(input).ok()?;
    let all = 0..u32::try_from(input.tokens.len()).ok()?;
    let mut texts: Vec<String> = Vec::new();
    for (text, dollar_crate) in definitions {
        let defined = Syntax::read(text).ok()?;
        let body = 0..u32::try_from(defined.tokens.len()).ok()?;
        // A definition that does not match cannot be the called one.
        let Some(text) = Definition::new(&defined, body).expand(&input, all.clone(), dollar_crate)
        else {
            continue;
        };
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    (!texts.is_empty()).then(|| texts.join("\n"))
}

/// A macro in item position with a name of the standard library can only be one of the workspace.
fn is_known_macro_only(items: &FileItems, symbol: Option<u32>) -> bool {
    let name = name(items, symbol);
    is_known_macro(name) && matches!(name, "compile_error" | "include")
}
