//! One endpoint a folder.

use fs4::{FileExt, TryLockError};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// A folder that nobody else may take while this lives. The system lets go of
/// it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
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
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => {
                Err(io::Error::new(io::ErrorKind::ResourceBusy, "another endpoint is using it"))
            }
            // A file system without locks is no reason not to serve from it.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                Ok(Lock { _file: file })
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
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
}
