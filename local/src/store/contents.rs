//! The initial contents of a store, and restoring them.

use super::{Acl, BucketInfo, ChannelSettings, Stat, Store, Upload};
use crate::fault::Fault;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// How long a publisher has to complete its last fragment.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The polling interval while waiting.
const INTERVAL: Duration = Duration::from_millis(5);
/// How many names are listed per page.
const PAGE: usize = 1000;

/// Buckets and their contents.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// The buckets, with unique names.
    pub buckets: Vec<BucketContents>,
}

/// A bucket and its contents.
#[derive(Debug, Clone)]
pub struct BucketContents {
    /// The name.
    pub name: String,
    /// Who may use it without a signature. If `None`, an existing bucket keeps
    /// its ACL.
    pub acl: Option<Acl>,
    /// Whether public access is blocked when it is created.
    pub is_blocked: bool,
    /// Channels, by name.
    pub channels: Vec<(String, ChannelSettings)>,
    /// Objects.
    pub objects: Vec<ObjectContents>,
}

/// An object and its source.
#[derive(Debug, Clone)]
pub struct ObjectContents {
    /// The key.
    pub key: String,
    /// The media type.
    pub content_type: Option<String>,
    /// The source of its content.
    pub source: Source,
}

/// The source of an object's content.
#[derive(Debug, Clone)]
pub enum Source {
    /// Text.
    Text(String),
    /// A file, read each time.
    File(PathBuf),
}

impl BucketContents {
    /// Returns an empty bucket.
    pub fn empty(name: &str) -> Self {
        BucketContents {
            name: name.to_owned(),
            acl: None,
            is_blocked: false,
            channels: Vec::new(),
            objects: Vec::new(),
        }
    }
}

impl Store {
    /// Creates the parts of `contents` that are missing. Existing data is kept, except that
    /// the ACLs of buckets change.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or a disk error; the message names the bucket,
    /// channel or object that could not be created.
    pub fn fill(&self, contents: &Contents) -> Result<(), Fault> {
        for bucket in &contents.buckets {
            self.fill_bucket(bucket).map_err(|fault| named("bucket", &bucket.name, fault))?;
            for (channel, settings) in &bucket.channels {
                if self.channel(&bucket.name, channel).is_err() {
                    self.put_channel(&bucket.name, channel, settings.clone())
                        .map_err(|fault| named("channel", channel, fault))?;
                }
            }
            for object in &bucket.objects {
                if self.object(&bucket.name, &object.key).is_err() {
                    self.fill_object(&bucket.name, object)
                        .map_err(|fault| named("object", &object.key, fault))?;
                }
            }
        }
        Ok(())
    }

    fn fill_bucket(&self, contents: &BucketContents) -> Result<(), Fault> {
        let is_new = self.bucket(&contents.name).is_err();
        if is_new || contents.acl.is_some() {
            self.create_bucket(&contents.name, contents.acl.unwrap_or_default())?;
        }
        if is_new && contents.is_blocked {
            self.block_public_access(&contents.name, true)?;
        }
        Ok(())
    }

    fn fill_object(&self, bucket: &str, object: &ObjectContents) -> Result<(), Fault> {
        let ObjectContents { key, content_type, source } = object;
        let upload = Upload { content_type: content_type.clone(), headers: Vec::new() };
        let stored = match source {
            Source::Text(text) => self.upload(bucket, key, upload, &mut text.as_bytes()),
            Source::File(path) => {
                let mut file = File::open(path).map_err(|error| unreadable(path, &error))?;
                self.upload(bucket, key, upload, &mut file)
            }
        };
        stored.map(drop)
    }

    /// Restores `contents`: deletes everything else, and disconnects publishers.
    ///
    /// # Errors
    ///
    /// The same as [`Store::fill`]; or a publisher does not end within ten seconds.
    pub fn restore(&self, contents: &Contents) -> Result<(), Fault> {
        for BucketInfo { name, .. } in self.buckets() {
            self.clear_bucket(&name)?;
            match contents.buckets.iter().find(|bucket| bucket.name == name) {
                Some(bucket) => {
                    self.create_bucket(&name, bucket.acl.unwrap_or_default())?;
                    self.block_public_access(&name, bucket.is_blocked)?;
                    self.set_cors(&name, None)?;
                }
                None => self.delete_bucket(&name)?,
            }
        }
        self.fill(contents)
    }

    fn clear_bucket(&self, bucket: &str) -> Result<(), Fault> {
        loop {
            let page = self.list_channels(bucket, "", "", PAGE)?;
            if page.channels.is_empty() {
                break;
            }
            for channel in page.channels {
                self.end_channel(bucket, &channel.name)?;
            }
        }
        loop {
            let page = self.list_objects(bucket, "", "", None, PAGE)?;
            if page.objects.is_empty() {
                return Ok(());
            }
            for object in page.objects {
                self.delete_object(bucket, &object.key)?;
            }
        }
    }

    /// Disables a channel, waits for its publisher to end, and deletes it.
    fn end_channel(&self, bucket: &str, name: &str) -> Result<(), Fault> {
        let due = Instant::now() + TIMEOUT;
        loop {
            if matches!(self.stat(bucket, name), Ok(Stat::Live { .. } | Stat::Idle)) {
                self.set_channel_enabled(bucket, name, false)?;
            }
            match self.delete_channel(bucket, name) {
                Err(fault) if fault.code == "ChannelStillLive" && Instant::now() < due => {
                    thread::sleep(INTERVAL);
                }
                deleted => return deleted,
            }
        }
    }
}

fn named(what: &str, name: &str, fault: Fault) -> Fault {
    Fault { message: format!("{what} {name:?}: {}", fault.message), ..fault }
}

fn unreadable(path: &Path, error: &io::Error) -> Fault {
    let message = format!("cannot read {}: {error}", path.display());
    Fault::new(500, "InternalError", message)
}
