//! A panic on demand, for the tests of the guard. No header declares it.

use crate::error::{osslive_error, osslive_status};
use crate::guard::guard;

/// Panics inside the guard.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_test_panic(out_error: *mut *mut osslive_error) -> osslive_status {
    // SAFETY: NULL or writable memory for a pointer.
    unsafe { guard(out_error, || panic!("a panic on demand, number {}", 42)) }
}
