//! The recorder: converts FLV bodies to fragments of a transport stream.

mod allowance;
mod audio;
mod clocks;
mod cutting;
mod format;
mod fragment;
mod frame;
mod meter;
mod notice;
mod opening;
mod sink;
mod timeline;

use crate::media::aac::{self, AacConfig, AacError};
use crate::media::avc::{self, AccessUnit, AvcConfig, DELIMITER, START_CODE};
use crate::media::codec::Codec;
use crate::media::flv::{self, AudioBody, FlvError, VideoBody};
use crate::media::ts::{Muxer, Stamps, TICKS_PER_MS, Track, Tracks};
use allowance::Output;
use audio::AudioQueue;
pub use clocks::{Clocks, Place};
use format::Format;
use fragment::{KeyFrames, LONGEST_PICTURE_MS, OpenFragment};
pub use frame::Now;
use frame::{Frame, FrameKind};
use meter::{Meter, Rates, frame_rate};
pub use notice::Notice;
use notice::Notices;
use opening::Opening;
pub use sink::{PlaylistState, Sink};
use std::time::Duration;
use std::{fmt, io, iter};
use timeline::Timeline;

/// How long to wait for the first key frame.
const KEY_FRAME_MS: u64 = 60_000;

/// A stream that starts with this many malformed messages is refused.
const MAX_DROPPED: u64 = 500;

const BYTE_STREAM: RecordError = RecordError::Unusable(
    "H.264 with start codes (Annex B) is not supported: NAL units must be length-prefixed",
);

/// Longer parameter sets are written once per fragment rather than for each key frame.
const MAX_REPEATED: usize = 1024;

/// Larger timestamps are meaningless; below it, arithmetic cannot overflow.
const MAX_TIMESTAMP_MS: u64 = 1 << 48;

/// The settings of a recorder, from its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecorderSettings {
    /// The intended length of a fragment, in seconds; 0 means 1.
    pub frag_duration: u32,
    /// When the channel's newest fragment began, in Unix milliseconds; 0 if there
    /// is none. Names continue to increase from it if the clock is set back a little.
    pub last_start_ms: u64,
    /// Whether there are fragments of earlier sessions, in which case the first one
    /// of this session is a discontinuity.
    pub continues: bool,
}

/// Why recording failed.
#[derive(Debug)]
pub enum RecordError {
    /// A codec other than H.264 and AAC; the name is for humans.
    Unsupported(String),
    /// Nothing of the stream can be recorded, for this reason.
    Unusable(&'static str),
    /// An error from the sink.
    Io(io::Error),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordError::Unsupported(codec) => {
                write!(f, "{codec} is not supported: only H.264 video and AAC audio are")
            }
            RecordError::Unusable(why) => f.write_str(why),
            RecordError::Io(error) => error.fmt(f),
        }
    }
}

// No source: the message already contains that of the I/O error.
impl std::error::Error for RecordError {}

impl From<io::Error> for RecordError {
    fn from(error: io::Error) -> Self {
        RecordError::Io(error)
    }
}

/// The current stream of a session. A track is present once its configuration and
/// a first frame have arrived.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamStat {
    /// The video.
    pub video: Option<VideoStat>,
    /// The audio.
    pub audio: Option<AudioStat>,
}

/// The video of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoStat {
    /// The codec.
    pub codec: Codec,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Frames per second, rounded down; 0 while unknown or while none arrive.
    pub frame_rate: u32,
    /// Bytes per second, averaged over the last five seconds of real time; 0 right
    /// after the start.
    pub bandwidth: u64,
}

/// The audio of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioStat {
    /// The codec.
    pub codec: Codec,
    /// Bytes per second, as for video.
    pub bandwidth: u64,
    /// Samples per second.
    pub sample_rate: u32,
}

/// Records one session of a channel.
///
/// A fragment ends at the first key frame after the fragment duration, or without
/// one after max(twice that, 60 s), as OSS documents. The first fragment determines
/// the target duration of the playlist; a fragment that would exceed it ends without
/// a key frame, and the next one then ends at the next key frame. Each starts with
/// the program tables of the tracks that it contains and, except after such forced
/// cuts, with a key frame; its name is the wall clock's time in milliseconds. Names
/// increase, unless the wall clock is set back by more than a minute: then they
/// follow it, with a discontinuity. Media before the first key frame is dropped. A
/// stream without video is cut after the fragment duration.
///
/// A track that changes its format or starts late begins a new fragment, marked as
/// a discontinuity, at the next key frame. A jump of the encoder's clock also begins
/// a new fragment, with a new time base. Malformed messages are dropped and counted,
/// see [`dropped`](Self::dropped).
///
/// The amount written remains proportional to the amount received and to the elapsed
/// time, if the caller passes no message before the [`wait`](Self::wait) is over.
///
/// Dropping the recorder finishes its fragment.
pub struct Recorder<S: Sink> {
    output: Output<S>,
    frag_duration_ms: u64,
    last_start_ms: u64,
    /// Whether the next fragment does not continue the previous one.
    discontinuity: bool,
    opening: Option<Opening>,
    finished: bool,
    /// The newest parameter sets, which may be incomplete.
    sets: AvcConfig,
    avc: Format<AvcConfig>,
    aac: Format<AacConfig>,
    key_frame_prefix: Vec<u8>,
    clocks: Clocks,
    timeline: Timeline,
    /// The encoder's time of the current picture, which may have more slices.
    picture_ms: Option<u64>,
    audio: AudioQueue,
    /// Whether audio was held back at the start and is not written yet.
    held_audio: bool,
    /// Whether video was held back at the start.
    held_video: bool,
    /// Whether the audio format has changed since the fragment began.
    is_reformatted: bool,
    muxer: Muxer,
    fragment: Option<OpenFragment>,
    /// The tracks of the last fragment.
    last_tracks: Option<Tracks>,
    /// The target duration of the playlist, in seconds, once a fragment of this
    /// session is listed.
    target: Option<u64>,
    key_frames: KeyFrames,
    video_meter: Meter,
    audio_meter: Meter,
    dropped: u64,
    notices: Notices,
}

impl<S: Sink> Recorder<S> {
    /// Returns a recorder that has received nothing.
    pub fn new(sink: S, settings: RecorderSettings) -> Self {
        Recorder {
            output: Output::new(sink),
            frag_duration_ms: u64::from(settings.frag_duration.max(1)) * 1000,
            last_start_ms: settings.last_start_ms,
            discontinuity: settings.continues,
            opening: Some(Opening::default()),
            finished: false,
            sets: AvcConfig::default(),
            avc: Format::default(),
            aac: Format::default(),
            key_frame_prefix: Vec::new(),
            clocks: Clocks::default(),
            timeline: Timeline::default(),
            picture_ms: None,
            audio: AudioQueue::default(),
            held_audio: false,
            held_video: false,
            is_reformatted: false,
            muxer: Muxer::new(),
            fragment: None,
            last_tracks: None,
            target: None,
            key_frames: KeyFrames::default(),
            video_meter: Meter::default(),
            audio_meter: Meter::default(),
            dropped: 0,
            notices: Notices::default(),
        }
    }

    /// Returns how many bytes of media are held back until the tracks are known.
    pub(crate) fn held(&self) -> usize {
        self.opening.as_ref().map_or(0, Opening::size)
    }

    /// Sets what the metadata says about the tracks; `None` if it says nothing.
    ///
    /// Up to two seconds of media are held back until the configurations of all
    /// tracks that are not excluded here have arrived and the picture order is
    /// known.
    pub fn expect_tracks(&mut self, video: Option<bool>, audio: Option<bool>) {
        if let Some(opening) = &mut self.opening {
            opening.expect(video, audio);
        }
    }

    /// Records the body of a video message with the decoding time `timestamp_ms` by
    /// the encoder's clock.
    ///
    /// # Errors
    ///
    /// A codec other than H.264, video that cannot be recorded, or an error from the
    /// sink.
    pub fn video(&mut self, now: Now, timestamp_ms: u64, body: &[u8]) -> Result<(), RecordError> {
        self.output.receive(now.uptime_ms, body.len(), self.pending());
        match flv::video(body) {
            Ok(VideoBody::Config(record)) => match AvcConfig::parse(record) {
                Ok(sets) => self.configure_video(sets),
                Err(_) if avc::is_byte_stream(record) => Err(BYTE_STREAM),
                Err(_) => self.drop_message(),
            },
            Ok(VideoBody::Frame { key, composition_ms, data }) => {
                self.check_video(now, data)?;
                let kind = FrameKind::Video { key, composition_ms };
                self.receive(Frame { now, timestamp_ms, kind, data })
            }
            Ok(VideoBody::Other) => Ok(()),
            Err(FlvError::Malformed(_)) => self.drop_message(),
            Err(FlvError::Unsupported(codec)) => Err(RecordError::Unsupported(codec)),
        }
    }

    /// Records the body of an audio message, like [`video`](Self::video).
    ///
    /// # Errors
    ///
    /// A codec other than AAC, or an error from the sink.
    pub fn audio(&mut self, now: Now, timestamp_ms: u64, body: &[u8]) -> Result<(), RecordError> {
        self.output.receive(now.uptime_ms, body.len(), self.pending());
        match flv::audio(body) {
            Ok(AudioBody::Config(config)) => match AacConfig::parse(config) {
                Ok(config) => self.configure(|recorder| &mut recorder.aac, config),
                Err(AacError::Malformed(_)) => self.drop_message(),
                Err(AacError::Unsupported(what)) => Err(RecordError::Unsupported(what)),
            },
            Ok(AudioBody::Frame(data)) => self.receive_audio(now, timestamp_ms, data),
            Ok(AudioBody::Other) => Ok(()),
            Err(FlvError::Malformed(_)) => self.drop_message(),
            Err(FlvError::Unsupported(codec)) => Err(RecordError::Unsupported(codec)),
        }
    }

    /// Ends the recording with its last fragment. Later messages are ignored.
    ///
    /// # Errors
    ///
    /// An error from the sink.
    pub fn finish(&mut self) -> io::Result<()> {
        let finished = self.open().and_then(|()| self.finish_fragment(self.media_end()));
        self.finished = true;
        self.settle(finished)
    }

    /// Returns size, rates and codec parameters at `uptime_ms`, see [`Now`].
    pub fn stat(&self, uptime_ms: u64) -> StreamStat {
        let video_rates = self.video_meter.rates(uptime_ms);
        let bandwidth = |rates: Option<Rates>| rates.map_or(0, |rates| rates.bytes as u64);
        let video = self.avc.latest().filter(|_| self.video_meter.is_used());
        let audio = self.aac.latest().filter(|_| self.audio_meter.is_used());
        StreamStat {
            video: video.and_then(|config| config.picture).map(|picture| VideoStat {
                codec: Codec::H264,
                width: picture.width,
                height: picture.height,
                frame_rate: frame_rate(picture.frame_rate, video_rates),
                bandwidth: bandwidth(video_rates),
            }),
            audio: audio.map(|config| AudioStat {
                codec: Codec::Aac,
                bandwidth: bandwidth(self.audio_meter.rates(uptime_ms)),
                sample_rate: config.sample_rate,
            }),
        }
    }

    /// Returns how many messages were dropped because they were malformed or far
    /// from the session's clock.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Removes and returns the notices about the stream since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.notices.take()
    }

    /// Returns how long to wait before the next message is passed or the recorder
    /// is dropped, after messages that use far more disk space than their size.
    ///
    /// A live stream never has to wait, nor does a file of ordinary media that is
    /// sent as fast as the network allows. The wait is at most a few seconds.
    pub fn wait(&self) -> Duration {
        Duration::from_millis(self.output.wait_ms())
    }

    /// Returns the sink.
    pub fn sink(&self) -> &S {
        &self.output.sink
    }

    /// Returns how many received bytes are held back.
    fn pending(&self) -> usize {
        self.opening.as_ref().map_or(0, Opening::pending)
    }

    fn drop_message(&mut self) -> Result<(), RecordError> {
        self.count_dropped();
        if self.dropped >= MAX_DROPPED && !self.has_begun() {
            return Err(RecordError::Unusable("the stream contains no valid messages"));
        }
        Ok(())
    }

    fn count_dropped(&mut self) {
        if self.dropped == 0 {
            self.notices.add(Notice::MessageDropped);
        }
        self.dropped += 1;
    }

    fn has_begun(&self) -> bool {
        self.avc.current.is_some() || self.aac.current.is_some()
    }

    /// Refuses video of which nothing could ever be recorded.
    fn check_video(&self, now: Now, data: &[u8]) -> Result<(), RecordError> {
        let length_size = self.sets.nal_length_size;
        if avc::is_byte_stream(data) && AccessUnit::parse(data, length_size).is_err() {
            return Err(BYTE_STREAM);
        }
        let waited_ms =
            self.video_meter.first_ms().map(|first| now.uptime_ms.saturating_sub(first));
        if self.avc.current.is_none() && waited_ms.is_some_and(|ms| ms >= KEY_FRAME_MS) {
            return Err(RecordError::Unusable("the video has had no key frame for a minute"));
        }
        Ok(())
    }

    fn configure<C: PartialEq>(
        &mut self,
        format: impl Fn(&mut Self) -> &mut Format<C>,
        config: C,
    ) -> Result<(), RecordError> {
        if format(self).latest().is_some_and(|known| *known != config) {
            // Frames held back belong to the previous configuration.
            let opened = self.open();
            self.settle(opened)?;
        }
        format(self).offer(config);
        Ok(())
    }

    fn configure_video(&mut self, sets: AvcConfig) -> Result<(), RecordError> {
        self.sets = sets.clone();
        // Other encoders send the parameter sets with their key frames.
        if sets.is_complete() {
            self.configure(|recorder| &mut recorder.avc, sets)?;
        }
        Ok(())
    }

    fn receive_audio(
        &mut self,
        now: Now,
        timestamp_ms: u64,
        data: &[u8],
    ) -> Result<(), RecordError> {
        let kind = FrameKind::Audio;
        let Some(frames) = aac::adts_frames(data) else {
            return self.receive(Frame { now, timestamp_ms, kind, data });
        };
        for (number, (config, data)) in (0..).zip(frames) {
            if !self.aac.latest().is_some_and(|known| known.has_core_of(&config)) {
                self.configure(|recorder| &mut recorder.aac, config)?;
            }
            let timestamp_ms = timestamp_ms.saturating_add(number * config.frame_ms());
            self.receive(Frame { now, timestamp_ms, kind, data })?;
        }
        Ok(())
    }

    fn receive(&mut self, frame: Frame<'_>) -> Result<(), RecordError> {
        let timestamp_ms = frame.timestamp_ms.min(MAX_TIMESTAMP_MS);
        let recorded = self.hold_or_record(Frame { timestamp_ms, ..frame });
        Ok(self.settle(recorded)?)
    }

    fn hold_or_record(&mut self, frame: Frame<'_>) -> io::Result<()> {
        if self.finished {
            return Ok(());
        }
        if let Some(opening) = &mut self.opening {
            let picture = self.avc.latest().map(|config| config.picture);
            let reorders = picture.map(|picture| picture.is_none_or(|picture| picture.reorders));
            if !opening.is_over(&frame, reorders, self.aac.latest().is_some()) {
                opening.hold(frame);
                return Ok(());
            }
            opening.see(&frame);
            self.open()?;
        }
        self.record(frame)
    }

    /// Ends the opening, and records the frames held back.
    fn open(&mut self) -> io::Result<()> {
        let Some(opening) = self.opening.take() else { return Ok(()) };
        self.timeline.expect_early(opening.early_ms());
        self.timeline.expect_lag(opening.lag_ms());
        self.muxer.expect_lag(opening.lag_ms());
        self.held_audio = opening.has_audio;
        self.held_video = opening.has_video;
        opening.into_held().try_for_each(|held| self.record(held.frame()))
    }

    /// Abandons the fragment after an error, since it is incomplete.
    fn settle(&mut self, result: io::Result<()>) -> io::Result<()> {
        if result.is_err() {
            self.fragment = None;
            self.picture_ms = None;
            self.audio.clear_group();
            self.discontinuity = true;
        }
        result
    }

    fn record(&mut self, frame: Frame<'_>) -> io::Result<()> {
        match frame.kind {
            FrameKind::Video { key, composition_ms } => {
                self.record_video(frame, key, composition_ms)
            }
            FrameKind::Audio => self.record_audio(frame),
        }
    }

    fn record_video(
        &mut self,
        mut frame: Frame<'_>,
        key: bool,
        composition_ms: i32,
    ) -> io::Result<()> {
        let Ok(access_unit) = AccessUnit::parse(frame.data, self.sets.nal_length_size) else {
            self.count_dropped();
            return Ok(());
        };
        self.take_parameter_sets(&access_unit);
        if !access_unit.has_picture || self.avc.latest().is_none() {
            return Ok(());
        }
        let timestamp_ms = frame.timestamp_ms;
        let continues = !access_unit.begins_picture && self.picture_ms == Some(timestamp_ms);
        self.video_meter.add(frame.now.uptime_ms, timestamp_ms, frame.data.len(), !continues);
        if continues {
            return self.extend_picture(&access_unit);
        }
        self.picture_ms = None;
        let key = key || access_unit.is_idr;
        let place = self.clocks.locate(Track::Video, timestamp_ms);
        if place.jumps {
            self.notices.add(Notice::ClockJumped(Track::Video));
        }
        if place.jumps || key && self.timeline.is_late() {
            self.break_off()?;
        }
        if let Some(length @ 1..=LONGEST_PICTURE_MS) = self.clocks.since_picture(place.ms) {
            self.clocks.set_length(Track::Video, length);
        }
        self.clocks.advance(Track::Video, timestamp_ms, place);
        let theirs_ms = std::mem::replace(&mut frame.timestamp_ms, place.ms);
        let timestamp_ms = place.ms;
        if key {
            self.key_frames.see(timestamp_ms);
        }
        if self.ends_before_video(timestamp_ms, key) {
            self.cut(&frame, key)?;
        }
        if !self.fragment.as_ref().is_some_and(|fragment| fragment.tracks.video) {
            return Ok(());
        }
        let mut is_first = false;
        if let Some(fragment) = &mut self.fragment {
            is_first = fragment.lead_ms.is_none();
            fragment.show(timestamp_ms, composition_ms, self.clocks.picture_ms());
        }
        self.picture_ms = Some(theirs_ms);
        let stamps = self.timeline.stamp_video(timestamp_ms, composition_ms);
        self.timeline.reach(stamps.pts + self.clocks.picture_ms() * TICKS_PER_MS);
        if self.audio.is_stale(stamps.dts) {
            self.write_audio()?;
        }
        let repeats = is_first || self.key_frame_prefix.len() <= MAX_REPEATED;
        let with_prefix = key && repeats;
        let prefix = if with_prefix { &self.key_frame_prefix } else { DELIMITER };
        let units = access_unit.nal_units(!with_prefix).flat_map(|unit| [START_CODE, unit]);
        let output = &mut self.output;
        self.muxer.write(Track::Video, stamps, key, iter::once(prefix).chain(units), &mut |ts| {
            output.write(ts)
        })
    }

    /// Writes more slices of a picture that earlier messages began.
    fn extend_picture(&mut self, access_unit: &AccessUnit<'_>) -> io::Result<()> {
        if self.fragment.is_none() {
            return Ok(());
        }
        let units = access_unit.nal_units(false).flat_map(|unit| [START_CODE, unit]);
        let output = &mut self.output;
        self.muxer.extend(units, &mut |ts| output.write(ts))
    }

    /// Applies parameter sets in the stream, which override those in the header. A
    /// new picture format takes effect at the next key frame; other changes, at the
    /// next picture.
    fn take_parameter_sets(&mut self, access_unit: &AccessUnit<'_>) {
        let mut sets = access_unit.parameter_sets().peekable();
        if sets.peek().is_none() {
            return;
        }
        for set in sets {
            if self.sets.update(set).is_err() {
                self.count_dropped();
            }
        }
        if !self.sets.is_complete() || self.avc.latest() == Some(&self.sets) {
            return;
        }
        match &mut self.avc.current {
            Some(current) if current.sps == self.sets.sps => {
                current.clone_from(&self.sets);
                self.key_frame_prefix = current.key_frame_prefix();
            }
            _ => {}
        }
        self.avc.offer(self.sets.clone());
    }

    fn record_audio(&mut self, mut frame: Frame<'_>) -> io::Result<()> {
        let Some(&config) = self.aac.latest() else { return Ok(()) };
        let Ok(header) = config.adts_header(frame.data.len()) else {
            self.count_dropped();
            return Ok(());
        };
        if frame.data.is_empty() {
            return Ok(());
        }
        let timestamp_ms = frame.timestamp_ms;
        self.audio_meter.add(frame.now.uptime_ms, timestamp_ms, frame.data.len(), true);
        let alone = self.is_audio_alone();
        let place = self.clocks.locate(Track::Audio, timestamp_ms);
        if place.jumps {
            self.notices.add(Notice::ClockJumped(Track::Audio));
        }
        if place.jumps && alone {
            self.break_off()?;
        }
        self.held_audio = false;
        self.clocks.set_length(Track::Audio, config.frame_ms());
        self.clocks.advance(Track::Audio, timestamp_ms, place);
        frame.timestamp_ms = place.ms;
        let timestamp_ms = place.ms;
        if self.ends_before_audio(&frame, alone) {
            self.cut(&frame, false)?;
        }
        // Each ADTS frame contains its format, so a new one need not wait for a
        // key frame; a track that is not in the fragment must.
        if self.aac.current.is_some() && self.aac.adopt() {
            self.is_reformatted = true;
        }
        if self.fragment.is_none() || self.aac.changes() {
            return Ok(());
        }
        let Some(ticks) = self.timeline.stamp_audio(timestamp_ms) else { return Ok(()) };
        if !self.audio.accepts(&config, ticks, frame.data.len()) {
            self.write_audio()?;
        }
        self.audio.push(&config, ticks, header, frame.data);
        self.timeline.reach(self.audio.end());
        if let Some(fragment) = &mut self.fragment {
            fragment.last(timestamp_ms + config.frame_ms());
        }
        if self.audio.is_full() { self.write_audio() } else { Ok(()) }
    }

    fn write_audio(&mut self) -> io::Result<()> {
        let (Some((pts, group)), Some(fragment)) = (self.audio.group(), &self.fragment) else {
            return Ok(());
        };
        let (output, stamps) = (&mut self.output, Stamps { pts, dts: pts });
        // If there is video, only its key frames are random access points.
        let random_access = !fragment.tracks.video;
        self.muxer.write(Track::Audio, stamps, random_access, iter::once(group), &mut |ts| {
            output.write(ts)
        })?;
        self.audio.clear_group();
        Ok(())
    }
}

impl<S: Sink> Drop for Recorder<S> {
    fn drop(&mut self) {
        // Callers that need the error call finish.
        let _ = self.finish();
    }
}

#[cfg(test)]
mod tests;
