//! Publishes a clip, and checks that it is accepted and appears in the playlist.

use crate::clip::Clip;
use crate::fetch;
use crate::hint;
use osslive::{Channel, Check, CheckId, Client, RtmpUrlOptions, StreamState, Verdict};
use osslive_local::push::PushError;
use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

/// How long the service may take to accept a stream.
const ACCEPT_LIMIT: Duration = Duration::from_secs(15);
/// The lifetime of the URL, which is used at once.
const EXPIRES: u32 = 600;
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// The results.
pub(super) struct Sent {
    /// The stream, which continues while other checks examine it.
    clip: Option<Clip>,
    pub(super) publish: Check,
    pub(super) fragment: Check,
}

impl Sent {
    fn nothing(publish: Check, why: &str) -> Self {
        let fragment = Check::new(CheckId::Fragment, Verdict::NotChecked, why);
        Sent { clip: None, publish, fragment }
    }

    /// Ends the stream, and waits until it has ended.
    pub(super) fn end(mut self) -> (Check, Check) {
        if let Some(clip) = &mut self.clip {
            clip.stop();
            if let Err(error) = clip.end() {
                self.publish = broken(&error);
            }
        }
        (self.publish, self.fragment)
    }
}

/// Publishes the clip to a channel, and waits for at most `length` until it appears
/// in the live playlist.
pub(super) fn send(client: &Client, id: &str, url: Option<&str>, length: Duration) -> Sent {
    let skipped = |why: String| {
        let why = why.as_str();
        Sent::nothing(Check::new(CheckId::RtmpPublish, Verdict::NotChecked, why), why)
    };
    // Other checks report why there is no status.
    if client.get_channel_status(id).is_ok_and(|status| status.status == StreamState::Live) {
        return skipped("somebody is already publishing to the channel".into());
    }
    let url = match url {
        Some(url) => url.to_owned(),
        None => match client.get_rtmp_url(id, &RtmpUrlOptions::new().expires(EXPIRES)) {
            Ok(url) => url,
            Err(error) => return skipped(format!("no publish URL: {}", error.message())),
        },
    };
    let channel = client.get_channel(id).ok();
    let playlist = channel.as_ref().map(|channel| Playlist::new(client, channel));
    let before = playlist.as_ref().map(Playlist::fragments).unwrap_or_default();
    let mut clip = Clip::push(url, length.max(ACCEPT_LIMIT) * 3);
    if let Err(error) = wait_until_accepted(&mut clip) {
        return Sent::nothing(broken(&error), "no stream was accepted");
    }
    let publish = Check::new(CheckId::RtmpPublish, Verdict::Ok, "the stream was accepted");
    let fragment = match (channel, playlist) {
        (Some(channel), Some(playlist)) => arrives(&clip, &playlist, &before, length, &channel),
        _ => Check::new(CheckId::Fragment, Verdict::NotChecked, "the channel cannot be read"),
    };
    Sent { clip: Some(clip), publish, fragment }
}

fn wait_until_accepted(clip: &mut Clip) -> Result<(), PushError> {
    let end = Instant::now() + ACCEPT_LIMIT;
    while !clip.is_accepted() {
        if clip.is_done() {
            return clip.end();
        }
        if Instant::now() > end {
            clip.stop();
            return Err(PushError::TimedOut);
        }
        thread::sleep(POLL_INTERVAL / 5);
    }
    Ok(())
}

/// Checks whether a new fragment arrives while the clip is published.
fn arrives(
    clip: &Clip,
    playlist: &Playlist,
    before: &HashSet<String>,
    length: Duration,
    channel: &Channel,
) -> Check {
    let started = Instant::now();
    while started.elapsed() < length && !clip.is_done() {
        if playlist.fragments().iter().any(|uri| !before.contains(uri)) {
            let seconds = started.elapsed().as_secs_f64();
            let seen = format!("the first fragment arrived after {seconds:.1} s");
            return Check::new(CheckId::Fragment, Verdict::Ok, seen);
        }
        thread::sleep(POLL_INTERVAL);
    }
    let (waited, needed) = (started.elapsed().as_secs(), channel.frag_duration);
    let seen = format!("no fragment arrived within {waited} s");
    if u64::from(needed) >= length.as_secs() {
        let seen = format!("{seen}; the channel's fragments are {needed} s long");
        let advice = format!("send for longer: --send={}s", 2 * needed + 5);
        return Check::new(CheckId::Fragment, Verdict::Warning, seen).advice(advice);
    }
    Check::new(CheckId::Fragment, Verdict::Problem, seen)
        .advice("see the channel and playback checks, then contact Alibaba Cloud support")
}

/// Returns the check for a stream that was rejected or interrupted.
fn broken(error: &PushError) -> Check {
    let check = Check::new(CheckId::RtmpPublish, Verdict::Problem, error.to_string());
    check.advice(hint::for_push(error).unwrap_or("see the publish URL checks"))
}

/// The live playlist of a channel.
struct Playlist {
    url: Option<String>,
}

impl Playlist {
    fn new(client: &Client, channel: &Channel) -> Self {
        let url = client.get_play_url(&channel.name, &channel.playlist_name, EXPIRES).ok();
        Playlist { url }
    }

    /// Returns the fragments without their signatures; empty if there is no playlist
    /// yet.
    fn fragments(&self) -> HashSet<String> {
        let text = self.url.as_deref().and_then(|url| fetch::get(url).ok()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let uris = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        uris.map(|uri| uri.split('?').next().unwrap_or_default().to_owned()).collect()
    }
}
