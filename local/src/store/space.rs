//! What files take on disk.

use std::fs::Metadata;

/// How many bytes a file takes on disk: its blocks, where the system tells
/// them, and no less than whole blocks of the usual size.
pub(super) fn space_of(file: &Metadata) -> u64 {
    const BLOCK: u64 = 4096;
    let rounded = file.len().div_ceil(BLOCK).saturating_mul(BLOCK);
    rounded.max(allocated(file))
}

#[cfg(unix)]
fn allocated(file: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    // In units of 512 bytes, whatever the block size of the file system.
    file.blocks().saturating_mul(512)
}

#[cfg(not(unix))]
fn allocated(_: &Metadata) -> u64 {
    0
}
