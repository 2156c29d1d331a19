//! Buckets, channels, sessions, fragments and objects, on disk.
//!
//! ```text
//! DATA/.osslive                     the marker: the folder is the endpoint's
//! DATA/.lock                        held by the endpoint that uses the folder
//! DATA/.scratch/                    files being written; leftovers go at a start
//! DATA/BUCKET/bucket.json           name, creation time, access rules
//! DATA/BUCKET/channels/NAME.json    settings, history, sessions not yet over
//! DATA/BUCKET/fragments/NAME.log    one line for each fragment
//! DATA/BUCKET/objects/...           the objects, fragments and playlists too
//! DATA/BUCKET/records/...           what uploads said about their objects
//! ```
//!
//! Every file is written aside and renamed in, but for the logs, which grow
//! line by line and whose last line may be torn. A process may therefore be killed at
//! any time: what a call had acknowledged, every fragment that was listed and
//! every playlist that could be read is there at the next start.
//!
//! Memory holds the channels, ten records of history each, and for a channel
//! that is live the window of its playlist; neither fragments nor objects.

mod bucket;
mod channel;
mod claim;
mod connection;
mod contents;
mod durability;
mod fault;
mod file;
mod fragment;
mod inventory;
mod ledger;
mod listing;
mod lock;
mod marker;
mod mutex;
mod object;
mod own;
mod path;
mod record;
mod session;
mod space;
pub(crate) mod temporary;

pub use bucket::{Acl, BucketInfo};
pub use channel::{Channel, ChannelPage};
pub use contents::{BucketContents, Contents, ObjectContents, Source};
pub use durability::Durability;
pub use object::{ObjectMeta, ObjectPage, Upload};
pub use record::{ChannelSettings, SessionRecord, Snapshot, Stat};
pub use session::{LiveSession, Publish};
pub use temporary::Medium;

use crate::clock::Clock;
use crate::cors::Cors;
use crate::fault::Fault;
use crate::media::playlist;
use crate::validate;
use bucket::Bucket;
use claim::Claim;
use fault::{disk_fault, no_such_bucket};
use file::Scratch;
use ledger::Ledger;
use lock::Lock;
use path::Naming;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;
use tempfile::TempDir;

/// Everything the endpoint keeps. Calls block on the disk; any number of
/// threads may make them.
///
/// A bucket that does not exist is `NoSuchBucket`, and a disk that refuses
/// (full, read-only) is `InternalError` with the system's words, for every
/// method here.
pub struct Store {
    data: PathBuf,
    clock: Clock,
    scratch: Arc<Scratch>,
    naming: Naming,
    buckets: RwLock<BTreeMap<String, Arc<Bucket>>>,
    ledger: Option<Arc<Ledger>>,
    _lock: Option<Lock>,
    /// Deleted last.
    _temporary: Option<TempDir>,
}

impl Store {
    /// Opens the store in the folder `data`, made if it is missing, and
    /// repairs what a killed process left: unfinished files are dropped, and
    /// sessions that were running end in the history with their last
    /// fragment. Only one store may have a folder open. What it acknowledges is on
    /// the medium as `durability` says.
    ///
    /// # Errors
    ///
    /// When the folder is neither empty nor a store's, belongs to another user
    /// or is a link; then nothing in it is changed. When another store has it
    /// open, when it cannot be read and written, or a description in it is not
    /// what this store writes.
    pub fn open(data: &Path, durability: Durability, clock: Clock) -> io::Result<Store> {
        Store::hold(Claim::take(data, false)?, durability, clock)
    }

    /// Opens the store in a new folder for temporary files, which is deleted
    /// with it.
    ///
    /// # Errors
    ///
    /// When no such folder can be created: not every system has one in memory.
    pub fn temporary(medium: Medium, clock: Clock) -> io::Result<Store> {
        let folder = temporary::create(medium)?;
        let claim = Claim::take(folder.path(), true)?;
        let store = Store::hold(claim, Durability::Nothing, clock)?;
        Ok(Store { _temporary: Some(folder), ..store })
    }

    fn hold(claim: Claim, durability: Durability, clock: Clock) -> io::Result<Store> {
        let store = Store::load(&claim.data, claim.naming(), durability, clock)?;
        Ok(Store { _lock: Some(claim.lock), ..store })
    }

    /// Opens the store in a folder that is there, and asks nobody.
    fn load(
        data: &Path,
        naming: Naming,
        durability: Durability,
        clock: Clock,
    ) -> io::Result<Store> {
        // No bucket's name begins with a dot.
        let scratch = Arc::new(Scratch::open(data.join(".scratch"), durability)?);
        let mut buckets = BTreeMap::new();
        for entry in fs::read_dir(data)? {
            let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
            if kind.is_symlink() {
                let what = "it is a link, which is not followed: must be a folder or a file";
                return Err(own::at(&path, own::refused(what)));
            }
            if !kind.is_dir() {
                continue;
            }
            if let Some(bucket) = Bucket::load(path, clock.clone(), scratch.clone(), naming)? {
                buckets.insert(bucket.info().name, Arc::new(bucket));
            }
        }
        scratch.clear()?;
        let buckets = RwLock::new(buckets);
        let data = data.to_owned();
        let (ledger, _lock, _temporary) = (None, None, None);
        Ok(Store { data, clock, scratch, naming, buckets, ledger, _lock, _temporary })
    }

    /// Keeps the fragments of all channels together below `bytes`, from now on,
    /// by dropping the oldest. Those that the playlist of a publisher lists
    /// stay, whatever the limit; uploads do not count.
    ///
    /// Playlists of channels that nobody publishes to lose the fragments that
    /// are dropped, VOD playlists made later leave them out, and those made
    /// before stay as they were.
    ///
    /// # Errors
    ///
    /// When what is there cannot be measured.
    pub fn limit_recordings(&mut self, bytes: u64) -> io::Result<()> {
        let ledger = Arc::new(Ledger::new(bytes));
        for bucket in self.read().values() {
            ledger.enter(bucket)?;
        }
        ledger.prune();
        self.ledger = Some(ledger);
        Ok(())
    }

    /// How many bytes its file system has left; `None` where that is unknown.
    pub fn bytes_left(&self) -> Option<u64> {
        temporary::bytes_left(&self.data)
    }

    /// The folder, from the root on.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// All buckets, by name.
    pub fn buckets(&self) -> Vec<BucketInfo> {
        self.read().values().map(|bucket| bucket.info()).collect()
    }

    /// One bucket.
    pub fn bucket(&self, name: &str) -> Result<BucketInfo, Fault> {
        self.find(name).map(|bucket| bucket.info())
    }

    /// Creates a bucket, or changes the access rule of an existing one.
    ///
    /// # Errors
    ///
    /// `InvalidBucketName` unless the name is 3 to 63 lower-case letters,
    /// digits and inner hyphens.
    pub fn create_bucket(&self, name: &str, acl: Acl) -> Result<(), Fault> {
        validate::check_bucket(name)?;
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get(name) {
            return bucket.change(|info| info.acl = acl).map_err(disk_fault);
        }
        let created = self.clock.now();
        let info =
            BucketInfo { name: name.to_owned(), created, acl, cors: None, is_blocked: false };
        let folder = self.data.join(self.naming.file(name, ""));
        let (clock, scratch) = (self.clock.clone(), self.scratch.clone());
        let bucket = Bucket::create(folder, info, clock, scratch, self.naming);
        buckets.insert(name.to_owned(), Arc::new(bucket.map_err(disk_fault)?));
        Ok(())
    }

    /// Sets which sites' pages a bucket answers; `None` for no other site's.
    pub fn set_cors(&self, name: &str, cors: Option<Cors>) -> Result<(), Fault> {
        // The bucket is not deleted meanwhile.
        let buckets = self.read();
        let bucket = buckets.get(name).ok_or_else(|| no_such_bucket(name))?;
        bucket.change(|info| info.cors = cors).map_err(disk_fault)
    }

    /// Blocks public access to a bucket, whatever its ACL says, or no longer.
    pub fn block_public_access(&self, name: &str, is_blocked: bool) -> Result<(), Fault> {
        let buckets = self.read();
        let bucket = buckets.get(name).ok_or_else(|| no_such_bucket(name))?;
        bucket.change(|info| info.is_blocked = is_blocked).map_err(disk_fault)
    }

    /// Deletes a bucket.
    ///
    /// # Errors
    ///
    /// `BucketNotEmpty` while it holds an object or a channel.
    pub fn delete_bucket(&self, name: &str) -> Result<(), Fault> {
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        buckets.get(name).ok_or_else(|| no_such_bucket(name))?.retire()?;
        buckets.remove(name);
        Ok(())
    }

    /// Creates a channel, or replaces the configuration of one, whose history
    /// stays. A name that was deleted before continues its fragments. The name
    /// and the settings are taken as valid.
    ///
    /// # Errors
    ///
    /// `ChannelStillLive` while it is being published to.
    pub fn put_channel(
        &self,
        bucket: &str,
        name: &str,
        settings: ChannelSettings,
    ) -> Result<(), Fault> {
        self.find(bucket)?.channels.put(name, settings, self.clock.now())
    }

    /// One channel.
    ///
    /// # Errors
    ///
    /// `NoSuchLiveChannel`.
    pub fn channel(&self, bucket: &str, name: &str) -> Result<Channel, Fault> {
        self.find(bucket)?.channels.get(name)
    }

    /// Deletes a channel and its history, not its objects; an absent one is as
    /// good.
    ///
    /// # Errors
    ///
    /// `ChannelStillLive` while it is being published to.
    pub fn delete_channel(&self, bucket: &str, name: &str) -> Result<(), Fault> {
        self.find(bucket)?.channels.delete(name)
    }

    /// Enables or disables a channel. Disabling hangs up on its publisher; the
    /// stat is [`Stat::Disabled`] from that moment, and the history gains the
    /// session when it has closed its last fragment.
    ///
    /// # Errors
    ///
    /// `NoSuchLiveChannel`; `ChannelStillLive` when one that is live is to be
    /// enabled.
    pub fn set_channel_enabled(
        &self,
        bucket: &str,
        name: &str,
        enabled: bool,
    ) -> Result<(), Fault> {
        let publisher = self.find(bucket)?.channels.set_enabled(name, enabled, self.clock.now())?;
        if let Some(publisher) = publisher {
            publisher.hang_up();
        }
        Ok(())
    }

    /// Lets the publisher of a channel, if there is one, go on for so long once the
    /// channel is disabled.
    pub fn grant_respite(&self, bucket: &str, name: &str, time: Duration) -> Result<(), Fault> {
        if let Some(publisher) = self.find(bucket)?.channels.publisher(name) {
            publisher.grant_respite(time);
        }
        Ok(())
    }

    /// The first `max` channels whose names begin with `prefix` and come after
    /// `marker`.
    pub fn list_channels(
        &self,
        bucket: &str,
        prefix: &str,
        marker: &str,
        max: usize,
    ) -> Result<ChannelPage, Fault> {
        self.find(bucket)?.channels.list(prefix, marker, max)
    }

    /// What a channel is doing.
    ///
    /// # Errors
    ///
    /// `NoSuchLiveChannel`.
    pub fn stat(&self, bucket: &str, name: &str) -> Result<Stat, Fault> {
        self.find(bucket)?.channels.stat(name)
    }

    /// A channel's newest ten sessions that are over, oldest first.
    ///
    /// # Errors
    ///
    /// `NoSuchLiveChannel`.
    pub fn history(&self, bucket: &str, name: &str) -> Result<Vec<SessionRecord>, Fault> {
        self.find(bucket)?.channels.history(name)
    }

    /// A playlist of the fragments that began between two Unix times, both
    /// included, and were not deleted. The channel itself need not exist.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` with EC 0044-00000308 when there is no fragment.
    pub fn vod_playlist(
        &self,
        bucket: &str,
        channel: &str,
        start_s: i64,
        end_s: i64,
    ) -> Result<String, Fault> {
        self.find(bucket)?.vod_playlist(channel, start_s, end_s)
    }

    /// Stores the playlist that [`Store::vod_playlist`] returns as an object. Its
    /// fragments survive a power cut as it does.
    ///
    /// # Errors
    ///
    /// As [`Store::vod_playlist`] and [`Store::put_object`].
    pub fn keep_vod_playlist(
        &self,
        bucket: &str,
        channel: &str,
        key: &str,
        start_s: i64,
        end_s: i64,
    ) -> Result<ObjectMeta, Fault> {
        let text = self.vod_playlist(bucket, channel, start_s, end_s)?;
        let flushed = self.find(bucket)?.flush_fragments(channel, start_s, end_s);
        flushed.map_err(disk_fault)?;
        self.put_object(bucket, key, Some(playlist::MEDIA_TYPE), text.as_bytes())
    }

    /// Stores an object, over any that has the key, fragments and playlists
    /// included. A playlist or a transport stream is recognised by its
    /// extension, whatever `content_type` says; without one it is
    /// `application/octet-stream`.
    ///
    /// # Errors
    ///
    /// `InvalidObjectName` unless the key is 1 to 1023 bytes.
    pub fn put_object(
        &self,
        bucket: &str,
        key: &str,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<ObjectMeta, Fault> {
        let content_type = content_type.map(str::to_owned);
        self.upload(bucket, key, Upload { content_type, headers: Vec::new() }, &mut &*body)
    }

    /// Stores an object as [`Store::put_object`], with what is said about it,
    /// from a reader.
    ///
    /// # Errors
    ///
    /// As [`Store::put_object`].
    pub fn upload(
        &self,
        bucket: &str,
        key: &str,
        upload: Upload,
        body: &mut impl io::Read,
    ) -> Result<ObjectMeta, Fault> {
        let objects = &self.find(bucket)?.objects;
        let (object, freed) = objects.put(key, upload, body, self.clock.now())?;
        self.count_freed(key, freed);
        Ok(object)
    }

    /// An object with its content. The file stays readable and unchanged
    /// when the object is replaced or deleted.
    ///
    /// # Errors
    ///
    /// `NoSuchKey`.
    pub fn object(&self, bucket: &str, key: &str) -> Result<(ObjectMeta, File), Fault> {
        self.find(bucket)?.objects.open(key)
    }

    /// Deletes an object; an absent one is as good. VOD playlists made later
    /// leave a deleted fragment out.
    pub fn delete_object(&self, bucket: &str, key: &str) -> Result<(), Fault> {
        self.delete_objects(bucket, &[key])
    }

    /// Deletes objects as [`Store::delete_object`].
    pub fn delete_objects(&self, bucket: &str, keys: &[&str]) -> Result<(), Fault> {
        let freed = self.find(bucket)?.objects.delete(keys)?;
        if let Some(ledger) = &self.ledger {
            ledger.subtract(freed);
        }
        Ok(())
    }

    /// The first `max` keys and common prefixes after `marker`. Keys that hold
    /// `delimiter` behind `prefix` are rolled up to a common prefix, which
    /// counts as one; one that is not after the marker is left out with all
    /// its keys.
    pub fn list_objects(
        &self,
        bucket: &str,
        prefix: &str,
        marker: &str,
        delimiter: Option<&str>,
        max: usize,
    ) -> Result<ObjectPage, Fault> {
        self.find(bucket)?.objects.list(prefix, marker, delimiter, max)
    }

    /// The first `max` keys of playlists that begin with `prefix`.
    pub fn playlists(&self, bucket: &str, prefix: &str, max: usize) -> Result<Vec<String>, Fault> {
        self.find(bucket)?.objects.playlists(prefix, max)
    }

    /// Lets a publisher in: the channel is live until the session is dropped.
    ///
    /// # Errors
    ///
    /// `NoSuchLiveChannel`, `LiveChannelDisabled`, and `ChannelStillLive` when
    /// it has a publisher already.
    pub fn publish(&self, request: Publish) -> Result<LiveSession, Fault> {
        LiveSession::begin(self.find(&request.bucket)?, self.ledger.clone(), request)
    }

    /// Takes in that an object was replaced or deleted: a fragment is no longer
    /// counted.
    fn count_freed(&self, key: &str, bytes: u64) {
        if let Some(ledger) = self.ledger.as_ref().filter(|_| key.ends_with(".ts")) {
            ledger.subtract(bytes);
        }
    }

    fn find(&self, name: &str) -> Result<Arc<Bucket>, Fault> {
        self.read().get(name).cloned().ok_or_else(|| no_such_bucket(name))
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Arc<Bucket>>> {
        self.buckets.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("data", &self.data).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
