//! A publisher that is connected, as its channel and its session share it.

use super::mutex::lock;
use super::record::{SessionRecord, Stat};
use crate::media::recorder::StreamStat;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// What the store knows of a publisher that is connected.
pub(super) struct Connection {
    pub(super) connected: OffsetDateTime,
    pub(super) remote: SocketAddr,
    /// The channel's newest start when it came, in Unix milliseconds: what
    /// follows is its own.
    pub(super) after_ms: u64,
    /// The live playlist that it writes.
    pub(super) playlist: String,
    hang_up: Box<dyn Fn() + Send + Sync>,
    cut: AtomicBool,
    refused: AtomicBool,
    stream: Mutex<StreamStat>,
    respite: Mutex<Option<Respite>>,
}

/// Time that a publisher has after its channel was disabled.
#[derive(Clone, Copy)]
enum Respite {
    /// So much, once that happens.
    Granted(Duration),
    /// Until then.
    Until(Instant),
}

impl Connection {
    pub(super) fn new(
        connected: OffsetDateTime,
        remote: SocketAddr,
        after_ms: u64,
        playlist: String,
        hang_up: Box<dyn Fn() + Send + Sync>,
    ) -> Self {
        let (cut, refused) = (AtomicBool::new(false), AtomicBool::new(false));
        let (stream, respite) = (Mutex::default(), Mutex::default());
        Connection { connected, remote, after_ms, playlist, hang_up, cut, refused, stream, respite }
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst)
    }

    /// From here on the session may finish its fragment, but begin no other.
    pub(super) fn mark_cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    /// Gives the publisher so much time once its channel is disabled.
    pub(super) fn grant_respite(&self, time: Duration) {
        *lock(&self.respite) = Some(Respite::Granted(time));
    }

    /// Takes in that the channel is disabled. Returns whether the publisher has time
    /// left, which then begins.
    pub(super) fn begin_respite(&self) -> bool {
        let mut respite = lock(&self.respite);
        let Some(Respite::Granted(time)) = *respite else { return false };
        *respite = Some(Respite::Until(Instant::now() + time));
        true
    }

    /// Cuts the publisher if that time is over, and returns whether it is.
    pub(super) fn end_respite(&self) -> bool {
        let respite = *lock(&self.respite);
        let is_over = matches!(respite, Some(Respite::Until(due)) if due <= Instant::now());
        if is_over {
            self.mark_cut();
        }
        is_over
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
