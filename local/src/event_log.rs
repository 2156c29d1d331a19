//! Where events go: to an observer on a thread of its own, and into a short
//! memory of what went wrong.

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

/// How many events may wait for a slow observer before events are lost.
const QUEUE: usize = 1024;

/// How many refusals and warnings are remembered.
const RECENT: usize = 50;

/// How long the observer has at the end to take what is waiting.
const GRACE: Duration = Duration::from_secs(1);

/// What is called with each event.
type Call = dyn Fn(&Event) + Send + Sync;

/// Whoever wants to hear of events, down to a level.
#[derive(Clone)]
pub struct Observer {
    /// The least severe level that is reported.
    pub level: Level,
    /// What is called with each event.
    pub call: Arc<Call>,
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").field("level", &self.level).finish_non_exhaustive()
    }
}

/// The events of an endpoint. Recording one never waits for anybody.
pub struct EventLog {
    /// Where every event is kept, if that is asked for.
    journal: Option<Arc<Journal>>,
    observer: Option<Delivery>,
    recent: Mutex<VecDeque<Event>>,
    /// What no event may contain.
    secrets: Vec<String>,
}

/// The way to an observer.
struct Delivery {
    level: Level,
    /// None once the log is closed.
    sender: Mutex<Option<SyncSender<Event>>>,
    /// How many events found no room since the last one that did.
    lost: Arc<AtomicU64>,
    /// Closed when the observer has had everything.
    done: Mutex<Receiver<()>>,
}

impl EventLog {
    /// A log that only remembers.
    pub fn new(secrets: Vec<String>) -> Self {
        let secrets = secrets.into_iter().filter(|secret| !secret.is_empty()).collect();
        EventLog { journal: None, observer: None, recent: Mutex::default(), secrets }
    }

    /// A log with an observer, which gets a thread.
    ///
    /// # Errors
    ///
    /// The system has no thread left.
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

    /// Keeps every event in a journal too.
    pub fn with_journal(mut self, journal: Arc<Journal>) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Whether an event of this level is of interest to anybody.
    pub fn wants(&self, level: Level) -> bool {
        self.journal.is_some()
            || is_remembered(level)
            || self.observer.as_ref().is_some_and(|to| level <= to.level)
    }

    /// Takes in an event.
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

    /// The newest refusals, warnings and errors, newest first.
    pub fn recent(&self) -> Vec<Event> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().rev().cloned().collect()
    }

    /// Takes nothing more for the observer, and waits a moment until it has
    /// had what is waiting.
    pub fn close(&self) {
        let Some(delivery) = &self.observer else { return };
        delivery.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        let done = delivery.done.lock().unwrap_or_else(PoisonError::into_inner);
        // An observer that is stuck is left behind.
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

/// Hands events on until the log is closed, and says how many were lost where
/// they are missing.
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
        // The queue was full when they were lost, up to here.
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
    fn an_observer_hears_down_to_its_level_and_no_secret() {
        let (sender, heard) = mpsc::channel();
        let log = observed(Level::Info, sending(sender));
        Level::ALL.into_iter().for_each(|level| log.record(event(level, "a hunter2")));
        log.close();
        let heard: Vec<Event> = heard.try_iter().collect();
        let levels: Vec<Level> = heard.iter().map(|event| event.level).collect();
        assert_eq!(levels, Level::ALL[..3]);
        assert!(heard.iter().all(|event| event.key.as_deref() == Some("a ***")));
        assert!(!log.wants(Level::Debug) && log.wants(Level::Info));
    }

    #[test]
    fn what_went_wrong_is_remembered_for_a_while_newest_first() {
        let log = EventLog::new(Vec::new());
        log.record(event(Level::Info, "unremarkable"));
        (0..RECENT + 10).for_each(|n| log.record(event(Level::Warn, &n.to_string())));
        let recent = log.recent();
        assert_eq!(recent.len(), RECENT);
        assert_eq!(recent[0].key.as_deref(), Some("59"));
        assert!(!log.wants(Level::Info), "nobody asked for it");
    }

    #[test]
    fn an_observer_that_is_stuck_holds_up_nobody_and_hears_how_much_it_missed() {
        let (release, held) = mpsc::channel::<()>();
        let (sender, heard) = mpsc::channel();
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
            heard.try_iter().partition(|event| event.kind == EventKind::Lost);
        let missing: u64 = lost.iter().filter_map(|event| event.count).sum();
        assert!(seen.len() >= QUEUE && missing > 0);
        assert_eq!(seen.len() as u64 + missing, count);
    }

    #[test]
    fn closing_does_not_wait_for_ever_for_an_observer() {
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
