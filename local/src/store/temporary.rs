//! A data folder in the system's folder for temporary files.

use super::claim::Claim;
use std::fs;
use std::io;
use std::path::Path;
use tempfile::TempDir;

/// What the names of temporary folders begin with; the rest is random.
const PREFIX: &str = "osslive-";

/// Creates a folder that no other process can have made or foreseen, after
/// deleting those of processes that were killed.
pub(super) fn create() -> io::Result<TempDir> {
    sweep(&std::env::temp_dir());
    private(PREFIX)
}

/// A new folder for temporary files that only this user can enter.
pub(crate) fn private(prefix: &str) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}

/// Deletes the temporary folders that nobody uses any more, as far as that is
/// possible: those that the marker calls temporary, which belong to this user
/// and whose lock is free. The name alone is no reason to touch anything.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_named = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if is_named && let Some(claim) = Claim::abandoned(entry.path()) {
            // The lock is held meanwhile; links in the folder are not followed.
            let _ = fs::remove_dir_all(&claim.data);
        }
    }
}
