//! The service behind HTTP.

use super::{Body, Request, Response, Service, too_large};
use crate::fault::Fault;
use axum::Router;
use axum::body::Body as HttpBody;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request};
use hyper::body::{Body as _, Bytes, Frame, SizeHint};
use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

/// How long a client may pause within a body.
const BODY_PAUSE: Duration = Duration::from_secs(30);
/// How much of a file is read at a time.
const BLOCK: u64 = 64 << 10;

/// The service as an HTTP application, for any method and path. A request's
/// extension of type `SocketAddr` is taken for its sender.
pub fn router(service: Arc<Service>) -> Router {
    Router::new().fallback(move |request: axum::extract::Request| {
        let service = Arc::clone(&service);
        async move { handle(service, request).await }
    })
}

async fn handle(
    service: Arc<Service>,
    request: axum::extract::Request,
) -> axum::response::Response {
    let (head, body) = request.into_parts();
    let mut request = read_head(&head);
    let limit = service.body_limit(&request);
    let collected = collect(body, limit).await;
    let work = spawn_blocking(move || match collected {
        Ok(body) => {
            request.body = body;
            service.respond(&request)
        }
        Err(fault) => service.refuse(&request, fault),
    });
    match work.await {
        Ok(response) => write(response),
        Err(_) => {
            let mut response = axum::response::Response::new(HttpBody::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
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
    }
}

/// Each header once, repeated values joined as RFC 9110 section 5.3 has it.
fn read_headers(map: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).trim().to_owned();
    let values = |name| map.get_all(name).iter().map(text).collect::<Vec<_>>().join(",");
    map.keys().map(|name| (name.as_str().to_owned(), values(name))).collect()
}

/// Receives a body of at most `limit` bytes.
async fn collect(body: HttpBody, limit: usize) -> Result<Vec<u8>, Fault> {
    // Refused before it is sent, where the client waits for 100 Continue.
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let mut body = pin!(body);
    let mut bytes = Vec::new();
    loop {
        let frame = timeout(BODY_PAUSE, poll_fn(|context| body.as_mut().poll_frame(context))).await;
        let incomplete = || {
            const MESSAGE: &str = "Your socket connection to the server was not read from or \
                                   written to within the timeout period.";
            Fault::new(400, "RequestTimeout", MESSAGE)
        };
        match frame.map_err(|_| incomplete())? {
            None => return Ok(bytes),
            Some(frame) => {
                let data = frame.map_err(|_| incomplete())?.into_data().unwrap_or_default();
                if data.len() > limit - bytes.len() {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&data);
            }
        }
    }
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
