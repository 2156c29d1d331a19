//! Callbacks that receive the status of each channel of a sweep.

use crate::pointer::invalid;
use libc::{c_char, c_int, c_void};
use sdk::{Result, StopHandle};
use std::ffi::CString;

/// A status callback. It receives a channel's JSON (id and what
/// osslive_get_channel_status returns, or id and error) and the pointer passed with
/// it. The JSON is valid only during the call. Return 0 to continue; any other value
/// stops the operation, and the callback is not called again.
///
/// It runs on the thread that made the call, before the call returns. It must
/// return normally: no longjmp, no C++ exception. It may call functions of this
/// library.
pub type osslive_status_callback =
    Option<unsafe extern "C" fn(json: *const c_char, user_data: *mut c_void) -> c_int>;

/// A status callback with its pointer.
pub(crate) struct StatusListener {
    callback: unsafe extern "C" fn(json: *const c_char, user_data: *mut c_void) -> c_int,
    user_data: *mut c_void,
    stop: StopHandle,
    /// Set if the JSON of a channel could not be made.
    failure: Result<()>,
}

impl StatusListener {
    /// # Safety
    ///
    /// The callback, if any, can be called with `user_data` while the listener
    /// lives.
    pub(crate) unsafe fn new(
        callback: osslive_status_callback,
        user_data: *mut c_void,
    ) -> Result<Self> {
        let callback = callback.ok_or_else(|| invalid("on_status is NULL"))?;
        Ok(StatusListener { callback, user_data, stop: StopHandle::new(), failure: Ok(()) })
    }

    /// Returns the handle that stops the operation.
    pub(crate) fn stop_handle(&self) -> &StopHandle {
        &self.stop
    }

    /// Passes on a channel, unless the callback has stopped the work.
    pub(crate) fn on_status(&mut self, json: Result<*mut c_char>) {
        // SAFETY: it comes from `CString::into_raw`.
        let json = json.map(|json| unsafe { CString::from_raw(json) });
        if self.stop.is_stopped() {
            return;
        }
        match json {
            // SAFETY: the contract of `new`.
            Ok(json) if unsafe { (self.callback)(json.as_ptr(), self.user_data) } == 0 => {}
            Ok(_) => self.stop.stop(),
            Err(error) => {
                self.failure = Err(error);
                self.stop.stop();
            }
        }
    }

    /// Returns how the work ended.
    pub(crate) fn finish(self, ended: Result<()>) -> Result<()> {
        self.failure.and(ended)
    }
}
