//! Temporary data directories, which are deleted with the endpoint.

use super::claim::Claim;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The prefix of temporary directories' names; the rest is random.
const PREFIX: &str = "osslive-";

/// Creates a directory with an unpredictable name, after deleting the directories of
/// killed processes.
pub(super) fn create(medium: Medium) -> io::Result<TempDir> {
    let parent = match medium {
        Medium::Disk => std::env::temp_dir(),
        Medium::Memory => memory()?,
    };
    sweep(&parent);
    private_in(&parent, PREFIX)
}

/// The storage of a temporary directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// The system's directory for temporary files.
    Disk,
    /// Memory only, apart from swap space.
    Memory,
}

/// Returns the directory of an in-memory file system, which Linux has for POSIX shared
/// memory.
fn memory() -> io::Result<PathBuf> {
    const SHARED: &str = "/dev/shm";
    #[cfg(target_os = "linux")]
    {
        const TMPFS: i64 = 0x0102_1994;
        // The type of this field depends on the architecture.
        #[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
        let is_memory = |found: rustix::fs::StatFs| found.f_type as i64 == TMPFS;
        if rustix::fs::statfs(SHARED).is_ok_and(is_memory) {
            return Ok(SHARED.into());
        }
    }
    let what = format!("there is no in-memory file system at {SHARED}: use a temporary directory");
    Err(io::Error::new(io::ErrorKind::Unsupported, what))
}

/// Returns the number of bytes available on a directory's file system; `None` if
/// unknown.
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

/// Creates a temporary directory that only this user can access.
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

/// Deletes unused temporary directories, as far as possible: those whose marker says
/// that they are temporary, which belong to this user and are not locked. A
/// matching name alone is not enough.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_named = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if !is_named {
            continue;
        }
        if let Some(claim) = Claim::abandoned(entry.path()) {
            // The lock is held; links in the directory are not followed.
            let _ = fs::remove_dir_all(&claim.data);
        }
    }
}
