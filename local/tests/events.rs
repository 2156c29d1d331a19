//! Events about publishers and requests, and what they must not contain.

mod support;

use osslive_local::media::flv::TagKind;
use osslive_local::push::{Publisher, PushOptions, push_flv};
use osslive_local::{Config, Event, EventKind, Level};
use std::sync::mpsc::{self, Receiver};
use support::{CLIP, SOON, Stage};

/// Starts an endpoint, and returns the receiver of its events.
fn stage() -> (Stage, Receiver<Event>) {
    let (sender, events) = mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let stage = Stage::start(|config: Config| {
        config.on_event(Level::Debug, move |event| {
            let _ = sender.lock().unwrap().send(event.clone());
        })
    });
    (stage, events)
}

/// Returns the next event of a kind.
fn next(events: &Receiver<Event>, kind: EventKind) -> Event {
    loop {
        let event = events.recv_timeout(SOON).expect("an event");
        if event.kind == kind {
            return event;
        }
    }
}

#[test]
fn the_start_and_the_end_of_a_session_are_reported() {
    let (stage, events) = stage();
    let start = next(&events, EventKind::Start);
    assert!(start.message.unwrap().contains(&stage.endpoint.address().to_string()));
    let url = stage.channel("cam");
    push_flv(&url, CLIP, PushOptions::default(), &mut |_| true).unwrap();
    let publish = next(&events, EventKind::Publish);
    let end = next(&events, EventKind::End);
    for event in [&publish, &end] {
        assert_eq!(
            (event.bucket.as_deref(), event.key.as_deref()),
            (Some(Config::BUCKET), Some("cam"))
        );
        assert!(event.remote.unwrap().ip().is_loopback());
        assert_eq!(event.level, Level::Info);
    }
    assert_eq!(end.message.as_deref(), Some("the publisher ended its stream"));
    assert!(end.duration_ms.is_some() && end.count.is_none());
    stage.endpoint.stop();
    assert_eq!(next(&events, EventKind::Stop).level, Level::Info);
}

#[test]
fn a_refused_publisher_is_reported_with_code_ec_and_reason() {
    let (stage, events) = stage();
    let url = stage.channel("cam");
    let signature = &url[url.find("Signature=").unwrap() + 10..];
    let signature = signature.split('&').next().unwrap();
    let other = url.replace(signature, "bm90IGl0");
    assert!(Publisher::connect(&other, SOON).is_err());
    let refusal = next(&events, EventKind::Refusal);
    assert_eq!(refusal.level, Level::Warn);
    assert_eq!((refusal.code, refusal.ec), (Some("SignatureDoesNotMatch"), Some("0002-00000807")));
    assert_eq!(refusal.key.as_deref(), Some("cam"));
    assert!(!refusal.message.unwrap().is_empty());
}

#[test]
fn a_stream_that_cannot_be_recorded_and_its_end_are_reported() {
    let (stage, events) = stage();
    let url = stage.channel("cam");
    let mut publisher = Publisher::connect(&url, SOON).unwrap();
    publisher.send(TagKind::Video, 0, &[0x17, 9, 0]).unwrap();
    let dropped = next(&events, EventKind::Stream);
    assert!(dropped.message.unwrap().contains("dropped"));
    publisher.send(TagKind::Audio, 0, &[0x2F, 0xFF]).unwrap();
    let refusal = next(&events, EventKind::Refusal);
    assert!(refusal.message.unwrap().starts_with("MP3"));
    let end = next(&events, EventKind::End);
    assert_eq!((end.level, end.count), (Level::Warn, Some(1)));
    assert_eq!(end.message.as_deref(), Some("the stream was rejected"));
}

#[test]
fn a_disconnected_publisher_is_reported() {
    let (stage, events) = stage();
    let url = stage.channel("cam");
    let _publisher = Publisher::connect(&url, SOON).unwrap();
    stage.client().put_channel_status("cam", osslive::ChannelState::Disabled).unwrap();
    let end = next(&events, EventKind::End);
    assert_eq!(
        (end.level, end.message.as_deref()),
        (Level::Warn, Some("the channel was disabled"))
    );
}

#[test]
fn requests_are_reported_with_their_operation_and_outcome() {
    let (stage, events) = stage();
    stage.channel("cam");
    let fine = next(&events, EventKind::Request);
    assert_eq!((fine.level, fine.status), (Level::Debug, Some(200)));
    assert_eq!(fine.operation.as_deref(), Some("PutLiveChannel"));
    assert_eq!((fine.method.as_deref(), fine.key.as_deref()), (Some("PUT"), Some("cam")));
    assert!(fine.request_id.is_some() && fine.duration_ms.is_some());

    stage.client().get_channel("missing").unwrap_err();
    let missing = next(&events, EventKind::Request);
    assert_eq!(
        (missing.level, missing.status, missing.code),
        (Level::Debug, Some(404), Some("NoSuchLiveChannel"))
    );

    support::client_of(&stage.endpoint, Config::ACCESS_KEY_ID, "wrong")
        .list_channels(&Default::default())
        .unwrap_err();
    let denied = next(&events, EventKind::Request);
    assert_eq!(
        (denied.level, denied.status, denied.code),
        (Level::Warn, Some(403), Some("SignatureDoesNotMatch"))
    );
}

#[test]
fn no_event_contains_a_secret() {
    let (stage, events) = stage();
    let url = stage.channel("cam");
    let query = url.split_once('?').unwrap().1;
    let token = stage.endpoint.page_url().unwrap();
    let token = token.split_once("token=").unwrap().1.to_owned();
    let secret = Config::ACCESS_KEY_SECRET;
    // Where users may put them by mistake.
    stage.client().get_channel(secret).unwrap_err();
    for path in [format!("/_osslive/{token}x/"), format!("/{secret}/{token}?{query}")] {
        let peer = stage.connect();
        let host = stage.endpoint.address();
        peer.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).unwrap();
        peer.read_response();
    }
    push_flv(&url, CLIP, PushOptions::default(), &mut |_| true).unwrap();
    stage.endpoint.stop();
    let all: Vec<String> =
        events.iter().map(|event| serde_json::to_string(&event).unwrap()).collect();
    assert!(all.len() >= 7, "{all:#?}");
    for line in &all {
        for part in [secret, &token, "Signature="] {
            assert!(!line.contains(part), "{line}");
        }
    }
}

#[test]
fn a_stream_with_a_refused_codec_is_not_added_to_the_history() {
    let (stage, _events) = stage();
    let url = stage.channel("cam");
    push_flv(&url, CLIP, PushOptions::default(), &mut |_| true).unwrap();
    let records = || stage.client().get_channel_history("cam").unwrap().records;
    let real = records();
    assert_eq!(real.len(), 1);
    for _ in 0..12 {
        let mut publisher = Publisher::connect(&url, SOON).unwrap();
        let refused = (0..100).find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(5));
            publisher.send(TagKind::Audio, 0, &[0x2F, 0xFF]).err()
        });
        assert!(refused.is_some(), "MP3 was accepted");
        drop(publisher);
        while stage.client().get_channel_status("cam").unwrap().status != osslive::StreamState::Idle
        {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
    assert_eq!(records(), real);
}
