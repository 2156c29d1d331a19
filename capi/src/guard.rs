//! What every exported function runs in: errors and panics become a status and
//! an error object.

use crate::error::{osslive_error, osslive_status};
use crate::pointer;
use sdk::Result;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{ptr, thread};

/// Runs the body of an exported function, and turns its error or panic into a
/// status and an error object.
///
/// # Safety
///
/// `out_error` is NULL or can be written to.
pub(crate) unsafe fn guard(
    out_error: *mut *mut osslive_error,
    body: impl FnOnce() -> Result<()>,
) -> osslive_status {
    // A panic that left this function would abort the host. What a body
    // leaves behind when it panics is behind a lock that tolerates it, or is
    // the caller's and untouched.
    let outcome = catch_unwind(AssertUnwindSafe(body));
    // SAFETY: the caller's promise.
    unsafe { report(outcome, out_error) }
}

/// # Safety
///
/// `out_error` is NULL or can be written to.
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
        // SAFETY: it is not NULL, so it can be written to.
        unsafe { out_error.write(error) };
    }
    status
}

/// Runs the body of a function with an output, which holds `empty` unless the
/// body succeeds.
///
/// # Safety
///
/// `out` and `out_error` are each NULL or can be written to.
pub(crate) unsafe fn guard_output<T>(
    out: (*mut T, &str),
    empty: T,
    out_error: *mut *mut osslive_error,
    body: impl FnOnce() -> Result<T>,
) -> osslive_status {
    let (out, name) = out;
    if !out.is_null() {
        // SAFETY: it is not NULL, so it can be written to. It may hold
        // anything before, which is not dropped.
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
