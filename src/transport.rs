//! One signed request over HTTP, one answer back: the only user of ureq.

use crate::error::{Error, ErrorKind, Result};
use crate::operation::Reply;
use crate::request::{Body, Method};
use crate::stop::Stop;
use connect::{CachingResolver, Names, StoppableConnector};
use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use ureq::http;

mod connect;

/// The largest reply that is read. A list of 1,000 channels has half a
/// megabyte.
const MAX_REPLY: u64 = 4 * 1024 * 1024;
/// The most memory that is set aside for a reply before it has arrived.
const MAX_ROOM: u64 = 1024 * 1024;
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
        let header = |name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let mut reply = Reply {
            status: response.status().as_u16(),
            request_id: header("x-oss-request-id"),
            ec: header("x-oss-ec"),
            ..Reply::default()
        };
        reply.body = read_body(response.body_mut()).map_err(|error| {
            error_of(error, request.url)
                .with_status(reply.status)
                .with_request_id(reply.request_id.clone())
        })?;
        Ok(reply)
    }

    fn run(
        &self,
        request: &Outgoing<'_>,
        limit: Duration,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let mut builder = http::Request::builder().method(request.method.as_str()).uri(request.url);
        for (name, value) in request.headers {
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

fn read_body(body: &mut ureq::Body) -> Result<Vec<u8>, ureq::Error> {
    // Room for all of it at once, unless a server announces what it may not
    // send; the spare byte is where the end is seen without growing.
    let announced = body.content_length().unwrap_or(0).min(MAX_ROOM);
    let mut bytes = Vec::with_capacity(announced as usize + 1);
    body.with_config().limit(MAX_REPLY).reader().read_to_end(&mut bytes)?;
    Ok(bytes)
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
