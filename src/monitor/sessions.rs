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
