//! A server whose responses are as large, and as expensive, as the library accepts.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// The maximum size of a response that the library reads.
const LONGEST: usize = 4 << 20;

/// The server, which ends with the process.
pub struct Hostile {
    url: String,
}

impl Hostile {
    /// The number of hostile responses. The next number is a good one.
    pub const RESPONSES: usize = KINDS.len();

    /// Starts it.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || respond_to_all(stream));
            }
        });
        Hostile { url }
    }

    /// Returns its URL.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// Responds to each request with the response that its channel or prefix names:
/// `a0`, `a1` and so on.
fn respond_to_all(mut stream: TcpStream) {
    let mut request = [0; 65536];
    while let Ok(count @ 1..) = stream.read(&mut request) {
        let text = String::from_utf8_lossy(&request[..count]).into_owned();
        let number = text.split(['/', '=']).find_map(|part| {
            let digits = part.strip_prefix('a')?.split(['?', '&', ' ']).next()?;
            digits.parse::<usize>().ok()
        });
        let root = root_of(&text);
        let body = body(root, number.unwrap_or(KINDS.len()));
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).is_err() {
            return;
        }
    }
}

/// Returns the root element that the response to a request must have.
fn root_of(request: &str) -> &'static str {
    if request.contains("comp=stat") {
        "LiveChannelStat"
    } else if request.contains("comp=history") {
        "LiveChannelHistory"
    } else {
        "ListLiveChannelResult"
    }
}

/// What makes each response large: the repeated part, and the text around it.
const KINDS: &[(&str, &str, &str)] = &[
    ("", "<a/>", ""),
    ("", "<a/>\n", ""),
    (
        "",
        "<LiveChannel><Name>a</Name><Status>enabled</Status><LastModified>2026-11-22T08:16:38Z\
          </LastModified></LiveChannel>",
        "",
    ),
    (
        "",
        "<LiveRecord><StartTime>2026-11-22T08:16:38Z</StartTime><EndTime>2026-11-22T08:16:38Z\
          </EndTime></LiveRecord>",
        "",
    ),
    (
        "<LiveChannel><Name>a</Name><Status>enabled</Status><LastModified>2026-11-22T08:16:38Z\
      </LastModified><PublishUrls>",
        "<Url/>",
        "</PublishUrls></LiveChannel>",
    ),
    ("<NextMarker>", "\"", "</NextMarker>"),
    ("<NextMarker>", "&quot;", "</NextMarker>"),
    ("<NextMarker>", "a<!---->", "</NextMarker>"),
    ("<NextMarker>", "\r", "</NextMarker>"),
    ("<RemoteAddr>", "\t", "</RemoteAddr>"),
    ("<RemoteAddr>", "&#9;\u{ff0c}", "</RemoteAddr>"),
    ("<Message>", "\u{ff0c}", "</Message>"),
    ("", "<a>", ""),
    ("", "<a b='1' c='2' d='3' e='4'/>", ""),
    ("</", "n", ">"),
    ("<!--", "x", "-->"),
];

fn body(root: &str, number: usize) -> Vec<u8> {
    let good = "<Status>Idle</Status><IsTruncated>false</IsTruncated>";
    let Some((before, part, after)) = KINDS.get(number) else {
        return format!("<{root}>{good}</{root}>").into_bytes();
    };
    let around = format!("<{root}>{good}{before}{after}</{root}>").len();
    let filled = part.repeat((LONGEST - around) / part.len());
    format!("<{root}>{good}{before}{filled}{after}</{root}>").into_bytes()
}
