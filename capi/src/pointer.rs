//! Pointers from C and to C.

use crate::unwind::guard_plain;
use libc::c_char;
use sdk::{Error, ErrorKind, Result};
use serde::Serialize;
use std::ffi::{CStr, CString};
use std::io;
use std::slice;
use zeroize::Zeroizing;

/// More elements than anybody means: a count beyond it is a mistake.
const MOST_ELEMENTS: usize = 1_000_000;

/// An argument was refused.
pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

/// The pointer, unless it is NULL.
pub(crate) fn not_null<T>(pointer: *mut T, name: &str) -> Result<*mut T> {
    if pointer.is_null() { Err(invalid(format!("{name} is NULL"))) } else { Ok(pointer) }
}

/// The object behind a handle.
///
/// # Safety
///
/// `handle` is NULL, or points to a `T` that nobody changes or frees while
/// the reference is used.
pub(crate) unsafe fn shared<'a, T>(handle: *const T, name: &str) -> Result<&'a T> {
    let handle = not_null(handle.cast_mut(), name)?;
    // SAFETY: the caller's promise, and it is not NULL.
    Ok(unsafe { &*handle })
}

/// The object behind a handle, to change it.
///
/// # Safety
///
/// `handle` is NULL, or points to a `T` that nobody else uses while the
/// reference is used.
pub(crate) unsafe fn exclusive<'a, T>(handle: *mut T, name: &str) -> Result<&'a mut T> {
    let handle = not_null(handle, name)?;
    // SAFETY: the caller's promise, and it is not NULL.
    Ok(unsafe { &mut *handle })
}

/// Moves an object to the heap, to be given away as a handle.
pub(crate) fn boxed<T>(object: T) -> *mut T {
    Box::into_raw(Box::new(object))
}

/// Frees what [`boxed`] made.
///
/// # Safety
///
/// `handle` is NULL, or comes from [`boxed`] and is not used any more.
pub(crate) unsafe fn free<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: the caller's promise, and it is not NULL.
        guard_plain((), || drop(unsafe { Box::from_raw(handle) }));
    }
}

/// The text of an argument.
///
/// # Safety
///
/// `text` is NULL, or points to bytes that end with a NUL and do not change
/// while the reference is used.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str> {
    not_null(text.cast_mut(), name)?;
    // SAFETY: the caller's promise, and it is not NULL.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|error| {
        let at = error.valid_up_to();
        invalid(format!("{name} is not UTF-8: see its byte {at}"))
    })
}

/// The text of an argument that may be NULL.
///
/// # Safety
///
/// As [`text`].
pub(crate) unsafe fn optional_text<'a>(text: *const c_char, name: &str) -> Result<Option<&'a str>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { self::text(text, name) }.map(Some)
}

/// The elements of an argument `name` whose count is `n_name`; NULL and 0 are
/// none.
///
/// # Safety
///
/// `elements` is NULL, or points to `count` elements that do not change while
/// the reference is used.
pub(crate) unsafe fn array<'a, T>(elements: *const T, count: usize, name: &str) -> Result<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if count > MOST_ELEMENTS {
        let message = format!("n_{name} is {count}; {MOST_ELEMENTS} is the most");
        return Err(invalid(message));
    }
    not_null(elements.cast_mut(), name)?;
    // SAFETY: the caller's promise, and it is not NULL.
    Ok(unsafe { slice::from_raw_parts(elements, count) })
}

/// The texts of an argument.
///
/// # Safety
///
/// As [`array`], and each of the texts as [`text`].
pub(crate) unsafe fn texts<'a>(
    texts: *const *const c_char,
    count: usize,
    name: &str,
) -> Result<Vec<&'a str>> {
    // SAFETY: the caller's promise.
    let texts = unsafe { array(texts, count, name) }?.iter().enumerate();
    // SAFETY: the caller's promise.
    texts.map(|(at, &text)| unsafe { self::text(text, &format!("{name}[{at}]")) }).collect()
}

/// A text to give away, which `osslive_string_free` takes back.
pub(crate) fn into_c_string(text: String) -> Result<*mut c_char> {
    given(text.into_bytes())
}

/// A string to give away that is as good as a key, such as a signed URL. Leaves
/// no copy of it in memory.
pub(crate) fn given_secret(text: String) -> Result<*mut c_char> {
    let text = Zeroizing::new(text);
    let mut bytes = Vec::new();
    // With room for its end: growing would leave a copy.
    bytes.try_reserve_exact(text.len() + 1).map_err(|_| no_memory())?;
    bytes.extend_from_slice(text.as_bytes());
    given(bytes)
}

/// A result as JSON to give away.
pub(crate) fn given_json(result: &impl Serialize) -> Result<*mut c_char> {
    given_json_within(result, 0)
}

/// A result as JSON to give away, with room for `room` bytes from the start:
/// within these no copy of it stays behind.
pub(crate) fn given_json_within(result: &impl Serialize, room: usize) -> Result<*mut c_char> {
    let mut json = Growing(Vec::new());
    json.0.try_reserve_exact(room).map_err(|_| no_memory())?;
    serde_json::to_writer(&mut json, result).map_err(|error| match error.io_error_kind() {
        Some(_) => no_memory(),
        None => {
            let message = format!("the answer cannot be written as JSON: {error}");
            Error::new(ErrorKind::BadReply, message)
        }
    })?;
    given(json.0)
}

fn given(mut bytes: Vec<u8>) -> Result<*mut c_char> {
    bytes.try_reserve_exact(1).map_err(|_| no_memory())?;
    bytes.push(0);
    let text = CString::from_vec_with_nul(bytes).map_err(|_| {
        let message = "the answer contains a NUL character, which a C string cannot hold";
        Error::new(ErrorKind::BadReply, message)
    })?;
    Ok(text.into_raw())
}

fn no_memory() -> Error {
    Error::new(ErrorKind::BadReply, "not enough memory for the result")
}

/// Bytes that are written as long as there is memory: how many a result has is
/// for the peer to say.
struct Growing(Vec<u8>);

impl io::Write for Growing {
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
