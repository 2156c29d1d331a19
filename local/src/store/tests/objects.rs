use super::*;

const MD5_OF_HELLO: &str = "5D41402ABC4B2A76B9719D911017C592";

impl Fixture {
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
fn an_object_is_read_back_as_stored() {
    let mut fixture = Fixture::new();
    let put = fixture.store.put_object(BUCKET, "a/b.txt", Some("text/plain"), b"hello").unwrap();
    assert_eq!((put.size, put.etag.as_str()), (5, MD5_OF_HELLO));
    assert_eq!(put.last_modified, at(START_MS));
    fixture.pass_ms(5000);
    fixture.restart();
    let (meta, _) = fixture.store.object(BUCKET, "a/b.txt").unwrap();
    assert_eq!(meta, put);
    assert_eq!(fixture.head("a/b.txt").unwrap(), put);
    assert_eq!(fixture.text("a/b.txt"), "hello");
}

#[test]
fn playlists_and_transport_streams_have_fixed_types_and_other_types_are_as_declared() {
    let fixture = Fixture::new();
    let put =
        |key, declared| fixture.store.put_object(BUCKET, key, declared, b"").unwrap().content_type;
    assert_eq!(put("a.m3u8", Some("text/plain")), "application/vnd.apple.mpegurl");
    assert_eq!(put("a.TS", Some("text/html")), "video/mp2t");
    assert_eq!(put("a.ts", None), "application/octet-stream");
    assert_eq!(put("a.css", Some("text/css")), "text/css");
    assert_eq!(put("a", None), "application/octet-stream");
}

#[test]
fn generated_objects_have_a_type_and_an_etag_that_survive_a_restart() {
    let mut fixture = Fixture::with_channel("cam");
    let name = fixture.fragment(&mut fixture.publish("cam").unwrap());
    let heads = |fixture: &Fixture| {
        [&*name, "playlist.m3u8"].map(|n| fixture.head(&format!("cam/{n}")).unwrap())
    };
    let before = heads(&fixture);
    assert_eq!(before[0].content_type, "video/mp2t");
    assert_eq!(before[1].content_type, "application/vnd.apple.mpegurl");
    let etag = &before[0].etag;
    assert!(etag.len() == 32 && etag.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F')));
    let again = fixture.text("cam/playlist.m3u8");
    let copy = fixture.store.put_object(BUCKET, "copy", None, again.as_bytes()).unwrap();
    assert_eq!(before[1].etag, copy.etag, "a playlist's ETag is the MD5 of its text");
    fixture.pass_ms(60_000);
    fixture.restart();
    assert_eq!(heads(&fixture), before);
}

#[test]
fn a_generated_playlist_does_not_inherit_the_metadata_of_an_upload() {
    let fixture = Fixture::with_channel("cam");
    let mut session = fixture.publish("cam").unwrap();
    fixture.fragments(&mut session, 4);
    // The same size and date as the next playlist.
    let size = fixture.text("cam/playlist.m3u8").len();
    fixture.pass_ms(2000);
    let upload =
        fixture.store.put_object(BUCKET, "cam/playlist.m3u8", None, &vec![b'#'; size]).unwrap();
    fixture.now_ms.fetch_sub(2000, Ordering::SeqCst);
    fixture.fragment(&mut session);
    let playlist = fixture.head("cam/playlist.m3u8").unwrap();
    assert_eq!((playlist.size, playlist.last_modified), (upload.size, upload.last_modified));
    assert_ne!(playlist.etag, upload.etag);
}

#[test]
fn a_kill_between_record_and_object_keeps_the_metadata_of_the_old_object() {
    let mut fixture = Fixture::new();
    let old = fixture.store.put_object(BUCKET, "k", Some("text/plain"), b"hello").unwrap();
    let content = fixture.path("objects/k%");
    let kept = fixture.path("objects/kept.txt");
    fs::rename(&content, &kept).unwrap();
    fs::copy(&kept, &content).unwrap();
    fs::File::options()
        .write(true)
        .open(&content)
        .unwrap()
        .set_modified(old.last_modified.into())
        .unwrap();
    fixture.pass_ms(1000);
    fixture.store.put_object(BUCKET, "k", Some("text/html"), b"other").unwrap();
    // Restores the state before the rename.
    fs::rename(&kept, &content).unwrap();
    fixture.restart();
    assert_eq!(fixture.head("k").unwrap(), old);
}

#[test]
fn a_missing_key_is_no_such_key_and_deleting_it_succeeds() {
    let fixture = Fixture::new();
    fixture.put(&["a/b"]);
    let long = "x".repeat(5000);
    for key in ["a", "a/", "a/b/", "a/b/c", "A/b", "", "..", "../bucket.json", &long] {
        assert_eq!(code(fixture.store.object(BUCKET, key)), (404, "NoSuchKey"), "{key}");
        fixture.store.delete_object(BUCKET, key).unwrap();
    }
    assert_eq!(fixture.keys(), ["a/b"]);
}

#[test]
fn invalid_keys_are_refused() {
    let fixture = Fixture::new();
    let longest = "é".repeat(511) + "x";
    fixture.store.put_object(BUCKET, &longest, None, b"").unwrap();
    assert_eq!(fixture.keys(), std::slice::from_ref(&longest));
    for key in ["", &format!("{longest}x")] {
        let refusal = code(fixture.store.put_object(BUCKET, key, None, b""));
        assert_eq!(refusal, (400, "InvalidObjectName"));
    }
}

#[test]
fn keys_that_look_like_paths_do_not_conflict_or_leave_the_bucket() {
    let mut fixture = Fixture::new();
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
    fixture.put(&keys);
    fixture.restart();
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    assert_eq!(fixture.keys(), sorted);
    for key in keys {
        assert_eq!(fixture.text(key), *key);
    }
    let around: Vec<_> = fs::read_dir(fixture.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(around.len(), 2, "{around:?}");
    for key in keys {
        fixture.store.delete_object(BUCKET, key).unwrap();
    }
    assert_eq!(fs::read_dir(fixture.path("objects")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(fixture.path("records")).unwrap().count(), 0);
}

#[test]
fn a_listing_is_in_byte_order() {
    let fixture = Fixture::new();
    fixture.put(&["a/x", "a-b", "a.b", "a", "a0", "B", "é", "a/x.ts", "a/x/y"]);
    assert_eq!(fixture.page("", "", "", 100).0, "B a a-b a.b a/x a/x.ts a/x/y a0 é");
    assert_eq!(fixture.page("a/", "", "", 100).0, "a/x a/x.ts a/x/y");
    assert_eq!(fixture.page("a/x", "", "", 100).0, "a/x a/x.ts a/x/y");
    assert_eq!(fixture.page("a/x/y/z", "", "", 100).0, "");
    assert_eq!(fixture.page("", "a/", "", 2), ("a/x a/x.ts".into(), "a/x.ts".into()));
    assert_eq!(fixture.page("", "a/x.ts", "", 3), ("a/x/y a0 é".into(), "".into()));
    assert_eq!(fixture.page("", "a/x/yy", "", 1), ("a0".into(), "a0".into()));
    assert_eq!(fixture.page("", "", "", 0), ("".into(), "".into()));
}

#[test]
fn common_prefixes_count_as_entries_across_pages() {
    let fixture = Fixture::new();
    fixture.put(&["a/1", "a/2", "b", "c/1", "c/2/3", "d", "e/"]);
    assert_eq!(fixture.page("", "", "/", 100), ("b d [a/] [c/] [e/]".into(), "".into()));
    assert_eq!(fixture.page("", "", "/", 1), ("[a/]".into(), "a/".into()));
    assert_eq!(fixture.page("", "a/", "/", 2), ("b [c/]".into(), "c/".into()));
    assert_eq!(fixture.page("", "c/", "/", 2), ("d [e/]".into(), "".into()));
    assert_eq!(fixture.page("c/", "", "/", 100), ("c/1 [c/2/]".into(), "".into()));
    assert_eq!(fixture.page("c", "", "/", 100), ("[c/]".into(), "".into()));
    assert_eq!(fixture.page("e/", "", "/", 100), ("e/".into(), "".into()));
    assert_eq!(fixture.page("", "", "2", 100), ("a/1 b c/1 d e/ [a/2] [c/2]".into(), "".into()));
    fixture.store.delete_object(BUCKET, "a/1").unwrap();
    fixture.store.delete_object(BUCKET, "a/2").unwrap();
    assert_eq!(fixture.page("", "", "/", 100).0, "b d [c/] [e/]");
}

#[test]
fn every_page_of_every_listing_matches_a_sorted_list_of_all_keys() {
    let fixture = Fixture::new();
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
    fixture.put(&keys.iter().map(String::as_str).collect::<Vec<_>>());
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
                    let page = fixture.store.list_objects(BUCKET, prefix, &marker, d, max).unwrap();
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
fn files_that_no_key_maps_to_are_skipped() {
    let fixture = Fixture::new();
    fixture.put(&["a"]);
    fs::write(fixture.path("objects/stray"), b"").unwrap();
    fs::write(fixture.path("objects/%zz.x"), b"").unwrap();
    fs::create_dir(fixture.path("objects/dotted.dir")).unwrap();
    fs::create_dir(fixture.path("objects/empty")).unwrap();
    assert_eq!(fixture.page("", "", "/", 9).0, "a");
    assert_eq!(fixture.keys(), ["a"]);
}

#[test]
fn a_reader_keeps_the_content_it_opened() {
    let fixture = Fixture::new();
    fixture.store.put_object(BUCKET, "k", None, b"hello").unwrap();
    let (meta, mut file) = fixture.store.object(BUCKET, "k").unwrap();
    fixture.store.put_object(BUCKET, "k", None, b"something longer").unwrap();
    fixture.store.delete_object(BUCKET, "k").unwrap();
    let mut text = String::new();
    io::Read::read_to_string(&mut file, &mut text).unwrap();
    assert_eq!((text.as_str(), meta.size), ("hello", 5));
}

#[test]
fn the_playlists_of_a_channel_are_found_among_its_fragments() {
    let fixture = Fixture::new();
    let long = format!("cam/{}.m3u8", "直".repeat(40));
    fixture.put(&["cam/1.ts", "cam/2.ts", "cam/b.m3u8", "cam/a.m3u8", "cam2/c.m3u8", "d.m3u8"]);
    fixture.put(&[&long, "cam/m3u8", "cam/a.m3u8.txt"]);
    let found = |prefix, max| fixture.store.playlists(BUCKET, prefix, max).unwrap();
    assert_eq!(found("cam/", 10), ["cam/a.m3u8", "cam/b.m3u8", &long]);
    assert_eq!(found("cam/", 1), ["cam/a.m3u8"]);
    assert_eq!(found("none/", 10), Vec::<String>::new());
}
