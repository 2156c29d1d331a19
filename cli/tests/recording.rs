//! `osslive recording`: lists of recordings, downloads that survive every kind of
//! interruption, and deletion that leaves no playlist with a missing fragment.

#[path = "../../tests/support/media_clock.rs"]
mod media_clock;
mod support;

use media_clock::MediaClock;
use osslive::{Client, GetObject, VodTime};
use osslive_local::{Config, Control, FaultRule, InitialState, LocalEndpoint};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use support::{Folder, LONG, Program, Ran, bare, has_ffmpeg, run, wait_until};
use time::OffsetDateTime;

/// The number of kills; `OSSLIVE_KILLS` raises it.
fn kills() -> u32 {
    std::env::var("OSSLIVE_KILLS").map_or(5, |count| count.parse().expect("a number"))
}

/// The length of a session.
fn session(usual: Duration) -> Duration {
    let minutes = std::env::var("OSSLIVE_SESSION_MINUTES").ok();
    let minutes = minutes.map(|minutes| minutes.parse::<u64>().expect("a number"));
    minutes.map_or(usual, |minutes| Duration::from_secs(60 * minutes))
}

/// An endpoint with a channel `c`.
struct Archive {
    folder: Folder,
    endpoint: LocalEndpoint,
    control: Control,
    client: Client,
    /// The fragments put there, concatenated.
    put: String,
}

impl Archive {
    fn start(name: &str, config: Config) -> Archive {
        let endpoint = LocalEndpoint::start(config.control()).expect("an endpoint");
        let control = endpoint.control().expect("the control API");
        let client = endpoint.client_builder().build().expect("a client");
        let put = String::new();
        Archive { folder: Folder::new(name), endpoint, control, client, put }
    }

    /// Puts artificial fragments, five seconds apart, the last one five minutes
    /// ago.
    fn of_fragments(name: &str, count: i64) -> Archive {
        let start = OffsetDateTime::now_utc() - time::Duration::seconds(300 + 5 * count);
        let mut put = String::new();
        let object = |number: i64| {
            let start = start + time::Duration::seconds(5) * number as i32;
            let name = start.unix_timestamp_nanos() / 1_000_000;
            let text = format!("{name},").repeat(200 + (number % 331) as usize);
            put.push_str(&text);
            json!({ "key": format!("c/{name}.ts"), "text": text })
        };
        let mut objects: Vec<_> = (0..count).map(object).collect();
        objects.extend(playlists(&objects));
        let state = json!({ "buckets": [{ "name": "live-demo", "objects": objects }] });
        let state = InitialState::parse(&state.to_string()).expect("a state");
        Archive { put, ..Archive::start(name, Config::temporary().initial(state)) }
    }

    /// Records a session of this length with the real endpoint.
    fn of_session(name: &str, length: Duration) -> Archive {
        let clock = MediaClock::starting_at(OffsetDateTime::now_utc());
        let archive = Archive::start(name, Config::temporary().clock(clock.clock()));
        clock.record(&archive.client, "c", 2, length);
        archive
    }

    fn command(&self, arguments: &str) -> Command {
        let line = format!("--local={} recording {arguments}", self.endpoint.url());
        let mut command = bare(self.folder.path(), &line);
        command.current_dir(self.folder.path());
        command
    }

    fn run(&self, arguments: &str) -> Ran {
        run(&mut self.command(arguments), LONG)
    }

    fn succeeds(&self, arguments: &str) -> String {
        self.run(arguments).silent(arguments)
    }

    fn json(&self, arguments: &str) -> Value {
        let text = self.succeeds(&format!("{arguments} --json"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Runs a command that must fail with this status, and returns its errors.
    fn fails(&self, arguments: &str, status: i32) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.status.code(), Some(status), "{arguments}: {}", ran.stderr);
        ran.stderr
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn fault(&self, rule: FaultRule) {
        self.control.add(rule).expect("a rule");
    }

    /// Returns whether a file contains everything that was put there.
    fn is_put(&self, name: &str) -> bool {
        fs::read(self.file(name)).unwrap() == self.put.as_bytes()
    }

    /// Returns everything that is stored, concatenated.
    fn whole(&self) -> Vec<u8> {
        let mut whole = Vec::new();
        for object in self.client.objects("c/", "").map(Result::unwrap) {
            if object.key.ends_with(".ts") {
                let query = GetObject::new(object.key);
                self.client.get_object(&query, &mut whole).expect("a fragment");
            }
        }
        whole
    }
}

/// Returns playlists that list all but the last three hundred of these fragments.
fn playlists(fragments: &[Value]) -> Vec<Value> {
    let listed = &fragments[..fragments.len().saturating_sub(300)];
    let playlist = |(number, fragments): (usize, &[Value])| {
        let uri = |fragment: &Value| fragment["key"].as_str().unwrap()[2..].to_owned();
        let entries = fragments.iter().map(|fragment| format!("#EXTINF:5.0,\n{}\n", uri(fragment)));
        let text = format!("#EXTM3U\n{}#EXT-X-ENDLIST\n", entries.collect::<String>());
        json!({ "key": format!("c/show-{number}.m3u8"), "text": text })
    };
    listed.chunks(300).enumerate().map(playlist).collect()
}

/// Starts a command repeatedly, and kills it after up to `limit`, until one
/// completes. Returns the number of kills.
fn killed(command: impl Fn() -> Command, times: u32, limit: Duration) -> u32 {
    for number in 0..times {
        let mut program = Program::start(&mut command());
        thread::sleep(limit.mul_f64(f64::from(number * 37 % 101) / 100.0));
        if !program.is_running() {
            return number;
        }
        program.kill();
    }
    times
}

#[test]
fn recordings_are_listed_as_text_and_json() {
    let archive = Archive::of_session("recording-list", Duration::from_secs(30));
    let start = archive.client.get_channel_history("c").unwrap().records[0].start_time;
    let clip = VodTime::new(start.unix_timestamp(), start.unix_timestamp() + 10);
    archive.client.create_vod("c", "clip", &clip).unwrap();
    let report = archive.json("list c");
    assert_eq!(report["spans"].as_array().map(Vec::len), Some(1), "{report}");
    assert_eq!(report["spans"][0]["fragments"], report["fragments"]);
    assert_eq!(report["gaps"], json!([]));
    let clip = &report["playlists"][0];
    assert_eq!(
        (&clip["name"], &clip["isFinished"], &clip["missing"]),
        (&json!("clip.m3u8"), &json!(true), &json!(0))
    );
    let text = archive.succeeds("list c");
    for word in ["FROM", "PLAYLIST", "clip.m3u8", "complete", "in no playlist"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert_eq!(archive.succeeds("list nobody"), "nothing is stored\n");
}

#[test]
fn a_session_is_one_file_by_default() {
    let archive = Archive::of_session("recording-session", Duration::from_secs(30));
    let text = archive.succeeds("download c");
    assert!(text.starts_with("c.ts: ") && text.contains("fragments"), "{text}");
    assert_eq!(fs::read(archive.file("c.ts")).unwrap(), archive.whole());
    let error = archive.fails("download c", 1);
    assert!(error.contains("c.ts: already exists"), "{error}");
    let start = archive.client.get_channel_history("c").unwrap().records[0].start_time;
    let inside = start.unix_timestamp() + 10;
    let done = archive.json(&format!("download c --force --session {inside} --parallel 1"));
    assert_eq!(done["resumedBytes"], 0, "{done}");
    let to = start.unix_timestamp() + 3600;
    let hour = archive.json(&format!("download c -o hour.ts --from -1h --to {to}"));
    assert_eq!(hour["bytes"], done["bytes"]);
    let ran = archive.run("download c --force --log json");
    let line: Value = serde_json::from_str(ran.stderr.trim()).expect("a line of JSON");
    assert_eq!((&line["message"], &line["bytes"]), (&json!("downloaded"), &done["bytes"]));
}

#[test]
fn an_impossible_download_fails_with_the_reason() {
    let archive = Archive::of_fragments("recording-errors", 3);
    let error =
        archive.fails("download c --from 2020-01-01T00:00:00Z --to 2020-01-02T00:00:00Z", 3);
    assert!(error.contains("recorded nothing") && error.contains("recording list"), "{error}");
    assert!(archive.fails("download c", 3).contains("NoSuchLiveChannel"));
    assert!(archive.fails("download c --last 1h --from -1h", 2).contains("--from"));
    assert!(archive.fails("download c --session yesterday", 2).contains("yesterday"));
    assert!(archive.fails("download c --last 1h -o none/show.ts", 1).contains("show.ts.part"));
    assert!(archive.fails("download c --last 0s", 2).contains("zero"));
    let empty = archive.file("empty");
    fs::create_dir_all(&empty).unwrap();
    let ran = run(archive.command("download c --last 1h -o show.mp4").env("PATH", &empty), LONG);
    assert!(ran.stderr.contains("MP4 needs ffmpeg, which is not installed"), "{}", ran.stderr);
    assert!(!archive.file("show.mp4.ts.part").exists(), "it started anyway");
}

#[test]
fn a_download_killed_at_any_time_is_resumed() {
    let archive = Archive::of_fragments("recording-kills", 600);
    // So slow that the kills come before the end. An emulated system takes a long time to
    // start a program.
    let slower = if cfg!(windows) { 4 } else { 1 };
    let latency_ms = Some(u64::from(4 * kills() * slower));
    archive.fault(FaultRule { latency_ms, ..FaultRule::new("GetObject") });
    let command = || archive.command("download c --last 10h -o show.ts");
    let count = killed(command, kills(), slower * Duration::from_secs(2));
    println!("{count} downloads were killed");
    assert!(count > kills() / 2, "{count} were killed in time");
    archive.control.clear_faults();
    let done = archive.json("download c --last 10h -o show.ts");
    assert!(done["resumedBytes"].as_u64().unwrap() > 0, "{done}");
    assert!(archive.is_put("show.ts"), "it differs");
    assert!(!archive.file("show.ts.part").exists() && !archive.file("show.ts.progress").exists());
}

#[test]
fn ctrl_c_interrupts_a_download_that_can_be_resumed() {
    let archive = Archive::of_fragments("recording-stop", 600);
    archive.fault(FaultRule { latency_ms: Some(20), ..FaultRule::new("GetObject") });
    let program = Program::start(&mut archive.command("download c --last 10h -o show.ts"));
    wait_until("the download begins", || (archive.file("show.ts.progress").exists(), ()));
    if cfg!(windows) {
        return;
    }
    let ran = program.interrupt();
    assert_eq!(ran.status.code(), Some(1));
    assert!(ran.stderr.contains("it can be resumed"), "{}", ran.stderr);
}

#[test]
fn a_live_stream_is_followed_through_kills_to_its_end() {
    let clock = MediaClock::starting_at(OffsetDateTime::now_utc());
    let archive = Archive::start("recording-follow", Config::temporary().clock(clock.clock()));
    let length = session(Duration::from_secs(1200));
    thread::scope(|scope| {
        let publisher = scope.spawn(|| clock.record(&archive.client, "c", 5, length));
        let until = Instant::now() + LONG;
        while !archive.client.get_channel_status("c").is_ok_and(|s| s.connected_time.is_some()) {
            assert!(Instant::now() < until, "the stream does not arrive");
            thread::sleep(Duration::from_millis(2));
        }
        let command = || archive.command("download c --follow -o show.ts");
        let count = killed(command, 10, Duration::from_millis(500));
        println!("{count} downloads of a live stream were killed");
        assert_eq!(count, 10, "the session was too short");
        let is_live = archive.client.get_channel_status("c").unwrap().connected_time.is_some();
        assert!(is_live, "the session was too short");
        let ran = run(&mut command(), 10 * LONG);
        publisher.join().expect("the session ends");
        let text = ran.silent("download --follow");
        assert!(text.contains("show.ts: ") && !text.contains("gap"), "{text}");
    });
    assert!(fs::read(archive.file("show.ts")).unwrap() == archive.whole(), "it differs");
}

#[test]
fn a_download_has_the_same_frames_as_the_fragments() {
    if !has_ffmpeg("the frames of recordings") {
        return;
    }
    let archive = Archive::of_session("recording-frames", Duration::from_secs(30));
    archive.succeeds("download c -o show.ts");
    archive.succeeds("download c -o show.mp4");
    assert!(!archive.file("show.mp4.ts").exists(), "the stream is left behind");
    let mut names = Vec::new();
    for object in archive.client.objects("c/", "").map(Result::unwrap) {
        if object.key.ends_with(".ts") {
            let path = archive.file(&object.key.replace('/', "-"));
            let mut file = fs::File::create(&path).unwrap();
            archive.client.get_object(&GetObject::new(object.key), &mut file).unwrap();
            names.push(path);
        }
    }
    let hashes = |path: &PathBuf| -> Vec<String> {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-hide_banner", "-loglevel", "error", "-i"]).arg(path);
        ffmpeg.args(["-map", "0:v", "-f", "framehash", "-"]);
        let text = run(&mut ffmpeg, LONG).silent("ffmpeg");
        let hash = |line: &str| line.rsplit(',').next().unwrap_or_default().trim().to_owned();
        text.lines().filter(|line| !line.starts_with('#')).map(hash).collect()
    };
    let expected: Vec<_> = names.iter().flat_map(hashes).collect();
    assert!(expected.len() > 500, "{} frames", expected.len());
    assert_eq!(hashes(&archive.file("show.ts")), expected);
    assert_eq!(hashes(&archive.file("show.mp4")), expected);
}

#[cfg(unix)]
#[test]
fn a_failed_conversion_keeps_the_download() {
    use std::os::unix::fs::PermissionsExt;
    if !has_ffmpeg("the frames of recordings") {
        return;
    }
    let archive = Archive::of_session("recording-conversion", Duration::from_secs(10));
    let bin = archive.file("bin");
    fs::create_dir_all(&bin).unwrap();
    let fake = bin.join("ffmpeg");
    let script = "#!/bin/sh\n[ \"$1\" = -version ] && exit 0\necho 'no space left' >&2\nexit 1\n";
    fs::write(&fake, script).unwrap();
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = run(archive.command("download c -o show.mp4").env("PATH", &bin), LONG);
    assert_eq!(ran.status.code(), Some(1));
    assert!(
        ran.stderr.contains("no space left; the download is kept as show.mp4.ts"),
        "{}",
        ran.stderr
    );
    assert!(fs::read(archive.file("show.mp4.ts")).unwrap() == archive.whole(), "it differs");
    let ran = archive.run("download c -o show.mp4");
    assert!(
        ran.status.success() && ran.stderr.contains("only needs to be converted"),
        "{}",
        ran.stderr
    );
    assert!(archive.file("show.mp4").exists() && !archive.file("show.mp4.ts").exists());
}

/// Checks that no playlist lists a missing fragment.
fn no_playlist_has_a_missing_fragment(archive: &Archive) {
    let recording = archive.client.get_recording("c").unwrap();
    for playlist in &recording.playlists {
        assert_eq!(recording.missing(playlist), 0, "{} lists a missing fragment", playlist.name);
    }
}

#[test]
fn pruning_shows_its_plan_and_asks_first() {
    let archive = Archive::of_fragments("recording-prune", 100);
    let none = archive.succeeds("prune c --older-than 1h --yes");
    assert!(none.starts_with("nothing to delete"), "{none}");
    let plan = archive.json("prune c --older-than 10m --dry-run");
    assert_eq!(plan["isDeleted"], false);
    let count = plan["fragments"].as_u64().unwrap();
    // From 800 to 600 seconds ago.
    assert!((38..42).contains(&count), "{plan}");
    let error = archive.fails("prune c --older-than 10m", 2);
    assert!(error.contains("would be deleted: add --yes"), "{error}");
    assert!(archive.fails("prune c", 2).contains("--older-than"));
    assert_eq!(archive.client.get_recording("c").unwrap().fragments.len(), 100);
    let done = archive.json("prune c --older-than 10m --yes");
    assert_eq!(done["isDeleted"], true);
    let left = archive.client.get_recording("c").unwrap().fragments.len() as u64;
    assert!((100 - count - 4..=100 - count).contains(&left), "{left} are left: {done}");
}

#[test]
fn pruning_killed_at_any_time_leaves_no_playlist_with_a_missing_fragment() {
    let count = 1_500;
    let archive = Archive::of_fragments("recording-prune-kills", count);
    let latency = |operation, latency_ms| FaultRule {
        latency_ms: Some(latency_ms),
        ..FaultRule::new(operation)
    };
    archive.fault(latency("DeleteMultipleObjects", 40));
    let plan = archive.json("prune c --older-than 1s --keep-vod --dry-run");
    let of_playlists = [&plan["fragments"], &plan["keptFragments"]];
    assert_eq!(of_playlists, [&json!(300), &json!(count - 300)], "{plan}");
    let mut interrupted = 0;
    for number in 0..kills() {
        archive.endpoint.reset().expect("a reset");
        // Until the playlists are older than a second.
        thread::sleep(Duration::from_millis(1100));
        archive.fault(latency("DeleteMultipleObjects", 40));
        let mut program = Program::start(&mut archive.command("prune c --older-than 1s --yes"));
        // The deletions take place in the last of these milliseconds.
        thread::sleep(Duration::from_millis(u64::from(100 + number * 37 % 300)));
        program.kill_if_running();
        no_playlist_has_a_missing_fragment(&archive);
        let left = archive.client.get_recording("c").unwrap().fragments.len() as i64;
        interrupted += u32::from((1..count).contains(&left));
    }
    println!("{} prune runs were killed, {interrupted} of them halfway", kills());
    thread::sleep(Duration::from_millis(1100));
    archive.succeeds("prune c --older-than 1s --yes");
    let left = archive.client.get_recording("c").unwrap();
    assert!(left.fragments.is_empty() && left.playlists.is_empty(), "{left:?}");
}

/// Returns the peak memory of a program, in kilobytes.
#[cfg(target_os = "linux")]
fn peak(command: &mut Command) -> u64 {
    let mut child = support_spawn(command);
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        if let Ok(text) = fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let found = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
            peak = peak.max(found.unwrap_or(0));
        }
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            assert!(status.success(), "{status}");
            return peak;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(target_os = "linux")]
fn support_spawn(command: &mut Command) -> std::process::Child {
    use std::process::Stdio;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    command.spawn().expect("it starts")
}

#[cfg(target_os = "linux")]
#[test]
fn twenty_six_hours_take_little_memory() {
    let archive = Archive::of_fragments("recording-memory", 26 * 720);
    let kilobytes = peak(&mut archive.command("download c --last 30h -o night.ts --parallel 16"));
    println!("26 hours: {kilobytes} kB of memory");
    // The build for tests is not optimized.
    assert!(kilobytes < 30_000, "{kilobytes} kB");
    assert!(archive.is_put("night.ts"), "it differs");
}
