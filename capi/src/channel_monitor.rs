//! The monitor, which sweeps at an interval.

use crate::client::osslive_client;
use crate::error::{osslive_error, osslive_status};
use crate::guard::{guard, guard_output};
use crate::pointer::{boxed, free, given_json, invalid, shared, texts};
use crate::sweep_options::osslive_sweep_options;
use libc::c_char;
use sdk::{Change, ChannelMonitor, Error, ErrorKind, Result, StopHandle, Sweep};
use serde::Serialize;
use std::ptr;
use std::sync::{Mutex, MutexGuard, TryLockError};

/// A monitor, which looks at channels again and again and tells what changed:
/// yours to free with osslive_channel_monitor_free. One thread at a time, but
/// for osslive_channel_monitor_stop.
pub struct osslive_channel_monitor {
    monitor: Mutex<ChannelMonitor>,
    stop: StopHandle,
}

// The header lets any thread stop a monitor that another one works with.
const _: () = {
    const fn is_shareable<T: Send + Sync>() {}
    is_shareable::<osslive_channel_monitor>();
};

impl osslive_channel_monitor {
    /// The monitor, unless another thread is at it: to wait for that one
    /// could be to wait for an interval.
    fn mine(&self) -> Result<MutexGuard<'_, ChannelMonitor>> {
        match self.monitor.try_lock() {
            Ok(monitor) => Ok(monitor),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(invalid("monitor is in use on another thread")),
        }
    }
}

/// What changed from one sweep to the next.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Changes {
    /// The changes, in the order of the channels.
    changes: Vec<Change>,
}

/// Makes a monitor. Nothing is sent. Ids and options are copied; the client
/// may be freed before the monitor.
///
/// - ids, n_ids: the channels, up to a million.
/// - sweep_options: interval, limits and pace, or NULL for the defaults.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_channel_monitor_new(
    client: *const osslive_client,
    ids: *const *const c_char,
    n_ids: usize,
    sweep_options: *const osslive_sweep_options,
    out_monitor: *mut *mut osslive_channel_monitor,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: pointers as the header's conventions ask for them.
    unsafe {
        guard_output((out_monitor, "out_monitor"), ptr::null_mut(), out_error, || {
            let client = &shared(client, "client")?.client;
            let ids = texts(ids, n_ids, "ids")?;
            let options = osslive_sweep_options::or_default(sweep_options).for_monitor();
            let monitor = ChannelMonitor::new(client, ids, options);
            let stop = monitor.stop_handle();
            Ok(boxed(osslive_channel_monitor { monitor: Mutex::new(monitor), stop }))
        })
    }
}

/// Stops and frees a monitor. NULL is fine. No call on it may be under way:
/// stop it first and let osslive_channel_monitor_next_changes return.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_channel_monitor_free(monitor: *mut osslive_channel_monitor) {
    // SAFETY: NULL, or a monitor of this library that is not used any more.
    unsafe { free(monitor) }
}

/// Waits until the next sweep is due, sweeps, and gives what changed, which
/// may be nothing. The first sweep is due at once and tells whatever is not
/// idle. Blocks for about the interval.
///
/// JSON: changes[] of id, time, change (and what belongs to it):
///
/// - "wentLive": remoteAddr?
/// - "wentIdle", "disabled", "enabled"
/// - "newPublisher": from, to (each "IP:PORT")
/// - "bandwidthLow": bandwidth, limit (bytes per second)
/// - "bandwidthRecovered": bandwidth, limit (likewise)
/// - "frameRateFell": from, to (frames per second)
/// - "failing": error (reported once, until "recovered")
/// - "recovered".
///
/// More may come: ignore what you do not know.
///
/// Fails with OSSLIVE_ERR_STOPPED once the monitor is stopped. That a call to
/// the service fails is a change, also after osslive_client_shutdown.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_channel_monitor_next_changes(
    monitor: *mut osslive_channel_monitor,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: pointers as the header's conventions ask for them.
    unsafe {
        guard_output((out_json, "out_json"), ptr::null_mut(), out_error, || {
            let changes = shared(monitor, "monitor")?.mine()?.next_changes();
            let stopped = || Error::new(ErrorKind::Stopped, "the monitor was stopped");
            given_json(&Changes { changes: changes.ok_or_else(stopped)? })
        })
    }
}

/// Returns the latest sweep as a whole. Nothing is sent; before the first sweep
/// its lists are empty.
///
/// JSON: as osslive_monitor_channels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_channel_monitor_last_sweep(
    monitor: *const osslive_channel_monitor,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: pointers as the header's conventions ask for them.
    unsafe {
        guard_output((out_json, "out_json"), ptr::null_mut(), out_error, || {
            let monitor = shared(monitor, "monitor")?.mine()?;
            given_json(monitor.last_sweep().unwrap_or(&Sweep::default()))
        })
    }
}

/// Stops a monitor from any thread: whatever
/// osslive_channel_monitor_next_changes waits for, it returns at once, and so
/// does each later one. A call under way ends on a thread of its own, within
/// the client's limit for calls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_channel_monitor_stop(
    monitor: *const osslive_channel_monitor,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: pointers as the header's conventions ask for them.
    unsafe {
        guard(out_error, || {
            shared(monitor, "monitor")?.stop.stop();
            Ok(())
        })
    }
}
