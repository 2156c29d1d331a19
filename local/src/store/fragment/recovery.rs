//! Flushes sessions to disk, and recovers them after a kill or a power cut.
//!
//! A session that has ended is completely flushed. After an interrupted one, fragments
//! and their lines may be missing or incomplete, and the playlist may be older or newer
//! than the index, unless each fragment was flushed.

use super::{Backward, Folder, Line, Timeline, Window, crc64};
use crate::store::durability::Durability;
use crate::store::file::Part;
use crate::store::own;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use time::OffsetDateTime;

/// How many of the newest fragments, and of which time span, may not have been written
/// when the power is cut: systems write within half a minute.
const UNWRITTEN: usize = 64;
const UNWRITTEN_MS: u64 = 120_000;

impl Line {
    /// Returns whether a file contains the complete fragment.
    fn describes(&self, mut file: File) -> io::Result<bool> {
        let length = file.metadata()?.len();
        if self.size.is_some_and(|size| size != length) {
            return Ok(false);
        }
        self.crc64.map_or(Ok(true), |expected| Ok(crc64(&mut file)? == expected))
    }
}

impl Timeline {
    /// Completes an interrupted session that wrote `playlist`: the file of the newest
    /// fragment and the playlist that lists it, unless that fragment began at `after_ms`,
    /// before the session. Returns the fragment.
    ///
    /// Removes fragments that a power cut left incomplete.
    pub(in crate::store) fn recover(
        &self,
        after_ms: u64,
        playlist: Option<&str>,
        now: OffsetDateTime,
    ) -> io::Result<Option<Line>> {
        let newest = Backward::open(&self.index)?.next().transpose()?;
        let newest = newest.filter(|line| line.start_ms != after_ms);
        if let Some(line) = &newest {
            self.complete(line)?;
        }
        let folder = self.folder();
        folder.drop_unlisted(after_ms)?;
        let mut playlists = folder.drop_torn(after_ms)?;
        playlists.extend(newest.as_ref().map(|line| line.playlist.clone()));
        playlists.extend(playlist.map(str::to_owned));
        for playlist in &playlists {
            folder.repair(playlist, now)?;
        }
        Ok(newest)
    }

    /// Puts the fragment of the last line in place.
    fn complete(&self, line: &Line) -> io::Result<()> {
        let key = self.key(&line.name);
        let part = self.objects.part_path(&key);
        if own::look(&part)?.is_none_or(|found| !found.is_file()) || self.objects.exists(&key)? {
            return Ok(());
        }
        if line.describes(own::open(&part)?)? {
            self.objects.place_generated(&key, Part::resume(part))?;
        }
        Ok(())
    }

    /// Flushes a session that has ended: its fragments, which began after `after_ms`, the
    /// index and its playlist.
    pub(in crate::store) fn settle(&self, after_ms: u64, playlist: &str) -> io::Result<()> {
        self.folder().flush(after_ms, u64::MAX)?;
        self.objects.flush(&self.key(playlist))
    }
}

impl Folder<'_> {
    /// Flushes the fragments that began between two times.
    pub(in crate::store) fn flush(&self, from_ms: u64, to_ms: u64) -> io::Result<()> {
        if self.objects.scratch().flushes(Durability::Recordings) {
            return Ok(());
        }
        for line in self.unwritten()? {
            let line = line?;
            if (from_ms..=to_ms).contains(&line.start_ms) {
                self.objects.flush(&self.key(&line.name))?;
            }
        }
        // Otherwise they would be mistaken for leftovers.
        self.objects.scratch().flush_file(self.index)
    }

    /// Returns the lines of the fragments that may not have been written yet.
    fn unwritten(&self) -> io::Result<impl Iterator<Item = io::Result<Line>>> {
        let (mut count, mut newest_ms) = (0, 0);
        let is_unwritten = move |line: &Line| {
            newest_ms = newest_ms.max(line.start_ms);
            count += 1;
            count <= UNWRITTEN || line.start_ms.saturating_add(UNWRITTEN_MS) >= newest_ms
        };
        let lines =
            Backward::open(self.index)?.scan(is_unwritten, |is_unwritten, line| match line {
                Ok(line) => is_unwritten(&line).then_some(Ok(line)),
                Err(error) => Some(Err(error)),
            });
        Ok(lines)
    }

    /// Rebuilds a playlist from the index, if a power cut left a different one.
    fn repair(&self, playlist: &str, now: OffsetDateTime) -> io::Result<()> {
        let key = self.key(playlist);
        if self.objects.exists(&key)? && self.objects.open_generated(&key)?.is_none() {
            // An upload has replaced it.
            return Ok(());
        }
        if Window::at_newest(self.index, playlist)?.lines.is_empty() {
            return self.objects.drop_unfinished(&key);
        }
        let text = Window::load(self, playlist)?.render();
        self.objects.put_generated(&key, text.as_bytes(), now)?;
        self.objects.flush(&key)
    }

    /// Removes the fragments of an interrupted session that a power cut left
    /// incomplete. Returns the playlists that list them.
    fn drop_torn(&self, after_ms: u64) -> io::Result<BTreeSet<String>> {
        let mut torn = BTreeSet::new();
        for line in self.unwritten()? {
            let line = line?;
            if line.start_ms == after_ms {
                break;
            }
            let key = self.key(&line.name);
            if let Some(file) = self.objects.open_generated(&key)? {
                if !line.describes(file)? {
                    self.objects.drop_unfinished(&key)?;
                    torn.insert(line.playlist);
                }
            }
        }
        Ok(torn)
    }

    /// Removes the fragments of an interrupted session whose line was lost in a power
    /// cut: they may be incomplete, and nothing refers to them.
    fn drop_unlisted(&self, after_ms: u64) -> io::Result<()> {
        let marker = self.key(&format!("{after_ms}.ts"));
        let mut unlisted = self.objects.fragments_after(self.channel, &marker)?;
        if unlisted.is_empty() {
            return Ok(());
        }
        for line in Backward::open(self.index)? {
            unlisted.remove(&self.key(&line?.name));
        }
        for key in unlisted {
            let stem = key.rsplit(['/', '.']).nth(1).and_then(|stem| stem.parse::<u64>().ok());
            let is_ours = stem.is_some_and(|start| key == self.key(&format!("{start}.ts")));
            if is_ours && self.objects.open_generated(&key)?.is_some() {
                self.objects.drop_unfinished(&key)?;
            }
        }
        Ok(())
    }
}
