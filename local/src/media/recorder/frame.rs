//! Coded frames and when they arrived.

/// When a message arrived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Now {
    /// The wall clock, in Unix milliseconds, which names fragments. It may be set
    /// to any other time.
    pub unix_ms: u64,
    /// Milliseconds of a clock that only goes forward, from any beginning.
    pub uptime_ms: u64,
}

/// One coded frame as it arrived.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) now: Now,
    pub(super) timestamp_ms: u64,
    pub(super) kind: FrameKind,
    pub(super) data: &'a [u8],
}

impl Frame<'_> {
    /// The number of its track.
    pub(super) fn track(&self) -> usize {
        usize::from(matches!(self.kind, FrameKind::Audio))
    }
}

/// What a frame is.
#[derive(Clone, Copy)]
pub(super) enum FrameKind {
    Video { key: bool, composition_ms: i32 },
    Audio,
}
