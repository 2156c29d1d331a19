//! The calls for VOD playlists.

use crate::channel::call;
use crate::client::osslive_client;
use crate::error::{osslive_error, osslive_status};
use crate::guard::guard_output;
use crate::pointer::{into_c_string, shared, string};
use libc::c_char;
use sdk::VodTime;
use std::ptr;

/// Saves a playlist of what was recorded in a time range as CHANNEL/NAME in the
/// bucket, replacing an existing one (PostVodPlaylist).
///
/// - name: the playlist's name; ".m3u8" is appended if missing.
/// - start_time, end_time: Unix seconds, both inclusive. The end must be after
///   the start, by at most a day (86,400).
///
/// JSON: res.
///
/// Fails with the code InvalidArgument if nothing was recorded in that range.
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
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        call(client, id, out_json, out_error, |client, id| {
            client.create_vod(id, string(name, "name")?, &VodTime::new(start_time, end_time))
        })
    }
}

/// Returns the playlist that osslive_create_vod would save (GetVodPlaylist).
/// out_playlist receives its text; the URLs of fragments are relative to
/// CHANNEL/ in the bucket. Times are as in osslive_create_vod.
///
/// Fails with the code InvalidArgument if nothing was recorded in that range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_get_vod(
    client: *const osslive_client,
    id: *const c_char,
    start_time: i64,
    end_time: i64,
    out_playlist: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard_output((out_playlist, "out_playlist"), ptr::null_mut(), out_error, || {
            let client = &shared(client, "client")?.client;
            let span = VodTime::new(start_time, end_time);
            into_c_string(client.get_vod(string(id, "id")?, &span)?.text)
        })
    }
}
