//! Files that one machine writes and another reads: a heading with the version of the format, a checksum, and the compressed value.

use std::io::{Read as _, Write as _};

use anyhow::{Context as _, Result, bail, ensure};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The size in bytes of the checksum after the heading.
const CHECKSUM: usize = 32;
/// The size limit of the unpacked value.
const LARGEST: u64 = 4 << 30;

/// The file of a value. `heading` ends with the version, one digit, and a line break.
///
/// # Errors
/// Never in practice: packing into memory does not fail.
pub fn pack(heading: &[u8], value: &impl Serialize) -> Result<Vec<u8>> {
    let unpacked = postcard::to_stdvec(value).context("failed to serialize it")?;
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&unpacked)?;
    let packed = encoder.finish()?;
    Ok([heading, blake3::hash(&packed).as_bytes(), &packed].concat())
}

/// The value of a file of [`pack`].
///
/// # Errors
/// When it is damaged, or has another version.
pub fn unpack<T: DeserializeOwned>(heading: &[u8], bytes: &[u8]) -> Result<T> {
    let lead = heading.len() - 2;
    if bytes.len() > lead && bytes.starts_with(&heading[..lead]) && !bytes.starts_with(heading) {
        bail!("another version of cargo-poc wrote it");
    }
    let rest = bytes.strip_prefix(heading).context("it is damaged")?;
    let (checksum, packed) = rest.split_at_checked(CHECKSUM).context("it is damaged")?;
    ensure!(checksum == blake3::hash(packed).as_bytes(), "it is damaged");
    let mut unpacked = Vec::new();
    ZlibDecoder::new(packed)
        .take(LARGEST)
        .read_to_end(&mut unpacked)
        .context("it is damaged")?;
    postcard::from_bytes(&unpacked).context("it is damaged")
}
