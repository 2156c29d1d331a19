//! A clock that can be set, moved, frozen and accelerated.

use crate::clock::Clock;
use serde::Serialize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use time::{Duration, OffsetDateTime, UtcOffset};

/// The maximum rate: an hour per second.
const MAX_RATE: f64 = 3600.0;

/// The state of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ClockState {
    /// The endpoint's time.
    #[serde(with = "time::serde::rfc3339")]
    pub now: OffsetDateTime,
    /// How far it is ahead of the underlying clock, in seconds.
    pub ahead_seconds: f64,
    /// How many seconds it advances per second: 1 by default, 0 while frozen.
    pub rate: f64,
}

impl ClockState {
    /// Returns whether its time or rate differs from the underlying clock.
    pub fn is_moved(&self) -> bool {
        self.rate != 1.0 || self.ahead_seconds != 0.0
    }
}

/// A controlled clock on top of another.
#[derive(Debug)]
pub(super) struct MovableClock {
    real: Clock,
    course: Mutex<Option<Course>>,
}

/// How the clock runs when it does not follow the real one.
#[derive(Debug, Clone, Copy)]
enum Course {
    /// Follows the real clock with this offset.
    Ahead(Duration),
    /// Runs from a given time at its own rate.
    Own { from: OffsetDateTime, since: Instant, rate: f64 },
}

impl MovableClock {
    pub(super) fn new(real: Clock) -> Self {
        MovableClock { real, course: Mutex::default() }
    }

    pub(super) fn now(&self) -> OffsetDateTime {
        let course = *self.lock();
        self.at(course)
    }

    fn at(&self, course: Option<Course>) -> OffsetDateTime {
        match course {
            None => self.real.now(),
            Some(Course::Ahead(ahead)) => bounded(self.real.now().saturating_add(ahead)),
            Some(Course::Own { from, since, rate }) => {
                let passed = Duration::saturating_seconds_f64(since.elapsed().as_secs_f64() * rate);
                bounded(from.saturating_add(passed))
            }
        }
    }

    pub(super) fn state(&self) -> ClockState {
        let course = *self.lock();
        let now = self.at(course);
        let rate = if let Some(Course::Own { rate, .. }) = course { rate } else { 1.0 };
        let ahead_seconds = match course {
            None => 0.0,
            Some(_) => (now - self.real.now()).as_seconds_f64(),
        };
        ClockState { now, ahead_seconds, rate }
    }

    pub(super) fn set(&self, time: OffsetDateTime) {
        let mut course = self.lock();
        let time = bounded(time.to_offset(UtcOffset::UTC));
        *course = Some(match *course {
            Some(Course::Own { rate, .. }) => {
                Course::Own { from: time, since: Instant::now(), rate }
            }
            _ => Course::Ahead(time - self.real.now()),
        });
    }

    pub(super) fn advance(&self, by: Duration) {
        let now = self.now();
        self.set(now.saturating_add(by));
    }

    /// Sets the rate, which must be 0 to [`MAX_RATE`].
    pub(super) fn set_rate(&self, rate: f64) -> Result<(), String> {
        if !(0.0..=MAX_RATE).contains(&rate) {
            return Err(format!("rate {rate}: must be 0 to {MAX_RATE}"));
        }
        let mut course = self.lock();
        let now = self.at(*course);
        *course = Some(if rate == 1.0 {
            Course::Ahead(now - self.real.now())
        } else {
            Course::Own { from: now, since: Instant::now(), rate }
        });
        Ok(())
    }

    pub(super) fn reset(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Course>> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Limits a time to the years that signatures and dates can represent.
fn bounded(time: OffsetDateTime) -> OffsetDateTime {
    time.clamp(
        time::macros::datetime!(1970-01-01 0:00 UTC),
        time::macros::datetime!(9000-01-01 0:00 UTC),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOON: OffsetDateTime = datetime!(2026-11-26 12:00 UTC);

    fn clock() -> MovableClock {
        MovableClock::new(Clock::from_fn(|| NOON))
    }

    #[test]
    fn the_clock_follows_the_real_one_until_it_is_moved() {
        let clock = clock();
        assert_eq!(clock.now(), NOON);
        clock.advance(Duration::days(7));
        assert_eq!(clock.now(), NOON + Duration::days(7));
        clock.advance(Duration::hours(-1));
        let state = clock.state();
        assert_eq!((state.now, state.rate), (NOON + Duration::hours(167), 1.0));
        assert_eq!(state.ahead_seconds, 167.0 * 3600.0);
        clock.reset();
        assert_eq!(clock.state(), ClockState { now: NOON, ahead_seconds: 0.0, rate: 1.0 });
    }

    #[test]
    fn a_frozen_clock_can_be_set() {
        let clock = clock();
        clock.set_rate(0.0).unwrap();
        let frozen = clock.now();
        assert_eq!((clock.now(), clock.state().rate), (frozen, 0.0));
        clock.set(datetime!(2030-01-01 8:00 +8));
        assert_eq!(clock.now(), datetime!(2030-01-01 0:00 UTC));
        assert!(clock.now().offset().is_utc());
        clock.set_rate(1.0).unwrap();
        assert_eq!(clock.now(), datetime!(2030-01-01 0:00 UTC), "it continues from there");
    }

    #[test]
    fn the_clock_can_run_faster() {
        let clock = clock();
        clock.set_rate(3600.0).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(clock.now() >= NOON + Duration::minutes(1));
    }

    #[test]
    fn times_and_rates_are_limited() {
        let clock = clock();
        for rate in [-1.0, f64::NAN, f64::INFINITY, 3600.1] {
            assert!(clock.set_rate(rate).unwrap_err().contains("must be 0 to 3600"));
        }
        clock.advance(Duration::MAX);
        assert_eq!(clock.now().year(), 9000);
        clock.advance(Duration::MIN);
        assert_eq!(clock.now().year(), 1970);
    }
}
