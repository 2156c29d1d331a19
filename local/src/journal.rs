//! The latest events of an endpoint, for queries: who requested what, and with
//! what outcome.

use crate::event::Event;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many events are kept.
const KEPT: usize = 10_000;

/// The latest events, oldest first.
#[derive(Debug, Default)]
pub struct Journal(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    events: VecDeque<Event>,
    dropped: u64,
}

impl Journal {
    /// Adds an event, dropping the oldest if the journal is full.
    pub fn add(&self, event: &Event) {
        let mut entries = self.lock();
        if entries.events.len() == KEPT {
            entries.events.pop_front();
            entries.dropped += 1;
        }
        entries.events.push_back(event.clone());
    }

    /// Returns the events, and the number of earlier events that were dropped.
    pub fn events(&self) -> (Vec<Event>, u64) {
        let entries = self.lock();
        (entries.events.iter().cloned().collect(), entries.dropped)
    }

    /// Removes all events.
    pub fn clear(&self) {
        *self.lock() = Entries::default();
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventKind, Level};
    use time::OffsetDateTime;

    #[test]
    fn the_latest_events_are_kept_until_they_are_cleared() {
        let journal = Journal::default();
        let event = Event::new(OffsetDateTime::UNIX_EPOCH, Level::Debug, EventKind::Request);
        for number in 0..KEPT as u64 + 3 {
            journal.add(&Event { count: Some(number), ..event.clone() });
        }
        let (events, dropped) = journal.events();
        assert_eq!((events.len(), dropped), (KEPT, 3));
        assert_eq!(events[0].count, Some(3));
        journal.clear();
        assert_eq!(journal.events(), (vec![], 0));
        assert_eq!(journal.lock().events.capacity(), 0);
    }
}
