//! What a caller hears of long work while it goes on, and what came of it.

use crate::error::Error;
use crate::monitor::{HighlightResult, Progress, PutResult};
use serde::Serialize;
use std::ffi::{c_int, c_void};
use std::ops::ControlFlow;

/// What hears how far long work has come: how many are done, failures
/// included, how many there are, and the pointer that came with it. It returns
/// 0 to go on. Anything else stops the work; the callback is then not called
/// again.
///
/// It runs on the thread that made the call, before that returns. It must
/// return normally: no longjmp, no C++ exception. It may call functions of
/// this library.
pub type osslive_progress_callback =
    Option<unsafe extern "C" fn(done: usize, total: usize, user_data: *mut c_void) -> c_int>;

/// A progress callback with its pointer.
pub(super) struct Listener {
    callback: osslive_progress_callback,
    user_data: *mut c_void,
}

impl Listener {
    /// # Safety
    ///
    /// The callback, if there is one, can be called with `user_data` as long
    /// as the listener lives.
    pub(super) unsafe fn new(callback: osslive_progress_callback, user_data: *mut c_void) -> Self {
        Listener { callback, user_data }
    }

    pub(super) fn hear(&self, progress: Progress) -> ControlFlow<()> {
        let Some(callback) = self.callback else { return ControlFlow::Continue(()) };
        // SAFETY: the promise to `new`.
        match unsafe { callback(progress.done, progress.total, self.user_data) } {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    }
}

/// One result for each of many things, as JSON.
#[derive(Serialize)]
pub(super) struct Results<T> {
    results: Vec<T>,
    failed: usize,
    total: usize,
}

impl<T: Outcome> From<Vec<T>> for Results<T> {
    fn from(results: Vec<T>) -> Self {
        let failed = results.iter().filter(|result| result.error().is_some()).count();
        Results { failed, total: results.len(), results }
    }
}

pub(super) trait Outcome {
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
