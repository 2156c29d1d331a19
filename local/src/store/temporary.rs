//! A data folder that is deleted with the endpoint.

use super::claim::Claim;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What the names of temporary folders begin with; the rest is random.
const PREFIX: &str = "osslive-";

/// Creates a folder that no other process can have made or foreseen, after
/// deleting those of processes that were killed.
pub(super) fn create(medium: Medium) -> io::Result<TempDir> {
    let parent = match medium {
        Medium::Disk => std::env::temp_dir(),
        Medium::Memory => memory()?,
    };
    sweep(&parent);
    private_in(&parent, PREFIX)
}

/// What a temporary folder is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// Whatever the system has temporary files on.
    Disk,
    /// Memory alone, swap space aside.
    Memory,
}

/// The folder of a file system in memory, which Linux has for POSIX shared memory.
fn memory() -> io::Result<PathBuf> {
    const SHARED: &str = "/dev/shm";
    #[cfg(target_os = "linux")]
    {
        const TMPFS: i64 = 0x0102_1994;
        // Of another type on each architecture.
        #[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
        let is_memory = |found: rustix::fs::StatFs| found.f_type as i64 == TMPFS;
        if rustix::fs::statfs(SHARED).is_ok_and(is_memory) {
            return Ok(SHARED.into());
        }
    }
    let what = format!("there is no file system in memory at {SHARED}: use a temporary folder");
    Err(io::Error::new(io::ErrorKind::Unsupported, what))
}

/// How many bytes a folder's file system has left; `None` where that is unknown.
pub(super) fn bytes_left(folder: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let found = rustix::fs::statvfs(folder).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}

/// A new folder for temporary files that only this user can enter.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn private(prefix: &str) -> io::Result<TempDir> {
    private_in(&std::env::temp_dir(), prefix)
}

fn private_in(parent: &Path, prefix: &str) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(parent)
}

/// Deletes the temporary folders that nobody uses any more, as far as that is
/// possible: those that the marker calls temporary, which belong to this user
/// and whose lock is free. The name alone is no reason to touch anything.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_named = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if !is_named {
            continue;
        }
        if let Some(claim) = Claim::abandoned(entry.path()) {
            // The lock is held meanwhile; links in the folder are not followed.
            let _ = fs::remove_dir_all(&claim.data);
        }
    }
}
