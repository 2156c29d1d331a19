//! The configuration of a channel.

use crate::error::{osslive_error, osslive_status};
use crate::guard::{guard, guard_output};
use crate::pointer::{boxed, exclusive, free, string};
use libc::c_char;
use sdk::{ChannelConfig, Result, Snapshot};
use std::ptr;

/// The configuration of a channel, for osslive_put_channel and
/// osslive_create_channel. Yours to free with osslive_channel_config_free; one
/// thread at a time. Ranges are checked on use.
pub struct osslive_channel_config(pub(crate) ChannelConfig);

/// Creates a configuration with defaults and a display name, which may be
/// empty. The service has no display names: it stores the name as the
/// description, unless you set one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_channel_config_new(
    name: *const c_char,
    out_channel_config: *mut *mut osslive_channel_config,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    let out = (out_channel_config, "out_channel_config");
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard_output(out, ptr::null_mut(), out_error, || {
            Ok(boxed(osslive_channel_config(ChannelConfig::new(string(name, "name")?))))
        })
    }
}

/// Frees a channel configuration. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_channel_config_free(channel_config: *mut osslive_channel_config) {
    // SAFETY: NULL, or a channel configuration of this library that is no longer
    // used.
    unsafe { free(channel_config) }
}

/// Sets the description, at most 128 bytes. Defaults to the name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_channel_config_set_description(
    channel_config: *mut osslive_channel_config,
    description: *const c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set(channel_config, out_error, &|c| Ok(c.description(string(description, "description")?)))
    }
}

/// Enables or disables the channel: "enabled" or "disabled". Defaults to
/// "enabled".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_channel_config_set_status(
    channel_config: *mut osslive_channel_config,
    status: *const c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe { set(channel_config, out_error, &|c| Ok(c.state(string(status, "status")?.parse()?))) }
}

/// Sets the fragment duration in seconds, 1 to 100. A fragment ends at the
/// first key frame after this time. Defaults to 5.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_channel_config_set_frag_duration(
    channel_config: *mut osslive_channel_config,
    frag_duration_s: u32,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe { set(channel_config, out_error, &|c| Ok(c.frag_duration(frag_duration_s))) }
}

/// Sets the number of fragments in the live playlist, 1 to 100. Defaults to 3.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_channel_config_set_frag_count(
    channel_config: *mut osslive_channel_config,
    frag_count: u32,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe { set(channel_config, out_error, &|c| Ok(c.frag_count(frag_count))) }
}

/// Sets the name of the live playlist: 6 to 128 bytes, ending in ".m3u8",
/// without "/". Defaults to "playlist.m3u8".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_channel_config_set_playlist_name(
    channel_config: *mut osslive_channel_config,
    playlist_name: *const c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set(channel_config, out_error, &|c| {
            Ok(c.playlist_name(string(playlist_name, "playlist_name")?))
        })
    }
}

/// Enables snapshots of key frames, in regions that support them: every
/// interval_s seconds (1 to 100) into dest_bucket, written with the permissions
/// of the RAM role role_name and announced on the message topic notify_topic.
/// Defaults to none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_channel_config_set_snapshot(
    channel_config: *mut osslive_channel_config,
    role_name: *const c_char,
    dest_bucket: *const c_char,
    notify_topic: *const c_char,
    interval_s: u32,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set(channel_config, out_error, &|c| {
            Ok(c.snapshot(Snapshot::new(
                string(role_name, "role_name")?,
                string(dest_bucket, "dest_bucket")?,
                string(notify_topic, "notify_topic")?,
                interval_s,
            )))
        })
    }
}

/// Changes a configuration completely or not at all.
///
/// # Safety
///
/// `channel_config` is NULL or an object of this library that is not used elsewhere,
/// `out_error` is NULL or writable.
unsafe fn set(
    channel_config: *mut osslive_channel_config,
    out_error: *mut *mut osslive_error,
    change: &dyn Fn(ChannelConfig) -> Result<ChannelConfig>,
) -> osslive_status {
    // SAFETY: the caller's promise.
    unsafe {
        guard(out_error, || {
            let config = exclusive(channel_config, "channel_config")?;
            config.0 = change(config.0.clone())?;
            Ok(())
        })
    }
}
