//! The channels of a bucket: settings, sessions and history. Each channel is a
//! small file that is replaced as a whole before a call returns.

use super::connection::Connection;
use super::fault::{disk_fault, no_such_bucket};
use super::file::{self, Scratch};
use super::fragment::Line;
use super::mutex::lock;
use super::own;
use super::path::Naming;
use super::record::{ChannelSettings, SessionRecord, Stat};
use crate::fault::Fault;
use crate::validate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use time::OffsetDateTime;

/// How many finished sessions the history keeps.
const HISTORY: usize = 10;

/// A channel and its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The name, unique in its bucket.
    pub name: String,
    /// Its configuration.
    pub settings: ChannelSettings,
    /// When the configuration, or the status in it, last changed.
    pub last_modified: OffsetDateTime,
}

/// One page of channels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelPage {
    /// The channels, by name in byte order.
    pub channels: Vec<Channel>,
    /// The last name of this page when more follow.
    pub next_marker: Option<String>,
}

/// A channel in memory.
#[derive(Clone)]
struct Entry {
    settings: ChannelSettings,
    last_modified: OffsetDateTime,
    /// Finished sessions, oldest first.
    history: Vec<SessionRecord>,
    /// Sessions that have not ended: at most one is live, the others were
    /// disconnected and are completing their last fragment.
    open: Vec<Arc<Connection>>,
}

impl Entry {
    fn live(&self) -> Option<&Arc<Connection>> {
        self.open.iter().find(|connection| !connection.is_cut())
    }

    /// Moves a session into the history, before sessions that began after it but
    /// ended earlier. A session that only appears to have done so, because the
    /// clock was set back, counts as older.
    fn close(&mut self, record: SessionRecord) {
        let overtook = |other: &SessionRecord| (record.start..=record.end).contains(&other.start);
        let at = self.history.iter().rposition(|other| !overtook(other)).map_or(0, |at| at + 1);
        self.history.insert(at, record);
        let surplus = self.history.len().saturating_sub(HISTORY);
        self.history.drain(..surplus);
    }

    /// Checks whether a publisher would be accepted.
    fn admit(&self) -> Result<(), Fault> {
        if !self.settings.enabled {
            let message = "Live channel is disabled by owner.";
            return Err(Fault::new(409, "LiveChannelDisabled", message));
        }
        if self.live().is_some() {
            let message = "Live channel already has a publisher.";
            return Err(Fault::new(409, "ChannelStillLive", message).with_ec("0044-00000201"));
        }
        Ok(())
    }

    fn channel(&self, name: &str) -> Channel {
        Channel {
            name: name.to_owned(),
            settings: self.settings.clone(),
            last_modified: self.last_modified,
        }
    }
}

/// A channel on disk.
#[derive(Serialize, Deserialize)]
struct Saved {
    name: String,
    settings: ChannelSettings,
    #[serde(with = "time::serde::rfc3339")]
    last_modified: OffsetDateTime,
    history: Vec<SessionRecord>,
    /// Sessions that had not ended. If a process finds any at its start, they
    /// were interrupted.
    open: Vec<SavedSession>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SavedSession {
    #[serde(with = "time::serde::rfc3339")]
    start: OffsetDateTime,
    remote: SocketAddr,
    /// The start of the channel's newest fragment before it.
    pub(super) after_ms: u64,
    /// The live playlist that it wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) playlist: Option<String>,
}

/// The channels of one bucket.
pub(super) struct Channels {
    bucket: String,
    folder: PathBuf,
    scratch: Arc<Scratch>,
    naming: Naming,
    /// Locked while a channel's file is written, so that the files change in
    /// the order of the calls.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whether the bucket was deleted.
    gone: bool,
    entries: BTreeMap<String, Entry>,
}

impl State {
    fn find(&self, name: &str) -> Result<&Entry, Fault> {
        self.entries.get(name).ok_or_else(|| {
            let message = "The specified live channel does not exist.";
            Fault::new(404, "NoSuchLiveChannel", message).with_ec("0026-00000021")
        })
    }
}

impl Channels {
    pub(super) fn new(
        bucket: String,
        folder: PathBuf,
        scratch: Arc<Scratch>,
        naming: Naming,
    ) -> io::Result<Self> {
        own::ensure_folder(&folder)?;
        Ok(Channels { bucket, folder, scratch, naming, state: Mutex::default() })
    }

    /// Loads every channel. Interrupted sessions end with the newest fragment that
    /// `recover` finds for a channel and a session, or at their start if there is
    /// none.
    pub(super) fn load(
        &self,
        recover: impl Fn(&str, &SavedSession) -> io::Result<Option<Line>>,
    ) -> io::Result<()> {
        let folder = &self.folder;
        for file in fs::read_dir(folder).map_err(|error| own::at(folder, error))? {
            let path = file?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            if let Some(saved) = file::read_json(&path)? {
                self.restore(saved, &recover)?;
            }
        }
        Ok(())
    }

    fn restore(
        &self,
        saved: Saved,
        recover: impl Fn(&str, &SavedSession) -> io::Result<Option<Line>>,
    ) -> io::Result<()> {
        let Saved { name, settings, last_modified, history, open } = saved;
        let mut entry = Entry { settings, last_modified, history, open: Vec::new() };
        for session @ SavedSession { start, remote, .. } in &open {
            let end = recover(&name, session)?.and_then(|line| from_unix_ms(line.end_ms()));
            let end = end.map_or(*start, |end| end.max(*start));
            entry.close(SessionRecord { start: *start, end, remote: *remote });
        }
        if !open.is_empty() {
            self.save(&name, &entry)?;
        }
        lock(&self.state).entries.insert(name, entry);
        Ok(())
    }

    pub(super) fn put(
        &self,
        name: &str,
        settings: ChannelSettings,
        now: OffsetDateTime,
    ) -> Result<(), Fault> {
        let mut held = self.held()?;
        let old = held.entries.get(name);
        if old.is_some_and(|entry| entry.live().is_some()) {
            return Err(still_live());
        }
        let (history, open) = match old {
            Some(entry) => (entry.history.clone(), entry.open.clone()),
            None => (Vec::new(), Vec::new()),
        };
        let entry = Entry { settings, last_modified: now, history, open };
        self.save(name, &entry).map_err(disk_fault)?;
        held.entries.insert(name.to_owned(), entry);
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Result<Channel, Fault> {
        self.held()?.find(name).map(|entry| entry.channel(name))
    }

    pub(super) fn delete(&self, name: &str) -> Result<(), Fault> {
        let mut held = self.held()?;
        match held.entries.get(name) {
            None => Ok(()),
            Some(entry) if entry.live().is_some() => Err(still_live()),
            Some(_) => {
                file::remove(&self.path(name))
                    .and_then(|()| self.scratch.flush_folder(&self.folder))
                    .map_err(disk_fault)?;
                held.entries.remove(name);
                Ok(())
            }
        }
    }

    /// Changes the status. Returns the publisher that the caller must disconnect,
    /// without holding a lock.
    pub(super) fn set_enabled(
        &self,
        name: &str,
        enabled: bool,
        now: OffsetDateTime,
    ) -> Result<Option<Arc<Connection>>, Fault> {
        let mut held = self.held()?;
        let entry = held.find(name)?;
        if enabled && entry.live().is_some() {
            return Err(still_live());
        }
        // A publisher may have a grace period after it was disabled.
        if entry.settings.enabled == enabled && entry.live().is_none() {
            return Ok(None);
        }
        let mut next = entry.clone();
        next.settings.enabled = enabled;
        next.last_modified = now;
        self.save(name, &next).map_err(disk_fault)?;
        let publisher = next.live().filter(|publisher| !publisher.start_grace_period()).cloned();
        if let Some(publisher) = &publisher {
            publisher.mark_cut();
        }
        held.entries.insert(name.to_owned(), next);
        Ok(publisher)
    }

    pub(super) fn list(
        &self,
        prefix: &str,
        marker: &str,
        max: usize,
    ) -> Result<ChannelPage, Fault> {
        let held = self.held()?;
        let from = if marker < prefix { Bound::Included(prefix) } else { Bound::Excluded(marker) };
        // An empty marker excludes only the empty name, which no channel has.
        // Names that were allowed once, but can no longer be requested, are
        // not listed either.
        let mut matching = held
            .entries
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(|(name, _)| name.starts_with(prefix))
            .filter(|(name, _)| validate::check_channel(name).is_ok());
        let channels: Vec<_> =
            matching.by_ref().take(max).map(|(name, entry)| entry.channel(name)).collect();
        let next_marker = channels.last().filter(|_| matching.next().is_some());
        let next_marker = next_marker.map(|channel| channel.name.clone());
        Ok(ChannelPage { channels, next_marker })
    }

    pub(super) fn stat(&self, name: &str) -> Result<Stat, Fault> {
        let held = self.held()?;
        let entry = held.find(name)?;
        Ok(match entry.live() {
            _ if !entry.settings.enabled => Stat::Disabled,
            Some(connection) => connection.stat(),
            None => Stat::Idle,
        })
    }

    /// Returns the publisher of a channel.
    pub(super) fn publisher(&self, name: &str) -> Option<Arc<Connection>> {
        lock(&self.state).entries.get(name)?.live().cloned()
    }

    pub(super) fn history(&self, name: &str) -> Result<Vec<SessionRecord>, Fault> {
        self.held()?.find(name).map(|entry| entry.history.clone())
    }

    /// Returns the settings for a publisher, if it would be accepted now.
    pub(super) fn admit(&self, name: &str) -> Result<ChannelSettings, Fault> {
        let held = self.held()?;
        let entry = held.find(name)?;
        entry.admit().map(|()| entry.settings.clone())
    }

    /// Makes `connection` the channel's publisher.
    pub(super) fn begin(
        &self,
        name: &str,
        connection: &Arc<Connection>,
    ) -> Result<ChannelSettings, Fault> {
        let mut held = self.held()?;
        let entry = held.find(name)?;
        entry.admit()?;
        let mut next = entry.clone();
        next.open.push(connection.clone());
        self.save(name, &next).map_err(disk_fault)?;
        let settings = next.settings.clone();
        held.entries.insert(name.to_owned(), next);
        Ok(settings)
    }

    /// Ends a session that [`Channels::begin`] began, unless the channel was
    /// deleted since.
    pub(super) fn end(&self, name: &str, connection: &Arc<Connection>, now: OffsetDateTime) {
        let mut state = lock(&self.state);
        let Some(entry) = state.entries.get_mut(name) else { return };
        let Some(at) = entry.open.iter().position(|open| Arc::ptr_eq(open, connection)) else {
            return;
        };
        entry.open.remove(at);
        // A refused stream must not push real sessions out of the history.
        if !connection.is_refused() {
            entry.close(connection.record(now));
        }
        // If this fails, the session counts as interrupted at the next start.
        let _ = self.save(name, entry);
    }

    /// Closes the channels permanently if none are left and `then` succeeds.
    pub(super) fn retire(&self, then: impl FnOnce() -> io::Result<bool>) -> Result<bool, Fault> {
        let mut held = self.held()?;
        held.gone = held.entries.is_empty() && then().map_err(disk_fault)?;
        Ok(held.gone)
    }

    fn held(&self) -> Result<MutexGuard<'_, State>, Fault> {
        let state = lock(&self.state);
        if state.gone { Err(no_such_bucket(&self.bucket)) } else { Ok(state) }
    }

    fn save(&self, name: &str, entry: &Entry) -> io::Result<()> {
        let saved = Saved {
            name: name.to_owned(),
            settings: entry.settings.clone(),
            last_modified: entry.last_modified,
            history: entry.history.clone(),
            open: entry
                .open
                .iter()
                .map(|connection| SavedSession {
                    start: connection.connected,
                    remote: connection.remote,
                    after_ms: connection.after_ms,
                    playlist: Some(connection.playlist.clone()),
                })
                .collect(),
        };
        self.scratch.replace(&self.path(name), &serde_json::to_vec(&saved)?)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(self.naming.file(name, ".json"))
    }
}

fn still_live() -> Fault {
    Fault::new(
        409,
        "ChannelStillLive",
        "Live channel couldn't be updated or deleted when channel is live.",
    )
    .with_ec("0044-00000201")
}

fn from_unix_ms(ms: u64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).ok()
}
