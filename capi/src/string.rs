//! Strings that the library gave away.

use crate::unwind::guard_plain;
use libc::c_char;
use std::ffi::CString;
use zeroize::Zeroize;

/// Frees a string that a call gave to you through a `char **`, and wipes it
/// first, as a URL may be a secret. NULL is fine. Strings from elsewhere, and
/// the `const char *` that functions return, must not be passed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_string_free(string: *mut c_char) {
    if !string.is_null() {
        // SAFETY: it comes from `CString::into_raw`, as the header asks.
        guard_plain((), || unsafe { CString::from_raw(string) }.zeroize());
    }
}
