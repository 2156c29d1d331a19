//! Creates channels and replaces their configuration.

use crate::failure::Outcome;
use crate::session::Session;
use crate::table::Table;
use clap::{Args, value_parser};
use osslive::{ChannelConfig, ChannelState, ChannelUrls, Snapshot};

#[derive(Args)]
pub(super) struct Arguments {
    /// Channel id
    #[arg(value_name = "CHANNEL")]
    id: String,
    #[command(flatten)]
    settings: Settings,
}

/// The configuration of a channel. Missing options use their defaults.
#[derive(Args)]
struct Settings {
    /// Display name; the service stores it as the description
    #[arg(long, value_name = "TEXT", conflicts_with = "description")]
    name: Option<String>,
    /// Description, at most 128 bytes
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Create the channel disabled
    #[arg(long)]
    disabled: bool,
    /// Fragment duration; a fragment ends at the next key frame
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = value_parser!(u32).range(1..=100))]
    frag_duration: u32,
    /// Number of fragments in the live playlist
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..=100))]
    frag_count: u32,
    /// Name of the live playlist
    #[arg(long, value_name = "NAME.m3u8", default_value = "playlist.m3u8")]
    playlist_name: String,
    /// RAM role that writes snapshots of key frames
    #[arg(long, value_name = "ROLE", requires_all = ["snapshot_bucket", "snapshot_topic"])]
    snapshot_role: Option<String>,
    /// Bucket for snapshots
    #[arg(long, value_name = "NAME", requires = "snapshot_role")]
    snapshot_bucket: Option<String>,
    /// Message topic for snapshot notifications
    #[arg(long, value_name = "TOPIC", requires = "snapshot_role")]
    snapshot_topic: Option<String>,
    /// Seconds between snapshots
    #[arg(long, value_name = "SECONDS", default_value_t = 10, requires = "snapshot_role", value_parser = value_parser!(u32).range(1..=100))]
    snapshot_interval: u32,
}

impl Settings {
    fn config(self) -> ChannelConfig {
        let state = if self.disabled { ChannelState::Disabled } else { ChannelState::Enabled };
        let mut config = ChannelConfig::new(self.name.unwrap_or_default())
            .state(state)
            .frag_duration(self.frag_duration)
            .frag_count(self.frag_count)
            .playlist_name(self.playlist_name);
        if let Some(text) = self.description {
            config = config.description(text);
        }
        if let (Some(role), Some(bucket), Some(topic)) =
            (self.snapshot_role, self.snapshot_bucket, self.snapshot_topic)
        {
            config = config.snapshot(Snapshot::new(role, bucket, topic, self.snapshot_interval));
        }
        config
    }
}

pub(super) fn put(arguments: Arguments, session: &Session) -> Outcome {
    let urls = session.client.put_channel(&arguments.id, &arguments.settings.config())?;
    show(&urls, session);
    Ok(())
}

pub(super) fn create(arguments: Arguments, session: &Session) -> Outcome {
    let urls = session.client.create_channel(&arguments.id, &arguments.settings.config())?;
    show(&urls, session);
    Ok(())
}

fn show(urls: &ChannelUrls, session: &Session) {
    session.output.show(urls, |out| {
        let mut table = Table::details();
        urls.publish_urls.iter().for_each(|url| table.detail("publish", url));
        urls.play_urls.iter().for_each(|url| table.detail("play", url));
        table.write(out);
    });
}
