//! Sends a signed request over HTTP and receives the response: the only user of ureq.

use crate::error::{Error, ErrorKind, Result, code};
use crate::operation::Reply;
use crate::request::{Body, Method};
use crate::stop::Stop;
use bytes::Bytes;
use connect::{CachingResolver, Names, StoppableConnector};
use describe::Parties;
use proxy::Proxy;
use std::env;
use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};
use ureq::http;
use zeroize::Zeroizing;

mod absolute;
mod connect;
mod connection;
mod describe;
mod proxy;
mod race;
#[cfg(any(feature = "tls", feature = "native-tls"))]
mod roots;

#[cfg(feature = "fuzzing")]
pub use proxy::ChosenProxy;
pub(crate) use proxy::ProxyChoice;

/// The size limit for responses. A list of 1,000 channels takes half a
/// megabyte.
const MAX_REPLY: u64 = 4 * 1024 * 1024;
/// The buffer size of a connection in each direction.
const BUFFER: usize = 16 * 1024;
/// The number of bytes of a body to read at once.
const PART: usize = 4 * 1024;

/// How to reach a host.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// A URL of the host to which all requests are sent.
    pub(crate) origin: String,
    pub(crate) connect_timeout: Duration,
    pub(crate) pool_size: usize,
    pub(crate) user_agent: String,
    pub(crate) proxy: ProxyChoice,
    /// Certificates in PEM to trust instead of the default ones.
    pub(crate) roots: Option<Vec<u8>>,
}

/// A request as it is sent.
pub(crate) struct Outgoing<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a str,
    pub(crate) headers: &'a [(&'static str, String)],
    pub(crate) body: Option<&'a Body>,
    /// The timeout of the request.
    pub(crate) limit: Duration,
    /// The timeout of the response's head, once the request is sent.
    pub(crate) head_limit: Duration,
}

/// Receives the body of a successful response as it arrives.
pub(crate) trait Sink {
    /// Receives the head of the response.
    ///
    /// # Errors
    ///
    /// Any error ends the call without reading the body.
    fn begin(&mut self, head: &Reply) -> Result<()>;

    /// Receives the next bytes of the body.
    ///
    /// # Errors
    ///
    /// Any error ends the call.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;
}

/// A response with all of its headers.
pub(crate) struct Response {
    pub(crate) reply: Reply,
    headers: http::HeaderMap,
}

impl Response {
    /// Returns a header, unless it is missing or not a string.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A pool of connections, shared by clones.
#[derive(Clone)]
pub(crate) struct Transport {
    agent: ureq::Agent,
    names: Arc<Names>,
    stop: Arc<Stop>,
    proxy: Option<Proxy>,
}

impl Transport {
    /// Creates a pool whose waits `stop` interrupts.
    pub(crate) fn new(settings: Settings, stop: Arc<Stop>) -> Result<Self> {
        let (secure, host) = host_of(&settings.origin);
        let proxy = Proxy::choose(&settings.proxy, secure, host, |name| env::var(name).ok())?;
        let through = proxy.as_ref().map(Proxy::to_ureq).transpose()?;
        let names = Arc::new(Names::default());
        let resolver = CachingResolver { names: names.clone(), stop: stop.clone() };
        let connector = StoppableConnector::new(resolver.clone(), stop.clone());
        // ureq handles tunnels, but not requests to a proxy with absolute URLs.
        let connector = match &proxy {
            Some(proxy) if !secure && proxy.takes_urls() => {
                connector.with_proxy(proxy.clone(), config(&settings, None)?)
            }
            _ => connector,
        };
        let agent = ureq::Agent::with_parts(config(&settings, through)?, connector, resolver);
        Ok(Transport { agent, names, stop, proxy })
    }

    /// Returns host and port of the proxy in use.
    pub(crate) fn proxy(&self) -> Option<&str> {
        self.proxy.as_ref().map(Proxy::authority)
    }

    /// Returns the parts of that proxy to keep secret, including its password.
    pub(crate) fn proxy_secrets(&self) -> impl Iterator<Item = &str> {
        let proxy = self.proxy.iter();
        proxy.flat_map(|proxy| [proxy.password(), proxy.credentials()]).flatten()
    }

    /// Closes every connection, including those that calls are waiting for; these calls
    /// and all later ones end with [`ErrorKind::Stopped`].
    pub(crate) fn shutdown(&self) {
        // The switch comes first: a call that finds its connection closed checks
        // it to learn why.
        self.stop.stop();
        self.agent.clone().shutdown();
    }

    /// Sends a request and reads the whole response, within its timeouts. With a sink,
    /// the body of a successful response goes there, without a size limit.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Connection`], [`ErrorKind::Timeout`],
    /// [`ErrorKind::BadReply`] or [`ErrorKind::Stopped`], and those of the sink; a
    /// response is not an error here, whatever its status.
    pub(crate) fn send(
        &self,
        request: &Outgoing<'_>,
        sink: Option<&mut dyn Sink>,
    ) -> Result<Response> {
        let result = self.exchange(request, sink);
        // A response that ended because this side closed the connection may
        // look complete.
        if self.stop.is_stopped() { Err(Error::shut_down()) } else { result }
    }

    fn exchange(&self, request: &Outgoing<'_>, sink: Option<&mut dyn Sink>) -> Result<Response> {
        let mut response = self.run(request).map_err(|error| {
            self.names.forget(authority(request.url));
            self.proxy.iter().for_each(|proxy| self.names.forget(proxy.authority()));
            self.error_of(error, request.url)
        })?;
        let mut reply = reply_head(&response);
        if let (407, Some(proxy)) = (reply.status, self.proxy()) {
            let message = format!("the proxy {proxy} rejected the request: HTTP 407");
            let error = Error::new(ErrorKind::Connection, message);
            return Err(error.with_code(code::PROXY_FAILED).permanent());
        }
        let sink = sink.filter(|_| (200..300).contains(&reply.status));
        let body = reply_encoding(&response).and_then(|()| match sink {
            Some(sink) => {
                sink.begin(&with_object_headers(reply.clone(), &response))?;
                let mut write = |bytes: &[u8]| sink.write(bytes);
                self.read_body(response.body_mut(), u64::MAX, &mut write, request.url)
            }
            None => {
                let mut collect = |bytes: &[u8]| collect(bytes, &mut reply.body);
                self.read_body(response.body_mut(), MAX_REPLY, &mut collect, request.url)
            }
        });
        let found = |error: Error| {
            error.with_status(reply.status).with_request_id(reply.request_id.clone())
        };
        body.map_err(found)?;
        Ok(Response { reply, headers: std::mem::take(response.headers_mut()) })
    }

    /// Reads a whole body of at most `limit` bytes, piece by piece.
    fn read_body(
        &self,
        body: &mut ureq::Body,
        limit: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<()>,
        url: &str,
    ) -> Result<()> {
        let mut reader = body.with_config().limit(limit).reader();
        let mut part = [0; PART];
        loop {
            match reader.read(&mut part) {
                Ok(0) => return Ok(()),
                Ok(read) => take(&part[..read])?,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error_of(error.into(), url)),
            }
        }
    }

    fn error_of(&self, error: ureq::Error, url: &str) -> Error {
        let secure = url.starts_with("https://");
        Parties { host: authority(url), proxy: self.proxy(), secure }.describe(error)
    }

    fn run(&self, request: &Outgoing<'_>) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let mut builder = http::Request::builder().method(request.method.as_str()).uri(request.url);
        for (name, value) in request.headers {
            // Overwritten when it is dropped.
            let value = Bytes::from_owner(Zeroizing::new(value.clone().into_bytes()));
            let mut value =
                http::HeaderValue::from_maybe_shared(value).map_err(http::Error::from)?;
            value.set_sensitive(true);
            builder = builder.header(*name, value);
        }
        match (request.body, request.method) {
            (None, Method::Get | Method::Delete) => self.run_with(builder.body(())?, request),
            // The service requires a length for methods that may have a body.
            (body, _) => {
                let bytes = body.map_or(&[][..], |body| &body.bytes);
                self.run_with(builder.body(bytes)?, request)
            }
        }
    }

    fn run_with(
        &self,
        message: http::Request<impl ureq::AsSendBody>,
        request: &Outgoing<'_>,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let message = self
            .agent
            .configure_request(message)
            .timeout_global(Some(request.limit))
            .timeout_recv_response(Some(request.head_limit))
            .build();
        self.agent.run(message)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

/// Reads the head of a response.
fn reply_head(response: &http::Response<ureq::Body>) -> Reply {
    let header = |name: &str| {
        let value = response.headers().get(name)?.to_str().ok()?;
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    let is_chunked = response.version() != http::Version::HTTP_10
        && header("transfer-encoding")
            .is_some_and(|coding| coding.to_lowercase().contains("chunked"));
    Reply {
        status: response.status().as_u16(),
        request_id: header("x-oss-request-id"),
        ec: header("x-oss-ec"),
        retry_after: header("retry-after").and_then(|wait| wait_of(&wait, header("date"))),
        ends_with_connection: !is_chunked && response.body().content_length().is_none(),
        ..Reply::default()
    }
}

/// Adds the headers of an object.
fn with_object_headers(reply: Reply, response: &http::Response<ureq::Body>) -> Reply {
    let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.trim().to_owned());
    Reply {
        content_length: header("content-length").and_then(|length| length.parse().ok()),
        content_range: header("content-range"),
        etag: header("etag"),
        ..reply
    }
}

/// Appends to a body in memory. Memory is allocated as bytes arrive, whatever length
/// was announced, and running out of it is an error.
fn collect(bytes: &[u8], body: &mut Vec<u8>) -> Result<()> {
    body.try_reserve(bytes.len()).map_err(|error| {
        let so_far = body.len();
        Error::bad_reply(format!("out of memory after {so_far} bytes of the response"))
            .with_source(error)
    })?;
    body.extend_from_slice(bytes);
    Ok(())
}

/// Returns the delay that a server asks for: in seconds, or until a date by its own
/// clock (RFC 9110 section 10.2.3).
fn wait_of(retry_after: &str, date: Option<String>) -> Option<Duration> {
    if retry_after.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too large for u64 is longer than any call.
        return Some(Duration::from_secs(retry_after.parse().unwrap_or(u64::MAX)));
    }
    let until = http_date(retry_after)?;
    let now = date.and_then(|date| http_date(&date)).unwrap_or_else(OffsetDateTime::now_utc);
    Duration::try_from(until - now).ok()
}

pub(crate) fn http_date(text: &str) -> Option<OffsetDateTime> {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    PrimitiveDateTime::parse(text, format).ok().map(PrimitiveDateTime::assume_utc)
}

/// Checks that the body is not encoded, as requested.
fn reply_encoding(response: &http::Response<ureq::Body>) -> Result<()> {
    for encoding in response.headers().get_all(http::header::CONTENT_ENCODING) {
        let encoding = String::from_utf8_lossy(encoding.as_bytes());
        if !encoding.trim().is_empty() && !encoding.trim().eq_ignore_ascii_case("identity") {
            let shown: String = encoding.chars().take(80).collect();
            return Err(Error::bad_reply(format!(
                "the response is encoded as {shown:?}, but the request accepts no encoding"
            )));
        }
    }
    Ok(())
}

fn config(settings: &Settings, proxy: Option<ureq::Proxy>) -> Result<ureq::config::Config> {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_connect(Some(settings.connect_timeout))
        .max_idle_connections(settings.pool_size)
        .max_idle_connections_per_host(settings.pool_size)
        .input_buffer_size(BUFFER)
        .output_buffer_size(BUFFER)
        // Otherwise, headers that fill the buffer would look like a closed connection.
        .max_response_header_size(BUFFER - 1024)
        .accept_encoding("identity")
        .user_agent(settings.user_agent.as_str())
        .proxy(proxy);
    Ok(trust(config, settings)?.build())
}

type ConfigBuilder = ureq::config::ConfigBuilder<ureq::typestate::AgentScope>;

/// Chooses the TLS library and the certificates that it trusts.
#[cfg(any(feature = "tls", feature = "native-tls"))]
fn trust(config: ConfigBuilder, settings: &Settings) -> Result<ConfigBuilder> {
    use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
    let provider = if cfg!(feature = "tls") { TlsProvider::Rustls } else { TlsProvider::NativeTls };
    let explicit = settings.roots.as_deref();
    let chosen = match explicit.map(|pem| roots::from_pem(pem, "root certificates")) {
        Some(explicit) => Some(explicit?),
        // Without TLS, an unreadable file is not an error.
        None if !settings.origin.starts_with("https://") => None,
        None => roots::from_environment(|name| env::var_os(name))?,
    };
    let roots = match chosen {
        Some(certificates) => RootCerts::new_with_certs(&certificates),
        // ureq uses Mozilla's roots by default.
        None if cfg!(feature = "platform-verifier") || provider == TlsProvider::NativeTls => {
            RootCerts::PlatformVerifier
        }
        None => RootCerts::WebPki,
    };
    Ok(config.tls_config(TlsConfig::builder().provider(provider).root_certs(roots).build()))
}

#[cfg(not(any(feature = "tls", feature = "native-tls")))]
fn trust(config: ConfigBuilder, settings: &Settings) -> Result<ConfigBuilder> {
    match &settings.roots {
        Some(_) => Err(Error::new(ErrorKind::Config, "this build does not support TLS")),
        None => Ok(config),
    }
}

/// Returns whether a URL is an HTTPS URL, and its host.
fn host_of(url: &str) -> (bool, &str) {
    let authority = authority(url);
    let host = match authority.find(']') {
        Some(end) => &authority[..=end],
        None => authority.split(':').next().unwrap_or_default(),
    };
    (url.starts_with("https://"), host)
}

/// Returns host and port of a URL.
fn authority(url: &str) -> &str {
    url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_a_number_of_seconds_or_a_date_by_the_servers_clock() {
        let date = || Some("Thu, 26 Nov 2026 08:00:00 GMT".to_owned());
        for (text, seconds) in [
            ("0", Some(0)),
            ("120", Some(120)),
            ("99999999999999999999", Some(u64::MAX)),
            ("Thu, 26 Nov 2026 08:00:30 GMT", Some(30)),
            ("Thu, 26 Nov 2026 07:00:00 GMT", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(wait_of(text, date()), seconds.map(Duration::from_secs), "{text}");
        }
        let far = wait_of("Fri, 31 Dec 2999 23:59:59 GMT", None);
        assert!(far.is_some_and(|wait| wait > Duration::from_secs(1 << 33)));
    }
}
