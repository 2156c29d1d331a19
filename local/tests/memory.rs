//! What clients that do not read cost: a process of its own, whose memory
//! nothing else takes.

#![cfg(target_os = "linux")]

mod support;

use osslive::{Client, SignatureVersion};
use osslive_local::Acl;
use std::thread;
use std::time::{Duration, Instant};
use support::{Peer, Stage};

const CLIENTS: usize = 40;
/// Each answer is made twice, by a program that is not optimised.
const PATIENCE: Duration = Duration::from_secs(240);
const MOST: u64 = 64 << 20;

/// A line of this process's status, in bytes.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

fn put(stage: &Stage, key: &str, body: &[u8]) {
    let peer = stage.connect();
    let head = "HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n";
    peer.say(format!("PUT /live-demo/{key} {head}Content-Length: {}\r\n\r\n", body.len())).unwrap();
    peer.say(body).unwrap();
    assert_eq!(peer.read_response().status, 200);
}

/// A client whose signatures are cheap to make: there will be many like them.
fn signing_fast(stage: &Stage) -> Client {
    stage.endpoint.client_builder().signature_version(SignatureVersion::V1).build().unwrap()
}

/// Clients that ask, and read nothing of what they are answered.
fn ask(stage: &Stage, target: &str) -> Vec<Peer> {
    let clients: Vec<Peer> = (0..CLIENTS).map(|_| stage.connect()).collect();
    for client in &clients {
        client.say(format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")).unwrap();
    }
    let started = Instant::now();
    while !clients.iter().all(Peer::is_answered) {
        assert!(started.elapsed() < PATIENCE, "an answer to each");
        thread::sleep(Duration::from_millis(20));
    }
    clients
}

#[test]
fn answers_that_nobody_reads_take_a_bounded_amount_of_memory() {
    let stage = Stage::start(|config| config.acl(Acl::PublicReadWrite));

    // As many bytes as there may be, and names long enough that an answer is
    // twice as long. (More segments would only take more time.)
    let segment = format!("#EXTINF:5.000,\n{}.ts\n", "1".repeat(100));
    put(&stage, "cam/playlist.m3u8", segment.repeat((1 << 20) / segment.len()).as_bytes());
    let client = signing_fast(&stage);
    let url = client.get_play_url("cam", "playlist.m3u8", 3600).unwrap();
    let target = url.split_once("://").unwrap().1.split_once('/').unwrap().1;
    let before = status("VmRSS");
    let clients = ask(&stage, &format!("/{target}"));
    let taken = status("VmHWM").saturating_sub(before);
    assert!(taken < MOST, "{taken} bytes for {CLIENTS} signed playlists");
    let answer = clients[0].read_response();
    assert_eq!(answer.status, 200);
    let length = answer.body.len() as u64;
    assert!(CLIENTS as u64 * length > MOST, "all answers of {length} bytes would have fit");
}
