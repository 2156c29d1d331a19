//! A server that injects faults until [`FaultServer::recover`] is called.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;
use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// One step of a server's response to a request.
#[derive(Clone)]
pub enum Step {
    Send(Vec<u8>),
    /// Sends this many bytes a second.
    Slowly(u64, Vec<u8>),
    /// Sends the same bytes this many times.
    Repeat(usize, Vec<u8>),
    /// Stays silent, and keeps the connection open, until the client disconnects.
    Wait,
    /// Closes the connection cleanly.
    Close,
    /// Closes the connection with RST.
    Reset,
}

/// The parts of a request that a fault may depend on.
pub struct Asked {
    /// The number of the request over all connections during the fault, from 1.
    pub number: usize,
    /// The number of the request on its connection, from 1.
    pub on_connection: usize,
    pub line: String,
    pub headers: Vec<(String, String)>,
}

impl Asked {
    pub fn method(&self) -> &str {
        self.line.split(' ').next().unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }
}

pub type Fault = Arc<dyn Fn(&Asked) -> Vec<Step> + Send + Sync>;

/// The certificate of a server during the fault.
#[derive(Clone, Copy, PartialEq)]
pub enum Tls {
    Good,
    WrongName,
    Expired,
    /// Signed by an untrusted authority.
    Unknown,
}

/// A server on its own port. It stops when it is dropped.
pub struct FaultServer {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    fault: Fault,
    healthy: Fault,
    tls: Option<Tls>,
    asked: AtomicUsize,
    connections: AtomicUsize,
    /// The number of responses in progress, including closing the connection.
    busy: AtomicUsize,
    has_recovered: AtomicBool,
    is_stopped: AtomicBool,
}

impl FaultServer {
    pub fn start(listener: TcpListener, tls: Option<Tls>, fault: Fault, healthy: Fault) -> Self {
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            fault,
            healthy,
            tls,
            asked: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            has_recovered: AtomicBool::new(false),
            is_stopped: AtomicBool::new(false),
        });
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.is_stopped.load(Ordering::SeqCst) {
                    return;
                }
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let (shared, stream) = (shared.clone(), stream.unwrap());
                // A client that disconnects is not an error here.
                thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        FaultServer { address, state }
    }

    /// Returns the number of complete requests.
    pub fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// Returns the number of connections.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Waits until all responses in progress are sent, and their connections closed where
    /// a step says so.
    pub fn settle(&self) {
        let until = Instant::now() + Duration::from_secs(1);
        while self.state.busy.load(Ordering::SeqCst) > 0 && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// From now on, each request gets the right response.
    pub fn recover(&self) {
        self.state.has_recovered.store(true, Ordering::SeqCst);
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.state.is_stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// Counts a response in progress until it is dropped.
struct Busy<'a>(&'a AtomicUsize, Cell<usize>);

impl Busy<'_> {
    fn set(&self, count: usize) {
        self.0.fetch_add(count, Ordering::SeqCst);
        self.0.fetch_sub(self.1.replace(count), Ordering::SeqCst);
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.set(0);
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl State {
    fn serve(&self, socket: TcpStream) -> io::Result<()> {
        // Dropped after the socket is closed.
        let busy = Busy(&self.busy, Cell::new(0));
        let socket = socket;
        socket.set_nodelay(true)?;
        let stream = socket.try_clone()?;
        let stream: Box<dyn Stream> = match self.tls {
            None => Box::new(stream),
            Some(tls) => {
                let is_good = self.has_recovered.load(Ordering::SeqCst);
                let config = tls_config(if is_good { Tls::Good } else { tls });
                let connection = ServerConnection::new(config).map_err(io::Error::other)?;
                Box::new(StreamOwned::new(connection, stream))
            }
        };
        let mut stream = BufReader::new(stream);
        let mut on_connection = 0;
        while let Some((line, headers)) = read_request(&mut stream)? {
            on_connection += 1;
            let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            let asked = Asked { number, on_connection, line, headers };
            let is_good = self.has_recovered.load(Ordering::SeqCst);
            let respond = if is_good { &self.healthy } else { &self.fault };
            busy.set(1);
            for step in respond(&asked) {
                if !self.perform(step, stream.get_mut(), &socket)? {
                    return Ok(());
                }
            }
            busy.set(0);
        }
        Ok(())
    }

    /// Performs a step, and returns whether the connection stays open.
    fn perform(&self, step: Step, stream: &mut dyn Stream, socket: &TcpStream) -> io::Result<bool> {
        match step {
            Step::Send(bytes) => stream.write_all(&bytes)?,
            Step::Slowly(rate, bytes) => {
                for byte in bytes {
                    if self.is_stopped.load(Ordering::SeqCst) {
                        return Ok(false);
                    }
                    stream.write_all(&[byte])?;
                    thread::sleep(Duration::from_micros(1_000_000 / rate));
                }
            }
            Step::Repeat(times, bytes) => {
                for _ in 0..times {
                    if self.is_stopped.load(Ordering::SeqCst) {
                        return Ok(false);
                    }
                    stream.write_all(&bytes)?;
                }
            }
            Step::Wait => {
                socket.set_read_timeout(Some(Duration::from_millis(20)))?;
                let mut end = [0];
                loop {
                    match stream.read(&mut end) {
                        Ok(0) => return Ok(false),
                        Err(e) if !is_timeout(&e) => return Ok(false),
                        _ if self.is_stopped.load(Ordering::SeqCst) => return Ok(false),
                        _ => {}
                    }
                }
            }
            Step::Close => return Ok(false),
            Step::Reset => {
                // On this system, a reset discards received data that has not been read yet.
                if cfg!(windows) {
                    thread::sleep(Duration::from_millis(500));
                }
                SockRef::from(socket).set_linger(Some(Duration::ZERO))?;
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

type Head = (String, Vec<(String, String)>);

fn read_request(stream: &mut BufReader<Box<dyn Stream>>) -> io::Result<Option<Head>> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line)?;
    if !line.ends_with(b"\n") {
        return Ok(None);
    }
    let line = String::from_utf8_lossy(&line);
    let (mut headers, mut length) = (Vec::new(), 0);
    if !line.trim_end().ends_with("HTTP/1.1") {
        // A TLS ClientHello, which has no lines.
        let rest = stream.buffer().len();
        stream.consume(rest);
        return Ok(Some((line.into_owned(), headers)));
    }
    loop {
        let mut header = String::new();
        stream.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    io::copy(&mut stream.take(length), &mut io::sink())?;
    Ok(Some((line.trim_end().to_owned(), headers)))
}

/// Creates an authority for the certificates of these servers: its own certificate in
/// PEM, and its issuer.
fn authority(name: &str) -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), Issuer::new(params, key))
}

static TRUSTED: LazyLock<(String, Issuer<'static, KeyPair>)> =
    LazyLock::new(|| authority("trusted"));

/// Returns the certificate, in PEM, that a client of these servers trusts.
pub fn trusted_root() -> &'static str {
    &TRUSTED.0
}

fn tls_config(tls: Tls) -> Arc<ServerConfig> {
    let name = if tls == Tls::WrongName { "other.example" } else { "localhost" };
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let now = OffsetDateTime::now_utc();
    params.not_before = now - time::Duration::days(10);
    params.not_after = now + time::Duration::days(if tls == Tls::Expired { -1 } else { 10 });
    let key = KeyPair::generate().unwrap();
    let stranger;
    let issuer = if tls == Tls::Unknown {
        stranger = authority("stranger").1;
        &stranger
    } else {
        &TRUSTED.1
    };
    let certificate: CertificateDer<'static> = params.signed_by(&key, issuer).unwrap().into();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Arc::new(config)
}
