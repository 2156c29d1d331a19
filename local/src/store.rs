//! Buckets, channels, sessions, fragments and objects, on disk.
//!
//! ```text
//! DATA/.osslive                     marks the directory as the endpoint's
//! DATA/.lock                        held by the endpoint that uses the directory
//! DATA/.scratch/                    unfinished files, deleted at the next start
//! DATA/BUCKET/bucket.json           name, creation time, access rules
//! DATA/BUCKET/channels/NAME.json    settings, history, sessions not yet over
//! DATA/BUCKET/fragments/NAME.log    one line for each fragment
//! DATA/BUCKET/objects/...           the objects, fragments and playlists too
//! DATA/BUCKET/records/...           metadata of uploaded objects
//! ```
//!
//! Every file is written elsewhere and then renamed, except the logs, which grow
//! line by line and whose last line may be incomplete. The process may therefore
//! be killed at any time: everything that a call had acknowledged, every listed
//! fragment and every readable playlist is there at the next start.
//!
//! The channels are kept in memory, with ten history records each and, for live
//! channels, the window of the playlist; fragments and objects are not.

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
#[cfg(feature = "fuzzing")]
pub use fragment::fuzzing as index;
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

/// All data of the endpoint. Methods block on disk I/O and can be called from
/// any thread.
///
/// Every method returns `NoSuchBucket` if the bucket does not exist, and
/// `InternalError` with the system's message for a disk error (full, read-only).
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
    /// Opens the store in the directory `data`, creating it if it is missing, and
    /// cleans up after a killed process: unfinished files are deleted, and
    /// sessions that were live are recorded in the history as ended with their
    /// last fragment. Only one store may have a directory open. `durability`
    /// determines what is flushed to disk before it is acknowledged.
    ///
    /// # Errors
    ///
    /// The directory is neither empty nor a store's, belongs to another user or is a
    /// link; it is then left unchanged. Another store has it open, it cannot be
    /// read and written, or a file in it has an unknown format.
    pub fn open(data: &Path, durability: Durability, clock: Clock) -> io::Result<Store> {
        Store::hold(Claim::take(data, false)?, durability, clock)
    }

    /// Opens the store in a new temporary directory, which is deleted with it.
    ///
    /// # Errors
    ///
    /// The directory cannot be created: not every system has an in-memory one.
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

    /// Opens the store in an existing directory, without checks.
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
                let what = "it is a link, which is not followed: must be a directory or a file";
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

    /// Limits the total size of all channels' fragments to `bytes`, from now on,
    /// by deleting the oldest. Fragments in the playlist of a live stream are kept
    /// whatever the limit; uploads do not count.
    ///
    /// Deleted fragments are removed from the playlists of channels that are not
    /// live, and are missing from later VOD playlists; existing VOD playlists are
    /// unchanged.
    ///
    /// # Errors
    ///
    /// The size of existing fragments cannot be determined.
    pub fn limit_recordings(&mut self, bytes: u64) -> io::Result<()> {
        let ledger = Arc::new(Ledger::new(bytes));
        for bucket in self.read().values() {
            ledger.enter(bucket)?;
        }
        ledger.prune();
        self.ledger = Some(ledger);
        Ok(())
    }

    /// Returns the number of bytes available on its file system; `None` if unknown.
    pub fn bytes_left(&self) -> Option<u64> {
        temporary::bytes_left(&self.data)
    }

    /// Returns the absolute path of the folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Returns all buckets, ordered by name.
    pub fn buckets(&self) -> Vec<BucketInfo> {
        self.read().values().map(|bucket| bucket.info()).collect()
    }

    /// Returns one bucket.
    pub fn bucket(&self, name: &str) -> Result<BucketInfo, Fault> {
        self.find(name).map(|bucket| bucket.info())
    }

    /// Creates a bucket, or changes the ACL of an existing one.
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

    /// Sets the CORS configuration of a bucket; `None` removes it.
    pub fn set_cors(&self, name: &str, cors: Option<Cors>) -> Result<(), Fault> {
        // The lock keeps the bucket from being deleted meanwhile.
        let buckets = self.read();
        let bucket = buckets.get(name).ok_or_else(|| no_such_bucket(name))?;
        bucket.change(|info| info.cors = cors).map_err(disk_fault)
    }

    /// Sets whether public access to a bucket is blocked, whatever its ACL.
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

    /// Creates a channel, or replaces the configuration of an existing one and
    /// keeps its history. A channel that is created again after deletion keeps its
    /// fragments. The name and the settings must be valid.
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

    /// Returns one channel.
    ///
    /// # Errors
    ///
    /// `NoSuchLiveChannel`.
    pub fn channel(&self, bucket: &str, name: &str) -> Result<Channel, Fault> {
        self.find(bucket)?.channels.get(name)
    }

    /// Deletes a channel and its history, but not its objects; succeeds if it does
    /// not exist.
    ///
    /// # Errors
    ///
    /// `ChannelStillLive` while it is being published to.
    pub fn delete_channel(&self, bucket: &str, name: &str) -> Result<(), Fault> {
        self.find(bucket)?.channels.delete(name)
    }

    /// Enables or disables a channel. Disabling disconnects its publisher; the
    /// status is [`Stat::Disabled`] from then on, and the session is added to the
    /// history when its last fragment is complete.
    ///
    /// # Errors
    ///
    /// `NoSuchLiveChannel`; `ChannelStillLive` when enabling a live channel.
    pub fn set_channel_enabled(
        &self,
        bucket: &str,
        name: &str,
        enabled: bool,
    ) -> Result<(), Fault> {
        let publisher = self.find(bucket)?.channels.set_enabled(name, enabled, self.clock.now())?;
        if let Some(publisher) = publisher {
            publisher.disconnect();
        }
        Ok(())
    }

    /// Delays the disconnection of a channel's publisher, if any, by this time once
    /// the channel is disabled.
    pub fn set_grace_period(&self, bucket: &str, name: &str, time: Duration) -> Result<(), Fault> {
        if let Some(publisher) = self.find(bucket)?.channels.publisher(name) {
            publisher.set_grace_period(time);
        }
        Ok(())
    }

    /// Returns the first `max` channels whose names begin with `prefix` and come
    /// after `marker`.
    pub fn list_channels(
        &self,
        bucket: &str,
        prefix: &str,
        marker: &str,
        max: usize,
    ) -> Result<ChannelPage, Fault> {
        self.find(bucket)?.channels.list(prefix, marker, max)
    }

    /// Returns the status of a channel.
    ///
    /// # Errors
    ///
    /// `NoSuchLiveChannel`.
    pub fn stat(&self, bucket: &str, name: &str) -> Result<Stat, Fault> {
        self.find(bucket)?.channels.stat(name)
    }

    /// Returns a channel's latest ten ended sessions, oldest first.
    ///
    /// # Errors
    ///
    /// `NoSuchLiveChannel`.
    pub fn history(&self, bucket: &str, name: &str) -> Result<Vec<SessionRecord>, Fault> {
        self.find(bucket)?.channels.history(name)
    }

    /// Returns a playlist of the existing fragments that began between two Unix
    /// times, inclusive. The channel itself need not exist.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` with EC 0044-00000308 if there is no fragment.
    pub fn vod_playlist(
        &self,
        bucket: &str,
        channel: &str,
        start_s: i64,
        end_s: i64,
    ) -> Result<String, Fault> {
        self.find(bucket)?.vod_playlist(channel, start_s, end_s)
    }

    /// Stores the playlist that [`Store::vod_playlist`] returns as an object. Like
    /// the playlist, its fragments survive a power cut.
    ///
    /// # Errors
    ///
    /// The same as [`Store::vod_playlist`] and [`Store::put_object`].
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

    /// Stores an object, replacing any with the same key, including fragments and
    /// playlists. Playlists and transport streams are recognized by their
    /// extension, whatever `content_type` says; it defaults to
    /// `application/octet-stream`.
    ///
    /// # Errors
    ///
    /// `InvalidObjectName` unless the key has 1 to 1023 bytes.
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

    /// Stores an object with metadata from a reader, like [`Store::put_object`].
    ///
    /// # Errors
    ///
    /// The same as [`Store::put_object`].
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

    /// Returns an object and its content. The file stays readable and unchanged
    /// when the object is replaced or deleted.
    ///
    /// # Errors
    ///
    /// `NoSuchKey`.
    pub fn object(&self, bucket: &str, key: &str) -> Result<(ObjectMeta, File), Fault> {
        self.find(bucket)?.objects.open(key)
    }

    /// Deletes an object; succeeds if it does not exist. Later VOD playlists omit
    /// a deleted fragment.
    pub fn delete_object(&self, bucket: &str, key: &str) -> Result<(), Fault> {
        self.delete_objects(bucket, &[key])
    }

    /// Deletes several objects, like [`Store::delete_object`].
    pub fn delete_objects(&self, bucket: &str, keys: &[&str]) -> Result<(), Fault> {
        let freed = self.find(bucket)?.objects.delete(keys)?;
        if let Some(ledger) = &self.ledger {
            ledger.subtract(freed);
        }
        Ok(())
    }

    /// Returns the first `max` keys and common prefixes after `marker`. Keys that
    /// contain `delimiter` after `prefix` are grouped under a common prefix, which
    /// counts as one; a common prefix that is not after the marker is omitted
    /// together with its keys.
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

    /// Returns the first `max` keys of playlists that begin with `prefix`.
    pub fn playlists(&self, bucket: &str, prefix: &str, max: usize) -> Result<Vec<String>, Fault> {
        self.find(bucket)?.objects.playlists(prefix, max)
    }

    /// Starts a session: the channel is live until the session is dropped.
    ///
    /// # Errors
    ///
    /// `NoSuchLiveChannel`, `LiveChannelDisabled`, and `ChannelStillLive` if it
    /// already has a publisher.
    pub fn publish(&self, request: Publish) -> Result<LiveSession, Fault> {
        LiveSession::begin(self.find(&request.bucket)?, self.ledger.clone(), request)
    }

    /// Accounts for an object that was replaced or deleted: a fragment is no longer
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
