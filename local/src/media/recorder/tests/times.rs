//! Decoding and presentation times of video and audio.

use super::*;

/// The presentation order of pictures, in decoding order: I B B B P, with a B picture
/// that others refer to.
const PYRAMID: [u64; 12] = [0, 4, 2, 1, 3, 8, 6, 5, 7, 11, 9, 10];

/// Sends groups of such pictures from an encoder that delays presentation only by
/// `ahead_ms`, at 40 ms per picture, starting at `start_ms`.
fn send_pyramid(recorder: &mut Recorder<Tape>, groups: u64, ahead_ms: i32, start_ms: u64) {
    for number in 0..groups * 12 {
        let (decoded_ms, shown_ms) = (
            start_ms + number * 40,
            start_ms + (number / 12 * 12 + PYRAMID[number as usize % 12]) * 40,
        );
        let composition_ms = shown_ms as i32 - decoded_ms as i32 + ahead_ms;
        let key = number % 12 == 0;
        let body = picture_of(key, composition_ms, &[&[if key { 0x65 } else { 0x41 }; 90]]);
        recorder.video(at(decoded_ms), decoded_ms, &body).unwrap();
    }
}

/// Returns the intervals between the last pictures of a report in presentation order, in
/// milliseconds.
fn intervals(report: &Report, count: usize) -> Vec<u64> {
    let skipped = report.video.frames - count;
    let (dts, composition) = (&report.video.dts[skipped..], &report.video.composition[skipped..]);
    let mut shown: Vec<u64> = dts.iter().zip(composition).map(|(dts, c)| dts + c).collect();
    shown.sort_unstable();
    shown.windows(2).map(|pair| (pair[1] - pair[0]) / 90).collect()
}

#[test]
fn pictures_with_an_earlier_presentation_time_are_decoded_earlier() {
    for ahead_ms in [0, 20, 40, 80] {
        let (mut recorder, tape) = recorder(SETTINGS);
        recorder.expect_tracks(Some(true), Some(false));
        recorder.video(at(0), 0, &avc_config(SPS_1080)).unwrap();
        send_pyramid(&mut recorder, 20, ahead_ms, 0);
        recorder.finish().unwrap();
        let report = tape.clean();
        assert_eq!(intervals(&report, 240), [40; 239]);
        assert!(tape.discontinuities().iter().all(|discontinuity| !discontinuity));
    }
}

#[test]
fn the_times_of_an_encoder_that_delays_presentation_are_kept() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(true), Some(false));
    recorder.video(at(0), 0, &avc_config(SPS_1080)).unwrap();
    send_pyramid(&mut recorder, 20, 80, 0);
    recorder.finish().unwrap();
    assert!(tape.clean().video.composition.iter().all(|ticks| *ticks <= 16 * 900 * 2));
    assert_eq!(tape.clean().video.composition[0], 7200);
}

#[test]
fn reordering_that_starts_later_is_corrected_at_the_next_key_frame() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(true), Some(false));
    recorder.video(at(0), 0, &avc_config(SPS_1080)).unwrap();
    for n in 0..25 {
        recorder.video(at(n * 40), n * 40, &picture(n == 0, 100)).unwrap();
    }
    send_pyramid(&mut recorder, 20, 0, 1000);
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!(tape.discontinuities().iter().filter(|is| **is).count(), 1);
    assert_eq!(report.video.frames, 25 + 240, "nothing is lost");
    assert_eq!(intervals(&report, 228), [40; 227]);
}

#[test]
fn composition_times_are_limited() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.expect_tracks(Some(true), Some(false));
    recorder.video(at(0), 0, &avc_config(SPS_1080)).unwrap();
    for (n, composition_ms) in (0..).zip([0, -8_000_000, 8_000_000, -1, i32::MIN, i32::MAX]) {
        let body = picture_of(n == 0, composition_ms, &[&[if n == 0 { 0x65 } else { 0x41 }; 9]]);
        recorder.video(at(n * 40), n * 40, &body).unwrap();
    }
    recorder.finish().unwrap();
    let report = tape.report();
    assert_eq!(report.video.frames, 6);
    assert!(report.video.composition.iter().all(|ticks| *ticks <= 12_000 * 90));
}

/// Sends video and audio with different clocks that arrive together.
fn send_apart(recorder: &mut Recorder<Tape>, span: Range<u64>, video: u64, audio: u64) -> usize {
    let picture = Encoder { audio: false, clock: video, ..ENCODER };
    let audio = Encoder { video: false, clock: audio, ..ENCODER };
    span.map(|ms| {
        picture.send(recorder, ms..ms + 1);
        audio.send(recorder, ms..ms + 1).1
    })
    .sum()
}

/// Checks that both tracks end within 150 ms of each other.
fn assert_ends_together(report: &Report) {
    let end = |summary: &tscheck::Summary| *summary.dts.last().unwrap();
    let apart = end(&report.video).abs_diff(end(&report.audio)) / 90;
    assert!(apart <= 150, "{apart} ms apart");
}

#[test]
fn tracks_that_start_at_different_times_are_recorded_together() {
    for (video, audio) in [(0, 3_600_000), (3_600_000, 0), (0, 6000), (6000, 0), (1 << 40, 0)] {
        let (mut recorder, tape) = recorder(SETTINGS);
        ENCODER.configure(&mut recorder);
        let audio_frames = send_apart(&mut recorder, 0..5000, video, audio);
        recorder.finish().unwrap();
        let report = tape.clean();
        assert_eq!(report.video.frames, 125);
        assert!(
            report.audio.frames + 2 >= audio_frames,
            "{} of {audio_frames}",
            report.audio.frames
        );
        assert_ends_together(&report);
        assert!(tape.durations().iter().sum::<u32>().abs_diff(5000) < 100);
    }
}

#[test]
fn audio_continues_when_the_video_clock_starts_over() {
    for at_ms in [2000, 6000, 20_000] {
        let (mut recorder, tape) = recorder(SETTINGS);
        ENCODER.configure(&mut recorder);
        let mut audio_frames = send_apart(&mut recorder, 0..at_ms, 1 << 30, 1 << 30);
        let video = (1 << 30) - at_ms;
        audio_frames += send_apart(&mut recorder, at_ms..at_ms + 5000, video, 1 << 30);
        recorder.finish().unwrap();
        let report = tape.clean();
        assert!(
            report.audio.frames + 5 >= audio_frames,
            "{} of {audio_frames}",
            report.audio.frames
        );
        assert_eq!(report.video.frames as u64, at_ms / 40 + 125);
        assert_ends_together(&report);
        assert!(tape.durations().iter().all(|ms| *ms < 2100), "{:?}", tape.durations());
    }
}

#[test]
fn audio_whose_clock_starts_over_stays_in_sync_with_the_video() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.configure(&mut recorder);
    let mut audio_frames = send_apart(&mut recorder, 0..10_000, 1 << 30, 1 << 30);
    audio_frames += send_apart(&mut recorder, 10_000..15_000, 1 << 30, 0);
    recorder.finish().unwrap();
    let report = tape.clean();
    assert_eq!((report.video.frames, report.audio.frames), (375, audio_frames));
    assert!(tape.discontinuities().iter().all(|is| !is), "the video continues");
    assert_ends_together(&report);
}

#[test]
fn tracks_that_are_apart_in_the_stream_are_both_recorded() {
    for (video_ms, audio_ms) in [(0, 1500), (1500, 0)] {
        let (mut recorder, tape) = recorder(SETTINGS);
        ENCODER.configure(&mut recorder);
        let (mut pictures, mut audio_frames) = (0, 0);
        // The times are correct, but one track arrives later than the other.
        let late =
            |late_ms: u64| Encoder { clock: 1500 - late_ms, key_ms: 500, frame_ms: 50, ..ENCODER };
        let (video, audio) = (
            Encoder { audio: false, ..late(video_ms) },
            Encoder { video: false, ..late(audio_ms) },
        );
        for ms in 0..12_000 + 1500 {
            let part = |late_ms: u64| ms >= late_ms && ms - late_ms < 12_000;
            if part(video_ms) {
                pictures += video.send(&mut recorder, ms..ms + 1).0;
            }
            if part(audio_ms) {
                audio_frames += audio.send(&mut recorder, ms..ms + 1).1;
            }
        }
        recorder.finish().unwrap();
        let report = tape.report();
        assert_eq!((report.video.frames, report.audio.frames), (pictures, audio_frames));
        assert!(tape.discontinuities().iter().all(|is| !is), "{:?}", tape.discontinuities());
        assert_eq!(report.audio.fragments, report.video.fragments);
    }
}
