//! Whole files or nothing: everything is written beside and renamed in.
//!
//! A rename is atomic, so a reader or a process that starts after a kill sees
//! the old content or the new, never a part. Nothing is flushed to the
//! medium: a kill loses nothing that was acknowledged, a power cut may.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;
use time::OffsetDateTime;

/// The folder of files that are still being written, on the file system of
/// the data.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: PathBuf,
    serial: AtomicU64,
}

impl Scratch {
    /// The scratch space in `folder`, which is made if it is missing.
    pub(super) fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Scratch { folder, serial: AtomicU64::new(0) })
    }

    /// Drops what a killed process left behind.
    pub(super) fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// A path for a file that nobody else writes.
    pub(super) fn part(&self) -> PathBuf {
        self.named(&format!("part-{}", self.serial()))
    }

    /// A path for a folder that is to go.
    pub(super) fn grave(&self) -> PathBuf {
        self.named(&format!("grave-{}", self.serial()))
    }

    fn serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }

    /// A path that can be found again after a kill.
    pub(super) fn named(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes `content` to `target`, whole or not at all.
    pub(super) fn replace(&self, target: &Path, content: &[u8]) -> io::Result<()> {
        let mut part = Part::create(self.part())?;
        part.write(content)?;
        part.rename(target)
    }
}

/// A file being written; it vanishes unless it is renamed into place.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    /// Closed before the rename, as some systems demand.
    file: Option<File>,
}

impl Part {
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        let file = File::create(&path)?;
        Ok(Part { path, file: Some(file) })
    }

    /// A part that an earlier process had completed.
    pub(super) fn resume(path: PathBuf) -> Self {
        Part { path, file: None }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes))
    }

    /// Writes all that a reader gives.
    pub(super) fn copy(&mut self, from: &mut impl io::Read) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| io::copy(from, file).map(|_| ()))
    }

    /// Dates the file, and returns the date as the file system rounds it.
    pub(super) fn date(&self, modified: OffsetDateTime) -> io::Result<OffsetDateTime> {
        let Some(file) = &self.file else { return Ok(modified) };
        file.set_modified(SystemTime::from(modified))?;
        Ok(file.metadata()?.modified()?.into())
    }

    /// Moves the file to `target`, replacing what was there. The directory
    /// must exist; on an error the part is still there to try again.
    pub(super) fn rename(&mut self, target: &Path) -> io::Result<()> {
        self.file = None;
        fs::rename(&self.path, target)?;
        self.path = PathBuf::new();
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            self.file = None;
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes a file; an absent one is as good.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Reads a JSON file; `None` when there is none.
pub(super) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|error| at(path, error))?,
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| at(path, io::Error::new(io::ErrorKind::InvalidData, error)))
}

/// An error with the path that it concerns.
pub(super) fn at(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
