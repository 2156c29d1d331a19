//! Formats that change in the stream or are specified only there.

use super::*;

const PPS: &[u8] = b"\x68\xCB\x83\xCB";
const OTHER_PPS: &[u8] = b"\x68\xCE\x3C\x80";

fn key_with(sets: &[&[u8]]) -> Vec<u8> {
    picture_of(true, 0, &[sets, &[&[0x65; 500]]].concat())
}

/// Returns the first position of a parameter set in the video, if any.
fn position(report: &Report, set: &[u8]) -> Option<usize> {
    report.video.payload.windows(set.len()).position(|window| window == set)
}

/// Sends a second of pictures, of which the first is `key`.
fn second(recorder: &mut Recorder<Tape>, ms: u64, key: &[u8]) {
    recorder.video(at(ms), ms, key).unwrap();
    for ms in (ms + 40..ms + 1000).step_by(40) {
        recorder.video(at(ms), ms, &picture(false, 100)).unwrap();
    }
}

#[test]
fn new_in_band_parameter_sets_start_a_fragment() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(true), Some(false));
    recorder.video(at(0), 0, &avc_config(SPS_360)).unwrap();
    second(&mut recorder, 0, &key_with(&[]));
    second(&mut recorder, 1000, &key_with(&[&hex(SPS_1080), OTHER_PPS]));
    second(&mut recorder, 2000, &key_with(&[]));
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!(tape.discontinuities(), [false, true]);
    assert_eq!(report.video.frames, 75);
    let (first, later) = (position(&report, &hex(SPS_360)), position(&report, &hex(SPS_1080)));
    assert!(first.unwrap() < later.unwrap());
    let after = &report.video.payload[later.unwrap()..];
    let count = |set: &[u8]| after.windows(set.len()).filter(|window| window == &set).count();
    assert_eq!((count(&hex(SPS_1080)), count(OTHER_PPS)), (2, 2), "before both key frames");
    assert_eq!((count(&hex(SPS_360)), count(PPS)), (0, 0));
    assert_eq!(recorder.stat(0).video.unwrap().width, 1920);
}

#[test]
fn a_message_with_only_parameter_sets_applies_to_the_next_key_frame() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(true), Some(false));
    recorder.video(at(0), 0, &avc_config(SPS_360)).unwrap();
    second(&mut recorder, 0, &key_with(&[]));
    let sets = picture_of(true, 0, &[&hex(SPS_1080), OTHER_PPS]);
    recorder.video(at(1000), 1000, &sets).unwrap();
    second(&mut recorder, 1000, &key_with(&[]));
    recorder.finish().unwrap();
    assert!(position(&tape.clean(), &hex(SPS_1080)).is_some());
    assert_eq!(tape.discontinuities(), [false, true]);
}

#[test]
fn new_picture_parameter_sets_do_not_cause_a_discontinuity() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(true), Some(false));
    recorder.video(at(0), 0, &avc_config(SPS_360)).unwrap();
    for n in 0..6 {
        second(&mut recorder, n * 1000, &key_with(&[if n % 2 == 0 { OTHER_PPS } else { PPS }]));
    }
    // In the middle of a group of pictures, it is written before its picture.
    let inter = picture_of(false, 0, &[OTHER_PPS, &[0x41; 50]]);
    recorder.video(at(6000), 6000, &inter).unwrap();
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!(tape.discontinuities(), [false; 3]);
    assert!(
        report.video.payload.ends_with(&[START_CODE, OTHER_PPS, START_CODE, &[0x41; 50]].concat())
    );
}

#[test]
fn a_repeated_header_does_not_override_in_band_parameter_sets() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(true), Some(false));
    let key = key_with(&[&hex(SPS_1080), OTHER_PPS]);
    for n in 0..4 {
        recorder.video(at(n * 1000), n * 1000, &avc_config(SPS_360)).unwrap();
        second(&mut recorder, n * 1000, &key);
    }
    recorder.finish().unwrap();
    tape.clean();
    assert_eq!(tape.discontinuities(), [false; 2]);
}

#[test]
fn parameter_sets_may_be_sent_only_with_key_frames() {
    let mut empty = avc_config(SPS_360);
    empty.truncate(10);
    empty.extend_from_slice(&[0xE0, 0]);
    for header in [Some(empty), None] {
        let (mut recorder, tape) = recorder(SETTINGS);
        recorder.expect_tracks(Some(true), Some(false));
        if let Some(header) = header {
            recorder.video(at(0), 0, &header).unwrap();
        }
        for n in 0..4 {
            second(&mut recorder, n * 1000, &key_with(&[&hex(SPS_360), PPS]));
        }
        recorder.finish().unwrap();
        assert_eq!(tape.clean().video.frames, 100);
        assert_eq!(tape.discontinuities(), [false; 2]);
        assert_eq!(recorder.stat(0).video.unwrap().width, 640);
        assert_eq!(recorder.dropped(), 0);
    }
}

#[test]
fn adts_headers_in_audio_messages_are_not_written_twice() {
    for header in [Some(AAC_44), None] {
        let (mut recorder, tape) = recorder(SETTINGS);
        recorder.expect_tracks(Some(false), Some(true));
        if let Some(header) = header {
            recorder.audio(at(0), 0, &aac_config(header)).unwrap();
        }
        let frame =
            [&AacConfig::parse(AAC_44).unwrap().adts_header(100).unwrap()[..], &[0x21; 100]];
        let message = [&[0xAF, 1], &frame.concat()[..]].concat();
        for n in 0..100 {
            let ms = n * 1024 * 1000 / 44100;
            recorder.audio(at(ms), ms, &message).unwrap();
        }
        recorder.finish().unwrap();
        let report = tape.clean();
        assert_eq!(report.audio.frames, 100);
        assert_eq!(report.audio.payload.len(), 100 * 107);
        assert_eq!(recorder.stat(0).audio.unwrap().sample_rate, 44100);
    }
}

#[test]
fn several_adts_frames_in_a_message_have_separate_times() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(false), Some(true));
    let frame = [&AacConfig::parse(AAC_44).unwrap().adts_header(100).unwrap()[..], &[0x21; 100]];
    let message = [&[0xAF, 1], &frame.concat().repeat(4)[..]].concat();
    for n in 0..25 {
        let ms = n * 4 * 1024 * 1000 / 44100;
        recorder.audio(at(ms), ms, &message).unwrap();
    }
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!(report.audio.frames, 100);
    assert!(tape.durations().iter().sum::<u32>().abs_diff(100 * 1024 * 1000 / 44100) < 30);
}

#[test]
fn a_new_audio_format_loses_nothing_and_starts_a_fragment_at_the_next_key_frame() {
    let (mut recorder, tape) = recorder(SETTINGS);
    let mut sent = ENCODER.run(&mut recorder, 0..500).1;
    recorder.audio(at(500), 500, &aac_config(AAC_48)).unwrap();
    sent += ENCODER.send(&mut recorder, 500..1500).1;
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!(tape.discontinuities(), [false, true]);
    let rates: Vec<u8> = report.audio.payload.chunks(207).map(|f| f[2] >> 2 & 15).collect();
    assert_eq!(rates.len(), sent);
    assert_eq!(rates, [vec![4; 22], vec![3; sent - 22]].concat());
    assert_eq!(recorder.stat(0).audio.unwrap().sample_rate, 48000);
}

#[test]
fn audio_is_announced_only_in_fragments_that_contain_it() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.configure(&mut recorder);
    let silent = Encoder { audio: false, ..ENCODER };
    silent.send(&mut recorder, 0..6000);
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!((report.video.fragments, report.audio.fragments), (3, 0));
    assert_eq!(tape.discontinuities(), [false; 3]);
    assert_eq!(recorder.stat(6000).audio, None);
}

#[test]
fn audio_that_stops_is_not_announced_until_it_returns() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.run(&mut recorder, 0..5000);
    let silent = Encoder { audio: false, ..ENCODER };
    silent.send(&mut recorder, 5000..12_500);
    let back = ENCODER.send(&mut recorder, 12_500..16_000);
    recorder.finish().unwrap();
    let report = tape.clean();
    let starts: Vec<u64> = tape.fragments().iter().map(|f| f.start_ms - WALL).collect();
    assert_eq!(starts, [0, 2000, 4000, 6000, 8000, 10_000, 12_000, 13_000, 15_000]);
    let breaks = [false, false, false, true, false, false, false, true, false];
    assert_eq!(tape.discontinuities(), breaks);
    assert_eq!(report.audio.fragments, 5, "only those that contain audio");
    assert!(report.audio.frames >= 5000 / 24 + back.1 - 25);
}

#[test]
fn audio_does_not_wait_for_announced_video() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.configure(&mut recorder);
    let sent = Encoder { video: false, ..ENCODER }.send(&mut recorder, 0..6000);
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!((report.video.fragments, report.audio.frames), (0, sent.1));
}

#[test]
fn slices_in_separate_messages_are_one_picture() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(true), Some(false));
    recorder.video(at(0), 0, &avc_config(SPS_360)).unwrap();
    for n in 0..125 {
        let (key, ms) = (n % 25 == 0, n * 40);
        let kind = if key { 0x65 } else { 0x41 };
        // first_mb_in_slice 0, then others.
        for begin in [0x88, 0x44, 0x24, 0x12] {
            let body = picture_of(key, 80, &[&[kind, begin, 1, 2, 3]]);
            recorder.video(at(ms), ms, &body).unwrap();
        }
    }
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!((report.video.frames, report.video.key_frames), (125, 5));
    let slices = report.video.payload.windows(4).filter(|window| window == &[0x41, 0x44, 1, 2]);
    assert_eq!(slices.count(), 120);
    assert_eq!(recorder.stat(5000).video.unwrap().frame_rate, 25);
    assert_eq!(tape.durations(), [2000, 2000, 1000]);
}

/// Returns the first refusal among results.
fn refusal(results: impl IntoIterator<Item = Result<(), RecordError>>) -> String {
    results.into_iter().find_map(Result::err).expect("refused").to_string()
}

#[test]
fn a_stream_that_cannot_be_recorded_is_refused_with_a_reason() {
    // Start codes in the header, or only in the frames.
    let header = [&[0x17, 0, 0, 0, 0], START_CODE, &hex(SPS_360), START_CODE, PPS].concat();
    let (mut byte_stream, _) = recorder(SETTINGS);
    let why = refusal([byte_stream.video(at(0), 0, &header)]);
    assert!(why.contains("Annex B"), "{why}");
    for code in [START_CODE, &START_CODE[1..]] {
        let frame = [&[0x17, 1, 0, 0, 0], code, &[0x65; 100]].concat();
        let (mut byte_stream, _) = recorder(SETTINGS);
        byte_stream.video(at(0), 0, &avc_config(SPS_360)).unwrap();
        let why = refusal([byte_stream.video(at(0), 0, &frame)]);
        assert!(why.contains("Annex B"), "{why}");
    }

    let (mut no_key, _) = recorder(SETTINGS);
    ENCODER.configure(&mut no_key);
    let why = refusal((0..2000).map(|n| no_key.video(at(n * 40), n * 40, &picture(false, 50))));
    assert_eq!(why, "the video has had no key frame for a minute");

    let (mut noise, _) = recorder(SETTINGS);
    let why = refusal((0..1000).map(|n| noise.video(at(n), n, &[0x17, 9, 0])));
    assert_eq!(why, "the stream contains no valid messages");
}

#[test]
fn a_nal_unit_of_one_byte_is_not_a_start_code() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(true), Some(false));
    recorder.video(at(0), 0, &avc_config(SPS_360)).unwrap();
    recorder.video(at(0), 0, &picture_of(true, 0, &[b"\x0A", &[0x65; 50]])).unwrap();
    recorder.finish().unwrap();
    assert_eq!(tape.clean().video.frames, 1);
}

#[test]
fn a_stream_is_refused_at_its_500th_malformed_message_unless_it_has_begun() {
    let malformed = [0x17, 9, 0];
    let (mut noise, _) = recorder(SETTINGS);
    for n in 1..500 {
        assert!(noise.video(at(n), n, &malformed).is_ok(), "message {n}");
    }
    assert!(noise.video(at(500), 500, &malformed).is_err());
    assert_eq!(noise.take_notices(), [Notice::MessageDropped], "once, although 500 were");

    for (video, audio) in [(true, false), (false, true)] {
        let (mut recorder, _) = recorder(SETTINGS);
        recorder.expect_tracks(Some(video), Some(audio));
        Encoder { video, audio, ..ENCODER }.run(&mut recorder, 0..1000);
        for _ in 0..600 {
            recorder.video(at(1000), 1000, &malformed).unwrap();
        }
        assert_eq!(recorder.dropped(), 600);
    }
}

#[test]
fn the_wait_for_a_key_frame_is_measured_from_the_first_picture() {
    let (mut recorder, _) = recorder(SETTINGS);
    ENCODER.configure(&mut recorder);
    for ms in (100_000..160_000).step_by(500) {
        recorder.video(at(ms), ms, &picture(false, 50)).unwrap();
    }
    recorder.video(at(159_999), 159_999, &picture(false, 50)).unwrap();
    assert!(recorder.video(at(160_000), 160_000, &picture(false, 50)).is_err());
}

#[test]
fn a_key_frame_without_all_parameter_sets_is_not_recorded() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(true), Some(false));
    second(&mut recorder, 0, &key_with(&[&hex(SPS_360)]));
    second(&mut recorder, 1000, &key_with(&[PPS]));
    recorder.finish().unwrap();
    assert_eq!(tape.clean().video.frames, 25);
    assert_eq!(tape.fragments()[0].start_ms, WALL + 1000);
}
