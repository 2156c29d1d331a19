//! Simulates the states that a power cut leaves: files of an interrupted session that
//! had not been written, in a folder where recordings are not flushed.

use super::*;

/// A channel that was live when the power was cut, with three fragments and an earlier
/// session that had ended.
struct Cut {
    fixture: Fixture,
    names: Vec<String>,
}

impl Cut {
    fn new() -> Self {
        let mut fixture = Fixture::new();
        fixture.open_as(Durability::Calls);
        fixture.store.put_channel(BUCKET, "cam", settings()).unwrap();
        let mut names = fixture.fragments(&mut fixture.publish("cam").unwrap(), 1);
        let mut session = fixture.publish("cam").unwrap();
        names.extend(fixture.fragments(&mut session, 3));
        std::mem::forget(session);
        Cut { fixture, names }
    }

    fn object(&self, name: &str) -> PathBuf {
        self.fixture.path("objects/cam").join(name)
    }

    fn restart(&mut self) {
        self.fixture.open_as(Durability::Calls);
    }

    /// Checks the names in the VOD playlist and the live playlist, and the keys.
    fn assert_shows(&self, vod: &[&String], live: &[&String]) {
        assert_eq!(self.fixture.vod_names("cam").iter().collect::<Vec<_>>(), vod);
        let playlist = self.fixture.live_playlist("cam/playlist.m3u8");
        assert_eq!(playlist.names.iter().collect::<Vec<_>>(), live);
        let mut keys: Vec<_> = vod.iter().map(|name| format!("cam/{name}")).collect();
        keys.push("cam/playlist.m3u8".to_owned());
        assert_eq!(self.fixture.keys(), keys);
    }
}

#[test]
fn a_fragment_that_is_too_short_is_removed_from_all_playlists() {
    let mut cut = Cut::new();
    let path = cut.object(&cut.names[2]);
    fs::write(&path, &fs::read(&path).unwrap()[..7]).unwrap();
    cut.restart();
    let [first, second, _, fourth] = cut.names.each();
    cut.assert_shows(&[first, second, fourth], &[fourth]);
}

#[test]
fn a_fragment_of_the_right_length_with_other_bytes_is_removed() {
    let mut cut = Cut::new();
    let path = cut.object(&cut.names[3]);
    let mut bytes = fs::read(&path).unwrap();
    bytes[3] ^= 1;
    fs::write(&path, bytes).unwrap();
    cut.restart();
    let [first, second, third, _] = cut.names.each();
    cut.assert_shows(&[first, second, third], &[]);
}

#[test]
fn the_media_sequence_continues_after_lost_fragments() {
    let mut cut = Cut::new();
    let before = cut.fixture.live_playlist("cam/playlist.m3u8").media_sequence;
    fs::write(cut.object(&cut.names[3]), b"").unwrap();
    cut.restart();
    let after = cut.fixture.live_playlist("cam/playlist.m3u8").media_sequence;
    assert!(after > before, "{after}");
    cut.fixture.pass_ms(60_000);
    let next = cut.fixture.fragment(&mut cut.fixture.publish("cam").unwrap());
    let playlist = cut.fixture.live_playlist("cam/playlist.m3u8");
    assert_eq!((playlist.media_sequence, playlist.names), (after, vec![next]));
}

#[test]
fn a_fragment_without_a_line_in_the_index_is_removed_with_its_playlist_entry() {
    let mut cut = Cut::new();
    let log = cut.fixture.path("fragments/cam.log");
    let lines = fs::read_to_string(&log).unwrap();
    let kept: Vec<_> = lines.split_inclusive('\n').take(3).collect();
    fs::write(&log, kept.concat()).unwrap();
    cut.restart();
    let [first, second, third, _] = cut.names.each();
    cut.assert_shows(&[first, second, third], &[first, second, third]);
}

#[test]
fn an_incomplete_playlist_is_rebuilt() {
    let mut cut = Cut::new();
    fs::write(cut.fixture.path("objects/cam/playlist.m3u8"), "#EXTM3U\n#EXT-X-V").unwrap();
    cut.restart();
    let [first, second, third, fourth] = cut.names.each();
    cut.assert_shows(&[first, second, third, fourth], &[second, third, fourth]);
}

#[test]
fn a_playlist_without_lines_in_the_index_is_removed() {
    let mut fixture = Fixture::new();
    fixture.open_as(Durability::Calls);
    fixture.store.put_channel(BUCKET, "cam", settings()).unwrap();
    let mut session = fixture.publish_as("cam", Some("other.m3u8"), || {}).unwrap();
    fixture.fragment(&mut session);
    std::mem::forget(session);
    fs::remove_file(fixture.path("fragments/cam.log")).unwrap();
    fs::write(fixture.path("objects/cam/other.m3u8"), "#EXTM").unwrap();
    fixture.open_as(Durability::Calls);
    assert!(fixture.keys().is_empty(), "{:?}", fixture.keys());
}

#[test]
fn uploads_that_replaced_recordings_are_kept() {
    let mut cut = Cut::new();
    let late = format!("cam/{}.ts", START_MS + 100_000);
    for key in [late.as_str(), "cam/playlist.m3u8"] {
        cut.fixture.store.put_object(BUCKET, key, None, b"mine").unwrap();
    }
    cut.restart();
    assert_eq!(cut.fixture.text(&late), "mine");
    assert_eq!(cut.fixture.text("cam/playlist.m3u8"), "mine");
}

#[test]
fn fragments_of_ended_sessions_are_not_checked() {
    let mut cut = Cut::new();
    fs::write(cut.object(&cut.names[0]), b"changed by hand").unwrap();
    cut.restart();
    assert_eq!(cut.fixture.vod_names("cam"), cut.names);
}

trait Each {
    fn each(&self) -> [&String; 4];
}

impl Each for Vec<String> {
    fn each(&self) -> [&String; 4] {
        self.iter().collect::<Vec<_>>().try_into().unwrap()
    }
}
