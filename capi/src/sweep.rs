//! The calls on many channels at once.

use crate::channel_config::osslive_channel_config;
use crate::client::osslive_client;
use crate::error::{osslive_error, osslive_status};
use crate::guard::{guard, guard_output};
use crate::pointer::{array, json_into_c_string, shared, strings};
use crate::progress::{Listener, Results, osslive_progress_callback, with_listener};
use crate::status_callback::{StatusListener, osslive_status_callback};
use crate::sweep_options::osslive_sweep_options;
use libc::{c_char, c_void};
use sdk::Result;
use std::ptr;

/// Returns the status of many channels, several at a time (GetLiveChannelStat).
/// Failures are isolated: each channel carries its own error. Duplicate ids are
/// read and listed once.
///
/// - ids, n_ids: the channels, up to a million.
/// - sweep_options: options, or NULL.
/// - progress, user_data: called after each channel, or NULL. If it stops the
///   operation, requests in flight are awaited, and the remaining channels fail with
///   the kind "stopped".
///
/// JSON: live[], idle[] and disabled[] of id and what
/// osslive_get_channel_status returns; failed[] of id and error; total (the number in
/// all four).
///
/// There is no timeout by default: see osslive_sweep_options_set_time_limit_ms.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_monitor_channels(
    client: *const osslive_client,
    ids: *const *const c_char,
    n_ids: usize,
    sweep_options: *const osslive_sweep_options,
    progress: osslive_progress_callback,
    user_data: *mut c_void,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard_output((out_json, "out_json"), ptr::null_mut(), out_error, || {
            let client = &shared(client, "client")?.client;
            let ids = strings(ids, n_ids, "ids")?;
            let options = osslive_sweep_options::or_default(sweep_options);
            let listener = Listener::new(progress, user_data);
            json_into_c_string(
                &client.monitor_channels(ids, &with_listener(options.for_sweep(), listener)),
            )
        })
    }
}

/// Reads the status of many channels, several at a time, and calls on_status with each
/// as it arrives (GetLiveChannelStat). Nothing is kept, so memory use does not
/// depend on the number of channels; otherwise like osslive_monitor_channels.
/// Duplicate ids are read again.
///
/// - ids, n_ids: the channels, up to a million.
/// - sweep_options: options, or NULL.
/// - on_status, user_data: called with each channel.
///
/// Fails with OSSLIVE_ERR_STOPPED if the callback stopped the operation or the time limit was
/// reached before all channels were read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_sweep_channels(
    client: *const osslive_client,
    ids: *const *const c_char,
    n_ids: usize,
    sweep_options: *const osslive_sweep_options,
    on_status: osslive_status_callback,
    user_data: *mut c_void,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard(out_error, || {
            let client = &shared(client, "client")?.client;
            let ids = strings(ids, n_ids, "ids")?;
            let mut listener = StatusListener::new(on_status, user_data)?;
            let options = osslive_sweep_options::or_default(sweep_options).for_sweep();
            let options = options.stop(listener.stop_handle());
            let swept = client.sweep_channels(ids, &options, |channel| {
                listener.on_status(match &channel {
                    Ok(report) => json_into_c_string(report),
                    Err(failed) => json_into_c_string(failed),
                });
            });
            listener.finish(swept)
        })
    }
}

/// Creates or replaces many channels, several at a time (PutLiveChannel).
/// Failures are isolated. A duplicate of an earlier id fails.
///
/// - ids, channel_configs, n_ids: the channels, up to a million, and the
///   configuration of each. The same configuration may be used many times.
/// - sweep_options, progress, user_data: as in osslive_monitor_channels.
///
/// JSON: results[] (in the order of ids) of id and either publishUrls[],
/// playUrls[], res, or error; failed and total (counts).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_put_channels(
    client: *const osslive_client,
    ids: *const *const c_char,
    channel_configs: *const *const osslive_channel_config,
    n_ids: usize,
    sweep_options: *const osslive_sweep_options,
    progress: osslive_progress_callback,
    user_data: *mut c_void,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard_output((out_json, "out_json"), ptr::null_mut(), out_error, || {
            let client = &shared(client, "client")?.client;
            let ids = strings(ids, n_ids, "ids")?;
            let configs = array(channel_configs, n_ids, "channel_configs")?.iter().enumerate();
            let configs = configs.map(|(at, &config)| {
                shared(config, format_args!("channel_configs[{at}]")).map(|config| config.0.clone())
            });
            let channels: Vec<_> = ids
                .into_iter()
                .zip(configs)
                .map(|(id, config)| config.map(|config| (id, config)))
                .collect::<Result<_>>()?;
            let options = osslive_sweep_options::or_default(sweep_options);
            let listener = Listener::new(progress, user_data);
            let results =
                client.put_channels(&channels, &with_listener(options.for_sweep(), listener));
            json_into_c_string(&Results::from(results))
        })
    }
}
