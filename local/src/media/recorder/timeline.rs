//! From the session's clock to that of the transport stream.

use crate::media::ts::{DELAY, Stamps, TICKS_PER_MS, delay};

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
    /// When that is on the transport stream's clock.
    start: u64,
    /// When the last frame before this time base ended; 0 if there was none.
    floor: u64,
    /// When the last frame so far ends.
    end: u64,
    video_dts: Option<u64>,
    /// How much earlier pictures are decoded than the encoder says.
    lead_ms: u64,
    /// How much earlier they should be.
    wanted_ms: u64,
    /// How much later than video of the same time audio comes.
    lag_ms: u64,
}

impl Timeline {
    /// When the very first frame is decoded. Audio may begin a little earlier.
    const START: u64 = 2 * DELAY;

    /// The time base that follows this one.
    pub(super) fn next(&self) -> Self {
        let Timeline { wanted_ms, end, lag_ms, .. } = *self;
        Timeline { lead_ms: wanted_ms, wanted_ms, end, lag_ms, ..Timeline::default() }
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

    /// Takes in how much later than video of the same time audio comes.
    pub(super) fn expect_lag(&mut self, lag_ms: u64) {
        self.lag_ms = lag_ms;
    }

    /// Whether pictures come too late in this time base.
    pub(super) fn is_late(&self) -> bool {
        self.wanted_ms > self.lead_ms
    }

    /// Begins at `timestamp_ms`, if it has not begun, behind all media that
    /// ended by `clock`.
    ///
    /// The clock goes on over every discontinuity: a player that starts anew
    /// there need not care, and one that joins streams by their times, as ffmpeg
    /// does by those of whichever track comes first, finds no overlap in any.
    pub(super) fn begin(&mut self, timestamp_ms: u64, clock: u64) {
        if self.epoch_ms.is_none() {
            self.epoch_ms = Some(timestamp_ms);
            self.floor = clock.max(self.end);
            let room = delay(self.lag_ms) - DELAY;
            self.start = self.floor.max(Self::START + room);
            self.end = self.start;
        }
    }

    /// When the last frame so far ends; 0 if there is none.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Takes in that a frame lasts until `ticks`.
    pub(super) fn reach(&mut self, ticks: u64) {
        self.end = self.end.max(ticks);
    }

    fn ticks(&self, timestamp_ms: u64) -> u64 {
        let epoch = self.epoch_ms.unwrap_or(timestamp_ms);
        let start = self.start + self.lead_ms * TICKS_PER_MS;
        (timestamp_ms * TICKS_PER_MS + start).saturating_sub(epoch * TICKS_PER_MS)
    }

    /// Decoding times rise strictly, whatever the encoder sends, and nothing is
    /// presented before it is decoded: it is decoded earlier instead.
    pub(super) fn stamp_video(&mut self, timestamp_ms: u64, composition_ms: i32) -> Stamps {
        let composition = composition(composition_ms);
        self.expect_early(composition.min(0).unsigned_abs());
        let ticks = self.ticks(timestamp_ms);
        let due = ticks.saturating_sub(self.lead_ms * TICKS_PER_MS);
        let least = self.video_dts.map_or(self.floor, |last| last + 1);
        let dts = due.max(least);
        self.video_dts = Some(dts);
        let pts = ticks.saturating_add_signed(composition * TICKS_PER_MS as i64);
        Stamps { pts: dts.max(pts), dts }
    }

    /// When a frame of audio is presented; `None` if that is before the time
    /// base begins.
    pub(super) fn stamp_audio(&self, timestamp_ms: u64) -> Option<u64> {
        let begin_ms = self.epoch_ms.map_or(0, |epoch| epoch.saturating_sub(MAX_EARLY_AUDIO_MS));
        let ticks = (timestamp_ms >= begin_ms).then(|| self.ticks(timestamp_ms));
        ticks.filter(|ticks| *ticks >= self.floor)
    }
}
