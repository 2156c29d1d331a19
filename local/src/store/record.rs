//! Plain records that describe a channel, some of which are stored on disk.

use crate::media::recorder::StreamStat;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use time::OffsetDateTime;

/// The configuration of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSettings {
    /// Free text.
    pub description: String,
    /// Whether the channel may be published to.
    pub enabled: bool,
    /// The minimum length of a fragment, in seconds.
    pub frag_duration: u32,
    /// How many fragments a live playlist shows.
    pub frag_count: u32,
    /// The live playlist's name below the channel.
    pub playlist_name: String,
    /// High-frequency snapshots: stored, but not implemented here.
    pub snapshot: Option<Snapshot>,
}

/// The snapshot configuration of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The RAM role to write with.
    pub role_name: String,
    /// The bucket to write to.
    pub dest_bucket: String,
    /// The MNS topic to notify.
    pub notify_topic: String,
    /// The interval between snapshots, in seconds.
    pub interval: u32,
}

/// The status of a channel.
#[derive(Debug, Clone, PartialEq)]
pub enum Stat {
    /// Disabled; nobody may publish.
    Disabled,
    /// Enabled, without a publisher.
    Idle,
    /// Being published to.
    Live {
        /// When the publisher was accepted.
        connected: OffsetDateTime,
        /// The publisher's address.
        remote: SocketAddr,
        /// Its stream, as far as known.
        stream: StreamStat,
    },
}

/// A session that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// When the publisher was accepted.
    #[serde(with = "time::serde::rfc3339")]
    pub start: OffsetDateTime,
    /// When it ended; after a kill, the end of its last fragment.
    #[serde(with = "time::serde::rfc3339")]
    pub end: OffsetDateTime,
    /// The publisher's address.
    pub remote: SocketAddr,
}
