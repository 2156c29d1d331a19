//! The incomplete file of a download: `PATH.part`, with a journal in `PATH.progress`.

use super::journal::{Journal, Placed, file_error};
use super::range::Resolved;
use crate::error::{Error, ErrorKind, Result};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often the received fragments are synced and recorded in the journal.
const NOTE_INTERVAL: Duration = Duration::from_secs(1);

pub(super) struct Partial {
    /// The name of the complete file.
    path: PathBuf,
    part: PathBuf,
    file: File,
    journal: Journal,
    /// Fragments that are complete, but not synced yet.
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
    /// Creates a file, replacing any other incomplete one.
    pub(super) fn create(path: &Path, description: &str, times: Resolved) -> Result<Self> {
        let part = with_suffix(path, ".part");
        let file = File::create(&part).map_err(|error| file_error(&part, &error))?;
        let journal = Journal::create(&with_suffix(path, ".progress"), description, times)?;
        Ok(Partial::new(path, part, file, journal))
    }

    /// Opens the file that an earlier attempt left, if there is one.
    ///
    /// # Errors
    ///
    /// As [`Journal::open`].
    pub(super) fn open(path: &Path, description: &str) -> Result<Option<Self>> {
        let Some(journal) = Journal::open(&with_suffix(path, ".progress"), description)? else {
            return Ok(None);
        };
        let part = with_suffix(path, ".part");
        match OpenOptions::new().write(true).open(&part) {
            Ok(file) => Ok(Some(Partial::new(path, part, file, journal))),
            // Without the bytes, the journal is useless.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file_error(&part, &error)),
        }
    }

    fn new(path: &Path, part: PathBuf, file: File, journal: Journal) -> Self {
        let path = path.to_owned();
        Partial { path, part, file, journal, pending: Vec::new(), noted: Instant::now() }
    }

    /// Returns the times to which the range resolved when the download started.
    pub(super) fn times(&self) -> Resolved {
        self.journal.times
    }

    /// Returns the path of the incomplete file.
    pub(super) fn part(&self) -> &Path {
        &self.part
    }

    /// Returns the fragments that are not in the file yet.
    pub(super) fn missing(&self, placed: &[Placed]) -> Result<Vec<Placed>> {
        let metadata = self.file.metadata().map_err(|error| file_error(&self.part, &error))?;
        let is_complete =
            |placed: &&Placed| self.journal.has(placed) && placed.end() <= metadata.len();
        Ok(placed.iter().filter(|placed| !is_complete(placed)).copied().collect())
    }

    /// Records complete fragments, at intervals.
    pub(super) fn note(&mut self, complete: Vec<Placed>) -> Result<()> {
        self.pending.extend(complete);
        if self.noted.elapsed() < NOTE_INTERVAL { Ok(()) } else { self.note_all() }
    }

    /// Syncs all complete fragments, and records them in the journal.
    pub(super) fn note_all(&mut self) -> Result<()> {
        if !self.pending.is_empty() {
            self.file.sync_data().map_err(|error| file_error(&self.part, &error))?;
            self.journal.note(&self.pending)?;
            self.pending.clear();
        }
        self.noted = Instant::now();
        Ok(())
    }

    /// Completes the file, which has this size, and gives it its final name.
    pub(super) fn finish(self, bytes: u64) -> Result<()> {
        let safe = self.file.set_len(bytes).and_then(|()| self.file.sync_all());
        safe.map_err(|error| file_error(&self.part, &error))?;
        drop(self.file);
        fs::rename(&self.part, &self.path).map_err(|error| file_error(&self.path, &error))?;
        sync_folder(&self.path);
        self.journal.delete()
    }
}

/// Syncs a new name before the journal is deleted, if folders can be synced. Otherwise,
/// the worst that a power cut can cause is another download.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
