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
/// two channels; whatever is refused is refused by a rule.
#[test]
fn eight_threads_on_two_channels_corrupt_nothing() {
    let mut house = House::new();
    let written = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for id in 0..THREADS {
            let (house, written) = (&house, &written);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    hammer(house, ["cam", "door"][(id + round) % 2], id + round, written);
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
            assert_eq!(house.vod_names(channel), expected);
            let playlist = house.live_playlist(&format!("{channel}/playlist.m3u8"));
            assert_eq!(playlist.media_sequence as usize + playlist.names.len(), unique);
            for name in expected {
                assert_eq!(house.text(&format!("{channel}/{name}")), format!("media of {name}"));
            }
        }
        house.restart();
    }
    assert_eq!(fs::read_dir(house.folder.path().join(".scratch")).unwrap().count(), 0);
    assert!(house.store.find(BUCKET).unwrap().known_timelines() <= 2);
}

#[test]
fn no_page_that_more_follow_is_empty_while_objects_are_deleted() {
    let house = House::new();
    let keys: Vec<_> = (0..400).map(|number| format!("{number:03}.ts")).collect();
    for key in &keys {
        house.store.put_object(BUCKET, key, None, b"media").unwrap();
    }
    thread::scope(|scope| {
        let deletion = scope.spawn(|| {
            keys.chunks(5).for_each(|some| {
                let some: Vec<_> = some.iter().map(String::as_str).collect();
                house.store.delete_objects(BUCKET, &some).unwrap();
            });
        });
        while !deletion.is_finished() {
            let page = house.store.list_objects(BUCKET, "", "", None, 2).unwrap();
            assert!(page.next_marker.is_none() || !page.objects.is_empty(), "{page:?}");
        }
    });
}

fn hammer(house: &House, channel: &str, dice: usize, written: &Mutex<Vec<(String, String)>>) {
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
    check(house.store.put_channel(BUCKET, channel, settings()));
    match house.publish(channel) {
        Err(fault) => check(Err(fault)),
        Ok(mut session) => {
            for _ in 0..3 {
                // Cut meanwhile, it may begin no other.
                if let Ok(name) = try_fragment(house, &mut session) {
                    written.lock().unwrap().push((channel.to_owned(), name));
                }
                thread::yield_now();
            }
        }
    }
    check(house.store.set_channel_enabled(BUCKET, channel, !dice.is_multiple_of(3)));
    check(house.store.stat(BUCKET, channel).map(drop));
    check(house.store.history(BUCKET, channel).map(|history| assert!(history.len() <= 10)));
    check(house.store.vod_playlist(BUCKET, channel, 0, i64::MAX).map(drop));
    check(house.store.object(BUCKET, &format!("{channel}/playlist.m3u8")).map(drop));
    if dice.is_multiple_of(5) {
        check(house.store.delete_channel(BUCKET, channel));
    }
}

fn try_fragment(house: &House, session: &mut LiveSession) -> io::Result<String> {
    house.pass_ms(1);
    let start_ms = house.now_ms.load(Ordering::SeqCst).max(session.last_start_ms() + 1);
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
    let house = House::new();
    let bodies = [vec![b'a'; 70_000], vec![b'b'; 90_000]];
    let metas =
        bodies.each_ref().map(|body| house.store.put_object(BUCKET, "d/k", None, body).unwrap());
    thread::scope(|scope| {
        for id in 0..THREADS {
            let (house, bodies, metas) = (&house, &bodies, &metas);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    match (id + round) % 4 {
                        0 | 1 => {
                            let body = &bodies[(id + round) % 2];
                            house.store.put_object(BUCKET, "d/k", None, body).unwrap();
                        }
                        2 if round % 5 == 0 => house.store.delete_object(BUCKET, "d/k").unwrap(),
                        _ => read_whole(house, bodies, metas),
                    }
                    house.pass_ms(1);
                }
            });
        }
    });
}

fn read_whole(house: &House, bodies: &[Vec<u8>; 2], metas: &[ObjectMeta; 2]) {
    let Ok((meta, mut file)) = house.store.object(BUCKET, "d/k") else { return };
    let mut content = Vec::new();
    io::Read::read_to_end(&mut file, &mut content).unwrap();
    let which = usize::from(content.first() == Some(&b'b'));
    assert!(content == bodies[which]);
    assert_eq!(meta.etag, metas[which].etag);
}
