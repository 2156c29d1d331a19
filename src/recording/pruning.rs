//! Which parts of a recording may be deleted.

use super::contents::{RecordedPlaylist, Recording};
use super::fragment::{Fragment, milliseconds, total};
use super::timeline;
use time::OffsetDateTime;

/// The parts of a recording to delete. Delete the playlists first: then no playlist
/// ever lists a deleted fragment, even if the deletion is interrupted.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Pruning {
    /// The names of playlists.
    pub playlists: Vec<String>,
    /// The fragments, oldest first.
    pub fragments: Vec<Fragment>,
    /// The number of fragments that are old enough but kept, because a remaining playlist
    /// lists them.
    pub kept: usize,
}

impl Pruning {
    /// Returns the size of the fragments, in bytes.
    pub fn bytes(&self) -> u64 {
        total(self.fragments.iter().map(Fragment::size))
    }
}

impl Recording {
    /// Returns what is older than `before`: fragments that ended by then, and, with
    /// `vod`, finished playlists that were last written before then.
    ///
    /// Fragments in a remaining playlist are kept. Playlists without an end belong to
    /// live streams and are always kept.
    pub fn pruning(&self, before: OffsetDateTime, vod: bool) -> Pruning {
        let is_deleted = |playlist: &&RecordedPlaylist| {
            vod && playlist.is_finished && playlist.last_modified.is_some_and(|time| time < before)
        };
        let (deleted, kept_lists): (Vec<_>, Vec<_>) =
            self.playlists.iter().partition(|list| is_deleted(list));
        let mut pruning = Pruning {
            playlists: deleted.into_iter().map(|playlist| playlist.name.clone()).collect(),
            ..Pruning::default()
        };
        let before = milliseconds(before);
        let ends = timeline::ends(&self.fragments);
        for (fragment, _) in self.fragments.iter().zip(ends).filter(|(_, end)| *end <= before) {
            match kept_lists.iter().any(|playlist| playlist.lists(fragment)) {
                true => pruning.kept += 1,
                false => pruning.fragments.push(*fragment),
            }
        }
        pruning
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-22 12:00 UTC);

    fn fragment(hours_ago: i64) -> Fragment {
        let start = NOW - time::Duration::hours(hours_ago);
        Fragment { start: milliseconds(start), size: 10, stored: Some(start.unix_timestamp() + 5) }
    }

    fn playlist(name: &str, hours_ago: i64, is_finished: bool, lists: &[i64]) -> RecordedPlaylist {
        let mut listed: Vec<_> = lists.iter().map(|hours| fragment(*hours).start).collect();
        listed.sort_unstable();
        let last_modified = Some(NOW - time::Duration::hours(hours_ago));
        RecordedPlaylist { name: name.into(), last_modified, is_finished, listed }
    }

    fn recording() -> Recording {
        Recording {
            fragments: (0..10).rev().map(fragment).collect(),
            playlists: vec![
                playlist("live.m3u8", 9, false, &[9]),
                playlist("old.m3u8", 8, true, &[8, 7]),
                playlist("new.m3u8", 1, true, &[7, 6]),
            ],
        }
    }

    fn hours(pruning: &Pruning) -> Vec<i64> {
        let hours = |fragment: &Fragment| (NOW - fragment.start()).whole_hours();
        pruning.fragments.iter().map(hours).collect()
    }

    #[test]
    fn old_fragments_are_deleted_unless_a_playlist_lists_them() {
        let pruning = recording().pruning(NOW - time::Duration::hours(4), false);
        assert!(pruning.playlists.is_empty());
        assert_eq!((hours(&pruning), pruning.kept, pruning.bytes()), (vec![5], 4, 10));
    }

    #[test]
    fn old_playlists_are_deleted_with_fragments_that_only_they_list() {
        let pruning = recording().pruning(NOW - time::Duration::hours(4), true);
        assert_eq!(pruning.playlists, ["old.m3u8"]);
        assert_eq!((hours(&pruning), pruning.kept), (vec![8, 5], 3));
    }

    #[test]
    fn the_playlist_of_a_live_stream_is_always_kept() {
        let pruning = recording().pruning(NOW + time::Duration::hours(1), true);
        assert_eq!(pruning.playlists, ["old.m3u8", "new.m3u8"]);
        assert!(!hours(&pruning).contains(&9), "the live playlist lists it");
        assert_eq!(pruning.fragments.len(), 9);
    }

    #[test]
    fn a_fragment_that_ends_later_is_kept() {
        let start = recording().fragments[9].start();
        let second = time::Duration::SECOND;
        assert_eq!(recording().pruning(start + 4 * second, false).fragments.len(), 5);
        assert_eq!(recording().pruning(start + 5 * second, false).fragments.len(), 6);
    }

    #[test]
    fn a_playlist_written_exactly_then_is_kept() {
        let pruning = |hours| recording().pruning(NOW - time::Duration::hours(hours), true);
        assert!(pruning(8).playlists.is_empty());
        assert_eq!(pruning(7).playlists, ["old.m3u8"]);
    }
}
