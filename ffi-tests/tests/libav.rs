//! `examples/libav-publish`, built as a user would, with the installed library:
//! libav's RTMP on one side, the local endpoint on the other.

use osslive::{ChannelConfig, ChannelState, Client, SessionRecord, StreamState, VodTime};
use osslive_ffi_tests::{Library, Outcome, Run, Service, has, root, scratch, skipped};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[test]
fn a_file_is_published_to_its_end_in_real_time() {
    let Some(stage) = Stage::set() else { return };
    let clip = clip("file.mp4", "640x360", 30, 6, "-c:v libx264 -preset ultrafast -bf 2 -c:a aac");
    let mut seen = None;
    let outcome = stage.publisher().arg(&clip).arg("file").outcome_with(|line| {
        if line.contains("live, 640x360 at 30 frames/s, audio at 44100 Hz") {
            seen.get_or_insert_with(|| stage.client.get_channel_status("file").expect("a status"));
        }
    });
    outcome.ended(0, "reached the end of the input");
    let status = seen.unwrap_or_else(|| panic!("the stream was not reported: {outcome:?}"));
    assert_eq!(status.status, StreamState::Live);
    let video = status.video.expect("video");
    assert_eq!((video.width, video.height, video.frame_rate), (640, 360, 30));
    assert_eq!(stage.sessions("file").len(), 1);
    let seconds = stage.plays_through("file");
    assert!((5.8..6.3).contains(&seconds), "{seconds} s of 6");
}

#[test]
fn a_device_is_encoded_until_ctrl_c() {
    let Some(stage) = Stage::set() else { return };
    let pictures = "testsrc2=size=320x180:rate=25[out0];sine=sample_rate=48000[out1]";
    let run = stage.publisher().arg("-f").arg("lavfi").arg(pictures).arg("device");
    let outcome = run.outcome_until(|line| {
        line.contains("live, 320x180 at 25 frames/s, audio at 48000 Hz") && stage.has_vod("device")
    });
    outcome.ended(0, "stopped");
    assert_eq!(stage.sessions("device").len(), 1);
    stage.plays_through("device");
}

/// The channel is disabled during the stream, and enabled after the publisher was
/// rejected.
#[test]
fn an_interrupted_stream_resumes_with_a_new_signature() {
    let Some(stage) = Stage::set() else { return };
    let clip = clip("long.mp4", "320x180", 10, 120, "-c:v libx264 -preset ultrafast -c:a aac");
    let set = |state| stage.client.put_channel_status("cut", state).expect("the channel exists");
    let (mut is_cut, mut is_back) = (false, false);
    let outcome = stage.publisher().arg(&clip).arg("cut").outcome_until(|line| {
        let is_live = line.contains("live, 320x180");
        if is_live && !is_cut {
            set(ChannelState::Disabled);
            is_cut = true;
        // The third one connects after the second was rejected.
        } else if is_cut && !is_back && stage.wire.signatures().len() >= 3 {
            set(ChannelState::Enabled);
            is_back = true;
        }
        is_live && is_back
    });
    outcome.ended(0, "stopped");
    assert!(outcome.stderr.contains("LiveChannelDisabled"), "{outcome:?}");
    assert_eq!(outcome.stdout.matches("publishing to rtmp://").count(), 2, "{outcome:?}");
    let printed = outcome.stdout.clone() + &outcome.stderr;
    assert!(!printed.contains("Signature="), "a secret is printed: {printed}");

    let signatures = stage.wire.signatures();
    assert_ne!(signatures.first(), signatures.last(), "{signatures:?}");
    let sessions = stage.sessions("cut");
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    stage.plays_through("cut");
}

#[test]
fn the_publisher_gives_up_on_a_channel_that_rejects_it() {
    let Some(stage) = Stage::set() else { return };
    let clip = clip("long.mp4", "320x180", 10, 120, "-c:v libx264 -preset ultrafast -c:a aac");
    let closed = ChannelConfig::new("Closed").state(ChannelState::Disabled);
    stage.client.put_channel("closed", &closed).expect("a channel");
    let outcome = stage.publisher().arg("-w").arg("1").arg(&clip).arg("closed").outcome();
    assert_eq!(outcome.status, Some(1), "{outcome:?}");
    assert!(outcome.stderr.ends_with("could not connect (rejected) within 1 s: giving up\n"));
}

#[test]
fn an_unsupported_codec_is_rejected_in_plain_words() {
    let Some(stage) = Stage::set() else { return };
    let clip = clip("other.avi", "64x64", 5, 1, "-c:v mpeg4 -c:a mp2");
    let outcome = stage.publisher().arg(&clip).arg("other").outcome();
    assert_eq!(outcome.status, Some(2), "{outcome:?}");
    let words = "its video is mpeg4; OSS accepts only H.264 and AAC. Convert it first:\n  ffmpeg ";
    assert!(outcome.stderr.contains(words), "{outcome:?}");
    let missing = stage.client.get_channel("other").expect_err("no channel was created");
    assert_eq!(missing.code(), Some("NoSuchLiveChannel"));
}

// --- support ---------------------------------------------------------------------

/// The endpoint, with a tap in front of it.
struct Stage {
    service: Service,
    wire: Wire,
    client: Client,
}

impl Stage {
    /// `None` where something is missing, which is reported.
    fn set() -> Option<Stage> {
        const WHAT: &str = "the libav example";
        if !has("pkg-config", WHAT) || !has("make", WHAT) {
            return None;
        }
        let ffmpeg = Command::new("ffmpeg").arg("-version").output();
        let headers = Command::new("pkg-config").args(["--exists", "libavdevice"]).status();
        if ffmpeg.is_err() || !headers.is_ok_and(|status| status.success()) {
            skipped(WHAT, "no ffmpeg or no headers of libavdevice; see tests/real/setup.sh");
            return None;
        }
        let service = Service::start();
        let wire = Wire::to(&service.url());
        let client = service.client();
        Some(Stage { service, wire, client })
    }

    /// The program, which reads the status every second.
    fn publisher(&self) -> Run {
        static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
        let program = PROGRAM.get_or_init(build);
        self.service.run(program).env("OSS_ENDPOINT", &self.wire.url).arg("-i").arg("1")
    }

    /// Returns the finished sessions, once the publisher has disconnected.
    fn sessions(&self, channel: &str) -> Vec<SessionRecord> {
        for _ in 0..200 {
            let status = self.client.get_channel_status(channel).expect("a status").status;
            if status != StreamState::Live {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        self.client.get_channel_history(channel).expect("a history").records
    }

    /// Returns whether a fragment is recorded.
    fn has_vod(&self, channel: &str) -> bool {
        self.client.get_vod(channel, &all_day()).is_ok()
    }

    /// Checks that a decoder finds no error in the recording; returns its length in
    /// seconds.
    fn plays_through(&self, channel: &str) -> f64 {
        self.client.create_vod(channel, "all", &all_day()).expect("a playlist");
        let url = self.client.get_play_url(channel, "all.m3u8", 600).expect("a URL");
        let mut decoder = Command::new("ffmpeg");
        decoder.args(["-nostdin", "-v", "warning", "-xerror", "-i", &url, "-f", "null", "-"]);
        let outcome = Run::of(decoder).outcome();
        assert!(outcome.status == Some(0) && outcome.stderr.is_empty(), "{outcome:?}");
        let playlist = self.client.get_vod(channel, &all_day()).expect("a playlist").text;
        let lengths = playlist.lines().filter_map(|line| line.strip_prefix("#EXTINF:"));
        lengths.map(|length| length.trim_end_matches(',').parse::<f64>().expect("a length")).sum()
    }
}

fn all_day() -> VodTime {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let now = i64::try_from(now).expect("a time");
    VodTime::new(now - 3600, now + 3600)
}

/// Builds the example in a directory outside the sources.
fn build() -> PathBuf {
    let folder = scratch("libav-publish");
    for file in fs::read_dir(root().join("examples/libav-publish")).expect("the example") {
        let file = file.expect("a file");
        fs::copy(file.path(), folder.join(file.file_name())).expect("a copy");
    }
    Run::program("make")
        .env("PKG_CONFIG_PATH", Library::installed().lib().join("pkgconfig"))
        .env("CFLAGS", "-O1 -g -Wpedantic -Werror")
        .within(&folder)
        .succeeds();
    folder.join("libav-publish")
}

/// A clip of ffmpeg's test picture and tone, created once.
fn clip(name: &str, size: &str, rate: u32, seconds: u32, codecs: &str) -> PathBuf {
    static MAKING: Mutex<()> = Mutex::new(());
    let file = scratch("clips").join(name);
    let _one_at_a_time = MAKING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if !file.exists() {
        let draft = scratch("clips").join(format!("draft-{name}"));
        let mut encoder = Command::new("ffmpeg");
        encoder.args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i"]);
        encoder.arg(format!("testsrc2=size={size}:rate={rate}"));
        encoder.args(["-f", "lavfi", "-i", "sine=sample_rate=44100", "-pix_fmt", "yuv420p"]);
        encoder.args(["-t", &seconds.to_string(), "-g", &rate.to_string()]);
        encoder.args(codecs.split_whitespace()).arg(&draft);
        Run::of(encoder).succeeds();
        fs::rename(&draft, &file).expect("the clip gets its name");
    }
    file
}

/// Checks how a program ended.
trait Ended {
    fn ended(&self, status: i32, last_line: &str);
}

impl Ended for Outcome {
    fn ended(&self, status: i32, last_line: &str) {
        assert_eq!(self.status, Some(status), "{self:?}");
        assert_eq!(self.stdout.lines().last(), Some(last_line), "{self:?}");
    }
}

// --- the tap ---------------------------------------------------------------------

/// Forwards connections to a server, and keeps the beginning of what each client
/// sends.
struct Wire {
    url: String,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Wire {
    /// Enough for what an RTMP client sends before it publishes: the handshake has 3 kB.
    const KEPT: usize = 8192;

    fn to(url: &str) -> Wire {
        let server = url.strip_prefix("http://").expect("an http URL").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let received = Arc::new(Mutex::new(Vec::new()));
        let all = received.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect(&server) {
                    Self::carry(client, server, all.clone());
                }
            }
        });
        Wire { url, received }
    }

    fn carry(client: TcpStream, server: TcpStream, all: Arc<Mutex<Vec<Vec<u8>>>>) {
        let back = (server.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
        let mut connections = all.lock().expect("no listener panicked");
        let number = connections.len();
        connections.push(Vec::new());
        drop(connections);
        thread::spawn(move || {
            pass_on(client, server, |bytes| {
                let kept = &mut all.lock().expect("no listener panicked")[number];
                let room = Self::KEPT - kept.len();
                kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
            });
        });
        thread::spawn(move || pass_on(back.0, back.1, |_| ()));
    }

    /// Returns the signatures of publishers, in the order of their connections.
    fn signatures(&self) -> Vec<String> {
        let received = self.received.lock().expect("no listener panicked");
        let publishers = received.iter().filter(|bytes| bytes.first() == Some(&3));
        let signature = |bytes: &Vec<u8>| {
            let text = String::from_utf8_lossy(bytes);
            let (_, rest) = text.split_once("Signature=")?;
            // A SHA-1 in base64 ends with one "=".
            rest.split_once("%3D").map(|(signature, _)| signature.to_owned())
        };
        publishers.filter_map(signature).collect()
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, mut on_bytes: impl FnMut(&[u8])) {
    let mut buffer = [0; 65536];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        on_bytes(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
