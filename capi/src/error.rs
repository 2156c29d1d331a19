//! The error object and the statuses.

use crate::pointer;
use crate::unwind::guard_plain;
use libc::{c_char, c_int};
use sdk::{Error, ErrorKind};
use std::any::Any;
use std::ffi::CString;
use std::ptr;

/// The category of the outcome of a call. Values never change; treat unknown
/// ones as errors.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum osslive_status {
    /// The call succeeded.
    OSSLIVE_OK = 0,
    /// An argument is invalid. Nothing was sent.
    OSSLIVE_ERR_INVALID_ARGUMENT = 1,
    /// The configuration is incomplete or contradictory.
    OSSLIVE_ERR_CONFIG = 2,
    /// No usable credentials were found.
    OSSLIVE_ERR_CREDENTIALS = 3,
    /// The service is unreachable, or the connection was lost: name
    /// resolution, TCP, TLS or proxy.
    OSSLIVE_ERR_CONNECTION = 4,
    /// The call or the connection timed out.
    OSSLIVE_ERR_TIMEOUT = 5,
    /// The service returned an error; see osslive_error_code.
    OSSLIVE_ERR_SERVICE = 6,
    /// The response is invalid, or larger than the size limit.
    OSSLIVE_ERR_BAD_REPLY = 7,
    /// A bug in the library. Please report it with the message.
    OSSLIVE_ERR_INTERNAL = 8,
    /// The caller stopped the client or the operation.
    OSSLIVE_ERR_STOPPED = 9,
    /// A local file could not be read or written.
    OSSLIVE_ERR_FILE = 10,
}

use osslive_status::*;

impl From<ErrorKind> for osslive_status {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidArgument => OSSLIVE_ERR_INVALID_ARGUMENT,
            ErrorKind::Config => OSSLIVE_ERR_CONFIG,
            ErrorKind::Credentials => OSSLIVE_ERR_CREDENTIALS,
            ErrorKind::Connection => OSSLIVE_ERR_CONNECTION,
            ErrorKind::Timeout => OSSLIVE_ERR_TIMEOUT,
            ErrorKind::Service => OSSLIVE_ERR_SERVICE,
            ErrorKind::BadReply => OSSLIVE_ERR_BAD_REPLY,
            ErrorKind::File => OSSLIVE_ERR_FILE,
            ErrorKind::Stopped => OSSLIVE_ERR_STOPPED,
            _ => OSSLIVE_ERR_INTERNAL,
        }
    }
}

/// The details of a failure: yours to free with osslive_error_free. Strings
/// returned by its functions belong to it and are valid until it is freed.
pub struct osslive_error {
    pub(crate) status: osslive_status,
    message: CString,
    code: Option<CString>,
    http_status: c_int,
    request_id: Option<CString>,
    ec: Option<CString>,
}

impl osslive_error {
    /// Converts a panic to an error, with the panic's message.
    pub(crate) fn of_panic(panic: &(dyn Any + Send)) -> Self {
        let text = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no details");
        osslive_error {
            status: OSSLIVE_ERR_INTERNAL,
            message: lossy(&format!("internal error: {text}")),
            code: None,
            http_status: 0,
            request_id: None,
            ec: None,
        }
    }
}

impl From<Error> for osslive_error {
    fn from(error: Error) -> Self {
        osslive_error {
            status: error.kind().into(),
            message: lossy(&error.to_string()),
            code: error.code().map(lossy),
            http_status: error.status().map_or(0, c_int::from),
            request_id: error.request_id().map(lossy),
            ec: error.ec().map(lossy),
        }
    }
}

/// Converts a message to a C string: replaces NUL characters, and limits its length, even
/// if it quotes an argument of a megabyte.
pub(crate) fn lossy(text: &str) -> CString {
    const MAX_LENGTH: usize = 2048;
    let end = text.char_indices().map(|(at, _)| at).find(|at| *at >= MAX_LENGTH);
    let (text, dots) = end.map_or((text, ""), |end| (&text[..end], "..."));
    CString::new(format!("{text}{dots}").replace('\0', "\u{fffd}")).unwrap_or_default()
}

/// Returns the category of the failure, which is what the call returned.
/// OSSLIVE_OK for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_error_status(error: *const osslive_error) -> osslive_status {
    // SAFETY: NULL or an error of this library, as the header requires.
    guard_plain(OSSLIVE_OK, || unsafe { error.as_ref() }.map_or(OSSLIVE_OK, |error| error.status))
}

/// Returns the message, one line for logs or users, with the code, the HTTP
/// status and the request id if known. Never NULL; "" for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_error_message(error: *const osslive_error) -> *const c_char {
    guard_plain(c"".as_ptr(), || {
        // SAFETY: NULL or an error of this library, as the header requires.
        unsafe { error.as_ref() }.map_or(c"".as_ptr(), |error| error.message.as_ptr())
    })
}

/// Returns the name of the reason, such as "NoSuchLiveChannel", "ChannelStillLive"
/// or "AccessDenied": the service's error code, or the library's own for its
/// own checks ("InvalidChannelName", "ChannelAlreadyExists"). NULL if there is
/// none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_error_code(error: *const osslive_error) -> *const c_char {
    // SAFETY: NULL or an error of this library, as the header requires.
    unsafe { detail(error, |error| &error.code) }
}

/// Returns the HTTP status of the response; 0 if there was none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_error_http_status(error: *const osslive_error) -> c_int {
    // SAFETY: NULL or an error of this library, as the header requires.
    guard_plain(0, || unsafe { error.as_ref() }.map_or(0, |error| error.http_status))
}

/// Returns the request id, which identifies the request to the service's
/// support. NULL if unknown.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_error_request_id(error: *const osslive_error) -> *const c_char {
    // SAFETY: NULL or an error of this library, as the header requires.
    unsafe { detail(error, |error| &error.request_id) }
}

/// Returns the service's detailed error code (EC), such as "0044-00000308".
/// NULL if unknown.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_error_ec(error: *const osslive_error) -> *const c_char {
    // SAFETY: NULL or an error of this library, as the header requires.
    unsafe { detail(error, |error| &error.ec) }
}

/// Frees an error and its strings. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_error_free(error: *mut osslive_error) {
    // SAFETY: NULL, or an error of this library that is no longer used.
    unsafe { pointer::free(error) }
}

/// # Safety
///
/// `error` is NULL or an error of this library.
unsafe fn detail(
    error: *const osslive_error,
    field: impl FnOnce(&osslive_error) -> &Option<CString>,
) -> *const c_char {
    guard_plain(ptr::null(), || {
        // SAFETY: the caller's promise.
        let error = unsafe { error.as_ref() };
        error.and_then(|error| field(error).as_deref()).map_or(ptr::null(), |text| text.as_ptr())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_status() {
        let numbers = ErrorKind::ALL.iter().map(|kind| osslive_status::from(*kind) as i32);
        let numbers: std::collections::BTreeSet<_> = numbers.collect();
        assert_eq!(numbers.len(), ErrorKind::ALL.len());
        assert!(!numbers.contains(&(OSSLIVE_OK as i32)));
        assert!(!numbers.contains(&(OSSLIVE_ERR_INTERNAL as i32)));
    }

    #[test]
    fn messages_have_no_nul_and_a_limited_length() {
        assert_eq!(lossy("a\0b").to_str(), Ok("a\u{fffd}b"));
        let long = lossy(&"直".repeat(1_000_000));
        assert!(long.count_bytes() < 2100 && long.to_str().unwrap().ends_with("直..."));
    }
}
