//! Atomic file writes: every file is written elsewhere and then renamed.
//!
//! A rename is atomic, so readers, and processes that start after a kill, see
//! either the old content or the new one, never a part. What is also flushed, so
//! that it survives a power cut, depends on [`Durability`].

use super::durability::{self, Durability};
use super::inventory;
use super::own::{self, at};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;
use time::OffsetDateTime;

/// The directory of files that are still being written, on the file system of
/// the data.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: PathBuf,
    serial: AtomicU64,
    durability: Durability,
}

impl Scratch {
    /// Opens the scratch space in `directory`, which is created if it is missing.
    pub(super) fn open(folder: PathBuf, durability: Durability) -> io::Result<Self> {
        own::ensure_folder(&folder)?;
        Ok(Scratch { folder, serial: AtomicU64::new(0), durability })
    }

    /// Returns whether writes of this level are flushed.
    pub(super) fn flushes(&self, level: Durability) -> bool {
        self.durability >= level
    }

    /// Flushes the names in a directory, if calls are flushed.
    pub(super) fn flush_folder(&self, folder: &Path) -> io::Result<()> {
        if self.flushes(Durability::Calls) { durability::flush_folder(folder) } else { Ok(()) }
    }

    /// Flushes a file and its directory, if calls are flushed. Succeeds if the file is
    /// missing.
    pub(super) fn flush_file(&self, path: &Path) -> io::Result<()> {
        if !self.flushes(Durability::Calls) {
            return Ok(());
        }
        match own::open_with(path, OpenOptions::new().write(true)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?.sync_all()?,
        }
        path.parent().map_or(Ok(()), durability::flush_folder)
    }

    /// Deletes what a killed process left behind: files and directories with the names
    /// that this module gives them and, for directories, only the contents of a
    /// bucket's folder. Anything else is kept.
    pub(super) fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let (entry, path) = entry.map(|entry| (entry.file_type(), entry.path()))?;
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let kind = entry?;
            if kind.is_file() && (is_serial(name, PART) || is_named(name)) {
                fs::remove_file(path)?;
            } else if kind.is_dir() && is_serial(name, RETIRED) {
                delete_retired(&path)?;
            }
        }
        Ok(())
    }

    /// Creates a new file with a unique name.
    pub(super) fn part(&self) -> io::Result<Part> {
        loop {
            let path = self.folder.join(format!("{PART}{}", self.serial()));
            let mut options = OpenOptions::new();
            match own::open_with(&path, options.write(true).create_new(true)) {
                Ok(file) => return Ok(Part { path, file: Some(file) }),
                // Not created here, so it is left alone.
                Err(_) if own::look(&path)?.is_some() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns the path of a file that can be found again after a kill, by its number.
    pub(super) fn named(&self, number: &str) -> PathBuf {
        self.folder.join(format!("{NAMED}{number}"))
    }

    /// Moves a bucket's directory here, so that it is no longer a bucket.
    pub(super) fn retire(&self, folder: &Path) -> io::Result<PathBuf> {
        loop {
            let retired = self.folder.join(format!("{RETIRED}{}", self.serial()));
            if own::look(&retired)?.is_none() {
                return fs::rename(folder, &retired).map(|()| retired);
            }
        }
    }

    fn serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }

    /// Writes `content` to `target` atomically.
    pub(super) fn replace(&self, target: &Path, content: &[u8]) -> io::Result<()> {
        let mut part = self.part()?;
        part.write(content)?;
        self.install(part, target)
    }

    /// Moves a complete part to `target`, and flushes both if required.
    pub(super) fn install(&self, mut part: Part, target: &Path) -> io::Result<()> {
        self.flush(Durability::Calls, &part)?;
        part.rename(target)?;
        target.parent().map_or(Ok(()), |folder| self.flush_folder(folder))
    }

    /// Flushes a part's content and date, if writes of this level are flushed.
    pub(super) fn flush(&self, level: Durability, part: &Part) -> io::Result<()> {
        match &part.file {
            Some(file) if self.flushes(level) => file.sync_all(),
            _ => Ok(()),
        }
    }
}

const PART: &str = "part-";
const RETIRED: &str = "grave-";
const NAMED: &str = "fragment-";

fn is_serial(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|serial| serial.parse::<u64>().is_ok())
}

fn is_named(name: &str) -> bool {
    let is_hex = |number: &str| number.bytes().all(|byte| byte.is_ascii_hexdigit());
    name.strip_prefix(NAMED).is_some_and(|number| number.len() == 32 && is_hex(number))
}

/// Deletes the directory of a retired bucket, unless it contains anything that was
/// not created by an endpoint.
pub(super) fn delete_retired(retired: &Path) -> io::Result<()> {
    match inventory::foreign(retired)? {
        Some(_) => Ok(()),
        None => fs::remove_dir_all(retired),
    }
}

/// A file being written; deleted when dropped, unless it was renamed into place.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    /// Closed before the rename, as some systems require.
    file: Option<File>,
}

impl Part {
    /// Creates a part at a path of [`Scratch::named`], replacing one that a killed
    /// process left.
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = own::open_with(&path, options.write(true).create(true).truncate(true))?;
        Ok(Part { path, file: Some(file) })
    }

    /// Returns a part that an earlier process had completed.
    pub(super) fn resume(path: PathBuf) -> Self {
        Part { path, file: None }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes))
    }

    /// Overwrites bytes that were already written, starting at a position.
    pub(super) fn amend(&mut self, position: u64, bytes: &[u8]) -> io::Result<()> {
        let Some(file) = self.file.as_mut() else { return Ok(()) };
        file.seek(SeekFrom::Start(position))?;
        file.write_all(bytes)?;
        file.seek(SeekFrom::End(0)).map(|_| ())
    }

    /// Writes everything from a reader.
    pub(super) fn copy(&mut self, from: &mut impl io::Read) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| io::copy(from, file).map(|_| ()))
    }

    /// Sets the file's modification time, and returns it as the file system rounds it.
    pub(super) fn date(&self, modified: OffsetDateTime) -> io::Result<OffsetDateTime> {
        let Some(file) = &self.file else { return Ok(modified) };
        file.set_modified(SystemTime::from(modified))?;
        Ok(file.metadata()?.modified()?.into())
    }

    /// Opens the file for reading, from its start.
    pub(super) fn reopen(&self) -> io::Result<File> {
        own::open(&self.path)
    }

    /// Returns its length in bytes.
    pub(super) fn size(&self) -> io::Result<u64> {
        match &self.file {
            Some(file) => Ok(file.metadata()?.len()),
            None => Ok(fs::metadata(&self.path)?.len()),
        }
    }

    /// Moves the file to `target`, replacing any file there. The directory must
    /// exist; after an error, the part still exists and the call can be retried.
    pub(super) fn rename(&mut self, target: &Path) -> io::Result<()> {
        self.file = None;
        match fs::rename(&self.path, target) {
            Err(error) if is_being_read(&error, target) => self.rename_over_open(target)?,
            renamed => renamed?,
        }
        self.path = PathBuf::new();
        Ok(())
    }

    /// Moves the file at `target` aside first; it is deleted when its last reader
    /// closes it.
    fn rename_over_open(&self, target: &Path) -> io::Result<()> {
        // Counts down, so that the name never conflicts with a part; leftovers are
        // deleted with those at the start.
        static ASIDE: AtomicU64 = AtomicU64::new(u64::MAX);
        let aside = format!("{PART}{}", ASIDE.fetch_sub(1, Ordering::Relaxed));
        let aside = self.path.with_file_name(aside);
        fs::rename(target, &aside)?;
        if let Err(error) = fs::rename(&self.path, target) {
            let _ = fs::rename(&aside, target);
            return Err(error);
        }
        let _ = fs::remove_file(&aside);
        Ok(())
    }
}

/// Returns whether a file could not be replaced because it is being read, which
/// some file systems on Windows do not allow.
fn is_being_read(error: &io::Error, target: &Path) -> bool {
    cfg!(windows) && error.kind() == io::ErrorKind::PermissionDenied && target.is_file()
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            self.file = None;
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes a file; succeeds if it does not exist.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Reads a JSON file; returns `None` if it does not exist.
pub(super) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    let mut text = Vec::new();
    match own::open(path).and_then(|mut file| file.read_to_end(&mut text)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|error| at(path, error))?,
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| at(path, io::Error::new(io::ErrorKind::InvalidData, error)))
}
