//! A server with canned responses, as fast as possible, so that measurements
//! depend only on the client: one blocking thread per connection, one read and
//! one write per request, and no computation.
//!
//! Prints its port, then serves until the end of standard input.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

const URLS: &str = "
    <PublishUrls>
      <Url>rtmp://live-demo.oss-cn-hangzhou.aliyuncs.com/live/cam-NNNN</Url>
    </PublishUrls>
    <PlayUrls>
      <Url>http://live-demo.oss-cn-hangzhou.aliyuncs.com/cam-NNNN/playlist.m3u8</Url>
    </PlayUrls>";

const STAT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<LiveChannelStat>
  <Status>Live</Status>
  <ConnectedTime>2026-11-22T08:16:38.000Z</ConnectedTime>
  <RemoteAddr>203.0.113.9:47745</RemoteAddr>
  <Video>
    <Width>1280</Width>
    <Height>720</Height>
    <FrameRate>29</FrameRate>
    <Bandwidth>72513</Bandwidth>
    <Codec>H264</Codec>
  </Video>
  <Audio>
    <Bandwidth>6519</Bandwidth>
    <SampleRate>44100</SampleRate>
    <Codec>AAC</Codec>
  </Audio>
</LiveChannelStat>
"#;

struct Responses {
    stat: Vec<u8>,
    history: Vec<u8>,
    put: Vec<u8>,
    /// By the requested number of channels.
    lists: Vec<(usize, Vec<u8>)>,
}

const LISTS: [usize; 5] = [100, 125, 250, 500, 1000];

impl Responses {
    fn new() -> Self {
        Responses {
            stat: response(STAT),
            history: response(&history()),
            put: response(&format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CreateLiveChannelResult>{}\n</CreateLiveChannelResult>\n",
                URLS.replace("NNNN", "0001")
            )),
            lists: LISTS.map(|n| (n, response(&list(n)))).into(),
        }
    }

    fn to(&self, request_line: &[u8]) -> &[u8] {
        let line = String::from_utf8_lossy(request_line);
        let max_keys = || {
            let (_, after) = line.split_once("max-keys=")?;
            let digits = after.split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse::<usize>().ok()
        };
        let list = || {
            let requested = max_keys()?;
            self.lists.iter().find(|(count, _)| *count == requested)
        };
        match () {
            () if line.starts_with("PUT") => &self.put,
            () if line.contains("comp=history") => &self.history,
            () if line.contains("comp=stat") => &self.stat,
            () => list().map_or(&self.stat, |(_, list)| list),
        }
    }
}

fn response(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nServer: AliyunOSS\r\nDate: Sun, 22 Nov 2026 08:16:38 GMT\r\n\
         Content-Type: application/xml\r\nContent-Length: {}\r\nConnection: keep-alive\r\n\
         x-oss-request-id: 6B02A4E6B92475920B00F3A1\r\nx-oss-server-time: 3\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn history() -> String {
    let record = "
  <LiveRecord>
    <StartTime>2026-11-22T01:53:21.000Z</StartTime>
    <EndTime>2026-11-22T01:53:31.000Z</EndTime>
    <RemoteAddr>203.0.113.9:56861</RemoteAddr>
  </LiveRecord>";
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LiveChannelHistory>{}\n</LiveChannelHistory>\n",
        record.repeat(10)
    )
}

fn list(count: usize) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListLiveChannelResult>\n  <Prefix></Prefix>\n  \
         <Marker></Marker>\n  <MaxKeys>{count}</MaxKeys>\n  <IsTruncated>false</IsTruncated>\n"
    );
    for number in 0..count {
        let channel = format!(
            "  <LiveChannel>\n    <Name>cam-NNNN</Name>\n    <Description>Camera NNNN</Description>\n    \
             <Status>enabled</Status>\n    <LastModified>2026-11-22T08:16:38.000Z</LastModified>{URLS}\n  \
             </LiveChannel>\n"
        );
        text.push_str(&channel.replace("NNNN", &format!("{number:04}")));
    }
    text + "</ListLiveChannelResult>\n"
}

/// Returns the length of the first request in the buffer, once complete.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    if bytes.starts_with(b"GET") {
        return Some(head);
    }
    let lines = std::str::from_utf8(&bytes[..head]).ok()?.lines();
    let length = lines.filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let whole = head + length.unwrap_or(0);
    (bytes.len() >= whole).then_some(whole)
}

fn serve(mut connection: TcpStream, responses: &Responses) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut buffer = vec![0; 64 * 1024];
    let mut filled = 0;
    loop {
        if let Some(length) = request_length(&buffer[..filled]) {
            let line = buffer[..length].split(|byte| *byte == b'\r').next().unwrap_or_default();
            connection.write_all(responses.to(line))?;
            buffer.copy_within(length..filled, 0);
            filled -= length;
            continue;
        }
        match connection.read(&mut buffer[filled..])? {
            0 => return Ok(()),
            count => filled += count,
        }
    }
}

fn main() -> io::Result<()> {
    if std::env::args().nth(1).as_deref() == Some("--print") {
        // To inspect the responses, or to use them in another server.
        for body in [STAT.to_owned(), history(), list(100), list(1000)] {
            println!("{body}");
        }
        return Ok(());
    }
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("{}", listener.local_addr()?.port());
    let responses = Arc::new(Responses::new());
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let responses = responses.clone();
            // A closed connection is not an error.
            thread::spawn(move || drop(serve(connection, &responses)));
        }
    });
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
