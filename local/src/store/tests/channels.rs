use super::*;
use crate::media::codec::Codec;
use crate::media::recorder::{AudioStat, StreamStat};
use crate::store::Upload;
use std::sync::Mutex;

#[test]
fn a_bucket_survives_a_restart_with_its_date_and_acl() {
    let mut fixture = Fixture::new();
    let before = fixture.store.bucket(BUCKET).unwrap();
    fixture.pass_ms(5000);
    fixture.store.create_bucket(BUCKET, Acl::PublicReadWrite).unwrap();
    fixture.store.create_bucket("tmp", Acl::PublicRead).unwrap();
    fixture.store.create_bucket("con", Acl::PublicRead).unwrap();
    fixture.restart();
    let after = fixture.store.bucket(BUCKET).unwrap();
    assert_eq!(after, BucketInfo { acl: Acl::PublicReadWrite, ..before });
    let names: Vec<_> = fixture.store.buckets().into_iter().map(|bucket| bucket.name).collect();
    assert_eq!(names, ["con", BUCKET, "tmp"]);
}

#[test]
fn acls_have_the_names_that_oss_uses() {
    for acl in [Acl::Private, Acl::PublicRead, Acl::PublicReadWrite] {
        assert_eq!(acl.to_string().parse::<Acl>().unwrap(), acl);
    }
    assert_eq!(Acl::PublicReadWrite.to_string(), "public-read-write");
    assert_eq!("default".parse::<Acl>().unwrap_err().code, "InvalidArgument");
}

#[test]
fn invalid_bucket_names_are_refused() {
    let fixture = Fixture::new();
    let long = "a".repeat(64);
    for name in ["", "ab", "-ab", "ab-", "Abc", "a.b", "..", "../x", "a/b", ".scratch", &long] {
        let refusal = code(fixture.store.create_bucket(name, Acl::Private));
        assert_eq!(refusal, (400, "InvalidBucketName"), "{name}");
    }
}

#[test]
fn every_call_on_a_missing_bucket_fails_with_no_such_bucket() {
    let Fixture { store, .. } = Fixture::new();
    let gone = (404, "NoSuchBucket");
    assert_eq!(code(store.bucket("missing")), gone);
    assert_eq!(code(store.delete_bucket("missing")), gone);
    assert_eq!(code(store.put_channel("missing", "c", settings())), gone);
    assert_eq!(code(store.delete_channel("missing", "c")), gone);
    assert_eq!(code(store.stat("missing", "c")), gone);
    assert_eq!(code(store.vod_playlist("missing", "c", 0, 1)), gone);
    assert_eq!(code(store.put_object("missing", "k", None, b"")), gone);
    assert_eq!(code(store.delete_object("missing", "k")), gone);
    assert_eq!(code(store.list_objects("missing", "", "", None, 1)), gone);
}

#[test]
fn a_bucket_is_deleted_only_when_it_holds_no_channel_and_no_object() {
    let mut fixture = Fixture::with_channel("cam");
    let not_empty = (409, "BucketNotEmpty");
    fixture.fragment(&mut fixture.publish("cam").unwrap());
    assert_eq!(code(fixture.store.delete_bucket(BUCKET)), not_empty);
    fixture.store.delete_channel(BUCKET, "cam").unwrap();
    assert_eq!(code(fixture.store.delete_bucket(BUCKET)), not_empty);
    for key in fixture.keys() {
        fixture.store.delete_object(BUCKET, &key).unwrap();
    }
    fixture.store.delete_bucket(BUCKET).unwrap();
    fixture.restart();
    assert!(fixture.store.buckets().is_empty());
    fixture.store.create_bucket(BUCKET, Acl::Private).unwrap();
    assert!(!fixture.publish_is_a_continuation());
}

impl Fixture {
    fn publish_is_a_continuation(&self) -> bool {
        self.store.put_channel(BUCKET, "cam", settings()).unwrap();
        self.publish("cam").unwrap().continues()
    }
}

#[test]
fn remaining_references_cannot_restore_a_deleted_bucket() {
    let fixture = Fixture::new();
    let bucket = fixture.store.find(BUCKET).unwrap();
    fixture.store.delete_bucket(BUCKET).unwrap();
    let gone = (404, "NoSuchBucket");
    assert_eq!(code(bucket.channels.put("cam", settings(), fixture.now())), gone);
    assert_eq!(
        code(bucket.objects.put("key", Upload::default(), &mut &b""[..], fixture.now())),
        gone
    );
    assert!(!fixture.path("").exists());
}

#[test]
fn a_channel_survives_a_restart_with_everything_in_it() {
    let mut fixture = Fixture::new();
    let snapshot = Snapshot {
        role_name: "role".to_owned(),
        dest_bucket: "pictures".to_owned(),
        notify_topic: "topic".to_owned(),
        interval: 10,
    };
    let full = ChannelSettings { snapshot: Some(snapshot), enabled: false, ..settings() };
    for name in ["前门 camera+1", "...", "a.b", "A", "a", "100%", "x\n"] {
        fixture.store.put_channel(BUCKET, name, full.clone()).unwrap();
    }
    let before = fixture.store.list_channels(BUCKET, "", "", 100).unwrap();
    assert_eq!(before.channels.len(), 7);
    fixture.restart();
    assert_eq!(fixture.store.list_channels(BUCKET, "", "", 100).unwrap(), before);
    assert_eq!(fixture.store.channel(BUCKET, "...").unwrap().settings, full);
}

#[test]
fn every_call_on_a_missing_channel_fails_with_no_such_live_channel() {
    let Fixture { store, .. } = &Fixture::new();
    let absent = (404, "NoSuchLiveChannel");
    assert_eq!(code(store.channel(BUCKET, "cam")), absent);
    assert_eq!(code(store.stat(BUCKET, "cam")), absent);
    assert_eq!(code(store.history(BUCKET, "cam")), absent);
    assert_eq!(code(store.set_channel_enabled(BUCKET, "cam", true)), absent);
    let fixture = Fixture::new();
    assert_eq!(code(fixture.publish("cam")), absent);
    assert_eq!(code(fixture.publish_as("cam", Some("x.m3u8"), || {})), absent);
}

#[test]
fn replacing_a_channel_keeps_its_history_and_updates_its_date() {
    let mut fixture = Fixture::with_channel("cam");
    drop(fixture.publish("cam").unwrap());
    fixture.pass_ms(60_000);
    let other = ChannelSettings { frag_count: 9, ..settings() };
    fixture.store.put_channel(BUCKET, "cam", other.clone()).unwrap();
    fixture.restart();
    let channel = fixture.store.channel(BUCKET, "cam").unwrap();
    assert_eq!((channel.settings, channel.last_modified), (other, fixture.now()));
    assert_eq!(fixture.store.history(BUCKET, "cam").unwrap().len(), 1);
}

#[test]
fn only_an_actual_change_of_status_updates_the_date() {
    let fixture = Fixture::with_channel("cam");
    fixture.pass_ms(1000);
    fixture.store.set_channel_enabled(BUCKET, "cam", true).unwrap();
    assert_eq!(fixture.store.channel(BUCKET, "cam").unwrap().last_modified, at(START_MS));
    fixture.store.set_channel_enabled(BUCKET, "cam", false).unwrap();
    assert_eq!(fixture.store.channel(BUCKET, "cam").unwrap().last_modified, at(START_MS + 1000));
    assert_eq!(fixture.store.stat(BUCKET, "cam").unwrap(), Stat::Disabled);
    fixture.store.set_channel_enabled(BUCKET, "cam", false).unwrap();
    assert_eq!(code(fixture.publish("cam")), (409, "LiveChannelDisabled"));
}

#[test]
fn deleting_a_channel_deletes_its_history_but_not_its_objects_and_can_be_repeated() {
    let mut fixture = Fixture::with_channel("cam");
    let name = fixture.fragment(&mut fixture.publish("cam").unwrap());
    fixture.store.delete_channel(BUCKET, "cam").unwrap();
    fixture.store.delete_channel(BUCKET, "cam").unwrap();
    fixture.restart();
    assert_eq!(fixture.keys(), [format!("cam/{name}"), "cam/playlist.m3u8".to_owned()]);
    assert_eq!(fixture.vod_names("cam"), [name]);
    fixture.store.put_channel(BUCKET, "cam", settings()).unwrap();
    assert!(fixture.store.history(BUCKET, "cam").unwrap().is_empty());
}

#[test]
fn channels_are_listed_in_byte_order_page_by_page() {
    let fixture = Fixture::new();
    for name in ["b", "a", "é", "B", "a-1", "a.1", "a1", "直播"] {
        fixture.store.put_channel(BUCKET, name, settings()).unwrap();
    }
    let page = |prefix: &str, marker: &str, max| {
        let page = fixture.store.list_channels(BUCKET, prefix, marker, max).unwrap();
        let names: Vec<_> = page.channels.into_iter().map(|channel| channel.name).collect();
        (names.join(" "), page.next_marker)
    };
    assert_eq!(page("", "", 100), ("B a a-1 a.1 a1 b é 直播".to_owned(), None));
    assert_eq!(page("", "", 8).1, None);
    assert_eq!(page("a", "", 2), ("a a-1".to_owned(), Some("a-1".to_owned())));
    assert_eq!(page("a", "a-1", 2), ("a.1 a1".to_owned(), None));
    assert_eq!(page("a", "A", 1), ("a".to_owned(), Some("a".to_owned())));
    assert_eq!(page("a", "a/", 9), ("a1".to_owned(), None));
    assert_eq!(page("a", "z", 9), (String::new(), None));
    assert_eq!(page("", "/", 1), ("B".to_owned(), Some("B".to_owned())));
    assert_eq!(page("", "", 0), (String::new(), None));
}

#[test]
fn a_session_is_live_from_publish_to_drop() {
    let fixture = Fixture::with_channel("cam");
    assert_eq!(fixture.store.stat(BUCKET, "cam").unwrap(), Stat::Idle);
    let session = fixture.publish("cam").unwrap();
    let live = |stream| Stat::Live { connected: at(START_MS), remote: remote(), stream };
    assert_eq!(fixture.store.stat(BUCKET, "cam").unwrap(), live(StreamStat::default()));
    let stream = StreamStat {
        video: None,
        audio: Some(AudioStat { codec: Codec::Aac, bandwidth: 16_000, sample_rate: 44_100 }),
    };
    session.update(stream.clone());
    fixture.pass_ms(7000);
    assert_eq!(fixture.store.stat(BUCKET, "cam").unwrap(), live(stream));
    assert!(fixture.store.history(BUCKET, "cam").unwrap().is_empty());
    drop(session);
    assert_eq!(fixture.store.stat(BUCKET, "cam").unwrap(), Stat::Idle);
    let record = SessionRecord { start: at(START_MS), end: at(START_MS + 7000), remote: remote() };
    assert_eq!(fixture.store.history(BUCKET, "cam").unwrap(), [record]);
}

#[test]
fn a_session_never_ends_before_its_start_even_if_the_clock_is_set_back() {
    let fixture = Fixture::with_channel("cam");
    let session = fixture.publish("cam").unwrap();
    fixture.now_ms.store(START_MS - 60_000, Ordering::SeqCst);
    drop(session);
    assert_eq!(fixture.store.history(BUCKET, "cam").unwrap()[0].end, at(START_MS));
}

#[test]
fn the_history_keeps_the_newest_ten_sessions_oldest_first() {
    let mut fixture = Fixture::with_channel("cam");
    for _ in 0..13 {
        fixture.pass_ms(1000);
        drop(fixture.publish("cam").unwrap());
    }
    fixture.restart();
    let starts: Vec<_> =
        fixture.store.history(BUCKET, "cam").unwrap().iter().map(|record| record.start).collect();
    assert_eq!(starts, (4..=13).map(|i| at(START_MS + i * 1000)).collect::<Vec<_>>());
}

#[test]
fn a_live_channel_cannot_be_replaced_deleted_enabled_or_shared() {
    let fixture = Fixture::with_channel("cam");
    let session = fixture.publish("cam").unwrap();
    let live = (409, "ChannelStillLive");
    assert_eq!(code(fixture.store.put_channel(BUCKET, "cam", settings())), live);
    assert_eq!(code(fixture.store.delete_channel(BUCKET, "cam")), live);
    assert_eq!(code(fixture.store.set_channel_enabled(BUCKET, "cam", true)), live);
    assert_eq!(code(fixture.publish("cam")), live);
    drop(session);
    fixture.store.put_channel(BUCKET, "cam", settings()).unwrap();
}

#[test]
fn disabling_a_live_channel_disconnects_its_publisher_at_once_and_without_a_lock() {
    let fixture = Fixture::with_channel("cam");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (store, calls) = (fixture.store.clone(), seen.clone());
    // The callback uses the store: under a lock it would deadlock.
    let session = fixture
        .publish_as("cam", None, move || {
            calls.lock().unwrap().push(store.stat(BUCKET, "cam").unwrap());
        })
        .unwrap();
    assert!(!session.cut());
    fixture.store.set_channel_enabled(BUCKET, "cam", false).unwrap();
    assert!(session.cut());
    assert_eq!(*seen.lock().unwrap(), [Stat::Disabled]);
    assert!(fixture.store.history(BUCKET, "cam").unwrap().is_empty());
    drop(session);
    assert_eq!(fixture.store.history(BUCKET, "cam").unwrap().len(), 1);
    fixture.store.set_channel_enabled(BUCKET, "cam", true).unwrap();
    assert_eq!(fixture.store.stat(BUCKET, "cam").unwrap(), Stat::Idle);
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[test]
fn a_publisher_may_return_before_its_disconnected_session_has_ended() {
    let mut fixture = Fixture::with_channel("cam");
    let mut old = fixture.publish("cam").unwrap();
    let first = fixture.fragment(&mut old);
    let unfinished = format!("{}.ts", START_MS + 2000);
    old.begin(&unfinished).unwrap();
    fixture.pass_ms(2000);
    fixture.store.set_channel_enabled(BUCKET, "cam", false).unwrap();
    fixture.store.set_channel_enabled(BUCKET, "cam", true).unwrap();

    let mut new = fixture.publish("cam").unwrap();
    assert_eq!(new.last_start_ms(), START_MS + 2000);
    let second = fixture.fragment_of(&mut new, true);
    old.write(b"late").unwrap();
    let late = Fragment {
        name: unfinished.clone(),
        start_ms: START_MS + 2000,
        duration_ms: 500,
        discontinuity: false,
    };
    old.finish(&late, PlaylistState::default()).unwrap();
    assert!(old.begin("1.ts").is_err());
    fixture.pass_ms(1);
    drop(old);
    assert!(matches!(fixture.store.stat(BUCKET, "cam").unwrap(), Stat::Live { .. }));
    assert_eq!(code(fixture.publish("cam")), (409, "ChannelStillLive"));
    let third = fixture.fragment(&mut new);
    drop(new);

    fixture.restart();
    let playlist = fixture.live_playlist("cam/playlist.m3u8");
    assert_eq!(playlist.media_sequence, 1);
    assert_eq!(playlist.names, [second.clone(), unfinished.clone(), third.clone()]);
    // The order in the index differs from that of their starts.
    let t = (START_MS / 1000) as i64;
    assert_eq!(fixture.vod("cam", t + 3, t + 5).unwrap().names, std::slice::from_ref(&second));
    assert_eq!(fixture.vod_names("cam"), [first, unfinished, second, third]);
    let history = fixture.store.history(BUCKET, "cam").unwrap();
    assert_eq!(history.len(), 2);
    assert!(history[0].start < history[1].start);
}

#[test]
fn a_disconnected_session_leaves_no_trace_in_a_new_channel_with_the_same_name() {
    let fixture = Fixture::with_channel("cam");
    let old = fixture.publish("cam").unwrap();
    fixture.store.set_channel_enabled(BUCKET, "cam", false).unwrap();
    fixture.store.delete_channel(BUCKET, "cam").unwrap();
    fixture.store.put_channel(BUCKET, "cam", settings()).unwrap();
    let new = fixture.publish("cam").unwrap();
    drop(old);
    assert!(fixture.store.history(BUCKET, "cam").unwrap().is_empty());
    assert!(matches!(fixture.store.stat(BUCKET, "cam").unwrap(), Stat::Live { .. }));
    drop(new);
    assert_eq!(fixture.store.history(BUCKET, "cam").unwrap().len(), 1);
}

#[test]
fn ended_and_refused_sessions_use_no_memory() {
    let fixture = Fixture::with_channel("cam");
    drop(fixture.publish("cam").unwrap());
    fixture.store.set_channel_enabled(BUCKET, "cam", false).unwrap();
    let _ = fixture.publish("cam").unwrap_err();
    let _ = fixture.publish_as("missing", Some("x.m3u8"), || {}).unwrap_err();
    assert_eq!(fixture.store.find(BUCKET).unwrap().known_timelines(), 0);
}

#[cfg(unix)]
#[test]
fn a_disk_error_is_an_internal_error_and_changes_nothing() {
    let fixture = Fixture::with_channel("cam");
    let before = fixture.store.channel(BUCKET, "cam").unwrap();
    // A folder in the place of the file fails even for the superuser.
    let scratch = fixture.folder.path().join(".scratch");
    fs::remove_dir_all(&scratch).unwrap();
    fs::write(&scratch, b"").unwrap();
    fixture.pass_ms(1000);
    let internal = (500, "InternalError");
    assert_eq!(code(fixture.store.put_channel(BUCKET, "cam", settings())), internal);
    assert_eq!(code(fixture.store.put_channel(BUCKET, "new", settings())), internal);
    assert_eq!(code(fixture.store.set_channel_enabled(BUCKET, "cam", false)), internal);
    assert_eq!(code(fixture.store.create_bucket(BUCKET, Acl::PublicRead)), internal);
    assert_eq!(code(fixture.store.create_bucket("another", Acl::PublicRead)), internal);
    assert_eq!(code(fixture.store.put_object(BUCKET, "key", None, b"x")), internal);
    assert_eq!(code(fixture.publish("cam")), internal);
    assert_eq!(fixture.store.channel(BUCKET, "cam").unwrap(), before);
    assert_eq!(fixture.store.stat(BUCKET, "cam").unwrap(), Stat::Idle);
    assert_eq!(code(fixture.store.channel(BUCKET, "new")), (404, "NoSuchLiveChannel"));
    assert_eq!(fixture.store.bucket(BUCKET).unwrap().acl, Acl::Private);
    assert_eq!(fixture.store.buckets().len(), 1);
}
