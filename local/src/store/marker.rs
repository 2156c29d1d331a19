//! The file that says that a folder is the endpoint's.
//!
//! It is read-only, and one that can be written is not taken for a marker: a
//! version control system restores whether a file may be executed and nothing
//! else about who may do what, so a checkout cannot bring a marker along,
//! whatever its files are named and contain. A copy or a backup that keeps
//! permissions keeps the marker too, and may be used.

use super::durability::flush_folder;
use super::own::{self, at, refused};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// The name of the marker in a data folder.
const MARKER: &str = ".osslive";
/// The name of the lock file in a data folder.
pub(super) const LOCK: &str = ".lock";

/// The version of the folder's layout that this endpoint writes and reads.
const FORMAT: u64 = 1;

/// More than any marker takes.
const LONGEST: u64 = 4096;

/// What the marker of a folder says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    format: u64,
    /// Whether names are kept apart by more than upper and lower case, since
    /// the file system takes those for the same.
    pub(super) folds_case: bool,
    /// Whether the folder is to be deleted when nobody uses it any more.
    pub(super) is_temporary: bool,
}

/// The part that every version has.
#[derive(Deserialize)]
struct Version {
    format: u64,
}

impl Marker {
    /// Reads the marker of the folder `data`; `None` in a folder that holds
    /// nothing, where one may be written.
    ///
    /// # Errors
    ///
    /// When the folder is not the endpoint's, or was written by a version that
    /// this one does not know.
    pub(super) fn find(data: &Path) -> io::Result<Option<Marker>> {
        let path = data.join(MARKER);
        let Some(found) = own::look(&path)? else {
            return if is_bare(data)? { Ok(None) } else { Err(not_ours(data)) };
        };
        own::check_file(&found).map_err(|error| at(&path, error))?;
        if is_read_only(&found) {
            return Marker::read(&path).map(Some).map_err(|error| at(&path, error));
        }
        // One that a killed process did not finish is alone.
        if is_bare(data)? {
            return Ok(None);
        }
        let what = "it is writable, so no endpoint wrote it: the folder may come from a checkout. \
                    To use the buckets in it, move their folders to a new data folder";
        Err(at(&path, refused(what)))
    }

    fn read(path: &Path) -> io::Result<Marker> {
        let mut text = Vec::new();
        own::open(path)?.take(LONGEST).read_to_end(&mut text)?;
        let damaged = |error: serde_json::Error| refused(format!("the marker is damaged: {error}"));
        let Version { format } = serde_json::from_slice(&text).map_err(damaged)?;
        if format != FORMAT {
            return Err(refused(format!(
                "data folder format {format}: must be {FORMAT}, the only one that this version \
                 of osslive knows"
            )));
        }
        serde_json::from_slice(&text).map_err(damaged)
    }

    /// Makes the folder `data` the endpoint's. The lock file must exist.
    pub(super) fn write(data: &Path, is_temporary: bool) -> io::Result<Marker> {
        let marker = Marker { format: FORMAT, folds_case: folds_case(data)?, is_temporary };
        let path = data.join(MARKER);
        let written = marker.write_to(&path).map_err(|error| at(&path, error))?;
        if !is_temporary {
            // Before there is anything else, which it would not be found without.
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
            "it cannot be made read-only, since its file system keeps no permissions: mount it \
             with an option that keeps them, or use another folder",
        ))
    }
}

fn make_read_only(file: &File) -> io::Result<()> {
    let mut permissions = file.metadata()?.permissions();
    permissions.set_readonly(true);
    file.set_permissions(permissions)
}

/// Whether the owner of a file may not write to it. What others may do is no
/// sign of anything, and is taken from them.
fn is_read_only(found: &Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o200 == 0;
    #[cfg(not(unix))]
    found.permissions().readonly()
}

/// Whether a folder holds nothing, or only what an endpoint that was killed
/// while it took the folder leaves there.
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
        "it is not empty and has no marker {MARKER}, so no endpoint made it: must be a new or \
         empty folder, or one that the endpoint made"
    );
    if data.join(".scratch").is_dir() && data.join(LOCK).is_file() {
        what += ". To use buckets of an earlier version, move their folders to a new data folder";
    }
    refused(what)
}

/// Whether names that differ in case only are the same file in `data`, as its
/// lock file tells.
pub(super) fn folds_case(data: &Path) -> io::Result<bool> {
    folds(data, |path| Ok(own::look(path)?.is_some()))
}

fn folds(data: &Path, exists: impl Fn(&Path) -> io::Result<bool>) -> io::Result<bool> {
    let other = LOCK.to_ascii_uppercase();
    if !exists(&data.join(&other))? {
        return Ok(false);
    }
    // Unless somebody has put a file of that very name there.
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
    fn a_folder_folds_case_if_a_file_answers_to_its_name_in_capitals() {
        let folder = folder_with(&[LOCK]);
        let asked = |answer| {
            folds(folder.path(), |path| {
                assert_eq!(path, folder.path().join(".LOCK"));
                Ok(answer)
            })
        };
        assert!(asked(true).unwrap());
        assert!(!asked(false).unwrap());
        let refused = folds(folder.path(), |_| Err(io::ErrorKind::PermissionDenied.into()));
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }

    #[cfg(all(unix, not(target_vendor = "apple")))]
    #[test]
    fn a_file_that_is_named_in_capitals_is_no_sign_of_folding() {
        assert!(!folds_case(folder_with(&[LOCK, ".LOCK"]).path()).unwrap());
    }

    #[test]
    fn what_was_decided_about_case_is_read_back() {
        for folds_case in [false, true] {
            let folder = folder_with(&[LOCK]);
            let marker = Marker { format: FORMAT, folds_case, is_temporary: false };
            marker.write_to(&folder.path().join(MARKER)).unwrap();
            assert_eq!(Marker::find(folder.path()).unwrap(), Some(marker));
        }
    }

    #[test]
    fn a_marker_that_a_kill_left_unfinished_is_written_again() {
        for content in ["", "{\"format\":1", "{\"format\":1,\"folds_case\":false}"] {
            let folder = folder_with(&[LOCK]);
            fs::write(folder.path().join(MARKER), content).unwrap();
            assert_eq!(Marker::find(folder.path()).unwrap(), None, "{content}");
            let written = Marker::write(folder.path(), true).unwrap();
            assert_eq!(Marker::find(folder.path()).unwrap(), Some(written), "{content}");
        }
    }
}
