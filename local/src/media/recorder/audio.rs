//! Audio frames on their way into PES packets.

use crate::media::aac::{ADTS_HEADER, AacConfig, FRAME_SAMPLES};
use crate::media::ts::TICKS_PER_MS;

const TICKS_PER_SECOND: u64 = 1000 * TICKS_PER_MS;

/// How far a timestamp may lie from where the samples before it end and still
/// be taken for rounding or jitter.
const TOLERANCE: u64 = 20 * TICKS_PER_MS;

/// Keeps a PES packet far below the 64 KiB that its length field can say.
const MAX_GROUP: usize = 32 * 1024;

/// Gathers about a tenth of a second of ADTS frames for one PES packet: a
/// packet a frame would cost a quarter of the audio's size again.
///
/// A PES packet has the time of its first frame only, the others follow from
/// the sample rate; so a frame is grouped only if that gives the right time.
#[derive(Default)]
pub(super) struct AudioQueue {
    bytes: Vec<u8>,
    frames: u64,
    pts: u64,
    clock: Option<SampleClock>,
    newest_pts: Option<u64>,
}

/// Time counted in samples, which milliseconds are too coarse for.
struct SampleClock {
    base: u64,
    frames: u64,
    rate: u64,
}

impl SampleClock {
    fn now(&self) -> u64 {
        self.base + self.frames * u64::from(FRAME_SAMPLES) * TICKS_PER_SECOND / self.rate
    }

    fn follows(&self, config: &AacConfig, ticks: u64) -> bool {
        let frame = u64::from(FRAME_SAMPLES) * TICKS_PER_SECOND / self.rate;
        self.rate == u64::from(config.core_sample_rate)
            && self.now().abs_diff(ticks) <= TOLERANCE.min(frame - 1)
    }
}

impl AudioQueue {
    /// Whether a frame may join the ones that wait; if not, they go first.
    pub(super) fn accepts(&self, config: &AacConfig, ticks: u64, length: usize) -> bool {
        self.bytes.is_empty()
            || self.bytes.len() + ADTS_HEADER + length <= MAX_GROUP
                && self.clock.as_ref().is_some_and(|clock| clock.follows(config, ticks))
    }

    /// Adds a frame that arrived with the time `ticks`.
    pub(super) fn push(
        &mut self,
        config: &AacConfig,
        ticks: u64,
        header: [u8; ADTS_HEADER],
        data: &[u8],
    ) {
        let clock = match &mut self.clock {
            Some(clock) if clock.follows(config, ticks) => clock,
            other => {
                let base = self.newest_pts.map_or(ticks, |newest| ticks.max(newest + 1));
                let rate = u64::from(config.core_sample_rate);
                other.insert(SampleClock { base, frames: 0, rate })
            }
        };
        let pts = clock.now();
        clock.frames += 1;
        if self.bytes.is_empty() {
            self.pts = pts;
        }
        self.newest_pts = Some(pts);
        self.frames += 1;
        self.bytes.extend_from_slice(&header);
        self.bytes.extend_from_slice(data);
    }

    /// When the newest frame ends; 0 if there is none.
    pub(super) fn end(&self) -> u64 {
        self.clock.as_ref().map_or(0, SampleClock::now)
    }

    /// Whether another frame would make the group longer than a tenth of a second.
    pub(super) fn is_full(&self) -> bool {
        let rate = self.clock.as_ref().map_or(0, |clock| clock.rate);
        (self.frames + 1) * u64::from(FRAME_SAMPLES) * 10 > rate
    }

    /// Whether frames have waited for others for long when it is `ticks`.
    pub(super) fn is_stale(&self, ticks: u64) -> bool {
        const PATIENCE: u64 = 300 * TICKS_PER_MS;
        !self.bytes.is_empty() && ticks > self.pts + PATIENCE
    }

    /// The frames that wait and the time of the first, if there are any.
    pub(super) fn group(&self) -> Option<(u64, &[u8])> {
        (!self.bytes.is_empty()).then_some((self.pts, &self.bytes))
    }

    /// Forgets the frames that wait, once written.
    pub(super) fn clear_group(&mut self) {
        self.bytes.clear();
        self.frames = 0;
    }

    /// Begins a new time base.
    pub(super) fn reset(&mut self) {
        self.clear_group();
        self.clock = None;
        self.newest_pts = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> AacConfig {
        AacConfig::parse(&[0x12, 0x10]).unwrap() // 44.1 kHz
    }

    /// Feeds frames of ten bytes at these milliseconds; the times and sizes of the groups.
    fn groups(milliseconds: impl IntoIterator<Item = u64>) -> Vec<(u64, usize)> {
        let (config, mut queue, mut groups) = (config(), AudioQueue::default(), Vec::new());
        let mut take = |queue: &mut AudioQueue| {
            groups.extend(queue.group().map(|(pts, bytes)| (pts, bytes.len() / 17)));
            queue.clear_group();
        };
        for ms in milliseconds {
            if !queue.accepts(&config, ms * TICKS_PER_MS, 10) {
                take(&mut queue);
            }
            queue.push(&config, ms * TICKS_PER_MS, [0; ADTS_HEADER], &[0; 10]);
            if queue.is_full() {
                take(&mut queue);
            }
        }
        take(&mut queue);
        groups
    }

    #[test]
    fn a_group_is_about_a_tenth_of_a_second() {
        let frames = (0..9).map(|n| n * 1024 * 1000 / 44100);
        assert_eq!(groups(frames), [(0, 4), (8359, 4), (16718, 1)]);
    }

    #[test]
    fn rounding_to_milliseconds_never_adds_up() {
        let frames = (0..40_000).map(|n| n * 1024 * 1000 / 44100);
        let groups = groups(frames);
        assert_eq!(groups.len(), 10_000);
        assert!(groups.iter().zip(0..).all(|(group, n)| group.0 == n * 4 * 1024 * 90_000 / 44100));
    }

    #[test]
    fn a_gap_ends_the_group_and_sets_the_time_anew() {
        assert_eq!(groups([0, 23, 500, 523]), [(0, 2), (45_000, 2)]);
    }

    #[test]
    fn jitter_is_smoothed() {
        assert_eq!(groups([0, 40, 41, 75]), [(0, 4)]);
    }

    #[test]
    fn a_step_back_never_brings_the_time_down() {
        let groups = groups([100, 123, 10, 5, 5, 300]);
        assert!(groups.windows(2).all(|pair| pair[0].0 < pair[1].0), "{groups:?}");
        assert_eq!(groups.iter().map(|group| group.1).sum::<usize>(), 6);
    }

    #[test]
    fn the_size_of_a_group_is_bounded() {
        let (config, mut queue) = (config(), AudioQueue::default());
        let mut ticks = 0;
        while queue.accepts(&config, ticks, 8000) {
            queue.push(&config, ticks, [0; ADTS_HEADER], &[0; 8000]);
            ticks += 1024 * 90_000 / 44100;
        }
        assert!(queue.bytes.len() <= MAX_GROUP);
    }
}
