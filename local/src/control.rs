//! Control over the endpoint: fault rules, its clock, and the requests it received.
//! Tests of other software use it to simulate failures of the service.

mod clock;
mod faults;
mod rule;

pub use clock::ClockState;
pub use faults::ActiveFault;
pub use rule::{Disconnect, FaultRule, RuleError};
pub(crate) use rule::{RTMP_CONNECT, RTMP_PUBLISH};

use crate::clock::Clock;
use crate::event::Event;
use crate::journal::Journal;
use clock::MovableClock;
use faults::Faults;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use time::{Duration, OffsetDateTime};

/// A fault rule that was applied to a request.
#[derive(Debug, Clone)]
pub struct AppliedRule {
    /// The rule's id.
    pub id: u64,
    /// The rule.
    pub rule: Arc<FaultRule>,
    /// How many times hanging connections had been released by then.
    releases: u64,
}

/// Controls an endpoint that was configured with
/// [`Config::control`](crate::Config::control). Clones control the same endpoint.
///
/// ```
/// use osslive_local::{Config, FaultRule, LocalEndpoint};
///
/// let endpoint = LocalEndpoint::start(Config::temporary().control())?;
/// let control = endpoint.control().expect("control is enabled");
/// control.add(FaultRule {
///     status: Some(404),
///     code: Some("NoSuchLiveChannel".into()),
///     times: Some(1),
///     ..FaultRule::new("GetLiveChannelStat")
/// })?;
/// control.advance_clock(time::Duration::days(7));
///
/// let client = endpoint.client_builder().attempts(1).build()?;
/// assert!(client.get_channel_status("cam").is_err());
/// let (calls, _) = control.requests();
/// assert_eq!(calls.last().and_then(|call| call.status), Some(404));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Control(Arc<State>);

#[derive(Debug)]
struct State {
    /// The HTTP operations that a rule can name.
    operations: &'static [&'static str],
    faults: Faults,
    clock: MovableClock,
    journal: Arc<Journal>,
    /// How many times hanging connections were released.
    releases: AtomicU64,
}

impl Control {
    /// Returns control over a clock and requests for these operations.
    pub(crate) fn new(clock: Clock, operations: &'static [&'static str]) -> Self {
        Control(Arc::new(State {
            operations,
            faults: Faults::default(),
            clock: MovableClock::new(clock),
            journal: Arc::default(),
            releases: AtomicU64::new(0),
        }))
    }

    /// Adds a fault rule for future requests.
    ///
    /// # Errors
    ///
    /// The rule is invalid (the error names the field), or there are already 16,384.
    pub fn add(&self, rule: FaultRule) -> Result<ActiveFault, RuleError> {
        self.0.faults.add(rule, self.0.operations)
    }

    /// Returns the rules, with the number of times each has applied.
    pub fn faults(&self) -> Vec<ActiveFault> {
        self.0.faults.all()
    }

    /// Deletes a rule and closes hanging connections. Returns false if no rule has
    /// this id.
    pub fn remove(&self, id: u64) -> bool {
        let removed = self.0.faults.remove(id);
        self.release();
        removed
    }

    /// Deletes all rules and closes hanging connections.
    pub fn clear_faults(&self) {
        self.0.faults.clear();
        self.release();
    }

    /// Returns the state of the clock, which signatures, expiry, fragment names and
    /// history depend on.
    pub fn clock(&self) -> ClockState {
        self.0.clock.state()
    }

    /// Sets the clock.
    pub fn set_clock(&self, time: OffsetDateTime) {
        self.0.clock.set(time);
    }

    /// Moves the clock forward, or back if the duration is negative.
    pub fn advance_clock(&self, by: Duration) {
        self.0.clock.advance(by);
    }

    /// Sets how many seconds the clock advances per second; 0 freezes it.
    ///
    /// # Errors
    ///
    /// The rate is not between 0 and 3600.
    pub fn set_clock_rate(&self, rate: f64) -> Result<(), String> {
        self.0.clock.set_rate(rate)
    }

    /// Makes the clock follow the system clock again.
    pub fn reset_clock(&self) {
        self.0.clock.reset();
    }

    /// Returns the latest 10,000 events, oldest first, including requests and
    /// publishers, and the number of earlier events that were dropped.
    pub fn requests(&self) -> (Vec<Event>, u64) {
        self.0.journal.events()
    }

    /// Clears the events.
    pub fn clear_requests(&self) {
        self.0.journal.clear();
    }

    /// Returns the rule that applies to a request, and counts it as applied.
    pub(crate) fn apply(&self, operation: &str, key: &str) -> Option<AppliedRule> {
        // Read first, so that deleting the rule meanwhile releases the connection.
        let releases = self.0.releases.load(Ordering::Acquire);
        let (id, rule) = self.0.faults.apply(operation, key)?;
        Some(AppliedRule { id, rule, releases })
    }

    /// Returns whether there are no fault rules.
    pub(crate) fn has_no_faults(&self) -> bool {
        self.0.faults.is_empty()
    }

    /// Returns the clock that the endpoint uses.
    pub(crate) fn endpoint_clock(&self) -> Clock {
        let control = self.clone();
        Clock::from_fn(move || control.0.clock.now())
    }

    /// Returns the journal, which receives all events.
    pub(crate) fn journal(&self) -> Arc<Journal> {
        self.0.journal.clone()
    }

    /// Closes hanging connections.
    pub(crate) fn release(&self) {
        self.0.releases.fetch_add(1, Ordering::Release);
    }

    /// Returns whether hanging connections were closed since the rule was applied.
    pub(crate) fn is_released(&self, applied: &AppliedRule) -> bool {
        self.0.releases.load(Ordering::Acquire) != applied.releases
    }
}
