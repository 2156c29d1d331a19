//! The service behind HTTP.

use super::{Body, Request, Response, Service, operation, too_large};
use crate::fault::Fault;
use crate::limits::PeerLimits;
use axum::Router;
use axum::body::Body as HttpBody;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header, request};
use hyper::body::{Body as _, Bytes, Frame, SizeHint};
use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout_at};

/// How many bytes of a body must arrive in a second, on the whole.
const SLOWEST: u64 = 4096;
/// How much of a file is read at a time.
const BLOCK: u64 = 64 << 10;

/// The service as an HTTP application, for any method and path. A request's
/// extension of type `SocketAddr` is taken for its sender.
pub fn router(service: Arc<Service>, limits: &PeerLimits) -> Router {
    let intake = Arc::new(Intake {
        pause: limits.pause,
        room: Arc::new(Semaphore::new(limits.uploads.min(Semaphore::MAX_PERMITS))),
    });
    Router::new().fallback(move |request: axum::extract::Request| {
        let (service, intake) = (Arc::clone(&service), Arc::clone(&intake));
        async move { handle(service, intake, request).await }
    })
}

async fn handle(
    service: Arc<Service>,
    intake: Arc<Intake>,
    request: axum::extract::Request,
) -> axum::response::Response {
    let (head, body) = request.into_parts();
    let mut request = read_head(&head);
    let clear = only_once(&head.headers);
    let is_ambiguous = clear.is_err();
    let screened = clear.and_then(|()| service.screen(&request));
    let collected = match screened.map(|()| service.body_limit(&request)) {
        Ok(Some(limit)) => intake.collect(body, limit).await,
        Ok(None) => Ok(Received::default()),
        Err(fault) => Err(fault),
    };
    let work = spawn_blocking(move || match collected {
        Ok(Received { bytes, .. }) => {
            request.body = bytes;
            service.respond(&request)
        }
        Err(fault) => service.refuse(&request, fault),
    });
    let mut response = match work.await {
        Ok(response) => write(response),
        Err(_) => {
            let mut response = axum::response::Response::new(HttpBody::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    };
    if is_ambiguous {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn read_head(head: &request::Parts) -> Request {
    let authority = head.uri.authority().map(|authority| authority.as_str().to_owned());
    let headers = read_headers(&head.headers);
    let host = || headers.iter().find(|(name, _)| name == "host").map(|(_, value)| value.clone());
    Request {
        method: head.method.as_str().to_owned(),
        host: authority.or_else(host).unwrap_or_default(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: Vec::new(),
        peer: head.extensions.get::<SocketAddr>().map(SocketAddr::ip),
        is_http_1_0: head.version == Version::HTTP_10,
    }
}

/// Each header once, repeated values joined as RFC 9110 section 5.3 has it.
fn read_headers(map: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).trim().to_owned();
    let values = |name| map.get_all(name).iter().map(text).collect::<Vec<_>>().join(",");
    map.keys().map(|name| (name.as_str().to_owned(), values(name))).collect()
}

/// Refuses a request that could be read in two ways: what stands in front of
/// this endpoint might have chosen the other.
fn only_once(map: &HeaderMap) -> Result<(), Fault> {
    const ONCE: &[&str] = &["host", "authorization", "date", "x-oss-date", "x-oss-security-token"];
    match ONCE.iter().find(|name| map.get_all(**name).iter().count() > 1) {
        Some(name) => {
            let message = format!("The header {name} must not be given twice.");
            Err(Fault::new(400, "InvalidArgument", message))
        }
        None => Ok(()),
    }
}

/// Where bodies are received.
struct Intake {
    pause: Duration,
    /// The bytes that bodies may take together, beyond what each small
    /// document has for itself.
    room: Arc<Semaphore>,
}

/// A body, with the room it takes.
#[derive(Default)]
struct Received {
    bytes: Vec<u8>,
    room: Option<OwnedSemaphorePermit>,
}

impl Intake {
    /// Receives a body of at most `limit` bytes.
    async fn collect(&self, body: HttpBody, limit: usize) -> Result<Received, Fault> {
        // Refused before it is sent, where the client waits for 100 Continue.
        if body.size_hint().lower() > limit as u64 {
            return Err(too_large());
        }
        let started = Instant::now();
        let mut body = pin!(body);
        let mut received = Received::default();
        loop {
            let earned = Duration::from_secs(received.bytes.len() as u64 / SLOWEST);
            let due = (Instant::now() + self.pause).min(started + self.pause + earned);
            let frame = poll_fn(|context| body.as_mut().poll_frame(context));
            let frame = timeout_at(due, frame).await.map_err(|_| incomplete())?;
            let Some(frame) = frame else { return Ok(received) };
            let data = frame.map_err(|_| incomplete())?.into_data().unwrap_or_default();
            if data.len() > limit - received.bytes.len() {
                return Err(too_large());
            }
            self.make_room(&mut received, data.len())?;
            received.bytes.extend_from_slice(&data);
        }
    }

    /// Takes room for `more` bytes, if it is there: waiting for it would tie
    /// up one peer for another's slowness.
    fn make_room(&self, received: &mut Received, more: usize) -> Result<(), Fault> {
        let beyond = |length: usize| length.saturating_sub(operation::MAX_DOCUMENT);
        let length = received.bytes.len();
        let needed = u32::try_from(beyond(length + more) - beyond(length)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).try_acquire_many_owned(needed).map_err(|_| {
            const MESSAGE: &str =
                "Too many uploads are under way. Please reduce your request rate.";
            Fault::new(503, "ServiceUnavailable", MESSAGE)
        })?;
        match &mut received.room {
            Some(taken) => taken.merge(room),
            none => *none = Some(room),
        }
        Ok(())
    }
}

fn incomplete() -> Fault {
    const MESSAGE: &str = "Your socket connection to the server was not read from or written to \
                           within the timeout period.";
    Fault::new(400, "RequestTimeout", MESSAGE)
}

fn write(response: Response) -> axum::response::Response {
    let body = match response.body {
        Body::Empty => HttpBody::empty(),
        Body::Bytes(bytes) => HttpBody::from(bytes),
        Body::File { file, offset, length } => HttpBody::new(FileBody::new(file, offset, length)),
    };
    let mut written = axum::response::Response::new(body);
    *written.status_mut() =
        StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        // What came from a client may be no header value: it is left out.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            written.headers_mut().insert(name, value);
        }
    }
    written
}

/// A part of a file, read block by block on blocking threads: a client that
/// pauses holds none of them.
struct FileBody {
    read: Option<JoinHandle<(File, io::Result<Vec<u8>>)>>,
    remaining: u64,
}

impl FileBody {
    fn new(mut file: File, offset: u64, length: u64) -> Self {
        let read = (length > 0).then(|| {
            spawn_blocking(move || {
                let block = file.seek(SeekFrom::Start(offset)).map(|_| ());
                let block = block.and_then(|()| read_block(&mut file, length));
                (file, block)
            })
        });
        FileBody { read, remaining: length }
    }
}

fn read_block(file: &mut File, remaining: u64) -> io::Result<Vec<u8>> {
    let length = remaining.min(BLOCK);
    let mut block = Vec::with_capacity(length as usize);
    file.take(length).read_to_end(&mut block)?;
    // A file cut short meanwhile must not look like the end of the object.
    if block.len() as u64 == length { Ok(block) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

impl hyper::body::Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Some(read) = &mut self.read else { return Poll::Ready(None) };
        let result = ready!(Pin::new(read).poll(context));
        self.read = None;
        let (mut file, block) = result.map_err(io::Error::other)?;
        let block = block?;
        self.remaining = self.remaining.saturating_sub(block.len() as u64);
        if self.remaining > 0 {
            let remaining = self.remaining;
            self.read = Some(spawn_blocking(move || {
                let block = read_block(&mut file, remaining);
                (file, block)
            }));
        }
        Poll::Ready(Some(Ok(Frame::data(block.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}
