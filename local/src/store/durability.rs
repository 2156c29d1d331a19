//! What outlives a power cut: which writes wait until they are on the medium.
//!
//! A file is flushed before it is renamed into place, and the folder afterwards, so
//! that whatever a power cut leaves is whole: the old content or the new. A folder is
//! flushed into the one above it when it is created, and never again.
//!
//! Windows has no way to flush a folder. There a file's content is on the medium,
//! and its name is as soon as NTFS has written its journal.

use std::io;
use std::path::Path;

/// What waits until it is on the medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// Nothing: for a folder that is deleted with the endpoint.
    Nothing,
    /// Each call that changes anything, and the beginning and the end of a session.
    Calls,
    /// Each fragment too, before a playlist lists it.
    Recordings,
}

/// Flushes the names in a folder: files that were created, renamed or removed in it.
/// One that is gone has been flushed by whoever removed it.
pub(super) fn flush_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match std::fs::File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if cannot_be_flushed(&error) => {}
        other => other.map_err(|error| super::own::at(folder, error))?,
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Whether a file system has no way to flush a folder, which is no reason not to
/// serve from it, or the folder is gone.
#[cfg(unix)]
fn cannot_be_flushed(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, NotFound, Unsupported};
    matches!(error.kind(), InvalidInput | NotFound | Unsupported)
}
