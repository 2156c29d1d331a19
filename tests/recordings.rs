//! Recordings: what is stored, downloads of any part that survive all interruptions, and
//! what may be deleted.

#[path = "support/media_clock.rs"]
mod media_clock;

use media_clock::MediaClock;
use osslive::{
    Client, DownloadOptions, ErrorKind, GetObject, RecordingRange, StopHandle, VodTime, code,
};
use osslive_local::{Config, Control, FaultRule, InitialState, LocalEndpoint};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use time::OffsetDateTime;
use time::macros::datetime;

const EVENING: OffsetDateTime = datetime!(2026-05-09 22:00 UTC);

/// Returns the name that the service gives a fragment that starts at this time.
fn name(time: OffsetDateTime) -> String {
    format!("{}.ts", time.unix_timestamp_nanos() / 1_000_000)
}

/// Returns the content of an artificial fragment: unique, and of varying length.
fn content(name: &str) -> String {
    let number: usize = name[..13].parse().unwrap();
    format!("<{name}>").repeat(100 + number % 977)
}

struct Archive {
    endpoint: LocalEndpoint,
    control: Control,
    folder: TempDir,
}

impl Archive {
    /// Creates an archive of a deleted channel `c` whose fragments start at these times.
    fn of(starts: &[OffsetDateTime]) -> Self {
        let object = |start: &OffsetDateTime| {
            let name = name(*start);
            serde_json::json!({ "key": format!("c/{name}"), "text": content(&name) })
        };
        let objects: Vec<_> = starts.iter().map(object).collect();
        let state = serde_json::json!({ "buckets": [{ "name": "live-demo", "objects": objects }] });
        Archive::start(
            Config::temporary().initial(InitialState::parse(&state.to_string()).unwrap()),
        )
    }

    fn start(config: Config) -> Self {
        let endpoint = LocalEndpoint::start(config.control()).unwrap();
        let control = endpoint.control().unwrap();
        Archive { endpoint, control, folder: tempfile::tempdir().unwrap() }
    }

    fn client(&self) -> Client {
        self.endpoint.client_builder().build().unwrap()
    }

    fn fault(&self, rule: FaultRule) {
        self.control.add(rule).unwrap();
    }

    /// Returns all fragments of the channel `c`, concatenated.
    fn whole(&self) -> Vec<u8> {
        let client = self.client();
        let mut whole = Vec::new();
        for object in client.objects("c/", "").map(Result::unwrap) {
            if object.key.ends_with(".ts") {
                client.get_object(&GetObject::new(object.key), &mut whole).unwrap();
            }
        }
        whole
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("show.ts")
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// Returns `count` start times, one every five seconds.
fn every_five_seconds(from: OffsetDateTime, count: i32) -> Vec<OffsetDateTime> {
    (0..count).map(|number| from + time::Duration::seconds(5) * number).collect()
}

fn since(start: OffsetDateTime) -> RecordingRange {
    RecordingRange::between(start, start + time::Duration::hours(30))
}

#[test]
fn a_session_is_downloaded_byte_for_byte() {
    let clock = MediaClock::starting_at(OffsetDateTime::now_utc());
    let archive = Archive::start(Config::temporary().clock(clock.clock()));
    let client = archive.client();
    clock.record(&client, "c", 2, Duration::from_secs(60));
    let range = RecordingRange::latest_session();
    let mut progress = Vec::new();
    let options = DownloadOptions::new().progress(|at| progress.push(at));
    let done = client.download_recording("c", &range, archive.path(), &options).unwrap();
    drop(options);
    let whole = archive.whole();
    assert_eq!(fs::read(archive.path()).unwrap(), whole);
    assert_eq!(archive.files(), ["show.ts"]);
    assert_eq!((done.bytes, done.resumed_bytes), (whole.len() as u64, 0));
    assert!(done.fragments >= 25 && done.gaps.is_empty(), "{done:?}");
    // Of the 60 seconds, the endpoint may receive the first five late (see `MediaClock`),
    // and the end is known to the second.
    assert!((done.end_time - done.start_time).whole_seconds() >= 53, "{done:?}");
    let last = progress.last().unwrap();
    assert_eq!((last.bytes, last.fragments), (last.total_bytes, last.total_fragments));
    let session = client.get_channel_history("c").unwrap().records[0].start_time;
    let by_time = RecordingRange::session(session + time::Duration::seconds(10));
    let other = archive.folder.path().join("other.ts");
    client.download_recording("c", &by_time, &other, &DownloadOptions::new()).unwrap();
    assert_eq!(fs::read(other).unwrap(), whole);
}

#[test]
fn a_range_starts_with_the_fragment_being_recorded_and_may_cross_midnight() {
    let starts = every_five_seconds(EVENING, 1_800);
    let archive = Archive::of(&starts);
    let midnight = datetime!(2026-05-10 00:00 UTC);
    let range = RecordingRange::between(
        midnight - time::Duration::seconds(7),
        midnight + time::Duration::seconds(10),
    );
    let client = archive.client();
    let done =
        client.download_recording("c", &range, archive.path(), &DownloadOptions::new()).unwrap();
    let expected: String =
        starts[1_438..1_442].iter().map(|start| content(&name(*start))).collect();
    assert_eq!(fs::read_to_string(archive.path()).unwrap(), expected);
    assert_eq!(done.start_time, midnight - time::Duration::seconds(10));
    assert_eq!(done.end_time, midnight + time::Duration::seconds(10));
}

#[test]
fn gaps_are_reported() {
    let hour = time::Duration::HOUR;
    let [second, third] = [EVENING + hour, EVENING + 26 * hour];
    let starts = [EVENING, second, third].map(|start| every_five_seconds(start, 12)).concat();
    let archive = Archive::of(&starts);
    let client = archive.client();
    let done = client
        .download_recording("c", &since(EVENING), archive.path(), &DownloadOptions::new())
        .unwrap();
    let minute = time::Duration::MINUTE;
    let gaps: Vec<_> = done.gaps.iter().map(|gap| (gap.start_time, gap.end_time)).collect();
    assert_eq!(gaps, [(EVENING + minute, second), (second + minute, third)]);
    let recording = client.get_recording("c").unwrap();
    assert_eq!(recording.gaps(), done.gaps);
    assert_eq!(recording.bytes(), done.bytes);
    let spans: Vec<_> = recording.spans().iter().map(|span| span.fragments).collect();
    assert_eq!(spans, [12, 12, 12]);
}

/// Stops the download after this many more bytes, and returns how it ended.
fn stopped_after(
    client: &Client,
    path: &Path,
    more: u64,
) -> Result<osslive::Download, osslive::Error> {
    let stop = StopHandle::new();
    let mut first = None;
    let options = DownloadOptions::new().stop(&stop).progress(|at| {
        if at.bytes - *first.get_or_insert(at.bytes) >= more {
            stop.stop();
        }
    });
    client.download_recording("c", &since(EVENING), path, &options)
}

#[test]
fn a_download_that_is_stopped_repeatedly_is_resumed() {
    let archive = Archive::of(&every_five_seconds(EVENING, 300));
    // Slow enough to be stopped in between.
    archive.fault(FaultRule { latency_ms: Some(5), ..FaultRule::new("GetObject") });
    let client = archive.client();
    let mut stops = 0;
    let done = loop {
        match stopped_after(&client, &archive.path(), 200_000) {
            Ok(done) => break done,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Stopped, "{error}"),
        }
        assert_eq!(archive.files(), ["show.ts.part", "show.ts.progress"]);
        stops += 1;
        assert!(stops < 100, "no progress");
    };
    assert!(stops > 3 && done.resumed_bytes > done.bytes / 2, "{stops} stops, {done:?}");
    assert_eq!(fs::read(archive.path()).unwrap(), archive.whole());
}

#[test]
fn a_download_succeeds_despite_every_kind_of_failure() {
    let archive = Archive::of(&every_five_seconds(EVENING, 200));
    let now_and_then = |seed| FaultRule {
        probability: Some(0.2),
        seed: Some(seed),
        ..FaultRule::new("GetObject")
    };
    archive.fault(FaultRule { status: Some(503), ..now_and_then(1) });
    archive.fault(FaultRule { cut_after_bytes: Some(700), ..now_and_then(2) });
    let whole = {
        let plain = Archive::of(&every_five_seconds(EVENING, 200));
        plain.whole()
    };
    let client = archive.endpoint.client_builder().attempts(20).build().unwrap();
    let options = DownloadOptions::new().max_parallel(8);
    client.download_recording("c", &since(EVENING), archive.path(), &options).unwrap();
    assert_eq!(fs::read(archive.path()).unwrap(), whole);
}

#[test]
fn an_error_names_the_fragment_and_complete_fragments_are_kept() {
    let starts = every_five_seconds(EVENING, 50);
    let archive = Archive::of(&starts);
    let bad = format!("c/{}", name(starts[40]));
    let rule =
        FaultRule { status: Some(403), channel: Some(bad.clone()), ..FaultRule::new("GetObject") };
    archive.fault(rule);
    let client = archive.client();
    let options = DownloadOptions::new();
    let error =
        client.download_recording("c", &since(EVENING), archive.path(), &options).unwrap_err();
    assert!(error.message().starts_with(&bad), "{error}");
    archive.control.clear_faults();
    let done = client.download_recording("c", &since(EVENING), archive.path(), &options).unwrap();
    assert!(done.resumed_bytes > 0, "{done:?}");
    assert_eq!(fs::read(archive.path()).unwrap(), archive.whole());
}

#[test]
fn a_fragment_that_differs_from_its_listing_is_an_error() {
    let starts = every_five_seconds(EVENING, 3);
    for raw in [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc".to_owned(),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n{}", "x".repeat(200_000)),
    ] {
        let archive = Archive::of(&starts);
        let channel = Some(format!("c/{}", name(starts[1])));
        archive.fault(FaultRule { raw: Some(raw), channel, ..FaultRule::new("GetObject") });
        let options = DownloadOptions::new();
        let result =
            archive.client().download_recording("c", &since(EVENING), archive.path(), &options);
        let error = result.unwrap_err();
        assert!(error.message().contains(&name(starts[1])), "{error}");
    }
}

#[test]
fn a_file_is_replaced_only_with_overwrite() {
    let archive = Archive::of(&every_five_seconds(EVENING, 3));
    let client = archive.client();
    fs::write(archive.path(), "precious").unwrap();
    let keep = DownloadOptions::new();
    let error = client.download_recording("c", &since(EVENING), archive.path(), &keep).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(error.message().contains("show.ts"), "{error}");
    assert_eq!(fs::read(archive.path()).unwrap(), b"precious");
    let replace = DownloadOptions::new().overwrite(true);
    client.download_recording("c", &since(EVENING), archive.path(), &replace).unwrap();
    assert_eq!(fs::read(archive.path()).unwrap(), archive.whole());
    let nowhere = archive.folder.path().join("none/show.ts");
    let error = client.download_recording("c", &since(EVENING), nowhere, &keep).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File, "{error}");
}

#[test]
fn an_incomplete_file_of_another_range_is_neither_used_nor_deleted() {
    let archive = Archive::of(&every_five_seconds(EVENING, 100));
    archive.fault(FaultRule { latency_ms: Some(5), ..FaultRule::new("GetObject") });
    let client = archive.client();
    stopped_after(&client, &archive.path(), 100_000).unwrap_err();
    let part = archive.folder.path().join("show.ts.part");
    let before = fs::read(&part).unwrap();
    let other = since(EVENING + time::Duration::MINUTE);
    let options = DownloadOptions::new();
    let error = client.download_recording("c", &other, archive.path(), &options).unwrap_err();
    assert!(error.message().contains("live-demo/c: 2026-05-09T22:00:00Z to"), "{error}");
    assert_eq!(fs::read(&part).unwrap(), before);
    let overwriting = DownloadOptions::new().overwrite(true);
    let done = client.download_recording("c", &other, archive.path(), &overwriting).unwrap();
    assert_eq!((done.resumed_bytes, done.fragments), (0, 88));
}

#[test]
fn an_incomplete_file_that_lost_bytes_is_completed() {
    let archive = Archive::of(&every_five_seconds(EVENING, 100));
    archive.fault(FaultRule { latency_ms: Some(5), ..FaultRule::new("GetObject") });
    let client = archive.client();
    let part = archive.folder.path().join("show.ts.part");
    for length in [0, 50_000] {
        stopped_after(&client, &archive.path(), 150_000).unwrap_err();
        let file = fs::OpenOptions::new().write(true).open(&part).unwrap();
        file.set_len(length).unwrap();
    }
    stopped_after(&client, &archive.path(), 150_000).unwrap_err();
    fs::remove_file(&part).unwrap();
    let options = DownloadOptions::new();
    client.download_recording("c", &since(EVENING), archive.path(), &options).unwrap();
    assert_eq!(fs::read(archive.path()).unwrap(), archive.whole());
}

#[test]
fn an_empty_range_is_an_error_that_leaves_no_file() {
    let archive = Archive::of(&every_five_seconds(EVENING, 3));
    let client = archive.client();
    let options = DownloadOptions::new();
    let later = since(EVENING + time::Duration::HOUR);
    for range in [later, RecordingRange::last(Duration::from_secs(60))] {
        let error = client.download_recording("c", &range, archive.path(), &options).unwrap_err();
        assert_eq!(error.code(), Some(code::NOTHING_RECORDED), "{error}");
        assert!(archive.files().is_empty(), "{:?}", archive.files());
    }
    let latest = RecordingRange::latest_session();
    let error = client.download_recording("c", &latest, archive.path(), &options).unwrap_err();
    assert_eq!(error.code(), Some(code::NO_SUCH_LIVE_CHANNEL), "{error}");
    assert!(archive.files().is_empty(), "{:?}", archive.files());
}

#[test]
fn a_stream_is_followed_to_its_end_despite_faults_and_interruptions() {
    let clock = MediaClock::starting_at(OffsetDateTime::now_utc());
    let archive = Archive::start(Config::temporary().clock(clock.clock()));
    let client = archive.client();
    let path = archive.path();
    let range = RecordingRange::latest_session();
    let follow = |stop: &StopHandle| {
        let options = DownloadOptions::new()
            .follow(true)
            .poll_interval(Duration::from_millis(50))
            .stop(stop)
            .progress(|_| {});
        client.download_recording("c", &range, &path, &options)
    };
    thread::scope(|scope| {
        let publisher = scope.spawn(|| clock.record(&client, "c", 1, Duration::from_secs(300)));
        let until = Instant::now() + Duration::from_secs(60);
        while client.get_vod("c", &VodTime::new(1, 86_401)).is_err()
            && !client.get_channel_status("c").is_ok_and(|status| status.connected_time.is_some())
        {
            assert!(Instant::now() < until, "the stream does not arrive");
            thread::sleep(Duration::from_millis(5));
        }
        archive.fault(FaultRule {
            status: Some(500),
            probability: Some(0.05),
            seed: Some(7),
            ..FaultRule::new("GetObject")
        });
        let done = loop {
            let stop = StopHandle::new();
            let button = stop.clone();
            let timer = scope.spawn(move || {
                thread::sleep(Duration::from_millis(300));
                button.stop();
            });
            let result = follow(&stop);
            timer.join().unwrap();
            match result {
                Ok(done) => break done,
                Err(error) => assert_eq!(error.kind(), ErrorKind::Stopped, "{error}"),
            }
            assert!(Instant::now() < until, "it never ends");
        };
        publisher.join().unwrap();
        archive.control.clear_faults();
        assert_eq!(fs::read(&path).unwrap(), archive.whole());
        assert!(done.fragments >= 290, "{done:?}");
    });
}

#[test]
fn old_recordings_can_be_deleted_without_leaving_gaps_in_playlists() {
    let clock = MediaClock::starting_at(OffsetDateTime::now_utc());
    let archive = Archive::start(Config::temporary().clock(clock.clock()));
    let client = archive.client();
    clock.record(&client, "c", 2, Duration::from_secs(60));
    let start = client.get_channel_history("c").unwrap().records[0].start_time.unix_timestamp();
    client.create_vod("c", "clip", &VodTime::new(start, start + 10)).unwrap();
    let recording = client.get_recording("c").unwrap();
    let clip = recording.playlists.iter().find(|list| list.name == "clip.m3u8").unwrap();
    assert!(clip.is_finished && clip.fragments() > 1, "{clip:?}");
    let future = OffsetDateTime::now_utc() + time::Duration::DAY;
    let pruning = recording.pruning(future, false);
    assert!(pruning.kept >= clip.fragments() && !pruning.fragments.is_empty(), "{pruning:?}");
    let keys: Vec<_> = pruning.fragments.iter().map(|fragment| fragment.key("c")).collect();
    client.delete_objects(&keys).unwrap();
    let after = client.get_recording("c").unwrap();
    assert_eq!(after.fragments.len(), recording.fragments.len() - keys.len());
    for playlist in after.playlists.iter() {
        assert_eq!(after.missing(playlist), 0, "{playlist:?}");
    }
    let all = after.pruning(future, true);
    assert!(all.playlists.contains(&"clip.m3u8".to_owned()), "{all:?}");
}
