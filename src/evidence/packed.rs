//! Packs the passed tests of a baseline into a comment: sorted, one per line, deflated, in base64.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};

/// The size limit of unpacked text. Longer text was not packed by this program.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Names of tests by test binary, packed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Packed(String);

/// Test names by test binary, nextest's binary id.
pub type Names = BTreeMap<String, BTreeSet<String>>;

impl Packed {
    /// Packs names. A binary without tests is included.
    ///
    /// # Errors
    /// Never in practice: compression into memory does not fail.
    pub fn new(names: &Names) -> Result<Self> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        for (binary, tests) in names {
            writeln!(encoder, "{}", one_line(binary))?;
            for test in tests {
                writeln!(encoder, "\t{}", one_line(test))?;
            }
        }
        let bytes = encoder
            .finish()
            .context("failed to pack the names of tests")?;
        Ok(Self(STANDARD_NO_PAD.encode(bytes)))
    }

    /// Unpacks the names.
    ///
    /// # Errors
    /// When the text was not packed by this program.
    pub fn names(&self) -> Result<Names> {
        let bytes = STANDARD_NO_PAD
            .decode(&self.0)
            .context("failed to unpack the names of tests")?;
        let mut listing = String::new();
        DeflateDecoder::new(bytes.as_slice())
            .take(LARGEST)
            .read_to_string(&mut listing)
            .context("failed to unpack the names of tests")?;
        let mut names = Names::new();
        let mut current: Option<&mut BTreeSet<String>> = None;
        for line in listing.lines() {
            match (line.strip_prefix('\t'), &mut current) {
                (Some(name), Some(tests)) => {
                    tests.insert(name.to_owned());
                }
                (None, _) => current = Some(names.entry(line.to_owned()).or_default()),
                (Some(_), None) => {
                    bail!("failed to unpack the names of tests: a test precedes the first binary")
                }
            }
        }
        Ok(names)
    }
}

impl std::fmt::Display for Packed {
    /// The packed text.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

/// Replaces control characters, which names of custom harnesses may contain: the packed form has one name per line.
fn one_line(name: &str) -> String {
    name.replace(['\n', '\r', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_take_little_room() {
        let tests: BTreeSet<String> = (0..2000)
            .map(|n| format!("store::cache::tests::case_{n}"))
            .collect();
        let names = Names::from([
            ("store".to_owned(), tests),
            ("store::it".to_owned(), BTreeSet::new()),
        ]);
        let packed = Packed::new(&names).unwrap();
        assert_eq!(packed.names().unwrap(), names);
        assert!(packed.0.len() < 12_000, "{}", packed.0.len());
    }

    #[test]
    fn what_we_did_not_pack_is_an_error() {
        for text in ["", "!", "AAAA", "/////w"] {
            let names = Packed(text.to_owned()).names();
            assert!(names.is_err() || names.unwrap().is_empty(), "{text}");
        }
    }
}
