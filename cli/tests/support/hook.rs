//! A receiver of webhooks that can be killed.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

/// The monitor's signing secret in tests.
pub const HOOK_SECRET: &str = "a secret of the webhooks in tests";

/// A received request, whether or not it was answered.
#[derive(Clone, Debug)]
pub struct Received {
    pub id: String,
    pub body: String,
    pub event: String,
    pub channel: String,
    pub timestamp: String,
    pub signature: String,
}

/// A receiver's response.
pub enum Reply {
    Bytes(Vec<u8>),
    /// The receiver is killed before it responds.
    Close,
}

impl Reply {
    pub fn status(line: &str) -> Reply {
        let text = format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        Reply::Bytes(text.into_bytes())
    }
}

type Answer = dyn Fn(usize, &Received) -> Reply + Send + Sync;

/// A receiver on its own port, which keeps its requests when it is killed.
pub struct Hook {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    answer: Arc<Answer>,
    running: Option<Running>,
}

struct Running {
    is_stopped: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Hook {
    /// Starts a receiver; its response depends on how many requests it has
    /// received.
    pub fn start(answer: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static) -> Hook {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut hook =
            Hook { address, received: Arc::default(), answer: Arc::new(answer), running: None };
        hook.serve(listener);
        hook
    }

    /// Starts a receiver that accepts everything.
    pub fn accepting() -> Hook {
        Hook::start(|_, _| Reply::status("204 No Content"))
    }

    pub fn url(&self) -> String {
        format!("http://{}/events", self.address)
    }

    /// Stops the receiver; connections are refused from now on.
    pub fn kill(&mut self) {
        let Some(running) = self.running.take() else { return };
        running.is_stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        running.thread.join().expect("the receiver does not panic");
    }

    /// Restarts it on the same port.
    pub fn restart(&mut self) {
        self.kill();
        let mut last = None;
        for _ in 0..200 {
            match TcpListener::bind(self.address) {
                Ok(listener) => return self.serve(listener),
                Err(error) => last = Some(error),
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("the port is not free again: {last:?}");
    }

    /// Returns all requests so far, including repeated ones.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no receiver panicked").clone()
    }

    /// Returns each event once, in the order of arrival, as `channel event`. Fails
    /// if a repeated one differs.
    pub fn events(&self) -> Vec<String> {
        let mut seen: Vec<Received> = Vec::new();
        let mut by_id = std::collections::HashMap::new();
        for received in self.received() {
            match by_id.get(&received.id) {
                Some(body) => assert_eq!(body, &received.body, "the same id, another event"),
                None => {
                    by_id.insert(received.id.clone(), received.body.clone());
                    seen.push(received);
                }
            }
        }
        seen.iter().map(|received| format!("{} {}", received.channel, received.event)).collect()
    }

    fn serve(&mut self, listener: TcpListener) {
        let is_stopped = Arc::new(AtomicBool::new(false));
        let (stop, received) = (is_stopped.clone(), self.received.clone());
        let answer = self.answer.clone();
        let thread = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (received, answer, stop) = (received.clone(), answer.clone(), stop.clone());
                thread::spawn(move || exchange(stream, &received, &*answer, &stop));
            }
        });
        self.running = Some(Running { is_stopped, thread });
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.kill();
    }
}

fn exchange(
    mut stream: TcpStream,
    received: &Mutex<Vec<Received>>,
    answer: &Answer,
    stop: &AtomicBool,
) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
    let Some(request) = read(&mut stream) else { return };
    let number = {
        let mut received = received.lock().expect("no receiver panicked");
        received.push(request.clone());
        received.len() - 1
    };
    match answer(number, &request) {
        Reply::Bytes(bytes) if !stop.load(Ordering::SeqCst) => {
            let _ = stream.write_all(&bytes);
        }
        _ => {}
    }
}

/// Reads a request and verifies its signature.
fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let header = |name: &str| {
                let mut lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
                let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.trim().to_owned())
            };
            let length: usize = header("content-length")?.parse().ok()?;
            if body.len() >= length {
                let (id, time) = (header("webhook-id")?, header("webhook-timestamp")?);
                let signature = header("webhook-signature")?;
                verify(&id, &time, body, &signature);
                let json: Value = serde_json::from_str(body).expect("JSON");
                assert_eq!(json["id"], id.as_str());
                let word = |name: &str| json[name].as_str().expect(name).to_owned();
                let (event, channel) = (word("event"), word("channel"));
                let (body, timestamp) = (body.to_owned(), time);
                return Some(Received { id, body, event, channel, timestamp, signature });
            }
        }
        match stream.read(&mut buffer) {
            Ok(count @ 1..) => bytes.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
}

fn verify(id: &str, time: &str, body: &str, signature: &str) {
    let mut mac = Hmac::<Sha256>::new_from_slice(HOOK_SECRET.as_bytes()).expect("a key");
    mac.update(format!("{id}.{time}.{body}").as_bytes());
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(signature, expected, "the signature of {body}");
    let sent: i64 = time.parse().expect("a number");
    assert!((super::unix_now() - sent).abs() < 60, "sent at {sent}");
}
