//! OBS Studio streams to a real endpoint through the plugin of
//! `examples/obs-plugin`, which is built here with the installed C library.
//!
//! Without OBS, libobs or Xvfb, these tests are reported as skipped; with `CI` set,
//! they fail. `tests/real/setup.sh` installs them.

#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::net::TcpListener;

use osslive::{ChannelConfig, ChannelState, StreamState};
use support::{
    AUDIO_RATE, BUCKET, Channel, Endpoint, Home, KEY_ID, KEY_SECRET, LONG, Mode, Obs, REGION, Tap,
    VIDEO, bare, has_ffmpeg, run, wait_until,
};

/// Where the plugin finds its credentials.
const KEYS: [(&str, &str); 2] =
    [("OSS_ACCESS_KEY_ID", KEY_ID), ("OSS_ACCESS_KEY_SECRET", KEY_SECRET)];

#[test]
fn every_start_creates_what_is_missing_and_signs_a_new_url() {
    let Some(stage) = Stage::set("OBS starting and stopping", Mode::Simple) else { return };
    let channel = stage.channel("main-stage");
    let own = stage.home.own_service("rtmp://127.0.0.1:9/own", "own-key");
    stage.settings("main-stage");

    let obs = Obs::start(&stage.home, &KEYS, &[]);
    for start in 1..=2 {
        obs.press("start");
        wait_until("a channel", || (stage.exists("main-stage"), obs.log()));
        channel.wait_live(Some(VIDEO), Some(AUDIO_RATE));
        obs.says_times("main-stage: Live: 640x360, 30 fps, video ", start);
        channel.wait_fragments(2 * start);
        obs.press("stop");
        channel.wait_idle();
        assert_eq!(channel.has_sessions(start).len(), start);
        obs.says_times("==== Streaming Stop", start);
    }
    obs.press("service");
    obs.says("service: rtmp_custom rtmp://127.0.0.1:9/own");
    obs.quit();

    channel.plays_through(stage.home.path());
    let signatures = stage.tap.signatures();
    assert_eq!(signatures.len(), 2, "{signatures:?}");
    assert_ne!(signatures[0], signatures[1]);
    let service = stage.home.config("basic/profiles/Tests/service.json");
    assert_eq!(fs::read_to_string(service).expect("the user's own service"), own);
    for secret in [KEY_SECRET, "Signature="].into_iter().chain(signatures.iter().map(|s| &**s)) {
        let files = stage.home.files_with(secret);
        assert!(files.is_empty(), "{secret} is in {files:?}");
    }
}

#[test]
fn a_cut_connection_is_restored_with_a_new_url_and_obs_quits_while_streaming() {
    let Some(stage) = Stage::set("OBS reconnecting", Mode::Advanced) else { return };
    let channel = stage.channel("main-stage");
    stage.settings("main-stage");

    let obs = Obs::start(&stage.home, &KEYS, &["--startstreaming"]);
    wait_until("a channel", || (stage.exists("main-stage"), obs.log()));
    channel.wait_live(Some(VIDEO), Some(AUDIO_RATE));
    stage.tap.cut();
    wait_until("a second publisher", || {
        let signatures = stage.tap.signatures();
        (signatures.len() == 2 && signatures[0] != signatures[1], signatures)
    });
    channel.wait_live(Some(VIDEO), Some(AUDIO_RATE));
    if Obs::crashes_when_closed_while_streaming() {
        obs.press("stop");
        channel.wait_idle();
    }
    obs.quit();
    channel.has_sessions(2);
}

#[test]
fn with_the_plugin_off_obs_streams_to_its_own_settings() {
    let Some(stage) = Stage::set("OBS without the plugin", Mode::Advanced) else { return };
    let channel = Channel::create(&stage.endpoint.client(), "own");
    let url = channel.publish_url();
    let (server, key) = url.split_once("/own?").expect("a server and a key");
    stage.home.own_service(server, &format!("own?{key}"));

    let obs = Obs::start(&stage.home, &KEYS, &["--startstreaming"]);
    channel.wait_live(Some(VIDEO), Some(AUDIO_RATE));
    assert!(!obs.log().contains("[osslive] signed"), "{}", obs.log());
    obs.press("stop");
    channel.wait_idle();
    obs.quit();
    channel.has_sessions(1);
}

#[test]
fn a_missing_channel_is_reported_in_plain_words() {
    let Some(stage) = Stage::set("OBS and no channel", Mode::Simple) else { return };
    stage.settings_with("nowhere", r#""create":false"#);
    let obs = Obs::start(&stage.home, &KEYS, &["--startstreaming"]);
    obs.says("NoSuchLiveChannel: The specified live channel does not exist.");
    obs.says("let the plugin create the channel");
    assert!(!stage.exists("nowhere"));
}

#[test]
fn the_check_button_reports_problems_with_advice() {
    let Some(stage) = Stage::set("OBS and the check", Mode::Simple) else { return };
    let client = stage.endpoint.client();
    client.put_channel("main-stage", &ChannelConfig::new("main-stage")).expect("a channel");
    client.put_channel_status("main-stage", ChannelState::Disabled).expect("a disabled channel");
    stage.settings_with("main-stage", r#""create":false"#);
    let obs = Obs::start(&stage.home, &KEYS, &[]);
    obs.press("check");
    obs.says("[osslive] main-stage: channel-enabled: the channel is disabled");
    client.put_channel_status("main-stage", ChannelState::Enabled).expect("an enabled channel");
    obs.press("check");
    obs.says("[osslive] main-stage: Every check passed");
    obs.quit();
}

#[test]
fn a_missing_key_is_reported_in_plain_words() {
    let Some(stage) = Stage::set("OBS and no key", Mode::Advanced) else { return };
    stage.settings("main-stage");
    let obs = Obs::start(&stage.home, &[], &["--startstreaming"]);
    obs.says("failed to start!  Last Error: no credentials found: OSS_ACCESS_KEY_ID is not set");
    obs.says("Set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET before OBS starts");
}

#[test]
fn obs_quits_at_once_while_the_service_does_not_respond() {
    let Some(stage) = Stage::set("OBS and a silent service", Mode::Simple) else { return };
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    stage.settings_at(&url, "main-stage", r#""create":true"#);
    let obs = Obs::start(&stage.home, &KEYS, &["--startstreaming"]);
    let (connection, _) = silent.accept().expect("the plugin's call");
    // The timeout of a call and OBS's own for RTMP are together longer than the
    // time that it gets here to exit.
    obs.quit();
    drop(connection);
}

/// OBS under faults that a user of the local endpoint injects.
#[test]
fn fault_rules_reject_and_disconnect_obs() {
    let Some(stage) = Stage::set("OBS under injected faults", Mode::Advanced) else { return };
    let channel = stage.channel("main-stage");
    stage.settings("main-stage");
    stage.inject("RtmpPublish --cut-after 4s --times 1");

    let obs = Obs::start(&stage.home, &KEYS, &["--startstreaming"]);
    wait_until("a channel", || (stage.exists("main-stage"), obs.log()));
    channel.wait_live(Some(VIDEO), Some(AUDIO_RATE));
    wait_until("the end of the first session", || {
        let seen = stage.endpoint.client().get_channel_history("main-stage");
        let count = seen.as_ref().map_or(0, |history| history.records.len());
        (count == 1, format!("{seen:?}{}", obs.log()))
    });
    // It reconnects by itself.
    channel.wait_live(Some(VIDEO), Some(AUDIO_RATE));
    obs.press("stop");
    channel.wait_idle();
    channel.has_sessions(2);

    stage.inject("RtmpPublish --code NetStream.Publish.BadName --message Taken --times 1");
    obs.press("start");
    wait_until("a rejection", || {
        let log = stage.endpoint.log();
        (log.contains("fault rule 2"), log + &obs.log())
    });
    // OBS reports it in a window, which must be closed before it quits.
    obs.says_times("==== Streaming Stop", 2);
    channel.has_sessions(2);
}

/// An endpoint, a tap in front of it, and a home directory for OBS.
struct Stage {
    home: Home,
    tap: Tap,
    endpoint: Endpoint,
}

impl Stage {
    /// `None` where something is missing, which is reported.
    fn set(what: &str, mode: Mode) -> Option<Stage> {
        if !has_ffmpeg(what) {
            return None;
        }
        let home = Home::new(what, mode)?;
        let endpoint = Endpoint::start_with(&home.path().join("data"), &["--control"]);
        let tap = Tap::on(endpoint.authority());
        Some(Stage { home, tap, endpoint })
    }

    fn channel(&self, name: &str) -> Channel {
        Channel::new(&self.endpoint.client(), name)
    }

    fn exists(&self, name: &str) -> bool {
        let status = self.endpoint.client().get_channel_status(name);
        status.is_ok_and(|status| status.status != StreamState::Disabled)
    }

    /// Injects a fault.
    fn inject(&self, rule: &str) {
        let mut command = bare(self.home.path(), &format!("control fault add {rule}"));
        let ran = run(command.env("OSSLIVE_LOCAL_URL", &self.endpoint.url), LONG);
        assert!(ran.status.success(), "{rule}: {}", ran.stderr);
    }

    fn settings(&self, channel: &str) {
        self.settings_with(channel, r#""create":true"#);
    }

    fn settings_with(&self, channel: &str, more: &str) {
        self.settings_at(&self.tap.url, channel, more);
    }

    fn settings_at(&self, endpoint: &str, channel: &str, more: &str) {
        self.home.plugin_settings(&format!(
            r#"{{"enabled":true,"credentials":"environment","endpoint":"{endpoint}",
                 "region":"{REGION}","bucket":"{BUCKET}","channel":"{channel}",{more}}}"#
        ));
    }
}
