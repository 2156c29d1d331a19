//! From the encoder's clock to that of the transport stream.

use crate::ts::{DELAY, Stamps, TICKS_PER_MS};

/// A step back of a track's clock up to this is an encoder's jitter.
pub(super) const MAX_STEP_BACK_MS: u64 = 1000;

/// A step ahead of the session's clock beyond this is a jump.
const MAX_STEP_AHEAD_MS: u64 = 10_000;

/// How far apart the tracks may be when one of them begins.
const MAX_SKEW_MS: u64 = 5000;

/// Frames are not presented longer than this after they are decoded.
const MAX_COMPOSITION_MS: i32 = 10_000;

/// Nor earlier than this before it, as encoders may want that do not decode
/// ahead of time.
const MAX_EARLY_MS: i32 = 1000;

/// The least time to decode ahead, if any picture is shown before it is decoded.
const MIN_LEAD_MS: u64 = 200;

/// When a picture is shown, from when it is decoded, within reason.
pub(super) fn composition(composition_ms: i32) -> i64 {
    composition_ms.clamp(-MAX_EARLY_MS, MAX_COMPOSITION_MS).into()
}

/// Maps the encoder's clock to the transport stream's.
#[derive(Default)]
pub(super) struct Timeline {
    /// The encoder's time at which this time base begins.
    epoch_ms: Option<u64>,
    newest_ms: u64,
    seam: u64,
    pub(super) video: Clock,
    audio: Clock,
    video_dts: Option<u64>,
    /// How much earlier pictures are decoded than the encoder says.
    lead_ms: u64,
    /// How much earlier they should be.
    wanted_ms: u64,
}

/// What is known of a track's times.
#[derive(Default)]
pub(super) struct Clock {
    newest_ms: Option<u64>,
    frame_ms: u64,
}

impl Clock {
    /// How long a frame lasts.
    pub(super) fn length(&self) -> u64 {
        /// A single frame does not tell.
        const FRAME_MS: u64 = 40;
        if self.frame_ms > 0 { self.frame_ms } else { FRAME_MS }
    }
}

impl Timeline {
    /// When the first frame is decoded. Audio may begin a little earlier.
    const START: u64 = 2 * DELAY;

    /// How much earlier than need be the first picture after a seam is decoded.
    ///
    /// ffmpeg splices at that picture's decoding time, right behind the last one
    /// before the seam. Audio that had outlasted the video there would overlap
    /// with the audio here.
    const SEAM: u64 = 100 * TICKS_PER_MS;

    /// The time base that follows this one.
    pub(super) fn next(&self) -> Self {
        Timeline { lead_ms: self.wanted_ms, wanted_ms: self.wanted_ms, ..Timeline::default() }
    }

    /// Takes in that a picture is shown so much earlier than it is decoded. One
    /// that cannot be is shown late, until [`Timeline::next`].
    pub(super) fn expect_early(&mut self, early_ms: u64) {
        // The next group of pictures may be ordered more deeply.
        let lead_ms = (2 * early_ms).clamp(MIN_LEAD_MS, 2 * MAX_EARLY_MS.unsigned_abs() as u64);
        if early_ms > self.lead_ms {
            self.wanted_ms = self.wanted_ms.max(lead_ms);
        }
        if self.epoch_ms.is_none() {
            self.lead_ms = self.wanted_ms;
        }
    }

    /// Whether pictures come too late in this time base.
    pub(super) fn is_late(&self) -> bool {
        self.wanted_ms > self.lead_ms
    }

    /// Begins at `timestamp_ms`, if it has not begun.
    pub(super) fn begin(&mut self, timestamp_ms: u64, seam: bool) {
        if self.epoch_ms.is_none() {
            self.epoch_ms = Some(timestamp_ms);
            self.newest_ms = timestamp_ms;
            self.seam = if seam { Self::SEAM } else { 0 };
        }
    }

    pub(super) fn video_jumps(&self, timestamp_ms: u64) -> bool {
        self.jumps(&self.video, timestamp_ms)
    }

    pub(super) fn audio_jumps(&self, timestamp_ms: u64) -> bool {
        self.jumps(&self.audio, timestamp_ms)
    }

    fn jumps(&self, clock: &Clock, timestamp_ms: u64) -> bool {
        let Some(epoch_ms) = self.epoch_ms else { return false };
        let earliest = match clock.newest_ms {
            Some(newest_ms) => newest_ms.saturating_sub(MAX_STEP_BACK_MS),
            None => self.newest_ms.saturating_sub(MAX_SKEW_MS),
        };
        let earliest = earliest.max(epoch_ms.saturating_sub(MAX_STEP_BACK_MS));
        !(earliest..=self.newest_ms + MAX_STEP_AHEAD_MS).contains(&timestamp_ms)
    }

    fn ticks(&self, timestamp_ms: u64) -> u64 {
        let epoch = self.epoch_ms.unwrap_or(timestamp_ms);
        let start = Self::START + self.lead_ms * TICKS_PER_MS;
        (timestamp_ms * TICKS_PER_MS + start).saturating_sub(epoch * TICKS_PER_MS)
    }

    /// Decoding times rise strictly, whatever the encoder sends, and nothing is
    /// presented before it is decoded: it is decoded earlier instead.
    pub(super) fn stamp_video(&mut self, timestamp_ms: u64, composition_ms: i32) -> Stamps {
        const LONGEST_FRAME_MS: u64 = 1000;
        let length = self.video.newest_ms.and_then(|newest| timestamp_ms.checked_sub(newest));
        if let Some(length @ 1..=LONGEST_FRAME_MS) = length {
            self.video.frame_ms = length;
        }
        self.note(timestamp_ms, |timeline| &mut timeline.video);
        let composition = composition(composition_ms);
        self.expect_early(composition.min(0).unsigned_abs());
        let ticks = self.ticks(timestamp_ms);
        let due = ticks.saturating_sub(self.lead_ms * TICKS_PER_MS);
        let dts = self.video_dts.map_or(due.saturating_sub(self.seam), |last| due.max(last + 1));
        self.video_dts = Some(dts);
        let pts = ticks.saturating_add_signed(composition * TICKS_PER_MS as i64);
        Stamps { pts: dts.max(pts), dts }
    }

    pub(super) fn stamp_audio(&mut self, timestamp_ms: u64, frame_ms: u64) -> u64 {
        self.audio.frame_ms = frame_ms;
        self.note(timestamp_ms, |timeline| &mut timeline.audio);
        self.ticks(timestamp_ms)
    }

    fn note(&mut self, timestamp_ms: u64, clock: impl Fn(&mut Self) -> &mut Clock) {
        self.newest_ms = self.newest_ms.max(timestamp_ms);
        let newest = &mut clock(self).newest_ms;
        *newest = (*newest).max(Some(timestamp_ms));
    }

    /// When the last frame received is over, by the order of decoding.
    pub(super) fn end(&self) -> u64 {
        let end = |clock: &Clock| clock.newest_ms.map_or(0, |newest| newest + clock.length());
        end(&self.video).max(end(&self.audio))
    }
}
