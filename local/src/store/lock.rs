//! Locks a data directory, so that only one endpoint uses it.

use super::marker::LOCK;
use super::own;
use fs4::{FileExt, TryLockError};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// An exclusive lock on a folder. The system releases it when the process ends,
/// however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    excludes_others: bool,
}

impl Lock {
    /// Locks a folder.
    ///
    /// # Errors
    ///
    /// `ResourceBusy` if another process, or another store in this one, has
    /// locked it.
    pub(super) fn take(folder: &Path) -> io::Result<Lock> {
        let path = folder.join(LOCK);
        // Never deleted: otherwise one process could hold the old file and another
        // a new one at the same time.
        let mut options = OpenOptions::new();
        let file = own::open_with(&path, options.create(true).truncate(false).write(true))
            .map_err(|error| own::at(&path, error))?;
        match FileExt::try_lock(&file) {
            Ok(()) => Ok(Lock { file, excludes_others: true }),
            Err(TryLockError::WouldBlock) => {
                Err(io::Error::new(io::ErrorKind::ResourceBusy, "another endpoint is using it"))
            }
            // A file system without locks is allowed.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                Ok(Lock { file, excludes_others: false })
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Lock {
    /// Returns whether the lock is effective: `false` on a file system without
    /// locks.
    pub(super) fn excludes_others(&self) -> bool {
        self.excludes_others
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough while a child process between fork and
        // exec has it open too.
        let _ = FileExt::unlock(&self.file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_locked_until_the_lock_is_dropped() {
        let folder = crate::store::temporary::private("test-").unwrap();
        let first = Lock::take(folder.path()).unwrap();
        let refusal = Lock::take(folder.path()).unwrap_err();
        assert_eq!(refusal.kind(), io::ErrorKind::ResourceBusy);
        drop(first);
        Lock::take(folder.path()).unwrap();
    }

    #[test]
    fn a_file_inherited_by_a_child_does_not_keep_the_lock() {
        let folder = crate::store::temporary::private("test-").unwrap();
        let lock = Lock::take(folder.path()).unwrap();
        let _inherited = lock.file.try_clone().unwrap();
        drop(lock);
        Lock::take(folder.path()).unwrap();
    }
}
