//! Decides where fragments start and end.

use super::Recorder;
use super::clocks::MAX_LEAD_MS;
use super::fragment::{KeyFrames, LONGEST_PICTURE_MS, OpenFragment, ROUNDING_MS};
use super::frame::Frame;
use super::notice::Notice;
use super::sink::{PlaylistState, Sink};
use crate::media::playlist::{self, Fragment};
use crate::media::ts::Tracks;
use std::io;

/// OSS cuts without a key frame after twice the fragment duration, but not
/// earlier than this.
const MIN_FORCED_MS: u64 = 60_000;

/// A fragment that started without a key frame ends at the next one, unless it would
/// be shorter than this.
const MIN_REST_MS: u64 = 250;

/// If the wall clock is set back by more than this, names follow it; otherwise they
/// continue to increase until it has caught up.
const MAX_SET_BACK_MS: u64 = 60_000;

impl<S: Sink> Recorder<S> {
    /// Returns whether fragments need not wait for key frames.
    pub(super) fn is_audio_alone(&self) -> bool {
        let has_video = self.held_video || self.video_meter.is_used();
        self.avc.current.is_none() && (self.fragment.is_some() || !has_video)
    }

    pub(super) fn ends_before_video(&self, timestamp_ms: u64, key: bool) -> bool {
        let Some(fragment) = &self.fragment else { return key };
        let elapsed = fragment.elapsed(timestamp_ms);
        if key {
            self.is_long_enough(elapsed)
                || self.is_last_chance(elapsed)
                || !fragment.is_independent && elapsed >= MIN_REST_MS
                || self.avc.changes()
                || self.is_reformatted
                || self.aac.changes() && self.has_audio()
        } else {
            let with_frame = elapsed + self.clocks.picture_ms();
            fragment.tracks.video && (elapsed >= self.forced_ms() || self.is_too_long(with_frame))
        }
    }

    pub(super) fn ends_before_audio(&self, frame: &Frame<'_>, alone: bool) -> bool {
        let Some(fragment) = &self.fragment else { return alone };
        let elapsed = fragment.elapsed(frame.timestamp_ms);
        let shown_ms = fragment.shown_ms + self.clocks.picture_ms();
        if alone {
            return self.aac.changes() || self.is_long_enough(elapsed);
        }
        // If video still arrives, its key frames decide.
        elapsed >= self.forced_ms() + MAX_LEAD_MS
            || self.clocks.is_video_gone(shown_ms, frame.timestamp_ms)
                && self.is_too_long(elapsed + ROUNDING_MS)
    }

    fn is_long_enough(&self, elapsed: u64) -> bool {
        elapsed + ROUNDING_MS >= self.frag_duration_ms
    }

    /// Returns whether a fragment that is almost long enough should end at this key
    /// frame, since the next one may be too late.
    fn is_last_chance(&self, elapsed: u64) -> bool {
        elapsed >= self.frag_duration_ms / 4 * 3
            && self.is_too_long(elapsed + self.key_frames.longest_ms())
    }

    /// Returns whether a fragment of this length would exceed the target duration.
    fn is_too_long(&self, duration_ms: u64) -> bool {
        self.target.is_some_and(|target| duration_ms > playlist::longest_ms(target))
    }

    fn forced_ms(&self) -> u64 {
        MIN_FORCED_MS.max(2 * self.frag_duration_ms)
    }

    /// Ends the fragment, if any, and begins another with `frame`.
    pub(super) fn cut(&mut self, frame: &Frame<'_>, key: bool) -> io::Result<()> {
        let is_gap = self.is_gap(frame.timestamp_ms);
        self.finish_fragment(frame.timestamp_ms)?;
        if is_gap {
            self.notices.add(Notice::Paused);
            self.rebase();
        }
        let changes = self.adopt_formats(key);
        let tracks =
            Tracks { video: self.avc.current.is_some(), audio: self.aac.current.is_some() };
        let is_set_back = frame.now.unix_ms.saturating_add(MAX_SET_BACK_MS) < self.last_start_ms;
        if tracks.video && !key && !is_gap {
            self.notices.add(Notice::KeyFrameLate);
        }
        let (start_ms, name) = self.begin_file(frame.now.unix_ms, is_set_back)?;
        let discontinuity = std::mem::take(&mut self.discontinuity) || changes || is_set_back;
        self.timeline.begin(frame.timestamp_ms, self.output.sink.state().clock);
        self.muxer.begin_fragment(tracks, discontinuity);
        let timestamp_ms = frame.timestamp_ms;
        self.fragment = Some(OpenFragment {
            name,
            start_ms,
            timestamp_ms,
            discontinuity,
            tracks,
            is_independent: key || !tracks.video,
            lead_ms: None,
            shown_ms: 0,
            end_ms: timestamp_ms,
        });
        Ok(())
    }

    /// Begins a file with the first free name; returns its start and its name.
    fn begin_file(&mut self, unix_ms: u64, is_set_back: bool) -> io::Result<(u64, String)> {
        let next_ms = self.last_start_ms.saturating_add(1);
        let mut start_ms = if is_set_back { unix_ms } else { unix_ms.max(next_ms) };
        loop {
            let name = format!("{start_ms:013}.ts");
            self.last_start_ms = start_ms;
            match self.output.begin(&name) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => start_ms += 1,
                begun => return begun.map(|()| (start_ms, name)),
            }
        }
    }

    fn has_audio(&self) -> bool {
        self.held_audio || self.clocks.receives_audio()
    }

    /// Adopts new formats: for video only at a key frame, for audio only if there is
    /// any. Returns whether they replaced earlier ones.
    fn adopt_formats(&mut self, key: bool) -> bool {
        let is_first = self.avc.current.is_none() && self.aac.current.is_none();
        let new_video = key && self.avc.adopt();
        let new_audio = if self.has_audio() {
            self.aac.adopt()
        } else {
            self.aac.retire();
            self.last_tracks.is_some_and(|tracks| tracks.audio)
        } | std::mem::take(&mut self.is_reformatted);
        if let (true, Some(config)) = (new_video, &self.avc.current) {
            self.key_frame_prefix = config.key_frame_prefix();
        }
        !is_first && (new_video || new_audio)
    }

    /// Returns the end of the last received frame, in decoding order.
    ///
    /// An interrupted encoder may have sent a picture without those that are
    /// presented before it, which then ends later than its decoding time suggests.
    /// Audio is aligned with presentation times.
    pub(super) fn media_end(&self) -> u64 {
        let lead_ms = self.fragment.as_ref().and_then(|fragment| fragment.lead_ms).unwrap_or(0);
        let decoded = |shown_ms: u64| shown_ms.checked_add_signed(-lead_ms).unwrap_or(0);
        let shown_ms = self
            .fragment
            .as_ref()
            .filter(|fragment| fragment.lead_ms.is_some())
            .map_or(0, |fragment| fragment.shown_ms + self.clocks.picture_ms());
        let video_end = self.clocks.video_end().max(decoded(shown_ms));
        video_end.max(decoded(self.clocks.audio_end()))
    }

    /// Ends the fragment, if any, with the media up to `end_ms`.
    pub(super) fn finish_fragment(&mut self, end_ms: u64) -> io::Result<()> {
        if self.fragment.is_none() {
            return Ok(());
        }
        self.write_audio()?;
        let output = &mut self.output;
        self.muxer.flush(&mut |ts| output.write(ts))?;
        self.picture_ms = None;
        let Some(mut open) = self.fragment.take() else { return Ok(()) };
        self.correct(&mut open)?;
        let duration_ms = self.duration(&open, end_ms);
        let state =
            PlaylistState { target: self.fix_target(duration_ms), clock: self.timeline.end() };
        let duration_ms = u32::try_from(duration_ms).unwrap_or(u32::MAX);
        let OpenFragment { name, start_ms, discontinuity, .. } = open;
        self.output.finish(&Fragment { name, start_ms, duration_ms, discontinuity }, state)
    }

    /// Corrects the tracks that a fragment announces. A change from the previous
    /// one is a discontinuity (RFC 8216 section 4.3.2.3).
    fn correct(&mut self, open: &mut OpenFragment) -> io::Result<()> {
        let written = self.muxer.written();
        if let Some(last) = self.last_tracks {
            self.notices.compare(last, written);
            open.discontinuity |= last != written;
        }
        self.last_tracks = Some(written);
        for (position, ts) in self.muxer.correct(open.discontinuity) {
            self.output.amend(position, &ts)?;
        }
        Ok(())
    }

    /// Returns the duration of a fragment whose successor begins at `end_ms`. Before
    /// a gap in the stream it is only as long as its media.
    fn duration(&self, open: &OpenFragment, end_ms: u64) -> u64 {
        let elapsed = open.elapsed(end_ms).max(1);
        if !self.is_too_long(elapsed) {
            return elapsed;
        }
        let longest_ms = self.target.map_or(u64::MAX, playlist::longest_ms);
        open.elapsed(open.end_ms).clamp(1, longest_ms)
    }

    /// Returns whether nothing arrived for so long before `timestamp_ms` that no
    /// fragment can last until then.
    fn is_gap(&self, timestamp_ms: u64) -> bool {
        self.fragment.as_ref().is_some_and(|open| {
            let is_silent = open.end_ms + LONGEST_PICTURE_MS < timestamp_ms;
            is_silent && self.is_too_long(open.elapsed(timestamp_ms))
        })
    }

    /// Returns the target duration, which the session's first fragment determines.
    /// That of an earlier session is never decreased.
    fn fix_target(&mut self, duration_ms: u64) -> u64 {
        let expected_ms = match self.avc.current {
            Some(_) => self.key_frames.fragment_ms(self.frag_duration_ms),
            None => 0,
        };
        let expected_ms = expected_ms.min(self.forced_ms()).max(duration_ms);
        let least = self.frag_duration_ms / 1000;
        let before = self.output.sink.state().target;
        *self
            .target
            .get_or_insert_with(|| playlist::live_target(expected_ms).max(least).max(before))
    }

    /// Ends the fragment because the encoder's clock jumped: later media has a new
    /// time base.
    pub(super) fn break_off(&mut self) -> io::Result<()> {
        self.finish_fragment(self.media_end())?;
        self.rebase();
        self.key_frames = KeyFrames::default();
        Ok(())
    }

    /// Starts another time base, directly after this one.
    fn rebase(&mut self) {
        self.timeline = self.timeline.next();
        self.audio.reset();
        self.discontinuity = true;
    }
}
