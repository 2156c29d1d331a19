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

    /// Ends the fragment begun, which is complete.
    ///
    /// # Errors
    ///
    /// As for [`begin`](Self::begin).
    fn finish(&mut self, fragment: &Fragment) -> io::Result<()>;
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn begin(&mut self, name: &str) -> io::Result<()> {
        (**self).begin(name)
    }

    fn write(&mut self, ts: &[u8]) -> io::Result<()> {
        (**self).write(ts)
    }

    fn finish(&mut self, fragment: &Fragment) -> io::Result<()> {
        (**self).finish(fragment)
    }
}
