//! What goes into the operations and comes out of them, in the API's words.
//!
//! With the feature `serde` every result serialises in camel case, with times
//! as RFC 3339 and absent values as absent keys.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use time::OffsetDateTime;

use crate::error::{Error, ErrorKind, Result, code};

/// How the call behind a result went.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct ResponseInfo {
    /// The HTTP status.
    pub status: u16,
    /// The identifier by which the service's support finds the request.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub request_id: Option<String>,
    /// The time the whole call took, repeats and waiting included; in JSON
    /// milliseconds, with their fraction.
    #[cfg_attr(feature = "serde", serde(rename = "elapsedMs", with = "milliseconds"))]
    pub elapsed: Duration,
    /// How many requests were sent: 1 unless some were repeated.
    pub attempts: u32,
}

#[cfg(feature = "serde")]
mod milliseconds {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use std::time::Duration;

    pub(super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(time.as_micros() as f64 / 1000.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let milliseconds = f64::deserialize(from)?;
        Duration::try_from_secs_f64(milliseconds / 1000.0).map_err(de::Error::custom)
    }
}

/// Whether a channel takes publishers: its configured status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum ChannelState {
    /// Publishers are let in. The default.
    #[default]
    Enabled,
    /// Publishers are refused, and one that is live is cut.
    Disabled,
}

impl ChannelState {
    /// The state as the service spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            ChannelState::Enabled => "enabled",
            ChannelState::Disabled => "disabled",
        }
    }
}

impl fmt::Display for ChannelState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ChannelState {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "enabled" => Ok(ChannelState::Enabled),
            "disabled" => Ok(ChannelState::Disabled),
            other => {
                Err(Error::invalid(format!("the status {other:?} is not enabled or disabled")))
            }
        }
    }
}

/// What a channel is doing: its status at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum StreamState {
    /// A publisher is connected.
    Live,
    /// No publisher is connected.
    Idle,
    /// The channel is disabled.
    Disabled,
}

impl StreamState {
    /// The state as the service spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            StreamState::Live => "Live",
            StreamState::Idle => "Idle",
            StreamState::Disabled => "Disabled",
        }
    }
}

impl fmt::Display for StreamState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for StreamState {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "Live" => Ok(StreamState::Live),
            "Idle" => Ok(StreamState::Idle),
            "Disabled" => Ok(StreamState::Disabled),
            other => Err(Error::bad_reply(format!("the stream status {other:?} is unknown"))),
        }
    }
}

/// The configuration of a channel, for `put_channel`.
///
/// ```
/// use osslive::{ChannelConfig, ChannelState};
///
/// let config = ChannelConfig::new("Main stage")
///     .frag_duration(2)
///     .frag_count(5)
///     .state(ChannelState::Disabled);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelConfig {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) state: ChannelState,
    pub(crate) frag_duration: u32,
    pub(crate) frag_count: u32,
    pub(crate) playlist_name: String,
    pub(crate) snapshot: Option<Snapshot>,
}

impl ChannelConfig {
    /// A configuration with a display name. The service keeps no display
    /// name: it becomes the description, unless one is set. It may be empty.
    pub fn new(name: impl Into<String>) -> Self {
        ChannelConfig { name: name.into(), ..Self::default() }
    }

    /// Sets the description: at most 128 bytes. Defaults to the name.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Sets whether publishers are let in. Defaults to enabled.
    pub fn state(mut self, state: ChannelState) -> Self {
        self.state = state;
        self
    }

    /// Sets the length of a fragment in seconds, 1 to 100. A fragment ends
    /// at the first key frame after it. Defaults to 5.
    pub fn frag_duration(mut self, seconds: u32) -> Self {
        self.frag_duration = seconds;
        self
    }

    /// Sets how many fragments the live playlist lists, 1 to 100. Defaults
    /// to 3.
    pub fn frag_count(mut self, count: u32) -> Self {
        self.frag_count = count;
        self
    }

    /// Sets the name of the live playlist: 6 to 128 bytes, ending in
    /// `.m3u8`, without `/`. Defaults to `playlist.m3u8`.
    pub fn playlist_name(mut self, name: impl Into<String>) -> Self {
        self.playlist_name = name.into();
        self
    }

    /// Asks for snapshots of the key frames. Defaults to none.
    pub fn snapshot(mut self, snapshot: Snapshot) -> Self {
        self.snapshot = Some(snapshot);
        self
    }
}

impl Default for ChannelConfig {
    fn default() -> Self {
        ChannelConfig {
            name: String::new(),
            description: None,
            state: ChannelState::Enabled,
            frag_duration: 5,
            frag_count: 3,
            playlist_name: "playlist.m3u8".to_owned(),
            snapshot: None,
        }
    }
}

/// High-frequency snapshots of a channel, in regions that have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub(crate) role_name: String,
    pub(crate) dest_bucket: String,
    pub(crate) notify_topic: String,
    pub(crate) interval: u32,
}

impl Snapshot {
    /// Snapshots every `interval` seconds (1 to 100) into `dest_bucket`,
    /// written with the rights of the RAM role `role_name` and announced at
    /// the message topic `notify_topic`. The service wants all four.
    pub fn new(
        role_name: impl Into<String>,
        dest_bucket: impl Into<String>,
        notify_topic: impl Into<String>,
        interval: u32,
    ) -> Self {
        Snapshot {
            role_name: role_name.into(),
            dest_bucket: dest_bucket.into(),
            notify_topic: notify_topic.into(),
            interval,
        }
    }
}

/// Which channels to list, for `list_channels`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListChannels {
    pub(crate) prefix: String,
    pub(crate) marker: String,
    pub(crate) max_keys: Option<u32>,
}

impl ListChannels {
    /// The first page of all channels.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only channels whose names begin so.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Only channels whose names come after this one, in byte order: the
    /// `next_marker` of the page before.
    pub fn marker(mut self, marker: impl Into<String>) -> Self {
        self.marker = marker.into();
        self
    }

    /// At most so many, 1 to 1000. Defaults to the service's 100.
    pub fn max_keys(mut self, count: u32) -> Self {
        self.max_keys = Some(count);
        self
    }
}

/// A span of wall-clock time to cut from, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VodTime {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl VodTime {
    /// From `start` to `end`, both included. A fragment belongs to the span
    /// when it begins in it. The end must come after the start, at most a
    /// day later.
    pub fn new(start: i64, end: i64) -> Self {
        VodTime { start, end }
    }

    /// From one point in time to another, in whole seconds that cover both.
    pub fn between(start: OffsetDateTime, end: OffsetDateTime) -> Self {
        let up = i64::from(end.nanosecond() > 0);
        VodTime { start: start.unix_timestamp(), end: end.unix_timestamp() + up }
    }
}

/// How to sign a publish URL, for `get_rtmp_url`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtmpUrlOptions {
    pub(crate) expires: u32,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) sign_token: bool,
}

impl RtmpUrlOptions {
    /// A URL good for 1800 seconds, with no extra parameter.
    pub fn new() -> Self {
        RtmpUrlOptions { expires: 1800, params: Vec::new(), sign_token: true }
    }

    /// Sets for how many seconds from now a publisher may connect; one that
    /// is connected is not cut when they have passed. Defaults to 1800.
    pub fn expires(mut self, seconds: u32) -> Self {
        self.expires = seconds;
        self
    }

    /// Sets the live playlist of this session, in place of the channel's.
    pub fn playlist_name(self, name: impl Into<String>) -> Self {
        self.param("playlistName", name)
    }

    /// Adds a parameter, which is signed. Each name may stand once; those
    /// that the signature itself uses are refused.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    /// Sets whether an STS token is part of what is signed. Defaults to
    /// true, as two official SDKs do it; another only appends the token. Which
    /// of the two the service wants is not documented.
    pub fn sign_security_token(mut self, sign: bool) -> Self {
        self.sign_token = sign;
        self
    }
}

impl Default for RtmpUrlOptions {
    fn default() -> Self {
        Self::new()
    }
}

macro_rules! result {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
        #[non_exhaustive]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
    };
}

result! {
    /// The result of a call that returns nothing but its success.
    Done {
        /// How the call went.
        res: ResponseInfo,
    }
}

result! {
    /// The result of `put_channel` and `create_channel`.
    ChannelUrls {
        /// Where to publish; unsigned.
        publish_urls: Vec<String>,
        /// Where to play; unsigned.
        play_urls: Vec<String>,
        /// How the call went.
        res: ResponseInfo,
    }
}

result! {
    /// The result of `get_channel`.
    Channel {
        /// The channel's id.
        name: String,
        /// The description.
        description: String,
        /// Whether publishers are let in.
        status: ChannelState,
        /// The type of its output: `HLS`.
        #[cfg_attr(feature = "serde", serde(rename = "type"))]
        target_type: String,
        /// The length of a fragment in seconds.
        frag_duration: u32,
        /// How many fragments the live playlist lists.
        frag_count: u32,
        /// The name of the live playlist.
        playlist_name: String,
        /// When the channel was created. The service does not say so today.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option"))]
        create_time: Option<OffsetDateTime>,
        /// When the configuration was last changed; absent when listing
        /// channels is not permitted.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option"))]
        last_modified: Option<OffsetDateTime>,
        /// Where to publish; unsigned. Empty when listing channels is not
        /// permitted.
        publish_urls: Vec<String>,
        /// Where to play; unsigned. Empty when listing channels is not
        /// permitted.
        play_urls: Vec<String>,
        /// How the call went.
        res: ResponseInfo,
    }
}

result! {
    /// A page of channels, the result of `list_channels`.
    ChannelList {
        /// The channels, in byte order of their names.
        channels: Vec<ChannelSummary>,
        /// Whether there are more.
        is_truncated: bool,
        /// The marker of the next page, when there are more.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        next_marker: Option<String>,
        /// How the call went.
        res: ResponseInfo,
    }
}

result! {
    /// A channel as a list shows it.
    ChannelSummary {
        /// The channel's id.
        name: String,
        /// The description.
        description: String,
        /// Whether publishers are let in.
        status: ChannelState,
        /// When the configuration was last changed.
        #[cfg_attr(feature = "serde", serde(with = "time::serde::rfc3339"))]
        last_modified: OffsetDateTime,
        /// Where to publish; unsigned.
        publish_urls: Vec<String>,
        /// Where to play; unsigned.
        play_urls: Vec<String>,
    }
}

result! {
    /// What a channel is doing, the result of `get_channel_status`.
    ChannelStatus {
        /// Live, idle or disabled.
        status: StreamState,
        /// Since when the publisher has been connected, when live.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option"))]
        connected_time: Option<OffsetDateTime>,
        /// The publisher's `IP:PORT`, when live.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        remote_addr: Option<String>,
        /// The picture, once some of it has arrived.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        video: Option<Video>,
        /// The sound, once some of it has arrived.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        audio: Option<Audio>,
        /// How the call went.
        res: ResponseInfo,
    }
}

/// The live details of a channel: what [`ChannelStatus::live`] borrows.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Live<'a> {
    /// Since when the publisher has been connected.
    pub connected_time: Option<OffsetDateTime>,
    /// The publisher's `IP:PORT`.
    pub remote_addr: Option<&'a str>,
    /// The picture, once some of it has arrived.
    pub video: Option<&'a Video>,
    /// The sound, once some of it has arrived.
    pub audio: Option<&'a Audio>,
}

impl ChannelStatus {
    /// The live details.
    ///
    /// # Errors
    ///
    /// Code [`ChannelNotLive`](code::CHANNEL_NOT_LIVE) when the channel is
    /// idle or disabled.
    pub fn live(&self) -> Result<Live<'_>> {
        if self.status != StreamState::Live {
            let message = format!("the channel is not live: it is {}", self.status);
            return Err(Error::new(ErrorKind::Service, message)
                .with_code(code::CHANNEL_NOT_LIVE)
                .with_request_id(self.res.request_id.clone()));
        }
        Ok(Live {
            connected_time: self.connected_time,
            remote_addr: self.remote_addr.as_deref(),
            video: self.video.as_ref(),
            audio: self.audio.as_ref(),
        })
    }
}

result! {
    /// The picture of a live stream.
    Video {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Frames per second, as the service rounds it.
        frame_rate: u32,
        /// Bytes per second over the last moments.
        bandwidth: u64,
        /// The codec: `H264`.
        codec: String,
    }
}

result! {
    /// The sound of a live stream.
    Audio {
        /// Bytes per second over the last moments.
        bandwidth: u64,
        /// Samples per second.
        sample_rate: u32,
        /// The codec: `AAC`.
        codec: String,
    }
}

result! {
    /// The last sessions of a channel, the result of `get_channel_history`.
    ChannelHistory {
        /// At most ten finished sessions, the oldest first.
        records: Vec<SessionRecord>,
        /// How the call went.
        res: ResponseInfo,
    }
}

result! {
    /// A session: from a publisher's coming to its going.
    SessionRecord {
        /// When it began.
        #[cfg_attr(feature = "serde", serde(with = "time::serde::rfc3339"))]
        start_time: OffsetDateTime,
        /// When it ended.
        #[cfg_attr(feature = "serde", serde(with = "time::serde::rfc3339"))]
        end_time: OffsetDateTime,
        /// The publisher's `IP:PORT`.
        remote_addr: String,
    }
}

impl SessionRecord {
    /// A session from `start_time` to `end_time` by the publisher at
    /// `remote_addr`, an `IP:PORT`: to analyse what was kept elsewhere.
    pub fn new(
        start_time: OffsetDateTime,
        end_time: OffsetDateTime,
        remote_addr: impl Into<String>,
    ) -> Self {
        SessionRecord { start_time, end_time, remote_addr: remote_addr.into() }
    }
}

result! {
    /// A playlist cut from a channel's recording, the result of `get_vod`.
    VodPlaylist {
        /// The playlist. Its fragments are relative to `CHANNEL/`.
        text: String,
        /// How the call went.
        res: ResponseInfo,
    }
}
