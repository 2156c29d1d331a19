//! An endpoint that is killed under load and restarted with the same data.

mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use osslive::{ChannelConfig, ChannelState, Client, StreamState};
use support::{
    Channel, Endpoint, Folder, LONG, Playlist, SOON, clip, fetch, has_ffmpeg, publish_clip,
    wait_until,
};

/// What the endpoint has acknowledged about a channel.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Acknowledged {
    Enabled,
    Disabled,
    Deleted,
}

#[test]
fn every_acknowledged_channel_survives_a_kill() {
    const THREADS: usize = 3;
    let folder = Folder::new("restart-channels");
    let acknowledged = Mutex::new(BTreeMap::new());
    for round in 0..3 {
        let endpoint = Endpoint::start(&folder.path().join("data"));
        check_channels(&endpoint.client(), &acknowledged.lock().unwrap());
        let done = AtomicUsize::new(0);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (client, acknowledged, done) = (endpoint.client(), &acknowledged, &done);
                let prefix = format!("round-{round}-{thread}-频道 ");
                scope.spawn(move || keep_changing(&client, &prefix, acknowledged, done));
            }
            wait_until("a hundred responses", || {
                let count = done.load(Ordering::Relaxed);
                (count >= 100, count)
            });
            endpoint.kill();
        });
    }
    let endpoint = Endpoint::start(&folder.path().join("data"));
    check_channels(&endpoint.client(), &acknowledged.lock().unwrap());
}

/// Creates, disables and deletes channels until the endpoint is gone. Changes in
/// progress then may or may not have happened, so they are not remembered.
fn keep_changing(
    client: &Client,
    prefix: &str,
    acknowledged: &Mutex<BTreeMap<String, Acknowledged>>,
    done: &AtomicUsize,
) {
    for number in 0..100_000 {
        let name = format!("{prefix}{number}");
        let remember = |state| {
            acknowledged.lock().unwrap().insert(name.clone(), state);
            done.fetch_add(1, Ordering::Relaxed);
        };
        let forget = || acknowledged.lock().unwrap().remove(&name);
        if client.put_channel(&name, &ChannelConfig::new(&name)).is_err() {
            return;
        }
        remember(Acknowledged::Enabled);
        if number % 3 == 1 {
            forget();
            if client.put_channel_status(&name, ChannelState::Disabled).is_err() {
                return;
            }
            remember(Acknowledged::Disabled);
        } else if number % 3 == 2 {
            forget();
            if client.delete_channel(&name).is_err() {
                return;
            }
            remember(Acknowledged::Deleted);
        }
    }
}

fn check_channels(client: &Client, acknowledged: &BTreeMap<String, Acknowledged>) {
    let mut found = BTreeMap::new();
    for channel in client.channels("") {
        let channel = channel.expect("every page arrives");
        assert_eq!(channel.description, channel.name);
        found.insert(channel.name, channel.status);
    }
    for (name, state) in acknowledged {
        let expected = match state {
            Acknowledged::Enabled => Some(&ChannelState::Enabled),
            Acknowledged::Disabled => Some(&ChannelState::Disabled),
            Acknowledged::Deleted => None,
        };
        assert_eq!(found.get(name), expected, "{name}");
    }
}

#[test]
fn a_session_interrupted_by_a_kill_is_closed_and_continues_in_a_new_one() {
    if !has_ffmpeg("the restart test with an encoder") {
        return;
    }
    let folder = Folder::new("restart-session");
    let data = folder.path().join("data");
    let clip = clip(
        "restart",
        "-f lavfi -i testsrc2=size=640x360:rate=30 -f lavfi -i sine=sample_rate=44100 -t 12 \
         -c:v libx264 -preset ultrafast -bf 2 -g 30 -pix_fmt yuv420p -c:a aac",
    );

    let endpoint = Endpoint::start(&data);
    let channel = Channel::create(&endpoint.client(), "cam");
    let encoder = publish_clip(&clip, &channel.publish_url());
    channel.wait_fragments(4);
    let served = Playlist::fetch(&channel.play_url("playlist.m3u8"));
    let finished = channel.vod();
    endpoint.kill();
    assert!(!encoder.end(SOON).status.success(), "the encoder lost its endpoint");

    let endpoint = Endpoint::start(&data);
    let channel = Channel::new(&endpoint.client(), "cam");
    assert_eq!(channel.status().status, StreamState::Idle);
    channel.has_sessions(1);
    let kept = channel.vod();
    assert!(kept.names().starts_with(&finished.names()), "{}\n{}", kept.text, finished.text);
    assert!(kept.names().len() <= finished.names().len() + 1, "{}", kept.text);
    for fragment in &kept.fragments {
        let bytes = fetch(&fragment.url);
        assert!(!bytes.is_empty() && bytes.len().is_multiple_of(188), "{}", fragment.url);
    }
    let window = Playlist::fetch(&channel.play_url("playlist.m3u8"));
    assert!(window.media_sequence >= served.media_sequence, "{}\n{}", window.text, served.text);
    assert!(served.names().iter().all(|name| kept.names().contains(name)), "{}", kept.text);
    channel.plays_through(folder.path());

    let encoder = publish_clip(&clip, &channel.publish_url());
    channel.wait_fragments(kept.fragments.len() + 2);
    let resumed = Playlist::fetch(&channel.play_url("playlist.m3u8"));
    assert!(resumed.media_sequence > window.media_sequence, "{}\n{}", resumed.text, window.text);
    encoder.end(LONG).silent("the encoder");
    channel.has_sessions(2);
    let all = channel.vod();
    assert!(all.names().starts_with(&kept.names()), "{}", all.text);
    assert_eq!(all.discontinuities, 1, "{}", all.text);
    let window = Playlist::fetch(&channel.play_url("playlist.m3u8"));
    assert_eq!(window.names(), all.names()[all.names().len() - 3..]);
    assert_eq!(window.media_sequence, all.names().len() as u64 - 3);
    channel.plays_through(folder.path());
}
