//! Downloads a part of a recording into one file.

use super::fragment::{milliseconds, time_of, total};
use super::options::{DownloadOptions, DownloadProgress};
use super::partial::{self, Partial};
use super::plan::Plan;
use super::range::{RecordingRange, Resolved, UNTIL_IDLE};
use super::round::{Round, stopped};
use super::timeline;
use crate::client::Client;
use crate::error::{Error, Result, code};
use crate::monitor::Gap;
use crate::operation::{StreamState, check_channel_name};
use crate::retry;
use crate::stop::Stop;
use std::path::Path;
use std::sync::Arc;
use time::OffsetDateTime;

/// How long after the end of a range its last fragment may be written, in
/// milliseconds.
const MAX_WRITE_DELAY: i64 = 10_000;

/// The result of a download, returned by `download_recording`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct Download {
    /// Start of the first fragment.
    #[cfg_attr(feature = "serde", serde(with = "time::serde::rfc3339"))]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Time"))]
    pub start_time: OffsetDateTime,
    /// End of the last fragment, to about a second.
    #[cfg_attr(feature = "serde", serde(with = "time::serde::rfc3339"))]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Time"))]
    pub end_time: OffsetDateTime,
    /// The number of fragments.
    pub fragments: usize,
    /// The size of the file.
    pub bytes: u64,
    /// The number of bytes that previous attempts had downloaded.
    pub resumed_bytes: u64,
    /// Gaps of three seconds or more, in which nothing was recorded.
    pub gaps: Vec<Gap>,
}

impl Client {
    /// Downloads a part of a channel's recording into one MPEG transport stream:
    /// its fragments one after the other, byte for byte.
    ///
    /// The range may be of any length. Fragments are transferred several at a time;
    /// memory use does not depend on their size. Complete fragments are kept in
    /// `PATH.part`, with a journal in `PATH.progress`: after an error, a stop or a
    /// crash, the same call resumes the download, with the start and end times
    /// determined when it began. Both files are removed once `path` is complete.
    ///
    /// Permissions: `oss:ListObjects` and `oss:GetObject`, and for sessions
    /// `oss:GetLiveChannelStat` and `oss:GetLiveChannelHistory`.
    ///
    /// ```no_run
    /// # let client: osslive::Client = unimplemented!();
    /// use osslive::{DownloadOptions, RecordingRange};
    ///
    /// let show = RecordingRange::latest_session();
    /// let done = client.download_recording("main-stage", &show, "show.ts", &DownloadOptions::new())?;
    /// for gap in &done.gaps {
    ///     eprintln!("nothing was recorded from {} to {}", gap.start_time, gap.end_time);
    /// }
    /// # Ok::<(), osslive::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Code [`NothingRecorded`](code::NOTHING_RECORDED);
    /// [`NoSuchLiveChannel`](code::NO_SUCH_LIVE_CHANNEL) for a session of a channel
    /// that was deleted; [`ErrorKind::File`](crate::ErrorKind::File), including if `path`
    /// exists; kind [`Stopped`](crate::ErrorKind::Stopped).
    pub fn download_recording(
        &self,
        id: &str,
        range: &RecordingRange,
        path: impl AsRef<Path>,
        options: &DownloadOptions<'_>,
    ) -> Result<Download> {
        check_channel_name(id)?;
        let mut job = Job::begin(self, id, range, path.as_ref(), options)?;
        job.transfer()?;
        if options.follow {
            job.follow()?;
        }
        job.finish()
    }
}

/// A download in progress.
struct Job<'a, 'o> {
    client: &'a Client,
    id: &'a str,
    options: &'a DownloadOptions<'o>,
    /// Set when the download is stopped or the client shut down.
    stop: Arc<Stop>,
    plan: Plan,
    partial: Partial,
    /// The number of bytes that were complete at the start.
    resumed_bytes: u64,
}

impl<'a, 'o> Job<'a, 'o> {
    fn begin(
        client: &'a Client,
        id: &'a str,
        range: &RecordingRange,
        path: &'a Path,
        options: &'a DownloadOptions<'o>,
    ) -> Result<Self> {
        let description = format!("{}/{id}: {range}", client.bucket());
        let mut previous = None;
        if !options.overwrite {
            partial::check_new(path)?;
            previous = Partial::open(path, &description)?;
        }
        let times = match &previous {
            Some(partial) => with_current_end(client, id, partial.times())?,
            None => range.resolve(|| client.sessions(id), client.engine().now())?,
        };
        let mut plan = Plan::new(times);
        plan.extend(client, id)?;
        if !options.follow {
            plan.close();
        }
        if plan.fragments.is_empty() && !(options.follow && times.is_open) {
            return Err(nothing(id));
        }
        let partial = match previous {
            Some(partial) => partial,
            None => Partial::create(path, &description, plan.times)?,
        };
        let missing = total(partial.missing(&plan.placed)?.iter().map(|placed| placed.size));
        let resumed_bytes = plan.bytes() - missing;
        let stop = Stop::following([&client.engine().stop, options.stop.switch()]);
        Ok(Job { client, id, options, stop, plan, partial, resumed_bytes })
    }

    /// Transfers the known fragments that are not in the file yet.
    fn transfer(&mut self) -> Result<()> {
        let Job { client, id, options, plan, partial, .. } = self;
        let missing = partial.missing(&plan.placed)?;
        let before = plan.bytes() - total(missing.iter().map(|placed| placed.size));
        let mut progress = DownloadProgress {
            bytes: before,
            total_bytes: plan.bytes(),
            fragments: plan.placed.len() - missing.len(),
            total_fragments: plan.placed.len(),
        };
        options.report(progress);
        let stop = Stop::following([&self.stop]);
        let round = Round::new(client, id, partial.part().to_owned(), missing, stop);
        let result = round.run(options.parallel, |complete, bytes| {
            progress.fragments += complete.len();
            progress.bytes = before + bytes;
            partial.note(complete)?;
            options.report(progress);
            Ok(())
        });
        // Complete fragments count, even if others failed.
        result.and(partial.note_all())
    }

    /// Downloads new fragments until nothing more will be recorded.
    fn follow(&mut self) -> Result<()> {
        let (mut was_over, mut is_over) = (false, !self.plan.times.is_open);
        while !is_over {
            if !self.stop.sleep(self.options.poll_interval) {
                return Err(stopped());
            }
            let known = self.plan.placed.len();
            let step = self.is_over().and_then(|over| {
                self.plan.extend(self.client, self.id)?;
                self.transfer()?;
                Ok(over)
            });
            let over = match step {
                Ok(over) => over,
                // A machine that follows a stream may be offline for hours.
                Err(error) if retry::is_retryable(&error) => false,
                Err(error) => return Err(error),
            };
            // The last fragment may be written a little later.
            is_over = over && was_over && self.plan.placed.len() == known;
            was_over = over;
        }
        Ok(())
    }

    /// Returns whether nothing more will be recorded in the range.
    fn is_over(&mut self) -> Result<bool> {
        if self.plan.times.end != UNTIL_IDLE {
            let now = milliseconds(self.client.engine().now());
            return Ok(now - MAX_WRITE_DELAY > self.plan.times.end);
        }
        let status = match self.client.get_channel_status(self.id) {
            Ok(status) => status,
            Err(error) if error.code() == Some(code::NO_SUCH_LIVE_CHANNEL) => return Ok(true),
            Err(error) => return Err(error),
        };
        let since = status.connected_time.map_or(i64::MIN, milliseconds);
        if self.plan.times.is_session && since > self.plan.times.start {
            // Another session has started.
            self.plan.times.end = since;
            return Ok(true);
        }
        Ok(status.status != StreamState::Live)
    }

    fn finish(self) -> Result<Download> {
        let Plan { fragments, .. } = &self.plan;
        let (Some(first), Some(end)) = (fragments.first(), timeline::ends(fragments).last()) else {
            return Err(nothing(self.id));
        };
        let done = Download {
            start_time: first.start(),
            end_time: time_of(end),
            fragments: fragments.len(),
            bytes: self.plan.bytes(),
            resumed_bytes: self.resumed_bytes,
            gaps: timeline::gaps(&timeline::spans(fragments)),
        };
        self.partial.finish(done.bytes)?;
        Ok(done)
    }
}

fn nothing(id: &str) -> Error {
    let message = format!("the channel {id:?} recorded nothing in that time range");
    Error::invalid(message).with_code(code::NOTHING_RECORDED)
}

/// Returns the times of a previous attempt, updated if its session has ended since.
fn with_current_end(client: &Client, id: &str, times: Resolved) -> Result<Resolved> {
    if !times.is_session || !times.is_open {
        return Ok(times);
    }
    let sessions = client.sessions(id)?;
    let session = sessions.session(Some(time_of(times.start)))?;
    let now = Resolved::session(session, sessions.is_live(session));
    Ok(Resolved { start: times.start, ..now })
}
