//! A table of streams: each is sent to an endpoint by our own publisher, and the
//! recording is judged by old and new decoders, a remuxer, ffprobe, and the rules
//! of transport streams and playlists; frames, intervals, sizes and audio are
//! compared with what was sent.
//!
//! Without ffmpeg, this is reported as skipped; with `CI` set, it fails.

mod judge;
mod row;
mod stream;
#[path = "../support/mod.rs"]
mod support;
mod table;
#[path = "../../../local/tests/support/tscheck.rs"]
mod tscheck;

use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use osslive::Client;
use row::Row;
use stream::Stream;
use support::{
    Browser, Channel, Endpoint, Folder, LONG, clip, despite_crashes, has_ffmpeg, note, run,
};

/// The number of concurrent streams; most of the time is spent waiting for
/// programs.
const AT_ONCE: usize = 4;

#[test]
fn every_stream_in_the_table_is_recorded_as_sent() {
    if !has_ffmpeg("the table of streams") {
        return;
    }
    let folder = Folder::new("media");
    let endpoint = Endpoint::start_with(&folder.path().join("data"), &["--log-level", "warn"]);
    let client = endpoint.client();
    let rows = table::rows();
    let chosen = std::env::var("OSSLIVE_STREAM").unwrap_or_default();
    let rows: Vec<&Row> = rows.iter().filter(|row| row.name.contains(&chosen)).collect();
    let queue = Mutex::new(rows.iter().enumerate());
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("no panic while it is held").next();
                    let Some((number, row)) = next else { return };
                    let found = try_row(number, row, &client, folder.path());
                    if !found.is_empty() {
                        wrong.lock().expect("no panic while it is held").push((&row.name, found));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no panic while it is held");
    assert!(wrong.is_empty(), "{} of {} streams: {wrong:#?}", wrong.len(), rows.len());
    note(&format!("{} kinds of stream were recorded as sent", rows.len()));
    assert!(rows.len() >= 60 || !chosen.is_empty(), "the table has {} rows", rows.len());
}

/// The streams that hls.js plays in Chromium: those with frames that players have dropped.
const PLAYED: [&str; 12] = [
    "25 frames/s",
    "3 B-frames in a pyramid",
    "four slices in a message",
    "a message per slice",
    "parameter sets only in key frames",
    "an encoding change in the stream",
    "a clock that passes 2^32",
    "negative composition times",
    "both clocks restart",
    "the video clock restarts",
    "the tracks' clocks are an hour apart",
    "video only",
];

#[test]
fn hls_js_plays_every_picture() {
    let what = "playing the table of streams in a browser";
    let Some(browser) = Browser::find(what).filter(|_| has_ffmpeg(what)) else { return };
    let folder = Folder::new("media-played");
    let host = free_host();
    let origin = format!("http://{host}");
    let endpoint = Endpoint::start_with(&folder.path().join("data"), &["--cors", &origin]);
    let client = endpoint.client();
    let rows = table::rows();
    let row = |name: &&str| rows.iter().find(|row| row.name == *name).expect("a row");
    let streams = PLAYED.iter().map(row).enumerate().map(|(number, row)| {
        let sent = (row.change)(Stream::read(&clip("stream", &row.source)));
        let channel = Channel::create(&client, &format!("played-{number}"));
        sent.send(&channel.publish_url()).expect("published");
        channel.wait_idle();
        channel.vod();
        serde_json::json!([row.name, channel.play_url("all.m3u8"), sent.pictures()])
    });
    let mut script = browser.command("playback.cjs");
    script.env("STREAMS", serde_json::Value::from_iter(streams).to_string());
    script.env("HOST", &host).env("HLS_JS", browser.hls_js());
    let seen = despite_crashes(|| run(&mut script, 2 * LONG));
    assert!(seen.status.success(), "{}{}", seen.stdout, seen.stderr);
    assert_eq!(seen.stdout.lines().filter(|line| line.starts_with("ok ")).count(), PLAYED.len());
}

/// Returns a host with a port that nobody listens on.
fn free_host() -> String {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    address.expect("a free port").to_string()
}

/// Returns what is wrong with a row's recording; panics count as well.
fn try_row(number: usize, row: &Row, client: &Client, folder: &Path) -> Vec<String> {
    let tried = catch_unwind(AssertUnwindSafe(|| {
        let sent = (row.change)(Stream::read(&clip("stream", &row.source)));
        let channel = Channel::create(client, &format!("stream-{number}"));
        if let Err(error) = sent.send(&channel.publish_url()) {
            return vec![format!("not sent: {error}")];
        }
        channel.wait_idle();
        judge::judge(row, &sent, &channel, folder)
    }));
    tried.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        vec![text.or(panic.downcast_ref::<&str>().map(|t| (*t).to_owned())).unwrap_or_default()]
    })
}
