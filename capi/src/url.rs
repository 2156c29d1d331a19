//! Signed publish and play URLs.

use crate::client::osslive_client;
use crate::error::{osslive_error, osslive_status};
use crate::guard::guard_output;
use crate::pointer::invalid;
use crate::pointer::{
    array, json_into_c_string_within, optional_string, secret_into_c_string, shared, string,
};
use libc::c_char;
use sdk::{Result, RtmpUrlOptions};
use std::ptr;
use zeroize::Zeroize;

/// The default URL lifetime in seconds.
pub const OSSLIVE_DEFAULT_EXPIRES_S: u32 = 1800;

/// The maximum number of parameters: a URL cannot hold more.
const MAX_PARAMS: usize = 256;

/// A URL parameter: two strings, neither NULL.
#[repr(C)]
pub struct osslive_param {
    /// The name, which must be unique.
    pub name: *const c_char,
    /// The value.
    pub value: *const c_char,
}

/// Signs a publish URL, rtmp://... . Sends nothing, and the channel need not
/// exist yet. Anyone who has the URL can publish until it expires: treat it as
/// a secret.
///
/// - expires_s: how many seconds the URL is valid, usually OSSLIVE_DEFAULT_EXPIRES_S:
///   publishers must connect within this time. Expiry does not disconnect a publisher.
/// - params, n_params: additional signed parameters, or NULL and 0.
///   "playlistName" sets the live playlist of the session instead of the
///   channel's. Parameters used by the signature itself are rejected.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_get_rtmp_url(
    client: *const osslive_client,
    id: *const c_char,
    expires_s: u32,
    params: *const osslive_param,
    n_params: usize,
    out_url: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard_output((out_url, "out_url"), ptr::null_mut(), out_error, || {
            let osslive_client { client, sign_token } = shared(client, "client")?;
            let options = RtmpUrlOptions::new().expires(expires_s).sign_security_token(*sign_token);
            let options = with_params(options, params, n_params)?;
            secret_into_c_string(client.get_rtmp_url(string(id, "id")?, &options)?)
        })
    }
}

/// Signs a publish URL as osslive_get_rtmp_url does, and returns its parts and
/// expiry.
///
/// JSON: url, server, streamKey (the two parts of the URL, for encoders that have
/// separate fields), expiresAt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_get_publish_url(
    client: *const osslive_client,
    id: *const c_char,
    expires_s: u32,
    params: *const osslive_param,
    n_params: usize,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard_output((out_json, "out_json"), ptr::null_mut(), out_error, || {
            let osslive_client { client, sign_token } = shared(client, "client")?;
            let options = RtmpUrlOptions::new().expires(expires_s).sign_security_token(*sign_token);
            let options = with_params(options, params, n_params)?;
            let mut publish = client.get_publish_url(string(id, "id")?, &options)?;
            // It contains the URL twice, whole and in parts, and nothing is escaped.
            let json = json_into_c_string_within(&publish, 2 * publish.url.len() + 256);
            publish.url.zeroize();
            publish.stream_key.zeroize();
            json
        })
    }
}

/// Signs a play URL for a channel of a private bucket, https://... . Sends
/// nothing. The service signs the fragments in the playlist as well.
///
/// - playlist: the playlist's name, or NULL for "playlist.m3u8".
/// - expires_s: the URL's lifetime in seconds from now, at most a week
///   (604,800) with signature version 4.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_get_play_url(
    client: *const osslive_client,
    id: *const c_char,
    playlist: *const c_char,
    expires_s: u32,
    out_url: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard_output((out_url, "out_url"), ptr::null_mut(), out_error, || {
            let client = &shared(client, "client")?.client;
            let playlist = optional_string(playlist, "playlist")?.unwrap_or("playlist.m3u8");
            secret_into_c_string(client.get_play_url(string(id, "id")?, playlist, expires_s)?)
        })
    }
}

/// # Safety
///
/// `params` is NULL or points to `n_params` parameters, whose strings are valid for
/// [`string`].
unsafe fn with_params(
    mut options: RtmpUrlOptions,
    params: *const osslive_param,
    n_params: usize,
) -> Result<RtmpUrlOptions> {
    if n_params > MAX_PARAMS {
        let message = format!("n_params {n_params}: must be at most {MAX_PARAMS}");
        return Err(invalid(message));
    }
    // SAFETY: the caller's promise.
    for (at, param) in unsafe { array(params, n_params, "params") }?.iter().enumerate() {
        // SAFETY: the caller's promise.
        let (name, value) = unsafe {
            (
                string(param.name, format_args!("params[{at}].name"))?,
                string(param.value, format_args!("params[{at}].value"))?,
            )
        };
        options = options.param(name, value);
    }
    Ok(options)
}
