//! The HTTP server in front of the front ends.

use crate::api;
use crate::budget::{Budget, Share};
use crate::control::{AppliedRule, Control, Disconnect};
use crate::fault::Fault;
use crate::front_ends::FrontEnds;
use crate::http::framing::Verdicts;
use crate::http::outgoing::{Outgoing, Slow};
use crate::http::raw::{self, Raw};
use crate::http::write_timeout::Allowance;
use crate::http::{Body, Request, Response};
use crate::limits::PeerLimits;
use crate::workers::Workers;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{StatusCode, Version};
use socket2::Socket;
use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout_at};

/// How long the client may pause in a refused body before it is disconnected.
const LINGER: Duration = Duration::from_secs(2);
/// How long a client has to read what was sent before a reset. On Windows a reset
/// discards what has arrived but was not read yet.
const BEFORE_RESET: Duration = Duration::from_millis(if cfg!(windows) { 500 } else { 0 });
/// The polling interval at which hanging connections notice their release.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// How much of each response does not count against the shared budget.
const SMALL: usize = 16 << 10;

/// The front ends as an HTTP application, for any method and path.
pub(crate) struct Application {
    front_ends: Arc<FrontEnds>,
    workers: Arc<Workers>,
    limits: PeerLimits,
    /// The budget of all request bodies, beyond the allowance of each for a small
    /// document.
    uploads: Budget,
    /// The budget of all responses, beyond the allowance of each.
    answers: Budget,
}

impl Application {
    pub(crate) fn new(
        front_ends: Arc<FrontEnds>,
        limits: &PeerLimits,
        workers: Arc<Workers>,
    ) -> Self {
        Application {
            front_ends,
            workers,
            limits: *limits,
            uploads: Budget::new(limits.uploads),
            answers: Budget::new(limits.answers),
        }
    }

    /// Handles a request. Its extension of type `SocketAddr` is the client.
    ///
    /// # Errors
    ///
    /// The connection must be closed without a response, as a fault rule says.
    pub(crate) async fn handle<B: Incoming>(
        &self,
        request: hyper::Request<B>,
    ) -> Result<hyper::Response<Outgoing>, Broken> {
        let (head, mut body) = request.into_parts();
        let request = read_head(&head);
        if let Some(Err(fault)) = head.extensions.get::<Verdicts>().map(Verdicts::take) {
            let response = self.front_ends.service.reject(request.peer, fault);
            return Ok(closing(self.write(response, self.answers.share())));
        }
        let screened = self.front_ends.screen(&request);
        let collected = match screened.map(|()| self.front_ends.body_limit(&request)) {
            Ok(Some(limit)) => self.collect(&mut body, limit).await,
            Ok(None) => Ok(Received::empty(&self.uploads)),
            Err(fault) => Err(fault),
        };
        if collected.as_ref().is_err_and(|fault| leaves_rest(fault, &head.headers)) {
            tokio::spawn(drain(body, self.limits.pause));
        }
        let response = match self.respond(request, collected).await {
            Ok((response, share)) => match response.applied.clone() {
                Some(applied) => {
                    let connection = head.extensions.get::<Arc<Socket>>();
                    self.disrupt(&applied, connection, response, share).await?
                }
                None => self.write(response, share),
            },
            Err(_) => {
                let mut response = hyper::Response::new(Outgoing::Empty);
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                response
            }
        };
        // The end of a chunked body is not tracked: see `framing`.
        let is_last = head.headers.contains_key(header::TRANSFER_ENCODING);
        Ok(if is_last { closing(response) } else { response })
    }

    /// Sends a response as a fault rule says.
    async fn disrupt(
        &self,
        applied: &AppliedRule,
        connection: Option<&Arc<Socket>>,
        response: Response,
        share: Share,
    ) -> Result<hyper::Response<Outgoing>, Broken> {
        let (rule, control) = (&*applied.rule, self.front_ends.control.control());
        if let Some(ms) = rule.latency_ms {
            wait(control, applied, Some(Duration::from_millis(ms))).await;
        }
        if let (Some(raw), Some(connection)) = (rule.raw_bytes(), connection) {
            let is_over = || control.is_none_or(|control| control.is_released(applied));
            let raw = Raw {
                bytes: &raw,
                endless: rule.endless.as_deref(),
                bytes_per_second: rule.bytes_per_second,
            };
            raw::send(connection, raw, is_over).await;
            if rule.disconnect == Some(Disconnect::Reset) {
                wait(control, applied, Some(BEFORE_RESET)).await;
            }
            return Err(self.hang_up(applied, rule.disconnect.unwrap_or(Disconnect::Close)).await);
        }
        if let Some(disconnect) = rule.disconnect {
            return Err(self.hang_up(applied, disconnect).await);
        }
        let response = self.write(response, share);
        if rule.bytes_per_second.is_none() && rule.cut_after_bytes.is_none() {
            return Ok(response);
        }
        let slow = |body| {
            Outgoing::Slow(Box::new(Slow::new(body, rule.bytes_per_second, rule.cut_after_bytes)))
        };
        Ok(response.map(slow))
    }

    /// Returns how to end the connection, after the client had time to read.
    async fn hang_up(&self, applied: &AppliedRule, how: Disconnect) -> Broken {
        if how == Disconnect::Hang {
            wait(self.front_ends.control.control(), applied, None).await;
        }
        Broken { is_reset: how == Disconnect::Reset }
    }

    /// Handles the request on a worker, and reserves memory for the response.
    fn respond(
        &self,
        mut request: Request,
        collected: Result<Received, Fault>,
    ) -> oneshot::Receiver<(Response, Share)> {
        let (front_ends, mut share) = (Arc::clone(&self.front_ends), self.answers.share());
        self.workers.run(move || {
            let response = match collected {
                Ok(received) => {
                    request.body = received.bytes;
                    front_ends.respond(&request)
                }
                Err(fault) => front_ends.service.refuse(&request, fault),
            };
            let is_room = match &response.body {
                Body::Bytes(bytes) => share.grow(bytes.capacity().saturating_sub(SMALL)),
                Body::Empty | Body::File { .. } | Body::Stream { .. } => true,
            };
            if is_room { (response, share) } else { (front_ends.service.busy(&request), share) }
        })
    }

    /// Receives a body of at most `limit` bytes.
    async fn collect<B: Incoming>(&self, body: &mut B, limit: usize) -> Result<Received, Fault> {
        // Refused before it is sent, if the client waits for 100 Continue.
        if body.size_hint().lower() > limit as u64 {
            return Err(api::too_large());
        }
        let mut received = Received::empty(&self.uploads);
        let mut allowance = Allowance::new(&self.limits);
        loop {
            let started = Instant::now();
            let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context));
            let frame = timeout_at(started + allowance.left(), frame).await;
            let Some(frame) = frame.map_err(|_| incomplete())? else { return Ok(received) };
            let data = frame.map_err(|_| incomplete())?.into_data().unwrap_or_default();
            allowance.spend(started.elapsed());
            allowance.earn(data.len());
            if data.len() > limit - received.bytes.len() {
                return Err(api::too_large());
            }
            received.add(&data)?;
        }
    }

    fn write(&self, response: Response, share: Share) -> hyper::Response<Outgoing> {
        let body = Outgoing::new(response.body, share, &self.workers);
        let mut written = hyper::Response::new(body);
        *written.status_mut() =
            StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in response.headers {
            // Values that came from a client may be invalid: they are omitted.
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(&*name), HeaderValue::try_from(value))
            {
                written.headers_mut().insert(name, value);
            }
        }
        written
    }
}

/// A connection that ends without a response, as a fault rule says.
#[derive(Debug)]
pub(crate) struct Broken {
    /// Whether it is reset rather than closed.
    pub(crate) is_reset: bool,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection ended by a fault rule")
    }
}

impl std::error::Error for Broken {}

/// Waits, at most until hanging connections are released.
async fn wait(control: Option<&Control>, applied: &AppliedRule, time: Option<Duration>) {
    let Some(control) = control else { return };
    let due = time.map(|time| Instant::now() + time);
    while !control.is_released(applied) && due.is_none_or(|due| Instant::now() < due) {
        let left = due.map_or(POLL_INTERVAL, |due| due - Instant::now());
        sleep(left.min(POLL_INTERVAL)).await;
    }
}

/// Marks a response as the last of its connection.
fn closing(mut response: hyper::Response<Outgoing>) -> hyper::Response<Outgoing> {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Returns whether to read the rest of a refused body: a client that waits for
/// 100 Continue sends none, and one that is too slow is not waited for.
fn leaves_rest(fault: &Fault, headers: &HeaderMap) -> bool {
    fault.code != incomplete().code && !headers.contains_key(header::EXPECT)
}

/// Reads the rest of a refused body, so that the client can read the response:
/// closing with unread bytes would reset the connection. It stops at the largest
/// body that is ever accepted, at the deadline and after a pause.
async fn drain<B: Incoming>(mut body: B, time: Duration) {
    let (due, mut left) = (Instant::now() + time, api::MAX_BODY);
    while left > 0 {
        let due = due.min(Instant::now() + LINGER);
        let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        let Ok(Some(Ok(frame))) = timeout_at(due, frame).await else { return };
        left = left.saturating_sub(frame.data_ref().map_or(1, Bytes::len));
    }
}

/// The body of a request, from a connection or a test.
pub(crate) trait Incoming: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static {}

impl<B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static> Incoming for B {}

/// A body, with its share of the budget.
struct Received {
    bytes: Vec<u8>,
    share: Share,
}

fn read_head(head: &Parts) -> Request {
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
        peer: head.extensions.get::<SocketAddr>().copied(),
        is_http_1_0: head.version == Version::HTTP_10,
    }
}

/// Returns each header once, with repeated values joined as in RFC 9110 section 5.3.
fn read_headers(map: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).trim().to_owned();
    let values = |name| map.get_all(name).iter().map(text).collect::<Vec<_>>().join(",");
    map.keys().map(|name| (name.as_str().to_owned(), values(name))).collect()
}

impl Received {
    fn empty(budget: &Budget) -> Self {
        Received { bytes: Vec::new(), share: budget.share() }
    }

    /// Adds bytes to the body, if the budget allows it.
    fn add(&mut self, data: &[u8]) -> Result<(), Fault> {
        const MESSAGE: &str = "Too many uploads in progress. Please reduce your request rate.";
        let beyond = |length: usize| length.saturating_sub(api::MAX_DOCUMENT);
        let length = self.bytes.len();
        let more = beyond(length + data.len()) - beyond(length);
        if !self.share.grow(more) || self.bytes.try_reserve(data.len()).is_err() {
            return Err(Fault::new(503, "ServiceUnavailable", MESSAGE));
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }
}

fn incomplete() -> Fault {
    const MESSAGE: &str = "Your socket connection to the server was not read from or written to \
                           within the timeout period.";
    Fault::new(400, "RequestTimeout", MESSAGE)
}
