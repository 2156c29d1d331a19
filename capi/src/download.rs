//! Downloads of recordings.

use crate::channel::call;
use crate::client::osslive_client;
use crate::error::{osslive_error, osslive_status};
use crate::highlight::time_of;
use crate::pointer::{invalid, shared, string};
use crate::progress::{Listener, osslive_progress_callback};
use libc::{c_char, c_int, c_void};
use sdk::{DownloadOptions, RecordingRange, Result, StopHandle};
use std::time::Duration;

/// What to download, and how. Zero-initialize, then set what you need: {.path =
/// "show.ts"} selects the latest session.
#[repr(C)]
pub struct osslive_download {
    /// The file to write: an MPEG transport stream.
    pub path: *const c_char,
    /// A time within the session, in Unix seconds; 0 selects the latest session.
    pub session_time: i64,
    /// Start as a Unix time in seconds, instead of a session.
    pub start_time: i64,
    /// End as a Unix time in seconds.
    pub end_time: i64,
    /// How far to go back from now, in milliseconds, instead of a session or the
    /// two times.
    pub last_ms: i64,
    /// The maximum number of concurrent transfers, at most 64; 0 means 4.
    pub max_parallel: u32,
    /// Nonzero to keep downloading until the channel is no longer live, or
    /// end_time is reached.
    pub follow: c_int,
    /// Nonzero to replace an existing file, and to start over instead of
    /// resuming.
    pub overwrite: c_int,
}

/// Downloads a part of a channel's recording into one MPEG transport stream: its
/// fragments one after the other, byte for byte (ListObjectsV2 and GetObject; for
/// sessions also GetLiveChannelStat and GetLiveChannelHistory).
///
/// The part may be of any length. Complete fragments are kept in PATH.part, with a
/// journal in PATH.progress: after an error, a stop or a crash, the same call
/// resumes the download, with the start and end times determined when it began.
/// Both files are removed once PATH is complete.
///
/// - progress, user_data: called several times a second, or NULL. It receives the
///   number of bytes in the file and of bytes known to be recorded. If it stops the
///   download, the call fails with the kind "stopped", and can be resumed.
///
/// JSON: startTime, endTime (what was recorded, the end to about a second),
/// fragments (their number), bytes, resumedBytes (of an earlier attempt), gaps[]
/// (of three seconds or more) of startTime, endTime, durationMinutes.
///
/// Fails with the codes NothingRecorded and NoSuchLiveChannel (a session of a
/// channel that was deleted), and with the kind "file", including if the file already exists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_download_recording(
    client: *const osslive_client,
    id: *const c_char,
    download: *const osslive_download,
    progress: osslive_progress_callback,
    user_data: *mut c_void,
    out_json: *mut *mut c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        call(client, id, out_json, out_error, |client, id| {
            let download = shared(download, "download")?;
            let path = string(download.path, "download.path")?;
            let range = download.range()?;
            let listener = Listener::new(progress, user_data);
            let stop = StopHandle::new();
            let options = download.options()?.stop(&stop).progress(|at| {
                listener.on_progress(size(at.bytes), size(at.total_bytes), &stop);
            });
            client.download_recording(id, &range, path, &options)
        })
    }
}

impl osslive_download {
    fn range(&self) -> Result<RecordingRange> {
        let has_times = (self.start_time, self.end_time) != (0, 0);
        let given = [self.session_time != 0, has_times, self.last_ms != 0];
        if given.iter().filter(|given| **given).count() > 1 {
            return Err(invalid(
                "download: set only one of session_time, start_time with end_time, and last_ms",
            ));
        }
        let label = "download";
        if has_times {
            let start = time_of(self.start_time, label, "start_time")?;
            return Ok(RecordingRange::between(start, time_of(self.end_time, label, "end_time")?));
        }
        match (self.session_time, self.last_ms) {
            (0, 0) => Ok(RecordingRange::latest_session()),
            (0, 1..) => {
                Ok(RecordingRange::last(Duration::from_millis(self.last_ms.unsigned_abs())))
            }
            (0, ms) => Err(invalid(format!("download.last_ms {ms}: must not be negative"))),
            (session, _) => Ok(RecordingRange::session(time_of(session, label, "session_time")?)),
        }
    }

    fn options<'a>(&self) -> Result<DownloadOptions<'a>> {
        let parallel = match self.max_parallel {
            0 => 4,
            number @ 1..=64 => number as usize,
            number => {
                let message = format!("download.max_parallel {number}: must be 0 to 64");
                return Err(invalid(message));
            }
        };
        let options = DownloadOptions::new().max_parallel(parallel);
        Ok(options.follow(self.follow != 0).overwrite(self.overwrite != 0))
    }
}

/// Converts a number of bytes to size_t.
fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
