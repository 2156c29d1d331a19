//! Highlights of recordings.

use crate::channel::call;
use crate::client::osslive_client;
use crate::error::{osslive_error, osslive_status};
use crate::pointer::{array, invalid, string};
use crate::progress::{Listener, Results, osslive_progress_callback, with_listener};
use libc::{c_char, c_void};
use sdk::{Edge, Highlight, Result, SweepOptions};
use std::time::Duration;
use time::OffsetDateTime;

/// A part of a recording. Zero-initialize, then set what you need: {.name =
/// "opening", .to_ms = 300000} is the first five minutes of the latest session,
/// and {.name = "closing", .from_ms = -300000} the last five.
#[repr(C)]
pub struct osslive_highlight {
    /// The name of its playlist; ".m3u8" is appended if missing.
    pub name: *const c_char,
    /// Start within the session, in milliseconds: an offset from its start,
    /// or, if negative, from its end. The end of the current session is now.
    pub from_ms: i64,
    /// End within the session, likewise; 0 is its end.
    pub to_ms: i64,
    /// A time within the session, in Unix seconds; 0 selects the latest
    /// session.
    pub session_time: i64,
    /// Start as a Unix time in seconds, instead of an offset within a session.
    pub start_time: i64,
    /// End as a Unix time in seconds. If start_time or end_time is set, the
    /// three fields above must be 0.
    pub end_time: i64,
}

/// Saves parts of a channel's recording as playlists (GetLiveChannelStat,
/// GetLiveChannelHistory, then PostVodPlaylist for each). Failures are
/// isolated.
///
/// Highlights are clipped to the known sessions: the last ten finished ones and
/// the current one. If there are ten finished ones, times before the oldest are not
/// clipped: the service may still have recordings from then. A highlight fails if
/// nothing is left of it, if it is longer than a day, or if an earlier one uses the
/// same playlist. Existing playlists are replaced.
///
/// - highlights, n_highlights: what to save.
/// - progress, user_data: called after each highlight, or NULL. If it stops the
///   operation, the remaining highlights fail with the kind "stopped".
///
/// JSON: results[] (in the order of highlights) of name, playlist (for
/// osslive_get_play_url), start?, end?, error?; failed and total
/// (counts).
///
/// Fails with the code NoSuchLiveChannel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_create_highlights(
    client: *const osslive_client,
    id: *const c_char,
    highlights: *const osslive_highlight,
    n_highlights: usize,
    progress: osslive_progress_callback,
    user_data: *mut c_void,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        call(client, id, out_json, out_error, |client, id| {
            let highlights = array(highlights, n_highlights, "highlights")?.iter().enumerate();
            let highlights: Vec<_> = highlights
                .map(|(at, highlight)| highlight.read(&format!("highlights[{at}]")))
                .collect::<Result<_>>()?;
            let listener = Listener::new(progress, user_data);
            let options = with_listener(SweepOptions::new(), listener);
            let results = client.create_highlights(id, &highlights, &options)?;
            Ok(Results::from(results))
        })
    }
}

impl osslive_highlight {
    /// # Safety
    ///
    /// The name is a valid argument for [`string`].
    unsafe fn read(&self, label: &str) -> Result<Highlight> {
        // SAFETY: the caller's promise.
        let name = unsafe { string(self.name, format_args!("{label}.name")) }?;
        if (self.start_time, self.end_time) == (0, 0) {
            return self.within_session(name, label);
        }
        if (self.from_ms, self.to_ms, self.session_time) != (0, 0, 0) {
            let message = format!("{label}: set either offsets within a session or two times");
            return Err(invalid(message));
        }
        let start = time_of(self.start_time, label, "start_time")?;
        let end = time_of(self.end_time, label, "end_time")?;
        Ok(Highlight::between(name, start, end))
    }

    fn within_session(&self, name: &str, label: &str) -> Result<Highlight> {
        let end = match self.to_ms {
            0 => Edge::BeforeEnd(Duration::ZERO),
            ms => edge(ms),
        };
        let highlight = Highlight::within(name, edge(self.from_ms), end);
        match self.session_time {
            0 => Ok(highlight),
            seconds => Ok(highlight.of_session(time_of(seconds, label, "session_time")?)),
        }
    }
}

fn edge(ms: i64) -> Edge {
    let offset = Duration::from_millis(ms.unsigned_abs());
    if ms < 0 { Edge::BeforeEnd(offset) } else { Edge::AfterStart(offset) }
}

pub(crate) fn time_of(seconds: i64, label: &str, field: &str) -> Result<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(seconds)
        .map_err(|_| invalid(format!("{label}.{field} {seconds}: out of range")))
}
