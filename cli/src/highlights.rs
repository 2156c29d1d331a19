//! `osslive highlights`: saves parts of a session as playlists.

use crate::failure::{Exit, Failure, Outcome};
use crate::session::Session;
use crate::table::{Cell, Style, Table};
use crate::text::{self, Moment, parse_duration, parse_moment};
use clap::Args;
use osslive::{ErrorKind, Highlight, HighlightResult, SweepOptions, code};
use serde::Serialize;
use std::collections::HashSet;
use std::time::Duration;
use time::OffsetDateTime;

pub(crate) const HELP: &str = "\
A PART is NAME=FROM..TO and is saved as the playlist NAME.m3u8. FROM and TO are
offsets from the start of the session (0..5m) or times in RFC 3339. Without TO,
the part extends to the end; -5m.. is the last five minutes. Parts are clipped
to the session. A failure does not affect the other parts.

Examples:
  osslive highlights main-stage opening=0..5m peak=42m..50m closing=-5m..
  osslive highlights main-stage goal=2026-05-01T19:41:00Z..2026-05-01T19:42:30Z
  osslive highlights main-stage opening=0..5m --session 2026-05-01T19:30:00Z";

#[derive(Args)]
pub(crate) struct Arguments {
    /// Channel id
    #[arg(value_name = "CHANNEL")]
    id: String,
    /// Name and range of a part, such as opening=0..5m
    #[arg(value_name = "PART", required = true, value_parser = parse_part)]
    parts: Vec<Part>,
    /// A time within the session [default: the latest session]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_moment)]
    session: Option<Moment>,
}

#[derive(Debug, Clone, PartialEq)]
struct Part {
    name: String,
    highlight: Highlight,
}

/// The results for the parts.
#[derive(Serialize)]
struct Cut {
    results: Vec<HighlightResult>,
    failed: usize,
    total: usize,
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Outcome {
    let highlights = highlights(arguments)?;
    let bar = session.progress.items(highlights.len());
    let options = SweepOptions::new().progress(|done| bar.set_position(done.done as u64));
    let results = session.client.create_highlights(&arguments.id, &highlights, &options);
    bar.finish_and_clear();
    show(results?, session)
}

fn highlights(arguments: &Arguments) -> Outcome<Vec<Highlight>> {
    let mut names = HashSet::new();
    let of_session = arguments.session.map(|moment| moment.from(OffsetDateTime::now_utc()));
    let mut highlights = Vec::new();
    for Part { name, highlight } in &arguments.parts {
        if !names.insert(name.trim_end_matches(".m3u8")) {
            return Err(Failure::usage(format!("duplicate part name {name:?}: must be unique")));
        }
        highlights.push(match of_session {
            Some(moment) => highlight.clone().of_session(moment),
            None => highlight.clone(),
        });
    }
    Ok(highlights)
}

fn show(results: Vec<HighlightResult>, session: &Session) -> Outcome {
    let failures: Vec<_> =
        results.iter().filter_map(|result| result.error.as_ref()).map(exit).collect();
    let cut = Cut { failed: failures.len(), total: results.len(), results };
    session.output.show(&cut, |out| {
        let mut table = Table::new(&["PLAYLIST", "FROM (UTC)", "TO (UTC)", "LENGTH"]);
        cut.results.iter().for_each(|result| table.row(row(result)));
        table.write(out);
    });
    if failures.is_empty() {
        return Ok(());
    }
    let all = text::count(cut.total, "part");
    Err(Failure::Message(Exit::of_all(failures), format!("{} of {all} failed", cut.failed)))
}

/// Invalid parts were rejected earlier: what the service rejects now was not
/// recorded.
fn exit(error: &osslive::Error) -> Exit {
    match (error.kind(), error.code()) {
        (ErrorKind::InvalidArgument, _) | (_, Some(code::INVALID_ARGUMENT)) => Exit::NotFound,
        _ => Exit::of(error),
    }
}

fn row(result: &HighlightResult) -> Vec<Cell> {
    let name = Cell::new(&result.playlist);
    match (&result.error, result.start, result.end) {
        (Some(error), ..) => vec![name, Cell::new(error.to_string()).style(Style::Bad)],
        (None, Some(start), Some(end)) => vec![
            name,
            Cell::new(text::moment(start)),
            Cell::new(text::moment(end)),
            Cell::new(text::length(end - start)).number(),
        ],
        (None, ..) => vec![name],
    }
}

fn parse_part(text: &str) -> Result<Part, String> {
    let wrong = || {
        format!(
            "invalid part {text:?}: expected NAME=FROM..TO, such as opening=0..5m or closing=-5m.."
        )
    };
    let (name, span) = text.split_once('=').ok_or_else(wrong)?;
    let (from, to) = span.split_once("..").ok_or_else(wrong)?;
    if name.is_empty() {
        return Err(wrong());
    }
    let highlight = match (from.strip_prefix('-'), to) {
        (Some(last), "") => Highlight::closing(name, parse_duration(last)?),
        (Some(_), _) => return Err(wrong()),
        (None, _) if from.contains('T') || to.contains('T') => {
            let (from, to) = (parse_time(from)?, parse_time(to)?);
            in_order(from < to)?;
            Highlight::between(name, from, to)
        }
        (None, _) => {
            let from = if from.is_empty() { Duration::ZERO } else { parse_duration(from)? };
            let to = if to.is_empty() { Duration::MAX } else { parse_duration(to)? };
            in_order(from < to)?;
            Highlight::new(name, from, to)
        }
    };
    Ok(Part { name: name.to_owned(), highlight })
}

fn parse_time(text: &str) -> Result<OffsetDateTime, String> {
    match parse_moment(text) {
        // A bare number next to a date is more likely a length.
        Ok(Moment::At(time)) if text.contains('T') => Ok(time),
        _ => Err(format!("invalid time {text:?}: expected RFC 3339, such as 2026-05-01T19:30:00Z")),
    }
}

fn in_order(is_so: bool) -> Result<(), String> {
    if is_so { Ok(()) } else { Err("the end must be after the start".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn parsed(text: &str) -> Highlight {
        parse_part(text).unwrap().highlight
    }

    #[test]
    fn a_part_is_a_name_and_a_span_of_the_session() {
        assert_eq!(parsed("opening=0..5m"), Highlight::new("opening", Duration::ZERO, 5 * MINUTE));
        assert_eq!(parsed("opening=..5m"), parsed("opening=0..5m"));
        assert_eq!(parsed("rest=5m.."), Highlight::new("rest", 5 * MINUTE, Duration::MAX));
        assert_eq!(parsed("all=.."), Highlight::new("all", Duration::ZERO, Duration::MAX));
        assert_eq!(parsed("closing=-5m.."), Highlight::closing("closing", 5 * MINUTE));
    }

    #[test]
    fn a_part_may_range_between_two_times() {
        let at = |text| match parse_moment(text) {
            Ok(Moment::At(time)) => time,
            other => panic!("{other:?}"),
        };
        let (from, to) = ("2026-05-01T19:41:00Z", "2026-05-01T21:42:30+02:00");
        let expected = Highlight::between("goal", at(from), at(to));
        assert_eq!(parsed(&format!("goal={from}..{to}")), expected);
    }

    #[test]
    fn invalid_parts_are_rejected() {
        for text in [
            "",
            "opening",
            "opening=5m",
            "=0..5m",
            "x=5m..5m",
            "x=-5m..-1m",
            "x=0..2026-05-01T19:41:00Z",
            "x=2026-05-01T19:41:00Z..2026-05-01T19:41:00Z",
        ] {
            assert!(parse_part(text).is_err(), "{text}");
        }
    }
}
