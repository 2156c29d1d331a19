//! Converts the session's clock to that of the transport stream.

use crate::media::ts::{DELAY, Stamps, TICKS_PER_MS, delay};

/// The maximum time from decoding to presentation.
const MAX_COMPOSITION_MS: i32 = 10_000;

/// How much earlier than its decoding time a picture may be presented, for encoders
/// that do not delay presentation.
const MAX_EARLY_MS: i32 = 1000;

/// How much earlier than the first picture audio may start.
const MAX_EARLY_AUDIO_MS: u64 = 1000;

/// The minimum time to decode ahead, if any picture has an earlier presentation time.
const MIN_LEAD_MS: u64 = 200;

/// Returns the time from decoding to presentation, limited to sensible values.
pub(super) fn composition(composition_ms: i32) -> i64 {
    composition_ms.clamp(-MAX_EARLY_MS, MAX_COMPOSITION_MS).into()
}

/// Maps the session's clock to the transport stream's.
#[derive(Default)]
pub(super) struct Timeline {
    /// The session's time at the start of this time base.
    epoch_ms: Option<u64>,
    /// The same on the transport stream's clock.
    start: u64,
    /// The end of the last frame before this time base; 0 if there was none.
    floor: u64,
    /// The end of the last frame so far.
    end: u64,
    video_dts: Option<u64>,
    /// How much earlier pictures are decoded than the encoder specifies.
    lead_ms: u64,
    /// How much earlier they should be.
    wanted_ms: u64,
    /// How far audio lags video of the same time.
    lag_ms: u64,
}

impl Timeline {
    /// The decoding time of the very first frame. Audio may start a little earlier.
    const START: u64 = 2 * DELAY;

    /// Returns the time base that follows this one.
    pub(super) fn next(&self) -> Self {
        let Timeline { wanted_ms, end, lag_ms, .. } = *self;
        Timeline { lead_ms: wanted_ms, wanted_ms, end, lag_ms, ..Timeline::default() }
    }

    /// Sets how much earlier than its decoding time a picture is presented. If that
    /// is not possible, it is presented late, until [`Timeline::next`].
    pub(super) fn expect_early(&mut self, early_ms: u64) {
        // The next group of pictures may be reordered more.
        let lead_ms = (2 * early_ms).clamp(MIN_LEAD_MS, 2 * MAX_EARLY_MS.unsigned_abs() as u64);
        if early_ms > self.lead_ms {
            self.wanted_ms = self.wanted_ms.max(lead_ms);
        }
        if self.epoch_ms.is_none() {
            self.lead_ms = self.wanted_ms;
        }
    }

    /// Sets how far audio lags video of the same time.
    pub(super) fn expect_lag(&mut self, lag_ms: u64) {
        self.lag_ms = lag_ms;
    }

    /// Returns whether pictures are late in this time base.
    pub(super) fn is_late(&self) -> bool {
        self.wanted_ms > self.lead_ms
    }

    /// Starts at `timestamp_ms`, unless it has started, after all media that
    /// ended by `clock`.
    ///
    /// The clock continues across discontinuities: players that reset there are not
    /// affected, and players that join streams by their times, like ffmpeg with
    /// those of the first track, find no overlap.
    pub(super) fn begin(&mut self, timestamp_ms: u64, clock: u64) {
        if self.epoch_ms.is_none() {
            self.epoch_ms = Some(timestamp_ms);
            self.floor = clock.max(self.end);
            let room = delay(self.lag_ms) - DELAY;
            self.start = self.floor.max(Self::START + room);
            self.end = self.start;
        }
    }

    /// Returns the end of the last frame so far; 0 if there is none.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Extends the timeline to a frame that ends at `ticks`.
    pub(super) fn reach(&mut self, ticks: u64) {
        self.end = self.end.max(ticks);
    }

    fn ticks(&self, timestamp_ms: u64) -> u64 {
        let epoch = self.epoch_ms.unwrap_or(timestamp_ms);
        let start = self.start + self.lead_ms * TICKS_PER_MS;
        (timestamp_ms * TICKS_PER_MS + start).saturating_sub(epoch * TICKS_PER_MS)
    }

    /// Returns the times of a picture. Decoding times are strictly increasing, whatever
    /// the encoder sends, and nothing is presented before it is decoded: it is
    /// decoded earlier instead.
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

    /// Returns the presentation time of an audio frame; `None` if that is before the
    /// start of the time base.
    pub(super) fn stamp_audio(&self, timestamp_ms: u64) -> Option<u64> {
        let begin_ms = self.epoch_ms.map_or(0, |epoch| epoch.saturating_sub(MAX_EARLY_AUDIO_MS));
        let ticks = (timestamp_ms >= begin_ms).then(|| self.ticks(timestamp_ms));
        ticks.filter(|ticks| *ticks >= self.floor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_decoded_ahead_by_twice_what_they_are_early_within_limits() {
        for (early_ms, lead_ms) in [(0, 0), (1, 200), (150, 300), (800, 1600), (5000, 2000)] {
            let mut timeline = Timeline::default();
            timeline.expect_early(early_ms);
            timeline.begin(10_000, 0);
            let dts = 1400 * TICKS_PER_MS;
            let pts = dts + lead_ms * TICKS_PER_MS;
            assert_eq!(timeline.stamp_video(10_000, 0), Stamps { pts, dts });
        }
    }

    #[test]
    fn a_session_starts_later_if_audio_lags_the_video() {
        // In milliseconds: the lag, and when the first picture is decoded.
        for (lag_ms, start_ms) in [(0, 1400), (350, 1400), (351, 1401), (1500, 2550)] {
            let mut timeline = Timeline::default();
            timeline.expect_lag(lag_ms);
            timeline.begin(10_000, 0);
            assert_eq!(timeline.stamp_video(10_000, 0).dts, start_ms * TICKS_PER_MS);
        }
    }

    #[test]
    fn a_time_base_starts_after_all_media_that_precedes_it() {
        let mut timeline = Timeline::default();
        timeline.begin(0, 900_000);
        assert_eq!(timeline.stamp_video(0, 0).dts, 900_000);
        timeline.reach(990_000);
        let mut next = timeline.next();
        next.begin(0, 900_000);
        assert_eq!(next.stamp_video(0, 0).dts, 990_000);
        assert_eq!(next.stamp_audio(0), Some(990_000));
    }
}
