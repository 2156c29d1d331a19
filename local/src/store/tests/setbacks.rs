//! A wall clock that jumped ahead and was then corrected.

use super::*;

const YEARS_30_MS: u64 = 30 * 365 * 86_400_000;

/// Returns a channel with two fragments from before the jump, two from during it and
/// two from after the correction; the session; and the fragments' names.
fn jumped(jump_ms: u64) -> (Fixture, LiveSession, Vec<String>) {
    let fixture = Fixture::with_channel("cam");
    let mut session = fixture.publish("cam").unwrap();
    let mut names = fragments(&fixture, &mut session, 2);
    fixture.pass_ms(jump_ms);
    names.extend(fragments(&fixture, &mut session, 2));
    fixture.now_ms.fetch_sub(jump_ms, Ordering::SeqCst);
    names.extend(fragments(&fixture, &mut session, 2));
    (fixture, session, names)
}

/// Records fragments that are named after the time of the clock, right or wrong.
fn fragments(fixture: &Fixture, session: &mut LiveSession, count: usize) -> Vec<String> {
    let record = |_| {
        let start_ms = fixture.now_ms.load(Ordering::SeqCst);
        let name = format!("{start_ms}.ts");
        session.begin(&name).unwrap();
        session.write(b"media").unwrap();
        fixture.pass_ms(2000);
        let (duration_ms, discontinuity) = (2000, false);
        session
            .finish(
                &Fragment { name: name.clone(), start_ms, duration_ms, discontinuity },
                PlaylistState::default(),
            )
            .unwrap();
        name
    };
    (0..count).map(record).collect()
}

fn seconds(ms: u64) -> i64 {
    ((START_MS + ms) / 1000) as i64
}

#[test]
fn vod_playlists_contain_the_fragments_of_the_requested_time() {
    for jump_ms in [7_200_000, YEARS_30_MS] {
        let (mut fixture, session, names) = jumped(jump_ms);
        for _ in 0..2 {
            let right = fixture.vod("cam", seconds(0), seconds(60_000)).unwrap();
            assert_eq!(right.names, [&names[..2], &names[4..]].concat());
            assert_eq!(
                right.breaks,
                [names[4].clone()],
                "fragments from during the jump are omitted"
            );
            let newest = fixture.vod("cam", seconds(9_000), seconds(60_000)).unwrap();
            assert_eq!(newest.names, names[5..]);
            let wrong = fixture.vod("cam", seconds(jump_ms), seconds(jump_ms + 60_000)).unwrap();
            assert_eq!(wrong.names, names[2..4]);
            fixture.restart();
        }
        drop(session);
    }
}

#[test]
fn fragments_from_a_clock_that_was_behind_do_not_hide_earlier_ones() {
    let fixture = Fixture::with_channel("cam");
    let mut session = fixture.publish("cam").unwrap();
    let mut right = fragments(&fixture, &mut session, 2);
    fixture.now_ms.fetch_sub(YEARS_30_MS, Ordering::SeqCst);
    fragments(&fixture, &mut session, 2);
    fixture.pass_ms(YEARS_30_MS);
    right.extend(fragments(&fixture, &mut session, 2));
    assert_eq!(fixture.vod("cam", seconds(0), seconds(60_000)).unwrap().names, right);
}

#[test]
fn fragments_of_the_same_time_are_not_mixed() {
    let fixture = Fixture::with_channel("cam");
    let mut session = fixture.publish("cam").unwrap();
    let first = fragments(&fixture, &mut session, 3);
    fixture.now_ms.fetch_sub(5000, Ordering::SeqCst);
    let second = fragments(&fixture, &mut session, 3);
    let playlist = fixture.vod("cam", seconds(0), seconds(60_000)).unwrap();
    assert_eq!(playlist.names, [&first[..], &second].concat());
    assert_eq!(playlist.breaks, [second[0].clone()]);
}

#[test]
fn the_live_playlist_continues_in_recording_order() {
    let (fixture, _session, names) = jumped(YEARS_30_MS);
    assert_eq!(fixture.live_playlist("cam/playlist.m3u8").names, names[3..]);
}

#[test]
fn a_session_after_the_correction_starts_at_the_correct_time() {
    let (mut fixture, session, names) = jumped(YEARS_30_MS);
    drop(session);
    fixture.restart();
    let session = fixture.publish("cam").unwrap();
    assert_eq!(format!("{}.ts", session.last_start_ms()), names[5]);
}

#[test]
fn a_session_killed_after_the_correction_ends_with_its_newest_fragment() {
    let fixture = Fixture::with_channel("cam");
    fixture.pass_ms(YEARS_30_MS);
    let mut session = fixture.publish("cam").unwrap();
    fragments(&fixture, &mut session, 1);
    drop(session);
    fixture.now_ms.fetch_sub(YEARS_30_MS, Ordering::SeqCst);
    let mut session = fixture.publish("cam").unwrap();
    fragments(&fixture, &mut session, 2);
    std::mem::forget(session);
    fixture.pass_ms(600_000);
    let mut fixture = fixture;
    fixture.restart();
    let history = fixture.store.history(BUCKET, "cam").unwrap();
    let end = history.last().unwrap().end.unix_timestamp();
    assert_eq!(end, seconds(2000 + 4000), "not when it began");
}

#[test]
fn an_existing_fragment_is_never_overwritten() {
    let (fixture, mut session, names) = jumped(YEARS_30_MS);
    let error = session.begin(&names[1]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fixture.text(&format!("cam/{}", names[1])), "media");
}

#[test]
fn sessions_after_the_correction_are_newer_in_the_history() {
    let fixture = Fixture::with_channel("cam");
    fixture.pass_ms(YEARS_30_MS);
    for _ in 0..12 {
        drop(fixture.publish("cam").unwrap());
        fixture.pass_ms(1000);
    }
    fixture.now_ms.fetch_sub(YEARS_30_MS, Ordering::SeqCst);
    let now = fixture.now();
    drop(fixture.publish("cam").unwrap());
    let history = fixture.store.history(BUCKET, "cam").unwrap();
    assert_eq!((history.len(), history[9].start), (10, now));
}
