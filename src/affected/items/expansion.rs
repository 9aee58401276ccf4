//! Macro calls where items stand, expanded where a `macro_rules!` macro of the workspace answers them: what they define
//! then counts item by item, as if it were written out.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::extract::{self, Detail, Digest, FileItems, digest};
use super::layout::{Layout, UnitId};
use super::mount::{Declared, FileId, Mount, Reader, SourceFile, Sources};
use super::words::is_known_macro;
use crate::workspace::source::expand::Definition;
use crate::workspace::source::syntax::{ItemKind, Syntax, TOP};

/// Expansions of expansions end here.
const DEEPEST: usize = 64;
/// And there is no more than this many of them in all.
const MOST: usize = 200_000;

struct Macro {
    unit: UnitId,
    file: FileId,
    text: String,
    digest: Digest,
}

struct Call {
    mount: usize,
    item: u32,
    before: bool,
    depth: usize,
    /// Its input is not the same before and after the change.
    changed: bool,
}

/// Mounts the expansions of calls like included files.
pub fn expand(sources: &mut Sources, layout: &Layout, reader: &dyn Reader) {
    let mut macros: HashMap<String, Vec<Macro>> = HashMap::new();
    let mut calls = Vec::new();
    for mount in 0..sources.mounts.len() {
        gather(sources, mount, 0, false, &mut macros, &mut calls);
    }
    if macros.is_empty() {
        return;
    }
    let mut done = 0;
    while done < calls.len() && done < MOST {
        let call = &calls[done];
        done += 1;
        let (at, declared) = (
            call.mount,
            Declared {
                mount: call.mount,
                item: call.item,
                before: call.before,
                include: true,
            },
        );
        let (depth, changed) = (call.depth + 1, call.changed);
        if depth > DEEPEST {
            continue;
        }
        let Some((expanded, line)) = one(sources, layout, call, &macros, reader) else {
            continue;
        };
        let parent = &sources.files[sources.mounts[at].file];
        let line = parent.expansion.unwrap_or(line);
        let file = SourceFile {
            path: parent.path.clone(),
            now: Some(expanded),
            before: None,
            changed,
            expansion: Some(line),
        };
        sources.files.push(file);
        sources.mounts.push(Mount {
            unit: sources.mounts[at].unit,
            file: sources.files.len() - 1,
            declared: Some(declared),
        });
        let mount = sources.mounts.len() - 1;
        gather(sources, mount, depth, changed, &mut macros, &mut calls);
    }
}

fn gather(
    sources: &Sources,
    mount: usize,
    depth: usize,
    changed: bool,
    macros: &mut HashMap<String, Vec<Macro>>,
    calls: &mut Vec<Call>,
) {
    let Mount { unit, file, .. } = sources.mounts[mount];
    let source = &sources.files[file];
    let texts = |items: &Option<Arc<FileItems>>| -> HashSet<String> {
        let details = items
            .iter()
            .flat_map(|items| &items.items)
            .map(|item| &item.detail);
        details
            .filter_map(|detail| {
                if let Detail::Call(text) = detail {
                    Some(text.clone())
                } else {
                    None
                }
            })
            .collect()
    };
    let both = source.changed && depth == 0;
    let (now, before) = if both {
        (texts(&source.now), texts(&source.before))
    } else {
        Default::default()
    };
    for (items, other, is_before) in [(&source.now, &before, false), (&source.before, &now, true)] {
        let Some(items) = items else { continue };
        for (index, item) in (0_u32..).zip(&items.items) {
            match &item.detail {
                Detail::Macro { text, .. } => {
                    let name = name(items, item.name);
                    macros.entry(name.to_owned()).or_default().push(Macro {
                        unit,
                        file,
                        text: text.clone(),
                        digest: digest([text.as_bytes()]),
                    });
                }
                Detail::Call(text) if expandable(items, index) => {
                    let differs = both && !other.contains(text);
                    if !is_before || differs {
                        calls.push(Call {
                            mount,
                            item: index,
                            before: is_before,
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

fn name(items: &FileItems, symbol: Option<u32>) -> &str {
    symbol.map_or("", |symbol| items.symbols.get(symbol))
}

/// What stands inside another call is expanded with it.
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

/// What a call expands to, with the call's line; none where no macro of the workspace answers it.
fn one(
    sources: &Sources,
    layout: &Layout,
    call: &Call,
    macros: &HashMap<String, Vec<Macro>>,
    reader: &dyn Reader,
) -> Option<(Arc<FileItems>, u32)> {
    let mount = &sources.mounts[call.mount];
    let source = &sources.files[mount.file];
    let items = if call.before {
        source.before.as_ref()
    } else {
        source.now.as_ref()
    }?;
    let item = &items.items[call.item as usize];
    let Detail::Call(input) = &item.detail else {
        return None;
    };
    let known = macros.get(name(items, item.name))?;
    if is_known_macro_only(items, item.name) {
        return None;
    }
    let mut candidates: Vec<&Macro> = known
        .iter()
        .filter(|known| layout.links[mount.unit].contains(&known.unit))
        .collect();
    // An expansion has the path of the file whose call it expands.
    let nearness = |known: &&Macro| {
        (
            sources.files[known.file].path == source.path,
            known.unit == mount.unit,
        )
    };
    candidates.sort_by_key(|known| std::cmp::Reverse(nearness(known)));
    // Macros of the same name in other places may be meant just as well: what any of them makes counts.
    let near = candidates.first().map(nearness)?;
    candidates.retain(|known| nearness(known) == near);
    let definitions: Vec<(&str, String)> = candidates
        .iter()
        .map(|known| {
            let dollar_crate = if known.unit == mount.unit {
                "crate".to_owned()
            } else {
                format!(":: {}", layout.units[known.unit].name.replace('-', "_"))
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
    let expanded = reader.made(key, &|| {
        expansion(input, &definitions).unwrap_or_else(|| FileItems {
            problem: Some((0, "no macro answers the call".to_owned())),
            ..FileItems::default()
        })
    });
    expanded.problem.is_none().then_some((expanded, item.line))
}

/// The items that the definitions make of an input; none where they do not match it.
fn expansion(input: &str, definitions: &[(&str, String)]) -> Option<FileItems> {
    let input = Syntax::read(input).ok()?;
    let all = 0..u32::try_from(input.tokens.len()).ok()?;
    let mut texts: Vec<String> = Vec::new();
    for (text, dollar_crate) in definitions {
        let defined = Syntax::read(text).ok()?;
        let body = 0..u32::try_from(defined.tokens.len()).ok()?;
        // One that does not match cannot be the one that is called.
        let Some(text) = Definition::new(&defined, body).expand(&input, all.clone(), dollar_crate)
        else {
            continue;
        };
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    (!texts.is_empty()).then(|| extract::read(&texts.join("\n")))
}

/// A macro of the standard library's name that stands where items do can only be one of the workspace's own.
fn is_known_macro_only(items: &FileItems, symbol: Option<u32>) -> bool {
    let name = name(items, symbol);
    is_known_macro(name) && matches!(name, "compile_error" | "include")
}
