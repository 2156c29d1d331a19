//! How much disk the recordings of all channels take, and which are the oldest: the
//! bookkeeping of a limit.
//!
//! The indexes are read once, at the start. From then on memory holds a sum,
//! and for each channel the place in its index of the oldest fragment there
//! is; a fragment that comes or goes costs a step in a tree.

use super::bucket::Bucket;
use super::fragment::Kept;
use super::mutex::lock;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, Weak};

/// From when on the index lines of fragments that are gone are cut off: seldom,
/// but in tests.
const DEAD_INDEX: u64 = if cfg!(test) { 4 << 10 } else { 1 << 20 };

/// Where fragments are: a bucket and a channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Place {
    bucket: String,
    channel: String,
}

/// The way along a channel's index.
struct Trail {
    bucket: Weak<Bucket>,
    /// The oldest fragment there is; one may have come since if there is none.
    oldest: Option<Kept>,
    /// Where in the index to look for one.
    offset: u64,
}

#[derive(Default)]
struct State {
    bytes: u64,
    trails: HashMap<Place, Trail>,
    /// The places that have a fragment, by the start of their oldest.
    order: BTreeSet<(u64, Place)>,
}

/// Keeps the recordings below a limit by dropping the oldest.
pub(super) struct Ledger {
    limit: u64,
    state: Mutex<State>,
}

impl Ledger {
    pub(super) fn new(limit: u64) -> Self {
        Ledger { limit, state: Mutex::default() }
    }

    /// Takes stock of a bucket.
    pub(super) fn enter(&self, bucket: &Arc<Bucket>) -> io::Result<()> {
        let mut state = lock(&self.state);
        for channel in bucket.recorded_channels()? {
            state.bytes = state.bytes.saturating_add(bucket.recorded_bytes(&channel)?);
            state.follow(bucket, &channel)?;
        }
        Ok(())
    }

    /// Counts a fragment that a channel has gained, and makes room for it.
    pub(super) fn add(&self, bucket: &Arc<Bucket>, channel: &str, bytes: u64) {
        let mut state = lock(&self.state);
        state.bytes = state.bytes.saturating_add(bytes);
        // A channel whose index cannot be read now is looked at again with its
        // next fragment.
        let _ = state.follow(bucket, channel);
        state.prune(self.limit);
    }

    /// Counts bytes that somebody else has removed.
    pub(super) fn subtract(&self, bytes: u64) {
        let mut state = lock(&self.state);
        state.bytes = state.bytes.saturating_sub(bytes);
    }

    /// Drops the oldest fragments until the limit holds, as far as it can.
    pub(super) fn prune(&self) {
        lock(&self.state).prune(self.limit);
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        lock(&self.state).bytes
    }
}

impl State {
    /// Finds the oldest fragment of a channel, unless it is known.
    fn follow(&mut self, bucket: &Arc<Bucket>, channel: &str) -> io::Result<()> {
        let place = Place { bucket: bucket.info().name, channel: channel.to_owned() };
        let trail = self.trails.entry(place.clone()).or_insert_with(|| Trail {
            bucket: Arc::downgrade(bucket),
            oldest: None,
            offset: 0,
        });
        if trail.bucket.upgrade().is_none_or(|known| !Arc::ptr_eq(&known, bucket)) {
            // A bucket that was deleted and made anew.
            self.order.retain(|(_, other)| *other != place);
            *trail = Trail { bucket: Arc::downgrade(bucket), oldest: None, offset: 0 };
        }
        if trail.oldest.is_none() {
            trail.oldest = bucket.oldest_fragment(channel, trail.offset)?;
            self.order.extend(trail.oldest.iter().map(|kept| (kept.start_ms(), place.clone())));
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
            // One that must stay, or that the disk does not let go, does not
            // keep the others.
            if !self.drop_oldest(&next).unwrap_or(false) {
                passed = Bound::Excluded(next);
            }
        }
    }

    /// Drops the oldest fragment of a place; false if it must stay.
    fn drop_oldest(&mut self, entry: &(u64, Place)) -> io::Result<bool> {
        let (_, place) = entry;
        let Some(trail) = self.trails.get_mut(place) else {
            return Ok(self.order.remove(entry));
        };
        let (Some(bucket), Some(kept)) = (trail.bucket.upgrade(), &trail.oldest) else {
            self.trails.remove(place);
            return Ok(self.order.remove(entry));
        };
        let Some(freed) = bucket.drop_fragment(&place.channel, kept)? else { return Ok(false) };
        self.bytes = self.bytes.saturating_sub(freed);
        trail.offset = kept.end();
        trail.oldest = None;
        self.order.remove(entry);
        self.follow(&bucket, &place.channel)?;
        self.trim(&bucket, place)?;
        Ok(true)
    }

    /// Cuts off the part of an index that leads to nothing.
    fn trim(&mut self, bucket: &Bucket, place: &Place) -> io::Result<()> {
        let Some(Trail { oldest: Some(kept), offset, .. }) = self.trails.get_mut(place) else {
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
