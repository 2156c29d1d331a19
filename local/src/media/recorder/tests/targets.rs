//! The target duration of a live playlist, which must not change during a session, and
//! fragments that would exceed it.

use super::*;

/// Sends audio, and video with key frames at these times, until `end_ms`.
fn send_keys(recorder: &mut Recorder<Tape>, keys: &[u64], end_ms: u64) {
    let mut audio_frames = (0..).map(|n| n * 1024 * 1000 / 44100).peekable();
    for ms in (0..end_ms).step_by(40) {
        let key = keys.binary_search(&ms).is_ok();
        recorder.video(at(ms), ms, &picture(key, 100)).unwrap();
        while let Some(ms) = audio_frames.next_if(|audio| *audio < ms + 40) {
            recorder.audio(at(ms), ms, &audio_frame(20)).unwrap();
        }
    }
}

/// Checks what every player relies on; returns for each fragment whether it starts with a
/// key frame.
fn independent(tape: &Tape) -> Vec<bool> {
    let report = tape.report();
    let dependent: Vec<&String> = report
        .violations
        .iter()
        .filter(|v| v.contains("does not begin with a key frame"))
        .collect();
    assert_eq!(dependent.len(), report.violations.len(), "{:#?}", report.violations);
    let targets = tape.targets();
    assert!(targets.windows(2).all(|pair| pair[0] == pair[1]), "{targets:?}");
    for (fragment, target) in tape.fragments().iter().zip(targets) {
        let duration_ms = u64::from(fragment.duration_ms);
        assert!(duration_ms <= playlist::longest_ms(target), "{duration_ms} in {target}");
    }
    let fragments = tape.fragments();
    let begins = |fragment: &Fragment| !dependent.iter().any(|v| v.starts_with(&fragment.name));
    fragments.iter().map(begins).collect()
}

#[test]
fn regular_key_frames_give_regular_fragments_below_the_target() {
    for key_ms in [40, 480, 1000, 1480, 2000, 4000, 8320, 10_000, 30_000, 60_000] {
        for frag_duration in [1, 2, 5, 30] {
            let (mut recorder, tape) = recorder(RecorderSettings { frag_duration, ..SETTINGS });
            let end_ms = 4 * key_ms.max(u64::from(frag_duration) * 1000);
            let keys: Vec<u64> = (0..end_ms / key_ms).map(|n| n * key_ms).collect();
            ENCODER.configure(&mut recorder);
            send_keys(&mut recorder, &keys, end_ms);
            recorder.finish().unwrap();
            let begins = independent(&tape);
            assert!(
                begins.iter().all(|is| *is),
                "{key_ms} {frag_duration}: {begins:?} {:?}",
                tape.durations()
            );
            let (target, durations) = (tape.targets()[0], tape.durations());
            let regular = &durations[..durations.len() - 1];
            let is_same = |ms: &u32| ms.abs_diff(regular[0]) <= 40;
            assert!(regular.iter().all(is_same), "{key_ms} {frag_duration}: {durations:?}");
            // A playlist of three must not be much shorter than three targets.
            assert!(target * 1000 <= u64::from(regular[0]) + 770, "{target}: {durations:?}");
        }
    }
}

#[test]
fn key_frame_jitter_of_a_fifth_of_a_second_changes_nothing() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.configure(&mut recorder);
    let keys: Vec<u64> = (0..50).map(|n| n * 2000 + n % 3 * 80).collect();
    send_keys(&mut recorder, &keys, 100_000);
    recorder.finish().unwrap();
    assert!(independent(&tape).iter().all(|is| *is));
}

#[test]
fn a_longer_key_frame_interval_ends_fragments_without_a_key_frame() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.configure(&mut recorder);
    // Every 2 s, then every 8.
    send_keys(&mut recorder, &[0, 2000, 4000, 12_000, 20_000, 28_000], 30_000);
    recorder.finish().unwrap();
    assert_eq!(tape.targets()[0], 2);
    let begins = independent(&tape);
    let starts: Vec<u64> = tape.fragments().iter().map(|f| f.start_ms - WALL).collect();
    for key in [0, 2000, 4000, 12_000, 20_000, 28_000] {
        let at = starts.iter().position(|start| *start == key);
        assert!(at.is_some_and(|at| begins[at]), "no fragment starts at {key}: {starts:?}");
    }
    assert_eq!(begins.iter().filter(|is| **is).count(), 6);
    assert!(tape.discontinuities().iter().all(|is| !is), "it is all one stream");
    let notices = recorder.take_notices();
    assert!(notices.iter().all(|notice| *notice == Notice::KeyFrameLate) && notices.len() > 3);
}

#[test]
fn a_session_with_one_short_fragment_has_the_expected_target() {
    let (mut recorder, tape) = recorder(RecorderSettings { frag_duration: 5, ..SETTINGS });
    ENCODER.configure(&mut recorder);
    send_keys(&mut recorder, &[0, 2000], 2500);
    recorder.finish().unwrap();
    assert_eq!(tape.targets(), [6]);
}

#[test]
fn the_next_session_keeps_the_target_unless_it_needs_a_longer_one() {
    for (key_ms, target) in [(1000, 4), (4000, 4), (8000, 8)] {
        let (mut first, tape) = recorder(SETTINGS);
        ENCODER.configure(&mut first);
        send_keys(&mut first, &[0, 4000, 8000], 9000);
        first.finish().unwrap();
        assert_eq!(tape.targets(), [4; 3]);
        let last_start_ms = tape.fragments().last().unwrap().start_ms;
        let settings = RecorderSettings { last_start_ms, continues: true, ..SETTINGS };
        let mut second = Recorder::new(tape.clone(), settings);
        ENCODER.configure(&mut second);
        let keys: Vec<u64> = (0..10).map(|n| n * key_ms).collect();
        send_keys(&mut second, &keys, 30_000);
        second.finish().unwrap();
        let targets = &tape.targets()[3..];
        assert!(targets.iter().all(|is| *is == target), "{key_ms}: {targets:?}");
    }
}

#[test]
fn a_gap_in_the_stream_is_not_part_of_a_fragment() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.run(&mut recorder, 0..5500);
    ENCODER.send(&mut recorder, 12_000..16_000);
    recorder.finish().unwrap();
    assert_eq!(tape.durations()[..2], [2000, 2000]);
    assert!(tape.durations()[2].abs_diff(1500) <= 40, "{:?}", tape.durations());
    assert!(tape.targets().iter().all(|target| *target == 2));
    assert!(tape.durations().iter().all(|ms| *ms < 2500));
    assert_eq!(recorder.take_notices(), [Notice::Paused]);
}

#[test]
fn audio_that_continues_without_video_does_not_exceed_the_target() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.run(&mut recorder, 0..5500);
    Encoder { video: false, ..ENCODER }.send(&mut recorder, 5500..20_000);
    ENCODER.send(&mut recorder, 20_000..24_000);
    recorder.finish().unwrap();
    let report = tape.clean();
    assert!(
        report.video.fragments < report.audio.fragments,
        "video is announced only where it exists"
    );
    assert!(tape.durations().iter().all(|ms| *ms < 2500), "{:?}", tape.durations());
    assert_eq!(tape.targets().last(), Some(&2));
    assert_eq!(tape.discontinuities().iter().filter(|is| **is).count(), 2, "gone, and back");
    let tracks = |notice: &Notice| *notice != Notice::KeyFrameLate;
    let notices: Vec<Notice> = recorder.take_notices().into_iter().filter(tracks).collect();
    assert_eq!(notices, [Notice::TrackEnded(Track::Video), Notice::TrackBegan(Track::Video)]);
}

#[test]
fn a_fragment_may_be_exactly_as_long_as_the_target_allows() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(true), Some(false));
    recorder.video(at(0), 0, &avc_config(SPS_360)).unwrap();
    let regular = (0..100).map(|n| n * 40);
    for ms in regular.chain((0..60).map(|n| 4000 + n * 51)) {
        let key = [0, 2000, 4000, 4000 + 2499].contains(&ms);
        recorder.video(at(ms), ms, &picture(key, 100)).unwrap();
    }
    recorder.finish().unwrap();
    assert_eq!(tape.durations()[..3], [2000, 2000, 2499]);
    assert_eq!(tape.targets()[..3], [2; 3]);
}

#[test]
fn only_more_than_a_second_without_media_is_a_gap() {
    for (pause_ms, notices) in [(1000, &[][..]), (1001, &[Notice::Paused])] {
        let (mut recorder, tape) = recorder(SETTINGS);
        recorder.expect_tracks(Some(true), Some(false));
        Encoder { audio: false, composition_ms: 0, ..ENCODER }.run(&mut recorder, 0..3520);
        let ms = 3520 + pause_ms;
        recorder.video(at(ms), ms, &picture(true, 100)).unwrap();
        recorder.finish().unwrap();
        assert_eq!(tape.durations().len(), 3);
        assert_eq!(recorder.take_notices(), notices, "{pause_ms}");
    }
}

#[test]
fn the_target_is_at_least_the_fragment_duration() {
    let (mut recorder, tape) = recorder(RecorderSettings { frag_duration: 5, ..SETTINGS });
    recorder.expect_tracks(Some(false), Some(true));
    Encoder { video: false, ..ENCODER }.run(&mut recorder, 0..500);
    recorder.finish().unwrap();
    assert_eq!(tape.targets(), [5]);
}
