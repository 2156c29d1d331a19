//! Fragments: the objects that a recording consists of.

use crate::operation::ObjectSummary;
use time::OffsetDateTime;

/// The number of digits in the name of a fragment.
const DIGITS: usize = 13;

/// A fragment of a recording: an object whose name is the time at which it starts.
///
/// Source: the service's page "PostVodPlaylist", which selects fragments by their
/// names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment {
    /// Unix milliseconds.
    pub(super) start: i64,
    pub(super) size: u64,
    /// When it was written, in Unix seconds, if known.
    pub(super) stored: Option<i64>,
}

impl Fragment {
    /// Returns an object of a channel as a fragment, if it is one.
    pub fn of(object: &ObjectSummary, channel: &str) -> Option<Self> {
        let name = object.key.strip_prefix(channel)?.strip_prefix('/')?;
        let start = start_of_name(name)?;
        let stored = object.last_modified.map(OffsetDateTime::unix_timestamp);
        Some(Fragment { start, size: object.size, stored })
    }

    /// Returns its start time.
    pub fn start(&self) -> OffsetDateTime {
        time_of(self.start)
    }

    /// Returns its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the key of its object.
    pub fn key(&self, channel: &str) -> String {
        key(channel, self.start)
    }
}

/// Adds up sizes, which the peer chose: their sum may be too large for a number.
pub(super) fn total(sizes: impl IntoIterator<Item = u64>) -> u64 {
    sizes.into_iter().fold(0, u64::saturating_add)
}

/// Returns the key of the fragment that starts at this time, whether or not it
/// exists. Keys sort in the order of their times.
pub(super) fn key(channel: &str, milliseconds: i64) -> String {
    format!("{channel}/{:0DIGITS$}.ts", milliseconds.max(0))
}

/// Parses a URI that ends in the name of a fragment.
pub(super) fn start_of(uri: &str) -> Option<i64> {
    let path = uri.split(['?', '#']).next()?;
    start_of_name(path.rsplit('/').next()?)
}

/// Parses the name of a fragment.
fn start_of_name(name: &str) -> Option<i64> {
    let name = name.strip_suffix(".ts")?;
    let is_number = name.len() == DIGITS && name.bytes().all(|byte| byte.is_ascii_digit());
    name.parse().ok().filter(|_| is_number)
}

/// Converts Unix milliseconds to a time. Thirteen digits cannot exceed the supported
/// years.
pub(super) fn time_of(milliseconds: i64) -> OffsetDateTime {
    let nanoseconds = i128::from(milliseconds) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Converts a time to Unix milliseconds.
pub(super) fn milliseconds(time: OffsetDateTime) -> i64 {
    i64::try_from(time.unix_timestamp_nanos().div_euclid(1_000_000)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_fragment_is_named_after_its_start() {
        let object = ObjectSummary::of("main stage/1543895706266.ts", 188);
        let fragment = Fragment::of(&object, "main stage").unwrap();
        assert_eq!(fragment.start(), datetime!(2018-12-04 03:55:06.266 UTC));
        assert_eq!((fragment.size(), fragment.key("main stage")), (188, object.key.clone()));
        assert_eq!(Fragment::of(&object, "main"), None);
    }

    #[test]
    fn other_names_are_not_fragments() {
        for key in [
            "c/playlist.m3u8",
            "c/154389570626.ts",
            "c/15438957062660.ts",
            "c/+543895706266.ts",
            "c/1543895706266.TS",
            "c1543895706266.ts",
            // Only the end of these names looks like a fragment.
            "c/backup/1543895706266.ts",
            "c//1543895706266.ts",
            "c/1543895706266.ts?x",
            "c/1543895706266.ts#x",
        ] {
            assert_eq!(Fragment::of(&ObjectSummary::of(key, 1), "c"), None, "{key}");
        }
    }

    #[test]
    fn keys_sort_in_the_order_of_their_times() {
        assert!(key("c", -5) < key("c", 999_999) && key("c", 999_999) < key("c", 1_000_000));
    }

    #[test]
    fn the_uri_of_a_fragment_may_be_a_url() {
        for uri in [
            "1543895706266.ts",
            "https://h/c/1543895706266.ts?Signature=a/b.ts",
            "/c/1543895706266.ts#t",
        ] {
            assert_eq!(start_of(uri), Some(1_543_895_706_266), "{uri}");
        }
    }

    #[test]
    fn times_survive_conversion_to_milliseconds_and_back() {
        for time in [datetime!(2026-11-22 08:16:38.123 UTC), datetime!(1969-12-31 23:59:59.5 UTC)] {
            assert_eq!(time_of(milliseconds(time)), time);
        }
    }
}
