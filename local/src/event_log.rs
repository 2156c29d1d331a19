//! The event log: passes events to an observer on a separate thread, and
//! remembers the latest problems.

use crate::event::{Event, EventKind, Level};
use crate::journal::Journal;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use time::OffsetDateTime;

/// How many events are queued for a slow observer before further ones are lost.
const QUEUE: usize = 1024;

/// How many refusals and warnings are remembered.
const RECENT: usize = 50;

/// How long the observer has to process the queue when the log is closed.
const GRACE: Duration = Duration::from_secs(1);

/// A callback that is called with each event.
type Call = dyn Fn(&Event) + Send + Sync;

/// An observer of events, down to a level.
#[derive(Clone)]
pub struct Observer {
    /// The least severe level that is reported.
    pub level: Level,
    /// The callback.
    pub call: Arc<Call>,
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").field("level", &self.level).finish_non_exhaustive()
    }
}

/// The events of an endpoint. Recording one never blocks.
pub struct EventLog {
    /// The journal that keeps every event, if enabled.
    journal: Option<Arc<Journal>>,
    observer: Option<Delivery>,
    recent: Mutex<VecDeque<Event>>,
    /// Strings that are redacted in every event.
    secrets: Vec<String>,
}

/// The delivery of events to an observer.
struct Delivery {
    level: Level,
    /// None once the log is closed.
    sender: Mutex<Option<SyncSender<Event>>>,
    /// How many events were lost since the last one that was queued.
    lost: Arc<AtomicU64>,
    /// Closed when the observer has processed everything.
    done: Mutex<Receiver<()>>,
}

impl EventLog {
    /// Returns a log without an observer.
    pub fn new(secrets: Vec<String>) -> Self {
        let secrets = secrets.into_iter().filter(|secret| !secret.is_empty()).collect();
        EventLog { journal: None, observer: None, recent: Mutex::default(), secrets }
    }

    /// Returns a log with an observer, which gets its own thread.
    ///
    /// # Errors
    ///
    /// The system cannot start a thread.
    pub fn observed(secrets: Vec<String>, observer: Observer) -> io::Result<Self> {
        let (sender, receiver) = mpsc::sync_channel(QUEUE);
        let (finished, done) = mpsc::channel();
        let lost = Arc::new(AtomicU64::new(0));
        let missing = Arc::clone(&lost);
        let Observer { level, call } = observer;
        thread::Builder::new().name("osslive-events".into()).spawn(move || {
            let _finished = finished;
            deliver(&receiver, &missing, &*call);
        })?;
        let sender = Mutex::new(Some(sender));
        let delivery = Delivery { level, sender, lost, done: Mutex::new(done) };
        Ok(EventLog { observer: Some(delivery), ..EventLog::new(secrets) })
    }

    /// Adds a journal, which keeps every event.
    pub fn with_journal(mut self, journal: Arc<Journal>) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Returns whether anything records events of this level.
    pub fn wants(&self, level: Level) -> bool {
        self.journal.is_some()
            || is_remembered(level)
            || self.observer.as_ref().is_some_and(|to| level <= to.level)
    }

    /// Records an event.
    pub fn record(&self, mut event: Event) {
        if !self.wants(event.level) {
            return;
        }
        event.redact(&self.secrets);
        if let Some(journal) = &self.journal {
            journal.add(&event);
        }
        if is_remembered(event.level) {
            let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            if recent.len() == RECENT {
                recent.pop_front();
            }
            recent.push_back(event.clone());
        }
        if let Some(delivery) = self.observer.as_ref().filter(|to| event.level <= to.level) {
            delivery.send(event);
        }
    }

    /// Returns the latest refusals, warnings and errors, newest first.
    pub fn recent(&self) -> Vec<Event> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().rev().cloned().collect()
    }

    /// Queues no more events for the observer, and waits a moment until it has
    /// processed the queue.
    pub fn close(&self) {
        let Some(delivery) = &self.observer else { return };
        delivery.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        let done = delivery.done.lock().unwrap_or_else(PoisonError::into_inner);
        // An observer that is stuck is abandoned.
        let _: Result<(), RecvTimeoutError> = done.recv_timeout(GRACE);
    }
}

impl Delivery {
    fn send(&self, event: Event) {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = &*sender else { return };
        if let Err(TrySendError::Full(_)) = sender.try_send(event) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for EventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventLog")
    }
}

fn is_remembered(level: Level) -> bool {
    level <= Level::Warn
}

/// Delivers events until the log is closed, and reports gaps with the number of
/// events lost.
fn deliver(events: &Receiver<Event>, lost: &AtomicU64, call: &Call) {
    let report = |time: OffsetDateTime| {
        let count = lost.swap(0, Ordering::Relaxed);
        if count > 0 {
            let message = Some("events were lost: the log is not read fast enough".to_owned());
            let count = Some(count);
            call(&Event { message, count, ..Event::new(time, Level::Warn, EventKind::Lost) });
        }
    };
    let mut newest = None;
    for event in events {
        call(&event);
        newest = Some(event.time);
        // The events were lost while the queue was full, that is, up to this one.
        report(event.time);
    }
    newest.into_iter().for_each(report);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::Sender;

    fn event(level: Level, key: &str) -> Event {
        let event = Event::new(OffsetDateTime::UNIX_EPOCH, level, EventKind::Stream);
        Event { key: Some(key.into()), ..event }
    }

    fn observed(level: Level, call: impl Fn(&Event) + Send + Sync + 'static) -> EventLog {
        EventLog::observed(vec!["hunter2".into()], Observer { level, call: Arc::new(call) })
            .unwrap()
    }

    fn sending(to: Sender<Event>) -> impl Fn(&Event) + Send + Sync {
        let to = Mutex::new(to);
        move |event| drop(to.lock().unwrap().send(event.clone()))
    }

    #[test]
    fn an_observer_receives_events_of_its_level_without_secrets() {
        let (sender, received) = mpsc::channel();
        let log = observed(Level::Info, sending(sender));
        Level::ALL.into_iter().for_each(|level| log.record(event(level, "a hunter2")));
        log.close();
        let received: Vec<Event> = received.try_iter().collect();
        let levels: Vec<Level> = received.iter().map(|event| event.level).collect();
        assert_eq!(levels, Level::ALL[..3]);
        assert!(received.iter().all(|event| event.key.as_deref() == Some("a ***")));
        assert!(!log.wants(Level::Debug) && log.wants(Level::Info));
    }

    #[test]
    fn the_latest_problems_are_remembered_newest_first() {
        let log = EventLog::new(Vec::new());
        log.record(event(Level::Info, "unremarkable"));
        (0..RECENT + 10).for_each(|n| log.record(event(Level::Warn, &n.to_string())));
        let recent = log.recent();
        assert_eq!(recent.len(), RECENT);
        assert_eq!(recent[0].key.as_deref(), Some("59"));
        assert!(!log.wants(Level::Info), "there is no observer");
    }

    #[test]
    fn a_stuck_observer_blocks_nothing_and_learns_how_many_events_it_missed() {
        let (release, held) = mpsc::channel::<()>();
        let (sender, received) = mpsc::channel();
        let (held, send) = (Mutex::new(held), sending(sender));
        let log = observed(Level::Debug, move |event| {
            // Until the other end is gone.
            let _ = held.lock().unwrap().recv();
            send(event);
        });
        let count = 5000;
        (0..count).for_each(|n| log.record(event(Level::Info, &n.to_string())));
        drop(release);
        log.close();
        let (lost, seen): (Vec<Event>, Vec<Event>) =
            received.try_iter().partition(|event| event.kind == EventKind::Lost);
        let missing: u64 = lost.iter().filter_map(|event| event.count).sum();
        assert!(seen.len() >= QUEUE && missing > 0);
        assert_eq!(seen.len() as u64 + missing, count);
    }

    #[test]
    fn closing_does_not_wait_indefinitely_for_an_observer() {
        let (release, held) = mpsc::channel::<()>();
        let held = Mutex::new(held);
        let log = observed(Level::Debug, move |_| {
            let _ = held.lock().unwrap().recv();
        });
        log.record(event(Level::Info, "x"));
        log.close();
        log.record(event(Level::Info, "after the end"));
        drop(release);
    }
}
