use super::*;

const MD5_OF_HELLO: &str = "5D41402ABC4B2A76B9719D911017C592";

impl House {
    fn put(&self, keys: &[&str]) {
        for key in keys {
            self.store.put_object(BUCKET, key, None, key.as_bytes()).unwrap();
        }
    }

    fn page(&self, prefix: &str, marker: &str, delimiter: &str, max: usize) -> (String, String) {
        let delimiter = (!delimiter.is_empty()).then_some(delimiter);
        let page = self.store.list_objects(BUCKET, prefix, marker, delimiter, max).unwrap();
        let keys: Vec<_> = page.objects.into_iter().map(|object| object.key).collect();
        let prefixes: Vec<_> = page.common_prefixes.iter().map(|p| format!("[{p}]")).collect();
        ([keys, prefixes].concat().join(" "), page.next_marker.unwrap_or_default())
    }
}

#[test]
fn an_object_comes_back_as_it_was_put() {
    let mut house = House::new();
    let put = house.store.put_object(BUCKET, "a/b.txt", Some("text/plain"), b"hello").unwrap();
    assert_eq!((put.size, put.etag.as_str()), (5, MD5_OF_HELLO));
    assert_eq!(put.last_modified, at(START_MS));
    house.pass_ms(5000);
    house.restart();
    let (meta, _) = house.store.object(BUCKET, "a/b.txt").unwrap();
    assert_eq!(meta, put);
    assert_eq!(house.head("a/b.txt").unwrap(), put);
    assert_eq!(house.text("a/b.txt"), "hello");
}

#[test]
fn content_types_of_playlists_and_streams_are_known_and_others_are_believed() {
    let house = House::new();
    let put =
        |key, declared| house.store.put_object(BUCKET, key, declared, b"").unwrap().content_type;
    assert_eq!(put("a.m3u8", Some("text/plain")), "application/vnd.apple.mpegurl");
    assert_eq!(put("a.TS", Some("text/html")), "video/mp2t");
    assert_eq!(put("a.ts", None), "application/octet-stream");
    assert_eq!(put("a.css", Some("text/css")), "text/css");
    assert_eq!(put("a", None), "application/octet-stream");
}

#[test]
fn generated_objects_have_a_type_and_an_etag_that_survive_a_restart() {
    let mut house = House::with_channel("cam");
    let name = house.fragment(&mut house.publish("cam").unwrap());
    let heads =
        |house: &House| [&*name, "playlist.m3u8"].map(|n| house.head(&format!("cam/{n}")).unwrap());
    let before = heads(&house);
    assert_eq!(before[0].content_type, "video/mp2t");
    assert_eq!(before[1].content_type, "application/vnd.apple.mpegurl");
    let etag = &before[0].etag;
    assert!(etag.len() == 32 && etag.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F')));
    let again = house.text("cam/playlist.m3u8");
    let copy = house.store.put_object(BUCKET, "copy", None, again.as_bytes()).unwrap();
    assert_eq!(before[1].etag, copy.etag, "a playlist's ETag is the MD5 of its text");
    house.pass_ms(60_000);
    house.restart();
    assert_eq!(heads(&house), before);
}

#[test]
fn a_generated_playlist_forgets_what_an_upload_said_of_its_key() {
    let house = House::with_channel("cam");
    let mut session = house.publish("cam").unwrap();
    house.fragments(&mut session, 4);
    // As long as the playlist to come, and of the same moment.
    let size = house.text("cam/playlist.m3u8").len();
    house.pass_ms(2000);
    let upload =
        house.store.put_object(BUCKET, "cam/playlist.m3u8", None, &vec![b'#'; size]).unwrap();
    house.now_ms.fetch_sub(2000, Ordering::SeqCst);
    house.fragment(&mut session);
    let playlist = house.head("cam/playlist.m3u8").unwrap();
    assert_eq!((playlist.size, playlist.last_modified), (upload.size, upload.last_modified));
    assert_ne!(playlist.etag, upload.etag);
}

#[test]
fn a_kill_between_record_and_object_keeps_what_was_said_of_the_old_object() {
    let mut house = House::new();
    let old = house.store.put_object(BUCKET, "k", Some("text/plain"), b"hello").unwrap();
    let content = house.path("objects/k%");
    let kept = house.path("objects/kept.txt");
    fs::rename(&content, &kept).unwrap();
    fs::copy(&kept, &content).unwrap();
    fs::File::options()
        .write(true)
        .open(&content)
        .unwrap()
        .set_modified(old.last_modified.into())
        .unwrap();
    house.pass_ms(1000);
    house.store.put_object(BUCKET, "k", Some("text/html"), b"other").unwrap();
    // Back to the moment before the rename.
    fs::rename(&kept, &content).unwrap();
    house.restart();
    assert_eq!(house.head("k").unwrap(), old);
}

#[test]
fn an_absent_key_is_no_such_key_and_is_deleted_with_success() {
    let house = House::new();
    house.put(&["a/b"]);
    let long = "x".repeat(5000);
    for key in ["a", "a/", "a/b/", "a/b/c", "A/b", "", "..", "../bucket.json", &long] {
        assert_eq!(code(house.store.object(BUCKET, key)), (404, "NoSuchKey"), "{key}");
        house.store.delete_object(BUCKET, key).unwrap();
    }
    assert_eq!(house.keys(), ["a/b"]);
}

#[test]
fn a_key_that_oss_does_not_allow_is_refused() {
    let house = House::new();
    let longest = "é".repeat(511) + "x";
    house.store.put_object(BUCKET, &longest, None, b"").unwrap();
    assert_eq!(house.keys(), std::slice::from_ref(&longest));
    for key in ["", &format!("{longest}x")] {
        let refusal = code(house.store.put_object(BUCKET, key, None, b""));
        assert_eq!(refusal, (400, "InvalidObjectName"));
    }
}

#[test]
fn keys_that_look_like_paths_live_side_by_side_inside_the_bucket() {
    let mut house = House::new();
    let long = "l".repeat(1000);
    let long_dir = format!("{}/x", "l".repeat(1000));
    let keys = [
        "a",
        "a/",
        "a/b",
        "a//b",
        "a/b/",
        "/a",
        ".",
        "..",
        "../../etc",
        "%2e%2e",
        "a.b",
        "a.b/c",
        "C:\\x",
        "\0",
        "con",
        "a+",
        "a+/b",
        "直播/x.ts",
        &long,
        &long_dir,
    ];
    house.put(&keys);
    house.restart();
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    assert_eq!(house.keys(), sorted);
    for key in keys {
        assert_eq!(house.text(key), *key);
    }
    let around: Vec<_> = fs::read_dir(house.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(around.len(), 2, "{around:?}");
    for key in keys {
        house.store.delete_object(BUCKET, key).unwrap();
    }
    assert_eq!(fs::read_dir(house.path("objects")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(house.path("records")).unwrap().count(), 0);
}

#[test]
fn a_listing_goes_by_key_in_byte_order() {
    let house = House::new();
    house.put(&["a/x", "a-b", "a.b", "a", "a0", "B", "é", "a/x.ts", "a/x/y"]);
    assert_eq!(house.page("", "", "", 100).0, "B a a-b a.b a/x a/x.ts a/x/y a0 é");
    assert_eq!(house.page("a/", "", "", 100).0, "a/x a/x.ts a/x/y");
    assert_eq!(house.page("a/x", "", "", 100).0, "a/x a/x.ts a/x/y");
    assert_eq!(house.page("a/x/y/z", "", "", 100).0, "");
    assert_eq!(house.page("", "a/", "", 2), ("a/x a/x.ts".into(), "a/x.ts".into()));
    assert_eq!(house.page("", "a/x.ts", "", 3), ("a/x/y a0 é".into(), "".into()));
    assert_eq!(house.page("", "a/x/yy", "", 1), ("a0".into(), "a0".into()));
    assert_eq!(house.page("", "", "", 0), ("".into(), "".into()));
}

#[test]
fn common_prefixes_count_as_entries_and_pages_follow_on() {
    let house = House::new();
    house.put(&["a/1", "a/2", "b", "c/1", "c/2/3", "d", "e/"]);
    assert_eq!(house.page("", "", "/", 100), ("b d [a/] [c/] [e/]".into(), "".into()));
    assert_eq!(house.page("", "", "/", 1), ("[a/]".into(), "a/".into()));
    assert_eq!(house.page("", "a/", "/", 2), ("b [c/]".into(), "c/".into()));
    assert_eq!(house.page("", "c/", "/", 2), ("d [e/]".into(), "".into()));
    assert_eq!(house.page("c/", "", "/", 100), ("c/1 [c/2/]".into(), "".into()));
    assert_eq!(house.page("c", "", "/", 100), ("[c/]".into(), "".into()));
    assert_eq!(house.page("e/", "", "/", 100), ("e/".into(), "".into()));
    assert_eq!(house.page("", "", "2", 100), ("a/1 b c/1 d e/ [a/2] [c/2]".into(), "".into()));
    house.store.delete_object(BUCKET, "a/1").unwrap();
    house.store.delete_object(BUCKET, "a/2").unwrap();
    assert_eq!(house.page("", "", "/", 100).0, "b d [c/] [e/]");
}

#[test]
fn any_page_of_any_listing_is_what_sorting_all_keys_gives() {
    let house = House::new();
    let pieces = ["a", "b", "/", "/", ".", "-", "ab/"];
    let (mut seed, mut keys) = (7_u64, std::collections::BTreeSet::new());
    let long = "k".repeat(199);
    for round in 0..150 {
        let mut key = if round % 10 == 0 { long.clone() } else { "a".to_owned() };
        for _ in 0..1 + round % 6 {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            key.push_str(pieces[(seed >> 40) as usize % pieces.len()]);
        }
        keys.insert(key);
    }
    house.put(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    for prefix in ["", "a", "a/", "ab", "k", "zz"] {
        for delimiter in ["", "/", "-", "b/"] {
            let mut expected = std::collections::BTreeSet::new();
            for key in keys.iter().filter(|key| key.starts_with(prefix)) {
                let rolled = key[prefix.len()..].find(delimiter).filter(|_| !delimiter.is_empty());
                let end = rolled.map_or(key.len(), |at| prefix.len() + at + delimiter.len());
                expected.insert(key[..end].to_owned());
            }
            for max in [1, 3, 1000] {
                let (mut marker, mut found) = (String::new(), Vec::new());
                loop {
                    let d = (!delimiter.is_empty()).then_some(delimiter);
                    let page = house.store.list_objects(BUCKET, prefix, &marker, d, max).unwrap();
                    assert!(page.objects.len() + page.common_prefixes.len() <= max);
                    let mut names: Vec<_> = page.objects.into_iter().map(|o| o.key).collect();
                    names.extend(page.common_prefixes);
                    names.sort();
                    found.extend(names);
                    match page.next_marker {
                        Some(next) => marker = next,
                        None => break,
                    }
                }
                assert_eq!(
                    found,
                    expected.iter().cloned().collect::<Vec<_>>(),
                    "{prefix} {delimiter} {max}"
                );
            }
        }
    }
}

#[test]
fn files_that_no_key_maps_to_are_passed_over() {
    let house = House::new();
    house.put(&["a"]);
    fs::write(house.path("objects/stray"), b"").unwrap();
    fs::write(house.path("objects/%zz.x"), b"").unwrap();
    fs::create_dir(house.path("objects/dotted.dir")).unwrap();
    fs::create_dir(house.path("objects/empty")).unwrap();
    assert_eq!(house.page("", "", "/", 9).0, "a");
    assert_eq!(house.keys(), ["a"]);
}

#[test]
fn a_reader_keeps_the_content_it_opened() {
    let house = House::new();
    house.store.put_object(BUCKET, "k", None, b"hello").unwrap();
    let (meta, mut file) = house.store.object(BUCKET, "k").unwrap();
    house.store.put_object(BUCKET, "k", None, b"something longer").unwrap();
    house.store.delete_object(BUCKET, "k").unwrap();
    let mut text = String::new();
    io::Read::read_to_string(&mut file, &mut text).unwrap();
    assert_eq!((text.as_str(), meta.size), ("hello", 5));
}

#[test]
fn the_playlists_below_a_channel_are_found_among_its_fragments() {
    let house = House::new();
    let long = format!("cam/{}.m3u8", "直".repeat(40));
    house.put(&["cam/1.ts", "cam/2.ts", "cam/b.m3u8", "cam/a.m3u8", "cam2/c.m3u8", "d.m3u8"]);
    house.put(&[&long, "cam/m3u8", "cam/a.m3u8.txt"]);
    let found = |prefix, max| house.store.playlists(BUCKET, prefix, max).unwrap();
    assert_eq!(found("cam/", 10), ["cam/a.m3u8", "cam/b.m3u8", &long]);
    assert_eq!(found("cam/", 1), ["cam/a.m3u8"]);
    assert_eq!(found("none/", 10), Vec::<String>::new());
}
