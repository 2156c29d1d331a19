//! A blocking RTMP publisher, for demonstrations and tests.

use crate::media::flv::{Reader, Tag, TagKind};
use crate::media::pacer::Pacer;
use crate::rtmp::{ClientSession, ClientState, ProtocolError};
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::thread;
use std::time::{Duration, Instant};

const DEFAULT_PORT: u16 = 1935;

/// How long [`push_flv`] waits for the server to accept, and for each write.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long a server may take to read everything after the end of the stream.
const LINGER: Duration = Duration::from_secs(10);

/// The polling interval for the server and the caller while waiting.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Why publishing failed.
#[derive(Debug)]
pub enum PushError {
    /// The URL does not have the form `rtmp://host[:port]/app/stream`.
    Url(String),
    /// The server cannot be reached.
    Connect(io::Error),
    /// The server did not respond or read in time.
    TimedOut,
    /// The server rejected the stream, with a reason.
    Refused {
        /// The status code, such as `NetStream.Publish.BadName`.
        code: String,
        /// The description, in addition to the code; may be empty.
        description: String,
    },
    /// The server closed the connection without giving a reason.
    Closed,
    /// The connection was lost.
    Io(io::Error),
    /// The server does not speak RTMP, or a message is too long for it.
    Protocol(ProtocolError),
    /// The clip cannot be read.
    Clip(io::Error),
    /// The clip contains neither video nor audio.
    EmptyClip,
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PushError::Url(url) => {
                write!(f, "URL {url:?}: must have the form rtmp://host/app/stream")
            }
            PushError::Connect(error) => write!(f, "the RTMP server is unreachable: {error}"),
            PushError::TimedOut => f.write_str("the RTMP server did not respond in time"),
            PushError::Refused { code, description } if description.is_empty() => {
                write!(f, "the RTMP server rejected the stream: {code}")
            }
            PushError::Refused { code, description } => {
                write!(f, "the RTMP server rejected the stream: {description} ({code})")
            }
            PushError::Closed => f.write_str("the RTMP server closed the connection"),
            PushError::Io(error) => write!(f, "the RTMP connection was lost: {error}"),
            PushError::Protocol(error) => write!(f, "RTMP: {error}"),
            PushError::Clip(error) => write!(f, "cannot read the clip: {error}"),
            PushError::EmptyClip => f.write_str("the clip contains neither video nor audio"),
        }
    }
}

impl std::error::Error for PushError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            PushError::Connect(error) | PushError::Io(error) | PushError::Clip(error) => {
                Some(error)
            }
            PushError::Protocol(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ProtocolError> for PushError {
    fn from(error: ProtocolError) -> Self {
        PushError::Protocol(error)
    }
}

impl From<io::Error> for PushError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => PushError::TimedOut,
            ErrorKind::BrokenPipe
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::UnexpectedEof => PushError::Closed,
            _ => PushError::Io(error),
        }
    }
}

/// A stream that a server has accepted.
///
/// Dropping it closes the connection mid-stream, like a killed encoder.
pub struct Publisher {
    socket: TcpStream,
    session: ClientSession,
    buffer: Box<[u8]>,
    timeout: Duration,
}

impl Publisher {
    /// Publishes to `url`, `rtmp://host[:port]/app/stream?query`, and returns
    /// when the server has accepted.
    ///
    /// The app is everything up to the last slash before the query; the stream
    /// is sent as typed, with its query. The port defaults to 1935. `timeout`
    /// limits first the time until the server accepts (each address of the host
    /// may take as long to connect), and then each write.
    ///
    /// # Errors
    ///
    /// See [`PushError`]; a rejection contains the server's own message.
    pub fn connect(url: &str, timeout: Duration) -> Result<Self, PushError> {
        let target = Target::parse(url).ok_or_else(|| PushError::Url(url.to_owned()))?;
        let started = Instant::now();
        if timeout.is_zero() {
            return Err(PushError::TimedOut);
        }
        let socket = target.connect(timeout).map_err(|error| match error.kind() {
            ErrorKind::TimedOut => PushError::TimedOut,
            _ => PushError::Connect(error),
        })?;
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(timeout))?;
        let session = ClientSession::new(target.app, target.tc_url, target.stream);
        let buffer = vec![0; 8192].into();
        let mut publisher = Publisher { socket, session, buffer, timeout };
        publisher.negotiate(started)?;
        Ok(publisher)
    }

    /// Sends the body of one FLV tag; timestamps wrap after 49.7 days.
    ///
    /// # Errors
    ///
    /// See [`PushError`]. If the server has rejected the stream in the meantime, the
    /// error contains its message.
    pub fn send(&mut self, kind: TagKind, timestamp_ms: u32, body: &[u8]) -> Result<(), PushError> {
        match kind {
            TagKind::Audio => self.session.send_audio(timestamp_ms, body)?,
            TagKind::Video => self.session.send_video(timestamp_ms, body)?,
            TagKind::Script => self.session.send_metadata(timestamp_ms, body)?,
        }
        self.poll()
    }

    /// Processes what the server has sent, without waiting for more, and sends
    /// pending output.
    ///
    /// # Errors
    ///
    /// The same as [`send`](Self::send).
    pub fn poll(&mut self) -> Result<(), PushError> {
        let received = self.listen();
        self.check_refusal()?;
        received?;
        if *self.session.state() == ClientState::Closed {
            return Err(PushError::Closed);
        }
        self.flush()
    }

    /// Ends the stream and returns when the server has read all of it, or after
    /// ten seconds: closing earlier would reset the connection and lose what a
    /// slow server has not read yet.
    ///
    /// # Errors
    ///
    /// The server rejected the stream, or closed the connection, before its end.
    pub fn finish(mut self) -> Result<(), PushError> {
        self.session.finish();
        self.flush()?;
        self.socket.shutdown(Shutdown::Write)?;
        let started = Instant::now();
        let limit = self.timeout.min(LINGER);
        while let Some(left) = remaining(started, limit) {
            self.socket.set_read_timeout(Some(left))?;
            // However the server closes, it has received everything.
            match self.receive() {
                Ok(true) => self.check_refusal()?,
                Ok(false) | Err(_) => break,
            }
        }
        Ok(())
    }

    fn negotiate(&mut self, started: Instant) -> Result<(), PushError> {
        loop {
            self.check_refusal()?;
            self.flush()?;
            match self.session.state() {
                ClientState::Publishing => return Ok(()),
                ClientState::Closed => return Err(PushError::Closed),
                ClientState::Connecting | ClientState::Refused { .. } => {}
            }
            let left = remaining(started, self.timeout).ok_or(PushError::TimedOut)?;
            self.socket.set_read_timeout(Some(left))?;
            if !self.receive()? {
                return Err(PushError::Closed);
            }
        }
    }

    /// Processes what has arrived; fails if the server then closed the connection.
    fn listen(&mut self) -> Result<(), PushError> {
        self.socket.set_nonblocking(true)?;
        let outcome = loop {
            match self.receive() {
                Ok(true) => {}
                Ok(false) => break Err(PushError::Closed),
                Err(PushError::TimedOut) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.socket.set_nonblocking(false)?;
        outcome
    }

    /// Reads once; returns `false` at the end.
    fn receive(&mut self) -> Result<bool, PushError> {
        let length = loop {
            match self.socket.read(&mut self.buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                outcome => break outcome?,
            }
        };
        self.session.receive(&self.buffer[..length])?;
        Ok(length > 0)
    }

    fn flush(&mut self) -> Result<(), PushError> {
        let output = self.session.take_output();
        if let Err(error) = self.socket.write_all(&output) {
            // A server that refuses closes too, and its reason is still unread.
            let _ = self.listen();
            self.check_refusal()?;
            return Err(error.into());
        }
        Ok(())
    }

    fn check_refusal(&self) -> Result<(), PushError> {
        match self.session.state() {
            ClientState::Refused { code, description } => {
                Err(PushError::Refused { code: code.clone(), description: description.clone() })
            }
            _ => Ok(()),
        }
    }
}

/// Returns what is left of `limit`; `None` if nothing is.
fn remaining(started: Instant, limit: Duration) -> Option<Duration> {
    limit.checked_sub(started.elapsed()).filter(|left| !left.is_zero())
}

/// The parts of an RTMP URL.
#[derive(Debug, PartialEq)]
struct Target<'a> {
    host: &'a str,
    port: u16,
    app: &'a str,
    tc_url: &'a str,
    stream: &'a str,
}

impl<'a> Target<'a> {
    fn parse(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (authority, path) = rest.split_once('/')?;
        // A signature in the query may contain slashes.
        let query = path.find('?').unwrap_or(path.len());
        let (app, _) = path[..query].rsplit_once('/')?;
        let stream = &path[app.len() + 1..];
        let tc_url = &url[..url.len() - stream.len() - 1];
        let (host, port) = Self::host_and_port(authority)?;
        let complete = !host.is_empty() && !app.is_empty() && query > app.len() + 1;
        (scheme.eq_ignore_ascii_case("rtmp") && complete).then_some(Target {
            host,
            port,
            app,
            tc_url,
            stream,
        })
    }

    fn host_and_port(authority: &str) -> Option<(&str, u16)> {
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        match port.strip_prefix(':') {
            Some(port) => Some((host, port.parse().ok()?)),
            None => port.is_empty().then_some((host, DEFAULT_PORT)),
        }
    }

    /// Connects to the first of the host's addresses that accepts.
    fn connect(&self, timeout: Duration) -> io::Result<TcpStream> {
        let mut last = io::Error::new(ErrorKind::NotFound, "could not resolve the host");
        for address in (self.host, self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(socket) => return Ok(socket),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// How [`push_flv`] sends a clip. By default it sends the clip once, as fast as
/// the server reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PushOptions {
    /// How much media to send; the clip is looped or truncated. `None` sends it
    /// once.
    pub duration: Option<Duration>,
    /// Whether frames are sent in real time, as an encoder does.
    pub real_time: bool,
}

/// The progress of a push.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// The timestamp of the last message in the stream.
    pub media: Duration,
    /// The time since the server accepted.
    pub elapsed: Duration,
    /// Messages sent, metadata included.
    pub messages: u64,
    /// Bytes of these messages.
    pub bytes: u64,
}

/// The final progress of a push.
pub type Summary = Progress;

/// Publishes an FLV file to `url`, looped as `options` require.
///
/// Timestamps start at zero and keep increasing when the clip is looped.
/// `progress` is called after each message, and ten times per second while
/// waiting; returning `false` ends the stream cleanly.
///
/// # Errors
///
/// See [`PushError`].
pub fn push_flv(
    url: &str,
    flv: &[u8],
    options: PushOptions,
    progress: &mut dyn FnMut(Progress) -> bool,
) -> Result<Summary, PushError> {
    let tags = read_clip(flv)?;
    let publisher = Publisher::connect(url, TIMEOUT)?;
    let pace = options.real_time.then(Instant::now);
    let mut push = Push { publisher, pace, started: Instant::now(), done: Progress::default() };
    for (due, tag) in schedule(&tags, options.duration) {
        if !push.wait(due, progress)? || !push.send(due, tag, progress)? {
            break;
        }
    }
    let summary = Progress { elapsed: push.started.elapsed(), ..push.done };
    push.publisher.finish()?;
    Ok(summary)
}

fn read_clip(flv: &[u8]) -> Result<Vec<Tag>, PushError> {
    let tags = Reader::new(flv).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let tags = tags.map_err(PushError::Clip)?;
    let is_media = |tag: &Tag| tag.kind != TagKind::Script && !tag.is_header();
    if tags.iter().any(is_media) { Ok(tags) } else { Err(PushError::EmptyClip) }
}

/// Returns the tags to send and when each is due: once, or looped until
/// `duration` is reached. Metadata is sent once, codec headers in each round, for
/// decoders that join late.
fn schedule(tags: &[Tag], duration: Option<Duration>) -> impl Iterator<Item = (Duration, &Tag)> {
    let rounds = if duration.is_some() { u64::MAX } else { 1 };
    let mut pacer = Pacer::default();
    (0..rounds)
        .flat_map(move |round| tags.iter().map(move |tag| (round, tag)))
        .filter(|(round, tag)| *round == 0 || tag.kind != TagKind::Script)
        .map(move |(_, tag)| (pacer.due(tag), tag))
        .take_while(move |(due, _)| duration.is_none_or(|duration| *due < duration))
}

/// A push in progress.
struct Push {
    publisher: Publisher,
    /// When the stream's time zero was, if frames are sent in real time.
    pace: Option<Instant>,
    started: Instant,
    done: Progress,
}

impl Push {
    fn wait(
        &mut self,
        time: Duration,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<bool, PushError> {
        let Some(zero) = self.pace else { return Ok(true) };
        while let Some(left) = remaining(zero, time) {
            thread::sleep(left.min(POLL_INTERVAL));
            if left > POLL_INTERVAL {
                self.publisher.poll()?;
                if !self.report(progress) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn send(
        &mut self,
        time: Duration,
        tag: &Tag,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<bool, PushError> {
        self.publisher.send(tag.kind, time.as_millis() as u32, &tag.body)?;
        self.done.media = time;
        self.done.messages += 1;
        self.done.bytes += tag.body.len() as u64;
        Ok(self.report(progress))
    }

    fn report(&mut self, progress: &mut dyn FnMut(Progress) -> bool) -> bool {
        self.done.elapsed = self.started.elapsed();
        progress(self.done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtmp::{Event, Limits, Session};
    use std::net::{SocketAddr, TcpListener};
    use std::thread::JoinHandle;

    /// How a test server reacts when a client publishes or sends video.
    type Reaction = fn(&mut Session, &Event) -> Next;

    enum Next {
        Serve,
        /// Responds, then stops reading and closes the connection.
        HangUp,
    }

    fn accept(session: &mut Session, event: &Event) -> Next {
        if let Event::Publish(_) = event {
            session.accept();
        }
        Next::Serve
    }

    /// Starts a server for one connection, which returns the events it saw.
    fn server(react: Reaction) -> (SocketAddr, JoinHandle<Vec<Event>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (address, thread::spawn(move || serve(&listener.accept().unwrap().0, react)))
    }

    fn serve(mut socket: &TcpStream, react: Reaction) -> Vec<Event> {
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut session = Session::new(Limits::default());
        let (mut events, mut buffer) = (Vec::new(), vec![0; 32_768]);
        loop {
            let length = socket.read(&mut buffer).unwrap();
            if length == 0 {
                return events;
            }
            session.receive(&buffer[..length]).unwrap();
            while let Some(event) = session.next_event() {
                let next = react(&mut session, &event);
                events.push(event);
                if let Next::HangUp = next {
                    socket.write_all(&session.take_output()).unwrap();
                    return hang_up(socket, events);
                }
            }
            socket.write_all(&session.take_output()).unwrap();
        }
    }

    /// Closes the connection properly: unread bytes would reset it, and the last
    /// output would be lost.
    fn hang_up(mut socket: &TcpStream, events: Vec<Event>) -> Vec<Event> {
        socket.shutdown(Shutdown::Write).unwrap();
        let _ = io::copy(&mut socket, &mut io::sink());
        events
    }

    fn url(address: SocketAddr) -> String {
        format!("rtmp://{address}/live/ch1?x=y")
    }

    fn connect(address: SocketAddr) -> Result<Publisher, PushError> {
        Publisher::connect(&url(address), TIMEOUT)
    }

    /// Returns metadata, two headers, and 25 video frames per second with audio.
    fn clip(frames: u32) -> Vec<u8> {
        clip_from(1000, 1000, frames)
    }

    /// Returns the same, with these times of headers and media.
    fn clip_from(headers: u32, media: u32, frames: u32) -> Vec<u8> {
        let mut file = b"FLV\x01\x05\0\0\0\x09\0\0\0\0".to_vec();
        let mut tag = |kind: u8, time: u32, body: &[u8]| {
            let [high, a, b, c] = time.to_be_bytes();
            file.extend([kind, 0, 0, body.len() as u8, a, b, c, high, 0, 0, 0]);
            file.extend(body);
            file.extend((11 + body.len() as u32).to_be_bytes());
        };
        tag(18, 0, b"\x02\0\x0aonMetaData\x03\0\0\x09");
        tag(9, headers, b"\x17\0video header");
        tag(8, headers, b"\xaf\0audio header");
        for frame in 0..frames {
            tag(9, media + frame * 40, b"\x17\x01video");
            tag(8, media + frame * 40, b"\xaf\x01audio");
        }
        file
    }

    fn video_times(events: &[Event]) -> Vec<u64> {
        let times = events.iter().filter_map(|event| match event {
            Event::Video { timestamp, body } if body[1] == 1 => Some(*timestamp),
            _ => None,
        });
        times.collect()
    }

    #[test]
    fn a_url_is_split_at_the_last_slash_before_its_query() {
        let target = Target::parse("rtmp://h:1936/bucket/live/ch?x=a/b&y=%2F").unwrap();
        let expected = Target {
            host: "h",
            port: 1936,
            app: "bucket/live",
            tc_url: "rtmp://h:1936/bucket/live",
            stream: "ch?x=a/b&y=%2F",
        };
        assert_eq!(target, expected);
        let target = Target::parse("RTMP://[::1]/live/ch").unwrap();
        assert_eq!((target.host, target.port, target.stream), ("::1", 1935, "ch"));
        assert_eq!(target.tc_url, "RTMP://[::1]/live");
    }

    #[test]
    fn a_url_that_names_no_server_app_or_stream_is_refused_before_any_connection() {
        for url in [
            "",
            "rtmp://",
            "rtmp://h",
            "rtmp://h/",
            "rtmp://h/ch",
            "rtmp://h/live/",
            "rtmp://h/live/?x=y",
            "rtmp:///live/ch",
            "rtmp://h:port/live/ch",
            "rtmp://h:65536/live/ch",
            "rtmp://[::1/live/ch",
            "rtmp://[::1]1935/live/ch",
            "rtmps://h/live/ch",
            "http://h/live/ch",
            "h/live/ch",
        ] {
            let error = Publisher::connect(url, TIMEOUT).err();
            assert!(matches!(error, Some(PushError::Url(_))), "{url}: {error:?}");
        }
    }

    #[test]
    fn published_media_arrives() {
        let (address, server) = server(accept);
        let mut publisher = connect(address).unwrap();
        let frame = vec![7; 300_000];
        publisher.send(TagKind::Script, 0, b"\x02\0\x0aonMetaData\x03\0\0\x09").unwrap();
        publisher.send(TagKind::Video, 1, &frame).unwrap();
        publisher.send(TagKind::Audio, 2, b"audio").unwrap();
        publisher.finish().unwrap();
        let events = server.join().unwrap();
        let Event::Publish(request) = &events[0] else { panic!("{:?}", events[0]) };
        assert_eq!((&request.app[..], &request.stream[..]), ("live", "ch1?x=y"));
        let expected = [
            Event::Metadata(vec![]),
            Event::Video { timestamp: 1, body: frame },
            Event::Audio { timestamp: 2, body: b"audio".to_vec() },
            Event::Finished,
        ];
        assert!(events[1..] == expected);
    }

    #[test]
    fn a_refusal_contains_the_servers_message() {
        let (address, server) = server(|session, _| {
            session.reject("NetStream.Publish.Unauthorized", "AccessDenied: expired");
            Next::HangUp
        });
        let error = connect(address).err().unwrap();
        let expected = "the RTMP server rejected the stream: \
                        AccessDenied: expired (NetStream.Publish.Unauthorized)";
        assert_eq!(error.to_string(), expected);
        server.join().unwrap();
    }

    #[test]
    fn a_refusal_in_mid_stream_contains_the_servers_message() {
        let (address, server) = server(|session, event| match event {
            Event::Video { .. } => {
                session.reject("NetStream.Publish.BadCodec", "HEVC video");
                Next::HangUp
            }
            _ => accept(session, event),
        });
        let mut publisher = connect(address).unwrap();
        let mut send = || publisher.send(TagKind::Video, 0, &[0; 1000]);
        let error = (0..100_000).find_map(|_| send().err()).unwrap();
        let PushError::Refused { code, description } = error else { panic!("{error:?}") };
        assert_eq!((&code[..], &description[..]), ("NetStream.Publish.BadCodec", "HEVC video"));
        drop(publisher);
        server.join().unwrap();
    }

    #[test]
    fn a_refusal_at_the_end_of_the_stream_is_an_error() {
        let (address, server) = server(|session, event| match event {
            Event::Audio { .. } => {
                session.reject("NetStream.Publish.BadCodec", "MP3 audio");
                Next::HangUp
            }
            _ => accept(session, event),
        });
        let mut publisher = connect(address).unwrap();
        publisher.send(TagKind::Audio, 0, b"audio").unwrap();
        assert!(matches!(publisher.finish(), Err(PushError::Refused { .. })));
        server.join().unwrap();
    }

    #[test]
    fn a_connection_closed_in_mid_stream_is_noticed() {
        let (address, server) = server(|session, event| match event {
            Event::Video { .. } => Next::HangUp,
            _ => accept(session, event),
        });
        let mut publisher = connect(address).unwrap();
        let mut send = || publisher.send(TagKind::Video, 0, &[0; 1000]);
        let error = (0..100_000).find_map(|_| send().err()).unwrap();
        assert!(matches!(error, PushError::Closed), "{error:?}");
        drop(publisher);
        server.join().unwrap();
    }

    #[test]
    fn a_connection_closed_at_once_is_noticed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || drop(listener.accept().unwrap()));
        let error = connect(address).err();
        assert!(matches!(error, Some(PushError::Closed)), "{error:?}");
        server.join().unwrap();
    }

    #[test]
    fn a_closed_port_is_unreachable() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = connect(address).err();
        assert!(matches!(error, Some(PushError::Connect(_))), "{error:?}");
    }

    #[test]
    fn a_silent_server_times_out() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = url(listener.local_addr().unwrap());
        for timeout in [Duration::ZERO, Duration::from_millis(50)] {
            let error = Publisher::connect(&url, timeout).err();
            assert!(matches!(error, Some(PushError::TimedOut)), "{error:?}");
        }
    }

    /// Publishes to a server that accepts, reads only the first bytes of media,
    /// and then only sends the output of `last_words`.
    fn push_to_a_server_that_stops_reading(last_words: fn(&mut Session)) -> PushError {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let server = thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let (mut session, mut buffer) = (Session::new(Limits::default()), [0; 4096]);
            while session.next_event().is_none() {
                let length = socket.read(&mut buffer).unwrap();
                session.receive(&buffer[..length]).unwrap();
                socket.write_all(&session.take_output()).unwrap();
            }
            session.accept();
            socket.write_all(&session.take_output()).unwrap();
            // Once its first bytes arrive, the publisher is no longer reading.
            socket.read_exact(&mut buffer).unwrap();
            last_words(&mut session);
            socket.write_all(&session.take_output()).unwrap();
            let _ = wait.recv();
        });
        let mut publisher = Publisher::connect(&url(address), Duration::from_millis(300)).unwrap();
        let frame = vec![0; 15 << 20];
        let mut send = || publisher.send(TagKind::Video, 0, &frame);
        let error = (0..100).find_map(|_| send().err()).unwrap();
        drop(done);
        server.join().unwrap();
        error
    }

    #[test]
    fn a_server_that_stops_reading_times_out() {
        let error = push_to_a_server_that_stops_reading(|_| {});
        assert!(matches!(error, PushError::TimedOut), "{error:?}");
    }

    #[test]
    fn a_refusal_is_reported_even_if_the_server_no_longer_reads() {
        let error =
            push_to_a_server_that_stops_reading(|session| session.reject("NetStream.Failed", "no"));
        assert!(matches!(error, PushError::Refused { .. }), "{error:?}");
    }

    #[test]
    fn a_clip_is_sent_once_starting_at_time_zero() {
        let (address, server) = server(accept);
        let mut calls = 0;
        let mut progress = |_| {
            calls += 1;
            true
        };
        let options = PushOptions::default();
        let summary = push_flv(&url(address), &clip(3), options, &mut progress).unwrap();
        let events = server.join().unwrap();
        assert_eq!(video_times(&events), [0, 40, 80]);
        assert_eq!(events.last(), Some(&Event::Finished));
        assert_eq!((summary.messages, calls), (9, 9));
        assert_eq!(summary.media, Duration::from_millis(80));
    }

    #[test]
    fn codec_headers_do_not_delay_the_media() {
        let (address, server) = server(accept);
        let options = PushOptions { duration: None, real_time: true };
        let clip = clip_from(0, 3_600_000, 3);
        push_flv(&url(address), &clip, options, &mut |_| true).unwrap();
        assert_eq!(video_times(&server.join().unwrap()), [0, 40, 80]);
    }

    #[test]
    fn a_looped_clip_keeps_its_frame_rate_and_sends_metadata_once() {
        let (address, server) = server(accept);
        let options = PushOptions { duration: Some(Duration::from_millis(330)), real_time: false };
        push_flv(&url(address), &clip(3), options, &mut |_| true).unwrap();
        let events = server.join().unwrap();
        assert_eq!(video_times(&events), [0, 40, 80, 120, 160, 200, 240, 280, 320]);
        let metadata = events.iter().filter(|event| matches!(event, Event::Metadata(_)));
        assert_eq!(metadata.count(), 1);
    }

    #[test]
    fn a_push_in_real_time_takes_as_long_as_its_media() {
        let (address, server) = server(accept);
        let options = PushOptions { duration: None, real_time: true };
        let summary = push_flv(&url(address), &clip(6), options, &mut |_| true).unwrap();
        assert!(summary.elapsed >= Duration::from_millis(200), "{summary:?}");
        assert_eq!(video_times(&server.join().unwrap()).len(), 6);
    }

    #[test]
    fn the_caller_can_end_a_push_cleanly() {
        let (address, server) = server(accept);
        let options = PushOptions { duration: Some(Duration::MAX), real_time: true };
        let mut progress = |progress: Progress| progress.messages < 5;
        let summary = push_flv(&url(address), &clip(3), options, &mut progress).unwrap();
        assert_eq!(summary.messages, 5);
        assert_eq!(server.join().unwrap().last(), Some(&Event::Finished));
    }

    #[test]
    fn a_clip_without_media_is_refused_before_any_connection() {
        let error = |file: &[u8]| {
            push_flv("rtmp://h/live/ch", file, PushOptions::default(), &mut |_| true).err()
        };
        assert!(matches!(error(b"no clip"), Some(PushError::Clip(_))));
        assert!(matches!(error(&clip(0)[..13]), Some(PushError::EmptyClip)));
    }
}
