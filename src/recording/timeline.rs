//! The times at which something was recorded, and the gaps, inferred from the fragments.
//!
//! A fragment's name is its start, and the time it was written is its end. A copy of a
//! recording was written at some other time: then a fragment is assumed to be as long
//! as the one before it.

use super::fragment::{Fragment, time_of, total};
use crate::monitor::Gap;
use time::OffsetDateTime;

/// The longest possible fragment, in milliseconds: the service's limit of 100 seconds,
/// plus some time until the next key frame.
pub(super) const LONGEST: i64 = 120_000;
/// The assumed length of the first fragment of a copy, in milliseconds.
const DEFAULT_LENGTH: i64 = 5_000;
/// Shorter pauses do not count: the time of writing is in whole seconds.
const SHORTEST_GAP: i64 = 3_000;

/// A time during which a channel recorded without a gap.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct RecordedSpan {
    /// Start of the first fragment.
    #[cfg_attr(feature = "serde", serde(with = "time::serde::rfc3339"))]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Time"))]
    pub start_time: OffsetDateTime,
    /// End of the last fragment, to about a second.
    #[cfg_attr(feature = "serde", serde(with = "time::serde::rfc3339"))]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Time"))]
    pub end_time: OffsetDateTime,
    /// The number of fragments.
    pub fragments: usize,
    /// Their total size.
    pub bytes: u64,
}

/// Returns the spans that fragments cover, which must be sorted by time.
pub(super) fn spans(fragments: &[Fragment]) -> Vec<RecordedSpan> {
    let mut spans: Vec<RecordedSpan> = Vec::new();
    for (fragment, end) in fragments.iter().zip(ends(fragments)) {
        let extends_it = |span: &&mut RecordedSpan| {
            (fragment.start() - span.end_time).whole_milliseconds() < i128::from(SHORTEST_GAP)
        };
        match spans.last_mut().filter(extends_it) {
            Some(span) => {
                span.end_time = time_of(end);
                span.fragments += 1;
                span.bytes = total([span.bytes, fragment.size]);
            }
            None => spans.push(RecordedSpan {
                start_time: fragment.start(),
                end_time: time_of(end),
                fragments: 1,
                bytes: fragment.size,
            }),
        }
    }
    spans
}

/// Returns the gaps between spans.
pub(super) fn gaps(spans: &[RecordedSpan]) -> Vec<Gap> {
    spans.windows(2).map(|pair| Gap::between(pair[0].end_time, pair[1].start_time)).collect()
}

/// Returns when each fragment ends, in Unix milliseconds: never after the next one
/// starts.
pub(super) fn ends(fragments: &[Fragment]) -> impl Iterator<Item = i64> {
    let mut length = DEFAULT_LENGTH;
    fragments.iter().enumerate().map(move |(at, fragment)| {
        let next = fragments.get(at + 1).map(|next| next.start);
        let written = fragment.stored.map(|stored| stored.saturating_mul(1000));
        let end = match written.filter(|end| (0..LONGEST).contains(&(end - fragment.start))) {
            Some(end) => end,
            // Key frames are not always evenly spaced.
            None if next.is_some_and(|next| next - fragment.start < 2 * length + SHORTEST_GAP) => {
                next.unwrap_or(fragment.start)
            }
            None => fragment.start + length,
        };
        let end = next.map_or(end, |next| end.min(next)).max(fragment.start);
        length = (end - fragment.start).max(1000);
        end
    })
}

#[cfg(test)]
mod tests {
    use super::super::contents::Recording;
    use super::super::plan::Plan;
    use super::super::range::Resolved;
    use super::*;

    const START: i64 = 1_800_000_000_000;

    /// A fragment that starts this long after the first one, and was written at `stored`.
    fn fragment(after: i64, stored: Option<i64>) -> Fragment {
        let stored = stored.map(|stored| (START + stored).div_euclid(1000));
        Fragment { start: START + after, size: 10, stored }
    }

    fn found(fragments: &[Fragment]) -> Vec<(i64, i64, usize)> {
        let since = |time: OffsetDateTime| super::super::fragment::milliseconds(time) - START;
        let times =
            |span: RecordedSpan| (since(span.start_time), since(span.end_time), span.fragments);
        spans(fragments).into_iter().map(times).collect()
    }

    #[test]
    fn consecutive_fragments_are_one_span() {
        let live = [(0, 5_100), (5_040, 10_300), (10_080, 14_900), (15_010, 20_000)];
        let fragments = live.map(|(start, stored)| fragment(start, Some(stored)));
        assert_eq!(found(&fragments), [(0, 20_000, 4)]);
        assert!(gaps(&spans(&fragments)).is_empty());
        assert_eq!(spans(&fragments)[0].bytes, 40);
    }

    #[test]
    fn a_pause_of_three_seconds_is_a_gap() {
        let fragments =
            [(0, 5_000), (8_000, 13_000), (15_900, 20_000)].map(|(a, b)| fragment(a, Some(b)));
        assert_eq!(found(&fragments), [(0, 5_000, 1), (8_000, 20_000, 2)]);
        let gaps = gaps(&spans(&fragments));
        assert_eq!(gaps.len(), 1);
        assert_eq!(gaps[0].start_time, time_of(START + 5_000));
        assert_eq!(gaps[0].duration_minutes, 0.05);
    }

    #[test]
    fn a_copy_written_later_is_judged_by_start_times() {
        let later = Some(86_400_000);
        let at = [0, 5_000, 10_000, 19_000, 24_000, 60_000, 65_000];
        for stored in [later, None, Some(-1_000_000)] {
            let fragments = at.map(|start| fragment(start, stored));
            assert_eq!(found(&fragments), [(0, 29_000, 5), (60_000, 70_000 - 5_000 + 5_000, 2)]);
        }
    }

    #[test]
    fn impossibly_large_sizes_add_up_without_overflow() {
        let size = u64::MAX;
        let fragments = [0, 5_000].map(|at| Fragment { size, ..fragment(at, None) });
        let recording = Recording { fragments: fragments.to_vec(), ..Recording::default() };
        assert_eq!((recording.bytes(), recording.spans()[0].bytes), (size, size));
        assert_eq!(recording.pruning(time_of(START + 1_000_000), true).bytes(), size);
        let mut plan = Plan::new(Resolved { start: 0, end: 1, is_open: true, is_session: true });
        plan.add(recording.fragments);
        assert_eq!((plan.placed[1].offset, plan.bytes()), (size, size));
    }

    #[test]
    fn without_fragments_there_are_no_spans() {
        assert_eq!(found(&[]), []);
        assert_eq!(found(&[fragment(0, Some(0))]), [(0, 0, 1)]);
    }
}
