//! The codecs that RTMP can carry: their names, and which of them are recorded.

use std::fmt;

/// A codec, as specified in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Codec {
    /// H.264, which is recorded.
    H264,
    /// AAC, which is recorded.
    Aac,
    /// Other video, by its number in FLV.
    Video(u8),
    /// Other audio, by its number in FLV.
    Audio(u8),
    /// Other video, by its four-character code in Enhanced RTMP.
    EnhancedVideo([u8; 4]),
    /// Other audio, by its four-character code in Enhanced RTMP.
    EnhancedAudio([u8; 4]),
}

impl Codec {
    /// Returns the codec of a video message in FLV format (FLV 10.1, E.4.3.1).
    pub fn video(number: u8) -> Self {
        if number == 7 { Codec::H264 } else { Codec::Video(number) }
    }

    /// Returns the codec of an audio message in FLV format (FLV 10.1, E.4.2.1).
    pub fn audio(number: u8) -> Self {
        if number == 10 { Codec::Aac } else { Codec::Audio(number) }
    }

    /// Returns the codec of a video message in Enhanced RTMP format.
    pub fn enhanced_video(code: [u8; 4]) -> Self {
        if &code == b"avc1" { Codec::H264 } else { Codec::EnhancedVideo(code) }
    }

    /// Returns the codec of an audio message in Enhanced RTMP format.
    pub fn enhanced_audio(code: [u8; 4]) -> Self {
        if &code == b"mp4a" { Codec::Aac } else { Codec::EnhancedAudio(code) }
    }

    /// Returns its name; recorded codecs have the service's names, without hyphens
    /// or dots: `H264`, `AAC`. Empty if it has none.
    pub fn name(self) -> &'static str {
        match self {
            Codec::H264 => "H264",
            Codec::Aac => "AAC",
            Codec::Video(2) => "Sorenson H.263 (FLV1)",
            Codec::Video(3) => "Screen",
            Codec::Video(4) => "VP6",
            Codec::Video(5) => "VP6 with alpha",
            Codec::Video(6) => "Screen 2",
            // No standard defines these numbers, but encoders use them.
            Codec::Video(12) => "HEVC",
            Codec::Video(13) => "AV1",
            Codec::Audio(0 | 3) => "PCM",
            Codec::Audio(1) => "ADPCM",
            Codec::Audio(2 | 14) => "MP3",
            Codec::Audio(4..=6) => "Nellymoser",
            Codec::Audio(7) => "G.711 A-law",
            Codec::Audio(8) => "G.711 mu-law",
            Codec::Audio(11) => "Speex",
            Codec::Audio(13) => "Opus",
            Codec::EnhancedVideo(code) => match &code {
                b"hvc1" => "HEVC",
                b"vvc1" => "VVC",
                b"av01" => "AV1",
                b"vp08" => "VP8",
                b"vp09" => "VP9",
                _ => "unknown",
            },
            Codec::EnhancedAudio(code) => match &code {
                b"Opus" => "Opus",
                b"fLaC" => "FLAC",
                b"ac-3" => "AC-3",
                b"ec-3" => "E-AC-3",
                b".mp3" => "MP3",
                _ => "unknown",
            },
            Codec::Video(_) | Codec::Audio(_) => "",
        }
    }
}

/// The name for humans: `H.264 video`, `HEVC (hvc1) video`.
impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            Codec::H264 => f.write_str("H.264 video"),
            Codec::Video(number) if name.is_empty() => write!(f, "video with codec {number}"),
            Codec::Audio(number) if name.is_empty() => write!(f, "audio with codec {number}"),
            Codec::Video(_) => write!(f, "{name} video"),
            Codec::Aac | Codec::Audio(_) => write!(f, "{name} audio"),
            Codec::EnhancedVideo(code) => write!(f, "{name} ({}) video", code.escape_ascii()),
            Codec::EnhancedAudio(code) => write!(f, "{name} ({}) audio", code.escape_ascii()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_codec_has_the_same_name_in_every_format() {
        assert_eq!((Codec::video(7), Codec::audio(10)), (Codec::H264, Codec::Aac));
        assert_eq!(Codec::enhanced_video(*b"avc1"), Codec::H264);
        assert_eq!(Codec::enhanced_audio(*b"mp4a"), Codec::Aac);
        assert_eq!(Codec::video(12).name(), Codec::enhanced_video(*b"hvc1").name());
        assert_eq!(Codec::audio(2).name(), Codec::enhanced_audio(*b".mp3").name());
    }

    #[test]
    fn enhanced_codecs_have_the_names_of_their_codes() {
        for (code, name) in [
            (b"hvc1", "HEVC"),
            (b"vvc1", "VVC"),
            (b"av01", "AV1"),
            (b"vp08", "VP8"),
            (b"vp09", "VP9"),
        ] {
            assert_eq!(Codec::enhanced_video(*code).name(), name);
        }
        for (code, name) in [
            (b"Opus", "Opus"),
            (b"fLaC", "FLAC"),
            (b"ac-3", "AC-3"),
            (b"ec-3", "E-AC-3"),
            (b".mp3", "MP3"),
        ] {
            assert_eq!(Codec::enhanced_audio(*code).name(), name);
        }
        assert_eq!(Codec::enhanced_video(*b"Opus").name(), "unknown");
    }

    #[test]
    fn names_for_humans_describe_the_codec() {
        for (codec, text) in [
            (Codec::H264, "H.264 video"),
            (Codec::Aac, "AAC audio"),
            (Codec::video(4), "VP6 video"),
            (Codec::video(9), "video with codec 9"),
            (Codec::audio(9), "audio with codec 9"),
            (Codec::enhanced_audio(*b"ac-3"), "AC-3 (ac-3) audio"),
            (Codec::enhanced_video(*b"\xFFx\n1"), "unknown (\\xffx\\n1) video"),
        ] {
            assert_eq!(codec.to_string(), text);
        }
    }
}
