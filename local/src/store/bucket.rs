//! A bucket: its access rule, its channels and its objects.

use super::channel::Channels;
use super::file::{self, Scratch};
use super::fragment::{self, Timeline};
use super::object::Objects;
use super::session::{Connection, LiveSession, Publish};
use super::{disk_fault, lock, path};
use crate::clock::Clock;
use crate::fault::Fault;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
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

    /// Reads the spelling of `x-oss-acl`; anything else is `InvalidArgument`.
    fn from_str(text: &str) -> Result<Self, Fault> {
        match text {
            "private" => Ok(Acl::Private),
            "public-read" => Ok(Acl::PublicRead),
            "public-read-write" => Ok(Acl::PublicReadWrite),
            other => Err(Fault::new(400, "InvalidArgument", "The bucket ACL is not a known one.")
                .with("ArgumentName", "x-oss-acl")
                .with("ArgumentValue", other)),
        }
    }
}

/// What is known of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketInfo {
    /// The name.
    pub name: String,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created: OffsetDateTime,
    /// Who may use it without a signature.
    pub acl: Acl,
}

/// A bucket in use.
pub(super) struct Bucket {
    name: String,
    folder: PathBuf,
    pub(super) clock: Clock,
    scratch: Arc<Scratch>,
    info: Mutex<BucketInfo>,
    pub(super) channels: Channels,
    pub(super) objects: Arc<Objects>,
    /// The timelines in use, by channel: at most one each, so that sessions
    /// that overlap number their fragments together.
    timelines: Mutex<HashMap<String, Weak<Timeline>>>,
}

impl Bucket {
    /// A new bucket in `folder`; it exists once its description is written.
    pub(super) fn create(
        folder: PathBuf,
        info: BucketInfo,
        clock: Clock,
        scratch: Arc<Scratch>,
    ) -> io::Result<Self> {
        let bucket = Bucket::new(folder, info, clock, scratch)?;
        bucket.save(&lock(&bucket.info))?;
        Ok(bucket)
    }

    /// The bucket in `folder`, repaired; `None` if the folder holds none.
    pub(super) fn load(
        folder: PathBuf,
        clock: Clock,
        scratch: Arc<Scratch>,
    ) -> io::Result<Option<Self>> {
        let Some(info) = file::read_json(&folder.join("bucket.json"))? else { return Ok(None) };
        let bucket = Bucket::new(folder, info, clock, scratch)?;
        bucket.channels.load(|channel, after_ms| {
            bucket.open_timeline(channel)?.recover(after_ms, bucket.clock.now())
        })?;
        Ok(Some(bucket))
    }

    fn new(
        folder: PathBuf,
        info: BucketInfo,
        clock: Clock,
        scratch: Arc<Scratch>,
    ) -> io::Result<Self> {
        fs::create_dir_all(folder.join("fragments"))?;
        let name = info.name.clone();
        Ok(Bucket {
            channels: Channels::new(name.clone(), folder.join("channels"), scratch.clone())?,
            objects: Arc::new(Objects::new(name.clone(), &folder, scratch.clone())),
            timelines: Mutex::default(),
            info: Mutex::new(info),
            name,
            folder,
            clock,
            scratch,
        })
    }

    pub(super) fn info(&self) -> BucketInfo {
        lock(&self.info).clone()
    }

    pub(super) fn set_acl(&self, acl: Acl) -> io::Result<()> {
        let mut info = lock(&self.info);
        let next = BucketInfo { acl, ..info.clone() };
        self.save(&next)?;
        *info = next;
        Ok(())
    }

    /// Deletes the bucket from disk; refused while it holds anything. What
    /// still refers to it learns that there is no such bucket.
    pub(super) fn retire(&self) -> Result<(), Fault> {
        if self.channels.retire(|| self.objects.retire(&self.folder))? {
            return Ok(());
        }
        let message = "The bucket you tried to delete is not empty.";
        Err(Fault::new(409, "BucketNotEmpty", message).with("BucketName", &self.name))
    }

    /// Lets a publisher in.
    pub(super) fn publish(self: &Arc<Self>, request: Publish) -> Result<LiveSession, Fault> {
        let Publish { channel, playlist_name, remote, cut, .. } = request;
        let settings = self.channels.admit(&channel)?;
        let playlist = playlist_name.unwrap_or(settings.playlist_name);
        let timeline = self.timeline(&channel).map_err(disk_fault)?;
        let (now, after_ms) = (self.clock.now(), timeline.newest_ms());
        let connection = Arc::new(Connection::new(now, remote, after_ms, cut));
        // The index is read before the channel goes live, and not under its
        // lock: the channel may refuse after all.
        let admitted = timeline
            .follow(&playlist)
            .map_err(disk_fault)
            .and_then(|()| self.channels.begin(&channel, &connection));
        match admitted {
            Ok(settings) => Ok(LiveSession::new(
                self.clone(),
                channel,
                playlist,
                &settings,
                connection,
                timeline,
            )),
            Err(fault) => {
                self.release(&channel, &timeline);
                Err(fault)
            }
        }
    }

    /// Ends a session that [`Bucket::publish`] began.
    pub(super) fn end(
        &self,
        channel: &str,
        connection: &Arc<Connection>,
        timeline: &Arc<Timeline>,
    ) {
        self.channels.end(channel, connection, self.clock.now());
        self.release(channel, timeline);
    }

    /// Forgets a timeline whose last user is going.
    fn release(&self, channel: &str, timeline: &Arc<Timeline>) {
        let mut timelines = lock(&self.timelines);
        // Nobody can come to share it while the map is held. Two that go at
        // once may both see the other; the entry then waits, empty, for the
        // next publisher.
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

    fn timeline(&self, channel: &str) -> io::Result<Arc<Timeline>> {
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
        self.folder.join("fragments").join(path::file(channel, ".log"))
    }

    #[cfg(test)]
    pub(super) fn known_timelines(&self) -> usize {
        lock(&self.timelines).len()
    }

    fn save(&self, info: &BucketInfo) -> io::Result<()> {
        self.scratch.replace(&self.folder.join("bucket.json"), &serde_json::to_vec(info)?)
    }
}
