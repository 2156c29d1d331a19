//! From a host to an open connection: name look-up and connecting, both of
//! which a [`Stop`] can interrupt.

use super::absolute::AbsoluteForm;
use super::proxy::Proxy;
use crate::stop::{Stop, Unfinished};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::process;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};
use zeroize::Zeroize;

/// How long a name's addresses are remembered.
const NAME_LIFETIME: Duration = Duration::from_secs(60);
/// How long an address is tried alone before the next one is tried, too.
const HEAD_START: Duration = Duration::from_millis(250);
/// How many addresses of a name are tried; ureq has room for no more.
const MAX_ADDRESSES: usize = 16;

/// Connects on a thread of its own: a connect blocks for as long as its limit
/// and cannot be woken. Connections are kept, so that the thread is rare.
pub(super) struct StoppableConnector {
    inner: Arc<DefaultConnector>,
    resolver: CachingResolver,
    stop: Arc<Stop>,
    /// The proxy to ask for URLs, and how to connect to itself.
    proxy: Option<(Proxy, Arc<Config>)>,
}

impl StoppableConnector {
    pub(super) fn new(resolver: CachingResolver, stop: Arc<Stop>) -> Self {
        StoppableConnector { inner: Arc::default(), resolver, stop, proxy: None }
    }

    /// Connects to a proxy, which is asked for the URLs of the host.
    pub(super) fn asking_for_urls(self, proxy: Proxy, config: Config) -> Self {
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
        let (inner, resolver) = (self.inner.clone(), self.resolver.clone());
        let proxy_uri = self.proxy.as_ref().map(|(proxy, config)| (proxy.uri(), config.clone()));
        let (uri, config) = proxy_uri
            .clone()
            .unwrap_or_else(|| (details.uri.clone(), Arc::new(details.config.clone())));
        let (addrs, now, timeout) = (details.addrs.clone(), details.now, details.timeout);
        let current_time = details.current_time.clone();
        let run_connector = details.run_connector.clone();
        let register_shutdown = details.register_shutdown.clone();
        let connect_to = move |addrs: ResolvedSocketAddrs| {
            let details = ConnectionDetails {
                uri: &uri,
                addrs,
                config: &config,
                // Requests differ in their time limits alone. TLS is the same
                // for all, and is to be set up only once.
                request_level: false,
                resolver: &resolver,
                now,
                timeout,
                current_time: current_time.clone(),
                run_connector: run_connector.clone(),
                register_shutdown: register_shutdown.clone(),
            };
            inner.connect(&details, None)
        };
        let resolver = self.resolver.clone();
        let connect = move || {
            let addrs = match proxy_uri {
                Some((uri, config)) => resolver.resolve(&uri, &config, timeout)?,
                None => addrs,
            };
            // Without an address it is a proxy that knows them.
            if addrs.is_empty() {
                return connect_to(addrs);
            }
            race(&addrs, move |address| {
                let mut one = resolver.empty();
                one.push(address);
                connect_to(one)
            })
        };
        let made = self.stop.result_of(*timeout.after, connect);
        let inner = made.map_err(|why| unfinished(why, timeout))??;
        let absolute = self.proxy.as_ref().map(|(proxy, _)| {
            let authority = details.uri.authority().map_or("", |authority| authority.as_str());
            AbsoluteForm::new(format!("http://{authority}"), proxy)
        });
        Ok(inner.map(|inner| Connection { inner, process: process::id(), absolute }))
    }
}

impl fmt::Debug for StoppableConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoppableConnector")
    }
}

fn unfinished(why: Unfinished, timeout: NextTimeout) -> Error {
    match why {
        Unfinished::Stopped => Error::Io(io::ErrorKind::NotConnected.into()),
        Unfinished::TimedOut => Error::Timeout(timeout.reason),
        Unfinished::Broken(error) => Error::Io(error),
    }
}

/// A connection that belongs to the process that made it. A child that was
/// forked off has it too, but two that write to it would get each other's
/// answers.
pub(super) struct Connection {
    inner: Box<dyn Transport>,
    process: u32,
    absolute: Option<AbsoluteForm>,
}

impl Connection {
    fn transmit(&mut self, bytes: &[u8], timeout: NextTimeout) -> Result<(), Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let output = self.inner.buffers().output();
            let length = rest.len().min(output.len());
            let (part, after) = rest.split_at(length);
            output[..length].copy_from_slice(part);
            self.inner.transmit_output(length, timeout)?;
            rest = after;
        }
        Ok(())
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let head = &self.inner.buffers().output()[..amount];
        let rewritten = self.absolute.as_mut().and_then(|form| form.rewrite(head));
        let sent = match rewritten {
            Some(whole) => self.transmit(&whole, timeout),
            None => self.inner.transmit_output(amount, timeout),
        };
        // It holds what signs the request.
        self.inner.buffers().output().zeroize();
        sent
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.absolute.iter_mut().for_each(AbsoluteForm::answered);
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.process == process::id() && self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// Addresses of names, remembered for a minute, as looking one up costs a
/// thread and often a question to a server.
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

    /// Forgets the addresses of a host: they may be why it failed.
    pub(super) fn forget(&self, authority: &str) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.remove(authority);
    }
}

/// Answers IP addresses at once and names from memory, and asks the system
/// only for the rest. ureq's own resolver starts a thread for every request,
/// even on a kept connection to an IP address.
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
                let look_up =
                    move || (&*host, port).to_socket_addrs().map(|found| found.collect::<Vec<_>>());
                let found = self.stop.result_of(*timeout.after, look_up);
                // No other failure has this kind here.
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

/// The address that a URI's host spells out.
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

/// Connects to the first address that answers: the next one is tried when one
/// has failed, or has not answered for a while (RFC 8305 section 5). What is
/// still under way then ends by itself, within its own limit.
fn race<T: Send + 'static>(
    addresses: &[SocketAddr],
    connect: impl Fn(SocketAddr) -> Result<T, Error> + Send + Sync + 'static,
) -> Result<T, Error> {
    let [first, others @ ..] = addresses else { return Err(Error::HostNotFound) };
    if others.is_empty() {
        return connect(*first);
    }
    let connect = Arc::new(connect);
    let (sender, results) = mpsc::channel();
    let mut waiting = addresses.iter();
    let (mut under_way, mut fault) = (0, None);
    loop {
        let next = waiting.next();
        if let Some(address) = next.copied() {
            let (sender, connect) = (sender.clone(), connect.clone());
            // Nobody hears of one that comes too late; it is closed again.
            let work = move || drop(sender.send(connect(address)));
            match thread::Builder::new().name("osslive".into()).spawn(work) {
                Ok(_) => under_way += 1,
                Err(error) => drop(fault.get_or_insert(Error::Io(error))),
            }
        }
        let result = match waiting.len() {
            _ if under_way == 0 => None,
            0 => results.recv().ok(),
            _ => results.recv_timeout(HEAD_START).ok(),
        };
        match result {
            Some(Ok(connection)) => return Ok(connection),
            Some(Err(error)) => {
                under_way -= 1;
                fault.get_or_insert(error);
            }
            None => {}
        }
        if under_way == 0 && waiting.len() == 0 {
            return Err(fault.unwrap_or(Error::ConnectionFailed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(count: u16) -> Vec<SocketAddr> {
        (1..=count).map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect()
    }

    fn refused(address: SocketAddr) -> Error {
        Error::Io(io::Error::new(io::ErrorKind::ConnectionRefused, address.to_string()))
    }

    #[test]
    fn an_address_that_does_not_answer_holds_nobody_up() {
        let (_hold, held) = mpsc::channel::<()>();
        let held = Mutex::new(held);
        let connect = move |address: SocketAddr| {
            if address.port() < 3 {
                let _ = held.lock().unwrap().recv();
            }
            Ok(address.port())
        };
        assert_eq!(race(&addresses(3), connect).unwrap(), 3);
    }

    #[test]
    fn the_next_address_is_tried_only_when_one_has_failed_or_is_slow() {
        let tried = Arc::new(Mutex::new(Vec::new()));
        let log = tried.clone();
        let connect = move |address: SocketAddr| {
            log.lock().unwrap().push(address.port());
            if address.port() == 2 { Ok(2) } else { Err(refused(address)) }
        };
        assert_eq!(race(&addresses(3), connect).unwrap(), 2);
        assert_eq!(*tried.lock().unwrap(), [1, 2]);
    }

    #[test]
    fn when_no_address_can_be_reached_the_first_says_why() {
        for count in 1..=3 {
            let error = race(&addresses(count), |address| Err::<(), _>(refused(address)));
            assert!(error.unwrap_err().to_string().contains("127.0.0.1:1"), "{count}");
        }
        assert!(matches!(race(&[], |_| Ok(())), Err(Error::HostNotFound)));
    }

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
        names.forget("localhost:9000");
        assert_eq!(names.get("localhost:9000"), None);
    }
}
