//! One signed request over HTTP, one answer back: the only user of ureq.

use crate::error::{Error, ErrorKind, Result};
use crate::operation::Reply;
use crate::request::{Body, Method};
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use ureq::http::{self, Uri};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// The largest reply that is read. A list of 1,000 channels has half a
/// megabyte.
const MAX_REPLY: u64 = 16 * 1024 * 1024;
/// How long a name's addresses are remembered.
const NAME_LIFETIME: Duration = Duration::from_secs(60);

/// How to reach a host.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) connect_timeout: Duration,
    pub(crate) pool_size: usize,
    pub(crate) user_agent: String,
    pub(crate) proxy: ProxyChoice,
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
}

impl Transport {
    pub(crate) fn new(settings: Settings) -> Result<Self> {
        let names = Arc::new(Names::default());
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(settings.connect_timeout))
            .max_idle_connections(settings.pool_size)
            .max_idle_connections_per_host(settings.pool_size)
            .input_buffer_size(16 * 1024)
            .output_buffer_size(16 * 1024)
            .user_agent(settings.user_agent)
            .proxy(proxy(settings.proxy)?)
            .build();
        let resolver = CachingResolver { names: names.clone(), inner: DefaultResolver::default() };
        let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), resolver);
        Ok(Transport { agent, names })
    }

    /// Sends a request and reads the whole answer, within a time limit.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Connection`], [`ErrorKind::Timeout`] or
    /// [`ErrorKind::BadReply`]; an answer of any status is no error here.
    pub(crate) fn send(&self, request: &Outgoing<'_>, limit: Duration) -> Result<Reply> {
        let mut response = self.run(request, limit).map_err(|error| {
            self.names.forget(request.url);
            error_of(error)
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
        let body = response.body_mut().with_config().limit(MAX_REPLY).read_to_vec();
        reply.body = body.map_err(|error| {
            error_of(error).with_status(reply.status).with_request_id(reply.request_id.clone())
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

fn proxy(choice: ProxyChoice) -> Result<Option<ureq::Proxy>> {
    match choice {
        ProxyChoice::Environment => Ok(ureq::Proxy::try_from_env()),
        ProxyChoice::None => Ok(None),
        ProxyChoice::Url(url) => ureq::Proxy::new(&url).map(Some).map_err(|_| {
            // Neither the URL nor the cause is shown: either may hold a password.
            Error::new(ErrorKind::Config, "the proxy is no URL such as http://HOST:PORT")
        }),
    }
}

fn error_of(error: ureq::Error) -> Error {
    use std::io::ErrorKind as Io;
    let connection = |message: String| Error::new(ErrorKind::Connection, message);
    let described = match &error {
        ureq::Error::Timeout(ureq::Timeout::Connect) => {
            Error::new(ErrorKind::Timeout, "no connection within the connect limit")
        }
        ureq::Error::Timeout(_) => {
            Error::new(ErrorKind::Timeout, "no complete answer within the time limit")
        }
        ureq::Error::HostNotFound => connection("the host name is not known".into()),
        ureq::Error::ConnectionFailed => connection("no connection could be made".into()),
        ureq::Error::ConnectProxyFailed(why) => {
            connection(format!("the proxy refused the connection: {why}")).lasting()
        }
        ureq::Error::Io(io) => match io.kind() {
            Io::UnexpectedEof => {
                connection("the connection was closed before the answer was complete".into())
            }
            Io::TimedOut => {
                Error::new(ErrorKind::Timeout, "no complete answer within the time limit")
            }
            // TLS reports a certificate that it does not trust as invalid data.
            Io::InvalidData => {
                connection(format!("the TLS handshake was broken off: {io}")).lasting()
            }
            _ => connection(io.to_string()),
        },
        ureq::Error::BodyExceedsLimit(_) => {
            Error::bad_reply(format!("the answer is longer than {} MB", MAX_REPLY >> 20))
        }
        ureq::Error::LargeResponseHeader(_, most) => {
            Error::bad_reply(format!("the answer's headers are longer than {most} bytes"))
        }
        ureq::Error::Protocol(why) => Error::bad_reply(format!("the answer is not HTTP: {why}")),
        ureq::Error::Http(_) | ureq::Error::BadUri(_) => {
            Error::invalid("the request cannot be written as HTTP")
        }
        ureq::Error::TlsRequired => {
            Error::new(ErrorKind::Config, "this build has no TLS: use http://, or a TLS feature")
        }
        other => connection(format!("no connection could be made: {other}")).lasting(),
    };
    described.with_source(error)
}

/// Addresses of names, remembered for a minute, as looking one up costs a
/// thread and often a question to a server.
#[derive(Default)]
struct Names(Mutex<HashMap<String, (Instant, Vec<SocketAddr>)>>);

impl Names {
    fn get(&self, authority: &str) -> Option<Vec<SocketAddr>> {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, addresses) = names.get(authority)?;
        (since.elapsed() < NAME_LIFETIME).then(|| addresses.clone())
    }

    fn remember(&self, authority: &str, addresses: &[SocketAddr]) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(authority.to_owned(), (Instant::now(), addresses.to_vec()));
    }

    /// Forgets the addresses of a URL's host: they may be why it failed.
    fn forget(&self, url: &str) {
        let authority = url.split("://").nth(1).and_then(|rest| rest.split('/').next());
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.remove(authority.unwrap_or_default());
    }
}

/// Answers IP addresses at once and names from memory, and asks the system
/// only for the rest. The default resolver starts a thread for every request,
/// even on a kept connection to an IP address.
struct CachingResolver {
    names: Arc<Names>,
    inner: DefaultResolver,
}

impl Resolver for CachingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let known = literal(uri).map(|address| vec![address]).or_else(|| self.names.get(authority));
        if let Some(known) = known {
            let mut addresses = self.empty();
            for address in known.into_iter().take(16) {
                addresses.push(address);
            }
            return Ok(addresses);
        }
        let addresses = self.inner.resolve(uri, config, timeout)?;
        self.names.remember(authority, &addresses);
        Ok(addresses)
    }
}

impl fmt::Debug for CachingResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CachingResolver")
    }
}

/// The address that a URI's host spells out.
fn literal(uri: &Uri) -> Option<SocketAddr> {
    let host = uri.host()?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let ip: IpAddr = bare.parse().ok()?;
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    Some(SocketAddr::new(ip, uri.port_u16().unwrap_or(default)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ip_addresses_need_no_look_up() {
        let address = |uri: &str| literal(&uri.parse().unwrap()).map(|a| a.to_string());
        assert_eq!(address("http://127.0.0.1/a"), Some("127.0.0.1:80".into()));
        assert_eq!(address("https://127.0.0.1/a"), Some("127.0.0.1:443".into()));
        assert_eq!(address("http://[::1]:9000/a"), Some("[::1]:9000".into()));
        assert_eq!(address("http://localhost:9000/a"), None);
    }

    #[test]
    fn a_name_is_forgotten_when_its_host_fails() {
        let names = Names::default();
        let address = "127.0.0.1:9000".parse().unwrap();
        names.remember("localhost:9000", &[address]);
        assert_eq!(names.get("localhost:9000"), Some(vec![address]));
        names.forget("http://localhost:9000/bucket/key?live");
        assert_eq!(names.get("localhost:9000"), None);
    }

    #[test]
    fn a_proxy_that_is_no_url_is_refused_without_showing_it() {
        let error = proxy(ProxyChoice::Url("htp:/user:hush@".into())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(!format!("{error:?}").contains("hush"));
    }
}
