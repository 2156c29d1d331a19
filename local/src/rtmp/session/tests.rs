use super::*;
use crate::rtmp::amf0;

/// A real connection of ffmpeg 5.1: handshake, commands, metadata, 17 video
/// and 15 audio messages with B-frames, with timestamps beyond 24 bits, and
/// the end of the stream.
const FFMPEG: &[u8] = include_bytes!("../testdata/ffmpeg-5.1.rtmp");

/// A test encoder that can send any command at any time.
struct Peer {
    session: Session,
    link: Link,
    received: Vec<(u32, Vec<Value>)>,
    sent: usize,
}

impl Peer {
    fn new() -> Self {
        let link = Link::client(Limits::default());
        let session = Session::new(Limits::default());
        let mut peer = Peer { session, link, received: Vec::new(), sent: 0 };
        peer.exchange();
        peer
    }

    fn connected() -> Self {
        let mut peer = Peer::new();
        peer.call("connect", 1.0, 0, &[app("live", "rtmp://h/live")]);
        peer.received.clear();
        peer
    }

    fn requested() -> Self {
        let mut peer = Peer::connected();
        peer.call("createStream", 4.0, 0, &[Value::Null]);
        peer.publish(1, "ch1?x=y");
        assert!(matches!(peer.session.next_event(), Some(Event::Publish(_))));
        peer.received.clear();
        peer
    }

    fn publishing() -> Self {
        let mut peer = Peer::requested();
        peer.session.accept();
        peer.exchange();
        peer.received.clear();
        peer
    }

    /// Passes bytes in both directions until neither side has output.
    fn exchange(&mut self) {
        loop {
            let upstream = self.link.take_output();
            self.sent += upstream.len();
            self.session.receive(&upstream).unwrap();
            let downstream = self.session.take_output();
            if upstream.is_empty() && downstream.is_empty() {
                return;
            }
            let mut rest = &downstream[..];
            while let Some(message) = self.link.read(&mut rest).unwrap() {
                assert_eq!(message.kind, kind::COMMAND);
                self.received.push((message.stream, link::values(&message).unwrap()));
            }
        }
    }

    fn call(&mut self, name: &str, transaction: f64, stream: u32, arguments: &[Value]) {
        let mut values = vec![Value::from(name), Value::from(transaction)];
        values.extend_from_slice(arguments);
        self.link.command(channel::COMMAND, stream, &values);
        self.exchange();
    }

    fn publish(&mut self, stream: u32, name: &str) {
        let arguments = [Value::Null, Value::from(name), Value::from("live")];
        self.call("publish", 5.0, stream, &arguments);
    }

    fn send(&mut self, kind: u8, timestamp: u32, payload: &[u8]) {
        self.link.writer.message(channel::VIDEO, kind, 1, timestamp, payload);
        self.exchange();
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.session.next_event()).collect()
    }

    /// Returns the only response: its name, its stream, and its level, code and
    /// description.
    fn response(&mut self) -> (String, u32, [String; 3]) {
        assert_eq!(self.received.len(), 1, "{:?}", self.received);
        let (stream, values) = self.received.remove(0);
        let text = |name| {
            let text = values.get(3).and_then(|info| info.get(name)).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let name = values[0].as_str().unwrap().to_owned();
        (name, stream, ["level", "code", "description"].map(text))
    }

    /// Passes bytes directly to the session, for input that `Link` never sends.
    fn feed(&mut self, bytes: &[u8]) -> Result<(), ProtocolError> {
        self.session.receive(bytes)
    }
}

fn app(app: &str, tc_url: &str) -> Value {
    Value::Object(vec![("app".into(), Value::from(app)), ("tcUrl".into(), Value::from(tc_url))])
}

fn request(stream: &str) -> Event {
    let (app, tc_url) = ("live".into(), "rtmp://h/live".into());
    Event::Publish(PublishRequest { app, tc_url, stream: stream.into() })
}

fn video(timestamp: u64, body: &[u8]) -> Event {
    Event::Video { timestamp, body: body.to_vec() }
}

#[test]
fn connect_succeeds_and_announces_window_and_chunk_sizes() {
    let mut session = Session::new(Limits::default());
    let mut link = Link::client(Limits::default());
    session.receive(&link.take_output()).unwrap();
    link.read(&mut &session.take_output()[..]).unwrap();
    link.command(channel::COMMAND, 0, &["connect".into(), 1.0.into(), app("live", "t")]);
    session.receive(&link.take_output()).unwrap();
    let output = session.take_output();
    let window = [2, 0, 0, 0, 0, 0, 4, 5, 0, 0, 0, 0, 0, 0x26, 0x25, 0xa0];
    let bandwidth = [2, 0, 0, 0, 0, 0, 5, 6, 0, 0, 0, 0, 0, 0x26, 0x25, 0xa0, 2];
    let chunk_size = [2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0x10, 0];
    assert!(output.starts_with(&[&window[..], &bandwidth, &chunk_size].concat()));
    let message = link.read(&mut &output[..]).unwrap().unwrap();
    let values = link::values(&message).unwrap();
    assert_eq!(values[..2], [Value::from("_result"), Value::from(1.0)]);
    let code = values[3].get("code").and_then(Value::as_str);
    assert_eq!(code, Some("NetConnection.Connect.Success"));
    assert_eq!(values[3].get("objectEncoding"), Some(&Value::Number(0.0)));
}

#[test]
fn a_publish_request_is_not_decoded() {
    let mut peer = Peer::new();
    peer.call("connect", 1.0, 0, &[app("live?a=b%2F", "rtmp://b.h:1935/live?a=b%2F")]);
    peer.call("createStream", 4.0, 0, &[Value::Null]);
    peer.publish(1, "ch%201?Signature=a%2B/=&x");
    let expected = Event::Publish(PublishRequest {
        app: "live?a=b%2F".into(),
        tc_url: "rtmp://b.h:1935/live?a=b%2F".into(),
        stream: "ch%201?Signature=a%2B/=&x".into(),
    });
    assert_eq!(peer.events(), [expected]);
}

#[test]
fn streams_are_numbered_from_one_and_helper_calls_succeed() {
    let mut peer = Peer::connected();
    for (id, stream) in [(4.0, 1.0), (9.0, 2.0)] {
        peer.call("createStream", id, 0, &[Value::Null]);
        let expected = ["_result".into(), id.into(), Value::Null, stream.into()];
        assert_eq!(peer.received, [(0, expected.to_vec())]);
        peer.received.clear();
    }
    for name in ["releaseStream", "FCPublish", "_checkbw", "getStreamLength"] {
        peer.call(name, 7.0, 0, &[Value::Null, "ch1".into()]);
        let (_, response) = peer.received.remove(0);
        assert_eq!(response[..2], [Value::from("_result"), Value::from(7.0)]);
        peer.call(name, 0.0, 0, &[Value::Null, "ch1".into()]);
        assert_eq!(peer.received, []);
    }
}

#[test]
fn unknown_methods_are_refused_if_a_response_is_expected() {
    let mut peer = Peer::connected();
    peer.call("mystery", 8.0, 0, &[Value::Null]);
    let (name, _, [level, code, description]) = peer.response();
    assert_eq!((&name[..], &level[..]), ("_error", "error"));
    assert_eq!(code, "NetConnection.Call.Failed");
    assert_eq!(description, "unknown method mystery");
    peer.call("mystery", 0.0, 0, &[Value::Null]);
    peer.call("_result", 8.0, 0, &[Value::Null]);
    assert_eq!(peer.received, []);
}

#[test]
fn media_is_received_once_the_stream_is_accepted() {
    let mut peer = Peer::requested();
    peer.send(kind::VIDEO, 1, b"too early");
    peer.session.accept();
    let output = peer.session.take_output();
    let stream_begin = [2, 0, 0, 0, 0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    assert!(output.starts_with(&stream_begin));
    let message = peer.link.read(&mut &output[..]).unwrap().unwrap();
    let values = link::values(&message).unwrap();
    assert_eq!((message.stream, &values[0]), (1, &Value::from("onStatus")));
    let code = values[3].get("code").and_then(Value::as_str);
    assert_eq!(code, Some("NetStream.Publish.Start"));
    peer.send(kind::VIDEO, 2, b"v");
    peer.send(kind::AUDIO, 3, b"a");
    peer.send(kind::AUDIO, 4, b"");
    let audio = Event::Audio { timestamp: 3, body: b"a".to_vec() };
    assert_eq!(peer.events(), [video(2, b"v"), audio]);
}

#[test]
fn a_refusal_has_a_code_and_a_reason_at_the_start_and_in_mid_stream() {
    for mut peer in [Peer::requested(), Peer::publishing()] {
        peer.session.reject("NetStream.Publish.Unauthorized", "AccessDenied: not yours");
        peer.exchange();
        let (name, stream, info) = peer.response();
        assert_eq!((&name[..], stream), ("onStatus", 1));
        let expected = ["error", "NetStream.Publish.Unauthorized", "AccessDenied: not yours"];
        assert_eq!(info, expected);
        peer.send(kind::VIDEO, 1, b"v");
        peer.call("deleteStream", 0.0, 0, &[Value::Null, 1.0.into()]);
        assert_eq!(peer.events(), []);
    }
}

#[test]
fn a_refusal_reaches_a_publisher_that_has_just_finished() {
    let mut peer = Peer::publishing();
    peer.send(kind::VIDEO, 1, b"v");
    peer.call("deleteStream", 0.0, 0, &[Value::Null, 1.0.into()]);
    peer.session.reject("NetStream.Publish.BadCodec", "HEVC video");
    peer.session.reject("NetStream.Publish.BadCodec", "HEVC video");
    peer.exchange();
    assert_eq!(peer.response().2[2], "HEVC video");
}

#[test]
fn accept_and_reject_without_a_request_send_nothing() {
    for mut peer in [Peer::new(), Peer::connected()] {
        peer.session.accept();
        peer.session.reject("x", "y");
        assert!(peer.session.take_output().is_empty());
    }
    let mut peer = Peer::publishing();
    peer.session.accept();
    assert!(peer.session.take_output().is_empty());
}

#[test]
fn a_stream_ends_once_whichever_command_ends_it() {
    let deletes = [Value::from(1.0), Value::from("ch1"), Value::Null];
    for argument in deletes {
        let mut peer = Peer::publishing();
        peer.call("deleteStream", 0.0, 0, &[Value::Null, argument]);
        assert_eq!(peer.events(), [Event::Finished]);
    }
    let mut peer = Peer::publishing();
    peer.call("FCUnpublish", 6.0, 0, &[Value::Null, "ch1".into()]);
    peer.call("closeStream", 0.0, 1, &[Value::Null]);
    peer.call("deleteStream", 7.0, 0, &[Value::Null, 1.0.into()]);
    assert_eq!(peer.events(), [Event::Finished]);
    assert_eq!(peer.received, []);
}

#[test]
fn deleting_another_stream_ends_nothing() {
    let mut peer = Peer::publishing();
    peer.call("deleteStream", 0.0, 0, &[Value::Null, 2.0.into()]);
    peer.send(kind::VIDEO, 5, b"v");
    assert_eq!(peer.events(), [video(5, b"v")]);
}

#[test]
fn a_connection_may_publish_again_on_the_same_stream_or_a_new_one() {
    let mut peer = Peer::publishing();
    for (end, stream) in [("FCUnpublish", 1), ("deleteStream", 1), ("closeStream", 2)] {
        peer.send(kind::VIDEO, 3_000_000_000, b"v");
        peer.call(end, 0.0, 1, &[Value::Null]);
        peer.call("createStream", 8.0, 0, &[Value::Null]);
        peer.publish(stream, "ch2");
        peer.session.accept();
        peer.send(kind::VIDEO, 0, b"w");
        let expected =
            [video(3_000_000_000, b"v"), Event::Finished, request("ch2"), video(0, b"w")];
        assert_eq!(peer.events(), expected);
    }
}

#[test]
fn a_second_publish_is_refused_and_affects_neither_a_request_nor_a_stream() {
    let mut peer = Peer::requested();
    peer.publish(1, "ch2");
    let (_, _, [level, _, description]) = peer.response();
    assert_eq!((&level[..], &description[..]), ("error", "the connection is already publishing"));
    peer.session.accept();
    peer.exchange();
    peer.received.clear();
    peer.publish(1, "ch2");
    assert_eq!(peer.response().2[0], "error");
    peer.send(kind::VIDEO, 1, b"v");
    assert_eq!(peer.events(), [video(1, b"v")]);
}

#[test]
fn the_response_to_a_withdrawn_request_is_not_sent_to_the_next() {
    let mut peer = Peer::requested();
    peer.call("FCUnpublish", 0.0, 0, &[Value::Null]);
    peer.publish(1, "other");
    assert_eq!(peer.response().2[0], "error");
    assert_eq!(peer.events(), [Event::Finished]);
    peer.session.accept();
    assert!(peer.session.take_output().is_empty());
    peer.publish(1, "other");
    assert_eq!(peer.events(), [request("other")]);
}

#[test]
fn publishing_requires_a_created_stream_and_a_name() {
    let mut peer = Peer::connected();
    for stream in [0, 1] {
        peer.publish(stream, "ch1");
        let (_, on, [_, code, description]) = peer.response();
        assert_eq!((on, &code[..]), (stream, "NetStream.Publish.BadName"));
        assert_eq!(description, "the stream was not created with createStream");
    }
    peer.call("createStream", 4.0, 0, &[Value::Null]);
    peer.received.clear();
    peer.call("publish", 5.0, 1, &[Value::Null]);
    assert_eq!(peer.response().2[2], "publish without a stream name");
    assert_eq!(peer.events(), []);
}

#[test]
fn commands_before_connect_and_a_second_connect_are_refused() {
    let mut peer = Peer::new();
    for name in ["createStream", "releaseStream", "publish"] {
        peer.call(name, 4.0, 0, &[Value::Null, "ch1".into()]);
        let (response, _, [.., description]) = peer.response();
        assert_eq!(
            (&response[..], &description[..]),
            ("_error", "connect must be the first command")
        );
    }
    let mut peer = Peer::connected();
    peer.call("connect", 2.0, 0, &[app("other", "")]);
    assert_eq!(peer.response().0, "_error");
    assert_eq!(peer.events(), []);
}

#[test]
fn playing_is_refused_with_a_reason() {
    let mut peer = Peer::connected();
    peer.call("play", 0.0, 1, &[Value::Null, "ch1".into()]);
    let (name, stream, [level, code, _]) = peer.response();
    assert_eq!((&name[..], stream, &level[..]), ("onStatus", 1, "error"));
    assert_eq!(code, "NetStream.Play.Failed");
}

#[test]
fn all_commands_may_be_sent_at_once_with_transaction_zero() {
    let mut peer = Peer::new();
    peer.link.writer.set_chunk_size(4096);
    let commands: [(&str, u32, &[Value]); 5] = [
        ("connect", 0, &[app("live", "rtmp://h/live")]),
        ("releaseStream", 0, &[Value::Null, "ch1".into()]),
        ("FCPublish", 0, &[Value::Null, "ch1".into()]),
        ("createStream", 0, &[Value::Null]),
        ("publish", 1, &[Value::Null, "ch1".into(), "live".into()]),
    ];
    for (name, stream, arguments) in commands {
        let values = [&[Value::from(name), Value::from(0.0)][..], arguments].concat();
        peer.link.command(channel::COMMAND, stream, &values);
    }
    peer.exchange();
    assert_eq!(peer.events(), [request("ch1")]);
    let names: Vec<_> = peer.received.iter().map(|(_, values)| values[0].clone()).collect();
    assert_eq!(names, [Value::from("_result"), Value::from("_result")]);
}

#[test]
fn commands_and_data_in_the_amf3_wrapper_are_decoded() {
    let mut peer = Peer::requested();
    peer.session.accept();
    let properties = vec![("width".into(), Value::Number(2.0))];
    let data = amf0::encode(&["onMetaData".into(), Value::EcmaArray(properties.clone())]);
    peer.send(kind::DATA_AMF3, 0, &[&[0], &data[..]].concat());
    let command = amf0::encode(&["deleteStream".into(), 0.0.into(), Value::Null, 1.0.into()]);
    peer.send(kind::COMMAND_AMF3, 0, &[&[0], &command[..]].concat());
    assert_eq!(peer.events(), [Event::Metadata(properties), Event::Finished]);
}

#[test]
fn metadata_is_passed_on_and_other_data_is_ignored() {
    let mut peer = Peer::publishing();
    let properties = vec![("width".into(), Value::Number(2.0))];
    let object = Value::Object(properties.clone());
    let mut send = |values: &[Value]| {
        peer.send(kind::DATA, 0, &amf0::encode(values));
        peer.events()
    };
    let expected = [Event::Metadata(properties)];
    assert_eq!(send(&["@setDataFrame".into(), "onMetaData".into(), object.clone()]), expected);
    assert_eq!(send(&["onMetaData".into(), object.clone()]), expected);
    assert_eq!(send(&["@setDataFrame".into()]), []);
    assert_eq!(send(&["@setDataFrame".into(), "onMetaData".into()]), []);
    assert_eq!(send(&["onMetaData".into(), Value::Null]), []);
    assert_eq!(send(&["onTextData".into(), object]), []);
    assert_eq!(send(&[]), []);
    peer.send(kind::DATA, 0, &[0xff]);
    assert_eq!(peer.events(), []);
}

#[test]
fn an_aggregate_is_split_with_times_relative_to_the_first() {
    let mut peer = Peer::publishing();
    let part = |kind: u8, time: u8, body: &[u8]| {
        let mut bytes = vec![kind, 0, 0, body.len() as u8, 0, 0, time, 0, 0, 0, 0];
        bytes.extend(body);
        bytes.extend([0, 0, 0, 11 + body.len() as u8]);
        bytes
    };
    let parts = [part(9, 50, b"vv"), part(8, 60, b"a"), part(22, 60, b"?")].concat();
    let cut = [&part(9, 90, b"w")[..], &part(9, 91, b"lost")[..13]].concat();
    peer.send(kind::AGGREGATE, 1000, &parts);
    peer.send(kind::AGGREGATE, 2000, &cut);
    let audio = Event::Audio { timestamp: 1010, body: b"a".to_vec() };
    assert_eq!(peer.events(), [video(1000, b"vv"), audio, video(2000, b"w")]);
}

#[test]
fn pings_are_answered() {
    let mut peer = Peer::connected();
    peer.link.writer.control(kind::USER_CONTROL, &[0, 6, 1, 2, 3, 4]);
    peer.link.writer.control(kind::USER_CONTROL, &[0, 6, 1]);
    peer.link.writer.control(kind::USER_CONTROL, &[0, 3, 0, 0, 0, 1, 0, 0, 0, 9]);
    let ping = peer.link.take_output();
    peer.feed(&ping).unwrap();
    let pong = [2, 0, 0, 0, 0, 0, 6, 4, 0, 0, 0, 0, 0, 7, 1, 2, 3, 4];
    assert_eq!(peer.session.take_output(), pong);
}

#[test]
fn received_bytes_are_acknowledged_once_per_window() {
    let mut peer = Peer::publishing();
    let handshake_and_commands = peer.sent;
    peer.link.writer.control(kind::WINDOW_ACKNOWLEDGEMENT_SIZE, &10_000u32.to_be_bytes());
    let announced = peer.link.take_output();
    peer.feed(&announced).unwrap();
    assert!(peer.session.take_output().is_empty());
    peer.link.writer.message(6, kind::VIDEO, 1, 0, &[0; 7000]);
    let bytes = peer.link.take_output();
    peer.feed(&bytes).unwrap();
    let total = (handshake_and_commands + announced.len() + bytes.len()) as u32;
    let expected = [&[2, 0, 0, 0, 0, 0, 4, 3, 0, 0, 0, 0][..], &total.to_be_bytes()].concat();
    assert_eq!(peer.session.take_output(), expected);
    peer.feed(&bytes).unwrap();
    assert!(peer.session.take_output().is_empty());
}

#[test]
fn unknown_messages_are_ignored() {
    let mut peer = Peer::publishing();
    for kind in [0, 7, 10, 16, 19, 21, 23, 255] {
        peer.send(kind, 0, b"?");
    }
    peer.send(kind::COMMAND, 0, &[]);
    peer.send(kind::COMMAND, 0, &[5]);
    peer.send(kind::VIDEO, 1, b"v");
    assert_eq!(peer.events(), [video(1, b"v")]);
}

#[test]
fn nothing_is_processed_after_an_error() {
    let mut peer = Peer::publishing();
    peer.link.writer.message(6, kind::VIDEO, 1, 1, b"v");
    peer.link.writer.message(3, kind::COMMAND, 0, 0, &[2]);
    peer.link.writer.message(6, kind::VIDEO, 1, 2, b"w");
    let bytes = peer.link.take_output();
    let error = ProtocolError::Command(amf0::DecodeError::Truncated);
    assert_eq!(peer.feed(&bytes), Err(error));
    assert_eq!(peer.feed(&[]), Err(error));
    assert_eq!(peer.events(), [video(1, b"v")]);
}

#[test]
fn timestamps_continue_where_those_on_the_wire_wrap() {
    let mut timeline = Timeline::default();
    let times = [u32::MAX - 5000, u32::MAX, 19, 9, 39].map(|time| timeline.unwrap(time));
    let base = 1 << 32;
    assert_eq!(times, [base - 5001, base - 1, base + 19, base + 9, base + 39]);
}

#[test]
fn timestamps_continue_where_those_of_ffmpeg_wrap() {
    let mut timeline = Timeline::default();
    let times = [0x7fff_fff0, 0x7fff_ffff, 6, 0x7fff_fffe, 20].map(|t| timeline.unwrap(t));
    let base = 1 << 31;
    assert_eq!(times, [base - 16, base - 1, base + 6, base - 2, base + 20]);
}

#[test]
fn timestamps_never_fall_below_zero() {
    let mut timeline = Timeline::default();
    let times = [0, 0u32.wrapping_sub(21), 2, 33, 0, u32::MAX, 66].map(|t| timeline.unwrap(t));
    assert_eq!(times, [0, 0, 2, 33, 0, 0, 66]);
}

#[test]
fn a_stream_may_start_anywhere_after_headers_at_zero() {
    for start in [1, 17_000_000, 0x7fff_ff00, 3_000_000_000, 0xffff_0000] {
        let mut timeline = Timeline::default();
        let times = [0, 0, start, start + 40].map(|time| timeline.unwrap(time));
        assert_eq!(times, [0, 0, u64::from(start), u64::from(start) + 40]);
    }
    let mut timeline = Timeline::default();
    let times = [5, 2_000_000_000, 2_000_000_040].map(|time| timeline.unwrap(time));
    assert_eq!(times, [5, 2_000_000_000, 2_000_000_040]);
}

/// Runs a session like a server and returns its events.
fn serve(pieces: &[&[u8]]) -> Vec<Event> {
    let mut session = Session::new(Limits::default());
    let mut events = Vec::new();
    for piece in pieces {
        let result = session.receive(piece);
        while let Some(event) = session.next_event() {
            if matches!(event, Event::Publish(_)) {
                session.accept();
            }
            events.push(event);
        }
        session.take_output();
        if result.is_err() {
            break;
        }
    }
    events
}

#[test]
fn a_connection_of_ffmpeg_is_processed_wherever_its_bytes_are_split() {
    // Sent at once, the media would be dropped: ffmpeg waited for the response.
    let publish = FFMPEG.windows(11).position(|bytes| bytes == b"\x02\0\x07publish\0").unwrap();
    let (start, media) = FFMPEG.split_at(publish + 60);
    let events = serve(&[start, media]);
    let count = |matches: fn(&Event) -> bool| events.iter().filter(|e| matches(e)).count();
    assert_eq!(count(|event| matches!(event, Event::Video { .. })), 17);
    assert_eq!(count(|event| matches!(event, Event::Audio { .. })), 15);
    assert_eq!(count(|event| matches!(event, Event::Metadata(_))), 1);
    assert_eq!(events.last(), Some(&Event::Finished));
    let Event::Publish(request) = &events[0] else { panic!("{:?}", events[0]) };
    assert_eq!(request.stream, "ch1?x=y%2B");
    for size in [1, 2, 3, 5, 7, 1460] {
        let pieces = start.chunks(size).chain(media.chunks(size)).collect::<Vec<_>>();
        assert_eq!(serve(&pieces), events, "in pieces of {size}");
    }
}

/// A random number generator (xorshift64*), the same in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

#[test]
fn random_input_never_panics() {
    let mut noise = Noise(0x6f73_736c_6976_6531);
    let handshake = &FFMPEG[..3073];
    for _ in 0..10_000 {
        let length = noise.below(400);
        let bytes = noise.bytes(length);
        serve(&[handshake, &bytes]);
        let _ = amf0::decode(&bytes);
        let mut client = crate::rtmp::ClientSession::new("live", "rtmp://h/live", "ch1");
        let _ = client.receive(&[handshake, &bytes].concat());
    }
}

#[test]
fn mutations_of_a_real_connection_never_panic() {
    let mut noise = Noise(0x6f73_736c_6976_6532);
    for _ in 0..10_000 {
        let mut bytes = FFMPEG.to_vec();
        for _ in 0..=noise.below(8) {
            let at = 3073 + noise.below(bytes.len() - 3200);
            match noise.below(4) {
                0 => bytes[at] = noise.next() as u8,
                1 => bytes[at] ^= 1 << noise.below(8),
                2 => drop(bytes.drain(at..at + noise.below(20))),
                _ => {
                    let copied = bytes[at..at + noise.below(60)].to_vec();
                    bytes.splice(at..at, copied);
                }
            }
        }
        let split = noise.below(bytes.len());
        serve(&[&bytes[..split], &bytes[split..]]);
    }
}

#[test]
fn messages_are_limited_to_the_size_of_commands_until_a_stream_is_accepted() {
    let frame = vec![9; 100_000];
    let mut peer = Peer::requested();
    peer.link.writer.message(channel::VIDEO, kind::VIDEO, 1, 0, &frame);
    let sent = peer.link.take_output();
    assert_eq!(peer.feed(&sent), Err(ProtocolError::MessageTooLong(frame.len())));
    let mut peer = Peer::publishing();
    peer.send(kind::VIDEO, 0, &frame);
    assert_eq!(peer.events(), [video(0, &frame)]);
    // The higher limit applies to the rest of the connection.
    peer.call("deleteStream", 0.0, 0, &[Value::Null, 1.0.into()]);
    peer.send(kind::VIDEO, 0, &frame);
    assert_eq!(peer.events(), [Event::Finished]);
}

#[test]
fn the_number_of_parts_in_an_aggregate_is_limited() {
    let part = [9, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, b'v', 0, 0, 0, 12];
    let mut peer = Peer::publishing();
    peer.send(kind::AGGREGATE, 0, &part.repeat(MAX_PARTS + 1));
    assert_eq!(peer.events().len(), MAX_PARTS);
}

#[test]
fn a_long_name_of_an_unknown_command_is_truncated_in_the_response() {
    let mut peer = Peer::connected();
    peer.call(&"é".repeat(10_000), 7.0, 0, &[Value::Null]);
    let (name, _, [_, code, description]) = peer.response();
    assert_eq!((&*name, &*code), ("_error", "NetConnection.Call.Failed"));
    assert!(description.contains("éé") && description.chars().count() < 130, "{description}");
}

#[test]
fn an_announced_stream_is_confirmed_when_it_is_accepted() {
    let mut peer = Peer::connected();
    peer.call("createStream", 4.0, 0, &[Value::Null]);
    peer.call("FCPublish", 5.0, 0, &[Value::Null, "ch1".into()]);
    peer.publish(1, "ch1");
    peer.received.clear();
    peer.session.accept();
    peer.exchange();
    let names: Vec<_> =
        peer.received.iter().map(|(stream, values)| (*stream, values[0].as_str())).collect();
    assert_eq!(names, [(1, Some("onFCPublish")), (1, Some("onStatus"))]);
    let info = &peer.received[0].1[3];
    assert_eq!(info.get("code"), Some(&"NetStream.Publish.Start".into()));
    assert!(info.get("description").is_some());
}

#[test]
fn a_stream_that_was_not_announced_is_not_confirmed() {
    let mut peer = Peer::requested();
    peer.received.clear();
    peer.session.accept();
    peer.exchange();
    let names: Vec<_> = peer.received.iter().map(|(_, values)| values[0].as_str()).collect();
    assert_eq!(names, [Some("onStatus")]);
}

/// Returns a connect command whose object contains `value` after the application.
fn connect_with(value: &[u8]) -> Vec<u8> {
    let mut command = amf0::encode(&["connect".into(), 1.0.into()]);
    let mut object = amf0::encode(&[app("live", "rtmp://h/live")]);
    object.truncate(object.len() - 3);
    command.extend(object);
    command.extend([0, 4]);
    command.extend(b"more");
    command.extend(value);
    command.extend([0, 0, 9]);
    command
}

#[test]
fn invalid_values_after_the_application_in_connect_are_ignored() {
    // A switch to AMF3, a movie clip, a record set, a reserved type, a deep array.
    let deep = [[0x0A, 0, 0, 0, 1]; 40].concat();
    for value in [&[0x11, 1][..], &[0x04], &[0x0E, 1, 2], &[0x7F], &deep] {
        for (kind, wrapper) in [(kind::COMMAND, &[][..]), (kind::COMMAND_AMF3, &[0])] {
            let mut peer = Peer::new();
            peer.send(kind, 0, &[wrapper, &connect_with(value)].concat());
            let (name, _, [_, code, _]) = peer.response();
            assert_eq!((&name[..], &code[..]), ("_result", "NetConnection.Connect.Success"));
        }
    }
}

#[test]
fn a_malformed_connect_without_an_application_is_an_error() {
    let mut peer = Peer::new();
    let mut command = amf0::encode(&["connect".into(), 1.0.into()]);
    command.extend([3, 0, 1, b'x', 0x11, 1]);
    peer.link.writer.message(channel::COMMAND, kind::COMMAND, 0, 0, &command);
    let bytes = peer.link.take_output();
    assert!(peer.session.receive(&bytes).is_err());
}

#[test]
fn the_bytes_of_media_are_counted_before_their_message_is_complete() {
    let mut peer = Peer::publishing();
    assert_eq!(peer.session.media_bytes(), 0);
    peer.send(kind::VIDEO, 0, &[7; 1000]);
    peer.send(kind::AUDIO, 0, &[7; 100]);
    assert_eq!(peer.session.media_bytes(), 1100);
    peer.link.writer.message(channel::VIDEO, kind::VIDEO, 1, 40, &[7; 1000]);
    let bytes = peer.link.take_output();
    peer.feed(&bytes[..bytes.len() - 100]).unwrap();
    assert_eq!(peer.session.media_bytes(), 2000);
}

#[test]
fn a_first_timestamp_just_before_zero_is_zero() {
    let first = |timestamp: u32| Timeline::default().unwrap(timestamp);
    assert_eq!(first(0u32.wrapping_sub(MAX_LEAD - 1)), 0);
    assert_eq!(first(0u32.wrapping_sub(MAX_LEAD)), u64::from(u32::MAX - MAX_LEAD + 1));
}
