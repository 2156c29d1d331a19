//! Lists a channel's stored recordings.

use crate::failure::Outcome;
use crate::output::Page;
use crate::session::Session;
use crate::table::{Cell, Style, Table};
use crate::text;
use clap::Args;
use osslive::{Fragment, Gap, RecordedPlaylist, RecordedSpan, Recording};
use serde::Serialize;
use time::OffsetDateTime;

pub(super) const HELP: &str = "\
OSS keeps every fragment until somebody deletes it, including those no longer in
any playlist and those of deleted channels. Shows gaps of three seconds or more.
Lists the objects below CHANNEL/ and reads each playlist.

Examples:
  osslive recording list main-stage
  osslive recording list main-stage --json";

#[derive(Args)]
pub(super) struct Arguments {
    /// Channel id; the channel itself may have been deleted
    #[arg(value_name = "CHANNEL")]
    id: String,
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> Outcome {
    let recording = read(&arguments.id, session)?;
    let report = Report::of(&recording);
    session.output.show(&report, |page| report.write(page));
    Ok(())
}

/// Reads what is stored, which takes time for large recordings.
pub(super) fn read(id: &str, session: &Session) -> Outcome<Recording> {
    let bar = session.progress.working(&format!("reading {id}"));
    let recording = session.client.get_recording(id);
    bar.finish_and_clear();
    Ok(recording?)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    spans: Vec<RecordedSpan>,
    gaps: Vec<Gap>,
    playlists: Vec<Playlist>,
    fragments: usize,
    bytes: u64,
    unlisted_fragments: usize,
    unlisted_bytes: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Playlist {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    last_modified: Option<OffsetDateTime>,
    is_finished: bool,
    fragments: usize,
    /// Listed, but no longer stored.
    missing: usize,
}

impl Report {
    fn of(recording: &Recording) -> Self {
        let playlist = |playlist: &RecordedPlaylist| Playlist {
            name: playlist.name.clone(),
            last_modified: playlist.last_modified,
            is_finished: playlist.is_finished,
            fragments: playlist.fragments(),
            missing: recording.missing(playlist),
        };
        Report {
            spans: recording.spans(),
            gaps: recording.gaps(),
            playlists: recording.playlists.iter().map(playlist).collect(),
            fragments: recording.fragments.len(),
            bytes: recording.bytes(),
            unlisted_fragments: recording.unlisted().count(),
            unlisted_bytes: recording.unlisted().map(Fragment::size).fold(0, u64::saturating_add),
        }
    }

    fn write(&self, page: &mut Page) {
        if self.fragments == 0 && self.playlists.is_empty() {
            return writeln!(page, "nothing is stored");
        }
        self.spans().write(page);
        if !self.playlists.is_empty() {
            writeln!(page);
            self.playlists().write(page);
        }
        writeln!(page);
        writeln!(
            page,
            "{}, {}; {} ({}) in no playlist",
            text::count(self.fragments, "fragment"),
            text::size(self.bytes),
            text::count(self.unlisted_fragments, "fragment"),
            text::size(self.unlisted_bytes),
        );
    }

    fn spans(&self) -> Table {
        let mut table = Table::new(&["FROM", "TO", "LENGTH", "FRAGMENTS", "SIZE"]);
        // A gap follows each span but the last.
        let gaps = self.gaps.iter().map(Some).chain([None]);
        for (span, gap) in self.spans.iter().zip(gaps) {
            table.row([
                Cell::new(text::moment(span.start_time)),
                Cell::new(text::moment(span.end_time)),
                Cell::new(text::length(span.end_time - span.start_time)).number(),
                Cell::new(span.fragments.to_string()).number(),
                Cell::new(text::size(span.bytes)).number(),
            ]);
            if let Some(gap) = gap {
                let gap = [
                    Cell::new(text::moment(gap.start_time)),
                    Cell::new(text::moment(gap.end_time)),
                    Cell::new(text::length(gap.end_time - gap.start_time)).number(),
                    Cell::new("gap"),
                    Cell::new(""),
                ];
                table.row(gap.map(|cell| cell.style(Style::Dim)));
            }
        }
        table
    }

    fn playlists(&self) -> Table {
        let mut table = Table::new(&["PLAYLIST", "WRITTEN", "FRAGMENTS", "STATE"]);
        for playlist in &self.playlists {
            let state = match (playlist.missing, playlist.is_finished) {
                (0, true) => Cell::new("complete").style(Style::Good),
                (0, false) => Cell::new("open"),
                (missing, _) => Cell::new(format!("{missing} missing")).style(Style::Bad),
            };
            table.row([
                Cell::new(&playlist.name),
                Cell::or_none(playlist.last_modified.map(text::moment)),
                Cell::new(playlist.fragments.to_string()).number(),
                state,
            ]);
        }
        table
    }
}
