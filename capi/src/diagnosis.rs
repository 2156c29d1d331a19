//! Diagnosis: why is there no video?

use crate::client::osslive_client;
use crate::error::{osslive_error, osslive_status};
use crate::guard::guard_output;
use crate::pointer::{json_into_c_string, optional_string, shared};
use crate::progress::{Listener, osslive_progress_callback};
use libc::{c_char, c_void};
use sdk::{CheckId, DiagnosisOptions, StopHandle};
use std::cell::Cell;
use std::ptr;

/// Examines the path from this machine to the bucket's live channels, and says in
/// plain words why there is no video. Takes at most ten seconds and changes
/// nothing. Whatever goes wrong is a finding, not a failure.
///
/// - id: the channel to examine, or NULL for only the bucket.
/// - publish_url: the URL that an encoder publishes to, or NULL.
/// - play_url: the URL that players use, or NULL for the channel's.
/// - origin: the origin of web pages that should be able to play it, such as
///   "https://www.example.com", or NULL.
/// - progress, user_data: called after each check, or NULL. If it stops the
///   diagnosis, the remaining checks are "notChecked".
///
/// JSON: checks[] of id (such as "rtmp-port"; ids never change), verdict
/// ("notChecked", "ok", "warning" or "problem"), seen (what was seen, in one
/// sentence), advice? (what to do); problems and warnings (counts);
/// elapsedMs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_diagnose(
    client: *const osslive_client,
    id: *const c_char,
    publish_url: *const c_char,
    play_url: *const c_char,
    origin: *const c_char,
    progress: osslive_progress_callback,
    user_data: *mut c_void,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard_output((out_json, "out_json"), ptr::null_mut(), out_error, || {
            let client = &shared(client, "client")?.client;
            let listener = Listener::new(progress, user_data);
            let (stop, done) = (StopHandle::new(), Cell::new(0));
            let total = CheckId::ALL.len();
            let mut options = DiagnosisOptions::new().stop(&stop).on_check(|_| {
                // A check may be reported twice.
                done.set((done.get() + 1).min(total));
                listener.on_progress(done.get(), total, &stop);
            });
            if let Some(id) = optional_string(id, "id")? {
                options = options.channel(id);
            }
            if let Some(url) = optional_string(publish_url, "publish_url")? {
                options = options.publish_url(url);
            }
            if let Some(url) = optional_string(play_url, "play_url")? {
                options = options.play_url(url);
            }
            if let Some(origin) = optional_string(origin, "origin")? {
                options = options.origin(origin);
            }
            json_into_c_string(&client.diagnose(&options))
        })
    }
}
