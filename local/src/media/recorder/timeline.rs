//! From the session's clock to that of the transport stream.

use crate::media::ts::{DELAY, Stamps, TICKS_PER_MS};

/// Frames are not presented longer than this after they are decoded.
const MAX_COMPOSITION_MS: i32 = 10_000;

/// Nor earlier than this before it, as encoders may want that do not decode
/// ahead of time.
const MAX_EARLY_MS: i32 = 1000;

/// How much before the first picture audio may begin.
const MAX_EARLY_AUDIO_MS: u64 = 1000;

/// The least time to decode ahead, if any picture is shown before it is decoded.
const MIN_LEAD_MS: u64 = 200;

/// When a picture is shown, from when it is decoded, within reason.
pub(super) fn composition(composition_ms: i32) -> i64 {
    composition_ms.clamp(-MAX_EARLY_MS, MAX_COMPOSITION_MS).into()
}

/// Maps the session's clock to the transport stream's.
#[derive(Default)]
pub(super) struct Timeline {
    /// The session's time at which this time base begins.
    epoch_ms: Option<u64>,
    seam: u64,
    video_dts: Option<u64>,
    /// How much earlier pictures are decoded than the encoder says.
    lead_ms: u64,
    /// How much earlier they should be.
    wanted_ms: u64,
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
            self.seam = if seam { Self::SEAM } else { 0 };
        }
    }

    fn ticks(&self, timestamp_ms: u64) -> u64 {
        let epoch = self.epoch_ms.unwrap_or(timestamp_ms);
        let start = Self::START + self.lead_ms * TICKS_PER_MS;
        (timestamp_ms * TICKS_PER_MS + start).saturating_sub(epoch * TICKS_PER_MS)
    }

    /// Decoding times rise strictly, whatever the encoder sends, and nothing is
    /// presented before it is decoded: it is decoded earlier instead.
    pub(super) fn stamp_video(&mut self, timestamp_ms: u64, composition_ms: i32) -> Stamps {
        let composition = composition(composition_ms);
        self.expect_early(composition.min(0).unsigned_abs());
        let ticks = self.ticks(timestamp_ms);
        let due = ticks.saturating_sub(self.lead_ms * TICKS_PER_MS);
        let dts = self.video_dts.map_or(due.saturating_sub(self.seam), |last| due.max(last + 1));
        self.video_dts = Some(dts);
        let pts = ticks.saturating_add_signed(composition * TICKS_PER_MS as i64);
        Stamps { pts: dts.max(pts), dts }
    }

    /// When a frame of audio is presented; `None` if that is before the time
    /// base begins.
    pub(super) fn stamp_audio(&self, timestamp_ms: u64) -> Option<u64> {
        let begin_ms = self.epoch_ms.map_or(0, |epoch| epoch.saturating_sub(MAX_EARLY_AUDIO_MS));
        (timestamp_ms >= begin_ms).then(|| self.ticks(timestamp_ms))
    }
}
