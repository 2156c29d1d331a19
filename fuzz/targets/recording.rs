//! Recordings: playlists, download journals, object lists, and the endpoint's index of
//! fragments.
//!
//! The first byte selects the parser; the rest is the document.

#![no_main]

use libfuzzer_sys::fuzz_target;
use osslive::fuzzing::{self, Place, Times};
use osslive::operation::{self, Reply};
use osslive::{Fragment, ListObjects, Recording};
use osslive_local::fuzzing::Index;
use std::sync::LazyLock;
use time::OffsetDateTime;

static INDEX: LazyLock<Index> = LazyLock::new(Index::open);

fuzz_target!(|data: &[u8]| {
    let [which, document @ ..] = data else { return };
    match which % 4 {
        0 => check_playlist(document),
        1 => check_journal(document),
        2 => check_recording(document),
        _ => check_index(document),
    }
});

const URL: &str = "https://host:9000/b/cam/playlist.m3u8?x=/1";

/// A playlist lists the same fragments with any line endings.
fn check_playlist(body: &[u8]) {
    let Some((urls, longest, is_finished)) = fuzzing::playlist(URL, body) else {
        assert!(fuzzing::recorded_playlist("a.m3u8", None, body).is_err());
        return;
    };
    assert!(longest.is_finite() && longest >= 0.0, "{longest}");
    assert!(urls.iter().all(|url| url.contains("://")), "{urls:?}");
    let (playlist, listed) = fuzzing::recorded_playlist("a.m3u8", None, body).expect("a playlist");
    assert_eq!(playlist.is_finished, is_finished);
    assert!(listed.len() <= urls.len() && listed.is_sorted_by(|a, b| a < b), "{listed:?}");
    let text = std::str::from_utf8(body).expect("UTF-8");
    let other = text.lines().collect::<Vec<_>>().join("\r\n");
    let again = fuzzing::playlist(URL, other.as_bytes());
    assert_eq!(again, Some((urls, longest, is_finished)));
}

const DOWNLOAD: &str = "b/cam: latest session";

/// A journal never returns more than was recorded, however it was cut.
fn check_journal(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    // As text, and as the numbers of fragments.
    if let Ok(Some((times, places))) = fuzzing::read(text, DOWNLOAD) {
        assert_eq!(text.lines().nth(1), Some(&*format!("{DOWNLOAD:?}")));
        for (end, _) in text.match_indices('\n').take(8) {
            let cut = fuzzing::read(&text[..end], DOWNLOAD).expect("the same download");
            let Some((same, fewer)) = cut else { continue };
            assert_eq!(same, times);
            let starts = |places: &[Place]| places.iter().map(|place| place.0).collect::<Vec<_>>();
            let all = starts(&places);
            assert!(starts(&fewer).iter().all(|start| all.contains(start)), "{text:?}");
        }
        assert!(places.len() < text.lines().count());
        let whole = fuzzing::written(DOWNLOAD, times, &places);
        assert_eq!(fuzzing::read(&whole, DOWNLOAD), Ok(Some((times, places.clone()))));
        assert!(fuzzing::read(&whole, "b/cam: last 5 s").is_err());
    }
    let times: Times = (text.len() as i64, i64::MAX, text.len() % 2 == 0, true);
    let whole = fuzzing::written(text, times, &[(1, 0, 7)]);
    assert_eq!(fuzzing::read(&whole, text), Ok(Some((times, vec![(1, 0, 7)]))));
}

/// Whatever sizes and times a service lists, they add up without overflow, each
/// fragment has its own place, and the pruned and the kept fragments are all there are.
fn check_recording(body: &[u8]) {
    let end = body.iter().position(|byte| *byte == 0xff).unwrap_or(body.len());
    let (list, playlist) = body.split_at(end);
    let reply = Reply { status: 200, body: list.to_vec(), attempts: 1, ..Reply::default() };
    let call = operation::list_objects(&ListObjects::new()).expect("a call");
    let Ok(list) = call.parse(&reply) else { return };
    let mut recording = Recording::default();
    for object in &list.objects {
        let Some(fragment) = Fragment::of(object, "cam") else { continue };
        assert_eq!(fragment.key("cam"), object.key);
        recording.fragments.push(fragment);
    }
    // As a service lists them.
    recording.fragments.sort_by_key(Fragment::start);
    recording.fragments.dedup_by_key(|fragment| fragment.start());
    let modified = Some(OffsetDateTime::UNIX_EPOCH);
    let playlist =
        fuzzing::recorded_playlist("a.m3u8", modified, playlist.get(1..).unwrap_or_default());
    recording.playlists.extend(playlist.ok().map(|(playlist, _)| playlist));

    let spans = recording.spans();
    assert_eq!(spans.iter().map(|span| span.fragments).sum::<usize>(), recording.fragments.len());
    assert!(spans.iter().all(|span| span.start_time <= span.end_time), "{spans:?}");
    assert_eq!(recording.gaps().len(), spans.len().saturating_sub(1));
    assert!(spans.iter().all(|span| span.bytes <= recording.bytes()));
    for playlist in &recording.playlists {
        assert!(recording.missing(playlist) <= playlist.fragments());
    }
    let (places, bytes) = fuzzing::places(&recording.fragments);
    assert!(places.is_sorted_by(|a, b| a.1.saturating_add(a.2) <= b.1), "{places:?}");
    assert_eq!(bytes, recording.bytes());
    let unlisted = recording.unlisted().count();
    for (before, vod) in [(OffsetDateTime::UNIX_EPOCH, true), (far(), false), (far(), true)] {
        let pruning = recording.pruning(before, vod);
        assert!(pruning.bytes() <= bytes);
        assert!(pruning.fragments.len() + pruning.kept <= recording.fragments.len());
        let stays = |name: &String| !pruning.playlists.contains(name);
        for playlist in recording.playlists.iter().filter(|playlist| stays(&playlist.name)) {
            assert!(!pruning.fragments.iter().any(|fragment| playlist.lists(fragment)));
        }
        assert!(before != far() || pruning.fragments.len() >= unlisted);
    }
}

/// Returns a time later than any fragment's.
fn far() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(99_999_999_999).expect("a time")
}

/// An index reads the same from either end, and a torn line is ignored.
fn check_index(bytes: &[u8]) {
    let (before, after, whole) = INDEX.read(bytes, "playlist.m3u8");
    assert_eq!(before.forward, before.backward);
    assert_eq!(before.forward, after.forward);
    assert_eq!(after.forward, after.backward);
    assert_eq!(before.playlist, after.playlist);
    assert!(whole.is_empty() || whole.ends_with(b"\n"));
    assert!(bytes.starts_with(&whole));
    let listed = fuzzing::playlist(URL, before.playlist.as_bytes()).expect("a playlist");
    assert!(listed.0.len() <= 2 * bytes.len());
}
