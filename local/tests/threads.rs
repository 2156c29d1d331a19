//! The endpoint when the system has no threads left; runs in a separate process with a
//! limited address space.

#![cfg(target_os = "linux")]

mod support;

use osslive_local::{Acl, Config, LocalEndpoint};
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use support::Stage;

/// Space for small allocations, but not for the stack of a thread.
const HEADROOM: u64 = 256 << 10;

fn limit_address_space(bytes: &str) {
    let own = std::process::id().to_string();
    let status = Command::new("prlimit")
        .args(["--pid", &own, &format!("--as={bytes}:")])
        .status()
        .expect("prlimit, of util-linux");
    assert!(status.success());
}

fn address_space() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmSize")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

/// Starts threads until none are left; they end when the result is dropped. This is
/// needed because the system keeps the stacks of earlier threads.
fn take_all_threads() -> Sender<()> {
    let (sender, receiver) = channel();
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..1000 {
        let receiver = receiver.clone();
        let wait = move || receiver.lock().unwrap().recv().is_err();
        if thread::Builder::new().stack_size(256 << 10).spawn(wait).is_err() {
            return sender;
        }
    }
    panic!("threads never run out");
}

#[test]
fn without_threads_requests_get_responses_and_publishers_are_disconnected() {
    let stage = Stage::start(|config| config.acl(Acl::PublicReadWrite));
    let get = "GET /live-demo/none HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    // More than can be processed at once.
    let peers: Vec<_> = (0..40).map(|_| stage.connect()).collect();
    let publisher = stage.connect();
    limit_address_space(&(address_space() + HEADROOM).to_string());
    let idle = take_all_threads();
    for peer in &peers {
        peer.send(get).unwrap();
    }
    let statuses: Vec<u16> = peers.iter().map(|peer| peer.read_response().status).collect();
    publisher.send([3]).unwrap();
    let is_disconnected = publisher.read_to_close().is_empty();
    let another = LocalEndpoint::start(Config::new(stage.folder.path().join("another")));
    limit_address_space("unlimited");
    drop(idle);
    assert_eq!(statuses, [404; 40]);
    assert!(is_disconnected);
    assert!(another.is_err(), "the endpoint started without its threads");
    stage.check_service();
}
