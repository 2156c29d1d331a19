//! Limits on what a publisher can make the recorder write, and fragment names.

use super::*;

/// The maximum per second: more than any live stream needs.
const FRAGMENTS: u64 = 10;

/// Sends the messages from `message`, one each `step_ms` of real time, and waits as long
/// as the recorder requires. Returns what was sent and written, and how long it took.
fn flood(
    recorder: &mut Recorder<Tape>,
    tape: &Tape,
    step_ms: u64,
    mut message: impl FnMut(u64) -> (bool, u64, Vec<u8>),
) -> Flood {
    let mut now = at(0);
    let mut flood = Flood::default();
    for count in 0..2000 {
        let (is_video, timestamp_ms, body) = message(count);
        let recorded = match is_video {
            true => recorder.video(now, timestamp_ms, &body),
            false => recorder.audio(now, timestamp_ms, &body),
        };
        recorded.unwrap();
        flood.sent += body.len() as u64;
        let wait_ms = recorder.wait().as_millis() as u64 + step_ms;
        now = Now { unix_ms: now.unix_ms + wait_ms, uptime_ms: now.uptime_ms + wait_ms };
        flood.longest_wait_ms = flood.longest_wait_ms.max(wait_ms);
        flood.written = flood.written.max(tape.0.borrow().written);
    }
    flood.ms = now.uptime_ms;
    recorder.finish().unwrap();
    flood.written = tape.0.borrow().written;
    flood.fragments = tape.fragments().len() as u64;
    flood
}

#[derive(Debug, Default)]
struct Flood {
    sent: u64,
    written: u64,
    fragments: u64,
    ms: u64,
    longest_wait_ms: u64,
}

impl Flood {
    /// Checks that no more was written than twice what was sent, plus 128 KiB/s and one
    /// message, and no more files than a live stream has.
    fn assert_bounded(&self) {
        assert!(self.written <= 2 * self.sent + self.ms * 128 + (2 << 20), "{self:?}");
        assert!(self.fragments <= self.ms * FRAGMENTS / 1000 + 10, "{self:?}");
        assert!(self.longest_wait_ms <= 20_000, "{self:?}");
    }
}

/// Returns a key frame of fourteen bytes.
fn tiny_key_frame() -> Vec<u8> {
    picture_of(true, 0, &[b"\x65\x88\x84\x00\x10"])
}

#[test]
fn tiny_key_frames_with_a_fast_clock_do_not_fill_the_disk() {
    // Steps up to the largest that is not a jump, and beyond it.
    for step_ms in [1000, 2000, 9_999, 10_000, 10_001, 60_000] {
        for gap_ms in [0, 1, 50] {
            let (mut recorder, tape) = recorder(RecorderSettings { frag_duration: 1, ..SETTINGS });
            ENCODER.configure(&mut recorder);
            flood(&mut recorder, &tape, gap_ms, |n| (true, n * step_ms, tiny_key_frame()))
                .assert_bounded();
        }
    }
}

#[test]
fn a_clock_that_jumps_with_each_message_does_not_fill_the_disk() {
    let (mut recorder, tape) = recorder(RecorderSettings { frag_duration: 1, ..SETTINGS });
    ENCODER.configure(&mut recorder);
    flood(&mut recorder, &tape, 0, |n| (true, n % 2 * 5000, tiny_key_frame())).assert_bounded();
}

#[test]
fn a_flood_of_tiny_audio_messages_does_not_fill_the_disk() {
    for step_ms in [0, 1, 100, 9_999] {
        let (mut recorder, tape) = recorder(RecorderSettings { frag_duration: 1, ..SETTINGS });
        recorder.expect_tracks(Some(false), Some(true));
        recorder.audio(at(0), 0, &aac_config(AAC_44)).unwrap();
        flood(&mut recorder, &tape, 0, |n| (false, n * step_ms, audio_frame(1))).assert_bounded();
    }
}

#[test]
fn a_flood_of_configurations_does_not_fill_the_disk() {
    let (mut recorder, tape) = recorder(RecorderSettings { frag_duration: 1, ..SETTINGS });
    flood(&mut recorder, &tape, 0, |n| match n % 4 {
        0 => (true, n, avc_config(if n % 8 == 0 { SPS_360 } else { SPS_1080 })),
        1 => (false, n, aac_config(if n % 8 == 1 { AAC_44 } else { AAC_48 })),
        2 => (true, n, tiny_key_frame()),
        _ => (false, n, audio_frame(1)),
    })
    .assert_bounded();
}

#[test]
fn frames_that_were_held_back_are_limited_too() {
    // Parameter sets of 60 KiB before each key frame of fourteen bytes.
    let mut config = avc_config(SPS_360);
    let sets = config.len() - 7;
    config.truncate(sets);
    config.push(1);
    config.extend_from_slice(&60_000u16.to_be_bytes());
    config.extend_from_slice(&[0x68; 60_000]);
    for step_ms in [0, 1] {
        let (mut recorder, tape) = recorder(RecorderSettings { frag_duration: 1, ..SETTINGS });
        recorder.video(at(0), 0, &config).unwrap();
        flood(&mut recorder, &tape, 0, |n| (true, n * step_ms, tiny_key_frame())).assert_bounded();
    }
    let (mut recorder, tape) = recorder(RecorderSettings { frag_duration: 1, ..SETTINGS });
    recorder.video(at(0), 0, &config).unwrap();
    flood(&mut recorder, &tape, 0, |n| (true, n % 2 * 1990, tiny_key_frame())).assert_bounded();
}

#[test]
fn messages_without_content_write_nothing() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.configure(&mut recorder);
    let sent = flood(&mut recorder, &tape, 0, |n| match n % 3 {
        0 => (true, n * 9000, picture_of(true, 0, &[])),
        1 => (false, n * 9000, audio_frame(0)),
        _ => (true, n * 9000, picture_of(true, 0, &[b""])),
    });
    assert_eq!((sent.written, sent.fragments, sent.ms), (0, 0, 0));
}

#[test]
fn ordinary_media_is_recorded_as_fast_as_it_arrives() {
    let (mut recorder, tape) = recorder(SETTINGS);
    ENCODER.configure(&mut recorder);
    for n in 0..25 * 600 {
        let key = n % 50 == 0;
        let body = picture(key, if key { 12_000 } else { 1_500 });
        recorder.video(at(0), n * 40, &body).unwrap();
        recorder.audio(at(0), n * 40, &audio_frame(300)).unwrap();
        // No time has passed since the first message: only the first fragment
        // may have to wait, since nothing has been earned yet.
        assert!(n < 50 || recorder.wait().is_zero(), "frame {n}: {:?}", recorder.wait());
    }
    recorder.finish().unwrap();
    assert_eq!(tape.fragments().len(), 300);
}

/// The first two seconds are held back, since there might be audio.
#[test]
fn a_live_stream_never_waits_even_if_much_of_it_is_written_at_once() {
    let (mut recorder, tape) = recorder(SETTINGS);
    recorder.video(at(0), 0, &avc_config(SPS_1080)).unwrap();
    for n in 0..300 {
        let now = n * 1000 / 30;
        // 40 Mbit/s.
        let size = if n % 60 == 0 { 2_000_000 } else { 133_000 };
        recorder.video(at(now), now, &picture(n % 60 == 0, size)).unwrap();
        assert!(recorder.wait().is_zero(), "frame {n}: {:?}", recorder.wait());
    }
    recorder.finish().unwrap();
    assert_eq!(tape.report().video.frames, 300);
}

#[test]
fn a_live_stream_of_tiny_frames_never_waits_after_the_start() {
    let (mut recorder, _tape) = recorder(RecorderSettings { frag_duration: 1, ..SETTINGS });
    ENCODER.configure(&mut recorder);
    for n in 0..60 * 60 {
        let now = n * 1000 / 60;
        recorder.video(at(now), now, &picture(n % 60 == 0, 9)).unwrap();
        recorder.audio(at(now), now, &audio_frame(9)).unwrap();
        assert!(n < 60 || recorder.wait().is_zero(), "frame {n}: {:?}", recorder.wait());
    }
}

/// Records one fragment at each of these times of the wall clock; returns their starts.
fn starts(last_start_ms: u64, clock: impl IntoIterator<Item = u64>) -> (Vec<u64>, Tape) {
    let (mut recorder, tape) = recorder(RecorderSettings { last_start_ms, ..SETTINGS });
    ENCODER.configure(&mut recorder);
    for (n, unix_ms) in clock.into_iter().enumerate() {
        recorder.video(set_to(unix_ms), n as u64 * 2000, &picture(true, 100)).unwrap();
    }
    recorder.finish().unwrap();
    (tape.fragments().iter().map(|fragment| fragment.start_ms).collect(), tape)
}

const YEAR: u64 = 365 * 86_400_000;

#[test]
fn names_increase_even_if_the_wall_clock_stops_or_is_set_back_a_little() {
    let (names, tape) = starts(WALL + 59_000, (0..10).map(|n| WALL - n / 2));
    assert_eq!(names, (1..=10).map(|n| WALL + 59_000 + n).collect::<Vec<_>>());
    assert_eq!(tape.discontinuities(), [false; 10]);
}

#[test]
fn names_return_to_real_time_after_a_clock_that_jumped_ahead_is_corrected() {
    for jump in [61_000 + 6000, 600_000, 86_400_000, 30 * YEAR] {
        let clock = [0, 2000, jump, jump + 2000, 8000, 10_000].map(|ms| WALL + ms);
        let (names, tape) = starts(0, clock);
        assert_eq!(names, clock);
        assert_eq!(tape.discontinuities(), [false, false, false, false, true, false]);
    }
}

#[test]
fn a_session_after_a_clock_jump_is_named_by_real_time() {
    let (names, tape) = starts(WALL + 30 * YEAR, [WALL, WALL + 2000]);
    assert_eq!(names, [WALL, WALL + 2000]);
    assert_eq!(tape.discontinuities(), [true, false]);
}

#[test]
fn names_are_not_reused_after_the_clock_is_set_back() {
    let clock = [0, 2000, 4000, 100_000, 2000, 2001, 4000].map(|ms| WALL + ms);
    let (names, _tape) = starts(0, clock);
    assert_eq!(names[4..], [WALL + 2001, WALL + 2002, WALL + 4001]);
}

#[test]
fn the_wall_clock_may_be_set_back_by_exactly_a_minute() {
    let (names, tape) = starts(WALL + 60_000, [WALL]);
    assert_eq!((names, tape.discontinuities()), (vec![WALL + 60_001], vec![false]));
    let (names, tape) = starts(WALL + 60_001, [WALL]);
    assert_eq!((names, tape.discontinuities()), (vec![WALL], vec![true]));
}
