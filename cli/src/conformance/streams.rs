//! Observations of channels while they are live and afterwards.

use super::bench::Miss;
use super::experiment::{Experiment, Notes};
use super::observation::Need;
use super::observation::Source::{Documented, Inferred, Unknown};
use super::publisher::{self, Signature, wait_until};
use super::record::Record;
use super::reply::Reply;
use super::request_spec::{MINIMAL, RequestSpec, Scheme, See, put};
use crate::clip::Clip;
use osslive_local::push::PushError;
use std::time::Duration;

/// Fragments of one second, three of them in the live playlist.
const SHORT: &str = "<Target><Type>HLS</Type><FragDuration>1</FragDuration>\
                     <FragCount>3</FragCount></Target>";
/// How long the service may take to react, if no limit is documented.
const SOON: Duration = Duration::from_secs(30);
/// Like `SHORT`, with all fragments in the live playlist.
const LONG: &str = "<Target><Type>HLS</Type><FragDuration>1</FragDuration>\
                    <FragCount>100</FragCount></Target>";
/// How long a session may take to appear in the history.
const SETTLED: Duration = Duration::from_secs(10);
const SERVED: &[See] = &[See::Header("cache-control"), See::Header("accept-ranges")];

pub(super) fn all() -> Vec<Experiment> {
    let experiments =
        vec![live(), disabled(), second_publisher(), named(), expired(), limit(), empty(), cut()];
    experiments.into_iter().map(|experiment| experiment.needs(&[Need::Stream])).collect()
}

fn stat(name: &str) -> RequestSpec {
    RequestSpec::get(name).live().param("comp", "stat")
}

fn history(name: &str) -> RequestSpec {
    RequestSpec::get(name).live().param("comp", "history")
}

/// Returns the history once it has this many sessions, or when time is up.
fn settled(notes: &Notes<'_>, id: &str, name: &str, sessions: usize) -> Result<RequestSpec, Miss> {
    wait_until(notes.bench, SETTLED, || {
        let reply = notes.send(id, &history(name))?;
        Ok(reply.texts("LiveRecord", "StartTime").len() >= sessions)
    })?;
    Ok(history(name))
}

/// Publishes to a new channel, and waits until the service reports video and audio.
fn start(notes: &Notes<'_>, id: &str, name: &str, signature: &Signature) -> Result<Clip, Miss> {
    notes.put(id, name, SHORT)?;
    resume(notes, id, name, signature)
}

fn resume(notes: &Notes<'_>, id: &str, name: &str, signature: &Signature) -> Result<Clip, Miss> {
    let url = publisher::url(notes.bench, name, signature, |_| {});
    let clip = publisher::go_live(notes.bench, url)?;
    let is_seen = || {
        let reply = notes.send(id, &stat(name))?;
        Ok(reply.text("Video/Width").is_some() && reply.text("Audio/SampleRate").is_some())
    };
    wait_until(notes.bench, SOON, is_seen)?;
    Ok(clip)
}

/// Ends a stream, and waits until the channel is no longer live.
fn end(notes: &Notes<'_>, id: &str, name: &str, clip: &mut Clip) -> Result<bool, Miss> {
    clip.stop();
    let _ = clip.end();
    wait_until(notes.bench, SOON, || Ok(status(&notes.send(id, &stat(name))?) != "Live"))
}

fn refused(error: PushError) -> Miss {
    Miss::Setup(format!("the stream was not accepted: {error}"))
}

fn status(reply: &Reply) -> String {
    reply.text("Status").unwrap_or_default()
}

/// Returns the entries of a playlist.
fn entries(reply: &Reply) -> Vec<String> {
    if !reply.is_success() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    text.lines().filter(|l| !l.starts_with('#') && !l.is_empty()).map(str::to_owned).collect()
}

/// A session from start to end, a second one, and the deletion of the channel.
fn live() -> Experiment {
    let observations = [
        ("live-stat", "GetLiveChannelStat of a live channel", Documented),
        ("live-history", "the session in progress is not in the history", Inferred),
        ("live-put", "PutLiveChannel while live", Documented),
        ("live-delete", "DeleteLiveChannel while live", Documented),
        ("live-enable", "PutLiveChannelStatus enabled while live", Documented),
        ("live-list", "ListLiveChannel while live", Inferred),
        ("live-vod", "GetVodPlaylist while live", Inferred),
        ("live-playlist", "the live playlist", Inferred),
        ("live-playlist-window", "the live playlist shows FragCount fragments", Documented),
        ("live-playlist-signed", "hls/sign of a live playlist", Documented),
        ("live-fragment", "a fragment", Inferred),
        ("ended-stat", "GetLiveChannelStat after a session", Documented),
        ("ended-history", "the history after a session", Documented),
        ("ended-playlist", "the live playlist after a session", Documented),
        ("ended-objects", "names of fragments", Documented),
        ("ended-vod", "GetVodPlaylist after a session", Documented),
        (
            "ended-vod-first",
            "a span that starts in the same second as the first fragment",
            Documented,
        ),
        ("ended-vod-second", "a span that starts a second later", Documented),
        ("ended-vod-before", "a span before the first fragment", Documented),
        ("ended-post-vod", "PostVodPlaylist after a session", Documented),
        ("ended-vod-object", "a stored VOD playlist", Inferred),
        ("ended-put", "PutLiveChannel after a session", Documented),
        ("second-playlist", "the live playlist of a second session", Unknown),
        ("second-history", "the history of two sessions", Documented),
        ("deleted-vod", "GetVodPlaylist of a deleted channel's recording", Inferred),
        ("deleted-objects", "recordings of a deleted channel are kept", Documented),
        ("recreated-history", "the history of a recreated channel", Unknown),
    ];
    Experiment::new(&observations, |notes| {
        let name = notes.name();
        let mut clip = start(notes, "live-stat", &name, &Signature::default())?;
        let observed = while_live(notes, &name);
        let ended = end(notes, "ended-stat", &name, &mut clip);
        observed?;
        ended?;
        after(notes, &name)?;
        again(notes, &name)?;
        deleted(notes, &name)
    })
}

fn while_live(notes: &Notes<'_>, name: &str) -> Result<(), Miss> {
    let seen = [
        See::Text("Status"),
        See::Text("ConnectedTime"),
        See::Address("RemoteAddr"),
        See::Text("Video/Width"),
        See::Text("Video/Height"),
        See::Number("Video/FrameRate"),
        See::Number("Video/Bandwidth"),
        See::Text("Video/Codec"),
        See::Number("Audio/Bandwidth"),
        See::Text("Audio/SampleRate"),
        See::Text("Audio/Codec"),
    ];
    notes.see("live-stat", &stat(name).see(&seen))?;
    notes.see("live-history", &history(name))?;
    notes.see("live-put", &put(name, MINIMAL))?;
    notes.see("live-delete", &RequestSpec::delete(name).live())?;
    notes.see("live-enable", &RequestSpec::put(name).live().param("status", "enabled"))?;
    let list = RequestSpec::get("").live().param("prefix", name);
    notes.see("live-list", &list.see(&[See::Text("LiveChannel/Status")]))?;
    playing(notes, name)?;
    notes.see("live-vod", &vod(notes, name).see(&[See::Playlist])).map(drop)
}

/// The playlist of the whole recording so far.
fn vod(notes: &Notes<'_>, name: &str) -> RequestSpec {
    let since = notes.bench.now().unix_timestamp() - 600;
    RequestSpec::get(name).flag("vod").param("startTime", since).param("endTime", since + 1200)
}

const DATA: &[&str] =
    &["live-playlist", "live-playlist-window", "live-playlist-signed", "live-fragment"];

fn playing(notes: &Notes<'_>, name: &str) -> Result<(), Miss> {
    if !notes.bench.has(Need::Data) {
        DATA.iter().for_each(|id| notes.skip(id, Need::Data.reason()));
        // The recording must not be empty, though.
        let is_recorded = || Ok(notes.send("live-vod", &vod(notes, name))?.is_success());
        return wait_until(notes.bench, SOON, is_recorded).map(drop);
    }
    let spec = RequestSpec::get(format!("{name}/playlist.m3u8"));
    let mut oldest = String::new();
    let has_moved = || {
        let reply = notes.send("live-playlist", &spec)?;
        let first = entries(&reply).first().cloned().unwrap_or_default();
        let has_moved = !oldest.is_empty() && first != oldest;
        oldest = first;
        Ok(has_moved)
    };
    wait_until(notes.bench, SOON, has_moved)?;
    let reply = notes.see("live-playlist", &spec.clone().see(SERVED).see(&[See::Playlist]))?;
    let found = entries(&reply);
    let window = Record::of("fragments", found.len().to_string());
    notes.record("live-playlist-window", window);
    let signed = spec.param("x-oss-process", "hls/sign").scheme(Scheme::UrlV4);
    notes.see("live-playlist-signed", &signed.see(&[See::Playlist]))?;
    let fragment = format!("{name}/{}", found.first().map_or("", String::as_str));
    notes.see("live-fragment", &RequestSpec::get(fragment).see(SERVED)).map(drop)
}

fn after(notes: &Notes<'_>, name: &str) -> Result<(), Miss> {
    notes.see("ended-stat", &stat(name).see(&[See::Text("Status")]))?;
    let record = [
        See::Text("LiveRecord/StartTime"),
        See::Text("LiveRecord/EndTime"),
        See::Address("LiveRecord/RemoteAddr"),
        See::Count("LiveRecord"),
    ];
    let ended = settled(notes, "ended-history", name, 1)?;
    notes.see("ended-history", &ended.see(&record))?;
    let playlist = RequestSpec::get(format!("{name}/playlist.m3u8")).see(&[See::Playlist]);
    match notes.bench.has(Need::Data) {
        true => drop(notes.see("ended-playlist", &playlist)?),
        false => notes.skip("ended-playlist", Need::Data.reason()),
    }
    let listed = RequestSpec::get("").param("prefix", format!("{name}/"));
    let key = [See::Has("Contents"), See::Text("Contents/Key")];
    let listed = notes.see("ended-objects", &listed.see(&key))?;
    recorded(notes, name, &listed)
}

const SPANS: [&str; 3] = ["ended-vod-first", "ended-vod-second", "ended-vod-before"];

/// Playlists of the recording.
fn recorded(notes: &Notes<'_>, name: &str, listed: &Reply) -> Result<(), Miss> {
    let span = |spec: RequestSpec, start: i64, end: i64| {
        spec.flag("vod").param("startTime", start).param("endTime", end)
    };
    let since = notes.bench.now().unix_timestamp() - 600;
    notes.see("ended-vod", &vod(notes, name).see(&[See::Playlist, See::Header("etag")]))?;
    let key = listed.text("Contents/Key").unwrap_or_default();
    let file = key.rsplit('/').next().unwrap_or_default();
    let milliseconds = file.strip_suffix(".ts").and_then(|name| name.parse::<i64>().ok());
    let Some(first) = milliseconds.map(|ms| ms / 1000) else {
        let why = "no fragment is named by its time";
        SPANS.iter().for_each(|id| notes.skip(id, why));
        return Ok(());
    };
    for (id, start) in [("ended-vod-first", first), ("ended-vod-second", first + 1)] {
        let reply = notes.send(id, &span(RequestSpec::get(name), start, first + 600))?;
        let is_there = entries(&reply).iter().any(|entry| entry == file);
        let class = if is_there { "included" } else { "not included" };
        notes.record(id, Record::of("first fragment", class));
    }
    notes.see("ended-vod-before", &span(RequestSpec::get(name), first - 60, first - 1))?;
    let key = format!("{name}/vod.m3u8");
    let post = span(RequestSpec::post(&key), since, since + 1200).see(&[See::Header("etag")]);
    notes.see("ended-post-vod", &post)?;
    match notes.bench.has(Need::Data) {
        true => {
            notes.see("ended-vod-object", &RequestSpec::get(&key).see(&[See::Playlist])).map(drop)
        }
        false => {
            notes.skip("ended-vod-object", Need::Data.reason());
            Ok(())
        }
    }
}

/// A second session.
fn again(notes: &Notes<'_>, name: &str) -> Result<(), Miss> {
    notes.see("ended-put", &put(name, LONG))?;
    let mut clip = resume(notes, "second-playlist", name, &Signature::default())?;
    let waited = notes.bench.pause(Duration::from_millis(2500));
    end(notes, "second-history", name, &mut clip)?;
    waited?;
    if notes.bench.has(Need::Data) {
        let playlist = RequestSpec::get(format!("{name}/playlist.m3u8"));
        notes.see("second-playlist", &playlist.see(&[See::Playlist]))?;
    } else {
        notes.skip("second-playlist", Need::Data.reason());
    }
    let reply = notes.send("second-history", &settled(notes, "second-history", name, 2)?)?;
    let starts = reply.texts("LiveRecord", "StartTime");
    let order = if starts.is_sorted() { "oldest first" } else { "not oldest first" };
    let record = Record::of("sessions", starts.len().to_string());
    notes.record("second-history", record.with("order", order));
    Ok(())
}

fn deleted(notes: &Notes<'_>, name: &str) -> Result<(), Miss> {
    notes.must("deleted-vod", &RequestSpec::delete(name).live())?;
    notes.see("deleted-vod", &vod(notes, name))?;
    let listed = RequestSpec::get("").param("prefix", format!("{name}/"));
    notes.see("deleted-objects", &listed.see(&[See::Has("Contents")]))?;
    notes.put("recreated-history", name, SHORT)?;
    notes.see("recreated-history", &history(name).see(&[See::Count("LiveRecord")])).map(drop)
}

/// Disabling a channel during a session.
fn disabled() -> Experiment {
    let observations = [
        ("disable-live", "PutLiveChannelStatus disabled while live", Documented),
        ("disable-live-publisher", "the publisher is disconnected within 30 s", Documented),
        ("disable-live-stat", "GetLiveChannelStat after disabling", Documented),
        ("disable-live-history", "the history after disabling", Inferred),
    ];
    Experiment::new(&observations, |notes| {
        let name = notes.name();
        let mut clip = start(notes, "disable-live", &name, &Signature::default())?;
        notes.see("disable-live", &RequestSpec::put(&name).live().param("status", "disabled"))?;
        let ended = wait_until(notes.bench, SOON, || Ok(clip.is_done()));
        clip.stop();
        let _ = clip.end();
        let class = if ended? { "within 30 s" } else { "not within 30 s" };
        notes.record("disable-live-publisher", Record::of("disconnected", class));
        wait_until(notes.bench, SOON, || {
            Ok(status(&notes.send("disable-live-stat", &stat(&name))?) != "Live")
        })?;
        notes.see("disable-live-stat", &stat(&name).see(&[See::Text("Status")]))?;
        notes
            .see(
                "disable-live-history",
                &settled(notes, "disable-live-history", &name, 1)?.see(&[See::Count("LiveRecord")]),
            )
            .map(drop)
    })
}

/// A second publisher, and its effect on the first.
fn second_publisher() -> Experiment {
    let observations = [
        ("second-publisher", "a second publisher of a live channel", Documented),
        ("second-publisher-first", "the first publisher continues", Inferred),
    ];
    Experiment::new(&observations, |notes| {
        let name = notes.name();
        let mut clip = start(notes, "second-publisher", &name, &Signature::default())?;
        let url = publisher::url(notes.bench, &name, &Signature::default(), |_| {});
        notes.record_push("second-publisher", &publisher::try_url(&url));
        let waited = notes.bench.pause(Duration::from_secs(1));
        let is_done = clip.is_done();
        end(notes, "second-publisher-first", &name, &mut clip)?;
        waited?;
        let outcome = if is_done { "disconnected" } else { "still connected" };
        notes.record("second-publisher-first", Record::of("outcome", outcome));
        Ok(())
    })
}

/// A playlist name in the publish URL.
fn named() -> Experiment {
    let observations = [
        ("playlist-name", "the playlist that a publish URL names", Documented),
        ("playlist-name-default", "the channel's own playlist during that session", Inferred),
        ("playlist-name-info", "the channel's playlist name during that session", Inferred),
    ];
    Experiment::new(&observations, |notes| {
        let name = notes.name();
        let params = vec![("playlistName".to_owned(), "other.m3u8".to_owned())];
        let signature = Signature { params, ..Signature::default() };
        let mut clip = start(notes, "playlist-name", &name, &signature)?;
        let other = RequestSpec::get(format!("{name}/other.m3u8"));
        let exists = || Ok(notes.send("playlist-name", &other)?.is_success());
        let waited = wait_until(notes.bench, SOON, exists);
        end(notes, "playlist-name", &name, &mut clip)?;
        waited?;
        notes.see("playlist-name", &other.clone().see(&[See::Playlist]))?;
        notes.see("playlist-name-default", &RequestSpec::get(format!("{name}/playlist.m3u8")))?;
        let info = RequestSpec::get(&name).live().see(&[See::Text("Target/PlaylistName")]);
        notes.see("playlist-name-info", &info).map(drop)
    })
    .needs(&[Need::Data])
}

/// A publish URL that expires during the session.
fn expired() -> Experiment {
    let observations =
        [("expiry-in-session", "a session continues when its URL expires", Documented)];
    Experiment::new(&observations, |notes| {
        let (id, name) = ("expiry-in-session", notes.name());
        let signature = Signature { expires: 5, ..Signature::default() };
        let mut clip = start(notes, id, &name, &signature)?;
        let waited = notes.bench.pause(Duration::from_secs(7));
        let reply = notes.send(id, &stat(&name));
        let is_done = clip.is_done();
        end(notes, id, &name, &mut clip)?;
        waited?;
        let outcome = if is_done { "disconnected" } else { "still connected" };
        notes.record(id, Record::of("outcome", outcome).with("Status", status(&reply?)));
        Ok(())
    })
}

/// A session without media.
fn empty() -> Experiment {
    let observations = [
        ("session-empty-stat", "GetLiveChannelStat before any media", Documented),
        ("session-empty-history", "the history of a session without media", Unknown),
    ];
    Experiment::new(&observations, |notes| {
        let (id, name) = ("session-empty-stat", notes.name());
        notes.put(id, &name, SHORT)?;
        let url = publisher::url(notes.bench, &name, &Signature::default(), |_| {});
        let publisher = publisher::connect(&url).map_err(refused)?;
        notes.see(id, &stat(&name).see(&[See::Text("Status")]))?;
        publisher.finish().map_err(refused)?;
        idle_history(notes, "session-empty-history", &name)
    })
}

/// More sessions than the history keeps.
fn limit() -> Experiment {
    let id = "history-limit";
    Experiment::new(&[(id, "the history of eleven sessions", Documented)], move |notes| {
        let name = notes.name();
        notes.put(id, &name, SHORT)?;
        for _ in 0..11 {
            let url = publisher::url(notes.bench, &name, &Signature::default(), |_| {});
            publisher::try_url(&url).map_err(refused)?;
            let is_idle = || Ok(status(&notes.send(id, &stat(&name))?) != "Live");
            wait_until(notes.bench, SOON, is_idle)?;
        }
        notes.see(id, &settled(notes, id, &name, 10)?.see(&[See::Count("LiveRecord")])).map(drop)
    })
}

/// A publisher whose connection is lost.
fn cut() -> Experiment {
    let observations = [
        ("session-cut-stat", "GetLiveChannelStat after the connection was cut", Inferred),
        ("session-cut-history", "the history after the connection was cut", Inferred),
    ];
    Experiment::new(&observations, |notes| {
        let (id, name) = ("session-cut-stat", notes.name());
        notes.put(id, &name, SHORT)?;
        let url = publisher::url(notes.bench, &name, &Signature::default(), |_| {});
        drop(publisher::connect(&url).map_err(refused)?);
        let is_idle = || Ok(status(&notes.send(id, &stat(&name))?) == "Idle");
        let class = if wait_until(notes.bench, SOON, is_idle)? { "within" } else { "not within" };
        notes.record(id, Record::of("idle", format!("{class} 30 s")));
        idle_history(notes, "session-cut-history", &name)
    })
}

fn idle_history(notes: &Notes<'_>, id: &'static str, name: &str) -> Result<(), Miss> {
    wait_until(notes.bench, SOON, || Ok(status(&notes.send(id, &stat(name))?) != "Live"))?;
    notes.see(id, &settled(notes, id, name, 1)?.see(&[See::Count("LiveRecord")])).map(drop)
}
