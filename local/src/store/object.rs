//! The objects of a bucket: plain files, so that any player can open a fragment,
//! and for each upload a small record with its metadata.

use super::durability::Durability;
use super::fault::{disk_fault, no_such_bucket};
use super::file::{self, Part, Scratch};
use super::listing::Listing;
use super::path::Naming;
use super::space::space_of;
use super::{inventory, own};
use crate::fault::Fault;
use crate::media::playlist;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use time::OffsetDateTime;

/// The longest key, in bytes, that OSS documents.
const MAX_KEY: usize = 1023;

/// The largest playlist that is read to compute its ETag.
const MAX_PLAYLIST: u64 = 1 << 20;

/// The metadata of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// The key, unescaped.
    pub key: String,
    /// The length in bytes.
    pub size: u64,
    /// 32 upper-case hex digits, unquoted: the MD5 of an upload or a
    /// playlist, an opaque value for a fragment.
    pub etag: String,
    /// When the content was last replaced.
    pub last_modified: OffsetDateTime,
    /// The media type to serve it under.
    pub content_type: String,
    /// Further headers that the upload set, in lower case.
    pub headers: Vec<(String, String)>,
    /// The CRC-64 of an upload; unknown for other objects.
    pub crc64: Option<u64>,
}

/// The metadata of an upload.
#[derive(Debug, Clone, Default)]
pub struct Upload {
    /// The media type.
    pub content_type: Option<String>,
    /// Headers to serve it with, names in lower case.
    pub headers: Vec<(String, String)>,
}

/// One page of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectPage {
    /// The objects, by key in byte order.
    pub objects: Vec<ObjectMeta>,
    /// The common prefixes, in byte order.
    pub common_prefixes: Vec<String>,
    /// The last key or common prefix of this page when more follow.
    pub next_marker: Option<String>,
}

/// The metadata of an upload, and the content to which it belongs.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    size: u64,
    #[serde(with = "time::serde::rfc3339")]
    modified: OffsetDateTime,
    etag: String,
    content_type: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    crc64: Option<u64>,
}

impl Record {
    fn into_meta(self, key: &str) -> ObjectMeta {
        ObjectMeta {
            key: key.to_owned(),
            size: self.size,
            etag: self.etag,
            last_modified: self.modified,
            content_type: self.content_type,
            headers: self.headers,
            crc64: self.crc64,
        }
    }
}

/// The CRC that the service computes for objects.
static CRC64: crc::Crc<u64> = crc::Crc::<u64>::new(&crc::CRC_64_XZ);

/// A reader that computes the size and digests of a body.
struct Digests<'a, R> {
    body: &'a mut R,
    size: u64,
    md5: Md5,
    crc64: crc::Digest<'static, u64>,
}

impl<'a, R> Digests<'a, R> {
    fn new(body: &'a mut R) -> Self {
        Digests { body, size: 0, md5: Md5::new(), crc64: CRC64.digest() }
    }
}

impl<R: Read> Read for Digests<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.body.read(buffer)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        self.size += bytes.len() as u64;
        self.md5.update(bytes);
        self.crc64.update(bytes);
        Ok(count)
    }
}

/// The objects of one bucket.
#[derive(Debug)]
pub(super) struct Objects {
    bucket: String,
    files: PathBuf,
    records: PathBuf,
    scratch: Arc<Scratch>,
    naming: Naming,
    /// Whether the bucket was deleted. Locked for renames, but not while content
    /// is written, so that a record always matches its object and no empty
    /// directory is removed while a file is added to it.
    gone: RwLock<bool>,
}

impl Objects {
    pub(super) fn new(
        bucket: String,
        folder: &Path,
        scratch: Arc<Scratch>,
        naming: Naming,
    ) -> io::Result<Self> {
        let (files, records) = (folder.join("objects"), folder.join("records"));
        own::ensure_folder(&files)?;
        own::ensure_folder(&records)?;
        Ok(Objects { bucket, files, records, scratch, naming, gone: RwLock::new(false) })
    }

    /// Stores an upload, reading it to its end. Also returns how many bytes of
    /// generated objects that freed on disk.
    pub(super) fn put(
        &self,
        key: &str,
        upload: Upload,
        body: &mut impl Read,
        now: OffsetDateTime,
    ) -> Result<(ObjectMeta, u64), Fault> {
        if key.is_empty() || key.len() > MAX_KEY {
            return Err(Fault::new(400, "InvalidObjectName", "The specified object is not valid.")
                .with("ObjectName", key));
        }
        let mut digests = Digests::new(body);
        let (part, modified) = self.written(&mut digests, now).map_err(disk_fault)?;
        let record = Record {
            size: digests.size,
            modified,
            etag: hex(&digests.md5.finalize()),
            crc64: Some(digests.crc64.finalize()),
            content_type: uploaded_type_of(key, upload.content_type.as_deref()),
            headers: upload.headers,
        };
        let meta = record.clone().into_meta(key);
        let placed = self.place(key, part, Some(record), Durability::Calls);
        let freed = placed.map_err(|error| self.fault(error))?;
        Ok((meta, freed))
    }

    /// Stores a generated playlist. It is not flushed: the next start can rebuild
    /// it from the index.
    pub(super) fn put_generated(
        &self,
        key: &str,
        body: &[u8],
        now: OffsetDateTime,
    ) -> io::Result<()> {
        let part = self.written(&mut &*body, now)?.0;
        self.put_in_place(key, part, None).map(drop)
    }

    /// Flushes an object, if calls are flushed.
    pub(super) fn flush(&self, key: &str) -> io::Result<()> {
        self.scratch.flush_file(&own::reach(&self.files, &self.naming.object(key))?)
    }

    /// Flushes the names in the directory of a key, if calls are flushed.
    pub(super) fn flush_folder_of(&self, key: &str) -> io::Result<()> {
        let path = own::reach(&self.files, &self.naming.object(key))?;
        path.parent().map_or(Ok(()), |folder| self.scratch.flush_folder(folder))
    }

    /// Returns the scratch space.
    pub(super) fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Writes a part, and returns it with its date as the file system rounds it.
    fn written(
        &self,
        body: &mut impl Read,
        now: OffsetDateTime,
    ) -> io::Result<(Part, OffsetDateTime)> {
        let mut part = self.scratch.part()?;
        part.copy(body)?;
        let modified = part.date(now)?;
        Ok((part, modified))
    }

    /// Returns the path of a fragment while it is written, the same after a kill.
    pub(super) fn part_path(&self, key: &str) -> PathBuf {
        self.scratch.named(&hex(&Md5::digest(format!("{}/{key}", self.bucket))))
    }

    /// Puts a complete fragment in place.
    pub(super) fn place_generated(&self, key: &str, part: Part) -> io::Result<()> {
        self.place(key, part, None, Durability::Recordings).map(drop)
    }

    /// Puts a complete file in place, and flushes it if writes of this level are
    /// flushed.
    fn place(
        &self,
        key: &str,
        part: Part,
        record: Option<Record>,
        level: Durability,
    ) -> io::Result<u64> {
        self.scratch.flush(level, &part)?;
        let replaced = self.put_in_place(key, part, record)?;
        if self.scratch.flushes(level) {
            let target = self.files.join(self.naming.object(key));
            target.parent().map_or(Ok(()), |folder| self.scratch.flush_folder(folder))?;
        }
        Ok(replaced)
    }

    /// Puts a complete file in place, atomically. Returns how many bytes of
    /// generated objects that freed on disk.
    ///
    /// The new record is written first, together with the record of the object
    /// that is about to be replaced: whichever content a kill leaves, its record
    /// exists.
    fn put_in_place(&self, key: &str, mut part: Part, record: Option<Record>) -> io::Result<u64> {
        let gone = self.write_lock();
        if *gone {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the bucket was deleted"));
        }
        let relative = self.naming.object(key);
        let target = own::reach(&self.files, &relative)?;
        let record_path = own::reach(&self.records, &relative)?;
        let uploaded = record.is_some();
        let replaced = self.measure(&relative)?;
        if let Some(record) = record {
            let records: Vec<_> =
                [Some(record), current(&target, &record_path)?].into_iter().flatten().collect();
            let mut part = self.scratch.part()?;
            part.write(&serde_json::to_vec(&records)?)?;
            self.scratch.flush(Durability::Calls, &part)?;
            self.rename(&mut part, &self.records, &relative)?;
            record_path.parent().map_or(Ok(()), |folder| self.scratch.flush_folder(folder))?;
        }
        self.rename(&mut part, &self.files, &relative)?;
        if !uploaded {
            file::remove(&record_path)?;
        }
        Ok(replaced)
    }

    /// Returns an object and its content, positioned at the start.
    pub(super) fn open(&self, key: &str) -> Result<(ObjectMeta, File), Fault> {
        let missing = || {
            Fault::new(404, "NoSuchKey", "The specified key does not exist.")
                .with_ec("0026-00000001")
                .with("Key", key)
        };
        if key.len() > MAX_KEY {
            return Err(missing());
        }
        self.try_open(key, &self.naming.object(key))
            .map_err(|error| self.fault(error))?
            .ok_or_else(missing)
    }

    fn try_open(&self, key: &str, relative: &Path) -> io::Result<Option<(ObjectMeta, File)>> {
        let _held = self.read_lock();
        let opened = own::open(&own::reach(&self.files, relative)?);
        let mut file = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| own::at(relative, error))?,
        };
        let metadata = file.metadata()?;
        let (size, modified) = (metadata.len(), metadata.modified()?.into());
        let record = match matching(&own::reach(&self.records, relative)?, size, modified)? {
            Some(record) => record,
            None => Record {
                size,
                modified,
                etag: self.generated_etag(key, &mut file, size, modified)?,
                content_type: content_type_of(key, None),
                headers: Vec::new(),
                crc64: None,
            },
        };
        Ok(Some((record.into_meta(key), file)))
    }

    /// Returns the ETag of an object without a record, computed from the content of
    /// a playlist, or else from name, size and date.
    fn generated_etag(
        &self,
        key: &str,
        file: &mut File,
        size: u64,
        modified: OffsetDateTime,
    ) -> io::Result<String> {
        if !has_extension(key, "m3u8") || size > MAX_PLAYLIST {
            let identity =
                format!("{}/{key} {size} {}", self.bucket, modified.unix_timestamp_nanos());
            return Ok(hex(&Md5::digest(identity)));
        }
        let mut content = Vec::new();
        file.take(MAX_PLAYLIST).read_to_end(&mut content)?;
        file.rewind()?;
        Ok(hex(&Md5::digest(content)))
    }

    /// Returns whether an object exists.
    pub(super) fn exists(&self, key: &str) -> io::Result<bool> {
        let path = own::reach(&self.files, &self.naming.object(key))?;
        Ok(own::look(&path)?.is_some_and(|found| found.is_file()))
    }

    /// Returns how many bytes of disk space a generated object uses; 0 for any
    /// other.
    pub(super) fn generated_size(&self, key: &str) -> io::Result<u64> {
        let _held = self.read_lock();
        self.measure(&self.naming.object(key))
    }

    fn measure(&self, relative: &Path) -> io::Result<u64> {
        if own::look(&own::reach(&self.records, relative)?)?.is_some() {
            return Ok(0);
        }
        let found = own::look(&own::reach(&self.files, relative)?)?;
        Ok(found.filter(Metadata::is_file).map_or(0, |found| space_of(&found)))
    }

    /// Deletes objects, ignoring missing ones, and returns how many bytes of
    /// fragments that freed on disk.
    pub(super) fn delete(&self, keys: &[&str]) -> Result<u64, Fault> {
        let gone = self.write_lock();
        if *gone {
            return Err(no_such_bucket(&self.bucket));
        }
        let mut freed: u64 = 0;
        let mut relatives = Vec::new();
        for key in keys.iter().filter(|key| key.len() <= MAX_KEY) {
            let relative = self.naming.object(key);
            if key.ends_with(".ts") {
                freed = freed.saturating_add(self.measure(&relative).map_err(disk_fault)?);
            }
            relatives.push(relative);
        }
        self.remove(&relatives).map_err(disk_fault)?;
        Ok(freed)
    }

    /// Removes files and then their records, so that an object that a power cut
    /// restores still has its record.
    fn remove(&self, relatives: &[PathBuf]) -> io::Result<()> {
        for root in [&self.files, &self.records] {
            let mut changed = BTreeSet::new();
            for relative in relatives {
                changed.extend(remove_and_tidy(root, relative)?);
            }
            for folder in changed {
                self.scratch.flush_folder(&folder)?;
            }
        }
        Ok(())
    }

    /// Opens the file of a generated object; returns `None` if there is none.
    pub(super) fn open_generated(&self, key: &str) -> io::Result<Option<File>> {
        let _held = self.read_lock();
        let relative = self.naming.object(key);
        let target = own::reach(&self.files, &relative)?;
        let record_path = own::reach(&self.records, &relative)?;
        if current(&target, &record_path)?.is_some() {
            return Ok(None);
        }
        match own::open(&target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    /// Returns the fragments of a channel whose names come after `marker`.
    pub(super) fn fragments_after(
        &self,
        channel: &str,
        marker: &str,
    ) -> io::Result<BTreeSet<String>> {
        let prefix = format!("{channel}/");
        let listing = Listing::new(&prefix, marker, None, usize::MAX).ending_in(".ts");
        let (found, _) = listing.of(&self.files)?;
        Ok(found.into_keys().collect())
    }

    /// Removes a generated object that was incomplete at a power cut.
    pub(super) fn drop_unfinished(&self, key: &str) -> io::Result<()> {
        let _held = self.write_lock();
        self.remove(&[self.naming.object(key)])
    }

    /// Renames a part to `relative` below `root`, creating missing folders. The root
    /// itself is not created again if it was deleted.
    fn rename(&self, part: &mut Part, root: &Path, relative: &Path) -> io::Result<()> {
        let target = own::reach(root, relative)?;
        match part.rename(&target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                for folder in own::create_between(root, relative)? {
                    self.scratch.flush_folder(&folder)?;
                }
                part.rename(&target)
            }
            other => other,
        }
    }

    /// Deletes an object only if it is generated; returns how many bytes that
    /// freed.
    pub(super) fn discard(&self, key: &str) -> io::Result<u64> {
        let _held = self.write_lock();
        let relative = self.naming.object(key);
        let size = self.measure(&relative)?;
        if size > 0 {
            // A fragment that a power cut restores is still in the index, and is
            // deleted again.
            let _ = remove_and_tidy(&self.files, &relative)?;
        }
        Ok(size)
    }

    pub(super) fn list(
        &self,
        prefix: &str,
        marker: &str,
        delimiter: Option<&str>,
        max: usize,
    ) -> Result<ObjectPage, Fault> {
        let mut marker = marker.to_owned();
        loop {
            let page = self.page(prefix, &marker, delimiter, max)?;
            match page.next_marker {
                // All objects of the page were deleted meanwhile.
                Some(next) if page.objects.is_empty() && page.common_prefixes.is_empty() => {
                    marker = next;
                }
                _ => return Ok(page),
            }
        }
    }

    /// Returns one page, without objects that are deleted meanwhile.
    fn page(
        &self,
        prefix: &str,
        marker: &str,
        delimiter: Option<&str>,
        max: usize,
    ) -> Result<ObjectPage, Fault> {
        let listing = Listing::new(prefix, marker, delimiter, max);
        let (found, next_marker) = listing.of(&self.files).map_err(disk_fault)?;
        let mut page = ObjectPage { next_marker, ..ObjectPage::default() };
        for (name, relative) in found {
            match relative {
                None => page.common_prefixes.push(name),
                Some(relative) => page.objects.extend(
                    self.try_open(&name, &relative).map_err(disk_fault)?.map(|(meta, _)| meta),
                ),
            }
        }
        Ok(page)
    }

    /// Returns the first `max` keys of playlists that begin with `prefix`.
    pub(super) fn playlists(&self, prefix: &str, max: usize) -> Result<Vec<String>, Fault> {
        let listing = Listing::new(prefix, "", None, max).ending_in(".m3u8");
        let (found, _) = listing.of(&self.files).map_err(disk_fault)?;
        Ok(found.into_keys().collect())
    }

    /// Closes the objects permanently by moving `directory`, their bucket, away;
    /// returns `false` if there are any objects.
    pub(super) fn retire(&self, folder: &Path) -> io::Result<bool> {
        let mut gone = self.write_lock();
        let is_empty = Listing::new("", "", None, 1).of(&self.files)?.0.is_empty();
        if !is_empty || inventory::foreign(folder)?.is_some() {
            return Ok(false);
        }
        let retired = self.scratch.retire(folder)?;
        *gone = true;
        folder.parent().map_or(Ok(()), |data| self.scratch.flush_folder(data))?;
        drop(gone);
        // The next start deletes leftovers.
        let _ = file::delete_retired(&retired);
        Ok(true)
    }

    fn fault(&self, error: io::Error) -> Fault {
        if *self.read_lock() { no_such_bucket(&self.bucket) } else { disk_fault(error) }
    }

    fn read_lock(&self) -> RwLockReadGuard<'_, bool> {
        self.gone.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_lock(&self) -> RwLockWriteGuard<'_, bool> {
        self.gone.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the record of the object that is at `target` now.
fn current(target: &Path, record_path: &Path) -> io::Result<Option<Record>> {
    match own::look(target)? {
        None => Ok(None),
        Some(found) => matching(record_path, found.len(), found.modified()?.into()),
    }
}

/// Returns the record in `record_path` of exactly this content. An invalid record is
/// ignored.
fn matching(record_path: &Path, size: u64, modified: OffsetDateTime) -> io::Result<Option<Record>> {
    let records: Vec<Record> = match file::read_json(record_path) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => None,
        other => other?,
    }
    .unwrap_or_default();
    Ok(records.into_iter().find(|record| record.size == size && record.modified == modified))
}

/// Removes a file and the directories that become empty. Returns the topmost
/// directory that this changed, if the file existed.
fn remove_and_tidy(root: &Path, relative: &Path) -> io::Result<Option<PathBuf>> {
    let path = own::reach(root, relative)?;
    if own::look(&path)?.is_none() {
        return Ok(None);
    }
    file::remove(&path)?;
    let mut changed = root.to_owned();
    let parents = relative.ancestors().skip(1).take_while(|parent| !parent.as_os_str().is_empty());
    for parent in parents {
        let folder = root.join(parent);
        if fs::remove_dir(&folder).is_err() {
            changed = folder;
            break;
        }
    }
    Ok(Some(changed))
}

/// Returns the media type of an upload, `application/octet-stream` if undeclared.
fn uploaded_type_of(key: &str, declared: Option<&str>) -> String {
    let unknown = || "application/octet-stream".to_owned();
    declared.map_or_else(unknown, |declared| content_type_of(key, Some(declared)))
}

fn content_type_of(key: &str, declared: Option<&str>) -> String {
    if has_extension(key, "m3u8") {
        playlist::MEDIA_TYPE.to_owned()
    } else if has_extension(key, "ts") {
        "video/mp2t".to_owned()
    } else {
        declared.unwrap_or("application/octet-stream").to_owned()
    }
}

fn has_extension(key: &str, extension: &str) -> bool {
    key.rsplit_once('.').is_some_and(|(_, last)| last.eq_ignore_ascii_case(extension))
}

fn hex(bytes: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(HEX[usize::from(digit)]))
        .collect()
}
