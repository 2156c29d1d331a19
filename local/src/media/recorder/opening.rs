//! The start of a session, while its tracks and its picture order are not yet
//! known.

use super::clocks::MAX_STEP_BACK_MS;
use super::frame::{Frame, FrameKind, Now};

/// How much media is held back, in milliseconds of media time.
const MAX_WAIT_MS: u64 = 2000;

/// The maximum memory for it.
const MAX_HELD: usize = 4 * 1024 * 1024;

/// Reordering shows within this many pictures, if there is any.
const PICTURES: usize = 16;

/// The overhead of a held frame in addition to its bytes: it uses less memory, but all
/// of them are written at once, and each may start a packet.
const OVERHEAD: usize = 4096;

/// Frames held back until each expected track has its configuration and the picture
/// order is known.
#[derive(Default)]
pub(super) struct Opening {
    claims_video: Option<bool>,
    claims_audio: Option<bool>,
    first_ms: Option<u64>,
    /// The newest time of video and of audio.
    newest_ms: [u64; 2],
    pictures: usize,
    /// Whether there is a video frame, and an audio frame.
    pub(super) has_video: bool,
    pub(super) has_audio: bool,
    /// How much earlier than its decoding time a picture is presented, at most; a
    /// transport stream cannot represent that.
    early_ms: i32,
    /// How far audio is behind the preceding video, at most.
    lag_ms: u64,
    held: Vec<Held>,
    /// The memory that they use, and the number of their bytes.
    size: usize,
    pending: usize,
}

/// A frame that owns its bytes.
pub(super) struct Held {
    now: Now,
    timestamp_ms: u64,
    kind: FrameKind,
    data: Vec<u8>,
}

impl Opening {
    /// Sets what the metadata says about the tracks.
    pub(super) fn expect(&mut self, video: Option<bool>, audio: Option<bool>) {
        self.claims_video = video.or(self.claims_video);
        self.claims_audio = audio.or(self.claims_audio);
    }

    /// Returns whether the wait is over when `frame` arrives. `reorders` is `None`
    /// until the video configuration is known, then whether pictures may be
    /// reordered.
    pub(super) fn is_over(
        &self,
        frame: &Frame<'_>,
        reorders: Option<bool>,
        has_audio: bool,
    ) -> bool {
        let has_video = reorders.is_some();
        let has_audio_frame = self.has_audio || matches!(frame.kind, FrameKind::Audio);
        let known = (has_video || self.claims_video == Some(false))
            && (has_audio && has_audio_frame || self.claims_audio == Some(false))
            && (has_video || has_audio)
            && reorders.is_none_or(|reorders| self.shows_order(reorders));
        let first = self.first_ms.unwrap_or(frame.timestamp_ms);
        known
            || frame.timestamp_ms.abs_diff(first) >= MAX_WAIT_MS
            || frame.timestamp_ms + MAX_STEP_BACK_MS < self.newest_ms[frame.track()]
            || self.size + frame.data.len() + OVERHEAD > MAX_HELD
    }

    /// Returns whether there are enough pictures to determine their order.
    fn shows_order(&self, reorders: bool) -> bool {
        let enough = if reorders { PICTURES } else { 1 };
        self.early_ms > 0 || self.pictures >= enough
    }

    /// Returns how much earlier than its decoding time a picture is presented, at
    /// most, so far.
    pub(super) fn early_ms(&self) -> u64 {
        self.early_ms.unsigned_abs().into()
    }

    /// Returns how far audio is behind the preceding video, at most, so far.
    pub(super) fn lag_ms(&self) -> u64 {
        self.lag_ms
    }

    pub(super) fn hold(&mut self, frame: Frame<'_>) {
        let Frame { now, timestamp_ms, kind, data } = frame;
        if let FrameKind::Video { composition_ms, .. } = kind {
            self.pictures += 1;
            self.early_ms = self.early_ms.max(composition_ms.saturating_neg());
        }
        self.see(&frame);
        self.first_ms.get_or_insert(timestamp_ms);
        let newest_ms = &mut self.newest_ms[frame.track()];
        *newest_ms = timestamp_ms.max(*newest_ms);
        self.size += data.len() + OVERHEAD;
        self.pending += data.len();
        self.held.push(Held { now, timestamp_ms, kind, data: data.to_vec() });
    }

    /// Returns how many bytes of memory the held frames use.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Returns the number of bytes in the held frames.
    pub(super) fn pending(&self) -> usize {
        self.pending
    }

    /// Records the arrival of a frame.
    pub(super) fn see(&mut self, frame: &Frame<'_>) {
        let is_audio = matches!(frame.kind, FrameKind::Audio);
        self.has_audio |= is_audio;
        self.has_video |= !is_audio;
        if is_audio && self.has_video {
            let lag_ms = self.newest_ms[0].saturating_sub(frame.timestamp_ms);
            self.lag_ms = self.lag_ms.max(lag_ms.min(MAX_WAIT_MS));
        }
    }

    /// Returns the frames in order of their times: tracks may be apart in the stream,
    /// and audio before the first picture would be dropped.
    pub(super) fn into_held(self) -> impl Iterator<Item = Held> {
        let is_picture = |held: &Held| matches!(held.kind, FrameKind::Video { .. });
        let (pictures, audio): (Vec<_>, Vec<_>) = self.held.into_iter().partition(is_picture);
        let (mut pictures, mut audio) =
            (pictures.into_iter().peekable(), audio.into_iter().peekable());
        std::iter::from_fn(move || match (pictures.peek(), audio.peek()) {
            (Some(picture), Some(sound)) if sound.timestamp_ms < picture.timestamp_ms => {
                audio.next()
            }
            (Some(_), _) => pictures.next(),
            (None, _) => audio.next(),
        })
    }
}

impl Held {
    pub(super) fn frame(&self) -> Frame<'_> {
        let Held { now, timestamp_ms, kind, ref data } = *self;
        Frame { now, timestamp_ms, kind, data }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(timestamp_ms: u64, data: &[u8]) -> Frame<'_> {
        Frame { now: Now::default(), timestamp_ms, kind: FrameKind::Audio, data }
    }

    #[test]
    fn the_wait_ends_when_both_configurations_and_the_picture_order_are_known() {
        // In milliseconds: the time from decoding to presentation of each picture.
        for (composition_ms, reorders, count) in
            [(0, true, PICTURES), (40, true, PICTURES), (0, false, 1), (-40, true, 1)]
        {
            let mut opening = Opening::default();
            let kind = FrameKind::Video { key: false, composition_ms };
            for _ in 0..count {
                assert!(!opening.is_over(&frame(0, b""), Some(reorders), true));
                opening.hold(Frame { kind, ..frame(0, b"") });
            }
            assert!(opening.is_over(&frame(0, b""), Some(reorders), true));
            assert!(!opening.is_over(&frame(0, b""), Some(reorders), false));
            assert_eq!(opening.early_ms(), u64::from(i32::min(composition_ms, 0).unsigned_abs()));
        }
        assert!(!Opening::default().is_over(&frame(0, b""), None, true));
    }

    #[test]
    fn a_track_that_the_metadata_excludes_is_not_waited_for() {
        let mut opening = Opening::default();
        opening.expect(Some(false), Some(true));
        assert!(opening.is_over(&frame(0, b""), None, true));
        assert!(!opening.is_over(&frame(0, b""), None, false));
        opening.expect(None, Some(false));
        assert!(!opening.is_over(&frame(0, b""), None, false), "both tracks are excluded");
    }

    #[test]
    fn the_wait_ends_after_two_seconds_of_media_in_either_direction() {
        let mut opening = Opening::default();
        opening.hold(frame(10_000, b""));
        assert!(!opening.is_over(&frame(11_999, b""), Some(true), false));
        assert!(opening.is_over(&frame(12_000, b""), Some(true), false));
        assert!(opening.is_over(&frame(0, b""), Some(true), false));
    }

    #[test]
    fn memory_is_limited_even_for_empty_frames() {
        for data in [vec![0; 100_000], vec![]] {
            let mut opening = Opening::default();
            let mut count = 0;
            while !opening.is_over(&frame(0, &data), Some(true), false) {
                opening.hold(frame(0, &data));
                count += 1;
            }
            assert!(count * (data.len() + OVERHEAD) <= MAX_HELD && count > 10);
        }
    }

    fn picture(timestamp_ms: u64) -> Frame<'static> {
        let kind = FrameKind::Video { key: false, composition_ms: 0 };
        Frame { kind, ..frame(timestamp_ms, b"") }
    }

    #[test]
    fn the_wait_ends_when_a_track_steps_back_by_more_than_a_second() {
        let mut opening = Opening::default();
        [10_000, 11_500].iter().for_each(|ms| opening.hold(frame(*ms, b"")));
        assert!(!opening.is_over(&frame(10_500, b""), None, false));
        assert!(opening.is_over(&frame(10_499, b""), None, false));
        assert!(!opening.is_over(&picture(10_499), None, false), "the other track has its own");
    }

    #[test]
    fn at_most_four_mebibytes_are_held_including_the_overhead_of_each_frame() {
        let mut data = vec![0; (4 << 20) - OVERHEAD];
        assert!(!Opening::default().is_over(&frame(0, &data), None, false));
        data.push(0);
        assert!(Opening::default().is_over(&frame(0, &data), None, false));
    }

    #[test]
    fn the_lag_is_how_far_audio_is_behind_the_preceding_video() {
        let mut opening = Opening::default();
        [1000, 1500, 600].iter().for_each(|ms| opening.hold(picture(*ms)));
        assert_eq!(opening.lag_ms(), 0, "there is no audio yet");
        opening.hold(frame(200, b""));
        assert_eq!(opening.lag_ms(), 1300);
        opening.hold(frame(900, b""));
        assert_eq!(opening.lag_ms(), 1300, "the maximum");
        opening.hold(picture(5000));
        opening.hold(frame(900, b""));
        assert_eq!(opening.lag_ms(), 2000, "limited");
    }

    #[test]
    fn frames_held_back_are_recorded_in_order_of_their_times() {
        let mut opening = Opening::default();
        let frames = [picture(40), frame(20, b""), picture(80), frame(40, b""), frame(90, b"")];
        frames.into_iter().for_each(|frame| opening.hold(frame));
        let order: Vec<_> =
            opening.into_held().map(|held| (held.frame().track(), held.timestamp_ms)).collect();
        assert_eq!(order, [(1, 20), (0, 40), (1, 40), (0, 80), (1, 90)]);
    }
}
