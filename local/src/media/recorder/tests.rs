mod bounds;
mod formats;
mod sinks;
mod targets;
mod times;

use super::*;
use crate::media::codec::Codec;
use crate::media::playlist::{self, Fragment};
use crate::media::ts::tscheck::{self, Piece, Report};
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

/// A parameter set with 640x360 at 15 frames per second.
const SPS_360: &str = "6742c016d900a02ff970110000030001000003001e0f162e48";
/// 1920x1080 at 30.
const SPS_1080: &str = "67640028acd940780227e5c044000003000400000300f03c60c658";
/// 322x182 at 29.97.
const SPS_182: &str = "6764000dacd941519e226c04400000fa40003a9803c50a6580";

const AAC_44: &[u8] = &[0x12, 0x10];
const AAC_48: &[u8] = &[0x11, 0x90];

/// The wall clock when the encoder's clock is 0.
const WALL: u64 = 1_795_335_398_123;

/// Returns the time this many milliseconds after that.
fn at(ms: u64) -> Now {
    Now { unix_ms: WALL + ms, uptime_ms: ms }
}

/// Returns a time to which the wall clock was set.
fn set_to(unix_ms: u64) -> Now {
    Now { unix_ms, uptime_ms: 0 }
}

const SETTINGS: RecorderSettings =
    RecorderSettings { frag_duration: 2, last_start_ms: 0, continues: false };

/// A sink that keeps everything in memory.
#[derive(Clone, Default)]
struct Tape(Rc<RefCell<Reel>>);

#[derive(Default)]
struct Reel {
    open: Option<(String, Vec<u8>)>,
    fragments: Vec<(Fragment, Vec<u8>)>,
    /// The state after each fragment.
    states: Vec<PlaylistState>,
    largest_write: usize,
    written: u64,
    /// How many more calls succeed.
    successful_calls: Option<usize>,
}

impl Reel {
    fn call(&mut self) -> io::Result<()> {
        match &mut self.successful_calls {
            Some(0) => Err(io::Error::other("disk full")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Sink for Tape {
    fn begin(&mut self, name: &str) -> io::Result<()> {
        let reel = &mut *self.0.borrow_mut();
        reel.call()?;
        if reel.fragments.iter().any(|(fragment, _)| fragment.name == name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        reel.open = Some((name.into(), Vec::new()));
        Ok(())
    }

    fn write(&mut self, ts: &[u8]) -> io::Result<()> {
        let reel = &mut *self.0.borrow_mut();
        reel.call()?;
        reel.largest_write = reel.largest_write.max(ts.len());
        reel.written += ts.len() as u64;
        reel.open.as_mut().expect("begun").1.extend_from_slice(ts);
        Ok(())
    }

    fn amend(&mut self, position: u64, ts: &[u8]) -> io::Result<()> {
        let reel = &mut *self.0.borrow_mut();
        reel.call()?;
        let position = position as usize;
        let written = &mut reel.open.as_mut().expect("begun").1;
        written[position..position + ts.len()].copy_from_slice(ts);
        Ok(())
    }

    fn state(&self) -> PlaylistState {
        self.0.borrow().states.last().copied().unwrap_or_default()
    }

    fn finish(&mut self, fragment: &Fragment, state: PlaylistState) -> io::Result<()> {
        let reel = &mut *self.0.borrow_mut();
        reel.call()?;
        let (name, bytes) = reel.open.take().expect("begun");
        assert_eq!(name, fragment.name);
        reel.fragments.push((fragment.clone(), bytes));
        reel.states.push(state);
        Ok(())
    }
}

impl Tape {
    fn fragments(&self) -> Vec<Fragment> {
        self.0.borrow().fragments.iter().map(|(fragment, _)| fragment.clone()).collect()
    }

    fn durations(&self) -> Vec<u32> {
        self.fragments().iter().map(|fragment| fragment.duration_ms).collect()
    }

    fn discontinuities(&self) -> Vec<bool> {
        self.fragments().iter().map(|fragment| fragment.discontinuity).collect()
    }

    /// Returns the target duration of the playlist after each fragment.
    fn targets(&self) -> Vec<u64> {
        self.0.borrow().states.iter().map(|state| state.target).collect()
    }

    fn report(&self) -> Report {
        let reel = self.0.borrow();
        let piece = |(fragment, bytes): &'_ (Fragment, Vec<u8>)| (fragment.clone(), bytes.clone());
        let fragments: Vec<_> = reel.fragments.iter().map(piece).collect();
        let pieces: Vec<Piece<'_>> = fragments
            .iter()
            .map(|(fragment, bytes)| Piece {
                name: &fragment.name,
                bytes,
                duration_ms: fragment.duration_ms,
                discontinuity: fragment.discontinuity,
            })
            .collect();
        tscheck::check(&pieces)
    }

    /// Returns the report, which must contain no violations.
    fn clean(&self) -> Report {
        let report = self.report();
        assert!(report.violations.is_empty(), "{:#?}", report.violations);
        report
    }
}

fn recorder(settings: RecorderSettings) -> (Recorder<Tape>, Tape) {
    let tape = Tape::default();
    (Recorder::new(tape.clone(), settings), tape)
}

fn hex(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

fn avc_config(sps: &str) -> Vec<u8> {
    let sps = hex(sps);
    let head = [0x17, 0, 0, 0, 0, 1, sps[1], sps[2], sps[3], 0xFF, 0xE1, 0, sps.len() as u8];
    [&head[..], &sps, &[1, 0, 4, 0x68, 0xCB, 0x83, 0xCB]].concat()
}

fn aac_config(config: &[u8]) -> Vec<u8> {
    [&[0xAF, 0], config].concat()
}

fn nal_units(units: &[&[u8]]) -> Vec<u8> {
    units.iter().flat_map(|unit| [&(unit.len() as u32).to_be_bytes()[..], unit].concat()).collect()
}

fn picture_of(key: bool, composition_ms: i32, units: &[&[u8]]) -> Vec<u8> {
    let [_, c0, c1, c2] = composition_ms.to_be_bytes();
    [&[if key { 0x17 } else { 0x27 }, 1, c0, c1, c2], &nal_units(units)[..]].concat()
}

fn picture(key: bool, size: usize) -> Vec<u8> {
    picture_of(key, 0, &[&vec![if key { 0x65 } else { 0x41 }; size]])
}

fn audio_frame(size: usize) -> Vec<u8> {
    [&[0xAF, 1], &vec![0x21; size][..]].concat()
}

/// An encoder: 25 frames per second with a key frame each second, and 43 audio frames.
struct Encoder {
    video: bool,
    audio: bool,
    key_ms: u64,
    frame_ms: u64,
    /// Its clock at the start.
    clock: u64,
    composition_ms: i32,
}

const ENCODER: Encoder =
    Encoder { video: true, audio: true, key_ms: 1000, frame_ms: 40, clock: 0, composition_ms: 80 };

impl Encoder {
    fn configure(&self, recorder: &mut Recorder<Tape>) {
        if self.video {
            recorder.video(at(0), self.clock, &avc_config(SPS_360)).unwrap();
        }
        if self.audio {
            recorder.audio(at(0), self.clock, &aac_config(AAC_44)).unwrap();
        }
    }

    /// Sends the media of these milliseconds, in order of time; returns the number of video
    /// and audio frames.
    fn send(&self, recorder: &mut Recorder<Tape>, span: Range<u64>) -> (usize, usize) {
        let (mut sent, first) = ((0, 0), span.start);
        let mut audio_frames = (0..).map(|n| n * 1024 * 1000 / 44100).filter(|ms| *ms >= first);
        let mut next_audio = audio_frames.next().unwrap();
        for ms in span {
            if self.video && ms % self.frame_ms == 0 {
                let key = ms % self.key_ms == 0;
                let size = if key { 5000 } else { 700 };
                let slice = vec![if key { 0x65 } else { 0x41 }; size];
                let body = picture_of(key, self.composition_ms, &[&slice]);
                recorder.video(at(ms), self.clock + ms, &body).unwrap();
                sent.0 += 1;
            }
            if self.audio && ms == next_audio {
                recorder.audio(at(ms), self.clock + ms, &audio_frame(200)).unwrap();
                sent.1 += 1;
                next_audio = audio_frames.next().unwrap();
            }
        }
        sent
    }

    fn run(&self, recorder: &mut Recorder<Tape>, span: Range<u64>) -> (usize, usize) {
        self.configure(recorder);
        self.send(recorder, span)
    }
}

/// Checks that the times of each track increase across discontinuities, so that players
/// that join sessions by time find no overlap.
fn assert_increasing_times(report: &Report) {
    for track in [&report.video, &report.audio] {
        assert!(track.dts.is_sorted_by(|before, after| before < after), "{:?}", track.dts);
    }
}

#[test]
fn fragments_start_with_key_frames_and_are_named_after_the_wall_clock() {
    let (mut recorder, tape) = recorder(SETTINGS);
    let sent = ENCODER.run(&mut recorder, 0..7000);
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!(report.video.key_frames, 7);
    assert_eq!((report.video.frames, report.audio.frames), sent, "nothing is lost");
    let starts: Vec<u64> = tape.fragments().iter().map(|f| f.start_ms - WALL).collect();
    assert_eq!(starts, [0, 2000, 4000, 6000]);
    assert_eq!(tape.fragments()[1].name, format!("{}.ts", WALL + 2000));
    assert_eq!(tape.discontinuities(), [false; 4]);
}

#[test]
fn durations_add_up_to_the_total_including_the_last_frame() {
    let (mut recorder, tape) = recorder(SETTINGS);
    let encoder = Encoder { audio: false, frame_ms: 33, key_ms: 33 * 17, ..ENCODER };
    recorder.expect_tracks(Some(true), Some(false));
    encoder.run(&mut recorder, 0..33 * 17 * 50);
    recorder.finish().unwrap();
    tape.clean();
    assert_eq!(tape.durations().iter().sum::<u32>(), 33 * 17 * 50);
}

#[test]
fn a_fragment_ends_at_the_first_key_frame_after_its_duration() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.configure(&mut recorder);
    Encoder { key_ms: 1480, ..ENCODER }.send(&mut recorder, 0..8880);
    recorder.finish().unwrap();
    tape.clean();
    assert_eq!(tape.durations()[..2], [2960, 2960]);
}

#[test]
fn a_key_frame_that_is_early_due_to_rounding_ends_the_fragment() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.configure(&mut recorder);
    for ms in [0, 1000, 1999, 3000, 3998] {
        recorder.video(at(ms), ms, &picture(true, 100)).unwrap();
    }
    recorder.finish().unwrap();
    assert_eq!(tape.durations()[..2], [1999, 1999]);
}

#[test]
fn without_a_key_frame_a_fragment_is_cut_after_a_minute_or_twice_its_duration() {
    for (frag_duration, expected) in [(2, 60_000), (30, 60_000), (40, 80_000)] {
        let (mut recorder, tape) = recorder(RecorderSettings { frag_duration, ..SETTINGS });
        Encoder { key_ms: 1 << 40, ..ENCODER }.run(&mut recorder, 0..170_000);
        recorder.finish().unwrap();
        assert_eq!(tape.durations()[..2], [expected; 2]);
        let violations = tape.report().violations;
        assert!(violations.iter().all(|v| v.ends_with("does not begin with a key frame")));
        assert_eq!(violations.len(), tape.durations().len() - 1);
    }
}

#[test]
fn audio_continues_with_forced_cuts_when_the_video_stops() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.run(&mut recorder, 0..1000);
    Encoder { video: false, ..ENCODER }.send(&mut recorder, 1000..130_000);
    recorder.finish().unwrap();
    assert_eq!(tape.fragments().len(), 3);
    assert_eq!(tape.report().violations, [""; 0]);
    assert!(tape.durations().iter().sum::<u32>().abs_diff(130_000) < 30);
}

#[test]
fn media_before_the_first_key_frame_is_dropped() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.run(&mut recorder, 400..3000);
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!(report.video.frames, 50);
    assert_eq!(tape.fragments()[0].start_ms, WALL + 1000);
    assert!(report.audio.dts[0] >= report.video.dts[0]);
}

#[test]
fn an_audio_only_stream_is_cut_after_the_fragment_duration() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(false), Some(true));
    let (_, audio_frames) = Encoder { video: false, ..ENCODER }.run(&mut recorder, 0..9000);
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!((report.audio.frames, report.video.fragments), (audio_frames, 0));
    assert!(tape.durations()[..4].iter().all(|ms| ms.abs_diff(2000) <= 20 + 24));
}

#[test]
fn without_metadata_the_recorder_waits_two_seconds_for_a_second_track() {
    for (video, audio) in [(true, false), (false, true)] {
        let (mut recorder, tape) = recorder(SETTINGS);
        let encoder = Encoder { video, audio, ..ENCODER };
        let mut sent = encoder.run(&mut recorder, 0..1990);
        assert!(tape.0.borrow().open.is_none());
        sent = {
            let more = encoder.send(&mut recorder, 1990..5000);
            (sent.0 + more.0, sent.1 + more.1)
        };
        recorder.finish().unwrap();
        let report = tape.clean();
        assert_eq!((report.video.frames, report.audio.frames), sent);
        assert_eq!(
            tape.fragments()[0].start_ms,
            WALL,
            "the time when the frame arrived, not when it was written"
        );
        assert_eq!(report.video.fragments > 0, video);
        assert_eq!(report.audio.fragments > 0, audio);
    }
}

#[test]
fn the_recorder_does_not_wait_for_a_track_that_the_metadata_excludes() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(true), Some(false));
    Encoder { audio: false, ..ENCODER }.run(&mut recorder, 0..1000);
    assert!(tape.0.borrow().open.is_some());
}

#[test]
fn the_recorder_waits_only_two_seconds_for_a_track_that_the_metadata_announces() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(true), Some(true));
    let (pictures, _) = Encoder { audio: false, ..ENCODER }.run(&mut recorder, 0..6000);
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!((report.video.frames, report.audio.fragments), (pictures, 0));
}

#[test]
fn a_session_shorter_than_the_wait_is_recorded() {
    let (mut recorder, tape) = recorder(SETTINGS);
    Encoder { audio: false, ..ENCODER }.run(&mut recorder, 0..1000);
    recorder.finish().unwrap();
    assert_eq!(tape.clean().video.frames, 25);
    assert_eq!(tape.durations(), [1000]);
}

#[test]
fn audio_configured_after_the_first_key_frame_loses_nothing() {
    let (mut recorder, tape) = recorder(SETTINGS);
    let encoder = Encoder { audio: false, ..ENCODER };
    let first = encoder.run(&mut recorder, 0..100);
    let rest = ENCODER.run(&mut recorder, 100..3000);
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!(report.video.frames, first.0 + rest.0);
    assert_eq!(report.audio.frames, rest.1);
    assert_eq!(tape.discontinuities(), [false; 2]);
}

#[test]
fn a_late_track_starts_a_new_fragment_at_the_next_key_frame() {
    let (mut recorder, tape) = recorder(SETTINGS);
    Encoder { audio: false, ..ENCODER }.run(&mut recorder, 0..5_500);
    ENCODER.run(&mut recorder, 5_500..9_000);
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!(tape.durations()[..4], [2000, 2000, 2000, 2000]);
    assert_eq!(tape.discontinuities(), [false, false, false, true, false]);
    assert_eq!((report.video.fragments, report.audio.fragments), (5, 2));
}

#[test]
fn late_video_ends_the_audio_only_fragments() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(false), Some(true));
    Encoder { video: false, ..ENCODER }.run(&mut recorder, 0..2_500);
    recorder.video(at(0), 2500, &avc_config(SPS_360)).unwrap();
    ENCODER.send(&mut recorder, 2_500..6_000);
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!(tape.discontinuities(), [false, false, true, false]);
    assert_eq!((report.video.fragments, report.audio.fragments), (2, 4));
    assert_eq!(report.video.key_frames, 3);
}

#[test]
fn a_new_resolution_starts_a_new_fragment_at_the_next_key_frame() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.run(&mut recorder, 0..500);
    recorder.video(at(0), 500, &avc_config(SPS_1080)).unwrap();
    ENCODER.send(&mut recorder, 500..2500);
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!(tape.durations()[0], 1000);
    assert_eq!(tape.discontinuities(), [false, true]);
    let stream = report.video.payload;
    let position = |sps| stream.windows(25).position(|window| window == &hex(sps)[..25]).unwrap();
    assert!(position(SPS_360) < position(SPS_1080));
    let video = recorder.stat(0).video.unwrap();
    assert_eq!((video.width, video.height), (1920, 1080));
}

#[test]
fn a_repeated_configuration_changes_nothing() {
    let (mut recorder, tape) = recorder(SETTINGS);
    for second in 0..4 {
        ENCODER.run(&mut recorder, second * 1000..(second + 1) * 1000);
    }
    recorder.video(at(0), 4000, &avc_config(SPS_1080)).unwrap();
    recorder.video(at(0), 4000, &avc_config(SPS_360)).unwrap();
    ENCODER.send(&mut recorder, 4000..8000);
    recorder.finish().unwrap();
    tape.clean();
    assert_eq!(tape.discontinuities(), [false; 4]);
}

#[test]
fn a_new_format_of_an_audio_only_stream_starts_a_new_fragment_at_once() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(false), None);
    let encoder = Encoder { video: false, ..ENCODER };
    let first = encoder.run(&mut recorder, 0..500);
    recorder.audio(at(0), 500, &aac_config(AAC_48)).unwrap();
    let rest = encoder.send(&mut recorder, 500..1500);
    recorder.finish().unwrap();
    assert_eq!(tape.clean().audio.frames, first.1 + rest.1);
    assert_eq!(tape.discontinuities(), [false, true]);
}

#[test]
fn a_clock_jump_starts_a_new_fragment_and_time_base() {
    for clock in [0, 10_000_000, 4_294_967_000] {
        let (mut recorder, tape) = recorder(SETTINGS);
        Encoder { clock: 5_000_000, ..ENCODER }.run(&mut recorder, 0..2500);
        Encoder { clock, ..ENCODER }.send(&mut recorder, 2500..5000);
        recorder.finish().unwrap();
        let report = tape.clean();
        assert_eq!(tape.discontinuities(), [false, false, true]);
        assert_eq!(tape.durations()[0], 2000);
        assert!(tape.durations()[1].abs_diff(500) < 60, "up to the jump");
        assert_eq!(report.video.frames, 63 + 50, "video after the jump waits for a key frame");
        assert_eq!(tape.fragments()[2].start_ms, WALL + 3000);
    }
}

#[test]
fn a_clock_jump_in_an_audio_only_stream_loses_nothing() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(false), Some(true));
    let encoder = Encoder { video: false, ..ENCODER };
    let first = encoder.run(&mut recorder, 0..1000);
    let rest = Encoder { clock: 1 << 40, ..encoder }.send(&mut recorder, 1000..2000);
    recorder.finish().unwrap();
    assert_eq!(tape.clean().audio.frames, first.1 + rest.1);
    assert_eq!(tape.discontinuities(), [false, true]);
}

#[test]
fn a_single_audio_frame_with_a_wrong_time_affects_nothing_else() {
    let (mut recorder, tape) = recorder(SETTINGS);
    let first = ENCODER.run(&mut recorder, 0..1000);
    recorder.audio(at(0), 900_000, &audio_frame(200)).unwrap();
    recorder.audio(at(0), u64::MAX, &audio_frame(200)).unwrap();
    let rest = ENCODER.send(&mut recorder, 1000..2000);
    recorder.finish().unwrap();
    assert_eq!(tape.clean().audio.frames, first.1 + rest.1 + 2);
    assert_eq!(recorder.dropped(), 0);
}

#[test]
fn decoding_times_increase_despite_repeated_and_decreasing_timestamps() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.configure(&mut recorder);
    for (ms, key) in [(0, true), (40, false), (40, false), (40, false), (20, false), (80, false)] {
        // Each is a separate picture, since its slice starts at the first macroblock.
        let body = picture_of(key, 0, &[&[if key { 0x65 } else { 0x41 }, 0x88, 0x84]]);
        recorder.video(at(0), ms, &body).unwrap();
        recorder.audio(at(0), ms, &audio_frame(50)).unwrap();
    }
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!((report.video.frames, report.audio.frames), (6, 6));
    let first = report.video.dts[0];
    let dts: Vec<u64> = report.video.dts.iter().map(|dts| dts - first).collect();
    assert_eq!(dts, [0, 3600, 3601, 3602, 3603, 7200]);
}

#[test]
fn composition_offsets_are_used_within_limits() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(true), Some(false));
    recorder.video(at(0), 0, &avc_config(SPS_1080)).unwrap();
    for (n, composition_ms) in [80, 0, -40, 8_000_000, -8_000_000, 33].into_iter().enumerate() {
        let body = picture_of(n == 0, composition_ms, &[&[if n == 0 { 0x65 } else { 0x41 }; 9]]);
        recorder.video(at(0), n as u64 * 40, &body).unwrap();
    }
    recorder.finish().unwrap();
    let composed = tape.report().video.composition;
    assert_eq!(composed, [25_200, 18_000, 14_400, 918_000, 0, 20_970], "200 ms ahead");
}

#[test]
fn in_band_parameter_sets_and_delimiters_are_not_written_twice() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.configure(&mut recorder);
    let sps = hex(SPS_360);
    let key = [&b"\x09\x10"[..], b"\x06sei", &sps, b"\x68\xCB\x83\xCB", b"\x65idr"];
    recorder.video(at(0), 0, &picture_of(true, 0, &key)).unwrap();
    recorder.video(at(0), 40, &picture_of(false, 0, &[b"\x09\x30", b"\x41slice"])).unwrap();
    recorder.finish().unwrap();
    let code = START_CODE;
    let expected = [
        &[DELIMITER, code, &sps, code, b"\x68\xCB\x83\xCB", code, b"\x06sei", code, b"\x65idr"][..],
        &[DELIMITER, code, b"\x41slice"],
    ];
    assert_eq!(tape.clean().video.payload, expected.concat().concat());
}

#[test]
fn an_idr_frame_is_a_key_frame_even_without_the_flv_flag() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.configure(&mut recorder);
    recorder.video(at(0), 0, &picture_of(false, 0, &[b"\x65idr"])).unwrap();
    recorder.finish().unwrap();
    assert_eq!(tape.clean().video.key_frames, 1);
}

#[test]
fn messages_without_a_picture_are_skipped() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.run(&mut recorder, 0..1000);
    let sets = picture_of(true, 0, &[&hex(SPS_360), b"\x68\xCB\x83\xCB"]);
    for body in [sets, vec![0x17, 2, 0, 0, 0], vec![0x57, 0]] {
        recorder.video(at(0), 1000, &body).unwrap();
    }
    recorder.audio(at(0), 1000, &audio_frame(0)).unwrap();
    recorder.finish().unwrap();
    assert_eq!((tape.clean().video.frames, recorder.dropped()), (25, 0));
}

#[test]
fn a_session_after_others_starts_with_a_discontinuity() {
    let (mut first, tape) = recorder(SETTINGS);
    ENCODER.run(&mut first, 0..3000);
    first.finish().unwrap();
    let last_start_ms = tape.fragments().last().unwrap().start_ms;
    let settings = RecorderSettings { last_start_ms, continues: true, ..SETTINGS };
    let mut second = Recorder::new(tape.clone(), settings);
    second.video(at(0), 0, &avc_config(SPS_1080)).unwrap();
    second.audio(at(0), 0, &aac_config(AAC_48)).unwrap();
    ENCODER.send(&mut second, 0..3000);
    second.finish().unwrap();
    let report = tape.clean();
    assert_eq!(tape.discontinuities(), [false, false, true, false]);
    assert_eq!(report.video.composition, [7200; 150]);
    assert_increasing_times(&report);
}

#[test]
fn the_last_audio_is_written_before_the_clock_passes_it() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.run(&mut recorder, 0..10);
    Encoder { audio: false, ..ENCODER }.send(&mut recorder, 10..1900);
    recorder.finish().unwrap();
    assert_eq!(tape.clean().audio.frames, 1);
}

#[test]
fn dropping_the_recorder_finishes_the_fragment_once() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.run(&mut recorder, 0..500);
    drop(recorder);
    assert_eq!(tape.clean().video.frames, 13);
    assert_eq!(tape.fragments().len(), 1);
}

#[test]
fn messages_after_the_end_are_ignored() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.run(&mut recorder, 0..500);
    recorder.finish().unwrap();
    ENCODER.run(&mut recorder, 500..3000);
    recorder.finish().unwrap();
    drop(recorder);
    assert_eq!(tape.fragments().len(), 1);
}

#[test]
fn a_session_without_media_writes_nothing() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.configure(&mut recorder);
    recorder.finish().unwrap();
    assert!(tape.fragments().is_empty() && tape.0.borrow().open.is_none());
    assert_eq!(recorder.stat(0), StreamStat::default());
}

#[test]
fn frames_without_a_configuration_are_not_recorded() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.send(&mut recorder, 0..5000);
    recorder.finish().unwrap();
    assert!(tape.fragments().is_empty());
    assert_eq!(recorder.stat(0), StreamStat::default());
}

#[test]
fn other_codecs_are_refused_by_name() {
    let (mut recorder, _) = recorder(SETTINGS);
    let refusal = |result: Result<(), RecordError>| result.unwrap_err().to_string();
    assert_eq!(
        refusal(recorder.video(at(0), 0, b"\x90hvc1\x01")),
        "HEVC (hvc1) video is not supported: only H.264 video and AAC audio are"
    );
    assert!(refusal(recorder.audio(at(0), 0, &[0x2F, 0xFF])).starts_with("MP3 audio is not"));
    let eld = refusal(recorder.audio(at(0), 0, &[0xAF, 0, 0xF8, 0xE8, 0x50, 0]));
    assert!(eld.starts_with("AAC-ELD audio is not supported"), "{eld}");
}

#[test]
fn malformed_messages_are_dropped_and_counted() {
    let (mut recorder, tape) = recorder(SETTINGS);
    let mut sent = ENCODER.run(&mut recorder, 0..1000);
    recorder.video(at(0), 1000, &[]).unwrap();
    recorder.video(at(0), 1000, &[0x17, 0, 0, 0, 0, 1]).unwrap();
    recorder.video(at(0), 1000, &[0x17, 1, 0, 0, 0, 0, 0, 0, 9, 0x65]).unwrap();
    recorder.audio(at(0), 1000, &[0xAF]).unwrap();
    recorder.audio(at(0), 1000, &[0xAF, 0, 0x12]).unwrap();
    recorder.audio(at(0), 1000, &audio_frame(9000)).unwrap();
    assert_eq!(recorder.dropped(), 6);
    sent.0 += ENCODER.send(&mut recorder, 1000..2000).0;
    recorder.finish().unwrap();
    assert_eq!(tape.clean().video.frames, sent.0);
}

#[test]
fn a_stream_continues_when_its_clock_wraps() {
    let (mut recorder, tape) = recorder(RecorderSettings { frag_duration: 600, ..SETTINGS });
    recorder.expect_tracks(Some(true), Some(false));
    recorder.video(at(0), 0, &avc_config(SPS_360)).unwrap();
    let hours_27 = 27 * 3600;
    for second in 0..hours_27 {
        recorder.video(at(second * 1000), second * 1000, &picture(true, 10)).unwrap();
    }
    recorder.finish().unwrap();
    let report = tape.clean();
    assert!(report.video.dts.windows(2).any(|pair| pair[1] < pair[0]), "it wraps");
    assert_eq!(tape.durations().iter().map(|ms| u64::from(*ms)).sum::<u64>(), hours_27 * 1000);
}

#[test]
fn bandwidth_is_bytes_per_second_and_initially_0() {
    let (mut recorder, _tape) = recorder(SETTINGS);
    ENCODER.run(&mut recorder, 0..700);
    let stat = recorder.stat(700);
    assert_eq!(stat.video.unwrap().bandwidth, 0);
    assert_eq!(stat.audio, Some(AudioStat { codec: Codec::Aac, bandwidth: 0, sample_rate: 44100 }));
    ENCODER.send(&mut recorder, 700..10_000);
    let stat = recorder.stat(9_999);
    assert!(stat.video.unwrap().bandwidth.abs_diff(5000 + 24 * 700 + 25 * 4) < 10);
    assert!(stat.audio.unwrap().bandwidth.abs_diff(43 * 200) < 100);
}

#[test]
fn a_track_that_stops_has_no_bandwidth() {
    let (mut recorder, _tape) = recorder(SETTINGS);
    ENCODER.run(&mut recorder, 0..10_000);
    Encoder { audio: false, ..ENCODER }.send(&mut recorder, 10_000..16_000);
    let stat = recorder.stat(16_000);
    assert_eq!(stat.audio, Some(AudioStat { codec: Codec::Aac, bandwidth: 0, sample_rate: 44100 }));
    assert_eq!(stat.video.unwrap().frame_rate, 25);
    let video = recorder.stat(22_000).video.unwrap();
    assert_eq!((video.width, video.frame_rate, video.bandwidth), (640, 0, 0));
}

/// Returns the measured frame rate after ten seconds at `rate` with `jitter` milliseconds.
fn frame_rate_of(sps: &str, rate: f64, jitter: u64) -> u32 {
    let (mut recorder, _tape) = recorder(SETTINGS);
    recorder.video(at(0), 0, &avc_config(sps)).unwrap();
    for n in 0..(rate * 10.0) as u64 {
        let ms = (n as f64 * 1000.0 / rate) as u64 + n * 7 % (jitter + 1);
        recorder.video(at(ms), ms, &picture(n % 50 == 0, 10)).unwrap();
    }
    recorder.stat(10_000).video.unwrap().frame_rate
}

#[test]
fn the_frame_rate_in_the_stream_is_used_if_it_is_about_right() {
    assert_eq!(frame_rate_of(SPS_1080, 30.0, 8), 30);
    assert_eq!(frame_rate_of(SPS_182, 30000.0 / 1001.0, 8), 29);
}

#[test]
fn the_frame_rate_is_measured_if_the_one_in_the_stream_is_wrong() {
    assert_eq!(frame_rate_of(SPS_360, 30.0, 0), 30);
    assert_eq!(frame_rate_of(SPS_360, 30000.0 / 1001.0, 0), 29);
    assert_eq!(frame_rate_of(SPS_360, 24.0, 0), 24);
    assert_eq!(frame_rate_of(SPS_1080, 60.0, 0), 60);
}

/// A random number generator (xorshift), the same in every run.
struct Noise(u64);

impl Noise {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn damage(&mut self, body: &[u8]) -> Vec<u8> {
        let mut body = body.to_vec();
        for _ in 0..self.below(4) {
            match self.below(4) {
                0 => body.truncate(self.below(body.len() + 1)),
                1 => body.insert(self.below(body.len() + 1), self.below(256) as u8),
                _ if body.is_empty() => {}
                _ => {
                    let at = self.below(body.len().min(60));
                    body[at] = self.below(256) as u8;
                }
            }
        }
        body
    }
}

#[test]
fn random_input_never_makes_the_recorder_panic_or_buffer_too_much() {
    let bodies = [
        (true, avc_config(SPS_360)),
        (true, avc_config(SPS_1080)),
        (true, picture(true, 3000)),
        (true, picture(false, 300)),
        (true, picture_of(false, 80, &[b"\x06sei", b"\x41slice", b"\x41slice"])),
        (true, b"\x93avc1\0\0\0\x01\x65".to_vec()),
        (false, aac_config(AAC_44)),
        (false, aac_config(AAC_48)),
        (false, audio_frame(200)),
        (false, audio_frame(2000)),
    ];
    let (mut noise, mut clock) = (Noise(0x9E37_79B9_7F4A_7C15), 0u64);
    for _ in 0..10 {
        let (mut recorder, tape) = recorder(SETTINGS);
        for _ in 0..2000 {
            let (is_video, body) = &bodies[noise.below(bodies.len())];
            let body = noise.damage(body);
            clock = match noise.below(50) {
                0 => noise.0,
                1 => clock.saturating_sub(noise.below(20_000) as u64),
                2 => clock.saturating_add(noise.below(80_000) as u64),
                _ => clock.saturating_add(noise.below(50) as u64),
            };
            let now = noise.0 % (1 << 42);
            let _ = match is_video {
                true => recorder.video(set_to(now), clock, &body),
                false => recorder.audio(set_to(now), clock, &body),
            };
            recorder.stat(now);
        }
        recorder.finish().unwrap();
        assert!(tape.0.borrow().largest_write <= 128 * 1024);
        let mut names: Vec<u64> = tape.fragments().iter().map(|f| f.start_ms).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "no name is used twice");
        let broken = |v: &&String| {
            // The pictures are random too, but the packets around them are not.
            ["sync", "number of packets", "jumps", "rise", "before it is", "PAT", "PMT", "PES"]
                .iter()
                .any(|words| v.contains(words))
        };
        let violations = tape.report().violations;
        assert_eq!(violations.iter().filter(broken).count(), 0, "{violations:#?}");
    }
}

#[test]
fn random_input_never_makes_the_parsers_panic() {
    let mut noise = Noise(88_172_645_463_325_252);
    let mut file = b"FLV\x01\x05\0\0\0\x09\0\0\0\0".to_vec();
    file.extend_from_slice(b"\x09\0\0\x05\0\0\0\0\0\0\0hello\0\0\0\x10");
    file.extend_from_slice(b"\x08\0\0\x02\0\0\0\0\0\0\0ab\0\0\0\x0D");
    let seeds = [avc_config(SPS_1080)[5..].to_vec(), hex(SPS_182), AAC_48.to_vec(), file];
    for round in 0..20_000 {
        let bytes = noise.damage(&seeds[round % seeds.len()]);
        let _ = flv::video(&bytes).is_ok() | flv::audio(&bytes).is_ok();
        let _ = AvcConfig::parse(&bytes).is_ok() | AacConfig::parse(&bytes).is_ok();
        let _ = crate::media::avc::Picture::from_sps(&bytes).is_ok();
        let _ = AccessUnit::parse(&bytes, 1 + round % 4).map(|unit| unit.nal_units(true).count());
        if let Ok(tags) = flv::Reader::new(&bytes[..]) {
            assert!(tags.count() <= bytes.len());
        }
    }
}

#[test]
fn an_interrupted_stream_lasts_until_its_last_picture_in_presentation_order() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(true), Some(false));
    recorder.video(at(0), 0, &avc_config(SPS_360)).unwrap();
    // In decoding order, presented as I B B P; interrupted after the next P.
    for (number, composition_ms) in [(0, 80), (1, 160), (2, 40), (3, 40), (4, 160)] {
        let ms = number * 40;
        let slice = vec![if number == 0 { 0x65 } else { 0x41 }; 700];
        let body = picture_of(number == 0, composition_ms, &[&slice]);
        recorder.video(at(ms), ms, &body).unwrap();
    }
    recorder.finish().unwrap();
    tape.clean();
    assert_eq!(tape.durations(), [320 + 40 - 80]);
}

#[test]
fn a_stream_lasts_until_its_last_picture_is_decoded() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(true), Some(false));
    recorder.video(at(0), 0, &avc_config(SPS_360)).unwrap();
    // Presentation is delayed at first, and then no longer.
    for (number, composition_ms) in [(0, 80), (1, 0), (2, 0), (3, 0), (4, 0)] {
        let body = picture_of(
            number == 0,
            composition_ms,
            &[if number == 0 { b"\x65idr" } else { b"\x41abc" }],
        );
        recorder.video(at(number * 40), number * 40, &body).unwrap();
    }
    recorder.finish().unwrap();
    assert_eq!(tape.durations(), [200]);
}

#[test]
fn the_clock_of_the_next_session_starts_where_the_last_frame_ends() {
    for (video, audio) in [(true, false), (false, true)] {
        let (mut recorder, tape) = recorder(SETTINGS);
        recorder.expect_tracks(Some(video), Some(audio));
        Encoder { video, audio, ..ENCODER }.run(&mut recorder, 0..1000);
        recorder.finish().unwrap();
        let report = tape.clean();
        let clock = tape.0.borrow().states[0].clock;
        if video {
            assert_eq!(clock, report.video.dts[24] + (80 + 40) * TICKS_PER_MS);
        } else {
            let frames = report.audio.frames as u64;
            assert_eq!(clock, report.audio.dts[0] + frames * 1024 * 90_000 / 44100);
        }
    }
}

#[test]
fn media_held_back_is_counted_until_it_is_recorded() {
    let (mut recorder, _tape) = recorder(SETTINGS);
    ENCODER.configure(&mut recorder);
    assert_eq!(recorder.held(), 0);
    recorder.video(at(0), 0, &picture(true, 5000)).unwrap();
    assert!(recorder.held() >= 5000);
    recorder.finish().unwrap();
    assert_eq!(recorder.held(), 0);
}

/// Returns for each PES packet of a PID whether it is marked as a random access point.
fn random_access(tape: &Tape, pid: u16) -> Vec<bool> {
    let reel = tape.0.borrow();
    let packets = reel.fragments.iter().flat_map(|(_, bytes)| bytes.chunks_exact(188));
    packets
        .filter(|packet| packet[1] & 0x40 != 0)
        .filter(|packet| u16::from_be_bytes([packet[1] & 0x1F, packet[2]]) == pid)
        .map(|packet| packet[3] & 0x20 != 0 && packet[4] > 0 && packet[5] & 0x40 != 0)
        .collect()
}

#[test]
fn audio_packets_are_random_access_points_only_without_video() {
    for video in [true, false] {
        let (mut recorder, tape) = recorder(SETTINGS);
        recorder.expect_tracks(Some(video), Some(true));
        Encoder { video, ..ENCODER }.run(&mut recorder, 0..1000);
        recorder.finish().unwrap();
        let marks = random_access(&tape, 0x101);
        assert!(marks.len() > 5 && marks.iter().all(|mark| *mark != video), "{marks:?}");
    }
}

#[test]
fn audio_waits_for_video_whose_configuration_is_late() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.audio(at(0), 0, &aac_config(AAC_44)).unwrap();
    ENCODER.send(&mut recorder, 0..3000);
    recorder.video(at(3000), 3000, &avc_config(SPS_360)).unwrap();
    ENCODER.send(&mut recorder, 3000..5000);
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!((report.video.fragments, report.audio.fragments), (1, 1));
    assert_eq!(tape.fragments()[0].start_ms, WALL + 3000);
}
