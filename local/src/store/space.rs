//! Disk space of files.

use std::fs::Metadata;

/// Returns how many bytes a file uses on disk: its blocks, if the system reports
/// them, but at least whole blocks of the usual size.
pub(super) fn space_of(file: &Metadata) -> u64 {
    const BLOCK: u64 = 4096;
    let rounded = file.len().div_ceil(BLOCK).saturating_mul(BLOCK);
    rounded.max(allocated(file))
}

#[cfg(unix)]
fn allocated(file: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    // In units of 512 bytes, regardless of the file system's block size.
    file.blocks().saturating_mul(512)
}

#[cfg(not(unix))]
fn allocated(_: &Metadata) -> u64 {
    0
}
