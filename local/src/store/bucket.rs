//! A bucket: its settings, its channels and its objects.

use super::channel::Channels;
use super::connection::Connection;
use super::fault::disk_fault;
use super::file::{self, Scratch};
use super::fragment::{self, Folder, Kept, Timeline};
use super::mutex::lock;
use super::object::Objects;
use super::path::{self, Naming};
use super::{inventory, own};
use crate::clock::Clock;
use crate::cors::Cors;
use crate::fault::Fault;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, Weak};
use time::OffsetDateTime;

/// Who may use a bucket without a signature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Acl {
    /// Nobody.
    #[default]
    Private,
    /// Everybody may read objects.
    PublicRead,
    /// Everybody may read and write objects, and publish.
    PublicReadWrite,
}

impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Acl::Private => "private",
            Acl::PublicRead => "public-read",
            Acl::PublicReadWrite => "public-read-write",
        })
    }
}

impl FromStr for Acl {
    type Err = Fault;

    /// Parses the value of `x-oss-acl`; anything else is `InvalidArgument`.
    fn from_str(text: &str) -> Result<Self, Fault> {
        match text {
            "private" => Ok(Acl::Private),
            "public-read" => Ok(Acl::PublicRead),
            "public-read-write" => Ok(Acl::PublicReadWrite),
            other => Err(Fault::new(400, "InvalidArgument", "Unknown bucket ACL.")
                .with("ArgumentName", "x-oss-acl")
                .with("ArgumentValue", other)),
        }
    }
}

/// The properties of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketInfo {
    /// The name.
    pub name: String,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created: OffsetDateTime,
    /// Who may use it without a signature, unless that is blocked.
    pub acl: Acl,
    /// The CORS configuration, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors: Option<Cors>,
    /// Whether public access is blocked, whatever the ACL says.
    #[serde(default)]
    pub is_blocked: bool,
}

impl BucketInfo {
    /// Returns who may use the bucket without a signature.
    pub fn access(&self) -> Acl {
        if self.is_blocked { Acl::Private } else { self.acl }
    }
}

/// A bucket in the store.
pub(super) struct Bucket {
    name: String,
    folder: PathBuf,
    pub(super) clock: Clock,
    scratch: Arc<Scratch>,
    naming: Naming,
    info: Mutex<BucketInfo>,
    pub(super) channels: Channels,
    pub(super) objects: Arc<Objects>,
    /// The timelines in use, at most one per channel, so that overlapping
    /// sessions share one sequence of fragments.
    timelines: Mutex<HashMap<String, Weak<Timeline>>>,
}

impl Bucket {
    /// Creates a bucket in `directory`; it exists once `bucket.json` is written.
    pub(super) fn create(
        folder: PathBuf,
        info: BucketInfo,
        clock: Clock,
        scratch: Arc<Scratch>,
        naming: Naming,
    ) -> io::Result<Self> {
        if own::look(&folder)?.is_some_and(|found| found.is_dir()) {
            if let Some(foreign) = inventory::foreign(&folder)? {
                let what = "it has the name of a bucket, but was not created by an endpoint";
                return Err(own::at(&foreign, own::refused(what)));
            }
        }
        own::ensure_folder(&folder)?;
        let bucket = Bucket::new(folder, info, clock, scratch, naming)?;
        bucket.save(&lock(&bucket.info))?;
        bucket.folder.parent().map_or(Ok(()), |data| bucket.scratch.flush_folder(data))?;
        Ok(bucket)
    }

    /// Loads and repairs the bucket in `directory`; returns `None` if there is none.
    pub(super) fn load(
        folder: PathBuf,
        clock: Clock,
        scratch: Arc<Scratch>,
        naming: Naming,
    ) -> io::Result<Option<Self>> {
        let Some(info) = file::read_json(&folder.join("bucket.json"))? else { return Ok(None) };
        own::ensure_folder(&folder)?;
        let bucket = Bucket::new(folder, info, clock, scratch, naming)?;
        // Missing directories in it may have been created.
        bucket.scratch.flush_folder(&bucket.folder)?;
        let now = bucket.clock.now();
        bucket.channels.load(|channel, session| {
            let timeline = bucket.open_timeline(channel)?;
            timeline.recover(session.after_ms, session.playlist.as_deref(), now)
        })?;
        Ok(Some(bucket))
    }

    fn new(
        folder: PathBuf,
        info: BucketInfo,
        clock: Clock,
        scratch: Arc<Scratch>,
        naming: Naming,
    ) -> io::Result<Self> {
        own::ensure_folder(&folder.join("fragments"))?;
        let (name, channels) = (info.name.clone(), folder.join("channels"));
        Ok(Bucket {
            channels: Channels::new(name.clone(), channels, scratch.clone(), naming)?,
            objects: Arc::new(Objects::new(name.clone(), &folder, scratch.clone(), naming)?),
            timelines: Mutex::default(),
            info: Mutex::new(info),
            name,
            folder,
            clock,
            scratch,
            naming,
        })
    }

    pub(super) fn info(&self) -> BucketInfo {
        lock(&self.info).clone()
    }

    /// Changes the properties of the bucket, on disk first.
    pub(super) fn change(&self, change: impl FnOnce(&mut BucketInfo)) -> io::Result<()> {
        let mut info = lock(&self.info);
        let mut next = info.clone();
        change(&mut next);
        self.save(&next)?;
        *info = next;
        Ok(())
    }

    /// Deletes the bucket from disk; fails unless it is empty. Calls through
    /// remaining references then fail with `NoSuchBucket`.
    pub(super) fn retire(&self) -> Result<(), Fault> {
        if self.channels.retire(|| self.objects.retire(&self.folder))? {
            return Ok(());
        }
        let message = "The bucket you tried to delete is not empty.";
        Err(Fault::new(409, "BucketNotEmpty", message).with("BucketName", &self.name))
    }

    /// Ends the session of a publisher.
    pub(super) fn end(
        &self,
        channel: &str,
        connection: &Arc<Connection>,
        timeline: &Arc<Timeline>,
    ) {
        self.channels.end(channel, connection, self.clock.now());
        self.release(channel, timeline);
    }

    /// Removes a timeline when its last user releases it.
    pub(super) fn release(&self, channel: &str, timeline: &Arc<Timeline>) {
        let mut timelines = lock(&self.timelines);
        // Nobody can start to share it while the map is locked. Two users that
        // release it at once may see each other; the dead entry then remains
        // until the next publisher replaces it.
        if Arc::strong_count(timeline) == 1 {
            timelines.remove(channel);
        }
    }

    pub(super) fn vod_playlist(
        &self,
        channel: &str,
        start_s: i64,
        end_s: i64,
    ) -> Result<String, Fault> {
        let ms = |seconds: i64| u64::try_from(seconds).unwrap_or(0).saturating_mul(1000);
        let none = || {
            let message = "No ts file found in specified time span.";
            Fault::new(400, "InvalidArgument", message).with_ec("0044-00000308")
        };
        if end_s < 0 {
            return Err(none());
        }
        fragment::vod(&self.index(channel), &self.objects, channel, ms(start_s), ms(end_s))
            .map_err(disk_fault)?
            .ok_or_else(none)
    }

    /// Flushes the fragments that began between two Unix times to disk.
    pub(super) fn flush_fragments(
        &self,
        channel: &str,
        start_s: i64,
        end_s: i64,
    ) -> io::Result<()> {
        let ms = |seconds: i64| u64::try_from(seconds).unwrap_or(0).saturating_mul(1000);
        self.recorded(channel, &self.index(channel)).flush(ms(start_s), ms(end_s))
    }

    /// Returns all channels with an index of fragments, including deleted ones.
    pub(super) fn recorded_channels(&self) -> io::Result<Vec<String>> {
        let mut channels = Vec::new();
        for entry in fs::read_dir(self.folder.join("fragments"))? {
            let name = entry?.file_name();
            let name = name.to_str().and_then(|name| name.strip_suffix(".log"));
            channels.extend(name.and_then(path::unescape));
        }
        Ok(channels)
    }

    /// Returns how many bytes of disk space the fragments of a channel use.
    pub(super) fn recorded_bytes(&self, channel: &str) -> io::Result<u64> {
        self.recorded(channel, &self.index(channel)).bytes()
    }

    /// Returns the oldest fragment of a channel whose line is at or after `offset`
    /// in the index.
    pub(super) fn oldest_fragment(&self, channel: &str, offset: u64) -> io::Result<Option<Kept>> {
        self.recorded(channel, &self.index(channel)).oldest(offset)
    }

    /// Deletes a fragment, and removes it from its playlist if that is no longer
    /// being written. Returns how many bytes that freed, or `None` if the fragment
    /// must stay since a live playlist lists it.
    pub(super) fn drop_fragment(&self, channel: &str, kept: &Kept) -> io::Result<Option<u64>> {
        // The lock keeps publishers from starting meanwhile.
        let timelines = lock(&self.timelines);
        let live = timelines.get(channel).and_then(Weak::upgrade);
        let listed = live.and_then(|timeline| timeline.lists(kept));
        if listed == Some(true) {
            return Ok(None);
        }
        let index = self.index(channel);
        let folder = self.recorded(channel, &index);
        let freed = folder.discard(kept)?;
        if listed.is_none() {
            folder.revise(kept, self.clock.now())?;
        }
        Ok(Some(freed))
    }

    /// Removes the part of an index before `begin`.
    pub(super) fn trim_index(&self, channel: &str, begin: u64) -> io::Result<()> {
        let timelines = lock(&self.timelines);
        match timelines.get(channel).and_then(Weak::upgrade) {
            Some(timeline) => timeline.trim(begin, &self.scratch),
            None => self.recorded(channel, &self.index(channel)).trim(begin, &self.scratch),
        }
    }

    fn recorded<'a>(&'a self, channel: &'a str, index: &'a Path) -> Folder<'a> {
        Folder { channel, index, objects: &self.objects }
    }

    /// Returns the timeline of a channel, which all its sessions share.
    pub(super) fn timeline(&self, channel: &str) -> io::Result<Arc<Timeline>> {
        let mut timelines = lock(&self.timelines);
        if let Some(timeline) = timelines.get(channel).and_then(Weak::upgrade) {
            return Ok(timeline);
        }
        let timeline = Arc::new(self.open_timeline(channel)?);
        timelines.insert(channel.to_owned(), Arc::downgrade(&timeline));
        Ok(timeline)
    }

    fn open_timeline(&self, channel: &str) -> io::Result<Timeline> {
        Timeline::open(channel, self.index(channel), self.objects.clone())
    }

    fn index(&self, channel: &str) -> PathBuf {
        self.folder.join("fragments").join(self.naming.file(channel, ".log"))
    }

    #[cfg(test)]
    pub(super) fn known_timelines(&self) -> usize {
        lock(&self.timelines).len()
    }

    fn save(&self, info: &BucketInfo) -> io::Result<()> {
        self.scratch.replace(&self.folder.join("bucket.json"), &serde_json::to_vec(info)?)
    }
}
