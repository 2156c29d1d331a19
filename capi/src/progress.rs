//! Progress callbacks of long operations, and their results.

use libc::{c_int, c_void};
use sdk::{Error, HighlightResult, PutResult, StopHandle, SweepOptions};
use serde::Serialize;

/// A progress callback. It receives the number of finished items, failures
/// included, the total, and the pointer passed with it. Return 0 to continue;
/// any other value stops the operation, and the callback is not called again.
///
/// It runs on the thread that made the call, before the call returns. It must
/// return normally: no longjmp, no C++ exception. It may call functions of this
/// library.
pub type osslive_progress_callback =
    Option<unsafe extern "C" fn(done: usize, total: usize, user_data: *mut c_void) -> c_int>;

/// A progress callback with its pointer.
pub(crate) struct Listener {
    callback: osslive_progress_callback,
    user_data: *mut c_void,
}

impl Listener {
    /// # Safety
    ///
    /// The callback, if any, can be called with `user_data` while the listener
    /// lives.
    pub(crate) unsafe fn new(callback: osslive_progress_callback, user_data: *mut c_void) -> Self {
        Listener { callback, user_data }
    }

    /// Reports progress, and stops the operation if the callback requests it. Items that
    /// finish after the stop are not reported.
    pub(crate) fn on_progress(&self, done: usize, total: usize, stop: &StopHandle) {
        let Some(callback) = self.callback else { return };
        // SAFETY: the contract of `new`.
        if !stop.is_stopped() && unsafe { callback(done, total, self.user_data) } != 0 {
            stop.stop();
        }
    }
}

/// Adds a listener to options, which receives the progress and may stop the operation.
pub(crate) fn with_listener(options: SweepOptions<'_>, listener: Listener) -> SweepOptions<'_> {
    let stop = StopHandle::new();
    options.stop(&stop).progress(move |progress| {
        listener.on_progress(progress.done, progress.total, &stop);
    })
}

/// The results for many items.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Results<T> {
    /// One result per item, in the order given.
    results: Vec<T>,
    /// The number of failed items.
    failed: usize,
    /// The number of items.
    total: usize,
}

impl<T: Outcome> From<Vec<T>> for Results<T> {
    fn from(results: Vec<T>) -> Self {
        let failed = results.iter().filter(|result| result.error().is_some()).count();
        Results { failed, total: results.len(), results }
    }
}

pub(crate) trait Outcome {
    fn error(&self) -> Option<&Error>;
}

impl Outcome for PutResult {
    fn error(&self) -> Option<&Error> {
        self.result.as_ref().err()
    }
}

impl Outcome for HighlightResult {
    fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }
}
