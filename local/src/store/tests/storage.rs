use super::*;

/// The disk space of one fragment in these tests, whose 25 bytes use one block.
const FRAGMENT: u64 = 4096;

impl Fixture {
    fn limit(&mut self, fragments: u64) {
        let store = Arc::get_mut(&mut self.store).unwrap();
        store.limit_recordings(fragments * FRAGMENT).unwrap();
    }

    fn limited(channels: &[&str], fragments: u64) -> Fixture {
        let mut fixture = Fixture::new();
        for channel in channels {
            fixture.store.put_channel(BUCKET, channel, settings()).unwrap();
        }
        fixture.limit(fragments);
        fixture
    }

    /// Returns the total of the ledger, and the actual one.
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
fn the_oldest_fragments_of_all_channels_are_deleted_first() {
    let fixture = Fixture::limited(&["a", "b"], 6);
    let old = fixture.fragments(&mut fixture.publish("a").unwrap(), 4);
    let new = fixture.fragments(&mut fixture.publish("b").unwrap(), 4);
    assert_eq!(fixture.fragments_of("a"), old[2..]);
    assert_eq!(fixture.fragments_of("b"), new);
    let more = fixture.fragments(&mut fixture.publish("b").unwrap(), 4);
    assert_eq!(fixture.fragments_of("a"), [""; 0]);
    assert_eq!(fixture.fragments_of("b"), [&new[2..], &more].concat());
    assert_eq!(fixture.account(), (6 * FRAGMENT, 6 * FRAGMENT));
}

#[test]
fn fragments_in_the_playlist_of_a_live_stream_are_kept_whatever_the_limit() {
    let fixture = Fixture::limited(&["a", "b"], 1);
    let (mut a, mut b) = (fixture.publish("a").unwrap(), fixture.publish("b").unwrap());
    for _ in 0..5 {
        fixture.fragment(&mut a);
        fixture.fragment(&mut b);
        for channel in ["a", "b"] {
            let listed = fixture.live_playlist(&format!("{channel}/playlist.m3u8")).names;
            assert_eq!(fixture.fragments_of(channel), listed);
        }
    }
    assert_eq!(fixture.fragments_of("a").len(), 3);
}

#[test]
fn deleted_fragments_are_removed_from_playlists_that_are_no_longer_written() {
    let mut fixture = Fixture::limited(&["a", "b"], 4);
    let old = fixture.fragments(&mut fixture.publish("a").unwrap(), 3);
    let mut b = fixture.publish("b").unwrap();
    fixture.fragments(&mut b, 2);
    let playlist = fixture.live_playlist("a/playlist.m3u8");
    assert_eq!((playlist.media_sequence, playlist.names), (1, old[1..].to_vec()));
    assert_eq!(fixture.vod_names("a"), old[1..]);

    // The next publisher continues from there, even after a restart.
    drop(b);
    fixture.restart();
    fixture.limit(4);
    let mut a = fixture.publish("a").unwrap();
    let next = fixture.fragment(&mut a);
    let playlist = fixture.live_playlist("a/playlist.m3u8");
    assert_eq!(playlist.names, [&old[1..], &[next]].concat());
    assert_eq!(playlist.media_sequence, 1);
    drop(a);

    fixture.store.put_channel(BUCKET, "b", settings()).unwrap();
    fixture.fragments(&mut fixture.publish("b").unwrap(), 4);
    assert_eq!(code(fixture.head("a/playlist.m3u8")), (404, "NoSuchKey"));
    assert_eq!(fixture.vod_names("a"), [""; 0]);
}

#[test]
fn an_earlier_playlist_is_updated_while_another_is_written() {
    let fixture = Fixture::limited(&["a"], 4);
    let mut first = fixture.publish_as("a", Some("first.m3u8"), || {}).unwrap();
    let old = fixture.fragments(&mut first, 3);
    drop(first);
    let mut second = fixture.publish_as("a", Some("second.m3u8"), || {}).unwrap();
    fixture.fragments(&mut second, 3);
    assert_eq!(fixture.live_playlist("a/first.m3u8").names, old[2..]);
    fixture.fragments(&mut second, 1);
    assert_eq!(code(fixture.head("a/first.m3u8")), (404, "NoSuchKey"));
}

#[test]
fn a_folder_that_exceeds_the_limit_is_pruned_at_the_start() {
    let mut fixture = Fixture::with_channel("a");
    let all = fixture.fragments(&mut fixture.publish("a").unwrap(), 10);
    fixture.restart();
    fixture.limit(4);
    assert_eq!(fixture.fragments_of("a"), all[6..]);
    assert_eq!(fixture.account(), (4 * FRAGMENT, 4 * FRAGMENT));
}

#[test]
fn the_recordings_of_deleted_channels_count_and_are_deleted_too() {
    let fixture = Fixture::limited(&["a", "b"], 4);
    fixture.fragments(&mut fixture.publish("a").unwrap(), 3);
    fixture.store.delete_channel(BUCKET, "a").unwrap();
    fixture.fragments(&mut fixture.publish("b").unwrap(), 4);
    assert_eq!(fixture.fragments_of("a"), [""; 0]);
}

#[test]
fn uploads_are_neither_counted_nor_deleted() {
    let fixture = Fixture::limited(&["a"], 4);
    fixture.store.put_object(BUCKET, "a/0.ts", None, &[0; 1000]).unwrap();
    let first = fixture.fragments(&mut fixture.publish("a").unwrap(), 2);
    fixture.store.put_object(BUCKET, &format!("a/{}", first[0]), None, b"mine").unwrap();
    fixture.fragments(&mut fixture.publish("a").unwrap(), 6);
    assert_eq!(fixture.text(&format!("a/{}", first[0])), "mine");
    assert_eq!(fixture.head("a/0.ts").unwrap().size, 1000);
}

#[test]
fn a_fragment_that_an_upload_replaces_is_no_longer_counted() {
    let fixture = Fixture::limited(&["a"], 4);
    let first = fixture.fragments(&mut fixture.publish("a").unwrap(), 2);
    let key = format!("a/{}", first[0]);
    for _ in 0..2 {
        fixture.store.put_object(BUCKET, &key, None, b"mine").unwrap();
        assert_eq!(fixture.store.ledger.as_ref().unwrap().bytes(), FRAGMENT);
    }
}

#[test]
fn deleted_fragments_are_no_longer_counted() {
    let fixture = Fixture::limited(&["a"], 4);
    let mut session = fixture.publish("a").unwrap();
    let first = fixture.fragments(&mut session, 4);
    fixture.store.delete_object(BUCKET, &format!("a/{}", first[1])).unwrap();
    fixture.store.delete_object(BUCKET, &format!("a/{}", first[1])).unwrap();
    assert_eq!(fixture.account(), (3 * FRAGMENT, 3 * FRAGMENT));
    fixture.fragment(&mut session);
    assert_eq!(fixture.fragments_of("a").len(), 4);
}

#[test]
fn an_index_does_not_grow_without_bound() {
    let mut fixture = Fixture::limited(&["a"], 5);
    let mut session = fixture.publish("a").unwrap();
    fixture.fragments(&mut session, 300);
    let length = || fs::metadata(fixture.path("fragments/a.log")).unwrap().len();
    assert!(length() < 12 << 10, "{}", length());
    assert_eq!(fixture.live_playlist("a/playlist.m3u8").media_sequence, 297);
    assert_eq!(fixture.vod_names("a").len(), 5);
    drop(session);
    fixture.restart();
    fixture.limit(5);
    assert_eq!(fixture.account(), (5 * FRAGMENT, 5 * FRAGMENT));
    let mut session = fixture.publish("a").unwrap();
    assert!(session.continues());
    fixture.fragments(&mut session, 30);
    assert_eq!(fixture.live_playlist("a/playlist.m3u8").media_sequence, 327);
    assert_eq!(fixture.account(), (5 * FRAGMENT, 5 * FRAGMENT));
}

#[test]
fn a_bucket_that_is_created_again_is_counted_again() {
    let fixture = Fixture::limited(&["a"], 3);
    fixture.fragments(&mut fixture.publish("a").unwrap(), 3);
    for key in fixture.keys() {
        fixture.store.delete_object(BUCKET, &key).unwrap();
    }
    fixture.store.delete_channel(BUCKET, "a").unwrap();
    fixture.store.delete_bucket(BUCKET).unwrap();
    fixture.store.create_bucket(BUCKET, Acl::Private).unwrap();
    fixture.store.put_channel(BUCKET, "a", settings()).unwrap();
    fixture.fragments(&mut fixture.publish("a").unwrap(), 5);
    assert_eq!(fixture.account(), (3 * FRAGMENT, 3 * FRAGMENT));
}

#[test]
fn channels_that_record_concurrently_stay_below_the_limit_together() {
    let names: Vec<String> = (0..4).map(|number| format!("c{number}")).collect();
    let fixture = Fixture::limited(&names.iter().map(String::as_str).collect::<Vec<_>>(), 20);
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| {
                for _ in 0..5 {
                    fixture.fragments(&mut fixture.publish(name).unwrap(), 10);
                }
            });
        }
    });
    assert_eq!(fixture.account(), (20 * FRAGMENT, 20 * FRAGMENT));
    // The fragments of a channel that ended early may all have been deleted.
    for key in fixture.keys().iter().filter(|key| key.ends_with(".m3u8")) {
        let (name, playlist) = (key.split('/').next().unwrap(), fixture.text(key));
        for listed in Playlist::read(&playlist).names {
            assert!(fixture.head(&format!("{name}/{listed}")).is_ok(), "{listed} in {playlist}");
        }
    }
}
