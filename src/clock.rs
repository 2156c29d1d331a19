//! The service's time, carried forward by the machine's monotonic clock.

use crate::error::{Error, Result};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The largest correction of the machine's own clock that is accepted.
const MAX_CORRECTION: time::Duration = time::Duration::DAY;
/// How much the machine's two clocks may disagree on the time since a correction.
/// If they disagree more, the wall clock was set, or the machine slept, which stops
/// the monotonic clock.
const MAX_JUMP: time::Duration = time::Duration::MINUTE;

/// Both clocks of the machine, read at the same moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) wall: OffsetDateTime,
    /// The time since a fixed moment. Never runs backwards.
    pub(crate) monotonic: Duration,
}

/// Reads the clocks of a machine.
pub(crate) trait Clock: Send + Sync {
    fn read(&self) -> Reading;
}

/// The clocks of this machine.
pub(crate) struct SystemClock {
    zero: Instant,
}

impl SystemClock {
    pub(crate) fn new() -> Self {
        SystemClock { zero: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn read(&self) -> Reading {
        Reading { wall: OffsetDateTime::now_utc(), monotonic: self.zero.elapsed() }
    }
}

/// The service's time as far as it is known: the machine's own until the
/// service corrects it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ServiceTime(Option<Correction>);

#[derive(Debug, Clone, Copy)]
struct Correction {
    service: OffsetDateTime,
    made: Reading,
}

impl ServiceTime {
    /// Returns the service's time.
    pub(crate) fn now(&self, reading: Reading) -> OffsetDateTime {
        self.0.and_then(|correction| correction.now(reading)).unwrap_or(reading.wall)
    }

    /// Corrects the time to the service's.
    ///
    /// # Errors
    ///
    /// Fails if the service's time is more than a day from the machine's: a peer must
    /// not choose the dates of requests and the lifetimes of URLs.
    pub(crate) fn correct(&mut self, service: OffsetDateTime, reading: Reading) -> Result<()> {
        if (service - reading.wall).abs() > MAX_CORRECTION {
            return Err(Error::bad_reply(format!(
                "the server's clock reads {} and this machine's {}: \
                 a difference of more than a day is not corrected",
                shown(service),
                shown(reading.wall)
            )));
        }
        self.0 = Some(Correction { service, made: reading });
        Ok(())
    }
}

impl Correction {
    fn now(&self, reading: Reading) -> Option<OffsetDateTime> {
        let elapsed = reading.monotonic.checked_sub(self.made.monotonic)?;
        let elapsed = time::Duration::try_from(elapsed).ok()?;
        let jump = (reading.wall - self.made.wall) - elapsed;
        if jump.abs() > MAX_JUMP { None } else { self.service.checked_add(elapsed) }
    }
}

fn shown(time: OffsetDateTime) -> String {
    let seconds = time.replace_nanosecond(0).unwrap_or(time);
    seconds.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const TRUE_TIME: OffsetDateTime = datetime!(2026-11-26 12:00 UTC);
    const HOUR: time::Duration = time::Duration::HOUR;

    /// The reading of a machine whose wall clock is wrong by `off`.
    fn reading(off: time::Duration, elapsed: Duration) -> Reading {
        Reading { wall: TRUE_TIME + off + elapsed, monotonic: Duration::from_secs(5) + elapsed }
    }

    fn corrected(off: time::Duration) -> ServiceTime {
        let mut time = ServiceTime::default();
        time.correct(TRUE_TIME, reading(off, Duration::ZERO)).unwrap();
        time
    }

    #[test]
    fn a_correction_is_carried_forward_by_the_monotonic_clock() {
        for off in [2 * HOUR, -2 * HOUR] {
            let time = corrected(off);
            for seconds in [0, 1, 3600, 500_000] {
                let elapsed = Duration::from_secs(seconds);
                assert_eq!(time.now(reading(off, elapsed)), TRUE_TIME + elapsed);
            }
        }
    }

    #[test]
    fn a_correction_is_forgotten_when_the_wall_clock_is_set() {
        let elapsed = Duration::from_secs(60);
        for off in [2 * HOUR, -2 * HOUR] {
            assert_eq!(
                corrected(off).now(reading(time::Duration::ZERO, elapsed)),
                TRUE_TIME + elapsed
            );
        }
    }

    #[test]
    fn a_correction_is_forgotten_when_the_monotonic_clock_stopped() {
        let slept = Duration::from_secs(8 * 3600);
        let awake = reading(-2 * HOUR, slept);
        let woken = Reading { monotonic: Duration::from_secs(5), ..awake };
        assert_eq!(corrected(-2 * HOUR).now(woken), awake.wall);
    }

    #[test]
    fn small_steps_of_the_wall_clock_do_not_move_the_services_time() {
        let (before, after) = (2 * HOUR, 2 * HOUR - time::Duration::seconds(20));
        let elapsed = Duration::from_secs(60);
        assert_eq!(corrected(before).now(reading(after, elapsed)), TRUE_TIME + elapsed);
        // Up to a minute.
        let (most, more) = (before - MAX_JUMP, before - MAX_JUMP - time::Duration::SECOND);
        assert_eq!(corrected(before).now(reading(most, elapsed)), TRUE_TIME + elapsed);
        assert_eq!(corrected(before).now(reading(more, elapsed)), TRUE_TIME + more + elapsed);
    }

    #[test]
    fn a_correction_of_more_than_a_day_is_rejected_and_changes_nothing() {
        let here = reading(time::Duration::ZERO, Duration::ZERO);
        for off in [24 * HOUR, -24 * HOUR] {
            assert!(ServiceTime::default().correct(TRUE_TIME + off, here).is_ok());
        }
        let second = time::Duration::SECOND;
        for server in [TRUE_TIME + 24 * HOUR + second, TRUE_TIME - 24 * HOUR - second] {
            let mut time = corrected(HOUR);
            let error = time.correct(server, here).unwrap_err();
            for part in [&shown(server), "2026-11-26T12:00:00Z"] {
                assert!(error.message().contains(part), "{error}");
            }
            assert_eq!(time.now(reading(HOUR, Duration::ZERO)), TRUE_TIME);
        }
    }

    #[test]
    fn corrections_do_not_add_up() {
        let here = reading(time::Duration::ZERO, Duration::ZERO);
        let mut time = ServiceTime::default();
        time.correct(TRUE_TIME + 20 * HOUR, here).unwrap();
        assert!(time.correct(TRUE_TIME + 40 * HOUR, here).is_err());
    }
}
