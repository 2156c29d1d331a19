//! What is known of a channel: plain records, some of which are on disk.

use crate::media::recorder::StreamStat;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use time::OffsetDateTime;

/// What a channel is configured with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSettings {
    /// Free text.
    pub description: String,
    /// Whether the channel may be published to.
    pub enabled: bool,
    /// The least length of a fragment, in seconds.
    pub frag_duration: u32,
    /// How many fragments a live playlist shows.
    pub frag_count: u32,
    /// The live playlist's name below the channel.
    pub playlist_name: String,
    /// High-frequency snapshots: kept, but none are taken here.
    pub snapshot: Option<Snapshot>,
}

/// Where snapshots of a channel would go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The RAM role to write with.
    pub role_name: String,
    /// The bucket to write to.
    pub dest_bucket: String,
    /// The MNS topic to notify.
    pub notify_topic: String,
    /// Seconds between two snapshots.
    pub interval: u32,
}

/// What a channel is doing.
#[derive(Debug, Clone, PartialEq)]
pub enum Stat {
    /// Disabled; nobody may publish.
    Disabled,
    /// Enabled, and nobody publishes.
    Idle,
    /// Being published to.
    Live {
        /// When the publisher was accepted.
        connected: OffsetDateTime,
        /// The publisher's address.
        remote: SocketAddr,
        /// What its stream holds, as far as is known.
        stream: StreamStat,
    },
}

/// A session that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// When the publisher was accepted.
    #[serde(with = "time::serde::rfc3339")]
    pub start: OffsetDateTime,
    /// When it went; after a kill, the end of its last fragment.
    #[serde(with = "time::serde::rfc3339")]
    pub end: OffsetDateTime,
    /// The publisher's address.
    pub remote: SocketAddr,
}
