//! Options for batch operations.

use crate::config::limit;
use crate::error::{osslive_error, osslive_status};
use crate::guard::guard;
use crate::pointer::{boxed, exclusive, free, invalid};
use crate::unwind::guard_plain;
use sdk::{Limits, MonitorOptions, Result, SweepOptions};
use std::ptr;
use std::time::Duration;

/// Options for batch operations on channels: for osslive_monitor_channels,
/// osslive_put_channels and osslive_channel_monitor_new, which accept NULL for
/// the defaults. Yours to free with osslive_sweep_options_free; one thread at a
/// time.
#[derive(Clone)]
pub struct osslive_sweep_options {
    max_parallel: usize,
    rate: f64,
    time_limit: Option<Duration>,
    interval: Duration,
    limits: Limits,
}

impl Default for osslive_sweep_options {
    fn default() -> Self {
        osslive_sweep_options {
            max_parallel: 8,
            rate: 0.0,
            time_limit: None,
            interval: Duration::from_secs(30),
            limits: Limits::new(),
        }
    }
}

impl osslive_sweep_options {
    /// # Safety
    ///
    /// `options` is NULL or an object of this library that is not changed or freed
    /// during the call.
    pub(crate) unsafe fn or_default(options: *const Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { options.as_ref() }.cloned().unwrap_or_default()
    }

    pub(crate) fn for_sweep<'a>(&self) -> SweepOptions<'a> {
        let options = SweepOptions::new().max_parallel(self.max_parallel).rate(self.rate);
        match self.time_limit {
            Some(limit) => options.time_limit(limit),
            None => options,
        }
    }

    pub(crate) fn for_monitor(&self) -> MonitorOptions {
        let options = MonitorOptions::new()
            .interval(self.interval)
            .max_parallel(self.max_parallel)
            .rate(self.rate)
            .limits(self.limits.clone());
        match self.time_limit {
            Some(limit) => options.time_limit(limit),
            None => options,
        }
    }
}

/// Creates options with their defaults. Never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn osslive_sweep_options_new() -> *mut osslive_sweep_options {
    guard_plain(ptr::null_mut(), || boxed(osslive_sweep_options::default()))
}

/// Frees options. NULL is fine. Monitors created with them are unaffected.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_sweep_options_free(sweep_options: *mut osslive_sweep_options) {
    // SAFETY: NULL, or options of this library that are no longer used.
    unsafe { free(sweep_options) }
}

/// Sets the maximum number of concurrent requests, 1 to 256. Above 16, raise
/// the pool size of the client as well (osslive_config_set_pool_size). Defaults
/// to 8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_sweep_options_set_max_parallel(
    sweep_options: *mut osslive_sweep_options,
    max_parallel: u32,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set(sweep_options, out_error, |options| {
            if !(1..=256).contains(&max_parallel) {
                let message = format!("max_parallel {max_parallel}: must be 1 to 256");
                return Err(invalid(message));
            }
            options.max_parallel = max_parallel as usize;
            Ok(())
        })
    }
}

/// Sets the maximum request rate in requests per second, including retries; 0,
/// the default, means no limit. Batch operations always back off when throttled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_sweep_options_set_rate(
    sweep_options: *mut osslive_sweep_options,
    calls_per_second: f64,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set(sweep_options, out_error, |options| {
            if !(0.0..).contains(&calls_per_second) {
                let message = format!("calls_per_second {calls_per_second}: must be 0 or more");
                return Err(invalid(message));
            }
            options.rate = calls_per_second;
            Ok(())
        })
    }
}

/// Sets a timeout for the whole operation, or for each sweep of a monitor. Requests
/// in flight end when it is reached, and the remaining channels fail with the
/// kind "stopped". Defaults to none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_sweep_options_set_time_limit_ms(
    sweep_options: *mut osslive_sweep_options,
    timeout_ms: u32,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set(sweep_options, out_error, |options| {
            options.time_limit = Some(limit(timeout_ms)?);
            Ok(())
        })
    }
}

/// Sets a monitor's polling interval, from the start of one sweep to the start
/// of the next. If a sweep takes longer, the next follows at once. Defaults to
/// 30,000.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_sweep_options_set_interval_ms(
    sweep_options: *mut osslive_sweep_options,
    interval_ms: u32,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set(sweep_options, out_error, |options| {
            if interval_ms == 0 {
                return Err(invalid("interval_ms 0: must be greater than zero"));
            }
            options.interval = Duration::from_millis(interval_ms.into());
            Ok(())
        })
    }
}

/// Makes a monitor report live channels whose video and audio together are
/// below this many bytes per second. Streams that have not been measured yet
/// are not reported. Defaults to 0, which disables the report.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_sweep_options_set_min_bandwidth(
    sweep_options: *mut osslive_sweep_options,
    bytes_per_second: u64,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set(sweep_options, out_error, |options| {
            options.limits = options.limits.clone().min_bandwidth(bytes_per_second);
            Ok(())
        })
    }
}

/// Makes a monitor report a frame rate that fell by more than this fraction
/// between two sweeps: 0 reports every drop, 1 none. Defaults to 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_sweep_options_set_frame_rate_drop(
    sweep_options: *mut osslive_sweep_options,
    part: f64,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set(sweep_options, out_error, |options| {
            if !(0.0..=1.0).contains(&part) {
                return Err(invalid(format!("part {part}: must be 0 to 1")));
            }
            options.limits = options.limits.clone().frame_rate_drop(part);
            Ok(())
        })
    }
}

/// Sets an option, or leaves all unchanged.
///
/// # Safety
///
/// `sweep_options` is NULL or an object of this library that is not used elsewhere,
/// `out_error` is NULL or writable.
unsafe fn set(
    sweep_options: *mut osslive_sweep_options,
    out_error: *mut *mut osslive_error,
    change: impl FnOnce(&mut osslive_sweep_options) -> Result<()>,
) -> osslive_status {
    // SAFETY: the caller's promise.
    unsafe { guard(out_error, || change(exclusive(sweep_options, "sweep_options")?)) }
}
