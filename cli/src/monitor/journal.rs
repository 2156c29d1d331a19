//! The state on disk: what is known about each channel, and the events that are not
//! delivered yet.
//!
//! The file has one JSON document per line: a header, then records in chronological
//! order. A record counts only when its line is complete, so that a killed process
//! leaves at most one line that does not count. When the file has grown, it is
//! replaced with an equivalent shorter one.

use super::event::Event;
use fs4::{FileExt, TryLockError};
use osslive::KnownChannel;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

const VERSION: u32 = 1;
/// How much a file may grow before it is replaced, in addition to its own size.
const GROWTH: u64 = 256 << 10;
/// Longer than any header: a file whose first line is longer is not a state file.
const LONGEST_HEADER: u64 = 4096;

/// The start of every state file.
#[derive(Serialize, Deserialize)]
struct Header {
    osslive: String,
    version: u32,
    bucket: String,
}

const KIND: &str = "monitor state";

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Record {
    /// The results of a sweep: either both parts count, or neither.
    Sweep {
        /// What is known about a channel; `None` if it is no longer monitored.
        known: Vec<(String, Option<KnownChannel>)>,
        events: Vec<Queued>,
    },
    /// An event was delivered to a receiver, or dropped.
    Settled { id: String, receiver: String },
}

/// An event with the names of the receivers that do not have it yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Queued {
    pub(super) event: Event,
    pub(super) receivers: Vec<String>,
}

/// The contents of a file.
#[derive(Debug, Default)]
pub(super) struct Restored {
    pub(super) known: BTreeMap<String, KnownChannel>,
    /// In the order of the changes.
    pub(super) events: Vec<Queued>,
    /// Whether the last line was incomplete, as a killed process leaves it.
    pub(super) was_torn: bool,
}

/// An open state file. No other process can open it at the same time.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    bucket: String,
    /// `None` after a line that could not be written completely: nothing may follow
    /// it.
    file: Option<File>,
    size: u64,
    /// The size of the file after it was last replaced.
    replaced_at: u64,
    _lock: File,
}

impl Journal {
    /// Opens or creates a state file, and returns its contents.
    ///
    /// # Errors
    ///
    /// Fails with a one-line message if the file is in use, damaged, or not a state file.
    pub(super) fn open(path: &Path, bucket: &str) -> Result<(Journal, Restored), String> {
        let shown = path.display();
        let failed = |error: io::Error| format!("cannot use {shown}: {error}");
        let lock = lock(&beside(path, ".lock"))
            .map_err(failed)?
            .ok_or_else(|| format!("{shown}: in use by another monitor"))?;
        let restored = match File::open(path) {
            Ok(file) => read(file, bucket).map_err(|wrong| format!("{shown}: {wrong}"))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Restored::default(),
            Err(error) => return Err(failed(error)),
        };
        let known = restored.known.iter().map(|(id, known)| (id.as_str(), known));
        let (file, size) = replace(path, bucket, known, &restored.events).map_err(failed)?;
        let journal = Journal {
            path: path.to_owned(),
            bucket: bucket.to_owned(),
            file: Some(file),
            size,
            replaced_at: size,
            _lock: lock,
        };
        Ok((journal, restored))
    }

    /// Adds what is known about channels without events. It is on disk after the
    /// next [`record`](Self::record).
    pub(super) fn note<'a>(
        &mut self,
        known: impl Iterator<Item = (&'a str, &'a KnownChannel)>,
    ) -> io::Result<()> {
        for (id, known) in known {
            let known = vec![(id.to_owned(), Some(known.clone()))];
            self.append(&Record::Sweep { known, events: Vec::new() })?;
        }
        Ok(())
    }

    /// Adds the results of a sweep. They are on disk when this returns.
    pub(super) fn record(
        &mut self,
        known: Vec<(String, Option<KnownChannel>)>,
        events: Vec<Queued>,
    ) -> io::Result<()> {
        self.append(&Record::Sweep { known, events })?;
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }

    /// Records that a receiver no longer needs an event. If this is lost, the
    /// receiver gets the event again.
    pub(super) fn settle(&mut self, id: &str, receiver: &str) -> io::Result<()> {
        self.append(&Record::Settled { id: id.to_owned(), receiver: receiver.to_owned() })
    }

    /// Adds a line with a single write.
    fn append(&mut self, record: &Record) -> io::Result<()> {
        let Some(mut file) = self.file.take() else {
            return Err(io::Error::other("an earlier record could not be written"));
        };
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        file.write_all(&line)?;
        self.file = Some(file);
        self.size += line.len() as u64;
        Ok(())
    }

    /// Returns whether it is time to [`replace`](Self::replace) the file.
    pub(super) fn needs_replacement(&self) -> bool {
        self.file.is_none() || self.size > self.replaced_at.saturating_mul(2) + GROWTH
    }

    /// Replaces the file with an equivalent one. If the process is killed
    /// meanwhile, the file remains unchanged.
    pub(super) fn replace<'a>(
        &mut self,
        known: impl Iterator<Item = (&'a str, &'a KnownChannel)>,
        events: &[Queued],
    ) -> io::Result<()> {
        // Windows cannot rename a file onto an open one.
        self.file = None;
        let (file, size) = replace(&self.path, &self.bucket, known, events)?;
        (self.file, self.size, self.replaced_at) = (Some(file), size, size);
        Ok(())
    }
}

/// `None` if another process has it.
fn lock(path: &Path) -> io::Result<Option<File>> {
    // Never deleted: otherwise, a process with the old file and one with a new file
    // could both believe they have the lock.
    let file = private().create(true).truncate(false).write(true).open(path)?;
    match FileExt::try_lock(&file) {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        // A file system without locks is no reason not to monitor.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            Ok(Some(file))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Options for files that only their owner may read, because they contain the
/// addresses of publishers.
#[cfg_attr(not(unix), allow(unused_mut))]
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn replace<'a>(
    path: &Path,
    bucket: &str,
    known: impl Iterator<Item = (&'a str, &'a KnownChannel)>,
    events: &[Queued],
) -> io::Result<(File, u64)> {
    let draft = beside(path, ".new");
    let file = private().create(true).truncate(true).write(true).open(&draft)?;
    let mut out = Counted { file: BufWriter::new(file), size: 0 };
    out.line(&Header { osslive: KIND.into(), version: VERSION, bucket: bucket.into() })?;
    for (id, known) in known {
        let known = vec![(id.to_owned(), Some(known.clone()))];
        out.line(&Record::Sweep { known, events: Vec::new() })?;
    }
    for event in events {
        out.line(&Record::Sweep { known: Vec::new(), events: vec![event.clone()] })?;
    }
    let file = out.file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&draft, path)?;
    sync_folder(path);
    Ok((OpenOptions::new().append(true).open(path)?, out.size))
}

/// Makes a new name survive a power cut, where directories can be synced.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
        let _ = folder.sync_all();
    }
}

struct Counted {
    file: BufWriter<File>,
    size: u64,
}

impl Counted {
    fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.size += line.len() as u64;
        self.file.write_all(&line)
    }
}

fn read(file: File, bucket: &str) -> Result<Restored, String> {
    let failed = |error: io::Error| format!("cannot read: {error}");
    let mut file = BufReader::new(file);
    let mut line = Vec::new();
    (&mut file).take(LONGEST_HEADER).read_until(b'\n', &mut line).map_err(failed)?;
    if line.is_empty() {
        return Ok(Restored::default());
    }
    check_header(&line, bucket)?;
    let mut reading = Reading::default();
    let mut torn = None;
    for number in 2.. {
        line.clear();
        if file.read_until(b'\n', &mut line).map_err(failed)? == 0 {
            break;
        }
        if let Some(number) = torn {
            return Err(format!(
                "damaged at line {number}: restore it from a backup, or delete it to start over"
            ));
        }
        match serde_json::from_slice(&line) {
            Ok(record) if line.ends_with(b"\n") => reading.add(record),
            // Only the last line may be incomplete.
            _ => torn = Some(number),
        }
    }
    Ok(reading.end(torn.is_some()))
}

fn check_header(line: &[u8], bucket: &str) -> Result<(), String> {
    let header: Option<Header> = serde_json::from_slice(line).ok();
    let Some(header) = header.filter(|header| header.osslive == KIND) else {
        return Err("not a state file of osslive monitor: must be a file written by --state".into());
    };
    if header.version != VERSION {
        return Err(format!("format version {}: must be {VERSION}", header.version));
    }
    if header.bucket != bucket {
        return Err(format!(
            "state of bucket {:?}: must be the state of bucket {bucket:?}",
            header.bucket
        ));
    }
    Ok(())
}

#[derive(Default)]
struct Reading {
    known: BTreeMap<String, KnownChannel>,
    events: Vec<Queued>,
    numbers: BTreeMap<String, usize>,
}

impl Reading {
    fn add(&mut self, record: Record) {
        match record {
            Record::Sweep { known, events } => {
                for (id, known) in known {
                    match known {
                        Some(known) => self.known.insert(id, known),
                        None => self.known.remove(&id),
                    };
                }
                for queued in events {
                    self.numbers.insert(queued.event.id.clone(), self.events.len());
                    self.events.push(queued);
                }
            }
            Record::Settled { id, receiver } => {
                if let Some(number) = self.numbers.get(&id) {
                    self.events[*number].receivers.retain(|name| *name != receiver);
                }
            }
        }
    }

    fn end(mut self, was_torn: bool) -> Restored {
        self.events.retain(|queued| !queued.receivers.is_empty());
        Restored { known: self.known, events: self.events, was_torn }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tempfile::TempDir;

    fn queued(id: &str, receivers: &[&str]) -> Queued {
        let event = json!({
            "id": id, "event": "live", "bucket": "b", "channel": "c",
            "time": "2026-05-01T19:30:00Z", "remoteAddr": "203.0.113.9:1",
        });
        Queued {
            event: serde_json::from_value(event).unwrap(),
            receivers: receivers.iter().map(|name| name.to_string()).collect(),
        }
    }

    fn known() -> KnownChannel {
        serde_json::from_value(json!({ "state": "Live", "remoteAddr": "203.0.113.9:1" })).unwrap()
    }

    fn summary(restored: &Restored) -> (Vec<&str>, Vec<(&str, usize)>) {
        let known = restored.known.keys().map(String::as_str).collect();
        let events = restored.events.iter();
        (known, events.map(|queued| (&*queued.event.id, queued.receivers.len())).collect())
    }

    /// A state with two channels and two events, one of which was delivered to one
    /// of two receivers.
    fn written(folder: &TempDir) -> PathBuf {
        let path = folder.path().join("state");
        let (mut journal, _) = Journal::open(&path, "b").unwrap();
        let both = vec![("a".into(), Some(known())), ("c".into(), Some(known()))];
        journal.record(both, vec![queued("1", &["x", "y"]), queued("2", &["x"])]).unwrap();
        journal.settle("1", "y").unwrap();
        path
    }

    #[test]
    fn records_survive_a_restart() {
        let folder = TempDir::new().unwrap();
        let path = written(&folder);
        for _ in 0..3 {
            let (_, restored) = Journal::open(&path, "b").unwrap();
            assert_eq!(summary(&restored), (vec!["a", "c"], vec![("1", 1), ("2", 1)]));
            assert_eq!(restored.events[0].event.details["remoteAddr"], "203.0.113.9:1");
            assert!(!restored.was_torn);
        }
        let (mut journal, _) = Journal::open(&path, "b").unwrap();
        journal.settle("1", "x").unwrap();
        journal.record(vec![("a".into(), None)], Vec::new()).unwrap();
        drop(journal);
        let (_, restored) = Journal::open(&path, "b").unwrap();
        assert_eq!(summary(&restored), (vec!["c"], vec![("2", 1)]));
    }

    #[test]
    fn a_truncated_file_is_read_up_to_the_last_complete_record() {
        let folder = TempDir::new().unwrap();
        let path = written(&folder);
        let whole = fs::read(&path).unwrap();
        let header = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for end in header..whole.len() {
            fs::write(&path, &whole[..end]).unwrap();
            let (_, restored) = Journal::open(&path, "b").unwrap();
            let is_between = whole[end - 1] == b'\n';
            assert_eq!(restored.was_torn, !is_between, "cut at {end}");
            let (known, events) = summary(&restored);
            assert!(known.is_empty() == events.is_empty(), "cut at {end}: half a record");
        }
    }

    #[test]
    fn zeros_at_the_end_do_not_count() {
        let folder = TempDir::new().unwrap();
        let path = written(&folder);
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend([0; 512]);
        fs::write(&path, bytes).unwrap();
        let (_, restored) = Journal::open(&path, "b").unwrap();
        assert!(restored.was_torn && restored.events.len() == 2);
    }

    #[test]
    fn a_damaged_or_foreign_file_is_rejected_and_left_unchanged() {
        let folder = TempDir::new().unwrap();
        let path = written(&folder);
        let good = fs::read_to_string(&path).unwrap();
        let in_the_middle = good.replacen("{\"sweep\"", "{\"swap\"", 1);
        let newer = good.replacen("\"version\":1", "\"version\":9", 1);
        for (text, words) in [
            (in_the_middle.as_str(), "damaged at line 2"),
            ("access_key_id = 1\n", "not a state file of osslive monitor"),
            (&"x".repeat(100_000), "not a state file of osslive monitor"),
            ("{\"osslive\":\"monitor state\"", "not a state file of osslive monitor"),
            (newer.as_str(), "format version 9: must be 1"),
        ] {
            fs::write(&path, text).unwrap();
            let error = Journal::open(&path, "b").unwrap_err();
            assert!(error.contains(words) && !error.contains('\n'), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        fs::write(&path, good).unwrap();
        let error = Journal::open(&path, "other").unwrap_err();
        assert!(
            error.ends_with("state of bucket \"b\": must be the state of bucket \"other\""),
            "{error}"
        );
        let error = Journal::open(folder.path(), "b").unwrap_err();
        assert!(error.contains("cannot "), "{error}");
    }

    #[test]
    fn an_empty_file_is_a_new_state() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("state");
        fs::write(&path, "").unwrap();
        let (_, restored) = Journal::open(&path, "b").unwrap();
        assert_eq!(summary(&restored), (vec![], vec![]));
    }

    #[test]
    fn two_monitors_cannot_share_a_state() {
        let folder = TempDir::new().unwrap();
        let path = written(&folder);
        let first = Journal::open(&path, "b").unwrap();
        let error = Journal::open(&path, "b").unwrap_err();
        assert!(error.ends_with("in use by another monitor"), "{error}");
        drop(first);
        Journal::open(&path, "b").unwrap();
    }

    #[test]
    fn a_grown_file_is_replaced_with_an_equivalent_shorter_one() {
        let folder = TempDir::new().unwrap();
        let path = written(&folder);
        let (mut journal, restored) = Journal::open(&path, "b").unwrap();
        let mut count = 0;
        while !journal.needs_replacement() {
            journal.record(vec![("a".into(), Some(known()))], Vec::new()).unwrap();
            count += 1;
            assert!(count < 100_000);
        }
        let known = restored.known.iter().map(|(id, known)| (id.as_str(), known));
        journal.replace(known, &restored.events).unwrap();
        assert!(!journal.needs_replacement());
        journal.settle("2", "x").unwrap();
        drop(journal);
        assert!(fs::metadata(&path).unwrap().len() < 2000);
        let (_, restored) = Journal::open(&path, "b").unwrap();
        assert_eq!(summary(&restored), (vec!["a", "c"], vec![("1", 1)]));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_state() {
        use std::os::unix::fs::MetadataExt;
        let folder = TempDir::new().unwrap();
        let path = written(&folder);
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o077, 0);
    }
}
