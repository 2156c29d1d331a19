//! How much a track carries: bytes and frames over its last seconds.

use std::collections::VecDeque;

/// Over how many seconds of media the mean is taken.
const WINDOW: usize = 5;

const SECOND_MS: u64 = 1000;

/// Counts by media time, so that the figures are the stream's own, however it
/// is delivered.
#[derive(Default)]
pub(super) struct Meter {
    complete: VecDeque<Second>,
    current: Option<Second>,
}

struct Second {
    begins: u64,
    first_frame: u64,
    bytes: u64,
    frames: u64,
}

impl Meter {
    pub(super) fn add(&mut self, timestamp_ms: u64, bytes: usize) {
        let current = match &mut self.current {
            Some(current) if current.is_near(timestamp_ms) => current,
            gone => {
                self.complete.clear();
                gone.insert(Second::new(timestamp_ms, timestamp_ms))
            }
        };
        while timestamp_ms >= current.begins + SECOND_MS {
            let next = Second::new(current.begins + SECOND_MS, timestamp_ms);
            if self.complete.len() == WINDOW {
                self.complete.pop_front();
            }
            self.complete.push_back(std::mem::replace(current, next));
        }
        current.bytes += bytes as u64;
        current.frames += 1;
    }

    /// Whether anything has been counted.
    pub(super) fn is_used(&self) -> bool {
        self.current.is_some()
    }

    /// Bytes per second; 0 until a second is complete.
    pub(super) fn bandwidth(&self) -> u64 {
        let bytes: u64 = self.complete.iter().map(|second| second.bytes).sum();
        bytes / self.complete.len().max(1) as u64
    }

    /// Frames, and in how many milliseconds, once a second is complete.
    pub(super) fn frames(&self) -> Option<(u64, u64)> {
        let (first, current) = (self.complete.front()?, self.current.as_ref()?);
        let frames = self.complete.iter().map(|second| second.frames).sum();
        let span = current.first_frame.checked_sub(first.first_frame)?;
        (span > 0).then_some((frames, span))
    }
}

impl Second {
    fn new(begins: u64, first_frame: u64) -> Self {
        Second { begins, first_frame, bytes: 0, frames: 0 }
    }

    /// Whether a frame belongs to this second or one soon after it.
    fn is_near(&self, timestamp_ms: u64) -> bool {
        let reach = WINDOW as u64 * SECOND_MS;
        timestamp_ms + SECOND_MS >= self.begins && timestamp_ms < self.begins + reach
    }
}

/// Whole frames per second: what the stream says of itself, if what was measured
/// (frames in milliseconds) is about the same.
pub(super) fn frame_rate(said: Option<f64>, measured: Option<(u64, u64)>) -> u32 {
    const PLAUSIBLE: f64 = 240.0;
    let Some((frames, span)) = measured else {
        return said.filter(|rate| *rate <= PLAUSIBLE).unwrap_or(0.0) as u32;
    };
    // Timestamps are rounded: the span may be a millisecond shorter.
    let rate = frames as f64 * 1000.0 / (span.max(2) - 1) as f64;
    said.filter(|said| (said - rate).abs() <= rate / 10.0).unwrap_or(rate) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_taken_over_the_last_seconds() {
        let mut meter = Meter::default();
        for ms in (0..10_000).step_by(100) {
            meter.add(ms, if ms < 5000 { 900 } else { 100 });
        }
        assert_eq!(meter.bandwidth(), (9000 + 4 * 1000) / 5);
        assert_eq!(meter.frames(), Some((50, 5000)));
    }

    #[test]
    fn nothing_is_said_before_the_first_second_is_complete() {
        let mut meter = Meter::default();
        assert!(!meter.is_used());
        (0..1000).step_by(40).for_each(|ms| meter.add(ms, 500));
        assert!(meter.is_used());
        assert_eq!((meter.bandwidth(), meter.frames()), (0, None));
        meter.add(1000, 500);
        assert_eq!((meter.bandwidth(), meter.frames()), (12_500, Some((25, 1000))));
    }

    #[test]
    fn a_jump_of_the_clock_starts_the_count_anew() {
        let mut meter = Meter::default();
        (0..3000).step_by(40).for_each(|ms| meter.add(ms, 500));
        meter.add(1 << 40, 1);
        assert_eq!(meter.bandwidth(), 0);
        meter.add(0, 1);
        assert_eq!(meter.bandwidth(), 0);
    }

    #[test]
    fn seconds_without_a_frame_count_too() {
        let mut meter = Meter::default();
        [0, 500, 3000].iter().for_each(|ms| meter.add(*ms, 600));
        assert_eq!(meter.bandwidth(), 400);
        assert_eq!(meter.frames(), Some((2, 3000)));
    }
}
