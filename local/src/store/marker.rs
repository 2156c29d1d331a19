//! The marker file, which identifies an endpoint's data directory.
//!
//! It is read-only; a writable file is not accepted as a marker. Version control
//! systems restore no permissions except whether a file is executable, so a
//! checkout never contains a valid marker, whatever its files are named and
//! contain. A copy or backup that preserves permissions is a valid data directory.

use super::durability::flush_folder;
use super::own::{self, at, refused};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// The name of the marker in a data directory.
const MARKER: &str = ".osslive";
/// The name of the lock file in a data directory.
pub(super) const LOCK: &str = ".lock";

/// The version of the directory's layout that this endpoint writes and reads.
const FORMAT: u64 = 1;

/// Longer than any marker.
const LONGEST: u64 = 4096;

/// The content of a directory's marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    format: u64,
    /// Whether upper-case letters are escaped in names, since the file system is
    /// case-insensitive.
    pub(super) folds_case: bool,
    /// Whether the directory is deleted when no endpoint uses it anymore.
    pub(super) is_temporary: bool,
}

/// The part that all versions have.
#[derive(Deserialize)]
struct Version {
    format: u64,
}

impl Marker {
    /// Reads the marker of the directory `data`; returns `None` for an empty directory,
    /// in which one may be created.
    ///
    /// # Errors
    ///
    /// The directory was not created by an endpoint, or has an unknown format.
    pub(super) fn find(data: &Path) -> io::Result<Option<Marker>> {
        let path = data.join(MARKER);
        let Some(found) = own::look(&path)? else {
            return if is_bare(data)? { Ok(None) } else { Err(not_ours(data)) };
        };
        own::check_file(&found).map_err(|error| at(&path, error))?;
        if is_read_only(&found) {
            return Marker::read(&path).map(Some).map_err(|error| at(&path, error));
        }
        // A marker that a killed process did not complete is the only file.
        if is_bare(data)? {
            return Ok(None);
        }
        let what = "it is writable, so it was not created by an endpoint; the directory may come from a checkout. \
                    To use the buckets in it, move their directories to a new data directory";
        Err(at(&path, refused(what)))
    }

    fn read(path: &Path) -> io::Result<Marker> {
        let mut text = Vec::new();
        own::open(path)?.take(LONGEST).read_to_end(&mut text)?;
        let damaged = |error: serde_json::Error| refused(format!("the marker is damaged: {error}"));
        let Version { format } = serde_json::from_slice(&text).map_err(damaged)?;
        if format != FORMAT {
            return Err(refused(format!(
                "data directory format {format}: must be {FORMAT}, the only one that this version \
                of osslive supports"
            )));
        }
        serde_json::from_slice(&text).map_err(damaged)
    }

    /// Writes the marker of the directory `data`. The lock file must exist.
    pub(super) fn write(data: &Path, is_temporary: bool) -> io::Result<Marker> {
        let marker = Marker { format: FORMAT, folds_case: folds_case(data)?, is_temporary };
        let path = data.join(MARKER);
        let written = marker.write_to(&path).map_err(|error| at(&path, error))?;
        if !is_temporary {
            // Flushed before anything else is created: without the marker, the directory
            // would be refused.
            written
                .sync_all()
                .and_then(|()| flush_folder(data))
                .map_err(|error| at(&path, error))?;
        }
        Ok(marker)
    }

    fn write_to(self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        let mut file = own::open_with(path, options.write(true).create(true).truncate(true))?;
        file.write_all(&serde_json::to_vec(&self)?)?;
        make_read_only(&file)?;
        if is_read_only(&file.metadata()?) {
            return Ok(file);
        }
        Err(refused(
            "it cannot be made read-only, since its file system does not support permissions: \
            mount it with an option that supports them, or use another directory",
        ))
    }
}

fn make_read_only(file: &File) -> io::Result<()> {
    let mut permissions = file.metadata()?.permissions();
    permissions.set_readonly(true);
    file.set_permissions(permissions)
}

/// Returns whether the owner of a file may not write to it. Permissions of
/// others are irrelevant, and are revoked later.
fn is_read_only(found: &Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o200 == 0;
    #[cfg(not(unix))]
    found.permissions().readonly()
}

/// Returns whether a directory is empty, except for files of an endpoint that was
/// killed while it claimed the folder.
fn is_bare(data: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(data)? {
        let entry = entry?;
        let is_started = match entry.file_name().to_str() {
            Some(MARKER) => true,
            Some(LOCK) => {
                let found = fs::symlink_metadata(entry.path())?;
                own::check_file(&found).is_ok() && found.len() == 0
            }
            _ => false,
        };
        if !is_started {
            return Ok(false);
        }
    }
    Ok(true)
}

fn not_ours(data: &Path) -> io::Error {
    let mut what = format!(
        "it is not empty and has no marker {MARKER}: must be a new or empty directory, or one \
        that was created by an endpoint"
    );
    if data.join(".scratch").is_dir() && data.join(LOCK).is_file() {
        what += ". To use buckets of an earlier version, move their directories to a new data directory";
    }
    refused(what)
}

/// Returns whether `data` is on a case-insensitive file system, determined with
/// its lock file.
pub(super) fn folds_case(data: &Path) -> io::Result<bool> {
    folds(data, |path| Ok(own::look(path)?.is_some()))
}

fn folds(data: &Path, exists: impl Fn(&Path) -> io::Result<bool>) -> io::Result<bool> {
    let other = LOCK.to_ascii_uppercase();
    if !exists(&data.join(&other))? {
        return Ok(false);
    }
    // Unless there really is a file with that name.
    let mut names = fs::read_dir(data)?.filter_map(Result::ok).map(|entry| entry.file_name());
    Ok(!names.any(|name| name == *other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(names: &[&str]) -> tempfile::TempDir {
        let folder = crate::store::temporary::private("test-").unwrap();
        for name in names {
            fs::write(folder.path().join(name), b"").unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_folds_case_if_a_file_is_found_by_its_upper_case_name() {
        let folder = folder_with(&[LOCK]);
        let folds_if = |exists| {
            folds(folder.path(), |path| {
                assert_eq!(path, folder.path().join(".LOCK"));
                Ok(exists)
            })
        };
        assert!(folds_if(true).unwrap());
        assert!(!folds_if(false).unwrap());
        let refused = folds(folder.path(), |_| Err(io::ErrorKind::PermissionDenied.into()));
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }

    #[cfg(all(unix, not(target_vendor = "apple")))]
    #[test]
    fn a_file_with_an_upper_case_name_does_not_prove_case_folding() {
        assert!(!folds_case(folder_with(&[LOCK, ".LOCK"]).path()).unwrap());
    }

    #[test]
    fn a_marker_is_read_back_as_written() {
        for folds_case in [false, true] {
            let folder = folder_with(&[LOCK]);
            let marker = Marker { format: FORMAT, folds_case, is_temporary: false };
            marker.write_to(&folder.path().join(MARKER)).unwrap();
            assert_eq!(Marker::find(folder.path()).unwrap(), Some(marker));
        }
    }

    #[test]
    fn a_marker_left_incomplete_by_a_kill_is_rewritten() {
        for content in ["", "{\"format\":1", "{\"format\":1,\"folds_case\":false}"] {
            let folder = folder_with(&[LOCK]);
            fs::write(folder.path().join(MARKER), content).unwrap();
            assert_eq!(Marker::find(folder.path()).unwrap(), None, "{content}");
            let written = Marker::write(folder.path(), true).unwrap();
            assert_eq!(Marker::find(folder.path()).unwrap(), Some(written), "{content}");
        }
    }
}
