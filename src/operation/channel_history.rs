//! GetLiveChannelHistory: the latest sessions of a channel.

use super::call::Call;
use super::check::channel_request;
use super::read::missing;
use super::reply::{Reply, ResponseInfo};
use crate::error::{Error, Result};
use crate::request::{Method, Request};
use crate::xml::Element;
use time::OffsetDateTime;

/// The last sessions of a channel, returned by `get_channel_history`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct ChannelHistory {
    /// At most ten finished sessions, oldest first.
    pub records: Vec<SessionRecord>,
    /// Describes the call.
    pub res: ResponseInfo,
}

/// A session of a publisher.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct SessionRecord {
    /// Start.
    #[cfg_attr(feature = "serde", serde(with = "time::serde::rfc3339"))]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Time"))]
    pub start_time: OffsetDateTime,
    /// End.
    #[cfg_attr(feature = "serde", serde(with = "time::serde::rfc3339"))]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Time"))]
    pub end_time: OffsetDateTime,
    /// The publisher's `IP:PORT`.
    pub remote_addr: String,
}

impl SessionRecord {
    /// Creates a session from `start_time` to `end_time` by the publisher at
    /// `remote_addr` (`IP:PORT`), to analyze records kept elsewhere.
    pub fn new(
        start_time: OffsetDateTime,
        end_time: OffsetDateTime,
        remote_addr: impl Into<String>,
    ) -> Self {
        SessionRecord { start_time, end_time, remote_addr: remote_addr.into() }
    }
}

/// GetLiveChannelHistory: returns the last sessions of a channel.
pub fn get_channel_history(id: &str) -> Result<Call<ChannelHistory>> {
    let request = channel_request(Method::Get, id)?.flag("live").param("comp", "history");
    Ok(Call::new(request, parse_get_channel_history))
}

fn parse_get_channel_history(_: &Request, reply: &Reply) -> Result<ChannelHistory> {
    reply.read("LiveChannelHistory", |root| {
        let elements = root.children().filter(|child| child.name() == "LiveRecord");
        let records = elements.enumerate().map(|(index, element)| {
            record(element).map_err(|error| {
                let message = format!("session {} of the history: {}", index + 1, error.message());
                Error::bad_reply(message)
            })
        });
        Ok(ChannelHistory { records: records.collect::<Result<_>>()?, res: reply.info() })
    })
}

fn record(element: Element<'_, '_>) -> Result<SessionRecord> {
    let (mut start, mut end, mut remote_addr) = (None, None, String::new());
    for child in element.children() {
        match child.name() {
            "StartTime" => start = Some(child.time()?),
            "EndTime" => end = Some(child.time()?),
            "RemoteAddr" => remote_addr = child.string(),
            _ => {}
        }
    }
    Ok(SessionRecord {
        start_time: start.ok_or_else(|| missing("StartTime"))?,
        end_time: end.ok_or_else(|| missing("EndTime"))?,
        remote_addr,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::reply::samples::ok;

    #[test]
    fn a_history_may_be_empty() {
        let history =
            get_channel_history("c").unwrap().parse(&ok("<LiveChannelHistory/>")).unwrap();
        assert_eq!(history.records, []);
    }

    #[test]
    fn a_history_lists_sessions_with_their_addresses() {
        let history = get_channel_history("c")
            .unwrap()
            .parse(&ok(
                "<LiveChannelHistory><LiveRecord><StartTime>2026-11-22T01:53:21.000Z</StartTime>\
             <EndTime>2026-11-22T01:53:31.000Z</EndTime><RemoteAddr>203.0.113.9:56861</RemoteAddr>\
             </LiveRecord></LiveChannelHistory>",
            ))
            .unwrap();
        let [record] = &history.records[..] else { panic!("{history:?}") };
        assert_eq!(record.end_time - record.start_time, time::Duration::seconds(10));
        assert_eq!(record.remote_addr, "203.0.113.9:56861");
    }

    #[test]
    fn a_session_without_valid_times_is_an_error_that_names_the_problem() {
        for (times, word) in [
            ("<EndTime>2026-11-22T01:53:31Z</EndTime>", "StartTime"),
            ("<StartTime>now</StartTime><EndTime>2026-11-22T01:53:31Z</EndTime>", "\"now\""),
        ] {
            let good = "<StartTime>2026-11-22T01:53:21Z</StartTime>\
                        <EndTime>2026-11-22T01:53:31Z</EndTime>";
            let document = format!(
                "<LiveChannelHistory><LiveRecord>{good}</LiveRecord>\
                 <LiveRecord>{times}</LiveRecord></LiveChannelHistory>"
            );
            let error = get_channel_history("c").unwrap().parse(&ok(&document)).unwrap_err();
            assert!(error.message().contains("session 2 of the history"), "{error}");
            assert!(error.message().contains(word), "{error}");
        }
    }
}
