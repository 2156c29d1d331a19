//! Waiting for a channel to be live, idle or gone.

// Other tests use the rest of it.
#[allow(dead_code)]
mod support;

use osslive::{Error, ErrorKind, StreamState, code};
use std::thread;
use std::time::{Duration, Instant};
use support::{Response, Server, idle, reply};

/// Longer than any test run, so that no wait here times out.
const LONG: Duration = Duration::from_secs(3600);

const LIVE: &str = "<LiveChannelStat><Status>Live</Status></LiveChannelStat>";
const DISABLED: &str = "<LiveChannelStat><Status>Disabled</Status></LiveChannelStat>";
const GONE: &str = "<Error><Code>NoSuchLiveChannel</Code><Message>gone</Message></Error>";
const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
const SLOWER: &str =
    "<Error><Code>MetaOperationQpsLimitExceeded</Code><Message>slower</Message></Error>";

fn live() -> Vec<u8> {
    reply("200 OK", LIVE)
}

/// Starts a server that sends one response to the first `count` requests, then another.
fn changing(count: usize, before: Vec<u8>, after: Vec<u8>) -> Server {
    Server::start(move |number, _| {
        Response::Bytes(if number <= count { before.clone() } else { after.clone() })
    })
}

fn is_gone<T>(outcome: Result<T, Error>) -> bool {
    outcome.is_err_and(|error| error.code() == Some(code::NO_SUCH_LIVE_CHANNEL))
}

#[test]
fn a_wait_ends_with_the_poll_that_finds_the_expected_status() {
    let server = changing(2, idle(), live());
    let client = server.client().build().unwrap();
    let status = client.wait_until_live("c", LONG).unwrap();
    assert_eq!((status.status, server.seen().len()), (StreamState::Live, 3));

    let server = changing(2, live(), idle());
    let client = server.client().build().unwrap();
    let status = client.wait_until_idle("c", LONG).unwrap();
    assert_eq!((status.status, server.seen().len()), (StreamState::Idle, 3));

    let server = changing(2, idle(), reply("404 Not Found", GONE));
    let client = server.client().build().unwrap();
    client.wait_until_deleted("c", LONG).unwrap();
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn a_wait_for_the_current_status_returns_at_once() {
    let server = changing(1, live(), idle());
    let client = server.client().build().unwrap();
    client.wait_until_live("c", LONG).unwrap();
    client.wait_until_idle("c", LONG).unwrap();
    assert_eq!(server.seen().len(), 2);
    let server = changing(1, reply("200 OK", DISABLED), live());
    let client = server.client().build().unwrap();
    let status = client.wait_until_idle("c", LONG).unwrap();
    assert_eq!(status.status, StreamState::Disabled, "no publisher is connected");
}

#[test]
fn a_channel_that_does_not_exist_ends_a_wait_for_its_state_at_once() {
    let server = changing(usize::MAX, reply("404 Not Found", GONE), Vec::new());
    let client = server.client().build().unwrap();
    assert!(is_gone(client.wait_until_live("c", LONG)));
    assert!(is_gone(client.wait_until_idle("c", LONG)));
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn permanent_failures_end_a_wait_and_transient_ones_do_not() {
    let server = changing(1, reply("403 Forbidden", DENIED), live());
    let client = server.client().build().unwrap();
    let error = client.wait_until_live("c", LONG).unwrap_err();
    assert_eq!(error.code(), Some(code::ACCESS_DENIED));

    let server = changing(1, reply("200 OK", "<html>sign in</html>"), live());
    let client = server.client().build().unwrap();
    let error = client.wait_until_deleted("c", LONG).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadReply, "{error}");
    assert!(error.message().contains("<html>"), "{error}");

    for response in [reply("503 Slow", SLOWER), reply("502 Bad Gateway", "")] {
        let server = changing(4, response, live());
        let client = server.client().attempts(2).build().unwrap();
        client.wait_until_live("c", LONG).unwrap();
        assert_eq!(server.seen().len(), 5);
    }
}

#[test]
fn a_wait_that_times_out_reports_the_last_status() {
    let server = changing(usize::MAX, idle(), Vec::new());
    let client = server.client().build().unwrap();
    let error = client.wait_until_live("cam", Duration::from_millis(1500)).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Timeout, Some(code::WAIT_TIMED_OUT)));
    assert_eq!(error.message(), "channel \"cam\" is still Idle after 1.5 s");
    // At 0, 250, 625 and 1187 ms: on a machine under load, there are no more.
    assert!((1..=4).contains(&server.seen().len()), "{} polls", server.seen().len());

    let server = changing(usize::MAX, reply("503 Slow", SLOWER), Vec::new());
    let client = server.client().build().unwrap();
    let error = client.wait_until_deleted("cam", Duration::from_millis(700)).unwrap_err();
    assert_eq!(error.code(), Some(code::WAIT_TIMED_OUT));
    assert!(error.message().contains("is unknown after 0.7 s: "), "{error}");
    assert!(error.message().contains("slower"), "{error}");
}

#[test]
fn a_wait_ends_at_once_when_its_client_is_shut_down() {
    let server = changing(usize::MAX, idle(), Vec::new());
    let client = server.client().build().unwrap();
    let waiting = client.clone();
    let wait = thread::spawn(move || waiting.wait_until_live("c", LONG));
    while server.seen().len() < 3 {
        thread::sleep(Duration::from_millis(10));
    }
    let started = Instant::now();
    client.shutdown();
    let error = wait.join().unwrap().unwrap_err();
    println!("ended after {:?}", started.elapsed());
    assert_eq!(error.kind(), ErrorKind::Stopped);
}

#[test]
fn a_wait_with_a_zero_timeout_or_an_invalid_name_is_rejected() {
    let server = changing(usize::MAX, live(), Vec::new());
    let client = server.client().build().unwrap();
    let error = client.wait_until_live("c", Duration::ZERO).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let error = client.wait_until_live("a/b", LONG).unwrap_err();
    assert_eq!(error.code(), Some(code::INVALID_CHANNEL_NAME));
    assert_eq!(server.seen().len(), 0);
}
