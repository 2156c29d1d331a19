//! How fast calls may follow each other: slower at once when the service asks
//! for it, faster again little by little.

use crate::error::{Error, ErrorKind};
use crate::retry;
use crate::stop::Stop;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The slowest rate, in calls per second, at which an answer to "is it better
/// now" still comes soon.
const FLOOR: f64 = 5.0;
/// How long a new rate is tried before it is lowered further. The service
/// counts calls per second: refusals of the same second tell nothing new.
const TRIAL: Duration = Duration::from_secs(1);
/// The part of the rate that is regained in a second.
const REGAINED: f64 = 1.0 / 8.0;
/// The weight of one answer in the share of those that were busy.
const WEIGHT: f64 = 1.0 / 20.0;
/// The share of busy answers beyond which it is the service that is busy, and
/// not a channel or two.
const BUSY: f64 = 1.0 / 5.0;

/// What an answer says about the service's load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    /// The service did its work.
    Fine,
    /// There was no answer, or none that tells.
    Unknown,
    /// The service was busy, perhaps with this channel alone.
    Busy,
    /// The service asked to slow down.
    Throttled,
}

impl Load {
    /// Returns what an outcome says.
    pub(crate) fn of<T>(outcome: &Result<T, Error>) -> Load {
        outcome.as_ref().map_or_else(Load::of_error, |_| Load::Fine)
    }

    /// Returns what an error says. One that the service itself chose shows that
    /// it is up.
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
    /// Creates a limiter with a highest rate in calls per second, which may be
    /// infinite.
    pub(crate) fn new(rate: f64) -> Self {
        RateLimiter { state: Mutex::new(State::new(rate)), zero: Instant::now() }
    }

    /// Returns how long the next call has to wait at least.
    pub(crate) fn delay(&self) -> Duration {
        let now = self.zero.elapsed();
        self.lock().earliest(now).saturating_sub(now)
    }

    /// Waits until the next call may begin. Returns whether it may: not when
    /// stopped before, nor when that would be after the deadline.
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

    /// Adapts the rate to what an answer says about the service's load.
    pub(crate) fn note(&self, load: Load) {
        let now = self.zero.elapsed();
        self.lock().note(now, load);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state of a limiter, by a clock that the caller reads.
#[derive(Debug)]
struct State {
    /// The highest rate in calls per second; infinite without a limit.
    ceiling: f64,
    /// The rate of now; infinite until the service asks to slow down.
    rate: f64,
    /// The rate at which the service last asked.
    peak: f64,
    /// When the next call may begin.
    next: Duration,
    /// Until when the rate was reckoned.
    reckoned: Duration,
    /// The share of recent answers that were busy.
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
            reckoned: Duration::ZERO,
            busy: 0.0,
            measured: Meter::default(),
        }
    }

    /// Returns when one more call may begin.
    fn earliest(&self, now: Duration) -> Duration {
        self.next.max(now)
    }

    /// Takes the time at which one more call may begin.
    fn reserve(&mut self, now: Duration) -> Duration {
        let begin = self.earliest(now);
        let apart = Duration::try_from_secs_f64(1.0 / self.rate).unwrap_or(Duration::MAX);
        self.next = begin.saturating_add(apart);
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
            Load::Busy if self.busy > BUSY => self.slow_down(now),
            Load::Fine => self.speed_up(now),
            Load::Busy | Load::Unknown => {}
        }
    }

    fn slow_down(&mut self, now: Duration) {
        if now < self.reckoned {
            return;
        }
        self.peak = if self.rate.is_finite() { self.rate } else { self.measured.rate(now) };
        self.rate = (self.peak / 2.0).max(FLOOR).min(self.ceiling);
        self.next = self.next.max(now);
        self.reckoned = now + TRIAL;
    }

    fn speed_up(&mut self, now: Duration) {
        let Some(passed) = now.checked_sub(self.reckoned) else { return };
        self.reckoned = now;
        // A rate far above what is reached would be no brake when one is
        // needed again.
        if self.rate < self.ceiling && self.rate < 2.0 * self.measured.rate(now) {
            // A pause is no proof that the service can do more.
            let passed = passed.min(TRIAL).as_secs_f64();
            let gain = self.peak.max(self.rate) * REGAINED * passed;
            self.rate = (self.rate + gain).min(self.ceiling);
        }
    }
}

/// Counts answers per second.
#[derive(Debug, Default)]
struct Meter {
    since: Duration,
    count: u32,
    last: Option<f64>,
}

impl Meter {
    const WINDOW: Duration = Duration::from_secs(1);
    /// Below this a rate is guesswork.
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

    /// Notes answers at a thousandth of a second each.
    fn answers(limiter: &mut State, from: Duration, count: u32, load: Load) -> Duration {
        let mut now = from;
        for _ in 0..count {
            now += Duration::from_millis(1);
            limiter.note(now, load);
        }
        now
    }

    #[test]
    fn without_a_rate_and_without_refusals_nothing_waits() {
        let mut limiter = State::new(f64::INFINITY);
        for _ in 0..1000 {
            assert_eq!(limiter.reserve(SECOND), SECOND);
            limiter.note(SECOND, Load::Fine);
        }
    }

    #[test]
    fn calls_are_spread_at_the_rate_that_was_set() {
        let mut limiter = State::new(4.0);
        let begins: Vec<_> = (0..4).map(|_| limiter.reserve(SECOND).as_millis()).collect();
        assert_eq!(begins, [1000, 1250, 1500, 1750]);
        // What was not used is not saved up.
        assert_eq!(limiter.reserve(SECOND * 10), SECOND * 10);
        assert_eq!(limiter.reserve(SECOND * 10).as_millis(), 10_250);
    }

    #[test]
    fn a_refusal_halves_the_rate_that_was_reached() {
        let mut limiter = State::new(f64::INFINITY);
        let now = answers(&mut limiter, SECOND, 500, Load::Fine);
        limiter.note(now, Load::Throttled);
        assert!((240.0..=260.0).contains(&(limiter.rate / 2.0)), "{}", limiter.rate);
        let (first, second) = (limiter.reserve(now), limiter.reserve(now));
        assert!(second > first, "{first:?} {second:?}");
    }

    #[test]
    fn refusals_of_the_same_second_count_once() {
        let mut limiter = State::new(800.0);
        let now = answers(&mut limiter, SECOND, 500, Load::Throttled);
        assert_eq!(limiter.rate, 400.0);
        limiter.note(now + SECOND, Load::Throttled);
        assert_eq!(limiter.rate, 200.0);
    }

    #[test]
    fn the_rate_never_falls_below_a_floor_nor_rises_above_what_was_set() {
        let mut limiter = State::new(100.0);
        let mut now = SECOND;
        for _ in 0..20 {
            now += SECOND;
            limiter.note(now, Load::Throttled);
        }
        assert_eq!(limiter.rate, FLOOR);
        answers(&mut limiter, now + SECOND, 100_000, Load::Fine);
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
        // The first second is the new rate's trial.
        let mut now = SECOND;
        for _ in 0..5 {
            now = answers(&mut limiter, now, 1000, Load::Fine);
            rates.push(limiter.rate.round());
        }
        assert_eq!(rates, [400.0, 500.0, 600.0, 700.0, 800.0]);
    }

    #[test]
    fn a_rate_that_is_not_reached_is_not_raised() {
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
            now = answers(&mut limiter, now, 3, Load::Busy);
            now = answers(&mut limiter, now, 97, Load::Fine);
        }
        assert_eq!(limiter.rate, 1000.0);
    }

    #[test]
    fn a_busy_service_is_given_time() {
        let mut limiter = State::new(1000.0);
        let mut now = SECOND;
        for _ in 0..10 {
            now = answers(&mut limiter, now, 1, Load::Busy);
            now = answers(&mut limiter, now, 1, Load::Fine);
        }
        assert_eq!(limiter.rate, 500.0);
    }

    #[test]
    fn a_wait_ends_early_when_it_is_stopped_or_would_be_in_vain() {
        let (limiter, stop) = (RateLimiter::new(0.001), Stop::default());
        assert!(limiter.wait(&stop, None));
        assert!(!limiter.wait(&stop, Some(Instant::now() + SECOND)));
        stop.stop();
        assert!(!limiter.wait(&stop, None));
    }
}
