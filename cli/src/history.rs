//! `osslive history`: shows past sessions.

use crate::chart::{self, Bar};
use crate::failure::Outcome;
use crate::output::Page;
use crate::session::Session;
use crate::table::{Cell, Table};
use crate::text;
use clap::{Args, value_parser};
use osslive::{HistoryAnalysis, SessionSpan};

pub(crate) const HELP: &str = "\
The service keeps the last ten finished sessions of a channel. The current
session is not included.

Examples:
  osslive history main-stage
  osslive history main-stage --days 30 --json | jq .totalDurationHours";

#[derive(Args)]
pub(crate) struct Arguments {
    /// Channel id
    #[arg(value_name = "CHANNEL")]
    id: String,
    /// Number of days to look back
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = value_parser!(u32).range(1..))]
    days: u32,
}

/// The width of the longest bar.
const WIDTH: usize = 40;

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Outcome {
    let analysis = session.client.analyze_history(&arguments.id, arguments.days)?;
    session.output.show(&analysis, |page| write(&analysis, page));
    Ok(())
}

fn write(analysis: &HistoryAnalysis, page: &mut Page) {
    summary(analysis).write(page);
    if analysis.is_truncated {
        writeln!(
            page,
            "The service keeps only the last ten sessions; earlier ones may be missing."
        );
    }
    if analysis.sessions.is_empty() {
        return;
    }
    writeln!(page);
    sessions(&analysis.sessions).write(page);
    writeln!(page);
    chart(&analysis.sessions).write(page);
}

fn summary(analysis: &HistoryAnalysis) -> Table {
    let mut table = Table::details();
    let (from, to) = (text::moment(analysis.start_time), text::moment(analysis.end_time));
    table.detail("from", from);
    table.detail("to", to);
    table.detail("sessions", analysis.session_count.to_string());
    table.detail("total", format!("{:.1} h", analysis.total_duration_hours));
    table.detail("average", format!("{:.1} min", analysis.average_duration_minutes));
    if let Some(longest) = &analysis.longest_session {
        let since = text::moment(longest.start_time);
        table.detail("longest", format!("{}, from {since}", text::length(length(longest))));
    }
    if !analysis.unique_ips.is_empty() {
        table.detail("publishers", analysis.unique_ips.join(", "));
    }
    table
}

fn length(session: &SessionSpan) -> time::Duration {
    session.end_time - session.start_time
}

fn sessions(sessions: &[SessionSpan]) -> Table {
    let mut table = Table::new(&["START (UTC)", "END (UTC)", "LENGTH", "PUBLISHER"]);
    for session in sessions {
        table.row([
            Cell::new(text::moment(session.start_time)),
            Cell::new(text::moment(session.end_time)),
            Cell::new(text::length(length(session))).number(),
            Cell::new(&session.remote_addr),
        ]);
    }
    table
}

fn chart(sessions: &[SessionSpan]) -> Table {
    let bar = |session: &SessionSpan| Bar {
        label: text::moment(session.start_time),
        length: length(session).unsigned_abs(),
        value: text::length(length(session)),
    };
    chart::bars(&sessions.iter().map(bar).collect::<Vec<_>>(), WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use osslive::SessionRecord;
    use time::OffsetDateTime;

    fn written(records: &[SessionRecord]) -> String {
        let now = OffsetDateTime::from_unix_timestamp(1_777_663_800).unwrap();
        let mut page = Page::default();
        write(&HistoryAnalysis::of(records, now, 7), &mut page);
        page.into_text()
    }

    fn record(start: i64, seconds: i64) -> SessionRecord {
        let at = |time| OffsetDateTime::from_unix_timestamp(time).unwrap();
        SessionRecord::new(at(start), at(start + seconds), "203.0.113.9:47745")
    }

    #[test]
    fn sessions_appear_in_a_table_and_a_chart() {
        let text = written(&[record(1_777_600_000, 3600), record(1_777_650_000, 1800)]);
        for line in [
            "sessions    2",
            "total       1.5 h",
            "average     45.0 min",
            "longest     1h 00m, from 2026-05-01T01:46:40Z",
            "publishers  203.0.113.9",
            "2026-05-01T01:46:40Z  2026-05-01T02:46:40Z   1h 00m  203.0.113.9:47745",
            &format!("2026-05-01T01:46:40Z   1h 00m  {}", "█".repeat(40)),
            &format!("2026-05-01T15:40:00Z  30m 00s  {}", "█".repeat(20)),
        ] {
            assert!(text.lines().any(|found| found == line), "{line:?} is not in\n{text}");
        }
        assert!(!text.contains("may be missing"));
    }

    #[test]
    fn a_full_history_warns_that_sessions_may_be_missing() {
        let records: Vec<_> = (0..10).map(|n| record(1_777_600_000 + n * 100, 10)).collect();
        assert!(written(&records).contains("may be missing"));
    }

    #[test]
    fn without_sessions_there_is_neither_table_nor_chart() {
        let text = written(&[]);
        assert!(text.contains("sessions  0") && text.contains("0.0 min"), "{text}");
        assert!(!text.contains("PUBLISHER"), "{text}");
    }
}
