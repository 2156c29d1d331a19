//! Taking a folder for the endpoint: a new one, an empty one, or one that an
//! endpoint made, and nothing else.

use super::durability::flush_folder;
use super::lock::Lock;
use super::marker::{self, Marker};
use super::own::{self, refused};
use super::path::Naming;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A data folder that this endpoint uses alone.
#[derive(Debug)]
pub(super) struct Claim {
    /// Absolute, so that it stays the same folder wherever the process goes.
    pub(super) data: PathBuf,
    pub(super) marker: Marker,
    pub(super) lock: Lock,
}

impl Claim {
    /// Takes the folder `data`, which is created if it is missing.
    ///
    /// # Errors
    ///
    /// When it is not the endpoint's or another endpoint uses it; nothing in it
    /// is changed then.
    pub(super) fn take(data: &Path, is_temporary: bool) -> io::Result<Claim> {
        let data = absolute(data)?;
        match own::look(&data)? {
            None => create(&data, is_temporary)?,
            Some(found) => own::check_folder(&found)?,
        }
        Claim::of(data, Some(is_temporary))
    }

    /// Takes the folder of an endpoint that is gone, if it is a temporary one.
    pub(super) fn abandoned(data: PathBuf) -> Option<Claim> {
        own::check_folder(&own::look(&data).ok()??).ok()?;
        let is_temporary = |marker: &Marker| marker.is_temporary;
        Marker::find(&data).ok()?.filter(is_temporary)?;
        let claim = Claim::of(data, None).ok()?;
        (claim.marker.is_temporary && claim.lock.excludes_others()).then_some(claim)
    }

    fn of(data: PathBuf, adopt: Option<bool>) -> io::Result<Claim> {
        // A folder that is refused is not even closed or locked.
        let found = Marker::find(&data)?;
        if adopt == Some(false) && found.is_some_and(|marker| marker.is_temporary) {
            return Err(refused(
                "it is the temporary folder of another endpoint, which is deleted when nobody \
                 uses it: must be a folder of its own",
            ));
        }
        own::close(&data)?;
        let lock = Lock::take(&data)?;
        // Nobody but the holder of the lock changes the folder from here on.
        let marker = match (Marker::find(&data)?, adopt) {
            (Some(marker), _) => marker,
            (None, Some(is_temporary)) => Marker::write(&data, is_temporary)?,
            (None, None) => return Err(io::ErrorKind::NotFound.into()),
        };
        if !marker.folds_case && marker::folds_case(&data)? {
            return Err(refused(
                "its file system takes upper and lower case for the same, and the folder was \
                 made on one that does not: move it back",
            ));
        }
        Ok(Claim { data, marker, lock })
    }

    /// How names are written in this folder.
    pub(super) fn naming(&self) -> Naming {
        Naming { folds_case: self.marker.folds_case }
    }
}

/// Creates the folder and those above it that are missing, so that a power cut does
/// not take them away with all that will be in it.
fn create(data: &Path, is_temporary: bool) -> io::Result<()> {
    let is_missing = |folder: &&Path| fs::symlink_metadata(folder).is_err();
    let created: Vec<&Path> = data.ancestors().take_while(is_missing).collect();
    own::create_folder(data)?;
    for folder in created.iter().filter_map(|folder| folder.parent()).filter(|_| !is_temporary) {
        match flush_folder(folder) {
            // One that this user may enter and write, but not read.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            other => other?,
        }
    }
    Ok(())
}

/// The path from the root on, without what would lead a link's name through to
/// its target: a slash or a dot at the end.
fn absolute(data: &Path) -> io::Result<PathBuf> {
    Ok(std::path::absolute(data)?.components().collect())
}
