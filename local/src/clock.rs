//! The endpoint's clock, which tests can replace.

use std::fmt;
use std::sync::Arc;
use time::OffsetDateTime;

/// A wall clock: the system's, or one that a test moves by hand.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> OffsetDateTime + Send + Sync>);

impl Clock {
    /// Returns the system clock.
    pub fn system() -> Self {
        Clock(Arc::new(OffsetDateTime::now_utc))
    }

    /// Returns a clock that calls `now` each time it is read.
    pub fn from_fn(now: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        Clock(Arc::new(now))
    }

    /// Returns the current time, in UTC.
    pub fn now(&self) -> OffsetDateTime {
        (self.0)()
    }

    /// Returns the milliseconds since the Unix epoch; 0 before it.
    pub fn unix_ms(&self) -> u64 {
        u64::try_from(self.now().unix_timestamp_nanos() / 1_000_000).unwrap_or(0)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
