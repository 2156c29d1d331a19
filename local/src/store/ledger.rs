//! Enforces a limit on the disk space of all channels' recordings, by tracking
//! their size and the oldest fragments.
//!
//! The indexes are read once, at the start. From then on, memory holds the total
//! and, for each channel, the position of its oldest fragment in the index;
//! adding or deleting a fragment updates a tree.

use super::bucket::Bucket;
use super::fragment::Kept;
use super::mutex::lock;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, Weak};

/// The size of the lines of deleted fragments at which they are removed from an
/// index: large, except in tests.
const DEAD_INDEX: u64 = if cfg!(test) { 4 << 10 } else { 1 << 20 };

/// The place of fragments: a bucket and a channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Place {
    bucket: String,
    channel: String,
}

/// A position in a channel's index.
struct Cursor {
    bucket: Weak<Bucket>,
    /// The oldest fragment; if `None`, one may have been added since.
    oldest: Option<Kept>,
    /// Where to start searching for it in the index.
    offset: u64,
}

#[derive(Default)]
struct State {
    bytes: u64,
    cursors: HashMap<Place, Cursor>,
    /// The places with fragments, ordered by the start of their oldest.
    order: BTreeSet<(u64, Place)>,
}

/// Keeps the recordings below a limit by deleting the oldest.
pub(super) struct Ledger {
    limit: u64,
    state: Mutex<State>,
}

impl Ledger {
    pub(super) fn new(limit: u64) -> Self {
        Ledger { limit, state: Mutex::default() }
    }

    /// Adds the existing recordings of a bucket.
    pub(super) fn enter(&self, bucket: &Arc<Bucket>) -> io::Result<()> {
        let mut state = lock(&self.state);
        for channel in bucket.recorded_channels()? {
            state.bytes = state.bytes.saturating_add(bucket.recorded_bytes(&channel)?);
            state.follow(bucket, &channel)?;
        }
        Ok(())
    }

    /// Counts a new fragment of a channel, and frees space for it.
    pub(super) fn add(&self, bucket: &Arc<Bucket>, channel: &str, bytes: u64) {
        let mut state = lock(&self.state);
        state.bytes = state.bytes.saturating_add(bytes);
        // If the index cannot be read now, its next fragment retries.
        let _ = state.follow(bucket, channel);
        state.prune(self.limit);
    }

    /// Subtracts bytes that were freed elsewhere.
    pub(super) fn subtract(&self, bytes: u64) {
        let mut state = lock(&self.state);
        state.bytes = state.bytes.saturating_sub(bytes);
    }

    /// Deletes the oldest fragments until the limit is met, as far as possible.
    pub(super) fn prune(&self) {
        lock(&self.state).prune(self.limit);
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        lock(&self.state).bytes
    }
}

impl State {
    /// Finds the oldest fragment of a channel, unless it is already known.
    fn follow(&mut self, bucket: &Arc<Bucket>, channel: &str) -> io::Result<()> {
        let place = Place { bucket: bucket.info().name, channel: channel.to_owned() };
        let cursor = self.cursors.entry(place.clone()).or_insert_with(|| Cursor {
            bucket: Arc::downgrade(bucket),
            oldest: None,
            offset: 0,
        });
        if cursor.bucket.upgrade().is_none_or(|known| !Arc::ptr_eq(&known, bucket)) {
            // The bucket was deleted and created again.
            self.order.retain(|(_, other)| *other != place);
            *cursor = Cursor { bucket: Arc::downgrade(bucket), oldest: None, offset: 0 };
        }
        if cursor.oldest.is_none() {
            cursor.oldest = bucket.oldest_fragment(channel, cursor.offset)?;
            self.order.extend(cursor.oldest.iter().map(|kept| (kept.start_ms(), place.clone())));
        }
        Ok(())
    }

    fn prune(&mut self, limit: u64) {
        let mut passed = Bound::Unbounded;
        while self.bytes > limit {
            let Some(next) = self.order.range((passed.clone(), Bound::Unbounded)).next() else {
                return;
            };
            let next = next.clone();
            // A fragment that must stay, or cannot be deleted, does not
            // block the others.
            if !self.drop_oldest(&next).unwrap_or(false) {
                passed = Bound::Excluded(next);
            }
        }
    }

    /// Deletes the oldest fragment of a place; returns false if it must stay.
    fn drop_oldest(&mut self, entry: &(u64, Place)) -> io::Result<bool> {
        let (_, place) = entry;
        let Some(cursor) = self.cursors.get_mut(place) else {
            return Ok(self.order.remove(entry));
        };
        let (Some(bucket), Some(kept)) = (cursor.bucket.upgrade(), &cursor.oldest) else {
            self.cursors.remove(place);
            return Ok(self.order.remove(entry));
        };
        let Some(freed) = bucket.drop_fragment(&place.channel, kept)? else { return Ok(false) };
        self.bytes = self.bytes.saturating_sub(freed);
        cursor.offset = kept.end();
        cursor.oldest = None;
        self.order.remove(entry);
        self.follow(&bucket, &place.channel)?;
        self.trim(&bucket, place)?;
        Ok(true)
    }

    /// Removes the part of an index whose fragments are all deleted.
    fn trim(&mut self, bucket: &Bucket, place: &Place) -> io::Result<()> {
        let Some(Cursor { oldest: Some(kept), offset, .. }) = self.cursors.get_mut(place) else {
            return Ok(());
        };
        let dead = kept.begin();
        if dead >= DEAD_INDEX {
            bucket.trim_index(&place.channel, dead)?;
            kept.shift(dead);
            *offset = 0;
        }
        Ok(())
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("limit", &self.limit).finish_non_exhaustive()
    }
}
