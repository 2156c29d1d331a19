//! The configuration of a channel in a file, field by field.

use osslive::{Channel, ChannelConfig, ChannelState, Snapshot, operation};
use serde_json::{Value, json};

/// Channels with their configurations, in the order of the file.
pub(super) type Channels = Vec<(String, Configuration)>;

/// The complete configuration of a channel. Missing fields use their defaults.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Configuration {
    pub(super) description: String,
    pub(super) status: ChannelState,
    pub(super) frag_duration: u32,
    pub(super) frag_count: u32,
    pub(super) playlist_name: String,
    pub(super) snapshot: Option<Snapshot>,
}

impl Default for Configuration {
    fn default() -> Self {
        Configuration {
            description: String::new(),
            status: ChannelState::Enabled,
            frag_duration: 5,
            frag_count: 3,
            playlist_name: "playlist.m3u8".to_owned(),
            snapshot: None,
        }
    }
}

impl Configuration {
    /// Converts it to the SDK's type.
    pub(super) fn to_config(&self) -> ChannelConfig {
        let config = ChannelConfig::default()
            .description(&self.description)
            .state(self.status)
            .frag_duration(self.frag_duration)
            .frag_count(self.frag_count)
            .playlist_name(&self.playlist_name);
        match &self.snapshot {
            Some(snapshot) => config.snapshot(snapshot.clone()),
            None => config,
        }
    }

    /// Checks the rules that the SDK enforces.
    pub(super) fn check(&self) -> Result<(), String> {
        let call = operation::put_channel("id", &self.to_config());
        call.map(drop).map_err(|error| error.message().to_owned())
    }
}

/// A field that the service reports, so that it can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Description,
    Status,
    FragDuration,
    FragCount,
    PlaylistName,
}

impl Field {
    pub(super) const ALL: [Field; 5] = [
        Field::Description,
        Field::Status,
        Field::FragDuration,
        Field::FragCount,
        Field::PlaylistName,
    ];

    /// Parses the name of a field, in any common spelling.
    pub(super) fn of(name: &str) -> Option<Self> {
        // The service has no name, only the description.
        let name = match &*plain(name) {
            "name" => "description".to_owned(),
            plain => plain.to_owned(),
        };
        Self::ALL.into_iter().find(|field| field.name().to_lowercase() == name)
    }

    /// Returns its name in JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            Field::Description => "description",
            Field::Status => "status",
            Field::FragDuration => "fragDuration",
            Field::FragCount => "fragCount",
            Field::PlaylistName => "playlistName",
        }
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Field::FragDuration | Field::FragCount)
    }

    /// Sets the field to a value from a file.
    ///
    /// # Errors
    ///
    /// The value itself is invalid, regardless of other fields.
    pub(super) fn set(self, configuration: &mut Configuration, text: &str) -> Result<(), String> {
        // On its own, so that an error is about this field.
        let mut alone = Configuration::default();
        self.assign(&mut alone, text)?;
        alone.check()?;
        self.assign(configuration, text)
    }

    fn assign(self, configuration: &mut Configuration, text: &str) -> Result<(), String> {
        let number = || text.parse().map_err(|_| format!("{text:?}: must be a whole number"));
        match self {
            Field::Description => configuration.description = text.to_owned(),
            Field::Status => configuration.status = state(text)?,
            Field::FragDuration => configuration.frag_duration = number()?,
            Field::FragCount => configuration.frag_count = number()?,
            Field::PlaylistName => configuration.playlist_name = text.to_owned(),
        }
        Ok(())
    }

    /// Returns the desired value.
    pub(super) fn wanted(self, configuration: &Configuration) -> Value {
        match self {
            Field::Description => json!(configuration.description),
            Field::Status => json!(configuration.status),
            Field::FragDuration => json!(configuration.frag_duration),
            Field::FragCount => json!(configuration.frag_count),
            Field::PlaylistName => json!(configuration.playlist_name),
        }
    }

    /// Returns the channel's current value, if the service reports it.
    pub(super) fn reported(self, channel: &Channel) -> Option<Value> {
        let number = |value| (value != 0).then(|| json!(value));
        match self {
            Field::Description => Some(json!(channel.description)),
            Field::Status => Some(json!(channel.status)),
            Field::FragDuration => number(channel.frag_duration),
            Field::FragCount => number(channel.frag_count),
            Field::PlaylistName => {
                let name = &channel.playlist_name;
                (!name.is_empty()).then(|| json!(name))
            }
        }
    }
}

fn state(text: &str) -> Result<ChannelState, String> {
    match &*text.to_lowercase() {
        "enabled" => Ok(ChannelState::Enabled),
        "disabled" => Ok(ChannelState::Disabled),
        _ => Err(format!("status {text:?}: must be enabled or disabled")),
    }
}

/// Normalizes a field name, so that its spellings are equal.
pub(super) fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| !matches!(c, '-' | '_' | ' '));
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_sdk() {
        let ours = Configuration::default().to_config();
        assert_eq!(ours, ChannelConfig::default().description(""));
    }

    #[test]
    fn every_field_reaches_the_sdk() {
        let ours = Configuration {
            description: "Main".to_owned(),
            status: ChannelState::Disabled,
            frag_duration: 2,
            frag_count: 7,
            playlist_name: "live.m3u8".to_owned(),
            snapshot: Some(Snapshot::new("role", "shots", "topic", 9)),
        };
        let theirs = ChannelConfig::default()
            .description("Main")
            .state(ChannelState::Disabled)
            .frag_duration(2)
            .frag_count(7)
            .playlist_name("live.m3u8")
            .snapshot(Snapshot::new("role", "shots", "topic", 9));
        assert_eq!(ours.to_config(), theirs);
    }

    #[test]
    fn fields_are_recognized_in_every_common_spelling() {
        for name in ["fragDuration", "frag_duration", "Frag Duration", "FRAG-DURATION"] {
            assert_eq!(Field::of(name), Some(Field::FragDuration), "{name}");
        }
        assert_eq!(Field::of("name"), Field::of("Description"));
        assert_eq!(Field::of("id"), None);
    }

    #[test]
    fn each_field_rejects_its_own_invalid_values() {
        let mut configuration = Configuration { frag_count: 0, ..Configuration::default() };
        Field::FragDuration.set(&mut configuration, "2").expect("the count is not checked here");
        let message = Field::FragDuration.set(&mut configuration, "101").expect_err("too long");
        assert!(message.contains("101"), "{message}");
        assert_eq!(configuration.frag_duration, 2, "a mistake changes nothing");
    }
}
