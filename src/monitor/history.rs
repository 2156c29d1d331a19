//! Summaries of a channel's history.

use crate::client::Client;
use crate::error::{Error, Result};
use crate::operation::SessionRecord;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use time::{Duration, OffsetDateTime};

/// The number of sessions that the service keeps per channel.
pub(super) const MAX_SESSIONS: usize = 10;

/// A summary of the sessions in a period, returned by
/// [`analyze_history`](Client::analyze_history).
///
/// **The service keeps only the last ten finished sessions of a channel.** On a
/// busy channel they may not cover the period:
/// [`is_truncated`](Self::is_truncated) is then true, and the figures cover only
/// the remaining sessions. The current session is not included.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct HistoryAnalysis {
    /// The start of the period.
    #[cfg_attr(feature = "serde", serde(with = "time::serde::rfc3339"))]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Time"))]
    pub start_time: OffsetDateTime,
    /// The end of the period.
    #[cfg_attr(feature = "serde", serde(with = "time::serde::rfc3339"))]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Time"))]
    pub end_time: OffsetDateTime,
    /// The number of sessions in the period, in whole or in part.
    pub session_count: usize,
    /// Their total duration within the period, in hours.
    pub total_duration_hours: f64,
    /// Their average duration, in minutes; 0 without sessions.
    pub average_duration_minutes: f64,
    /// The IP addresses of the publishers, without ports, unique and sorted.
    pub unique_ips: Vec<String>,
    /// The longest session, the first if there are several.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub longest_session: Option<SessionSpan>,
    /// The gaps between sessions, in order; not before the first or after the
    /// last.
    pub gaps: Vec<Gap>,
    /// The sessions, clipped to the period, in order.
    pub sessions: Vec<SessionSpan>,
    /// Whether sessions of this period may be missing: the service returned as
    /// many as it keeps, and the first started within the period.
    pub is_truncated: bool,
}

/// A session, clipped to the period of a [`HistoryAnalysis`].
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct SessionSpan {
    /// Start.
    #[cfg_attr(feature = "serde", serde(with = "time::serde::rfc3339"))]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Time"))]
    pub start_time: OffsetDateTime,
    /// End.
    #[cfg_attr(feature = "serde", serde(with = "time::serde::rfc3339"))]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Time"))]
    pub end_time: OffsetDateTime,
    /// Duration, in minutes.
    pub duration_minutes: f64,
    /// The publisher's `IP:PORT`.
    pub remote_addr: String,
}

/// A gap between two sessions, or in a recording.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct Gap {
    /// Start: the end of what came before.
    #[cfg_attr(feature = "serde", serde(with = "time::serde::rfc3339"))]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Time"))]
    pub start_time: OffsetDateTime,
    /// End: the start of what came after.
    #[cfg_attr(feature = "serde", serde(with = "time::serde::rfc3339"))]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Time"))]
    pub end_time: OffsetDateTime,
    /// Duration, in minutes.
    pub duration_minutes: f64,
}

impl Gap {
    pub(crate) fn between(start_time: OffsetDateTime, end_time: OffsetDateTime) -> Self {
        Gap { start_time, end_time, duration_minutes: minutes(end_time - start_time) }
    }
}

impl Client {
    /// Summarizes the sessions of the last `days` days.
    ///
    /// The service keeps only the last ten finished sessions of a channel;
    /// [`is_truncated`](HistoryAnalysis::is_truncated) shows whether some may be
    /// missing.
    ///
    /// ```no_run
    /// # let client: osslive::Client = unimplemented!();
    /// let week = client.analyze_history("main-stage", 7)?;
    /// println!("{} sessions, {:.1} h", week.session_count, week.total_duration_hours);
    /// # Ok::<(), osslive::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`get_channel_history`](Self::get_channel_history), and
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for 0 days.
    pub fn analyze_history(&self, id: &str, days: u32) -> Result<HistoryAnalysis> {
        if days == 0 {
            return Err(Error::invalid("days 0: must be greater than zero"));
        }
        let records = self.get_channel_history(id)?.records;
        Ok(HistoryAnalysis::of(&records, self.engine().now(), days))
    }
}

impl HistoryAnalysis {
    /// Summarizes these sessions, in any order, for the `days` days before `now`.
    ///
    /// ```
    /// use osslive::{HistoryAnalysis, SessionRecord};
    /// use time::macros::datetime;
    ///
    /// let sessions = [SessionRecord::new(
    ///     datetime!(2026-05-09 18:00 UTC),
    ///     datetime!(2026-05-09 19:30 UTC),
    ///     "203.0.113.9:47745",
    /// )];
    /// let week = HistoryAnalysis::of(&sessions, datetime!(2026-05-10 12:00 UTC), 7);
    /// assert_eq!((week.session_count, week.total_duration_hours), (1, 1.5));
    /// assert_eq!(week.unique_ips, ["203.0.113.9"]);
    /// ```
    pub fn of(records: &[SessionRecord], now: OffsetDateTime, days: u32) -> Self {
        let start = now.checked_sub(Duration::days(days.into()));
        let start = start.unwrap_or(OffsetDateTime::UNIX_EPOCH.min(now));
        let mut sessions: Vec<_> =
            records.iter().filter_map(|record| SessionSpan::within(record, start, now)).collect();
        sessions.sort_by_key(|session| (session.start_time, session.end_time));
        let total = sessions.iter().map(SessionSpan::duration).sum::<Duration>();
        let oldest = records.iter().map(|record| record.start_time).min();
        HistoryAnalysis {
            start_time: start,
            end_time: now,
            session_count: sessions.len(),
            total_duration_hours: total.as_seconds_f64() / 3600.0,
            average_duration_minutes: minutes(total) / sessions.len().max(1) as f64,
            unique_ips: unique_ips(&sessions),
            longest_session: longest(&sessions).cloned(),
            gaps: gaps(&sessions),
            is_truncated: records.len() >= MAX_SESSIONS && oldest > Some(start),
            sessions,
        }
    }
}

impl SessionSpan {
    /// Returns the part of a session that lies within a period, if any. A session of
    /// zero length counts if its start is within the period.
    fn within(
        record: &SessionRecord,
        start: OffsetDateTime,
        end: OffsetDateTime,
    ) -> Option<SessionSpan> {
        // An end before the start would reduce the total.
        let record_end = record.end_time.max(record.start_time);
        if record_end < start || record.start_time > end {
            return None;
        }
        let (start_time, end_time) = (record.start_time.max(start), record_end.min(end));
        let remote_addr = record.remote_addr.clone();
        let duration_minutes = minutes(end_time - start_time);
        Some(SessionSpan { start_time, end_time, duration_minutes, remote_addr })
    }

    fn duration(&self) -> Duration {
        self.end_time - self.start_time
    }
}

fn minutes(duration: Duration) -> f64 {
    duration.as_seconds_f64() / 60.0
}

fn longest(sessions: &[SessionSpan]) -> Option<&SessionSpan> {
    // Of equal elements, max_by_key returns the last.
    sessions.iter().rev().max_by_key(|session| session.duration())
}

fn gaps(sessions: &[SessionSpan]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut covered: Option<OffsetDateTime> = None;
    for session in sessions {
        if let Some(end) = covered.filter(|end| *end < session.start_time) {
            gaps.push(Gap::between(end, session.start_time));
        }
        covered = covered.max(Some(session.end_time));
    }
    gaps
}

fn unique_ips(sessions: &[SessionSpan]) -> Vec<String> {
    let ips: BTreeSet<_> = sessions.iter().filter_map(|s| ip(&s.remote_addr)).collect();
    ips.into_iter().collect()
}

/// Returns an address without its port. An IPv4-mapped IPv6 address is
/// written as IPv4.
fn ip(address: &str) -> Option<String> {
    let address = address.trim();
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let parsed = address.parse().map(|address: SocketAddr| address.ip());
    let parsed: Option<IpAddr> = parsed.ok().or_else(|| bare.unwrap_or(address).parse().ok());
    let ip = match parsed {
        Some(ip) => ip.to_canonical().to_string(),
        // Anything else is kept as it is, without a port.
        None => match address.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host.to_owned(),
            _ => address.to_owned(),
        },
    };
    Some(ip).filter(|ip| !ip.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-05-10 12:00 UTC);

    /// Returns a session from its start, in hours ago, and its length.
    fn session(hours_ago: i64, minutes: i64, from: &str) -> SessionRecord {
        let start = NOW - Duration::hours(hours_ago);
        SessionRecord::new(start, start + Duration::minutes(minutes), from)
    }

    fn week(records: &[SessionRecord]) -> HistoryAnalysis {
        HistoryAnalysis::of(records, NOW, 7)
    }

    #[test]
    fn without_sessions_everything_is_zero() {
        let empty = week(&[]);
        assert_eq!((empty.session_count, empty.total_duration_hours), (0, 0.0));
        assert_eq!(empty.average_duration_minutes, 0.0);
        assert_eq!((empty.longest_session, empty.is_truncated), (None, false));
        assert!(empty.unique_ips.is_empty() && empty.gaps.is_empty());
        assert_eq!((empty.start_time, empty.end_time), (NOW - Duration::days(7), NOW));
    }

    #[test]
    fn sessions_are_counted_summed_and_averaged() {
        let found = week(&[session(50, 30, "a"), session(20, 90, "a"), session(10, 60, "b")]);
        assert_eq!((found.session_count, found.total_duration_hours), (3, 3.0));
        assert_eq!(found.average_duration_minutes, 60.0);
        let longest = found.longest_session.unwrap();
        assert_eq!((longest.duration_minutes, longest.remote_addr.as_str()), (90.0, "a"));
    }

    #[test]
    fn a_session_counts_only_for_its_part_in_the_period() {
        let found = HistoryAnalysis::of(
            &[
                session(25, 120, "began before"),
                session(1, 120, "ends in the future"),
                session(49, 60, "is over"),
                SessionRecord::new(NOW + Duration::hours(1), NOW + Duration::hours(2), "to come"),
            ],
            NOW,
            1,
        );
        assert_eq!((found.session_count, found.total_duration_hours), (2, 2.0));
        assert_eq!(found.unique_ips, ["began before", "ends in the future"]);
        assert_eq!(found.sessions[0].start_time, NOW - Duration::days(1));
        assert_eq!(found.sessions[1].end_time, NOW);
    }

    #[test]
    fn a_session_of_zero_length_counts_and_one_that_ends_before_its_start_has_zero_length() {
        let found = week(&[session(2, 0, "a"), session(1, -60, "a")]);
        assert_eq!((found.session_count, found.total_duration_hours), (2, 0.0));
    }

    #[test]
    fn gaps_are_found_between_sessions_in_any_order() {
        let found = week(&[session(2, 30, "c"), session(10, 60, "a"), session(6, 120, "b")]);
        let gaps: Vec<_> = found.gaps.iter().map(|gap| gap.duration_minutes).collect();
        assert_eq!(gaps, [180.0, 120.0]);
        assert_eq!(found.gaps[0].start_time, NOW - Duration::hours(9));
        assert_eq!(found.gaps[0].end_time, NOW - Duration::hours(6));
    }

    #[test]
    fn sessions_that_touch_or_overlap_have_no_gap() {
        let found = week(&[session(10, 600, "a"), session(9, 10, "b"), session(0, 0, "c")]);
        assert_eq!(found.gaps, []);
    }

    #[test]
    fn of_equally_long_sessions_the_first_is_the_longest() {
        let found = week(&[session(3, 10, "later"), session(5, 10, "first")]);
        assert_eq!(found.longest_session.unwrap().remote_addr, "first");
    }

    #[test]
    fn ports_are_removed_from_addresses() {
        for (address, ip) in [
            ("203.0.113.9:47745", "203.0.113.9"),
            ("203.0.113.9", "203.0.113.9"),
            ("[2001:db8::1]:1935", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("[::ffff:203.0.113.9]:80", "203.0.113.9"),
            ("encoder.example:1935", "encoder.example"),
            ("encoder", "encoder"),
        ] {
            assert_eq!(super::ip(address).as_deref(), Some(ip), "{address}");
        }
        assert_eq!(super::ip(""), None);
        assert_eq!(super::ip(":1935"), None);
    }

    #[test]
    fn each_address_is_listed_once() {
        let found = week(&[session(3, 1, "b:1"), session(2, 1, "a:1"), session(1, 1, "b:2")]);
        assert_eq!(found.unique_ips, ["a", "b"]);
    }

    #[test]
    fn ten_sessions_within_the_period_may_be_truncated() {
        let ten: Vec<_> = (1..=10).map(|hours| session(hours, 1, "a")).collect();
        assert!(week(&ten).is_truncated);
        assert!(!week(&ten[..9]).is_truncated);
        let reaches_back: Vec<_> = (1..=10).map(|days| session(days * 24, 1, "a")).collect();
        assert!(!week(&reaches_back).is_truncated);
    }

    #[test]
    fn a_period_longer_than_the_representable_time_does_not_panic() {
        let found = HistoryAnalysis::of(&[session(1, 60, "a")], NOW, u32::MAX);
        assert_eq!(found.session_count, 1);
    }

    #[test]
    fn a_session_that_touches_the_period_counts_with_zero_length() {
        let found = week(&[session(7 * 24 + 1, 60, "a"), session(0, 60, "b")]);
        assert_eq!((found.session_count, found.total_duration_hours), (2, 0.0));
    }

    #[test]
    fn ten_sessions_of_which_the_oldest_starts_with_the_period_are_complete() {
        let sessions = |oldest: i64| {
            let others = (1..10).map(|hours| session(hours, 1, "a"));
            others.chain([session(oldest, 1, "a")]).collect::<Vec<_>>()
        };
        assert!(!week(&sessions(7 * 24)).is_truncated);
        assert!(week(&sessions(7 * 24 - 1)).is_truncated);
    }

    #[test]
    fn only_a_number_after_the_last_colon_is_a_port() {
        assert_eq!(ip("studio:47745").as_deref(), Some("studio"));
        assert_eq!(ip("studio:main").as_deref(), Some("studio:main"));
    }
}
