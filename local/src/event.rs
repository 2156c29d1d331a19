//! Events of an endpoint, for logs, the web page and tests.

use serde::Serialize;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use time::OffsetDateTime;

/// The maximum length of a string in an event, in characters; longer ones are
/// truncated.
const MAX_TEXT: usize = 300;

/// The severity of an event, the most severe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The endpoint itself failed, such as on a full disk.
    Error,
    /// Something was rejected, disconnected or lost.
    Warn,
    /// A session or the endpoint started or ended; other failed requests.
    Info,
    /// Everything else: successful requests, and requests for missing resources.
    Debug,
}

impl Level {
    /// All levels, the most severe first.
    pub const ALL: [Level; 4] = [Level::Error, Level::Warn, Level::Info, Level::Debug];

    /// Returns the name, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Level::ALL.into_iter().find(|level| level.as_str() == text);
        found.ok_or_else(|| format!("log level {text:?}: must be error, warn, info or debug"))
    }
}

/// The kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EventKind {
    /// The endpoint started listening.
    Start,
    /// The endpoint stopped.
    Stop,
    /// An HTTP request was handled, successfully or not.
    Request,
    /// A publisher was accepted.
    Publish,
    /// A publisher was rejected, at once or after its first messages.
    Refusal,
    /// A notice about a live stream: a track ended, or messages were dropped.
    Stream,
    /// A publisher that was live has ended or disconnected.
    End,
    /// Events were lost because the observer is too slow.
    Lost,
}

impl EventKind {
    /// Returns the name, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::Start => "start",
            EventKind::Stop => "stop",
            EventKind::Request => "request",
            EventKind::Publish => "publish",
            EventKind::Refusal => "refusal",
            EventKind::Stream => "stream",
            EventKind::End => "end",
            EventKind::Lost => "lost",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Something that happened at an endpoint, see
/// [`Config::on_event`](crate::Config::on_event).
///
/// It contains no secrets: queries are omitted, and keys, tokens and signatures
/// that the endpoint knows are redacted. Names and messages may come from peers
/// and contain control characters; each is at most 300 characters long.
///
/// In JSON it is an object with names in camelCase; absent values are omitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Event {
    /// When it happened, by the endpoint's clock, in whole milliseconds.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// How severe it is.
    pub level: Level,
    /// What happened.
    pub kind: EventKind,
    /// The peer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<SocketAddr>,
    /// The access key id in a request or a publish URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The method of a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The operation of a request, as the service names it, such as `GetLiveChannelStat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// The channel of a publisher, or the key of a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The code of an error, such as `NoSuchLiveChannel`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// The detailed error code, such as `0026-00000021`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ec: Option<&'static str>,
    /// The id of a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// A message for humans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The duration of a request or a session, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// The number of events that were lost, or of messages that were dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl Event {
    /// Returns an event without any details.
    pub(crate) fn new(time: OffsetDateTime, level: Level, kind: EventKind) -> Self {
        let time = time.replace_millisecond(time.millisecond()).unwrap_or(time);
        Event {
            time,
            level,
            kind,
            remote: None,
            access_key_id: None,
            method: None,
            operation: None,
            bucket: None,
            key: None,
            status: None,
            code: None,
            ec: None,
            request_id: None,
            message: None,
            duration_ms: None,
            count: None,
        }
    }

    /// Returns the strings that may come from peers.
    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let Event { access_key_id, method, bucket, key, message, .. } = self;
        [access_key_id, method, bucket, key, message].into_iter().flatten()
    }

    /// Redacts these secrets in every string, and truncates each.
    pub(crate) fn redact(&mut self, secrets: &[String]) {
        for text in self.texts() {
            for secret in secrets {
                if text.contains(secret.as_str()) {
                    *text = text.replace(secret.as_str(), "***");
                }
            }
            if let Some((end, _)) = text.char_indices().nth(MAX_TEXT) {
                text.truncate(end);
                text.push('…');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event::new(OffsetDateTime::UNIX_EPOCH, Level::Warn, EventKind::Refusal)
    }

    #[test]
    fn a_level_round_trips_through_its_name() {
        for level in Level::ALL {
            assert_eq!(level.to_string().parse(), Ok(level));
        }
        assert!("loud".parse::<Level>().unwrap_err().contains("\"loud\""));
        assert!(Level::Error < Level::Debug, "the most severe comes first");
    }

    #[test]
    fn absent_values_are_omitted_in_json() {
        let event = Event { key: Some("cam".into()), ec: Some("0002-00000807"), ..event() };
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"time":"1970-01-01T00:00:00Z","level":"warn","kind":"refusal","key":"cam","ec":"0002-00000807"}"#
        );
    }

    #[test]
    fn secrets_are_redacted_in_every_string() {
        let text = || Some("a hunter2 b hunter2".to_owned());
        let mut event =
            Event { method: text(), bucket: text(), key: text(), message: text(), ..event() };
        event.redact(&["hunter2".into(), "other".into()]);
        assert!(event.texts().all(|text| text == "a *** b ***"));
    }

    #[test]
    fn strings_are_truncated_after_secrets_are_redacted() {
        let mut event = Event { message: Some("é".repeat(298) + "hunter2"), ..event() };
        event.redact(&["hunter2".into()]);
        assert_eq!(event.message.unwrap(), "é".repeat(298) + "**…");
    }
}
