//! Serves metrics over HTTP to untrusted scrapers.

use super::metrics::{Exposition, Metrics};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

/// The maximum number of scrapers at a time; others wait.
const MOST_CONNECTIONS: usize = 16;
/// The time limit for a scraper's request and the response.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum size of a request.
const LONGEST_REQUEST: usize = 16 << 10;
/// The size of the parts in which metrics are sent.
const PART: usize = 32 << 10;
/// How long to wait if the system has run out of sockets.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves metrics until the process ends. Returns the address, which already
/// accepts connections.
pub(super) fn start(address: SocketAddr, metrics: Arc<Metrics>) -> io::Result<SocketAddr> {
    start_with(address, metrics, TIMEOUT)
}

fn start_with(
    address: SocketAddr,
    metrics: Arc<Metrics>,
    limit: Duration,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(MOST_CONNECTIONS)
        .build()?;
    let listener = {
        let _inside = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let serve = move || runtime.block_on(accept(listener, metrics, limit));
    thread::Builder::new().name("metrics".into()).spawn(serve)?;
    Ok(address)
}

async fn accept(listener: tokio::net::TcpListener, metrics: Arc<Metrics>, limit: Duration) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let metrics = metrics.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let metrics = metrics.clone();
                async move { Ok::<_, Infallible>(respond(&request, metrics)) }
            });
            let mut server = http1::Builder::new();
            // One request per connection, so that idle ones do not occupy a slot.
            server.keep_alive(false).max_buf_size(LONGEST_REQUEST).timer(TokioTimer::new());
            let connection = server.serve_connection(TokioIo::new(stream), service);
            // A scraper's mistakes affect nobody else.
            let _ = timeout(limit, connection).await;
            drop(place);
        });
    }
}

fn respond<B>(request: &Request<B>, metrics: Arc<Metrics>) -> Response<Parts> {
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    let say = |status, text: &'static str| {
        let mut response = Response::new(Parts::Whole(Some(Bytes::from_static(text.as_bytes()))));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, plain.clone());
        response
    };
    let is_head = request.method() == Method::HEAD;
    match request.uri().path() {
        "/metrics" | "/healthz" if !is_head && request.method() != Method::GET => {
            let mut response = say(StatusCode::METHOD_NOT_ALLOWED, "use GET\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        }
        "/metrics" => {
            let exposition = wanted(request);
            let body = if is_head { Parts::Whole(None) } else { parts(metrics, exposition) };
            let mut response = Response::new(body);
            let content_type = HeaderValue::from_static(exposition.content_type());
            response.headers_mut().insert(CONTENT_TYPE, content_type);
            response
        }
        "/healthz" => say(StatusCode::OK, "ok\n"),
        _ => say(StatusCode::NOT_FOUND, "metrics are at /metrics\n"),
    }
}

/// OpenMetrics for those that accept it, as Prometheus does.
fn wanted<B>(request: &Request<B>) -> Exposition {
    let accepts = request.headers().get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    match accepts.into_iter().any(|value| value.contains("application/openmetrics-text")) {
        true => Exposition::OpenMetrics,
        false => Exposition::Text,
    }
}

/// Writes metrics on a separate thread, a few parts ahead of the scraper: for
/// thousands of channels, they are megabytes, which are never in memory at once.
fn parts(metrics: Arc<Metrics>, exposition: Exposition) -> Parts {
    let (sender, parts) = mpsc::channel(1);
    spawn_blocking(move || {
        let mut writer = PartWriter { part: String::with_capacity(PART), sender };
        // An error means that the scraper has disconnected.
        let _ = metrics.write(&mut writer, exposition).and_then(|()| writer.flush());
    });
    Parts::Stream(parts)
}

struct PartWriter {
    part: String,
    sender: mpsc::Sender<Bytes>,
}

impl PartWriter {
    fn flush(&mut self) -> fmt::Result {
        let part = std::mem::replace(&mut self.part, String::with_capacity(PART));
        self.sender.blocking_send(part.into()).map_err(|_| fmt::Error)
    }
}

impl fmt::Write for PartWriter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.part.len() + text.len() > PART {
            self.flush()?;
        }
        self.part.push_str(text);
        Ok(())
    }
}

/// The body of a response.
enum Parts {
    Whole(Option<Bytes>),
    Stream(mpsc::Receiver<Bytes>),
}

impl Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let part = match self.get_mut() {
            Parts::Whole(bytes) => Poll::Ready(bytes.take()),
            Parts::Stream(parts) => parts.poll_recv(context),
        };
        part.map(|part| part.map(|part| Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Parts::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Parts::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64)
            }
            Parts::Stream(_) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::outbox::Outbox;
    use super::*;
    use crate::log::{Format, Log};
    use osslive::Sweep;
    use serde_json::json;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    const LONG: Duration = Duration::from_secs(60);

    fn server(channels: usize) -> SocketAddr {
        let outbox = Outbox::new(Vec::new(), Log::new(Format::None, None));
        let metrics = Metrics::new("live-demo", Arc::new(outbox), Arc::default());
        let res = json!({ "status": 200, "elapsedMs": 1.0, "attempts": 1 });
        let idle: Vec<_> = (0..channels)
            .map(|n| json!({ "id": format!("channel-{n}"), "status": "Idle", "res": res }))
            .collect();
        let sweep = json!({
            "live": [], "idle": idle, "disabled": [], "failed": [], "total": channels,
        });
        metrics.update(&serde_json::from_value::<Sweep>(sweep).unwrap(), Duration::ZERO);
        let limit = Duration::from_secs(2);
        start_with("127.0.0.1:0".parse().unwrap(), Arc::new(metrics), limit).unwrap()
    }

    /// Sends these bytes, and returns the server's response.
    fn exchange(address: SocketAddr, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let _ = stream.write_all(request);
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response);
        String::from_utf8_lossy(&response).into_owned()
    }

    fn ask(address: SocketAddr, line: &str, headers: &str) -> String {
        let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        exchange(address, request.as_bytes())
    }

    #[test]
    fn a_scraper_gets_the_format_that_it_requests() {
        let address = server(1);
        let old = ask(address, "GET /metrics", "Accept: text/plain\r\n");
        assert!(old.starts_with("HTTP/1.1 200 OK\r\n") && old.contains("version=0.0.4"), "{old}");
        let accept = "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n";
        let new = ask(address, "GET /metrics?x=y", accept);
        assert!(new.contains("application/openmetrics-text; version=1.0.0"), "{new}");
        assert!(new.contains("# EOF\n"), "{new}");
    }

    #[test]
    fn other_paths_methods_and_bytes_are_rejected() {
        let address = server(1);
        for (line, status) in [
            ("GET /healthz", "200 OK"),
            ("HEAD /metrics", "200 OK"),
            ("GET /", "404 Not Found"),
            ("GET /metrics/..", "404 Not Found"),
            ("POST /metrics", "405 Method Not Allowed"),
            ("DELETE /healthz", "405 Method Not Allowed"),
        ] {
            let response = ask(address, line, "");
            assert!(response.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{line}: {response}");
        }
        let long = format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
        for broken in [&b"\0\xff\x16\x03\x01\r\n\r\n"[..], b"GET\r\n\r\n", long.as_bytes()] {
            let response = exchange(address, broken);
            assert!(!response.contains("200 OK"), "{response}");
        }
        assert!(ask(address, "GET /healthz", "").ends_with("ok\n"), "it still serves");
    }

    #[test]
    fn stalled_scrapers_hold_up_others_only_briefly() {
        let address = server(5000);
        let request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let mut slow: Vec<TcpStream> = Vec::new();
        for number in 0..MOST_CONNECTIONS * 2 {
            let mut stream = TcpStream::connect(address).unwrap();
            // Some do not even finish their requests.
            let _ = stream.write_all(if number % 2 == 0 { request } else { &request[..20] });
            slow.push(stream);
        }
        // Responses in HTTP/1.0 are not chunked.
        let response = exchange(address, b"GET /metrics HTTP/1.0\r\n\r\n");
        let channels = response.matches("osslive_channel_live{").count();
        assert_eq!(channels, 5000, "every part arrived");
    }

    #[test]
    fn a_port_in_use_is_an_error() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let outbox = Outbox::new(Vec::new(), Log::new(Format::None, None));
        let metrics = Arc::new(Metrics::new("live-demo", Arc::new(outbox), Arc::default()));
        let error = start(taken.local_addr().unwrap(), metrics).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
