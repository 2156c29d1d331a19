//! Publishes the clip that ships with the command.

use osslive_local::push::{self, PushError, PushOptions};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Six seconds of ffmpeg's test pattern, 320x180 at 30 frames/s, with a tone. It is
/// looped.
const CLIP: &[u8] = include_bytes!("../assets/clip.flv");

/// A stream of the clip, published on its own thread.
pub(crate) struct Clip {
    stop: Arc<AtomicBool>,
    is_accepted: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), PushError>>>,
}

impl Clip {
    /// Starts publishing in real time.
    pub(crate) fn push(url: String, length: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let is_accepted = Arc::new(AtomicBool::new(false));
        let (stopped, accepted) = (stop.clone(), is_accepted.clone());
        let thread = thread::spawn(move || {
            let options = PushOptions { duration: Some(length), real_time: true };
            // Called only after the server has accepted the stream.
            let mut go_on = |_| {
                accepted.store(true, Ordering::Relaxed);
                !stopped.load(Ordering::Relaxed)
            };
            push::push_flv(&url, CLIP, options, &mut go_on).map(drop)
        });
        Clip { stop, is_accepted, thread: Some(thread) }
    }

    /// Returns whether the server has accepted the stream.
    pub(crate) fn is_accepted(&self) -> bool {
        self.is_accepted.load(Ordering::Relaxed)
    }

    /// Returns whether the stream has ended, for whatever reason.
    pub(crate) fn is_done(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Makes the publisher end the stream cleanly. Returns at once.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Waits until the stream has ended, and returns its error, if any.
    pub(crate) fn end(&mut self) -> Result<(), PushError> {
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(PushError::Io(io::Error::other("the publisher's thread panicked"))),
        }
    }
}
