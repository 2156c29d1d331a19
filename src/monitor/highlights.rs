//! Saving parts of a recording as playlists.

use super::options::{Progress, SweepOptions};
use super::sessions::{Sessions, Times};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result, code};
use crate::operation::VodTime;
use std::collections::HashSet;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// The longest span that the service accepts.
const DAY: Duration = Duration::from_secs(86_400);

/// A part of a recording, to be saved as a playlist.
///
/// ```
/// use osslive::Highlight;
/// use std::time::Duration;
///
/// let minutes = |count: u64| Duration::from_secs(count * 60);
/// let highlights = [
///     Highlight::new("opening", minutes(0), minutes(5)),
///     Highlight::new("peak", minutes(50), minutes(60)),
///     Highlight::closing("closing", minutes(5)),
/// ];
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Highlight {
    name: String,
    span: Span,
    /// A time within the session; `None` selects the latest session.
    session: Option<OffsetDateTime>,
}

/// The part of a recording.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Span {
    OfSession(Edge, Edge),
    Times(OffsetDateTime, OffsetDateTime),
}

/// A point in a session, counted from one of its ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Edge {
    /// This long after the session's start.
    AfterStart(Duration),
    /// This long before the session's end; the end of the current session is now.
    BeforeEnd(Duration),
}

/// The result for a [`Highlight`].
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct HighlightResult {
    /// The highlight's name.
    pub name: String,
    /// The name of its playlist, for [`get_play_url`](Client::get_play_url).
    pub playlist: String,
    /// The start, in whole seconds; absent if there was nothing to save.
    #[cfg_attr(
        feature = "serde",
        serde(
            default,
            skip_serializing_if = "Option::is_none",
            with = "time::serde::rfc3339::option"
        )
    )]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Time>"))]
    pub start: Option<OffsetDateTime>,
    /// The end, in whole seconds.
    #[cfg_attr(
        feature = "serde",
        serde(
            default,
            skip_serializing_if = "Option::is_none",
            with = "time::serde::rfc3339::option"
        )
    )]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Time>"))]
    pub end: Option<OffsetDateTime>,
    /// Why the playlist was not saved, if it was not.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub error: Option<Error>,
}

impl Highlight {
    /// Creates a highlight from `start` to `end` after the start of the latest
    /// session, which may be the current one, unless
    /// [`of_session`](Self::of_session) selects another.
    ///
    /// The name is that of the playlist; `.m3u8` is appended if missing.
    pub fn new(name: impl Into<String>, start: Duration, end: Duration) -> Self {
        Highlight::within(name, Edge::AfterStart(start), Edge::AfterStart(end))
    }

    /// Creates a highlight of the last part of a session, up to now for the
    /// current session.
    pub fn closing(name: impl Into<String>, length: Duration) -> Self {
        Highlight::within(name, Edge::BeforeEnd(length), Edge::BeforeEnd(Duration::ZERO))
    }

    /// Creates a highlight between two offsets, each from either end of a session.
    ///
    /// ```
    /// use osslive::{Edge, Highlight};
    /// use std::time::Duration;
    ///
    /// let minute = Duration::from_secs(60);
    /// let inner = Highlight::within("inner", Edge::AfterStart(minute), Edge::BeforeEnd(minute));
    /// ```
    pub fn within(name: impl Into<String>, start: Edge, end: Edge) -> Self {
        Highlight { name: name.into(), span: Span::OfSession(start, end), session: None }
    }

    /// Creates a highlight between two times, regardless of sessions.
    pub fn between(name: impl Into<String>, start: OffsetDateTime, end: OffsetDateTime) -> Self {
        Highlight { name: name.into(), span: Span::Times(start, end), session: None }
    }

    /// Selects the session that includes this time, such as its
    /// [`start_time`](crate::SessionRecord::start_time), instead of the latest. Highlights
    /// between two times ignore it.
    #[must_use]
    pub fn of_session(mut self, time_in_session: OffsetDateTime) -> Self {
        self.session = Some(time_in_session);
        self
    }

    fn playlist(&self) -> String {
        let suffix = if self.name.ends_with(".m3u8") { "" } else { ".m3u8" };
        format!("{}{suffix}", self.name)
    }
}

impl Client {
    /// Saves parts of a channel's recording as playlists and returns one result
    /// per highlight, in order. Failures are isolated.
    ///
    /// Highlights are clipped to the known sessions: the last ten finished ones and
    /// the current one. If there are ten finished ones, times before the oldest are
    /// not clipped: the service may still have recordings of sessions that it no
    /// longer lists. A highlight fails if nothing is left of it, if it is longer than
    /// a day, or if an earlier one uses the same playlist. Existing playlists are
    /// replaced.
    ///
    /// Calls are made one at a time. Of the options, `progress` is called after
    /// each highlight and may stop the operation, as may `stop` from another thread; the
    /// remaining highlights fail with [`Stopped`](crate::ErrorKind::Stopped).
    ///
    /// ```no_run
    /// # let client: osslive::Client = unimplemented!();
    /// use osslive::{Highlight, SweepOptions};
    /// use std::time::Duration;
    ///
    /// let minute = Duration::from_secs(60);
    /// let highlights = [
    ///     Highlight::new("opening", Duration::ZERO, 5 * minute),
    ///     Highlight::closing("closing", 5 * minute),
    /// ];
    /// for cut in client.create_highlights("main-stage", &highlights, &SweepOptions::new())? {
    ///     match cut.error {
    ///         None => println!("{}", client.get_play_url("main-stage", &cut.playlist, 3600)?),
    ///         Some(error) => eprintln!("{}: {error}", cut.name),
    ///     }
    /// }
    /// # Ok::<(), osslive::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the channel's history or status cannot be read, as
    /// [`get_channel_history`](Self::get_channel_history).
    pub fn create_highlights(
        &self,
        id: &str,
        highlights: &[Highlight],
        options: &SweepOptions<'_>,
    ) -> Result<Vec<HighlightResult>> {
        let sessions = self.sessions(id)?;
        let until = options.bounds.time_limit.map(|limit| (Instant::now(), limit));
        let is_late = || until.is_some_and(|(started, limit)| started.elapsed() >= limit);
        let mut written = HashSet::new();
        let mut results = Vec::with_capacity(highlights.len());
        for highlight in highlights {
            let mut result = HighlightResult {
                name: highlight.name.clone(),
                playlist: highlight.playlist(),
                start: None,
                end: None,
                error: None,
            };
            result.error = if options.stop.is_stopped() || is_late() {
                Some(not_reached())
            } else if written.contains(&result.playlist) {
                Some(Error::invalid("duplicate playlist: an earlier highlight uses it"))
            } else {
                self.cut(id, highlight, &sessions, &mut result).err()
            };
            if result.error.is_none() {
                written.insert(result.playlist.clone());
            }
            results.push(result);
            options.report(Progress { done: results.len(), total: highlights.len() });
        }
        Ok(results)
    }

    fn cut(
        &self,
        id: &str,
        highlight: &Highlight,
        sessions: &Sessions,
        result: &mut HighlightResult,
    ) -> Result<()> {
        let (start, end) = whole_seconds(highlight.clip(sessions)?);
        let time = |seconds| OffsetDateTime::from_unix_timestamp(seconds).ok();
        (result.start, result.end) = (time(start), time(end));
        self.create_vod(id, &result.playlist, &VodTime::new(start, end)).map(drop)
    }
}

impl Highlight {
    /// Returns the part of the highlight that was recorded.
    fn clip(&self, sessions: &Sessions) -> Result<Times> {
        let (start, end) = match self.span {
            Span::Times(start, end) if start >= end => {
                return Err(Error::invalid("the end of the highlight must be after its start"));
            }
            Span::Times(start, end) => {
                let clipped = sessions.clip(start, end);
                return clipped.ok_or_else(|| nothing("between these times"));
            }
            Span::OfSession(from, to) => {
                let session = sessions.session(self.session)?;
                (from.of(session), to.of(session))
            }
        };
        if start < end { Ok((start, end)) } else { Err(nothing("in this part of the session")) }
    }
}

impl Edge {
    /// Returns the point in time, inside the session.
    fn of(self, (start, end): (OffsetDateTime, OffsetDateTime)) -> OffsetDateTime {
        match self {
            Edge::AfterStart(offset) => start.saturating_add(signed(offset)).min(end),
            Edge::BeforeEnd(offset) => end.saturating_sub(signed(offset)).max(start),
        }
    }
}

fn signed(offset: Duration) -> time::Duration {
    time::Duration::try_from(offset).unwrap_or(time::Duration::MAX)
}

fn not_reached() -> Error {
    Error::new(ErrorKind::Stopped, "skipped: the operation was stopped")
}

fn nothing(of_what: &str) -> Error {
    let message = format!("nothing was recorded {of_what}");
    Error::invalid(message).with_code(code::NOTHING_RECORDED)
}

/// Returns the whole seconds that cover a span. A span of exactly a day stays a day.
fn whole_seconds((start, end): (OffsetDateTime, OffsetDateTime)) -> (i64, i64) {
    let whole = start.unix_timestamp();
    let rounding = i64::from(end.nanosecond() > 0);
    let covering = end.unix_timestamp() + rounding;
    let latest_end = if end - start <= DAY { whole + DAY.as_secs() as i64 } else { i64::MAX };
    (whole, covering.min(latest_end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::SessionRecord;
    use time::macros::datetime;

    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3600);
    const EVENING: OffsetDateTime = datetime!(2026-05-09 18:00 UTC);
    const NIGHT: OffsetDateTime = datetime!(2026-05-09 22:00 UTC);

    /// Returns two sessions: an hour in the evening, half an hour at night.
    fn sessions() -> Sessions {
        Sessions::of(
            &[
                SessionRecord::new(EVENING, EVENING + HOUR, "a"),
                SessionRecord::new(NIGHT, NIGHT + 30 * MINUTE, "a"),
            ],
            None,
        )
    }

    fn clip(highlight: Highlight) -> Result<(OffsetDateTime, OffsetDateTime)> {
        highlight.clip(&sessions())
    }

    fn error_of(highlight: Highlight) -> String {
        clip(highlight).unwrap_err().message().to_owned()
    }

    #[test]
    fn offsets_count_from_the_start_of_the_latest_session() {
        let span = clip(Highlight::new("h", MINUTE, 5 * MINUTE)).unwrap();
        assert_eq!(span, (NIGHT + MINUTE, NIGHT + 5 * MINUTE));
    }

    #[test]
    fn a_session_is_selected_by_a_time_within_it() {
        for time_in_session in [EVENING, EVENING + MINUTE, EVENING + HOUR] {
            let span =
                clip(Highlight::new("h", MINUTE, 5 * MINUTE).of_session(time_in_session)).unwrap();
            assert_eq!(span, (EVENING + MINUTE, EVENING + 5 * MINUTE));
        }
        let none = Highlight::new("h", MINUTE, 5 * MINUTE).of_session(EVENING + 2 * HOUR);
        assert!(error_of(none).contains("no known session"), "a session was found");
    }

    #[test]
    fn if_one_session_ends_in_the_second_another_starts_the_later_one_is_selected() {
        let records = [(EVENING, EVENING), (EVENING, EVENING + HOUR)]
            .map(|(a, b)| SessionRecord::new(a, b, "a"));
        let highlight = Highlight::new("h", Duration::ZERO, MINUTE).of_session(EVENING);
        let span = highlight.clip(&Sessions::of(&records, None)).unwrap();
        assert_eq!(span, (EVENING, EVENING + MINUTE));
    }

    #[test]
    fn the_current_session_is_the_latest() {
        let now = NIGHT + 2 * HOUR;
        let live = Some((NIGHT + HOUR, now));
        let sessions = Sessions::of(&[], live);
        let closing = Highlight::closing("h", 10 * MINUTE);
        assert_eq!(closing.clip(&sessions).unwrap(), (now - 10 * MINUTE, now));
        // It ended between the two requests: the history has its end.
        let record = SessionRecord::new(NIGHT + HOUR, NIGHT + HOUR + MINUTE, "a");
        assert_eq!(Sessions::of(&[record], live).sessions.len(), 1);
        // An earlier one started in the same second.
        let record = SessionRecord::new(NIGHT + HOUR, NIGHT + HOUR, "a");
        assert_eq!(Sessions::of(&[record], live).sessions.len(), 2);
    }

    #[test]
    fn highlights_are_clipped_to_the_session() {
        let opening = clip(Highlight::new("h", 20 * MINUTE, 90 * MINUTE)).unwrap();
        assert_eq!(opening, (NIGHT + 20 * MINUTE, NIGHT + 30 * MINUTE));
        let closing = clip(Highlight::closing("h", HOUR)).unwrap();
        assert_eq!(closing, (NIGHT, NIGHT + 30 * MINUTE));
        let all = clip(Highlight::new("h", Duration::ZERO, Duration::MAX)).unwrap();
        assert_eq!(all, (NIGHT, NIGHT + 30 * MINUTE));
        assert_eq!(clip(Highlight::closing("h", Duration::MAX)).unwrap(), all);
    }

    #[test]
    fn each_edge_is_an_offset_from_its_end_of_the_session() {
        let span = |start, end| clip(Highlight::within("h", start, end));
        let (after, before) = (Edge::AfterStart, Edge::BeforeEnd);
        let late = span(before(10 * MINUTE), before(2 * MINUTE)).unwrap();
        assert_eq!(late, (NIGHT + 20 * MINUTE, NIGHT + 28 * MINUTE));
        let inner = span(after(MINUTE), before(MINUTE)).unwrap();
        assert_eq!(inner, (NIGHT + MINUTE, NIGHT + 29 * MINUTE));
        assert!(span(after(20 * MINUTE), before(20 * MINUTE)).is_err());
    }

    #[test]
    fn an_empty_highlight_is_an_error() {
        for empty in [
            Highlight::new("h", HOUR, 2 * HOUR),
            Highlight::new("h", Duration::MAX, Duration::MAX),
            Highlight::new("h", 2 * MINUTE, MINUTE),
            Highlight::closing("h", Duration::ZERO),
            Highlight::between("h", NIGHT - HOUR, NIGHT),
            Highlight::between("h", NIGHT + HOUR, NIGHT + 2 * HOUR),
        ] {
            assert!(error_of(empty.clone()).contains("nothing"), "{empty:?}");
        }
        let backwards = Highlight::between("h", NIGHT + MINUTE, NIGHT);
        assert!(error_of(backwards).contains("end"));
        let empty = Sessions::of(&[], None);
        let error = Highlight::closing("h", HOUR).clip(&empty).unwrap_err();
        assert!(error.message().contains("no session"), "{error}");
    }

    #[test]
    fn times_are_clipped_to_the_sessions_they_overlap() {
        let both = Highlight::between("h", EVENING - HOUR, NIGHT + 10 * MINUTE);
        assert_eq!(clip(both).unwrap(), (EVENING, NIGHT + 10 * MINUTE));
        let one = Highlight::between("h", EVENING + 30 * MINUTE, NIGHT);
        assert_eq!(clip(one).unwrap(), (EVENING + 30 * MINUTE, EVENING + HOUR));
        let inside = (NIGHT + MINUTE, NIGHT + 2 * MINUTE);
        assert_eq!(clip(Highlight::between("h", inside.0, inside.1)).unwrap(), inside);
    }

    #[test]
    fn times_before_a_full_history_are_left_to_the_service() {
        let records: Vec<_> = (0..10)
            .map(|day| EVENING + 24 * day * HOUR)
            .map(|start| SessionRecord::new(start, start + HOUR, "a"))
            .collect();
        let full = Sessions::of(&records, None);
        let clip = |start, end| Highlight::between("h", start, end).clip(&full).unwrap();
        let (long_ago, since) = (EVENING - 3 * HOUR, EVENING - 2 * HOUR);
        assert_eq!(clip(long_ago, since), (long_ago, since));
        assert_eq!(clip(since, EVENING + 2 * HOUR), (since, EVENING + HOUR));
        let few = Sessions::of(&records[1..], None);
        assert!(Highlight::between("h", long_ago, since).clip(&few).is_err());
    }

    #[test]
    fn spans_are_extended_to_whole_seconds() {
        let part = time::Duration::milliseconds(400);
        let start = EVENING.unix_timestamp();
        assert_eq!(whole_seconds((EVENING + part, EVENING + part * 2)), (start, start + 1));
        assert_eq!(whole_seconds((EVENING, EVENING + MINUTE)), (start, start + 60));
        assert_eq!(whole_seconds((EVENING + part, EVENING + part + DAY)), (start, start + 86_400));
        let longer = whole_seconds((EVENING, EVENING + DAY + part));
        assert_eq!(longer, (start, start + 86_401));
    }

    #[test]
    fn a_playlist_is_named_after_its_highlight() {
        let playlist = |name: &str| Highlight::closing(name, HOUR).playlist();
        assert_eq!(playlist("opening"), "opening.m3u8");
        assert_eq!(playlist("opening.m3u8"), "opening.m3u8");
    }
}
