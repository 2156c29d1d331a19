//! Request ids.

use crate::clock::Clock;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};

/// Generates request ids like those of OSS: 24 upper-case hexadecimal digits, of
/// which the first eight are the Unix time. The next eight identify the process,
/// the last eight the request.
#[derive(Debug)]
pub(super) struct RequestIds {
    process: u32,
    next: AtomicU32,
}

impl RequestIds {
    pub(super) fn new() -> Self {
        let random = RandomState::new().hash_one(std::process::id());
        RequestIds { process: random as u32, next: AtomicU32::new(0) }
    }

    pub(super) fn next(&self, clock: &Clock) -> String {
        let seconds = clock.now().unix_timestamp() as u32;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{seconds:08X}{:08X}{number:08X}", self.process)
    }
}
