//! The calls on recordings.

use crate::channel::call;
use crate::client::osslive_client;
use crate::error::{osslive_error, osslive_status};
use crate::guard::guard_output;
use crate::pointer::{given_text, shared, text};
use libc::c_char;
use sdk::VodTime;
use std::ptr;

/// Writes a playlist of what was recorded in a time span to CHANNEL/NAME in
/// the bucket, replacing one of that name (PostVodPlaylist).
///
/// - name: the playlist's name; ".m3u8" is added where it is missing.
/// - start_time, end_time: Unix seconds, both included; the end comes after
///   the start, at most a day (86,400) later.
///
/// JSON: res.
///
/// Fails with the code InvalidArgument when nothing was recorded in that
/// span.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_create_vod(
    client: *const osslive_client,
    id: *const c_char,
    name: *const c_char,
    start_time: i64,
    end_time: i64,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: pointers as the header's conventions ask for them.
    unsafe {
        call(client, id, out_json, out_error, |client, id| {
            client.create_vod(id, text(name, "name")?, &VodTime::new(start_time, end_time))
        })
    }
}

/// Reads the playlist that osslive_create_vod would write
/// (GetVodPlaylist). out_playlist becomes its text; the fragments in it are
/// relative to CHANNEL/ in the bucket. Times as in osslive_create_vod.
///
/// Fails with the code InvalidArgument when nothing was recorded in that
/// span.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_get_vod(
    client: *const osslive_client,
    id: *const c_char,
    start_time: i64,
    end_time: i64,
    out_playlist: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: pointers as the header's conventions ask for them.
    unsafe {
        guard_output((out_playlist, "out_playlist"), ptr::null_mut(), out_error, || {
            let client = &shared(client, "client")?.client;
            let span = VodTime::new(start_time, end_time);
            given_text(client.get_vod(text(id, "id")?, &span)?.text)
        })
    }
}
