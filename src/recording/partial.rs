//! The incomplete file of a download: `PATH.part`, with a journal in `PATH.progress`.

use super::journal::{Journal, Placed, file_error};
use super::range::Resolved;
use crate::error::{Error, ErrorKind, Result};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often what has arrived is made safe.
const NOTE_INTERVAL: Duration = Duration::from_secs(1);

pub(super) struct Partial {
    /// The name of the complete file.
    path: PathBuf,
    part: PathBuf,
    file: File,
    journal: Journal,
    /// Fragments that are complete, but not safe yet.
    pending: Vec<Placed>,
    noted: Instant,
}

/// Checks that a download may create a file.
///
/// # Errors
///
/// [`ErrorKind::File`] if it exists.
pub(super) fn check_new(path: &Path) -> Result<()> {
    if fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::File, format!("{}: already exists", path.display())))
}

impl Partial {
    /// Begins a file, in place of any other incomplete one.
    pub(super) fn create(path: &Path, asked: &str, times: Resolved) -> Result<Self> {
        let part = with_suffix(path, ".part");
        let file = File::create(&part).map_err(|error| file_error(&part, &error))?;
        let journal = Journal::create(&with_suffix(path, ".progress"), asked, times)?;
        Ok(Partial::new(path, part, file, journal))
    }

    /// Opens the file that an earlier attempt left, if there is one.
    ///
    /// # Errors
    ///
    /// As [`Journal::open`].
    pub(super) fn open(path: &Path, asked: &str) -> Result<Option<Self>> {
        let Some(journal) = Journal::open(&with_suffix(path, ".progress"), asked)? else {
            return Ok(None);
        };
        let part = with_suffix(path, ".part");
        match OpenOptions::new().write(true).open(&part) {
            Ok(file) => Ok(Some(Partial::new(path, part, file, journal))),
            // Without the bytes, what is known of them is worth nothing.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file_error(&part, &error)),
        }
    }

    fn new(path: &Path, part: PathBuf, file: File, journal: Journal) -> Self {
        let path = path.to_owned();
        Partial { path, part, file, journal, pending: Vec::new(), noted: Instant::now() }
    }

    /// Returns the times that the range meant when the download began.
    pub(super) fn times(&self) -> Resolved {
        self.journal.times
    }

    /// Returns the path of the incomplete file.
    pub(super) fn part(&self) -> &Path {
        &self.part
    }

    /// Returns those that are not in the file yet.
    pub(super) fn missing(&self, placed: &[Placed]) -> Result<Vec<Placed>> {
        let metadata = self.file.metadata().map_err(|error| file_error(&self.part, &error))?;
        let is_there = |placed: &&Placed| {
            self.journal.has(placed) && placed.offset + placed.size <= metadata.len()
        };
        Ok(placed.iter().filter(|placed| !is_there(placed)).copied().collect())
    }

    /// Notes complete fragments, before long.
    pub(super) fn note(&mut self, complete: Vec<Placed>) -> Result<()> {
        self.pending.extend(complete);
        if self.noted.elapsed() < NOTE_INTERVAL { Ok(()) } else { self.note_all() }
    }

    /// Makes all that is complete safe, and notes it.
    pub(super) fn note_all(&mut self) -> Result<()> {
        if !self.pending.is_empty() {
            self.file.sync_data().map_err(|error| file_error(&self.part, &error))?;
            self.journal.note(&self.pending)?;
            self.pending.clear();
        }
        self.noted = Instant::now();
        Ok(())
    }

    /// Gives the file, of so many bytes, its name.
    pub(super) fn finish(self, bytes: u64) -> Result<()> {
        let safe = self.file.set_len(bytes).and_then(|()| self.file.sync_all());
        safe.map_err(|error| file_error(&self.part, &error))?;
        drop(self.file);
        fs::rename(&self.part, &self.path).map_err(|error| file_error(&self.path, &error))?;
        sync_folder(&self.path);
        self.journal.delete()
    }
}

/// Makes a new name safe before the journal goes, where folders can be synced. Without
/// it, a power cut costs another download at worst.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
