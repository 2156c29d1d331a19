//! What changed from one sweep to the next.

use super::sweep::Sweep;
use crate::error::{Error, code};
use crate::operation::{ChannelStatus, StreamState};
use std::collections::HashMap;
use std::fmt;
use time::OffsetDateTime;

/// A change of a channel. In JSON it is one object, in which `change` names the
/// kind.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct Change {
    /// The channel's id.
    pub id: String,
    /// When the change was noticed.
    #[cfg_attr(feature = "serde", serde(with = "time::serde::rfc3339"))]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Time"))]
    pub time: OffsetDateTime,
    /// What changed.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub kind: ChangeKind,
}

/// The kind of a change, with its details.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    serde(tag = "change", rename_all = "camelCase", rename_all_fields = "camelCase")
)]
#[non_exhaustive]
pub enum ChangeKind {
    /// The channel went live.
    WentLive {
        /// The publisher's `IP:PORT`.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        remote_addr: Option<String>,
    },
    /// The channel went idle.
    WentIdle,
    /// The channel was disabled.
    Disabled,
    /// The channel was enabled.
    Enabled,
    /// Another publisher, or the same one from another port, took over, and the
    /// channel was not seen idle in between.
    NewPublisher {
        /// The address before.
        from: String,
        /// The address now.
        to: String,
    },
    /// Video and audio together are below
    /// [`min_bandwidth`](Limits::min_bandwidth).
    BandwidthLow {
        /// Bytes per second.
        bandwidth: u64,
        /// The limit, in bytes per second.
        limit: u64,
    },
    /// Video and audio together are no longer below the limit.
    BandwidthRecovered {
        /// Bytes per second.
        bandwidth: u64,
        /// The limit, in bytes per second.
        limit: u64,
    },
    /// The frame rate fell by more than
    /// [`frame_rate_drop`](Limits::frame_rate_drop) since the previous sweep.
    FrameRateFell {
        /// Frames per second before.
        from: u32,
        /// Frames per second now.
        to: u32,
    },
    /// The status of the channel cannot be read. The last known status is kept;
    /// later changes are reported relative to it.
    Failing {
        /// Why.
        error: Error,
    },
    /// The status of the channel can be read again.
    Recovered,
    /// The channel does not exist, or no longer does. Reported once, until it is
    /// created.
    Gone,
    /// The channel exists again.
    Created,
}

/// One human-readable line.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { id, kind, .. } = self;
        match kind {
            ChangeKind::WentLive { remote_addr: Some(from) } => {
                write!(f, "{id} is live from {from}")
            }
            ChangeKind::WentLive { remote_addr: None } => write!(f, "{id} is live"),
            ChangeKind::WentIdle => write!(f, "{id} is idle"),
            ChangeKind::Disabled => write!(f, "{id} is disabled"),
            ChangeKind::Enabled => write!(f, "{id} is enabled"),
            ChangeKind::NewPublisher { from, to } => {
                write!(f, "{id} has a new publisher: {to}, previously {from}")
            }
            ChangeKind::BandwidthLow { bandwidth, limit } => {
                write!(f, "{id} has {bandwidth} bytes/s, below {limit}")
            }
            ChangeKind::BandwidthRecovered { bandwidth, .. } => {
                write!(f, "{id} has {bandwidth} bytes/s again")
            }
            ChangeKind::FrameRateFell { from, to } => {
                write!(f, "{id} fell from {from} to {to} frames/s")
            }
            ChangeKind::Failing { error } => write!(f, "{id} failed: {error}"),
            ChangeKind::Recovered => write!(f, "{id} recovered"),
            ChangeKind::Gone => write!(f, "{id} does not exist"),
            ChangeKind::Created => write!(f, "{id} exists again"),
        }
    }
}

/// Limits beyond which a stream is reported.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Limits {
    min_bandwidth: Option<u64>,
    frame_rate_drop: f64,
}

impl Limits {
    /// Creates limits with their defaults: no minimum bandwidth, and a frame rate drop
    /// of a tenth.
    pub fn new() -> Self {
        Limits { min_bandwidth: None, frame_rate_drop: 0.1 }
    }

    /// Reports streams whose video and audio together are below this many bytes
    /// per second. Streams that have not been measured yet are not reported.
    /// Defaults to no limit.
    pub fn min_bandwidth(mut self, bytes_per_second: u64) -> Self {
        self.min_bandwidth = Some(bytes_per_second);
        self
    }

    /// Reports frame rates that fell by more than this fraction between two
    /// sweeps: 0 reports every drop, 1 none. The service rounds frame rates to
    /// whole numbers. Defaults to 0.1.
    pub fn frame_rate_drop(mut self, part: f64) -> Self {
        self.frame_rate_drop = part;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

/// Computes changes from sweep to sweep. It does no I/O and never reads the clock, for
/// programs with their own schedule; [`ChannelMonitor`] does both.
///
/// Unknown channels count as idle, so that the changes alone determine the state
/// of every channel. A channel that was [`Gone`](ChangeKind::Gone) is idle when it is
/// [`Created`](ChangeKind::Created).
///
/// ```no_run
/// # let client: osslive::Client = unimplemented!();
/// use osslive::{Limits, SweepOptions, Watch};
///
/// let mut watch = Watch::new(Limits::new().min_bandwidth(100_000));
/// let sweep = client.monitor_channels(["main-stage"], &SweepOptions::new());
/// for change in watch.changes(&sweep, time::OffsetDateTime::now_utc()) {
///     println!("{change}");
/// }
/// ```
///
/// [`ChannelMonitor`]: super::ChannelMonitor
#[derive(Debug, Clone)]
pub struct Watch {
    limits: Limits,
    known: HashMap<String, KnownChannel>,
}

/// What a [`Watch`] knows about a channel: the state that the next status is compared
/// with.
///
/// With the feature `serde` it can be stored and given to the [`Watch`] of another
/// process by [`restore`](Watch::restore), which then reports what changed in
/// between. Its fields may change; unknown ones are ignored and missing ones take
/// their defaults.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", default))]
pub struct KnownChannel {
    state: StreamState,
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    remote_addr: Option<String>,
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    frame_rate: Option<u32>,
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_false"))]
    is_low: bool,
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_false"))]
    is_failing: bool,
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_false"))]
    is_gone: bool,
}

#[cfg(feature = "serde")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Default for KnownChannel {
    fn default() -> Self {
        KnownChannel {
            state: StreamState::Idle,
            remote_addr: None,
            frame_rate: None,
            is_low: false,
            is_failing: false,
            is_gone: false,
        }
    }
}

impl Watch {
    /// Creates a watch that knows no channels.
    pub fn new(limits: Limits) -> Self {
        Watch { limits, known: HashMap::new() }
    }

    /// Returns the changes since the previous sweep, in the order of this one's
    /// lists: live, idle, disabled, failed. `time` is the time of the sweep.
    pub fn changes(&mut self, sweep: &Sweep, time: OffsetDateTime) -> Vec<Change> {
        let mut changes = Vec::new();
        for report in sweep.live.iter().chain(&sweep.idle).chain(&sweep.disabled) {
            let known = self.known.entry(report.id.clone()).or_default();
            let found = known.compare(&report.status, &self.limits);
            changes.extend(found.into_iter().map(|kind| change(&report.id, time, kind)));
        }
        for failure in &sweep.failed {
            let known = self.known.entry(failure.id.clone()).or_default();
            let kind = match failure.error.code() {
                Some(code::NO_SUCH_LIVE_CHANNEL) => known.leave(),
                _ => known.fail(&failure.error),
            };
            changes.extend(kind.map(|kind| change(&failure.id, time, kind)));
        }
        changes
    }

    /// Returns what is known about each channel, to store it. A channel is known from
    /// its first sweep on.
    pub fn known(&self) -> impl Iterator<Item = (&str, &KnownChannel)> {
        self.known.iter().map(|(id, known)| (id.as_str(), known))
    }

    /// Returns what is known about a channel.
    pub fn get(&self, id: &str) -> Option<&KnownChannel> {
        self.known.get(id)
    }

    /// Sets what is known about a channel, as returned by [`known`](Self::known): the
    /// next sweep is compared with it.
    ///
    /// ```
    /// use osslive::{Limits, Watch};
    ///
    /// # let before = Watch::new(Limits::new());
    /// let mut after = Watch::new(Limits::new());
    /// for (id, known) in before.known() {
    ///     after.restore(id, known.clone());
    /// }
    /// ```
    pub fn restore(&mut self, id: impl Into<String>, known: KnownChannel) {
        self.known.insert(id.into(), known);
    }

    /// Forgets a channel, without reporting a change. Returns whether it was known.
    pub fn forget(&mut self, id: &str) -> bool {
        self.known.remove(id).is_some()
    }

    /// Forgets a channel that a list of all channels no longer contains, and
    /// returns the change, unless it was unknown or already reported as gone.
    pub fn remove(&mut self, id: &str, time: OffsetDateTime) -> Option<Change> {
        let was_there = !self.known.remove(id)?.is_gone;
        was_there.then(|| change(id, time, ChangeKind::Gone))
    }
}

fn change(id: &str, time: OffsetDateTime, kind: ChangeKind) -> Change {
    Change { id: id.to_owned(), time, kind }
}

impl KnownChannel {
    /// Notes that the channel does not exist. If it comes back, it is a new one.
    fn leave(&mut self) -> Option<ChangeKind> {
        let was_there = !self.is_gone;
        *self = KnownChannel { is_gone: true, ..KnownChannel::default() };
        was_there.then_some(ChangeKind::Gone)
    }

    fn fail(&mut self, error: &Error) -> Option<ChangeKind> {
        let is_new = !std::mem::replace(&mut self.is_failing, true);
        is_new.then(|| ChangeKind::Failing { error: error.clone() })
    }

    /// Returns what changed, and remembers the status.
    fn compare(&mut self, status: &ChannelStatus, limits: &Limits) -> Vec<ChangeKind> {
        let mut kinds = Vec::new();
        if std::mem::take(&mut self.is_gone) {
            kinds.push(ChangeKind::Created);
        }
        if std::mem::take(&mut self.is_failing) {
            kinds.push(ChangeKind::Recovered);
        }
        let before = std::mem::replace(&mut self.state, status.status);
        let stayed_live = before == StreamState::Live && status.status == before;
        if before == StreamState::Disabled && status.status != before {
            kinds.push(ChangeKind::Enabled);
        }
        match status.status {
            StreamState::Live if stayed_live => kinds.extend(self.compare_streams(status, limits)),
            StreamState::Live => {
                kinds.push(ChangeKind::WentLive { remote_addr: status.remote_addr.clone() });
            }
            StreamState::Idle if before == StreamState::Live => kinds.push(ChangeKind::WentIdle),
            StreamState::Disabled if before != StreamState::Disabled => {
                kinds.push(ChangeKind::Disabled);
            }
            StreamState::Idle | StreamState::Disabled => {}
        }
        if !stayed_live {
            self.is_low = false;
        }
        kinds.extend(self.judge_bandwidth(status, limits));
        self.remember_stream(status, stayed_live);
        kinds
    }

    fn compare_streams(&self, status: &ChannelStatus, limits: &Limits) -> Vec<ChangeKind> {
        let mut kinds = Vec::new();
        let addresses = self.remote_addr.as_ref().zip(status.remote_addr.as_ref());
        if let Some((from, to)) = addresses.filter(|(from, to)| from != to) {
            kinds.push(ChangeKind::NewPublisher { from: from.clone(), to: to.clone() });
        } else if let (Some(from), Some(video)) = (self.frame_rate, &status.video) {
            // A new publisher's lower frame rate is not a drop.
            let to = video.frame_rate;
            let least = f64::from(from) * (1.0 - limits.frame_rate_drop);
            if to < from && f64::from(to) < least {
                kinds.push(ChangeKind::FrameRateFell { from, to });
            }
        }
        kinds
    }

    fn judge_bandwidth(&mut self, status: &ChannelStatus, limits: &Limits) -> Option<ChangeKind> {
        let (bandwidth, limit) = (bandwidth(status)?, limits.min_bandwidth?);
        let is_low = bandwidth < limit;
        if std::mem::replace(&mut self.is_low, is_low) == is_low {
            return None;
        }
        Some(match is_low {
            true => ChangeKind::BandwidthLow { bandwidth, limit },
            false => ChangeKind::BandwidthRecovered { bandwidth, limit },
        })
    }

    /// Remembers the details of a stream. Details that a response omits are kept from
    /// earlier ones while the stream continues.
    fn remember_stream(&mut self, status: &ChannelStatus, is_same_stream: bool) {
        if !is_same_stream {
            (self.remote_addr, self.frame_rate) = (None, None);
        }
        if let Some(address) = &status.remote_addr {
            self.remote_addr = Some(address.clone());
        }
        if let Some(video) = &status.video {
            self.frame_rate = Some(video.frame_rate);
        }
    }
}

/// Returns video and audio together, in bytes per second; `None` if nothing was measured
/// yet.
fn bandwidth(status: &ChannelStatus) -> Option<u64> {
    let video = status.video.as_ref().map(|video| video.bandwidth);
    let audio = status.audio.as_ref().map(|audio| audio.bandwidth);
    match (video, audio) {
        (None, None) => None,
        (video, audio) => Some(video.unwrap_or(0).saturating_add(audio.unwrap_or(0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorKind, Result};
    use crate::operation::{Audio, ResponseInfo, Video};
    use std::time::Duration;

    fn status(state: StreamState) -> Result<ChannelStatus> {
        let res =
            ResponseInfo { status: 200, request_id: None, elapsed: Duration::ZERO, attempts: 1 };
        Ok(ChannelStatus {
            status: state,
            connected_time: None,
            remote_addr: None,
            video: None,
            audio: None,
            res,
        })
    }

    fn idle() -> Result<ChannelStatus> {
        status(StreamState::Idle)
    }

    fn disabled() -> Result<ChannelStatus> {
        status(StreamState::Disabled)
    }

    fn failed() -> Result<ChannelStatus> {
        Err(Error::new(ErrorKind::Timeout, "too late"))
    }

    /// A live stream: its publisher, frames and bytes per second. Ten of the bytes
    /// are audio.
    fn live(from: &str, frame_rate: u32, bandwidth: u64) -> Result<ChannelStatus> {
        let (codec, audio) = (String::new(), 10);
        let video = bandwidth - audio;
        Ok(ChannelStatus {
            remote_addr: Some(from.into()),
            video: Some(Video {
                width: 16,
                height: 16,
                frame_rate,
                bandwidth: video,
                codec: codec.clone(),
            }),
            audio: Some(Audio { bandwidth: audio, sample_rate: 44100, codec }),
            ..status(StreamState::Live)?
        })
    }

    /// Returns the changes after each of these statuses of one channel.
    fn lines_of(limits: Limits, outcomes: Vec<Result<ChannelStatus>>) -> Vec<Vec<String>> {
        let mut watch = Watch::new(limits);
        let sweeps = outcomes.into_iter().map(|outcome| Sweep::of([("c".to_owned(), outcome)]));
        sweeps
            .map(|sweep| watch.changes(&sweep, OffsetDateTime::UNIX_EPOCH))
            .map(|changes| changes.iter().map(Change::to_string).collect())
            .collect()
    }

    macro_rules! assert_changes {
        ($limits:expr, [$($outcome:expr => [$($line:expr),*]),* $(,)?]) => {
            let expected: Vec<Vec<&str>> = vec![$(vec![$($line),*]),*];
            assert_eq!(lines_of($limits, vec![$($outcome),*]), expected);
        };
    }

    #[test]
    fn a_stream_is_reported_when_it_starts_and_ends() {
        assert_changes!(Limits::new(), [
            idle() => [],
            live("a:1", 25, 100) => ["c is live from a:1"],
            live("a:1", 25, 100) => [],
            idle() => ["c is idle"],
            idle() => [],
        ]);
    }

    #[test]
    fn the_first_sweep_reports_every_channel_that_is_not_idle() {
        assert_changes!(Limits::new(), [live("a:1", 25, 100) => ["c is live from a:1"]]);
        assert_changes!(Limits::new(), [status(StreamState::Live) => ["c is live"]]);
        assert_changes!(Limits::new(), [disabled() => ["c is disabled"]]);
        assert_changes!(Limits::new(), [failed() => ["c failed: too late"]]);
        assert_changes!(Limits::new(), [idle() => []]);
    }

    #[test]
    fn disabling_and_enabling_are_reported_but_not_going_idle_in_between() {
        assert_changes!(Limits::new(), [
            live("a:1", 25, 100) => ["c is live from a:1"],
            disabled() => ["c is disabled"],
            disabled() => [],
            idle() => ["c is enabled"],
            disabled() => ["c is disabled"],
            live("a:1", 25, 100) => ["c is enabled", "c is live from a:1"],
        ]);
    }

    #[test]
    fn a_new_address_is_reported_unless_the_channel_was_idle_before() {
        assert_changes!(Limits::new(), [
            live("a:1", 25, 100) => ["c is live from a:1"],
            live("b:1", 10, 100) => ["c has a new publisher: b:1, previously a:1"],
            idle() => ["c is idle"],
            live("a:2", 25, 100) => ["c is live from a:2"],
        ]);
    }

    #[test]
    fn a_missing_address_is_no_change() {
        assert_changes!(Limits::new(), [
            live("a:1", 25, 100) => ["c is live from a:1"],
            status(StreamState::Live) => [],
            live("a:1", 25, 100) => [],
            status(StreamState::Live) => [],
            live("a:2", 25, 100) => ["c has a new publisher: a:2, previously a:1"],
        ]);
    }

    #[test]
    fn bandwidth_is_reported_when_it_crosses_the_limit() {
        assert_changes!(Limits::new().min_bandwidth(100), [
            live("a:1", 25, 100) => ["c is live from a:1"],
            live("a:1", 25, 99) => ["c has 99 bytes/s, below 100"],
            live("a:1", 25, 50) => [],
            status(StreamState::Live) => [],
            live("a:1", 25, 100) => ["c has 100 bytes/s again"],
            live("a:1", 25, 99) => ["c has 99 bytes/s, below 100"],
            idle() => ["c is idle"],
            live("a:1", 25, 100) => ["c is live from a:1"],
            idle() => ["c is idle"],
            live("a:1", 25, 50) => [
                "c is live from a:1",
                "c has 50 bytes/s, below 100"
            ],
        ]);
    }

    #[test]
    fn a_frame_rate_that_falls_by_more_than_the_limit_is_reported() {
        assert_changes!(Limits::new(), [
            live("a:1", 30, 100) => ["c is live from a:1"],
            live("a:1", 27, 100) => [],
            live("a:1", 24, 100) => ["c fell from 27 to 24 frames/s"],
            live("a:1", 30, 100) => [],
            live("a:1", 0, 100) => ["c fell from 30 to 0 frames/s"],
            live("a:1", 0, 100) => [],
        ]);
        assert_changes!(Limits::new().frame_rate_drop(0.0), [
            live("a:1", 30, 100) => ["c is live from a:1"],
            live("a:1", 29, 100) => ["c fell from 30 to 29 frames/s"],
        ]);
        for none in [1.0, f64::NAN] {
            assert_changes!(Limits::new().frame_rate_drop(none), [
                live("a:1", 30, 100) => ["c is live from a:1"],
                live("a:1", 0, 100) => [],
            ]);
        }
    }

    #[test]
    fn changes_during_a_failure_are_reported_afterwards() {
        assert_changes!(Limits::new(), [
            live("a:1", 25, 100) => ["c is live from a:1"],
            failed() => ["c failed: too late"],
            failed() => [],
            live("a:1", 25, 100) => ["c recovered"],
            failed() => ["c failed: too late"],
            idle() => ["c recovered", "c is idle"],
        ]);
    }

    fn gone() -> Result<ChannelStatus> {
        Err(Error::new(ErrorKind::Service, "no").with_code(code::NO_SUCH_LIVE_CHANNEL))
    }

    #[test]
    fn a_channel_that_does_not_exist_is_reported_once_and_again_when_it_is_created() {
        assert_changes!(Limits::new(), [
            gone() => ["c does not exist"],
            gone() => [],
            idle() => ["c exists again"],
            live("a:1", 25, 100) => ["c is live from a:1"],
            failed() => ["c failed: too late"],
            gone() => ["c does not exist"],
            live("a:1", 25, 100) => ["c exists again", "c is live from a:1"],
        ]);
    }

    #[test]
    fn another_watch_continues_from_restored_state() {
        let time = OffsetDateTime::UNIX_EPOCH;
        let sweep = |outcome| Sweep::of([("c".to_owned(), outcome)]);
        let mut before = Watch::new(Limits::new());
        before.changes(&sweep(live("a:1", 25, 100)), time);
        for (outcome, line) in [
            (live("a:1", 25, 100), None),
            (live("b:2", 25, 100), Some("c has a new publisher: b:2, previously a:1")),
            (idle(), Some("c is idle")),
            (gone(), Some("c does not exist")),
        ] {
            let mut after = Watch::new(Limits::new());
            for (id, known) in before.known() {
                after.restore(id, known.clone());
            }
            let changes = after.changes(&sweep(outcome), time);
            assert_eq!(changes.first().map(Change::to_string).as_deref(), line);
        }
    }

    #[test]
    fn a_channel_removed_from_the_list_is_reported_as_gone_once() {
        let time = OffsetDateTime::UNIX_EPOCH;
        let mut watch = Watch::new(Limits::new());
        assert!(watch.remove("c", time).is_none(), "it was never known");
        watch.changes(&Sweep::of([("c".to_owned(), idle())]), time);
        assert_eq!(watch.remove("c", time).unwrap().to_string(), "c does not exist");
        watch.changes(&Sweep::of([("c".to_owned(), gone())]), time);
        assert!(watch.remove("c", time).is_none(), "it was reported");
        assert!(watch.get("c").is_none() && !watch.forget("c"));
    }

    #[cfg(feature = "serde")]
    #[test]
    fn stored_state_is_compact() {
        let mut watch = Watch::new(Limits::new());
        let channels = [("i", idle()), ("l", live("a:1", 25, 100)), ("g", gone())];
        let sweep = Sweep::of(channels.map(|(id, outcome)| (id.to_owned(), outcome)));
        watch.changes(&sweep, OffsetDateTime::UNIX_EPOCH);
        for (id, text) in [
            ("i", r#"{"state":"Idle"}"#),
            ("l", r#"{"state":"Live","remoteAddr":"a:1","frameRate":25}"#),
            ("g", r#"{"state":"Idle","isGone":true}"#),
        ] {
            let known = watch.get(id).unwrap();
            assert_eq!(serde_json::to_string(known).unwrap(), text);
            assert_eq!(&serde_json::from_str::<KnownChannel>(text).unwrap(), known);
        }
    }

    #[test]
    fn channels_are_compared_separately() {
        let mut watch = Watch::new(Limits::new());
        let ids = ["b", "a", "z"].map(str::to_owned);
        let sweep = Sweep::of(ids.into_iter().zip([idle(), live("a:1", 25, 100), failed()]));
        let changes = watch.changes(&sweep, OffsetDateTime::UNIX_EPOCH);
        let lines: Vec<_> = changes.iter().map(Change::to_string).collect();
        assert_eq!(lines, ["a is live from a:1", "z failed: too late"]);
    }

    #[test]
    fn a_forgotten_channel_was_known() {
        let mut watch = Watch::new(Limits::new());
        watch.changes(&Sweep::of([("c".to_owned(), idle())]), OffsetDateTime::UNIX_EPOCH);
        assert!(watch.forget("c"));
        assert!(!watch.forget("c"));
    }
}
