//! Simulates the states that a kill leaves: a session is forgotten instead of
//! dropped, and the files of its last step are restored.

use super::*;

/// A channel that was live when the process was killed, with two fragments.
struct Killed {
    fixture: Fixture,
    first: String,
    second: String,
    playlist_before: String,
    log_before: Vec<u8>,
}

impl Killed {
    fn new() -> Self {
        let fixture = Fixture::with_channel("cam");
        let mut session = fixture.publish("cam").unwrap();
        let first = fixture.fragment(&mut session);
        let playlist_before = fixture.text("cam/playlist.m3u8");
        let log_before = fs::read(fixture.path("fragments/cam.log")).unwrap();
        let second = fixture.fragment(&mut session);
        std::mem::forget(session);
        fixture.pass_ms(600_000);
        Killed { fixture, first, second, playlist_before, log_before }
    }

    fn object(&self) -> PathBuf {
        self.fixture.path("objects/cam").join(&self.second)
    }

    fn part(&self) -> PathBuf {
        let key = format!("cam/{}", self.second);
        self.fixture.store.find(BUCKET).unwrap().objects.part_path(&key)
    }

    fn log(&self) -> PathBuf {
        self.fixture.path("fragments/cam.log")
    }

    fn undo_playlist(&self) {
        fs::write(self.fixture.path("objects/cam/playlist.m3u8"), &self.playlist_before).unwrap();
    }

    /// Restarts, and returns the fragments on which all views agree.
    fn agreed(&mut self) -> Vec<String> {
        self.fixture.restart();
        let fixture = &self.fixture;
        let names = fixture.vod_names("cam");
        assert_eq!(fixture.live_playlist("cam/playlist.m3u8").names, names);
        let keys: Vec<_> = names.iter().map(|name| format!("cam/{name}")).collect();
        assert_eq!(fixture.keys(), [keys, vec!["cam/playlist.m3u8".to_owned()]].concat());
        let scratch = fixture.folder.path().join(".scratch");
        assert_eq!(fs::read_dir(scratch).unwrap().count(), 0);
        assert_eq!(fixture.store.stat(BUCKET, "cam").unwrap(), Stat::Idle);
        names
    }

    fn end_ms(&self) -> u64 {
        let history = self.fixture.store.history(BUCKET, "cam").unwrap();
        assert_eq!(history.len(), 1);
        (history[0].end.unix_timestamp_nanos() / 1_000_000) as u64
    }
}

#[test]
fn a_kill_between_fragments_loses_nothing_and_ends_the_session() {
    let mut killed = Killed::new();
    assert_eq!(killed.agreed(), [killed.first.clone(), killed.second.clone()]);
    assert_eq!(killed.end_ms(), START_MS + 4000);
    killed.fixture.pass_ms(1000);
    killed.fixture.restart();
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
fn a_kill_within_the_index_line_drops_the_incomplete_line() {
    let mut killed = Killed::new();
    let whole = fs::read(killed.log()).unwrap();
    for length in killed.log_before.len() + 1..whole.len() {
        killed = Killed::new();
        fs::rename(killed.object(), killed.part()).unwrap();
        fs::write(killed.log(), &whole[..length]).unwrap();
        killed.undo_playlist();
        assert_eq!(killed.agreed(), std::slice::from_ref(&killed.first));
        let next = killed.fixture.fragment(&mut killed.fixture.publish("cam").unwrap());
        assert_eq!(killed.fixture.vod_names("cam"), [killed.first.clone(), next]);
        assert_eq!(killed.fixture.live_playlist("cam/playlist.m3u8").names.len(), 2);
    }
}

#[test]
fn a_kill_between_index_line_and_object_completes_the_fragment() {
    let mut killed = Killed::new();
    fs::rename(killed.object(), killed.part()).unwrap();
    killed.undo_playlist();
    assert_eq!(killed.agreed(), [killed.first.clone(), killed.second.clone()]);
    assert_eq!(killed.end_ms(), START_MS + 4000);
    let text = killed.fixture.text(&format!("cam/{}", killed.second));
    assert_eq!(text, format!("media of {}", killed.second));
}

#[test]
fn a_kill_between_object_and_playlist_completes_the_playlist() {
    let mut killed = Killed::new();
    killed.undo_playlist();
    fs::write(killed.fixture.folder.path().join(".scratch/part-0"), b"#EXTM3U\n#EXT-X-VER")
        .unwrap();
    assert_eq!(killed.agreed(), [killed.first.clone(), killed.second.clone()]);
}

#[test]
fn a_kill_before_the_very_first_playlist_completes_it() {
    let mut fixture = Fixture::with_channel("cam");
    let mut session = fixture.publish("cam").unwrap();
    let name = fixture.fragment(&mut session);
    std::mem::forget(session);
    fs::remove_file(fixture.path("objects/cam/playlist.m3u8")).unwrap();
    fixture.restart();
    assert_eq!(fixture.live_playlist("cam/playlist.m3u8").names, [name]);
}

#[test]
fn a_fragment_that_was_deleted_before_the_kill_stays_deleted() {
    let mut killed = Killed::new();
    let key = format!("cam/{}", killed.second);
    killed.fixture.store.delete_object(BUCKET, &key).unwrap();
    killed.fixture.restart();
    assert_eq!(killed.fixture.vod_names("cam"), std::slice::from_ref(&killed.first));
}

#[test]
fn a_session_killed_before_its_first_fragment_ends_at_its_start() {
    let mut fixture = Fixture::with_channel("cam");
    let mut session = fixture.publish("cam").unwrap();
    fixture.fragment(&mut session);
    drop(session);
    fixture.store.put_object(BUCKET, "cam/playlist.m3u8", None, b"mine").unwrap();
    fixture.pass_ms(5000);
    let began = fixture.now();
    std::mem::forget(fixture.publish("cam").unwrap());
    fixture.pass_ms(5000);
    fixture.restart();
    let history = fixture.store.history(BUCKET, "cam").unwrap();
    assert_eq!((history[1].start, history[1].end), (began, began));
    assert_eq!(
        fixture.text("cam/playlist.m3u8"),
        "mine",
        "the session recorded nothing, so there is nothing to repair"
    );
}

#[test]
fn a_disconnected_session_and_its_successor_both_end_after_a_kill() {
    let mut fixture = Fixture::with_channel("cam");
    let old = fixture.publish("cam").unwrap();
    fixture.pass_ms(1000);
    fixture.store.set_channel_enabled(BUCKET, "cam", false).unwrap();
    fixture.store.set_channel_enabled(BUCKET, "cam", true).unwrap();
    let mut new = fixture.publish("cam").unwrap();
    fixture.fragment(&mut new);
    std::mem::forget((old, new));
    fixture.restart();
    let history = fixture.store.history(BUCKET, "cam").unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!(history[1].end, at(START_MS + 3000));
    drop(fixture.publish("cam").unwrap());
    assert_eq!(fixture.store.history(BUCKET, "cam").unwrap().len(), 3);
}

#[test]
fn all_kinds_of_leftovers_in_the_scratch_space_are_deleted() {
    let mut fixture = Fixture::with_channel("cam");
    let scratch = fixture.folder.path().join(".scratch");
    fs::create_dir_all(scratch.join("grave-0/objects/x")).unwrap();
    fs::write(scratch.join("grave-0/bucket.json"), b"{}").unwrap();
    fs::write(scratch.join("part-0"), b"half").unwrap();
    fixture.restart();
    assert_eq!(fs::read_dir(scratch).unwrap().count(), 0);
    fixture.store.delete_channel(BUCKET, "cam").unwrap();
    fixture.store.delete_bucket(BUCKET).unwrap();
}

#[test]
fn a_folder_without_bucket_json_is_not_a_bucket_yet() {
    let mut fixture = Fixture::new();
    fs::create_dir_all(fixture.folder.path().join("half-made/channels")).unwrap();
    fs::write(fixture.folder.path().join("stray-file"), b"").unwrap();
    fixture.restart();
    assert_eq!(fixture.store.buckets().len(), 1);
    fixture.store.create_bucket("half-made", Acl::Private).unwrap();
    assert_eq!(fixture.store.buckets().len(), 2);
}

fn reopen(folder: &Path) -> io::Result<Store> {
    let naming = Naming { folds_case: false };
    Store::load(folder, naming, Durability::Nothing, Clock::system())
}

#[test]
fn an_invalid_file_is_an_error_with_its_path() {
    let fixture = Fixture::with_channel("cam");
    fs::write(fixture.path("channels/cam.json"), b"{").unwrap();
    let error = reopen(fixture.folder.path()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(error.to_string().contains("cam.json"));
}

#[test]
fn invalid_lines_in_an_index_are_skipped() {
    let mut fixture = Fixture::with_channel("cam");
    let names = fixture.fragments(&mut fixture.publish("cam").unwrap(), 3);
    let log = fs::read_to_string(fixture.path("fragments/cam.log")).unwrap();
    let lines: Vec<_> = log.lines().collect();
    let big = "x".repeat(20_000);
    let max = lines[1].replace("\"number\":1", "\"number\":18446744073709551615");
    let noise = [lines[0], "", "{}", &big, "null", &max, "\0\0", lines[2], &big].join("\n");
    fs::write(fixture.path("fragments/cam.log"), noise).unwrap();
    fixture.restart();
    assert_eq!(fixture.vod_names("cam"), names);
    let next = fixture.fragment(&mut fixture.publish("cam").unwrap());
    let playlist = fixture.live_playlist("cam/playlist.m3u8");
    assert_eq!((playlist.media_sequence, playlist.names), (2, vec![names[2].clone(), next]));

    fs::write(fixture.path("fragments/cam.log"), "y".repeat(300_000) + "\n" + &"z".repeat(300_000))
        .unwrap();
    fixture.restart();
    assert!(fixture.vod_names("cam").is_empty());
    fixture.fragment(&mut fixture.publish("cam").unwrap());
    assert_eq!(fixture.vod_names("cam").len(), 1);
}

#[test]
fn the_last_fragment_of_a_killed_session_is_found_even_if_the_clock_was_set_back() {
    let mut fixture = Fixture::with_channel("cam");
    fixture.fragment(&mut fixture.publish("cam").unwrap());
    let mut session = fixture.publish("cam").unwrap();
    fixture.now_ms.store(START_MS - 60_000, Ordering::SeqCst);
    let name = fixture.fragment(&mut session);
    std::mem::forget(session);
    let playlist = fixture.path("objects/cam/playlist.m3u8");
    fs::write(&playlist, "#EXTM3U\n").unwrap();
    fixture.restart();
    assert_eq!(fixture.live_playlist("cam/playlist.m3u8").names.last(), Some(&name));
}
