//! Events: changes of channels, as they are delivered.

use osslive::{Change, ChangeKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use uuid::Uuid;

/// A change of a channel. Receivers get its JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Event {
    /// The same in each delivery attempt.
    pub(super) id: String,
    pub(super) event: Kind,
    pub(super) bucket: String,
    pub(super) channel: String,
    /// When the change was noticed.
    #[serde(with = "time::serde::rfc3339")]
    pub(super) time: OffsetDateTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
    /// Further details of the change, such as `remoteAddr`.
    #[serde(flatten)]
    pub(super) details: Map<String, Value>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Live,
    Idle,
    Disabled,
    Enabled,
    NewPublisher,
    Degraded,
    Recovered,
    Gone,
    Created,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Kind::Live => "live",
            Kind::Idle => "idle",
            Kind::Disabled => "disabled",
            Kind::Enabled => "enabled",
            Kind::NewPublisher => "new-publisher",
            Kind::Degraded => "degraded",
            Kind::Recovered => "recovered",
            Kind::Gone => "gone",
            Kind::Created => "created",
        }
    }
}

/// What is degraded or recovered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Reason {
    BitRate,
    FrameRate,
}

impl Reason {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Reason::BitRate => "bit-rate",
            Reason::FrameRate => "frame-rate",
        }
    }
}

impl Event {
    /// Creates an event from a change, with its own id. A status that cannot be
    /// read is a problem of the monitor, not a change of the channel.
    pub(super) fn of(change: &Change, bucket: &str) -> Option<Event> {
        let (event, reason) = kind(&change.kind)?;
        let details = match serde_json::to_value(&change.kind) {
            Ok(Value::Object(mut details)) => {
                details.remove("change");
                details
            }
            _ => Map::new(),
        };
        Some(Event {
            id: Uuid::now_v7().to_string(),
            event,
            bucket: bucket.to_owned(),
            channel: change.id.clone(),
            time: change.time,
            reason,
            details,
        })
    }

    /// Returns the event as delivered.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn kind(kind: &ChangeKind) -> Option<(Kind, Option<Reason>)> {
    Some(match kind {
        ChangeKind::WentLive { .. } => (Kind::Live, None),
        ChangeKind::WentIdle => (Kind::Idle, None),
        ChangeKind::Disabled => (Kind::Disabled, None),
        ChangeKind::Enabled => (Kind::Enabled, None),
        ChangeKind::NewPublisher { .. } => (Kind::NewPublisher, None),
        ChangeKind::BandwidthLow { .. } => (Kind::Degraded, Some(Reason::BitRate)),
        ChangeKind::BandwidthRecovered { .. } => (Kind::Recovered, Some(Reason::BitRate)),
        ChangeKind::FrameRateFell { .. } => (Kind::Degraded, Some(Reason::FrameRate)),
        ChangeKind::Gone => (Kind::Gone, None),
        ChangeKind::Created => (Kind::Created, None),
        // Failing, recovered, and what later versions add.
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(change: Value) -> Option<Event> {
        let mut whole = json!({ "id": "cam", "time": "2026-05-01T19:30:00Z" });
        whole.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        Event::of(&serde_json::from_value(whole).unwrap(), "live-demo")
    }

    #[test]
    fn an_event_says_what_happened_where_and_when() {
        let event = event(json!({ "change": "wentLive", "remoteAddr": "203.0.113.9:1" })).unwrap();
        let mut value: Value = serde_json::from_str(&event.json()).unwrap();
        let id = value.as_object_mut().unwrap().remove("id").unwrap();
        assert_eq!(id.as_str().unwrap().len(), 36);
        let expected = json!({
            "event": "live", "bucket": "live-demo", "channel": "cam",
            "time": "2026-05-01T19:30:00Z", "remoteAddr": "203.0.113.9:1",
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn every_change_is_an_event_except_an_unreadable_status() {
        let error = json!({ "kind": "timeout", "message": "late", "attempts": 3 });
        let rate = |change: &str| json!({ "change": change, "bandwidth": 9, "limit": 10 });
        for (change, name, reason) in [
            (json!({ "change": "wentIdle" }), "idle", None),
            (json!({ "change": "disabled" }), "disabled", None),
            (json!({ "change": "enabled" }), "enabled", None),
            (json!({ "change": "newPublisher", "from": "a", "to": "b" }), "new-publisher", None),
            (rate("bandwidthLow"), "degraded", Some("bit-rate")),
            (rate("bandwidthRecovered"), "recovered", Some("bit-rate")),
            (
                json!({ "change": "frameRateFell", "from": 30, "to": 9 }),
                "degraded",
                Some("frame-rate"),
            ),
            (json!({ "change": "gone" }), "gone", None),
            (json!({ "change": "created" }), "created", None),
        ] {
            let event = event(change).unwrap();
            assert_eq!((event.event.as_str(), event.reason.map(Reason::as_str)), (name, reason));
            let value = serde_json::to_value(&event).unwrap();
            assert_eq!(value["event"], name, "it is spelled the same in JSON");
            assert_eq!(value.get("reason").and_then(Value::as_str), reason);
        }
        assert!(event(json!({ "change": "failing", "error": error })).is_none());
        assert!(event(json!({ "change": "recovered" })).is_none());
    }

    #[test]
    fn event_ids_are_unique() {
        let ids: std::collections::HashSet<String> =
            (0..1000).map(|_| event(json!({ "change": "wentIdle" })).unwrap().id).collect();
        assert_eq!(ids.len(), 1000);
    }
}
