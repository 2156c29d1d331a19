//! The recorder: FLV bodies in, fragments of a transport stream out.

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

/// How long the first key frame may keep everything waiting.
const KEY_FRAME_MS: u64 = 60_000;

/// A stream that begins with so many messages that cannot be read is given up.
const MAX_DROPPED: u64 = 500;

const BYTE_STREAM: RecordError = RecordError::Unusable(
    "H.264 with start codes (Annex B) is not supported: NAL units need their lengths in front",
);

/// Longer parameter sets are written once in a fragment, not for each key frame.
const MAX_REPEATED: usize = 1024;

/// Larger timestamps mean nothing; below it, arithmetic cannot overflow.
const MAX_TIMESTAMP_MS: u64 = 1 << 48;

/// What a recorder has to know of its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecorderSettings {
    /// How much media a fragment should hold, in seconds; 0 counts as 1.
    pub frag_duration: u32,
    /// When the channel's newest fragment began, in Unix milliseconds; 0 if there
    /// is none. Names keep rising from it if the clock is set back a little.
    pub last_start_ms: u64,
    /// Whether earlier sessions left fragments: the first one of this session is
    /// then a discontinuity.
    pub continues: bool,
}

/// Why a recording cannot go on.
#[derive(Debug)]
pub enum RecordError {
    /// A codec other than H.264 and AAC, named for a person.
    Unsupported(String),
    /// A stream of which nothing can be recorded, and why.
    Unusable(&'static str),
    /// The sink's error.
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

impl std::error::Error for RecordError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            RecordError::Unsupported(_) | RecordError::Unusable(_) => None,
            RecordError::Io(error) => Some(error),
        }
    }
}

impl From<io::Error> for RecordError {
    fn from(error: io::Error) -> Self {
        RecordError::Io(error)
    }
}

/// What a session carries at the moment: a track is there once its
/// configuration and a first frame have arrived.
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
    /// Frames per second, rounded down; 0 while unknown, or while none arrive.
    pub frame_rate: u32,
    /// Bytes per second, a mean over the last five seconds of real time; 0 right
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
/// A fragment ends at the first key frame after the fragment duration, and without
/// one after max(twice that, 60 s), as OSS documents. The first fragment fixes the
/// target duration of the playlist; one that would exceed it ends without a key
/// frame, and the one behind it with the next. Each begins with the program tables
/// of just what it holds and, but for such forced cuts, with a key frame; its name
/// is the wall clock's milliseconds. Names rise, unless the wall clock is set back
/// by more than a minute: they follow it then, with a discontinuity. Media before
/// the first key frame is dropped. A stream without video is cut after the fragment
/// duration.
///
/// A track that changes its format or turns up late is taken over by a new
/// fragment, marked as a discontinuity, at the next key frame. When the
/// encoder's clock jumps, a new fragment and a new time base begin likewise.
/// Messages that break the format are dropped and counted, see
/// [`dropped`](Self::dropped).
///
/// What is written stays in proportion to what was received and to the time that
/// passed, if the caller takes no message before the [`wait`](Self::wait) is over.
///
/// Dropping the recorder finishes its fragment.
pub struct Recorder<S: Sink> {
    output: Output<S>,
    frag_duration_ms: u64,
    last_start_ms: u64,
    /// Whether the next fragment does not continue the one before it.
    seam: bool,
    opening: Option<Opening>,
    finished: bool,
    /// The newest parameter sets, which may not suffice to begin with.
    sets: AvcConfig,
    avc: Format<AvcConfig>,
    aac: Format<AacConfig>,
    key_frame_prefix: Vec<u8>,
    clocks: Clocks,
    timeline: Timeline,
    /// The encoder's time of the picture in the fragment that may have more slices.
    picture_ms: Option<u64>,
    audio: AudioQueue,
    /// Whether audio was held back that has no place yet.
    hears_audio: bool,
    /// Whether pictures were held back, at the beginning.
    sees_video: bool,
    /// Whether the audio has another format than when its fragment began.
    is_reformatted: bool,
    muxer: Muxer,
    fragment: Option<OpenFragment>,
    /// What the last fragment held.
    last_tracks: Option<Tracks>,
    /// The target duration of the playlist, in seconds, once this session has
    /// listed a fragment.
    target: Option<u64>,
    key_frames: KeyFrames,
    video_meter: Meter,
    audio_meter: Meter,
    dropped: u64,
    notices: Notices,
}

impl<S: Sink> Recorder<S> {
    /// A recorder that has received nothing.
    pub fn new(sink: S, settings: RecorderSettings) -> Self {
        Recorder {
            output: Output::new(sink),
            frag_duration_ms: u64::from(settings.frag_duration.max(1)) * 1000,
            last_start_ms: settings.last_start_ms,
            seam: settings.continues,
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
            hears_audio: false,
            sees_video: false,
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

    /// How many bytes of media are held back until the tracks are known.
    pub(crate) fn held(&self) -> usize {
        self.opening.as_ref().map_or(0, Opening::size)
    }

    /// Takes in what the metadata claims about the tracks; `None` is no claim.
    ///
    /// Until the configurations of all tracks have arrived that are not denied
    /// here, and the order of the pictures shows, up to two seconds of media are
    /// held back.
    pub fn expect_tracks(&mut self, video: Option<bool>, audio: Option<bool>) {
        if let Some(opening) = &mut self.opening {
            opening.expect(video, audio);
        }
    }

    /// Records the body of a video message that is to be decoded at `timestamp_ms`
    /// by the encoder's clock.
    ///
    /// # Errors
    ///
    /// A codec other than H.264, video that cannot be recorded, or an error of the
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

    /// Records the body of an audio message, as [`video`](Self::video) does.
    ///
    /// # Errors
    ///
    /// A codec other than AAC, or an error of the sink.
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

    /// Ends the recording with its last fragment. What comes later is ignored.
    ///
    /// # Errors
    ///
    /// An error of the sink.
    pub fn finish(&mut self) -> io::Result<()> {
        let finished = self.open().and_then(|()| self.finish_fragment(self.media_end()));
        self.finished = true;
        self.settle(finished)
    }

    /// Size, rates and codec parameters at `uptime_ms`, see [`Now`].
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

    /// How many messages were dropped because they break the format or lie far
    /// off the session's clock.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// What was unusual about the stream since this was last asked.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.notices.take()
    }

    /// How long to wait before the next message is taken or the recorder is
    /// dropped, after messages that cost far more disk than they have bytes.
    ///
    /// A live stream never has to wait, nor does a file of usual media that is
    /// sent as fast as the network allows. It is less than a few seconds.
    pub fn wait(&self) -> Duration {
        Duration::from_millis(self.output.wait_ms())
    }

    /// Where the recording goes.
    pub fn sink(&self) -> &S {
        &self.output.sink
    }

    /// How many bytes have arrived and are held back.
    fn pending(&self) -> usize {
        self.opening.as_ref().map_or(0, Opening::pending)
    }

    fn drop_message(&mut self) -> Result<(), RecordError> {
        self.count_dropped();
        if self.dropped >= MAX_DROPPED && !self.has_begun() {
            return Err(RecordError::Unusable("no message of the stream can be read"));
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

    /// What nothing would ever be recorded of is refused in words.
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
            // Frames held back belong to the configuration before this one.
            let opened = self.open();
            self.settle(opened)?;
        }
        format(self).offer(config);
        Ok(())
    }

    fn configure_video(&mut self, sets: AvcConfig) -> Result<(), RecordError> {
        self.sets = sets.clone();
        // Others send the parameter sets with their key frames.
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

    /// Goes on with the tracks there are.
    fn open(&mut self) -> io::Result<()> {
        let Some(opening) = self.opening.take() else { return Ok(()) };
        self.timeline.expect_early(opening.early_ms());
        self.timeline.expect_lag(opening.lag_ms());
        self.muxer.expect_lag(opening.lag_ms());
        self.hears_audio = opening.has_audio;
        self.sees_video = opening.has_video;
        opening.into_held().try_for_each(|held| self.record(held.frame()))
    }

    /// After an error, the fragment lacks something and must not be finished.
    fn settle(&mut self, result: io::Result<()>) -> io::Result<()> {
        if result.is_err() {
            self.fragment = None;
            self.picture_ms = None;
            self.audio.clear_group();
            self.seam = true;
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

    /// Writes slices of the picture of which others came in messages before.
    fn extend_picture(&mut self, access_unit: &AccessUnit<'_>) -> io::Result<()> {
        if self.fragment.is_none() {
            return Ok(());
        }
        let units = access_unit.nal_units(false).flat_map(|unit| [START_CODE, unit]);
        let output = &mut self.output;
        self.muxer.extend(units, &mut |ts| output.write(ts))
    }

    /// Parameter sets within the stream win over those of the header. A picture
    /// of another kind begins with the next key frame; another way of coding it,
    /// with the next picture.
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
        self.hears_audio = false;
        self.clocks.set_length(Track::Audio, config.frame_ms());
        self.clocks.advance(Track::Audio, timestamp_ms, place);
        frame.timestamp_ms = place.ms;
        let timestamp_ms = place.ms;
        if self.ends_before_audio(&frame, alone) {
            self.cut(&frame, false)?;
        }
        // Each frame of ADTS tells its format, so that another one need not wait
        // for a key frame; a track that the fragment lacks does.
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
        // Beside video, the video alone says where decoding can start.
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
        // Whoever wants to know of an error calls finish.
        let _ = self.finish();
    }
}

#[cfg(test)]
mod tests;
