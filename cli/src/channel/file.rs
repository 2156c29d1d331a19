//! Reads a whole file or standard input.

use crate::failure::{Failure, Outcome};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Enough for more channels than a bucket is likely to have.
const MAX_BYTES: u64 = 16 << 20;

/// Reads a file; `-` is standard input.
///
/// # Errors
///
/// Fails if it cannot be read or is larger than 16 MiB.
pub(super) fn read(path: &Path) -> Outcome<Vec<u8>> {
    let read = match is_stdin(path) {
        true => limited(io::stdin().lock()),
        false => File::open(path).and_then(limited),
    };
    let bytes = read.map_err(|error| Failure::file(path, error))?;
    match bytes.len() as u64 > MAX_BYTES {
        true => Err(Failure::usage(format!("{}: larger than 16 MiB", name(path)))),
        false => Ok(bytes),
    }
}

/// Reads one byte more than allowed, to detect larger files.
fn limited(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn is_stdin(path: &Path) -> bool {
    path.to_str() == Some("-")
}

/// Returns the file's name for messages.
pub(super) fn name(path: &Path) -> String {
    match is_stdin(path) {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    }
}
