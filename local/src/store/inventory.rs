//! The expected contents of a bucket's directory, so that a directory is deleted only
//! if everything in it was created by an endpoint.

use super::path;
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

/// A kind of folder.
#[derive(Clone, Copy)]
enum Kind {
    /// The directory of a bucket.
    Bucket,
    /// A directory of files that are named after channels, with this suffix.
    Channels(&'static str),
    /// A directory of files and directories that are named after keys.
    Keys,
}

/// The kind of an entry in a folder.
enum Entry {
    File,
    Folder(Kind),
    Foreign,
}

impl Kind {
    fn entry(self, name: &str, file_type: FileType) -> Entry {
        let is_folder = file_type.is_dir();
        if !is_folder && !file_type.is_file() {
            return Entry::Foreign;
        }
        match (self, name) {
            (Kind::Bucket, "bucket.json") if !is_folder => Entry::File,
            (Kind::Bucket, "channels") if is_folder => Entry::Folder(Kind::Channels(".json")),
            (Kind::Bucket, "fragments") if is_folder => Entry::Folder(Kind::Channels(".log")),
            (Kind::Bucket, "objects" | "records") if is_folder => Entry::Folder(Kind::Keys),
            (Kind::Channels(suffix), name) if !is_folder => match name.strip_suffix(suffix) {
                Some(channel) if path::unescape(channel).is_some() => Entry::File,
                _ => Entry::Foreign,
            },
            (Kind::Keys, name) if path::component(name, !is_folder).is_some() => {
                if is_folder {
                    Entry::Folder(Kind::Keys)
                } else {
                    Entry::File
                }
            }
            _ => Entry::Foreign,
        }
    }
}

/// Returns the first entry below a bucket's directory that no endpoint creates: a
/// link, a file with an unexpected name, or an unexpected folder.
pub(super) fn foreign(folder: &Path) -> io::Result<Option<PathBuf>> {
    find(folder, Kind::Bucket)
}

fn find(folder: &Path, kind: Kind) -> io::Result<Option<PathBuf>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let below = match kind.entry(name.to_str().unwrap_or_default(), entry.file_type()?) {
            Entry::File => None,
            Entry::Folder(kind) => find(&entry.path(), kind)?,
            Entry::Foreign => Some(entry.path()),
        };
        if below.is_some() {
            return Ok(below);
        }
    }
    Ok(None)
}
