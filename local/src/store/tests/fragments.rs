use super::*;

#[test]
fn the_playlist_appears_with_the_first_finished_fragment() {
    let fixture = Fixture::with_channel("cam");
    let mut session = fixture.publish("cam").unwrap();
    assert_eq!((session.frag_duration(), session.last_start_ms()), (2, 0));
    assert!(!session.continues());
    session.begin(&format!("{START_MS}.ts")).unwrap();
    session.write(b"half").unwrap();
    assert_eq!(code(fixture.head("cam/playlist.m3u8")), (404, "NoSuchKey"));
    assert!(fixture.keys().is_empty());
    let name = fixture.fragment(&mut session);
    assert_eq!(fixture.live_playlist("cam/playlist.m3u8").names, std::slice::from_ref(&name));
    assert_eq!(fixture.text(&format!("cam/{name}")), format!("media of {name}"));
}

#[test]
fn the_live_playlist_lists_the_newest_fragments_and_counts_those_before_it() {
    let fixture = Fixture::with_channel("cam");
    let mut session = fixture.publish("cam").unwrap();
    let names = fixture.fragments(&mut session, 5);
    let playlist = fixture.live_playlist("cam/playlist.m3u8");
    assert_eq!(playlist.names, names[2..]);
    assert_eq!((playlist.media_sequence, playlist.discontinuity_sequence), (2, 0));
    assert!(!playlist.ends);
}

#[test]
fn a_playlist_continues_across_sessions_and_restarts() {
    let mut fixture = Fixture::with_channel("cam");
    fixture.fragments(&mut fixture.publish("cam").unwrap(), 4);
    fixture.restart();
    let mut session = fixture.publish("cam").unwrap();
    assert!(session.continues());
    assert_eq!(session.last_start_ms(), START_MS + 6000);
    let second = fixture.fragment_of(&mut session, true);
    let playlist = fixture.live_playlist("cam/playlist.m3u8");
    assert_eq!((playlist.media_sequence, playlist.discontinuity_sequence), (2, 0));
    assert_eq!(playlist.names.last(), Some(&second));
    assert_eq!(playlist.breaks, [second]);
    fixture.fragments(&mut session, 2);
    assert_eq!(fixture.live_playlist("cam/playlist.m3u8").discontinuity_sequence, 0);
    drop(session);
    fixture.restart();
    fixture.fragment_of(&mut fixture.publish("cam").unwrap(), true);
    let playlist = fixture.live_playlist("cam/playlist.m3u8");
    assert_eq!((playlist.media_sequence, playlist.discontinuity_sequence), (5, 1));
    fixture.restart();
    fixture.fragment(&mut fixture.publish("cam").unwrap());
    let playlist = fixture.live_playlist("cam/playlist.m3u8");
    assert_eq!((playlist.media_sequence, playlist.discontinuity_sequence), (6, 1));
}

#[test]
fn each_playlist_has_its_own_window_and_counters() {
    let mut fixture = Fixture::with_channel("cam");
    fixture.fragments(&mut fixture.publish("cam").unwrap(), 4);
    let mut other = fixture.publish_as("cam", Some("today.m3u8"), || {}).unwrap();
    let first = fixture.fragment_of(&mut other, true);
    drop(other);
    let playlist = fixture.live_playlist("cam/today.m3u8");
    assert_eq!((playlist.names, playlist.media_sequence), (vec![first], 0));
    assert!(playlist.breaks.is_empty(), "a playlist's first fragment is not a discontinuity");
    fixture.restart();
    let back = fixture.fragment_of(&mut fixture.publish("cam").unwrap(), true);
    let playlist = fixture.live_playlist("cam/playlist.m3u8");
    assert_eq!((playlist.media_sequence, playlist.breaks), (2, vec![back]));
    let again = fixture
        .fragment_of(&mut fixture.publish_as("cam", Some("today.m3u8"), || {}).unwrap(), true);
    let playlist = fixture.live_playlist("cam/today.m3u8");
    assert_eq!((playlist.names.len(), playlist.breaks), (2, vec![again]));
    assert_eq!(fixture.vod_names("cam").len(), 7);
}

#[test]
fn the_media_sequence_never_decreases_when_the_window_grows_or_shrinks() {
    let mut fixture = Fixture::with_channel("cam");
    let mut last = 0;
    for (count, sequence, shown) in [(3, 1, 3), (8, 1, 7), (2, 10, 2), (100, 10, 6)] {
        let other = ChannelSettings { frag_count: count, ..settings() };
        fixture.store.put_channel(BUCKET, "cam", other).unwrap();
        fixture.fragments(&mut fixture.publish("cam").unwrap(), 4);
        let playlist = fixture.live_playlist("cam/playlist.m3u8");
        assert_eq!((playlist.media_sequence, playlist.names.len()), (sequence, shown), "{count}");
        assert!(playlist.media_sequence >= last);
        last = playlist.media_sequence;
        fixture.restart();
    }
    assert_eq!(fixture.vod_names("cam").len(), 16);
}

#[test]
fn a_deleted_playlist_starts_over() {
    let fixture = Fixture::with_channel("cam");
    fixture.fragments(&mut fixture.publish("cam").unwrap(), 5);
    fixture.store.delete_object(BUCKET, "cam/playlist.m3u8").unwrap();
    let name = fixture.fragment(&mut fixture.publish("cam").unwrap());
    let playlist = fixture.live_playlist("cam/playlist.m3u8");
    assert_eq!((playlist.media_sequence, playlist.names), (0, vec![name]));
    fixture.fragments(&mut fixture.publish("cam").unwrap(), 1);
    assert_eq!(fixture.live_playlist("cam/playlist.m3u8").names.len(), 2);
}

#[test]
fn a_large_index_is_read_from_its_end() {
    let mut fixture = Fixture::with_channel("cam");
    let names = fixture.fragments(&mut fixture.publish("cam").unwrap(), 300);
    assert!(fs::metadata(fixture.path("fragments/cam.log")).unwrap().len() > 3 * 8192);
    fixture.restart();
    assert_eq!(fixture.vod_names("cam"), names);
    fixture.fragments(&mut fixture.publish_as("cam", Some("other.m3u8"), || {}).unwrap(), 100);
    let last = fixture.fragment(&mut fixture.publish("cam").unwrap());
    let playlist = fixture.live_playlist("cam/playlist.m3u8");
    assert_eq!(playlist.media_sequence, 298);
    assert_eq!(playlist.names, [&names[298], &names[299], &last].map(Clone::clone));
}

#[test]
fn a_vod_playlist_lists_the_fragments_that_began_between_two_times() {
    let fixture = Fixture::with_channel("cam");
    let mut session = fixture.publish("cam").unwrap();
    let names = fixture.fragments(&mut session, 4);
    fixture.now_ms.store(START_MS + 8001, Ordering::SeqCst);
    let late = fixture.fragment(&mut session);
    let t = (START_MS / 1000) as i64;
    let between = |start, end| fixture.vod("cam", start, end).map(|playlist| playlist.names);
    assert_eq!(between(t, t + 6).unwrap(), names);
    assert_eq!(between(t + 2, t + 4).unwrap(), names[1..=2]);
    assert_eq!(between(t + 1, t + 3).unwrap(), names[1..=1]);
    assert_eq!(between(t + 6, t + 8).unwrap(), names[3..]);
    assert_eq!(between(t + 8, t + 9).unwrap(), [late]);
    assert!(fixture.vod("cam", t, t + 6).unwrap().ends);
    for (start, end) in [(t - 9, t - 1), (t + 9, t + 99), (t + 6, t), (-9, -1), (i64::MIN, 0)] {
        let fault = between(start, end).unwrap_err();
        assert_eq!((fault.status, fault.code), (400, "InvalidArgument"), "{start} {end}");
        assert_eq!(fault.message, "No ts file found in specified time span.");
        assert_eq!(fault.ec, Some("0044-00000308"));
    }
    assert_eq!(between(i64::MIN, i64::MAX).unwrap().len(), 5);
    assert_eq!(code(fixture.vod("missing", 0, i64::MAX)), (400, "InvalidArgument"));
}

#[test]
fn a_deleted_fragment_leaves_a_gap_in_later_vod_playlists() {
    let fixture = Fixture::with_channel("cam");
    let names = fixture.fragments(&mut fixture.publish("cam").unwrap(), 4);
    fixture.store.delete_object(BUCKET, &format!("cam/{}", names[1])).unwrap();
    let playlist = fixture.vod("cam", 0, i64::MAX).unwrap();
    assert_eq!(playlist.names, [&names[0], &names[2], &names[3]].map(Clone::clone));
    assert_eq!(playlist.breaks, [names[2].clone()]);
    fixture.store.delete_object(BUCKET, &format!("cam/{}", names[0])).unwrap();
    assert!(fixture.vod("cam", 0, i64::MAX).unwrap().breaks.is_empty());
}

#[test]
fn a_channel_created_again_continues_the_earlier_fragments() {
    let fixture = Fixture::with_channel("cam");
    fixture.fragments(&mut fixture.publish("cam").unwrap(), 4);
    fixture.store.delete_channel(BUCKET, "cam").unwrap();
    fixture.store.put_channel(BUCKET, "cam", settings()).unwrap();
    let mut session = fixture.publish("cam").unwrap();
    assert!(session.continues());
    assert_eq!(session.last_start_ms(), START_MS + 6000);
    fixture.fragment(&mut session);
    assert_eq!(fixture.live_playlist("cam/playlist.m3u8").media_sequence, 2);
}

#[test]
fn an_unfinished_fragment_is_never_listed_and_leaves_no_file() {
    let fixture = Fixture::with_channel("cam");
    let mut session = fixture.publish("cam").unwrap();
    session.begin("1.ts").unwrap();
    session.write(b"x").unwrap();
    session.begin("2.ts").unwrap();
    drop(session);
    assert!(fixture.keys().is_empty());
    assert_eq!(fs::read_dir(fixture.folder.path().join(".scratch")).unwrap().count(), 0);
}

#[test]
fn writing_or_finishing_without_a_fragment_is_an_error() {
    let fixture = Fixture::with_channel("cam");
    let mut session = fixture.publish("cam").unwrap();
    assert!(session.write(b"x").is_err());
    let name = "1.ts".to_owned();
    let fragment = Fragment { name, start_ms: 1, duration_ms: 1, discontinuity: false };
    assert!(session.finish(&fragment, PlaylistState::default()).is_err());
    assert!(fixture.keys().is_empty());
}

#[test]
fn a_fragment_that_cannot_be_put_in_place_is_not_listed() {
    let fixture = Fixture::with_channel("cam");
    let mut session = fixture.publish("cam").unwrap();
    let first = fixture.fragment(&mut session);
    let log = fs::read(fixture.path("fragments/cam.log")).unwrap();
    session.begin("1895335398123.ts").unwrap();
    session.write(b"x").unwrap();
    // Not even the superuser can replace a folder by a file.
    fs::create_dir(fixture.path("objects/cam/1895335398123.ts")).unwrap();
    let name = "1895335398123.ts".to_owned();
    let start_ms = 1_895_335_398_123;
    let fragment = Fragment { name, start_ms, duration_ms: 1, discontinuity: false };
    assert!(session.finish(&fragment, PlaylistState::default()).is_err());
    assert_eq!(fs::read(fixture.path("fragments/cam.log")).unwrap(), log);
    assert_eq!(fixture.vod_names("cam"), std::slice::from_ref(&first));
    assert_eq!(fixture.live_playlist("cam/playlist.m3u8").names, std::slice::from_ref(&first));
    let next = fixture.fragment(&mut session);
    let playlist = fixture.live_playlist("cam/playlist.m3u8");
    assert_eq!((playlist.media_sequence, playlist.names), (0, vec![first, next]));
}

#[test]
fn a_fragment_whose_line_cannot_be_written_does_not_become_an_object() {
    let fixture = Fixture::with_channel("cam");
    let mut session = fixture.publish("cam").unwrap();
    fs::create_dir(fixture.path("fragments/cam.log")).unwrap();
    session.begin("1.ts").unwrap();
    let name = "1.ts".to_owned();
    let fragment = Fragment { name, start_ms: 1, duration_ms: 1, discontinuity: false };
    assert!(session.finish(&fragment, PlaylistState::default()).is_err());
    assert!(fixture.keys().is_empty());
}

#[test]
fn a_fragment_and_its_playlist_may_be_overwritten_by_a_user() {
    let fixture = Fixture::with_channel("cam");
    let mut session = fixture.publish("cam").unwrap();
    let name = fixture.fragment(&mut session);
    fixture.store.put_object(BUCKET, &format!("cam/{name}"), None, b"other").unwrap();
    fixture.store.put_object(BUCKET, "cam/playlist.m3u8", None, b"#EXTM3U").unwrap();
    assert_eq!(fixture.text("cam/playlist.m3u8"), "#EXTM3U");
    let next = fixture.fragment(&mut session);
    assert_eq!(fixture.live_playlist("cam/playlist.m3u8").names, [name.clone(), next.clone()]);
    assert_eq!(fixture.vod_names("cam"), [name, next]);
}

#[test]
fn the_target_duration_of_a_live_playlist_never_decreases() {
    let mut fixture = Fixture::with_channel("cam");
    let target = |fixture: &Fixture| {
        let text = fixture.text("cam/playlist.m3u8");
        let line = text.lines().find_map(|line| line.strip_prefix("#EXT-X-TARGETDURATION:"));
        line.unwrap().parse::<u32>().unwrap()
    };
    let mut session = fixture.publish("cam").unwrap();
    let list = |fixture: &Fixture, session: &mut LiveSession, duration_ms, own| {
        fixture.pass_ms(6000);
        let start_ms = fixture.now_ms.load(Ordering::SeqCst);
        let name = format!("{start_ms}.ts");
        session.begin(&name).unwrap();
        session
            .finish(
                &Fragment { name, start_ms, duration_ms, discontinuity: false },
                PlaylistState { target: own, clock: start_ms * 90 },
            )
            .unwrap();
        target(fixture)
    };
    let targets = [500, 5500, 2000, 2000, 2000].map(|ms| list(&fixture, &mut session, ms, 6));
    assert_eq!(targets, [6; 5], "the session's, whatever the durations");
    let left = session.state();
    assert_eq!(left.target, 6);
    drop(session);
    fixture.restart();
    let mut session = fixture.publish("cam").unwrap();
    assert_eq!(session.state(), left, "where the previous session ended");
    assert_eq!(list(&fixture, &mut session, 2000, 2), 6);
    assert_eq!(list(&fixture, &mut session, 8000, 9), 9);
}
