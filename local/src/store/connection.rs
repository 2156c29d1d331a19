//! A publisher that is connected, as its channel and its session share it.

use super::mutex::lock;
use super::record::{SessionRecord, Stat};
use crate::media::recorder::StreamStat;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use time::OffsetDateTime;

/// What the store knows of a publisher that is connected.
pub(super) struct Connection {
    pub(super) connected: OffsetDateTime,
    pub(super) remote: SocketAddr,
    /// The channel's newest start when it came, in Unix milliseconds: what
    /// follows is its own.
    pub(super) after_ms: u64,
    hang_up: Box<dyn Fn() + Send + Sync>,
    cut: AtomicBool,
    refused: AtomicBool,
    stream: Mutex<StreamStat>,
}

impl Connection {
    pub(super) fn new(
        connected: OffsetDateTime,
        remote: SocketAddr,
        after_ms: u64,
        hang_up: Box<dyn Fn() + Send + Sync>,
    ) -> Self {
        let (cut, refused) = (AtomicBool::new(false), AtomicBool::new(false));
        let stream = Mutex::default();
        Connection { connected, remote, after_ms, hang_up, cut, refused, stream }
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst)
    }

    /// From here on the session may finish its fragment, but begin no other.
    pub(super) fn mark_cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    /// Whether its stream was refused before any of it was recorded.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::SeqCst)
    }

    pub(super) fn set_refused(&self, refused: bool) {
        self.refused.store(refused, Ordering::SeqCst);
    }

    pub(super) fn hang_up(&self) {
        (self.hang_up)();
    }

    /// Replaces what is known of its stream.
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

    /// The history's record of it, if it ended at `end`.
    pub(super) fn record(&self, end: OffsetDateTime) -> SessionRecord {
        SessionRecord { start: self.connected, end: end.max(self.connected), remote: self.remote }
    }
}
