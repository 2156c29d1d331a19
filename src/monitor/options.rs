//! Options for batch operations on channels.

use crate::stop::StopHandle;
use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

/// The maximum number of concurrent requests.
const MAX_PARALLEL: usize = 256;

/// The progress of a batch operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct Progress {
    /// The number of finished items, failures included.
    pub done: usize,
    /// The total number of items.
    pub total: usize,
}

/// Options for [`monitor_channels`](crate::Client::monitor_channels) and
/// [`put_channels`](crate::Client::put_channels).
///
/// ```
/// use osslive::SweepOptions;
/// use std::time::Duration;
///
/// let options = SweepOptions::new()
///     .max_parallel(16)
///     .rate(200.0)
///     .time_limit(Duration::from_secs(60))
///     .progress(|progress| eprint!("\r{} of {}", progress.done, progress.total));
/// ```
#[derive(Default)]
#[must_use]
pub struct SweepOptions<'a> {
    pub(super) bounds: Bounds,
    pub(super) stop: StopHandle,
    progress: Option<RefCell<Callback<'a>>>,
}

type Callback<'a> = Box<dyn FnMut(Progress) + 'a>;

impl<'a> SweepOptions<'a> {
    /// Creates options with eight concurrent requests and no rate limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum number of concurrent requests, clamped to 1 to 256. Above
    /// 16, raise the client's [`pool_size`](crate::ClientBuilder::pool_size) as
    /// well. Defaults to 8.
    pub fn max_parallel(mut self, calls: usize) -> Self {
        self.bounds.max_parallel(calls);
        self
    }

    /// Sets the maximum request rate in requests per second, including retries.
    /// Values that are not positive mean no limit, the default.
    pub fn rate(mut self, calls_per_second: f64) -> Self {
        self.bounds.rate(calls_per_second);
        self
    }

    /// Sets a timeout for the whole operation. Requests in flight end when it is
    /// reached, and the remaining channels fail with
    /// [`ErrorKind::Stopped`](crate::ErrorKind::Stopped). Defaults to none.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.bounds.time_limit = Some(limit);
        self
    }

    /// Sets a handle that stops the operation from another thread or from the progress
    /// callback. Requests in flight are awaited, and the remaining channels fail
    /// with [`ErrorKind::Stopped`](crate::ErrorKind::Stopped).
    pub fn stop(mut self, handle: &StopHandle) -> Self {
        self.stop = handle.clone();
        self
    }

    /// Sets a progress callback, called after each channel on the calling thread.
    /// It need not be `Send` or fast.
    pub fn progress(mut self, callback: impl FnMut(Progress) + 'a) -> Self {
        self.progress = Some(RefCell::new(Box::new(callback)));
        self
    }

    pub(super) fn within(bounds: Bounds, stop: StopHandle) -> Self {
        SweepOptions { bounds, stop, progress: None }
    }

    pub(super) fn report(&self, progress: Progress) {
        // A callback that starts other work with the same options is not
        // called from inside itself.
        let Some(callback) = &self.progress else { return };
        if let Ok(mut callback) = callback.try_borrow_mut() {
            callback(progress);
        }
    }
}

impl fmt::Debug for SweepOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SweepOptions")
            .field("bounds", &self.bounds)
            .field("stop", &self.stop)
            .finish_non_exhaustive()
    }
}

/// The limits of batch operations.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bounds {
    pub(super) max_parallel: usize,
    /// Calls per second; infinite without a limit.
    pub(super) rate: f64,
    pub(super) time_limit: Option<Duration>,
}

impl Bounds {
    pub(super) fn max_parallel(&mut self, calls: usize) {
        self.max_parallel = calls.clamp(1, MAX_PARALLEL);
    }

    pub(super) fn rate(&mut self, calls_per_second: f64) {
        self.rate = if calls_per_second > 0.0 { calls_per_second } else { f64::INFINITY };
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { max_parallel: 8, rate: f64::INFINITY, time_limit: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_values_are_clamped() {
        let bounds = |options: SweepOptions<'_>| (options.bounds.max_parallel, options.bounds.rate);
        let new = SweepOptions::new;
        assert_eq!(bounds(new()), (8, f64::INFINITY));
        assert_eq!(bounds(new().max_parallel(0).rate(0.5)), (1, 0.5));
        assert_eq!(bounds(new().max_parallel(usize::MAX)).0, 256);
        for rate in [0.0, -1.0, f64::NAN] {
            assert_eq!(bounds(new().rate(rate)).1, f64::INFINITY);
        }
    }

    #[test]
    fn options_accumulate_without_showing_callbacks() {
        let (stop, mut reported) = (StopHandle::new(), 0);
        stop.stop();
        let options = SweepOptions::new()
            .progress(|_| reported += 1)
            .stop(&stop)
            .time_limit(Duration::from_secs(9))
            .rate(5.0)
            .max_parallel(3);
        let bounds =
            Bounds { max_parallel: 3, rate: 5.0, time_limit: Some(Duration::from_secs(9)) };
        assert_eq!(options.bounds, bounds);
        assert!(options.stop.is_stopped());
        assert!(format!("{options:?}").contains("max_parallel: 3"), "{options:?}");
        options.report(Progress { done: 1, total: 2 });
        drop(options);
        assert_eq!(reported, 1);
        assert_eq!(SweepOptions::within(bounds.clone(), StopHandle::new()).bounds, bounds);
    }
}
