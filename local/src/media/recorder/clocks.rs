//! From the encoder's clocks, one for each track, to a common one of the session.
//!
//! Both tracks should have the same clock, and mostly do. But video may start over
//! while audio goes on, each may begin at another time, or either may jump: then
//! their places are found by when they arrive.

use crate::media::ts::Track;

/// A step back of a track's clock up to this is an encoder's jitter.
pub(crate) const MAX_STEP_BACK_MS: u64 = 1000;

/// A step ahead of the session's clock beyond this is a jump.
const MAX_STEP_AHEAD_MS: u64 = 10_000;

/// How much further ahead than ever before audio may be of video that still comes.
pub(crate) const MAX_LEAD_MS: u64 = 1000;

/// How far apart tracks of one clock may arrive.
const MAX_SKEW_MS: u64 = 5000;

/// The clocks of a session.
#[derive(Debug, Default)]
pub struct Clocks {
    /// The newest time of either track, by the session's clock.
    newest_ms: Option<u64>,
    /// The newest before the newest frame.
    before_ms: u64,
    /// What the newest was when audio last arrived.
    heard_ms: Option<u64>,
    /// How far the audio has been ahead of the video, at most, when video arrived.
    lead_ms: u64,
    video: Clock,
    audio: Clock,
}

/// What is known of a track's clock.
#[derive(Debug, Default)]
struct Clock {
    /// The newest time by the encoder's clock, if there is any.
    theirs_ms: Option<u64>,
    /// The newest time by the session's.
    ours_ms: u64,
    /// From theirs to ours.
    offset_ms: i64,
    frame_ms: u64,
}

/// Where a frame belongs by the session's clock.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Milliseconds.
    pub ms: u64,
    /// Whether its track's clock jumped.
    pub jumps: bool,
    offset_ms: i64,
}

impl Clock {
    fn ours(&self, theirs_ms: u64) -> Option<u64> {
        theirs_ms.checked_add_signed(self.offset_ms)
    }

    /// How long a frame lasts.
    fn length(&self) -> u64 {
        /// A single frame does not tell.
        const FRAME_MS: u64 = 40;
        if self.frame_ms > 0 { self.frame_ms } else { FRAME_MS }
    }

    fn end(&self) -> u64 {
        self.theirs_ms.map_or(0, |_| self.ours_ms + self.length())
    }
}

impl Clocks {
    /// Where a frame belongs that the encoder says to be of `theirs_ms`.
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
        // Where the other track's clock has gone already, or where it began.
        let leads = other.theirs_ms.is_some() && !(jumps && clock.offset_ms == other.offset_ms);
        let common = other.ours(theirs_ms).filter(|ms| leads && is_within(ms, MAX_SKEW_MS));
        place(common.unwrap_or(newest_ms.max(clock.end())), jumps)
    }

    /// Takes in that a frame of `theirs_ms` has its place.
    pub fn advance(&mut self, track: Track, theirs_ms: u64, place: Place) {
        let Clock { theirs_ms: newest, ours_ms, offset_ms, .. } = self.clock(track);
        *newest = Some(newest.filter(|_| !place.jumps).unwrap_or(0).max(theirs_ms));
        *offset_ms = place.offset_ms;
        *ours_ms = place.ms.max(if place.jumps { 0 } else { *ours_ms });
        self.before_ms = self.newest_ms.unwrap_or(0);
        self.newest_ms = self.newest_ms.max(Some(place.ms));
        match track {
            Track::Audio => self.heard_ms = self.newest_ms,
            Track::Video if self.audio.theirs_ms.is_some() && !place.jumps => {
                let lead_ms = self.audio.ours_ms.saturating_sub(place.ms).min(MAX_SKEW_MS);
                self.lead_ms = self.lead_ms.max(lead_ms);
            }
            Track::Video => {}
        }
    }

    /// Takes in how long the frames of a track last.
    pub fn set_length(&mut self, track: Track, frame_ms: u64) {
        self.clock(track).frame_ms = frame_ms;
    }

    /// How long a picture lasts.
    pub fn picture_ms(&self) -> u64 {
        self.video.length()
    }

    /// The time since the last picture, if `ms` is later.
    pub fn since_picture(&self, ms: u64) -> Option<u64> {
        self.video.theirs_ms.and_then(|_| ms.checked_sub(self.video.ours_ms))
    }

    /// Whether audio had arrived in the last second and a half before the newest
    /// frame, however far behind the video it is. A pause of both tracks is not the
    /// end of one.
    pub fn hears_audio(&self) -> bool {
        const SILENCE_MS: u64 = 1500;
        self.heard_ms.is_some_and(|heard| self.before_ms <= heard + SILENCE_MS)
    }

    /// Whether audio of `ms` is so far ahead of the video, of which the last picture
    /// is shown until `shown_ms`, that none is coming.
    pub fn is_video_gone(&self, shown_ms: u64, ms: u64) -> bool {
        self.video.end().max(shown_ms) + self.lead_ms + MAX_LEAD_MS < ms
    }

    /// When the last frame received is over, by the order of decoding.
    pub fn end(&self) -> u64 {
        self.video.end().max(self.audio.end())
    }

    /// When the last picture received is over, by the order of decoding.
    pub fn video_end(&self) -> u64 {
        self.video.end()
    }

    /// When the last frame of audio received is over.
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

    /// Where frames of these times belong, and whether their clock jumped.
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
    fn tracks_of_one_clock_are_left_as_they_are() {
        let frames = [(Video, 5000), (Audio, 4990), (Video, 5040), (Audio, 9000), (Video, 5080)];
        assert_eq!(places(&frames), [5000, 4990, 5040, 9000, 5080].map(|ms| (ms, false)));
    }

    #[test]
    fn tracks_that_begin_far_apart_are_matched_by_their_arrival() {
        let frames = [(Video, 0), (Audio, 3_600_000), (Video, 40), (Audio, 3_600_023)];
        assert_eq!(places(&frames), [0, 0, 40, 23].map(|ms| (ms, false)));
        let frames = [(Audio, 6000), (Video, 0), (Audio, 6023), (Video, 40)];
        assert_eq!(places(&frames), [6000, 6000, 6023, 6040].map(|ms| (ms, false)));
    }

    #[test]
    fn a_track_that_starts_over_joins_the_one_that_goes_on() {
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
    fn one_frame_far_off_moves_nothing_else() {
        let frames = [(Video, 0), (Audio, 0), (Audio, 1 << 48), (Audio, 23), (Video, 40)];
        assert_eq!(
            places(&frames).iter().map(|place| place.0).collect::<Vec<_>>(),
            [0, 0, 40, 23, 40]
        );
    }

    #[test]
    fn a_track_that_did_not_count_its_pause_is_matched_by_its_arrival() {
        let mut frames = vec![(Video, 0), (Audio, 0)];
        frames.extend((1..=500).map(|n| (Video, n * 40)));
        frames.extend([(Audio, 23), (Audio, 46)]);
        assert_eq!(places(&frames)[502..], [(20_000, true), (20_023, false)]);
    }
}
