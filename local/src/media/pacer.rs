//! Real-time pacing: determines when the tags of a stream are due, wherever their
//! timestamps start, however often they wrap or start over, and however far apart
//! the tracks are in the file.

use super::flv::{Tag, TagKind};
use super::recorder::Clocks;
use super::ts::Track;
use std::time::Duration;

/// Converts the timestamps of tags to the time since the start of the stream.
#[derive(Debug, Default)]
pub struct Pacer {
    round: Round,
    /// The start of this round.
    began: Duration,
    /// The latest time at which a tag was due.
    now: Duration,
    /// The end of the last tag in its file.
    position: u64,
}

impl Pacer {
    /// Returns when the next tag is due. Tags whose time has no meaning, such as
    /// headers and metadata, are due at once. A tag that is not after the previous
    /// one in the file starts another round, which continues after this one.
    pub fn due(&mut self, tag: &Tag) -> Duration {
        if tag.end <= self.position {
            (self.began, self.round) = (self.end(), Round::default());
            self.now = self.now.max(self.began);
        }
        self.position = tag.end;
        let track = match tag.kind {
            TagKind::Video if !tag.is_header() => Track::Video,
            TagKind::Audio if !tag.is_header() => Track::Audio,
            // Sent at once; their times are often 0 wherever the media is.
            _ => return self.now,
        };
        let due = self.began + self.round.locate(track, tag.timestamp);
        self.now = self.now.max(due);
        due
    }

    /// Returns the end of the media so far; the last frame lasts as long as the
    /// previous one.
    pub fn end(&self) -> Duration {
        self.began + self.round.since_origin(self.round.clocks.end())
    }
}

/// One pass through the file.
#[derive(Debug, Default)]
struct Round {
    clocks: Clocks,
    video: Option<Newest>,
    audio: Option<Newest>,
    /// Its start, by the common clock.
    origin_ms: Option<u64>,
}

/// The newest frame of a track.
#[derive(Debug, Clone, Copy)]
struct Newest {
    timestamp: u32,
    /// The unwrapped timestamp.
    theirs_ms: u64,
    /// The time by the common clock.
    ours_ms: u64,
}

impl Newest {
    /// Unwraps a timestamp that follows.
    fn unwrap(&self, timestamp: u32) -> u64 {
        let step = timestamp.wrapping_sub(self.timestamp) as i32;
        self.theirs_ms.checked_add_signed(step.into()).unwrap_or(timestamp.into())
    }
}

impl Round {
    fn locate(&mut self, track: Track, timestamp: u32) -> Duration {
        let newest = match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        };
        let theirs_ms = newest.map_or(timestamp.into(), |newest| newest.unwrap(timestamp));
        let place = self.clocks.locate(track, theirs_ms);
        let step = newest.and_then(|newest| place.ms.checked_sub(newest.ours_ms));
        if let Some(length @ 1..=1000) = step {
            self.clocks.set_length(track, length);
        }
        *newest = Some(Newest { timestamp, theirs_ms, ours_ms: place.ms });
        self.clocks.advance(track, theirs_ms, place);
        self.origin_ms.get_or_insert(place.ms);
        self.since_origin(place.ms)
    }

    fn since_origin(&self, ms: u64) -> Duration {
        Duration::from_millis(ms.saturating_sub(self.origin_ms.unwrap_or(ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(kind: TagKind, timestamp: u32, end: u64) -> Tag {
        let codec = if kind == TagKind::Video { 0x27 } else { 0xAF };
        Tag { kind, timestamp, body: vec![codec, 1], end }
    }

    /// Returns when frames of these kinds and times are due.
    fn times(tags: &[(TagKind, u32)]) -> Vec<u128> {
        let mut pacer = Pacer::default();
        let tags = tags.iter().zip(1..).map(|(&(kind, timestamp), end)| tag(kind, timestamp, end));
        tags.map(|tag| pacer.due(&tag).as_millis()).collect()
    }

    #[test]
    fn a_stream_starts_at_zero_whatever_its_timestamps() {
        use TagKind::{Audio, Script, Video};
        let tags = [(Script, 0), (Video, 5000), (Audio, 4990), (Script, 0), (Video, 5033)];
        assert_eq!(times(&tags), [0, 0, 0, 0, 33]);
    }

    #[test]
    fn headers_do_not_delay_the_media() {
        let mut pacer = Pacer::default();
        let mut end = 0;
        let mut due = |kind, timestamp, body: &[u8]| {
            end += 1;
            pacer.due(&Tag { kind, timestamp, body: body.to_vec(), end }).as_millis()
        };
        assert_eq!(due(TagKind::Video, 0, &[0x17, 0, 0, 0, 0, 1]), 0);
        assert_eq!(due(TagKind::Audio, 0, &[0xAF, 0, 0x12, 0x10]), 0);
        assert_eq!(due(TagKind::Video, 3_601_356, &[0x17, 1, 0, 0, 0]), 0);
        assert_eq!(due(TagKind::Audio, 3_601_370, &[0xAF, 1]), 14);
        assert_eq!(due(TagKind::Audio, 0, &[0xAF, 0, 0x12, 0x10]), 14);
        assert_eq!(due(TagKind::Video, 3_601_396, &[0x27, 1, 0, 0, 0]), 40);
    }

    #[test]
    fn tracks_may_be_far_apart_in_the_file() {
        use TagKind::{Audio, Video};
        for (video, audio) in [(0, 1500), (1500, 0), (0, 4000)] {
            // In file order: the times of the tracks differ by this much.
            let frames = |n: u32| [(Video, video + n * 40), (Audio, audio + n * 40)];
            let all = times(&(0..300).flat_map(frames).collect::<Vec<_>>());
            let newest = all.iter().max().unwrap();
            assert_eq!(*newest, 299 * 40 + u128::from(audio.saturating_sub(video)));
            let steps = |first| all.iter().skip(first).step_by(2).copied().collect::<Vec<_>>();
            assert!(steps(0).windows(2).all(|pair| pair[1] - pair[0] <= 40));
            assert!(steps(1).windows(2).all(|pair| pair[1] - pair[0] <= 40));
        }
    }

    #[test]
    fn time_continues_when_timestamps_wrap_start_over_or_jump() {
        use TagKind::{Audio, Video};
        assert_eq!(times(&[(Video, u32::MAX - 9), (Video, 30)]), [0, 40]);
        let twice = [(Video, 0), (Video, 33), (Video, 5000), (Video, 0), (Video, 33)];
        assert_eq!(times(&twice), [0, 33, 5000, 5033, 5066]);
        let both = [(Video, 0), (Audio, 0), (Video, 5000), (Audio, 5010), (Video, 0), (Audio, 10)];
        let due = times(&both);
        assert_eq!(due[5] - due[4], 10, "{due:?}");
        assert_eq!(
            times(&[(Video, 0), (Video, 40), (Video, 3_600_000), (Video, 3_600_040)]),
            [0, 40, 80, 120]
        );
    }

    /// Even if the file is so short that the step back would count as jitter.
    #[test]
    fn a_looped_file_continues_after_itself() {
        use TagKind::{Audio, Video};
        let mut pacer = Pacer::default();
        let file = [tag(Video, 1000, 1), tag(Audio, 1010, 2), tag(Video, 1040, 3)];
        let rounds: Vec<_> =
            (0..3).flat_map(|_| &file).map(|tag| pacer.due(tag).as_millis()).collect();
        assert_eq!(rounds, [0, 10, 40, 80, 90, 120, 160, 170, 200]);
        assert_eq!(pacer.end().as_millis(), 240);
    }

    #[test]
    fn a_looped_file_of_one_frame_takes_time() {
        let mut pacer = Pacer::default();
        let frame = tag(TagKind::Video, 500, 1);
        let due: Vec<_> = (0..3).map(|_| pacer.due(&frame).as_millis()).collect();
        assert_eq!(due, [0, 40, 80]);
    }
}
