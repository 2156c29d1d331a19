//! Strings owned by the caller.

use crate::pointer::wipe;
use crate::unwind::guard_plain;
use libc::c_char;
use std::ffi::CString;

/// Wipes and frees a string that a call returned through a `char **`, because
/// URLs can be secrets. NULL is fine. Do not pass strings from elsewhere, or
/// the `const char *` that functions return.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_string_free(string: *mut c_char) {
    if !string.is_null() {
        // SAFETY: it comes from `CString::into_raw`, as the header requires.
        guard_plain((), || wipe(&mut unsafe { CString::from_raw(string) }.into_bytes()));
    }
}
