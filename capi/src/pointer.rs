//! Pointers from C and to C.

use crate::unwind::guard_plain;
use libc::c_char;
use sdk::{Error, ErrorKind, Result};
use serde::Serialize;
use std::ffi::{CStr, CString};
use std::fmt::Display;
use std::io;
use std::slice;
use zeroize::optimization_barrier;

/// The maximum number of elements: a larger count is certainly a mistake.
const MAX_ELEMENTS: usize = 1_000_000;

/// Returns the error for an invalid argument.
pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

/// Returns the pointer, unless it is NULL.
pub(crate) fn not_null<T>(pointer: *mut T, name: impl Display) -> Result<*mut T> {
    if pointer.is_null() { Err(invalid(format!("{name} is NULL"))) } else { Ok(pointer) }
}

/// Returns the object behind a handle.
///
/// # Safety
///
/// `handle` is NULL, or points to a `T` that is not changed or freed while the reference
/// is used.
pub(crate) unsafe fn shared<'a, T>(handle: *const T, name: impl Display) -> Result<&'a T> {
    let handle = not_null(handle.cast_mut(), name)?;
    // SAFETY: the caller's promise, and it is not NULL.
    Ok(unsafe { &*handle })
}

/// Returns the object behind a handle, to change it.
///
/// # Safety
///
/// `handle` is NULL, or points to a `T` that is not used elsewhere while the reference is
/// used.
pub(crate) unsafe fn exclusive<'a, T>(handle: *mut T, name: &str) -> Result<&'a mut T> {
    let handle = not_null(handle, name)?;
    // SAFETY: the caller's promise, and it is not NULL.
    Ok(unsafe { &mut *handle })
}

/// Moves an object to the heap, to return it as a handle.
pub(crate) fn boxed<T>(object: T) -> *mut T {
    Box::into_raw(Box::new(object))
}

/// Frees an object created by [`boxed`].
///
/// # Safety
///
/// `handle` is NULL, or comes from [`boxed`] and is no longer used.
pub(crate) unsafe fn free<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: the caller's promise, and it is not NULL.
        guard_plain((), || drop(unsafe { Box::from_raw(handle) }));
    }
}

/// Returns the string in an argument.
///
/// # Safety
///
/// `text` is NULL, or points to bytes that end with a NUL and do not change
/// while the reference is used.
pub(crate) unsafe fn string<'a>(text: *const c_char, name: impl Display) -> Result<&'a str> {
    not_null(text.cast_mut(), &name)?;
    // SAFETY: the caller's promise, and it is not NULL.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|error| {
        let at = error.valid_up_to();
        invalid(format!("{name} is not UTF-8 (byte {at})"))
    })
}

/// Returns the string in an argument that may be NULL.
///
/// # Safety
///
/// As [`string`].
pub(crate) unsafe fn optional_string<'a>(
    text: *const c_char,
    name: &str,
) -> Result<Option<&'a str>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { self::string(text, name) }.map(Some)
}

/// Returns the elements of an argument `name` whose count is `n_name`; none for NULL
/// and 0.
///
/// # Safety
///
/// `elements` is NULL, or points to `count` elements that do not change while
/// the reference is used.
pub(crate) unsafe fn array<'a, T>(elements: *const T, count: usize, name: &str) -> Result<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if count > MAX_ELEMENTS {
        let message = format!("n_{name} {count}: must be at most {MAX_ELEMENTS}");
        return Err(invalid(message));
    }
    not_null(elements.cast_mut(), name)?;
    // SAFETY: the caller's promise, and it is not NULL.
    Ok(unsafe { slice::from_raw_parts(elements, count) })
}

/// Returns the strings in an argument.
///
/// # Safety
///
/// As [`array`], and each of the strings as [`string`].
pub(crate) unsafe fn strings<'a>(
    texts: *const *const c_char,
    count: usize,
    name: &str,
) -> Result<Vec<&'a str>> {
    // SAFETY: the caller's promise.
    let texts = unsafe { array(texts, count, name) }?.iter().enumerate();
    // SAFETY: the caller's promise.
    texts.map(|(at, &text)| unsafe { self::string(text, format_args!("{name}[{at}]")) }).collect()
}

/// Converts a string to a C string for the caller, to be freed by
/// `osslive_string_free`.
pub(crate) fn into_c_string(text: String) -> Result<*mut c_char> {
    into_raw(text.into_bytes())
}

/// Converts a secret, such as a signed URL, to a C string for the caller. Leaves no copy
/// of it in memory.
pub(crate) fn secret_into_c_string(text: String) -> Result<*mut c_char> {
    let mut secret = text.into_bytes();
    let mut bytes = Vec::new();
    // With room for the final NUL: growing would leave a copy.
    let reserved = bytes.try_reserve_exact(secret.len() + 1);
    if reserved.is_ok() {
        bytes.extend_from_slice(&secret);
    }
    wipe(&mut secret);
    reserved.map_err(|_| no_memory())?;
    into_raw(bytes)
}

/// Overwrites bytes, in bulk: `zeroize` alone writes one at a time.
pub(crate) fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    optimization_barrier(bytes);
}

/// Converts a result to a C string of JSON for the caller.
pub(crate) fn json_into_c_string(result: &impl Serialize) -> Result<*mut c_char> {
    json_into_c_string_within(result, 0)
}

/// Converts a result to a C string of JSON, with `room` bytes reserved: a result within
/// these leaves no copy in memory.
pub(crate) fn json_into_c_string_within(
    result: &impl Serialize,
    room: usize,
) -> Result<*mut c_char> {
    let mut json = FallibleBuffer(Vec::new());
    json.0.try_reserve_exact(room).map_err(|_| no_memory())?;
    serde_json::to_writer(&mut json, result).map_err(|error| match error.io_error_kind() {
        Some(_) => no_memory(),
        None => {
            let message = format!("the result cannot be written as JSON: {error}");
            Error::new(ErrorKind::BadReply, message)
        }
    })?;
    into_raw(json.0)
}

fn into_raw(mut bytes: Vec<u8>) -> Result<*mut c_char> {
    bytes.try_reserve_exact(1).map_err(|_| no_memory())?;
    bytes.push(0);
    let text = CString::from_vec_with_nul(bytes).map_err(|_| {
        let message = "the result contains a NUL character, which a C string cannot contain";
        Error::new(ErrorKind::BadReply, message)
    })?;
    Ok(text.into_raw())
}

fn no_memory() -> Error {
    Error::new(ErrorKind::BadReply, "not enough memory for the result")
}

/// A buffer that reports when memory runs out, because the peer determines the size of a
/// result.
struct FallibleBuffer(Vec<u8>);

impl io::Write for FallibleBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.try_reserve(bytes.len()).map_err(|_| io::ErrorKind::OutOfMemory)?;
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
