//! Everything stored for a channel's recordings.

use super::fragment::{Fragment, start_of, total};
use super::timeline::{self, RecordedSpan};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::monitor::Gap;
use crate::operation::{GetObject, ObjectSummary, check_channel_name};
use crate::playlist::Playlist;
use std::io::{self, Write};
use time::OffsetDateTime;

/// The size limit for playlists: enough for a week of one-second fragments.
const MAX_PLAYLIST: usize = 32 * 1024 * 1024;

/// What is stored for a channel's recordings, returned by
/// [`get_recording`](Client::get_recording).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Recording {
    /// The fragments, oldest first. Each takes 32 bytes of memory.
    pub fragments: Vec<Fragment>,
    /// The playlists, including the live one.
    pub playlists: Vec<RecordedPlaylist>,
}

/// A playlist of a recording.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecordedPlaylist {
    /// The name, without the channel's prefix.
    pub name: String,
    /// When it was last written, if reported.
    pub last_modified: Option<OffsetDateTime>,
    /// Whether it has an end (`#EXT-X-ENDLIST`). A live playlist has none.
    pub is_finished: bool,
    /// The start times of the listed fragments, in Unix milliseconds, sorted and
    /// without duplicates.
    pub(super) listed: Vec<i64>,
}

impl Client {
    /// Returns what is stored for a channel's recordings: lists `CHANNEL/` and reads
    /// each playlist. The channel itself may have been deleted.
    pub fn get_recording(&self, id: &str) -> Result<Recording> {
        check_channel_name(id)?;
        let mut recording = Recording::default();
        for object in self.objects(format!("{id}/"), "") {
            let object = object?;
            match Fragment::of(&object, id) {
                Some(fragment) => recording.fragments.push(fragment),
                None if object.key.ends_with(".m3u8") => {
                    recording.playlists.extend(self.recorded_playlist(id, &object)?);
                }
                None => {}
            }
        }
        Ok(recording)
    }

    /// Reads a playlist, unless it has been deleted in the meantime.
    fn recorded_playlist(
        &self,
        id: &str,
        object: &ObjectSummary,
    ) -> Result<Option<RecordedPlaylist>> {
        let mut body = Limited(Vec::new());
        match self.get_object(&GetObject::new(&object.key), &mut body) {
            Ok(_) => {}
            Err(error) if error.status() == Some(404) => return Ok(None),
            Err(error) => return Err(error.named(&object.key)),
        }
        let name = object.key[id.len() + 1..].to_owned();
        RecordedPlaylist::read(name, object.last_modified, &body.0).map(Some)
    }
}

impl RecordedPlaylist {
    pub(super) fn read(
        name: String,
        last_modified: Option<OffsetDateTime>,
        body: &[u8],
    ) -> Result<Self> {
        let Some(playlist) = Playlist::parse(body) else {
            return Err(Error::bad_reply(format!("{name:?} is not a playlist")));
        };
        let mut listed: Vec<_> =
            playlist.fragments.iter().filter_map(|uri| start_of(uri)).collect();
        listed.sort_unstable();
        listed.dedup();
        let is_finished = playlist.is_finished;
        Ok(RecordedPlaylist { name, last_modified, is_finished, listed })
    }

    /// Returns the number of fragments that it lists.
    pub fn fragments(&self) -> usize {
        self.listed.len()
    }

    /// Returns whether it lists a fragment.
    pub fn lists(&self, fragment: &Fragment) -> bool {
        self.listed.binary_search(&fragment.start).is_ok()
    }
}

impl Recording {
    /// Returns the times during which something was recorded.
    pub fn spans(&self) -> Vec<RecordedSpan> {
        timeline::spans(&self.fragments)
    }

    /// Returns the gaps of three seconds or more between these spans.
    pub fn gaps(&self) -> Vec<Gap> {
        timeline::gaps(&self.spans())
    }

    /// Returns the size of all fragments, in bytes.
    pub fn bytes(&self) -> u64 {
        total(self.fragments.iter().map(Fragment::size))
    }

    /// Returns the number of fragments that a playlist lists but that do not exist.
    pub fn missing(&self, playlist: &RecordedPlaylist) -> usize {
        let exists = |start: &&i64| {
            self.fragments.binary_search_by_key(*start, |fragment| fragment.start).is_ok()
        };
        playlist.listed.len() - playlist.listed.iter().filter(exists).count()
    }

    /// Returns the fragments that no playlist lists.
    pub fn unlisted(&self) -> impl Iterator<Item = &Fragment> {
        let is_listed =
            |fragment: &Fragment| self.playlists.iter().any(|playlist| playlist.lists(fragment));
        self.fragments.iter().filter(move |fragment| !is_listed(fragment))
    }
}

/// A buffer of limited size for a body.
struct Limited(Vec<u8>);

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_PLAYLIST {
            return Err(io::Error::other("the playlist is larger than 32 MiB"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(start: i64) -> Fragment {
        Fragment { start, size: 10, stored: None }
    }

    fn playlist(listed: &[i64]) -> RecordedPlaylist {
        RecordedPlaylist {
            name: "p.m3u8".into(),
            last_modified: None,
            is_finished: true,
            listed: listed.to_vec(),
        }
    }

    #[test]
    fn fragments_without_a_playlist_and_entries_without_a_fragment_are_found() {
        let recording = Recording {
            fragments: [1000, 3000, 5000, 7000].map(fragment).to_vec(),
            playlists: vec![playlist(&[1000, 2000, 3000]), playlist(&[3000, 5000])],
        };
        let [first, second] = &recording.playlists[..] else { panic!("two playlists") };
        assert_eq!((first.fragments(), recording.missing(first)), (3, 1));
        assert_eq!((second.fragments(), recording.missing(second)), (2, 0));
        assert!(first.lists(&fragment(1000)) && !second.lists(&fragment(1000)));
        let unlisted: Vec<_> = recording.unlisted().map(|fragment| fragment.start).collect();
        assert_eq!(unlisted, [7000]);
        assert_eq!(recording.bytes(), 40);
    }

    #[test]
    fn a_playlist_has_a_size_limit() {
        let mut body = Limited(Vec::new());
        assert_eq!(body.write(&vec![0; MAX_PLAYLIST - 1]).unwrap(), MAX_PLAYLIST - 1);
        assert!(body.write(&[0; 2]).is_err());
        assert_eq!(body.write(&[0]).unwrap(), 1);
        assert!(body.write(&[0]).is_err());
    }
}
