//! States that a power cut leaves behind, made by hand: files of an interrupted
//! session that were not on the medium, in a folder where nobody waited for them.

use super::*;

/// A channel that was live when the power was cut, three fragments behind it, with a
/// finished session before.
struct Cut {
    house: House,
    names: Vec<String>,
}

impl Cut {
    fn new() -> Self {
        let mut house = House::new();
        house.open_as(Durability::Calls);
        house.store.put_channel(BUCKET, "cam", settings()).unwrap();
        let mut names = house.fragments(&mut house.publish("cam").unwrap(), 1);
        let mut session = house.publish("cam").unwrap();
        names.extend(house.fragments(&mut session, 3));
        std::mem::forget(session);
        Cut { house, names }
    }

    fn object(&self, name: &str) -> PathBuf {
        self.house.path("objects/cam").join(name)
    }

    fn restart(&mut self) {
        self.house.open_as(Durability::Calls);
    }

    /// The names that the VOD playlist, the live one and the keys agree on.
    fn assert_shows(&self, vod: &[&String], live: &[&String]) {
        assert_eq!(self.house.vod_names("cam").iter().collect::<Vec<_>>(), vod);
        let playlist = self.house.live_playlist("cam/playlist.m3u8");
        assert_eq!(playlist.names.iter().collect::<Vec<_>>(), live);
        let mut keys: Vec<_> = vod.iter().map(|name| format!("cam/{name}")).collect();
        keys.push("cam/playlist.m3u8".to_owned());
        assert_eq!(self.house.keys(), keys);
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
fn the_media_sequence_goes_on_behind_fragments_that_were_lost() {
    let mut cut = Cut::new();
    let before = cut.house.live_playlist("cam/playlist.m3u8").media_sequence;
    fs::write(cut.object(&cut.names[3]), b"").unwrap();
    cut.restart();
    let after = cut.house.live_playlist("cam/playlist.m3u8").media_sequence;
    assert!(after > before, "{after}");
    cut.house.pass_ms(60_000);
    let next = cut.house.fragment(&mut cut.house.publish("cam").unwrap());
    let playlist = cut.house.live_playlist("cam/playlist.m3u8");
    assert_eq!((playlist.media_sequence, playlist.names), (after, vec![next]));
}

#[test]
fn a_fragment_without_a_line_in_the_index_is_removed_and_so_is_it_from_its_playlist() {
    let mut cut = Cut::new();
    let log = cut.house.path("fragments/cam.log");
    let lines = fs::read_to_string(&log).unwrap();
    let kept: Vec<_> = lines.split_inclusive('\n').take(3).collect();
    fs::write(&log, kept.concat()).unwrap();
    cut.restart();
    let [first, second, third, _] = cut.names.each();
    cut.assert_shows(&[first, second, third], &[first, second, third]);
}

#[test]
fn a_playlist_that_was_torn_is_written_anew() {
    let mut cut = Cut::new();
    fs::write(cut.house.path("objects/cam/playlist.m3u8"), "#EXTM3U\n#EXT-X-V").unwrap();
    cut.restart();
    let [first, second, third, fourth] = cut.names.each();
    cut.assert_shows(&[first, second, third, fourth], &[second, third, fourth]);
}

#[test]
fn a_playlist_of_which_the_index_knows_nothing_is_removed() {
    let mut house = House::new();
    house.open_as(Durability::Calls);
    house.store.put_channel(BUCKET, "cam", settings()).unwrap();
    let mut session = house.publish_as("cam", Some("other.m3u8"), || {}).unwrap();
    house.fragment(&mut session);
    std::mem::forget(session);
    fs::remove_file(house.path("fragments/cam.log")).unwrap();
    fs::write(house.path("objects/cam/other.m3u8"), "#EXTM").unwrap();
    house.open_as(Durability::Calls);
    assert!(house.keys().is_empty(), "{:?}", house.keys());
}

#[test]
fn uploads_in_the_place_of_a_session_stay() {
    let mut cut = Cut::new();
    let late = format!("cam/{}.ts", START_MS + 100_000);
    for key in [late.as_str(), "cam/playlist.m3u8"] {
        cut.house.store.put_object(BUCKET, key, None, b"mine").unwrap();
    }
    cut.restart();
    assert_eq!(cut.house.text(&late), "mine");
    assert_eq!(cut.house.text("cam/playlist.m3u8"), "mine");
}

#[test]
fn fragments_of_sessions_that_have_ended_are_left_alone() {
    let mut cut = Cut::new();
    fs::write(cut.object(&cut.names[0]), b"changed by hand").unwrap();
    cut.restart();
    assert_eq!(cut.house.vod_names("cam"), cut.names);
}

trait Each {
    fn each(&self) -> [&String; 4];
}

impl Each for Vec<String> {
    fn each(&self) -> [&String; 4] {
        self.iter().collect::<Vec<_>>().try_into().unwrap()
    }
}
