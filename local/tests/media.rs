//! Streams over RTMP, as encoders send them.

mod support;

use osslive::StreamState;
use osslive_local::media::flv::{Reader, TagKind};
use osslive_local::push::Publisher;
use std::thread;
use std::time::{Duration, Instant};
use support::{CLIP, SOON, Stage};

fn wait_until<T: std::fmt::Debug>(what: &str, mut poll: impl FnMut() -> (bool, T)) {
    let started = Instant::now();
    loop {
        let (reached, seen) = poll();
        if reached {
            return;
        }
        assert!(started.elapsed() < SOON, "timed out: {what}; {seen:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Sends a span of the clip in real time, only the kinds of tags for which `wanted`
/// returns true.
fn play(publisher: &mut Publisher, span: std::ops::Range<u64>, wanted: impl Fn(TagKind) -> bool) {
    let started = Instant::now();
    for tag in Reader::new(CLIP).unwrap().map(Result::unwrap).filter(|tag| wanted(tag.kind)) {
        let due = u64::from(tag.timestamp);
        let is_header = tag.body.get(1) == Some(&0) || tag.kind == TagKind::Script;
        if span.contains(&due) || span.start == 0 && is_header {
            let late = started.elapsed();
            thread::sleep(Duration::from_millis(due - span.start).saturating_sub(late));
            publisher.send(tag.kind, tag.timestamp, &tag.body).unwrap();
        }
    }
}

#[test]
fn the_status_shows_the_rates_of_the_last_seconds() {
    let stage = Stage::start(|config| config);
    let url = stage.channel("cam");
    let client = stage.client();
    let mut publisher = Publisher::connect(&url, SOON).unwrap();
    play(&mut publisher, 0..2500, |_| true);
    let rates = || {
        let status = client.get_channel_status("cam").unwrap();
        assert_eq!(status.status, StreamState::Live);
        let video = status.video.map_or((0, 0), |video| (video.frame_rate, video.bandwidth));
        (video, status.audio.map_or(0, |audio| audio.bandwidth))
    };
    wait_until("rates of both tracks", || {
        let (video, audio) = rates();
        (video.0 > 0 && video.1 > 0 && audio > 0, (video, audio))
    });
    wait_until("rates of zero", || {
        let rates = rates();
        (rates == ((0, 0), 0), rates)
    });
    play(&mut publisher, 2500..5000, |kind| kind == TagKind::Audio);
    wait_until("rates of audio only", || {
        let (video, audio) = rates();
        (video == (0, 0) && audio > 0, (video, audio))
    });
}
