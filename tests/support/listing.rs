//! Names for tests of channel lists, and a server that lists those that the local
//! endpoint rejects.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Returns the expected names, in the order that the service documents.
pub fn names() -> Vec<String> {
    serde_json::from_str(include_str!("../data/names.json")).expect("an array of strings")
}

/// Returns names that the local endpoint rejects but another service might list, sorted.
pub fn foreign_names() -> Vec<String> {
    serde_json::from_str(include_str!("../data/foreign-names.json")).expect("an array of strings")
}

/// Serves sorted names page by page for as long as the test runs. Returns the
/// server's URL.
pub fn serve(names: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let names = Arc::new(names);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let names = names.clone();
            thread::spawn(move || respond(stream, &names));
        }
    });
    url
}

fn respond(mut stream: TcpStream, names: &[String]) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request)? == 0 {
            return Ok(());
        }
        let mut header = String::new();
        while reader.read_line(&mut header)? > 2 {
            header.clear();
        }
        let body = page(&request, names);
        let length = body.len();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}")?;
    }
}

fn page(request: &str, names: &[String]) -> String {
    let marker = parameter(request, "marker").unwrap_or_default();
    let size = parameter(request, "max-keys").map_or(100, |size| size.parse().expect("a number"));
    let left: Vec<_> = names.iter().filter(|name| **name > marker).collect();
    let listed = &left[..left.len().min(size)];
    let channels: String = listed.iter().map(|name| channel(&escaped(name))).collect();
    let next = listed.last().filter(|_| left.len() > size);
    let next = next.map_or(String::new(), |n| format!("<NextMarker>{}</NextMarker>", escaped(n)));
    let is_truncated = !next.is_empty();
    format!(
        "<ListLiveChannelResult><Prefix></Prefix><Marker>{}</Marker><MaxKeys>{size}</MaxKeys>\
         <IsTruncated>{is_truncated}</IsTruncated>{next}{channels}</ListLiveChannelResult>",
        escaped(&marker)
    )
}

fn channel(name: &str) -> String {
    format!(
        "<LiveChannel><Name>{name}</Name><Description>{name}</Description>\
         <Status>enabled</Status><LastModified>2026-11-22T12:00:00.000Z</LastModified>\
         <PublishUrls><Url>rtmp://a.example/live/a</Url></PublishUrls>\
         <PlayUrls><Url>http://a.example/a/playlist.m3u8</Url></PlayUrls></LiveChannel>"
    )
}

fn escaped(name: &str) -> String {
    name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#13;")
}

/// Returns the value of a query parameter.
fn parameter(request: &str, name: &str) -> Option<String> {
    let target = request.split(' ').nth(1)?;
    let (_, query) = target.split_once('?')?;
    let value = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")))?;
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let digits = std::str::from_utf8(&after[..2]).expect("two digits");
            bytes.push(u8::from_str_radix(digits, 16).expect("a byte"));
            rest = &after[2..];
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
        }
    }
    Some(String::from_utf8(bytes).expect("UTF-8"))
}
