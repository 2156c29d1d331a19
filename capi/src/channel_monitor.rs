//! The monitor, which sweeps at an interval.

use crate::client::osslive_client;
use crate::error::{osslive_error, osslive_status};
use crate::guard::{guard, guard_output};
use crate::pointer::{boxed, free, invalid, json_into_c_string, shared, strings};
use crate::sweep_options::osslive_sweep_options;
use libc::c_char;
use sdk::{Change, ChannelMonitor, Error, ErrorKind, Result, StopHandle, Sweep};
use serde::Serialize;
use std::ptr;
use std::sync::{Mutex, MutexGuard, TryLockError};

/// A monitor, which polls channels and reports changes: yours to free with
/// osslive_channel_monitor_free. One thread at a time, except for
/// osslive_channel_monitor_stop.
pub struct osslive_channel_monitor {
    monitor: Mutex<ChannelMonitor>,
    stop: StopHandle,
}

// The header allows any thread to stop a monitor that another one uses.
const _: () = {
    const fn is_shareable<T: Send + Sync>() {}
    is_shareable::<osslive_channel_monitor>();
};

impl osslive_channel_monitor {
    /// Returns the monitor, unless another thread uses it: waiting for that one could
    /// take a whole interval.
    fn lock(&self) -> Result<MutexGuard<'_, ChannelMonitor>> {
        match self.monitor.try_lock() {
            Ok(monitor) => Ok(monitor),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(invalid("monitor is in use on another thread")),
        }
    }
}

/// The changes from one sweep to the next.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Changes {
    /// The changes, in the order of the channels.
    changes: Vec<Change>,
}

/// Creates a monitor. Sends nothing. Ids and options are copied; the client may
/// be freed before the monitor.
///
/// - ids, n_ids: the channels, up to a million.
/// - sweep_options: interval, limits and request rate, or NULL for the
///   defaults.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_channel_monitor_new(
    client: *const osslive_client,
    ids: *const *const c_char,
    n_ids: usize,
    sweep_options: *const osslive_sweep_options,
    out_monitor: *mut *mut osslive_channel_monitor,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard_output((out_monitor, "out_monitor"), ptr::null_mut(), out_error, || {
            let client = &shared(client, "client")?.client;
            let ids = strings(ids, n_ids, "ids")?;
            let options = osslive_sweep_options::or_default(sweep_options).for_monitor();
            let monitor = ChannelMonitor::new(client, ids, options);
            let stop = monitor.stop_handle();
            Ok(boxed(osslive_channel_monitor { monitor: Mutex::new(monitor), stop }))
        })
    }
}

/// Stops and frees a monitor. NULL is fine. No call on it may be in progress:
/// stop it first and let osslive_channel_monitor_next_changes return.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_channel_monitor_free(monitor: *mut osslive_channel_monitor) {
    // SAFETY: NULL, or a monitor of this library that is no longer used.
    unsafe { free(monitor) }
}

/// Waits until the next sweep is due, sweeps, and returns the changes, if any. The
/// first sweep is due at once and reports every channel that is not idle. Blocks for
/// about the interval.
///
/// JSON: changes[] of id, time, change (and its details):
///
/// - "wentLive": remoteAddr?
/// - "wentIdle", "disabled", "enabled"
/// - "newPublisher": from, to (each "IP:PORT")
/// - "bandwidthLow": bandwidth, limit (bytes per second)
/// - "bandwidthRecovered": bandwidth, limit (bytes per second)
/// - "frameRateFell": from, to (frames per second)
/// - "failing": error (reported once, until "recovered")
/// - "recovered"
/// - "gone" (the channel does not exist; reported once, until "created")
/// - "created".
///
/// Ignore values you do not know: later versions may add some.
///
/// Fails with OSSLIVE_ERR_STOPPED once the monitor is stopped. A failed call to
/// the service is reported as a change, even after osslive_client_shutdown.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_channel_monitor_next_changes(
    monitor: *mut osslive_channel_monitor,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard_output((out_json, "out_json"), ptr::null_mut(), out_error, || {
            let changes = shared(monitor, "monitor")?.lock()?.next_changes();
            let stopped = || Error::new(ErrorKind::Stopped, "the monitor was stopped");
            json_into_c_string(&Changes { changes: changes.ok_or_else(stopped)? })
        })
    }
}

/// Returns the latest sweep. Sends nothing. Before the first sweep, its lists
/// are empty.
///
/// JSON: as osslive_monitor_channels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_channel_monitor_last_sweep(
    monitor: *const osslive_channel_monitor,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard_output((out_json, "out_json"), ptr::null_mut(), out_error, || {
            let monitor = shared(monitor, "monitor")?.lock()?;
            json_into_c_string(monitor.last_sweep().unwrap_or(&Sweep::default()))
        })
    }
}

/// Stops a monitor from any thread: osslive_channel_monitor_next_changes
/// returns at once, whatever it is waiting for, and later calls fail in the
/// same way. A request in flight ends on its own thread, within the timeout of
/// the client.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_channel_monitor_stop(
    monitor: *const osslive_channel_monitor,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard(out_error, || {
            shared(monitor, "monitor")?.stop.stop();
            Ok(())
        })
    }
}
