//! A server whose responses a test determines, byte by byte.

use osslive::{Client, ClientBuilder, Credentials};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A server's response to a request.
pub enum Response {
    /// Writes these bytes and keeps the connection.
    Bytes(Vec<u8>),
    /// Writes these bytes and closes the connection.
    Close(Vec<u8>),
}

/// A received request: its first line, its headers, its body.
#[derive(Debug, Clone)]
pub struct Seen {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }
}

/// A server on a free port. It stops when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    stopped: Arc<AtomicBool>,
}

impl Server {
    /// Starts a server; `respond` receives each request with its number, from 1.
    pub fn start(respond: impl Fn(usize, &Seen) -> Response + Send + Sync + 'static) -> Self {
        Self::run(respond, true)
    }

    fn run(
        respond: impl Fn(usize, &Seen) -> Response + Send + Sync + 'static,
        keeps_log: bool,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stopped = Arc::new(AtomicBool::new(false));
        let (log, ended, respond) = (seen.clone(), stopped.clone(), Arc::new(respond));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let (log, respond) = (log.clone(), respond.clone());
                let log = keeps_log.then_some(log);
                thread::spawn(move || serve(stream.unwrap(), log.as_deref(), &*respond));
            }
        });
        Server { address, seen, stopped }
    }

    /// Starts a server that does not record requests, for tests that send many.
    #[allow(dead_code, reason = "most tests send few")]
    pub fn start_without_log(respond: impl Fn(&Seen) -> Response + Send + Sync + 'static) -> Self {
        Self::run(move |_, seen| respond(seen), false)
    }

    /// Returns the requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Returns a builder for a client of this server.
    pub fn client(&self) -> ClientBuilder {
        Client::builder()
            .endpoint(format!("http://{}", self.address))
            .region("cn-hangzhou")
            .bucket("live-demo")
            .credentials(Credentials::new("id", "secret"))
            .no_proxy()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(
    stream: TcpStream,
    log: Option<&Mutex<Vec<Seen>>>,
    respond: &(dyn Fn(usize, &Seen) -> Response + Sync),
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(seen) = read(&mut reader) {
        let number = log.map_or(0, |log| {
            let mut log = log.lock().unwrap();
            log.push(seen.clone());
            log.len()
        });
        match respond(number, &seen) {
            Response::Bytes(bytes) => {
                if stream.write_all(&bytes).is_err() {
                    return;
                }
            }
            Response::Close(bytes) => {
                let _ = stream.write_all(&bytes);
                return;
            }
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).ok()? == 0 {
            return None;
        }
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut seen = Seen { line: line.trim_end().to_owned(), headers, body: Vec::new() };
    let length = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
    seen.body = vec![0; length];
    reader.read_exact(&mut seen.body).ok()?;
    Some(seen)
}

/// Returns a response with a status and a body.
pub fn reply(status: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nx-oss-request-id: 6B02A4E6B92475920B0002F1\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Returns the response for an idle channel.
pub fn idle() -> Vec<u8> {
    reply("200 OK", "<LiveChannelStat><Status>Idle</Status></LiveChannelStat>")
}
