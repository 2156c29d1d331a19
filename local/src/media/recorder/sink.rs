//! The destination of fragments.

use crate::media::playlist::Fragment;
use std::io;

/// The destination of a recording.
pub trait Sink {
    /// Begins a fragment. A previous one that was not finished is discarded.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if the name is in use: the recorder tries the next one. It
    /// returns any other error and tries again later.
    fn begin(&mut self, name: &str) -> io::Result<()>;

    /// Appends to the current fragment: whole transport packets, less than 128 KiB at
    /// a time.
    ///
    /// # Errors
    ///
    /// The same as [`begin`](Self::begin); the fragment is abandoned.
    fn write(&mut self, ts: &[u8]) -> io::Result<()>;

    /// Overwrites bytes of the current fragment, starting at a position.
    ///
    /// # Errors
    ///
    /// The same as [`write`](Self::write).
    fn amend(&mut self, position: u64, ts: &[u8]) -> io::Result<()>;

    /// Completes the current fragment; `state` is the state after it.
    ///
    /// # Errors
    ///
    /// The same as [`begin`](Self::begin).
    fn finish(&mut self, fragment: &Fragment, state: PlaylistState) -> io::Result<()>;

    /// Returns the state after the newest complete fragment, possibly of another
    /// session.
    fn state(&self) -> PlaylistState;
}

/// The state of a playlist after a fragment, for those that follow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlaylistState {
    /// The playlist's target duration, in seconds; 0 while there is none.
    pub target: u64,
    /// The end of the last frame of any track, in ticks of the transport stream's
    /// clock; 0 if there is none.
    pub clock: u64,
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn begin(&mut self, name: &str) -> io::Result<()> {
        (**self).begin(name)
    }

    fn write(&mut self, ts: &[u8]) -> io::Result<()> {
        (**self).write(ts)
    }

    fn amend(&mut self, position: u64, ts: &[u8]) -> io::Result<()> {
        (**self).amend(position, ts)
    }

    fn finish(&mut self, fragment: &Fragment, state: PlaylistState) -> io::Result<()> {
        (**self).finish(fragment, state)
    }

    fn state(&self) -> PlaylistState {
        (**self).state()
    }
}
