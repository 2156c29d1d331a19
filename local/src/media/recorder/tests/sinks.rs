//! What a sink receives, and what happens when it fails.

use super::*;

#[test]
fn after_an_error_from_the_sink_the_fragment_is_abandoned_and_another_starts() {
    for successful_calls in 0..10 {
        let (mut recorder, tape) = recorder(SETTINGS);
        tape.0.borrow_mut().successful_calls = Some(successful_calls);
        ENCODER.configure(&mut recorder);
        let failures = (0..60)
            .map(|second| recorder.video(at(0), second * 1000, &picture(true, 100_000)))
            .filter(|result| matches!(result, Err(RecordError::Io(_))));
        assert!(failures.count() > 10);
        let before = tape.fragments().len();
        tape.0.borrow_mut().successful_calls = None;
        Encoder { audio: false, ..ENCODER }.send(&mut recorder, 60_000..64_000);
        recorder.finish().unwrap();
        tape.clean();
        assert_eq!(tape.discontinuities()[before..], [true, false]);
    }
}

#[test]
fn an_incomplete_fragment_is_not_finished_on_drop() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.run(&mut recorder, 0..1000);
    tape.0.borrow_mut().successful_calls = Some(0);
    assert!(recorder.video(at(0), 1000, &picture(true, 300_000)).is_err());
    tape.0.borrow_mut().successful_calls = None;
    drop(recorder);
    assert!(tape.fragments().is_empty());
}

#[test]
fn the_sink_receives_about_32_kib_at_a_time() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.configure(&mut recorder);
    recorder.video(at(0), 0, &picture(true, 3_000_000)).unwrap();
    recorder.video(at(0), 40, &picture(false, 3_000_000)).unwrap();
    recorder.finish().unwrap();
    assert_eq!(tape.clean().video.frames, 2);
    assert!((31 * 1024..=32 * 1024).contains(&tape.0.borrow().largest_write));
}

#[test]
fn a_borrowed_sink_receives_the_same() {
    fn record<S: Sink>(mut recorder: Recorder<S>) {
        recorder.video(at(0), 0, &avc_config(SPS_360)).unwrap();
        recorder.audio(at(0), 0, &aac_config(AAC_44)).unwrap();
        // The audio stops shortly before the end of a fragment.
        for ms in (0..6000).step_by(20) {
            if ms % 40 == 0 {
                recorder.video(at(ms), ms, &picture(ms % 1000 == 0, 100)).unwrap();
            }
            if ms < 3900 {
                recorder.audio(at(ms), ms, &audio_frame(20)).unwrap();
            }
        }
        recorder.finish().unwrap();
    }
    let (owned, borrowed) = (Tape::default(), Tape::default());
    for last_start_ms in [0, WALL + 10_000] {
        let settings = RecorderSettings { last_start_ms, ..SETTINGS };
        record(Recorder::new(owned.clone(), settings));
        record(Recorder::new(&mut borrowed.clone(), settings));
    }
    let (owned, borrowed) = (owned.0.borrow(), borrowed.0.borrow());
    assert!(owned.fragments == borrowed.fragments && owned.fragments.len() == 6);
    assert_eq!(owned.states, borrowed.states);
}
