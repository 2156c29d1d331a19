//! MPEG-2 transport streams (ISO/IEC 13818-1) with one program of H.264 and AAC.

#[cfg(test)]
#[path = "../../tests/support/tscheck.rs"]
pub(crate) mod tscheck;

mod buffer;
mod tables;
mod track;

use buffer::Buffer;
pub use buffer::PACKET;
use std::io;
use tables::{PAT_PID, PMT_PID, program_association, program_map};
pub use track::{Track, Tracks};

/// Ticks of the 90 kHz clock per millisecond.
pub const TICKS_PER_MS: u64 = 90;

/// How far the clock reference is behind the decoding times: the time that a
/// decoder has to fill its buffers.
pub const DELAY: u64 = 700 * TICKS_PER_MS;

const PAYLOAD: usize = PACKET - 4;
const SYNC: u8 = 0x47;

/// Returns how far the clock reference is behind the decoding times if audio lags
/// the video by `lag_ms` milliseconds.
pub fn delay(lag_ms: u64) -> u64 {
    DELAY.max(DELAY / 2 + lag_ms * TICKS_PER_MS)
}

/// The maximum interval between clock references (section 2.7.2).
const PCR_INTERVAL: u64 = 100 * TICKS_PER_MS;

/// While video pauses, audio drives the clock with this additional delay, so that
/// the clock does not overtake late video.
const PCR_SLACK: u64 = 1500 * TICKS_PER_MS;

/// A longer gap is skipped rather than filled with clock references.
const PCR_GAP: u64 = 12_000 * TICKS_PER_MS;

/// The times of an access unit in 90 kHz ticks; only 33 bits of them are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamps {
    /// The presentation time.
    pub pts: u64,
    /// The decoding time, not later than `pts`.
    pub dts: u64,
}

/// Writes fragments of one transport stream.
///
/// Continuity counters continue from fragment to fragment. Packets are collected in
/// a buffer of less than 128 KiB, which is written when full and by
/// [`flush`](Self::flush); nothing is allocated after [`new`](Self::new).
pub struct Muxer {
    buffer: Buffer,
    pat: Stream,
    pmt: Stream,
    video: Stream,
    audio: Stream,
    /// The tracks in the newest program map.
    tracks: Tracks,
    version: u8,
    /// The track whose packets carry the clock reference.
    leader: Track,
    /// Whether the fragment is marked as a discontinuity.
    discontinuity: bool,
    /// The newest clock reference written.
    pcr: Option<u64>,
    /// How far it is behind the decoding times.
    delay: u64,
    /// Whether the fragment has no clock reference yet.
    pcr_due: bool,
}

impl Muxer {
    /// Returns a muxer that has written nothing.
    pub fn new() -> Self {
        Muxer {
            buffer: Buffer::new(),
            pat: Stream::new(PAT_PID),
            pmt: Stream::new(PMT_PID),
            video: Stream::new(Track::Video.pid()),
            audio: Stream::new(Track::Audio.pid()),
            tracks: Tracks::default(),
            version: 31,
            leader: Track::Video,
            discontinuity: false,
            pcr: None,
            delay: DELAY,
            pcr_due: true,
        }
    }

    /// Delays the clock reference for audio that lags video of the same time by
    /// `lag_ms` milliseconds. Call it only before the first fragment.
    pub fn expect_lag(&mut self, lag_ms: u64) {
        self.delay = delay(lag_ms);
    }

    /// Begins a fragment with the program tables. Buffered packets of an abandoned
    /// fragment are discarded.
    ///
    /// With `discontinuity`, the first packet of each stream is marked, so that a
    /// decoder accepts new counters and a new time base.
    pub fn begin_fragment(&mut self, tracks: Tracks, discontinuity: bool) {
        self.buffer.begin();
        self.pcr_due = true;
        self.leader = if tracks.video { Track::Video } else { Track::Audio };
        self.discontinuity = discontinuity;
        if discontinuity {
            self.pcr = None;
        }
        for stream in [&mut self.pat, &mut self.pmt, &mut self.video, &mut self.audio] {
            stream.begin(discontinuity);
        }
        self.announce(tracks);
        self.pat.section(self.buffer.bytes(), &program_association());
        self.pmt.section(self.buffer.bytes(), &program_map(tracks, self.leader, self.version));
    }

    /// Increments the version if the tracks change.
    fn announce(&mut self, tracks: Tracks) {
        if tracks != self.tracks {
            self.tracks = tracks;
            self.version = (self.version + 1) % 32;
        }
    }

    /// Returns those of the announced tracks that the fragment contains so far.
    pub fn written(&self) -> Tracks {
        Tracks { video: self.video.has_payload, audio: self.audio.has_payload }
    }

    /// Returns corrections for a fragment that has been flushed, as positions and
    /// bytes to overwrite: the fragment then announces only the tracks that it
    /// contains and, with `discontinuity`, marks the first packet of each stream.
    ///
    /// The tracks of a fragment are known only at its end, since a track may stop
    /// at any time.
    pub fn correct(&mut self, discontinuity: bool) -> Vec<(u64, Vec<u8>)> {
        let written = self.written();
        let marks = discontinuity && !self.discontinuity;
        if written == self.tracks && !marks {
            return Vec::new();
        }
        self.announce(written);
        self.discontinuity |= discontinuity;
        let map = program_map(written, self.leader, self.version);
        let mut tables = Vec::with_capacity(2 * PACKET);
        self.pat.rewrite(&mut tables, self.discontinuity, &program_association());
        self.pmt.rewrite(&mut tables, self.discontinuity, &map);
        let marked = [&self.video, &self.audio].into_iter().filter_map(|stream| {
            let Flags { position, value } = stream.first.filter(|_| marks)?;
            Some((position, vec![value | Adaptation::DISCONTINUITY]))
        });
        std::iter::once((0, tables)).chain(marked).collect()
    }

    /// Writes one access unit, or several frames of audio, as one PES packet.
    ///
    /// The payload is passed in pieces and iterated over twice, first for its
    /// length. The decoding times of a track must increase.
    ///
    /// # Errors
    ///
    /// Errors from `out`.
    pub fn write<'a>(
        &mut self,
        track: Track,
        stamps: Stamps,
        random_access: bool,
        payload: impl Iterator<Item = &'a [u8]> + Clone,
        out: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let length = payload.clone().map(<[u8]>::len).sum();
        let pcr = self.clock_reference(track, stamps.dts, out)?;
        let header = PesHeader::new(track, stamps, length);
        let stream = match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        };
        let discontinuity = std::mem::take(&mut stream.discontinuity);
        stream.has_payload = true;
        let mut packets = Packets {
            buffer: &mut self.buffer,
            out,
            stream,
            first: Some(Adaptation { discontinuity, random_access, pcr }),
            left: header.bytes().len() + length,
            room: 0,
        };
        packets.put(header.bytes())?;
        for piece in payload {
            packets.put(piece)?;
        }
        Ok(())
    }

    /// Appends to the newest video access unit, which [`write`](Self::write)
    /// began in this fragment.
    ///
    /// # Errors
    ///
    /// Errors from `out`.
    pub fn extend<'a>(
        &mut self,
        payload: impl Iterator<Item = &'a [u8]> + Clone,
        out: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let left = payload.clone().map(<[u8]>::len).sum();
        let (buffer, stream) = (&mut self.buffer, &mut self.video);
        let mut packets = Packets { buffer, out, stream, first: None, left, room: 0 };
        payload.into_iter().try_for_each(|piece| packets.put(piece))
    }

    /// Writes the buffered packets.
    ///
    /// # Errors
    ///
    /// Errors from `out`.
    pub fn flush(&mut self, out: &mut impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        self.buffer.flush(out)
    }

    /// Returns the clock reference for the next access unit, if any, after filling
    /// a gap since the last one.
    fn clock_reference(
        &mut self,
        track: Track,
        dts: u64,
        out: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<Option<u64>> {
        let leads = track == self.leader;
        let slack = if leads { 0 } else { PCR_SLACK };
        let now = dts.saturating_sub(self.delay + slack);
        let mut last = match self.pcr {
            Some(last) => last.max(now.saturating_sub(PCR_GAP)),
            None => now.saturating_sub(1),
        };
        while now > last + PCR_INTERVAL || self.pcr_due && !leads {
            last = now.clamp(last + 1, last + PCR_INTERVAL);
            self.write_pcr(last, out)?;
        }
        let writes = leads && (now > last || self.pcr_due);
        Ok(if writes { self.refer(now.max(last + 1)) } else { None })
    }

    fn refer(&mut self, pcr: u64) -> Option<u64> {
        self.pcr = Some(pcr);
        self.pcr_due = false;
        self.pcr
    }

    /// Writes a packet with only the clock reference.
    fn write_pcr(
        &mut self,
        pcr: u64,
        out: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        self.buffer.reserve_packet(out)?;
        let pcr = self.refer(pcr);
        let stream = match self.leader {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        };
        let discontinuity = std::mem::take(&mut stream.discontinuity);
        let adaptation = Adaptation { discontinuity, random_access: false, pcr };
        stream.packet_header(&mut self.buffer, false, &adaptation, 0);
        Ok(())
    }
}

impl Default for Muxer {
    fn default() -> Self {
        Self::new()
    }
}

/// The packets of one PID.
struct Stream {
    pid: u16,
    /// The continuity counter of the next packet with payload.
    counter: u8,
    /// Whether the next packet must signal a discontinuity.
    discontinuity: bool,
    /// The flags of the stream's first packet in the fragment.
    first: Option<Flags>,
    /// Whether the fragment contains anything of the stream except clock references.
    has_payload: bool,
}

/// The flags of an adaptation field.
#[derive(Clone, Copy)]
struct Flags {
    /// Their position in the fragment.
    position: u64,
    value: u8,
}

impl Stream {
    fn new(pid: u16) -> Self {
        Stream { pid, counter: 0, discontinuity: false, first: None, has_payload: false }
    }

    /// Begins a fragment.
    fn begin(&mut self, discontinuity: bool) {
        self.discontinuity |= discontinuity;
        self.first = None;
        self.has_payload = false;
    }

    /// Writes a packet's header and adaptation field, for `left` remaining bytes of
    /// payload; the last packet is stuffed. Returns the space for payload.
    fn packet_header(
        &mut self,
        buffer: &mut Buffer,
        start: bool,
        adaptation: &Adaptation,
        left: usize,
    ) -> usize {
        if self.first.is_none() {
            return self.first_header(buffer, start, adaptation, left);
        }
        self.header(buffer.bytes(), start, adaptation, left, 0)
    }

    /// Writes the header of the stream's first packet in a fragment, which always
    /// has flags, so that they can be corrected.
    #[cold]
    fn first_header(
        &mut self,
        buffer: &mut Buffer,
        start: bool,
        adaptation: &Adaptation,
        left: usize,
    ) -> usize {
        let position = buffer.position() + Adaptation::FLAGS_OFFSET;
        self.first = Some(Flags { position, value: adaptation.flags() });
        self.header(buffer.bytes(), start, adaptation, left, Adaptation::FLAGS_SIZE)
    }

    /// Writes a packet's header, with an adaptation field of at least `least` bytes.
    fn header(
        &mut self,
        buffer: &mut Vec<u8>,
        start: bool,
        adaptation: &Adaptation,
        left: usize,
        least: usize,
    ) -> usize {
        let size = adaptation.size().max(least).max(PAYLOAD.saturating_sub(left));
        let [pid_high, pid_low] = self.pid.to_be_bytes();
        let has_payload = u8::from(left > 0);
        let control = u8::from(size > 0) << 1 | has_payload;
        let counter = if left > 0 { self.counter } else { self.counter.wrapping_sub(1) & 0x0F };
        self.counter = (self.counter + has_payload) & 0x0F;
        buffer.extend_from_slice(&[
            SYNC,
            u8::from(start) << 6 | pid_high,
            pid_low,
            control << 4 | counter,
        ]);
        adaptation.write(buffer, size);
        PAYLOAD - size
    }

    /// Writes one packet with a complete section of the program tables.
    fn section(&mut self, buffer: &mut Vec<u8>, section: &[u8]) {
        let discontinuity = std::mem::take(&mut self.discontinuity);
        let adaptation = Adaptation { discontinuity, ..Adaptation::default() };
        let end = buffer.len() + PACKET;
        self.header(buffer, true, &adaptation, PAYLOAD, 0);
        buffer.push(0); // pointer_field: the section starts here
        buffer.extend_from_slice(section);
        buffer.resize(end, 0xFF);
    }

    /// Writes the newest packet again, with another section.
    fn rewrite(&mut self, buffer: &mut Vec<u8>, discontinuity: bool, section: &[u8]) {
        self.counter = self.counter.wrapping_sub(1) & 0x0F;
        self.discontinuity = discontinuity;
        self.section(buffer, section);
    }
}

/// The content of an adaptation field (section 2.4.3.4).
#[derive(Default)]
struct Adaptation {
    discontinuity: bool,
    random_access: bool,
    pcr: Option<u64>,
}

impl Adaptation {
    const DISCONTINUITY: u8 = 0x80;
    /// The size of a field with only flags, and their offset in a packet.
    const FLAGS_SIZE: usize = 2;
    const FLAGS_OFFSET: u64 = 5;

    fn size(&self) -> usize {
        match self.pcr {
            Some(_) => 8,
            None if self.discontinuity || self.random_access => Self::FLAGS_SIZE,
            None => 0,
        }
    }

    fn flags(&self) -> u8 {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        flag(self.discontinuity, Self::DISCONTINUITY)
            | flag(self.random_access, 0x40)
            | flag(self.pcr.is_some(), 0x10)
    }

    /// Writes exactly `size` bytes, including the length byte.
    fn write(&self, buffer: &mut Vec<u8>, size: usize) {
        let end = buffer.len() + size;
        if size > 0 {
            buffer.push((size - 1) as u8);
        }
        if size > 1 {
            buffer.push(self.flags());
        }
        if let Some(pcr) = self.pcr {
            // 33 bits of base, 6 reserved bits, 9 bits of extension.
            let field = (pcr & MASK_33) << 15 | 0x3F << 9;
            buffer.extend_from_slice(&field.to_be_bytes()[2..]);
        }
        buffer.resize(end, 0xFF);
    }
}

const MASK_33: u64 = (1 << 33) - 1;

/// Splits the payload of one PES packet into transport packets.
struct Packets<'a, F> {
    buffer: &'a mut Buffer,
    out: &'a mut F,
    stream: &'a mut Stream,
    /// The adaptation field of the first packet, until it is written.
    first: Option<Adaptation>,
    /// How many bytes of payload remain.
    left: usize,
    /// How many of them fit into the current packet.
    room: usize,
}

impl<F: FnMut(&[u8]) -> io::Result<()>> Packets<'_, F> {
    fn put(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.room == 0 {
                self.begin()?;
            }
            let (now, later) = bytes.split_at(self.room.min(bytes.len()));
            self.buffer.bytes().extend_from_slice(now);
            self.room -= now.len();
            self.left -= now.len();
            bytes = later;
        }
        Ok(())
    }

    fn begin(&mut self) -> io::Result<()> {
        self.buffer.reserve_packet(self.out)?;
        let start = self.first.is_some();
        let adaptation = self.first.take().unwrap_or_default();
        self.room = self.stream.packet_header(self.buffer, start, &adaptation, self.left);
        Ok(())
    }
}

/// The header of a PES packet (section 2.4.3.6).
struct PesHeader {
    bytes: [u8; 19],
    length: usize,
}

impl PesHeader {
    fn new(track: Track, stamps: Stamps, payload: usize) -> Self {
        const STREAM_ID: [u8; 2] = [0xE0, 0xC0];
        const ALIGNED: u8 = 0x84;
        let both = stamps.pts != stamps.dts;
        let stamps_length: u8 = if both { 10 } else { 5 };
        // Video may omit its length, as 0: more slices may follow.
        let length = match track {
            Track::Video => 0,
            Track::Audio => payload + 3 + usize::from(stamps_length),
        };
        let [high, low] = u16::try_from(length).unwrap_or(0).to_be_bytes();
        let id = STREAM_ID[track as usize];
        let flags = if both { 0xC0 } else { 0x80 };
        let mut bytes = [0; 19];
        bytes[..9].copy_from_slice(&[0, 0, 1, id, high, low, ALIGNED, flags, stamps_length]);
        bytes[9..14].copy_from_slice(&timestamp(flags >> 6, stamps.pts));
        bytes[14..].copy_from_slice(&timestamp(1, stamps.dts));
        PesHeader { bytes, length: 9 + usize::from(stamps_length) }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Encodes four bits of prefix and 33 bits of time, with a marker bit after each part.
fn timestamp(prefix: u8, ticks: u64) -> [u8; 5] {
    let part = |shift: u32| (ticks >> shift) as u8;
    [prefix << 4 | (part(30) & 7) << 1 | 1, part(22), part(15) << 1 | 1, part(7), part(0) << 1 | 1]
}

#[cfg(test)]
mod tests {
    use super::tscheck::{Piece, check, check_clean};
    use super::*;
    use crate::media::aac::AacConfig;
    use crate::media::avc::{DELIMITER, START_CODE};

    const BOTH: Tracks = Tracks { video: true, audio: true };
    const FRAME: u64 = 40 * TICKS_PER_MS;

    fn append_to(bytes: &mut Vec<u8>) -> impl FnMut(&[u8]) -> io::Result<()> {
        |ts| {
            bytes.extend_from_slice(ts);
            Ok(())
        }
    }

    /// Fragments written one after the other.
    struct Tape {
        muxer: Muxer,
        fragments: Vec<(Vec<u8>, bool)>,
    }

    impl Tape {
        fn new() -> Self {
            Tape { muxer: Muxer::new(), fragments: Vec::new() }
        }

        fn begin(&mut self, tracks: Tracks, discontinuity: bool) {
            self.end();
            self.muxer.begin_fragment(tracks, discontinuity);
            self.fragments.push((Vec::new(), discontinuity));
        }

        fn end(&mut self) {
            if let Some((bytes, discontinuity)) = self.fragments.last_mut() {
                self.muxer.flush(&mut append_to(bytes)).unwrap();
                for (position, correction) in self.muxer.correct(*discontinuity) {
                    let from = position as usize;
                    bytes[from..from + correction.len()].copy_from_slice(&correction);
                }
            }
        }

        fn write(&mut self, track: Track, stamps: Stamps, key: bool, pieces: &[&[u8]]) {
            let bytes = &mut self.fragments.last_mut().unwrap().0;
            let pieces = pieces.iter().copied();
            self.muxer.write(track, stamps, key, pieces, &mut append_to(bytes)).unwrap();
        }

        /// Writes a picture with a slice of `size` bytes; key frames have parameter sets.
        fn picture(&mut self, dts: u64, key: bool, size: usize) -> Vec<u8> {
            let slice = vec![if key { 0x65 } else { 0x41 }; size];
            let sets: &[u8] = if key { b"\0\0\0\x01\x67s\0\0\0\x01\x68p" } else { b"" };
            let pieces = [DELIMITER, sets, START_CODE, &slice];
            self.write(Track::Video, Stamps { pts: dts, dts }, key, &pieces);
            pieces.concat()
        }

        fn audio_frame(&mut self, pts: u64, size: usize) -> Vec<u8> {
            let data = vec![0xAA; size];
            let header = AacConfig::parse(&[0x12, 0x10]).unwrap().adts_header(size).unwrap();
            self.write(Track::Audio, Stamps { pts, dts: pts }, false, &[&header, &data]);
            [&header[..], &data].concat()
        }

        fn pieces(&mut self, duration_ms: u32) -> Vec<Piece<'_>> {
            self.end();
            let fragments = self.fragments.iter();
            fragments
                .map(|(bytes, discontinuity)| Piece {
                    name: "fragment",
                    bytes,
                    duration_ms,
                    discontinuity: *discontinuity,
                })
                .collect()
        }
    }

    #[test]
    fn payload_of_any_size_is_unchanged() {
        let mut tape = Tape::new();
        let (mut video, mut audio) = (Vec::new(), Vec::new());
        tape.begin(BOTH, false);
        for size in 1..600 {
            let dts = 2 * DELAY + size as u64 * FRAME;
            video.extend(tape.picture(dts, size == 1, size));
            audio.extend(tape.audio_frame(dts, size));
        }
        let report = check_clean(&tape.pieces(599 * 40));
        assert!(report.video.payload == video && report.audio.payload == audio);
    }

    #[test]
    fn a_frame_larger_than_a_pes_length_and_the_buffer_is_complete() {
        let mut tape = Tape::new();
        tape.begin(BOTH, false);
        let large = tape.picture(2 * DELAY, true, 1_000_000);
        let next = tape.picture(2 * DELAY + FRAME, false, 10);
        let report = check_clean(&tape.pieces(80));
        assert!(report.video.payload == [large, next].concat());
    }

    #[test]
    fn the_buffer_is_written_in_complete_packets_and_never_grows() {
        let (mut muxer, mut sizes) = (Muxer::new(), Vec::new());
        let capacity = muxer.buffer.bytes().capacity();
        muxer.begin_fragment(BOTH, false);
        let stamps = Stamps { pts: 2 * DELAY, dts: 2 * DELAY };
        let payload = std::iter::once(&[0x65; 777_777][..]);
        let out = &mut |ts: &[u8]| {
            sizes.push(ts.len());
            Ok(())
        };
        muxer.write(Track::Video, stamps, true, payload, out).unwrap();
        muxer.flush(out).unwrap();
        assert_eq!(muxer.buffer.bytes().capacity(), capacity);
        assert!(
            sizes.len() > 5 && sizes.iter().all(|size| size % PACKET == 0 && *size < 32 * 1024)
        );
    }

    #[test]
    fn counters_continue_from_fragment_to_fragment() {
        let mut tape = Tape::new();
        for fragment in 0..20 {
            tape.begin(BOTH, false);
            tape.picture(2 * DELAY + fragment * FRAME, true, 1000 + 77 * fragment as usize);
            tape.audio_frame(2 * DELAY + fragment * FRAME, 300);
        }
        check_clean(&tape.pieces(40));
    }

    #[test]
    fn a_track_that_starts_after_much_of_a_fragment_is_written_is_marked_too() {
        let mut tape = Tape::new();
        tape.begin(BOTH, false);
        tape.picture(10 * DELAY, true, 100_000);
        tape.audio_frame(10 * DELAY, 100);
        // Only now is it known to be a discontinuity.
        tape.fragments[0].1 = true;
        check_clean(&tape.pieces(40));
    }

    #[test]
    fn the_clock_may_restart_at_a_discontinuity() {
        let mut tape = Tape::new();
        for (discontinuity, base) in [(false, 90_000_000), (true, 0), (true, 5_000)] {
            tape.begin(BOTH, discontinuity);
            tape.picture(base + 2 * DELAY, true, 100);
            tape.audio_frame(base + 2 * DELAY, 100);
        }
        check_clean(&tape.pieces(40));
    }

    #[test]
    fn clock_references_are_frequent_even_at_one_frame_per_second() {
        let mut tape = Tape::new();
        for second in 0..4 {
            tape.begin(Tracks { video: true, audio: false }, false);
            tape.picture(2 * DELAY + second * 25 * FRAME, true, 10);
        }
        check_clean(&tape.pieces(1000));
    }

    #[test]
    fn audio_drives_the_clock_while_video_pauses_and_video_may_still_arrive_late() {
        let mut tape = Tape::new();
        tape.begin(BOTH, false);
        tape.picture(2 * DELAY, true, 10);
        for frame in 0..100 {
            tape.audio_frame(2 * DELAY + frame * FRAME, 100);
        }
        tape.picture(2 * DELAY + 75 * FRAME, false, 10);
        tape.begin(BOTH, false);
        tape.picture(2 * DELAY + 80 * FRAME, true, 10);
        let report = check(&tape.pieces(80 * 40));
        let broken: Vec<_> = report.violations.iter().filter(|v| !v.contains("lasts")).collect();
        assert!(broken.is_empty(), "{broken:?}");
    }

    #[test]
    fn an_audio_only_fragment_has_a_clock() {
        let mut tape = Tape::new();
        tape.begin(BOTH, false);
        tape.picture(2 * DELAY, true, 10);
        tape.begin(BOTH, false);
        tape.audio_frame(2 * DELAY + FRAME, 100);
        tape.begin(Tracks { video: false, audio: true }, true);
        tape.audio_frame(2 * DELAY + 2 * FRAME, 100);
        check_clean(&tape.pieces(40));
    }

    #[test]
    fn times_wrap_at_33_bits() {
        let mut tape = Tape::new();
        tape.begin(BOTH, false);
        for frame in 0..50 {
            let dts = (1 << 33) + (frame * FRAME) - 25 * FRAME;
            tape.picture(dts, frame == 0, 10);
        }
        let report = check_clean(&tape.pieces(50 * 40));
        assert!(report.video.dts[0] > report.video.dts[49]);
    }

    #[test]
    fn the_program_map_gets_a_new_version_only_if_the_tracks_change() {
        let mut muxer = Muxer::new();
        let mut version = |tracks| {
            muxer.begin_fragment(tracks, false);
            muxer.buffer.bytes()[PACKET + 5 + 5] >> 1 & 0x1F
        };
        let video = Tracks { video: true, audio: false };
        assert_eq!([BOTH, BOTH, video, video, BOTH].map(&mut version), [0, 0, 1, 1, 2]);
    }

    #[test]
    fn errors_from_the_sink_are_returned() {
        let mut muxer = Muxer::new();
        muxer.begin_fragment(BOTH, false);
        let out = &mut |_: &[u8]| Err(io::Error::other("disk full"));
        let stamps = Stamps { pts: DELAY, dts: DELAY };
        let large = std::iter::once(&[0x65; 200_000][..]);
        assert!(muxer.write(Track::Video, stamps, true, large, out).is_err());
        assert!(muxer.flush(out).is_err());
    }

    /// Returns two valid fragments of three pictures each, with audio.
    fn good() -> Vec<Vec<u8>> {
        let mut tape = Tape::new();
        for fragment in 0..2 {
            tape.begin(BOTH, false);
            for frame in 0..3 {
                let dts = 2 * DELAY + (fragment * 3 + frame) * FRAME;
                tape.picture(dts, frame == 0, 400);
                tape.audio_frame(dts, 100);
            }
        }
        tape.end();
        tape.fragments.into_iter().map(|(bytes, _)| bytes).collect()
    }

    fn violations(fragments: &[Vec<u8>], duration_ms: u32, discontinuity: bool) -> String {
        let piece = |bytes| Piece { name: "x", bytes, duration_ms, discontinuity };
        let pieces: Vec<_> = fragments.iter().map(|bytes| piece(bytes)).collect();
        check(&pieces).violations.join("\n")
    }

    #[test]
    fn the_checker_detects_every_kind_of_damage() {
        type Damage = fn(&mut Vec<Vec<u8>>);
        let damages: [(&str, Damage); 9] = [
            ("out of sync", |fragments| fragments[0][PACKET * 3] = 0),
            ("whole number", |fragments| fragments[1].truncate(PACKET * 7 + 1)),
            ("jumps", |fragments| drop(fragments[0].drain(PACKET * 3..PACKET * 4))),
            ("begin with PAT", |fragments| drop(fragments[1].drain(..PACKET))),
            ("checksum", |fragments| fragments[0][PACKET + 8] ^= 1),
            ("discontinuity indicator", |fragments| fragments[0][PACKET * 2 + 5] |= 0x80),
            ("not marked", |fragments| fragments[1][PACKET * 2 + 5] &= !0x40),
            ("the clock reference", |fragments| fragments[1][PACKET * 2 + 8] ^= 0x10),
            ("decoding times do not increase", |fragments| fragments.swap(0, 1)),
        ];
        assert_eq!(violations(&good(), 120, false), "");
        for (words, damage) in damages {
            let mut fragments = good();
            damage(&mut fragments);
            let found = violations(&fragments, 120, false);
            assert!(found.contains(words), "{words}: {found}");
        }
        assert!(violations(&good(), 170, false).contains("the stated duration is 170 ms"));
        assert!(violations(&good(), 120, true).contains("discontinuity indicator is false"));
    }

    #[test]
    fn audio_may_precede_the_first_picture() {
        let mut tape = Tape::new();
        tape.begin(BOTH, false);
        tape.audio_frame(10 * DELAY, 100);
        tape.picture(10 * DELAY, true, 10);
        check_clean(&tape.pieces(40));
    }

    #[test]
    fn a_clock_reference_needs_a_packet_of_its_own_only_after_more_than_100_ms() {
        for (interval_ms, ticks, packets) in [(100, 0, 4), (100, 1, 5), (200, 0, 5), (200, 1, 6)] {
            let mut tape = Tape::new();
            tape.begin(Tracks { video: true, audio: false }, false);
            tape.picture(2 * DELAY, true, 10);
            tape.picture(2 * DELAY + interval_ms * TICKS_PER_MS + ticks, false, 10);
            tape.end();
            assert_eq!(tape.fragments[0].0.len(), packets * PACKET);
        }
    }

    #[test]
    fn the_clock_reference_is_further_behind_if_audio_lags_the_video() {
        for (lag_ms, behind_ms) in [(0, 700), (350, 700), (351, 701), (1500, 1850)] {
            let mut tape = Tape::new();
            tape.muxer.expect_lag(lag_ms);
            tape.begin(BOTH, false);
            tape.picture(10 * DELAY, true, 10);
            tape.end();
            let packet = &tape.fragments[0].0[2 * PACKET..];
            // The upper 32 of 33 bits.
            let pcr = u64::from(u32::from_be_bytes(packet[6..10].try_into().unwrap())) << 1;
            assert_eq!(10 * DELAY - pcr, behind_ms * TICKS_PER_MS, "{lag_ms}");
        }
    }

    #[test]
    fn a_clock_reference_that_audio_has_written_is_not_repeated() {
        let mut tape = Tape::new();
        tape.begin(BOTH, false);
        tape.picture(10 * DELAY, true, 10);
        tape.audio_frame(10 * DELAY + PCR_SLACK + PCR_INTERVAL + 1, 100);
        tape.picture(10 * DELAY + PCR_INTERVAL, false, 10);
        tape.end();
        let packets = tape.fragments[0].0.chunks_exact(PACKET).skip(2);
        // The adaptation fields of both pictures, and between them of audio and its clock.
        let references: Vec<_> =
            packets.map(|packet| packet[3] & 0x20 != 0 && packet[5] & 0x10 != 0).collect();
        assert_eq!(references, [true, true, false, false]);
    }

    #[test]
    fn the_clock_never_steps_back_for_late_video() {
        let mut tape = Tape::new();
        tape.begin(BOTH, false);
        tape.picture(2 * DELAY, true, 10);
        for frame in 0..100 {
            tape.audio_frame(2 * DELAY + frame * FRAME, 100);
        }
        tape.begin(BOTH, false);
        tape.picture(2 * DELAY + 50 * FRAME, true, 10);
        tape.audio_frame(2 * DELAY + 100 * FRAME, 100);
        let report = check(&tape.pieces(50 * 40));
        let broken: Vec<_> = report.violations.iter().filter(|v| !v.contains("lasts")).collect();
        assert!(broken.is_empty(), "{broken:?}");
    }
}
