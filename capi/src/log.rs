//! The log callback, which all clients of the process share.

use crate::callback::{Callback, CallbackCell};
use crate::error::{lossy, osslive_error, osslive_status};
use crate::guard::guard;
use crate::pointer::invalid;
use libc::{c_char, c_int, c_void};
use sdk::Attempt;
use std::cell::Cell;
use std::fmt::Display;

/// A call failed.
pub const OSSLIVE_LOG_ERROR: c_int = 1;
/// A request failed and will be retried.
pub const OSSLIVE_LOG_WARN: c_int = 2;
/// Information for operators. Currently unused.
pub const OSSLIVE_LOG_INFO: c_int = 3;
/// Every request, with its HTTP status, request id and elapsed time.
pub const OSSLIVE_LOG_DEBUG: c_int = 4;

/// A log callback. It receives a level (OSSLIVE_LOG_...), one line of text that
/// is valid only during the call, and the pointer set with it.
///
/// It runs on the thread that makes the call, so on several threads at once if
/// several make calls. It must return normally: no longjmp, no C++ exception.
/// It may call functions of this library; log messages from those calls are
/// dropped.
pub type osslive_log_callback =
    Option<unsafe extern "C" fn(level: c_int, message: *const c_char, user_data: *mut c_void)>;

static CALLBACK: CallbackCell = CallbackCell::new();

thread_local! {
    static IN_CALLBACK: Cell<bool> = const { Cell::new(false) };
}

/// Sets the log callback for all clients in the process. NULL, the default,
/// disables logging. Messages never contain secrets or signed URLs.
///
/// - max_level: the most verbose level to log, OSSLIVE_LOG_ERROR (1) to
///   OSSLIVE_LOG_DEBUG (4).
/// - user_data: passed to the callback unchanged.
///
/// Once this returns, the previous callback is not running on any thread and
/// will not run again, so its user_data may be freed. Setting the same callback
/// and user_data again only changes the level, and does not wait. No lock is
/// held while the callback runs, and a child process forked meanwhile may set
/// its own.
///
/// Fails with OSSLIVE_ERR_INVALID_ARGUMENT for a level out of range, and when
/// called from the callback itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_set_log_callback(
    callback: osslive_log_callback,
    user_data: *mut c_void,
    max_level: c_int,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    let body = || {
        if !(OSSLIVE_LOG_ERROR..=OSSLIVE_LOG_DEBUG).contains(&max_level) {
            return Err(invalid(format!("max_level {max_level}: must be 1 to 4")));
        }
        if IN_CALLBACK.get() {
            return Err(invalid("the log callback cannot be replaced while it runs"));
        }
        CALLBACK.replace(callback.map(|function| Callback { function, user_data }), max_level);
        Ok(())
    };
    // SAFETY: NULL or writable memory for a pointer, as the header requires.
    unsafe { guard(out_error, body) }
}

/// Logs the outcome of a request.
pub(crate) fn attempt(attempt: &Attempt<'_>) {
    let level = match (attempt.outcome, attempt.retry_in) {
        (Ok(_), _) => OSSLIVE_LOG_DEBUG,
        (Err(_), Some(_)) => OSSLIVE_LOG_WARN,
        (Err(_), None) => OSSLIVE_LOG_ERROR,
    };
    log(level, attempt);
}

fn log(level: c_int, message: &dyn Display) {
    if IN_CALLBACK.get() || !CALLBACK.is_enabled(level) {
        return;
    }
    let message = lossy(&message.to_string());
    CALLBACK.with(level, |Callback { function, user_data }| {
        IN_CALLBACK.set(true);
        // SAFETY: it stays set while this runs, and its pointer stays valid.
        unsafe { function(level, message.as_ptr(), user_data) };
        IN_CALLBACK.set(false);
    });
}
