//! GStreamer publishes with `examples/gstreamer/publish.sh` to a URL from `osslive
//! publish-url`.

mod support;

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use osslive::StreamState;
use support::{
    BUCKET, Channel, Endpoint, Folder, KEY_ID, KEY_SECRET, LONG, Program, REGION, SOON, ffmpeg,
    has_ffmpeg, run, skipped,
};

#[test]
fn gstreamer_is_recorded_until_ctrl_c_and_its_session_ends() {
    if !has_gstreamer() || !has_ffmpeg("playback of the GStreamer stream") {
        return;
    }
    let folder = Folder::new("gstreamer");
    let endpoint = Endpoint::start(&folder.path().join("data"));
    let channel = Channel::create(&endpoint.client(), "main stage");
    let pipeline = publish(&endpoint, "main stage");
    channel.wait_live(Some((640, 360, 30)), Some(44_100));
    channel.wait_fragments(2);

    let ended = pipeline.interrupt();
    assert!(ended.status.success(), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("EOS received"), "{}", ended.stdout);
    channel.has_sessions(1);
    assert_eq!(channel.status().status, StreamState::Idle);

    channel.vod();
    let playlist = channel.play_url("all.m3u8");
    // -xerror: a decoding error ends it. Messages about timestamps are ignored:
    // live sources use a clock, which jumps on a busy machine.
    let mut player = ffmpeg();
    player.args(["-xerror", "-i", &playlist, "-f", "null", "-"]);
    let played = run(&mut player, LONG);
    assert!(played.status.success(), "{}", played.stderr);
}

#[test]
fn a_rejected_gstreamer_pipeline_gets_the_reason() {
    if !has_gstreamer() {
        return;
    }
    let folder = Folder::new("gstreamer-refused");
    let endpoint = Endpoint::start(&folder.path().join("data"));
    let ended = publish(&endpoint, "nobody").end(SOON);
    assert!(!ended.status.success());
    assert!(ended.stderr.contains("NoSuchLiveChannel"), "{}{}", ended.stdout, ended.stderr);
}

#[test]
fn the_pipeline_in_the_guide_is_the_tested_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let script = fs::read_to_string(root.join("examples/gstreamer/publish.sh")).expect("a script");
    let guide = fs::read_to_string(root.join("docs/guide.md")).expect("the guide");
    let (_, pipeline) = script.split_once("exec ").expect("the pipeline");
    let url = "$(osslive --local publish-url main-stage)";
    assert!(guide.contains(&pipeline.replace("$url", url)), "the guide shows a different pipeline");
}

fn publish(endpoint: &Endpoint, channel: &str) -> Program {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/gstreamer/publish.sh");
    let osslive = Path::new(env!("CARGO_BIN_EXE_osslive")).parent().expect("a folder");
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = [osslive.to_owned()].into_iter().chain(env::split_paths(&path));
    let mut command = Command::new(script);
    command
        .arg(channel)
        .env("PATH", env::join_paths(folders).expect("a path"))
        .env("OSS_ENDPOINT", &endpoint.url)
        .env("OSS_REGION", REGION)
        .env("OSS_BUCKET", BUCKET)
        .env("OSS_ACCESS_KEY_ID", KEY_ID)
        .env("OSS_ACCESS_KEY_SECRET", KEY_SECRET);
    Program::start(&mut command)
}

/// Whether GStreamer has everything that the pipeline needs; otherwise the test is
/// reported as skipped.
fn has_gstreamer() -> bool {
    let exists = |element: &str| {
        let mut command = Command::new("gst-inspect-1.0");
        command.args(["--exists", element]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let here =
        ["rtmp2sink", "flvmux", "x264enc", "voaacenc", "videotestsrc"].into_iter().all(exists);
    if !here {
        skipped("GStreamer", "no gst-launch-1.0 with its plugins; see tests/real/setup.sh");
    }
    here
}
