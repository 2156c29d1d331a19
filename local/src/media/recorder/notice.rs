//! What a publisher may not know of its own stream.

use crate::media::ts::{Track, Tracks};
use std::fmt;

/// How many are kept until somebody takes them.
const MAX_KEPT: usize = 16;

/// Something unusual about a stream that is recorded all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A fragment has a track that the one before it lacks.
    TrackBegan(Track),
    /// A fragment lacks a track that the one before it has.
    TrackEnded(Track),
    /// A message breaks the format and was dropped, the first of its session.
    MessageDropped,
    /// A clock jumped; the stream goes on behind a discontinuity.
    ClockJumped(Track),
    /// Nothing arrived for longer than a fragment may last.
    Paused,
    /// No key frame came in time: a fragment ended without one.
    KeyFrameLate,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |track: &Track| match track {
            Track::Video => "video",
            Track::Audio => "audio",
        };
        match self {
            Notice::TrackBegan(track) => write!(f, "{} has begun", name(track)),
            Notice::TrackEnded(track) => write!(f, "{} has stopped", name(track)),
            Notice::MessageDropped => f.write_str("a message breaks the format and was dropped"),
            Notice::ClockJumped(track) => {
                write!(f, "the clock of the {} jumped: a discontinuity follows", name(track))
            }
            Notice::Paused => f.write_str("the stream paused: a discontinuity follows"),
            Notice::KeyFrameLate => f.write_str(
                "no key frame came in time: a fragment ends without one, to keep to the target \
                 duration of the playlist or to the limit of 60 seconds",
            ),
        }
    }
}

/// The notices that nobody has taken yet.
#[derive(Default)]
pub(super) struct Notices(Vec<Notice>);

impl Notices {
    pub(super) fn add(&mut self, notice: Notice) {
        if self.0.len() < MAX_KEPT {
            self.0.push(notice);
        }
    }

    /// Takes in what a fragment holds, and what the one before it held.
    pub(super) fn compare(&mut self, before: Tracks, now: Tracks) {
        for (track, had, has) in
            [(Track::Video, before.video, now.video), (Track::Audio, before.audio, now.audio)]
        {
            match (had, has) {
                (true, false) => self.add(Notice::TrackEnded(track)),
                (false, true) => self.add(Notice::TrackBegan(track)),
                _ => {}
            }
        }
    }

    pub(super) fn take(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.0)
    }
}
