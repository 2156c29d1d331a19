//! Publishes the clip that is included in the command.

use osslive::{Client, RtmpUrlOptions, VodTime};
use osslive_local::media::flv::{Reader, TagKind};
use osslive_local::push::Publisher;
use std::thread;
use std::time::{Duration, Instant};

const CLIP: &[u8] = include_bytes!("../../cli/assets/clip.flv");

/// How long the endpoint may take to record the stream.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Sends the clip as fast as possible, and stays connected.
pub fn publish(url: &str) -> Publisher {
    let mut publisher = Publisher::connect(url, Duration::from_secs(10)).unwrap();
    for tag in Reader::new(CLIP).unwrap().map(Result::unwrap) {
        if tag.kind != TagKind::Script {
            publisher.send(tag.kind, tag.timestamp, &tag.body).unwrap();
        }
    }
    publisher
}

/// Does the same, and waits until the endpoint has received audio and video.
#[allow(dead_code, reason = "not every test waits")]
pub fn publish_and_wait(client: &Client, id: &str) -> Publisher {
    let publisher = publish(&client.get_rtmp_url(id, &RtmpUrlOptions::new()).unwrap());
    let until = Instant::now() + TIMEOUT;
    let has_playlist = || client.get_vod(id, &VodTime::new(1, 86_401)).is_ok();
    let is_seen = || {
        let status = client.get_channel_status(id).unwrap();
        status.video.is_some() && status.audio.is_some()
    };
    while !is_seen() && !has_playlist() {
        assert!(Instant::now() < until, "the stream does not arrive");
        thread::sleep(Duration::from_millis(10));
    }
    publisher
}
