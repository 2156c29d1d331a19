//! A connected publisher, shared by its channel and its session.

use super::mutex::lock;
use super::record::{SessionRecord, Stat};
use crate::media::recorder::StreamStat;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// The state of a connected publisher.
pub(super) struct Connection {
    pub(super) connected: OffsetDateTime,
    pub(super) remote: SocketAddr,
    /// The start of the channel's newest fragment when it connected, in Unix
    /// milliseconds: later fragments are its own.
    pub(super) after_ms: u64,
    /// The live playlist that it writes.
    pub(super) playlist: String,
    disconnect: Box<dyn Fn() + Send + Sync>,
    cut: AtomicBool,
    refused: AtomicBool,
    stream: Mutex<StreamStat>,
    grace_period: Mutex<Option<GracePeriod>>,
}

/// The grace period of a publisher after its channel was disabled.
#[derive(Clone, Copy)]
enum GracePeriod {
    /// Starts when the channel is disabled.
    NotStarted(Duration),
    /// Has started, and ends at this time.
    Started(Instant),
}

impl Connection {
    pub(super) fn new(
        connected: OffsetDateTime,
        remote: SocketAddr,
        after_ms: u64,
        playlist: String,
        disconnect: Box<dyn Fn() + Send + Sync>,
    ) -> Self {
        let (cut, refused) = (AtomicBool::new(false), AtomicBool::new(false));
        let (stream, grace_period) = (Mutex::default(), Mutex::default());
        Connection {
            connected,
            remote,
            after_ms,
            playlist,
            disconnect,
            cut,
            refused,
            stream,
            grace_period,
        }
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst)
    }

    /// Marks the session as cut: it may complete its fragment, but not begin
    /// another.
    pub(super) fn mark_cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    /// Sets the grace period for when the channel is disabled.
    pub(super) fn set_grace_period(&self, time: Duration) {
        *lock(&self.grace_period) = Some(GracePeriod::NotStarted(time));
    }

    /// Starts the grace period when the channel is disabled. Returns false if there
    /// is none.
    pub(super) fn start_grace_period(&self) -> bool {
        let mut grace_period = lock(&self.grace_period);
        let Some(GracePeriod::NotStarted(time)) = *grace_period else { return false };
        *grace_period = Some(GracePeriod::Started(Instant::now() + time));
        true
    }

    /// Marks the session as cut if the grace period is over, and returns whether it is.
    pub(super) fn end_grace_period(&self) -> bool {
        let grace_period = *lock(&self.grace_period);
        let is_over =
            matches!(grace_period, Some(GracePeriod::Started(due)) if due <= Instant::now());
        if is_over {
            self.mark_cut();
        }
        is_over
    }

    /// Returns whether its stream was refused before any of it was recorded.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::SeqCst)
    }

    pub(super) fn set_refused(&self, refused: bool) {
        self.refused.store(refused, Ordering::SeqCst);
    }

    pub(super) fn disconnect(&self) {
        (self.disconnect)();
    }

    /// Replaces the information on its stream.
    pub(super) fn update(&self, stream: StreamStat) {
        *lock(&self.stream) = stream;
    }

    pub(super) fn stat(&self) -> Stat {
        Stat::Live {
            connected: self.connected,
            remote: self.remote,
            stream: lock(&self.stream).clone(),
        }
    }

    /// Returns its history record, with the end `end`.
    pub(super) fn record(&self, end: OffsetDateTime) -> SessionRecord {
        SessionRecord { start: self.connected, end: end.max(self.connected), remote: self.remote }
    }
}
