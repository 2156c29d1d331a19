//! Memory used for clients that do not read; runs in a separate process, so that nothing
//! else uses memory.

#![cfg(target_os = "linux")]

mod support;

use osslive::{Client, SignatureVersion};
use osslive_local::Acl;
use std::thread;
use std::time::{Duration, Instant};
use support::{Peer, Stage};

const CLIENTS: usize = 40;
/// Each response is generated twice, by an unoptimized program.
const TIMEOUT: Duration = Duration::from_secs(240);
const MOST: u64 = 64 << 20;

/// Returns a line of this process's status, in bytes.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

fn put(stage: &Stage, key: &str, body: &[u8]) {
    let peer = stage.connect();
    let head = "HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n";
    peer.send(format!("PUT /live-demo/{key} {head}Content-Length: {}\r\n\r\n", body.len()))
        .unwrap();
    peer.send(body).unwrap();
    assert_eq!(peer.read_response().status, 200);
}

/// Returns a client whose signatures are cheap to compute, since many are needed.
fn signing_fast(stage: &Stage) -> Client {
    stage.endpoint.client_builder().signature_version(SignatureVersion::V1).build().unwrap()
}

/// Connects clients that send a request and never read the response.
fn request(stage: &Stage, target: &str) -> Vec<Peer> {
    let clients: Vec<Peer> = (0..CLIENTS).map(|_| stage.connect()).collect();
    for client in &clients {
        client.send(format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")).unwrap();
    }
    let started = Instant::now();
    while !clients.iter().all(Peer::has_response) {
        assert!(started.elapsed() < TIMEOUT, "a response for each");
        thread::sleep(Duration::from_millis(20));
    }
    clients
}

#[test]
fn unread_responses_use_limited_memory() {
    let stage = Stage::start(|config| config.acl(Acl::PublicReadWrite));

    // The maximum size, with names long enough that a response is twice as
    // long. (More segments would only take more time.)
    let segment = format!("#EXTINF:5.000,\n{}.ts\n", "1".repeat(100));
    put(&stage, "cam/playlist.m3u8", segment.repeat((1 << 20) / segment.len()).as_bytes());
    let client = signing_fast(&stage);
    let url = client.get_play_url("cam", "playlist.m3u8", 3600).unwrap();
    let target = url.split_once("://").unwrap().1.split_once('/').unwrap().1;
    let before = status("VmRSS");
    let clients = request(&stage, &format!("/{target}"));
    let taken = status("VmHWM").saturating_sub(before);
    assert!(taken < MOST, "{taken} bytes for {CLIENTS} signed playlists");
    let response = clients[0].read_response();
    assert_eq!(response.status, 200);
    let length = response.body.len() as u64;
    assert!(CLIENTS as u64 * length > MOST, "all responses of {length} bytes would have fit");
}
