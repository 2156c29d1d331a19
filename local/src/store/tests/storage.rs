use super::*;

/// What one fragment of these tests takes, whose 25 bytes fill no block.
const FRAGMENT: u64 = 4096;

impl House {
    fn limit(&mut self, fragments: u64) {
        let store = Arc::get_mut(&mut self.store).unwrap();
        store.limit_recordings(fragments * FRAGMENT).unwrap();
    }

    fn limited(channels: &[&str], fragments: u64) -> House {
        let mut house = House::new();
        for channel in channels {
            house.store.put_channel(BUCKET, channel, settings()).unwrap();
        }
        house.limit(fragments);
        house
    }

    /// What the ledger believes, and what there is.
    fn account(&self) -> (u64, u64) {
        let fragments = self.keys().into_iter().filter(|key| key.ends_with(".ts"));
        let there = fragments.map(|key| self.head(&key).unwrap().size.div_ceil(4096) * 4096).sum();
        (self.store.ledger.as_ref().unwrap().bytes(), there)
    }

    fn fragments_of(&self, channel: &str) -> Vec<String> {
        let prefix = format!("{channel}/");
        let keys = self.keys().into_iter().filter_map(|key| {
            key.strip_prefix(&prefix).filter(|name| name.ends_with(".ts")).map(str::to_owned)
        });
        keys.collect()
    }
}

#[test]
fn the_oldest_fragments_of_all_channels_are_dropped_first() {
    let house = House::limited(&["a", "b"], 6);
    let old = house.fragments(&mut house.publish("a").unwrap(), 4);
    let new = house.fragments(&mut house.publish("b").unwrap(), 4);
    assert_eq!(house.fragments_of("a"), old[2..]);
    assert_eq!(house.fragments_of("b"), new);
    let more = house.fragments(&mut house.publish("b").unwrap(), 4);
    assert_eq!(house.fragments_of("a"), [""; 0]);
    assert_eq!(house.fragments_of("b"), [&new[2..], &more].concat());
    assert_eq!(house.account(), (6 * FRAGMENT, 6 * FRAGMENT));
}

#[test]
fn what_the_playlist_of_a_publisher_lists_stays_whatever_the_limit() {
    let house = House::limited(&["a", "b"], 1);
    let (mut a, mut b) = (house.publish("a").unwrap(), house.publish("b").unwrap());
    for _ in 0..5 {
        house.fragment(&mut a);
        house.fragment(&mut b);
        for channel in ["a", "b"] {
            let listed = house.live_playlist(&format!("{channel}/playlist.m3u8")).names;
            assert_eq!(house.fragments_of(channel), listed);
        }
    }
    assert_eq!(house.fragments_of("a").len(), 3);
}

#[test]
fn a_playlist_that_nobody_writes_any_more_loses_what_is_dropped() {
    let mut house = House::limited(&["a", "b"], 4);
    let old = house.fragments(&mut house.publish("a").unwrap(), 3);
    let mut b = house.publish("b").unwrap();
    house.fragments(&mut b, 2);
    let playlist = house.live_playlist("a/playlist.m3u8");
    assert_eq!((playlist.media_sequence, playlist.names), (1, old[1..].to_vec()));
    assert_eq!(house.vod_names("a"), old[1..]);

    // Whoever publishes next goes on from there, after a restart too.
    drop(b);
    house.restart();
    house.limit(4);
    let mut a = house.publish("a").unwrap();
    let next = house.fragment(&mut a);
    let playlist = house.live_playlist("a/playlist.m3u8");
    assert_eq!(playlist.names, [&old[1..], &[next]].concat());
    assert_eq!(playlist.media_sequence, 1);
    drop(a);

    house.store.put_channel(BUCKET, "b", settings()).unwrap();
    house.fragments(&mut house.publish("b").unwrap(), 4);
    assert_eq!(code(house.head("a/playlist.m3u8")), (404, "NoSuchKey"));
    assert_eq!(house.vod_names("a"), [""; 0]);
}

#[test]
fn a_playlist_of_an_earlier_name_is_revised_while_another_is_written() {
    let house = House::limited(&["a"], 4);
    let mut first = house.publish_as("a", Some("first.m3u8"), || {}).unwrap();
    let old = house.fragments(&mut first, 3);
    drop(first);
    let mut second = house.publish_as("a", Some("second.m3u8"), || {}).unwrap();
    house.fragments(&mut second, 3);
    assert_eq!(house.live_playlist("a/first.m3u8").names, old[2..]);
    house.fragments(&mut second, 1);
    assert_eq!(code(house.head("a/first.m3u8")), (404, "NoSuchKey"));
}

#[test]
fn a_folder_that_holds_more_is_cut_down_at_the_start() {
    let mut house = House::with_channel("a");
    let all = house.fragments(&mut house.publish("a").unwrap(), 10);
    house.restart();
    house.limit(4);
    assert_eq!(house.fragments_of("a"), all[6..]);
    assert_eq!(house.account(), (4 * FRAGMENT, 4 * FRAGMENT));
}

#[test]
fn the_recordings_of_deleted_channels_count_and_go_too() {
    let house = House::limited(&["a", "b"], 4);
    house.fragments(&mut house.publish("a").unwrap(), 3);
    house.store.delete_channel(BUCKET, "a").unwrap();
    house.fragments(&mut house.publish("b").unwrap(), 4);
    assert_eq!(house.fragments_of("a"), [""; 0]);
}

#[test]
fn uploads_neither_count_nor_go() {
    let house = House::limited(&["a"], 4);
    house.store.put_object(BUCKET, "a/0.ts", None, &[0; 1000]).unwrap();
    let first = house.fragments(&mut house.publish("a").unwrap(), 2);
    house.store.put_object(BUCKET, &format!("a/{}", first[0]), None, b"mine").unwrap();
    house.fragments(&mut house.publish("a").unwrap(), 6);
    assert_eq!(house.text(&format!("a/{}", first[0])), "mine");
    assert_eq!(house.head("a/0.ts").unwrap().size, 1000);
}

#[test]
fn a_fragment_that_an_upload_replaces_is_no_longer_counted() {
    let house = House::limited(&["a"], 4);
    let first = house.fragments(&mut house.publish("a").unwrap(), 2);
    let key = format!("a/{}", first[0]);
    for _ in 0..2 {
        house.store.put_object(BUCKET, &key, None, b"mine").unwrap();
        assert_eq!(house.store.ledger.as_ref().unwrap().bytes(), FRAGMENT);
    }
}

#[test]
fn what_others_delete_is_no_longer_counted() {
    let house = House::limited(&["a"], 4);
    let mut session = house.publish("a").unwrap();
    let first = house.fragments(&mut session, 4);
    house.store.delete_object(BUCKET, &format!("a/{}", first[1])).unwrap();
    house.store.delete_object(BUCKET, &format!("a/{}", first[1])).unwrap();
    assert_eq!(house.account(), (3 * FRAGMENT, 3 * FRAGMENT));
    house.fragment(&mut session);
    assert_eq!(house.fragments_of("a").len(), 4);
}

#[test]
fn an_index_does_not_grow_for_ever() {
    let mut house = House::limited(&["a"], 5);
    let mut session = house.publish("a").unwrap();
    house.fragments(&mut session, 300);
    let length = || fs::metadata(house.path("fragments/a.log")).unwrap().len();
    assert!(length() < 12 << 10, "{}", length());
    assert_eq!(house.live_playlist("a/playlist.m3u8").media_sequence, 297);
    assert_eq!(house.vod_names("a").len(), 5);
    drop(session);
    house.restart();
    house.limit(5);
    assert_eq!(house.account(), (5 * FRAGMENT, 5 * FRAGMENT));
    let mut session = house.publish("a").unwrap();
    assert!(session.continues());
    house.fragments(&mut session, 30);
    assert_eq!(house.live_playlist("a/playlist.m3u8").media_sequence, 327);
    assert_eq!(house.account(), (5 * FRAGMENT, 5 * FRAGMENT));
}

#[test]
fn a_bucket_made_anew_is_counted_anew() {
    let house = House::limited(&["a"], 3);
    house.fragments(&mut house.publish("a").unwrap(), 3);
    for key in house.keys() {
        house.store.delete_object(BUCKET, &key).unwrap();
    }
    house.store.delete_channel(BUCKET, "a").unwrap();
    house.store.delete_bucket(BUCKET).unwrap();
    house.store.create_bucket(BUCKET, Acl::Private).unwrap();
    house.store.put_channel(BUCKET, "a", settings()).unwrap();
    house.fragments(&mut house.publish("a").unwrap(), 5);
    assert_eq!(house.account(), (3 * FRAGMENT, 3 * FRAGMENT));
}

#[test]
fn channels_that_record_at_once_stay_below_the_limit_together() {
    let names: Vec<String> = (0..4).map(|number| format!("c{number}")).collect();
    let house = House::limited(&names.iter().map(String::as_str).collect::<Vec<_>>(), 20);
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| {
                for _ in 0..5 {
                    house.fragments(&mut house.publish(name).unwrap(), 10);
                }
            });
        }
    });
    assert_eq!(house.account(), (20 * FRAGMENT, 20 * FRAGMENT));
    // A channel that was done early may have lost everything to the others.
    for key in house.keys().iter().filter(|key| key.ends_with(".m3u8")) {
        let (name, playlist) = (key.split('/').next().unwrap(), house.text(key));
        for listed in Playlist::read(&playlist).names {
            assert!(house.head(&format!("{name}/{listed}")).is_ok(), "{listed} in {playlist}");
        }
    }
}
