//! A proxy that changes an endpoint's responses, for HTTP and RTMP on one port,
//! like the endpoint.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use osslive_local::rtmp::{Event, Limits, Session};

use super::deviation::{Change, Deviation, Push};

/// The read timeout of connections.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A running proxy. It stops accepting connections when dropped.
pub struct Proxy {
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: SocketAddr,
    deviations: Vec<Deviation>,
    /// The names of the deviations that were applied.
    applied: Mutex<Vec<&'static str>>,
    /// Deviations that could not be applied.
    errors: Mutex<Vec<String>>,
    is_stopped: AtomicBool,
}

impl Proxy {
    pub fn start(upstream: &str, deviations: &[Deviation]) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared {
            upstream: upstream.parse().expect("an address"),
            deviations: deviations.to_vec(),
            applied: Mutex::default(),
            errors: Mutex::default(),
            is_stopped: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.is_stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(client), shared) = (client, accepting.clone()) else { continue };
                // A peer that disconnects is not a failure of the proxy.
                thread::spawn(move || drop(shared.serve(&client)));
            }
        });
        Proxy { url, shared }
    }

    /// Returns the deviations that were applied.
    pub fn applied(&self) -> Vec<&'static str> {
        let errors = self.shared.errors.lock().expect("no thread panicked");
        assert!(errors.is_empty(), "{errors:#?}");
        let mut names = self.shared.applied.lock().expect("no thread panicked").clone();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_stopped.store(true, Ordering::Relaxed);
        // Wakes the accepting thread.
        let address = self.url.trim_start_matches("http://").to_owned();
        drop(TcpStream::connect(address));
    }
}

impl Shared {
    fn serve(&self, client: &TcpStream) -> io::Result<()> {
        client.set_read_timeout(Some(TIMEOUT))?;
        client.set_nodelay(true)?;
        let mut first = [0];
        client.peek(&mut first)?;
        if first[0] == 3 { self.serve_rtmp(client) } else { self.serve_http(client) }
    }

    fn note(&self, deviation: &Deviation) {
        self.applied.lock().expect("no thread panicked").push(deviation.name);
    }

    /// Forwards one request, and closes the connection after its response.
    fn serve_http(&self, mut client: &TcpStream) -> io::Result<()> {
        let request = Message::read(client, false)?;
        let mut upstream = TcpStream::connect(self.upstream)?;
        upstream.set_read_timeout(Some(TIMEOUT))?;
        let head = request.head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
        upstream.write_all(format!("{head}\r\n\r\n").as_bytes())?;
        upstream.write_all(&request.body)?;
        let mut response = Message::read(&upstream, true)?;
        for deviation in
            self.deviations.iter().filter(|deviation| deviation.applies_to(&request.head))
        {
            self.note(deviation);
            for change in deviation.changes {
                match change {
                    // Longer than the command's timeout.
                    Change::Hang => thread::sleep(Duration::from_secs(8)),
                    Change::Cut => return client.shutdown(Shutdown::Both),
                    change => {
                        if let Err(error) = response.change(change) {
                            let error = format!("{}: {error}", deviation.name);
                            self.errors.lock().expect("no thread panicked").push(error);
                        }
                    }
                }
            }
        }
        response.set_header("connection", "close");
        if request.head.starts_with("HEAD ") {
            response.body.clear();
        } else {
            response.set_header("content-length", &response.body.len().to_string());
        }
        client.write_all(format!("{}\r\n\r\n", response.head).as_bytes())?;
        client.write_all(&response.body)?;
        client.shutdown(Shutdown::Write)
    }

    /// Forwards both directions, and parses them until the published channel is
    /// known.
    fn serve_rtmp(&self, client: &TcpStream) -> io::Result<()> {
        let upstream = TcpStream::connect(self.upstream)?;
        upstream.set_nodelay(true)?;
        let push = Arc::new(Mutex::new(None));
        let (mut from, mut to, kind) = (upstream.try_clone()?, client.try_clone()?, push.clone());
        let back = thread::spawn(move || {
            let copied = io::copy(&mut from, &mut to);
            match *kind.lock().expect("no thread panicked") {
                // The proxy responds instead of the endpoint.
                Some(Push::Accept | Push::Refuse(_) | Push::Close | Push::Keep) => copied.map(drop),
                None => to.shutdown(Shutdown::Write),
            }
        });
        self.forward(client, &upstream, &push)?;
        drop(upstream.shutdown(Shutdown::Write));
        back.join().expect("no thread panicked")
    }

    fn forward(
        &self,
        mut client: &TcpStream,
        mut upstream: &TcpStream,
        push: &Mutex<Option<Push>>,
    ) -> io::Result<()> {
        // Parses like the endpoint, to create the responses that it would send.
        let mut shadow = Session::new(Limits::default());
        let (mut buffer, mut is_open) = (vec![0; 65_536], true);
        loop {
            let count = client.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            let bytes = &buffer[..count];
            if is_open {
                // The endpoint sends the same.
                let _ = shadow.receive(bytes);
                drop(shadow.take_output());
            }
            let published = is_open.then(|| shadow.next_event()).flatten();
            if let Some(Event::Publish(request)) = published {
                is_open = false;
                let of = |d: &&Deviation| d.push.is_some() && d.affects(&request.stream);
                if let Some(deviation) = self.deviations.iter().find(of) {
                    self.note(deviation);
                    let action = deviation.push.expect("it is one");
                    *push.lock().expect("no thread panicked") = Some(action);
                    match action {
                        Push::Keep => {}
                        Push::Close => return client.shutdown(Shutdown::Both),
                        Push::Accept => shadow.accept(),
                        Push::Refuse(code) => shadow.reject(code, "Whatever: no."),
                    }
                    if action != Push::Keep {
                        client.write_all(&shadow.take_output())?;
                        if let Push::Refuse(_) = action {
                            client.shutdown(Shutdown::Write)?;
                        }
                        return io::copy(&mut client, &mut io::sink()).map(drop);
                    }
                }
            }
            // A client that is kept connected does not notice that nobody is listening.
            let sent = upstream.write_all(bytes);
            if push.lock().expect("no thread panicked").is_none() {
                sent?;
            }
        }
    }
}

/// A request or a response.
struct Message {
    /// The first line and the headers, without the empty line.
    head: String,
    body: Vec<u8>,
}

impl Message {
    /// Reads a message. Without a length, it ends with the connection if `to_end`
    /// is set, and otherwise has no body.
    fn read(mut from: &TcpStream, to_end: bool) -> io::Result<Message> {
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; 16_384]);
        let mut message = None;
        loop {
            let count = from.read(&mut buffer)?;
            bytes.extend_from_slice(&buffer[..count]);
            if message.is_none() {
                if let Some(end) = find(&bytes, b"\r\n\r\n") {
                    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
                    message = Some(Message { head, body: Vec::new() });
                    bytes.drain(..end + 4);
                }
            }
            let length = |message: &Message| {
                let chunked = message.header("transfer-encoding").is_some();
                match message.header("content-length") {
                    Some(length) => length.parse().ok().map(|length: usize| bytes.len() >= length),
                    None if chunked => Some(bytes.ends_with(b"0\r\n\r\n")),
                    None => Some(!to_end),
                }
            };
            let is_whole = message.as_ref().and_then(length).unwrap_or(false);
            if count == 0 || (is_whole && !to_end) {
                let mut message = message.ok_or(io::ErrorKind::UnexpectedEof)?;
                message.body = bytes;
                return Ok(message);
            }
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn remove_header(&mut self, name: &str) {
        let is_kept = |line: &&str| {
            !line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name))
        };
        self.head = self.head.split("\r\n").filter(is_kept).collect::<Vec<_>>().join("\r\n");
    }

    fn set_header(&mut self, name: &str, value: &str) {
        self.remove_header(name);
        self.head.push_str(&format!("\r\n{name}: {value}"));
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Changes the message, or returns why it cannot.
    fn change(&mut self, change: &Change) -> Result<(), String> {
        let text = self.text();
        let changed = match *change {
            Change::Status(status) => {
                let rest = self.head.split_once("\r\n").map_or("", |(_, rest)| rest);
                self.head = format!("HTTP/1.1 {status} Whatever\r\n{rest}");
                return Ok(());
            }
            Change::Header(name, value) => {
                self.set_header(name, value);
                return Ok(());
            }
            Change::NoHeader(name) => {
                self.remove_header(name);
                return Ok(());
            }
            Change::Body(body) => body.to_owned(),
            Change::Text(name, value) => {
                text.replacen(&element(&text, name)?, &format!("<{name}>{value}</{name}>"), 1)
            }
            Change::NoElement(name) => text.replacen(&element(&text, name)?, "", 1),
            Change::Rename(old, new) => text
                .replace(&format!("<{old}>"), &format!("<{new}>"))
                .replace(&format!("</{old}>"), &format!("</{new}>")),
            Change::Swap(first, second) => {
                let (one, other) = (element(&text, first)?, element(&text, second)?);
                let text = text.replacen(&one, "\u{0}", 1).replacen(&other, &one, 1);
                text.replacen('\u{0}', &other, 1)
            }
            Change::Replace(old, new) => text.replace(old, new),
            Change::Hang | Change::Cut => return Ok(()),
        };
        if changed == text {
            return Err(format!("{change:?} changes nothing in {text}"));
        }
        self.body = changed.into_bytes();
        Ok(())
    }
}

/// A whole element with its tags.
fn element(text: &str, name: &str) -> Result<String, String> {
    let open = text.find(&format!("<{name}>")).ok_or_else(|| format!("no {name} in {text}"))?;
    let close = format!("</{name}>");
    let end = text[open..].find(&close).ok_or_else(|| format!("{name} does not end"))?;
    Ok(text[open..open + end + close.len()].to_owned())
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
