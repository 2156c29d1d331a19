//! Deletes old recordings.

use super::list;
use crate::confirm;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::Page;
use crate::session::Session;
use crate::signal;
use crate::text::{self, parse_positive_duration, saturating};
use clap::Args;
use osslive::operation::MAX_DELETED;
use osslive::{Fragment, Pruning, StopHandle};
use serde::Serialize;
use std::collections::HashSet;
use std::time::Duration;
use time::OffsetDateTime;

pub(super) const HELP: &str = "\
Permanently deletes fragments that ended, and saved playlists that were
written, before the --older-than cutoff. Fragments in a remaining playlist are
kept, as is the playlist of a live stream. Playlists are deleted first, so
that none lists a deleted fragment, even after an interruption. Asks for
confirmation.

Examples:
  osslive recording prune main-stage --older-than 30d --dry-run
  osslive recording prune main-stage --older-than 30d --keep-vod --yes";

#[derive(Args)]
pub(super) struct Arguments {
    /// Channel id; the channel itself may have been deleted
    #[arg(value_name = "CHANNEL")]
    id: String,
    /// Delete recordings older than this, such as 30d
    #[arg(long, value_name = "LENGTH", value_parser = parse_positive_duration)]
    older_than: Duration,
    /// Keep all saved playlists and their fragments
    #[arg(long)]
    keep_vod: bool,
    /// Show what would be deleted without deleting anything
    #[arg(long)]
    dry_run: bool,
    /// Delete without asking
    #[arg(short, long)]
    yes: bool,
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> Outcome {
    let before = OffsetDateTime::now_utc().saturating_sub(saturating(arguments.older_than));
    let plan = || -> Outcome<Pruning> {
        let recording = list::read(&arguments.id, session)?;
        Ok(recording.pruning(before, !arguments.keep_vod))
    };
    let pruning = plan()?;
    let report = Report::of(&pruning, before);
    if arguments.dry_run || report.is_empty() {
        session.output.show(&report, |page| report.write(page, "would be deleted"));
        return Ok(());
    }
    confirm(&report, arguments.yes, session)?;
    // A playlist may have been saved while waiting for the answer.
    let pruning = both(pruning, &plan()?);
    let deleted = delete(&arguments.id, &pruning, session)?;
    let report = Report { is_deleted: true, ..Report::of(&deleted, before) };
    session.output.show(&report, |page| report.write(page, "deleted"));
    match is_less(&deleted, &pruning) {
        true => Err(Failure::Message(Exit::Failure, "stopped: the rest was not deleted".into())),
        false => Ok(()),
    }
}

fn is_less(deleted: &Pruning, planned: &Pruning) -> bool {
    deleted.fragments.len() + deleted.playlists.len()
        < planned.fragments.len() + planned.playlists.len()
}

/// Returns what is in both plans.
fn both(mut first: Pruning, second: &Pruning) -> Pruning {
    let names: HashSet<_> = second.playlists.iter().collect();
    first.playlists.retain(|name| names.contains(name));
    let starts: HashSet<_> = second.fragments.iter().map(Fragment::start).collect();
    first.fragments.retain(|fragment| starts.contains(&fragment.start()));
    first.kept = second.kept;
    first
}

fn confirm(report: &Report, yes: bool, session: &Session) -> Outcome {
    if yes {
        return Ok(());
    }
    if session.output.json || !confirm::is_possible() {
        let what = report.summary();
        let message = format!("{what} would be deleted: add --yes to delete without asking");
        return Err(Failure::usage(message));
    }
    session.output.text(|page| report.write(page, "would be deleted"));
    match confirm::ask("Delete permanently?")? {
        true => Ok(()),
        false => Err(Failure::Message(Exit::Failure, "nothing was deleted".to_owned())),
    }
}

/// Deletes playlists, then fragments, and returns what was deleted. Ctrl-C stops it
/// between two batches.
fn delete(id: &str, pruning: &Pruning, session: &Session) -> Outcome<Pruning> {
    let stop = StopHandle::new();
    signal::stops(&stop)?;
    let bar = session.progress.items(pruning.playlists.len() + pruning.fragments.len());
    let mut deleted = Pruning::default();
    deleted.kept = pruning.kept;
    let keys =
        |names: &[String]| -> Vec<_> { names.iter().map(|name| format!("{id}/{name}")).collect() };
    for names in pruning.playlists.chunks(MAX_DELETED) {
        if stop.is_stopped() {
            return Ok(deleted);
        }
        session.client.delete_objects(&keys(names))?;
        deleted.playlists.extend_from_slice(names);
        bar.inc(names.len() as u64);
    }
    for fragments in pruning.fragments.chunks(MAX_DELETED) {
        if stop.is_stopped() {
            return Ok(deleted);
        }
        let keys: Vec<_> = fragments.iter().map(|fragment| fragment.key(id)).collect();
        session.client.delete_objects(&keys)?;
        deleted.fragments.extend_from_slice(fragments);
        bar.inc(fragments.len() as u64);
    }
    bar.finish_and_clear();
    Ok(deleted)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    /// Whether it was deleted, or would be.
    is_deleted: bool,
    #[serde(with = "time::serde::rfc3339")]
    older_than: OffsetDateTime,
    fragments: usize,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    start_time: Option<OffsetDateTime>,
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    end_time: Option<OffsetDateTime>,
    playlists: Vec<String>,
    /// Old enough, but listed by a playlist that is kept.
    kept_fragments: usize,
}

impl Report {
    fn of(pruning: &Pruning, older_than: OffsetDateTime) -> Self {
        Report {
            is_deleted: false,
            older_than,
            fragments: pruning.fragments.len(),
            bytes: pruning.bytes(),
            start_time: pruning.fragments.first().map(Fragment::start),
            end_time: pruning.fragments.last().map(Fragment::start),
            playlists: pruning.playlists.clone(),
            kept_fragments: pruning.kept,
        }
    }

    fn is_empty(&self) -> bool {
        self.fragments == 0 && self.playlists.is_empty()
    }

    fn summary(&self) -> String {
        let fragments = text::count(self.fragments, "fragment");
        let fragments = format!("{fragments} ({})", text::size(self.bytes));
        match self.playlists.len() {
            0 => fragments,
            number => format!("{fragments} and {}", text::count(number, "playlist")),
        }
    }

    fn write(&self, page: &mut Page, what: &str) {
        if self.is_empty() {
            writeln!(page, "nothing to delete from before {}", text::moment(self.older_than));
        } else {
            writeln!(page, "{} {what}", self.summary());
        }
        if let (Some(start), Some(end)) = (self.start_time, self.end_time) {
            writeln!(page, "from {} to {}", text::moment(start), text::moment(end));
        }
        for name in &self.playlists {
            writeln!(page, "playlist {}", text::clean(name));
        }
        if self.kept_fragments > 0 {
            let kept = text::count(self.kept_fragments, "older fragment");
            writeln!(page, "{kept} kept: still listed in remaining playlists");
        }
    }
}
