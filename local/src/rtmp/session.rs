//! The server side of a connection: handles commands and passes on media.

use super::amf0::Value;
use super::chunk::{Message, channel, kind};
use super::link::{self, Link, WINDOW};
use super::{Limits, ProtocolError};
use crate::budget::Share;
use std::collections::VecDeque;

/// The chunk size of the session, which ffmpeg then uses, too.
const CHUNK_SIZE: u32 = 4096;

/// How far below zero the first timestamps of a stream may be, in milliseconds.
const MAX_LEAD: u32 = 1000;

/// The length of a message header within an aggregate: that of an FLV tag.
const PART_HEADER: usize = 11;

/// The length of the part, repeated after it.
const PART_TRAILER: usize = 4;

/// How many parts of an aggregate are processed: far more than in the few seconds
/// of media that an encoder combines.
const MAX_PARTS: usize = 4096;

/// How much of a command's name a response repeats, in characters.
const MAX_NAME: usize = 80;

/// An event of a publisher.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A client requests to publish and waits for [`Session::accept`] or
    /// [`Session::reject`]. There are no other requests until then.
    Publish(PublishRequest),
    /// The metadata of the stream, in the order sent.
    Metadata(Vec<(String, Value)>),
    /// A video message.
    Video {
        /// Milliseconds, which continue where those on the wire wrap.
        timestamp: u64,
        /// The message: the body of an FLV video tag.
        body: Vec<u8>,
    },
    /// An audio message.
    Audio {
        /// Milliseconds, which continue where those on the wire wrap.
        timestamp: u64,
        /// The message: the body of an FLV audio tag.
        body: Vec<u8>,
    },
    /// The publisher ended its stream; once for each request that was not
    /// rejected. It may publish again, and closes the connection itself.
    Finished,
}

/// A request to publish, as received: neither decoded nor split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishRequest {
    /// The application, such as `live`; encoders may append a query.
    pub app: String,
    /// The URL that the encoder was given, without the stream.
    pub tc_url: String,
    /// The stream with its query.
    pub stream: String,
}

/// The server side of one connection, without I/O and without a clock.
///
/// The caller passes bytes from the peer to [`receive`](Self::receive), then
/// handles every [`next_event`](Self::next_event) and sends the bytes from
/// [`take_output`](Self::take_output).
pub struct Session {
    link: Link,
    limits: Limits,
    failed: Option<ProtocolError>,
    events: VecDeque<Event>,
    connection: Option<Connection>,
    /// How many streams createStream has opened; they are numbered from 1.
    streams: u32,
    publication: Publication,
    /// Whether the publisher sent FCPublish, and may wait for onFCPublish.
    is_announced: bool,
    timeline: Timeline,
}

/// The arguments of `connect`.
struct Connection {
    app: String,
    tc_url: String,
}

/// The one publication of a connection, with its message stream.
#[derive(Clone, Copy)]
enum Publication {
    None,
    /// The caller must accept or reject.
    Requested(u32),
    /// The request was withdrawn before the caller responded. Without this state,
    /// the response would apply to the next request, which the caller has not seen.
    Withdrawn,
    Live(u32),
    /// Ended, but the caller may not have seen the last messages yet, and may
    /// still reject the stream.
    Ended(u32),
}

impl Session {
    /// Returns a session that waits for the handshake.
    pub fn new(limits: Limits) -> Self {
        Session::sharing(limits, Share::unlimited())
    }

    /// Returns a session whose unfinished messages count against a budget.
    pub(crate) fn sharing(limits: Limits, share: Share) -> Self {
        Session {
            link: Link::server(limits.opening(), share),
            limits,
            failed: None,
            events: VecDeque::new(),
            connection: None,
            streams: 0,
            publication: Publication::None,
            is_announced: false,
            timeline: Timeline::default(),
        }
    }

    /// Processes bytes from the peer, split anywhere.
    ///
    /// # Errors
    ///
    /// The peer violated the protocol or exceeded a limit. Earlier events and
    /// output are valid; nothing more is processed, and the caller must close the
    /// connection.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), ProtocolError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let result = self.read(bytes);
        self.failed = result.err();
        self.link.count(bytes.len());
        result
    }

    /// Returns how many bytes of audio and video have arrived, including those of
    /// unfinished messages.
    pub fn media_bytes(&self) -> u64 {
        self.link.media()
    }

    /// Removes and returns the oldest event.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Accepts the pending request. Media received before was dropped.
    pub fn accept(&mut self) {
        match self.publication {
            Publication::Requested(stream) => {
                self.publication = Publication::Live(stream);
                self.link.allow(self.limits);
                self.timeline = Timeline::default();
                self.link.stream_begin(stream);
                let (code, description) = ("NetStream.Publish.Start", "publishing has started");
                self.confirm(stream, code, description);
                self.status(stream, "status", code, description);
            }
            Publication::Withdrawn => self.publication = Publication::None,
            Publication::None | Publication::Live(_) | Publication::Ended(_) => {}
        }
    }

    /// Rejects the pending request, or a stream that is live or has just ended.
    ///
    /// The peer receives `status_code`, such as `NetStream.Publish.BadName`, and
    /// `description`; encoders show one or the other. Further media is dropped,
    /// and there is no [`Event::Finished`].
    pub fn reject(&mut self, status_code: &str, description: &str) {
        match std::mem::replace(&mut self.publication, Publication::None) {
            Publication::Requested(stream)
            | Publication::Live(stream)
            | Publication::Ended(stream) => self.status(stream, "error", status_code, description),
            Publication::None | Publication::Withdrawn => {}
        }
    }

    /// Returns the bytes to send to the peer, and clears the buffer.
    pub fn take_output(&mut self) -> Vec<u8> {
        self.link.take_output()
    }

    fn read(&mut self, mut bytes: &[u8]) -> Result<(), ProtocolError> {
        while let Some(message) = self.link.read(&mut bytes)? {
            match message.kind {
                kind::COMMAND | kind::COMMAND_AMF3 => self.command(&message)?,
                kind::AGGREGATE => self.aggregate(&message),
                _ => self.media(message),
            }
        }
        Ok(())
    }

    fn command(&mut self, message: &Message) -> Result<(), ProtocolError> {
        let values = command_values(message)?;
        let Some(name) = values.first().and_then(Value::as_str) else { return Ok(()) };
        let transaction = values.get(1).and_then(Value::as_number).unwrap_or(0.0);
        let argument = values.get(3);
        match name {
            "connect" => self.connect(transaction, values.get(2).unwrap_or(&Value::Null)),
            "_result" | "_error" | "onStatus" => {}
            _ if self.connection.is_none() => {
                self.fail(transaction, "connect must be the first command")
            }
            "createStream" => self.create_stream(transaction),
            "publish" => self.publish(message.stream, argument.and_then(Value::as_str)),
            // No response: encoders close the connection at once, and unread
            // bytes would turn the close into a reset.
            "FCUnpublish" | "closeStream" => self.finish(),
            "deleteStream" => self.delete_stream(argument.and_then(Value::as_number)),
            "FCPublish" => {
                self.is_announced = true;
                self.result(transaction, Value::Null);
            }
            "releaseStream" | "_checkbw" => self.result(transaction, Value::Null),
            "getStreamLength" => self.result(transaction, Value::Number(0.0)),
            "play" | "play2" => {
                let why = "playing over RTMP is not supported";
                self.status(message.stream, "error", "NetStream.Play.Failed", why);
            }
            _ => {
                let name: String = name.chars().take(MAX_NAME).collect();
                self.fail(transaction, &format!("unknown method {name}"));
            }
        }
        Ok(())
    }

    fn connect(&mut self, transaction: f64, object: &Value) {
        if self.connection.is_some() {
            return self.fail(transaction, "already connected");
        }
        let text = |name| object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.connection = Some(Connection { app: text("app"), tc_url: text("tcUrl") });
        let window = WINDOW.to_be_bytes();
        let [a, b, c, d] = window;
        // Limit type 2, dynamic, is what servers commonly send here.
        self.link.writer.control(kind::WINDOW_ACKNOWLEDGEMENT_SIZE, &window);
        self.link.writer.control(kind::SET_PEER_BANDWIDTH, &[a, b, c, d, 2]);
        self.link.writer.set_chunk_size(CHUNK_SIZE);
        // Encoders expect an Adobe server, and some check both fields.
        let properties = Value::Object(vec![
            ("fmsVer".into(), Value::from("FMS/3,0,1,123")),
            ("capabilities".into(), Value::Number(31.0)),
        ]);
        let mut info = info("status", "NetConnection.Connect.Success", "connected");
        // Always AMF0: a peer that supports AMF3 then uses AMF0, too.
        info.push(("objectEncoding".into(), Value::Number(0.0)));
        self.respond("_result", transaction, properties, Value::Object(info));
    }

    fn create_stream(&mut self, transaction: f64) {
        self.streams = self.streams.saturating_add(1);
        let stream = Value::from(f64::from(self.streams));
        self.respond("_result", transaction, Value::Null, stream);
    }

    fn publish(&mut self, stream: u32, name: Option<&str>) {
        // A deleted stream still counts as created: some encoders publish on it again.
        let refused = match (name, &self.connection) {
            _ if !(1..=self.streams).contains(&stream) => {
                "the stream was not created with createStream"
            }
            _ if self.is_publishing() => "the connection is already publishing",
            (Some(name), Some(Connection { app, tc_url })) => {
                let (app, tc_url, name) = (app.clone(), tc_url.clone(), name.to_owned());
                self.publication = Publication::Requested(stream);
                return self.push(Event::Publish(PublishRequest { app, tc_url, stream: name }));
            }
            _ => "publish without a stream name",
        };
        self.status(stream, "error", "NetStream.Publish.BadName", refused);
    }

    fn is_publishing(&self) -> bool {
        !matches!(self.publication, Publication::None | Publication::Ended(_))
    }

    /// Ends the stream; `stream` is absent if an encoder sends something else, such
    /// as rtmp2sink, which sends the stream's name.
    fn delete_stream(&mut self, stream: Option<f64>) {
        if let Publication::Requested(own) | Publication::Live(own) = self.publication {
            if stream.is_none_or(|stream| stream == f64::from(own)) {
                self.finish();
            }
        }
    }

    fn finish(&mut self) {
        self.publication = match self.publication {
            Publication::None | Publication::Withdrawn | Publication::Ended(_) => return,
            Publication::Requested(_) => Publication::Withdrawn,
            Publication::Live(stream) => Publication::Ended(stream),
        };
        self.push(Event::Finished);
    }

    fn media(&mut self, message: Message) {
        if !matches!(self.publication, Publication::Live(_)) || message.payload.is_empty() {
            return;
        }
        match message.kind {
            kind::VIDEO => {
                let timestamp = self.timeline.unwrap(message.timestamp);
                self.push(Event::Video { timestamp, body: message.payload });
            }
            kind::AUDIO => {
                let timestamp = self.timeline.unwrap(message.timestamp);
                self.push(Event::Audio { timestamp, body: message.payload });
            }
            kind::DATA | kind::DATA_AMF3 => {
                if let Some(properties) = metadata(&message) {
                    self.push(Event::Metadata(properties));
                }
            }
            _ => {}
        }
    }

    /// Splits an aggregate (section 7.1.6): FLV tags with times relative to the
    /// first. An incomplete tag ends it.
    fn aggregate(&mut self, message: &Message) {
        let mut rest = &message.payload[..];
        let mut first = None;
        for _ in 0..MAX_PARTS {
            let Some(([kind, a, b, c, x, y, z, w, ..], body)) =
                rest.split_first_chunk::<PART_HEADER>()
            else {
                return;
            };
            let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            let time = u32::from_be_bytes([*w, *x, *y, *z]);
            let Some(payload) = body.get(..length) else { return };
            let since_first = time.wrapping_sub(*first.get_or_insert(time));
            self.media(Message {
                timestamp: message.timestamp.wrapping_add(since_first),
                kind: *kind,
                stream: message.stream,
                payload: payload.to_vec(),
            });
            rest = body.get(length + PART_TRAILER..).unwrap_or_default();
        }
    }

    fn push(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// Sends onFCPublish when the stream is accepted, as Adobe's server and SRS do:
    /// some encoders wait for it instead of onStatus.
    fn confirm(&mut self, stream: u32, code: &str, description: &str) {
        if std::mem::take(&mut self.is_announced) {
            let info = Value::Object(vec![
                ("code".to_owned(), Value::from(code)),
                ("description".to_owned(), Value::from(description)),
            ]);
            let values = [Value::from("onFCPublish"), Value::from(0.0), Value::Null, info];
            self.link.command(channel::STATUS, stream, &values);
        }
    }

    fn status(&mut self, stream: u32, level: &str, code: &str, description: &str) {
        let info = Value::Object(info(level, code, description));
        let values = [Value::from("onStatus"), Value::from(0.0), Value::Null, info];
        self.link.command(channel::STATUS, stream, &values);
    }

    /// Sends the result of a call, unless its transaction is 0, which means that no
    /// response is expected.
    fn result(&mut self, transaction: f64, value: Value) {
        if transaction != 0.0 {
            self.respond("_result", transaction, Value::Null, value);
        }
    }

    fn fail(&mut self, transaction: f64, description: &str) {
        if transaction != 0.0 {
            let info = info("error", "NetConnection.Call.Failed", description);
            self.respond("_error", transaction, Value::Null, Value::Object(info));
        }
    }

    fn respond(&mut self, name: &str, transaction: f64, properties: Value, value: Value) {
        let values = [Value::from(name), Value::from(transaction), properties, value];
        self.link.command(channel::COMMAND, 0, &values);
    }
}

/// Returns the values of a command. Some clients send AMF3 types after the
/// application in `connect`, which are ignored.
fn command_values(message: &Message) -> Result<Vec<Value>, ProtocolError> {
    link::values(message).or_else(|error| {
        let values = link::values_prefix(message);
        let is_connect = values.first().and_then(Value::as_str) == Some("connect");
        let names_app = values.get(2).and_then(|object| object.get("app")).is_some();
        if is_connect && names_app { Ok(values) } else { Err(ProtocolError::Command(error)) }
    })
}

fn info(level: &str, code: &str, description: &str) -> Vec<(String, Value)> {
    [("level", level), ("code", code), ("description", description)]
        .map(|(name, text)| (name.to_owned(), Value::from(text)))
        .into()
}

/// Returns the properties of `onMetaData`, which encoders wrap in
/// `@setDataFrame`; `None` for other or malformed data.
fn metadata(message: &Message) -> Option<Vec<(String, Value)>> {
    let mut values = link::values(message).ok()?.into_iter().peekable();
    values.next_if_eq(&Value::from("@setDataFrame"));
    values.next_if_eq(&Value::from("onMetaData"))?;
    match values.next()? {
        Value::Object(properties)
        | Value::EcmaArray(properties)
        | Value::TypedObject(_, properties) => Some(properties),
        _ => None,
    }
}

/// Unwraps timestamps.
///
/// RTMP wraps at 2^32 milliseconds, 49.7 days, and ffmpeg at 2^31, since its FLV
/// timestamps are signed. The nearest time in steps of 2^31 is correct for both.
#[derive(Default)]
struct Timeline {
    last: Option<u64>,
}

impl Timeline {
    /// Returns the time nearest to the last one that has these low 31 bits.
    fn unwrap(&mut self, timestamp: u32) -> u64 {
        let time = match self.last {
            // Codec headers have time 0 wherever the stream itself starts, and
            // some encoders start their audio a frame before it.
            None if timestamp == 0 || timestamp > 0u32.wrapping_sub(MAX_LEAD) => return 0,
            None => u64::from(timestamp),
            Some(last) => {
                let step = (timestamp.wrapping_sub(last as u32) << 1) as i32 >> 1;
                match last.checked_add_signed(i64::from(step)) {
                    Some(time) => time,
                    None if step.unsigned_abs() <= MAX_LEAD => 0,
                    None => u64::from(timestamp),
                }
            }
        };
        self.last = Some(time);
        time
    }
}

#[cfg(test)]
mod tests;
