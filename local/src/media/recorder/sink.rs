//! Where fragments go.

use crate::media::playlist::Fragment;
use std::io;

/// Where a recording goes.
pub trait Sink {
    /// Begins a fragment. One that was begun and not finished is given up.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if the name is taken: the recorder asks for the next one.
    /// It passes on any other error and begins again at the next occasion.
    fn begin(&mut self, name: &str) -> io::Result<()>;

    /// Appends to the fragment begun: whole transport packets, under 128 KiB at a time.
    ///
    /// # Errors
    ///
    /// As for [`begin`](Self::begin); the fragment is given up.
    fn write(&mut self, ts: &[u8]) -> io::Result<()>;

    /// Overwrites what was written of the fragment begun, from a position on.
    ///
    /// # Errors
    ///
    /// As for [`write`](Self::write).
    fn amend(&mut self, position: u64, ts: &[u8]) -> io::Result<()>;

    /// Ends the fragment begun, which is complete, and takes in where it leaves off.
    ///
    /// # Errors
    ///
    /// As for [`begin`](Self::begin).
    fn finish(&mut self, fragment: &Fragment, state: PlaylistState) -> io::Result<()>;

    /// Where the newest fragment that was finished left off, be it of another
    /// session.
    fn state(&self) -> PlaylistState;
}

/// Where a fragment leaves off, for those behind it in the playlist.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlaylistState {
    /// The playlist's target duration, in seconds; 0 while there is none.
    pub target: u64,
    /// When the last frame ends, of whichever track, in ticks of the transport
    /// stream's clock; 0 if there is none.
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
