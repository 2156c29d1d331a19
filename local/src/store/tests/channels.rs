use super::*;
use crate::media::codec::Codec;
use crate::media::recorder::{AudioStat, StreamStat};
use crate::store::Upload;
use std::sync::Mutex;

#[test]
fn a_bucket_survives_a_restart_with_its_date_and_acl() {
    let mut house = House::new();
    let before = house.store.bucket(BUCKET).unwrap();
    house.pass_ms(5000);
    house.store.create_bucket(BUCKET, Acl::PublicReadWrite).unwrap();
    house.store.create_bucket("tmp", Acl::PublicRead).unwrap();
    house.store.create_bucket("con", Acl::PublicRead).unwrap();
    house.restart();
    let after = house.store.bucket(BUCKET).unwrap();
    assert_eq!(after, BucketInfo { acl: Acl::PublicReadWrite, ..before });
    let names: Vec<_> = house.store.buckets().into_iter().map(|bucket| bucket.name).collect();
    assert_eq!(names, ["con", BUCKET, "tmp"]);
}

#[test]
fn acls_are_spelt_as_oss_spells_them() {
    for acl in [Acl::Private, Acl::PublicRead, Acl::PublicReadWrite] {
        assert_eq!(acl.to_string().parse::<Acl>().unwrap(), acl);
    }
    assert_eq!(Acl::PublicReadWrite.to_string(), "public-read-write");
    assert_eq!("default".parse::<Acl>().unwrap_err().code, "InvalidArgument");
}

#[test]
fn a_bucket_name_that_oss_does_not_allow_is_refused() {
    let house = House::new();
    let long = "a".repeat(64);
    for name in ["", "ab", "-ab", "ab-", "Abc", "a.b", "..", "../x", "a/b", ".scratch", &long] {
        let refusal = code(house.store.create_bucket(name, Acl::Private));
        assert_eq!(refusal, (400, "InvalidBucketName"), "{name}");
    }
}

#[test]
fn every_call_on_an_absent_bucket_is_no_such_bucket() {
    let House { store, .. } = House::new();
    let gone = (404, "NoSuchBucket");
    assert_eq!(code(store.bucket("nobody")), gone);
    assert_eq!(code(store.delete_bucket("nobody")), gone);
    assert_eq!(code(store.put_channel("nobody", "c", settings())), gone);
    assert_eq!(code(store.delete_channel("nobody", "c")), gone);
    assert_eq!(code(store.stat("nobody", "c")), gone);
    assert_eq!(code(store.vod_playlist("nobody", "c", 0, 1)), gone);
    assert_eq!(code(store.put_object("nobody", "k", None, b"")), gone);
    assert_eq!(code(store.delete_object("nobody", "k")), gone);
    assert_eq!(code(store.list_objects("nobody", "", "", None, 1)), gone);
}

#[test]
fn a_bucket_is_deleted_only_when_it_holds_no_channel_and_no_object() {
    let mut house = House::with_channel("cam");
    let not_empty = (409, "BucketNotEmpty");
    house.fragment(&mut house.publish("cam").unwrap());
    assert_eq!(code(house.store.delete_bucket(BUCKET)), not_empty);
    house.store.delete_channel(BUCKET, "cam").unwrap();
    assert_eq!(code(house.store.delete_bucket(BUCKET)), not_empty);
    for key in house.keys() {
        house.store.delete_object(BUCKET, &key).unwrap();
    }
    house.store.delete_bucket(BUCKET).unwrap();
    house.restart();
    assert!(house.store.buckets().is_empty());
    house.store.create_bucket(BUCKET, Acl::Private).unwrap();
    assert!(!house.publish_is_a_continuation());
}

impl House {
    fn publish_is_a_continuation(&self) -> bool {
        self.store.put_channel(BUCKET, "cam", settings()).unwrap();
        self.publish("cam").unwrap().continues()
    }
}

#[test]
fn what_still_refers_to_a_deleted_bucket_cannot_bring_it_back() {
    let house = House::new();
    let bucket = house.store.find(BUCKET).unwrap();
    house.store.delete_bucket(BUCKET).unwrap();
    let gone = (404, "NoSuchBucket");
    assert_eq!(code(bucket.channels.put("cam", settings(), house.now())), gone);
    assert_eq!(
        code(bucket.objects.put("key", Upload::default(), &mut &b""[..], house.now())),
        gone
    );
    assert!(!house.path("").exists());
}

#[test]
fn a_channel_survives_a_restart_with_everything_in_it() {
    let mut house = House::new();
    let snapshot = Snapshot {
        role_name: "role".to_owned(),
        dest_bucket: "pictures".to_owned(),
        notify_topic: "topic".to_owned(),
        interval: 10,
    };
    let full = ChannelSettings { snapshot: Some(snapshot), enabled: false, ..settings() };
    for name in ["前门 camera+1", "...", "a.b", "A", "a", "100%", "x\n"] {
        house.store.put_channel(BUCKET, name, full.clone()).unwrap();
    }
    let before = house.store.list_channels(BUCKET, "", "", 100).unwrap();
    assert_eq!(before.channels.len(), 7);
    house.restart();
    assert_eq!(house.store.list_channels(BUCKET, "", "", 100).unwrap(), before);
    assert_eq!(house.store.channel(BUCKET, "...").unwrap().settings, full);
}

#[test]
fn an_absent_channel_is_no_such_live_channel() {
    let House { store, .. } = &House::new();
    let absent = (404, "NoSuchLiveChannel");
    assert_eq!(code(store.channel(BUCKET, "cam")), absent);
    assert_eq!(code(store.stat(BUCKET, "cam")), absent);
    assert_eq!(code(store.history(BUCKET, "cam")), absent);
    assert_eq!(code(store.set_channel_enabled(BUCKET, "cam", true)), absent);
    let house = House::new();
    assert_eq!(code(house.publish("cam")), absent);
    assert_eq!(code(house.publish_as("cam", Some("x.m3u8"), || {})), absent);
}

#[test]
fn replacing_a_channel_keeps_its_history_and_dates_it_anew() {
    let mut house = House::with_channel("cam");
    drop(house.publish("cam").unwrap());
    house.pass_ms(60_000);
    let other = ChannelSettings { frag_count: 9, ..settings() };
    house.store.put_channel(BUCKET, "cam", other.clone()).unwrap();
    house.restart();
    let channel = house.store.channel(BUCKET, "cam").unwrap();
    assert_eq!((channel.settings, channel.last_modified), (other, house.now()));
    assert_eq!(house.store.history(BUCKET, "cam").unwrap().len(), 1);
}

#[test]
fn a_change_of_status_dates_the_channel_and_a_repetition_does_not() {
    let house = House::with_channel("cam");
    house.pass_ms(1000);
    house.store.set_channel_enabled(BUCKET, "cam", true).unwrap();
    assert_eq!(house.store.channel(BUCKET, "cam").unwrap().last_modified, at(START_MS));
    house.store.set_channel_enabled(BUCKET, "cam", false).unwrap();
    assert_eq!(house.store.channel(BUCKET, "cam").unwrap().last_modified, at(START_MS + 1000));
    assert_eq!(house.store.stat(BUCKET, "cam").unwrap(), Stat::Disabled);
    house.store.set_channel_enabled(BUCKET, "cam", false).unwrap();
    assert_eq!(code(house.publish("cam")), (409, "LiveChannelDisabled"));
}

#[test]
fn deleting_a_channel_twice_succeeds_and_forgets_its_history_but_not_its_objects() {
    let mut house = House::with_channel("cam");
    let name = house.fragment(&mut house.publish("cam").unwrap());
    house.store.delete_channel(BUCKET, "cam").unwrap();
    house.store.delete_channel(BUCKET, "cam").unwrap();
    house.restart();
    assert_eq!(house.keys(), [format!("cam/{name}"), "cam/playlist.m3u8".to_owned()]);
    assert_eq!(house.vod_names("cam"), [name]);
    house.store.put_channel(BUCKET, "cam", settings()).unwrap();
    assert!(house.store.history(BUCKET, "cam").unwrap().is_empty());
}

#[test]
fn channels_list_in_byte_order_page_by_page() {
    let house = House::new();
    for name in ["b", "a", "é", "B", "a-1", "a.1", "a1", "直播"] {
        house.store.put_channel(BUCKET, name, settings()).unwrap();
    }
    let page = |prefix: &str, marker: &str, max| {
        let page = house.store.list_channels(BUCKET, prefix, marker, max).unwrap();
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
    let house = House::with_channel("cam");
    assert_eq!(house.store.stat(BUCKET, "cam").unwrap(), Stat::Idle);
    let session = house.publish("cam").unwrap();
    let live = |stream| Stat::Live { connected: at(START_MS), remote: remote(), stream };
    assert_eq!(house.store.stat(BUCKET, "cam").unwrap(), live(StreamStat::default()));
    let stream = StreamStat {
        video: None,
        audio: Some(AudioStat { codec: Codec::Aac, bandwidth: 16_000, sample_rate: 44_100 }),
    };
    session.update(stream.clone());
    house.pass_ms(7000);
    assert_eq!(house.store.stat(BUCKET, "cam").unwrap(), live(stream));
    assert!(house.store.history(BUCKET, "cam").unwrap().is_empty());
    drop(session);
    assert_eq!(house.store.stat(BUCKET, "cam").unwrap(), Stat::Idle);
    let record = SessionRecord { start: at(START_MS), end: at(START_MS + 7000), remote: remote() };
    assert_eq!(house.store.history(BUCKET, "cam").unwrap(), [record]);
}

#[test]
fn a_session_does_not_end_before_it_began_when_the_clock_is_set_back() {
    let house = House::with_channel("cam");
    let session = house.publish("cam").unwrap();
    house.now_ms.store(START_MS - 60_000, Ordering::SeqCst);
    drop(session);
    assert_eq!(house.store.history(BUCKET, "cam").unwrap()[0].end, at(START_MS));
}

#[test]
fn the_history_keeps_the_newest_ten_sessions_oldest_first() {
    let mut house = House::with_channel("cam");
    for _ in 0..13 {
        house.pass_ms(1000);
        drop(house.publish("cam").unwrap());
    }
    house.restart();
    let starts: Vec<_> =
        house.store.history(BUCKET, "cam").unwrap().iter().map(|record| record.start).collect();
    assert_eq!(starts, (4..=13).map(|i| at(START_MS + i * 1000)).collect::<Vec<_>>());
}

#[test]
fn a_live_channel_is_neither_replaced_nor_deleted_nor_enabled_nor_shared() {
    let house = House::with_channel("cam");
    let session = house.publish("cam").unwrap();
    let live = (409, "ChannelStillLive");
    assert_eq!(code(house.store.put_channel(BUCKET, "cam", settings())), live);
    assert_eq!(code(house.store.delete_channel(BUCKET, "cam")), live);
    assert_eq!(code(house.store.set_channel_enabled(BUCKET, "cam", true)), live);
    assert_eq!(code(house.publish("cam")), live);
    drop(session);
    house.store.put_channel(BUCKET, "cam", settings()).unwrap();
}

#[test]
fn disabling_a_live_channel_cuts_its_publisher_at_once_and_without_a_lock() {
    let house = House::with_channel("cam");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (store, calls) = (house.store.clone(), seen.clone());
    // The callback asks the store itself: under a lock it would never return.
    let session = house
        .publish_as("cam", None, move || {
            calls.lock().unwrap().push(store.stat(BUCKET, "cam").unwrap());
        })
        .unwrap();
    assert!(!session.cut());
    house.store.set_channel_enabled(BUCKET, "cam", false).unwrap();
    assert!(session.cut());
    assert_eq!(*seen.lock().unwrap(), [Stat::Disabled]);
    assert!(house.store.history(BUCKET, "cam").unwrap().is_empty());
    drop(session);
    assert_eq!(house.store.history(BUCKET, "cam").unwrap().len(), 1);
    house.store.set_channel_enabled(BUCKET, "cam", true).unwrap();
    assert_eq!(house.store.stat(BUCKET, "cam").unwrap(), Stat::Idle);
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[test]
fn a_publisher_may_return_before_its_cut_session_has_ended() {
    let mut house = House::with_channel("cam");
    let mut old = house.publish("cam").unwrap();
    let first = house.fragment(&mut old);
    let unfinished = format!("{}.ts", START_MS + 2000);
    old.begin(&unfinished).unwrap();
    house.pass_ms(2000);
    house.store.set_channel_enabled(BUCKET, "cam", false).unwrap();
    house.store.set_channel_enabled(BUCKET, "cam", true).unwrap();

    let mut new = house.publish("cam").unwrap();
    assert_eq!(new.last_start_ms(), START_MS + 2000);
    let second = house.fragment_of(&mut new, true);
    old.write(b"late").unwrap();
    let late = Fragment {
        name: unfinished.clone(),
        start_ms: START_MS + 2000,
        duration_ms: 500,
        discontinuity: false,
    };
    old.finish(&late, PlaylistState::default()).unwrap();
    assert!(old.begin("1.ts").is_err());
    house.pass_ms(1);
    drop(old);
    assert!(matches!(house.store.stat(BUCKET, "cam").unwrap(), Stat::Live { .. }));
    assert_eq!(code(house.publish("cam")), (409, "ChannelStillLive"));
    let third = house.fragment(&mut new);
    drop(new);

    house.restart();
    let playlist = house.live_playlist("cam/playlist.m3u8");
    assert_eq!(playlist.media_sequence, 1);
    assert_eq!(playlist.names, [second.clone(), unfinished.clone(), third.clone()]);
    // The index holds them in another order than they began in.
    let t = (START_MS / 1000) as i64;
    assert_eq!(house.vod("cam", t + 3, t + 5).unwrap().names, std::slice::from_ref(&second));
    assert_eq!(house.vod_names("cam"), [first, unfinished, second, third]);
    let history = house.store.history(BUCKET, "cam").unwrap();
    assert_eq!(history.len(), 2);
    assert!(history[0].start < history[1].start);
}

#[test]
fn a_cut_session_leaves_no_trace_in_a_channel_made_anew_under_its_name() {
    let house = House::with_channel("cam");
    let old = house.publish("cam").unwrap();
    house.store.set_channel_enabled(BUCKET, "cam", false).unwrap();
    house.store.delete_channel(BUCKET, "cam").unwrap();
    house.store.put_channel(BUCKET, "cam", settings()).unwrap();
    let new = house.publish("cam").unwrap();
    drop(old);
    assert!(house.store.history(BUCKET, "cam").unwrap().is_empty());
    assert!(matches!(house.store.stat(BUCKET, "cam").unwrap(), Stat::Live { .. }));
    drop(new);
    assert_eq!(house.store.history(BUCKET, "cam").unwrap().len(), 1);
}

#[test]
fn nothing_is_kept_in_memory_for_a_session_that_ended_or_was_refused() {
    let house = House::with_channel("cam");
    drop(house.publish("cam").unwrap());
    house.store.set_channel_enabled(BUCKET, "cam", false).unwrap();
    let _ = house.publish("cam").unwrap_err();
    let _ = house.publish_as("nobody", Some("x.m3u8"), || {}).unwrap_err();
    assert_eq!(house.store.find(BUCKET).unwrap().known_timelines(), 0);
}

#[cfg(unix)]
#[test]
fn a_disk_that_refuses_is_an_internal_error_and_changes_nothing() {
    let house = House::with_channel("cam");
    let before = house.store.channel(BUCKET, "cam").unwrap();
    // A folder in the place of the file refuses even the superuser.
    let scratch = house.folder.path().join(".scratch");
    fs::remove_dir_all(&scratch).unwrap();
    fs::write(&scratch, b"").unwrap();
    house.pass_ms(1000);
    let internal = (500, "InternalError");
    assert_eq!(code(house.store.put_channel(BUCKET, "cam", settings())), internal);
    assert_eq!(code(house.store.put_channel(BUCKET, "new", settings())), internal);
    assert_eq!(code(house.store.set_channel_enabled(BUCKET, "cam", false)), internal);
    assert_eq!(code(house.store.create_bucket(BUCKET, Acl::PublicRead)), internal);
    assert_eq!(code(house.store.create_bucket("another", Acl::PublicRead)), internal);
    assert_eq!(code(house.store.put_object(BUCKET, "key", None, b"x")), internal);
    assert_eq!(code(house.publish("cam")), internal);
    assert_eq!(house.store.channel(BUCKET, "cam").unwrap(), before);
    assert_eq!(house.store.stat(BUCKET, "cam").unwrap(), Stat::Idle);
    assert_eq!(code(house.store.channel(BUCKET, "new")), (404, "NoSuchLiveChannel"));
    assert_eq!(house.store.bucket(BUCKET).unwrap().acl, Acl::Private);
    assert_eq!(house.store.buckets().len(), 1);
}
