//! States that a kill leaves behind, made by hand: a session is forgotten
//! instead of dropped, and the files of its last step are put back.

use super::*;

/// A channel that was live when the process died, two fragments behind it.
struct Killed {
    house: House,
    first: String,
    second: String,
    playlist_before: String,
    log_before: Vec<u8>,
}

impl Killed {
    fn new() -> Self {
        let house = House::with_channel("cam");
        let mut session = house.publish("cam").unwrap();
        let first = house.fragment(&mut session);
        let playlist_before = house.text("cam/playlist.m3u8");
        let log_before = fs::read(house.path("fragments/cam.log")).unwrap();
        let second = house.fragment(&mut session);
        std::mem::forget(session);
        house.pass_ms(600_000);
        Killed { house, first, second, playlist_before, log_before }
    }

    fn object(&self) -> PathBuf {
        self.house.path("objects/cam").join(&self.second)
    }

    fn part(&self) -> PathBuf {
        let key = format!("cam/{}", self.second);
        self.house.store.find(BUCKET).unwrap().objects.part_path(&key)
    }

    fn log(&self) -> PathBuf {
        self.house.path("fragments/cam.log")
    }

    fn undo_playlist(&self) {
        fs::write(self.house.path("objects/cam/playlist.m3u8"), &self.playlist_before).unwrap();
    }

    /// The fragments that every view agrees on after the next start.
    fn agreed(&mut self) -> Vec<String> {
        self.house.restart();
        let house = &self.house;
        let names = house.vod_names("cam");
        assert_eq!(house.live_playlist("cam/playlist.m3u8").names, names);
        let keys: Vec<_> = names.iter().map(|name| format!("cam/{name}")).collect();
        assert_eq!(house.keys(), [keys, vec!["cam/playlist.m3u8".to_owned()]].concat());
        let scratch = house.folder.path().join(".scratch");
        assert_eq!(fs::read_dir(scratch).unwrap().count(), 0);
        assert_eq!(house.store.stat(BUCKET, "cam").unwrap(), Stat::Idle);
        names
    }

    fn end_ms(&self) -> u64 {
        let history = self.house.store.history(BUCKET, "cam").unwrap();
        assert_eq!(history.len(), 1);
        (history[0].end.unix_timestamp_nanos() / 1_000_000) as u64
    }
}

#[test]
fn a_kill_between_fragments_loses_nothing_and_closes_the_session() {
    let mut killed = Killed::new();
    assert_eq!(killed.agreed(), [killed.first.clone(), killed.second.clone()]);
    assert_eq!(killed.end_ms(), START_MS + 4000);
    killed.house.pass_ms(1000);
    killed.house.restart();
    assert_eq!(killed.end_ms(), START_MS + 4000);
}

#[test]
fn a_kill_before_the_index_line_drops_the_unfinished_fragment() {
    let mut killed = Killed::new();
    fs::rename(killed.object(), killed.part()).unwrap();
    fs::write(killed.log(), &killed.log_before).unwrap();
    killed.undo_playlist();
    assert_eq!(killed.agreed(), std::slice::from_ref(&killed.first));
    assert_eq!(killed.end_ms(), START_MS + 2000);
}

#[test]
fn a_kill_within_the_index_line_drops_the_torn_line() {
    let mut killed = Killed::new();
    let whole = fs::read(killed.log()).unwrap();
    for length in killed.log_before.len() + 1..whole.len() {
        killed = Killed::new();
        fs::rename(killed.object(), killed.part()).unwrap();
        fs::write(killed.log(), &whole[..length]).unwrap();
        killed.undo_playlist();
        assert_eq!(killed.agreed(), std::slice::from_ref(&killed.first));
        let next = killed.house.fragment(&mut killed.house.publish("cam").unwrap());
        assert_eq!(killed.house.vod_names("cam"), [killed.first.clone(), next]);
        assert_eq!(killed.house.live_playlist("cam/playlist.m3u8").names.len(), 2);
    }
}

#[test]
fn a_kill_between_index_line_and_object_completes_the_fragment() {
    let mut killed = Killed::new();
    fs::rename(killed.object(), killed.part()).unwrap();
    killed.undo_playlist();
    assert_eq!(killed.agreed(), [killed.first.clone(), killed.second.clone()]);
    assert_eq!(killed.end_ms(), START_MS + 4000);
    let text = killed.house.text(&format!("cam/{}", killed.second));
    assert_eq!(text, format!("media of {}", killed.second));
}

#[test]
fn a_kill_between_object_and_playlist_completes_the_playlist() {
    let mut killed = Killed::new();
    killed.undo_playlist();
    fs::write(killed.house.folder.path().join(".scratch/part-0"), b"#EXTM3U\n#EXT-X-VER").unwrap();
    assert_eq!(killed.agreed(), [killed.first.clone(), killed.second.clone()]);
}

#[test]
fn a_kill_before_the_very_first_playlist_completes_it() {
    let mut house = House::with_channel("cam");
    let mut session = house.publish("cam").unwrap();
    let name = house.fragment(&mut session);
    std::mem::forget(session);
    fs::remove_file(house.path("objects/cam/playlist.m3u8")).unwrap();
    house.restart();
    assert_eq!(house.live_playlist("cam/playlist.m3u8").names, [name]);
}

#[test]
fn a_fragment_that_was_deleted_before_the_kill_stays_deleted() {
    let mut killed = Killed::new();
    let key = format!("cam/{}", killed.second);
    killed.house.store.delete_object(BUCKET, &key).unwrap();
    killed.house.restart();
    assert_eq!(killed.house.vod_names("cam"), std::slice::from_ref(&killed.first));
}

#[test]
fn a_session_killed_before_its_first_fragment_ends_when_it_began() {
    let mut house = House::with_channel("cam");
    let mut session = house.publish("cam").unwrap();
    house.fragment(&mut session);
    drop(session);
    house.store.put_object(BUCKET, "cam/playlist.m3u8", None, b"mine").unwrap();
    house.pass_ms(5000);
    let began = house.now();
    std::mem::forget(house.publish("cam").unwrap());
    house.pass_ms(5000);
    house.restart();
    let history = house.store.history(BUCKET, "cam").unwrap();
    assert_eq!((history[1].start, history[1].end), (began, began));
    assert_eq!(
        house.text("cam/playlist.m3u8"),
        "mine",
        "nothing of the session, nothing to repair"
    );
}

#[test]
fn a_cut_session_and_its_successor_are_both_closed_after_a_kill() {
    let mut house = House::with_channel("cam");
    let old = house.publish("cam").unwrap();
    house.pass_ms(1000);
    house.store.set_channel_enabled(BUCKET, "cam", false).unwrap();
    house.store.set_channel_enabled(BUCKET, "cam", true).unwrap();
    let mut new = house.publish("cam").unwrap();
    house.fragment(&mut new);
    std::mem::forget((old, new));
    house.restart();
    let history = house.store.history(BUCKET, "cam").unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!(history[1].end, at(START_MS + 3000));
    drop(house.publish("cam").unwrap());
    assert_eq!(house.store.history(BUCKET, "cam").unwrap().len(), 3);
}

#[test]
fn leftovers_of_any_kind_in_the_scratch_space_are_dropped() {
    let mut house = House::with_channel("cam");
    let scratch = house.folder.path().join(".scratch");
    fs::create_dir_all(scratch.join("grave-0/objects/x")).unwrap();
    fs::write(scratch.join("grave-0/bucket.json"), b"{}").unwrap();
    fs::write(scratch.join("part-0"), b"half").unwrap();
    house.restart();
    assert_eq!(fs::read_dir(scratch).unwrap().count(), 0);
    house.store.delete_channel(BUCKET, "cam").unwrap();
    house.store.delete_bucket(BUCKET).unwrap();
}

#[test]
fn a_bucket_folder_without_a_description_is_no_bucket_yet() {
    let mut house = House::new();
    fs::create_dir_all(house.folder.path().join("half-made/channels")).unwrap();
    fs::write(house.folder.path().join("stray-file"), b"").unwrap();
    house.restart();
    assert_eq!(house.store.buckets().len(), 1);
    house.store.create_bucket("half-made", Acl::Private).unwrap();
    assert_eq!(house.store.buckets().len(), 2);
}

fn open_anew(folder: &Path) -> io::Result<Store> {
    let naming = Naming { folds_case: false };
    Store::load(folder, naming, Durability::Nothing, Clock::system())
}

#[test]
fn a_description_that_cannot_be_read_is_an_error_that_names_the_file() {
    let house = House::with_channel("cam");
    fs::write(house.path("channels/cam.json"), b"{").unwrap();
    let error = open_anew(house.folder.path()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(error.to_string().contains("cam.json"));
}

#[test]
fn an_index_full_of_noise_is_survived() {
    let mut house = House::with_channel("cam");
    let names = house.fragments(&mut house.publish("cam").unwrap(), 3);
    let log = fs::read_to_string(house.path("fragments/cam.log")).unwrap();
    let lines: Vec<_> = log.lines().collect();
    let big = "x".repeat(20_000);
    let max = lines[1].replace("\"number\":1", "\"number\":18446744073709551615");
    let noise = [lines[0], "", "{}", &big, "null", &max, "\0\0", lines[2], &big].join("\n");
    fs::write(house.path("fragments/cam.log"), noise).unwrap();
    house.restart();
    assert_eq!(house.vod_names("cam"), names);
    let next = house.fragment(&mut house.publish("cam").unwrap());
    let playlist = house.live_playlist("cam/playlist.m3u8");
    assert_eq!((playlist.media_sequence, playlist.names), (2, vec![names[2].clone(), next]));

    fs::write(house.path("fragments/cam.log"), "y".repeat(300_000) + "\n" + &"z".repeat(300_000))
        .unwrap();
    house.restart();
    assert!(house.vod_names("cam").is_empty());
    house.fragment(&mut house.publish("cam").unwrap());
    assert_eq!(house.vod_names("cam").len(), 1);
}

#[test]
fn a_clock_that_was_set_back_does_not_hide_the_last_fragment_of_a_killed_session() {
    let mut house = House::with_channel("cam");
    house.fragment(&mut house.publish("cam").unwrap());
    let mut session = house.publish("cam").unwrap();
    house.now_ms.store(START_MS - 60_000, Ordering::SeqCst);
    let name = house.fragment(&mut session);
    std::mem::forget(session);
    let playlist = house.path("objects/cam/playlist.m3u8");
    fs::write(&playlist, "#EXTM3U\n").unwrap();
    house.restart();
    assert_eq!(house.live_playlist("cam/playlist.m3u8").names.last(), Some(&name));
}
