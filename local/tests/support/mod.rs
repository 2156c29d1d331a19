//! An endpoint for tests with raw sockets.

// Each test program uses a different part of this.
#![allow(dead_code, unused_imports)]

mod recording;
mod tscheck;

pub use recording::Playlist;

use osslive::{ChannelConfig, Client, Credentials, RtmpUrlOptions};
use osslive_local::rtmp::ClientSession;
use osslive_local::{Config, LocalEndpoint};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::ops::Deref;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const CLIP: &[u8] = include_bytes!("../../../cli/assets/clip.flv");

/// The timeout for anything that must happen.
pub const SOON: Duration = Duration::from_secs(30);

/// Waits until a condition is true, for as long as anything may take.
pub fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let started = Instant::now();
    while !reached() {
        assert!(started.elapsed() < SOON, "timed out: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Creates a folder that only this user can access, deleted when dropped.
pub fn folder() -> TempDir {
    let mut builder = tempfile::Builder::new();
    builder.prefix("test-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir().unwrap()
}

/// An endpoint whose data directory is next to a foreign file.
pub struct Stage {
    pub endpoint: LocalEndpoint,
    pub folder: TempDir,
}

impl Stage {
    pub fn start(configure: impl FnOnce(Config) -> Config) -> Stage {
        let folder = folder();
        let config = configure(Config::new(folder.path().join("data")));
        Stage { endpoint: LocalEndpoint::start(config).unwrap(), folder }
    }

    pub fn client(&self) -> Client {
        self.endpoint.client_builder().build().unwrap()
    }

    /// Creates a channel with fragments of one second; returns its signed publish URL.
    pub fn channel(&self, name: &str) -> String {
        let client = self.client();
        let config = ChannelConfig::new(name).frag_duration(1).frag_count(3);
        client.put_channel(name, &config).unwrap();
        client.get_rtmp_url(name, &RtmpUrlOptions::new()).unwrap()
    }

    pub fn connect(&self) -> Peer {
        Peer::connect(&self.endpoint)
    }

    /// Checks that the endpoint still works.
    pub fn check_service(&self) {
        let url = self.channel("service");
        let options = osslive_local::push::PushOptions::default();
        osslive_local::push::push_flv(&url, CLIP, options, &mut |_| true).unwrap();
        self.client().get_channel_status("service").unwrap();
    }
}

pub fn client_of(endpoint: &LocalEndpoint, id: &str, secret: &str) -> Client {
    endpoint.client_builder().credentials(Credentials::new(id, secret)).build().unwrap()
}

/// A raw connection to an endpoint.
pub struct Peer(TcpStream);

impl Deref for Peer {
    type Target = TcpStream;

    fn deref(&self) -> &TcpStream {
        &self.0
    }
}

impl Peer {
    pub fn connect(endpoint: &LocalEndpoint) -> Peer {
        let stream = TcpStream::connect(endpoint.address()).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.set_write_timeout(Some(SOON)).unwrap();
        Peer(stream)
    }

    /// Sends bytes; fails if the endpoint has closed the connection.
    pub fn send(&self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        (&self.0).write_all(bytes.as_ref())
    }

    /// Reads until the endpoint closes.
    pub fn read_to_close(&self) -> Vec<u8> {
        let (mut all, mut buffer) = (Vec::new(), [0; 16 * 1024]);
        loop {
            match (&self.0).read(&mut buffer) {
                Ok(0) => return all,
                Ok(count) => all.extend_from_slice(&buffer[..count]),
                Err(error) if is_closed(&error) => return all,
                Err(error) => panic!("the endpoint did not close: {error}"),
            }
        }
    }

    /// Reads one HTTP response with a Content-Length.
    pub fn read_response(&self) -> Response {
        let mut all = Vec::new();
        loop {
            let mut byte = [0];
            match (&self.0).read(&mut byte) {
                Ok(1) => all.push(byte[0]),
                Ok(_) => panic!("closed after {:?}", String::from_utf8_lossy(&all)),
                Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&all)),
            }
            if all.ends_with(b"\r\n\r\n") {
                break;
            }
        }
        let mut response = Response::parse(&all);
        let length = response.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        (&self.0).read_exact(&mut body).unwrap();
        response.body = body;
        response
    }

    /// Sends bytes from `next` until the endpoint has closed the connection.
    pub fn send_until_closed(&self, mut next: impl FnMut() -> Vec<u8>) {
        let started = Instant::now();
        while started.elapsed() < SOON {
            if self.send(next()).is_err() || self.is_closed() {
                return;
            }
        }
        panic!("the endpoint never closed the connection");
    }

    /// Returns whether there are unread bytes, or the endpoint has closed.
    pub fn has_response(&self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        let peeked = self.0.peek(&mut [0]);
        self.0.set_nonblocking(false).unwrap();
        !peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Returns whether the endpoint has closed, discarding unread bytes.
    pub fn is_closed(&self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        let mut buffer = [0; 16 * 1024];
        let closed = loop {
            match (&self.0).read(&mut buffer) {
                Ok(0) => break true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break false,
                Err(_) => break true,
            }
        };
        self.0.set_nonblocking(false).unwrap();
        closed
    }

    /// Performs the RTMP handshake and requests to publish.
    pub fn request_publish(&self, app: &str, tc_url: &str, stream: &str) -> ClientSession {
        let mut session = ClientSession::new(app, tc_url, stream);
        let mut buffer = [0; 16 * 1024];
        while *session.state() == osslive_local::rtmp::ClientState::Connecting {
            self.send(session.take_output()).unwrap();
            match (&self.0).read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(count) => session.receive(&buffer[..count]).unwrap(),
            }
        }
        session
    }
}

fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), ConnectionReset | ConnectionAborted | BrokenPipe)
}

/// An HTTP response.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Response {
    pub fn parse(bytes: &[u8]) -> Response {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Response {
            status: status.unwrap_or_else(|| panic!("no response: {text:?}")),
            head: head.to_owned(),
            body: body.as_bytes().to_vec(),
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the code of an error document; empty for other bodies.
    pub fn code(&self) -> String {
        let text = self.text();
        let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
        code.map(|(code, _)| code.to_owned()).unwrap_or_default()
    }
}
