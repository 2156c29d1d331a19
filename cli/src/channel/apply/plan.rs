//! The changes that bring channels in line with a file.

use crate::channel::configuration::{Channels, Configuration, Field};
use osslive::{Channel, ChannelState};
use serde::Serialize;
use serde_json::Value;

/// What to do with a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    /// Create it.
    Create,
    /// Replace its configuration, which a live channel does not allow.
    Change,
    /// Set its status, which can be done on its own.
    Enable,
    Disable,
    /// Delete it: it exists and has the file's prefix, but is not in the file.
    Delete,
    Unchanged,
}

impl Action {
    /// The actions, in the order in which they are executed.
    pub(super) const CHANGES: [Action; 5] =
        [Action::Create, Action::Change, Action::Enable, Action::Disable, Action::Delete];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Change => "change",
            Action::Enable => "enable",
            Action::Disable => "disable",
            Action::Delete => "delete",
            Action::Unchanged => "unchanged",
        }
    }

    /// Returns whether it causes a conflict while the channel is live.
    pub(super) fn needs_idle(self) -> bool {
        matches!(self, Action::Change | Action::Delete)
    }

    /// Returns whether it makes a difference that the channel is live.
    pub(super) fn concerns_publishers(self) -> bool {
        self.needs_idle() || self == Action::Disable
    }
}

/// A field that changes. A new channel has no previous value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Difference {
    pub(super) field: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<Value>,
    pub(super) to: Value,
}

/// A channel in the plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Step {
    pub(super) id: String,
    pub(super) action: Action,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) differences: Vec<Difference>,
    /// Whether it was live when the plan was made.
    #[serde(rename = "live", skip_serializing_if = "is_false")]
    pub(super) is_live: bool,
    /// The desired configuration; `None` for channels to delete.
    #[serde(skip)]
    pub(super) configuration: Configuration,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Compares the desired and existing channels, which are in the same order, and
/// adds the channels to delete.
pub(super) fn plan(wanted: Channels, found: &[Option<Channel>], surplus: Vec<String>) -> Vec<Step> {
    let compared = wanted.into_iter().zip(found);
    let compared =
        compared.map(|((id, configuration), found)| step(id, configuration, found.as_ref()));
    let deleted = surplus.into_iter().map(|id| Step {
        id,
        action: Action::Delete,
        differences: Vec::new(),
        is_live: false,
        configuration: Configuration::default(),
    });
    compared.chain(deleted).collect()
}

fn step(id: String, configuration: Configuration, found: Option<&Channel>) -> Step {
    let differences: Vec<_> =
        Field::ALL.into_iter().filter_map(|field| compare(field, &configuration, found)).collect();
    let action = match (found, &*differences) {
        (None, _) => Action::Create,
        (_, []) => Action::Unchanged,
        (_, [only]) if only.field == Field::Status.name() => match configuration.status {
            ChannelState::Enabled => Action::Enable,
            ChannelState::Disabled => Action::Disable,
        },
        _ => Action::Change,
    };
    Step { id, action, differences, is_live: false, configuration }
}

/// A field that the service does not report cannot differ.
fn compare(
    field: Field,
    configuration: &Configuration,
    found: Option<&Channel>,
) -> Option<Difference> {
    let to = field.wanted(configuration);
    let from = match found {
        Some(channel) => Some(field.reported(channel)?),
        None => None,
    };
    (from.as_ref() != Some(&to)).then(|| Difference { field: field.name(), from, to })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn channel(changes: &[(&str, Value)]) -> Channel {
        let mut channel = json!({
            "name": "cam", "description": "", "status": "enabled", "type": "HLS",
            "fragDuration": 5, "fragCount": 3, "playlistName": "playlist.m3u8",
            "publishUrls": [], "playUrls": [],
            "res": { "status": 200, "attempts": 1, "elapsedMs": 1 },
        });
        for (field, value) in changes {
            channel[field] = value.clone();
        }
        serde_json::from_value(channel).expect("a channel")
    }

    fn planned(configuration: Configuration, found: Option<Channel>) -> Step {
        let wanted = vec![("cam".to_owned(), configuration)];
        plan(wanted, &[found], Vec::new()).pop().expect("a step")
    }

    fn of(configuration: Configuration, changes: &[(&str, Value)]) -> (Action, Vec<Value>) {
        let step = planned(configuration, Some(channel(changes)));
        (step.action, step.differences.iter().map(|difference| json!(difference)).collect())
    }

    #[test]
    fn an_up_to_date_channel_is_left_alone() {
        assert_eq!(of(Configuration::default(), &[]), (Action::Unchanged, Vec::new()));
    }

    #[test]
    fn a_channel_that_does_not_exist_is_created() {
        let step = planned(Configuration::default(), None);
        assert_eq!((step.action, step.differences.len()), (Action::Create, Field::ALL.len()));
        assert!(step.differences.iter().all(|difference| difference.from.is_none()));
    }

    #[test]
    fn every_field_is_compared() {
        for (field, value) in [
            ("description", json!("old")),
            ("fragDuration", json!(2)),
            ("fragCount", json!(4)),
            ("playlistName", json!("old.m3u8")),
        ] {
            let (action, differences) = of(Configuration::default(), &[(field, value.clone())]);
            assert_eq!(action, Action::Change, "{field}");
            assert_eq!(
                (&differences[0]["field"], &differences[0]["from"]),
                (&json!(field), &value)
            );
            assert_eq!(differences.len(), 1);
        }
    }

    #[test]
    fn a_status_alone_is_set_without_replacing_the_channel() {
        let disabled =
            || Configuration { status: ChannelState::Disabled, ..Configuration::default() };
        let was_disabled = ("status", json!("disabled"));
        assert_eq!(of(disabled(), &[]).0, Action::Disable);
        assert_eq!(of(Configuration::default(), &[was_disabled]).0, Action::Enable);
        let (action, differences) = of(disabled(), &[("fragCount", json!(4))]);
        assert_eq!((action, differences.len()), (Action::Change, 2));
    }

    #[test]
    fn unreported_fields_are_not_differences() {
        let unreported =
            [("fragDuration", json!(0)), ("fragCount", json!(0)), ("playlistName", json!(""))];
        assert_eq!(of(Configuration::default(), &unreported).0, Action::Unchanged);
    }

    #[test]
    fn surplus_channels_are_deleted_last() {
        let wanted = vec![("cam".to_owned(), Configuration::default())];
        let steps = plan(wanted, &[None], vec!["old".to_owned()]);
        let steps: Vec<_> = steps.iter().map(|step| (&*step.id, step.action)).collect();
        assert_eq!(steps, [("cam", Action::Create), ("old", Action::Delete)]);
    }
}
