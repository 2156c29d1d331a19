//! A publisher's session, from the accepted request to the end of its
//! connection: the sink of its fragments.

use super::bucket::Bucket;
use super::connection::Connection;
use super::fault::disk_fault;
use super::file::Part;
use super::fragment::{Listing, Timeline};
use super::ledger::Ledger;
use crate::fault::Fault;
use crate::media::playlist::Fragment;
use crate::media::recorder::{PlaylistState, Sink, StreamStat};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// A request to publish.
pub struct Publish {
    /// The bucket.
    pub bucket: String,
    /// The channel in it.
    pub channel: String,
    /// The live playlist's name for this session; the channel's own if absent.
    pub playlist_name: Option<String>,
    /// The publisher's address.
    pub remote: SocketAddr,
    /// Disconnects the publisher. Called at most once, without holding a lock,
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

/// The session of an accepted publisher. Dropping it ends the session: an
/// unfinished fragment is discarded, a record is added to the history, and the
/// channel can be published to again.
pub struct LiveSession {
    bucket: Arc<Bucket>,
    /// Counts recordings, if they are limited.
    ledger: Option<Arc<Ledger>>,
    channel: String,
    playlist: String,
    frag_duration: u32,
    frag_count: usize,
    connection: Arc<Connection>,
    timeline: Arc<Timeline>,
    /// The fragment being written.
    part: Option<Part>,
    has_recorded: bool,
}

impl LiveSession {
    /// Starts a session; its fragments are counted in the ledger, if any.
    pub(super) fn begin(
        bucket: Arc<Bucket>,
        ledger: Option<Arc<Ledger>>,
        request: Publish,
    ) -> Result<Self, Fault> {
        let Publish { channel, playlist_name, remote, cut, .. } = request;
        let settings = bucket.channels.admit(&channel)?;
        let playlist = playlist_name.unwrap_or(settings.playlist_name);
        let timeline = bucket.timeline(&channel).map_err(disk_fault)?;
        let (now, after_ms) = (bucket.clock.now(), timeline.newest_ms());
        let connection = Arc::new(Connection::new(now, remote, after_ms, playlist.clone(), cut));
        // The index is read before the channel goes live, without holding its
        // lock, so the channel may still refuse.
        let admitted = timeline
            .follow(&playlist)
            .map_err(disk_fault)
            .and_then(|()| bucket.channels.begin(&channel, &connection));
        let settings = admitted.inspect_err(|_| bucket.release(&channel, &timeline))?;
        Ok(LiveSession {
            bucket,
            ledger,
            channel,
            playlist,
            frag_duration: settings.frag_duration,
            frag_count: usize::try_from(settings.frag_count).unwrap_or(usize::MAX),
            connection,
            timeline,
            part: None,
            has_recorded: false,
        })
    }

    /// Returns the minimum length of a fragment, in seconds.
    pub fn frag_duration(&self) -> u32 {
        self.frag_duration
    }

    /// Returns when the channel's newest fragment began, in Unix milliseconds; 0 if
    /// there is none. Fragments of this session begin later, unless the wall clock
    /// is set back.
    pub fn last_start_ms(&self) -> u64 {
        self.timeline.newest_ms()
    }

    /// Returns whether the channel has fragments of earlier sessions, so that the
    /// first of this session is a discontinuity.
    pub fn continues(&self) -> bool {
        self.timeline.continues()
    }

    /// Replaces the information on the stream in the channel's status.
    pub fn update(&self, stat: StreamStat) {
        self.connection.update(stat);
    }

    /// Returns whether the grace period after its channel was disabled is over, in
    /// which case the session is cut.
    pub fn is_grace_period_over(&self) -> bool {
        self.connection.end_grace_period()
    }

    /// Returns whether the channel was disabled during this session. The session
    /// may complete the current fragment, but beginning another is an error.
    pub fn cut(&self) -> bool {
        self.connection.is_cut()
    }

    /// Records that the stream itself is refused: a session without any recording
    /// is then not added to the history.
    pub fn refuse(&self) {
        self.connection.set_refused(!self.has_recorded);
    }

    /// Counts a fragment that was completed, or at least put in place.
    fn count(&self, name: &str) {
        let Some(ledger) = &self.ledger else { return };
        let size = self.bucket.objects.generated_size(&format!("{}/{name}", self.channel));
        ledger.add(&self.bucket, &self.channel, size.unwrap_or(0));
    }
}

impl Sink for LiveSession {
    fn begin(&mut self, name: &str) -> io::Result<()> {
        // An unfinished one is deleted before the next is created.
        self.part = None;
        self.part = Some(self.timeline.begin(name, || self.connection.is_cut())?);
        Ok(())
    }

    fn write(&mut self, ts: &[u8]) -> io::Result<()> {
        self.part.as_mut().ok_or_else(no_fragment)?.write(ts)
    }

    fn amend(&mut self, position: u64, ts: &[u8]) -> io::Result<()> {
        self.part.as_mut().ok_or_else(no_fragment)?.amend(position, ts)
    }

    fn finish(&mut self, fragment: &Fragment, state: PlaylistState) -> io::Result<()> {
        let part = self.part.take().ok_or_else(no_fragment)?;
        let now = self.bucket.clock.now();
        let playlist = Listing { name: &self.playlist, count: self.frag_count, state };
        let listed = self.timeline.list(fragment, part, &playlist, now);
        self.count(&fragment.name);
        // The last fragment of a stream may follow its refusal.
        self.has_recorded = true;
        self.connection.set_refused(false);
        listed
    }

    fn state(&self) -> PlaylistState {
        self.timeline.state(&self.playlist)
    }
}

impl Drop for LiveSession {
    fn drop(&mut self) {
        self.part = None;
        if self.has_recorded {
            // If this fails, a power cut may lose fragments of a session in the history.
            let _ = self.timeline.settle(self.connection.after_ms, &self.playlist);
        }
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
