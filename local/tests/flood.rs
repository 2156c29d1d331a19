//! Publishers that send little but would cause much to be written.

mod support;

use osslive_local::media::flv::TagKind;
use osslive_local::push::Publisher;
use std::fs;
use std::time::{Duration, Instant};
use support::{SOON, Stage};

/// The maximum that the endpoint writes for a publisher that sends almost nothing: a
/// fragment costs 16 KiB, and a second earns 128 KiB.
const FRAGMENTS_PER_SECOND: u64 = 10;

/// Returns a configuration of 640x360 pixels, with this many bytes of padding.
fn configuration(padding: usize) -> Vec<u8> {
    let sps = b"\x67\x42\xc0\x16\xd9\x00\xa0\x2f\xf9\x70\x11\x00\x00\x03\x00\x01\x00\x00\x03\x00\x1e\x0f\x16\x2e\x48";
    let mut pps = vec![0x68, 0xCB, 0x83, 0xCB];
    pps.resize(4 + padding, 0xFF);
    let mut record = vec![0x17, 0, 0, 0, 0, 1, sps[1], sps[2], sps[3], 0xFF, 0xE1, 0];
    record.push(sps.len() as u8);
    record.extend_from_slice(sps);
    record.push(1);
    record.extend_from_slice(&(pps.len() as u16).to_be_bytes());
    record.extend_from_slice(&pps);
    record
}

/// A key frame of fourteen bytes.
const KEY_FRAME: &[u8] = &[0x17, 1, 0, 0, 0, 0, 0, 0, 5, 0x65, 0x88, 0x84, 0, 0x10];

/// Returns the number of files and bytes below a folder.
fn measure(folder: &std::path::Path) -> (u64, u64) {
    let mut sum = (0, 0);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let size = entry.metadata().map_or(0, |metadata| metadata.len());
        sum = (sum.0 + 1, sum.1 + size);
    }
    sum
}

/// Sends for two seconds as fast as the endpoint reads.
fn flood(padding: usize, mut next: impl FnMut(u32) -> (TagKind, u32, Vec<u8>)) {
    let stage = Stage::start(|config| config);
    let url = stage.channel("cam");
    let mut publisher = Publisher::connect(&url, Duration::from_secs(2)).unwrap();
    let started = Instant::now();
    publisher.send(TagKind::Video, 0, &configuration(padding)).unwrap();
    let mut sent = 0;
    for count in 0.. {
        let (kind, timestamp, body) = next(count);
        // The endpoint is expected to stop reading for a while.
        if started.elapsed() > Duration::from_secs(2)
            || publisher.send(kind, timestamp, &body).is_err()
        {
            break;
        }
        sent += body.len() as u64;
    }
    let folder = stage.folder.path().join("data/live-demo/objects/cam");
    let (files, bytes) = measure(&folder);
    let milliseconds = started.elapsed().as_millis() as u64;
    let summary = format!("{files} files, {bytes} bytes of {sent} in {milliseconds} ms");
    assert!(files > 1, "nothing was recorded: {summary}");
    assert!(files <= milliseconds * FRAGMENTS_PER_SECOND / 1000 + 5, "{summary}");
    assert!(bytes <= 2 * sent + milliseconds * 128 + (1 << 20), "{summary}");
    stage.check_service();
    let stopping = Instant::now();
    drop(stage);
    assert!(stopping.elapsed() < SOON, "waiting publishers do not delay the stop");
}

#[test]
fn key_frames_with_a_fast_clock_do_not_fill_the_disk() {
    flood(0, |count| (TagKind::Video, count * 10_000, KEY_FRAME.to_vec()));
}

#[test]
fn long_parameter_sets_before_short_pictures_do_not_fill_the_disk() {
    flood(60_000, |count| (TagKind::Video, count * 1000, KEY_FRAME.to_vec()));
}

#[test]
fn sessions_of_one_frame_do_not_fill_the_disk() {
    let stage = Stage::start(|config| config);
    let url = stage.channel("cam");
    let started = Instant::now();
    let mut sessions = 0;
    while started.elapsed() < Duration::from_secs(2) {
        let Ok(mut publisher) = Publisher::connect(&url, SOON) else { continue };
        publisher.send(TagKind::Video, 0, &configuration(0)).unwrap();
        publisher.send(TagKind::Video, 0, KEY_FRAME).unwrap();
        let _ = publisher.finish();
        sessions += 1;
    }
    let (files, _) = measure(&stage.folder.path().join("data/live-demo/objects/cam"));
    let milliseconds = started.elapsed().as_millis() as u64;
    assert!(files > 1, "nothing was recorded in {sessions} sessions");
    assert!(files <= milliseconds * FRAGMENTS_PER_SECOND / 1000 + 5, "{files} files");
}
