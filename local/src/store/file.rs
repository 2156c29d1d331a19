//! Whole files or nothing: everything is written beside and renamed in.
//!
//! A rename is atomic, so a reader or a process that starts after a kill sees
//! the old content or the new, never a part. What is flushed besides, so that a
//! power cut loses nothing either, is up to [`Durability`].

use super::durability::{self, Durability};
use super::inventory;
use super::own::{self, at};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
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
    durability: Durability,
}

impl Scratch {
    /// The scratch space in `folder`, which is made if it is missing.
    pub(super) fn open(folder: PathBuf, durability: Durability) -> io::Result<Self> {
        own::ensure_folder(&folder)?;
        Ok(Scratch { folder, serial: AtomicU64::new(0), durability })
    }

    /// Whether what matters to `level` waits until it is on the medium.
    pub(super) fn flushes(&self, level: Durability) -> bool {
        self.durability >= level
    }

    /// Flushes the names in a folder, if they matter to calls.
    pub(super) fn flush_folder(&self, folder: &Path) -> io::Result<()> {
        if self.flushes(Durability::Calls) { durability::flush_folder(folder) } else { Ok(()) }
    }

    /// Flushes a file's content and the names beside it, if they matter to calls.
    /// One that is missing is as good.
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

    /// Deletes what a killed process left behind: files and folders that are
    /// named as this module names them and, of folders, those that hold what a
    /// bucket's folder holds. Anything else stays.
    pub(super) fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let (entry, path) = entry.map(|entry| (entry.file_type(), entry.path()))?;
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let kind = entry?;
            if kind.is_file() && (is_serial(name, PART) || is_named(name)) {
                fs::remove_file(path)?;
            } else if kind.is_dir() && is_serial(name, GRAVE) {
                bury(&path)?;
            }
        }
        Ok(())
    }

    /// A new file that nobody else writes.
    pub(super) fn part(&self) -> io::Result<Part> {
        loop {
            let path = self.folder.join(format!("{PART}{}", self.serial()));
            let mut options = OpenOptions::new();
            match own::open_with(&path, options.write(true).create_new(true)) {
                Ok(file) => return Ok(Part { path, file: Some(file) }),
                // Something that is not ours, so it keeps its name.
                Err(_) if own::look(&path)?.is_some() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The path of a file that can be found again after a kill, by a number.
    pub(super) fn named(&self, number: &str) -> PathBuf {
        self.folder.join(format!("{NAMED}{number}"))
    }

    /// Moves a bucket's folder here, where it is no bucket any more.
    pub(super) fn retire(&self, folder: &Path) -> io::Result<PathBuf> {
        loop {
            let grave = self.folder.join(format!("{GRAVE}{}", self.serial()));
            if own::look(&grave)?.is_none() {
                return fs::rename(folder, &grave).map(|()| grave);
            }
        }
    }

    fn serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }

    /// Writes `content` to `target`, whole or not at all.
    pub(super) fn replace(&self, target: &Path, content: &[u8]) -> io::Result<()> {
        let mut part = self.part()?;
        part.write(content)?;
        self.install(part, target)
    }

    /// Moves a complete part to `target`, on the medium too.
    pub(super) fn install(&self, mut part: Part, target: &Path) -> io::Result<()> {
        self.flush(Durability::Calls, &part)?;
        part.rename(target)?;
        target.parent().map_or(Ok(()), |folder| self.flush_folder(folder))
    }

    /// Flushes a part's content and date, if it matters to `level`.
    pub(super) fn flush(&self, level: Durability, part: &Part) -> io::Result<()> {
        match &part.file {
            Some(file) if self.flushes(level) => file.sync_all(),
            _ => Ok(()),
        }
    }
}

const PART: &str = "part-";
const GRAVE: &str = "grave-";
const NAMED: &str = "fragment-";

fn is_serial(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|serial| serial.parse::<u64>().is_ok())
}

fn is_named(name: &str) -> bool {
    let is_hex = |number: &str| number.bytes().all(|byte| byte.is_ascii_hexdigit());
    name.strip_prefix(NAMED).is_some_and(|number| number.len() == 32 && is_hex(number))
}

/// Deletes the folder of a bucket that was retired, unless it holds anything
/// that no endpoint puts there.
pub(super) fn bury(grave: &Path) -> io::Result<()> {
    match inventory::foreign(grave)? {
        Some(_) => Ok(()),
        None => fs::remove_dir_all(grave),
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
    /// A part at a path of [`Scratch::named`], over one that a killed process
    /// left.
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = own::open_with(&path, options.write(true).create(true).truncate(true))?;
        Ok(Part { path, file: Some(file) })
    }

    /// A part that an earlier process had completed.
    pub(super) fn resume(path: PathBuf) -> Self {
        Part { path, file: None }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes))
    }

    /// Overwrites what was written, from a position on.
    pub(super) fn amend(&mut self, position: u64, bytes: &[u8]) -> io::Result<()> {
        let Some(file) = self.file.as_mut() else { return Ok(()) };
        file.seek(SeekFrom::Start(position))?;
        file.write_all(bytes)?;
        file.seek(SeekFrom::End(0)).map(|_| ())
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

    /// The file for reading, from its beginning.
    pub(super) fn reopen(&self) -> io::Result<File> {
        own::open(&self.path)
    }

    /// How many bytes it holds.
    pub(super) fn size(&self) -> io::Result<u64> {
        match &self.file {
            Some(file) => Ok(file.metadata()?.len()),
            None => Ok(fs::metadata(&self.path)?.len()),
        }
    }

    /// Moves the file to `target`, replacing what was there. The directory
    /// must exist; on an error the part is still there to try again.
    pub(super) fn rename(&mut self, target: &Path) -> io::Result<()> {
        self.file = None;
        match fs::rename(&self.path, target) {
            Err(error) if is_being_read(&error, target) => self.rename_over_open(target)?,
            renamed => renamed?,
        }
        self.path = PathBuf::new();
        Ok(())
    }

    /// Moves the file at `target` out of the way first. It is deleted when its last
    /// reader closes it.
    fn rename_over_open(&self, target: &Path) -> io::Result<()> {
        // Counted down, where no other part is, and cleared with these at the start.
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

/// Whether this may be why a file was not replaced: some file systems of Windows
/// refuse that while it is being read.
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

/// Removes a file; an absent one is as good.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Reads a JSON file; `None` when there is none.
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
