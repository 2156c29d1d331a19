//! Overwriting secrets in memory in bulk.
//!
//! `zeroize` writes one byte at a time, which is fine for a secret but takes longer
//! than signing does for a whole request.

use std::mem;
use std::ops::Deref;
use zeroize::optimization_barrier;

/// Overwrites bytes.
pub(crate) fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    // Otherwise the compiler could omit writes that nothing reads.
    optimization_barrier(bytes);
}

/// Overwrites a string with all of its capacity, and frees it.
pub(crate) fn wipe_string(text: &mut String) {
    let mut bytes = mem::take(text).into_bytes();
    bytes.clear();
    bytes.resize(bytes.capacity(), 0);
    optimization_barrier(&*bytes);
}

/// A string that is overwritten when it is dropped.
pub(crate) struct Wiped(String);

impl Wiped {
    pub(crate) fn new(text: String) -> Self {
        Wiped(text)
    }
}

impl Deref for Wiped {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe_string(&mut self.0);
    }
}
