//! Shutting down a client: its calls end, whatever they are waiting for, and report the
//! reason.

// Other tests use the rest of it.
#[allow(dead_code)]
#[path = "support/faulty_service.rs"]
mod faulty_service;
#[allow(dead_code)]
mod support;

use faulty_service::FaultyService;
use osslive::{AddressingStyle, Client, ClientBuilder, Credentials, Error, ErrorKind};
use osslive_local::FaultRule;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};
use support::{Response, Server, idle};

/// Longer than any test run, so that no wait ends on its own.
const LONG: Duration = Duration::from_secs(3600);

fn builder(endpoint: String) -> ClientBuilder {
    let builder = Client::builder()
        .endpoint(endpoint)
        .region("cn-hangzhou")
        .bucket("live-demo")
        .addressing_style(AddressingStyle::Path)
        .credentials(Credentials::new("id", "secret"))
        .no_proxy();
    with_long_timeouts(builder)
}

fn with_long_timeouts(client: ClientBuilder) -> ClientBuilder {
    client.connect_timeout(LONG).timeout(LONG)
}

/// Shuts a client down during a call, and returns how the call ended.
fn shut_down_during_call(client: &Client) -> Error {
    let clone = client.clone();
    let call = thread::spawn(move || clone.get_channel_status("c"));
    // It cannot be observed from outside whether the call is already waiting. If it is
    // not, this tests less, but does not fail wrongly.
    thread::sleep(Duration::from_millis(200));
    assert!(!call.is_finished(), "the call did not wait: {:?}", call.join());
    let started = Instant::now();
    client.shutdown();
    let error = call.join().unwrap().unwrap_err();
    let time = started.elapsed();
    println!("ended after {time:?}: {error}");
    assert!(time < Duration::from_secs(20), "it took {time:?}");
    assert_eq!(error.kind(), ErrorKind::Stopped, "{error:?}");
    error
}

/// Returns an address to which connecting hangs while the other values are alive.
#[cfg(target_os = "linux")]
fn silent_address() -> (std::net::SocketAddr, TcpListener, Vec<std::net::TcpStream>) {
    use std::net::TcpStream;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    socket2::SockRef::from(&listener).listen(0).unwrap();
    let connect = |_| TcpStream::connect_timeout(&address, Duration::from_millis(100)).ok();
    let full = (0..4).filter_map(connect).collect();
    (address, listener, full)
}

#[test]
fn a_call_that_waits_for_its_response_ends() {
    let service = FaultyService::with([faulty_service::silence()]);
    let client = with_long_timeouts(service.client()).build().unwrap();
    assert_eq!(shut_down_during_call(&client).attempts(), 1);
}

#[test]
fn a_call_in_the_middle_of_its_response_ends_and_the_response_is_incomplete() {
    // Without a length, the body ends with the connection.
    let begin = "HTTP/1.1 200 OK\r\n\r\n<LiveChannelStat><Status>Idle</Status></LiveChannelStat>";
    let service = FaultyService::with([FaultRule {
        raw: Some(begin.to_owned()),
        endless: Some(" ".to_owned()),
        bytes_per_second: Some(1000),
        ..faulty_service::rule()
    }]);
    shut_down_during_call(&with_long_timeouts(service.client()).build().unwrap());
}

#[test]
#[cfg(target_os = "linux")]
fn a_call_that_is_connecting_ends() {
    let (address, _listener, _full) = silent_address();
    shut_down_during_call(&builder(format!("http://{address}")).build().unwrap());
}

#[test]
fn a_call_in_a_tls_handshake_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    shut_down_during_call(&builder(format!("https://{address}")).build().unwrap());
}

#[test]
fn a_call_that_waits_for_a_proxy_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    shut_down_during_call(&builder("http://oss.example".into()).proxy(proxy).build().unwrap());
}

#[test]
fn a_call_that_waits_for_a_retry_ends() {
    let service = FaultyService::with([faulty_service::busy()]);
    let client = with_long_timeouts(service.client()).attempts(1_000_000);
    let error = shut_down_during_call(&client.build().unwrap());
    assert!(error.attempts() > 0, "{error:?}");
}

#[test]
fn every_clone_stops_and_later_calls_fail_without_sending() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let client = builder(format!("http://{}", server.address)).build().unwrap();
    let other = client.with_timeout(Duration::from_secs(5));
    client.get_channel_status("c").unwrap();
    other.shutdown();
    for client in [&client, &other] {
        let error = client.get_channel_status("c").unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Stopped, 0));
        assert_eq!(error.to_string(), "the client was shut down");
        let listed: Vec<_> = client.channels("").collect();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].as_ref().unwrap_err().kind(), ErrorKind::Stopped);
        client.get_rtmp_url("c", &osslive::RtmpUrlOptions::new()).unwrap();
    }
    other.shutdown();
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn another_client_of_the_same_server_keeps_working() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let new = || builder(format!("http://{}", server.address)).build().unwrap();
    let (stopped, other) = (new(), new());
    stopped.shutdown();
    other.get_channel_status("c").unwrap();
}
