//! The chunk stream: messages are split into chunks, which may be interleaved.
//!
//! RTMP 1.0, section 5.3. Set Chunk Size and Abort (section 5.4) concern only
//! this layer and are handled here.

use super::{Limits, ProtocolError};
use crate::budget::Share;

/// The chunk size until a peer sets another.
const DEFAULT_CHUNK_SIZE: usize = 128;

/// Basic header 3, message header 11, extended timestamp 4.
const MAX_HEADER: usize = 18;

/// The value of a header's timestamp field if an extended timestamp follows.
const EXTENDED: u32 = 0x00ff_ffff;

/// The maximum message length that a header can represent.
const MAX_LENGTH: usize = 0x00ff_ffff;

/// The initial buffer size of a message. Beyond it, the buffer grows with the bytes
/// that arrive; a header alone allocates nothing.
const STEP: usize = 64 << 10;

/// The maximum time between a message with a full header and the next one without
/// a header, in milliseconds.
///
/// By the specification, the first timestamp is also the delta of the second.
/// Writers that follow it, like ffmpeg's, omit the header only near the start,
/// where this is true; others omit it for two messages with the same time.
const MAX_IMPLIED_DELTA: u32 = 10_000;

/// Message types, with their names in sections 5.4 and 7.1.
pub(super) mod kind {
    pub(in crate::rtmp) const SET_CHUNK_SIZE: u8 = 1;
    pub(in crate::rtmp) const ABORT: u8 = 2;
    pub(in crate::rtmp) const ACKNOWLEDGEMENT: u8 = 3;
    pub(in crate::rtmp) const USER_CONTROL: u8 = 4;
    pub(in crate::rtmp) const WINDOW_ACKNOWLEDGEMENT_SIZE: u8 = 5;
    pub(in crate::rtmp) const SET_PEER_BANDWIDTH: u8 = 6;
    pub(in crate::rtmp) const AUDIO: u8 = 8;
    pub(in crate::rtmp) const VIDEO: u8 = 9;
    pub(in crate::rtmp) const DATA_AMF3: u8 = 15;
    pub(in crate::rtmp) const COMMAND_AMF3: u8 = 17;
    pub(in crate::rtmp) const DATA: u8 = 18;
    pub(in crate::rtmp) const COMMAND: u8 = 20;
    pub(in crate::rtmp) const AGGREGATE: u8 = 22;
}

/// The chunk streams that this project uses for writing.
pub(super) mod channel {
    pub(in crate::rtmp) const CONTROL: u8 = 2;
    pub(in crate::rtmp) const COMMAND: u8 = 3;
    pub(in crate::rtmp) const AUDIO: u8 = 4;
    pub(in crate::rtmp) const STATUS: u8 = 5;
    pub(in crate::rtmp) const VIDEO: u8 = 6;
}

/// A complete message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// Milliseconds, modulo 2^32.
    pub(super) timestamp: u32,
    pub(super) kind: u8,
    /// The message stream, as createStream numbers them.
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

/// Assembles messages from bytes split anywhere.
pub(super) struct ChunkReader {
    limits: Limits,
    chunk_size: usize,
    streams: Vec<ChunkStream>,
    /// The start of an incomplete header.
    head: [u8; MAX_HEADER],
    head_length: usize,
    /// The current chunk: the index of its stream, and how much of its payload is
    /// missing.
    current: Option<(usize, usize)>,
    /// The total length of all unfinished messages.
    pending: usize,
    /// Their share of the budget of all connections.
    share: Share,
    /// How many bytes of media have arrived, including those of unfinished messages.
    pub(super) media: u64,
}

/// A chunk stream: its last header, to which later ones refer, and its unfinished
/// message.
#[derive(Default)]
struct ChunkStream {
    id: u32,
    timestamp: u32,
    delta: u32,
    /// The last timestamp or delta in a header, and whether it was extended.
    field: u32,
    extended: bool,
    length: usize,
    kind: u8,
    message_stream: u32,
    payload: Vec<u8>,
    /// How much of the share the payload uses.
    reserved: usize,
    under_way: bool,
}

/// The header of a chunk; fields that its format omits are zero.
struct Header {
    id: u32,
    format: u8,
    field: u32,
    extended: bool,
    length: usize,
    kind: u8,
    message_stream: u32,
    /// Its length in bytes.
    size: usize,
}

impl ChunkReader {
    pub(super) fn new(limits: Limits, share: Share) -> Self {
        ChunkReader {
            limits,
            share,
            chunk_size: DEFAULT_CHUNK_SIZE,
            streams: Vec::new(),
            head: [0; MAX_HEADER],
            head_length: 0,
            current: None,
            pending: 0,
            media: 0,
        }
    }

    /// Changes the limits for later messages.
    pub(super) fn allow(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Consumes bytes from the front of `input` until a message is complete.
    ///
    /// Returns `None` if all of `input` was consumed and more is needed.
    pub(super) fn read(&mut self, input: &mut &[u8]) -> Result<Option<Message>, ProtocolError> {
        loop {
            let (index, missing) = match self.current {
                Some(current) => current,
                None => match self.read_header(input) {
                    Some(header) => self.begin_chunk(&header)?,
                    None => return Ok(None),
                },
            };
            let missing = self.read_payload(index, missing, input)?;
            if missing > 0 {
                self.current = Some((index, missing));
                return Ok(None);
            }
            self.current = None;
            if let Some(message) = self.finish_chunk(index) {
                if !self.control(&message)? {
                    return Ok(Some(message));
                }
            }
        }
    }

    fn read_header(&mut self, input: &mut &[u8]) -> Option<Header> {
        let kept = self.head_length;
        let taken = input.len().min(MAX_HEADER - kept);
        self.head[kept..kept + taken].copy_from_slice(&input[..taken]);
        self.head_length = kept + taken;
        let Some(header) = self.parse_header() else {
            *input = &input[taken..];
            return None;
        };
        if let Some(used) = header.size.checked_sub(kept) {
            *input = &input[used..];
            self.head_length = 0;
        } else {
            // Bytes kept as a possible repeated timestamp were payload.
            self.head.copy_within(header.size..kept, 0);
            self.head_length = kept - header.size;
        }
        Some(header)
    }

    fn parse_header(&self) -> Option<Header> {
        let head = &self.head[..self.head_length];
        let first = *head.first()?;
        let (id, at) = match first & 0x3f {
            0 => (64 + u32::from(*head.get(1)?), 2),
            1 => (64 + u32::from(*head.get(1)?) + 256 * u32::from(*head.get(2)?), 3),
            id => (u32::from(id), 1),
        };
        let format = first >> 6;
        let rest = &head[at..];
        if format == 3 {
            let size = at + self.repeated_timestamp(id, rest)?;
            return Some(Header { id, format, size, ..Header::NONE });
        }
        let body = rest.get(..[11, 7, 3][usize::from(format)])?;
        let mut header = Header { id, format, size: at + body.len(), ..Header::NONE };
        header.field = u24(body);
        if header.field == EXTENDED {
            header.field = u32::from_be_bytes(*rest.get(body.len()..)?.first_chunk()?);
            header.extended = true;
            header.size += 4;
        }
        if let Some([length @ .., kind]) = body.get(3..7) {
            header.length = u24(length) as usize;
            header.kind = *kind;
        }
        if let Some(stream) = body.get(7..).and_then(|stream| stream.first_chunk()) {
            header.message_stream = u32::from_le_bytes(*stream);
        }
        Some(header)
    }

    /// Returns how many bytes of an extended timestamp are at the start of `rest`,
    /// after a header without fields; `None` if more bytes are needed to tell.
    ///
    /// The specification repeats it there, but OBS before 30.1 and librtmp do not:
    /// only the value shows which it is.
    fn repeated_timestamp(&self, id: u32, rest: &[u8]) -> Option<usize> {
        let Some(stream) = self.streams.iter().find(|stream| stream.id == id && stream.extended)
        else {
            return Some(0);
        };
        let timestamp = stream.field.to_be_bytes();
        let compared = rest.len().min(4);
        if rest[..compared] != timestamp[..compared] {
            return Some(0);
        }
        (compared == 4).then_some(4)
    }

    fn begin_chunk(&mut self, header: &Header) -> Result<(usize, usize), ProtocolError> {
        let index = self.stream_index(header)?;
        let stream = &mut self.streams[index];
        if header.format < 3 && stream.under_way {
            // A message interrupted by the next one is dropped.
            self.pending -= stream.abandon(&mut self.share);
        }
        if !stream.under_way {
            stream.apply(header);
            if stream.length > self.limits.max_message {
                return Err(ProtocolError::MessageTooLong(stream.length));
            }
            if self.pending + stream.length > self.limits.max_pending {
                return Err(ProtocolError::TooMuchPending);
            }
            self.pending += stream.length;
            stream.under_way = true;
        }
        Ok((index, self.chunk_size.min(stream.length - stream.payload.len())))
    }

    fn stream_index(&mut self, header: &Header) -> Result<usize, ProtocolError> {
        if let Some(index) = self.streams.iter().position(|stream| stream.id == header.id) {
            return Ok(index);
        }
        // Format 1 lacks only the message stream, and librtmp starts its
        // control stream with it.
        if header.format > 1 {
            return Err(ProtocolError::NoEarlierHeader(header.id));
        }
        if self.streams.len() >= self.limits.max_chunk_streams {
            return Err(ProtocolError::TooManyChunkStreams);
        }
        self.streams.push(ChunkStream { id: header.id, ..ChunkStream::default() });
        Ok(self.streams.len() - 1)
    }

    /// Moves payload to its message and returns how much is still missing.
    fn read_payload(
        &mut self,
        index: usize,
        missing: usize,
        input: &mut &[u8],
    ) -> Result<usize, ProtocolError> {
        let kept = missing.min(self.head_length);
        let (bytes, rest) = input.split_at((missing - kept).min(input.len()));
        let stream = &mut self.streams[index];
        stream.reserve(kept + bytes.len(), &mut self.share)?;
        stream.payload.extend_from_slice(&self.head[..kept]);
        stream.payload.extend_from_slice(bytes);
        self.head.copy_within(kept..self.head_length, 0);
        self.head_length -= kept;
        if matches!(stream.kind, kind::AUDIO | kind::VIDEO | kind::AGGREGATE) {
            self.media += bytes.len() as u64;
        }
        *input = rest;
        Ok(missing - kept - bytes.len())
    }

    fn finish_chunk(&mut self, index: usize) -> Option<Message> {
        let stream = &mut self.streams[index];
        if stream.payload.len() < stream.length {
            return None;
        }
        let payload = std::mem::take(&mut stream.payload);
        self.pending -= stream.abandon(&mut self.share);
        Some(Message {
            timestamp: stream.timestamp,
            kind: stream.kind,
            stream: stream.message_stream,
            payload,
        })
    }

    /// Handles control messages of this layer; returns whether it was one.
    fn control(&mut self, message: &Message) -> Result<bool, ProtocolError> {
        match message.kind {
            kind::SET_CHUNK_SIZE => {
                let size = message.u32()?;
                // Any size is harmless here: only messages allocate memory.
                self.chunk_size = match usize::try_from(size) {
                    Ok(valid @ 1..=0x7fff_ffff) => valid,
                    _ => return Err(ProtocolError::ChunkSize(size)),
                };
            }
            kind::ABORT => {
                let id = message.u32()?;
                if let Some(stream) = self.streams.iter_mut().find(|stream| stream.id == id) {
                    self.pending -= stream.abandon(&mut self.share);
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl ChunkStream {
    /// Applies the header of a new message.
    fn apply(&mut self, header: &Header) {
        if header.format < 3 {
            self.field = header.field;
            self.extended = header.extended;
            self.delta = header.field;
        }
        if header.format < 2 {
            self.length = header.length;
            self.kind = header.kind;
        }
        if header.format == 0 {
            self.message_stream = header.message_stream;
            self.timestamp = header.field;
            self.delta = if header.field <= MAX_IMPLIED_DELTA { header.field } else { 0 };
        } else {
            self.timestamp = self.timestamp.wrapping_add(self.delta);
        }
    }

    /// Reserves memory for more of the payload.
    fn reserve(&mut self, more: usize, share: &mut Share) -> Result<(), ProtocolError> {
        let needed = self.payload.len() + more;
        if needed <= self.reserved {
            return Ok(());
        }
        let reserved = needed.max(2 * self.reserved).max(STEP).min(self.length);
        if !share.grow(reserved - self.reserved) {
            return Err(ProtocolError::NoRoom);
        }
        self.reserved = reserved;
        let added = reserved - self.payload.len();
        self.payload.try_reserve_exact(added).map_err(|_| ProtocolError::NoRoom)
    }

    /// Drops the unfinished message and returns its claimed length.
    fn abandon(&mut self, share: &mut Share) -> usize {
        self.payload = Vec::new();
        share.shrink(std::mem::take(&mut self.reserved));
        if std::mem::take(&mut self.under_way) { self.length } else { 0 }
    }
}

impl Header {
    const NONE: Header = Header {
        id: 0,
        format: 0,
        field: 0,
        extended: false,
        length: 0,
        kind: 0,
        message_stream: 0,
        size: 0,
    };
}

impl Message {
    /// Returns the number in a control message.
    pub(super) fn u32(&self) -> Result<u32, ProtocolError> {
        let bytes = self.payload.first_chunk().ok_or(ProtocolError::ShortControl(self.kind))?;
        Ok(u32::from_be_bytes(*bytes))
    }
}

/// Splits messages into chunks, one message after the other.
pub(super) struct ChunkWriter {
    chunk_size: usize,
    /// The bytes to send.
    pub(super) output: Vec<u8>,
}

impl ChunkWriter {
    pub(super) fn new() -> Self {
        ChunkWriter { chunk_size: DEFAULT_CHUNK_SIZE, output: Vec::new() }
    }

    /// Announces a chunk size of at most 31 bits to the peer, and uses it from now on.
    pub(super) fn set_chunk_size(&mut self, size: u32) {
        self.control(kind::SET_CHUNK_SIZE, &size.to_be_bytes());
        self.chunk_size = size as usize;
    }

    /// Writes a control message.
    pub(super) fn control(&mut self, kind: u8, payload: &[u8]) {
        self.message(channel::CONTROL, kind, 0, 0, payload);
    }

    /// Writes one message with a full header on chunk stream `id`, 2 to 63.
    ///
    /// The caller must check the length with [`check_length`] if it may be too long.
    pub(super) fn message(
        &mut self,
        id: u8,
        kind: u8,
        stream: u32,
        timestamp: u32,
        payload: &[u8],
    ) {
        let chunks = payload.len().div_ceil(self.chunk_size);
        self.output.reserve(MAX_HEADER + payload.len() + chunks * 5);
        let extended = (timestamp >= EXTENDED).then(|| timestamp.to_be_bytes());
        self.output.push(id);
        self.output.extend_from_slice(&timestamp.min(EXTENDED).to_be_bytes()[1..]);
        self.output.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
        self.output.push(kind);
        self.output.extend_from_slice(&stream.to_le_bytes());
        self.output.extend(extended.into_iter().flatten());
        for (index, chunk) in payload.chunks(self.chunk_size).enumerate() {
            if index > 0 {
                self.output.push(0xc0 | id);
                self.output.extend(extended.into_iter().flatten());
            }
            self.output.extend_from_slice(chunk);
        }
    }
}

/// Checks that a header can represent this message length.
pub(super) fn check_length(length: usize) -> Result<(), ProtocolError> {
    if length > MAX_LENGTH { Err(ProtocolError::MessageTooLong(length)) } else { Ok(()) }
}

/// Returns the first three bytes, which must exist, as a number.
fn u24(bytes: &[u8]) -> u32 {
    bytes.iter().take(3).fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(timestamp: u32, kind: u8, payload: &[u8]) -> Message {
        Message { timestamp, kind, stream: 1, payload: payload.to_vec() }
    }

    fn full(id: u8, field: u32, length: usize, kind: u8) -> Vec<u8> {
        let mut bytes = vec![id];
        bytes.extend(&field.to_be_bytes()[1..]);
        bytes.extend(&(length as u32).to_be_bytes()[1..]);
        bytes.extend([kind, 1, 0, 0, 0]);
        bytes
    }

    fn read_with(limits: Limits, pieces: &[&[u8]]) -> Result<Vec<Message>, ProtocolError> {
        let (mut reader, mut messages) = (ChunkReader::new(limits, Share::unlimited()), Vec::new());
        for piece in pieces {
            let mut input = *piece;
            while let Some(message) = reader.read(&mut input)? {
                messages.push(message);
            }
            assert!(input.is_empty());
        }
        Ok(messages)
    }

    fn read(bytes: &[u8]) -> Result<Vec<Message>, ProtocolError> {
        read_with(Limits::default(), &[bytes])
    }

    /// Checks the messages when read at once, split in two at every byte, and byte by byte.
    fn assert_reads(bytes: &[u8], expected: &[Message]) {
        assert_eq!(read(bytes).as_deref(), Ok(expected));
        for split in 0..=bytes.len() {
            let (first, second) = bytes.split_at(split);
            let messages = read_with(Limits::default(), &[first, second]);
            assert_eq!(messages.as_deref(), Ok(expected), "split at {split}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(read_with(Limits::default(), &single).as_deref(), Ok(expected), "single bytes");
    }

    fn payload(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i % 253) as u8).collect()
    }

    #[test]
    fn a_chunk_stream_has_the_same_id_in_two_bytes_and_in_three() {
        // 64 + 1, and 64 + 255.
        for (two_bytes, three_bytes) in [([0, 1], [1, 1, 0]), ([0, 255], [1, 255, 0])] {
            let video = payload(300);
            let header = &full(0, 1000, 300, 9)[1..];
            let next = |id: &[u8]| [&[0xc0 | id[0]], &id[1..]].concat();
            let bytes = [
                &two_bytes[..],
                header,
                &video[..128],
                &next(&three_bytes),
                &video[128..256],
                &next(&two_bytes),
                &video[256..],
            ];
            assert_reads(&bytes.concat(), &[message(1000, 9, &video)]);
        }
    }

    #[test]
    fn chunk_streams_with_ids_of_three_bytes_are_distinct() {
        // 64 + 2 + 256 * 3, and 64 + 3 + 256 * 2.
        let (video, audio) = (payload(200), payload(150));
        let (first, second) = ([1, 2, 3], [1, 3, 2]);
        let bytes = [
            &first[..],
            &full(0, 1000, 200, 9)[1..],
            &video[..128],
            &second,
            &full(0, 1001, 150, 8)[1..],
            &audio[..128],
            &[0xc1, 2, 3],
            &video[128..],
            &[0xc1, 3, 2],
            &audio[128..],
        ];
        let expected = [message(1000, 9, &video), message(1001, 8, &audio)];
        assert_reads(&bytes.concat(), &expected);
    }

    #[test]
    fn chunk_streams_may_be_interleaved_and_bytes_split_anywhere() {
        let (video, audio) = (payload(300), payload(130));
        let bytes = [
            &full(6, 1000, 300, 9)[..],
            &video[..128],
            &full(4, 1001, 130, 8),
            &audio[..128],
            &[0xc6],
            &video[128..256],
            &[0xc4],
            &audio[128..],
            &[0xc6],
            &video[256..],
        ]
        .concat();
        assert_reads(&bytes, &[message(1001, 8, &audio), message(1000, 9, &video)]);
    }

    #[test]
    fn all_four_formats_have_timestamps_as_specified() {
        let bytes = [
            &full(4, 1000, 2, 8)[..],
            &[1, 2],
            &[0x44, 0, 0, 20, 0, 0, 1, 8, 3],
            &[0x84, 0, 0, 21, 4],
            &[0xc4, 5],
        ]
        .concat();
        let expected = [(1000, &[1, 2][..]), (1020, &[3]), (1041, &[4]), (1062, &[5])]
            .map(|(time, bytes)| message(time, 8, bytes));
        assert_reads(&bytes, &expected);
    }

    #[test]
    fn a_header_without_fields_after_a_full_one_uses_a_small_timestamp_as_delta() {
        let bytes = [&full(4, 23, 1, 8)[..], &[1, 0xc4, 2]].concat();
        assert_reads(&bytes, &[message(23, 8, &[1]), message(46, 8, &[2])]);
    }

    #[test]
    fn a_header_without_fields_after_a_full_one_keeps_a_large_timestamp() {
        let bytes = [&full(4, 3_600_000, 1, 8)[..], &[1, 0xc4, 2]].concat();
        assert_reads(&bytes, &[message(3_600_000, 8, &[1]), message(3_600_000, 8, &[2])]);
    }

    #[test]
    fn later_chunks_may_or_may_not_repeat_an_extended_timestamp() {
        let video = payload(300);
        let time: u32 = 0x0102_0304;
        for repeated in [&time.to_be_bytes()[..], &[]] {
            let bytes = [
                &full(6, 0xff_ffff, 300, 9)[..],
                &time.to_be_bytes(),
                &video[..128],
                &[0xc6],
                repeated,
                &video[128..256],
                &[0xc6],
                repeated,
                &video[256..],
                &[0x86, 0, 0, 40],
                &video[..128],
                &[0xc6],
                &video[128..256],
                &[0xc6],
                &video[256..],
            ]
            .concat();
            assert_reads(&bytes, &[message(time, 9, &video), message(time + 40, 9, &video)]);
        }
    }

    #[test]
    fn payload_that_resembles_the_extended_timestamp_is_payload() {
        let time: u32 = 0x0101_0101;
        let mut video = payload(130);
        video[128..].copy_from_slice(&[1, 1]);
        let bytes = [
            &full(6, 0xff_ffff, 130, 9)[..],
            &time.to_be_bytes(),
            &video[..128],
            &[0xc6, 1, 1],
            &full(4, 7, 1, 8),
            &[9],
        ]
        .concat();
        assert_reads(&bytes, &[message(time, 9, &video), message(7, 8, &[9])]);
        let video = [&payload(128)[..], &[1, 1, 1, 9, 8, 7, 6, 5]].concat();
        let bytes = [
            &full(6, 0xff_ffff, 136, 9)[..],
            &time.to_be_bytes(),
            &video[..128],
            &[0xc6],
            &video[128..],
        ]
        .concat();
        assert_reads(&bytes, &[message(time, 9, &video)]);
    }

    #[test]
    fn an_extended_delta_is_added() {
        let bytes =
            [&full(4, 5, 1, 8)[..], &[1], &[0x84, 0xff, 0xff, 0xff, 1, 0, 0, 0, 2]].concat();
        assert_reads(&bytes, &[message(5, 8, &[1]), message(0x0100_0005, 8, &[2])]);
    }

    #[test]
    fn the_timestamp_wraps() {
        let bytes =
            [&full(4, 0xff_ffff, 1, 8)[..], &[0xff, 0xff, 0xff, 0xfe, 1], &[0x84, 0, 0, 3, 2]]
                .concat();
        assert_reads(&bytes, &[message(0xffff_fffe, 8, &[1]), message(1, 8, &[2])]);
    }

    #[test]
    fn chunk_stream_ids_of_two_and_three_bytes_are_read() {
        let tail = &full(0, 9, 1, 8)[1..];
        let (two, three) = ([0x00, 10], [0x01, 10, 1]);
        let bytes =
            [&two[..], tail, &[1], &three, tail, &[2], &[0xc0, 10, 3], &[0xc1, 10, 1, 4]].concat();
        let expected = [(9, 1), (9, 2), (18, 3), (18, 4)].map(|(t, b)| message(t, 8, &[b]));
        assert_reads(&bytes, &expected);
    }

    #[test]
    fn the_chunk_size_may_change_between_the_chunks_of_a_message() {
        let video = payload(300);
        let bytes = [
            &full(6, 1, 300, 9)[..],
            &video[..128],
            &full(2, 0, 4, 1),
            &[0x7f, 0xff, 0xff, 0xff],
            &[0xc6],
            &video[128..],
        ]
        .concat();
        assert_reads(&bytes, &[message(1, 9, &video)]);
    }

    #[test]
    fn an_invalid_chunk_size_is_an_error() {
        for size in [0u32, 0x8000_0000, u32::MAX] {
            let bytes = [&full(2, 0, 4, 1)[..], &size.to_be_bytes()].concat();
            assert_eq!(read(&bytes), Err(ProtocolError::ChunkSize(size)));
        }
        let short = [&full(2, 0, 3, 1)[..], &[0, 0, 1]].concat();
        assert_eq!(read(&short), Err(ProtocolError::ShortControl(1)));
    }

    #[test]
    fn an_aborted_message_is_dropped_and_its_stream_continues() {
        let bytes = [
            &full(6, 1, 300, 9)[..],
            &payload(128),
            &full(2, 0, 4, 2),
            &[0, 0, 0, 6],
            &full(2, 0, 4, 2),
            &[0, 0, 0, 99],
            &[0x46, 0, 0, 1, 0, 0, 1, 9, 42],
        ]
        .concat();
        assert_reads(&bytes, &[message(2, 9, &[42])]);
    }

    #[test]
    fn an_abort_concerns_only_the_chunk_stream_that_it_names() {
        let bytes = [
            &full(6, 1, 130, 9)[..],
            &payload(128),
            &full(4, 1, 130, 8),
            &payload(128),
            &full(2, 0, 4, 2),
            &[0, 0, 0, 4],
            &[0xc6, 128, 129],
        ]
        .concat();
        assert_reads(&bytes, &[message(1, 9, &payload(130))]);
    }

    #[test]
    fn dropping_a_message_releases_exactly_its_pending_bytes() {
        let unfinished =
            [&full(6, 1, 130, 9)[..], &payload(128), &full(4, 1, 300, 8), &payload(128)];
        let limits = Limits { max_pending: 434, ..Limits::default() };
        let video = payload(130);
        let rest = [&[0xc6][..], &video[128..]].concat();
        let abort = [&full(2, 0, 4, 2)[..], &[0, 0, 0, 4]].concat();
        let bytes = [&unfinished.concat()[..], &abort, &rest].concat();
        assert_eq!(read_with(limits, &[&bytes]), Ok(vec![message(1, 9, &video)]));
        let audio = payload(300);
        let next = [
            &full(4, 2, 300, 8)[..],
            &audio[..128],
            &[0xc4],
            &audio[128..256],
            &[0xc4],
            &audio[256..],
        ]
        .concat();
        let bytes = [&unfinished.concat()[..], &next, &rest].concat();
        let expected = [message(2, 8, &audio), message(1, 9, &video)];
        assert_eq!(read_with(limits, &[&bytes]).as_deref(), Ok(&expected[..]));
    }

    #[test]
    fn payload_that_resembles_another_chunk_streams_extended_timestamp_is_payload() {
        let time: u32 = 0x0102_0304;
        let audio = [payload(128), time.to_be_bytes().to_vec()].concat();
        let bytes = [
            &full(6, 0xff_ffff, 1, 9)[..],
            &time.to_be_bytes(),
            &[7],
            &full(4, 7, 132, 8),
            &audio[..128],
            &[0xc4],
            &audio[128..],
        ]
        .concat();
        assert_reads(&bytes, &[message(time, 9, &[7]), message(7, 8, &audio)]);
    }

    #[test]
    fn a_message_takes_memory_as_it_arrives_and_never_more_than_its_length() {
        let budget = crate::budget::Budget::new(usize::MAX);
        let mut reader = ChunkReader::new(Limits::default(), budget.share());
        let mut feed = |mut bytes: &[u8]| reader.read(&mut bytes).unwrap().is_some();
        let size = [&full(2, 0, 4, 1)[..], &[0x7f, 0xff, 0xff, 0xff]].concat();
        assert!(!feed(&size) && !feed(&full(6, 0, 200_000, 9)));
        assert_eq!(budget.taken(), 0);
        let mut sent = 0;
        for (bytes, taken) in
            [(1, 65_536), (65_535, 65_536), (1, 131_072), (65_535, 131_072), (1, 200_000)]
        {
            assert!(!feed(&payload(bytes)));
            sent += bytes;
            assert_eq!(budget.taken(), taken, "after {sent} bytes");
        }
        assert!(feed(&payload(200_000 - sent)));
        assert_eq!(budget.taken(), 0);
    }

    #[test]
    fn a_message_beyond_the_budget_is_an_error() {
        let budget = crate::budget::Budget::new(100);
        let mut reader = ChunkReader::new(Limits::default(), budget.share());
        let bytes = [&full(6, 0, 101, 9)[..], &payload(101)].concat();
        assert_eq!(reader.read(&mut &bytes[..]), Err(ProtocolError::NoRoom));
        assert_eq!(budget.taken(), 0);
    }

    #[test]
    fn media_is_counted_as_it_arrives() {
        let mut reader = ChunkReader::new(Limits::default(), Share::unlimited());
        for (kind, counts) in [(8, true), (9, true), (22, true), (18, false), (20, false)] {
            let before = reader.media;
            let bytes = [&full(6, 0, 128, kind)[..], &payload(100)].concat();
            reader.read(&mut &bytes[..]).unwrap();
            reader.read(&mut &payload(20)[..]).unwrap();
            assert_eq!(reader.media - before, if counts { 120 } else { 0 }, "type {kind}");
            reader.read(&mut &payload(8)[..]).unwrap();
        }
    }

    #[test]
    fn a_message_interrupted_by_a_new_header_is_dropped() {
        let bytes = [&full(6, 1, 300, 9)[..], &payload(128), &full(6, 2, 1, 9), &[42]].concat();
        assert_reads(&bytes, &[message(2, 9, &[42])]);
    }

    #[test]
    fn empty_messages_are_returned() {
        let bytes = [&full(6, 1, 0, 9)[..], &full(4, 2, 1, 8), &[7]].concat();
        assert_reads(&bytes, &[message(1, 9, &[]), message(2, 8, &[7])]);
    }

    #[test]
    fn a_chunk_stream_may_start_without_a_message_stream_but_not_without_a_length() {
        let bytes = [0x42, 0, 0, 0, 0, 0, 1, 7, 9];
        let expected = Message { timestamp: 0, kind: 7, stream: 0, payload: vec![9] };
        assert_eq!(read(&bytes), Ok(vec![expected]));
        assert_eq!(read(&[0x85, 0, 0, 0, 0]), Err(ProtocolError::NoEarlierHeader(5)));
        assert_eq!(read(&[0xc5]), Err(ProtocolError::NoEarlierHeader(5)));
    }

    #[test]
    fn message_length_total_length_and_chunk_streams_are_limited() {
        let limits = Limits { max_message: 200, max_pending: 300, max_chunk_streams: 3 };
        let longest = [&full(6, 0, 200, 9)[..], &payload(128)].concat();
        assert_eq!(read_with(limits, &[&longest]), Ok(vec![]));
        let longer = full(6, 0, 201, 9);
        assert_eq!(read_with(limits, &[&longer]), Err(ProtocolError::MessageTooLong(201)));
        let two = [&longest[..], &full(5, 0, 101, 9)].concat();
        assert_eq!(read_with(limits, &[&two]), Err(ProtocolError::TooMuchPending));
        let one = |id| [&full(id, 0, 1, 9)[..], &[1]].concat();
        let three = [one(4), one(5), one(6), one(4)].concat();
        assert_eq!(read_with(limits, &[&three]).map(|messages| messages.len()), Ok(4));
        let four = [three, one(7)].concat();
        assert_eq!(read_with(limits, &[&four]), Err(ProtocolError::TooManyChunkStreams));
    }

    #[test]
    fn finished_aborted_and_interrupted_messages_no_longer_count_as_pending() {
        // The abort message itself also counts while it arrives.
        let limits = Limits { max_pending: 304, ..Limits::default() };
        let begun = [&full(6, 0, 300, 9)[..], &payload(128)].concat();
        let rest = [&[0xc6][..], &payload(128), &[0xc6], &payload(44)].concat();
        let abort = [&full(2, 0, 4, 2)[..], &[0, 0, 0, 6]].concat();
        let bytes = [&begun[..], &rest, &begun, &abort, &begun, &begun].concat();
        assert_eq!(read_with(limits, &[&bytes]).map(|messages| messages.len()), Ok(1));
    }

    #[test]
    fn the_reader_reads_what_the_writer_writes() {
        let mut writer = ChunkWriter::new();
        let mut expected = Vec::new();
        for (time, length) in [(0, 0), (1, 128), (2, 129), (0xff_fffe, 500), (0xff_ffff, 500)] {
            writer.message(6, 9, 1, time, &payload(length));
            expected.push(message(time, 9, &payload(length)));
        }
        writer.set_chunk_size(4096);
        writer.message(6, 9, 1, u32::MAX, &payload(10_000));
        expected.push(message(u32::MAX, 9, &payload(10_000)));
        assert_eq!(read(&writer.output), Ok(expected));
    }

    #[test]
    fn the_writer_repeats_extended_timestamps_as_specified() {
        let mut writer = ChunkWriter::new();
        writer.message(6, 9, 1, 0x0100_0000, &[7; 129]);
        let expected =
            [&full(6, 0xff_ffff, 129, 9)[..], &[1, 0, 0, 0], &[7; 128], &[0xc6, 1, 0, 0, 0, 7]]
                .concat();
        assert_eq!(writer.output, expected);
    }

    #[test]
    fn a_length_that_exceeds_three_bytes_is_refused() {
        assert_eq!(check_length(0xff_ffff), Ok(()));
        assert_eq!(check_length(0x100_0000), Err(ProtocolError::MessageTooLong(0x100_0000)));
    }
}
