//! The journal of a download: a text file that records what the incomplete file
//! already contains.
//!
//! The bytes of a fragment are synced before its line is written, and a truncated line
//! does not count. So a download can be resumed after any interruption, even a power
//! cut.

use super::fragment::total;
use super::range::Resolved;
use crate::error::{Error, ErrorKind, Result};
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const TITLE: &str = "osslive download 1";

/// A fragment's place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    /// Its start, in Unix milliseconds.
    pub(super) start: i64,
    pub(super) offset: u64,
    pub(super) size: u64,
}

impl Placed {
    /// Returns the offset of the first byte after it.
    pub(super) fn end(&self) -> u64 {
        total([self.offset, self.size])
    }
}

pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// The times to which the range resolved when the download started.
    pub(super) times: Resolved,
    done: HashMap<i64, Placed>,
}

impl Journal {
    /// Creates a journal for this download, replacing any other.
    pub(super) fn create(path: &Path, description: &str, times: Resolved) -> Result<Self> {
        let failed = |error| file_error(path, &error);
        let mut file = File::create(path).map_err(failed)?;
        file.write_all(header(description, times).as_bytes()).map_err(failed)?;
        file.sync_data().map_err(failed)?;
        Ok(Journal { path: path.to_owned(), file, times, done: HashMap::new() })
    }

    /// Opens the journal of an earlier attempt, if there is one.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidArgument`](ErrorKind::InvalidArgument) if it belongs to another
    /// download.
    pub(super) fn open(path: &Path, description: &str) -> Result<Option<Self>> {
        let failed = |error| file_error(path, &error);
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let Some((times, done)) = read(&text, description).map_err(|what| other(path, &what))?
        else {
            return Ok(None);
        };
        let mut file = OpenOptions::new().append(true).open(path).map_err(failed)?;
        if !text.ends_with('\n') {
            // Ends a truncated line.
            file.write_all(b"\n").map_err(failed)?;
        }
        Ok(Some(Journal { path: path.to_owned(), file, times, done }))
    }

    /// Returns whether a fragment is in the file, at this place.
    pub(super) fn has(&self, placed: &Placed) -> bool {
        self.done.get(&placed.start) == Some(placed)
    }

    /// Records fragments whose bytes are synced.
    pub(super) fn note(&mut self, placed: &[Placed]) -> Result<()> {
        let lines: String = placed.iter().map(line).collect();
        self.file.write_all(lines.as_bytes()).map_err(|error| file_error(&self.path, &error))?;
        self.done.extend(placed.iter().map(|placed| (placed.start, *placed)));
        Ok(())
    }

    /// Deletes the journal.
    pub(super) fn delete(self) -> Result<()> {
        drop(self.file);
        fs::remove_file(&self.path).map_err(|error| file_error(&self.path, &error))
    }
}

pub(super) fn file_error(path: &Path, error: &io::Error) -> Error {
    Error::new(ErrorKind::File, format!("{}: {error}", path.display()))
}

fn other(path: &Path, what: &str) -> Error {
    Error::invalid(format!(
        "{}: belongs to {what}; finish that first, or overwrite it to start over",
        path.display()
    ))
}

pub(super) fn header(description: &str, times: Resolved) -> String {
    let Resolved { start, end, is_open, is_session } = times;
    format!("{TITLE}\n{description:?}\n{start} {end} {is_open} {is_session}\n")
}

pub(super) fn line(Placed { start, offset, size }: &Placed) -> String {
    format!("{start} {offset} {size}\n")
}

pub(super) type Contents = (Resolved, HashMap<i64, Placed>);

/// Reads a journal; returns `None` if it was truncated before anything was done.
///
/// # Errors
///
/// Returns what the journal belongs to instead.
pub(super) fn read(text: &str, description: &str) -> Result<Option<Contents>, String> {
    // Anything after the last line break is a truncated line.
    let complete = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut lines = complete.lines();
    match lines.next() {
        Some(TITLE) => {}
        None if TITLE.starts_with(text) => return Ok(None),
        _ => return Err("another program".to_owned()),
    }
    match lines.next() {
        Some(found) if found == format!("{description:?}") => {}
        Some(found) => return Err(format!("the download of {found}")),
        None => return Ok(None),
    }
    let Some(times) = lines.next() else { return Ok(None) };
    let times = read_times(times).ok_or("a download by another version")?;
    let done = lines.filter_map(read_placed).map(|placed| (placed.start, placed)).collect();
    Ok(Some((times, done)))
}

fn read_times(line: &str) -> Option<Resolved> {
    let fields: Vec<_> = line.split(' ').collect();
    let [start, end, is_open, is_session] = fields[..] else { return None };
    Some(Resolved {
        start: start.parse().ok()?,
        end: end.parse().ok()?,
        is_open: is_open.parse().ok()?,
        is_session: is_session.parse().ok()?,
    })
}

fn read_placed(line: &str) -> Option<Placed> {
    let fields: Vec<_> = line.split(' ').collect();
    let [start, offset, size] = fields[..] else { return None };
    Some(Placed {
        start: start.parse().ok()?,
        offset: offset.parse().ok()?,
        size: size.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: Resolved = Resolved { start: 1, end: 2, is_open: true, is_session: false };
    const DESCRIPTION: &str = "b/c: latest session";

    fn placed(start: i64) -> Placed {
        Placed { start, offset: 10 * start.unsigned_abs(), size: 10 }
    }

    #[test]
    fn recorded_fragments_are_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("show.ts.progress");
        assert!(Journal::open(&path, DESCRIPTION).unwrap().is_none());
        Journal::create(&path, DESCRIPTION, TIMES).unwrap().note(&[placed(1), placed(3)]).unwrap();
        let mut journal = Journal::open(&path, DESCRIPTION).unwrap().unwrap();
        assert_eq!(journal.times, TIMES);
        assert!(journal.has(&placed(1)) && journal.has(&placed(3)) && !journal.has(&placed(2)));
        assert!(!journal.has(&Placed { offset: 0, ..placed(3) }), "it moved");
        journal.note(&[placed(2)]).unwrap();
        assert!(Journal::open(&path, DESCRIPTION).unwrap().unwrap().has(&placed(2)));
        journal.delete().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_truncated_journal_counts_up_to_its_last_complete_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let whole = header(DESCRIPTION, TIMES) + "100 0 10\n200 10 12\n";
        for end in 0..=whole.len() {
            fs::write(&path, &whole[..end]).unwrap();
            let Some(mut journal) = Journal::open(&path, DESCRIPTION).unwrap() else {
                assert!(end < header(DESCRIPTION, TIMES).len());
                continue;
            };
            // A truncated number does not match a fragment.
            assert_eq!(
                journal.has(&Placed { start: 200, offset: 10, size: 12 }),
                end == whole.len()
            );
            assert!(!journal.has(&Placed { start: 200, offset: 10, size: 1 }));
            journal.note(&[placed(3)]).unwrap();
            assert!(
                Journal::open(&path, DESCRIPTION).unwrap().unwrap().has(&placed(3)),
                "after {end}"
            );
        }
    }

    #[test]
    fn a_journal_of_another_download_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        Journal::create(&path, "b/other: last 5 s", TIMES).unwrap();
        for (text, word) in [
            (fs::read_to_string(&path).unwrap(), "b/other: last 5 s"),
            ("#EXTM3U\n".to_owned(), "another program"),
            ("#EXTM3U".to_owned(), "another program"),
            (format!("{TITLE}\n{DESCRIPTION:?}\n1 2 maybe\n"), "another version"),
        ] {
            fs::write(&path, text).unwrap();
            let error = Journal::open(&path, DESCRIPTION).err().unwrap();
            assert!(error.message().contains(word), "{error}");
        }
    }

    #[test]
    fn a_journal_that_cannot_be_read_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Journal::open(folder.path(), DESCRIPTION).is_err());
    }
}
