//! The calls on channels.

use crate::channel_config::osslive_channel_config;
use crate::client::osslive_client;
use crate::error::{osslive_error, osslive_status};
use crate::guard::{guard, guard_output};
use crate::pointer::{json_into_c_string, optional_string, shared, string};
use libc::{c_char, c_int};
use sdk::{Client, ListChannels, Result, StreamState};
use serde::Serialize;
use std::ptr;
use std::time::Duration;

/// Creates a channel, or replaces its configuration (PutLiveChannel).
///
/// JSON: publishUrls[], playUrls[] (both unsigned), res.
///
/// Fails with the code ChannelStillLive while the channel is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_put_channel(
    client: *const osslive_client,
    id: *const c_char,
    channel_config: *const osslive_channel_config,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        call(client, id, out_json, out_error, |client, id| {
            client.put_channel(id, &shared(channel_config, "channel_config")?.0)
        })
    }
}

/// Creates a channel that does not exist (GetLiveChannelInfo, then
/// PutLiveChannel). If two callers create the same channel at the same time,
/// both may succeed.
///
/// JSON: publishUrls[], playUrls[] (both unsigned), res.
///
/// Fails with the code ChannelAlreadyExists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_create_channel(
    client: *const osslive_client,
    id: *const c_char,
    channel_config: *const osslive_channel_config,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        call(client, id, out_json, out_error, |client, id| {
            client.create_channel(id, &shared(channel_config, "channel_config")?.0)
        })
    }
}

/// Returns a channel's configuration (GetLiveChannelInfo; its URLs and
/// last-modified time come from ListLiveChannel if the credentials may list channels).
///
/// JSON: name (the id), description, status ("enabled" or "disabled"), type
/// ("HLS"), fragDuration (seconds), fragCount, playlistName, createTime?
/// (reserved: the service does not return it today), lastModified?,
/// publishUrls[], playUrls[], res.
///
/// Fails with the code NoSuchLiveChannel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_get_channel(
    client: *const osslive_client,
    id: *const c_char,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe { call(client, id, out_json, out_error, Client::get_channel) }
}

/// Deletes a channel; recordings are kept (DeleteLiveChannel). Succeeds if the
/// channel does not exist.
///
/// JSON: res.
///
/// Fails with the code ChannelStillLive while the channel is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_delete_channel(
    client: *const osslive_client,
    id: *const c_char,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe { call(client, id, out_json, out_error, Client::delete_channel) }
}

/// Returns one page of channels, in byte order (ListLiveChannel).
///
/// - prefix: list only names that start with this, or NULL.
/// - marker: list only names after this one, or NULL. Pass nextMarker of the
///   previous page.
/// - max_keys: the page size, 1 to 1000, or 0 for the service's default of 100.
///
/// JSON: channels[] of name, description, status, lastModified?, publishUrls[],
/// playUrls[]; isTruncated; nextMarker? (if isTruncated); res.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_list_channels(
    client: *const osslive_client,
    prefix: *const c_char,
    marker: *const c_char,
    max_keys: u32,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard_output((out_json, "out_json"), ptr::null_mut(), out_error, || {
            let client = &shared(client, "client")?.client;
            let mut query = ListChannels::new()
                .prefix(optional_string(prefix, "prefix")?.unwrap_or_default())
                .marker(optional_string(marker, "marker")?.unwrap_or_default());
            if max_keys != 0 {
                query = query.max_keys(max_keys);
            }
            json_into_c_string(&client.list_channels(&query)?)
        })
    }
}

/// Enables or disables a channel (PutLiveChannelStatus). Disabling disconnects
/// its publisher; the service takes about ten seconds to do so.
///
/// - status: "enabled" or "disabled".
///
/// JSON: res.
///
/// Fails with the code NoSuchLiveChannel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_put_channel_status(
    client: *const osslive_client,
    id: *const c_char,
    status: *const c_char,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        call(client, id, out_json, out_error, |client, id| {
            client.put_channel_status(id, string(status, "status")?.parse()?)
        })
    }
}

/// Returns the channel's status (GetLiveChannelStat).
///
/// JSON: status ("Live", "Idle" or "Disabled"), connectedTime?, remoteAddr?
/// ("IP:PORT"), video? of width, height, frameRate, bandwidth, codec, audio? of
/// bandwidth, sampleRate, codec; res. Optional keys are present only while the
/// channel is live. Bandwidths are in bytes per second.
///
/// Fails with the code NoSuchLiveChannel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_get_channel_status(
    client: *const osslive_client,
    id: *const c_char,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe { call(client, id, out_json, out_error, Client::get_channel_status) }
}

/// Reports whether a channel is live (GetLiveChannelStat), for programs without
/// a JSON parser. Sets out_live to 1 or 0.
///
/// Fails with the code NoSuchLiveChannel; out_live is then 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_is_channel_live(
    client: *const osslive_client,
    id: *const c_char,
    out_live: *mut c_int,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard_output((out_live, "out_live"), 0, out_error, || {
            let client = &shared(client, "client")?.client;
            let status = client.get_channel_status(string(id, "id")?)?.status;
            Ok(c_int::from(status == StreamState::Live))
        })
    }
}

/// Waits until a publisher is connected, for at most limit_ms milliseconds. Polls
/// at once, then after 250 ms, and each interval is 1.5 times the
/// previous one, up to 5 s. Transient failures, including throttling, don't end the
/// wait.
///
/// JSON: as osslive_get_channel_status (of the last poll).
///
/// Fails with the code WaitTimedOut (OSSLIVE_ERR_TIMEOUT) when the time is up,
/// with the last status in the message; NoSuchLiveChannel; and OSSLIVE_ERR_STOPPED,
/// at once, after osslive_client_shutdown.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_wait_until_live(
    client: *const osslive_client,
    id: *const c_char,
    limit_ms: u32,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    let limit = Duration::from_millis(limit_ms.into());
    let wait = |client: &Client, id: &str| client.wait_until_live(id, limit);
    // SAFETY: the pointers follow the header's conventions.
    unsafe { call(client, id, out_json, out_error, wait) }
}

/// Waits until no publisher is connected: the channel is idle or disabled.
/// Otherwise the same as osslive_wait_until_live.
///
/// JSON: as osslive_get_channel_status (of the last poll).
///
/// Fails as osslive_wait_until_live does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_wait_until_idle(
    client: *const osslive_client,
    id: *const c_char,
    limit_ms: u32,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    let limit = Duration::from_millis(limit_ms.into());
    let wait = |client: &Client, id: &str| client.wait_until_idle(id, limit);
    // SAFETY: the pointers follow the header's conventions.
    unsafe { call(client, id, out_json, out_error, wait) }
}

/// Waits until a channel does not exist, for at most limit_ms milliseconds. Polls
/// like osslive_wait_until_live.
///
/// Fails as osslive_wait_until_live does, except that NoSuchLiveChannel is a success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_wait_until_deleted(
    client: *const osslive_client,
    id: *const c_char,
    limit_ms: u32,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard(out_error, || {
            let limit = Duration::from_millis(limit_ms.into());
            shared(client, "client")?.client.wait_until_deleted(string(id, "id")?, limit)
        })
    }
}

/// Returns the last ten finished sessions of a channel, oldest first
/// (GetLiveChannelHistory). A session is among them once the service has noticed its
/// end: after a publisher has disconnected, call osslive_wait_until_idle first.
///
/// JSON: records[] of startTime, endTime, remoteAddr ("IP:PORT"); res.
///
/// Fails with the code NoSuchLiveChannel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_get_channel_history(
    client: *const osslive_client,
    id: *const c_char,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe { call(client, id, out_json, out_error, Client::get_channel_history) }
}

/// Summarizes the sessions of the given number of past days, at least 1
/// (GetLiveChannelHistory). The service keeps only the last ten finished
/// sessions of a channel: isTruncated means that there may have been more, in
/// which case the figures cover only those that are left.
///
/// JSON: startTime, endTime (of the analyzed period); sessionCount;
/// totalDurationHours; averageDurationMinutes (0 without sessions); uniqueIps[]
/// (without ports); gaps[] (between sessions) of startTime, endTime,
/// durationMinutes; sessions[] and longestSession? of startTime, endTime,
/// durationMinutes, remoteAddr ("IP:PORT"); isTruncated. Sessions are clipped
/// to the period.
///
/// Fails with the code NoSuchLiveChannel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_analyze_history(
    client: *const osslive_client,
    id: *const c_char,
    days: u32,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe { call(client, id, out_json, out_error, |client, id| client.analyze_history(id, days)) }
}

/// Runs a call on one channel whose result is JSON.
///
/// # Safety
///
/// The pointers follow the header's conventions.
pub(crate) unsafe fn call<T: Serialize>(
    client: *const osslive_client,
    id: *const c_char,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
    body: impl FnOnce(&Client, &str) -> Result<T>,
) -> osslive_status {
    // SAFETY: the caller's promise.
    unsafe {
        guard_output((out_json, "out_json"), ptr::null_mut(), out_error, || {
            let client = &shared(client, "client")?.client;
            json_into_c_string(&body(client, string(id, "id")?)?)
        })
    }
}
