//! The beginning of a session, while it is not yet known which tracks it has
//! and how its pictures are ordered.

use super::clocks::MAX_STEP_BACK_MS;
use super::frame::{Frame, FrameKind, Now};

/// How much media is held back, in milliseconds of its own time.
const PATIENCE_MS: u64 = 2000;

/// How much memory is spent on that.
const MAX_HELD: usize = 4 * 1024 * 1024;

/// In so many pictures, one that is shown before its turn would have come.
const PICTURES: usize = 16;

/// What a held frame costs beside its bytes: less memory than this, but they are
/// all written at once, and each may begin a packet.
const OVERHEAD: usize = 4096;

/// Frames held back until each expected track has its configuration and the
/// order of the pictures shows.
#[derive(Default)]
pub(super) struct Opening {
    claims_video: Option<bool>,
    claims_audio: Option<bool>,
    first_ms: Option<u64>,
    /// The newest time of pictures, and of audio.
    newest_ms: [u64; 2],
    pictures: usize,
    /// Whether there is a picture, and a frame of audio.
    pub(super) has_video: bool,
    pub(super) has_audio: bool,
    /// How much earlier than decoded a picture is shown, at most; there is no
    /// saying so in a transport stream.
    early_ms: i32,
    /// How far audio is behind the pictures before it, at most.
    lag_ms: u64,
    held: Vec<Held>,
    /// The memory that they take, and their bytes alone.
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
    /// Takes in what the metadata says of the tracks.
    pub(super) fn expect(&mut self, video: Option<bool>, audio: Option<bool>) {
        self.claims_video = video.or(self.claims_video);
        self.claims_audio = audio.or(self.claims_audio);
    }

    /// Whether there is no more to wait for when `frame` arrives. `reorders` says
    /// of video whose configuration is known whether its order has to show.
    pub(super) fn is_over(
        &self,
        frame: &Frame<'_>,
        reorders: Option<bool>,
        has_audio: bool,
    ) -> bool {
        let has_video = reorders.is_some();
        let hears_audio = self.has_audio || matches!(frame.kind, FrameKind::Audio);
        let known = (has_video || self.claims_video == Some(false))
            && (has_audio && hears_audio || self.claims_audio == Some(false))
            && (has_video || has_audio)
            && reorders.is_none_or(|reorders| self.shows_order(reorders));
        let first = self.first_ms.unwrap_or(frame.timestamp_ms);
        known
            || frame.timestamp_ms.abs_diff(first) >= PATIENCE_MS
            || frame.timestamp_ms + MAX_STEP_BACK_MS < self.newest_ms[frame.track()]
            || self.size + frame.data.len() + OVERHEAD > MAX_HELD
    }

    /// Whether the pictures so far show how they are ordered.
    fn shows_order(&self, reorders: bool) -> bool {
        let enough = if reorders { PICTURES } else { 1 };
        self.early_ms > 0 || self.pictures >= enough
    }

    /// How much earlier than decoded a picture is shown, at most, so far.
    pub(super) fn early_ms(&self) -> u64 {
        self.early_ms.unsigned_abs().into()
    }

    /// How far audio is behind the pictures before it, at most, so far.
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

    /// How many bytes of memory the held frames take.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// How many bytes the held frames have.
    pub(super) fn pending(&self) -> usize {
        self.pending
    }

    /// Takes in that there is a frame.
    pub(super) fn see(&mut self, frame: &Frame<'_>) {
        let is_audio = matches!(frame.kind, FrameKind::Audio);
        self.has_audio |= is_audio;
        self.has_video |= !is_audio;
        if is_audio && self.has_video {
            let lag_ms = self.newest_ms[0].saturating_sub(frame.timestamp_ms);
            self.lag_ms = self.lag_ms.max(lag_ms.min(PATIENCE_MS));
        }
    }

    /// The frames in the order of their times: tracks may lie apart in the stream,
    /// and audio before the first picture would be left out.
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
    fn the_wait_ends_with_both_configurations_and_the_order_of_the_pictures() {
        // In milliseconds: how much later than decoded each picture is shown.
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
    fn a_track_that_the_metadata_denies_is_not_waited_for() {
        let mut opening = Opening::default();
        opening.expect(Some(false), Some(true));
        assert!(opening.is_over(&frame(0, b""), None, true));
        assert!(!opening.is_over(&frame(0, b""), None, false));
        opening.expect(None, Some(false));
        assert!(!opening.is_over(&frame(0, b""), None, false), "no track at all");
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
    fn the_memory_held_is_bounded_even_for_empty_frames() {
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
}
