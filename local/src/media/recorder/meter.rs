//! Measures the current rates of a track: bytes and frames over the last seconds.

use std::collections::VecDeque;

/// The averaging window in milliseconds.
const WINDOW_MS: u64 = 5000;

/// The length of a slot in milliseconds.
const SLOT_MS: u64 = 250;

/// The minimum time for a meaningful average.
const LEAST_MS: u64 = 1000;

/// Counts media by its arrival time, which reveals an encoder that is slow or has
/// stopped.
#[derive(Default)]
pub(super) struct Meter {
    slots: VecDeque<Slot>,
    first_ms: Option<u64>,
}

struct Slot {
    number: u64,
    /// The encoder's time of its first frame.
    timestamp_ms: u64,
    bytes: u64,
    frames: u64,
}

/// The rates of a track, per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rates {
    pub(super) bytes: f64,
    pub(super) frames: f64,
    /// Frames by the encoder's clock, which is more precise if both agree.
    pub(super) nominal: f64,
}

impl Meter {
    /// Counts bytes, which may belong to a frame that was already counted.
    pub(super) fn add(&mut self, uptime_ms: u64, timestamp_ms: u64, bytes: usize, is_frame: bool) {
        self.first_ms.get_or_insert(uptime_ms);
        let number = uptime_ms / SLOT_MS;
        if self.slots.back().is_none_or(|slot| slot.number != number) {
            let oldest = Self::oldest(uptime_ms);
            self.slots.retain(|slot| (oldest..number).contains(&slot.number));
            self.slots.push_back(Slot { number, timestamp_ms, bytes: 0, frames: 0 });
        }
        if let Some(slot) = self.slots.back_mut() {
            slot.bytes += bytes as u64;
            slot.frames += u64::from(is_frame);
        }
    }

    /// Returns when the first frame arrived.
    pub(super) fn first_ms(&self) -> Option<u64> {
        self.first_ms
    }

    /// Returns whether anything has been counted.
    pub(super) fn is_used(&self) -> bool {
        self.first_ms.is_some()
    }

    /// Returns the rates at `uptime_ms`; `None` before a second has passed.
    pub(super) fn rates(&self, uptime_ms: u64) -> Option<Rates> {
        let oldest = Self::oldest(uptime_ms);
        let begin_ms = self.first_ms?.max(oldest * SLOT_MS);
        let span_ms = uptime_ms.checked_sub(begin_ms).filter(|span| *span >= LEAST_MS)?;
        let slots = || self.slots.iter().filter(|slot| slot.number >= oldest);
        let per_second = |count: u64| count as f64 * 1000.0 / span_ms as f64;
        Some(Rates {
            bytes: per_second(slots().map(|slot| slot.bytes).sum()),
            frames: per_second(slots().map(|slot| slot.frames).sum()),
            nominal: nominal(slots()),
        })
    }

    /// Returns the number of the oldest slot in the window that ends at `uptime_ms`.
    fn oldest(uptime_ms: u64) -> u64 {
        (uptime_ms / SLOT_MS).saturating_sub(WINDOW_MS / SLOT_MS - 1)
    }
}

/// Returns frames per second by the encoder's clock, from the first frame of the
/// first slot to that of the last; 0 if it cannot be determined.
fn nominal<'a>(mut slots: impl DoubleEndedIterator<Item = &'a Slot>) -> f64 {
    let Some(last) = slots.next_back() else { return 0.0 };
    let (mut first, mut frames) = (None, 0);
    for slot in slots {
        first.get_or_insert(slot.timestamp_ms);
        frames += slot.frames;
    }
    let span = first.and_then(|first| last.timestamp_ms.checked_sub(first));
    match span {
        // Timestamps are rounded: the span may be a millisecond shorter.
        Some(span @ 2..) => frames as f64 * 1000.0 / (span - 1) as f64,
        _ => 0.0,
    }
}

/// Returns whole frames per second, as specified in the stream, or else by its
/// timestamps, provided that frames arrive at about that rate.
pub(super) fn frame_rate(specified: Option<f64>, rates: Option<Rates>) -> u32 {
    const PLAUSIBLE: f64 = 240.0;
    let Some(rates) = rates else {
        return specified.filter(|rate| *rate <= PLAUSIBLE).unwrap_or(0.0) as u32;
    };
    let is_near = |rate: &f64| (rate - rates.frames).abs() <= rates.frames / 8.0;
    let exact = specified.filter(is_near).or(Some(rates.nominal).filter(is_near));
    exact.unwrap_or(rates.frames.round()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns rounded rates, for comparison.
    fn rates(meter: &Meter, uptime_ms: u64) -> Option<(u64, u64)> {
        let whole = |rates: Rates| (rates.bytes.round() as u64, rates.frames.round() as u64);
        meter.rates(uptime_ms).map(whole)
    }

    #[test]
    fn rates_are_averaged_over_the_last_seconds() {
        let mut meter = Meter::default();
        for ms in (0..10_000).step_by(100) {
            meter.add(ms, ms, if ms < 5000 { 900 } else { 100 }, true);
        }
        assert_eq!(rates(&meter, 10_000 - 1), Some((1000, 10)));
        assert!(meter.slots.len() <= 20);
    }

    #[test]
    fn rates_are_unknown_before_a_second_has_passed() {
        let mut meter = Meter::default();
        assert!(!meter.is_used());
        (5000..6000).step_by(40).for_each(|ms| meter.add(ms, ms, 500, true));
        assert!(meter.is_used());
        assert_eq!(meter.rates(5999), None);
        assert_eq!(rates(&meter, 6000), Some((12_500, 25)));
    }

    #[test]
    fn rates_fall_while_nothing_arrives_and_reach_zero() {
        let mut meter = Meter::default();
        (0..5000).step_by(40).for_each(|ms| meter.add(ms, ms, 500, true));
        let falling: Vec<u64> =
            (5000..=10_000).step_by(1000).map(|ms| rates(&meter, ms).unwrap().0).collect();
        assert!(falling.windows(2).all(|pair| pair[0] > pair[1]), "{falling:?}");
        assert_eq!(rates(&meter, 10_000), Some((0, 0)));
        assert_eq!(rates(&meter, 1 << 40), Some((0, 0)));
    }

    #[test]
    fn an_encoder_at_half_speed_has_half_the_rate() {
        let mut meter = Meter::default();
        (0..10_000).step_by(50).for_each(|ms| meter.add(ms * 2, ms, 500, true));
        assert_eq!(rates(&meter, 20_000 - 1), Some((5001, 10)));
        assert_eq!(frame_rate(Some(20.0), meter.rates(19_999)), 10);
    }

    #[test]
    fn media_time_may_jump() {
        let mut meter = Meter::default();
        (0..5000).step_by(40).for_each(|ms| meter.add(ms, ms % 700, 500, true));
        assert_eq!(frame_rate(Some(25.0), meter.rates(4999)), 25);
        assert_eq!(frame_rate(None, meter.rates(4999)), 25);
    }

    #[test]
    fn a_specified_frame_rate_is_used_before_measuring_only_if_plausible() {
        assert_eq!(frame_rate(Some(29.97), None), 29);
        assert_eq!(frame_rate(Some(1000.0), None), 0);
        assert_eq!(frame_rate(None, None), 0);
        let rates = Rates { bytes: 0.0, frames: 30.0, nominal: 0.0 };
        assert_eq!(frame_rate(None, Some(rates)), 30);
        assert_eq!(frame_rate(Some(f64::INFINITY), Some(rates)), 30);
    }

    #[test]
    fn a_rate_by_timestamps_is_not_too_low_because_they_are_rounded() {
        let mut meter = Meter::default();
        (1..=155).map(|n| n * 1000 / 30).for_each(|ms| meter.add(ms, ms, 500, true));
        assert_eq!(frame_rate(None, meter.rates(5166)), 30);
    }

    #[test]
    fn a_specified_frame_rate_is_used_if_frames_arrive_within_an_eighth_of_it() {
        let rates = Rates { bytes: 0.0, frames: 24.0, nominal: 23.0 };
        assert_eq!(frame_rate(Some(27.0), Some(rates)), 27);
        assert_eq!(frame_rate(Some(27.5), Some(rates)), 23);
    }
}
