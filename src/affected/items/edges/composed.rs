//! Names that macros compose of others.

use rustc_hash::FxHashSet;

use super::generators::Words;
use super::{Builder, EdgeTarget, ItemKind, Name, UnitId, flag};

impl Builder<'_> {
    fn words(&self) -> Words {
        let mut found = Words::default();
        let names = self.free.keys().chain(self.members.keys()).copied();
        let names: FxHashSet<Name> = names.collect();
        let mut names: Vec<Name> = names.into_iter().collect();
        names.sort_unstable();
        for name in names {
            let words = words_of(self.nodes.names.text(name));
            found.joined.push((words.concat(), name));
            for word in words {
                let known = found.by_word.entry(word).or_default();
                if known.last() != Some(&name) {
                    known.push(name);
                }
            }
        }
        found
    }

    /// The possible targets of a name that code of a unit composes from a fragment.
    pub(super) fn composed(&self, fragment: Name, unit: UnitId) -> Vec<EdgeTarget> {
        let mut targets = Vec::new();
        for name in self.composed_names(fragment) {
            for id in self.free.get(&name).into_iter().flatten() {
                let node = &self.nodes.nodes[*id as usize];
                let other = node.unit as usize;
                let is_test = node.is_test();
                let written_elsewhere = self.crates.visible_units(unit).is_none();
                let proc_macros = &self.generated.proc_macros;
                let is_seen = if proc_macros.contains(&unit) {
                    // The name is resolved where the macro is called, so a private item can match.
                    !proc_macros.contains(&other)
                } else {
                    let is_visible = written_elsewhere
                        || self.can_see(unit, *id) && !proc_macros.contains(&other);
                    other == unit || node.flags & flag::PUBLIC != 0 && is_visible
                };
                if is_test || !is_seen {
                    continue;
                }
                targets.push(self.macro_use(*id));
                if self.has_values(*id) || node.kind == ItemKind::Trait {
                    targets.push(EdgeTarget::AllMembers(*id));
                }
            }
            if self.members.contains_key(&name) {
                targets.push(EdgeTarget::MemberName(name));
            }
        }
        targets
    }

    /// The names that may be composed of a fragment: those that start or end with it, and those that are a part of it.
    pub(super) fn composed_names(&self, fragment: Name) -> Vec<Name> {
        /// Shorter fragments must be whole words.
        const SHORTEST_PART: usize = 4;
        let text = self.nodes.names.text(fragment);
        let words = words_of(text);
        let Some(first) = words.first() else {
            return Vec::new();
        };
        let has_words = |name: &&Name| {
            let all = words_of(self.nodes.names.text(**name));
            all.starts_with(&words) || all.ends_with(&words)
        };
        let is_part = |name: &&Name| {
            let all = words_of(self.nodes.names.text(**name));
            words.windows(all.len().max(1)).any(|part| part == all)
        };
        let known = self.generated.words.get_or_init(|| self.words());
        let with = |word: &String| known.by_word.get(word).into_iter().flatten();
        let mut found: Vec<Name> = with(first).filter(has_words).copied().collect();
        if text.starts_with('_') || text.ends_with('_') {
            // The fragment contains its separator: `get_`.
            let fits = |name: &Name| {
                let name = self.nodes.names.text(*name);
                let before = text.ends_with('_') && name.starts_with(text);
                before || text.starts_with('_') && name.ends_with(text)
            };
            found.retain(fits);
            return found;
        }
        found.extend(words.iter().flat_map(with).filter(is_part));
        let joined = words.concat();
        if joined.len() >= SHORTEST_PART {
            let parts = known.joined.iter();
            let parts =
                parts.filter(|(name, _)| name.starts_with(&joined) || name.ends_with(&joined));
            found.extend(parts.map(|(_, name)| *name));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The words of a name, in lower case: `get_item`, `GetItem` → `get`, `item`.
fn words_of(name: &str) -> Vec<String> {
    let parts = name.split('_').flat_map(|part| {
        let letters = part.char_indices().zip(part.chars().skip(1));
        let ends = letters.filter_map(|((at, letter), next)| {
            let is_lower = letter.is_lowercase() || letter.is_numeric();
            (is_lower && next.is_uppercase()).then_some(at + letter.len_utf8())
        });
        let mut start = 0;
        ends.chain([part.len()])
            .map(move |end| &part[std::mem::replace(&mut start, end)..end])
    });
    let words = parts.filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_words() {
        assert_eq!(words_of("get_item2"), ["get", "item2"]);
        assert_eq!(words_of("ConfBuilder"), ["conf", "builder"]);
        assert_eq!(words_of("__private_HTTP"), ["private", "http"]);
    }
}
