//! What is on the medium of a session, and what is left of it after a kill or a power
//! cut.
//!
//! A session that has ended is on the medium as a whole. Of one that was interrupted,
//! fragments and their lines may be missing or in pieces, and the playlist may be older
//! or newer than the index, unless each fragment was waited for.

use super::{Backward, Folder, Line, Timeline, Window, crc64};
use crate::store::durability::Durability;
use crate::store::file::Part;
use crate::store::own;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use time::OffsetDateTime;

/// How many of the newest fragments, and those of how much time, may not be on the
/// medium yet when the power is cut: systems write within half a minute.
const UNWRITTEN: usize = 64;
const UNWRITTEN_MS: u64 = 120_000;

impl Line {
    /// Whether a file holds the whole fragment.
    fn describes(&self, mut file: File) -> io::Result<bool> {
        let length = file.metadata()?.len();
        if self.size.is_some_and(|size| size != length) {
            return Ok(false);
        }
        self.crc64.map_or(Ok(true), |expected| Ok(crc64(&mut file)? == expected))
    }
}

impl Timeline {
    /// Completes what a killed process had begun in a session that wrote
    /// `playlist`: the newest fragment's file and the playlist that shows it, unless
    /// that fragment began at `after_ms`, before the session. Returns the fragment.
    ///
    /// What a power cut left in pieces goes.
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

    /// Puts a fragment in its place whose line was written last.
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

    /// Waits until a session that is over is on the medium: its fragments, which began
    /// after `after_ms`, the index and its playlist.
    pub(in crate::store) fn settle(&self, after_ms: u64, playlist: &str) -> io::Result<()> {
        self.folder().flush(after_ms, u64::MAX)?;
        self.objects.flush(&self.key(playlist))
    }
}

impl Folder<'_> {
    /// Waits until the fragments that began between two times are on the medium.
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
        // Or else they would be taken for leftovers.
        self.objects.scratch().flush_file(self.index)
    }

    /// The lines of the fragments that may not be on the medium yet.
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

    /// Writes a playlist anew from the index, where a power cut left another one.
    fn repair(&self, playlist: &str, now: OffsetDateTime) -> io::Result<()> {
        let key = self.key(playlist);
        if self.objects.exists(&key)? && self.objects.open_generated(&key)?.is_none() {
            // An upload has taken its place.
            return Ok(());
        }
        if Window::stood(self.index, playlist)?.lines.is_empty() {
            return self.objects.drop_unfinished(&key);
        }
        let text = Window::load(self, playlist)?.render();
        self.objects.put_generated(&key, text.as_bytes(), now)?;
        self.objects.flush(&key)
    }

    /// Removes the fragments of an interrupted session that a power cut left in
    /// pieces. Returns the playlists that list them.
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

    /// Removes the fragments of an interrupted session whose line a power cut has
    /// taken: they may be torn, and nothing leads to them.
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
