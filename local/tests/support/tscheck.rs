//! Checks HLS fragments against the rules of ISO/IEC 13818-1 and RFC 8216.
//!
//! - A fragment is a whole number of packets of 188 bytes, each in sync, and begins
//!   with a PAT and a PMT with correct checksums. The PMT announces exactly the
//!   streams that the fragment contains.
//! - Continuity counters continue, also from fragment to fragment. At a
//!   discontinuity, and only there, the first packet of each stream signals it.
//! - Clock references exist, increase by at most 100 ms at a time, and are never
//!   later than a decoding time that follows them.
//! - The decoding times of a track strictly increase; nothing is presented before it
//!   is decoded.
//! - A video fragment begins with a key frame marked as a random access point, with
//!   delimiter and parameter sets before its slices.
//! - Audio packets contain whole ADTS frames.
//! - A stated duration is the time to the next fragment, or that of its own frames.
//!
//! It uses no code of the muxer, whose mistakes it would share.

// Each test program uses a different part of this.
#![allow(dead_code)]

use std::collections::BTreeMap;

/// The maximum interval between clock references (ISO/IEC 13818-1 section 2.7.2).
pub(crate) const MAX_PCR_STEP_MS: u64 = 100;

/// How far a stated duration may differ from the timestamps.
pub(crate) const DURATION_TOLERANCE_MS: u64 = 25;

/// The longest frame that may end a fragment.
const LONGEST_FRAME_MS: u64 = 1100;

const H264: u8 = 0x1B;
const AAC: u8 = 0x0F;

/// One fragment, as listed in its playlist.
#[derive(Clone, Copy)]
pub(crate) struct Piece<'a> {
    pub(crate) name: &'a str,
    pub(crate) bytes: &'a [u8],
    pub(crate) duration_ms: u32,
    pub(crate) discontinuity: bool,
}

/// The result of a check.
#[derive(Default)]
pub(crate) struct Report {
    /// The violated rules, each with the fragment's name first; empty if there are none.
    pub(crate) violations: Vec<String>,
    /// The video of all fragments.
    pub(crate) video: Summary,
    /// The audio of all fragments.
    pub(crate) audio: Summary,
}

/// A track over all fragments.
#[derive(Default)]
pub(crate) struct Summary {
    /// The number of fragments that announce it.
    pub(crate) fragments: usize,
    /// Pictures, or ADTS frames.
    pub(crate) frames: usize,
    pub(crate) key_frames: usize,
    /// The sum of the times from first to last presentation in each fragment.
    pub(crate) duration_ms: u64,
    /// The decoding time of each PES packet in 90 kHz ticks.
    pub(crate) dts: Vec<u64>,
    /// The time from decoding to presentation.
    pub(crate) composition: Vec<u64>,
    /// The concatenated payload of all PES packets.
    pub(crate) payload: Vec<u8>,
}

/// Checks the fragments of one channel, in order.
pub(crate) fn check(pieces: &[Piece<'_>]) -> Report {
    let mut checker = Checker::default();
    let spans: Vec<Option<Span>> = pieces.iter().map(|piece| checker.fragment(piece)).collect();
    for (index, piece) in pieces.iter().enumerate() {
        let next = pieces.get(index + 1).filter(|next| !next.discontinuity);
        let next = next.and(spans.get(index + 1).copied().flatten());
        checker.name = piece.name.into();
        checker.duration(piece, spans[index], next);
    }
    checker.report
}

/// Checks fragments, and panics with all violations if there are any.
pub(crate) fn check_clean(pieces: &[Piece<'_>]) -> Report {
    let report = check(pieces);
    assert!(report.violations.is_empty(), "{:#?}", report.violations);
    report
}

/// The first decoding and presentation times of a fragment's leading track, and the last
/// presentation time of any track.
#[derive(Clone, Copy)]
struct Span {
    pid: u16,
    first_dts: u64,
    first: u64,
    last: u64,
}

#[derive(Default)]
struct Checker {
    name: String,
    report: Report,
    counters: BTreeMap<u16, u8>,
    pcr: Option<u64>,
    dts: BTreeMap<u16, u64>,
}

/// The state within one fragment.
#[derive(Default)]
struct Fragment {
    streams: BTreeMap<u16, u8>,
    pcr_pid: u16,
    has_pcr: bool,
    discontinuity: bool,
    seen: Vec<u16>,
    open: BTreeMap<u16, Pes>,
    /// The decoding and presentation times of each PID.
    times: BTreeMap<u16, Vec<(u64, u64)>>,
    pictures: usize,
}

#[derive(Default)]
struct Pes {
    random_access: bool,
    bytes: Vec<u8>,
}

struct Packet<'a> {
    pid: u16,
    start: bool,
    counter: u8,
    discontinuity: bool,
    random_access: bool,
    pcr: Option<u64>,
    payload: Option<&'a [u8]>,
}

impl Checker {
    fn fail(&mut self, what: impl std::fmt::Display) {
        self.report.violations.push(format!("{}: {what}", self.name));
    }

    fn require(&mut self, holds: bool, what: &str) {
        if !holds {
            self.fail(what);
        }
    }

    fn fragment(&mut self, piece: &Piece<'_>) -> Option<Span> {
        self.name = piece.name.into();
        self.require(!piece.bytes.is_empty(), "no packets");
        self.require(piece.bytes.len() % 188 == 0, "not a whole number of packets");
        let mut fragment = Fragment { discontinuity: piece.discontinuity, ..Fragment::default() };
        for (index, bytes) in piece.bytes.chunks_exact(188).enumerate() {
            match packet(bytes) {
                Some(packet) => self.packet(index, &packet, &mut fragment),
                None => self.fail(format!("packet {index} is out of sync or malformed")),
            }
        }
        for (pid, pes) in std::mem::take(&mut fragment.open) {
            self.pes(pid, &pes, &mut fragment);
        }
        self.require(fragment.has_pcr, "no clock reference");
        for pid in fragment.streams.keys().filter(|pid| !fragment.times.contains_key(pid)) {
            self.fail(format!("the PMT announces PID {pid}, which has no packets"));
        }
        self.summarize(&fragment)
    }

    fn packet(&mut self, index: usize, packet: &Packet<'_>, fragment: &mut Fragment) {
        self.continuity(index, packet, fragment);
        if let Some(pcr) = packet.pcr {
            self.pcr(pcr, packet, fragment);
        }
        let Some(payload) = packet.payload else { return };
        match (index, packet.pid) {
            (0, 0) => self.program_association(payload),
            (1, 0x1000) => self.program_map(payload, fragment),
            (0 | 1, _) => self.fail("does not begin with PAT and PMT"),
            (_, 0 | 0x1000) => {}
            (_, pid) => {
                self.require(fragment.streams.contains_key(&pid), "a PID that no PMT announces");
                self.payload(packet, payload, fragment);
            }
        }
    }

    fn continuity(&mut self, index: usize, packet: &Packet<'_>, fragment: &mut Fragment) {
        let first = !fragment.seen.contains(&packet.pid);
        if first {
            fragment.seen.push(packet.pid);
        }
        let expected = fragment.discontinuity && first;
        if packet.discontinuity != expected {
            self.fail(format!("packet {index}: discontinuity indicator is {}", !expected));
        }
        if packet.discontinuity {
            self.counters.remove(&packet.pid);
            self.dts.remove(&packet.pid);
            if packet.pid == fragment.pcr_pid {
                self.pcr = None;
            }
        }
        let last = self.counters.get(&packet.pid).copied();
        let step = u8::from(packet.payload.is_some());
        if last.is_some_and(|last| packet.counter != (last + step) % 16) {
            self.fail(format!("packet {index}: the counter of PID {} jumps", packet.pid));
        }
        self.counters.insert(packet.pid, packet.counter);
    }

    fn pcr(&mut self, pcr: u64, packet: &Packet<'_>, fragment: &mut Fragment) {
        self.require(packet.pid == fragment.pcr_pid, "a clock reference on the wrong PID");
        fragment.has_pcr = true;
        if let Some(last) = self.pcr {
            let step = ticks_between(last, pcr);
            if step <= 0 || step > (MAX_PCR_STEP_MS * 90) as i64 {
                self.fail(format!("the clock reference steps by {} ms", step / 90));
            }
        }
        self.pcr = Some(pcr);
    }

    fn program_association(&mut self, payload: &[u8]) {
        let section = section(payload);
        self.require(section.is_some(), "the PAT is malformed or has a wrong checksum");
        let maps = section.is_some_and(|section| section.get(8..) == Some(&[0, 1, 0xF0, 0]));
        self.require(maps, "the PAT does not announce one program");
    }

    fn program_map(&mut self, payload: &[u8], fragment: &mut Fragment) {
        let Some([pcr_high, pcr_low, _, 0, streams @ ..]) =
            section(payload).and_then(|s| s.get(8..))
        else {
            return self.fail("the PMT is malformed or has a wrong checksum");
        };
        fragment.pcr_pid = pid(*pcr_high, *pcr_low);
        for stream in streams.chunks_exact(5) {
            fragment.streams.insert(pid(stream[1], stream[2]), stream[0]);
        }
        self.require(!fragment.streams.is_empty(), "the PMT announces no stream");
        self.require(fragment.streams.values().all(|t| [H264, AAC].contains(t)), "unknown stream");
        if fragment.discontinuity {
            self.pcr = None;
        }
    }

    fn payload(&mut self, packet: &Packet<'_>, payload: &[u8], fragment: &mut Fragment) {
        if packet.start {
            if let Some(pes) = fragment.open.remove(&packet.pid) {
                self.pes(packet.pid, &pes, fragment);
            }
            let pes = Pes { random_access: packet.random_access, bytes: payload.to_vec() };
            self.clock_is_not_past(packet.pid, payload);
            fragment.open.insert(packet.pid, pes);
        } else if let Some(pes) = fragment.open.get_mut(&packet.pid) {
            pes.bytes.extend_from_slice(payload);
        } else {
            self.fail("a PES packet extends past the fragment's end");
        }
    }

    fn clock_is_not_past(&mut self, pid: u16, payload: &[u8]) {
        let Some((_, dts, _)) = pes_times(payload) else { return };
        match self.pcr {
            None => self.fail(format!("PID {pid} starts before the clock reference")),
            Some(pcr) => {
                let late = ticks_between(pcr, dts) < 0;
                self.require(!late, "a decoding time is before the clock reference");
            }
        }
    }

    fn pes(&mut self, pid: u16, pes: &Pes, fragment: &mut Fragment) {
        let Some((pts, dts, payload)) = pes_times(&pes.bytes) else {
            return self.fail(format!("PID {pid}: a malformed PES header"));
        };
        let length = usize::from(u16::from_be_bytes([pes.bytes[4], pes.bytes[5]]));
        let fits = length == 0 || length + 6 == pes.bytes.len();
        self.require(fits, "a PES packet has a wrong length");
        self.require(ticks_between(dts, pts) >= 0, "presented before it is decoded");
        if self.dts.get(&pid).is_some_and(|last| ticks_between(*last, dts) <= 0) {
            self.fail(format!("PID {pid}: decoding times do not increase"));
        }
        self.dts.insert(pid, dts);
        fragment.times.entry(pid).or_default().push((dts, pts));
        let stream_type = fragment.streams.get(&pid).copied();
        let frames = match stream_type {
            Some(H264) => self.picture(pes.random_access, payload, fragment),
            _ => self.adts_frames(payload),
        };
        let summary = self.summary(stream_type.unwrap_or(AAC));
        summary.frames += frames;
        summary.dts.push(dts);
        summary.payload.extend_from_slice(payload);
        summary.composition.push(ticks_between(dts, pts).unsigned_abs());
    }

    fn summary(&mut self, stream_type: u8) -> &mut Summary {
        if stream_type == H264 { &mut self.report.video } else { &mut self.report.audio }
    }

    /// Checks one access unit; returns the number of frames, always one.
    fn picture(&mut self, random_access: bool, bytes: &[u8], fragment: &mut Fragment) -> usize {
        let kinds = nal_types(bytes);
        let slice = kinds.iter().position(|kind| (1..=5).contains(kind));
        self.require(slice.is_some(), "a frame without a slice");
        self.require(kinds.first() == Some(&9), "a frame without a delimiter before it");
        let delimiters = kinds.iter().filter(|kind| **kind == 9).count();
        self.require(delimiters <= 1, "a frame with two delimiters");
        self.require(random_access || !kinds.contains(&5), "an IDR frame not marked");
        if random_access {
            let head = &kinds[..slice.unwrap_or(0)];
            let complete = head.contains(&7) && head.contains(&8);
            self.require(complete, "a key frame without parameter sets before it");
            let key = kinds.contains(&5) || kinds.contains(&6);
            self.require(key, "marked as a key frame, but is not one");
            self.report.video.key_frames += 1;
        } else if fragment.pictures == 0 {
            self.fail("does not begin with a key frame");
        }
        fragment.pictures += 1;
        1
    }

    fn adts_frames(&mut self, mut bytes: &[u8]) -> usize {
        let mut frames = 0;
        while let [0xFF, 0xF1, _, b3, b4, b5, ..] = bytes {
            let length = usize::from(b3 & 3) << 11 | usize::from(*b4) << 3 | usize::from(b5 >> 5);
            match bytes.get(length..).filter(|_| length > 7) {
                Some(rest) => bytes = rest,
                None => break,
            }
            frames += 1;
        }
        self.require(bytes.is_empty() && frames > 0, "audio is not whole ADTS frames");
        frames
    }

    fn summarize(&mut self, fragment: &Fragment) -> Option<Span> {
        let mut whole =
            fragment.times.get(&fragment.pcr_pid).and_then(|t| span(fragment.pcr_pid, t));
        for (pid, stream_type) in &fragment.streams {
            let span = fragment.times.get(pid).and_then(|times| span(*pid, times));
            let summary = self.summary(*stream_type);
            summary.fragments += 1;
            summary.duration_ms += span.map_or(0, |s| ticks_between(s.first, s.last) as u64 / 90);
            whole = match (whole, span) {
                (Some(whole), Some(span)) if ticks_between(whole.last, span.last) > 0 => {
                    Some(Span { last: span.last, ..whole })
                }
                (whole, span) => whole.or(span),
            };
        }
        whole
    }

    fn duration(&mut self, piece: &Piece<'_>, span: Option<Span>, next: Option<Span>) {
        let Some(span) = span else { return };
        let stated = u64::from(piece.duration_ms);
        let (least, most) = match next {
            Some(next) if next.pid == span.pid => {
                // Which of the two applies depends on the picture order.
                let presented = ticks_between(span.first, next.first) as u64 / 90;
                let decoded = ticks_between(span.first_dts, next.first_dts) as u64 / 90;
                (presented.min(decoded), presented.max(decoded))
            }
            _ => {
                let own = ticks_between(span.first, span.last) as u64 / 90;
                (own + 1 + DURATION_TOLERANCE_MS, own + LONGEST_FRAME_MS)
            }
        };
        let within =
            stated + DURATION_TOLERANCE_MS >= least && stated <= most + DURATION_TOLERANCE_MS;
        if !within {
            self.fail(format!(
                "lasts {least} to {most} ms, but the stated duration is {stated} ms"
            ));
        }
    }
}

fn span(pid: u16, times: &[(u64, u64)]) -> Option<Span> {
    let (first_dts, first) = *times.first()?;
    let last = times.iter().map(|(_, pts)| *pts).max_by_key(|pts| ticks_between(first, *pts))?;
    Some(Span { pid, first_dts, first, last })
}

fn packet(bytes: &[u8]) -> Option<Packet<'_>> {
    let [0x47, b1, b2, b3, rest @ ..] = bytes else { return None };
    let has_error = b1 & 0x80 != 0;
    let is_scrambled = b3 & 0xC0 != 0;
    if has_error || is_scrambled {
        return None;
    }
    let mut packet = Packet {
        pid: pid(*b1, *b2),
        start: b1 & 0x40 != 0,
        counter: b3 & 0x0F,
        discontinuity: false,
        random_access: false,
        pcr: None,
        payload: None,
    };
    let mut rest = rest;
    if b3 & 0x20 != 0 {
        let (length, after) = rest.split_first()?;
        let (field, after) = after.split_at_checked(usize::from(*length))?;
        if let [flags, values @ ..] = field {
            packet.discontinuity = flags & 0x80 != 0;
            packet.random_access = flags & 0x40 != 0;
            let stuffing = if flags & 0x10 != 0 {
                let value = values.first_chunk::<6>()?;
                let [b0, b1, b2, b3, b4, _] = value.map(u64::from);
                (b4 & 0x7E == 0x7E).then_some(())?; // reserved bits
                packet.pcr = Some(b0 << 25 | b1 << 17 | b2 << 9 | b3 << 1 | b4 >> 7);
                &values[6..]
            } else {
                values
            };
            stuffing.iter().all(|byte| *byte == 0xFF).then_some(())?;
        }
        rest = after;
    }
    let has_payload = b3 & 0x10 != 0;
    packet.payload = has_payload.then_some(rest);
    (has_payload != rest.is_empty()).then_some(packet)
}

fn pid(high: u8, low: u8) -> u16 {
    u16::from_be_bytes([high & 0x1F, low])
}

/// Returns a section without its checksum, which must be correct.
fn section(payload: &[u8]) -> Option<&[u8]> {
    let [0, section @ ..] = payload else { return None };
    let length = usize::from(u16::from_be_bytes([section.get(1)? & 0x0F, *section.get(2)?])) + 3;
    let (section, padding) = section.split_at_checked(length)?;
    let (content, checksum) = section.split_last_chunk::<4>()?;
    let right = crc(content) == u32::from_be_bytes(*checksum);
    (right && padding.iter().all(|byte| *byte == 0xFF)).then_some(content)
}

fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| {
            if crc >> 31 == 1 { crc << 1 ^ 0x04C1_1DB7 } else { crc << 1 }
        })
    })
}

/// Returns presentation and decoding time of a PES packet, and its payload.
fn pes_times(bytes: &[u8]) -> Option<(u64, u64, &[u8])> {
    let [0, 0, 1, 0xE0 | 0xC0, _, _, flags, has, length, rest @ ..] = bytes else { return None };
    let (times, payload) = rest.split_at_checked(usize::from(*length))?;
    if flags >> 6 != 2 {
        return None;
    }
    match (has >> 6, times) {
        (2, pts @ [_, _, _, _, _]) => Some((time(2, pts)?, time(2, pts)?, payload)),
        (3, times) if times.len() == 10 => {
            Some((time(3, &times[..5])?, time(1, &times[5..])?, payload))
        }
        _ => None,
    }
}

fn time(prefix: u8, bytes: &[u8]) -> Option<u64> {
    let markers = bytes[0] & 1 == 1 && bytes[2] & 1 == 1 && bytes[4] & 1 == 1;
    let part = |index: usize| u64::from(bytes[index]);
    (markers && bytes[0] >> 4 == prefix).then_some(
        (part(0) >> 1 & 7) << 30 | part(1) << 22 | part(2) >> 1 << 15 | part(3) << 7 | part(4) >> 1,
    )
}

/// Returns the difference of two 33-bit times, in the shorter direction.
fn ticks_between(from: u64, to: u64) -> i64 {
    let ahead = to.wrapping_sub(from) & ((1 << 33) - 1);
    if ahead < 1 << 32 { ahead as i64 } else { ahead as i64 - (1 << 33) }
}

fn nal_types(bytes: &[u8]) -> Vec<u8> {
    let starts = bytes.windows(4).filter(|window| window[..3] == [0, 0, 1]);
    starts.map(|window| window[3] & 0x1F).collect()
}
