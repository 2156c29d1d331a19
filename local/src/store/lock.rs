//! One endpoint a folder.

use fs4::{FileExt, TryLockError};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// A folder that nobody else may take while this lives. The system lets go of
/// it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Takes a folder.
    ///
    /// # Errors
    ///
    /// `ResourceBusy` when another process, or another store of this one, has
    /// it.
    pub(super) fn take(folder: &Path) -> io::Result<Lock> {
        let path = folder.join(".lock");
        // Never deleted: who holds the old file and who makes a new one would
        // both believe to be alone.
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        match FileExt::try_lock(&file) {
            Ok(()) => Ok(Lock { file }),
            Err(TryLockError::WouldBlock) => {
                Err(io::Error::new(io::ErrorKind::ResourceBusy, "another endpoint is using it"))
            }
            // A file system without locks is no reason not to serve from it.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                Ok(Lock { file })
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
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
        let folder = tempfile::TempDir::new().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        let refusal = Lock::take(folder.path()).unwrap_err();
        assert_eq!(refusal.kind(), io::ErrorKind::ResourceBusy);
        drop(first);
        Lock::take(folder.path()).unwrap();
    }

    #[test]
    fn a_file_that_a_child_has_inherited_holds_nothing() {
        let folder = tempfile::TempDir::new().unwrap();
        let lock = Lock::take(folder.path()).unwrap();
        let _inherited = lock.file.try_clone().unwrap();
        drop(lock);
        Lock::take(folder.path()).unwrap();
    }
}
