//! The fragments of a channel: an append-only index with one line per fragment,
//! and the window of it that a live playlist shows. Only the start of the index
//! is removed once all fragments in it are gone.
//!
//! A line contains everything that is needed to continue after a restart, so
//! publishing never reads more than a window back, and only the windows of live
//! sessions are kept in memory.

#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod recovery;

use super::durability::{self, Durability};
use super::file::{Part, Scratch};
use super::mutex::lock;
use super::object::Objects;
use super::own;
use crate::media::playlist::{self, Fragment};
use crate::media::recorder::PlaylistState;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use time::OffsetDateTime;

/// How far start times in the index may be out of order: a publisher that was
/// disconnected may list its last fragment after the first ones of its successor,
/// and no fragment is as long as this.
const DISORDER_MS: u64 = 3_600_000;

/// How many of the newest lines to search for the newest start, for the same
/// reason.
const NEWEST: usize = 16;

/// One line of the index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Line {
    name: String,
    pub(super) start_ms: u64,
    duration_ms: u32,
    discontinuity: bool,
    /// The live playlist it was listed in.
    pub(super) playlist: String,
    /// Its media sequence number there.
    number: u64,
    /// The playlist's media sequence and discontinuity sequence with this
    /// fragment as its newest.
    first: u64,
    discontinuities: u64,
    /// How often the wall clock had been set back before it: start times
    /// increase only while this is constant.
    #[serde(default)]
    setbacks: u64,
    /// The playlist's target duration, in seconds.
    #[serde(default)]
    target: u64,
    /// The end of its last frame, on the transport stream's clock.
    #[serde(default)]
    clock: u64,
    /// Its length in bytes, and its CRC if it is not flushed: they show after a power
    /// cut whether the file is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crc64: Option<u64>,
}

/// A large lookup table, since it processes whole fragments.
static CRC64: crc::Crc<u64, crc::Table<16>> = crc::Crc::<u64, crc::Table<16>>::new(&crc::CRC_64_XZ);

fn crc64(file: &mut File) -> io::Result<u64> {
    let (mut digest, mut block) = (CRC64.digest(), vec![0; 128 << 10]);
    loop {
        match file.read(&mut block)? {
            0 => return Ok(digest.finalize()),
            count => digest.update(block.get(..count).unwrap_or_default()),
        }
    }
}

impl Line {
    /// Returns when the fragment ended, in Unix milliseconds.
    pub(super) fn end_ms(&self) -> u64 {
        self.start_ms.saturating_add(self.duration_ms.into())
    }

    fn into_fragment(self) -> Fragment {
        Fragment {
            name: self.name,
            start_ms: self.start_ms,
            duration_ms: self.duration_ms,
            discontinuity: self.discontinuity,
        }
    }
}

/// The live playlist that a session writes.
pub(super) struct Listing<'a> {
    pub(super) name: &'a str,
    /// How many fragments it shows.
    pub(super) count: usize,
    /// The state after the newest fragment.
    pub(super) state: PlaylistState,
}

/// The newest fragments under one playlist name.
#[derive(Debug, Default)]
struct Window {
    /// How many fragments precede the window, and how many of them were a
    /// discontinuity (RFC 8216 sections 4.3.3.2 and 4.3.3.3).
    first: u64,
    discontinuities: u64,
    /// The target duration so far, in seconds.
    target: u64,
    lines: VecDeque<Line>,
}

impl Window {
    /// Returns the line that adds `fragment`, and how many of the oldest lines it
    /// displaces.
    fn next(&self, fragment: &Fragment, playlist: &Listing<'_>) -> (Line, usize) {
        let Listing { name, count, state } = *playlist;
        let leaving = (self.lines.len() + 1).saturating_sub(count.max(1)).min(self.lines.len());
        let number = self.first.saturating_add(self.lines.len() as u64);
        let dropped = self.lines.iter().take(leaving).filter(|line| line.interrupts()).count();
        let line = Line {
            name: fragment.name.clone(),
            start_ms: fragment.start_ms,
            duration_ms: fragment.duration_ms,
            discontinuity: fragment.discontinuity,
            playlist: name.to_owned(),
            number,
            first: self.first.saturating_add(leaving as u64),
            discontinuities: self.discontinuities.saturating_add(dropped as u64),
            setbacks: 0,
            target: self.target.max(state.target),
            clock: state.clock,
            size: None,
            crc64: None,
        };
        (line, leaving)
    }

    fn advance(&mut self, line: Line, leaving: usize) {
        self.first = line.first;
        self.discontinuities = line.discontinuities;
        self.target = line.target;
        self.lines.drain(..leaving);
        self.lines.push_back(line);
    }

    /// Returns the window at the newest line of `playlist`, starting after the last
    /// of its deleted fragments.
    fn load(at: &Folder<'_>, playlist: &str) -> io::Result<Self> {
        let mut window = Window::at_newest(at.index, playlist)?;
        let mut leaving = 0;
        for (number, line) in window.lines.iter().enumerate() {
            if !at.objects.exists(&at.key(&line.name))? {
                leaving = number + 1;
            }
        }
        for line in window.lines.drain(..leaving) {
            window.first = window.first.saturating_add(1);
            window.discontinuities += u64::from(line.interrupts());
        }
        Ok(window)
    }

    /// Returns the window at the newest line of `playlist`.
    fn at_newest(index: &Path, playlist: &str) -> io::Result<Self> {
        let mut window = Window::default();
        for line in Backward::open(index)? {
            let line = line?;
            if line.playlist != playlist {
                continue;
            }
            match window.lines.front() {
                None => {
                    window.first = line.first;
                    window.discontinuities = line.discontinuities;
                    window.target = line.target;
                }
                // The playlist was restarted here, or a line was lost.
                Some(newer) if line.number.checked_add(1) != Some(newer.number) => break,
                Some(_) => {}
            }
            let is_first = line.number <= window.first;
            window.lines.push_front(line);
            if is_first {
                break;
            }
        }
        window.first = window.lines.front().map_or(0, |line| line.number);
        Ok(window)
    }

    fn render(&self) -> String {
        let fragments: Vec<Fragment> = self
            .lines
            .iter()
            .map(|line| Fragment {
                discontinuity: line.interrupts(),
                ..line.clone().into_fragment()
            })
            .collect();
        let fragments: Vec<&Fragment> = fragments.iter().collect();
        playlist::live(&fragments, self.target, self.first, self.discontinuities)
    }
}

impl Line {
    /// Returns whether it is a discontinuity in its playlist. The first fragment
    /// of a playlist is not, whatever the channel recorded before.
    fn interrupts(&self) -> bool {
        self.discontinuity && self.number > 0
    }
}

/// The location of a channel's fragments.
pub(super) struct Folder<'a> {
    pub(super) channel: &'a str,
    pub(super) index: &'a Path,
    pub(super) objects: &'a Objects,
}

impl Folder<'_> {
    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.channel)
    }

    /// Returns the first line at or after `offset` whose fragment exists.
    pub(super) fn oldest(&self, offset: u64) -> io::Result<Option<Kept>> {
        for kept in Forward::open(self.index, offset)? {
            let kept = kept?;
            if self.objects.exists(&self.key(&kept.line.name))? {
                return Ok(Some(kept));
            }
        }
        Ok(None)
    }

    /// Returns how many bytes of disk space all fragments in the index use.
    pub(super) fn bytes(&self) -> io::Result<u64> {
        let mut bytes: u64 = 0;
        for kept in Forward::open(self.index, 0)? {
            let size = self.objects.generated_size(&self.key(&kept?.line.name))?;
            bytes = bytes.saturating_add(size);
        }
        Ok(bytes)
    }

    /// Deletes a fragment; returns how many bytes that freed.
    pub(super) fn discard(&self, kept: &Kept) -> io::Result<u64> {
        self.objects.discard(&self.key(&kept.line.name))
    }

    /// Removes deleted fragments from a playlist that is no longer written, and
    /// deletes the playlist when none are left.
    pub(super) fn revise(&self, kept: &Kept, now: OffsetDateTime) -> io::Result<()> {
        let playlist = &kept.line.playlist;
        let (key, newest) = (self.key(playlist), Window::at_newest(self.index, playlist)?);
        let listed = newest.lines.iter().any(|line| line.name == kept.line.name);
        if !listed || !self.objects.exists(&key)? {
            return Ok(());
        }
        let window = Window::load(self, playlist)?;
        if window.lines.is_empty() {
            return self.objects.discard(&key).map(|_| ());
        }
        self.objects.put_generated(&key, window.render().as_bytes(), now)?;
        self.objects.flush(&key)
    }

    /// Removes the part of the index before `begin`.
    pub(super) fn trim(&self, begin: u64, scratch: &Scratch) -> io::Result<()> {
        let mut index = own::open(self.index)?;
        index.seek(SeekFrom::Start(begin))?;
        let mut part = scratch.part()?;
        part.copy(&mut index)?;
        // Without this, a fragment that a power cut restored without its line
        // would never be deleted.
        self.objects.flush_folder_of(&self.key(""))?;
        scratch.install(part, self.index)
    }
}

/// A line of the index whose fragment exists, and its position.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    line: Line,
    begin: u64,
    end: u64,
}

impl Kept {
    pub(super) fn start_ms(&self) -> u64 {
        self.line.start_ms
    }

    /// Returns the offset of the line.
    pub(super) fn begin(&self) -> u64 {
        self.begin
    }

    /// Returns the offset of the next line.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Adjusts the offsets after `cut` bytes were removed from the index.
    pub(super) fn shift(&mut self, cut: u64) {
        self.begin = self.begin.saturating_sub(cut);
        self.end = self.end.saturating_sub(cut);
    }
}

/// The fragments of a channel that is being published to. Overlapping sessions,
/// a disconnected one and its successor, share it.
pub(super) struct Timeline {
    channel: String,
    index: PathBuf,
    objects: Arc<Objects>,
    state: Mutex<State>,
}

struct State {
    /// The newest start since the wall clock was last set back.
    newest_ms: u64,
    setbacks: u64,
    /// The end of the last frame of all, on the transport stream's clock.
    clock: u64,
    any: bool,
    windows: HashMap<String, Window>,
}

impl Timeline {
    /// Reads the end of an index and removes an incomplete last line.
    pub(super) fn open(channel: &str, index: PathBuf, objects: Arc<Objects>) -> io::Result<Self> {
        let mut lines = Backward::open(&index)?;
        lines.drop_torn_line()?;
        let newest = lines.by_ref().take(NEWEST).collect::<io::Result<Vec<_>>>()?;
        let clock = newest.iter().map(|line| line.clock).max().unwrap_or(0);
        let newest = newest.iter().map(|line| (line.setbacks, line.start_ms)).max();
        let (setbacks, newest_ms) = newest.unwrap_or_default();
        let (any, windows) = (newest.is_some(), HashMap::new());
        let state = State { newest_ms, setbacks, clock, any, windows };
        Ok(Timeline { channel: channel.to_owned(), index, objects, state: Mutex::new(state) })
    }

    /// Prepares to list fragments in `playlist`, after the existing ones. A
    /// playlist that does not exist starts at 0.
    pub(super) fn follow(&self, playlist: &str) -> io::Result<()> {
        let mut state = lock(&self.state);
        if !state.windows.contains_key(playlist) {
            let window = match self.objects.exists(&self.key(playlist))? {
                true => Window::load(&self.folder(), playlist)?,
                false => Window::default(),
            };
            state.windows.insert(playlist.to_owned(), window);
        }
        Ok(())
    }

    /// Returns the newest start of any fragment, including those being written, in
    /// Unix milliseconds; 0 if there are none. Fragments from before the wall clock
    /// was set back do not count.
    pub(super) fn newest_ms(&self) -> u64 {
        lock(&self.state).newest_ms
    }

    /// Returns the state after the newest fragment of a playlist.
    pub(super) fn state(&self, playlist: &str) -> PlaylistState {
        let state = lock(&self.state);
        let target = state.windows.get(playlist).map_or(0, |window| window.target);
        PlaylistState { target, clock: state.clock }
    }

    /// Returns whether the channel already has fragments.
    pub(super) fn continues(&self) -> bool {
        lock(&self.state).any
    }

    /// Creates the file of the next fragment. Fails if `is_cut` returns true, since
    /// a successor may already have read [`Timeline::newest_ms`], or if the name is
    /// in use.
    pub(super) fn begin(&self, name: &str, is_cut: impl FnOnce() -> bool) -> io::Result<Part> {
        let mut state = lock(&self.state);
        if is_cut() {
            return Err(io::Error::other("the channel was disabled"));
        }
        let key = self.key(name);
        let part = self.objects.part_path(&key);
        if self.objects.exists(&key)? || part.exists() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let start = name.split('.').next().and_then(|stem| stem.parse().ok()).unwrap_or(0);
        state.setbacks += u64::from(start < state.newest_ms);
        state.newest_ms = start;
        drop(state);
        Part::create(part)
    }

    /// Adds a complete fragment: first to the index, then the object, then to the
    /// playlist.
    ///
    /// The line is removed again if the object cannot be put in place;
    /// [`Timeline::recover`] completes these steps after a kill.
    pub(super) fn list(
        &self,
        fragment: &Fragment,
        part: Part,
        playlist: &Listing<'_>,
        now: OffsetDateTime,
    ) -> io::Result<()> {
        part.date(now)?;
        let scratch = self.objects.scratch();
        let flush = scratch.flushes(Durability::Recordings);
        let crc64 = match scratch.flushes(Durability::Calls) && !flush {
            true => Some(crc64(&mut part.reopen()?)?),
            false => None,
        };
        let size = Some(part.size()?);
        // Flushed before the line that says that it is complete.
        scratch.flush(Durability::Recordings, &part)?;
        let mut state = lock(&self.state);
        let setbacks = state.setbacks;
        state.clock = state.clock.max(playlist.state.clock);
        let window = state.windows.entry(playlist.name.to_owned()).or_default();
        let (line, leaving) = window.next(fragment, playlist);
        let line = Line { setbacks, size, crc64, ..line };
        let key = self.key(&fragment.name);
        append(&self.index, &line, flush, || self.objects.place_generated(&key, part))?;
        window.advance(line, leaving);
        let text = window.render();
        state.any = true;
        self.objects.put_generated(&self.key(playlist.name), text.as_bytes(), now)
    }

    /// Returns whether the fragment's playlist still lists it; `None` if that
    /// playlist is not being written.
    pub(super) fn lists(&self, kept: &Kept) -> Option<bool> {
        let state = lock(&self.state);
        let window = state.windows.get(&kept.line.playlist)?;
        Some(window.lines.iter().any(|line| line.name == kept.line.name))
    }

    /// Removes the part of the index before `begin`.
    pub(super) fn trim(&self, begin: u64, scratch: &Scratch) -> io::Result<()> {
        // The lock keeps lines from being appended meanwhile.
        let _held = lock(&self.state);
        self.folder().trim(begin, scratch)
    }

    fn folder(&self) -> Folder<'_> {
        Folder { channel: &self.channel, index: &self.index, objects: &self.objects }
    }

    fn key(&self, name: &str) -> String {
        self.folder().key(name)
    }
}

/// Returns a VOD playlist of the existing fragments of `channel` that began
/// between the two times, inclusive; `None` if there are none.
pub(super) fn vod(
    index: &Path,
    objects: &Objects,
    channel: &str,
    from_ms: u64,
    to_ms: u64,
) -> io::Result<Option<String>> {
    let mut lines = Vec::new();
    for line in Backward::open(index)? {
        let line = line?;
        // Lines from before the wall clock was set back may have later times.
        if line.setbacks == 0 && line.start_ms.saturating_add(DISORDER_MS) < from_ms {
            break;
        }
        if (from_ms..=to_ms).contains(&line.start_ms) {
            lines.push(line);
        }
    }
    lines.sort_by_key(|line| (line.setbacks, line.start_ms));
    let mut fragments: Vec<Fragment> = Vec::with_capacity(lines.len());
    let mut gap = false;
    let mut setbacks = 0;
    for line in lines {
        // The fragments between them may be outside the requested times.
        gap |= std::mem::replace(&mut setbacks, line.setbacks) != line.setbacks;
        if objects.exists(&format!("{channel}/{}", line.name))? {
            let mut fragment = line.into_fragment();
            fragment.discontinuity = !fragments.is_empty() && (gap || fragment.discontinuity);
            fragments.push(fragment);
            gap = false;
        } else {
            gap = true;
        }
    }
    let fragments: Vec<&Fragment> = fragments.iter().collect();
    Ok((!fragments.is_empty()).then(|| playlist::vod(&fragments)))
}

/// Appends a line and calls `then`; removes the line again if either fails.
fn append(
    index: &Path,
    line: &Line,
    flush: bool,
    then: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    let mut options = OpenOptions::new();
    let mut file = own::open_with(index, options.write(true).create(true).truncate(false))?;
    let before = file.seek(SeekFrom::End(0))?;
    let mut append = || {
        file.write_all(&text)?;
        if !flush {
            return Ok(());
        }
        file.sync_data()?;
        match index.parent().filter(|_| before == 0) {
            Some(folder) => durability::flush_folder(folder),
            None => Ok(()),
        }
    };
    let done = append().and_then(|()| then());
    if done.is_err() {
        let _ = file.set_len(before);
    }
    done
}

/// The lines of an index from an offset, oldest first. Invalid lines and an
/// incomplete last line are skipped.
struct Forward {
    file: Option<BufReader<File>>,
    at: u64,
}

impl Forward {
    fn open(index: &Path, offset: u64) -> io::Result<Self> {
        let file = match own::open(index) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            other => {
                let mut file = other?;
                file.seek(SeekFrom::Start(offset))?;
                Some(BufReader::new(file))
            }
        };
        Ok(Forward { file, at: offset })
    }

    /// Reads one line including its newline, or a piece of a line that is too long;
    /// returns an empty one at the end of the file.
    fn take_line(&mut self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        if let Some(file) = &mut self.file {
            file.take(Backward::LONGEST as u64).read_until(b'\n', &mut text)?;
        }
        Ok(text)
    }
}

impl Iterator for Forward {
    type Item = io::Result<Kept>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let text = match self.take_line() {
                Ok(text) => text,
                Err(error) => return Some(Err(error)),
            };
            let begin = self.at;
            let is_torn = text.len() < Backward::LONGEST && text.last() != Some(&b'\n');
            if text.is_empty() || is_torn {
                return None;
            }
            self.at += text.len() as u64;
            if let Ok(line) = serde_json::from_slice(&text) {
                return Some(Ok(Kept { line, begin, end: self.at }));
            }
        }
    }
}

/// The lines of an index, newest first, reading one block at a time. Invalid
/// lines are skipped.
struct Backward {
    index: PathBuf,
    file: Option<File>,
    /// The offset of `buffer` in the file.
    at: u64,
    /// The end of a line, followed by complete lines.
    buffer: Vec<u8>,
    torn: bool,
}

impl Backward {
    const BLOCK: u64 = 8 << 10;
    /// Longer than any line; a longer one is invalid.
    const LONGEST: usize = 64 << 10;

    fn open(index: &Path) -> io::Result<Self> {
        let (file, at) = match own::open(index) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => (None, 0),
            other => {
                let mut file = other?;
                let length = file.seek(SeekFrom::End(0))?;
                (Some(file), length)
            }
        };
        let mut lines =
            Backward { index: index.to_owned(), file, at, buffer: Vec::new(), torn: false };
        lines.pass_torn_line()?;
        Ok(lines)
    }

    fn pass_torn_line(&mut self) -> io::Result<()> {
        while self.fill()? {
            if let Some(end) = newline(&self.buffer) {
                self.torn = end + 1 < self.buffer.len();
                self.buffer.truncate(end + 1);
                return Ok(());
            }
            self.torn = true;
            // No line ends in this block, so it is discarded.
            self.buffer.clear();
        }
        Ok(())
    }

    /// Truncates the file after its last complete line.
    fn drop_torn_line(&self) -> io::Result<()> {
        if !self.torn {
            return Ok(());
        }
        let whole = self.at + self.buffer.len() as u64;
        own::open_with(&self.index, OpenOptions::new().write(true))?.set_len(whole)
    }

    /// Reads the block before the buffer; returns false at the start of the file.
    fn fill(&mut self) -> io::Result<bool> {
        let Some(file) = self.file.as_mut().filter(|_| self.at > 0) else { return Ok(false) };
        let size = self.at.min(Self::BLOCK);
        let mut block = vec![0; size as usize];
        file.seek(SeekFrom::Start(self.at - size))?;
        file.read_exact(&mut block)?;
        block.extend_from_slice(&self.buffer);
        self.buffer = block;
        self.at -= size;
        Ok(true)
    }

    /// Returns the next line towards the start of the file, without its newline.
    fn take_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let Some(end) = self.buffer.len().checked_sub(1) else {
                if self.fill()? {
                    continue;
                }
                return Ok(None);
            };
            let begin = match newline(&self.buffer[..end]) {
                Some(previous) => previous + 1,
                None if self.buffer.len() > Self::LONGEST => return Ok(None),
                None if self.fill()? => continue,
                None => 0,
            };
            let line = self.buffer[begin..end].to_vec();
            self.buffer.truncate(begin);
            return Ok(Some(line));
        }
    }
}

impl Iterator for Backward {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.take_line() {
                Ok(Some(text)) => {
                    if let Ok(line) = serde_json::from_slice(&text) {
                        return Some(Ok(line));
                    }
                }
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

fn newline(bytes: &[u8]) -> Option<usize> {
    bytes.iter().rposition(|&byte| byte == b'\n')
}
