//! A real encoder publishes to a real endpoint; the recordings are checked with a
//! real player and against the rules of the transport stream.
//!
//! Without ffmpeg, these tests are reported as skipped; with `CI` set, they fail.

mod support;
#[path = "../../local/tests/support/tscheck.rs"]
mod tscheck;

use std::process::Command;
use std::thread;

use osslive::{ChannelState, Client, StreamState, sign};
use osslive_local::media::flv::{Reader, TagKind};
use osslive_local::push::{Publisher, PushOptions, push_flv};
use support::{
    BUCKET, Channel, Endpoint, Folder, KEY_ID, KEY_SECRET, LONG, Playlist, Program, SOON, clip,
    fetch, ffmpeg, frame_times, has_ffmpeg, newer_ffmpeg, probe, publish, publish_clip, refusal,
    run, unix_now, wait_until,
};

/// Half a second of video, for publishers that are rejected at once.
const SHORT: &str = "-f lavfi -i testsrc2=size=64x64:rate=25 -t 0.5 -c:v libx264 \
                     -preset ultrafast -pix_fmt yuv420p";
/// Eight seconds of 360p with audio and a key frame every second.
const CLIP_360P: &str = "-f lavfi -i testsrc2=size=640x360:rate=30 -f lavfi -i \
                         sine=frequency=440:sample_rate=44100 -t 8 -c:v libx264 -preset ultrafast \
                         -g 30 -pix_fmt yuv420p -c:a aac";

// --- accepted streams ------------------------------------------------------------

#[test]
fn a_360p_stream_is_recorded_and_plays_while_it_is_live() {
    let Some(stage) = Stage::set("360p") else { return };
    let channel = stage.channel("cam");
    let encoder = "-re -f lavfi -i testsrc2=size=640x360:rate=30 -f lavfi -i sine -t 8 \
                   -c:v libx264 -preset ultrafast -g 30 -pix_fmt yuv420p -c:a aac";
    let encoder = publish(encoder.split_whitespace(), &channel.publish_url());
    channel.wait_live(Some((640, 360, 30)), Some(44_100));
    channel.wait_fragments(1);
    let live = channel.play_url("playlist.m3u8");
    let player = run(ffmpeg().args(["-xerror", "-i", &live, "-t", "2", "-f", "null", "-"]), SOON);
    player.silent("playing the live stream");
    encoder.end(LONG).silent("the encoder");
    stage.has_recorded(
        &channel,
        &Recording {
            video: Some((640, 360, 30.0)),
            audio: Some(44_100),
            seconds: 8.0,
            frames: Some(240),
        },
    );
    channel.has_sessions(1);
}

#[test]
fn a_1080p_stream_with_b_frames_is_recorded() {
    let Some(stage) = Stage::set("1080p") else { return };
    let channel = stage.channel("cam");
    let clip = clip(
        "1080p",
        "-f lavfi -i testsrc2=size=1920x1080:rate=30 -f lavfi -i sine=sample_rate=48000 -t 6 \
         -c:v libx264 -preset ultrafast -bf 3 -g 60 -b:v 4M -pix_fmt yuv420p -c:a aac -ac 2",
    );
    let encoder = publish_clip(&clip, &channel.publish_url());
    channel.wait_live(Some((1920, 1080, 30)), Some(48_000));
    encoder.end(LONG).silent("the encoder");
    let recording = Recording {
        video: Some((1920, 1080, 30.0)),
        audio: Some(48_000),
        seconds: 6.0,
        frames: Some(180),
    };
    let streams = stage.has_recorded(&channel, &recording);
    let b_frames = streams.lines().find(|line| line.contains("codec_type=video"));
    assert!(b_frames.is_some_and(|video| !video.contains("has_b_frames=0")), "{streams}");
}

#[test]
fn an_audio_only_stream_is_recorded() {
    let Some(stage) = Stage::set("sound") else { return };
    let channel = stage.channel("radio");
    let clip = clip("audio", "-f lavfi -i sine=frequency=440:sample_rate=48000 -t 7 -c:a aac");
    let encoder = publish_clip(&clip, &channel.publish_url());
    channel.wait_live(None, Some(48_000));
    encoder.end(LONG).silent("the encoder");
    stage.has_recorded(
        &channel,
        &Recording { video: None, audio: Some(48_000), seconds: 7.0, frames: None },
    );
}

#[test]
fn a_video_only_stream_is_recorded() {
    let Some(stage) = Stage::set("pictures") else { return };
    let channel = stage.channel("cam");
    let clip = clip(
        "pictures",
        "-f lavfi -i testsrc2=size=480x270:rate=25 -t 7 -c:v libx264 -preset ultrafast -bf 2 \
         -g 25 -pix_fmt yuv420p",
    );
    let encoder = publish_clip(&clip, &channel.publish_url());
    channel.wait_live(Some((480, 270, 25)), None);
    encoder.end(LONG).silent("the encoder");
    stage.has_recorded(
        &channel,
        &Recording { video: Some((480, 270, 25.0)), audio: None, seconds: 7.0, frames: Some(175) },
    );
}

/// RTMP timestamps of 16,777,215 ms or more need the extended timestamp field.
#[test]
fn a_29_97_fps_stream_starting_at_17000_seconds_is_recorded() {
    let Some(stage) = Stage::set("ntsc") else { return };
    let channel = stage.channel("cam");
    let clip = clip(
        "ntsc",
        "-f lavfi -i testsrc2=size=640x360:rate=30000/1001 -f lavfi -i sine=sample_rate=48000 -t 6 \
         -c:v libx264 -preset ultrafast -bf 2 -g 30 -pix_fmt yuv420p -c:a aac",
    );
    let file = clip.to_str().expect("a path in UTF-8");
    let shifted = ["-re", "-i", file, "-c", "copy", "-output_ts_offset", "17000"];
    let encoder = publish(shifted, &channel.publish_url());
    channel.wait_live(Some((640, 360, 29)), Some(48_000));
    encoder.end(LONG).silent("the encoder");
    let rate = 30_000.0 / 1001.0;
    stage.has_recorded(
        &channel,
        &Recording {
            video: Some((640, 360, rate)),
            audio: Some(48_000),
            seconds: 6.0,
            frames: Some(180),
        },
    );
}

#[test]
fn a_channel_published_again_with_another_size_plays_through() {
    let Some(stage) = Stage::set("again") else { return };
    let channel = stage.channel("cam");
    for (size, seconds) in [("640x360", 4), ("960x540", 5)] {
        let clip = clip(
            size,
            &format!(
                "-f lavfi -i testsrc2=size={size}:rate=30 -f lavfi -i sine=sample_rate=44100 \
                 -t {seconds} -c:v libx264 -preset ultrafast -bf 2 -g 30 -pix_fmt yuv420p -c:a aac"
            ),
        );
        let encoder = publish_clip(&clip, &channel.publish_url());
        let (width, height) = size.split_once('x').expect("a size");
        let (width, height) = (width.parse().expect("a number"), height.parse().expect("a number"));
        channel.wait_live(Some((width, height, 30)), Some(44_100));
        encoder.end(LONG).silent("the encoder");
        channel.wait_idle();
    }
    channel.has_sessions(2);
    let recording = Recording {
        video: Some((640, 360, 30.0)),
        audio: Some(44_100),
        seconds: 9.0,
        frames: Some(270),
    };
    stage.has_recorded(&channel, &recording);
    assert_eq!(channel.vod().discontinuities, 1, "one discontinuity between two sessions");
    let window = Playlist::fetch(&channel.play_url("playlist.m3u8"));
    let all = channel.vod();
    assert_eq!(window.names(), all.names()[all.names().len() - 3..]);
    assert_eq!(window.media_sequence, all.fragments.len() as u64 - 3);
}

/// The second file's parameter sets are in the stream, without a header.
#[test]
fn files_with_different_encodings_in_one_session_are_recorded() {
    let Some(stage) = Stage::set("concat") else { return };
    let channel = stage.channel("cam");
    let source = "-f lavfi -i testsrc2=size=640x360:rate=30 -f lavfi -i sine=sample_rate=44100 -t 4 \
                  -c:v libx264 -g 30 -pix_fmt yuv420p -c:a aac";
    let plain = clip("plain", &format!("{source} -preset ultrafast -bf 2"));
    let other = clip("other", &format!("{source} -preset medium -bf 2 -refs 5 -profile:v high"));
    let list = stage.folder.path().join("list");
    let line = |file: &std::path::Path| format!("file '{}'\n", file.display());
    std::fs::write(&list, [line(&plain), line(&other)].concat()).expect("a list");
    let list = list.to_str().expect("a path in UTF-8");
    let arguments = ["-re", "-f", "concat", "-safe", "0", "-i", list, "-c", "copy"];
    let encoder = publish(arguments, &channel.publish_url());
    encoder.end(LONG).silent("the encoder");
    stage.has_recorded(
        &channel,
        &Recording {
            video: Some((640, 360, 30.0)),
            audio: Some(44_100),
            seconds: 8.0,
            frames: Some(240),
        },
    );
    assert_eq!(channel.vod().discontinuities, 1);
}

/// As sent by encoders that do not decode ahead of time: a picture may be presented
/// before its decoding time.
#[test]
fn pictures_with_negative_composition_times_are_presented_evenly() {
    let Some(stage) = Stage::set("negative") else { return };
    let channel = stage.channel("cam");
    let clip = clip(
        "reordered",
        "-f lavfi -i testsrc2=size=640x360:rate=25 -f lavfi -i sine=sample_rate=44100 -t 6 \
         -c:v libx264 -preset ultrafast -bf 3 -b_strategy 0 -g 50 -pix_fmt yuv420p -c:a aac",
    );
    let mut file = std::fs::read(clip).expect("the clip");
    let earlier = file.len();
    let mut at = 13;
    while at + 11 < earlier {
        let size = u32::from_be_bytes([0, file[at + 1], file[at + 2], file[at + 3]]) as usize;
        let body = at + 11;
        if file[at] == 9 && file[body + 1] == 1 {
            let read = i32::from_be_bytes([0, file[body + 2], file[body + 3], file[body + 4]]);
            file[body + 2..body + 5].copy_from_slice(&(read - 80).to_be_bytes()[1..]);
        }
        at = body + size + 4;
    }
    let options = PushOptions { real_time: true, ..PushOptions::default() };
    push_flv(&channel.publish_url(), &file, options, &mut |_| true).expect("published");
    stage.has_recorded(
        &channel,
        &Recording {
            video: Some((640, 360, 25.0)),
            audio: Some(44_100),
            seconds: 6.0,
            frames: Some(150),
        },
    );
    let mut times = frame_times(&channel.play_url("all.m3u8"));
    times.sort_unstable();
    let steps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.iter().all(|step| (*step - 3600).abs() <= 90), "{steps:?}");
}

#[test]
fn slices_sent_one_by_one_are_recorded_as_pictures() {
    let Some(stage) = Stage::set("slices") else { return };
    let channel = stage.channel("cam");
    let clip = clip(
        "slices",
        "-f lavfi -i testsrc2=size=640x360:rate=30 -f lavfi -i sine=sample_rate=44100 -t 6 \
         -c:v libx264 -preset ultrafast -x264-params slices=4 -g 60 -pix_fmt yuv420p -c:a aac",
    );
    let file = std::fs::read(clip).expect("the clip");
    let mut publisher = Publisher::connect(&channel.publish_url(), SOON).expect("accepted");
    for tag in Reader::new(&file[..]).expect("FLV").map(|tag| tag.expect("a tag")) {
        for message in one_slice_each(tag.kind, &tag.body) {
            publisher.send(tag.kind, tag.timestamp, &message).expect("sent");
        }
    }
    publisher.finish().expect("finished");
    stage.has_recorded(
        &channel,
        &Recording {
            video: Some((640, 360, 30.0)),
            audio: Some(44_100),
            seconds: 6.0,
            frames: Some(180),
        },
    );
}

/// Splits a picture into messages with one slice each; other units stay with the slice
/// that follows them.
fn one_slice_each(kind: TagKind, body: &[u8]) -> Vec<Vec<u8>> {
    if kind != TagKind::Video || body[1] != 1 {
        return vec![body.to_vec()];
    }
    let (head, mut rest) = body.split_at(5);
    let (mut messages, mut message) = (Vec::new(), head.to_vec());
    while let Some((length, _)) = rest.split_first_chunk() {
        let (unit, after) = rest.split_at(4 + u32::from_be_bytes(*length) as usize);
        message.extend_from_slice(unit);
        rest = after;
        if matches!(unit[4] & 0x1F, 1 | 5) {
            messages.push(std::mem::replace(&mut message, head.to_vec()));
        }
    }
    messages
}

#[test]
fn the_recording_of_a_killed_encoder_plays() {
    let Some(stage) = Stage::set("killed") else { return };
    let channel = stage.channel("cam");
    let mut encoder = publish_clip(&clip("360p", CLIP_360P), &channel.publish_url());
    channel.wait_fragments(2);
    encoder.kill();
    channel.wait_idle();
    channel.has_sessions(1);
    let vod = channel.vod();
    assert!((4.0..8.0).contains(&vod.seconds()), "{}", vod.text);
    let recording = Recording {
        video: Some((640, 360, 30.0)),
        audio: Some(44_100),
        seconds: vod.seconds(),
        frames: None,
    };
    stage.has_recorded(&channel, &recording);
}

#[test]
fn disabling_a_channel_disconnects_its_encoder() {
    let Some(stage) = Stage::set("disabled") else { return };
    let channel = stage.channel("cam");
    let encoder = publish_clip(&clip("360p", CLIP_360P), &channel.publish_url());
    channel.wait_fragments(1);
    stage.client.put_channel_status("cam", ChannelState::Disabled).expect("allowed while live");
    let cut = encoder.end(SOON);
    assert!(!cut.status.success(), "the encoder was not disconnected: {}", cut.stderr);
    wait_until("Disabled", || {
        let status = channel.status().status;
        (status == StreamState::Disabled, status)
    });
    let again = publish_clip(&clip("360p", CLIP_360P), &channel.publish_url());
    let reason = refusal(again.end(SOON));
    assert!(reason.contains("LiveChannelDisabled"), "{reason}");
    channel.has_sessions(1);
    let seconds = channel.vod().seconds();
    stage.has_recorded(
        &channel,
        &Recording { video: Some((640, 360, 30.0)), audio: Some(44_100), seconds, frames: None },
    );
}

#[test]
fn ten_encoders_publish_at_once() {
    let Some(stage) = Stage::set("ten") else { return };
    let clip = clip("360p", CLIP_360P);
    let channels: Vec<Channel> = (0..10).map(|n| stage.channel(&format!("cam {n}"))).collect();
    let start = |channel: &Channel| publish_clip(&clip, &channel.publish_url());
    let encoders: Vec<Program> = channels.iter().map(start).collect();
    wait_until("all ten live together", || {
        let live = |channel: &&Channel| channel.status().status == StreamState::Live;
        let live = channels.iter().filter(live).count();
        (live == 10, live)
    });
    for encoder in encoders {
        encoder.end(LONG).silent("an encoder");
    }
    let recording = Recording {
        video: Some((640, 360, 30.0)),
        audio: Some(44_100),
        seconds: 8.0,
        frames: Some(240),
    };
    for pair in channels.chunks(2) {
        thread::scope(|scope| {
            for channel in pair {
                scope.spawn(|| stage.has_recorded(channel, &recording));
            }
        });
    }
}

// --- rejected streams, with the messages that ffmpeg prints ----------------------

#[test]
fn a_rejected_encoder_gets_the_reason() {
    let Some(stage) = Stage::set("refused") else { return };
    let channel = stage.channel("cam");
    let good = channel.publish_url();
    let base = format!("rtmp://{}/{BUCKET}", stage.endpoint.authority());

    let reason = refused(&format!("{base}/live/cam"));
    assert!(reason.contains("AccessDenied"), "unsigned: {reason}");
    let reason = refused(&with_one_byte_changed(&good, "Signature="));
    assert!(reason.contains("SignatureDoesNotMatch"), "wrong signature: {reason}");
    let reason = refused(&with_one_byte_changed(&good, "playlistName="));
    assert!(reason.contains("SignatureDoesNotMatch"), "changed parameter: {reason}");
    // To a later time: an earlier one would be expired.
    let (before, after) = good.split_once("Expires=1").expect("an expiry in Unix seconds");
    let reason = refused(&format!("{before}Expires=9{after}"));
    assert!(reason.contains("SignatureDoesNotMatch"), "changed expiry: {reason}");
    let reason = refused(&with_one_byte_changed(&good, "OSSAccessKeyId="));
    assert!(reason.contains("InvalidAccessKeyId"), "changed key: {reason}");
    let reason = refused(&good.replace("/live/cam?", "/live/can?"));
    assert!(reason.contains("SignatureDoesNotMatch"), "another channel: {reason}");
    let reason = refused(&format!("{base}/live/cam?{}", expired("cam")));
    assert!(reason.contains("AccessDenied") && reason.contains("expired"), "expired: {reason}");
    let reason = refused(&Channel::new(&stage.client, "nobody").publish_url());
    assert!(reason.contains("NoSuchLiveChannel"), "unknown channel: {reason}");
    let reason = refused(&good.replace("/live/cam?", "/elsewhere/cam?"));
    assert!(reason.contains("elsewhere"), "wrong app: {reason}");
    stage.client.put_channel_status("cam", ChannelState::Disabled).expect("the channel exists");
    let reason = refused(&good);
    assert!(reason.contains("LiveChannelDisabled"), "disabled: {reason}");

    stage.client.put_channel_status("cam", ChannelState::Enabled).expect("the channel exists");
    assert_eq!(channel.status().status, StreamState::Idle);
    channel.has_sessions(0);
    let accepted = run(publishing(&mut ffmpeg(), SHORT, &good), SOON);
    accepted.silent("the same URL, unchanged");
}

#[test]
fn a_second_encoder_is_rejected_and_the_first_continues() {
    let Some(stage) = Stage::set("second") else { return };
    let channel = stage.channel("cam");
    let first = publish_clip(&clip("360p", CLIP_360P), &channel.publish_url());
    channel.wait_live(Some((640, 360, 30)), Some(44_100));
    let reason = refused(&channel.publish_url());
    assert!(reason.contains("Live"), "{reason}");
    first.end(LONG).silent("the first encoder");
    stage.has_recorded(
        &channel,
        &Recording {
            video: Some((640, 360, 30.0)),
            audio: Some(44_100),
            seconds: 8.0,
            frames: Some(240),
        },
    );
    channel.has_sessions(1);
}

#[test]
fn an_encoder_learns_that_its_codec_is_rejected() {
    let Some(stage) = Stage::set("codecs") else { return };
    let channel = stage.channel("cam");
    let source = "-re -f lavfi -i testsrc2=size=160x90:rate=25 -f lavfi -i \
                  sine=sample_rate=44100 -t 5";
    let refused = |mut command: Command, codecs: &str| {
        publishing(&mut command, &format!("{source} {codecs}"), &channel.publish_url());
        let reason = refusal(run(&mut command, SOON));
        channel.wait_idle();
        reason.to_uppercase()
    };
    let mp3 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a libmp3lame";
    assert!(refused(ffmpeg(), mp3).contains("MP3"));
    assert!(refused(ffmpeg(), "-c:v flv -c:a aac").contains("FLV1"));
    // Enhanced RTMP, which distributions' ffmpeg does not support yet.
    let Some(newer) = newer_ffmpeg("the rejection of HEVC") else { return };
    let hevc = "-c:v libx265 -preset ultrafast -x265-params log-level=none -c:a aac";
    assert!(refused(newer, hevc).contains("HEVC"));
}

#[test]
fn a_newer_ffmpeg_is_also_recorded() {
    let Some(stage) = Stage::set("newer") else { return };
    let Some(mut command) = newer_ffmpeg("the test with a newer ffmpeg") else { return };
    let channel = stage.channel("cam");
    let file = clip("360p", CLIP_360P);
    let file = file.to_str().expect("a path in UTF-8");
    publishing(&mut command, &format!("-re -i {file} -c copy"), &channel.publish_url());
    let encoder = Program::start(&mut command);
    channel.wait_live(Some((640, 360, 30)), Some(44_100));
    encoder.end(LONG).silent("the newer encoder");
    stage.has_recorded(
        &channel,
        &Recording {
            video: Some((640, 360, 30.0)),
            audio: Some(44_100),
            seconds: 8.0,
            frames: Some(240),
        },
    );
}

/// Returns the URL with the byte after `mark` changed.
fn with_one_byte_changed(url: &str, mark: &str) -> String {
    let at = url.find(mark).unwrap_or_else(|| panic!("no {mark} in {url}")) + mark.len();
    let other = if url[at..].starts_with('0') { '1' } else { '0' };
    format!("{}{other}{}", &url[..at], &url[at + 1..])
}

/// Returns the query of a URL that expired a minute ago.
fn expired(channel: &str) -> String {
    let expires = unix_now() - 60;
    let text = sign::rtmp::string_to_sign(expires, &[], BUCKET, channel);
    let signature = sign::rtmp::signature(&sign::v1::Key::new(KEY_SECRET), &text);
    let signature = osslive::request::percent_encode(&signature);
    format!("OSSAccessKeyId={KEY_ID}&Expires={expires}&Signature={signature}")
}

fn publishing<'a>(command: &'a mut Command, arguments: &str, url: &str) -> &'a mut Command {
    command.args(arguments.split_whitespace());
    command.args(["-flvflags", "no_duration_filesize", "-f", "flv", url])
}

fn refused(url: &str) -> String {
    refusal(run(publishing(&mut ffmpeg(), SHORT, url), SOON))
}

// --- support ---------------------------------------------------------------------

/// An endpoint and a client for it.
struct Stage {
    endpoint: Endpoint,
    client: Client,
    folder: Folder,
}

impl Stage {
    /// `None` without ffmpeg, which is reported.
    fn set(name: &str) -> Option<Stage> {
        if !has_ffmpeg(&format!("the encoder test {name}")) {
            return None;
        }
        let folder = Folder::new(&format!("encoder-{name}"));
        let endpoint = Endpoint::start(&folder.path().join("data"));
        let client = endpoint.client();
        Some(Stage { endpoint, client, folder })
    }

    /// Creates a channel with fragments of two seconds.
    fn channel(&self, name: &str) -> Channel {
        Channel::create(&self.client, name)
    }

    /// Checks a whole recording: playlist, probe, decoder, remuxer and the rules of
    /// the transport stream. Returns ffprobe's output.
    fn has_recorded(&self, channel: &Channel, expected: &Recording) -> String {
        channel.wait_idle();
        let playlist = channel.vod();
        let message =
            format!("{} s, expected {}: {}", playlist.seconds(), expected.seconds, playlist.text);
        // Audio continues briefly after the last picture of each session.
        let tolerance = 0.15 * (playlist.discontinuities + 1) as f64;
        assert!((playlist.seconds() - expected.seconds).abs() < tolerance, "{message}");
        assert!(
            playlist.fragments.iter().all(|fragment| fragment.seconds < 3.1),
            "{}",
            playlist.text
        );
        let streams = probe(&channel.play_url("all.m3u8"));
        check_streams(&streams, expected);
        channel.plays_through(self.folder.path());
        check_transport_stream(&playlist);
        streams
    }
}

fn check_transport_stream(playlist: &Playlist) {
    let bytes: Vec<_> = playlist.fragments.iter().map(|fragment| fetch(&fragment.url)).collect();
    let pieces: Vec<_> = playlist
        .fragments
        .iter()
        .zip(&bytes)
        .map(|(fragment, bytes)| tscheck::Piece {
            name: fragment.name(),
            bytes,
            duration_ms: (fragment.seconds * 1000.0).round() as u32,
            discontinuity: fragment.discontinuity,
        })
        .collect();
    let report = tscheck::check(&pieces);
    assert!(report.violations.is_empty(), "{:#?}\n{}", report.violations, playlist.text);
}

/// The expected recording.
struct Recording {
    /// Width, height and frames per second.
    video: Option<(u32, u32, f64)>,
    /// Samples per second.
    audio: Option<u32>,
    seconds: f64,
    /// The number of pictures, if known.
    frames: Option<u64>,
}

fn check_streams(streams: &str, expected: &Recording) {
    let wanted = usize::from(expected.video.is_some()) + usize::from(expected.audio.is_some());
    assert_eq!(streams.lines().count(), wanted, "{streams}");
    let field = |kind: &str, name: &str| {
        let kind = format!("codec_type={kind}");
        let line = streams.lines().find(|line| line.split('|').any(|field| field == kind));
        let line = line.unwrap_or_else(|| panic!("no {kind}: {streams}"));
        let value = line.split('|').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_else(|| panic!("no {name}: {line}")).to_string()
    };
    if let Some((width, height, rate)) = expected.video {
        assert_eq!(field("video", "codec_name"), "h264");
        assert_eq!(field("video", "width"), width.to_string());
        assert_eq!(field("video", "height"), height.to_string());
        let average = field("video", "avg_frame_rate");
        let (above, below) = average.split_once('/').expect("a fraction");
        let average: f64 =
            above.parse::<f64>().expect("a number") / below.parse::<f64>().expect("a number");
        assert!((average / rate - 1.0).abs() < 0.02, "{average} frames a second, expected {rate}");
        if let Some(frames) = expected.frames {
            assert_eq!(field("video", "nb_read_packets"), frames.to_string());
        }
    }
    if let Some(rate) = expected.audio {
        assert_eq!(field("audio", "codec_name"), "aac");
        assert_eq!(field("audio", "sample_rate"), rate.to_string());
    }
}
