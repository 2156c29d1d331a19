use super::*;
use std::sync::Mutex;
use std::thread;

const THREADS: usize = 8;
const ROUNDS: usize = 40;

#[test]
fn the_store_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<Store>();
    sent::<LiveSession>();
}

/// Every thread puts, publishes, disables, enables, deletes and reads the same
/// two channels; calls may fail only with the documented errors.
#[test]
fn eight_threads_on_two_channels_corrupt_nothing() {
    let mut fixture = Fixture::new();
    let written = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for id in 0..THREADS {
            let (fixture, written) = (&fixture, &written);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    hammer(fixture, ["cam", "door"][(id + round) % 2], id + round, written);
                }
            });
        }
    });
    let written = written.into_inner().unwrap();
    assert!(written.len() > THREADS, "some publisher got through");
    for _ in 0..2 {
        for channel in ["cam", "door"] {
            let mut expected: Vec<_> = written
                .iter()
                .filter(|(of, _)| of == channel)
                .map(|(_, name)| name.clone())
                .collect();
            expected.sort();
            let unique = expected.len();
            expected.dedup();
            assert_eq!(expected.len(), unique, "two sessions used one name");
            assert_eq!(fixture.vod_names(channel), expected);
            let playlist = fixture.live_playlist(&format!("{channel}/playlist.m3u8"));
            assert_eq!(playlist.media_sequence as usize + playlist.names.len(), unique);
            for name in expected {
                assert_eq!(fixture.text(&format!("{channel}/{name}")), format!("media of {name}"));
            }
        }
        fixture.restart();
    }
    assert_eq!(fs::read_dir(fixture.folder.path().join(".scratch")).unwrap().count(), 0);
    assert!(fixture.store.find(BUCKET).unwrap().known_timelines() <= 2);
}

#[test]
fn only_the_last_page_may_be_empty_while_objects_are_deleted() {
    let fixture = Fixture::new();
    let keys: Vec<_> = (0..400).map(|number| format!("{number:03}.ts")).collect();
    for key in &keys {
        fixture.store.put_object(BUCKET, key, None, b"media").unwrap();
    }
    thread::scope(|scope| {
        let deletion = scope.spawn(|| {
            keys.chunks(5).for_each(|some| {
                let some: Vec<_> = some.iter().map(String::as_str).collect();
                fixture.store.delete_objects(BUCKET, &some).unwrap();
            });
        });
        while !deletion.is_finished() {
            let page = fixture.store.list_objects(BUCKET, "", "", None, 2).unwrap();
            assert!(page.next_marker.is_none() || !page.objects.is_empty(), "{page:?}");
        }
    });
}

fn hammer(fixture: &Fixture, channel: &str, dice: usize, written: &Mutex<Vec<(String, String)>>) {
    let rules = [
        "ChannelStillLive",
        "LiveChannelDisabled",
        "NoSuchLiveChannel",
        "InvalidArgument",
        "NoSuchKey",
    ];
    let check = |result: Result<(), Fault>| {
        if let Err(fault) = result {
            assert!(rules.contains(&fault.code), "{fault:?}");
        }
    };
    check(fixture.store.put_channel(BUCKET, channel, settings()));
    match fixture.publish(channel) {
        Err(fault) => check(Err(fault)),
        Ok(mut session) => {
            for _ in 0..3 {
                // It may have been cut meanwhile, and can then begin no other.
                if let Ok(name) = try_fragment(fixture, &mut session) {
                    written.lock().unwrap().push((channel.to_owned(), name));
                }
                thread::yield_now();
            }
        }
    }
    check(fixture.store.set_channel_enabled(BUCKET, channel, !dice.is_multiple_of(3)));
    check(fixture.store.stat(BUCKET, channel).map(drop));
    check(fixture.store.history(BUCKET, channel).map(|history| assert!(history.len() <= 10)));
    check(fixture.store.vod_playlist(BUCKET, channel, 0, i64::MAX).map(drop));
    check(fixture.store.object(BUCKET, &format!("{channel}/playlist.m3u8")).map(drop));
    if dice.is_multiple_of(5) {
        check(fixture.store.delete_channel(BUCKET, channel));
    }
}

fn try_fragment(fixture: &Fixture, session: &mut LiveSession) -> io::Result<String> {
    fixture.pass_ms(1);
    let start_ms = fixture.now_ms.load(Ordering::SeqCst).max(session.last_start_ms() + 1);
    let name = format!("{start_ms}.ts");
    session.begin(&name)?;
    session.write(b"media of ")?;
    session.write(name.as_bytes())?;
    let fragment = Fragment { name: name.clone(), start_ms, duration_ms: 1, discontinuity: false };
    session.finish(&fragment, PlaylistState::default())?;
    Ok(name)
}

#[test]
fn readers_and_writers_of_one_key_see_whole_objects_that_match_their_etag() {
    let fixture = Fixture::new();
    let bodies = [vec![b'a'; 70_000], vec![b'b'; 90_000]];
    let metas =
        bodies.each_ref().map(|body| fixture.store.put_object(BUCKET, "d/k", None, body).unwrap());
    thread::scope(|scope| {
        for id in 0..THREADS {
            let (fixture, bodies, metas) = (&fixture, &bodies, &metas);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    match (id + round) % 4 {
                        0 | 1 => {
                            let body = &bodies[(id + round) % 2];
                            fixture.store.put_object(BUCKET, "d/k", None, body).unwrap();
                        }
                        2 if round % 5 == 0 => fixture.store.delete_object(BUCKET, "d/k").unwrap(),
                        _ => read_whole(fixture, bodies, metas),
                    }
                    fixture.pass_ms(1);
                }
            });
        }
    });
}

fn read_whole(fixture: &Fixture, bodies: &[Vec<u8>; 2], metas: &[ObjectMeta; 2]) {
    let Ok((meta, mut file)) = fixture.store.object(BUCKET, "d/k") else { return };
    let mut content = Vec::new();
    io::Read::read_to_end(&mut file, &mut content).unwrap();
    let which = usize::from(content.first() == Some(&b'b'));
    assert!(content == bodies[which]);
    assert_eq!(meta.etag, metas[which].etag);
}
