//! Parses LLVM's raw profile: the executed functions of one binary.
//!
//! Input: the profile that a binary built with `-C instrument-coverage` writes. Output: [`Profile`]. Only the hash of each function's name
//! is read, and whether any of its counters is not zero. The format is that of LLVM 19 to 22, raw version 10 (`InstrProfData.inc` and
//! `InstrProfiling.h` of compiler-rt); any other version is an error. A truncated file, or an offset outside of it, is an error, never a
//! shorter list.

use anyhow::{Context as _, Result, bail, ensure};

/// `\xff l p r o f r \x81`, as a little-endian 64-bit binary writes it.
const MAGIC: u64 = 0xff6c_7072_6f66_7281;
/// The supported version of the format.
const VERSION: u64 = 10;
/// Bytes of the header: 16 words.
const HEADER: usize = 128;
/// Bytes of one function's record.
const RECORD: usize = 64;
/// Bytes of one counter.
const COUNTER: usize = 8;

/// The executed functions of a binary.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Hashes of the names of all instrumented functions, in the binary's order, which is the same for every run.
    pub functions: Vec<u64>,
    /// Whether each of them was executed.
    pub ran: Vec<bool>,
}

impl Profile {
    /// Parses a raw profile.
    ///
    /// # Errors
    /// When the format is unknown, or the file is damaged or truncated.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        ensure!(bytes.len() >= HEADER, "the profile is truncated");
        ensure!(
            word(bytes, 0)? == MAGIC,
            "the file is not a raw profile of a 64-bit little-endian program"
        );
        let version = word(bytes, 1)?;
        ensure!(
            version == VERSION,
            "raw profile version {version} is not supported (version {VERSION} is); the toolchain's LLVM may be newer than this program"
        );
        let size = |index| -> Result<usize> {
            usize::try_from(word(bytes, index)?).context("the profile is damaged")
        };
        let (ids, count, padding, counters) = (size(2)?, size(3)?, size(4)?, size(5)?);
        let delta = word(bytes, 10)?;
        let records = part(bytes, HEADER.checked_add(ids), count, RECORD)?;
        let start = HEADER
            .checked_add(ids)
            .and_then(|start| start.checked_add(records.len()))
            .and_then(|start| start.checked_add(padding));
        let counters = part(bytes, start, counters, COUNTER)?;
        let mut profile = Self::default();
        for (index, record) in (0_u64..).zip(records.chunks_exact(RECORD)) {
            profile.functions.push(word(record, 0)?);
            let own = word(record, 6)? & 0xffff_ffff;
            // A record stores the position of its counters relative to itself, the header relative to the first record.
            let offset = word(record, 2)?
                .wrapping_sub(delta)
                .wrapping_add(index.wrapping_mul(RECORD as u64));
            let first = usize::try_from(offset).ok();
            let own = usize::try_from(own).context("the profile is damaged")?;
            let own = part(counters, first, own, COUNTER)?;
            profile.ran.push(own.iter().any(|byte| *byte != 0));
        }
        Ok(profile)
    }
}

/// The `index`th 64-bit word.
fn word(bytes: &[u8], index: usize) -> Result<u64> {
    let at = index * 8;
    let word = bytes.get(at..at + 8).and_then(|word| word.try_into().ok());
    word.map(u64::from_le_bytes)
        .context("the profile is truncated")
}

/// `count` elements of `size` bytes from `start`.
fn part(bytes: &[u8], start: Option<usize>, count: usize, size: usize) -> Result<&[u8]> {
    let range = start.and_then(|start| Some(start..start.checked_add(count.checked_mul(size)?)?));
    match range.and_then(|range| bytes.get(range)) {
        Some(part) => Ok(part),
        None => bail!("the profile is truncated or damaged"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A profile of functions, each a name's hash and its counters.
    fn raw(functions: &[(u64, &[u64])]) -> Vec<u8> {
        let count = functions
            .iter()
            .map(|(_, counters)| counters.len())
            .sum::<usize>() as u64;
        let records = functions.len() as u64;
        let delta = 0_u64.wrapping_sub(8 * count);
        let header = [
            MAGIC, VERSION, 16, records, 0, count, 0, 0, 0, 0, delta, 0, 0, 0, 0, 2,
        ];
        let mut words = header.to_vec();
        words.extend([1, 2]);
        let mut at = 0;
        for (index, (name, counters)) in (0..).zip(functions) {
            let place = delta.wrapping_add(at).wrapping_sub(64 * index);
            words.extend([*name, 7, place, 0, 0, 0, counters.len() as u64, 0]);
            at += 8 * counters.len() as u64;
        }
        words.extend(functions.iter().flat_map(|(_, counters)| *counters));
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn function_with_a_nonzero_counter_was_executed() {
        let profile = Profile::read(&raw(&[(11, &[0, 0]), (12, &[0, 3]), (13, &[1])])).unwrap();
        assert_eq!(profile.functions, [11, 12, 13]);
        assert_eq!(profile.ran, [false, true, true]);
    }

    #[test]
    fn truncated_profile_is_an_error() {
        let whole = raw(&[(11, &[0, 0]), (12, &[0, 3])]);
        for length in 0..whole.len() {
            assert!(Profile::read(&whole[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn other_version_or_outside_offset_is_an_error() {
        let good = raw(&[(11, &[5])]);
        let mut newer = good.clone();
        newer[8] = 11;
        let message = Profile::read(&newer).unwrap_err().to_string();
        assert!(message.contains("version 11"), "{message}");
        let mut outside = good;
        outside[HEADER + 16 + 16] ^= 8;
        assert!(Profile::read(&outside).is_err());
    }
}
