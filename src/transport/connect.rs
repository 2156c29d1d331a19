//! Opens a connection to a host: name resolution and connecting, both of which a
//! [`Stop`] can interrupt.

use super::absolute::AbsoluteForm;
use super::connection::{Connection, unfinished};
use super::proxy::Proxy;
use super::race::race;
use crate::stop::Stop;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, DefaultConnector, NextTimeout, ShutdownHandle, Transport, time,
};

/// How long a name's addresses are cached.
const NAME_LIFETIME: Duration = Duration::from_secs(60);
/// The maximum number of addresses to try per name, which is ureq's limit.
const MAX_ADDRESSES: usize = 16;

/// Connects on its own thread, because connecting blocks for up to its timeout and
/// cannot be interrupted. Connections are reused, so this is rare.
pub(super) struct StoppableConnector {
    inner: Arc<DefaultConnector>,
    resolver: CachingResolver,
    stop: Arc<Stop>,
    /// The proxy to send absolute URLs to, and the configuration for connecting to it.
    proxy: Option<(Proxy, Arc<Config>)>,
}

impl StoppableConnector {
    pub(super) fn new(resolver: CachingResolver, stop: Arc<Stop>) -> Self {
        StoppableConnector { inner: Arc::default(), resolver, stop, proxy: None }
    }

    /// Connects to a proxy, which receives requests with absolute URLs.
    pub(super) fn with_proxy(self, proxy: Proxy, config: Config) -> Self {
        StoppableConnector { proxy: Some((proxy, Arc::new(config))), ..self }
    }
}

impl Connector for StoppableConnector {
    type Out = Connection;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Connection>, Error> {
        let timeout = details.timeout;
        let plan = self.plan(details);
        let (resolver, addrs, is_proxy) =
            (self.resolver.clone(), details.addrs.clone(), self.proxy.is_some());
        let connect = move || {
            let addrs = match is_proxy {
                true => resolver.resolve(&plan.uri, &plan.config, timeout)?,
                false => addrs,
            };
            // Without an address, the proxy resolves the name.
            if addrs.is_empty() {
                return plan.connect(addrs);
            }
            race(&addrs, move |address| {
                let mut one = resolver.empty();
                one.push(address);
                plan.connect(one)
            })
        };
        let made = self.stop.result_of(*timeout.after, connect);
        let inner = made.map_err(|why| unfinished(why, timeout))??;
        let absolute = self.proxy.as_ref().map(|(proxy, _)| {
            let authority = details.uri.authority().map_or("", |authority| authority.as_str());
            AbsoluteForm::new(format!("http://{authority}"), proxy)
        });
        Ok(inner.map(|inner| Connection::new(inner, self.stop.clone(), absolute)))
    }
}

impl StoppableConnector {
    fn plan(&self, details: &ConnectionDetails<'_>) -> Plan {
        let to_proxy = self.proxy.as_ref().map(|(proxy, config)| (proxy.uri(), config.clone()));
        let to_host = || (details.uri.clone(), Arc::new(details.config.clone()));
        let (uri, config) = to_proxy.unwrap_or_else(to_host);
        Plan {
            inner: self.inner.clone(),
            resolver: self.resolver.clone(),
            uri,
            config,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        }
    }
}

/// The details of a connection, apart from its address, as another thread
/// needs them.
struct Plan {
    inner: Arc<DefaultConnector>,
    resolver: CachingResolver,
    uri: Uri,
    config: Arc<Config>,
    now: time::Instant,
    timeout: NextTimeout,
    current_time: Arc<dyn Fn() -> time::Instant + Send + Sync>,
    run_connector: Arc<RunConnector>,
    register_shutdown: Arc<RegisterShutdown>,
}

type RunConnector =
    dyn Fn(&ConnectionDetails<'_>) -> Result<Box<dyn Transport>, Error> + Send + Sync;
type RegisterShutdown = dyn Fn(Weak<dyn ShutdownHandle>) -> Result<(), Error> + Send + Sync;

impl Plan {
    fn connect(&self, addrs: ResolvedSocketAddrs) -> Result<Option<Box<dyn Transport>>, Error> {
        let details = ConnectionDetails {
            uri: &self.uri,
            addrs,
            config: &self.config,
            // Requests differ only in their timeouts. TLS is the same for all, and
            // set up only once.
            request_level: false,
            resolver: &self.resolver,
            now: self.now,
            timeout: self.timeout,
            current_time: self.current_time.clone(),
            run_connector: self.run_connector.clone(),
            register_shutdown: self.register_shutdown.clone(),
        };
        self.inner.connect(&details, None)
    }
}

impl fmt::Debug for StoppableConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoppableConnector")
    }
}

/// A cache of the addresses of names, because resolving one takes a thread and often
/// a request to a server.
#[derive(Default)]
pub(super) struct Names(Mutex<HashMap<String, (Instant, Vec<SocketAddr>)>>);

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

    /// Removes the addresses of a host: they may be the reason it failed.
    pub(super) fn forget(&self, authority: &str) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.remove(authority);
    }
}

/// Resolves IP addresses at once and names from the cache, and asks the system only
/// for the rest. ureq's own resolver starts a thread for every request, even for an
/// IP address on a reused connection.
#[derive(Clone)]
pub(super) struct CachingResolver {
    pub(super) names: Arc<Names>,
    pub(super) stop: Arc<Stop>,
}

impl Resolver for CachingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let known = literal(uri).map(|address| vec![address]).or_else(|| self.names.get(authority));
        let addresses = match known {
            Some(known) => known,
            None => {
                let host = uri.host().ok_or(Error::HostNotFound)?.to_owned();
                let port = port(uri);
                let resolve =
                    move || (&*host, port).to_socket_addrs().map(|found| found.collect::<Vec<_>>());
                let found = self.stop.result_of(*timeout.after, resolve);
                // No other failure has this kind.
                let not_found = |error| Error::Io(io::Error::new(io::ErrorKind::NotFound, error));
                let found = found.map_err(|why| unfinished(why, timeout))?.map_err(not_found)?;
                if found.is_empty() {
                    return Err(Error::HostNotFound);
                }
                self.names.remember(authority, &found);
                found
            }
        };
        let mut room = self.empty();
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            room.push(address);
        }
        Ok(room)
    }
}

impl fmt::Debug for CachingResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CachingResolver")
    }
}

/// Returns the address if a URI's host is an IP address.
fn literal(uri: &Uri) -> Option<SocketAddr> {
    let host = uri.host()?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let ip: IpAddr = bare.parse().ok()?;
    Some(SocketAddr::new(ip, port(uri)))
}

fn port(uri: &Uri) -> u16 {
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    uri.port_u16().unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ip_addresses_need_no_resolution() {
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
        names.forget("localhost:9000");
        assert_eq!(names.get("localhost:9000"), None);
    }
}
