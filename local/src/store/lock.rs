//! One endpoint a folder.

use super::marker::LOCK;
use super::own;
use fs4::{FileExt, TryLockError};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// A folder that nobody else may take while this lives. The system lets go of
/// it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    excludes_others: bool,
}

impl Lock {
    /// Takes a folder.
    ///
    /// # Errors
    ///
    /// `ResourceBusy` when another process, or another store of this one, has
    /// it.
    pub(super) fn take(folder: &Path) -> io::Result<Lock> {
        let path = folder.join(LOCK);
        // Never deleted: who holds the old file and who makes a new one would
        // both believe to be alone.
        let mut options = OpenOptions::new();
        let file = own::open_with(&path, options.create(true).truncate(false).write(true))
            .map_err(|error| own::at(&path, error))?;
        match FileExt::try_lock(&file) {
            Ok(()) => Ok(Lock { file, excludes_others: true }),
            Err(TryLockError::WouldBlock) => {
                Err(io::Error::new(io::ErrorKind::ResourceBusy, "another endpoint is using it"))
            }
            // A file system without locks is no reason not to serve from it.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                Ok(Lock { file, excludes_others: false })
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Lock {
    /// Whether nobody else can have taken the folder: `false` on a file system
    /// without locks.
    pub(super) fn excludes_others(&self) -> bool {
        self.excludes_others
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough while a child process, between its fork and its
        // exec, has the file too.
        let _ = FileExt::unlock(&self.file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_until_its_holder_goes() {
        let folder = crate::store::temporary::private("test-").unwrap();
        let first = Lock::take(folder.path()).unwrap();
        let refusal = Lock::take(folder.path()).unwrap_err();
        assert_eq!(refusal.kind(), io::ErrorKind::ResourceBusy);
        drop(first);
        Lock::take(folder.path()).unwrap();
    }

    #[test]
    fn a_file_that_a_child_has_inherited_holds_nothing() {
        let folder = crate::store::temporary::private("test-").unwrap();
        let lock = Lock::take(folder.path()).unwrap();
        let _inherited = lock.file.try_clone().unwrap();
        drop(lock);
        Lock::take(folder.path()).unwrap();
    }
}
