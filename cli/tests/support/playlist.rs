//! Playback like a player's: playlists and fragments by plain GET.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::SOON;

/// Returns the body of a plain GET, which must succeed.
pub fn fetch(url: &str) -> Vec<u8> {
    let (status, body) = get(url);
    assert_eq!(status, 200, "{url}: {}", String::from_utf8_lossy(&body));
    body
}

/// Sends a plain GET on a new connection: returns status and body.
pub fn get(url: &str) -> (u16, Vec<u8>) {
    let rest = url.strip_prefix("http://").expect("an http URL");
    let (authority, path) = rest.split_once('/').expect("a path");
    let mut stream = TcpStream::connect(authority).expect("the endpoint listens");
    stream.set_read_timeout(Some(SOON)).expect("a limit");
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n")
        .expect("the request is sent");
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).expect("a whole response");
    let head = reply.windows(4).position(|four| four == b"\r\n\r\n").expect("a header");
    let status = String::from_utf8_lossy(&reply[..head]);
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
    (status.expect("a status"), reply.split_off(head + 4))
}

/// A fragment in a playlist.
#[derive(Debug)]
pub struct Fragment {
    pub seconds: f64,
    pub url: String,
    /// Whether a discontinuity precedes it.
    pub discontinuity: bool,
}

impl Fragment {
    /// Returns the name, without directory and query.
    pub fn name(&self) -> &str {
        let path = self.url.split('?').next().unwrap_or(&self.url);
        path.rsplit('/').next().unwrap_or(path)
    }
}

/// The contents of a playlist.
#[derive(Debug)]
pub struct Playlist {
    pub text: String,
    pub fragments: Vec<Fragment>,
    pub media_sequence: u64,
    pub discontinuities: usize,
    pub ended: bool,
}

impl Playlist {
    /// Reads the playlist at a URL; addresses become absolute.
    pub fn fetch(url: &str) -> Playlist {
        let text = String::from_utf8(fetch(url)).expect("UTF-8");
        assert!(text.starts_with("#EXTM3U\n"), "{text}");
        let path = url.split('?').next().expect("a path");
        let folder = &path[..=path.rfind('/').expect("a folder")];
        let mut playlist = Playlist {
            text: text.clone(),
            fragments: Vec::new(),
            media_sequence: 0,
            discontinuities: 0,
            ended: false,
        };
        let (mut seconds, mut discontinuity) = (0.0, false);
        for line in text.lines() {
            if let Some(value) = line.strip_prefix("#EXTINF:") {
                seconds = value.trim_end_matches(',').parse().expect("a length");
            } else if let Some(value) = line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:") {
                playlist.media_sequence = value.parse().expect("a number");
            } else if line == "#EXT-X-DISCONTINUITY" {
                playlist.discontinuities += 1;
                discontinuity = true;
            } else if line == "#EXT-X-ENDLIST" {
                playlist.ended = true;
            } else if !line.starts_with('#') && !line.is_empty() {
                let url =
                    if line.contains("://") { line.into() } else { format!("{folder}{line}") };
                playlist.fragments.push(Fragment { seconds, url, discontinuity });
                discontinuity = false;
            }
        }
        playlist
    }

    /// Returns the fragments' names, without directory and query.
    pub fn names(&self) -> Vec<&str> {
        self.fragments.iter().map(Fragment::name).collect()
    }

    /// Returns the total duration of the fragments in seconds.
    pub fn seconds(&self) -> f64 {
        self.fragments.iter().map(|fragment| fragment.seconds).sum()
    }
}
