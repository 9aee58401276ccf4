//! Parses the coverage map that rustc writes into an executable: the source position of each instrumented function.
//!
//! Input: an executable built with `-C instrument-coverage`. Output: [`CoverageMap`]. The format is LLVM's
//! (<https://llvm.org/docs/CoverageMappingFormat.html>), versions 6 and 7; any other version is an error. Only the start of a function
//! is kept, and whether its entry has a counter.

use std::io::Read as _;

use anyhow::{Context as _, Result, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use flate2::read::ZlibDecoder;
use object::read::{Object as _, ObjectSection as _, ReadCache, ReadRef};
use rustc_hash::FxHashMap;

use crate::sys::files;

/// Supported versions as written: one less than their names.
const VERSIONS: std::ops::RangeInclusive<u32> = 5..=6;
/// The size limit of a list of file names.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The functions of an executable.
#[derive(Debug, Default)]
pub struct CoverageMap {
    /// Source files, absolute.
    pub files: Vec<Utf8PathBuf>,
    /// Every instrumented function, including unused ones; a function in several crates occurs several times.
    pub functions: Vec<Function>,
}

/// The position of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The hash of its name, as in a [`Profile`](super::profile::Profile).
    pub name: u64,
    /// Index into [`CoverageMap::files`].
    pub file: usize,
    /// The first line, from 1.
    pub line: u32,
    /// The first column, from 1 in bytes.
    pub column: u32,
    /// The counter at its entry.
    pub entry: Entry,
}

/// The kind of counter at a function's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A separate counter, which counts even if the function never returns.
    Counted,
    /// A sum of other counters: a function that exits early may seem not executed.
    Derived,
    /// None: no code was generated for it.
    Unused,
}

impl CoverageMap {
    /// Reads the map of an executable; `None` if it has none, or if the file is not an executable.
    ///
    /// # Errors
    /// When the map has an unknown format, or is damaged.
    pub fn read(path: &Utf8Path) -> Result<Option<Self>> {
        let cache = ReadCache::new(files::open(path)?);
        let read = || -> Result<Option<Self>> {
            if object::FileKind::parse(&cache).is_err() {
                return Ok(None);
            }
            let object = object::File::parse(&cache).context("the executable is damaged")?;
            let maps = section(&object, ["__llvm_covmap", ".lcovmap", ".lcovmap$M"])?;
            let functions = section(&object, ["__llvm_covfun", ".lcovfun", ".lcovfun$M"])?;
            let (Some(maps), Some(functions)) = (maps, functions) else {
                return Ok(None);
            };
            let mut map = Self::default();
            let lists = map.lists(&maps)?;
            map.functions(&functions, &lists)?;
            Ok(Some(map))
        };
        read().with_context(|| format!("failed to read the coverage map of {path}"))
    }

    /// Lists of files, by the hash that functions refer to.
    fn lists(&mut self, section: &[u8]) -> Result<FxHashMap<u64, Vec<usize>>> {
        let mut known: FxHashMap<Utf8PathBuf, usize> = FxHashMap::default();
        let mut lists = FxHashMap::default();
        let mut at = 0;
        while at + 16 <= section.len() {
            let mut header = Bytes(&section[at..at + 16]);
            let (_, length, _) = (header.u32()?, header.u32()? as usize, header.u32()?);
            let version = header.u32()?;
            ensure!(
                VERSIONS.contains(&version),
                "coverage map version {} is not supported; the toolchain's LLVM may be newer than this program",
                version + 1
            );
            let end = at + 16 + length;
            let names = section
                .get(at + 16..end)
                .context("a list of files is truncated")?;
            let hash = md5::compute(names).0;
            let hash = Bytes(&hash).u64()?;
            let files = names_in(names)?;
            let mut list = Vec::with_capacity(files.len());
            let folder = files.first().cloned().unwrap_or_default();
            for file in files {
                let path = crate::sys::files::normalize(&Utf8Path::new(&folder).join(file));
                let next = known.len();
                let index = *known.entry(path.clone()).or_insert(next);
                if index == next {
                    self.files.push(path);
                }
                list.push(index);
            }
            lists.insert(hash, list);
            at = end.next_multiple_of(8);
        }
        Ok(lists)
    }

    fn functions(&mut self, section: &[u8], lists: &FxHashMap<u64, Vec<usize>>) -> Result<()> {
        let mut at = 0;
        while at + 28 <= section.len() {
            let mut header = Bytes(&section[at..at + 28]);
            let name = header.u64()?;
            let length = header.u32()? as usize;
            let (_, files) = (header.u64()?, header.u64()?);
            let end = at + 28 + length;
            let regions = section
                .get(at + 28..end)
                .context("a function is truncated")?;
            let list = lists
                .get(&files)
                .context("a function has no list of files")?;
            if let Some((file, begins)) = beginning(regions)? {
                let file = list.get(file).context("a function has no file")?;
                self.functions.push(Function {
                    name,
                    file: *file,
                    line: begins.line,
                    column: begins.column,
                    entry: begins.entry,
                });
            }
            at = end.next_multiple_of(8);
        }
        Ok(())
    }
}

fn section<'data, R: ReadRef<'data>>(
    object: &object::File<'data, R>,
    names: [&str; 3],
) -> Result<Option<std::borrow::Cow<'data, [u8]>>> {
    let found = names.iter().find_map(|name| object.section_by_name(name));
    found
        .map(|section| section.uncompressed_data().context("a section is damaged"))
        .transpose()
}

/// Names of files: their number, the unpacked length, the packed length or 0, and then each name with its length.
fn names_in(bytes: &[u8]) -> Result<Vec<String>> {
    let mut bytes = Bytes(bytes);
    let count = bytes.number()?;
    let (unpacked, packed) = (bytes.number()?, bytes.number()?);
    let mut text = Vec::new();
    if packed == 0 {
        text.extend_from_slice(bytes.0);
    } else {
        ZlibDecoder::new(bytes.0)
            .take(LARGEST)
            .read_to_end(&mut text)
            .context("a list of files is damaged")?;
        ensure!(
            text.len() as u64 == unpacked,
            "a list of files is truncated"
        );
    }
    let mut text = Bytes(&text);
    let mut names = Vec::new();
    for _ in 0..count {
        let length = usize::try_from(text.number()?).context("a list of files is damaged")?;
        let name = text.take(length)?;
        names.push(String::from_utf8(name.to_vec()).context("a file's name is not UTF-8")?);
    }
    Ok(names)
}

struct Begins {
    line: u32,
    column: u32,
    entry: Entry,
}

/// The start of the first region in a function's own file, and the file's index in the function's list.
fn beginning(bytes: &[u8]) -> Result<Option<(usize, Begins)>> {
    let mut bytes = Bytes(bytes);
    let mut files = Vec::new();
    for _ in 0..bytes.number()? {
        files.push(usize::try_from(bytes.number()?).context("a function is damaged")?);
    }
    for _ in 0..bytes.number()? {
        let _ = (bytes.number()?, bytes.number()?);
    }
    // Regions in other files (expanded macros) follow those in the own file.
    let Some(own) = files.first() else {
        return Ok(None);
    };
    let mut first: Option<Begins> = None;
    let mut line = 0_u32;
    for _ in 0..bytes.number()? {
        let header = bytes.number()?;
        // The lowest two bits: no counter, a counter, a subtraction, an addition.
        let entry = match (header & 3, header >> 2) {
            (0, 0) => Some(Entry::Unused),
            (0, kind) => {
                // Bit 2 marks an expansion; otherwise the kind of region follows: 2 is skipped text, 4 a branch with two counters.
                if kind & 1 == 0 {
                    match kind >> 1 {
                        2 => {}
                        4 => {
                            let _ = (bytes.number()?, bytes.number()?);
                        }
                        other => bail!("region kind {other} is not supported"),
                    }
                }
                None
            }
            (1, _) => Some(Entry::Counted),
            _ => Some(Entry::Derived),
        };
        let down = u32::try_from(bytes.number()?).context("a function is damaged")?;
        let column = u32::try_from(bytes.number()?).context("a function is damaged")?;
        let _ = (bytes.number()?, bytes.number()?);
        line = line.checked_add(down).context("a function is damaged")?;
        let Some(entry) = entry else { continue };
        let earlier = first
            .as_ref()
            .is_none_or(|first| (line, column) < (first.line, first.column));
        if earlier {
            first = Some(Begins {
                line,
                column,
                entry,
            });
        }
    }
    Ok(first.map(|first| (*own, first)))
}

/// Bytes read from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).context("it is truncated")?;
        self.0 = rest;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into()?))
    }

    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.take(8)?.try_into()?))
    }

    /// LEB128.
    fn number(&mut self) -> Result<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        bail!("a number is too long")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_starts_at_the_first_region_of_its_file() {
        // One file (index 2), no expressions, three regions: a skipped one, a counted one, a derived one.
        let bytes = [
            1, 2, 0, 3, 16, 3, 1, 0, 9, 5, 4, 0x85, 0x01, 0, 9, 2, 1, 1, 0, 9,
        ];
        let (file, begins) = beginning(&bytes).unwrap().unwrap();
        assert_eq!((file, begins.line, begins.column), (2, 7, 133));
        assert_eq!(begins.entry, Entry::Counted);
        for length in 0..bytes.len() {
            assert!(beginning(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn unknown_region_kind_is_an_error() {
        let bytes = [1, 0, 0, 1, 5 << 3, 3, 1, 0, 9];
        assert!(beginning(&bytes).is_err());
    }

    #[test]
    fn names_are_read_plain_and_packed() {
        let plain = b"\x02\x07\x00\x03/ws\x02ab".as_slice();
        assert_eq!(names_in(plain).unwrap(), ["/ws", "ab"]);
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, b"\x03/ws\x02ab").unwrap();
        let packed = packed.finish().unwrap();
        let length = u8::try_from(packed.len()).unwrap();
        let bytes = [[2, 7, length].as_slice(), &packed].concat();
        assert_eq!(names_in(&bytes).unwrap(), ["/ws", "ab"]);
        assert!(names_in(&bytes[..bytes.len() - 1]).is_err());
    }
}
