//! Monitors: sweeps at an interval, reporting changes.

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

/// Options for a [`ChannelMonitor`].
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
    /// Creates options for a sweep every 30 seconds with eight concurrent requests.
    pub fn new() -> Self {
        MonitorOptions {
            interval: Duration::from_secs(30),
            bounds: Bounds::default(),
            limits: Limits::new(),
        }
    }

    /// Sets the polling interval, from the start of one sweep to the start of the
    /// next. If a sweep takes longer, the next follows at once. Defaults to 30
    /// seconds.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Sets the maximum number of concurrent requests; see
    /// [`SweepOptions::max_parallel`]. Defaults to 8.
    pub fn max_parallel(mut self, calls: usize) -> Self {
        self.bounds.max_parallel(calls);
        self
    }

    /// Sets the maximum request rate; see [`SweepOptions::rate`]. Defaults to no
    /// limit.
    pub fn rate(mut self, calls_per_second: f64) -> Self {
        self.bounds.rate(calls_per_second);
        self
    }

    /// Sets a timeout for each sweep; see [`SweepOptions::time_limit`]. Defaults to
    /// none.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.bounds.time_limit = Some(limit);
        self
    }

    /// Sets the limits beyond which streams are reported. Defaults to
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

/// Polls channels and reports changes.
///
/// It runs on the calling thread. A request rate lowered by throttling carries
/// over to the next sweep. Dropping a monitor stops it.
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
    started: Option<Instant>,
    took: Duration,
    last: Option<Sweep>,
}

impl ChannelMonitor {
    /// Creates a monitor of these channels. Sends nothing.
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
            started: None,
            took: Duration::ZERO,
            last: None,
        }
    }

    /// Returns a handle that stops this monitor from another thread: it returns at
    /// once, whatever it is waiting for. A request in flight ends on its own
    /// thread, within the client's timeout. Shutting down the client stops the
    /// monitor too.
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Replaces the channels, from the next sweep on. The state of removed ones is
    /// kept: see [`watch_mut`](Self::watch_mut).
    pub fn set_channels(&mut self, ids: impl IntoIterator<Item = impl Into<String>>) {
        self.ids = distinct(ids).into();
    }

    /// Returns what is known about the channels.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Returns what is known about the channels, to restore the state that an earlier
    /// process stored, or to remove channels.
    pub fn watch_mut(&mut self) -> &mut Watch {
        &mut self.watch
    }

    /// Waits until the next sweep is due, which is the time to replace the channels.
    /// Returns `true` then, or `false` once stopped. The first sweep is due at once.
    pub fn wait_until_due(&self) -> bool {
        let due = self
            .started
            .map_or(Duration::ZERO, |started| self.interval.saturating_sub(started.elapsed()));
        self.stop.switch().sleep(due)
    }

    /// Waits until the next sweep is due, sweeps, and returns the changes, if any.
    /// The first sweep is due at once and reports every channel that is not idle.
    /// Returns `None` once stopped.
    pub fn next_changes(&mut self) -> Option<Vec<Change>> {
        if !self.wait_until_due() {
            return None;
        }
        let started = Instant::now();
        self.started = Some(started);
        // Two sweeps of thousands of channels would take a lot of memory.
        self.last = None;
        let sweep = self.sweep()?;
        self.took = started.elapsed();
        let changes = self.watch.changes(&sweep, OffsetDateTime::now_utc());
        self.last = Some(sweep);
        Some(changes)
    }

    /// Calls `callback` with each change until the callback breaks or the monitor is
    /// stopped. After a break, it can run again.
    pub fn run(&mut self, mut callback: impl FnMut(Change) -> ControlFlow<()>) {
        while let Some(changes) = self.next_changes() {
            for change in changes {
                if callback(change).is_break() {
                    return;
                }
            }
        }
    }

    /// Returns the latest sweep; `None` before the first, and after a stop during
    /// one.
    pub fn last_sweep(&self) -> Option<&Sweep> {
        self.last.as_ref()
    }

    /// Returns how long the latest sweep took.
    pub fn last_duration(&self) -> Option<Duration> {
        self.last.as_ref().map(|_| self.took)
    }

    /// Sweeps on its own thread, so that a hanging call does not delay a stop; on this
    /// thread if the system has no more.
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
