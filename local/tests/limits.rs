//! Neither a single peer nor all of them together can exhaust the endpoint.

mod support;

use osslive::StreamState;
use osslive_local::rtmp::ClientState;
use osslive_local::{Acl, Config, PeerLimits};
use std::thread;
use std::time::{Duration, Instant};
use support::{Peer, SOON, Stage, wait_until};

/// A short limit for tests.
const SHORT: Duration = Duration::from_millis(400);

/// Starts an endpoint with these limits and public buckets.
fn stage(limits: impl FnOnce(&mut PeerLimits)) -> Stage {
    let mut chosen = PeerLimits::default();
    limits(&mut chosen);
    Stage::start(|config| config.acl(Acl::PublicReadWrite).limits(chosen))
}

/// Returns the client side of a handshake, RTMP 1.0 section 5.2.
fn handshake() -> Vec<u8> {
    [vec![3], vec![0; 1536], vec![0; 1536]].concat()
}

/// Returns a message with a full header on chunk stream 3, in chunks of 128 bytes.
fn message(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let mut bytes = vec![3, 0, 0, 0, length[1], length[2], length[3], kind, 0, 0, 0, 0];
    for (at, piece) in payload.chunks(128).enumerate() {
        bytes.extend((at > 0).then_some(0xc3));
        bytes.extend_from_slice(piece);
    }
    bytes
}

#[test]
fn two_hundred_silent_connections_do_not_affect_others() {
    let stage = stage(|_| {});
    let silent: Vec<Peer> = (0..200).map(|_| stage.connect()).collect();
    // Some of them look like encoders, which have a thread each.
    for peer in &silent[..50] {
        peer.send([3]).unwrap();
    }
    stage.check_service();
    assert!(silent.iter().all(|peer| !peer.is_closed()));
}

#[test]
fn connections_beyond_the_limit_are_closed() {
    let stage = stage(|limits| limits.connections_per_address = 3);
    let mut peers: Vec<Peer> = (0..3).map(|_| stage.connect()).collect();
    // Connections are accepted in order: the fourth exceeds the limit.
    assert!(stage.connect().read_to_close().is_empty());
    assert!(peers.iter().all(|peer| !peer.is_closed()));
    peers.clear();
    wait_until("a connection is available again", || {
        let peer = stage.connect();
        peer.send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").is_ok()
            && !peer.read_to_close().is_empty()
    });
}

#[test]
fn a_silent_connection_is_closed_eventually() {
    let stage = stage(|limits| limits.head = SHORT);
    assert!(stage.connect().read_to_close().is_empty());
    let kept = stage.connect();
    kept.send("GET /live-demo/x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
    assert_eq!(kept.read_response().status, 404);
    assert!(kept.read_to_close().is_empty(), "idle after a request");
}

#[test]
fn headers_that_arrive_too_slowly_are_refused() {
    let stage = stage(|limits| limits.head = SHORT);
    let peer = stage.connect();
    peer.send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ").unwrap();
    peer.send_until_closed(|| {
        thread::sleep(Duration::from_millis(20));
        vec![b'a']
    });
    stage.check_service();
}

#[test]
fn headers_without_end_are_refused() {
    let stage = stage(|_| {});
    for header in ["X-Long: aaaaaaaaaaaaaaaa", "X-Many: a\r\n"] {
        let peer = stage.connect();
        peer.send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n").unwrap();
        let header = header.repeat(64);
        peer.send_until_closed(|| header.clone().into_bytes());
    }
    let many = stage.connect();
    let headers: String = (0..200).map(|n| format!("X-{n}: a\r\n")).collect();
    many.send(format!("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n")).unwrap();
    assert_eq!(many.read_response().status, 431);
    stage.check_service();
}

#[test]
fn a_body_that_arrives_too_slowly_is_refused() {
    let stage = stage(|limits| limits.pause = SHORT);
    let peer = stage.connect();
    peer.send("PUT /live-demo/x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n")
        .unwrap();
    // No single pause is too long.
    for _ in 0..40 {
        thread::sleep(Duration::from_millis(20));
        // Sending more after it has closed could lose the response.
        if peer.has_response() || peer.send("a").is_err() {
            break;
        }
    }
    let response = peer.read_response();
    assert_eq!((response.status, &*response.code()), (400, "RequestTimeout"));
}

#[test]
fn uploads_share_a_memory_limit() {
    const SIZE: usize = 1_000_000;
    let stage = stage(|limits| limits.uploads = 1_500_000);
    let begin = || {
        let peer = stage.connect();
        let head = "PUT /live-demo/x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ";
        peer.send(format!("{head}{SIZE}\r\n\r\n")).unwrap();
        peer
    };
    let hold = || {
        let peer = begin();
        // If it is refused meanwhile, there is a response, and another is tried.
        let _ = peer.send(vec![b'a'; SIZE - 1]);
        peer
    };
    let mut first = hold();
    wait_until("a second upload is refused", || {
        let second = begin();
        let _ = second.send(vec![b'b'; SIZE]);
        let response = second.read_response();
        assert!(
            response.status == 200 || &*response.code() == "ServiceUnavailable",
            "{response:?}"
        );
        // The system buffers bytes too, so the second may have been first.
        if first.has_response() {
            first = hold();
            return false;
        }
        response.status == 503
    });
    stage.client().list_channels(&osslive::ListChannels::new()).expect("small requests still work");
    first.send("a").unwrap();
    assert_eq!(first.read_response().status, 200);
    let third = begin();
    third.send(vec![b'c'; SIZE]).unwrap();
    assert_eq!(third.read_response().status, 200);
}

#[test]
fn a_client_that_does_not_read_its_response_is_disconnected() {
    let stage = stage(|limits| {
        limits.pause = SHORT;
        limits.connections = 1;
    });
    let upload = stage.connect();
    let size = 30 << 20;
    let head = "PUT /live-demo/big HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n";
    upload.send(format!("{head}Content-Length: {size}\r\n\r\n")).unwrap();
    upload.send(vec![b'a'; size]).unwrap();
    assert_eq!(upload.read_response().status, 200);
    drop(upload);

    let get = "GET /live-demo/big HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let mut reader = stage.connect();
    wait_until("the only connection is available", || {
        reader = stage.connect();
        reader.send(get).is_ok() && !matches!(reader.peek(&mut [0]), Ok(0) | Err(_))
    });
    wait_until("the reader was disconnected", || {
        let next = stage.connect();
        next.send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").is_ok()
            && !next.read_to_close().is_empty()
    });
    assert!(reader.read_to_close().len() < size, "the response was truncated");
}

#[test]
fn a_client_that_does_not_finish_the_handshake_is_disconnected() {
    let stage = stage(|limits| limits.handshake = SHORT);
    let peer = stage.connect();
    peer.send([3]).unwrap();
    peer.send_until_closed(|| {
        thread::sleep(Duration::from_millis(20));
        vec![0]
    });
    stage.check_service();
}

#[test]
fn a_client_that_never_publishes_is_disconnected_whatever_else_it_sends() {
    let stage = stage(|limits| limits.handshake = SHORT);
    let peer = stage.connect();
    peer.send(handshake()).unwrap();
    peer.send_until_closed(|| {
        thread::sleep(Duration::from_millis(20));
        message(4, &[0, 6, 0, 0, 0, 0]) // a ping
    });
    stage.check_service();
}

#[test]
fn a_publisher_without_media_is_disconnected_and_its_channel_becomes_idle() {
    let stage = stage(|limits| limits.pause = SHORT);
    let url = stage.channel("quiet");
    let (app, stream) = url.rsplit_once("/live/").unwrap();
    let stream = format!("live/{stream}");
    let peer = stage.connect();
    let session = peer.request_publish(app.rsplit('/').next().unwrap(), app, &stream);
    assert_eq!(*session.state(), ClientState::Publishing);
    let status = || stage.client().get_channel_status("quiet").unwrap().status;
    assert_eq!(status(), StreamState::Live);
    peer.send_until_closed(|| {
        thread::sleep(Duration::from_millis(20));
        message(4, &[0, 6, 0, 0, 0, 0])
    });
    wait_until("the channel is idle", || status() == StreamState::Idle);
    assert_eq!(stage.client().get_channel_history("quiet").unwrap().records.len(), 1);
}

#[test]
fn a_publisher_on_a_slow_network_is_not_disconnected() {
    let stage = stage(|limits| limits.pause = SHORT);
    let url = stage.channel("slow");
    let (app, stream) = url.rsplit_once("/live/").unwrap();
    let stream = format!("live/{stream}");
    let status = || stage.client().get_channel_status("slow").unwrap().status;
    // A frame that takes many times the pause, in pieces; then in tiny pieces.
    for (piece, pieces, stays) in [(4000, 40, true), (1, 200, false)] {
        let peer = stage.connect();
        peer.request_publish(app.rsplit('/').next().unwrap(), app, &stream);
        // One chunk, however long.
        peer.send(message(1, &0x7fff_ffff_u32.to_be_bytes())).unwrap();
        let frame = [&[3, 0, 0, 0, 2, 0x71, 0, 9, 1, 0, 0, 0][..], &[0; 40 * 4000]].concat();
        let arrived = frame.chunks(piece).take(pieces).all(|bytes| {
            thread::sleep(Duration::from_millis(50));
            peer.send(bytes).is_ok() && !peer.is_closed()
        });
        assert_eq!(arrived, stays, "pieces of {piece} bytes");
        drop(peer);
        wait_until("the channel is idle", || status() == StreamState::Idle);
    }
}

#[test]
fn floods_of_commands_and_unknown_messages_end_the_connection() {
    let stage = stage(|_| {});
    let release = osslive_local::rtmp::amf0::encode(&["releaseStream".into(), 1.0.into()]);
    for flood in [
        message(20, &release),
        message(99, &[0; 100]),
        message(4, &[0, 6, 0, 0, 0, 0]),
        message(5, &[0, 0, 0, 1]),
        message(20, b""),
    ] {
        let peer = stage.connect();
        peer.send(handshake()).unwrap();
        let flood = flood.repeat(64);
        peer.send_until_closed(|| flood.clone());
    }
    stage.check_service();
}

#[test]
fn a_flood_with_unread_responses_ends_the_connection() {
    let stage = stage(|limits| limits.pause = SHORT);
    let url = stage.channel("deaf");
    let (app, stream) = url.rsplit_once("/live/").unwrap();
    let peer = stage.connect();
    let stream = format!("live/{stream}");
    peer.request_publish(app.rsplit('/').next().unwrap(), app, &stream);
    // Once accepted, it may send any amount; the response to each of these is
    // ten times as long.
    peer.send(message(1, &65_536_u32.to_be_bytes())).unwrap();
    let play = osslive_local::rtmp::amf0::encode(&["play".into()]);
    let flood = message(20, &play).repeat(1000);
    let started = Instant::now();
    while peer.send(&flood).is_ok() {
        assert!(started.elapsed() < SOON, "the endpoint never closed the connection");
    }
    wait_until("the channel is idle", || {
        stage.client().get_channel_status("deaf").unwrap().status == StreamState::Idle
    });
}

#[test]
fn announcing_giant_chunks_or_messages_ends_the_connection() {
    let stage = stage(|_| {});
    let header = |length: [u8; 3]| [&[3, 0, 0, 0][..], &length, &[20, 0, 0, 0, 0]].concat();
    for announced in [
        [message(1, &0x7fff_ffff_u32.to_be_bytes()), header([0xff, 0xff, 0xff])].concat(),
        header([0x02, 0, 0]),
        message(1, &0_u32.to_be_bytes()),
        message(1, &u32::MAX.to_be_bytes()),
    ] {
        let peer = stage.connect();
        peer.send(handshake()).unwrap();
        peer.send(&announced).unwrap();
        peer.send_until_closed(|| vec![0; 1000]);
    }
    // Chunks of any size are allowed as long as the messages are not too long.
    let peer = stage.connect();
    peer.send(handshake()).unwrap();
    peer.send(message(1, &0x7fff_ffff_u32.to_be_bytes())).unwrap();
    peer.send(message(4, &[0, 6, 0, 0, 0, 0])).unwrap();
    thread::sleep(Duration::from_millis(50));
    assert!(!peer.is_closed());
    stage.check_service();
}

#[test]
fn default_limits_never_affect_real_peers() {
    let defaults = PeerLimits::default();
    assert!(defaults.connections_per_address <= defaults.connections);
    assert!(defaults.handshake >= Duration::from_secs(10));
    let config = Config::new("unused").limits(defaults);
    assert!(format!("{config:?}").contains("uploads: 268435456"));
}

#[test]
fn publishers_share_a_memory_limit() {
    // Buffers double: each first uses 512 KiB, and finally 1 MiB.
    const HELD: usize = 700_000;
    let stage = stage(|limits| limits.messages = 1_600_000);
    // In the middle of a message of 8 MB, most of which has not arrived.
    let hold = |name: &str| {
        let url = stage.channel(name);
        let (app, stream) = url.rsplit_once("/live/").unwrap();
        let peer = stage.connect();
        let app_name = app.rsplit('/').next().unwrap();
        peer.request_publish(app_name, app, &format!("live/{stream}"));
        peer.send(message(1, &0x7fff_ffff_u32.to_be_bytes())).unwrap();
        let _ = peer.send([&[3, 0, 0, 0, 0x7a, 0x12, 0, 9, 1, 0, 0, 0][..], &[0; HELD]].concat());
        peer
    };
    let first = hold("first");
    let second = hold("second");
    wait_until("one of the two is disconnected", || first.is_closed() || second.is_closed());
    // The remaining one continues, and the memory of the other is free again.
    let (kept, name) = if first.is_closed() { (second, "third") } else { (first, "fourth") };
    thread::sleep(Duration::from_millis(50));
    assert!(!kept.is_closed());
    drop(kept);
    let next = hold(name);
    thread::sleep(Duration::from_millis(50));
    assert!(!next.is_closed());
    drop(next);
    stage.check_service();
}
