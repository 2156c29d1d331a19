//! Guards for exported functions, which convert errors and panics to a status and an error
//! object.

use crate::error::{osslive_error, osslive_status};
use crate::pointer;
use sdk::Result;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{ptr, thread};

/// Runs the body of an exported function, and converts its error or panic to a status and
/// an error object.
///
/// # Safety
///
/// `out_error` is NULL or writable.
pub(crate) unsafe fn guard(
    out_error: *mut *mut osslive_error,
    body: impl FnOnce() -> Result<()>,
) -> osslive_status {
    // A panic that left this function would abort the host. State that a panicking body
    // leaves behind is protected by a lock that tolerates it, or is an unchanged object of
    // the caller.
    let outcome = catch_unwind(AssertUnwindSafe(body));
    // SAFETY: the caller's promise.
    unsafe { report(outcome, out_error) }
}

/// # Safety
///
/// `out_error` is NULL or writable.
unsafe fn report(
    outcome: thread::Result<Result<()>>,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    let error = match outcome {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(osslive_error::from(error)),
        Err(panic) => Some(osslive_error::of_panic(&*panic)),
    };
    let status = error.as_ref().map_or(osslive_status::OSSLIVE_OK, |error| error.status);
    if !out_error.is_null() {
        let error = error.map_or(ptr::null_mut(), pointer::boxed);
        // SAFETY: it is not NULL, so it is writable.
        unsafe { out_error.write(error) };
    }
    status
}

/// Runs the body of a function with an output, which is set to `empty` unless the
/// body succeeds.
///
/// # Safety
///
/// `out` and `out_error` are each NULL or writable.
pub(crate) unsafe fn guard_output<T>(
    out: (*mut T, &str),
    empty: T,
    out_error: *mut *mut osslive_error,
    body: impl FnOnce() -> Result<T>,
) -> osslive_status {
    let (out, name) = out;
    if !out.is_null() {
        // SAFETY: it is not NULL, so it is writable. Its previous value, which may
        // be anything, is not dropped.
        unsafe { out.write(empty) };
    }
    let body = || {
        let value = pointer::not_null(out, name).and_then(|_| body())?;
        // SAFETY: as above.
        unsafe { out.write(value) };
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { guard(out_error, body) }
}
