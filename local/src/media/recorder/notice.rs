//! Notices about a stream, of which its publisher may not know.

use crate::media::ts::{Track, Tracks};
use std::fmt;

/// How many are kept until they are taken.
const MAX_KEPT: usize = 16;

/// Something unusual about a stream that is recorded nevertheless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A fragment has a track that the previous one lacks.
    TrackBegan(Track),
    /// A fragment lacks a track that the previous one has.
    TrackEnded(Track),
    /// A malformed message was dropped, the first in its session.
    MessageDropped,
    /// A clock jumped; the stream continues after a discontinuity.
    ClockJumped(Track),
    /// Nothing arrived for longer than the maximum length of a fragment.
    Paused,
    /// No key frame arrived in time: a fragment ended without one.
    KeyFrameLate,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |track: &Track| match track {
            Track::Video => "video",
            Track::Audio => "audio",
        };
        match self {
            Notice::TrackBegan(track) => write!(f, "{} started", name(track)),
            Notice::TrackEnded(track) => write!(f, "{} stopped", name(track)),
            Notice::MessageDropped => f.write_str("a malformed message was dropped"),
            Notice::ClockJumped(track) => {
                write!(f, "the {} clock jumped, which causes a discontinuity", name(track))
            }
            Notice::Paused => f.write_str("the stream paused, which causes a discontinuity"),
            Notice::KeyFrameLate => f.write_str(
                "no key frame arrived in time: a fragment ends without one, because of the target \
                duration of the playlist or the limit of 60 seconds",
            ),
        }
    }
}

/// The notices that have not been taken yet.
#[derive(Default)]
pub(super) struct Notices(Vec<Notice>);

impl Notices {
    pub(super) fn add(&mut self, notice: Notice) {
        if self.0.len() < MAX_KEPT {
            self.0.push(notice);
        }
    }

    /// Adds notices about the differences between a fragment's tracks and those of the
    /// previous one.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_name_the_track_and_the_effect() {
        assert_eq!(Notice::TrackBegan(Track::Audio).to_string(), "audio started");
        assert_eq!(Notice::TrackEnded(Track::Video).to_string(), "video stopped");
        assert_eq!(
            Notice::ClockJumped(Track::Video).to_string(),
            "the video clock jumped, which causes a discontinuity"
        );
    }

    #[test]
    fn no_more_than_sixteen_notices_are_kept_until_they_are_taken() {
        let mut notices = Notices::default();
        (0..20).for_each(|_| notices.add(Notice::Paused));
        assert_eq!(notices.take(), [Notice::Paused; 16]);
        assert_eq!(notices.take(), []);
    }
}
