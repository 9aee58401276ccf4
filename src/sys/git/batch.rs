//! git commands that read a list of requests from standard input.

use std::io::{BufWriter, Write as _};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;

use super::process;

/// git's answer to `lines`, one request per line.
///
/// # Errors
/// When git cannot be run, or fails.
pub(super) fn ask(
    root: &Utf8Path,
    arguments: &[&str],
    lines: impl ExactSizeIterator<Item = String> + Send,
) -> Result<Vec<u8>> {
    let count = lines.len();
    if count == 0 {
        return Ok(Vec::new());
    }
    let what = format!("`git {}`", arguments.join(" "));
    let mut child = process::command(root, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("failed to run {what}"))?;
    let input = child.stdin.take();
    let (output, written) = std::thread::scope(|scope| {
        // Write in parallel with reading, because the capacity of both pipes is limited.
        let writing = scope.spawn(|| -> std::io::Result<()> {
            let Some(input) = input else { return Ok(()) };
            let mut input = BufWriter::new(input);
            for line in lines {
                writeln!(input, "{line}")?;
            }
            input.flush()
        });
        (child.wait_with_output(), writing.join())
    });
    let output = output.with_context(|| format!("failed to read from {what}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        bail!("{what} failed: {}", why.trim());
    }
    if !matches!(written, Ok(Ok(()))) {
        bail!("failed to write {count} lines to {what}");
    }
    Ok(output.stdout)
}

/// Parses the output of `cat-file --batch`: `id type size\n` and the content with a line end, or `… missing`; git-cat-file(1), "Batch output".
///
/// # Errors
/// When the output has another format, or another number of entries than `count`.
pub(super) fn blobs(mut answer: &[u8], count: usize) -> Result<Vec<Option<Vec<u8>>>> {
    let mut contents = Vec::with_capacity(count);
    while let Some(end) = answer.iter().position(|byte| *byte == b'\n') {
        let (header, rest) = (String::from_utf8_lossy(&answer[..end]), &answer[end + 1..]);
        let size = header.rsplit(' ').next().unwrap_or_default();
        match size.parse::<usize>() {
            Ok(size) if size < rest.len() => {
                let is_blob = header.split(' ').nth(1) == Some("blob");
                contents.push(is_blob.then(|| rest[..size].to_vec()));
                answer = &rest[size + 1..];
            }
            Ok(_) => bail!("the output of `git cat-file` ended within a file"),
            Err(_) => {
                contents.push(None);
                answer = rest;
            }
        }
    }
    if contents.len() != count {
        bail!(
            "`git cat-file` answered {} of {count} requests",
            contents.len()
        );
    }
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_are_split_by_size_and_missing_ones_keep_their_place() {
        let answer = b"aa blob 3\na\nb\nHEAD:no 1 missing\nbb blob 0\n\ncc tree 2\nxy\n";
        let found = blobs(answer, 4).unwrap();
        assert_eq!(
            found,
            [Some(b"a\nb".to_vec()), None, Some(Vec::new()), None]
        );
        assert!(blobs(answer, 5).is_err());
        assert!(blobs(b"aa blob 9\nshort", 1).is_err());
    }
}
