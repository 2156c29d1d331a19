//! The data that the page shows, as JSON: times in RFC 3339, rates in bytes per
//! second, absent values omitted.

use super::{PUBLISH_EXPIRES, Page};
use crate::control::{ActiveFault, ClockState, Control};
use crate::event::Event;
use crate::fault::Fault;
use crate::store::{Channel, Stat};
use crate::validate;
use osslive::PublishUrl;
use osslive::request::percent_encode;
use serde::Serialize;
use std::io::Read;
use time::{Duration, OffsetDateTime};

/// How many channels that are not live are listed, and how many playlists of a
/// channel.
const MAX_LISTED: usize = 500;
const MAX_PLAYLISTS: usize = 100;
/// The largest playlist that is read, in bytes.
const MAX_PLAYLIST: u64 = 1 << 20;
/// How many channels are fetched at a time.
const PAGE: usize = 1000;

/// All channels of all buckets.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Overview {
    #[serde(with = "time::serde::rfc3339")]
    now: OffsetDateTime,
    /// Whether hls.js is available.
    hls_js: bool,
    /// How many channels match, and how many of them are live.
    total: usize,
    live: usize,
    /// Whether some matching channels were omitted, none of them live.
    truncated: bool,
    channels: Vec<Summary>,
    /// The latest rejections, warnings and errors, newest first.
    problems: Vec<Event>,
    /// The active fault rules.
    faults: Vec<ActiveFault>,
    /// The clock, if it differs from the system clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<ClockState>,
}

/// A channel in the list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    bucket: String,
    name: String,
    description: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<Live>,
}

/// The stream of a live channel.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Live {
    #[serde(with = "time::serde::rfc3339")]
    connected_time: OffsetDateTime,
    remote_addr: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    video: Option<Video>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio: Option<Audio>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Video {
    codec: &'static str,
    width: u32,
    height: u32,
    frame_rate: u32,
    bandwidth: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Audio {
    codec: &'static str,
    sample_rate: u32,
    bandwidth: u64,
}

/// The details of a channel.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Detail {
    frag_duration: u32,
    frag_count: u32,
    playlist_name: String,
    /// The live playlist, once the first fragment is listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    live_playlist: Option<String>,
    /// Ended sessions, newest first.
    sessions: Vec<Session>,
    /// Complete playlists, newest first.
    playlists: Vec<Playlist>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    #[serde(with = "time::serde::rfc3339")]
    start: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    end: OffsetDateTime,
    remote_addr: String,
    /// The URL of a playlist of its remaining fragments.
    url: String,
}

/// A playlist of a channel.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Playlist {
    name: String,
    #[serde(with = "time::serde::rfc3339")]
    modified: OffsetDateTime,
    seconds: f64,
    fragments: usize,
    url: String,
    #[serde(skip)]
    ended: bool,
}

/// How to publish to a channel: a secret, valid until it expires.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Publishing {
    url: String,
    server: String,
    stream_key: String,
    ffmpeg: String,
    #[serde(with = "time::serde::rfc3339")]
    expires: OffsetDateTime,
}

impl Page {
    /// Returns the channels whose name or description contains `search`: all live
    /// ones, and as many of the others as the page can show.
    pub(super) fn overview(&self, search: &str) -> Result<Overview, Fault> {
        let mut overview = Overview {
            now: self.site.clock.now(),
            hls_js: self.options.hls_js.is_some(),
            total: 0,
            live: 0,
            truncated: false,
            channels: Vec::new(),
            problems: self.site.events.recent(),
            faults: self.faults(),
            clock: self.site.control.as_ref().map(Control::clock).filter(ClockState::is_moved),
        };
        let search = search.to_lowercase();
        for bucket in self.site.store.buckets() {
            self.add_bucket(&bucket.name, &search, &mut overview)?;
        }
        Ok(overview)
    }

    fn faults(&self) -> Vec<ActiveFault> {
        let faults = self.site.control.as_ref().map(Control::faults).unwrap_or_default();
        faults.iter().map(ActiveFault::in_brief).collect()
    }

    fn add_bucket(&self, bucket: &str, search: &str, to: &mut Overview) -> Result<(), Fault> {
        let mut marker = String::new();
        loop {
            let page = match self.site.store.list_channels(bucket, "", &marker, PAGE) {
                // Deleted meanwhile.
                Err(fault) if fault.code == "NoSuchBucket" => return Ok(()),
                page => page?,
            };
            for channel in page.channels {
                let holds = |text: &str| text.to_lowercase().contains(search);
                if holds(&channel.name) || holds(&channel.settings.description) {
                    self.add_channel(bucket, channel, to);
                }
            }
            match page.next_marker {
                Some(next) => marker = next,
                None => return Ok(()),
            }
        }
    }

    fn add_channel(&self, bucket: &str, channel: Channel, to: &mut Overview) {
        let Ok(stat) = self.site.store.stat(bucket, &channel.name) else { return };
        let summary = summarize(bucket, channel, stat);
        let is_live = summary.live.is_some();
        to.total += 1;
        to.live += usize::from(is_live);
        // All live channels are listed, so the rest of the list is idle.
        if is_live || to.channels.len().saturating_sub(to.live) < MAX_LISTED {
            to.channels.push(summary);
        } else {
            to.truncated = true;
        }
    }

    /// Returns a channel with its sessions and playlists.
    pub(super) fn channel_view(&self, bucket: &str, name: &str) -> Result<Detail, Fault> {
        let settings = self.site.store.channel(bucket, name)?.settings;
        let mut playlists = self.playlists(bucket, name, &settings.playlist_name)?;
        playlists.sort_by_key(|playlist| std::cmp::Reverse(playlist.modified));
        let live_playlist = match self.site.store.stat(bucket, name)? {
            Stat::Live { connected, .. } => playlists
                .iter()
                .find(|playlist| !playlist.ended && playlist.modified >= connected)
                .map(|playlist| playlist.url.clone()),
            _ => None,
        };
        let sessions = self.site.store.history(bucket, name)?.into_iter().rev().map(|record| {
            let (from, to) = (record.start.unix_timestamp(), record.end.unix_timestamp());
            let url = media_url(bucket, name, "recording.m3u8");
            Session {
                start: record.start,
                end: record.end,
                remote_addr: record.remote.to_string(),
                url: format!("{url}?from={from}&to={to}"),
            }
        });
        Ok(Detail {
            frag_duration: settings.frag_duration,
            frag_count: settings.frag_count,
            playlist_name: settings.playlist_name,
            live_playlist,
            sessions: sessions.collect(),
            playlists: playlists.into_iter().filter(|playlist| playlist.ended).collect(),
        })
    }

    /// Returns the playlists of a channel: its own, and the first ones by name.
    fn playlists(&self, bucket: &str, channel: &str, own: &str) -> Result<Vec<Playlist>, Fault> {
        let folder = format!("{channel}/");
        let mut keys = self.site.store.playlists(bucket, &folder, MAX_PLAYLISTS)?;
        let own = format!("{folder}{own}");
        if !keys.contains(&own) {
            keys.push(own);
        }
        let read = |key: &String| self.playlist(bucket, channel, key.strip_prefix(&folder)?);
        Ok(keys.iter().filter_map(read).collect())
    }

    fn playlist(&self, bucket: &str, channel: &str, name: &str) -> Option<Playlist> {
        let (meta, file) = self.site.store.object(bucket, &format!("{channel}/{name}")).ok()?;
        let mut text = String::new();
        file.take(MAX_PLAYLIST).read_to_string(&mut text).ok()?;
        let durations: Vec<f64> = text.lines().filter_map(duration).collect();
        Some(Playlist {
            modified: meta.last_modified,
            seconds: durations.iter().sum(),
            fragments: durations.len(),
            url: media_url(bucket, channel, name),
            ended: text.lines().any(|line| line.trim_end() == "#EXT-X-ENDLIST"),
            name: name.to_owned(),
        })
    }

    /// Returns a signed publish URL of a channel, in all forms for encoders.
    pub(super) fn publishing(
        &self,
        host: &str,
        bucket: &str,
        name: &str,
    ) -> Result<Publishing, Fault> {
        validate::check_channel(name)?;
        let settings = self.site.store.channel(bucket, name)?.settings;
        let signer = self.site.signer.as_ref().ok_or_else(|| {
            Fault::new(403, "AccessDenied", "The endpoint has no permanent access key.")
        })?;
        let expires = self.site.clock.now() + Duration::seconds(PUBLISH_EXPIRES);
        let mut url = self.site.addressing.publish_url(host, bucket, name);
        let playlist = [("playlistName", settings.playlist_name.as_str())];
        signer.push_rtmp_query(&mut url, bucket, name, expires.unix_timestamp(), &playlist, true);
        let ffmpeg = format!("ffmpeg -re -i FILE -c:v libx264 -c:a aac -g 60 -f flv '{url}'");
        let PublishUrl { url, server, stream_key, .. } = PublishUrl::new(url, expires);
        Ok(Publishing { url, server, stream_key, ffmpeg, expires })
    }
}

fn summarize(bucket: &str, channel: Channel, stat: Stat) -> Summary {
    let (status, live) = match stat {
        Stat::Disabled => ("Disabled", None),
        Stat::Idle => ("Idle", None),
        Stat::Live { connected, remote, stream } => {
            let video = stream.video.map(|video| Video {
                codec: video.codec.name(),
                width: video.width,
                height: video.height,
                frame_rate: video.frame_rate,
                bandwidth: video.bandwidth,
            });
            let audio = stream.audio.map(|audio| Audio {
                codec: audio.codec.name(),
                sample_rate: audio.sample_rate,
                bandwidth: audio.bandwidth,
            });
            (
                "Live",
                Some(Live {
                    connected_time: connected,
                    remote_addr: remote.to_string(),
                    video,
                    audio,
                }),
            )
        }
    };
    let description = channel.settings.description;
    Summary { bucket: bucket.to_owned(), name: channel.name, description, status, live }
}

/// Returns the URL of a channel's object, relative to the page.
fn media_url(bucket: &str, channel: &str, name: &str) -> String {
    format!("media/{bucket}/{}/{}", percent_encode(channel), percent_encode(name))
}

/// Returns the duration in an EXTINF line (RFC 8216 section 4.3.2.1), in seconds.
fn duration(line: &str) -> Option<f64> {
    let seconds = line.strip_prefix("#EXTINF:")?.split(',').next()?.trim().parse::<f64>().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then_some(seconds)
}
