//! FLV: the tags of a file, and their bodies, which RTMP uses too (Adobe Flash
//! Video File Format 10.1, annex E, and Enhanced RTMP).

mod reader;

pub use reader::Reader;

use crate::media::codec::Codec;
use std::fmt;

/// The content of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagKind {
    /// Audio: see [`audio`].
    Audio,
    /// Video: see [`video`].
    Video,
    /// AMF data, such as `onMetaData`.
    Script,
}

/// One tag of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The content of the body.
    pub kind: TagKind,
    /// Decoding time in milliseconds, modulo 2^32.
    pub timestamp: u32,
    /// The body, in the format that RTMP uses too.
    pub body: Vec<u8>,
    /// The position of the end of this tag in the file.
    pub end: u64,
}

impl Tag {
    /// Returns whether the body is a decoder configuration, whose time has no meaning.
    pub fn is_header(&self) -> bool {
        match self.kind {
            TagKind::Video => matches!(video(&self.body), Ok(VideoBody::Config(_))),
            TagKind::Audio => matches!(audio(&self.body), Ok(AudioBody::Config(_))),
            TagKind::Script => false,
        }
    }
}

/// Why an FLV body cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlvError {
    /// It is malformed.
    Malformed(&'static str),
    /// A codec other than H.264 and AAC; the name is for humans.
    Unsupported(String),
}

impl fmt::Display for FlvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FlvError::Malformed(what) => f.write_str(what),
            FlvError::Unsupported(codec) => write!(f, "{codec} is not supported"),
        }
    }
}

impl std::error::Error for FlvError {}

/// The body of a video tag or message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoBody<'a> {
    /// An AVC decoder configuration record: see [`crate::media::avc::AvcConfig`].
    Config(&'a [u8]),
    /// A coded frame.
    Frame {
        /// Whether decoding can start here.
        key: bool,
        /// Presentation time minus decoding time, as sent.
        composition_ms: i32,
        /// NAL units with lengths: see [`crate::media::avc::AccessUnit`].
        data: &'a [u8],
    },
    /// Nothing to record: an end of sequence, a command, color information.
    Other,
}

/// The body of an audio tag or message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioBody<'a> {
    /// An AudioSpecificConfig: see [`crate::media::aac::AacConfig`].
    Config(&'a [u8]),
    /// One raw AAC frame.
    Frame(&'a [u8]),
    /// Nothing to record: an end of sequence, a channel layout.
    Other,
}

const TRUNCATED_VIDEO: FlvError = FlvError::Malformed("a video message is truncated");
const TRUNCATED_AUDIO: FlvError = FlvError::Malformed("an audio message is truncated");

/// Parses the body of a video tag, in FLV 10.1 or Enhanced RTMP format.
///
/// # Errors
///
/// [`FlvError::Unsupported`] for anything but H.264.
pub fn video(body: &[u8]) -> Result<VideoBody<'_>, FlvError> {
    const ENHANCED: u8 = 0x80;
    let (&first, rest) = body.split_first().ok_or(TRUNCATED_VIDEO)?;
    let frame_type = first >> 4 & 7;
    if first & ENHANCED != 0 {
        return enhanced_video(frame_type, first & 0x0F, rest);
    }
    if frame_type == COMMAND_FRAME {
        return Ok(VideoBody::Other);
    }
    let codec = Codec::video(first & 0x0F);
    if codec != Codec::H264 {
        return Err(FlvError::Unsupported(codec.to_string()));
    }
    match rest {
        [0, _, _, _, record @ ..] => Ok(VideoBody::Config(record)),
        [1, rest @ ..] => frame(frame_type, rest),
        [2, ..] => Ok(VideoBody::Other),
        [] | [0, ..] => Err(TRUNCATED_VIDEO),
        _ => Err(FlvError::Malformed("unknown AVC packet type")),
    }
}

const KEY_FRAME: u8 = 1;
const COMMAND_FRAME: u8 = 5;

/// Parses the composition time, 24 bits with sign, and the NAL units after it.
fn frame(frame_type: u8, bytes: &[u8]) -> Result<VideoBody<'_>, FlvError> {
    let ([c0, c1, c2], data) = bytes.split_first_chunk().ok_or(TRUNCATED_VIDEO)?;
    let composition_ms = i32::from_be_bytes([*c0, *c1, *c2, 0]) >> 8;
    Ok(VideoBody::Frame { key: frame_type == KEY_FRAME, composition_ms, data })
}

fn enhanced_video(frame_type: u8, packet: u8, rest: &[u8]) -> Result<VideoBody<'_>, FlvError> {
    const METADATA: u8 = 4;
    const MULTITRACK: u8 = 6;
    let (packet, rest) = without_modifiers(packet, rest).ok_or(TRUNCATED_VIDEO)?;
    if frame_type == COMMAND_FRAME && packet != METADATA {
        return Ok(VideoBody::Other);
    }
    if packet == MULTITRACK {
        return Err(FlvError::Unsupported("multitrack video".into()));
    }
    let (codec, data) = rest.split_first_chunk::<4>().ok_or(TRUNCATED_VIDEO)?;
    let codec = Codec::enhanced_video(*codec);
    if codec != Codec::H264 {
        return Err(FlvError::Unsupported(codec.to_string()));
    }
    match packet {
        0 => Ok(VideoBody::Config(data)),
        1 => frame(frame_type, data),
        3 => Ok(VideoBody::Frame { key: frame_type == KEY_FRAME, composition_ms: 0, data }),
        2 | METADATA => Ok(VideoBody::Other),
        _ => Err(FlvError::Malformed("unknown video packet type")),
    }
}

/// Parses the body of an audio tag, in FLV 10.1 or Enhanced RTMP format.
///
/// # Errors
///
/// [`FlvError::Unsupported`] for anything but AAC.
pub fn audio(body: &[u8]) -> Result<AudioBody<'_>, FlvError> {
    const ENHANCED: u8 = 9;
    let (&first, rest) = body.split_first().ok_or(TRUNCATED_AUDIO)?;
    if first >> 4 == ENHANCED {
        return enhanced_audio(first & 0x0F, rest);
    }
    let codec = Codec::audio(first >> 4);
    if codec != Codec::Aac {
        return Err(FlvError::Unsupported(codec.to_string()));
    }
    match rest {
        [0, config @ ..] => Ok(AudioBody::Config(config)),
        [1, data @ ..] => Ok(AudioBody::Frame(data)),
        [] => Err(TRUNCATED_AUDIO),
        _ => Err(FlvError::Malformed("unknown AAC packet type")),
    }
}

fn enhanced_audio(packet: u8, rest: &[u8]) -> Result<AudioBody<'_>, FlvError> {
    const MULTITRACK: u8 = 5;
    let (packet, rest) = without_modifiers(packet, rest).ok_or(TRUNCATED_AUDIO)?;
    if packet == MULTITRACK {
        return Err(FlvError::Unsupported("multitrack audio".into()));
    }
    let (codec, data) = rest.split_first_chunk::<4>().ok_or(TRUNCATED_AUDIO)?;
    let codec = Codec::enhanced_audio(*codec);
    if codec != Codec::Aac {
        return Err(FlvError::Unsupported(codec.to_string()));
    }
    match packet {
        0 => Ok(AudioBody::Config(data)),
        1 => Ok(AudioBody::Frame(data)),
        2 | 4 => Ok(AudioBody::Other),
        _ => Err(FlvError::Malformed("unknown audio packet type")),
    }
}

/// Skips the ModEx prefixes of Enhanced RTMP, which refine timestamps below a
/// millisecond. Returns the packet type after them, and the rest.
fn without_modifiers(mut packet: u8, mut rest: &[u8]) -> Option<(u8, &[u8])> {
    const MODIFIER: u8 = 7;
    while packet == MODIFIER {
        let (&size, after) = rest.split_first()?;
        let (size, after) = match size {
            255 => {
                let (size, after) = after.split_first_chunk()?;
                (usize::from(u16::from_be_bytes(*size)) + 1, after)
            }
            size => (usize::from(size) + 1, after),
        };
        let (next, after) = after.get(size..)?.split_first()?;
        (packet, rest) = (next & 0x0F, after);
    }
    Some((packet, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused_video(body: &[u8]) -> String {
        video(body).expect_err("refused").to_string()
    }

    fn refused_audio(body: &[u8]) -> String {
        audio(body).expect_err("refused").to_string()
    }

    #[test]
    fn avc_packet_types_are_distinguished() {
        assert_eq!(video(&[0x17, 0, 0, 0, 0, 1, 2]), Ok(VideoBody::Config(&[1, 2])));
        let frame = VideoBody::Frame { key: true, composition_ms: 66, data: &[9] };
        assert_eq!(video(&[0x17, 1, 0, 0, 66, 9]), Ok(frame));
        let frame = VideoBody::Frame { key: false, composition_ms: -1, data: &[] };
        assert_eq!(video(&[0x27, 1, 0xFF, 0xFF, 0xFF]), Ok(frame));
        assert_eq!(video(&[0x17, 2, 0, 0, 0]), Ok(VideoBody::Other));
        assert_eq!(video(&[0x57, 0]), Ok(VideoBody::Other), "a seek command");
    }

    #[test]
    fn enhanced_rtmp_may_carry_avc_and_aac() {
        assert_eq!(video(b"\x90avc1\x01\x64"), Ok(VideoBody::Config(b"\x01\x64")));
        let frame = VideoBody::Frame { key: false, composition_ms: 2, data: b"nal" };
        assert_eq!(video(b"\xA1avc1\0\0\x02nal"), Ok(frame));
        let frame = VideoBody::Frame { key: true, composition_ms: 0, data: b"nal" };
        assert_eq!(video(b"\x93avc1nal"), Ok(frame));
        assert_eq!(video(b"\x97\x02abc\x03avc1nal"), Ok(frame), "after a ModEx prefix");
        let frame = VideoBody::Frame { key: true, composition_ms: 0, data: b"nal" };
        assert_eq!(video(b"\x97\xFF\0\x03abcd\x03avc1nal"), Ok(frame), "with a long size");
        assert_eq!(video(b"\xD1\0"), Ok(VideoBody::Other), "a seek command");
        assert_eq!(video(b"\x94avc1colour"), Ok(VideoBody::Other));
        assert_eq!(audio(b"\x90mp4a\x12\x10"), Ok(AudioBody::Config(b"\x12\x10")));
        assert_eq!(audio(b"\x91mp4araw"), Ok(AudioBody::Frame(b"raw")));
        assert_eq!(audio(b"\x92mp4a"), Ok(AudioBody::Other), "the end of a sequence");
        assert_eq!(audio(b"\x94mp4a\0\x02"), Ok(AudioBody::Other), "the order of channels");
    }

    #[test]
    fn aac_packet_types_are_distinguished() {
        assert_eq!(audio(&[0xAF, 0, 0x12, 0x10]), Ok(AudioBody::Config(&[0x12, 0x10])));
        assert_eq!(audio(&[0xAF, 1, 7, 7]), Ok(AudioBody::Frame(&[7, 7])));
    }

    #[test]
    fn other_codecs_are_refused_by_name() {
        assert_eq!(refused_video(b"\x90hvc1\x01"), "HEVC (hvc1) video is not supported");
        assert_eq!(refused_video(b"\x91av01\x01"), "AV1 (av01) video is not supported");
        assert_eq!(refused_video(b"\x93vp09\x01"), "VP9 (vp09) video is not supported");
        assert_eq!(refused_video(b"\x90\xFFx\n1"), "unknown (\\xffx\\n1) video is not supported");
        assert_eq!(refused_video(&[0x12, 0]), "Sorenson H.263 (FLV1) video is not supported");
        assert_eq!(refused_video(&[0x1C, 0]), "HEVC video is not supported");
        assert_eq!(refused_video(b"\x96\x00avc1"), "multitrack video is not supported");
        assert_eq!(refused_audio(&[0x2F, 0]), "MP3 audio is not supported");
        assert_eq!(refused_audio(&[0xB2, 0]), "Speex audio is not supported");
        assert_eq!(refused_audio(b"\x90Opus"), "Opus (Opus) audio is not supported");
    }

    #[test]
    fn truncated_bodies_are_malformed() {
        let bodies = [&[][..], &[0x17], &[0x17, 0, 0], &[0x17, 1, 0, 0], b"\x90avc", b"\x97\xFF\0"];
        for body in bodies {
            assert_eq!(video(body), Err(TRUNCATED_VIDEO), "{body:?}");
        }
        for body in [&[][..], &[0xAF], b"\x90mp4", b"\x97\x05ab"] {
            assert_eq!(audio(body), Err(TRUNCATED_AUDIO), "{body:?}");
        }
    }

    #[test]
    fn unknown_packet_types_are_malformed() {
        for body in [&[0x17, 3][..], b"\x98avc1"] {
            assert!(matches!(video(body), Err(FlvError::Malformed(_))), "{body:?}");
        }
        for body in [&[0xAF, 2][..], b"\x96mp4a"] {
            assert!(matches!(audio(body), Err(FlvError::Malformed(_))), "{body:?}");
        }
    }
}
