//! The protocol parts that both ends share: handshake, chunks, acknowledgements
//! and pings.

use super::amf0::{self, Value};
use super::chunk::{ChunkReader, ChunkWriter, Message, kind};
use super::handshake::Handshake;
use super::{Limits, ProtocolError};
use crate::budget::Share;

/// The default acknowledgement window in bytes, which both ends also announce.
pub(super) const WINDOW: u32 = 2_500_000;

/// User control events, RTMP 1.0 section 7.1.7.
const STREAM_BEGIN: u16 = 0;
const PING_REQUEST: u16 = 6;
const PING_RESPONSE: u16 = 7;

/// One end of a connection, below commands and media.
pub(super) struct Link {
    handshake: Handshake,
    reader: ChunkReader,
    pub(super) writer: ChunkWriter,
    window: u32,
    received: u32,
    acknowledged: u32,
}

impl Link {
    pub(super) fn server(limits: Limits, share: Share) -> Self {
        Self::new(Handshake::server(), ChunkWriter::new(), limits, share)
    }

    pub(super) fn client(limits: Limits) -> Self {
        let mut writer = ChunkWriter::new();
        Self::new(Handshake::client(&mut writer.output), writer, limits, Share::unlimited())
    }

    fn new(handshake: Handshake, writer: ChunkWriter, limits: Limits, share: Share) -> Self {
        let reader = ChunkReader::new(limits, share);
        Link { handshake, reader, writer, window: WINDOW, received: 0, acknowledged: 0 }
    }

    /// Changes the limits for later messages.
    pub(super) fn allow(&mut self, limits: Limits) {
        self.reader.allow(limits);
    }

    /// Returns how many bytes of media have arrived, including those of unfinished
    /// messages.
    pub(super) fn media(&self) -> u64 {
        self.reader.media
    }

    /// Returns whether the handshake is complete.
    pub(super) fn is_open(&self) -> bool {
        self.handshake.is_done()
    }

    /// Consumes bytes from the front of `input` until a message for the layer above
    /// is complete; returns `None` if all were consumed.
    pub(super) fn read(&mut self, input: &mut &[u8]) -> Result<Option<Message>, ProtocolError> {
        if !self.handshake.is_done() {
            self.handshake.read(input, &mut self.writer.output)?;
            if !self.handshake.is_done() {
                return Ok(None);
            }
        }
        while let Some(message) = self.reader.read(input)? {
            match message.kind {
                kind::ACKNOWLEDGEMENT | kind::SET_PEER_BANDWIDTH => {}
                // A window of zero would mean an acknowledgement after each read.
                kind::WINDOW_ACKNOWLEDGEMENT_SIZE => self.window = message.u32()?.max(1),
                kind::USER_CONTROL => self.user_control(&message.payload),
                _ => return Ok(Some(message)),
            }
        }
        Ok(None)
    }

    fn user_control(&mut self, payload: &[u8]) {
        let Some((event, rest)) = payload.split_first_chunk() else { return };
        let Some(time) = rest.first_chunk() else { return };
        if u16::from_be_bytes(*event) == PING_REQUEST {
            self.send_user_control(PING_RESPONSE, u32::from_be_bytes(*time));
        }
    }

    fn send_user_control(&mut self, event: u16, value: u32) {
        let [a, b] = event.to_be_bytes();
        let [c, d, e, f] = value.to_be_bytes();
        self.writer.control(kind::USER_CONTROL, &[a, b, c, d, e, f]);
    }

    /// Notifies the peer that a message stream is ready.
    pub(super) fn stream_begin(&mut self, stream: u32) {
        self.send_user_control(STREAM_BEGIN, stream);
    }

    /// Writes a command on chunk stream `channel` and message stream `stream`.
    pub(super) fn command(&mut self, channel: u8, stream: u32, values: &[Value]) {
        self.writer.message(channel, kind::COMMAND, stream, 0, &amf0::encode(values));
    }

    /// Counts received bytes and acknowledges them when a window is full.
    ///
    /// An acknowledgement contains the total received, modulo 2^32 (section 5.4.3).
    pub(super) fn count(&mut self, bytes: usize) {
        self.received = self.received.wrapping_add(bytes as u32);
        if self.is_open() && self.received.wrapping_sub(self.acknowledged) >= self.window {
            self.acknowledged = self.received;
            self.writer.control(kind::ACKNOWLEDGEMENT, &self.received.to_be_bytes());
        }
    }

    /// Returns the bytes to send, and clears the buffer.
    pub(super) fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.writer.output)
    }
}

/// Returns the values of a command or data message; those of the AMF3 kinds start
/// with a zero, followed by AMF0.
pub(super) fn values(message: &Message) -> Result<Vec<Value>, amf0::DecodeError> {
    amf0::decode(amf0_of(message))
}

/// Returns the values of a command up to the first invalid one.
pub(super) fn values_prefix(message: &Message) -> Vec<Value> {
    amf0::decode_prefix(amf0_of(message))
}

fn amf0_of(message: &Message) -> &[u8] {
    match (message.kind, &message.payload[..]) {
        (kind::COMMAND_AMF3 | kind::DATA_AMF3, [0, rest @ ..]) => rest,
        (_, bytes) => bytes,
    }
}
