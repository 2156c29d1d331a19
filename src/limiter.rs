//! The request rate: lowered at once when the service asks for it, then raised
//! step by step.

use crate::error::{Error, ErrorKind};
use crate::retry;
use crate::stop::Stop;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The lowest rate, in calls per second, at which a recovery is still noticed soon.
const MIN_RATE: f64 = 5.0;
/// How long a new rate is tried before it is lowered further. The service
/// counts calls per second: rejections within the same second carry no new
/// information.
const TRIAL: Duration = Duration::from_secs(1);
/// The fraction of the rate that is regained in a second.
const REGAINED_PER_SECOND: f64 = 1.0 / 8.0;
/// The weight of one response in the share of busy responses.
const WEIGHT: f64 = 1.0 / 20.0;
/// The share of busy responses above which the service is considered busy, not
/// just a channel or two.
const BUSY_SHARE: f64 = 1.0 / 5.0;

/// What a response says about the service's load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    /// The service handled the request.
    Fine,
    /// There was no response, or one that says nothing about the load.
    Unknown,
    /// The service was busy, perhaps only with this channel.
    Busy,
    /// The service asked to slow down.
    Throttled,
}

impl Load {
    /// Returns the load that an outcome indicates.
    pub(crate) fn of<T>(outcome: &Result<T, Error>) -> Load {
        outcome.as_ref().map_or_else(Load::of_error, |_| Load::Fine)
    }

    /// Returns the load that an error indicates. An error of the service itself shows
    /// that it is up.
    pub(crate) fn of_error(error: &Error) -> Load {
        match error.kind() {
            _ if retry::is_throttled(error) => Load::Throttled,
            _ if retry::is_busy(error) => Load::Busy,
            ErrorKind::Service if !retry::is_retryable(error) => Load::Fine,
            _ => Load::Unknown,
        }
    }
}

/// The request rate that all workers of a sweep share.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    state: Mutex<State>,
    zero: Instant,
}

impl RateLimiter {
    /// Creates a limiter with a maximum rate in calls per second, which may be
    /// infinite.
    pub(crate) fn new(rate: f64) -> Self {
        RateLimiter { state: Mutex::new(State::new(rate)), zero: Instant::now() }
    }

    /// Returns the minimum delay before the next call.
    pub(crate) fn delay(&self) -> Duration {
        let now = self.zero.elapsed();
        self.lock().earliest(now).saturating_sub(now)
    }

    /// Waits until the next call may start. Returns false if it was stopped before
    /// then, or if that would be after the deadline.
    pub(crate) fn wait(&self, stop: &Stop, deadline: Option<Instant>) -> bool {
        let now = self.zero.elapsed();
        let is_late = |begin| {
            deadline.is_some_and(|deadline| {
                self.zero.checked_add(begin).is_none_or(|begin| begin >= deadline)
            })
        };
        let begin = {
            let mut state = self.lock();
            if is_late(state.earliest(now)) {
                return false;
            }
            state.reserve(now)
        };
        stop.sleep(begin.saturating_sub(now))
    }

    /// Adapts the rate to the load that a response indicates.
    pub(crate) fn note(&self, load: Load) {
        let now = self.zero.elapsed();
        self.lock().note(now, load);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state of a limiter. The caller reads the clock.
#[derive(Debug)]
struct State {
    /// The maximum rate in calls per second; infinite without a limit.
    ceiling: f64,
    /// The current rate; infinite until the service asks to slow down.
    rate: f64,
    /// The rate at which the service last asked to slow down.
    peak: f64,
    /// When the next call may start.
    next: Duration,
    /// When the rate was last updated.
    updated: Duration,
    /// The share of recent responses that were busy.
    busy: f64,
    measured: Meter,
}

impl State {
    fn new(rate: f64) -> Self {
        State {
            ceiling: rate,
            rate,
            peak: 0.0,
            next: Duration::ZERO,
            updated: Duration::ZERO,
            busy: 0.0,
            measured: Meter::default(),
        }
    }

    /// Returns when the next call may start.
    fn earliest(&self, now: Duration) -> Duration {
        self.next.max(now)
    }

    /// Reserves the time at which the next call may start, and returns it.
    fn reserve(&mut self, now: Duration) -> Duration {
        let begin = self.earliest(now);
        let interval = Duration::try_from_secs_f64(1.0 / self.rate).unwrap_or(Duration::MAX);
        self.next = begin.saturating_add(interval);
        begin
    }

    fn note(&mut self, now: Duration, load: Load) {
        self.measured.count(now);
        if load != Load::Unknown {
            let busy = f64::from(u8::from(load == Load::Busy));
            self.busy += (busy - self.busy) * WEIGHT;
        }
        match load {
            Load::Throttled => self.slow_down(now),
            Load::Busy if self.busy > BUSY_SHARE => self.slow_down(now),
            Load::Fine => self.speed_up(now),
            Load::Busy | Load::Unknown => {}
        }
    }

    fn slow_down(&mut self, now: Duration) {
        if now < self.updated {
            return;
        }
        self.peak = if self.rate.is_finite() { self.rate } else { self.measured.rate(now) };
        self.rate = (self.peak / 2.0).max(MIN_RATE).min(self.ceiling);
        self.next = self.next.max(now);
        self.updated = now + TRIAL;
    }

    fn speed_up(&mut self, now: Duration) {
        let Some(passed) = now.checked_sub(self.updated) else { return };
        self.updated = now;
        // A rate far above the measured one would not slow anything down
        // when that is needed again.
        if self.rate < self.ceiling && self.rate < 2.0 * self.measured.rate(now) {
            // A pause does not prove that the service can handle more.
            let passed = passed.min(TRIAL).as_secs_f64();
            let gain = self.peak.max(self.rate) * REGAINED_PER_SECOND * passed;
            self.rate = (self.rate + gain).min(self.ceiling);
        }
    }
}

/// Counts responses per second.
#[derive(Debug, Default)]
struct Meter {
    since: Duration,
    count: u32,
    last: Option<f64>,
}

impl Meter {
    const WINDOW: Duration = Duration::from_secs(1);
    /// Over a shorter time, a rate is guesswork.
    const SHORTEST: f64 = 0.02;

    fn count(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.since);
        if self.count == 0 || passed > Self::WINDOW * 2 {
            *self = Meter { since: now, count: 0, last: None };
        } else if passed >= Self::WINDOW {
            let rate = f64::from(self.count) / passed.as_secs_f64();
            *self = Meter { since: now, count: 0, last: Some(rate) };
        }
        self.count += 1;
    }

    fn rate(&self, now: Duration) -> f64 {
        let passed = now.saturating_sub(self.since).as_secs_f64().max(Self::SHORTEST);
        self.last.unwrap_or(f64::from(self.count) / passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Notes responses, one per millisecond.
    fn respond(limiter: &mut State, from: Duration, count: u32, load: Load) -> Duration {
        let mut now = from;
        for _ in 0..count {
            now += Duration::from_millis(1);
            limiter.note(now, load);
        }
        now
    }

    #[test]
    fn without_a_rate_or_rejections_nothing_waits() {
        let mut limiter = State::new(f64::INFINITY);
        for _ in 0..1000 {
            assert_eq!(limiter.reserve(SECOND), SECOND);
            limiter.note(SECOND, Load::Fine);
        }
    }

    #[test]
    fn calls_are_spaced_at_the_configured_rate() {
        let mut limiter = State::new(4.0);
        let begins: Vec<_> = (0..4).map(|_| limiter.reserve(SECOND).as_millis()).collect();
        assert_eq!(begins, [1000, 1250, 1500, 1750]);
        // Unused capacity is not saved up.
        assert_eq!(limiter.reserve(SECOND * 10), SECOND * 10);
        assert_eq!(limiter.reserve(SECOND * 10).as_millis(), 10_250);
    }

    #[test]
    fn a_rejection_halves_the_measured_rate() {
        let mut limiter = State::new(f64::INFINITY);
        let now = respond(&mut limiter, SECOND, 500, Load::Fine);
        limiter.note(now, Load::Throttled);
        assert!((240.0..=260.0).contains(&(limiter.rate / 2.0)), "{}", limiter.rate);
        let (first, second) = (limiter.reserve(now), limiter.reserve(now));
        assert!(second > first, "{first:?} {second:?}");
    }

    #[test]
    fn rejections_within_the_same_second_count_once() {
        let mut limiter = State::new(800.0);
        let now = respond(&mut limiter, SECOND, 500, Load::Throttled);
        assert_eq!(limiter.rate, 400.0);
        limiter.note(now + SECOND, Load::Throttled);
        assert_eq!(limiter.rate, 200.0);
    }

    #[test]
    fn the_rate_stays_between_the_minimum_and_the_configured_rate() {
        let mut limiter = State::new(100.0);
        let mut now = SECOND;
        for _ in 0..20 {
            now += SECOND;
            limiter.note(now, Load::Throttled);
        }
        assert_eq!(limiter.rate, MIN_RATE);
        respond(&mut limiter, now + SECOND, 100_000, Load::Fine);
        assert_eq!(limiter.rate, 100.0);
        let mut slow = State::new(2.0);
        slow.note(SECOND, Load::Throttled);
        assert_eq!(slow.rate, 2.0);
    }

    #[test]
    fn the_rate_is_regained_in_equal_steps() {
        let mut limiter = State::new(800.0);
        limiter.note(SECOND, Load::Throttled);
        let mut rates = Vec::new();
        // During the first second, the new rate is on trial.
        let mut now = SECOND;
        for _ in 0..5 {
            now = respond(&mut limiter, now, 1000, Load::Fine);
            rates.push(limiter.rate.round());
        }
        assert_eq!(rates, [400.0, 500.0, 600.0, 700.0, 800.0]);
    }

    #[test]
    fn an_unused_rate_is_not_raised() {
        let mut limiter = State::new(800.0);
        limiter.note(SECOND, Load::Throttled);
        for seconds in 3..100 {
            for _ in 0..10 {
                limiter.note(SECOND * seconds, Load::Fine);
            }
        }
        assert_eq!(limiter.rate, 400.0);
    }

    #[test]
    fn a_few_busy_channels_do_not_slow_down_the_rest() {
        let mut limiter = State::new(1000.0);
        let mut now = SECOND;
        for _ in 0..100 {
            now = respond(&mut limiter, now, 3, Load::Busy);
            now = respond(&mut limiter, now, 97, Load::Fine);
        }
        assert_eq!(limiter.rate, 1000.0);
    }

    #[test]
    fn a_busy_service_lowers_the_rate() {
        let mut limiter = State::new(1000.0);
        let mut now = SECOND;
        for _ in 0..10 {
            now = respond(&mut limiter, now, 1, Load::Busy);
            now = respond(&mut limiter, now, 1, Load::Fine);
        }
        assert_eq!(limiter.rate, 500.0);
    }

    #[test]
    fn a_wait_ends_early_if_it_is_stopped_or_would_miss_the_deadline() {
        let (limiter, stop) = (RateLimiter::new(0.001), Stop::default());
        assert!(limiter.wait(&stop, None));
        assert!(!limiter.wait(&stop, Some(Instant::now() + SECOND)));
        stop.stop();
        assert!(!limiter.wait(&stop, None));
    }

    #[test]
    fn the_share_of_busy_responses_is_that_of_the_recent_ones() {
        let mut limiter = State::new(1000.0);
        for _ in 0..200 {
            limiter.note(SECOND, Load::Busy);
            limiter.note(SECOND, Load::Fine);
        }
        assert!((0.4..0.6).contains(&limiter.busy), "{}", limiter.busy);
    }

    #[test]
    fn a_rate_of_which_more_than_half_is_used_is_raised() {
        let mut limiter = State::new(800.0);
        limiter.note(SECOND, Load::Throttled);
        let mut now = SECOND * 2;
        for _ in 0..1000 {
            now += Duration::from_millis(4);
            limiter.note(now, Load::Fine);
        }
        assert!(limiter.rate > 400.0, "{}", limiter.rate);
    }

    #[test]
    fn the_rate_of_responses_is_measured_over_one_to_two_seconds() {
        for (passed, rate) in [(SECOND, 120.0), (SECOND * 2, 60.0)] {
            let mut meter = Meter::default();
            (0..120).for_each(|_| meter.count(SECOND));
            meter.count(SECOND + passed);
            assert_eq!(meter.rate(SECOND + passed), rate);
        }
        // A measurement from before a pause is not used.
        let mut meter = Meter::default();
        (0..100).for_each(|_| meter.count(SECOND));
        meter.count(SECOND * 9);
        assert_eq!(meter.rate(SECOND * 9 + Duration::from_millis(100)), 10.0);
    }

    #[test]
    fn an_error_indicates_the_load_of_the_service() {
        let service = |status| Error::new(ErrorKind::Service, "").with_status(status);
        for (error, load) in [
            (service(429), Load::Throttled),
            (service(503), Load::Busy),
            (service(404), Load::Fine),
            (service(500), Load::Unknown),
            (Error::new(ErrorKind::Connection, ""), Load::Unknown),
        ] {
            assert_eq!(Load::of_error(&error), load, "{error:?}");
        }
        assert_eq!(Load::of(&Ok(())), Load::Fine);
    }

    #[test]
    fn a_limiter_announces_the_delay_and_slows_down_when_throttled() {
        let limiter = RateLimiter::new(0.001);
        assert_eq!(limiter.delay(), Duration::ZERO);
        assert!(limiter.wait(&Stop::default(), None));
        assert!(limiter.delay() > SECOND);
        let limiter = RateLimiter::new(f64::INFINITY);
        limiter.note(Load::Throttled);
        assert!(limiter.lock().rate.is_finite());
    }
}
