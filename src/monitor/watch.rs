//! Sweeps at an interval, which tell what changed.

use super::change::{Change, Limits, Watch};
use super::options::{Bounds, SweepOptions};
use super::sweep::{Sweep, distinct};
use crate::client::Client;
use crate::limiter::RateLimiter;
use crate::stop::{StopHandle, Unfinished};
use std::ops::ControlFlow;
use std::panic;
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// How a [`ChannelMonitor`] sweeps, and what it reports.
///
/// ```
/// use osslive::{Limits, MonitorOptions};
/// use std::time::Duration;
///
/// let options = MonitorOptions::new()
///     .interval(Duration::from_secs(10))
///     .limits(Limits::new().min_bandwidth(100_000));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct MonitorOptions {
    interval: Duration,
    bounds: Bounds,
    limits: Limits,
}

impl MonitorOptions {
    /// A sweep every 30 seconds, eight calls at once.
    pub fn new() -> Self {
        MonitorOptions {
            interval: Duration::from_secs(30),
            bounds: Bounds::default(),
            limits: Limits::new(),
        }
    }

    /// Sets the time from the beginning of a sweep to the next. When a sweep
    /// takes longer, the next one follows at once. Defaults to 30 seconds.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Sets how many calls are under way at once, as
    /// [`SweepOptions::max_parallel`]. Defaults to 8.
    pub fn max_parallel(mut self, calls: usize) -> Self {
        self.bounds.max_parallel(calls);
        self
    }

    /// Sets how many calls begin in a second at most, as
    /// [`SweepOptions::rate`]. Defaults to no limit.
    pub fn rate(mut self, calls_per_second: f64) -> Self {
        self.bounds.rate(calls_per_second);
        self
    }

    /// Sets a limit for each sweep, as [`SweepOptions::time_limit`]. Defaults
    /// to none.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.bounds.time_limit = Some(limit);
        self
    }

    /// Sets from when on a stream is worth a report. Defaults to
    /// [`Limits::new`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

impl Default for MonitorOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Looks at channels again and again, and tells what changed.
///
/// It works on the thread that calls it. A pace to which the service slowed
/// it down is kept from sweep to sweep. Dropping it stops it.
///
/// ```no_run
/// # let client: osslive::Client = unimplemented!();
/// use osslive::{ChannelMonitor, MonitorOptions};
/// use std::ops::ControlFlow;
///
/// let ids = ["main-stage", "backstage", "audience"];
/// let mut monitor = ChannelMonitor::new(&client, ids, MonitorOptions::new());
/// let stop = monitor.stop_handle(); // for another thread
/// monitor.run(|change| {
///     println!("{change}");
///     ControlFlow::Continue(())
/// });
/// ```
#[derive(Debug)]
pub struct ChannelMonitor {
    client: Client,
    ids: Arc<[String]>,
    interval: Duration,
    bounds: Bounds,
    limiter: Arc<RateLimiter>,
    stop: StopHandle,
    watch: Watch,
    begun: Option<Instant>,
    last: Option<Sweep>,
}

impl ChannelMonitor {
    /// A monitor of these channels. Nothing is asked yet.
    pub fn new(
        client: &Client,
        ids: impl IntoIterator<Item = impl Into<String>>,
        options: MonitorOptions,
    ) -> Self {
        ChannelMonitor {
            client: client.clone(),
            ids: distinct(ids).into(),
            interval: options.interval,
            limiter: Arc::new(RateLimiter::new(options.bounds.rate)),
            bounds: options.bounds,
            stop: StopHandle::following(&client.engine().stop),
            watch: Watch::new(options.limits),
            begun: None,
            last: None,
        }
    }

    /// Returns what stops this monitor from another thread: whatever it waits
    /// for, the interval or a call that hangs, it returns at once. A call in
    /// flight ends on a thread of its own, within the client's timeout. Shutting
    /// the client down stops the monitor too.
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Waits until the next sweep is due, sweeps, and tells what changed,
    /// which may be nothing. The first sweep is due at once and tells whatever
    /// is not idle. `None` once stopped.
    pub fn next_changes(&mut self) -> Option<Vec<Change>> {
        let due = self
            .begun
            .map_or(Duration::ZERO, |begun| self.interval.saturating_sub(begun.elapsed()));
        if !self.stop.switch().sleep(due) {
            return None;
        }
        self.begun = Some(Instant::now());
        let sweep = self.sweep()?;
        let changes = self.watch.changes(&sweep, OffsetDateTime::now_utc());
        self.last = Some(sweep);
        Some(changes)
    }

    /// Sweeps and calls back with each change until that breaks or the
    /// monitor is stopped. After a break it may be run again.
    pub fn run(&mut self, mut callback: impl FnMut(Change) -> ControlFlow<()>) {
        while let Some(changes) = self.next_changes() {
            for change in changes {
                if callback(change).is_break() {
                    return;
                }
            }
        }
    }

    /// The latest sweep as a whole.
    pub fn last_sweep(&self) -> Option<&Sweep> {
        self.last.as_ref()
    }

    /// Sweeps on a thread of its own, so that a call that hangs does not keep a
    /// stop from being heard; on this one when the system has no more.
    fn sweep(&self) -> Option<Sweep> {
        match self.stop.switch().result_of(Duration::MAX, self.sweeper()) {
            Ok(sweep) => Some(sweep),
            Err(Unfinished::Stopped | Unfinished::TimedOut) => None,
            Err(Unfinished::NoThread(_)) => Some(self.sweeper()()),
            Err(Unfinished::Panicked(panic)) => panic::resume_unwind(panic),
        }
    }

    fn sweeper(&self) -> impl FnOnce() -> Sweep + Send + 'static {
        let (client, ids, limiter) = (self.client.clone(), self.ids.clone(), self.limiter.clone());
        let (bounds, stop) = (self.bounds.clone(), self.stop.clone());
        move || Sweep::take(&client, &ids, &SweepOptions::within(bounds, stop), &limiter)
    }
}

impl Drop for ChannelMonitor {
    fn drop(&mut self) {
        self.stop.stop();
    }
}
