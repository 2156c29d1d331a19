//! The sessions that a channel has recorded, as far as the service still has them.

use super::history::MAX_SESSIONS;
use crate::client::Client;
use crate::error::{Error, Result, code};
use crate::operation::{SessionRecord, StreamState};
use std::collections::BinaryHeap;
use time::OffsetDateTime;

/// Start and end.
pub(crate) type Times = (OffsetDateTime, OffsetDateTime);

/// The sessions that a channel has recorded, by their start.
#[derive(Debug)]
pub(crate) struct Sessions {
    pub(super) sessions: Vec<Times>,
    /// The start of the current one.
    live: Option<OffsetDateTime>,
    /// Whether there may have been earlier sessions.
    is_truncated: bool,
}

impl Client {
    pub(crate) fn sessions(&self, id: &str) -> Result<Sessions> {
        // The status is read first: a session that ends in between is then in
        // the history. In the other order, it could be in neither.
        let status = self.get_channel_status(id)?;
        let records = self.get_channel_history(id)?.records;
        let live = status.connected_time.filter(|_| status.status == StreamState::Live);
        Ok(Sessions::of(&records, live.map(|since| (since, self.engine().now()))))
    }
}

impl Sessions {
    /// The finished sessions, and the current one, which lasts until now.
    pub(super) fn of(records: &[SessionRecord], live: Option<Times>) -> Self {
        let mut sessions: BinaryHeap<_> =
            records.iter().map(|record| (record.start_time, record.end_time)).collect();
        // A session that ended after its status was read is in both. A record
        // that ended when the live session started is a different one, even if
        // both started in the same second.
        let is_same = |start, end, since| start == since && end > since;
        let live = live.filter(|(since, _)| !sessions.iter().any(|&(a, b)| is_same(a, b, *since)));
        sessions.extend(live);
        Sessions {
            sessions: sessions.into_sorted_vec(),
            live: live.map(|(since, _)| since),
            is_truncated: records.len() >= MAX_SESSIONS,
        }
    }

    /// Returns the session that includes this time, or the latest.
    pub(crate) fn session(&self, time: Option<OffsetDateTime>) -> Result<Times> {
        let Some(time) = time else {
            let latest = self.sessions.last().copied();
            return latest.ok_or_else(|| {
                let error = Error::invalid("the channel has recorded no session yet");
                error.with_code(code::NOTHING_RECORDED)
            });
        };
        // If one ends in the second in which another starts, the later one is
        // selected: the service's times are in whole seconds.
        let found = self.sessions.iter().rfind(|(start, end)| (*start..=*end).contains(&time));
        found.copied().ok_or_else(|| {
            let message = format!("no known session includes {time}");
            Error::invalid(message).with_code(code::NOTHING_RECORDED)
        })
    }

    /// Returns whether this session is the current one.
    pub(crate) fn is_live(&self, session: Times) -> bool {
        self.live == Some(session.0) && self.sessions.last() == Some(&session)
    }

    /// Returns the part of a span from the first to the last session that it overlaps.
    pub(super) fn clip(&self, start: OffsetDateTime, end: OffsetDateTime) -> Option<Times> {
        let overlapping = || self.sessions.iter().filter(|(from, to)| *from < end && start < *to);
        let first = overlapping().map(|session| session.0).min();
        let last = overlapping().map(|session| session.1).max();
        let oldest = self.sessions.first().filter(|_| self.is_truncated);
        let starts_before_history = oldest.is_some_and(|oldest| start < oldest.0);
        match (first, last) {
            (Some(_), Some(last)) if starts_before_history => Some((start, end.min(last))),
            (Some(first), Some(last)) => Some((start.max(first), end.min(last))),
            _ if starts_before_history => Some((start, end)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOON: OffsetDateTime = datetime!(2026-05-10 12:00 UTC);

    fn at(minutes: i64) -> OffsetDateTime {
        NOON + time::Duration::minutes(minutes)
    }

    fn record(start: i64, end: i64) -> SessionRecord {
        SessionRecord::new(at(start), at(end), "192.0.2.1:9")
    }

    #[test]
    fn only_the_latest_session_can_be_live() {
        let records = [record(0, 10), record(20, 30)];
        let live = Sessions::of(&records, Some((at(40), at(45))));
        assert!(live.is_live((at(40), at(45))));
        assert!(!live.is_live((at(20), at(30))));
        assert!(!Sessions::of(&records, None).is_live((at(20), at(30))));
    }

    #[test]
    fn a_span_is_clipped_to_the_sessions_that_it_overlaps() {
        let sessions = Sessions::of(&[record(0, 10), record(20, 30)], None);
        for (span, expected) in [
            ((5, 25), Some((5, 25))),
            ((-5, 35), Some((0, 30))),
            ((10, 20), None),
            ((10, 21), Some((20, 21))),
            ((9, 20), Some((9, 10))),
        ] {
            let expected = expected.map(|(start, end)| (at(start), at(end)));
            assert_eq!(sessions.clip(at(span.0), at(span.1)), expected, "{span:?}");
        }
    }

    #[test]
    fn before_the_oldest_of_ten_sessions_there_may_have_been_others() {
        let records: Vec<_> = (0..10).map(|n| record(n * 20, n * 20 + 10)).collect();
        let sessions = Sessions::of(&records, None);
        assert_eq!(sessions.clip(at(-60), at(-50)), Some((at(-60), at(-50))));
        assert_eq!(sessions.clip(at(-60), at(5)), Some((at(-60), at(5))));
        assert_eq!(sessions.clip(at(0), at(300)), Some((at(0), at(190))));
        assert_eq!(sessions.clip(at(0), at(0)), None);
    }
}
