//! A wall clock that jumped ahead and is right again.

use super::*;

const YEARS_30_MS: u64 = 30 * 365 * 86_400_000;

/// A channel with two fragments from before the clock jumped, two from
/// meanwhile and two from after it; their names, and the session.
fn jumped(jump_ms: u64) -> (House, LiveSession, Vec<String>) {
    let house = House::with_channel("cam");
    let mut session = house.publish("cam").unwrap();
    let mut names = fragments(&house, &mut session, 2);
    house.pass_ms(jump_ms);
    names.extend(fragments(&house, &mut session, 2));
    house.now_ms.fetch_sub(jump_ms, Ordering::SeqCst);
    names.extend(fragments(&house, &mut session, 2));
    (house, session, names)
}

/// Records fragments that are named by the clock, whatever it shows.
fn fragments(house: &House, session: &mut LiveSession, count: usize) -> Vec<String> {
    let record = |_| {
        let start_ms = house.now_ms.load(Ordering::SeqCst);
        let name = format!("{start_ms}.ts");
        session.begin(&name).unwrap();
        session.write(b"media").unwrap();
        house.pass_ms(2000);
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
fn playlists_by_time_find_the_fragments_of_that_time() {
    for jump_ms in [7_200_000, YEARS_30_MS] {
        let (mut house, session, names) = jumped(jump_ms);
        for _ in 0..2 {
            let right = house.vod("cam", seconds(0), seconds(60_000)).unwrap();
            assert_eq!(right.names, [&names[..2], &names[4..]].concat());
            assert_eq!(right.breaks, [names[4].clone()], "what lay between is left out");
            let newest = house.vod("cam", seconds(9_000), seconds(60_000)).unwrap();
            assert_eq!(newest.names, names[5..]);
            let wrong = house.vod("cam", seconds(jump_ms), seconds(jump_ms + 60_000)).unwrap();
            assert_eq!(wrong.names, names[2..4]);
            house.restart();
        }
        drop(session);
    }
}

#[test]
fn fragments_from_a_clock_that_was_behind_for_a_while_hide_none_before_them() {
    let house = House::with_channel("cam");
    let mut session = house.publish("cam").unwrap();
    let mut right = fragments(&house, &mut session, 2);
    house.now_ms.fetch_sub(YEARS_30_MS, Ordering::SeqCst);
    fragments(&house, &mut session, 2);
    house.pass_ms(YEARS_30_MS);
    right.extend(fragments(&house, &mut session, 2));
    assert_eq!(house.vod("cam", seconds(0), seconds(60_000)).unwrap().names, right);
}

#[test]
fn fragments_of_the_same_time_are_not_mixed() {
    let house = House::with_channel("cam");
    let mut session = house.publish("cam").unwrap();
    let first = fragments(&house, &mut session, 3);
    house.now_ms.fetch_sub(5000, Ordering::SeqCst);
    let second = fragments(&house, &mut session, 3);
    let playlist = house.vod("cam", seconds(0), seconds(60_000)).unwrap();
    assert_eq!(playlist.names, [&first[..], &second].concat());
    assert_eq!(playlist.breaks, [second[0].clone()]);
}

#[test]
fn the_live_playlist_goes_on_in_the_order_of_recording() {
    let (house, _session, names) = jumped(YEARS_30_MS);
    assert_eq!(house.live_playlist("cam/playlist.m3u8").names, names[3..]);
}

#[test]
fn a_session_after_it_begins_at_its_own_time() {
    let (mut house, session, names) = jumped(YEARS_30_MS);
    drop(session);
    house.restart();
    let session = house.publish("cam").unwrap();
    assert_eq!(format!("{}.ts", session.last_start_ms()), names[5]);
}

#[test]
fn a_session_that_was_killed_after_it_ends_with_its_newest_fragment() {
    let house = House::with_channel("cam");
    house.pass_ms(YEARS_30_MS);
    let mut session = house.publish("cam").unwrap();
    fragments(&house, &mut session, 1);
    drop(session);
    house.now_ms.fetch_sub(YEARS_30_MS, Ordering::SeqCst);
    let mut session = house.publish("cam").unwrap();
    fragments(&house, &mut session, 2);
    std::mem::forget(session);
    house.pass_ms(600_000);
    let mut house = house;
    house.restart();
    let history = house.store.history(BUCKET, "cam").unwrap();
    let end = history.last().unwrap().end.unix_timestamp();
    assert_eq!(end, seconds(2000 + 4000), "not when it began");
}

#[test]
fn a_name_that_is_taken_is_not_given_twice() {
    let (house, mut session, names) = jumped(YEARS_30_MS);
    let error = session.begin(&names[1]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(house.text(&format!("cam/{}", names[1])), "media");
}

#[test]
fn the_history_shows_sessions_after_it_as_newer() {
    let house = House::with_channel("cam");
    house.pass_ms(YEARS_30_MS);
    for _ in 0..12 {
        drop(house.publish("cam").unwrap());
        house.pass_ms(1000);
    }
    house.now_ms.fetch_sub(YEARS_30_MS, Ordering::SeqCst);
    let now = house.now();
    drop(house.publish("cam").unwrap());
    let history = house.store.history(BUCKET, "cam").unwrap();
    assert_eq!((history.len(), history[9].start), (10, now));
}
