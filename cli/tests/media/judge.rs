//! Judges recordings with third-party programs and by the rules of the formats.

use std::path::Path;

use crate::row::{Expected, Row};
use crate::stream::Stream;
use crate::support::{Channel, Playlist, fetch, probe};
use crate::tscheck::{self, Piece, Report};

/// The maximum deviation of a picture's time: RTMP counts milliseconds.
const ROUNDING_MS: i64 = 2;

/// Returns everything that is wrong with a recording.
pub fn judge(row: &Row, sent: &Stream, channel: &Channel, folder: &Path) -> Vec<String> {
    let playlist = channel.vod();
    let live = Playlist::fetch(&channel.play_url("playlist.m3u8"));
    let mut wrong = rules(&playlist, &live, row);
    let report = transport_stream(&playlist);
    let is_expected = |violation: &&String| {
        row.cuts_between_key_frames && violation.ends_with("does not begin with a key frame")
    };
    wrong.extend(report.violations.iter().filter(|violation| !is_expected(violation)).cloned());
    wrong.extend(frames(row, sent, &report));
    wrong.extend(streams(row, &probe(&channel.play_url("all.m3u8")), &report));
    channel.plays_through_with(folder, row.is_uneven, row.noted);
    wrong
}

/// Checks a playlist against RFC 8216, while it was live and afterwards.
fn rules(all: &Playlist, live: &Playlist, row: &Row) -> Vec<String> {
    let target = |playlist: &Playlist| {
        let line = playlist.text.lines().find_map(|l| l.strip_prefix("#EXT-X-TARGETDURATION:"));
        line.and_then(|target| target.parse().ok()).unwrap_or(0.0)
    };
    let mut wrong = Vec::new();
    // The last target duration of the live playlist: it bounds every fragment of
    // the session.
    let most: f64 = target(live);
    for fragment in &all.fragments {
        if fragment.seconds.round() > most {
            wrong.push(format!("{} s exceed the target duration of {most}", fragment.seconds));
        }
    }
    let discontinuities = all.fragments.iter().filter(|fragment| fragment.discontinuity).count();
    if discontinuities != row.discontinuities {
        wrong.push(format!("{discontinuities} discontinuities: {}", all.text));
    }
    wrong
}

/// Checks the fragments against the rules of the transport stream.
fn transport_stream(playlist: &Playlist) -> Report {
    let bytes: Vec<_> = playlist.fragments.iter().map(|fragment| fetch(&fragment.url)).collect();
    let piece = |(fragment, bytes): (&'_ crate::support::Fragment, &'_ Vec<u8>)| {
        (fragment.name().to_owned(), bytes.clone(), fragment.seconds, fragment.discontinuity)
    };
    let pieces: Vec<_> = playlist.fragments.iter().zip(&bytes).map(piece).collect();
    let pieces: Vec<_> = pieces
        .iter()
        .map(|(name, bytes, seconds, discontinuity)| Piece {
            name,
            bytes,
            duration_ms: (seconds * 1000.0).round() as u32,
            discontinuity: *discontinuity,
        })
        .collect();
    tscheck::check(&pieces)
}

/// Compares the number of frames, and the intervals between pictures, with those
/// sent.
fn frames(row: &Row, sent: &Stream, report: &Report) -> Vec<String> {
    let mut wrong = Vec::new();
    let (pictures, audio_frames) =
        (sent.pictures(), row.audio_frames.unwrap_or_else(|| sent.audio_frames(row.all_audio)));
    let recorded = (report.video.frames, report.audio.frames);
    if recorded.0 + row.lost_pictures < pictures || recorded.0 > pictures {
        wrong.push(format!("{} of {pictures} pictures", recorded.0));
    }
    if recorded.1 + row.lost_audio_frames < audio_frames || recorded.1 > audio_frames {
        wrong.push(format!("{} of {audio_frames} frames of audio", recorded.1));
    }
    if row.keeps_intervals {
        wrong.extend(intervals(&sent.shown(), &shown(report)));
    }
    wrong
}

/// Returns the presentation times in the transport stream, in milliseconds, in
/// order.
fn shown(report: &Report) -> Vec<i64> {
    let (mut wraps, mut last, mut shown) = (0, 0, Vec::new());
    for (dts, composition) in report.video.dts.iter().zip(&report.video.composition) {
        wraps += u64::from(*dts + (1 << 32) < last);
        last = *dts;
        shown.push(((dts + (wraps << 33) + composition) / 90) as i64);
    }
    shown.sort_unstable();
    shown
}

fn intervals(sent: &[i64], recorded: &[i64]) -> Vec<String> {
    let steps = |times: &[i64]| times.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
    let (sent, recorded) = (steps(sent), steps(recorded));
    let differs = |(sent, recorded): &(&i64, &i64)| sent.abs_diff(**recorded) > ROUNDING_MS as u64;
    let wrong = sent.iter().zip(&recorded).enumerate().filter(|(_, pair)| differs(pair));
    let message = |(at, (sent, recorded)): (usize, (&i64, &i64))| {
        format!("picture {at} is shown for {recorded} ms, not for {sent} ms")
    };
    wrong.take(3).map(message).collect()
}

/// Checks ffprobe's output: codecs, sizes, rates, and the number of packets.
fn streams(row: &Row, streams: &str, report: &Report) -> Vec<String> {
    let mut wrong = Vec::new();
    let Expected { size, audio } = row.expected;
    let mut require = |kind: &str, fields: &[(&str, String)]| {
        let line = streams.lines().find(|line| line.contains(&format!("codec_type={kind}")));
        match line {
            None => wrong.push(format!("no {kind}: {streams}")),
            Some(line) => {
                for (name, value) in fields {
                    if !line.contains(&format!("|{name}={value}|")) {
                        wrong.push(format!("{name} is not {value}: {line}"));
                    }
                }
            }
        }
    };
    if let Some((width, height)) = size {
        let frames = report.video.frames.to_string();
        let fields = [("width", width.to_string()), ("height", height.to_string())];
        require("video", &[("codec_name", "h264".into()), ("nb_read_packets", frames)]);
        require("video", &fields);
    }
    if let Some((rate, channels)) = audio {
        let frames = report.audio.frames.to_string();
        let fields = [("sample_rate", rate.to_string()), ("channels", channels.to_string())];
        require("audio", &[("codec_name", "aac".into()), ("nb_read_packets", frames)]);
        require("audio", &fields);
    }
    let wanted = usize::from(size.is_some()) + usize::from(audio.is_some());
    if streams.lines().count() != wanted {
        wrong.push(format!("expected {wanted} streams: {streams}"));
    }
    wrong
}
