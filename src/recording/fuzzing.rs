//! Playlists, journals and plans, for fuzz targets.

use super::contents::RecordedPlaylist;
use super::fragment::Fragment;
use super::journal::{self, Placed};
use super::plan::Plan;
use super::range::Resolved;
use crate::error::Result;
use crate::playlist::{self, Playlist};
use time::OffsetDateTime;

/// The start of a fragment in a file, its offset and its size.
pub type Place = (i64, u64, u64);

/// The times of a download: start, end, whether it is open, whether it is a session.
pub type Times = (i64, i64, bool, bool);

/// Returns the URIs that a playlist lists, resolved against its URL, the longest
/// duration, and whether it has an end; `None` if it is not a playlist.
pub fn playlist(url: &str, body: &[u8]) -> Option<(Vec<String>, f64, bool)> {
    let Playlist { fragments, longest, is_finished } = Playlist::parse(body)?;
    let urls = fragments.iter().map(|uri| playlist::resolve(url, uri)).collect();
    Some((urls, longest, is_finished))
}

/// Returns a playlist of a recording, and the starts of the fragments it lists.
pub fn recorded_playlist(
    name: &str,
    last_modified: Option<OffsetDateTime>,
    body: &[u8],
) -> Result<(RecordedPlaylist, Vec<i64>)> {
    let playlist = RecordedPlaylist::read(name.to_owned(), last_modified, body)?;
    let listed = playlist.listed.clone();
    Ok((playlist, listed))
}

/// Returns where the fragments of a download go, and the size of the whole.
pub fn places(fragments: &[Fragment]) -> (Vec<Place>, u64) {
    let mut plan = Plan::new(Resolved { start: 0, end: i64::MAX, is_open: true, is_session: true });
    plan.add(fragments.to_vec());
    (plan.placed.iter().map(place).collect(), plan.bytes())
}

/// Writes the journal of a download.
pub fn written(
    description: &str,
    (start, end, is_open, is_session): Times,
    places: &[Place],
) -> String {
    let lines = places.iter().map(|(start, offset, size)| {
        journal::line(&Placed { start: *start, offset: *offset, size: *size })
    });
    let times = Resolved { start, end, is_open, is_session };
    journal::header(description, times) + &lines.collect::<String>()
}

/// Reads the journal of a download: its times, and the places of the fragments that
/// are in the file, in order.
pub fn read(text: &str, description: &str) -> Result<Option<(Times, Vec<Place>)>, String> {
    let Some((times, done)) = journal::read(text, description)? else { return Ok(None) };
    let Resolved { start, end, is_open, is_session } = times;
    let mut places: Vec<_> = done.values().map(place).collect();
    places.sort_unstable();
    Ok(Some(((start, end, is_open, is_session), places)))
}

fn place(Placed { start, offset, size }: &Placed) -> Place {
    (*start, *offset, *size)
}
