//! The publisher side of a connection.

use super::amf0::{self, Value};
use super::chunk::{self, Message, channel, kind};
use super::link::{self, Link};
use super::{Limits, ProtocolError};

/// The chunk size of the client: large, for few headers in large frames.
const CHUNK_SIZE: u32 = 65_536;

/// The transactions of the commands, in the order in which they are sent.
const CONNECT: f64 = 1.0;
const RELEASE: f64 = 2.0;
const ANNOUNCE: f64 = 3.0;
const CREATE: f64 = 4.0;
const PUBLISH: f64 = 5.0;
const WITHDRAW: f64 = 6.0;
const DELETE: f64 = 7.0;

/// The state of a publisher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientState {
    /// Waiting for the server to accept the stream.
    Connecting,
    /// The server accepts media.
    Publishing,
    /// The server rejected the stream, at the start or mid-stream.
    Refused {
        /// The code, such as `NetStream.Publish.BadName`.
        code: String,
        /// The description from the server; may be empty.
        description: String,
    },
    /// The publisher has finished, or the server announced that it is closing.
    Closed,
}

/// The publisher side of one connection, without I/O and without a clock.
///
/// The caller sends the bytes from [`take_output`](Self::take_output), starting
/// at once, and passes received bytes to [`receive`](Self::receive), until
/// [`state`](Self::state) is [`ClientState::Publishing`].
pub struct ClientSession {
    link: Link,
    app: String,
    tc_url: String,
    name: String,
    connected: bool,
    /// The message stream that the server opened.
    stream: u32,
    state: ClientState,
}

impl ClientSession {
    /// Returns a publisher of `stream` in `app` at the URL `tc_url`; all three are
    /// sent unchanged.
    pub fn new(app: &str, tc_url: &str, stream: &str) -> Self {
        ClientSession {
            link: Link::client(Limits::default()),
            app: app.to_owned(),
            tc_url: tc_url.to_owned(),
            name: stream.to_owned(),
            connected: false,
            stream: 0,
            state: ClientState::Connecting,
        }
    }

    /// Processes bytes from the server, split anywhere.
    ///
    /// # Errors
    ///
    /// The server violated the protocol; the caller must close the connection.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), ProtocolError> {
        let mut rest = bytes;
        while let Some(message) = self.link.read(&mut rest)? {
            if let kind::COMMAND | kind::COMMAND_AMF3 = message.kind {
                self.command(&message)?;
            }
        }
        if !self.connected && self.link.is_open() {
            self.connected = true;
            self.connect();
        }
        self.link.count(bytes.len());
        Ok(())
    }

    /// Returns the bytes to send to the server, and clears the buffer.
    pub fn take_output(&mut self) -> Vec<u8> {
        self.link.take_output()
    }

    /// Returns the state of the publisher.
    pub fn state(&self) -> &ClientState {
        &self.state
    }

    /// Sends a video message, the body of an FLV video tag. It is dropped unless
    /// the state is [`ClientState::Publishing`].
    ///
    /// # Errors
    ///
    /// The message exceeds the maximum length of RTMP; nothing was sent.
    pub fn send_video(&mut self, timestamp_ms: u32, body: &[u8]) -> Result<(), ProtocolError> {
        self.send(channel::VIDEO, kind::VIDEO, timestamp_ms, body)
    }

    /// Sends an audio message, the body of an FLV audio tag; otherwise the same as
    /// [`send_video`](Self::send_video).
    ///
    /// # Errors
    ///
    /// The same as [`send_video`](Self::send_video).
    pub fn send_audio(&mut self, timestamp_ms: u32, body: &[u8]) -> Result<(), ProtocolError> {
        self.send(channel::AUDIO, kind::AUDIO, timestamp_ms, body)
    }

    /// Sends metadata, the body of an FLV script tag, as `@setDataFrame`;
    /// otherwise the same as [`send_video`](Self::send_video).
    ///
    /// # Errors
    ///
    /// The same as [`send_video`](Self::send_video).
    pub fn send_metadata(&mut self, timestamp_ms: u32, body: &[u8]) -> Result<(), ProtocolError> {
        let mut payload = amf0::encode(&[Value::from("@setDataFrame")]);
        payload.extend_from_slice(body);
        self.send(channel::AUDIO, kind::DATA, timestamp_ms, &payload)
    }

    /// Ends the stream. The caller then stops sending and waits until the server
    /// has read everything.
    pub fn finish(&mut self) {
        if self.state == ClientState::Publishing {
            let name = Value::from(&self.name[..]);
            self.call("FCUnpublish", WITHDRAW, 0, &[Value::Null, name]);
            let stream = Value::from(f64::from(self.stream));
            self.call("deleteStream", DELETE, 0, &[Value::Null, stream]);
        }
        if !matches!(self.state, ClientState::Refused { .. }) {
            self.state = ClientState::Closed;
        }
    }

    fn send(&mut self, id: u8, kind: u8, time: u32, body: &[u8]) -> Result<(), ProtocolError> {
        chunk::check_length(body.len())?;
        if self.state == ClientState::Publishing {
            self.link.writer.message(id, kind, self.stream, time, body);
        }
        Ok(())
    }

    fn connect(&mut self) {
        self.link.writer.set_chunk_size(CHUNK_SIZE);
        let object = Value::Object(vec![
            ("app".into(), Value::from(&self.app[..])),
            ("type".into(), Value::from("nonprivate")),
            ("flashVer".into(), Value::from("FMLE/3.0 (compatible; osslive)")),
            ("tcUrl".into(), Value::from(&self.tc_url[..])),
        ]);
        self.call("connect", CONNECT, 0, &[object]);
    }

    fn command(&mut self, message: &Message) -> Result<(), ProtocolError> {
        let values = link::values(message).map_err(ProtocolError::Command)?;
        let Some(name) = values.first().and_then(Value::as_str) else { return Ok(()) };
        let transaction = values.get(1).and_then(Value::as_number).unwrap_or(0.0);
        let info = values.get(3).unwrap_or(&Value::Null);
        match name {
            "_result" if transaction == CONNECT => self.create_stream(),
            "_result" if transaction == CREATE => self.publish(info),
            // Servers may not support the two commands in between.
            "_error" if transaction == CONNECT || transaction == CREATE => self.refused(info),
            "onStatus" => self.status(info),
            "close" if self.state != ClientState::Closed => self.closed(),
            _ => {}
        }
        Ok(())
    }

    fn create_stream(&mut self) {
        let name = Value::from(&self.name[..]);
        self.call("releaseStream", RELEASE, 0, &[Value::Null, name.clone()]);
        self.call("FCPublish", ANNOUNCE, 0, &[Value::Null, name]);
        self.call("createStream", CREATE, 0, &[Value::Null]);
    }

    fn publish(&mut self, stream: &Value) {
        self.stream = stream.as_number().unwrap_or(1.0) as u32;
        let arguments = [Value::Null, Value::from(&self.name[..]), Value::from("live")];
        self.call("publish", PUBLISH, self.stream, &arguments);
    }

    fn status(&mut self, info: &Value) {
        let text = |name| info.get(name).and_then(Value::as_str);
        if text("level") == Some("error") {
            self.refused(info);
        } else if text("code") == Some("NetStream.Publish.Start")
            && self.state == ClientState::Connecting
        {
            self.state = ClientState::Publishing;
        }
    }

    fn refused(&mut self, info: &Value) {
        let text = |name| info.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (code, description) = (text("code"), text("description"));
        self.state = ClientState::Refused { code, description };
    }

    /// Marks the connection as closed, unless it was refused: servers close after a
    /// refusal.
    fn closed(&mut self) {
        if !matches!(self.state, ClientState::Refused { .. }) {
            self.state = ClientState::Closed;
        }
    }

    fn call(&mut self, name: &str, transaction: f64, stream: u32, arguments: &[Value]) {
        let mut values = vec![Value::from(name), Value::from(transaction)];
        values.extend_from_slice(arguments);
        self.link.command(channel::COMMAND, stream, &values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Share;
    use crate::rtmp::{Event, PublishRequest, Session};

    /// Both ends of a connection in memory; bytes are passed in pieces of a given size.
    struct Loopback {
        client: ClientSession,
        server: Session,
        piece: usize,
    }

    impl Loopback {
        fn new(piece: usize) -> Self {
            let client = ClientSession::new("live", "rtmp://h/live", "ch1?x=y%2B");
            Loopback { client, server: Session::new(Limits::default()), piece }
        }

        fn exchange(&mut self) {
            loop {
                let (up, down) = (self.client.take_output(), self.server.take_output());
                if up.is_empty() && down.is_empty() {
                    return;
                }
                up.chunks(self.piece).for_each(|bytes| self.server.receive(bytes).unwrap());
                down.chunks(self.piece).for_each(|bytes| self.client.receive(bytes).unwrap());
            }
        }

        fn publishing(piece: usize) -> Self {
            let mut pair = Loopback::new(piece);
            pair.exchange();
            pair.server.accept();
            pair.exchange();
            assert!(matches!(pair.events()[..], [Event::Publish(_)]));
            assert_eq!(*pair.client.state(), ClientState::Publishing);
            pair
        }

        fn events(&mut self) -> Vec<Event> {
            std::iter::from_fn(|| self.server.next_event()).collect()
        }
    }

    fn refused(code: &str, description: &str) -> ClientState {
        ClientState::Refused { code: code.into(), description: description.into() }
    }

    #[test]
    fn a_publisher_requests_its_stream_and_waits() {
        let mut pair = Loopback::new(1);
        pair.exchange();
        let request = Event::Publish(PublishRequest {
            app: "live".into(),
            tc_url: "rtmp://h/live".into(),
            stream: "ch1?x=y%2B".into(),
        });
        assert_eq!(pair.events(), [request]);
        assert_eq!(*pair.client.state(), ClientState::Connecting);
    }

    #[test]
    fn media_arrives_unchanged() {
        for piece in [1, 1000, usize::MAX] {
            let mut pair = Loopback::publishing(piece);
            let frame: Vec<u8> = (0..200_000).map(|i| (i % 251) as u8).collect();
            let properties = vec![("width".into(), Value::Number(16.0))];
            let script = amf0::encode(&["onMetaData".into(), Value::EcmaArray(properties.clone())]);
            pair.client.send_metadata(0, &script).unwrap();
            pair.client.send_video(0x0100_0000, &frame).unwrap();
            pair.client.send_audio(0x0100_0001, b"a").unwrap();
            pair.exchange();
            let expected = [
                Event::Metadata(properties),
                Event::Video { timestamp: 0x0100_0000, body: frame },
                Event::Audio { timestamp: 0x0100_0001, body: b"a".to_vec() },
            ];
            assert!(pair.events() == expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn the_end_of_the_stream_reaches_the_server_once() {
        let mut pair = Loopback::publishing(usize::MAX);
        pair.client.finish();
        pair.client.finish();
        pair.exchange();
        assert_eq!(pair.events(), [Event::Finished]);
        assert_eq!(*pair.client.state(), ClientState::Closed);
    }

    #[test]
    fn the_client_receives_the_servers_refusal() {
        let mut pair = Loopback::new(usize::MAX);
        pair.exchange();
        let (code, why) = ("NetStream.Publish.Unauthorized", "SignatureDoesNotMatch: other words");
        pair.server.reject(code, why);
        pair.exchange();
        assert_eq!(*pair.client.state(), refused(code, why));
        pair.client.finish();
        assert_eq!(*pair.client.state(), refused(code, why));
        assert!(pair.client.take_output().is_empty());
    }

    #[test]
    fn only_the_start_of_publishing_starts_the_media() {
        let mut pair = Loopback::new(usize::MAX);
        pair.exchange();
        let status = |code: &str| {
            let text = |text: &str| Value::from(text);
            let info = [("level", "status"), ("code", code)];
            Value::Object(info.map(|(name, value)| (name.to_owned(), text(value))).to_vec())
        };
        pair.client.status(&status("NetStream.Play.Start"));
        assert_eq!(*pair.client.state(), ClientState::Connecting);
        pair.client.status(&status("NetStream.Publish.Start"));
        assert_eq!(*pair.client.state(), ClientState::Publishing);
        pair.client.finish();
        pair.client.status(&status("NetStream.Publish.Start"));
        assert_eq!(*pair.client.state(), ClientState::Closed);
    }

    #[test]
    fn a_refusal_in_mid_stream_stops_the_media() {
        let mut pair = Loopback::publishing(usize::MAX);
        let why = "é".repeat(40_000);
        pair.server.reject("NetStream.Publish.BadCodec", &why);
        pair.exchange();
        assert_eq!(*pair.client.state(), refused("NetStream.Publish.BadCodec", &why));
        pair.client.send_video(1, b"v").unwrap();
        assert!(pair.client.take_output().is_empty());
    }

    #[test]
    fn no_media_is_sent_before_the_stream_is_accepted() {
        let mut pair = Loopback::new(usize::MAX);
        pair.exchange();
        pair.client.send_video(1, b"v").unwrap();
        assert!(pair.client.take_output().is_empty());
    }

    #[test]
    fn a_message_that_exceeds_the_maximum_length_is_an_error() {
        let mut pair = Loopback::publishing(usize::MAX);
        let body = vec![0; 0x100_0000];
        let error = pair.client.send_video(1, &body);
        assert_eq!(error, Err(ProtocolError::MessageTooLong(0x100_0000)));
        assert!(pair.client.take_output().is_empty());
    }

    #[test]
    fn the_client_notices_that_the_server_rejects_or_closes_the_connection() {
        let info = Value::Object(vec![
            ("level".into(), "error".into()),
            ("code".into(), "NetConnection.Connect.Rejected".into()),
        ]);
        let says = |values: &[Value]| {
            let mut client = ClientSession::new("live", "rtmp://h/live", "ch1");
            let mut server = Link::server(Limits::default(), Share::unlimited());
            server.read(&mut &client.take_output()[..]).unwrap();
            server.command(channel::COMMAND, 0, values);
            client.receive(&server.take_output()).unwrap();
            client.state().clone()
        };
        let rejected = says(&["_error".into(), CONNECT.into(), Value::Null, info.clone()]);
        assert_eq!(rejected, refused("NetConnection.Connect.Rejected", ""));
        let ignored = says(&["_error".into(), RELEASE.into(), Value::Null, info]);
        assert_eq!(ignored, ClientState::Connecting);
        assert_eq!(says(&["close".into(), 0.0.into(), Value::Null]), ClientState::Closed);
    }
}
