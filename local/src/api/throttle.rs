//! Limits operations per second.

use crate::fault::Fault;
use std::sync::{Mutex, PoisonError};

/// A limit on the number of requests within each second of the clock.
#[derive(Debug)]
pub(super) struct Throttle {
    limit: u32,
    /// The second, and the calls in it so far.
    window: Mutex<(i64, u32)>,
}

impl Throttle {
    pub(super) fn new(limit: u32) -> Self {
        Throttle { limit, window: Mutex::new((0, 0)) }
    }

    pub(super) fn admit(&self, second: i64) -> Result<(), Fault> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.0 != second {
            *window = (second, 0);
        }
        if window.1 < self.limit {
            window.1 += 1;
            return Ok(());
        }
        const MESSAGE: &str = "Qps limit for the meta operation is exceeded.";
        Err(Fault::new(503, "MetaOperationQpsLimitExceeded", MESSAGE))
    }
}
