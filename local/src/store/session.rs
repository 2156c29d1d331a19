//! A publisher's session: from an accepted publish to the end of its
//! connection, the sink of its fragments.

use super::bucket::Bucket;
use super::channel::ChannelSettings;
use super::file::Part;
use super::fragment::{Listing, Timeline};
use super::lock;
use crate::media::playlist::Fragment;
use crate::media::recorder::{Sink, StreamStat};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use time::OffsetDateTime;

/// A publisher's wish to publish.
pub struct Publish {
    /// The bucket.
    pub bucket: String,
    /// The channel in it.
    pub channel: String,
    /// The live playlist's name for this session; the channel's own if absent.
    pub playlist_name: Option<String>,
    /// The publisher's address.
    pub remote: SocketAddr,
    /// Hangs up on the publisher. Called at most once, without any lock held,
    /// when the channel is disabled.
    pub cut: Box<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Publish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish")
            .field("bucket", &self.bucket)
            .field("channel", &self.channel)
            .field("playlist_name", &self.playlist_name)
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}

/// What a channel is doing.
#[derive(Debug, Clone, PartialEq)]
pub enum Stat {
    /// Disabled; nobody may publish.
    Disabled,
    /// Enabled, and nobody publishes.
    Idle,
    /// Being published to.
    Live {
        /// When the publisher was accepted.
        connected: OffsetDateTime,
        /// The publisher's address.
        remote: SocketAddr,
        /// What its stream holds, as far as is known.
        stream: StreamStat,
    },
}

/// A session that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// When the publisher was accepted.
    #[serde(with = "time::serde::rfc3339")]
    pub start: OffsetDateTime,
    /// When it went; after a kill, the end of its last fragment.
    #[serde(with = "time::serde::rfc3339")]
    pub end: OffsetDateTime,
    /// The publisher's address.
    pub remote: SocketAddr,
}

/// What the store knows of a publisher that is connected.
pub(super) struct Connection {
    pub(super) connected: OffsetDateTime,
    pub(super) remote: SocketAddr,
    /// The channel's newest start when it came, in Unix milliseconds: what
    /// follows is its own.
    pub(super) after_ms: u64,
    hang_up: Box<dyn Fn() + Send + Sync>,
    cut: AtomicBool,
    stream: Mutex<StreamStat>,
}

impl Connection {
    pub(super) fn new(
        connected: OffsetDateTime,
        remote: SocketAddr,
        after_ms: u64,
        hang_up: Box<dyn Fn() + Send + Sync>,
    ) -> Self {
        let (cut, stream) = (AtomicBool::new(false), Mutex::default());
        Connection { connected, remote, after_ms, hang_up, cut, stream }
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst)
    }

    /// From here on the session may finish its fragment, but begin no other.
    pub(super) fn mark_cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    pub(super) fn hang_up(&self) {
        (self.hang_up)();
    }

    pub(super) fn stat(&self) -> Stat {
        Stat::Live {
            connected: self.connected,
            remote: self.remote,
            stream: lock(&self.stream).clone(),
        }
    }

    /// The history's record of it, if it ended at `end`.
    pub(super) fn record(&self, end: OffsetDateTime) -> SessionRecord {
        SessionRecord { start: self.connected, end: end.max(self.connected), remote: self.remote }
    }
}

/// An accepted publisher's place in the store. Dropping it ends the session:
/// an unfinished fragment is discarded, the history gains a record and the
/// channel may be published to again.
pub struct LiveSession {
    bucket: Arc<Bucket>,
    channel: String,
    playlist: String,
    frag_duration: u32,
    frag_count: usize,
    connection: Arc<Connection>,
    timeline: Arc<Timeline>,
    /// The fragment being written.
    part: Option<Part>,
}

impl LiveSession {
    pub(super) fn new(
        bucket: Arc<Bucket>,
        channel: String,
        playlist: String,
        settings: &ChannelSettings,
        connection: Arc<Connection>,
        timeline: Arc<Timeline>,
    ) -> Self {
        LiveSession {
            bucket,
            channel,
            playlist,
            frag_duration: settings.frag_duration,
            frag_count: usize::try_from(settings.frag_count).unwrap_or(usize::MAX),
            connection,
            timeline,
            part: None,
        }
    }

    /// The least length of a fragment, in seconds.
    pub fn frag_duration(&self) -> u32 {
        self.frag_duration
    }

    /// When the channel's newest fragment began, in Unix milliseconds: this
    /// session's begin later, unless the wall clock is set back. 0 if there is
    /// none.
    pub fn last_start_ms(&self) -> u64 {
        self.timeline.newest_ms()
    }

    /// Whether the channel holds fragments of earlier sessions, so that this
    /// one's first is a discontinuity.
    pub fn continues(&self) -> bool {
        self.timeline.continues()
    }

    /// Replaces what the channel's stat says of the stream.
    pub fn update(&self, stat: StreamStat) {
        *lock(&self.connection.stream) = stat;
    }

    /// Whether the channel was disabled under this session. It may finish the
    /// fragment it is in; beginning another is an error.
    pub fn cut(&self) -> bool {
        self.connection.is_cut()
    }
}

impl Sink for LiveSession {
    fn begin(&mut self, name: &str) -> io::Result<()> {
        // One that was not finished goes before its successor comes.
        self.part = None;
        self.part = Some(self.timeline.begin(name, || self.connection.is_cut())?);
        Ok(())
    }

    fn write(&mut self, ts: &[u8]) -> io::Result<()> {
        self.part.as_mut().ok_or_else(no_fragment)?.write(ts)
    }

    fn finish(&mut self, fragment: &Fragment) -> io::Result<()> {
        let part = self.part.take().ok_or_else(no_fragment)?;
        let now = self.bucket.clock.now();
        let playlist = Listing {
            name: &self.playlist,
            count: self.frag_count,
            least_target: self.frag_duration.into(),
        };
        let listed = self.timeline.list(fragment, part, &playlist, now);
        self.bucket.count_fragment(&self.channel, &fragment.name);
        listed
    }
}

impl Drop for LiveSession {
    fn drop(&mut self) {
        self.part = None;
        self.bucket.end(&self.channel, &self.connection, &self.timeline);
    }
}

impl fmt::Debug for LiveSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveSession")
            .field("channel", &self.channel)
            .field("playlist", &self.playlist)
            .field("remote", &self.connection.remote)
            .finish_non_exhaustive()
    }
}

fn no_fragment() -> io::Error {
    io::Error::other("no fragment was begun")
}
