//! From the encoder's clock to that of the transport stream.

use super::MAX_COMPOSITION_MS;
use crate::ts::{DELAY, Stamps, TICKS_PER_MS};

/// A step back of a track's clock up to this is an encoder's jitter.
pub(super) const MAX_STEP_BACK_MS: u64 = 1000;

/// A step ahead of the session's clock beyond this is a jump.
const MAX_STEP_AHEAD_MS: u64 = 10_000;

/// How far apart the tracks may be when one of them begins.
const MAX_SKEW_MS: u64 = 5000;

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
        (timestamp_ms * TICKS_PER_MS + Self::START).saturating_sub(epoch * TICKS_PER_MS)
    }

    /// Decoding times rise strictly, whatever the encoder sends, and nothing is
    /// presented before it is decoded.
    pub(super) fn stamp_video(&mut self, timestamp_ms: u64, composition_ms: i32) -> Stamps {
        const LONGEST_FRAME_MS: u64 = 1000;
        let length = self.video.newest_ms.and_then(|newest| timestamp_ms.checked_sub(newest));
        if let Some(length @ 1..=LONGEST_FRAME_MS) = length {
            self.video.frame_ms = length;
        }
        self.note(timestamp_ms, |timeline| &mut timeline.video);
        let ticks = self.ticks(timestamp_ms);
        let dts =
            self.video_dts.map_or(ticks.saturating_sub(self.seam), |last| ticks.max(last + 1));
        self.video_dts = Some(dts);
        let composition = composition_ms.clamp(0, MAX_COMPOSITION_MS).unsigned_abs();
        Stamps { pts: dts.max(ticks + u64::from(composition) * TICKS_PER_MS), dts }
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
