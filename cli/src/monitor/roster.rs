//! Determines which channels are monitored.

use crate::failure::Outcome;
use osslive::{Change, ChannelMonitor, Client, Watch};
use std::collections::HashSet;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// Either the named channels, or all existing ones, which are listed from time to
/// time.
#[derive(Debug)]
pub(super) enum Roster {
    Named(Vec<String>),
    Listed { prefix: String, interval: Duration, due: Instant },
}

/// What happened to the channels that are no longer monitored.
#[derive(Debug, Default)]
pub(super) struct Departed {
    /// They were deleted.
    pub(super) changes: Vec<Change>,
    /// They are no longer monitored.
    pub(super) ids: Vec<String>,
}

impl Departed {
    pub(super) fn extend(&mut self, other: Departed) {
        self.changes.extend(other.changes);
        self.ids.extend(other.ids);
    }
}

impl Roster {
    /// The current channels.
    pub(super) fn ids(&self, client: &Client) -> Outcome<Vec<String>> {
        match self {
            Roster::Named(ids) => Ok(ids.clone()),
            Roster::Listed { prefix, .. } => {
                let channels = client.channels(prefix);
                let names = channels.map(|channel| channel.map(|channel| channel.name));
                Ok(names.collect::<Result<_, _>>()?)
            }
        }
    }

    /// Lists the channels again if it is time to. An incomplete list changes
    /// nothing.
    pub(super) fn refresh(
        &mut self,
        client: &Client,
        monitor: &mut ChannelMonitor,
    ) -> Outcome<Departed> {
        match self {
            Roster::Listed { interval, due, .. } if Instant::now() >= *due => {
                *due = Instant::now() + *interval;
            }
            _ => return Ok(Departed::default()),
        }
        let ids = self.ids(client)?;
        let departed = self.compare(&ids, monitor.watch_mut(), OffsetDateTime::now_utc());
        monitor.set_channels(ids);
        Ok(departed)
    }

    /// Forgets channels that are not in `ids`. They count as deleted if a listing
    /// would have contained them.
    pub(super) fn compare(
        &self,
        ids: &[String],
        watch: &mut Watch,
        time: OffsetDateTime,
    ) -> Departed {
        let ids: HashSet<&str> = ids.iter().map(String::as_str).collect();
        let known = watch.known().map(|(id, _)| id);
        let mut left: Vec<String> =
            known.filter(|id| !ids.contains(id)).map(str::to_owned).collect();
        left.sort_unstable();
        let mut changes = Vec::new();
        for id in &left {
            match self {
                Roster::Listed { prefix, .. } if id.starts_with(prefix.as_str()) => {
                    changes.extend(watch.remove(id, time));
                }
                _ => {
                    watch.forget(id);
                }
            }
        }
        Departed { changes, ids: left }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use osslive::{KnownChannel, Limits};

    fn departed(roster: &Roster) -> (Vec<String>, Vec<String>) {
        let mut watch = Watch::new(Limits::new());
        for id in ["stage-1", "stage-2", "other"] {
            watch.restore(id, KnownChannel::default());
        }
        let ids = ["stage-1".to_owned(), "stage-3".to_owned()];
        let departed = roster.compare(&ids, &mut watch, OffsetDateTime::UNIX_EPOCH);
        let known: Vec<_> = watch.known().map(|(id, _)| id).collect();
        assert_eq!(known, ["stage-1"]);
        (departed.changes.iter().map(ToString::to_string).collect(), departed.ids)
    }

    #[test]
    fn a_channel_that_is_no_longer_listed_is_gone() {
        let prefix = "stage-".to_owned();
        let listed = Roster::Listed { prefix, interval: Duration::ZERO, due: Instant::now() };
        let (changes, ids) = departed(&listed);
        assert_eq!(changes, ["stage-2 does not exist"], "other would not be listed");
        assert_eq!(ids, ["other", "stage-2"]);
    }

    #[test]
    fn a_channel_that_is_no_longer_named_is_forgotten() {
        let (changes, ids) = departed(&Roster::Named(Vec::new()));
        assert!(changes.is_empty(), "{changes:?}");
        assert_eq!(ids, ["other", "stage-2"]);
    }
}
