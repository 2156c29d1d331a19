//! The monitor's display of a sweep.

use crate::channel::stream_state;
use crate::table::{Cell, Style, Table};
use crate::text;
use osslive::{ChannelReport, ChannelStatus, Sweep};
use std::time::Duration;
use time::OffsetDateTime;

/// The number of changes shown below the table.
pub(super) const LATEST: usize = 5;

/// Returns all channels, starting with those that may need attention.
pub(super) fn table(sweep: &Sweep) -> Table {
    let mut table = Table::new(&[
        "CHANNEL",
        "STATUS",
        "LIVE FOR",
        "SIZE",
        "FRAMES/S",
        "VIDEO",
        "AUDIO",
        "PUBLISHER",
    ]);
    let now = OffsetDateTime::now_utc();
    for failed in &sweep.failed {
        table.row([
            Cell::new(&failed.id),
            Cell::new("failed").style(Style::Bad),
            Cell::new(failed.error.to_string()).style(Style::Bad),
        ]);
    }
    for report in sweep.live.iter().chain(&sweep.disabled).chain(&sweep.idle) {
        table.row(row(report, now));
    }
    table
}

fn row(report: &ChannelReport, now: OffsetDateTime) -> Vec<Cell> {
    let ChannelStatus { status, connected_time, remote_addr, video, audio, .. } = &report.status;
    let since = connected_time.map(|since| text::length(now - since));
    let size = video.as_ref().map(|video| format!("{}x{}", video.width, video.height));
    let frames = video.as_ref().map(|video| video.frame_rate.to_string());
    let video_rate = video.as_ref().map(|video| text::bit_rate(video.bandwidth));
    let audio_rate = audio.as_ref().map(|audio| text::bit_rate(audio.bandwidth));
    vec![
        Cell::new(&report.id),
        stream_state(*status),
        Cell::or_none(since).number(),
        Cell::or_none(size),
        Cell::or_none(frames).number(),
        Cell::or_none(video_rate).number(),
        Cell::or_none(audio_rate).number(),
        Cell::or_none(remote_addr.clone()),
    ]
}

/// Draws the table and the latest changes: at most `rows` lines, none wider than
/// `columns`.
pub(super) fn lines(
    sweep: &Sweep,
    latest: &[String],
    interval: Duration,
    rows: usize,
    columns: usize,
) -> Vec<String> {
    let mut lines = table(sweep).lines(columns);
    let mut footer = vec![String::new(), summary(sweep, interval)];
    footer.extend(latest.iter().cloned());
    let room = rows.saturating_sub(footer.len());
    if lines.len() > room && room > 1 {
        let hidden = lines.len() - (room - 1);
        lines.truncate(room - 1);
        lines.push(format!("and {hidden} more"));
    }
    lines.extend(footer.iter().map(|line| console::truncate_str(line, columns, "…").into_owned()));
    lines.truncate(rows);
    lines
}

fn summary(sweep: &Sweep, interval: Duration) -> String {
    let interval = text::length(time::Duration::try_from(interval).unwrap_or(time::Duration::MAX));
    format!(
        "{}: {} live, {} idle, {} disabled, {} failed; {}, every {interval}; Ctrl-C to stop",
        text::count(sweep.total, "channel"),
        sweep.live.len(),
        sweep.idle.len(),
        sweep.disabled.len(),
        sweep.failed.len(),
        text::moment(OffsetDateTime::now_utc()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sweep(idle: usize) -> Sweep {
        let res = json!({ "status": 200, "elapsedMs": 1.0, "attempts": 1 });
        let channel = |n: usize| json!({ "id": format!("idle-{n}"), "status": "Idle", "res": res });
        let live = json!({
            "id": "stage", "status": "Live", "res": res,
            "connectedTime": "2026-05-01T19:30:00Z", "remoteAddr": "203.0.113.9:47745",
            "video": { "width": 1280, "height": 720, "frameRate": 30, "bandwidth": 262_500, "codec": "H264" },
            "audio": { "bandwidth": 12_000, "sampleRate": 44_100, "codec": "AAC" },
        });
        let failed = json!({
            "id": "gone",
            "error": { "kind": "service", "message": "it does not exist", "attempts": 1 },
        });
        let idle: Vec<_> = (0..idle).map(channel).collect();
        serde_json::from_value(json!({
            "total": idle.len() + 2, "live": [live], "idle": idle, "disabled": [], "failed": [failed],
        }))
        .unwrap()
    }

    #[test]
    fn failed_and_live_channels_come_first() {
        let lines = table(&sweep(1)).lines(usize::MAX);
        assert!(lines[0].starts_with("CHANNEL  STATUS"), "{lines:#?}");
        assert_eq!(lines[1], "gone     failed  it does not exist");
        assert!(lines[2].starts_with("stage    Live"), "{lines:#?}");
        assert!(lines[2].ends_with("1280x720        30  2.1 Mbit/s  96 kbit/s  203.0.113.9:47745"));
        assert!(lines[3].starts_with("idle-0   Idle") && lines[3].ends_with('-'), "{lines:#?}");
    }

    #[test]
    fn the_display_never_exceeds_the_screen() {
        let latest = ["a change".to_owned(), "another".to_owned()];
        for rows in 1..30 {
            let lines = lines(&sweep(100), &latest, Duration::from_secs(30), rows, 40);
            assert!(lines.len() <= rows, "{rows} rows: {lines:#?}");
            assert!(lines.iter().all(|line| console::measure_text_width(line) <= 40));
        }
        let lines = lines(&sweep(100), &latest, Duration::from_secs(30), 10, 120);
        assert_eq!(lines.len(), 10);
        assert_eq!(lines[5], "and 98 more");
        assert!(lines[7].starts_with("102 channels: 1 live, 100 idle, 0 disabled, 1 failed; "));
        assert_eq!(lines[9], "another");
    }
}
