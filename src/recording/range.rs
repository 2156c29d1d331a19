//! The part of a recording to download.

use super::fragment::milliseconds;
use crate::error::{Error, Result};
use crate::monitor::{Sessions, Times};
use std::fmt;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A part of a channel's recording: a session, or any time range.
///
/// ```
/// use osslive::RecordingRange;
/// use std::time::Duration;
///
/// let show = RecordingRange::latest_session();
/// let night = RecordingRange::last(Duration::from_secs(26 * 3600));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingRange(Part);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Session(Option<OffsetDateTime>),
    Between(OffsetDateTime, OffsetDateTime),
    Last(Duration),
}

impl RecordingRange {
    /// Selects the latest session, which may be the current one.
    pub fn latest_session() -> Self {
        RecordingRange(Part::Session(None))
    }

    /// Selects the session that includes this time, one of the last ten.
    pub fn session(time_in_session: OffsetDateTime) -> Self {
        RecordingRange(Part::Session(Some(time_in_session)))
    }

    /// Selects a time range of any length, regardless of sessions. It starts with
    /// the fragment that was being recorded at `start`.
    pub fn between(start: OffsetDateTime, end: OffsetDateTime) -> Self {
        RecordingRange(Part::Between(start, end))
    }

    /// Selects this length of time up to now.
    pub fn last(length: Duration) -> Self {
        RecordingRange(Part::Last(length))
    }

    /// Resolves the range to times, as of now.
    pub(super) fn resolve(
        &self,
        sessions: impl FnOnce() -> Result<Sessions>,
        now: OffsetDateTime,
    ) -> Result<Resolved> {
        let (start, end) = match self.0 {
            Part::Session(time_in_session) => {
                let sessions = sessions()?;
                let session = sessions.session(time_in_session)?;
                return Ok(Resolved::session(session, sessions.is_live(session)));
            }
            Part::Between(start, end) if start >= end => {
                return Err(Error::invalid("the end of the range must be after its start"));
            }
            Part::Between(start, end) => (start, end),
            Part::Last(length) if length.is_zero() => {
                return Err(Error::invalid("the length of the range must be greater than zero"));
            }
            Part::Last(length) => {
                let length = time::Duration::try_from(length).unwrap_or(time::Duration::MAX);
                let start = now.saturating_sub(length).max(OffsetDateTime::UNIX_EPOCH);
                return Ok(Resolved::until_idle(milliseconds(start), false));
            }
        };
        let (start, is_open) = (milliseconds(start), end > now);
        Ok(Resolved { start, end: milliseconds(end), is_open, is_session: false })
    }
}

/// The description stored in the journal.
impl fmt::Display for RecordingRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time =
            |time: OffsetDateTime| time.format(&Rfc3339).unwrap_or_else(|_| time.to_string());
        match self.0 {
            Part::Session(None) => f.write_str("latest session"),
            Part::Session(Some(time_in_session)) => {
                write!(f, "session at {}", time(time_in_session))
            }
            Part::Between(start, end) => write!(f, "{} to {}", time(start), time(end)),
            Part::Last(length) => write!(f, "last {} s", length.as_secs_f64()),
        }
    }
}

/// Start and end, in Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) start: i64,
    /// The first millisecond after the range; [`UNTIL_IDLE`] if it ends with the
    /// stream.
    pub(super) end: i64,
    /// Whether it has not ended yet.
    pub(super) is_open: bool,
    /// Whether it is a session, whose first fragment does not start before it.
    pub(super) is_session: bool,
}

/// The end of a range that ends when the channel is no longer live.
pub(super) const UNTIL_IDLE: i64 = i64::MAX;

impl Resolved {
    /// Returns the range of a session, whose times are whole seconds, rounded down.
    pub(super) fn session((start, end): Times, is_live: bool) -> Self {
        let start = milliseconds(start);
        match is_live {
            true => Resolved::until_idle(start, true),
            false => {
                let end = milliseconds(end) + 1000;
                Resolved { start, end, is_open: false, is_session: true }
            }
        }
    }

    fn until_idle(start: i64, is_session: bool) -> Self {
        Resolved { start, end: UNTIL_IDLE, is_open: true, is_session }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-22 12:00 UTC);

    fn resolve(range: RecordingRange) -> Result<Resolved> {
        range.resolve(|| panic!("no sessions are needed"), NOW)
    }

    #[test]
    fn only_a_range_that_reaches_into_the_future_is_open() {
        let hour = time::Duration::HOUR;
        let past = resolve(RecordingRange::between(NOW - 30 * hour, NOW - hour)).unwrap();
        assert_eq!(past.end - past.start, 29 * 3_600_000);
        assert!(!past.is_open && !past.is_session);
        assert!(resolve(RecordingRange::between(NOW, NOW + hour)).unwrap().is_open);
        let last = resolve(RecordingRange::last(Duration::from_secs(26 * 3600))).unwrap();
        assert_eq!((last.end, last.is_open), (UNTIL_IDLE, true));
        assert_eq!(milliseconds(NOW) - last.start, 26 * 3_600_000);
        assert_eq!(resolve(RecordingRange::last(Duration::MAX)).unwrap().start, 0);
    }

    #[test]
    fn an_empty_range_is_rejected() {
        assert!(resolve(RecordingRange::between(NOW, NOW)).is_err());
        assert!(resolve(RecordingRange::last(Duration::ZERO)).is_err());
    }

    #[test]
    fn different_ranges_have_different_descriptions() {
        let second = time::Duration::SECOND;
        let ranges = [
            RecordingRange::latest_session(),
            RecordingRange::session(NOW),
            RecordingRange::session(NOW + second),
            RecordingRange::between(NOW, NOW + second),
            RecordingRange::last(Duration::from_secs(1)),
            RecordingRange::last(Duration::from_millis(1500)),
        ];
        let mut texts: Vec<_> = ranges.iter().map(ToString::to_string).collect();
        assert_eq!(texts[3], "2026-11-22T12:00:00Z to 2026-11-22T12:00:01Z");
        texts.dedup();
        assert_eq!(texts.len(), ranges.len());
    }

    #[test]
    fn a_range_that_ends_now_is_over() {
        assert!(
            !resolve(RecordingRange::between(NOW - time::Duration::HOUR, NOW)).unwrap().is_open
        );
    }

    #[test]
    fn a_finished_session_includes_its_last_second() {
        let start = NOW - time::Duration::HOUR;
        let session = Resolved::session((start, NOW), false);
        assert_eq!((session.start, session.end), (milliseconds(start), milliseconds(NOW) + 1000));
        assert!(session.is_session && !session.is_open);
        assert_eq!(Resolved::session((start, NOW), true).end, UNTIL_IDLE);
    }
}
