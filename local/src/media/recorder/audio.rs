//! Groups audio frames into PES packets.

use crate::media::aac::{ADTS_HEADER, AacConfig, FRAME_SAMPLES};
use crate::media::ts::TICKS_PER_MS;

const TICKS_PER_SECOND: u64 = 1000 * TICKS_PER_MS;

/// How far a timestamp may be from the end of the preceding samples and still count
/// as rounding or jitter.
const TOLERANCE: u64 = 20 * TICKS_PER_MS;

/// Keeps a PES packet far below the 64 KiB limit of its length field.
const MAX_GROUP: usize = 32 * 1024;

/// Collects about a tenth of a second of ADTS frames for one PES packet: one packet
/// per frame would increase the size of the audio by a quarter.
///
/// A PES packet contains only the time of its first frame; those of the others follow
/// from the sample rate. So a frame is added only if that yields the correct time.
#[derive(Default)]
pub(super) struct AudioQueue {
    bytes: Vec<u8>,
    frames: u64,
    pts: u64,
    clock: Option<SampleClock>,
    newest_pts: Option<u64>,
}

/// Counts time in samples, since milliseconds are too coarse.
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
    /// Returns whether a frame may join the group; if not, write the group first.
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

    /// Returns the end of the newest frame; 0 if there is none.
    pub(super) fn end(&self) -> u64 {
        self.clock.as_ref().map_or(0, SampleClock::now)
    }

    /// Returns whether another frame would make the group longer than a tenth of a
    /// second.
    pub(super) fn is_full(&self) -> bool {
        let rate = self.clock.as_ref().map_or(0, |clock| clock.rate);
        (self.frames + 1) * u64::from(FRAME_SAMPLES) * 10 > rate
    }

    /// Returns whether the group has waited too long at the time `ticks`.
    pub(super) fn is_stale(&self, ticks: u64) -> bool {
        const MAX_WAIT: u64 = 300 * TICKS_PER_MS;
        !self.bytes.is_empty() && ticks > self.pts + MAX_WAIT
    }

    /// Returns the group and the time of its first frame, if there is one.
    pub(super) fn group(&self) -> Option<(u64, &[u8])> {
        (!self.bytes.is_empty()).then_some((self.pts, &self.bytes))
    }

    /// Clears the group, after it was written.
    pub(super) fn clear_group(&mut self) {
        self.bytes.clear();
        self.frames = 0;
    }

    /// Starts a new time base.
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

    /// Adds frames of ten bytes at these times; returns the times and sizes of the groups.
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
    fn rounding_errors_do_not_accumulate() {
        let frames = (0..40_000).map(|n| n * 1024 * 1000 / 44100);
        let groups = groups(frames);
        assert_eq!(groups.len(), 10_000);
        assert!(groups.iter().zip(0..).all(|(group, n)| group.0 == n * 4 * 1024 * 90_000 / 44100));
    }

    #[test]
    fn a_gap_ends_the_group_and_resets_the_time() {
        assert_eq!(groups([0, 23, 500, 523]), [(0, 2), (45_000, 2)]);
    }

    #[test]
    fn jitter_is_smoothed() {
        assert_eq!(groups([0, 40, 41, 75]), [(0, 4)]);
    }

    #[test]
    fn time_never_decreases_after_a_step_back() {
        let groups = groups([100, 123, 10, 5, 5, 300]);
        assert!(groups.windows(2).all(|pair| pair[0].0 < pair[1].0), "{groups:?}");
        assert_eq!(groups.iter().map(|group| group.1).sum::<usize>(), 6);
    }

    #[test]
    fn the_size_of_a_group_is_limited() {
        let (config, mut queue) = (config(), AudioQueue::default());
        let mut ticks = 0;
        while queue.accepts(&config, ticks, 8000) {
            queue.push(&config, ticks, [0; ADTS_HEADER], &[0; 8000]);
            ticks += 1024 * 90_000 / 44100;
        }
        assert!(queue.bytes.len() <= MAX_GROUP);
    }

    #[test]
    fn a_group_may_be_exactly_as_large_as_the_limit() {
        let (config, mut queue) = (config(), AudioQueue::default());
        queue.push(&config, 0, [0; ADTS_HEADER], &[0; 8000]);
        let left = MAX_GROUP - 2 * ADTS_HEADER - 8000;
        assert!(queue.accepts(&config, queue.end(), left));
        assert!(!queue.accepts(&config, queue.end(), left + 1));
    }

    #[test]
    fn a_missing_frame_is_noticed_even_if_frames_are_shorter_than_the_tolerance() {
        let config = AacConfig::parse(&[0x10, 0x10]).unwrap(); // 96 kHz: 960 ticks a frame
        let mut queue = AudioQueue::default();
        queue.push(&config, 0, [0; ADTS_HEADER], &[0; 10]);
        assert!(queue.accepts(&config, 960 + 959, 10));
        assert!(!queue.accepts(&config, 960 + 960, 10));
    }

    #[test]
    fn a_group_is_stale_after_three_tenths_of_a_second() {
        let mut queue = AudioQueue::default();
        assert!(!queue.is_stale(1 << 40), "there is no group");
        queue.push(&config(), 90_000, [0; ADTS_HEADER], &[0; 10]);
        assert!(!queue.is_stale(90_000 + 27_000));
        assert!(queue.is_stale(90_000 + 27_001));
    }

    #[test]
    fn a_new_time_base_may_start_earlier() {
        let mut queue = AudioQueue::default();
        queue.push(&config(), 90_000, [0; ADTS_HEADER], &[0; 10]);
        assert_eq!(queue.end(), 90_000 + 1024 * 90_000 / 44100);
        queue.reset();
        assert_eq!((queue.group(), queue.end()), (None, 0));
        queue.push(&config(), 500, [0; ADTS_HEADER], &[0; 10]);
        assert_eq!(queue.group().unwrap().0, 500);
    }
}
