//! Events to be delivered to receivers, and what is known about the channels: in
//! memory, and on disk if there is a state.

use super::event::Event;
use super::journal::{Journal, Queued, Restored};
use super::queue::{Next, Number, Queue};
use crate::log::Log;
use osslive::{KnownChannel, Watch};
use serde_json::json;
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::BuildHasher;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// The maximum number of waiting events. Older ones are dropped.
const MOST_EVENTS: usize = 50_000;
/// How long the delivery of an event is retried.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The outcome of a delivery attempt.
#[derive(Debug)]
pub(super) enum Outcome {
    Delivered,
    /// To be retried, possibly not before a given time.
    Failed {
        why: String,
        retry_after: Option<Duration>,
    },
    /// The receiver rejected it.
    Refused(String),
    /// The monitor is stopping.
    Stopped,
}

/// The delivery statistics of a receiver.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    pub(super) queued: u64,
    pub(super) delivered: u64,
    pub(super) failures: u64,
    pub(super) dropped: u64,
}

#[derive(Debug)]
pub(super) struct Outbox {
    /// The names of the receivers in the state.
    names: Vec<String>,
    /// Their names in the log and in metrics.
    labels: Vec<String>,
    log: Log,
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug)]
struct Inner {
    journal: Option<Journal>,
    /// The channels in the state.
    recorded: HashSet<String>,
    /// The events that some receivers do not have yet, with their positions.
    open: BTreeMap<Number, (Arc<Event>, Vec<usize>)>,
    next: Number,
    queues: Vec<Queue>,
    counts: Vec<Counts>,
    is_stopped: bool,
}

impl Outbox {
    /// Creates an outbox for receivers, each with a stable name and a label.
    pub(super) fn new(receivers: Vec<(String, String)>, log: Log) -> Outbox {
        let (names, labels): (Vec<_>, Vec<_>) = receivers.into_iter().unzip();
        let inner = Inner {
            journal: None,
            recorded: HashSet::new(),
            open: BTreeMap::new(),
            next: 0,
            queues: names.iter().map(|_| Queue::default()).collect(),
            counts: vec![Counts::default(); names.len()],
            is_stopped: false,
        };
        Outbox { names, labels, log, inner: Mutex::new(inner), changed: Condvar::new() }
    }

    /// Continues with a state. Must be called first.
    pub(super) fn resume(&self, journal: Journal, restored: Restored) {
        let mut inner = self.lock();
        inner.journal = Some(journal);
        inner.recorded = restored.known.into_keys().collect();
        let mut dropped = 0;
        for queued in restored.events {
            let place = |name: &String| self.names.iter().position(|known| known == name);
            let receivers: Vec<usize> = queued.receivers.iter().filter_map(place).collect();
            dropped += queued.receivers.len() - receivers.len();
            if !receivers.is_empty() {
                inner.add(Arc::new(queued.event), receivers);
            }
        }
        drop(inner);
        if dropped > 0 {
            let message = "dropped events for receivers that are no longer configured";
            self.log.warn(message, json!({ "events": dropped }));
        }
    }

    /// Takes the events of a sweep, and what is known afterwards about the channels
    /// that are new or in `changed`. Both are on disk when this returns.
    pub(super) fn record(&self, events: Vec<Event>, changed: &[String], watch: &Watch) {
        let everyone: Vec<usize> = (0..self.names.len()).collect();
        let events = if everyone.is_empty() { Vec::new() } else { events };
        let mut inner = self.lock();
        if inner.journal.is_some() {
            let queued = events.iter().map(|event| queued(event, &everyone, &self.names)).collect();
            if let Err(error) = inner.save(queued, changed, watch, &self.names) {
                let message = "cannot write the state: events are delivered, but a restart may \
                               repeat them with new ids";
                self.log.error(message, json!({ "error": error.to_string() }));
            }
        }
        for event in events {
            inner.add(Arc::new(event), everyone.clone());
        }
        let dropped = inner.shrink(&self.names);
        drop(inner);
        if dropped > 0 {
            let message = "dropped the oldest events: too many are queued";
            self.log.error(message, json!({ "events": dropped, "limit": MOST_EVENTS }));
        }
        self.changed.notify_all();
    }

    /// Waits for the next event of a receiver; `None` when the monitor stops.
    pub(super) fn next(&self, receiver: usize) -> Option<(Number, Arc<Event>)> {
        let mut inner = self.lock();
        loop {
            if inner.is_stopped {
                return None;
            }
            let now = Instant::now();
            inner = match inner.queues[receiver].next(now) {
                Next::Deliver(number, event) => return Some((number, event)),
                Next::Wait => self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner),
                Next::WaitUntil(time) => {
                    let limit = time.saturating_duration_since(now);
                    let waited = self.changed.wait_timeout(inner, limit);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Records the outcome of an attempt.
    pub(super) fn settle(&self, receiver: usize, number: Number, event: &Event, outcome: Outcome) {
        let mut inner = self.lock();
        let name = &self.names[receiver];
        match outcome {
            Outcome::Stopped => {}
            Outcome::Delivered => {
                inner.counts[receiver].delivered += 1;
                inner.queues[receiver].delivered(number);
                inner.close(receiver, number, name);
            }
            Outcome::Failed { why, retry_after } if !is_old(event) => {
                inner.counts[receiver].failures += 1;
                inner.queues[receiver].failed(number, Instant::now(), retry_after, jitter());
                self.log_failure(receiver, event, &why, false);
            }
            Outcome::Failed { why, .. } | Outcome::Refused(why) => {
                inner.counts[receiver].failures += 1;
                inner.counts[receiver].dropped += 1;
                inner.queues[receiver].settle(number);
                inner.close(receiver, number, name);
                self.log_failure(receiver, event, &why, true);
            }
        }
        drop(inner);
        self.changed.notify_all();
    }

    fn log_failure(&self, receiver: usize, event: &Event, why: &str, is_dropped: bool) {
        let fields = json!({
            "receiver": self.labels[receiver], "event": event.event, "id": event.id,
            "channel": event.channel, "error": why,
        });
        match is_dropped {
            true => self.log.error("dropped an event", fields),
            false => self.log.warn("cannot deliver an event; will retry", fields),
        }
    }

    /// Ends all waiting, and returns how many deliveries are left and whether they
    /// are on disk.
    pub(super) fn stop(&self) -> (u64, bool) {
        let mut inner = self.lock();
        inner.is_stopped = true;
        let left = inner.queues.iter().map(|queue| queue.len() as u64).sum();
        self.changed.notify_all();
        (left, inner.journal.is_some())
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.lock().is_stopped
    }

    /// Returns the statistics of each receiver, with its label.
    pub(super) fn counts(&self) -> Vec<(String, Counts)> {
        let inner = self.lock();
        let counts = inner.counts.iter().zip(&inner.queues);
        let counts =
            counts.map(|(counts, queue)| Counts { queued: queue.len() as u64, ..counts.clone() });
        self.labels.iter().cloned().zip(counts).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn add(&mut self, event: Arc<Event>, receivers: Vec<usize>) {
        let number = self.next;
        self.next += 1;
        for receiver in &receivers {
            self.queues[*receiver].push(number, event.clone());
        }
        self.open.insert(number, (event, receivers));
    }

    /// Records that an event no longer needs to be delivered to a receiver.
    fn close(&mut self, receiver: usize, number: Number, name: &str) {
        let Some((event, receivers)) = self.open.get_mut(&number) else { return };
        receivers.retain(|other| *other != receiver);
        if let Some(journal) = &mut self.journal {
            // If this is lost, the receiver gets the event again after a restart.
            // The next sweep reports that the state cannot be written.
            let _ = journal.settle(&event.id, name);
        }
        if receivers.is_empty() {
            self.open.remove(&number);
        }
    }

    fn save(
        &mut self,
        events: Vec<Queued>,
        changed: &[String],
        watch: &Watch,
        names: &[String],
    ) -> std::io::Result<()> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        if journal.needs_replacement() {
            let open = self.open.values();
            let open = open.map(|(event, receivers)| queued(event, receivers, names));
            let all: Vec<Queued> = open.chain(events).collect();
            journal.replace(watch.known(), &all)?;
            self.recorded = watch.known().map(|(id, _)| id.to_owned()).collect();
            return Ok(());
        }
        let changed: BTreeSet<&str> = changed.iter().map(String::as_str).collect();
        let recorded = &mut self.recorded;
        let fresh: Vec<(&str, &KnownChannel)> = watch
            .known()
            .filter(|(id, _)| !recorded.contains(*id) && !changed.contains(*id))
            .collect();
        if fresh.is_empty() && changed.is_empty() && events.is_empty() {
            return Ok(());
        }
        journal.note(fresh.iter().copied())?;
        recorded.extend(fresh.iter().map(|(id, _)| (*id).to_owned()));
        let known = changed.into_iter().map(|id| (id.to_owned(), watch.get(id).cloned()));
        let known: Vec<(String, Option<KnownChannel>)> = known.collect();
        for (id, known) in &known {
            match known {
                Some(_) => recorded.insert(id.clone()),
                None => recorded.remove(id),
            };
        }
        journal.record(known, events)
    }

    /// Drops the oldest events until few enough are left; returns how many were dropped.
    fn shrink(&mut self, names: &[String]) -> usize {
        let mut dropped = 0;
        for (receiver, name) in names.iter().enumerate() {
            while self.queues[receiver].len() > MOST_EVENTS {
                let Some((number, _)) = self.queues[receiver].drop_oldest() else { break };
                self.counts[receiver].dropped += 1;
                self.close(receiver, number, name);
                dropped += 1;
            }
        }
        dropped
    }
}

fn queued(event: &Event, receivers: &[usize], names: &[String]) -> Queued {
    let receivers = receivers.iter().map(|receiver| names[*receiver].clone()).collect();
    Queued { event: event.clone(), receivers }
}

fn is_old(event: &Event) -> bool {
    OffsetDateTime::now_utc() - event.time > A_DAY
}

/// Returns a number from 0 to 1 that differs between processes.
fn jitter() -> f64 {
    // Each hasher has random keys.
    RandomState::new().hash_one(0u8) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Format;
    use osslive::Limits;
    use std::path::Path;
    use tempfile::TempDir;
    use time::OffsetDateTime;

    fn event(id: &str, channel: &str, time: OffsetDateTime) -> Event {
        let value = json!({ "id": id, "event": "idle", "bucket": "b", "channel": channel, "time": "2026-05-01T19:30:00Z" });
        Event { time, ..serde_json::from_value(value).unwrap() }
    }

    fn now() -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn outbox(names: &[&str]) -> Outbox {
        let receivers = names.iter().map(|name| (name.to_string(), name.to_string())).collect();
        Outbox::new(receivers, Log::new(Format::None, None))
    }

    fn reopened(path: &Path, names: &[&str]) -> Outbox {
        let (journal, restored) = Journal::open(path, "b").unwrap();
        let outbox = outbox(names);
        outbox.resume(journal, restored);
        outbox
    }

    fn ids(outbox: &Outbox) -> Vec<String> {
        let inner = outbox.lock();
        inner.open.values().map(|(event, _)| event.id.clone()).collect()
    }

    #[test]
    fn undelivered_events_survive_a_restart() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("state");
        let names = ["x", "y"];
        let first = reopened(&path, &names);
        let events = vec![event("1", "a", now()), event("2", "b", now())];
        first.record(events, &[], &Watch::new(Limits::new()));
        for receiver in 0..2 {
            let (number, event) = first.next(receiver).unwrap();
            first.settle(receiver, number, &event, Outcome::Delivered);
        }
        let (number, event) = first.next(0).unwrap();
        first.settle(0, number, &event, Outcome::Delivered);
        assert_eq!(first.stop(), (1, true));
        drop(first);
        let second = reopened(&path, &names);
        assert_eq!(ids(&second), ["2"]);
        let counts = second.counts();
        assert_eq!((counts[0].1.queued, counts[1].1.queued), (0, 1));
        drop(second);
        assert!(ids(&reopened(&path, &["x", "z"])).is_empty(), "y is no longer configured");
    }

    #[test]
    fn an_event_is_dropped_when_it_is_rejected_or_a_day_old() {
        let outbox = outbox(&["x"]);
        let failed = || Outcome::Failed { why: "down".into(), retry_after: None };
        let old = now() - A_DAY - Duration::from_secs(1);
        let events = vec![event("old", "a", old), event("new", "b", now())];
        outbox.record(events, &[], &Watch::new(Limits::new()));
        for outcome in [failed(), Outcome::Refused("gone".into())] {
            let (number, event) = outbox.next(0).unwrap();
            outbox.settle(0, number, &event, outcome);
        }
        let (_, counts) = outbox.counts().remove(0);
        assert_eq!((counts.queued, counts.dropped, counts.failures), (0, 2, 2));
    }

    #[test]
    fn the_oldest_of_too_many_events_are_dropped() {
        let outbox = outbox(&["x"]);
        let events = (0..MOST_EVENTS + 3).map(|n| event(&n.to_string(), "a", now())).collect();
        outbox.record(events, &[], &Watch::new(Limits::new()));
        let (_, counts) = outbox.counts().remove(0);
        assert_eq!((counts.queued, counts.dropped), (MOST_EVENTS as u64, 3));
        assert_eq!(ids(&outbox)[0], "3");
    }

    #[test]
    fn waiting_for_an_event_ends_with_the_monitor() {
        let outbox = outbox(&["x"]);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| outbox.next(0).is_none());
            outbox.stop();
            assert!(waiting.join().unwrap());
        });
    }

    // Elsewhere, a directory with open files cannot be removed.
    #[cfg(unix)]
    #[test]
    fn an_unwritable_state_does_not_stop_delivery() {
        let folder = TempDir::new().unwrap();
        let place = folder.path().join("place");
        std::fs::create_dir(&place).unwrap();
        let outbox = reopened(&place.join("state"), &["x"]);
        std::fs::remove_dir_all(&place).unwrap();
        // The file is finally replaced, which needs the directory.
        let mut watch = Watch::new(Limits::new());
        watch.restore("c", KnownChannel::default());
        while !outbox.lock().journal.as_ref().unwrap().needs_replacement() {
            outbox.record(Vec::new(), &["c".to_owned()], &watch);
        }
        outbox.record(vec![event("1", "a", now())], &[], &watch);
        assert_eq!(ids(&outbox), ["1"]);
    }
}
