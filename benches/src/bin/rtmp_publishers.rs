//! Publishes an FLV clip repeatedly in real time to many streams.
//!
//!     rtmp_publishers CLIP RTMP_PREFIX STREAMS SECONDS [PLAYLIST_URL]
//!
//! The streams are named RTMP_PREFIX`cam-0000` and so on. Prints `ready` when the
//! server has accepted all. With the URL of the playlist of `cam-0000`, it
//! requests the playlist every two milliseconds; then the last line is the median
//! time, in milliseconds, from sending the key frame that ends a fragment until
//! the fragment is in the playlist.

use osslive_local::media::flv::{Reader, TagKind};
use osslive_local::push::Publisher;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

struct Frame {
    kind: TagKind,
    at: u32,
    body: Vec<u8>,
}

impl Frame {
    /// Returns whether a decoder needs it only once: H.264 and AAC configuration, metadata.
    fn is_header(&self) -> bool {
        self.kind == TagKind::Script || self.body.get(1) == Some(&0) && self.body.len() < 128
    }

    fn is_key(&self) -> bool {
        self.kind == TagKind::Video && self.body.first() == Some(&0x17) && !self.is_header()
    }
}

fn frames(file: &[u8]) -> Vec<Frame> {
    let tags = Reader::new(file).expect("an FLV file").map(|tag| tag.expect("a whole tag"));
    tags.map(|tag| Frame { kind: tag.kind, at: tag.timestamp, body: tag.body }).collect()
}

fn publish(url: &str, clip: &[Frame], ready: &Barrier, length: Duration, key: impl Fn(Instant)) {
    let mut publisher = Publisher::connect(url, Duration::from_secs(10)).expect("accepted");
    ready.wait();
    let (started, mut offset) = (Instant::now(), 0);
    let period = clip.last().map_or(0, |frame| frame.at) + 33;
    loop {
        for frame in clip.iter().filter(|frame| offset == 0 || !frame.is_header()) {
            let due = Duration::from_millis(u64::from(offset + frame.at));
            if due > length {
                return drop(publisher.finish());
            }
            thread::sleep(due.saturating_sub(started.elapsed()));
            if frame.is_key() {
                key(Instant::now());
            }
            publisher.send(frame.kind, offset + frame.at, &frame.body).expect("sent");
        }
        offset += period;
    }
}

/// Returns the body, or `None` if it does not exist yet.
fn get(url: &str) -> Option<String> {
    let (host, path) = url.strip_prefix("http://")?.split_once('/')?;
    let mut connection = TcpStream::connect(host).ok()?;
    write!(connection, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| body.to_owned())
}

/// Returns when each new fragment was seen.
fn watch(url: &str, done: &AtomicBool) -> Vec<Instant> {
    let (mut seen, mut last) = (Vec::new(), String::new());
    while !done.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(2));
        let Some(body) = get(url) else { continue };
        let newest = body.lines().rfind(|line| line.ends_with(".ts")).unwrap_or_default();
        if newest != last {
            last = newest.to_owned();
            seen.push(Instant::now());
        }
    }
    seen
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [clip, prefix, streams, seconds, rest @ ..] = &arguments[..] else {
        panic!("rtmp_publishers CLIP RTMP_PREFIX STREAMS SECONDS [PLAYLIST_URL]")
    };
    let streams: usize = streams.parse().expect("a count");
    let length = Duration::from_secs(seconds.parse().expect("seconds"));
    let clip = frames(&fs::read(clip).expect("a clip"));
    let (ready, done, keys) =
        (Barrier::new(streams + 1), AtomicBool::new(false), Mutex::new(Vec::new()));
    let seen = thread::scope(|scope| {
        let (clip, ready, done, keys) = (&clip, &ready, &done, &keys);
        let publishers: Vec<_> = (0..streams)
            .map(|number| {
                let url = format!("{prefix}cam-{number:04}");
                let key = move |at| {
                    if number == 0 {
                        keys.lock().expect("no panic").push(at);
                    }
                };
                scope.spawn(move || publish(&url, clip, ready, length, key))
            })
            .collect();
        ready.wait();
        println!("ready");
        let watcher = rest.first().map(|url| scope.spawn(move || watch(url, done)));
        publishers.into_iter().for_each(|publisher| publisher.join().expect("published"));
        // The end of the stream lists the last fragment too, which is ignored.
        done.store(true, Ordering::Relaxed);
        watcher.map(|watcher| watcher.join().expect("watched"))
    });
    let keys = keys.into_inner().expect("no panic");
    let key_before = |at: &Instant| keys.iter().rfind(|key| *key < at).map(|key| *at - *key);
    let mut delays: Vec<_> = seen.iter().flatten().filter_map(key_before).collect();
    delays.sort_unstable();
    if let Some(median) = delays.get(delays.len() / 2) {
        println!("{:.2}", median.as_secs_f64() * 1000.0);
    }
}
