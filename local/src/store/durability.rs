//! Durability: which writes are flushed to disk, so that they survive a power cut.
//!
//! A file is flushed before it is renamed into place, and its directory afterwards, so
//! that a power cut leaves either the complete old content or the complete new
//! content. When a directory is created, its parent is flushed, once.
//!
//! Windows cannot flush a folder. There a file's content is flushed, but its name
//! is durable only once NTFS has written its journal.

use std::io;
use std::path::Path;

/// What is flushed to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// Nothing: for a directory that is deleted with the endpoint.
    Nothing,
    /// Each call that changes anything, and the start and the end of a session.
    Calls,
    /// Each fragment too, before a playlist lists it.
    Recordings,
}

/// Flushes the names in a directory, after files were created, renamed or removed in
/// it. If the directory is gone, its removal has flushed the parent already.
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

/// Returns whether the file system cannot flush directories, which is no reason to
/// refuse it, or the directory is gone.
#[cfg(unix)]
fn cannot_be_flushed(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, NotFound, Unsupported};
    matches!(error.kind(), InvalidInput | NotFound | Unsupported)
}
