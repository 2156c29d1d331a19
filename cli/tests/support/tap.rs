//! A tap between an encoder and the endpoint, which can be read and cut.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// How many bytes from an encoder are kept: more than publishing takes.
const KEPT: usize = 16 * 1024;

/// Forwards connections, and remembers how each began.
pub struct Tap {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    wires: Arc<Mutex<Vec<Wire>>>,
}

struct Wire {
    client: TcpStream,
    first: Vec<u8>,
}

impl Tap {
    /// Creates a tap in front of `HOST:PORT`.
    pub fn on(authority: &str) -> Tap {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let wires = Arc::new(Mutex::new(Vec::new()));
        let (kept, authority) = (wires.clone(), authority.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&authority) else { continue };
                join(client, server, &kept);
            }
        });
        Tap { url, wires }
    }

    /// Returns the signatures that encoders published with, in order.
    pub fn signatures(&self) -> Vec<String> {
        let wires = self.wires.lock().expect("no wire panicked");
        wires.iter().filter_map(|wire| signature(&wire.first)).collect()
    }

    /// Cuts all current connections.
    pub fn cut(&self) {
        for wire in &*self.wires.lock().expect("no wire panicked") {
            let _ = wire.client.shutdown(Shutdown::Both);
        }
    }
}

fn join(client: TcpStream, server: TcpStream, wires: &Arc<Mutex<Vec<Wire>>>) {
    let clone = |stream: &TcpStream| stream.try_clone().expect("a second handle");
    let (back, forth) = (clone(&server), clone(&client));
    let number = {
        let mut wires = wires.lock().expect("no wire panicked");
        wires.push(Wire { client: clone(&client), first: Vec::new() });
        wires.len() - 1
    };
    thread::spawn(move || pass(back, forth, |_| {}));
    let wires = wires.clone();
    thread::spawn(move || {
        pass(client, server, |bytes| {
            let first = &mut wires.lock().expect("no wire panicked")[number].first;
            let room = KEPT.saturating_sub(first.len());
            first.extend_from_slice(&bytes[..bytes.len().min(room)]);
        });
    });
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut seen: impl FnMut(&[u8])) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        seen(&buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// An RTMP connection begins with 3, and contains its signature in plain text.
/// Without the padding, which some encoders escape.
fn signature(first: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(first.strip_prefix(&[3])?).into_owned();
    let (_, rest) = text.split_once("&Signature=")?;
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/".contains(c);
    Some(rest.chars().take_while(|&c| is_base64(c)).collect())
}
