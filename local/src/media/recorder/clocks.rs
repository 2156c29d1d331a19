//! Converts the encoder's clocks, one per track, to a common clock of the session.
//!
//! Both tracks should have the same clock, and usually do. But video may start over
//! while audio continues, they may start at different times, or either may jump: their
//! times are then determined by their arrival.

use crate::media::ts::Track;

/// A step back of a track's clock up to this counts as jitter.
pub(crate) const MAX_STEP_BACK_MS: u64 = 1000;

/// A step ahead of the session's clock beyond this counts as a jump.
const MAX_STEP_AHEAD_MS: u64 = 10_000;

/// How much further than ever before audio may be ahead of video that still arrives.
pub(crate) const MAX_LEAD_MS: u64 = 1000;

/// How far apart tracks with the same clock may arrive.
const MAX_SKEW_MS: u64 = 5000;

/// The clocks of a session.
#[derive(Debug, Default)]
pub struct Clocks {
    /// The newest time of either track, by the session's clock.
    newest_ms: Option<u64>,
    /// Its previous value.
    before_ms: u64,
    /// Its value when audio last arrived.
    audio_seen_ms: Option<u64>,
    /// How far audio was ahead of video, at most, when video arrived.
    lead_ms: u64,
    video: Clock,
    audio: Clock,
}

/// The state of a track's clock.
#[derive(Debug, Default)]
struct Clock {
    /// The newest time by the encoder's clock, if any.
    theirs_ms: Option<u64>,
    /// The newest time by the session's clock.
    ours_ms: u64,
    /// The offset from the encoder's clock to the session's.
    offset_ms: i64,
    frame_ms: u64,
}

/// The time of a frame by the session's clock.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The time in milliseconds.
    pub ms: u64,
    /// Whether its track's clock jumped.
    pub jumps: bool,
    offset_ms: i64,
}

impl Clock {
    fn ours(&self, theirs_ms: u64) -> Option<u64> {
        theirs_ms.checked_add_signed(self.offset_ms)
    }

    /// Returns the duration of a frame.
    fn length(&self) -> u64 {
        /// The default, since a single frame does not determine it.
        const FRAME_MS: u64 = 40;
        if self.frame_ms > 0 { self.frame_ms } else { FRAME_MS }
    }

    fn end(&self) -> u64 {
        self.theirs_ms.map_or(0, |_| self.ours_ms + self.length())
    }
}

impl Clocks {
    /// Returns the place of a frame with the encoder's time `theirs_ms`.
    pub fn locate(&self, track: Track, theirs_ms: u64) -> Place {
        let (clock, other) = match track {
            Track::Video => (&self.video, &self.audio),
            Track::Audio => (&self.audio, &self.video),
        };
        let Some(newest_ms) = self.newest_ms else {
            return Place { ms: theirs_ms, jumps: false, offset_ms: 0 };
        };
        let place = |ms, jumps| {
            let offset_ms = ms as i64 - theirs_ms as i64;
            Place { ms, jumps, offset_ms }
        };
        let is_within =
            |ms: &u64, ahead_ms| ms + MAX_SKEW_MS >= newest_ms && *ms <= newest_ms + ahead_ms;
        if clock.theirs_ms.is_some_and(|newest| theirs_ms + MAX_STEP_BACK_MS >= newest) {
            let near = clock.ours(theirs_ms).filter(|ms| is_within(ms, MAX_STEP_AHEAD_MS));
            if let Some(ms) = near {
                return place(ms, false);
            }
        }
        let jumps = clock.theirs_ms.is_some();
        // The time by the other track's clock, which may have jumped already.
        let leads = other.theirs_ms.is_some() && !(jumps && clock.offset_ms == other.offset_ms);
        let common = other.ours(theirs_ms).filter(|ms| leads && is_within(ms, MAX_SKEW_MS));
        place(common.unwrap_or(newest_ms.max(clock.end())), jumps)
    }

    /// Advances the clocks to a frame at its place.
    pub fn advance(&mut self, track: Track, theirs_ms: u64, place: Place) {
        let Clock { theirs_ms: newest, ours_ms, offset_ms, .. } = self.clock(track);
        *newest = Some(newest.filter(|_| !place.jumps).unwrap_or(0).max(theirs_ms));
        *offset_ms = place.offset_ms;
        *ours_ms = place.ms.max(if place.jumps { 0 } else { *ours_ms });
        self.before_ms = self.newest_ms.unwrap_or(0);
        self.newest_ms = self.newest_ms.max(Some(place.ms));
        match track {
            Track::Audio => self.audio_seen_ms = self.newest_ms,
            Track::Video if self.audio.theirs_ms.is_some() && !place.jumps => {
                let lead_ms = self.audio.ours_ms.saturating_sub(place.ms).min(MAX_SKEW_MS);
                self.lead_ms = self.lead_ms.max(lead_ms);
            }
            Track::Video => {}
        }
    }

    /// Sets the duration of a track's frames.
    pub fn set_length(&mut self, track: Track, frame_ms: u64) {
        self.clock(track).frame_ms = frame_ms;
    }

    /// Returns the duration of a picture.
    pub fn picture_ms(&self) -> u64 {
        self.video.length()
    }

    /// Returns the time since the last picture, if `ms` is later.
    pub fn since_picture(&self, ms: u64) -> Option<u64> {
        self.video.theirs_ms.and_then(|_| ms.checked_sub(self.video.ours_ms))
    }

    /// Returns whether audio arrived within 1.5 seconds before the newest frame,
    /// however far it is behind the video. A pause of both tracks does not count as
    /// the end of one.
    pub fn receives_audio(&self) -> bool {
        const SILENCE_MS: u64 = 1500;
        self.audio_seen_ms.is_some_and(|seen| self.before_ms <= seen + SILENCE_MS)
    }

    /// Returns whether audio at `ms` is so far ahead of the end of the last picture
    /// at `shown_ms` that the video must have stopped.
    pub fn is_video_gone(&self, shown_ms: u64, ms: u64) -> bool {
        self.video.end().max(shown_ms) + self.lead_ms + MAX_LEAD_MS < ms
    }

    /// Returns the end of the last received frame, in decoding order.
    pub fn end(&self) -> u64 {
        self.video.end().max(self.audio.end())
    }

    /// Returns the end of the last received picture, in decoding order.
    pub fn video_end(&self) -> u64 {
        self.video.end()
    }

    /// Returns the end of the last received audio frame.
    pub fn audio_end(&self) -> u64 {
        self.audio.end()
    }

    fn clock(&mut self, track: Track) -> &mut Clock {
        match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Track::{Audio, Video};

    /// Returns the places of frames with these times, and whether their clock jumped.
    fn places(frames: &[(Track, u64)]) -> Vec<(u64, bool)> {
        let mut clocks = Clocks::default();
        let locate = |&(track, theirs_ms): &(Track, u64)| {
            let place = clocks.locate(track, theirs_ms);
            clocks.advance(track, theirs_ms, place);
            (place.ms, place.jumps)
        };
        frames.iter().map(locate).collect()
    }

    #[test]
    fn tracks_with_the_same_clock_keep_their_times() {
        let frames = [(Video, 5000), (Audio, 4990), (Video, 5040), (Audio, 9000), (Video, 5080)];
        assert_eq!(places(&frames), [5000, 4990, 5040, 9000, 5080].map(|ms| (ms, false)));
    }

    #[test]
    fn tracks_that_start_far_apart_are_matched_by_their_arrival() {
        let frames = [(Video, 0), (Audio, 3_600_000), (Video, 40), (Audio, 3_600_023)];
        assert_eq!(places(&frames), [0, 0, 40, 23].map(|ms| (ms, false)));
        let frames = [(Audio, 6000), (Video, 0), (Audio, 6023), (Video, 40)];
        assert_eq!(places(&frames), [6000, 6000, 6023, 6040].map(|ms| (ms, false)));
    }

    #[test]
    fn a_track_that_starts_over_joins_the_one_that_continues() {
        let frames = [(Video, 20_000), (Audio, 20_000), (Video, 0), (Audio, 20_023), (Video, 40)];
        let expected = [20_000, 20_000, 20_040, 20_023, 20_080];
        let found = places(&frames);
        assert_eq!(found.iter().map(|place| place.0).collect::<Vec<_>>(), expected);
        assert_eq!(found.iter().filter(|place| place.1).count(), 1);
    }

    #[test]
    fn a_clock_that_starts_over_keeps_its_tracks_together() {
        let frames = [(Video, 20_000), (Audio, 20_010), (Video, 0), (Audio, 10), (Video, 40)];
        let found = places(&frames);
        assert_eq!(found[3].0 - found[2].0, 10);
        assert_eq!(
            found.iter().map(|place| place.1).collect::<Vec<_>>(),
            [false, false, true, true, false]
        );
    }

    #[test]
    fn one_frame_with_a_wrong_time_affects_nothing_else() {
        let frames = [(Video, 0), (Audio, 0), (Audio, 1 << 48), (Audio, 23), (Video, 40)];
        assert_eq!(
            places(&frames).iter().map(|place| place.0).collect::<Vec<_>>(),
            [0, 0, 40, 23, 40]
        );
    }

    #[test]
    fn a_track_whose_clock_stopped_in_a_pause_is_matched_by_its_arrival() {
        let mut frames = vec![(Video, 0), (Audio, 0)];
        frames.extend((1..=500).map(|n| (Video, n * 40)));
        frames.extend([(Audio, 23), (Audio, 46)]);
        assert_eq!(places(&frames)[502..], [(20_000, true), (20_023, false)]);
    }

    /// Returns clocks that have located these frames.
    fn clocks(frames: &[(Track, u64)]) -> Clocks {
        let mut clocks = Clocks::default();
        for &(track, theirs_ms) in frames {
            let place = clocks.locate(track, theirs_ms);
            clocks.advance(track, theirs_ms, place);
        }
        clocks
    }

    #[test]
    fn video_is_gone_if_audio_is_a_second_further_ahead_of_it_than_before() {
        // Audio was 460 ms ahead. The last picture ends at 80 ms, or is shown until 2 s.
        let clocks = clocks(&[(Video, 0), (Audio, 500), (Video, 40)]);
        for (shown_ms, end_ms) in [(0, 80), (2000, 2000)] {
            assert!(!clocks.is_video_gone(shown_ms, end_ms + 460 + 1000));
            assert!(clocks.is_video_gone(shown_ms, end_ms + 460 + 1001));
        }
    }

    #[test]
    fn a_jump_does_not_show_how_far_audio_is_ahead() {
        // The audio starts over, and the video follows when audio is at 3 s.
        let mut frames = vec![(Video, 20_000), (Audio, 20_000)];
        frames.extend([0, 1000, 2000, 3000].map(|ms| (Audio, ms)));
        frames.push((Video, 0));
        assert_eq!(places(&frames)[6], (20_040, true));
        assert!(clocks(&frames).is_video_gone(0, 20_080 + 1001));
    }
}
