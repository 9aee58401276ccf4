//! The most numerous parts of a file's items as single blocks, so that loading the cache needs few allocations.

use serde::{Deserialize, Serialize};

/// A name, as its index into [`FileItems::symbols`](super::model::FileItems::symbols).
pub type Symbol = u32;

/// Texts by number.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Texts {
    /// All texts concatenated.
    all: String,
    /// The end of each text.
    ends: Vec<u32>,
}

impl Texts {
    /// Adds a text and returns its number.
    pub fn push(&mut self, text: &str) -> Symbol {
        self.all.push_str(text);
        let number = index(self.ends.len());
        self.ends.push(index(self.all.len()));
        number
    }

    /// The text with a number; empty if there is none.
    #[must_use]
    pub fn get(&self, number: Symbol) -> &str {
        let at = number as usize;
        let start = at
            .checked_sub(1)
            .map_or(Some(&0), |before| self.ends.get(before));
        let text = start.zip(self.ends.get(at));
        text.and_then(|(start, end)| self.all.get(*start as usize..*end as usize))
            .unwrap_or_default()
    }

    /// All texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..index(self.ends.len())).map(|number| self.get(number))
    }
}

/// The references of an item.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct References {
    /// The end of each [`Part`], and the parts; empty if all are. A path is its length and its segments.
    all: Box<[u32]>,
    /// Files embedded, as written.
    pub files: Vec<String>,
    /// Files and folders that may be read when the item runs, as relative paths.
    pub reads: Vec<String>,
}

/// The lists that [`References`] hold, in order.
#[derive(Debug, Clone, Copy)]
enum Part {
    Methods,
    Members,
    TraitMembers,
    Macros,
    Unresolved,
    Paths,
    TypeRefs,
    MacroCalls,
    Attributes,
}

/// The number of lists.
const PARTS: usize = 9;

/// The references of an item as separate lists.
#[derive(Debug, Default)]
pub struct Lists {
    /// See [`References::paths`].
    pub paths: Vec<Vec<Symbol>>,
    /// See [`References::type_refs`].
    pub type_refs: Vec<Vec<Symbol>>,
    /// See [`References::methods`].
    pub methods: Vec<Symbol>,
    /// See [`References::members`].
    pub members: Vec<Symbol>,
    /// See [`References::trait_members`].
    pub trait_members: Vec<Symbol>,
    /// See [`References::macros`].
    pub macros: Vec<Symbol>,
    /// See [`References::unresolved`].
    pub unresolved: Vec<Symbol>,
    /// See [`References::macro_calls`].
    pub macro_calls: Vec<Vec<Symbol>>,
    /// See [`References::attributes`].
    pub attributes: Vec<Vec<Symbol>>,
}

impl References {
    /// Joins the lists.
    #[must_use]
    pub fn new(lists: &Lists, files: Vec<String>, reads: Vec<String>) -> Self {
        let flat = |paths: &[Vec<Symbol>]| -> Vec<u32> {
            let with_length = |path: &Vec<Symbol>| [vec![index(path.len())], path.clone()].concat();
            paths.iter().flat_map(with_length).collect()
        };
        let (paths, type_refs) = (flat(&lists.paths), flat(&lists.type_refs));
        let (calls, attributes) = (flat(&lists.macro_calls), flat(&lists.attributes));
        let parts: [&[u32]; PARTS] = [
            &lists.methods,
            &lists.members,
            &lists.trait_members,
            &lists.macros,
            &lists.unresolved,
            &paths,
            &type_refs,
            &calls,
            &attributes,
        ];
        let mut all = Vec::new();
        if parts.iter().any(|part| !part.is_empty()) {
            let mut end = PARTS;
            all.extend(parts.iter().map(|part| {
                end += part.len();
                index(end)
            }));
            all.extend(parts.concat());
        }
        Self {
            all: all.into_boxed_slice(),
            files,
            reads,
        }
    }

    fn part(&self, part: Part) -> &[u32] {
        let ends = self.all.get(..PARTS).unwrap_or_default();
        let at = part as usize;
        let start = at.checked_sub(1).map_or(PARTS, |before| {
            ends.get(before).map_or(0, |end| *end as usize)
        });
        let end = ends.get(at).map_or(start, |end| *end as usize);
        self.all.get(start..end).unwrap_or_default()
    }

    /// Paths of one segment or more in code that runs; first segments [`GLOBAL`](super::model::GLOBAL) and
    /// [`SELF_CALL`](super::model::SELF_CALL) have a special meaning.
    pub fn paths(&self) -> impl Iterator<Item = &[Symbol]> {
        paths(self.part(Part::Paths))
    }

    /// Paths in fields, parameters, bounds and headers: no value of these types needs to exist.
    pub fn type_refs(&self) -> impl Iterator<Item = &[Symbol]> {
        paths(self.part(Part::TypeRefs))
    }

    /// Calls of macros outside the standard library: the macro's name, the first segment of its path, the last before the name, and the names
    /// in its input.
    pub fn macro_calls(&self) -> impl Iterator<Item = &[Symbol]> {
        paths(self.part(Part::MacroCalls))
    }

    /// Attributes and derives of the item that rustc does not define: name, the first segment of the path, the last before the name, and the
    /// names in their input; `derive` for a derive.
    pub fn attributes(&self) -> impl Iterator<Item = &[Symbol]> {
        paths(self.part(Part::Attributes))
    }

    /// Names of methods in calls with a dot.
    #[must_use]
    pub fn methods(&self) -> &[Symbol] {
        self.part(Part::Methods)
    }

    /// Names of members of an unknown type.
    #[must_use]
    pub fn members(&self) -> &[Symbol] {
        self.part(Part::Members)
    }

    /// Names of members of a trait or a type parameter.
    #[must_use]
    pub fn trait_members(&self) -> &[Symbol] {
        self.part(Part::TraitMembers)
    }

    /// Names of macros that are called, derived or used as attributes.
    #[must_use]
    pub fn macros(&self) -> &[Symbol] {
        self.part(Part::Macros)
    }

    /// Names with an unknown scope.
    #[must_use]
    pub fn unresolved(&self) -> &[Symbol] {
        self.part(Part::Unresolved)
    }
}

fn paths(mut flat: &[u32]) -> impl Iterator<Item = &[Symbol]> {
    std::iter::from_fn(move || {
        let (length, rest) = flat.split_first()?;
        let (path, after) = rest.split_at_checked(*length as usize)?;
        flat = after;
        Some(path)
    })
}

/// Indexes are below 2³²: they are fewer than bytes, and files of 4 GiB are rejected.
#[expect(
    clippy::cast_possible_truncation,
    reason = "fewer than bytes of source"
)]
fn index(index: usize) -> u32 {
    index as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_lists_are_separated_again() {
        let lists = Lists {
            paths: vec![vec![1, 2, 3], vec![4]],
            type_refs: vec![vec![], vec![5, 6]],
            members: vec![7],
            unresolved: vec![8, 9],
            ..Lists::default()
        };
        let references = References::new(&lists, Vec::new(), Vec::new());
        let found: Vec<&[u32]> = references.paths().collect();
        assert_eq!(found, [&[1, 2, 3][..], &[4]]);
        let found: Vec<&[u32]> = references.type_refs().collect();
        assert_eq!(found, [&[][..], &[5, 6]]);
        assert_eq!(references.members(), [7]);
        assert_eq!(references.unresolved(), [8, 9]);
        assert!(references.methods().is_empty() && references.macros().is_empty());
        assert!(References::default().unresolved().is_empty());
        assert!(References::default().type_refs().next().is_none());
    }

    #[test]
    fn texts_are_found_by_number() {
        let mut texts = Texts::default();
        let numbers = ["one", "", "three"].map(|text| texts.push(text));
        assert_eq!(
            numbers.map(|number| texts.get(number)),
            ["one", "", "three"]
        );
        assert_eq!(texts.get(3), "");
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["one", "", "three"]);
    }
}
