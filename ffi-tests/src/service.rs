//! The local endpoint with a live channel, and servers that misbehave.

use crate::program::Run;
use crate::tls::TlsServer;
use osslive::{ChannelConfig, Client, RtmpUrlOptions, StreamState};
use osslive_local::push::{self, PushOptions};
use osslive_local::{Config, LocalEndpoint};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const CLIP: &[u8] = include_bytes!("../../cli/assets/clip.flv");

/// A response that is HTTP, but neither the service's nor XML.
const GARBAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnot XML\r\n";

/// The servers that the programs use. They stop when this is dropped.
pub struct Service {
    endpoint: LocalEndpoint,
    silent: TcpListener,
    garbage: String,
    refused: String,
    tls: TlsServer,
    is_over: Arc<AtomicBool>,
    publisher: Option<JoinHandle<()>>,
}

impl Service {
    /// A temporary access key that the endpoint accepts, with its token.
    pub const TEMPORARY_KEY: (&str, &str, &str) = ("STS.key", "temporary-secret", "token/+=");

    /// Starts an endpoint with the channel `on-air`, which is live and has a
    /// finished session.
    pub fn start() -> Self {
        let (id, secret, token) = Self::TEMPORARY_KEY;
        let config = Config::temporary().temporary_key(id, secret, token);
        let endpoint = LocalEndpoint::start(config).expect("an endpoint");
        let client = endpoint.client_builder().build().expect("a client");
        client.put_channel("on-air", &ChannelConfig::new("On air").frag_duration(1)).expect("put");
        let url = client.get_rtmp_url("on-air", &RtmpUrlOptions::new()).expect("a URL");
        push::push_flv(&url, CLIP, PushOptions::default(), &mut |_| true).expect("a session");

        let is_over = Arc::new(AtomicBool::new(false));
        let publisher = publish(url, is_over.clone());
        wait_until_live(&client);
        Service {
            endpoint,
            silent: listen(),
            garbage: serve_garbage(),
            refused: format!("http://{}", listen().local_addr().expect("an address")),
            tls: TlsServer::start(),
            is_over,
            publisher: Some(publisher),
        }
    }

    /// Returns the endpoint's URL.
    pub fn url(&self) -> String {
        self.endpoint.url()
    }

    /// Returns a client of the endpoint.
    pub fn client(&self) -> Client {
        self.endpoint.client_builder().build().expect("a client")
    }

    /// Points a program's environment at the service.
    pub fn with_environment(&self, run: Run) -> Run {
        let silent = self.silent.local_addr().expect("an address");
        let (id, secret, token) = Self::TEMPORARY_KEY;
        run.env("OSS_ENDPOINT", self.url())
            .env("OSS_REGION", "cn-hangzhou")
            .env("OSS_BUCKET", Config::BUCKET)
            .env("OSS_ACCESS_KEY_ID", Config::ACCESS_KEY_ID)
            .env("OSS_ACCESS_KEY_SECRET", Config::ACCESS_KEY_SECRET)
            .env("TEMPORARY_ID", id)
            .env("TEMPORARY_SECRET", secret)
            .env("TEMPORARY_TOKEN", token)
            .env("SILENT_ENDPOINT", format!("http://{silent}"))
            .env("GARBAGE_ENDPOINT", &self.garbage)
            .env("REFUSED_ENDPOINT", &self.refused)
            .env("TLS_ENDPOINT", &self.tls.url)
            .env("TLS_ROOTS", &self.tls.roots)
    }

    /// Prepares a program with the service in its environment.
    pub fn run(&self, program: &Path) -> Run {
        self.with_environment(Run::program(program))
    }

    /// The same under valgrind.
    pub fn run_under_valgrind(&self, program: &Path) -> Run {
        self.with_environment(Run::under_valgrind(program))
    }
}

impl Service {
    /// Runs a program to its end, which must be a success, and publishes to the URL
    /// that it prints. Returns its output.
    pub fn publish_to_printed_url(&self, run: Run) -> String {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut publisher = None;
        let outcome = run.outcome_with(|line| {
            if let Some(at) = line.find("rtmp://") {
                publisher = Some(publish(line[at..].to_owned(), is_over.clone()));
            }
        });
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(outcome.status, Some(0), "{}{}", outcome.stdout, outcome.stderr);
        publisher.expect("a URL in its output").join().expect("a publisher");
        outcome.stdout
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let ended = self.publisher.take().map(JoinHandle::join);
        if !thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "the publisher was disconnected");
        }
    }
}

/// Publishes the clip in a loop, like an encoder, until it is stopped.
fn publish(url: String, is_over: Arc<AtomicBool>) -> JoinHandle<()> {
    thread::spawn(move || {
        let options = PushOptions { duration: Some(Duration::from_secs(600)), real_time: true };
        let mut goes_on = |_| !is_over.load(Ordering::Relaxed);
        let pushed = push::push_flv(&url, CLIP, options, &mut goes_on);
        assert!(pushed.is_ok(), "{pushed:?}");
    })
}

fn wait_until_live(client: &Client) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let status = client.get_channel_status("on-air").expect("a status");
        if status.status == StreamState::Live && status.video.is_some() {
            return;
        }
        assert!(Instant::now() < deadline, "the channel did not go live");
        thread::sleep(Duration::from_millis(20));
    }
}

fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a free port")
}

/// Starts a server that responds to every request with the same nonsense.
fn serve_garbage() -> String {
    serve(GARBAGE.to_vec())
}

/// Starts a server that responds to every request with the same XML. Returns its
/// URL.
pub fn serve_xml(body: &str) -> String {
    let length = body.len();
    serve(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes())
}

fn serve(response: Vec<u8>) -> String {
    let listener = listen();
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let response: Arc<[u8]> = response.into();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let response = response.clone();
            thread::spawn(move || respond(stream, &response));
        }
    });
    url
}

fn respond(mut stream: TcpStream, response: &[u8]) {
    let mut request = [0; 65536];
    while stream.read(&mut request).is_ok_and(|n| n > 0) {
        if stream.write_all(response).is_err() {
            return;
        }
    }
}
