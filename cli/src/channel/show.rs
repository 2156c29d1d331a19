//! Shows channels: configuration, status and history.

use crate::failure::Outcome;
use crate::session::Session;
use crate::table::{Cell, Style, Table};
use crate::text;
use clap::Args;
use osslive::{
    Channel, ChannelState, ChannelStatus, ChannelSummary, SessionRecord, StreamState, Video,
};
use serde::Serialize;
use time::OffsetDateTime;

#[derive(Args)]
pub(super) struct List {
    /// List only channels whose ids start with this prefix
    #[arg(value_name = "PREFIX", default_value = "", hide_default_value = true)]
    prefix: String,
    /// Maximum number of channels
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

#[derive(Args)]
pub(super) struct Status {
    /// Channel id
    #[arg(value_name = "CHANNEL")]
    id: String,
    /// Exit with status 5 unless the channel is live
    #[arg(long)]
    live: bool,
}

/// All pages combined.
#[derive(Serialize)]
struct Listed {
    channels: Vec<ChannelSummary>,
}

pub(super) fn list(list: &List, session: &Session) -> Outcome {
    let channels = session.client.channels(&list.prefix);
    let channels: Vec<_> =
        channels.take(list.limit.unwrap_or(usize::MAX)).collect::<Result<_, _>>()?;
    let listed = Listed { channels };
    session.output.show(&listed, |out| {
        let mut table = Table::new(&["CHANNEL", "STATUS", "LAST MODIFIED", "DESCRIPTION"]);
        for channel in &listed.channels {
            table.row([
                Cell::new(&channel.name),
                state(channel.status),
                Cell::new(channel.last_modified.map_or_else(String::new, text::moment)),
                Cell::new(&channel.description),
            ]);
        }
        table.write(out);
    });
    Ok(())
}

pub(super) fn channel(id: &str, session: &Session) -> Outcome {
    let channel = session.client.get_channel(id)?;
    session.output.show(&channel, |out| details(&channel).write(out));
    Ok(())
}

fn details(channel: &Channel) -> Table {
    let mut table = Table::details();
    table.detail("channel", &channel.name);
    table.detail("description", &channel.description);
    table.detail("status", state(channel.status));
    table.detail("type", &channel.target_type);
    table.detail("fragments", format!("{} of {} s", channel.frag_count, channel.frag_duration));
    table.detail("playlist", &channel.playlist_name);
    if let Some(time) = channel.create_time {
        table.detail("created", text::moment(time));
    }
    if let Some(time) = channel.last_modified {
        table.detail("last modified", text::moment(time));
    }
    channel.publish_urls.iter().for_each(|url| table.detail("publish", url));
    channel.play_urls.iter().for_each(|url| table.detail("play", url));
    table
}

fn state(state: ChannelState) -> Cell {
    let style = if state == ChannelState::Disabled { Style::Warning } else { Style::Plain };
    Cell::new(state.as_str()).style(style)
}

pub(super) fn status(arguments: &Status, session: &Session) -> Outcome {
    let status = session.client.get_channel_status(&arguments.id)?;
    seen(&status, session);
    if arguments.live {
        status.live()?;
    }
    Ok(())
}

/// Shows a status.
pub(super) fn seen(status: &ChannelStatus, session: &Session) {
    let now = OffsetDateTime::now_utc();
    session.output.show(status, |out| status_table(status, now).write(out));
}

fn status_table(status: &ChannelStatus, now: OffsetDateTime) -> Table {
    let mut table = Table::details();
    table.detail("status", stream_state(status.status));
    if let Some(since) = status.connected_time {
        let lasting = text::length(now - since);
        table.detail("since", format!("{} ({lasting})", text::moment(since)));
    }
    if let Some(address) = &status.remote_addr {
        table.detail("publisher", address);
    }
    if let Some(video) = &status.video {
        table.detail("video", video_line(video));
    }
    if let Some(audio) = &status.audio {
        let rate = text::bit_rate(audio.bandwidth);
        table.detail("audio", format!("{} Hz, {}, {rate}", audio.sample_rate, audio.codec));
    }
    table
}

fn video_line(video: &Video) -> String {
    let Video { width, height, frame_rate, codec, .. } = video;
    let rate = text::bit_rate(video.bandwidth);
    format!("{width}x{height}, {frame_rate} frames/s, {codec}, {rate}")
}

/// Returns how a channel's state is displayed.
pub(crate) fn stream_state(state: StreamState) -> Cell {
    Cell::new(state.as_str()).style(match state {
        StreamState::Live => Style::Good,
        StreamState::Idle => Style::Plain,
        StreamState::Disabled => Style::Warning,
    })
}

pub(super) fn history(id: &str, session: &Session) -> Outcome {
    let history = session.client.get_channel_history(id)?;
    session.output.show(&history, |out| sessions(&history.records).write(out));
    Ok(())
}

/// Formats sessions as a table.
fn sessions(records: &[SessionRecord]) -> Table {
    let mut table = Table::new(&["START (UTC)", "END (UTC)", "LENGTH", "PUBLISHER"]);
    for record in records {
        table.row([
            Cell::new(text::moment(record.start_time)),
            Cell::new(text::moment(record.end_time)),
            Cell::new(text::length(record.end_time - record.start_time)).number(),
            Cell::new(&record.remote_addr),
        ]);
    }
    table
}
