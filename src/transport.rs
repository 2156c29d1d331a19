//! One signed request over HTTP, one answer back: the only user of ureq.

use crate::error::{Error, ErrorKind, Result};
use crate::operation::Reply;
use crate::request::{Body, Method};
use crate::stop::Stop;
use bytes::Bytes;
use connect::{CachingResolver, Names, StoppableConnector};
use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};
use ureq::http;
use zeroize::Zeroizing;

mod connect;

/// The largest reply that is read. A list of 1,000 channels has half a
/// megabyte.
const MAX_REPLY: u64 = 4 * 1024 * 1024;
/// What a connection buffers each way.
const BUFFER: usize = 16 * 1024;

/// How to reach a host.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) connect_timeout: Duration,
    pub(crate) pool_size: usize,
    pub(crate) user_agent: String,
    pub(crate) proxy: ProxyChoice,
    /// Certificates in PEM to trust in place of the default ones.
    pub(crate) roots: Option<Vec<u8>>,
}

/// Which proxy to go through.
#[derive(Clone, Default)]
pub(crate) enum ProxyChoice {
    /// What `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    #[default]
    Environment,
    None,
    Url(String),
}

impl fmt::Debug for ProxyChoice {
    // A proxy's URL may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProxyChoice::Environment => "Environment",
            ProxyChoice::None => "None",
            ProxyChoice::Url(_) => "Url(..)",
        })
    }
}

/// A request as it goes on the wire.
pub(crate) struct Outgoing<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a str,
    pub(crate) headers: &'a [(&'static str, String)],
    pub(crate) body: Option<&'a Body>,
}

/// A pool of connections. A clone shares it.
#[derive(Clone)]
pub(crate) struct Transport {
    agent: ureq::Agent,
    names: Arc<Names>,
    stop: Arc<Stop>,
}

impl Transport {
    /// A pool whose waiting ends when `stop` says so.
    pub(crate) fn new(settings: Settings, stop: Arc<Stop>) -> Result<Self> {
        let names = Arc::new(Names::default());
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(settings.connect_timeout))
            .max_idle_connections(settings.pool_size)
            .max_idle_connections_per_host(settings.pool_size)
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .accept_encoding("identity")
            // Headers that fill the buffer would look like a closed connection.
            .max_response_header_size(BUFFER - 1024)
            .user_agent(settings.user_agent)
            .proxy(proxy(settings.proxy)?);
        let config = trust(config, settings.roots.as_deref())?.build();
        let resolver = CachingResolver { names: names.clone(), stop: stop.clone() };
        let connector = StoppableConnector::new(resolver.clone(), stop.clone());
        let agent = ureq::Agent::with_parts(config, connector, resolver);
        Ok(Transport { agent, names, stop })
    }

    /// Closes every connection, also under calls that wait for it; all of
    /// them, and all that come later, end with [`ErrorKind::Stopped`].
    pub(crate) fn shutdown(&self) {
        // First the switch: a call that finds its connection closed asks it
        // why.
        self.stop.stop();
        self.agent.clone().shutdown();
    }

    /// Sends a request and reads the whole answer, within a time limit.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Connection`], [`ErrorKind::Timeout`],
    /// [`ErrorKind::BadReply`] or [`ErrorKind::Stopped`]; an answer of any
    /// status is no error here.
    pub(crate) fn send(&self, request: &Outgoing<'_>, limit: Duration) -> Result<Reply> {
        let result = self.answer(request, limit);
        // An answer that came to its end because the connection was closed
        // from this side may look whole.
        if self.stop.is_stopped() { Err(Error::shut_down()) } else { result }
    }

    fn answer(&self, request: &Outgoing<'_>, limit: Duration) -> Result<Reply> {
        let mut response = self.run(request, limit).map_err(|error| {
            self.names.forget(authority(request.url));
            error_of(error, request.url)
        })?;
        let mut reply = reply_head(&response);
        let body = reply_encoding(&response).and_then(|()| read_body(response.body_mut(), request));
        let found = |error: Error| {
            error.with_status(reply.status).with_request_id(reply.request_id.clone())
        };
        reply.body = body.map_err(found)?;
        Ok(reply)
    }

    fn run(
        &self,
        request: &Outgoing<'_>,
        limit: Duration,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let mut builder = http::Request::builder().method(request.method.as_str()).uri(request.url);
        for (name, value) in request.headers {
            // Overwritten when the last use of it is over.
            let value = Bytes::from_owner(Zeroizing::new(value.clone().into_bytes()));
            let mut value =
                http::HeaderValue::from_maybe_shared(value).map_err(http::Error::from)?;
            value.set_sensitive(true);
            builder = builder.header(*name, value);
        }
        match (request.body, request.method) {
            (None, Method::Get | Method::Delete) => self.run_with(builder.body(())?, limit),
            // The service wants a length wherever there could be a body.
            (body, _) => {
                let bytes = body.map_or(&[][..], |body| &body.bytes);
                self.run_with(builder.body(bytes)?, limit)
            }
        }
    }

    fn run_with(
        &self,
        request: http::Request<impl ureq::AsSendBody>,
        limit: Duration,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let request = self.agent.configure_request(request).timeout_global(Some(limit)).build();
        self.agent.run(request)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

/// What a reply says before its body.
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

/// The wait that a server asks for: in seconds, or until a date by its own
/// clock (RFC 9110 section 10.2.3).
fn wait_of(retry_after: &str, date: Option<String>) -> Option<Duration> {
    if retry_after.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than a number holds is longer than any call.
        return Some(Duration::from_secs(retry_after.parse().unwrap_or(u64::MAX)));
    }
    let until = http_date(retry_after)?;
    let now = date.and_then(|date| http_date(&date)).unwrap_or_else(OffsetDateTime::now_utc);
    Duration::try_from(until - now).ok()
}

fn http_date(text: &str) -> Option<OffsetDateTime> {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    PrimitiveDateTime::parse(text, format).ok().map(PrimitiveDateTime::assume_utc)
}

/// Checks that the body is not encoded: nothing but that was asked for.
fn reply_encoding(response: &http::Response<ureq::Body>) -> Result<()> {
    for encoding in response.headers().get_all(http::header::CONTENT_ENCODING) {
        let encoding = String::from_utf8_lossy(encoding.as_bytes());
        if !encoding.trim().is_empty() && !encoding.trim().eq_ignore_ascii_case("identity") {
            let shown: String = encoding.chars().take(80).collect();
            return Err(Error::bad_reply(format!(
                "the reply is encoded as {shown:?}, although the request accepts no encoding"
            )));
        }
    }
    Ok(())
}

/// Reads a whole body. It gets memory as it arrives, whatever length it
/// announces, and running out of that is an error.
fn read_body(body: &mut ureq::Body, request: &Outgoing<'_>) -> Result<Vec<u8>> {
    let mut reader = body.with_config().limit(MAX_REPLY).reader();
    let mut bytes = Vec::new();
    let mut part = [0; BUFFER];
    loop {
        let read = match reader.read(&mut part) {
            Ok(0) => return Ok(bytes),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error_of(error.into(), request.url)),
        };
        bytes.try_reserve(read).map_err(|error| {
            let so_far = bytes.len();
            Error::bad_reply(format!("no memory for more than {so_far} bytes of the reply"))
                .with_source(error)
        })?;
        bytes.extend_from_slice(&part[..read]);
    }
}

fn proxy(choice: ProxyChoice) -> Result<Option<ureq::Proxy>> {
    match choice {
        ProxyChoice::Environment => Ok(ureq::Proxy::try_from_env()),
        ProxyChoice::None => Ok(None),
        ProxyChoice::Url(url) => {
            // Neither the URL nor the cause is shown: either may hold a password.
            let config = |message| Error::new(ErrorKind::Config, message);
            let proxy = ureq::Proxy::new(&url)
                .map_err(|_| config("the proxy is no URL such as http://HOST:PORT"))?;
            match proxy.protocol() {
                ureq::ProxyProtocol::Http | ureq::ProxyProtocol::Https => Ok(Some(proxy)),
                _ => Err(config("the proxy speaks SOCKS; only HTTP proxies are supported")),
            }
        }
    }
}

type ConfigBuilder = ureq::config::ConfigBuilder<ureq::typestate::AgentScope>;

/// Chooses the TLS library and the certificates that it trusts.
#[cfg(any(feature = "tls", feature = "native-tls"))]
fn trust(config: ConfigBuilder, roots: Option<&[u8]>) -> Result<ConfigBuilder> {
    use ureq::tls::{PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
    let provider = if cfg!(feature = "tls") { TlsProvider::Rustls } else { TlsProvider::NativeTls };
    let roots = match roots {
        Some(pem) => {
            let certificates: Vec<_> = parse_pem(pem)
                .filter_map(|item| match item {
                    Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
                    Ok(_) => None,
                    Err(error) => Some(Err(error)),
                })
                .collect::<Result<_, _>>()
                .unwrap_or_default();
            if certificates.is_empty() {
                let message = "the root certificates are no certificates in PEM";
                return Err(Error::new(ErrorKind::Config, message));
            }
            RootCerts::new_with_certs(&certificates)
        }
        // ureq takes Mozilla's roots unless it is told otherwise.
        None if cfg!(feature = "platform-verifier") || provider == TlsProvider::NativeTls => {
            RootCerts::PlatformVerifier
        }
        None => RootCerts::WebPki,
    };
    Ok(config.tls_config(TlsConfig::builder().provider(provider).root_certs(roots).build()))
}

#[cfg(not(any(feature = "tls", feature = "native-tls")))]
fn trust(config: ConfigBuilder, roots: Option<&[u8]>) -> Result<ConfigBuilder> {
    match roots {
        Some(_) => Err(Error::new(ErrorKind::Config, "this build has no TLS")),
        None => Ok(config),
    }
}

/// Host and port of a URL.
fn authority(url: &str) -> &str {
    url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default()
}

/// The first number in a text.
fn number_in(text: &str) -> Option<u16> {
    text.split(|c: char| !c.is_ascii_digit()).find_map(|digits| digits.parse().ok())
}

fn error_of(error: ureq::Error, url: &str) -> Error {
    use std::io::ErrorKind as Io;
    let host = authority(url);
    let connection = |message: String| Error::new(ErrorKind::Connection, message);
    let late = || Error::new(ErrorKind::Timeout, format!("no complete answer from {host} in time"));
    let described = match &error {
        ureq::Error::Timeout(ureq::Timeout::Connect) => {
            Error::new(ErrorKind::Timeout, format!("no connection to {host} in time"))
        }
        ureq::Error::Timeout(ureq::Timeout::Resolve) => {
            Error::new(ErrorKind::Timeout, format!("no address for {host} in time"))
        }
        ureq::Error::Timeout(_) => late(),
        ureq::Error::HostNotFound => connection(format!("{host} has no address")),
        ureq::Error::ConnectionFailed => connection(format!("no connection to {host}")),
        // All that is known is a text with or without the proxy's status.
        ureq::Error::ConnectProxyFailed(why) => match number_in(why) {
            Some(status) => {
                let refused = format!("the proxy refused to connect to {host}: HTTP {status}");
                let error = connection(refused);
                if status < 500 { error.lasting() } else { error }
            }
            None => connection(format!("the proxy closed the connection to {host}")),
        },
        ureq::Error::Io(io) => match io.kind() {
            Io::UnexpectedEof => {
                connection(format!("{host} closed the connection before the answer was complete"))
            }
            Io::ConnectionRefused => connection(format!("{host} refused the connection")),
            Io::TimedOut => late(),
            // The system's words begin with what std was about to do.
            Io::NotFound => {
                let why = io.to_string();
                let why = why.rsplit(": ").next().unwrap_or_default();
                connection(format!("no address was found for {host}: {why}"))
            }
            // TLS reports a certificate that it does not trust as invalid data.
            Io::InvalidData => {
                connection(format!("no trust in the TLS connection to {host}: {io}")).lasting()
            }
            _ => connection(format!("the connection to {host} broke: {io}")),
        },
        ureq::Error::BodyExceedsLimit(_) => {
            Error::bad_reply(format!("the answer is longer than {} MB", MAX_REPLY >> 20))
        }
        ureq::Error::LargeResponseHeader(_, most) => {
            Error::bad_reply(format!("the answer's headers are longer than {} kB", most >> 10))
        }
        // One chunk header or trailer fills the whole buffer.
        ureq::Error::BodyStalled => {
            Error::bad_reply(format!("the answer of {host} is not HTTP: a chunk without an end"))
        }
        ureq::Error::Protocol(why) => {
            Error::bad_reply(format!("the answer of {host} is not HTTP: {why}"))
        }
        ureq::Error::Http(_) | ureq::Error::BadUri(_) => {
            Error::invalid("the request cannot be written as HTTP")
        }
        ureq::Error::TlsRequired => {
            Error::new(ErrorKind::Config, "this build has no TLS: use http://, or a TLS feature")
        }
        other => connection(format!("no connection to {host}: {other}")).lasting(),
    };
    described.with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_a_number_of_seconds_or_a_date_by_the_servers_clock() {
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

    #[test]
    fn a_socks_proxy_is_refused_without_showing_it() {
        let error = proxy(ProxyChoice::Url("socks5://user:hush@host".into())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(!format!("{error:?}").contains("hush"));
    }

    #[test]
    fn a_proxy_that_is_no_url_is_refused_without_showing_it() {
        let error = proxy(ProxyChoice::Url("htp:/user:hush@".into())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(!format!("{error:?}").contains("hush"));
    }
}
