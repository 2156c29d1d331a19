//! The fragment that is being written, and what determines its length.

use super::timeline::composition;
use crate::media::ts::Tracks;

/// A key frame may end a fragment this much too early: encoders round their clocks.
pub(super) const ROUNDING_MS: u64 = 20;

/// A longer interval is a gap rather than the duration of a picture.
pub(super) const LONGEST_PICTURE_MS: u64 = 1000;

/// A fragment that is being written.
pub(super) struct OpenFragment {
    pub(super) name: String,
    pub(super) start_ms: u64,
    /// The encoder's time of its first frame.
    pub(super) timestamp_ms: u64,
    pub(super) discontinuity: bool,
    pub(super) tracks: Tracks,
    /// Whether it starts with a key frame or needs none.
    pub(super) is_independent: bool,
    /// The time from decoding to presentation of the first picture.
    pub(super) lead_ms: Option<i64>,
    /// The presentation time of the last picture.
    pub(super) shown_ms: u64,
    /// The end of its last frame so far.
    pub(super) end_ms: u64,
}

impl OpenFragment {
    pub(super) fn elapsed(&self, timestamp_ms: u64) -> u64 {
        timestamp_ms.saturating_sub(self.timestamp_ms)
    }

    /// Adds a picture.
    pub(super) fn show(&mut self, timestamp_ms: u64, composition_ms: i32, length_ms: u64) {
        let composition_ms = composition(composition_ms);
        self.lead_ms.get_or_insert(composition_ms);
        self.shown_ms = self.shown_ms.max(timestamp_ms.saturating_add_signed(composition_ms));
        self.last(timestamp_ms + length_ms);
    }

    /// Extends the fragment to the end of a frame.
    pub(super) fn last(&mut self, end_ms: u64) {
        self.end_ms = self.end_ms.max(end_ms);
    }
}

/// Measures the key frame interval.
#[derive(Default)]
pub(super) struct KeyFrames {
    newest_ms: Option<u64>,
    longest_ms: u64,
}

impl KeyFrames {
    /// Adds a key frame.
    pub(super) fn see(&mut self, timestamp_ms: u64) {
        let last = self.newest_ms.replace(timestamp_ms).unwrap_or(timestamp_ms);
        self.longest_ms = self.longest_ms.max(timestamp_ms.saturating_sub(last));
    }

    /// Returns the longest interval so far; 0 if there was none.
    pub(super) fn longest_ms(&self) -> u64 {
        self.longest_ms
    }

    /// Returns the length of a fragment that ends at a key frame after `least_ms`.
    pub(super) fn fragment_ms(&self, least_ms: u64) -> u64 {
        let interval_ms = self.longest_ms.max(1);
        least_ms.saturating_sub(ROUNDING_MS).div_ceil(interval_ms).saturating_mul(interval_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_key_frame_interval_determines_the_fragment_length() {
        let mut keys = KeyFrames::default();
        [0, 1000, 3000, 4000].iter().for_each(|ms| keys.see(*ms));
        assert_eq!(
            [1000, 2000, 2010, 2021, 5000].map(|least| keys.fragment_ms(least)),
            [2000, 2000, 2000, 4000, 6000]
        );
        assert_eq!(KeyFrames::default().fragment_ms(5000), 4980, "no interval is known");
    }
}
