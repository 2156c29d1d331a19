//! The recordings of a channel: files in the data directory, and playlists.

use super::tscheck::{self, Piece};
use std::fs;
use std::path::Path;

/// A parsed playlist.
#[derive(Debug)]
pub struct Playlist {
    pub names: Vec<String>,
    durations_ms: Vec<u32>,
    discontinuities: Vec<bool>,
}

impl Playlist {
    pub fn read(text: &str) -> Playlist {
        let mut playlist =
            Playlist { names: Vec::new(), durations_ms: Vec::new(), discontinuities: Vec::new() };
        let mut discontinuity = false;
        for line in text.lines() {
            if let Some(seconds) = line.strip_prefix("#EXTINF:") {
                let seconds: f64 = seconds.trim_end_matches(',').parse().unwrap();
                playlist.durations_ms.push((seconds * 1000.0).round() as u32);
            } else if line == "#EXT-X-DISCONTINUITY" {
                discontinuity = true;
            } else if !line.starts_with('#') && !line.is_empty() {
                playlist.names.push(line.to_owned());
                playlist.discontinuities.push(std::mem::take(&mut discontinuity));
            }
        }
        assert_eq!(playlist.names.len(), playlist.durations_ms.len(), "{text}");
        playlist
    }

    /// Returns the rules that its fragments in `folder` violate.
    pub fn violations(&self, folder: &Path) -> Vec<String> {
        let contents: Vec<Vec<u8>> =
            self.names.iter().map(|name| fs::read(folder.join(name)).unwrap_or_default()).collect();
        let pieces: Vec<Piece<'_>> = self
            .names
            .iter()
            .zip(&contents)
            .enumerate()
            .map(|(index, (name, bytes))| Piece {
                name,
                bytes,
                duration_ms: self.durations_ms[index],
                discontinuity: self.discontinuities[index],
            })
            .collect();
        let missing = pieces.iter().filter(|piece| piece.bytes.is_empty());
        let missing: Vec<String> =
            missing.map(|piece| format!("{}: does not exist", piece.name)).collect();
        if !missing.is_empty() {
            return missing;
        }
        // The first fragment may be a discontinuity after one that is no longer
        // in the playlist, which then cannot mark it.
        let first = pieces.first().map_or("", |piece| piece.name);
        let is_break = |violation: &String| {
            violation.starts_with(first) && violation.ends_with("discontinuity indicator is true")
        };
        let mut violations = tscheck::check(&pieces).violations;
        violations.retain(|violation| !is_break(violation));
        violations
    }
}
