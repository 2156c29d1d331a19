//! Claims a data directory: a new one, an empty one, or one that an endpoint
//! created, and no other.

use super::durability::flush_folder;
use super::lock::Lock;
use super::marker::{self, Marker};
use super::own::{self, refused};
use super::path::Naming;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A data directory that this endpoint has exclusive use of.
#[derive(Debug)]
pub(super) struct Claim {
    /// Absolute, so that changing the working directory has no effect.
    pub(super) data: PathBuf,
    pub(super) marker: Marker,
    pub(super) lock: Lock,
}

impl Claim {
    /// Claims the directory `data`, which is created if it is missing.
    ///
    /// # Errors
    ///
    /// It was not created by an endpoint, or another endpoint uses it; it is then
    /// left unchanged.
    pub(super) fn take(data: &Path, is_temporary: bool) -> io::Result<Claim> {
        let data = absolute(data)?;
        match own::look(&data)? {
            None => create(&data, is_temporary)?,
            Some(found) => own::check_folder(&found)?,
        }
        Claim::of(data, Some(is_temporary))
    }

    /// Claims the temporary directory of an endpoint that is no longer running.
    pub(super) fn abandoned(data: PathBuf) -> Option<Claim> {
        own::check_folder(&own::look(&data).ok()??).ok()?;
        let is_temporary = |marker: &Marker| marker.is_temporary;
        Marker::find(&data).ok()?.filter(is_temporary)?;
        let claim = Claim::of(data, None).ok()?;
        (claim.marker.is_temporary && claim.lock.excludes_others()).then_some(claim)
    }

    fn of(data: PathBuf, adopt: Option<bool>) -> io::Result<Claim> {
        // A directory that is refused is left unchanged: permissions and lock, too.
        let found = Marker::find(&data)?;
        if adopt == Some(false) && found.is_some_and(|marker| marker.is_temporary) {
            return Err(refused(
                "it is a temporary directory, which the next temporary endpoint will delete: use \
                another directory",
            ));
        }
        own::close(&data)?;
        let lock = Lock::take(&data)?;
        // From here on, only the holder of the lock changes the folder.
        let marker = match (Marker::find(&data)?, adopt) {
            (Some(marker), _) => marker,
            (None, Some(is_temporary)) => Marker::write(&data, is_temporary)?,
            (None, None) => return Err(io::ErrorKind::NotFound.into()),
        };
        if !marker.folds_case && marker::folds_case(&data)? {
            return Err(refused(
                "its file system is case-insensitive, but the directory was created on one that is \
                case-sensitive: move it back",
            ));
        }
        Ok(Claim { data, marker, lock })
    }

    /// Returns how file names are encoded in this folder.
    pub(super) fn naming(&self) -> Naming {
        Naming { folds_case: self.marker.folds_case }
    }
}

/// Creates the directory and missing directories above it, and flushes them, so that a
/// power cut cannot remove them with everything in them.
fn create(data: &Path, is_temporary: bool) -> io::Result<()> {
    let is_missing = |folder: &&Path| fs::symlink_metadata(folder).is_err();
    let created: Vec<&Path> = data.ancestors().take_while(is_missing).collect();
    own::create_folder(data)?;
    for folder in created.iter().filter_map(|folder| folder.parent()).filter(|_| !is_temporary) {
        match flush_folder(folder) {
            // A directory that this user may enter and write to, but not read.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            other => other?,
        }
    }
    Ok(())
}

/// Returns the absolute path, without a slash or dot at the end, which would
/// resolve a link to its target.
fn absolute(data: &Path) -> io::Result<PathBuf> {
    Ok(std::path::absolute(data)?.components().collect())
}
