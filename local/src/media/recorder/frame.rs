//! Coded frames and their arrival times.

/// When a message arrived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Now {
    /// The wall clock, in Unix milliseconds, after which fragments are named. It may
    /// be set to any time.
    pub unix_ms: u64,
    /// Milliseconds of a monotonic clock with any start.
    pub uptime_ms: u64,
}

/// One coded frame as received.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) now: Now,
    pub(super) timestamp_ms: u64,
    pub(super) kind: FrameKind,
    pub(super) data: &'a [u8],
}

impl Frame<'_> {
    /// Returns the index of its track.
    pub(super) fn track(&self) -> usize {
        usize::from(matches!(self.kind, FrameKind::Audio))
    }
}

/// The kind of a frame.
#[derive(Clone, Copy)]
pub(super) enum FrameKind {
    Video { key: bool, composition_ms: i32 },
    Audio,
}
