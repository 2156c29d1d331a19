//! The endpoint under control: faults that are ordered, its clock, and what was
//! called. Tests of other software order what the service would do on a bad day.

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

/// A fault that was ordered for a call.
#[derive(Debug, Clone)]
pub struct Ordered {
    /// The number of the rule.
    pub id: u64,
    /// The rule.
    pub rule: Arc<FaultRule>,
    /// How often whatever hangs had been let go before.
    releases: u64,
}

/// Controls an endpoint that was configured with
/// [`Config::control`](crate::Config::control). Clones control the same endpoint.
///
/// ```
/// use osslive_local::{Config, FaultRule, LocalEndpoint};
///
/// let endpoint = LocalEndpoint::start(Config::temporary().control())?;
/// let control = endpoint.control().expect("it was configured");
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
    /// The operations over HTTP that a rule may name.
    operations: &'static [&'static str],
    faults: Faults,
    clock: MovableClock,
    journal: Arc<Journal>,
    /// Counts how often whatever hangs was let go.
    releases: AtomicU64,
}

impl Control {
    /// Control over a clock and the calls of these operations.
    pub(crate) fn new(clock: Clock, operations: &'static [&'static str]) -> Self {
        Control(Arc::new(State {
            operations,
            faults: Faults::default(),
            clock: MovableClock::new(clock),
            journal: Arc::default(),
            releases: AtomicU64::new(0),
        }))
    }

    /// Orders a fault. It applies to the calls that come after this.
    ///
    /// # Errors
    ///
    /// The rule makes no sense, which the error explains, or there are 16,384
    /// already.
    pub fn add(&self, rule: FaultRule) -> Result<ActiveFault, RuleError> {
        self.0.faults.add(rule, self.0.operations)
    }

    /// The rules that were added and not deleted, with how often each applied.
    pub fn faults(&self) -> Vec<ActiveFault> {
        self.0.faults.all()
    }

    /// Deletes a rule, and lets go what hangs. False if there is none of this
    /// number.
    pub fn remove(&self, id: u64) -> bool {
        let removed = self.0.faults.remove(id);
        self.release();
        removed
    }

    /// Deletes all rules, and lets go what hangs.
    pub fn clear_faults(&self) {
        self.0.faults.clear();
        self.release();
    }

    /// What the endpoint's clock shows: signatures, expiry, fragment names and
    /// history go by it.
    pub fn clock(&self) -> ClockState {
        self.0.clock.state()
    }

    /// Sets the clock.
    pub fn set_clock(&self, time: OffsetDateTime) {
        self.0.clock.set(time);
    }

    /// Moves the clock, back by a negative duration.
    pub fn advance_clock(&self, by: Duration) {
        self.0.clock.advance(by);
    }

    /// Lets the clock pass so many seconds in each: 0 freezes it, 1 is the usual.
    ///
    /// # Errors
    ///
    /// A rate that is not from 0 to 3600.
    pub fn set_clock_rate(&self, rate: f64) -> Result<(), String> {
        self.0.clock.set_rate(rate)
    }

    /// Lets the clock follow the real one again.
    pub fn reset_clock(&self) {
        self.0.clock.reset();
    }

    /// The newest 10,000 events, oldest first, requests and publishers among
    /// them, and how many before those are gone.
    pub fn requests(&self) -> (Vec<Event>, u64) {
        self.0.journal.events()
    }

    /// Forgets what was called.
    pub fn clear_requests(&self) {
        self.0.journal.clear();
    }

    /// The fault that is ordered for a call, which counts as applied.
    pub(crate) fn strike(&self, operation: &str, key: &str) -> Option<Ordered> {
        // Read first: a rule that is deleted meanwhile lets go what it made hang.
        let releases = self.0.releases.load(Ordering::Acquire);
        let (id, rule) = self.0.faults.strike(operation, key)?;
        Some(Ordered { id, rule, releases })
    }

    /// Whether no fault is ordered for any call.
    pub(crate) fn is_calm(&self) -> bool {
        self.0.faults.is_empty()
    }

    /// The clock that the endpoint goes by.
    pub(crate) fn endpoint_clock(&self) -> Clock {
        let control = self.clone();
        Clock::from_fn(move || control.0.clock.now())
    }

    /// Where all events go.
    pub(crate) fn journal(&self) -> Arc<Journal> {
        self.0.journal.clone()
    }

    /// Lets go whatever hangs.
    pub(crate) fn release(&self) {
        self.0.releases.fetch_add(1, Ordering::Release);
    }

    /// Whether what a fault makes hang was let go since.
    pub(crate) fn is_released(&self, ordered: &Ordered) -> bool {
        self.0.releases.load(Ordering::Acquire) != ordered.releases
    }
}
