//! The elementary streams of a program.

/// The elementary streams of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tracks {
    /// Whether there is H.264 video.
    pub video: bool,
    /// Whether there is AAC audio in ADTS frames.
    pub audio: bool,
}

/// One elementary stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Track {
    /// The video, whose packets carry the clock reference.
    Video,
    /// The audio, whose packets carry the clock reference if there is no video.
    Audio,
}

impl Track {
    /// Returns the identifier of its packets.
    pub(super) fn pid(self) -> u16 {
        match self {
            Track::Video => 0x100,
            Track::Audio => 0x101,
        }
    }
}
